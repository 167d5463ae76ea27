#!/usr/bin/env python3
"""archive_guard.py - who may look into the archive, how long it keeps, and what a crash leaves (ARC, SEC-09). TAP."""
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from archive_site import CLOCK, ON, found, people, security, subjects, submit, text, verified  # noqa: E402
from control_server import Link  # noqa: E402
from postroom import Server, equal, tap, true, wait_for  # noqa: E402


def test_each_use_is_audited_ARC_05():
    """View, copy, export, hold, search, verify: a line with the name each; who has not the right is refused."""
    with Server(extra=ON) as server:
        people(server)
        server.add_user("root2", "--admin")
        server.send("bo@far.test", ["anna@example.test"], text("one"))
        out = os.path.join(server.dir, "x.zip")
        for command in (["show", "1"], ["copy", "1", "bert"], ["export", "1", "--format", "zip", "--out", out],
                        ["hold", "1"], ["release", "1"], ["search"], ["verify"]):
            server.cli("archive", *command)
        log = security(server)
        for words in ("archived message read", "archived message copied", "archived message exported",
                      "archived message held", "archived message released", "archive searched", "archive was verified"):
            lines = [line for line in log if words in line]
            true(lines and all("who=" in line for line in lines), (words, log))
        who = "root" if os.getuid() == 0 else "uid %d" % os.getuid()
        true(any("archived message read" in line and who in line and "1" in line for line in log), log)


def test_retention_Q_35():
    """keep_days, by direction, by rules, by size; what is held stays; the chain holds, also over what went."""
    with Server(extra=ON + CLOCK) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("in"))
        server.send("boss@bank.test", ["anna@example.test"], text("bank"))
        submit(server, "anna", ["bert@example.test"], text("internal", sender="anna@example.test"))
        server.send("bo@far.test", ["anna@example.test"], text("held"))
        note = verified(server)
        server.cli("archive", "hold", "4", "--why", "case 12")
        equal(subjects(server, "--held"), ["held"])
        server.cli("archive", "set", "keep_days=30", "keep_internal=60", 'rules=["0 from=*@bank.test"]', "--yes")
        server.cli("clock", "advance", "20d")
        time.sleep(0.3)
        equal(len(found(server)), 4, "too young")
        server.cli("clock", "advance", "11d")
        wait_for(lambda: len(found(server)) == 3, "the first goes", 10)
        equal(subjects(server), ["held", "internal", "bank"])
        server.cli("clock", "advance", "30d")
        wait_for(lambda: len(found(server)) == 2, "the internal one goes", 10)
        equal(subjects(server), ["held", "bank"])
        gone = server.cli("archive", "show", "1", ok=False)
        true("retention took it" in gone.stderr, gone.stderr)
        verified(server, "--against", "%s:%s" % note)
        other = server.cli("archive", "verify", "--against", "%s:%s" % (note[0], "0" * len(note[1])), "--json", ok=False)
        true(other.returncode == 1 and "written anew" in other.stdout and "holds" not in other.stdout, other.stdout)
        bad = server.cli("archive", "verify", "--against", "", ok=False)
        true(bad.returncode == 1 and "ID:CHAIN" in bad.stderr, "nothing proves nothing: " + bad.stderr)
        server.cli("archive", "release", "4")
        server.cli("clock", "advance", "1d")
        wait_for(lambda: subjects(server) == ["bank"], "what was held goes", 10)
        for n in range(5):
            server.send("bo@far.test", ["anna@example.test"], text("more %d" % n, "y" * 30000))
        server.cli("archive", "set", "max_size=100KB")
        server.cli("clock", "advance", "1m")
        wait_for(lambda: len(found(server)) == 3, "the oldest go", 10)
        equal(subjects(server), ["more 4", "more 3", "more 2"])
        verified(server)
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def test_kill_9_around_archiving_ARC_01():
    """Killed at any moment: each message that was accepted is in the mailbox and in the archive, none in one of them alone."""
    with Server(extra=ON) as server:
        people(server)
        told = []
        for turn in range(6):
            stop = threading.Event()

            def deliver(number):
                n = 0
                while not stop.is_set():
                    subject = "m-%d-%d-%d" % (turn, number, n)
                    try:
                        server.send("bo@far.test", ["anna@example.test"], text(subject, "z" * 3000))
                    except Exception:
                        return
                    told.append(subject)
                    n += 1

            threads = [threading.Thread(target=deliver, args=(i,)) for i in range(4)]
            for t in threads:
                t.start()
            before = len(told)
            time.sleep(0.15 + 0.05 * turn)
            wait_for(lambda: len(told) > before + 2, "some are accepted")
            server.kill()
            stop.set()
            for t in threads:
                t.join()
            server.start()
        archived = subjects(server, "--limit", "10000")
        delivered = [r["subject"] for r in server.json("message", "list", "anna", "--limit", "10000")]
        true(len(told) > 10, len(told))
        equal(sorted(archived), sorted(delivered), "the same in both")
        true(set(told) <= set(archived), sorted(set(told) - set(archived))[:5])
        verified(server)
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def refused(server, *command, **options):
    r = server.cli(*command, ok=False, **options)
    return r.returncode == 4 and "message security is on" in r.stderr


