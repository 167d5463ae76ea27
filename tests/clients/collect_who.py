#!/usr/bin/env python3
"""collect_who.py - for whom collected mail is, collected from a real POP3 session: scenarios 5 and 6, and letters: TAP."""
import itertools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from pop3_server import PASSWORD as SECRET, Pop3Server  # noqa: E402
from postroom import Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

CHEAP = "auth: { hash_memory: 8MB, hash_passes: 1 }\ntesting: { clock: yes }\n"
USERS = ("postmaster", "anna", "bert", "carl", "louise", "tim", "joe", "sarah", "fred")


def mail(*fields, body="Hello"):
    """With a Message-Id of its own, unless it says one."""
    fields = list(fields)
    for name, value in (("From", "bo@far.test"), ("Date", "Sun, 22 Nov 2026 10:00:00 +0100"), ("Subject", "x")):
        if not any(f.lower().startswith(name.lower() + ":") for f in fields):
            fields.append("%s: %s" % (name, value))
    return ("\r\n".join(fields) + "\r\n\r\n" + body + "\r\n").encode()


def collector(name, pop3, keys):
    return ("    - { name: %s, server: 127.0.0.1, port: %d, tls: none, username: box, password: %s, timeout: 5s, %s }\n"
            % (name, pop3.port if pop3 else 1, SECRET, keys))


def site(pop3, collectors, extra=""):
    text = CHEAP + "collecting:\n%s  collectors:\n" % extra
    return Server(extra=text + "".join(collector(name, pop3, keys) for name, keys in collectors.items()))


def add_users(s):
    for name in USERS:
        s.add_user(name, *(["--admin"] if name == "postmaster" else []))


UNIQUE = itertools.count(1)


def put(pop3, *texts):
    """Each with an id of its own: a provider gives none a second time."""
    for text in texts:
        pop3.boxes["box"].add(text, b"id-%d" % next(UNIQUE))


def collect(s, name):
    return s.json("collect", "now", name, "--wait", ok=False)


def counts(s, users=USERS):
    """How many each has now; those with none are left out."""
    rows = {row["name"]: row["inbox"] for row in s.json("user", "list")}
    return {name: rows[name] for name in users if rows.get(name)}


def take(s):
    """What each has got since the last time; it is gone then."""
    got = {}
    for name in counts(s):
        p = s.pop(name)
        got[name] = [b"\r\n".join(p.retr(n + 1)[1]) + b"\r\n" for n in range(p.stat()[0])]
        for n in range(len(got[name])):
            p.dele(n + 1)
        p.quit()
    return got


def subject(text):
    for line in text.split(b"\r\n"):
        if line.lower().startswith(b"subject:"):
            return line[8:].strip().decode()
    return ""


def who(s, pop3, name, *texts):
    """Who gets these, by a collection."""
    put(pop3, *texts)
    collect(s, name)
    equal(pop3.left("box"), [], "left on the server")
    return {user: len(found) for user, found in take(s).items()}


