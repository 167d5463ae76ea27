#!/usr/bin/env python3
"""collect.py - how fast a provider's mailbox is fetched: Postroom beside fetchmail, getmail6 and mpop, in one run.

  tests/bench/collect.py [--messages N] [--size BYTES] [--rounds N] [--alone] [--imap] [--maildir] [--sync-us US] [--leave]

N messages lie in a mailbox of Dovecot, alike for each; each client fetches all of them by POP3 (--imap: by IMAP, which mpop
does not speak) in clear and has them removed there, into a local mailbox that survives a power cut: Postroom's store; a maildir of getmail
and mpop, which sync each file; fetchmail by LMTP into Dovecot, which does. The syncs that are counted show it. The clock runs from the
start of the command to its end, when nothing may be left at the provider and all must be here. Needs root. It judges nothing.
"""
import argparse
import imaplib
import os
import poplib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peer import Dovecot, Peer, Postroom, postroom, write  # noqa: E402

GOAL = 3
NOBODY = 65534  # whom getmail runs as
LIMIT_S = 60


class Provider(Dovecot):
    """Dovecot with mdbox, where what is removed costs no unlink, so that it is the clients that are measured."""
    name = "provider"
    fsync = "never"
    form = "mdbox"

    def configure(self):
        super().configure()
        path = self.dir + "/dovecot/dovecot.conf"
        with open(path) as f:
            text = f.read()
        write(path, text.replace("sdbox:~/sdbox", "%s:~/%s" % (self.form, self.form)))

    def fill(self, account, texts):
        c = imaplib.IMAP4("127.0.0.1", self.imap)
        c.login(account, "secret")
        for text in texts:
            c.append("INBOX", None, None, text)
        c.logout()
        os.sync()

    def left(self, account):
        c = poplib.POP3("127.0.0.1", self.pop)
        c.user(account)
        c.pass_("secret")
        count, _ = c.stat()
        c.quit()
        return count


class Local(Provider):
    """Where fetchmail hands its mail to: it syncs what it takes."""
    name = "local"
    fsync = "optimized"
    form = "sdbox"


class Tool(Peer):
    """A client that runs once; where its mail lies is its own to say."""
    by_imap = False

    def __init__(self, folder, base, provider, sync_us):
        super().__init__(folder, base, sync_us)
        self.provider = provider
        self.port = provider.imap if self.by_imap else provider.pop
        self.set_up()

    def run(self, account):
        began = time.time()
        self.launch(self.command(account))
        self.roots[-1].wait(LIMIT_S)
        seconds = time.time() - began
        status = self.roots[-1].returncode
        if status != 0:
            with open(self.dir + "/out") as f:
                raise RuntimeError("%s ended with %s: %s" % (self.name, status, f.read()[-500:]))
        return seconds

    def maildir(self, name="maildir"):
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.dir, name, sub), exist_ok=True)
        return os.path.join(self.dir, name)

    def arrived(self):
        return len(os.listdir(self.dir + "/maildir/new"))


class Mpop(Tool):
    name, program, package = "mpop", "mpop", "mpop"

    def set_up(self):
        self.maildir()

    def command(self, account):
        write(self.dir + "/mpoprc", "account a\nhost 127.0.0.1\nport %d\nuser %s\npassword secret\nauth user\ntls off\nkeep off\n"
              "delivery maildir %s\nuidls_file %s/uidls\n" % (self.provider.pop, account, self.dir + "/maildir", self.dir), 0o600)
        return "mpop --quiet -C %s/mpoprc a" % self.dir


class Getmail(Tool):
    name, program, package = "getmail6", "getmail", "getmail6"

    def set_up(self):
        self.maildir()

    def command(self, account):
        write(self.dir + "/getmailrc", "[retriever]\ntype = Simple%sRetriever\nserver = 127.0.0.1\nport = %d\nusername = %s\n"
              "password = secret\n[destination]\ntype = Maildir\npath = %s/\n[options]\ndelete = true\nread_all = true\nverbose = 0\n"
              % ("IMAP" if self.by_imap else "POP3", self.port, account, self.dir + "/maildir"), 0o600)
        for folder, _, _ in os.walk(self.dir + "/maildir"):
            os.chown(folder, NOBODY, NOBODY)
        os.chown(self.dir, NOBODY, NOBODY)
        os.chown(self.dir + "/getmailrc", NOBODY, NOBODY)
        return "setpriv --reuid=%d --regid=%d --clear-groups getmail --quiet --getmaildir %s --rcfile getmailrc" % (
            NOBODY, NOBODY, self.dir)  # it delivers for nobody who is root


