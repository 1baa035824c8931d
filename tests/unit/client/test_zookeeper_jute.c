/*
 * test_zookeeper_jute.c - the records that jute_compiler.awk makes, held against the bytes that Java writes.
 *
 * Leaks and reads beyond the end are found by the build with AddressSanitizer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/public.h"
#include "client/recordio_count.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

enum filling { FILLING_full, FILLING_null, FILLING_empty };

/* Reads a record and writes it again; returns what reading returned. */
#define RECORD(name, class) \
    static int rewrite_##name(struct iarchive *in, struct oarchive *out) \
    { \
        struct class record; \
        memset(&record, 0xa5, sizeof(record)); \
        int rc = deserialize_##class(in, "record", &record); \
        if (rc == 0) \
            ck_assert_int_eq(serialize_##class(out, "record", &record), 0); \
        deallocate_##class(&record); \
        deallocate_##class(&record); \
        return rc; \
    }
#include "tests/unit/client/records.def"
#undef RECORD

static const struct golden {
    const char *name;
    enum filling filling;
    const char *hex;
    int (*rewrite)(struct iarchive *in, struct oarchive *out);
} golden[] = {
#define GOLDEN(record, filling, hex) { #record, FILLING_##filling, hex, rewrite_##record },
#include "tests/golden/records.def"
#undef GOLDEN
};

/* A copy of its own size, so that a step beyond its end is seen; the caller's. */
static char *unhex(const char *hex, size_t *ret_size)
{
    size_t size = strlen(hex) / 2;
    char *bytes = memory_alloc(size);
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (char)value;
    }
    *ret_size = size;
    return bytes;
}

/* Returns what reading `size` bytes returned; the bytes that were written go into *ret_written, the caller's. */
static int rewrite(const struct golden *record, char *bytes, size_t size, char **ret_written, int *ret_size)
{
    struct iarchive *in = create_buffer_iarchive(bytes, (int)size);
    struct oarchive *out = create_buffer_oarchive();
    int rc = record->rewrite(in, out);
    *ret_size = get_buffer_len(out);
    *ret_written = get_buffer(out);
    close_buffer_iarchive(&in);
    close_buffer_oarchive(&out, 0);
    return rc;
}

START_TEST(what_java_wrote_is_written_the_same)
{
    const struct golden *record = &golden[_i];
    size_t size;
    char *bytes = unhex(record->hex, &size), *written;
    int written_size;
    int rc = rewrite(record, bytes, size, &written, &written_size);
    if (record->filling == FILLING_null && rc == -EINVAL) {
        /* a null text */
    } else {
        ck_assert_msg(rc == 0, "%s: %d", record->name, rc);
        if (record->filling != FILLING_null) {
            ck_assert_msg(written_size == (int)size, "%s: %d of %zu bytes", record->name, written_size, size);
            ck_assert_mem_eq(written, bytes, size);
        }
    }
    memory_free(written);
    memory_free(bytes);
}
END_TEST

START_TEST(a_record_that_ends_early_is_refused)
{
    const struct golden *record = &golden[_i];
    size_t size;
    char *bytes = unhex(record->hex, &size);
    for (size_t cut = 0; cut < size; cut++) {
        char *part = memory_copy(bytes, cut), *written;
        int written_size;
        int rc = rewrite(record, part, cut, &written, &written_size);
        if (record->filling == FILLING_null)
            ck_assert_msg(rc == -E2BIG || rc == -EINVAL, "%s, %zu bytes of it: %d", record->name, cut, rc);
        else
            ck_assert_msg(rc == -E2BIG, "%s, %zu bytes of it: %d", record->name, cut, rc);
        memory_free(written);
        memory_free(part);
    }
    memory_free(bytes);
}
END_TEST

