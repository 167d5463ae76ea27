#!/usr/bin/env python3
"""run.py - real mail programs against a real server: TAP.

swaks, msmtp and curl hand in, mpop, fetchmail and curl fetch; python's smtplib and poplib do both.
"""
import os
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, Skip, equal, tap, true, unverified, wait_for  # noqa: E402

TEXT = "From: anna@example.test\r\nTo: bert@example.test\r\nSubject: {0}\r\n\r\n" \
       "line one\r\n.dot at the start\r\n..two\r\n\r\nend of {0}\r\n"


def program(name):
    if not shutil.which(name):
        raise Skip("%s is not installed" % name)
    return name


def run(*command, stdin="", status=0):
    r = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    equal(r.returncode, status, "%s: %s%s" % (command[0], r.stdout[-500:], r.stderr[-500:]))
    return r.stdout


def arrived(server, user, subject):
    """The one message with this subject, as the mailbox has it."""
    found = [m for m in server.fetch(user) if ("Subject: %s\r\n" % subject).encode() in m]
    equal(len(found), 1, "messages with the subject %s" % subject)
    return found[0].decode("utf-8", "replace")


def secret_file(server, name, text):
    path = os.path.join(server.dir, name)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    return path


def test_swaks_delivers_from_outside_SMT_06(server):
    run(program("swaks"), "--server", "127.0.0.1:%d" % server.ports["smtp"], "--from", "bo@elsewhere.test",
        "--to", "anna@example.test", "--header", "Subject: by swaks", "--body", "hello")
    text = arrived(server, "anna", "by swaks")
    true(text.startswith("Return-Path: <bo@elsewhere.test>\r\n"), "Return-Path comes first: " + text[:200])
    true("\r\nReceived: from " in text or text.startswith("Received: from"), "one Received line (SMT-17)")


def test_swaks_starttls_and_auth_on_submission(server):
    for auth in ("PLAIN", "LOGIN"):
        run(program("swaks"), "--server", "127.0.0.1:%d" % server.ports["submission"], "--tls", "--auth", auth,
            "--auth-user", "anna", "--auth-password", PASSWORD, "--from", "anna@example.test", "--to",
            "bert@example.test", "--header", "Subject: swaks " + auth)
        true("Message-" in arrived(server, "bert", "swaks " + auth), "it has a Message-ID")


def test_swaks_submissions(server):
    run(program("swaks"), "--server", "127.0.0.1:%d" % server.ports["submissions"], "--tls-on-connect", "--auth",
        "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD, "--from", "anna@example.test", "--to",
        "bert@example.test", "--header", "Subject: swaks implicit")
    arrived(server, "bert", "swaks implicit")


def test_swaks_may_not_relay_SMT_07(server):
    r = subprocess.run([program("swaks"), "--server", "127.0.0.1:%d" % server.ports["smtp"], "--from",
                        "bo@elsewhere.test", "--to", "carl@faraway.test"], capture_output=True, text=True)
    equal(r.returncode, 24, "swaks's status for a refused recipient")
    true("<** 550 5.7.1" in r.stdout or "<** 554 5.7.1" in r.stdout, r.stdout)


def test_swaks_unknown_user_SMT_12(server):
    r = subprocess.run([program("swaks"), "--server", "127.0.0.1:%d" % server.ports["smtp"], "--from",
                        "bo@elsewhere.test", "--to", "nobody@example.test"], capture_output=True, text=True)
    equal(r.returncode, 24, "swaks's status for a refused recipient")
    true("<** 550 5.1.1" in r.stdout, r.stdout)


def test_msmtp_submits(server):
    conf = secret_file(server, "msmtprc", """account default
host 127.0.0.1
port %d
tls on
tls_starttls on
tls_certcheck off
auth plain
user anna
password "%s"
from anna@example.test
""" % (server.ports["submission"], PASSWORD))
    run(program("msmtp"), "-C", conf, "bert@example.test", stdin="Subject: by msmtp\n\nhello\n")
    arrived(server, "bert", "by msmtp")


