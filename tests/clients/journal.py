#!/usr/bin/env python3
"""journal.py - the journal: who is recorded, in which form, where the copies go, and whose journal is taken in: TAP.

A collector fetches the internal mailbox by POP3S (python's poplib), a sink takes the external one by STARTTLS.
Scenario 34 of the catalogue; JRN-01 to JRN-14, Q-36, Q-37.
"""
import contextlib
import email
import email.policy
import os
import smtplib
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
import peers  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

CLOCK = "testing: { clock: yes }\n"
SECRET = "canary-Jrn:5 pass"
RAW = (b"From: Anna <anna@example.test>\r\nTo: bert@example.test\r\nBcc: hidden@far.test\r\nSubject: caf\xc3\xa9\r\n"
       b"Message-ID: <1@example.test>\r\n\r\n8-bit \xe9\xff\r\n.dot\r\n--boundary\r\n\r\nend\r\n")


@contextlib.contextmanager
def site(extra="", **keys):
    """A server with people, and its journal set by KEYS."""
    with Server(extra=CLOCK + extra) as here:
        for user in (("postmaster", "--admin"), ("anna",), ("bert",), ("carl",), ("jbox",)):
            here.add_user(*user)
        if keys:
            journal(here, **keys)
        yield here


def journal(here, **keys):
    here.cli("journal", "set", *("%s=%s" % pair for pair in keys.items()))


def letter(sender, to, subject="hi"):
    return "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@x.test>\r\n\r\nhello\r\n" % (sender, to, subject, subject)


def submit(server, user, recipients, message):
    with server.smtp("submissions") as c:
        c.login(user, PASSWORD)
        c.sendmail("%s@example.test" % user, recipients, message, ["BODY=8BITMIME"])


def opened(raw):
    """A report: its lines, and the original as bytes."""
    boundary = email.message_from_bytes(raw).get_boundary().encode()
    parts = raw.split(b"--" + boundary)
    equal(len(parts), 4, "parts of %r" % raw)
    original = parts[2].partition(b"\r\n\r\n")[2]
    true(original.endswith(b"\r\n"), "the line before a boundary is the boundary's")
    text = email.message_from_bytes(parts[1].lstrip(b"\r\n")).get_payload(decode=True).decode()
    return [line for line in text.split("\r\n") if line], original[:-2]


def recorded(server):
    """Subjects that the journal has."""
    return [dict(line.split(": ", 1) for line in opened(m)[0])["Subject"] for m in server.fetch("jbox")]


def seats(server):
    return {s["address"]: s["kind"] for s in server.json("journal", "seats")}


def retry(server):
    server.cli("queue", "retry", "--all", "--wait", ok=False)


def test_jrn_01_jrn_02_a_pop3s_client_fetches_copies_of_mail_in_and_out_and_inside():
    with SmtpSink() as far, site(extra="outgoing: { routes: [ { name: isp, servers: [\"127.0.0.1:%d\"], tls: none } ] }\n"
                                 % far.port) as server:
        journal(server, internal="jbox")
        server.send("x@far.test", ["anna@example.test"], letter("x@far.test", "anna@example.test", "in"))
        submit(server, "anna", ["y@far.test"], letter("anna@example.test", "y@far.test", "out"))
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "inside"))
        equal(recorded(server), ["in", "out", "inside"])
        equal(seats(server), {"x@far.test": "external", "anna@example.test": "internal"}, "JRN-07: noted without a limit")
        equal(len(server.fetch("anna")), 1, "and delivered")
        wait_for(lambda: len(far.mails) == 1, "sent on")
        # of Everyone it is not, and nothing forwards or answers what lies there
        server.cli("user", "set", "jbox", "forward=yes", "forward_to=bert", "everyone=yes")
        server.cli("mapping", "add", "all@example.test", "Everyone")
        submit(server, "anna", ["all@example.test"], letter("anna@example.test", "all@example.test", "all"))
        equal(recorded(server).count("all"), 1, "one copy, as the journal")
        equal([b"Subject: all" in m for m in server.fetch("bert")].count(True), 1)
        equal(len(server.fetch("jbox")), 4)
        journal(server, internal="")
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "off"))
        equal(len(server.fetch("jbox")), 4, "switched off")


