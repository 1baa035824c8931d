/* test_sim_disk_power.c - what a loss of power, or a kill, leaves on a simulated disk. */
#include "tests/simulator/test_sim_disk.h"

#include <errno.h>

#include "common/base/memory.h"

static void write_much(void)
{
    struct file *file = open_file("synced", FILE_CREATE);
    must(file_write(file, "one", 3, NULL));
    must(file_sync(file, NULL));
    must(file_write(file, "two", 3, NULL));
    must(file_close(file, NULL));
    file = open_file("written", FILE_CREATE);
    must(file_write(file, "three", 5, NULL));
    must(directory_sync("/", NULL));
    must(file_close(file, NULL));
    file = open_file("nameless", FILE_CREATE);
    must(file_write(file, "four", 4, NULL));
    must(file_sync(file, NULL));
    must(file_rename("put", "moved", NULL));
}

static void write_much_and_lose_power(void)
{
    write_much();
    sim_doom(true);
}

static void write_much_and_be_killed(void)
{
    write_much();
    sim_doom(false);
}

static void all_is_lost(void)
{
    sim_disk_put(machine, "put", "zero", 4);
    manner->loss = SIM_DISK_LOSS_ALL;
    manner->write_back_one_in = 0;
    run(write_much_and_lose_power);
    assert_get("synced", "one");
    assert_get("written", "");
    assert_get("nameless", NULL);
    assert_get("put", "zero");
    assert_get("moved", NULL);
}

static void nothing_is_lost(void)
{
    sim_disk_put(machine, "put", "zero", 4);
    manner->loss = SIM_DISK_LOSS_NONE;
    run(write_much_and_lose_power);
    assert_get("synced", "onetwo");
    assert_get("written", "three");
    assert_get("nameless", "four");
    assert_get("put", NULL);
    assert_get("moved", "zero");
}

static void a_kill(void)
{
    sim_disk_put(machine, "put", "zero", 4);
    manner->loss = SIM_DISK_LOSS_ALL;
    manner->write_back_one_in = 0;
    run(write_much_and_be_killed);
    assert_get("synced", "onetwo");
    assert_get("written", "three");
    assert_get("nameless", "four");
    assert_get("moved", "zero");
    sim_disk_lose_program(machine, true);    /* later, the machine stands idle */
    assert_get("synced", "one");
    assert_get("moved", NULL);
}

START_TEST(what_was_not_synced_may_be_lost)
{
    simulate(1, all_is_lost);
}
END_TEST

START_TEST(what_was_not_synced_may_be_kept)
{
    simulate(1, nothing_is_lost);
}
END_TEST

START_TEST(a_kill_loses_nothing_and_makes_nothing_durable)
{
    simulate(1, a_kill);
}
END_TEST

/* 'o' is synced, 'n' is not: 2 blocks over 4, of which the first two were there before. */
static void overwrite(void)
{
    static char bytes[16384];
    struct file *file = open_file("a", FILE_CREATE);
    memset(bytes, 'o', 8192);
    must(file_write(file, bytes, 8192, NULL));
    must(file_sync(file, NULL));
    must(directory_sync("/", NULL));
    memset(bytes, 'n', sizeof(bytes));
    must(file_pwrite(file, bytes, 12288, 4096, NULL));
    sim_doom(true);
}

static int seen_sizes, seen_mixes, seen_zeros;

static void sectors(void)
{
    manner->loss = SIM_DISK_LOSS_MIXED;
    run(overwrite);
    struct buffer content = { 0 };
    ck_assert(sim_disk_get(machine, "a", &content));
    ck_assert(content.size >= 8192 && content.size <= 16384);
    seen_sizes += content.size > 8192 && content.size < 16384;
    int changes = 0;
    for (size_t i = 0; i < content.size; i++) {
        char is = (char)content.bytes[i], least = i < 4096 ? 'o' : 'n', most = i < 8192 ? 'o' : '\0';
        expect(is == least || is == most, "neither old nor new", (int64_t)i);
        seen_zeros += is == '\0';
        if (i > 0 && is != (char)content.bytes[i - 1]) {
            expect(i % 512 == 0, "another in the midst of a sector", (int64_t)i);
            changes++;
        }
    }
    seen_mixes += changes > 2;
    buffer_release(&content);
}

START_TEST(sectors_are_kept_or_lost_each_for_itself)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        simulate(seed, sectors);
    ck_assert_int_gt(seen_sizes, 5);
    ck_assert_int_gt(seen_mixes, 20);
    ck_assert_int_gt(seen_zeros, 0);
}
END_TEST

static void overwrite_twice(void)
{
    struct file *file = open_file("a", FILE_WRITE);
    must(file_write(file, "two", 3, NULL));
    must(file_pwrite(file, "six", 3, 0, NULL));
    sim_doom(true);
}

