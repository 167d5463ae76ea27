#!/usr/bin/env python3
"""connections.py - mail waits for connections: what begins a run, what is sent in it, what is told (CON, SCH). TAP."""
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from connection_site import (TEXT, Gate, Link, advance_to, config, connection, far_from, in_time, letters, log,  # noqa: E402
                             queue, submit, wait_empty, wait_over, wait_reason, waits)
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


# ---- what begins a run ----

def test_a_schedule_fires_for_its_connections_SCH_01_SCH_02_CON_11():
    with Link() as link, Link() as other, SmtpSink() as sink, Server(extra=config(sink, [
            "name: isp, " + link.keys(), "name: second, primary: no, " + other.keys()],
            "schedules: [ { name: often, every: 15m } ]\n")) as server:
        server.add_user("anna")
        far_from(server, "often", 120)
        runs = server.json("schedule", "next")
        equal((len(runs), runs[0]["schedule"], runs[0]["connections"]), (10, "often", ["isp"]))
        equal(server.json("schedule", "list")[0]["next"], runs[0]["time"])
        equal(server.json("status")[0]["next_connect"], runs[0]["time"])
        equal((connection(server)["next"], connection(server, "second")["next"]), (runs[0]["time"], None))
        submit(server)
        waits(server)
        wait_reason(server, "next at")
        advance_to(server, runs[0]["time"])
        wait_empty(server)
        equal(wait_over(server)["because"], "schedule often")
        equal((len(link.calls()), other.calls()), (2, []), "CON-11: the primary one alone")
        server.cli("connection", "now", "--all", "--wait")  # CMD-03
        equal((len(link.calls()), len(other.calls())), (4, 2))
        server.cli("connection", "now", "--primary", "--wait")  # CMD-02
        server.cli("connection", "now", "second", "--wait")  # CMD-04
        equal((len(link.calls()), len(other.calls())), (6, 4))


def test_a_run_just_before_skips_the_next_one_SCH_05():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
            "schedules: [ { name: often, every: 30m } ]\n"
            "scheduling: { skip_if_connected_within: 5m }\n")) as server:
        far_from(server, "often", 120)
        first, second = [r["time"] for r in server.json("schedule", "next", "--count", "2")]
        advance_to(server, first)
        wait_for(lambda: len(link.calls()) == 2, "the first fires")
        wait_over(server)
        server.cli("clock", "advance", "28m")
        server.cli("connection", "now", "--wait")
        equal(len(link.calls()), 4)
        advance_to(server, second)
        wait_for(lambda: log(server, "skipped"), "the second is skipped")
        equal(len(link.calls()), 4)
        advance_to(server, server.json("schedule", "next")[0]["time"])
        wait_for(lambda: len(link.calls()) == 6, "the third fires")


def test_modifiers_by_command_SCH_03_SCH_05_SCH_06():
    """What holds for all schedules: shown, changed in one step, taken back."""
    with Server() as server:
        before = server.json("schedule", "modifiers")[0]
        equal((before["send_immediately"], before["skip_if_connected_within"]), (True, 0))
        server.cli("schedule", "modify", "send_immediately=no", "skip_if_connected_within=90s", "connect_after_people=3")
        now = server.json("schedule", "modifiers")[0]
        equal((now["send_immediately"], now["skip_if_connected_within"], now["connect_after_people"]), (False, 90, 3))
        equal(server.json("config", "get", "scheduling.skip_if_connected_within")[0]["value"], 90)
        equal(server.cli("schedule", "modify", "colour=red", ok=False).returncode, 1)
        server.cli("undo", "--yes")
        equal(server.json("schedule", "modifiers")[0], before)


def test_people_who_checked_their_mail_SCH_06():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
            "scheduling: { connect_after_people: 2, connect_after_people_within: 5m }\n")) as server:
        for name in ("anna", "bob"):
            server.add_user(name)
        for _ in range(2):
            server.fetch("anna")
        server.cli("clock", "advance", "20m")
        wait_for(lambda: server.json("status")[0]["people_checked"] == 1, "one has")
        time.sleep(1.2)
        equal((link.calls(), server.json("status")[0]["people_checked"]), ([], 1), "one person twice is one")
        with server.imap("bob"):
            pass
        wait_for(lambda: server.json("status")[0]["people_checked"] == 2, "two")
        time.sleep(1.2)
        equal(link.calls(), [], "within 5 minutes")
        in_time(server, "5m", lambda: len(link.calls()) == 2, "the second one connects")
        equal(wait_over(server)["because"], "2 people checked their mail")
        equal(server.json("status")[0]["people_checked"], 0)


