#!/usr/bin/env python3
"""process.py - the process as an operator meets it: signals, reloads, rights, TLS, memory. TAP.

    tests/clients/process.py [WORD...]     those whose name holds a word
"""
import base64
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import (BUILD, PASSWORD, PATIENCE_S, ROOT, STOP_S, Server, Skip, equal, figure, free_ports, tap, true,  # noqa: E402
                      unverified, wait_for)

PROMPT_S = 15  # what it must not wait for takes longer
MESSAGE = "Subject: hi\r\n\r\nhello\r\n"
DAEMON = os.path.join(BUILD, "postroomd")
IDLE_PLAIN, IDLE_PLAIN_KB = 1000, 8 * 1024
IDLE_TLS, IDLE_TLS_EACH_KB = 200, 60
CLOEXEC = 0o2000000


class Line:
    """A client that speaks line by line."""

    def __init__(self, port, tls=None, greeting=True):
        self.s = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        if tls is not None:
            self.s = tls.wrap_socket(self.s)
        self.f = self.s.makefile("rb")
        self.greeting = self.read() if greeting else b""

    def read(self):
        return self.f.readline().rstrip(b"\r\n")

    def say(self, text):
        self.s.sendall(text.encode() + b"\r\n")
        return self.read()

    def is_closed(self):
        """The server has ended it; what it said before is passed over."""
        try:
            while self.f.readline():
                pass
        except ConnectionError:
            pass
        return True

    def close(self):
        self.f.close()
        self.s.close()


def server_pid(server):
    return server.pids()[1]


def anon_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def run(*args, **more):
    return subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=60, errors="replace", **more)


def reload(server, good=True):
    """SIGHUP, and wait until the server has said what came of it."""
    words = "configuration taken over" if good else "the new configuration is refused"
    before = server.errors().count(words)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server.errors().count(words) > before, words)


def change_config(server, change):
    with open(server.config) as f:
        text = f.read()
    with open(server.config, "w") as f:
        f.write(change(text))


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


# --- the end ---

def test_sigterm_ends_with_sessions_open_in_every_state():
    server = Server().start()
    try:
        server.add_user("anna")
        idle, tls = Line(server.ports["pop3"]), Line(server.ports["pop3s"], unverified())
        silent = Line(server.ports["submissions"], greeting=False)  # its handshake never begins
        data = Line(server.ports["smtp"])
        for words in ("EHLO c.test", "MAIL FROM:<a@b.test>", "RCPT TO:<anna@example.test>", "DATA"):
            data.say(words)
        delayed = Line(server.ports["pop3s"], unverified())
        for _ in range(2):  # the second is slowed by the first (H57)
            delayed.say("USER anna")
            delayed.s.sendall(b"PASS wrong\r\n")
            delayed.read() if _ == 0 else time.sleep(0.2)
        began = time.monotonic()
        equal(server.stop(), 0, "exit status")
        true(time.monotonic() - began < PROMPT_S, "ended after %.1f s" % (time.monotonic() - began))
        for line in (idle, tls, silent, data, delayed):
            line.is_closed()
        true(not os.path.exists(server.socket), "the control socket is gone")
    finally:
        server.clean()


def test_signals_at_the_start_wait_until_it_serves():
    server = Server()
    try:
        server.start(ready=False)
        wait_for(lambda: len(server.pids()) > 1, "the warden has started the server")
        while "ready\n" not in server.errors():
            server.process.send_signal(signal.SIGHUP)  # before it listens to signals, too
            true(server.process.poll() is None, "ended: " + server.errors()[-300:])
            time.sleep(0.002)
        equal(server.stop(), 0, "exit status")
        server.start(ready=False)
        wait_for(lambda: len(server.pids()) > 1, "the warden has started the server")
        server.process.send_signal(signal.SIGTERM)
        equal(server.process.wait(STOP_S), 0, "told to stop at the start")
    finally:
        server.clean()


