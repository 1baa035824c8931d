/*
 * fuzz_records.c - libFuzzer target: the decoder of every record and of multi; the first byte says which.
 *
 * Oracle: what decodes, encodes to bytes that decode to the same. Not held against it is text with characters beyond
 * U+FFFF, which Java, and so this, writes in a form that it does not read as the same.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/wire/multi.h"
#include "common/wire/path.h"
#include "common/wire/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes, and if that went well encodes; the reader's error. */
typedef int recode(struct jute_reader *in, struct buffer *out, struct buffer *printed);

#define DEFINE_RECODE(name, FIELDS) \
    static int recode_##name(struct jute_reader *in, struct buffer *out, struct buffer *printed) \
    { \
        struct name record; \
        jute_read_##name(in, &record); \
        if (jute_error(in) == ZK_OK) { \
            jute_write_##name(out, &record); \
            jute_print_##name(printed, &record); \
        } \
        return jute_error(in); \
    }
WIRE_RECORDS(DEFINE_RECODE)

/* Not so for what comes from a createTTL and could not come from a create. */
static bool reads_back(const struct multi_op *op)
{
    bool is_create = op->type == OP_CREATE || op->type == OP_CREATE_CONTAINER;
    return !is_create || (create_mode_is_valid(op->request.create.flags) && op->request.create.acl.count >= 0);
}

static int recode_multi(struct jute_reader *in, struct buffer *out, struct buffer *printed)
{
    struct multi_ops ops;
    (void)printed;
    multi_read_ops(in, &ops);
    for (int32_t i = 0; jute_error(in) == ZK_OK && i < ops.count; i++) {
        struct ustring path = multi_op_path(&ops.items[i]), parent = path;
        path_validate(path, i % 2 == 1, NULL);
        while (path_parent(parent, &parent))
            assert(parent.size > 0);
    }
    if (jute_error(in) != ZK_OK)
        return jute_error(in);
    for (int32_t i = 0; i < ops.count; i++)
        if (!reads_back(&ops.items[i]))
            return ZK_MARSHALLING_ERROR;
    multi_write_ops(out, &ops);
    return ZK_OK;
}

static recode *const recoders[] = {
    recode_multi,
#define RECODE_ENTRY(name, FIELDS) recode_##name,
    WIRE_RECORDS(RECODE_ENTRY)
};

/* A surrogate of three bytes is somewhere in it. */
static bool has_surrogate(const struct buffer *bytes)
{
    for (size_t i = 0; i + 1 < bytes->size; i++)
        if (bytes->bytes[i] == 0xed && bytes->bytes[i + 1] >= 0xa0)
            return true;
    return false;
}

static int run(recode *recoder, const void *bytes, size_t size, struct buffer *out)
{
    struct arena arena = {0};
    struct buffer printed = {0};
    struct jute_reader reader;
    jute_reader_init(&reader, bytes, size, &arena);
    int err = recoder(&reader, out, &printed);
    assert(err == ZK_OK || err == ZK_EOF || err == ZK_MARSHALLING_ERROR);
    buffer_release(&printed);
    arena_release(&arena);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    recode *recoder = recoders[data[0] % (sizeof(recoders) / sizeof(recoders[0]))];
    struct buffer once = {0}, twice = {0};
    path_validate((struct ustring){(const char *)data + 1, (int32_t)(size - 1)}, false, NULL);
    if (run(recoder, data + 1, size - 1, &once) == ZK_OK) {
        int err = run(recoder, once.bytes, once.size, &twice);
        assert(err == ZK_OK);
        (void)err;
        if (!has_surrogate(&once)) {
            assert(once.size == twice.size);
            assert(once.size == 0 || memcmp(once.bytes, twice.bytes, once.size) == 0);
        }
    }
    buffer_release(&once);
    buffer_release(&twice);
    return 0;
}
