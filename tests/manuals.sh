#!/bin/bash
# manuals.sh - every manual passes mandoc's lint. That pages of ours refer to each other before they are installed is no
# finding.
set -u
here=${ZKC_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$here/tests/lib/tap.sh"

complaints()
{
    mandoc -Tlint "$1" 2>&1 | grep -vE 'referenced manual not found: Xr (zoo\.cfg 5|zkserver 8|zkcleanup 8|zkmigration 7)( |$)'
}

clean()
{
    [ -s "$1" ] && ! complaints "$1"
}

if ! command -v mandoc >/dev/null; then
    tap_fact "mandoc is installed" false
    tap_done
fi
built=${ZKC_BUILD:-$here}/man/zoo.cfg.5
for page in "$here"/man/*.[1-9] "$built"; do
    [ "$page" != "$here/man/zoo.cfg.5" ] || [ "$page" = "$built" ] || continue
    tap_fact "$(basename "$page") is clean" clean "$page"
done
printf '.Dd nonsense\n.Xq\n' >"${TMPDIR:-/tmp}/bad.8"
tap_fact "a page that is not clean is found" test -n "$(complaints "${TMPDIR:-/tmp}/bad.8")"
rm -f "${TMPDIR:-/tmp}/bad.8"
tap_done
