// LanceDB's full text search behind the protocol of README.md.
import * as lancedb from '@lancedb/lancedb';
import { createReadStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'lancedb-text-peer'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const answer = (value) => process.stdout.write(JSON.stringify(value) + '\n');
let loaded, queries, table;

function load(request) {
  loaded = request;
  queries = readFileSync(request.queries, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return { queries: queries.length };
}

async function build() {
  const began = performance.now();
  const connection = await lancedb.connect(folder);
  let rows = 0;
  let batch = [];
  const flush = async () => {
    if (batch.length === 0) return;
    if (table) await table.add(batch);
    else table = await connection.createTable('texts', batch);
    batch = [];
  };
  for await (const line of createInterface({ input: createReadStream(loaded.corpus), crlfDelay: Infinity })) {
    if (rows >= (loaded.rows ?? Infinity)) break;
    const row = JSON.parse(line);
    batch.push({ id: rows++, text: `${row.title ?? ''} ${row.text}`.trim() });
    if (batch.length === 50_000) await flush();
  }
  await flush();
  await table.optimize();
  await table.createIndex('text', {
    config: lancedb.Index.fts({
      withPosition: false, baseTokenizer: 'simple', language: 'English', stem: true, removeStopWords: true, lowercase: true, asciiFolding: false,
    }),
    waitTimeoutSeconds: 3600,
  });
  return { rows, seconds: (performance.now() - began) / 1000, bytes: size(folder) };
}

const size = (path) => readdirSync(path, { recursive: true })
  .map((name) => statSync(join(path, name))).filter((file) => file.isFile()).reduce((sum, file) => sum + file.size, 0);

// Times are the least of the passes; only the ids come back.
async function search({ k, kind, passes = 1, queries: most = Infinity, shape, times, ids }) {
  const chosen = queries.filter((query) => kind === undefined || (query.kind ?? '') === kind).slice(0, most).map((query) => query.text);
  const least = chosen.map(() => Infinity);
  const found = chosen.map(() => []);
  const began = performance.now();
  for (let pass = 0; pass < passes; pass++) {
    for (let i = 0; i < chosen.length; i++) {
      const start = performance.now();
      const query = new lancedb.MatchQuery(chosen[i], 'text', shape === 'must' ? { operator: lancedb.Operator.And } : {});
      const rows = await table.query().fullTextSearch(query).select(['id', '_score']).limit(k).toArrow();
      least[i] = Math.min(least[i], (performance.now() - start) * 1000);
      found[i] = Array.from(rows.getChild('id') ?? [], Number);
    }
  }
  const result = { queries: chosen.length * passes, seconds: (performance.now() - began) / 1000 };
  if (times) result.times_us = least;
  if (ids) result.ids = found;
  return result;
}

answer({
  peer: 'lancedb-text',
  version: JSON.parse(readFileSync(new URL('node_modules/@lancedb/lancedb/package.json', import.meta.url))).version,
  settings: 'FTS index without positions, simple tokenizer, English stemmer and stop words, one fragment set, all rows indexed; its default threads',
});
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.op === 'quit') break;
  try {
    if (request.op === 'load') answer(load(request));
    else if (request.op === 'build') answer(await build());
    else if (request.op === 'search') answer(await search(request));
    else answer({ error: 'unknown op' });
  } catch (error) {
    answer({ error: String(error.message ?? error) });
  }
}
process.exit(0);
