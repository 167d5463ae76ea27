"""postroom.py - a Postroom of one test's own, on free loopback ports, in a folder of its own.

    with Server() as server:
        server.add_user("anna")
        server.send("a@elsewhere.test", ["anna@example.test"], "Subject: hi\r\n\r\nhello\r\n")
        ...

It ends what it started and nothing else. tap() runs functions as tests and prints TAP.
"""
import imaplib
import json
import os
import poplib
import random
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("POSTROOM_BUILD", "build"))
PASSWORD = "canary-Kx7 pass"  # H66 searches logs and replies for it
START_S, STOP_S, COMMAND_S = 60, 30, 120
PATIENCE_S = 60  # for what must come: a state is waited for, and a machine may be slow; no test waits for it to pass
SERVICES = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")


class Ports:
    """Ports of this process alone, whoever else tests beside it: also while nobody listens there, and over a restart.

    They lie below those that connections take by themselves. A share of them belongs to whoever holds the name of it,
    which is a socket in no folder and goes with its process.
    """
    FIRST, SHARE, SHARES = 10000, 500, 44

    def __init__(self):
        self.holder, self.at, self.pid = None, 0, 0

    def take_share(self):
        for number in random.sample(range(self.SHARES), self.SHARES):
            holder = socket.socket(socket.AF_UNIX)
            try:
                holder.bind("\0postroom-test-ports-%d" % number)
            except OSError:
                holder.close()
                continue
            self.holder, self.first, self.pid = holder, self.FIRST + number * self.SHARE, os.getpid()
            return
        raise RuntimeError("%d tests hold ports already" % self.SHARES)

    def take(self, address):
        if self.pid != os.getpid():
            self.take_share()
        for _ in range(self.SHARE):
            port, self.at = self.first + self.at, (self.at + 1) % self.SHARE
            with socket.socket() as s:
                try:
                    s.bind((address, port))
                    return port
                except OSError:
                    pass
        raise RuntimeError("no port is free on " + address)


PORTS = Ports()


def free_ports(count, address="127.0.0.1"):
    """Ports that nobody listens at, nor will: each is given once, until all have been."""
    return [PORTS.take(address) for _ in range(count)]


