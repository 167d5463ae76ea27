#!/usr/bin/env python3
"""prune.py - prune rules and the bin, as clients and administrators see them: PRN-01 to PRN-10, RCY-01 to RCY-03, scenario 24: TAP."""
import contextlib
import json
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402

CLOCK = "testing: { clock: yes }\n"
MAIL = "From: bo@far.test\r\nTo: anna@example.test\r\nSubject: %s\r\nDate: %s\r\n\r\n%s\r\n"
TODAY = "Fri, 20 Nov 2026 10:00:00 +0000"
OLD = "Mon, 5 Mar 2001 10:00:00 +0000"


@contextlib.contextmanager
def site(extra=CLOCK):
    with Server(extra=extra) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        server.add_user("bert")
        yield server


def deliver(server, user, *subjects, size=10):
    for subject in subjects:
        server.send("bo@far.test", [user + "@example.test"], MAIL % (subject, TODAY, "x" * size))


def append(client, folder, subject, flags="", internal='" 5-Mar-2001 10:00:00 +0000"', date=OLD, size=10):
    equal(client.append(folder, flags, internal, (MAIL % (subject, date, "x" * size)).encode())[0], "OK")


def subjects(client, folder="INBOX"):
    equal(client.select('"%s"' % folder, readonly=True)[0], "OK")
    found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1] if client.search(None, "ALL")[1][0] else []
    return sorted(part[1].decode().split(":", 1)[1].strip() for part in found if isinstance(part, tuple))


def store(client, subject, what, folder="INBOX"):
    client.select(folder)
    number = client.search(None, "SUBJECT", '"%s"' % subject)[1][0]
    equal(client.store(number, "+FLAGS", what)[0], "OK")
    client.unselect()


def rule(server, *words):
    server.cli("rule", "prune", "add", *words)
    return str(max(r["id"] for r in server.json("rule", "prune", "list")))


def found(server, *words):
    return sorted(r["subject"] for r in server.json("rule", "prune", "preview", *words))


def run(server, *words):
    return server.json("rule", "prune", "run", *words)[0]["done"]


def refused(server, *words):
    r = server.cli(*words, ok=False)
    true(r.returncode in (1, 2), "%s: status %d" % (words, r.returncode))
    return r.stderr


def test_scenario_24_prune_and_recover_PRN_01_PRN_04_PRN_08_PRN_10_RCY_01_RCY_02():
    with site() as server:
        anna = server.imap("anna")
        deliver(server, "anna", "old read", "old unread", "old flagged")
        append(anna, "Junk", "junk")
        append(anna, "Archive", "old filed", "\\Seen \\Answered")
        anna.logout()
        server.cli("clock", "advance", "31d")
        rule(server, "folder=Junk", "age=7")
        rule(server, "--user", "anna", "folder=*", "age=30", "read=read", "flagged=unflagged")
        anna = server.imap("anna")
        append(anna, "INBOX", "old Date new arrival", "\\Seen")
        append(anna, "Junk", "new junk", "\\Seen")
        deliver(server, "bert", "of bert")
        store(anna, "old read", "\\Seen")
        store(anna, "old flagged", "(\\Seen \\Flagged)")
        size = server.json("user", "show", "anna")[0]["size"]
        equal(found(server), ["junk", "old filed", "old read"])
        equal(run(server), 3)
        equal(subjects(anna), ["old Date new arrival", "old flagged", "old unread"])
        equal((subjects(anna, "Junk"), subjects(anna, "Archive")), (["new junk"], []))
        true(server.json("user", "show", "anna")[0]["size"] < size, "RCY-02: the bin is in no figure")
        true(not any("bin" in line.decode() for line in anna.list()[1]), "RCY-02: no client sees it")
        store(anna, "old unread", "\\Seen")  # PRN-08: only receipt counts, it was spared for being unread
        equal((found(server), run(server)), (["old unread"], 1))
        anna.logout()
        server.stop()
        server.start()  # RCY-02: it survives
        rows = {r["subject"]: r for r in server.json("message", "bin", "anna")}
        equal(sorted(rows), ["junk", "old filed", "old read", "old unread"])
        server.cli("message", "restore", "anna", rows["old filed"]["id"], rows["junk"]["id"])
        anna = server.imap("anna")
        equal((subjects(anna, "Archive"), subjects(anna, "Junk")), (["old filed"], ["junk", "new junk"]))
        anna.select("Archive", readonly=True)
        flags = anna.fetch("1", "FLAGS")[1][0].decode()
        true("\\Seen" in flags and "\\Answered" in flags, flags)
        equal(run(server), 0)  # what came back is young again
        anna.logout()
        server.stop()
        equal(server.check()[0], 0)


