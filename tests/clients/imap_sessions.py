#!/usr/bin/env python3
"""imap_sessions.py - several sessions, by IMAP and POP3, on one mailbox of a real server: TAP.

What one changes the others see (IMP-01, IMP-02); what was acknowledged outlives a kill; folders are
shared as their owners say (SHF). Scenarios 22 and 23 of the catalogue.
"""
import calendar
import imaplib
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.imap import Gone, Imap  # noqa: E402
from tests.harness.postroom import (PASSWORD, Server, equal, tap, true, wait_for)  # noqa: E402

EXTRA = """auth: { hash_memory: 8MB, hash_passes: 1 }
limits: { max_per_ip: 500, max_per_ip_before_login: 500 }
loops: 2
testing: { clock: yes }
"""
MAIL = b"From: Bo <bo@elsewhere.test>\r\nTo: anna@example.test\r\nSubject: %s\r\n\r\nbody of %s\r\n"


def mail(subject):
    return MAIL % (subject.encode(), subject.encode())


def session(server, user, tls=True):
    return Imap(server.ports["imaps" if tls else "imap"], tls=tls).login(user)


def number(pattern, lines):
    """The number that PATTERN catches in one of LINES."""
    for line in lines if isinstance(lines, list) else [lines]:
        found = re.search(pattern, line)
        if found:
            return int(found.group(1))
    raise AssertionError("no %r in %r" % (pattern, lines))


def uids(c, what="ALL"):
    found = [line for line in c.ok("UID SEARCH " + what) if line.startswith((b"* SEARCH", b"* ESEARCH"))]
    return [int(n) for n in found[0].split()[2:]] if found else []


def empty(c, folder="INBOX"):
    c.ok("SELECT " + folder)
    if uids(c):
        c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        c.ok("EXPUNGE")
    return c


# --- IMP-01 ---

def test_imaplib_does_a_days_work_IMP_01(server):
    c = server.imap("anna")
    equal(c.create("Projects/2026")[0], "OK")
    equal(c.subscribe("Projects/2026")[0], "OK")
    true(any(b"Projects/2026" in row for row in c.lsub()[1]), "LSUB names it")
    true(any(b'"/" Projects/2026' in row or b'"/" "Projects/2026"' in row for row in c.list()[1]), "LIST names it")
    status, rows = c.append("Projects/2026", "(\\Seen $Work)", '"21-Nov-2026 10:00:00 +0000"', mail("one"))
    true(status == "OK" and re.search(rb"\[APPENDUID \d+ 1\]", rows[0]), rows)
    c.append("Projects/2026", None, None, mail("two"))
    told = c.status("Projects/2026", "(MESSAGES UNSEEN UIDNEXT)")[1][0]
    equal([number(word + rb" (\d+)", told) for word in (b"MESSAGES", b"UNSEEN", b"UIDNEXT")], [2, 1, 3])
    equal(c.select("Projects/2026")[1], [b"2"])
    came = imaplib.Internaldate2tuple(c.fetch("1", "(INTERNALDATE)")[1][0])  # told in the server's zone, whichever it is
    equal(time.mktime(came), calendar.timegm((2026, 11, 21, 10, 0, 0)))
    equal(c.search(None, "SUBJECT", '"two"')[1], [b"2"])
    equal(c.search(None, "BODY", '"body of one"')[1], [b"1"])
    equal(c.search(None, "KEYWORD", "$Work")[1], [b"1"])
    equal(c.fetch("2", "(BODY[TEXT])")[1][0][1], b"body of two\r\n")
    equal(c.search(None, "UNSEEN")[1], [b""], "BODY[] has set \\Seen")
    status, rows = c.copy("2", "INBOX")
    true(status == "OK" and re.search(rb"\[COPYUID \d+ 2 \d+\]", rows[0]), rows)
    c.store("1", "+FLAGS", "(\\Deleted)")
    equal(c.expunge()[1], [b"1"])
    equal(c.rename("Projects/2026", "Projects/old")[0], "OK")
    c.unselect()
    equal(c.delete("Projects/old")[0], "OK")
    equal(c.namespace()[0], "OK")
    c.logout()
    pop = server.pop("anna")  # POP3 sees the same INBOX
    true(b"Subject: two" in pop.retr(1)[1], "the copy is in the POP3 box")
    pop.quit()


