/*
 * scheduler.c - which fibre runs, and what time it is.
 *
 * Ready fibres stand in an array, in no order; the seed picks one. It runs until it waits, ends, or comes to a switch
 * point at which its share is used up; shares are drawn anew each time, and how long they are belongs to the seed: with
 * some threads run on nearly undisturbed, with others every lock is a switch. From time to time the seed also slows
 * some fibres down for a while, as a scheduler or a page fault does, which brings out orders that fair chances hardly
 * ever make.
 */
#include "tests/simulator/scheduler.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/chance.h"
#include "tests/simulator/world.h"

#define LEAST_STEP_NS 200
#define MOST_STEP_NS 1800
#define FREE_LOOKS 1000
#define LOOK_COSTS_NS 20
#define NOT_READY SIZE_MAX
#define RESHUFFLE_STEPS 4096    /* so often the seed says anew who is slow */
#define SLOW_RUNS_ONE_IN 16

static struct {
    struct chance chance;
    int64_t now_ns;
    uint64_t steps, looks;         /* looks at a clock in this step */
    uint32_t last_id;
    uint64_t longest_share;        /* switch points between two switches, at most */
    uint64_t share;                /* what is left of it for the fibre that runs */
    bool driver_has_ended;

    struct sim_fibre *all;         /* first in, last out */
    struct sim_fibre *running;     /* NULL: the scheduler */
    struct sim_fibre *remains;     /* ended just now; freed when nobody stands on its stack */
    struct sim_fibre **ready;
    size_t ready_count, ready_capacity;
} world;

/* ---- chance ---- */

uint64_t sim_random(void)
{
    return chance_next(&world.chance);
}

uint64_t sim_below(uint64_t bound)
{
    return chance_below(&world.chance, bound);
}

int64_t sim_between(int64_t least, int64_t most)
{
    return chance_between(&world.chance, least, most);
}

bool sim_one_in(uint64_t n)
{
    return chance_one_in(&world.chance, n);
}

/* ---- who may run ---- */

void world_unpark(struct sim_fibre *fibre)
{
    if (fibre->ready_at != NOT_READY)
        return;
    if (world.ready_count == world.ready_capacity) {
        world.ready_capacity = world.ready_capacity > 0 ? 2 * world.ready_capacity : 64;
        world.ready = realloc(world.ready, world.ready_capacity * sizeof(struct sim_fibre *));
        assert(world.ready != NULL);
    }
    fibre->ready_at = world.ready_count;
    world.ready[world.ready_count++] = fibre;
}

void world_park(struct sim_fibre *fibre)
{
    if (fibre->ready_at == NOT_READY)
        return;
    struct sim_fibre *last = world.ready[--world.ready_count];
    world.ready[fibre->ready_at] = last;
    last->ready_at = fibre->ready_at;
    fibre->ready_at = NOT_READY;
}

static void make_ready(struct sim_fibre *fibre)
{
    fibre->state = FIBRE_READY;
    if (fibre->node == NULL || !fibre->node->is_paused)
        world_unpark(fibre);
}

static struct sim_fibre *choose(void)
{
    struct sim_fibre *fibre = world.ready[sim_below(world.ready_count)];
    if (fibre->is_slow && !sim_one_in(SLOW_RUNS_ONE_IN))
        fibre = world.ready[sim_below(world.ready_count)];
    return fibre;
}

static void reshuffle(void)
{
    for (struct sim_fibre *fibre = world.all; fibre != NULL; fibre = fibre->next_of_all)
        fibre->is_slow = fibre->node != NULL && sim_one_in(8);
}

void world_each_of(struct sim_node *node, void (*each)(struct sim_fibre *fibre))
{
    struct sim_fibre *next;
    for (struct sim_fibre *fibre = world.all; fibre != NULL; fibre = next) {
        next = fibre->next_of_all;
        if (fibre->node == node)
            each(fibre);
    }
}

