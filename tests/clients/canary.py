#!/usr/bin/env python3
"""canary.py - no password that comes in is ever seen again (H66).

    tests/clients/canary.py [WORD...]     those whose name holds a word

Passwords of their own go through every door, right, wrong, cut off, too long and out of place, with the
protocol log on; then logs, store, traces, replies, the process list and the server's memory are searched.
"""
import base64
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.clients.hostile import Line  # noqa: E402
from tests.harness.imap import Imap  # noqa: E402
from tests.harness.postroom import Server, Skip, equal, tap, true, wait_for  # noqa: E402

EXTRA = """auth: { hash_memory: 8MB, hash_passes: 1 }
testing: { clock: yes }
limits: { auth_failures: 100, connections_minute: 0 }
"""
GOOD = {"anna": "Canary0good anna pass", "chief": "Canary0good chief pass"}


class Canaries:
    """Secrets, each named for where it was said."""

    def __init__(self):
        self.said = {}

    def new(self, where, length=0):
        secret = "Canary%d%s" % (len(self.said), os.urandom(6).hex())
        secret += "x" * (length - len(secret))
        self.said[where] = secret
        return secret

    def forms(self):
        """As it is, and as SASL sends it, wherever it stands in a group of three bytes."""
        for where, secret in {**self.said, **{"right password of " + n: p for n, p in GOOD.items()}}.items():
            head = secret[:40].encode()
            yield where, head
            for shift in range(3):
                coded = base64.b64encode(b"\0" * shift + head)
                yield where + ", base64", coded[(0, 2, 3)[shift]:-4]


def plain(name, secret):
    return base64.b64encode(b"\0%s\0%s" % (name.encode(), secret.encode())).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def rest(server):
    """Delays are no matter here."""
    server.cli("clock", "advance", "61s")


def cut(server, service, *lines):
    """Lines, the last one without its end, and gone."""
    c = Line(server.ports[service])
    for line in lines[:-1]:
        c.ask(line)
    c.s.sendall(lines[-1].encode())
    c.close()


def say_smtp(server, new):
    tls = lambda: Line(server.ports["submission"]).hello(tls=True)  # noqa: E731
    Line(server.ports["submission"]).hello().ask("AUTH PLAIN " + plain("anna", new("SMTP AUTH in clear")))
    for what, name in (("unknown user", "nobody"), ("wrong", "anna")):
        rest(server)
        equal(tls().ask("AUTH PLAIN " + plain(name, new("AUTH PLAIN, " + what)))[:3], b"535")
        rest(server)
        c = tls()
        c.ask("AUTH LOGIN")
        c.ask(b64(name))
        equal(c.ask(b64(new("AUTH LOGIN, " + what)))[:3], b"535")
    rest(server)
    c = tls()
    c.ask("AUTH PLAIN")
    equal(c.ask(plain("anna", GOOD["anna"]))[:3], b"235", "the right one")
    c.ask("AUTH PLAIN " + plain("anna", new("AUTH twice")))
    c = tls()
    c.ask("AUTH PLAIN " + plain("anna", new("bad base64")) + "!!")
    c.ask("AUTH LOGIN " + b64("anna"))
    c.ask("*" + b64(new("AUTH LOGIN, bad base64")))
    c.ask("AUTH PLAIN " + plain("anna", new("too long a password", 400)))
    c.ask("AUTH PLAIN " + plain("anna", new("over the line limit", 4000)))
    c.ask("AUTH NONSENSE " + plain("anna", new("unknown mechanism")))
    c.ask("AUTHPLAIN " + plain("anna", new("mistyped AUTH")))
    c.ask("auth plain " + plain("anna", new("small letters")))
    c.ask("MAIL FROM:<anna@example.test>")
    c.ask("AUTH PLAIN " + plain("anna", new("AUTH in a transaction")))
    c = tls()
    c.s.sendall(("AUTH PLAIN " + plain("anna", new("cut line"))).encode())
    c.close()
    c = tls()
    c.ask("AUTH LOGIN")
    c.ask(b64("anna"))
    c.s.sendall(b64(new("AUTH LOGIN, cut line")).encode())
    c.close()


