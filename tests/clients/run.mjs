// Drives one version of Qdrant's JavaScript client against a server: node run.mjs URL qdrant-118|qdrant-119 [api-key]
// It covers what the client's own integration test covers, and more. Prints a line a test; exits 1 when one failed.
import assert from 'node:assert/strict';

const [url, module, apiKey] = process.argv.slice(2);
const {QdrantClient} = await import(module);
const client = new QdrantClient({url, apiKey, checkCompatibility: true});
const name = `js_${module.replace('-', '_')}`;
const alias = `${name}_alias`;
const largest = Number.MAX_SAFE_INTEGER;
const uuid = '98a9a4b1-4ef2-46fb-8315-a97d874fe1d7';
const tests = [];
const test = (title, run) => tests.push({title, run});
const old = typeof client.search === 'function';

const completed = (result) => {
    assert.equal(typeof result.operation_id, 'number');
    assert.equal(result.status, 'completed');
};
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-5, `${actual} is not ${expected}`);
const rejects = async (promise, status, text) => {
    const error = await promise.then(() => assert.fail('was accepted'), (e) => e);
    const body = JSON.stringify(error.data ?? error.message);
    assert.equal(error.status, status, body);
    assert.ok(body.includes(text), body);
};
const points = [
    {id: 1, vector: [0.05, 0.61, 0.76, 0.74], payload: {city: 'Berlin', country: 'Germany', count: 1000000, square: 12.5, coords: {lat: 1.0, lon: 2.0}}},
    {id: 2, vector: [0.19, 0.81, 0.75, 0.11], payload: {city: ['Berlin', 'London']}},
    {id: 3, vector: [0.36, 0.55, 0.47, 0.94], payload: {city: ['Berlin', 'Moscow']}},
    {id: 4, vector: [0.18, 0.01, 0.85, 0.8], payload: {city: ['London', 'Moscow']}},
    {id: largest, vector: [0.19, 0.81, 0.75, 0.11]},
    {id: uuid, vector: [0.24, 0.18, 0.22, 0.44], payload: {count: [0]}},
    {id: 'f0e09527-b096-42a8-94e9-ea94d342b925', vector: [0.35, 0.08, 0.11, 0.44]},
];
const london = {should: [{key: 'city', match: {value: 'London'}}]};

test('telemetry names the server and its version', async () => {
    const {data} = await client.api().telemetry({});
    assert.equal(data.status, 'ok');
    assert.equal(typeof data.time, 'number');
    assert.equal(data.result.app.name, 'qdrant');
    assert.match(data.result.app.version, /^\d+\.\d+\.\d+/);
});
test('the version is told', async () => assert.match((await client.versionInfo()).version, /^\d+\.\d+\.\d+/));
test('deleting what is not there is no error', async () => assert.equal(typeof (await client.deleteCollection(name)), 'boolean'));
test('a collection is created', async () =>
    assert.equal(await client.createCollection(name, {vectors: {size: 4, distance: 'Dot'}, optimizers_config: {default_segment_number: 2}, replication_factor: 2}), true));