static int seen[3];

static void writes_in_between(void)
{
    sim_disk_put(machine, "a", "one", 3);
    manner->loss = SIM_DISK_LOSS_MIXED;
    run(overwrite_twice);
    const char *found = get("a");
    int which = strcmp(found, "one") == 0 ? 0 : strcmp(found, "two") == 0 ? 1 : 2;
    if (which == 2)
        ck_assert_str_eq(found, "six");
    seen[which]++;
}

START_TEST(what_was_written_over_may_be_what_is_left)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        simulate(seed, writes_in_between);
    ck_assert_int_gt(seen[0], 20);
    ck_assert_int_gt(seen[1], 2);
    ck_assert_int_gt(seen[2], 20);
}
END_TEST

static void cut_and_write(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    must(file_write(file, "new", 3, NULL));
    must(file_close(file, NULL));
    file = open_file("b", FILE_WRITE);
    must(file_truncate(file, 1000, NULL));
    must(file_truncate(file, 6000, NULL));
    must(file_pwrite(file, "x", 1, 5000, NULL));
    must(file_truncate(file, 5500, NULL));
    must(file_close(file, NULL));
    file = open_file("c", FILE_WRITE);    /* what was there before does not come back with the size */
    must(file_pwrite(file, "x", 1, 2000, NULL));
    must(file_truncate(file, 1000, NULL));
    must(file_truncate(file, 4000, NULL));
    sim_doom(true);
}

static int seen_cuts, seen_whole, seen_between;

static void cuts(void)
{
    static char bytes[8000];
    memset(bytes, 'b', sizeof(bytes));
    sim_disk_put(machine, "a", bytes, 600);
    sim_disk_put(machine, "b", bytes, sizeof(bytes));
    sim_disk_put(machine, "c", bytes, sizeof(bytes));
    run(cut_and_write);
    struct buffer content = { 0 };
    ck_assert(sim_disk_get(machine, "a", &content));
    for (size_t i = 0; i < content.size; i++)
        expect(content.size == 600 ? content.bytes[i] == 'b' : content.bytes[i] == 0 || content.bytes[i] == "new"[i],
               "neither old nor new", (int64_t)i);
    ck_assert(content.size == 600 || content.size <= 3);
    buffer_clear(&content);
    ck_assert(sim_disk_get(machine, "b", &content));
    for (size_t i = 0; i < content.size; i++) {
        if (content.size == 8000 || i < 1000)
            expect(content.bytes[i] == 'b', "not what was there", (int64_t)i);
        else
            expect(content.bytes[i] == 0 || (i == 5000 && content.bytes[i] == 'x'), "not new", (int64_t)i);
    }
    ck_assert(content.size == 8000 || (content.size >= 1000 && content.size <= 5500));
    seen_whole += content.size == 8000;
    seen_cuts += content.size < 8000;
    seen_between += content.size > 1000 && content.size < 5500;
    buffer_clear(&content);
    ck_assert(sim_disk_get(machine, "c", &content));
    for (size_t i = 1000; i < content.size; i++)
        expect(content.size == 8000 || content.bytes[i] == 0, "back again", (int64_t)i);
    buffer_release(&content);
}

START_TEST(a_cut_is_kept_or_lost_with_what_came_behind_it)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        simulate(seed, cuts);
    ck_assert_int_gt(seen_whole, 20);
    ck_assert_int_gt(seen_cuts, 20);
    ck_assert_int_gt(seen_between, 2);
}
END_TEST

static void write_into_a_hole(void)
{
    struct file *file = open_file("a", FILE_CREATE);
    must(file_truncate(file, 20000, NULL));
    must(file_sync(file, NULL));
    must(directory_sync("/", NULL));
    must(file_pwrite(file, "x", 1, 9000, NULL));
    sim_doom(true);
}

static void look_for_the_hole(void)
{
    struct file *file = open_file("a", FILE_READ);
    int64_t at = 0;
    ck_assert_int_eq(file_next_data(file, 0, &at, NULL), ZK_EOF);
    must(file_size(file, &at, NULL));
    ck_assert_int_eq(at, 20000);
    must(file_close(file, NULL));
}

static void a_hole(void)
{
    manner->loss = SIM_DISK_LOSS_ALL;
    run(write_into_a_hole);
    run(look_for_the_hole);
}

START_TEST(a_hole_is_one_again)
{
    simulate(1, a_hole);
}
END_TEST

