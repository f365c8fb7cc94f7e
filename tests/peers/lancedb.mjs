// LanceDB in process through its own client. Argument: hnsw (IVF_HNSW_SQ, the same M and ef_construction) or pq (IVF_PQ).
import * as lancedb from '@lancedb/lancedb';
import {Field, FixedSizeList, Float32, Int32, Schema, Utf8, makeData, vectorFromArray, Table, Vector, RecordBatch, Struct} from 'apache-arrow';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {checkFound, diskBytes, load, processorSeconds, search, seconds, serve} from './driver.mjs';

const kind = process.argv[2] ?? 'hnsw';
const root = mkdtempSync(join(tmpdir(), 'granary-peer-lancedb-'));
const version = JSON.parse(readFileSync(new URL('node_modules/@lancedb/lancedb/package.json', import.meta.url))).version;
let set, table, distanceType, reranker, folder, builds = 0;

/** One batch with the vectors in one buffer, as quick to hand over as Arrow can be. */
function records(rows, from, texts) {
    const dims = rows[0].length;
    const values = new Float32Array(rows.length * dims);
    rows.forEach((row, i) => values.set(row, i * dims));
    const item = new Field('item', new Float32(), true);
    const list = new FixedSizeList(dims, item);
    const fields = [new Field('id', new Int32(), false), new Field('vector', list, false)];
    const columns = [
        makeData({type: new Int32(), length: rows.length, data: Int32Array.from(rows, (_, i) => from + i)}),
        makeData({type: list, length: rows.length, child: makeData({type: new Float32(), length: values.length, data: values})}),
    ];
    if (texts) {
        fields.push(new Field('text', new Utf8(), false));
        columns.push(vectorFromArray(texts, new Utf8()).data[0]);
    }
    const schema = new Schema(fields);
    return new Table(schema, new RecordBatch(schema, makeData({type: new Struct(fields), length: rows.length, children: columns})));
}

function sweep(rows) {
    if (kind === 'hnsw')
        return [[16, 1], [32, 1], [64, 1], [32, 2], [64, 2], [64, 4], [128, 4], [256, 4], [256, 8], [512, 8], [1024, 8]]
            .map(([ef, refine]) => ({ef, refine}));
    const partitions = Math.round(Math.sqrt(rows));
    return [[.02, 5], [.05, 5], [.05, 10], [.1, 10], [.1, 20], [.2, 20], [.2, 40], [.4, 40], [.4, 80]]
        .map(([share, refine]) => ({nprobes: Math.max(1, Math.round(partitions * share)), refine}));
}

/** 8 dimensions a sub-vector as documented; where that does not divide, 4: one sub-vector in all would be its default. */
const subVectors = (dims) => dims % 8 === 0 ? dims / 8 : dims / 4;

/** What a database that has run for a while has done already is done before the clock starts: a table of its own. */
async function build(request) {
    if (folder)
        rmSync(folder, {recursive: true, force: true});
    folder = join(root, String(++builds));
    await make(request, 'warm', set.base.slice(0, 5000));
    await (await lancedb.connect(folder)).dropTable('warm');
    return make(request, 'points', set.base);
}

async function make({ef_construct, batch}, name, rows) {
    // A commit for each thousand rows would cost it time: its documentation asks for large ones.
    const size = Math.max(batch ?? 0, 10000);
    const cpu = processorSeconds();
    const start = performance.now();
    const db = await lancedb.connect(folder);
    table = undefined;
    for (let from = 0; from < rows.length; from += size) {
        const next = records(rows.slice(from, from + size), from, set.texts?.slice(from, Math.min(from + size, rows.length)));
        if (table)
            await table.add(next);
        else
            table = await db.createTable(name, next, {mode: 'overwrite'});
    }
    const added = seconds(start);
    const config = kind === 'hnsw'
        ? lancedb.Index.hnswSq({distanceType, m: 20, efConstruction: ef_construct, numPartitions: 1})
        : lancedb.Index.ivfPq({distanceType, numPartitions: Math.round(Math.sqrt(rows.length)), numSubVectors: subVectors(rows[0].length)});
    await table.createIndex('vector', {config, replace: true});
    if (set.texts)
        await table.createIndex('text', {config: lancedb.Index.fts({withPosition: false}), replace: true});
    const names = (await table.listIndices()).map((index) => index.name);
    await table.waitForIndex(names, 600);
    for (const name of names) {
        const {numUnindexedRows} = await table.indexStats(name);
        if (numUnindexedRows !== 0)
            throw new Error(`${name}: ${numUnindexedRows} rows without index`);
    }
    await checkFound(set, rows.length, async (row) =>
        Array.from((await table.query().nearestTo(row).distanceType(distanceType).select(['id']).limit(10).toArrow()).getChild('id')));
    const took = {seconds: seconds(start), added_seconds: added, cpu_seconds: processorSeconds() - cpu};
    await table.optimize();
    for (const name of names)
        await table.prewarmIndex?.(name);
    return {...took, bytes: process.memoryUsage().rss, disk: diskBytes(folder), sweep: sweep(rows.length)};
}

function nearest(i, k, {ef, nprobes, refine}) {
    let query = table.query().nearestTo(set.queries[i]).distanceType(distanceType);
    if (ef)
        query = query.ef(Math.max(ef, k)).nprobes(1);
    if (nprobes)
        query = query.nprobes(nprobes);
    if (refine > 1)
        query = query.refineFactor(refine);
    return query;
}

const asks = {
    dense: (i, {k, ...effort}) => nearest(i, k, effort).select(['id', '_distance']).limit(k),
    text: (i, {k}) => table.query().fullTextSearch(set.queryTexts[i], {columns: ['text']}).select(['id', '_score']).limit(k),
    hybrid: (i, {k, ...effort}) => nearest(i, k, effort).fullTextSearch(set.queryTexts[i], {columns: ['text']})
        .rerank(reranker).select(['id']).limit(k),
    // Both legs are as deep as the limit.
    'hybrid-100': (i, {k, ...effort}) => asks.hybrid(i, {...effort, k: 100}),
};

serve({
    peer: `lancedb-${kind}`, version,
    settings: kind === 'hnsw'
        ? 'IVF_HNSW_SQ with one partition, m 20 (its default), ef_construction as asked, ef and refine_factor swept, index prewarmed, its own threads'
        : 'IVF_PQ with sqrt(rows) partitions, 8 dimensions a sub-vector (4 where 8 does not divide), 8 bits, nprobes and refine_factor swept, index prewarmed',
}, {
    load(request) {
        set = load(request);
        distanceType = request.metric === 'euclid' ? 'l2' : 'cosine';
        return {rows: set.base.length, dims: set.base[0].length, queries: set.queries.length};
    },
    build,
    async search({what = 'dense', ...request}) {
        reranker ??= await lancedb.rerankers.RRFReranker.create(60);
        return search(set.queries.length, request, async (i) => {
            const found = (await asks[what](i, request).toArrow()).getChild('id');
            return found ? Array.from(found.length > request.k ? found.slice(0, request.k) : found) : [];
        });
    },
    quit: () => rmSync(root, {recursive: true, force: true}),
});
