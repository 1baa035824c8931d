/* test_sim_disk_fault.c - calls of the simulated disk that fail, programs that die in one, and what the driver does. */
#include "tests/simulator/test_sim_disk.h"

#include <errno.h>

#include "common/base/memory.h"
#include "tests/simulator/network.h"

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

/* ---- crash points ---- */

static bool was_written;
static int write_err;

static void write_whole(void)
{
    write_err = file_write_atomic("/d/conf", "this is new", 11, NULL);
    was_written = true;
}

static const struct {
    bool after, with_power;
} ends[] = { { false, false }, { true, false }, { false, true }, { true, true } };

static int end_index, seen_old, seen_new;

/* At each change that file_write_atomic() makes, one after the other, until it makes no more. */
static void crash_points(void)
{
    for (uint64_t change = 1;; change++) {
        sim_disk_put(machine, "/d/conf", "this is old", 11);
        sim_disk_doom_at_change(machine, sim_disk_changes(machine) + change, ends[end_index].after,
                                ends[end_index].with_power);
        was_written = false;
        run(write_whole);
        if (!was_written)
            sim_disk_lose_program(machine, sim_one_in(2));
        const char *found = get("/d/conf");
        ck_assert_ptr_nonnull(found);
        bool is_old = strcmp(found, "this is old") == 0;
        ck_assert_msg(is_old || strcmp(found, "this is new") == 0, "after change %d: %s", (int)change, found);
        seen_old += is_old;
        seen_new += !is_old;
        if (was_written) {
            ck_assert_uint_eq(change, 6);    /* open, write, sync, rename, sync of the directory */
            ck_assert(!is_old);
            break;
        }
    }
    sim_disk_doom_at_change(machine, 0, false, false);
}

START_TEST(a_whole_file_is_old_or_new)
{
    for (end_index = 0; end_index < (int)ARRAY_SIZE(ends); end_index++) {
        seen_old = seen_new = 0;
        for (uint64_t seed = 1; seed <= 30; seed++)
            simulate(seed, crash_points);
        ck_assert_int_gt(seen_old, 50);
        ck_assert_int_gt(seen_new, 30);
    }
}
END_TEST

static void failures(void)
{
    static const enum sim_disk_call calls[] = { SIM_DISK_OPEN, SIM_DISK_WRITE, SIM_DISK_SYNC, SIM_DISK_CLOSE,
                                                SIM_DISK_RENAME, SIM_DISK_SYNC_DIRECTORY };
    manner->short_one_in = 2;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        sim_disk_put(machine, "/d/conf", "this is old", 11);
        sim_disk_fail_next(machine, calls[i], NULL, 1, EIO);
        run(write_whole);
        ck_assert_int_eq(write_err, ZK_IO);
        if (calls[i] != SIM_DISK_SYNC_DIRECTORY)
            assert_get("/d/conf", "this is old");
        assert_get("/d/conf.tmp", NULL);
        sim_disk_lose_program(machine, true);
        const char *found = get("/d/conf");
        ck_assert(strcmp(found, "this is old") == 0 || strcmp(found, "this is new") == 0);
    }
}

START_TEST(a_whole_file_that_cannot_be_written_leaves_the_old_one)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        simulate(seed, failures);
}
END_TEST

static void die_at(void)
{
    struct file *file = open_file("d/a", FILE_CREATE);
    must(file_write(file, "1", 1, NULL));
    must(file_write(file, "2", 1, NULL));
    must(file_write(file, "3", 1, NULL));
    ck_abort_msg("it lives");
}

static void dooms(void)
{
    sim_disk_put(machine, "d/b", "", 0);
    sim_disk_doom_next(machine, SIM_DISK_WRITE, "a", 2, false, false);
    run(die_at);
    assert_get("d/a", "1");
    sim_disk_doom_next(machine, SIM_DISK_WRITE, "d/", 2, true, false);
    run(die_at);
    assert_get("d/a", "12");
    sim_disk_doom_at_change(machine, sim_disk_changes(machine) + 4, false, false);    /* the first opens it */
    run(die_at);
    assert_get("d/a", "12");
    sim_disk_doom_at_change(machine, sim_disk_changes(machine) + 4, true, false);
    run(die_at);
    assert_get("d/a", "123");
    manner->loss = SIM_DISK_LOSS_ALL;
    sim_disk_doom_next(machine, SIM_DISK_WRITE, NULL, 3, true, true);
    run(die_at);
    assert_get("d/a", NULL);
}

START_TEST(a_program_dies_where_it_is_told)
{
    simulate(1, dooms);
}
END_TEST

static void write_on(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    for (;;)
        must(file_pwrite(file, "123456789", 9, 0, NULL));
}

static uint32_t seen_parts;

static void random_dooms(void)
{
    manner->doom_one_in = 3;
    run(write_on);
    const char *found = get("a");
    if (found != NULL)
        seen_parts |= UINT32_C(1) << strlen(found);
}

START_TEST(the_seed_may_end_a_program_at_any_change)
{
    for (uint64_t seed = 1; seed <= 500; seed++)
        simulate(seed, random_dooms);
    ck_assert_uint_eq(seen_parts, 0x3ff);    /* 0 to 9 bytes */
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sim_disk_fault");
    TCase *tcase = tcase_create("sim_disk_fault");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, each_call_can_be_made_to_fail);
    tcase_add_test(tcase, a_failing_write_may_have_written_a_part);
    tcase_add_test(tcase, a_full_disk_takes_what_fits);
    tcase_add_test(tcase, descriptors_come_to_an_end);
    tcase_add_test(tcase, calls_take_the_time_they_are_given);
    tcase_add_test(tcase, the_driver_reaches_into_a_disk);
    tcase_add_test(tcase, a_whole_file_is_old_or_new);
    tcase_add_test(tcase, a_whole_file_that_cannot_be_written_leaves_the_old_one);
    tcase_add_test(tcase, a_program_dies_where_it_is_told);
    tcase_add_test(tcase, the_seed_may_end_a_program_at_any_change);
    return suite;
}

CHECK_MAIN(make_suite)
