/*
 * sim_disk_fault.c - how each call of the simulated disk begins and ends: another may run, time passes, and what the
 * seed or the driver has in mind for it happens.
 *
 * A program dies only here, before its call has changed anything or when the call is done, so that what it leaves
 * behind is whole.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_disk_internal.h"

static const char *const call_names[SIM_DISK_CALLS] = {
    [SIM_DISK_OPEN] = "open", [SIM_DISK_READ] = "read", [SIM_DISK_WRITE] = "write", [SIM_DISK_SYNC] = "sync",
    [SIM_DISK_TRUNCATE] = "truncate", [SIM_DISK_UNLINK] = "unlink", [SIM_DISK_RENAME] = "rename",
    [SIM_DISK_MAKE_DIRECTORY] = "make directory", [SIM_DISK_SYNC_DIRECTORY] = "sync directory",
    [SIM_DISK_CLOSE] = "close", [SIM_DISK_LIST_DIRECTORY] = "list directory",
};

/* Not of the C library, whose texts would make the hash of a run depend on it. */
static const char *errno_name(int error_number)
{
    switch (error_number) {
    case EIO: return "EIO";
    case ENOSPC: return "ENOSPC";
    case EROFS: return "EROFS";
    default: return "an error";
    }
}

/* ---- traps ---- */

static bool springs(struct sim_trap *trap, enum sim_disk_call call, const char *path, const char *other)
{
    if (!trap->is_set || trap->call != call)
        return false;
    if (trap->part != NULL && strstr(path, trap->part) == NULL && (other == NULL || strstr(other, trap->part) == NULL))
        return false;
    if (--trap->nth > 0)
        return false;
    trap->is_set = false;
    return true;
}

static void set_trap(struct sim_trap *trap, enum sim_disk_call call, const char *part, uint64_t nth)
{
    assert(nth > 0);
    free(trap->part);
    *trap = (struct sim_trap){ .is_set = true, .call = call, .nth = nth };
    if (part != NULL)
        trap->part = sim_disk_copy(part);
}

void sim_disk_fail_next(struct sim_node *node, enum sim_disk_call call, const char *part, uint64_t nth,
                        int error_number)
{
    set_trap(&node->disk->failure, call, part, nth);
    node->disk->failure.error_number = error_number;
}

void sim_disk_doom_next(struct sim_node *node, enum sim_disk_call call, const char *part, uint64_t nth, bool after,
                        bool with_power)
{
    set_trap(&node->disk->doom, call, part, nth);
    node->disk->doom.after = after;
    node->disk->doom.with_power = with_power;
}

uint64_t sim_disk_changes(const struct sim_node *node)
{
    return node->disk->changes;
}

void sim_disk_doom_at_change(struct sim_node *node, uint64_t change, bool after, bool with_power)
{
    node->disk->doom_change = change;
    node->disk->doom_change_after = after;
    node->disk->doom_change_with_power = with_power;
}

void sim_disk_disarm(struct sim_node *node)
{
    node->disk->failure.is_set = node->disk->doom.is_set = false;
    node->disk->doom_change = 0;
}

/* --- calls
 * ----------------------------------------------------------------------------------------------------------- */

static void pass_time(int64_t least_ns, int64_t most_ns)
{
    sim_switch_point();
    int64_t taken_ns = most_ns > 0 ? sim_between(least_ns, most_ns) : 0;
    if (taken_ns > 0)
        sim_sleep_until(sim_now_ns() + taken_ns);
}

/* Whether the program dies in this call, and when. */
static bool is_doomed(struct sim_turn *turn, const char *other, bool is_change, bool *ret_before)
{
    struct sim_disk *disk = turn->disk;
    bool after = false, dies = false;
    if (is_change && disk->changes == disk->doom_change) {
        dies = true;
        after = disk->doom_change_after;
        turn->with_power = disk->doom_change_with_power;
    }
    if (springs(&disk->doom, turn->call, turn->path, other)) {
        dies = true;
        after = disk->doom.after;
        turn->with_power = disk->doom.with_power;
    }
    if (!dies && is_change && sim_one_in(disk->manner.doom_one_in)) {
        dies = true;
        uint64_t when = sim_below(turn->call == SIM_DISK_WRITE ? 3 : 2);
        after = when > 0;
        turn->dies_within = when == 2;
        turn->with_power = disk->manner.doom_with_power;
    }
    turn->dies_after = dies && after;
    *ret_before = dies && !after;
    return dies;
}

struct sim_turn sim_turn_begin(enum sim_disk_call call, const char *path, const char *other, bool is_change)
{
    struct sim_turn turn = { .disk = sim_disk_current(), .call = call, .path = path };
    struct sim_disk_manner *manner = &turn.disk->manner;
    bool is_sync = call == SIM_DISK_SYNC || call == SIM_DISK_SYNC_DIRECTORY;
    if (is_sync)
        pass_time(manner->least_sync_ns, manner->most_sync_ns);
    else
        pass_time(manner->least_call_ns, manner->most_call_ns);
    turn.disk->changes += is_change;
    bool before;
    if (is_doomed(&turn, other, is_change, &before)) {
        sim_trace("disk: dies %s the %s of %s", before ? "before" : turn.dies_within ? "within" : "after",
                  call_names[call], path);
        if (before)
            sim_doom(turn.with_power);
    }
    if (springs(&turn.disk->failure, call, path, other))
        turn.error_number = turn.disk->failure.error_number;
    else if (sim_one_in(manner->fail_one_in[call]))
        turn.error_number = manner->fail_errno;
    if (turn.error_number != 0)
        sim_trace("disk: %s for the %s of %s", errno_name(turn.error_number), call_names[call], path);
    return turn;
}

void sim_turn_end(const struct sim_turn *turn)
{
    if (turn->dies_after)
        sim_doom(turn->with_power);
}

struct sim_disk *sim_turn_look(void)
{
    struct sim_disk *disk = sim_disk_current();
    pass_time(disk->manner.least_call_ns, disk->manner.most_call_ns);
    return disk;
}
