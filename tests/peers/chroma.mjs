// Chroma's own server, started from its npm package, through HTTP. Where the system's C library is older than the server's wants
// (2.38), CHROMA_GLIBC names a folder with a newer one (see chroma-glibc.sh).
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Connection, Pool, processorSecondsOf} from './http.mjs';
import {checkFound, diskBytes, load, search, seconds, serve} from './driver.mjs';

const root = new URL('.', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'granary-peer-chroma-'));
const port = await new Promise((found) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
        const {port} = probe.address();
        probe.close(() => found(port));
    });
});
const libraries = process.env.CHROMA_GLIBC ?? join(root, 'bin/glibc');
const loader = join(libraries, 'ld-linux-x86-64.so.2');
const system = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'];
const command = [process.execPath, join(root, 'node_modules/chromadb/dist/cli.mjs'), 'run', '--path', folder, '--host', '127.0.0.1',
    '--port', String(port)];
if (existsSync(loader))
    command.unshift(loader, '--library-path', [libraries, ...system].join(':'));
let server, pool;
process.on('exit', () => server?.kill('SIGKILL'));

async function start() {
    server = spawn(command[0], command.slice(1), {stdio: ['ignore', 'ignore', 'ignore'], env: {...process.env, RUST_LOG: 'error'}});
    server.on('exit', (code) => {
        if (code)
            process.exit(code);
    });
    for (let tries = 0; ; tries++) {
        const up = await fetch(`http://127.0.0.1:${port}/api/v2/heartbeat`, {headers: {connection: 'close'}}).then((r) => r.ok, () => false);
        if (up)
            break;
        if (tries > 300)
            process.exit(1);
        await new Promise((later) => setTimeout(later, 100));
    }
    pool = new Pool(port);
}

/** It does not end when asked to. */
async function stop() {
    pool.close();
    server.kill('SIGKILL');
    await new Promise((ended) => server.on('exit', ended));
}

await start();
const processor = () => processorSecondsOf(server.pid);
const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';
let set, space, id, ef, made = {};

/** What a database that has run for a while has done already is done before the clock starts: points of a collection of its own. */
async function build(request) {
    await make({...request, count: Math.min(5000, set.base.length)});
    return make({...request, count: set.base.length});
}

async function make({m, ef_construct, threads, count, batch = 1000}) {
    const bodies = [];
    const first = await pool.lane(0);
    await first.json('DELETE', `${base}/points`).catch(() => {});
    const cpu = processor();
    const created = await first.json('POST', base, {
        name: 'points', configuration: {hnsw: {space, max_neighbors: m, ef_construction: ef_construct, ef_search: 100}},
    });
    id = created.id;
    ef = 100;
    for (let from = 0; from < count; from += batch) {
        const rows = set.base.slice(from, Math.min(from + batch, count));
        bodies.push(Connection.request('POST', `${base}/${id}/add`, {
            ids: rows.map((_, i) => String(from + i)), embeddings: rows.map((row) => Array.from(row)),
            ...(set.texts ? {documents: set.texts.slice(from, from + rows.length)} : {}),
        }));
    }
    await pool.open(threads * 2);
    const start = performance.now();
    let next = 0;
    await Promise.all(Array.from({length: threads * 2}, async (_, lane) => {
        const connection = await pool.lane(lane);
        for (let i; (i = next++) < bodies.length;) {
            const {status, body} = await connection.send(bodies[i]);
            if (status >= 300)
                throw new Error(`add: ${status} ${body.toString().slice(0, 300)}`);
        }
    }));
    const added_seconds = seconds(start);
    // It indexes what was added when it is next asked.
    await checkFound(set, count, async (row) => (await first.json('POST', `${base}/${id}/query`, {
        query_embeddings: [Array.from(row)], n_results: 10, include: [],
    })).ids[0].map(Number));
    const took = seconds(start);
    const found = await first.json('GET', `${base}/${id}/count`);
    if (found !== count)
        throw new Error(`${found} points of ${count}`);
    return {seconds: took, added_seconds, cpu_seconds: processor() - cpu, disk: diskBytes(folder)};
}

serve({
    peer: 'chroma', version: JSON.parse(readFileSync(join(root, 'node_modules/chromadb/package.json'))).version,
    settings: 'its own server (npx chroma run), hnsw max_neighbors, ef_construction and ef_search as asked, include: [] (ids alone); '
        + 'a raw keep-alive client, bodies made beforehand, answers parsed; processor time is the server\'s',
}, {
    load(request) {
        set = load(request);
        made = {};
        space = request.metric === 'euclid' ? 'l2' : 'cosine';
        return {rows: set.base.length, dims: set.base[0].length, queries: set.queries.length};
    },
    build,
    async search({k, ef: wanted = 100, ...request}) {
        if (ef !== wanted) {
            // A changed ef_search counts from the server's next start.
            await (await pool.lane(0)).json('PUT', `${base}/${id}`, {new_configuration: {hnsw: {ef_search: wanted}}});
            await stop();
            await start();
            ef = wanted;
            for (let i = 0; i < set.queries.length; i++)
                await (await pool.lane(0)).json('POST', `${base}/${id}/query`, {query_embeddings: [Array.from(set.queries[i])], n_results: k, include: []});
        }
        await pool.open(request.threads ?? 1);
        const lanes = await Promise.all(pool.lanes);
        if (made.key !== k) {
            made = {key: k, requests: set.queries.map((query) => Connection.request('POST', `${base}/${id}/query`,
                {query_embeddings: [Array.from(query)], n_results: k, include: []}))};
        }
        return search(set.queries.length, request, async (i, lane) => {
            const {status, body} = await lanes[lane].send(made.requests[i]);
            if (status !== 200)
                throw new Error(`${status} ${body.toString().slice(0, 300)}`);
            return JSON.parse(body.toString()).ids[0].map(Number);
        }, processor);
    },
    async quit() {
        await stop();
        rmSync(folder, {recursive: true, force: true});
    },
});
