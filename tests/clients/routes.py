#!/usr/bin/env python3
"""routes.py - ways out by command: routes, LAN rules, what waits for which, redirecting."""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from name_server import NameServer  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402
from outgoing_site import certificate  # noqa: E402
from outgoing_direct import answers  # noqa: E402

TEXT = "Subject: hi\r\n\r\nhello\r\n"
CLOCK = "testing: { clock: yes }\n"
SECRET = "a long password"


def submit(server, to, sender="anna@example.test"):
    with server.smtp("submissions") as c:
        c.login("anna", PASSWORD)
        c.sendmail(sender, to, TEXT)


def queue(server, *more):
    return server.json("queue", "list", *more)


def file_of(server):
    with open(server.config) as f:
        return f.read()


def routes(server):
    return {row["name"]: row for row in server.json("route", "list")}


def refused(server, *args, stdin=""):
    r = server.cli(*args, stdin=stdin, ok=False)
    true(r.returncode == 1, "%s is refused: %s%s" % (" ".join(args), r.stdout, r.stderr))
    return r.stderr


# ---- add, set, remove ----


def test_a_route_is_added_with_its_password_and_mail_leaves_by_it_OUT_04_OUT_06():
    with SmtpSink(accounts={"u": SECRET}, auth_in_clear=True) as sink, Server(extra=CLOCK) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        server.cli("route", "add", "isp", "kind=relay", "servers=127.0.0.1:%d" % sink.port, "tls=none", "username=u",
                   "max_recipients=10", "--password-stdin", stdin=SECRET + "\n")
        wait_for(lambda: sink.mails, "what waited leaves at once, with the password", 15)
        equal(sink.mails[0].session.user, "u")
        true(SECRET not in file_of(server) and "{ sealed: route.isp }" in file_of(server), file_of(server))
        wait_for(lambda: routes(server)["isp"]["sent"] == 1, "it is counted", 10)
        row = routes(server)["isp"]
        equal((row["kind"], row["servers"], row["username"], row["tls"]),
              ("relay", ["127.0.0.1:%d" % sink.port], "u", "none"))
        true(row["last_sent"] and row["waiting"] == 0 and SECRET not in str(server.json("route", "show", "isp")), row)


def test_after_a_change_nothing_goes_over_a_connection_to_the_old_server():
    with SmtpSink() as old, SmtpSink() as new, Server() as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "kind=relay", "servers=127.0.0.1:%d" % old.port, "tls=none")
        submit(server, "a@far.test")
        wait_for(lambda: len(old.mails) == 1, "the first has left", 10)
        server.cli("route", "set", "isp", "servers=127.0.0.1:%d" % new.port)
        submit(server, "b@far.test")
        wait_for(lambda: len(old.mails) + len(new.mails) == 2, "the second too", 10)
        equal([m.recipients for m in new.mails], [["b@far.test"]])


def test_a_password_goes_with_its_route_and_undo_brings_both_back():
    with SmtpSink(accounts={"u": SECRET}, auth_in_clear=True) as sink, Server(extra=CLOCK) as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d" % sink.port, "tls=none", "username=u",
                   "--password-stdin", stdin=SECRET + "\n")
        with_route = file_of(server)
        server.cli("route", "remove", "isp")
        equal(server.json("secret", "list"), [])
        true("outgoing:\n  routes: []\n" in file_of(server), "an empty list stays: %s" % file_of(server))
        server.cli("undo")
        equal(file_of(server), with_route)
        equal([s["name"] for s in server.json("secret", "list")], ["route.isp"])
        submit(server, ["bo@elsewhere.test"])
        wait_for(lambda: sink.mails, "it logs in again", 15)
        server.cli("route", "set", "isp", "--password-stdin", stdin="another one\n")
        equal(file_of(server), with_route, "a new password leaves the file as it is")
        wait_for(lambda: routes(server)["isp"]["connections"] == 0, "the connection that logged in before ends", 15)
        submit(server, ["cy@elsewhere.test"])
        wait_for(lambda: "535" in str(queue(server)), "it is refused now", 15)
        server.cli("undo")
        server.cli("queue", "retry", "--all")
        wait_for(lambda: len(sink.mails) == 2, "the old password is back", 15)
        server.cli("route", "set", "isp", "username=", "password=")
        equal(server.json("secret", "list"), [])


