#!/usr/bin/env python3
"""collect_now.py - mail is fetched by hand: what is said of it, how it is tried and stopped. TAP."""
import json
import os
import pty
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from collect_site import LIMIT_S, box, collector, config, row, run, subjects  # noqa: E402
from connection_site import Link, connection, wait_over  # noqa: E402
from imap_server import ImapServer  # noqa: E402
from pop3_server import Pop3Server  # noqa: E402
from postroom import BUILD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


# ---- by hand ----

def test_a_script_sees_that_it_failed():
    """Contract 2: 1, and the reason on stderr; what went well is told all the same."""
    with Pop3Server(box(2)) as pop, Server(extra=config(
            [collector(pop, connections="[isp]"), collector(None, "dead", connections="[isp]")],
            ["name: isp, primary: yes", "name: ddl, kind: link, up: [/bin/false], retries: 0"])) as server:
        server.add_user("anna")
        r = server.cli("collect", "now", "fetch", "--wait")
        equal((r.stdout.split(":")[0], r.stderr), ("fetch", ""))
        for words, says in ((("collect", "now", "dead"), "postroom: collect now dead: "), (("collect", "now", "--all"), "postroom: collect now: dead: "),
                            (("connection", "now", "isp"), "postroom: connection now isp: dead: "),
                            (("connection", "now", "ddl"), "postroom: connection now ddl: the link did not come up: "),
                            (("connection", "now", "--all"), "postroom: connection now: ddl: the link did not come up: ")):
            r = server.cli(*words, "--wait", ok=False)
            equal(r.returncode, 1, "%s" % (words,))
            true(any(line.startswith(says) for line in r.stderr.splitlines()), "%s: %s" % (words, r.stderr))
            true(r.stdout and all(line.startswith("postroom: ") for line in r.stderr.splitlines()), "%s: %s" % (words, r.stdout))
            r = server.cli(*words, "--wait", "--json", ok=False)
            equal((r.returncode, r.stderr, len(r.stdout.splitlines())), (1, "", 1), "%s" % (words,))
            true(json.loads(r.stdout)["errors"], r.stdout)
        server.cli("collect", "off", "dead")
        for words in (("collect", "now", "--all"), ("connection", "now", "isp")):
            equal(server.json(*words, "--wait")[0]["errors"], [], "%s" % (words,))


def test_now_says_what_came_of_it():
    with Pop3Server(box(3)) as pop, Server(extra=config(
            [collector(pop), collector(None, "dead"), collector(pop, "wrong", leave_days=3)])) as server:
        server.add_user("anna")
        done = server.json("collect", "now", "fetch", "--wait")[0]
        equal((done["fetched"], done["left"], done["deleted"], done["errors"]), (3, 0, 3, []))
        equal(pop.left("box"), [])
        done = server.json("collect", "now", "dead", "--wait", ok=False)[0]
        equal((done["fetched"], len(done["errors"])), (0, 1))
        true(row(server, "dead")["error"] and row(server, "dead")["error"] in done["errors"][0], str(done))
        done = server.json("collect", "now", "--all", "--wait", ok=False)[0]
        true(any(e.startswith("dead: ") for e in done["errors"]), str(done))
        for words, says in ((("now", "none"), "there is no collector none"), (("now",), "--all"), (("stop", "fetch"), "nothing is being"),
                            (("now", "fetch", "--all"), "one of them"), (("test", "none"), "no collector")):
            r = server.cli("collect", *words, ok=False)
            true(r.returncode == 1 and says in r.stderr, "%s: %s" % (words, r.stderr))
        server.cli("collect", "off", "fetch", "dead", "wrong")
        done = server.json("collect", "now", "--all", "--wait")[0]
        equal([done[key] for key in ("done", "fetched", "left", "deleted", "failed", "bytes", "errors")], [0] * 6 + [[]], "none is on")


