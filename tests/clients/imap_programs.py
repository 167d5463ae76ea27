#!/usr/bin/env python3
"""imap_programs.py - mail programs that people use, on a real server, by IMAP: TAP (IMP-01).

mbsync and offlineimap keep copies that are changed on both sides; mutt, neomutt and alpine are typed
at on a pseudo-terminal; curl, fetchmail and getmail do what scripts do.
"""
import email
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.postroom import (PASSWORD, Server, Skip, equal, figure, tap, true,  # noqa: E402
                                    wait_for)
from tests.screens.terminal import Terminal  # noqa: E402

EXTRA = "auth: { hash_memory: 8MB, hash_passes: 1 }\nlimits: { max_per_ip: 500, max_per_ip_before_login: 500 }\n"
SYNCED = 10000  # messages that mbsync carries both ways
LIMIT_S = 600


def program(name):
    if not shutil.which(name):
        raise Skip("%s is not installed" % name)
    return name


def run(*command, status=0, env=None, cwd=None):
    r = subprocess.run(command, capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, cwd=cwd,
                       env=dict(os.environ, **(env or {})))
    equal(r.returncode, status, "%s: %s%s" % (command[0], r.stdout[-600:].decode("utf-8", "replace"),
                                              r.stderr[-600:].decode("utf-8", "replace")))
    return r.stdout


def home(server, name):
    path = os.path.join(server.dir, "home-" + name)
    os.makedirs(path, exist_ok=True)
    return path


def private_file(path, text):
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    return path


def mail(subject, body="hello\r\n"):
    return ("From: Bo <bo@elsewhere.test>\r\nTo: someone@example.test\r\nSubject: %s\r\n"
            "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%s@elsewhere.test>\r\n\r\n%s" %
            (subject, hashlib.sha1(subject.encode()).hexdigest(), body))


def subjects(c, folder="INBOX"):
    """{subject: flags} of a folder, by imaplib; \\Recent is nobody's choice."""
    status, count = c.select('"%s"' % folder, readonly=True)
    equal(status, "OK", "SELECT " + folder)
    if count[0] == b"0":
        return {}
    found, rows = {}, c.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    for at, row in enumerate(rows):
        if not isinstance(row, tuple):
            continue
        flags = re.search(rb"FLAGS \(([^)]*)\)", row[0] + (rows[at + 1] if isinstance(rows[at + 1], bytes) else b""))
        found[email.message_from_bytes(row[1])["Subject"]] = set(flags.group(1).decode().split()) - {"\\Recent"}
    return found


def set_flag(c, folder, wanted, flag):
    """On the messages whose subjects are WANTED."""
    c.select('"%s"' % folder)
    numbers = []
    rows = c.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    for at, row in enumerate(rows):
        if isinstance(row, tuple) and email.message_from_bytes(row[1])["Subject"] in wanted:
            after = rows[at + 1] if isinstance(rows[at + 1], bytes) else b""
            numbers.append(re.search(rb"UID (\d+)", row[0] + after).group(1).decode())
    equal(len(numbers), len(wanted))
    equal(c.uid("STORE", ",".join(numbers), "+FLAGS", "(%s)" % flag)[0], "OK")


# --- mbsync ---

def mbsync(server, user, place):
    """Run once; the folder that holds the copy."""
    folder = home(server, place)
    conf = private_file(os.path.join(folder, "mbsyncrc"), """FSync no

IMAPAccount there
Host localhost
Port %d
User %s
Pass "%s"
SSLType IMAPS
CertificateFile %s/tls/cert.pem

IMAPStore there
Account there

MaildirStore here
Path %s/mail/
Inbox %s/mail/INBOX
SubFolders Verbatim

Channel all
Far :there:
Near :here:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""" % (server.ports["imaps"], user, PASSWORD, server.dir, folder, folder))
    os.makedirs(os.path.join(folder, "mail"), exist_ok=True)
    run(program("mbsync"), "-c", conf, "-a", "-q")
    return os.path.join(folder, "mail")


