/*
 * simulate.c - the simulator as a program.
 *
 *   simulate --seed 17                    runs it, prints its verdict; with --trace what happened, line by line
 *   simulate --seed 17 --without 3,4      leaves out these faults of its plan (--plan prints it)
 *   simulate --seed 17 --shrink           finds which of its faults a failing seed needs
 *   simulate --seeds 1-2000 --jobs 2      runs many, prints those that fail and a sum
 *
 * --liveness: the plans of liveness in place of those of safety. Exit code 0: nothing failed, 1: something did, 2:
 * usage.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/simulator/seed_process.h"

#define LIMIT_S 120
#define PROGRESS_EVERY_S 1

struct command {
    struct seed_range range;
    bool is_single, traces, shrinks, prints_plan;
    const char *without;
};

static void usage(void)
{
    fprintf(stderr, "usage: simulate --seed N [--trace] [--plan] [--without I,J] [--shrink] [--liveness]\n"
                    "       simulate --seeds A-B [--jobs N] [--limit SECONDS] [--liveness]\n");
    exit(2);
}

static uint64_t number(const char *text, const char **ret_rest)
{
    char *rest;
    uint64_t value = strtoull(text, &rest, 10);
    if (rest == text)
        usage();
    *ret_rest = rest;
    return value;
}

static void parse(int argc, char **argv, struct command *command)
{
    *command = (struct command){.range = {.jobs = 1, .limit_s = LIMIT_S}};
    const char *rest;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(word, "--trace") == 0)
            command->traces = true;
        else if (strcmp(word, "--shrink") == 0)
            command->shrinks = true;
        else if (strcmp(word, "--plan") == 0)
            command->prints_plan = true;
        else if (strcmp(word, "--liveness") == 0)
            command->range.mode = PLAN_LIVENESS;
        else if (value == NULL)
            usage();
        else if (strcmp(word, "--seed") == 0) {
            command->range.first = command->range.last = number(value, &rest);
            command->is_single = true;
        } else if (strcmp(word, "--seeds") == 0) {
            command->range.first = number(value, &rest);
            command->range.last = *rest == '-' ? number(rest + 1, &rest) : command->range.first;
        } else if (strcmp(word, "--jobs") == 0)
            command->range.jobs = (int)number(value, &rest);
        else if (strcmp(word, "--limit") == 0)
            command->range.limit_s = (int)number(value, &rest);
        else if (strcmp(word, "--without") == 0)
            command->without = value;
        else
            usage();
        if (strncmp(word, "--seed", 6) == 0 || strcmp(word, "--jobs") == 0 || strcmp(word, "--limit") == 0 ||
            strcmp(word, "--without") == 0)
            i++;
    }
    if (command->range.last == 0)
        usage();
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- one seed ---- */

static void leave_out(struct plan *plan, const char *list)
{
    while (*list != '\0') {
        uint64_t index = number(list, &list);
        if (index < plan->fault_count)
            plan->faults[index].is_left_out = true;
        if (*list == ',')
            list++;
    }
}

static void print_report(const struct seed_report *report)
{
    const struct scenario_result *result = &report->result;
    if (report->has_failed)
        printf("seed %" PRIu64 " FAILED: %s\n", report->seed, report->verdict);
    else
        printf("seed %" PRIu64 " passed: %.3f virtual s, %" PRIu64 " steps, %" PRIu64 " writes acknowledged, %" PRIu64
               " applied, recovered in %.3f s, trace %016" PRIx64 "\n",
               report->seed, (double)result->virtual_ns / 1e9, result->steps, result->acknowledged, result->applied,
               (double)result->recovery_ns / 1e9, result->hash);
}

static int run_single(const struct command *command)
{
    struct plan plan;
    struct seed_report report;
    plan_make(&plan, command->range.first, command->range.mode);
    if (command->without != NULL)
        leave_out(&plan, command->without);
    if (command->shrinks)
        printf("needs %zu of %zu faults\n", plan_shrink(&plan, command->range.limit_s), plan.fault_count);
    if (command->prints_plan || command->shrinks)
        plan_print(&plan, stdout);
    fflush(stdout);
    if (command->traces)
        sim_trace_to(stdout);
    seed_run_here(&plan, &report);
    print_report(&report);
    return report.has_failed;
}

/* ---- many ---- */

struct progress {
    double began_s, told_s;
    uint64_t seeds, done, failed, acknowledged;
    double virtual_s, longest_recovery_s;
    bool is_terminal;
};

static void tell(struct progress *progress)
{
    double real_s = seconds_now() - progress->began_s;
    fprintf(stderr, "\r%" PRIu64 "/%" PRIu64 " seeds, %" PRIu64 " failed, %.1f seeds/s, %.1f simulated hours an hour ",
            progress->done, progress->seeds, progress->failed, (double)progress->done / real_s,
            progress->virtual_s / real_s);
    progress->told_s = seconds_now();
}

static void take_report(void *arg, const struct seed_report *report)
{
    struct progress *progress = arg;
    progress->done++;
    progress->virtual_s += (double)report->result.virtual_ns / 1e9;
    progress->acknowledged += report->result.acknowledged;
    double recovery_s = (double)report->result.recovery_ns / 1e9;
    if (recovery_s > progress->longest_recovery_s)
        progress->longest_recovery_s = recovery_s;
    if (report->has_failed) {
        progress->failed++;
        if (progress->is_terminal)
            fprintf(stderr, "\n");
        print_report(report);
        fflush(stdout);
    }
    if (progress->is_terminal && seconds_now() - progress->told_s > PROGRESS_EVERY_S)
        tell(progress);
}

static int run_many(const struct command *command)
{
    struct progress progress = {.began_s = seconds_now(), .seeds = command->range.last - command->range.first + 1,
                                .is_terminal = isatty(STDERR_FILENO)};
    uint64_t failures = seeds_run(&command->range, take_report, &progress);
    double real_s = seconds_now() - progress.began_s;
    if (progress.is_terminal)
        fprintf(stderr, "\n");
    printf("%" PRIu64 " seeds, %" PRIu64 " failed; %.1f s, %.1f seeds/s; %.3f simulated hours, %.1f an hour; %" PRIu64
           " writes acknowledged; longest recovery %.3f s\n",
           progress.done, failures, real_s, (double)progress.done / real_s, progress.virtual_s / 3600,
           progress.virtual_s / real_s, progress.acknowledged, progress.longest_recovery_s);
    return failures > 0;
}

int main(int argc, char **argv)
{
    struct command command;
    parse(argc, argv, &command);
    return command.is_single ? run_single(&command) : run_many(&command);
}