def test_jrn_05_the_report_shows_bcc_and_holds_the_original_byte_for_byte():
    with site(internal="jbox") as server:
        server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "bert", "--member", "carl")
        submit(server, "anna", ["bert@example.test", "carl@example.test", "team@example.test"], RAW)
        raw, = server.fetch("jbox")
        lines, original = opened(raw)
        equal(original, RAW)
        equal(lines[:6], ["Sender: anna@example.test", "Subject: caf\xe9", "Message-Id: <1@example.test>",
                          "To: bert@example.test", "Bcc: carl@example.test", "Bcc: team@example.test"])
        message = email.message_from_bytes(raw, policy=email.policy.default)
        equal(message.get_content_type(), "multipart/mixed")
        equal([p.get_content_type() for p in message.iter_parts()], ["text/plain", "message/rfc822"])
        true("X-MS-Journal-Report" in message, "as Exchange marks it")
        journal(server, format="plain")
        submit(server, "anna", ["bert@example.test", "carl@example.test"], RAW)
        plain = server.fetch("jbox")[1]
        true(plain.endswith(RAW), plain)
        equal([s.decode() for s in plain.split(b"\r\n") if s.startswith(b"X-Envelope")],
              ["X-Envelope-From: <anna@example.test>", "X-Envelope-Count: 2", "X-Envelope-To: <bert@example.test>",
               "X-Envelope-To: <carl@example.test>"])
        submit(server, "anna", ["bert@example.test"], b"From: anna@example.test\r\nSubject: big\r\n\r\n" + b"line of text\r\n" * 200000)
        journal(server, format="")
        submit(server, "anna", ["bert@example.test"], b"From: anna@example.test\r\nSubject: big\r\n\r\n" + b"line of text\r\n" * 200000)
        large = server.fetch("jbox")
        true(large[2].endswith(b"line of text\r\n" * 200000), "what was written as it came")
        equal(opened(large[3])[1].count(b"line of text\r\n"), 200000)
        server.stop()
        equal(server.check()[0], 0)


def certificate(folder):
    base = os.path.join(folder, "sink")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", base + ".key", "-out",
                    base + ".pem", "-days", "30", "-subj", "/CN=sink.test"], check=True, capture_output=True)
    return base + ".pem", base + ".key"


def test_jrn_03_a_starttls_sink_gets_them_and_one_that_is_down_delays_nothing():
    with site() as server, SmtpSink(tls=certificate(server.dir), accounts={"jrn": SECRET},
                                    ehlo=("PIPELINING", "8BITMIME", "STARTTLS", "AUTH PLAIN LOGIN")) as sink:
        server.cli("journal", "set", "external=journal@arc.test", "server=127.0.0.1:%d" % sink.port, "tls=starttls",
                   "username=jrn", "--password-stdin", stdin=SECRET + "\n")
        submit(server, "anna", ["bert@example.test"], RAW)
        wait_for(lambda: sink.mails, "it is there")
        mail = sink.mails[0]
        equal((mail.sender, mail.recipients), ("", ["journal@arc.test"]))
        true(mail.session.tls and mail.session.user == "jrn", "encrypted, and logged in")
        equal(opened(mail.data)[1], RAW)
        with open(server.config) as f:
            true(SECRET not in f.read(), "the password is sealed (H66)")
        true(SECRET not in server.cli("journal", "show", "--json").stdout, "and shown to nobody")
        port = sink.port
    with site(external="journal@arc.test", server="127.0.0.1:%d" % port) as server:
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "down"))
        equal((len(server.fetch("bert")), len(server.json("queue", "list"))), (1, 1), "at once, while the copy waits")
        wait_for(lambda: [q["state"] for q in server.json("queue", "list")] == ["deferred"], "the copy waits")
        with SmtpSink() as sink:
            server.cli("journal", "set", "server=127.0.0.1:%d" % sink.port, "tls=none")
            retry(server)
            wait_for(lambda: sink.mails and not server.json("queue", "list"), "sent when it is up")
            equal(len(sink.mails), 1)


