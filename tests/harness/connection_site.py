"""connection_site.py - for tests of connections: mail that waits for one, and a link of the test's own."""
import datetime
import os
import tempfile
import threading
import time

from postroom import PASSWORD, equal, wait_for

TEXT = "Subject: hi\r\n\r\nhello\r\n"
CLOCK = "testing: { clock: yes }\n"
LINK = """#!/bin/sh
cd %(dir)s
case $1 in
up) echo "up $POSTROOM_CONNECTION $POSTROOM_USER $POSTROOM_NUMBER" >>calls
    [ "$POSTROOM_PASSWORD" = "%(password)s" ] || echo "password" >>calls
    [ -e broken ] && { echo "no carrier" >&2; exit 1; }
    touch is_up ;;
down) echo down >>calls; [ -e stuck ] && { echo "line busy" >&2; exit 1; }; rm -f is_up ;;
status) [ -n "$POSTROOM_CONNECTION" ] || echo "nameless" >>calls; [ -e is_up ] ;;
esac
"""


class Link:
    """A fake link: what was called, and whether it is up."""

    def __init__(self, password=""):
        self.folder = tempfile.TemporaryDirectory(prefix="link-")
        self.dir = self.folder.name
        os.chmod(self.dir, 0o777)
        with open(self.path("link.sh"), "w") as f:
            f.write(LINK % {"dir": self.dir, "password": password})

    def path(self, name):
        return os.path.join(self.dir, name)

    def touch(self, name):
        open(self.path(name), "w").close()

    def remove(self, name):
        os.unlink(self.path(name))

    def is_up(self):
        return os.path.exists(self.path("is_up"))

    def calls(self):
        if not os.path.exists(self.path("calls")):
            return []
        with open(self.path("calls")) as f:
            return [line.strip() for line in f]

    def keys(self, status=True, autoconnect="no", **more):
        words = ["up"] + ["down"] + (["status"] if status else [])
        text = ", ".join('%s: ["/bin/sh", "%s", %s]' % (w, self.path("link.sh"), w) for w in words)
        more = "".join(", %s: %s" % item for item in more.items())
        return "kind: link, %s, retry_wait: 1s, link_timeout: 10s, autoconnect: %s%s" % (text, autoconnect, more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


class Gate:
    """What a sink is asked at the end of a mail: its answer waits until the gate is open."""

    def __init__(self, free=0):
        self.free, self.opened = free, threading.Event()

    def __call__(self, mail):
        if self.free:  # this many pass before
            self.free -= 1
        else:
            self.opened.wait(60)
        return "250 2.0.0 taken"

    def open(self):
        self.opened.set()


def config(sink, connections, rest="", **route):
    words = "".join(", %s: %s" % item for item in route.items())
    return "outgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d']%s } ] }\nconnections:\n%s%s%s" % (
        getattr(sink, "port", sink), words, "".join("  - { %s }\n" % c for c in connections), rest, CLOCK)


def submit(server, to="bo@elsewhere.test", text=TEXT):
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        c.sendmail("anna@example.test", [to], text)


def queue(server):
    return server.json("queue", "list")


def connection(server, name="isp"):
    return [c for c in server.json("connection", "list") if c["name"] == name][0]


def wait_empty(server):
    wait_for(lambda: not queue(server), "the queue is empty: %s" % queue(server), 15)


def wait_over(server, name="isp"):
    wait_for(lambda: connection(server, name)["state"] in ("down", "online", "stopped", "up"),
             "the run is over: %s" % connection(server, name), 15)
    return connection(server, name)


def waits(server, count=1):
    """What is queued stays: the queue was read again, and nothing left."""
    server.cli("queue", "retry", "--all")
    time.sleep(0.3)
    equal(len(queue(server)), count)


def wait_reason(server, words):
    """Why the first of the queue waits: it says WORDS as soon as the queue was read again."""
    told = []

    def says():
        told[:] = [server.json("queue", "show", queue(server)[0]["id"])[0]["recipients"][0].get("reason", "")]
        return words in told[0]
    wait_for(says, "it waits because: %s" % words)


def log(server, text):
    return server.cli("log", "show", "--service", "connect").stdout.count(text)


def letters(server, user="postmaster"):
    return [m["subject"] for m in server.json("message", "list", user)]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def advance_to(server, moment):
    """Move the clock to just behind MOMENT, a time as the server prints it."""
    now, at = (when(text) for text in (server.json("status")[0]["time"], moment))
    seconds = int((at - now).total_seconds()) + 1
    if seconds > 0:  # or it has come by itself
        server.cli("clock", "advance", "%ds" % seconds)


def in_time(server, step, condition, what):
    """Move the clock by STEP until it is so: a time that begins with the server's next look may begin late."""
    def look():
        server.cli("clock", "advance", step)
        until = time.monotonic() + 3
        while not condition() and time.monotonic() < until:
            time.sleep(0.05)
        return condition()
    wait_for(look, what)


def far_from(server, schedule, most):
    """Of what comes every so often the next is more than MOST seconds off: nothing comes in the middle of a test."""
    at = lambda: server.json("schedule", "next")[0]["time"]  # noqa: E731
    seconds = lambda: (when(at()) - when(server.json("status")[0]["time"])).total_seconds()  # noqa: E731
    if seconds() <= most:
        due = at()
        server.cli("schedule", "set", schedule, "enabled=no")
        advance_to(server, due)
        server.cli("schedule", "set", schedule, "enabled=yes")
