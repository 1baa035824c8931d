/* test_hash_map.c - the intrusive hash table. */
#include "common/base/hash_map.h"

#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

struct entry {
    struct hash_link link;
    int64_t key;
    int seen;
};

static struct entry *find(struct hash_map *map, int64_t key, uint64_t hash)
{
    for (struct hash_link *link = hash_map_find(map, hash); link != NULL; link = hash_map_find_next(link)) {
        struct entry *entry = container_of(link, struct entry, link);
        if (entry->key == key)
            return entry;
    }
    return NULL;
}

START_TEST(a_zeroed_map_is_an_empty_one)
{
    struct hash_map map = { 0 };
    ck_assert_ptr_null(hash_map_find(&map, 1));
    ck_assert_ptr_null(hash_map_first(&map));
    hash_map_release(&map);
}
END_TEST

START_TEST(finds_what_is_in_it_and_nothing_else)
{
    enum { COUNT = 1000 };
    struct hash_map map = { 0 };
    struct entry *entries = MEMORY_NEW_ARRAY(COUNT, struct entry);
    for (int64_t i = 0; i < COUNT; i++) {
        entries[i].key = i;
        hash_map_insert(&map, &entries[i].link, hash_int64(i));
    }
    for (int64_t i = 0; i < COUNT; i += 2)
        hash_map_remove(&map, &entries[i].link);
    ck_assert_uint_eq(map.count, COUNT / 2);
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_ptr_eq(find(&map, i, hash_int64(i)), i % 2 == 0 ? NULL : &entries[i]);
    for (struct hash_link *link = hash_map_first(&map); link != NULL; link = hash_map_after(&map, link))
        container_of(link, struct entry, link)->seen++;
    for (int64_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(entries[i].seen, i % 2);
    hash_map_release(&map);
    ck_assert_uint_eq(map.count, 0);
    memory_free(entries);
}
END_TEST

START_TEST(entries_may_share_a_hash)
{
    struct hash_map map = { 0 };
    struct entry entries[100];
    for (int i = 0; i < 100; i++) {
        entries[i].key = i;
        hash_map_insert(&map, &entries[i].link, 42);
    }
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_eq(find(&map, i, 42), &entries[i]);
    ck_assert_ptr_null(find(&map, 0, 43));
    for (int i = 99; i >= 0; i--)
        hash_map_remove(&map, &entries[i].link);
    ck_assert_ptr_null(hash_map_find(&map, 42));
    hash_map_release(&map);
}
END_TEST

START_TEST(a_hash_may_be_made_in_steps)
{
    ck_assert_uint_eq(hash_bytes_continue(hash_bytes("/a", 2), "/b", 2), hash_string("/a/b"));
    ck_assert_uint_ne(hash_string("/a/b"), hash_string("/a/c"));
    ck_assert_uint_ne(hash_int64(0), hash_int64(1));
    ck_assert_uint_eq(hash_bytes("", 0), hash_string(""));
}
END_TEST

START_TEST(the_hash_of_a_whole_sees_every_byte_and_the_size)
{
    char bytes[40] = {0}, moved[sizeof(bytes) + 1];
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        uint64_t hash = hash_bytes_whole(7, bytes, size);
        ck_assert_uint_ne(hash_bytes_whole(8, bytes, size), hash);
        if (size > 0)
            ck_assert_uint_ne(hash_bytes_whole(7, bytes, size - 1), hash);
        memcpy(moved + 1, bytes, size);
        ck_assert_uint_eq(hash_bytes_whole(7, moved + 1, size), hash);
        for (size_t i = 0; i < size; i++) {
            bytes[i] ^= 1;
            ck_assert_msg(hash_bytes_whole(7, bytes, size) != hash, "byte %zu of %zu", i, size);
            bytes[i] ^= 1;
        }
    }
    ck_assert_uint_eq(hash_bytes_whole(7, NULL, 0), hash_bytes_whole(7, "", 0));
}
END_TEST

/* Names as clients count them fall into as many of 1,024 places as drawn lots would: 632 of 1,000, give or take. */
START_TEST(the_hash_of_a_whole_scatters_numbered_names)
{
    bool upper[1024] = {false}, lower[1024] = {false};
    int in_upper = 0, in_lower = 0;
    for (int i = 0; i < 1024; i++) {
        char name[32];
        int size = snprintf(name, sizeof(name), "/locks/lock-%010d", i);
        uint64_t hash = hash_bytes_whole(_i, name, (size_t)size);
        in_upper += !upper[hash >> 54], in_lower += !lower[hash & 1023];
        upper[hash >> 54] = lower[hash & 1023] = true;
    }
    ck_assert_msg(in_upper > 600 && in_lower > 600, "%d and %d", in_upper, in_lower);
}
END_TEST

static Suite *hash_map_suite(void)
{
    Suite *suite = suite_create("hash_map");
    TCase *tcase = tcase_create("hash_map");
    tcase_add_test(tcase, a_zeroed_map_is_an_empty_one);
    tcase_add_test(tcase, finds_what_is_in_it_and_nothing_else);
    tcase_add_test(tcase, entries_may_share_a_hash);
    tcase_add_test(tcase, a_hash_may_be_made_in_steps);
    tcase_add_test(tcase, the_hash_of_a_whole_sees_every_byte_and_the_size);
    tcase_add_loop_test(tcase, the_hash_of_a_whole_scatters_numbered_names, 0, 50);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(hash_map_suite)
