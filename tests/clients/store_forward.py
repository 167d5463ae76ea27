#!/usr/bin/env python3
"""store_forward.py - a mailbox is kept here and sent on: what is sent, what ends it, what is told (SNF). TAP."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from forward_site import (ADDRESS, arrived, deliver, end, forward, guarded, mailbox, queue, retry, site, text,  # noqa: E402
                          wait_deferred)
from postroom import PASSWORD, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

SECRET = "canary-Snf:9@pass"  # of the account at the other server


def trace(server, message):
    return "\n".join(s for row in server.json("trace", message) for s in row["steps"] or [])


def delete(server, subject, folder="INBOX"):
    with server.imap("anna") as c:
        c.select(folder)
        uid = c.uid("search", None, "SUBJECT", '"%s"' % subject)[1][0]
        c.uid("store", uid, "+FLAGS", r"(\Deleted)")
        c.uid("expunge", uid)


def certificate(folder, name):
    base = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", base + ".key", "-out",
                    base + ".pem", "-days", "30", "-subj", "/CN=" + name], check=True, capture_output=True)
    return base + ".pem", base + ".key"


def test_kept_and_queued_then_taken_away_SNF_01_SNF_04_SNF_05_SNF_06():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "one", "two", "three", "four")
    wait_deferred(server, 4)
    equal(sorted(mailbox(server)), ["four", "one", "three", "two"])
    ids = {q["subject"]: q["id"] for q in queue(server)}
    equal({r for q in queue(server) for r in q["recipients"]}, {ADDRESS})
    equal(server.json("user", "show", "anna")[0]["store_forward_pending"], 4)
    with server.imap("anna") as watching:
        with server.imap("anna") as c:  # a day's work meanwhile
            c.create("Work")
            c.select("INBOX")
            c.store("1", "+FLAGS", r"(\Seen \Flagged)")
            c.uid("move", "2", "Work")
        delete(server, "three")
        equal(len(queue(server)), 3)
        equal(watching.select("INBOX")[1], [b"2"])
        with SmtpSink(port=port) as sink:
            retry(server)
            wait_for(lambda: len(sink.mails) == 3, "three arrive", 20)
            wait_for(lambda: not queue(server), "nothing waits", 20)
            equal(sorted(arrived(sink)), ["four", "one", "two"])
            true(all(m.recipients == [ADDRESS] and m.sender == "x@far.test" for m in sink.mails), "the envelope")
            watching.noop()
            equal(len(watching.response("EXPUNGE")[1]), 2)  # from the commit
        equal(mailbox(server, folders=("INBOX", "Work")), [])
    steps = trace(server, ids["one"])
    true("for users' other servers wait in the queue as" in steps, steps)
    true("has it, so the copy left the mailbox here" in steps, steps)
    true("cancelled: the message left the mailbox" in server.cli("trace", ids["three"]).stdout, "told of three")
    explained = server.cli("explain", "--from", "x@far.test", "--to", "anna@example.test").stdout
    true("waits for the user's other server 127.0.0.1:%d" % port in explained, explained)
    end(server)


def test_every_way_out_of_the_mailbox_cancels_SNF_05():
    port = free_ports(1)[0]
    server = site(port=port)
    names = ["pop", "mv", "cli", "purge", "folder", "restored", "stays"]
    deliver(server, *names)
    wait_deferred(server, 7)
    pop = server.pop("anna")
    pop.dele(1)
    pop.quit()
    with server.imap("anna") as c:
        c.create("Gone")
        c.select("INBOX")
        c.uid("move", "5", "Gone")
        c.select("INBOX")
    server.cli("message", "move", "anna", "2", "--to-user", "bert")
    server.cli("message", "remove", "anna", "3")
    server.cli("message", "purge", "anna", "4", "--folder", "INBOX", "--yes")
    with server.imap("anna") as c:
        equal(c.delete("Gone")[0], "OK")
    server.cli("message", "remove", "anna", "6")
    server.cli("undo", "--yes")
    equal(len(queue(server)), 1)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(arrived(sink), ["stays"])
    equal(mailbox(server), ["restored"])  # what was cancelled stays so
    equal(mailbox(server, "bert"), ["mv"])
    end(server)


def test_copies_tie_to_one_and_the_queue_keeps_the_mail_Q_27():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "copied", "both", "removed", "redirected")
    wait_deferred(server, 4)
    with server.imap("anna") as c:
        c.create("Work")
        c.select("INBOX")
        c.uid("copy", "1:2", "Work")
    delete(server, "copied")  # a client that moves by COPY and EXPUNGE
    ids = {q["subject"]: q["id"] for q in queue(server)}
    server.cli("queue", "remove", ids["removed"], "--yes")
    with SmtpSink() as other:
        server.cli("queue", "redirect", ids["redirected"], "route=lan:127.0.0.1:%d" % other.port)
        wait_for(lambda: arrived(other) == ["redirected"], "by another route", 20)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(sorted(arrived(sink)), ["both", "copied"])
    equal(sorted(mailbox(server)), ["redirected", "removed"])
    equal(mailbox(server, folders=("Work",)), ["both"])  # his own copy
    end(server)


def test_an_account_needs_TLS_and_shows_its_password_nowhere_SNF_02_SNF_03():
    server = site()
    tls = certificate(server.dir, "main.test")
    with SmtpSink(tls=tls, accounts={"u@main.test": SECRET}) as sink:
        said = forward(server, sink.port, account="u@main.test@", password=SECRET).stdout
        true("warning" not in said, said)
        deliver(server, "with TLS")
        wait_for(lambda: arrived(sink) == ["with TLS"] and not queue(server), "it arrives", 20)
        equal((sink.mails[0].session.user, sink.mails[0].session.tls), ("u@main.test", True))
        equal(server.json("user", "show", "anna")[0]["store_forward_server"], "u@main.test@127.0.0.1:%d" % sink.port)
    with SmtpSink(accounts={"u": SECRET}, auth_in_clear=True) as sink:
        said = forward(server, sink.port, account="u:%s@" % SECRET).stdout
        true("others can read a password among the words of a command" in said, said)
        deliver(server, "in clear")
        wait_deferred(server, 1)
        true("the server offers no TLS" in queue(server)[0]["last_error"], queue(server))
        equal([s.lines for s in sink.sessions if any("AUTH" in line for line in s.lines)], [])
    with SmtpSink() as sink:  # another target takes it along, plain
        forward(server, sink.port)
        wait_for(lambda: arrived(sink) == ["in clear"] and not queue(server), "at once", 20)
    with SmtpSink(tls=tls) as sink:
        forward(server, sink.port)
        deliver(server, "offered")
        wait_for(lambda: arrived(sink) == ["offered"], "it arrives", 20)
        true(sink.mails[0].session.tls, "STARTTLS was used")
    shown = server.cli("user", "show", "anna", "--json").stdout + server.cli("user", "export").stdout + \
        server.cli("undo", "list", "--json").stdout + server.cli("secret", "list").stdout + server.errors()
    server.stop()
    for folder, _, files in os.walk(server.dir):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                true(SECRET.encode() not in f.read(), "the password lies in " + name)
    true(SECRET not in shown, "the password is shown")
    server.start()
    end(server)


def test_a_password_is_for_the_account_beside_it_SNF_02():
    server = site()
    tls = certificate(server.dir, "main.test")
    for fields, stdin, why in ((("comment=x",), "p", "goes with store_forward_server=user@host"),
                               (("store_forward_server=",), "p", "a password wants store_forward_server=user@host"),
                               (("store_forward_server=main.test",), "p", "a password wants an account"),
                               (("store_forward_server=u:q@main.test",), "p", "give it once"),
                               (("store_forward_server=u@main.test",), "p" * 256, "at most 255 bytes"),
                               (("store_forward_server=u@main.test",), "", "the password is empty")):
        r = server.cli("user", "set", "anna", *fields, "--password-stdin", stdin=stdin + "\n", ok=False)
        true(r.returncode in (1, 2) and why in r.stderr, r.stderr)
    equal(server.json("user", "show", "anna")[0]["store_forward_server"], "")
    with SmtpSink(tls=tls, accounts={"u": "the new: @one"}) as sink:
        forward(server, sink.port, account="u@", password="an old one")
        forward(server, sink.port, account="u@", password="the new: @one")  # the same account, another password
        forward(server, sink.port, account="u@")  # it is kept
        deliver(server, "logged in")
        wait_for(lambda: arrived(sink) == ["logged in"] and not queue(server), "it arrives", 20)
        equal(sink.mails[0].session.user, "u")
    end(server)


def test_refused_and_given_up_stay_and_are_told_once_SNF_07_Q_28():
    with SmtpSink(replies={"RCPT TO": "550 5.1.1 nobody of that name"}) as sink:
        server = site(port=sink.port)
        with server.smtp("submissions") as c:
            c.login("bert", PASSWORD)
            c.sendmail("bert@example.test", ["anna@example.test"], text("refused").replace("x@far", "bert@example"))
        wait_for(lambda: len(mailbox(server)) == 2, "the notice", 20)
        wait_for(lambda: not queue(server), "nothing waits", 20)
    told = "A message could not be forwarded to your other mail server"
    equal(sorted(mailbox(server)), [told, "refused"])
    equal(mailbox(server, "postmaster"), [told])
    notice = server.fetch("postmaster")[0].decode()
    for words in ("550 5.1.1 nobody of that name", "refused", ADDRESS):
        true(words in notice, notice)
    equal(mailbox(server, "bert"), [])  # never the sender
    deliver(server, "late")
    wait_deferred(server, 1)
    server.cli("clock", "advance", "25m")  # LAN-05
    wait_for(lambda: queue(server)[0]["tries"] >= 2, "tried again every 10 minutes", 20)
    server.cli("clock", "advance", "3d")
    wait_for(lambda: not queue(server), "given up", 20)
    equal(sorted(mailbox(server)), [told, told, "late", "refused"])
    equal(len(mailbox(server, "postmaster")), 2)
    end(server)


def test_an_entry_with_a_number_of_its_own_has_a_trace():
    port, isp = free_ports(2)
    server = site("outgoing: { routes: [ { name: isp, kind: relay, tls: none, servers: ['127.0.0.1:%d'] } ] }\n" % isp, port=port)
    with server.smtp("submissions") as c:
        c.login("bert", PASSWORD)
        c.sendmail("bert@example.test", ["anna@example.test", "out@far.test"], text("both").replace("x@far", "bert@example"))
    wait_deferred(server, 2)
    ids = {q["recipients"][0]: q["id"] for q in queue(server)}
    true(ids[ADDRESS] != ids["out@far.test"], ids)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: arrived(sink) == ["both"] and len(queue(server)) == 1, "it arrives", 20)
    steps = trace(server, ids[ADDRESS])
    for words in ("a part of message " + ids["out@far.test"], "could not be delivered yet", "is delivered", "the copy left the mailbox here"):
        true(words in steps, steps)
    true("wait in the queue as " + ids[ADDRESS] in trace(server, ids["out@far.test"]), "and the message's tells where")
    end(server)


def test_fields_and_users_end_what_waits():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "emptied", "emptied too")
    wait_deferred(server, 2)
    server.cli("user", "set", "anna", "store_forward_server=")
    equal(queue(server), [])
    server.cli("undo", "--yes")
    equal(queue(server), [])
    deliver(server, "a list reaches him too", to="anna")
    wait_deferred(server, 1)
    server.cli("user", "remove", "anna", "--yes")
    equal(queue(server), [])
    server.cli("undo", "--yes")
    equal(len(mailbox(server)), 3)
    server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "anna", "--member", "bert")
    deliver(server, "to the list", to="team")
    wait_deferred(server, 1)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(arrived(sink), ["to the list"])
    equal(mailbox(server, "bert"), ["to the list"])
    end(server)


def test_what_stands_in_its_way_is_said_SNF_08():
    server = site(port=2525)
    os.mkdir(os.path.join(server.dir, "rules"))
    with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
        f.write("anna@example.test 127.0.0.1:9\n")
    wait_for(lambda: "rules taken over" in server.errors(), "the rules", 20)
    said = server.cli("user", "set", "anna", "comment=x").stdout
    true("warning: LAN rule 1 takes the mail of anna@example.test" in said, said)
    said = server.cli("user", "set", "anna", "forward=yes", "forward_to=bert").stdout
    true("warning: forward_to takes the mail" in said, said)
    said = server.cli("explain", "--from", "x@far.test", "--to", "anna@example.test").stdout
    true("store and forward of anna has nothing to do" in said, said)
    said = server.cli("user", "set", "bert", "store_forward_server=u@main.test",
                      "store_forward_address=b@main.test").stdout
    true("the account of store_forward_server has no password" in said, said)
    for bad in ("store_forward_server=u:p@", "store_forward_server=host:0", "store_forward_address=none"):
        r = server.cli("user", "set", "bert", bad, ok=False)
        equal(r.returncode, 2 if r.returncode == 2 else 1, r.stderr)
        true("store_forward" in r.stderr, r.stderr)
        true("(%s)" % bad.split("=")[0] in r.stderr, r.stderr)
    equal(len(server.json("user", "show", "bert")[0]["warnings"]), 1)
    end(server)


def test_a_server_that_is_this_one_is_said():
    """Such mail would wait here until it is given up."""
    server = site()
    smtp, other = server.ports["smtp"], free_ports(1)[0]
    itself = "warning: store_forward_server is this server itself"
    for host in ("127.0.0.1", "localhost"):
        said = server.cli("user", "set", "anna", "store_forward_address=a@main.test",
                          "store_forward_server=%s:%d" % (host, smtp)).stdout
        true(itself in said, said)
    true(itself[9:] in server.json("user", "show", "anna")[0]["warnings"][0], server.json("user", "show", "anna"))
    said = forward(server, other).stdout
    true("warning" not in said, said)
    said = server.cli("user", "set", "anna", "store_forward_server=127.0.0.2:%d" % smtp).stdout
    true("warning" not in said, said)
    said = forward(server, other, address="anna@example.test").stdout
    true("warning: store_forward_address is an address of this mailbox itself" in said, said)
    said = forward(server, other, address="bert@example.test").stdout
    true("warning" not in said, said)
    end(server)


if __name__ == "__main__":
    sys.exit(tap([guarded(f) for n, f in list(globals().items()) if n.startswith("test_")]))
