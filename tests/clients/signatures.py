#!/usr/bin/python3
"""signatures.py - signatures beside an implementation that is not ours (python3-dkim), on mail that leaves too, keys by
command, and the records of a domain against a name server: TAP.

Debian's own python3, since the verifier is a package of Debian.
"""
import os
import re
import struct
import subprocess
import sys

import dkim

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import NameServer, record, wire  # noqa: E402
from outgoing_site import relay, submit, trace_text, wait_empty  # noqa: E402
from postroom import Server, equal, tap, true  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

HEAD = b"From: Joe <joe@example.test>\r\nTo: a@b.test,\r\n\t c@d.test\r\nX-Long: a\r\nX-Long: b\r\nSubject:  two  blanks \r\n\r\n"
MESSAGES = (HEAD + b"hi  there \r\n\r\n \t\r\nx\r\n\r\n\r\n", HEAD, HEAD + b"\r\n\r\n", HEAD + b"line of text \r\n" * 5000)


def verify(signed, number, look):
    try:
        return dkim.DKIM(signed).verify(number, dnsfunc=lambda name, timeout=5: look.get(name))
    except dkim.DKIMException:
        return False


def test_signatures_verify_elsewhere():
    for way in ([], ["simple"]):
        for message in MESSAGES:
            out = subprocess.run(["build/dkim-sign"] + way, input=message, stdout=subprocess.PIPE, check=True).stdout
            records, _, signed = out.partition(b"\n\n")
            rsa, ed25519 = records.split(b"\n")
            look = {b"r._domainkey.example.test.": rsa, b"e._domainkey.example.test.": ed25519}
            for number in (0, 1):
                true(verify(signed, number, look), (way, number))
                true(not verify(signed.replace(b"joe@", b"bob@"), number, look), "another author")
                true(not verify(b"Subject: more\r\n" + signed, number, look), "a field more")
                true(not verify(signed + b"more\r\n", number, look), "a line more")


def test_keys_by_command():
    with Server(services=("smtp",), extra="testing: { clock: yes }\n") as server:
        server.add_user("anna", "--admin")
        server.cli("dkim", "add", "example.test", "--selector", "a", "--now")
        server.cli("dkim", "rotate", "example.test", "--selector", "b", "--after", "3d")
        equal([(k["selector"], k["state"]) for k in server.json("dkim", "list")],
              [("a-ed25519", "signs"), ("a-rsa", "signs"), ("b-ed25519", "waits"), ("b-rsa", "waits")])
        server.cli("clock", "advance", "3d")
        equal([(k["selector"], k["state"]) for k in server.json("dkim", "list")],
              [("a-ed25519", "retired"), ("a-rsa", "retired"), ("b-ed25519", "signs"), ("b-rsa", "signs")])
        true(server.cli("dkim", "remove", "example.test", "b-rsa", ok=False).returncode == 1, "it signs")
        server.cli("dkim", "remove", "example.test", "a-rsa")
        server.cli("undo")
        equal(len(server.json("dkim", "list")), 4)
        text = server.json("setup", "dns", "example.test")[0]["text"]
        true("b-rsa._domainkey.example.test. IN TXT (" in text and "a-rsa" not in text, text)


# ---- mail that leaves ----


MX, TXT = 15, 16


