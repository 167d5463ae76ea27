#!/usr/bin/env python3
"""run.py - Postroom beside Postfix+Dovecot on the same disk, in one run; prints ratios beside goals.

  tests/bench/run.py [--quick] [--rounds N] [--dir DIR] [--json FILE]

Needs root and the packages postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd (it says which are missing). Rates of
a shared machine move by two from run to run: trust the ratios of one run, CPU a message and syncs a
message. It judges nothing; the exit status tells only whether everything could be measured.
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
from peer import Postfix, Postroom, postroom  # noqa: E402

LOAD = os.path.join(postroom.BUILD, "bench", "load")
PACKAGES = ("postfix", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd")
LIMIT_S = 120

# size, sessions, messages a session, messages in all, recipients, goal over the peer; the first row
# and the rows of DISK_ROWS are those that the disk goals are about
INGEST = [
    (4096, 50, 20, 1000, 1, 8), (4096, 50, 1, 1000, 1, 6), (4096, 200, 1, 1000, 1, 6), (4096, 1, 200, 200, 1, 3),
    (65536, 10, 50, 500, 1, 5), (1 << 20, 10, 10, 100, 1, 4), (4096, 10, 10, 100, 50, 8),
]
DISK_ROWS = {(4096, 50, 20): 4, (65536, 10, 50): 1.5, (1 << 20, 10, 10): 1.2}


def load(mode, port, *args):
    r = subprocess.run([LOAD, mode, "-p", str(port), "-t", str(LIMIT_S), *map(str, args)], capture_output=True, text=True)
    found = json.loads(r.stdout)
    if found["errors"]:
        print("note: %s on port %d: %d errors: %s" % (mode, port, found["errors"], found["first_error"]), file=sys.stderr)
    return found


def sectors():
    """Written to all whole disks, by the whole machine: hence medians."""
    total = 0
    with open("/proc/diskstats") as f:
        for line in f:
            v = line.split()
            if v[2].startswith(("sd", "vd", "xvd")) and not v[2][-1].isdigit() or v[2].startswith("nvme") and "p" not in v[2]:
                total += int(v[9])
    return total


class Table:
    """rows[measure][peer] = figures; printed as medians."""

    def __init__(self):
        self.rows = {}

    def add(self, measure, peer, value):
        self.rows.setdefault(measure, {}).setdefault(peer.name, []).append(value)

    def median(self, measure, name):
        found = self.rows.get(measure, {}).get(name)
        return statistics.median(found) if found else None

    def ratio(self, title, measure, goal, unit="/s"):
        ours, theirs = self.median(measure, Postroom.name), self.median(measure, Postfix.name)
        if ours is None:
            return
        beside = "%10.1f  %5.2fx" % (theirs, ours / theirs) if theirs else "%10s  %6s" % ("-", "-")
        verdict = "" if not theirs else "reached" if ours / theirs >= goal else "short by %.0f %%" % (100 - 100 * ours / theirs / goal)
        print("%-52s %10.1f %s %s  goal %gx  %s" % (title, ours, unit, beside, goal, verdict))

    def below(self, title, measure, goal, unit):
        ours, theirs = self.median(measure, Postroom.name), self.median(measure, Postfix.name)
        if ours is None:
            return
        beside = "%10.3f" % theirs if theirs is not None else "%10s" % "-"
        verdict = "reached" if ours <= goal else "over by %.0f %%" % (100 * ours / goal - 100)
        print("%-52s %10.3f %s (peer %s)  goal <= %g  %s" % (title, ours, unit, beside, goal, verdict))


def ingest(table, peer, row, tag=""):
    size, sessions, each, total, recipients, _ = row
    copies = total * recipients
    base, store = peer.count(), peer.store_mb()
    os.sync()
    disk, cpu, syncs, began = sectors(), peer.cpu_s(), peer.syncs(), time.time()
    r = load("smtp", peer.smtp, "-c", sessions, "-k", each, "-n", total, "-s", size, "-r", recipients, "-u", 50)
    while peer.count() < base + (copies - r["errors"] * recipients) and time.time() < began + LIMIT_S:
        time.sleep(0.01)
    seconds = min(time.time() - began, LIMIT_S)
    if peer.name == Postroom.name:
        seconds = r["seconds"]  # 250 means: in the mailbox, on disk
    used = peer.cpu_s() - cpu
    os.sync()
    key = "%s %d %d x %d r%d" % (tag, size, sessions, each, recipients)
    table.add(key, peer, copies / seconds)
    table.add(key + " cpu", peer, used * 1e3 / copies)
    table.add(key + " p50", peer, r["p50_ms"])
    table.add(key + " syncs", peer, (peer.syncs() - syncs) / total)
    table.add(key + " disk", peer, (sectors() - disk) * 512 / (size * total))
    table.add(key + " store", peer, (peer.store_mb() - store) * 1e6 / (size * total))
    table.add(key + " memory", peer, peer.memory_mb())


def retrieve(table, peer, count):
    for label, args in (("pop10", ("-c", 10, "-n", 1000)),):
        load("pop", peer.pop, "-c", 10, "-n", 200, "-u", 200)  # logins are remembered from here on
        table.add(label, peer, load("pop", peer.pop, *args, "-u", 200)["rate"])
    for window in (1, 32):
        r = load("retr", peer.pop, "-U", "m10k", "-n", count, "-w", window)
        table.add("retr %d" % window, peer, r["done"] / r["seconds"])


def first_logins(table, peer):
    table.add("pop first", peer, load("pop", peer.pop, "-c", 10, "-n", 100, "-u", 200)["rate"])


def listing(table, peer, user):
    s = socket.create_connection(("127.0.0.1", peer.pop), 60)
    f = s.makefile("rb", 1 << 16)
    f.readline()
    for command in ("USER " + user, "PASS secret", "STAT", "UIDL"):
        began = time.time()
        s.sendall(command.encode() + b"\r\n")
        line = f.readline()
        if command == "UIDL":
            while f.readline() != b".\r\n":
                pass
        if not line.startswith(b"+OK"):
            raise RuntimeError("%s: %r" % (command, line))
        table.add(command.split()[0].lower() + " ms", peer, (time.time() - began) * 1e3)
    s.sendall(b"QUIT\r\n")
    s.close()


def idle(table, peer, count):
    before = peer.memory_mb()
    p = subprocess.Popen([LOAD, "idle", "-p", str(peer.pop), "-c", str(count), "-t", "60"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = p.stdout.readline()
    time.sleep(2)
    table.add("idle", peer, peer.memory_mb() - before)
    p.stdin.close()
    p.wait(30)
    if line and json.loads(line)["errors"]:
        print("note: idle: %s" % line.strip(), file=sys.stderr)


def fill(peer, user, count):
    done = 0
    while done < count:
        part = min(20000, count - done)
        r = load("smtp", peer.smtp, "-U", user, "-c", 50, "-k", part, "-n", part, "-s", 1024)
        done += r["done"]
        if r["errors"]:
            break
    end = time.time() + LIMIT_S
    while peer.name == Postfix.name and time.time() < end and os.listdir(peer.dir + "/queue/active"):
        time.sleep(0.2)


def cold_start(table, peer, how):
    peer.stop(how)
    time.sleep(0.2)
    peer.start()
    table.add("start after " + ("SIGTERM" if how == 15 else "kill -9"), peer, peer.start_s * 1e3)


def measure(options, work):
    table = Table()
    base = 20000 + os.getpid() % 20000
    peers = [Postroom(work + "/postroom", base)] + ([] if options.alone else [Postfix(work + "/postfix", base + 1000)])
    try:
        for peer in peers:
            peer.start()
        peers[0].add_users()
        rows = INGEST[:1] if options.quick else INGEST
        for number in range(options.rounds):
            for row in rows:
                for peer in peers if number % 2 == 0 else peers[::-1]:
                    ingest(table, peer, row)
        if options.part != "ingest" and not options.quick:
            retrieval(table, peers, options)
            slow(table, peers, options)
    finally:
        for peer in peers:
            peer.stop()
    return table


def retrieval(table, peers, options):
    for peer in peers:
        first_logins(table, peer)
        fill(peer, "m10k", 10000)
        fill(peer, "m100k", options.large)
    for number in range(options.rounds):
        for peer in peers if number % 2 == 0 else peers[::-1]:
            retrieve(table, peer, 10000)
            listing(table, peer, "m100k")
    for peer in peers:
        idle(table, peer, 1000)
    for number in range(options.rounds):
        cold_start(table, peers[0], 15)
        cold_start(table, peers[0], 9)


def slow(table, peers, options):
    """The same ingest with 2 ms added to each sync, as on a drive."""
    for peer in peers:
        peer.stop()
        peer.sync_us = 2000
        peer.start()
    for number in range(options.rounds):
        for peer in peers if number % 2 == 0 else peers[::-1]:
            ingest(table, peer, INGEST[0], "slow")


def show(table, options):
    print("%-52s %10s    %10s" % ("measure", "Postroom", "Postfix+Dovecot"))
    for size, sessions, each, total, recipients, goal in INGEST:
        key = " %d %d x %d r%d" % (size, sessions, each, recipients)
        table.ratio("SMTP %d bytes, %d x %d%s" % (size, sessions, each, ", %d recipients, copies" % recipients if recipients > 1 else ""), key, goal)
        if (size, sessions, each) in DISK_ROWS:
            table.below("  disk written / mail", key + " disk", DISK_ROWS[size, sessions, each], "x ")
    key = " 4096 50 x 20 r1"
    table.below("CPU a 4 KB message", key + " cpu", 0.25, "ms")
    table.below("syncs a message at 50 sessions", key + " syncs", 0.2, "  ")
    table.below("store / mail, 4 KB, with traces", key + " store", 1.45, "x ")
    table.below("memory under 50 sessions, mapped pages not counted", key + " memory", 40, "MB")
    table.below("p50 of one session", " 4096 1 x 200 r1 p50", 0.8, "ms")
    table.ratio("SMTP 4 KB, 50 x 20, 2 ms a sync", "slow 4096 50 x 20 r1", 5)
    table.ratio("POP3 login+STAT+QUIT, 10 at a time, remembered", "pop10", 10)
    table.ratio("POP3 login+STAT+QUIT, 10 at a time, first logins", "pop first", 0)
    table.ratio("POP3 RETR one by one", "retr 1", 2)
    table.ratio("POP3 RETR 32 in flight", "retr 32", 3)
    table.below("UIDL of %d" % options.large, "uidl ms", 30, "ms")
    table.below("STAT of %d" % options.large, "stat ms", 1, "ms")
    table.below("login to a mailbox of %d" % options.large, "pass ms", 50, "ms")
    table.below("memory of 1,000 idle POP3 connections", "idle", 12, "MB")
    table.below("cold start with %d messages, SIGTERM" % options.large, "start after SIGTERM", 50, "ms")
    table.below("cold start with %d messages, kill -9" % options.large, "start after kill -9", 50, "ms")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--quick", action="store_true", help="ingest at 50 x 20 only")
    a.add_argument("--part", choices=["all", "ingest"], default="all")
    a.add_argument("--alone", action="store_true", help="without a peer")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--large", type=int, default=100000, help="messages in the large mailbox")
    a.add_argument("--dir", help="where the stores are; the disk that is measured")
    a.add_argument("--json", help="write all figures to this file")
    options = a.parse_args()
    if os.getuid() != 0:
        sys.exit("bench: needs root (mount namespaces and cgroups)")
    missing = [p for p in PACKAGES if subprocess.run(["dpkg-query", "-W", p], capture_output=True).returncode]
    if missing and not options.alone:
        sys.exit("bench: missing packages: %s (apt-get install them, or --alone)" % " ".join(missing))
    subprocess.run(["ninja", "--quiet", "build/bench/load", "build/bench/slowsync.so", "build/postroomd", "build/postroom"],
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
