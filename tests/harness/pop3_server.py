"""pop3_server.py - a POP3 server of one test's own, on loopback, that behaves, or misbehaves as it is told.

    with Pop3Server({"anna": [b"Subject: one\\r\\n\\r\\nHello\\r\\n"]}) as server:
        server.port, server.boxes["anna"].messages (what is left), server.commands -> [(session, "RETR 1"), ...]

Every account has the password PASSWORD, its mailbox one session at a time. DELE counts at QUIT alone. All options are
attributes, which a test may change while it runs; each is described where it gets its default (OPTIONS).

    Pop3Server(boxes, uidl=False, top=False, capa=None)        nothing to tell messages apart by
    Pop3Server(boxes, answers={"RETR 2": b"-ERR [SYS/TEMP] no\\r\\n"})
    Pop3Server(boxes, wire=unstuffed)                           the text of a message as it goes over the wire
"""
import base64
import hashlib
import hmac
import json
import socket
import ssl
import struct
import threading
import time

from loopback import Cut, LoopbackServer, end

PASSWORD = "secret-word"
SASL = ("PLAIN", "CRAM-MD5", "XOAUTH2")

OPTIONS = {
    "passwords": {},           # account: another password
    "tokens": set(),           # that XOAUTH2 takes
    "greeting": None,          # bytes, instead of the usual one
    "apop": True,              # a timestamp in the greeting, and APOP
    "sasl": SASL,
    "capa": True,              # False: -ERR; a list of bytes: exactly these lines
    "pipelining": True,        # said in CAPA; False: bytes that came ahead are thrown away, as some servers do
    "tls": None,               # "stls", "required" (no login without it), "implicit"; with `certificate`
    "certificate": None,       # (certificate, key) files
    "stls_extra": b"",         # sent together with +OK to STLS (injection)
    "uidl": True,              # False: -ERR; a function (number, message) -> bytes
    "top": True,
    "list": True,              # False: -ERR to LIST
    "size": None,              # a function (size) -> int, of LIST and STAT
    "stat": None,              # bytes, instead of "+OK 2 320"
    "wire": None,              # a function (text) -> bytes: of a message with its end, instead of stuffed()
    "drop_empty_list": False,  # closes when an empty mailbox is listed
    "locked": 0,               # so many logins are refused with `locked_answer`
    "locked_answer": b"-ERR [IN-USE] maildrop already locked\r\n",
    "answers": {},             # "VERB" or "VERB ARGUMENT" (or *): bytes, None (silence), or a function (session, line) -> bytes
    "env": None,               # *ENV: a function (number) -> list of bytes lines; None: -ERR
    "cut_at": None,            # after so many bytes of a session's output the connection is closed
    "cut_after": None,         # or after the answer to so many commands (0: after the greeting)
    "cut_before_answer": None, # or when so many commands have come, and that one is done but not answered
    "cut_sessions": 1,         # of the next so many sessions; then it behaves
    "reset": False,            # cuts with RST
    "stall": None,             # a verb, or "greeting": silence from there on
    "stall_in_text": None,     # in a message after so many bytes
    "quit_answers": True,      # False: it says nothing to QUIT, but removes
    "quit_removes": True,      # False: it says +OK, and nothing is gone
    "cut_removes": False,      # what had been marked is gone also where there was no QUIT
    "delay_s": 0,              # before each answer
}


# ---- texts on the wire ----

def stuffed(text):
    if text and not text.endswith(b"\r\n"):
        text += b"\r\n"
    return (b"." if text.startswith(b".") else b"") + text.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def unstuffed(text):
    """Dots are not doubled: a line that is one dot ends the message too early."""
    return text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def bare_lf(text):
    """As the file has it: LF alone, but for the end."""
    return stuffed(text)[:-3].replace(b"\r\n", b"\n") + b"\r\n.\r\n"


def dot_lf(text):
    """A line with a dot, ended by LF alone, in the middle; that is no end."""
    return stuffed(text)[:-3] + b"before\r\n.\nbehind\r\n.\r\n"


def lf_dot(text):
    """LF, dot, CRLF in the middle; that is none either."""
    return stuffed(text)[:-3] + b"before\n.\r\nbehind\r\n.\r\n"


