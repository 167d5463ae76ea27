#!/usr/bin/env python3
"""real_peers.py - mail leaves to Exim, Postfix and aiosmtpd: logins, TLS, extensions, sizes, reports that come back."""
import os
import sys
from contextlib import ExitStack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import NameServer  # noqa: E402
from outgoing_site import CLOCK, queue, trace_text, wait_empty  # noqa: E402
from outgoing_tls import TlsServer  # noqa: E402
from outgoing_direct import answers  # noqa: E402
from peers import Aiosmtpd, Exim, Postfix  # noqa: E402
from postroom import PASSWORD, Skip, equal, tap, true, wait_for  # noqa: E402

MANY = 200
MANY_S, LARGE_S = 180, 180
HEADER = "From: anna@example.test\r\nTo: bo@elsewhere.test\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMessage-ID: <%s@example.test>\r\n" \
         "Subject: %s\r\nX-Long: " + "y" * 900 + "\r\n\tfolded\r\n\r\n"
HARD = ".\r\n..\r\n.dot\r\n\r\n. \r\nFrom here\r\n\ttabs \t\r\n" + "x" * 998 + "\r\n=20=\r\n" + "." * 998 + "\r\nend \r\n\r\n\r\n.\r\n"

# recipients' domain, class of peer, what else the route says; port 0: that of implicit TLS
ROUTES = [
    ("exim.test", "exim", "tls: verified, username: u, password: 'p w'", "mx.test"),
    ("gone.exim.test", "exim", "tls: verified, username: u, password: 'p w'", "mx.test"),
    ("implicit.exim.test", "exim", "tls: implicit, username: u, password: 'p w'", "mx.test"),
    ("wrong-name.exim.test", "exim", "tls: verified, username: u, password: 'p w'", "other.test"),
    ("wrong-login.exim.test", "exim", "tls: verified, username: u, password: wrong", "mx.test"),
    ("mx.exim.test", "exim_open", "", None),
    ("postfix.test", "postfix", "tls: verified", "mx.test"),
    ("gone.postfix.test", "postfix", "tls: required", "mx.test"),
    ("implicit.postfix.test", "postfix", "tls: implicit", "mx.test"),
    ("mx.postfix.test", "postfix", "", None),
    ("aiosmtpd.test", "aiosmtpd", "tls: verified, username: u, password: 'p w'", "mx.test"),
    ("small.aiosmtpd.test", "small", "tls: none", "mx.test"),
]
KINDS = {"exim": Exim, "exim_open": lambda back_to: Exim(back_to, chunking="", wants_login="no"), "postfix": Postfix,
         "aiosmtpd": lambda back_to: Aiosmtpd(), "small": lambda back_to: Aiosmtpd(size=100000, clear=True)}


def named(domain):
    return domain.replace(".", "-")


class World:
    """The peers that there are, a name server, and a Postroom with a way to each."""

    def __init__(self):
        self.server = TlsServer("/nowhere", "")
        self.peers, self.missing = {}, {}
        for name, kind in KINDS.items():
            try:
                self.peers[name] = kind(self.server.ports["smtp"])
            except Skip as why:
                self.missing[name] = why
        self.dns = NameServer({"mx.test": answers(address="127.0.0.1"), "other.test": answers(address="127.0.0.1"),
                               "mx.exim.test": answers(mx=[(10, "mx.test")]), "mx.postfix.test": answers(mx=[(10, "mx.test")])})
        self.server.roots = os.path.join(self.server.dir, "roots.pem")
        with open(self.server.roots, "w") as f:
            f.write("".join(open(peer.cert).read() for peer in self.peers.values()))
        self.server.extra = "outgoing:\n  warnings: never\n  routes:\n" + "".join(self.route(*row) for row in ROUTES) + CLOCK \
            + "limits: { user_recipients_hour: 100000 }\ndns: { servers: ['%s'] }\n" % self.dns.address
        self.server.write_config()

    def route(self, domain, name, keys, host):
        peer = self.peers.get(name)
        if not peer:
            return ""
        if not host:
            return '    - { name: %s, kind: direct, port: %d, allow_loopback: yes, domains: [%s] }\n' % (named(domain), peer.port, domain)
        return '    - { name: %s, kind: relay, servers: ["%s:%d"], domains: [%s], %s }\n' \
            % (named(domain), host, peer.tls_port if "implicit" in keys else peer.port, domain, keys)

    def __enter__(self):
        with ExitStack() as begun:
            for part in [self.dns, *self.peers.values(), self.server]:
                begun.enter_context(part)
            self.begun = begun.pop_all()
        for name in ("postmaster", "anna"):
            self.server.add_user(name, *(["--admin"] if name == "postmaster" else []))
        return self

    def __exit__(self, *why):
        self.begun.__exit__(*why)

    def peer(self, name):
        if name not in self.peers:
            raise Skip(str(self.missing[name]))
        return self.peers[name]

    def submit(self, mails, mail_options=(), rcpt_options=()):
        """[(recipients, bytes)]"""
        with self.server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for to, text in mails:
                equal(c.sendmail("anna@example.test", to, text, mail_options, rcpt_options), {})

    def arrived(self, name, mark, count=1, seconds=20):
        """COUNT mails whose text holds MARK, at the peer NAME."""
        peer, found = self.peers[name], []

        def look():
            found[:] = [m for m in peer.mails() if mark.encode() in m.text]
            return len(found) >= count
        wait_for(look, "%s has %s: %s, %s" % (name, mark, queue(self.server), peer.log()[-700:]), seconds)
        return found

    def trace(self, to):
        return "\n".join(trace_text(self.server, row["id"]) for row in self.server.json("trace", "--to", to))

    def told(self, mark):
        return [m for m in self.server.fetch("anna") if mark.encode() in m]