def test_keys_of_a_route_order_and_comments_CFG_02():
    extra = "outgoing:\n  routes:\n    # the provider\n    - { name: isp, servers: [\"127.0.0.1:1\"] } # x\n" + CLOCK
    with Server(extra=extra) as server:
        server.cli("route", "add", "direct", "kind=direct", "domains=a.test;!From: bo@b.test", "place=1")
        true("    - name: direct\n      kind: direct\n      domains: [\"a.test\",\"!From: bo@b.test\"]\n"
             "    # the provider\n    - { name: isp, servers: [\"127.0.0.1:1\"] } # x\n" in file_of(server), file_of(server))
        equal(list(routes(server)), ["direct", "isp"])
        server.cli("route", "set", "ISP", "tls=required", "place=1", "max_recipients=5")
        server.cli("route", "set", "isp", "max_recipients=", "name=provider")
        show = server.json("route", "show", "provider")[0]
        equal((show["place"], show["tls"], show["max_recipients"]), (1, "required", 0))
        server.cli("undo")
        equal(server.json("route", "show", "isp")[0]["max_recipients"], 5)
        before = file_of(server)
        told = server.cli("route", "remove", "isp", "--dry-run").stdout
        true("would remove route isp" in told and file_of(server) == before, told)


def test_what_no_route_can_be_is_refused():
    with Server(extra=CLOCK) as server:
        before = file_of(server)
        for args, why in ((("add", "a b", "kind=direct"), ""), (("add", "7", "kind=direct"), "digits alone"),
                          (("add", "x", "kind=relay"), "servers="), (("add", "x", "kind=pigeon"), "kind"),
                          (("add", "x", "kind=direct", "password=abc"), "--password-stdin"),
                          (("add", "x", "kind=direct", "place=9"), "place"), (("add", "x", "kind=direct", "wings=2"), "wings"),
                          (("set", "nobody", "tls=none"), "nobody"), (("remove", "nobody"), "nobody")):
            r = server.cli("route", *args, ok=False)
            true(r.returncode in (1, 2) and why in r.stderr and "abc" not in r.stderr, "%s: %s" % (args, r.stderr))
        true("username=" in refused(server, "route", "add", "x", "kind=direct", "--password-stdin", stdin="p\n"), "an account")
        equal(file_of(server), before)


def test_a_route_that_mail_waits_for_is_removed_with_a_word():
    closed = free_ports(1)[0]
    with SmtpSink() as sink, Server(extra=CLOCK) as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d" % closed)
        server.cli("route", "add", "spare", "servers=127.0.0.1:%d" % closed, "domains=spare.test")
        submit(server, ["bo@elsewhere.test", "cy@elsewhere.test"])
        wait_for(lambda: "refused" in str(queue(server)), "it was tried", 15)
        row = routes(server)["isp"]
        equal((row["waiting"], row["connections"]), (2, 0))
        true(row["rests_until"] and "Connection refused" in row["why"] and row["oldest"] and row["last_error_time"], row)
        true("Connection refused" in row["last_error"], row)
        one = server.json("route", "destinations")[0]
        equal((one["route"], one["failures"]), ("isp", 1))
        server.cli("queue", "redirect", queue(server)[0]["id"], "route=SPARE")
        wait_for(lambda: routes(server)["spare"]["waiting"] == 2, "it goes another way", 10)
        told = server.cli("route", "remove", "spare", "--dry-run").stdout
        true("2 recipients wait for it" in told and "sent this way by name" in told, told)
        told = server.cli("route", "remove", "spare").stdout
        true("2 recipients wait for it" in told, told)
        show = server.json("queue", "show", queue(server)[0]["id"])[0]
        true("not configured" in str(show) or show["recipients"][0]["route"] == "spare", show)
        told = server.cli("route", "set", "isp", "servers=127.0.0.1:%d" % sink.port).stdout
        true("`postroom queue retry --filter route:isp`" in told, told)
        true("queue retry" not in server.cli("route", "set", "isp", "max_recipients=7").stdout, "nothing new to be tried")
        server.cli("queue", "redirect", queue(server)[0]["id"], "route=isp")
        wait_for(lambda: sink.mails, "it leaves by the one that is left", 15)


