/* faults.c - what each kind of fault does to an ensemble, and how it ends. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/simulator/cluster.h"
#include "tests/simulator/disk.h"
#include "tests/simulator/network.h"

static const struct sim_link usual_link = {.least_latency_ns = 50 * SIM_US, .most_latency_ns = 500 * SIM_US};

static int64_t end_of(const struct plan_fault *fault)
{
    return sim_now_ns() + fault->length_ns;
}

static void kill_server(struct cluster *cluster, int server, bool with_power, int64_t until_ns)
{
    cluster_hold_down(cluster, server, until_ns);
    sim_node_kill(cluster->servers[server].node, with_power);
}

static void cut(struct cluster *cluster, int a, int b, bool is_cut)
{
    sim_link_cut(cluster->servers[a].node, cluster->servers[b].node, is_cut);
}

static void cut_both(struct cluster *cluster, int a, int b, bool is_cut)
{
    cut(cluster, a, b, is_cut);
    cut(cluster, b, a, is_cut);
}

static void isolate(struct cluster *cluster, int server, bool from_clients, bool is_cut)
{
    struct sim_node *node = cluster->servers[server].node;
    for (int i = 0; i < cluster->server_count; i++)
        if (i != server)
            cut_both(cluster, server, i, is_cut);
    for (int i = 0; i < cluster->plan->clients && from_clients; i++) {
        sim_link_cut(node, cluster->clients[i].node, is_cut);
        sim_link_cut(cluster->clients[i].node, node, is_cut);
    }
}

/* Every link to and from a machine; of all machines when it is NULL. */
static void set_links(struct sim_node *node, const struct sim_link *manner)
{
    for (int i = 0; i < sim_node_count(); i++)
        for (int j = 0; j < sim_node_count(); j++) {
            struct sim_node *from = sim_node_at(i), *to = sim_node_at(j);
            if (node != NULL && node != from && node != to)
                continue;
            struct sim_link *link = sim_link(from, to);
            bool is_cut = link->is_cut;
            *link = *manner;
            link->is_cut = is_cut;
        }
}

static int which(const struct cluster *cluster, const struct plan_fault *fault)
{
    bool wants_leader =
        fault->kind == FAULT_KILL_LEADER || fault->kind == FAULT_POWER_LEADER || fault->kind == FAULT_ISOLATE_LEADER;
    int leader = cluster_leader(cluster);
    return wants_leader && leader >= 0 ? leader : fault->server;
}

static int error_of(uint64_t argument)
{
    return argument % 3 == 0 ? ENOSPC : EIO;
}

static void begin_slow_link(struct sim_node *node, uint64_t argument)
{
    struct sim_link slow = {.least_latency_ns = SIM_MS, .most_latency_ns = (int64_t)(5 + argument % 200) * SIM_MS,
                            .bytes_per_s = argument % 2 == 0 ? 20000 : 0};
    set_links(node, &slow);
}

static void begin_slow_disk(struct cluster *cluster, struct sim_node *node, uint64_t argument)
{
    struct sim_disk_manner *manner = sim_disk_manner(node);
    manner->least_sync_ns = 5 * SIM_MS;
    manner->most_sync_ns = cluster->plan->tick_ms * SIM_MS * (int64_t)(1 + argument % 6) / 2 + 5 * SIM_MS;
}

static void kill_client(struct cluster *cluster, const struct plan_fault *fault)
{
    int client = (int)(fault->argument % (uint64_t)cluster->plan->clients);
    cluster->client_starts_at_ns[client] = end_of(fault);
    sim_node_kill(cluster->clients[client].node, fault->argument % 3 == 0);
}

