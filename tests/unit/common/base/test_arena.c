/* test_arena.c - memory that goes all at once. */
#include "common/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/check_main.h"

START_TEST(a_zeroed_arena_is_an_empty_one)
{
    struct arena arena = { 0 };
    char *text = arena_string(&arena, "abc", 2);
    ck_assert_str_eq(text, "ab");
    arena_release(&arena);
    arena_release(&arena);
}
END_TEST

START_TEST(pieces_are_aligned_and_do_not_overlap)
{
    struct arena arena = { 0 };
    uint8_t *pieces[500];
    for (size_t i = 0; i < 500; i++) {
        size_t size = i * 7 % 900;
        pieces[i] = arena_alloc(&arena, size);
        ck_assert_uint_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)(i & 0xff), size);
        if (i % 3 == 0)
            arena_string(&arena, "xyz", 3);
    }
    size_t overwritten = 0;
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < i * 7 % 900; j++)
            overwritten += pieces[i][j] != (i & 0xff);
    }
    ck_assert_uint_eq(overwritten, 0);
    arena_release(&arena);
}
END_TEST

START_TEST(the_first_memory_is_used_before_any_is_allocated)
{
    alignas(max_align_t) char first[64];
    struct arena arena;
    arena_init(&arena, first, sizeof(first));
    ck_assert_ptr_eq(arena_alloc(&arena, 32), first);
    ck_assert_ptr_eq(arena_alloc(&arena, 32), first + 32);
    ck_assert_ptr_null(arena.chunks);
    char *next = arena_alloc(&arena, 1);
    ck_assert(next < first || next >= first + sizeof(first));
    arena_release(&arena);
}
END_TEST

START_TEST(a_large_piece_leaves_the_rest_of_the_chunk)
{
    struct arena arena = { 0 };
    char *a = arena_alloc(&arena, 16);
    char *large = arena_alloc(&arena, 1 << 20);
    memset(large, 1, 1 << 20);
    char *b = arena_alloc(&arena, 16);
    ck_assert_ptr_eq(b, a + 16);
    arena_release(&arena);
}
END_TEST

START_TEST(copies)
{
    struct arena arena = { 0 };
    ck_assert_mem_eq(arena_copy(&arena, "a\0b", 3), "a\0b", 3);
    ck_assert_ptr_nonnull(arena_copy(&arena, NULL, 0));
    ck_assert_str_eq(arena_string(&arena, NULL, 0), "");
    arena_release(&arena);
}
END_TEST

static Suite *arena_suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *tcase = tcase_create("arena");
    tcase_add_test(tcase, a_zeroed_arena_is_an_empty_one);
    tcase_add_test(tcase, pieces_are_aligned_and_do_not_overlap);
    tcase_add_test(tcase, the_first_memory_is_used_before_any_is_allocated);
    tcase_add_test(tcase, a_large_piece_leaves_the_rest_of_the_chunk);
    tcase_add_test(tcase, copies);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(arena_suite)
