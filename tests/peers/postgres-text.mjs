// PostgreSQL's full text search behind the protocol of README.md: a tsvector column with a GIN index, ordered by ts_rank.
import {createReadStream, readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {described, Server} from './postgres.mjs';
import {searchTexts, seconds, serve} from './driver.mjs';

const STOP = new Set(('a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to '
    + 'was will with').split(' '));
const server = await Server.start();
const client = await server.connect();
let loaded, queries;

async function build() {
    const cpu = server.processorSeconds();
    const start = performance.now();
    // The same analysis as the others': Snowball English and their stop words, not its own 127.
    await client.query(`
        DROP TABLE IF EXISTS texts;
        DROP TEXT SEARCH CONFIGURATION IF EXISTS peer;
        DROP TEXT SEARCH DICTIONARY IF EXISTS stems;
        CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = english);
        CREATE TEXT SEARCH CONFIGURATION peer (COPY = english);
        ALTER TEXT SEARCH CONFIGURATION peer ALTER MAPPING REPLACE english_stem WITH stems;
        CREATE TABLE texts (id int NOT NULL, body tsvector NOT NULL)`);
    let rows = 0, ids = [], texts = [];
    const flush = async () => {
        if (ids.length > 0) {
            await client.query({
                name: 'insert', text: `INSERT INTO texts SELECT id, ts_delete(to_tsvector('peer', text), $3)
                    FROM unnest($1::int[], $2::text[]) AS given (id, text)`, values: [ids, texts, [...STOP]],
            });
        }
        ids = [];
        texts = [];
    };
    for await (const line of createInterface({input: createReadStream(loaded.corpus), crlfDelay: Infinity})) {
        if (rows >= (loaded.rows ?? Infinity))
            break;
        const row = JSON.parse(line);
        ids.push(rows++);
        texts.push(`${row.title ?? ''} ${row.text}`.trim().replaceAll('\0', ' '));
        if (ids.length === 5000)
            await flush();
    }
    await flush();
    await client.query('CREATE INDEX ON texts USING gin (body) WITH (fastupdate = off)');
    await client.query('VACUUM (ANALYZE, FREEZE) texts');
    const {rows: [{size}]} = await client.query('SELECT pg_total_relation_size(\'texts\')::float8 AS size');
    return {rows, seconds: seconds(start), cpu_seconds: server.processorSeconds() - cpu, bytes: size};
}

// What every query does is in the one statement; the stop words are left out here, and the words joined by what is asked for.
const statement = {name: 'search', rowMode: 'array', text: `SELECT id FROM texts,
    (SELECT replace(plainto_tsquery('peer', $1)::text, ' & ', $2)::tsquery AS query) AS asked
    WHERE body @@ query ORDER BY ts_rank(body, query) DESC LIMIT $3`};

const search = (request) => searchTexts(queries, request, async (text, must, k) => {
    const words = text.split(/[^\p{L}\p{N}_]+/u).filter((word) => !STOP.has(word.toLowerCase())).join(' ');
    const answer = await client.query({...statement, values: [words, must ? ' & ' : ' | ', k]});
    return answer.rows.map(([id]) => id);
});

serve({
    peer: 'postgres-text', version: server.version,
    settings: `tsvector column, GIN index, ts_rank (frequencies, no length or document frequency), Snowball English and 33 stop words, npm's pg; ${described}`,
}, {
    load(request) {
        loaded = request;
        queries = readFileSync(request.queries, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
        return {queries: queries.length};
    },
    build,
    search,
    async quit() {
        await client.end();
        await server.stop();
    },
});
