#!/usr/bin/env python3
"""run.py [WORD...] - kills, power cuts, failing calls, full disks, damage, backups, bad starts: TAP.

POSTROOM_KILLS, POSTROOM_STATES, POSTROOM_SITES, POSTROOM_DISK_ROUNDS, POSTROOM_DAMAGES, POSTROOM_BACKUPS
and POSTROOM_RESTART_MESSAGES set how much; tests/soak/run.sh asks for more.
"""
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
from postroom import tap  # noqa: E402

MODULES = ("starts", "kills", "power_cuts", "sweep", "disk", "damage", "backups")


if __name__ == "__main__":
    sys.exit(tap(sum((importlib.import_module(m).TESTS for m in MODULES), [])))