def unverified():
    """TLS without names: the test's certificate is self-signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Server:
    def __init__(self, folder=None, extra="", services=SERVICES, env=None, domain="example.test",
                 level="debug", program=os.path.join(BUILD, "postroomd")):
        self.owned = folder is None
        self.dir = folder or tempfile.mkdtemp(prefix="postroom-test-")
        os.makedirs(self.dir, exist_ok=True)
        if os.geteuid() == 0:
            os.chmod(self.dir, 0o755)  # a program that lies in it runs as nobody (SEC-11); the store has a folder of its own
        self.extra, self.env, self.domain, self.level = extra, env or {}, domain, level
        self.ports = dict(zip(services, free_ports(len(services))))
        self.program, self.wrapper, self.process = program, [], None
        self.socket = os.path.join(self.dir, "control.sock")
        self.config = os.path.join(self.dir, "postroom.yaml")
        self.store = os.path.join(self.dir, "store")
        self.stderr_path = os.path.join(self.dir, "stderr")
        if not os.path.exists(self.config):
            self.write_config()

    def write_config(self):
        lines = ["hostname: mail.example.test", "data: %s" % self.store,
                 "control: %s" % self.socket,
                 "log: { level: %s, dir: %s/log, max_size: 10MB }" % (self.level, self.dir),
                 "tls: { certificate: %s/tls/cert.pem, key: %s/tls/key.pem }" % (self.dir, self.dir),
                 "domains: { default: %s, local: [%s] }" % (self.domain, self.domain), "services:"]
        lines += ['  %s: { listen: ["127.0.0.1:%d"] }' % item for item in self.ports.items()]
        with open(os.open(self.config, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write("\n".join(lines) + "\n" + self.extra)

    def start(self, ready=True):
        env = dict(os.environ, **self.env)
        self.stderr = open(self.stderr_path, "ab")
        self.mark = self.stderr.tell()
        self.process = subprocess.Popen(
            [*self.wrapper, self.program, "-f", "-c", self.config],
            stdin=subprocess.DEVNULL, stdout=self.stderr, stderr=self.stderr, env=env, cwd=self.dir)
        if ready:
            self.wait_ready()
        return self

    def errors(self):
        with open(self.stderr_path, "rb") as f:
            f.seek(self.mark)
            return f.read().decode("utf-8", "replace")

    def wait_ready(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if "ready\n" in self.errors():
                return
            if self.process.poll() is not None:
                raise RuntimeError("the server ended with %s: %s" % (self.process.returncode, self.errors()[-600:]))
            time.sleep(0.005)
        raise RuntimeError("the server is not ready after %d s: %s" % (START_S, self.errors()[-600:]))

    def pids(self):
        """The warden and the processes it started."""
        found = [self.process.pid]
        for pid in found:
            try:
                for task in os.listdir("/proc/%d/task" % pid):
                    with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                        found += [int(p) for p in f.read().split() if int(p) not in found]
            except OSError:
                pass
        return found

    def private_kb(self):
        """Memory of their own, of all of them: the store's map is the page cache's. A helper may have ended meanwhile."""
        total = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/status" % pid) as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))
            except OSError:
                pass
        return total

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("the server did not end within %d s of SIGTERM" % STOP_S)
        finally:
            self.stderr.close()

    def kill(self):
        """SIGKILL to all of its processes, as a crash or the kernel would."""
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        for pid in pids[1:]:  # init reaps them
            wait_for(lambda: is_dead(pid), "process %d is gone" % pid)
        self.wait_unlocked()

    def wait_unlocked(self):
        """The warden's child is reaped by init: wait until nobody holds our ports."""
        def is_free(port):
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) != 0
        wait_for(lambda: all(map(is_free, self.ports.values())), "nobody answers at its ports")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if self.process is not None and self.process.poll() is None:
            if kind is None:
                status = self.stop()
                if status != 0:
                    raise RuntimeError("exit status %s after SIGTERM: %s" % (status, self.errors()[-600:]))
            else:
                self.kill()
        self.clean()

    def clean(self):
        if self.owned:
            shutil.rmtree(self.dir, ignore_errors=True)

    def away_from_midnight(self, minutes=10):
        """Its clock (testing.clock) goes over midnight where that is near: no day ends in the middle of the test."""
        now = time.localtime()
        left = 86400 - (now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec)
        if left < 60 * minutes:
            self.cli("clock", "advance", "%ds" % (left + 1))

    # --- the command line ---

    def cli(self, *args, stdin="", ok=True):
        r = subprocess.run([os.path.join(BUILD, "postroom"), "-s", self.socket, *map(str, args)],
                           input=stdin, capture_output=True, text=True, timeout=COMMAND_S, cwd=self.dir)
        if ok and r.returncode != 0:
            raise RuntimeError("postroom %s: status %d: %s" % (" ".join(map(str, args)), r.returncode, r.stderr.strip()))
        return r

    def json(self, *args, **options):
        """One document, or for lists one object a line: always a list of objects."""
        text = self.cli(*args, "--json", **options).stdout
        return [json.loads(line) for line in text.split("\n") if line.strip()]

    def add_user(self, name, *options, password=PASSWORD):
        self.cli("user", "add", name, *options, "--password-stdin", stdin=password + "\n")

    def check(self, repair=False):
        """What --check-store says: (status, lines)."""
        command = [os.path.join(BUILD, "postroomd"), "-c", self.config, "--check-store"]
        r = subprocess.run(command + (["--repair"] if repair else []), capture_output=True, text=True,
                           timeout=COMMAND_S, cwd=self.dir)
        return r.returncode, r.stdout + r.stderr

    # --- mail ---

    def smtp(self, service="smtp"):
        if service == "submissions":
            return smtplib.SMTP_SSL("127.0.0.1", self.ports[service], timeout=60, context=unverified(),
                                    local_hostname="client.test")
        return smtplib.SMTP("127.0.0.1", self.ports[service], timeout=60, local_hostname="client.test")

    def send(self, sender, recipients, message, service="smtp"):
        if isinstance(message, str):
            message = message.encode()
        with self.smtp(service) as s:
            return s.sendmail(sender, recipients, message)

    def pop(self, user, password=PASSWORD, tls=True):
        if tls:
            p = poplib.POP3_SSL("127.0.0.1", self.ports["pop3s"], timeout=60, context=unverified())
        else:
            p = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=60)
            p.stls(unverified())
        p.user(user)
        p.pass_(password)
        return p

    def imap(self, user, password=PASSWORD, tls=True):
        """A session of python's own imaplib."""
        if tls:
            c = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=unverified(), timeout=60)
        else:
            c = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=60)
            c.starttls(unverified())
        c.login(user, password)
        return c

    def fetch(self, user):
        """All messages of a mailbox as bytes, with CRLF."""
        p = self.pop(user)
        found = [b"\r\n".join(p.retr(n + 1)[1]) + b"\r\n" for n in range(p.stat()[0])]
        p.quit()
        return found


def is_dead(pid):
    """Gone, or a zombie: it holds no lock and no port any more."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def equal(have, want, what=""):
    if have != want:
        raise AssertionError("%s: have %r, want %r" % (what or "not equal", have, want))


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(condition, what, seconds=PATIENCE_S):
    """Until it is so. It is looked at after the end of the time too."""
    end = time.monotonic() + max(seconds, PATIENCE_S)
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (max(seconds, PATIENCE_S), what))
        time.sleep(0.02)


class Skip(Exception):
    pass


def figure(text):
    """A figure that ./test shows beside the result; it judges nothing."""
    print("# figure " + text, flush=True)


def tap(tests, argument=None, first=1):
    """Run (name, function) pairs or functions; print TAP, numbered from FIRST; the process's exit status."""
    bad = 0
    wanted = sys.argv[1:]
    for number, test in enumerate(tests, first):
        name, run = test if isinstance(test, tuple) else (test.__name__[5:].replace("_", " "), test)
        if wanted and not any(w in name for w in wanted):
            continue
        try:
            run(argument) if argument is not None else run()
            print("ok %d - %s" % (number, name), flush=True)
        except Skip as why:
            print("ok %d - %s # SKIP %s" % (number, name, why), flush=True)
        except Exception:
            bad += 1
            print("not ok %d - %s" % (number, name))
            print("\n".join("#   " + line for line in traceback.format_exc().rstrip().split("\n")[-8:]), flush=True)
    return 1 if bad else 0
