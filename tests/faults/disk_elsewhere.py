"""disk_elsewhere.py - no room where nobody waits for a reply: in the folder of a route (FXF-02), under letters of the server (H43)."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from load import FAULTS, end, equal  # noqa: E402
from exchange import OUT, mail, numbers, submission  # noqa: E402
from postroom import BUILD, Server, figure, true, wait_for  # noqa: E402
from sweep import ON, Aim  # noqa: E402

SITES = int(os.environ.get("POSTROOM_SITES", "5"))
SIZE = 300000  # several writes each


class Full:
    """A server whose writes to PATH fail when it is told so."""

    def __init__(self, calls, path, **more):
        self.work = tempfile.mkdtemp(prefix="postroom-elsewhere-")
        self.folder = self.work + "/exchange"
        os.makedirs(self.folder + "/out")
        self.aim = Aim(self.work + "/ctl")
        self.server = Server(self.work + "/server", extra=more.get("extra", "").replace("FOLDER", self.folder))
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": "%s:p=0:path=%s" % (calls, path)}

    def __enter__(self):
        self.server.start()
        self.server.add_user("anna", "--admin")
        return self

    def __exit__(self, *_):
        end(self.server)
        shutil.rmtree(self.work, ignore_errors=True)


def files(folder, ending=""):
    return sorted(glob.glob(folder + "/out/*/*" + ending) + glob.glob(folder + "/out/*/.*" + ending))


def send(server, number):
    with submission(server) as s:
        s.sendmail("anna@example.test", ["bea@b.test", "ben@b.test"], mail(number, SIZE))


def log_of(server):
    with open(server.dir + "/log/main.log", errors="replace") as f:
        return f.read()


def full_at(full, peer, call, site, number):
    """No room from the SITE-th call on. True: the delivery met it."""
    server, folder, what = full.server, full.folder, "%s %d" % (call, site)
    full.aim.arm(site, "ENOSPC", ON)
    send(server, number)
    wait_for(lambda: all("No space left" in str(row["last_error"]) for row in server.json("queue", "list")), what + ": it is told, or has left")
    met = full.aim.hits() >= site
    equal((len(server.json("queue", "list")) > 0), met, what)
    equal([f for f in files(folder) if not f.endswith((".eml", ".taken"))], [], what + ": nothing half stays on a full disk")
    peer.cli("collect", "now", "files", "--wait")  # takes what is whole
    full.aim.disarm()
    server.cli("queue", "retry", "--all", "--wait")
    equal(server.json("queue", "list"), [], what + ": all has left when there is room")
    peer.cli("collect", "now", "files", "--wait")
    equal([numbers(peer, user) for user in ("bea", "ben")], [list(range(1, number + 1))] * 2, what + ": each once")
    equal(files(folder, ".eml"), [], what)
    return met


def sweep(call):
    number = site = 0
    with Full(call, "exchange/out", extra=OUT % ("FOLDER", "users")) as full, Server(domain="b.test") as peer:
        for user in ("bea", "ben"):
            peer.add_user(user)
        peer.cli("collect", "add", "files", "kind=spool", "path=" + full.folder, "users=bea;ben", "accepted=b.test")
        peer.stop()
        peer.start()  # a path that is new in the file
        met = True
        while met and site < SITES:
            number, site = number + 1, site + 1
            met = full_at(full, peer, call, site, number)
        true(site > 1, "no call was met")
        equal(full.server.stop(), 0)
    return site


def test_a_full_disk_under_the_folder_of_a_route_FXF_02():
    sites = [sweep(call) for call in ("write", "fsync")]
    figure("the folder of a route was full at %d writes and %d syncs: nothing is lost, and nothing came twice" % tuple(sites))


def test_a_stop_while_letters_wait_for_room_H43():
    """Who waits for one hears of it, and the server goes; it does not stay for the room."""
    with Full("pwrite,writev,fdatasync,ftruncate,fallocate", "store") as full:
        server = full.server
        full.aim.arm(1, "ENOSPC", ON)
        command = subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, "message", "send", "anna", "--subject", "x", "--text", "hello"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(lambda: "a message of the server waits for room" in log_of(server), "the letter meets the full disk")
        equal(server.stop(), 0)
        said = command.communicate(timeout=30)[0]
        true(command.returncode != 0 and b"could not be sent" in said, said)


TESTS = [test_a_full_disk_under_the_folder_of_a_route_FXF_02, test_a_stop_while_letters_wait_for_room_H43]
