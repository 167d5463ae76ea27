#!/usr/bin/env python3
"""locks_limits.py - how many connections, sessions and recipients there may be, and who else judges a password (PAM). TAP."""
import base64
import os
import smtplib
import socket
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.lock_site import (A, B, CLOCK, FAST, HERE, NO, advance, blocks, control, login, security,  # noqa: E402
                                     site, smtp_login)
from tests.clients.hostile import Line  # noqa: E402
from tests.harness.postroom import PASSWORD, Server, Skip, equal, tap, true, unverified, wait_for  # noqa: E402


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


CHECK = """#!/bin/sh
given=$(tr -d '\\0')
echo "$PAM_USER" >>"%(dir)s/asked"
case $PAM_USER in slow) sleep 60 ;; esac
[ "$PAM_USER" = anna.sys ] && [ "$given" = "system word" ]
"""


# --- PAM (SEC-06, SEC-07, USR-33) ---

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
