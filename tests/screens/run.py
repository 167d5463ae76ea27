#!/usr/bin/env python3
"""run.py - the console on a real terminal (tmux) over a real server: TAP.

A test presses keys and waits for text on the screen; time never decides but as a last limit.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import pop3_server  # noqa: E402
from postroom import BUILD, PASSWORD, Server, tap  # noqa: E402

WAIT_S = 60
HOSTILE = "evil \x1b[31mred\x1b[0m \u202eltr \u200bzero \x9b31m"


class Console:
    """The console in a tmux of its own."""

    def __init__(self, server, *args, rows=24, cols=80, env=None):
        self.dir = tempfile.mkdtemp(prefix="postroom-screen-")
        self.tmux = ["tmux", "-S", os.path.join(self.dir, "tmux"), "-f", "/dev/null"]
        settings = {"LC_ALL": "C.UTF-8", "TERM": "screen-256color", **(env or {})}
        command = "env %s %s -s %s %s; echo \"left with $?\"; sleep 1000" % (
            " ".join("%s='%s'" % item for item in settings.items()),
            os.path.join(BUILD, "postroom"), server.socket, " ".join(args))
        clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "NO_COLOR")}
        subprocess.run([*self.tmux, "new-session", "-d", "-s", "s", "-x", str(cols), "-y", str(rows), command],
                       check=True, env=dict(clean, LC_ALL="C.UTF-8"), cwd=server.dir)
        subprocess.run([*self.tmux, "set", "-g", "escape-time", "0"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.tmux, "kill-server"], capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def keys(self, *keys):
        """Each is a key's name as tmux has it, or text."""
        for key in keys:
            subprocess.run([*self.tmux, "send-keys", "-t", "s", *([] if len(key) > 1 and re.fullmatch(
                r"[A-Z][A-Za-z0-9-]*|C-.", key) else ["-l"]), key], check=True)
        return self

    def screen(self, *options):
        return subprocess.run([*self.tmux, "capture-pane", "-p", *options, "-t", "s"], capture_output=True,
                              check=True).stdout.decode("utf-8", "replace")

    def sees(self, *texts):
        """Wait until all of the texts (regular expressions) are there; the screen."""
        end = time.monotonic() + WAIT_S
        while True:
            screen = self.screen()
            missing = [t for t in texts if not re.search(t, screen, re.M)]
            if not missing:
                return screen
            if time.monotonic() > end:
                raise AssertionError("not on the screen: %r\n%s" % (missing[0], screen))
            time.sleep(0.02)

    def gone(self, text):
        """Wait until the text is not there any more."""
        end = time.monotonic() + WAIT_S
        while re.search(text, self.screen(), re.M):
            if time.monotonic() > end:
                raise AssertionError("still on the screen: %r\n%s" % (text, self.screen()))
            time.sleep(0.02)
        return self

    def resize(self, rows, cols):
        subprocess.run([*self.tmux, "resize-window", "-t", "s", "-x", str(cols), "-y", str(rows)], check=True)


def fill(server):
    server.add_user("postmaster", "--admin")
    for name in ("anna", "bert", "carl"):
        server.add_user(name)
    client = server.smtp("submissions")
    client.login("anna", PASSWORD)
    for i in range(3):
        client.sendmail("anna@example.test", ["x%d@remote.test" % i],
                        b"From: anna@example.test\r\nSubject: out %d\r\n\r\nhello\r\n" % i)
    client.quit()
    return server


def test_sts_01_overview_is_live(server):
    with Console(server) as c:
        c.sees(r"Postroom mail\.example\.test  Q 3 Held 0", r"ATTENTION", r"LAST MESSAGES")
        server.send("friend@elsewhere.test", ["bert@example.test"], "Subject: hi\r\n\r\nhello\r\n")
        c.sees(r"accepted  friend@elsewhere\.test -> bert@example\.test")


def test_queue_hold_remove_undo(server):
    with Console(server) as c:
        c.keys("2").sees(r"^>.*x0@remote\.test", r"row 1 of 3")
        c.keys("H").sees(r"held   u takes it back", r"^> .* H .*x0@remote")
        c.keys("H").sees(r"released   u takes it back", r"^> .* A .*x0@remote")
        c.keys(" ", " ").sees(r"2 marked")
        c.keys("d").sees(r"queue remove: 2", r"any other key: no")
        c.keys("d").sees(r"nothing was done", r"row \d of 3")
        c.keys("d").sees(r"any other key: no")
        c.keys("y").sees(r"removed   u takes it back", r"row \d of 1")
        c.keys("u").sees(r"would undo: queue")
        c.keys("y").sees(r"undone: ", r"row \d of 3")