def test_a_terminal_sees_how_far_it_is():
    """Count, bytes and, after a second, rate and what is left, on one line that is written over."""
    held, go = threading.Event(), threading.Event()

    def retr(session, line):
        held.set()
        go.wait(LIMIT_S)
        return b"+OK\r\n" + session.list[1].text + b".\r\n"

    with Pop3Server(box(3), answers={"RETR 2": retr}, pipelining=False, capa=[b"UIDL"]) as pop, Server(extra=config([collector(pop)])) as server:
        server.add_user("anna")
        leader, follower = pty.openpty()
        p = subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, "collect", "now", "fetch", "--wait"],
                             stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        seen = b""
        true(held.wait(LIMIT_S), "it fetches")
        while b" of 3, " not in seen:
            seen += os.read(leader, 4096)
        go.set()
        while b"3 fetched" not in seen:
            seen += os.read(leader, 4096)
        equal(p.wait(LIMIT_S), 0)
        os.close(leader)
        true(b"\r1 of 3, " in seen or b"\r0 of 3, " in seen, seen)
        true(b"\n" not in seen.split(b"3 fetched")[0], "the line is written over: %r" % seen)


def test_left_messages_are_counted():
    with Pop3Server(box(3)) as pop, Server(extra=config([collector(pop, leave_days=3)])) as server:
        server.add_user("anna")
        for fetched in (3, 0):
            done = server.json("collect", "now", "fetch", "--wait")[0]
            equal((done["fetched"], done["left"], done["deleted"]), (fetched, 3, 0))
        equal((len(pop.left("box")), len(subjects(server))), (3, 3))
        status = server.json("status")[0]["collecting"]
        equal((status["collectors"], status["under_way"], status["collected"], status["failures"]), (1, 0, 3, 0))


def test_a_new_name_knows_what_was_fetched():
    with Pop3Server(box(3)) as pop, Server(extra=config([collector(pop, leave_days=3)])) as server:
        server.add_user("anna")
        server.cli("collect", "now", "fetch", "--wait")
        server.cli("collect", "set", "fetch", "name=provider")
        equal(server.json("collect", "now", "provider", "--wait")[0]["fetched"], 0)
        server.cli("undo")
        equal(server.json("collect", "now", "fetch", "--wait")[0]["fetched"], 0, "so does the old one again")
        server.cli("collect", "remove", "fetch", "--yes")
        server.cli("undo")
        equal(server.json("collect", "now", "fetch", "--wait")[0]["fetched"], 0, "and one that was away")
        equal(len(subjects(server)), 3)


def steps_of(r):
    return [(row["step"], row["state"]) for row in map(json.loads, r.stdout.splitlines())]


def test_the_login_test_changes_nothing():
    with Pop3Server(box(3)) as pop, Server(extra=config([collector(pop), collector(None, "dead")])) as server:
        server.add_user("anna")
        steps = {r["step"]: r for r in server.json("collect", "test", "fetch")}
        equal((steps["login"]["state"], steps["mailbox"]["state"]), ("ok", "ok"))
        true("3 messages" in steps["mailbox"]["result"], str(steps))
        equal((pop.said("RETR"), pop.said("DELE"), subjects(server)), ([], [], []))
        del pop.boxes["box"].messages[1:]
        true(server.json("collect", "test", "fetch")[3]["result"].startswith("1 message, "), "of one")
        pop.passwords["box"] = "another"
        r = server.cli("collect", "test", "fetch", ok=False)
        true(r.returncode == 1 and "failed" in r.stdout and "secret-word" not in r.stdout + r.stderr, r.stdout)
        r = server.cli("collect", "test", "dead", "--json", ok=False)
        true(r.returncode == 1, r.stdout)
        equal(steps_of(r), [("connect", "failed")])
        true("of TLS" not in r.stdout and "in clear" not in r.stdout, r.stdout)
        for tls, step, words in (("implicit", "encryption", "tls=starttls"), ("starttls", "encryption", "STLS")):
            server.cli("collect", "set", "fetch", "tls=" + tls)
            r = server.cli("collect", "test", "fetch", "--json", ok=False)
            equal(steps_of(r), [("connect", "ok"), (step, "failed")])
            true(words in r.stdout and ", in clear" not in r.stdout, r.stdout)
        server.cli("collect", "set", "fetch", "tls=none")
        pop.greeting, pop.cut_after, pop.cut_sessions = b"", 0, 1
        r = server.cli("collect", "test", "fetch", ok=False)
        true("tls=implicit" in r.stdout, r.stdout)
        true("secret-word" not in server.cli("log", "show", "--limit", "5000").stdout, "H66")


def tried(server, name="fetch"):
    return steps_of(server.cli("collect", "test", name, "--json", ok=False))


