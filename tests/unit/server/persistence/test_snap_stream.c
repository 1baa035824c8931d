/* test_snap_stream.c - sealed bytes through a file and back, in three forms. */
#include "server/persistence/snap_stream.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "server/persistence/snap_reader.h"
#include "tests/unit/server/persistence/persistence_test.h"

static const struct {
    enum snap_compression compression;
    const char *name, *snapshot;
} forms[] = {
    {SNAP_PLAIN, "", "snapshot.5"},
    {SNAP_GZIP, "gz", "snapshot.5.gz"},
    {SNAP_SNAPPY, "snappy", "snapshot.5.snappy"},
};

/* Bytes that compress well and badly by turns. */
static uint8_t byte_at(size_t at)
{
    return (uint8_t)(at / 10000 % 2 == 0 ? at * 2654435761u >> 13 : at / 100);
}

static void write_bytes(struct snap_writer *writer, size_t from, size_t to, size_t step)
{
    struct byte_sink *sink = snap_writer_sink(writer);
    uint8_t piece[5000];
    while (from < to) {
        size_t size = to - from < step ? to - from : step;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at(from + i);
        ck_assert_int_eq(sink->write(sink, piece, size, NULL), ZK_OK);
        from += size;
    }
}

static void read_bytes(struct snap_reader *reader, size_t from, size_t to, size_t step)
{
    struct byte_source *source = snap_reader_source(reader);
    uint8_t piece[5000];
    while (from < to) {
        size_t size = to - from < step ? to - from : step, same = 0;
        ck_assert_int_eq(source->read(source, piece, size, NULL), ZK_OK);
        while (same < size && piece[same] == byte_at(from + same))
            same++;
        ck_assert_uint_eq(same, size);
        from += size;
    }
}

START_TEST(what_was_written_is_read)
{
    const char *path = in_directory(forms[_i].snapshot);
    struct snap_writer *writer;
    ck_assert_int_eq(snap_writer_open(path, forms[_i].compression, &writer, NULL), ZK_OK);
    write_bytes(writer, 0, 1000, 1);
    ck_assert_int_eq(snap_writer_seal(writer, NULL), ZK_OK);
    write_bytes(writer, 1000, 700000, 4999);
    ck_assert_int_eq(snap_writer_seal(writer, NULL), ZK_OK);
    ck_assert_int_eq(file_kind(path), FILE_KIND_NONE);
    ck_assert_int_eq(snap_writer_finish(writer, NULL), ZK_OK);
    ck_assert_int_eq(file_kind(path), FILE_KIND_REGULAR);
    ck_assert(snap_is_probably_valid(path));

    struct snap_reader *reader;
    size_t left;
    ck_assert_int_eq(snap_reader_open(path, &reader, NULL), ZK_OK);
    read_bytes(reader, 0, 1000, 7);
    ck_assert_int_eq(snap_reader_check_seal(reader, NULL), ZK_OK);
    ck_assert_int_eq(snap_reader_peek(reader, 50, &left, NULL), ZK_OK);
    ck_assert_uint_eq(left, 50);
    read_bytes(reader, 1000, 700000, 5000);
    ck_assert_int_eq(snap_reader_peek(reader, 50, &left, NULL), ZK_OK);
    ck_assert_uint_eq(left, 13);
    ck_assert_int_eq(snap_reader_check_seal(reader, NULL), ZK_OK);
    ck_assert_int_eq(snap_reader_peek(reader, 50, &left, NULL), ZK_OK);
    ck_assert_uint_eq(left, 0);
    uint8_t more;
    struct error error = {0};
    struct byte_source *source = snap_reader_source(reader);
    ck_assert_int_eq(source->read(source, &more, 1, &error), ZK_EOF);
    ck_assert_ptr_nonnull(strstr(error.text, "700026"));
    snap_reader_close(reader);
}
END_TEST

