#!/usr/bin/env python3
"""rights.py - what the server may not do, tried from inside of it (H55): TAP."""
import contextlib
import json
import os
import subprocess
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import certificates  # noqa: E402
from name_server import NameServer  # noqa: E402
from postroom import BUILD, ROOT, STOP_S, Server, Skip, equal, tap, true, wait_for  # noqa: E402

INSIDE = os.path.join(ROOT, "build", "faults", "inside.so")
LANDLOCK_CREATE_RULESET = 444


def kernel_has_landlock():
    import ctypes
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) >= 2


def tried_inside(server):
    """What inside.so said: {"execve": "Operation not permitted", ...}."""
    wait_for(lambda: "inside: end" in server.errors(), "it was tried: " + server.errors()[-300:])
    return [line[8:] for line in server.errors().splitlines() if line.startswith("inside: ")]


def result(lines, what):
    found = [line[len(what) + 1:] for line in lines if line.startswith(what + " ")]
    equal(len(found), 1, what)
    return found[0]


def test_H55_from_inside_the_server_no_program_starts_and_no_foreign_file_opens():
    if "asan" in BUILD:
        raise Skip("the sanitizer's leak checker needs what the filter denies")
    if not kernel_has_landlock():
        raise Skip("this kernel has no Landlock")
    with tempfile.TemporaryDirectory(prefix="postroom-foreign-") as foreign:
        with open(foreign + "/secret", "w") as f:
            f.write("somebody else's\n")
        files = [foreign + "/secret", "+" + foreign + "/new", "/etc/shadow", "/root/.profile",
                 "/etc/ssl/private/any.key", "/proc/1/environ", "/bin/true"]
        server = Server()
        own = [server.store + "/data.mdb", "+" + server.store + "/probe", "+" + server.dir + "/log/probe"]
        server.env = {"LD_PRELOAD": INSIDE, "INSIDE_OPEN": ":".join(files + own)}
        with server:
            server.add_user("anna")  # a connection: now it tries
            lines = tried_inside(server)
            for call in ("execve", "ptrace", "mount"):
                equal(result(lines, call), "Operation not permitted", call)
            for path in files:
                how = "write" if path[0] == "+" else "open"
                true(result(lines, "%s %s" % (how, path.lstrip("+"))) in
                     ("Permission denied", "No such file or directory"), "%s: %s" % (path, lines))
            for path in ("/etc/shadow", foreign + "/secret"):
                equal(result(lines, "open " + path), "Permission denied", path)
            for path in own:
                how = "write" if path[0] == "+" else "open"
                equal(result(lines, "%s %s" % (how, path.lstrip("+"))), "done", path)
            server.send("a@b.test", ["anna@example.test"], "Subject: hi\r\n\r\nstill serving\r\n")


def test_H55_backup_and_maildir_import_go_where_the_server_may_not():
    with tempfile.TemporaryDirectory(prefix="postroom-elsewhere-") as folder, Server() as server:
        for part in ("cur", "new"):
            os.makedirs("%s/md/%s" % (folder, part))
        with open(folder + "/md/cur/1:2,S", "w") as f:
            f.write("Subject: read\n\nx\n")
        os.symlink("/etc/shadow", folder + "/md/new/2")
        server.add_user("anna")
        r = server.cli("message", "import", "anna", folder + "/md", ok=False)
        true("imported" in r.stdout and "is a link" in r.stdout + r.stderr, r.stdout + r.stderr)
        os.mkdir(folder + "/backup")
        server.cli("backup", folder + "/backup")
        true(os.path.getsize(folder + "/backup/data.mdb") > 0, "the backup")
        r = server.cli("backup", folder + "/backup", ok=False)
        equal(r.returncode, 1)
        true("holds a backup already" in r.stderr, r.stderr)


