#!/usr/bin/env python3
"""collect_runs.py - runs of connections fetch mail: what begins them, what they wait for, what they bring. TAP."""
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from collect_site import LIMIT_S, box, collector, config, mail, row, run, subjects  # noqa: E402
from connection_site import (Link, advance_to, connection, far_from, in_time, letters, log, queue, submit, waits,  # noqa: E402
                             wait_empty, wait_over)
from pop3_server import Pop3Server  # noqa: E402
from postroom import Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


# ---- with mail that leaves ----

def test_a_run_collects_and_sends_at_the_same_time_CON_02_CON_16():
    """Each side waits until the two others have begun: none of them can be before or behind another."""
    begun, held = [threading.Event() for _ in range(3)], []

    def others(mine):
        begun[mine].set()
        held.append(all(event.wait(LIMIT_S) for event in begun))

    def stat(mine):
        def answer(session, line):
            others(mine)
            return b"+OK %d 100\r\n" % len(session.list)
        return answer

    def on_end(_):
        others(2)
        return "250 2.0.0 taken"

    with Pop3Server(box(2), answers={"STAT": stat(0)}) as one, Pop3Server(box(3, 10), answers={"STAT": stat(1)}) as two, \
            SmtpSink(on_end=on_end) as sink, Link() as link, Server(extra=config(
                [collector(one, "one", connections="[isp]"), collector(two, "two", connections="[isp]")],
                ["name: isp, " + link.keys()], sink)) as server:
        server.add_user("anna")
        submit(server)
        equal(run(server), "1 sent, 5 collected")
        equal((held, len(sink.mails), len(subjects(server))), ([True] * 3, 1, 5))
        equal((link.calls(), link.is_up()), (["up isp", "down"], False), "the link ends when all are done")
        equal((one.left("box"), two.left("box")), ([], []))
        true("5 collected" in server.cli("log", "show", "--service", "connect").stdout, "CON-17")


def test_pop3_then_smtp_sends_after_the_last_quit_CON_03():
    for kind in ("link", "lan"):
        order, lock = [], threading.Lock()

        def note(what):
            with lock:
                order.append(what)

        def said(what, answer):
            def speak(session, line=None):
                note(what)
                return answer
            return speak

        def quit_(session, line):
            time.sleep(0.2)  # whoever did not wait would be here first
            note("QUIT")
            session.remove()
            return b"+OK bye\r\n"

        with Pop3Server(box(2), answers={"QUIT": quit_}) as one, Pop3Server(box(1, 10), answers={"QUIT": quit_}) as two, \
                SmtpSink(on_end=lambda m: note("SMTP") or "250 2.0.0 taken") as sink, Link() as link:
            keys = link.keys() if kind == "link" else "kind: lan"
            with Server(extra=config([collector(one, "one", connections="[isp]"), collector(two, "two", connections="[isp]")],
                                     ["name: isp, pop3_then_smtp: yes, " + keys], sink,
                                     "scheduling: { send_immediately: no }\n")) as server:
                server.add_user("anna")
                submit(server)
                equal(run(server), "1 sent, 3 collected")
                equal(order, ["QUIT", "QUIT", "SMTP"], kind)


def test_new_mail_restarts_sending_alone_SCH_03():
    """Online: what is submitted leaves at once, and nobody logs in to the mailbox."""
    with Pop3Server(box(1)) as pop, SmtpSink() as sink, Server(extra=config([collector(pop)], [], sink)) as server:
        server.add_user("anna")
        submit(server)
        wait_empty(server)
        equal((len(sink.mails), pop.sessions), (1, 0), "no POP3 login")
        server.cli("config", "set", "scheduling.send_immediately", "no")
        submit(server)
        waits(server)
        equal(pop.sessions, 0)
        equal(run(server, "lan"), "1 sent, 1 collected")
        equal(pop.sessions, 1)


def test_a_link_that_is_collected_by_is_online_SCH_04():
    go = threading.Event()

    def retr(session, line):
        go.wait(LIMIT_S)
        return b"+OK\r\n" + mail(1) + b".\r\n"

    with Pop3Server(box(1), answers={"RETR 1": retr}) as pop, SmtpSink() as sink, Link() as link, Server(extra=config(
            [collector(pop, connections="[isp]")], ["name: isp, " + link.keys()], sink)) as server:
        server.add_user("anna")
        submit(server)
        waits(server)
        server.cli("collect", "now", "fetch")
        wait_empty(server)
        equal((link.calls(), len(sink.mails)), ([], 1), "nothing was dialled")
        go.set()
        wait_for(lambda: row(server)["state"] == "idle", "it is collected")
        wait_for(lambda: connection(server)["state"] == "down", "the link counts as down again")
        submit(server)
        waits(server)


