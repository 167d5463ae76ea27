#!/usr/bin/env python3
"""programs.py - programs that the server has run for it: what they may, what they leave, tokens of routes. TAP."""
import os
import pwd
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from outgoing_site import certificate, queue, relay, submit, trace_text, wait_deferred, wait_empty  # noqa: E402
from postroom import BUILD, Server, equal, is_dead, tap, true, wait_for  # noqa: E402
from server_process import reload  # noqa: E402
from rights import kernel_has_landlock  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


class Site(Server):
    """A server with a route whose token_command is a script of this test, in a folder of its own."""

    def __init__(self, sink, script, more="", **keys):
        self.sink, self.keys, self.more = sink, keys, more
        super().__init__()
        self.bin = self.dir + "/bin"
        os.mkdir(self.bin)
        os.chmod(self.bin, 0o777)
        self.script(script)
        self.extra = relay(sink, username="u", token_command="[%s/token, one, 'a b']" % self.bin, **keys) + more
        self.write_config()

    def script(self, text):
        path = self.bin + "/token"
        with open(path, "w") as f:
            f.write("#!/bin/sh\nD=%s\necho run >>$D/runs\n%s\n" % (self.bin, text))
        os.chmod(path, 0o755)

    def runs(self):
        return len(self.said("runs").splitlines())

    def said(self, name):
        if not os.path.exists(self.bin + "/" + name):
            return ""
        with open(self.bin + "/" + name) as f:
            return f.read()

    def mail(self):
        submit(self, ["bo@elsewhere.test"])


def json_token(token, life=3600):
    return "echo '{\"token_type\":\"Bearer\",\"access_token\":\"%s\",\"expires_in\":%d}'" % (token, life)


class Secure:
    """A sink with TLS, and tokens that it takes."""

    def __init__(self, mechanisms="XOAUTH2", **keys):
        self.folder, self.mechanisms, self.keys = Server(), mechanisms, keys

    def __enter__(self):
        cert = certificate(self.folder.dir, "localhost")
        self.sink = SmtpSink(tls=cert, accounts={"u": "good"}, mechanisms=self.mechanisms, **self.keys)
        return self.sink.__enter__()

    def __exit__(self, *why):
        self.sink.__exit__(*why)
        self.folder.clean()


# ---- tokens ----


def test_a_token_is_fetched_once_and_kept_XOAUTH2():
    with Secure() as sink, Site(sink, json_token("good"), tls="required") as server:
        server.add_user("anna")
        for n in range(3):
            server.mail()
            wait_empty(server)
            wait_for(lambda: "QUIT" in sink.sessions[n].lines, "the next one has a connection of its own")
        equal(len(sink.mails), 3)
        equal(sink.sessions[0].bearers, ["user=u\x01auth=Bearer good\x01\x01"])
        equal({s.mechanism for s in sink.sessions}, {"XOAUTH2"})
        equal(server.runs(), 1, "fetched once")
        server.cli("clock", "advance", "3600s")
        server.mail()
        wait_empty(server)
        equal(server.runs(), 2, "its life was over")


def test_a_bare_token_OAUTHBEARER_rfc7628():
    with Secure("OAUTHBEARER PLAIN") as sink, Site(sink, "echo good", tls="required") as server:
        server.add_user("anna")
        server.mail()
        wait_empty(server)
        session = sink.mails[0].session
        equal(session.mechanism, "OAUTHBEARER")
        equal(session.bearers, ["n,a=u,\x01host=127.0.0.1\x01port=%d\x01auth=Bearer good\x01\x01" % sink.port])


def test_a_token_that_is_refused_is_fetched_once_more():
    for mechanism, heard in (("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")):
        with Secure(mechanism) as sink, \
                Site(sink, '[ "$(wc -l <$D/runs)" = 1 ] && echo stale || echo good', tls="required") as server:
            server.add_user("anna")
            server.mail()
            wait_empty(server)
            equal(server.runs(), 2)
            equal([s.user for s in sink.sessions], [None, "u"])
            equal(sink.sessions[0].heard, heard, "it heard the refusal out")


