#!/usr/bin/env python3
"""outgoing_faults.py - what mail servers do wrong, at each step of a delivery, all of them at once (H19, H20, H3, H68).

Each case is a domain of its own: its only MX is a sink at an address of its own that fails in one way at one step. After
the storm each message is where the rule says, the trace says why, good neighbours had their mail meanwhile, and when all
servers have become well each message is there exactly once.
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import NameServer  # noqa: E402
from outgoing_site import CLOCK, certificate, queue, trace_text  # noqa: E402
from outgoing_direct import answers  # noqa: E402
from postroom import PASSWORD, Server, equal, figure, free_ports, tap, true, wait_for  # noqa: E402
from smtp_faults import FAULTS, STEPS, lines  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

SMALL = "Subject: small\r\n\r\nhello\r\n.dot\r\n"
LARGE = "Subject: large\r\n\r\n" + ("x" * 898 + "\r\n") * 7000  # more than the buffers of both systems hold
GOOD = 10
GROWTH_KB = 80 << 10  # of memory: a few hundred sessions with their buffers, however much they are sent
ROUTES = """outgoing:
  timeouts: { connect: 20s, greeting: 5s, command: 5s, data: 5s, data_block: 5s, data_done: 5s }
  max_connections: 400
  routes:
    - { name: tls, kind: direct, port: %(port)d, allow_loopback: yes, tls: required, domains: ["*.tls.test"] }
    - { name: auth, kind: direct, port: %(port)d, allow_loopback: yes, tls: none, username: u, password: p, domains: ["*.auth.test"] }
    - { name: direct, kind: direct, port: %(port)d, allow_loopback: yes }
