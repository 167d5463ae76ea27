#!/usr/bin/env python3
"""connections.py - mail waits for its connection: links by programs, schedules, people, connect.now, hang-up."""
import datetime
import json
import os
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

TEXT = "Subject: hi\r\n\r\nhello\r\n"
CLOCK = "testing: { clock: yes }\n"
LINK = """#!/bin/sh
cd %(dir)s
case $1 in
up) echo "up $POSTROOM_CONNECTION $POSTROOM_USER $POSTROOM_NUMBER" >>calls
    [ "$POSTROOM_PASSWORD" = "%(password)s" ] || echo "password" >>calls
    [ -e broken ] && { echo "no carrier" >&2; exit 1; }
    touch is_up ;;
down) echo down >>calls; [ -e stuck ] && { echo "line busy" >&2; exit 1; }; rm -f is_up ;;
status) [ -n "$POSTROOM_CONNECTION" ] || echo "nameless" >>calls; [ -e is_up ] ;;
esac
"""


class Link:
    """A fake link: what was called, and whether it is up."""

    def __init__(self, password=""):
        self.folder = tempfile.TemporaryDirectory(prefix="link-")
        self.dir = self.folder.name
        os.chmod(self.dir, 0o777)
        with open(self.path("link.sh"), "w") as f:
            f.write(LINK % {"dir": self.dir, "password": password})

    def path(self, name):
        return os.path.join(self.dir, name)

    def touch(self, name):
        open(self.path(name), "w").close()

    def remove(self, name):
        os.unlink(self.path(name))

    def is_up(self):
        return os.path.exists(self.path("is_up"))

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return []
        with open(self.path("calls")) as f:
            return [line.strip() for line in f]

    def keys(self, status=True, autoconnect="no", **more):
        words = ["up"] + ["down"] + (["status"] if status else [])
        text = ", ".join('%s: ["/bin/sh", "%s", %s]' % (w, self.path("link.sh"), w) for w in words)
        more = "".join(", %s: %s" % item for item in more.items())
        return "kind: link, %s, retry_wait: 1s, link_timeout: 10s, autoconnect: %s%s" % (text, autoconnect, more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


class Gate:
    """What a sink is asked at the end of a mail: its answer waits until the gate is open."""

    def __init__(self, free=0):
        self.free, self.opened = free, threading.Event()

    def __call__(self, mail):
        if self.free:  # this many pass before
            self.free -= 1
        else:
            self.opened.wait(60)
        return "250 2.0.0 taken"

    def open(self):
        self.opened.set()


def config(sink, connections, rest="", **route):
    words = "".join(", %s: %s" % item for item in route.items())
    return "outgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d']%s } ] }\nconnections:\n%s%s%s" % (
        getattr(sink, "port", sink), words, "".join("  - { %s }\n" % c for c in connections), rest, CLOCK)


def submit(server, to="bo@elsewhere.test", text=TEXT):
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        c.sendmail("anna@example.test", [to], text)


def queue(server):
    return server.json("queue", "list")


def connection(server, name="isp"):
    return [c for c in server.json("connection", "list") if c["name"] == name][0]


def wait_empty(server):
    wait_for(lambda: not queue(server), "the queue is empty: %s" % queue(server), 15)


def wait_over(server, name="isp"):
    wait_for(lambda: connection(server, name)["state"] in ("down", "online", "stopped", "up"),
             "the run is over: %s" % connection(server, name), 15)
    return connection(server, name)


def waits(server, count=1):
    """What is queued stays: the queue was read again, and nothing left."""
    server.cli("queue", "retry", "--all")
    time.sleep(0.3)
    equal(len(queue(server)), count)


def wait_reason(server, words):
    """Why the first of the queue waits: it says WORDS as soon as the queue was read again."""
    told = []

    def says():
        told[:] = [server.json("queue", "show", queue(server)[0]["id"])[0]["recipients"][0].get("reason", "")]
        return words in told[0]
    wait_for(says, "it waits because: %s" % words)


def log(server, text):
    return server.cli("log", "show", "--service", "connect").stdout.count(text)


def letters(server, user="postmaster"):
    return [m["subject"] for m in server.json("message", "list", user)]


# ---- links ----


def test_a_run_brings_the_link_up_and_down_CON_05_CON_12_CON_17_SCH_08():
    with Link("s3cret") as link, SmtpSink() as sink, Server(extra=config(sink, [
            "name: isp, " + link.keys(username="u", password="s3cret", numbers="['5551', '5552']")])) as server:
        server.add_user("anna")
        submit(server)
        waits(server)
        wait_reason(server, "waits for connection isp, nothing is scheduled")
        row = connection(server)
        equal((row["state"], row["last"], row["next"], row["waiting"]), ("down", None, None, 1))
        true("Manual" in row["why"], "SCH-08: " + row["why"])
        equal(link.calls(), [])
        server.cli("connection", "now", "isp", "--wait")
        equal(len(sink.mails), 1)
        wait_empty(server)
        calls = link.calls()
        true(len(calls) == 2 and calls[0] in ("up isp u 5551", "up isp u 5552"), "CON-09, the account: %s" % calls)
        equal((calls[1], link.is_up()), ("down", False))
        row = connection(server)
        equal((row["result"], row["state"], row["waiting"]), ("1 sent", "down", 0))
        true(row["last"] and row["because"].startswith("by "), str(row))
        equal((log(server, "starts"), log(server, "ended")), (1, 1), "CON-17")
        true("s3cret" not in server.cli("log", "show").stdout, "H66")


def test_the_password_of_a_link_from_a_file_CON_05_H55():
    """The warden opens it; where it cannot be read the link is not tried without it."""
    with Link("fr0m-file") as link, tempfile.TemporaryDirectory(prefix="link-") as keys, SmtpSink() as sink:
        path = os.path.join(keys, "password")
        with open(path, "w") as f:
            f.write("fr0m-file\n")
        os.chmod(path, 0o600)
        words = link.keys(username="u", password="{ file: %s }" % path)
        with Server(extra=config(sink, ["name: isp, " + words])) as server:
            server.add_user("anna")
            submit(server)
            server.cli("connection", "now", "isp", "--wait")
            equal(link.calls(), ["up isp u", "down"])
            wait_empty(server)
            os.unlink(path)
            submit(server)
            server.cli("connection", "now", "isp", "--wait", ok=False)
            true("password cannot be read" in connection(server)["result"], connection(server)["result"])
            equal(link.calls(), ["up isp u", "down"])


def test_a_link_that_is_up_is_left_alone_CON_07():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        link.touch("is_up")
        submit(server)
        server.cli("connection", "now", "--wait")
        wait_empty(server)
        equal((link.calls(), link.is_up()), ([], True))


def test_interfaces_tell_CON_07():
    with SmtpSink() as sink, Server(extra=config(sink, [
            "name: isp, kind: link, interfaces: [lo], up: [/bin/false], autoconnect: no"])) as server:
        server.add_user("anna")
        submit(server)
        waits(server)
        server.cli("connection", "now", "--wait")
        wait_empty(server)


def test_autoconnect_uses_a_link_once_CON_08_SCH_04():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, [
            "name: isp, " + link.keys(autoconnect="yes")], "scheduling: { send_immediately: no }\n")) as server:
        server.add_user("anna")
        submit(server)
        waits(server)
        server.cli("clock", "advance", "11s")
        link.touch("is_up")
        server.cli("clock", "advance", "11s")
        wait_empty(server)
        equal(wait_over(server)["because"], "the link is up")
        submit(server)
        for _ in range(3):
            server.cli("clock", "advance", "11s")
        waits(server)
        link.remove("is_up")
        server.cli("clock", "advance", "11s")
        wait_for(lambda: connection(server)["state"] == "down", "it was seen to drop")
        link.touch("is_up")
        server.cli("clock", "advance", "11s")
        wait_empty(server)
        equal(link.calls(), [], "nothing was dialled")
        wait_for(lambda: connection(server)["state"] == "up", "it was seen to come up")
        server.cli("connection", "set", "isp", "autoconnect=no")
        wait_for(lambda: connection(server)["state"] == "down", "nobody watches it any more")
        submit(server)
        waits(server)


