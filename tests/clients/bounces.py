#!/usr/bin/env python3
"""bounces.py - reports about mail, as their readers see them: SMT-12, H14, ADM-07, OUT-20, OUT-21, queue bounce."""
import email
import email.policy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "harness"))
from postroom import PASSWORD, Server, equal, tap, true  # noqa: E402

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


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
