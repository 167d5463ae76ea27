#!/usr/bin/env bash
# run.sh [SECONDS] - fuzz every target with clang's fuzzer for so long each (180 by default): TAP.
#
# New inputs that reach new code stay in build/fuzz/found/; a finding stays in build/fuzz/findings/.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-180}
./run --packages clang libclang-rt-dev || exit 1
ninja --quiet fuzz || exit 1
number=0 status=0
for program in build/fuzz/*; do
	[ -x "$program" ] && [ -f "$program" ] || continue
	name=$(basename "$program")
	number=$((number + 1))
	mkdir -p "build/fuzz/found/$name" "build/fuzz/findings/$name"
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/findings/$name/" "build/fuzz/found/$name" "tests/fuzz/corpus/$name" \
		>"build/fuzz/$name.out" 2>&1; then
		echo "ok $number - $name $(grep -oE 'number_of_executed_units: [0-9]+' "build/fuzz/$name.out")"
	else
		echo "not ok $number - $name"
		tail -n 20 "build/fuzz/$name.out" | sed 's/^/#   /'
		status=1
	fi
done
exit "$status"
