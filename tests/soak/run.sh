#!/usr/bin/env bash
# run.sh - the long runs behind ./test --slow: TAP.
#
# 2,000 kills, 100,000 states of a power cut, 200,000 messages. An hour or so on two cores.
set -u
cd "$(dirname "$0")/../.."
status=0
POSTROOM_KILLS=2000 POSTROOM_STATES=100000 tests/faults/run.py kill "power cuts" || status=1
POSTROOM_BULK=200000 tests/clients/bulk.py || status=1
exit "$status"