def say_pop3(server, new):
    def session():
        return Line(server.ports["pop3"])
    for what, name in (("unknown user", "nobody"), ("wrong", "anna")):
        rest(server)
        c = session()
        c.ask("USER " + name)
        true(c.ask("PASS " + new("PASS, " + what)).startswith(b"-ERR [AUTH]"), "refused")
        rest(server)
        true(c.ask("AUTH PLAIN " + plain(name, new("POP3 AUTH, " + what))).startswith(b"-ERR"), "refused")
    rest(server)
    c = session()
    c.ask("USER anna")
    true(c.ask("PASS " + GOOD["anna"]).startswith(b"+OK"), "the right one")
    c.ask("PASS " + new("PASS when logged in"))
    c.ask("QUIT")
    c = session()
    c.ask("PASS " + new("PASS before USER"))
    c.ask("pass " + new("pass in small letters"))
    c.ask("PASSWORD " + new("mistyped PASS"))
    c.ask("USER anna")
    c.ask("PASS " + new("PASS too long", 300))
    session().ask("PASS " + new("PASS over the line limit", 5000))
    c = session()
    c.ask("USER anna")
    c.ask("PASS " + new("PASS with a NUL") + "\0")
    cut(server, "pop3", "USER anna", "PASS " + new("PASS, cut line"))
    cut(server, "pop3", "AUTH PLAIN", plain("anna", new("POP3 AUTH, cut line")))


def imap_session(server):
    return Imap(server.ports["imap"])


def say_imap(server, new):
    for what, name in (("unknown user", "nobody"), ("wrong", "anna")):
        for how in ('LOGIN %s "%s"', "LOGIN %s {%d+}\r\n%s"):
            rest(server)
            secret = new("LOGIN %s, %s" % ("quoted" if '"' in how else "as a literal", what))
            imap_session(server).no(how % ((name, secret) if '"' in how else (name, len(secret), secret)))
        rest(server)
        imap_session(server).no("AUTHENTICATE PLAIN " + plain(name, new("IMAP AUTHENTICATE, " + what)))
        rest(server)
        c = imap_session(server)
        tag = c.send("AUTHENTICATE PLAIN")
        c.until(rb"^\+")
        c.say(plain(name, new("IMAP AUTHENTICATE in two steps, " + what)) + "\r\n")
        equal(c.answer(tag).status, "NO")
    rest(server)
    c = imap_session(server)
    c.login("anna", GOOD["anna"])
    c.ask("LOGIN anna " + new("LOGIN when logged in"))
    c.ask("AUTHENTICATE PLAIN " + plain("anna", new("AUTHENTICATE when logged in")))
    c.ask('APPEND INBOX {3+}\r\nabc "%s"' % new("behind an APPEND"))
    c.close()
    c = imap_session(server)
    for where, text in (("mistyped LOGIN", "LOGNI anna %s"), ("LOGIN of one word", "LOGIN %s"), ("LOGIN of three words", "LOGIN anna %s more"),
                        ("login in small letters", "login anna %s"), ("LOGIN with a bad quote", 'LOGIN anna "%s'),
                        ("LOGIN with a bad literal", "LOGIN anna {-1}%s"), ("LOGIN without a name", 'LOGIN "" %s')):
        rest(server)
        c.ask(text % new("IMAP, " + where))
    c.ask("AUTHENTICATE NONSENSE " + plain("anna", new("IMAP, unknown mechanism")))
    c.ask("AUTHENTICATE PLAIN " + plain("anna", new("IMAP, bad base64")) + "!!")
    c.close()
    cut(server, "imap", "t LOGIN anna " + new("LOGIN, cut line"))
    cut(server, "imap", "t LOGIN anna {40+}\r\n" + new("LOGIN, cut literal"))
    cut(server, "imap", "t AUTHENTICATE PLAIN " + plain("anna", new("IMAP AUTHENTICATE, cut line")))
    for where, text in (("over the line limit", "t LOGIN anna %s\r\n"), ("with a NUL", "t LOGIN anna %s\0\r\n")):
        c = imap_session(server)
        c.say(text % new("LOGIN " + where, 70000 if "over" in where else 0))
        c.close()


def raw_control(server, text):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(server.socket)
        s.sendall(text)
        return s.makefile("rb").readline() if text.endswith(b"\n") else b""


