/*
 * test_records.c - every record against the bytes of the reference server, both ways, and against bytes that end early.
 *
 * Records are filled by the rule that tests/golden/records.def states, by a counter that runs through the fields.
 */
#include "common/wire/records.h"

#include <stdio.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

enum filling { FILLING_full, FILLING_null, FILLING_empty };

struct filler {
    enum filling filling;
    uint32_t n;
    struct arena *arena;
};

static bool fill_boolean(struct filler *filler)
{
    return ++filler->n % 2 == 1;
}

static int32_t fill_int32(struct filler *filler)
{
    uint32_t n = ++filler->n;
    return filler->filling == FILLING_full ? (int32_t)(n * 0x01020304u) : -(int32_t)n;
}

static int64_t fill_int64(struct filler *filler)
{
    uint32_t n = ++filler->n;
    return filler->filling == FILLING_full ? (int64_t)(n * UINT64_C(0x0102030405060708)) : -(int64_t)n;
}

static struct ustring fill_ustring(struct filler *filler)
{
    char text[32];
    uint32_t n = ++filler->n;
    if (filler->filling != FILLING_full)
        return filler->filling == FILLING_null ? USTRING_NULL : ustring_of("");
    snprintf(text, sizeof(text), "s%u\xc3\xa9\xe2\x82\xac", n);
    return ustring_of(arena_string(filler->arena, text, strlen(text)));
}

static struct jute_buffer fill_buffer(struct filler *filler)
{
    const uint8_t bytes[] = {(uint8_t)++filler->n, 0, 255};
    if (filler->filling != FILLING_full)
        return (struct jute_buffer){bytes, filler->filling == FILLING_null ? -1 : 0};
    return (struct jute_buffer){arena_copy(filler->arena, bytes, sizeof(bytes)), sizeof(bytes)};
}

#define FILL_boolean(to) (to) = fill_boolean(filler)
#define FILL_int32(to) (to) = fill_int32(filler)
#define FILL_int64(to) (to) = fill_int64(filler)
#define FILL_ustring(to) (to) = fill_ustring(filler)
#define FILL_buffer(to) (to) = fill_buffer(filler)
#define FILL_zk_id(to) fill_zk_id(filler, &(to))
#define FILL_zk_acl(to) fill_zk_acl(filler, &(to))
#define FILL_zk_stat(to) fill_zk_stat(filler, &(to))
#define FILL_client_info(to) fill_client_info(filler, &(to))
#define FILL_jute_txn(to) fill_jute_txn(filler, &(to))

#define FILL_MEMBER(type, name) FILL_##type(record->name);
#define FILL_VECTOR(type, name) \
    record->name.count = filler->filling == FILLING_null ? -1 : filler->filling == FILLING_full ? 2 : 0; \
    record->name.items = NULL; \
    if (record->name.count > 0) { \
        record->name.items = arena_alloc(filler->arena, 2 * sizeof(record->name.items[0])); \
        FILL_##type(record->name.items[0]); \
        FILL_##type(record->name.items[1]); \
    }
#define DEFINE_FILL(record_name, FIELDS) \
    static void fill_##record_name(struct filler *filler, struct record_name *record) \
    { \
        FIELDS(FILL_MEMBER, FILL_VECTOR) \
    }
WIRE_RECORDS(DEFINE_FILL)

/* One record by its name: what a row of the table below can do with it. */
#define DEFINE_HANDLERS(record_name, FIELDS) \
    static void write_filled_##record_name(struct filler *filler, struct buffer *out) \
    { \
        struct record_name record; \
        fill_##record_name(filler, &record); \
        jute_write_##record_name(out, &record); \
    } \
    static void rewrite_##record_name(struct jute_reader *in, struct buffer *out, struct buffer *printed) \
    { \
        struct record_name record; \
        jute_read_##record_name(in, &record); \
        jute_write_##record_name(out, &record); \
        jute_print_##record_name(printed, &record); \
    }
WIRE_RECORDS(DEFINE_HANDLERS)

