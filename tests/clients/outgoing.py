#!/usr/bin/env python3
"""outgoing.py - mail leaves: by which server, in which order, and what becomes of it where one refuses. TAP."""
import datetime
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from outgoing_site import CLOCK, TEXT, queue, relay, site, submit, trace_text, wait_deferred, wait_empty  # noqa: E402
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


# ---- one relay ----

def test_a_message_leaves_OUT_04_OUT_23():
    with SmtpSink() as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test", "cy@x.test"])
        wait_empty(server)
        equal(len(sink.mails), 1, "one transaction for both")
        mail = sink.mails[0]
        equal((mail.sender, mail.recipients), ("anna@example.test", ["bo@elsewhere.test", "cy@x.test"]))
        true(mail.data.endswith(b"\r\n\r\nhello\r\n.dot\r\n"), "the text is whole: %r" % mail.data[-60:])
        true(mail.session.lines[0] == "EHLO mail.example.test", "it says its name")
        message = server.json("trace", "--from", "anna@example.test")[0]["id"]
        steps = trace_text(server, message)
        true("127.0.0.1:%d" % sink.port in steps and "in clear" in steps and "250 2.0.0 taken" in steps, steps)
        status = server.json("status")[0]
        true(status["outgoing"]["sent"] == 2 and status["outgoing"]["last_sent"], str(status["outgoing"]))


def test_without_a_route_all_waits():
    with Server(extra=CLOCK) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        server.cli("queue", "retry", "--all")
        row = queue(server)[0]
        equal((row["state"], row["next_try"]), ("active", None))
        true("no route" in str(server.json("queue", "show", row["id"])), "it says why")


def test_servers_in_order_OUT_04():
    closed = free_ports(1)[0]
    with SmtpSink(greeting="421 4.3.2 not now") as busy, SmtpSink() as good, site(relay(closed, busy, good)) as server:
        server.add_user("anna")
        for _ in range(3):
            submit(server, ["bo@elsewhere.test"])
        wait_empty(server)
        equal(len(good.mails), 3)
        true(busy.sessions, "the second was asked before the third")


def when(text):
    return datetime.datetime.fromisoformat(text)