def maildir(path):
    """{subject: (file, flags)}"""
    found = {}
    for sub in ("cur", "new"):
        for name in os.listdir(os.path.join(path, sub)):
            file = os.path.join(path, sub, name)
            with open(file, "rb") as f:
                subject = re.search(rb"^Subject: (.*?)\r?$", f.read(4096), re.M).group(1).decode()
            true(subject not in found, "%s is there once" % subject)
            found[subject] = file, "".join(sorted(name.partition(":2,")[2]))
    return found


def drop_in(path, subject, flags=""):
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(path, sub), exist_ok=True)
    drop_in.count = getattr(drop_in, "count", 0) + 1
    with open(os.path.join(path, "cur", "1795000000.%d_1.client:2,%s" % (drop_in.count, flags)), "w", newline="") as f:
        f.write(mail(subject).replace("\r\n", "\n"))


def set_here(file, flags):
    os.rename(file, os.path.join(os.path.dirname(os.path.dirname(file)), "cur",
                                 os.path.basename(file).partition(":2,")[0] + ":2," + flags))


def same(server, user, path, folder="INBOX"):
    """The copy and the server hold the same messages with the same flags."""
    words = {"\\Seen": "S", "\\Flagged": "F", "\\Answered": "R", "\\Draft": "D", "\\Deleted": "T"}
    c = server.imap(user)
    there = {s: "".join(sorted(words[f] for f in flags if f in words)) for s, flags in subjects(c, folder).items()}
    c.logout()
    here = {s: flags for s, (_, flags) in maildir(path).items()}
    equal({s: f for s, f in here.items() if there.get(s) != f}, {}, "only here, or otherwise there")
    equal({s: f for s, f in there.items() if here.get(s) != f}, {}, "only there, or otherwise here")
    return len(here)


def test_mbsync_carries_10000_messages_both_ways(server):
    path = os.path.join(home(server, "mbsync"), "mail")
    for n in range(SYNCED):
        drop_in(os.path.join(path, "INBOX"), "message %d" % n, "S" if n % 3 == 0 else "")
    began = time.time()
    mbsync(server, "mia", "mbsync")
    up = time.time() - began
    equal(same(server, "mia", path + "/INBOX"), SYNCED, "messages on both sides")
    began = time.time()
    other = mbsync(server, "mia", "mbsync-other")
    figure("mbsync: %d messages up in %.1f s, down in %.1f s" % (SYNCED, up, time.time() - began))
    equal(same(server, "mia", other + "/INBOX"), SYNCED, "messages in the second copy")
    change_both_sides(server, path)
    equal(same(server, "mia", path + "/INBOX"), SYNCED - 200 + 20, "messages after the changes")
    mbsync(server, "mia", "mbsync-other")
    equal(same(server, "mia", other + "/INBOX"), SYNCED - 200 + 20, "messages in the second copy after the changes")
    equal(same(server, "mia", other + "/Projects/2026", "Projects/2026"), 1, "a folder that was made here")


def change_both_sides(server, path):
    here = maildir(path + "/INBOX")
    for n in range(100):
        os.unlink(here["message %d" % n][0])                 # a file that is gone is a message deleted
        set_here(here["message %d" % (n + 1000)][0], "FS")
    for n in range(20):
        drop_in(path + "/INBOX", "new here %d" % n, "R")
    drop_in(path + "/Projects/2026", "in a folder")
    c = server.imap("mia")
    set_flag(c, "INBOX", {"message %d" % n for n in range(200, 300)}, "\\Deleted")
    c.expunge()
    set_flag(c, "INBOX", {"message %d" % n for n in range(2000, 2100)}, "\\Answered \\Seen")
    c.logout()
    mbsync(server, "mia", "mbsync")


# --- offlineimap ---

