"""cast.py - everybody whom one message of many copies reaches, for the tests that send it and those that kill the server at it.

    anna    writes; monitored
    bert    a colleague
    team    a list: cara with her assistant dora, and mike, who is monitored
    eve     a Bcc
    out@elsewhere.test
    boss, book, the archive     the monitor's, the journal's, everybody's
"""
BOXES = ("bert", "cara", "dora", "mike", "eve", "boss", "book")
TO = ["bert@example.test", "out@elsewhere.test", "team@example.test", "eve@example.test"]
HEAD = ("From: Anna <anna@example.test>\r\nTo: bert@example.test, out@elsewhere.test, team@example.test\r\n"
        "Subject: %s\r\n\r\n")


def enter(server):
    """Make them, on a server whose file has the journal, the archive and a signature."""
    server.add_user("postmaster", "--admin")
    for name in ("anna",) + BOXES:
        server.add_user(name)
    server.cli("user", "set", "cara", "assistants=dora")
    for name in ("anna", "mike"):
        server.cli("user", "set", name, "monitor=yes")
    server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "cara", "--member", "mike")
    server.cli("rule", "monitor", "set", "outgoing=selected", "internal=selected", "target=boss")