def no_last_crlf(text):
    """The last line has no end, so that the dot stands behind it; then the right end."""
    return stuffed(text)[:-5] + b".\r\n.\r\n"


def long_uid(number, message):
    return b"u" * 70 + b"-%d-" % number + b"x" * 600


def equal_uids(number, message):
    return b"the-same"


class Message:
    def __init__(self, text, uid=None):
        self.text, self.uid = text, uid or hashlib.md5(text).hexdigest().encode()

    def __eq__(self, other):
        return self.text == getattr(other, "text", other)


class Box:
    def __init__(self, texts):
        self.messages, self.lock = [], threading.Lock()
        for text in texts:
            self.add(text)

    def add(self, text, uid=None):
        if isinstance(text, Message):
            self.messages.append(text)
        else:
            self.messages.append(Message(text, uid or b"%d.%s" % (len(self.messages) + 1, hashlib.md5(text).hexdigest().encode())))


class Pop3Server(LoopbackServer):
    OPTIONS = OPTIONS

    def __init__(self, boxes=None, **options):
        super().__init__(**options)
        self.boxes = {name: box if isinstance(box, Box) else Box(box) for name, box in (boxes or {}).items()}
        self.commands, self.logins = [], []
        self.changed = threading.Condition()

    def serve(self, sock, number):
        Session(self, sock, number).run()

    def left(self, name):
        return [m.text for m in self.boxes[name].messages]

    def said(self, verb, session=None):
        """The commands that begin so."""
        return [line for n, line in list(self.commands)
                if (session is None or n == session) and line.split(" ")[0].upper() == verb]

    def wait(self, condition, seconds=20):
        """Until condition() is true; False: it never was."""
        until = time.monotonic() + seconds
        with self.changed:
            while not condition():
                if time.monotonic() > until:
                    return False
                self.changed.wait(0.05)
        return True


