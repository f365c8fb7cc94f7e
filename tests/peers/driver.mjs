// What the JavaScript drivers share: the protocol of README.md, vector files, texts, threads of requests, times.
import {existsSync, readFileSync, statSync, readdirSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {join} from 'node:path';

export const seconds = (since) => (performance.now() - since) / 1000;
export const processorSeconds = () => {
    const {user, system} = process.cpuUsage();
    return (user + system) / 1e6;
};

/** Rows of DIR/stem.bvecs or .fvecs, each a Float32Array. */
export function readVectors(stem, most = Infinity) {
    const bytes = existsSync(`${stem}.bvecs`);
    const file = readFileSync(bytes ? `${stem}.bvecs` : `${stem}.fvecs`);
    const dims = file.readInt32LE(0);
    const stride = 4 + dims * (bytes ? 1 : 4);
    const rows = [];
    for (let at = 0; at < file.length && rows.length < most; at += stride)
        rows.push(bytes
            ? Float32Array.from(file.subarray(at + 4, at + stride))
            : new Float32Array(file.buffer.slice(file.byteOffset + at + 4, file.byteOffset + at + stride)));
    return rows;
}

/** Title and text of each line of a .jsonl file, one behind the other. */
export const readTexts = (path) => readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => {
    const {title, text} = JSON.parse(line);
    return `${title ?? ''} ${text}`;
});

export function load({data, set, queries, texts}) {
    const folder = join(data, set);
    const loaded = {base: readVectors(join(folder, 'base')), queries: readVectors(join(folder, 'query'), queries)};
    if (texts) {
        loaded.texts = readTexts(join(folder, 'corpus.jsonl'));
        loaded.queryTexts = readTexts(join(folder, 'queries.jsonl'));
    }
    return loaded;
}

/**
 * Ends a build: rows from the first to the last are asked for by their own vectors, and nearly all must come back (or one with the same
 * vector). An index may miss one or two; what is not yet in it would be missed altogether.
 */
export async function checkFound(set, count, ask, probes = 20) {
    let found = 0;
    for (let i = 0; i < probes; i++) {
        const row = set.base[Math.round(i * (count - 1) / (probes - 1))];
        const ids = await ask(row);
        found += ids.some((id) => set.base[id].every((value, at) => value === row[at]));
    }
    if (found < probes * 0.8)
        throw new Error(`${probes - found} of ${probes} rows are not found after the build`);
}

export function diskBytes(folder) {
    return readdirSync(folder, {recursive: true, withFileTypes: true})
        .reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath ?? entry.path, entry.name)).size : 0), 0);
}

/** Runs ask(query, lane) for all queries `passes` times, so many at once; ask answers the ids. */
export async function search(count, {threads = 1, passes = 1, ids}, ask, cpu = processorSeconds) {
    const total = count * passes;
    const found = new Array(count);
    const times = new Float64Array(total);
    const before = await cpu();
    const own = processorSeconds();
    const start = performance.now();
    let next = 0;
    await Promise.all(Array.from({length: threads}, async (_, lane) => {
        for (let i; (i = next++) < total;) {
            const began = performance.now();
            found[i % count] = await ask(i % count, lane);
            times[i] = (performance.now() - began) * 1000;
        }
    }));
    const elapsed = seconds(start);
    times.sort();
    return {
        queries: total, seconds: elapsed, cpu_seconds: await cpu() - before, client_cpu_us: (processorSeconds() - own) / total * 1e6,
        p50_us: times[total >> 1], p99_us: times[Math.floor(total * 0.99)], ...(ids ? {ids: found} : {}),
    };
}

/** Answers a text peer's search: the queries of a kind, the least time of each over the passes. `ask` gives the ids of the k best. */
export async function searchTexts(queries, {k, kind, passes = 1, queries: most = Infinity, shape, times, ids}, ask) {
    const chosen = queries.filter((query) => kind === undefined || (query.kind ?? '') === kind).slice(0, most).map((query) => query.text);
    const least = chosen.map(() => Infinity);
    const found = chosen.map(() => []);
    const start = performance.now();
    for (let pass = 0; pass < passes; pass++) {
        for (let i = 0; i < chosen.length; i++) {
            const began = performance.now();
            found[i] = await ask(chosen[i], shape === 'must', k);
            least[i] = Math.min(least[i], (performance.now() - began) * 1000);
        }
    }
    return {queries: chosen.length * passes, seconds: seconds(start), ...(times ? {times_us: least} : {}), ...(ids ? {ids: found} : {})};
}

/** Says the greeting, then answers each request by the handler of its op. */
export async function serve(greeting, handlers) {
    const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
    say(greeting);
    for (const signal of ['SIGINT', 'SIGTERM'])
        process.on(signal, () => process.exit(1));
    for await (const line of createInterface({input: process.stdin})) {
        const request = JSON.parse(line);
        if (request.op === 'quit')
            break;
        try {
            say(await handlers[request.op](request));
        } catch (error) {
            console.error(error);
            say({error: String(error?.message ?? error)});
        }
    }
    await handlers.quit?.();
    process.exit(0);
}