def test_jrn_03_a_real_postfix_takes_them_by_starttls():
    with peers.Postfix(tls="encrypt") as peer, site() as server:
        journal(server, external="journal@postfix.test", server="127.0.0.1:%d" % peer.port, tls="starttls")
        plain = RAW.replace(b"\xc3\xa9", b"e").replace(b"\xe9\xff", b"ef")
        submit(server, "anna", ["bert@example.test", "carl@example.test"], plain)
        wait_for(peer.mails, "it arrives: " + peer.log()[-500:], 20)
        arrived, = peer.mails()
        equal(arrived.recipients, ["journal@postfix.test"])
        lines, original = opened(arrived.text)
        equal(original, plain)
        true("Bcc: carl@example.test" in lines, lines)


def test_jrn_06_a_single_address_of_another_domain_is_internal():
    with site(internal="jbox", seats_external=0, internal_list="example.test;user@partner.com") as server:
        for sender in ("user@partner.com", "other@partner.com"):
            server.send(sender, ["anna@example.test"], letter(sender, "anna@example.test", sender))
        equal(recorded(server), ["user@partner.com"])
        equal(server.json("journal", "show")[0]["internal_list"], ["example.test", "user@partner.com"])
        equal(seats(server), {"user@partner.com": "internal"})


def test_jrn_08_one_seat_anna_is_recorded_then_bert_is_not_and_anna_still_is():
    with site(internal="jbox", seats_internal=1) as server:
        for user in ("anna", "bert", "anna"):
            submit(server, user, ["carl@example.test"], letter(user + "@example.test", "carl@example.test", user))
        equal(recorded(server), ["anna", "anna"])
        equal(len(server.fetch("carl")), 3, "JRN-13: ignored is delivered")
        shown, = server.json("journal", "show")
        equal((shown["used_internal"], shown["free_internal"], shown["free_external"]), (1, 0, None))
        # JRN-07: a lower number takes no seat away
        journal(server, seats_internal=0)
        submit(server, "anna", ["carl@example.test"], letter("anna@example.test", "carl@example.test", "kept"))
        equal(recorded(server)[-1], "kept")


def test_jrn_09_jrn_10_jrn_11_the_decision_table_with_two_internal_and_one_external_seat():
    with site(internal="jbox", seats_internal=2, seats_external=1) as server:
        def outside(sender, *to, header=None):
            name = "%s-%s" % (sender, "-".join(to))
            server.send(sender + "@far.test", ["%s@example.test" % t for t in to],
                        letter(sender + "@far.test", ", ".join("%s@example.test" % t for t in header or to), name))
            return name
        missed = outside("x", "anna", "bert", "carl")  # three without a seat, two free
        equal(seats(server), {}, "JRN-11: it took none")
        first = outside("x", "anna")
        equal(seats(server), {"x@far.test": "external", "anna@example.test": "internal"})
        second = outside("y", "anna")  # JRN-09: no external seat left
        third = outside("x", "bert", "carl")  # JRN-10: one of two coverable
        equal(len(seats(server)), 2, "JRN-11: one is still free")
        fourth = outside("x", "bert")
        fifth = outside("x", "bert", header=["carl"])  # To counts as the envelope does
        sixth = outside("x", "anna", "bert")
        equal(recorded(server), [first, fourth, sixth])
        have = [m for user in ("anna", "bert", "carl") for m in server.fetch(user)]
        for name in (missed, second, third, fifth):
            true(any(("Subject: " + name).encode() in m for m in have), "JRN-13: %s is in an INBOX" % name)
        journal(server, seats_external=0)
        server.cli("journal", "release", "x@far.test")
        outside("x", "anna")
        equal(len(recorded(server)), 3, "JRN-09: 0 external seats")


