#!/usr/bin/env python3
"""docs.py - what the tree says about itself is true: TAP.

Pages exist, links between them lead somewhere, catalogue IDs named in tests exist, and no text of
the tree holds what does not belong in it.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys

PAGES = ["README.md"] + ["docs/%s.md" % p for p in (
    "architecture", "console", "queue-states", "store-schema", "settings", "control-protocol", "decisions",
    "rfc", "operators", "collecting", "requirements")]
FORBIDDEN_CALLS = re.compile(r"\b(strcpy|strcat|sprintf|gets|system|popen|alloca|atoi|strtok)\(")
WEAK_FLAGS = re.compile(r"MDB_(NOSYNC|NOMETASYNC|MAPASYNC|WRITEMAP)")
WALLS = [
    ("proto", r'#include *[<"](sys/socket|lmdb|ev|ncurses|yaml|mbedtls/|store/|conf/|server/|tui/)'),
    ("store", r'#include *[<"](ev|ncurses|yaml|mbedtls/|conf/|server/|tui/)'),
    ("conf", r'#include *[<"](ev|ncurses|lmdb|mbedtls/|store/|server/|tui/)'),
    ("tui", r'#include *[<"](ev|lmdb|yaml|mbedtls/|store/|conf/|server/)'),
]
count = 0
bad = 0


def check(name, faults):
    global count, bad
    count += 1
    bad += bool(faults)
    print("%s %d - %s" % ("not ok" if faults else "ok", count, name))
    for fault in faults[:10]:
        print("#   " + fault)


def tree():
    """All files of the tree but what is built or run, by git where there is one."""
    if os.path.isdir(".git") and shutil.which("git"):
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    else:
        listed = [os.path.relpath(os.path.join(folder, name)) for folder, _, names in os.walk(".") for name in names]
        listed = [f for f in listed if f.split("/")[0] not in ("build", "var", ".git")]
    return [f for f in listed if f and os.path.isfile(f)]


def tracked(*patterns):
    found = [f for f in TREE if any(fnmatch.fnmatch(f, p) for p in patterns)]
    if not found:
        raise RuntimeError("no file is like %s" % (patterns,))
    return found


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def lines_with(paths, pattern):
    return ["%s:%d: %s" % (p, n, line.strip()) for p in paths
            for n, line in enumerate(read(p).split("\n"), 1) if re.search(pattern, line)]


def links():
    faults = []
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(page)):
            if not os.path.exists(os.path.join(os.path.dirname(page), target)):
                faults.append("%s links to %s, which is not there" % (page, target))
    return faults


def unknown_ids():
    known = set(re.findall(r"\*\*([A-Z]+-\d+)\*\*", read("docs/requirements.md")))
    areas = {k.split("-")[0] for k in known}
    faults = []
    for path in tracked("tests/*"):
        for found in re.findall(r"\b([A-Z]{3,4}-\d\d)\b", read(path)):
            if found.split("-")[0] in areas and found not in known:
                faults.append("%s names %s, which the catalogue does not have" % (path, found))
    return faults


def too_long():
    return ["%s has %d lines" % (p, read(p).count("\n")) for p in tracked("*.c", "*.h")
            if not p.startswith("tests/") and read(p).count("\n") > 500]


TREE = tree()
product = [p for p in tracked("*.c", "*.h") if not p.startswith("tests/")]
check("every page is there", [p for p in PAGES if not os.path.exists(p)])
check("links lead somewhere", links())
check("tests name only IDs that exist", unknown_ids())
check("no unbounded or unsafe call", lines_with(product, FORBIDDEN_CALLS))
check("H41 weak database flags occur nowhere", lines_with(product, WEAK_FLAGS))
check("no file above 500 lines", too_long())
for folder, pattern in WALLS:
    check("no include through a wall of %s/" % folder,
          lines_with(tracked(folder + "/*.c", folder + "/*.h"), pattern) and
          [l for l in lines_with(tracked(folder + "/*.c", folder + "/*.h"), pattern)
           if not re.match(r"(store/(store|commit|lmdb_txn)\.[ch]|conf/yaml_events\.c|tui/term_curses\.c):", l)])
sys.exit(1 if bad else 0)
