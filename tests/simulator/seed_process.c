/* seed_process.c - seeds in processes: one, many side by side, and one again and again with fewer faults. */
#include "tests/simulator/seed_process.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_JOBS 64

void seed_run_here(const struct plan *plan, struct seed_report *ret_report)
{
    *ret_report = (struct seed_report){.seed = plan->seed};
    scenario_run(plan, &ret_report->result);
    ret_report->has_failed = sim_verdict() != NULL;
    if (ret_report->has_failed)
        snprintf(ret_report->verdict, sizeof(ret_report->verdict), "%s", sim_verdict());
}

static bool write_whole(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written <= 0 && errno != EINTR)
            return false;
        if (written > 0) {
            at += written;
            size -= (size_t)written;
        }
    }
    return true;
}

static bool read_whole(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return true;
}

static void describe_death(int status, int limit_s, struct seed_report *report)
{
    report->has_failed = true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(report->verdict, sizeof(report->verdict), "takes more than %d s", limit_s);
    else if (WIFSIGNALED(status))
        snprintf(report->verdict, sizeof(report->verdict), "died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(report->verdict, sizeof(report->verdict), "ended with code %d", WEXITSTATUS(status));
}

/* ---- one ---- */

void seed_run_apart(const struct plan *plan, int limit_s, struct seed_report *ret_report)
{
    int ends[2];
    int failed = pipe(ends);
    assert(!failed);
    fflush(NULL);
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        struct seed_report report;
        close(ends[0]);
        alarm((unsigned)limit_s);
        seed_run_here(plan, &report);
        write_whole(ends[1], &report, sizeof(report));
        _exit(0);
    }
    close(ends[1]);
    int status;
    bool is_whole = read_whole(ends[0], ret_report, sizeof(*ret_report));
    close(ends[0]);
    waitpid(pid, &status, 0);
    if (is_whole)
        return;
    *ret_report = (struct seed_report){.seed = plan->seed};
    describe_death(status, limit_s, ret_report);
}

/* ---- many ---- */

struct worker {
    pid_t pid;
    int reads;              /* its reports come here; -1: it has nothing left to do */
    uint64_t next_seed;     /* whose report comes next */
};

static _Noreturn void work(const struct seed_range *range, uint64_t seed, int writes)
{
    for (; seed <= range->last; seed += (uint64_t)range->jobs) {
        struct plan plan;
        struct seed_report report;
        alarm((unsigned)range->limit_s);
        plan_make(&plan, seed, range->mode);
        seed_run_here(&plan, &report);
        if (!write_whole(writes, &report, sizeof(report)))
            break;
    }
    _exit(0);
}

static void start_worker(struct worker *worker, const struct seed_range *range, struct worker *all)
{
    int ends[2];
    worker->reads = -1;
    if (worker->next_seed > range->last)
        return;
    int failed = pipe(ends);
    assert(!failed);
    fflush(NULL);
    worker->pid = fork();
    assert(worker->pid >= 0);
    if (worker->pid == 0) {
        close(ends[0]);
        for (int i = 0; i < range->jobs; i++)
            if (all[i].reads >= 0)
                close(all[i].reads);
        work(range, worker->next_seed, ends[1]);
    }
    close(ends[1]);
    worker->reads = ends[0];
}

/* The next report of a worker, also of one that died over it; false when it has none any more. */
static bool next_report(struct worker *worker, const struct seed_range *range, struct worker *all,
                        struct seed_report *ret_report)
{
    if (read_whole(worker->reads, ret_report, sizeof(*ret_report))) {
        worker->next_seed = ret_report->seed + (uint64_t)range->jobs;
        return true;
    }
    int status;
    close(worker->reads);
    waitpid(worker->pid, &status, 0);
    worker->reads = -1;
    if (worker->next_seed > range->last)
        return false;
    *ret_report = (struct seed_report){.seed = worker->next_seed};
    describe_death(status, range->limit_s, ret_report);
    worker->next_seed += (uint64_t)range->jobs;
    start_worker(worker, range, all);
    return true;
}

uint64_t seeds_run(const struct seed_range *range, void (*each)(void *arg, const struct seed_report *report), void *arg)
{
    struct worker workers[MOST_JOBS];
    struct pollfd polled[MOST_JOBS];
    uint64_t failures = 0;
    assert(range->jobs > 0 && range->jobs <= MOST_JOBS);
    for (int i = 0; i < range->jobs; i++)
        workers[i] = (struct worker){.reads = -1, .next_seed = range->first + (uint64_t)i};
    for (int i = 0; i < range->jobs; i++)
        start_worker(&workers[i], range, workers);
    for (;;) {
        int count = 0;
        for (int i = 0; i < range->jobs; i++) {
            polled[i] = (struct pollfd){.fd = workers[i].reads, .events = POLLIN};
            count += workers[i].reads >= 0;
        }
        if (count == 0)
            return failures;
        poll(polled, (nfds_t)range->jobs, -1);
        for (int i = 0; i < range->jobs; i++) {
            struct seed_report report;
            if (workers[i].reads < 0 || polled[i].revents == 0 || !next_report(&workers[i], range, workers, &report))
                continue;
            failures += report.has_failed;
            each(arg, &report);
        }
    }
}

/* ---- fewer faults ---- */

/* The same kind of verdict: its words without its numbers. */
static bool is_same_kind(const char *a, const char *b)
{
    for (;;) {
        while ((*a >= '0' && *a <= '9') || (*a >= 'a' && *a <= 'f'))
            a++;
        while ((*b >= '0' && *b <= '9') || (*b >= 'a' && *b <= 'f'))
            b++;
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
}

/* Leaves out faults from `at` on, `count` of them; true if it still fails alike, else they are put back. */
static bool try_without(struct plan *plan, size_t at, size_t count, const char *verdict, int limit_s)
{
    bool before[PLAN_MOST_FAULTS];
    struct seed_report report;
    for (size_t i = 0; i < plan->fault_count; i++)
        before[i] = plan->faults[i].is_left_out;
    for (size_t i = at; i < at + count && i < plan->fault_count; i++)
        plan->faults[i].is_left_out = true;
    seed_run_apart(plan, limit_s, &report);
    if (report.has_failed && is_same_kind(report.verdict, verdict))
        return true;
    for (size_t i = 0; i < plan->fault_count; i++)
        plan->faults[i].is_left_out = before[i];
    return false;
}

size_t plan_shrink(struct plan *plan, int limit_s)
{
    struct seed_report whole;
    seed_run_apart(plan, limit_s, &whole);
    if (!whole.has_failed)
        return plan->fault_count;
    for (size_t step = (plan->fault_count + 1) / 2; step > 0; step = step / 2)
        for (size_t at = 0; at < plan->fault_count; at += step)
            try_without(plan, at, step, whole.verdict, limit_s);
    size_t left = 0;
    for (size_t i = 0; i < plan->fault_count; i++)
        left += !plan->faults[i].is_left_out;
    return left;
}
