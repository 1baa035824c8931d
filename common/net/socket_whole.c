/* socket_whole.c - so many bytes as were asked for, or none, on top of socket.c and whatever stands in its place. */
#include "common/net/socket.h"

int socket_receive_all(int fd, void *bytes, size_t size, int64_t deadline_ms)
{
    uint8_t *at = bytes;
    while (size > 0) {
        size_t got;
        int err = socket_receive(fd, at, size, &got);
        if (err == ZK_OK) {
            at += got;
            size -= got;
        } else if (err == ZK_AGAIN) {
            err = socket_wait(fd, POLLER_READ, deadline_ms);
        }
        if (err != ZK_OK)
            return err;
    }
    return ZK_OK;
}

int socket_send_all(int fd, const void *bytes, size_t size, int64_t deadline_ms)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        struct iovec part = { .iov_base = (void *)at, .iov_len = size };    /* only read */
        size_t sent;
        int err = socket_send(fd, &part, 1, &sent);
        if (err == ZK_OK) {
            at += sent;
            size -= sent;
        } else if (err == ZK_AGAIN) {
            err = socket_wait(fd, POLLER_WRITE, deadline_ms);
        }
        if (err != ZK_OK)
            return err;
    }
    return ZK_OK;
}
