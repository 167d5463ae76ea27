#!/usr/bin/env python3
"""outgoing_wire.py - what a server does not take: 8-bit text, SMTPUTF8, size, DSN; names beyond ASCII; passwords that are kept
elsewhere; what the trace says of TLS (RFC 6152, 6531, 5891, 1870, 3461, 3207)."""
import email
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import A, NameServer, record, wire  # noqa: E402
from outgoing_site import CLOCK, certificate, relay, site, trace_text, wait_deferred, wait_empty  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

PLAIN, EIGHT, ALL = ("PIPELINING", "SIZE"), ("PIPELINING", "8BITMIME", "SIZE"), ("8BITMIME", "SMTPUTF8", "SIZE", "DSN")
GREETING = "Gr\u00fc\u00dfe = \u00fcberall \r\n"
MULTI = ("From: anna@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
         "Content-Type: multipart/%s; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n\r\n%s\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
         "Subject: inside\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n--b--\r\n")


def send(server, to, text, options=(), rcpt=(), sender="anna@example.test"):
    """As anna, byte for byte, with parameters of MAIL and RCPT."""
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        if "SMTPUTF8" in options:
            c.command_encoding = "utf-8"
        code, said = c.mail(sender, list(options))
        equal(code, 250, said)
        for one in to:
            code, said = c.rcpt(one, list(rcpt))
            equal(code, 250, said)
        code, said = c.data(text if isinstance(text, bytes) else text.encode())
        equal(code, 250, said)


def leaves(data):
    return [p.get_payload(decode=True) for p in email.message_from_bytes(data).walk() if not p.is_multipart()]


def report_of(server, user="anna"):
    """The text of the one report that USER got."""
    wait_for(lambda: server.fetch(user), "a report", 15)
    found = server.fetch(user)
    equal(len(found), 1, "one report")
    return found[0].decode("utf-8", "replace")


def latest(server):
    return trace_text(server, server.json("trace", "--from", "anna@example.test")[0]["id"])


# ---- 8BITMIME ----


def test_8bit_text_is_made_7bit_where_it_must_be_RFC_6152():
    """Parts decode to the same bytes, SIZE is what is sent, the signature is over it; also where nobody said BODY=8BITMIME."""
    text = MULTI % ("mixed", GREETING, GREETING * 3000)
    want = leaves(text.encode())
    for ehlo, options in ((PLAIN, ["BODY=8BITMIME"]), (PLAIN, []), (("CHUNKING",), []), (None, [])):
        with SmtpSink(ehlo=ehlo) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
            send(server, ["bo@elsewhere.test"], text, options)
            wait_empty(server)
            data = sink.mails[0].data
            true(data.isascii(), "7-bit")
            equal(leaves(data), want, "the same bytes in the same parts")
            true("8bit" not in data.decode().lower().split("dkim-signature:")[-1].split("from:", 1)[1], "nothing says 8bit")
            if ehlo == PLAIN:
                true("SIZE=%d" % len(data) in sink.mails[0].session.mail_line, "SIZE is right")
            true("BODY=" not in sink.mails[0].session.mail_line, "and BODY is not said")
            true("made 7-bit for 127.0.0.1" in latest(server), latest(server))
            with open(os.path.join(server.dir, "sent.eml"), "wb") as f:
                f.write(data)
            verify_elsewhere(server, data)


def verify_elsewhere(server, data):
    """By python3-dkim, which is a package of Debian's own python3."""
    import json
    import re
    import subprocess
    zone = server.json("setup", "dns", "example.test")[0]["text"]
    look = {name: "".join(re.findall(r'"([^"]*)"', text))
            for name, text in re.findall(r'^(\S+) IN TXT ((?:[(\s]*"[^"]*")+)', zone, re.M)}
    program = ("import sys,json,dkim; look=json.loads(sys.argv[1]); data=sys.stdin.buffer.read();"
               "print([dkim.DKIM(data).verify(n, dnsfunc=lambda name, timeout=5: look.get(name.decode(), '').encode())"
               " for n in (0, 1)])")
    out = subprocess.run(["/usr/bin/python3", "-c", program, json.dumps(look)], input=data, stdout=subprocess.PIPE, check=True)
    equal(out.stdout.strip(), b"[True, True]", "both signatures are over what was sent")


