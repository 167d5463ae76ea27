#!/usr/bin/env python3
"""addresses.py - whom an address means: explain, mapping test and what really happens agree: TAP.

A site with users, groups, lists and some hundred mappings is made up (always the same one). Each case is
an address and a way to send; what it means is told by a small model here, by `explain`, by `mapping test`,
and by the mailboxes and the queue after the message was really sent.
"""
import fnmatch
import os
import random
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.clients.control_server import Link  # noqa: E402
from tests.clients.hostile import Line  # noqa: E402
from tests.harness.postroom import BUILD, PASSWORD, Server, equal, figure, tap, true  # noqa: E402

CASES = 500
CHEAP = "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
LIMITS = "limits: { unknown_recipients: 100000 }\n"
BOXES = """collecting:
  collectors:
    - { name: box1, enabled: no, server: pop.isp.test, username: u, accepted: [example.test, shop.test] }
    - { name: box2, enabled: no, server: pop.isp.test, username: v, accepted: [example.test], default_mappings: no }
"""

USERS = {"postmaster": {"admin"}, "anna": set(), "bert": set(), "carl": set(), "dora": {"internal"},
         "emil": {"shy"}, "fred": {"alone"}, "solo": set()}
GROUPS = {"team": ["anna", "bert"], "hall": ["carl", "emil"], "void": []}
LISTS = {"staff": ["anna", "team", "x@far.test"], "mixed": ["staff", "carl", "gone", "emil", "Everyone"],
         "ring1": ["anna", "ring2"], "ring2": ["bert", "ring1"], "nobodys": [], "away": ["y@far.test"],
         "talk": ["anna", "carl", "solo@isp.test"], "no": ["No-one"]}
LISTS.update({"deep%d" % i: ["deep%d" % (i + 1)] for i in range(1, 11)})
LISTS["deep11"] = ["bert"]
KINDS = {"away": "forwarding", "talk": "mailing"}
TARGETS = ["anna", "BERT", "carl", "dora", "emil", "fred", "team", "Hall", "void", "staff", "mixed", "ring1",
           "nobodys", "away", "talk", "No-one", "everyone", "Admins", "*REMOTE", "*remote", "z@far.test", "Q@Far.Test",
           "anna@example.test", "team@a.branch.test", "staff@example.test", "gone", "a1.x", "gone@example.test",
           "deep2", "deep1", "emil", "*REMOTE"]
WAYS = {  # how to send: (service, login, sender)
    "stranger": ("smtp", None, "bo@elsewhere.test"),
    "user": ("submission", "anna", "anna@example.test"),
    "internal": ("submission", "dora", "dora@example.test"),
    "mapped sender": ("smtp", None, "vip@sender.test"),
    "front": ("lmtp", None, "bo@elsewhere.test"),
}