def test_a_rule_of_each_set_PRN_01():
    with site() as server:
        for user in ("anna", "bert"):
            deliver(server, user, "small", "large", size=10)
        deliver(server, "anna", "huge", size=60000)
        deliver(server, "bert", "huge", size=60000)
        rule(server, "age=0", "size=50kB")
        rule(server, "--user", "bert", "age=0", "size=1k", "read=read")
        bert = rule(server, "--user", "bert", "age=0", "flagged=flagged")
        b = server.imap("bert")
        store(b, "small", "\\Flagged")
        rows = server.json("rule", "prune", "preview")
        equal([(r["user"], r["folder"], r["subject"]) for r in rows],
              [("anna", "INBOX", "huge"), ("bert", "INBOX", "small"), ("bert", "INBOX", "huge")])
        equal(rows[1]["rule"], int(bert))
        equal(rows[1]["from"], "bo@far.test")
        equal(run(server, "--user", "anna"), 1)
        equal(found(server), ["huge", "small"])
        equal(found(server, "--user", "bert"), ["huge", "small"])
        equal(run(server), 2)
        equal(subjects(b), ["large"])
        b.logout()


def test_defaults_and_refusals_PRN_02_PRN_03_PRN_05():
    with site() as server:
        deliver(server, "anna", "one")
        server.cli("rule", "prune", "add", "age=0", "--dry-run")  # before Submit nothing is deleted
        equal((server.json("rule", "prune", "list"), run(server), len(server.fetch("anna"))), ([], 0, 1))
        number = rule(server, "size=0")
        shown = server.json("rule", "prune", "show", number)[0]
        equal({k: shown[k] for k in ("user", "folder", "age", "size", "read", "flagged", "deleted", "spam")},
              {"user": None, "folder": "INBOX", "age": 365, "size": 0, "read": "any", "flagged": "any",
               "deleted": False, "spam": False})
        true("already" in refused(server, "rule", "prune", "add", "folder=inbox"), "a twin")
        for words in ("read=maybe", "age=x", "age=-1", "age=99999", "size=huge", "user=anna", "folder=", "deleted=perhaps"):
            refused(server, "rule", "prune", "add", words)
        true("user" in refused(server, "rule", "prune", "add", "--user", "nobody", "age=1"), "no such user")
        refused(server, "rule", "prune", "set", "999", "age=1")
        refused(server, "rule", "prune", "remove", "999")
        server.cli("rule", "prune", "set", number, "age=30d", "size=50kB", "folder=Junk")
        shown = server.json("rule", "prune", "show", number)[0]
        equal((shown["age"], shown["size"], shown["folder"]), (30, 50 * 1024, "Junk"))
        server.cli("undo")
        equal(server.json("rule", "prune", "show", number)[0]["age"], 365)
        server.cli("rule", "prune", "remove", number)
        equal(server.json("rule", "prune", "list"), [])
        server.cli("undo")
        equal([str(r["id"]) for r in server.json("rule", "prune", "list")], [number])
        rule(server, "folder=Junk", "age=1")
        rule(server, "--user", "anna", "folder=Junk", "age=2")
        equal([r["user"] for r in server.json("rule", "prune", "list", "--user", "anna")], ["anna"])
        server.cli("rule", "prune", "remove", "--filter", "folder:Junk", "--yes")
        equal([str(r["id"]) for r in server.json("rule", "prune", "list")], [number])


def test_a_star_alone_is_every_folder_PRN_03():
    with site() as server:
        anna = server.imap("anna")
        for folder in ("INBOX/Lists", "Inbox2"):
            equal(anna.create(folder)[0], "OK")
        for folder in ("INBOX", "INBOX/Lists", "Inbox2", "Junk"):
            append(anna, folder, "in " + folder)
        number = rule(server, "folder=Inbox/*", "age=0")
        equal(found(server), [])
        server.cli("rule", "prune", "set", number, "folder=Inbox*")
        equal(found(server), [])
        server.cli("rule", "prune", "set", number, "folder=inbox")
        equal(found(server), ["in INBOX"])
        server.cli("rule", "prune", "set", number, "folder=*")
        equal(found(server), ["in INBOX", "in INBOX/Lists", "in Inbox2", "in Junk"])
        anna.logout()