test('it is created once', () => rejects(client.createCollection(name, {vectors: {size: 4, distance: 'Dot'}}), 409, 'already exists'));
test('it is listed', async () => assert.ok((await client.getCollections()).collections.some((c) => c.name === name)));
test('it exists', async () => {
    assert.deepEqual(await client.collectionExists(name), {exists: true});
    assert.deepEqual(await client.collectionExists('no_such_collection'), {exists: false});
});
test('aliases are made, listed, renamed', async () => {
    assert.equal(await client.updateCollectionAliases({actions: [{create_alias: {alias_name: `${alias}_0`, collection_name: name}}]}), true);
    assert.equal(await client.updateCollectionAliases({actions: [{rename_alias: {old_alias_name: `${alias}_0`, new_alias_name: alias}}]}), true);
    assert.deepEqual(await client.getCollectionAliases(name), {aliases: [{alias_name: alias, collection_name: name}]});
    assert.ok((await client.getAliases()).aliases.some((a) => a.alias_name === alias));
});
test('payload indexes are made', async () => {
    for (const [field_name, field_schema] of [['city', 'keyword'], ['count', 'integer']]) {
        const result = await client.createPayloadIndex(name, {field_name, field_schema});
        assert.equal(typeof result.operation_id, 'number');
        assert.equal(result.status, 'acknowledged');
    }
    completed(await client.createPayloadIndex(name, {field_name: 'coords', field_schema: 'geo', wait: true}));
    completed(await client.createPayloadIndex(name, {field_name: 'square', field_schema: 'float', wait: true}));
    assert.equal((await client.getCollection(name)).payload_schema.city.data_type, 'keyword');
    completed(await client.deletePayloadIndex(name, 'square', {wait: true}));
    assert.equal((await client.getCollection(name)).payload_schema.square, undefined);
});
test('points are inserted', async () => completed(await client.upsert(name, {wait: true, points})));
test('a point is read by number and by UUID', async () => {
    const two = (await client.api().getPoint({collection_name: name, id: 2})).data.result;
    assert.deepEqual(two.payload, {city: ['Berlin', 'London']});
    assert.deepEqual(two.vector, [0.19, 0.81, 0.75, 0.11]);
    assert.deepEqual((await client.api().getPoint({collection_name: name, id: uuid})).data.result.payload, {count: [0]});
    await rejects(client.api().getPoint({collection_name: name, id: 12345}), 404, 'Not found');
});
test('points are retrieved', async () => {
    assert.equal((await client.retrieve(name, {ids: [1, 2]})).length, 2);
    const [point] = await client.retrieve(name, {ids: [largest], with_payload: false, with_vector: true});
    assert.equal(point.id, largest);
    assert.equal(point.vector.length, 4);
});
test('ids beyond a double keep every digit', async () => {
    const body = '{"points":[{"id":9007199254740993,"vector":[0.19,0.81,0.75,0.11]}]}';
    const headers = {'content-type': 'application/json', ...(apiKey ? {'api-key': apiKey} : {})};
    assert.ok((await fetch(`${url}/collections/${name}/points?wait=true`, {method: 'PUT', body, headers})).ok);
    assert.match(await (await fetch(`${url}/collections/${name}/points/9007199254740993`, {headers})).text(), /"id":9007199254740993,/);
    await client.delete(name, {wait: true, filter: {must_not: [{has_id: points.map((p) => p.id)}]}});
});
test('all points are counted', async () => assert.equal((await client.getCollection(name)).points_count, points.length));
test('an upsert may have a timeout', async () => completed(await client.upsert(name, {wait: true, timeout: 10, points: [{...points[0], id: 5}]})));
test('an upsert may come by columns', async () =>
    completed(await client.upsert(name, {wait: true, batch: {ids: [5], vectors: [points[0].vector], payloads: [points[0].payload]}})));
if (old) {
    test('search', async () => {
        const hits = await client.search(name, {vector: [0.2, 0.1, 0.9, 0.7], limit: 3});
        assert.equal(hits.length, 3);
        near(hits[0].score, 1.362);
    });
    test('search with a filter', async () => assert.equal((await client.search(name, {filter: london, vector: [0.2, 0.1, 0.9, 0.7], limit: 3})).length, 2));
    test('search in a batch', async () => {
        const one = {vector: [0.2, 0.1, 0.9, 0.7], limit: 3, with_payload: true};
        const lists = await client.searchBatch(name, {searches: [one, one]});
        assert.equal(lists.length, 2);
        assert.deepEqual(lists[0], lists[1]);
    });
    test('recommend, discover and their batches', async () => {
        assert.equal((await client.recommend(name, {positive: [1], negative: [2], limit: 2})).length, 2);
        assert.equal((await client.recommendBatch(name, {searches: [{positive: [1], limit: 2}]})).length, 1);
        assert.equal((await client.discoverPoints(name, {target: 1, context: [{positive: 2, negative: 3}], limit: 2})).length, 2);
    });
    test('search by groups', async () =>
        assert.ok((await client.searchPointGroups(name, {vector: [0.2, 0.1, 0.9, 0.7], group_by: 'city', group_size: 2, limit: 3})).groups.length > 1));
}
test('query', async () => {
    const result = await client.query(name, {query: {nearest: [0.2, 0.1, 0.9, 0.7]}, limit: 3, filter: london, with_payload: true, with_vector: true});
    assert.equal(result.points.length, 2);
    assert.deepEqual(result.points[0].vector.length, 4);
});
test('query by a point leaves that point out', async () =>
    assert.ok(!(await client.query(name, {query: 1, limit: 20})).points.some((p) => p.id === 1)));
