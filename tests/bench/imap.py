#!/usr/bin/env python3
"""imap.py - Postroom's IMAP beside Dovecot's on the same disk, in one run; prints each figure beside its goal.

  tests/bench/imap.py [--quick] [--sizes 1000 100000] [--rounds N] [--idle 1000 5000] [--alone] [--dir DIR] [--json FILE]

Needs root and the packages dovecot-imapd, dovecot-pop3d and dovecot-lmtpd. Both servers are filled
with the same messages by the same MULTIAPPENDs. A mailbox of 1,000,000 takes minutes to fill. Trust
the ratios of one run. It judges nothing; the exit status tells only whether all could be measured.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer import Dovecot, Postroom, postroom  # noqa: E402

LOAD = os.path.join(postroom.BUILD, "bench", "load_imap")
PACKAGES = ("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd")
LIMIT_S = 300
BATCH = 500  # messages of one MULTIAPPEND
SIZE, LARGE_SIZE = 4096, 1024  # bytes of a message; above 200,000 of them
WORD = "zebrafish"  # in the body of one message in a thousand

# what is asked, and how often the peer's time it is to be at most a part of: the goal over the peer
ASKED = [
    ("FETCH 1:* FLAGS", "FETCH 1:* FLAGS", 1), ("FETCH 1:* ENVELOPE", "FETCH 1:* ENVELOPE", 4),
    ("FETCH 1:* HEADER.FIELDS", "FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]", 1.5),
    ("FETCH 1:* FULL", "FETCH 1:* FULL", 0), ("FETCH 1:* BODY.PEEK[]", "FETCH 1:* BODY.PEEK[]", 4),
    ("SEARCH HEADER SUBJECT", "SEARCH SUBJECT " + WORD, 2), ("SEARCH FROM", "SEARCH FROM sender7@", 2),
    ("SEARCH flags", "SEARCH UNSEEN NOT FLAGGED", 0), ("UID SEARCH ALL", "UID SEARCH ALL", 0),
]
TEXTS = [("SEARCH TEXT", "SEARCH TEXT " + WORD), ("SEARCH BODY", "SEARCH BODY " + WORD)]
CHANGES = [("STORE 1:* +FLAGS", "STORE 1:* +FLAGS.SILENT (\\Answered)"), ("STORE 1:* -FLAGS", "STORE 1:* -FLAGS.SILENT (\\Answered)")]


def load(mode, peer, *args):
    r = subprocess.run([LOAD, mode, "-p", str(peer.imap), "-t", str(LIMIT_S), *map(str, args)], capture_output=True, text=True)
    found = [json.loads(line) for line in r.stdout.strip().split("\n")]
    if found[-1]["errors"]:
        print("note: %s on %s: %d errors: %s" % (mode, peer.name, found[-1]["errors"], found[-1]["first_error"]), file=sys.stderr)
    return found


class Session:
    """Enough of a client to fill mailboxes and to listen."""

    def __init__(self, peer, user):
        self.s = socket.create_connection(("127.0.0.1", peer.imap), LIMIT_S)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.f = self.s.makefile("rb", 1 << 16)
        self.f.readline()
        self.do("LOGIN %s secret" % user)

    def do(self, command):
        self.s.sendall(b"T " + (command.encode() if isinstance(command, str) else command) + b"\r\n")
        found = []
        while True:
            line = self.f.readline()
            if not line or line.startswith(b"T "):
                if not line.startswith(b"T OK"):
                    raise RuntimeError("%r: %r" % (command[:60], line))
                return found
            found.append(line)

    def wait(self, begin):
        while True:
            line = self.f.readline()
            if not line:
                raise RuntimeError("closed")
            if line.startswith(begin):
                return


def message(n, size):
    text = ("From: Sender %d <sender%d@example.org>\r\nTo: someone@bench.test\r\nSubject: message %d%s\r\n"
            "Date: Sat, 21 Nov 2026 10:%02d:%02d +0000\r\nMessage-ID: <%d@example.org>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n" %
            (n % 997, n % 997, n, " of a " + WORD if n % 1000 == 500 else "", n // 60 % 60, n % 60, n))
    if n % 1000 == 7:
        text += "a word that is seldom: %s\r\n" % WORD
    lines = []
    used = len(text)
    while used < size:
        lines.append("%07d quick brown foxes jump over the lazy dog number %05d.\r\n" % (n * 7919 % 9999991, n % 99991))
        used += len(lines[-1])
    return (text + "".join(lines)).encode()


def fill(peer, user, count):
    size = SIZE if count <= 200000 else LARGE_SIZE
    c, began = Session(peer, user), time.time()
    for first in range(0, count, BATCH):
        parts = [b"APPEND INBOX"]
        for n in range(first, min(first + BATCH, count)):
            text = message(n, size)
            parts.append(b" {%d+}\r\n%s" % (len(text), text))
        c.do(b"".join(parts))
    c.s.close()
    print("# %s: %d messages of %d bytes in %.1f s" % (peer.name, count, size, time.time() - began), flush=True)


class Table:
    def __init__(self):
        self.rows = {}

    def add(self, measure, peer, value):
        self.rows.setdefault(measure, {}).setdefault(peer.name, []).append(value)

    def both(self, measure):
        found = self.rows.get(measure, {})
        return [statistics.median(found[p.name]) if p.name in found else None for p in (Postroom, Dovecot)]

    def line(self, measure, unit, ratio=None, limit=None, more_is_better=False):
        """RATIO: times as good as the peer; LIMIT: at most that, or with MORE_IS_BETTER at least."""
        ours, theirs = self.both(measure)
        if ours is None:
            return
        times = None if not theirs or not ours else ours / theirs if more_is_better else theirs / ours
        said = ""
        if ratio:
            said = "goal %gx  %s" % (ratio, "-" if times is None else "reached" if times >= ratio else "SHORT")
        elif limit:
            said = "goal <= %g %s  %s" % (limit, unit, "reached" if ours <= limit else "OVER")
        print("%-46s %12.3f %-4s %12s %8s  %s" % (measure, ours, unit, "-" if theirs is None else "%.3f" % theirs,
                                                 "-" if times is None else "%.2fx" % times, said), flush=True)


def ask(table, peer, user, count, questions, rounds):
    found = load("ask", peer, "-U", user, "-n", rounds, *[q[1] for q in questions])[:-1]
    for row in found:
        name = "%s, %d" % (questions[row["number"]][0], count)
        table.add(name, peer, row["ms"])
        if "PEEK[]" in name:
            table.add(name + " MB/s", peer, row["bytes"] / row["ms"] / 1e3)


def mailbox(table, peer, user, count, options):
    rounds = options.rounds
    load("login", peer, "-U", user, "-n", 20)  # remembered from here on
    found = load("login", peer, "-U", user, "-n", 100)[-1]
    table.add("LOGIN+SELECT p50, %d" % count, peer, found["p50_ms"])
    table.add("LOGIN+SELECT p99, %d" % count, peer, found["p99_ms"])
    first = load("ask", peer, "-U", user, "-n", 1, ASKED[1][1])[0]
    table.add("FETCH 1:* ENVELOPE, the first time, %d" % count, peer, first["ms"])
    asked = ASKED if count <= 200000 else [q for q in ASKED if "ENVELOPE" not in q[0] and "HEADER" not in q[0] and "PEEK" not in q[0]]
    ask(table, peer, user, count, asked, rounds)
    ask(table, peer, user, count, CHANGES, rounds)


def many(table, peer, options):
    for sessions in (1, 10):
        load("login", peer, "-c", 10, "-n", 200, "-u", 50)
        r = load("login", peer, "-c", sessions, "-n", 500, "-u", 50)[-1]
        table.add("LOGIN+SELECT+LOGOUT /s, %d at a time" % sessions, peer, r["rate"])
        r = load("store", peer, "-U", "m1k", "-c", sessions, "-n", 10000, "-m", 1000)[-1]
        table.add("STORE /s, %d sessions" % sessions, peer, r["rate"])
    for sessions, total in ((1, 1000), (10, 4000), (50, 4000)):
        r = load("append", peer, "-U", "m1k", "-F", "Sent", "-c", sessions, "-n", total, "-s", SIZE)[-1]
        table.add("APPEND 4 KB /s, %d sessions" % sessions, peer, r["rate"])
    c = Session(peer, "m1k")
    for name in ("copies",):
        try:
            c.do("CREATE " + name)
        except RuntimeError:
            pass
    c.do("SELECT INBOX")
    began = time.time()
    c.do("COPY 1:1000 copies")
    table.add("COPY of 1,000", peer, (time.time() - began) * 1e3)
    began = time.time()
    for n in range(200):
        c.do("COPY %d copies" % (n + 1))
    table.add("COPY of one, /s", peer, 200 / (time.time() - began))
    c.do("DELETE copies")
    c.s.close()


def notices(table, peer, count):
    """From the 250 (an OK where mail comes by APPEND) to EXISTS at a session that idles."""
    watch, came = Session(peer, "u1"), []
    watch.do("SELECT INBOX")
    watch.s.sendall(b"I IDLE\r\n")
    watch.wait(b"+")
    c = Session(peer, "u1")
    text = message(1, SIZE)
    for _ in range(count):
        c.do(b"APPEND INBOX {%d+}\r\n%s" % (len(text), text))
        began = time.time()
        watch.wait(b"* ")
        came.append((time.time() - began) * 1e3)
        while not select_quiet(watch):
            watch.f.readline()
    came.sort()
    table.add("IDLE notice after the OK, p50", peer, came[len(came) // 2])
    table.add("IDLE notice after the OK, p99", peer, came[len(came) * 99 // 100])


def select_quiet(session):
    """Nothing more is there right now."""
    session.s.setblocking(False)
    try:
        return not session.f.peek(1)
    except BlockingIOError:
        return True
    finally:
        session.s.settimeout(LIMIT_S)


def idle(table, peer, count, users=200):
    before, began = peer.memory_mb(), time.time()
    p = subprocess.Popen([LOAD, "idle", "-p", str(peer.imap), "-c", str(count), "-u", str(users), "-t", "120"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = p.stdout.readline()
    table.add("%d idle: opened" % count, peer, time.time() - began)
    time.sleep(3)
    table.add("%d idle: memory" % count, peer, peer.memory_mb() - before)
    cpu = peer.cpu_s()
    time.sleep(5)
    table.add("%d idle: CPU" % count, peer, (peer.cpu_s() - cpu) / 5 * 100)
    p.stdin.close()
    p.wait(60)
    if not line or json.loads(line)["errors"]:
        print("note: idle on %s: %s" % (peer.name, line.strip()), file=sys.stderr)
    time.sleep(1)


def idle_tls(table, peer, count=500):
    before, held, context = peer.memory_mb(), [], postroom.unverified()
    for n in range(count):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", peer.imaps), 60))
        s.recv(4096)
        s.sendall(b"a LOGIN u%d secret\r\nb SELECT INBOX\r\nc IDLE\r\n" % (n % 200))
        held.append(s)
    for s in held:
        said = b""
        while b"\r\n+" not in said and not said.startswith(b"+"):
            said += s.recv(65536)
    time.sleep(2)
    table.add("idle under TLS, KB each", peer, (peer.memory_mb() - before) * 1024 / count)
    for s in held:
        s.close()


def crowds(table, peers, options):
    peers[0].stop()
    peers[0].start()  # what earlier sessions left is no part of it
    idle_tls(table, peers[0])
    for count in options.idle:
        for peer in peers:
            if count <= 1000 or peer.name == Postroom.name:  # Dovecot: a process for each
                idle(table, peer, count)


def fill_all(peers, sizes):
    for peer in peers:
        peer.fill_fast(True)
        for user, count in sizes.items():
            fill(peer, user, count)
        peer.fill_fast(False)


def measure(options, work):
    table = Table()
    base = 20000 + os.getpid() % 20000
    peers = [Postroom(work + "/postroom", base)] + ([] if options.alone else [Dovecot(work + "/dovecot", base + 1000)])
    names = {1000: "m1k", 10000: "m10k", 100000: "m100k", 1000000: "m1m"}
    try:
        for peer in peers:
            peer.start()
        peers[0].add_users()
        small = min(10000, max(options.sizes))
        set_index(peers[0], "no")
        fill_all(peers, {names[c]: c for c in [*options.sizes, small]})
        if "text" in options.parts:
            for peer in peers:
                ask(table, peer, names[small], small, TEXTS[:1], options.rounds)
        set_index(peers[0], "yes")
        for count in options.sizes if "mailbox" in options.parts else ():
            for peer in peers:
                mailbox(table, peer, names[count], count, options)
        if "text" in options.parts:
            indexed(table, peers, names, max(c for c in options.sizes if c <= 200000), options)
        for peer in peers if "many" in options.parts else ():
            many(table, peer, options)
            notices(table, peer, 200)
        if "idle" in options.parts:
            crowds(table, peers, options)
    finally:
        for peer in peers:
            peer.stop()
    return table


def indexed(table, peers, names, count, options):
    for peer in peers:
        if peer.name == Postroom.name:
            wait_indexed(table, peer)
        ask(table, peer, names[count], count, [(name + ", indexed", text) for name, text in TEXTS], 1 if count > 10000 and peer is not peers[0] else options.rounds)


def set_index(peer, word):
    peer.server.cli("config", "set", "search.index", word)
    peer.stop()
    peer.start()


def wait_indexed(table, peer):
    """Until the index of words has all messages; what it wrote and holds for each."""
    began = time.time()
    while (status := peer.server.json("search", "status")[0])["behind"] and time.time() < began + LIMIT_S:
        time.sleep(0.2)
    table.add("index of words: written, KB a message", peer, status["written"] / 1024 / max(1, status["messages"]))
    table.add("index of words: size, KB a message", peer, status["bytes"] / 1024 / max(1, status["messages"]))


def show(table, options):
    print("%-46s %12s %-4s %12s %8s" % ("measure", "Postroom", "", "Dovecot", "times"))
    for count in options.sizes:
        table.line("LOGIN+SELECT p50, %d" % count, "ms", limit=1 if count <= 100000 else 1.5)
        table.line("LOGIN+SELECT p99, %d" % count, "ms")
        table.line("FETCH 1:* ENVELOPE, the first time, %d" % count, "ms")
        for name, _, goal in ASKED:
            table.line("%s, %d" % (name, count), "ms", ratio=goal if count == 100000 else None)
            table.line("%s, %d MB/s" % (name, count), "", more_is_better=True)
        for name, _ in CHANGES:
            table.line("%s, %d" % (name, count), "ms")
    table.line("SEARCH TEXT, %d" % min(10000, max(options.sizes)), "ms", ratio=8)
    largest = max(c for c in options.sizes if c <= 200000)
    for name, _ in TEXTS:
        table.line("%s, indexed, %d" % (name, largest), "ms", limit=5)
    for what in ("written", "size"):
        table.line("index of words: %s, KB a message" % what, "KB")
    for sessions, goal in ((1, 0.8), (10, 1)):
        table.line("LOGIN+SELECT+LOGOUT /s, %d at a time" % sessions, "/s", more_is_better=True)
        table.line("STORE /s, %d sessions" % sessions, "/s", ratio=goal, more_is_better=True)
    for sessions, goal in ((1, 1.5), (10, 3), (50, 5)):
        table.line("APPEND 4 KB /s, %d sessions" % sessions, "/s", ratio=goal, more_is_better=True)
    table.line("COPY of 1,000", "ms")
    table.line("COPY of one, /s", "/s", more_is_better=True)
    table.line("IDLE notice after the OK, p50", "ms", limit=1)
    table.line("IDLE notice after the OK, p99", "ms", limit=10)
    for count in options.idle:
        table.line("%d idle: opened" % count, "s", limit=3 if count == 5000 else None)
        table.line("%d idle: memory" % count, "MB", limit=60 if count == 5000 else None)
        table.line("%d idle: CPU" % count, "%", limit=0.1 if count == 5000 else None)
    table.line("idle under TLS, KB each", "KB", limit=60)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--quick", action="store_true", help="1,000 and 10,000 messages, 1,000 idle sessions")
    a.add_argument("--sizes", type=int, nargs="+", choices=[1000, 10000, 100000, 1000000], default=[1000, 100000])
    a.add_argument("--idle", type=int, nargs="+", default=[1000, 5000, 10000])
    a.add_argument("--parts", nargs="+", choices=["mailbox", "text", "many", "idle"], default=["mailbox", "text", "many", "idle"])
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--alone", action="store_true", help="without a peer")
    a.add_argument("--dir", help="where the stores are; the disk that is measured")
    a.add_argument("--json", help="write all figures to this file")
    options = a.parse_args()
    if options.quick:
        options.sizes, options.idle = [1000, 10000], [1000]
    if 1000 not in options.sizes:
        options.sizes.insert(0, 1000)  # STORE and COPY work on it
    if os.getuid() != 0:
        sys.exit("bench: needs root (mount namespaces and cgroups)")
    missing = [p for p in PACKAGES if subprocess.run(["dpkg-query", "-W", p], capture_output=True).returncode]
    if missing and not options.alone:
        sys.exit("bench: missing packages: %s (apt-get install them, or --alone)" % " ".join(missing))
    subprocess.run(["ninja", "--quiet", "build/bench/load_imap", "build/bench/slowsync.so", "build/postroomd", "build/postroom"],
                   check=True, cwd=postroom.ROOT)
    work = tempfile.mkdtemp(prefix="postroom-bench-", dir=options.dir)
    os.chmod(work, 0o755)
    try:
        table = measure(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(table, options)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(table.rows, f, indent=1)


if __name__ == "__main__":
    main()
