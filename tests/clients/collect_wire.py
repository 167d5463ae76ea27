#!/usr/bin/env python3
"""collect_wire.py - mail is fetched by POP3 from a server that misbehaves in every way that was heard of. TAP."""
import os
import poplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pop3_server as wires  # noqa: E402
from pop3_server import Pop3Server  # noqa: E402
from postroom import equal, tap, true  # noqa: E402
from wire_site import HEADER, Postroom, bodies, error_of, fails, mail, now, one_box, row, subjects  # noqa: E402


# ---- servers that misbehave ----

def test_servers_without():
    """No CAPA, no UIDL, no TOP, no LIST, one command at a time: all of it comes, once."""
    for options in ({"capa": False}, {"uidl": False}, {"top": False}, {"list": False}, {"pipelining": False},
                    {"capa": False, "uidl": False, "top": False, "list": False, "pipelining": False}):
        with one_box(b"one", b"two", b"three", **options) as server:
            with Postroom(row(server)) as p:
                got = now(p)
                equal((got["fetched"], got["errors"]), (3, []), str(options))
                equal(subjects(p), ["one", "three", "two"], str(options))
                equal(server.left("box"), [], str(options))


def test_an_empty_mailbox_is_not_listed():
    """Some servers hang up when an empty one is."""
    with Pop3Server({"box": []}, drop_empty_list=True) as server:
        with Postroom(row(server)) as p:
            equal((now(p)["errors"], server.said("LIST")), ([], []))


def test_contract_8_line_ends_dots_and_nuls():
    texts = {
        b"bare-lf": (wires.bare_lf, b"a\r\nb\r\n", b"a\r\nb\r\n"),
        b"dot-lf": (wires.dot_lf, b"a\r\n", b"a\r\nbefore\r\n.\r\nbehind\r\n"),
        b"lf-dot": (wires.lf_dot, b"a\r\n", b"a\r\nbefore\r\n.\r\nbehind\r\n"),
        b"nul": (None, b"a\0b\r\n", b"a\x80b\r\n"),
        b"long": (None, b"x" * 300000 + b"\r\n", b"x" * 300000 + b"\r\n"),
        b"dots": (None, b".\r\n..\r\n...\r\n.x\r\n", b".\r\n..\r\n...\r\n.x\r\n"),
    }
    for mark, (wire, sent, kept) in texts.items():
        with Pop3Server({"box": [mail(mark, sent)]}, wire=wire) as server:
            with Postroom(row(server)) as p:
                equal(now(p)["errors"], [], mark)
                poplib._MAXLINE = 10 ** 6
                got = bodies(p)
                equal(len(got), 1, mark)
                equal(got[0].rstrip(b"\r\n")[:3000], kept.rstrip(b"\r\n")[:3000], mark)
                true(len(got[0]) >= len(kept), "%s: all of it" % mark)
                equal(server.left("box"), [], mark)


def test_contract_8_dots_that_are_not_doubled():
    """The message seems to end early: it is not kept in part, and not removed."""
    for options in ({}, {"pipelining": False}):
        with Pop3Server({"box": [mail(b"a", b"one\r\n.\r\ntwo\r\n"), mail(b"b")]}, wire=wires.unstuffed, **options) as server:
            with Postroom(row(server)) as p:
                fails(p, "leading dots")
                true(len(server.left("box")) >= 1 and server.left("box")[0].startswith(HEADER[:20]), "it is still there")
                true("a" not in subjects(p), "nor half of it here: %s" % subjects(p))
                got = now(p)
                equal((subjects(p), got["errors"], len(server.left("box"))), (["b"], [], 1), "the next one goes around it")


def test_sizes_that_lie():
    for size in (lambda n: 1, lambda n: n + 100000, lambda n: 10 ** 6):
        with one_box(b"one", b"two", size=size) as server:
            with Postroom(row(server)) as p:
                got = now(p)
                equal((got["fetched"], got["errors"]), (2, []))
                equal(server.left("box"), [])


def test_unique_ids_that_are_none():
    with one_box(b"one", b"two", b"three", uidl=wires.long_uid) as server:
        with Postroom(row(server)) as p:
            equal(now(p)["fetched"], 3)
            equal((subjects(p), server.left("box")), (["one", "three", "two"], []))