def test_jrn_12_seats_are_listed_released_and_brought_back():
    with site(internal="jbox", seats_internal=1) as server:
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "one"))
        row, = server.json("journal", "seats")
        equal((row["address"], row["kind"]), ("anna@example.test", "internal"))
        true(row["since"].startswith("20") and row["last"] >= row["since"], row)
        server.cli("clock", "advance", "2h")
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "two"))
        again, = server.json("journal", "seats")
        equal(again["since"], row["since"])
        true(again["last"] > row["last"], "its last message")
        equal(server.cli("journal", "release", "nobody@example.test", ok=False).returncode, 1)
        server.cli("journal", "release", "ANNA@example.test")
        equal(seats(server), {})
        server.cli("undo")
        equal(seats(server), {"anna@example.test": "internal"})
        server.cli("journal", "release", "anna@example.test")
        submit(server, "bert", ["anna@example.test"], letter("bert@example.test", "anna@example.test", "bert"))
        equal(seats(server), {"bert@example.test": "internal"})
        equal(server.cli("undo", ok=False).returncode in (0, 1), True)
        equal(server.cli("journal", "set", "internal=nosuch", ok=False).returncode, 1)
        equal(server.cli("journal", "set", "colour=red", ok=False).returncode, 1)
        equal(server.cli("journal", "set", "external=a@b.test", "server=", ok=False).returncode, 1)


def test_jrn_11_of_many_at_once_no_more_are_recorded_than_there_are_seats():
    users = ["u%d" % i for i in range(12)]
    with site(internal="jbox", seats_internal=3) as server:
        for user in users:
            server.add_user(user)
        threads = [threading.Thread(target=submit, args=(server, u, ["bert@example.test"],
                                    letter(u + "@example.test", "bert@example.test", u))) for u in users]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(len(server.fetch("bert")), 12, "JRN-13")
        equal(len(seats(server)), 3)
        equal(sorted(recorded(server)), sorted(a.partition("@")[0] for a in seats(server)))
        server.stop()
        equal(server.check()[0], 0)


def test_explain_predicts_the_copies_and_names_each_seat():
    with site(internal="jbox", external="j@arc.test", server="127.0.0.1:9", seats_internal=1) as server:
        path = os.path.join(server.dir, "m.eml")
        with open(path, "w") as f:
            f.write(letter("anna@example.test", "bert@example.test"))
        ask = ("explain", "--from", "anna@example.test", "--to", "bert@example.test", "--auth", "anna", "--message", path)
        told, = server.json(*ask)
        equal([(c["kind"], c["target"]) for c in told["copies"]],
              [("mailbox", "bert"), ("journal", "jbox"), ("journal", "j@arc.test")])
        true(any("anna@example.test: internal, takes a free seat (0 of 1 used)" in str(s) for s in told["steps"]), told)
        equal(seats(server), {}, "explain takes none")
        submit(server, "carl", ["bert@example.test"], letter("carl@example.test", "bert@example.test"))
        told, = server.json(*ask)
        equal([c["kind"] for c in told["copies"]], ["mailbox"])
        true(any("none is free for it (1 of 1 used)" in str(s) for s in told["steps"]), told)


def test_jrn_14_the_bounce_of_a_journal_copy_goes_to_the_main_administrator_and_is_not_journaled():
    with SmtpSink(replies={"RCPT": "550 5.1.1 no journal here"}) as sink, \
            site(internal="jbox", external="j@arc.test", server="127.0.0.1:%d" % sink.port, tls="none") as server:
        submit(server, "anna", ["bert@example.test"], letter("anna@example.test", "bert@example.test", "one"))
        wait_for(lambda: server.fetch("postmaster"), "the Main Administrator is told")
        told, = server.fetch("postmaster")
        true(b"no journal here" in told and b"j@arc.test" in told, told)
        equal(recorded(server), ["one"], "and that is not journaled")
        equal([server.fetch("anna"), len(server.fetch("bert"))], [[], 1], "who wrote it hears nothing")
        equal(server.json("queue", "list"), [])