def test_the_file_connect_now_CON_13():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
                                                                 "scheduling: { drop: %s }\n" % link.dir)) as server:
        link.touch("connect.now")
        wait_for(lambda: len(link.calls()) == 2, "it connected")
        true(not os.path.exists(link.path("connect.now")), "the file is gone")
        equal(wait_over(server)["because"], "the file connect.now")


def test_urgent_mail_connects_at_once_HDR_03_HDR_04():
    for on in (True, False):
        with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
                "scheduling: { connect_for_priority: %s }\n" % ("yes" if on else "no"))) as server:
            server.add_user("anna")
            submit(server)
            submit(server, text="X-Priority: 3\r\n" + TEXT)
            waits(server, 2)
            submit(server, text="X-Priority: 1 (Highest)\r\n" + TEXT)
            if on:
                wait_empty(server)
                equal(len(sink.mails), 3, "everything goes along")
                equal(wait_over(server)["because"], "an urgent message")
            else:
                waits(server, 3)


# ---- online ----

def test_online_sends_at_once_or_waits_SCH_03_SCH_04_SCH_09():
    with SmtpSink() as sink, Server(extra=config(sink, ["name: isp, kind: lan"])) as server:
        server.add_user("anna")
        submit(server)
        wait_empty(server)
        true("sent as it comes" in connection(server)["why"], "SCH-09")
        server.cli("config", "set", "scheduling.send_immediately", "no")
        submit(server)
        waits(server)
        server.cli("connection", "now", "--wait")
        wait_empty(server)
        server.cli("config", "set", "scheduling.send_immediately", "yes")
        server.cli("connection", "stop")
        submit(server)
        waits(server)
        wait_reason(server, "told to stop")
        server.cli("connection", "now", "--wait")
        wait_empty(server)
        equal(connection(server)["state"], "online")


def test_without_connections_there_is_one_CON_01():
    with SmtpSink() as sink, Server(extra=config(sink, []).replace("connections:\n", "")) as server:
        server.add_user("anna")
        submit(server)
        wait_empty(server)
        equal([(c["name"], c["kind"], c["routes"]) for c in server.json("connection", "list")],
              [("lan", "lan", ["isp"])])


def test_only_what_waited_OUT_03():
    gate = Gate()
    with Link() as link, SmtpSink(on_end=gate) as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
                                                               waiting_only="yes")) as server:
        server.add_user("anna")
        submit(server)
        time.sleep(0.05)
        server.cli("connection", "now")
        wait_for(lambda: sink.sessions, "it sends")
        submit(server)
        gate.open()
        wait_over(server)
        equal((len(sink.mails), len(queue(server))), (1, 1), "what came later waits")
        server.cli("connection", "now", "--wait")
        wait_empty(server)


def test_a_restart_remembers_CON_16():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.cli("connection", "now", "--wait")
        last = connection(server)["last"]
        true(last, "it is noted")
        server.stop()
        server.start()
        equal((connection(server)["last"], connection(server)["result"]), (last, "0 sent"))
        equal(server.json("status")[0]["last_connect"], last)