def fingerprint(server):
    with open(os.path.join(server.dir, "tls", "cert.pem")) as f:
        return hashlib.sha1(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


def offlineimap(server, user):
    folder = home(server, "offlineimap")
    conf = private_file(os.path.join(folder, "offlineimaprc"), """[general]
accounts = all
metadata = %(folder)s/meta
ui = quiet
fsync = false
[Account all]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = %(folder)s/mail
sep = /
[Repository there]
type = IMAP
remotehost = localhost
remoteport = %(port)d
remoteuser = %(user)s
remotepass = %(password)s
ssl = yes
cert_fingerprint = %(print)s
""" % {"folder": folder, "port": server.ports["imaps"], "user": user, "password": PASSWORD,
       "print": fingerprint(server)})
    run(program("offlineimap"), "-c", conf, "-o", env={"HOME": folder})
    return os.path.join(folder, "mail")


def test_offlineimap_keeps_a_copy_that_changes_on_both_sides(server):
    server.send("bo@elsewhere.test", ["olga@example.test"], mail("one"))
    server.send("bo@elsewhere.test", ["olga@example.test"], mail("two"))
    path = offlineimap(server, "olga")
    equal(sorted(maildir(path + "/INBOX")), ["one", "two"], "what came down")
    set_here(maildir(path + "/INBOX")["one"][0], "FS")
    drop_in(path + "/INBOX", "made here", "S")
    c = server.imap("olga")
    set_flag(c, "INBOX", {"two"}, "\\Answered")
    c.create("Work")
    c.append("Work", "(\\Seen)", None, mail("in a folder").encode())
    c.logout()
    offlineimap(server, "olga")
    offlineimap(server, "olga")
    equal(same(server, "olga", path + "/INBOX"), 3, "messages on both sides")
    equal(same(server, "olga", path + "/Work", "Work"), 1, "messages of the folder")
    os.unlink(maildir(path + "/INBOX")["two"][0])
    offlineimap(server, "olga")
    c = server.imap("olga")
    equal(sorted(s for s, flags in subjects(c).items() if "\\Deleted" not in flags), ["made here", "one"], "what is left")
    c.logout()


# --- programs with a screen ---

class Typed(Terminal):
    """A program on a terminal of 100 columns; type() waits for what it shows first."""

    def __init__(self, folder, *command, env=None):
        self.command = command
        super().__init__("", rows=30, cols=100, cwd=folder, env={"TERM": "xterm", **(env or {})})

    def argv(self, *_):
        return shutil.which(self.command[0]), list(self.command)

    def shown(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            self.read(0.05)
            if time.monotonic() > end or self.ended():
                raise AssertionError("%s does not show %r: %r" % (self.command[0], text, bytes(self.seen[-700:])))
        return self

    def type(self, keys, after=""):
        if after:
            self.shown(after)
        del self.seen[:]
        self.write(keys.encode())
        return self

    def leave(self):
        equal(self.wait_end(), 0, "the exit status; last seen %r" % bytes(self.seen[-700:]))


def muttrc(server, folder, user):
    return private_file(os.path.join(folder, "muttrc"), """set imap_user="%s"
set imap_pass="%s"
set folder="imaps://127.0.0.1:%d/"
set spoolfile="+INBOX"
set record=""
set certificate_file="%s/tls/cert.pem"
set ssl_verify_host=no
set ssl_verify_dates=no
set mail_check=1
set timeout=1
set imap_idle=%s
set confirmappend=no
set confirmcreate=no
set delete=yes
set quit=yes
set move=no
set wait_key=no
set sort=mailbox-order
set header_cache=%s/cache
set sleep_time=0
set resolve=no
set index_format="%%4C %%Z %%s"
""" % (user, PASSWORD, server.ports["imaps"], server.dir, "yes", folder))


def seen_by(server, user):
    c = server.imap(user)
    found = sorted(subjects(c))
    c.logout()
    return found


def typed_mutt(server, name):
    """List, read, flag, copy, move, delete, notice what comes: what a person does in his first minute."""
    user = name
    for subject in ("first", "second", "third", "fourth"):
        server.send("bo@elsewhere.test", [user + "@example.test"], mail(subject, "the body of %s\r\n" % subject))
    folder = home(server, name)
    with Typed(folder, program(name), "-n", "-F", muttrc(server, folder, user)) as m:
        m.type("\rq", "fourth")          # read the first
        m.type("jF", "second")           # flag the second
        m.type("jC\x15+Kept\r")          # copy the third
        m.type("js\x15+Moved\r")         # move the fourth
        m.type("1\rd$")                  # delete the first, write it all out
        wait_for(lambda: m.read() is not None and seen_by(server, user) == ["second", "third"], "it is written out", 20)
        server.send("bo@elsewhere.test", [user + "@example.test"], mail("by and by"))
        m.type("q", "by and by")                                # new mail shows by itself
        m.leave()
    c = server.imap(user)
    found = subjects(c)
    equal(sorted(found), ["by and by", "second", "third"], "the INBOX")
    true("\\Flagged" in found["second"], "second is flagged: %s" % found["second"])
    equal(list(subjects(c, "Kept")), ["third"])
    equal(list(subjects(c, "Moved")), ["fourth"])
    c.logout()


def test_mutt(server):
    typed_mutt(server, "mutt")


def test_neomutt(server):
    typed_mutt(server, "neomutt")


def test_alpine(server):
    for subject in ("first", "second", "third"):
        server.send("bo@elsewhere.test", ["alpine@example.test"], mail(subject, "the body of %s\r\n" % subject))
    folder = home(server, "alpine")
    there = "{127.0.0.1:%d/imap/ssl/novalidate-cert/user=alpine}" % server.ports["imaps"]
    conf = private_file(os.path.join(folder, "pinerc"), """user-domain=example.test
inbox-path=%sINBOX
folder-collections=Mail %s[]
feature-list=quit-without-confirm,expunge-without-confirm,enable-flag-cmd,
  disable-password-file-saving
sort-key=Arrival
last-version-used=99.99
""" % (there, there))
    with Typed(folder, program("alpine"), "-p", conf, "-i") as a:
        a.type(PASSWORD + "\r", "PASSWORD")
        a.type("\r", "third").type("<", "the body of ")
        a.type("d", "second").type("x", "D").type("q", "second").leave()
    c = server.imap("alpine")
    equal(len(subjects(c)), 2, "messages left")
    c.logout()


# --- programs for scripts ---

def curl(server, path, *args, status=0):
    return run(program("curl"), "-sS", "--insecure", "imaps://127.0.0.1:%d/%s" % (server.ports["imaps"], path),
               "--user", "carl:" + PASSWORD, *args, status=status)


def test_curl_lists_reads_searches_flags_and_appends(server):
    file = private_file(os.path.join(server.dir, "mail.eml"), "")
    with open(file, "w", newline="") as f:
        f.write(mail("by curl", "appended\r\n"))
    true(b'"/" INBOX\r\n' in curl(server, "") or b'"/" "INBOX"\r\n' in curl(server, ""), "LIST names the INBOX")
    curl(server, "INBOX", "-T", file)
    curl(server, "", "-X", "CREATE Kept")
    text = curl(server, "INBOX;MAILINDEX=1")
    true(text.endswith(b"\r\n\r\nappended\r\n") and b"Subject: by curl\r\n" in text, text)
    equal(curl(server, "INBOX;MAILINDEX=1;SECTION=TEXT"), b"appended\r\n")
    equal(curl(server, "INBOX?SUBJECT%20curl").split(), [b"*", b"SEARCH", b"1"])
    true(b"\\Flagged" in curl(server, "INBOX", "-X", "STORE 1 +FLAGS (\\Flagged)"), "STORE")
    curl(server, "INBOX", "-X", "COPY 1 Kept")
    curl(server, "Kept", "-X", "EXAMINE Kept")
    curl(server, "INBOX", "-X", "STORE 1 +FLAGS.SILENT (\\Deleted)")
    curl(server, "INBOX", "-X", "EXPUNGE")
    equal(curl(server, "INBOX?ALL").split(), [b"*", b"SEARCH"])
    equal(curl(server, "Kept;MAILINDEX=1;SECTION=TEXT"), b"appended\r\n")
    r = run("curl", "-sS", "--ssl-reqd", "--insecure", "imap://127.0.0.1:%d/Kept;UID=1;SECTION=TEXT" % server.ports["imap"],
            "--user", "carl:" + PASSWORD)
    equal(r, b"appended\r\n", "over STARTTLS")
    curl(server, "Nowhere;MAILINDEX=1", status=67)


def test_fetchmail_fetches_and_deletes(server):
    server.send("bo@elsewhere.test", ["finn@example.test"], mail("for fetchmail"))
    folder = home(server, "fetchmail")
    conf = private_file(os.path.join(folder, "fetchmailrc"), """poll 127.0.0.1 service %d protocol imap
  user "finn" password "%s" ssl sslproto "auto" no sslcertck nokeep folder "INBOX"
  mda "cat >> %s/box"
""" % (server.ports["imaps"], PASSWORD, folder))
    run(program("fetchmail"), "-f", conf, "--nosyslog", "--pidfile", folder + "/pid", env={"FETCHMAILHOME": folder})
    with open(folder + "/box") as f:
        true("Subject: for fetchmail\n" in f.read(), "the message is in the file")
    c = server.imap("finn")
    equal(subjects(c), {}, "fetchmail deleted what it had fetched")
    c.logout()


def test_fetchmail_idles_until_mail_comes(server):
    folder = home(server, "fetchmail-idle")
    conf = private_file(os.path.join(folder, "fetchmailrc"), """poll 127.0.0.1 service %d protocol imap
  user "ida" password "%s" ssl sslproto "auto" no sslcertck keep idle folder "INBOX"
  mda "cat >> %s/box"
""" % (server.ports["imaps"], PASSWORD, folder))
    p = subprocess.Popen([program("fetchmail"), "-f", conf, "--nosyslog", "--nodetach", "-v", "--pidfile", folder + "/pid"],
                         env=dict(os.environ, FETCHMAILHOME=folder), stdout=open(folder + "/out", "wb"),
                         stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        def said(text):
            with open(folder + "/out") as f:
                return text in f.read()
        wait_for(lambda: said("IDLE"), "fetchmail idles")
        server.send("bo@elsewhere.test", ["ida@example.test"], mail("while it waits"))
        wait_for(lambda: os.path.exists(folder + "/box") and "while it waits" in open(folder + "/box").read(), "it is fetched")
    finally:
        p.terminate()
        p.wait(60)


def test_getmail_fetches_and_deletes(server):
    server.send("bo@elsewhere.test", ["greta@example.test"], mail("for getmail"))
    folder = home(server, "getmail")
    private_file(os.path.join(folder, "getmailrc"), """[retriever]
type = SimpleIMAPSSLRetriever
server = 127.0.0.1
port = %d
username = greta
password = %s
mailboxes = ("INBOX",)
[destination]
type = MDA_external
path = /usr/bin/tee
arguments = ("-a", "%s/box")
allow_root_commands = true
[options]
delete = true
read_all = false
""" % (server.ports["imaps"], PASSWORD, folder))
    run(program("getmail"), "--getmaildir", folder)
    with open(folder + "/box") as f:
        true("Subject: for getmail\n" in f.read(), "the message is in the file")
    c = server.imap("greta")
    equal(subjects(c), {}, "getmail deleted what it had fetched")
    c.logout()


USERS = ("mia", "olga", "mutt", "neomutt", "alpine", "carl", "finn", "ida", "greta")


def certificate(server):
    """One that programs can check: it names the host, and is signed by itself."""
    folder = os.path.join(server.dir, "tls")
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    os.chmod(folder + "/key.pem", 0o600)


def main():
    server = Server(extra=EXTRA, level="info")
    certificate(server)
    with server:
        server.add_user("postmaster", "--admin")
        for name in USERS:
            server.add_user(name)
        return tap([f for n, f in list(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
