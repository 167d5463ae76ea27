#!/usr/bin/env python3
"""lan_queue.py - LAN forwarding goes by itself: retries, the end of patience, how many sessions at once (LAN-05, 06, 10 to 12)."""
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from outgoing_site import CLOCK, queue, submit  # noqa: E402
from postroom import Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


def lan(extra=""):
    return Server(extra=CLOCK + extra)


def rule(server, *targets):
    """userN goes to the Nth target."""
    server.cli("route", "lan", "apply", "-", stdin="".join("user%d@example.test 127.0.0.1:%d\n" % item
                                                          for item in enumerate(targets)))


def tried(server, times):
    wait_for(lambda: [(q["state"], q["tries"]) for q in queue(server)] == [("deferred", times)], "tried %d times" % times, 15)
    return queue(server)[0]


class Counted:
    """Sinks that know how many sessions were open at once, each and together."""

    def __init__(self, count):
        self.lock, self.now, self.most, self.all_now, self.all_most = threading.Lock(), [0] * count, [0] * count, 0, 0
        self.sinks = [SmtpSink(greeting=self.greeter(i), ehlo=("8BITMIME",)) for i in range(count)]

    def count(self, i, by):
        with self.lock:
            self.now[i] += by
            self.all_now += by
            self.most[i], self.all_most = max(self.most[i], self.now[i]), max(self.all_most, self.all_now)

    def greeter(self, i):
        def greet(session):
            self.count(i, 1)
            session.say("220 sink.test ESMTP")
            while True:
                line = session.line()
                session.lines.append(line)
                if line == "QUIT":  # before the answer: then the other side may begin another session
                    self.count(i, -1)
                if line.startswith("DATA"):
                    time.sleep(0.02)  # so that others would have time to come
                session.command(line)
        return greet

    def __enter__(self):
        for sink in self.sinks:
            sink.__enter__()
        return self

    def __exit__(self, *why):
        for sink in self.sinks:
            sink.__exit__(*why)

    def mails(self):
        return sum(len(sink.mails) for sink in self.sinks)


def test_a_target_that_is_down_25_minutes_is_tried_again_twice_LAN_05():
    port = free_ports(1)[0]
    with lan() as server:
        server.add_user("anna")
        rule(server, port)
        submit(server, ["user0@example.test"])
        for times in (1, 2, 3):
            row = tried(server, times)
            true("Connection refused" in row["last_error"] and row["route"] == ["lan:127.0.0.1:%d" % port], row)
            server.cli("clock", "advance", "9m")
            equal(queue(server)[0]["tries"], times, "not before ten minutes have passed")
            if times == 3:
                break
            server.cli("clock", "advance", "1m")
        with SmtpSink(port=port) as sink:
            server.cli("clock", "advance", "1m")
            wait_for(lambda: sink.mails, "at the third it is there", 15)
        wait_for(lambda: not queue(server), "and gone", 10)


def test_after_72_hours_it_fails_LAN_05():
    port = free_ports(1)[0]
    with lan() as server:
        server.add_user("anna")
        rule(server, port)
        submit(server, ["user0@example.test"])
        tried(server, 1)
        server.cli("clock", "advance", "71h")
        tried(server, 2)
        true(not any(b"Action: failed" in m for m in server.fetch("anna")), "not yet")
        server.cli("clock", "advance", "1h")
        wait_for(lambda: not queue(server), "it is given up", 15)
        told = [m for m in server.fetch("anna") if b"Action: failed" in m]
        equal(len(told), 1)
        true(b"4.4.7" in told[0] and b"user0@example.test" in told[0], told[0].decode())


def test_the_times_are_settings_LAN_05():
    port = free_ports(1)[0]
    with lan("lan: { retry: 1m, give_up: 3m }\n") as server:
        server.add_user("anna")
        rule(server, port)
        submit(server, ["user0@example.test"])
        tried(server, 1)
        server.cli("clock", "advance", "1m")
        tried(server, 2)
        server.cli("clock", "advance", "2m")
        wait_for(lambda: not queue(server), "it is given up", 15)


def test_one_session_at_a_time_to_a_target_LAN_06():
    with Counted(1) as targets:
        with lan("lan: { threads: \"127.0.0.1:%d-1\" }\n" % targets.sinks[0].port) as server:
            server.add_user("anna")
            rule(server, targets.sinks[0].port)
            for i in range(12):
                submit(server, ["user0@example.test"])
            wait_for(lambda: targets.mails() == 12, "all are there", 30)
        equal(targets.most, [1])


