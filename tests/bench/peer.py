"""peer.py - starts and stops a mail server to be measured, in a folder of its own.

A peer listens on base+25 (SMTP), base+110 (POP3) and base+143 (IMAP) of 127.0.0.1, takes mail for
u0..u199, m1k, m10k, m100k and m1m@bench.test (password "secret"), and runs in a cgroup, so that the CPU time of processes that
come and go is counted, and in a mount namespace where slowsync is preloaded. Needs root.
"""
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
import postroom  # noqa: E402

CPU = "/sys/fs/cgroup/cpuacct"
MAIL_UID = 5000
USERS = 200
MAILBOXES = ["u%d" % i for i in range(USERS)] + ["m1k", "m10k", "m100k", "m1m"]


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


class Peer:
    """Subclasses say how they are configured, started, and how many messages their mailboxes hold."""
    name = ""

    def __init__(self, folder, base, sync_us=0):
        self.dir, self.base, self.sync_us = folder, base, sync_us
        self.smtp, self.pop, self.imap, self.imaps = base + 25, base + 110, base + 143, base + 993
        self.group = os.path.join(CPU, "bench-%d-%d" % (os.getpid(), base))
        self.roots = []
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)

    # --- processes ---

    def launch(self, command):
        """Start in our cgroup and in a mount namespace with slowsync over /etc/ld.so.preload."""
        for sub in ("over", "work"):
            os.makedirs("%s/%s%d" % (self.dir, sub, len(self.roots)), exist_ok=True)
        counter, shim = self.dir + "/syncs", self.dir + "/slowsync.so"
        if not os.path.exists(counter):
            with open(counter, "wb") as f:
                f.write(bytes(8))
            os.chmod(counter, 0o666)
            shutil.copy(os.path.join(postroom.BUILD, "bench", "slowsync.so"), shim)
            os.chmod(shim, 0o755)
        script = """set -e
mount -t overlay overlay -o lowerdir=/etc,upperdir={d}/over{n},workdir={d}/work{n} /etc
echo {us} {d}/syncs > /etc/slowsync
echo {d}/slowsync.so > /etc/ld.so.preload
exec {command}""".format(d=self.dir, n=len(self.roots), us=self.sync_us, command=command)
        os.makedirs(self.group, exist_ok=True)

        def enter():
            os.setsid()
            with open(self.group + "/cgroup.procs", "w") as f:
                f.write("0")
        log = open(self.dir + "/out", "ab")
        self.roots.append(subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, preexec_fn=enter, cwd=self.dir))

    def pids(self):
        try:
            with open(self.group + "/cgroup.procs") as f:
                return [int(p) for p in f.read().split()]
        except OSError:
            return []

    def wait(self, port, seconds=20):
        import socket
        end = time.time() + seconds
        while time.time() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.002)
        raise RuntimeError("%s does not listen on %d; see %s/out" % (self.name, port, self.dir))

    def signal_all(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self, number=signal.SIGTERM):
        self.signal_all(number)
        end = time.time() + 10
        while self.pids() and time.time() < end:
            time.sleep(0.02)
        self.signal_all(signal.SIGKILL)
        for root in self.roots:
            root.wait()
        while self.pids():
            time.sleep(0.02)
        self.roots = []
        try:
            os.rmdir(self.group)
        except OSError:
            pass

    # --- meters ---

    def cpu_s(self):
        with open(self.group + "/cpuacct.usage") as f:
            return int(f.read()) / 1e9

    def syncs(self):
        with open(self.dir + "/syncs", "rb") as f:
            return struct.unpack("Q", f.read(8))[0]

    def memory_mb(self):
        """Resident, mapped files not counted (they are the page cache's)."""
        total = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/status" % pid) as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))
            except OSError:
                pass
        return total / 1024

    def store_mb(self):
        total = 0
        for root, _, names in os.walk(self.mail_dir()):
            for name in names:
                try:
                    total += os.lstat(os.path.join(root, name)).st_blocks * 512
                except OSError:
                    pass
        return total / 1e6


class Postfix(Peer):
    """Postfix hands over to Dovecot by LMTP; sdbox, as Dovecot's fastest store."""
    name = "Postfix+Dovecot"
    fsync = "optimized"  # Dovecot's default

    def start(self):
        self.configure()
        self.launch("/usr/sbin/dovecot -F -c %s/dovecot/dovecot.conf" % self.dir)
        self.wait(self.pop)
        self.launch("/usr/sbin/postfix -c %s/postfix start-fg" % self.dir)
        self.wait(self.smtp)

    def mail_dir(self):
        return self.dir + "/mail"

    def count(self):
        n = 0
        for root, _, names in os.walk(self.mail_dir()):
            n += sum(1 for name in names if name.startswith("u.") and root.endswith("dbox-Mails"))
        return n

    def configure(self):
        d = self.dir
        for sub in ("dovecot/run", "dovecot/state", "mail", "queue", "postfix-data"):
            os.makedirs("%s/%s" % (d, sub), exist_ok=True)
        os.chown(d + "/mail", MAIL_UID, MAIL_UID)
        shutil.chown(d + "/postfix-data", "postfix")
        for name, values in (("dovecot/dovecot.conf", {"pop": self.pop, "imap": self.imap, "fsync": self.fsync}), ("postfix/main.cf", {}),
                             ("postfix/master.cf", {"smtp": self.smtp})):
            with open(os.path.join(HERE, "peers", os.path.basename(name))) as f:
                text = f.read()
            for key, value in dict(values, dir=d, uid=MAIL_UID).items():
                text = text.replace("@%s@" % key, str(value))
            write(os.path.join(d, name), text)


class Dovecot(Postfix):
    """Dovecot alone, where mail comes by IMAP."""
    name = "Dovecot"

    def fill_fast(self, fast):
        """With FAST no message is synced, so that a mailbox is filled in minutes; Dovecot starts anew."""
        self.stop()
        self.fsync = "never" if fast else "optimized"
        self.start()

    def start(self):
        self.configure()
        self.launch("/usr/sbin/dovecot -F -c %s/dovecot/dovecot.conf" % self.dir)
        self.wait(self.imap)


class Postroom(Peer):
    name = "Postroom"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.server = postroom.Server(self.dir + "/postroom", extra=EXTRA, domain="bench.test", level="info")
        self.server.ports.update(smtp=self.smtp, pop3=self.pop, imap=self.imap, imaps=self.imaps)
        self.server.write_config()

    def start(self):
        began = time.time()
        self.launch("%s -f -c %s" % (shlex.quote(os.path.join(postroom.BUILD, "postroomd")), self.server.config))
        self.wait(self.smtp)
        self.start_s = time.time() - began

    def fill_fast(self, fast):
        """As fast as it is."""

    def add_users(self):
        self.server.add_user("postmaster", "--admin")
        for name in MAILBOXES:
            self.server.add_user(name, password="secret")

    def store_mb(self):
        """What is in use: the file itself has room in reserve (H43)."""
        return self.server.json("status")[0]["store"]["used"] / 1e6

    def count(self):
        return self.server.json("status")[0]["mailboxes"]["messages"]


EXTRA = """limits: { max_per_ip: 20000, max_per_ip_before_login: 20000 }
lockout: { attempts: 0 }
"""
