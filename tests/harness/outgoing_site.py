"""outgoing_site.py - for tests of mail that leaves: a relay of the test's own, and what waits."""
import os
import subprocess

from postroom import PASSWORD, Server, wait_for

TEXT = "Subject: hi\r\n\r\nhello\r\n.dot\r\n"
CLOCK = "testing: { clock: yes }\n"


def relay(*sinks, more="", rest="", **keys):
    """A configuration with one relay route to these sinks."""
    servers = ", ".join('"127.0.0.1:%d"' % getattr(sink, "port", sink) for sink in sinks)
    words = "".join(", %s: %s" % item for item in keys.items())
    return "outgoing: { %sroutes: [ { name: isp, kind: relay, servers: [%s]%s } ] }\n%s%s" % (
        more, servers, words, CLOCK, rest)


def site(extra):
    return Server(extra=extra)


def submit(server, to, text=TEXT, sender="anna@example.test"):
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        c.sendmail(sender, to, text)


def queue(server):
    return server.json("queue", "list")


def wait_empty(server):
    wait_for(lambda: not queue(server), "the queue is empty: %s" % queue(server), 15)


def wait_deferred(server, count=1):
    wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"] * count, "all is deferred", 15)
    return queue(server)


def trace_text(server, message):
    return "\n".join(s for row in server.json("trace", message) for s in row["steps"])


def certificate(folder, name):
    """A self-signed certificate for NAME and its key, by openssl."""
    base = os.path.join(folder, name)
    cert, key = base + ".pem", base + ".key"
    run = lambda *a: subprocess.run(["openssl", *a], check=True, capture_output=True)  # noqa: E731
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
        "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:%s" % name)
    return cert, key
