"""imap_server.py - an IMAP server of one test's own, on loopback, that behaves, or misbehaves as it is told.

    with ImapServer([b"Subject: one\\r\\n\\r\\nHello\\r\\n"]) as server:
        server.port, server.messages (what is left), server.commands -> [(session, "UID FETCH 1 ..."), ...]

One folder, FOLDER, for every account, whose password is PASSWORD. Options are attributes, which a test may change while
it runs; each is described where it gets its default (OPTIONS).
"""
import base64
import hashlib
import hmac
import re
import socket
import ssl
import struct
import threading

from loopback import Cut, LoopbackServer

PASSWORD = "secret-word"
TOKEN = "token-word"

OPTIONS = {
    "greeting": None,          # bytes, instead of "* OK"
    "preauth": False,
    "capabilities": ("IMAP4rev1", "UIDPLUS", "IDLE", "SASL-IR", "AUTH=PLAIN", "AUTH=CRAM-MD5", "AUTH=XOAUTH2"),
    "tls": None,               # "starttls", "implicit"; with `certificate`
    "certificate": None,       # (certificate, key) files
    "starttls_extra": b"",     # sent together with OK to STARTTLS (injection)
    "folder": "INBOX",
    "uidvalidity": 1234,       # None: not said
    "read_only": False,
    "locked": 0,               # so many SELECTs are refused with [INUSE]
    "answers": {},             # "VERB" or "UID VERB", or "... NUMBER": bytes (@ is the tag), None (silence), or a function(session, tag, rest) -> bytes
    "unreadable": set(),       # UIDs whose texts do not come; NO behind the others
    "storm": 0,                # so many FETCH responses with FLAGS before each answer
    "cut_at": None,            # after so many bytes of a session's output the connection is closed
    "cut_sessions": 1,         # of the next so many sessions; then it behaves
    "cut_in_text": None,       # after so many bytes of a message's text
    "bye_in": None,            # a verb ("UID FETCH"): BYE instead of its answer, once
    "reset": True,             # cuts with RST
}


class Message:
    def __init__(self, uid, text, flags=()):
        self.uid, self.text, self.flags = uid, text, set(flags)


class ImapServer(LoopbackServer):
    OPTIONS = OPTIONS

    def __init__(self, texts=(), **options):
        super().__init__(**options)
        self.next_uid, self.messages, self.commands = 1, [], []
        self.lock, self.live = threading.RLock(), []
        for text in texts:
            self.add(text)

    def serve(self, sock, number):
        Session(self, sock, number).run()

    def add(self, text, flags=()):
        with self.lock:
            self.messages.append(Message(self.next_uid, text, flags))
            self.next_uid += 1
            for session in self.live:
                session.tell_count()

    def renumber(self, uidvalidity):
        """The same messages under another UIDVALIDITY, as after a repair."""
        with self.lock:
            self.uidvalidity = uidvalidity
            for i, message in enumerate(self.messages):
                message.uid = i + 1
            self.next_uid = len(self.messages) + 1

    def texts(self):
        with self.lock:
            return [m.text for m in self.messages]

    def said(self, word):
        return [c for _, c in self.commands if word in c]