def test_queue_list_names_the_route_and_finds_lan_targets_LAN_10():
    closed, other = free_ports(2)
    with Server(extra=CLOCK) as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d" % closed)
        server.cli("route", "lan", "apply", "-", stdin="fred@example.test 127.0.0.1:%d\n" % other)
        submit(server, ["bo@elsewhere.test"])
        submit(server, ["fred@example.test"])
        wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"] * 2, "both were tried", 15)
        lan = queue(server, "--filter", "route:lan:")
        equal([(q["recipients"], q["route"]) for q in lan], [(["fred@example.test"], ["lan:127.0.0.1:%d" % other])])
        true(lan[0]["tries"] == 1 and lan[0]["next_try"] and "Connection refused" in lan[0]["last_error"], lan)
        equal([q["route"] for q in queue(server, "--filter", "route=isp")], [["isp"]])
        equal(len(queue(server, "--filter", "via:lan:")), 1)


def test_redirect_checks_the_route_and_reaches_lan_targets():
    closed = free_ports(1)[0]
    with SmtpSink() as sink, Server(extra=CLOCK) as server:
        server.add_user("anna")
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d" % closed)
        submit(server, ["bo@elsewhere.test"])
        wait_for(lambda: queue(server)[0]["state"] == "deferred", "it was tried", 15)
        number = queue(server)[0]["id"]
        true("isp" in refused(server, "queue", "redirect", number, "route=nix"), "it names those there are")
        refused(server, "queue", "redirect", number, "route=lan:not a server")
        refused(server, "queue", "redirect", number, "wings=2")
        server.cli("queue", "redirect", number, "to=cy@other.test", "route=lan:127.0.0.1:%d" % sink.port)
        wait_for(lambda: sink.mails, "the LAN target has it", 15)
        equal(sink.mails[0].recipients, ["cy@other.test"])
        wait_for(lambda: not queue(server), "it left", 15)
        told = refused(server, "undo")
        true("comes too late" in told and number in told, "the route that was added before is not taken back in its place: " + told)
        true("isp" in routes(server), routes(server))
        last = max(int(row["id"]) for row in server.json("undo", "list"))
        true("queue " + number in refused(server, "undo", str(last)), "the message is named, no row of the store")


# ---- route test ----


def probe(server, *args):
    """Exit status and rows of `route test`."""
    r = server.cli("route", "test", *args, "--json", ok=False)
    return r.returncode, [json.loads(line) for line in r.stdout.split("\n") if line.strip()], r.stderr


def steps(rows):
    return [(row["step"], row["state"]) for row in rows]


def test_a_route_is_tested_step_by_step_OUT_06():
    with SmtpSink(accounts={"u": SECRET}, auth_in_clear=True) as sink, Server(extra=CLOCK) as server:
        closed = free_ports(1)[0]
        server.cli("route", "add", "isp", "servers=127.0.0.1:%d,127.0.0.1:%d" % (closed, sink.port), "tls=none",
                   "username=u", "--password-stdin", stdin=SECRET + "\n")
        status, rows, _ = probe(server, "isp")
        equal((status, steps(rows)), (0, [("connect", "failed"), ("connect", "ok"), ("EHLO", "ok"), ("TLS", "note"),
                                          ("AUTH", "ok"), ("QUIT", "ok")]), "the second server serves")
        true("refused" in rows[0]["result"] and rows[3]["result"] == "in clear" and "as u by" in rows[4]["result"], rows)
        equal((len(sink.mails), sink.sessions[-1].lines[-1]), (0, "QUIT"))
        server.cli("route", "set", "isp", "--password-stdin", stdin="wrong\n")
        status, rows, _ = probe(server, "isp")
        equal((status, steps(rows)[-1]), (1, ("AUTH", "failed")))
        true("535" in rows[-1]["result"] and SECRET not in str(rows) and "wrong" not in str(rows), rows)
        server.cli("route", "set", "isp", "tls=required")
        status, rows, _ = probe(server, "isp")
        equal((status, steps(rows)[-1][1]), (1, "failed"))
        true("TLS" in rows[-1]["result"], rows)
        equal(server.json("status")[0]["outgoing"]["connections"], 0, "nothing is left open")