def test_sigterm_during_a_login_delay_is_prompt_h57():
    server = Server(extra="testing: { clock: yes }\n").start()
    try:
        server.add_user("anna")
        for _ in range(6):  # each after the delay of the one before: the next waits for 32 s and more
            server.cli("clock", "advance", "61s")
            guess = Line(server.ports["pop3s"], unverified())
            guess.say("USER anna")
            guess.say("PASS wrong")
            guess.close()
        last = Line(server.ports["pop3s"], unverified())
        last.say("USER anna")
        last.s.sendall(b"PASS wrong\r\n")
        time.sleep(0.3)
        began = time.monotonic()
        equal(server.stop(), 0, "exit status")
        true(time.monotonic() - began < PROMPT_S, "ended after %.1f s" % (time.monotonic() - began))
    finally:
        server.clean()


def test_sigkill_of_the_server_ends_the_warden_with_a_fault():
    server = Server().start()
    try:
        os.kill(server_pid(server), signal.SIGKILL)
        equal(server.process.wait(STOP_S), 1, "the warden's status")
        true("server: ended by signal 9" in server.errors(), server.errors()[-300:])
        server.wait_unlocked()
        server.start()
        os.kill(server_pid(server), signal.SIGSEGV)
        equal(server.process.wait(STOP_S), 1, "the warden's status")
        true(re.search(r"^postroomd: server: ended by signal 11 [^\n]*please report it\)$", server.errors(), re.M),
             server.errors()[-300:])
        server.wait_unlocked()
        server.start()  # the place is free again
        equal(server.stop(), 0, "exit status")
    finally:
        server.clean()


def test_sigkill_of_the_warden_ends_the_server():
    server = Server().start()
    try:
        child = server_pid(server)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: not os.path.exists("/proc/%d" % child) or status_of(child)["State"][0] == "Z", "the server ends")
        server.start()
        equal(server.stop(), 0, "exit status")
    finally:
        server.clean()


# --- options and starts ---

def test_options():
    with Server() as server:
        equal(run(DAEMON, "--version").stdout, "postroomd 0.1.0\n")
        r = run(DAEMON, "--help")
        equal((r.returncode, "--check-store" in r.stdout), (0, True))
        for wrong in (["--nonsense"], ["word"], ["--repair"], ["-c"]):
            r = run(DAEMON, *wrong)
            equal(r.returncode, 2, " ".join(wrong))
            true(r.stderr.count("\n") == 1, "one line: %r" % r.stderr)
        equal(run(DAEMON, "--check", "-c", server.config).returncode, 0, "--check")
        status, text = server.check()
        equal(status, 0, "--check-store beside the server: " + text)
        bad = server.config + ".bad"
        shutil.copy(server.config, bad)
        with open(bad, "a") as f:
            f.write("nonsense: 1\nloops: many\n")
        r = run(DAEMON, "--check", "-c", bad)
        equal(r.returncode, 1, "--check of a bad file")
        true("nonsense" in r.stderr and "loops" in r.stderr, "all faults at once: " + r.stderr)
        r = run(DAEMON, "-f", "-c", "/nonexistent/postroom.yaml")
        equal((r.returncode, r.stderr.count("\n")), (1, 1), r.stderr)


def test_errors_without_a_server_are_one_line_each():
    with Server(services=("smtp",)) as server:
        backup = server.dir + "/backup"
        os.mkdir(backup)

        def refused(words, *args):
            r = run(DAEMON, *args, "-c", server.config)
            true(r.returncode == 1 and r.stdout == "", "%s: status %d, %s" % (args, r.returncode, r.stdout))
            true(re.fullmatch(r"postroomd: [^\n]*%s[^\n]* \([^\n]+\)\n" % words, r.stderr), r.stderr)
        refused("no backup is there", "--restore", backup)
        refused("in use by another postroomd", "--check-store", "--repair")
        server.cli("backup", backup)
        refused("the store is in use", "--restore", backup)
        equal(server.stop(), 0)
        with open(server.store + "/data.mdb", "r+b") as f:
            f.write(os.urandom(4096))
        refused("not a store", "--check-store")
        refused("not a store", "--check")
        equal(run(DAEMON, "--restore", backup, "-c", server.config).returncode, 0)
        equal(server.check(), (0, "all right: nothing is wrong with the store\n"))
        server.start()


