/*
 * poller.c - epoll for sockets, an eventfd for wake-ups. Mirrors java.nio.channels.Selector.
 *
 * A wake-up writes to the eventfd only if no other is on its way. The waiter empties the eventfd first and then clears
 * the mark: who wakes in between finds the mark set and writes nothing, and what he did before is seen by the waiter,
 * which is about to return a wake-up.
 */
#include "common/net/poller.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"

#define BATCH_SIZE 256
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct poller {
    int epoll_fd;
    int wake_fd;
    _Atomic bool is_woken;
};

static _Noreturn void give_up(const char *call)
{
    log_error("%s: %s", call, strerrordesc_np(errno));
    abort();
}

static uint32_t to_epoll(uint32_t events)
{
    return (events & POLLER_READ ? (uint32_t)EPOLLIN : 0) | (events & POLLER_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static uint32_t from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? (uint32_t)POLLER_READ : 0) | (events & EPOLLOUT ? (uint32_t)POLLER_WRITE : 0)
           | (events & (EPOLLHUP | EPOLLERR) ? (uint32_t)POLLER_HANGUP : 0);
}

static void take_wake_up(struct poller *poller)
{
    uint64_t count;
    while (read(poller->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR) {
        /* again */
    }
    atomic_exchange(&poller->is_woken, false);
}

/* Rounded up, so that nobody wakes a little too early and again. */
static int nap_ms(int64_t deadline_ms)
{
    return (int)((clock_nap_ns(deadline_ms) + NS_PER_MS - 1) / NS_PER_MS);
}

struct poller *poller_new(void)
{
    struct poller *poller = MEMORY_NEW(struct poller);
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll_fd < 0)
        give_up("epoll_create1");
    poller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->wake_fd < 0)
        give_up("eventfd");
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wake_fd, &event) < 0)
        give_up("epoll_ctl");
    return poller;
}

void poller_free(struct poller *poller)
{
    if (poller == NULL)
        return;
    close(poller->wake_fd);
    close(poller->epoll_fd);
    memory_free(poller);
}

int poller_add(struct poller *poller, int fd, uint32_t events, void *data, struct error *error)
{
    assert(data != NULL);
    struct epoll_event event = { .events = to_epoll(events), .data.ptr = data };
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_set_errno(error, "cannot poll descriptor %d", fd);
    return ZK_OK;
}

void poller_modify(struct poller *poller, int fd, uint32_t events, void *data)
{
    assert(data != NULL);
    struct epoll_event event = { .events = to_epoll(events), .data.ptr = data };
    /* Another thread may have taken it out in the meantime. */
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 && errno != ENOENT && errno != EBADF)
        give_up("epoll_ctl");
}

void poller_remove(struct poller *poller, int fd)
{
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL) < 0 && errno != ENOENT && errno != EBADF)
        give_up("epoll_ctl");
}

/* What epoll found, for the caller. */
static size_t take_events(struct poller *poller, const struct epoll_event *ready, int count,
                          struct poller_event *events)
{
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr == NULL)
            take_wake_up(poller);
        events[i] = (struct poller_event){ .data = ready[i].data.ptr, .events = from_epoll(ready[i].events) };
    }
    return (size_t)count;
}

size_t poller_wait(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ms)
{
    assert(most > 0);
    struct epoll_event ready[BATCH_SIZE] LEFT_AS_IT_IS;
    int count, wait_ms;
    do {
        wait_ms = nap_ms(deadline_ms);
        count = epoll_wait(poller->epoll_fd, ready, most < BATCH_SIZE ? (int)most : BATCH_SIZE, wait_ms);
        if (count < 0 && errno != EINTR)
            give_up("epoll_wait");
    } while (count < 0 || (count == 0 && wait_ms > 0));
    return take_events(poller, ready, count, events);
}

size_t poller_wait_ns(struct poller *poller, struct poller_event *events, size_t most, int64_t deadline_ns)
{
    assert(most > 0);
    struct epoll_event ready[BATCH_SIZE] LEFT_AS_IT_IS;
    int count;
    int64_t nap_ns;
    do {
        int64_t left_ns = deadline_ns - clock_elapsed_ns(), longest_ns = clock_nap_ns(INT64_MAX);
        nap_ns = left_ns <= 0 ? 0 : left_ns < longest_ns ? left_ns : longest_ns;
        struct timespec wait = { .tv_sec = nap_ns / NS_PER_S, .tv_nsec = nap_ns % NS_PER_S };
        count = epoll_pwait2(poller->epoll_fd, ready, most < BATCH_SIZE ? (int)most : BATCH_SIZE, &wait, NULL);
        if (count < 0 && errno != EINTR)
            give_up("epoll_pwait2");
    } while (count < 0 || (count == 0 && nap_ns > 0));
    return take_events(poller, ready, count, events);
}

void poller_wake(struct poller *poller)
{
    if (atomic_exchange(&poller->is_woken, true))
        return;
    uint64_t one = 1;
    while (write(poller->wake_fd, &one, sizeof(one)) < 0) {
        if (errno != EINTR)
            give_up("cannot wake a poller");
    }
}
