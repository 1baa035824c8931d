/* test_sim_disk.c - common/base/file.h over the simulated disk: calls find what they should. */
#include "tests/simulator/test_sim_disk.h"

#include "common/base/memory.h"
#include "tests/simulator/sim_disk_internal.h"

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
    ck_assert_int_eq(file_pwrite(file, "+", 1, 0, NULL), ZK_OK);    /* Linux appends that too */
    ck_assert_int_eq(file_pread(file, bytes, 100, 8190, &got, NULL), ZK_OK);
    ck_assert_uint_eq(got, 14);
    ck_assert_mem_eq(bytes, "f\0\0\0\0\0\0\0\0\0end+", 14);
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

#define BLOCKS 40

/* Against an array of what is in the set. */
static void sets_of_blocks(void *arg)
{
    (void)arg;
    struct sim_extents set = { 0 };
    bool is_in[BLOCKS + 1] = { false };
    for (int i = 0; i < 2000; i++) {
        int64_t from = sim_between(0, BLOCKS), to = sim_between(from, BLOCKS);
        bool adds = sim_one_in(2);
        if (adds)
            sim_extents_add(&set, from, to);
        else
            sim_extents_remove(&set, from, to);
        for (int64_t block = from; block < to; block++)
            is_in[block] = adds;
        int64_t count = 0, next = -1;
        size_t ranges = 0;
        for (int64_t block = BLOCKS - 1; block >= 0; block--) {
            next = is_in[block] ? block : next;
            count += is_in[block];
            ranges += is_in[block] && !is_in[block + 1];
            if (sim_extents_have(&set, block) != is_in[block] || sim_extents_next(&set, block) != next)
                ck_abort_msg("step %d: block %d", i, (int)block);
        }
        ck_assert_int_eq(sim_extents_count(&set), count);
        ck_assert_uint_eq(set.count, ranges);
    }
    sim_extents_release(&set);
}

START_TEST(a_set_of_blocks_has_what_was_added)
{
    sim_run(1, sets_of_blocks, NULL);
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

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sim_disk");
    TCase *tcase = tcase_create("sim_disk");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_is_missing_is_not_found);
    tcase_add_test(tcase, files_and_directories_are_told_apart);
    tcase_add_test(tcase, reads_find_what_was_written);
    tcase_add_test(tcase, zeros_cost_nothing_and_holes_are_found);
    tcase_add_test(tcase, a_set_of_blocks_has_what_was_added);
    tcase_add_test(tcase, names_are_sorted_and_move);
    tcase_add_test(tcase, a_removed_file_lives_while_it_is_open);
    tcase_add_test(tcase, a_lock_is_of_one_open_file_and_goes_with_it);
    tcase_add_test(tcase, an_open_file_is_a_leak);
    tcase_add_test(tcase, stamps_and_times_tell_of_changes);
    return suite;
}

CHECK_MAIN(make_suite)
