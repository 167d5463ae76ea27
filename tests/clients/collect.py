#!/usr/bin/env python3
"""collect.py - mail is fetched: nothing is lost and nothing comes twice, wherever the connection or Postroom itself ends; what
stays on the server, and for how long; many collectors at once, and many messages."""
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from pop3_server import Message, Pop3Server  # noqa: E402
from postroom import Server, equal, figure, tap, true, wait_for  # noqa: E402

DAY = 86400


def mail(n, to="anna@example.test", more=""):
    return ("Return-Path: <far@elsewhere.test>\r\nReceived: from far.test by pop.test; Sat, 3 Jan 1998 01:05:34 +0000\r\n"
            "From: far@elsewhere.test\r\nTo: %s\r\nSubject: number %d\r\nMessage-ID: <%d@far.test>\r\n%s\r\nText %d\r\n" % (
                to, n, n, more, n)).encode()


def box(count, first=1):
    return {"box": [mail(n) for n in range(first, first + count)]}


def collector(port, name="fetch", **more):
    words = dict(kind="pop3", server="127.0.0.1", port=port, tls="none", username="box", password="secret-word",
                 accepted="[example.test]", timeout="20s")
    words.update(more)
    return "{ name: %s, %s }" % (name, ", ".join("%s: %s" % w for w in words.items()))


def config(*collectors, rest=""):
    return "testing: { clock: yes }\ncollecting: { collectors: [ %s ]%s }\n" % (", ".join(collectors), rest)


def collect(server, name="fetch"):
    """What came of it, whether it failed or not."""
    r = server.cli("collect", "now", name, "--wait", "--json", ok=False)
    true(r.stdout, r.stderr)
    return json.loads(r.stdout)


def row(server, name="fetch"):
    return [r for r in server.json("collect", "list") if r["name"] == name][0]


def subjects(server, user="anna"):
    return sorted(m["subject"] for m in server.json("message", "list", user))


def numbers(first, last):
    return sorted("number %d" % n for n in range(first, last + 1))


def test_fetched_stored_removed_INM_03():
    with Pop3Server(box(25)) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("anna")
        said = collect(server)
        equal((said["fetched"], said["deleted"], said["left"], said["errors"]), (25, 25, 0, []))
        equal((subjects(server), pop.left("box")), (numbers(1, 25), []))
        text = server.fetch("anna")[0].decode()
        true(re.search(r"Received: from 127\.0\.0\.1\r?\n\tby mail\.example\.test with POP3 \(collector fetch\)", text), text[:600])
        equal(text.count("Return-Path:"), 1, text[:400])
        equal(server.check()[0], 0)


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