def make_mappings(rnd):
    """(pattern, target, when): each form, wildcards, one to three targets, all four conditions."""
    rows = [("vip@sender.test", "carl", "sender"), ("VIP@*.test", "staff", "sender"), ("~@c1.branch.test", "fred", "always"),
            ("~@c2.branch.test", "team", "smtp"), ("~@c3.branch.test", "anna", "pop3"), ("~@c4.branch.test", "gone", "always"),
            ("us@partner.test", "bert", "always"), ("us?@partner.test", "bert", "always"), ("Everyone", "Everyone", "always"),
            ("shared", "*REMOTE", "always"), ("shared", "carl", "always"), ("chained", "shared", "always"), ("chained", "shared@example.test", "smtp")]
    for n in range(1, 151):
        forms = ["a%d.x" % n, "A%d.X" % n, "a%d.x@example.test" % n, "A%d.x@Example.TEST" % n, "a%d.?" % n, "a%d.*" % n,
                 "*a%d.x" % n, "a%d.?@example.test" % n, "a%d.x@*" % n, "a%d.x@*.branch.test" % n, "*@a%d.branch.test" % n,
                 "a%d.x@a%d.branch.test" % (n, n)]
        for form in rnd.sample(forms, rnd.choice((1, 1, 2, 3))):
            rows.append((form, rnd.choice(TARGETS), rnd.choice(("always", "always", "smtp", "pop3"))))
    kept, seen = [], set()
    for row in rows:
        key = tuple(part.lower() for part in row)
        if key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def make_cases(rnd):
    """(address, way)"""
    names = list(USERS) + list(GROUPS) + list(LISTS) + ["Everyone", "Admins", "No-one", "gone", "abuse", "shared", "chained", "who"]
    domains = ["example.test", "b.branch.test", "branch.test", "c1.branch.test", "c2.branch.test", "c3.branch.test",
               "c4.branch.test", "isp.test"]
    cases = [("%s@%s" % (name, "example.test"), way) for name in names for way in WAYS]
    cases += [("us@partner.test", way) for way in WAYS] + [("us1@partner.test", way) for way in WAYS]
    while len(cases) < CASES:
        n = rnd.randint(1, 150)
        domain = rnd.choice(("example.test", "example.test", "b.branch.test", "a%d.branch.test" % n, rnd.choice(domains)))
        local = rnd.choice(("a%d.x" % n, "a%d.x" % n, "a%d.y" % n, "ba%d.x" % n, "a%d.xyz" % n, rnd.choice(names)))
        cases.append(("%s@%s" % (local, domain), rnd.choice(list(WAYS))))
    return [(rnd.choice((str, str.upper, str.lower, str.title))(a), w) for a, w in cases]


# ---- the model ----

def matches(pattern, text):
    return fnmatch.fnmatchcase(text.lower(), pattern.lower())


class Model:
    def __init__(self, mappings):
        self.mappings = mappings

    @staticmethod
    def is_local(local, domain):
        return domain == "example.test" or domain.endswith(".branch.test") or (local, domain) == ("solo", "isp.test")

    def fitting(self, local, domain, valid, whens, exact=False):
        for pattern, target, when in self.mappings:
            if when not in whens or pattern.startswith("~") or (exact and set("*?") & set(pattern)):
                continue
            if matches(pattern, local + "@" + domain) if "@" in pattern else valid and matches(pattern, local):
                yield target

    def ask(self, address, way):
        """(boxes, remote) or the code of the refusal."""
        local, domain = address.lower().split("@")
        _, login, sender = WAYS[way]
        self.inside, self.address = login is not None, local + "@" + domain
        role = self.is_local(local, domain) and local in ("postmaster", "abuse")
        self.opens = self.inside or role
        self.boxes, self.remote, self.needs, self.seen = set(), set(), set(), set()
        self.others = False  # somebody else than who lives elsewhere
        valid, (s_local, s_domain) = self.is_local(local, domain), sender.split("@")
        if not valid and not self.inside:
            return 550
        wants = list(self.fitting(s_local, s_domain, self.is_local(s_local, s_domain), ("sender",))) if valid else []
        wants = wants or list(self.fitting(local, domain, valid, ("always", "smtp"), exact=not valid))
        if not wants and not valid:
            self.needs.add(self.address)
            known = True
        else:
            mapped = bool(wants)
            results = [self.want(w, mapped) for w in wants or [local]]
            known = "yes" in results
            if not known and role:
                self.boxes.add("postmaster")
                known = True
            elif not known and not (mapped and "denied" in results) and valid:
                rest = [t for p, t, w in self.mappings if w in ("always", "smtp") and p.lower() == "~@" + domain]
                known = "yes" in [self.want(t, True) for t in rest]
        if not known:
            return 550
        if self.needs and (not self.inside or "internal" in USERS[login]):
            if not self.others:
                return 550
            self.needs = set()
        return self.boxes, self.remote | self.needs

    def want(self, name, mapped):
        """yes, no or denied"""
        if mapped and name.lower() == "*remote":
            self.needs.add(self.address)
            return "yes"
        row, answer, level = [(name, 0)], None, 0
        while row:
            name, level = row.pop(0)
            said = self.look_up(name.lower(), level, mapped, row)
            answer = answer or said
        return answer

    def member(self, user):
        if "shy" not in USERS[user] or self.opens:
            self.boxes.add(user)
            self.others = True

    def look_up(self, name, level, mapped, row):
        if "@" in name and (mapped or level):
            local, domain = name.split("@")
            if not self.is_local(local, domain):
                self.remote.add(name)
                self.others = True
                return "yes"
            name = local
        groups = {"everyone": [u for u in USERS if "alone" not in USERS[u]],
                  "admins": [u for u in USERS if "admin" in USERS[u]], "no-one": [], **GROUPS}
        if name in groups:
            if not (mapped or level or self.inside):
                return "no"
            self.others |= name == "no-one" and level == 0
            for user in groups[name]:
                self.member(user)
            return "yes"
        if name in LISTS:
            if name not in self.seen and level < 10:
                self.seen.add(name)
                row += [(m.lower() if "@" not in m else m, level + 1) for m in LISTS[name]]
            return "yes"
        if name not in USERS:
            return "no"
        if level == 0 and "shy" in USERS[name] and not self.opens:
            return "denied"
        self.member(name)
        return "yes"