def test_one_mailbox_many_users_scenario_5(s):
    """Received chains, X-Envelope-To and plain To; each gets one copy; junk goes to the administrator."""
    forwarded = ("Received: from smtpmail.megaisp.test by\r\n\tmail.megaisp.test with SMTP id GTP39231\r\n"
                 "\tfor <bibble@megaisp.test>; Tue, 13 Jan\r\n\t1998 09:20:03 +0000",
                 "Received: from sender.isp.test by\r\n\tsmtpmail.megaisp.test with SMTP id\r\n"
                 "\tLPS23652 for <sarah@bibble-gadgets.test>;\r\n\tTue, 13 Jan 1998 09:15:44 +0000")
    with Pop3Server({"box": []}) as pop3:
        keys = "accepted: [\"example.test; bibble-gadgets.test,bibble@megaisp.test\"], special_headers: [X-Envelope-To]"
        with site(pop3, {"box": keys}) as s:
            add_users(s)
            ask = lambda *texts: who(s, pop3, "box", *texts)  # noqa: E731
            # INM-10, INM-11: each header alone is enough
            equal(ask(mail("To: anna@example.test")), {"anna": 1})
            equal(ask(mail("Cc: Anna <anna@example.test>, x@far.test")), {"anna": 1})
            equal(ask(mail("X-Envelope-To: <bert@example.test>", "To: anna@example.test")), {"bert": 1})
            equal(ask(mail("Received: by mx for <carl@example.test>; Sun, 22 Nov 2026 10:00:00 +0100", "To: list@far.test")),
                  {"carl": 1})
            equal(ask(mail("Resent-To: anna@example.test")), {"anna": 1})
            # INM-22, without and with To
            equal(ask(mail(*forwarded)), {"sarah": 1})
            equal(ask(mail(*forwarded, "To: sarah@bibble-gadgets.test")), {"sarah": 1})
            # INM-08: ours and theirs; nothing is queued outward
            equal(ask(mail("To: anna@example.test, bert@example.test, x@far.test", "Bcc: carl@example.test")),
                  {"anna": 1, "bert": 1})
            equal(s.json("queue", "list"), [])
            # ADM-02, LOC-04: junk, and somebody unknown beside one who is known
            equal(ask(mail("To: x@far.test, y@far.test")), {"postmaster": 1})
            equal(ask(mail("To: nobody@example.test, anna@example.test")), {"anna": 1, "postmaster": 1})
            # H88: the trace says which field named whom
            steps = s.cli("trace", s.json("trace", "--to", "anna@example.test")[0]["id"]).stdout
            true("anna@example.test is a recipient, by the field To" in steps, steps)
            # the same message by `explain` and by `collect test`, from a file
            path = os.path.join(s.dir, "m.eml")
            with open(path, "wb") as f:
                f.write(b"From anna Sat\r\n" + mail("To: anna@example.test, x@far.test"))
            told = s.json("explain", "--via", "pop3", "--collect", "box", "--message", path)[0]
            equal(([c["target"] for c in told["copies"]], told["asked"]["from"], told["asked"]["to"]),
                  (["anna"], "bo@far.test", ["anna@example.test"]))
            true(any("x@far.test in To is none of the accepted domains" in line for line in told["steps"]), told["steps"])
            rows = s.json("collect", "test", "box", "--message", path)
            equal([r["result"] for r in rows if r["step"] in ("recipient", "goes to")], ["anna@example.test", "anna"])
            r = s.cli("explain", "--via", "pop3", "--message", path, ok=False)
            true(r.returncode != 0 and "--collect NAME" in r.stderr, r.stderr)
            r = s.cli("explain", "--via", "smtp", "--to", "anna@example.test", ok=False)
            true(r.returncode != 0 and "--from" in r.stderr, r.stderr)


def test_single_address_and_marker_scenario_6_inm_19_inm_20(s):
    forms = (("<joe@hotmail.test(louise)>", "louise"), ("(tim) <joe@hotmail.test>", "tim"), ("(louise) joe@hotmail.test", "louise"),
             ("<joe@hotmail.test> \"tim\"", "tim"), ("'louise' <joe@hotmail.test>", "louise"), ("tim <joe@hotmail.test>", "tim"),
             ("<joe@hotmail.test>", "joe"), ("joe@hotmail.test", "joe"))
    with Pop3Server({"box": []}) as pop3:
        with site(pop3, {"one": "accepted: [joe@hotmail.test], route: single",
                         "mark": "accepted: [example.test], route: subject",
                         "for": "accepted: [example.test], route: subject, marker: \"(for*)\""}) as s:
            add_users(s)
            for form, name in forms:
                equal(who(s, pop3, "one", mail("To: " + form)), {name: 1}, form)
            s.cli("user", "remove", "sarah", "--yes")
            equal(who(s, pop3, "one", mail("To: tim <joe@hotmail.test(sarah)>")), {"tim": 1})
            equal(who(s, pop3, "mark", mail("Subject: hello {fred}")), {"fred": 1})
            equal(who(s, pop3, "mark", mail("Subject: hello {nobody}", "To: anna@example.test")), {"postmaster": 1})
            equal(who(s, pop3, "mark", mail("Subject: hello", "To: anna@example.test")), {"postmaster": 1})
            equal(who(s, pop3, "for", mail("Subject: (for fred) hello")), {"fred": 1})


def test_five_routes_inm_09_lan_07_inm_28_loc_03_loc_04(s):
    fixed = mail("To: \"carl\" <fred@isp.test>", "Subject: for {bert}")
    with Pop3Server({"box": []}) as pop3, SmtpSink() as sink:
        ours = "accepted: [example.test, fred@isp.test]"
        with site(pop3, {"recipient": ours, "all": ours + ", route: all, target: team",
                         "lan": "route: lan, target: box@branch.test, target_server: \"127.0.0.1:%d\"" % sink.port,
                         "single": ours + ", route: single", "subject": ours + ", route: subject",
                         "mapped": ours + ", default_mappings: no", "none": "accepted: []"}) as s:
            add_users(s)
            s.cli("maillist", "add", "team", "--kind", "distribution", "--member", "anna", "--member", "bert")
            s.cli("mapping", "add", "fred@isp.test", "anna")
            equal(who(s, pop3, "recipient", fixed), {"anna": 1})
            equal(who(s, pop3, "all", fixed), {"anna": 1, "bert": 1})
            equal(who(s, pop3, "single", fixed), {"carl": 1})
            equal(who(s, pop3, "subject", fixed), {"bert": 1})
            equal(who(s, pop3, "lan", fixed), {})
            wait_for(lambda: len(sink.mails) == 1, "the LAN server has it")
            equal((sink.mails[0].recipients, b"Subject: for {bert}" in sink.mails[0].data), (["box@branch.test"], True))
            # INM-17: only mapped names
            equal(who(s, pop3, "mapped", mail("To: bert@example.test")), {"postmaster": 1})
            equal(who(s, pop3, "mapped", mail("To: fred@isp.test")), {"anna": 1})
            # INM-07: nothing is accepted; what comes by SMTP is another matter (INM-28)
            put(pop3, mail("To: anna@example.test", "Subject: lost"))
            collect(s, "none")
            letter = take(s)["postmaster"][0]
            equal(subject(letter), "There was incoming mail with no recipients")
            for words in (b"none", b"bo@far.test", b"Subject: lost", b"accepted domains"):
                true(words in letter, (words, letter))
            s.send("bo@far.test", ["anna@example.test"], "Subject: by smtp\r\n\r\nx\r\n")
            equal({u: len(m) for u, m in take(s).items()}, {"anna": 1})


