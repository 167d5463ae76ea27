#!/usr/bin/env python3
"""exchange.py - mail that two servers exchange by a folder of files (FXF, INM-31)."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import Server, equal, tap, true, wait_for  # noqa: E402


def mail(number, size=0):
    return b"From: a@far.test\r\nSubject: no %d\r\n\r\nbody\r\n" % number + (b"y" * 70 + b"\r\n") * (size // 72)


def put(folder, name, data):
    """As a good writer does it: another name first."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".tmp"), "wb") as f:
        f.write(data)
    os.rename(os.path.join(folder, name + ".tmp"), os.path.join(folder, name + ".eml"))


def numbers(server, user):
    return sorted(int(text.split(b"Subject: no ")[1].split(b"\r\n")[0]) for text in server.fetch(user))


def now(server, name="files"):
    return server.json("collect", "now", name, "--wait")[0]


def exchange(server):
    folder = os.path.join(server.dir, "exchange")
    os.makedirs(folder + "/in", exist_ok=True)
    os.makedirs(folder + "/out", exist_ok=True)
    return folder


def test_inm_31_files_of_the_named_users():
    with Server() as s:
        for user in ("anna", "bea", "carl"):
            s.add_user(user)
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=anna;bea;../in", "accepted=example.test")
        put(folder + "/out/anna", "one", mail(1, 1000000))
        put(folder + "/out/anna", "two", mail(2).replace(b"\r\n", b"\n").rstrip())
        put(folder + "/out/bea", "three", mail(3))
        put(folder + "/out/carl", "four", mail(4))
        put(folder + "/in", "five", mail(5))
        os.symlink("/etc/passwd", folder + "/out/anna/link.eml")
        with open(folder + "/out/anna/half.tmp", "wb") as f:
            f.write(b"Subject: no 9\r\n")
        answer = now(s)
        equal((answer["fetched"], answer["deleted"], answer["errors"]), (3, 3, []))
        equal((numbers(s, "anna"), numbers(s, "bea"), numbers(s, "carl")), ([1, 2], [3], []))
        true(any(text.endswith(mail(1, 1000000)[-5000:]) for text in s.fetch("anna")), "a large one is whole")
        equal(sorted(os.listdir(folder + "/out/anna")), ["half.tmp", "link.eml"], "what is no message of ours stays")
        equal(os.listdir(folder + "/out/carl"), ["four.eml"])
        os.chmod(folder + "/out/anna", 0o755)
        equal(now(s)["fetched"], 0)
        s.cli("collect", "set", "files", "path=" + s.dir + "/nowhere", "users=")
        true("nowhere" in now(s)["errors"][0], "a folder that is not there")


def test_fxf_01_fxf_02_an_envelope_and_a_mark_of_what_was_taken():
    with Server() as s:
        for user in ("anna", "bea"):
            s.add_user(user)
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "accepted=example.test")
        put(folder + "/in", "m1", b"X-Envelope-From: <x@far.test>\r\nX-Envelope-To: <bea@example.test>\r\n" + mail(1))
        put(folder + "/in", "m2", b"X-Envelope-From: <>\nX-Envelope-To: <anna@example.test>\n" + mail(2))
        equal(now(s)["fetched"], 2)
        equal((numbers(s, "anna"), numbers(s, "bea")), ([2], [1]))
        true(all(b"X-Envelope" not in text for text in s.fetch("bea")), "the envelope is taken off")
        equal(sorted(os.path.basename(p) for p in glob.glob(folder + "/in/*")), ["m1.eml.taken", "m2.eml.taken"])
        os.utime(folder + "/in/m1.eml.taken", (1, 1))
        equal(now(s)["fetched"], 0)
        equal(os.listdir(folder + "/in"), ["m2.eml.taken"], "old marks go")


def test_fxf_02_killed_between_the_commit_and_the_removal():
    with Server() as s:
        s.add_user("anna")
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=anna", "accepted=example.test")
        for i in range(1, 41):
            put(folder + "/out/anna", "m%d" % i, mail(i, 20000))
        for _ in range(4):
            s.cli("collect", "now", "files")
            wait_for(lambda: len(numbers(s, "anna")) > 0 or not os.listdir(folder + "/out/anna"), "something is here")
            s.kill()
            s.start()
        wait_for(lambda: not now(s)["errors"] and not os.listdir(folder + "/out/anna"), "all is taken", 30)
        equal(numbers(s, "anna"), list(range(1, 41)), "one copy of each")


if __name__ == "__main__":
    sys.exit(tap([(name[5:].replace("_", " "), test) for name, test in list(globals().items()) if name.startswith("test_")]))
