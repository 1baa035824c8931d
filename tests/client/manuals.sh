#!/bin/bash
# manuals.sh - the library's manuals and its headers say the same: every function is named by one page, and its prototype
# stands there as it is declared.
set -u
here=${ZKC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$here/tests/lib/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v output=header -f "$here/client/jute_compiler.awk" "$here/client/zookeeper.jute" >"$work/zookeeper.jute.h"
headers=("$here/client/zookeeper.h" "$here/client/zookeeper_log.h" "$here/client/recordio.h")

# "name: declaration" of each function and type of function in headers, blanks only where they separate words.
declared()
{
    awk '
        /^#/ { while (/\\$/) getline; next }
        /^extern "C" \{$/ || /^}$/ { next }
        { text = text " " $0 }
        END {
            while ((at = index(text, "/*")) > 0) {
                rest = substr(text, at + 2)
                text = substr(text, 1, at - 1) " " substr(rest, index(rest, "*/") + 2)
            }
            gsub(/__attribute__\(\([^)]*\)*\)\)/, "", text)
            gsub(/ZOOAPI/, "", text)
            while (gsub(/\{[^{}]*\}/, "", text) > 0)
                continue
            gsub(/[ \t]+/, " ", text)
            count = split(text, statements, ";")
            for (i = 1; i <= count; i++) {
                statement = statements[i]
                while (match(statement, / [*(),]|[*(),] /))
                    statement = substr(statement, 1, RSTART - 1) \
                        (substr(statement, RSTART, 1) == " " ? substr(statement, RSTART + 1, 1) \
                                                             : substr(statement, RSTART, 1)) substr(statement, RSTART + 2)
                sub(/^ +/, "", statement)
                if (index(statement, "(") == 0)
                    continue
                name = statement
                if (statement ~ /^typedef/) {
                    sub(/^[^(]*\(\*/, "", name)
                    sub(/\).*/, "", name)
                } else {
                    sub(/\(.*/, "", name)
                    sub(/.*[ *]/, "", name)
                }
                print name ": " statement
            }
        }' "$@" | sort
}

# The same of what stands in the synopsis of pages.
documented()
{
    awk '
        function add(argument) { arguments = arguments (arguments == "" ? "" : ",") argument }
        function finish(    name, statement) {
            name = function_name
            gsub(/[(*)]/, "", name)
            statement = type " " function_name "(" arguments ")"
            while (match(statement, / [*(),]|[*(),] /))
                statement = substr(statement, 1, RSTART - 1) \
                    (substr(statement, RSTART, 1) == " " ? substr(statement, RSTART + 1, 1) \
                                                         : substr(statement, RSTART, 1)) substr(statement, RSTART + 2)
            print name ": " statement
        }
        /^\.Sh / { is_synopsis = $2 == "SYNOPSIS" }
        !is_synopsis { next }
        { line = $0; sub(/^\.[A-Z][a-z] ?/, "", line) }
        /^\.Ft / { gsub(/"/, "", line); type = line }
        /^\.F[on] / { arguments = "" }
        /^\.Fo / { gsub(/"/, "", line); function_name = line }
        /^\.Fa / { gsub(/"/, "", line); add(line) }
        /^\.Fc/ { finish() }
        /^\.Fn / {
            function_name = line
            sub(/ .*/, "", function_name)
            sub(/^[^ ]* ?/, "", line)
            while (line != "") {
                if (substr(line, 1, 1) == "\"") {
                    argument = substr(line, 2)
                    sub(/".*/, "", argument)
                    line = substr(line, length(argument) + 3)
                } else {
                    argument = line
                    sub(/ .*/, "", argument)
                    line = substr(line, length(argument) + 1)
                }
                sub(/^ /, "", line)
                add(argument)
            }
            finish()
        }' "$@" | sort
}

# What pages are called, each as often as it is.
names()
{
    awk '/^\.Sh / { is_name = $2 == "NAME" } is_name && /^\.Nm / { print $2 }' "$@" | sort
}

functions()
{
    declared "$@" | grep -v ': typedef' | sed 's/:.*//' | sort -u
}

# Prints what is in the first of two lists and not in the second, and fails if there is anything.
all_in()
{
    ! comm -23 <(sort -u "$1") <(sort -u "$2") | grep .
}

pages=("$here"/man/*.3)
functions "${headers[@]}" >"$work/functions"
declared "${headers[@]}" "$work/zookeeper.jute.h" >"$work/declared"
documented "${pages[@]}" | sort -u >"$work/documented"
names "${pages[@]}" >"$work/names"
sed 's/:.*//' "$work/documented" >"$work/shown"
{ functions "${headers[@]}" "$work/zookeeper.jute.h"; for page in "${pages[@]}"; do basename "$page" .3; done; } >"$work/known"

named_once()
{
    ! uniq -d "$work/names" | grep .
}

shows_what_it_names()
{
    all_in <(names "$1" | grep -vx zookeeper) <(documented "$1" | sed 's/:.*//')
}

tap_fact "the headers declare more than a hundred functions" test "$(wc -l <"$work/functions")" -gt 100
tap_fact "every function has a page" all_in "$work/functions" "$work/names"
tap_fact "none has two" named_once
tap_fact "every name is that of a function" all_in "$work/names" "$work/known"
tap_fact "prototypes are those of the headers" all_in "$work/documented" "$work/declared"
for page in "${pages[@]}"; do
    tap_fact "$(basename "$page") shows the prototypes of what it names" shows_what_it_names "$page"
done

echo 'ZOOAPI int zoo_nowhere(zhandle_t *zh);' >"$work/nowhere.h"
functions "$work/nowhere.h" >"$work/nowhere"
tap_fact "a function without a page is found" test "$(all_in "$work/nowhere" "$work/names")" = zoo_nowhere
printf '.Sh SYNOPSIS\n.Ft int\n.Fn zoo_state "const zhandle_t *zh"\n' >"$work/wrong.3"
documented "$work/wrong.3" >"$work/wrong"
tap_fact "a prototype that is another one is found" test -n "$(all_in "$work/wrong" "$work/declared")"
tap_done
