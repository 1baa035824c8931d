/* datagram.c - UDP: one datagram in, one out. */
#include "common/net/datagram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_v6_socket(int fd)
{
    int family = AF_INET;
    socklen_t size = sizeof(family);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_INET6;
}

/* An IPv4 address as a socket of IPv6 takes it. */
static struct address mapped(const struct address *address)
{
    struct address to = {.size = sizeof(to.socket.v6)};
    to.socket.v6.sin6_family = AF_INET6;
    to.socket.v6.sin6_port = address->socket.v4.sin_port;
    to.socket.v6.sin6_addr.s6_addr[10] = to.socket.v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&to.socket.v6.sin6_addr.s6_addr[12], &address->socket.v4.sin_addr, 4);
    return to;
}

/* What an earlier datagram met, reported late. */
static bool is_about_another(int error_number)
{
    switch (error_number) {
    case EINTR: case ECONNREFUSED: case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: case EPROTO: case ENOPROTOOPT:
        return true;
    default:
        return false;
    }
}

int datagram_open(const struct address *address, int *ret_fd, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(address, text);
    int fd = socket(address->socket.base.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(error, "cannot make a socket");
    if (address->socket.base.sa_family == AF_INET6) {
        int off = 0;
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, &address->socket.base, address->size) < 0) {
        error_set_errno(error, "cannot bind to UDP %s", text + 1);
        close(fd);
        return ZK_IO;
    }
    *ret_fd = fd;
    return ZK_OK;
}

int datagram_send(int fd, const struct address *to, const void *bytes, size_t size)
{
    struct address target = to->socket.base.sa_family == AF_INET && is_v6_socket(fd) ? mapped(to) : *to;
    for (;;) {
        if (sendto(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, &target.socket.base, target.size) >= 0)
            return ZK_OK;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return ZK_AGAIN;
        if (errno != EINTR && errno != ECONNREFUSED)
            return ZK_IO;
    }
}

int datagram_receive(int fd, void *bytes, size_t most, size_t *ret_size, struct address *ret_from)
{
    for (;;) {
        struct address from = {.size = sizeof(from.socket)};
        ssize_t got = recvfrom(fd, bytes, most, MSG_DONTWAIT | MSG_TRUNC, &from.socket.base, &from.size);
        if (got >= 0) {
            *ret_size = (size_t)got;
            *ret_from = from;
            return ZK_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return ZK_AGAIN;
        if (!is_about_another(errno))
            return ZK_IO;
    }
}
