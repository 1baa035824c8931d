/* test_file.c - the calls that touch a disk. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

static char directory[160];
static struct error error;

static void set_up(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof(directory), "%s/test_file.XXXXXX", parent != NULL ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
    struct name_list list;
    ck_assert_int_eq(directory_list(directory, &list, NULL), ZK_OK);
    for (size_t i = 0; i < list.count; i++) {
        char *path = path_join(directory, list.names[i]);
        (void)remove(path);
        memory_free(path);
    }
    name_list_release(&list);
    rmdir(directory);
}

/* A path in the directory of the test; the last four stay valid. */
static const char *in_directory(const char *name)
{
    static char paths[4][200];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    struct file *file;
    ck_assert_int_eq(file_open(path, FILE_CREATE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, text, strlen(text), NULL), ZK_OK);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

static void assert_content(const char *path, const char *expected)
{
    struct buffer content = { 0 };
    ck_assert_int_eq(file_read_all(path, 1 << 20, &content, NULL), ZK_OK);
    ck_assert_str_eq(buffer_string(&content), expected);
    buffer_release(&content);
}

START_TEST(what_is_missing_is_not_found)
{
    struct file *file = NULL;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_READ, &file, &error), ZK_NOT_FOUND);
    char *expected = string_format("cannot open %s/a: No such file or directory", directory);
    ck_assert_str_eq(error.text, expected);
    ck_assert_int_eq(error.code, ZK_NOT_FOUND);
    memory_free(expected);
    ck_assert_int_eq(file_open(in_directory("a"), FILE_WRITE, &file, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_open(in_directory("no/a"), FILE_CREATE, &file, NULL), ZK_NOT_FOUND);
    ck_assert_ptr_null(file);
    int64_t number;
    ck_assert_int_eq(file_size_of(in_directory("a"), &number, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_modified_ms(in_directory("a"), &number, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_unlink(in_directory("a"), NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_rename(in_directory("a"), in_directory("b"), NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(directory_sync(in_directory("a"), NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_kind(in_directory("a")), FILE_KIND_NONE);
}
END_TEST

START_TEST(a_new_file_must_be_new)
{
    struct file *file = NULL;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_CREATE_NEW, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert_int_eq(file_open(in_directory("a"), FILE_CREATE_NEW, &file, &error), ZK_EXISTS);
    struct stat status;
    ck_assert_int_eq(stat(in_directory("a"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 077, 0);
}
END_TEST

START_TEST(only_regular_files_are_read)
{
    struct file *file = NULL;
    ck_assert_int_eq(mkfifo(in_directory("fifo"), 0600), 0);
    ck_assert_int_eq(file_open(in_directory("fifo"), FILE_READ, &file, &error), ZK_IO);    /* and does not hang */
    ck_assert_ptr_nonnull(strstr(error.text, "not a regular file"));
    ck_assert_int_eq(file_open(directory, FILE_READ, &file, NULL), ZK_IO);
    ck_assert_int_eq(file_kind(in_directory("fifo")), FILE_KIND_OTHER);
    ck_assert_int_eq(file_kind(directory), FILE_KIND_DIRECTORY);
}
END_TEST

START_TEST(reads_and_writes_at_offsets)
{
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_CREATE, &file, NULL), ZK_OK);
    ck_assert_str_eq(file_path(file), in_directory("a"));
    ck_assert_int_eq(file_write(file, "hello ", 6, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "world", 5, NULL), ZK_OK);
    ck_assert_int_eq(file_pwrite(file, "W", 1, 6, NULL), ZK_OK);
    ck_assert_int_eq(file_sync(file, NULL), ZK_OK);
    char bytes[20];
    size_t got;
    ck_assert_int_eq(file_pread(file, bytes, sizeof(bytes), 4, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 7);
    ck_assert_mem_eq(bytes, "o World", 7);
    ck_assert_int_eq(file_pread(file, bytes, 2, 0, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 2);
    ck_assert_int_eq(file_pread(file, bytes, 2, 100, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 0);
    int64_t size;
    ck_assert_int_eq(file_truncate(file, 5, NULL), ZK_OK);
    ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 5);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert_int_eq(file_close(NULL, NULL), ZK_OK);
    assert_content(in_directory("a"), "hello");
}
END_TEST

START_TEST(holes_are_passed_over)
{
    enum { AT = 8 * 1024 * 1024, SIZE = 16 * 1024 * 1024 };
    struct file *file;
    int64_t at;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_CREATE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "begin", 5, NULL), ZK_OK);
    ck_assert_int_eq(file_pwrite(file, "x", 1, AT, NULL), ZK_OK);
    ck_assert_int_eq(file_truncate(file, SIZE, NULL), ZK_OK);
    ck_assert_int_eq(file_next_data(file, 0, &at, NULL), ZK_OK);
    ck_assert_int_eq(at, 0);
    ck_assert_int_eq(file_next_data(file, AT, &at, NULL), ZK_OK);
    ck_assert_int_eq(at, AT);
    ck_assert_int_eq(file_next_data(file, AT / 2, &at, NULL), ZK_OK);
    ck_assert(at >= AT / 2 && at <= AT);    /* the file system may not tell, and tells of blocks, not bytes */
    int err = file_next_data(file, SIZE - 1, &at, NULL);
    ck_assert(err == ZK_EOF || (err == ZK_OK && at == SIZE - 1));
    ck_assert_int_eq(file_write(file, "ning", 4, NULL), ZK_OK);    /* where it was */
    char bytes[9];
    size_t got;
    ck_assert_int_eq(file_pread(file, bytes, sizeof(bytes), 0, &got, NULL), ZK_OK);
    ck_assert_mem_eq(bytes, "beginning", sizeof(bytes));
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}
END_TEST

START_TEST(appending_goes_to_the_end)
{
    write_file(in_directory("a"), "one ");
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_APPEND, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "two", 3, NULL), ZK_OK);
    file_close(file, NULL);
    assert_content(in_directory("a"), "one two");
    ck_assert_int_eq(file_open(in_directory("a"), FILE_WRITE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "ONE", 3, NULL), ZK_OK);
    file_close(file, NULL);
    assert_content(in_directory("a"), "ONE two");
}
END_TEST

/* Stands before the one of the C library: what went to the disk, in order, without a gap, and piece by piece. */
static struct {
    int calls, error_number;
    int64_t through;
} ranges;

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(offset, ranges.through);
    ck_assert_int_lt(size, 128 * 1024);
    ck_assert(flags == (SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    ranges.calls++;
    ranges.through += size;
    errno = ranges.error_number;
    return ranges.error_number == 0 ? 0 : -1;
}

#define MIB ((size_t)1 << 20)

/* Eight MiB in uneven pieces; the first error. */
static int write_much(struct file *file)
{
    static const char bytes[300000];
    int err = ZK_OK;
    for (size_t left = 8 * MIB; left > 0 && err == ZK_OK;) {
        size_t size = left < sizeof(bytes) ? left : sizeof(bytes);
        err = file_write(file, bytes, size, &error);
        left -= size;
        if (err == ZK_OK && ranges.error_number == 0)
            ck_assert_int_gt(ranges.through + 64 * 1024, (int64_t)(8 * MIB - left));
    }
    return err;
}

static const struct {
    const char *fact;
    int error_number, err;
} through[] = {
    {"all but the last is on the disk", 0, ZK_OK},
    {"a disk that fails is told of", EIO, ZK_IO},
    {"and one that is full", ENOSPC, ZK_IO},
    {"a kernel that cannot is asked once", ENOSYS, ZK_OK},
};
START_TEST(what_is_written_through_goes_as_it_comes)
{
    struct file *file;
    int64_t size = 0;
    memset(&ranges, 0, sizeof(ranges));
    ranges.error_number = through[_i].error_number;
    ck_assert_int_eq(file_open(in_directory("through"), FILE_CREATE, &file, NULL), ZK_OK);
    file_write_through(file);
    ck_assert_msg(write_much(file) == through[_i].err, "%s", through[_i].fact);
    ck_assert_msg(ranges.error_number == 0 || ranges.calls == 1, "%s", through[_i].fact);
    if (through[_i].err == ZK_OK) {
        ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
        ck_assert_int_eq(size, 8 * MIB);
    } else {
        ck_assert_ptr_nonnull(strstr(error.text, "cannot write"));
    }
    file_close(file, NULL);
}
END_TEST

START_TEST(a_full_disk_is_named)
{
    struct file *file;
    ck_assert_int_eq(file_open("/dev/full", FILE_WRITE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "x", 1, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot write /dev/full at 0: No space left on device");
    ck_assert_int_eq(file_pwrite(file, "x", 1, 4096, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot write /dev/full at 4096: No space left on device");
    ck_assert_int_eq(file_fill_zeros(file, 0, 1, &error), ZK_IO);
    file_close(file, NULL);
}
END_TEST

START_TEST(zeros_fill_from_here_to_there)
{
    const int64_t from = 3, to = (INT64_C(5) << 19) + 17;    /* more than two steps */
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("a"), FILE_CREATE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "abcdef", 6, NULL), ZK_OK);
    ck_assert_int_eq(file_fill_zeros(file, from, to, NULL), ZK_OK);
    ck_assert_int_eq(file_fill_zeros(file, to, to, NULL), ZK_OK);
    file_close(file, NULL);
    struct buffer content = { 0 };
    ck_assert_int_eq(file_read_all(in_directory("a"), (size_t)to, &content, NULL), ZK_OK);
    ck_assert_uint_eq(content.size, (size_t)to);
    ck_assert_mem_eq(content.bytes, "abc", 3);
    size_t others = 0;    /* an assertion a byte would take seconds */
    for (size_t i = (size_t)from; i < (size_t)to; i++)
        others += content.bytes[i] != 0;
    ck_assert_uint_eq(others, 0);
    buffer_release(&content);
}
END_TEST

START_TEST(a_lock_has_one_holder)
{
    struct file *one, *two;
    ck_assert_int_eq(file_open(in_directory("lock"), FILE_CREATE, &one, NULL), ZK_OK);
    ck_assert_int_eq(file_open(in_directory("lock"), FILE_WRITE, &two, NULL), ZK_OK);
    ck_assert_int_eq(file_lock(one, NULL), ZK_OK);
    ck_assert_int_eq(file_lock(two, &error), ZK_EXISTS);
    file_close(one, NULL);
    ck_assert_int_eq(file_lock(two, NULL), ZK_OK);
    file_close(two, NULL);
}
END_TEST

START_TEST(a_whole_file_has_a_limit)
{
    struct buffer content = { 0 };
    write_file(in_directory("a"), "12345");
    buffer_append_string(&content, "before ");
    ck_assert_int_eq(file_read_all(in_directory("a"), 4, &content, &error), ZK_TOO_LARGE);
    ck_assert_str_eq(buffer_string(&content), "before ");
    ck_assert_int_eq(file_read_all(in_directory("a"), 5, &content, &error), ZK_OK);
    ck_assert_str_eq(buffer_string(&content), "before 12345");
    buffer_clear(&content);
    struct file *file;
    ck_assert_int_eq(file_open(in_directory("b"), FILE_CREATE, &file, NULL), ZK_OK);
    ck_assert_int_eq(file_truncate(file, 200000, NULL), ZK_OK);
    file_close(file, NULL);
    ck_assert_int_eq(file_read_all(in_directory("b"), 200000, &content, NULL), ZK_OK);
    ck_assert_uint_eq(content.size, 200000);
    ck_assert_int_eq(file_read_all(in_directory("b"), 199999, &content, NULL), ZK_TOO_LARGE);
    buffer_release(&content);
}
END_TEST

START_TEST(an_atomic_write_replaces_all_or_nothing)
{
    ck_assert_int_eq(file_write_atomic(in_directory("a"), "one", 3, NULL), ZK_OK);
    ck_assert_int_eq(file_write_atomic(in_directory("a"), "two!", 4, NULL), ZK_OK);
    assert_content(in_directory("a"), "two!");
    ck_assert_int_eq(file_kind(in_directory("a.tmp")), FILE_KIND_NONE);
    ck_assert_int_eq(mkdir(in_directory("b"), 0700), 0);
    ck_assert_int_ne(file_write_atomic(in_directory("b"), "x", 1, &error), ZK_OK);    /* a directory stays one */
    ck_assert_int_eq(file_kind(in_directory("b.tmp")), FILE_KIND_NONE);
    ck_assert_int_eq(file_write_atomic(in_directory("no/a"), "x", 1, NULL), ZK_NOT_FOUND);
}
END_TEST

START_TEST(a_stamp_is_that_of_one_content)
{
    struct file_stamp first, again;
    ck_assert_int_eq(file_stamp(in_directory("a"), &first, NULL), ZK_NOT_FOUND);
    write_file(in_directory("a"), "12345");
    ck_assert_int_eq(file_stamp(in_directory("a"), &first, NULL), ZK_OK);
    ck_assert_int_eq(file_stamp(in_directory("a"), &again, NULL), ZK_OK);
    ck_assert(file_stamp_equal(&first, &again));
    write_file(in_directory("b"), "12345");    /* another file, of the same size at the same time, in its place */
    ck_assert_int_eq(file_rename(in_directory("b"), in_directory("a"), NULL), ZK_OK);
    ck_assert_int_eq(file_stamp(in_directory("a"), &again, NULL), ZK_OK);
    ck_assert(!file_stamp_equal(&first, &again));
}
END_TEST

START_TEST(facts_about_a_file)
{
    int64_t before_ms = clock_wall_ms(), ms, size;
    write_file(in_directory("a"), "12345");
    ck_assert_int_eq(file_modified_ms(in_directory("a"), &ms, NULL), ZK_OK);
    ck_assert_int_ge(ms, before_ms - 1000);    /* the kernel's own clock is coarse */
    ck_assert_int_eq(file_size_of(in_directory("a"), &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 5);
    ck_assert_int_eq(file_kind(in_directory("a")), FILE_KIND_REGULAR);
    ck_assert(file_is_writable(in_directory("a")));
    ck_assert(!file_is_writable(in_directory("b")));
    ck_assert(!file_is_open_to_others(in_directory("a")) && !file_is_open_to_others(in_directory("b")));
    ck_assert_int_eq(chmod(in_directory("a"), 0602), 0);
    ck_assert(file_is_open_to_others(in_directory("a")));
    ck_assert_int_eq(file_rename(in_directory("a"), in_directory("b"), NULL), ZK_OK);
    ck_assert_int_eq(directory_sync(directory, NULL), ZK_OK);
    ck_assert_int_eq(file_unlink(in_directory("b"), NULL), ZK_OK);
    ck_assert_int_eq(file_kind(in_directory("b")), FILE_KIND_NONE);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
    ck_assert_int_eq(directory_make(in_directory("x//y/z/"), NULL), ZK_OK);
    ck_assert_int_eq(directory_make(in_directory("x/y/z"), NULL), ZK_OK);
    ck_assert_int_eq(file_kind(in_directory("x/y/z")), FILE_KIND_DIRECTORY);
    ck_assert_int_eq(directory_make("/", NULL), ZK_OK);
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(directory_make("relative/r", NULL), ZK_OK);
    ck_assert_int_eq(file_kind(in_directory("relative/r")), FILE_KIND_DIRECTORY);
    ck_assert_int_eq(remove("relative/r"), 0);
    write_file(in_directory("file"), "");
    ck_assert_int_eq(directory_make(in_directory("file"), &error), ZK_EXISTS);
    ck_assert_int_ne(directory_make(in_directory("file/below"), &error), ZK_OK);
    ck_assert_int_eq(remove(in_directory("x/y/z")), 0);
    ck_assert_int_eq(remove(in_directory("x/y")), 0);
}
END_TEST

START_TEST(a_list_is_sorted_by_byte)
{
    struct name_list list;
    write_file(in_directory("log.a"), "123");
    write_file(in_directory("log.10"), "1234");
    write_file(in_directory("Z"), "");
    ck_assert_int_eq(mkdir(in_directory("sub"), 0700), 0);
    ck_assert_int_eq(directory_list(directory, &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 4);
    ck_assert_str_eq(list.names[0], "Z");
    ck_assert_str_eq(list.names[1], "log.10");
    ck_assert_str_eq(list.names[2], "log.a");
    ck_assert_str_eq(list.names[3], "sub");
    name_list_release(&list);
    ck_assert_int_eq(directory_list(in_directory("sub"), &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 0);
    name_list_release(&list);
    ck_assert_int_eq(directory_list(in_directory("none"), &list, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(directory_size(directory), 7);
    ck_assert_int_eq(directory_size(in_directory("none")), 0);
}
END_TEST

START_TEST(paths_are_joined_and_split)
{
    static const struct { const char *path, *directory; } splits[] = {
        { "/a/b", "/a" }, { "/a", "/" }, { "a", "." }, { "a/b/c", "a/b" }, { "/", "/" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(splits); i++) {
        char *parent = path_directory(splits[i].path);
        ck_assert_str_eq(parent, splits[i].directory);
        memory_free(parent);
    }
    char *a = path_join("/x", "y"), *b = path_join("/x/", "y"), *c = path_absolute("/x/../y"), *d = path_absolute("y");
    ck_assert_str_eq(a, "/x/y");
    ck_assert_str_eq(b, "/x/y");
    ck_assert_str_eq(c, "/x/../y");
    ck_assert(d[0] == '/' && string_ends_with(d, "/y"));
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(d);
}
END_TEST

static Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_missing_is_not_found);
    tcase_add_test(tcase, a_new_file_must_be_new);
    tcase_add_test(tcase, only_regular_files_are_read);
    tcase_add_test(tcase, reads_and_writes_at_offsets);
    tcase_add_test(tcase, holes_are_passed_over);
    tcase_add_test(tcase, appending_goes_to_the_end);
    tcase_add_loop_test(tcase, what_is_written_through_goes_as_it_comes, 0, ARRAY_SIZE(through));
    tcase_add_test(tcase, a_full_disk_is_named);
    tcase_add_test(tcase, zeros_fill_from_here_to_there);
    tcase_add_test(tcase, a_lock_has_one_holder);
    tcase_add_test(tcase, a_whole_file_has_a_limit);
    tcase_add_test(tcase, an_atomic_write_replaces_all_or_nothing);
    tcase_add_test(tcase, a_stamp_is_that_of_one_content);
    tcase_add_test(tcase, facts_about_a_file);
    tcase_add_test(tcase, directories_are_made_with_their_parents);
    tcase_add_test(tcase, a_list_is_sorted_by_byte);
    tcase_add_test(tcase, paths_are_joined_and_split);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(file_suite)
