#!/usr/bin/env python3
"""auth.py - logins that send no password, app passwords, and what is sealed: real programs, a real server.

msmtp and mpop speak SCRAM-SHA-256, CRAM-MD5 and APOP by GNU SASL; swaks, fetchmail, smtplib and poplib too.
"""
import base64
import contextlib
import glob
import hashlib
import os
import poplib
import smtplib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.clients.hostile import Line  # noqa: E402
from tests.clients.locks import control  # noqa: E402
from tests.clients.run import program, run, secret_file  # noqa: E402
from tests.harness.postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402

AUTH = "auth: { recoverable: yes, scram: yes, hash_memory: 8MB, hash_passes: 1 }\n"
OFF = "auth: { hash_memory: 8MB, hash_passes: 1 }\n"


@contextlib.contextmanager
def site(extra=AUTH):
    with Server(extra=extra) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        yield server


def legacy(server, mechanism, state="on"):
    return server.json("user", "legacy", "anna", mechanism, state)[0].get("secret")


def apop(server, password):
    p = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=30)
    try:
        return p.apop("anna", password)
    finally:
        p.close()


def refused(error, call, *args):
    try:
        call(*args)
    except error as e:
        return str(e)
    raise AssertionError("it was not refused")


def cram_login(server, password, service="submission"):
    with server.smtp(service) as s:
        s.ehlo()
        s.user, s.password = "anna", password
        return s.auth("CRAM-MD5", s.auth_cram_md5)[0]


def everything(folder):
    """All bytes of all files below a folder, but those of the key."""
    found = b""
    for path in glob.glob(folder + "/**", recursive=True):
        if os.path.isfile(path) and os.path.basename(path) != "secrets.key":
            with open(path, "rb") as f:
                found += f.read()
    return found


def mail_by(server, program_name, method, password, status=0):
    """Send by msmtp or fetch by mpop with one mechanism."""
    out = program_name == "msmtp"
    conf = secret_file(server, program_name + "rc", """account default
host 127.0.0.1
port %d
tls on
tls_starttls off
tls_certcheck off
auth %s
user anna
password "%s"
%s
""" % (server.ports["submissions" if out else "pop3s"], method, password,
       "from anna@example.test" if out else
       "delivery mbox %s/box\nuidls_file %s/uidls\nkeep on" % (server.dir, server.dir)))
    rest = ["-C", conf] + (["anna@example.test"] if out else [])
    r = subprocess.run([program(program_name), *rest], input="Subject: by %s\n\nhello\n" % method,
                       capture_output=True, text=True, timeout=60)
    equal(r.returncode == 0, status == 0, "%s %s: %s" % (program_name, method, r.stderr[-300:]))


def test_programs_prove_passwords_SMT_04_POP_02():
    with site() as server:
        cram, secret = legacy(server, "cram-md5"), legacy(server, "apop")
        for name in ("msmtp", "mpop"):
            mail_by(server, name, "scram-sha-256", PASSWORD)
            mail_by(server, name, "cram-md5", cram)
            mail_by(server, name, "scram-sha-256", "wrong", status=1)
        mail_by(server, "mpop", "apop", secret)
        run(program("swaks"), "--server", "127.0.0.1:%d" % server.ports["submission"], "--auth", "CRAM-MD5",
            "--auth-user", "anna", "--auth-password", cram, "--from", "anna@example.test", "--to",
            "anna@example.test", "--header", "Subject: swaks cram")
        equal(cram_login(server, cram), 235, "smtplib")
        true(apop(server, secret).startswith(b"+OK"), "poplib")
        equal(len(server.fetch("anna")), 3, "two by msmtp, one by swaks")
        # each is for its mechanism alone (H64)
        refused(poplib.error_proto, apop, server, cram)
        refused(smtplib.SMTPAuthenticationError, cram_login, server, secret)
        refused(poplib.error_proto, server.pop, "anna", cram)


def test_feature_off_keeps_nothing_SEC_10_H64():
    with site(OFF) as server:
        r = server.cli("user", "legacy", "anna", "apop", "on", ok=False)
        equal(r.returncode, 1)
        true("auth.recoverable" in r.stderr, r.stderr)
        true("<" not in str(poplib.POP3("127.0.0.1", server.ports["pop3"]).getwelcome()), "no timestamp")
        true(PASSWORD.encode() not in everything(server.dir), "no recoverable password in the store")