# ---- the site ----

def write_config(server):
    with open(server.config) as f:
        text = f.read()
    text = text.replace("local: [example.test]", 'local: [example.test, "*.branch.test", "solo@isp.test"]')
    with open(server.config, "w") as f:
        f.write(text)


def must(reply):
    true("result" in reply, "%r" % reply)
    return reply["result"]


def fill(server, link, mappings):
    for name, marks in USERS.items():
        server.add_user(name, *(["--admin"] if "admin" in marks else []))
    for name, key in (("dora", "send_internet"), ("emil", "receive_internet"), ("fred", "everyone")):
        must(link.call("user.set", name=name, keys={key: "no"}))
    for name, members in GROUPS.items():
        must(link.call("group.add", name=name, members=members))
    for name in (*LISTS, "gone"):  # lists first, then their members, who must be there
        must(link.call("maillist.add", name=name, kind=KINDS.get(name, "distribution"), member=LISTS.get(name, []) if name == "away" else []))
    for name, members in LISTS.items():
        if members and name != "away":
            must(link.call("maillist.member", name=name, act="add", members=members))
    for pattern, target, when in mappings:
        must(link.call("mapping.add", address=pattern, target=target, when=when))
    must(link.call("maillist.remove", names=["gone"], keep_references=True))


# ---- the three answers ----

def told(copies):
    """Copies as explain has them: (boxes, remote)."""
    return ({c["target"] for c in copies if c["kind"] == "mailbox"},
            {c["target"].lower() for c in copies if c["kind"] == "remote"})


def params_of(way):
    service, login, sender = WAYS[way]
    return {"from": sender, **({"auth": login} if login else {}), **({"via": "lmtp"} if service == "lmtp" else {})}


def ask_explain(link, addresses, way):
    got = must(link.call("explain", to=addresses, **params_of(way)))
    return told(got["copies"]) if got["reply"]["code"] == 250 else got["reply"]["code"]


def ask_mapping_test(link, address, way):
    got = must(link.call("mapping.test", address=address, **params_of(way)))
    true(got["reasons"], "%s has reasons" % address)
    if got["reply"]["code"] != 250:
        return got["reply"]["code"]
    targets = {t.lower() for t in got["targets"]} - {"no-one"}
    return {t for t in targets if "@" not in t}, {t for t in targets if "@" in t}


