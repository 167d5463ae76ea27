#!/usr/bin/env python3
"""lmtp.py - LMTP as servers in front of us use it: python, swaks, and a Postfix of the test's own: TAP."""
import grp
import os
import pwd
import shutil
import smtplib
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, Skip, equal, free_ports, tap, true, wait_for  # noqa: E402

MESSAGE = "From: bo@elsewhere.test\r\nTo: anna@example.test\r\nSubject: {0}\r\n\r\n.dot\r\nend of {0}\r\n"
POSTFIX_GROUP = "postfix"


def socket_path(server):
    return os.path.join(server.dir, "lmtp.sock")


def with_lmtp(group=None):
    """LMTP on a Unix socket and, without access lines, on TCP."""
    server = Server(services=("smtp", "pop3s", "lmtp"))
    port = server.ports["lmtp"]
    with open(server.config) as f:
        text = f.read()
    row = '"127.0.0.1:%d", "unix:%s"]%s' % (port, socket_path(server), ", group: " + group if group else "")
    with open(server.config, "w") as f:
        f.write(text.replace('"127.0.0.1:%d"]' % port, row))
    return server


def arrived(server, user, subject):
    found = [m for m in server.fetch(user) if ("Subject: %s\r\n" % subject).encode() in m]
    equal(len(found), 1, "messages with the subject %s" % subject)
    return found[0].decode()


def deliver(client, sender, recipients, message):
    """What each recipient was told: refused at RCPT, or the reply after the dot, which smtplib reads once only."""
    client.ehlo_or_helo_if_needed()
    equal(client.mail(sender)[0], 250)
    told = {address: client.rcpt(address)[0] for address in recipients}
    accepted = [address for address in recipients if told[address] == 250]
    told[accepted[0]] = client.data(message)[0]
    for address in accepted[1:]:
        told[address] = client.getreply()[0]
    return [told[address] for address in recipients]


def test_smtplib_over_tcp_and_unix(server):
    for name, client in (("tcp", smtplib.LMTP("127.0.0.1", server.ports["lmtp"], "front.test")),
                         ("unix", smtplib.LMTP(socket_path(server), 0, "front.test"))):
        with client as c:
            equal(deliver(c, "bo@elsewhere.test", ["anna@example.test", "no@example.test", "bert@example.test"],
                          MESSAGE.format(name)), [250, 550, 250])
            equal(c.noop()[0], 250, "no reply is left over")
        for user in ("anna", "bert"):
            text = arrived(server, user, name)
            true(text.startswith("Return-Path: <bo@elsewhere.test>\r\nReceived: from front.test"), text[:200])
            true("with LMTP\r\n" in text and text.endswith(".dot\r\nend of %s\r\n" % name), text)


def test_swaks_speaks_lmtp(server):
    if not shutil.which("swaks"):
        raise Skip("swaks is not installed")
    for name, where in (("swaks tcp", ["--server", "127.0.0.1:%d" % server.ports["lmtp"]]),
                        ("swaks unix", ["--socket", socket_path(server)])):
        r = subprocess.run(["swaks", "--protocol", "LMTP", *where, "--from", "bo@elsewhere.test", "--to",
                            "anna@example.test,bert@example.test", "--header", "Subject: " + name], capture_output=True,
                           text=True, timeout=60)
        equal(r.returncode, 0, r.stdout[-800:] + r.stderr[-200:])
        arrived(server, "bert", name)


def test_no_open_door(server):
    with smtplib.LMTP(socket_path(server), 0, "front.test") as c:
        c.ehlo_or_helo_if_needed()
        c.mail("anna@example.test")
        for address in ("carl@faraway.test", "carl%faraway.test@example.test", "<@example.test:carl@faraway.test>"):
            true(c.rcpt(address)[0] in (550, 553), "relayed for " + address)


def test_trace_and_explain_say_lmtp_H88(server):
    with smtplib.LMTP(socket_path(server), 0, "front.test") as c:
        c.sendmail("tia@elsewhere.test", ["anna@example.test"], MESSAGE.format("traced"))
    row = server.json("trace", "--from", "tia@elsewhere.test", "--steps")[0]
    true(any("hands over by LMTP" in step for step in row["steps"]), row["steps"])
    told = server.json("explain", "--via", "lmtp", "--from", "tia@elsewhere.test", "--to", "anna@example.test")[0]
    equal((told["asked"]["via"], told["reply"]["code"]), ("lmtp", 250))
    true(any("hands over by LMTP" in step for step in told["steps"]), told["steps"])
    told = server.json("explain", "--via", "lmtp", "--from", "tia@elsewhere.test", "--to", "carl@faraway.test")[0]
    equal(told["reply"]["code"], 550, "explain agrees that LMTP does not relay")


