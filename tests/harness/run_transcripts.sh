#!/bin/sh
# run_transcripts.sh - every transcript against the plain build and, where there is one, the sanitized.
set -u
status=0
for runner in build/transcripts build/asan/transcripts; do
	[ -x "$runner" ] || continue
	"$runner" tests/transcripts/* || status=1
done
exit $status