/* ---- fibres ---- */

void world_leave(void)
{
    struct sim_fibre *fibre = world.running;
    fibre->saved_errno = errno;
    fibre_stack_go(fibre->stack, fibre_stack_of_thread());
    errno = fibre->saved_errno;
}

static void leave_waiters(struct sim_fibre *fibre)
{
    struct sim_waiters *waiters = fibre->waits_in;
    if (waiters == NULL)
        return;
    if (fibre->previous_waiting != NULL)
        fibre->previous_waiting->next_waiting = fibre->next_waiting;
    else
        waiters->first = fibre->next_waiting;
    if (fibre->next_waiting != NULL)
        fibre->next_waiting->previous_waiting = fibre->previous_waiting;
    else
        waiters->last = fibre->previous_waiting;
    fibre->next_waiting = fibre->previous_waiting = NULL;
    fibre->waits_in = NULL;
}

static void free_fibre(struct sim_fibre *fibre)
{
    fibre_stack_free(fibre->stack);
    free(fibre);
}

void world_remove(struct sim_fibre *fibre)
{
    assert(fibre != world.running);
    leave_waiters(fibre);
    sim_cancel(fibre->alarm);
    world_park(fibre);
    if (fibre->previous_of_all != NULL)
        fibre->previous_of_all->next_of_all = fibre->next_of_all;
    else
        world.all = fibre->next_of_all;
    if (fibre->next_of_all != NULL)
        fibre->next_of_all->previous_of_all = fibre->previous_of_all;
    if (fibre->node != NULL)
        fibre->node->fibre_count--;
    free_fibre(fibre);
}

static void run_fibre(void *arg)
{
    struct sim_fibre *fibre = arg;
    fibre->run(fibre->arg);
    fibre->state = FIBRE_ENDED;
    world_park(fibre);
    world.remains = fibre;
    world_leave();
}

struct sim_fibre *world_spawn(struct sim_node *node, const char *name, void (*run)(void *arg), void *arg)
{
    struct sim_fibre *fibre = calloc(1, sizeof(*fibre));
    assert(fibre != NULL);
    fibre->node = node;
    fibre->id = ++world.last_id;
    fibre->ready_at = NOT_READY;
    fibre->run = run;
    fibre->arg = arg;
    snprintf(fibre->name, sizeof(fibre->name), "%s", name);
    if (world.running != NULL)
        memcpy(fibre->myid, world.running->myid, sizeof(fibre->myid));
    fibre->stack = fibre_stack_new(run_fibre, fibre);
    fibre->next_of_all = world.all;
    if (world.all != NULL)
        world.all->previous_of_all = fibre;
    world.all = fibre;
    if (node != NULL)
        node->fibre_count++;
    make_ready(fibre);
    return fibre;
}

struct sim_fibre *sim_spawn(const char *name, void (*run)(void *arg), void *arg)
{
    return world_spawn(sim_current_node(), name, run, arg);
}

struct sim_fibre *sim_current(void)
{
    return world.running;
}

struct sim_node *sim_current_node(void)
{
    return world.running == NULL ? NULL : world.running->node;
}

const char *sim_fibre_name(const struct sim_fibre *fibre)
{
    return fibre->name;
}

uint32_t sim_fibre_id(const struct sim_fibre *fibre)
{
    return fibre->id;
}

/* ---- waiting ---- */

void sim_switch_point(void)
{
    if (world.running == NULL || world.share-- > 0)
        return;
    world_leave();
}

void sim_yield(void)
{
    world_leave();
}

static void alarm_rings(void *arg)
{
    struct sim_fibre *fibre = arg;
    fibre->alarm = 0;
    leave_waiters(fibre);
    make_ready(fibre);
}

static void wake(struct sim_fibre *fibre)
{
    leave_waiters(fibre);
    sim_cancel(fibre->alarm);
    fibre->alarm = 0;
    fibre->was_woken = true;
    make_ready(fibre);
}

