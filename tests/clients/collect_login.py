#!/usr/bin/env python3
"""collect_login.py - the way to a POP3 server and into it: addresses, TLS, every method, from Dovecot and others. TAP."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import certificate  # noqa: E402
from postroom import Skip, equal, free_ports, tap, true, wait_for  # noqa: E402
from socks_proxy import SocksProxy  # noqa: E402
from solid_pop3 import SolidPop3, WORD  # noqa: E402
from wire_site import NAME, SECRET, Postroom, bodies, error_of, fails, log_of, mail, now, one_box, row, subjects  # noqa: E402

METHODS = {"plain": "USER", "sasl-plain": "PLAIN", "apop": "APOP", "cram-md5": "CRAM-MD5", "xoauth2": "XOAUTH2"}


# ---- logins and TLS ----

def world(folder):
    """A certificate for 127.0.0.1, and for pop.test."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30",
                    "-subj", "/CN=" + NAME, "-addext", "subjectAltName=DNS:%s,IP:127.0.0.1" % NAME], check=True, capture_output=True)
    os.chmod(key, 0o644)
    return cert, key


def program(folder, tokens):
    """Prints one token after the other."""
    path = os.path.join(folder, "token.sh")
    with open(path, "w") as f:
        f.write("#!/bin/sh\nn=$(cat %s/n 2>/dev/null || echo 0); echo $((n + 1)) >%s/n\nset -- %s\nshift $n 2>/dev/null; echo ${1:-none}\n"
                % (folder, folder, " ".join(tokens)))
    os.chmod(path, 0o755)
    return path


def test_inm_02_every_method_and_tls_mode():
    with tempfile.TemporaryDirectory() as folder:
        cert = world(folder)
        os.chmod(folder, 0o777)
        servers, rows = {}, []
        for tls, offered in (("none", None), ("starttls", "required"), ("implicit", "implicit")):
            for method in METHODS:
                mark = b"%s-%s" % (method.encode(), tls.encode())
                server = one_box(mark, tls=offered, certificate=cert, tokens={"good"})
                servers[mark.decode()] = server
                rows.append(row(server, mark.decode(), tls=tls, auth=method, tls_ca=cert[0] if tls != "none" else None,
                                token_command="[/bin/echo, good]" if method == "xoauth2" else None))
        try:
            for server in servers.values():
                server.__enter__()
            with Postroom(*rows) as p:
                for name, server in servers.items():
                    got = now(p, name)
                    equal((got["fetched"], got["errors"]), (1, []), name)
                    method, _, tls = name.rpartition("-")
                    equal(server.logins[0], ("box", METHODS[method], tls != "none"), name)
                    equal(server.left("box"), [], name + " is removed")
                equal(subjects(p), sorted(servers))
                true(SECRET not in log_of(p), "no secret in the log")
        finally:
            for server in servers.values():
                server.close()


DOVECOT = """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
auth_mechanisms = plain login cram-md5 apop
disable_plaintext_auth = no
mail_location = maildir:{d}/mail/%u
first_valid_uid = 1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {d}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}/mail/%u
}}
"""


