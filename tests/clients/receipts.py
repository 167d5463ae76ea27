#!/usr/bin/env python3
"""receipts.py - delivery receipts, as who asks for them and who collects sees them: HDR-05, 06, 08, 09, Q-22, HDR-07: TAP."""
import email
import email.policy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from name_server import NameServer  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402
from spf import zone  # noqa: E402

ASKS = "Return-Receipt-To: {0}\r\n"
TEXT = "From: {0}\r\nTo: bert@example.test\r\nSubject: =?utf-8?q?Pl=C3=A4ne?=\r\nMessage-ID: <m1@example.test>\r\n{1}\r\nhello\r\n"


def submit(server, more=ASKS.format("anna@example.test"), to=("bert@example.test",)):
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        c.sendmail("anna@example.test", list(to), TEXT.format("anna@example.test", more))


def collect(server, user="bert", quits=True, top=False, times=1):
    """RETR of all, TIMES times; the texts."""
    pop = server.pop(user)
    texts = []
    for _ in range(times):
        for n in range(len(pop.list()[1])):
            texts.append(b"\r\n".join((pop.top(n + 1, 99) if top else pop.retr(n + 1))[1]))
    if quits:
        pop.quit()
    else:
        pop.close()
    return texts


def inbox(server, user="anna"):
    """By TOP, which collects nothing."""
    return [email.message_from_bytes(t, policy=email.policy.default) for t in collect(server, user, top=True)]


def wait_inbox(server, count, user="anna"):
    wait_for(lambda: len(inbox(server, user)) >= count, "%d in the inbox of %s" % (count, user), 10)
    mails = inbox(server, user)
    equal(len(mails), count)
    return mails


def barrier(server):
    """What was given to the writer before is on disk now."""
    server.cli("user", "set", "bert", "comment=x")


def people(server, *names):
    for name in names:
        server.add_user(name)


def test_one_receipt_for_the_first_RETR_HDR_05():
    """RETR and QUIT: one receipt; a second RETR none. It says collected, not read."""
    with Server() as server:
        people(server, "anna", "bert", "carl")
        submit(server)
        equal(len(collect(server, top=True)), 1, "TOP")
        equal(len(collect(server, quits=False)), 1, "a connection that breaks")
        barrier(server)
        equal(len(inbox(server)), 0, "neither collects it")
        equal(len(collect(server, times=2)), 2)
        (receipt,) = wait_inbox(server, 1)
        equal((receipt["Return-Path"], receipt["From"], receipt["Auto-Submitted"]),
              ("<>", "Mailer_Daemon@example.test", "auto-replied"))  # HDR-09
        equal(receipt["Subject"], "Your message was collected")
        equal(receipt.get_content_type(), "text/plain")
        text = receipt.get_content()
        for words in ("was collected by bert", "not say that it was read", "Subject: Pl\u00e4ne", "  Date: "):
            true(words in text, text)
        for _ in range(2):
            collect(server)
        barrier(server)
        equal(len(inbox(server)), 1, "none for another RETR, nor after a new login")
        row = server.json("trace", "--to", "bert@example.test", "--from", "anna@example.test")[0]
        notes = " / ".join(s for r in server.json("trace", row["id"], "--steps") for s in r["steps"])
        true("Return-Receipt-To asks for a receipt" in notes and "anna@example.test gets a receipt" in notes, notes)
        equal(server.check()[0], 0)
        # each recipient by himself; also with DELE; the mark outlives a restart
        submit(server, to=["bert@example.test", "carl@example.test"])
        server.stop()
        server.start()
        pop = server.pop("carl")
        pop.retr(1)
        pop.dele(1)
        pop.quit()
        true("collected by carl" in wait_inbox(server, 2)[1].get_content(), "carl alone")
        collect(server)
        true("collected by bert" in wait_inbox(server, 3)[2].get_content(), "then bert")
        equal(server.check()[0], 0)


