#!/bin/sh
# run.sh - runs fuzz targets, each for FUZZ_RUNS inputs (1000000) and at most FUZZ_SECONDS (3600): run.sh TARGET ...
#
# Starts from the seeds in tests/fuzz/seeds and keeps what it learns in FUZZ_CORPUS (a directory that goes afterwards,
# unless it is named). A finding ends the run; libFuzzer then names the file that holds the input.
set -u
source_dir=${ZKC_SOURCE:-$(dirname "$0")/../..}
runs=${FUZZ_RUNS:-1000000}
seconds=${FUZZ_SECONDS:-3600}
corpus=${FUZZ_CORPUS:-}
if [ -z "$corpus" ]; then
    corpus=$(mktemp -d) || exit 1
    trap 'rm -rf "$corpus"' EXIT
fi
passed=0 failed=0
for target in "$@"; do
    name=$(basename "$target")
    mkdir -p "$corpus/$name"
    echo "== $name: $runs runs"
    if "$target" -runs="$runs" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -malloc_limit_mb=512 \
        -print_final_stats=1 -verbosity=0 \
        "$corpus/$name" "$source_dir/tests/fuzz/seeds/$name" 2>"$corpus/$name.log"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 40 "$corpus/$name.log"
    fi
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)' "$corpus/$name.log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