class Fetchmail(Tool):
    """Hands each message to Dovecot by LMTP."""
    name, program, package = "fetchmail", "fetchmail", "fetchmail"

    def set_up(self):
        self.local = Local(self.dir + "/local", self.base + 3, sync_us=self.sync_us)
        self.local.start()

    def command(self, account):
        self.account = account + "-here"
        write(self.dir + "/fetchmailrc", 'poll 127.0.0.1 service %d protocol %s auth password user "%s" password "secret" sslproto "" '
              'nokeep fetchall no rewrite lmtp smtphost "%s/dovecot/run/lmtp" smtpname "%s@bench.test"\n'
              % (self.port, "imap" if self.by_imap else "pop3", account, self.local.dir, self.account), 0o600)
        return "fetchmail --silent --fetchmailrc %s/fetchmailrc --idfile %s/ids --pidfile %s/pid --nosyslog" % (self.dir, self.dir, self.dir)

    def arrived(self):
        return self.local.left(self.account)

    def syncs(self):
        return super().syncs() + self.local.syncs()

    def stop(self):
        super().stop()
        self.local.stop()

    def run(self, account):
        os.environ["FETCHMAILHOME"] = self.dir
        return super().run(account)


class Reader:
    """No client at all: asks for everything at once and throws it away, so that what the provider itself can give is seen."""
    name = "(reader)"
    figures = (0, 0)

    def __init__(self, folder, base, provider, sync_us):
        self.provider = provider

    def run(self, account):
        count, began = self.provider.left(account), time.time()
        with socket.create_connection(("127.0.0.1", self.provider.pop)) as s:
            def read(answers, end):
                seen, tail = 0, b""
                while seen < answers:
                    got = s.recv(1 << 20)
                    if not got:
                        raise RuntimeError("the provider hung up")
                    seen += (tail + got).count(end)
                    tail = (tail + got)[1 - len(end):]
            read(1, b"\r\n")
            s.sendall(b"USER %s\r\nPASS secret\r\n" % account.encode())
            read(2, b"\r\n")
            orders = b"".join(b"RETR %d\r\n" % n for n in range(1, count + 1))
            writer = threading.Thread(target=s.sendall, args=(orders,))
            writer.start()
            read(count, b"\r\n.\r\n")
            writer.join()
            orders = b"".join(b"DELE %d\r\n" % n for n in range(1, count + 1)) + b"QUIT\r\n"
            writer = threading.Thread(target=s.sendall, args=(orders,))
            writer.start()
            read(count + 1, b"\r\n")
            writer.join()
        self.count = count
        return time.time() - began

    def arrived(self):
        return self.count

    def stop(self):
        pass


class Ours(Postroom):
    def __init__(self, folder, base, provider, sync_us):
        super().__init__(folder, base, sync_us=sync_us)
        self.provider = provider

    def run(self, account):
        self.server.extra += "collecting:\n  collectors:\n    - { name: isp, kind: %s, server: 127.0.0.1, port: %d, tls: none, username: %s, " \
            "password: secret, accepted: [bench.test], duplicates: no, download_rules: no%s }\n" % (
                *(("imap", self.provider.imap) if Tool.by_imap else ("pop3", self.provider.pop)), account,
                ", leave_days: 3" if self.leave else "")
        self.server.write_config()
        self.start()
        self.server.add_user("postmaster", "--admin")
        self.server.add_user("u0", password="secret")
        syncs, cpu, began = self.syncs(), self.cpu_s(), time.time()
        said = self.server.json("collect", "now", "isp", "--wait")[0]
        seconds = time.time() - began
        if said["errors"]:
            raise RuntimeError("Postroom: %s" % said["errors"])
        self.figures = self.syncs() - syncs, self.cpu_s() - cpu
        return seconds

    def arrived(self):
        return self.count()


