#!/usr/bin/env python3
"""destinations.py - many destinations, some of which fail, are slow or hang: none holds up the others (H37, H18): TAP.

  POSTROOM_DESTINATIONS=1000 POSTROOM_MESSAGES=100000 tests/clients/destinations.py     the full figure
"""
import collections
import datetime
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from crowd_sink import CrowdSink, ways  # noqa: E402
from name_server import NameServer  # noqa: E402
from postroom import BUILD, Server, equal, figure, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import Closed, SmtpSink  # noqa: E402

DOMAINS = int(os.environ.get("POSTROOM_DESTINATIONS", "100"))
MESSAGES = int(os.environ.get("POSTROOM_MESSAGES", "3000"))
FULL = MESSAGES >= 50000
CONNECTIONS = 200 if FULL else 50
LIMIT_S = 120 + MESSAGES // 200  # far below the five minutes that a greeting may take
UNSETTLED_MAX = 300  # OUTGOING_UNSETTLED_MAX


class Site(Server):
    """Whoever connects may send elsewhere; without a route all waits."""

    def __init__(self, dns, extra="", more=""):
        super().__init__(extra="dns: { servers: ['%s'] }\nlimits: { max_per_ip: 1000, max_per_ip_before_login: 1000 }\n%s"
                         "outgoing: { %s }\n" % (dns.address, extra, more), level="info")

    def write_config(self):
        super().write_config()
        with open(self.config) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write(text.replace("  smtp: { listen:", '  smtp: { access: ["127.0.0.1 noauth"], listen:'))

    def load(self, messages, domains):
        r = subprocess.run([os.path.join(BUILD, "bench", "load"), "smtp", "-p", str(self.ports["smtp"]), "-c", "20", "-k", "1000",
                            "-n", str(messages), "-s", "1024", "-D", str(domains), "-t", "120"], capture_output=True, text=True)
        equal(json.loads(r.stdout)["done"], messages, r.stdout)

    def let_go(self, port, **keys):
        route = dict({"name": "out", "kind": "direct", "port": port, "allow_loopback": True}, **keys)
        self.cli("config", "set", "outgoing.routes", json.dumps([route]))

    def waiting(self):
        return self.json("status")[0]["queue"]["count"]


def manner_of(number):
    """Of a hundred domains ten fail, ten are slow, one says nothing at all."""
    at = number % 100
    return ("busy", "closes", "defers")[at % 3] if at < 10 else "late" if at < 20 else "silent" if at == 20 else "good"


