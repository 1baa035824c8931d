/* bench_mix.c - workloads as rows. */
#include "client/bench/bench_mix.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

#define WEIGHT_MOST 1000000

static const struct {
    const char *name, *sentence;
} ops[BENCH_OP_COUNT] = {
#define BENCH_OP_ROW(constant, name, sentence) { name, sentence },
    BENCH_OPS(BENCH_OP_ROW)
#undef BENCH_OP_ROW
};

static const struct {
    const char *name, *sentence;
    enum bench_shape shape;
    uint32_t weights[BENCH_OP_COUNT];
} workloads[] = {
    { "mixed", "nine reads and a write", BENCH_SHAPE_REQUESTS, { [BENCH_OP_READ] = 90, [BENCH_OP_WRITE] = 10 } },
    { "create-delete", "nodes come and go", BENCH_SHAPE_REQUESTS, { [BENCH_OP_CREATE] = 1, [BENCH_OP_DELETE] = 1 } },
    { "all", "every operation", BENCH_SHAPE_REQUESTS, { 40, 20, 8, 8, 10, 1, 3, 10 } },
    { "fan-out", "all sessions watch one node: time until the last of them knows of a change", BENCH_SHAPE_FAN_OUT,
      {0} },
    { "connect", "sessions are made and closed", BENCH_SHAPE_CONNECT, {0} },
    { "idle", "sessions are there and do nothing but ping", BENCH_SHAPE_IDLE, {0} },
};

const char *bench_op_name(enum bench_op op)
{
    return ops[op].name;
}

const char *bench_op_sentence(enum bench_op op)
{
    return ops[op].sentence;
}

bool bench_op_is_write(enum bench_op op)
{
    return op == BENCH_OP_WRITE || op == BENCH_OP_CREATE || op == BENCH_OP_DELETE || op == BENCH_OP_MULTI;
}

static bool find_op(const char *name, size_t size, enum bench_op *ret_op)
{
    for (int i = 0; i < BENCH_OP_COUNT; i++)
        if (strlen(ops[i].name) == size && memcmp(ops[i].name, name, size) == 0) {
            *ret_op = (enum bench_op)i;
            return true;
        }
    return false;
}

static void sum_up(struct bench_mix *mix)
{
    mix->total = 0;
    for (int i = 0; i < BENCH_OP_COUNT; i++)
        mix->total += mix->weights[i];
}

/* "read:90" or "read". */
static int parse_part(const char *part, size_t size, struct bench_mix *mix, struct error *error)
{
    const char *colon = memchr(part, ':', size);
    size_t name_size = colon == NULL ? size : (size_t)(colon - part);
    enum bench_op op;
    int64_t weight = 1;
    if (!find_op(part, name_size, &op))
        return error_set(error, ZK_BAD_ARGUMENTS, "there is no workload or operation \"%.*s\"", (int)name_size, part);
    if (colon != NULL) {
        char *digits = string_copy_n(colon + 1, size - name_size - 1);
        bool is_number = string_to_int64(digits, 10, &weight);
        memory_free(digits);
        if (!is_number || weight < 0 || weight > WEIGHT_MOST)
            return error_set(error, ZK_BAD_ARGUMENTS, "the weight of %s is a number from 0 to %d, not \"%.*s\"",
                             ops[op].name, WEIGHT_MOST, (int)(size - name_size - 1), colon + 1);
    }
    mix->weights[op] = (uint32_t)weight;
    return ZK_OK;
}

int bench_mix_parse(const char *text, struct bench_mix *ret_mix, struct error *error)
{
    struct bench_mix mix = {.shape = BENCH_SHAPE_REQUESTS};
    for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
        if (strcmp(workloads[i].name, text) == 0) {
            mix.shape = workloads[i].shape;
            memcpy(mix.weights, workloads[i].weights, sizeof(mix.weights));
            sum_up(&mix);
            *ret_mix = mix;
            return ZK_OK;
        }
    for (const char *at = text;; at++) {
        const char *end = strchrnul(at, ',');
        int err = parse_part(at, (size_t)(end - at), &mix, error);
        if (err != ZK_OK)
            return err;
        at = end;
        if (*at == '\0')
            break;
    }
    sum_up(&mix);
    if (mix.total == 0)
        return error_set(error, ZK_BAD_ARGUMENTS, "the weights of \"%s\" are all 0", text);
    *ret_mix = mix;
    return ZK_OK;
}

enum bench_op bench_mix_pick(const struct bench_mix *mix, uint32_t number)
{
    int op = 0;
    while (op < BENCH_OP_COUNT - 1 && number >= mix->weights[op])
        number -= mix->weights[op++];
    return (enum bench_op)op;
}

bool bench_mix_writes(const struct bench_mix *mix)
{
    for (int i = 0; i < BENCH_OP_COUNT; i++)
        if (mix->weights[i] > 0 && bench_op_is_write((enum bench_op)i))
            return true;
    return false;
}

const char *bench_workload_name(size_t index)
{
    return index < ARRAY_SIZE(workloads) ? workloads[index].name : NULL;
}

const char *bench_workload_sentence(size_t index)
{
    return index < ARRAY_SIZE(workloads) ? workloads[index].sentence : NULL;
}