def test_user_and_mapping_mail_follows(server):
    """TUI-06: users and mappings by the console; mail follows them."""
    with Console(server) as c:
        c.keys("5").sees(r"^>.*anna")
        c.keys("c").sees(r"New user")
        c.keys("dora", "Tab", PASSWORD, "F2").sees(r"user dora added   u takes it back", r"dora")
        c.keys("6").sees(r"nothing here")
        c.keys("c").sees(r"New mapping")
        c.keys("desk@example.test", "Tab", "dora", "F2").sees(r"^>.*desk@example\.test +dora")
        server.send("friend@elsewhere.test", ["desk@example.test"], "Subject: hi\r\n\r\nhello\r\n")
        c.keys("5").sees(r"row \d+ of")
        c.keys("G").sees(r"postmaster")
        c.keys("/", "dora", "Enter").sees(r"^>.*dora")
        c.keys("Enter").sees(r"Users > dora", r"\[General\]")
        c.keys("PPage", "PPage").sees(r"\[History\]|\[Bin\]|\[Mailbox\]")


def test_lists_and_groups(server):
    """LST-01, GRP-02: lists and groups with their members; mail follows them."""
    with Console(server) as c:
        c.keys("7").sees(r"^>.*Everyone")
        c.keys("c").sees(r"New list")
        c.keys("news", "Tab", "Tab", "anna;bert", "F2").sees(r"maillist news added", r"^>.*news")
        c.keys("Enter").sees(r"Lists > news", r"^>.*anna", r"bert")
        c.keys("c").sees(r"New members")
        c.keys("carl", "F2").sees(r"given other members   u takes it back", r"carl")
        c.keys(" ", "d").sees(r"given other members", r"^>.*bert", r"row 1 of 2")
        c.keys("u").sees(r"would undo: maillist news")
        c.keys("y").sees(r"undone: ", r"row \d of 3")
        server.send("friend@elsewhere.test", ["news@example.test"], "Subject: hi\r\n\r\nhello\r\n")
        c.keys("F9", "groups", "Enter").sees(r"nothing here")
        c.keys("c").sees(r"New group")
        c.keys("office", "Tab", "anna", "F2").sees(r"group office added", r"^>.*office +anna")
        c.keys("Enter").sees(r"Groups > office", r"\[Group\]")
        c.keys("Front desk", "F2").sees(r"group office changed   u takes it back")
        c.keys("Escape").sees(r"^>.*office.*Front desk")
        c.keys("d").sees(r"group remove: 1")
        c.keys("y").sees(r"u takes it back", r"nothing here")


def test_blocked_access_and_logins(server):
    with Console(server) as c:
        c.keys("F9", "blocked", "Enter").sees(r"\[Blocked\]", r"nothing here")
        client = server.smtp("submissions")
        for _ in range(3):
            try:
                client.login("bert", "a wrong one")
            except Exception:  # the refusals are what the test looks for
                pass
        client.close()
        c.sees(r"^>.*127\.0\.0\.1|^>.*bert")
        c.keys("*", "K").sees(r"block remove: \d done|let in|again", r"nothing here")
        c.keys("X").sees(r"Who may connect\?")
        c.keys("192.0.2.7", "F2").sees(r"^> +smtp +yes", r"192\.0\.2\.7 may connect")
        c.keys("5").sees(r"^>.*anna")
        c.keys("Enter").sees(r"Users > anna", r"\[General\]")
        c.keys("NPage", "NPage").sees(r"\[Access & protocols\]", r"Locked out +no")
        c.keys("NPage", "NPage").sees(r"\[Logins\]", r"nothing here")
        c.keys("c").sees(r"New app password")
        secret = re.search(r"^ ((?:\w{4}-){3,}\w{4})$", c.keys("phone", "F2").sees(r"shown this once"), re.M).group(1)
        c.keys("q").gone(secret).sees(r"^>.*phone +pop3")
        client = server.smtp("submissions")
        client.login("anna", secret)
        client.quit()
        c.keys("d").sees(r"u takes it back", r"nothing here")