class Dovecot:
    """With a mailbox of COUNT messages, of which each is one for anna."""

    def __init__(self, count):
        if not shutil.which("dovecot") and not os.path.exists("/usr/sbin/dovecot"):
            raise Skip("dovecot is not there")
        if os.geteuid() != 0:
            raise Skip("Dovecot's processes want root")
        self.dir = tempfile.mkdtemp(prefix="postroom-dovecot-")
        os.chmod(self.dir, 0o755)
        self.port, self.tls_port = free_ports(2)
        self.cert, key = world(self.dir)
        with open(self.dir + "/users", "w") as f:
            f.write("box:{PLAIN}%s\n" % SECRET)
        self.uid = 65534
        self.fill(count)
        with open(self.dir + "/conf", "w") as f:
            f.write(DOVECOT.format(d=self.dir, cert=self.cert, key=key, port=self.port, tls_port=self.tls_port, uid=self.uid,
                                   gid=self.uid, user="dovenull" if self.has("dovenull") else "nobody", group="nogroup"))

    def has(self, user):
        return subprocess.run(["id", user], capture_output=True).returncode == 0

    def fill(self, count):
        for sub in ("cur", "new", "tmp"):
            os.makedirs("%s/mail/box/%s" % (self.dir, sub), exist_ok=True)
        for n in range(count):
            with open("%s/mail/box/new/1000000%03d.M%d.test" % (self.dir, n, n), "wb") as f:
                f.write(mail(b"dove-%d" % n, b".dot\r\n..\r\n" + b"x" * 2000 + b"\r\n").replace(b"\r\n", b"\n"))
        subprocess.run(["chown", "-R", "%d:%d" % (self.uid, self.uid), self.dir + "/mail"], check=True)

    def files(self):
        return os.listdir(self.dir + "/mail/box/new") + os.listdir(self.dir + "/mail/box/cur")

    def __enter__(self):
        self.out = open(self.dir + "/out", "wb")
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.dir + "/conf"], stdout=self.out, stderr=self.out)
        import socket
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0 or self.process.poll() is not None, "Dovecot listens", 20)
        if self.process.poll() is not None:
            raise RuntimeError("Dovecot ended: " + open(self.dir + "/out").read()[-500:])
        return self

    def __exit__(self, *why):
        self.process.terminate()
        self.process.wait()
        self.out.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def test_inm_02_dovecot_with_each_method_and_tls_mode():
    with Dovecot(0) as d:
        rows = [row(d.tls_port if tls == "implicit" else d.port, "%s-%s" % (method, tls), tls=tls, auth=method,
                    tls_ca=d.cert if tls != "none" else None)
                for tls in ("none", "starttls", "implicit") for method in METHODS if method != "xoauth2"]
        with Postroom(*rows) as p:
            for r in p.json("collect", "list"):
                d.fill(3)
                got = now(p, r["name"])
                equal((got["fetched"], got["deleted"], got["errors"]), (3, 3, []), r["name"])
                equal(d.files(), [])
            equal(len(subjects(p)), 3 * len(rows))
            true(all(b == b".dot\r\n..\r\n" + b"x" * 2000 + b"\r\n" for b in bodies(p)), "byte for byte")


def test_inm_02_inm_03_inm_05_solid_pop3():
    """Another server of Debian: it knows no CAPA, and so is asked one thing at a time."""
    body = b".dot\r\n..\r\n" + b"x" * 2000 + b"\r\n"
    with SolidPop3() as d, Postroom(row(d, password=WORD), row(d, "left", password=WORD, leave="always"), row(d, "wrong")) as p:
        got = now(p)
        equal((got["fetched"], got["errors"]), (0, []), "an empty mailbox")
        d.fill([mail(b"solid-%d" % n, body) for n in range(30)])
        got = now(p, "left")
        equal((got["fetched"], got["left"], got["errors"], len(d.left())), (30, 30, [], 30))
        d.fill([mail(b"solid-new", body)])
        equal((now(p, "left")["fetched"], now(p, "left")["fetched"]), (1, 0), "UIDL knows what was there")
        for name in d.left():
            true(name.count(b"Subject:") == 1, "each as it was")
        now(p, "wrong")
        true("refused" in error_of(p, "wrong"), error_of(p, "wrong"))
        got = now(p)
        equal((got["fetched"], got["deleted"], got["errors"], d.left()), (31, 31, [], []))
        equal(len(subjects(p)), 62)
        true(all(b == body for b in bodies(p)), "byte for byte")


def test_h68_certificates_are_believed_only_if_they_are_good():
    with tempfile.TemporaryDirectory() as folder:
        cert, other = world(folder), certificate(tempfile.mkdtemp(dir=folder), "other.test")
        for tls, offered in (("starttls", "stls"), ("implicit", "implicit")):
            with one_box(b"a", tls=offered, certificate=cert) as unknown, one_box(b"b", tls=offered, certificate=other) as wrong:
                with Postroom(row(unknown, tls=tls)) as p:
                    fails(p, "TLS failed")
                with Postroom(row(wrong, tls=tls, tls_ca=other[0])) as p:
                    fails(p, "TLS failed")
                with Postroom(row(wrong, tls=tls, tls_ca=folder + "/none.pem")) as p:
                    fails(p, "tls_ca")
                    steps = p.json("collect", "test", "isp", ok=False)
                    equal([(s["step"], s["state"]) for s in steps[-2:]], [("connect", "ok"), ("encryption", "failed")])
                equal((unknown.logins, wrong.logins), ([], []))
        with one_box(b"a") as clear:
            with Postroom(row(clear, tls="starttls")) as p:
                fails(p, "STLS")
            equal(clear.said("USER"), [])


