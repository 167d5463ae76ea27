#!/usr/bin/env python3
"""The control socket itself: framing, rights, limits, subscriptions, cursors, previews, descriptors (H59)."""
import json
import os
import random
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control_cli import PASSWORD as RELAY_PASSWORD, relay  # noqa: E402
from control_server import Count, Link, Server, wait_until  # noqa: E402

PASSWORD = "Canary-91bd pass"
ASK = """import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
for line in sys.stdin:
    s.sendall(line.encode()); got = b""
    while not got.endswith(b"\\n"):
        more = s.recv(65536)
        if not more: break
        got += more
    print(got.decode().strip())
"""


def code(reply):
    return reply.get("error", {}).get("data", {}).get("code")


def test_hello(c, s):
    link = Link(s.sock)
    hello = link.call("hello", client="test")["result"]
    c.check("hello says who is asking", hello["role"] == "administrator" and "config.edit" in hello["rights"], hello)
    methods = hello["methods"]
    c.check("hello has the methods", any("queue.list" in json.dumps(m) for m in methods), str(methods)[:200])
    c.check("another protocol is refused", code(link.call("hello", version=99)) == "version")
    c.check("an unknown method", code(link.call("no.such")) == "method")
    c.check("an unknown parameter", code(link.call("status", x=1)) == "invalid")
    c.check("a wrong type", code(link.call("user.show", name=7)) == "invalid")
    link.send(b"this is no json\n")
    c.check("no JSON is an error and the session goes on", code(link.line()) == "parse"
            and "result" in link.call("status"))
    link.send(b"[" * 100000 + b"\n")
    c.check("H59 a bomb of brackets", "error" in link.line())
    link.send(b"\n\n" + b'{"jsonrpc":"2.0","id":"a b","method":"sta')
    time.sleep(0.1)
    link.send(b'tus"}\n')
    c.check("a line in pieces, an id that is a string", link.line()["id"] == "a b")
    c.check("changing methods want names", code(link.call("queue.remove")) == "invalid")
    link.close()


def test_limits(c, s):
    link = Link(s.sock)
    try:
        link.send(b"x" * (1 << 20) + b"y" * 100)
        reply = link.line()
    except OSError:
        reply = {}
    c.check("H59 a line over 1 MiB is refused", code(reply) == "too_large", reply)
    try:
        closed = link.s.recv(10) == b""
    except OSError:
        closed = True
    c.check("and the connection closed", closed)
    links = []
    for _ in range(40):
        try:
            link = Link(s.sock)
            link.call("hello")
            links.append(link)
        except (OSError, EOFError, ValueError):
            break
    c.check("H59 32 consoles", len(links) <= 32 and len(links) >= 30, len(links))
    for link in links:
        link.close()
    c.check("and again when they left", wait_until(lambda: s.run("status")[0] == 0))
    stuck = Link(s.sock)
    stuck.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.s.settimeout(2)
    line = b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n'
    sent = 0
    try:
        while sent < 3000:
            stuck.send(line * 10)
            sent += 10
    except OSError:
        pass
    c.check("H59 a console that never reads stops nobody", s.run("status")[0] == 0)
    stuck.close()


VALUES = ('"anna"', '"INBOX"', "1", '["1","2"]', '"a|b -c size>1M"', '{"comment":"x"}', "true", "null", '"2h"',
          '"<>"', '"status"', "0", "-1", "9007199254740993", "{}", '"\\ud800"', '"' + "x" * 300 + '"')
KEEP = ("hello", "auth", "backup", "store.check", "clock.advance", "service.stop", "config.set", "user.remove")
FUZZ_LINES = int(os.environ.get("POSTROOM_FUZZ_LINES", "1500"))


