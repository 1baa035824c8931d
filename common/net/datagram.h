/* UDP sockets, non-blocking; who waits does so in a poller. A socket is an int file descriptor, socket_close() ends
 * it. */
#ifndef ZKC_COMMON_NET_DATAGRAM_H
#define ZKC_COMMON_NET_DATAGRAM_H

#include <stddef.h>

#include "common/base/error.h"
#include "common/net/address.h"

/* Bound; port 0 lets the system choose. *ret_fd untouched on failure. */
int datagram_open(const struct address *address, int *ret_fd, struct error *error);
/* ZK_OK, ZK_AGAIN (no room) or ZK_IO. An IPv4 address may be sent to from a socket of IPv6. */
int datagram_send(int fd, const struct address *to, const void *bytes, size_t size);
/* ZK_OK, ZK_AGAIN or ZK_IO. *ret_size is the size of the datagram, of which at most `most` bytes are given. That nobody
 * listened where something was sent to earlier is no error here. */
int datagram_receive(int fd, void *bytes, size_t most, size_t *ret_size, struct address *ret_from);

#endif