def test_the_good_ones_leave_at_once_and_a_kill_loses_none_H37_H18():
    manners = [manner_of(i) for i in range(DOMAINS)]
    good = {n for n in range(MESSAGES) if manners[n % DOMAINS] == "good"}
    slow = {n for n in range(MESSAGES) if manners[n % DOMAINS] == "late"}
    port = free_ports(1)[0]
    with NameServer(ways(manners)) as dns, Site(dns, more="max_connections: %d" % CONNECTIONS) as server:
        with CrowdSink(port, server.dir + "/taken") as sink:
            server.load(MESSAGES, DOMAINS)
            equal(server.waiting(), MESSAGES, "all wait")
            before, began = server.private_kb(), time.time()
            server.let_go(port)
            wait_for(lambda: sink.seen()["messages"] >= len(good) // 4, "a quarter has left", LIMIT_S)
            used = server.private_kb() - before
            server.kill()
            server.start()
            wait_for(lambda: sink.seen()["messages"] >= len(good) and good <= set(sink.numbers()), "all good ones have left", LIMIT_S)
            seconds = time.time() - began
            figure("%d messages to %d domains, 1 %% silent: %d good ones left in %.1f s, restart after kill -9 included" % (
                MESSAGES, DOMAINS, len(good), seconds))
            both = len(good) + len(slow)
            wait_for(lambda: sink.seen()["messages"] >= both and slow <= set(sink.numbers()), "all slow ones have left", 2 * LIMIT_S)
            counts = collections.Counter(sink.numbers())
            equal(set(counts), good | slow, "nothing else was taken")
            doubles = sum(counts.values()) - len(counts)
            true(doubles <= UNSETTLED_MAX + CONNECTIONS, "%d were sent twice" % doubles)
            wait_for(lambda: server.waiting() == MESSAGES - len(good) - len(slow), "what is left waits: %d" % server.waiting(), LIMIT_S)
            seen = sink.seen()
            figure("%d sent twice after kill -9; %d connections for %d messages, %d at most at one time; %d KB more memory" % (
                doubles, seen["connections"], len(counts), seen["most"], used))
            if FULL:  # H37; the connections' own memory is theirs
                true((used - CONNECTIONS * 64) * 1024 / MESSAGES < 200, "%d KB for %d recipients" % (used, MESSAGES))


def test_who_says_nothing_makes_room_H37():
    """More hosts hang than there are connections: the good ones get some nevertheless, long before the five minutes."""
    manners = ["silent"] * 10 + ["good"] * 6
    port = free_ports(1)[0]
    with NameServer(ways(manners)) as dns, Site(dns, more="max_connections: 4") as server, \
            CrowdSink(port, server.dir + "/taken") as sink:
        server.load(32, 16)
        server.let_go(port)
        good = {n for n in range(32) if n % 16 >= 10}
        wait_for(lambda: good <= set(sink.numbers()), "all good ones have left", 120)
        wait_for(lambda: server.waiting() == 20, "the others wait")


def test_who_forgets_to_answer_a_text_is_not_sent_twice_and_holds_up_nobody_H37():
    manners = ["forgets"] * 6 + ["good"] * 6
    port = free_ports(1)[0]
    with NameServer(ways(manners)) as dns, Site(dns, more="max_connections: 4") as server, \
            CrowdSink(port, server.dir + "/taken") as sink:
        server.load(12, 12)
        server.let_go(port)
        wait_for(lambda: set(range(6, 12)) <= set(sink.numbers()), "all good ones have left", 120)
        true(sink.seen()["open"] >= 4, "those that wait for an answer go on waiting")


def test_all_destinations_of_a_route_share_its_connections():
    port = free_ports(1)[0]
    with NameServer(ways(["late"] * 6)) as dns, Site(dns) as server, CrowdSink(port, late_ms=20) as sink:
        server.load(60, 6)
        server.let_go(port, total_connections=2)
        wait_for(lambda: sink.seen()["messages"] == 60, "all have left", 60)
        equal(sink.seen()["most"], 2)


def test_rates_of_a_destination_and_of_a_route():
    port = free_ports(1)[0]
    with NameServer(ways(["good"] * 3)) as dns, Site(dns, extra="testing: { clock: yes }\n") as server, CrowdSink(port) as sink:
        server.load(12, 3)
        server.let_go(port, rate=1)
        taken = lambda: sink.seen()["messages"]  # noqa: E731
        wait_for(lambda: taken() == 3 and server.waiting() == 9, "one to each")
        whys = [str(server.json("queue", "show", row["id"])) for row in server.json("queue", "list")]
        true(any("rate" in why for why in whys), whys[0])
        equal(taken(), 3)
        server.cli("clock", "advance", "60s")
        wait_for(lambda: taken() == 6, "another one to each")
        server.let_go(port, total_rate=1)
        server.cli("clock", "advance", "60s")
        wait_for(lambda: taken() == 7, "one in all")
        server.cli("clock", "advance", "60s")
        wait_for(lambda: taken() == 8, "and one more")
        server.let_go(port)
        wait_for(lambda: taken() == 12, "without a rate all leave")


def test_a_server_that_takes_few_connections_gets_few_H37():
    """It refuses the third one: the two that it has go on, nothing is deferred."""
    open_ones = []

    def greet(session):
        if len(open_ones) >= 2:
            session.say("421 4.7.0 too many connections")
            raise Closed
        open_ones.append(session)
        try:
            session.say("220 sink.test ESMTP")
            while True:
                session.command(session.line())
        finally:
            open_ones.remove(session)

    with NameServer(ways(["good"])) as dns, Site(dns) as server, SmtpSink(greeting=greet, on_end=lambda mail: slowly()) as sink:
        server.load(60, 1)
        server.cli("config", "set", "outgoing.routes", json.dumps([{"name": "isp", "servers": ["127.0.0.1:%d" % sink.port]}]))
        wait_for(lambda: len(sink.mails) == 60, "all have left: %d" % len(sink.mails), 60)
        equal(server.json("status")[0]["outgoing"]["deferred"], 0)


def test_lan_targets_share_their_connections_and_rest_by_their_own_time_LAN_05():
    port, closed = free_ports(2)
    with NameServer({}) as dns, Site(dns, extra="lan: { deliveries: 2, retry: 2h }\n") as server, CrowdSink(port, late_ms=20) as sink:
        os.mkdir(os.path.join(server.dir, "rules"))
        with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
            f.writelines("*@d%d.test 127.105.0.%d:%d\n" % (i, i + 1, port) for i in range(5))
            f.write("*@d5.test 127.0.0.1:%d\n" % closed)
        server.stop()
        server.start()
        server.load(60, 6)
        wait_for(lambda: sink.seen()["messages"] == 50, "all that can have left: %s" % sink.seen(), 60)
        equal(sink.seen()["most"], 2)
        wait_for(lambda: all(row["state"] == "deferred" for row in server.json("queue", "list")), "the others rest")
        rows = server.json("queue", "list")
        equal(len(rows), 10)
        tries = [seconds_of(row["next_try"]) - time.time() for row in rows]
        true(all(3600 < wait <= 7200 for wait in tries), "each rests for lan.retry: %s" % tries)


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def slowly():
    time.sleep(0.02)
    return "250 2.0.0 taken"


if __name__ == "__main__":
    sys.exit(tap([test_lan_targets_share_their_connections_and_rest_by_their_own_time_LAN_05, test_all_destinations_of_a_route_share_its_connections,
                  test_rates_of_a_destination_and_of_a_route,
                  test_a_server_that_takes_few_connections_gets_few_H37,
                  test_who_forgets_to_answer_a_text_is_not_sent_twice_and_holds_up_nobody_H37,
                  test_who_says_nothing_makes_room_H37,
                  test_the_good_ones_leave_at_once_and_a_kill_loses_none_H37_H18]))
