/*
 * Kinds of nodes. Mirrors EphemeralType, as far as clients are told: to them a server shows the owner of an ephemeral
 * node, and containers and nodes with a TTL as persistent ones. No state; any thread.
 */
#ifndef ZKC_CLIENT_CLI_KIND_H
#define ZKC_CLIENT_CLI_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "client/public.h"

enum node_kind { NODE_PERSISTENT, NODE_EPHEMERAL, NODE_CONTAINER, NODE_TTL, NODE_KINDS };

/* NODE_PERSISTENT or NODE_EPHEMERAL. */
enum node_kind node_kind_of(const struct Stat *stat);
const char *node_kind_name(enum node_kind kind);    /* "persistent", ... */
bool node_kind_parse(const char *name, enum node_kind *ret_kind);

/*
 * The number the next sequential child would get: how many children were ever made. The cversion that clients see
 * counts deletions too.
 */
int64_t node_sequence_of(const struct Stat *stat);

#endif