def test_socket_mode_and_leftover_H59(server):
    path = socket_path(server)
    equal(stat.S_IMODE(os.lstat(path).st_mode), 0o660)
    server.kill()
    true(os.path.exists(path), "a killed server leaves its socket")
    server.start()
    smtplib.LMTP(path, 0, "front.test").quit()
    server.stop()
    true(not os.path.exists(path), "a stopped server takes its socket away")
    with open(path, "w") as f:
        f.write("mine\n")
    server.start(ready=False)
    equal(server.process.wait(30), 1, "a file that is no socket refuses the start")
    true("unix:" + path in server.errors(), server.errors())
    with open(path) as f:
        equal(f.read(), "mine\n", "and is left")
    os.unlink(path)
    server.start()


def test_a_group_that_does_not_exist(_):
    other = with_lmtp(group="no-such-group")
    other.start(ready=False)
    equal(other.process.wait(30), 1)
    true("services.lmtp.group: there is no group no-such-group" in other.errors(), other.errors())
    true(not os.path.exists(socket_path(other)), "no socket is left behind")
    other.clean()


MAIN_CF = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
myhostname = front.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtputf8_enable = no
virtual_mailbox_domains = example.test
virtual_transport = lmtp:unix:{socket}
default_transport = error:nothing leaves this test
relay_transport = error:nothing leaves this test
"""
MASTER_CF = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A Postfix of its own: its configuration, queue and log in a folder, on one high port."""

    def __init__(self, folder, lmtp_socket):
        self.dir, self.port = folder, free_ports(1)[0]
        os.makedirs(os.path.join(folder, "data"))
        os.makedirs(os.path.join(folder, "queue"))
        os.chmod(folder, 0o755)
        shutil.chown(os.path.join(folder, "data"), "postfix")
        for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text.format(dir=folder, socket=lmtp_socket, port=self.port))

    def command(self, *args):
        return subprocess.run(["postfix", "-c", self.dir, *args], capture_output=True, text=True, timeout=60)

    def __enter__(self):
        r = self.command("start")
        equal(r.returncode, 0, "postfix start: " + r.stderr + self.log())
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0, "postfix listens", 20)
        return self

    def __exit__(self, *_):
        self.command("stop")

    def log(self):
        try:
            with open(os.path.join(self.dir, "mail.log")) as f:
                return f.read()
        except OSError:
            return ""


def test_postfix_in_front(_):
    if not shutil.which("postfix", path=os.environ["PATH"] + ":/usr/sbin"):
        raise Skip("postfix is not installed")
    if os.geteuid() != 0:
        raise Skip("a Postfix of one's own wants root")
    try:
        pwd.getpwnam("postfix"), grp.getgrnam(POSTFIX_GROUP), grp.getgrnam("postdrop")
    except KeyError:
        raise Skip("postfix is not set up: no user or group")
    with with_lmtp(group=POSTFIX_GROUP) as server:
        os.chmod(server.dir, 0o711)  # Postfix's own user must reach the socket
        equal(os.lstat(socket_path(server)).st_gid, grp.getgrnam(POSTFIX_GROUP).gr_gid)
        for user in ("anna", "bert"):
            server.add_user(user, "--admin")
        with Postfix(os.path.join(server.dir, "front"), socket_path(server)) as front:
            with smtplib.SMTP("127.0.0.1", front.port, "client.test", timeout=30) as c:
                equal(c.sendmail("anna@example.test", ["bert@example.test", "no@example.test"],
                                 MESSAGE.format("through postfix")), {})
            # Postroom refused one recipient alone, so Postfix writes to the author, by LMTP too
            wait_for(lambda: len(server.fetch("anna")) == 1, "the report of Postfix: " + front.log()[-1500:], 30)
            report = server.fetch("anna")[0].decode()
            true("no@example.test" in report and "550 5.1.1" in report, report)
            text = arrived(server, "bert", "through postfix")
            true("by mail.example.test with LMTP" in text and "with ESMTP" in text, text)
            true("status=sent (250 2.0.0" in front.log(), front.log()[-1500:])


def main():
    with with_lmtp() as server:
        for name in ("anna", "bert"):
            server.add_user(name, "--admin")
        return tap([f for name, f in globals().items() if name.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
