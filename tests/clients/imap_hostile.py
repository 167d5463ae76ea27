#!/usr/bin/env python3
"""imap_hostile.py - clients of IMAP that cheat, on a real server: TAP.

Each kind of abuse gets a clear answer, costs bounded memory, and harms nobody else: after each test
an honest client logs in, reads and stores within a moment.
"""
import os
import random
import re
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.imap import Gone, Imap  # noqa: E402
from tests.harness.postroom import (BUILD, PASSWORD, Server, equal, figure, tap, true,  # noqa: E402
                                    unverified, wait_for)

EXTRA = """auth: { hash_memory: 8MB, hash_passes: 1 }
limits: { max_per_ip: 5000, max_per_ip_before_login: 5000, max_per_user: 200, connections_minute: 0, message_size: 10MB }
"""
ASAN = "asan" in BUILD
CROWD = 1000 if not ASAN else 200
MAIL = b"From: Bo <bo@elsewhere.test>\r\nSubject: s\r\n\r\nbody\r\n"


def session(server, user="anna", **options):
    return Imap(server.ports["imaps"], tls=True, **options).login(user)


def rss_mb(server):
    return server.private_kb() / 1024


def steady_mb(server):
    """Once it changes no more."""
    seen = []

    def is_steady():
        time.sleep(0.5)
        seen.append(rss_mb(server))
        return len(seen) > 1 and abs(seen[-1] - seen[-2]) < 0.5
    wait_for(is_steady, "memory changes no more")
    return seen[-1]


def grows(server, before, limit_mb, what):
    now = rss_mb(server)
    figure("%s: %.1f MB more resident" % (what, now - before))
    if not ASAN:
        true(now - before < limit_mb, "%s: resident memory grew by %.1f MB, not under %g" % (what, now - before, limit_mb))


def ends(c, wanted=rb""):
    """All that the server still says until it closes; one line of it is WANTED."""
    said = []
    try:
        while True:
            said.append(c.line())
    except (Gone, socket.timeout):
        pass
    true(not wanted or any(re.search(wanted, line) for line in said), "%r in %r" % (wanted, said))
    return said


# --- H22: literals ---

def test_H22_literals_before_login(server):
    with Imap(server.ports["imap"]) as c:
        for size in ("4294967296", "18446744073709551616", "99999999999", "-1", "", "1x", "0x10", " 5"):
            reply = c.ask("LOGIN {%s}" % size)
            true(reply.status in ("BAD", "NO"), "{%s}: %s %r" % (size, reply.status, reply.text))
    for size in ("4294967296+", "18446744073709551617+"):
        with Imap(server.ports["imap"]) as c:  # nobody can tell where such a command ends
            c.say("a LOGIN {%s}\r\n" % size)
            ends(c, rb"^(\* BYE|a BAD)")
    with Imap(server.ports["imap"]) as c:
        reply = c.ask("LOGIN {100000}")
        true(reply.status in ("BAD", "NO"), reply)  # no "+": it is never sent
        c.say("b NOOP\r\n")
        true(c.answer(b"b").status == "OK", "the session goes on")


def test_H22_a_refused_literal_is_read_and_dropped(server):
    with Imap(server.ports["imap"]) as c:
        reply = c.ask(b"LOGIN {5000+}\r\n" + b"x" * 5000 + b" {3+}\r\nabc")
        true(reply.status in ("BAD", "NO"), reply)
        equal(c.ask("NOOP").status, "OK")
    with session(server) as c:
        before = rss_mb(server)
        big = b"y" * (4 << 20)
        reply = c.ask(b"SEARCH SUBJECT {%d+}\r\n" % len(big) + big)
        true(reply.status in ("BAD", "NO"), reply)
        equal(c.ask("NOOP").status, "OK")
        grows(server, before, 8, "a literal of 4 MB in SEARCH")
        reply = c.ask("APPEND INBOX {%d}" % (11 << 20))
        true(reply.status in ("NO", "BAD"), reply)
        equal(c.ask("NOOP").status, "OK")
        c.say("x APPEND INBOX {999999999+}\r\n")
        c.say(b"z" * 1000)
        ends_or_drops(c)


def ends_or_drops(c):
    """Above message_size: BYE."""
    try:
        c.s.settimeout(10)
        while True:
            c.say(b"z" * 65536)
            time.sleep(0.001)
    except OSError:
        pass