def test_restore_and_check_find_the_configuration_of_the_run_setup():
    with Server(services=("smtp",)) as server:
        server.add_user("anna")
        place = server.dir + "/place"
        backup = server.dir + "/backup"
        os.mkdir(place)
        os.mkdir(backup)
        server.cli("backup", backup)
        equal(server.stop(), 0)
        os.mkdir(place + "/var")
        shutil.copy(server.config, place + "/var/postroom.yaml")
        os.chmod(place + "/var/postroom.yaml", 0o600)
        tool = os.path.join(BUILD, "postroom")
        env = {k: v for k, v in os.environ.items() if k != "POSTROOM_SOCKET"}
        for words in (["check"], ["restore", backup]):
            r = subprocess.run([tool, *words], cwd=place, env=env, capture_output=True, text=True)
            equal(r.returncode, 0, "%s: %s%s" % (words, r.stdout, r.stderr))
        r = subprocess.run([tool, "restore", backup, "-c", server.config], cwd=backup, env=env, capture_output=True, text=True)
        true(r.returncode == 0 or "a moment ago" in r.stderr, r.stdout + r.stderr)
        server.start()


def test_second_server_says_one_line_and_harms_nothing():
    with Server() as server:
        server.add_user("anna")
        r = run(DAEMON, "-f", "-c", server.config, cwd=server.dir)
        equal(r.returncode, 1, "its status")
        equal(r.stderr.count("\n"), 1, r.stderr)
        true(r.stderr.startswith("postroomd: "), r.stderr)
        server.send("a@b.test", ["anna@example.test"], MESSAGE)
        server.cli("status")  # the control socket is still the first one's
        other = Server(folder=tempfile.mkdtemp(prefix="postroom-test-"))
        try:
            change_config(other, lambda t: t.replace(str(other.ports["smtp"]), str(server.ports["smtp"])))
            other.start(ready=False)
            equal(other.process.wait(STOP_S), 1, "a port in use")
            text = [line for line in other.errors().split("\n") if line]
            equal(len(text), 1, str(text))
            true(str(server.ports["smtp"]) in text[0], text[0])
        finally:
            shutil.rmtree(other.dir)


def test_folders_are_made_one_level_deep():
    server = Server()
    try:
        change_config(server, lambda t: t.replace("control: %s" % server.socket, "control: %s/run/control.sock" % server.dir)
                      .replace("data: %s" % server.store, "data: %s/lib/store" % server.dir))
        server.socket = server.dir + "/run/control.sock"
        server.start()
        modes = [oct(os.stat(server.dir + "/" + d).st_mode & 0o777) for d in ("run", "log", "lib", "lib/store")]
        equal(modes, ["0o750", "0o750", "0o700", "0o700"])
        equal(oct(os.stat(server.socket).st_mode & 0o777), "0o660", "the socket (H59)")
        equal(server.stop(), 0)
        change_config(server, lambda t: t.replace("/lib/store", "/no/such/store"))
        server.start(ready=False)
        equal(server.process.wait(STOP_S), 1, "two levels are missing")
        line = server.errors()
        true(line.startswith("postroomd: ") and line.count("\n") == 1 and "setting data" in line, line)
    finally:
        server.clean()


# --- reloads ---

def test_reload_opens_and_closes_ports_and_keeps_sessions():
    with Server() as server:
        server.add_user("anna")
        old, new = server.ports["smtp"], free_ports(1)[0]
        pop, smtp = Line(server.ports["pop3"]), Line(old)
        smtp.say("EHLO c.test")
        change_config(server, lambda t: t.replace(":%d" % old, ":%d" % new))
        reload(server)
        server.ports["smtp"] = new
        wait_for(lambda: not answers(old), "the old port is closed")
        server.send("a@b.test", ["anna@example.test"], MESSAGE)
        equal(pop.say("CAPA")[:3], b"+OK", "a session of another service goes on")
        while pop.read() != b".":
            pass
        while smtp.say("NOOP")[:7] != b"250 2.0":  # after the lines of EHLO
            pass
        pop.close()
        smtp.close()