def test_turning_it_off_erases_SEC_10_H64():
    with site(AUTH + "testing: { clock: yes }\n") as server:
        secret, cram = legacy(server, "apop"), legacy(server, "cram-md5")
        equal(server.json("user", "show", "anna")[0]["legacy"], ["apop", "cram-md5"])
        dump = everything(server.store)
        inner = hashlib.md5(bytes(b ^ 0x36 for b in cram.encode().ljust(64, b"\0")))
        true(secret.encode() not in dump and cram.encode() not in dump and inner.digest() not in dump,
             "sealed in the store (H65)")
        legacy(server, "apop", "off")
        equal(server.json("user", "show", "anna")[0]["legacy"], ["cram-md5"])
        refused(poplib.error_proto, apop, server, secret)
        server.cli("config", "set", "auth.recoverable", "no")
        refused(smtplib.SMTPException, cram_login, server, cram)
        server.cli("clock", "advance", "2m")
        wait_for(lambda: server.json("user", "show", "anna")[0]["legacy"] == [], "housekeeping erases the rest")
        states = {row["state"] for row in server.json("undo", "list") if row["what"] == "user.legacy"}
        equal(states, {"cannot"}, "there is no way back")


def test_require_apop_POP_02():
    with site(AUTH + "pop3: { require_apop: yes }\n") as server:
        secret = legacy(server, "apop")
        said = poplib.POP3("127.0.0.1", server.ports["pop3"]).capa()
        equal(("USER" in said, sorted(said["SASL"])), (False, ["CRAM-MD5", "SCRAM-SHA-256"]), "CAPA")
        refused(poplib.error_proto, server.pop, "anna")
        refused(poplib.error_proto, server.pop, "anna", PASSWORD, False)
        true(apop(server, secret).startswith(b"+OK"), "APOP works")
        server.cli("config", "set", "pop3.tls_satisfies_apop", "yes")
        server.pop("anna").quit()


def test_scram_keys_follow_the_password_H63():
    with site(OFF) as server:
        equal(server.json("user", "show", "anna")[0]["scram"], False)
        server.pop("anna").quit()  # from now on her login is remembered, and yet the key must come
        server.cli("config", "set", "auth.scram", "yes")
        mail_by(server, "mpop", "scram-sha-256", PASSWORD, status=1)
        true("no SCRAM key yet" in server.cli("log", "show", "--service", "security").stdout, "the log says why")
        server.pop("anna").quit()  # a good login makes the key
        wait_for(lambda: server.json("user", "show", "anna")[0]["scram"], "the key is made")
        mail_by(server, "mpop", "scram-sha-256", PASSWORD)
        server.cli("user", "passwd", "anna", "--password-stdin", stdin="another one\n")
        mail_by(server, "mpop", "scram-sha-256", PASSWORD, status=1)
        mail_by(server, "mpop", "scram-sha-256", "another one")
        server.cli("config", "set", "auth.scram", "no")
        server.pop("anna", "another one").quit()
        wait_for(lambda: not server.json("user", "show", "anna")[0]["scram"], "the key goes")


def salt_of(server, name):
    """What the first answer of SCRAM says: salt and count."""
    c = Line(server.ports["submission"]).hello(tls=True)
    try:
        answer = c.ask("AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=%s,r=abc" % name.encode()).decode())
        return base64.b64decode(answer.split()[1]).split(b",", 1)[1]
    finally:
        c.close()


def test_unknown_users_have_a_salt_H58():
    with site() as server:
        server.add_user("bert")
        before = [salt_of(server, name) for name in ("anna", "bert", "nobody", "nothing")]
        equal(len(set(before)), 4, "four salts")
        equal({s.split(b",i=")[1] for s in before}, {b"100000"}, "one count")
        equal([len(s) for s in before], [len(before[0])] * 4, "one length")
        equal([salt_of(server, name) for name in ("ANNA", "bert@example.test", "NoBody", "nothing")], before)
        server.stop()
        server.start()
        equal([salt_of(server, name) for name in ("anna", "bert", "nobody", "nothing")], before, "after a restart")


def test_app_passwords_one_a_device():
    with site() as server:
        phone = server.json("apppass", "add", "anna", "phone")[0]["secret"]
        tablet = server.json("apppass", "add", "anna", "tablet", "--protocols", "pop3")[0]["secret"]
        equal(server.cli("apppass", "add", "anna", "Phone", ok=False).returncode, 1, "a label is used once")
        equal(server.cli("apppass", "add", "anna", "door", "--protocols", "console", ok=False).returncode, 1)
        server.pop("anna", tablet).quit()
        mail_by(server, "msmtp", "plain", phone)
        mail_by(server, "msmtp", "plain", tablet, status=1)

        def rows():
            return {row["label"]: row for row in server.json("apppass", "list", "anna")}
        wait_for(lambda: rows()["phone"]["last_used"] and rows()["tablet"]["last_used"], "last use is noted")
        equal((rows()["phone"]["last_by"], rows()["tablet"]["last_by"]), ("smtp", "pop3"))
        equal(rows()["tablet"]["protocols"], ["pop3"])
        error = control(server, "auth", user="anna", password=phone)
        true("error" in error, "not for the console: %r" % error)
        undo = server.json("apppass", "remove", "anna", "tablet")[0]["undo"]
        refused(poplib.error_proto, server.pop, "anna", tablet)
        server.cli("undo", undo, "--yes")
        server.pop("anna", tablet).quit()
        server.cli("user", "passwd", "anna", "--password-stdin", stdin="another one\n")
        server.pop("anna", tablet).quit()  # a device's password is its own
        server.cli("user", "set", "anna", "enabled=no")
        refused(poplib.error_proto, server.pop, "anna", tablet)


