# tap.sh - Test Anything Protocol for tests in bash; source it, state facts, end with tap_done.
#
#   tap_fact "zkcleanup keeps three snapshots" test "$count" -eq 3    ok when the command succeeds; its output is shown
#   tap_skip "opens in Java" "no Java here"                           not run, and why
#   tap_skip_all "built with sanitizers"                              none of them is run, ends the script

tap_count=0
tap_failed=0

tap_fact()
{
    local fact=$1 output
    shift
    tap_count=$((tap_count + 1))
    if output=$("$@" 2>&1); then
        printf 'ok %d - %s\n' "$tap_count" "$fact"
    else
        printf 'not ok %d - %s\n' "$tap_count" "$fact"
        tap_failed=$((tap_failed + 1))
        [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/# /'
    fi
}

tap_skip()
{
    tap_count=$((tap_count + 1))
    printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

tap_skip_all()
{
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

tap_done()
{
    printf '1..%d\n' "$tap_count"
    [ "$tap_failed" -eq 0 ]
    exit
}
