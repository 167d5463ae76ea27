#!/usr/bin/env bash
# run_unit.sh DIR - run each unit test program of a build folder and print TAP.
set -u
status=0
for program in "$1"/test-*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	echo "# $program"
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 900 "$program" || {
		status=$?
		# a crash leaves no "not ok" behind
		[ "$status" -lt 124 ] || echo "not ok - $program ended with status $status"
	}
done
exit "$status"
