#!/usr/bin/env python3
"""Makes the sample collection: readable descriptions of Debian packages, varied over the archive's sections.

usage: make_sample.py CORPUS.jsonl OUT.jsonl.gz [--count 5000]

CORPUS holds one object a line: {"_id": package, "text": long description, "meta": {section, priority, installed_kb, maintainer,
version, tags}}, as joined from a Debian archive's Packages and Translation-en indexes. The choice is a function of the input alone:
within a section packages are taken in the order of the SHA-1 of their name, sections in turns, until there are enough.
"""
import argparse
import gzip
import hashlib
import json
import re

BOILERPLATE = re.compile(
    r"packaged by debcargo|feature \"|dummy package|transitional|debugging symbols|profiling librar|compiled for profiling"
    r"|^this package (contains|provides|includes|installs) (the )?(source|documentation|development|header|static|api|debug|shared|library)"
    r"|^this (is a )?meta-?package", re.IGNORECASE)
NAMES = re.compile(r"^librust-|^libghc-.*-(prof|doc)$|-dbgsym$|^golang-.*-dev$|-dbg$|^task-")


def readable(package, text):
    if NAMES.search(package) or BOILERPLATE.search(text) or not 160 <= len(text) <= 1600:
        return False
    return sum(c.isalpha() or c.isspace() for c in text) >= 0.86 * len(text)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("corpus")
    arguments.add_argument("out")
    arguments.add_argument("--count", type=int, default=5000)
    options = arguments.parse_args()

    sections, seen = {}, set()
    with open(options.corpus, encoding="utf-8") as lines:
        for line in lines:
            package = json.loads(line)
            text = " ".join(package["text"].split())
            opening = text[:120].lower()
            if not readable(package["_id"], text) or opening in seen:
                continue
            seen.add(opening)
            meta = package["meta"]
            sections.setdefault(meta["section"], []).append({
                "name": package["_id"], "section": meta["section"], "priority": meta["priority"], "installed_kb": meta["installed_kb"],
                "maintainer": meta["maintainer"], "version": meta["version"], "tags": meta["tags"], "text": text})

    for packages in sections.values():
        packages.sort(key=lambda p: hashlib.sha1(p["name"].encode()).hexdigest())
    chosen, turn = [], 0
    while len(chosen) < options.count and any(len(p) > turn for p in sections.values()):
        chosen += [packages[turn] for _, packages in sorted(sections.items()) if len(packages) > turn]
        turn += 1
    chosen = sorted(chosen[:options.count], key=lambda p: p["name"])
    body = "".join(json.dumps(p, ensure_ascii=False, separators=(",", ":")) + "\n" for p in chosen)
    with open(options.out, "wb") as out:
        out.write(gzip.compress(body.encode(), 9, mtime=0))
    print(f"{len(chosen)} packages of {len(sections)} sections")


main()