def random_line(methods):
    """A call of some method with some of its parameters, most of them of a wrong kind."""
    method = random.choice(methods)
    names = [word.lstrip("-").split(":")[0] for word in method["params"].split() if random.random() < 0.7]
    params = ",".join('"%s":%s' % (name, random.choice(VALUES)) for name in names)
    line = bytearray('{"jsonrpc":"2.0","id":1,"method":"%s","params":{%s}}' % (method["name"], params), "ascii")
    for _ in range(random.randrange(0, 5)):
        line[random.randrange(len(line))] = random.choice(b'{}[]",:\\0aX\xff\x00')
    return bytes(line) + b"\n"


def fuzz_line(link, line):
    """Send it; what came until the answer to a call of our own."""
    link.send(line)
    link.last = 1 << 20
    return code(link.call("cancel", id=2)) == "not_found"  # no mutation makes that id, and a slow call may have 0


def test_fuzz(c, s):
    random.seed(7)
    link = Link(s.sock)
    methods = link.call("hello")["result"]["methods"]
    methods = [m for m in methods if m["name"] not in KEEP and "secret" not in m["params"]]
    answered = 0
    for i in range(FUZZ_LINES):
        if i % 500 == 499:  # what it opened goes with it
            link.close()
            link = Link(s.sock)
        answered += fuzz_line(link, random_line(methods))
    link.close()
    c.check("H59 %d mutated lines, and the session goes on" % FUZZ_LINES, answered == FUZZ_LINES, answered)
    c.check("H59 and the server lives", s.run("status")[0] == 0 and s.process.poll() is None)
    st, out, err = s.run("check")
    c.check("and the store is whole", st == 0, (out, err))


def test_lists(c, s):
    for i in range(5):
        s.run("user", "add", "user%d" % i, "--password-stdin", stdin=PASSWORD + "\n")
    link = Link(s.sock)
    opened = link.call("list.open", method="user.list", params={}, sort="name")["result"]
    c.check("list.open counts", opened["total"] >= 6, opened)
    page = link.call("list.page", cursor=opened["cursor"], n=2)["result"]
    c.check("list.page from the start", len(page["rows"]) == 2 and page["rows"][0]["cells"]["name"], page)
    key = page["rows"][1]["key"]
    after = link.call("list.page", cursor=opened["cursor"], after=key, n=2)["result"]
    c.check("list.page after a key", after["rank"] == 2 and after["rows"][0]["key"] > key, after)
    keyed = link.call("list.page", cursor=opened["cursor"], keys=[after["rows"][0]["key"], "no such", key])["result"]
    c.check("list.page of keys, in their order", [r["key"] for r in keyed["rows"]] == [after["rows"][0]["key"], key]
            and keyed["total"] == opened["total"], keyed)
    many = link.call("list.page", cursor=opened["cursor"], keys=["k%d" % i for i in range(401)])
    c.check("too many keys are refused", code(many) == "too_large", many)
    before = link.call("list.page", cursor=opened["cursor"], before=after["rows"][0]["key"], n=2)["result"]
    c.check("list.page before a key", before["rows"][1]["key"] == key, before)
    count = link.call("list.count", method="user.list", params={}, filter="name:user")["result"]
    c.check("list.count", count["count"] == 5, count)
    link.call("list.close", cursor=opened["cursor"])
    c.check("a closed cursor is gone", code(link.call("list.page", cursor=opened["cursor"])) == "gone")
    got = link.call("get", method="user.show", params={"name": "user1"})["result"]
    c.check("get", got["name"] == "user1", got)
    link.close()


