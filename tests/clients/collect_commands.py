#!/usr/bin/env python3
"""collect_commands.py - collectors by command: the file, sealed passwords, mappings that follow, undo, refusals."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, tap, true  # noqa: E402

SECRET = "canary-secret-of-the-box"
ADD = ("kind=pop3", "server=127.0.0.1", "port=1", "tls=none", "username=box")


def add(s, name="isp", *keys, stdin=SECRET + "\n"):
    return s.cli("collect", "add", name, *ADD, *keys, "--password-stdin", stdin=stdin)


def refused(s, *words, says, stdin="", status=1):
    r = s.cli(*words, stdin=stdin, ok=False)
    equal((r.returncode, says in r.stderr), (status, True), "%s: %s" % (" ".join(words), r.stderr))


def file_of(s):
    with open(s.config) as f:
        return f.read()


def get(s, key):
    """Of a setting, or of a whole collector."""
    if key.count(".") == 2:
        return [c for c in get(s, "collecting.collectors") if c["name"] == key.split(".")[2]][0]
    return s.json("config", "get", key)[0]["value"]


def test_cfg_02_one_key_a_line_as_the_file_around_it(s):
    old = "{ name: old, server: pop.test, username: u } # of last year"
    with Server(extra="# ours\ncollecting: { query_delay: 3d, collectors: [ %s ] } # all\n" % old.split(" #")[0]) as s:
        add(s, "isp", "accepted=example.test;*@other.test", "folder=A: b")
        s.cli("collect", "set", "old", "port=7")
        s.cli("collect", "set", "isp", "every=10m", "port=2")
        true("""
# ours
collecting: # all
  query_delay: 3d
  collectors:
    - { name: old, server: pop.test, username: u, port: 7 }
    - name: isp
      password: { sealed: collector.isp }
      kind: pop3
      server: 127.0.0.1
      port: 2
      tls: none
      username: box
      accepted: ["example.test","*@other.test"]
      folder: "A: b"
      every: 10m
""" in file_of(s), file_of(s))
        s.cli("collect", "remove", "isp", "--yes")
        s.cli("collect", "set", "old", "port=")
        true("""
  collectors:
    - { name: old, server: pop.test, username: u }
""" in file_of(s), file_of(s))


def test_a_preview_is_a_sentence(s):
    """One object is named, several are counted, and none is several."""
    with Server() as s:
        s.add_user("anna")
        s.add_user("bob")
        add(s, "isp", "accepted=example.test")
        for words, says in (("user remove anna", "would remove user anna"), ("user remove anna bob", "would remove 2 users"),
                            ("collect remove isp", "would remove collector isp"), ("collect off isp", "would switch off collector isp"),
                            ("collect now isp", "would collect by collector isp"), ("collect set isp port=2", "would set collector isp port=2"),
                            ("rule download ask fetch 7", "would answer question 7: fetch it"),
                            ("rule download ask remove 7 8", "would answer 2 questions: remove it"),
                            ("rule download ask fetch --filter subject=x", "would answer 0 questions: fetch it"),
                            ("queue hold --all", "would hold 0 messages of the queue"), ("queue hold 5", "would hold message 5 of the queue"),
                            ("message remove anna --filter subject:x", "would remove 0 messages of anna"),
                            ("message hold anna 7", "would hold message 7 of anna"), ("archive hold 1 2", "would hold 2 messages of the archive")):
            lines = s.cli(*words.split(), "--dry-run").stdout.splitlines()
            true(says in [line.strip() for line in lines], "%s: %s" % (words, lines))


def test_add_seals_the_password_h65_h66(s):
    with Server() as s:
        s.add_user("anna")
        add(s, "isp", "accepted=example.test;*@other.test", "leave_days=3", "order=special,stop-if-any,standard")
        text = file_of(s)
        true(SECRET not in text and "sealed: collector.isp" in text, text)
        item = get(s, "collecting.collectors.isp")
        equal((item["server"], item["port"], item["leave_days"], item["accepted"], item["order"]),
              ("127.0.0.1", 1, 3, ["example.test", "*@other.test"], ["special", "stop-if-any", "standard"]))
        refused(s, "collect", "add", "isp", *ADD, says="already")
        refused(s, "collect", "add", "two", "password=x", *ADD, says="password is not given as a key")
        refused(s, "collect", "add", "two", "kind=pop3", says="server=HOST")
        refused(s, "collect", "add", "two", "kind=spool", says="path=FOLDER")
        refused(s, "collect", "add", "17", *ADD, says="not digits alone")
        refused(s, "collect", "add", "two", "colour=red", *ADD, says="no colour")
        refused(s, "collect", "add", "two", "kind=uucp", *ADD[1:], says="pop3|imap|spool|smtp")
        refused(s, "collect", "add", "two", "kind=smtp", "etrn=a b", says="RFC 1985")
        refused(s, "collect", "set", "isp", says="nothing is to be changed")
        refused(s, "collect", "set", "none", "port=2", says="there is no collector none")
        s.cli("collect", "set", "isp", "port=2", "leave_days=")
        equal((get(s, "collecting.collectors.isp")["port"], "leave_days" in file_of(s)), (2, False))
        s.cli("collect", "set", "isp", "--password-stdin", stdin="another one\n")
        true(SECRET not in file_of(s) and "another one" not in file_of(s), file_of(s))
        said = s.cli("collect", "remove", "isp", "--yes").stdout
        true("collector isp removed" in said and get(s, "collecting.collectors") == [], (said, file_of(s)))
        equal(s.json("secret", "list"), [])
        s.cli("undo")
        equal([r["name"] for r in s.json("secret", "list")], ["collector.isp"])
        true("sealed: collector.isp" in file_of(s), file_of(s))
        for folder, _, names in os.walk(os.path.join(s.dir, "log")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    log = f.read()
                true(SECRET.encode() not in log and b"another one" not in log, "a password is in %s" % name)


def test_what_the_file_is_warned_of_is_told_at_once(s):
    with Server() as s:
        said = s.cli("collect", "add", "isp", *ADD).stdout
        true("isp added" in said and "without accepted domains" in said, said)
        said = s.cli("collect", "set", "isp", "accepted=example.test").stdout
        true("warning" not in said, said)
        said = s.cli("collect", "add", "two", *ADD, "accepted=example.test").stdout
        true("the same mailbox as isp" in said, said)


def test_switches_of_the_misc_screen_adm_10(s):
    """SOCKS (NET-08), names (SVC-05, SVC-06), collect before sending (CON-03), the provider's time (INM-24): as delivered, and set."""
    with Server(extra="connections: [ { name: isp, kind: lan } ]\n") as s:
        add(s, "isp", "accepted=example.test", "connections=isp")
        for key, before, after in (("socks.server", "", "127.0.0.1:1080"), ("privacy.anonymise", False, True),
                                   ("privacy.hide_addresses", False, True)):
            equal(get(s, key), before, key)
            s.cli("config", "set", key, {True: "yes"}.get(after, after))
            equal(get(s, key), after, key)
        of_connection = lambda: get(s, "connections")[0]["pop3_then_smtp"]  # noqa: E731
        of_collector = lambda: get(s, "collecting.collectors.isp")["keep_received"]  # noqa: E731
        equal((of_connection(), of_collector()), (False, False))
        s.cli("connection", "set", "isp", "pop3_then_smtp=yes")
        s.cli("collect", "set", "isp", "keep_received=yes")
        equal((of_connection(), of_collector()), (True, True))
        s.cli("undo")
        equal((of_connection(), of_collector()), (True, False))