class Session:
    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        self.input, self.sent, self.idles, self.selected, self.secure = b"", 0, False, False, False
        self.cuts = server.cut_sessions >= 1 and (server.cut_at is not None or server.cut_in_text is not None)
        if self.cuts:
            server.cut_sessions -= 1

    # ---- bytes ----

    def put(self, data):
        limit = self.server.cut_at if self.cuts else None
        with self.server.lock:
            if limit is not None and self.sent + len(data) >= limit:
                self.sock.sendall(data[:limit - self.sent])
                raise Cut
            self.sock.sendall(data)
            self.sent += len(data)

    def say(self, *lines):
        self.put(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines))

    def line(self):
        while b"\n" not in self.input:
            more = self.sock.recv(65536)
            if not more:
                raise Cut
            self.input += more
        line, _, self.input = self.input.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def close(self):
        if self.server.reset and self.cuts:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.sock.close()
        except OSError:
            pass

    def run(self):
        try:
            if self.server.tls == "implicit":
                self.start_tls()
            self.talk()
        except (Cut, OSError, ssl.SSLError):
            pass
        finally:
            with self.server.lock:
                if self in self.server.live:
                    self.server.live.remove(self)
            self.close()

    def start_tls(self):
        self.sock = self.server.wrap(self.sock)
        self.secure = True

    # ---- the conversation ----

    def capabilities(self):
        words = list(self.server.capabilities)
        if self.server.tls == "starttls" and not self.secure:
            words.append("STARTTLS")
        return " ".join(words)

    def talk(self):
        s = self.server
        if s.greeting is not None:
            self.put(s.greeting)
        else:
            self.say("* %s [CAPABILITY %s] hello" % ("PREAUTH" if s.preauth else "OK", self.capabilities()))
        while True:
            line = self.line()
            tag, _, rest = line.partition(" ")
            verb, _, rest = rest.partition(" ")
            verb = verb.upper()
            if verb == "UID":
                verb, _, rest = rest.partition(" ")
                verb = "UID " + verb.upper()
            s.commands.append((self.number, (verb + " " + ("***" if verb in ("LOGIN", "AUTHENTICATE") else rest)).strip()))
            if not self.scripted(tag, verb, rest):
                if getattr(self, "do_" + verb.lower().replace(" ", "_"))(tag, rest):
                    return

    def scripted(self, tag, verb, rest):
        s, number = self.server, rest.split(" ")[0]
        if s.bye_in == verb:
            s.bye_in = None
            self.say("* BYE [UNAVAILABLE] going down")
            raise Cut
        for key in (verb + " " + number, verb):
            if key in s.answers:
                answer = s.answers[key]
                answer = answer(self, tag, rest) if callable(answer) else answer
                if answer is not None:
                    self.put(answer.replace(b"@", tag.encode()))
                return True
        return False

    def ok(self, tag, text="OK done"):
        for i in range(self.server.storm if self.selected else 0):
            self.say("* %d FETCH (FLAGS (\\Seen $Label%d))" % (i % max(1, len(self.server.messages)) + 1, i))
        self.say("%s %s" % (tag, text))

    def do_capability(self, tag, rest):
        self.say("* CAPABILITY " + self.capabilities())
        self.ok(tag)

    def do_starttls(self, tag, rest):
        self.put(("%s OK begin\r\n" % tag).encode() + self.server.starttls_extra)
        self.start_tls()

    def do_login(self, tag, rest):
        literal = re.match(r"^\{(\d+)\}$", rest)
        if literal:
            self.say("+ go")
            name = self.line()
            self.say("+ go")
            password = self.line()
            good = password == PASSWORD or name
        else:
            good = rest.endswith(' "%s"' % PASSWORD)
        if "LOGINDISABLED" in self.capabilities():
            good = False
        self.ok(tag, "OK [CAPABILITY %s] in" % self.capabilities() if good else "NO [AUTHENTICATIONFAILED] no such account or password")

    def do_authenticate(self, tag, rest):
        mechanism, _, initial = rest.partition(" ")
        if mechanism == "CRAM-MD5":
            challenge = b"<1.2@mx.test>"
            self.say(b"+ " + base64.b64encode(challenge))
            answer = base64.b64decode(self.line()).decode()
            good = answer.endswith(hmac.new(PASSWORD.encode(), challenge, hashlib.md5).hexdigest())
        else:
            if not initial:
                self.say("+ ")
                initial = self.line()
            plain = base64.b64decode(initial)
            good = plain.endswith(b"\0" + PASSWORD.encode()) or plain.endswith(b"Bearer " + TOKEN.encode() + b"\1\1")
            if not good and mechanism == "XOAUTH2":
                self.say("+ e30=")
                self.line()
        self.ok(tag, "OK in" if good else "NO [AUTHENTICATIONFAILED] no such account or password")

    def do_select(self, tag, rest):
        s = self.server
        if s.locked > 0:
            s.locked -= 1
            self.say("%s NO [INUSE] unable to lock mailbox" % tag)
            return
        if rest.strip('"') != s.folder:
            self.say("%s NO [NONEXISTENT] no such folder" % tag)
            return
        with s.lock:
            self.selected = True
            s.live.append(self)
            self.say("* FLAGS (\\Seen \\Deleted)", "* %d EXISTS" % len(s.messages), "* 0 RECENT")
        if s.uidvalidity is not None:
            self.say("* OK [UIDVALIDITY %d] these" % s.uidvalidity)
        self.say("* OK [UIDNEXT %d] next" % s.next_uid)
        self.ok(tag, "OK [READ-%s] open" % ("ONLY" if s.read_only else "WRITE"))

    def named(self, numbers):
        """(place from 1, message) of a set of UIDs."""
        ranges = []
        for part in numbers.split(","):
            first, _, last = part.partition(":")
            ranges.append((int(first), 2 ** 32 if last == "*" else int(last or first)))
        return [(i + 1, m) for i, m in enumerate(self.server.messages) if any(a <= m.uid <= b for a, b in ranges)]

    def do_uid_fetch(self, tag, rest):
        s = self.server
        numbers, _, items = rest.partition(" ")
        with s.lock:
            for place, m in self.named(numbers):
                if "RFC822.SIZE" in items:
                    self.say("* %d FETCH (UID %d RFC822.SIZE %d FLAGS (%s))" % (place, m.uid, len(m.text), " ".join(sorted(m.flags))))
                    continue
                if m.uid in s.unreadable:
                    continue
                text = m.text if "BODY.PEEK[]" in items else re.split(rb"(?<=\n)\r?\n", m.text)[0] + b"\r\n"
                name = "BODY[]" if "BODY.PEEK[]" in items else "BODY[HEADER]"
                self.put(("* %d FETCH (UID %d %s {%d}\r\n" % (place, m.uid, name, len(text))).encode())
                if self.cuts and s.cut_in_text is not None:
                    self.put(text[:s.cut_in_text])
                    raise Cut
                self.put(text + b")\r\n")
            failed = "BODY" in items and any(m.uid in s.unreadable for _, m in self.named(numbers))
            self.ok(tag, "NO [SERVERBUG] cannot read all of them" if failed else "OK done")

    def do_uid_store(self, tag, rest):
        numbers, _, items = rest.partition(" ")
        with self.server.lock:
            if self.server.read_only:
                self.say("%s NO read-only" % tag)
                return
            for _, m in self.named(numbers):
                m.flags |= {flag for flag in ("\\Seen", "\\Deleted") if flag in items}
            self.ok(tag)

    def do_uid_search(self, tag, rest):
        with self.server.lock:
            found = [m.uid for _, m in self.named(rest.split(" ")[-1]) if "\\Deleted" in m.flags]
            self.say(" ".join(["* SEARCH", *map(str, found)]))
            self.ok(tag)

    def do_uid_expunge(self, tag, rest):
        with self.server.lock:
            self.expunge({m.uid for _, m in self.named(rest)})
            self.ok(tag)

    def do_expunge(self, tag, rest):
        with self.server.lock:
            self.expunge({m.uid for m in self.server.messages})
            self.ok(tag)

    def expunge(self, uids):
        for i in range(len(self.server.messages), 0, -1):
            m = self.server.messages[i - 1]
            if m.uid in uids and "\\Deleted" in m.flags:
                self.say("* %d EXPUNGE" % i)
                del self.server.messages[i - 1]

    def do_noop(self, tag, rest):
        self.tell_count(True)
        self.ok(tag)

    def do_idle(self, tag, rest):
        with self.server.lock:
            self.say("+ idling")
            self.idles = True
        done = self.line()
        with self.server.lock:
            self.idles = False
            self.ok(tag, "OK done" if done.upper() == "DONE" else "BAD no DONE")

    def tell_count(self, asked=False):
        if self.idles or asked:
            try:
                self.say("* %d EXISTS" % len(self.server.messages))
            except (OSError, Cut):
                pass

    def do_logout(self, tag, rest):
        self.say("* BYE see you", "%s OK done" % tag)
        return True