def test_capabilities_before_and_after_login(server):
    with Imap(server.ports["imap"]) as c:
        told = c.ok("CAPABILITY")[0].split()
        for word in (b"IMAP4rev1", b"IMAP4rev2", b"STARTTLS", b"LITERAL+", b"SASL-IR", b"ID"):
            true(word in told, "before TLS: %r in %r" % (word, told))
        c.starttls()
        told = c.ok("CAPABILITY")[0].split()
        true(b"AUTH=PLAIN" in told and b"SASL-IR" in told and b"STARTTLS" not in told, told)
        c.login("anna")
        told = c.ok("CAPABILITY")[0].split()
        for word in (b"NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS "
                     b"LIST-MYRIGHTS STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES SORT THREAD=REFERENCES "
                     b"THREAD=ORDEREDSUBJECT BINARY MULTIAPPEND ACL QUOTA UTF8=ACCEPT OBJECTID SAVEDATE WITHIN ENABLE").split():
            true(word in told, "after login: %r in %r" % (word, told))
        true(any(w.startswith(b"APPENDLIMIT") for w in told) and any(w.startswith(b"RIGHTS=") for w in told), told)


def test_a_new_user_has_his_folders(server):
    with session(server, "nora") as c:
        told = b"\n".join(c.ok('LIST "" "*"'))
        for name in ("Sent", "Drafts", "Trash", "Junk", "Archive"):
            true(re.search(rb'\(([^)]*\\%s[^)]*)\) "/" "?%s"?(\n|$)' % (name.encode(), name.encode()), told), "%s: %r" % (name, told))
        subscribed = b"\n".join(c.ok('LSUB "" "*"'))
        true(b"Sent" in subscribed and b"Junk" in subscribed, subscribed)
        c.ok("DELETE Junk")
    with session(server, "nora") as c:
        true(b"Junk" not in b"".join(c.ok('LIST "" "*"')), "what he deleted stays deleted")


# --- IMP-02 ---

def test_changes_reach_a_session_that_idles_IMP_02(server):
    with session(server, "ida") as watch, session(server, "ida", tls=True) as act:
        empty(act)
        watch.ok("SELECT INBOX")
        watch.idle()
        server.send("bo@elsewhere.test", ["ida@example.test"], mail("by SMTP"))
        watch.until(rb"^\* 1 EXISTS$")
        act.append("INBOX", mail("by APPEND"))
        watch.until(rb"^\* 2 EXISTS$")
        act.ok("NOOP")
        act.ok("STORE 1 +FLAGS (\\Flagged $Hot)")
        watch.until(rb"^\* 1 FETCH \(.*FLAGS \([^)]*\\Flagged[^)]*\)")
        act.ok("STORE 2 +FLAGS (\\Deleted)")
        watch.until(rb"^\* 2 FETCH \(.*\\Deleted")
        act.ok("EXPUNGE")
        watch.until(rb"^\* (2 EXPUNGE|VANISHED)")
        pop = server.pop("ida")
        pop.dele(1)
        pop.quit()
        watch.until(rb"^\* 1 EXPUNGE$")
        equal(watch.done().status, "OK")
        equal(uids(watch), [])


def test_changes_wait_for_a_command_that_may_tell_them_IMP_02(server):
    """RFC 9051, 7.5.1: no EXPUNGE in FETCH, STORE and SEARCH; the numbers stay until it is told."""
    with session(server, "ida") as c, session(server, "ida") as other:
        empty(c)
        for n in range(4):
            c.append("INBOX", mail("m%d" % n))
        c.ok("NOOP")
        other.ok("SELECT INBOX")
        other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        other.ok("EXPUNGE")
        told = c.ok("FETCH 4 (UID)")
        true(not any(b"EXPUNGE" in line for line in told), told)
        true(any(line.startswith(b"* 4 FETCH") for line in told), told)
        told = c.ok("SEARCH SUBJECT m3")
        true(not any(b"EXPUNGE" in line for line in told) and any(b" 4" in line for line in told), told)
        reply = c.ask("FETCH 1 (BODY.PEEK[TEXT])")  # gone, but still in this session's view
        true(reply.status in ("OK", "NO"), reply)
        true(b"* 1 EXPUNGE" in c.ok("NOOP"), "now it is told")
        equal([len(uids(c)), len(uids(other))], [3, 3])


