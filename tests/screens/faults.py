#!/usr/bin/env python3
"""faults.py - a terminal that vanishes, a server that comes back, pastes, bytes on the wire: TAP."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import Console, HOSTILE, fill  # noqa: E402
from terminal import Door, Terminal  # noqa: E402
from postroom import BUILD, ROOT, Server, tap  # noqa: E402

BUILDS = [BUILD, os.path.join(ROOT, "build", "asan")]
END_S = 60


def vanishes(server, build, ignore=(), busy=False):
    with Terminal(server.socket, build=build, cwd=server.dir, ignore=ignore) as t:
        t.settle()
        if busy:  # it waits in a write that nobody reads
            for _ in range(30):
                os.write(t.master, b"\x0c")
        t.vanish()
        status = t.wait_end(END_S)
        assert status is not None, "it goes on without a terminal"
        assert status in (0, -signal.SIGHUP), status


def test_it_ends_with_its_terminal(server):
    """With SIGHUP; without it, by end of file; and while it writes."""
    for build in BUILDS:
        if os.path.exists(os.path.join(build, "postroom")):
            vanishes(server, build)
            vanishes(server, build, ignore=(signal.SIGHUP,))
            vanishes(server, build, busy=True)
            vanishes(server, build, ignore=(signal.SIGHUP,), busy=True)


def test_it_ends_by_signals(server):
    for number in (signal.SIGHUP, signal.SIGTERM):
        with Terminal(server.socket, cwd=server.dir) as t:
            t.settle()
            os.kill(t.pid, number)
            assert t.wait_end(END_S) == 0, t.status
            assert t.is_restored()


def plain(server, *lines):
    r = subprocess.run([os.path.join(BUILD, "postroom"), "-s", server.socket, "console", "--plain"],
                       input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "\x1b" not in r.stdout + r.stderr, r
    return r.stdout


def screen_names(server):
    """As the program names them, in the order of the screen bar."""
    return [line.split(":")[0] for line in plain(server, "screens").splitlines()]


def open_screen(c, name):
    """By its digit, which the bar shows, or by its name."""
    digit = re.search(r"(\d) (?i:%s)" % name[:3], c.screen().splitlines()[1])
    if digit:
        return c.keys(digit.group(1))
    c.keys(":").sees(r"Esc Close")
    c.keys(name).sees(r">\S* +Screen: ")
    return c.keys("Enter").gone(r"Esc Close")


def cursor_item(screen):
    """The first word of the row under the cursor, without its mark and its flags."""
    row = re.search(r"^>(.*)$", screen, re.M)
    words = row.group(1).split() if row else []
    return words[0] if words else None


# Their rows do not outlive the server, or they have none.
WITHOUT_ROWS = ("sessions", "blocked", "logs", "overview", "archiving", "journal-to", "content", "signature", "security")
AT_ONCE = 20  # consoles; the server has room for 32 (H59)


def comes_back(server, names):
    consoles, items = [], {}
    with contextlib.ExitStack() as stack:
        for name in names:
            c = stack.enter_context(Console(server))
            consoles.append(c)
            c.sees(r"LAST MESSAGES")
            open_screen(c, name)
        for name, c in zip(names, consoles):
            if name not in WITHOUT_ROWS:
                c.sees(r"^>|nothing here")
                c.keys("j", "j")
        for name, c in zip(names, consoles):
            if name not in WITHOUT_ROWS:
                c.sees(r"row [23] of|row 1 of 1|nothing here")
                items[name] = cursor_item(c.screen())
        server.kill()
        for c in consoles:
            c.sees(r"no server answers since")
        server.start()
        for name, c in zip(names, consoles):
            c.gone(r"no server answers").sees(r"root:administrator")
            if items.get(name):
                screen = c.sees(r"^>.*%s" % re.escape(items[name]))
                assert cursor_item(screen) == items[name], (name, items[name], screen)
    return sum(item is not None for item in items.values())


def test_every_screen_comes_back(server):
    """The server is killed and started while each screen is open: each has its item again by itself."""
    server.cli("mapping", "add", "desk@example.test", "anna")
    server.cli("mapping", "add", "shop@example.test", "bert")
    server.cli("group", "add", "sales")
    server.cli("group", "add", "staff")
    names = screen_names(server)
    assert len(names) >= 10, names
    found = sum(comes_back(server, names[i:i + AT_ONCE]) for i in range(0, len(names), AT_ONCE))
    assert found >= 8, found


def test_pastes_outside_a_field_change_nothing(server):
    door = Door(server.dir, server.socket)
    with Terminal(door.path, cwd=server.dir) as t:
        t.settle()
        changing = {"preview", "apply"}
        for digit in b"1234567":
            t.press(bytes([digit]))
            t.press(b"\x1b[200~dyHyKyRyLyXy:q\r\ry\x1b[201~")
            assert not t.ended()
        asked = {a["method"] for a in door.asked if "method" in a}
        reads = re.compile(r"^(hello|subscribe|unsubscribe|ack|status|get|trace|log\.tail|list\.\w+|.*\.(list|show))$")
        assert not asked & changing and all(reads.match(m) for m in asked), asked
    door.close()


# CSI, character sets, keypad modes: what curses sends
OURS = re.compile(rb"\x1b\[[?0-9;]*[A-Za-z]|\x1b[()][0-9A-B]|\x1b[=>78M]|[\x0e\x0f]")


def only_ours(data):
    """No control character and no sequence that came from outside."""
    rest = OURS.sub(b"", bytes(data)).decode("utf-8", "replace")
    bad = re.search("[\x00-\x06\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]", rest)
    assert not bad, (bad, rest[max(0, bad.start() - 60):bad.start() + 60] if bad else "")


CORPUS = [HOSTILE, "\x1b]52;c;ZXZpbA==\x07", "\x9d0;title\x9c", "a" + "\u0301" * 200, "\u2066\u2069\ufeff", "\U000e0041",
          "\u4e2d\u6587\u3042" * 20, "\udcff\udcfe", "%n%s", "\x08\x08\x7f"]


def test_h70_only_curses_writes_sequences(server):
    """H70: hostile text in every column that outside text reaches; the bytes that reach the terminal."""
    for text in CORPUS:
        data = text.encode("utf-8", "surrogateescape")
        server.send("x@elsewhere.test", ["bert@example.test"], b"Subject: " + data + b"\r\nFrom: " + data
                    + b" <x@elsewhere.test>\r\n\r\n" + data + b"\r\n")
    for i, text in enumerate(CORPUS[:3]):
        server.cli("user", "set", "anna", "--comment", text, ok=False)
        server.cli("mapping", "add", "m%d@example.test" % i, "anna", "--comment", text, ok=False)
    for env in ({}, {"LC_ALL": "C"}, {"TERM": "vt100"}):
        with Terminal(server.socket, rows=36, cols=120, cwd=server.dir, env=env) as t:
            t.settle()
            for key in b"1234567":
                t.press(bytes([key]))
                t.press(b"j")
            t.press(b"3")
            for _ in range(len(CORPUS)):
                t.press(b"j")
                t.press(b"\r")
                t.press(b"q")
            t.read(0.05)
            only_ours(t.seen)
    for words in (("queue", "list"), ("trace", "--steps"), ("log", "show"), ("user", "list"), ("mapping", "list")):
        with Terminal(server.socket, *words[1:], command=words[0], cwd=server.dir) as t:
            t.wait_end()
            t.read(0.05)
            assert t.written > 0, words
            only_ours(t.seen)


def test_every_act_has_its_twin(server):
    """What a key does is a command with help; every screen prints as lines."""
    commands = set()
    for name in screen_names(server):
        text = plain(server, "keys " + name, name)
        assert text.strip(), name
        commands |= set(re.findall(r": postroom ([a-z]+(?: [a-z]+)*)\.", text))
    assert len(commands) > 15, commands
    for command in sorted(commands):
        r = subprocess.run([os.path.join(BUILD, "postroom"), "help", *command.split()], capture_output=True, text=True)
        assert r.returncode == 0 and command in r.stdout, (command, r)


def median(values):
    return sorted(values)[len(values) // 2]


def test_wire_meter(server):
    """Bytes for a key at 120x36; more than twice the budget fails."""
    server.stop()
    subprocess.run([os.path.join(BUILD, "bench", "fill"), server.store, "3000", "100"], check=True)
    server.start()
    with Terminal(server.socket, rows=36, cols=120, cwd=server.dir) as t:
        end = time.monotonic() + 60
        while b"RECENT" not in t.seen and time.monotonic() < end:
            t.read(0.2)
        t.read(0.3)
        found = [("first paint", t.written, 4096)]
        t.read(1.2)
        t.settle()
        idle = []
        while len(idle) < 3 and min(idle, default=81) > 80:  # the clock may turn; a busy server has news: slow turns
            before = t.written
            t.read(2.5)
            idle.append(t.written - before)
        found.append(("idle, 2.5 s", min(idle), 80))  # what ticks does so each time
        t.press(b"2")
        found.append(("cursor move", median([t.press(b"j")[0] for _ in range(9)]), 400))
        found.append(("page down", median([t.press(b"\x1b[6~")[0] for _ in range(5)]), 2662))
        t.press(b"f")
        found.append(("a letter of a filter", median([t.press(c.encode())[0] for c in "dest7"]), 400))
        t.press(b"\x1b")
        before = t.written
        for size in range(10):
            t.resize(30 + size % 2, 100 + size)
        t.resize(35, 110)
        t.read(1.0)
        t.read(0.3)
        found.append(("ten sizes in a row", t.written - before, 2 * 5300))
    print("# note: bytes on the wire at 120x36: " + ", ".join("%s %d (budget %d)" % f for f in found))
    over = [f for f in found if f[1] > 2 * f[2]]
    assert not over, over


def test_fuzz_for_a_moment(server):
    """Three minutes are `tests/screens/fuzz.py`."""
    if not os.path.exists(os.path.join(ROOT, "build", "asan", "postroom")):
        return
    r = subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "fuzz.py"), "5"],
                       capture_output=True, text=True)
    print("".join(line + "\n" for line in r.stdout.splitlines() if line.startswith("# note")), end="")
    assert r.returncode == 0, r.stdout[-3000:] + r.stderr[-500:]


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]


def main():
    def with_server(test):
        def run():
            with Server(level="info") as server:
                test(fill(server))
        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return tap([with_server(t) for t in TESTS])


if __name__ == "__main__":
    sys.exit(main())
