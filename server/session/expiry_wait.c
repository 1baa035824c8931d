/* expiry_wait.c - see expiry_wait.h. */
#include "server/session/expiry_wait.h"

#include "common/base/clock.h"
#include "server/session/expiry_queue.h"

#define STEP_MS 500    /* a stall of EXPIRY_STALL_MS and a step is always seen */

int64_t expiry_wait_step(struct condition *woken, struct mutex *lock, int64_t now_ms, int64_t deadline_ms)
{
    int64_t step_ms = deadline_ms - now_ms < STEP_MS ? deadline_ms - now_ms : STEP_MS;
    int64_t begin_ms = clock_sleep_begins_ms();
    condition_wait_until(woken, lock, now_ms + step_ms);
    int64_t overslept_ms = clock_overslept_ms(begin_ms, step_ms);
    return overslept_ms >= EXPIRY_STALL_MS ? overslept_ms : 0;
}
