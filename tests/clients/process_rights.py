#!/usr/bin/env python3
"""process_rights.py - what the process may do, hands on and keeps: rights, descriptors, passwords. TAP."""
import base64
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD, Server, Skip, equal, tap, true, unverified, wait_for  # noqa: E402
from server_process import MESSAGE, Line, answers, change_config, reload, server_pid, status_of  # noqa: E402

CLOEXEC = 0o2000000


# --- rights ---

def low_ports(count):
    found = []
    for port in range(700, 1023):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                found.append(port)
            except OSError:
                continue
        if len(found) == count:
            return found
    raise Skip("no free ports under 1024")


def in_namespace(server, folder):
    """Start where /etc/passwd and /etc/group know a user postroom, which this machine need not have."""
    for name, line in (("passwd", "postroom:x:61999:61999::/nonexistent:/usr/sbin/nologin"), ("group", "postroom:x:61999:")):
        with open("/etc/" + name) as f:
            text = "".join(row for row in f if not row.startswith("postroom:"))
        with open("%s/%s" % (folder, name), "w") as f:
            f.write(text + line + "\n")
    script = 'mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group && shift && exec "$@"'
    probe = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", folder, "true"], capture_output=True)
    if probe.returncode != 0:
        raise Skip("no mount namespace here")
    server.stderr = open(server.stderr_path, "ab")
    server.mark = server.stderr.tell()
    server.process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script, "sh", folder, server.program, "-f", "-c", server.config],
        stdin=subprocess.DEVNULL, stdout=server.stderr, stderr=server.stderr, cwd=server.dir)
    server.wait_ready()


def test_the_start_prints_one_line_when_it_is_ready_ADM_11():
    with Server(services=("smtp",)) as server:
        equal([line for line in server.errors().splitlines() if line.startswith("ready")], ["ready"], "beside the log")
        with server.smtp() as c:
            equal(c.noop()[0], 250, "and it is ready then")


def test_started_as_root_the_server_and_the_runner_of_programs_give_up_their_rights_h55_SEC_11_SEC_12():
    if os.getuid() != 0:
        raise Skip("needs root")
    server, folder = Server(services=("smtp", "pop3")), tempfile.mkdtemp(prefix="postroom-test-")
    try:
        os.chmod(server.dir, 0o755)  # others may pass; the folders below are the server's own
        home = server.dir + "/home"
        change_config(server, lambda t: t.replace("data: %s" % server.store, "data: %s/store" % home)
                      .replace("control: %s" % server.socket, "control: %s/control.sock" % home)
                      .replace("tls: { certificate: %s/tls/cert.pem, key: %s/tls/key.pem }\n" % (server.dir, server.dir), ""))
        for service, port in zip(("smtp", "pop3"), low_ports(2)):
            change_config(server, lambda t: t.replace(":%d" % server.ports[service], ":%d" % port))
            server.ports[service] = port
        server.socket = home + "/control.sock"
        os.chmod(server.config, 0o644)
        in_namespace(server, folder)
        child = server_pid(server)
        s = status_of(child)
        equal(s["Uid"].split(), ["61999"] * 4, "uid")
        equal(s["Gid"].split(), ["61999"] * 4, "gid")
        equal(s["Groups"].split(), ["61999"], "groups")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            equal(int(s[name], 16), 0, name)
        equal(s["NoNewPrivs"], "1")
        if "asan" not in BUILD:
            equal(s["Seccomp"], "2", "a filter")
        equal(status_of(server.process.pid)["Seccomp"], "0", "the warden starts programs")
        equal(status_of(server.process.pid)["Uid"].split(), ["0"] * 4, "the warden keeps its own")
        server.add_user("anna")
        server.cli("user", "script", "anna", "-", stdin="keep()\n")  # compiled by a child of the runner of programs
        with open("/proc/%d/task/%d/children" % (server.process.pid, server.process.pid)) as f:
            runner = status_of([int(pid) for pid in f.read().split() if int(pid) != child][0])
        equal((runner["Uid"].split(), int(runner["CapEff"], 16)), (["61999"] * 4, 0), "no program is root's")
        server.send("a@b.test", ["anna@example.test"], MESSAGE)
        equal([os.stat(home + d).st_uid for d in ("", "/store", "/control.sock")], [61999] * 3, "owners")
        equal(os.stat("/proc/%d/mem" % child).st_uid, 0, "not dumpable: its /proc is root's")
        # a reload may bind another low port through the warden
        old, new = server.ports["pop3"], [p for p in low_ports(3) if p not in server.ports.values()][0]
        change_config(server, lambda t: t.replace(":%d" % old, ":%d" % new))
        reload(server)
        wait_for(lambda: answers(new) and not answers(old), "the low port moved")
        equal(server.stop(), 0)
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        server.clean()
        shutil.rmtree(folder)