class Sender:
    """One session for each way; a message a case."""

    def __init__(self, server, way):
        service, self.login, self.sender = WAYS[way]
        self.lmtp = service == "lmtp"
        self.line = Line(server.ports[service])
        if self.lmtp:
            equal(self.line.ask("LHLO client.test")[:3], b"250")
        else:
            self.line.hello(tls=self.login is not None)
        if self.login:
            import base64
            text = base64.b64encode(b"\0%s\0%s" % (self.login.encode(), PASSWORD.encode())).decode()
            equal(self.line.ask("AUTH PLAIN " + text)[:3], b"235", "login")

    def send(self, addresses, subject):
        """The id of the message, or the code of the first refusal where nobody is left."""
        equal(self.line.ask("MAIL FROM:<%s>" % self.sender)[:3], b"250")
        replies = [self.line.ask("RCPT TO:<%s>" % a)[:3] for a in addresses]
        taken = replies.count(b"250")
        if taken == 0:
            self.line.ask("RSET")
            return int(replies[0])
        equal(self.line.ask("DATA")[:3], b"354")
        last = self.line.say("From: <%s>\r\nSubject: %s\r\n\r\nx\r\n.\r\n" % (self.sender, subject))
        for _ in range(taken - 1 if self.lmtp else 0):
            last = self.line.reply()
        true(last.startswith(b"250"), "%s: %r" % (addresses, last))
        return last.split()[-1].decode()


def rows_of(link, method, **params):
    rows, after = [], {}
    while True:
        got = must(link.call(method, limit=500, **after, **params))
        rows += got["rows"]
        if not got["next"]:
            return rows
        after = {"after": got["next"]}


def look(link):
    """Subject -> boxes, message id -> remote addresses: what really lies where."""
    boxes, remote = {}, {}
    for user in USERS:
        found = [r["subject"] for r in rows_of(link, "message.list", user=user)]
        equal(len(found), len(set(found)), "one copy a message in the mailbox of %s (RTE-15)" % user)
        for subject in found:
            boxes.setdefault(subject, set()).add(user)
    for row in rows_of(link, "queue.list"):
        remote[row["id"]] = [r.lower() for r in row["recipients"]]
        equal(len(remote[row["id"]]), len(set(remote[row["id"]])), "remote members share one entry (LST-05)")
    return boxes, remote


def really(found, subject, sent):
    boxes, remote = found
    if isinstance(sent, int):
        true(subject not in boxes, "%s was refused and lies in %s" % (subject, boxes.get(subject)))
        return sent
    return boxes.get(subject, set()), set(remote.get(sent, []))


SITE = {}


def site():
    """The server of all tests here, with the answers to all cases."""
    if "found" not in SITE:
        build()
    return SITE


def build():
    true(not SITE, "the site could not be made before")
    rnd = random.Random(20)
    SITE["server"] = server = Server(extra=CHEAP + LIMITS + BOXES, services=("smtp", "submission", "pop3s", "lmtp"), level="info")
    write_config(server)
    server.start()
    SITE["link"] = link = Link(server.socket)
    mappings = make_mappings(rnd)
    fill(server, link, mappings)
    cases = make_cases(rnd)
    pairs = [([a for a, w in rnd.sample([c for c in cases if c[1] == way], 3)], way) for way in WAYS for _ in range(10)]
    senders = {way: Sender(server, way) for way in WAYS}
    sent = [senders[w].send([a], "case %d" % i) for i, (a, w) in enumerate(cases)]
    sent_pairs = [senders[w].send(a, "several %d" % i) for i, (a, w) in enumerate(pairs)]
    SITE.update(cases=cases, pairs=pairs, sent=sent, sent_pairs=sent_pairs, model=Model(mappings),
                found=look(link), mappings=mappings)


def disagreements(check):
    wrong = []
    for i, case in enumerate(site()["cases"]):
        mine, theirs = check(i, *case)
        if mine != theirs:
            wrong.append("%s by %s: %r, not %r" % (*case, theirs, mine))
    true(not wrong, "%d of %d: %s" % (len(wrong), len(site()["cases"]), "; ".join(wrong[:6])))


def test_500_addresses_explain_tells_what_really_happens_MAP_02_MAP_03_MAP_04_MAP_06_TRB_09():
    s = site()
    true(len(s["cases"]) >= 500, "cases: %d" % len(s["cases"]))
    disagreements(lambda i, address, way: (really(s["found"], "case %d" % i, s["sent"][i]),
                                           ask_explain(s["link"], [address], way)))


