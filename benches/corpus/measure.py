#!/usr/bin/env python3
"""Reads `postkamer screen --json` of a generated corpus on stdin; prints recall and precision, whole and by kind, format and language."""
import collections, json, os, sys

groups = collections.defaultdict(collections.Counter)
for line in sys.stdin:
    r = json.loads(line)
    name = os.path.basename(r["file"])
    label, kind, lang, rest = name.split("-", 3)
    found = r["citizen_data"]
    cell = ("hit" if found else "unreadable" if r["outcome"] == "unreadable" else "miss") if label == "yes" else ("false" if found else "unreadable" if r["outcome"] == "unreadable" else "quiet")
    if label == "locked":
        # Nobody can read it: what is not clean is right.
        cell = "locked" if r["outcome"] != "clean" else "miss"
    for group in ("all", f"kind {label}-{kind}", f"format {rest.rsplit('.', 1)[1]}", f"language {lang}"):
        groups[group][cell] += 1
    if cell in ("miss", "false", "unreadable"):
        print(cell, name, r["kinds"], file=sys.stderr)
print(f"{'group':32} {'recall':>7} {'precision':>9} {'false':>7} {'files':>6} {'unreadable':>10}")
for group, c in sorted(groups.items()):
    yes, no = c["hit"] + c["miss"], c["false"] + c["quiet"]
    ratio = lambda a, b: f"{a / b:.3f}" if b else "-"
    print(f"{group:32} {ratio(c['hit'], yes):>7} {ratio(c['hit'], c['hit'] + c['false']):>9} {ratio(c['false'], no):>7} {sum(c.values()):>6} {c['unreadable']:>10}")
