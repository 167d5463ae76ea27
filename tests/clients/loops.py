#!/usr/bin/env python3
"""loops.py - two real servers that relay to each other: a circle ends, and so does a bounce of a bounce (H15, H16)."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402

TEXT = "Subject: round and round\r\n\r\nhello\r\n"
HOPS = 50


def pair():
    """a.test and b.test, running; each hands all that is not its own to the other, and takes all from it."""
    one, two = Server(domain="a.test"), Server(domain="b.test")
    for server, name in ((one, "mail.a.test"), (two, "mail.b.test")):
        with open(server.config) as f:
            text = f.read()
        with open(server.config, "w") as f:
            f.write(text.replace("mail.example.test", name))
        server.start()
        server.add_user("postmaster", "--admin")
    for server, other in ((one, two), (two, one)):
        server.cli("service", "set", "smtp", "access=127.0.0.1 noauth")
        server.cli("route", "add", "peer", "servers=127.0.0.1:%d" % other.ports["smtp"], "tls=none")
    return one, two


def end(*servers):
    for server in servers:
        server.__exit__(None, None, None)


def waiting(server):
    return server.json("queue", "list")


def still(one, two):
    wait_for(lambda: not waiting(one) and not waiting(two), "both queues are empty: %s %s" % (waiting(one), waiting(two)), 60)


def hops(text):
    return sum(line.startswith(b"Received:") for line in text.split(b"\n"))


def test_a_circle_of_two_servers_ends_in_one_report_H16():
    one, two = pair()
    try:
        one.add_user("anna")
        with one.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            c.sendmail("anna@a.test", ["nobody@elsewhere.test"], TEXT)
        wait_for(lambda: one.fetch("anna"), "anna is told", 60)
        still(one, two)
        told = one.fetch("anna")
        equal(len(told), 1, "one report")
        true(b"5.4.6" in told[0] and b"runs in a circle" in told[0], told[0].decode())
        true(HOPS - 2 <= hops(told[0]) <= HOPS + 2, "it went round until %d hops: %d" % (HOPS, hops(told[0])))
        equal((len(one.fetch("postmaster")), len(two.fetch("postmaster"))), (0, 0), "nobody else is")
    finally:
        end(one, two)


def test_two_servers_that_forward_to_each_other_end_in_one_report_RTE_14_RTE_16():
    one, two = pair()
    try:
        for server, user, other in ((one, "anna", "bert@b.test"), (two, "bert", "anna@a.test")):
            server.add_user(user)
            server.cli("user", "set", user, "forward=yes", "forward_to=" + other)
        one.add_user("carl")
        with one.smtp("submissions") as c:
            c.login("carl", PASSWORD)
            c.sendmail("carl@a.test", ["anna@a.test"], TEXT)
        wait_for(lambda: one.fetch("carl"), "the author is told", 60)
        still(one, two)
        told = one.fetch("carl")
        equal(len(told), 1, "one report, no flood")
        true(b"5.4.6" in told[0] and b"runs in a circle" in told[0], told[0].decode())
        true(b"anna@a.test" in told[0] or b"bert@b.test" in told[0], told[0].decode())
        equal((len(one.fetch("anna")), len(two.fetch("bert")), len(one.fetch("postmaster")), len(two.fetch("postmaster"))),
              (0, 0, 0, 0), "nobody else has anything")
    finally:
        end(one, two)


def test_both_sides_unknown_ends_in_one_message_each_H15():
    one, two = pair()
    try:
        for here, there in ((one, "b.test"), (two, "a.test")):
            with here.smtp("smtp") as c:
                c.sendmail("ghost@" + there, ["nobody@" + there], TEXT)
        wait_for(lambda: one.fetch("postmaster") and two.fetch("postmaster"), "both administrators are told", 60)
        still(one, two)
        for server, there in ((one, "b.test"), (two, "a.test")):
            told = server.fetch("postmaster")
            equal(len(told), 1, "one message for the Main Administrator")
            true(b"nobody@" + there.encode() in told[0], told[0].decode())
    finally:
        end(one, two)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in globals().items() if n.startswith("test_")]))