def test_receipts_of_all_that_is_collected_and_deleted_at_once_HDR_05():
    """As most programs do it: RETR of all, DELE of all, QUIT. No receipt is lost with its message."""
    with Server() as server:
        people(server, "anna", "bert")
        for _ in range(12):
            submit(server)
        pop = server.pop("bert")
        for command in (pop.retr, pop.dele):
            for n in range(12):
                command(n + 1)
        pop.quit()
        equal(len(collect(server)), 0, "they are gone")
        wait_inbox(server, 12)
        equal(server.check()[0], 0)


def test_who_gets_none_HDR_06_H14():
    """Requests from outside, of programs, over lists, in reports; a receipt asks for none itself."""
    refused = [("Auto-Submitted: auto-generated\r\n", "a program"), ("List-Id: <l.test>\r\n", "a list"),
               ("Precedence: bulk\r\n", "bulk")]
    with Server() as server:
        people(server, "anna", "bert")
        server.cli("maillist", "add", "all", "--kind", "distribution", "--member", "bert")
        server.cli("group", "add", "team", "bert")
        with server.smtp() as c:  # nobody logged in, whatever the address (HDR-06)
            for sender in ("bo@far.test", "anna@example.test", ""):
                c.sendmail(sender, ["bert@example.test"], TEXT.format("anna@example.test", ASKS.format("anna@example.test")))
        for more, _ in refused:
            submit(server, ASKS.format("anna@example.test") + more)
        submit(server, to=["all@example.test"])
        submit(server, to=["team@example.test"])
        submit(server, "X-Other: anna@example.test\r\n")
        submit(server, ASKS.format("Mailer_Daemon@example.test"))
        submit(server, ASKS.format("nobody@example.test"))
        submit(server, ASKS.format("\"<>\" not an address"))
        equal(len(collect(server)), 12)
        barrier(server)
        equal(len(inbox(server)), 0, "no receipt")
        equal(len(collect(server, "bert")), 12, "and nothing else came of it")
        equal(server.json("queue", "list"), [])
        steps = " / ".join(s for row in server.json("trace", "--to", "bert@example.test", "--steps") for s in row["steps"])
        for why in [why for _, why in refused] + ["from outside (headers.receipts_local_only)"]:
            true("none will go out" in steps and why in steps, "%s: %s" % (why, steps))


def test_the_list_of_fields_HDR_08():
    """The default, another field, an empty list, and the default again; texts.collected."""
    with Server() as server:
        people(server, "anna", "bert")
        equal(server.json("config", "get", "headers.delivery_receipt")[0]["value"], ["Return-Receipt-To"])
        equal(server.json("config", "get", "headers.transmission_receipt")[0]["value"], ["Return-Receipt-To"])
        server.cli("config", "set", "headers.delivery_receipt", '["X-Tell"]')
        server.cli("config", "set", "texts.collected", "%1 has it")
        submit(server)
        submit(server, "X-Tell: A. B. <anna@example.test>, bert@example.test\r\n")
        collect(server)
        (receipt,) = wait_inbox(server, 1)
        true("bert has it" in receipt.get_content(), "one address gets it: %s" % receipt.get_content())
        equal(len(collect(server)), 2)
        server.cli("config", "set", "headers.delivery_receipt", "[]")
        submit(server, "X-Tell: anna@example.test\r\n")
        collect(server)
        barrier(server)
        equal(len(inbox(server)), 1)
        server.cli("config", "unset", "headers.delivery_receipt")
        equal(server.json("config", "get", "headers.delivery_receipt")[0]["value"], ["Return-Receipt-To"])
        submit(server)
        collect(server)
        wait_inbox(server, 2)