START_TEST(a_seal_knows_its_content)
{
    const char *path = in_directory(forms[_i].snapshot);
    struct snap_writer *writer;
    ck_assert_int_eq(snap_writer_open(path, forms[_i].compression, &writer, NULL), ZK_OK);
    write_bytes(writer, 0, 1000, 100);
    ck_assert_int_eq(snap_writer_seal(writer, NULL), ZK_OK);
    ck_assert_int_eq(snap_writer_finish(writer, NULL), ZK_OK);
    struct snap_reader *reader;
    ck_assert_int_eq(snap_reader_open(path, &reader, NULL), ZK_OK);
    read_bytes(reader, 0, 999, 999);    /* one too few */
    ck_assert_int_eq(snap_reader_check_seal(reader, NULL), ZK_CORRUPT);
    snap_reader_close(reader);
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing)
{
    const char *path = in_directory(forms[_i].snapshot);
    write_file(path, "old", 3);
    struct snap_writer *writer;
    ck_assert_int_eq(snap_writer_open(path, forms[_i].compression, &writer, NULL), ZK_OK);
    write_bytes(writer, 0, 300000, 5000);
    snap_writer_abandon(writer);
    struct name_list names;
    ck_assert_int_eq(directory_list(directory(), &names, NULL), ZK_OK);
    ck_assert_uint_eq(names.count, 1);
    name_list_release(&names);
    struct buffer bytes = {0};
    read_file(path, &bytes);
    ck_assert_uint_eq(bytes.size, 3);
    buffer_release(&bytes);
}
END_TEST

START_TEST(a_failed_write_is_told)
{
    struct snap_writer *writer;
    struct error error = {0};
    ck_assert_int_eq(snap_writer_open(in_directory("none/snapshot.5"), forms[_i].compression, &writer, &error),
                     ZK_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.text, "none/snapshot.5.tmp"));
    ck_assert_int_eq(mkdir(in_directory(forms[_i].snapshot), 0700), 0);
    ck_assert_int_eq(snap_writer_open(in_directory(forms[_i].snapshot), forms[_i].compression, &writer, NULL), ZK_OK);
    ck_assert_int_eq(snap_writer_finish(writer, &error), ZK_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "rename"));
}
END_TEST

START_TEST(a_cut_file_is_seen)
{
    const char *path = in_directory(forms[_i].snapshot);
    struct snap_writer *writer;
    ck_assert_int_eq(snap_writer_open(path, forms[_i].compression, &writer, NULL), ZK_OK);
    write_bytes(writer, 0, 40000, 5000);
    ck_assert_int_eq(snap_writer_seal(writer, NULL), ZK_OK);
    ck_assert_int_eq(snap_writer_finish(writer, NULL), ZK_OK);
    struct buffer bytes = {0};
    read_file(path, &bytes);
    for (size_t size = 0; size < bytes.size; size += size < 50 || size + 50 > bytes.size ? 1 : 211) {
        write_file(path, bytes.bytes, size);
        struct snap_reader *reader;
        struct error error = {0};
        uint8_t all[40000];
        ck_assert_int_eq(snap_reader_open(path, &reader, NULL), ZK_OK);
        struct byte_source *source = snap_reader_source(reader);
        int err = source->read(source, all, sizeof(all), &error);
        if (err == ZK_OK)
            err = snap_reader_check_seal(reader, &error);
        /* Of a gzip file the trailer may be missing and nobody has asked for it yet. */
        size_t left = 0;
        if (err == ZK_OK)
            err = snap_reader_peek(reader, 1, &left, &error);
        ck_assert_msg(err == ZK_EOF || err == ZK_CORRUPT, "cut to %zu: %d", size, err);
        snap_reader_close(reader);
    }
    buffer_release(&bytes);
}
END_TEST

START_TEST(parts_put_together_are_read_as_one)
{
    if (forms[_i].compression == SNAP_PLAIN)
        return;
    const char *path = in_directory(forms[_i].snapshot);
    struct buffer both = {0};
    for (int i = 0; i < 2; i++) {
        struct snap_writer *writer;
        ck_assert_int_eq(snap_writer_open(path, forms[_i].compression, &writer, NULL), ZK_OK);
        write_bytes(writer, (size_t)i * 100000, (size_t)(i + 1) * 100000, 5000);
        ck_assert_int_eq(snap_writer_finish(writer, NULL), ZK_OK);
        read_file(path, &both);
    }
    write_file(path, both.bytes, both.size);
    struct snap_reader *reader;
    ck_assert_int_eq(snap_reader_open(path, &reader, NULL), ZK_OK);
    read_bytes(reader, 0, 200000, 5000);
    snap_reader_close(reader);
    buffer_release(&both);
}
END_TEST

