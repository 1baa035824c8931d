#!/bin/bash
# manuals.sh - every manual passes mandoc's lint, and refers to manuals that there are; and the table of options,
# zoo.cfg.5, the other manuals, the sample files and README agree on what options there are. Manuals need not be
# installed here, so what mandoc says of them is no finding.
set -u
here=${ZKC_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$here/tests/lib/tap.sh"

complaints()
{
    mandoc -Tlint "$1" 2>&1 | grep -vE 'referenced manual not found: Xr |outdated mandoc\.db lacks '
}

clean()
{
    [ -s "$1" ] && ! complaints "$1"
}

# "name section" of every manual of ours, by each name it is found by, and of those of the system that we refer to.
known()
{
    local page
    for page in "$here"/man/*.[1-9] "$here/man/zoo.cfg.5"; do
        basename "$page" | sed 's/\.\([1-9]\)$/ \1/'
        awk -v section="${page##*.}" '/^\.Nd/ { exit } /^\.Nm / { print $2, section }' "$page"
    done 2>/dev/null
    printf '%s\n' 'epoll_wait 2' 'execve 2' 'fork 2' 'free 3' 'malloc 3' 'pkg-config 1' 'poll 2' 'select 2' 'strerror 3'
}

refers_to_manuals()
{
    ! awk '/^\.Xr / { print $2, $3 }' "$1" | grep -vxFf <(known)
}

# Names of the options by the table, one a line; $1 is a state, or nothing for all.
options()
{
    "${ZKC_BUILD:-$here}/server/config/print_options" --table |
        awk -F '\t' -v state="$1" 'state == "" || $8 == state { print $1 }' | sort
}

# Names of the options that have an entry in zoo.cfg.5 whose text has $1; the lists are no options.
entries()
{
    awk -v wanted="$1" '
        function finish() { if (key != "" && index(text, wanted) > 0) print key; key = text = "" }
        /^\.It Cm / { finish(); key = $3 ~ /\\&$/ ? "" : $3; next }
        /^\.(Sh|Ss|El)/ { finish() }
        { text = text " " $0 }
        END { finish() }' "$2" | sort
}

# Prints what only one of the two lists has.
same()
{
    [ -n "$1" ] && diff <(echo "$1") <(echo "$2")
}

# Words that can only be options: keys before a "=" in lines of sample files, README and zoo.cfg.5, and what manuals set
# as a word of zoo.cfg that has a point or a capital in it. Those of the command line are no options.
named()
{
    {
        sed -nE 's/^#? ?([A-Za-z0-9]+(\.[A-Za-z0-9-]+)*)=.*/\1/p' "$here"/conf/*.cfg "$here/README.md" "$built"
        awk '/^\.(It )?Cm / && $1 == ".Cm" { print $2 }' "$@" | grep -E '[.A-Z]'
    } | grep -vE '^(server|group|weight)\.|^zookeeper\.log\.|^[A-Z_]+$|\\&' | sort -u
}

names_options()
{
    ! named "$@" | grep -vxFf <(options "")
}

if ! command -v mandoc >/dev/null; then
    tap_fact "mandoc is installed" false
    tap_done
fi
built=${ZKC_BUILD:-$here}/man/zoo.cfg.5
for page in "$here"/man/*.[1-9] "$built"; do
    [ "$page" != "$here/man/zoo.cfg.5" ] || [ "$page" = "$built" ] || continue
    tap_fact "$(basename "$page") is clean" clean "$page"
    tap_fact "$(basename "$page") refers to manuals" refers_to_manuals "$page"
done
tap_fact "each option has one entry in zoo.cfg.5, and each entry an option" \
    same "$(options "")" "$(entries "" "$built")"
tap_fact "zoo.cfg.5 says which have no effect in this release" \
    same "$(options "not yet")" "$(entries "Has no effect in this release:" "$built")"
tap_fact "zoo.cfg.5 says which have none at all" same "$(options "no place")" "$(entries "Has no effect:" "$built")"
tap_fact "what manuals, samples and README name is an option" \
    names_options "$here"/man/*.[5-8] "$built" "$here"/man/*.in
printf '.Dd nonsense\n.Xq\n' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "a page that is not clean is found" test -n "$(complaints "${TMPDIR:-/tmp}/bad.8")"
echo '.Xr zoo_nowhere 3' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "a manual that there is not is found" test -n "$(refers_to_manuals "${TMPDIR:-/tmp}/bad.8")"
echo '.Cm tickTme' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "an option that there is not is found" test -n "$(names_options "${TMPDIR:-/tmp}/bad.8")"
rm -f "${TMPDIR:-/tmp}/bad.8"
tap_done
