/* Whether an answer is the right one. No state; any thread. */
#ifndef ZKC_CLIENT_BENCH_REPLY_H
#define ZKC_CLIENT_BENCH_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "client/bench/bench_mix.h"
#include "client/bench/bench_request.h"

/* BENCH_VERDICT(name in C, key in JSON, what a person reads) */
#define BENCH_VERDICTS(BENCH_VERDICT) \
    BENCH_VERDICT(RIGHT, "right", "right") \
    BENCH_VERDICT(ORDER, "xid", "an answer out of order") \
    BENCH_VERDICT(ERROR, "error", "an error where there should be none") \
    BENCH_VERDICT(SHAPE, "shape", "an answer that cannot be read") \
    BENCH_VERDICT(DATA, "data", "data that nobody wrote there") \
    BENCH_VERDICT(VERSION, "version", "a version that goes back") \
    BENCH_VERDICT(ZXID, "zxid", "a zxid that goes back") \
    BENCH_VERDICT(EVENT, "event", "a watch event that is missing or that nobody waits for") \
    BENCH_VERDICT(TALLY, "count", "a write that was lost or made twice")

enum bench_verdict {
#define BENCH_VERDICT_ENUM(constant, key, sentence) BENCH_VERDICT_##constant,
    BENCH_VERDICTS(BENCH_VERDICT_ENUM)
#undef BENCH_VERDICT_ENUM
    BENCH_VERDICT_COUNT
};
const char *bench_verdict_key(enum bench_verdict verdict);
const char *bench_verdict_sentence(enum bench_verdict verdict);

/*
 * What stands behind the header of a reply without an error, held against what was asked for. *ret_version is the
 * version of the node where the reply tells one (read, write, exists, multi), else -1.
 */
enum bench_verdict bench_reply_check(const struct bench_plan *plan, enum bench_op op,
                                     const struct bench_subject *subject, const uint8_t *body, size_t size,
                                     int32_t *ret_version);
/* NodeDataChanged of this node, and nothing behind it. */
enum bench_verdict bench_reply_check_event(const struct bench_plan *plan, uint32_t node, const uint8_t *body,
                                           size_t size);

#endif
