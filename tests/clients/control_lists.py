#!/usr/bin/env python3
"""Groups, lists and mappings by the command line against a real server: LST, GRP, MAP-14 to 16, Q-04."""
import json
import json
import os
import poplib
import smtplib
import ssl
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control_server import Count, Link, Server  # noqa: E402

PASSWORD = "Canary-7f3a pass"


def tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def add_user(s, name, *options):
    return s.run("user", "add", name, *options, "--password-stdin", stdin=PASSWORD + "\n")


def test_setup(c, s):
    for name in ("postmaster", "anna", "bert", "cleo"):
        st, out, err = add_user(s, name, *(["--admin"] if name == "postmaster" else []))
        c.check("user %s" % name, st == 0, (out, err))


def test_group_removal(c, s):
    s.run("group", "add", "crew", "anna", "bert")
    for address, target in (("office", "crew"), ("shop@example.test", "crew@example.test"),
                            ("far", "crew@example.net"), ("other", "crewman")):
        s.run("mapping", "add", address, target)
    st, out, err = s.run("group", "remove", "crew", "--dry-run")
    c.check("Q-04 the preview lists what points at it", st == 0 and "would remove mapping office -> crew" in out
            and "would remove mapping shop@example.test -> crew@example.test" in out, (st, out, err))
    c.check("Q-04 and nothing else", "far" not in out and "crewman" not in out, out)
    st, out, err = s.run("group", "remove", "crew", "--dry-run", "--keep-references")
    c.check("Q-04 what stays is told", "mapping office -> crew would lead to nobody" in out, (st, out, err))
    c.check("a preview changes nothing", len(s.json("mapping", "list")) == 4 and len(s.json("group", "list")) == 1)
    st, out, err = s.run("group", "remove", "crew")
    left = sorted(r["address"] for r in s.json("mapping", "list"))
    c.check("Q-04 mappings go along", st == 0 and left == ["far", "other"], (st, out, err, left))
    c.check("Q-04 and the answer says so", "with 2 mappings" in out, out)
    c.check("GRP-09 members belong to no group", s.json("user", "show", "anna")[0]["group"] == "")
    st, out, err = s.run("undo")
    c.check("one undo brings all of it back", len(s.json("mapping", "list")) == 4
            and s.json("user", "show", "anna")[0]["group"] == "crew", (st, out, err))
    st, out, err = s.run("group", "remove", "crew", "--keep-references")
    c.check("--keep-references leaves them", st == 0 and len(s.json("mapping", "list")) == 4, (st, out, err))
    for address in ("office", "shop@example.test", "far", "other"):
        s.run("mapping", "remove", address)


