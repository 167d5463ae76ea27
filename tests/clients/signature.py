#!/usr/bin/env python3
"""signature.py - the global signature with real clients and readers: who gets it, where it stands, what stays as it was."""
import email
import email.policy
import os
import subprocess
import sys
from email.message import EmailMessage

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from outgoing_site import certificate, relay, trace_text, wait_empty  # noqa: E402
from outgoing_wire import verify_elsewhere  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

EIGHT = ("PIPELINING", "8BITMIME", "SIZE 100000000")
DEFAULT = "signature: { plain: \"-- \\nExample Ltd\\n\", html: \"<p>Example <b>Ltd</b></p>\" }\n"
BOTH = ("signature: { plain: \"-- \\nExample Ltd\\n\", "
        "auth_plain: \"-- \\n[givenName] [sn], M\u00fcller AG [telephoneNumber]!\\n\" }\n")


def site(sink, more):
    return Server(extra=relay(sink, rest=more))


def submit(server, to, text, sender="anna@example.test", user="anna"):
    with server.smtp("submissions") as c:
        c.login(user, PASSWORD)
        c.sendmail(sender, to, text)


def sent(server, sink, count=1):
    wait_for(lambda: len(sink.mails) >= count, "it is sent", 20)
    wait_empty(server)
    return [m.data for m in sink.mails]


def body_of(data):
    return data.partition(b"\r\n\r\n")[2]


def texts(data):
    """Every text of a message as a reader decodes it: (type, text)."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    equal(message.defects, [])
    return [(part.get_content_type(), part.get_content().replace("\r\n", "\n"))
            for part in message.walk() if part.get_content_maintype() == "text"]


def sound(server):
    status, said = server.check()
    equal(status, 0, said)


def latest(server):
    return trace_text(server, server.json("trace")[0]["id"])


TEXT = "From: anna@example.test\r\nTo: x@elsewhere.test\r\nSubject: hi\r\n\r\nhello\r\n"


def test_only_the_internet_copy_has_it_SIG_01_HDR_02():
    with SmtpSink(ehlo=EIGHT) as sink, site(
            sink, DEFAULT + "smtp: { relay_check: none }\n") as server:
        for name in ("anna", "bert"):
            server.add_user(name)
        submit(server, ["bert@example.test", "bo@elsewhere.test"], TEXT)
        data = sent(server, sink)[0]
        equal(body_of(data), b"hello\r\n-- \r\nExample Ltd\r\n")
        equal(body_of(server.fetch("bert")[0]), b"hello\r\n", "the colleague's")
        submit(server, ["bert@example.test"], TEXT)
        server.send("x@elsewhere.test", ["bert@example.test"], TEXT)
        equal([body_of(m) for m in server.fetch("bert")], [b"hello\r\n"] * 3, "internal and incoming")
        server.send("x@elsewhere.test", ["bo@elsewhere.test"], TEXT)
        equal(body_of(sent(server, sink, 2)[1]), b"hello\r\n", "relayed for another server")
        server.cli("mapping", "add", "out@example.test", "bo@elsewhere.test")
        server.send("x@elsewhere.test", ["out@example.test"], TEXT)
        equal(body_of(sent(server, sink, 3)[2]), b"hello\r\n", "what a mapping sends out from outside")
        steps = server.json("explain", "--from", "x@elsewhere.test", "--to", "out@example.test", "--via", "pop3")
        true("no signature is added" in str(steps), "collected")
        sound(server)


def noauth(server):
    server.cli("service", "set", "smtp", "access=127.0.0.1 noauth", "--yes")


def add_user(server, name, *keys):
    server.add_user(name)
    server.cli("user", "set", name, *keys)


def test_who_counts_as_local_SIG_02_SIG_03():
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, BOTH) as server:
        server.add_user("anna")
        noauth(server)
        server.send("anna@example.test", ["bo@elsewhere.test"], TEXT)
        server.send("nobody@elsewhere.test", ["bo@elsewhere.test"], TEXT.replace("anna@example", "nobody@elsewhere"))
        submit(server, ["bo@elsewhere.test"], TEXT)
        bodies = sorted(texts(data)[0][1] for data in sent(server, sink, 3))
        equal(bodies, ["hello\n", "hello\n-- \n , M\u00fcller AG !\n", "hello\n-- \nExample Ltd\n"],
              "no user, who logged in and has no names, a user by his address")
        true("its sender is none of the users here" in str([server.json("trace", row["id"]) for row in server.json("trace")]),
             "and the trace says why not")


def test_one_pair_is_enough_SIG_03_SIG_04():
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, 'signature: { html: "<p>A &amp; B<br>C</p>" }\n') as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"], TEXT)
        equal(texts(sent(server, sink)[0]), [("text/plain", "hello\nA & B\nC\n")], "the default pair, plain made of HTML")


def alternative(charset="utf-8", cte="base64"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@example.test", "bo@elsewhere.test", "caf\u00e9"
    message.set_content("Gr\u00fc\u00dfe\n", charset=charset, cte=cte)
    message.add_alternative("<html><body><p>Gr\u00fc\u00dfe</p></body></html>\n", subtype="html", charset=charset, cte=cte)
    message.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="octet-stream", filename="a.bin")
    return message.as_bytes(policy=email.policy.SMTP)


def test_every_form_and_encoding_SIG_04_SIG_05_SIG_09():
    """Clients' usual forms: both texts have it, decoded they are what they were and the signature, in any charset."""
    more = 'signature: { plain: "M\u00fcller \u20ac", html: "<i>M\u00fcller</i>" }\nheaders: { outgoing: ["X-House: %O"] }\n'
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, more) as server:
        server.add_user("anna")
        server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
        ways = [(c, e) for c in ("utf-8", "iso-8859-1", "windows-1252") for e in ("base64", "quoted-printable", "8bit")]
        for i, (charset, cte) in enumerate(ways):
            original = alternative(charset, cte)
            submit(server, ["bo@elsewhere.test"], original)
            data = sent(server, sink, i + 1)[i]
            plain, html = texts(data)
            equal(plain, ("text/plain", "Gr\u00fc\u00dfe\nM\u00fcller \u20ac\n"), (charset, cte))
            equal(html[1].count("</body>"), 1)
            equal(html[1].replace("\n", ""), "<html><body><p>Gr\u00fc\u00dfe</p><i>M&#252;ller</i></body></html>", (charset, cte))
            attached = [p.get_content() for p in email.message_from_bytes(data, policy=email.policy.default).iter_attachments()]
            equal(attached, [bytes(range(256)) * 40])
            true(b"X-House: anna@example.test\r\n" in data, "with the fields of the house")
            verify_elsewhere(server, data)
        sound(server)


