/*
 * The simulated world: machines, the threads of their programs as fibres, and time, all driven by one seed.
 *
 * One thread of the real machine runs everything. A thread of a program is a fibre, which runs until it reaches a
 * switch point (every lock, wait, sleep and call of the outside world) and there goes on, or lets the seed choose who
 * runs next. Time is virtual: a step costs about a microsecond, and when nobody can run it jumps to whatever is due
 * next.
 *
 * What the fibres of a program call is common/'s own interface: sim_thread.c, sim_mutex.c, sim_clock.c, sim_memory.c,
 * sim_socket.c, sim_file.c and the like stand in the place of the files of common/ of the same name, and the linker
 * leaves those out. Everything here is for these files, for the driver (cluster, faults, checks) and for nobody else.
 * The state of the world is the one global of the test; sim_begin() makes it, sim_end() takes it away, and seeds can
 * follow each other in one process.
 *
 * Two orders of time: `_ns` in a name here is true time, nanoseconds since sim_begin(). Each machine has clocks of its
 * own, made from it: elapsed (with an offset and a drift) and wall (which may step).
 */
#ifndef ZKC_TESTS_SIMULATOR_SCHEDULER_H
#define ZKC_TESTS_SIMULATOR_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_FOREVER INT64_MAX
#define SIM_US INT64_C(1000)
#define SIM_MS INT64_C(1000000)
#define SIM_S INT64_C(1000000000)

/* ---- the world ---- */

/* Runs `driver` as the first fibre, of no machine, until it returns; then whatever is left is taken away. */
void sim_run(uint64_t seed, void (*driver)(void *arg), void *arg);

int64_t sim_now_ns(void);

/* The one source of chance of the world. Same seed, same numbers, on every compiler: no floating point. */
uint64_t sim_random(void);
uint64_t sim_below(uint64_t bound);                  /* [0, bound), bound > 0 */
int64_t sim_between(int64_t least, int64_t most);    /* both included */
bool sim_one_in(uint64_t n);                         /* true once in n; never for 0 */

/* ---- the trace ---- */

/*
 * One line: true time, machine, thread, text. Written only when the trace is on, but counted into the hash always, so
 * that two runs can be compared without it: so the arguments must not depend on addresses. Use it for what a person who
 * reads the trace wants to see (connects, syncs, faults, roles), not for each lock.
 */
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without the hash: for what is only there to be read, such as lines of the log. */
void sim_trace_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_trace_to(void *stream);                     /* a FILE *; NULL turns it off */
bool sim_trace_is_on(void);
/* Of everything traced and of each choice of the scheduler so far. */
uint64_t sim_trace_hash(void);
/* Switches between fibres so far. */
uint64_t sim_steps(void);

/* A check of the driver or of a seam failed: the line is kept, the first one is the verdict of the seed. */
void sim_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *sim_verdict(void);                       /* NULL: nothing failed */

/* ---- machines ---- */

struct sim_blocks;
struct sim_node {
    char name[24];
    int index;                     /* 0, 1, ... in the order they were made; its address is 10.0.0.(index + 1) */
    bool is_running;               /* a program is on it */
    bool is_paused;                /* as by SIGSTOP: its fibres do not run */
    bool is_doomed;                /* see sim_doom() */
    uint32_t boots;                /* how often a program was started on it */
    int exit_code;                 /* of the last program whose main returned */

    int64_t elapsed_offset_ns;     /* what its elapsed clock showed at true time 0 */
    int64_t drift_ppm;             /* how much faster its clocks run, in millionths */
    int64_t wall_offset_ms;        /* its wall clock less a date of ours; steps when a test says so */

    struct sim_network_node *network;    /* of sim_network.c */
    struct sim_disk *disk;               /* of sim_disk.c; outlives programs */
    void *program;                       /* of whoever runs one: see cluster.h */
    struct sim_blocks *blocks;           /* memory its program has, of sim_memory.c */
    size_t block_count, block_bytes;
    int fibre_count;
    uint32_t pending_signals;            /* bit n: signal n waits to be taken by thread_wait_signal() */
};

