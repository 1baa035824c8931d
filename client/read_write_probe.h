/*
 * While the session is on a read-only server: is one of the others not? Mirrors SendThread.pingRwServer: "isro", asked
 * on a connection of its own, without ever waiting. Asks in plain text; a server that speaks TLS only is not found.
 */
#ifndef ZKC_CLIENT_READ_WRITE_PROBE_H
#define ZKC_CLIENT_READ_WRITE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/net/address.h"

enum probe_answer { PROBE_WAITS, PROBE_READ_ONLY /* or no answer */, PROBE_READ_WRITE };

struct read_write_probe {    /* {0} is one that does nothing */
    bool is_active, is_sent;
    int fd;
    struct address address;
    int64_t deadline_ms;
    char answer[8];
    size_t size;
};

void read_write_probe_begin(struct read_write_probe *probe, const struct address *address);
/* Goes on with it; after an answer it has ended. */
enum probe_answer read_write_probe_go_on(struct read_write_probe *probe);
void read_write_probe_end(struct read_write_probe *probe);

#endif
