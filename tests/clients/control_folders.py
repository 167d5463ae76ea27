#!/usr/bin/env python3
"""control_folders.py - folders as an administrator sees them: TAP.

`folder ...` over the command line: the tree, uses, subscriptions, rights of others, Shared/, and the way
back of each.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import Server, equal, tap, true, wait_for  # noqa: E402

MAIL = "From: bo@elsewhere.test\r\nTo: %s@example.test\r\nSubject: %s\r\n\r\nhello\r\n"


def refused(server, *args):
    r = server.cli(*args, ok=False)
    true(r.returncode != 0, "%s is refused: %s" % (" ".join(args), r.stdout))
    return r.stderr


def folders(server, *args):
    return {row["folder"]: row for row in server.json("folder", "list", *args)}


def names(server, *args):
    return [row["folder"] for row in server.json("folder", "list", *args)]


def test_the_tree_IMP_07(server):
    for name in ("Work/2025", "work", "Work/2025/May", "Änderung", "Work-old"):
        server.cli("folder", "add", "anna", name)
    own = [n for n in names(server, "anna") if n not in ("Sent", "Drafts", "Trash", "Junk", "Archive")]
    equal(own[0], "INBOX", "INBOX is first")
    true(own.index("Work/2025") < own.index("Work/2025/May") < own.index("Work-old"),
         "a folder before what lies below it: %s" % own)
    true("a folder has this name" in refused(server, "folder", "add", "anna", "work"), "no two of one name")
    for bad in ("a//b", "..", "x/" * 21 + "y", "n" * 201):
        true("no folder can be called so" in refused(server, "folder", "add", "anna", bad), "H24 %.20s" % bad)
    true("no such user" in refused(server, "folder", "list", "nobody"), "the user must be there")
    text = server.cli("folder", "list", "anna").stdout
    true("Work/2025/May" in text and text.startswith("FOLDER"), text)


def test_use_and_own_seen(server):
    server.cli("folder", "add", "bert", "Gesendet")
    if folders(server, "bert").get("Sent", {}).get("use") == "sent":
        true("another folder" in refused(server, "folder", "set", "bert", "Gesendet", "use=sent"), "one of each use")
        server.cli("folder", "set", "bert", "Sent", "use=none")
    server.cli("folder", "set", "bert", "Gesendet", "use=sent", "own_seen=yes")
    row = folders(server, "bert")["Gesendet"]
    equal((row["use"], row["own_seen"]), ("sent", True), "use and own_seen")
    server.cli("undo")
    row = folders(server, "bert")["Gesendet"]
    equal((row["use"], row["own_seen"]), ("", False), "undo of folder set")
    true("use is one of" in refused(server, "folder", "set", "bert", "Gesendet", "use=spam"), "a use has a word")


def test_subscriptions(server):
    server.cli("folder", "add", "bert", "Quiet", "--no-subscribe")
    server.cli("folder", "add", "bert", "Loud")
    equal([folders(server, "bert")[n]["subscribed"] for n in ("Quiet", "Loud")], [False, True], "as it was made")
    server.cli("folder", "subscribe", "bert", "Quiet")
    server.cli("folder", "unsubscribe", "bert", "Loud")
    equal([folders(server, "bert")[n]["subscribed"] for n in ("Quiet", "Loud")], [True, False], "turned around")
    server.cli("undo")
    true(folders(server, "bert")["Loud"]["subscribed"], "undo of unsubscribe")
    r = server.cli("folder", "subscribe", "bert", "Nowhere", "Quiet", ok=False)
    true("no such folder" in r.stdout + r.stderr, "what is not there is named: %s" % r.stderr)


def test_rename_takes_all_along(server):
    for name in ("Old", "Old/a", "Old/a/b"):
        server.cli("folder", "add", "karl", name)
    text = server.cli("folder", "rename", "karl", "Old", "New", "--dry-run").stdout
    true("2 folders below it move along" in text, text)
    true("Old" in names(server, "karl"), "--dry-run changes nothing")
    ids = {n: r["id"] for n, r in folders(server, "karl").items()}
    server.cli("folder", "rename", "karl", "Old", "New")
    now = folders(server, "karl")
    equal([now[n]["id"] for n in ("New", "New/a", "New/a/b")], [ids[n] for n in ("Old", "Old/a", "Old/a/b")],
          "the same folders under new names")
    true(now["New"]["subscribed"], "the subscription of the folder goes along")
    server.cli("undo")
    true("Old/a/b" in names(server, "karl") and "New" not in names(server, "karl"), "undo of rename")
    true("INBOX keeps its name" in refused(server, "folder", "rename", "karl", "INBOX", "X"), "INBOX stays")
    true("below itself" in refused(server, "folder", "rename", "karl", "Old", "Old/x/y"), "not below itself")


def test_add_is_taken_back(server):
    server.cli("folder", "add", "karl", "Short")
    server.cli("undo")
    true("Short" not in names(server, "karl"), "undo of add")
    server.cli("folder", "add", "karl", "Kept")
    server.send("bo@elsewhere.test", ["karl@example.test"], MAIL % ("karl", "one"))
    wait_for(lambda: server.json("message", "list", "karl"), "the message is there")
    server.cli("message", "move", "karl", "1", "--to-folder", "Kept")
    change = [c for c in server.json("undo", "list") if c["what"] == "folder.add"][0]["id"]
    true("Kept" in refused(server, "undo", change), "not while it holds mail, and it is named")
    server.cli("message", "copy", "karl", "1", "--folder", "Kept", "--to-folder", "Deep/er")
    equal(len(server.json("message", "list", "karl", "--folder", "Deep/er")), 1, "copied into a folder made for it")


def test_rights_SHF_02(server):
    server.cli("group", "add", "staff", "bert")
    server.cli("folder", "add", "anna", "Plan")
    rows = server.json("folder", "rights", "anna", "Plan")
    equal([(r["who"], r["rights"], r["kind"]) for r in rows], [("anna", "lrswipkxtea", "owner")], "the owner has all")
    text = server.cli("folder", "rights", "anna", "Plan", "bert", "lrs").stdout
    true("bert may in Plan: see it, read, mark as read (lrs)" in text, text)
    server.cli("folder", "rights", "anna", "Plan", "staff", "l")  # no user is called so: the group
    server.cli("folder", "rights", "anna", "Plan", "anyone", "l")
    server.cli("folder", "rights", "anna", "Plan", "--", "-bert", "s")
    server.cli("folder", "rights", "anna", "Plan", "--", "bert", "+i")
    rows = {r["who"]: r["rights"] for r in server.json("folder", "rights", "anna", "Plan")}
    equal(rows, {"anna": "lrswipkxtea", "bert": "lrsi", "-bert": "s", "group:staff": "l", "anyone": "l"}, "all of them")
    equal(folders(server, "anna")["Plan"]["shared"], ["bert lrsi", "group:staff l", "anyone l"], "and in the list")
    seen = folders(server, "bert", "--shared")["Other users/anna/Plan"]
    equal(seen["rights"], "lri", "bert sees it under Other users, less what is denied")
    equal(folders(server, "karl", "--shared")["Other users/anna/Plan"]["rights"], "l", "anyone is anyone")
    server.cli("undo")
    rows = {r["who"]: r["rights"] for r in server.json("folder", "rights", "anna", "Plan")}
    equal(rows["bert"], "lrs", "undo of +i")
    server.cli("folder", "rights", "anna", "Plan", "bert", "none")
    true("bert" not in [r["who"] for r in server.json("folder", "rights", "anna", "Plan")], "none takes the row away")
    true("letters of" in refused(server, "folder", "rights", "anna", "Plan", "bert", "lrz"), "z is no right")
    true("no such user or group" in refused(server, "folder", "rights", "anna", "Plan", "nobody", "l"), "who is that")
    true("owner" in refused(server, "folder", "rights", "anna", "Plan", "anna", "l"), "the owner keeps all")
    true("FOLDER is missing" in refused(server, "folder", "rights", "anna"), "the usual words for a missing one")
    true("one word too many" in refused(server, "folder", "rights", "anna", "Plan", "bert", "l", "x"), "nor more")


def test_shared_folders_SHF(server):
    server.cli("folder", "add", "Shared/", "Office")
    server.cli("folder", "add", "anna", "Shared/Office/2026")
    equal(names(server), ["Shared/Office", "Shared/Office/2026"], "they are nobody's")
    server.cli("folder", "rights", "Shared/", "Shared/Office", "group:staff", "lrswi")
    true("Shared/Office" not in names(server, "anna", "--shared"), "anna is not of the staff")
    true("Shared/Office" in names(server, "bert", "--shared"), "bert is")
    true("Shared/Office" not in names(server, "bert"), "and not among his own")
    server.cli("folder", "rename", "Shared/", "Office", "Bureau")
    equal(names(server), ["Shared/Bureau", "Shared/Bureau/2026"], "renamed with what lies below")
    true("stays with its owner" in refused(server, "folder", "rename", "anna", "Shared/Bureau", "Mine"), "not moved out")
    server.send("bo@elsewhere.test", ["bert@example.test"], MAIL % ("bert", "for all"))
    wait_for(lambda: server.json("message", "list", "bert"), "the message is there")
    server.cli("message", "copy", "bert", "1", "--to-folder", "Shared/Bureau")
    equal([m["subject"] for m in server.json("message", "list", "bert", "--folder", "Shared/Bureau")], ["for all"],
          "message copy into a shared folder")
    equal(folders(server)["Shared/Bureau"]["messages"], 1, "and it counts there")


def test_remove_and_undelete_RCY_01(server):
    for name in ("Case", "Case/Papers"):
        server.cli("folder", "add", "dora", name)
    for i in range(3):
        server.send("bo@elsewhere.test", ["dora@example.test"], MAIL % ("dora", "paper %d" % i))
    wait_for(lambda: len(server.json("message", "list", "dora")) == 3, "the messages are there")
    server.cli("message", "move", "dora", "1", "2", "--to-folder", "Case")
    server.cli("message", "move", "dora", "3", "--to-folder", "Case/Papers")
    before = server.json("user", "show", "dora")[0]["size"]
    text = server.cli("folder", "remove", "dora", "Case", "--dry-run").stdout
    true("Case has 2 messages" in text and "folders below it stay" in text, text)
    server.cli("folder", "remove", "dora", "Case")
    true("Case" not in names(server, "dora") and "Case/Papers" in names(server, "dora"), "its children stay")
    true(server.json("user", "show", "dora")[0]["size"] < before, "RCY-02 the bin counts nowhere")
    equal(sorted({r["folder"] for r in server.json("message", "bin", "dora")}), ["Case"], "the bin knows whence")
    server.cli("folder", "remove", "dora", "Case/Papers")
    text = server.cli("folder", "undelete", "dora", "Case", "--dry-run").stdout
    true("3 messages" in text and "come back from the bin" in text, text)
    text = server.cli("folder", "undelete", "dora", "Case").stdout
    true("3 messages of Case and 1 more folder are back" in text, text)
    equal([len(server.json("message", "list", "dora", "--folder", f)) for f in ("Case", "Case/Papers")], [2, 1],
          "all is where it was")
    equal(server.json("message", "bin", "dora"), [], "the bin is empty")
    true("nothing of it is in the bin" in refused(server, "folder", "undelete", "dora", "Case"), "not twice")
    true("INBOX" in refused(server, "folder", "remove", "dora", "INBOX"), "INBOX stays")
    uid = str(server.json("message", "list", "dora", "--folder", "Case/Papers")[0]["uid"])
    server.cli("message", "purge", "dora", uid, "--folder", "Case/Papers", "--yes")
    equal(server.json("message", "bin", "dora"), [], "RCY-03 purged past the bin")
    equal(server.json("message", "list", "dora", "--folder", "Case/Papers"), [], "and gone")


def test_more_than_one_call_may_name(server):
    """A filter may choose more objects than a call can name: they are pinned by key."""
    path = os.path.join(server.dir, "many.mbox")
    with open(path, "w") as f:
        for i in range(10500):
            f.write("From bo@elsewhere.test Thu Jan  1 00:00:00 2026\nSubject: n%d\n\nx\n\n" % i)
    server.cli("message", "import", "dora", path, "--folder", "Many")
    total = folders(server, "dora")["Many"]
    equal(total["messages"], 10500, "imported")
    text = server.cli("message", "hold", "dora", "--folder", "Many", "--all", "--dry-run").stdout
    true("10500" in text.replace(",", "") and "too many for postroom undo" in text, text)
    text = server.cli("message", "hold", "dora", "--folder", "Many", "--all", "--yes").stdout
    true("10,499 more held" in text or "10499 more held" in text, text)
    true("undo cannot take it back" in text, text)
    equal((folders(server, "dora")["Many"]["messages"], folders(server, "dora")["Many"]["held"]), (0, 10500), "all held")


def test_recount(server):
    text = server.cli("folder", "recount", "bert").stdout
    true("folders of bert counted, all was right" in text, text)


def test_nothing_is_broken(server):
    server.stop()
    status, text = server.check()
    equal(status, 0, text)
    server.start()


def main():
    with Server() as server:
        server.add_user("postmaster", "--admin")
        for user in ("anna", "bert", "karl", "dora"):
            server.add_user(user)
        return tap([test_the_tree_IMP_07, test_use_and_own_seen, test_subscriptions, test_rename_takes_all_along,
                    test_add_is_taken_back, test_rights_SHF_02, test_shared_folders_SHF,
                    test_remove_and_undelete_RCY_01,
                    test_more_than_one_call_may_name, test_recount,
                    test_nothing_is_broken], server)


if __name__ == "__main__":
    sys.exit(main())
