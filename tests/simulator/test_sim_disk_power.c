/*
 * test_sim_disk_power.c - what a loss of power, or a kill, leaves on a simulated disk.
 *
 * First facts, one by one; then the same for random programs: they keep a model of what may be left, and after a loss
 * of power at a random call the disk must fit it.
 */
#include "tests/simulator/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "tests/lib/check_main.h"

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

/* A program on the machine, until it ends, in whichever way. */
static void run(void (*program)(void))
{
    body = program;
    sim_node_start(machine, run_body, NULL);
    ck_assert(sim_node_join(machine, SIM_FOREVER));
}

/* For bytes: an assertion of Check is a call of the machine even when it holds. */
static void expect(bool is_right, const char *what, int64_t at)
{
    if (!is_right)
        ck_abort_msg("%s at %d", what, (int)at);
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
    ck_assert_msg(sim_verdict() == NULL, "seed %d: %s", (int)seed, sim_verdict());
}

static struct file *open_file(const char *path, enum file_mode mode)
{
    struct file *file = NULL;
    ck_assert_msg(file_open(path, mode, &file, &error) == ZK_OK, "%s", error.text);
    return file;
}

static void must(int err)
{
    ck_assert_int_eq(err, ZK_OK);
}

/* From outside: NULL for what is not there, valid until the next call. */
static const char *get(const char *path)
{
    static struct buffer content;
    buffer_clear(&content);
    return sim_disk_get(machine, path, &content) ? buffer_string(&content) : NULL;
}

static void assert_get(const char *path, const char *expected)
{
    const char *found = get(path);
    if (expected == NULL)
        ck_assert_msg(found == NULL, "%s is there: %s", path, found);
    else
        ck_assert_str_eq(found != NULL ? found : "(nothing)", expected);
}

/* ---- facts ---- */

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

/* ---- random programs ---- */

#define SIZE_LIMIT 9000
#define FILES 40
#define NAMES 5
#define CHANGES 200

/* What may be left of a file: for each byte the values it may have, and its least size and most; or, if it was cut
 * below its synced size, that size, and behind the lowest cut what there may have been before. */
static struct model_file {
    int64_t inode, synced_size, size, cut;    /* cut: -1 when there was none */
    uint8_t now[SIZE_LIMIT];
    uint64_t may_be[SIZE_LIMIT][4], before_cut[SIZE_LIMIT][4];
} model[FILES];

/* The names of the directory after each change since its last sync; 0: no such name. */
static int64_t states[CHANGES][NAMES];
static int file_count, state_count;
static struct file *handles[FILES];
static int64_t lost, kept;    /* over all seeds: what was the same as before, and what was not */

static void allow(struct model_file *file, int64_t at, uint8_t value)
{
    file->may_be[at][value / 64] |= UINT64_C(1) << value % 64;
}

static void model_set(struct model_file *file, int64_t at, uint8_t value)
{
    file->now[at] = value;
    allow(file, at, value);
}

static void model_write(struct model_file *file, int64_t from, const uint8_t *bytes, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        model_set(file, from + i, bytes != NULL ? bytes[i] : 0);
    if (from + size > file->size)
        file->size = from + size;
}

static void model_truncate(struct model_file *file, int64_t size)
{
    if (size < (file->cut >= 0 ? file->cut : file->synced_size)) {
        int64_t end = file->cut >= 0 ? file->cut : SIZE_LIMIT;
        memcpy(file->before_cut + size, file->may_be + size, (size_t)(end - size) * sizeof(file->may_be[0]));
        memset(file->may_be + size, 0, (size_t)(SIZE_LIMIT - size) * sizeof(file->may_be[0]));
        file->cut = size;
    }
    for (int64_t i = size; i < SIZE_LIMIT; i++)
        model_set(file, i, 0);
    file->size = size;
}