def test_mappings_map_08_map_11_map_17(s):
    with Pop3Server({"box": []}) as pop3:
        with site(pop3, {"one": "accepted: [example.test, list@elsewhere.test]", "two": "accepted: [example.test]"}) as s:
            add_users(s)
            s.cli("mapping", "add", "shop", "carl", "--when", "pop3", "--collect", "one")
            s.cli("mapping", "add", "list@elsewhere.test", "anna", "--when", "pop3")
            s.cli("mapping", "add", "list@elsewhere.test", "bert", "--when", "pop3")
            s.cli("mapping", "add", "karen", "*REMOTE")
            equal(who(s, pop3, "one", mail("To: shop@example.test")), {"carl": 1})
            equal(who(s, pop3, "two", mail("To: shop@example.test")), {"postmaster": 1})
            equal(who(s, pop3, "one", mail("To: list@elsewhere.test")), {"anna": 1, "bert": 1})
            equal(who(s, pop3, "one", mail("To: anna@example.test", "Cc: karen@example.test")), {"anna": 1})
            equal(s.json("queue", "list"), [])


def test_two_offices_map_18_adm_05(s):
    """Main office maps who is absent to *REMOTE; the other takes unknown names for somebody's there."""
    shared = mail("To: anna@example.test, paul@example.test")
    with Pop3Server({"box": [shared, shared]}) as pop3:
        with site(pop3, {"box": "accepted: [example.test], leave: always"}) as main:
            main.add_user("postmaster", "--admin")
            main.add_user("anna")
            main.cli("mapping", "add", "paul", "*REMOTE")
            collect(main, "box")
            equal(counts(main), {"anna": 2})
        with site(pop3, {"box": "accepted: [example.test]"}, "  unknown: { do: remote }\n") as branch:
            branch.add_user("postmaster", "--admin")
            branch.add_user("paul")
            collect(branch, "box")
            equal(counts(branch, ["postmaster", "paul"]), {"paul": 2})
        equal(pop3.left("box"), [])


def test_five_for_unknown_adm_02_adm_03_adm_04_adm_05(s):
    with Pop3Server({"box": []}) as pop3:
        for unknown, want, first in (
                ("do: error", {"anna": 1, "postmaster": 1}, "There was incoming mail for somebody unknown"),
                ("do: mail", {"anna": 1, "postmaster": 1}, "x"),
                ("do: error, to: bert", {"anna": 1, "bert": 1}, "There was incoming mail for somebody unknown"),
                ("do: mail, to: bert, bounce: yes", {"anna": 1, "bert": 1}, "x"),
                ("do: remote, bounce: yes", {"anna": 1}, None)):
            with site(pop3, {"box": "accepted: [example.test]"}, "  unknown: { %s }\n" % unknown) as s:
                add_users(s)
                put(pop3, mail("To: nobody@example.test, anna@example.test"))
                collect(s, "box")
                got = take(s)
                equal({u: len(m) for u, m in got.items()}, want, unknown)
                if first:
                    equal(subject(got["bert" if "bert" in got else "postmaster"][0]), first, unknown)
                # ADM-03: a report, never with remote
                equal(len(s.json("queue", "list")), int(unknown.startswith("do: mail, to")), unknown)


