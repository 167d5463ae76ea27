#!/usr/bin/env python3
"""run.py [WORD...] - kills, power cuts, failing calls, full disks, damage, backups, bad starts: TAP.

POSTROOM_KILLS, POSTROOM_IMAP_KILLS, POSTROOM_STATES, POSTROOM_SITES, POSTROOM_BOUNDARIES, POSTROOM_DISK_ROUNDS,
POSTROOM_DAMAGES, POSTROOM_BACKUPS and POSTROOM_RESTART_MESSAGES set how much; tests/soak/run.sh asks for more.
"""
import importlib
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
from postroom import tap  # noqa: E402

LANES = (("starts", "kills", "imap_faults", "disk", "damage", "outgoing_sweep"), ("forward_faults", "copies", "collect_faults", "disk_elsewhere", "power_cuts", "imap_large", "sweep", "backups"))  # run beside each other


def tests_of(modules):
    return sum((importlib.import_module(m).TESTS for m in modules), [])


def run_beside(modules, first, out):
    """A lane in a process of its own, its TAP in OUT: the process's id."""
    pid = os.fork()
    if pid == 0:
        os.dup2(out.fileno(), 1)
        status = 1
        try:
            status = tap(tests_of(modules), first=first)
        finally:
            sys.stdout.flush()
            os._exit(status)
    return pid


def main():
    tests = tests_of(LANES[0])
    with tempfile.TemporaryFile("w+") as out:
        pid = run_beside(LANES[1], len(tests) + 1, out)
        status = tap(tests)
        status |= os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
        out.seek(0)
        sys.stdout.write(out.read())
    return status


if __name__ == "__main__":
    sys.exit(main())