def test_backup_without_the_key_H65():
    with site() as server:
        secret, tablet = legacy(server, "apop"), server.json("apppass", "add", "anna", "tablet")[0]["secret"]
        server.cli("secret", "set", "isp", "--password-stdin", stdin="canary-Zq3\n")
        equal([row["name"] for row in server.json("secret", "list")], ["isp"])
        key = os.path.join(server.dir, "secrets.key")
        equal(os.stat(key).st_mode & 0o777, 0o600)
        backup = os.path.join(server.dir, "backup")
        os.mkdir(backup)
        server.cli("backup", backup)
        with open(key) as f:
            text = f.read().strip()
        found = everything(backup) + everything(server.store)
        true(bytes.fromhex(text) not in found and text.encode() not in found, "the key is in no backup")
        true(b"canary-Zq3" not in found and secret.encode() not in found, "nor is what it seals")
        server.stop()
        os.rename(key, key + ".old")  # as on another machine: it makes a key of its own
        server.start()
        refused(poplib.error_proto, apop, server, secret)
        server.pop("anna", tablet).quit()
        wait_for(lambda: "another key: see secrets.key" in log_text(server), "the log says why")
        server.stop()
        os.replace(key + ".old", key)
        server.start()
        true(apop(server, secret).startswith(b"+OK"), "with its key all is back")
        server.stop()
        os.chmod(key, 0o644)
        server.start()
        wait_for(lambda: "others may read it" in server.errors(), "it says why")
        refused(poplib.error_proto, apop, server, secret)
        server.pop("anna").quit()  # mail flows


def test_key_elsewhere_is_opened_by_the_warden_H65():
    with tempfile.TemporaryDirectory(prefix="postroom-key-") as folder:
        path = os.path.join(folder, "of-its-own.key")  # a folder that the server itself may not look into
        with site(AUTH + "secrets: { key: %s }\n" % path) as server:
            secret = legacy(server, "apop")
            equal(os.stat(path).st_mode & 0o777, 0o600)
            true(not os.path.exists(os.path.join(server.dir, "secrets.key")), "no other one is made")
            server.stop()
            server.start()
            true(apop(server, secret).startswith(b"+OK"), "after a restart too")


def log_text(server):
    return everything(os.path.join(server.dir, "log")).decode("utf-8", "replace")


def test_no_secret_is_told_twice_H66():
    with site(AUTH + "trace: { keep: 1d }\n") as server:
        secrets = [legacy(server, "apop"), legacy(server, "cram-md5"),
                   server.json("apppass", "add", "anna", "phone")[0]["secret"], PASSWORD, "canary-Zq3"]
        server.cli("secret", "set", "isp", "--password-stdin", stdin="canary-Zq3\n")
        server.cli("config", "set", "log.protocols", '["submission","submissions","pop3","pop3s"]')
        apop(server, secrets[0])
        cram_login(server, secrets[1])
        server.pop("anna", secrets[2]).quit()
        mail_by(server, "msmtp", "scram-sha-256", PASSWORD)
        refused(poplib.error_proto, server.pop, "anna", "canary-wrong-Zq4")
        c = Line(server.ports["submission"]).hello(tls=True)
        c.ask("AUTH PLAIN canary-Zq5-not-base64!")
        c.ask("AUTH SCRAM-SHA-256 " + base64.b64encode(b"p=x,,n=canary-Zq6,r=canary-Zq7").decode())
        c.close()
        told = log_text(server) + server.errors()
        for words in (["log", "show", "--json"], ["undo", "list", "--json"], ["trace", "--steps", "--json"],
                      ["user", "show", "anna", "--json"], ["apppass", "list", "anna", "--json"],
                      ["secret", "list", "--json"], ["user", "list", "--json"], ["config", "show", "--json"]):
            told += server.cli(*words).stdout
        true("AUTH CRAM-MD5" in told and "APOP anna" in told, "the conversations are in the log")
        for text in (b"v=", b"r=", b"c=biws", b"n,,n="):  # nor is what one could try passwords on
            begins = base64.b64encode(text + b"   ")[:len(text) * 8 // 6].decode()
            true(" 334 " + begins not in told and " + " + begins not in told and " line=" + begins not in told, text)
        for secret in [*secrets, "canary-wrong-Zq4", "canary-Zq5", "canary-Zq6", "canary-Zq7"]:
            true(secret not in told, "%s is told" % secret)
            true(base64.b64encode(secret.encode()).decode().rstrip("=") not in told, "%s as base64" % secret)
        true(all(s.encode() not in everything(server.store) for s in secrets), "nor does the store tell them")


if __name__ == "__main__":
    sys.exit(tap([f for name, f in sorted(globals().items()) if name.startswith("test_")]))
