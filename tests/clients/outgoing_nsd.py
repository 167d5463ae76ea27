#!/usr/bin/env python3
"""outgoing_nsd.py - mail leaves by what a name server of Debian says (NSD): OUT-13, H21, H69, NET-05."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import A, NameServer, record  # noqa: E402
from outgoing_site import CLOCK, queue, site, submit, wait_deferred, wait_empty  # noqa: E402
from peers import Nsd  # noqa: E402
from postroom import PASSWORD, Skip, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

EQUALS, EQUAL_DOMAINS, LONG = 4, 12, 30
ZONE = """
pref MX 20 b
pref MX 10 a
a A 127.5.0.1
b A 127.5.0.2
""" + "".join("eq%d MX 10 e%d\n" % (d, e) for d in range(EQUAL_DOMAINS) for e in range(EQUALS)) \
    + "".join("e%d A 127.5.1.%d\n" % (e, e + 1) for e in range(EQUALS)) + """
null MX 0 .
plain A 127.5.0.2
six AAAA ::1
cname CNAME pref
mxalias MX 10 alias
alias CNAME b
c0 CNAME c1
""" + "".join("c%d CNAME c%d\n" % (i, i + 1) for i in range(1, 12)) + """
c12 MX 10 b
text TXT "no mail here"
dangling MX 10 nothing
half MX 10 nothing
half MX 20 b
loop1 CNAME loop2
loop2 CNAME loop1
""" + "".join("long MX 10 host-with-a-very-long-name-%02d.so-that-it-does-not-fit\n" % i for i in range(LONG)) \
    + "".join("host-with-a-very-long-name-%02d.so-that-it-does-not-fit A 127.5.0.2\n" % i for i in range(LONG))

DELIVERED = ("pref", "plain", "cname", "mxalias", "half", "long")  # all to the sink b
FAILED = {"null": b"5.1.10", "nowhere": b"5.1.2", "text": b"5.1.2"}
# the domain, and what the queue says of it
DEFERRED = {"dangling.zone.test": "has no address", "loop1.zone.test": "name servers", "c0.zone.test": "name servers",
            "x.broken.test": "name servers", "x.elsewhere.test": "name servers"}


def direct(port, servers, timeout="10s"):
    return "outgoing: { routes: [ { name: direct, kind: direct, port: %d, allow_loopback: yes } ] }\n" \
           "dns: { timeout: %s, servers: [%s] }\n%s" % (port, timeout, ", ".join("'%s'" % s for s in servers), CLOCK)


def silent():
    """A name server that never answers, by UDP."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    return udp, "127.0.0.1:%d" % udp.getsockname()[1]


class World:
    def __init__(self):
        self.port = free_ports(1)[0]
        self.b = SmtpSink(address="127.5.0.2", port=self.port)
        self.equals = [SmtpSink(address="127.5.1.%d" % (e + 1), port=self.port) for e in range(EQUALS)]
        self.dns = Nsd({"zone.test": ZONE, "broken.test": None})
        self.server = site(direct(self.port, [self.dns.address]))
        self.parts = [self.b, *self.equals, self.dns, self.server]

    def __enter__(self):
        for part in self.parts:
            part.__enter__()
        self.server.add_user("anna")
        return self

    def __exit__(self, *why):
        for part in reversed(self.parts):
            part.__exit__(*why)

    def submit_each(self, addresses):
        with self.server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for to in addresses:
                c.sendmail("anna@example.test", [to], "Subject: x\r\n\r\nhi\r\n")


def test_preference_aliases_no_mx_and_a_long_answer_by_tcp_OUT_13_OUT_14(world):
    world.submit_each("bo@%s.zone.test" % d for d in DELIVERED)
    wait_empty(world.server)
    equal(sorted(m.recipients[0] for m in world.b.mails), sorted("bo@%s.zone.test" % d for d in DELIVERED))


def test_an_ipv6_address_without_mx_OUT_13(world):
    try:
        six = SmtpSink(address="::1", port=world.port)
    except OSError:
        raise Skip("this machine has no IPv6")
    with six:
        world.submit_each(["bo@six.zone.test"])
        wait_empty(world.server)
        equal([m.recipients for m in six.mails], [["bo@six.zone.test"]])


