#!/usr/bin/env python3
"""process_tls.py - the process as its peers meet it: TLS, slow and silent ones, what each costs. TAP."""
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, PATIENCE_S, Server, Skip, equal, figure, tap, true, unverified, wait_for  # noqa: E402
from server_process import Line, change_config, reload, run, server_pid  # noqa: E402

IDLE_PLAIN, IDLE_PLAIN_KB = 1000, 8 * 1024
IDLE_TLS, IDLE_TLS_EACH_KB = 200, 60


def anon_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


# --- TLS ---

def s_client(server, *args, stdin="QUIT\r\n", service="pop3s"):
    if not shutil.which("openssl"):
        raise Skip("openssl is not here")
    # -ign_eof: its own Q ends it before the greeting may have come; what is said ends the session
    r = run("openssl", "s_client", "-ign_eof", "-connect", "127.0.0.1:%d" % server.ports[service], *args, input=stdin)
    return r.stdout + r.stderr


def test_tls_refuses_what_is_old_h68():
    with Server() as server:
        loose = ["-cipher", "ALL:@SECLEVEL=0"]
        text = s_client(server, "-tls1_2", *loose)
        true("Cipher is ECDHE-" in text and "+OK" in text, text[-800:])
        for old in ("-tls1", "-tls1_1"):
            text = s_client(server, old, *loose)
            true("Cipher is (NONE)" in text and "alert" in text, old + text[-800:])
        for cipher in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"):
            text = s_client(server, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
            true("Cipher is (NONE)" in text and "alert handshake failure" in text, cipher + text[-800:])


def test_tls_refuses_renegotiation_h68():
    with Server() as server:
        if not shutil.which("openssl"):
            raise Skip("openssl is not here")
        p = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", "127.0.0.1:%d" % server.ports["pop3s"]],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while b"+OK" not in p.stdout.readline():
            pass
        p.stdin.write(b"R\n")  # at the start of a line: renegotiate
        p.stdin.flush()
        patience = threading.Timer(PATIENCE_S, p.kill)
        patience.start()
        text = ""
        while not re.search("no renegotiation|alert", text):
            line = p.stdout.readline()
            if not line:
                break
            text += line.decode("utf-8", "replace")
        patience.cancel()
        text += p.communicate(timeout=PATIENCE_S)[0].decode("utf-8", "replace")
        true("RENEGOTIATING" in text, text)
        true("no renegotiation" in text or "alert" in text, text)
        equal(text.count("verify return:1"), 0, "no second handshake: " + text)


def client_hello():
    sent = ssl.MemoryBIO()
    try:
        unverified().wrap_bio(ssl.MemoryBIO(), sent).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


def test_tls_handshake_that_stops_halfway_ends_in_time_h68():
    with Server(extra="timeouts: { handshake: 2s }\n") as server:
        hello, began = client_hello(), time.monotonic()
        lines = [Line(server.ports[s], greeting=False) for s in ("pop3s", "submissions")]
        starttls = Line(server.ports["pop3"])
        starttls.say("STLS")
        for line in lines + [starttls]:
            line.s.settimeout(PATIENCE_S)
            line.s.sendall(hello)
        for line in lines + [starttls]:
            line.is_closed()  # the server's own flight, then the end
            true(time.monotonic() - began > 1.5, "after %.1f s" % (time.monotonic() - began))
    with Server(extra="timeouts: { handshake: 5m }\n") as server:
        half = Line(server.ports["pop3s"], greeting=False)  # no more will come to go on with: it ends at once
        half.s.settimeout(PATIENCE_S)
        half.s.sendall(hello)
        half.s.shutdown(socket.SHUT_WR)
        half.is_closed()


def test_tls_two_commands_in_one_record_h62():
    with Server() as server:
        for service, words in (("pop3s", b"CAPA\r\nNOOP\r\n"), ("submissions", b"NOOP\r\nRSET\r\n")):
            line = Line(server.ports[service], unverified())
            for n in range(20):
                line.s.sendall(words)  # one write is one record
                replies = 0
                while replies < 2:
                    text = line.read()
                    replies += text[:1] in (b"+", b"-", b"2", b"5") and text[:2] != b"2."
                    true(text, service + ": closed")
            line.close()


def test_tls_certificate_is_replaced_while_sessions_live_h68():
    with Server() as server:
        place = os.path.join(server.dir, "tls")

        def seen():
            with unverified().wrap_socket(socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)) as s:
                return s.getpeercert(True)
        old, lines = seen(), [Line(server.ports["pop3s"], unverified()) for _ in range(20)]
        shutil.move(place, place + ".before")  # a new one is made where there is none
        reload(server)
        new = seen()
        true(old != new, "new sessions see the new certificate")
        for line in lines:
            equal(line.say("NOOP")[:1], b"-", "old sessions live on")  # before login
            line.close()
        os.remove(os.path.join(place, "key.pem"))
        shutil.copy(place + ".before/key.pem", place)  # of another certificate
        reload(server, good=False)
        equal(seen(), new, "a key that does not fit changes nothing")