def message(mark, body=HARD):
    return (HEADER % (mark, mark) + body).encode()


# ---- each of them ----


def arrives_whole(world, name, domain, words):
    """Dots, long lines, blanks: as it was sent, but for the trace fields (H1, H2)."""
    world.peer(name)
    text = message("whole." + domain)
    world.submit([(["bo@" + domain], text)])
    wait_empty(world.server)
    got = world.arrived(name, "whole." + domain)
    equal(len(got), 1, "once")
    equal(got[0].recipients, ["bo@" + domain])
    equal(got[0].text, text, "byte for byte")
    trace = world.trace("bo@" + domain)
    for word in words:
        true(word in trace, "the trace says %s: %s" % (word, trace))


def one_of_three_is_refused(world, name, domain):
    """OUT-19"""
    world.peer(name)
    to = [n + domain for n in ("al-of-three@", "nobody@", "cy-of-three@")]
    world.submit([(to, message("three." + domain))])
    wait_empty(world.server)
    got = world.arrived(name, "three." + domain)
    equal(sorted(r for m in got for r in m.recipients) if name != "postfix" else len(got),
          [to[0], to[2]] if name != "postfix" else 2, "the others have it")
    reports = world.told("three." + domain)
    equal(len(reports), 1, "one report")
    status = reports[0].split(b"message/delivery-status")[1].split(b"\r\n--")[0]
    true(b"Final-Recipient: rfc822;" + to[1].encode() in status and b"Action: failed" in status and b"5.1.1" in status
         and b"nobody here" in status, status.decode("utf-8", "replace"))
    true(to[0].encode() not in status, "of the refused one alone")


def eight_bit_and_utf8(world, name, domain):
    """8BITMIME and SMTPUTF8 (RFC 6152, RFC 6531)."""
    world.peer(name)
    head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    text = head.encode() + message("eight." + domain, "Grüße\r\n")
    world.submit([(["bo@" + domain], text)], ["BODY=8BITMIME"])
    text8 = head.encode() + message("utf8." + domain, "Grüße\r\n").replace(b"Subject: ", "Subject: Grüße ".encode())
    world.submit([(["bö@" + domain], text8)], ["BODY=8BITMIME", "SMTPUTF8"])
    wait_empty(world.server)
    equal(world.arrived(name, "eight." + domain)[0].text, text)
    got = world.arrived(name, "utf8." + domain)[0]
    equal((got.text, got.recipients), (text8, ["bö@" + domain]))