def test_H22_literals_where_none_belongs(server):
    with session(server) as c:
        equal(c.ask("NOOP {3+}\r\nabc").status, "BAD")
        for text in ('SELECT "IN{5}BOX"', "FETCH {1+}\r\n1 FLAGS", "STORE 1 +FLAGS ({3+}\r\nabc)", "LIST {0+}\r\n {1+}\r\n*",
                     "SEARCH {0+}\r\n"):
            reply = c.ask(text)
            true(reply.status in ("OK", "NO", "BAD"), "%s: %s" % (text, reply))
        equal(c.ask("SELECT {5+}\r\nINBOX").status, "OK")
        equal(c.ask("NOOP").status, "OK")


# --- H23: nesting and many arguments ---

def test_H23_parentheses_held_open_by_a_crowd(server):
    before, held = rss_mb(server), []
    for _ in range(CROWD):
        s = socket.create_connection(("127.0.0.1", server.ports["imap"]), 30)
        s.sendall(b"a NOOP ((((")
        held.append(s)
    honest(server)
    grows(server, before, 10, "%d clients holding NOOP ((((" % CROWD)
    for s in held:
        s.close()


def test_H23_nesting_and_arguments(server):
    with session(server) as c:
        c.ok("SELECT INBOX")
        for text in ("SEARCH " + "(" * 1000 + "ALL" + ")" * 1000, "SEARCH " + "NOT " * 5000 + "ALL",
                     "SEARCH " + "OR " * 3000 + "ALL " * 3001, "FETCH 1 (" + "FLAGS " * 5000 + "FLAGS)",
                     "STORE 1 +FLAGS (" + " ".join("k%d" % n for n in range(5000)) + ")",
                     "FETCH 1 BODY[" + ".".join(["1"] * 2000) + "]", "FETCH 1 BODY[" + "1." * 30000 + "MIME]",
                     "FETCH 1 BODY[HEADER.FIELDS (" + "X " * 5000 + "X)]", "STATUS INBOX (" + "MESSAGES " * 5000 + ")",
                     'LIST "" (' + "* " * 5000 + "*)", "ID (" + '"a" "b" ' * 5000 + ")",
                     'THREAD REFERENCES UTF-8 ' + "(" * 500):
            reply = c.ask(text)
            true(reply.status in ("BAD", "NO", "OK"), "%s...: %s" % (text[:40], reply.status))
        equal(c.ask("NOOP").status, "OK")


def test_H23_endless_lines(server):
    for login in (False, True):
        c = session(server) if login else Imap(server.ports["imap"])
        before = rss_mb(server)
        c.s.settimeout(60)
        try:
            c.say(b"a NOOP ")
            for _ in range(64):
                c.say(b"x" * 65536)
            c.say(b"\r\n")
            reply = c.line()
            true(b" BAD" in reply or b"BYE" in reply, reply)
        except (ConnectionError, Gone):
            pass  # BYE may be lost where the rest of the line met a closed socket
        c.close()
        grows(server, before, 6, "a line of 4 MB, %s login" % ("after" if login else "before"))


# --- H24, H11: what must not get in, or out ---

def test_H24_forbidden_names(server):
    with session(server) as c:
        for name in (b"a\tb", b"../x", b"a/../b", b"a//b", b"/a", b".", b"..", b"a/./b", b"x" * 201, b"/".join([b"a"] * 21),
                     b"&bad", b"&AAA-", b"&AAo-x", b"&2AA-", b"&2ADc-", b"\x80\xff", b"a\x7fb", b"&ACY", b"\x01bin", b"&AAE-bin"):
            reply = c.ask(b'CREATE "%s"' % name)
            true(reply.status in ("NO", "BAD"), "%r: %s" % (name, reply.status))
        for name in (b"a\0b", b"a\nb"):
            with session(server) as other:
                try:
                    other.say(b"t CREATE {3+}\r\n%s\r\n" % name)
                    reply = other.line()
                    true(b"BAD" in reply or b"NO" in reply or b"BYE" in reply, "%r: %r" % (name, reply))
                except Gone:
                    pass
        listed = b"".join(c.ok('LIST "" *'))
        true(b"bin" not in listed and b".." not in listed, listed)
        for name in ("\x01bin", "&AAE-bin", "Other users/anna/\x01bin"):
            true(c.ask('SELECT "%s"' % name).status in ("NO", "BAD"), "the bin stays shut")


