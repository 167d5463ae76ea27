#!/usr/bin/env python3
"""lan_forward.py - LAN forwarding and the copy for the Internet, over the wire: TAP.

One server, a peer on the LAN and one as the relay; both write down what they are given.
"""
import os
import smtplib
import socketserver
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402

MESSAGE = ("From: Anna <anna@example.test>\r\nTo: bert@example.test, fred@example.test, x@far.test\r\n"
           "Cc: boss@corp.local\r\nX-Mailer: z\r\nOrganisation: Mine\r\nSubject: hi\r\n\r\nhello\r\n")
EXTRA = """outgoing: {{ routes: [ {{ name: isp, kind: relay, servers: ["127.0.0.1:{relay}"], tls: none, return_address: "{back}" }} ] }}
headers: {{ outgoing: ["Organisation: Ours", "X-By: %N <%O>", "X-Mailer:"] }}
domains: {{ default: example.test, local: [example.test, corp.local], map: [ {{ from: corp.local, to: corp.test }} ] }}
"""


class Peer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        self.got = []
        super().__init__(("127.0.0.1", 0), Talk)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Talk(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def text(self):
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()

    def handle(self):
        mail = {}
        self.say("220 peer")
        for line in iter(self.rfile.readline, b""):
            verb, said = line[:4].upper(), line.decode().strip()
            if verb == b"MAIL":
                mail = {"from": said, "to": []}
            if verb == b"RCPT":
                mail["to"].append(said)
            if verb == b"DATA":
                self.say("354 go on")
                self.server.got.append(dict(mail, text=self.text()))
            self.say("221 bye" if verb == b"QUIT" else "250 ok")


def site(back="keep"):
    lan, relay = Peer(), Peer()
    server = Server(extra=EXTRA.format(relay=relay.port, back=back))
    with open(server.config) as f:
        text = f.read()
    with open(server.config, "w") as f:
        f.write(text.replace("domains: { default: example.test, local: [example.test] }\n", ""))
    os.mkdir(os.path.join(server.dir, "rules"))
    write_rules(server, "fred@example.test 127.0.0.1:%d *@branch.test\n" % lan.port)
    return server, lan, relay


def write_rules(server, text):
    with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
        f.write(text)


def send(server, sender="anna@example.test"):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
        c.starttls(context=unverified())
        c.login("anna", PASSWORD)
        c.sendmail(sender, ["bert@example.test", "fred@example.test", "x@far.test"], MESSAGE)


def fill(server):
    for user in (("postmaster", "--admin"), ("anna",), ("bert",)):
        server.add_user(*user)
    server.cli("user", "set", "anna", "reply_address=anna.a@public.test")


def test_lan_and_internet_copies_LAN_01_LAN_03_OUT_10_HDR_01_HDR_02_USR_31_LOC_06():
    server, lan, relay = site()
    with server:
        fill(server)
        send(server)
        wait_for(lambda: lan.got and relay.got, "both copies", 30)
        inside = server.fetch("bert")[0].decode()
    equal(lan.got[0]["to"], ["RCPT TO:<fred@branch.test>"])
    equal(relay.got[0]["to"], ["RCPT TO:<x@far.test>"])
    for text in (lan.got[0]["text"], inside):
        true(text.endswith(MESSAGE), "nothing of it was changed: %r" % text)
    outside = relay.got[0]["text"]
    for line in ("From: Anna <anna.a@public.test>", "Cc: boss@corp.test", "X-By: Anna <anna.a@public.test>"):
        true("\r\n%s\r\n" % line in outside, "%s: %r" % (line, outside))
    equal((outside.count("Organisation:"), "Organisation: Ours\r\n" in outside, "X-Mailer" in outside), (1, True, False))


def test_the_return_address_of_a_route_OUT_12():
    server, lan, relay = site("always back@example.test")
    with server:
        fill(server)
        send(server)
        wait_for(lambda: lan.got and relay.got, "both copies", 30)
    equal(relay.got[0]["from"].split(" ")[1], "FROM:<back@example.test>")
    equal(lan.got[0]["from"].split(" ")[1], "FROM:<anna@example.test>")


def test_a_bad_text_leaves_the_rules_LAN_09():
    server, lan, _ = site()
    with server:
        fill(server)
        write_rules(server, "bert@example.test 127.0.0.1\nbad\n")
        wait_for(lambda: "lan.rules:2:4: a server is missing" in server.errors(), "the line is named", 20)
        true("lan.rules:2:4: a server is missing" in server.json("status")[0]["rules_fault"], server.json("status"))
        true("the rules in their file are not in force: " in server.cli("status").stdout, "status says it")
        equal(server.cli("status", "--check", ok=False).returncode, 1)
        told = server.cli("explain", "--from", "bo@far.test", "--to", "fred@example.test").stdout
        true("by LAN rule 1" in told, told)
        write_rules(server, "bert@example.test 127.0.0.1\n")
        wait_for(lambda: "rules taken over" in server.errors(), "a good one is taken", 20)
        true("rules_fault" not in server.json("status")[0], "and it is over")
        told = server.cli("explain", "--from", "bo@far.test", "--to", "bert@example.test").stdout
        true("by LAN rule 1" in told, told)


def test_users_forward_to_servers_and_to_each_other_RTE_06_RTE_11_RTE_14_LAN_07_LAN_14():
    server, lan, _ = site()
    with server:
        fill(server)
        server.add_user("cleo")
        said = server.cli("user", "set", "bert", "forward=yes",
                          "forward_to=SMTP:x@dom.test@127.0.0.1:%d;cleo;nobody" % lan.port).stdout
        true("warning" not in said, said)
        told = server.cli("explain", "--from", "a@far.test", "--to", "bert@example.test", "--json").stdout
        true("the mail of bert goes on to" in told and "nobody, which nobody knows" in told, told)
        server.send("a@far.test", ["bert@example.test"], MESSAGE)
        wait_for(lambda: lan.got, "straight to the server", 30)
        equal(lan.got[0]["to"], ["RCPT TO:<x@dom.test>"])
        equal(lan.got[0]["from"].split(" ")[1], "FROM:<a@far.test>")  # RTE-16
        equal((len(server.fetch("bert")), len(server.fetch("cleo"))), (0, 1))
        server.cli("user", "set", "bert", "forward_to=cleo")
        server.cli("user", "set", "cleo", "forward=yes", "forward_to=bert@example.test")
        server.send("a@far.test", ["bert@example.test"], MESSAGE)
        equal((len(server.fetch("bert")), len(server.fetch("cleo"))), (0, 2))  # where the ring closes
        server.cli("user", "set", "cleo", "forward=no")
        server.cli("user", "set", "bert", "forward_to=nobody")
        server.send("a@far.test", ["bert@example.test"], MESSAGE)
        equal(len(server.fetch("bert")), 1)
        r = server.cli("user", "set", "bert", "forward_to=SMTP:x@dom.test@:25", ok=False)
        true(r.returncode == 1 and "forward_to" in r.stderr, r.stderr)
        said = server.cli("user", "set", "postmaster", "forward=yes",
                          "forward_to=SMTP:p@dom.test@127.0.0.1:%d" % lan.port).stdout
        true("the Main Administrator's mail goes out" in said, said)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in globals().items() if n.startswith("test_")]))