def test_numbered_lists(c, s):
    """A list of the queue keeps numbers: its pages are read again, what left is gone, what came is counted."""
    s.run("user", "add", "outgoing", "--password-stdin", stdin=RELAY_PASSWORD + "\n")

    def more(n):
        for i in range(n):
            relay(s, "x%d@far.test" % i, "outgoing")

    more(4)
    link = Link(s.sock)
    for sort in ("", "size", "-sender", "-age"):
        opened = link.call("list.open", method="queue.list", params={}, sort=sort)["result"]
        page = link.call("list.page", cursor=opened["cursor"])["result"]
        keys = [r["key"] for r in page["rows"]]
        c.check("numbered list by %r" % sort, opened["fresh"] and opened["total"] == len(keys) >= 4
                and sorted(keys) == sorted(r["id"] for r in s.json("queue", "list")), (opened, page))
        back = link.call("list.page", cursor=opened["cursor"], before=keys[2], n=1)["result"]
        c.check("its page before a key", back["rank"] == 1 and back["rows"][0]["key"] == keys[1], back)
        link.call("list.close", cursor=opened["cursor"])
    opened = link.call("list.open", method="queue.list", params={}, filter="-state:held")["result"]
    keys = [r["key"] for r in link.call("list.page", cursor=opened["cursor"])["result"]["rows"]]
    s.run("queue", "remove", keys[0])
    s.run("queue", "hold", keys[1])
    more(1)
    page = link.call("list.page", cursor=opened["cursor"])["result"]
    c.check("rows that left are gone, in their place", [r.get("gone", False) for r in page["rows"]]
            == [True, True] + [False] * (len(keys) - 2) and [r["key"] for r in page["rows"]] == keys, page)
    c.check("one that is there yet shows why", page["rows"][1]["cells"]["state"] == "held", page)
    look = link.call("list.page", cursor=opened["cursor"], keys=keys)["result"]
    c.check("a look counts what came and went", [r["key"] for r in look["rows"]] == keys[2:]
            and look["total"] == len(keys) - 2 + 1, look)
    more(1)
    look = link.call("list.page", cursor=opened["cursor"], keys=keys[2:3])["result"]
    c.check("and goes on counting", look["total"] == len(keys) + 2, look)
    two = s.json("queue", "list", "--limit", "2")
    rest = s.json("queue", "list", "--after", two[1]["id"])
    c.check("the command goes on after a key", [r["id"] for r in two + rest]
            == [r["id"] for r in s.json("queue", "list")] and len(rest) > 1, (two, rest))
    link.close()


def test_preview(c, s):
    link = Link(s.sock)
    seen = link.call("preview", method="user.remove", filter="name:user")["result"]
    c.check("preview pins", seen["count"] == 5 and seen["token"] and len(seen["sample"]) == 5, seen)
    s.run("user", "add", "user9", "--password-stdin", stdin=PASSWORD + "\n")
    s.run("user", "remove", "user3")
    done = link.call("apply", token=seen["token"])["result"]
    names = [r["name"] for r in s.json("user", "list")]
    c.check("apply touches what was pinned, no more", done["done"] == 4 and "user9" in names, (done, names))
    c.check("and says what it skipped", done["skipped"][0]["key"] == "user3", done)
    c.check("a token is good once", code(link.call("apply", token=seen["token"])) == "gone")
    link.call("undo.apply", id=done["undo"])
    c.check("one undo for all of it", len([r for r in s.json("user", "list") if r["name"].startswith("user")]) == 5)
    seen = link.call("undo.preview")["result"]
    c.check("undo.preview", seen["what"] and seen["clashes"] == [], seen)
    link.close()


def plausible(method):
    """Parameters that a person might give: what is not optional, and no password."""
    values = {"text": "anna", "name": "anna", "address": "anna@example.test", "count": 1, "size": "1MB",
              "duration": "1s", "time": "1h", "flag": True, "list": ["anna"], "targets": ["anna"],
              "keys": {"comment": "x"}, "fd": 0}
    params = {}
    for word in method["params"].split():
        name, kind = word.lstrip("-").split(":")
        if (kind.endswith("?") and not kind.startswith("targets")) or kind == "secret":
            continue
        kind, _, choices = kind.rstrip("?").partition("(")
        values["choice"] = choices.rstrip(")").split("|")[0]
        params[name] = "new" if name == "new_name" else values[kind]
    return params


