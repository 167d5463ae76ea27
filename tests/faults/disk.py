"""disk.py - a full disk: mail is put off, deletes go on, mail comes again (H43). A real 64 MB one where root may mount it."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from load import delivery, end, equal, message_id, stored, with_users  # noqa: E402
from postroom import Server, Skip, figure, true, wait_for  # noqa: E402
from tests.harness.imap import Imap  # noqa: E402

ROUNDS = int(os.environ.get("POSTROOM_DISK_ROUNDS", "2"))
DISK_MB = 64
BODY = (b"x" * 70 + b"\r\n") * 4000  # 288 KB
MOST_MESSAGES = 600


class Disk:
    """A file system of 64 MB, mounted where this user may."""

    def __init__(self, kind):
        self.work, self.kind, self.mounted = tempfile.mkdtemp(prefix="postroom-disk-"), kind, False
        self.path = os.path.join(self.work, "disk")

    def __enter__(self):
        os.mkdir(self.path)
        image = os.path.join(self.work, "image")
        commands = (["truncate", "-s", "%dM" % DISK_MB, image], ["mkfs." + self.kind, "-q", image],
                    ["mount", "-o", "loop", image, self.path])
        self.mounted = os.geteuid() == 0 and all(run_quietly(c) for c in commands)
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", self.path], check=True)
        shutil.rmtree(self.work, ignore_errors=True)


def run_quietly(command):
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def fill(server, acknowledged):
    """Send until it is refused; how many were taken."""
    for count in range(MOST_MESSAGES):
        line = delivery(server.ports["smtp"], BODY)
        if not message_id(line):
            true((line or b"").startswith(b"452 4.3.1 "), "a full disk is answered %r" % line)
            return count
        acknowledged.append(message_id(line))
    raise AssertionError("%d messages and the disk is not full" % MOST_MESSAGES)


def empty(server):
    p = server.pop("anna")
    for n in range(p.stat()[0]):
        p.dele(n + 1)
    p.quit()
    equal(server.pop("anna").stat()[0], 0, "deletes on a full disk")


def all_room_is_back(server):
    """It comes in slices, one soon after the other."""
    used = lambda: server.json("status")[0]["store"]["used"]  # noqa: E731
    before = used()
    time.sleep(0.5)
    return used() == before


def imap_goes_on(server):
    """What needs room is refused, what gives some back is not, and searches answer."""
    with Imap(server.ports["imap"]).login("anna") as c:
        c.ok("SELECT INBOX")
        for command in ("COPY 1 Trash", "COPY 1:* Trash", b"APPEND Trash {%d+}\r\n%s" % (len(BODY), BODY)):
            true(c.no(command).startswith(b"[OVERQUOTA]"), "%r on a full disk" % command[:20])
        for command in ("STORE 1 +FLAGS (\\Seen)", "UID SEARCH BODY xxxxx", "MOVE 1 Trash", "SELECT Trash", "STORE 1:* +FLAGS (\\Deleted)",
                        "EXPUNGE", "DELETE Trash", "CREATE Trash"):
            c.ok(command)


def full_rounds(server, rounds, what):
    acknowledged, counts = [], []
    for number in range(rounds):
        wait_for(lambda: counts.append(fill(server, acknowledged)) or counts[-1] > 0, "round %d: a message has room" % (number + 1))
        counts[:] = [count for count in counts if count > 0]
        equal(server.process.poll(), None, "it serves on")
        equal(server.pop("anna").stat()[0], counts[-1], "messages there in round %d" % (number + 1))
        status, text = server.check()
        equal(status, 0, "the check of a full store: " + text[-400:])
        imap_goes_on(server)
        empty(server)
        wait_for(lambda: message_id(delivery(server.ports["smtp"])), "mail comes again after the deletes")
        empty(server)
        wait_for(lambda: all_room_is_back(server), "no more room comes")
    # room comes back a slice at a time, so a round may end early; not all of them
    true(sum(counts) > 20 * rounds, "messages that had room in the rounds: %r" % counts)
    figure("%s: %d rounds of full and empty, %s messages each" % (what, rounds, "/".join(map(str, counts[:6]))))


def run_on(work, store, extra, what):
    server = Server(work + "/server", extra=extra, services=("smtp", "pop3", "pop3s", "imap"))
    server.store = store
    server.write_config()
    try:
        with_users(server, "anna")
        full_rounds(server, ROUNDS, what)
        status = server.stop()
        equal(status, 0, "exit status, after " + server.errors()[-700:])
        equal(stored(server.store), [], "messages at the end")
    finally:
        end(server)


def test_a_full_ext4_disk_refuses_and_recovers_H43():
    with Disk("ext4") as disk:
        if not disk.mounted:
            raise Skip("no right to mount a disk")
        run_on(disk.work, disk.path + "/store", "limits: { message_size: 1MB }\n", "a disk of 64 MB, ext4")


def test_a_full_store_refuses_and_recovers_H43():
    work = tempfile.mkdtemp(prefix="postroom-full-")
    try:
        run_on(work, work + "/store", "store: { max_size: 64MB }\nlimits: { message_size: 1MB }\n", "store.max_size of 64 MB")
    finally:
        shutil.rmtree(work, ignore_errors=True)


TESTS = [test_a_full_ext4_disk_refuses_and_recovers_H43, test_a_full_store_refuses_and_recovers_H43]
