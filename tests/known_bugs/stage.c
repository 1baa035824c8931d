/* stage.c - moves servers up and down, and waits until they are where a drama wants them. */
#include "tests/known_bugs/stage.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/network.h"

#define PATIENCE_NS (60 * SIM_S)
#define STEP_NS (5 * SIM_MS)
#define NEVER_NS (SIM_FOREVER / 2)

void stage_plan(struct plan *plan, uint64_t seed)
{
    *plan = (struct plan){.seed = seed, .voters = 3, .clients = 1, .tick_ms = 200, .length_ns = SIM_S};
    plan->session_timeout_ms[0] = 3000;
    plan->pause_ns[0] = 60 * SIM_MS;
    plan->weights[0][SIM_WRITE] = 1;
    stage_add_options(plan,
                      "tickTime=200\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=0\npreAllocSize=64\n"
                      "fastleader.maxNotificationInterval=400\nadmin.enableServer=false\nautopurge.purgeInterval=0\n");
}

void stage_add_options(struct plan *plan, const char *lines)
{
    size_t size = strlen(plan->options[0]);
    int more = snprintf(plan->options[0] + size, sizeof(plan->options[0]) - size, "%s", lines);
    assert(more > 0 && size + (size_t)more < sizeof(plan->options[0]));
}

static void step(struct cluster *cluster)
{
    cluster_supervise(cluster);
    sim_sleep_until(sim_now_ns() + sim_between(STEP_NS / 2, STEP_NS));
}

void stage_run(struct cluster *cluster, int64_t ns)
{
    int64_t end_ns = sim_now_ns() + ns;
    while (sim_now_ns() < end_ns && sim_verdict() == NULL)
        step(cluster);
}

void stage_may_end(struct cluster *cluster, int server)
{
    assert(server < cluster->server_count);
    cluster->may_end[server] = true;
}

bool stage_serves(const struct cluster *cluster, int server)
{
    return cluster_leader(cluster) >= 0 && cluster->servers[server].node->is_running &&
           cluster->servers[server].facts.serves;
}

bool stage_await_service(struct cluster *cluster, int servers)
{
    int64_t end_ns = sim_now_ns() + PATIENCE_NS;
    while (sim_verdict() == NULL) {
        int serving = 0;
        for (int i = 0; i < cluster->server_count; i++)
            serving += stage_serves(cluster, i);
        if (serving >= servers)
            return true;
        if (sim_now_ns() > end_ns)
            sim_violation("%d servers serve after a minute, not %d", serving, servers);
        step(cluster);
    }
    return false;
}

bool stage_begin(struct cluster *cluster)
{
    if (!stage_await_service(cluster, cluster->server_count))
        return false;
    stage_run(cluster, SIM_S / 2);
    return sim_verdict() == NULL;
}

bool stage_await_end(struct cluster *cluster, int server, int64_t ns)
{
    int64_t end_ns = sim_now_ns() + ns;
    while (cluster->servers[server].node->is_running) {
        if (sim_now_ns() > end_ns || sim_verdict() != NULL)
            return false;
        step(cluster);
    }
    return true;
}

void stage_down(struct cluster *cluster, int server, bool with_power)
{
    cluster_hold_down(cluster, server, NEVER_NS);
    sim_node_kill(cluster->servers[server].node, with_power);
}

void stage_all_down(struct cluster *cluster, bool with_power)
{
    for (int i = 0; i < cluster->server_count; i++)
        stage_down(cluster, i, with_power);
}

void stage_up(struct cluster *cluster, int server)
{
    cluster->starts_at_ns[server] = sim_now_ns() + 1;
}

int stage_other(const struct cluster *cluster, int a, int b)
{
    for (int i = 0; i < cluster->server_count; i++)
        if (i != a && i != b)
            return i;
    return -1;
}

static void cut_both(struct sim_node *a, struct sim_node *b, bool is_cut)
{
    sim_link_cut(a, b, is_cut);
    sim_link_cut(b, a, is_cut);
}

void stage_isolate(struct cluster *cluster, int server, bool is_cut)
{
    for (int i = 0; i < cluster->server_count; i++)
        if (i != server)
            cut_both(cluster->servers[server].node, cluster->servers[i].node, is_cut);
}

void stage_clients_reach_only(struct cluster *cluster, int server)
{
    for (int i = 0; i < cluster->server_count; i++)
        for (int j = 0; j < cluster->plan->clients; j++)
            cut_both(cluster->servers[i].node, cluster->clients[j].node, server >= 0 && i != server);
}

void stage_isolate_whole(struct cluster *cluster, int server, bool is_cut)
{
    stage_isolate(cluster, server, is_cut);
    for (int i = 0; i < cluster->plan->clients; i++)
        cut_both(cluster->servers[server].node, cluster->clients[i].node, is_cut);
}