def test_outside_mail_where_the_file_says_so_HDR_06():
    """receipts_local_only no: to the return address alone, and not where SPF says that it is forged (H14)."""
    with NameServer(zone()) as dns, SmtpSink() as sink, Server(
            extra="outgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d'] } ] }\n"
                  "dns: { servers: ['%s'] }\nheaders: { receipts_local_only: no }\n" % (sink.port, dns.address)) as server:
        people(server, "bert")
        with server.smtp() as c:
            for sender, to in (("bo@honest.test", "bo@honest.test"), ("bo@honest.test", "victim@far.test"),
                               ("bo@forged.test", "bo@forged.test")):
                c.sendmail(sender, ["bert@example.test"], TEXT.format(sender, ASKS.format(to)))
        equal(dns.asked("forged.test"), 1)
        equal(len(collect(server)), 3)
        wait_for(lambda: len(sink.mails) > 0 and not server.json("queue", "list"), "it is sent", 15)
        equal([(m.sender, m.recipients) for m in sink.mails], [("", ["bo@honest.test"])])
        true(b"collected by its recipient" in sink.mails[0].data, "no name of an account goes out")


def test_IMAP_where_the_file_says_so_Q_22():
    """Off by default. On: the first FETCH of all of it by its owner, in whatever pieces."""
    with Server() as server:
        people(server, "anna", "bert", "carl")
        imap = server.imap("bert")
        submit(server)
        imap.select("INBOX")
        imap.fetch("1", "(BODY[])")
        barrier(server)
        equal(len(inbox(server)), 0, "off")
        server.cli("config", "set", "headers.receipts_imap", "yes")
        imap.select("INBOX", readonly=True)
        imap.fetch("1", "(BODY.PEEK[])")
        imap.select("INBOX")
        imap.fetch("1", "(FLAGS ENVELOPE BODY.PEEK[HEADER] BODY[1] BODY[]<0.20> BODYSTRUCTURE)")
        imap.copy("1", "Trash") if imap.create("Copies")[0] != "OK" else imap.copy("1", "Copies")
        imap.select("Copies")
        imap.fetch("1", "(BODY.PEEK[])")
        barrier(server)
        equal(len(inbox(server)), 0, "neither a glance nor a copy")
        imap.select("INBOX")
        imap.fetch("1", "(BODY.PEEK[]<20.100000>)")
        true("collected by bert" in wait_inbox(server, 1)[0].get_content(), "the last piece")
        imap.fetch("1", "(RFC822)")
        collect(server)
        barrier(server)
        equal(len(inbox(server)), 1, "one is all, by POP3 too")
        submit(server)
        imap.setacl("INBOX", "carl", "lrs")
        other = server.imap("carl")
        other.select('"Other Users/bert/INBOX"')
        other.fetch("1:*", "(BODY.PEEK[])")
        barrier(server)
        equal(len(inbox(server)), 1, "who may look into it does not collect it")
        imap.noop()
        imap.fetch("2", "(BODY.PEEK[TEXT])")
        wait_inbox(server, 2)
        imap.logout()
        equal(server.check()[0], 0)


def test_handed_on_HDR_07():
    """A transmission receipt after the relay's 250 to the final dot, none before; by default of the file."""
    with SmtpSink() as sink, Server(
            extra="testing: { clock: yes }\noutgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d'] } ] }\n" % sink.port) as server:
        people(server, "anna")
        sink.replies = {"RCPT TO:<later@far.test>": "450 4.2.0 later"}
        submit(server, to=["later@far.test"])
        wait_for(lambda: [q["state"] for q in server.json("queue", "list")] == ["deferred"], "it is deferred", 15)
        equal(len(inbox(server)), 0, "not taken, no receipt")
        sink.replies = {}
        submit(server, "X: y\r\n", to=["bo@far.test"])
        wait_for(lambda: len(server.json("queue", "list")) == 1, "the other was sent", 15)
        equal(len(inbox(server)), 0, "nor for who does not ask")
        server.cli("queue", "retry", "--all", "--wait")
        (receipt,) = wait_inbox(server, 1)
        equal((receipt["Return-Path"], receipt["Subject"]), ("<>", "Your message was sent"))
        true("to later@far.test was handed on" in receipt.get_content(), receipt.get_content())
        server.cli("config", "set", "headers.transmission_receipt", "[]")
        submit(server, to=["bo@far.test"])
        wait_for(lambda: not server.json("queue", "list"), "all is sent", 15)
        equal(len(inbox(server)), 1, "an empty list turns it off")


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
