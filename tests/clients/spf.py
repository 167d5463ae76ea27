#!/usr/bin/env python3
"""spf.py - no report to a forged sender, by SPF against a name server of the test's own (H14, H69): TAP.

What the records mean is tests/unit/test_spf.c's; this is when they are asked for, and what follows.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import NameServer, record, wire  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

TXT, MX = 16, 15
MESSAGE = "From: {0}\r\nTo: x@example.test\r\nSubject: s\r\n\r\nhello\r\n"
REFUSES = {"RCPT TO:<gone@far.test>": "550 5.1.1 nobody"}


def txt(text, mx=None):
    """A way of the name server: a TXT record, and an MX."""
    def way(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        if kind == TXT and text:
            return [query.answer([record(TXT, bytes([len(text)]) + text.encode())])]
        if kind == MX and mx:
            return [query.answer([record(MX, struct.pack(">H", 10) + wire(mx))])]
        return [query.answer()]
    return way


def zone(**more):
    return dict({"forged.test": txt("v=spf1 -all"), "honest.test": txt("v=spf1 ip4:127.0.0.1 -all"),
                 "soft.test": txt("v=spf1 ~all"), "include.test": txt("v=spf1 include:forged.test -all"),
                 "broken.test": txt("v=spf1 nonsense"), "servfail.test": "servfail"}, **more)


def site(dns, sink, reject_unknown="yes", timeout="10s"):
    """All that leaves goes to SINK, where gone@far.test is nobody."""
    return Server(extra="outgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d'] } ] }\n"
                  "dns: { servers: ['%s'], timeout: %s }\nsmtp: { reject_unknown: %s }\n" % (
                      sink.port, dns.address, timeout, reject_unknown))


def begin(server):
    server.add_user("anna", "--admin")
    server.cli("mapping", "add", "out@example.test", "gone@far.test")
    server.cli("mapping", "add", "on@example.test", "taken@far.test")


def send(server, sender, to="out@example.test", rcpt_options=()):
    with server.smtp() as c:
        c.sendmail(sender, [to], MESSAGE.format(sender), rcpt_options=list(rcpt_options))


def wait_empty(server):
    wait_for(lambda: not server.json("queue", "list"), "the queue is empty: %s" % server.json("queue", "list"), 15)


def steps(server, sender):
    ids = [row["id"] for row in server.json("trace", "--from", sender)]
    return " / ".join(s for i in ids for row in server.json("trace", i, "--steps") for s in row["steps"])


def reports(sink):
    return sorted(m.recipients[0] for m in sink.mails if m.sender == "")


def test_a_forged_sender_gets_no_bounce_H14():
    """fail: nobody is told, and the trace says so; all others get theirs."""
    with NameServer(zone()) as dns, SmtpSink(replies=REFUSES) as sink, site(dns, sink) as server:
        begin(server)
        for name in ("forged", "include", "honest", "soft", "broken", "servfail", "norecord"):
            send(server, "bo@%s.test" % name)
        wait_empty(server)
        equal(reports(sink), ["bo@%s.test" % n for n in ("broken", "honest", "norecord", "servfail", "soft")])
        for name, said in (("forged", "SPF says fail for the sender: forged.test: -all"),
                           ("include", "SPF says fail"), ("honest", "SPF says pass for the sender: honest.test: ip4:127.0.0.1"),
                           ("soft", "SPF says softfail"), ("broken", "SPF says permerror"),
                           ("servfail", "SPF says temperror"), ("norecord", "SPF says none")):
            text = steps(server, "bo@%s.test" % name)
            true(said in text, "%s: %s" % (name, text))
            equal("nobody is told of gone@far.test: SPF says" in text, name in ("forged", "include"), text)
        send(server, "bo@forged.test", "on@example.test")  # it refuses nothing
        wait_for(lambda: any(m.recipients == ["taken@far.test"] for m in sink.mails), "it was sent on", 15)


def test_nobody_is_asked_where_nothing_can_come_of_it_H14():
    """Mail for people here, of people here, of robots, from smtp.blocklist_allow, with smtp.spf off."""
    with NameServer(zone()) as dns, SmtpSink(replies=REFUSES) as sink, site(dns, sink) as server:
        begin(server)
        send(server, "bo@forged.test", "anna@example.test")
        send(server, "", "out@example.test")
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            c.sendmail("anna@example.test", ["gone@far.test"], MESSAGE.format("anna@example.test"))
        wait_empty(server)
        equal(dns.asked("forged.test") + dns.asked("example.test"), 0, "no look-up: %s" % dns.queries)
        true("SPF" not in steps(server, "bo@forged.test"), "nor a word of it")
        told = server.json("explain", "--from", "bo@forged.test", "--to", "out@example.test")[0]
        true(any("the SPF record of bo@forged.test would be asked for" in s for s in told["steps"]), told["steps"])
        equal(dns.asked("forged.test"), 0, "explain asks nobody")
        send(server, "bo@forged.test", "anna@example.test", ["NOTIFY=SUCCESS"])
        true("SPF says fail" in steps(server, "bo@forged.test"), "a report of success would be one too")
        equal(server.json("queue", "list"), [])
        for value in ("smtp.spf no", "smtp.spf yes", 'smtp.blocklist_allow ["127.0.0.0/8 allow"]'):
            server.cli("config", "set", *value.split(" ", 1))
            before, asked = len(reports(sink)), dns.asked("forged.test")
            send(server, "bo@forged.test")
            wait_empty(server)
            off = value != "smtp.spf yes"
            equal((len(reports(sink)) - before, dns.asked("forged.test") - asked), (1, 0) if off else (0, 0), value)


def test_a_silent_name_server_costs_5_s_at_most_H69():
    """The text comes meanwhile; then nobody could say, which forges nothing and refuses nothing."""
    with NameServer(zone(**{"silent.test": "silence"})) as dns, SmtpSink(replies=REFUSES) as sink, \
            site(dns, sink, timeout="1s") as server:
        begin(server)
        began = time.monotonic()
        send(server, "bo@silent.test")
        true(time.monotonic() - began < 50, "it was taken")
        wait_empty(server)
        equal(reports(sink), ["bo@silent.test"])
        text = steps(server, "bo@silent.test")
        true("SPF says temperror" in text, text)
        with server.smtp() as c:  # who goes while we ask leaves nothing behind
            c.ehlo()
            c.mail("bo@silent.test")
            c.rcpt("out@example.test")
            c.putcmd("data")
            c.getreply()
            c.send(b"Subject: s\r\n\r\nx\r\n.\r\n")
            c.sock.close()
            c.sock = None
        send(server, "bo@honest.test", "anna@example.test")
        equal(server.check()[0], 0)


def test_a_thousand_forged_messages_H14():
    """1,000 messages to unknown users, taken because the file says so: zero bounces leave."""
    with NameServer(zone()) as dns, SmtpSink(replies=REFUSES) as sink, site(dns, sink, "no") as server:
        server.add_user("anna", "--admin")
        with server.smtp() as c:
            for n in range(1000):
                c.sendmail("x%d@forged.test" % n, ["no%d@example.test" % n], MESSAGE.format("x@forged.test"))
        equal(server.json("queue", "list"), [])
        equal(len(sink.mails), 0)
        true(dns.asked("forged.test") < 1000, "the answer is kept")
        send(server, "x@honest.test", "no@example.test")
        wait_empty(server)
        equal(reports(sink), ["x@honest.test"])


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