def test_reload_of_a_bad_file_changes_nothing_h61():
    with Server() as server:
        server.add_user("anna")
        with open(server.config) as f:
            good = f.read()
        change_config(server, lambda t: t.replace(":%d" % server.ports["pop3"], ":%d" % free_ports(1)[0]) + "nonsense: 1\n")
        reload(server, good=False)
        wait_for(lambda: "nonsense" in server.errors(), "the fault is logged")
        true(answers(server.ports["pop3"]), "the old port is open")
        server.send("a@b.test", ["anna@example.test"], MESSAGE)
        r = server.cli("config", "check", ok=False)
        true(r.returncode == 1 and "nonsense" in r.stdout + r.stderr, r.stdout + r.stderr)
        # an address that cannot be had refuses all of it, too
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        change_config(server, lambda _: good.replace(":%d" % server.ports["pop3"], ":%d" % taken.getsockname()[1]))
        reload(server, good=False)
        true(answers(server.ports["pop3"]), "the old port is open")
        change_config(server, lambda _: good)
        reload(server)
        equal(server.cli("config", "check").returncode, 0)
        taken.close()


def test_hundred_reloads_under_load_lose_nothing_h61():
    with Server() as server:
        for user in ("anna", "bert"):
            server.add_user(user)
        sent, faults, stop = {"anna": [], "bert": []}, [], threading.Event()

        def load(user):
            n = 0
            while not stop.is_set():
                try:
                    with server.smtp() as s:
                        for _ in range(10):
                            s.sendmail("a@b.test", [user + "@example.test"], "Subject: %s %d\r\n\r\nx\r\n" % (user, n))
                            sent[user].append(n)
                            n += 1
                except Exception as why:  # whatever a client may meet
                    faults.append(repr(why))
                    return
        threads = [threading.Thread(target=load, args=(u,)) for u in sent]
        for t in threads:
            t.start()
        for n in range(100):
            change_config(server, lambda t: t.split("lockout:")[0] + "lockout: { minutes: %d }\n" % (n + 1))
            reload(server)
        stop.set()
        for t in threads:
            t.join()
        equal(faults, [])
        for user, numbers in sent.items():
            true(len(numbers) > 10, "%s sent %d" % (user, len(numbers)))
            found = sorted(int(m.split(b"Subject: ")[1].split(b"\r\n")[0].split()[1]) for m in server.fetch(user))
            equal(found, sorted(numbers), user)
        figure("100 reloads beside %d messages" % sum(map(len, sent.values())))


def test_reload_changes_limits_of_connections_at_once_h32():
    with Server(extra="limits: { max_connections: 3, consoles: 2 }\n") as server:
        open_lines = [Line(server.ports["pop3"]) for _ in range(3)]
        refused = Line(server.ports["smtp"])
        equal(refused.greeting, b"421 4.7.0 Too many connections")
        refused.is_closed()
        equal(Line(server.ports["pop3"]).greeting[:4], b"-ERR", "POP3 in its own words")
        server.cli("status")  # the control socket has its own share
        consoles = []

        def hold():
            """One more that is in: who asked before may not have gone yet."""
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE_S)
            s.connect(server.socket)
            try:
                s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
                if b'"result"' in s.recv(65536):
                    consoles.append(s)
            except OSError:
                s.close()
            return s in consoles
        for _ in range(2):
            wait_for(hold, "room for two consoles")
        equal(server.cli("status", ok=False).returncode != 0, True, "the third console is refused")
        for s in consoles:
            s.close()
        wait_for(lambda: server.cli("status", ok=False).returncode == 0, "consoles are free again")
        change_config(server, lambda t: t.replace("max_connections: 3", "max_connections: 5"))
        reload(server)
        open_lines += [Line(server.ports["smtp"]), Line(server.ports["smtp"])]
        equal([line.greeting[:3] for line in open_lines[3:]], [b"220"] * 2, "room after the reload")
        equal(Line(server.ports["smtp"]).greeting[:3], b"421", "and no more")
        open_lines.pop().close()
        wait_for(lambda: Line(server.ports["smtp"]).greeting[:3] == b"220", "one who leaves makes room")
        for line in open_lines:
            line.close()