START_TEST(a_block_that_cannot_be_is_refused)
{
    static const uint8_t header[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
    static const struct {
        const char *bytes;
        size_t size;
    } blocks[] = {
        {"\x7f\xff\xff\xff", 4},
        {"\xff\xff\xff\xff", 4},
        {"\x00\x00\x00\x05\xff\xff\xff\xff\x0f", 9},    /* 4 GiB uncompressed */
        {"\x00\x00\x00\x03\x05\x00\x00", 7},
        {"\x00\x00\x00\x00", 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        struct buffer bytes = {0};
        buffer_append(&bytes, header, sizeof(header));
        buffer_append(&bytes, blocks[i].bytes, blocks[i].size);
        write_file(in_directory("snapshot.5.snappy"), bytes.bytes, bytes.size);
        buffer_release(&bytes);
        struct snap_reader *reader;
        ck_assert_int_eq(snap_reader_open(in_directory("snapshot.5.snappy"), &reader, NULL), ZK_OK);
        size_t left;
        ck_assert_int_eq(snap_reader_peek(reader, 1, &left, NULL), ZK_CORRUPT);
        snap_reader_close(reader);
    }
}
END_TEST

START_TEST(names_of_compressions)
{
    enum snap_compression compression;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        ck_assert(snap_compression_parse(forms[i].name, &compression));
        ck_assert_int_eq(compression, forms[i].compression);
        ck_assert_int_eq(snap_compression_of_name(forms[i].snapshot), forms[i].compression);
    }
    ck_assert(snap_compression_parse("GZ", &compression) && compression == SNAP_GZIP);
    ck_assert(!snap_compression_parse("zip", &compression));
    ck_assert_str_eq(snap_compression_extension(SNAP_PLAIN), "");
    ck_assert_str_eq(snap_compression_extension(SNAP_SNAPPY), ".snappy");
    ck_assert_int_eq(snap_compression_of_name("/dir.gz/snapshot.5"), SNAP_PLAIN);
}
END_TEST

START_TEST(a_file_looks_valid_or_not)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
        bool is_valid;
    } files[] = {
        {"snapshot.1", "ZKSN......\0\0\0\1/", 15, true},
        {"snapshot.1", "\0\0\0\1/", 5, false},
        {"snapshot.1", "ZKSN......\0\0\0\1!", 15, false},
        {"snapshot.1", "", 0, false},
        {"snapshot.1.gz", "\x1f\x8b", 2, true},
        {"snapshot.1.gz", "\x1f", 1, false},
        {"snapshot.1.gz", "ZKSN......\0\0\0\1/", 15, false},
        {"snapshot.1.snappy", "\x82SNAPPY\0", 8, true},
        {"snapshot.1.snappy", "\x82SNAPPY", 7, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        write_file(in_directory(files[i].name), files[i].bytes, files[i].size);
        ck_assert_msg(snap_is_probably_valid(in_directory(files[i].name)) == files[i].is_valid, "%zu", i);
    }
    ck_assert(!snap_is_probably_valid(in_directory("snapshot.2")));
    ck_assert_int_eq(mkfifo(in_directory("snapshot.3"), 0600), 0);
    ck_assert(!snap_is_probably_valid(in_directory("snapshot.3")));    /* and does not wait for a writer */
}
END_TEST

static Suite *snap_stream_suite(void)
{
    Suite *suite = suite_create("snap_stream");
    TCase *tcase = tcase_create("snap_stream");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, what_was_written_is_read, 0, ARRAY_SIZE(forms));
    tcase_add_loop_test(tcase, a_seal_knows_its_content, 0, ARRAY_SIZE(forms));
    tcase_add_loop_test(tcase, an_abandoned_file_leaves_nothing, 0, ARRAY_SIZE(forms));
    tcase_add_loop_test(tcase, a_failed_write_is_told, 0, ARRAY_SIZE(forms));
    tcase_add_loop_test(tcase, a_cut_file_is_seen, 0, ARRAY_SIZE(forms));
    tcase_add_loop_test(tcase, parts_put_together_are_read_as_one, 0, ARRAY_SIZE(forms));
    tcase_add_test(tcase, a_block_that_cannot_be_is_refused);
    tcase_add_test(tcase, names_of_compressions);
    tcase_add_test(tcase, a_file_looks_valid_or_not);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(snap_stream_suite)
