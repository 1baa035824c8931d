/* What is asked for, and how often: named workloads, or operations with weights. No state; any thread. */
#ifndef ZKC_CLIENT_BENCH_MIX_H
#define ZKC_CLIENT_BENCH_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* BENCH_OP(name in C, name of the operation, sentence) */
#define BENCH_OPS(BENCH_OP) \
    BENCH_OP(READ, "read", "getData of a node") \
    BENCH_OP(WRITE, "write", "setData of a node") \
    BENCH_OP(CREATE, "create", "a new node, of the value's size") \
    BENCH_OP(DELETE, "delete", "of a node that the session made; a create when there is none") \
    BENCH_OP(EXISTS, "exists", "exists of a node") \
    BENCH_OP(CHILDREN, "children", "getChildren2 of a directory of nodes") \
    BENCH_OP(SYNC, "sync", "sync") \
    BENCH_OP(MULTI, "multi", "a transaction: check, setData, create, delete")

enum bench_op {
#define BENCH_OP_ENUM(constant, name, sentence) BENCH_OP_##constant,
    BENCH_OPS(BENCH_OP_ENUM)
#undef BENCH_OP_ENUM
    BENCH_OP_COUNT
};
const char *bench_op_name(enum bench_op op);
const char *bench_op_sentence(enum bench_op op);
bool bench_op_is_write(enum bench_op op);

/* How the sessions spend their time. */
enum bench_shape {
    BENCH_SHAPE_REQUESTS,    /* requests by weight */
    BENCH_SHAPE_FAN_OUT,     /* all but one watch a node, which the one changes */
    BENCH_SHAPE_CONNECT,     /* they come, and go again */
    BENCH_SHAPE_IDLE         /* they are there */
};
struct bench_mix {
    enum bench_shape shape;
    uint32_t weights[BENCH_OP_COUNT];    /* at most 1,000,000 each */
    uint32_t total;                      /* their sum; more than 0 for requests */
};
/* A workload's name ("mixed"), an operation ("read"), or operations with weights: "read:90,write:10".
 * ZK_BAD_ARGUMENTS says what is wrong with it. */
int bench_mix_parse(const char *text, struct bench_mix *ret_mix, struct error *error);
/* The operation that a number falls to; every number below total has one. */
enum bench_op bench_mix_pick(const struct bench_mix *mix, uint32_t number);
bool bench_mix_writes(const struct bench_mix *mix);

/* Named workloads, for the help: name and what it is, NULL behind the last. */
const char *bench_workload_name(size_t index);
const char *bench_workload_sentence(size_t index);

#endif
