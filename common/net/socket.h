/* Sockets, non-blocking unless a deadline is taken. A socket is an int file descriptor, close-on-exec. */
#ifndef ZKC_COMMON_NET_SOCKET_H
#define ZKC_COMMON_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/base/error.h"
#include "common/net/address.h"
#include "common/net/poller.h"

/* Bound, listening, address reused; backlog <= 0 is 50 as in Java. *ret_fd untouched on failure. */
int socket_listen(const struct address *address, int backlog, int *ret_fd, struct error *error);
/* ZK_OK, ZK_AGAIN, ZK_FULL (out of descriptors: pause, do not spin) or ZK_IO. Connection errors of a peer are
 * retried. */
int socket_accept(int listener, int *ret_fd, struct address *ret_peer, struct error *error);
/* Connects within the deadline (elapsed ms). ZK_TIMED_OUT, ZK_IO. */
int socket_connect(const struct address *address, int64_t deadline_ms, int *ret_fd, struct error *error);
/* The same in two steps, for one whose wait socket_shutdown() of another thread is to end. After a failed wait the
 * socket is still the caller's. */
int socket_connect_start(const struct address *address, int *ret_fd, struct error *error);
int socket_connect_wait(int fd, const struct address *address, int64_t deadline_ms, struct error *error);
int socket_local_address(int fd, struct address *ret_address);
int socket_peer_address(int fd, struct address *ret_address);

void socket_set_no_delay(int fd);
void socket_set_keep_alive(int fd);
void socket_set_no_linger(int fd);
void socket_set_user_timeout(int fd, int64_t timeout_ms);

/* ZK_OK with *ret_size > 0; ZK_AGAIN; ZK_EOF (receive only); ZK_IO with errno kept. */
int socket_receive(int fd, void *bytes, size_t size, size_t *ret_size);
int socket_peek(int fd, void *bytes, size_t size, size_t *ret_size);    /* what the next receive gives again */
int socket_send(int fd, const struct iovec *parts, int count, size_t *ret_size);
/* Until it is ready for one of `events` (POLLER_READ, POLLER_WRITE), or failed or was shut down: the next call
 * says how. ZK_OK, ZK_TIMED_OUT at the deadline (elapsed ms; INT64_MAX is none), ZK_IO. For who has one socket only. */
int socket_wait(int fd, uint32_t events, int64_t deadline_ms);
/* All of it before the deadline (elapsed ms): for clients and tools. ZK_OK, ZK_TIMED_OUT, ZK_EOF, ZK_IO. */
int socket_receive_all(int fd, void *bytes, size_t size, int64_t deadline_ms);
int socket_send_all(int fd, const void *bytes, size_t size, int64_t deadline_ms);

/* No more to send; wakes a reader. */
void socket_shutdown(int fd);
void socket_shutdown_send(int fd);
void socket_close(int fd);    /* -1 is accepted */

#endif