def twenty_megabytes(world, name, domain):
    world.peer(name)
    line = "0123456789abcdef" * 60 + "\r\n"
    text = message("large." + domain, line * (20000000 // len(line)) + ".\r\nend\r\n")
    world.submit([(["bo@" + domain], text)])
    got = world.arrived(name, "large." + domain, 1, LARGE_S)
    equal(len(got), 1)
    true(got[0].text == text, "%d bytes of %d arrived, or others" % (len(got[0].text), len(text)))
    wait_empty(world.server)


def many_at_once(world, name, domain):
    """H18, H37: each of them, each once."""
    world.peer(name)
    world.submit([(["r%d@%s" % (i, domain)], message("many-%d.%s" % (i, domain), "short\r\n")) for i in range(MANY)])
    got = world.arrived(name, "many-", MANY, MANY_S)
    wait_empty(world.server)
    found = sorted(m.text.split(b"Message-ID: <")[1].split(b"@")[0].decode() for m in got)
    equal(found, sorted("many-%d.%s" % (i, domain) for i in range(MANY)), "each once")


def a_bounce_comes_back(world, name, domain):
    """It was taken, and could not be delivered there: what the other server says of it reaches the author (H15)."""
    world.peer(name)
    world.submit([(["bo@" + domain], message("gone." + domain))])
    wait_for(lambda: world.told("gone." + domain), "its report: " + world.peers[name].log()[-700:], 30)
    wait_empty(world.server)
    reports = world.told("gone." + domain)
    equal(len(reports), 1, "one report")
    true(b"this mailbox has gone" in reports[0] and b"mx.test" in reports[0], reports[0].decode("utf-8", "replace"))


def reports_are_asked_for(world, name, domain):
    """DSN passed on (RFC 3461): the other server reports the success, and knows who was meant."""
    world.peer(name)
    world.submit([(["dora@" + domain], message("dsn." + domain))], ["RET=HDRS", "ENVID=id-" + name],
                 ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;original@" + domain])
    wait_for(lambda: world.told("dora@" + domain), "its report: " + world.peers[name].log()[-700:], 30)
    report = world.told("dora@" + domain)
    equal(len(report), 1, "one report")
    for part in ("Original-Envelope-Id: id-" + name, "Action: delivered"):
        true(part.lower().encode() in report[0].lower(), "%s: %s" % (part, report[0].decode("utf-8", "replace")))
    true(b"original@" + domain.encode() in report[0], report[0].decode("utf-8", "replace"))


# ---- one of them ----


def is_deferred(world, domain, words):
    world.submit([(["bo@" + domain], message("never." + domain))])
    found = []

    def look():
        found[:] = [q for q in queue(world.server) if q["recipients"] == ["bo@" + domain] and q["state"] == "deferred"]
        return found
    wait_for(look, "it is deferred: %s" % queue(world.server), 20)
    true(words in found[0]["last_error"], found[0]["last_error"])
    world.server.cli("queue", "remove", found[0]["id"], "--yes")
    equal([m for m in world.peers["exim"].mails() if b"never." in m.text], [], "nothing of it has left")


def a_wrong_name_is_refused(world):
    """H68: the certificate is a good one, of another host."""
    world.peer("exim")
    is_deferred(world, "wrong-name.exim.test", "TLS failed")


def a_wrong_password_waits(world):
    """OUT-06, contract 8"""
    world.peer("exim")
    is_deferred(world, "wrong-login.exim.test", "535")


def too_large_is_not_even_sent(world):
    """SIZE (RFC 1870): the server said how much it takes."""
    world.peer("small")
    world.submit([(["bo@small.aiosmtpd.test"], message("size.small", "z" * 70 + "\r\n")),
                  (["bo@small.aiosmtpd.test"], message("size.large", ("z" * 70 + "\r\n") * 3000))])
    wait_empty(world.server)
    equal(len(world.arrived("small", "size.small")), 1)
    equal([m for m in world.peers["small"].mails() if b"size.large" in m.text], [])
    report = world.told("size.large")
    true(len(report) == 1 and b"5.3.4" in report[0], str(report))


PEERS = (("exim", "exim.test"), ("postfix", "postfix.test"), ("aiosmtpd", "aiosmtpd.test"))
TESTS = [("byte for byte to %s" % domain, lambda w, row=(name, domain, words): arrives_whole(w, *row)) for name, domain, words in (
    ("exim", "exim.test", ["TLSv1.2", ", verified"]), ("postfix", "postfix.test", ["TLSv1.2", ", verified"]),
    ("aiosmtpd", "aiosmtpd.test", [", verified"]), ("exim", "implicit.exim.test", [", verified"]),
    ("postfix", "implicit.postfix.test", [", verified"]), ("exim_open", "mx.exim.test", ["mx.test 127.0.0.1", ", verified"]),
    ("postfix", "mx.postfix.test", ["mx.test 127.0.0.1"]))]
TESTS += [("%s, %s" % (run.__name__.replace("_", " "), name), lambda w, run=run, n=name, d=domain: run(w, n, d))
          for run in (one_of_three_is_refused, eight_bit_and_utf8, many_at_once, twenty_megabytes) for name, domain in PEERS]
TESTS += [("%s, %s" % (run.__name__.replace("_", " "), name), lambda w, run=run, n=name, d=domain: run(w, n, d))
          for run, prefix in ((a_bounce_comes_back, "gone."), (reports_are_asked_for, ""))
          for name, domain in (("exim", prefix + "exim.test"), ("postfix", prefix + "postfix.test"))]
TESTS += [(run.__name__.replace("_", " "), run) for run in (a_wrong_name_is_refused, a_wrong_password_waits, too_large_is_not_even_sent)]


if __name__ == "__main__":
    with World() as the_world:
        status = tap(TESTS, the_world)
    sys.exit(status)