def test_groups(c, s):
    st, out, err = s.run("group", "add", "crew", "anna", "bert")
    c.check("GRP-01 group add with members", st == 0, err)
    st, out, err = s.run("maillist", "add", "CREW", "--kind", "distribution")
    c.check("GRP-01 a list cannot be called like a group", st == 1 and "already" in err, (st, err))
    s.run("maillist", "add", "team", "--kind", "distribution")
    st, out, err = s.run("group", "add", "Team")
    c.check("GRP-01 nor a group like a list", st == 1 and "already" in err, (st, err))
    s.run("maillist", "remove", "team")
    st, out, err = s.run("group", "set", "crew", "admin=unset", "everyone=off", "send_internet=on",
                         "receive_internet=unset", "monitor=on", "enabled=yes", "force=no", "max_out_kb=500",
                         "reply_address=\"*\" <shop@example.test>", "comment=all hands")
    row = s.json("group", "show", "crew")[0]
    c.check("GRP-02 every field of a group", st == 0 and [row[k] for k in (
        "admin", "everyone", "send_internet", "monitor", "enabled", "force", "max_out_kb", "comment")]
        == ["unset", "off", "on", "on", True, False, 500, "all hands"], (err, row))
    st, out, err = s.run("group", "set", "crew", "monitor=perhaps")
    c.check("GRP-02 a fourth value is refused", st == 1 and "monitor" in err, err)
    c.check("GRP-04 old members keep their own", s.json("user", "show", "anna")[0]["monitor"] is False)
    s.run("maillist", "member", "crew", "add", "cleo")
    user = s.json("user", "show", "cleo")[0]
    c.check("GRP-04 a new member gets the starting values",
            user["group"] == "crew" and user["monitor"] is True and user["everyone"] is False, user)
    st, out, err = s.run("user", "set", "cleo", "monitor=no")
    c.check("GRP-04 without force they are his own", st == 0 and user["forced"] == [], (st, err, user["forced"]))
    s.run("group", "set", "crew", "force=yes")
    st, out, err = s.run("user", "set", "anna", "monitor=no")
    c.check("GRP-04 with force they are locked", st == 1 and "the group crew sets monitor" in err, (st, err))
    st, out, err = s.run("user", "set", "anna", "admin=no", "comment=Anna")
    c.check("GRP-03 what is unset is not", st == 0, err)
    user = s.json("user", "show", "anna")[0]
    c.check("GRP-04 user show tells what is forced", "monitor=yes (group crew)" in user["forced"]
            and "everyone=no (group crew)" in user["forced"] and len(user["forced"]) == 3, user["forced"])
    members = [r["member"] for r in s.json("maillist", "members", "Everyone")]
    c.check("GRP-04 GRP-03 off + force keeps them out of Everyone", members == ["postmaster"], members)
    st, out, err = s.run("group", "set", "crew", "members=anna;cleo", "name=ship")
    row = s.json("group", "show", "ship")[0]
    c.check("group set members= and name=", st == 0 and row["members"] == ["anna", "cleo"], (st, err, row))
    st, out, err = s.run("group", "set", "ship", "members=anna;nobody-here")
    c.check("an unknown member is refused whole", st == 1 and "nobody-here" in err
            and s.json("group", "show", "ship")[0]["members"] == ["anna", "cleo"], (st, err))
    s.run("undo")
    c.check("undo of group set", s.json("group", "show", "crew")[0]["members"] == ["anna", "bert", "cleo"])


def login(s, user):
    pop = poplib.POP3("127.0.0.1", s.pop3, timeout=60)
    try:
        pop.stls(context=tls())
        pop.user(user)
        pop.pass_(PASSWORD)
        pop.quit()
        return "in"
    except poplib.error_proto as error:
        return str(error)
    finally:
        pop.close()


def smtp_login(s, user):
    with smtplib.SMTP("127.0.0.1", s.submission, timeout=60) as smtp:
        smtp.starttls(context=tls())
        try:
            smtp.login(user, PASSWORD)
            return "in"
        except smtplib.SMTPAuthenticationError as error:
            return str(error)


def send(s, to, sender="bo@example.net"):
    """The reply to each recipient of one message from outside."""
    with smtplib.SMTP("127.0.0.1", s.smtp, timeout=60) as smtp:
        smtp.ehlo("client.example.net")
        smtp.mail(sender)
        codes = [smtp.rcpt(a)[0] for a in to]
        if 250 in codes:
            smtp.data("From: Bo <%s>\r\nSubject: hi\r\n\r\nhello\r\n" % sender)
        return codes


def test_group_disabled(c, s):
    c.check("a member logs in", login(s, "anna") == "in" and smtp_login(s, "anna") == "in")
    s.run("group", "set", "crew", "enabled=no")
    seen = login(s, "anna"), smtp_login(s, "anna")
    c.check("GRP-05 no member logs in by POP3", seen[0] != "in", seen)
    c.check("GRP-05 nor by SMTP", seen[1] != "in", seen)
    c.check("GRP-05 others do", login(s, "postmaster") == "in")
    c.check("GRP-05 mail still arrives", send(s, ["anna@example.test"]) == [250]
            and len(s.json("message", "list", "anna")) == 1)
    s.run("group", "set", "crew", "enabled=yes")
    c.check("GRP-05 and they are back", login(s, "anna") == "in")


