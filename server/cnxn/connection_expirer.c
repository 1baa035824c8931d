/*
 * connection_expirer.c - the clock that silent connections are held against.
 *
 * Mirrors NIOServerCnxnFactory.ConnectionExpirerThread. Thread "ConnnectionExpirer" (sic). What is closed, and when, is
 * its caller's; here is only the waiting.
 */
#include "server/cnxn/connection_expirer.h"

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "server/session/expiry_wait.h"

struct connection_expirer {
    int64_t (*expire)(void *context, int64_t late_ms);
    void *context;
    struct thread *thread;
    struct mutex lock;
    struct condition stopped;
    bool is_stopping GUARDED_BY(lock);
};

/* `ms` from `now_ms` on, or until it is stopped; returns the ms that the process stood still meanwhile. */
static int64_t wait_ms(struct connection_expirer *expirer, int64_t now_ms, int64_t ms) REQUIRES(expirer->lock)
{
    int64_t deadline_ms = now_ms + ms, late_ms = 0;
    while (!expirer->is_stopping && now_ms < deadline_ms) {
        late_ms += expiry_wait_step(&expirer->stopped, &expirer->lock, now_ms, deadline_ms);
        now_ms = clock_elapsed_ms();
    }
    return late_ms;
}

static void expirer_run(void *arg)
{
    struct connection_expirer *expirer = arg;
    int64_t late_ms = 0;
    mutex_lock(&expirer->lock);
    while (!expirer->is_stopping) {
        mutex_unlock(&expirer->lock);
        int64_t now_ms = clock_elapsed_ms();
        int64_t ms = expirer->expire(expirer->context, late_ms);
        mutex_lock(&expirer->lock);
        late_ms = wait_ms(expirer, now_ms, ms);
    }
    mutex_unlock(&expirer->lock);
}

struct connection_expirer *connection_expirer_start(int64_t (*expire)(void *context, int64_t late_ms), void *context)
{
    struct connection_expirer *expirer = MEMORY_NEW(struct connection_expirer);
    expirer->expire = expire;
    expirer->context = context;
    mutex_init(&expirer->lock);
    condition_init(&expirer->stopped);
    expirer->thread = thread_start("ConnnectionExpirer", expirer_run, expirer);
    return expirer;
}

void connection_expirer_stop(struct connection_expirer *expirer)
{
    if (expirer == NULL)
        return;
    mutex_lock(&expirer->lock);
    expirer->is_stopping = true;
    condition_broadcast(&expirer->stopped);
    mutex_unlock(&expirer->lock);
    thread_join(expirer->thread);
    condition_release(&expirer->stopped);
    mutex_release(&expirer->lock);
    memory_free(expirer);
}
