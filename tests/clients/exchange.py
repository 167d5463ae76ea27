#!/usr/bin/env python3
"""exchange.py - mail that two servers exchange by a folder of files (FXF, INM-31)."""
import glob
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402


def mail(number, size=0):
    return b"From: anna@example.test\r\nSubject: no %d\r\n\r\nbody\r\n" % number + (b"y" * 70 + b"\r\n") * (size // 72)


def put(folder, name, data):
    """As a good writer does it: another name first."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".tmp"), "wb") as f:
        f.write(data)
    os.rename(os.path.join(folder, name + ".tmp"), os.path.join(folder, name + ".eml"))


def numbers(server, user):
    return sorted(int(text.split(b"Subject: no ")[1].split(b"\r\n")[0]) for text in server.fetch(user))


def now(server, name="files"):
    return server.json("collect", "now", name, "--wait", ok=False)[0]


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
        equal(sorted(os.listdir(folder + "/out/anna")), ["half.tmp", "link.eml", "one.eml.taken", "two.eml.taken"], "what is no message of ours stays")
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


def test_a_folder_that_is_not_mounted_is_no_empty_one():
    with Server() as s:
        s.add_user("anna")
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=anna", "accepted=example.test")
        equal(now(s)["errors"], [])
        os.rename(folder + "/out", folder + "/away")
        equal(now(s)["errors"], [], "nothing was written yet")
        os.rename(folder, folder + ".away")
        true("No such file" in str(now(s)["errors"]), "mistyped, or not mounted")
        os.rename(folder + ".away", folder)
        equal(now(s)["errors"], [])


def test_fxf_02_killed_between_the_commit_and_the_removal():
    with Server() as s:
        s.add_user("anna")
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=anna", "accepted=example.test")
        for i in range(1, 41):
            put(folder + "/out/anna", "m%d" % i, mail(i, 20000))
        for _ in range(4):
            s.cli("collect", "now", "files")
            wait_for(lambda: len(numbers(s, "anna")) > 0, "something is here")
            s.kill()
            s.start()
        wait_for(lambda: not now(s)["errors"] and not glob.glob(folder + "/out/anna/*.eml"), "all is taken", 30)
        equal(numbers(s, "anna"), list(range(1, 41)), "one copy of each")


OUT = """
outgoing:
  routes:
    - { name: files, kind: spool, path: %s, spool_layout: %s, domains: [b.test] }
"""


def pair(layout="in"):
    """A, which writes what is for b.test into a folder, and B, which is b.test and takes it."""
    b = Server(domain="b.test")
    folder = exchange(b)
    return Server(extra=OUT % (folder, layout)), b, folder


def submission(server):
    s = server.smtp("submission")
    s.starttls(context=unverified())
    s.login("anna", PASSWORD)
    return s


def waiting(server):
    return len(server.json("queue", "list"))


def test_fxf_02_two_servers_and_a_folder():
    """FXF-01, FXF-02: the envelope is kept, the author need not be in the header."""
    a, b, folder = pair()
    with a, b:
        a.add_user("anna")
        b.add_user("bea")
        b.add_user("ben")
        b.cli("collect", "add", "files", "kind=spool", "path=" + folder, "accepted=b.test")
        with submission(a) as s:
            s.sendmail("anna@example.test", ["bea@b.test", "ben@b.test"], mail(1, 300000) + b".dot\r\n")
        wait_for(lambda: waiting(a) == 0, "it has left")
        equal(len(glob.glob(folder + "/in/*.eml")), 2)
        equal(now(b)["fetched"], 2)
        equal((numbers(b, "bea"), numbers(b, "ben")), ([1], [1]))
        true(b.fetch("bea")[0].endswith(b"\r\n.dot\r\n"), "as it was")


def test_fxf_03_rights_of_a_group_and_no_links():
    """Two servers that run as different users share a group: what one makes the other may read and remove."""
    a, b, folder = pair("users")
    with a, b:
        a.add_user("anna")
        os.chmod(folder + "/out", 0o2770)
        os.makedirs(b.dir + "/elsewhere")
        os.symlink(b.dir + "/elsewhere", folder + "/out/carl")
        with submission(a) as s:
            s.sendmail("anna@example.test", ["bea@b.test"], mail(1))
            s.sendmail("anna@example.test", ["carl@b.test"], mail(2))
        wait_for(lambda: glob.glob(folder + "/out/bea/*.eml"), "a file for bea")
        made = os.stat(folder + "/out/bea")
        equal((oct(made.st_mode & 0o7777), made.st_gid), ("0o2770", os.stat(folder + "/out").st_gid))
        equal(oct(os.stat(glob.glob(folder + "/out/bea/*.eml")[0]).st_mode & 0o7777), "0o660")
        wait_for(lambda: any("cannot" in str(row["last_error"]) for row in a.json("queue", "list")), "no mail by a link")
        equal(os.listdir(b.dir + "/elsewhere"), [])


def test_fxf_02_killed_on_either_side_one_copy():
    a, b, folder = pair()
    with a, b:
        a.add_user("anna")
        b.add_user("bea")
        b.cli("collect", "add", "files", "kind=spool", "path=" + folder, "accepted=b.test")
        with submission(a) as s:
            for i in range(1, 31):
                s.sendmail("anna@example.test", ["bea@b.test"], mail(i, 10000))
        for turn in range(4):
            wait_for(lambda: glob.glob(folder + "/in/*"), "it writes")
            a.kill()
            b.cli("collect", "now", "files")
            wait_for(lambda: numbers(b, "bea") or turn, "it takes")
            b.kill()
            b.start()
            a.start()
        wait_for(lambda: waiting(a) == 0, "all has left", 60)
        wait_for(lambda: now(b)["fetched"] == 0 and not glob.glob(folder + "/in/*.eml"), "all is taken", 30)
        equal(numbers(b, "bea"), list(range(1, 31)), "one copy of each")


def test_fxf_02_dead_before_it_was_noted():
    """A wrote, B took, and A is as it was before: it writes no second copy."""
    a, b, folder = pair()
    with a, b:
        a.add_user("anna")
        b.add_user("bea")
        b.cli("collect", "add", "files", "kind=spool", "path=" + folder, "accepted=b.test")
        os.rename(folder + "/in", folder + "/gone")
        said = a.cli("route", "test", "files", ok=False)
        true(said.returncode == 1 and "cannot use the folder \"in\" in it: No such" in said.stdout + said.stderr, said)
        with submission(a) as s:
            s.sendmail("anna@example.test", ["bea@b.test"], mail(1))
        wait_for(lambda: "cannot use the folder" in str(a.json("queue", "list")), "the folder is not there: it waits")
        a.stop()
        shutil.copytree(a.store, a.store + ".before")
        os.rename(folder + "/gone", folder + "/in")
        for turn in range(2):
            a.start()
            a.cli("queue", "retry", "--all", "--wait")
            equal(waiting(a), 0)
            equal(len(glob.glob(folder + "/in/*.eml")), 1 - turn, "a file, and then none")
            equal(now(b)["fetched"], 1 - turn)
            a.stop()
            shutil.rmtree(a.store)
            shutil.copytree(a.store + ".before", a.store)
        equal(numbers(b, "bea"), [1])
        equal(len(glob.glob(folder + "/in/*.taken")), 1)
        a.start()


def test_fxf_01_folders_of_users():
    a, b, folder = pair("users")
    with a, b:
        a.add_user("anna")
        b.add_user("bea")
        b.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=bea", "accepted=b.test")
        with submission(a) as s:
            s.sendmail("anna@example.test", ["bea@b.test"], mail(1))
        wait_for(lambda: glob.glob(folder + "/out/bea/*.eml"), "a file for bea")
        equal((now(b)["fetched"], numbers(b, "bea")), (1, [1]))


def test_an_empty_file_waits_and_is_set_aside_then():
    """FXF-01: no message has no bytes. One that is written on the spot comes when it is there; one whose writer died is told of once a day."""
    with Server() as s:
        s.add_user("anna")
        folder = exchange(s)
        s.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=anna", "accepted=example.test")
        put(folder + "/out/anna", "one", b"")
        put(folder + "/out/anna", "two", mail(2))
        answer = now(s)
        equal((answer["fetched"], answer["errors"]), (1, []), "it may be written at this moment")
        os.utime(folder + "/out/anna/one.eml", (1, 1))
        answer = now(s)
        equal((answer["fetched"], answer["deleted"], len(answer["errors"])), (0, 0, 1))
        true("empty" in answer["errors"][0] and "one.eml" in answer["errors"][0], answer)
        equal(now(s)["errors"], [], "not again before a day is over")
        true(os.path.exists(folder + "/out/anna/one.eml"), "it is nobody's but the writer's")
        put(folder + "/out/anna", "one", mail(1))
        equal(now(s)["fetched"], 1, "its writer came back")
        equal(numbers(s, "anna"), [1, 2])


def test_folders_of_users_in_any_letter_case():
    """FXF-01, FXF-02: names of users have no letter case, so their folders have none."""
    a, b, folder = pair("users")
    with a, b:
        a.add_user("anna")
        b.add_user("bea")
        b.add_user("ben")
        b.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=BEA;Ben;bea", "accepted=b.test")
        os.mkdir(folder + "/out/Bea")
        with submission(a) as s:
            for i, to in enumerate(("bea", "BEA", "Bea", "BEN", "ben")):
                s.sendmail("anna@example.test", [to + "@b.test"], mail(i))
        wait_for(lambda: waiting(a) == 0, "all has left")
        equal(sorted(os.listdir(folder + "/out")), ["Bea", "ben"], "the one that was there is used, a new one has small letters")
        os.mkdir(folder + "/out/beA")
        put(folder + "/out/beA", "other", mail(9))
        equal((now(b)["fetched"], now(b)["fetched"]), (6, 0))
        equal((numbers(b, "bea"), numbers(b, "ben")), ([0, 1, 2, 9], [3, 4]))
        equal(glob.glob(folder + "/out/*/*.eml"), [])


def test_fxf_03_a_satellite_and_its_parent():
    """The same user with the same password on both sides; all that he sends goes to the parent (LOC-08)."""
    top = tempfile.TemporaryDirectory(prefix="exchange-")
    folder = top.name
    os.makedirs(folder + "/in")
    os.makedirs(folder + "/out")
    os.chmod(folder, 0o777)
    parent = Server(extra=OUT.replace("b.test", "satellite.test") % (folder, "users"))
    satellite = Server(extra=OUT.replace("[b.test]", "['*']") % (folder, "in"))
    with top, parent, satellite:
        satellite.cli("config", "set", "domains.route_locally", "no")
        for side in (parent, satellite):
            side.add_user("anna")
            side.add_user("bea")
        parent.cli("mapping", "add", "bea", "bea@satellite.test")
        parent.cli("collect", "add", "files", "kind=spool", "path=" + folder, "accepted=example.test")
        satellite.cli("collect", "add", "files", "kind=spool", "path=" + folder, "users=bea", "accepted=example.test")
        with submission(satellite) as s:
            s.sendmail("anna@example.test", ["anna@example.test", "bea@example.test"], mail(1))
        wait_for(lambda: waiting(satellite) == 0, "it has left")
        equal((numbers(satellite, "anna"), numbers(satellite, "bea")), ([], []), "not even what is for its own users stays")
        equal(now(parent)["fetched"], 2)
        equal((numbers(parent, "anna"), numbers(parent, "bea")), ([1], []))
        wait_for(lambda: glob.glob(folder + "/out/bea/*.eml"), "the parent hands it back")
        equal((now(satellite)["fetched"], numbers(satellite, "bea")), (1, [1]))


if __name__ == "__main__":
    sys.exit(tap([(name[5:].replace("_", " "), test) for name, test in list(globals().items()) if name.startswith("test_")]))