test('query with a formula', async () => {
    await client.upsert(name, {wait: true, points: ['h1', 'p', 'li'].map((tag, i) => ({id: 100 + i, vector: [0.4, 0.6, 0.3, 0.7], payload: {tag}}))});
    const boost = (factor, any) => ({mult: [factor, {key: 'tag', match: {any}}]});
    const result = await client.query(name, {
        prefetch: {query: [0.2, 0.8, 0.1, 0.9], limit: 50},
        query: {formula: {sum: ['$score', boost(0.5, ['h1', 'h2', 'h3', 'h4']), boost(0.25, ['p', 'li'])]}},
    });
    const score = (tagged) => result.points.find((p) => p.id === tagged).score;
    near(score(100) - score(101), 0.25);
    near(score(101), score(102));
    await client.delete(name, {wait: true, points: [100, 101, 102]});
});
test('queries in a batch', async () => {
    const result = await client.queryBatch(name, {searches: [{query: {nearest: [0.2, 0.1, 0.9, 0.7]}, limit: 3, filter: london}]});
    assert.equal(result[0].points.length, 2);
});
test('fusion of two prefetches', async () => {
    const prefetch = [{query: [0.2, 0.1, 0.9, 0.7], limit: 5}, {query: [0.9, 0.1, 0.1, 0.1], limit: 5}];
    const result = await client.query(name, {prefetch, query: {fusion: 'rrf'}, limit: 5});
    assert.ok(result.points.length > 0 && result.points[0].score <= 1);
});
test('query by groups', async () => {
    const {groups} = await client.queryGroups(name, {query: [0.2, 0.1, 0.9, 0.7], group_by: 'city', group_size: 2, limit: 3});
    assert.deepEqual(groups.map((g) => g.id).sort(), ['Berlin', 'London', 'Moscow']);
});
test('scroll goes through all points', async () => {
    const seen = [];
    let offset;
    do {
        const page = await client.scroll(name, {limit: 3, offset, with_payload: false});
        seen.push(...page.points.map((p) => p.id));
        offset = page.next_page_offset;
    } while (offset !== null && offset !== undefined);
    assert.equal(new Set(seen).size, points.length + 1);
});
test('scroll in the order of a field', async () => {
    const page = await client.scroll(name, {order_by: {key: 'count', direction: 'desc'}, limit: 10});
    assert.deepEqual(page.points.map((p) => p.payload.count), [1000000, 1000000, [0]]);
});
test('count and facet', async () => {
    assert.equal((await client.count(name, {filter: london, exact: true})).count, 2);
    const {hits} = await client.facet(name, {key: 'city', exact: true});
    assert.deepEqual(hits[0], {value: 'Berlin', count: 4});
});
test('payload is set, overwritten, deleted, cleared', async () => {
    const payload = async () => (await client.retrieve(name, {ids: [4]}))[0].payload;
    completed(await client.setPayload(name, {wait: true, payload: {a: 1, b: {c: 2}}, points: [4]}));
    assert.deepEqual(await payload(), {city: ['London', 'Moscow'], a: 1, b: {c: 2}});
    completed(await client.setPayload(name, {wait: true, payload: {d: 3}, key: 'b', points: [4]}));
    assert.deepEqual((await payload()).b, {c: 2, d: 3});
    completed(await client.deletePayload(name, {wait: true, keys: ['a', 'b.c'], points: [4]}));
    assert.deepEqual(await payload(), {city: ['London', 'Moscow'], b: {d: 3}});
    completed(await client.overwritePayload(name, {wait: true, payload: {only: true}, points: [4]}));
    assert.deepEqual(await payload(), {only: true});
    completed(await client.clearPayload(name, {wait: true, points: [4]}));
    assert.deepEqual(await payload(), {});
});
test('vectors are replaced', async () => {
    completed(await client.updateVectors(name, {wait: true, points: [{id: 4, vector: [1, 0, 0, 0]}]}));
    assert.deepEqual((await client.retrieve(name, {ids: [4], with_vector: true}))[0].vector, [1, 0, 0, 0]);
});
test('a batch of changes', async () => {
    const results = await client.batchUpdate(name, {
        wait: true,
        operations: [{upsert: {points: [{id: 7, vector: [1, 1, 1, 1]}]}}, {set_payload: {payload: {x: 1}, points: [7]}}, {delete: {points: [5]}}],
    });
    assert.equal(results.length, 3);
    results.forEach(completed);
    assert.deepEqual((await client.retrieve(name, {ids: [7]}))[0].payload, {x: 1});
    assert.equal((await client.retrieve(name, {ids: [5]})).length, 0);
});
test('settings are changed', async () => {
    assert.equal(await client.updateCollection(name, {optimizers_config: {indexing_threshold: 12345}}), true);
    assert.equal((await client.getCollection(name)).config.optimizer_config.indexing_threshold, 12345);
});
test('wrong input is refused', async () => {
    await rejects(client.upsert(name, {points: [{id: 8, vector: [1, 2, 3]}]}), 400, 'Vector dimension error: expected dim: 4, got 3');
    await rejects(client.query('no_such_collection', {query: [1, 2, 3, 4]}), 404, "Collection `no_such_collection` doesn't exist!");
    await rejects(client.query(name, {query: [1, 2, 3, 4], limit: 0}), 422, 'limit: value 0 invalid, must be 1 or larger');
    await rejects(client.upsert(name, {points: [{id: -1, vector: [1, 2, 3, 4]}]}), 400, 'not a valid point ID');
});
test('named dense and sparse vectors', async () => {
    const named = `${name}_named`;
    await client.deleteCollection(named);
    await client.createCollection(named, {vectors: {a: {size: 2, distance: 'Cosine'}}, sparse_vectors: {s: {modifier: 'idf'}}});
    completed(await client.upsert(named, {wait: true, points: [
        {id: 1, vector: {a: [3, 4], s: {indices: [7, 3], values: [1, 2]}}},
        {id: 2, vector: {s: {text: 'hybrid search in a database', model: 'qdrant/bm25'}}},
    ]}));
    const [one] = await client.retrieve(named, {ids: [1], with_vector: true});
    near(one.vector.a[0], 0.6);
    assert.deepEqual(one.vector.s, {indices: [3, 7], values: [2, 1]});
    assert.equal((await client.query(named, {query: {indices: [3], values: [1]}, using: 's'})).points[0].id, 1);
    assert.equal((await client.query(named, {query: {text: 'databases', model: 'qdrant/bm25'}, using: 's'})).points[0].id, 2);
    completed(await client.deleteVectors(named, {wait: true, points: [1], vector: ['s']}));
    assert.deepEqual(Object.keys((await client.retrieve(named, {ids: [1], with_vector: true}))[0].vector), ['a']);
    assert.equal(await client.deleteCollection(named), true);
});
test('the alias stands for the collection', async () => assert.equal((await client.count(alias)).count, (await client.count(name)).count));
test('the collection is deleted, with its alias', async () => {
    assert.equal(await client.deleteCollection(name), true);
    assert.deepEqual(await client.collectionExists(alias), {exists: false});
});

let failed = 0;
for (const {title, run} of tests) {
    try {
        await run();
        console.log(`ok ${title}`);
    } catch (error) {
        failed++;
        console.log(`FAILED ${title}: ${error.stack}\n${JSON.stringify(error.data ?? '')}`);
    }
}
console.log(`${module}: ${tests.length - failed} of ${tests.length} passed`);
process.exit(failed ? 1 : 0);
