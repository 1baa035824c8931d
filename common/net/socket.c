/*
 * socket.c - TCP sockets: listening, connecting, and bytes in and out.
 *
 * Every socket made here is non-blocking and close-on-exec. Calls with a deadline poll in naps (clock_nap_ns), so that
 * they follow a clock that a test moves.
 */
#include "common/net/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

#define JAVA_BACKLOG 50
#define NS_PER_S INT64_C(1000000000)

static void set_option(int fd, int level, int name, int value)
{
    /* A hint at most: a socket whose peer is gone may refuse it. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Address without the '/' that Java puts before it. */
static const char *plain_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    address_format(address, text);
    return text + 1;
}

/* The socket is the caller's again after a failure. */
static int bind_and_listen(int fd, const struct address *address, int backlog, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->socket.base.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, &address->socket.base, address->size) < 0)
        return error_set_errno(error, "cannot bind to %s", plain_text(address, text));
    if (listen(fd, backlog > 0 ? backlog : JAVA_BACKLOG) < 0)
        return error_set_errno(error, "cannot listen on %s", plain_text(address, text));
    return ZK_OK;
}

/* Waits for POLLIN or POLLOUT. ZK_OK, ZK_TIMED_OUT, ZK_IO. */
static int wait_ready(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t nap = clock_nap_ns(deadline_ms);
        struct timespec wait = { .tv_sec = nap / NS_PER_S, .tv_nsec = nap % NS_PER_S };
        struct pollfd polled = { .fd = fd, .events = events };
        int ready = ppoll(&polled, 1, &wait, NULL);
        if (ready > 0)
            return ZK_OK;
        if (ready < 0 && errno != EINTR)
            return ZK_IO;
        if (ready == 0 && nap == 0)
            return ZK_TIMED_OUT;
    }
}

/* A connection that its peer or the network gave up before we took it; the next one may be fine. */
static bool is_error_of_peer(int error_number)
{
    switch (error_number) {
    case EINTR: case ECONNABORTED: case EPROTO: case ENETDOWN: case ENOPROTOOPT: case EHOSTDOWN: case ENONET:
    case EHOSTUNREACH: case ENETUNREACH: case EPERM:
        return true;
    default:
        return false;
    }
}

static bool is_shortage(int error_number)
{
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM || error_number == ENOBUFS;
}

static void close_keeping_errno(int fd)
{
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
}

int socket_listen(const struct address *address, int backlog, int *ret_fd, struct error *error)
{
    int fd = socket(address->socket.base.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, "cannot make a socket");
    int err = bind_and_listen(fd, address, backlog, error);
    if (err != ZK_OK) {
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return ZK_OK;
}

int socket_accept(int listener, int *ret_fd, struct address *ret_peer, struct error *error)
{
    for (;;) {
        struct address peer = { .size = sizeof(peer.socket) };
        int fd = accept4(listener, &peer.socket.base, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            *ret_fd = fd;
            *ret_peer = peer;
            return ZK_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return ZK_AGAIN;
        if (is_error_of_peer(errno))
            continue;
        error_set_errno(error, "cannot accept a connection");
        if (!is_shortage(errno))
            return ZK_IO;
        if (error != NULL)
            error->code = ZK_FULL;
        return ZK_FULL;
    }
}

int socket_connect_start(const struct address *address, int *ret_fd, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    int fd = socket(address->socket.base.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, "cannot make a socket");
    if (connect(fd, &address->socket.base, address->size) < 0 && errno != EINPROGRESS && errno != EINTR) {
        error_set_errno(error, "cannot connect to %s", plain_text(address, text));
        close_keeping_errno(fd);
        return ZK_IO;
    }
    *ret_fd = fd;
    return ZK_OK;
}

int socket_connect_wait(int fd, const struct address *address, int64_t deadline_ms, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    int err = wait_ready(fd, POLLOUT, deadline_ms);
    if (err == ZK_TIMED_OUT)
        return error_set(error, err, "cannot connect to %s in time", plain_text(address, text));
    int failure = 0;
    socklen_t size = sizeof(failure);
    if (err == ZK_OK && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0) {
        if (failure == 0)
            return ZK_OK;
        errno = failure;
    }
    return error_set_errno(error, "cannot connect to %s", plain_text(address, text));
}

int socket_connect(const struct address *address, int64_t deadline_ms, int *ret_fd, struct error *error)
{
    int fd;
    int err = socket_connect_start(address, &fd, error);
    if (err != ZK_OK)
        return err;
    err = socket_connect_wait(fd, address, deadline_ms, error);
    if (err == ZK_OK)
        *ret_fd = fd;
    else
        close_keeping_errno(fd);
    return err;
}

int socket_local_address(int fd, struct address *ret_address)
{
    struct address address = { .size = sizeof(address.socket) };
    if (getsockname(fd, &address.socket.base, &address.size) < 0)
        return ZK_IO;
    *ret_address = address;
    return ZK_OK;
}

int socket_peer_address(int fd, struct address *ret_address)
{
    struct address address = { .size = sizeof(address.socket) };
    if (getpeername(fd, &address.socket.base, &address.size) < 0)
        return ZK_IO;
    *ret_address = address;
    return ZK_OK;
}

void socket_set_no_delay(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void socket_set_keep_alive(int fd)
{
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void socket_set_no_linger(int fd)
{
    struct linger off = { .l_onoff = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

void socket_set_user_timeout(int fd, int64_t timeout_ms)
{
    assert(timeout_ms >= 0);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX);
}

static int receive(int fd, void *bytes, size_t size, int flags, size_t *ret_size)
{
    assert(size > 0);
    for (;;) {
        ssize_t got = recv(fd, bytes, size, flags | MSG_DONTWAIT);
        if (got > 0) {
            *ret_size = (size_t)got;
            return ZK_OK;
        }
        if (got == 0)
            return ZK_EOF;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return ZK_AGAIN;
        if (errno != EINTR)
            return ZK_IO;
    }
}

int socket_receive(int fd, void *bytes, size_t size, size_t *ret_size)
{
    return receive(fd, bytes, size, 0, ret_size);
}

int socket_peek(int fd, void *bytes, size_t size, size_t *ret_size)
{
    return receive(fd, bytes, size, MSG_PEEK, ret_size);
}

int socket_send(int fd, const struct iovec *parts, int count, size_t *ret_size)
{
    assert(count > 0);
    struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };    /* only read */
    for (;;) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            *ret_size = (size_t)sent;
            return ZK_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return ZK_AGAIN;
        if (errno != EINTR)
            return ZK_IO;
    }
}

int socket_wait(int fd, uint32_t events, int64_t deadline_ms)
{
    return wait_ready(fd, (short)((events & POLLER_READ ? POLLIN : 0) | (events & POLLER_WRITE ? POLLOUT : 0)),
                      deadline_ms);
}

void socket_shutdown(int fd)
{
    (void)shutdown(fd, SHUT_RDWR);
}

void socket_shutdown_send(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void socket_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