def test_root_without_the_user_postroom_runs_programs_and_scripts_as_nobody_SEC_11():
    if os.getuid() != 0:
        raise Skip("needs root")
    if subprocess.run(["id", "postroom"], capture_output=True).returncode == 0:
        raise Skip("there is a user postroom: the server is he")
    with Server(services=("smtp",)) as server:
        server.add_user("anna")
        server.cli("user", "script", "anna", "-", stdin="keep()\n")  # compiled by a child of the runner
        runner = []

        def alone():
            """What compiled the script ends by and by."""
            try:
                runner[:] = [s for s in map(status_of, server.pids()[1:]) if s["Uid"].split()[0] != "0"]
            except (FileNotFoundError, ProcessLookupError):
                return False
            return len(runner) == 1
        wait_for(alone, "the runner alone")
        nobody = pwd.getpwnam("nobody")
        equal([(r["Uid"].split(), r["Gid"].split(), r["Groups"].split(), r["NoNewPrivs"]) for r in runner],
              [([str(nobody.pw_uid)] * 4, [str(nobody.pw_gid)] * 4, [str(nobody.pw_gid)], "1")], "the runner, with no way back")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            equal(int(runner[0][name], 16), 0, name)

        def said():
            with open(server.dir + "/log/main.log") as f:
                return "programs and scripts run as nobody" in f.read()
        wait_for(said, "said at the start")


def test_descriptors_do_not_reach_children_h62():
    with Server() as server:
        lines = [Line(server.ports["smtp"]), Line(server.ports["pop3s"], unverified())]
        looked = 0
        for pid in server.pids():
            try:
                numbers = sorted(map(int, os.listdir("/proc/%d/fdinfo" % pid)))
            except PermissionError:
                raise Skip("only root may look into a process that is not dumpable")
            except FileNotFoundError:  # a helper that has ended
                continue
            for n in numbers:
                if n <= 2:
                    continue
                try:
                    with open("/proc/%d/fdinfo/%d" % (pid, n)) as f:
                        flags = next(int(row.split()[1], 8) for row in f if row.startswith("flags"))
                    what = os.readlink("/proc/%d/fd/%d" % (pid, n))
                except FileNotFoundError:  # what a start or a task reads is closed again
                    continue
                true(flags & CLOEXEC, "fd %d of %d: %s" % (n, pid, what))
                looked += 1
        true(looked > 15, "looked at %d descriptors" % looked)
        for line in lines:
            line.close()


# --- secrets ---

def found_in_memory(pid, words):
    """What of WORDS is anywhere in the writable memory of a process, the store's file left out."""
    found = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for row in maps:
            columns = row.split()
            if "w" not in columns[1] or "mdb" in columns[-1]:
                continue
            start, end = (int(x, 16) for x in columns[0].split("-"))
            if end - start > 1 << 30:
                continue  # room that a sanitizer has taken
            try:
                memory.seek(start)
                block = memory.read(end - start)
            except (OSError, ValueError):
                continue
            found += ["%s in %s" % (w, columns[-1]) for w in words if w in block]
    return found


def test_passwords_do_not_stay_in_memory_h66():
    if os.getuid() != 0:
        raise Skip("only root may look into a process that is not dumpable")
    secret = "memory-canary 4711"
    plain = base64.b64encode(b"\0anna\0" + secret.encode())
    words = [secret.encode(), plain[8:], base64.b64encode(secret.encode())[:-4]]
    with Server() as server:
        pid = server_pid(server)
        server.add_user("anna", password=secret)

        def look(where):
            equal(found_in_memory(pid, words), [], where)
        look("after user add")
        pop = Line(server.ports["pop3"])
        pop.say("USER anna")
        equal(pop.say("PASS " + secret)[:3], b"+OK")
        look("after PASS")
        with server.smtp("submissions") as smtp:
            smtp.login("anna", secret)
            look("after AUTH PLAIN")
        with server.smtp("submissions") as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = "anna", secret
            smtp.auth("LOGIN", smtp.auth_login)
            look("after AUTH LOGIN")
        pop.s.sendall(b"QUIT\r\n" + b"PASS " + secret.encode())  # half a line, after the end
        pop.is_closed()
        look("after all is closed")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