def test_dry_run_changes_nothing(s):
    with Server() as s:
        before = file_of(s)
        said = s.cli("collect", "add", "isp", *ADD, "--dry-run").stdout
        true(said.startswith("would ") and "server" in said, said)
        equal(file_of(s), before)


def test_on_and_off_several(s):
    with Server() as s:
        for name in ("one", "two", "three"):
            add(s, name)
        said = s.cli("collect", "off", "one", "three").stdout
        true("switched off" in said, said)
        equal([get(s, "collecting.collectors.%s.enabled" % n) for n in ("one", "two", "three")], [False, True, False])
        s.cli("undo")
        equal([get(s, "collecting.collectors.%s.enabled" % n) for n in ("one", "two", "three")], [True, True, True])
        refused(s, "collect", "off", "one", "none", says="there is no collector none")
        refused(s, "collect", "off", "one", "one", says="named twice")
        s.cli("collect", "off", "two")
        s.cli("collect", "on", "two")
        equal(get(s, "collecting.collectors.two.enabled"), True)


def test_a_new_name_takes_its_mappings_along(s):
    with Server() as s:
        s.add_user("anna")
        add(s)
        s.cli("mapping", "add", "sales", "anna", "--when", "pop3", "--collect", "isp")
        s.cli("mapping", "add", "office", "anna", "--when", "pop3")
        said = s.cli("collect", "set", "isp", "name=provider").stdout
        true("with 1 mapping" in said, said)
        equal(sorted(r["collect"] or "" for r in s.json("mapping", "list")), ["", "provider"])
        equal(get(s, "collecting.collectors")[0]["name"], "provider")
        s.cli("undo")
        equal(sorted(r["collect"] or "" for r in s.json("mapping", "list")), ["", "isp"])
        equal(get(s, "collecting.collectors")[0]["name"], "isp")
        said = s.cli("collect", "remove", "isp", "--yes").stdout
        true("1 mapping still names isp" in said, said)


def test_lan_rules_that_name_it_come_first(s):
    with Server() as s:
        add(s)
        with open(os.path.join(s.dir, "lan"), "w") as f:
            f.write("(isp) *@lan.test 127.0.0.1:2\n")
        r = s.cli("route", "lan", "apply", os.path.join(s.dir, "lan"), ok=False)
        if r.returncode != 0:
            raise AssertionError(r.stderr)
        refused(s, "collect", "set", "isp", "name=other", says="line 1")
        equal(get(s, "collecting.collectors")[0]["name"], "isp")


def test_inm_01_a_connection_is_wanted(s):
    """INM-01: without connections in the file there is the one of its own; with them one is named."""
    with Server() as s:
        add(s)
        s.cli("connection", "add", "home", "kind=lan")
        equal(get(s, "collecting.collectors.isp.connections"), ["home"], "the first one takes those that did without")
        refused(s, "collect", "add", "two", *ADD, says="wants a connection")
        refused(s, "collect", "set", "isp", "connections=", says="wants a connection")
        refused(s, "collect", "set", "isp", "connections=none", says="no connection none")
        add(s, "two", "connections=home")
        refused(s, "connection", "remove", "home", "--yes", says="no connection home")
        s.cli("connection", "add", "road", "kind=lan")
        s.cli("collect", "set", "two", "connections=home;road")
        equal(get(s, "collecting.collectors.two.connections"), ["home", "road"])


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")], object()))
