/* An ensemble with its clients, as a plan says, and what can be done to it. The driver's. */
#ifndef ZKC_TESTS_SIMULATOR_CLUSTER_H
#define ZKC_TESTS_SIMULATOR_CLUSTER_H

#include "tests/simulator/plan.h"
#include "tests/simulator/sim_client.h"
#include "tests/simulator/sim_server.h"

struct cluster {
    const struct plan *plan;
    int server_count;
    struct sim_server servers[PLAN_MOST_SERVERS];
    int options_of[PLAN_MOST_SERVERS];          /* which of the plan's it has */
    /* A bit of its disk was turned over, and it has not served since; 0: no. */
    int64_t rotten_since_ns[PLAN_MOST_SERVERS];
    int lost;                                   /* the server that lost its disk, or a bit of it; -1: none has */
    bool may_end[PLAN_MOST_SERVERS];            /* by themselves: their disks may fail, lie or be full */
    int64_t starts_at_ns[PLAN_MOST_SERVERS];    /* when the supervisor starts it again; 0: it has not seen it end yet */
    struct sim_client clients[PLAN_MOST_CLIENTS];
    int64_t client_starts_at_ns[PLAN_MOST_CLIENTS];
    struct sim_client auditor;
    struct sim_client operator;                 /* in plans that reconfigure */
    char hosts[256];
};

void cluster_begin(struct cluster *cluster, const struct plan *plan);
/* Starts servers and clients again that have ended and whose time has come. */
void cluster_supervise(struct cluster *cluster);
/* Its next start has these options. */
void cluster_set_options(struct cluster *cluster, int server, int options);
/* Its data directory is lost; it must not run. It may not vote until it has got everything again. */
void cluster_wipe(struct cluster *cluster, int server);
/* Whether a server may lose its disk now: all have all, and none has lost its own and not got everything again. What a
 * majority has lost no protocol brings back. */
bool cluster_can_lose_a_disk(struct cluster *cluster);
void cluster_has_lost(struct cluster *cluster, int server);
/* A server that is not to be started before then. */
void cluster_hold_down(struct cluster *cluster, int server, int64_t until_ns);
int cluster_leader(const struct cluster *cluster);    /* an index; -1: nobody says so */
bool cluster_all_serve(const struct cluster *cluster);
/* Sleeps and supervises until `is_so` or the time; whether it is so. */
bool cluster_wait(struct cluster *cluster, bool (*is_so)(struct cluster *cluster), int64_t deadline_ns);

/* check_exits.c: who may end by itself by its plan; nobody else has since the last look. */
void check_exits_begin(struct cluster *cluster);
void check_exits(struct cluster *cluster);

/* faults.c: does it; takes it back, as far as it is something that lasts; takes back everything there may be. */
void fault_begin(struct cluster *cluster, const struct plan_fault *fault);
void fault_end(struct cluster *cluster, const struct plan_fault *fault);
void faults_end_all(struct cluster *cluster);

/* scenario.c: the whole of a seed. The verdict is sim_verdict()'s. */
struct scenario_result {
    int64_t virtual_ns;
    uint64_t steps, hash, acknowledged, applied;
    int64_t recovery_ns;    /* from the end of the faults to the first write of the auditor */
};
void scenario_run(const struct plan *plan, struct scenario_result *ret_result);

#endif
