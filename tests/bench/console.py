#!/usr/bin/env python3
"""console.py - the console over a million waiting messages and 10,000 users, beside htop and lnav, in one run.

  tests/bench/console.py [--messages N] [--users N] [--dir DIR]

Prints each figure beside its goal and says what falls short; it judges nothing else. htop and lnav are
measured where they are installed (Debian: htop lnav). Figures of a shared machine move: look at medians.
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "screens"))
from terminal import Terminal  # noqa: E402
from postroom import BUILD, Server  # noqa: E402

ROWS, COLS = 36, 120


class Other(Terminal):
    """Another program on the same kind of terminal; it does not say when it is idle."""

    def __init__(self, *words, cwd):
        self.words = words
        super().__init__("", rows=ROWS, cols=COLS, cwd=cwd)

    def argv(self, *_):
        return shutil.which(self.words[0]), list(self.words)

    def quiet(self, gap_s=0.15, most_s=8):
        """Read until nothing came for so long."""
        end = time.monotonic() + most_s
        while time.monotonic() < end and self.read(gap_s):
            pass
        return self

    def press(self, keys):
        before, began = self.written, time.monotonic_ns()
        self.write(keys)
        self.quiet()
        return self.written - before, max(0, self.last_ns - began) / 1e6


class Report:
    def __init__(self):
        self.short = []

    def put(self, what, value, unit, goal=None, note=""):
        mark = ""
        if goal is not None:
            mark = "ok" if value <= goal else "SHORT"
            if value > goal:
                self.short.append("%s %.1f %s, goal %g" % (what, value, unit, goal))
        print("%-52s %10.1f %-4s %12s  %-5s %s" % (what, value, unit, "" if goal is None else "goal %g" % goal, mark, note))

    def ms(self, what, values, median_goal, worst_goal):
        values = sorted(values)
        self.put(what + ", median of %d" % len(values), values[len(values) // 2], "ms", median_goal)
        self.put(what + ", p99", values[min(len(values) - 1, len(values) * 99 // 100)], "ms", worst_goal)


class Link:
    def __init__(self, server):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(server.socket)
        self.f, self.last = self.s.makefile("rwb"), 0
        self.call("hello", version=1)

    def call(self, name, /, **params):
        self.last += 1
        self.f.write(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": name, "params": params}).encode() + b"\n")
        self.f.flush()
        while True:
            reply = json.loads(self.f.readline())
            if reply.get("id") == self.last:
                if "error" in reply:
                    raise RuntimeError("%s: %s" % (name, reply["error"]))
                return reply["result"]

    def timed(self, name, /, **params):
        began = time.monotonic()
        result = self.call(name, **params)
        return result, (time.monotonic() - began) * 1e3


def server_cpu_s(server):
    total = 0
    for pid in server.pids():
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def rss_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next((int(line.split()[1]) for line in f if line.startswith("RssAnon:")), 0)


def lists(report, server):
    """What the server needs for lists and their pages."""
    link = Link(server)
    pages = []
    for what, order in (("as it stands", {}), ("by size", {"sort": "size"}), ("by sender", {"sort": "sender"}),
                        ("to:@dest7.test", {"filter": "to:@dest7.test"})):
        cpu = server_cpu_s(server)
        opened, ms = link.timed("list.open", method="queue.list", **order)
        report.put("queue, %s: %d rows opened" % (what, opened["total"]), ms, "ms", 1500,
                   "%.0f ms of CPU" % ((server_cpu_s(server) - cpu) * 1e3))
        key = None
        for _ in range(60):
            page, ms = link.timed("list.page", cursor=opened["cursor"], n=100, **({"after": key} if key else {}))
            pages.append(ms)
            key = page["rows"][-1]["key"]
        for part in range(0, 1000000, 50000):
            pages.append(link.timed("list.page", cursor=opened["cursor"], n=100, at_fraction=part)[1])
        held = [r["key"] for r in page["rows"]]
        report.put("a look at %d rows" % len(held), link.timed("list.page", cursor=opened["cursor"], keys=held)[1], "ms", 30)
        link.call("list.close", cursor=opened["cursor"])
    report.ms("a page of 100 rows", pages, 5, 5)
    report.put("a count of a filter", link.timed("list.count", method="queue.list", filter="from:user7")[1], "ms", 1500)
    opened, ms = link.timed("list.open", method="user.list", sort="-name")
    report.put("users, by name: %d rows opened" % opened["total"], ms, "ms", 1500)
    loops = link.call("status")["loops"]
    report.put("longest turn of a loop", loops["longest_turn_us"] / 1e3, "ms", 10)
    worker = max(server.pids(), key=rss_kb)
    report.put("memory of the server beside its map", rss_kb(worker) / 1024, "MB")


def first_paint(server, folder):
    """ms until the first byte, and until data is there; bytes of the first screen."""
    with Terminal(server.socket, rows=ROWS, cols=COLS, cwd=folder) as t:
        first = data = None
        while data is None and time.monotonic_ns() - t.began_ns < 20e9:
            t.read(0.05)
            now = (t.last_ns - t.began_ns) / 1e6
            first = first if first is not None or not t.written else now
            data = now if b"RECENT" in t.seen else None
        t.read(0.2)
        return first, data, t.written


def knock(port, stop):
    """Sessions that come and go: the log and the figures move."""
    while not stop.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                s.recv(200)
                s.sendall(b"QUIT\r\n")
                s.recv(200)
        except OSError:
            pass
        time.sleep(0.01)


def console(report, server, folder):
    paints = [first_paint(server, folder) for _ in range(7)]
    report.put("first frame", sorted(p[0] for p in paints)[3], "ms", 20)
    report.put("first data on screen", sorted(p[1] for p in paints)[3], "ms", 50)
    report.put("first paint", max(p[2] for p in paints), "B", 4096)
    with Terminal(server.socket, rows=ROWS, cols=COLS, cwd=folder) as t:
        t.settle()
        t.read(1.5)
        before, cpu, began = t.written, t.cpu_s(), time.monotonic()
        while time.monotonic() < began + 10:
            t.read(0.5)
        report.put("idle Overview, 10 s, the clock included", t.written - before, "B", 80)
        report.put("CPU of an idle Overview, of a core", (t.cpu_s() - cpu) * 10, "%", 0.2, "in ticks of 0.1 %")
        stop = threading.Event()
        busy = [threading.Thread(target=knock, args=(server.ports["smtp"], stop)) for _ in range(4)]
        for thread in busy:
            thread.start()
        before = t.written
        began = time.monotonic()
        while time.monotonic() < began + 5:
            t.read(0.5)
        report.put("a second of the Overview, everything moving", (t.written - before) / 5, "B", 1024)
        bytes_opened, ms = t.press(b"2")
        report.put("Queue opened, rows on screen", ms, "ms", 1500, "%d B" % bytes_opened)
        moves = [t.press(b"j") for _ in range(100)]
        report.ms("key to last byte of its frame, under load", [m[1] for m in moves], 4, 16)
        report.put("cursor move", sorted(m[0] for m in moves)[50], "B", 400)
        downs = [t.press(b"\x1b[6~") for _ in range(60)]
        report.ms("page down, under load", [d[1] for d in downs], 16, 30)
        report.put("page down", sorted(d[0] for d in downs)[30], "B", 2662)
        report.put("to the last of the list", t.press(b"G")[1], "ms", 30)
        report.put("to the first of the list", t.press(b"g")[1], "ms", 30)
        report.put("* on all rows, the count shown", t.press(b"*")[1], "ms", 200)
        t.press(b"-")
        t.press(b"f")
        typed = [t.press(c.encode()) for c in "to:@dest7.test"]
        report.ms("a letter of a filter", [x[1] for x in typed if x[1] < 5000], 16, 1500)
        report.put("a letter of a filter", sorted(x[0] for x in typed)[len(typed) // 2], "B", 400)
        report.put("the filter taken, rows on screen", t.press(b"\r")[1], "ms", 1500)
        report.put("the filter gone, rows on screen", t.press(b"F")[1], "ms", 1500)
        report.put("Users opened", t.press(b"5")[1], "ms", 1500)
        report.put("memory of the console", t.status_line("VmRSS") / 1024, "MB", 12)
        stop.set()
        for thread in busy:
            thread.join()


def others(report, folder):
    log = os.path.join(folder, "big.log")
    with open(log, "w", encoding="ascii") as f:
        f.writelines("2026-11-22T10:%02d:%02d.%03dZ smtp s%d accepted from=user%d@example.org\n"
                     % (i // 60 % 60, i % 60, i % 1000, i, i % 997) for i in range(1000000))
    for words, move in ((["htop"], b"\x1b[B"), (["lnav", "-q", log], b"k")):
        if not shutil.which(words[0]):
            print("%s is not installed: not measured" % words[0])
            continue
        with Other(*words, cwd=folder) as t:
            while not t.written and time.monotonic_ns() - t.began_ns < 10e9:
                t.read(0.02)
            first = (t.last_ns - t.began_ns) / 1e6
            t.quiet(0.5, 20)
            paint = t.written
            moves = [t.press(move) for _ in range(15)]
            cpu, before, began = t.cpu_s(), t.written, time.monotonic()
            while time.monotonic() < began + 5:
                t.read(0.5)
            report.put("%s: first byte" % words[0], first, "ms")
            report.put("%s: first paint" % words[0], paint, "B")
            report.put("%s: key to last byte, median" % words[0], sorted(m[1] for m in moves)[7], "ms")
            report.put("%s: cursor move" % words[0], sorted(m[0] for m in moves)[7], "B")
            report.put("%s: a second without a key" % words[0], (t.written - before) / 5, "B")
            report.put("%s: CPU without a key, of a core" % words[0], (t.cpu_s() - cpu) * 20, "%")
            report.put("%s: memory" % words[0], t.status_line("VmRSS") / 1024, "MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1000000)
    parser.add_argument("--users", type=int, default=10000)
    parser.add_argument("--dir")
    options = parser.parse_args()
    folder = options.dir or tempfile.mkdtemp(prefix="postroom-console-")
    report = Report()
    try:
        server = Server(folder=os.path.join(folder, "server"), level="info")
        server.start()
        server.add_user("postmaster", "--admin")
        server.stop()
        began = time.monotonic()
        subprocess.run([os.path.join(BUILD, "bench", "fill"), server.store, str(options.messages), str(options.users)], check=True)
        report.put("%d messages and %d users put in" % (options.messages, options.users), time.monotonic() - began, "s")
        server.start()
        try:
            lists(report, server)
            console(report, server, folder)
        finally:
            server.stop()
        others(report, folder)
    finally:
        if not options.dir:
            shutil.rmtree(folder, ignore_errors=True)
    print("falls short of its goal: " + ("; ".join(report.short) if report.short else "nothing"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