def named(folder, common, alternative):
    """A certificate for these names alone."""
    folder = tempfile.mkdtemp(dir=folder)
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "30", "-subj", "/CN=" + common, "-addext", "subjectAltName=" + alternative], check=True, capture_output=True)
    return cert, key


def test_h68_a_server_named_by_its_address_is_verified_by_it():
    """RFC 5280, 4.2.1.6: an iPAddress, and neither the common name nor a dNSName that is spelled like one."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for tls, offered in (("starttls", "stls"), ("implicit", "implicit")):
            for common, alternative, good in ((NAME, "DNS:%s,IP:127.0.0.1" % NAME, True), (NAME, "IP:127.0.0.2,IP:::1", False),
                                              ("127.0.0.1", "DNS:" + NAME, False), (NAME, "DNS:127.0.0.1", False)):
                cert = named(folder, common, alternative)
                os.chmod(os.path.dirname(cert[0]), 0o755)
                with one_box(b"a", tls=offered, certificate=cert) as server, \
                        Postroom(row(server, tls=tls, server="127.0.0.1", tls_ca=cert[0])) as p:
                    if good:
                        equal(now(p)["fetched"], 1)
                    else:
                        fails(p, "the certificate is not for this address")
                        equal(server.logins, [])


def test_h3_nothing_that_came_in_clear_counts():
    with tempfile.TemporaryDirectory() as folder:
        cert = world(folder)
        with one_box(b"a", tls="stls", certificate=cert, stls_extra=b"+OK injected\r\n+OK\r\n") as server:
            with Postroom(row(server, tls="starttls", tls_ca=cert[0])) as p:
                fails(p, "in clear")
            equal(server.logins, [])


def test_inm_02_a_refused_token_is_fetched_anew_once():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        cert = world(folder)
        with one_box(b"a", tls="implicit", certificate=cert, tokens={"fresh"}) as server:
            with Postroom(row(server, tls="implicit", tls_ca=cert[0], auth="xoauth2",
                              token_command="[%s]" % program(folder, ["old", "fresh"]))) as p:
                equal(now(p)["fetched"], 1)
                equal(server.sessions, 2)
                server.tokens = set()
                fails(p, "refused")
                equal(server.sessions, 4, "one more try")


def test_inm_02_wrong_password():
    with one_box(b"a", passwords={"box": "another"}) as server:
        with Postroom(row(server)) as p:
            fails(p, "refused", "[AUTH] wrong")


# ---- servers that misbehave ----

def test_h66_a_server_that_repeats_the_secret():
    """Some show the line that they do not understand: what it held is in no error, log or letter."""
    encoded = base64.b64encode(b"\0box\0" + SECRET.encode()).decode()
    for auth, verb, shown in (("plain", "PASS *", "PASS " + SECRET), ("sasl-plain", "AUTH *", "AUTH PLAIN " + encoded)):
        answer = ("-ERR [AUTH] what is %s?\r\n" % shown).encode()
        with one_box(b"one", answers={verb: answer}) as server, Postroom(row(server, auth=auth)) as p:
            fails(p, "***")
            letters = b"".join(p.fetch("postmaster")).decode()
            wait_for(lambda: "***" in log_of(p), "the log")
            for where in (json.dumps(p.json("collect", "list")), log_of(p), letters):
                true(SECRET not in where and encoded not in where, where[-600:])


# ---- connections ----

def test_net_01_five_attempts_at_a_closed_port():
    port, = free_ports(1)
    with Postroom(row(port)) as p:
        fails(p, "no connection")
        wait_for(lambda: len(re.findall(r"no connection: Connection refused", "\n".join(  # the log is written by and by
            line for line in log_of(p).splitlines() if "attempt" in line))) == 5, "five attempts")


FIRST, SECOND = "127.0.0.1", "127.0.0.2"


def test_net_01_where_tls_fails_the_next_address_is_tried():
    """Of a handshake, of a certificate, and of STLS; never the same one in clear (H68)."""
    with tempfile.TemporaryDirectory() as folder:
        cert, other = world(folder), certificate(tempfile.mkdtemp(dir=folder), "other.test")
        for tls, good, bad in (("implicit", "implicit", dict(tls="implicit", certificate=other)), ("implicit", "implicit", {}),
                               ("starttls", "stls", dict(tls="stls", certificate=other)), ("starttls", "stls", {}),
                               ("starttls", "stls", dict(tls="stls", certificate=cert, stls_extra=b"+OK injected\r\n"))):
            for first, second in ((FIRST, SECOND), (SECOND, FIRST)):
                with one_box(b"a", host=first, **bad) as wrong, \
                        one_box(b"b", host=second, port=wrong.port, tls=good, certificate=cert) as right, \
                        Postroom(row(wrong, tls=tls, tls_ca=cert[0]), addresses=(FIRST, SECOND)) as p:
                    got = now(p)
                    equal((got["fetched"], got["errors"], subjects(p)), (1, [], ["b"]), "%s %s" % (tls, bad))
                    equal((wrong.logins, wrong.said("USER"), wrong.said("PASS"), len(right.logins)), ([], [], [], 1))


def test_net_01_all_addresses_that_were_tried_are_named():
    with tempfile.TemporaryDirectory() as folder:
        cert, other = world(folder), certificate(tempfile.mkdtemp(dir=folder), "other.test")
        with one_box(b"a", host=FIRST, tls="implicit", certificate=other) as a:
            with Postroom(row(a, tls="implicit", tls_ca=cert[0]), addresses=(FIRST, SECOND)) as p:
                fails(p, FIRST + ": TLS failed: ", SECOND + ": no connection: Connection refused")
                steps = p.json("collect", "test", "isp", ok=False)
                true(steps[-1]["step"] == "encryption" and FIRST in steps[-1]["result"] and SECOND in steps[-1]["result"], steps)
                with one_box(b"b", host=SECOND, port=a.port, tls="implicit", certificate=other) as b:
                    error = now(p)["errors"][0]
                    true(sorted(error.split(": ")[0].split(", ")) == [FIRST, SECOND] and error.count("TLS failed") == 1, error)
                    equal((a.logins, b.logins), ([], []))
        port, = free_ports(1)
        many = ["127.0.0.%d" % n for n in range(1, 21)]
        with Postroom(row(port, server=NAME), addresses=many) as p:
            error = now(p)["errors"][0]
            true(re.fullmatch(r"127\.0\.0\.\d+(, 127\.0\.0\.\d+)+ and \d+ more: no connection: Connection refused", error), error)


def test_net_01_a_test_tries_each_address_once():
    port, = free_ports(1)

    def tries():
        return len([line for line in log_of(p).splitlines() if "no connection" in line and "attempt" in line])

    with Postroom(row(port, server=NAME), addresses=(FIRST, SECOND)) as p:
        steps = p.json("collect", "test", "isp", ok=False)
        equal((steps[-1]["step"], steps[-1]["state"]), ("connect", "failed"))
        true(FIRST in steps[-1]["result"] and SECOND in steps[-1]["result"], steps)
        fails(p, "no connection")
        wait_for(lambda: tries() >= 2 + 2 * 5, "two of the test, then five attempts at both")
        equal(tries(), 2 + 2 * 5)


def test_con_10_through_socks_and_only_there():
    with one_box(b"one") as server, SocksProxy({"pop.isp.test": "127.0.0.1"}) as proxy:
        with Postroom(row(server, server="pop.isp.test", connections="[link]"),
                      rest="socks: { server: '127.0.0.1:%d' }\nconnections:\n  - { name: link, socks: yes }\n" % proxy.port) as p:
            equal(now(p)["fetched"], 1)
            equal(proxy.asked, [(5, "pop.isp.test", server.port)])
            equal(server.sessions, 1)
    with one_box(b"one") as server, SocksProxy(reply=5) as proxy:
        with Postroom(row(server, connections="[link]"),
                      rest="socks: { server: '127.0.0.1:%d' }\nconnections:\n  - { name: link, socks: yes }\n" % proxy.port) as p:
            fails(p, "SOCKS")
            equal(server.sessions, 0)


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
