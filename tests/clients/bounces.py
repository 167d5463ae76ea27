#!/usr/bin/env python3
"""bounces.py - reports about mail, as their readers see them: SMT-12, H14, ADM-07, OUT-18 to OUT-21, OUT-24, HDR-09."""
import email
import email.policy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "harness"))
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

TAKES_ALL = "smtp: { reject_unknown: no }\n"
TEXT = "From: anna@example.test\r\nTo: bo@far.test\r\nSubject: Pl\u00e4ne\r\n\r\nTell me.\r\n"


def inbox(server, user):
    """All messages of a mailbox, parsed."""
    pop = server.pop(user)
    count = len(pop.list()[1])
    texts = [b"\r\n".join(pop.retr(n + 1)[1]) + b"\r\n" for n in range(count)]
    pop.quit()
    return [email.message_from_bytes(text, policy=email.policy.default) for text in texts]


def submit(server, sender, to, text=TEXT, mail_options=(), rcpt_options=()):
    """As anna, who logged in."""
    smtp = server.smtp("submissions")
    smtp.login("anna", PASSWORD)
    smtp.sendmail(sender, to, text.encode(), list(mail_options), list(rcpt_options))
    smtp.quit()


def queue_count(server):
    return server.json("status")[0]["queue"]["count"]


def test_out_20_a_report_parses():
    """OUT-20, OUT-19, OUT-21, HDR-09: two recipients given up: one report, which python's parser reads."""
    with Server() as server:
        server.add_user("anna")
        submit(server, "anna@example.test", ["bo@far.test", "cy@far.test"],
               mail_options=["ENVID=abc+2B1"], rcpt_options=["ORCPT=rfc822;bo@far.test"])
        row = server.json("queue", "list")[0]
        r = server.cli("queue", "bounce", row["id"], ok=False)
        true(r.returncode != 0, "without --yes it is not done: %s" % r.stderr)
        equal(queue_count(server), 1)
        server.cli("queue", "bounce", row["id"], "--yes")
        equal(queue_count(server), 0)
        (report,) = inbox(server, "anna")
        equal(report.get_content_type(), "multipart/report")
        equal(report.get_param("report-type"), "delivery-status")
        equal(report["From"], "Mailer_Daemon@example.test")
        equal(report["Return-Path"], "<>")
        equal(report["Auto-Submitted"], "auto-replied")
        words, status, original = report.iter_parts()
        true("could not be delivered" in words.get_content(), "words for people")
        equal(status.get_content_type(), "message/delivery-status")
        blocks = status.get_payload()
        equal(blocks[0]["Reporting-MTA"], "dns;mail.example.test")
        equal(blocks[0]["Original-Envelope-Id"], "abc+1")
        equal([b["Final-Recipient"] for b in blocks[1:] if b["Final-Recipient"]],
              ["rfc822;bo@far.test", "rfc822;cy@far.test"])
        equal([b["Action"] for b in blocks[1:] if b["Action"]], ["failed", "failed"])
        equal(blocks[1]["Original-Recipient"], "rfc822;bo@far.test")
        equal(original.get_content_type(), "message/rfc822")
        true("Tell me." in original.get_payload()[0].get_payload(), "the body is attached")
        equal(report.defects, [])
        notes = " ".join(" ".join(part["steps"]) for part in server.json("trace", row["id"], "--steps"))
        true("gets a report" in notes, "the trace says so: %s" % notes)
        server.cli("queue", "bounce", row["id"], "--yes", ok=False)
        equal(len(inbox(server, "anna")), 1)


def test_queue_bounce_leaves_the_others():
    with Server() as server:
        server.add_user("anna")
        for _ in range(3):
            submit(server, "anna@example.test", ["bo@far.test"])
        ids = [row["id"] for row in server.json("queue", "list")]
        server.cli("queue", "bounce", ids[1], "--yes")
        equal([row["id"] for row in server.json("queue", "list")], [ids[0], ids[2]])
        equal(len(inbox(server, "anna")), 1)
        equal(server.check()[0], 0)


