#!/usr/bin/env python3
"""SQLite's FTS5 behind the protocol of tests/peers/README.md."""
import json
import os
import re
import sqlite3
import sys
import tempfile
import time

# Not indexed by Granary and Lucene; FTS5 has no list of its own, so they are left out of the queries.
STOP = set("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split())
state = {}


def load(request):
    state["corpus"], state["rows"] = request["corpus"], request.get("rows", sys.maxsize)
    with open(request["queries"], encoding="utf-8") as file:
        state["queries"] = [json.loads(line) for line in file]
    return {"queries": len(state["queries"])}


def build(request):
    folder = tempfile.TemporaryDirectory(prefix="fts5-peer")
    began = time.perf_counter()
    base = sqlite3.connect(os.path.join(folder.name, "texts.db"), isolation_level=None)
    base.execute("PRAGMA journal_mode=OFF")
    base.execute("PRAGMA synchronous=OFF")
    base.execute("PRAGMA cache_size=-1000000")
    base.execute("PRAGMA mmap_size=8000000000")
    base.execute("CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='porter unicode61')")
    base.execute("BEGIN")
    rows = 0
    with open(state["corpus"], encoding="utf-8") as file:
        for line in file:
            if rows == state["rows"]:
                break
            row = json.loads(line)
            base.execute("INSERT INTO texts(rowid, body) VALUES (?, ?)", (rows, (row.get("title", "") + " " + row["text"]).strip()))
            rows += 1
    base.execute("COMMIT")
    base.execute("INSERT INTO texts(texts) VALUES ('optimize')")
    state["base"], state["folder"] = base, folder
    size = os.path.getsize(os.path.join(folder.name, "texts.db"))
    return {"seconds": time.perf_counter() - began, "rows": rows, "bytes": size}


def search(request):
    kind, k, passes = request.get("kind"), request["k"], request.get("passes", 1)
    joint = " AND " if request.get("shape") == "must" else " OR "
    chosen = [q["text"] for q in state["queries"] if kind is None or q.get("kind", "") == kind][:request.get("queries", sys.maxsize)]
    times, ids = [float("inf")] * len(chosen), [[]] * len(chosen)
    start = time.perf_counter()
    for _ in range(passes):
        for i, text in enumerate(chosen):
            began = time.perf_counter()
            words = dict.fromkeys(word for word in re.findall(r"\w+", text.lower()) if word not in STOP)
            found = state["base"].execute(
                "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ?",
                (joint.join(f'"{word}"' for word in words), k)).fetchall() if words else []
            times[i] = min(times[i], (time.perf_counter() - began) * 1e6)
            ids[i] = [row[0] for row in found]
    answer = {"queries": len(chosen) * passes, "seconds": time.perf_counter() - start}
    if request.get("times"):
        answer["times_us"] = times
    if request.get("ids"):
        answer["ids"] = ids
    return answer


print(json.dumps({
    "peer": "sqlite-fts5", "version": sqlite3.sqlite_version,
    "settings": "contentless, tokenize='porter unicode61', optimized, memory-mapped with a cache of 1 GB, ORDER BY rank (bm25)",
}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "quit":
        break
    work = {"load": load, "build": build, "search": search}.get(request["op"])
    print(json.dumps(work(request) if work else {"error": "unknown op"}), flush=True)