def test_urgent_mail_collects_too_HDR_03():
    with Pop3Server(box(2)) as pop, SmtpSink() as sink, Link() as link, Server(extra=config(
            [collector(pop, connections="[isp]")], ["name: isp, " + link.keys()], sink,
            "scheduling: { connect_for_priority: yes }\n")) as server:
        server.add_user("anna")
        submit(server, text="X-Priority: 1 (Highest)\r\nSubject: now\r\n\r\nhello\r\n")
        wait_empty(server)
        equal(wait_over(server)["result"], "1 sent, 2 collected")


def test_a_link_that_came_up_is_collected_by_once_CON_08():
    with Pop3Server(box(1)) as pop, Link() as link, Server(extra=config(
            [collector(pop, connections="[isp]")], ["name: isp, " + link.keys(autoconnect="yes")])) as server:
        server.add_user("anna")
        link.touch("is_up")
        server.cli("clock", "advance", "11s")
        wait_for(lambda: subjects(server), "one collection")
        wait_over(server)
        for _ in range(3):
            server.cli("clock", "advance", "11s")
        time.sleep(1.2)
        equal(pop.sessions, 1, "none again until it drops")
        link.remove("is_up")
        server.cli("clock", "advance", "11s")
        wait_for(lambda: connection(server)["state"] == "down", "it was seen to drop")
        link.touch("is_up")
        server.cli("clock", "advance", "11s")
        wait_for(lambda: pop.sessions == 2, "another")


# ---- what begins ----

def test_a_schedule_sends_and_collects_SCH_01():
    with Pop3Server(box(2)) as pop, SmtpSink() as sink, Link() as link, Server(extra=config(
            [collector(pop, connections="[isp]")], ["name: isp, " + link.keys()], sink,
            "schedules: [ { name: often, every: 15m } ]\n")) as server:
        server.add_user("anna")
        far_from(server, "often", 120)
        due = server.json("schedule", "next")[0]["time"]
        equal(row(server)["next"], due, "the collector's next time is that of its connection")
        submit(server)
        waits(server)
        equal(pop.sessions, 0)
        advance_to(server, due)
        wait_empty(server)
        equal(wait_over(server)["result"], "1 sent, 2 collected")
        equal(row(server)["because"], "schedule often")
        equal(subjects(server), ["number 1", "number 2"])


def test_the_file_connect_now_collects_CON_13():
    with Pop3Server(box(1)) as pop, tempfile.TemporaryDirectory(prefix="drop-") as drop:
        os.chmod(drop, 0o777)
        with Server(extra=config([collector(pop)], rest="scheduling: { drop: %s }\n" % drop)) as server:
            server.add_user("anna")
            open(os.path.join(drop, "connect.now"), "w").close()
            wait_for(lambda: subjects(server) == ["number 1"], "it collected")
            equal(os.listdir(drop), [], "the file is gone")
            equal(wait_over(server, "lan")["because"], "the file connect.now")


def test_an_interval_of_its_own_needs_no_schedule():
    with Pop3Server(box(1)) as pop, Server(extra=config([collector(pop, every="10m"), collector(pop, "other")])) as server:
        server.add_user("anna")
        wait_for(lambda: row(server)["last"], "at once, at first")
        wait_for(lambda: row(server)["state"] == "idle", "it is over")
        equal((pop.sessions, row(server, "other")["next"]), (1, None))
        true(row(server)["next"] > row(server)["last"], str(row(server)))
        server.cli("clock", "advance", "5m")
        time.sleep(1.2)
        equal(pop.sessions, 1)
        server.cli("clock", "advance", "6m")
        wait_for(lambda: pop.sessions == 2, "ten minutes later")
        server.cli("connection", "stop", "lan")
        server.cli("clock", "advance", "11m")
        time.sleep(1.2)
        equal(pop.sessions, 2, "not while its connection is told to stop")