def test_refused_connections_are_in_the_trace_h88():
    with Server(extra="limits: { max_connections: 1 }\ntesting: { clock: yes }\n") as server:
        line = Line(server.ports["pop3"])
        for _ in range(5):
            equal(Line(server.ports["smtp"]).greeting[:3], b"421")
        server.cli("clock", "advance", "2m")  # nobody's commit took them along: the minute's does

        def rows():
            return [r["result"] for r in server.json("trace")]
        wait_for(lambda: "refused 5 times in this hour" in rows(), "the count: %s" % rows())
        true("421 Too many connections" in rows(), str(rows()))
        line.close()


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
        runner = [status_of(pid) for pid in server.pids()[1:] if status_of(pid)["Uid"].split()[0] != "0"]
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
            for n in numbers:
                if n <= 2:
                    continue
                with open("/proc/%d/fdinfo/%d" % (pid, n)) as f:
                    flags = next(int(row.split()[1], 8) for row in f if row.startswith("flags"))
                true(flags & CLOEXEC, "fd %d of %d: %s" % (n, pid, os.readlink("/proc/%d/fd/%d" % (pid, n))))
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


# --- TLS ---

def s_client(server, *args, stdin="QUIT\r\n", service="pop3s"):
    if not shutil.which("openssl"):
        raise Skip("openssl is not here")
    # -ign_eof: its own Q ends it before the greeting may have come; what is said ends the session
    r = run("openssl", "s_client", "-ign_eof", "-connect", "127.0.0.1:%d" % server.ports[service], *args, input=stdin)
    return r.stdout + r.stderr


