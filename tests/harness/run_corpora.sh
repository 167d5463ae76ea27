#!/usr/bin/env bash
# run_corpora.sh DIR - feed the corpora to the fuzz targets of a build folder, without a fuzzer: TAP.
set -u
status=0
for program in "$1"/corpus/*; do
	timeout 300 "$program" "tests/fuzz/corpus/$(basename "$program")" || {
		status=1
		echo "not ok - corpus $(basename "$program")"
	}
done
exit "$status"
