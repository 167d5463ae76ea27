"""imap.py - a raw client of IMAP for tests: says what it is told, right or wrong, and reads whole replies.

    with Imap(server.ports["imap"]) as c:
        c.login("anna")
        c.ok("SELECT INBOX")                       # the untagged replies
        c.append("INBOX", b"Subject: hi\\r\\n\\r\\nhello\\r\\n", "(\\\\Seen)")
        c.ask("FETCH 1 BODY[]")                    # Reply(status, untagged, text)
"""
import re
import socket
from collections import namedtuple

from tests.harness.postroom import PASSWORD, unverified

Reply = namedtuple("Reply", "status untagged text")
LITERAL = re.compile(rb"\{(\d+)\}$")


class Gone(Exception):
    """The server has closed the connection; what it said before."""


class Imap:
    def __init__(self, port, tls=False, source="127.0.0.1", timeout=60):
        self.s = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.s = unverified().wrap_socket(self.s)
        self.rest, self.tags, self.unread = b"", 0, []
        self.greeting = self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.s.close()

    def fill(self):
        try:
            more = self.s.recv(1 << 18)
        except ConnectionError:
            more = b""
        if not more:
            raise Gone(b"\n".join(self.unread))
        self.rest += more

    def line(self):
        """One reply, literals and all, without its last CRLF."""
        at = 0
        while True:
            end = self.rest.find(b"\r\n", at)
            if end < 0:
                at = max(at, len(self.rest) - 1)
                self.fill()
                continue
            found = LITERAL.search(self.rest, max(0, end - 24), end)
            if not found:
                line, self.rest = self.rest[:end], self.rest[end + 2:]
                return line
            at = end + 2 + int(found.group(1))
            while len(self.rest) < at:
                self.fill()

    def say(self, data):
        self.s.sendall(data.encode() if isinstance(data, str) else data)

    def send(self, command):
        """Begin a command; its tag."""
        self.tags += 1
        tag = b"t%d" % self.tags
        self.say(tag + b" " + (command.encode() if isinstance(command, str) else command) + b"\r\n")
        return tag

    def answer(self, tag):
        """All until the tagged reply."""
        self.unread = []
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                status, _, text = line[len(tag) + 1:].partition(b" ")
                return Reply(status.decode(), self.unread, text)
            self.unread.append(line)

    def ask(self, command):
        return self.answer(self.send(command))

    def ok(self, command):
        reply = self.ask(command)
        if reply.status != "OK":
            raise AssertionError("%r: %s %r" % (command, reply.status, reply.text))
        return reply.untagged

    def no(self, command, status="NO"):
        reply = self.ask(command)
        if reply.status != status:
            raise AssertionError("%r: %s %r, not %s" % (command, reply.status, reply.text, status))
        return reply.text

    def starttls(self):
        self.ok("STARTTLS")
        self.s = unverified().wrap_socket(self.s)
        return self

    def login(self, user, password=PASSWORD):
        self.ok('LOGIN %s "%s"' % (user, password))
        return self

    def append(self, folder, message, options=""):
        """The tagged reply's text."""
        head = 'APPEND "%s" %s%s{%d+}\r\n' % (folder, options, " " if options else "", len(message))
        reply = self.ask(head.encode() + message)
        if reply.status != "OK":
            raise AssertionError("APPEND to %s: %s %r" % (folder, reply.status, reply.text))
        return reply.text

    def until(self, pattern):
        """Lines that come by themselves, up to the one that fits."""
        found = []
        while True:
            found.append(self.line())
            if re.search(pattern, found[-1]):
                return found

    def idle(self):
        self.idle_tag = self.send("IDLE")
        self.until(rb"^\+")
        return self

    def done(self):
        self.say("DONE\r\n")
        return self.answer(self.idle_tag)
