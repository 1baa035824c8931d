/* drama_list.c - the dramas by name. */
#include "tests/known_bugs/dramas.h"

static void sync_by_snap(struct plan *plan)
{
    stage_add_options(plan, "snapshotSizeFactor=-1\n");
}

/* Enough of them that one is at each server. */
static void many_clients(struct plan *plan)
{
    plan->clients = 4;
    for (int i = 0; i < plan->clients; i++) {
        plan->session_timeout_ms[i] = plan->session_timeout_ms[0];
        plan->pause_ns[i] = plan->pause_ns[0];
        plan->weights[i][SIM_WRITE] = 1;
    }
}

static void busy_clients(struct plan *plan)
{
    sync_by_snap(plan);
    many_clients(plan);
    for (int i = 0; i < plan->clients; i++)
        plan->pause_ns[i] = 5 * SIM_MS;
}

static void ephemerals(struct plan *plan)
{
    stage_add_options(plan, "commitLogCount=100000\n");
    plan->clients = 2;
    plan->session_timeout_ms[1] = 1000;
    plan->pause_ns[1] = 60 * SIM_MS;
    plan->weights[1][SIM_EPHEMERAL] = 1;
}

const struct drama dramas[] = {
    {"diff-and-power", NULL, play_diff_and_power},
    {"snap-and-power", sync_by_snap, play_snap_and_power},
    {"slow-log", NULL, play_slow_log},
    {"phantom", many_clients, play_phantom},
    {"phantom-that-stays", many_clients, play_phantom_that_stays},
    {"disk-error", NULL, play_disk_error},
    {"killed-before-sync", NULL, play_killed_before_sync},
    {"failed-at-start", NULL, play_failed_at_start},
    {"power-of-all", NULL, play_power_of_all},
    {"leader-lost-in-snap", sync_by_snap, play_leader_lost_in_snap},
    {"leader-lost-in-diff", ephemerals, play_leader_lost_in_diff},
    {"join-under-load", busy_clients, play_join_under_load},
    {"heir-of-a-diff", NULL, play_heir_of_a_diff},
    {NULL, NULL, NULL},
};