timeouts: { handshake: 6s }
dns: { servers: ['%(dns)s'] }
"""

SENT, LATER, FAILED = "sent", "deferred", "failed"
# what is said of a fault, wherever it happens
WORDS = {"drip": "no answer in time", "silence": "no answer in time", "cut": "closed the connection", "reset": "connection",
         "421": "421 4.3.2", "4xx": "451 4.3.0", "5xx": "554 5.7.1", "wrong class": "354 go",
         "garbage": "does not speak SMTP", "NUL": "does not speak SMTP", "endless": "does not speak SMTP",
         "long line": "does not speak SMTP", "mixed": "does not speak SMTP", "ahead": "was not asked"}
# (step, fault): how it ends where it is not deferred with the fault's words
OTHERWISE = {
    ("EHLO", "5xx"): (SENT, ""),        # then HELO (OUT-07)
    ("MAIL", "5xx"): (FAILED, "MAIL FROM: 554 5.7.1"),
    ("RCPT", "5xx"): (FAILED, "RCPT TO: 554 5.7.1"),
    ("DATA", "5xx"): (FAILED, "DATA: 554 5.7.1"),
    ("end", "5xx"): (FAILED, "end of text: 554 5.7.1"),
    ("STARTTLS", "4xx"): (SENT, "in clear"),
    ("STARTTLS", "5xx"): (SENT, "in clear"),
    ("STARTTLS", "wrong class"): (SENT, "in clear"),
    ("STARTTLS", "ahead"): (LATER, "before TLS"),
    ("STARTTLS required", "4xx"): (LATER, "451 4.3.0"),
    ("STARTTLS required", "ahead"): (LATER, "before TLS"),
    ("DATA", "wrong class"): (LATER, "250 2.0.0 taken"),
    ("MAIL", "ahead"): (LATER, "DATA: 250 2.0.0 ok"),  # all three were asked at once, so three are taken for answers
    ("RCPT", "ahead"): (LATER, "DATA: 250 2.0.0 ok"),
    ("end", "wrong class"): (LATER, "221 2.0.0 bye"),  # contract 8
    ("end", "ahead"): (SENT, ""),      # its 250 stands, what follows ends the session
    ("text", "drip"): (LATER, "no more of the message"),
    ("text", "silence"): (LATER, ""),  # until the buffers of the systems are full, or for an answer
    ("text", "cut"): (LATER, "connection"),
    ("text", "ahead"): (LATER, "before the text had ended"),
    ("text", "wrong class"): (LATER, ""),
    ("text", "5xx"): (LATER, "554 5.7.1"),
    ("BDAT", "drip"): (LATER, "no more of the message"),
    ("BDAT", "silence"): (LATER, ""),
    ("BDAT", "cut"): (LATER, "connection"),
    ("BDAT", "ahead"): (LATER, "before the text had ended"),
    ("BDAT", "wrong class"): (LATER, ""),
    ("BDAT", "5xx"): (LATER, "554 5.7.1"),
}
OTHERWISE.update({("QUIT", fault): (SENT, "") for fault in FAULTS})
EHLO = ("PIPELINING", "8BITMIME", "SIZE 100000000")


class Case:
    """One server and the domain whose mail it takes."""

    def __init__(self, number, step, fault, way, tls=None):
        self.step, self.fault = step, fault
        self.name = step + " " + fault
        zone = {"STARTTLS required": "tls.test", "AUTH": "auth.test"}.get(step, "plain.test")
        self.host = "c%03d.%s" % (number, zone)
        self.to = "bo@" + self.host
        self.want, self.words = OTHERWISE.get((step, fault), (LATER, WORDS.get(fault, "")))
        self.where = step.split()[0]  # a row of STEPS
        self.address = "127.3.%d.%d" % (number // 200, number % 200 + 1)
        self.way, self.tls = way, tls

    def does(self, session):
        session.step = self.where
        return self.way(session)

    def begins(self, session):
        reply = self.does(session)
        session.say(reply)
        session.sock.recv(65536)

    def reads(self, session):
        """In the middle of the text; a reply does not make it read the rest."""
        session.take(3000)
        reply = self.does(session)
        session.say(reply)
        lines(b"")(session)

    def ends(self, mail):
        if self.fault == "ahead":
            self.sink.mails.append(mail)
        return self.does(mail.session)

    def open(self, port):
        self.sink = SmtpSink(address=self.address, port=port, tls=self.tls,
                             ehlo=EHLO + (("CHUNKING",) if self.step == "BDAT" else ()))
        if self.where == "greeting":
            self.sink.greeting = self.begins
        elif self.where == "text":
            self.sink.on_text = self.reads
        elif self.where == "BDAT":
            self.sink.replies = {"BDAT": self.reads}
        elif self.where == "end":
            self.sink.on_end = self.ends
        else:
            self.sink.replies = {self.where: self.does}
        if self.step == "AUTH":
            self.sink.accounts, self.sink.auth_in_clear = {"u": "p"}, True
        if self.where in ("text", "BDAT"):
            self.sink.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sink.__enter__()

    def heals(self):
        self.sink.replies, self.sink.on_text, self.sink.on_end = {}, None, None
        self.sink.greeting = "220 sink.test ESMTP"
        self.sink.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200000)


def all_cases(tls):
    rows = [(step, fault, FAULTS[fault], None) for step in STEPS if step not in ("STARTTLS", "text", "BDAT") for fault in FAULTS]
    rows += [(step, fault, FAULTS[fault], tls) for step in ("STARTTLS", "STARTTLS required") for fault in FAULTS]
    rows += [(step, fault, FAULTS[fault], None) for step in ("text", "BDAT") for fault in FAULTS]
    # TLS itself: what follows the 220 is no handshake
    for name, bytes_sent in (("TLS of zeros", bytes(500)), ("TLS in plain text", b"500 what is this?\r\n" * 20),
                             ("TLS that lies about its length", b"\x16\x03\x03\xff\xff" + bytes(70000))):
        for step in ("STARTTLS", "STARTTLS required"):
            OTHERWISE[step, name] = (SENT, "in clear") if step == "STARTTLS" else (LATER, "TLS failed")
            rows.append((step, name, garbled(bytes_sent), tls))
    return [Case(i, *row) for i, row in enumerate(rows)]


def garbled(data):
    """STARTTLS is taken, then DATA comes when the handshake begins."""
    def fault(session):
        session.say("220 2.0.0 go")
        session.sock.recv(1)
        lines(data)(session)
    return fault


class Hosts(dict):
    """Each case's domain is a host with one address."""

    def get(self, name, default=None):
        address = super().get(name.lower())
        return answers(mx=[(10, name)], address=address) if address else default


class Storm:
    """All servers, the name server and a Postroom."""

    def __init__(self, cases):
        self.cases, self.port = cases, free_ports(1)[0]
        self.good = [SmtpSink(address="127.4.0.%d" % (n + 1), port=self.port) for n in range(GOOD)]
        hosts = {c.host: c.address for c in cases}
        hosts.update({"g%d.test" % n: sink.address for n, sink in enumerate(self.good)})
        self.dns = NameServer(Hosts(hosts))

    def __enter__(self):
        for case in self.cases:
            case.open(self.port)
        for sink in self.good:
            sink.__enter__()
        self.dns.__enter__()
        self.server = Server(extra=ROUTES % {"port": self.port, "dns": self.dns.address} + CLOCK)
        self.server.__enter__()
        self.server.add_user("anna")
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)
        for sink in [c.sink for c in self.cases] + self.good:
            sink.__exit__(*why)
        self.dns.__exit__(*why)

    def submit(self, mails):
        with self.server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for to, text in mails:
                c.sendmail("anna@example.test", to, text)