static void fall_asleep(struct sim_fibre *fibre, int64_t deadline_ns)
{
    fibre->was_woken = false;
    fibre->state = FIBRE_WAITS;
    world_park(fibre);
    if (deadline_ns != SIM_FOREVER)
        fibre->alarm = sim_at(deadline_ns, alarm_rings, fibre);
    world_leave();
}

bool sim_wait(struct sim_waiters *waiters, int64_t deadline_ns)
{
    struct sim_fibre *fibre = world.running;
    assert(fibre != NULL);
    fibre->waits_in = waiters;
    fibre->previous_waiting = waiters->last;
    if (waiters->last != NULL)
        waiters->last->next_waiting = fibre;
    else
        waiters->first = fibre;
    waiters->last = fibre;
    fall_asleep(fibre, deadline_ns);
    return fibre->was_woken;
}

void sim_sleep_until(int64_t when_ns)
{
    fall_asleep(world.running, when_ns);
}

bool sim_wake_one(struct sim_waiters *waiters)
{
    struct sim_fibre *fibre = waiters->first;
    if (fibre == NULL)
        return false;
    while (fibre->next_waiting != NULL && sim_one_in(4))
        fibre = fibre->next_waiting;
    wake(fibre);
    return true;
}

void sim_wake_all(struct sim_waiters *waiters)
{
    while (waiters->first != NULL)
        wake(waiters->first);
}

/* ---- the loop ---- */

int64_t sim_now_ns(void)
{
    return world.now_ns;
}

/* The first looks of a step cost nothing: which of two operands a compiler evaluates first must not be seen. */
void world_look(void)
{
    if (++world.looks > FREE_LOOKS)
        world.now_ns += LOOK_COSTS_NS;
}

uint64_t sim_steps(void)
{
    return world.steps;
}

static void step(struct sim_fibre *fibre)
{
    world.now_ns += sim_between(LEAST_STEP_NS, MOST_STEP_NS);
    world.share = sim_below(world.longest_share);
    world.steps++;
    world.looks = 0;
    trace_choice(fibre->id);
    if (world.steps % RESHUFFLE_STEPS == 0)
        reshuffle();
    world.running = fibre;
    fibre_stack_go(fibre_stack_of_thread(), fibre->stack);
    world.running = NULL;
    if (world.remains != NULL)
        world_remove(world.remains);
    world.remains = NULL;
    nodes_bury_the_doomed();
}

static void loop(void)
{
    while (!world.driver_has_ended) {
        if (events_next_ns() <= world.now_ns) {
            events_run_due(world.now_ns);
            continue;
        }
        if (world.ready_count > 0) {
            step(choose());
            continue;
        }
        int64_t next_ns = events_next_ns();
        if (next_ns == SIM_FOREVER) {
            sim_violation("nobody can run and nothing is due: the driver waits for what never comes");
            return;
        }
        world.now_ns = next_ns;
    }
}

struct driver {
    void (*run)(void *arg);
    void *arg;
};

static void run_driver(void *arg)
{
    struct driver *driver = arg;
    driver->run(driver->arg);
    world.driver_has_ended = true;
}

void sim_run(uint64_t seed, void (*driver)(void *arg), void *arg)
{
    static const uint64_t shares[] = {1, 3, 10, 40, 200};
    memset(&world, 0, sizeof(world));
    world.chance.state = seed * UINT64_C(0xd1342543de82ef95) + 1;
    world.longest_share = shares[sim_below(sizeof(shares) / sizeof(shares[0]))];
    trace_begin();
    events_begin();
    nodes_begin();
    struct driver first = {driver, arg};
    world_spawn(NULL, "driver", run_driver, &first);
    loop();
    nodes_end();
    while (world.all != NULL)
        world_remove(world.all);
    events_end();
    free(world.ready);
    world.ready = NULL;
}