def test_a_message_dated_2001_that_came_today_stays_PRN_04():
    with site() as server:
        path = os.path.join(server.dir, "old.eml")
        with open(path, "w", newline="") as f:
            f.write(MAIL % ("imported", OLD, "x"))
        server.cli("message", "import", "anna", path)
        anna = server.imap("anna")
        append(anna, "INBOX", "appended")
        rule(server, "folder=*", "age=365")
        equal(run(server), 0)
        server.cli("clock", "advance", "364d")
        anna = server.imap("anna")
        anna.select("INBOX")
        equal(anna.uid("MOVE", "1", "Archive")[0], "OK")  # neither a move nor a flag nor a copy makes it younger
        equal(anna.uid("COPY", "2", "Sent")[0], "OK")
        equal(anna.store("1", "+FLAGS", "\\Flagged")[0], "OK")
        anna.logout()
        equal(run(server), 0)
        server.cli("clock", "advance", "25h")
        run(server)  # or a round that was due by then: either has them in the bin
        wait_for(lambda: sorted(r["subject"] for r in server.json("message", "bin", "anna")) ==
                 ["appended", "appended", "imported"], "a year after they came")


def test_six_combinations_on_a_prepared_box_PRN_06():
    with site() as server:
        anna = server.imap("anna")
        for subject, flags in (("neither", ""), ("read", "\\Seen"), ("flagged", "\\Flagged"), ("both", "\\Seen \\Flagged")):
            append(anna, "INBOX", subject, flags)
        number = rule(server, "age=0")
        for read, flagged, want in (("any", "any", ["both", "flagged", "neither", "read"]),
                                    ("read", "any", ["both", "read"]), ("unread", "any", ["flagged", "neither"]),
                                    ("any", "flagged", ["both", "flagged"]), ("any", "unflagged", ["neither", "read"]),
                                    ("read", "unflagged", ["read"]), ("unread", "flagged", ["flagged"]),
                                    ("unread", "unflagged", ["neither"]), ("read", "flagged", ["both"])):
            server.cli("rule", "prune", "set", number, "read=" + read, "flagged=" + flagged)
            equal(found(server), want, "%s %s" % (read, flagged))
        anna.logout()


def test_deleted_and_spam_are_conditions_when_ticked_PRN_07():
    with site() as server:
        anna = server.imap("anna")
        for subject, flags in (("plain", ""), ("deleted", "\\Deleted"), ("junk", "$Junk"), ("old junk", "Junk"),
                               ("no junk", "$NotJunk"), ("judged again", "$Junk $NotJunk")):
            append(anna, "INBOX", subject, flags)
        number = rule(server, "age=0", "deleted=yes")
        equal(found(server), ["deleted"])
        server.cli("rule", "prune", "set", number, "deleted=no", "spam=yes")
        equal(found(server), ["junk", "old junk"])
        server.cli("rule", "prune", "set", number, "spam=no")
        equal(len(found(server)), 6)
        anna.logout()


def minutes(server):
    """How long from one round to the next, and how far off the next is, in minutes."""
    s = server.json("rule", "prune", "status")[0]
    return s["every"] // 60, s["last_count"]


def test_at_its_own_pace_over_a_restart_PRN_09():
    with site() as server:
        equal(server.json("rule", "prune", "status")[0]["next"], None)
        deliver(server, "anna", *["mail %d" % n for n in range(3)])
        rule(server, "age=0", "read=read")
        equal(minutes(server)[0], 60)
        anna = server.imap("anna")
        store(anna, "mail 1", "\\Seen")
        anna.logout()
        server.cli("clock", "advance", "4m")
        equal(len(server.fetch("anna")), 3)  # a new rule acts within minutes, not at once
        server.cli("clock", "advance", "2m")
        wait_for(lambda: server.json("rule", "prune", "status")[0]["last_count"] == 1, "the first round")
        wait_for(lambda: len(server.json("message", "bin", "anna")) == 1, "it is in the bin")
        equal(minutes(server), (60, 1))
        server.cli("clock", "advance", "61m")
        wait_for(lambda: minutes(server) == (120, 0), "nothing found: twice as long")
        server.cli("clock", "advance", "121m")
        wait_for(lambda: minutes(server) == (240, 0), "and again")
        server.stop()
        server.start()
        equal(minutes(server), (240, 0))
        for step in ("5h", "9h", "17h", "25h", "25h"):
            before = server.json("rule", "prune", "status")[0]["last"]
            server.cli("clock", "advance", step)
            wait_for(lambda: server.json("rule", "prune", "status")[0]["last"] != before, "a round")
        equal(minutes(server), (24 * 60, 0))
        with server.smtp() as c:
            for n in range(120):
                c.sendmail("bo@far.test", ["anna@example.test"], MAIL % ("more %d" % n, TODAY, "x"))
        rule(server, "age=0", "read=unread")
        server.cli("clock", "advance", "6m")
        wait_for(lambda: minutes(server) == (30, 122), "much found: half as long")
        equal(server.fetch("anna"), [])


