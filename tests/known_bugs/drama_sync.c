/* drama_sync.c - what may happen while a server catches up with its leader. */
#include <errno.h>

#include "tests/known_bugs/dramas.h"
#include "tests/simulator/disk.h"
#include "tests/simulator/network.h"

#define MOST_CHANGES 40    /* of a disk, from a start to the end of a DIFF */
#define FIRST_NAME 3       /* that becomes durable meanwhile, behind those of the start: that of acceptedEpoch */
#define NAMES 3

static struct sim_node *node_of(struct cluster *cluster, int server)
{
    return cluster->servers[server].node;
}

/* What comes over a link comes in small pieces, some of them late; all is as usual again for 0. */
static void trickle(struct sim_link *link, int64_t latest_ns)
{
    link->largest_piece = latest_ns > 0 ? 20 : 0;
    link->most_latency_ns = latest_ns > 0 ? latest_ns : 500 * SIM_US;
}

/* One server misses what the two others acknowledge; then nobody runs. Returns who missed it. */
static int fall_behind(struct cluster *cluster, int *ret_leader)
{
    if (!stage_begin(cluster))
        return -1;
    int leader = cluster_leader(cluster), behind = stage_other(cluster, leader, -1);
    stage_down(cluster, behind, true);
    stage_run(cluster, SIM_S);
    *ret_leader = leader;
    return behind;
}

/*
 * 3911, 4643, 4646, 4785, 3023: a server takes a DIFF from a leader with which it is the quorum, and both lose their
 * power somewhere between DIFF and the first writes behind UPTODATE. Without the leader, who has what was acknowledged
 * before?
 */
static void lose_power_in_sync(struct cluster *cluster, bool has_nothing)
{
    int leader, behind = fall_behind(cluster, &leader);
    if (behind < 0)
        return;
    if (has_nothing)
        sim_disk_wipe(node_of(cluster, behind), "/data/version-2");
    int witness = stage_other(cluster, leader, behind);
    stage_all_down(cluster, true);
    struct sim_disk_manner *manner = sim_disk_manner(node_of(cluster, behind));
    manner->loss = SIM_DISK_LOSS_ALL;
    uint64_t seed = cluster->plan->seed;
    manner->most_sync_ns = seed % 2 == 1 ? 50 * SIM_MS : manner->most_sync_ns;
    if (seed % 2 == 0)    /* at each change of its disk, */
        sim_disk_doom_at_change(node_of(cluster, behind),
                                sim_disk_changes(node_of(cluster, behind)) + 1 + seed / 2 % MOST_CHANGES, sim_one_in(2),
                                true);
    else                  /* or when a name, as of a file of an epoch, has just become durable */
        sim_disk_doom_next(node_of(cluster, behind), SIM_DISK_SYNC_DIRECTORY, NULL, FIRST_NAME + seed / 2 % NAMES, true,
                           true);
    cluster_hold_down(cluster, behind, SIM_FOREVER / 2);
    stage_up(cluster, leader);
    stage_up(cluster, behind);
    stage_run(cluster, 50 * SIM_MS);
    stage_await_end(cluster, behind, 10 * SIM_S);
    stage_down(cluster, leader, true);
    stage_down(cluster, behind, true);
    sim_disk_disarm(node_of(cluster, behind));
    stage_up(cluster, witness);
    stage_up(cluster, behind);
    if (stage_await_service(cluster, 2))
        stage_run(cluster, SIM_S);
}

void play_diff_and_power(struct cluster *cluster)
{
    lose_power_in_sync(cluster, false);
}

/* The same with a server that has nothing, and gets a snapshot. */
void play_snap_and_power(struct cluster *cluster)
{
    lose_power_in_sync(cluster, true);
}

