/* cluster.c - machines with servers and clients on them, and who starts them again. */
#include "tests/simulator/cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/network.h"

#define LOOKS_EVERY_NS (20 * SIM_MS)
#define ROTTEN_TICKS 10

static bool is_alone(const struct plan *plan)
{
    return plan->voters == 1 && plan->observers == 0;
}

static void configure(struct cluster *cluster, int index)
{
    const struct plan *plan = cluster->plan;
    char lines[3500];
    int size = snprintf(lines, sizeof(lines), "%s", plan->options[cluster->options_of[index]]);
    if (is_alone(plan)) {
        snprintf(lines + size, sizeof(lines) - (size_t)size, "clientPort=%d\n", SIM_CLIENT_PORT);
    } else {
        for (int i = 0; i < cluster->server_count; i++) {
            char line[SIM_SERVER_LINE_SIZE];
            sim_server_line(i + 1, cluster->servers[i].is_observer, line);
            size += snprintf(lines + size, sizeof(lines) - (size_t)size, "%s\n", line);
        }
        if (cluster->servers[index].is_observer)
            snprintf(lines + size, sizeof(lines) - (size_t)size, "peerType=observer\n");
    }
    sim_server_configure(&cluster->servers[index], lines);
    cluster->servers[index].window = plan->windows[cluster->options_of[index]];
}

static void set_clocks(struct sim_node *node, int64_t drift_ppm)
{
    node->drift_ppm = drift_ppm;
    node->elapsed_offset_ns = sim_between(1, 1000) * SIM_S;    /* up for so long */
    node->wall_offset_ms = sim_between(-2000, 2000);
}

static void make_servers(struct cluster *cluster)
{
    const struct plan *plan = cluster->plan;
    cluster->server_count = plan->voters + plan->observers;
    for (int i = 0; i < cluster->server_count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "server%d", i + 1);
        cluster->servers[i] =
            (struct sim_server){ .node = sim_node_new(name), .sid = i + 1, .is_observer = i >= plan->voters };
        set_clocks(cluster->servers[i].node, plan->drift_ppm[i]);
        snprintf(cluster->hosts + strlen(cluster->hosts), sizeof(cluster->hosts) - strlen(cluster->hosts),
                 "%s10.0.0.%d:%d", i > 0 ? "," : "", i + 1, SIM_CLIENT_PORT);
    }
    for (int i = 0; i < cluster->server_count; i++) {
        configure(cluster, i);
        sim_server_initialize(&cluster->servers[i]);
    }
}

static void make_client(struct cluster *cluster, struct sim_client *client, const char *name)
{
    const struct plan *plan = cluster->plan;
    *client = (struct sim_client){.node = sim_node_new(name), .hosts = cluster->hosts};
    set_clocks(client->node, 0);
    client->timeout_ms = (int32_t)(10 * plan->tick_ms);
    client->most_pause_ns = plan->tick_ms * SIM_MS / 4;
}

static void make_clients(struct cluster *cluster)
{
    const struct plan *plan = cluster->plan;
    for (int i = 0; i < plan->clients; i++) {
        char name[16];
        struct sim_client *client = &cluster->clients[i];
        snprintf(name, sizeof(name), "client%d", i + 1);
        make_client(cluster, client, name);
        client->timeout_ms = plan->session_timeout_ms[i];
        client->most_pause_ns = plan->pause_ns[i];
        memcpy(client->weights, plan->weights[i], sizeof(client->weights));
    }
    make_client(cluster, &cluster->auditor, "auditor");
    if (plan->reconfigures) {
        make_client(cluster, &cluster->operator, "operator");
        cluster->operator.most_pause_ns = plan->length_ns / 10;
    }
}

void cluster_begin(struct cluster *cluster, const struct plan *plan)
{
    *cluster = (struct cluster){.plan = plan, .lost = -1};
    make_servers(cluster);
    make_clients(cluster);
    check_exits_begin(cluster);
}

static bool is_due(struct sim_node *node, int64_t *starts_at_ns)
{
    if (node->is_running)
        return false;
    if (*starts_at_ns == 0)
        *starts_at_ns = sim_now_ns() + sim_between(20 * SIM_MS, SIM_S);
    if (sim_now_ns() < *starts_at_ns)
        return false;
    *starts_at_ns = 0;
    return true;
}

/* What a person does whose server does not come up again after its disk was damaged: gives it an empty one. */
static void replace_rotten(struct cluster *cluster, int server)
{
    int64_t since_ns = cluster->rotten_since_ns[server];
    if (since_ns == 0 || sim_now_ns() < since_ns)
        return;
    if (cluster->servers[server].facts.serves) {
        cluster->rotten_since_ns[server] = 0;
    } else if (sim_now_ns() > since_ns + ROTTEN_TICKS * cluster->plan->tick_ms * SIM_MS
               && !cluster->servers[server].node->is_running) {
        cluster_wipe(cluster, server);
        cluster->rotten_since_ns[server] = 0;
    }
}

bool cluster_can_lose_a_disk(struct cluster *cluster)
{
    if (cluster->plan->voters < 3 || !cluster_all_serve(cluster))
        return false;
    for (int i = 1; i < cluster->server_count; i++)
        if (cluster->servers[i].facts.zxid != cluster->servers[0].facts.zxid)
            return false;
    return cluster->lost < 0 || cluster->servers[cluster->lost].facts.serves;
}

void cluster_has_lost(struct cluster *cluster, int server)
{
    cluster->lost = server;
    cluster->servers[server].facts.serves = false;
}

void cluster_set_options(struct cluster *cluster, int server, int options)
{
    cluster->options_of[server] = options;
    configure(cluster, server);
}

void cluster_wipe(struct cluster *cluster, int server)
{
    sim_trace("the disk of server%d is empty", server + 1);
    sim_server_wipe(&cluster->servers[server]);
    configure(cluster, server);
}

void cluster_supervise(struct cluster *cluster)
{
    check_exits(cluster);
    for (int i = 0; i < cluster->server_count; i++)
        replace_rotten(cluster, i);
    for (int i = 0; i < cluster->server_count; i++)
        if (is_due(cluster->servers[i].node, &cluster->starts_at_ns[i]))
            sim_server_start(&cluster->servers[i]);
    for (int i = 0; i < cluster->plan->clients; i++)
        if (!cluster->clients[i].must_end && is_due(cluster->clients[i].node, &cluster->client_starts_at_ns[i]))
            sim_client_start(&cluster->clients[i]);
}

void cluster_hold_down(struct cluster *cluster, int server, int64_t until_ns)
{
    if (until_ns > cluster->starts_at_ns[server])
        cluster->starts_at_ns[server] = until_ns;
}

int cluster_leader(const struct cluster *cluster)
{
    for (int i = 0; i < cluster->server_count; i++)
        if (cluster->servers[i].node->is_running && cluster->servers[i].facts.leads)
            return i;
    return -1;
}

bool cluster_all_serve(const struct cluster *cluster)
{
    for (int i = 0; i < cluster->server_count; i++)
        if (!cluster->servers[i].node->is_running || !cluster->servers[i].facts.serves)
            return false;
    return true;
}

bool cluster_wait(struct cluster *cluster, bool (*is_so)(struct cluster *cluster), int64_t deadline_ns)
{
    while (!is_so(cluster)) {
        if (sim_now_ns() >= deadline_ns)
            return false;
        cluster_supervise(cluster);
        sim_sleep_until(sim_now_ns() + LOOKS_EVERY_NS);
    }
    return true;
}
