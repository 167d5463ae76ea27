#!/usr/bin/env bash
# run.sh - the long runs behind ./test --slow: TAP.
#
# 2,000 kills, 100,000 states of a power cut, every site of every call, 20 full disks, 10,000 damaged
# pages, 200 backups, 200,000 messages in, 100,000 out to 1,000 destinations, 1,000 stored and forwarded
# between two servers, 50 x 2,000 collected and 100,000 left at a provider, 10,000 connections. Under an hour on two cores. With arguments: those of the
# fault runs only whose names hold one of them, as tests/faults/run.py takes them.
set -u
cd "$(dirname "$0")/../.."
status=0
export POSTROOM_KILLS=${POSTROOM_KILLS:-2000} POSTROOM_STATES=${POSTROOM_STATES:-100000}
export POSTROOM_SITES=${POSTROOM_SITES:-1000} POSTROOM_DISK_ROUNDS=${POSTROOM_DISK_ROUNDS:-20}
export POSTROOM_DAMAGES=${POSTROOM_DAMAGES:-10000} POSTROOM_BACKUPS=${POSTROOM_BACKUPS:-200}
tests/faults/run.py "$@" || status=1
[ $# -gt 0 ] || POSTROOM_BULK=200000 tests/clients/bulk.py || status=1
[ $# -gt 0 ] || POSTROOM_DESTINATIONS=1000 POSTROOM_MESSAGES=100000 tests/clients/destinations.py || status=1
[ $# -gt 0 ] || POSTROOM_SNF_MESSAGES=1000 POSTROOM_SNF_CRASHES=50 tests/clients/store_forward_pair.py || status=1
[ $# -gt 0 ] || POSTROOM_EVERY_BYTE=1 POSTROOM_COLLECT_EACH=2000 POSTROOM_COLLECT_LEFT=100000 tests/clients/collect.py || status=1
[ $# -gt 0 ] || POSTROOM_CROWD=10000 tests/clients/crowd.py || status=1
exit "$status"