def say_control(server, new, replies):
    def call(method, /, **params):
        reply = raw_control(server, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        replies.append((method, reply))
        return json.loads(reply)
    for what, name in (("unknown user", "nobody"), ("wrong", "anna")):
        rest(server)
        true("error" in call("auth", user=name, password=new("control auth, " + what)), "refused")
    rest(server)
    true("result" in call("auth", user="chief", password=GOOD["chief"]), "the right one")
    call("auth", user=7, password=new("auth with a number for a name"))
    call("auth", user="anna", password=[new("auth with a list")])
    call("auth", user="anna", password=new("auth with one more"), more=1)
    call("atuh", user="anna", password=new("mistyped auth"))
    call("user.passwd", name="anna", password=new("passwd too long", 400))
    call("user.passwd", name="nobody", password=new("passwd of nobody"))
    call("user.add", name="anna", password=new("add one that is there"))
    call("user.add", name="a b", password=new("add a bad name"))
    call("preview", method="user.passwd", params={"name": "anna", "password": new("passwd previewed")})
    for where, text in (("broken JSON", '{"method":"auth","params":{"user":"anna","password":"%s"}'),
                        ("no JSON", 'auth anna %s'), ("a list", '["auth","%s"]')):
        replies.append((where, raw_control(server, (text % new("control, " + where)).encode() + b"\n")))
    raw_control(server, ('{"method":"auth","params":{"password":"%s' % new("control, cut line")).encode())
    server.add_user("bert", password=new("user add by command"))
    server.cli("user", "passwd", "bert", "--password-stdin", stdin=new("user passwd by command") + "\n")
    for words in (("user", "add", "bert"), ("user", "passwd", "nobody")):
        r = server.cli(*words, "--password-stdin", stdin=new("refused " + " ".join(words)) + "\n", ok=False)
        replies.append((" ".join(words), (r.stdout + r.stderr).encode()))


LOOKS = (("log", "show", "--limit", "100000"), ("log", "tail", "--lines", "1000"), ("log", "show", "--service", "security"),
         ("trace", "--steps"), ("config", "show"), ("user", "list"), ("user", "show", "anna"), ("user", "show", "bert"),
         ("undo", "list"), ("config", "history"), ("session", "list"), ("block", "list"), ("queue", "list"), ("status",),
         ("user", "export", "--out", "-"))


def files(server):
    for folder, _, names in os.walk(server.dir):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()


def processes(server):
    for pid in server.pids():
        for what in ("cmdline", "environ"):
            try:
                with open("/proc/%d/%s" % (pid, what), "rb") as f:
                    yield "/proc/%d/%s" % (pid, what), f.read()
            except (PermissionError, FileNotFoundError, ProcessLookupError):  # or a helper that has ended
                pass


def memory(pid):
    """What a process may write to, as bytes; not the store's map."""
    if not os.path.exists("/proc/%d/mem" % pid):
        return
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            words = line.split()
            start, end = (int(w, 16) for w in words[0].split("-"))
            if not words[1].startswith("rw") or end - start > 1 << 28 or (len(words) > 5 and words[5].startswith("/")):
                continue
            try:
                mem.seek(start)
                yield words[5] if len(words) > 5 else words[0], mem.read(end - start)
            except (OSError, ValueError):
                pass


def search(canaries, places):
    """(canary, place) of each that is found."""
    forms = [(where, form) for where, form in canaries.forms() if len(form) > 12]
    cores = [b"Canary"] + [base64.b64encode(b"\0" * n + b"Canary")[(0, 2, 3)[n]:-4] for n in range(3)]
    likely = [(place, text) for place, text in places if any(core in text for core in cores)]
    return sorted({(where, place) for place, text in likely for where, form in forms if form in text})


def test_canary_passwords_are_nowhere_to_be_seen_H66():
    canaries, replies = Canaries(), []
    with Server(extra=EXTRA) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna", password=GOOD["anna"])
        server.add_user("chief", "--admin", password=GOOD["chief"])
        server.cli("config", "set", "log.protocols", json.dumps(["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps"]))
        say_smtp(server, canaries.new)
        say_pop3(server, canaries.new)
        say_imap(server, canaries.new)
        say_control(server, canaries.new, replies)
        true(len(canaries.said) > 65, "%d canaries" % len(canaries.said))
        for words in LOOKS:
            r = server.cli(*words, "--json", ok=False) if words[0:2] != ("user", "export") else server.cli(*words, ok=False)
            replies.append((" ".join(words), (r.stdout + r.stderr).encode()))
        true(any(b"AUTH" in text for path, text in files(server) if "/log/" in path), "the protocol log is on")
        wait_for(lambda: not server.json("session", "list", "--filter", "-service:control"), "the sessions are gone", 90)
        equal(search(canaries, replies), [], "in a reply")
        equal(search(canaries, files(server)), [], "in a file")
        equal(search(canaries, processes(server)), [], "in the process list")
        search_memory(server, canaries)


def search_memory(server, canaries):
    """H66: memory is wiped when it is given back."""
    if "asan" in os.environ.get("POSTROOM_BUILD", ""):
        return
    try:
        found = search(canaries, (("%d %s" % (pid, place), text) for pid in server.pids() for place, text in memory(pid)))
    except PermissionError:
        raise Skip("the memory of a process may not be read here; all else was searched")
    equal({where for where, _ in found}, set(), "in the memory of the server, with all sessions gone: %r" % found[:6])


if __name__ == "__main__":
    sys.exit(tap([f for n, f in list(globals().items()) if n.startswith("test_")]))