def texts(*values, mx=()):
    """A way of the name server: TXT records, and MX hosts."""
    def way(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        if kind == MX and mx:
            return [query.answer([record(MX, struct.pack(">H", 10) + wire(host)) for host in mx])]
        if kind == TXT and values:
            cut = lambda v: [v[i:i + 255] for i in range(0, len(v), 255)]  # noqa: E731
            return [query.answer([record(TXT, b"".join(bytes([len(s)]) + s.encode() for s in cut(value)))
                                  for value in values])]
        return [query.answer()]
    return way


def site(sink, dns, rest=""):
    return Server(extra=relay(sink, rest="dns: { servers: ['%s'] }\n%s" % (dns.address, rest)))


def published(server, domain="example.test"):
    """What `setup dns` says is to be published, as the verifier asks for it: name -> text."""
    zone = server.json("setup", "dns", domain)[0]["text"]
    found = re.findall(r'^(\S+) IN TXT ((?:[(\s]*"[^"]*")+)', zone, re.M)
    return {name.encode(): "".join(re.findall(r'"([^"]*)"', text)).encode() for name, text in found}


def signatures(data):
    header = data.split(b"\r\n\r\n")[0]
    return header.lower().count(b"dkim-signature:")


def test_mail_that_leaves_is_signed_by_both_algorithms():
    """Two connections, one relay with CHUNKING: what each sink got verifies by what is published."""
    big = "From: anna@example.test\r\nTo: bo@elsewhere.test\r\nSubject: big\r\n\r\n" + ("x " * 35 + "\r\n") * 20000
    small = "From: Anna <anna@example.test>\r\nTo: bo@elsewhere.test\r\nSubject:  two  blanks \r\n\r\n.dot\r\n\r\nend \r\n\r\n\r\n"
    for ehlo in (("PIPELINING", "8BITMIME", "SIZE 100000000"), ("CHUNKING", "8BITMIME", "SIZE")):
        with NameServer({}) as dns, SmtpSink(ehlo=ehlo) as sink, site(sink, dns) as server:
            server.add_user("anna")
            server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
            look = published(server)
            for text in (small, big, small.replace("end", "other"), "From: anna@example.test\r\n\r\n"):
                submit(server, ["bo@elsewhere.test"], text)
                wait_empty(server)
            equal(len(sink.mails), 4)
            for mail in sink.mails:
                data = mail.data
                equal(signatures(data), 2, "rsa and ed25519")
                true(data.startswith(b"DKIM-Signature:"), "in front of all else")
                for number in (0, 1):
                    true(verify(data, number, look), "signature %d of %r" % (number, data[:200]))
                    true(not verify(data.replace(b"anna@", b"bob@"), number, look), "another author")
                claimed = mail.session.lines
                true(any("SIZE=%d" % len(data) in line for line in claimed), "SIZE counts the signatures: %d %s" %
                     (len(data), [line for line in claimed if "SIZE" in line]))
            steps = trace_text(server, server.json("trace")[0]["id"])
            true("signed for example.test by the keys s-rsa (rsa-sha256), s-ed25519 (ed25519-sha256)" in steps, steps)


def test_what_is_not_ours_is_not_signed():
    """A stranger's mail that a mapping sends on under a From of ours, a domain without a key, `dkim.sign: no`."""
    with NameServer({}) as dns, SmtpSink() as sink, site(sink, dns) as server:
        server.add_user("anna")
        server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
        server.cli("mapping", "add", "away@example.test", "bo@elsewhere.test")
        server.send("eve@strange.test", ["away@example.test"], "From: anna@example.test\r\nSubject: hi\r\n\r\nforged\r\n")
        wait_empty(server)
        equal([signatures(m.data) for m in sink.mails], [0], "forwarded, but not ours")
        steps = trace_text(server, server.json("trace")[0]["id"])
        true("not signed for" in steps and "its sender is a stranger" in steps, steps)
        server.cli("dkim", "retire", "example.test", "s-rsa")
        server.cli("dkim", "retire", "example.test", "s-ed25519")
        submit(server, ["bo@elsewhere.test"], "From: anna@example.test\r\n\r\nx\r\n")
        wait_empty(server)
        equal(signatures(sink.mails[1].data), 0, "no key that signs")
        true("no key signs for its domain" in trace_text(server, server.json("trace")[0]["id"]), "and it says so")
        server.cli("dkim", "add", "example.test", "--selector", "t", "--now")
        server.cli("config", "set", "dkim.sign", "no")
        submit(server, ["bo@elsewhere.test"], "From: anna@example.test\r\n\r\nx\r\n")
        wait_empty(server)
        equal(signatures(sink.mails[2].data), 0, "switched off")


def test_copies_that_stay_inside_are_not_signed():
    """Here and at a server of our own by LAN rule: only what leaves is signed."""
    with NameServer({}) as dns, SmtpSink() as out, SmtpSink() as inside, Server() as server:
        server.stop()
        os.makedirs(os.path.join(server.dir, "rules"), exist_ok=True)
        with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
            f.write("dora@example.test 127.0.0.1:%d\n" % inside.port)
        with open(server.config, "a") as f:
            f.write(relay(out, rest="dns: { servers: ['%s'] }\n" % dns.address))
        server.start()
        server.add_user("anna")
        server.add_user("cy")
        server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
        submit(server, ["cy@example.test", "dora@example.test", "bo@elsewhere.test"],
               "From: anna@example.test\r\n\r\nx\r\n")
        wait_empty(server)
        equal(signatures(out.mails[0].data), 2)
        equal(signatures(inside.mails[0].data), 0, "the copy for the LAN")
        equal(signatures(server.fetch("cy")[0]), 0, "the copy here")


# ---- records ----


def test_setup_dns_checks_what_is_published():
    """Right in one domain, wrong in another, missing; a name server that fails says nothing about the domain."""
    with NameServer({}) as dns, SmtpSink() as sink, site(sink, dns) as server:
        server.add_user("anna", "--admin")
        key = {}
        for domain in ("right.test", "wrong.test"):
            server.cli("dkim", "add", domain, "--selector", "s", "--now")
            key[domain] = {name.decode().split(".")[0]: text.decode() for name, text in published(server, domain).items()}

        dns.names.update({
            "right.test": texts("v=spf1 mx ip4:192.0.2.7 -all", "another text", mx=["other.test", "MAIL.example.test"]),
            "s-rsa._domainkey.right.test": texts(key["right.test"]["s-rsa"]),
            "s-ed25519._domainkey.right.test": texts(key["right.test"]["s-ed25519"]),
            "_dmarc.right.test": texts("v=DMARC1; p=reject"),
            "wrong.test": texts("v=spf1 mx -all", "v=spf1 -all", mx=["mx.else.test"]),
            "s-rsa._domainkey.wrong.test": texts(key["right.test"]["s-rsa"]),
            "s-ed25519._domainkey.wrong.test": "servfail"})
        rows = server.json("setup", "records", "right.test")
        equal([(row["name"], row["type"], row["state"]) for row in rows],
              [("right.test", "MX", "ok"), ("right.test", "TXT", "ok"), ("s-ed25519._domainkey.right.test", "TXT", "ok"),
               ("s-rsa._domainkey.right.test", "TXT", "ok"), ("_dmarc.right.test", "TXT", "ok")])
        out = server.json("setup", "dns", "right.test", "--check")[0]["text"]
        true(out.count("; ok\n") == 5, out)

        equal(server.cli("setup", "records", "wrong.test", ok=False).returncode, 1)
        rows = server.json("setup", "records", "wrong.test", ok=False)
        equal([row["state"] for row in rows], ["wrong", "wrong", "unknown", "wrong", "missing"])
        equal(rows[0]["found"], ["mx.else.test"])
        out = server.json("setup", "dns", "wrong.test", "--check")[0]["text"]
        true("there are several, and none counts then" in out and "it is another key" in out
             and "there is: mx.else.test" in out, out)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in list(globals().items()) if n.startswith("test_")]))
