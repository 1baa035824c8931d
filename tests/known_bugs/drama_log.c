/* drama_log.c - what the memory of a server and its log may have apart. */
#include <errno.h>

#include "tests/known_bugs/dramas.h"
#include "tests/simulator/disk.h"

static struct sim_node *node_of(struct cluster *cluster, int server)
{
    return cluster->servers[server].node;
}

/*
 * 4712, 4541, 4502: the disk of a follower is so slow that it applies what the others have committed long before its
 * own log has it; then the leader is lost, and it follows the next one without a restart, then restarts.
 */
void play_slow_log(struct cluster *cluster)
{
    if (!stage_begin(cluster))
        return;
    int leader = cluster_leader(cluster), slow = stage_other(cluster, leader, -1);
    struct sim_disk_manner *manner = sim_disk_manner(node_of(cluster, slow)), usual = *manner;
    manner->least_sync_ns = 200 * SIM_MS;
    manner->most_sync_ns = 600 * SIM_MS;
    stage_run(cluster, SIM_S + sim_between(0, 1000) * SIM_MS);
    stage_down(cluster, leader, false);
    stage_run(cluster, SIM_S / 10);
    *manner = usual;
    if (!stage_await_service(cluster, 2))
        return;
    stage_run(cluster, SIM_S / 2);
    stage_up(cluster, leader);
    if (!stage_await_service(cluster, 3))
        return;
    stage_down(cluster, slow, true);
    stage_up(cluster, slow);
    stage_await_service(cluster, 3);
}

/* A leader is alone with clients that still reach it: what it logs nobody else has. The others go on. Returns it. */
static int leave_leader_alone(struct cluster *cluster)
{
    if (!stage_begin(cluster))
        return -1;
    int leader = cluster_leader(cluster);
    stage_isolate(cluster, leader, true);
    stage_run(cluster, 3 * SIM_S);
    return leader;
}

/* 2845: it comes back, without a restart, and must forget; then it restarts. */
void play_phantom(struct cluster *cluster)
{
    int old = leave_leader_alone(cluster);
    if (old < 0)
        return;
    stage_isolate(cluster, old, false);
    if (!stage_await_service(cluster, 3))
        return;
    stage_run(cluster, SIM_S / 2);
    stage_down(cluster, old, false);
    stage_up(cluster, old);
    stage_await_service(cluster, 3);
}

/* Its clients reach nobody else. When the link between servers is mended it is first told to cut off what it must
 * forget, for the next leader has done nothing yet. */
static int come_back_by_truncation(struct cluster *cluster, void (*between)(struct cluster *cluster, int old))
{
    if (!stage_begin(cluster))
        return -1;
    int old = cluster_leader(cluster);
    stage_clients_reach_only(cluster, old);
    stage_run(cluster, SIM_S / 2);
    stage_isolate(cluster, old, true);
    stage_run(cluster, 2 * SIM_S);
    between(cluster, old);
    stage_isolate(cluster, old, false);
    bool serve = stage_await_service(cluster, 3);
    stage_clients_reach_only(cluster, -1);
    stage_run(cluster, SIM_S / 2);
    return serve ? old : -1;
}

static void let_truncation_fail(struct cluster *cluster, int old)
{
    stage_may_end(cluster, old);
    sim_disk_fail_next(node_of(cluster, old), SIM_DISK_RENAME, "log.", 1, sim_one_in(2) ? ENOSPC : EIO);
}

/* 3701: it comes back, and cannot cut off what it must forget. */
void play_phantom_that_stays(struct cluster *cluster)
{
    come_back_by_truncation(cluster, let_truncation_fail);
}

/* 4882: one write of a follower's log fails, or one sync; then its disk is well again, it restarts, and leads. */
void play_disk_error(struct cluster *cluster)
{
    if (!stage_begin(cluster))
        return;
    int leader = cluster_leader(cluster), hurt = stage_other(cluster, leader, -1);
    int other = stage_other(cluster, leader, hurt);
    stage_may_end(cluster, hurt);
    enum sim_disk_call call = sim_one_in(2) ? SIM_DISK_WRITE : SIM_DISK_SYNC;
    sim_disk_fail_next(node_of(cluster, hurt), call, "log.", (uint64_t)sim_between(1, 4), EIO);
    stage_run(cluster, 2 * SIM_S);
    sim_disk_disarm(node_of(cluster, hurt));
    if (!stage_await_service(cluster, 3))
        return;
    stage_down(cluster, hurt, false);
    stage_up(cluster, hurt);
    if (!stage_await_service(cluster, 3))
        return;
    stage_down(cluster, leader, false);
    stage_down(cluster, other, false);
    stage_up(cluster, other);
    stage_await_service(cluster, 2);
}

/*
 * Ours: all are killed between a write and its sync, read at their next start what no disk has, and vote with it. With
 * `sync_fails` one of them is told at that start that its disk has failed, and starts once more. Then the power goes.
 */
static void kill_before_sync(struct cluster *cluster, bool sync_fails)
{
    if (!stage_begin(cluster))
        return;
    for (int i = 0; i < cluster->server_count; i++) {
        struct sim_disk_manner *manner = sim_disk_manner(node_of(cluster, i));
        manner->loss = SIM_DISK_LOSS_ALL;
        manner->least_sync_ns = manner->most_sync_ns = 20 * SIM_MS;
    }
    stage_run(cluster, sim_between(500, 1000) * SIM_MS);
    stage_all_down(cluster, false);
    int hurt = (int)sim_below((uint64_t)cluster->server_count);
    if (sync_fails) {
        stage_may_end(cluster, hurt);
        sim_disk_fail_next(node_of(cluster, hurt), SIM_DISK_SYNC, "log.", 1, EIO);
    }
    for (int i = 0; i < cluster->server_count; i++)
        stage_up(cluster, i);
    if (!stage_await_service(cluster, cluster->server_count))
        return;
    stage_run(cluster, sim_between(50, 500) * SIM_MS);
    stage_all_down(cluster, true);
    for (int i = 0; i < cluster->server_count; i++)
        stage_up(cluster, i);
    stage_await_service(cluster, cluster->server_count);
}

void play_killed_before_sync(struct cluster *cluster)
{
    kill_before_sync(cluster, false);
}

void play_failed_at_start(struct cluster *cluster)
{
    kill_before_sync(cluster, true);
}

/* All lose their power at once while clients write, again and again, and what no sync has made durable is gone. */
void play_power_of_all(struct cluster *cluster)
{
    for (int i = 0; i < cluster->server_count; i++)
        sim_disk_manner(node_of(cluster, i))->loss = SIM_DISK_LOSS_ALL;
    for (int round = 0; round < 4; round++) {
        if (!stage_await_service(cluster, cluster->server_count))
            return;
        stage_run(cluster, sim_between(10, 600) * SIM_MS);
        stage_all_down(cluster, true);
        for (int i = 0; i < cluster->server_count; i++)
            stage_up(cluster, i);
    }
}
