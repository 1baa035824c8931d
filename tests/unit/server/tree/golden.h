/* Files of tests/golden/tree, and byte streams over memory; for the tests of this room. */
#ifndef ZKC_TESTS_UNIT_SERVER_TREE_GOLDEN_H
#define ZKC_TESTS_UNIT_SERVER_TREE_GOLDEN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "server/tree/tree_snapshot.h"

#define GOLDEN_LIMIT (64 * 1024 * 1024)

static const struct data_tree_options golden_options = {
    .ephemeral_rules = {.extended_types_enabled = true},
    .digest_enabled = true,
};

__attribute__((unused)) static void golden_read(const char *name, struct buffer *ret_content)
{
    const char *top = getenv("ZKC_SOURCE");
    struct buffer path = {0};
    buffer_printf(&path, "%s/tests/golden/tree/%s", top != NULL ? top : ".", name);
    FILE *file = fopen(buffer_string(&path), "rb");
    ck_assert_msg(file != NULL, "cannot open %s", buffer_string(&path));
    size_t count;
    while ((count = fread(buffer_reserve(ret_content, 65536), 1, 65536, file)) > 0)
        ret_content->size += count;
    fclose(file);
    buffer_release(&path);
}

struct memory_sink {
    struct byte_sink base;
    struct buffer bytes;
};

__attribute__((unused)) static int memory_sink_write(struct byte_sink *self, const void *bytes, size_t size,
                                                     struct error *error)
{
    (void)error;
    buffer_append(&container_of(self, struct memory_sink, base)->bytes, bytes, size);
    return ZK_OK;
}

struct memory_source {
    struct byte_source base;
    const uint8_t *at;
    size_t left;
};

__attribute__((unused)) static int memory_source_read(struct byte_source *self, void *bytes, size_t size,
                                                      struct error *error)
{
    struct memory_source *source = container_of(self, struct memory_source, base);
    if (size > source->left)
        return error_set(error, ZK_EOF, "the bytes end");
    if (size > 0)
        memcpy(bytes, source->at, size);
    source->at += size;
    source->left -= size;
    return ZK_OK;
}

/* What the tree is, with its digest, appended. */
__attribute__((unused)) static void golden_write(struct data_tree *tree, struct buffer *out)
{
    struct memory_sink sink = {.base.write = memory_sink_write, .bytes = *out};
    bool is_written;
    ck_assert_int_eq(tree_snapshot_write(tree, &sink.base, NULL), ZK_OK);
    ck_assert_int_eq(tree_snapshot_write_digest(tree, &sink.base, &is_written, NULL), ZK_OK);
    *out = sink.bytes;
}

__attribute__((unused)) static int golden_load(struct data_tree *tree, const void *bytes, size_t size, int32_t limit)
{
    struct memory_source source = {{memory_source_read}, bytes, size};
    struct error error = {0};
    int err = tree_snapshot_read(tree, &source.base, limit, &error);
    return err != ZK_OK ? err : tree_snapshot_read_digest(tree, &source.base, 0, &error);
}

/* Both the same; tells where they part. */
__attribute__((unused)) static void golden_assert_equal(const struct buffer *actual, const struct buffer *expected)
{
    size_t at = 0;
    while (at < actual->size && at < expected->size && actual->bytes[at] == expected->bytes[at])
        at++;
    ck_assert_msg(at == actual->size && at == expected->size, "differ at byte %zu of %zu and %zu", at, actual->size,
                  expected->size);
}

#endif