def test_500_addresses_mapping_test_tells_what_really_happens_MAP_05_MAP_10_MAP_11():
    s = site()
    disagreements(lambda i, address, way: (really(s["found"], "case %d" % i, s["sent"][i]),
                                           ask_mapping_test(s["link"], address, way)))


def test_500_addresses_what_happens_is_what_was_asked_for_GRP_08_LST_06_LST_08_LST_09_USR_24_USR_25_USR_26():
    s = site()
    disagreements(lambda i, address, way: (s["model"].ask(address, way),
                                           really(s["found"], "case %d" % i, s["sent"][i])))
    answers = [really(s["found"], "case %d" % i, x) for i, x in enumerate(s["sent"])]
    figure("%d cases over %d mappings: %d refused, %d reach mailboxes only, %d the queue only, %d both, %d nobody" % (
        len(answers), len(s["mappings"]), sum(isinstance(a, int) for a in answers),
        sum(not isinstance(a, int) and bool(a[0]) and not a[1] for a in answers),
        sum(not isinstance(a, int) and not a[0] and bool(a[1]) for a in answers),
        sum(not isinstance(a, int) and bool(a[0]) and bool(a[1]) for a in answers),
        sum(a == (set(), set()) for a in answers)))


def test_several_recipients_in_one_message_RTE_15():
    s = site()
    for i, (addresses, way) in enumerate(s["pairs"]):
        equal(ask_explain(s["link"], addresses, way), really(s["found"], "several %d" % i, s["sent_pairs"][i]),
              "%s by %s" % (addresses, way))


def test_members_are_not_disclosed_LST_01():
    s = site()
    boxes = {u: s["server"].fetch(u) for u in ("anna", "carl")}
    seen = 0
    for user, messages in boxes.items():
        for message in messages:
            header = message.split(b"\r\n\r\n")[0].lower()
            number = [l.split()[-1] for l in header.split(b"\r\n") if l.startswith(b"subject: case ")]
            if not number:
                continue
            address = s["cases"][int(number[0])][0].lower()
            names = header.replace(address.encode(), b"").replace(s["cases"][int(number[0])][1].encode(), b"")
            names = b"\n".join(l for l in names.split(b"\r\n") if not l.startswith((b"from:", b"return-path:")))
            for other in ("anna@", "bert@", "carl@", "x@far.test", "y@far.test", "fred@"):
                true(other.encode() not in names, "%s names %s: %r" % (address, other, header))
            seen += 1
    true(seen > 50, "messages looked at: %d" % seen)


def test_what_leads_nowhere_is_logged_LST_06_USR_13():
    s = site()
    lines = [str(r) for r in s["server"].json("log", "show", "--limit", 5000)]
    for text in ("lies deeper than ten lists", "the member gone of the list mixed is known to nobody", "is known to nobody: left out",
                 "is only a mapping itself"):
        true(any(text in l for l in lines), "the log tells: " + text)


def test_mapping_test_shows_every_way_MAP_07_MAP_08_MAP_09():
    s = site()
    must(s["link"].call("mapping.add", address="ways", target="anna", when="pop3"))
    must(s["link"].call("mapping.add", address="ways", target="bert", when="smtp"))
    must(s["link"].call("mapping.add", address="ways@example.test", target="carl", when="sender"))
    got = must(s["link"].call("mapping.test", address="ways@example.test"))
    ways = {w["way"]: sorted(w["targets"]) for w in got["ways"]}
    equal(ways, {"smtp": ["bert"], "user": ["bert"], "collected by box1": ["anna"], "collected by box2": ["anna"],
                 "sender": ["carl"]})
    equal((got["matched"], got["targets"]), (["ways"], ["bert"]))
    equal(must(s["link"].call("mapping.test", address="ways@example.test", via="pop3"))["targets"], ["anna"])
    told_by = s["server"].cli("mapping", "test", "ways@example.test").stdout
    true("By collected by box1: anna (250)" in told_by, told_by)
    code = s["link"].call("mapping.test", address="ways@example.test", collect="nobody")
    true("no collector is called nobody" in str(code), "%r" % code)


