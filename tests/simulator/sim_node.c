/* sim_node.c - machines: the program on each of them, its end in every manner, and its clocks. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/world.h"

#define MILLION INT64_C(1000000)
/* What every wall clock shows at the beginning, less its own offset: 2026-01-01. */
#define WALL_START_MS INT64_C(1767225600000)

enum end { END_NONE, END_EXIT, END_KILL, END_POWER };

struct node {
    struct sim_node public;
    int (*program_main)(void *arg);
    void *program_arg;
    enum end end;               /* what is to be done with it between two steps */
    struct sim_waiters joiners;
};

static struct {
    struct node **all;
    int count;
    bool one_is_doomed;
} nodes;

static struct node *full(struct sim_node *node)
{
    return (struct node *)(void *)node;
}

struct sim_node *sim_node_new(const char *name)
{
    struct node *node = calloc(1, sizeof(*node));
    nodes.all = realloc(nodes.all, (size_t)(nodes.count + 1) * sizeof(struct node *));
    assert(node != NULL && nodes.all != NULL);
    snprintf(node->public.name, sizeof(node->public.name), "%s", name);
    node->public.index = nodes.count;
    nodes.all[nodes.count++] = node;
    sim_network_add_node(&node->public);
    sim_disk_add_node(&node->public);
    return &node->public;
}

int sim_node_count(void)
{
    return nodes.count;
}

struct sim_node *sim_node_at(int index)
{
    return &nodes.all[index]->public;
}

bool sim_node_leaks(struct sim_node *node, char *text, size_t size)
{
    size_t files = sim_disk_open_count(node), sockets = sim_network_open_count(node);
    if (node->fibre_count <= 1 && node->block_count == 0 && files == 0 && sockets == 0)
        return false;
    snprintf(text, size,
             "%s ends with %d threads beside main, %zu blocks of memory (%zu bytes), %zu files, %zu sockets",
             node->name, node->fibre_count - 1, node->block_count, node->block_bytes, files, sockets);
    return true;
}

static void run_program(void *arg)
{
    struct node *node = arg;
    char text[200];
    node->public.exit_code = node->program_main(node->program_arg);
    sim_trace("ends with code %d", node->public.exit_code);
    if (sim_node_leaks(&node->public, text, sizeof(text)))
        sim_violation("%s", text);
    node->end = END_EXIT;
    nodes.one_is_doomed = true;
}

void sim_node_start(struct sim_node *node, int (*program_main)(void *arg), void *arg)
{
    assert(!node->is_running);
    full(node)->program_main = program_main;
    full(node)->program_arg = arg;
    full(node)->end = END_NONE;
    node->is_running = true;
    node->is_doomed = false;
    node->is_paused = false;
    node->pending_signals = 0;
    node->boots++;
    sim_trace("starts %s", node->name);
    world_spawn(node, "main", run_program, node);
}

static void bury(struct node *node)
{
    bool with_power = node->end == END_POWER;
    node->end = END_NONE;
    node->public.is_running = false;
    node->public.is_paused = false;
    node->public.is_doomed = false;
    world_each_of(&node->public, world_remove);
    sim_network_lose_program(&node->public, with_power);
    sim_disk_lose_program(&node->public, with_power);
    sim_memory_lose_program(&node->public);
    sim_wake_all(&node->joiners);
}

void nodes_bury_the_doomed(void)
{
    if (!nodes.one_is_doomed)
        return;
    nodes.one_is_doomed = false;
    for (int i = 0; i < nodes.count; i++)
        if (nodes.all[i]->end != END_NONE)
            bury(nodes.all[i]);
}

void sim_node_kill(struct sim_node *node, bool with_power)
{
    assert(sim_current_node() != node);
    if (!node->is_running) {
        if (with_power)    /* what the program that is gone had not synced */
            sim_disk_lose_program(node, true);
        return;
    }
    sim_trace(with_power ? "power of %s is cut" : "kills %s", node->name);
    full(node)->end = with_power ? END_POWER : END_KILL;
    bury(full(node));
}

_Noreturn void sim_doom(bool with_power)
{
    struct sim_node *node = sim_current_node();
    assert(node != NULL);
    sim_trace(with_power ? "power of %s goes here" : "%s is killed here", node->name);
    full(node)->end = with_power ? END_POWER : END_KILL;
    node->is_doomed = true;
    nodes.one_is_doomed = true;
    world_leave();
    abort();
}

static void park_it(struct sim_fibre *fibre)
{
    world_park(fibre);
}

static void unpark_it(struct sim_fibre *fibre)
{
    if (fibre->state == FIBRE_READY)
        world_unpark(fibre);
}

void sim_node_pause(struct sim_node *node, bool is_paused)
{
    if (!node->is_running || node->is_paused == is_paused)
        return;
    sim_trace("%s %s", is_paused ? "stops" : "continues", node->name);
    node->is_paused = is_paused;
    world_each_of(node, is_paused ? park_it : unpark_it);
}

bool sim_node_join(struct sim_node *node, int64_t deadline_ns)
{
    while (node->is_running)
        if (!sim_wait(&full(node)->joiners, deadline_ns))
            return false;
    return true;
}

int64_t sim_node_elapsed_ns(const struct sim_node *node)
{
    int64_t now_ns = sim_now_ns();
    return node->elapsed_offset_ns + now_ns + now_ns / MILLION * node->drift_ppm +
           now_ns % MILLION * node->drift_ppm / MILLION;
}

int64_t sim_node_true_ns(const struct sim_node *node, int64_t elapsed_ns)
{
    if (elapsed_ns > INT64_MAX / 2)
        return SIM_FOREVER;
    int64_t since_ns = elapsed_ns - node->elapsed_offset_ns;
    int64_t rate = MILLION + node->drift_ppm;
    int64_t true_ns = since_ns / rate * MILLION + since_ns % rate * MILLION / rate;
    /* The forward sum rounds down, so a few more may be needed. */
    return true_ns < 0 ? 0 : true_ns + (node->drift_ppm != 0 ? 2 : 0);
}

int64_t sim_node_wall_ms(const struct sim_node *node)
{
    return WALL_START_MS + node->wall_offset_ms + (sim_node_elapsed_ns(node) - node->elapsed_offset_ns) / SIM_MS;
}

void nodes_begin(void)
{
    nodes.all = NULL;
    nodes.count = 0;
    nodes.one_is_doomed = false;
}

void nodes_end(void)
{
    for (int i = 0; i < nodes.count; i++) {
        if (!nodes.all[i]->public.is_running)
            continue;
        nodes.all[i]->end = END_KILL;
        bury(nodes.all[i]);
    }
    sim_network_end();
    sim_disk_end();
    for (int i = 0; i < nodes.count; i++)
        free(nodes.all[i]);
    free(nodes.all);
    nodes_begin();
}