def test_sessions_see_it_as_any_expunge_PRN_10():
    with site() as server:
        deliver(server, "anna", "one", "two", "three")
        rule(server, "age=0", "flagged=flagged")
        pop = server.pop("anna")
        equal(pop.stat()[0], 3)
        anna = server.imap("anna")
        store(anna, "two", "\\Flagged")
        other, idle = server.imap("anna"), server.imap("anna")
        other.enable("QRESYNC")
        for c in (other, idle):
            c.select("INBOX")
        idle.send(b"X1 IDLE\r\n")
        true(idle.readline().startswith(b"+"), "idling")
        equal(run(server), 1)
        idle.sock.settimeout(60)
        line = idle.readline()
        while b"EXPUNGE" not in line:
            line = idle.readline()
        equal(line.strip(), b"* 2 EXPUNGE")
        idle.send(b"DONE\r\n")
        other.noop()
        true(other.response("VANISHED")[1][0] is not None, "VANISHED")
        true(b"Subject: two" in b"\n".join(pop.retr(2)[1]), "POP3 keeps its view")
        pop.quit()
        equal(subjects(other), ["one", "three"])


def test_what_is_held_stays_PRN_10():
    with site() as server:
        deliver(server, "anna", "held", "free")
        server.cli("message", "hold", "anna", 1)
        rule(server, "age=0")
        equal((found(server), run(server)), (["free"], 1))
        server.cli("message", "release", "anna", 1)
        equal(found(server), ["held"])


def test_a_pending_forward_ends_as_when_its_user_deletes_PRN_10():
    with site() as server:
        server.cli("user", "set", "anna", "store_forward_address=anna@far.test",
                   "store_forward_server=127.0.0.1:%d" % free_ports(1)[0])  # where nobody answers
        deliver(server, "anna", "waits")
        wait_for(lambda: len(server.json("queue", "list")) == 1, "the pair waits")
        rule(server, "age=0")
        equal(run(server), 1)
        wait_for(lambda: server.json("queue", "list") == [], "what is not there any more is not forwarded")


def test_killed_in_the_middle_nothing_is_lost_PRN_10():
    many = 30000
    with Server(extra=CLOCK) as server:
        server.add_user("postmaster", "--admin")
        server.stop()
        subprocess.run([os.path.join(BUILD, "bench", "fill"), server.store, "0", "1", str(many)], check=True, timeout=60)
        server.start()
        rule(server, "age=0")
        for wait in (0.02, 0.05, 0.1):
            asking = subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, "rule", "prune", "run"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            server.kill()
            asking.wait(timeout=30)
            equal(server.check()[0], 0, "the store is whole")
            server.start()
            held = [r["messages"] for r in server.json("message", "bins")]
            left = server.json("user", "show", "person00000")[0]["messages"]
            equal(sum(held) + left, many, "each message is in one place")
        run(server)
        equal([r["messages"] for r in server.json("message", "bins")], [many])


def test_rules_go_with_their_user_PRN_01():
    with site("users: { bin_keep: 1d }\n" + CLOCK) as server:
        rule(server, "--user", "anna", "age=0")
        rule(server, "age=10")
        server.cli("user", "remove", "anna", "--yes")
        deliver(server, "bert", "one")
        equal(run(server), 0)
        gone = next(r["id"] for r in server.json("undo", "list") if r["what"] == "user.remove")
        server.cli("undo", gone)  # he is back, with his rules
        equal([r["user"] for r in server.json("rule", "prune", "list")], [None, "anna"])
        server.cli("user", "remove", "anna", "--yes")
        server.cli("clock", "advance", "3d")
        wait_for(lambda: [r["user"] for r in server.json("rule", "prune", "list")] == [None], "his rules went with him")


