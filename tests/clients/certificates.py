#!/usr/bin/env python3
"""certificates.py - a certificate that is replaced on disk, and one that comes to its end (SVC-07): TAP."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import Server, equal, tap, true, unverified, wait_for  # noqa: E402

LONG_AGO = 1600000000


def make(folder, days, name="mail.example.test"):
    """A certificate and its key, as a program that renews them leaves them: long since written."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=" + name, "-days", str(days), "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem"],
                   check=True, capture_output=True)
    for file in ("cert.pem", "key.pem"):
        os.utime("%s/%s" % (folder, file), (LONG_AGO + days, LONG_AGO + days))


def shown(server):
    with unverified().wrap_socket(socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)) as s:
        return s.getpeercert(True)


def warnings(server):
    return [m for m in server.fetch("postmaster") if b"TLS certificate" in m]


def subjects(server):
    return [line for m in warnings(server) for line in m.decode().split("\r\n") if line.startswith("Subject:")]


def log_lines(server, text):
    return [line for line in server.json("log", "show", "--service", "tls") if text in line["text"]]


def test_SVC_07_a_replaced_certificate_is_taken_over_and_sessions_live_on():
    server = Server(extra="testing: { clock: yes }\n")
    make(server.dir + "/tls", 900)
    with server:
        server.add_user("anna")
        old, session = shown(server), server.pop("anna")
        make(server.dir + "/tls", 800)
        server.cli("clock", "advance", "2m")  # the task runs
        wait_for(lambda: shown(server) != old, "the new one is shown")
        equal(session.stat()[0], 0, "the session of before lives on")
        session.quit()
        new = shown(server)
        with open(server.dir + "/tls/key.pem", "w") as f:
            f.write("no key\n")
        os.utime(server.dir + "/tls/key.pem", (LONG_AGO, LONG_AGO))
        server.cli("clock", "advance", "2m")
        wait_for(lambda: log_lines(server, "refused"), "the log tells of the bad one")
        equal(shown(server), new, "the one before stays")
        server.cli("clock", "advance", "2m")
        equal(len(log_lines(server, "refused")), 1, "said once")


def test_SVC_07_warned_30_14_and_7_days_before_the_end_and_at_it():
    server = Server(extra="testing: { clock: yes }\n")
    make(server.dir + "/tls", 40)
    with server:
        server.add_user("postmaster", "--admin")
        server.cli("clock", "advance", "2m")
        equal(subjects(server), [], "there is time")
        for advance, count, words in (("11d", 1, "ends in 29 days"), ("1d", 1, None), ("15d", 2, "ends in 13 days"),
                                      ("7d", 3, "ends in 6 days")):
            server.cli("clock", "advance", advance)
            wait_for(lambda: len(subjects(server)) >= count, "warning %d" % count)
            equal(len(subjects(server)), count, "after %s" % advance)
            true(words is None or words in subjects(server)[-1], "%s: %s" % (words, subjects(server)))
        server.stop()
        server.start()
        server.cli("clock", "advance", "2m")
        equal(len(subjects(server)), 3, "a restart repeats nothing")
        server.cli("clock", "advance", "8d")
        wait_for(lambda: len(subjects(server)) == 4, "the last one")
        true("has ended" in subjects(server)[-1], subjects(server)[-1])
        equal(len(log_lines(server, "the certificate has ended")), 1, "the log")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
