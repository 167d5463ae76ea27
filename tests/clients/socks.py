#!/usr/bin/env python3
"""socks.py - mail leaves through a SOCKS server, and connections that are refused are tried again. TAP."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from name_server import NameServer  # noqa: E402
from outgoing_site import CLOCK, queue, relay, submit, trace_text, wait_deferred, wait_empty  # noqa: E402
from outgoing_direct import answers  # noqa: E402
from postroom import Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402
from socks_proxy import SOURCE, SocksProxy  # noqa: E402


def through(proxy, servers, more="", timeout="", **keys):
    """A relay whose connection goes through PROXY."""
    words = "".join(", %s: %s" % item for item in keys.items())
    return ("socks: { server: '127.0.0.1:%d'%s }\nconnections: [ { name: line, socks: yes } ]\n"
            "outgoing: { %sroutes: [ { name: isp, servers: [%s] } ] }\n%s%s" % (
                proxy.port, words, timeout, ", ".join("'%s'" % s for s in servers), CLOCK, more))



class Seen(SmtpSink):
    """It remembers from where its clients came."""

    def __init__(self, **keys):
        self.peers = set()
        super().__init__(on_end=self.note, **keys)

    def note(self, mail):
        self.peers.add(mail.session.sock.getpeername()[0])
        return "250 2.0.0 taken"


def test_by_name_unresolved_NET_08_CON_10():
    for version in (5, 4):
        with Seen() as sink, SocksProxy({"mail.test": "127.0.0.1"}) as proxy, NameServer({}) as dns:
            extra = through(proxy, ["mail.test:%d" % sink.port], "dns: { servers: ['%s'] }\n" % dns.address, version=version)
            with Server(extra=extra) as server:
                server.add_user("anna")
                submit(server, ["bo@elsewhere.test"])
                wait_empty(server)
                equal(proxy.asked, [(version, "mail.test", sink.port)], "the name itself")
                equal(sink.peers, {SOURCE}, "CON-10: nobody came by another way")
                true(not any("mail.test" in str(q) for q in dns.queries), "no name server was asked")
                steps = trace_text(server, server.json("trace")[0]["id"])
                true("mail.test:%d by SOCKS server 127.0.0.1:%d" % (sink.port, proxy.port) in steps, steps)


def test_by_address_for_mx_NET_08():
    with Seen(address="127.0.0.3") as sink, SocksProxy() as proxy, \
            NameServer({"x.test": answers(mx=[(10, "mx.x.test")]), "mx.x.test": answers(address="127.0.0.3")}) as dns:
        extra = ("socks: { server: '127.0.0.1:%d', version: 4, username: anna }\nconnections: [ { name: line, socks: yes } ]\n"
                 "outgoing: { routes: [ { name: direct, kind: direct, port: %d, allow_loopback: yes } ] }\n%s"
                 "dns: { servers: ['%s'] }\n" % (proxy.port, sink.port, CLOCK, dns.address))
        with Server(extra=extra) as server:
            server.add_user("anna")
            submit(server, ["bo@x.test"])
            wait_empty(server)
            equal((proxy.asked, proxy.users), ([(4, "127.0.0.3", sink.port)], ["anna"]))
            equal(sink.peers, {SOURCE})


def test_a_login_and_a_wrong_one_RFC_1929():
    with Seen() as sink, SocksProxy(logins={"anna": "p w"}) as proxy, tempfile.NamedTemporaryFile("w") as secret:
        secret.write("p w\n")
        secret.flush()
        for password in ("p w", "{ file: %s }" % secret.name):
            with Server(extra=through(proxy, ["127.0.0.1:%d" % sink.port], username="anna", password=password)) as server:
                server.add_user("anna")
                submit(server, ["bo@elsewhere.test"])
                wait_empty(server)
        equal(proxy.users, ["anna", "anna"], "by a file, too")
        with Server(extra=through(proxy, ["127.0.0.1:%d" % sink.port], username="anna", password="canary-77")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            row = wait_deferred(server)[0]
            true("the SOCKS server says: it refused the user name or the password" in row["last_error"], row["last_error"])
            true("canary-77" not in server.cli("log", "show").stdout + trace_text(server, row["id"]), "H66")


def test_what_the_proxy_says_is_shown():
    for version, code, words in ((5, 2, "its rules do not allow it"), (5, 4, "the host cannot be reached"),
                                 (4, 91, "it refused, or failed")):
        with SocksProxy(reply=code) as proxy, \
                Server(extra=through(proxy, ["127.0.0.9:25"], version=version)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            true(words in wait_deferred(server)[0]["last_error"], words)
            equal(len(proxy.asked), 1, "it is not asked again")
    with Server(extra=through(type("Closed", (), {"port": free_ports(1)[0]}), ["127.0.0.9:25"])) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        true("Connection refused" in wait_deferred(server)[0]["last_error"], "no proxy")


def test_a_slow_proxy_takes_its_time_only():
    with SocksProxy(silent=True) as proxy:
        with Server(extra=through(proxy, ["127.0.0.9:25"], timeout="timeouts: { connect: 1s }, ")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            true("timed out" in wait_deferred(server)[0]["last_error"], "the time of a connection is for all of it")


def test_cut_at_every_byte():
    with Seen() as sink, SocksProxy(cut=0) as proxy:
        with Server(extra=through(proxy, ["127.0.0.1:%d" % sink.port])) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            for cut in range(12):
                proxy.cut = cut
                server.cli("queue", "retry", "--all", "--wait")
                true("it closed the connection" in wait_deferred(server)[0]["last_error"], "cut at %d" % cut)
            equal(sink.mails, [])
            proxy.cut = None
            server.cli("queue", "retry", "--all", "--wait")
            wait_empty(server)
            equal(len(sink.mails), 1)


# ---- NET-01 ----


def test_five_attempts_at_a_closed_port_NET_01():
    closed = free_ports(1)[0]
    with Server(extra=relay(closed)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        true("(attempt 5)" in wait_deferred(server)[0]["last_error"], "said in the queue")
        lines = [line for line in server.cli("log", "show").stdout.splitlines() if "no connection" in line]
        equal(len(lines), 5, "\n".join(lines))
    with Server(extra=relay(closed, more="connect_attempts: 10, connect_pause: 1s, ")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_for(lambda: server.cli("log", "show").stdout.count("no connection") >= 1, "the first")
        with SmtpSink(port=closed) as sink:
            wait_empty(server)
            equal(len(sink.mails), 1, "it came up in the pause")


def test_other_servers_come_before_other_attempts_NET_01():
    closed = free_ports(1)[0]
    with SmtpSink() as good, Server(extra=relay(closed, good)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_empty(server)
        equal(server.cli("log", "show").stdout.count("no connection"), 1, "once")


if __name__ == "__main__":
    sys.exit(tap([(name[5:], test) for name, test in list(globals().items()) if name.startswith("test_")],
                 sys.argv[1] if len(sys.argv) > 1 else None))