def test_a_disabled_one_is_never_contacted_INM_29():
    with Pop3Server(box(1)) as pop, Link() as link, Server(extra=config(
            [collector(pop, enabled="no", every="1m")], rest="scheduling: { drop: %s }\nschedules: [ { name: often, every: 5m } ]\n"
            % link.dir)) as server:
        server.add_user("anna")
        far_from(server, "often", 120)
        run(server, "lan")
        server.cli("collect", "now", "--all", "--wait")
        r = server.cli("collect", "now", "fetch", ok=False)
        true(r.returncode == 1 and "is off" in r.stderr, r.stderr)
        link.touch("connect.now")
        wait_for(lambda: not os.path.exists(link.path("connect.now")), "the file is taken")
        wait_for(lambda: connection(server, "lan")["because"] == "the file connect.now", "a run of its own")
        wait_over(server, "lan")
        advance_to(server, server.json("schedule", "next")[0]["time"])
        wait_for(lambda: connection(server, "lan")["because"] == "schedule often", "the schedule fires")
        wait_over(server, "lan")
        equal((pop.sessions, row(server)["state"], row(server)["next"]), (0, "off", None))
        server.cli("collect", "set", "fetch", "every=")  # or it begins by itself as well
        server.cli("collect", "on", "fetch")
        server.cli("collect", "now", "fetch", "--wait")
        equal((pop.sessions, subjects(server)), (1, ["number 1"]))


# ---- mail that is brought ----

def brought(*more):
    return "{ name: in, kind: smtp, connections: [isp], %s }" % ", ".join(more)