def states(server):
    """Address -> state, of recipients that are still open, and what was said last."""
    found = {}
    for row in queue(server):
        for to in row["recipients"]:
            found[to] = row
    return found


def judge(case, row, told, trace):
    """None, or what is wrong."""
    have = LATER if row and row["state"] == "deferred" else FAILED if told else SENT if not row else row["state"]
    if have != case.want:
        return "%s: %s, but %s was to be expected: %s" % (case.name, have, case.want, row or trace)
    taken = len(case.sink.mails)
    if taken != (case.want == SENT):
        return "%s: the server took it %d times" % (case.name, taken)
    if case.words not in trace:
        return "%s: the trace says nothing of `%s`: %s" % (case.name, case.words, trace)
    if row and case.words not in row["last_error"] and case.want == LATER:
        return "%s: the queue says: %s" % (case.name, row["last_error"])
    return None


def settled(server, cases):
    open_now = states(server)
    return all(open_now[c.to]["state"] != "active" for c in cases if c.to in open_now)


def reports_of(server):
    return b"\n".join(server.fetch("anna")).decode("utf-8", "replace")


def look(server, cases):
    open_now, told, wrong = states(server), reports_of(server), []
    for case in cases:
        steps = [s for row in server.json("trace", "--to", case.to) for s in trace_text(server, row["id"]).split("\n")]
        trace = " | ".join(s[10:] for s in steps if s.startswith("delivery: "))
        row = open_now.get(case.to)
        wrong.append(judge(case, row, "rfc822;" + case.to in told.replace("; ", ";"), trace))
    wrong = [w for w in wrong if w]
    for line in wrong:
        print("# " + line)
    true(not wrong, "%d of %d ended otherwise, see above" % (len(wrong), len(cases)))


def heal(server, cases):
    for case in cases:
        case.heals()
    for step in ("greeting", "command", "data", "data_block", "data_done"):
        server.cli("config", "set", "outgoing.timeouts." + step, "60s")
    server.cli("clock", "advance", "2h")
    server.cli("queue", "retry", "--all", "--wait", ok=False)  # most are on their way by themselves
    wait_for(lambda: not queue(server), "the queue is empty: %s" % [(q["recipients"], q["last_error"]) for q in queue(server)], 30)
    for case in cases:
        equal(len(case.sink.mails), 0 if case.want == FAILED else 1, case.name + ": how often it was taken")
    for case in cases:
        for mail in case.sink.mails:
            text = LARGE if case.where in ("text", "BDAT") else SMALL
            true(mail.data.endswith(text.split("\r\n\r\n", 1)[1].encode()), case.name + ": the text is whole")


def test_every_fault_at_every_step_H19_H20_H3_H68():
    probe = Server()
    cases = all_cases(certificate(probe.dir, "sink.test"))
    with Storm(cases) as storm:
        server = storm.server
        small = [c for c in cases if c.where not in ("text", "BDAT")]
        large = [c for c in cases if c.where in ("text", "BDAT")]
        began_kb = server.private_kb()
        storm.submit([([c.to], SMALL) for c in small] + [([c.to], LARGE) for c in large])
        storm.submit([(["cy@g%d.test" % n], SMALL) for n in range(GOOD)])
        wait_for(lambda: all(len(sink.mails) == 1 for sink in storm.good), "the good ones have their mail", 20)
        wait_for(lambda: settled(server, cases), "all is settled", 30)
        grown_kb = server.private_kb() - began_kb
        look(server, cases)
        heal(server, cases)
        equal([len(sink.mails) for sink in storm.good], [1] * GOOD, "the good ones have it once")
        figure("%d ways to fail, memory grew by %d kB" % (len(cases), grown_kb))
        true(grown_kb < GROWTH_KB, "memory grew by %d kB" % grown_kb)
    probe.clean()


if __name__ == "__main__":
    sys.exit(tap([f for name, f in list(globals().items()) if name.startswith("test_")]))
