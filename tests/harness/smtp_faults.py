"""smtp_faults.py - what a hostile or broken mail server does instead of a reply, for the `replies` of smtp_sink.py.

    FAULTS["drip"](session)     a function of the connection: it says what it says, and returns a reply, or raises Closed

Each knows what the reply should have been: session.step, a row of STEPS.
"""
import socket
import struct
import time

from smtp_sink import Closed

DRIP_S = 0.1

# step: its good reply, and one of a class that makes no sense there
STEPS = {
    "greeting": ("220 sink.test ESMTP", "354 go"),
    "EHLO": ("250 sink.test", "354 go"),
    "STARTTLS": ("220 2.0.0 go", "354 go"),
    "AUTH": ("235 2.7.0 welcome", "354 go"),
    "MAIL": ("250 2.1.0 ok", "354 go"),
    "RCPT": ("250 2.1.5 ok", "354 go"),
    "DATA": ("354 go", "250 2.0.0 taken"),
    "BDAT": ("250 2.0.0 taken", "354 go"),
    "text": ("250 2.0.0 taken", "354 go"),
    "end": ("250 2.0.0 taken", "221 2.0.0 bye"),
    "QUIT": ("221 2.0.0 bye", "354 go"),
}


def send(session, data):
    session.sock.sendall(data)


def until_gone(session):
    """It waits for the client to leave."""
    while session.sock.recv(65536):
        pass
    raise Closed


def drip(session):
    for byte in STEPS[session.step][0].encode() * 1000:
        send(session, bytes([byte]))
        time.sleep(DRIP_S)
    raise Closed


def silence(session):
    until_gone(session)


def cut(session):
    raise Closed


def reset(session):
    session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Closed


def bye(session):
    session.say("421 4.3.2 shutting down")
    raise Closed


def lines(data):
    def fault(session):
        send(session, data)
        until_gone(session)
    return fault


def endless(session):
    while True:
        send(session, STEPS[session.step][0][:3].encode() + b"-and so on\r\n")


def long_line(session):
    for _ in range(16):
        send(session, STEPS[session.step][0][:3].encode() + b"x" * 65536)
    until_gone(session)


def ahead(session):
    """The good reply, and those of all that might follow, at once."""
    send(session, STEPS[session.step][0].encode() + b"\r\n" + b"250 2.0.0 ok\r\n" * 3 + b"354 go\r\n250 2.0.0 taken\r\n")
    until_gone(session)


def mixed(session):
    send(session, STEPS[session.step][0][:3].encode() + b"-one\r\n550 5.0.0 two\r\n")
    until_gone(session)


FAULTS = {
    "drip": drip, "silence": silence, "cut": cut, "reset": reset, "421": bye, "endless": endless,
    "4xx": lambda session: "451 4.3.0 not now", "5xx": lambda session: "554 5.7.1 not you",
    "wrong class": lambda session: STEPS[session.step][1],
    "garbage": lines(bytes(range(128, 256)) + b"\r\n"), "NUL": lines(b"2\x0050 ok\r\n"),
    "long line": long_line, "ahead": ahead, "mixed": mixed,
}