/* A server that has nothing yet gets a snapshot over a slow link, and the leader is lost after a while. Returns it. */
static int lose_leader_in_snapshot(struct cluster *cluster, int *ret_leader)
{
    int leader, behind = fall_behind(cluster, &leader);
    if (behind < 0)
        return -1;
    struct sim_link *link = sim_link(node_of(cluster, leader), node_of(cluster, behind));
    sim_disk_wipe(node_of(cluster, behind), "/data/version-2");
    link->most_latency_ns = 1500 * SIM_MS;    /* so that NEWLEADER comes long after the snapshot */
    stage_up(cluster, behind);
    for (int i = 0; i < 1000 && !cluster->servers[behind].facts.takes_snapshot; i++)
        stage_run(cluster, 10 * SIM_MS);
    stage_run(cluster, sim_between(0, 500) * SIM_MS);
    sim_network_reset(node_of(cluster, leader), node_of(cluster, behind), 1);
    stage_down(cluster, leader, true);
    trickle(link, 0);
    *ret_leader = leader;
    return behind;
}

/* 3642: it goes on with another leader, by a DIFF, and is killed. */
void play_leader_lost_in_snap(struct cluster *cluster)
{
    int leader, behind = lose_leader_in_snapshot(cluster, &leader);
    if (behind < 0 || !stage_await_service(cluster, 2))
        return;
    stage_run(cluster, SIM_S / 2);
    stage_down(cluster, behind, false);
    stage_up(cluster, leader);
    stage_up(cluster, behind);
    stage_await_service(cluster, 3);
}

/* 2355: the link breaks while a server reads what a DIFF brings; sessions with ephemerals ended meanwhile. */
void play_leader_lost_in_diff(struct cluster *cluster)
{
    if (!stage_begin(cluster))
        return;
    int leader = cluster_leader(cluster), behind = stage_other(cluster, leader, -1);
    stage_isolate_whole(cluster, behind, true);
    for (int i = 0; i < 4; i++) {
        stage_run(cluster, SIM_S / 2);
        sim_node_kill(cluster->clients[1].node, false);    /* its ephemeral goes when its session expires */
    }
    stage_run(cluster, 2 * SIM_S);
    struct sim_link *link = sim_link(node_of(cluster, leader), node_of(cluster, behind));
    trickle(link, 20 * SIM_MS);
    stage_isolate_whole(cluster, behind, false);
    for (int i = 0; i < 6; i++) {
        stage_run(cluster, sim_between(200, 1500) * SIM_MS);
        sim_network_reset(node_of(cluster, leader), node_of(cluster, behind), 1);
    }
    trickle(link, 0);
    stage_await_service(cluster, 3);
}

/* 4394: disks are slow, so that there is always something proposed and not yet committed when a server comes in; it
 * must come in at the first try. Every other seed it has nothing and gets a snapshot (ClickHouse 54572). */
void play_join_under_load(struct cluster *cluster)
{
    int leader, behind = fall_behind(cluster, &leader);
    if (behind < 0)
        return;
    if (cluster->plan->seed % 2 == 1)
        sim_disk_wipe(node_of(cluster, behind), "/data/version-2");
    for (int i = 0; i < cluster->server_count; i++)
        sim_disk_manner(node_of(cluster, i))->most_sync_ns = 40 * SIM_MS;
    stage_run(cluster, SIM_S / 2);
    stage_up(cluster, behind);
    for (int i = 0; i < 500 && !stage_serves(cluster, behind); i++)
        stage_run(cluster, 10 * SIM_MS);
    if (!stage_serves(cluster, behind))
        sim_violation("%s does not come in", node_of(cluster, behind)->name);
    stage_run(cluster, SIM_S / 2);
}

/* 4925: who came back by a DIFF leads, and brings the next one back from what it keeps in memory. */
void play_heir_of_a_diff(struct cluster *cluster)
{
    int leader, behind = fall_behind(cluster, &leader);
    if (behind < 0)
        return;
    int third = stage_other(cluster, leader, behind);
    /* It misses what comes now; the quorum is the leader and the one that comes back. */
    stage_down(cluster, third, false);
    stage_up(cluster, behind);
    if (!stage_await_service(cluster, 2))
        return;
    stage_run(cluster, SIM_S / 2);
    stage_down(cluster, leader, false);
    stage_up(cluster, third);
    if (stage_await_service(cluster, 2))
        stage_run(cluster, SIM_S / 2);
}
