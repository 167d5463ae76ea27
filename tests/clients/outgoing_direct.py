#!/usr/bin/env python3
"""outgoing_direct.py - mail leaves by MX: preference, null MX, no MX, our own loop, SERVFAIL, loopback (OUT-13, H21, H69)."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import A, NameServer, record, wire  # noqa: E402
from outgoing_site import CLOCK, queue, site, submit, wait_deferred, wait_empty  # noqa: E402
from postroom import equal, free_ports, tap, true  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

MX = 15


def answers(mx=(), address=None):
    """A way of the name server: MX records (preference, host), or an address, or several."""
    addresses = [address] if isinstance(address, str) else address or ()

    def way(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        if kind == MX and mx:
            return [query.answer([record(MX, struct.pack(">H", p) + wire(h) if h else struct.pack(">H", p) + b"\0")
                                  for p, h in mx])]
        if kind == A and addresses:
            return [query.answer([record(A, socket.inet_aton(a)) for a in addresses])]
        return [query.answer()]
    return way


def servfail(query, tcp):
    return [query.answer(rcode=2)]


def direct(port, dns, loopback="yes"):
    return "outgoing: { routes: [ { name: direct, kind: direct, port: %d, allow_loopback: %s } ] }\n" \
           "dns: { servers: ['%s'] }\n%s" % (port, loopback, dns.address, CLOCK)


def test_mx_by_preference_OUT_13():
    """MX 10 is down, MX 20 is used; recipients of two domains are two transactions."""
    with SmtpSink(address="127.0.0.7") as sink, NameServer({
            "x.test": answers(mx=[(20, "b.x.test"), (10, "a.x.test")]), "a.x.test": answers(address="127.0.0.6"),
            "b.x.test": answers(address="127.0.0.7"), "y.test": answers(address="127.0.0.7")}) as dns:
        with site(direct(sink.port, dns)) as server:
            server.add_user("anna")
            submit(server, ["bo@x.test", "cy@x.test", "di@y.test"])
            wait_empty(server)
            equal(sorted(m.recipients for m in sink.mails), [["bo@x.test", "cy@x.test"], ["di@y.test"]])


def test_what_takes_no_mail_fails_H21():
    ways = {"null.test": answers(mx=[(0, "")]), "loop.test": answers(mx=[(10, "mail.example.test")]),
            "lost.test": answers(), "here.test": answers(mx=[(10, "l.here.test")]),
            "l.here.test": answers(address="127.0.0.1")}
    with NameServer(ways) as dns, site(direct(free_ports(1)[0], dns, "no")) as server:
        server.add_user("anna")
        for domain, status in (("null.test", b"5.1.10"), ("loop.test", b"5.4.6"), ("lost.test", b"5.1.2"),
                               ("here.test", b"5.4.6")):
            before = len(server.fetch("anna"))
            submit(server, ["bo@" + domain])
            wait_empty(server)
            reports = server.fetch("anna")
            equal(len(reports), before + 1, domain)
            true(status in reports[-1], "%s: %s" % (domain, reports[-1].decode("utf-8", "replace")))


def test_what_a_name_server_cannot_say_defers_H69():
    with NameServer({"x.test": servfail}) as dns, site(direct(25, dns)) as server:
        server.add_user("anna")
        submit(server, ["bo@x.test"])
        true("name servers" in wait_deferred(server)[0]["last_error"], str(queue(server)))


def test_a_literal_domain():
    with SmtpSink(address="127.0.0.7") as sink, NameServer({}) as dns, site(direct(sink.port, dns)) as server:
        server.add_user("anna")
        submit(server, ["bo@[127.0.0.7]"])
        wait_empty(server)
        equal(sink.mails[0].recipients, ["bo@[127.0.0.7]"])


if __name__ == "__main__":
    sys.exit(tap([f for name, f in list(globals().items()) if name.startswith("test_")]))
