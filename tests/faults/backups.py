"""backups.py - backups under load: each restores, and holds what was acknowledged before it began (H52)."""
import os
import shutil
import subprocess
import tempfile
import time

from load import Sender, all_of, end, equal, stop, stored, with_users
from postroom import BUILD, Server, figure, true

BACKUPS = int(os.environ.get("POSTROOM_BACKUPS", "5"))
KILLED = max(2, BACKUPS // 10)  # backups that a kill breaks off (H45)
A_SERVER = 20  # backups of one server: its store grows by each
USERS = ["anna", "bert"]


def restore(config, folder):
    return subprocess.run([os.path.join(BUILD, "postroomd"), "-c", config, "--restore", folder],
                          capture_output=True, text=True, timeout=60)


def restore_into(work, folder):
    """A server of its own whose store is the backup."""
    other = Server(os.path.join(work, "restored"), services=("smtp",))
    r = restore(other.config, folder)
    equal(r.returncode, 0, "restore: " + r.stderr + r.stdout)
    status, text = other.check()
    equal(status, 0, "the check of a restored store: " + text[-400:])
    return other


def under_load(server, number):
    senders = [Sender(server.ports["smtp"], number * 10 + i, USERS, (300, 3000, 20000)) for i in range(2)]
    for s in senders:
        s.start()
    return senders


def one_backup(work, server, number, known):
    """Take it under load, restore it; (what was acknowledged till its end, seconds)."""
    folder = os.path.join(work, "backup")
    os.mkdir(folder)
    senders = under_load(server, number)
    time.sleep(0.1)
    before = known + all_of(senders, "acknowledged")
    began = time.time()
    server.cli("backup", folder)
    took = time.time() - began
    stop(senders)
    other = restore_into(work, folder)
    equal(sorted(set(before) - set(stored(other.store))), [], "acknowledged before backup %d and not in it" % (number + 1))
    if number == 0:  # it serves, too
        other.start()
        equal(sorted(u["name"] for u in other.json("user", "list")), ["*OUTQUEUE", "anna", "bert", "postmaster"], "users")
        equal(other.stop(), 0, "exit status")
    shutil.rmtree(other.dir)
    shutil.rmtree(folder)
    return known + all_of(senders, "acknowledged"), took


def backups_of_one_server(count):
    """The messages of its last backup, and the seconds of the slowest one."""
    work = tempfile.mkdtemp(prefix="postroom-backups-")
    server, known, slowest = Server(work + "/server", services=("smtp",)), [], 0.0
    try:
        with_users(server, *USERS)
        for number in range(count):
            known, took = one_backup(work, server, number, known)
            slowest = max(slowest, took)
        equal(server.stop(), 0, "exit status")
        equal(sorted(set(known) - set(stored(server.store))), [], "lost meanwhile")
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)
    return len(known), slowest


def test_backups_under_load_hold_all_that_was_acknowledged_H52():
    rounds = [backups_of_one_server(min(A_SERVER, BACKUPS - done)) for done in range(0, BACKUPS, A_SERVER)]
    figure("backups: %d under load, all restored, up to %d messages, slowest %.0f ms"
           % (BACKUPS, max(r[0] for r in rounds), max(r[1] for r in rounds) * 1e3))


def test_a_killed_backup_leaves_the_store_and_no_half_backup_H45_H52():
    work = tempfile.mkdtemp(prefix="postroom-backups-")
    server, known = Server(work + "/server", services=("smtp",)), []
    try:
        with_users(server, *USERS)
        for number in range(KILLED):
            folder = os.path.join(work, "backup%d" % number)
            os.mkdir(folder)
            senders = under_load(server, 1000 + number)
            time.sleep(0.1)
            command = subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, "backup", folder],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.002 + 0.004 * (number % 5))
            server.kill()
            command.wait(60)
            stop(senders)
            known += all_of(senders, "acknowledged")
            equal(sorted(set(known) - set(stored(server.store))), [], "acknowledged and lost")
            if os.path.exists(os.path.join(folder, "data.mdb")):  # then it is whole
                shutil.rmtree(restore_into(work, folder).dir)
            server.start()
        shutil.rmtree(folder)
        os.mkdir(folder)
        server.cli("backup", folder)
        shutil.rmtree(restore_into(work, folder).dir)
        equal(server.stop(), 0, "exit status")
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)


def test_a_backup_that_is_damaged_is_not_restored_H52():
    work = tempfile.mkdtemp(prefix="postroom-backups-")
    server = Server(work + "/server", services=("smtp",))
    try:
        with_users(server, "anna")
        folder = os.path.join(work, "backup")
        os.mkdir(folder)
        server.cli("backup", folder)
        equal(server.stop(), 0, "exit status")
        os.truncate(os.path.join(folder, "data.mdb"), 100)
        r = restore(server.config, folder)
        equal(r.returncode, 1, "restoring a damaged backup")
        lines = r.stderr.strip().split("\n")
        true(len(lines) == 1 and lines[0].startswith("postroomd: "), "one clear line: %r" % r.stderr)
        server.start()
        equal(sorted(u["name"] for u in server.json("user", "list")), ["*OUTQUEUE", "anna", "postmaster"], "users afterwards")
        equal(server.stop(), 0, "exit status")
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)


TESTS = [test_backups_under_load_hold_all_that_was_acknowledged_H52, test_a_killed_backup_leaves_the_store_and_no_half_backup_H45_H52,
         test_a_backup_that_is_damaged_is_not_restored_H52]