def test_made_7bit_at_delivery_SIG_09():
    """A server without 8BITMIME gets text and signature in 7 bits, and they read the same."""
    with SmtpSink(ehlo=("PIPELINING",)) as sink, site(sink, BOTH) as server:
        add_user(server, "anna", "full_name=Anna van Holst")
        server.cli("dkim", "add", "example.test", "--selector", "s", "--now")
        submit(server, ["bo@elsewhere.test"], alternative("utf-8", "8bit"))
        data = sent(server, sink)[0]
        true(data.isascii(), "7-bit")
        equal(texts(data)[0][1], "Gr\u00fc\u00dfe\n-- \nAnna van Holst, M\u00fcller AG !\n")
        verify_elsewhere(server, data)


def test_attributes_SIG_06_Q_20():
    more = ('signature: { auth_plain: "[cn]|[givenName]|[sn]|[surname]|[mail]|[uid]|[c]|[co]|[o]|[telephoneNumber]|[1]|[x", '
            'auth_html: "<b>[cn]</b>" }\n')
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, more) as server:
        add_user(server, "anna", "full_name=Anna <Maria> Holst")
        server.add_user("bert")
        submit(server, ["bo@elsewhere.test"], TEXT)
        equal(texts(sent(server, sink)[0])[0][1],
              "hello\nAnna <Maria> Holst|Anna <Maria>|Holst|Holst|anna@example.test|anna|||||[1]|[x\n")
        submit(server, ["bo@elsewhere.test"], TEXT.replace("anna", "bert"), "bert@example.test", "bert")
        equal(texts(sent(server, sink, 2)[1])[0][1], "hello\nbert||||bert@example.test|bert|||||[1]|[x\n")
        html = TEXT.replace("Subject:", "Content-Type: text/html\r\nSubject:")
        submit(server, ["bo@elsewhere.test"], html)
        equal(body_of(sent(server, sink, 3)[2]), b"hello\r\n<b>Anna &lt;Maria&gt; Holst</b>\r\n")