def test_half_a_certificate_of_a_crash_is_made_anew_h50():
    server = Server()
    try:
        change_config(server, lambda t: "".join(row for row in t.splitlines(True) if not row.startswith("tls:")))
        folder = os.path.join(server.store, "tls")
        os.makedirs(folder, 0o700)
        os.chmod(server.store, 0o700)
        for name in ("key.pem", "key.pem.new", "cert.pem.new"):  # killed before the certificate had its name
            with open(os.path.join(folder, name), "w") as f:
                f.write("half a fi")
        server.start()
        with unverified().wrap_socket(socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)) as s:
            true(s.getpeercert(True), "a certificate")
        equal(sorted(os.listdir(folder)), ["cert.pem", "key.pem"])
        equal(oct(os.stat(folder + "/key.pem").st_mode & 0o777), "0o600")
        equal(server.stop(), 0)
    finally:
        server.clean()


# --- memory and time ---

def connections(count, port, speak):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        raise Skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    return [speak(port) for _ in range(count)]


def test_idle_plain_sessions_are_small_h34():
    with Server() as server:
        pid = server_pid(server)
        warm = [Line(server.ports[s]) for s in ("pop3", "smtp") for _ in range(20)]
        before = anon_kb(pid)
        lines = connections(IDLE_PLAIN // 2, server.ports["pop3"], Line) + connections(IDLE_PLAIN // 2, server.ports["smtp"], Line)
        for line in lines:
            true(line.greeting, "refused")
            line.say("CAPA" if line.greeting[:1] == b"+" else "EHLO c.test")
        used = anon_kb(pid) - before
        figure("%d idle plain sessions: %d KB, %.1f KB each" % (len(lines), used, used / len(lines)))
        true(used < IDLE_PLAIN_KB, "%d KB" % used)
        equal(server.json("status")[0]["version"], "0.1.0", "the console still gets in")
        for line in warm + lines:
            line.close()


def test_idle_tls_sessions_are_small_h34():
    with Server() as server:
        pid, context = server_pid(server), unverified()
        before = anon_kb(pid)
        lines = connections(IDLE_TLS, server.ports["pop3s"], lambda port: Line(port, context))
        used = anon_kb(pid) - before
        figure("%d idle TLS sessions: %d KB, %.1f KB each" % (len(lines), used, used / len(lines)))
        true(used < IDLE_TLS * IDLE_TLS_EACH_KB, "%d KB" % used)
        for line in lines:
            line.close()


def test_drip_client_is_gone_on_time_h20():
    with Server(extra="timeouts: { before_login: 2s, handshake: 2s }\n") as server:
        began = time.monotonic()
        pop = Line(server.ports["pop3"])
        silent = Line(server.ports["pop3s"], greeting=False)  # never begins its handshake
        silent.s.settimeout(PATIENCE_S)
        try:
            while time.monotonic() - began < PATIENCE_S:
                pop.s.sendall(b"U")
                time.sleep(0.3)
                pop.s.settimeout(0.01)
                try:
                    if pop.s.recv(100) == b"":
                        break
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
        except ConnectionError:
            pass
        true(1.5 < time.monotonic() - began < PATIENCE_S, "gone after %.1f s" % (time.monotonic() - began))
        silent.is_closed()


def test_reader_that_does_not_read_costs_no_memory_h35():
    with Server(extra="timeouts: { stalled: 3s }\n") as server:
        server.add_user("anna")
        line = b"x" * 76 + b"\r\n"
        server.send("a@b.test", ["anna@example.test"], b"Subject: large\r\n\r\n" + line * (20 * 1024 * 1024 // len(line)))
        warm = server.pop("anna")  # the first RETR of this process
        equal(len(warm.top(1, 10)[1]) > 5, True)
        warm.quit()
        pop = socket.socket()
        pop.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pop.connect(("127.0.0.1", server.ports["pop3s"]))
        tls = unverified().wrap_socket(pop)
        for words in ("", "USER anna", "PASS " + PASSWORD):
            if words:
                tls.sendall(words.encode() + b"\r\n")
            equal(tls.recv(200)[:3], b"+OK", "greeting, name, password")
        pid = server_pid(server)
        time.sleep(0.5)
        before = anon_kb(pid)
        began = time.monotonic()
        tls.sendall(b"RETR 1\r\n")
        time.sleep(1.5)
        used = anon_kb(pid) - before
        figure("20 MB asked for and not read: %d KB" % used)
        true(used <= 1024, "%d KB" % used)
        wait_for(lambda: "the peer does not read" in server.errors(), "closed as stuck (timeouts.stalled)")
        true(time.monotonic() - began > 2.5, "not before its time")
        tls.close()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
