#!/usr/bin/env python3
"""imap_search.py - SEARCH, SORT and THREAD of a real server, with the index of words and without: TAP."""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.imap import Imap  # noqa: E402
from tests.harness.postroom import Server, equal, tap, true, wait_for  # noqa: E402

EXTRA = "auth: { hash_memory: 8MB, hash_passes: 1 }\nloops: 2\n"


def message(number, body, subject="message", headers="", date="%d Jan 2024 10:00:00 +0000"):
    return ("From: Bo %d <bo%d@elsewhere.test>\r\nTo: anna@example.test\r\nSubject: %s\r\n"
            "Date: %s\r\nMessage-ID: <m%d@elsewhere.test>\r\n%s\r\n%s\r\n" % (
                number, number, subject, date % number if "%d" in date else date, number, headers, body)).encode()


QP = "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n"
B64 = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
MIXED = "Content-Type: multipart/mixed; boundary=b\r\n"
MAILS = [
    message(1, "the quick brown fox"),
    message(2, "The QUICK red fox", "Re: message"),
    message(3, "slow turtle", "Plan of the year", "Cc: carl@example.test\r\nX-Label: important thing\r\n"),
    message(4, "Gr=FC=DFe aus K=F6ln", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", QP),
    message(5, base64.b64encode("brown bread, \u0416\u0443\u043a".encode()).decode(), "[list] message", B64),
    message(6, "--b\r\n\r\nfirst part\r\n--b\r\nContent-Type: application/pdf; name=\"Budget.pdf\"\r\n\r\n"
               "hiddenword\r\n--b--", "with a file", MIXED),
    message(7, "x" * 5000 + " endword", "long", "References: <m1@elsewhere.test> <m2@elsewhere.test>\r\n"),
    message(8, "nothing", "Re: plan of the year", "In-Reply-To: <m3@elsewhere.test>\r\n",
            "1 Jun 2023 23:30:00 -0500"),
]

# keys, the uids of what they find
QUERIES = [
    ("ALL", "1 2 3 4 5 6 7 8"),
    ("1:3", "1 2 3"), ("2,4:*", "2 4 5 6 7 8"), ("UID 7:*", "7 8"), ("UID 100:*", "8"), ("UID 100:200", ""),
    ("SEEN", "2 3"), ("UNSEEN", "1 4 5 6 7 8"), ("FLAGGED", "3"), ("UNFLAGGED 1:3", "1 2"), ("DELETED", ""),
    ("ANSWERED", ""), ("UNANSWERED UNDELETED UNDRAFT 1", "1"), ("DRAFT", "4"), ("KEYWORD $Work", "5"),
    ("UNKEYWORD $Work 4:6", "4 6"), ("KEYWORD never", ""), ("RECENT OLD", ""), ("NEW OLD", ""), ("1 OR RECENT OLD", "1"),
    ("LARGER 5000", "7"), ("SMALLER 5000 NOT 1:6", "8"), ("SINCE 1-Jan-2020 1", "1"), ("BEFORE 1-Jan-2020", ""),
    ("YOUNGER 3600 2", "2"), ("OLDER 3600", ""), ("SAVEDSINCE 1-Jan-2020 3", "3"), ("SAVEDBEFORE 1-Jan-2020", ""),
    ("SAVEDATESUPPORTED 1", "1"), ("SENTBEFORE 1-Jan-2024", "8"), ("SENTON 1-Jun-2023", "8"),
    ("SENTON 2-Jan-2024", "2"), ("SENTSINCE 6-Jan-2024", "6 7"), ("THREADID Tx", ""),
    ("FROM bo3", "3"), ("FROM BO", "1 2 3 4 5 6 7 8"), ("TO anna", "1 2 3 4 5 6 7 8"), ("CC carl", "3"), ("BCC x", ""),
    ("SUBJECT message", "1 2 5"), ("SUBJECT plan", "3 8"), ('SUBJECT "plan of"', "3 8"),
    ("HEADER X-Label IMPORTANT", "3"), ('HEADER X-Label ""', "3"), ('HEADER Message-ID m3@', "3"),
    ('HEADER Return-Path "bo@"', "1 2 3 4 5 6 7 8"), ("HEADER Subject plan", "3 8"), ("HEADER X-None x", ""),
    ("BODY fox", "1 2"), ("BODY quick", "1 2"), ("BODY uic", "1 2"), ('BODY "quick brown"', "1"),
    ("BODY brown", "1 5"), ("BODY hiddenword", ""), ("BODY budget", ""), ("BODY endword", "7"), ("BODY message", ""),
    ("TEXT budget.pdf", "6"), ("TEXT message", "1 2 3 4 5 6 7 8"), ('TEXT "subject: message"', "1"),
    ("TEXT elsewhere", "1 2 3 4 5 6 7 8"), ("TEXT carl", "3"), ("TEXT turtle", "3"), ("TEXT nowhere", ""),
    ('TEXT ""', "1 2 3 4 5 6 7 8"), ('TEXT "bo@elsewhere"', "1 2 3 4 5 6 7 8"),
    ("OR BODY fox BODY turtle", "1 2 3"), ("NOT BODY fox", "3 4 5 6 7 8"), ("BODY fox NOT BODY red", "1"),
    ("(BODY fox) (OR SEEN 1)", "1 2"), ("OR (SEEN BODY fox) (BODY brown UNSEEN)", "1 2 5"),
    ("NOT (BODY fox SEEN)", "1 3 4 5 6 7 8"), ("MODSEQ 1 1", "1"),
]
UTF8 = [("TEXT", "gr\u00fc\u00dfe", "4"), ("BODY", "K\u00d6LN", "4"), ("SUBJECT", "GR\u00dc", "4"),
        ("BODY", "\u0436\u0443\u043a", "5"), ("BODY", "brown bread, \u0416", "5")]


def found(c, command):
    lines = [line for line in c.ok(command) if line.startswith(b"* SEARCH")]
    equal(len(lines), 1, command)
    return b" ".join(lines[0].split()[2:]).decode()


def check_all(c, what):
    for keys, want in QUERIES:
        have = found(c, "UID SEARCH " + keys)
        equal(have.split(" (MODSEQ")[0].split(" (")[0], want, "%s: %s" % (what, keys))
        equal(found(c, "SEARCH " + keys).split(" (")[0], want, "%s: SEARCH %s" % (what, keys))
    for key, text, want in UTF8:
        literal = text.encode()
        have = found(c, b"UID SEARCH CHARSET UTF-8 %s {%d+}\r\n%s" % (key.encode(), len(literal), literal))
        equal(have, want, "%s: %s %s" % (what, key, text))
    latin = "gr\u00fc".encode("latin-1")
    equal(found(c, b"UID SEARCH CHARSET ISO-8859-1 SUBJECT {%d+}\r\n%s" % (len(latin), latin)), "4", what)


def fill(server):
    server.add_user("anna")
    for mail in MAILS:
        server.send("bo@elsewhere.test", ["anna@example.test"], mail)
    c = Imap(server.ports["imaps"], tls=True).login("anna")
    c.ok("SELECT INBOX")
    c.ok("STORE 2:3 +FLAGS.SILENT (\\Seen)")
    c.ok("STORE 3 +FLAGS.SILENT (\\Flagged)")
    c.ok("STORE 4 +FLAGS.SILENT (\\Draft)")
    c.ok("STORE 5 +FLAGS.SILENT ($Work)")
    return c


def search(server):
    return server.json("search", "status")[0]


def indexed(server):
    status = search(server)
    return status["behind"] == 0 and status["messages"] >= len(MAILS)


def test_every_key_with_and_without_the_index_IMP_01(server):
    c = fill(server)
    check_all(c, "not indexed")
    wait_for(lambda: indexed(server), "the index follows", 30)
    check_all(c, "indexed")
    server.cli("search", "rebuild")
    check_all(c, "rebuilding")
    wait_for(lambda: indexed(server), "the index was made anew", 30)
    check_all(c, "made anew")
    equal(server.json("status")[0]["search"]["state"], "current", "status tells it")


def session(server):
    c = Imap(server.ports["imaps"], tls=True).login("anna")
    c.ok("SELECT INBOX")
    return c


def test_extended_answers_and_saved_results(server):
    c = session(server)
    equal(c.ok("SEARCH RETURN (MIN MAX COUNT) BODY fox"), [b'* ESEARCH (TAG "t3") MIN 1 MAX 2 COUNT 2'], "RFC 4731")
    equal(c.ok("UID SEARCH RETURN (ALL) NOT 4"), [b'* ESEARCH (TAG "t4") UID ALL 1:3,5:8'], "ALL")
    equal(c.ok("SEARCH RETURN () 2"), [b'* ESEARCH (TAG "t5") ALL 2'], "RETURN () is ALL")
    equal(c.ok("SEARCH RETURN (COUNT MIN ALL) BODY nowhere"), [b'* ESEARCH (TAG "t6") COUNT 0'], "nothing")
    equal(c.ok("SEARCH RETURN (SAVE) BODY fox"), [], "SAVE says nothing")
    equal(found(c, "SEARCH $"), "1 2", "what was saved")
    equal(found(c, "UID SEARCH UID $ SEEN"), "2", "and with others")
    c.ok("SEARCH RETURN (SAVE MIN) NOT BODY fox")
    equal(found(c, "SEARCH $"), "3", "MIN alone is saved")
    c.no("SEARCH RETURN (SAVE) CHARSET X-NONE BODY fox")
    equal(found(c, "SEARCH $"), "", "a failed one saves nothing")
    c.no("SEARCH", "BAD")
    c.no("SEARCH BODY", "BAD")
    true(b"BADCHARSET" in c.no("SEARCH CHARSET X-NONE BODY fox"), "which charsets there are")
    c.no(b"SEARCH BODY {2000+}\r\n" + b"x" * 2000)
    line = [x for x in c.ok("SEARCH MODSEQ 1") if x.startswith(b"* SEARCH")][0]
    true(b"(MODSEQ " in line, "the highest modseq: %r" % line)
    c.ok("ENABLE IMAP4rev2")
    true(any(x.startswith(b"* ESEARCH ") for x in c.ok("SEARCH BODY turtle")), "rev2 answers ESEARCH")


SORTS = [
    ("(ARRIVAL)", "1 2 3 4 5 6 7 8"), ("(REVERSE ARRIVAL)", None), ("(DATE)", "8 1 2 3 4 5 6 7"),
    ("(REVERSE DATE)", "7 6 5 4 3 2 1 8"), ("(SUBJECT)", "4 7 1 2 5 3 8 6"),
    ("(SUBJECT REVERSE DATE)", "4 7 5 2 1 3 8 6"), ("(FROM)", "1 2 3 4 5 6 7 8"),
    ("(REVERSE FROM)", "8 7 6 5 4 3 2 1"), ("(CC DATE)", "8 1 2 4 5 6 7 3"), ("(TO REVERSE DATE)", "7 6 5 4 3 2 1 8"),
    ("(REVERSE SIZE)", None),
]


def test_sort_by_every_criterion(server):
    c = session(server)
    for criteria, want in SORTS:
        have = c.ok("UID SORT %s UTF-8 ALL" % criteria)[0]
        true(have.startswith(b"* SORT "), have)
        numbers = have.decode().split()[2:]
        equal(sorted(numbers), [str(n) for n in range(1, 9)], criteria)
        if want:
            # "gruesse" sorts behind all ASCII: its second byte of u-umlaut is above
            order = [n for n in numbers if n != "4"]
            equal(order, [n for n in want.split() if n != "4"], criteria)
    equal(c.ok("SORT (REVERSE SIZE) US-ASCII BODY endword"), [b"* SORT 7"], "keys count")
    equal(c.ok("SORT (DATE) UTF-8 BODY nowhere"), [b"* SORT"], "nothing")
    c.no("SORT (COLOUR) UTF-8 ALL", "BAD")
    c.no("SORT () UTF-8 ALL", "BAD")
    c.no("SORT (DATE) X-NONE ALL")


def test_thread(server):
    c = session(server)
    line = c.ok("THREAD REFERENCES UTF-8 3,8")[0]
    equal(line, b"* THREAD (3 8)", "a reply below what it answers")
    equal(c.ok("THREAD REFERENCES UTF-8 1:2,7"), [b"* THREAD (1 2 7)"], "by references")
    equal(c.ok("THREAD ORDEREDSUBJECT UTF-8 1:3,5"), [b"* THREAD (1 (2)(5))(3)"], "by subject")
    equal(c.ok("THREAD REFERENCES UTF-8 BODY nowhere"), [b"* THREAD"], "nothing")
    c.no("THREAD X-NONE UTF-8 ALL", "BAD")


def test_numbers_are_those_of_the_view(server):
    a, b = session(server), session(server)
    a.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    a.ok("EXPUNGE")
    equal(found(b, "SEARCH BODY turtle"), "3", "its numbers have not moved")
    equal(found(b, "SEARCH BODY fox"), "2", "what has left is not found")
    b.ok("NOOP")
    equal(found(b, "SEARCH BODY turtle"), "2", "now they have")


def test_a_killed_server_finds_all_again(server):
    for i in range(8):
        for n in range(10):
            server.send("bo@elsewhere.test", ["anna@example.test"], message(1, "batch%d item%d common" % (i, n)))
        server.kill()
        server.start()
    wait_for(lambda: search(server)["behind"] == 0, "the index follows", 30)
    c = session(server)
    equal(len(found(c, "SEARCH BODY common").split()), 80, "all, each once")
    for i in range(8):
        equal(len(found(c, "SEARCH BODY batch%d" % i).split()), 10, "batch %d" % i)
    equal(len(found(c, 'SEARCH BODY "item3 common"').split()), 8, "over words")


def test_a_damaged_index_is_made_anew(server):
    server.stop()
    path = os.path.join(server.dir, "store", "search", "data.mdb")
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        for at in range(8192, size, 4096):
            f.seek(at + 100)
            f.write(b"\xff" * 64)
    server.start()
    wait_for(lambda: search(server)["behind"] == 0, "the index was made anew", 30)
    equal(len(found(session(server), "SEARCH BODY common").split()), 80, "all are found")


def test_without_the_index(server):
    server.stop()
    with open(server.config, "a") as f:
        f.write("search: { index: no }\n")
    server.start()
    equal(search(server), {"state": "off"}, "it says so")
    true(not os.path.exists(os.path.join(server.dir, "store", "search", "data.mdb")), "no words are left")
    equal(len(found(session(server), "SEARCH BODY common").split()), 80, "all are found")
    server.cli("search", "rebuild", ok=False)


def test_no_words_of_encrypted_mail_in_the_index_SEC_08(_):
    with Server(extra=EXTRA + "store: { encrypt: yes }\n") as server:
        server.add_user("anna")
        server.send("bo@elsewhere.test", ["anna@example.test"], message(1, "a canaryword in the body", "canarysubject"))
        wait_for(lambda: search(server)["behind"] == 0 and search(server)["messages"] == 1, "the index passes it", 30)
        with open(os.path.join(server.store, "search", "data.mdb"), "rb") as f:
            words = f.read()
        true(b"canaryword" not in words and b"canarysubject" not in words, "its words are not there")
        c = session(server)
        equal(found(c, "SEARCH BODY canaryword"), "1", "it is found all the same")
        equal(found(c, "SEARCH SUBJECT canarysub"), "1", "by its subject, too")
        equal(found(c, "SEARCH TEXT nowhere"), "", "and nothing else")


def test_a_restored_store_has_no_index_of_another(_):
    with Server(extra=EXTRA) as server:
        server.add_user("anna")
        server.send("bo@elsewhere.test", ["anna@example.test"], message(1, "beforeword"))
        backup = os.path.join(server.dir, "backup")
        os.mkdir(backup)
        server.cli("backup", backup)
        server.send("bo@elsewhere.test", ["anna@example.test"], message(2, "afterword"))
        wait_for(lambda: search(server)["behind"] == 0, "the index follows", 30)
        server.stop()
        server.cli("restore", backup)
        true(not os.path.exists(os.path.join(server.store, "search", "data.mdb")), "its words went with it")
        server.start()
        server.send("bo@elsewhere.test", ["anna@example.test"], message(3, "thirdword"))
        wait_for(lambda: search(server)["behind"] == 0, "the index follows", 30)
        c = session(server)
        equal(found(c, "SEARCH BODY afterword"), "", "what the backup had not")
        equal(found(c, "SEARCH BODY beforeword"), "1", "what it had")
        equal(found(c, "SEARCH BODY thirdword"), "2", "what came since")


def main():
    with Server(extra=EXTRA) as server:
        return tap([test for name, test in globals().items() if name.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