def test_explain_collected_mail_by_its_collector_LOC_03_LOC_04_MAP_08_MAP_11_MAP_13_MAP_17():
    s = site()
    for pattern, target, box in (("bound", "anna", "box1"), ("bound", "bert", "box2"), ("free", "carl", None),
                                 ("list@elsewhere.test", "anna", None), ("list@elsewhere.test", "bert", "box1")):
        must(s["link"].call("mapping.add", address=pattern, target=target, when="pop3", **({"collect": box} if box else {})))

    def collected(box, *to):
        got = must(s["link"].call("explain", **{"from": "bo@far.test"}, to=list(to), via="pop3", **({"collect": box} if box else {})))
        return got["reply"]["code"], sorted(told(got["copies"])[0]), sorted(told(got["copies"])[1])

    rows = [("box1", ["bound@example.test"], ["anna"]), ("box2", ["bound@example.test"], ["bert"]), (None, ["bound@example.test"], None),
            ("box1", ["free@shop.test"], ["carl"]), ("box2", ["free@shop.test"], None), (None, ["free@example.test"], ["carl"]),
            ("box1", ["anna@shop.test"], ["anna"]), ("box2", ["anna@example.test"], None), (None, ["anna@shop.test"], None),
            ("box1", ["list@elsewhere.test"], ["anna", "bert"]), ("box2", ["list@elsewhere.test"], ["anna"]),
            ("box1", ["joe@elsewhere.test"], None), ("box1", ["joe@elsewhere.test", "anna@example.test"], ["anna"]),
            ("box1", ["shared@example.test", "anna@example.test"], ["anna", "carl"])]
    for box, to, want in rows:
        # ADM-02: for nobody here, so it goes to the Main Administrator
        equal(collected(box, *to), (250, want or ["postmaster"], []), "%s by %s" % (to, box))
    got = must(s["link"].call("explain", **{"from": "bo@far.test"}, to=["bound@example.test"], collect="box1"))
    equal(got["asked"]["via"], "pop3", "a collector is named: it is collected")
    true(not any(step.startswith("limits:") for step in got["steps"]), "nobody connects: %r" % got["steps"])
    equal(ask_explain(s["link"], ["bound@example.test"], "stranger"), 550, "not by SMTP")
    equal(ask_explain(s["link"], ["list@elsewhere.test"], "user"), (set(), {"list@elsewhere.test"}), "a reply leaves (MAP-17)")


def test_a_large_list_is_told_in_short_H59_H88():
    s = site()
    must(s["link"].call("maillist.add", name="large", kind="distribution", member=[]))
    for k in range(0, 9000, 1000):
        must(s["link"].call("maillist.member", name="large", act="add", members=["m%d@far.test" % i for i in range(k, k + 1000)]))
    got = must(s["link"].call("explain", **{"from": "bo@far.test"}, to=["large@example.test"]))
    equal((len(got["copies"]), got["more"], got["reply"]["code"]), (1000, 8000, 250))
    true(any("goes to 8992 more in the same way" in step for step in got["steps"]), "the steps end: %r" % got["steps"][-3:])
    got = must(s["link"].call("mapping.test", address="large@example.test"))
    equal((len(got["targets"]), got["more"], got["ways"]), (1000, 8000, []))
    sent = Sender(s["server"], "stranger").send(["large@example.test"], "large")
    rows = must(s["link"].call("queue.show", id=sent))
    true(len(rows["recipients"]) >= 100, "one entry holds them (LST-05): %d" % len(rows["recipients"]))
    steps = must(s["link"].call("trace", message=sent))["rows"][0]["steps"]
    true(len(steps) < 40, "a short trace: %d" % len(steps))


def main():
    tests = [f for n, f in globals().items() if n.startswith("test_")]
    try:
        return tap(tests)
    finally:
        if SITE:
            SITE["server"].stop()
            SITE["server"].clean()


if __name__ == "__main__":
    sys.exit(main())
