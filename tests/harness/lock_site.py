"""lock_site.py - for tests of logins: those who guess, from where, and by which protocol.

127.0.0.2 and its like are other machines here (SEC-04). Time is moved by `clock advance`, not waited for.
"""
import base64
import contextlib
import json
import socket

from tests.clients.hostile import Line
from tests.harness.postroom import PASSWORD

FAST = "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
CLOCK = FAST + "testing: { clock: yes }\n"
A, B, HERE = "127.0.0.2", "127.0.0.3", "127.0.0.1"
NO = b"-ERR [AUTH] Wrong name or password\r\n"


@contextlib.contextmanager
def site(server, *users):
    with server:
        server.add_user("postmaster", "--admin")
        for name in users:
            server.add_user(name)
        yield server


def login(server, source, name, password=PASSWORD):
    """One try by POP3, on a connection of its own: the reply."""
    c = Line(server.ports["pop3"], source)
    try:
        c.ask("USER " + name)
        return c.ask("PASS " + password)
    finally:
        c.close()


def smtp_login(server, source, name, password=PASSWORD, how="PLAIN"):
    c = Line(server.ports["submission"], source).hello(tls=True)
    try:
        if how == "PLAIN":
            return c.ask("AUTH PLAIN " + base64.b64encode(b"\0%s\0%s" % (name.encode(), password.encode())).decode())
        c.ask("AUTH LOGIN")
        c.ask(base64.b64encode(name.encode()).decode())
        return c.ask(base64.b64encode(password.encode()).decode())
    finally:
        c.close()


def control(server, method, **params):
    """One call of the control socket, as a program makes it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(server.socket)
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def advance(server, by):
    server.cli("clock", "advance", by)


def security(server, word):
    return [str(r) for r in server.json("log", "show", "--service", "security") if word in str(r)]


def blocks(server):
    return {(r["address"], r["user"]): r for r in server.json("block", "list")}