GUARDED = (["message", "show", "anna", "1"], ["message", "list", "anna"], ["message", "copy", "anna", "1", "--to-user", "bert"],
           ["queue", "message", "000001"], ["mapping", "list"], ["mapping", "add", "x@example.test", "anna"],
           ["mapping", "test", "x@example.test"], ["rule", "monitor", "list"], ["rule", "monitor", "set", "incoming=all"],
           ["rule", "monitor", "test", "--from", "bo@far.test", "--to", "anna@example.test"],
           ["archive", "search"], ["archive", "show", "1"], ["archive", "copy", "1", "bert"], ["archive", "verify"],
           ["archive", "hold", "1"], ["archive", "set", "on=no"], ["config", "set", "archive.on", "no"],
           ["config", "change", "archive.on=no", "log.keep=9"], ["user", "set", "anna", "assistants=bert"],
           ["group", "set", "staff", "monitor=on"], ["message", "remove", "anna", "1", "--yes"],
           ["message", "bin", "anna"], ["user", "export", "--out", "/dev/null"], ["user", "script", "anna"],
           ["user", "set", "anna", "size_over_to=bert@example.test"], ["rule", "smtp", "try", "--last", "1"],
           ["rule", "prune", "preview"], ["journal", "set", "internal=bert"], ["config", "get", "monitor"], ["config", "diff"],
           ["explain", "--from", "bo@far.test", "--to", "anna@example.test"], ["apppass", "add", "anna", "phone"],
           ["user", "legacy", "anna", "apop", "on"], ["route", "lan", "apply", "-"], ["config", "set", "rules.smtp", "other.rules"],
           ["collect", "add", "mine", "kind=pop3", "server=127.0.0.1", "username=box", "password={sealed: collector.isp}", "route=all",
            "target=bert"], ["collect", "set", "isp", "accepted="], ["config", "set", "collecting.collectors.isp.target", "bert"],
           ["config", "set", "collecting.collectors", "[]"], ["config", "unset", "collecting.collectors.isp.accepted"],
           ["config", "change", "collecting.collectors.isp.route=all", "collecting.collectors.isp.target=bert"],
           ["config", "set", "collecting.unknown.to", "bert"], ["rule", "download", "test", "--message", "/dev/null"],
           ["collect", "test", "isp", "--message", "/dev/null"])