def test_a_token_that_is_refused_twice_defers_and_is_nowhere_H66():
    with Secure() as sink, Site(sink, json_token("canary-token-1f9c"), tls="required") as server:
        server.add_user("anna")
        server.mail()
        row = wait_deferred(server)[0]
        true("535" in row["last_error"], row["last_error"])
        equal((server.runs(), len(sink.sessions)), (2, 2), "one more, and no more")
        everything = server.cli("log", "show").stdout + str(server.json("queue", "show", row["id"])) + server.errors()
        true("canary-token" not in everything + trace_text(server, row["id"]), "H66: the token is nowhere")
        for name in os.listdir(server.dir + "/log"):
            with open(server.dir + "/log/" + name) as f:
                true("canary-token" not in f.read(), name)
        server.script("echo good")
        server.cli("queue", "retry", "--all", "--wait")
        wait_empty(server)
        equal(server.runs(), 3, "the refused one was not tried again")


def test_a_command_that_fails_defers_with_its_reason():
    with Secure() as sink, Site(sink, "echo no such account: u >&2; exit 3", tls="required") as server:
        server.add_user("anna")
        server.mail()
        true("the token_command ended with status 3: no such account: u" in wait_deferred(server)[0]["last_error"],
             "the reason")
        equal(sink.sessions, [], "nobody was bothered")
        for script, words in (("echo two words", "printed no token"), ("kill -9 $$", "was ended by signal 9"),
                              ("exec cat /dev/zero", "said too much")):
            server.script(script)
            server.cli("queue", "retry", "--all", "--wait")
            wait_for(lambda: words in queue(server)[0]["last_error"], words)
        os.unlink(server.bin + "/token")
        server.cli("queue", "retry", "--all", "--wait")
        wait_for(lambda: "cannot be started: No such file" in queue(server)[0]["last_error"], "no program")


def test_no_token_in_clear_H66():
    with SmtpSink(accounts={"u": "good"}, mechanisms="XOAUTH2", auth_in_clear=True) as sink, \
            Site(sink, "echo good") as server:
        server.add_user("anna")
        server.mail()
        wait_deferred(server)
        true(not any("AUTH" in line for s in sink.sessions for line in s.lines), "no AUTH was begun")
        server.extra = relay(sink, username="u", token_command="[%s/token]" % server.bin, tls="none")
        server.write_config()
        reload(server)
        server.cli("queue", "retry", "--all", "--wait")
        wait_empty(server)
        equal(sink.mails[0].session.user, "u", "the route says that it may be seen")


def test_what_a_configuration_may_not_say_H56():
    with SmtpSink() as sink, Site(sink, "echo good") as server:
        for words in ("token_command: [token], username: u", "token_command: [/bin/true]",
                      "token_command: [/bin/true], username: u, password: p"):
            server.extra = "outgoing: { routes: [ { name: isp, servers: [a.test], %s } ] }\n" % words
            server.write_config()
            r = subprocess.run([os.path.join(BUILD, "postroomd"), "--check", "-c", server.config], capture_output=True, text=True)
            true(r.returncode != 0 and "token_command" in r.stderr, words + r.stderr)


# ---- what a program may, and what is left of it ----

INSIDE = """exec 2>$D/errors
id -u >$D/uid
grep -E '^(NoNewPrivs|Seccomp|CapEff|CapPrm):' /proc/self/status >$D/status
ls -l /proc/self/fd | grep -v '^total' | sed 's/.* \\([0-9]*\\) -> .*/\\1/' | sort -n | tr '\\n' ' ' >$D/fds
env | sort >$D/env; pwd >$D/pwd; ulimit -a >$D/limits; printf '%s|' "$@" >$D/args
for f in $STORE/data.mdb $KEY $TLSKEY $STORE/link.secret $LINKS/other.secret; do cat "$f" >/dev/null 2>&1 && echo "read $f" >>$D/broke; done
cat $D/token >/dev/null || echo "cannot read what all may" >>$D/broke
echo >>$STORE/data.mdb && echo "wrote" >>$D/broke
kill -0 $(cat $D/server) && echo "may signal the server" >>$D/signals
mount -t tmpfs none /mnt && echo mounted >>$D/broke
echo good"""


