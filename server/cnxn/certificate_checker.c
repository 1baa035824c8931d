/*
 * certificate_checker.c - threads that ask responders.
 *
 *   selector --question--> [ CertificateChecker-n: asks ] --verdict, Q7--> selector
 * A connection has at most one question. Those that wait are fewer than a queue holds, so nobody waits to hand one in.
 */
#include "server/cnxn/certificate_checker.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/net/ocsp.h"
#include "common/thread/worker_service.h"
#include "server/cnxn/selector_thread.h"

#define THREADS 4
#define MOST_WAITING 1024    /* of all, and so of one queue */
#define ANSWER_MS 5000

struct certificate_checker {
    struct worker_service *workers;
    _Atomic int waiting;
    _Atomic bool is_stopping;
    _Atomic uint64_t next;
    struct log_limiter refused;
};

struct check {
    struct certificate_checker *checker;
    struct server_cnxn *cnxn;    /* reference */
    struct ocsp_question *question;
};

static void run(void *arg)
{
    struct check *check = arg;
    struct certificate_checker *checker = check->checker;
    struct error error = {0};
    int err = ZK_CLOSED;
    if (!atomic_load(&checker->is_stopping) && !atomic_load(&check->cnxn->is_stale)) {
        err = ocsp_question_ask(check->question, clock_elapsed_ms() + ANSWER_MS, &error);
        if (err != ZK_OK)
            log_warn_limited(&checker->refused, "%s", error.text);
    }
    atomic_fetch_sub(&checker->waiting, 1);
    atomic_store(&check->cnxn->certificate_verdict, err);
    selector_thread_queue(check->cnxn->selector, check->cnxn);
    selector_thread_wake(check->cnxn->selector);
    server_cnxn_unref(check->cnxn);
    ocsp_question_free(check->question);
    memory_free(check);
}

struct certificate_checker *certificate_checker_start(void)
{
    struct certificate_checker *checker = MEMORY_NEW(struct certificate_checker);
    checker->workers = worker_service_start("CertificateChecker", THREADS, MOST_WAITING);
    return checker;
}

void certificate_checker_stop(struct certificate_checker *checker)
{
    if (checker == NULL)
        return;
    atomic_store(&checker->is_stopping, true);
    worker_service_stop(checker->workers);
    memory_free(checker);
}

void certificate_checker_check(struct certificate_checker *checker, struct server_cnxn *cnxn)
{
    struct ocsp_question *question = ocsp_question_new(cnxn->stream);
    if (question == NULL) {
        atomic_store(&cnxn->certificate_verdict, ZK_OK);
        return;
    }
    if (atomic_fetch_add(&checker->waiting, 1) >= MOST_WAITING) {
        atomic_fetch_sub(&checker->waiting, 1);
        ocsp_question_free(question);
        atomic_store(&cnxn->certificate_verdict, ZK_FULL);
        log_warn_limited(&checker->refused, "%d certificates wait for their responders already", MOST_WAITING);
        return;
    }
    struct check *check = MEMORY_NEW(struct check);
    *check = (struct check){checker, server_cnxn_ref(cnxn), question};
    worker_service_schedule(checker->workers, run, check, atomic_fetch_add(&checker->next, 1));
}