static void model_sync(struct model_file *file)
{
    memset(file->may_be, 0, sizeof(file->may_be));
    for (int64_t i = 0; i < SIZE_LIMIT; i++)
        allow(file, i, file->now[i]);
    file->synced_size = file->size;
    file->cut = -1;
}

static bool all_may_be(const uint64_t sets[][4], const uint8_t *content, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        if ((sets[i][content[i] / 64] >> content[i] % 64 & 1) == 0)
            return false;
    return true;
}

static void check_model(const struct model_file *file, const uint8_t *content, int64_t size)
{
    int64_t end = size;
    if (file->cut >= 0 && size == file->synced_size && all_may_be(file->before_cut, content, file->cut, size))
        end = file->cut;    /* it was not cut */
    else
        expect(size >= (file->cut >= 0 ? file->cut : file->synced_size) && size <= file->size, "a wrong size", size);
    expect(all_may_be(file->may_be, content, 0, end), "a byte that never was in a file of size", size);
}

static int64_t inode_of(const char *path)
{
    struct file_stamp stamp;
    return file_stamp(path, &stamp, NULL) == ZK_OK ? stamp.inode : 0;
}

static const char *path_of(int name)
{
    static char paths[2][10];
    static int next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof(paths[0]), "d/%c", 'a' + name);
    return path;
}

static struct model_file *model_of(int64_t inode, int *ret_index)
{
    for (int i = 0; i < file_count; i++) {
        if (model[i].inode != inode)
            continue;
        *ret_index = i;
        return &model[i];
    }
    return NULL;
}

/* A state of the names that follows the last one. */
static int64_t *next_state(void)
{
    ck_assert_int_lt(state_count, CHANGES);
    memcpy(states[state_count], states[state_count - 1], sizeof(states[0]));
    return states[state_count++];
}

/* The file of that name, made when there is none. */
static struct model_file *open_one(int name, struct file **ret_file)
{
    int64_t inode = states[state_count - 1][name];
    int index;
    if (inode == 0) {
        if (file_count == FILES)
            return NULL;
        index = file_count++;
        handles[index] = open_file(path_of(name), FILE_CREATE_NEW);
        memset(&model[index], 0, sizeof(model[index]));
        model[index].inode = inode_of(path_of(name));
        model_sync(&model[index]);
        next_state()[name] = model[index].inode;
    } else {
        ck_assert_ptr_nonnull(model_of(inode, &index));
        if (sim_one_in(10)) {
            must(file_close(handles[index], NULL));
            handles[index] = open_file(path_of(name), FILE_CREATE);
            model_truncate(&model[index], 0);
        }
    }
    *ret_file = handles[index];
    return &model[index];
}