def test_text_and_time_inm_16_inm_24(s):
    then = "Tue, 13 Jan 1998 09:20:03 +0000"
    text = mail("Received: by mx.isp.test for <anna@example.test>;\r\n\t" + then, "To: anna@example.test")
    with Pop3Server({"box": []}) as pop3:
        with site(pop3, {"now": "accepted: [example.test]",
                         "then": "accepted: [example.test], keep_received: yes, ignore_from_line: no"}) as s:
            add_users(s)
            put(pop3, b"From anna Sat Jan  3 01:05:34 1998\r\n" + text)
            collect(s, "now")
            stored = take(s)["anna"][0]
            true(b"From anna Sat" not in stored and text in stored, stored)
            ours = stored[stored.index(b"Received:"):stored.index(b"\r\nReceived: by mx.isp.test")].decode()
            true("1998" not in ours, ours)
            put(pop3, b"From anna Sat Jan  3 01:05:34 1998\r\n" + text)
            collect(s, "then")
            stored = take(s)["anna"][0]
            true(b"From anna Sat" in stored, stored)
            true("13 Jan 1998 09:20:03" in stored[stored.index(b"Received:"):].decode().split("Received: by mx")[0], stored)


def test_doubles_inm_21(s):
    one = mail("To: anna@example.test", "Message-Id: <1@far.test>")
    two = mail("To: anna@example.test", "Message-Id: <2@far.test>")
    with Pop3Server({"box": []}) as pop3:
        keys = {"on": "accepted: [example.test], duplicates: yes", "off": "accepted: [example.test]"}
        with site(pop3, keys) as s:
            add_users(s)
            equal(who(s, pop3, "on", one, b"Received: by a; d\r\n" + one, two), {"anna": 2})
            equal(who(s, pop3, "on", one), {"anna": 1})  # another session
            equal(who(s, pop3, "off", one, one), {"anna": 2})
            s.cli("config", "set", "collecting.ignore_message_id", "yes")
            equal(who(s, pop3, "on", one, two), {"anna": 1})


# ---- letters ----

def letters(s, want):
    """WANT letters have come; they are taken away."""
    wait_for(lambda: counts(s, ["postmaster"]).get("postmaster", 0) >= want, "%d letters" % want)
    time.sleep(0.2)
    return take(s).get("postmaster", [])


def test_letters_trb_01_trb_02_trb_04_trb_08_inm_30_con_15(s):
    with Pop3Server({"box": [mail("To: anna@example.test")]}) as pop3:
        with site(pop3, {"isp": "accepted: [example.test]", "far": "accepted: [example.test]",
                         "env": "accepted: [example.test], demon_env: yes"}) as s:
            s.away_from_midnight()
            s.add_user("postmaster", "--admin")
            s.add_user("anna")
            s.cli("collect", "set", "far", "port=1")
            # TRB-01: wrong port: name, number and reason
            collect(s, "far")
            told = letters(s, 1)
            equal((len(told), subject(told[0])), (1, "Postroom - POP3 Client connection problem"))
            for words in (b"far (2)", b"Connection refused", b"firewall refuses them"):
                true(words in told[0], (words, told[0]))
            collect(s, "far")  # TRB-04: equal ones once
            # TRB-02, INM-30: another one has the mailbox; the next session is fine
            pop3.locked = 1
            collect(s, "isp")
            told = letters(s, 1)
            equal((len(told), subject(told[0])), (1, "Postroom - POP3 Client Problem"))
            for words in (b"isp (1)", b"maildrop already locked", b"The last command sent was: \"PASS", b"next time"):
                true(words in told[0], (words, told[0]))
            true(SECRET.encode() not in told[0], told[0])
            equal(collect(s, "isp")[0]["errors"], [])
            equal(counts(s), {"anna": 1})
            # TRB-08: *ENV is not known there
            put(pop3, mail("To: anna@example.test"))
            collect(s, "env")
            told = letters(s, 1)
            equal(subject(told[0]), "Postroom - POP3 Client Problem")
            for words in (b"*ENV 1", b"demon_env"):
                true(words in told[0], (words, told[0]))
            # CON-15: off, an unreachable server gives no mail, a cut in mid-session does
            s.cli("config", "set", "errors.connection", "no")
            s.cli("collect", "set", "far", "server=127.0.0.2")
            collect(s, "far")
            pop3.answers = {"STAT": lambda session, line: session.sock.shutdown(2), "LIST": lambda session, line: session.sock.shutdown(2)}
            collect(s, "isp")
            told = letters(s, 1)
            equal((len(told), subject(told[0])), (1, "Postroom - POP3 Client Problem"))


def test_neither_uidl_nor_top_inm_05(s):
    with Pop3Server({"box": [mail("To: anna@example.test")]}, uidl=False, top=False) as pop3:
        with site(pop3, {"isp": "accepted: [example.test], leave_days: 2"}) as s:
            s.add_user("postmaster", "--admin")
            s.add_user("anna")
            collect(s, "isp")
            told = [m for m in letters(s, 1) if subject(m) == "Postroom - POP3 Client Problem"]
            equal(len(told), 1)
            true(b"neither UIDL" in told[0] and b"TOP" in told[0], told[0])


TESTS = [f for name, f in sorted(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS, {}))