def plausible_fds(s, method):
    """What a person might send along: a file, or an empty folder."""
    for word in method["params"].split():
        kind = word.split(":")[1]
        if kind == "fd(dir)":
            return [os.open(tempfile.mkdtemp(dir=s.dir), os.O_RDONLY | os.O_DIRECTORY)]
        if kind.startswith("fd("):
            path = os.path.join(s.dir, "plausible")
            with open(path, "w", encoding="utf-8") as f:
                f.write("kim,anna@example.net\n")
            return [os.open(path, os.O_RDWR)]
    return []


# what edits the file looks before it previews: there is no item of that name, no such key in one, no rule in that text
OF_THE_FILE = {"config.set": "not_found", "config.unset": "not_found", "config.change": "not_found", "route.add": "invalid",
               "route.set": "not_found", "route.remove": "not_found", "route.lan.apply": "invalid", "rule.smtp.apply": "invalid",
               "rule.smtp.on": "not_found", "rule.smtp.off": "not_found", "rule.smtp.move": "not_found",
               "rule.smtp.add": "invalid", "rule.smtp.set": "not_found", "rule.smtp.remove": "not_found", "connection.add": "invalid",
               "connection.set": "not_found", "connection.remove": "not_found", "schedule.add": "invalid",
               "schedule.set": "not_found", "schedule.remove": "not_found", "schedule.modify": "not_found",
               "rule.content.apply": "invalid", "user.script.set": "invalid",
               "rule.monitor.set": "invalid", "rule.monitor.remove": "not_found",
               "archive.set": "not_found", "rule.archive.apply": "invalid", "message.send": "invalid"}


OF_THE_FILE["journal.set"] = "invalid"
OF_THE_FILE["config.edit"] = "invalid"
OF_THE_FILE.update({"collect.add": "invalid", "collect.set": "not_found", "collect.remove": "not_found",
                    "collect.on": "not_found", "collect.off": "not_found"})
OF_THE_FILE.update({m.replace(".smtp.", ".download."): code for m, code in OF_THE_FILE.items() if ".smtp." in m})
# and what tries the change: the name is a user's, there is no such group, a prune rule has no such key, and there is no rule
TRIED = {"group.add": "clash", "group.set": "not_found", "rule.prune.add": "invalid", "rule.prune.set": "not_found"}
REFUSED = {**OF_THE_FILE, **TRIED}


def test_preview_that_tries(c, s):
    """A preview that tries the change leaves nothing of it; its token does it."""
    link = Link(s.sock)

    def comments():
        return [r.get("comment") for r in s.json("group", "list") if r["name"] == "tried"]

    def ages():
        return [r["age"] for r in s.json("rule", "prune", "list")]

    def tried(method, look, **params):
        before = look()
        seen = link.call("preview", method=method, params=params)
        c.check("preview of %s that can be done" % method, seen.get("result", {}).get("count") == 1, seen)
        c.check("which changes nothing", look() == before, (before, look()))
        done = link.call("apply", token=seen["result"]["token"])
        c.check("and whose token does it", "result" in done and look() != before, (done, look()))

    tried("group.add", comments, name="tried")
    tried("group.set", comments, name="tried", keys={"comment": "y"})
    tried("rule.prune.add", ages, keys={"age": "900"})
    tried("rule.prune.set", ages, id=str(s.json("rule", "prune", "list")[0]["id"]), keys={"age": "800"})
    link.close()


