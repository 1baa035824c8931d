/* cli_kind.c - kinds of nodes, and the number of the next sequential child. */
#include "client/cli/cli_kind.h"

#include <stddef.h>
#include <string.h>

static const char *const names[NODE_KINDS] = { "persistent", "ephemeral", "container", "ttl" };

enum node_kind node_kind_of(const struct Stat *stat)
{
    return stat->ephemeralOwner == 0 ? NODE_PERSISTENT : NODE_EPHEMERAL;
}

const char *node_kind_name(enum node_kind kind)
{
    return names[kind];
}

bool node_kind_parse(const char *name, enum node_kind *ret_kind)
{
    for (int kind = 0; kind < NODE_KINDS; kind++)
        if (strcmp(names[kind], name) == 0) {
            *ret_kind = (enum node_kind)kind;
            return true;
        }
    return false;
}

int64_t node_sequence_of(const struct Stat *stat)
{
    return ((int64_t)stat->cversion + stat->numChildren) / 2;
}
