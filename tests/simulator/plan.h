/*
 * What a seed is going to be: the ensemble, its options, its clients, and a list of faults with their times. Made from
 * the seed by a chance of its own, before the world begins, so that single faults can be left out and the rest stays.
 */
#ifndef ZKC_TESTS_SIMULATOR_PLAN_H
#define ZKC_TESTS_SIMULATOR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_MOST_SERVERS 6
#define PLAN_MOST_CLIENTS 4
#define PLAN_MOST_FAULTS 48

enum plan_mode {
    PLAN_SAFETY,      /* anything may fail; what was promised holds */
    PLAN_LIVENESS,    /* faults stop, or a connected majority is left of them: a write succeeds in time */
};

/* FAULT(name, what it is called): who stands in `server`, and `other` where it takes two. */
#define PLAN_FAULTS(FAULT) \
    FAULT(KILL, "kill") /* kill -9; comes back after a while */ \
    FAULT(POWER, "power") /* the same, and what was not synced is lost */ \
    FAULT(POWER_ALL, "power-all") /* of all servers at once */ \
    FAULT(KILL_LEADER, "kill-leader") \
    FAULT(POWER_LEADER, "power-leader") \
    FAULT(STOP, "stop") /* SIGTERM, then started again */ \
    FAULT(PAUSE, "pause") /* SIGSTOP */ \
    FAULT(ISOLATE, "isolate") /* from all other servers and clients, both ways */ \
    FAULT(ISOLATE_LEADER, "isolate-leader") /* from the other servers; clients still reach it */ \
    FAULT(LAG, "lag") /* isolated, and when it is back somebody dies while it catches up */ \
    FAULT(CUT_ONE_WAY, "cut-one-way") /* server to other */ \
    FAULT(CUT, "cut") /* both ways, those two */ \
    FAULT(RESET, "reset") /* its connections */ \
    FAULT(SLOW_LINK, "slow-link") /* to and from it */ \
    FAULT(BYTEWISE, "bytewise") /* every link brings byte after byte */ \
    FAULT(SLOW_DISK, "slow-disk") \
    FAULT(FAIL_WRITE, "fail-write") /* the next write but some fails */ \
    FAULT(FAIL_SYNC, "fail-sync") \
    FAULT(FAIL_RENAME, "fail-rename") \
    FAULT(FULL_DISK, "full-disk") \
    FAULT(CRASH_POINT, "crash-point") /* dies at one of the next changes of its disk; power or not */ \
    FAULT(CLOCK_STEP, "clock-step") /* of its wall clock */ \
    FAULT(OPTIONS, "options") /* SIGTERM, then started again with the other options */ \
    FAULT(AMNESIA, "amnesia") /* power lost, and the whole data directory */ \
    FAULT(ROT, "rot") /* power lost, and a bit turned over in a log or snapshot */ \
    FAULT(KILL_CLIENT, "kill-client") \
    FAULT(RESET_CLIENTS, "reset-clients")

enum plan_fault_kind {
#define PLAN_KIND(name, text) FAULT_##name,
    PLAN_FAULTS(PLAN_KIND)
#undef PLAN_KIND
    FAULT_KINDS
};

struct plan_fault {
    enum plan_fault_kind kind;
    int64_t at_ns, length_ns;
    int server, other;        /* indices */
    uint64_t argument;        /* a number the kind reads as it likes */
    bool is_left_out;
};

struct cluster;
struct plan {
    uint64_t seed;
    void (*drama)(struct cluster *cluster); /* what happens while the clients work, in place of the faults; or NULL */
    enum plan_mode mode;
    int voters, observers, clients;
    int64_t tick_ms, length_ns;
    char options[2][1024]; /* lines of zoo.cfg, but for servers and directories; a server changes between them */
    int windows[2];                  /* commitLogCount, which a configuration cannot make so small; 0: as it says */
    bool reconfigures;               /* an operator changes who votes */
    bool keeps_cut;                  /* of liveness: one direction stays cut while the ensemble is to recover */
    int cut_from, cut_to;
    int64_t drift_ppm[PLAN_MOST_SERVERS];
    int32_t session_timeout_ms[PLAN_MOST_CLIENTS];
    int64_t pause_ns[PLAN_MOST_CLIENTS];
    int weights[PLAN_MOST_CLIENTS][8];
    struct plan_fault faults[PLAN_MOST_FAULTS];
    size_t fault_count;
};

void plan_make(struct plan *plan, uint64_t seed, enum plan_mode mode);
void plan_print(const struct plan *plan, FILE *stream);
const char *plan_fault_name(enum plan_fault_kind kind);

#endif
