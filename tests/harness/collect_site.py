"""collect_site.py - for tests of collecting: a mailbox, its collector, and what came of it."""
from connection_site import connection

LIMIT_S = 60  # of whatever waits for the other side


def mail(n, to="anna"):
    return b"From: far@elsewhere.test\r\nTo: %s@example.test\r\nSubject: number %d\r\nMessage-ID: <%d@far.test>\r\n\r\nText %d\r\n" % (
        to.encode(), n, n, n)


def box(count, first=1):
    return {"box": [mail(n) for n in range(first, first + count)]}


def collector(server, name="fetch", **more):
    """A row of the file, by a server of the test's."""
    words = dict(kind="pop3", server="127.0.0.1", port=getattr(server, "port", 1), tls="none", username="box",
                 password="secret-word", accepted="[example.test]", **more)
    return "{ name: %s, %s }" % (name, ", ".join("%s: %s" % w for w in words.items()))


def config(collectors, connections=(), sink=None, rest="", **route):
    text = "testing: { clock: yes }\ncollecting: { collectors: [ %s ] }\n" % ", ".join(collectors)
    if connections:
        text += "connections:\n" + "".join("  - { %s }\n" % c for c in connections)
    if sink:
        words = "".join(", %s: %s" % item for item in route.items())
        text += "outgoing: { routes: [ { name: isp, kind: relay, servers: ['127.0.0.1:%d']%s } ] }\n" % (sink.port, words)
    return text + rest


def row(server, name="fetch"):
    return [r for r in server.json("collect", "list") if r["name"] == name][0]


def subjects(server, user="anna"):
    return sorted(m["subject"] for m in server.json("message", "list", user))


def run(server, name="isp"):
    """Connect; how it ended."""
    server.cli("connection", "now", name, "--wait", ok=False)
    return connection(server, name)["result"]