def test_preview_of_all(c, s):
    """Each method that changes something: its preview is an answer, and so is its token's apply."""
    link = Link(s.sock)
    methods = [m for m in link.call("hello")["result"]["methods"] if m["guard"] > 0 and m["name"] != "apply"]
    c.check("the methods that change something are told", len(methods) > 25, len(methods))
    for method in methods:
        fds = plausible_fds(s, method)
        reply = link.call("preview", fds, method=method["name"], params=plausible(method))
        for fd in fds:
            os.close(fd)
        seen = reply.get("result", {})
        good = seen.get("count") == 1 and seen["effects"][0].startswith("would ")
        if method["params"].endswith(":secret") or ":secret " in method["params"]:  # H66: a preview is kept for minutes
            good = code(reply) == "invalid"
        if method["name"] in REFUSED:
            good = code(reply) == REFUSED[method["name"]]
        c.check("preview of %s" % method["name"], good, reply)
        if seen and method["name"] not in ("service.stop", "user.remove", "user.rename"):
            reply = link.call("apply", token=seen["token"])
            c.check("and its token", "result" in reply or "error" in reply, reply)
    seen = link.call("preview", method="mapping.add", params={"address": "q@example.test", "target": "anna"})["result"]
    c.check("a preview says what would be done",
            seen["effects"] == ["would add mapping q@example.test -> anna"] and seen["sample"] == [], seen)
    done = link.call("apply", token=seen["token"])["result"]
    c.check("and its token does it", done["done"] == 1, done)
    seen = link.call("preview", method="undo.apply", params={})["result"]
    c.check("a preview of undo names the change and pins it", seen["effects"] ==
            ["would undo: mapping q@example.test added (change %s)" % done["undo"]], (seen, done))
    link.call("user.set", name="anna", keys={"comment": "later"})
    link.call("apply", token=seen["token"])
    c.check("and takes back that one", "q@example.test" not in [r["address"] for r in s.json("mapping", "list")])
    for method, params, cli in (
            ("queue.redirect", {"ids": ["4Kx"], "keys": {"to": "new@far.test"}}, "queue redirect 4Kx to=new@far.test"),
            ("queue.redirect", {"ids": ["4Kx", "5Kx"], "keys": {"route": "lan:h:25"}}, None),
            ("queue.bounce", {"ids": ["4Kx"]}, "queue bounce 4Kx --yes"),
            ("user.rename", {"name": "anna", "new_name": "anne"}, "user rename anna anne"),
            ("mapping.add", {"address": "*@example.test", "target": "anna"}, "mapping add '*@example.test' anna")):
        seen = link.call("preview", method=method, params=params).get("result", {})
        cli = cli or "queue redirect 4Kx 5Kx route=lan:h:25"
        c.check("a preview says the whole command: " + cli, seen.get("cli") == "postroom " + cli, seen)
    link.close()
    for words in (("mapping", "add", "q@example.test", "anna"), ("user", "set", "anna", "comment=x"),
                  ("service", "stop", "pop3"), ("undo",), ("config", "undo"), ("backup", s.dir),
                  ("config", "set", "limits.recipients", "700"), ("group", "add", "crew")):
        st, out, err = s.run(*words, "--dry-run")
        c.check("%s --dry-run" % " ".join(words[:2]), st == 0 and out.startswith("would "), (st, out, err))


def test_subscribe(c, s):
    link = Link(s.sock)
    sub = link.call("subscribe", topic="status")["result"]["subscription"]
    first = link.event()
    c.check("status event has all at first", first["topic"] == "status" and "queue" in first["data"], first)
    second = link.event()
    c.check("then only what changed", "version" not in second["data"] and "uptime_s" in second["data"], second)
    link.call("ack", subscription=sub, seq=second["seq"])
    link.call("unsubscribe", subscription=sub)
    log = link.call("subscribe", topic="log", level="debug")["result"]["subscription"]
    s.run("status")
    event = link.event()
    c.check("log event", event["topic"] == "log" and event["data"]["lines"][0]["text"], event)
    for _ in range(100):
        s.run("status")
    c.check("a log that nobody acks stops nobody", s.run("status")[0] == 0)
    note = {"jsonrpc": "2.0", "method": "ack", "params": {"subscription": log, "seq": event["seq"]}}
    link.send(json.dumps(note).encode() + b"\n")
    link.send(b'{"jsonrpc":"2.0","method":"no.such"}\n')
    c.check("a notification has no answer", wait_for_id(link, "unsubscribe", subscription=log) == [])
    link.close()


