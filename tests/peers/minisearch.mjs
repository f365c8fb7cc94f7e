// MiniSearch behind the text protocol of README.md.
import MiniSearch from 'minisearch';
import {createReadStream, readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {processorSeconds, searchTexts, seconds, serve} from './driver.mjs';

const STOP = new Set(('a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to '
    + 'was will with').split(' '));
let loaded, queries, index;

async function build() {
    index = undefined;
    const before = process.memoryUsage().rss;
    const cpu = processorSeconds();
    const start = performance.now();
    index = new MiniSearch({
        fields: ['text'],
        processTerm: (term) => {
            const lower = term.toLowerCase();
            return STOP.has(lower) ? null : lower;
        },
        searchOptions: {prefix: false, fuzzy: false, bm25: {k: 1.2, b: 0.75, d: 0}},
    });
    let rows = 0;
    for await (const line of createInterface({input: createReadStream(loaded.corpus), crlfDelay: Infinity})) {
        if (rows >= (loaded.rows ?? Infinity))
            break;
        const row = JSON.parse(line);
        index.add({id: rows++, text: `${row.title ?? ''} ${row.text}`});
    }
    return {rows, seconds: seconds(start), cpu_seconds: processorSeconds() - cpu, bytes: process.memoryUsage().rss - before};
}

/** It scores and sorts all that match; there is no way to ask for the best alone. */
const search = (request) => searchTexts(queries, request, (text, must, k) =>
    index.search(text, {combineWith: must ? 'AND' : 'OR'}).slice(0, k).map((hit) => hit.id));

serve({
    peer: 'minisearch', version: JSON.parse(readFileSync(new URL('node_modules/minisearch/package.json', import.meta.url))).version,
    settings: 'in memory, BM25 k 1.2, b 0.75, d 0, 33 stop words, no stemmer (it has none), neither prefixes nor fuzzy matches',
}, {
    load(request) {
        loaded = request;
        queries = readFileSync(request.queries, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
        return {queries: queries.length};
    },
    build,
    search,
});