def test_settings_and_message(server):
    """CFG: a setting by a form, its difference first; H70: a message's tabs."""
    message = ("Subject: %s\r\nFrom: x@elsewhere.test\r\n\r\nbody %s\r\n" % (HOSTILE, HOSTILE)).encode()
    server.send("x@elsewhere.test", ["bert@example.test"], message)
    with Console(server) as c:
        c.keys("F9", "settings", "Enter").sees(r"Settings", r"^>.*hostname")
        c.keys("f", "log.keep", "Enter").sees(r"^>.*log\.keep +10")
        c.keys("Enter").sees(r"Settings > log\.keep", r"\[10 ")
        c.keys("C-u", "many", "F2").sees(r"^!Value", r"! config set")
        c.keys("C-u", "12", "F2").sees(r"would set log\.keep", r"keep: 12")
        c.keys("y").sees(r"config log\.keep changed   u takes it back")
        assert server.cli("config", "get", "log.keep").stdout.strip() == "12"
        c.keys("Escape").sees(r"^>.*log\.keep +12")
        c.keys("d").sees(r"would set log\.keep back to its default")
        c.keys("y").sees(r"log\.keep unset   u takes it back", r"^>.*log\.keep +10")
        c.keys("5").sees(r"^>.*anna")
        c.keys("j", "M").sees(r"\[Mailbox\]", r"^> +1 .*x@elsewhere")
        c.keys("Enter").sees(r"\[Headers\]", r"Subject: evil \\x1B\[31mred")
        screen = c.keys("]").sees(r"\[Body\]", r"^ body evil \\x1B\[31mred")
        assert "\u202e" not in screen and "\u200b" not in screen and "\x9b" not in screen
        c.keys("]").sees(r"\[Parts\]", r"^ 1 text/plain ")
        c.keys("]").sees(r"\[Raw\]", r"^ From: x@elsewhere")
        c.keys("2").sees(r"^>.*anna@example")
        c.keys("Enter").sees(r"\[Message\]", r"anna@example\.test")
        c.keys("]", "]").sees(r"\[Headers\]", r"Subject: out")
        c.keys("]").sees(r"\[Body\]", r"^ hello")


def test_smr_02_rules_as_text(server):
    """SMR-02, SMR-15: rules as one text: checked, tried on a pasted message, put in force; taken back."""
    with Console(server, rows=36, cols=120) as c:
        c.keys("8").sees(r"\[SMTP\]", r"nothing here")
        c.keys("X").sees(r"as text", r"line 1 of")
        c.keys("*no exe", "Enter", "Subjekt*.exe").sees(r"^ Subjekt", r"not saved")
        c.keys("F5").sees(r"! line 2: ", r"^!Subjekt")
        c.keys("C-k", "Subject: *.exe", "F5").sees(r"nothing is wrong with it")
        c.keys("F3").sees(r"as of each message")
        c.keys("P", "Subject: a.exe", "Enter", "From: x@y.test", "F2").sees(r"^> .*x@y\.test", r"no exe")
        c.keys("Escape", "Escape", "Escape", "F2").sees(r"any other key: no")
        c.keys("y").sees(r"u takes it back")
        c.keys("Escape").sees(r"^> +1 yes +no exe")
        assert "no exe" in server.cli("rule", "smtp", "show").stdout
        c.keys("u").sees(r"would undo: ")
        c.keys("y").sees(r"undone: ", r"nothing here")


def test_inm_01_inm_02_collectors(server):
    """INM-01, INM-02: a collector by its form, a login that only tries, all its keys; what fails is seen; undo."""
    with pop3_server.Pop3Server({"office": [b"Subject: one\r\n\r\nHello\r\n"] * 3}) as isp, Console(server) as c:
        c.keys("9").sees(r"\[Collect\]", r"nothing here")
        c.keys("c").sees(r"\[New collector\]")
        c.keys("isp", "Down", "Down", "127.0.0.1", "Down", "Down", "Left", "Down", "office", "Down", pop3_server.PASSWORD, "Down",
               "example.test", "F2").sees(r"collector isp added|collect isp|isp.* added", r"^> +isp +idle +127\.0\.0\.1")
        assert pop3_server.PASSWORD not in c.screen()
        c.keys("Enter").sees(r"\[Server\]", r"Port +\[0 ")
        c.keys("Down", "Down", "Down", "C-u", str(isp.port), "F2").sees(r"u takes it back")
        c.keys("Escape", "T").sees(r"^ login +the account is taken", r"mailbox +3 messages")
        assert not any("RETR" in line for _, line in isp.commands), isp.commands
        c.keys("q", "R").sees(r"^>  1  special", r"5  received")
        c.keys("G", "d", "C").sees(r"the order can be used|would")
        c.keys("F2").sees(r"u takes it back")
        assert "received" not in server.json("collect", "show", "isp")[0]["order"]
        c.keys("Escape", "E").sees(r"^> +isp +off", r"u takes it back")
        c.keys("E").sees(r"^> +isp +idle", r"u takes it back")
        isp.locked = 1
        c.keys("C").sees(r"^ Error .*\n? *.*locked")
        c.keys("1").sees(r"^ isp +idle .*! the mailbox is in use")
        c.keys("9", "d").sees(r"collect remove: 1")
        c.keys("y").sees(r"u takes it back", r"nothing here")
        c.keys("u").sees(r"would undo: ")
        c.keys("y").sees(r"undone: ", r"^> +isp")


