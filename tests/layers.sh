#!/usr/bin/env bash
# layers.sh - holds every include of the source against the strata of ARCHITECTURE.md.
#
# A room (a directory, or what stands right in server/ and client/) includes itself and rooms of lower rank. Rooms of
# equal rank do not see each other. server/ and client/ see common/ and never one another. Includes in quotes are
# written from the top of the tree; only tests/ may include everything.
#
# The public headers of client/ are installed beside each other, so these include one another by bare names and nothing
# else; all other files reach them through client/public.h or client/client_log.h, which know how, and client/recipes as
# the programs of users do.

set -u
top=${ZKC_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
. "$top/tests/lib/tap.sh"

# Prints one line per include of the tree below $1 that goes against the strata; silent when all is well.
find_violations()
{
    (cd "$1" && find common server client -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) 2>/dev/null |
        LC_ALL=C sort | xargs -r awk '
    BEGIN {
        rank_rooms("common/base common/thread common/net common/wire common/config common/sasl")
        rank_rooms("server/config,server/metric server/watch server/tree server/persistence " \
                   "server/session,server/auth server/cnxn server/request server server/quorum " \
                   "server/command,server/admin server/mains")
        rank_rooms("client client/bench,client/cli,client/recipes,client/examples")
        split("proto.h recordio.h zookeeper.h zookeeper.jute.h zookeeper_log.h zookeeper_version.h " \
              "recipes/zoo_election.h recipes/zoo_lock.h recipes/zoo_queue.h", names, " ")
        for (n in names)
            public["client/" names[n]]
    }
    function rank_rooms(order,    steps, rooms, s, r) {
        split(order, steps, " ")
        for (s = 1; s in steps; s++) {
            split(steps[s], rooms, ",")
            for (r = 1; r in rooms; r++)
                rank[rooms[r]] = s
        }
    }
    # Which room a file or an include from the top stands in; "" for none.
    function room_of(path,    parts, room) {
        if (path ~ /^server\/zk[a-z]*\.c$/ || path ~ /^server\/tools\//)
            return "server/mains"
        if (split(path, parts, "/") == 2)
            room = parts[1]
        else
            room = parts[1] "/" parts[2]
        return room in rank ? room : ""
    }
    function half(room) { sub(/\/.*/, "", room); return room }
    function report(why) { printf "%s:%d: %s\n", FILENAME, FNR, why }
    FNR == 1 {
        from = room_of(FILENAME)
        if (from == "")
            report("stands in a directory that has no place in the strata")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ && from != "" {
        path = $0
        sub(/^[^"]*"/, "", path)
        sub(/".*/, "", path)
        if (path == "config.h")
            next
        if (FILENAME in public) {
            if (!("client/" path in public))
                report("\"" path "\" is not public, but included by a header that is")
            next
        }
        if (path in public && FILENAME !~ /^client\/(public\.h|client_log\.h|recipes\/.*)$/) {
            report("\"" path "\" is included by itself, not through client/public.h or client/client_log.h")
            next
        }
        if (path !~ /^(common|server|client)\//) {
            report("\"" path "\" is not written from the top of the tree")
            next
        }
        to = room_of(path)
        if (to == "")
            report("\"" path "\" has no place in the strata")
        else if (half(from) != half(to) && half(to) != "common")
            report(half(from) "/ includes \"" path "\" of " half(to) "/")
        else if (half(from) == half(to) && from != to && rank[to] >= rank[from])
            report(from " includes \"" path "\" of " to ", which stands " \
                   (rank[to] > rank[from] ? "above it" : "beside it"))
    }')
}

# The facts below are proved on a copy of the tree with one more file in it.
planted=$(mktemp -d "${TMPDIR:-/tmp}/zkc-layers.XXXXXX") || exit 99
trap 'rm -rf "$planted"' EXIT
for half in common server client; do
    mkdir -p "$planted/$half"
    [ ! -d "$top/$half" ] || (cd "$top" && find "$half" -name '*.[ch]' -o -name '*.def' -type f) | while IFS= read -r file; do
        mkdir -p "$planted/$(dirname "$file")" && cp "$top/$file" "$planted/$file"
    done
done

# try FILE INCLUDE...: puts FILE with these includes into the copy, prints what is found in it, takes it away.
try()
{
    local file=$1 include
    shift
    mkdir -p "$(dirname "$planted/$file")"
    for include in "$@"; do
        printf '#include "%s"\n' "$include"
    done >"$planted/$file"
    find_violations "$planted" | grep "^$file:"
    rm -f "$planted/$file"
}
refused() { [ "$(try "$@" | wc -l)" -eq $(($# - 1)) ]; }
allowed() { [ -z "$(try "$@")" ]; }
whole_tree() { local found; found=$(find_violations "$top"); printf '%s' "$found"; [ -z "$found" ]; }

tap_fact "every include of common/, server/ and client/ keeps to the strata" whole_tree
tap_fact "a room may include itself, what stands below it, and config.h" allowed server/tree/planted.c \
    server/tree/x.h server/watch/x.h server/config/x.h server/metric/x.h common/wire/x.h common/sasl/x.h config.h
tap_fact "a main may include everything of server/ and common/" allowed server/tools/planted.c \
    server/command/x.h server/quorum/x.h server/x.h common/base/x.h
tap_fact "the library stands under the command line" allowed client/cli/planted.c client/x.h common/net/x.h
tap_fact "recipes and the command line stand on the library" allowed client/recipes/planted.c client/zookeeper.h
tap_fact "not so: the library includes a recipe" refused client/planted.c client/recipes/x.h
tap_fact "not so: base includes thread" refused common/base/planted.c common/thread/x.h
tap_fact "not so: net includes wire, config, sasl" refused common/net/planted.h \
    common/wire/x.h common/config/x.h common/sasl/x.h
tap_fact "not so: common includes server or client" refused common/sasl/planted.h server/config/x.h client/x.h
tap_fact "not so: tree includes persistence" refused server/tree/planted.c server/persistence/x.h
tap_fact "not so: session and auth see each other" refused server/session/planted.c server/auth/x.h
tap_fact "not so: auth and session see each other" refused server/auth/planted.c server/session/x.h
tap_fact "not so: config and metric see each other" refused server/metric/planted.c server/config/x.h
tap_fact "not so: request includes the server above it" refused server/request/planted.c server/zookeeper_server.h
tap_fact "not so: the server includes quorum or command" refused server/planted.c server/quorum/x.h server/command/x.h
tap_fact "not so: anybody includes a tool" refused server/command/planted.c server/tools/x.h
tap_fact "not so: server and client see each other (server)" refused server/planted.c client/x.h
tap_fact "not so: server and client see each other (client)" refused client/planted.c server/config/x.h
tap_fact "not so: the library includes the command line" refused client/planted.c client/cli/x.h
tap_fact "a public header includes other public headers by their bare names" allowed client/proto.h \
    recordio.h zookeeper.jute.h
tap_fact "not so: a public header includes what is private" refused client/proto.h \
    client/public.h common/base/x.h client/recordio.h
tap_fact "not so: a private file includes a public header by itself" refused client/planted.c \
    client/zookeeper.h client/zookeeper_log.h recordio.h
tap_fact "not so: an include that is not written from the top" refused server/tree/planted.c data_node.h ../watch/x.h
tap_fact "not so: an include of a test" refused server/tree/planted.c tests/lib/x.h
tap_fact "not so: a directory without a place in the strata" refused server/misc/planted.c config.h
tap_done