def test_8bit_text_goes_as_it_is_where_it_may():
    with SmtpSink(ehlo=EIGHT) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@elsewhere.test"], MULTI % ("mixed", GREETING, GREETING))
        wait_empty(server)
        true(sink.mails[0].data.endswith((MULTI % ("mixed", GREETING, GREETING)).encode()[-300:]), "byte for byte")
        true("BODY=8BITMIME" in sink.mails[0].session.mail_line, "found in the text, and said")


def test_signed_8bit_text_is_reported_and_never_altered():
    with SmtpSink(ehlo=PLAIN) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@elsewhere.test"], MULTI % ("signed", GREETING, "plain\r\n"), ["BODY=8BITMIME"])
        report = report_of(server)
        true("Status: 5.6.3" in report and "signed or encrypted" in report, report)
        equal(sink.mails, [])
        send(server, ["bo@elsewhere.test"], MULTI % ("signed", "plain\r\n", "plain\r\n"), ["BODY=8BITMIME"])
        wait_empty(server)
        true(sink.mails[0].data.endswith((MULTI % ("signed", "plain\r\n", "plain\r\n")).encode()[-300:]), "ASCII: untouched")


# ---- SMTPUTF8, IDN ----


def test_smtputf8_is_passed_on_where_it_is_offered_RFC_6531():
    text = "From: anna@example.test\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nhi\r\n"
    with SmtpSink(ehlo=ALL) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["j\u00f6rg@b\u00fccher.test"], text, ["SMTPUTF8", "BODY=8BITMIME"])
        wait_empty(server)
        equal(sink.mails[0].recipients, ["j\u00f6rg@b\u00fccher.test"])
        true(" SMTPUTF8" in sink.mails[0].session.mail_line, sink.mails[0].session.mail_line)
        true(text.encode()[-30:] in sink.mails[0].data, "the header as it came")


def test_without_smtputf8_domains_become_a_labels_and_the_rest_is_reported_RFC_5891():
    """A UTF-8 local part is refused by itself; others of the same message go on."""
    with SmtpSink(ehlo=EIGHT) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@b\u00fccher.test", "j\u00f6rg@x.test", "cy@x.test"], "From: anna@example.test\r\n\r\nhi\r\n",
             ["SMTPUTF8", "BODY=8BITMIME"])
        report = report_of(server)
        wait_empty(server)
        equal(sink.mails[0].recipients, ["bo@xn--bcher-kva.test", "cy@x.test"])
        true("SMTPUTF8" not in sink.mails[0].session.mail_line, "not said")
        true("Status: 5.6.7" in report and "cy@x.test" not in report.split("Final-Recipient", 1)[1].split("\r\n\r\n")[0], report)


def test_a_utf8_header_towards_a_server_without_smtputf8_is_reported():
    with SmtpSink(ehlo=EIGHT) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@x.test"], "From: anna@example.test\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nhi\r\n", ["SMTPUTF8", "BODY=8BITMIME"])
        report = report_of(server)
        true("5.6.7" in report and not sink.mails, report)
        send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n", ["SMTPUTF8", "BODY=8BITMIME"])
        wait_empty(server)
        equal(len(sink.mails), 1, "nothing in it needs SMTPUTF8")