def test_smt_12_off_taken_and_bounced():
    """SMT-12, off: accepted, and the sender has the report when 250 is answered; ADM-06's default text."""
    with Server(extra=TAKES_ALL) as server:
        server.add_user("anna")
        server.add_user("bert")
        submit(server, "anna@example.test", ["nobody@example.test", "bert@example.test", "gone@example.test"])
        equal(len(inbox(server, "bert")), 1)
        (report,) = inbox(server, "anna")
        text = report.as_string()
        for name in ("nobody@example.test", "gone@example.test"):
            true("Final-Recipient: rfc822;%s" % name in text, "%s is named" % name)
        true("Final-Recipient: rfc822;bert@example.test" not in text, "bert is not")
        true("is not recognised here" in text and "postmaster@example.test" in text, "ADM-06: the default text")
        equal(queue_count(server), 0)
        server.send("", ["nobody@example.test"], "Subject: robot\r\n\r\n")  # ADM-07
        server.send("mailer-daemon@far.test", ["nobody@example.test"], "Subject: robot\r\n\r\n")
        equal(queue_count(server), 0)
        equal(len(inbox(server, "anna")), 1)
        server.send("bo@far.test", ["nobody@example.test"], "Subject: hi\r\n\r\n")
        (row,) = server.json("queue", "list")
        equal((row["sender"], row["recipients"]), ("", ["bo@far.test"]))


def test_h14_a_thousand_unknown_users():
    """H14: 1,000 messages to unknown users: zero bounces leave."""
    with Server() as server:
        server.add_user("anna")
        smtp, refused = server.smtp(), 0
        for n in range(1000):
            if smtp.docmd("MAIL FROM:<x%d@far.test>" % n)[0] != 250:
                smtp.close()
                smtp = server.smtp()
                smtp.ehlo()
                smtp.docmd("MAIL FROM:<x%d@far.test>" % n)
            code = smtp.docmd("RCPT TO:<no%d@example.test>" % n)[0]
            refused += code in (550, 421)
            if code == 421:
                smtp.close()
                smtp = server.smtp()
                smtp.ehlo()
                continue
            smtp.docmd("RSET")
        smtp.close()
        equal(refused, 1000)
        equal(queue_count(server), 0)


def test_out_21_success_for_people_here():
    """OUT-21: NOTIFY=SUCCESS is answered where the message ends; NEVER never."""
    with Server(extra=TAKES_ALL) as server:
        server.add_user("anna")
        server.add_user("bert")
        submit(server, "anna@example.test", ["bert@example.test"], rcpt_options=["NOTIFY=SUCCESS"])
        (report,) = inbox(server, "anna")
        true("Action: delivered" in report.as_string(), "delivered")
        true("text/rfc822-headers" in report.as_string(), "RFC 3461, 4.3: the header alone")
        submit(server, "anna@example.test", ["nobody@example.test"], rcpt_options=["NOTIFY=NEVER"])
        submit(server, "anna@example.test", ["bert@example.test"])
        equal(len(inbox(server, "anna")), 1)


def test_a_large_body_is_cut():
    """H14: the header and 10 KiB, whatever RET says; also of a body that came in pieces."""
    with Server(extra=TAKES_ALL) as server:
        server.add_user("anna")
        for size in (100, 30000):
            body = "".join("line %06d of a long letter\r\n" % n for n in range(size))
            submit(server, "anna@example.test", ["nobody@example.test"], TEXT + body, ["RET=FULL"])
        for report in inbox(server, "anna"):
            text = report.as_bytes()
            true(b"line 000042 of a long letter" in text, "the front is there")
            true(len(text) < 10240 + 6000, "%d bytes" % len(text))


def routed(port, outgoing="", more=""):
    """All that leaves goes there; the clock can be moved."""
    return Server(extra="outgoing: { %sroutes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d'] } ] }\n"
                  "testing: { clock: yes }\n%s" % (outgoing, port, more))


def let_time_pass(server, *steps):
    for step in steps:
        server.cli("clock", "advance", step)
        server.cli("queue", "retry", "--all", "--wait", ok=False)  # which may find nothing any more


def test_out_18_warnings_of_a_dead_host():
    """OUT-18: three messages to a dead domain in a day: one warning; never: none; and errors are always sent."""
    for policy, warnings in (("daily", 1), ("always", 3), ("never", 0)):
        with routed(free_ports(1)[0], "warnings: %s, " % policy) as server:
            server.add_user("anna")
            for _ in range(3):
                submit(server, "anna@example.test", ["bo@dead.test"])
            server.cli("queue", "retry", "--all", "--wait")
            let_time_pass(server, "4h", "1h")
            mails = inbox(server, "anna")
            equal([m["Subject"] for m in mails], ["Mail is late and still being tried"] * warnings, policy)
            let_time_pass(server, "3d", "1h")
            wait_for(lambda: queue_count(server) == 0, "all is given up", 15)
            equal(len(inbox(server, "anna")), warnings + 3, policy)