def test_the_login_test_names_the_step_that_fails():
    with Pop3Server(box(1)) as pop, ImapServer() as imap, Server(extra=config([
            collector(pop), collector(pop, "tls").replace("tls: none", "tls: starttls"),
            collector(imap, "imap", folder="Nowhere").replace("kind: pop3", "kind: imap"),
            collector(pop, "nobody").replace("127.0.0.1,", "nobody.invalid,"),
            "{ name: files, kind: spool, path: /dev/null/spool, users: [anna], accepted: [example.test] }"])) as server:
        server.add_user("anna")
        way = [("connect", "ok"), ("encryption", "note")]
        equal(tried(server)[:4], way + [("login", "ok"), ("mailbox", "ok")])
        equal(tried(server, "tls"), [("connect", "ok"), ("encryption", "failed")])
        equal(tried(server, "imap"), way + [("login", "ok"), ("mailbox", "failed")])
        equal(tried(server, "nobody"), [("name", "failed")])
        equal(tried(server, "files"), [("folder", "failed")])
        pop.passwords["box"] = "another"
        equal(tried(server), way + [("login", "failed")])
        pop.greeting = b"-ERR go away\r\n"
        equal(tried(server), way + [("greeting", "failed")])
        pop.greeting = None
        server.cli("collect", "set", "fetch", "password={file: /dev/null/none}")
        equal(tried(server), way + [("login", "failed")])
        for value in ("1.5", "-1"):
            said = server.cli("collect", "set", "fetch", "max_kb=" + value, ok=False).stderr
            true("max_kb: not a whole number" in said, said)


def test_a_collection_under_way_has_no_next_time():
    """The next is counted from its end: until then it is no time that moves with the clock."""
    go = threading.Event()

    def retr(session, line):
        go.wait(LIMIT_S)
        return b"+OK\r\n" + session.list[0].text + b".\r\n"

    with Pop3Server(box(6), answers={"RETR 1": retr}) as pop, Server(extra=config([collector(pop, every="1h")])) as server:
        server.add_user("anna")
        wait_for(lambda: row(server)["state"] == "fetching", "it begins", LIMIT_S)
        equal(row(server)["next"], None)
        go.set()
        wait_for(lambda: row(server)["state"] == "idle", "it is over", LIMIT_S)
        true(row(server)["next"] > row(server)["last"], row(server))


def test_hang_up_in_the_middle_closes_cleanly_CON_12():
    """What is being fetched is finished, QUIT is said, the rest stays there and comes with the next run."""
    third, go = threading.Event(), threading.Event()

    def retr(session, line):
        third.set()
        go.wait(LIMIT_S)
        return b"+OK\r\n" + session.list[2].text + b".\r\n"

    with Pop3Server(box(300), answers={"RETR 3": retr}, pipelining=False, capa=[b"UIDL", b"TOP"]) as pop, Link() as link, \
            SmtpSink() as sink, Server(extra=config([collector(pop, connections="[isp]")],
                                                    ["name: isp, " + link.keys()], sink)) as server:
        server.add_user("anna")
        server.cli("connection", "now", "isp")
        true(third.wait(LIMIT_S), "it fetches")
        server.cli("connection", "stop", "isp")
        go.set()
        equal(wait_over(server)["state"], "down")
        true(connection(server)["result"].startswith("hung up"), str(connection(server)))
        equal(len(pop.said("QUIT")), 1, "closed cleanly")
        fetched, left = len(subjects(server)), len(pop.left("box"))
        equal((fetched + left, fetched < 300, link.calls()[-1]), (300, True, "down"), "the rest stays there")
        pop.answers = {}
        run(server)
        equal((len(subjects(server)), pop.left("box")), (300, []))
        equal(len(set(subjects(server))), 300, "none twice")


def test_collect_stop_ends_one():
    stuck, go = threading.Event(), threading.Event()

    def retr(session, line):
        stuck.set()
        go.wait(LIMIT_S)
        return b"+OK\r\n" + session.list[0].text + b".\r\n"

    with Pop3Server(box(50), answers={"RETR 1": retr}, pipelining=False, capa=[b"UIDL"]) as pop, Server(extra=config([collector(pop)])) as server:
        server.add_user("anna")
        server.cli("collect", "now", "fetch")
        true(stuck.wait(LIMIT_S), "it fetches")
        server.cli("collect", "stop", "fetch")
        go.set()
        wait_for(lambda: row(server)["state"] == "idle", "it is over: %s" % row(server))
        equal((len(subjects(server)) + len(pop.left("box")), len(subjects(server)) < 50), (50, True))


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
