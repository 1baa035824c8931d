#!/bin/bash
# manuals.sh - every manual passes mandoc's lint, and refers to manuals that there are. Those need not be installed here, so
# what mandoc says of them is no finding.
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
printf '.Dd nonsense\n.Xq\n' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "a page that is not clean is found" test -n "$(complaints "${TMPDIR:-/tmp}/bad.8")"
echo '.Xr zoo_nowhere 3' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "a manual that there is not is found" test -n "$(refers_to_manuals "${TMPDIR:-/tmp}/bad.8")"
rm -f "${TMPDIR:-/tmp}/bad.8"
tap_done
