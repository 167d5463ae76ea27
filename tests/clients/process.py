#!/usr/bin/env python3
"""process.py - the process as an operator meets it: signals, options, folders, reloads. TAP."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import (BUILD, PATIENCE_S, ROOT, STOP_S, Server, equal, figure, free_ports, tap, true, unverified,  # noqa: E402
                      wait_for)
from server_process import MESSAGE, Line, answers, change_config, reload, run, server_pid, status_of  # noqa: E402

PROMPT_S = 15  # what it must not wait for takes longer
DAEMON = os.path.join(BUILD, "postroomd")


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


# --- memory and time ---

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
