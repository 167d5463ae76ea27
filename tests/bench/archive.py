#!/usr/bin/env python3
"""archive.py - figures of a large archive: search, first row, export, verify, growth of the store (ARC-02).

    tests/bench/archive.py [messages]        1,000,000 where nothing is said; takes some minutes and about 5 GB
"""
import json
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness")]
from postroom import BUILD, Server  # noqa: E402


class Link:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.id = 0

    def call(self, method, **params):
        self.id += 1
        self.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).encode() + b"\n")
        while True:
            reply = json.loads(self.file.readline())
            if reply.get("id") == self.id:
                return reply["result"]


def timed(f):
    start = time.monotonic()
    result = f()
    return time.monotonic() - start, result


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    server = Server(extra="archive: { on: yes }\nlimits: { message_size: 50MB }\n", level="info")
    server.start()
    server.stop()
    data = os.path.join(server.store, "data.mdb")
    before = os.stat(data).st_blocks * 512
    seconds, out = timed(lambda: subprocess.run([os.path.join(BUILD, "bench", "archive_fill"), server.store, str(count)],
                                                capture_output=True, text=True, check=True).stdout)
    words = out.split()
    growth = (os.stat(data).st_blocks * 512 - before) / count
    size = int(words[3]) / count
    print("fill: %d messages in %.0f s; %.0f bytes a message, the store grew by %.0f each" % (count, seconds, size, growth))
    server.start()
    try:
        link = Link(server.socket)
        link.call("hello")
        start = time.monotonic()
        while link.call("search.status")["behind"] > 0 and time.monotonic() - start < 1800:
            time.sleep(1)
        status = link.call("search.status")
        print("index of words: %.0f s, %.0f bytes a message" % (time.monotonic() - start, status["bytes"] / count))
        day = "2014-05-20"
        for name, query in (("the newest", {}), ("rare word", {"text": "zyxquorum"}), ("common word", {"text": "regards"}),
                            ("two words", {"text": "regards zyxquorum"}),
                            ("rare sender", {"from": "rare@hapax.test"}), ("common sender", {"from": "user7@example.org"}),
                            ("common domain", {"from": "example.org"}), ("recipient", {"to": "box1234@site534.test"}),
                            ("subject, one word", {"subject": "qb"}), ("subject, none has it", {"subject": "qqqqqq"}),
                            ("a day, long ago", {"since": day, "until": day}),
                            ("name of a file", {"attachment": "rarissimum"}), ("pattern", {"from": "*@hapax.*"}),
                            ("sender and word", {"from": "user7@example.org", "text": "zyxquorum"})):
            cold, reply = timed(lambda: link.call("archive.search", limit=50, **query))
            warm = min(timed(lambda: link.call("archive.search", limit=50, **query))[0] for _ in range(3))
            first = min(timed(lambda: link.call("archive.search", limit=1, **query))[0] for _ in range(3))
            print("search %-22s %3d rows  first row %6.1f ms  50 rows %6.1f ms  (the first time %6.1f ms)" % (
                name, len(reply["rows"]), first * 1000, warm * 1000, cold * 1000))
        ids = [str(i) for i in range(1, min(count, 200) + 1)]
        for form in ("mbox", "zip"):
            path = os.path.join(server.dir, "out." + form)
            seconds, _ = timed(lambda: server.cli("archive", "export", *ids, "--format", form, "--out", path))
            print("export %s: %.0f messages/s, %.1f MB/s" % (form, len(ids) / seconds, size * len(ids) / seconds / 1e6))
        seconds, reply = timed(lambda: link.call("archive.verify"))
        print("verify: %.0f s, %.0f messages/s, %.1f MB/s: %s" % (
            seconds, count / seconds, size * count / seconds / 1e6, reply["rows"][0]["what"]))
    finally:
        server.stop()
        server.clean()


if __name__ == "__main__":
    main()