def test_H55_SEC_11_a_program_reaches_neither_the_store_nor_the_keys_nor_the_server():
    """Passwords of links too; one of them lies in the folder of the store, which stays closed all the same."""
    link = "  - { name: %s, kind: link, up: [/bin/true], primary: no, password: { file: %s } }\n"
    with Secure() as sink, Site(sink, "echo none", tls="required") as server:
        server.extra += "connections:\n  - { name: lan }\n" + link % ("one", server.store + "/link.secret") + \
            link % ("two", server.dir + "/links/other.secret")
        os.mkdir(server.dir + "/links")
        server.write_config()
        for path in (server.store + "/link.secret", server.dir + "/links/other.secret"):
            with open(path, "w") as f:
                f.write("canary-link")
            os.chmod(path, 0o600)
            shutil.chown(path, os.stat(server.store).st_uid)
        reload(server)
        server.script(INSIDE.replace("$STORE", server.store).replace("$TLSKEY", server.dir + "/tls/key.pem")
                      .replace("$LINKS", server.dir + "/links")
                      .replace("$KEY", os.path.dirname(server.store) + "/secrets.key"))
        with open(server.bin + "/server", "w") as f:
            f.write(str(server.pids()[1]))
        for path in (server.store + "/data.mdb", server.dir + "/tls/key.pem", os.path.dirname(server.store) + "/secrets.key"):
            true(os.path.exists(path), path)
        server.add_user("anna")
        server.mail()
        wait_empty(server)
        status = server.said("status")
        true("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, status)
        user = os.stat(server.store).st_uid
        equal(server.said("uid").strip(), str(user or pwd.getpwnam("nobody").pw_uid), "the server's user, never root")
        equal(server.said("fds").split(), ["0", "1", "2", "3"], "3 is what ls itself opened")
        names = [line.split("=")[0] for line in server.said("env").splitlines()]
        equal(names, ["LANG", "PATH", "PWD"])
        equal(server.said("pwd").strip(), "/")
        equal(server.said("args"), "one|a b|", "words stay words: no shell")
        limits = {line.split()[0].split("(")[0]: line.split()[-1] for line in server.said("limits").splitlines()}
        equal([limits[name] for name in ("coredump", "nofiles", "time")], ["0", "256", "10"], limits)
        if kernel_has_landlock():
            equal(server.said("broke"), "", server.said("errors"))


def test_H55_a_password_file_named_later_is_closed_too():
    if not kernel_has_landlock():
        return
    with Secure() as sink, Site(sink, "cat $D/link.secret >>$D/broke; exit 1", tls="required") as server:
        with open(server.bin + "/link.secret", "w") as f:
            f.write("x")
        server.add_user("anna")
        server.mail()
        wait_deferred(server)
        equal(server.said("broke"), "x", "no password yet")
        server.extra += "connections: [ { name: lan, password: { file: %s/link.secret } } ]\n" % server.bin
        server.write_config()
        reload(server)
        server.cli("queue", "retry", "--all", "--wait")
        wait_for(lambda: server.runs() == 2, "it ran again")
        equal(server.said("broke"), "x", "a password now")


def hang(server):
    """The program hangs, and so does one in a session of its own; their numbers."""
    server.mail()
    wait_for(lambda: server.said("outer") and server.said("inner"), "both run")
    return [int(server.said(name)) for name in ("outer", "inner")]


HANGS = "setsid sh -c 'echo $$ >'$D'/inner; exec sleep 1000' & echo $$ >$D/outer; exec sleep 1000"


def test_H55_programs_end_with_the_server():
    for end in ("stop", "kill", "warden"):
        with Secure() as sink, Site(sink, HANGS, tls="required") as server:
            server.add_user("anna")
            pids = hang(server)
            if end == "stop":
                equal(server.stop(), 0)
            elif end == "kill":
                os.kill(server.pids()[1], 9)
                server.process.wait(20)
            else:
                server.kill()
            for pid in pids:
                wait_for(lambda: is_dead(pid), "%s: %d is gone" % (end, pid))


def runner_of(server):
    """The warden's other child."""
    with open("/proc/%d/task/%d/children" % (server.process.pid, server.process.pid)) as f:
        return [int(pid) for pid in f.read().split()][1]


def test_H55_a_runner_that_dies_is_started_again():
    with Secure() as sink, Site(sink, HANGS, tls="required") as server:
        server.add_user("anna")
        pids = hang(server)
        os.kill(runner_of(server), 9)
        for pid in pids:
            wait_for(lambda: is_dead(pid), "%d is gone" % pid)
        true("was lost with the runner" in wait_deferred(server)[0]["last_error"], "the reason")
        true("the runner of programs ended" in server.cli("log", "show").stdout, "it is logged")
        server.script("echo good")
        server.cli("queue", "retry", "--all", "--wait")
        wait_empty(server)
        equal(len(sink.mails), 1)


if __name__ == "__main__":
    sys.exit(tap([(name[5:], test) for name, test in list(globals().items()) if name.startswith("test_")],
                 sys.argv[1] if len(sys.argv) > 1 else None))