def test_inm_03_a_collection_is_seen_stopped_and_ended(server):
    """INM-03, CON-12: how far a collection is, in the list and on the Overview; stopped and begun again, nothing is lost or doubled."""
    letters = [b"To: anna@example.test\r\nSubject: no %d\r\n\r\n%s\r\n" % (i, b"x" * 900) for i in range(200)]
    with pop3_server.Pop3Server({"office": letters}, delay_s=0.04) as isp, Console(server, rows=36, cols=120) as c:
        server.cli("collect", "add", "isp", "kind=pop3", "server=127.0.0.1", "port=%d" % isp.port, "tls=none", "username=office",
                   "accepted=example.test", "--password-stdin", stdin=pop3_server.PASSWORD + "\n")
        c.keys("9").sees(r"^> .*isp +idle")
        c.keys("C").sees(r"^> .*isp +fetching .*\[[| ]+\] +\d+%", r"%  \d+ of 200 messages, \d.* of \d+k")
        c.keys("1").sees(r"^ isp +fetching .*\[[| ]+\] +\d+%  \d+ of 200")
        c.keys("9", "S").sees(r"^> .*isp +idle")
        c.sees(r"Progress +\d+ fetched, \d+ left there")
        isp.delay_s = 0
        c.keys("C").sees(r"^> .*isp +idle .*")
        server.cli("collect", "now", "isp", "--wait")
        subjects = sorted(m["subject"] for m in server.json("message", "list", "anna"))
        assert subjects == sorted("no %d" % i for i in range(200)), len(subjects)


def test_dlr_07_questions(server):
    """DLR-07: what an Ask rule asked is answered here: one is fetched, one removed there, one stays."""
    letters = [b"From: x%d@dest.test\r\nTo: anna@example.test\r\nSubject: no %d\r\n\r\nhello\r\n" % (i, i) for i in range(3)]
    with pop3_server.Pop3Server({"office": letters}) as isp, Console(server) as c:
        server.cli("collect", "add", "isp", "kind=pop3", "server=127.0.0.1", "port=%d" % isp.port, "tls=none", "username=office",
                   "accepted=example.test", "--password-stdin", stdin=pop3_server.PASSWORD + "\n")
        server.cli("rule", "download", "add", "?all\n")
        server.cli("collect", "now", "isp", "--wait")
        c.keys("8", "]").sees(r"^> +1 yes +all")
        c.keys("Q").sees(r"row 1 of 3", r"^> .* open ")
        c.keys("o").sees(r"Subject")
        c.keys("Subject", "Enter").sees(r"sort: subject")
        c.keys("g").sees(r"^> .*no 0 .* open ")
        c.keys("C").sees(r"^> .*no 0 .* fetch ", r"u takes it back")
        c.keys("j", "d").sees(r"rule download ask remove: 1")
        c.keys("y").sees(r"no 1 .* remove ")
        server.cli("collect", "now", "isp", "--wait")
        assert [m["subject"] for m in server.json("message", "list", "anna") if m["subject"].startswith("no ")] == ["no 0"]
        assert [m.text for m in isp.boxes["office"].messages] == [letters[2]], isp.boxes["office"].messages
        c.keys("r").sees(r"no 2 .* open ")