static const struct golden {
    const char *name;
    enum filling filling;
    const char *hex;
    void (*write_filled)(struct filler *filler, struct buffer *out);
    void (*rewrite)(struct jute_reader *in, struct buffer *out, struct buffer *printed);
} golden[] = {
#define GOLDEN(record, filling, hex) \
    {#record, FILLING_##filling, hex, write_filled_##record, rewrite_##record},
#include "tests/golden/records.def"
#undef GOLDEN
};

static struct buffer unhex(const char *hex)
{
    struct buffer bytes = {0};
    unsigned value;
    for (; *hex != '\0'; hex += 2) {
        ck_assert_int_eq(sscanf(hex, "%2x", &value), 1);
        buffer_append_byte(&bytes, (uint8_t)value);
    }
    return bytes;
}

static void assert_same(const struct buffer *a, const struct buffer *b, const char *what)
{
    ck_assert_msg(a->size == b->size, "%s: %zu bytes, not %zu", what, a->size, b->size);
    ck_assert_msg(a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0, "%s: other bytes", what);
}

START_TEST(a_filled_record_is_written_as_java_writes_it)
{
    struct arena arena = {0};
    struct filler filler = {golden[_i].filling, 0, &arena};
    struct buffer expected = unhex(golden[_i].hex), written = {0};
    golden[_i].write_filled(&filler, &written);
    assert_same(&written, &expected, golden[_i].name);
    buffer_release(&expected);
    buffer_release(&written);
    arena_release(&arena);
}
END_TEST

START_TEST(what_java_wrote_is_read_whole)
{
    struct arena arena = {0};
    struct jute_reader reader;
    struct buffer bytes = unhex(golden[_i].hex), written = {0}, printed = {0};
    jute_reader_init(&reader, bytes.bytes, bytes.size, &arena);
    golden[_i].rewrite(&reader, &written, &printed);
    ck_assert_int_eq(jute_error(&reader), ZK_OK);
    ck_assert_uint_eq(jute_left(&reader), 0);
    assert_same(&written, &bytes, golden[_i].name);
    ck_assert_msg(strncmp(buffer_string(&printed), golden[_i].name, strlen(golden[_i].name)) == 0, "%s",
                  buffer_string(&printed));
    buffer_release(&bytes);
    buffer_release(&written);
    buffer_release(&printed);
    arena_release(&arena);
}
END_TEST

START_TEST(bytes_that_end_early_are_an_error)
{
    struct buffer bytes = unhex(golden[_i].hex), written = {0}, printed = {0};
    for (size_t size = 0; size < bytes.size; size++) {
        struct arena arena = {0};
        struct jute_reader reader;
        uint8_t *cut = memory_copy(bytes.bytes, size);    /* so that a sanitizer sees a read behind it */
        jute_reader_init(&reader, cut, size, &arena);
        golden[_i].rewrite(&reader, &written, &printed);
        ck_assert_msg(jute_error(&reader) == ZK_EOF, "%s, %zu bytes", golden[_i].name, size);
        memory_free(cut);
        arena_release(&arena);
    }
    buffer_release(&bytes);
    buffer_release(&written);
    buffer_release(&printed);
}
END_TEST

START_TEST(there_are_72_records)
{
#define COUNT_RECORD(name, FIELDS) +1
    ck_assert_int_eq(0 WIRE_RECORDS(COUNT_RECORD), 72);
    ck_assert_uint_eq(ARRAY_SIZE(golden), 3 * 72);
}
END_TEST

START_TEST(print_shows_names_and_hides_data)
{
    struct buffer out = {0};
    struct zk_acl acl = {31, {ustring_of("world"), ustring_of("anyone")}};
    struct create_request create = {ustring_of("/a\n\""), {(const uint8_t *)"secret", 6}, {&acl, 1}, 3};
    jute_print_create_request(&out, &create);
    ck_assert_str_eq(buffer_string(&out),
                     "create_request{path=\"/a\\x0a\\x22\", data=6 bytes, acl=[zk_acl{perms=31, id=zk_id{"
                     "scheme=\"world\", id=\"anyone\"}}], flags=3}");
    buffer_clear(&out);
    const struct reply_header header = {1, 0x100000002, -101};
    jute_print_reply_header(&out, &header);
    ck_assert_str_eq(buffer_string(&out), "reply_header{xid=1, zxid=0x100000002, err=-101}");
    buffer_release(&out);
}
END_TEST

static Suite *records_suite(void)
{
    Suite *suite = suite_create("records");
    TCase *tcase = tcase_create("records");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, there_are_72_records);
    tcase_add_loop_test(tcase, a_filled_record_is_written_as_java_writes_it, 0, (int)ARRAY_SIZE(golden));
    tcase_add_loop_test(tcase, what_java_wrote_is_read_whole, 0, (int)ARRAY_SIZE(golden));
    tcase_add_loop_test(tcase, bytes_that_end_early_are_an_error, 0, (int)ARRAY_SIZE(golden));
    tcase_add_test(tcase, print_shows_names_and_hides_data);
    return suite;
}

CHECK_MAIN_IN_PLACE(records_suite)