void fault_begin(struct cluster *cluster, const struct plan_fault *fault)
{
    int server = which(cluster, fault);
    struct sim_node *node = cluster->servers[server].node;
    uint64_t argument = fault->argument;
    sim_trace("fault %s: server%d", plan_fault_name(fault->kind), server + 1);
    switch (fault->kind) {
    case FAULT_KILL:
    case FAULT_KILL_LEADER: kill_server(cluster, server, false, end_of(fault)); break;
    case FAULT_POWER:
    case FAULT_POWER_LEADER: kill_server(cluster, server, true, end_of(fault)); break;
    case FAULT_POWER_ALL:
        for (int i = 0; i < cluster->server_count; i++)
            kill_server(cluster, i, true, end_of(fault) + sim_between(0, fault->length_ns));
        break;
    case FAULT_STOP:
        cluster_hold_down(cluster, server, end_of(fault));
        sim_node_signal(node, SIGTERM);
        break;
    case FAULT_PAUSE: sim_node_pause(node, true); break;
    case FAULT_LAG:
    case FAULT_ISOLATE: isolate(cluster, server, true, true); break;
    case FAULT_ISOLATE_LEADER: isolate(cluster, server, false, true); break;
    case FAULT_CUT_ONE_WAY: cut(cluster, server, fault->other, true); break;
    case FAULT_CUT: cut_both(cluster, server, fault->other, true); break;
    case FAULT_RESET: sim_network_reset(node, NULL, 1 + argument % 3); break;
    case FAULT_SLOW_LINK: begin_slow_link(node, argument); break;
    case FAULT_BYTEWISE:
        set_links(NULL, &(struct sim_link){.least_latency_ns = 10 * SIM_US, .most_latency_ns = 200 * SIM_US,
                                           .largest_piece = (uint32_t)(1 + argument % 40)});
        break;
    case FAULT_SLOW_DISK: begin_slow_disk(cluster, node, argument); break;
    case FAULT_FAIL_WRITE:
        sim_disk_fail_next(node, SIM_DISK_WRITE, NULL, 1 + argument % 50, error_of(argument >> 8));
        break;
    case FAULT_FAIL_SYNC:
        sim_disk_fail_next(node, SIM_DISK_SYNC, NULL, 1 + argument % 20, error_of(argument >> 8));
        break;
    case FAULT_FAIL_RENAME:
        sim_disk_fail_next(node, SIM_DISK_RENAME, NULL, 1 + argument % 2, error_of(argument >> 8));
        break;
    case FAULT_FULL_DISK: sim_disk_manner(node)->capacity = 1; break;
    case FAULT_CRASH_POINT:
        sim_disk_doom_at_change(node, sim_disk_changes(node) + 1 + argument % 60, (argument >> 8) % 2 == 0,
                                (argument >> 9) % 2 == 0);
        break;
    case FAULT_OPTIONS:
        cluster_hold_down(cluster, server, end_of(fault));
        cluster_set_options(cluster, server, 1 - cluster->options_of[server]);
        sim_node_signal(node, SIGTERM);
        break;
    case FAULT_AMNESIA:
        if (!cluster_can_lose_a_disk(cluster))
            break;
        kill_server(cluster, server, true, end_of(fault));
        cluster_has_lost(cluster, server);
        cluster_wipe(cluster, server);
        break;
    case FAULT_ROT:
        if (!cluster_can_lose_a_disk(cluster))
            break;
        kill_server(cluster, server, true, end_of(fault));
        cluster_has_lost(cluster, server);
        sim_server_rot(&cluster->servers[server]);
        cluster->rotten_since_ns[server] = end_of(fault);
        break;
    case FAULT_CLOCK_STEP: node->wall_offset_ms += (int64_t)(argument % 7200000) - 3600000; break;
    case FAULT_KILL_CLIENT: kill_client(cluster, fault); break;
    case FAULT_RESET_CLIENTS:
        for (int i = 0; i < cluster->plan->clients; i++)
            sim_network_reset(cluster->clients[i].node, NULL, 1 + argument % 2);
        break;
    case FAULT_KINDS: break;
    }
}

static void doom(struct cluster *cluster, int server, uint64_t change, uint64_t manner)
{
    struct sim_node *node = cluster->servers[server].node;
    sim_disk_doom_at_change(node, sim_disk_changes(node) + change, manner % 2 == 0, manner / 2 % 4 != 0);
}

/* Catching up changes the disk some ten times; who dies at one of them is the server, its leader, both or all. With
 * slow links there is time for what others do meanwhile. */
static void doom_catching_up(struct cluster *cluster, const struct plan_fault *fault)
{
    enum { ITSELF, THE_LEADER, BOTH, ALL };
    uint64_t argument = fault->argument;
    int who = (int)(argument % 4), leader = cluster_leader(cluster);
    for (int i = 0; i < cluster->server_count; i++)
        if (who == ALL || (i == fault->server && who != THE_LEADER) || (i == leader && who != ITSELF))
            doom(cluster, i, 1 + (argument >> (8 + i)) % 16, argument >> (24 + i));
}

static void usual_disk(struct sim_node *node)
{
    *sim_disk_manner(node) = (struct sim_disk_manner){.least_sync_ns = 100 * SIM_US, .most_sync_ns = 2 * SIM_MS};
}

void fault_end(struct cluster *cluster, const struct plan_fault *fault)
{
    struct sim_node *node = cluster->servers[fault->server].node;
    switch (fault->kind) {
    case FAULT_PAUSE: sim_node_pause(node, false); break;
    case FAULT_LAG:
        doom_catching_up(cluster, fault);
        if (fault->argument / 4 % 3 == 0)    /* until all faults end, or another one ends for these links */
            set_links(node, &(struct sim_link){.least_latency_ns = 50 * SIM_US, .most_latency_ns = 2 * SIM_MS,
                                               .bytes_per_s = (int64_t)(10000 + (fault->argument >> 40) % 100000),
                                               .largest_piece = 50});
        isolate(cluster, fault->server, true, false);
        break;
    case FAULT_ISOLATE: isolate(cluster, fault->server, true, false); break;
    case FAULT_ISOLATE_LEADER:    /* whichever it was */
        for (int i = 0; i < cluster->server_count; i++)
            isolate(cluster, i, false, false);
        break;
    case FAULT_CUT_ONE_WAY: cut(cluster, fault->server, fault->other, false); break;
    case FAULT_CUT: cut_both(cluster, fault->server, fault->other, false); break;
    case FAULT_SLOW_LINK: set_links(node, &usual_link); break;
    case FAULT_BYTEWISE: set_links(NULL, &usual_link); break;
    case FAULT_SLOW_DISK:
    case FAULT_FULL_DISK: usual_disk(node); break;
    default: break;
    }
}

void faults_end_all(struct cluster *cluster)
{
    set_links(NULL, &usual_link);
    for (int i = 0; i < sim_node_count(); i++)
        for (int j = 0; j < sim_node_count(); j++)
            if (sim_link(sim_node_at(i), sim_node_at(j))->is_cut)
                sim_link_cut(sim_node_at(i), sim_node_at(j), false);
    for (int i = 0; i < cluster->server_count; i++) {
        struct sim_node *node = cluster->servers[i].node;
        sim_node_pause(node, false);
        usual_disk(node);
        sim_disk_disarm(node);
        cluster->starts_at_ns[i] = 0;
    }
    for (int i = 0; i < cluster->plan->clients; i++)
        cluster->client_starts_at_ns[i] = 0;
}