def test_what_tls_is_worth_is_told_H68():
    with tempfile.TemporaryDirectory() as folder:
        pair = certificate(folder, "relay.test")
        with SmtpSink(tls=pair) as sink, NameServer({"relay.test": "127.0.0.1"}) as dns:
            with Server(extra="dns: { servers: ['%s'] }\n%s" % (dns.address, CLOCK)) as server:
                server.cli("route", "add", "isp", "servers=relay.test:%d" % sink.port, "tls=required")
                status, rows, told = probe(server, "isp")
                tls = [row for row in rows if row["step"] == "TLS"]
                equal((status, [row["state"] for row in tls]), (0, ["note"]), str(rows) + told)
                true(tls[0]["result"].startswith("TLSv1.") and "not verified" in tls[0]["result"], tls)
                server.cli("route", "set", "isp", "tls=verified")
                status, rows, _ = probe(server, "isp")
                equal(status, 1)
                true("TLS failed" in rows[-1]["result"], rows)


def test_which_way_an_address_goes_OUT_08():
    with SmtpSink() as sink, Server(extra=CLOCK) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        server.cli("route", "add", "a", "servers=127.0.0.1:1", "domains=a.test")
        server.cli("route", "add", "boss", "servers=127.0.0.1:1", "domains=From: boss@example.test")
        server.cli("route", "add", "rest", "servers=127.0.0.1:%d" % sink.port, "domains=!closed.test")
        server.cli("route", "lan", "apply", "-", stdin="fred@example.test 127.0.0.1:%d\n" % sink.port)
        for to, more, route in (("bo@a.test", (), "a"), ("bo@b.test", (), "rest"), ("fred@example.test", (), "lan:127.0.0.1:%d" % sink.port),
                                ("bo@b.test", ("--from", "boss@example.test"), "boss")):
            status, rows, told = probe(server, "--to", to, *more)
            equal((status, [row["route"] for row in rows]), (0, [route]), to + told)
        equal(len(sink.sessions), 0, "nobody was dialled")
        status, rows, _ = probe(server, "--to", "bo@closed.test")
        true(status == 1 and "no route fits" in rows[-1]["result"], rows)
        status, rows, _ = probe(server, "--to", "anna@example.test")
        equal(status, 0)
        true("stays here: anna" in rows[0]["result"], rows)
        status, rows, _ = probe(server, "a")
        equal((status, steps(rows)), (1, [("connect", "failed")]), "one look, not five")
        for what in ("bo@b.test", "fred@example.test", "lan:127.0.0.1:%d" % sink.port, "rest"):
            status, rows, told = probe(server, what)
            equal((status, steps(rows)[-1]), (0, ("QUIT", "ok")), what + told)
        equal(len(sink.mails), 0)
        for args in ((), ("nobody",), ("--to", "nobody"), ("lan:x y",)):
            equal(probe(server, *args)[0], 1, str(args))


def test_servers_are_a_list_of_hosts_OUT_04():
    with Server(extra=CLOCK) as server:
        server.add_user("postmaster", "--admin")
        server.cli("route", "add", "six", "servers=[::1]:2525,relay.test")
        true('servers: ["[::1]:2525", "relay.test"]' in open(server.config).read().replace('","', '", "'), open(server.config).read())
        told = server.cli("route", "set", "six", "servers=relay.test:0", ok=False)
        true(told.returncode == 1 and "host:port" in told.stderr, told)


def test_a_direct_route_is_tested_for_an_address_OUT_13():
    ways = {"far.test": answers(mx=[(10, "mx.far.test")]), "mx.far.test": answers(address="127.0.0.1")}
    with SmtpSink() as sink, NameServer(ways) as dns:
        with Server(extra="dns: { servers: ['%s'] }\n%s" % (dns.address, CLOCK)) as server:
            server.cli("route", "add", "direct", "kind=direct", "port=%d" % sink.port, "allow_loopback=yes")
            status, rows, told = probe(server, "direct")
            true(status == 1 and "--to" in told, told)
            status, rows, told = probe(server, "direct", "--to", "bo@far.test")
            equal((status, steps(rows)[0], steps(rows)[-1]), (0, ("connect", "ok"), ("QUIT", "ok")), str(rows) + told)
            true("mx.far.test" in rows[0]["host"], rows)
            status, rows, _ = probe(server, "direct", "--to", "bo@nowhere.test")
            equal((status, rows[-1]["state"]), (1, "failed"))


# ---- LAN rules ----

