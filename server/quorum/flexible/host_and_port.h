/* Splitting texts as Java does, and "host:port:..." with IPv6 in brackets. Mirrors String.split and
 * ConfigUtils.getHostAndPort. No state; any thread. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_HOST_AND_PORT_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_HOST_AND_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct text_pieces {
    char **items;
    size_t count;
};
void text_pieces_release(struct text_pieces *pieces);
/* At each separator; empty pieces at the end are left out, so a text of separators has none, and an empty text one. */
void text_split(const char *text, char separator, struct text_pieces *ret_pieces);
/* The host without brackets and what stands behind it, at each ':'. ZK_BAD_CONFIG: a bracket without its other one, or
 * nothing behind "]:". */
int host_and_port_split(const char *text, struct text_pieces *ret_pieces, struct error *error);

/* The host as InetSocketAddress.getHostString() has it: a number in Java's form ("0:0:0:0:0:0:0:1"), "localhost" for an
 * empty text, any other as it is. The caller's. */
char *host_canonical(const char *host);
/* Integer.parseInt and the check of InetSocketAddress. ZK_BAD_CONFIG: "Address unresolved: host:text", or out of
 * range. */
int port_parse(const char *host, const char *text, uint16_t *ret_port, struct error *error);

#endif
