#!/usr/bin/env python3
"""fuzz.py [SECONDS [SEED]] - random keys, pastes, sizes, cuts and spoilt replies against the console: TAP.

The console is the real program, with sanitizers, on a pseudo-terminal; the server is a real one behind a
door that cuts, delays and spoils. It must take every key, leave the terminal as it found it, end with 0,
and apply nothing that no preview has shown. 180 seconds by default.
"""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import fill  # noqa: E402
from terminal import Door, Terminal  # noqa: E402
from postroom import ROOT, Server  # noqa: E402

HANG_S = 15  # of a shared machine with sanitizers; the longest wait is told
MEMORY_KB = 400 * 1024
KEYS = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\x1b[H", b"\x1b[F", b"\x1bOP", b"\x1bOQ",
        b"\x1bOR", b"\x1b[15~", b"\x1b[17~", b"\x1b[20~", b"\x1b[3~", b"\x1b[Z", b"\t", b"\r", b"\r", b"\x1b", b"\x7f",
        b"\x01", b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x0b", b"\x0c", b"\x12", b"\x15", b"\x17", b"\x1a"]
LETTERS = b"jkjkjkghlGwiVvfFoOrzuaxpycedmnN/:?* -[]|0123456789RHMTLSBXPKWEAD"
TEXTS = ["anna", "state:held", "size>1M", "\"", "\u202e\u200b", "e\u0301\u0301\u0301", "\u4e2d\u6587", "\ud83d\ude00".encode("utf-16", "surrogatepass")
         .decode("utf-16"), "x" * 500, "%s%n", "\\", "-", "2026-11-22"]


class Fuzz:
    def __init__(self, server, door, seed):
        self.server, self.door, self.random = server, door, random.Random(seed)
        self.longest, self.acts, self.runs, self.memory = 0.0, 0, 0, 0
        self.said = []

    def spoil(self, line):
        """A reply that is cut, or has other bytes: rarely."""
        r = self.random
        if r.random() > 0.05 or not line:
            return line
        at = r.randrange(len(line))
        return r.choice([line[:at], line[:at] + bytes([r.choice(b"\x00\xff\"{}[],:9-")]) + line[at + 1:],
                         line.replace(b":", b":-", 1), b"null", b"[]", b"{}", line + line])

    def paste(self, t):
        r = self.random
        text = "".join(r.choice(TEXTS + ["dy", "\n", "q", "Hy\n"]) for _ in range(r.randrange(1, 6)))
        data = b"\x1b[200~" + text.encode("utf-8", "replace") + b"\x1b[201~"
        at = r.randrange(len(data))
        t.write(data[:at])
        if r.random() < 0.3:
            t.read(0.03)
        t.write(data[at:])

    def act(self, t):
        r = self.random
        kind = r.random()
        if kind < 0.62:
            t.write(bytes(r.choice(LETTERS) for _ in range(r.randrange(1, 12))))
        elif kind < 0.80:
            t.write(r.choice(KEYS))
        elif kind < 0.85:
            t.write(r.choice(TEXTS).encode("utf-8", "replace"))
        elif kind < 0.88:
            t.write(bytes(r.randrange(256) for _ in range(r.randrange(1, 20))))
        elif kind < 0.91:
            self.paste(t)
        elif kind < 0.95:
            t.resize(*r.choice([(1, 1), (10, 40), (24, 80), (9, 39), (100, 300), (r.randrange(1, 101), r.randrange(1, 301))]))
        elif kind < 0.96:
            self.door.cut()
        elif kind < 0.97:
            self.door.spoil = r.choice([None, self.spoil])
            self.door.delay = r.choice([None, None, 0.02])
        elif kind < 0.98:
            os.kill(t.pid, signal.SIGSTOP)
            t.write(b"jjj")
            os.kill(t.pid, signal.SIGCONT)
        else:
            t.write(b"y" if r.random() < 0.5 else b"\x1b\x1b")

    def check_end(self, t):
        if t.wait_end(HANG_S) != 0:
            raise AssertionError("it ended with %s: %s" % (t.status, t.report() or repr(bytes(t.seen[-600:]))))
        if not t.is_restored():
            raise AssertionError("the terminal is not as it was")

    def run(self, seconds):
        """One console for so long, or until it is left."""
        end = time.monotonic() + seconds
        self.runs += 1
        self.door.spoil = self.door.delay = None
        build = os.path.join(ROOT, "build", "asan")
        with Terminal(self.door.path, build=build, cwd=self.server.dir) as t:
            t.settle()
            while time.monotonic() < end and not t.ended():
                self.act(t)
                self.acts += 1
                self.longest = max(self.longest, t.taken())
                if not t.ended() and self.acts % 50 == 0:
                    self.memory = max(self.memory, t.status_line("VmRSS"))
            self.door.spoil = self.door.delay = None
            if not t.ended():
                os.kill(t.pid, signal.SIGTERM)
            self.check_end(t)


def main(seconds=180, seed=None):
    seed = seed if seed is not None else random.randrange(1 << 30)
    failed = None
    with Server(level="info") as server:
        fill(server)
        door = Door(server.dir, server.socket)
        fuzz = Fuzz(server, door, seed)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                fuzz.run(min(20, max(1, end - time.monotonic())))
        except (AssertionError, OSError) as error:
            failed = error
        door.close()
    notes = (seed, fuzz.runs, fuzz.acts, fuzz.longest * 1e3, fuzz.memory / 1024)
    print("# note: seed %d, %d consoles, %d acts, longest wait for a key %.0f ms, %.0f MB" % notes)
    checks = [("the console stands random input", failed is None, failed),
              ("it applies only what a preview has shown", not door.strays, door.strays[:2]),
              ("it takes a bounded amount of memory", fuzz.memory < MEMORY_KB, fuzz.memory)]
    for i, (name, good, why) in enumerate(checks, 1):
        print("%s %d - %s" % ("ok" if good else "not ok", i, name))
        if not good:
            print("\n".join("#   " + x for x in str(why).replace("\\r\\n", "\n").replace("\\n", "\n").splitlines()))
    return 0 if all(c[1] for c in checks) else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 180, int(sys.argv[2]) if len(sys.argv) > 2 else None))
