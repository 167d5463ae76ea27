#!/usr/bin/env python3
"""locks.py - who guesses is slowed and locked out, whom he guesses at is not; PAM; stolen accounts.

    tests/clients/locks.py [WORD...]     those whose name holds a word

127.0.0.2 and its like are other machines here (SEC-04). Time is moved by `clock advance`, not waited for.
"""
import base64
import contextlib
import json
import os
import signal
import smtplib
import socket
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.clients.hostile import Line  # noqa: E402
from tests.harness.imap import Imap  # noqa: E402
from tests.harness.postroom import PASSWORD, Server, Skip, equal, figure, tap, true, unverified, wait_for  # noqa: E402

FAST = "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
CLOCK = FAST + "testing: { clock: yes }\n"
A, B, HERE = "127.0.0.2", "127.0.0.3", "127.0.0.1"
NO = b"-ERR [AUTH] Wrong name or password\r\n"


@contextlib.contextmanager
def site(server, *users):
    with server:
        server.add_user("postmaster", "--admin")
        for name in users:
            server.add_user(name)
        yield server


def login(server, source, name, password=PASSWORD):
    """One try by POP3, on a connection of its own: the reply."""
    c = Line(server.ports["pop3"], source)
    try:
        c.ask("USER " + name)
        return c.ask("PASS " + password)
    finally:
        c.close()


def smtp_login(server, source, name, password=PASSWORD, how="PLAIN"):
    c = Line(server.ports["submission"], source).hello(tls=True)
    try:
        if how == "PLAIN":
            return c.ask("AUTH PLAIN " + base64.b64encode(b"\0%s\0%s" % (name.encode(), password.encode())).decode())
        c.ask("AUTH LOGIN")
        c.ask(base64.b64encode(name.encode()).decode())
        return c.ask(base64.b64encode(password.encode()).decode())
    finally:
        c.close()


def imap_login(server, source, name, password=PASSWORD, how="LOGIN"):
    """The status and text of one try."""
    with Imap(server.ports["imap"], source=source) as c:
        if how == "LOGIN":
            reply = c.ask('LOGIN "%s" "%s"' % (name, password))
        else:
            reply = c.ask("AUTHENTICATE PLAIN " + base64.b64encode(b"\0%s\0%s" % (name.encode(), password.encode())).decode())
        return (reply.status.encode() + b" " + reply.text)


