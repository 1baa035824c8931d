/* test_sim_disk.c - common/base/file.h over the simulated disk: what calls find, and how they fail. */
#include "tests/simulator/disk.h"

#include <errno.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"
#include "tests/simulator/network.h"

static struct sim_node *machine;
static struct sim_disk_manner *manner;
static struct error error;
static void (*body)(void);

static int run_body(void *arg)
{
    (void)arg;
    body();
    return 0;
}

static void run_on(struct sim_node *node, void (*program)(void))
{
    body = program;
    sim_node_start(node, run_body, NULL);
    ck_assert(sim_node_join(node, SIM_FOREVER));
}

/* A program on the machine, until it ends, in whichever way. */
static void run(void (*program)(void))
{
    run_on(machine, program);
}

static void (*scenario)(void);

static void drive(void *arg)
{
    (void)arg;
    machine = sim_node_new("one");
    manner = sim_disk_manner(machine);
    scenario();
}

static void simulate(uint64_t seed, void (*driver)(void))
{
    scenario = driver;
    sim_run(seed, drive, NULL);
    ck_assert_msg(sim_verdict() == NULL, "%s", sim_verdict());
}

/* A test whose only part is a program. */
static void (*only_program)(void);

static void run_only_program(void)
{
    run(only_program);
}

static void simulate_program(void (*program)(void))
{
    only_program = program;
    simulate(1, run_only_program);
}

static struct file *open_file(const char *path, enum file_mode mode)
{
    struct file *file = NULL;
    ck_assert_msg(file_open(path, mode, &file, &error) == ZK_OK, "%s", error.text);
    return file;
}