struct sim_node *sim_node_new(const char *name);     /* lives until the world ends */
int sim_node_count(void);
struct sim_node *sim_node_at(int index);
/* Of the fibre that runs; NULL for the driver. */
struct sim_node *sim_current_node(void);

/* Starts a program: a fibre "main" of the machine. When it returns, `exit_code` is set and all that is left of the
 * program (fibres, memory, open files, sockets) is taken away as by exit(); what sim_node_leaks() has to say comes
 * first. */
void sim_node_start(struct sim_node *node, int (*program_main)(void *arg), void *arg);
/* kill -9, from outside the machine: between two steps of it. Its sockets are closed as a kernel closes them unless
 * `with_power`, which takes the power away: peers hear nothing, and what was not synced may be lost. */
void sim_node_kill(struct sim_node *node, bool with_power);
/* The same for whoever runs on the machine itself (a crash point in a call of the disk): never returns. */
_Noreturn void sim_doom(bool with_power);
void sim_node_pause(struct sim_node *node, bool is_paused);
/* SIGTERM and the like. */
void sim_node_signal(struct sim_node *node, int number);
/* Waits (the driver) until its program has ended or the time has come; true if it has. */
bool sim_node_join(struct sim_node *node, int64_t deadline_ns);
/* Its name when a program of it is at the end of its main and has still threads, memory, descriptors; for the
 * verdict. */
bool sim_node_leaks(struct sim_node *node, char *text, size_t size);

/* Its clocks. The inverse gives the first true time at which the elapsed clock shows at least that. */
int64_t sim_node_elapsed_ns(const struct sim_node *node);
int64_t sim_node_true_ns(const struct sim_node *node, int64_t elapsed_ns);
int64_t sim_node_wall_ms(const struct sim_node *node);

/* ---- fibres ---- */

struct sim_fibre;

/* A thread of the current machine (of none, for the driver). Runs from the next switch on. */
struct sim_fibre *sim_spawn(const char *name, void (*run)(void *arg), void *arg);
struct sim_fibre *sim_current(void);
const char *sim_fibre_name(const struct sim_fibre *fibre);
uint32_t sim_fibre_id(const struct sim_fibre *fibre);    /* of the world, from 1 */

/* Here the seed may let somebody else run. Every call that a real program makes to its kernel or a lock begins with
 * one. */
void sim_switch_point(void);
/* Here it must, if anybody can: sched_yield(). */
void sim_yield(void);
void sim_sleep_until(int64_t when_ns);

/* Who waits for something. {0} is empty. 16 bytes, so that it fits into a lock of pthreads. */
struct sim_waiters {
    struct sim_fibre *first, *last;
};
/* Sleeps in the list until woken, true, or until the true time has come, false. A woken one has left the list. */
bool sim_wait(struct sim_waiters *waiters, int64_t deadline_ns);
/* Wakes one (the seed says which), all. From a fibre or from an event. */
bool sim_wake_one(struct sim_waiters *waiters);
void sim_wake_all(struct sim_waiters *waiters);

/* ---- events ---- */

/* Calls `run` at that time, or at once after the present step for a time that has been; outside all fibres: it must not
 * wait, and what it wakes runs later. Events of one time come in the order they were asked for. Returns a number to
 * cancel it by, never 0. */
uint64_t sim_at(int64_t when_ns, void (*run)(void *arg), void *arg);
void sim_cancel(uint64_t event);                     /* what has run or is unknown is left alone */

/* ---- what the other parts of the world give the scheduler ---- */

/* sim_network.c: a machine came into being; its program is gone (`with_power`: silently); the world ends. */
void sim_network_add_node(struct sim_node *node);
void sim_network_lose_program(struct sim_node *node, bool with_power);
void sim_network_end(void);
size_t sim_network_open_count(const struct sim_node *node);    /* sockets its program has */
/* sim_disk.c: the same. Without power what was not synced is lost, or some of it, as the seed says. */
void sim_disk_add_node(struct sim_node *node);
void sim_disk_lose_program(struct sim_node *node, bool with_power);
void sim_disk_end(void);
size_t sim_disk_open_count(const struct sim_node *node);       /* files its program has open */
/* sim_memory.c: frees all its program had. */
void sim_memory_lose_program(struct sim_node *node);

#endif
