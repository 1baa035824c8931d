/* read_write_probe.c - "isro", asked of one server. */
#include "client/read_write_probe.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/net/socket.h"

#define PROBE_TIMEOUT_MS 1000

void read_write_probe_begin(struct read_write_probe *probe, const struct address *address)
{
    read_write_probe_end(probe);
    probe->address = *address;
    probe->is_active = socket_connect_start(address, &probe->fd, NULL) == ZK_OK;
    probe->is_sent = false;
    probe->size = 0;
    probe->deadline_ms = clock_elapsed_ms() + PROBE_TIMEOUT_MS;
}

static enum probe_answer finish(struct read_write_probe *probe)
{
    bool is_read_write = probe->size >= 2 && memcmp(probe->answer, "rw", 2) == 0;
    read_write_probe_end(probe);
    return is_read_write ? PROBE_READ_WRITE : PROBE_READ_ONLY;
}

enum probe_answer read_write_probe_go_on(struct read_write_probe *probe)
{
    int64_t now_ms = clock_elapsed_ms();
    size_t size;
    if (!probe->is_active)
        return PROBE_READ_ONLY;
    if (now_ms >= probe->deadline_ms)
        return finish(probe);
    if (!probe->is_sent) {
        int err = socket_connect_wait(probe->fd, &probe->address, now_ms, NULL);
        if (err == ZK_TIMED_OUT)
            return PROBE_WAITS;
        struct iovec word = { .iov_base = (char[]){ "isro" }, .iov_len = 4 };
        if (err != ZK_OK || socket_send(probe->fd, &word, 1, &size) != ZK_OK)
            return finish(probe);
        probe->is_sent = true;
    }
    int err = socket_receive(probe->fd, probe->answer + probe->size, sizeof(probe->answer) - probe->size, &size);
    if (err == ZK_OK)
        probe->size += size;
    if (err == ZK_AGAIN || (err == ZK_OK && probe->size < 2))
        return PROBE_WAITS;
    return finish(probe);
}

void read_write_probe_end(struct read_write_probe *probe)
{
    if (probe->is_active)
        socket_close(probe->fd);
    probe->is_active = false;
}
