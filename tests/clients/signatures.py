#!/usr/bin/python3
"""signatures.py - signatures beside an implementation that is not ours (python3-dkim), and keys by command: TAP.

Debian's own python3, since the verifier is a package of Debian.
"""
import os
import subprocess
import sys

import dkim

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import Server, equal, tap, true  # noqa: E402

HEAD = b"From: Joe <joe@example.test>\r\nTo: a@b.test,\r\n\t c@d.test\r\nX-Long: a\r\nX-Long: b\r\nSubject:  two  blanks \r\n\r\n"
MESSAGES = (HEAD + b"hi  there \r\n\r\n \t\r\nx\r\n\r\n\r\n", HEAD, HEAD + b"\r\n\r\n", HEAD + b"line of text \r\n" * 5000)


def verify(signed, number, look):
    try:
        return dkim.DKIM(signed).verify(number, dnsfunc=lambda name, timeout=5: look.get(name))
    except dkim.DKIMException:
        return False


def test_signatures_verify_elsewhere():
    for way in ([], ["simple"]):
        for message in MESSAGES:
            out = subprocess.run(["build/dkim-sign"] + way, input=message, stdout=subprocess.PIPE, check=True).stdout
            records, _, signed = out.partition(b"\n\n")
            rsa, ed25519 = records.split(b"\n")
            look = {b"r._domainkey.example.test.": rsa, b"e._domainkey.example.test.": ed25519}
            for number in (0, 1):
                true(verify(signed, number, look), (way, number))
                true(not verify(signed.replace(b"joe@", b"bob@"), number, look), "another author")
                true(not verify(b"Subject: more\r\n" + signed, number, look), "a field more")
                true(not verify(signed + b"more\r\n", number, look), "a line more")


def test_keys_by_command():
    with Server(services=("smtp",), extra="testing: { clock: yes }\n") as server:
        server.add_user("anna", "--admin")
        server.cli("dkim", "add", "example.test", "--selector", "a", "--now")
        server.cli("dkim", "rotate", "example.test", "--selector", "b", "--after", "3d")
        equal([(k["selector"], k["state"]) for k in server.json("dkim", "list")],
              [("a-ed25519", "signs"), ("a-rsa", "signs"), ("b-ed25519", "waits"), ("b-rsa", "waits")])
        server.cli("clock", "advance", "3d")
        equal([(k["selector"], k["state"]) for k in server.json("dkim", "list")],
              [("a-ed25519", "retired"), ("a-rsa", "retired"), ("b-ed25519", "signs"), ("b-rsa", "signs")])
        true(server.cli("dkim", "remove", "example.test", "b-rsa", ok=False).returncode == 1, "it signs")
        server.cli("dkim", "remove", "example.test", "a-rsa")
        server.cli("undo")
        equal(len(server.json("dkim", "list")), 4)
        text = server.json("setup", "dns", "example.test")[0]["text"]
        true("b-rsa._domainkey.example.test. IN TXT (" in text and "a-rsa" not in text, text)


if __name__ == "__main__":
    sys.exit(tap([test_signatures_verify_elsewhere, test_keys_by_command]))