def test_mx_is_asked_for_by_a_labels_RFC_5891():
    def mx(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        return [query.answer([record(15, struct.pack(">H", 5) + wire("mx.test"))] if kind == 15 else [])]

    def address(query, tcp):
        kind = struct.unpack(">H", query.question[-4:-2])[0]
        return [query.answer([record(A, socket.inet_aton("127.0.0.1"))] if kind == A else [])]

    with SmtpSink(ehlo=EIGHT) as sink, NameServer({"xn--bcher-kva.test": mx, "mx.test": address}) as dns:
        extra = "outgoing: { routes: [ { name: d, kind: direct, port: %d, allow_loopback: yes } ] }\ndns: { servers: ['%s'] }\n" % (
            sink.port, dns.address)
        with site(extra + CLOCK) as server:
            server.add_user("anna")
            send(server, ["bo@b\u00fccher.test"], "From: anna@example.test\r\n\r\nhi\r\n", ["SMTPUTF8"])
            wait_empty(server)
            true(sink.mails, latest(server))
            equal(sink.mails[0].recipients, ["bo@xn--bcher-kva.test"])


# ---- SIZE, DSN ----


def test_a_smaller_size_is_5_3_4_without_the_text_RFC_1870():
    with SmtpSink(ehlo=("PIPELINING", "8BITMIME", "SIZE 2000")) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\n" + "x" * 70 + "\r\n" * 2000)
        report = report_of(server)
        true("Status: 5.3.4" in report, report)
        true(not any(line.startswith(("MAIL", "DATA")) for s in sink.sessions for line in s.lines), "it was not even asked")


def test_dsn_is_passed_on_where_it_is_offered_RFC_3461():
    options, rcpt = ["RET=HDRS", "ENVID=id+2B7"], ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;bo@old.test"]
    text = "From: anna@example.test\r\n\r\nhi\r\n"
    with SmtpSink(ehlo=ALL) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@x.test"], text, options, rcpt)
        wait_empty(server)
        lines = sink.mails[0].session.lines
        true(any("RET=HDRS" in line and "ENVID=id+2B7" in line for line in lines), lines)
        true(any("NOTIFY=SUCCESS,FAILURE" in line and "ORCPT=rfc822;bo@old.test" in line for line in lines), lines)
        equal(server.fetch("anna"), [], "the next server reports")


def test_dsn_is_answered_here_where_it_is_not_offered_RFC_3461():
    """The success that was asked for becomes a `relayed` report (RFC 3461, 5.2.2); without NOTIFY there is none."""
    text = "From: anna@example.test\r\n\r\nhi\r\n"
    with SmtpSink(ehlo=EIGHT) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        send(server, ["bo@x.test"], text)
        send(server, ["bo@x.test"], text, ["ENVID=id+2B7"], ["NOTIFY=SUCCESS", "ORCPT=rfc822;bo@old.test"])
        report = report_of(server)
        wait_empty(server)
        true("Action: relayed" in report and "Original-Envelope-Id: id+7" in report
             and "Original-Recipient: rfc822;bo@old.test" in report, report)
        true(not any("NOTIFY" in line or "ENVID" in line for s in sink.sessions for line in s.lines), "nothing of it was said")


# ---- passwords, TLS ----


def test_the_password_of_a_route_is_sealed_or_in_a_file_H65_H66():
    with SmtpSink(accounts={"u": "p w-7x"}, auth_in_clear=True) as sink, Server() as server:
        secret = os.path.join(server.dir, "isp.secret")
        with open(os.open(secret, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            f.write("p w-7x\n")
        server.stop()
        with open(server.config, "a") as f:
            f.write(relay(sink, username="u", tls="none", password="{file: %s}" % secret))
        server.start()
        server.add_user("anna")
        send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
        wait_empty(server)
        equal(sink.mails[0].session.user, "u")
        os.unlink(secret)
        send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
        wait_for(lambda: len(sink.mails) == 2 or "cannot be read" in str(server.json("queue", "list")),
                 "sent over the open connection, or it says that there is no password", 15)


def test_a_password_that_a_command_sealed_H65_H66():
    """The file has its name alone; a server started anew can open it."""
    with SmtpSink(accounts={"u": "p w-7x"}, auth_in_clear=True) as sink, Server(extra=CLOCK) as server:
        server.add_user("anna", "--admin")
        server.cli("route", "add", "isp", "kind=relay", "servers=127.0.0.1:%d" % sink.port, "tls=none", "username=u",
                   "--password-stdin", stdin="p w-7x\n")
        with open(server.config) as f:
            text = f.read()
        true("sealed" in text and "p w-7x" not in text, text)
        for _ in range(2):
            send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
            wait_empty(server)
            server.stop()
            server.start()
        equal([mail.session.user for mail in sink.mails], ["u", "u"])


def test_the_trace_has_what_became_of_tls_H68():
    """Version, suite, verified or not and why: of each attempt."""
    with Server(extra="") as folder:
        cert = certificate(folder.dir, "localhost")
        with SmtpSink(tls=cert) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
            wait_empty(server)
            steps = latest(server)
            true("TLSv1.2 TLS-" in steps and "not verified: " in steps and "self" in steps, steps)
        with SmtpSink(tls=cert) as sink, site(relay(sink, tls="verified")) as server:
            server.add_user("anna")
            send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
            wait_deferred(server)
            steps = latest(server)
            true("TLS failed" in steps and "self" in steps, steps)
        with SmtpSink() as sink, site(relay(sink)) as server:
            server.add_user("anna")
            send(server, ["bo@x.test"], "From: anna@example.test\r\n\r\nhi\r\n")
            wait_empty(server)
            true("in clear" in latest(server), latest(server))


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")]))