def test_sch_02_week_of_a_schedule(server):
    """SCH-02: a schedule as days and hours, with the runs it would have; nothing before F2."""
    server.cli("schedule", "add", "office", "days=mon,tue", "from=9:00", "to=17:00", "every=15m")
    with Console(server, rows=36, cols=120) as c:
        c.keys("F9", "schedules", "Enter").sees(r"^> +office")
        c.keys("Enter").sees(r"^>Mon x .*  4  4 ", r"Mon Tue, 09:00 to 17:00, every 15m", r"NEXT RUNS", r"(Mon|Tue) \w+ +\d+ 09:15|(Mon|Tue) ")
        c.keys("j", "j", " ", "l", "B").sees(r"Mon-Wed, 10:00 to 17:00, every 15m   \* not saved", r"once this is saved")
        assert server.json("schedule", "list")[0]["from"] == "09:00"
        c.keys("F2").sees(r"schedule office changed   u takes it back")
        row = server.json("schedule", "list")[0]
        assert (row["from"], row["days"]) == ("10:00", ["mon", "tue", "wed"]), row
        c.keys("A", "C-u", "8:00;12:30", "Enter").sees(r"at 8:00;12:30   \* not saved", r" 12:30$")
        c.keys("Escape").sees(r"not saved, Esc again leaves")
        c.keys("Escape").sees(r"^> +office")


def test_dlr_14_download_rules(server):
    """DLR-14, DLR-13: a rule by its form, tried on what is here, checked as text; the limit of a collector stands last."""
    server.cli("collect", "add", "isp", "kind=pop3", "server=127.0.0.1", "username=me", "port=1", "accepted=example.test", "max_kb=500")
    with Console(server, rows=36, cols=120) as c:
        c.keys("8", "]").sees(r"\[Download\]", r"^> .* yes ")
        c.keys("e").sees(r"limit of a collector")
        c.keys("c", "junk", "Down", "Down", "Right", "Down", "Left", "Left", "Down", "Down", "Down", "From: @dest8.test", "Down",
               "Subject: win").sees(r"^.*\+@junk")
        c.keys("F3").sees(r"as of each message", r"x[0-2]@remote")
        c.keys("P", "From: x@dest8.test", "F2").sees(r"^> .*x@dest8\.test .*@ +junk")
        c.keys("Escape", "Escape", "Escape", "F2").sees(r"^> +1 yes +junk +any", r"^ +2 .* yes ")
        c.keys("X").sees(r"^ \+@junk")
        c.keys("F5").sees(r"nothing is wrong with it")
        assert "+@junk" in server.cli("rule", "download", "show").stdout


def test_reconnect_keeps_place(server):
    with Console(server) as c:
        c.keys("5").sees(r"^>.*anna")
        c.keys("j").sees(r"^>.*bert")
        server.stop()
        c.sees(r"no server answers since", r"^>.*bert")
        server.start()
        c.gone(r"no server answers").sees(r"^>.*bert", r"Q 3")
        c.keys("Enter").sees(r"Users > bert", r"Quota")
        c.keys("Bert").sees(r"1 change not saved", r"\[Bert ")
        server.stop()
        c.sees(r"no server answers since", r"\[Bert ")
        server.start()
        c.gone(r"no server answers").keys("F2").sees(r"user bert changed")


def test_h70_hostile_text(server):
    message = ("Subject: %s\r\nFrom: x@elsewhere.test\r\n\r\nhello\r\n" % HOSTILE).encode()
    server.send("x@elsewhere.test", ["bert@example.test"], message)
    with Console(server, rows=36, cols=120) as c:
        c.keys("3").sees(r"x@elsewhere\.test")
        screen = c.sees(r"Subject +evil \\x1B\[31mred")
        assert "\u202e" not in screen and "\u200b" not in screen and "\x9b" not in screen
        assert "\\u{202E}" in screen or "\\x" in screen
        c.keys("Enter").sees(r"\[Trace\]", r"Subject +evil \\x1B")
        c.keys("4").sees(r"LIVE")


def test_logs_hold_and_filter(server):
    with Console(server) as c:
        c.keys("4").sees(r"LIVE", r"connected service=")
        c.keys("k").sees(r"HELD, 0 new")
        server.send("friend@elsewhere.test", ["bert@example.test"], "Subject: hi\r\n\r\nhello\r\n")
        c.sees(r"HELD, [1-9]\d* new")
        c.keys("G").sees(r"LIVE", r"accepted from=friend@elsewhere")
        c.keys("f", "accepted", "Enter").sees(r"words: accepted \([1-9]\d* hidden\)")


