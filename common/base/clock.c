/*
 * clock.c - elapsed and wall time. Mirrors org.apache.zookeeper.common.Time.
 *
 * A frozen clock is two numbers that tests move; who waits for a deadline meanwhile naps and looks again, see
 * clock_nap_ns().
 */
#include "common/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define LONGEST_NAP_MS INT64_C(3600000)
#define FROZEN_NAP_MS INT64_C(2)

static _Atomic bool is_frozen;
static _Atomic int64_t frozen_elapsed_ms;
static _Atomic int64_t frozen_wall_ms;

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    int failed = clock_gettime(id, &now);
    assert(!failed);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_elapsed_ms(void)
{
    return clock_elapsed_ns() / NS_PER_MS;
}

int64_t clock_elapsed_ns(void)
{
    if (atomic_load(&is_frozen))
        return atomic_load(&frozen_elapsed_ms) * NS_PER_MS;
    return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_coarse_ms(void)
{
    if (atomic_load(&is_frozen))
        return atomic_load(&frozen_elapsed_ms);
    return read_ns(CLOCK_MONOTONIC_COARSE) / NS_PER_MS;
}

int64_t clock_sleep_begins_ms(void)
{
    return atomic_load(&is_frozen) ? -1 : read_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

int64_t clock_overslept_ms(int64_t begin_ms, int64_t wanted_ms)
{
    int64_t end_ms = clock_sleep_begins_ms();
    return begin_ms < 0 || end_ms < 0 ? 0 : end_ms - begin_ms - wanted_ms;
}

int64_t clock_wall_ms(void)
{
    if (atomic_load(&is_frozen))
        return atomic_load(&frozen_wall_ms);
    return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

int64_t clock_wall_ms_since(int64_t wall_ms)
{
    int64_t since_ms;
    return __builtin_sub_overflow(clock_wall_ms(), wall_ms, &since_ms) ? 0 : since_ms;
}

void clock_local_time(int64_t wall_ms, struct tm *ret_time)
{
    time_t seconds = (time_t)(wall_ms / 1000 - (wall_ms % 1000 < 0));
    struct tm *filled = localtime_r(&seconds, ret_time);
    assert(filled != NULL);
}

void clock_sleep_ms(int64_t ms)
{
    int64_t now_ms = clock_elapsed_ms();
    int64_t deadline_ms = ms < INT64_MAX - now_ms ? now_ms + ms : INT64_MAX;
    int64_t nap;
    while ((nap = clock_nap_ns(deadline_ms)) > 0) {
        struct timespec left = { .tv_sec = nap / NS_PER_S, .tv_nsec = nap % NS_PER_S };
        int err = clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL);
        assert(err == 0 || err == EINTR);
    }
}

int64_t clock_nap_ns(int64_t deadline_ms)
{
    bool frozen = atomic_load(&is_frozen);
    int64_t now_ns = clock_elapsed_ns();
    int64_t now_ms = now_ns / NS_PER_MS;
    if (deadline_ms <= now_ms)
        return 0;
    int64_t longest_ms = frozen ? FROZEN_NAP_MS : LONGEST_NAP_MS;
    if (deadline_ms - longest_ms > now_ms)
        return longest_ms * NS_PER_MS;
    return deadline_ms * NS_PER_MS - now_ns;
}

void clock_freeze(int64_t elapsed_ms, int64_t wall_ms)
{
    atomic_store(&frozen_elapsed_ms, elapsed_ms);
    atomic_store(&frozen_wall_ms, wall_ms);
    atomic_store(&is_frozen, true);
}

void clock_advance_ms(int64_t ms)
{
    assert(ms >= 0);
    atomic_fetch_add(&frozen_elapsed_ms, ms);
    atomic_fetch_add(&frozen_wall_ms, ms);
}

void clock_set_wall_ms(int64_t wall_ms)
{
    atomic_store(&frozen_wall_ms, wall_ms);
}

void clock_thaw(void)
{
    atomic_store(&is_frozen, false);
}
