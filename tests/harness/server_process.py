"""server_process.py - for tests of the process itself: what it is, its memory, signals; and a client that speaks line by line."""
import signal
import socket
import subprocess

from postroom import PATIENCE_S, wait_for

MESSAGE = "Subject: hi\r\n\r\nhello\r\n"


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
