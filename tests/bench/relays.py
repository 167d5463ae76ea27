"""relays.py - mail servers that pass mail on, to be measured: each holds its queue until it is released.

A relay takes mail on base+25 for m0..@d0.test, d1.test, ... and keeps it until release(); then it sends all to
the sink, each domain at a loopback address of its own, all at the port base+26:

    Postfix      held by a restriction of its smtpd and put back into the queue before the clock starts, so that no
                 file of a first try is left to be removed; the clock starts with `postqueue -f`. Addresses come from
                 a transport map, it asks no name server. 20 connections a destination (its default)
    OpenSMTPD    its sending is paused; the clock starts with `smtpctl resume mta`. It has no limit of ours to be set alike
    Postroom     it has no route, so all waits; the clock starts with the command that sets one, `direct`. It asks a
                 name server for each domain. 20 connections a destination (its default)
"""
import os
import shlex
import shutil
import subprocess

from peer import HERE, Peer, postroom, write

from crowd_sink import address_of

class Relay(Peer):
    def __init__(self, folder, base, domains, **options):
        super().__init__(folder, base, **options)
        self.domains, self.sink_port = domains, base + 26

    def inside(self, *command):
        """Run a command in the mount namespace of the relay."""
        r = subprocess.run(["nsenter", "-m", "-t", str(self.roots[0].pid), *command], capture_output=True, text=True)
        if r.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(command), (r.stderr + r.stdout).strip()))


class PostfixRelay(Relay):
    name = "Postfix"

    def start(self):
        d = self.dir
        for sub in ("queue", "postfix-data"):
            os.makedirs("%s/%s" % (d, sub), exist_ok=True)
        shutil.chown(d + "/postfix-data", "postfix")
        lines = ["d%d.test smtp:[%s]:%d" % (i, address_of(i), self.sink_port) for i in range(self.domains)]
        write(d + "/transport", "\n".join(lines) + "\n")
        for source, target in (("relay-main.cf", "main.cf"), ("master.cf", "master.cf")):
            with open(os.path.join(HERE, "peers", source)) as f:
                text = f.read()
            for key, value in {"dir": d, "smtp": self.smtp, "maps": "hash:%s/transport" % d}.items():
                text = text.replace("@%s@" % key, str(value))
            write("%s/postfix/%s" % (d, target), text)
        subprocess.run(["postmap", "-c", d + "/postfix", d + "/transport"], check=True)
        self.launch("/usr/sbin/postfix -c %s/postfix start-fg" % d)
        self.wait(self.smtp)

    def hold_is_over(self):
        self.inside("/usr/sbin/postsuper", "-c", self.dir + "/postfix", "-H", "ALL")

    def release(self):
        self.inside("/usr/sbin/postqueue", "-c", self.dir + "/postfix", "-f")


class OpenSmtpdRelay(Relay):
    """Its package conflicts with Postfix, so a tree of it is laid over /usr in a mount namespace."""
    name = "OpenSMTPD"
    tree = ""
    ACCOUNTS = "opensmtpd:x:5010:5010::/nonexistent:/bin/false\\nopensmtpq:x:5011:5011::/nonexistent:/bin/false"

    def start(self):
        d, ways = self.dir, ""
        for i in range(self.domains):
            ways += 'action "out%d" relay host smtp://%s:%d\n' % (i, address_of(i), self.sink_port)
        for i in range(self.domains):
            ways += 'match from any for domain "d%d.test" action "out%d"\n' % (i, i)
        write(d + "/smtpd.conf", "smtp limit max-mails 100000\nlisten on 127.0.0.1 port %d hostname mx.bench.test\n%s" % (
            self.smtp, ways))
        os.makedirs(d + "/queue", exist_ok=True)
        os.chmod(d + "/queue", 0o711)
        script = ["set -e"]
        for name, low in (("usr", "%s/usr:/usr" % self.tree), ("var", "/var")):
            os.makedirs("%s/layer/%s" % (d, name), exist_ok=True)
            os.makedirs("%s/layer/%s.work" % (d, name), exist_ok=True)
            script.append("mount -t overlay overlay -o lowerdir={low},upperdir={d}/layer/{n},workdir={d}/layer/{n}.work /{n}"
                          .format(low=low, d=d, n=name))
        script += ["printf '%s\\n' >> /etc/passwd" % self.ACCOUNTS, "printf 'opensmtpd:x:5010:\\nopensmtpq:x:5011:\\n' >> /etc/group",
                   "chgrp 5011 /usr/sbin/smtpctl", "chmod 2555 /usr/sbin/smtpctl", "mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty", "mount --bind %s/queue /var/spool/smtpd" % d,
                   "mkdir -p /run/bench && mount -t tmpfs tmpfs /run", "exec /usr/sbin/smtpd -d -P mta -f %s/smtpd.conf" % d]
        write(d + "/start.sh", "\n".join(script) + "\n", 0o755)
        self.launch("sh %s/start.sh" % d)
        self.wait(self.smtp)

    def hold_is_over(self):
        """Nothing."""

    def release(self):
        self.inside("/usr/sbin/smtpctl", "resume", "mta")


class PostroomRelay(Relay):
    name = "Postroom"

    def __init__(self, folder, base, domains, dns, **options):
        super().__init__(folder, base, domains, **options)
        extra = "limits: { max_per_ip: 20000, max_per_ip_before_login: 20000 }\ndns: { servers: ['%s'] }\n" % dns
        self.server = postroom.Server(self.dir + "/postroom", extra=extra, domain="bench.test", level="info")
        self.server.ports.update(smtp=self.smtp)
        self.server.write_config()
        with open(self.server.config) as f:  # who connects may send elsewhere
            text = f.read()
        write(self.server.config, text.replace('smtp: { listen:', 'smtp: { access: ["127.0.0.1 noauth"], listen:'), 0o600)

    def start(self):
        self.launch("%s -f -c %s" % (shlex.quote(os.path.join(postroom.BUILD, "postroomd")), self.server.config))
        self.wait(self.smtp)

    def hold_is_over(self):
        """Nothing."""

    def release(self):
        self.server.cli("config", "set", "outgoing.routes",
                        '[{"name": "out", "kind": "direct", "port": %d, "allow_loopback": true}]' % self.sink_port)
