/* sim_clock.c - common/base/clock.h: the clocks of the machine whose program asks; the driver has true time. */
#include "common/base/clock.h"

#include <stddef.h>

#include "tests/simulator/world.h"

#define LONGEST_NAP_MS INT64_C(3600000)

int64_t clock_elapsed_ns(void)
{
    world_look();
    const struct sim_node *node = sim_current_node();
    return node != NULL ? sim_node_elapsed_ns(node) : sim_now_ns();
}

int64_t clock_elapsed_ms(void)
{
    return clock_elapsed_ns() / SIM_MS;
}

int64_t clock_coarse_ms(void)
{
    return clock_elapsed_ms();
}

int64_t clock_sleep_begins_ms(void)
{
    return clock_elapsed_ms();
}

int64_t clock_overslept_ms(int64_t begin_ms, int64_t wanted_ms)
{
    return clock_elapsed_ms() - begin_ms - wanted_ms;
}

int64_t clock_wall_ms(void)
{
    static const struct sim_node nowhere = {.index = -1};
    world_look();
    const struct sim_node *node = sim_current_node();
    return sim_node_wall_ms(node != NULL ? node : &nowhere);
}

int64_t clock_wall_ms_since(int64_t wall_ms)
{
    int64_t since_ms;
    return __builtin_sub_overflow(clock_wall_ms(), wall_ms, &since_ms) ? 0 : since_ms;
}

void clock_local_time(int64_t wall_ms, struct tm *ret_time)
{
    time_t seconds = (time_t)(wall_ms / 1000 - (wall_ms % 1000 < 0));
    gmtime_r(&seconds, ret_time);    /* the time zone of this machine is no part of the world */
}

void clock_sleep_ms(int64_t ms)
{
    const struct sim_node *node = sim_current_node();
    int64_t end_ns = clock_elapsed_ns() + ms * SIM_MS;
    sim_sleep_until(node != NULL ? sim_node_true_ns(node, end_ns) : end_ns);
}

int64_t clock_nap_ns(int64_t deadline_ms)
{
    int64_t now_ns = clock_elapsed_ns(), now_ms = now_ns / SIM_MS;
    if (deadline_ms <= now_ms)
        return 0;
    return deadline_ms - LONGEST_NAP_MS > now_ms ? LONGEST_NAP_MS * SIM_MS : deadline_ms * SIM_MS - now_ns;
}
