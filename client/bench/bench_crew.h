/*
 * The threads of a run, and what each has to itself: a poller, a share of the sessions, its counts. They do one job
 * after another; a job is a table of functions that a worker calls, on its own thread.
 */
#ifndef ZKC_CLIENT_BENCH_CREW_H
#define ZKC_CLIENT_BENCH_CREW_H

#include <stdatomic.h>
#include <stdbool.h>

#include "client/bench/bench_histogram.h"
#include "client/bench/bench_options.h"
#include "client/bench/bench_plan.h"
#include "client/bench/bench_reply.h"
#include "client/bench/bench_session.h"

#define BENCH_SETUP_DEPTH 32    /* requests in flight a session while nodes are made and deleted */

struct bench_crew;
struct bench_worker;

/* Beside each session, by its place in the worker. */
struct bench_own {
    uint32_t made, deleted;    /* numbers below are made, and deleted */
    uint32_t multis;           /* that made and deleted a node */
    uint32_t age;              /* of the job that goes through sessions: what the session has done in it */
    int64_t since_ns;
    bool is_ready;
    struct bench_seen *seen;   /* versions of nodes, see bench_crew_see() */
};

struct bench_counts {
    struct bench_histogram *times[BENCH_OP_COUNT];    /* of what is measured; NULL: none of it yet */
    struct bench_histogram *all;                      /* of all together */
    struct bench_histogram *last;                     /* fan-out: until the last delivery */
    uint64_t wrong[BENCH_VERDICT_COUNT];
    uint64_t lost;                                    /* requests of connections that ended */
    uint64_t downs;                                   /* connections that ended, but for the first ones */
    uint64_t late;                                    /* with a rate: due in time, never answered */
    uint64_t versions;                                /* sum of those an audit has read */
    uint64_t changes;                                 /* of nodes, acknowledged */
    int64_t ended_ns;                                 /* the last answer that was measured */
};

struct bench_worker {
    struct bench_crew *crew;
    uint32_t number;
    struct poller *poller;
    struct bench_session *sessions;
    struct bench_own *owns;
    uint32_t session_count, ready_count;
    uint32_t in_flight;
    struct buffer scratch;
    uint64_t random;
    struct bench_counts counts;
    _Atomic uint64_t done;             /* for who looks on */
    bool has_failed;                   /* the job cannot go on; why: */
    char failure[256];
    char complaint[256];               /* the first wrong answer */
    /* Of the present job. */
    int64_t begin_ns, measure_ns, end_ns;    /* from when, to when it is measured */
    int64_t over_ns;                   /* when it was seen that it is over; 0: not yet */
    uint64_t issued, measured, budget;
    uint32_t rotor;
    int64_t now_ns;                    /* when the poller returned */
    int64_t reached_ns;                /* when it last got a session, or lost one it had */
};

struct bench_job {
    const char *name;
    uint32_t depth;                                                        /* 0: that of the options */
    void (*begin)(struct bench_worker *worker);                            /* NULL: nothing */
    bool (*next)(struct bench_worker *worker, struct bench_session *session);    /* one request; false: none now */
    void (*reply)(struct bench_worker *worker, struct bench_session *session, const struct bench_pending *pending,
                  int32_t err, const uint8_t *body, size_t size);
    void (*ready)(struct bench_worker *worker, struct bench_session *session);    /* NULL: nothing */
    void (*event)(struct bench_worker *worker, struct bench_session *session, const uint8_t *body, size_t size);
    /* NULL: the requests are lost, and the session is opened again. */
    void (*down)(struct bench_worker *worker, struct bench_session *session, uint32_t lost, const char *why);
    bool (*is_done)(struct bench_worker *worker);
    int64_t (*due_ns)(struct bench_worker *worker);    /* when to be woken, if nothing comes; NULL: no matter */
    void (*woken)(struct bench_worker *worker);        /* after each wait; NULL: nothing */
};

struct bench_crew {
    const struct bench_options *options;
    const struct bench_target *target;
    struct bench_plan plan;
    struct bench_worker *workers;
    uint32_t worker_count;
    const struct bench_job *job;
    _Atomic uint32_t busy;            /* workers whose part is not done */
    _Atomic bool is_interrupted;
    _Atomic uint64_t next_item;       /* of a list that all work at */
    int list;                         /* which list: bench_setup.c */
    uint64_t list_size;
    _Atomic bool found_nodes;         /* that were there before */
};

void bench_crew_init(struct bench_crew *crew, const struct bench_options *options, const struct bench_target *target,
                     const struct bench_plan *plan);
void bench_crew_release(struct bench_crew *crew);
/* Main thread. Does the job to its end; ZK_OK, or the failure of a worker. `context` is passed to `look` a few times a
 * second. */
int bench_crew_run(struct bench_crew *crew, const struct bench_job *job, void (*look)(void *context), void *context,
                   struct error *error);

/* For jobs, on the worker's thread. */
struct bench_own *bench_crew_own(struct bench_worker *worker, const struct bench_session *session);
uint32_t bench_crew_random(struct bench_worker *worker, uint32_t bound);
/* Notes the request; the caller appends it to session->out. */
int32_t bench_crew_expect(struct bench_worker *worker, struct bench_session *session, uint8_t kind, uint32_t node,
                          uint32_t number, int64_t since_ns);
void bench_crew_wrong(struct bench_worker *worker, enum bench_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void bench_crew_fail(struct bench_worker *worker, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bench_crew_time(struct bench_histogram **histogram, int64_t ns);
/* As many requests as the session has room for, and off with them. */
void bench_crew_fill(struct bench_worker *worker, struct bench_session *session);
/* What a session saw of a node's version: false if it went back (or, `is_write`, did not go on). */
bool bench_crew_see(struct bench_worker *worker, struct bench_session *session, uint32_t node, int32_t version,
                    bool is_write);

#endif
