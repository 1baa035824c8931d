/*
 * dramas.c - plays a drama under one seed after the other.
 *
 *   dramas NAME --seeds 1-20              a line for each seed that fails, then a sum
 *   dramas NAME --seed 7 [--trace]        one
 *   dramas --list
 *
 * Exit code 0: nothing failed, 1: something did, 2: usage.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/known_bugs/dramas.h"
#include "tests/simulator/seed_process.h"

#define LIMIT_S 60

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: dramas NAME --seeds A-B | dramas NAME --seed N [--trace] | dramas --list\n");
    exit(2);
}

static const struct drama *find(const char *name)
{
    for (const struct drama *drama = dramas; drama->name != NULL; drama++)
        if (strcmp(drama->name, name) == 0)
            return drama;
    fprintf(stderr, "there is no drama %s\n", name);
    exit(2);
}

static void make_plan(const struct drama *drama, uint64_t seed, struct plan *plan)
{
    stage_plan(plan, seed);
    plan->drama = drama->play;
    if (drama->prepare != NULL)
        drama->prepare(plan);
    memcpy(plan->options[1], plan->options[0], sizeof(plan->options[1]));    /* at a restart, too */
}

static bool play_one(const struct drama *drama, uint64_t seed, bool traces)
{
    struct plan plan;
    struct seed_report report;
    make_plan(drama, seed, &plan);
    if (traces) {
        sim_trace_to(stdout);
        seed_run_here(&plan, &report);
    } else {
        seed_run_apart(&plan, LIMIT_S, &report);
    }
    if (report.has_failed)
        printf("seed %" PRIu64 " FAILED: %s\n", seed, report.verdict);
    else if (traces)
        printf("seed %" PRIu64 " passed\n", seed);
    fflush(stdout);
    return !report.has_failed;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct drama *drama = dramas; drama->name != NULL; drama++)
            printf("%s\n", drama->name);
        return 0;
    }
    uint64_t first, last;
    if (argc < 4)
        usage();
    const struct drama *drama = find(argv[1]);
    int numbers = sscanf(argv[3], "%" SCNu64 "-%" SCNu64, &first, &last);
    if (strncmp(argv[2], "--seed", 6) != 0 || numbers < 1)
        usage();
    if (numbers == 1)
        last = first;
    uint64_t failed = 0;
    for (uint64_t seed = first; seed <= last; seed++)
        failed += !play_one(drama, seed, argc > 4 && strcmp(argv[4], "--trace") == 0);
    printf("%s: %" PRIu64 " seeds, %" PRIu64 " failed\n", drama->name, last - first + 1, failed);
    return failed > 0;
}
