"""forward_site.py - for tests of store and forward: a mailbox whose mail is sent on to a server of the test's own."""
import re

from postroom import Server, equal, wait_for

CLOCK = "testing: { clock: yes }\n"
ADDRESS = "anna@main.test"
LIVE = []  # servers of the test under way


def text(subject, body="hello"):
    return "From: x@far.test\r\nTo: anna@example.test\r\nSubject: %s\r\n\r\n%s\r\n" % (subject, body)


def forward(server, port, user="anna", address=ADDRESS, account="", password=None):
    fields = ("store_forward_address=" + address, "store_forward_server=%s127.0.0.1:%s" % (account, port))
    if password is None:
        return server.cli("user", "set", user, *fields)
    return server.cli("user", "set", user, *fields, "--password-stdin", stdin=password + "\n")


def started(**options):
    server = Server(**options).start()
    LIVE.append(server)
    return server


def site(extra="", port=None, **fields):
    """A server with anna, whose mail goes on to PORT."""
    server = started(extra=CLOCK + extra)
    for user in (("postmaster", "--admin"), ("anna",), ("bert",)):
        server.add_user(*user)
    if port:
        forward(server, port, **fields)
    return server


def deliver(server, *subjects, to="anna"):
    with server.smtp() as c:
        for subject in subjects:
            c.sendmail("x@far.test", [to + "@example.test"], text(subject))


def subjects_in(imap, folder="INBOX"):
    equal(imap.select(folder)[0], "OK")
    found = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    return [re.search(rb"Subject: (.*)", f[1]).group(1).strip().decode() for f in found if isinstance(f, tuple)]


def mailbox(server, user="anna", folders=("INBOX",)):
    with server.imap(user) as c:
        return [s for f in folders for s in subjects_in(c, f)]


def arrived(sink):
    return [re.search(rb"Subject: (.*)\r", m.data).group(1).decode() for m in list(sink.mails)]


def queue(server):
    return server.json("queue", "list")


def retry(server):
    server.cli("queue", "retry", "--all", "--wait", ok=False)  # 1 where some are in the bin


def wait_deferred(server, count):
    wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"] * count,
             "%d wait: %s" % (count, queue(server)), 15)


def clean(server):
    status, lines = server.check()
    equal(status, 0, lines)


def end(server):
    clean(server)
    server.__exit__(None, None, None)


def guarded(test):
    """A test that failed leaves no server behind."""
    def run():
        try:
            test()
        finally:
            for server in LIVE:
                if server.process.poll() is None:
                    server.kill()
                server.clean()
            LIVE.clear()
    return test.__name__[5:].replace("_", " "), run