def test_tls_refuses_what_is_old_h68():
    with Server() as server:
        loose = ["-cipher", "ALL:@SECLEVEL=0"]
        text = s_client(server, "-tls1_2", *loose)
        true("Cipher is ECDHE-" in text and "+OK" in text, text[-800:])
        for old in ("-tls1", "-tls1_1"):
            text = s_client(server, old, *loose)
            true("Cipher is (NONE)" in text and "alert" in text, old + text[-800:])
        for cipher in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"):
            text = s_client(server, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
            true("Cipher is (NONE)" in text and "alert handshake failure" in text, cipher + text[-800:])


def test_tls_refuses_renegotiation_h68():
    with Server() as server:
        if not shutil.which("openssl"):
            raise Skip("openssl is not here")
        p = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", "127.0.0.1:%d" % server.ports["pop3s"]],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while b"+OK" not in p.stdout.readline():
            pass
        p.stdin.write(b"R\n")  # at the start of a line: renegotiate
        p.stdin.flush()
        patience = threading.Timer(PATIENCE_S, p.kill)
        patience.start()
        text = ""
        while not re.search("no renegotiation|alert", text):
            line = p.stdout.readline()
            if not line:
                break
            text += line.decode("utf-8", "replace")
        patience.cancel()
        text += p.communicate(timeout=PATIENCE_S)[0].decode("utf-8", "replace")
        true("RENEGOTIATING" in text, text)
        true("no renegotiation" in text or "alert" in text, text)
        equal(text.count("verify return:1"), 0, "no second handshake: " + text)


def client_hello():
    sent = ssl.MemoryBIO()
    try:
        unverified().wrap_bio(ssl.MemoryBIO(), sent).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


def test_tls_handshake_that_stops_halfway_ends_in_time_h68():
    with Server(extra="timeouts: { handshake: 2s }\n") as server:
        hello, began = client_hello(), time.monotonic()
        lines = [Line(server.ports[s], greeting=False) for s in ("pop3s", "submissions")]
        starttls = Line(server.ports["pop3"])
        starttls.say("STLS")
        for line in lines + [starttls]:
            line.s.settimeout(PATIENCE_S)
            line.s.sendall(hello)
        for line in lines + [starttls]:
            line.is_closed()  # the server's own flight, then the end
            true(time.monotonic() - began > 1.5, "after %.1f s" % (time.monotonic() - began))
    with Server(extra="timeouts: { handshake: 5m }\n") as server:
        half = Line(server.ports["pop3s"], greeting=False)  # no more will come to go on with: it ends at once
        half.s.settimeout(PATIENCE_S)
        half.s.sendall(hello)
        half.s.shutdown(socket.SHUT_WR)
        half.is_closed()


def test_tls_two_commands_in_one_record_h62():
    with Server() as server:
        for service, words in (("pop3s", b"CAPA\r\nNOOP\r\n"), ("submissions", b"NOOP\r\nRSET\r\n")):
            line = Line(server.ports[service], unverified())
            for n in range(20):
                line.s.sendall(words)  # one write is one record
                replies = 0
                while replies < 2:
                    text = line.read()
                    replies += text[:1] in (b"+", b"-", b"2", b"5") and text[:2] != b"2."
                    true(text, service + ": closed")
            line.close()


def test_tls_certificate_is_replaced_while_sessions_live_h68():
    with Server() as server:
        place = os.path.join(server.dir, "tls")

        def seen():
            with unverified().wrap_socket(socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)) as s:
                return s.getpeercert(True)
        old, lines = seen(), [Line(server.ports["pop3s"], unverified()) for _ in range(20)]
        shutil.move(place, place + ".before")  # a new one is made where there is none
        reload(server)
        new = seen()
        true(old != new, "new sessions see the new certificate")
        for line in lines:
            equal(line.say("NOOP")[:1], b"-", "old sessions live on")  # before login
            line.close()
        os.remove(os.path.join(place, "key.pem"))
        shutil.copy(place + ".before/key.pem", place)  # of another certificate
        reload(server, good=False)
        equal(seen(), new, "a key that does not fit changes nothing")


def test_half_a_certificate_of_a_crash_is_made_anew_h50():
    server = Server()
    try:
        change_config(server, lambda t: "".join(row for row in t.splitlines(True) if not row.startswith("tls:")))
        folder = os.path.join(server.store, "tls")
        os.makedirs(folder, 0o700)
        os.chmod(server.store, 0o700)
        for name in ("key.pem", "key.pem.new", "cert.pem.new"):  # killed before the certificate had its name
            with open(os.path.join(folder, name), "w") as f:
                f.write("half a fi")
        server.start()
        with unverified().wrap_socket(socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)) as s:
            true(s.getpeercert(True), "a certificate")
        equal(sorted(os.listdir(folder)), ["cert.pem", "key.pem"])
        equal(oct(os.stat(folder + "/key.pem").st_mode & 0o777), "0o600")
        equal(server.stop(), 0)
    finally:
        server.clean()


# --- memory and time ---

def connections(count, port, speak):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        raise Skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    return [speak(port) for _ in range(count)]