def test_curl_smtp_and_pop3(server):
    path = secret_file(server, "mail.txt", TEXT.format("by curl"))
    run(program("curl"), "-sS", "--insecure", "smtps://127.0.0.1:%d/client.test" % server.ports["submissions"], "--mail-from",
        "anna@example.test", "--mail-rcpt", "bert@example.test", "--user", "anna:" + PASSWORD, "-T", path)
    text = arrived(server, "bert", "by curl")
    true(text.endswith("line one\r\n.dot at the start\r\n..two\r\n\r\nend of by curl\r\n"), "dots survive (H2)")
    listing = run("curl", "-sS", "--insecure", "pop3s://127.0.0.1:%d/" % server.ports["pop3s"], "--user", "bert:" + PASSWORD)
    number = listing.strip().split("\n")[-1].split()[0]
    last = subprocess.run(["curl", "-sS", "--insecure", "pop3://127.0.0.1:%d/%s" % (server.ports["pop3"], number),
                           "--ssl-reqd", "--user", "bert:" + PASSWORD], capture_output=True)
    equal(last.returncode, 0, last.stderr)
    equal(last.stdout.decode(), text, "the same message over STLS")


def test_mpop_fetches(server):
    server.send("bo@elsewhere.test", ["mia@example.test"], TEXT.format("for mpop"))
    box = os.path.join(server.dir, "mpop.box")
    conf = secret_file(server, "mpoprc", """account default
host 127.0.0.1
port %d
tls on
tls_starttls off
tls_certcheck off
user mia
password "%s"
delivery mbox %s
uidls_file %s/mpop.uidls
keep off
""" % (server.ports["pop3s"], PASSWORD, box, server.dir))
    run(program("mpop"), "-C", conf)
    with open(box) as f:
        true("Subject: for mpop\n" in f.read(), "the message is in the mbox")
    equal(server.fetch("mia"), [], "mpop deleted what it had fetched (H28)")


def test_fetchmail_fetches(server):
    server.send("bo@elsewhere.test", ["finn@example.test"], TEXT.format("for fetchmail"))
    conf = secret_file(server, "fetchmailrc", """poll 127.0.0.1 service %d protocol pop3
  user "finn" password "%s" ssl sslproto "auto" no sslcertck nokeep
  mda "cat >> %s/fetchmail.box"
""" % (server.ports["pop3s"], PASSWORD, server.dir))
    os.environ["FETCHMAILHOME"] = server.dir
    run(program("fetchmail"), "-f", conf, "--nosyslog", "--pidfile", os.path.join(server.dir, "fetchmail.pid"))
    with open(os.path.join(server.dir, "fetchmail.box")) as f:
        true("Subject: for fetchmail\n" in f.read(), "the message is in the file")
    equal(server.fetch("finn"), [], "fetchmail deleted what it had fetched")


def test_smtplib_extensions_SMT_01(server):
    with server.smtp("submission") as s:
        s.ehlo()
        for word in ("size", "dsn", "starttls", "8bitmime", "pipelining", "enhancedstatuscodes", "smtputf8"):
            true(s.has_extn(word), "EHLO lists " + word)
        true(not s.has_extn("auth"), "no AUTH before TLS (H67)")
        s.starttls(context=unverified())
        s.ehlo()
        true("PLAIN" in s.esmtp_features["auth"] and "LOGIN" in s.esmtp_features["auth"], "AUTH under TLS")


def test_smtplib_refused_login_leaves_no_trace_of_the_password_H66(server):
    with server.smtp("submission") as s:
        s.starttls(context=unverified())
        try:
            s.login("anna", PASSWORD + "x")
            raise AssertionError("a wrong password logged in")
        except Exception as e:
            true("535" in str(e), str(e))


def test_poplib_locks_the_mailbox_POP_05(server):
    first = server.pop("anna", tls=False)
    try:
        server.pop("anna")
        raise AssertionError("a second session came in")
    except Exception as e:
        true("IN-USE" in str(e), str(e))
    first.quit()
    server.pop("anna").quit()


def test_poplib_unique_ids_survive_a_restart_POP_01(server):
    server.send("bo@elsewhere.test", ["uma@example.test"], TEXT.format("uid"))
    before = server.pop("uma").uidl()[1]
    equal(len(before), 1)
    server.stop()
    server.start()
    equal(server.pop("uma").uidl()[1], before)