def wait_for_id(link, method, **params):
    """Answers that came before the one to this call and are no events."""
    link.last += 1
    link.send(json.dumps({"jsonrpc": "2.0", "id": link.last, "method": method, "params": params}).encode() + b"\n")
    odd = []
    while True:
        reply = link.line()
        if reply.get("id") == link.last:
            return odd
        if "method" not in reply:
            odd.append(reply)


def test_cancel(c, s):
    link = Link(s.sock)
    c.check("cancel of nothing", code(link.call("cancel", id=12345)) == "not_found")
    for i in range(10):
        link.send(json.dumps({"jsonrpc": "2.0", "id": 100 + i, "method": "user.list"}).encode() + b"\n")
    ids = {link.line()["id"] for _ in range(10)}
    c.check("pipelined requests are all answered", ids == set(range(100, 110)), ids)
    link.close()


def test_fds(c, s):
    path = os.path.join(s.dir, "out")
    link = Link(s.sock)
    with open(path, "wb") as f:
        reply = link.call("user.export", fds=[f.fileno()], out=0)
    c.check("a passed descriptor is written", reply.get("result", {}).get("done", 0) > 0
            and os.path.getsize(path) > 100, reply)
    c.check("no descriptor is an error", code(link.call("user.export", out=0)) == "invalid")
    with open(path, "rb") as f:
        for _ in range(50):
            link.call("status", fds=[f.fileno(), f.fileno()])
    fds = len(os.listdir("/proc/%d/fd" % s.process.pid))
    with open("/proc/%d/task/%d/children" % (s.process.pid, s.process.pid)) as f:
        fds = max([fds] + [len(os.listdir("/proc/%s/fd" % pid)) for pid in f.read().split()])
    c.check("H62 descriptors that nobody asked for are closed", fds < 60, fds)
    link.close()


def ask_as_nobody(s, *lines):
    os.chmod(s.dir, 0o755)
    os.chmod(s.sock, 0o666)
    done = subprocess.run(["/usr/bin/python3", "-c", ASK, s.sock], input="".join(x + "\n" for x in lines),
                          capture_output=True, text=True, user=65534, group=65534, extra_groups=[],
                          cwd="/", timeout=60, check=False)
    return [json.loads(x) for x in done.stdout.splitlines() if x]


def test_rights(c, s):
    mode = os.stat(s.sock).st_mode
    c.check("H59 the socket is 0660", stat.S_IMODE(mode) == 0o660, oct(mode))
    ro = Link(s.sock)
    ro.call("hello", read_only=True)
    c.check("read-only looks", "result" in ro.call("user.list"))
    c.check("read-only does not change", code(ro.call("user.set", name="anna", keys={"comment": "x"}))
            == "no_permission")
    ro.close()
    if os.geteuid() != 0:
        return
    call = '{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}'
    got = ask_as_nobody(s, call % (1, "user.list", "{}"), call % (2, "hello", "{}"))
    c.check("H59 another uid is refused", code(got[0]) == "no_permission", got[:1])
    c.check("and is nobody", got[1]["result"]["rights"] == [], str(got[1])[:200])
    got = ask_as_nobody(s, call % (1, "auth", json.dumps({"user": "postmaster", "password": PASSWORD})),
                        call % (2, "user.list", "{}"), call % (3, "user.set",
                        json.dumps({"name": "user1", "keys": {"comment": "by name"}})))
    c.check("auth as an administrator", got[0].get("result", {}).get("role") == "administrator", got[:1])
    c.check("and may then", "rows" in got[1].get("result", {}) and "result" in got[2], got[1:])
    c.check("the change is his", s.json("undo", "list", "--limit", "1")[0]["who"] == "postmaster")
    got = ask_as_nobody(s, call % (1, "auth", json.dumps({"user": "user1", "password": PASSWORD})),
                        call % (2, "user.list", "{}"))
    c.check("auth as a plain user gives no view", "result" in got[0] and code(got[1]) == "no_permission", got)
    guess = json.dumps({"user": "postmaster", "password": "wrong"})
    got = ask_as_nobody(s, *(call % (n, "auth", guess) for n in range(1, 7)))
    c.check("H57 a wrong password", code(got[0]) == "no_permission", got)
    c.check("H57 the next tries wait", any(code(g) == "busy" and g["error"]["data"].get("retry_after") for g in got), got)
    got = ask_as_nobody(s, call % (1, "auth", json.dumps({"user": "nobody-here", "password": "wrong"})))
    c.check("H58 an unknown user gets the same words", got and "error" in got[0], got)