def test_equal_preferences_are_taken_at_random_OUT_13(world):
    world.submit_each("bo@eq%d.zone.test" % d for d in range(EQUAL_DOMAINS))
    wait_empty(world.server)
    equal(sum(len(e.mails) for e in world.equals), EQUAL_DOMAINS)
    used = sum(bool(e.mails) for e in world.equals)
    true(used > 1, "%d domains, and all went to the same of %d equal hosts" % (EQUAL_DOMAINS, EQUALS))


def test_what_does_not_exist_fails_H21(world):
    world.submit_each("bo@%s.zone.test" % d for d in FAILED)
    wait_empty(world.server)
    reports = world.server.fetch("anna")
    equal(len(reports), len(FAILED), "reports")
    for domain, status in FAILED.items():
        mine = [r for r in reports if b"bo@" + domain.encode() in r]
        true(len(mine) == 1 and b"Status: " + status in mine[0], "%s: %s" % (domain, mine))


def test_what_a_server_cannot_say_defers_H69(world):
    """SERVFAIL, REFUSED of a server that does not know the zone, aliases in a circle or without end."""
    world.submit_each("bo@" + d for d in DEFERRED)
    wait_for(lambda: [q["state"] for q in queue(world.server)] == ["deferred"] * len(DEFERRED),
             "all are deferred: %s" % queue(world.server), 30)
    for row in queue(world.server):
        domain = row["recipients"][0].split("@")[1]
        true(DEFERRED[domain] in row["last_error"], "%s: %s" % (domain, row["last_error"]))
    equal(len(world.server.fetch("anna")), len(FAILED), "and nobody is told that it failed")


def test_a_silent_server_beside_a_good_one_NET_05(world):
    udp, address = silent()
    with udp, SmtpSink(address="127.5.0.2") as sink, site(direct(sink.port, [address, world.dns.address], "1s")) as server:
        server.add_user("anna")
        submit(server, ["bo@pref.zone.test"])
        wait_for(lambda: sink.mails, "the second server says it: %s" % queue(server), 30)
        wait_empty(server)


def test_silence_defers_and_the_rest_goes_on_H69(world):
    """Nobody can be asked: what needs no name leaves meanwhile; later all leaves."""
    udp, address = silent()
    with udp, SmtpSink(address="127.5.0.2") as sink, site(direct(sink.port, [address], "1s")) as server:
        server.add_user("anna")
        submit(server, ["bo@pref.zone.test"])
        submit(server, ["bo@[127.5.0.2]"])
        wait_for(lambda: sink.mails, "a literal needs no name server", 10)
        wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"], "it is deferred: %s" % queue(server), 45)
        true("name servers" in wait_deferred(server)[0]["last_error"], str(queue(server)))
        server.cli("config", "set", "dns.servers", '["%s"]' % world.dns.address)
        server.cli("queue", "retry", "--all", "--wait")
        wait_empty(server)
        equal([m.recipients for m in sink.mails], [["bo@[127.5.0.2]"], ["bo@pref.zone.test"]])


def test_an_answer_is_kept_for_5_s_at_least_H69(_):
    """A time of 0 is no way to make us ask for each message."""
    def way(query, tcp):
        is_a = query.question[-4:-2] == b"\0\1"
        return [query.answer([record(A, socket.inet_aton("127.5.0.2"), ttl=0)] if is_a else [])]
    with SmtpSink(address="127.5.0.2") as sink, NameServer({"once.test": way}) as dns:
        with site(direct(sink.port, [dns.address])) as server:
            server.add_user("anna")
            began = time.monotonic()
            for i in range(2):
                submit(server, ["bo@once.test"])
                wait_empty(server)
                wait_for(lambda: all(s.sock.fileno() < 0 for s in sink.sessions), "the connection has ended")
            if time.monotonic() - began > 4:
                raise Skip("this machine is too slow for it")
            equal(len(sink.sessions), 2)
            true(dns.asked("once.test") <= 3, "asked %d times: MX, A, AAAA" % dns.asked("once.test"))


if __name__ == "__main__":
    tests = [f for name, f in list(globals().items()) if name.startswith("test_")]
    try:
        with World() as the_world:
            status = tap(tests, the_world)
    except Skip as missing:
        print("ok 1 - a name server of Debian # SKIP %s" % missing)
        status = 0
    sys.exit(status)
