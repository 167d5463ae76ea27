#!/usr/bin/env python3
"""bulk.py [MESSAGES] - many messages of 4 KB from 50 sessions: none lost, none double, byte for byte equal: TAP.

20,000 by default; the slow soak asks for 200,000.
"""
import hashlib
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import Server, equal, figure, tap, true  # noqa: E402

SESSIONS, SIZE, USERS = 50, 4096, 20


def message(number):
    """4 KB, no two alike, with dots and long lines where they hurt."""
    seed = hashlib.sha256(b"%d" % number).hexdigest()
    lines = [seed + seed[:12], "." + seed[:50], "..", seed * 4]
    head = "From: a@elsewhere.test\r\nSubject: bulk %d\r\nX-Number: %d\r\n\r\n" % (number, number)
    text, i = head, 0
    while len(text) + len(lines[i % 4]) + 2 <= SIZE:
        text += lines[i % 4] + "\r\n"
        i += 1
    return text.encode()


class Session(threading.Thread):
    def __init__(self, port, numbers):
        super().__init__()
        self.port, self.numbers, self.accepted, self.fault = port, numbers, [], None

    def say(self, data, want):
        if data:
            self.sock.sendall(data)
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                break
        if not line.startswith(want):
            raise RuntimeError("%r to %r" % (line, data[:40]))

    def run(self):
        try:
            self.sock = socket.create_connection(("127.0.0.1", self.port), 60)
            self.file = self.sock.makefile("rb")
            self.say(b"", b"220")
            self.say(b"EHLO bulk.test\r\n", b"250")
            for n in self.numbers:
                self.sock.sendall(b"MAIL FROM:<a@elsewhere.test>\r\nRCPT TO:<u%d@example.test>\r\nDATA\r\n" % (n % USERS))
                for want in (b"250", b"250", b"354"):
                    self.say(b"", want)
                self.say(message(n).replace(b"\r\n.", b"\r\n..") + b".\r\n", b"250")
                self.accepted.append(n)
            self.say(b"QUIT\r\n", b"221")
        except Exception as e:
            self.fault = e


def deliver(server, total):
    threads = [Session(server.ports["smtp"], range(i, total, SESSIONS)) for i in range(SESSIONS)]
    began = time.time()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    figure("bulk: %d messages of 4 KB from %d sessions, %.0f a second (the client is the slower side)"
           % (total, SESSIONS, total / (time.time() - began)))
    equal([str(t.fault) for t in threads if t.fault], [], "sessions that failed")
    return sum((t.accepted for t in threads), [])


def fetched_numbers(server, user):
    """Numbers of the messages in a mailbox; each is compared with what was sent."""
    p = server.pop(user)
    numbers = []
    for n in range(p.stat()[0]):
        got = b"\r\n".join(p.retr(n + 1)[1]) + b"\r\n"
        number = int(got.split(b"X-Number: ", 1)[1].split(b"\r\n", 1)[0])
        true(got.endswith(message(number)), "message %d differs" % number)
        numbers.append(number)
    p.quit()
    return numbers


def test_none_lost_none_double_byte_for_byte_equal(server):
    total = int(os.environ.get("POSTROOM_BULK", "20000"))
    accepted = deliver(server, total)
    equal(sorted(accepted), list(range(total)), "accepted")
    found = sum((fetched_numbers(server, "u%d" % u) for u in range(USERS)), [])
    equal(len(found), total, "messages found")
    equal(sorted(found), list(range(total)), "numbers found")


def test_the_store_is_clean_after_it(server):
    status, text = server.check()
    equal(status, 0, text[-500:])


def main():
    with Server() as server:
        server.add_user("postmaster", "--admin")
        for i in range(USERS):
            server.add_user("u%d" % i)
        return tap([("none lost, none double, byte for byte equal (SMT-19)", test_none_lost_none_double_byte_for_byte_equal),
                    ("the store is clean after it", test_the_store_is_clean_after_it)], server)


if __name__ == "__main__":
    sys.exit(main())
