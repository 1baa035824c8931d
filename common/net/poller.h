/* Who of many sockets is ready, and a wake-up from any thread: epoll and eventfd. Mirrors
 * java.nio.channels.Selector. */
#ifndef ZKC_COMMON_NET_POLLER_H
#define ZKC_COMMON_NET_POLLER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { POLLER_READ = 1, POLLER_WRITE = 2, POLLER_HANGUP = 4 };    /* hang-up is always reported */

struct poller;
struct poller_event {
    void *data;         /* what was given with the socket; NULL stands for a wake-up */
    uint32_t events;    /* POLLER_* */
};

struct poller *poller_new(void);
void poller_free(struct poller *poller);
/* Level-triggered. Any thread may call these; a change reaches a waiting poller at once. */
int poller_add(struct poller *poller, int fd, uint32_t events, void *data, struct error *error);
void poller_modify(struct poller *poller, int fd, uint32_t events, void *data);
void poller_remove(struct poller *poller, int fd);

/* Number of events, 0 when the deadline (elapsed ms; INT64_MAX is none) has passed. One thread at a time. */
size_t poller_wait(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ms);
/* The same with a deadline in elapsed ns, for who must be on time: to 50 us or so, the slack of the kernel's timers. */
size_t poller_wait_ns(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ns);
/* Ends the present or the next wait with an event of NULL data; several before one wait count once. Any thread. */
void poller_wake(struct poller *poller);

#endif
