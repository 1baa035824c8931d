/* A seed run in a process of its own, so that whatever it does to itself is only its verdict. */
#ifndef ZKC_TESTS_SIMULATOR_SEED_PROCESS_H
#define ZKC_TESTS_SIMULATOR_SEED_PROCESS_H

#include "tests/simulator/cluster.h"

struct seed_report {
    uint64_t seed;
    bool has_failed;
    char verdict[400];
    struct scenario_result result;
};

/* In this process. */
void seed_run_here(const struct plan *plan, struct seed_report *ret_report);
/* In a child; one that dies or takes more than `limit_s` real seconds has failed with a verdict that says so. */
void seed_run_apart(const struct plan *plan, int limit_s, struct seed_report *ret_report);
/*
 * Seeds first ... last in `jobs` processes, until `stops` says so; each report, in no order, goes to `each`. Returns
 * how many failed.
 */
struct seed_range {
    uint64_t first, last;
    enum plan_mode mode;
    int jobs, limit_s;
};
uint64_t seeds_run(const struct seed_range *range, void (*each)(void *arg, const struct seed_report *report),
                   void *arg);

/* The faults that are not needed for a verdict of the same kind are left out of the plan; returns how many are left. */
size_t plan_shrink(struct plan *plan, int limit_s);

#endif
