#!/bin/sh
# run_test.sh - runs one test for make check: run_test.sh [INTERPRETER] TEST
#
# Gives the test a temporary directory of its own and a limit of time, the sanitizers their options, and tells what
# ended it in TAP. A test that said "not ok" has told its failure, so its exit status 1 is not told a second time.

set -u
for last in "$@"; do test_file=$last; done

limit=${ZKC_TEST_TIMEOUT:-}
case $test_file in
*.sh | *.py) [ -n "$limit" ] || limit=$(sed -n 's/^# timeout: *\([0-9][0-9]*\)$/\1/p' "$test_file" | head -n 1) ;;
*/*) ;;
*) set -- "./$test_file" ;;
esac
[ -n "$limit" ] || limit=300

TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/zkc-test.XXXXXX") || exit 99
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export TMPDIR
export PYTHONDONTWRITEBYTECODE=1
# Check ends a test case after this many seconds; sanitizers are slow, and a limit that is too short proves nothing.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-60}"
# Where malloc would fail the sanitizers' fails too, rather than ending the process before our allocator can.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1}"

# Sanitizers of this age cannot place their shadow where the kernel spreads addresses widely.
spread=
if [ "${ZKC_SANITIZERS:-no}" != no ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    spread="setarch $(uname -m) -R"
fi

status_file=$TMPDIR/.status
{
    # shellcheck disable=SC2086
    timeout -k 10 "$limit" $spread "$@"
    echo $? >"$status_file"
} | awk -v status_file="$status_file" '
    /^not ok/ { failures++ }
    { print; fflush() }
    END { print failures + 0 > (status_file ".failures") }'
status=$(cat "$status_file" 2>/dev/null || echo 99)
failures=$(cat "$status_file.failures" 2>/dev/null || echo 0)

case $status in
0) exit 0 ;;
1) [ "$failures" -gt 0 ] && exit 0 ;;
124 | 137) echo "Bail out! still running after $limit s, ended" ;;
esac
exit "$status"
