"""archive_site.py - for tests of the archive: people who write to each other, and what is found of it."""
from postroom import PASSWORD, true

ON = "archive: { on: yes }\n"
CLOCK = "testing: { clock: yes }\n"


def text(subject, body="hello", sender="bo@far.test", to="anna@example.test"):
    return "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\n%s\r\n" % (sender, to, subject, body)


def people(server, *names):
    for name in names or ("anna", "bert", "carl"):
        server.add_user(name)


def submit(server, user, to, message):
    with server.smtp("submissions") as c:
        c.login(user, PASSWORD)
        c.sendmail("%s@example.test" % user, to, message)


def found(server, *query):
    return server.json("archive", "search", *query)


def subjects(server, *query):
    return [row["subject"] for row in found(server, *query)]


def security(server):
    return [row["text"] for row in server.json("log", "show", "--service", "security")]


def verified(server, *options):
    """The end of the chain, as (id, chain)."""
    (row,) = server.json("archive", "verify", *options)
    true(row["warning"], row)
    return row["id"], row["chain"]