def test_poplib_sizes_agree_POP_03(server):
    server.send("bo@elsewhere.test", ["uma@example.test"], TEXT.format("size"))
    p = server.pop("uma")
    for line in p.list()[1]:
        number, size = map(int, line.split())
        equal(len(b"\r\n".join(p.retr(number)[1]) + b"\r\n"), size, "octets of RETR and LIST")
    equal([line.rstrip() for line in p.top(1, 0)[1]][-1], b"", "TOP 0 ends with the blank line")
    p.quit()


def test_one_message_to_many_is_stored_once(server):
    body = "".join("%08d this is line %d of a long body\r\n" % (i, i) for i in range(20000))
    before = server.json("status")[0]["store"]
    server.send("bo@elsewhere.test", ["m%d@example.test" % i for i in range(20)], "Subject: many\r\n\r\n" + body)
    after = server.json("status")[0]["store"]
    for i in (0, 19):
        true(arrived(server, "m%d" % i, "many").endswith("\r\n\r\n" + body), "byte for byte equal")
    true(after["used"] - before["used"] < 3 * len(body), "one body for 20 recipients")


def test_a_relayed_recipient_waits_in_the_queue_and_is_seen(server):
    with server.smtp("submission") as s:
        s.starttls(context=unverified())
        s.login("anna", PASSWORD)
        s.sendmail("anna@example.test", ["carl@faraway.test"], TEXT.format("outward"))
    rows = [r for r in server.json("queue", "list") if "carl@faraway.test" in str(r["recipients"])]
    equal(len(rows), 1, "queue entries for carl")
    equal(rows[0]["sender"], "anna@example.test")


def test_trace_and_explain_agree_H88(server):
    server.send("bo@elsewhere.test", ["anna@example.test"], TEXT.format("traced"))
    rows = server.json("trace", "--from", "bo@elsewhere.test", "--to", "anna@example.test")
    true(rows, "trace finds the message")
    told = server.json("explain", "--from", "bo@elsewhere.test", "--to", "anna@example.test")[0]
    equal(told["reply"]["code"], 250)
    equal([(c["kind"], c["target"]) for c in told["copies"]], [("mailbox", "anna")])
    refused = server.json("explain", "--from", "bo@elsewhere.test", "--to", "nobody@example.test")[0]
    equal(refused["reply"]["code"], 550)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_one_service_on_ipv4_ipv6_and_a_unix_socket_SVC_01(_):
    if not has_ipv6():
        raise Skip("this machine has no IPv6")
    other = Server(services=("smtp",))
    port, path = other.ports["smtp"], os.path.join(other.dir, "smtp.sock")
    with open(other.config) as f:
        text = f.read()
    with open(other.config, "w") as f:
        f.write(text.replace('["127.0.0.1:%d"]' % port, '["127.0.0.1:%d", "[::1]:%d", "unix:%s"]' % (port, port, path)))
    with other:
        for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port)), (socket.AF_UNIX, path)):
            with socket.socket(family) as s:
                s.settimeout(60)
                s.connect(address)
                equal(s.recv(4), b"220 ", "the greeting on %s" % (address,))


def test_a_refusal_is_traced_at_once_H88(server):
    with server.smtp() as s:
        s.ehlo()
        s.mail("eve@elsewhere.test")
        equal(s.rcpt("stranger@example.test")[0], 550)
    rows = server.json("trace", "--to", "stranger@example.test")
    equal([(r["from"], r["result"][:3]) for r in rows], [("eve@elsewhere.test", "550")])


def test_canary_password_is_nowhere_H66(server):
    found = []
    for folder, _, names in os.walk(server.dir):
        for name in names:
            if name in ("msmtprc", "mpoprc", "fetchmailrc"):
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    if PASSWORD.encode() in f.read():
                        found.append(path)
    equal(found, [], "files that hold the password")


def main():
    with Server() as server:
        server.add_user("postmaster", "--admin")
        for name in ["anna", "bert", "mia", "finn", "uma"] + ["m%d" % i for i in range(20)]:
            server.add_user(name)
        tests = [(n[5:].replace("_", " "), f) for n, f in sorted(globals().items(), key=lambda i: order(i[1]))
                 if n.startswith("test_")]
        return tap(tests, server)


def order(item):
    return item.__code__.co_firstlineno if hasattr(item, "__code__") else 0


if __name__ == "__main__":
    sys.exit(main())