def arrive(server, message, sender="", to="arrive@journal.test"):
    with server.smtp() as c:
        c.sendmail(sender, [to], message)


def archived(server):
    """What the trace says of each message that arrived at the journal's address."""
    rows = server.json("trace", "--to", "arrive@journal.test")
    return [step for row in rows for step in server.json("trace", row["id"])[0]["steps"]]


def kept(server, number):
    path = os.path.join(server.dir, "%d.eml" % number)
    server.cli("archive", "show", number, "--out", path)
    with open(path, "rb") as f:
        return f.read()


EXCHANGE = (b"From: Microsoft Exchange <MicrosoftExchange329@corp.test>\r\nTo: arrive@journal.test\r\n"
            b"Subject: hello\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n"
            b"\tboundary=\"_b_\"\r\n\r\n--_b_\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\n"
            b"Sender: ann@corp.test\r\nSubject: hello\r\nMessage-Id: <7@corp.test>\r\nTo: bo@corp.test\r\n"
            b"Bcc: secret@rival.test\r\nCc: cy@corp.test, Expanded: all@corp.test\r\n\r\n"
            b"--_b_\r\nContent-Type: message/rfc822\r\n\r\nFrom: ann@corp.test\r\nSubject: hello\r\n\r\nthe original\r\n"
            b"\r\n--_b_--\r\n")


def test_jrn_04_another_servers_journal_goes_into_the_archive_and_to_no_user():
    with site(internal="jbox", receive="arrive@journal.test", receive_from="127.0.0.1") as server:
        arrive(server, EXCHANGE)
        arrive(server, b"X-Envelope-From: <ann@corp.test>\r\nX-Envelope-To: <bo@corp.test>\r\nSubject: plain\r\n\r\nit\r\n")
        arrive(server, b"Subject: neither\r\n\r\nit\r\n", sender="x@corp.test")
        said = archived(server)
        true(any("from <ann@corp.test> to bo@corp.test and 2 more" in s for s in said), said)
        true(any("from <ann@corp.test> to bo@corp.test" in s and "more" not in s for s in said), said)
        true(any("kept as it came" in s for s in said), said)
        equal(sum("access line 127.0.0.1" in s for s in said), 3)
        equal(sum("it is in the archive as" in s for s in said), 3)
        equal(kept(server, 1), b"From: ann@corp.test\r\nSubject: hello\r\n\r\nthe original\r\n")
        equal(kept(server, 2), b"Subject: plain\r\n\r\nit\r\n")
        true(kept(server, 3).endswith(b"Subject: neither\r\n\r\nit\r\n"), "as it came")
        shown = server.json("archive", "show", "1")[0]
        equal((shown["sender"], shown["recipients"]),
              ("ann@corp.test", ["bo@corp.test", "secret@rival.test", "cy@corp.test", "all@corp.test"]), "the true envelope")
        equal([r["id"] for r in server.json("archive", "search", "--to", "secret@rival.test")], ["1"])
        server.cli("archive", "verify")
        for user in ("anna", "jbox", "postmaster"):
            equal(server.fetch(user), [], "no user gets it, and it is recorded by nobody")
        # others are strangers to that address
        journal(server, receive_from="192.0.2.1")
        try:
            arrive(server, EXCHANGE)
            raise AssertionError("a stranger delivered to the journal's address")
        except smtplib.SMTPRecipientsRefused as e:
            equal([code for code, _ in e.recipients.values()], [550])
        journal(server, receive_from="")
        try:
            arrive(server, EXCHANGE)
            raise AssertionError("nobody may deliver where no line says who")
        except smtplib.SMTPRecipientsRefused as e:
            equal([code for code, _ in e.recipients.values()], [550])
        server.stop()
        equal(server.check()[0], 0)


