#!/usr/bin/env python3
"""imap_sharing.py - folders and what is put into them, by python's imaplib and by hand, on a real server: TAP.

What SHF-01 to 05 promise to people, many folders and many messages at once, and what the logs say.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.imap import Imap  # noqa: E402
from tests.harness.postroom import Server, equal, tap, true  # noqa: E402

EXTRA = """auth: { hash_memory: 8MB, hash_passes: 1 }
limits: { max_per_ip: 500, max_per_ip_before_login: 500 }
loops: 2
"""
MANY_FOLDERS = 3000


def session(server, user):
    return Imap(server.ports["imaps"], tls=True).login(user)


def mail(subject, size=0):
    return b"Subject: %s\r\n\r\n%s\r\n" % (subject.encode(), b"x" * size)


def appended(c, folder, messages):
    """One APPEND of MESSAGES (flags, bytes); its answer."""
    parts = [b"(%s) {%d+}\r\n%s" % (flags.encode(), len(text), text) for flags, text in messages]
    reply = c.ask(b'APPEND "%s" ' % folder.encode() + b" ".join(parts))
    equal(reply.status, "OK", reply.text)
    return reply.text


def test_imaplib_shares_a_Sent_folder_SHF_03(server):
    anna, bert = server.imap("anna"), server.imap("bert")
    equal(anna.append("Sent", None, None, mail("offer"))[0], "OK")
    equal(anna.setacl("Sent", "bert", "lr")[0], "OK")
    equal(bert.myrights('"Other users/anna/Sent"')[1][0].split()[-1], b"lr", "SHF-02")
    true(any(b'"Other users/anna/Sent"' in row for row in bert.list('"Other users/"', "*")[1]), "bert is shown it")
    equal(bert.select('"Other users/anna/Sent"', readonly=True)[1], [b"1"])
    true(b"Subject: offer" in bert.fetch("1", "(BODY.PEEK[])")[1][0][1], "and reads it")
    equal(bert.getacl('"Other users/anna/Sent"')[0], "NO", "the list is not his")
    equal(bert.delete('"Other users/anna/Sent"')[0], "NO")
    equal(anna.select("Sent")[0], "OK")
    anna.store("1", "+FLAGS", "(\\Deleted)")
    equal(anna.expunge()[0], "OK")
    bert.noop()
    equal(bert.select('"Other users/anna/Sent"', readonly=True)[1], [b"0"], "SHF-04: what she leaves is what he sees")
    equal(anna.deleteacl("Sent", "bert")[0], "OK")
    anna.logout()
    bert.logout()


def test_each_reader_has_his_own_seen_SHF_01(server):
    with session(server, "postmaster") as p, session(server, "bert") as b, session(server, "carl") as c:
        p.ok("CREATE Shared/board")
        p.ok("SETACL Shared/board anyone lrs")
        server.cli("folder", "set", "Shared/", "board", "own_seen=yes")
        appended(p, "Shared/board", [("", mail("notice"))])
        b.ok("SELECT Shared/board")
        b.ok("STORE 1 +FLAGS (\\Seen)")
        true(any(b"UNSEEN 0" in x for x in b.ok("STATUS Shared/board (UNSEEN)")), "bert has seen it")
        true(any(b"UNSEEN 1" in x for x in c.ok("STATUS Shared/board (UNSEEN)")), "carl has not")
        c.ok("SELECT Shared/board")
        true(not any(b"\\Seen" in x for x in c.ok("FETCH 1 (FLAGS)")), "nor does FETCH say so")
        c.no('APPEND Shared/board {3+}\r\nabc', "NO")


def test_logs_say_who_shared_and_removed(server):
    with session(server, "anna") as a:
        a.ok("CREATE Plans")
        a.ok("SETACL Plans bert lrs")
        a.ok("DELETE Plans")
    text = server.cli("log", "show", "--service", "security").stdout
    true(re.search(r"rights of a folder were changed.*anna.*Plans bert.*lrs", text), text[-600:])
    true(re.search(r"a folder was removed.*anna.*Plans", text), text[-600:])


def test_rights_can_be_undone_SHF_02(server):
    with session(server, "anna") as a:
        a.ok("SETACL Drafts bert lr")
        row = server.json("undo", "list")[0]
        equal((row["who"], row["what"], row["object"]), ("anna", "folder.rights", "Drafts bert"))
        server.cli("undo", row["id"], "--yes")
        true(not any(b"bert" in x for x in a.ok("GETACL Drafts")), "the list is as it was")


def test_many_messages_at_once_are_one_step(server):
    with session(server, "anna") as a, session(server, "anna") as other:
        a.ok("CREATE Many")
        other.ok("SELECT Many")
        line = appended(a, "Many", [("\\Seen $n%d" % (i % 3), mail("m%d" % i)) for i in range(130)])
        true(re.match(rb"\[APPENDUID \d+ 1:130\]", line), line)
        true(b"* 130 EXISTS" in other.ok("NOOP"), "all at once")
        true(any(b"UID 77 " in x and b"$n1" in x for x in other.ok("UID FETCH 77 (FLAGS)")), "with their flags, in order")
        line = appended(a, "Many", [("", mail("one")), ("", mail("big", 400000)), ("", mail("end"))])
        true(re.match(rb"\[APPENDUID \d+ 131:133\]", line), line)
        other.ok("NOOP")
        true(any(b"RFC822.SIZE 400018" in x for x in other.ok("UID FETCH 132 (RFC822.SIZE)")), "pieces and all")


def test_an_APPEND_that_breaks_off_leaves_nothing(server):
    with session(server, "anna") as a:
        before = a.ok("STATUS Drafts (MESSAGES UIDNEXT)")[0]
        for text in (b"x APPEND Drafts {2000000+}\r\nSubject: x\r\n\r\n" + b"y" * 1500000,
                     b"x APPEND Drafts {12+}\r\nSubject: x\r\n {2000000+}\r\nSubject: z\r\n"):
            broken = session(server, "anna")
            broken.say(text)
            broken.close()
        line = appended(a, "Drafts", [("", b"Subject: bare\n\nline\n")])
        true(re.match(rb"\[APPENDUID", line), line)
        after = a.ok("STATUS Drafts (MESSAGES UIDNEXT)")[0]
        figures = [[int(n) for n in re.findall(rb"\d+", x)] for x in (before, after)]
        equal([b - f for f, b in zip(*figures)], [1, 1], (before, after))
        a.ok("SELECT Drafts")
        true(any(b"RFC822.SIZE 23" in x for x in a.ok("FETCH * (RFC822.SIZE)")), "bare LF became CRLF (H1)")


def test_binary_messages_are_kept_in_base64(server):
    body = bytes(range(256)) * 300
    head = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    with session(server, "bert") as b:
        reply = b.ask(b"APPEND Drafts ~{%d+}\r\n" % len(head + body) + head + body)
        equal(reply.status, "OK", reply.text)
        b.ok("SELECT Drafts")
        told = b"\n".join(b.ok("FETCH 1 (BODY.PEEK[])"))
        true(b"Content-Transfer-Encoding: base64" in told and b"\0" not in told, told[:200])
        told = b"\n".join(b.ok("FETCH 1 (BINARY.PEEK[1])"))
        true(body in told, told[:100])
        reply = b.ask(b"APPEND Drafts ~{16+}\r\nSubject: x\r\n\r\na\0")
        true(reply.status == "NO" and b"UNKNOWN-CTE" in reply.text, reply)


def test_an_overfull_mailbox_takes_mail_with_a_warning_QUO_07(server):
    server.cli("user", "set", "dora", "quota_mb=1")
    with session(server, "dora") as d:
        appended(d, "Archive", [("", mail("much", 1200000))])
        told = d.ask("APPEND Archive {12+}\r\nSubject: x\r\n")
        true(told.status == "OK" and any(b"[OVERQUOTA]" in x for x in told.untagged), told)
        told = d.ok("GETQUOTAROOT INBOX")
        true(any(re.match(rb"\* QUOTA dora \(STORAGE 11\d\d 1024\)", x) for x in told), told)


def test_many_folders_are_listed_H25_H36(server):
    with session(server, "carl") as c:
        for i in range(MANY_FOLDERS):
            c.say(b"x%d CREATE many/%d/f%d\r\n" % (i, i % 50, i))
        for _ in range(MANY_FOLDERS):
            true(b" OK " in c.until(rb"^x")[-1], "made")
        equal(len(c.ok('LIST "" many/*')), MANY_FOLDERS + 50)
        equal(len(c.ok('LIST "" many/%')), 50)
        equal(len(c.ok('LIST "" "%*%*%*%*%*%f7"')), 1)
        equal(len(c.ok('LIST "" (many/1/% many/2/*) RETURN (STATUS (MESSAGES))')), 4 * MANY_FOLDERS // 50)


def main():
    with Server(extra=EXTRA) as server:
        server.add_user("postmaster", "--admin")
        for name in ("anna", "bert", "carl", "dora"):
            server.add_user(name)
        return tap([f for n, f in list(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
