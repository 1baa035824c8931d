/*
 * How those who let things expire wait: in steps, as a stall of the process within a long sleep, or at its end, would
 * not be seen. The time comes from the clock.
 */
#ifndef ZKC_SERVER_SESSION_EXPIRY_WAIT_H
#define ZKC_SERVER_SESSION_EXPIRY_WAIT_H

#include <stdint.h>

#include "common/thread/mutex.h"

/* Waits until `deadline_ms` (elapsed time), for a step of it at most, or until it is woken. Returns the ms that the
 * process, or the machine, stood still meanwhile; 0 for less than EXPIRY_STALL_MS (expiry_queue.h). */
int64_t expiry_wait_step(struct condition *woken, struct mutex *lock, int64_t now_ms, int64_t deadline_ms)
    REQUIRES(*lock);

#endif