def submit(s, user, sender):
    with smtplib.SMTP("127.0.0.1", s.submission, timeout=60) as smtp:
        smtp.starttls(context=tls())
        smtp.login(user, PASSWORD)
        try:
            smtp.sendmail(sender, ["postmaster@example.test"], "From: %s\r\nSubject: x\r\n\r\nx\r\n" % sender)
            return 250
        except smtplib.SMTPResponseException as error:
            return error.smtp_code


def test_group_reply_address(c, s):
    s.run("group", "set", "crew", "reply_address=*@office.example.net")
    c.check("GRP-06 a member may write as the group's reply address, with his name in it",
            submit(s, "anna", "anna@office.example.net") == 250)
    c.check("GRP-06 but not with another's", submit(s, "anna", "bert@office.example.net") == 553)
    s.run("user", "set", "anna", "reply_address=me@private.example.net")
    c.check("GRP-06 his own value wins", submit(s, "anna", "me@private.example.net") == 250
            and submit(s, "anna", "anna@office.example.net") == 553)
    s.run("user", "set", "anna", "reply_address=")


def kinds(s):
    return {r["name"]: (r["kind"], r["members"]) for r in s.json("maillist", "list")}


def test_lists(c, s):
    st, out, err = s.run("maillist", "add", "sales", "--kind", "distribution", "--member", "anna", "--member",
                         "bo@Example.NET", "--member", "crew", "--comment", "Shop")
    c.check("LST-12 maillist add", st == 0, (out, err))
    st, out, err = s.run("maillist", "add", "away", "--kind", "forwarding", "--member", "dora@example.net")
    c.check("LST-09 a forwarding needs no user", st == 0, (out, err))
    st, out, err = s.run("maillist", "add", "talk", "--kind", "mailing")
    c.check("LST-03 a list may be empty", st == 0, (out, err))
    rows = s.json("maillist", "list")
    c.check("LST-01 name, type, members, comment", {"name": "sales", "kind": "distribution", "members": 3,
                                                    "comment": "Shop", "builtin": False} in rows, rows)
    c.check("LST-01 the four kinds", {k: kinds(s)[k] for k in ("sales", "away", "talk", "crew")} == {
        "sales": ("distribution", 3), "away": ("forwarding", 1), "talk": ("mailing", 0), "crew": ("group", 3)},
        rows)
    c.check("LST-07 the built-in ones are shown", [r["name"] for r in rows if r["builtin"]] ==
            ["Everyone", "No-one", "Admins"] and kinds(s)["Admins"] == ("group", 1), rows)
    add_user(s, "dirk", "--admin")
    c.check("LST-07 a new administrator is in Admins at once", kinds(s)["Admins"] == ("group", 2))
    for words, what in ((("maillist", "remove", "Admins"), "removed"),
                        (("maillist", "set", "everyone", "comment=x"), "changed"),
                        (("maillist", "member", "No-one", "add", "anna"), "filled"),
                        (("maillist", "set", "Everyone", "name=all"), "renamed")):
        st, out, err = s.run(*words)
        c.check("LST-07 a built-in group is not %s" % what, st == 1 and "is built in" in err, (st, err))
    for name, why in (("a b", "blank"), ("ANNA", "a user's"), ("crew", "a group's"), ("sales", "a list's"),
                      ("Admins", "reserved"), ("sales_owner", "Q-01 of another's"), ("x" * 65, "65 bytes")):
        st, out, err = s.run("maillist", "add", name, "--kind", "distribution")
        c.check("LST-02 a name is refused: %s" % why, st == 1, (st, out, err))
    row = s.json("maillist", "show", "sales")[0]
    c.check("maillist show", row["members"] == ["anna", "bo@example.net", "crew"] and row["kind"] == "distribution"
            and row["member_count"] == 3, row)
    rows = s.json("maillist", "members", "sales")
    c.check("maillist members tells what they are", [(r["member"], r["kind"]) for r in rows] ==
            [("anna", "user"), ("bo@example.net", "address"), ("crew", "group")], rows)
    c.check("LST-07 members of a built-in group", sorted(r["member"] for r in s.json("maillist", "members", "admins"))
            == ["dirk", "postmaster"])
    st, out, err = s.run("maillist", "member", "sales", "add", "talk", "Admins", "anna")
    c.check("LST-03 any mix of members", st == 0 and kinds(s)["sales"][1] == 5, (st, err, kinds(s)))
    lists = [s.json("user", "show", name)[0]["lists"] for name in ("anna", "postmaster", "cleo")]
    c.check("USR-36 user show names his lists, Everyone among them", lists == [["sales"], ["Everyone"], []], lists)
    st, out, err = s.run("maillist", "member", "sales", "add", "cleo", "ghost")
    c.check("LST-03 an unknown name is refused, and all with it", st == 1 and "ghost is no user" in err
            and kinds(s)["sales"][1] == 5, (st, err))
    st, out, err = s.run("maillist", "member", "sales", "remove", "ADMINS", "Bo@example.net")
    c.check("maillist member remove", st == 0 and kinds(s)["sales"][1] == 3, (st, err))
    st, out, err = s.run("maillist", "member", "sales", "remove", "bert")
    c.check("one that is none is told", st == 1 and "bert is no member" in err, (st, err))
    s.run("undo")
    c.check("undo of members", kinds(s)["sales"][1] == 5)
    st, out, err = s.run("maillist", "member", "away", "add", "anna")
    c.check("LST-09 a forwarding has one member", st == 1 and "one member" in err, (st, err))
    st, out, err = s.run("maillist", "set", "sales", "kind=forwarding")
    c.check("LST-09 and many make none", st == 1 and "one member" in err, (st, err))
    st, out, err = s.run("maillist", "set", "sales", "kind=forwarding", "members=anna", "comment=Anna alone")
    c.check("maillist set", st == 0 and kinds(s)["sales"] == ("forwarding", 1), (st, err))
    s.run("undo")
    c.check("undo of maillist set", kinds(s)["sales"] == ("distribution", 5))
    s.run("mapping", "add", "shop", "sales")
    s.run("maillist", "add", "all", "--kind", "distribution", "--member", "sales")
    st, out, err = s.run("maillist", "set", "sales", "name=selling")
    c.check("a new name, and what points at it follows", st == 0 and "1 mapping and 1 membership" in out
            and s.json("maillist", "show", "all")[0]["members"] == ["selling"]
            and s.json("mapping", "list", "--filter", "target:selling") != [], (st, out, err))
    st, out, err = s.run("maillist", "remove", "selling", "away", "--dry-run")
    c.check("Q-04 the preview of a removal", "would remove mapping shop -> selling" in out
            and "would take selling out of list all" in out, out)
    st, out, err = s.run("maillist", "remove", "selling", "away", "crew")
    c.check("LST-12 remove several; a group is not", st == 1 and "selling and 1 more removed" in out and "group remove" in out
            and set(kinds(s)) == {"Everyone", "No-one", "Admins", "crew", "talk", "all"}, (st, out, err))
    c.check("Q-04 what pointed at it went along", kinds(s)["all"][1] == 0 and s.json("mapping", "list") == [])
    s.run("undo")
    c.check("one undo for all", kinds(s)["all"][1] == 1 and kinds(s)["selling"][1] == 5 and "away" in kinds(s))
    st, out, err = s.run("maillist", "remove", "--filter", "kind:forwarding", "--yes")
    c.check("LST-12 remove by filter", st == 0 and "away" not in kinds(s) and "selling" in kinds(s), (st, out, err))
    s.run("maillist", "remove", "selling", "all", "talk")
    s.run("user", "remove", "dirk")