def test_trace_and_explain(server):
    try:
        server.send("x@elsewhere.test", ["nobody@example.test"], "Subject: hi\r\n\r\nhello\r\n")
    except Exception:  # the refusal is what the test looks for
        pass
    with Console(server) as c:
        c.keys("3").sees(r"^>.*nobody@example\.test|^>.*550")
        c.keys("Enter").sees(r"nobody@example\.test is nobody here")
        c.sees(r"\[Trace\]")
        c.keys("q", "X").sees(r"\[Explain\]")
        c.keys("x@elsewhere.test", "Tab", "bert@example.test", "F2").sees(r"Reply +250|Copy +mailbox bert")


def test_tui_01_sizes_and_resize(server):
    """TUI-01: 80x24 and any other size, over what a terminal can do; STS-10: leaving ends no server."""
    with Console(server, rows=36, cols=120) as c:
        c.keys("2").sees(r"Last reason", r"x0@remote\.test")
        for rows, cols in ((24, 80), (10, 40), (60, 200), (5, 20), (24, 80)):
            c.resize(rows, cols)
            c.sees(r"too small" if rows < 10 else r"^>.*remote\.test" if rows > 5 else "")
        for key in "1234560":
            c.keys(key)
        c.sees(r"Esc Close")
        c.keys("Escape").gone(r"Esc Close")
        c.keys("1", "q").sees(r"left with 0")
    server.send("friend@elsewhere.test", ["bert@example.test"], "Subject: hi\r\n\r\nhello\r\n")


def test_no_colour_and_c_locale(server):
    with Console(server, env={"NO_COLOR": "1"}) as c:
        c.keys("5").sees(r"^>.*anna")
        raw = c.screen("-e")
        assert not re.search(r"\x1b\[[0-9;]*\b(3[0-7]|4[0-7])\b", raw), raw
    with Console(server, env={"LC_ALL": "C"}) as c:
        c.keys("2").sees(r"^>.*x0@remote")
        screen = c.sees(r"---")
        assert all(ord(ch) < 128 for ch in screen), screen


def test_terminals(server):
    for term in ("xterm-256color", "tmux-256color", "screen", "linux", "vt100"):
        if subprocess.run(["infocmp", term], capture_output=True).returncode != 0:
            continue
        with Console(server, env={"TERM": term}) as c:
            c.keys("5").sees(r"^>.*anna")
    with Console(server, env={"TERM": "dumb"}) as c:
        c.sees(r"^postroom>")
        c.keys("users", "Enter").sees(r"^ *-? +anna", r"carl")
        c.keys("quit", "Enter").sees(r"left with 0")


def run_plain(server, lines):
    r = subprocess.run([os.path.join(BUILD, "postroom"), "-s", server.socket, "console", "--plain"], input=lines,
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "\x1b" not in r.stdout + r.stderr, r
    return r


def plain(server, name):
    """What one line shows: nothing is complained about."""
    r = run_plain(server, name + "\n")
    assert r.stderr == "", (name, r.stderr)
    return r.stdout


def test_plain_has_no_escapes(server):
    """TUI-09: what the console does, a command does; --plain names it."""
    lines = "help\nscreens\nusers\nkeys queue\nqueue\nnext\ntrace\nuser show \"anna\"\nnonsense\nexplain --from a@b.test --to anna@example.test\nquit\nusers\n"
    r = run_plain(server, lines)
    assert "Hold/release: postroom queue hold." in r.stdout and "anna@example.test" in r.stdout, r.stdout
    assert r.stdout.count("carl") == 1, r.stdout  # nothing after quit
    assert "nonsense" in r.stderr, r.stderr


def test_plain_shows_what_the_screen_shows(server):
    """TUI-09: the screen's columns and rows by name: of store and forward those users alone that have it."""
    server.cli("user", "set", "carl", "store_forward_address=carl@other.test", "store_forward_server=192.0.2.9")
    for line in plain(server, "screens").splitlines():
        plain(server, line.split(":")[0])
    shown = plain(server, "store-forward")
    assert "carl@other.test" in shown and "192.0.2.9" in shown and "anna" not in shown, shown


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]


def main():
    if not shutil.which("tmux"):
        for i, test in enumerate(TESTS, 1):
            print("ok %d - %s # SKIP there is no tmux" % (i, test.__name__))
        return 0

    def with_server(test):
        def run():
            with Server(level="info") as server:
                test(fill(server))
        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return tap([with_server(t) for t in TESTS])


if __name__ == "__main__":
    sys.exit(main())