static void write_file(const char *path, const char *text)
{
    struct file *file = open_file(path, FILE_CREATE);
    ck_assert_int_eq(file_write(file, text, strlen(text), NULL), ZK_OK);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

static void assert_content(const char *path, const char *expected)
{
    struct buffer content = { 0 };
    ck_assert_int_eq(file_read_all(path, 1 << 20, &content, &error), ZK_OK);
    ck_assert_str_eq(buffer_string(&content), expected);
    buffer_release(&content);
}

/* From outside. */
static void assert_get(const char *path, const char *expected)
{
    struct buffer content = { 0 };
    bool is_there = sim_disk_get(machine, path, &content);
    if (expected == NULL)
        ck_assert_msg(!is_there, "%s is there", path);
    else
        ck_assert_str_eq(is_there ? buffer_string(&content) : "nothing", expected);
    buffer_release(&content);
}

/* ---- calls that find what they should ---- */

static void missing_things(void)
{
    struct file *file = NULL;
    struct name_list list;
    int64_t number = 7;
    struct file_stamp stamp;
    ck_assert_int_eq(file_open("/a", FILE_READ, &file, &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot open /a: No such file or directory");
    ck_assert_int_eq(error.code, ZK_NOT_FOUND);
    ck_assert_int_eq(file_open("a", FILE_WRITE, &file, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_open("no/a", FILE_CREATE, &file, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_open("", FILE_CREATE, &file, NULL), ZK_NOT_FOUND);
    ck_assert_ptr_null(file);
    ck_assert_int_eq(file_size_of("a", &number, &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot look at a: No such file or directory");
    ck_assert_int_eq(file_modified_ms("a", &number, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_stamp("a", &stamp, NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_unlink("a", &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot remove a: No such file or directory");
    ck_assert_int_eq(file_rename("a", "b", &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot rename a to b: No such file or directory");
    ck_assert_int_eq(directory_sync("a", &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot open directory a: No such file or directory");
    ck_assert_int_eq(directory_list("a", &list, &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot list directory a: No such file or directory");
    ck_assert_int_eq(directory_add("no/a", NULL), ZK_NOT_FOUND);
    ck_assert_int_eq(file_kind("a"), FILE_KIND_NONE);
    ck_assert(!file_is_writable("a"));
    ck_assert_int_eq(directory_size("a"), 0);
    ck_assert_int_eq(number, 7);
}

START_TEST(what_is_missing_is_not_found)
{
    simulate_program(missing_things);
}
END_TEST

static void kinds(void)
{
    struct file *file = NULL;
    ck_assert_int_eq(directory_add("d", NULL), ZK_OK);
    ck_assert_int_eq(directory_add("d", &error), ZK_EXISTS);
    ck_assert_str_eq(error.text, "cannot make directory d: File exists");
    ck_assert_int_eq(file_open("d", FILE_READ, &file, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot open d: not a regular file");
    ck_assert_int_eq(file_open("d", FILE_CREATE, &file, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot open d: Is a directory");
    write_file("d/f", "x");
    ck_assert_int_eq(file_open("d/f", FILE_CREATE_NEW, &file, &error), ZK_EXISTS);
    ck_assert_str_eq(error.text, "cannot open d/f: File exists");
    ck_assert_int_eq(file_open("d/f/g", FILE_CREATE, &file, &error), ZK_NOT_FOUND);
    ck_assert_str_eq(error.text, "cannot open d/f/g: Not a directory");
    ck_assert_int_eq(file_unlink("d", &error), ZK_IO);
    ck_assert_int_eq(file_kind("d"), FILE_KIND_DIRECTORY);
    ck_assert_int_eq(file_kind("/d/../d/./f"), FILE_KIND_REGULAR);
    ck_assert_int_eq(file_kind("/"), FILE_KIND_DIRECTORY);
    ck_assert(file_is_writable("d/f"));
    ck_assert(!file_is_open_to_others("d/f"));
    char *absolute = path_absolute("d/f"), *same = path_absolute("/x");
    ck_assert_str_eq(absolute, "/d/f");
    ck_assert_str_eq(same, "/x");
    memory_free(absolute);
    memory_free(same);
}

START_TEST(files_and_directories_are_told_apart)
{
    simulate_program(kinds);
}
END_TEST

static void reading_and_writing(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    uint8_t bytes[9000];
    size_t got;
    int64_t size;
    ck_assert_str_eq(file_path(file), "a");
    ck_assert_int_eq(file_write(file, "hello ", 6, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "world", 5, NULL), ZK_OK);
    ck_assert_int_eq(file_pwrite(file, "W", 1, 6, NULL), ZK_OK);
    ck_assert_int_eq(file_pread(file, bytes, sizeof(bytes), 4, &got, NULL), ZK_OK);
    ck_assert_mem_eq(bytes, "o World", got);
    ck_assert_uint_eq(got, 7);
    ck_assert_int_eq(file_pwrite(file, "far", 3, 8190, NULL), ZK_OK);    /* over two blocks, behind a hole */
    ck_assert_int_eq(file_pread(file, bytes, sizeof(bytes), 0, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 8193);
    ck_assert_mem_eq(bytes + 8190, "far", 3);
    for (size_t i = 11; i < 8190; i++)
        ck_assert_int_eq(bytes[i], 0);
    ck_assert_int_eq(file_truncate(file, 8191, NULL), ZK_OK);
    ck_assert_int_eq(file_truncate(file, 8200, NULL), ZK_OK);
    ck_assert_int_eq(file_pread(file, bytes, 100, 8190, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 10);
    ck_assert_mem_eq(bytes, "f\0\0\0\0\0\0\0\0\0", 10);
    ck_assert_int_eq(file_write(file, "!", 1, NULL), ZK_OK);    /* goes on where file_write() was */
    ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 8200);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);

    file = open_file("a", FILE_APPEND);
    ck_assert_int_eq(file_write(file, "end", 3, NULL), ZK_OK);
    ck_assert_int_eq(file_pread(file, bytes, 100, 8190, &got, NULL), ZK_OK);
    ck_assert_mem_eq(bytes, "f\0\0\0\0\0\0\0\0\0end", 13);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);

    file = open_file("a", FILE_READ);
    ck_assert_int_eq(file_write(file, "x", 1, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot write a at 0: Bad file descriptor");
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    write_file("a", "short");
    assert_content("a", "short");
}

START_TEST(reads_find_what_was_written)
{
    simulate_program(reading_and_writing);
}
END_TEST

static void zeros_and_holes(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    int64_t at = -1;
    uint8_t byte = 1;
    size_t got;
    ck_assert_int_eq(file_fill_zeros(file, 0, INT64_C(1) << 40, NULL), ZK_OK);    /* a TiB, at once */
    ck_assert_int_eq(file_truncate(file, 0, NULL), ZK_OK);
    ck_assert_int_eq(file_next_data(file, 0, &at, NULL), ZK_EOF);
    ck_assert_int_eq(file_truncate(file, 1 << 20, NULL), ZK_OK);
    ck_assert_int_eq(file_next_data(file, 0, &at, NULL), ZK_EOF);
    ck_assert_int_eq(file_fill_zeros(file, 8192, 16384, NULL), ZK_OK);
    ck_assert_int_eq(file_pwrite(file, "x", 1, 100000, NULL), ZK_OK);
    ck_assert_int_eq(file_next_data(file, 5, &at, NULL), ZK_OK);
    ck_assert_int_eq(at, 8192);
    ck_assert_int_eq(file_next_data(file, 10000, &at, NULL), ZK_OK);
    ck_assert_int_eq(at, 10000);
    ck_assert_int_eq(file_next_data(file, 16384, &at, NULL), ZK_OK);
    ck_assert_int_eq(at, 100000 / 4096 * 4096);
    ck_assert_int_eq(file_next_data(file, 102400, &at, NULL), ZK_EOF);
    ck_assert_int_eq(file_fill_zeros(file, 99990, 100010, NULL), ZK_OK);
    ck_assert_int_eq(file_pread(file, &byte, 1, 100000, &got, NULL), ZK_OK);
    ck_assert_int_eq(byte, 0);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

START_TEST(zeros_cost_nothing_and_holes_are_found)
{
    simulate_program(zeros_and_holes);
}
END_TEST

static void names(void)
{
    static const char *const expected[] = { "B", "a", "a.b", "b" };
    ck_assert_int_eq(directory_make("x/y/z", NULL), ZK_OK);
    ck_assert_int_eq(directory_make("x/y/z", NULL), ZK_OK);
    write_file("x/y/b", "1");
    write_file("x/y/a.b", "22");
    write_file("x/y/c", "333");
    write_file("x/y/B", "4444");
    ck_assert_int_eq(file_rename("x/y/c", "x/y/a", NULL), ZK_OK);
    ck_assert_int_eq(directory_size("x/y"), 10);
    struct name_list list;
    ck_assert_int_eq(directory_list("x/y/", &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 5);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        ck_assert_str_eq(list.names[i], expected[i]);
    name_list_release(&list);
    ck_assert_int_eq(file_rename("x/y/a", "x/y/b", NULL), ZK_OK);    /* over another */
    assert_content("x/y/b", "333");
    ck_assert_int_eq(file_rename("x/y/b", "x/y/b", NULL), ZK_OK);
    ck_assert_int_eq(file_rename("x/y/b", "x/y/z", NULL), ZK_IO);
    ck_assert_int_eq(file_rename("x/y/z", "x/y/w", NULL), ZK_OK);
    ck_assert_int_eq(file_kind("x/y/w/../w"), FILE_KIND_DIRECTORY);
    ck_assert_int_eq(directory_list("x/y/w", &list, NULL), ZK_OK);
    ck_assert_uint_eq(list.count, 0);
    name_list_release(&list);
}

START_TEST(names_are_sorted_and_move)
{
    simulate_program(names);
}
END_TEST

static void removed_while_open(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    char bytes[5] = "";
    size_t got;
    ck_assert_int_eq(file_write(file, "here", 4, NULL), ZK_OK);
    ck_assert_int_eq(file_unlink("a", NULL), ZK_OK);
    write_file("a", "else");
    ck_assert_int_eq(file_pread(file, bytes, 4, 0, &got, NULL), ZK_OK);
    ck_assert_str_eq(bytes, "here");
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    assert_content("a", "else");
}

START_TEST(a_removed_file_lives_while_it_is_open)
{
    simulate_program(removed_while_open);
}
END_TEST

static void lock_it(void)
{
    struct file *file = open_file("lock", FILE_CREATE), *other = open_file("lock", FILE_WRITE);
    ck_assert_int_eq(file_lock(file, NULL), ZK_OK);
    ck_assert_int_eq(file_lock(file, NULL), ZK_OK);
    ck_assert_int_eq(file_lock(other, &error), ZK_EXISTS);
    ck_assert_str_eq(error.text, "lock is locked by another process");
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert_int_eq(file_lock(other, NULL), ZK_OK);
    ck_assert_uint_eq(sim_disk_open_count(machine), 1);
    sim_doom(false);
}

static void locks(void)
{
    for (int i = 0; i < 2; i++) {    /* the second finds no lock of the first */
        run(lock_it);
        ck_assert_uint_eq(sim_disk_open_count(machine), 0);
    }
}

START_TEST(a_lock_is_of_one_open_file_and_goes_with_it)
{
    simulate(1, locks);
}
END_TEST

static void leave_open(void)
{
    (void)open_file("a", FILE_CREATE);
}

static void drive_leak(void *arg)
{
    (void)arg;
    machine = sim_node_new("one");
    run(leave_open);
}

START_TEST(an_open_file_is_a_leak)
{
    sim_run(1, drive_leak, NULL);
    ck_assert_ptr_nonnull(strstr(sim_verdict(), "1 files"));
}
END_TEST

static void stamps(void)
{
    struct file_stamp before, after;
    int64_t ms, size;
    write_file("a", "1");
    ck_assert_int_eq(file_stamp("a", &before, NULL), ZK_OK);
    ck_assert_int_eq(file_stamp("a", &after, NULL), ZK_OK);
    ck_assert(file_stamp_equal(&before, &after));
    sim_sleep_until(sim_now_ns() + 5 * SIM_MS);
    struct file *file = open_file("a", FILE_WRITE);
    ck_assert_int_eq(file_write(file, "2", 1, NULL), ZK_OK);
    ck_assert_int_eq(file_modified_ms("a", &ms, NULL), ZK_OK);
    ck_assert_int_eq(ms, sim_node_wall_ms(machine));
    sim_sleep_until(sim_now_ns() + 5 * SIM_MS);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert_int_eq(file_modified_ms("a", &size, NULL), ZK_OK);
    ck_assert_int_eq(size, ms);
    ck_assert_int_eq(file_stamp("a", &after, NULL), ZK_OK);
    ck_assert(!file_stamp_equal(&before, &after));
    ck_assert_int_eq(file_write_atomic("a", "2", 1, NULL), ZK_OK);
    ck_assert_int_eq(file_stamp("a", &before, NULL), ZK_OK);
    ck_assert_int_ne(before.inode, after.inode);
    ck_assert_int_eq(file_size_of("a", &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 1);
}

START_TEST(stamps_and_times_tell_of_changes)
{
    simulate_program(stamps);
}
END_TEST

/* ---- faults ---- */

static void fail_each(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    struct name_list list;
    size_t got;
    char bytes[10];
    sim_disk_fail_next(machine, SIM_DISK_WRITE, "a", 2, EIO);
    ck_assert_int_eq(file_write(file, "12", 2, NULL), ZK_OK);
    ck_assert_int_eq(file_write(file, "34", 2, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot write a at 2: Input/output error");
    ck_assert_int_eq(file_write(file, "56", 2, NULL), ZK_OK);
    sim_disk_fail_next(machine, SIM_DISK_WRITE, "b", 1, EIO);    /* of another file */
    ck_assert_int_eq(file_write(file, "78", 2, NULL), ZK_OK);
    sim_disk_fail_next(machine, SIM_DISK_READ, NULL, 1, EIO);
    ck_assert_int_eq(file_pread(file, bytes, 4, 1, &got, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot read a at 1: Input/output error");
    sim_disk_fail_next(machine, SIM_DISK_SYNC, NULL, 1, EIO);
    ck_assert_int_eq(file_sync(file, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot sync a: Input/output error");
    sim_disk_fail_next(machine, SIM_DISK_TRUNCATE, NULL, 1, EROFS);
    ck_assert_int_eq(file_truncate(file, 1, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot cut a to 1 bytes: Read-only file system");
    sim_disk_fail_next(machine, SIM_DISK_CLOSE, NULL, 1, EIO);
    ck_assert_int_eq(file_close(file, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot close a: Input/output error");
    ck_assert_uint_eq(sim_disk_open_count(machine), 0);
    sim_disk_fail_next(machine, SIM_DISK_OPEN, NULL, 1, ENOSPC);
    ck_assert_int_eq(file_open("c", FILE_CREATE, &file, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot open c: No space left on device");
    ck_assert_int_eq(file_kind("c"), FILE_KIND_NONE);
    sim_disk_fail_next(machine, SIM_DISK_RENAME, "q", 1, EIO);
    ck_assert_int_eq(file_rename("a", "q", &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot rename a to q: Input/output error");
    sim_disk_fail_next(machine, SIM_DISK_UNLINK, NULL, 1, EIO);
    ck_assert_int_eq(file_unlink("a", &error), ZK_IO);
    sim_disk_fail_next(machine, SIM_DISK_MAKE_DIRECTORY, NULL, 1, EIO);
    ck_assert_int_eq(directory_add("d", &error), ZK_IO);
    sim_disk_fail_next(machine, SIM_DISK_SYNC_DIRECTORY, NULL, 1, EIO);
    ck_assert_int_eq(directory_sync("/", &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot sync directory /: Input/output error");
    sim_disk_fail_next(machine, SIM_DISK_LIST_DIRECTORY, NULL, 1, EIO);
    ck_assert_int_eq(directory_list("/", &list, NULL), ZK_IO);
    assert_content("a", "125678");
}

START_TEST(each_call_can_be_made_to_fail)
{
    simulate_program(fail_each);
}
END_TEST

static void fail_often(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    int failures = 0, short_ones = 0;
    int64_t size;
    manner->fail_one_in[SIM_DISK_WRITE] = 4;
    manner->fail_errno = ENOSPC;
    manner->short_one_in = 2;
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(file_truncate(file, 0, NULL), ZK_OK);
        int err = file_pwrite(file, "123456", 6, 0, NULL);
        ck_assert_int_eq(file_size(file, &size, NULL), ZK_OK);
        ck_assert_int_eq(size < 6, err != ZK_OK);
        failures += err != ZK_OK;
        short_ones += err != ZK_OK && size > 0;
    }
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert(failures > 20 && failures < 100);
    ck_assert(short_ones > 5 && short_ones < failures);
}

START_TEST(a_failing_write_may_have_written_a_part)
{
    simulate_program(fail_often);
}
END_TEST

static void fill_the_disk(void)
{
    struct file *file = open_file("a", FILE_CREATE), *other = open_file("b", FILE_CREATE);
    static char bytes[10000];
    int64_t size;
    manner->capacity = 16384;
    ck_assert_int_eq(file_truncate(file, 1 << 20, NULL), ZK_OK);    /* a hole costs nothing */
    ck_assert_int_eq(file_write(file, bytes, 4096, NULL), ZK_OK);
    ck_assert_int_eq(file_write(other, bytes, 8000, NULL), ZK_OK);
    ck_assert_int_eq(file_write(other, bytes, 10000, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot write b at 12288: No space left on device");
    ck_assert_int_eq(file_size(other, &size, NULL), ZK_OK);
    ck_assert_int_eq(size, 12288);
    ck_assert_int_eq(file_pwrite(file, "x", 1, 4096, NULL), ZK_IO);
    ck_assert_int_eq(file_pwrite(file, "x", 1, 4095, NULL), ZK_OK);
    ck_assert_int_eq(file_unlink("b", NULL), ZK_OK);
    ck_assert_int_eq(file_fill_zeros(file, 4096, 8192, NULL), ZK_IO);    /* it is still open */
    ck_assert_int_eq(file_close(other, NULL), ZK_OK);
    ck_assert_int_eq(file_fill_zeros(file, 4096, 16384, NULL), ZK_OK);
    ck_assert_int_eq(file_fill_zeros(file, 4096, 20000, NULL), ZK_IO);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

START_TEST(a_full_disk_takes_what_fits)
{
    simulate_program(fill_the_disk);
}
END_TEST

static void run_out_of_descriptors(void)
{
    struct file *file = open_file("a", FILE_CREATE), *other = NULL;
    sim_descriptor_limit(machine, 4);
    ck_assert_int_eq(file_open("b", FILE_CREATE, &other, &error), ZK_IO);
    ck_assert_str_eq(error.text, "cannot open b: Too many open files");
    ck_assert_int_eq(file_kind("b"), FILE_KIND_NONE);
    ck_assert_int_eq(directory_sync("/", &error), ZK_IO);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
    ck_assert_int_eq(directory_sync("/", &error), ZK_OK);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(file_open("d/e", FILE_READ, &other, NULL), ZK_NOT_FOUND);    /* gives its descriptor back */
    write_file("a", "");
    sim_descriptor_limit(machine, 65536);
}

START_TEST(descriptors_come_to_an_end)
{
    simulate_program(run_out_of_descriptors);
}
END_TEST

static void time_calls(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    int64_t start_ns = sim_now_ns();
    manner->least_sync_ns = manner->most_sync_ns = 7 * SIM_MS;
    ck_assert_int_eq(file_sync(file, NULL), ZK_OK);
    ck_assert_int_eq(directory_sync("/", NULL), ZK_OK);
    ck_assert_int_eq((sim_now_ns() - start_ns) / SIM_MS, 14);
    manner->least_call_ns = manner->most_call_ns = 3 * SIM_MS;
    start_ns = sim_now_ns();
    ck_assert_int_eq(file_write(file, "x", 1, NULL), ZK_OK);
    (void)file_kind("a");
    ck_assert_int_eq((sim_now_ns() - start_ns) / SIM_MS, 6);
    ck_assert_int_eq(file_close(file, NULL), ZK_OK);
}

START_TEST(calls_take_the_time_they_are_given)
{
    simulate_program(time_calls);
}
END_TEST

/* ---- the driver ---- */

static void collect(void *arg, const char *name, int64_t size)
{
    buffer_printf(arg, "%s:%d ", name, (int)size);
}

static void rewrite(void)
{
    assert_content("/data/conf/a", "first");
    write_file("data/conf/a", "second");
}

static void from_outside(void)
{
    struct buffer text = { 0 };
    sim_disk_put(machine, "/data/conf/a", "first", 5);
    sim_disk_put(machine, "/data/b", "", 0);
    assert_get("/data/conf/a", "first");
    assert_get("/data/b", "");
    assert_get("/data/c", NULL);
    assert_get("/data", NULL);
    run(rewrite);
    assert_get("data/conf/a", "second");
    sim_disk_each(machine, "/data", collect, &text);
    sim_disk_each(machine, "/data/conf", collect, &text);
    ck_assert_str_eq(buffer_string(&text), "b:0 conf:0 a:6 ");
    buffer_release(&text);
    ck_assert(!sim_disk_rot(machine, "/data/conf", "b"));
    ck_assert(!sim_disk_rot(machine, "/data", "b"));
    ck_assert(sim_disk_rot(machine, "/data/conf", "a"));
    ck_assert(sim_disk_get(machine, "/data/conf/a", &text));
    int bits = 0;
    for (size_t i = 0; i < 6; i++)
        bits += __builtin_popcount(text.bytes[i] ^ (unsigned char)"second"[i]);
    ck_assert_int_eq(bits, 1);
    buffer_release(&text);
    sim_disk_wipe(machine, "/data/conf");
    assert_get("/data/conf/a", NULL);
    assert_get("/data/b", "");
    sim_disk_lose_program(machine, true);
    assert_get("/data/conf/a", NULL);
    sim_disk_wipe(machine, "/");
    sim_disk_each(machine, "/", collect, &text);
    ck_assert_uint_eq(text.size, 0);
}

START_TEST(the_driver_reaches_into_a_disk)
{
    simulate(1, from_outside);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sim_disk");
    TCase *tcase = tcase_create("calls");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_is_missing_is_not_found);
    tcase_add_test(tcase, files_and_directories_are_told_apart);
    tcase_add_test(tcase, reads_find_what_was_written);
    tcase_add_test(tcase, zeros_cost_nothing_and_holes_are_found);
    tcase_add_test(tcase, names_are_sorted_and_move);
    tcase_add_test(tcase, a_removed_file_lives_while_it_is_open);
    tcase_add_test(tcase, a_lock_is_of_one_open_file_and_goes_with_it);
    tcase_add_test(tcase, an_open_file_is_a_leak);
    tcase_add_test(tcase, stamps_and_times_tell_of_changes);
    tcase_add_test(tcase, each_call_can_be_made_to_fail);
    tcase_add_test(tcase, a_failing_write_may_have_written_a_part);
    tcase_add_test(tcase, a_full_disk_takes_what_fits);
    tcase_add_test(tcase, descriptors_come_to_an_end);
    tcase_add_test(tcase, calls_take_the_time_they_are_given);
    tcase_add_test(tcase, the_driver_reaches_into_a_disk);
    return suite;
}

CHECK_MAIN(make_suite)