def test_H24_NUL_closes(server):
    with Imap(server.ports["imap"]) as c:
        c.say(b"a NO\0OP\r\n")
        ends(c, rb"BAD|BYE")


def test_H11_names_from_outside_do_not_break_replies(server):
    subject = b"evil \"quote\" \\ {5} (paren) \x80 \r\n folded"
    with session(server) as c:
        c.append("INBOX", b"From: \"a\\\"b\r\n c\" <x@y.test>\r\nSubject: " + subject + b"\r\nMessage-ID: <a\"b@c>\r\n\r\nx\r\n")
        told = c.ok("SELECT INBOX")
        told = c.ok("FETCH * (ENVELOPE BODYSTRUCTURE)")
        true(all(line.startswith(b"* ") for line in told), told)
        c.ok("STORE * +FLAGS (a$b)")
        for folder in ('quo\\"te', "back\\\\slash", "per%cent", "st*r", "&AOQ-umlaut", "space at end "):
            reply = c.ask('CREATE "%s"' % folder)
            if reply.status == "OK":
                told = c.ok('LIST "" *')
                true(all(line.startswith(b"* LIST (") for line in told), told)
                c.ok('DELETE "%s"' % folder)


# --- H26, H25: sets and wildcards ---

def test_H26_huge_sequence_sets(server):
    with session(server, "sets") as c:
        for _ in range(100):
            c.append("INBOX", MAIL)
        c.ok("SELECT INBOX")
        before, began = rss_mb(server), time.time()
        sets = {"stars": ",".join(["1:4294967295"] * 5000), "odd": ",".join(str(n) for n in range(1, 20000, 2)),
                "down": "4294967295:1", "big": ",".join("%d:%d" % (n * 1000000, n * 1000000 + 1) for n in range(1, 4000)),
                "star": "*:4294967290,*"}
        for name, text in sets.items():
            for command in ("UID FETCH %s (UID)", "UID STORE %s +FLAGS.SILENT (\\Seen)", "UID SEARCH UID %s", "FETCH %s (UID)"):
                reply = c.ask(command % text)
                true(reply.status in ("OK", "NO", "BAD"), "%s: %s" % (name, reply.text[:100]))
                true(len(reply.untagged) <= 101, "no message is told twice: %d" % len(reply.untagged))
        figure("huge sequence sets, %d commands: %.2f s" % (4 * len(sets), time.time() - began))
        equal(c.ask("UID FETCH 4294967296 (UID)").status, "BAD")
        equal(c.ask("FETCH 0 (UID)").status, "BAD")
        equal(c.ask("FETCH 1:2:3 (UID)").status, "BAD")
        grows(server, before, 8, "huge sequence sets")


def test_H25_wildcards_are_linear(server):
    with session(server) as c:
        c.ok('CREATE "%s"' % ("a" * 190))
        times = []
        for n in (30, 60, 120, 240):
            pattern = "%*" * n + "b"
            began = time.time()
            for _ in range(20):
                c.ok('LIST "" "%s"' % pattern[:400])
            times.append(time.time() - began)
        figure("LIST %%*%%*...b, 30 to 240 pairs, ms: %s" % " ".join("%.1f" % (t * 50) for t in times))
        true(times[-1] < 60, "no pattern is exponential")
        c.ok('DELETE "%s"' % ("a" * 190))


# --- H35: slow readers ---

def test_H35_a_hundred_clients_that_do_not_read(server):
    big = b"From: a@b.test\r\nSubject: big\r\n\r\n" + (b"0123456789" * 7 + b"\r\n") * 14000
    with session(server, "slow") as c:
        for _ in range(5):
            c.append("INBOX", big)
    clients = []
    for _ in range(100):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", server.ports["imaps"]))
        s = unverified().wrap_socket(raw)
        s.sendall(b'a LOGIN slow "%s"\r\nb SELECT INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n' % PASSWORD.encode())
        clients.append(s)
    wait_for(lambda: sum(r["user"] == "slow" and "FETCH" in r["doing"] for r in server.json("session", "list")) == 100,
             "all of them fetch")
    before = steady_mb(server)
    for s in clients:
        s.settimeout(0.01)
        try:
            s.sendall(b"d FETCH 1:* BODY.PEEK[]\r\ne FETCH 1:* BODY.PEEK[]\r\n" * 100)
        except (socket.timeout, ConnectionError):
            pass
    steady_mb(server)
    honest(server)
    grows(server, before, 20, "100 clients that ask for more and do not read")
    true(before < 120 or ASAN, "all buffers together are %.1f MB" % before)
    for s in clients:
        s.close()