def test_a_link_that_stays_up_is_told_CON_05():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        link.touch("stuck")
        submit(server)
        server.cli("connection", "now", "isp", "--wait")
        wait_empty(server)
        equal(link.calls()[-1], "down")
        true(log(server, "line busy"), "the log says that the link was not taken down, and why")


def test_failures_are_told_once_CON_06_CON_14():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, [
            "name: isp, " + link.keys(retries=2)])) as server:
        server.add_user("anna")
        server.add_user("postmaster", "--admin")
        link.touch("broken")
        submit(server)
        for tries in range(1, 6):
            r = server.cli("connection", "now", "--wait", ok=False)
            told = r.stdout
            true(r.returncode == 1 and "no carrier" in r.stderr, "status 1: " + r.stderr)
            equal(link.calls().count("up isp"), 2 * tries, "two dials an attempt")
            true("isp: " in told and "no carrier" in told, "who waited hears how it ended: " + told)
        row = connection(server)
        true(row["failed"] and "no carrier" in row["result"], str(row))
        equal((row["last"], len(queue(server))), (None, 1), "no connection, and its mail stays")
        wait_for(lambda: letters(server), "a letter after the fourth")
        equal(len(letters(server)), 1)
        link.remove("broken")
        server.cli("connection", "now", "--wait")
        wait_empty(server)
        link.touch("broken")
        for _ in range(4):
            server.cli("connection", "now", "--wait", ok=False)
        wait_for(lambda: len(letters(server)) == 2, "success, then four more: another")


