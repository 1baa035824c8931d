/* plan.c - makes an ensemble, its clients and its faults out of a seed. */
#include "tests/simulator/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tests/simulator/chance.h"
#include "tests/simulator/scheduler.h"
#include "tests/simulator/sim_client.h"

#define OPTIONS_SIZE sizeof(((struct plan *)0)->options[0])

static void add_option(char *options, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_option(char *options, const char *format, ...)
{
    size_t size = strlen(options);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(options + size, OPTIONS_SIZE - size, format, arguments);
    va_end(arguments);
    assert(more > 0 && size + (size_t)more < OPTIONS_SIZE);
}

/* What a seed may turn: queues and windows so short that they fill, snapshots so often that they meet everything. No
 * call has two draws among its arguments: which came first would be the compiler's choice. */
static void choose_options(struct plan *plan, struct chance *chance, char *options)
{
    static const int snap_counts[] = {10, 30, 100, 1000, 100000};
    add_option(options, "tickTime=%" PRId64 "\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=0\n", plan->tick_ms);
    add_option(options, "preAllocSize=64\nsnapCount=%d\n", snap_counts[chance_below(chance, 5)]);
    add_option(options, "autopurge.purgeInterval=0\nadmin.enableServer=false\ndb.autocreate=false\n");
    if (chance_one_in(chance, 3))
        add_option(options, "maxBatchSize=%d\n", (int)chance_between(chance, 1, 20));
    if (chance_one_in(chance, 3))
        add_option(options, "commitProcessor.numWorkerThreads=%d\n", (int)chance_between(chance, 0, 3));
    if (chance_one_in(chance, 3))
        add_option(options, "learner.asyncSending=true\n");
    if (chance_one_in(chance, 4))
        add_option(options, "forceSync=yes\n");
    if (chance_one_in(chance, 5))
        add_option(options, "leaderServes=no\n");
    if (chance_one_in(chance, 4))
        add_option(options, "snapshotSizeFactor=%s\n", chance_one_in(chance, 2) ? "-1" : "0.1");
    if (chance_one_in(chance, 8))
        add_option(options, "forceSnapshotSync=true\n");
    if (chance_one_in(chance, 4))
        add_option(options, "txnLogSizeLimitInKb=%d\n", (int)chance_between(chance, 1, 64));
    if (chance_one_in(chance, 4))
        add_option(options, "snapshot.compression.method=%s\n", chance_one_in(chance, 2) ? "gz" : "snappy");
    if (chance_one_in(chance, 4))
        add_option(options, "globalOutstandingLimit=%d\n", (int)chance_between(chance, 1, 20));
    if (chance_one_in(chance, 4))
        add_option(options, "electionAlg=3\nelectionPortBindRetry=0\n");
}

/* So many things each client does, more or less: what a seed shows lies in its faults and orders, not in the mass. */
static void choose_clients(struct plan *plan, struct chance *chance)
{
    static const int deeds[] = {20, 60, 150, 400};
    plan->clients = (int)chance_between(chance, 1, PLAN_MOST_CLIENTS);
    for (int i = 0; i < plan->clients; i++) {
        plan->session_timeout_ms[i] = (int32_t)(plan->tick_ms * chance_between(chance, 2, 20));
        plan->pause_ns[i] = 2 * plan->length_ns / deeds[chance_below(chance, 4)];
        for (int deed = 0; deed < SIM_DEEDS; deed++)
            plan->weights[i][deed] = chance_one_in(chance, 4) ? 0 : (int)chance_between(chance, 1, 10);
        plan->weights[i][SIM_WRITE] += 3;
    }
}

static bool wants_two(enum plan_fault_kind kind)
{
    return kind == FAULT_CUT || kind == FAULT_CUT_ONE_WAY;
}

static void choose_fault(struct plan *plan, struct chance *chance, const bool *allowed, struct plan_fault *fault)
{
    int servers = plan->voters + plan->observers;
    do {
        fault->kind = (enum plan_fault_kind)chance_below(chance, FAULT_KINDS);
    } while (!allowed[fault->kind] || (servers == 1 && wants_two(fault->kind)));
    fault->server = (int)chance_below(chance, (uint64_t)servers);
    fault->other = servers > 1 ? (fault->server + 1 + (int)chance_below(chance, (uint64_t)servers - 1)) % servers : 0;
    fault->argument = chance_next(chance);
    static const int ticks[] = {1, 3, 8, 20};
    int64_t length_ticks = ticks[chance_below(chance, 4)];
    fault->length_ns = plan->tick_ms * SIM_MS * length_ticks * chance_between(chance, 50, 150) / 100;
}

static int by_time(const struct plan_fault *a, const struct plan_fault *b)
{
    return a->at_ns < b->at_ns ? -1 : a->at_ns > b->at_ns;
}

static void sort_faults(struct plan *plan)
{
    for (size_t i = 1; i < plan->fault_count; i++)
        for (size_t j = i; j > 0 && by_time(&plan->faults[j], &plan->faults[j - 1]) < 0; j--) {
            struct plan_fault fault = plan->faults[j];
            plan->faults[j] = plan->faults[j - 1];
            plan->faults[j - 1] = fault;
        }
}

/* A seed has few kinds of faults, and those often: each kind alone shows what the mixture hides. */
static void choose_faults(struct plan *plan, struct chance *chance)
{
    bool allowed[FAULT_KINDS] = {false};
    uint64_t kinds = chance_below(chance, 3) == 0 ? FAULT_KINDS : (uint64_t)chance_between(chance, 1, 6);
    for (uint64_t i = 0; i < kinds; i++)
        allowed[chance_below(chance, FAULT_KINDS)] = true;
    if (plan->keeps_cut)    /* who lost its disk does not vote; the two others may not hear each other */
        allowed[FAULT_AMNESIA] = allowed[FAULT_ROT] = false;
    if (plan->reconfigures)    /* the configuration is on the disk, too, and says what a majority is */
        allowed[FAULT_AMNESIA] = allowed[FAULT_ROT] = allowed[FAULT_OPTIONS] = false;
    allowed[FAULT_RESET] = true;    /* at least one that needs no second server */
    plan->fault_count = (size_t)chance_between(chance, 2, PLAN_MOST_FAULTS);
    for (size_t i = 0; i < plan->fault_count; i++) {
        choose_fault(plan, chance, allowed, &plan->faults[i]);
        plan->faults[i].at_ns = (int64_t)chance_below(chance, (uint64_t)plan->length_ns);
    }
    sort_faults(plan);
}

void plan_make(struct plan *plan, uint64_t seed, enum plan_mode mode)
{
    static const int64_t ticks_ms[] = {100, 200, 500, 1000};
    static const int windows[] = {3, 10, 50, 500};
    *plan = (struct plan){.seed = seed, .mode = mode};
    struct chance chance = {seed * UINT64_C(0x2545f4914f6cdd1d) + (uint64_t)mode};
    uint64_t shape = chance_below(&chance, 20);
    plan->voters = shape == 0 ? 1 : shape < 3 ? 5 : 3;
    plan->observers = plan->voters == 3 && chance_one_in(&chance, 4) ? 1 : 0;
    plan->tick_ms = ticks_ms[chance_below(&chance, 4)];
    plan->length_ns = chance_between(&chance, 25, 125) * plan->tick_ms * SIM_MS;
    for (int i = 0; i < plan->voters + plan->observers; i++)
        plan->drift_ppm[i] = chance_one_in(&chance, 2) ? chance_between(&chance, -500, 500) : 0;
    for (int i = 0; i < 2; i++) {
        choose_options(plan, &chance, plan->options[i]);
        plan->windows[i] = windows[chance_below(&chance, 4)];
    }
    choose_clients(plan, &chance);
    plan->reconfigures = plan->voters >= 3 && chance_one_in(&chance, 8);
    if (plan->reconfigures) {    /* skipACL, as the configuration may be written by nobody else */
        add_option(plan->options[0], "reconfigEnabled=true\nskipACL=yes\n");
        add_option(plan->options[1], "reconfigEnabled=true\nskipACL=yes\n");
    }
    plan->keeps_cut = mode == PLAN_LIVENESS && plan->voters >= 3 && !plan->reconfigures && chance_one_in(&chance, 2);
    choose_faults(plan, &chance);
    plan->cut_from = (int)chance_below(&chance, (uint64_t)plan->voters);
    plan->cut_to = plan->voters > 1
                       ? (plan->cut_from + 1 + (int)chance_below(&chance, (uint64_t)plan->voters - 1)) % plan->voters
                       : 0;
}

const char *plan_fault_name(enum plan_fault_kind kind)
{
    static const char *const names[] = {
#define PLAN_NAME(name, text) text,
        PLAN_FAULTS(PLAN_NAME)
#undef PLAN_NAME
    };
    return names[kind];
}

void plan_print(const struct plan *plan, FILE *stream)
{
    fprintf(stream,
            "seed %" PRIu64 ": %d voters, %d observers, %d clients, tick %" PRId64 " ms, %" PRId64 ".%03" PRId64
            " s of faults\n",
            plan->seed, plan->voters, plan->observers, plan->clients, plan->tick_ms, plan->length_ns / SIM_S,
            plan->length_ns / SIM_MS % 1000);
    fprintf(stream, "%swindow of %d\nor\n%swindow of %d\n", plan->options[0], plan->windows[0], plan->options[1],
            plan->windows[1]);
    if (plan->reconfigures)
        fprintf(stream, "an operator changes who votes\n");
    if (plan->keeps_cut)
        fprintf(stream, "server%d is not heard by server%d while the ensemble is to recover\n", plan->cut_from + 1,
                plan->cut_to + 1);
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct plan_fault *fault = &plan->faults[i];
        fprintf(stream, "%s%3zu %9.3f s  %-15s server %d other %d for %.3f s\n", fault->is_left_out ? "- " : "  ", i,
                (double)fault->at_ns / 1e9, plan_fault_name(fault->kind), fault->server + 1, fault->other + 1,
                (double)fault->length_ns / 1e9);
    }
}