def test_a_run_waits_for_mail_that_is_brought_INM_26():
    with Link() as link, Server(extra=config([brought("wait: 60s")], ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        server.cli("connection", "now", "isp")
        wait_for(lambda: row(server, "in")["state"] == "waiting for mail", "it waits")
        true(link.is_up(), "online")
        server.cli("clock", "advance", "30s")
        time.sleep(0.5)
        true(link.is_up(), "so long")
        server.cli("clock", "advance", "35s")
        equal(wait_over(server)["result"], "0 sent")
        equal((link.calls()[-1], log(server, "no mail was brought")), ("down", 1), "no connection in N seconds: dropped")
        server.cli("connection", "now", "isp")
        wait_for(lambda: row(server, "in")["state"] == "waiting for mail", "it waits again")
        with server.smtp() as c:
            c.ehlo("mx.elsewhere.test")
            c.mail("far@elsewhere.test")
            server.cli("clock", "advance", "90s")
            time.sleep(0.5)
            true(link.is_up(), "once mail flows it stays until that ends")
            c.rcpt("anna@example.test")
            c.data("Subject: brought\r\n\r\nhere\r\n")
        server.cli("clock", "advance", "5s")
        equal((wait_over(server)["state"], link.is_up(), subjects(server)), ("down", False, ["brought"]))
        r = server.cli("collect", "now", "in", ok=False)
        true(r.returncode == 1 and "kind smtp" in r.stderr, r.stderr)


def test_local_domains_decide_what_is_brought_INM_28():
    with Server(extra="collecting: { collectors: [ { name: in, kind: smtp, accepted: [other.test] } ] }\n") as server:
        server.add_user("anna")
        with server.smtp() as c:
            c.ehlo("mx.elsewhere.test")
            c.mail("far@elsewhere.test")
            equal((c.rcpt("anna@example.test")[0], c.rcpt("anna@other.test")[0]), (250, 550))
            c.data("Subject: brought\r\n\r\nhere\r\n")
        equal(subjects(server), ["brought"])


def test_etrn_asks_for_mail_INM_27():
    for reply, says in (("250 2.0.0 started", "is being sent"), ("251 2.0.0 none", "nothing waits"), ("253 5 waiting", "is being sent"),
                        ("458 4.3.0 cannot", "cannot do it now"), ("459 4.7.0 no", "does not do it")):
        with SmtpSink(replies={"ETRN": reply}) as sink, Link() as link, Server(extra=config(
                [brought("wait: 0", "etrn: example.test")], ["name: isp, " + link.keys()], sink)) as server:
            server.add_user("postmaster", "--admin")
            run(server)
            wait_for(lambda: log(server, says), "the answer %s is understood: %s" % (
                reply, server.cli("log", "show", "--service", "connect").stdout))
            equal([line for s in sink.sessions for line in s.lines if not line.startswith("EHLO")], ["ETRN example.test", "QUIT"])
            if reply[0] == "4":
                wait_for(lambda: letters(server), "who is refused is told")
            else:
                equal(letters(server), [])
    with SmtpSink() as out, SmtpSink(replies={"ETRN": "250 2.0.0 started"}) as sink, Server(extra=config(
            [brought("wait: 0", "etrn: '@example.test'", "etrn_server: '127.0.0.1:%d'" % sink.port)], ["name: isp, kind: lan"], out)) as server:
        run(server)
        wait_for(lambda: log(server, "is being sent"), "the other server is asked")
        true("ETRN @example.test" in sink.sessions[0].lines, sink.sessions[0].lines)
        equal(out.sessions, [])


# ---- programs ----

def test_programs_at_both_ends_of_a_run_EXT_12():
    with Pop3Server(box(1)) as pop, Link() as one, Link() as two:
        script = "#!/bin/sh\necho \"$1 $CONNECTION $2 $(ls %s/is_up 2>/dev/null | wc -l)\" >>%s\n"
        hook = two.path("hook.sh")
        with open(hook, "w") as f:
            f.write(script % (two.dir, two.path("calls")))
        keys = "post_connect: [/bin/sh, '%s', after, 'a b'], pre_disconnect: [/bin/sh, '%s', before, 'c d']" % (hook, hook)
        with Server(extra=config([collector(pop, connections="[second]")],
                                 ["name: first, " + one.keys(), "name: second, %s, %s" % (two.keys(), keys)])) as server:
            server.away_from_midnight()
            server.add_user("anna")
            server.add_user("postmaster", "--admin")
            server.cli("connection", "now", "--all", "--wait")
            equal(two.calls(), ["up second", "after 2 a b 1", "before 2 c d 1", "down"], "in this order, both while it is up")
            equal((one.calls(), subjects(server)), (["up first", "down"], ["number 1"]))
            with open(hook, "w") as f:
                f.write("echo 'no such line' >&2; exit 3\n")
            equal(run(server, "second"), "0 sent, 0 collected")
            wait_for(lambda: len(letters(server)) == 2, "both failures are told")
            true(log(server, "no such line") >= 2, "and logged")
            run(server, "second")
            equal(len(letters(server)), 2, "once a day")


def test_a_program_that_hangs_is_ended_EXT_12_EXT_14():
    with Link() as link, SmtpSink() as sink, Server(extra=config(
            [], ["name: isp, program_timeout: 1s, post_connect: [/bin/sleep, '60'], " + link.keys()], sink)) as server:
        server.add_user("anna")
        server.add_user("bob")
        submit(server)
        server.cli("connection", "now", "isp")
        wait_for(lambda: connection(server)["state"] == "runs post_connect", "the program runs")
        submit(server, "bob@example.test")
        equal(len(subjects(server, "bob")), 1, "local mail does not wait for it")
        wait_empty(server)
        equal(wait_over(server)["result"], "1 sent")


# ---- scenario 19 ----

def test_schedule_and_links_scenario_19():
    """SCH-02 to SCH-06, HDR-03, CON-05, CON-13, CON-14 with a mailbox that is fetched."""
    with Pop3Server(box(1)) as pop, SmtpSink() as sink, Link() as link, Server(extra=config(
            [collector(pop, connections="[isp]")], ["name: isp, " + link.keys()], sink,
            "scheduling: { connect_for_priority: yes, connect_after_people: 2, connect_after_people_within: 1m, drop: %s }\n"
            "schedules: [ { name: office, every: 10m, days: [mon, tue, wed, thu, fri] } ]\n" % link.dir)) as server:
        for name, more in (("anna", ()), ("bob", ()), ("postmaster", ("--admin",))):
            server.add_user(name, *more)

        def begins(because):
            return connection(server)["because"] == because

        def after(because, add=True):
            wait_for(lambda: begins(because), "it connects because of %s: %s" % (because, connection(server)))
            wait_over(server)
            wait_for(lambda: not pop.left("box"), "the mailbox is empty")
            if add:
                pop.boxes["box"].add(mail(100 + pop.sessions))

        submit(server)
        waits(server)
        advance_to(server, server.json("schedule", "next")[0]["time"])
        after("schedule office")
        wait_empty(server)
        server.cli("connection", "now", "isp", "--wait")
        pop.boxes["box"].add(mail(50))
        for name in ("anna", "bob"):
            server.fetch(name)
        wait_for(lambda: server.json("status")[0]["people_checked"] == 2, "two people")
        in_time(server, "61s", lambda: begins("2 people checked their mail"), "two people connect")
        after("2 people checked their mail")
        submit(server, text="Priority: Urgent\r\nSubject: now\r\n\r\nhello\r\n")
        after("an urgent message")
        link.touch("connect.now")
        after("the file connect.now", add=False)
        link.touch("broken")
        sessions = pop.sessions
        for _ in range(5):
            server.cli("connection", "now", "isp", "--wait", ok=False)
        wait_for(lambda: letters(server), "four failures: one letter")
        equal((len(letters(server)), pop.sessions), (1, sessions), "and nobody collects without a link")
        submit(server)
        waits(server)
        equal(len(queue(server)), 1)


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
