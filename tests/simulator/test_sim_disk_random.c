/*
 * test_sim_disk_random.c - random programs on a simulated disk keep a model of what may be left of their files and
 * names; after a loss of power at a random call the disk must fit it.
 */
#include "tests/simulator/test_sim_disk.h"

#include <stdio.h>

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
    Suite *suite = suite_create("sim_disk_random");
    TCase *tcase = tcase_create("sim_disk_random");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_was_synced_is_there_in_every_run);
    tcase_add_test(tcase, the_same_seed_makes_the_same_run);
    return suite;
}

CHECK_MAIN(make_suite)
