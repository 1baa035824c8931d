/*
 * How many sessions may come in: a bucket of tokens, and odds of refusing that rise while it is empty (BLUE). Mirrors
 * BlueThrottle. Any thread; time is given by the caller, in ms of clock_elapsed_ms().
 */
#ifndef ZKC_SERVER_SESSION_BLUE_THROTTLE_H
#define ZKC_SERVER_SESSION_BLUE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/thread/mutex.h"
#include "server/config/server_options.h"

/* What a connection that asks for a session is after. */
enum session_kind { SESSION_GLOBAL, SESSION_LOCAL, SESSION_RENEWED, SESSION_KINDS };

struct blue_throttle {
    int64_t max_tokens;         /* 0: nothing is throttled */
    int64_t fill_time_ms, fill_count;
    int64_t freeze_time_ms;     /* -1: the odds stay 0 */
    double drop_increase, drop_decrease, decrease_point;
    int64_t weights[SESSION_KINDS];

    struct mutex lock;
    int64_t tokens GUARDED_BY(lock), last_fill_ms GUARDED_BY(lock), last_freeze_ms GUARDED_BY(lock);
    double drop GUARDED_BY(lock);
};

void blue_throttle_init(struct blue_throttle *throttle, const struct server_options *options, int64_t now_ms);
void blue_throttle_release(struct blue_throttle *throttle);
/* checkLimit: false when there are not enough tokens for it, or the dice say so. */
bool blue_throttle_check_limit(struct blue_throttle *throttle, enum session_kind kind, int64_t now_ms);
int64_t blue_throttle_deficit(struct blue_throttle *throttle);    /* tokens that are out */
double blue_throttle_drop_chance(struct blue_throttle *throttle); /* 0 to 1 */

#endif
