#!/usr/bin/env python3
"""locks.py - who guesses is locked out, and not whom he guesses at. TAP."""
import base64
import contextlib
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.lock_site import (A, B, CLOCK, FAST, HERE, NO, advance, blocks, control, login, security,  # noqa: E402
                                     site, smtp_login)
from tests.clients.hostile import Line  # noqa: E402
from tests.harness.imap import Imap  # noqa: E402
from tests.harness.postroom import PASSWORD, Server, equal, figure, tap, true, wait_for  # noqa: E402


def imap_login(server, source, name, password=PASSWORD, how="LOGIN"):
    """The status and text of one try."""
    with Imap(server.ports["imap"], source=source) as c:
        if how == "LOGIN":
            reply = c.ask('LOGIN "%s" "%s"' % (name, password))
        else:
            reply = c.ask("AUTHENTICATE PLAIN " + base64.b64encode(b"\0%s\0%s" % (name.encode(), password.encode())).decode())
        return (reply.status.encode() + b" " + reply.text)


def guess(server, source, name, times, tries=login):
    """Wrong passwords, each after the delay of the one before."""
    for _ in range(times):
        advance(server, "61s")
        true(b"OK" not in tries(server, source, name, "wrong"), "a wrong password is refused")
    advance(server, "61s")


def locked(server, name):
    def flag():
        return "L" in next(r for r in server.json("user", "list") if r["name"] == name)["flags"]
    before, shown = flag(), server.json("user", "show", name)[0]
    true(shown["locked"] in (before, flag()), "the flag and the field agree")  # it may begin in between
    equal(shown["locked"], shown["locked_until"] is not None)
    return shown["locked"]


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
        server.cli("session", "end", "--filter", "peer:" + A, "--yes", ok=False)  # some of them may have ended just now
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


if __name__ == "__main__":
    sys.exit(tap([f for n, f in list(globals().items()) if n.startswith("test_")]))