# --- H3 ---

def test_H3_nothing_said_before_the_handshake_counts(server):
    for early in (b"x LOGIN anna wrong\r\n", b"x NOOP\r\n", b"x", b"\r\n", b"x LOGIN {4+}\r\nanna"):
        with Imap(server.ports["imap"]) as c:
            c.say(b"a STARTTLS\r\n" + early)
            said = ends(c)
            true(not any(line.startswith(b"x ") or b"a OK" in line for line in said), "%r: %r" % (early, said))
    with Imap(server.ports["imap"]) as c:
        c.starttls()
        equal(c.ask("STARTTLS").status, "BAD", "not twice")
        equal(c.ask("CAPABILITY").status, "OK")


# --- H32: those who only knock ---

def test_H32_thousands_of_half_open_logins(server):
    before, held = rss_mb(server), []
    for n in range(CROWD):
        s = socket.create_connection(("127.0.0.1", server.ports["imap"]), 30)
        s.sendall((b"a AUTHENTICATE PLAIN\r\n", b"a LOGIN {5}\r\n", b"a LOGIN anna", b"a STARTTLS\r\n")[n % 4])
        held.append(s)
    honest(server)
    grows(server, before, 15, "%d half-open logins" % CROWD)
    for s in held:
        s.close()


def test_H35_commands_without_end_and_no_reading(server):
    """Pipelined for ever: input stops while output waits."""
    c = session(server)
    before = rss_mb(server)
    c.s.settimeout(3)
    sent = 0
    try:
        while sent < 64 << 20:
            c.say(b"a LIST \"\" *\r\n" * 5000)
            sent += 5000 * 13
    except (socket.timeout, ConnectionError, OSError):
        pass
    honest(server)
    grows(server, before, 10, "commands pipelined without reading, %d KB taken" % (sent >> 10))
    c.close()


def test_random_bytes_are_answered_or_closed(server):
    rng = random.Random(5)
    words = [b"a", b"SELECT", b"FETCH", b"(", b")", b"{", b"}", b"\"", b"\\", b"[", b"]", b"<", b">", b"1:*", b" ", b"\r\n", b"UID",
             b"BODY", b"LOGIN", b"*", b"%", b"APPEND", b"INBOX", b"{3+}\r\nabc", b"~{3}", b"SEARCH", b"OR", b"NOT", b"STORE",
             b"+FLAGS", b"\0", b"\xff", b"IDLE", b"DONE", b"NIL", b"CHARSET", b"BINARY[1]", b".PEEK", b"<0.5>", b"SORT", b"THREAD"]
    for _ in range(150):
        c = session(server, timeout=5)
        c.say(b"x SELECT INBOX\r\n")
        try:
            for _ in range(20):
                c.say(b"".join(rng.choice(words) + rng.choice((b" ", b"")) for _ in range(rng.randrange(1, 12))) + b"\r\n")
        except OSError:
            pass
        c.close()
    honest(server)


def honest(server):
    """Another client is served, and soon."""
    began = time.time()
    with session(server, "honest") as c:
        c.append("INBOX", MAIL)
        c.ok("SELECT INBOX")
        true(any(b"body" in line for line in c.ok("FETCH * BODY[]")), "it reads")
        c.ok("STORE * +FLAGS (\\Deleted)")
        c.ok("EXPUNGE")
    true(time.time() - began < 30, "an honest client took %.1f s" % (time.time() - began))


def with_honest(test):
    def run(server):
        test(server)
        honest(server)
        equal([l for l in server.errors().split("\n") if "ERROR" in l or "runtime error" in l], [], "on stderr")
    return test.__name__[5:].replace("_", " "), run


def main():
    server = Server(extra=EXTRA, level="info")
    with server:
        server.add_user("postmaster", "--admin")
        for name in ("anna", "honest", "sets", "slow"):
            server.add_user(name)
        return tap([with_honest(f) for n, f in list(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
