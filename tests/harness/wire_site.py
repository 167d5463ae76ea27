"""wire_site.py - for tests of collecting by POP3: Postroom with collectors and a name server, and what a collection says."""
import os

import pop3_server as wires
from name_server import NameServer
from outgoing_direct import answers
from pop3_server import Pop3Server
from postroom import Server, true

SECRET = wires.PASSWORD
NAME = "pop.test"
HEADER = b"From: far@elsewhere.test\r\nTo: anna@example.test\r\nSubject: %s\r\nMessage-ID: <%s@far.test>\r\n\r\n"


def mail(mark, body=b"Text\r\n"):
    return HEADER % (mark, mark) + body


def row(peer, name="isp", **more):
    words = dict(kind="pop3", server="127.0.0.1" if more.get("tls", "none") == "none" else NAME, port=getattr(peer, "port", peer), tls="none", username="box",
                 password=SECRET, accepted="[example.test]", timeout="20s")
    words.update(more)
    return "{ name: %s, %s }" % (name, ", ".join("%s: %s" % w for w in words.items() if w[1] is not None))


class Postroom(Server):
    """With these collectors, and a name server that knows NAME."""

    def __init__(self, *rows, rest="", addresses="127.0.0.1"):
        self.dns = NameServer({NAME: answers(address=addresses)})
        super().__init__(extra="collecting:\n  collectors:\n" + "".join("    - %s\n" % r for r in rows)
                         + "dns: { servers: ['%s'] }\n" % self.dns.address + rest, level="info")

    def __enter__(self):
        self.dns.__enter__()
        super().__enter__()
        self.add_user("postmaster", "--admin")
        self.add_user("anna")
        return self

    def __exit__(self, *why):
        super().__exit__(*why)
        self.dns.__exit__(*why)


def now(s, name="isp"):
    """What came of it, whether it failed or not."""
    return s.json("collect", "now", name, "--wait", ok=False)[0]


def error_of(s, name="isp"):
    return [r for r in s.json("collect", "list") if r["name"] == name][0]["error"]


def log_of(s):
    text = ""
    for name in os.listdir(s.dir + "/log"):
        with open(os.path.join(s.dir, "log", name), errors="replace") as f:
            text += f.read()
    return text


def subjects(s, user="anna"):
    return sorted(m["subject"] for m in s.json("message", "list", user))


def bodies(s, user="anna"):
    """What follows the header of each."""
    return [m.partition(b"\r\n\r\n")[2] for m in s.fetch(user)]


def fails(s, *words, fetched=0):
    """A collection that goes wrong, and says so in words; nothing secret is said anywhere (H66, TRB-02)."""
    said = s.cli("collect", "now", "isp", "--wait", "--json", ok=False)
    told = said.stdout + said.stderr + (error_of(s) or "")
    for word in words:
        true(word in told, "%s in %s" % (word, told))
    true(SECRET not in told and SECRET not in log_of(s), told)
    return told


def one_box(*marks, **options):
    return Pop3Server({"box": [mail(m) for m in marks]}, **options)
