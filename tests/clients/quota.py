#!/usr/bin/env python3
"""quota.py - full mailboxes, as their users and the administrator see them: QUO-01 to QUO-07, scenario 15: TAP."""
import contextlib
import os
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402

MB = 1024 * 1024
QUIET = "quota: { daily_user: 0, daily_admin: 0 }\n"


@contextlib.contextmanager
def site(more=QUIET):
    with Server(extra="testing: { clock: yes }\n" + more) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("bert", "--quota", "1")
        yield server


def used(server, user="bert"):
    return [u for u in server.json("user", "list") if u["name"] == user][0]["size"]


def message(size):
    head = "From: a@far.test\r\nSubject: filler\r\n\r\n"
    return head + ("y" * 70 + "\r\n") * (size // 72)


def fill(server, percent, folder="INBOX", step=100000):
    """By APPEND, up to about so much; the warnings come a moment later."""
    imap = server.imap("bert")
    left = percent * MB // 100 - used(server)
    while left > 300:
        data = message(min(left, step)).encode()
        equal(imap.append(folder, None, None, data)[0], "OK", "APPEND is never refused (QUO-07)")
        left -= len(data)
    imap.logout()


def warnings(server, user):
    imap = server.imap(user)
    imap.select("INBOX", readonly=True)
    found = []
    for n in imap.search(None, "SUBJECT", "full")[1][0].split():
        found.append(imap.fetch(n, "(BODY.PEEK[])")[1][0][1].decode())
    imap.logout()
    return found


def counts(server):
    """Warnings in the INBOX of bert and of postmaster."""
    return tuple(sum("full" in m["subject"] for m in server.json("message", "list", user)) for user in ("bert", "postmaster"))


def settle(server, want):
    wait_for(lambda: counts(server) == want, "warnings %r, there are %r" % (want, counts(server)), 10)
    time.sleep(0.5)  # two rounds of the watch: nothing more comes
    equal(counts(server), want)


def empty(server, folder="INBOX"):
    imap = server.imap("bert")
    imap.select(folder)
    imap.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    imap.logout()


def test_three_thresholds_once_each_scenario_15_QUO_01_QUO_02_QUO_03_QUO_06_QUO_07():
    with site() as server:
        shown = {k: server.cli("config", "get", "quota." + k).stdout.strip() for k in (
            "first", "first_user", "first_admin", "second", "second_user", "second_admin", "third", "third_user",
            "third_admin", "block_sending")}
        equal(list(shown.values()), ["80", "yes", "no", "100", "yes", "yes", "120", "yes", "yes", "120"])
        fill(server, 40)
        fill(server, 79, "Archive")  # all folders count
        settle(server, (0, 0))
        fill(server, 81)
        settle(server, (1, 0))
        (mail,) = warnings(server, "bert")
        true("Subject: Your mailbox is 8" in mail and "Return-Path: <>" in mail and "of 1024 kB" in mail, mail)
        fill(server, 82)
        settle(server, (1, 0))
        for _ in range(3):  # by SMTP
            server.send("a@far.test", ["bert@example.test"], message(70000))
        settle(server, (2, 1))
        true("bert " in warnings(server, "postmaster")[0], warnings(server, "postmaster"))
        fill(server, 121)
        settle(server, (3, 2))
        server.send("a@far.test", ["bert@example.test"], message(MB))
        settle(server, (3, 2))
        true(used(server) > 2 * MB, "what comes in is never refused")
        imap = server.imap("bert")
        root = imap.getquota("bert")[1][0].decode()
        equal(root, "bert (STORAGE %d 1024)" % ((used(server) + 1023) // 1024))
        imap.logout()
        equal(server.check()[0], 0)


def test_it_is_armed_again_when_the_size_falls_QUO_03():
    with site() as server:
        fill(server, 81)
        settle(server, (1, 0))
        server.kill()
        server.start()
        settle(server, (1, 0))  # remembered over a crash
        empty(server)
        wait_for(lambda: used(server) < MB // 2, "all went into the bin, which does not count (RCY-02)")
        time.sleep(0.5)
        fill(server, 130, step=2 * MB)  # over all three at once: one mail to each
        settle(server, (1, 1))
        equal(server.check()[0], 0)


def try_send(server):
    with server.smtp("submissions") as c:
        c.login("bert", PASSWORD)
        try:
            c.sendmail("bert@example.test", ["postmaster@example.test"], "From: bert@example.test\r\n\r\nhi\r\n")
        except smtplib.SMTPSenderRefused as refused:
            return refused.smtp_code, refused.smtp_error.decode()
    return 250, ""


def test_sending_is_refused_at_120_and_again_allowed_QUO_04():
    with site() as server:
        fill(server, 119)
        equal(try_send(server)[0], 250)
        fill(server, 121)
        code, text = try_send(server)  # the login works
        equal(code, 552)
        true("quota" in text and text.startswith("5.2.2"), text)
        told = server.json("explain", "--from", "bert@example.test", "--auth", "bert", "--to", "postmaster@example.test")[0]
        equal((told["reply"]["stage"], told["reply"]["code"]), ("mail", 552))
        true(any("bert may not send: the mailbox is at 12" in s for s in told["steps"]), told["steps"])
        server.send("a@far.test", ["bert@example.test"], "Subject: in\r\n\r\nstill comes\r\n")
        server.cli("config", "set", "quota.block_sending", "0")
        equal(try_send(server)[0], 250, "0 disables")
        server.cli("config", "set", "quota.block_sending", "120")
        equal(try_send(server)[0], 552)
        empty(server)
        equal(try_send(server)[0], 250)


def test_each_day_and_at_each_start_QUO_05_ADM_12():
    texts = "texts: { quota_subject: 'full: %1', quota_admin_text: 'look at %1 of %2', quota_admin_subject: full }\n"
    with site(QUIET + texts) as server:  # quiet at first: the walk of the first start may come before or behind the filling
        server.away_from_midnight()
        server.add_user("carl", "--quota", "1")
        fill(server, 85)
        settle(server, (1, 0))
        server.cli("config", "set", "quota.daily_user", "80")
        server.cli("config", "set", "quota.daily_admin", "80")
        server.stop()
        server.start()
        settle(server, (2, 1))
        true("Subject: full: 8" in warnings(server, "bert")[1], warnings(server, "bert"))
        mail = warnings(server, "postmaster")[0]
        true("look at 1 of example.test" in mail and "bert  " in mail and "carl" not in mail, mail)
        server.cli("clock", "advance", "1d")
        settle(server, (3, 2))
        server.cli("config", "set", "quota.daily_user", "0")
        server.cli("clock", "advance", "1d")
        settle(server, (3, 3))
        empty(server)
        server.cli("clock", "advance", "1d")
        settle(server, (0, 3))


def test_the_quota_of_a_user_is_in_MB_and_0_is_none_USR_29():
    with site() as server:
        def limit():
            imap = server.imap("bert")
            (root,) = imap.getquotaroot("INBOX")[1][1]
            imap.logout()
            return root
        equal(limit(), b"bert (STORAGE 0 1024)")
        server.cli("user", "set", "bert", "quota_mb=3")
        equal(limit(), b"bert (STORAGE 0 3072)")
        server.cli("user", "set", "bert", "quota_mb=0")
        equal(limit(), None)
        server.send("a@far.test", ["bert@example.test"], message(3 * MB))
        settle(server, (0, 0))


def crosses(server, act):
    """From 70 % ACT leads over the first threshold, and bert hears of it once."""
    fill(server, 70)
    settle(server, (0, 0))
    act()
    true(used(server) > 80 * MB // 100, used(server))
    settle(server, (1, 0))


def test_by_lmtp_QUO_02():
    with Server(extra="testing: { clock: yes }\n" + QUIET, services=("smtp", "imaps", "pop3s", "lmtp")) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("bert", "--quota", "1")

        def deliver():
            with smtplib.LMTP("127.0.0.1", server.ports["lmtp"], "front.test") as c:
                c.sendmail("a@far.test", ["bert@example.test"], message(150000))
        crosses(server, deliver)


def test_by_copy_QUO_02():
    with site() as server:
        def copy():
            imap = server.imap("bert")
            imap.select("INBOX")
            equal(imap.copy("1:2", "Archive")[0], "OK", "COPY is never refused (QUO-07)")
            imap.logout()
        crosses(server, copy)


def test_by_import_QUO_02():
    with site() as server:
        path = os.path.join(server.dir, "one.eml")
        with open(path, "w", newline="") as f:
            f.write(message(150000))
        crosses(server, lambda: server.cli("message", "import", "bert", path))


def test_by_restore_from_the_bin_QUO_02_RCY_02():
    with site() as server:
        server.send("a@far.test", ["bert@example.test"], message(150000))
        empty(server)
        wait_for(lambda: used(server) == 0, "what is in the bin does not count")
        (gone,) = server.json("message", "bin", "bert")
        crosses(server, lambda: server.cli("message", "restore", "bert", gone["id"]))


def test_the_mailbox_of_the_journal_has_none_JRN_02_QUO_02_QUO_04():
    with site("") as server:  # daily warnings are on
        server.cli("journal", "set", "internal=bert")
        fill(server, 130)
        server.send("a@far.test", ["postmaster@example.test"], message(100000))
        settle(server, (0, 0))
        server.cli("clock", "advance", "1d")
        settle(server, (0, 0))
        equal(try_send(server)[0], 250)
        imap = server.imap("bert")
        equal(imap.getquotaroot("INBOX")[1][1], [None], "no quota root")
        imap.logout()
        server.cli("journal", "set", "internal=")
        fill(server, 131 + 100 * used(server) // MB)
        wait_for(lambda: counts(server) == (1, 1), "he is a user like others now: %r" % (counts(server),), 10)
        equal(try_send(server)[0], 552)


if __name__ == "__main__":
    sys.exit(tap([run for name, run in list(globals().items()) if name.startswith("test_")]))
