/*
 * bench_reply.c - answers, read by hand where there are many of them and through common/wire otherwise.
 *
 * A Stat ends the answers that tell a version; it has 68 bytes.
 */
#include "client/bench/bench_reply.h"

#include <string.h>

#include "client/bench/bench_value.h"
#include "common/wire/op_code.h"
#include "common/wire/records.h"

enum { STAT_SIZE = 68, STAT_VERSION = 32, STAT_DATA_LENGTH = 52, STAT_NUM_CHILDREN = 56 };

static const struct {
    const char *key, *sentence;
} verdicts[BENCH_VERDICT_COUNT] = {
#define BENCH_VERDICT_ROW(constant, key, sentence) { key, sentence },
    BENCH_VERDICTS(BENCH_VERDICT_ROW)
#undef BENCH_VERDICT_ROW
};

const char *bench_verdict_key(enum bench_verdict verdict)
{
    return verdicts[verdict].key;
}

const char *bench_verdict_sentence(enum bench_verdict verdict)
{
    return verdicts[verdict].sentence;
}

static enum bench_verdict check_length(const struct bench_plan *plan, uint32_t length)
{
    return length >= plan->size_least && length <= plan->size_most ? BENCH_VERDICT_RIGHT : BENCH_VERDICT_DATA;
}

static enum bench_verdict check_data(const struct bench_plan *plan, uint32_t node, const uint8_t *body, size_t size,
                                     int32_t *ret_version)
{
    if (size < 4 + STAT_SIZE || load_be32(body) != size - 4 - STAT_SIZE)
        return BENCH_VERDICT_SHAPE;
    uint32_t length = load_be32(body);
    const uint8_t *stat = body + 4 + length;
    *ret_version = (int32_t)load_be32(stat + STAT_VERSION);
    if (check_length(plan, length) != BENCH_VERDICT_RIGHT || load_be32(stat + STAT_DATA_LENGTH) != length)
        return BENCH_VERDICT_DATA;
    return bench_value_is_right(plan->pattern, node, body + 4, length) ? BENCH_VERDICT_RIGHT : BENCH_VERDICT_DATA;
}

static enum bench_verdict check_stat(const struct bench_plan *plan, const uint8_t *body, size_t size,
                                     int32_t *ret_version)
{
    if (size != STAT_SIZE)
        return BENCH_VERDICT_SHAPE;
    *ret_version = (int32_t)load_be32(body + STAT_VERSION);
    return check_length(plan, load_be32(body + STAT_DATA_LENGTH));
}

static enum bench_verdict check_children(const struct bench_plan *plan, uint32_t directory, const uint8_t *body,
                                         size_t size)
{
    if (size < 4 + STAT_SIZE)
        return BENCH_VERDICT_SHAPE;
    uint32_t count = load_be32(body), want = bench_plan_directory_count(plan, directory);
    const uint8_t *at = body + 4, *end = body + size - STAT_SIZE;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++, at += 7) {
        if (end - at < 7 || load_be32(at) != 3)
            return BENCH_VERDICT_SHAPE;
        sum += (uint64_t)(at[4] - '0') * 100 + (uint64_t)(at[5] - '0') * 10 + (uint64_t)(at[6] - '0');
    }
    if (at != end)
        return BENCH_VERDICT_SHAPE;
    return count == want && sum == (uint64_t)want * (want - 1) / 2 && load_be32(end + STAT_NUM_CHILDREN) == want
               ? BENCH_VERDICT_RIGHT : BENCH_VERDICT_DATA;
}

static enum bench_verdict check_path(const char *path, size_t path_size, const uint8_t *body, size_t size)
{
    if (size < 4 || load_be32(body) != size - 4)
        return BENCH_VERDICT_SHAPE;
    return size - 4 == path_size && memcmp(body + 4, path, path_size) == 0 ? BENCH_VERDICT_RIGHT : BENCH_VERDICT_DATA;
}

static bool is_header(struct jute_reader *in, int32_t type)
{
    struct multi_header header;
    jute_read_multi_header(in, &header);
    return header.type == type && header.done == (type == -1) && header.err == (type == -1 ? -1 : 0);
}

/* check, setData, create, delete. */
static enum bench_verdict check_multi(const struct bench_plan *plan, const struct bench_subject *subject,
                                      const uint8_t *body, size_t size, int32_t *ret_version)
{
    char path[BENCH_PATH_SIZE];
    bench_plan_made_path(plan, subject->session, subject->number, path);
    struct jute_reader in;
    struct zk_stat stat = {0};
    jute_reader_init(&in, body, size, NULL);    /* no vector in it, and a path of ours needs no repair */
    bool is_shaped = is_header(&in, OP_CHECK) && is_header(&in, OP_SET_DATA);
    if (is_shaped)
        jute_read_zk_stat(&in, &stat);
    is_shaped = is_shaped && is_header(&in, OP_CREATE);
    if (!is_shaped || jute_left(&in) < 4 || load_be32(in.at) > jute_left(&in) - 4)
        return BENCH_VERDICT_SHAPE;
    size_t made_size = load_be32(in.at);
    enum bench_verdict made = check_path(path, strlen(path), in.at, 4 + made_size);
    in.at += 4 + made_size;
    if (!is_header(&in, OP_DELETE) || !is_header(&in, -1) || jute_error(&in) != ZK_OK || jute_left(&in) != 0)
        return BENCH_VERDICT_SHAPE;
    *ret_version = stat.version;
    return made != BENCH_VERDICT_RIGHT ? made : check_length(plan, (uint32_t)stat.data_length);
}

enum bench_verdict bench_reply_check(const struct bench_plan *plan, enum bench_op op,
                                     const struct bench_subject *subject, const uint8_t *body, size_t size,
                                     int32_t *ret_version)
{
    char path[BENCH_PATH_SIZE];
    *ret_version = -1;
    switch (op) {
    case BENCH_OP_READ:
        return check_data(plan, subject->node, body, size, ret_version);
    case BENCH_OP_WRITE:
    case BENCH_OP_EXISTS:
        return check_stat(plan, body, size, ret_version);
    case BENCH_OP_CREATE:
        return check_path(path, bench_plan_made_path(plan, subject->session, subject->number, path), body, size);
    case BENCH_OP_CHILDREN:
        return check_children(plan, subject->node / BENCH_DIRECTORY_SIZE, body, size);
    case BENCH_OP_SYNC:
        return check_path(path, bench_plan_node_path(plan, subject->node, path), body, size);
    case BENCH_OP_MULTI:
        return check_multi(plan, subject, body, size, ret_version);
    default:
        return size == 0 ? BENCH_VERDICT_RIGHT : BENCH_VERDICT_SHAPE;
    }
}

enum bench_verdict bench_reply_check_event(const struct bench_plan *plan, uint32_t node, const uint8_t *body,
                                           size_t size)
{
    char path[BENCH_PATH_SIZE];
    size_t path_size = bench_plan_node_path(plan, node, path);
    if (size < 8)
        return BENCH_VERDICT_SHAPE;
    if (load_be32(body) != EVENT_NODE_DATA_CHANGED || load_be32(body + 4) != STATE_SYNC_CONNECTED)
        return BENCH_VERDICT_EVENT;
    return check_path(path, path_size, body + 8, size - 8) == BENCH_VERDICT_RIGHT ? BENCH_VERDICT_RIGHT
                                                                                   : BENCH_VERDICT_EVENT;
}