def test_lan_targets_wait_for_no_connection_LAN_08():
    with Link() as link, SmtpSink() as sink, SmtpSink() as office, Server(
            extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        server.cli("route", "lan", "apply", "-", stdin="*@office.test 127.0.0.1:%d\n" % office.port)
        submit(server, "bo@elsewhere.test")
        submit(server, "cy@office.test")
        wait_for(lambda: office.mails and len(queue(server)) == 1, "the one for the office leaves")
        waits(server)
        equal((link.calls(), len(sink.mails)), ([], 0))


# ---- by command ----

def test_connections_and_schedules_by_command_CON_04_SCH_02_SCH_08():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, []).replace("connections:\n", "")) as server:
        server.add_user("anna")
        words = ["%s=/bin/sh;%s;%s" % (w, link.path("link.sh"), w) for w in ("up", "down", "status")]
        server.cli("connection", "add", "isp", "kind=link", "autoconnect=no", *words)
        submit(server)
        waits(server)
        server.cli("connection", "now", "isp", "--wait")
        wait_empty(server)
        equal(len(link.calls()), 2)
        server.cli("schedule", "add", "work", "days=mon,tue,wed,thu,fri", "from=9:00", "to=17:00", "every=15m")
        row = server.json("schedule", "list")[0]
        equal((row["days"], row["from"], row["to"], row["every"]),
              (["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00", 900))
        true(connection(server)["next"] == row["next"] is not None, str(row))
        server.cli("schedule", "set", "work", "every=", "at=08:30,12:00", "name=fixed", "connections=isp")
        row = server.json("schedule", "list")[0]
        equal((row["name"], row["at"], row["every"], row["connections"]), ("fixed", ["08:30", "12:00"], 0, ["isp"]))
        server.cli("schedule", "set", "fixed", "enabled=no")
        equal((connection(server)["next"], server.json("schedule", "next")), (None, []), "SCH-08")
        true("schedule fixed" in server.cli("config", "history").stdout.replace("set ", ""), "in the history")
        refused = server.cli("connection", "remove", "isp", "--yes", ok=False)
        true(refused.returncode == 1 and "schedules.fixed.connections: there is no connection isp: name one" in refused.stderr,
             "a schedule names it: " + refused.stderr)
        draft = server.json("schedule", "next", "--name", "fixed", "--count", "3", "enabled=yes", "at=7:00", "days=sun")
        equal([r["schedule"] for r in draft], ["fixed"] * 3, "as if it had been changed")
        equal(server.json("schedule", "next"), [], "and it was not")
        equal(len(server.json("schedule", "next", "--count", "4", "from=9:00", "to=10:00", "every=20m")), 4, "one that is not there")
        for words, why in ((["--name", "none"], "there is no schedule none"), (["days=sunday"], "none of mon|tue"),
                           (["from=25:00"], "from: "), (["when=1"], "a schedule has no when"), (["--count", "1001"], "at most 1000")):
            refused = server.cli("schedule", "next", *words, ok=False)
            true(refused.returncode == 1 and why in refused.stderr, refused.stderr)
        server.cli("schedule", "remove", "fixed", "--yes")
        server.cli("connection", "remove", "isp", "--yes")
        equal([c["name"] for c in server.json("connection", "list")], ["lan"])
        server.cli("undo")
        equal([c["name"] for c in server.json("connection", "list")], ["isp"])
        for i in range(2, 11):
            server.cli("connection", "add", "c%d" % i, "kind=lan")
        refused = server.cli("connection", "add", "c11", "kind=lan", ok=False)
        equal(refused.returncode, 1, "CON-04: an eleventh is refused")
        for words in (["now", "nosuch"], ["now", "isp", "--all"], ["set", "isp", "bad=1"], ["set", "isp", "password=x"],
                      ["stop", "nosuch"], ["add", "isp", "kind=lan"], ["add", "1", "kind=lan"]):
            true(server.cli("connection", *words, ok=False).returncode in (1, 2), str(words))


def ask_as(server, user, *requests):
    """The replies to requests on the control socket, asked as USER."""
    lines = [("hello", {"version": 1}), ("auth", {"user": user, "password": PASSWORD})] + list(requests)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(server.socket)
        with s.makefile("rw") as f:
            replies = []
            for n, (method, params) in enumerate(lines):
                f.write(json.dumps({"jsonrpc": "2.0", "id": n, "method": method, "params": params}) + "\n")
                f.flush()
                replies.append(json.loads(f.readline()))
            return replies[2:]


def test_who_may_connect_STS_06():
    with SmtpSink() as sink, Server(extra=config(sink, ["name: isp, kind: lan"])) as server:
        server.add_user("anna")
        server.add_user("chief", "--admin")
        for user, allowed in (("anna", False), ("chief", True)):
            for reply in ask_as(server, user, ("connection.now", {}), ("connection.stop", {"name": "isp"})):
                equal("result" in reply, allowed, "%s: %s" % (user, reply))


UNREACHED, CUT = "Postroom - SMTP Client connection problem", "Postroom - SMTP Client Problem"


# ---- letters ----

def test_servers_that_do_not_answer_CON_15_TRB_03_ADM_08():
    for on in (True, False):
        closed = free_ports(1)[0]
        with Server(extra=config(closed, ["name: isp, kind: lan"],
                                 "errors: { connection: %s }\n" % ("yes" if on else "no"))) as server:
            server.add_user("anna")
            server.add_user("postmaster", "--admin")
            submit(server)
            wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"], "it was tried")
            server.cli("queue", "retry", "--all", "--wait")
            if on:
                wait_for(lambda: letters(server), "a letter")
                equal(letters(server), [UNREACHED], "one, not two")
                text = server.fetch("postmaster")[0]
                for words in (b"isp", b"127.0.0.1:%d" % closed, b"Connection refused", b"errors.connection"):
                    true(words in text, "TRB-03: the route, the server and the reason: %s" % text)
                continue
            equal(letters(server), [])
            with SmtpSink(port=closed, on_end=lambda mail: None):
                server.cli("queue", "retry", "--all", "--wait")
                wait_for(lambda: letters(server) == [CUT], "a cut is told all the same")


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")]))