def test_message_security_SEC_09_MON_10_ARC_05():
    """Scenario 41: switched on, what shows or copies mail is refused; open with the password; closed with the session."""
    with Server(extra=ON) as server:
        people(server)
        server.cli("group", "add", "staff")
        server.send("bo@far.test", ["anna@example.test"], text("one"))
        server.cli("mapping", "add", "alias@example.test", "anna")
        mapped = server.json("undo", "list")[0]["id"]
        server.cli("user", "set", "anna", "assistants=bert")
        helped = server.json("undo", "list")[0]["id"]
        server.cli("collect", "add", "isp", "kind=pop3", "server=127.0.0.1", "username=box", "--password-stdin", stdin="x\n")
        equal(server.json("security", "status")[0]["on"], False)
        true(server.cli("security", "open", "--password-stdin", stdin="x\n", ok=False).returncode == 1, "it is off")
        server.cli("security", "on", "--password-stdin", stdin="open sesame\n")
        true(server.cli("security", "on", "--password-stdin", stdin="other\n", ok=False).returncode == 1, "on already")
        for command in GUARDED:
            true(refused(server, *command), command)
        true(server.cli("user", "set", "anna", "comment=free").returncode == 0, "what shows no mail is free")
        equal([row["subject"] for row in server.json("trace", "--to", "anna@example.test", "--columns", "id,subject")],
              [None], "a subject is what somebody wrote")
        equal(server.json("trace", "--filter", "subject=one"), [], "nor is it found by it")
        equal(server.json("queue", "list"), [])
        true("assistants" not in server.json("user", "show", "anna")[0], "assistants")
        shown = {row["key"]: row["value"] for row in server.json("config", "show")}
        equal((shown["monitor"], shown["archive.on"]), (None, "yes"), "who is monitored stands in the file")
        equal([row["flags"] for row in server.json("user", "list") if row["name"] == "anna"], [""], "s, m and f are told by none")
        equal([r["name"] for r in server.json("user", "list", "--filter", "flags=s")], ["*OUTQUEUE"], "nor found by it")
        true("monitor" not in server.json("group", "show", "staff")[0], "monitoring")
        for change in (mapped, helped):
            equal(server.cli("undo", change, "--yes", ok=False).returncode, 4, "taking back is editing")
        for command in (["rule", "smtp", "apply", "-"], ["rule", "content", "apply", "-"], ["config", "undo"], ["rule", "archive", "apply", "-"],
                        ["folder", "rights", "anna", "INBOX", "bert", "lrs"],
                        ["user", "set", "anna", "store_forward_address=x@far.test"]):
            true(refused(server, *command), ("this would send copies, or show a mailbox", command))
        preview = Link(server.socket)
        for method, params in (("preview", {"method": "archive.hold", "params": {"ids": ["1"]}}),
                               ("list.open", {"method": "archive.search"}), ("get", {"method": "archive.show", "params": {"id": "1"}})):
            reply = preview.call(method, **params)
            equal(reply["error"]["data"]["field"], "message_security", method)
        # one command with the password
        rows = server.cli("archive", "search", "--open", "--json", stdin="open sesame\n").stdout
        true('"one"' in rows, rows)
        true(refused(server, "archive", "search"), "the next session is closed")
        # a session
        a, b = Link(server.socket), Link(server.socket)
        true("error" in a.call("security.open", password="wrong"), "a wrong one")
        wait_for(lambda: "result" in a.call("security.open", password="open sesame"), "its turn comes", 10)
        equal(len(a.call("archive.search")["result"]["rows"]), 1)
        equal(a.call("security.status")["result"]["open"], True)
        token = a.call("preview", method="archive.hold", params={"ids": ["1"]})["result"]["token"]
        equal(b.call("archive.search")["error"]["data"]["code"], "no_permission", "another session")
        cursor = a.call("list.open", method="archive.search")["result"]["cursor"]
        a.call("security.close")
        equal(a.call("list.page", cursor=cursor)["error"]["data"]["field"], "message_security", "a list that was open")
        equal(a.call("archive.search")["error"]["data"]["field"], "message_security")
        equal(a.call("apply", token=token)["error"]["data"]["field"], "message_security", "also what was previewed")
        # over a restart; no undo switches it off
        server.stop()
        server.start()
        true(refused(server, "archive", "search"), "over a restart")
        server.cli("undo", "--yes", ok=False)
        true(refused(server, "archive", "search"), "nor by undo")
        equal(server.cli("security", "off", "--password-stdin", stdin="guess\n", ok=False).returncode, 4)
        wait_for(lambda: server.cli("security", "off", "--password-stdin", stdin="open sesame\n", ok=False).returncode == 0,
                 "its turn comes", 10)
        equal(len(found(server)), 1)
        log = security(server)
        for words in ("switched on", "opened for a session", "closed for a session", "switched off"):
            true(any("message security " + words in line and "who=" in line for line in log), (words, log))
        everything = "".join(open(os.path.join(server.dir, "log", name), errors="replace").read()
                             for name in os.listdir(os.path.join(server.dir, "log")))
        true("sesame" not in everything, "the password is in no log (H66)")


def test_guesses_are_slowed_SEC_09_H57():
    """Ten wrong passwords take their time, whatever session they come from."""
    with Server(extra=ON) as server:
        server.cli("security", "on", "--password-stdin", stdin="open sesame\n")
        busy = 0
        for _ in range(10):
            error = Link(server.socket).call("security.open", password="guess")["error"]["data"]
            busy += error["code"] == "busy" and error["retry_after"] > 0
        true(busy >= 5, busy)


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
