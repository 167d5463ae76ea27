#!/usr/bin/env python3
"""Groups, lists and mappings by the command line against a real server: LST, GRP, MAP-14 to 16, Q-04."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control_server import Count, Link, Server  # noqa: E402

PASSWORD = "Canary-7f3a pass"


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
    c.check("the newest is not", link.call("apply", token=tokens[-1]).get("result", {}).get("done") == 2)
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
        for test in (test_setup, test_group_removal, test_preview_of_a_file, test_end):
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
