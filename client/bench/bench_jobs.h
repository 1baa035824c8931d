/* What a crew can do: the jobs of a run, in the order they come. */
#ifndef ZKC_CLIENT_BENCH_JOBS_H
#define ZKC_CLIENT_BENCH_JOBS_H

#include "client/bench/bench_crew.h"

/* bench_connect.c: sessions come and go. */
extern const struct bench_job bench_job_open;       /* all of them; fails if one cannot */
extern const struct bench_job bench_job_close;
extern const struct bench_job bench_job_connect;    /* the workload: over and over */
extern const struct bench_job bench_job_idle;       /* the workload: nothing */

/* bench_setup.c: lists of nodes that all work at; bench_setup_run() says which. */
enum bench_list {
    BENCH_LIST_ROOT,           /* the path above all nodes is made */
    BENCH_LIST_DIRECTORIES,    /* directories of nodes, and of sessions */
    BENCH_LIST_NODES,
    BENCH_LIST_FILL,           /* nodes that were there get a value of ours */
    BENCH_LIST_SYNC,           /* each session's server knows of what others were told */
    BENCH_LIST_AUDIT,          /* the same, then nodes are read, their versions added up */
    BENCH_LIST_DROP_MADE,      /* what sessions have made and not deleted */
    BENCH_LIST_DROP_SESSIONS,  /* their directories */
    BENCH_LIST_DROP_NODES,
    BENCH_LIST_DROP_DIRECTORIES,
    BENCH_LIST_DROP_ROOT
};
int bench_setup_run(struct bench_crew *crew, enum bench_list list, void (*look)(void *context), void *context,
                    struct error *error);

/* bench_run.c, bench_fan_out.c: the workloads of requests and of watches. */
extern const struct bench_job bench_job_run;
extern const struct bench_job bench_job_fan_out;

#endif
