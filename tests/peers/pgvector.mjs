// pgvector through npm's pg: a table of vectors with an HNSW index, behind the protocol of README.md. The extension has to be where the
// newest PostgreSQL of the machine looks for it.
import {finished} from 'node:stream/promises';
import {from as copyFrom} from 'pg-copy-streams';
import {described, Server} from './postgres.mjs';
import {checkFound, load, search, seconds, serve} from './driver.mjs';

const server = await Server.start();
const clients = [];
const client = async (lane) => await (clients[lane] ??= server.connect());
const first = await client(0);
const extension = (await first.query('SELECT default_version FROM pg_available_extensions WHERE name = \'vector\'')).rows[0];
if (!extension) {
    console.error('pgvector is not installed for this PostgreSQL');
    await server.stop();
    process.exit(1);
}
await first.query('CREATE EXTENSION vector');
let set, distance, made = {};

const text = (row) => `[${Array.from(row).join(',')}]`;
const columns = () => set.texts ? 'id int, embedding vector(DIMS), text text' : 'id int, embedding vector(DIMS)';
const escaped = (value) => value.replace(/[\\\n\r\t]/g, (c) => ({'\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t'})[c]).replaceAll('\0', ' ');

/** What a server that has run for a while has done already is done before the clock starts: a table of its own. */
async function build(request) {
    await make({...request, table: 'warm', count: Math.min(5000, set.base.length)});
    await first.query('DROP TABLE warm');
    return make({...request, table: 'points', count: set.base.length});
}

/** As it advises: rows by COPY, then the index, with as many processes as there are threads. */
async function make({table, count, m, ef_construct, threads, batch = 1000}) {
    const bodies = [];
    for (let from = 0; from < count; from += batch) {
        const rows = set.base.slice(from, Math.min(from + batch, count));
        bodies.push(Buffer.from(rows.map((row, i) =>
            `${from + i}\t${text(row)}${set.texts ? `\t${escaped(set.texts[from + i])}` : ''}\n`).join('')));
    }
    await Promise.all(Array.from({length: threads * 2}, (_, lane) => client(lane)));
    await first.query(`DROP TABLE IF EXISTS ${table}`);
    const cpu = server.processorSeconds();
    const start = performance.now();
    await first.query(`CREATE TABLE ${table} (${columns().replace('DIMS', set.base[0].length)})`);
    await first.query(`ALTER TABLE ${table} SET (parallel_workers = ${Math.max(threads - 1, 0)})`);
    let next = 0;
    await Promise.all(Array.from({length: threads * 2}, async (_, lane) => {
        const connection = await client(lane);
        for (let i; (i = next++) < bodies.length;) {
            const copying = connection.query(copyFrom(`COPY ${table} FROM STDIN`));
            copying.end(bodies[i]);
            await finished(copying);
        }
    }));
    const added_seconds = seconds(start);
    await first.query(`SET max_parallel_maintenance_workers = ${Math.max(threads - 1, 0)}`);
    await first.query(`CREATE INDEX ON ${table} USING hnsw (embedding ${distance.operators}) WITH (m = ${m}, ef_construction = ${ef_construct})`);
    await effort(first, 100);
    await checkFound(set, count, async (row) => (await first.query(statement(table, 10, row))).rows.map(([id]) => id));
    const took = {seconds: seconds(start), added_seconds, cpu_seconds: server.processorSeconds() - cpu};
    await first.query(`VACUUM ANALYZE ${table}`);
    const {rows: [{size}]} = await first.query(`SELECT pg_total_relation_size('${table}')::float8 AS size`);
    return {...took, disk: size};
}

const effort = (connection, ef) => connection.query(`SET hnsw.ef_search = ${Math.min(ef, 1000)}; SET enable_seqscan = off`);
const statement = (table, k, row) => ({
    name: `${table} ${k}`, rowMode: 'array', values: [text(row)],
    text: `SELECT id FROM ${table} ORDER BY embedding ${distance.operator} $1 LIMIT ${k}`,
});

serve({
    peer: 'pgvector', version: `${extension.default_version} in PostgreSQL ${server.version}`,
    settings: 'vector column, hnsw m and ef_construction as asked, hnsw.ef_search swept; rows by COPY, index built after them with a process a '
        + `thread, vacuumed; npm's pg, prepared statements, ids alone; ${described}; processor time is the server's`,
}, {
    load(request) {
        set = load(request);
        made = {};
        distance = request.metric === 'euclid' ? {operators: 'vector_l2_ops', operator: '<->'} : {operators: 'vector_cosine_ops', operator: '<=>'};
        return {rows: set.base.length, dims: set.base[0].length, queries: set.queries.length};
    },
    build,
    async search({what = 'dense', k, ef = 40, ...request}) {
        if (what !== 'dense')
            throw new Error(`no ${what} search`);
        const lanes = await Promise.all(Array.from({length: request.threads ?? 1}, (_, lane) => client(lane)));
        await Promise.all(lanes.map((connection) => effort(connection, ef)));
        if (made.k !== k)
            made = {k, queries: set.queries.map((query) => statement('points', k, query))};
        return search(set.queries.length, request, async (i, lane) => (await lanes[lane].query(made.queries[i])).rows.map(([id]) => id),
            () => server.processorSeconds());
    },
    async quit() {
        await Promise.all(clients.map(async (connection) => (await connection).end()));
        await server.stop();
    },
});
