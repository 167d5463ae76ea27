"""smtp_sink.py - a mail server of one test's own, on loopback, that does as it is told.

    with SmtpSink(tls=(cert, key), accounts={"u": "p"}) as sink:
        ... sink.port ... sink.mails -> [Mail(sender, recipients, data, session)] ... sink.sessions ...

    replies     {"RCPT TO:<bad@x.test>": "550 5.1.1 nobody", "DATA": "451 4.3.0 later"}: by the front of a command; a function
                is called with the connection, and what it returns is said, None is nothing (smtp_faults.py has some)
    ehlo        the lines of its list; None: EHLO is unknown
    greeting    what it says first; a function is called with the connection and replaces all else
    on_text     called with the connection when it should read the text
    on_end      called with the mail before its final reply is sent; what it returns is the reply
"""
import base64
import hashlib
import hmac
import socket
import ssl
import threading
from collections import namedtuple

Mail = namedtuple("Mail", "sender recipients data session")


class Closed(Exception):
    pass


class Session:
    def __init__(self, sink, sock):
        self.sink, self.sock, self.buffer = sink, sock, b""
        self.lines, self.tls, self.user, self.mails = [], False, None, 0
        self.sender, self.recipients = None, []
        self.bearers = []

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise Closed
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def take(self, count):
        data = bytearray(self.buffer)
        while len(data) < count:
            more = self.sock.recv(1 << 20)
            if not more:
                raise Closed
            data += more
        self.buffer = bytes(data[count:])
        return bytes(data[:count])

    def text(self):
        seen, data = 0, bytearray(b"\r\n" + self.buffer)
        while (end := data.find(b"\r\n.\r\n", max(0, seen))) < 0:
            seen = len(data) - 4
            more = self.sock.recv(1 << 20)
            if not more:
                raise Closed
            data += more
        self.buffer = bytes(data[end + 5:])
        return bytes(data[:end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    def start_tls(self):
        self.sock = self.sink.context.wrap_socket(self.sock, server_side=True)
        self.tls = True

    def bearer(self, name, initial):
        if not initial:
            self.say("334 ")
            initial = self.line()
        self.bearers.append(base64.b64decode(initial).decode())
        parts = self.bearers[-1].split("\x01")
        user = parts[0][5:] if name == "XOAUTH2" else parts[0][len("n,a="):-1]
        token = [p[len("auth=Bearer "):] for p in parts if p.startswith("auth=Bearer ")]
        return user, token[0] if token else None

    def auth(self, rest):
        name, _, initial = rest.partition(" ")
        accounts = self.sink.accounts
        if name.upper() == "PLAIN":
            if not initial:
                self.say("334 ")
                initial = self.line()
            _, user, password = base64.b64decode(initial).decode().split("\0")
            good = accounts.get(user) == password
        elif name.upper() == "LOGIN":
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(self.line()).decode()
            self.say("334 UGFzc3dvcmQ6")
            good = accounts.get(user) == base64.b64decode(self.line()).decode()
        elif name.upper() == "CRAM-MD5":
            challenge = b"<1.2@sink.test>"
            self.say("334 " + base64.b64encode(challenge).decode())
            user, digest = base64.b64decode(self.line()).decode().rsplit(" ", 1)
            good = digest == hmac.new(accounts.get(user, "").encode(), challenge, hashlib.md5).hexdigest()
        elif name.upper() in ("XOAUTH2", "OAUTHBEARER"):
            user, token = self.bearer(name.upper(), initial)
            good = token is not None and accounts.get(user) == token
            if not good:  # it says why, and the client has to hear it out (RFC 7628, 3.2.2)
                self.say("334 " + base64.b64encode(b'{"status":"invalid_token"}').decode())
                self.heard = self.line()
        else:
            self.say("504 5.5.4 unknown")
            return
        if good:
            self.user, self.mechanism = user, name.upper()
        self.say("235 2.7.0 welcome" if good else "535 5.7.8 no")

    def scripted(self, line):
        for front, reply in self.sink.replies.items():
            if line.upper().startswith(front.upper()):
                return reply
        return None

    def hello(self, verb):
        if verb == "HELO":
            self.say("250 sink.test")
            return
        lines = list(self.sink.ehlo)
        if self.sink.context and not self.tls and not self.sink.implicit and self.sink.offers_tls:
            lines.append("STARTTLS")
        if self.sink.accounts and (self.tls or self.sink.auth_in_clear):
            lines.append("AUTH " + self.sink.mechanisms)
        lines = ["sink.test"] + lines
        for i, line in enumerate(lines):
            self.say("250%s%s" % (" " if i + 1 == len(lines) else "-", line))

    def end(self, data):
        mail = Mail(self.sender, list(self.recipients), data, self)
        reply = self.sink.on_end(mail) if self.sink.on_end else "250 2.0.0 taken"
        if reply and reply.startswith("250"):
            with self.sink.lock:
                self.sink.mails.append(mail)
        self.mails += 1
        self.sender, self.recipients = None, []
        if reply is None:
            raise Closed
        self.say(reply)

    def command(self, line):
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        reply = self.scripted(line)
        if callable(reply):
            reply = reply(self)
            if reply is None:
                return
        if reply == "":
            raise Closed
        if reply:
            self.say(reply)
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            raise Closed
        elif verb == "EHLO" and self.sink.ehlo is None:
            self.say("500 5.5.1 unknown")
        elif verb in ("EHLO", "HELO"):
            self.hello(verb)
        elif verb == "STARTTLS":
            self.say("220 2.0.0 go")
            self.start_tls()
        elif verb == "AUTH":
            self.auth(rest)
        elif verb == "MAIL" and self.sink.accounts and not self.user:
            self.say("530 5.7.0 log in first")
        elif verb == "MAIL":
            self.sender, self.recipients = rest[rest.index("<") + 1:rest.index(">")], []
            self.mail_line = line
            self.say("250 2.1.0 ok")
        elif verb == "RCPT" and self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif verb == "RCPT":
            self.recipients.append(rest[rest.index("<") + 1:rest.index(">")])
            self.say("250 2.1.5 ok")
        elif verb == "DATA" and not self.recipients:
            self.say("503 5.5.1 no recipients")
        elif verb == "DATA":
            self.say("354 go")
            if self.sink.on_text:
                self.sink.on_text(self)
            self.end(self.text())
        elif verb == "BDAT":
            self.end(self.take(int(rest.split()[0])))
        elif verb == "RSET":
            self.sender, self.recipients = None, []
            self.say("250 2.0.0 ok")
        else:
            self.say("250 2.0.0 ok" if verb == "NOOP" else "500 5.5.1 unknown")

    def run(self):
        try:
            if self.sink.implicit:
                self.start_tls()
            if callable(self.sink.greeting):
                self.sink.greeting(self)
                return
            self.say(self.sink.greeting)
            while True:
                line = self.line()
                self.lines.append(line)
                self.command(line)
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.sock.close()


class SmtpSink:
    def __init__(self, replies=None, ehlo=("PIPELINING", "8BITMIME", "SIZE 100000000"), greeting="220 sink.test ESMTP",
                 tls=None, offers_tls=True, implicit=False, accounts=None, mechanisms="PLAIN LOGIN",
                 auth_in_clear=False, on_end=None, on_text=None, address="127.0.0.1", port=0):
        self.replies, self.ehlo, self.greeting, self.offers_tls = replies or {}, ehlo, greeting, offers_tls
        self.implicit, self.accounts, self.mechanisms = implicit, accounts or {}, mechanisms
        self.auth_in_clear, self.on_end, self.on_text = auth_in_clear, on_end, on_text
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.mails, self.sessions, self.lock = [], [], threading.Lock()
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(200)
        self.address, self.port = address, self.socket.getsockname()[1]
        self.closing = False

    def accept(self):
        while not self.closing:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            session = Session(self, sock)
            with self.lock:
                self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, kind, value, trace):
        self.closing = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for session in self.sessions:
            try:
                session.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