static void change_file(int name)
{
    static uint8_t bytes[3000];
    struct file *file;
    struct model_file *its_model = open_one(name, &file);
    if (its_model == NULL)
        return;
    int64_t at = sim_one_in(2) ? its_model->size : sim_between(0, its_model->size);
    int64_t size = sim_between(1, sim_one_in(2) ? 100 : (int64_t)sizeof(bytes));
    if (at + size > SIZE_LIMIT)
        at = SIZE_LIMIT - size;
    uint8_t value = (uint8_t)sim_below(256);
    switch (sim_below(8)) {
    case 0:
        at = sim_one_in(2) ? at : sim_between(0, SIZE_LIMIT);
        must(file_truncate(file, at, NULL));
        model_truncate(its_model, at);
        break;
    case 1:
        must(file_fill_zeros(file, at, at + size, NULL));
        model_write(its_model, at, NULL, size);
        break;
    case 2:
        must(file_sync(file, NULL));
        model_sync(its_model);
        break;
    default:
        for (int64_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(value + i / 7);
        must(file_pwrite(file, bytes, (size_t)size, at, NULL));
        model_write(its_model, at, bytes, size);
    }
    size_t got;
    static uint8_t content[SIZE_LIMIT];
    must(file_pread(file, content, sizeof(content), 0, &got, NULL));
    ck_assert_int_eq((int64_t)got, its_model->size);
    ck_assert_mem_eq(content, its_model->now, got);
}

static void change_name(int name, int other)
{
    if (states[state_count - 1][name] == 0 || name == other)
        return;
    int64_t *state = next_state();
    if (sim_one_in(2)) {
        must(file_unlink(path_of(name), NULL));
    } else {
        must(file_rename(path_of(name), path_of(other), NULL));
        state[other] = state[name];
    }
    state[name] = 0;
}

static void random_program(void)
{
    int steps = (int)sim_between(1, 150);
    for (int i = 0; i < steps; i++) {
        int name = (int)sim_below(NAMES);
        switch (sim_below(12)) {
        case 0:
            must(directory_sync("d", NULL));
            memcpy(states[0], states[state_count - 1], sizeof(states[0]));
            state_count = 1;
            break;
        case 1: change_name(name, (int)sim_below(NAMES)); break;
        default: change_file(name);
        }
    }
    sim_doom(true);
}

static void check_file(int name, const struct model_file *file)
{
    static uint8_t content[SIZE_LIMIT];
    size_t got;
    struct file *opened = open_file(path_of(name), FILE_WRITE);
    must(file_pread(opened, content, sizeof(content), 0, &got, NULL));
    check_model(file, content, (int64_t)got);
    if ((int64_t)got == file->size && memcmp(content, file->now, got) == 0)
        kept++;
    else
        lost++;
    size_t size = got;    /* nothing is hidden behind the end */
    must(file_truncate(opened, SIZE_LIMIT, NULL));
    must(file_pread(opened, content, sizeof(content), 0, &got, NULL));
    must(file_close(opened, NULL));
    for (size_t i = size; i < SIZE_LIMIT; i++)
        expect(content[i] == 0, "something behind the end", (int64_t)i);
}

static void check_what_is_left(void)
{
    int64_t found[NAMES];
    for (int i = 0; i < NAMES; i++)
        found[i] = inode_of(path_of(i));
    int state = 0;
    while (state < state_count && memcmp(states[state], found, sizeof(found)) != 0)
        state++;
    ck_assert_msg(state < state_count, "the names are none that ever were");
    for (int name = 0; name < NAMES; name++) {
        int index;
        if (found[name] == 0)
            continue;
        const struct model_file *file = model_of(found[name], &index);
        ck_assert_ptr_nonnull(file);
        check_file(name, file);
    }
}

static void random_run(void)
{
    sim_disk_put(machine, "d/x", "", 0);
    file_count = 0;
    state_count = 1;
    memset(states[0], 0, sizeof(states[0]));
    run(random_program);
    run(check_what_is_left);
}

START_TEST(what_was_synced_is_there_in_every_run)
{
    lost = kept = 0;
    for (uint64_t seed = 1; seed <= 400; seed++)
        simulate(seed, random_run);
    ck_assert_int_gt(lost, 100);
    ck_assert_int_gt(kept, 100);
}
END_TEST

START_TEST(the_same_seed_makes_the_same_run)
{
    uint64_t hashes[21];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        simulate(seed, random_run);
        hashes[seed] = sim_trace_hash();
        ck_assert_uint_ne(hashes[seed], hashes[seed - 1]);
        simulate(seed, random_run);
        ck_assert_uint_eq(sim_trace_hash(), hashes[seed]);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sim_disk_power");
    TCase *tcase = tcase_create("power");
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
    tcase_add_test(tcase, a_whole_file_is_old_or_new);
    tcase_add_test(tcase, a_whole_file_that_cannot_be_written_leaves_the_old_one);
    tcase_add_test(tcase, a_program_dies_where_it_is_told);
    tcase_add_test(tcase, the_seed_may_end_a_program_at_any_change);
    tcase_add_test(tcase, what_was_synced_is_there_in_every_run);
    tcase_add_test(tcase, the_same_seed_makes_the_same_run);
    return suite;
}

CHECK_MAIN(make_suite)
