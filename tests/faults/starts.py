"""starts.py - what must not start says why in one clear line, and harms nothing; and a few bad peers."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from load import FAULTS, STORE_VERSION, delivery, end, equal, say, with_users
from postroom import Server, Skip, true, wait_for

CLEAR = re.compile(r"postroomd: [^\n]+: [^\n]+ \([^\n]+\)$|postroomd: [^\n]+; [^\n]+$")  # what, why, and what to do


def refuses(change, *wanted, lines_before=0):
    """A server that must not start: one clear line, status 1; once mended, all is as it was."""
    server = Server(services=("smtp",))
    try:
        equal(with_users(server).stop(), 0, "exit status")
        undo = change(server)
        server.start(ready=False)
        status = server.process.wait(20)
        lines = server.errors().strip().split("\n")
        equal(status, 1, "exit status")
        equal(len(lines), lines_before + 1, "lines on stderr: %r" % lines)
        true(CLEAR.match(lines[-1]), "the line should say what, why and what to do: %r" % lines[-1])
        for word in wanted:
            true(word in "\n".join(lines), "%r is not in %r" % (word, lines))
        undo()
        server.start()
        equal([u["name"] for u in server.json("user", "list")], ["*OUTQUEUE", "postmaster"], "users afterwards")
        equal(server.stop(), 0, "exit status")
    finally:
        end(server)
        server.clean()


def with_config(server, text):
    """Add TEXT to the configuration; the way back."""
    with open(server.config) as f:
        good = f.read()
    with open(server.config, "a") as f:
        f.write(text)

    def undo():
        with open(server.config, "w") as f:
            f.write(good)
    return undo


def test_a_bad_configuration_names_each_fault_with_its_place_CFG_01():
    def change(server):
        with open(server.config) as f:
            lines = f.read().count("\n")
        change.wanted = "postroom.yaml:%d:1: " % (lines + 1)
        return with_config(server, "limts: { message_size: 1MB }\nqueue: { bad: 1 }\n")
    refuses(change, "postroom.yaml", "limts", "bad", lines_before=2)
    true(change.wanted, "it ran")


def test_a_configuration_that_is_not_there_is_one_clear_line_CFG_01():
    def change(server):
        os.rename(server.config, server.config + ".kept")
        return lambda: os.rename(server.config + ".kept", server.config)
    refuses(change, "postroom.yaml", "No such file")


def test_a_port_in_use_is_one_clear_line():
    held = socket.socket()

    def change(server):
        held.bind(("127.0.0.1", server.ports["smtp"]))
        held.listen()
        return held.close
    refuses(change, "in use")


def test_a_second_server_on_the_same_store_is_refused_H46():
    def change(server):
        other = Server(server.dir + "/other", services=("smtp",))
        text = open(other.config).read().replace(other.store, server.store)
        with open(other.config, "w") as f:
            f.write(text)
        other.start()

        def undo():
            equal((delivery(other.ports["smtp"]) or b"")[:1], b"5", "the first serves on: nobody is called anna")
            other.stop()
        return undo
    refuses(change, "in use by another postroomd")


def damaged(server, at, data):
    path = os.path.join(server.store, "data.mdb")
    shutil.copy(path, path + ".kept")
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)
    return lambda: os.replace(path + ".kept", path)


def test_a_foreign_data_file_is_refused_H50():
    refuses(lambda server: damaged(server, 0, os.urandom(8192)), "store")


def test_an_empty_data_file_is_refused_H50():
    def change(server):
        undo = damaged(server, 0, b"")
        os.truncate(os.path.join(server.store, "data.mdb"), 0)
        return undo
    refuses(change, "empty")


def test_a_store_of_another_version_is_refused_H50_H51():
    def change(server):
        path = os.path.join(server.store, "data.mdb")
        shutil.copy(path, path + ".kept")
        r = subprocess.run([STORE_VERSION, server.store, "7"], capture_output=True, text=True)
        equal(r.returncode, 0, r.stderr)
        return lambda: os.replace(path + ".kept", path)
    refuses(change, "version 7")


def test_a_data_directory_that_is_a_file_is_refused():
    def change(server):
        os.rename(server.store, server.store + ".kept")
        with open(server.store, "w"):
            pass

        def undo():
            os.unlink(server.store)
            os.rename(server.store + ".kept", server.store)
        return undo
    refuses(change, "not a directory")


def test_a_data_directory_that_cannot_be_written_is_refused():
    """Root may write anywhere but on a file system that is read-only; others are stopped by the mode."""
    def change(server):
        if os.geteuid() != 0:
            os.chmod(server.store, 0o500)
            return lambda: os.chmod(server.store, 0o700)
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
            raise Skip("no mount namespace to be had")
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        server.wrapper = ["unshare", "-m", "/bin/sh", "-c", script, server.store]
        return server.wrapper.clear
    refuses(change, "store")


def test_a_key_file_that_cannot_be_read_is_one_clear_line():
    def change(server):
        key = server.dir + "/tls/key.pem"
        os.rename(key, key + ".kept")
        os.mkdir(key)

        def undo():
            os.rmdir(key)
            os.rename(key + ".kept", key)
        return undo
    refuses(change, "key.pem")


def test_a_key_file_that_is_no_key_is_one_clear_line():
    def change(server):
        key = server.dir + "/tls/key.pem"
        with open(key) as f:
            good = f.read()

        def write(text):
            with open(key, "w") as f:
                f.write(text)
        write("this is no key\n")
        return lambda: write(good)
    refuses(change, "key")


def test_a_log_directory_that_cannot_be_made_is_one_clear_line():
    def change(server):
        os.rename(server.dir + "/log", server.dir + "/log.kept")
        with open(server.dir + "/log", "w"):
            pass

        def undo():
            os.unlink(server.dir + "/log")
            os.rename(server.dir + "/log.kept", server.dir + "/log")
        return undo
    refuses(change, "log")


def test_an_over_long_command_is_500_and_the_session_goes_on_H6():
    with Server(services=("smtp",)) as server:
        with socket.create_connection(("127.0.0.1", server.ports["smtp"]), 10) as sock, sock.makefile("rb") as f:
            say(f, sock, b"")
            equal(say(f, sock, b"EHLO " + b"x" * 5000 + b"\r\n")[:3], b"500")
            equal(say(f, sock, b"EHLO client.test\r\n")[:3], b"250")


def greets(sock):
    sock.settimeout(1)
    try:
        return sock.recv(3) == b"220"
    except OSError:
        return False


def ticks(server):
    total = 0
    for pid in server.pids()[:2]:
        with open("/proc/%d/stat" % pid) as f:
            total += sum(int(x) for x in f.read().rsplit(")", 1)[1].split()[11:13])
    return total


def test_EMFILE_does_not_spin_and_recovers_H33():
    work = tempfile.mkdtemp(prefix="postroom-emfile-")
    ctl = work + "/ctl"
    server = Server(work + "/server", services=("smtp",), env={"LD_PRELOAD": FAULTS, "FAULT_CTL": ctl, "FAULT_ARMED": "0",
                                                              "FAULT_SPEC": "accept4:from=1:err=EMFILE"})

    def arm(on):
        with open(ctl, "r+b") as f:
            f.seek(8)
            f.write(bytes([on]))
    try:
        server.start()
        arm(1)
        waiting = [socket.create_connection(("127.0.0.1", server.ports["smtp"]), 5) for _ in range(5)]
        before = ticks(server)
        time.sleep(2)
        used = (ticks(server) - before) / os.sysconf("SC_CLK_TCK") / 2
        true(used < 0.25, "CPU while descriptors are short: %.0f %%" % (used * 100))
        arm(0)
        wait_for(lambda: greets(waiting[0]), "a greeting after descriptors came back")
        equal(server.stop(), 0, "exit status")
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)


TESTS = [t for name, t in list(globals().items()) if name.startswith("test_")]