RULES = "# ours\nfred@example.test 127.0.0.1:1025 *@b.test\n(pop3) ~@example.test 127.0.0.2\n"


def test_lan_rules_by_command_LAN_01_LAN_09_CMD_08():
    with Server(extra=CLOCK) as server:
        server.cli("route", "lan", "apply", "-", stdin=RULES)
        equal(server.cli("route", "lan", "show").stdout, RULES)
        told = refused(server, "route", "lan", "apply", "-", stdin="bert@example.test 127.0.0.1\nbad\nfred@x.test 1:2:3\n")
        true("line 2" in told and "line 3" in told and "nothing was changed" in told, told)
        equal(server.cli("route", "lan", "show").stdout, RULES, "a bad text changes nothing")
        rows = server.json("route", "lan", "list")
        equal([(r["line"], r["pattern"], r["server"], r["rewrite"], r["conditions"]) for r in rows],
              [(2, "fred@example.test", "127.0.0.1:1025", "*@b.test", ""), (3, "~@example.test", "127.0.0.2:25", "", "pop3")])
        told = server.json("route", "lan", "test", "FRED@example.test")[0]
        equal((told["forwarded"], told["line"], told["server"], told["to"]), (True, 2, "127.0.0.1:1025", "FRED@b.test"))
        told = server.json("route", "lan", "test", "gus@example.test")[0]
        equal((told["forwarded"], told["line"]), (False, 0))
        told = server.cli("route", "lan", "apply", "-", "--dry-run", stdin="a@b.test 127.0.0.1\n").stdout
        true("1 LAN rule in force, in place of 2" in told, told)
        server.cli("route", "lan", "apply", "-", stdin="")
        equal(server.json("route", "lan", "list"), [])
        server.cli("undo")
        equal(server.cli("route", "lan", "show").stdout, RULES, "undo")
        server.cli("undo", server.json("undo", "list")[0]["id"])
        equal(server.cli("route", "lan", "show").stdout, "", "and done again")
        checked = server.cli("route", "lan", "check", "-", stdin="bad\n", ok=False)
        equal(checked.returncode, 1)
        true("a server is missing" in checked.stdout, checked.stdout)


def test_a_hand_edit_is_not_overwritten_LAN_09():
    with Server(extra=CLOCK) as server:
        server.cli("route", "lan", "apply", "-", stdin=RULES)
        with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
            f.write("half a li")
        told = refused(server, "route", "lan", "apply", "-", stdin="a@b.test 127.0.0.1\n")
        true("changed by hand" in told, told)


def test_rules_for_the_other_server_LOC_09():
    with Server(extra=CLOCK) as server:
        server.add_user("anna")
        server.cli("maillist", "add", "Sales", "--member", "anna", "--kind", "distribution")
        server.cli("mapping", "add", "~@example.test", "anna")
        server.cli("mapping", "add", "info", "anna")
        server.cli("mapping", "add", "x@far.test", "anna")
        text = server.cli("route", "lan", "export", "--server", "192.0.2.7:1025").stdout
        lines = [line.split() for line in text.split("\n") if line and not line.startswith("#")]
        equal(sorted(line[0] for line in lines), sorted(["anna@example.test", "Sales@example.test", "~@example.test",
                                                        "info@example.test"]))
        equal({line[1] for line in lines}, {"192.0.2.7:1025"})
    with Server(extra=CLOCK) as other:
        other.cli("route", "lan", "apply", "-", stdin=text)
        told = other.json("route", "lan", "test", "info@example.test")[0]
        equal((told["forwarded"], told["server"]), (True, "192.0.2.7:1025"), "another server takes them as they are")


def test_the_administrators_own_mail_is_warned_of_LAN_14():
    with Server(extra=CLOCK) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        told = server.cli("route", "lan", "apply", "-", stdin="post*@example.test 127.0.0.1:1025\n").stdout
        true("1 LAN rule in force" in told and "Main Administrator" in told, told)
        told = server.cli("route", "lan", "apply", "-", stdin="anna@example.test 127.0.0.1:1025\n").stdout
        true("Main Administrator" not in told, told)
        for name, warned in (("postmaster", True), ("anna", False)):
            told = server.cli("user", "set", name, "forward_to=SMTP:x@branch.test@127.0.0.1").stdout
            equal("Main Administrator" in told, warned, told)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in globals().items() if n.startswith("test_")]))