def control(server, method, **params):
    """One call of the control socket, as a program makes it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(server.socket)
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def advance(server, by):
    server.cli("clock", "advance", by)


def guess(server, source, name, times, tries=login):
    """Wrong passwords, each after the delay of the one before."""
    for _ in range(times):
        advance(server, "61s")
        true(b"OK" not in tries(server, source, name, "wrong"), "a wrong password is refused")
    advance(server, "61s")


def security(server, word):
    return [str(r) for r in server.json("log", "show", "--service", "security") if word in str(r)]


def locked(server, name):
    def flag():
        return "L" in next(r for r in server.json("user", "list") if r["name"] == name)["flags"]
    before, shown = flag(), server.json("user", "show", name)[0]
    true(shown["locked"] in (before, flag()), "the flag and the field agree")  # it may begin in between
    equal(shown["locked"], shown["locked_until"] is not None)
    return shown["locked"]


def blocks(server):
    return {(r["address"], r["user"]): r for r in server.json("block", "list")}


# --- SEC-02 to SEC-05, H57 ---

def test_SEC_02_five_wrong_then_the_right_one_is_refused_until_time_has_passed():
    with site(Server(extra=CLOCK), "anna") as server:
        guess(server, A, "anna", 4)
        true(not locked(server, "anna"), "four are not enough")
        true(login(server, A, "anna").startswith(b"+OK"), "a success")
        server.cli("config", "set", "auth.remember", "0")  # no more help from the good login
        guess(server, B, "anna", 5)
        true(locked(server, "anna"), "L in the list")
        equal(login(server, B, "anna"), NO, "the right password does not help")
        row = blocks(server)[(B, "anna")]
        equal((row["why"], row["failures"]), ("locked", 6))
        true(row["since"] < row["until"], "since and until")
        rows = [r for r in server.json("log", "show", "--service", "security") if str(r["text"]).startswith("locked ")]
        equal(len(rows), 1, "one line says so: %r" % security(server, "locked"))
        true("user=anna" in rows[0]["text"] and B in rows[0]["text"] and "failures=5" in rows[0]["text"], str(rows[0]))
        true(security(server, "locked after failed logins"), "and the log names why the right one was refused")
        advance(server, "10m")
        true(not locked(server, "anna"), "the time has passed")
        true(login(server, B, "anna").startswith(b"+OK"), "SEC-03: unlocked by time")


def test_SEC_03_USR_20_unlocked_by_an_administrator_and_by_a_restart():
    with site(Server(extra=CLOCK), "anna") as server:
        guess(server, A, "anna", 5)
        equal(login(server, A, "anna"), NO)
        server.cli("user", "unlock", "anna")
        true(not locked(server, "anna"), "unlocked")
        r = server.cli("user", "set", "anna", "locked=yes", ok=False)
        true(r.returncode == 1 and not locked(server, "anna"), "nobody locks by hand: " + r.stderr)
        true(login(server, A, "anna").startswith(b"+OK"), "by user unlock")
        true(security(server, "unlocked"), "logged")
        server.add_user("bert")
        guess(server, A, "bert", 5)
        equal(login(server, A, "bert"), NO)
        server.stop()
        server.start()
        true(login(server, A, "bert").startswith(b"+OK"), "by a restart")


def test_SEC_04_this_machine_ignores_the_lock_unless_told_otherwise():
    with site(Server(extra=CLOCK + "lockout: { scope: user }\n"), "anna") as server:
        guess(server, A, "anna", 5)
        equal(login(server, B, "anna"), NO, "scope user: locked everywhere")
        true(login(server, HERE, "anna").startswith(b"+OK"), "a locked user still gets in locally")
        equal(login(server, B, "anna"), NO, "which unlocks nobody")
        server.cli("config", "set", "lockout.apply_to_loopback", "yes")
        equal(login(server, HERE, "anna"), NO, "but not then")


def test_H57_a_place_with_a_good_login_is_never_locked():
    with site(Server(extra=CLOCK), "anna") as server:
        true(login(server, A, "anna").startswith(b"+OK"), "a good login")
        wait_for(lambda: server.json("user", "show", "anna")[0]["last_login"], "it is noted")
        guess(server, A, "anna", 8)
        true(not locked(server, "anna"), "no lock for her own place")
        true(login(server, A, "anna").startswith(b"+OK"), "she gets in")
        guess(server, B, "anna", 5)
        equal(login(server, B, "anna"), NO, "another place is locked")
        true(login(server, A, "anna").startswith(b"+OK"), "hers is not")
        advance(server, "31d")
        guess(server, A, "anna", 5)
        equal(login(server, A, "anna"), NO, "30 days later it is like any other")


def many_guesses(server, source, name, count):
    """COUNT wrong passwords at the same time, on a connection each."""
    threads = [threading.Thread(target=login, args=(server, source, name, "wrong")) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def test_H57_guesses_from_one_address_leave_the_owner_alone_at_another():
    with site(Server(extra=FAST + "lockout: { attempts: 3 }\n"), "anna") as server:
        guesser = threading.Thread(target=many_guesses, args=(server, A, "anna", 20), daemon=True)
        guesser.start()
        for _ in range(100):
            true(login(server, B, "anna").startswith(b"+OK"), "the owner gets in from elsewhere")
            if locked(server, "anna"):
                break
            time.sleep(0.05)
        equal(blocks(server)[(A, "anna")]["why"], "locked")
        took = []
        for _ in range(5):
            at = time.monotonic()
            true(login(server, B, "anna").startswith(b"+OK"), "while the guesser is locked")
            took.append((time.monotonic() - at) * 1000)
        figure("while 20 connections guess: the owner's logins from elsewhere took %s ms" %
               ", ".join("%.0f" % t for t in took))
        server.cli("session", "end", "--filter", "peer:" + A, "--yes")
        guesser.join(20)


def test_H57_one_address_that_tries_many_users_is_slowed_and_seen():
    with site(Server(extra=CLOCK), "anna") as server:
        for number in range(30):
            advance(server, "61s")
            login(server, A, "nobody%d" % number, "wrong")
        row = blocks(server)[(A, "*")]
        equal((row["why"], row["failures"]), ("slowed", 30))
        at = time.monotonic()
        c = Line(server.ports["pop3"], A)
        c.ask("USER anna")
        c.s.sendall(b"PASS " + PASSWORD.encode() + b"\r\n")
        c.s.settimeout(1)
        try:
            c.s.recv(1)
            raise AssertionError("answered at once")
        except socket.timeout:
            pass
        c.close()
        true(time.monotonic() - at < 20, "we do not wait for it")
        true(login(server, B, "anna").startswith(b"+OK"), "another address is free")
        server.cli("block", "remove", A)
        equal(blocks(server), {}, "what block remove leaves")
        true(login(server, A, "anna").startswith(b"+OK"), "let in again")
        true(security(server, "unblocked"), "logged")


def test_block_remove_names_one_or_all_and_says_what_it_did_not_find():
    with site(Server(extra=CLOCK + "lockout: { attempts: 2 }\n"), "anna", "bert") as server:
        for name, source in (("anna", A), ("bert", A), ("anna", B)):
            guess(server, source, name, 2)
        server.cli("block", "remove", A + " bert")
        true(not locked(server, "bert") and locked(server, "anna"), "one user of an address")
        for wrong, why in (("192.0.2.77", "is not blocked"), ("nonsense", "not an address"), ("*", "not an address")):
            r = server.cli("block", "remove", wrong, ok=False)
            true(r.returncode == 1 and why in r.stderr, "%s: %s" % (wrong, r.stderr))
        server.cli("block", "remove", "--all", "--yes")
        equal(blocks(server), {})
        true(not locked(server, "anna"), "all of them")


def test_H57_POP3_IMAP_SMTP_and_the_control_socket_share_one_count_SEC_05():
    with site(Server(extra=CLOCK + "lockout: { scope: user, apply_to_loopback: yes }\n"), "anna") as server:
        server.cli("user", "set", "anna", "admin=yes")
        guess(server, A, "anna", 1)
        guess(server, A, "Anna@example.test", 1, imap_login)
        guess(server, A, "anna", 1, smtp_login)
        guess(server, B, "anna", 1, lambda *a: smtp_login(*a, how="LOGIN"))
        true(not locked(server, "anna"), "four")
        advance(server, "61s")
        reply = control(server, "auth", user="anna", password="wrong")
        true("error" in reply, "the control socket refuses: %r" % reply)
        true(locked(server, "anna"), "the fifth was over the control socket")
        advance(server, "61s")
        reply = control(server, "auth", user="anna", password=PASSWORD)
        equal(reply["error"]["message"], "wrong name or password", "no hint (POP-07)")
        equal(smtp_login(server, B, "anna")[:3], b"535")
        equal(imap_login(server, B, "anna")[:2], b"NO")
        rows = security(server, "login failed")
        for service in ("pop3", "imap", "submission", "control"):
            true([r for r in rows if service in r], "failures by %s are in the security log: %r" % (service, rows))
        server.cli("config", "set", "lockout.apply_to_loopback", "no")
        advance(server, "61s")
        true("result" in control(server, "auth", user="anna", password=PASSWORD), "SEC-04: the control socket")


def test_POP_07_locked_disabled_barred_unknown_and_wrong_say_the_same_H58():
    with site(Server(extra=CLOCK + "lockout: { attempts: 2, minutes: 60 }\n"), "wrong", "locked", "off", "barred", "grouped", "elsewhere") as server:
        server.cli("user", "set", "off", "enabled=no")
        server.cli("user", "set", "barred", "protocols=smtp")
        server.cli("group", "add", "shut", "grouped")
        server.cli("group", "set", "shut", "enabled=off")
        guess(server, A, "locked", 2)
        texts, smtp, imap = set(), set(), set()
        for name in ("unknown", "wrong", "locked", "off", "barred", "grouped"):
            password = "x" if name == "wrong" else PASSWORD
            advance(server, "61s")
            texts.add(login(server, A, name, password))
            for how in ("LOGIN", "PLAIN"):
                advance(server, "61s")
                imap.add(imap_login(server, A, name, password, how))
            advance(server, "61s")
            smtp.add(smtp_login(server, A, name, password) if name != "barred" else smtp_login(server, A, "wrong", "y"))
        equal(texts, {NO})
        equal(len(smtp), 1, "%r" % smtp)
        true(len(imap) == 1 and imap.pop().startswith(b"NO [AUTHENTICATIONFAILED] "), "%r" % imap)
        for why in ("no such user", "wrong password", "locked after", "user is disabled", "may not use", "user=grouped"):
            true(security(server, why), "the log knows: " + why)


@contextlib.contextmanager
def still(server):
    """Nothing of it runs meanwhile: what is sent, and the end behind it, are both there when it goes on."""
    pids = server.pids()
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_failure_counts_also_where_nobody_waits_for_the_answer_SEC_05():
    slow = CLOCK.replace("hash_passes: 1 ", "hash_passes: 100 ")
    true(slow != CLOCK, "a hash that takes its time")
    with site(Server(extra=slow + "lockout: { attempts: 3 }\n"), "anna") as server:
        for _ in range(3):
            advance(server, "61s")
            c = Line(server.ports["pop3"], A)
            c.ask("USER anna")
            failed = len(security(server, "login failed"))
            with still(server):
                c.s.sendall(b"PASS wrong\r\n")
                c.close()
            wait_for(lambda: len(security(server, "login failed")) > failed, "counted")
        true(locked(server, "anna"), "locked by tries that were broken off")


# --- connections and sessions ---

def test_connections_a_minute_of_an_address_H32():
    with site(Server(extra=FAST + "limits: { connections_minute: 5 }\nlockout: { attempts: 1 }\n")) as server:
        for _ in range(5):
            Line(server.ports["smtp"], A).close()
        with socket.create_connection(("127.0.0.1", server.ports["smtp"]), 10, (A, 0)) as s:
            equal(s.recv(100)[:4], b"421 ", "the sixth")
        with socket.create_connection(("127.0.0.1", server.ports["pop3"]), 10, (A, 0)) as s:
            true(s.recv(100).startswith(b"-ERR"), "of all services together")
        for _ in range(8):
            Line(server.ports["smtp"], HERE).close()
        Line(server.ports["smtp"], B).close()
        row = blocks(server)[(A, "*")]
        equal((row["why"], row["failures"]), ("connects too often", 2))
        equal(server.json("status")[0]["counters"]["refused_rate"], 2)
        login(server, B, "nobody")
        r = server.cli("block", "remove", "* (connections)", ok=False)
        true(r.returncode == 1 and "not an address" in r.stderr, r.stderr)
        true((B, "nobody") in blocks(server), "nothing else was removed")
        server.cli("block", "remove", A + " (connections)")
        Line(server.ports["smtp"], A).close()


def test_sessions_of_one_user_have_a_limit_H32():
    with site(Server(extra=FAST + "limits: { max_per_user: 2 }\n"), "anna", "bert") as server:
        plain = base64.b64encode(b"\0anna\0" + PASSWORD.encode()).decode()
        held = []
        for want in (b"235", b"235", b"421"):
            c = Line(server.ports["submission"]).hello(tls=True)
            equal(c.ask("AUTH PLAIN " + plain)[:3], want)
            held.append(c)
        equal(held[2].reply(), b"", "the third is closed")
        true(login(server, HERE, "anna").startswith(b"-ERR [SYS/TEMP] Too many"), "POP3 too")
        true(login(server, HERE, "bert").startswith(b"+OK"), "others are free")
        held[0].ask("QUIT")
        held[0].close()
        wait_for(lambda: login(server, HERE, "anna").startswith(b"+OK"), "one has gone")
        true(security(server, "too many sessions of the user"), "logged")


def test_session_list_and_end_SVC():
    with site(Server(extra=FAST), "anna", "bert") as server:
        plain = {n: base64.b64encode(b"\0%s\0%s" % (n.encode(), PASSWORD.encode())).decode() for n in ("anna", "bert")}
        smtp = [Line(server.ports["submission"]).hello(tls=True) for _ in range(3)]
        for c, name in zip(smtp, ("anna", "anna", "bert")):
            equal(c.ask("AUTH PLAIN " + plain[name])[:3], b"235")
        pop = Line(server.ports["pop3"])
        pop.ask("USER anna")
        true(pop.ask("PASS " + PASSWORD).startswith(b"+OK"), "logged in")
        equal(len(server.json("session", "list", "--user", "anna")), 3)
        equal(len(server.json("session", "list", "--filter", "user:bert")), 1)
        r = server.cli("session", "end", "--user", "anna", "--dry-run")
        true("3" in r.stdout and len(server.json("session", "list", "--user", "anna")) == 3, "a preview ends nobody: " + r.stdout)
        server.cli("session", "end", "--user", "anna")
        equal(smtp[0].reply()[:9], b"421 4.3.2", "what SMTP is told")
        equal(smtp[1].reply()[:9], b"421 4.3.2")
        true(pop.reply().startswith(b"-ERR"), "what POP3 is told")
        equal(pop.reply(), b"", "and closed")
        equal(smtp[2].ask("NOOP")[:3], b"250", "bert's goes on")
        row = server.json("session", "list", "--filter", "user:bert")[0]
        server.cli("session", "end", row["id"])
        equal(smtp[2].reply()[:3], b"421")
        for c in (*smtp, pop):
            c.close()
        wait_for(lambda: not server.json("session", "list", "--filter", "service:submission"), "they are gone")
        r = server.cli("session", "end", row["id"], ok=False)
        true(r.returncode == 1 and "no such session" in r.stderr, r.stderr)
        r = server.cli("session", "end", ok=False)
        equal(r.returncode, 1, "nobody named: " + r.stderr)
        true(login(server, HERE, "anna").startswith(b"+OK"), "her mailbox is free again")


# --- a stolen account: limits.user_recipients_hour ---

def submit(server, name, *recipients):
    with server.smtp("submission") as s:
        s.starttls(context=unverified())
        s.login(name, PASSWORD)
        s.sendmail(name + "@example.test", ["%s@far.test" % r if "@" not in r else r for r in recipients],
                   "From: %s@example.test\r\nSubject: out\r\n\r\nx\r\n" % name)


def queue(server, state):
    """Recipients that wait in this state."""
    return sorted(a for r in server.json("queue", "list") if r["state"] == state for a in r["recipients"])


def far(*numbers):
    return ["r%d@far.test" % n for n in numbers]


def test_recipients_beyond_the_hour_are_held_and_the_administrator_is_told_once():
    with site(Server(extra=CLOCK + "limits: { user_recipients_hour: 5 }\n"), "anna", "bert") as server:
        submit(server, "anna", "r1", "r2", "bert@example.test")
        submit(server, "anna", "r3")
        equal(queue(server, "held"), [], "three of five")
        told = server.json("explain", "--auth", "anna", "--from", "anna@example.test", "--to", "x1@far.test", "--to", "x2@far.test",
                           "--to", "x3@far.test")[0]
        equal([c["held"] for c in told["copies"]], [False, False, True], "explain says what would be held")
        true("limits.user_recipients_hour" in str(told["steps"]), "and why: %r" % told["steps"])
        submit(server, "anna", "r4", "r5", "r6", "r7", "bert@example.test")
        equal(queue(server, "held"), far(6, 7), "the rest is held")
        true(set(far(1, 2, 3, 4, 5)).isdisjoint(queue(server, "held")), "what came before goes on")
        submit(server, "anna", "r8")
        equal(queue(server, "held"), far(6, 7, 8))
        submit(server, "bert", "b1")
        equal(queue(server, "held"), far(6, 7, 8), "another user is free")
        equal(len(server.fetch("bert")), 2, "mail to colleagues is no matter")
        rows = [r for r in server.json("queue", "list") if r["state"] == "held"]
        for r in rows:
            true("limits.user_recipients_hour" in r["last_error"] and r["user"] == "anna", "why: %r" % r)
        true(server.json("queue", "show", rows[0]["id"])[0]["held_why"], "queue show says it too")
        wait_for(lambda: server.fetch("postmaster"), "the administrator is told")
        letters = server.fetch("postmaster")
        equal(len(letters), 1, "once")
        for word in (b"Subject: Mail of anna is held", rows[0]["id"].encode(), b"session end --user anna"):
            true(word in letters[0], "%r in %r" % (word, letters[0]))
        equal(len(security(server, "held, too many")), 2)
        traced = server.json("trace", "--from", "anna@example.test", "--to", "r6@far.test", "--steps")
        true(any("held" in str(t["steps"]) and rows[0]["id"] in str(t["steps"]) for t in traced), "the trace: %r" % traced)
        equal(server.json("status")[0]["counters"]["held"], 3)
        equal(server.check()[0], 0, "the store is right")
        server.cli("queue", "release", "--filter", "user:anna state:held", "--yes")
        equal(queue(server, "held"), [], "released")
        advance(server, "65m")
        submit(server, "anna", "r9")
        equal(queue(server, "held"), [], "an hour later")
        submit(server, "anna", *["n%d" % n for n in range(9)])
        equal(len(queue(server, "held")), 5)
        wait_for(lambda: len(server.fetch("postmaster")) == 2, "told again")


def test_all_of_a_message_may_be_held_and_refused_ones_do_not_count():
    with site(Server(extra=CLOCK + "limits: { user_recipients_hour: 2, message_size: 1000 }\n"), "anna") as server:
        for _ in range(3):
            try:
                submit_big(server)
            except smtplib.SMTPResponseException as e:
                equal(e.smtp_code, 552)
        submit(server, "anna", "r1", "r2")
        equal(queue(server, "held"), [])
        submit(server, "anna", "r3", "r4")
        equal(queue(server, "held"), far(3, 4), "one entry, held")
        equal(len(server.json("queue", "list")), 2)
        server.cli("config", "set", "limits.user_recipients_hour", "0")
        submit(server, "anna", *["n%d" % n for n in range(9)])
        equal(len(queue(server, "held")), 2, "0: any number")
        equal(server.check()[0], 0, "the store is right")


def submit_big(server):
    with server.smtp("submission") as s:
        s.starttls(context=unverified())
        s.login("anna", PASSWORD)
        s.esmtp_features.pop("size", None)  # so that it is found out at the end only
        s.sendmail("anna@example.test", ["big@far.test"], "From: anna@example.test\r\n\r\n" + "x" * 70 * 30)


# --- PAM (SEC-06, SEC-07, USR-33) ---

CHECK = """#!/bin/sh
given=$(tr -d '\\0')
echo "$PAM_USER" >>"%(dir)s/asked"
case $PAM_USER in slow) sleep 60 ;; esac
[ "$PAM_USER" = anna.sys ] && [ "$given" = "system word" ]
"""


def pam_module(name):
    for folder in ("/lib/x86_64-linux-gnu/security", "/lib/aarch64-linux-gnu/security", "/lib/security", "/lib64/security",
                   "/usr/lib/x86_64-linux-gnu/security", "/usr/lib/aarch64-linux-gnu/security", "/usr/lib/security"):
        if os.path.exists(os.path.join(folder, name)):
            return True
    return False


def pam_server(settings=""):
    if not pam_module("pam_exec.so"):
        raise Skip("pam_exec.so is not installed")
    server = Server()
    script = os.path.join(server.dir, "check")
    with open(script, "w") as f:
        f.write(CHECK % {"dir": server.dir})
    os.chmod(script, stat.S_IRWXU)
    with open(os.path.join(server.dir, "asked"), "w"):
        pass
    folder = os.path.join(server.dir, "pam.d")
    os.mkdir(folder)
    with open(os.path.join(folder, "postroom"), "w") as f:
        f.write("auth required pam_exec.so expose_authtok quiet %s\naccount required pam_permit.so\n" % script)
    server.extra = ("auth: { hash_memory: 8MB, hash_passes: 1, pam: yes, pam_folder: %s%s }\n"
                    "testing: { clock: yes }\n" % (folder, settings))
    server.write_config()
    return server


def asked(server):
    with open(os.path.join(server.dir, "asked")) as f:
        return f.read().split()


def test_SEC_06_PAM_lets_in_where_the_stored_password_differs_USR_33():
    with site(pam_server(), "anna", "bert") as server:
        server.cli("user", "set", "anna", "system_name=anna.sys")
        true(login(server, HERE, "anna").startswith(b"+OK"), "the stored password still fits")
        equal(asked(server), [], "and PAM is not asked")
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "PAM's does too")
        equal(asked(server), ["anna.sys"])
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "again")
        equal(asked(server), ["anna.sys"] * 2, "what PAM said is not remembered")
        equal(smtp_login(server, HERE, "anna", "system word")[:3], b"235", "by SMTP")
        advance(server, "61s")
        equal(login(server, HERE, "bert", "system word"), NO, "an empty system_name is the user's name")
        equal(asked(server)[-1], "bert")
        for name in ("unknown", "bert"):
            if name == "bert":
                server.cli("user", "set", "bert", "enabled=no")
            advance(server, "61s")
            equal(login(server, HERE, name, "system word"), NO)
            equal(asked(server)[-1], "nobody.invalid", "nobody's account is asked about for " + name)
        server.cli("user", "set", "anna", "admin=yes")
        true("result" in control(server, "auth", user="anna", password="system word"), "by the control socket")
        server.cli("config", "set", "auth.pam", "no")
        advance(server, "61s")
        equal(login(server, HERE, "anna", "system word"), NO, "switched off")


def test_SEC_07_what_PAM_found_right_becomes_the_stored_password():
    with site(pam_server(", pam_cache: yes"), "anna") as server:
        server.cli("user", "set", "anna", "system_name=anna.sys")
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "PAM")
        wait_for(lambda: "hashed a password anew" in server.errors(), "it is stored")
        server.cli("config", "set", "auth.pam", "no")
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "without PAM")
        equal(login(server, HERE, "anna"), NO, "the old one is gone")


def test_H58_what_PAM_refuses_is_told_by_the_second():
    """A stack answers fast about nobody, slowly about an account: the replies must not tell them apart."""
    with site(pam_server(), "anna") as server:
        for name in ("unknown", "anna"):
            advance(server, "61s")
            began = time.monotonic()
            equal(login(server, HERE, name, "wrong"), NO, name)
            true(time.monotonic() - began >= 0.99, "%s was told after %.3f s" % (name, time.monotonic() - began))
        advance(server, "61s")
        before = len(asked(server))
        c = Line(server.ports["pop3"], HERE)
        c.ask("USER anna")
        c.s.sendall(b"PASS wrong\r\n")
        wait_for(lambda: len(asked(server)) > before, "PAM is asked")
        c.close()
        wait_for(lambda: len(security(server, "login failed")) == 3, "counted, though nobody waits for it")


def test_H55_a_PAM_folder_that_others_may_write_is_not_used():
    server = pam_server()
    folder = os.path.join(server.dir, "pam.d")
    os.chmod(folder, 0o777)
    with site(server, "anna") as server:
        server.cli("user", "set", "anna", "system_name=anna.sys")
        equal(login(server, HERE, "anna", "system word"), NO, "the folder is anybody's")
        wait_for(lambda: "auth.pam_folder" in server.errors(), "and it is said")
        os.chmod(folder, 0o755)
        os.chmod(os.path.join(folder, "postroom"), 0o666)
        advance(server, "61s")
        equal(login(server, HERE, "anna", "system word"), NO, "the stack is anybody's")
        equal(asked(server), [], "and nothing of it ran")
        os.chmod(os.path.join(folder, "postroom"), 0o644)
        advance(server, "61s")
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "both are ours")


def test_SEC_06_a_PAM_stack_that_hangs_is_killed_and_holds_up_nobody():
    with site(pam_server(), "anna", "slow") as server:
        server.cli("user", "set", "anna", "system_name=anna.sys")
        replies = []
        began = time.monotonic()
        hanging = threading.Thread(target=lambda: replies.append(login(server, HERE, "slow", "x")))
        hanging.start()
        wait_for(lambda: "slow" in asked(server), "it hangs")
        true(login(server, HERE, "anna", "system word").startswith(b"+OK"), "another is asked meanwhile")
        server.cli("config", "set", "limits.recipients", "900")
        equal(server.cli("check").returncode, 0, "the warden serves other requests")
        true(not replies or time.monotonic() - began > 9, "meanwhile indeed, unless the machine is slow")
        hanging.join(30)
        true(replies and replies[0].startswith(b"-ERR [SYS/TEMP]"), "not now: %r" % replies)
        true(security(server, "PAM gave no answer"), "the log says why")


if __name__ == "__main__":
    sys.exit(tap([f for n, f in list(globals().items()) if n.startswith("test_")]))
