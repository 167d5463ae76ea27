#!/usr/bin/env python3
"""crowd.py - many connections, half of which drip and a third of which are TLS, beside busy clients (H32, H34, H84): TAP.

  POSTROOM_CROWD=10000 tests/clients/crowd.py     the full figure; 1,000 in ./test
"""
import json
import os
import resource
import selectors
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD, Server, equal, figure, tap, true, unverified  # noqa: E402

CROWD = int(os.environ.get("POSTROOM_CROWD", "1000"))
BUSY, MESSAGES = 200, max(10, CROWD // 100)  # clients, and messages of each
DRIP_S = 5.0
USERS = 10
PLAIN_KB, TLS_KB = 8, 50  # H34: 80 MB for 10,000 plain ones, 500 MB for TLS


class Crowd(threading.Thread):
    """Half of the connections send a byte of a NOOP every few seconds and never end the line; the others are still."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ended, self.lost = server, threading.Event(), 0
        self.socks, self.reads = [], selectors.DefaultSelector()

    def open_all(self):
        context = unverified()
        for n in range(CROWD):
            s = socket.create_connection(("127.0.0.1", self.server.ports["submissions" if n % 3 == 0 else "smtp"]), 30)
            if n % 3 == 0:
                s = context.wrap_socket(s)
            true(s.recv(200).startswith(b"220 "), "greeting %d" % n)
            s.setblocking(False)
            self.socks.append(s)

    def drip(self, s, byte):
        try:
            s.send(byte)
        except (ssl.SSLError, OSError):
            self.lost += 1

    def run(self):
        word, turn = b"NOOP " + b"x" * 200, 0
        while not self.ended.wait(DRIP_S):
            for s in self.socks[::2]:
                self.drip(s, word[turn:turn + 1])
            turn += 1

    def close(self):
        self.ended.set()
        self.join(30)
        for s in self.socks:
            s.close()


def memory_kb(pid):
    """Private memory: what is shared with other processes and the mapped store do not count."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Anonymous:"))


def busy(server):
    r = subprocess.run([os.path.join(BUILD, "bench", "load"), "smtp", "-p", str(server.ports["smtp"]), "-c", str(BUSY), "-n",
                        str(BUSY * MESSAGES), "-k", str(MESSAGES), "-s", "4096", "-u", str(USERS), "-t", "120"],
                       capture_output=True, text=True, timeout=180)
    return json.loads(r.stdout)


def slowest_answer_ms(server, during):
    """Of the control socket, asked again and again while DURING runs."""
    slowest = 0.0
    while during.is_alive():
        began = time.time()
        server.json("status")
        slowest = max(slowest, time.time() - began)
        time.sleep(0.1)
    return slowest * 1e3


def test_H32_H34_H84_a_crowd_that_drips_stalls_nobody_SVC_08():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    true(hard > CROWD + 500, "%d descriptors are allowed: too few" % hard)
    server = Server(domain="bench.test", level="warning", services=("smtp", "submissions"),
                    extra="limits: { max_connections: %d }\ntimeouts: { before_login: 10m }\n" % (CROWD + BUSY + 100))
    with server:
        for n in range(USERS):
            server.add_user("u%d" % n)
        pid = [p for p in server.pids() if p != server.process.pid][0]
        before = memory_kb(pid)
        crowd, found = Crowd(server), {}
        began = time.time()
        crowd.open_all()
        opened, used = time.time() - began, memory_kb(pid) - before
        crowd.start()
        time.sleep(DRIP_S + 1)
        worker = threading.Thread(target=lambda: found.update(busy(server)))
        worker.start()
        slowest = slowest_answer_ms(server, worker)
        worker.join()
        equal(found["errors"], 0, "busy clients that failed")
        counted = server.json("status")[0]["sessions"]
        true(sum(v for k, v in counted.items() if k != "control") >= CROWD, "all of them are still there: %s" % counted)
        crowd.close()
        equal(crowd.lost, 0, "connections that were lost")
        figure("a crowd of %d (half drip, a third TLS), opened in %.1f s, %.0f MB; %d busy clients beside it: p50 %.1f ms, p99 %.1f ms "
               "(H84: 250), the control socket's slowest answer %.0f ms"
               % (CROWD, opened, used / 1024, BUSY, found["p50_ms"], found["p99_ms"], slowest))
        allowed = (CROWD * 2 // 3 * PLAIN_KB + CROWD // 3 * TLS_KB)
        true(used < allowed, "%d KB of memory, %d KB are allowed (H34)" % (used, allowed))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
