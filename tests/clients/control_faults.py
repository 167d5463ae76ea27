#!/usr/bin/env python3
"""Each system call of the control socket's work failed in turn (H82): an answer, an error or a closed
connection, never a wrong answer, a hang or a dead server; and the store is whole afterwards."""
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "harness")]
from control_server import Link  # noqa: E402
from postroom import BUILD, Server, equal, tap, true, wait_for  # noqa: E402

FAULTS = os.path.join(BUILD, "faults", "faultinj.so")
ERRNO = {"EIO": 5, "EAGAIN": 11, "EMFILE": 24, "ENOSPC": 28, "EINTR": 4, "short": 0, "ECONNRESET": 104, "ENOMEM": 12}
CALLS = [("recvmsg", "EIO EINTR EAGAIN ECONNRESET short"), ("send", "ECONNRESET EINTR EAGAIN short"),
         ("sendmsg", "ECONNRESET EINTR EAGAIN short"), ("write", "EIO ENOSPC short"), ("pread", "EIO short"),
         ("open", "EMFILE EIO"), ("openat", "EMFILE"), ("rename", "EIO"), ("accept4", "EMFILE EINTR"),
         ("close", "EINTR"), ("epoll_ctl", "ENOMEM"), ("read", "EINTR"), ("malloc", "ENOMEM"), ("calloc", "ENOMEM"),
         ("realloc", "ENOMEM")]
FILES_ONLY = {"write": ":kind=file"}  # the rest of them wake loops up, by an eventfd, which does not fail
MEMORY = ("malloc", "calloc", "realloc")  # these may end the process, by itself and at once
SITES_MAX = int(os.environ.get("POSTROOM_SITES", "6"))


class Aim:
    """The control file of the injector; its layout is that of struct ctl in tests/faults/faultinj.c."""

    def __init__(self, path):
        self.path = path

    def write(self, at, data):
        with open(self.path, "r+b") as f:
            f.seek(at)
            f.write(data)

    def arm(self, number, fault):
        self.write(8, bytes(8))
        self.write(64, bytes(768))
        self.write(48, struct.pack("<QQ", number, ERRNO[fault]))
        self.write(8, b"\1" + bytes(7))

    def disarm(self):
        self.write(8, bytes(8))

    def hits(self):
        with open(self.path, "rb") as f:
            f.seek(576)
            return struct.unpack("<Q", f.read(8))[0]


def methods(server):
    """A handful of calls that look, change, read and write files. Every answer is JSON with our id."""
    link = Link(server.socket)
    link.s.settimeout(60)
    text = os.path.join(server.dir, "passed")
    with open(text, "w+b") as f:
        f.write(b"From: a@example.net\r\nSubject: passed\r\n\r\n")
        f.flush()
        for method, fds, params in [
                ("hello", [], {}), ("status", [], {}), ("user.list", [], {}),
                ("user.set", [], {"name": "anna", "keys": {"comment": "x"}}),
                ("config.set", [], {"key": "limits.recipients", "value": "777"}),
                ("explain", [f], {"from": "a@example.net", "to": ["anna@example.test"], "message": 0}),
                ("user.export", [f], {"out": 0}), ("undo.apply", [], {}), ("log.tail", [], {"lines": 3})]:
            reply = link.call(method, fds=[x.fileno() for x in fds], **params)
            true(("result" in reply) != ("error" in reply), "an answer is a result or an error: %r" % reply)
    link.close()


def attempt(server):
    """True where all went well; a connection that ends is no fault, a hang is."""
    try:
        methods(server)
        return True
    except (EOFError, ConnectionError):
        return False


def alive(server):
    return server.process.poll() is None and server.cli("status", "--check", ok=False).returncode == 0


def restarted(server, call):
    """Memory that is refused may end the process; then it starts again, and is asked once more."""
    if call in MEMORY and server.process.poll() is not None:
        server.kill()
        server.start()
    return False


def sweep(call, faults):
    work = tempfile.mkdtemp(prefix="postroom-control-faults-")
    server = Server(work, services=("smtp",))
    try:
        server.start()
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        server.stop()
        aim = Aim(os.path.join(work, "ctl"))
        server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": aim.path, "FAULT_ARMED": "0", 
                      "FAULT_SPEC": call + ":p=0" + FILES_ONLY.get(call, "")}
        server.start()
        for fault in faults.split():
            for number in range(1, SITES_MAX + 1):
                aim.arm(number, fault)
                attempt(server)
                hits = aim.hits()
                aim.disarm()
                wait_for(lambda: alive(server) or restarted(server, call), "the server answers after %s %s at %d" % (call, fault, number))
                if hits < number:
                    break
        true(attempt(server), "all is well again")
        equal(server.stop(), 0, "exit status")
        server.env = {}
        status, text = server.check()
        equal(status, 0, text)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        server.owned = True
        server.clean()


def main():
    return tap([("H82 control socket: %s fails" % call, lambda c=call, f=faults: sweep(c, f))
                for call, faults in CALLS])


if __name__ == "__main__":
    sys.exit(main())
