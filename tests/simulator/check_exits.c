/*
 * check_exits.c - a server whose disk does what disks do never ends by itself.
 *
 * Whatever others do to it, it goes on or is told to end; and what it left behind at a kill or a loss of power is
 * enough for it to start again. An end with a code is the answer to a disk that fails, is full, lies or was lost, and
 * to nothing else.
 */
#include "tests/simulator/cluster.h"

static bool concerns_disk(enum plan_fault_kind kind)
{
    switch (kind) {
    case FAULT_FAIL_WRITE:
    case FAULT_FAIL_SYNC:
    case FAULT_FAIL_RENAME:
    case FAULT_FULL_DISK:
    case FAULT_AMNESIA:
    case FAULT_ROT: return true;
    default: return false;
    }
}

void check_exits_begin(struct cluster *cluster)
{
    const struct plan *plan = cluster->plan;
    for (size_t i = 0; i < plan->fault_count; i++)
        if (concerns_disk(plan->faults[i].kind) && !plan->faults[i].is_left_out)
            cluster->may_end[plan->faults[i].server] = true;
}

void check_exits(struct cluster *cluster)
{
    for (int i = 0; i < cluster->server_count; i++) {
        struct sim_node *node = cluster->servers[i].node;
        if (node->is_running || node->exit_code == 0)
            continue;
        if (!cluster->may_end[i])
            sim_violation("%s ends by itself with code %d", node->name, node->exit_code);
        node->exit_code = 0;
    }
}
