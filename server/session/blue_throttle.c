/*
 * blue_throttle.c - tokens and odds for those who want a session. Mirrors BlueThrottle.
 *
 * With weights the configured number of tokens counts global sessions, so that the bucket and what fills it are as many
 * times larger as one of those weighs. A session that weighs less than a local one is taken to weigh as much.
 * Departs from Java: sums are 64 bits wide, so that no configuration overflows.
 */
#include "server/session/blue_throttle.h"

#include <math.h>

#include "common/base/log.h"
#include "common/base/random.h"

static void set_weights(struct blue_throttle *throttle, const struct server_options *options)
{
    int64_t local = options->connection_throttle_local_session_weight;
    int64_t global = options->connection_throttle_global_session_weight;
    int64_t renewed = options->connection_throttle_renew_session_weight;
    bool is_weighed = options->connection_throttle_weight_enabled;
    throttle->weights[SESSION_LOCAL] = is_weighed ? local : 1;
    throttle->weights[SESSION_GLOBAL] = is_weighed ? (global > local ? global : local) : 1;
    throttle->weights[SESSION_RENEWED] = is_weighed ? (renewed > local ? renewed : local) : 1;
    if (is_weighed && (global < local || renewed < local))
        log_warn("A global or a renewed session weighs less than a local one; they weigh %d, as that does", (int)local);
}

void blue_throttle_init(struct blue_throttle *throttle, const struct server_options *options, int64_t now_ms)
{
    set_weights(throttle, options);
    throttle->max_tokens = options->connection_max_tokens * throttle->weights[SESSION_GLOBAL];
    throttle->fill_time_ms = options->connection_token_fill_time;
    throttle->fill_count = options->connection_token_fill_count * throttle->weights[SESSION_GLOBAL];
    throttle->freeze_time_ms = options->connection_freeze_time;
    throttle->drop_increase = options->connection_drop_increase;
    throttle->drop_decrease = options->connection_drop_decrease;
    throttle->decrease_point = options->connection_decrease_ratio;
    mutex_init(&throttle->lock);
    mutex_lock(&throttle->lock);
    throttle->tokens = throttle->max_tokens;
    throttle->last_fill_ms = throttle->last_freeze_ms = now_ms;
    throttle->drop = 0;
    mutex_unlock(&throttle->lock);
}

void blue_throttle_release(struct blue_throttle *throttle)
{
    mutex_release(&throttle->lock);
}

static void fill(struct blue_throttle *throttle, int64_t now_ms) REQUIRES(throttle->lock)
{
    int64_t passed_ms = now_ms - throttle->last_fill_ms;
    if (passed_ms <= throttle->fill_time_ms)
        return;
    double tokens = (double)throttle->tokens + floor((double)passed_ms * (double)throttle->fill_count /
                                                     (double)throttle->fill_time_ms);
    throttle->tokens = tokens < (double)throttle->max_tokens ? (int64_t)tokens : throttle->max_tokens;
    throttle->last_fill_ms = now_ms;
}

/* checkBlue: an empty bucket makes refusing more likely, a full enough one less. */
static bool dice_are_kind(struct blue_throttle *throttle, int64_t now_ms) REQUIRES(throttle->lock)
{
    int64_t deficit = throttle->max_tokens - throttle->tokens;
    if (now_ms - throttle->last_freeze_ms > throttle->freeze_time_ms) {
        if (deficit == throttle->max_tokens && throttle->drop < 1)
            throttle->drop = fmin(throttle->drop + throttle->drop_increase, 1);
        else if (deficit <= llround((double)throttle->max_tokens * throttle->decrease_point) && throttle->drop > 0)
            throttle->drop = fmax(throttle->drop - throttle->drop_decrease, 0);
        throttle->last_freeze_ms = now_ms;
    }
    return random_unit() >= throttle->drop;
}

bool blue_throttle_check_limit(struct blue_throttle *throttle, enum session_kind kind, int64_t now_ms)
{
    if (throttle->max_tokens == 0)
        return true;
    mutex_lock(&throttle->lock);
    fill(throttle, now_ms);
    bool may_come = (throttle->freeze_time_ms < 0 || dice_are_kind(throttle, now_ms)) &&
                    throttle->tokens >= throttle->weights[kind];
    if (may_come)
        throttle->tokens -= throttle->weights[kind];
    mutex_unlock(&throttle->lock);
    return may_come;
}

int64_t blue_throttle_deficit(struct blue_throttle *throttle)
{
    mutex_lock(&throttle->lock);
    int64_t deficit = throttle->max_tokens - throttle->tokens;
    mutex_unlock(&throttle->lock);
    return deficit;
}

double blue_throttle_drop_chance(struct blue_throttle *throttle)
{
    mutex_lock(&throttle->lock);
    double drop = throttle->drop;
    mutex_unlock(&throttle->lock);
    return drop;
}
