#!/usr/bin/env python3
"""prune.py - what a delivery waits for while the server prunes a large mailbox.

  tests/bench/prune.py [--messages 500000] [--senders 4]

Fills one mailbox, then sends small messages to another by SMTP all the time: first alone, then while every
second message of the large one is pruned (holes all over it), then while all the rest is. Prints how long a
message took from its final dot to 250, in ms: median, p99, the longest. The goal is that pruning adds no wait
of 50 ms; that there is such a disk beneath is seen in the first line. It judges nothing.
"""
import argparse
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD, Server  # noqa: E402

MAIL = "From: bo@far.test\r\nTo: bert@example.test\r\nSubject: small\r\n\r\nhello\r\n"
FILL_S = 600


class Senders:
    """They send one message after the other until told to stop."""

    def __init__(self, server, count):
        self.server, self.times, self.stop = server, [], False
        self.threads = [threading.Thread(target=self.send) for _ in range(count)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for t in self.threads:
            t.join()

    def send(self):
        with self.server.smtp() as c:
            c.ehlo()
            while not self.stop:
                c.mail("bo@far.test")
                c.rcpt("bert@example.test")
                c.putcmd("data")
                c.getreply()
                began = time.perf_counter()
                c.send(MAIL.encode() + b".\r\n")
                code = c.getreply()[0]
                if code != 250:
                    raise RuntimeError("a delivery got %d" % code)
                self.times.append((time.perf_counter() - began) * 1000)
                time.sleep(0.005)


def told(what, seconds, senders):
    times = sorted(senders.times)
    print("%-34s %6.1f s, %6d deliveries: median %5.1f  p99 %6.1f  longest %6.1f ms" % (
        what, seconds, len(times), times[len(times) // 2], times[len(times) * 99 // 100], times[-1]), flush=True)


def pruned(server, senders, what, *rule):
    server.cli("rule", "prune", "add", *rule)
    with Senders(server, senders) as s:
        began = time.monotonic()
        count = server.json("rule", "prune", "run")[0]["done"]
        seconds = time.monotonic() - began
    told("%s: %d messages" % (what, count), seconds, s)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--messages", type=int, default=500000)
    p.add_argument("--senders", type=int, default=4)
    options = p.parse_args()
    server = Server(level="info", extra="search: { index: no }\n")
    try:
        server.start()
        server.add_user("postmaster", "--admin")
        server.add_user("bert")
        server.stop()
        fill = [os.path.join(BUILD, "bench", "fill"), server.store, "0", "1", str(options.messages)]
        subprocess.run(fill, check=True, timeout=FILL_S)
        server.start()
        with Senders(server, options.senders) as s:
            time.sleep(5)
        told("nothing is pruned", 5, s)
        pruned(server, options.senders, "every second one", "age=0", "read=read")
        pruned(server, options.senders, "all the rest", "age=0", "read=unread")
    finally:
        server.stop()
        server.clean()


if __name__ == "__main__":
    sys.exit(main())
