#!/usr/bin/env python3
"""config_edit.py - `postroom config edit` with editors that edit by themselves, at a terminal and at none. TAP."""
import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.postroom import BUILD, PATIENCE_S, Server, Skip, equal, tap, true  # noqa: E402

EXTRA = """# a comment of ours
limits: { recipients: 100 }
outgoing:
  routes:
    - { name: isp, kind: relay, servers: ["smtp.isp.test:587"], tls: required, username: office, password: Canary-4711 }
"""
GOOD = 's/recipients: 100/recipients: 120/'
BAD = 's/recipients: 100/recipients: many/'


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def script(server, name, body):
    path = os.path.join(server.dir, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + body + "\n")
    os.chmod(path, 0o755)
    return path


def sed(server, *expressions):
    """An editor that does one of these at each call, in turn, and notes how it found the file and its folder."""
    cases = "".join("  %d) sed -i '%s' \"$1\" ;;\n" % (i, e) for i, e in enumerate(expressions))
    seen = os.path.join(server.dir, "seen")
    return script(server, "editor.sh", 'n=$(wc -l < %s 2>/dev/null || echo 0)\nstat -c "%%a %%n" "$1" "$(dirname "$1")" | tr "\\n" " " >> %s\n'
                  'echo >> %s\ntouch "$1~"\ncase $n in\n%sesac' % (seen, seen, seen, cases))


def scratch(server):
    path = os.path.join(server.dir, "tmp")
    os.makedirs(path, exist_ok=True)
    return path


def env(server, editor):
    os.makedirs(scratch(server), exist_ok=True)
    return dict(os.environ, EDITOR=editor, VISUAL="", TMPDIR=scratch(server), TERM="dumb")


def edit(server, editor, *options, program=os.path.join(BUILD, "postroom"), **more):
    return subprocess.run([program, "-s", server.socket, "config", "edit", *options], env=env(server, editor),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, cwd=server.dir, **more)