def test_preview_and_apply_of_a_run_PRN_09():
    with site() as server:
        anna = server.imap("anna")
        for n in range(3):
            append(anna, "INBOX", "mail %d" % n)
        append(anna, "Junk", "junk")
        deliver(server, "bert", "of bert")
        rule(server, "folder=*", "age=0")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(server.socket)
            lines = s.makefile("rw", encoding="utf-8", newline="\n")

            def ask(call, **params):
                lines.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": call, "params": params}) + "\n")
                lines.flush()
                while True:
                    answer = json.loads(lines.readline())
                    if answer.get("id") == 1 and "method" not in answer:
                        return answer["result"]

            told = ask("preview", method="rule.prune.run", params={})
            true("5 messages of 2 mailboxes" in told["effects"][0], told)
            equal([e.split(",")[0] for e in told["effects"][1:]],
                  ["anna INBOX: 3 messages", "anna Junk: 1 message", "bert INBOX: 1 message"])
            true(told["bytes"] > 400, told)
            equal(found(server), ["junk", "mail 0", "mail 1", "mail 2", "of bert"])  # nothing was done
            equal(ask("apply", token=told["token"])["done"], 5)
            opened = ask("list.open", method="message.bins", params={})
            page = ask("list.page", cursor=opened["cursor"], n=10)
            equal([row["key"] for row in page["rows"]], ["anna", "bert"])
        equal(found(server), [])
        (change,) = [c for c in server.json("undo", "list") if c["what"] == "rule.prune.run"]
        equal((change["who"] != "", change["state"]), (True, "cannot"))  # the bin has them
        anna.logout()


def test_day_29_and_day_31_for_each_way_out_RCY_01():
    with site() as server:
        deliver(server, "anna", "by IMAP", "by POP3", "by an administrator", "by a rule", "stays")
        anna = server.imap("anna")
        store(anna, "by a rule", "\\Flagged")
        anna.select("INBOX")
        anna.store("1", "+FLAGS", "\\Deleted")
        anna.expunge()
        anna.logout()
        pop = server.pop("anna")
        pop.dele(1)
        pop.quit()
        server.cli("message", "remove", "anna", 3, "--yes")
        rule(server, "age=0", "flagged=flagged")
        equal(run(server), 1)
        ways = ["by IMAP", "by POP3", "by a rule", "by an administrator"]
        rows = server.json("message", "bin", "anna")
        equal(sorted(r["subject"] for r in rows), ways)
        (bins,) = server.json("message", "bins")
        equal((bins["user"], bins["messages"], bins["oldest"]), ("anna", 4, rows[0]["removed"]))
        server.cli("clock", "advance", "29d")
        time.sleep(0.3)  # the sweep has had its turn
        equal(sorted(r["subject"] for r in server.json("message", "bin", "anna")), ways)
        first = [r["id"] for r in server.json("message", "bin", "anna") if r["subject"] in ways[:2]]
        server.cli("message", "restore", "anna", *first)  # day 29, two at once
        anna = server.imap("anna")
        equal(subjects(anna), ["by IMAP", "by POP3", "stays"])
        anna.logout()
        server.cli("clock", "advance", "2d")
        wait_for(lambda: server.json("message", "bin", "anna") == [], "day 31")
        equal(server.json("message", "bins"), [])
        refused(server, "message", "restore", "anna", "3")


def test_quota_figure_is_unchanged_by_the_bin_RCY_02():
    with Server(extra=CLOCK) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna", "--quota", "1")
        deliver(server, "anna", "one", size=1000)
        anna = server.imap("anna")
        used = anna.getquotaroot("INBOX")[1]
        shown = server.json("user", "show", "anna")[0]
        for n in range(5):
            deliver(server, "anna", "more", size=20000)
        rule(server, "age=0", "size=15k")
        equal(run(server), 5)
        equal(anna.getquotaroot("INBOX")[1], used)
        now = server.json("user", "show", "anna")[0]
        equal((now["size"], now["messages"]), (shown["size"], shown["messages"]))
        server.stop()
        server.start()
        anna = server.imap("anna")
        equal((anna.getquotaroot("INBOX")[1], len(server.json("message", "bin", "anna"))), (used, 5))
        equal(server.json("status")[0]["mailboxes"]["messages"], 1)
        anna.logout()


def test_what_is_permanent_goes_past_the_bin_RCY_03():
    with site() as server:
        deliver(server, "anna", "one", "two")
        server.cli("message", "purge", "anna", 1, "--folder", "INBOX", "--yes")
        equal(server.json("message", "bin", "anna"), [])
        server.cli("message", "remove", "anna", 2, "--yes")
        (row,) = server.json("message", "bin", "anna")
        server.cli("message", "purge", "anna", row["id"], "--yes")
        equal((server.json("message", "bin", "anna"), server.json("message", "bins")), ([], []))


def test_the_bin_can_be_off_RCY_01():
    with site("users: { bin_keep: 0 }\n" + CLOCK) as server:
        deliver(server, "anna", "one")
        rule(server, "age=0")
        equal(run(server), 1)
        server.cli("clock", "advance", "2h")
        wait_for(lambda: server.json("message", "bin", "anna") == [], "nothing is kept")


if __name__ == "__main__":
    sys.exit(tap([test for name, test in list(globals().items()) if name.startswith("test_")]))
