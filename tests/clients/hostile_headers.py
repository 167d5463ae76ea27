#!/usr/bin/env python3
"""hostile_headers.py - strangers' headers, and then all that shows them (H70): TAP.

300 messages with the worst headers that a sender can make come in over SMTP; every list, show, trace and
log after that ends with 0, is valid JSON with --json, and holds no byte below 0x20 but the line feed.
"""
import base64
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control_cli import PASSWORD, relay  # noqa: E402
from control_server import BUILD, Count, Server  # noqa: E402
import smtplib  # noqa: E402

MESSAGES = 300
SEED = 70
BIDI = "\u202e\u2066\u2069\u200f\u061c"
PIECES = [
    b"", b" ", b"x", b"\x00", b"\x01", b"\x07", b"\x08", b"\x1b[2J", b"\x1b]0;owned\x07", b"\x7f", b"\t",
    b"\xc2\x9b31m", b"\x9b", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80",
    BIDI.encode(), "\u200b\ufeff\U000e0041".encode(), b"\\u0000", b"\\ud800", b'"', b"\\", b"{}", b"</script>",
    b"e" + "\u0301".encode() * 300, b"A" * 900, b"%s%n", b"\xe2\x80", b"=?", b"?=", b"=?utf-8?q?=?=",
]
CHARSETS = [b"utf-8", b"UTF-8", b"us-ascii", b"iso-8859-1", b"koi8-r", b"utf-16", b"utf-8*en", b"x\x1by", b""]
FIELDS = [b"Subject", b"From", b"To", b"Message-ID", b"Date", b"Reply-To", b"Sender", b"Cc", b"X-\x80"]


def word(dice):
    """An encoded word with anything in it; surrogates as CESU-8 too."""
    data = b"".join(dice.choice(PIECES)[:40] for _ in range(dice.randint(0, 3)))
    charset = dice.choice(CHARSETS)
    if dice.random() < 0.5:
        return b"=?" + charset + b"?B?" + base64.b64encode(data)[:dice.choice([1000, 5])] + b"?="
    return b"=?" + charset + b"?Q?" + b"".join(b"=%02X" % c for c in data) + b"?="


def value(dice):
    parts = [word(dice) if dice.random() < 0.5 else dice.choice(PIECES) for _ in range(dice.randint(0, 4))]
    return dice.choice([b"", b" ", b"\r\n "]).join(parts)


def message(number, dice):
    if number == 0:
        return b"Subject: =?utf-8?Q?a=00b?=\r\n\r\nx\r\n"
    if number == 1:
        return b"Subject: =?utf-8?B?4oCuZ25w?= =?utf-8?Q?=1B[2J=0A=00?=\r\n\r\nx\r\n"
    if number == 2:
        return b"Subject: =?utf-8?B?" + base64.b64encode(b"\xed\xa0\x80\x00") + b"?=\r\n\r\nx\r\n"
    if number == 3:
        return b"Subject: " + b"\r\n ".join([b"h" * 900] * 60) + b"\r\n\r\nx\r\n"
    fields = dice.sample(FIELDS, dice.randint(0, len(FIELDS))) + [b"Subject"] * dice.randint(0, 2)
    header = b"".join(f + dice.choice([b":", b": ", b" :"]) + value(dice) + b"\r\n" for f in fields)
    return header + b"\r\n" + value(dice) + b"\r\n"


def deliver(server, dice):
    """How many it took; the others were refused, which is no less good."""
    taken = 0
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=60) as smtp:
        smtp.ehlo("client.example.net")
        for number in range(MESSAGES):
            if smtp.mail("bo@example.net")[0] != 250 or smtp.rcpt("anna@example.test")[0] != 250:
                raise RuntimeError("no mail is taken")
            smtp.putcmd("data")
            smtp.getreply()
            text = message(number, dice).replace(b"\r\n.", b"\r\n..")
            smtp.send(text + b".\r\n")
            taken += smtp.getreply()[0] == 250
    return taken


def raw(server, words):
    done = subprocess.run([os.path.join(BUILD, "postroom"), "-s", server.sock, *words], capture_output=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def look(c, server, *words):
    """WORDS with and without --json; what --json printed."""
    status, out, err = raw(server, words)
    bad = [b for b in out + err if (b < 32 and b != 10) or b == 127]
    c.check("H70 " + " ".join(words), status == 0 and not bad and "\u202e" not in out.decode("utf-8"),
            (status, err, bytes(bad[:20])))
    status, out, err = raw(server, (*words, "--json"))
    bad = [b for b in out if b < 32 and b != 10]
    rows = []
    try:
        rows = [json.loads(line) for line in out.decode("utf-8").splitlines() if line.strip()]
    except ValueError as error:
        bad = [error]
    c.check("H70 " + " ".join(words) + " --json", status == 0 and not bad, (status, err, bad[:20]))
    return rows


def main():
    c, s, dice = Count(), Server(), random.Random(SEED)
    s.start()
    try:
        s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
        s.run("user", "add", "anna", "--password-stdin", stdin=PASSWORD + "\n")
        taken = deliver(s, dice)
        c.check("messages are taken (%d)" % taken, taken > MESSAGES // 2, taken)
        relay(s, "x@faraway.test")
        rows = look(c, s, "message", "list", "anna", "--limit", "1000")
        c.check("all are listed", len(rows) == taken, (len(rows), taken))
        for row in rows[:4] + rows[4::25]:
            look(c, s, "message", "show", "anna", str(row["uid"]))
        s.run("message", "remove", "anna", *[str(row["uid"]) for row in rows[:40]], "--yes")
        look(c, s, "message", "bin", "anna")
        for words in (["trace", "--limit", "1000"], ["queue", "list"], ["log", "tail"], ["undo", "list"],
                      ["user", "show", "anna"], ["status"], ["session", "list"]):
            look(c, s, *words)
    except Exception as error:  # a test that breaks off has failed
        c.check("it runs to its end", False, error)
    finally:
        c.check("the server ends well", s.stop() == 0, s.errors[-3:])
        s.close()
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