def write(s, name, text):
    path = os.path.join(s.dir, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def pairs(s):
    return {(r["address"], r["target"]) for r in s.json("mapping", "list")}


def test_mappings(c, s):
    for address, target in (("zeta", "anna"), ("alpha", "cleo"), ("beta", "annabel@example.net")):
        s.run("mapping", "add", address, target)
    rows = [r["address"] for r in s.json("mapping", "list", "--sort", "address")]
    c.check("MAP-14 mappings by address", rows == ["alpha", "beta", "zeta"], rows)
    rows = [r["target"] for r in s.json("mapping", "list", "--sort", "target")]
    c.check("MAP-14 mappings by target", rows == ["anna", "annabel@example.net", "cleo"], rows)
    rows = [r["address"] for r in s.json("mapping", "list", "--filter", "target=anna")]
    c.check("USR-35 the aliases of a user", rows == ["zeta"], rows)
    st, out, err = s.run("mapping", "set", "alpha", "cleo", "target=bert", "when=pop3", "comment=edited")
    row = s.json("mapping", "list", "--filter", "address=alpha")[0]
    c.check("MAP-14 edit", st == 0 and (row["target"], row["when"], row["comment"]) == ("bert", "pop3", "edited"), row)
    s.run("undo")
    c.check("MAP-14 undo of an edit", ("alpha", "cleo") in pairs(s))
    st, out, err = s.run("mapping", "set", "alpha", "cleo", "target=nobody-yet")
    c.check("a target that is nobody is taken, and told", st == 0 and "nobody is called nobody-yet" in out, (st, out))
    s.run("undo")
    told = [s.run("mapping", "add", "gamma", target)[1] for target in ("*REMOTE", "Everyone", "x@example.net", "crew")]
    c.check("MAP-06 one that is somebody is not", not any("nobody" in out for out in told), told)
    for _ in told:
        s.run("undo")
    s.run("mapping", "set", "alpha", "cleo", "when=pop3", "comment=a, \"b\"")


def test_mapping_files(c, s):
    st, out, err = s.run("mapping", "export")
    c.check("MAP-16 two fields a line", st == 0 and sorted(out.splitlines()) ==
            ["alpha,cleo", "beta,annabel@example.net", "zeta,anna"], (out, err))
    out_path = os.path.join(s.dir, "out.csv")
    st, out, err = s.run("mapping", "export", "--out", out_path)
    c.check("MAP-16 and says what it leaves out", st == 0 and "some have conditions" in out and "--full" in out, (out, err))
    st, full, err = s.run("mapping", "export", "--full")
    c.check("mapping export --full keeps conditions and comments", 'alpha,cleo,pop3,,"a, ""b"""' in full, full)
    before = s.json("mapping", "list", "--sort", "address", "--columns", "address,target,when,collect,comment")
    s.run("mapping", "remove", "--filter", "address:*", "--yes")
    for address in ("alpha", "beta", "zeta"):
        s.run("mapping", "remove", address)
    c.check("an empty table", pairs(s) == set())
    st, out, err = s.run("mapping", "import", out_path)
    c.check("MAP-16 export then import gives the same pairs", st == 0 and pairs(s) ==
            {("alpha", "cleo"), ("beta", "annabel@example.net"), ("zeta", "anna")}, (st, out, err))
    st, out, err = s.run("mapping", "import", write(s, "full.csv", full), "--replace")
    after = s.json("mapping", "list", "--sort", "address", "--columns", "address,target,when,collect,comment")
    c.check("and the full form gives all", st == 0 and after == before, (st, out, err, after))
    lines = "".join("m%03d@example.test,anna\n" % i for i in range(100))
    st, out, err = s.run("mapping", "import", write(s, "in.csv", "# a hundred\n\n" + lines), "--replace")
    c.check("MAP-15 delete-first: the table is exactly the file", st == 0 and len(pairs(s)) == 100
            and "100 of 100 lines imported" in out, (st, out, err))
    s.run("undo")
    c.check("MAP-15 one undo", s.json("mapping", "list", "--sort", "address", "--columns",
                                      "address,target,when,collect,comment") == before)
    bad = write(s, "bad.csv", "new,bert\n\nsales\ntwo words@x,anna\nother,anna,perhaps\n")
    st, out, err = s.run("mapping", "import", bad, "--replace")
    c.check("MAP-15 --replace with bad lines changes nothing", st == 1 and len(pairs(s)) == 3
            and ("new", "bert") not in pairs(s), (st, out, err))
    c.check("MAP-15 bad lines are reported by number", "line 3: is not address,target" in err
            and "line 4: the address" in err and "line 5: the third" in err and "--skip-bad" in err, err)
    st, out, err = s.run("mapping", "import", bad, "--replace", "--skip-bad", "--dry-run")
    c.check("MAP-15 the preview tells", st == 0 and "would import 1 of 4 lines" in out
            and "would remove 3 mappings" in out and "line 3: is not" in out and len(pairs(s)) == 3, (out, err))
    st, out, err = s.run("mapping", "import", bad)
    c.check("MAP-15 without it the good ones come in", st == 1 and "1 of 4 lines imported, 3 skipped" in out
            and ("new", "bert") in pairs(s) and len(pairs(s)) == 4, (st, out, err))
    st, out, err = s.run("mapping", "import", bad, "--replace", "--skip-bad")
    c.check("MAP-15 --skip-bad replaces all the same", st == 1 and pairs(s) == {("new", "bert")}, (st, out, err))
    st, out, err = s.run("mapping", "import", write(s, "twice.csv", "new,bert\n"))
    c.check("one that is there already is skipped", st == 1 and "already" in out, (st, out, err))
    s.run("mapping", "remove", "new")


def forwardings(s):
    rows = s.json("maillist", "list", "--filter", "kind:forwarding")
    return {r["name"]: s.json("maillist", "show", r["name"])[0]["members"] for r in rows}


def test_forwarding_files(c, s):
    text = "# both offices\n\nemil emil@north.test\nfrida\tfrida@north.test\ngina  \t gina@south.test\nhans anna\n"
    path = write(s, "offices.txt", text)
    st, out, err = s.run("maillist", "import", path)
    c.check("LST-10 blanks and tabs, comments and empty lines", st == 0 and "4 of 4 lines imported" in out
            and forwardings(s) == {"emil": ["emil@north.test"], "frida": ["frida@north.test"],
                                   "gina": ["gina@south.test"], "hans": ["anna"]}, (st, out, err))
    st, text_out, err = s.run("maillist", "export")
    c.check("maillist export", sorted(text_out.splitlines()) == [
        "emil\temil@north.test", "frida\tfrida@north.test", "gina\tgina@south.test", "hans\tanna"], text_out)
    s.run("undo")
    c.check("undo of an import", forwardings(s) == {})
    st, out, err = s.run("maillist", "import", write(s, "again.txt", text_out))
    c.check("import reads what export wrote", st == 0 and len(forwardings(s)) == 4, (st, out, err))
    s.run("undo")
    st, out, err = s.run("maillist", "import", path, "--skip-to", "north.test")
    c.check("LST-11 LST-13 one office", st == 0 and set(forwardings(s)) == {"gina", "hans"} and "2 left out" in out, (out, err))
    s.run("undo")
    st, out, err = s.run("maillist", "import", path, "--skip-to", "GINA@south.test")
    c.check("LST-11 the other, by an address", set(forwardings(s)) == {"emil", "frida", "hans"}, (st, out, err))
    s.run("mapping", "add", "chef", "emil")
    st, out, err = s.run("maillist", "import", path, "--remove-to", "north.test", "--dry-run")
    c.check("LST-11 the preview names what goes", "would remove forwarding emil -> emil@north.test" in out
            and set(forwardings(s)) == {"emil", "frida", "hans"}, (st, out, err))
    st, out, err = s.run("maillist", "import", path, "--remove-to", "north.test")
    c.check("LST-11 remove what is there to it", st == 0 and set(forwardings(s)) == {"gina", "hans"}
            and "2 of 2 lines imported, 2 left out" in out, (st, out, err))
    c.check("Q-04 and the mapping to it", s.json("mapping", "list") == [])
    s.run("undo")
    c.check("LST-11 one undo", set(forwardings(s)) == {"emil", "frida", "hans"} and len(pairs(s)) == 1)
    s.run("mapping", "remove", "chef")
    other = write(s, "other.txt", "emil emil@east.test\n")
    st, out, err = s.run("maillist", "import", other)
    c.check("LST-11 a same-named one stays", st == 1 and "line 1" in out and "--replace" in out
            and forwardings(s)["emil"] == ["emil@north.test"], (st, out, err))
    st, out, err = s.run("maillist", "import", other, "--replace")
    c.check("LST-11 --replace overwrites it", st == 0 and forwardings(s)["emil"] == ["emil@east.test"], (st, out, err))
    s.run("maillist", "add", "talk", "--kind", "mailing")
    bad = write(s, "bad.txt", "anna x@y.test\nalone\ntalk x@y.test\nivan a@b@c\nkai ghost\nlea a@x.test b@x.test\n"
                              "Everyone x@y.test\nmia mia@x.test\n")
    st, out, err = s.run("maillist", "import", bad, "--replace")
    c.check("LST-10 each bad line by number, the rest done", st == 1 and "1 of 8 lines imported, 7 skipped" in out
            and all("line %d" % i in out for i in range(1, 8)) and forwardings(s)["mia"] == ["mia@x.test"],
            (st, out, err))
    for name in list(forwardings(s)) + ["talk"]:
        s.run("maillist", "remove", name)


def test_undo_of_adding(c, s):
    """Taking back a list that others were put on since would leave members of nothing."""
    for area, words in (("maillist", ["maillist", "add", "fresh", "--kind", "distribution", "--member", "anna"]),
                        ("group", ["group", "add", "fresh"])):
        s.run(*words)
        number = s.json("undo", "list")[0]["id"]
        s.run("maillist", "member", "fresh", "add", "bert")
        st, out, err = s.run("undo", number)
        c.check("undo of an added %s is a clash while it is in use" % area, st == 1 and "fresh" in kinds(s),
                (st, out, err))
        s.run("maillist", "member", "fresh", "remove", "bert")
        st, out, err = s.run("undo", number)
        c.check("and is done when it is not: %s" % area, st == 0 and "fresh" not in kinds(s), (st, out, err))


def test_what_has_no_way_back(c, s):
    """A change too large for its rows to be kept says so, and `undo` names it when it takes the one before."""
    s.run("user", "set", "anna", "comment=before")
    path = os.path.join(s.dir, "many.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join("many%d,anna\n" % i for i in range(10500)))
    st, out, err = s.run("mapping", "import", path)
    c.check("the answer says that undo cannot take it back", st == 0 and "undo cannot take it back" in out
            and "postroom undo" not in out, (st, out, err))
    last = s.json("undo", "list", "--limit", "1")[0]
    c.check("and calls it so many lines", (last["object"], last["state"]) == ("10500 lines", "cannot"), last)
    st, out, err = s.run("undo", last["id"], "--dry-run")
    c.check("its preview is refused as it is", st == 1 and "too many rows" in err, (st, out, err))
    st, out, err = s.run("user", "remove", "anna", "--dry-run")
    c.check("MAP: the preview refuses what the removal would", st == 1 and "--keep-references" in err, (st, out, err))
    st, out, err = s.run("undo", "--dry-run")
    c.check("undo without a number says what it passes over", st == 0 and "change %s was passed over, it has no way back" % last["id"] in out
            and "user anna changed" in out, (st, out, err))
    with open(path, "w", encoding="utf-8") as f:
        f.write("many,anna\n")
    s.run("mapping", "import", path, "--replace")
    s.run("mapping", "remove", "many")


def test_some_are_not_there(c, s):
    s.run("maillist", "add", "here", "--kind", "distribution")
    st, out, err = s.run("maillist", "remove", "gone", "here")
    c.check("what was done names what was there alone", out.startswith("maillist here removed") and "skipped gone" in out,
            (st, out, err))
    c.check("exit status 1: not found", st == 1, st)
    last = s.json("undo", "list", "--limit", "1")[0]
    c.check("in the list of changes, too", last["object"] == "here", last)


def test_preview_of_a_file(c, s):
    """preview + apply of an import: the file stays open, and must be the one that was shown."""
    path = os.path.join(s.dir, "in.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("choir,anna\nband,bert\n")
    link = Link(s.sock)
    link.call("hello", version=1)
    with open(path, "rb") as f:
        seen = link.call("preview", fds=[f.fileno()], method="mapping.import", params={"file": 0})
    token = seen["result"]["token"]
    done = link.call("apply", token=token)
    c.check("apply of an import that was previewed", done.get("result", {}).get("done") == 2, (seen, done))
    c.check("and it is there", {r["address"] for r in s.json("mapping", "list")} == {"choir", "band"})
    c.check("one apply", link.call("apply", token=token).get("error") is not None)
    s.run("undo")
    with open(path, "rb") as f:
        token = link.call("preview", fds=[f.fileno()], method="mapping.import", params={"file": 0})["result"]["token"]
    with open(path, "a", encoding="utf-8") as f:
        f.write("later,anna\n")
    done = link.call("apply", token=token)
    c.check("a file that changed since is refused", "previewed" in json.dumps(done.get("error")), done)
    c.check("and nothing came in", s.json("mapping", "list") == [])
    tokens = []
    for _ in range(20):
        with open(path, "rb") as f:
            tokens.append(link.call("preview", fds=[f.fileno()], method="mapping.import",
                                    params={"file": 0})["result"]["token"])
    with open("/proc/%d/task/%d/children" % (s.process.pid, s.process.pid), encoding="ascii") as f:
        folder = "/proc/%s/fd" % f.read().split()[0]  # the server is the warden's child
    held = [f for f in os.listdir(folder) if os.path.realpath(os.path.join(folder, f)) == path]
    c.check("H33 previews hold at most 16 files open", 1 <= len(held) <= 17, held)
    c.check("the oldest preview is gone", link.call("apply", token=tokens[0]).get("error") is not None)
    c.check("the newest is not", link.call("apply", token=tokens[-1]).get("result", {}).get("done") == 3)
    s.run("undo")
    link.close()


def test_end(c, s):
    st, out, err = s.run("check")
    c.check("the store is in order", st == 0, (st, out, err))
    c.check("SIGTERM ends with 0", s.stop() == 0, s.errors[-3:])


def main():
    c = Count()
    s = Server()
    try:
        s.start()
        for test in (test_setup, test_group_removal, test_groups, test_group_disabled, test_group_reply_address, test_lists,
                     test_undo_of_adding, test_mappings, test_mapping_files, test_forwarding_files,
                     test_preview_of_a_file, test_some_are_not_there, test_what_has_no_way_back, test_end):
            try:
                test(c, s)
            except Exception as error:  # a test that breaks off has failed
                c.check(test.__name__, False, repr(error))
    finally:
        s.close()
    return c.end()


if __name__ == "__main__":
    time.tzset()
    sys.exit(main())
