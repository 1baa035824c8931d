/* What the files of the scheduler share: who runs, what is due, who may run. For scheduler.c, sim_event.c, sim_node.c,
 * sim_trace.c and the seams of threads; all others have scheduler.h. */
#ifndef ZKC_TESTS_SIMULATOR_WORLD_H
#define ZKC_TESTS_SIMULATOR_WORLD_H

#include "tests/simulator/fibre_stack.h"
#include "tests/simulator/scheduler.h"

enum fibre_state { FIBRE_READY, FIBRE_WAITS, FIBRE_ENDED };

struct sim_fibre {
    struct sim_fibre *next_of_all, *previous_of_all;
    struct sim_node *node;    /* NULL for the driver */
    uint32_t id;
    enum fibre_state state;
    size_t ready_at;          /* its place among the ready ones; SIZE_MAX: not there */
    bool is_slow;             /* for a while the seed prefers others */
    bool was_woken;
    int saved_errno;
    struct fibre_stack *stack;
    void (*run)(void *arg);
    void *arg;

    struct sim_waiters *waits_in;
    struct sim_fibre *next_waiting, *previous_waiting;
    uint64_t alarm;           /* the event that ends its wait; 0: none */

    const void *thread;       /* the struct thread of sim_thread.c */
    char name[64];
    char myid[32];            /* for lines of the log */
};

/* ---- scheduler.c ---- */
void world_remove(struct sim_fibre *fibre);               /* not the one that runs */
void world_each_of(struct sim_node *node, void (*each)(struct sim_fibre *fibre));
void world_park(struct sim_fibre *fibre);                 /* a ready one may not run for now */
void world_unpark(struct sim_fibre *fibre);
struct sim_fibre *world_spawn(struct sim_node *node, const char *name, void (*run)(void *arg), void *arg);
void world_leave(void); /* of the running fibre: to the scheduler, and back when it is chosen */
void world_look(void);  /* somebody looks at a clock: who does nothing else sees it move */

/* ---- sim_event.c ---- */
void events_begin(void);
void events_end(void);
int64_t events_next_ns(void);                             /* SIM_FOREVER: nothing is due, ever */
void events_run_due(int64_t now_ns);

/* ---- sim_node.c ---- */
void nodes_begin(void);
void nodes_end(void);
void nodes_bury_the_doomed(void);                         /* between two steps */

/* ---- sim_trace.c ---- */
void trace_begin(void);
void trace_choice(uint32_t fibre);

#endif
