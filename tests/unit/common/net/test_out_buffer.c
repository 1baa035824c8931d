/* test_out_buffer.c - what goes in comes out in order, however little the stream takes at a time. */
#include "common/net/out_buffer.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "common/base/random.h"
#include "tests/lib/check_main.h"

/* A stream that keeps what is written to it: `at_once` bytes a call, and ZK_AGAIN after `room` bytes. */
struct sink {
    struct stream base;
    struct buffer written;
    size_t at_once, room;
    int failure;
    int most_parts;
};

static int sink_write(struct stream *stream, const struct iovec *parts, int count, size_t *ret_size)
{
    struct sink *sink = container_of(stream, struct sink, base);
    if (sink->failure != ZK_OK)
        return sink->failure;
    if (sink->room == 0)
        return ZK_AGAIN;
    size_t left = sink->at_once < sink->room ? sink->at_once : sink->room, total = 0;
    for (int i = 0; i < count; i++) {
        ck_assert_uint_gt(parts[i].iov_len, 0);
        size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;
        buffer_append(&sink->written, parts[i].iov_base, size);
        left -= size;
        total += size;
    }
    sink->room -= total;
    sink->most_parts = count > sink->most_parts ? count : sink->most_parts;
    *ret_size = total;
    return ZK_OK;
}

static const struct stream_ops sink_ops = { .write = sink_write };

static struct sink new_sink(size_t at_once, size_t room)
{
    return (struct sink){ .base = { .ops = &sink_ops, .fd = -1 }, .at_once = at_once, .room = room };
}

START_TEST(an_empty_buffer_is_written_at_once)
{
    struct out_buffer out = { 0 }, other = { 0 };
    struct sink sink = new_sink(1, 0);
    uint64_t written = 99;
    out_buffer_append(&out, NULL, 0);
    out_buffer_move(&out, &other);
    ck_assert_int_eq(out_buffer_write(&out, &sink.base, &written), ZK_OK);
    ck_assert_uint_eq(written, 0);
    out_buffer_release(&out);
}
END_TEST

START_TEST(small_parts_are_copied_and_large_ones_referenced)
{
    struct out_buffer out = { 0 };
    struct blob *blob = blob_new(5000);
    memset(blob->bytes, 'b', 5000);
    out_buffer_append_blob(&out, blob, 10, 1023);
    ck_assert_uint_eq(atomic_load(&blob->references), 1);
    out_buffer_append_blob(&out, blob, 10, 1024);
    ck_assert_uint_eq(atomic_load(&blob->references), 2);
    out_buffer_append_blob(&out, blob, 5000, 0);
    out_buffer_append(&out, "end", 3);
    ck_assert_uint_eq(out.size, 1023 + 1024 + 3);
    struct sink sink = new_sink(SIZE_MAX, SIZE_MAX);
    uint64_t written;
    ck_assert_int_eq(out_buffer_write(&out, &sink.base, &written), ZK_OK);
    ck_assert_uint_eq(written, 1023 + 1024 + 3);
    ck_assert_uint_eq(atomic_load(&blob->references), 1);
    ck_assert_int_eq(sink.most_parts, 3);
    ck_assert_mem_eq(sink.written.bytes + 2047, "end", 3);
    buffer_release(&sink.written);
    out_buffer_release(&out);
    blob_unref(blob);
}
END_TEST

START_TEST(a_move_keeps_the_order)
{
    struct out_buffer a = { 0 }, b = { 0 };
    out_buffer_append(&a, "one ", 4);
    out_buffer_append(&b, "two ", 4);
    out_buffer_move(&a, &b);
    ck_assert_uint_eq(b.size, 0);
    ck_assert_uint_eq(a.size, 8);
    out_buffer_append(&a, "three", 5);
    out_buffer_append(&b, "again", 5);
    out_buffer_move(&a, &b);
    struct sink sink = new_sink(3, SIZE_MAX);
    uint64_t written;
    ck_assert_int_eq(out_buffer_write(&a, &sink.base, &written), ZK_OK);
    ck_assert_str_eq(buffer_string(&sink.written), "one two threeagain");
    buffer_release(&sink.written);
    out_buffer_release(&a);
    out_buffer_release(&b);
}
END_TEST

START_TEST(a_failed_stream_leaves_the_rest)
{
    struct out_buffer out = { 0 };
    struct sink sink = new_sink(2, 3);
    uint64_t written;
    out_buffer_append(&out, "12345", 5);
    ck_assert_int_eq(out_buffer_write(&out, &sink.base, &written), ZK_AGAIN);
    ck_assert_uint_eq(written, 3);
    ck_assert_uint_eq(out.size, 2);
    sink.failure = ZK_IO;
    ck_assert_int_eq(out_buffer_write(&out, &sink.base, &written), ZK_IO);
    ck_assert_uint_eq(written, 0);
    buffer_release(&sink.written);
    out_buffer_release(&out);
    ck_assert_uint_eq(out.size, 0);
}
END_TEST

START_TEST(any_mixture_comes_out_as_it_went_in)    /* one seed each */
{
    struct out_buffer out = { 0 };
    struct buffer expected = { 0 };
    struct sink sink = new_sink(1, 0);
    uint64_t written, total = 0;
    random_seed((uint64_t)_i);
    struct blob *blob = blob_new(200000);
    random_bytes(blob->bytes, blob->size);
    for (int step = 0; step < 300; step++) {
        size_t size = random_below(random_below(4) == 0 ? 150000 : 3000);
        size_t offset = random_below(blob->size - size + 1);
        if (random_below(2) == 0)
            out_buffer_append(&out, blob->bytes + offset, size);
        else
            out_buffer_append_blob(&out, blob, offset, size);
        buffer_append(&expected, blob->bytes + offset, size);
        sink.at_once = 1 + random_below(100000);
        sink.room = random_below(100000);
        out_buffer_write(&out, &sink.base, &written);
        total += written;
        ck_assert_uint_eq(total + out.size, expected.size);
    }
    sink.room = SIZE_MAX;
    ck_assert_int_eq(out_buffer_write(&out, &sink.base, &written), ZK_OK);
    ck_assert_uint_eq(sink.written.size, expected.size);
    ck_assert(memcmp(sink.written.bytes, expected.bytes, expected.size) == 0);
    ck_assert_int_le(sink.most_parts, 64);
    ck_assert_uint_eq(atomic_load(&blob->references), 1);
    blob_unref(blob);
    buffer_release(&expected);
    buffer_release(&sink.written);
    out_buffer_release(&out);
}
END_TEST

static Suite *out_buffer_suite(void)
{
    Suite *suite = suite_create("out_buffer");
    TCase *tcase = tcase_create("out_buffer");
    tcase_add_test(tcase, an_empty_buffer_is_written_at_once);
    tcase_add_test(tcase, small_parts_are_copied_and_large_ones_referenced);
    tcase_add_test(tcase, a_move_keeps_the_order);
    tcase_add_test(tcase, a_failed_stream_leaves_the_rest);
    tcase_add_loop_test(tcase, any_mixture_comes_out_as_it_went_in, 0, 5);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(out_buffer_suite)
