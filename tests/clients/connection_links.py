#!/usr/bin/env python3
"""connection_links.py - links that are brought up and taken down, fail, and stay up (CON). TAP."""
import json
import os
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from connection_site import (Gate, Link, config, connection, letters, log, queue, submit, wait_empty, wait_over,  # noqa: E402
                             wait_reason, waits)
from postroom import Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


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


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")]))