class Session:
    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        self.input, self.output, self.sent, self.count = b"", [], 0, 0
        self.secure, self.name, self.box, self.gone = False, None, None, set()
        self.stamp = f"<{number}.{id(self)}@pop.test>"
        self.cuts = False

    # ---- bytes ----

    def say(self, data):
        s = self.server
        if s.delay_s:
            time.sleep(s.delay_s)
        if self.cuts and s.cut_at is not None and self.sent + len(data) >= s.cut_at:
            self.output.append(data[:s.cut_at - self.sent])
            self.flush()
            raise Cut
        self.sent += len(data)
        self.output.append(data)
        if sum(map(len, self.output[-8:])) > 65536:
            self.flush()

    def flush(self):
        data, self.output = b"".join(self.output), []
        if data:
            self.sock.sendall(data)

    def read_line(self):
        while b"\n" not in self.input:
            self.flush()
            data = self.sock.recv(65536)
            if not data:
                raise Cut
            self.input += data
        line, self.input = self.input.split(b"\n", 1)
        if not self.server.pipelining:
            self.input = b""
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def silence(self):
        self.flush()
        while self.sock.recv(65536):
            pass
        raise Cut

    def start_tls(self):
        self.sock = self.server.wrap(self.sock)
        self.secure = True

    # ---- life ----

    def run(self):
        s = self.server
        with s.changed:
            if s.cut_sessions > 0 and (s.cut_at, s.cut_after, s.cut_before_answer) != (None, None, None):
                self.cuts = True
                s.cut_sessions -= 1
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.talk()
        except (Cut, OSError, ssl.SSLError):
            if s.reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if s.cut_removes:
                self.remove()
        finally:
            self.unlock()
            end(self.sock)
            with s.changed:
                s.changed.notify_all()

    def unlock(self):
        if self.box:
            self.box.lock.release()
            self.box = None

    def talk(self):
        s = self.server
        if s.tls == "implicit":
            self.start_tls()
        if s.stall == "greeting":
            self.silence()
        self.say(s.greeting if s.greeting is not None else
                 b"+OK ready %s\r\n" % (self.stamp.encode() if s.apop else b"to serve"))
        while True:
            if self.cuts and s.cut_after is not None and self.count >= s.cut_after:
                self.flush()
                raise Cut
            line = self.read_line()
            verb, _, argument = line.partition(" ")
            verb = verb.upper()
            self.count += 1
            with s.changed:
                s.commands.append((self.number, line))
                s.changed.notify_all()
            if self.cuts and s.cut_before_answer is not None and self.count >= s.cut_before_answer:
                held, self.say = self.say, lambda data: None
                self.answer(verb, argument, line)
                self.say = held
                self.flush()
                raise Cut
            if s.stall == verb:
                self.silence()
            if self.answer(verb, argument, line) == "over":
                self.flush()
                return

    def answer(self, verb, argument, line):
        s = self.server
        for key in (line, f"{verb} {argument}", f"{verb} *", verb):
            if key in s.answers:
                answer = s.answers[key]
                if callable(answer):
                    answer = answer(self, line)
                if answer is None:
                    self.silence()
                self.say(answer)
                return None
        command = getattr(self, "do_" + verb.lower().replace("*", "x_"), None)
        if not command or (self.box is None and verb not in ("CAPA", "STLS", "USER", "PASS", "APOP", "AUTH", "QUIT")):
            return self.say(b"-ERR unknown command or not now\r\n")
        return command(argument)

    # ---- before the login ----

    def do_capa(self, argument):
        s = self.server
        if not s.capa:
            return self.say(b"-ERR unknown command\r\n")
        lines = s.capa if isinstance(s.capa, (list, tuple)) else [
            *([b"TOP"] if s.top else []), *([b"UIDL"] if s.uidl else []), b"RESP-CODES", b"AUTH-RESP-CODE",
            *([b"PIPELINING"] if s.pipelining else []), b"USER",
            *([b"STLS"] if s.tls in ("stls", "required") and not self.secure else []),
            *([b"SASL " + " ".join(s.sasl).encode()] if s.sasl else [])]
        self.say(b"+OK\r\n" + b"".join(line + b"\r\n" for line in lines) + b".\r\n")

    def do_stls(self, argument):
        s = self.server
        if s.tls not in ("stls", "required") or self.secure:
            return self.say(b"-ERR no TLS here\r\n")
        self.say(b"+OK begin\r\n" + s.stls_extra)
        self.flush()
        self.input = b""
        self.start_tls()

    def may_login(self):
        if self.server.tls == "required" and not self.secure:
            self.say(b"-ERR [AUTH] not in clear\r\n")
            return False
        return True

    def do_user(self, argument):
        if self.may_login():
            self.name = argument
            self.say(b"+OK\r\n")

    def password(self, name):
        return self.server.passwords.get(name, PASSWORD)

    def do_pass(self, argument):
        self.enter(self.name, argument == self.password(self.name), "USER")

    def do_apop(self, argument):
        name, _, digest = argument.rpartition(" ")
        right = hashlib.md5((self.stamp + self.password(name)).encode()).hexdigest()
        self.enter(name, self.server.apop and digest == right, "APOP")

    def challenge(self, text):
        self.say(b"+ " + base64.b64encode(text) + b"\r\n")
        answer = self.read_line()
        return None if answer == "*" else base64.b64decode(answer)

    def do_auth(self, argument):
        mechanism, _, initial = argument.partition(" ")
        mechanism = mechanism.upper()
        if mechanism not in self.server.sasl or not self.may_login():
            return self.say(b"-ERR no such mechanism\r\n")
        if mechanism == "CRAM-MD5":
            text = self.stamp.encode()
            answer = (self.challenge(text) or b" ").decode()
            name, _, digest = answer.rpartition(" ")
            right = hmac.new(self.password(name).encode(), text, "md5").hexdigest()
            return self.enter(name, digest == right, mechanism)
        answer = base64.b64decode(initial) if initial else self.challenge(b"")
        if answer is None:
            return self.say(b"-ERR cancelled\r\n")
        if mechanism == "PLAIN":
            _, name, password = (answer.split(b"\0") + [b"", b""])[:3]
            return self.enter(name.decode(), password.decode() == self.password(name.decode()), mechanism)
        fields = dict(part.split(b"=", 1) for part in answer.split(b"\1") if b"=" in part)
        token = fields.get(b"auth", b"").decode().removeprefix("Bearer ")
        if token not in self.server.tokens:
            self.challenge(json.dumps({"status": "401"}).encode())
        return self.enter(fields.get(b"user", b"").decode(), token in self.server.tokens, mechanism)

    def enter(self, name, right, how):
        s = self.server
        if not right or name not in s.boxes:
            return self.say(b"-ERR [AUTH] wrong\r\n")
        if s.locked > 0:
            s.locked -= 1
            return self.say(s.locked_answer)
        if not s.boxes[name].lock.acquire(blocking=False):
            return self.say(b"-ERR [IN-USE] maildrop already locked\r\n")
        self.box = s.boxes[name]
        self.list = list(self.box.messages)
        s.logins.append((name, how, self.secure))
        self.say(b"+OK welcome\r\n")

    # ---- the mailbox ----

    def message(self, argument):
        try:
            n = int(argument.split(" ")[0])
        except ValueError:
            n = 0
        if 1 <= n <= len(self.list) and n not in self.gone:
            return n, self.list[n - 1]
        self.say(b"-ERR no such message\r\n")
        return 0, None

    def size_of(self, message):
        size = len(message.text)
        return self.server.size(size) if self.server.size else size

    def kept(self):
        return [(n, m) for n, m in enumerate(self.list, 1) if n not in self.gone]

    def do_stat(self, argument):
        s = self.server
        kept = self.kept()
        self.say(s.stat if s.stat is not None else
                 b"+OK %d %d\r\n" % (len(kept), sum(self.size_of(m) for _, m in kept)))

    def do_list(self, argument):
        s = self.server
        if not s.list:
            return self.say(b"-ERR not here\r\n")
        if s.drop_empty_list and not self.kept():
            raise Cut
        if argument:
            n, m = self.message(argument)
            return m and self.say(b"+OK %d %d\r\n" % (n, self.size_of(m)))
        self.say(b"+OK\r\n")
        self.say(b"".join(b"%d %d\r\n" % (n, self.size_of(m)) for n, m in self.kept()) + b".\r\n")

    def do_uidl(self, argument):
        s = self.server
        if not s.uidl:
            return self.say(b"-ERR unknown command\r\n")
        of = s.uidl if callable(s.uidl) else lambda n, m: m.uid
        if argument:
            n, m = self.message(argument)
            return m and self.say(b"+OK %d %s\r\n" % (n, of(n, m)))
        self.say(b"+OK\r\n")
        self.say(b"".join(b"%d %s\r\n" % (n, of(n, m)) for n, m in self.kept()) + b".\r\n")

    def text(self, data):
        stall = self.server.stall_in_text
        if stall is not None and stall < len(data):
            self.say(data[:stall])
            self.silence()
        self.say(data)

    def do_retr(self, argument):
        n, m = self.message(argument)
        if m:
            self.say(b"+OK %d octets\r\n" % self.size_of(m))
            self.text((self.server.wire or stuffed)(m.text))

    def do_top(self, argument):
        if not self.server.top:
            return self.say(b"-ERR unknown command\r\n")
        n, m = self.message(argument)
        if m:
            header, _, body = m.text.partition(b"\r\n\r\n")
            lines = body.split(b"\r\n")[:int((argument.split(" ") + ["0"])[1])]
            self.say(b"+OK\r\n")
            self.text(stuffed(header + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in lines)))

    def do_x_env(self, argument):
        n, m = self.message(argument)
        if m and not self.server.env:
            return self.say(b"-ERR unknown command\r\n")
        if m:
            self.say(b"+OK envelope follows\r\n" + b"".join(line + b"\r\n" for line in self.server.env(n)) + b".\r\n")

    def do_dele(self, argument):
        n, m = self.message(argument)
        if m:
            self.gone.add(n)
            self.say(b"+OK deleted\r\n")

    def do_noop(self, argument):
        self.say(b"+OK\r\n")

    def do_rset(self, argument):
        self.gone.clear()
        self.say(b"+OK\r\n")

    def remove(self):
        if self.box and self.gone:
            dead = {id(m) for n, m in enumerate(self.list, 1) if n in self.gone}
            self.box.messages[:] = [m for m in self.box.messages if id(m) not in dead]

    def do_quit(self, argument):
        s = self.server
        if s.quit_removes:
            self.remove()
        self.unlock()
        if not s.quit_answers:
            self.silence()
        self.say(b"+OK bye\r\n")
        return "over"
