#!/usr/bin/env python3
"""blocklists.py - DNS blocklists against a server with a name server of the test's own (SMT-14, H69): TAP.

The client comes from 127.0.0.2, the test entry of every list (RFC 5782, 5), which counts as outside.
"""
import os
import signal
import smtplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from name_server import WAYS, NameServer  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402

OUTSIDE = "127.0.0.2"
REVERSED = "2.0.0.127."
MESSAGE = "From: bo@elsewhere.test\r\nSubject: {0}\r\nX-Blocklist: forged\r\n\r\nhello\r\n"
EXTRA = """dns: {{ servers: ["{dns}"], timeout: {timeout} }}
smtp:
  blocklists:
{lists}
"""


def client(server, source=OUTSIDE, service="smtp"):
    return smtplib.SMTP("127.0.0.1", server.ports[service], "client.test", timeout=60, source_address=(source, 0))


def with_lists(dns, *lists, timeout="10s"):
    return Server(services=("smtp", "submission", "pop3s"), extra=EXTRA.format(
        dns=dns.address, timeout=timeout, lists="\n".join("    - '%s'" % line for line in lists)))


def rcpt(server, source=OUTSIDE, to="anna@example.test"):
    """The code and text of RCPT."""
    with client(server, source) as c:
        c.ehlo()
        equal(c.mail("bo@elsewhere.test")[0], 250)
        code, text = c.rcpt(to)
        return code, text.decode()


def test_listed_clear_marked_SMT_14():
    names = {REVERSED + "bl.test": "127.0.0.2", REVERSED + "mark.test": "127.0.0.11"}
    with NameServer(names) as dns, with_lists(dns, "clear.test reject no", "mark.test =127.0.0.1? mark dial-up") as server:
        server.add_user("anna", "--admin")
        with client(server) as c:
            c.sendmail("bo@elsewhere.test", ["anna@example.test"], MESSAGE.format("marked"))
        text = server.fetch("anna")[0].decode()
        true("\r\nX-Blocklist: mark.test dial-up\r\n" in text and "forged" not in text, text)
        row = server.json("trace", "--to", "anna@example.test", "--steps")[0]
        true(any("the blocklist mark.test has the client: 127.0.0.11, mark" in s for s in row["steps"]), row["steps"])
        # a reload takes the new lists over
        with open(server.config) as f:
            conf = f.read()
        with open(server.config, "w") as f:
            f.write(conf.replace("clear.test reject no", "bl.test reject Listed, see bl.test"))
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: rcpt(server)[0] != 250, "the new lists are in force")
        equal(rcpt(server), (550, "5.7.1 Listed, see bl.test"))
        equal(rcpt(server, to="postmaster@example.test")[0], 250, "postmaster can be told")
        equal(rcpt(server, source="127.0.0.1")[0], 250, "a client of the LAN passes")
        equal(dns.asked("1.0.0.127.bl.test"), 0, "and nobody is asked about it")
        with client(server, service="submission") as c:
            c.starttls(context=unverified())
            c.login("anna", PASSWORD)
            equal(c.sendmail("anna@example.test", ["anna@example.test"], "From: anna@example.test\r\n\r\nx\r\n"), {})
        with client(server) as c:  # logged in on the port where he is listed
            c.starttls(context=unverified())
            c.login("anna", PASSWORD)
            equal(c.sendmail("anna@example.test", ["anna@example.test"], "From: anna@example.test\r\n\r\nx\r\n"), {})
        refused = server.json("trace", "--to", "anna@example.test", "--from", "bo@elsewhere.test", "--steps")
        true(any("the blocklist bl.test has the client: 127.0.0.2, reject" in s for r in refused for s in r["steps"]), refused)
        told = server.json("explain", "--peer", "198.51.100.7", "--from", "bo@elsewhere.test", "--to", "anna@example.test")[0]
        true(any("2 blocklists would be asked about 198.51.100.7" in s for s in told["steps"]), told["steps"])
        said = server.json("access", "test", "198.51.100.7", "--service", "smtp")[0]
        equal((said["send"], said["relay"]), (True, False), "access test asks no list either: %s" % said["why"])
        told = server.json("explain", "--peer", "10.0.0.7", "--from", "bo@elsewhere.test", "--to", "anna@example.test")[0]
        true(not any("blocklist" in s for s in told["steps"]), told["steps"])


def test_answers_are_remembered_NET_05():
    with NameServer({REVERSED + "bl.test": "127.0.0.2"}) as dns, with_lists(dns, "bl.test reject", "no.test reject") as server:
        server.add_user("anna", "--admin")
        for _ in range(5):
            equal(rcpt(server), (550, "5.7.1 127.0.0.2 is on the blocklist bl.test"))
        equal(dns.asked(REVERSED + "bl.test"), 1, "questions for 5 sessions")
        equal(dns.asked(REVERSED + "no.test"), 1, "of the list that has him not")
        told = server.json("status")[0]["dns"]
        equal([told[name] for name in ("asked", "from_cache", "lookups", "failed", "names")], [10, 8, 2, 0, 2])


def test_hostile_name_servers_refuse_nobody_H69():
    honest = ("large",)
    ways = [way for way in WAYS if way not in honest]
    names = {REVERSED + way.replace(" ", "-") + ".test": way for way in WAYS}
    with NameServer(names) as dns, with_lists(dns, *(way.replace(" ", "-") + ".test reject" for way in ways), timeout="1s") as server:
        server.add_user("anna", "--admin")
        began = time.time()
        equal(rcpt(server)[0], 250, "a client of whom nobody can say anything")
        true(time.time() - began < 50, "within the time of all tries (Q-61)")
        with client(server) as c:
            c.sendmail("tia@elsewhere.test", ["anna@example.test"], MESSAGE.format("hostile"))
        steps = server.json("trace", "--from", "tia@elsewhere.test", "--steps")[0]["steps"]
        for way in ways:
            true(any("the blocklist %s.test did not answer" % way.replace(" ", "-") in s for s in steps), (way, steps))


def test_an_answer_over_tcp():
    with NameServer({REVERSED + "large.test": "large"}) as dns, with_lists(dns, "large.test reject") as server:
        server.add_user("anna", "--admin")
        equal(rcpt(server)[0], 550, "the whole answer came over TCP")


if __name__ == "__main__":
    sys.exit(tap([f for name, f in list(globals().items()) if name.startswith("test_")]))
