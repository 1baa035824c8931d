/* test_memory.c - an allocator that never returns NULL. */
#include "common/base/memory.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/lib/check_main.h"

START_TEST(no_size_at_all_gives_a_pointer)
{
    void *a = memory_alloc(0), *b = memory_alloc_zero(0, 8), *c = memory_realloc(NULL, 0), *d = memory_copy(NULL, 0);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_nonnull(c);
    ck_assert_ptr_nonnull(d);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(d);
    memory_free(NULL);
    memory_free_secret(NULL, 0);
}
END_TEST

START_TEST(new_structs_are_zero)
{
    struct pair { int64_t a, b; } zero = { 0, 0 };
    struct pair *pairs = MEMORY_NEW_ARRAY(100, struct pair);
    for (int i = 0; i < 100; i++)
        ck_assert_mem_eq(&pairs[i], &zero, sizeof(zero));
    memory_free(pairs);
}
END_TEST

START_TEST(copies_and_grows)
{
    char *text = memory_copy("hello", 6);
    text = memory_realloc(text, 100000);
    ck_assert_str_eq(text, "hello");
    memory_free_secret(text, 100000);
}
END_TEST

START_TEST(no_memory_ends_the_process)    /* SIGABRT */
{
    volatile size_t count = SIZE_MAX / 2;    /* count * 16 is more than a size_t holds */
    void *memory = memory_alloc_zero(count, 16);
    memory_free(memory);
}
END_TEST

START_TEST(a_container_is_found_from_its_member)
{
    struct outer { int a; struct inner { int b; } inner; } outer;
    struct inner *inner = &outer.inner;
    ck_assert_ptr_eq(container_of(inner, struct outer, inner), &outer);
}
END_TEST

/* Sanitizers bring an allocator of their own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_ALLOCATOR_OF_GLIBC 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef HAS_ALLOCATOR_OF_GLIBC
#endif
#endif

#ifdef HAS_ALLOCATOR_OF_GLIBC
static void use_and_free(size_t count)
{
    static void *blocks[512];
    for (size_t i = 0; i < count; i++) {
        blocks[i] = memory_alloc(4000);
        memset(blocks[i], 1, 4000);
    }
    for (size_t i = 0; i < count; i++)
        memory_free(blocks[i]);
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}
#endif

START_TEST(what_was_freed_is_there_for_what_comes_next)
{
#ifdef HAS_ALLOCATOR_OF_GLIBC
    memory_keep_freed();
    use_and_free(512);
    long before = faults();
    for (int i = 0; i < 20; i++)
        use_and_free(512);
    ck_assert_int_lt(faults() - before, 512);
#endif
}
END_TEST

static Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    tcase_add_test(tcase, no_size_at_all_gives_a_pointer);
    tcase_add_test(tcase, new_structs_are_zero);
    tcase_add_test(tcase, copies_and_grows);
    tcase_add_test_raise_signal(tcase, no_memory_ends_the_process, SIGABRT);
    tcase_add_test(tcase, what_was_freed_is_there_for_what_comes_next);
    tcase_add_test(tcase, a_container_is_found_from_its_member);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(memory_suite)