def test_idle_plain_sessions_are_small_h34():
    with Server() as server:
        pid = server_pid(server)
        warm = [Line(server.ports[s]) for s in ("pop3", "smtp") for _ in range(20)]
        before = anon_kb(pid)
        lines = connections(IDLE_PLAIN // 2, server.ports["pop3"], Line) + connections(IDLE_PLAIN // 2, server.ports["smtp"], Line)
        for line in lines:
            true(line.greeting, "refused")
            line.say("CAPA" if line.greeting[:1] == b"+" else "EHLO c.test")
        used = anon_kb(pid) - before
        figure("%d idle plain sessions: %d KB, %.1f KB each" % (len(lines), used, used / len(lines)))
        true(used < IDLE_PLAIN_KB, "%d KB" % used)
        equal(server.json("status")[0]["version"], "0.1.0", "the console still gets in")
        for line in warm + lines:
            line.close()


def test_idle_tls_sessions_are_small_h34():
    with Server() as server:
        pid, context = server_pid(server), unverified()
        before = anon_kb(pid)
        lines = connections(IDLE_TLS, server.ports["pop3s"], lambda port: Line(port, context))
        used = anon_kb(pid) - before
        figure("%d idle TLS sessions: %d KB, %.1f KB each" % (len(lines), used, used / len(lines)))
        true(used < IDLE_TLS * IDLE_TLS_EACH_KB, "%d KB" % used)
        for line in lines:
            line.close()


def test_drip_client_is_gone_on_time_h20():
    with Server(extra="timeouts: { before_login: 2s, handshake: 2s }\n") as server:
        began = time.monotonic()
        pop = Line(server.ports["pop3"])
        silent = Line(server.ports["pop3s"], greeting=False)  # never begins its handshake
        silent.s.settimeout(PATIENCE_S)
        try:
            while time.monotonic() - began < PATIENCE_S:
                pop.s.sendall(b"U")
                time.sleep(0.3)
                pop.s.settimeout(0.01)
                try:
                    if pop.s.recv(100) == b"":
                        break
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
        except ConnectionError:
            pass
        true(1.5 < time.monotonic() - began < PATIENCE_S, "gone after %.1f s" % (time.monotonic() - began))
        silent.is_closed()


def test_reader_that_does_not_read_costs_no_memory_h35():
    with Server(extra="timeouts: { stalled: 3s }\n") as server:
        server.add_user("anna")
        line = b"x" * 76 + b"\r\n"
        server.send("a@b.test", ["anna@example.test"], b"Subject: large\r\n\r\n" + line * (20 * 1024 * 1024 // len(line)))
        warm = server.pop("anna")  # the first RETR of this process
        equal(len(warm.top(1, 10)[1]) > 5, True)
        warm.quit()
        pop = socket.socket()
        pop.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pop.connect(("127.0.0.1", server.ports["pop3s"]))
        tls = unverified().wrap_socket(pop)
        for words in ("", "USER anna", "PASS " + PASSWORD):
            if words:
                tls.sendall(words.encode() + b"\r\n")
            equal(tls.recv(200)[:3], b"+OK", "greeting, name, password")
        pid = server_pid(server)
        time.sleep(0.5)
        before = anon_kb(pid)
        began = time.monotonic()
        tls.sendall(b"RETR 1\r\n")
        time.sleep(1.5)
        used = anon_kb(pid) - before
        figure("20 MB asked for and not read: %d KB" % used)
        true(used <= 1024, "%d KB" % used)
        wait_for(lambda: "the peer does not read" in server.errors(), "closed as stuck (timeouts.stalled)")
        true(time.monotonic() - began > 2.5, "not before its time")
        tls.close()


def test_run_makes_the_example_users_once():
    """A first ./run on a clean tree prints three passwords that work; a second one prints none."""
    folder = tempfile.mkdtemp(prefix="postroom-run-")
    for name in os.listdir(ROOT):
        if name not in ("run", "var", ".git"):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
    shutil.copy(os.path.join(ROOT, "run"), folder)
    server = Server(folder=os.path.join(folder, "var"))
    run = [os.path.join(folder, "run")]
    try:
        first = subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        said = dict(re.findall(r"^  (postmaster|anna|bert) +([A-Za-z0-9]{14})$", first.stderr, re.M))
        equal(sorted(said), ["anna", "bert", "postmaster"], "users of the first start: %s" % first.stderr)
        server.pop("anna", said["anna"]).quit()
        second = subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        true("shown once" not in second.stderr, "the second makes nobody")
    finally:
        subprocess.run(run + ["--stop"], capture_output=True, timeout=60)
        shutil.rmtree(folder)


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