def test_out_24_transport_errors_are_the_administrators():
    """OUT-24, on: the author gets nothing, the Main Administrator does; a refusal stays the author's."""
    with routed(free_ports(1)[0], "transport_errors_to_admin: yes, ") as server:
        server.add_user("anna")
        server.add_user("postmaster", "--admin")
        submit(server, "anna@example.test", ["bo@far.test"])
        server.cli("queue", "retry", "--all", "--wait")
        let_time_pass(server, "4h", "3d", "1h")
        wait_for(lambda: queue_count(server) == 0, "it is given up", 15)
        equal(len(inbox(server, "anna")), 0)
        mails = [m for m in inbox(server, "postmaster") if m["Subject"] == "Connections failed for a message"]
        equal(len(mails), 2, "the warning and the end")
        true(all("bo@far.test" in m.as_string() and m["Return-Path"] == "<>" for m in mails), "whom it did not reach")
    with SmtpSink(replies={"RCPT TO": "550 5.1.1 nobody"}) as sink, routed(
            sink.port, "transport_errors_to_admin: yes, ") as server:
        server.add_user("anna")
        server.add_user("postmaster", "--admin")
        submit(server, "anna@example.test", ["bo@far.test"])
        wait_for(lambda: queue_count(server) == 0, "it is refused", 15)
        equal((len(inbox(server, "anna")), len(inbox(server, "postmaster"))), (1, 0))


def test_out_20_plain_text():
    """OUT-20, dsn_reports no: one text for people, with whom it did not reach and why; OUT-21: NEVER is no report."""
    refuses = {"RCPT TO:<gone": "550 5.1.1 nobody of that name"}
    with SmtpSink(replies=refuses) as sink, routed(sink.port, "dsn_reports: no, ") as server:
        server.add_user("anna")
        submit(server, "anna@example.test", ["gone@far.test"], rcpt_options=["NOTIFY=NEVER"])
        wait_for(lambda: queue_count(server) == 0, "it is refused", 15)
        equal(len(inbox(server, "anna")), 0)
        submit(server, "anna@example.test", ["gone@far.test", "bo@far.test", "gone2@far.test"])
        wait_for(lambda: queue_count(server) == 0, "it is done", 15)
        equal([r for m in sink.mails for r in m.recipients], ["bo@far.test"])  # OUT-19
        (report,) = inbox(server, "anna")
        equal((report.get_content_type(), report["From"], report["Return-Path"]),
              ("text/plain", "Mailer_Daemon@example.test", "<>"))
        text = report.get_content()
        for words in ("<gone@far.test> could not be delivered", "<gone2@far.test> could not be delivered",
                      "550 5.1.1 nobody of that name", "Tell me."):
            true(words in text, "%s: %s" % (words, text))
        true("<bo@far.test> could not" not in text, text)


def test_hdr_09_robots_have_no_return_address():
    """HDR-09: MAIL FROM of every robot mail is <>: report, warning, success, receipt; HDR-02: colleagues see no modifier."""
    with SmtpSink(replies={"RCPT TO:<gone": "550 5.1.1 nobody", "RCPT TO:<late": "450 4.2.0 later"}) as sink, routed(
            sink.port, more="headers: { outgoing: ['X-By: us'] }\nsmtp: { reject_unknown: no }\n") as server:
        server.add_user("anna")
        server.cli("mapping", "add", "anna.out@example.test", "anna@home.test")
        asks = TEXT.replace("\r\n\r\n", "\r\nReturn-Receipt-To: anna.out@example.test\r\n\r\n")
        server.cli("user", "set", "anna", "reply_address=anna@home.test")
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            c.sendmail("anna@home.test", ["bo@far.test", "anna@example.test"], asks.encode(), rcpt_options=["NOTIFY=SUCCESS"])
            c.sendmail("anna@home.test", ["gone@far.test", "late@far.test"], TEXT.encode())
        wait_for(lambda: len(server.json("queue", "list")) == 1, "what can leave has left", 15)
        let_time_pass(server, "4h", "1h")
        server.send("bo@far.test", ["unknown@example.test"], TEXT)
        wait_for(lambda: len(server.json("queue", "list")) == 1, "what can leave has left", 15)
        robots = [m for m in sink.mails if b"Auto-Submitted:" in m.data]
        equal(sorted((m.sender, m.recipients[0]) for m in robots)[-1], ("", "bo@far.test"))
        subjects = sorted(email.message_from_bytes(m.data)["Subject"] for m in robots)
        equal(subjects, ["Mail could not be delivered", "Mail could not be delivered", "Mail is late and still being tried",
                         "Mail was delivered", "Mail was handed on", "Your message was sent"])
        for m in robots:
            equal((m.sender, email.message_from_bytes(m.data)["From"]), ("", "Mailer_Daemon@example.test"))
        by = [m for m in sink.mails if b"X-By: us" in m.data]
        equal([m.recipients for m in by if m.sender], [["bo@far.test"]])
        (own,) = inbox(server, "anna")
        true("X-By" not in own, "HDR-02: her own copy lacks it")


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