class Terminal:
    """`config edit` at a terminal of its own."""
    def __init__(self, server, editor, *options):
        words, environment = ["postroom", "-s", server.socket, "config", "edit", *options], env(server, editor)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(os.path.join(BUILD, "postroom"), words, environment)
        self.text = ""

    def take(self, seconds):
        """False: it has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += got.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(got)

    def answer(self, question, letter):
        end = time.monotonic() + PATIENCE_S
        while question not in self.text and time.monotonic() < end:
            if not self.take(0.2):
                break
        true(question in self.text, self.text)
        before, self.text = self.text.split(question, 1)
        os.write(self.fd, letter.encode() + b"\n")
        return before

    def end(self):
        end = time.monotonic() + PATIENCE_S
        while self.take(1):
            true(time.monotonic() < end, "it does not end: " + self.text)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def kept(server):
    """The path of the one text that was kept; nothing else may be left."""
    left = os.listdir(scratch(server))
    equal(len(left), 1, left)
    path = os.path.join(scratch(server), left[0])
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    return path


def history(server):
    return [r["what"] for r in server.json("config", "history")]


def test_a_good_edit_is_one_step_that_undo_takes_back():
    """In force at once, the comments kept, one line of the history, audited, taken back; a private file, gone afterwards."""
    with Server(extra=EXTRA) as server:
        before = read(server.config)
        run = edit(server, sed(server, GOOD))
        equal(run.returncode, 0, run.stderr)
        true("-limits: { recipients: 100 }" in run.stdout and "+limits: { recipients: 120 }" in run.stdout, run.stdout)
        true("Canary-4711" not in run.stdout + run.stderr, run.stdout)
        equal(read(server.config), before.replace("recipients: 100", "recipients: 120"))
        equal(stat.S_IMODE(os.stat(server.config).st_mode), 0o600)
        equal(server.json("config", "get", "limits.recipients")[0]["value"], 120)
        seen = read(os.path.join(server.dir, "seen")).split()
        true(seen[0] == "600" and seen[2] == "700" and seen[1].startswith(scratch(server) + "/postroom-"), seen)
        equal(os.listdir(scratch(server)), [])
        equal(history(server), ["config edit"])
        changes = server.json("undo", "list")
        true(changes[0]["what"] == "config.edit" and changes[0]["who"], changes)
        server.cli("config", "undo")
        equal(read(server.config), before)
        equal(server.json("config", "get", "limits.recipients")[0]["value"], 100)
        edit(server, script(server, "again.sh", "sed -i '%s' \"$1\"" % GOOD))
        server.cli("undo")
        equal(read(server.config), before)
        log = "".join(read(os.path.join(server.dir, "log", f)) for f in os.listdir(os.path.join(server.dir, "log")))
        true("Canary-4711" not in log and "config.edit" in log, log[-2000:])


def test_unchanged():
    """Saved as it was, it is no change: nothing is asked, nothing is written."""
    with Server(extra=EXTRA) as server:
        run = edit(server, "true")
        true(run.returncode == 0 and run.stdout == "nothing changed\n", (run.stdout, run.stderr))
        equal(json.loads(edit(server, "true", "--json").stdout)["done"], 0)
        equal((history(server), os.listdir(scratch(server))), ([], []))


def test_faults_without_anybody_to_ask():
    """Each fault with its line; the file stays, what was typed is kept."""
    with Server(extra=EXTRA) as server:
        before = read(server.config)
        run = edit(server, sed(server, BAD))
        equal(run.returncode, 1, run.stderr)
        line = before.split("\n").index("limits: { recipients: 100 }") + 1
        true("limits.recipients" in run.stdout and str(line) in run.stdout, run.stdout)
        true("what you wrote is kept (%s)" % kept(server) in run.stderr, run.stderr)
        equal(read(kept(server)), before.replace("recipients: 100", "recipients: many"))
        equal((read(server.config), history(server)), (before, []))


def test_at_a_terminal():
    """Faults are asked about, the difference is shown and asked about; edited again it goes in; quit, nothing is left of it."""
    with Server(extra=EXTRA) as server:
        before = read(server.config)
        t = Terminal(server, sed(server, BAD, "s/many/130/", "s/130/140/"))
        true("limits.recipients" in t.answer("e edits it again, q quits without a change: ", "e"), t.text)
        true("recipients: 130" in t.answer("y does it, e edits it again, q quits without a change: ", "e"), t.text)
        true("+limits: { recipients: 140 }" in t.answer("y does it, e edits it again, q quits without a change: ", "y"), t.text)
        equal(t.end(), 0, t.text)
        equal(server.json("config", "get", "limits.recipients")[0]["value"], 140)
        server.cli("config", "undo")
        for expression, question in ((BAD, "e edits it again, q quits"), (GOOD, "y does it, e edits")):
            os.unlink(os.path.join(server.dir, "seen"))
            t = Terminal(server, sed(server, expression))
            t.answer(question, "q")
            true(t.end() == 1 and "nothing was changed" in t.text, t.text)
            equal((read(server.config), os.listdir(scratch(server))), (before, []))
        os.unlink(os.path.join(server.dir, "seen"))
        t = Terminal(server, sed(server, GOOD))
        t.answer("y does it, e edits", "")
        true(t.end() == 1 and kept(server) in t.text, "Enter alone is neither: what was typed is kept: " + t.text)


def test_a_clash_keeps_the_edit():
    """Changed by somebody else while the editor was open: nothing is written over it."""
    with Server(extra=EXTRA) as server:
        meanwhile = "%s/postroom -s %s config set limits.recipients 177 > /dev/null\n" % (BUILD, server.socket)
        run = edit(server, script(server, "slow.sh", meanwhile + "echo '# mine' >> \"$1\""))
        equal(run.returncode, 1, run.stderr)
        true("the file was changed after it was read" in run.stderr, run.stderr)
        true(read(kept(server)).endswith("# mine\n") and kept(server) in run.stderr, run.stderr)
        true("recipients: 177" in read(server.config) and "# mine" not in read(server.config), read(server.config))
        equal(len(history(server)), 1)
        os.unlink(kept(server))
        run = edit(server, script(server, "hand.sh", "echo '# by hand' >> %s\necho '# mine' >> \"$1\"" % server.config))
        true(run.returncode == 1 and "changed after it was read" in run.stderr, run.stderr)
        true(read(server.config).endswith("# by hand\n"), read(server.config))
        kept(server)


def test_no_editor_and_one_that_fails():
    """At no terminal the editor of everybody is not begun; one that ends badly changes nothing, and loses nothing."""
    with Server(extra=EXTRA) as server:
        before = read(server.config)
        run = edit(server, "")
        equal(run.returncode, 2, run.stderr)
        true("there is no terminal" in run.stderr and "EDITOR" in run.stderr and "config set" in run.stderr, run.stderr)
        run = edit(server, "false")
        true(run.returncode == 1 and "did not end well" in run.stderr and not os.listdir(scratch(server)), run.stderr)
        run = edit(server, script(server, "dies.sh", "echo '# typed' >> \"$1\"; exit 3"))
        equal(run.returncode, 1, run.stderr)
        true(read(kept(server)).endswith("# typed\n") and read(server.config) == before, run.stderr)


def test_an_end_in_the_middle():
    """SIGTERM while the editor is open ends both; the private folder is gone, what was typed is kept."""
    with Server(extra=EXTRA) as server:
        ready = os.path.join(server.dir, "ready")
        os.mkfifo(ready)
        editor = script(server, "waits.sh", "echo '# typed' >> \"$1\"\necho > %s\nexec sleep 600" % ready)
        with subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, "config", "edit"], env=env(server, editor),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            with open(ready) as f:  # until the editor is there
                f.read()
            p.send_signal(signal.SIGTERM)
            equal(p.wait(PATIENCE_S), -signal.SIGTERM)
        true(read(kept(server)).endswith("# typed\n"), os.listdir(scratch(server)))


def test_who_may():
    """--read-only and --dry-run change nothing; who may not read the file is told so, in one line and with 4."""
    with Server(extra=EXTRA) as server:
        before = read(server.config)
        run = edit(server, sed(server, GOOD), "--read-only")
        true(run.returncode == 4 and "read-only" in run.stderr, run.stderr)
        run = edit(server, sed(server, GOOD), "--dry-run")
        true(run.returncode == 0 and "+limits: { recipients: 120 }" in run.stdout, run.stdout + run.stderr)
        equal((read(server.config), history(server), os.listdir(scratch(server))), (before, [], []))
        run = server.cli("config", "edit", "--file", server.config, ok=False)
        true(run.returncode == 1 and "the mark of what was read" in run.stderr, run.stderr)


def test_no_right_to_the_file():
    """Who is an administrator by console.groups, but may not read the file; and who has not the right at all."""
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    for role, words in (("administrator", "you may not read this file"), ("operator", "you have not the right to do this")):
        with Server(extra=EXTRA + "console: { groups: { %s: [nogroup] } }\n" % role) as server:
            os.chmod(server.socket, 0o666)
            program = shutil.copy(os.path.join(BUILD, "postroom"), server.dir)  # where everybody may run it
            run = edit(server, "true", program=program, user=65534, group=65534, extra_groups=[])
            true(run.returncode == 4 and words in run.stderr, run.stderr)
            true(role == "operator" or server.config in run.stderr, run.stderr)
            equal(len(run.stderr.splitlines()), 1, run.stderr)


def test_what_wants_to_be_confirmed():
    """SEC-01: a very short least length of passwords is asked about, or wants --yes."""
    with Server(extra=EXTRA) as server:
        add = "echo 'auth: { min_length: 1 }' >> \"$1\""
        run = edit(server, script(server, "short.sh", add))
        true(run.returncode == 1 and "wants to be confirmed" in run.stderr and "--yes" in run.stderr, run.stderr)
        true("min_length" in read(kept(server)) and "min_length" not in read(server.config), run.stderr)
        os.unlink(kept(server))
        t = Terminal(server, os.path.join(server.dir, "short.sh"))
        true("wants to be confirmed" in t.answer("Do it? [y/N] ", "y"), t.text)
        t.answer("y does it, e edits", "y")
        equal(t.end(), 0, t.text)
        server.cli("config", "undo")
        run = edit(server, os.path.join(server.dir, "short.sh"), "--yes")
        equal(run.returncode, 0, run.stderr)
        equal(server.json("config", "get", "auth.min_length")[0]["value"], 1)


def test_message_security_SEC_09():
    """While it is locked the keys that config set refuses stay as they are; all others may be edited."""
    with Server(extra=EXTRA) as server:
        server.cli("security", "on", "--password-stdin", stdin="second secret\n")
        run = edit(server, script(server, "locked.sh", "echo 'archive: { keep_days: 3 }' >> \"$1\""))
        true(run.returncode == 4 and "message security is on" in run.stderr, run.stderr)
        true("archive" in read(kept(server)) and "archive:" not in read(server.config), read(server.config))
        os.unlink(kept(server))
        run = edit(server, script(server, "free.sh", "sed -i '%s' \"$1\"" % GOOD))
        equal(run.returncode, 0, run.stderr)
        run = subprocess.run([os.path.join(BUILD, "postroom"), "-s", server.socket, "config", "edit", "--open"],
                             env=env(server, os.path.join(server.dir, "locked.sh")), input="second secret\n", capture_output=True,
                             text=True, timeout=120)
        equal(run.returncode, 0, run.stderr)
        true("keep_days: 3" in read(server.config), run.stdout)


if __name__ == "__main__":
    sys.exit(tap([f for name, f in sorted(globals().items()) if name.startswith("test_")]))