def test_many_sessions_agree_in_the_end_IMP_02(server):
    sessions = [session(server, "ida") for _ in range(8)]
    empty(sessions[0])
    for c in sessions[1:]:
        c.ok("SELECT INBOX")
    for n in range(40):
        c = sessions[n % 8]
        c.append("INBOX", mail("of %d" % n))
        c.ok("NOOP")
        c.ok("STORE %d +FLAGS.SILENT (\\%s)" % (1 + n // 2, "Seen" if n % 2 else "Answered"))
        if n % 5 == 4:
            c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
            c.ok("EXPUNGE")
    seen = []
    for c in sessions:
        c.ok("NOOP")
        lines = c.ok("FETCH 1:* (UID FLAGS)")
        seen.append(sorted(re.findall(rb"UID (\d+).*", line)[0] + b" " + b" ".join(sorted(set(
            re.search(rb"FLAGS \(([^)]*)\)", line).group(1).split()) - {b"\\Recent"})) for line in lines if b"FETCH" in line))
        c.close()
    for other in seen[1:]:
        equal(other, seen[0])


# --- scenario 22: POP3 and IMAP together ---

def test_POP3_and_IMAP_mixed_on_one_mailbox_Q_45_POP_05(server):
    c = empty(session(server, "uma"))
    for n in range(3):
        server.send("bo@elsewhere.test", ["uma@example.test"], mail("m%d" % n))
    pop = server.pop("uma")
    equal(pop.stat()[0], 3)
    c.ok("NOOP")
    c.ok("STORE 1 +FLAGS (\\Seen)")       # IMAP beside the POP3 session
    c.ok("STORE 2 +FLAGS (\\Deleted)")
    c.ok("EXPUNGE")
    equal(pop.stat()[0], 3, "the POP3 session counts as at its login (RFC 1939)")
    true(b"Subject: m2" in pop.retr(3)[1], "the numbers stay")
    pop.dele(1)
    pop.dele(2)
    try:
        server.pop("uma")
        raise AssertionError("a second POP3 session came in")
    except Exception as e:
        true("IN-USE" in str(e), str(e))
    with session(server, "uma") as late:  # while POP3 holds its lock
        late.ok("SELECT INBOX")
        equal(len(uids(late)), 2, "DELE acts at QUIT alone (H28)")
    pop.quit()
    told = c.ok("NOOP")
    true(b"* 1 EXPUNGE" in told, told)
    equal(len(uids(c)), 1)
    pop = server.pop("uma")
    equal(pop.stat()[0], 1)
    true(b"Subject: m2" in pop.retr(1)[1], "the third is left")
    pop.quit()
    c.close()


def test_a_held_message_is_not_there_USR_39(server):
    c = empty(session(server, "uma"))
    for n in range(3):
        c.append("INBOX", mail("h%d" % n))
    c.ok("NOOP")
    watch = session(server, "uma")
    watch.ok("SELECT INBOX")
    watch.idle()
    middle = uids(c)[1]
    server.cli("message", "hold", "uma", middle)
    watch.until(rb"^\* 2 EXPUNGE$")
    watch.done()
    c.ok("NOOP")
    equal(len(uids(c)), 2, "neither counted nor searched")
    pop = server.pop("uma")
    equal(pop.stat()[0], 2)
    pop.quit()
    equal(number(rb"MESSAGES (\d+)", c.ok("STATUS INBOX (MESSAGES)")), 2)
    server.cli("message", "release", "uma", middle)
    c.ok("SELECT INBOX")  # its uid is not the highest: an open folder cannot show it (RFC 9051, 2.3.1.1)
    equal(len(uids(c)), 3)
    c.close()
    watch.close()


def test_copies_keep_or_lose_date_and_flags_by_setting_IMP_05(server):
    c = empty(session(server, "uma"))
    c.append("INBOX", mail("old"), '(\\Flagged $Old) "01-Feb-2001 10:00:00 +0000"')
    c.ok("CREATE Copies")
    c.ok("NOOP")
    for keep in ("yes", "no"):
        server.cli("config", "set", "imap.keep_date_and_flags", keep)
        c.ok("COPY 1 Copies")
        c.ok("SELECT Copies")
        line = [x for x in c.ok("FETCH * (FLAGS INTERNALDATE)") if b"FETCH" in x][0]
        equal(b"\\Flagged" in line, keep == "yes", line)
        equal(b"01-Feb-2001" in line, keep == "yes", line)
        c.ok("SELECT INBOX")
    server.cli("config", "set", "imap.keep_date_and_flags", "yes")
    c.ok("DELETE Copies")
    c.close()


def test_a_deleted_message_waits_in_the_bin_RCY_01_RCY_02(server):
    c = empty(session(server, "uma"))
    c.append("INBOX", mail("to be missed"))
    c.append("INBOX", mail("by POP3"))
    c.ok("NOOP")
    c.ok("STORE 1 +FLAGS (\\Deleted)")
    c.ok("EXPUNGE")
    pop = server.pop("uma")
    pop.dele(1)
    pop.quit()
    rows = server.json("message", "bin", "uma")
    found = {row["subject"]: row for row in rows}
    true("to be missed" in found and "by POP3" in found, rows)
    true(not any(b"bin" in line for line in c.ok('LIST "" "*"')), "no client sees the bin")
    equal(number(rb"MESSAGES (\d+)", c.ok("STATUS INBOX (MESSAGES)")), 0)
    server.stop()
    server.start()
    server.cli("message", "restore", "uma", found["to be missed"]["id"])
    c = session(server, "uma")
    c.ok("SELECT INBOX")
    equal(len(uids(c, "SUBJECT missed")), 1)
    c.close()


# --- what was acknowledged ---

def test_what_was_said_OK_outlives_a_kill_H40_H27(server):
    c = empty(session(server, "kim"))
    validity = number(rb"UIDVALIDITY (\d+)", c.ok("SELECT INBOX"))
    for n in range(5):
        c.append("INBOX", mail("k%d" % n))
    c.ok("CREATE Other")
    c.ok("SUBSCRIBE Other")
    c.ok("NOOP")
    first = uids(c)
    c.ok("STORE 1 +FLAGS (\\Answered $Kept)")
    c.ok("MOVE 2 Other")
    c.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    c.ok("EXPUNGE")
    next_uid = number(rb"UIDNEXT (\d+)", c.ok("STATUS INBOX (UIDNEXT)"))
    server.kill()
    server.start()
    with session(server, "kim") as c:
        told = c.ok("SELECT INBOX")
        equal(number(rb"UIDVALIDITY (\d+)", told), validity)
        true(number(rb"UIDNEXT (\d+)", told) >= next_uid, "UIDs are not used twice")
        equal(uids(c), [first[0], first[3], first[4]])
        line = [x for x in c.ok("FETCH 1 (FLAGS)") if b"FETCH" in x][0]
        true(b"\\Answered" in line and b"$Kept" in line, line)
        equal(number(rb"MESSAGES (\d+)", c.ok("STATUS Other (MESSAGES)")), 1)
        true(any(b"Other" in x for x in c.ok('LSUB "" "*"')), "the subscription is kept")


# --- scenario 23: shared folders ---

def test_a_shared_Sent_folder_SHF_01_to_05(server):
    with session(server, "anna") as a, session(server, "bert") as b:
        a.append("Sent", mail("sent by anna"), "(\\Seen)")
        true(not any(b"anna" in x for x in b.ok('LIST "" "Other users/*"')), "nothing is shared yet")
        a.ok("SETACL Sent bert lr")
        equal(a.ok("GETACL Sent")[0].split()[-1], b"lr")
        told = b.ok('LIST "" "Other users/%/%"')
        true(any(x.rstrip(b'"').endswith(b"Other users/anna/Sent") for x in told), told)
        equal(b.ok('MYRIGHTS "Other users/anna/Sent"')[0].split()[-1], b"lr")
        told = b.ask('SELECT "Other users/anna/Sent"')
        true(told.status == "OK" and b"READ-ONLY" in told.text, told)
        true(any(b"body of sent by anna" in x for x in b.ok("FETCH 1 (BODY.PEEK[])")), "bert reads it")
        b.no("STORE 1 +FLAGS (\\Deleted)")
        b.no("EXPUNGE")
        equal(number(rb"MESSAGES (\d+)", a.ok("STATUS Sent (MESSAGES)")), 1, "bert deletes nothing")
        b.no('APPEND "Other users/anna/Sent" {3+}\r\nabc')
        b.no('CREATE "Other users/anna/Mine"')
        b.no('SETACL "Other users/anna/Sent" bert lrs')
        equal(b.ask('SELECT "Other users/anna/INBOX"').status, "OK", "fake access: there, and empty")
        equal(number(rb"(\d+) EXISTS", b.ok('SELECT "Other users/anna/INBOX"')), 0)
        server.cli("config", "set", "imap.fake_access", "no")
        b.no('SELECT "Other users/anna/INBOX"')
        b.no('SELECT "Other users/anna"')
        server.cli("config", "set", "imap.fake_access", "yes")
        b.ok('SELECT "Other users/anna/Sent"')
        a.append("Sent", mail("more"))
        b.ok("NOOP")
        equal(len(uids(b)), 2, "bert sees what comes")
        a.ok("DELETEACL Sent bert")
        equal(number(rb"(\d+) EXISTS", b.ok('SELECT "Other users/anna/Sent"')), 0, "and now sees nothing")


def test_a_group_is_an_identifier_SHF_02(server):
    server.cli("group", "add", "sales", "bert", "carl")
    with session(server, "anna") as a, session(server, "carl") as c, session(server, "dora") as d:
        a.ok("CREATE Deals")
        a.append("Deals", mail("a deal"))
        a.ok("SETACL Deals group:sales lrswit")
        c.ok('SELECT "Other users/anna/Deals"')
        c.ok("STORE 1 +FLAGS (\\Flagged)")
        true(not any(b"Deals" in x for x in d.ok('LIST "" "Other users/*"')), "dora is no member")
        a.ok("SELECT Deals")
        true(any(b"\\Flagged" in x for x in a.ok("FETCH 1 (FLAGS)")), "anna sees carl's flag")


# --- settings ---

def test_require_cram_md5_IMP_03(server):
    server.cli("config", "set", "imap.require_cram_md5", "yes")
    try:
        with Imap(server.ports["imaps"], tls=True) as c:
            c.no('LOGIN anna "%s"' % PASSWORD)
            true(b"AUTH=PLAIN" not in c.ok("CAPABILITY")[0], "PLAIN is not offered")
        server.cli("config", "set", "imap.tls_satisfies_cram_md5", "yes")
        with Imap(server.ports["imaps"], tls=True) as c:
            c.login("anna")
    finally:
        server.cli("config", "set", "imap.require_cram_md5", "no")


def test_a_session_shows_in_the_list_and_can_be_ended(server):
    with session(server, "anna") as c:
        c.ok("SELECT INBOX")
        c.idle()
        rows = []

        def look():
            rows[:] = [r for r in server.json("session", "list") if r.get("user") == "anna" and r["service"].startswith("imap")]
            return len(rows) == 1
        wait_for(look, "this one alone, once those of before have gone: %s" % rows)
        server.cli("session", "end", rows[0]["id"])
        try:
            while True:
                line = c.line()
                true(line.startswith(b"* "), line)
        except Gone:
            pass


def test_who_is_disabled_does_not_stay(server):
    with session(server, "uma") as idle, session(server, "uma") as other:
        idle.ok("SELECT INBOX")
        idle.idle()
        said = server.cli("user", "set", "uma", "enabled=no").stdout
        true("2 sessions ended" in said, said)
        for c in (idle, other):
            try:
                while True:
                    true(c.line().startswith(b"* "), "only untagged lines")
            except Gone:
                pass
        said = server.cli("user", "set", "uma", "enabled=yes").stdout
        true("ended" not in said, said)
        session(server, "uma").close()


def test_answers_name_the_folder(server):
    true("folder kim Work added" in server.cli("folder", "add", "kim", "Work").stdout, "add")
    true("folder kim Work renamed" in server.cli("folder", "rename", "kim", "Work", "Old").stdout, "rename")
    true("folder kim Old unsubscribed" in server.cli("folder", "unsubscribe", "kim", "Old").stdout, "unsubscribe")
    refused = server.cli("folder", "rights", "kim", "Old", "uma", "-r", ok=False)
    true("follows a --" in refused.stderr, refused.stderr)


def test_a_stop_says_BYE(server):
    c = session(server, "anna")
    c.ok("SELECT INBOX")
    c.idle()
    equal(server.stop(), 0)
    true(any(line.startswith(b"* BYE") for line in c.until(rb"^\* BYE")), "BYE")
    server.start()


USERS = ("anna", "bert", "carl", "dora", "ida", "kim", "nora", "uma")


def main():
    with Server(extra=EXTRA) as server:
        server.add_user("postmaster", "--admin")
        for name in USERS:
            server.add_user(name)
        return tap([f for n, f in list(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