def test_auth(c, _):
    """A good login is remembered (H63); guesses beside each other are few (H57)."""
    s = Server(extra="auth: { hash_memory: 256MB, hash_passes: 4 }\n")
    try:
        s.start()
        s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
        link, took = Link(s.sock), []
        for _ in range(6):
            began = time.monotonic()
            good = "result" in link.call("auth", user="postmaster", password=PASSWORD)
            took.append(time.monotonic() - began)
            c.check("auth", good)
        c.check("H63 the next login is remembered", min(took[1:]) < took[0] / 3, took)
        link.send(b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"auth","params":{"user":"u%d","password":"x"}}\n' % (100 + n, n)
                           for n in range(20)))
        codes = [code(link.line()) for _ in range(20)]
        c.check("H57 few guesses beside each other", codes.count("busy") >= 12, codes)
        link.close()
    finally:
        s.close()


def test_operator(c, _):
    """An operator may undo, but no more than he might do himself."""
    if os.geteuid() != 0:
        return
    s = Server(extra="console: { groups: { operator: [nogroup] } }\n")
    try:
        s.start()
        s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
        call = '{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}'
        change = s.json("undo", "list")[0]["id"]
        got = ask_as_nobody(s, call % (1, "hello", "{}"), call % (2, "undo.apply", json.dumps({"id": change})))
        c.check("a group of the file is an operator", got[0]["result"]["role"] == "operator", got[0])
        c.check("undo wants the right of what it undoes", code(got[1]) == "no_permission"
                and got[1]["error"]["data"].get("field") == "config.edit", got[1])
        c.check("and nothing is undone", s.json("undo", "list")[0]["state"] == "can undo")
        c.check("the operator's server ends with 0", s.stop() == 0, s.errors[-3:])
    finally:
        s.close()


def test_parallel(c, s):
    errors = []

    def work(n):
        try:
            link = Link(s.sock)
            for i in range(30):
                reply = link.call("user.set", name="user%d" % n, keys={"comment": "%d" % i})
                if "result" not in reply:
                    errors.append(reply)
            link.close()
        except (OSError, EOFError) as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in (0, 1, 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    c.check("three consoles change at once", not errors, errors[:2])


def main():
    c = Count()
    s = Server()
    try:
        s.start()
        s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
        s.run("user", "add", "anna", "--password-stdin", stdin=PASSWORD + "\n")
        for test in (test_hello, test_lists, test_numbered_lists, test_preview, test_preview_of_all, test_preview_that_tries,
                     test_subscribe, test_cancel, test_fds, test_rights, test_operator, test_auth, test_parallel, test_limits, test_fuzz):
            try:
                test(c, s)
            except Exception as error:  # a test that breaks off has failed
                c.check(test.__name__, False, "%r %s" % (error, traceback.format_exc()[-300:]))
        c.check("the server ends with 0", s.stop() == 0, s.errors[-3:])
        c.check("H66 no password in its log", "Canary-91bd" not in "\n".join(s.errors))
    finally:
        s.close()
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
