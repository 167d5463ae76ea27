"""A server of its own in a temporary folder, for tests of the control socket and the command line.

Speaks to loopback only and ends only what it started.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PATIENCE_S, START_S, STOP_S, free_ports  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTROOM_BUILD", os.path.join(ROOT, "build"))

CONFIG = """# kept by every edit
hostname: mail.example.test
data: {dir}/store
control: {dir}/control.sock
log: {{ level: debug, dir: {dir}/log }}
domains: {{ default: example.test, local: [example.test] }}
services:
  smtp:        {{ listen: ["127.0.0.1:{smtp}"] }}
  submission:  {{ listen: ["127.0.0.1:{submission}"] }}
  pop3:        {{ listen: ["127.0.0.1:{pop3}"] }}
"""


class Server:
    def __init__(self, extra=""):
        self.dir = tempfile.mkdtemp(prefix="postroom-control-")
        self.smtp, self.submission, self.pop3 = free_ports(3)
        self.conf = os.path.join(self.dir, "postroom.yaml")
        self.sock = os.path.join(self.dir, "control.sock")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.dir, smtp=self.smtp, submission=self.submission,
                                  pop3=self.pop3) + extra)
        os.chmod(self.conf, 0o600)
        os.makedirs(os.path.join(self.dir, "log"), exist_ok=True)
        self.process = None
        self.errors = []

    def start(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "postroomd"), "-f", "-c", self.conf],
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        ready = threading.Event()

        def read():
            for line in self.process.stderr:
                self.errors.append(line.rstrip("\n"))
                if line.strip() == "ready":
                    ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        if not ready.wait(START_S) or self.process.poll() is not None:
            raise RuntimeError("the server did not start: " + " | ".join(self.errors[-5:]))
        return self

    def stop(self):
        """SIGTERM; the exit status, or None where it had to be killed."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        for i, line in enumerate(self.errors):
            if "Sanitizer" in line or "runtime error" in line:
                print("\n".join("# " + x for x in self.errors[i:i + 25]))
                break
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *words, stdin=""):
        """One command: (status, stdout, stderr)."""
        done = subprocess.run([os.path.join(BUILD, "postroom"), "-s", self.sock, *words],
                              input=stdin, capture_output=True, text=True, timeout=60,
                              errors="replace", check=False)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words, stdin=""):
        """The JSON that a command printed: rows of a list, or the one object."""
        status, out, err = self.run(*words, "--json", stdin=stdin)
        if status != 0:
            raise RuntimeError("%s: status %d, %s" % (" ".join(words), status, err.strip()))
        lines = [json.loads(line) for line in out.splitlines() if line.strip()]
        return lines


class Link:
    """A raw connection to the control socket."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(PATIENCE_S)
        self.s.connect(path)
        self.buffer = b""
        self.last = 0

    def send(self, line, fds=()):
        if fds:
            socket.send_fds(self.s, [line], list(fds))
        else:
            self.s.sendall(line)

    def line(self):
        while b"\n" not in self.buffer:
            got = self.s.recv(65536)
            if not got:
                raise EOFError("the server closed the connection")
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def call(self, method, /, fds=(), **params):
        """The reply with this request's id; notifications before it are passed over."""
        self.last += 1
        text = json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        self.send(text.encode() + b"\n", fds)
        while True:
            reply = self.line()
            if reply.get("id") == self.last:
                return reply

    def event(self):
        while True:
            reply = self.line()
            if reply.get("method") == "event":
                return reply["params"]

    def close(self):
        self.s.close()


class Count:
    """Checks by name, as TAP; the last line is `N passed, N failed`."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, seen=None):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        print("%s %d - %s" % ("ok" if good else "not ok", self.passed + self.failed, name))
        if not good and seen is not None:
            print("# " + repr(seen)[:400], flush=True)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        return 1 if self.failed else 0


def wait_until(good, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not good():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
