/* bench_request.c - requests through the records of common/wire; those that count most put their bytes together
 * here. */
#include "client/bench/bench_request.h"

#include <string.h>

#include "client/bench/bench_value.h"
#include "common/wire/acl.h"
#include "common/wire/multi.h"
#include "common/wire/op_code.h"
#include "common/wire/records.h"

#define HEADER_SIZE 12    /* length, xid, type */

/* Returns where the frame begins; its length is written by end(). */
static size_t begin(int32_t xid, int32_t type, struct buffer *out)
{
    size_t start = out->size;
    uint8_t *header = buffer_extend(out, HEADER_SIZE);
    store_be32(header, 0);
    store_be32(header + 4, (uint32_t)xid);
    store_be32(header + 8, (uint32_t)type);
    return start;
}

static void end(size_t start, struct buffer *out)
{
    store_be32(out->bytes + start, (uint32_t)(out->size - start - 4));
}

static struct ustring ustring_with(const char *bytes, size_t size)
{
    return (struct ustring){bytes, (int32_t)size};
}

static uint8_t *put_path(const char *path, size_t size, uint8_t *at)
{
    store_be32(at, (uint32_t)size);
    memcpy(at + 4, path, size);
    return at + 4 + size;
}

/* getData, exists and getChildren2 alike: a path, and whether to watch. */
static void write_read(const char *path, size_t size, int32_t xid, int32_t type, bool watch, struct buffer *out)
{
    size_t start = begin(xid, type, out);
    uint8_t *at = put_path(path, size, buffer_extend(out, 4 + size + 1));
    *at = watch;
    end(start, out);
}

static void write_set_data(const struct bench_plan *plan, const char *path, size_t size, int32_t xid,
                           const struct bench_subject *subject, struct buffer *out)
{
    size_t start = begin(xid, OP_SET_DATA, out);
    uint8_t *at = put_path(path, size, buffer_extend(out, 4 + size + 4 + subject->size + 4));
    store_be32(at, subject->size);
    bench_value_write(plan->pattern, subject->node, subject->stamp, at + 4, subject->size);
    store_be32(at + 4 + subject->size, UINT32_MAX);    /* any version */
    end(start, out);
}

static struct jute_buffer value_of(const struct bench_plan *plan, const struct bench_subject *subject,
                                   struct buffer *value)
{
    bench_value_write(plan->pattern, subject->node, subject->stamp, buffer_extend(value, subject->size), subject->size);
    return (struct jute_buffer){value->bytes, (int32_t)subject->size};
}

static void write_multi(const struct bench_plan *plan, const char *path, size_t size, int32_t xid,
                        const struct bench_subject *subject, struct buffer *out)
{
    char made[BENCH_PATH_SIZE];
    struct ustring node = ustring_with(path, size);
    struct ustring own = ustring_with(made, bench_plan_made_path(plan, subject->session, subject->number, made));
    struct buffer value = {0};
    struct jute_buffer data = value_of(plan, subject, &value);
    struct multi_op items[] = {
        { .type = OP_CHECK, .request.check = { .path = node, .version = -1 } },
        { .type = OP_SET_DATA, .request.set_data = { .path = node, .data = data, .version = -1 } },
        { .type = OP_CREATE, .request.create = { .path = own, .data = data, .acl = acl_open_unsafe } },
        { .type = OP_DELETE, .request.remove = { .path = own, .version = -1 } },
    };
    struct multi_ops ops = { .items = items, .count = 4 };
    size_t start = begin(xid, OP_MULTI, out);
    multi_write_ops(out, &ops);
    end(start, out);
    buffer_release(&value);
}

void bench_request_make(int32_t xid, const char *path, struct jute_buffer data, struct buffer *out)
{
    size_t start = begin(xid, OP_CREATE, out);
    struct create_request request = {.path = ustring_of(path), .data = data, .acl = acl_open_unsafe};
    jute_write_create_request(out, &request);
    end(start, out);
}

void bench_request_drop(int32_t xid, const char *path, struct buffer *out)
{
    size_t start = begin(xid, OP_DELETE, out);
    struct delete_request request = {.path = ustring_of(path), .version = -1};
    jute_write_delete_request(out, &request);
    end(start, out);
}

void bench_request_header(int32_t xid, int32_t type, struct buffer *out)
{
    end(begin(xid, type, out), out);
}

void bench_request_watch(const struct bench_plan *plan, int32_t xid, uint32_t node, struct buffer *out)
{
    char path[BENCH_PATH_SIZE];
    size_t size = bench_plan_node_path(plan, node, path);
    write_read(path, size, xid, OP_GET_DATA, true, out);
}

void bench_request_connect(int32_t timeout_ms, struct buffer *out)
{
    static const uint8_t no_password[16] = {0};
    size_t start = out->size;
    buffer_extend(out, 4);
    struct connect_request request = {.time_out = timeout_ms, .passwd = {no_password, sizeof(no_password)}};
    jute_write_connect_request(out, &request);
    end(start, out);
}

static void write_made(const struct bench_plan *plan, enum bench_op op, int32_t xid,
                       const struct bench_subject *subject, struct buffer *out)
{
    char path[BENCH_PATH_SIZE];
    bench_plan_made_path(plan, subject->session, subject->number, path);
    if (op == BENCH_OP_DELETE) {
        bench_request_drop(xid, path, out);
        return;
    }
    struct buffer value = {0};
    bench_request_make(xid, path, value_of(plan, subject, &value), out);
    buffer_release(&value);
}

void bench_request_write(const struct bench_plan *plan, enum bench_op op, int32_t xid,
                         const struct bench_subject *subject, struct buffer *out)
{
    char path[BENCH_PATH_SIZE];
    if (op == BENCH_OP_CREATE || op == BENCH_OP_DELETE) {
        write_made(plan, op, xid, subject, out);
        return;
    }
    size_t size = op == BENCH_OP_CHILDREN
                      ? bench_plan_directory_path(plan, subject->node / BENCH_DIRECTORY_SIZE, path)
                      : bench_plan_node_path(plan, subject->node, path);
    switch (op) {
    case BENCH_OP_WRITE:
        write_set_data(plan, path, size, xid, subject, out);
        break;
    case BENCH_OP_MULTI:
        write_multi(plan, path, size, xid, subject, out);
        break;
    case BENCH_OP_SYNC: {
        size_t start = begin(xid, OP_SYNC, out);
        put_path(path, size, buffer_extend(out, 4 + size));
        end(start, out);
        break;
    }
    default:
        write_read(path, size, xid, op == BENCH_OP_READ     ? OP_GET_DATA
                                    : op == BENCH_OP_EXISTS ? OP_EXISTS
                                                            : OP_GET_CHILDREN2,
                   false, out);
    }
}
