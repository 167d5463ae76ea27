"""damage.py - pages of a copy of the store overwritten at random: the check ends, and tells (H49)."""
import os
import random
import re
import shutil
import subprocess

from load import delivery, end, equal, with_users, work_folder
from postroom import BUILD, Server, figure, true

DAMAGES = int(os.environ.get("POSTROOM_DAMAGES", "200"))
PAGE = 4096
CHECK_S = 20  # no hang
MARK = b"message %03d has a line %06d of a body in here\r\n"
LINE = re.compile(rb"message \d{3} has a line \d{6} of a body in here\r\n")


def body_lines(data):
    """Where lines of messages lie: page -> (from, to). A line found twice has an old copy in a gap: left out."""
    at, twice = {}, set()
    for m in LINE.finditer(data):
        if m.group(0) in at:
            twice.add(m.group(0))
        at[m.group(0)] = (m.start(), m.end())
    found = {}
    for text, (start, stop) in at.items():
        if text not in twice and start // PAGE == (stop - 1) // PAGE:
            found.setdefault(start // PAGE, []).append((start % PAGE, (stop - 1) % PAGE + 1))
    return found


def overwrite(rng, page):
    """Damage as disks and strays do it: a bit, a few bytes, zeros, another page's bytes, noise."""
    page, how = bytearray(page), rng.randrange(4)
    at = rng.randrange(PAGE)
    if how == 0:
        page[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        page[at:at + 8] = rng.randbytes(len(page[at:at + 8]))
    elif how == 2:
        page[at - at % 512:at - at % 512 + 512] = bytes(512)
    else:
        page[:] = rng.randbytes(PAGE)
    return bytes(page)


def differ(lines, before, after):
    """Did a byte of a message change?"""
    return any(before[start:stop] != after[start:stop] for start, stop in lines)


def check_copy(config):
    """(exit status, text); a signal counts as told: the server takes it as a finding."""
    try:
        r = subprocess.run([os.path.join(BUILD, "postroomd"), "-c", config, "--check-store"], capture_output=True, timeout=CHECK_S)
    except subprocess.TimeoutExpired:
        raise AssertionError("the check of a damaged store hangs")
    return r.returncode, r.stdout + r.stderr


def test_damage_to_messages_is_always_told_H49():
    work = work_folder("damage")
    server, rng = Server(work + "/server", services=("smtp",)), random.Random(49)
    told = silent = hits = crashes = 0
    try:
        with_users(server, "anna")
        for number in range(40):
            body = b"".join(MARK % (number, line) for line in range(rng.choice((3, 40, 400, 1500))))
            equal((delivery(server.ports["smtp"], body) or b"")[:3], b"250")
        os.mkdir(work + "/copy")
        server.cli("backup", work + "/copy")  # has no free pages, so whatever is hit is in use
        equal(server.stop(), 0, "exit status")
        data_file = os.path.join(server.store, "data.mdb")
        os.replace(work + "/copy/data.mdb", data_file)
        with open(data_file, "rb") as f:
            data = f.read()
        equal(check_copy(server.config)[0], 0, "the store before")
        bodies, pages = body_lines(data), len(data) // PAGE
        true(len(bodies) > 50, "pages with message bytes: %d" % len(bodies))
        for number in range(DAMAGES):
            at = rng.choice(sorted(bodies)) if number % 2 else rng.randrange(2, pages)
            before = data[at * PAGE:(at + 1) * PAGE]
            after = overwrite(rng, before)
            with open(data_file, "r+b") as f:
                f.seek(at * PAGE)
                f.write(after)
            status, text = check_copy(server.config)
            hurt = differ(bodies.get(at, []), before, after)
            true(status != 0 or not hurt, "damage %d: bytes of a message changed in page %d and nothing was told" % (number, at))
            hits, told, crashes = hits + hurt, told + (status != 0), crashes + (status < 0)
            with open(data_file, "r+b") as f:
                f.seek(at * PAGE)
                f.write(before)
        equal(check_copy(server.config)[0], 0, "the store afterwards, as it was")
        figure("damage: %d pages overwritten, %d hit bytes of messages and all were told; %d told in all, %d by a signal"
               % (DAMAGES, hits, told, crashes))
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)


def test_the_rest_serves_beside_a_damaged_message_H49():
    """One damaged body: its message answers -ERR, all others come byte for byte."""
    server = Server(services=("smtp", "pop3"))
    try:
        with_users(server, "anna")
        for number in range(10):
            body = b"".join(MARK % (number, line) for line in range(300))
            equal((delivery(server.ports["smtp"], body) or b"")[:3], b"250")
        good = server.pop("anna", tls=False)
        wanted = [good.retr(n + 1)[1] for n in range(10)]
        good.quit()
        server.stop()
        data_file = os.path.join(server.store, "data.mdb")
        with open(data_file, "r+b") as f:
            at = f.read().find(MARK % (4, 150))
            f.seek(at + 12)
            f.write(b"X")
        server.start()
        p, damaged = server.pop("anna", tls=False), []
        for n in range(10):
            try:
                equal(p.retr(n + 1)[1], wanted[n], "message %d" % n)
            except Exception as e:
                damaged.append(n)
                true("-ERR" in str(e), "message %d: %r" % (n, e))
                p = server.pop("anna", tls=False)
        equal(damaged, [4], "damaged messages")
        true(server.check()[0] == 1, "the check tells")
    finally:
        end(server)
        server.clean()


TESTS = [test_damage_to_messages_is_always_told_H49, test_the_rest_serves_beside_a_damaged_message_H49]