def replace(path, text):
    """As programs that care write a file: under another name first."""
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def role_of(server, gid):
    """What a stranger of that group may be on the control socket."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(server.socket)
                s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
                os.write(into, json.loads(s.makefile().readline())["result"]["role"].encode())
        finally:
            os._exit(0)
    os.close(into)
    os.waitpid(pid, 0)
    with open(out) as f:
        return f.read()


def outcome(server):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "client.test", timeout=60, source_address=("127.0.0.2", 0)) as c:
        c.ehlo()
        c.mail("bo@elsewhere.test")
        return c.rcpt("anna@example.test")[0]


@contextlib.contextmanager
def own_etc(server):
    """A copy of /etc for the server alone, in place of the real one; the path by which we reach it."""
    if os.geteuid() != 0 or not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"]).returncode != 0:
        raise Skip("no mounts of our own here")
    with tempfile.TemporaryDirectory(prefix="postroom-etc-") as etc:
        shutil.copytree("/etc", etc, symlinks=True, dirs_exist_ok=True, ignore_dangling_symlinks=True)
        os.chmod(etc, 0o755)
        server.wrapper = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', etc]
        yield etc


def test_H55_SVC_07_a_certificate_that_only_root_may_look_at_is_followed():
    """As programs that renew certificates leave their folders; the server has a user of its own here (SEC-12)."""
    server = Server(extra="testing: { clock: yes }\n")
    os.chmod(server.dir, 0o755)
    os.chown(server.config, 0, 64999)
    os.chmod(server.config, 0o640)
    certificates.make(server.dir + "/tls", 900)
    os.chmod(server.dir + "/tls", 0o700)
    with own_etc(server) as etc:
        with open(etc + "/passwd", "a") as f:
            f.write("postroom:x:64999:64999::/:/bin/false\n")
        with server:
            pids = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True).stdout.split()
            equal([os.stat("/proc/%s/task" % pid).st_uid for pid in pids], [64999], "its user")
            old = certificates.shown(server)
            certificates.make(server.dir + "/tls", 800)
            server.cli("clock", "advance", "2m")
            wait_for(lambda: certificates.shown(server) != old, "the new one is shown")


def test_H55_system_files_that_are_replaced_are_read_again_H69():
    """An /etc of the server's own, by a mount; resolvconf, DHCP clients and groupadd rename into place."""
    old, new = ("127.%d.%d.%d" % (n, os.getpid() >> 8 & 255, os.getpid() & 255) for n in (77, 78))  # the file has no ports
    server = Server(services=("smtp",), extra='smtp: { blocklists: ["bl.test reject"] }\n'
                    "console: { groups: { viewer: [lookers] } }\n")
    with own_etc(server) as etc, NameServer({}, (old, 53)) as knows_nothing, \
            NameServer({"2.0.0.127.bl.test": "127.0.0.2"}, (new, 53)):
        conf, group = etc + "/resolv.conf", etc + "/group"
        for path in (conf, group):
            if os.path.islink(path):
                os.unlink(path)
        with open("/etc/group") as f:
            groups = f.read()
        replace(group, groups)
        replace(conf, "nameserver %s\n" % old)
        with server:
            server.add_user("anna", "--admin")
            os.chmod(server.dir, 0o755)
            os.chmod(server.socket, 0o666)
            equal(outcome(server), 250, "the first name server")
            equal(knows_nothing.asked("2.0.0.127.bl.test"), 1, "was asked")
            equal(role_of(server, 54321), "nobody")
            replace(group, groups + "lookers:x:54321:\n")
            replace(conf, "nameserver %s\n" % new)
            equal(role_of(server, 54321), "viewer", "a new group counts")
            wait_for(lambda: outcome(server) == 550, "the second name server is asked")


def file_text(server):
    with open(server.store + "/data.mdb", "rb") as f:
        return f.read()


def test_SEC_08_with_encryption_on_the_data_file_shows_no_message_text():
    message = "Subject: headcanary\r\nX-Note: fieldcanary\r\n\r\n" + "bodycanary in a line\r\n" * 500
    with Server() as server:
        server.add_user("anna")
        server.send("a@b.test", ["anna@example.test"], message.replace("canary", "before"))
        server.cli("config", "set", "store.encrypt", "yes")
        equal(server.stop(), 0)
        server.start()
        server.send("a@b.test", ["anna@example.test"], message)
        for word in (b"headcanary", b"fieldcanary", b"bodycanary"):
            true(word not in file_text(server), "%s stands in the data file" % word)
        true(b"bodybefore" in file_text(server), "what came before stays as it was")
        with tempfile.TemporaryDirectory() as folder:
            server.cli("backup", folder)
            with open(folder + "/data.mdb", "rb") as f:
                true(b"bodycanary" not in f.read(), "nor in a backup")
        first, second = server.fetch("anna")
        true(b"bodybefore" in first and second.endswith(message.encode()), "both are read as they were sent")
        true("headcanary" in server.cli("message", "list", "anna").stdout, "its subject, to who may look")
        equal(server.check()[0], 0, "the check")
        equal(server.stop(), 0)
        key = [f for f in os.listdir(server.dir) if "secrets" in f]
        equal(key, ["secrets.key"], "the key lies beside the store's folder")
        os.rename(server.dir + "/secrets.key", server.dir + "/away")
        r = subprocess.run([BUILD + "/postroomd", "-c", server.config, "--check"], capture_output=True, text=True)
        true(r.returncode == 1 and "there is no key" in r.stderr, "--check tells it before the start: " + r.stderr)
        server.start(ready=False)
        equal(server.process.wait(STOP_S), 1, "with another key it does not start")
        true("encrypted with another key" in server.errors(), server.errors())
        os.rename(server.dir + "/away", server.dir + "/secrets.key")
        server.start()
        equal(len(server.fetch("anna")), 2)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
