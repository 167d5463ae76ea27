#!/usr/bin/env python3
"""monitor.py - monitoring, as who is watched, who watches and who administrates see it: MON-01 to MON-10, scenario 32: TAP."""
import contextlib
import email
import email.policy
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

ROUTE = "outgoing: { routes: [{ name: isp, kind: relay, servers: ['127.0.0.1:%d'], tls: none }] }\n"


@contextlib.contextmanager
def site(port=9):
    with Server(extra=ROUTE % port) as server:
        server.add_user("postmaster", "--admin")
        for name in ("anna", "bert", "carl", "dora"):
            server.add_user(name)
        yield server


def submit(server, sender, recipients, size=200, more="", options=()):
    text = "From: %s@example.test\r\nTo: boss@far.test\r\nSubject: Offer\r\n%s\r\n" % (sender, more)
    text += ("x" * 62 + "\r\n") * max(1, (size - len(text)) // 64)
    with server.smtp("submissions") as c:
        c.login(sender, PASSWORD)
        return c.sendmail("%s@example.test" % sender, recipients, text, rcpt_options=options)


def inbox(server, user):
    return [email.message_from_bytes(t, policy=email.policy.default) for t in server.fetch(user)]


def explain(server, user, *to):
    args = [a for address in to for a in ("--to", address)]
    told = server.json("explain", "--from", user + "@example.test", "--auth", user, *args)[0]
    return [(c["kind"], c["target"]) for c in told["copies"]]


def notes_of(server, sender):
    row = server.json("trace", "--from", sender + "@example.test")[0]
    return " / ".join(s for r in server.json("trace", row["id"], "--steps") for s in r["steps"])


def test_outgoing_of_selected_users_above_a_size_with_a_Bcc_scenario_32_MON_01_MON_02_MON_04_MON_06_MON_08():
    attachment = 11 * 1024
    with SmtpSink() as sink, site(sink.port) as server:
        server.cli("user", "set", "anna", "monitor=yes")
        server.cli("rule", "monitor", "set", "outgoing=selected", "target=carl", "min_kb=10")
        submit(server, "anna", ["boss@far.test"], 9 * 1024)
        submit(server, "bert", ["boss@far.test"], attachment)
        submit(server, "anna", ["boss@far.test", "secret@far.test", "bert@example.test"], attachment,
               "Disposition-Notification-To: anna@example.test\r\nReturn-Receipt-To: anna@example.test\r\n")
        wait_for(lambda: len(sink.mails) == 3, "all has left")
        (copy,) = inbox(server, "carl")
        equal(copy["Subject"], "{Mon-Outgoing} Offer")
        equal(copy["X-Monitor-Recipients"], "boss@far.test, secret@far.test, bert@example.test")
        equal((copy["Disposition-Notification-To"], copy["Return-Receipt-To"], copy["Return-Path"]), (None, None, "<>"))
        equal((copy["From"], copy["To"]), ("anna@example.test", "boss@far.test"))
        for mail in [m.data for m in sink.mails] + server.fetch("bert"):  # nobody of the parties sees it
            true(b"X-Monitor" not in mail and b"{Mon-" not in mail, mail[:400])
        equal(sorted(r for m in sink.mails for r in m.recipients),
              ["boss@far.test", "boss@far.test", "boss@far.test", "secret@far.test"])
        # the receipts she asked for, of boss and bert
        wait_for(lambda: b"collected by bert" in b"".join(server.fetch("anna")), "bert has collected it")
        told = b"".join(server.fetch("anna"))
        true( b"carl" not in told and b"Mon-" not in told, told)
        true("carl gets a monitoring copy: profile default, outgoing, from anna by login" in notes_of(server, "anna"),
             notes_of(server, "anna"))
        equal(server.check()[0], 0)


def test_a_list_of_two_and_a_target_elsewhere_MON_01_MON_08():
    with SmtpSink() as sink, site(sink.port) as server:
        server.cli("maillist", "add", "watchers", "--kind", "distribution", "--member", "carl", "--member", "chief@far.test")
        server.cli("rule", "monitor", "set", "internal=all", "outgoing=all", "target=watchers")
        equal(explain(server, "anna", "bert@example.test"),
              [("mailbox", "bert"), ("monitor", "carl"), ("monitor", "chief@far.test")])
        submit(server, "anna", ["bert@example.test"])
        wait_for(lambda: len(sink.mails) == 1, "the copy has left")
        (left,) = sink.mails
        equal((left.sender, left.recipients), ("", ["chief@far.test"]))
        true(b"Subject: {Mon-Internal} Offer" in left.data and b"X-Monitor-Recipient: bert@example.test" in left.data, left.data)
        (copy,) = inbox(server, "carl")
        equal(copy["X-Monitor-Recipient"], "bert@example.test")
        # what carl, a target, writes is copied like all; of no copy there is a copy
        submit(server, "carl", ["bert@example.test"])
        wait_for(lambda: len(sink.mails) == 2, "his too")
        equal([m["Subject"] for m in inbox(server, "carl")], ["{Mon-Internal} Offer"] * 2)
        equal(server.json("queue", "list"), [])
        equal(server.check()[0], 0)


def test_would_it_be_monitored_MON_01_MON_04():
    """rule monitor test: what explain says of monitoring, and why there is no copy."""
    with SmtpSink() as sink, site(sink.port) as server:
        def ask(*words):
            return server.json("rule", "monitor", "test", "--auth", "anna", "--from", "anna@example.test", *words)[0]

        answer = ask("--to", "bert@example.test")
        equal((answer["monitored"], answer["why"]), (False, ["there is no monitoring profile"]))
        server.cli("rule", "monitor", "set", "internal=selected", "outgoing=all", "target=carl", "min_kb=10")
        for words, direction, why in ((("--to", "bert@example.test"), "internal", "no profile takes it"),
                                      (("--to", "boss@far.test"), "outgoing", "the profile default makes no copy: 20 bytes"),
                                      (("--to", "nobody@example.test", "--size", "20000"), "", "it is refused: see reply")):
            answer = ask(*words)
            equal((answer["monitored"], answer["copies"], answer["direction"]), (False, [], direction), answer)
            true(why in answer["why"][0], answer)
        path = os.path.join(server.dir, "large.eml")
        with open(path, "w") as f:
            f.write("Subject: large\r\n\r\n" + ("x" * 62 + "\r\n") * 200)
        answer = ask("--to", "boss@far.test", "--to", "bert@example.test", "--message", path)
        equal((answer["monitored"], answer["direction"], answer["reply"]["code"]), (True, "outgoing, internal", 250), answer)
        equal([(c["kind"], c["target"]) for c in answer["copies"]], [("monitor", "carl")])
        equal(answer["why"], ["carl gets a monitoring copy: profile default, outgoing, from anna by login"])
        equal(server.json("queue", "list") + inbox(server, "carl"), [], "nothing was done")


def test_a_copy_that_fails_is_nobodys_business_but_the_administrators_MON_08():
    with SmtpSink(replies={"RCPT TO:<chief": "550 5.1.1 nobody"}) as sink, site(sink.port) as server:
        server.cli("rule", "monitor", "set", "internal=all", "outgoing=all", "target=chief@far.test")
        submit(server, "anna", ["bert@example.test", "boss@far.test"], options=["NOTIFY=SUCCESS,FAILURE"])
        wait_for(lambda: len(server.fetch("postmaster")) == 1, "the Main Administrator is told")
        wait_for(lambda: len(server.fetch("anna")) >= 1, "her own report")
        reports = b"".join(server.fetch("anna"))
        true(b"chief" not in reports and b"Mon-" not in reports, reports)
        true(b"chief@far.test" in server.fetch("postmaster")[0], "it names the target")
        equal([m.recipients for m in sink.mails], [["boss@far.test"]])


def test_a_sample_elsewhere_MON_05():
    with SmtpSink() as sink, site(sink.port) as server:
        server.cli("rule", "monitor", "set", "outgoing=all", "sample_percent=20", "sample_target=dora")
        equal(explain(server, "anna", "boss@far.test"), [("remote", "boss@far.test")])
        steps = server.json("explain", "--from", "anna@example.test", "--auth", "anna", "--to", "boss@far.test")[0]["steps"]
        true(any("dora gets a copy of it by chance: 20 %" in s for s in steps), steps)
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for n in range(60):
                c.sendmail("anna@example.test", ["boss@far.test"], "From: anna@example.test\r\nSubject: %d\r\n\r\nx\r\n" % n)
        drawn = len(inbox(server, "dora"))
        true(1 <= drawn <= 30, drawn)  # 20 % of 60; beyond that once in a million


def test_who_sent_it_MON_09_H12():
    """A forged From counts where nobody logs in; a login counts more."""
    with Server(extra=ROUTE % 9) as server:
        server.stop()
        with open(server.config, encoding="utf-8") as f:
            text = f.read()
        port = server.ports["smtp"]
        text = text.replace('  smtp: { listen: ["127.0.0.1:%d"] }' % port,
                            '  smtp: { listen: ["127.0.0.1:%d"], access: ["127.0.0.1 noauth"] }' % port)
        with open(server.config, "w", encoding="utf-8") as f:
            f.write(text)
        server.start()
        for name in ("anna", "bert", "carl"):
            server.add_user(name)
        server.cli("user", "set", "anna", "monitor=yes")
        server.cli("user", "set", "bert", "identities=anna@example.test")
        server.cli("rule", "monitor", "set", "internal=selected", "target=carl")
        server.send("bert@example.test", ["bert@example.test"], "From: anna@example.test\r\n\r\nforged\r\n")
        equal(len(server.fetch("carl")), 1, "the From field counts")
        with server.smtp("submissions") as c:
            c.login("bert", PASSWORD)
            c.sendmail("bert@example.test", ["bert@example.test"], "From: anna@example.test\r\n\r\nhis own\r\n")
        equal(len(server.fetch("carl")), 1, "bert logged in")
        warnings = server.json("rule", "monitor", "show")[0]["warnings"]
        true(any("From field, which can be forged" in w for w in warnings), warnings)
        server.cli("config", "set", "smtp.require_auth", "yes")
        equal(server.json("rule", "monitor", "show")[0]["warnings"], [])


def test_profiles_by_command_MON_07():
    with site() as server:
        shown = server.json("rule", "monitor", "show")[0]
        equal((shown["name"], shown["incoming"], shown["flagged"]), ("default", "none", []))
        server.cli("user", "set", "anna", "monitor=yes")
        server.cli("group", "add", "trainees", "dora")
        server.cli("group", "set", "trainees", "enabled=yes", "force=yes", "monitor=on")
        server.cli("rule", "monitor", "set", "incoming=selected", "target=carl")
        server.add_user("nobody")
        server.cli("rule", "monitor", "set", "name=sales", "outgoing=all", "target=nobody", "users=bert;trainees", "min_kb=5")
        server.cli("user", "remove", "nobody", "--yes")
        rows = server.json("rule", "monitor", "list")
        equal([(r["name"], r["incoming"], r["outgoing"], r["target"]) for r in rows],
              [("default", "selected", "none", "carl"), ("sales", "none", "all", "nobody")])
        shown = server.json("rule", "monitor", "show")[0]
        equal((shown["flagged"], shown["flagged_more"]), (["anna", "dora"], 0))
        shown = server.json("rule", "monitor", "show", "sales")[0]
        equal((shown["users"], shown["min_kb"]), (["bert", "trainees"], 5))
        true("nobody is called as its target is" in shown["warnings"], shown)
        equal(server.cli("rule", "monitor", "show", "nix", ok=False).returncode, 1)
        bad = server.cli("rule", "monitor", "set", "incoming=some", ok=False)
        true(bad.returncode == 1 and "none|selected|all" in bad.stderr, bad.stderr)
        true(server.cli("rule", "monitor", "set", "color=red", ok=False).returncode == 1, "an unknown key")
        would = server.cli("rule", "monitor", "set", "incoming=all", "--dry-run").stdout
        true("incoming" in would, would)
        server.cli("rule", "monitor", "set", "incoming=all", "target=")
        equal(server.json("rule", "monitor", "list")[0]["incoming"], "all")
        server.cli("undo")
        equal(server.json("rule", "monitor", "list")[0]["target"], "carl")
        server.cli("rule", "monitor", "remove", "sales")
        server.cli("rule", "monitor", "remove", "default")
        equal(server.json("rule", "monitor", "list"), [])
        equal(json.loads(server.cli("config", "get", "monitor", "--json").stdout)["value"], [])


def test_an_address_does_not_mean_its_monitor_TRB_09():
    with site() as server:
        server.cli("rule", "monitor", "set", "incoming=all", "target=carl")
        shown = server.json("mapping", "test", "bert@example.test")[0]
        equal((shown["targets"], shown["more"]), (["bert"], 0))
        copies = server.json("explain", "--from", "x@elsewhere.test", "--to", "bert@example.test")[0]["copies"]
        equal([(c["kind"], c["target"]) for c in copies], [("mailbox", "bert"), ("monitor", "carl")])


def test_the_prefix_is_a_text_of_the_administrators_MON_06_ADM_12():
    with site() as server:
        server.cli("rule", "monitor", "set", "internal=all", "target=carl")
        server.cli("config", "set", "texts.monitor_prefix", "{Mon-%2/%1}")
        (row,) = [r for r in server.json("config", "texts") if r["key"] == "texts.monitor_prefix"]
        equal((row["category"], row["text"], row["default"]), ("Monitoring", "{Mon-%2/%1}", False))
        true("%2 profile" in row["placeholders"], row)
        submit(server, "anna", ["bert@example.test"])
        equal([m["Subject"] for m in inbox(server, "carl")], ["{Mon-default/Internal} Offer"])


def test_a_target_that_nobody_has_is_refused_or_said_MON_02():
    with site() as server:
        r = server.cli("rule", "monitor", "set", "name=extra", "target=nobodyhere", ok=False)
        true(r.returncode == 1 and "nobody here is called nobodyhere" in r.stderr, r)
        r = server.cli("rule", "monitor", "set", "name=extra", "target=postmaster", "sample_target=nobodyhere", ok=False)
        true(r.returncode == 1 and "sample_target" in r.stderr, r)
        true("extra" not in server.cli("rule", "monitor", "list").stdout, "nothing was changed")
        # the file may say it: people come and go; the log warns at each load
        server.cli("config", "set", "monitor", "[ { name: default, incoming: all, target: gone } ]")
        wait_for(lambda: "monitor.0.target: nobody here is called gone" in server.errors(), "a warning")


if __name__ == "__main__":
    sys.exit(tap([run for name, run in list(globals().items()) if name.startswith("test_")]))