static void fail_a_sync(void)
{
    struct file *file = open_file("a", FILE_WRITE);
    must(file_pwrite(file, "X", 1, 0, NULL));
    must(file_pwrite(file, "X", 1, 5000, NULL));
    sim_disk_fail_next(machine, SIM_DISK_SYNC, "a", 1, EIO);
    ck_assert_int_eq(file_sync(file, NULL), ZK_IO);
    must(file_pwrite(file, "Y", 1, 5001, NULL));    /* which brings back its page, as on Linux */
    must(file_sync(file, NULL));
    char bytes[2];
    size_t got;
    must(file_pread(file, bytes, 1, 0, &got, NULL));
    ck_assert_int_eq(bytes[0], 'X');
    sim_doom(true);
}

static void a_failed_sync(void)
{
    static char bytes[6000];
    memset(bytes, 'o', sizeof(bytes));
    sim_disk_put(machine, "a", bytes, sizeof(bytes));
    manner->loss = SIM_DISK_LOSS_NONE;
    run(fail_a_sync);
    struct buffer content = { 0 };
    ck_assert(sim_disk_get(machine, "a", &content));
    ck_assert_int_eq(content.bytes[0], 'o');
    ck_assert_int_eq(content.bytes[5000], 'X');
    ck_assert_int_eq(content.bytes[5001], 'Y');
    buffer_release(&content);
}

START_TEST(what_a_failed_sync_left_counts_as_clean)
{
    simulate(1, a_failed_sync);
}
END_TEST

/* Changes of a directory, 0 to 7 of which may be left: the state after each as one string. */
static void change_names(void)
{
    struct file *file = open_file("d/1", FILE_CREATE);
    must(file_close(file, NULL));
    must(file_rename("d/1", "d/2", NULL));
    must(file_rename("d/2", "d/old", NULL));    /* over another */
    must(directory_add("d/3", NULL));
    must(file_unlink("d/old", NULL));
    must(file_rename("d/3", "d/4", NULL));
    sim_doom(true);
}

static void append_name(void *arg, const char *name, int64_t size)
{
    buffer_printf(arg, "%s:%d ", name, (int)size);
}

static uint32_t seen_prefixes;

static void prefixes(void)
{
    static const char *const states[] = { "old:5 ", "1:0 old:5 ", "2:0 old:5 ", "old:0 ",
                                          "3:0 old:0 ", "3:0 ", "4:0 " };
    sim_disk_put(machine, "d/old", "12345", 5);
    run(change_names);
    struct buffer names = { 0 };
    sim_disk_each(machine, "d", append_name, &names);
    size_t i = 0;
    while (i < ARRAY_SIZE(states) && strcmp(states[i], buffer_string(&names)) != 0)
        i++;
    ck_assert_msg(i < ARRAY_SIZE(states), "%s", buffer_string(&names));
    seen_prefixes |= UINT32_C(1) << i;
    buffer_release(&names);
}

START_TEST(the_first_changes_of_a_directory_are_left)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        simulate(seed, prefixes);
    ck_assert_uint_eq(seen_prefixes, 0x7f);
}
END_TEST

static void change_during_sync(void *arg)
{
    (void)arg;
    sim_sleep_until(sim_now_ns() + 5 * SIM_MS);
    struct file *file = open_file("late", FILE_CREATE);
    must(file_close(file, NULL));
    sim_sleep_until(sim_now_ns() + 10 * SIM_MS);
    sim_doom(true);
}

static void sync_slowly(void)
{
    struct file *file = open_file("early", FILE_CREATE);
    must(file_close(file, NULL));
    sim_spawn("other", change_during_sync, NULL);
    must(directory_sync("/", NULL));
    sim_sleep_until(sim_now_ns() + SIM_S);
}

static void a_long_sync(void)
{
    manner->least_sync_ns = manner->most_sync_ns = 10 * SIM_MS;
    manner->loss = SIM_DISK_LOSS_ALL;
    run(sync_slowly);
    assert_get("early", "");
    assert_get("late", NULL);
}

START_TEST(what_comes_during_a_sync_is_not_in_it)
{
    simulate(1, a_long_sync);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sim_disk_power");
    TCase *tcase = tcase_create("sim_disk_power");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_was_not_synced_may_be_lost);
    tcase_add_test(tcase, what_was_not_synced_may_be_kept);
    tcase_add_test(tcase, a_kill_loses_nothing_and_makes_nothing_durable);
    tcase_add_test(tcase, sectors_are_kept_or_lost_each_for_itself);
    tcase_add_test(tcase, what_was_written_over_may_be_what_is_left);
    tcase_add_test(tcase, a_cut_is_kept_or_lost_with_what_came_behind_it);
    tcase_add_test(tcase, a_hole_is_one_again);
    tcase_add_test(tcase, what_a_failed_sync_left_counts_as_clean);
    tcase_add_test(tcase, the_first_changes_of_a_directory_are_left);
    tcase_add_test(tcase, what_comes_during_a_sync_is_not_in_it);
    return suite;
}

CHECK_MAIN(make_suite)