def test_all_targets_share_the_deliveries_LAN_05():
    with Counted(4) as targets, lan("lan: { deliveries: 2 }\n") as server:
        server.add_user("anna")
        rule(server, *[sink.port for sink in targets.sinks])
        for i in range(24):
            submit(server, ["user%d@example.test" % (i % 4)])
        wait_for(lambda: targets.mails() == 24, "all are there: %d" % targets.mails(), 60)
        true(targets.all_most <= 2, "never more than two: %d" % targets.all_most)


def test_a_hanging_target_leaves_room_for_others_LAN_05():
    with SmtpSink(greeting=lambda session: session.line()) as deaf, SmtpSink() as good, lan("lan: { deliveries: 2 }\n") as server:
        server.add_user("anna")
        rule(server, deaf.port, good.port)
        for i in range(6):
            submit(server, ["user0@example.test"])
        for i in range(6):
            submit(server, ["user1@example.test"])
        wait_for(lambda: len(good.mails) == 6, "the other gets its mail", 20)
        equal(len(deaf.sessions), 1, "a server that says nothing has one session, not all")


def test_helo_where_ehlo_is_unknown_LAN_11():
    with SmtpSink(ehlo=None) as old, lan() as server:
        server.add_user("anna")
        rule(server, old.port)
        submit(server, ["user0@example.test"])
        wait_for(lambda: old.mails, "it takes it", 15)
        equal([line.split()[0] for line in old.sessions[0].lines[:2]], ["EHLO", "HELO"])


def test_a_lan_target_needs_no_route_and_no_rule_LAN_07():
    """What names its server itself leaves though nothing else does."""
    with SmtpSink() as sink, lan() as server:
        server.add_user("anna")
        submit(server, ["bo@far.test"])
        submit(server, ["cy@far.test"])
        server.cli("queue", "redirect", queue(server)[0]["id"], "route=lan:127.0.0.1:%d" % sink.port)
        wait_for(lambda: sink.mails, "it is sent", 15)
        wait_for(lambda: len(queue(server)) == 1, "and gone", 10)
        row = queue(server)[0]
        equal((row["state"], row["next_try"], row["route"]), ("active", None, []), "the other one waits for a route")


def test_it_never_waits_for_a_dial_up_connection_LAN_08():
    offline = "connections: [ { name: line, kind: link, up: [/bin/false], status: [/bin/false] } ]\n"
    with SmtpSink() as sink, lan(offline) as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d" % sink.port)
        rule(server, sink.port)
        submit(server, ["bo@far.test"])
        submit(server, ["user0@example.test"])
        wait_for(lambda: sink.mails, "what is for the LAN leaves", 15)
        equal([mail.recipients for mail in sink.mails], [["user0@example.test"]])
        wait_for(lambda: len(queue(server)) == 1, "the other one waits", 10)
        true("connection line" in str(server.json("queue", "show", queue(server)[0]["id"])), "for the connection")
        true("connection line" in server.json("route", "list")[0]["why"], "the route says so, too")


def test_what_was_forwarded_is_counted_LAN_12():
    with SmtpSink() as sink, lan() as server:
        server.add_user("anna")
        rule(server, sink.port)
        submit(server, ["user0@example.test"])
        wait_for(lambda: server.json("status")[0]["outgoing"]["lan"]["sent"] == 1, "counted", 15)
        counted = server.json("status")[0]["outgoing"]["lan"]
        equal(counted["queued"], 1)
        true(counted["sent_bytes"] > 0, counted)


def test_why_a_forwarded_message_waits_LAN_10():
    port = free_ports(1)[0]
    with lan() as server:
        server.add_user("anna")
        rule(server, port)
        submit(server, ["user0@example.test"])
        row = tried(server, 1)
        shown = server.json("queue", "show", row["id"])[0]["recipients"][0]
        equal((shown["route"], shown["tries"]), ("lan:127.0.0.1:%d" % port, 1))
        true("Connection refused" in shown["last_error"] and shown["next_try"], shown)
        submit(server, ["user0@example.test"])
        wait_for(lambda: len(server.json("queue", "list", "--filter", "route:lan:")) == 2, "both are found", 10)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in globals().items() if n.startswith("test_")]))