def test_no_server_answers_all_stays_OUT_04():
    closed = free_ports(1)[0]
    with site(relay(closed)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        row = wait_deferred(server)[0]
        true("Connection refused" in row["last_error"] and row["next_try"], str(row))
        shown = server.json("queue", "show", row["id"])[0]
        days = (when(shown["recipients"][0]["gives_up"]) - when(shown["received"])).days
        equal(days, 3)
        with SmtpSink(port=closed) as sink:
            server.cli("queue", "retry", "--all", "--wait")
            wait_empty(server)
            equal(len(sink.mails), 1)


def test_recipients_are_split_OUT_05():
    with SmtpSink() as sink, site(relay(sink, max_recipients=10)) as server:
        server.add_user("anna")
        submit(server, ["r%d@elsewhere.test" % i for i in range(25)])
        wait_empty(server)
        equal(sorted(len(m.recipients) for m in sink.mails), [5, 10, 10])
        equal(len({r for m in sink.mails for r in m.recipients}), 25, "each once")


def test_helo_where_ehlo_is_unknown_OUT_07():
    with SmtpSink(ehlo=None) as old, SmtpSink() as new:
        with site(relay(old)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            equal(old.sessions[0].lines[:2], ["EHLO mail.example.test", "HELO mail.example.test"])
        with site(relay(new, esmtp="no")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            equal(new.sessions[0].lines[0], "HELO mail.example.test")


def test_chunking():
    with SmtpSink(ehlo=("PIPELINING", "CHUNKING", "8BITMIME")) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        big = "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * 30000
        submit(server, ["bo@elsewhere.test"], big)
        submit(server, ["bo@elsewhere.test"])
        wait_empty(server)
        datas = sorted((m.data for m in sink.mails), key=len)
        true(datas[0].endswith(b"hello\r\n.dot\r\n") and datas[1].endswith(big[-5000:].encode()), "both whole")
        true(any(line.startswith("BDAT") for s in sink.sessions for line in s.lines), "by BDAT")


def test_smaller_messages_first_OUT_03():
    """The big ones came first; what waits when the server is there goes by size."""
    for smaller, expected in (("yes", [1, 20, 20, 300]), ("no", [300, 20, 1, 20])):
        closed = free_ports(1)[0]
        with site(relay(closed, smaller_first=smaller, max_connections=1)) as server:
            server.add_user("anna")
            for kb in (300, 20, 1, 20):
                submit(server, ["bo@elsewhere.test"], "Subject: %d\r\n\r\n%s" % (kb, ("x" * 62 + "\r\n") * 16 * kb))
            wait_deferred(server, 4)
            with SmtpSink(port=closed) as sink:
                server.cli("queue", "retry", "--all", "--wait")
                wait_empty(server)
                equal([int(m.data.split(b"Subject: ")[1].split()[0]) for m in sink.mails], expected, smaller)


def test_a_full_disk_holds_mail_OUT_22():
    """The disk has less room than is asked for; when less is asked for, it goes."""
    with SmtpSink() as sink, site(relay(sink, more="disk_free: { start: 8000TB }, ")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_for(lambda: "outgoing.disk_free.start" in str(server.json("queue", "show", queue(server)[0]["id"])), "why")
        true("the disk of the store is nearly full: nothing is sent" in server.cli("log", "show").stdout, "a report")
        equal(sink.sessions, [], "no connection was begun")
        server.cli("config", "set", "outgoing.disk_free.start", "10MB")
        wait_empty(server)
        equal(len(sink.mails), 1)
    with SmtpSink() as sink, site(relay(sink, more="disk_free: { start: 0, during: 8000TB }, ")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_for(lambda: sink.sessions and "QUIT" in sink.sessions[0].lines, "it is begun, and ends")
        time.sleep(0.5)
        equal((sink.mails, len(sink.sessions) < 4), ([], True), "not a message more, and it is not dialled on and on")


# ---- verdicts ----

def test_partial_refusal_OUT_19():
    replies = {"RCPT TO:<later@": "451 4.2.0 later"}
    with SmtpSink(replies=replies) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["good@elsewhere.test", "later@elsewhere.test", "fine@elsewhere.test"])
        wait_for(lambda: [q["recipients"] for q in queue(server)] == [["later@elsewhere.test"]], "the others have left")
        row = wait_deferred(server)[0]
        equal(sink.mails[0].recipients, ["good@elsewhere.test", "fine@elsewhere.test"])
        true("RCPT TO: 451 4.2.0 later" in row["last_error"], row["last_error"])
        sink.replies.clear()
        server.cli("clock", "advance", "6m")
        wait_empty(server)
        equal(sink.mails[1].recipients, ["later@elsewhere.test"], "and only the open one again")


def test_recipients_of_one_message_go_together_OUT_19():
    """More of them than are read in one turn, to a connection that waits for work."""
    rest = "limits: { user_recipients_hour: 5000 }\n"
    many = ["bo%03d@elsewhere.test" % i for i in range(950)]
    with SmtpSink() as sink, site(relay(sink, rest=rest)) as server:
        server.add_user("anna")
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for to in (["first@elsewhere.test"], many, many[:3]):
                c.sendmail("anna@example.test", to, TEXT)
                wait_for(lambda last=to[-1]: last in [r for m in sink.mails for r in m.recipients][-1:], "it has left", 15)
        wait_empty(server)
        equal([m.recipients for m in sink.mails], [["first@elsewhere.test"], many, many[:3]])


def test_only_250_is_a_success():
    for reply in ("221 2.0.0 bye", "354 go on", "200 ok"):
        with SmtpSink(on_end=lambda mail: reply) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_deferred(server)


def test_5xx_fails_and_is_reported_OUT_19():
    with SmtpSink(replies={"RCPT TO:<bad@": "550 5.1.1 nobody here"}) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["good@elsewhere.test", "bad@elsewhere.test"])
        wait_empty(server)
        equal(sink.mails[0].recipients, ["good@elsewhere.test"])
        report = server.fetch("anna")
        equal(len(report), 1, "one report")
        true(b"bad@elsewhere.test" in report[0] and b"550 5.1.1" in report[0] and
             b"good@elsewhere.test" not in report[0].split(b"message/delivery-status")[1].split(b"Subject: hi")[0],
             report[0].decode("utf-8", "replace"))


def test_no_end_of_trying_is_reported_OUT_17():
    """One warning at 4 h, one report at 72 h, and then it is gone."""
    closed = free_ports(1)[0]
    with site(relay(closed)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_deferred(server)
        server.cli("clock", "advance", "235m")
        server.cli("queue", "retry", "--all", "--wait", ok=False)  # it is tried by itself, too
        equal(len(server.fetch("anna")), 0, "nothing is said too early")
        server.cli("clock", "advance", "6m")
        wait_for(lambda: len(server.fetch("anna")) == 1, "the warning")
        server.cli("clock", "advance", "10h")
        server.cli("queue", "retry", "--all", "--wait", ok=False)
        equal(len(server.fetch("anna")), 1, "one warning")
        server.cli("clock", "advance", "3d")
        wait_empty(server)
        equal(len(server.fetch("anna")), 2, "and the report")


# ---- many ----

def test_who_stops_mail_that_is_being_sent_is_told():
    """The text is on its way: holding it, or removing it, comes too late, and the answer says so."""
    for verb in ("hold", "remove"):
        sending, answer = threading.Event(), threading.Event()

        def taken(_, sending=sending, answer=answer):
            sending.set()
            answer.wait(30)
            return "250 2.0.0 taken"

        with SmtpSink(on_end=taken) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            true(sending.wait(15), "its text is there")
            message = queue(server)[0]["id"]
            said = server.cli("queue", verb, message).stdout
            true("; %s is being sent at this moment, and may still go" % message in said, said)
            answer.set()
            wait_for(lambda: not server.json("queue", "list", "--filter", "state:held"), "it went", 15)
            equal(len(sink.mails), 1)
    with SmtpSink(replies={"MAIL": "450 4.3.0 not now"}) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        said = server.cli("queue", "hold", wait_deferred(server)[0]["id"]).stdout
        true("being sent" not in said, "it waits: " + said)


def test_held_mail_stays_OUT_01():
    with SmtpSink(replies={"MAIL": "450 4.3.0 not now"}) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        message = wait_deferred(server)[0]["id"]
        server.cli("queue", "hold", message)
        sink.replies.clear()
        server.cli("clock", "advance", "2h")
        submit(server, ["cy@elsewhere.test"])
        wait_for(lambda: len(sink.mails) == 1, "the other one has left")
        equal(sink.mails[0].recipients, ["cy@elsewhere.test"])
        server.cli("queue", "release", message)
        wait_empty(server)
        equal(len(sink.mails), 2)


def test_kill_loses_none_and_doubles_few_H18():
    """Killed while messages leave: each arrives, and twice only what was in flight."""
    count, workers = 200, 5
    with SmtpSink() as sink, site(relay(sink, max_connections=workers)) as server:
        server.add_user("anna")
        server.cli("config", "set", "outgoing.routes.isp.domains", '["!elsewhere.test"]')
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for i in range(count):
                c.sendmail("anna@example.test", ["bo%d@elsewhere.test" % i], TEXT)
        server.cli("config", "set", "outgoing.routes.isp.domains", "[]")
        server.cli("queue", "retry", "--all")
        wait_for(lambda: len(sink.mails) > 20, "some have left")
        server.kill()
        killed_at = len(sink.mails)
        server.start()
        server.cli("queue", "retry", "--all", "--wait")
        wait_empty(server)
        got = [m.recipients[0] for m in sink.mails]
        equal(len(set(got)), count, "none is lost")
        true(len(got) - count <= 2 * workers, "%d doubles, killed after %d" % (len(got) - count, killed_at))
        equal(server.stop(), 0)
        equal(server.check()[0], 0, "and the store is whole")
        server.start()


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")]))