/* Wherever a length or count stands, it is one of these in turn. */
START_TEST(lengths_that_lie_hurt_nobody)
{
    static const uint32_t lies[] = { 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x10000000, 0x40000000, 0 };
    const struct golden *record = &golden[_i];
    size_t size;
    char *bytes = unhex(record->hex, &size);
    for (size_t at = 0; at + 4 <= size; at++) {
        for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
            char *changed = memory_copy(bytes, size), *written;
            int written_size;
            uint32_t lie = htonl(lies[i]);
            memcpy(changed + at, &lie, sizeof(lie));
            int rc = rewrite(record, changed, size, &written, &written_size);
            ck_assert_msg(rc == 0 || rc == -E2BIG || rc == -EINVAL, "%s: %d", record->name, rc);
            memory_free(written);
            memory_free(changed);
        }
    }
    memory_free(bytes);
}
END_TEST

static const struct {
    const char *fact;
    int32_t count;
    size_t bytes_behind;
    size_t least_size;
    int rc;
} counts[] = {
    { "as many as there is room for",      3, 12, 4, 0 },
    { "one more than there is room for",   4, 15, 4, -E2BIG },
    { "a count that would overflow",       INT32_MAX, 100, 24, -E2BIG },
    { "none",                              0, 0, 24, 0 },
    { "null",                              -1, 0, 24, 0 },
    { "the smallest number",               INT32_MIN, 0, 24, 0 },
};
START_TEST(a_count_is_held_against_the_bytes_left)
{
    char bytes[128] = { 0 };
    uint32_t wire = htonl((uint32_t)counts[_i].count);
    memcpy(bytes, &wire, sizeof(wire));
    struct iarchive *in = create_buffer_iarchive(bytes, (int)(sizeof(wire) + counts[_i].bytes_behind));
    int32_t count;
    ck_assert_int_eq(in->start_vector(in, "v", &count), 0);
    ck_assert_int_eq(count, counts[_i].count);
    int rc = iarchive_check_count(in, count, counts[_i].least_size);
    ck_assert_msg(rc == counts[_i].rc, "%s: %d", counts[_i].fact, rc);
    close_buffer_iarchive(&in);
}
END_TEST

START_TEST(a_negative_count_is_a_vector_without_items)
{
    char bytes[4] = "\xff\xff\xff\xff";
    struct iarchive *in = create_buffer_iarchive(bytes, sizeof(bytes));
    struct String_vector strings;
    ck_assert_int_eq(deserialize_String_vector(in, "v", &strings), 0);
    ck_assert_int_eq(strings.count, 0);
    ck_assert_ptr_null(strings.data);
    close_buffer_iarchive(&in);
}
END_TEST

START_TEST(vectors_are_allocated_and_freed)
{
    struct String_vector strings;
    ck_assert_int_eq(allocate_String_vector(&strings, 2), 0);
    ck_assert_int_eq(strings.count, 2);
    ck_assert_ptr_null(strings.data[0]);
    strings.data[1] = strdup("a program's own, from malloc()");
    ck_assert_int_eq(deallocate_String_vector(&strings), 0);
    ck_assert_ptr_null(strings.data);
    ck_assert_int_eq(deallocate_String_vector(&strings), 0);

    struct ACL_vector acl;
    ck_assert_int_eq(allocate_ACL_vector(&acl, 0), 0);
    ck_assert_ptr_null(acl.data);
    deallocate_ACL_vector(&acl);
    ck_assert_int_eq(allocate_ACL_vector(&acl, -3), -EINVAL);
    ck_assert_int_eq(acl.count, 0);
    deallocate_ACL_vector(&acl);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("client/zookeeper_jute");
    TCase *tcase = tcase_create("records");
    tcase_add_loop_test(tcase, what_java_wrote_is_written_the_same, 0, ARRAY_SIZE(golden));
    tcase_add_loop_test(tcase, a_record_that_ends_early_is_refused, 0, ARRAY_SIZE(golden));
    tcase_add_loop_test(tcase, lengths_that_lie_hurt_nobody, 0, ARRAY_SIZE(golden));
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("vectors");
    tcase_add_loop_test(tcase, a_count_is_held_against_the_bytes_left, 0, ARRAY_SIZE(counts));
    tcase_add_test(tcase, a_negative_count_is_a_vector_without_items);
    tcase_add_test(tcase, vectors_are_allocated_and_freed);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN_IN_PLACE(make_suite)
