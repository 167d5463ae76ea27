"""terminal.py - the console on a pseudo-terminal, and a door between it and the server.

Terminal counts what the console writes, may vanish, stall and change its size. Door passes lines on
and can cut, delay and spoil them; it remembers what was asked.
"""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD  # noqa: E402

WAIT_S = 60


class Terminal:
    def __init__(self, path, *args, rows=24, cols=80, build=BUILD, env=None, cwd="/tmp", ignore=(), command="console"):
        self.master, self.slave = pty.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(self.slave)
        self.sync, theirs = os.pipe()
        os.set_blocking(self.sync, False)
        os.set_blocking(self.master, False)
        settings = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "POSTROOM_CONSOLE_SYNC": str(theirs),
                    "PATH": os.environ["PATH"], "HOME": cwd, "ASAN_OPTIONS": "log_path=%s/report:quarantine_size_mb=8" % cwd, **(env or {})}
        self.written, self.seen, self.last_ns = 0, bytearray(), 0
        self.began_ns = time.monotonic_ns()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            os.set_inheritable(theirs, True)
            os.close(self.master)
            os.chdir(cwd)
            for number in ignore:
                signal.signal(number, signal.SIG_IGN)
            program, argv = self.argv(build, path, command, args)
            os.execve(program, argv, settings)
        os.close(theirs)
        self.status, self.cwd = None, cwd

    def argv(self, build, path, command, args):
        program = os.path.join(build, "postroom")
        return program, [program, "-s", path, command, *args]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(self.pid, 0)
        for fd in (self.master, self.slave, self.sync):
            if fd >= 0:
                os.close(fd)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, wait_s=0.0):
        """What the console wrote meanwhile."""
        got = b""
        while select.select([self.master], [], [], wait_s)[0]:
            try:
                some = os.read(self.master, 65536)
            except (BlockingIOError, OSError):
                break
            if not some:
                break
            got += some
            wait_s = 0
            self.last_ns = time.monotonic_ns()
        self.written += len(got)
        self.seen += got
        return got

    def write(self, data):
        """As typed; what the console does not take in time is an error."""
        end = time.monotonic() + WAIT_S
        while data:
            self.read()
            try:
                data = data[os.write(self.master, data):]
            except BlockingIOError:
                time.sleep(0.002)
            if time.monotonic() > end:
                raise AssertionError("the console takes no keys any more")

    def settle(self):
        """Until it says that the last key is answered, and all of it is painted."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            ready = select.select([self.master, self.sync], [], [], 0.5)[0]
            self.read()
            if self.sync in ready:
                said = os.read(self.sync, 100)
                self.read()
                if said:
                    return self
                raise AssertionError("the console has ended: %r" % bytes(self.seen[-300:]))
        raise AssertionError("the console does not settle: %r" % bytes(self.seen[-300:]))

    def press(self, keys):
        """One key; how many bytes its frame had, and after how many ms the last came."""
        before = self.written
        began = time.monotonic_ns()
        self.write(keys)
        self.settle()
        return self.written - before, max(0, self.last_ns - began) / 1e6

    def taken(self):
        """Wait until no key waits any more; the seconds that took."""
        began = time.monotonic()
        room = bytearray(4)
        while True:
            fcntl.ioctl(self.slave, termios.FIONREAD, room)
            if struct.unpack("i", room)[0] == 0 or self.ended():
                return time.monotonic() - began
            self.read(0.005)
            if time.monotonic() - began > WAIT_S:
                raise AssertionError("the console takes no keys any more")

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait_end(self, limit_s=WAIT_S):
        """The exit status; a negative one is a signal. None: it has not ended."""
        end = time.monotonic() + limit_s
        while not self.ended() and time.monotonic() < end:
            if self.master >= 0:
                self.read(0.01)
            else:
                time.sleep(0.01)
        return self.status

    def report(self):
        """What a sanitizer found."""
        path = os.path.join(self.cwd, "report.%d" % self.pid)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()[:6000]

    def vanish(self):
        """As when a connection breaks: the terminal is no longer there."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def is_restored(self):
        now = termios.tcgetattr(self.slave)
        return now[:4] == self.before[:4]

    def status_line(self, name):
        with open("/proc/%d/status" % self.pid, encoding="ascii") as f:
            return next((int(line.split()[1]) for line in f if line.startswith(name + ":")), 0)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Door:
    """A socket in front of the server's."""

    def __init__(self, folder, to):
        self.path = os.path.join(folder, "door")
        self.to, self.pairs, self.asked = to, [], []
        self.tokens, self.strays = set(), []
        self.spoil = self.delay = None  # functions of a line from the server; seconds
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        self.cut()

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.to)
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            for one, other, look in ((client, server, self.request), (server, client, self.reply)):
                threading.Thread(target=self.carry, args=(one, other, look), daemon=True).start()

    def carry(self, one, other, look):
        buffer = b""
        try:
            while True:
                some = one.recv(65536)
                if not some:
                    break
                buffer += some
                while b"\n" in buffer:
                    line, buffer = buffer.split(b"\n", 1)
                    other.sendall(look(line) + b"\n")
        except OSError:
            pass
        for s in (one, other):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def request(self, line):
        asked = json.loads(line)
        self.asked.append(asked)
        if asked.get("method") == "apply" and asked["params"].get("token") not in self.tokens:
            self.strays.append(asked)
        return line

    def reply(self, line):
        if b'"token":"' in line:
            self.tokens.add(line.split(b'"token":"', 1)[1].split(b'"', 1)[0].decode())
        if self.delay:
            time.sleep(self.delay)
        return self.spoil(line) if self.spoil else line