def texts(options):
    line = b"The quick brown fox jumps over the lazy dog, and that is what this line is about.\r\n"
    body = (line * (options.size // len(line) + 1))[:options.size - 2] + b"\r\n"
    return [b"Received: from far.test by pop.test; Mon, 2 Mar 2026 10:00:00 +0100\r\nFrom: far@elsewhere.test\r\nTo: u0@bench.test\r\n"
            b"Subject: message %d\r\nMessage-ID: <%d@far.test>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\n" % (n, n) + body
            for n in range(options.messages)]


def measure(kind, folder, base, provider, options):
    account = os.path.basename(folder)
    provider.fill(account, texts(options))
    tool = kind(folder, base, provider, options.sync_us)
    try:
        seconds = tool.run(account)
        figures = tool.figures if hasattr(tool, "figures") else (tool.syncs(), 0)
        have, left = tool.arrived(), provider.left(account)
        if have != options.messages or left != (options.messages if getattr(tool, "leave", False) else 0):
            raise RuntimeError("%s: %d arrived, %d left of %d" % (tool.name, have, left, options.messages))
        return {"rate": options.messages / seconds, "syncs": figures[0] / options.messages, "cpu": figures[1] * 1e3 / options.messages}
    finally:
        tool.stop()


def others(options):
    """Those that are there; who is not is named."""
    found = []
    for kind in [Getmail, Fetchmail] if options.imap else [Mpop, Getmail, Fetchmail]:
        if shutil.which(kind.program):
            found.append(kind)
        else:
            print("note: %s is not measured, it is not here (apt-get install %s; ./test installs it)" % (kind.name, kind.package),
                  file=sys.stderr)
    return found


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--messages", type=int, default=2000)
    a.add_argument("--size", type=int, default=4096)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--alone", action="store_true", help="without the others")
    a.add_argument("--imap", action="store_true", help="by IMAP instead of POP3")
    a.add_argument("--maildir", action="store_true", help="the provider has a maildir: a file to read and unlink for each message")
    a.add_argument("--leave", action="store_true", help="Postroom leaves them on the server")
    a.add_argument("--sync-us", type=int, default=0, help="added to each sync, as on a drive")
    a.add_argument("--dir", help="where the mailboxes are; the disk that is measured")
    a.add_argument("--keep", action="store_true", help="keep the folders")
    options = a.parse_args()
    if os.getuid() != 0:
        sys.exit("collect: needs root (mount namespaces and cgroups)")
    if not os.path.exists("/usr/sbin/dovecot"):
        sys.exit("collect: there is no Dovecot to fetch from (apt-get install dovecot-imapd dovecot-pop3d dovecot-lmtpd; ./test installs it)")
    if not os.path.exists(os.path.join(postroom.BUILD, "postroomd")):
        sys.exit("collect: there is no build/postroomd")
    Provider.form = "maildir" if options.maildir else Provider.form
    Ours.leave, Tool.by_imap = options.leave, options.imap
    kinds = [Ours] + ([] if options.alone else others(options)) + ([] if options.imap else [Reader])
    work, base, rows = tempfile.mkdtemp(prefix="postroom-collect-", dir=options.dir), 20000 + os.getpid() % 20000, {}
    os.chmod(work, 0o755)
    provider = Provider(work + "/provider", base, sync_us=options.sync_us)
    provider.start()
    try:
        for number in range(options.rounds):
            for kind in kinds if number % 2 == 0 else kinds[::-1]:
                base += 1
                try:
                    found = measure(kind, "%s/%s%d" % (work, kind.__name__.lower(), number), base + 1000, provider, options)
                    rows.setdefault(kind.name, []).append(found)
                except (OSError, RuntimeError, subprocess.SubprocessError) as e:
                    print("note: %s" % e, file=sys.stderr)
    finally:
        provider.stop()
        if options.keep:
            print("kept: " + work)
        else:
            shutil.rmtree(work, ignore_errors=True)
    show(rows)


def show(rows):
    median = {name: {k: statistics.median(r[k] for r in found) for k in found[0]} for name, found in rows.items()}
    print("%-12s %9s %9s %9s" % ("", "msgs/s", "syncs", "CPU ms"))
    for name, m in median.items():
        print("%-12s %9.0f %9.3f %9s" % (name, m["rate"], m["syncs"], "%.3f" % m["cpu"] if m["cpu"] else ""))
    others = {name: m["rate"] for name, m in median.items() if name not in ("Postroom", Reader.name)}
    if others and "Postroom" in median:
        best = max(others, key=others.get)
        print("beside %s, the fastest of them: %.2fx, goal %gx" % (best, median["Postroom"]["rate"] / others[best], GOAL))
    if others and Reader.name in median:
        print("more than %.2fx it cannot be: so fast is a reader that keeps nothing" % (median[Reader.name]["rate"] / max(others.values())))


if __name__ == "__main__":
    main()
