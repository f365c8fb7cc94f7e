// Granary's standalone server through HTTP. Argument: granary.dll, as built.
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {Connection, Pool, processorSecondsOf} from './http.mjs';
import {checkFound, diskBytes, load, search, seconds, serve} from './driver.mjs';

const folder = mkdtempSync(join(tmpdir(), 'granary-peer-'));
const server = spawn('dotnet', [process.argv[2], '--urls', 'http://127.0.0.1:0', '--storage', `file:${folder}`],
    {stdio: ['ignore', 'pipe', 'inherit']});
process.on('exit', () => server.kill('SIGKILL'));
const port = await new Promise((found) => createInterface({input: server.stdout})
    .on('line', (line) => /listening on http:\S+:(\d+)/.test(line) && found(Number(RegExp.$1))));
const pool = new Pool(port);
const processor = () => processorSecondsOf(server.pid);
const path = '/collections/points';
// Points of a collection of its own before the clock starts: a server that has run for a while has compiled its code.
const warm = 5000;
let set, distance;

async function build(request) {
    await fill({...request, path: '/collections/warm', count: warm});
    await (await pool.lane(0)).json('DELETE', '/collections/warm');
    return fill({...request, path, count: set.base.length});
}

async function fill({path, count, m, ef_construct, threads, batch = 1000}) {
    const bodies = [];
    for (let from = 0; from < count; from += batch) {
        bodies.push(Connection.request('PUT', `${path}/points`, {
            points: set.base.slice(from, Math.min(from + batch, count)).map((row, i) => ({
                id: from + i, vector: Array.from(row), ...(set.texts ? {payload: {text: set.texts[from + i]}} : {}),
            })),
        }));
    }
    await pool.open(threads * 2);
    const first = await pool.lane(0);
    await first.json('DELETE', path).catch(() => {});
    const cpu = processor();
    const start = performance.now();
    await first.json('PUT', path, {
        vectors: {size: set.base[0].length, distance, hnsw_config: {m, ef_construct}},
        ...(set.texts ? {text: {text: {path: 'text'}}} : {}),
    });
    let next = 0;
    await Promise.all(Array.from({length: threads * 2}, async (_, lane) => {
        const connection = await pool.lane(lane);
        for (let i; (i = next++) < bodies.length;) {
            for (let status = 429; status === 429;) {
                const answer = await connection.send(bodies[i]);
                status = answer.status;
                if (status !== 429 && status !== 200)
                    throw new Error(`upsert: ${status} ${answer.body.toString().slice(0, 300)}`);
            }
        }
    }));
    const added_seconds = seconds(start);
    await first.json('POST', `${path}/wait?timeout=600`);
    await checkFound(set, Math.min(count, set.base.length), async (row) =>
        (await first.json('POST', `${path}/points/query`, {query: Array.from(row), limit: 10})).result.points.map((point) => point.id));
    const info = (await first.json('GET', path)).result;
    if (info.points_count !== Math.min(count, set.base.length))
        throw new Error(`${info.points_count} points of ${set.base.length}`);
    return {seconds: seconds(start), added_seconds, cpu_seconds: processor() - cpu, disk: diskBytes(folder)};
}

const bodies = {
    dense: (i, k, params) => ({query: Array.from(set.queries[i]), limit: k, params}),
    text: (i, k) => ({query: {text: set.queryTexts[i]}, using: 'text', limit: k}),
    hybrid: (i, k, params, depth = k) => ({
        prefetch: [{query: Array.from(set.queries[i]), limit: depth, params}, {query: {text: set.queryTexts[i]}, using: 'text', limit: depth}],
        query: {fusion: 'rrf'}, limit: k,
    }),
    'hybrid-100': (i, k, params) => bodies.hybrid(i, k, params, 100),
};
let made = {};

serve({
    peer: 'granary-http', version: readFileSync(new URL('../../Directory.Build.props', import.meta.url), 'utf8').match(/<Version>(.*)</)?.[1] ?? '',
    settings: 'standalone server, files, warmed by 5,000 points; a raw keep-alive client, bodies made beforehand, answers parsed; processor time is the server\'s',
}, {
    load(request) {
        set = load(request);
        made = {};
        distance = request.metric === 'euclid' ? 'Euclid' : 'Cosine';
        return {rows: set.base.length, dims: set.base[0].length, queries: set.queries.length};
    },
    build,
    async search({what = 'dense', k, ef, ...request}) {
        await pool.open(request.threads ?? 1);
        const key = `${what} ${k} ${ef}`;
        if (made.key !== key) {
            made = {key, requests: set.queries.map((_, i) =>
                Connection.request('POST', `${path}/points/query`, bodies[what](i, k, {hnsw_ef: ef})))};
        }
        const lanes = await Promise.all(pool.lanes);
        return search(set.queries.length, request, async (i, lane) => {
            const {status, body} = await lanes[lane].send(made.requests[i]);
            if (status !== 200)
                throw new Error(`${status} ${body.toString().slice(0, 300)}`);
            return JSON.parse(body.toString()).result.points.map((point) => point.id);
        }, processor);
    },
    async quit() {
        pool.close();
        server.kill('SIGTERM');
        await new Promise((ended) => server.on('exit', ended));
        rmSync(folder, {recursive: true, force: true});
    },
});