def test_net_02_silence():
    for stall in ("greeting", "CAPA", "PASS", "UIDL", "RETR"):
        with one_box(b"one", stall=stall) as server:
            with Postroom(row(server, timeout="1s")) as p:
                fails(p, "no answer in time", *(["tls=implicit"] if stall == "greeting" else []))
                equal(len(server.left("box")), 1, stall)
    with one_box(b"one", stall_in_text=40) as server:
        with Postroom(row(server, timeout="1s")) as p:
            fails(p, "no answer in time")
            equal((subjects(p), len(server.left("box"))), ([], 1))


def test_nobody_says_goodbye():
    """QUIT without an answer: what was removed is not sure, and it is not fetched again."""
    with one_box(b"one", b"two", quit_answers=False, quit_removes=False) as server:
        with Postroom(row(server, timeout="5s")) as p:
            p.cli("collect", "now", "isp", "--wait", ok=False)
            equal((subjects(p), len(server.left("box"))), (["one", "two"], 2))
            server.quit_answers = server.quit_removes = True
            p.cli("collect", "now", "isp", "--wait", ok=False)
            equal((subjects(p), server.left("box")), (["one", "two"], []))
            equal(len(server.said("RETR", 2)), 0, "only removed")


def test_inm_30_in_use_and_then_not():
    for answer in (b"-ERR [IN-USE] x\r\n", b"-ERR locked\r\n", b"-ERR unable to lock mailbox\r\n"):
        with one_box(b"one", locked=1, locked_answer=answer) as server:
            with Postroom(row(server)) as p:
                fails(p, "in use elsewhere")
                equal((now(p)["fetched"], now(p)["errors"]), (1, []))


def test_nonsense():
    for options in ({"greeting": b"220 smtp.test ESMTP\r\n"}, {"greeting": b"\0" * 10000}, {"greeting": b"+OK" + b"x" * 100000},
                    {"answers": {"UIDL": b"+OK\r\n1 " + b"u" * 100000}}, {"answers": {"RETR 1": b"hello\r\n"}},
                    {"answers": {"STAT": b"+OK\r\n+OK\r\n"}}):
        with one_box(b"one", **options) as server:
            with Postroom(row(server, timeout="2s")) as p:
                fails(p)
                true(error_of(p), options)
                equal(len(server.left("box")), 1)


def test_garbage_behind_ok():
    with one_box(b"one", b"two", stat=b"+OK garbage\r\n", answers={}) as server:
        with Postroom(row(server)) as p:
            equal((now(p)["fetched"], subjects(p)), (2, ["one", "two"]))


def test_inm_18_demon_env():
    def env(n):
        return [b"punt", b"far.test", b"far@elsewhere.test", b"anna@example.test"]
    with Pop3Server({"box": [mail(b"one").replace(b"To: anna@example.test\r\n", b"")]}, env=env) as server:
        with Postroom(row(server, demon_env="yes")) as p:
            got = now(p)
            equal((got["fetched"], got["errors"]), (1, []))
            equal((server.said("*ENV"), subjects(p)), (["*ENV 1"], ["one"]), "by the envelope alone")
    with one_box(b"one") as server:
        with Postroom(row(server, demon_env="yes")) as p:
            fails(p, "demon_env")
            equal(len(server.left("box")), 1)


# ---- connections ----

def test_inm_03_cut_after_each_command():
    """No loss, and no double where there are unique ids."""
    with one_box(b"one", b"two", b"three") as server:
        with Postroom(row(server)) as p:
            for n in range(14):
                server.boxes["box"] = wires.Box([mail(b"m%d-%d" % (n, k)) for k in range(3)])
                server.cut_after, server.cut_sessions, server.cut_removes = n, 1, n % 2 == 1
                p.cli("collect", "now", "isp", "--wait", ok=False)
                server.cut_after = None
                p.cli("collect", "now", "isp", "--wait", ok=False)
                equal(server.left("box"), [], "cut after %d" % n)
                equal(sorted(x for x in subjects(p) if x.startswith("m%d-" % n)), ["m%d-%d" % (n, k) for k in range(3)], "cut after %d" % n)


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