RULES = """1~early
MailFrom: early@*

2*refuse
MailFrom: refuse@*
RcptTo: arrive@journal.test

2~drop
MailFrom: drop@*
RcptTo: arrive@journal.test

2~one of two
MailFrom: one@*
RcptTo: anna@*

3~end
Subject: drop*

3*end
Subject: reject*

3>bert<instead
Subject: *bert

3>+bert<too
Subject: *both
"""


def test_jrn_04_arc_05_the_digest_of_a_large_original_is_known():
    with site(receive="arrive@journal.test", receive_from="127.0.0.1") as server:
        big = b"".join(b"%069d\r\n" % i for i in range(45000))  # 3 MB
        arrive(server, EXCHANGE.replace(b"the original\r\n", big))
        equal(kept(server, 1), b"From: ann@corp.test\r\nSubject: hello\r\n\r\n" + big)
        server.cli("archive", "verify")
        server.stop()
        equal(server.check()[0], 0)


def test_jrn_04_what_a_rule_discards_rejects_or_sends_elsewhere_is_not_archived():
    with site(receive="arrive@journal.test", receive_from="127.0.0.1") as server:
        server.cli("rule", "smtp", "apply", "-", stdin=RULES)
        plain = b"X-Envelope-From: <ann@corp.test>\r\nX-Envelope-To: <bo@corp.test>\r\nSubject: %s\r\n\r\nit\r\n"
        told = {}
        for sender, subject in (("early@x.test", b"1"), ("refuse@x.test", b"2"), ("drop@x.test", b"3"), ("a@x.test", b"drop it"),
                                ("a@x.test", b"reject it"), ("a@x.test", b"for bert"), ("a@x.test", b"for both")):
            try:
                arrive(server, plain % subject, sender)
                told[subject] = 250
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as e:
                told[subject] = e.smtp_code if isinstance(e, smtplib.SMTPDataError) else 550
        equal(told, {b"1": 250, b"2": 550, b"3": 250, b"drop it": 250, b"reject it": 550, b"for bert": 250, b"for both": 250})
        equal([r["subject"] for r in server.json("archive", "search")], ["for both"])
        equal(kept(server, 1), b"Subject: for both\r\n\r\nit\r\n")
        equal(len(server.fetch("bert")), 2)
        with server.smtp() as c:  # a rule about one of two recipients says nothing of the other
            c.sendmail("one@x.test", ["arrive@journal.test", "anna@example.test"], plain % b"one")
        equal([r["subject"] for r in server.json("archive", "search")].count("one"), 1)
        equal(server.fetch("anna"), [])
        server.cli("archive", "verify")


def test_jrn_04_one_postroom_records_and_another_archives():
    with site(receive="arrive@journal.test", receive_from="127.0.0.1") as there, \
            site(external="arrive@journal.test", server="127.0.0.1:%d" % there.ports["smtp"], tls="starttls") as here:
        submit(here, "anna", ["bert@example.test", "carl@example.test"], RAW)
        wait_for(lambda: any("from <anna@example.test> to bert@example.test and 1 more" in s for s in archived(there)),
                 "it is opened there")
        wait_for(lambda: here.json("queue", "list") == [], "and gone from here")
        journal(here, format="plain")
        submit(here, "anna", ["bert@example.test"], RAW)
        wait_for(lambda: any("from <anna@example.test> to bert@example.test" in s and "more" not in s
                             for s in archived(there)), "so is a plain copy")
        equal([kept(there, n) for n in (1, 2)], [RAW, RAW], "byte for byte")
        there.cli("archive", "verify")
        there.stop()
        equal(there.check()[0], 0)


def guarded(test):
    return test.__name__[5:].replace("_", " "), test


if __name__ == "__main__":
    sys.exit(tap([guarded(f) for n, f in list(globals().items()) if n.startswith("test_")]))