def test_users_without_it_USR_32_SIG_07():
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, DEFAULT) as server:
        add_user(server, "anna", "no_signature=yes")
        noauth(server)
        submit(server, ["bo@elsewhere.test"], TEXT)
        equal(body_of(sent(server, sink)[0]), b"hello\r\n")
        true("no_signature" in latest(server), latest(server))
        server.send("anna@example.test", ["bo@elsewhere.test"], TEXT)
        equal(body_of(sent(server, sink, 2)[1]), b"hello\r\n-- \r\nExample Ltd\r\n", "without having logged in it does not count")


def test_signed_mail_is_left_alone_SIG_09_Q_21():
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, DEFAULT) as server:
        server.add_user("anna")
        cert, key = certificate(server.dir, "anna.example.test")
        out = subprocess.run(["openssl", "smime", "-sign", "-signer", cert, "-inkey", key, "-text", "-crlfeol"],
                             input=b"hello\r\n", stdout=subprocess.PIPE, check=True).stdout
        head = b"From: anna@example.test\r\nTo: bo@elsewhere.test\r\nSubject: sealed\r\n"
        submit(server, ["bo@elsewhere.test"], head + out.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        data = sent(server, sink)[0]
        true(b"Example Ltd" not in data, data)
        subprocess.run(["openssl", "smime", "-verify", "-noverify", "-certfile", cert], input=data,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        true("signed or encrypted" in latest(server), latest(server))


def test_large_mail_is_stored_once_and_explained_SIG_01():
    """Three megabytes: what is added is a few bytes of the store, and `explain` says before what the trace says after."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "anna@example.test", "bo@elsewhere.test", "big"
    message.set_content("see there\n")
    message.add_attachment(os.urandom(3 << 20), maintype="application", subtype="octet-stream", filename="a.bin")
    text = message.as_bytes(policy=email.policy.SMTP)
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, DEFAULT) as server:
        for name in ("anna", "bert"):
            server.add_user(name)
        path = os.path.join(server.dir, "big.eml")
        with open(path, "wb") as f:
            f.write(text)
        to = ["bert@example.test", "bo@elsewhere.test"]
        said = server.json("explain", "--auth", "anna", "--from", "anna@example.test", "--message", path, *[w for r in to for w in ("--to", r)])[0]["steps"]
        submit(server, to, text)
        data = sent(server, sink)[0]
        equal(texts(data)[0][1], "see there\n-- \nExample Ltd\n")
        original, got = (email.message_from_bytes(m, policy=email.policy.default) for m in (text, data))
        equal([p.get_content() for p in got.iter_attachments()], [p.get_content() for p in original.iter_attachments()])
        message_no = [row["id"] for row in server.json("trace") if row.get("sender", row.get("from")) == "anna@example.test"][0]
        steps = [s for row in server.json("trace", message_no) for s in row["steps"]]
        added = [s for s in said if "signature" in s]
        equal(len(added), 1, said)
        true(added[0] in steps, (added, steps))
        sound(server)


def test_in_an_encrypted_store_SIG_01_SEC_08():
    with SmtpSink(ehlo=EIGHT) as sink, site(sink, DEFAULT.replace("Ltd", "canary") + "store: { encrypt: yes }\n") as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"], TEXT + "secretword\r\n" * 1000)
        equal(body_of(sent(server, sink)[0]), b"hello\r\n" + b"secretword\r\n" * 1000 + b"-- \r\nExample canary\r\n")
        with open(os.path.join(server.store, "data.mdb"), "rb") as f:
            data = f.read()
        true(b"Example canary" not in data and b"secretword" not in data, "neither what came nor what was added")
        sound(server)


def test_preview_SIG_08():
    with Server(extra=BOTH) as server:
        add_user(server, "anna", "full_name=Anna Holst")
        shown = server.cli("signature", "preview", "--user", "anna").stdout
        true("Anna Holst, M\u00fcller AG !" in shown and "M&#252;ller" in shown and "Example Ltd" in shown, shown)
        true("[givenName]" in server.cli("signature", "preview").stdout, "nobody's")
        equal(server.cli("signature", "preview", "--user", "nobody", ok=False).returncode, 1)


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]

if __name__ == "__main__":
    tap(TESTS)