def test_link_failures_are_not_told_where_errors_link_is_off_CON_14_ADM_08():
    with Link() as link, SmtpSink() as sink, Server(extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        server.add_user("postmaster", "--admin")
        equal([server.json("config", "get", key)[0]["value"] for key in (
            "errors.connection", "errors.link", "outgoing.transport_errors_to_admin")], [True, True, False], "as delivered")
        server.cli("config", "set", "errors.link", "no")
        link.touch("broken")
        submit(server)
        for _ in range(4):
            server.cli("connection", "now", "--wait", ok=False)
        server.cli("config", "set", "errors.link", "yes")
        server.cli("connection", "now", "--wait", ok=False)
        equal(letters(server), [], "the fourth failure is the one that is told")
        link.remove("broken")
        server.cli("connection", "now", "--wait")
        wait_empty(server)
        link.touch("broken")
        for _ in range(4):
            server.cli("connection", "now", "--wait", ok=False)
        wait_for(lambda: len(letters(server)) == 1, "and on again")


def test_the_retry_delay_opens_no_link_OUT_16():
    closed = free_ports(1)[0]
    with Link() as link, Server(extra=config(closed, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        submit(server)
        server.cli("connection", "now", "--wait")
        equal([q["state"] for q in queue(server)], ["deferred"])
        dials = link.calls().count("up isp")
        server.cli("clock", "advance", "30m")
        waits(server)
        wait_reason(server, "waits for connection isp")
        equal(link.calls().count("up isp"), dials, "it stays down at retry time")
        with SmtpSink(port=closed) as sink:
            server.cli("connection", "now", "--wait")
            wait_empty(server)
            equal(len(sink.mails), 1)


def test_hang_up_in_the_middle_CON_12():
    gate = Gate(free=2)
    with Link() as link, SmtpSink(on_end=gate) as sink, Server(extra=config(sink, ["name: isp, " + link.keys()],
                                                                 max_connections=1)) as server:
        server.add_user("anna")
        for _ in range(8):
            submit(server)
        server.cli("connection", "now", "isp")
        wait_for(lambda: len(sink.mails) == 2, "it is in the middle")
        server.cli("connection", "stop", "isp")
        gate.open()
        wait_over(server)
        sent, left = len(sink.mails), len(queue(server))
        equal((sent + left, left > 0), (8, True), "what was sent, and the rest")
        true(connection(server)["result"].startswith("hung up"), str(connection(server)))
        wait_for(lambda: "QUIT" in [line for s in sink.sessions for line in s.lines], "closed cleanly")
        equal((link.is_up(), link.calls()[-1]), (False, "down"))
        waits(server, left)
        server.cli("connection", "now", "--all", "--wait")
        wait_empty(server)
        equal(len(sink.mails), 8)


# ---- what begins a run ----


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def advance_to(server, moment):
    """Move the clock to just behind MOMENT, a time as the server prints it."""
    now, at = (when(text) for text in (server.json("status")[0]["time"], moment))
    seconds = int((at - now).total_seconds()) + 1
    if seconds > 0:  # or it has come by itself
        server.cli("clock", "advance", "%ds" % seconds)


def in_time(server, step, condition, what):
    """Move the clock by STEP until it is so: a time that begins with the server's next look may begin late."""
    def look():
        server.cli("clock", "advance", step)
        until = time.monotonic() + 3
        while not condition() and time.monotonic() < until:
            time.sleep(0.05)
        return condition()
    wait_for(look, what)


def far_from(server, schedule, most):
    """Of what comes every so often the next is more than MOST seconds off: nothing comes in the middle of a test."""
    at = lambda: server.json("schedule", "next")[0]["time"]  # noqa: E731
    seconds = lambda: (when(at()) - when(server.json("status")[0]["time"])).total_seconds()  # noqa: E731
    if seconds() <= most:
        due = at()
        server.cli("schedule", "set", schedule, "enabled=no")
        advance_to(server, due)
        server.cli("schedule", "set", schedule, "enabled=yes")


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


# ---- all keys by command ----


def test_a_link_is_made_and_changed_by_command_CON_05_CON_06_CON_07_CON_12():
    """Every key of a connection is set by `connection add|set`, shown by `connection show`, and taken back."""
    with Link("s3cret word") as link, SmtpSink() as sink, Server(extra=config(sink, ["name: lan, kind: lan"])) as server:
        programs = ["%s=/bin/sh;%s;%s" % (w, link.path("link.sh"), w) for w in ("up", "down", "status")]
        server.cli("connection", "add", "isp", "kind=link", *programs, "username=office", "autoconnect=no",
                   "--password-stdin", stdin="s3cret word\n")
        shown = server.json("connection", "show", "isp")[0]
        equal((shown["kind"], shown["up"][2], shown["username"], shown["retries"], shown["state"]),
              ("link", "up", "office", 1, "down"))
        true("s3cret" not in json.dumps(shown), shown)
        with open(server.config) as f:
            true("s3cret" not in f.read(), "the file has the name of the password alone")
        server.cli("connection", "now", "isp", "--wait")
        equal(link.calls(), ["up isp office", "down"], "the programs got user and password")
        keys = {"retries": 3, "retry_wait": 2, "link_timeout": 90, "interfaces": ["none0"], "autoconnect": True,
                "autoconnect_once": False, "autoconnect_every": 360, "numbers": ["1", "2"], "multilink": False,
                "pop3_then_smtp": True, "socks": False, "post_connect": ["/bin/true", "x"],
                "pre_disconnect": ["/bin/true"], "program_timeout": 20, "primary": False}
        words = {True: "yes", False: "no"}
        server.cli("connection", "set", "isp", *["%s=%s" % (
            k, ";".join(v) if isinstance(v, list) else words[v] if isinstance(v, bool) else v) for k, v in keys.items()])
        shown = server.json("connection", "show", "isp")[0]
        equal({k: shown[k] for k in keys}, keys)
        server.cli("undo", "--yes")
        equal([server.json("connection", "show", "isp")[0][k] for k in ("retries", "interfaces", "primary")], [1, [], True])
        server.cli("connection", "set", "isp", "--password-stdin", stdin="other\n")
        server.cli("connection", "now", "isp", "--wait")
        true("password" in link.calls(), "the new one is used at once")
        equal(server.cli("connection", "set", "isp", "colour=red", ok=False).returncode, 1)
        equal(server.cli("connection", "show", "none", ok=False).returncode, 1)
        server.cli("connection", "remove", "isp", "--yes")
        equal([c["name"] for c in server.json("connection", "list")], ["lan"])
        server.cli("undo", "--yes")
        equal(server.json("connection", "show", "isp")[0]["username"], "office")


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


def test_a_stop_of_the_server_takes_the_link_down_CON_12():
    gate = Gate()
    with Link() as link, SmtpSink(on_end=gate) as sink, Server(extra=config(sink, ["name: isp, " + link.keys()])) as server:
        server.add_user("anna")
        submit(server)
        server.cli("connection", "now")
        wait_for(lambda: link.is_up() and sink.sessions, "it is up, and sends")
        threading.Timer(0.5, gate.open).start()  # while it stops
        server.stop()
        equal(link.is_up(), False)
        server.start()


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


# ---- letters ----


UNREACHED, CUT = "Postroom - SMTP Client connection problem", "Postroom - SMTP Client Problem"


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
