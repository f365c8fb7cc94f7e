#!/usr/bin/env python3
"""Builds a collection of up to a million short texts from Debian's documentation packages, and queries sampled from it.

    corpus.py fetch DIR            downloads the packages below with apt-get and unpacks them (nothing is installed)
    corpus.py build DIR OUT [N]    writes OUT/corpus.jsonl ({"_id","title","text"} a line, at most N, default 1,000,000)
                                   and OUT/queries.jsonl ({"_id","text","kind"} a line)

DIR may also be / where the packages are installed. The same packages give the same files: paths are visited in order, repeated
paragraphs are dropped, and queries are drawn with a fixed seed. Needs nothing but Python's library.
"""
import gzip
import hashlib
import html
import json
import os
import random
import re
import subprocess
import sys

PACKAGES = """linux-doc-6.1 dict-gcide dict-wn dict-foldoc dict-jargon python3.11-doc postgresql-doc-15 openjdk-17-doc perl-doc
libreoffice-help-en-us gimp-help-en erlang-doc sqlite3-doc rust-doc git-doc apache2-doc cppreference-doc-en-html libboost1.74-doc
debian-handbook installation-guide-amd64 debian-reference-en manpages manpages-dev r-doc-html bible-kjv-text fortunes fortunes-min
nodejs-doc octave-doc maxima-doc golang-1.19-doc tcl8.6-doc""".split()
FOLDERS = ["usr/share/dictd", "usr/share/doc", "usr/share/perl", "usr/share/man", "usr/share/games", "usr/share/gimp", "usr/share/libreoffice",
           "usr/share/R", "usr/share/openjdk", "usr/share/cppreference", "usr/share/debian-reference"]
# Manuals in other languages.
FOREIGN = re.compile(r"/(?!en)[a-z]{2}[-_][A-Z]{2}/|/translations/|/man/(?!man)|\.(?!en)[a-z]{2}([-_][a-zA-Z]{2})?\.(html|txt)"
                     r"|/(cs|da|de|el|es|fi|fr|hu|it|ja|ko|nb|nl|nn|pl|pt|ro|ru|sv|tr|uk|vi|zh)/")
BLOCK = re.compile(r"<(?:/?(?:p|li|dd|dt|td|th|div|h[1-6]|tr|table|ul|ol|dl|section|blockquote)|pre|/pre)\b[^>]*>", re.I)
DROP = re.compile(r"<(script|style|head|nav)\b.*?</\1>|<!--.*?-->", re.I | re.S)
TAG = re.compile(r"<[^>]*>")
SPACE = re.compile(r"\s+")
BLANK = re.compile(r"\n\s*\n")
MACRO = re.compile(r"^\.(?:PP|P|LP|TP|IP|SH|SS|Sh|Ss|Pp|It|HP).*$", re.M)
REQUEST = re.compile(r"^\.[A-Za-z]{1,2}\b|^'?\\\".*$", re.M)
ESCAPE = re.compile(r"\\f\(?[A-Z]{1,2}|\\[&|^%,/:]|\\s[-+]?\d")
WORD = re.compile(r"[A-Za-z]{3,20}")
STOP = set("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split())


def fetch(folder):
    debs = os.path.join(folder, "debs")
    os.makedirs(debs, exist_ok=True)
    for package in PACKAGES:
        subprocess.run(["apt-get", "download", package], cwd=debs, check=True, stdout=subprocess.DEVNULL)
    for name in sorted(os.listdir(debs)):
        subprocess.run(["dpkg-deb", "-x", os.path.join(debs, name), folder], check=True)


def read(path):
    with (gzip.open if path.endswith((".gz", ".dz")) else open)(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def dictionary(path):
    """Entries of a dictd dictionary: headword, offset and length in base 64 of dictd's own alphabet."""
    digits = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}

    def number(text):
        value = 0
        for c in text:
            value = value * 64 + digits[c]
        return value

    with gzip.open(path, "rb") as file:
        data = file.read()
    seen = set()
    with open(path[:-len(".dict.dz")] + ".index", encoding="utf-8") as index:
        for line in index:
            word, offset, length = line.rstrip("\n").split("\t")[:3]
            if word.startswith("00database") or offset in seen:
                continue
            seen.add(offset)
            yield data[number(offset):number(offset) + number(length)].decode("utf-8", "replace")


def paragraphs(path):
    name = path[:-3] if path.endswith(".gz") else path
    if path.endswith(".dict.dz"):
        yield from dictionary(path)
    elif name.endswith((".html", ".htm", ".xhtml")):
        for part in BLOCK.split(DROP.sub(" ", read(path))):
            yield html.unescape(TAG.sub("", part))
    elif "/man/" in path and re.search(r"\.[1-9][a-z]*(\.gz)?$", path):
        for part in MACRO.split(read(path)):
            yield ESCAPE.sub("", REQUEST.sub("", part)).replace("\\-", "-")
    elif "/games/fortunes/" in path and "." not in os.path.basename(path):
        yield from re.split(r"^%$", read(path), flags=re.M)
    elif name.endswith((".txt", ".rst", ".pod", ".md", ".text")):
        yield from BLANK.split(read(path))


def texts(root):
    seen = set()
    for folder in FOLDERS:
        for where, folders, files in os.walk(os.path.join(root, folder)):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(where, name)
                if FOREIGN.search(path[len(root):]) or os.path.islink(path) or not os.path.isfile(path):
                    continue
                for part in paragraphs(path):
                    words = SPACE.sub(" ", part).strip()[:4000].split(" ")
                    if len(words) < 8 or sum(1 for word in words if word.isalpha()) * 2 < len(words):
                        continue
                    text = " ".join(words[:300])
                    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
                    if digest not in seen:
                        seen.add(digest)
                        yield text


def sample(lines, out):
    """Queries whose words come from one text each, as those of people who look for it would: 250 of each class."""
    rng = random.Random(20260401)

    def words(least):
        while True:
            found = list(dict.fromkeys(w.lower() for w in WORD.findall(lines[rng.randrange(len(lines))]) if w.lower() not in STOP))
            if len(found) >= least:
                return found

    def write(kind, i, found):
        file.write(json.dumps({"_id": f"{kind}-{i}", "text": " ".join(found), "kind": kind}) + "\n")

    with open(out, "w", encoding="utf-8") as file:
        for i in range(250):
            write("single", i, rng.sample(words(1), 1))
            write("union", i, rng.sample(words(5), 2 + i % 4))
            write("intersection", i, rng.sample(words(3), 2 + i % 2))
            found = words(10)
            write("long", i, rng.sample(found, min(len(found), 10 + i % 11)))


def build(root, out, limit):
    os.makedirs(out, exist_ok=True)
    lines = list(texts(root))
    print(f"{len(lines)} texts", end="")
    if len(lines) > limit:
        lines = [lines[i * len(lines) // limit] for i in range(limit)]
    print(f", {len(lines)} kept, {sum(len(line) for line in lines) / len(lines):.0f} characters each")
    with open(os.path.join(out, "corpus.jsonl"), "w", encoding="utf-8") as file:
        for i, line in enumerate(lines):
            file.write(json.dumps({"_id": str(i), "title": "", "text": line}) + "\n")
    sample(lines, os.path.join(out, "queries.jsonl"))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "fetch":
        fetch(sys.argv[2])
    elif len(sys.argv) in (4, 5) and sys.argv[1] == "build":
        build(sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) == 5 else 1_000_000)
    else:
        sys.exit(__doc__)
