/* test_random.c - the kernel's randomness, the repeatable one, and Java's. */
#include "common/base/random.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

/* new Random(id ^ 0xB3415C00L).nextBytes(password), as JDK 17 does it. */
static const struct { uint64_t session_id; const char *password; } passwords[] = {
    { 0x0, "f22acd4a97e69d6d20a49bb638eadb38" },
    { 0x1, "054cc74a37327db215e702e20c73f005" },
    { 0xffffffffffffffff, "20f62cb5648dc2d771471c8a2486a9ee" },
    { 0x100000000000000, "f22acd4a97e69d6d20a49bb638eadb38" },
    { 0x10034e5a1c20000, "8ccf2e7a29580b9e4a2bd6f71a33ef9a" },
    { 0x8000000000000000, "f22acd4a97e69d6d20a49bb638eadb38" },
};
START_TEST(session_passwords_are_those_of_java)
{
    struct java_random random;
    uint8_t bytes[16];
    java_random_init(&random, (int64_t)(passwords[_i].session_id ^ 0xB3415C00));
    java_random_next_bytes(&random, bytes, sizeof(bytes));
    char *hex = hex_encode(bytes, sizeof(bytes));
    ck_assert_str_eq(hex, passwords[_i].password);
    memory_free(hex);
}
END_TEST

START_TEST(ints_are_those_of_java)
{
    struct java_random random;
    java_random_init(&random, 42);
    ck_assert_int_eq(java_random_next_int(&random), -1170105035);
    ck_assert_int_eq(java_random_next_int(&random), 234785527);
    ck_assert_int_eq(java_random_next_int(&random), -1360544799);
    uint8_t bytes[7];
    java_random_init(&random, 42);
    java_random_next_bytes(&random, bytes, sizeof(bytes));
    ck_assert_mem_eq(bytes, "\x35\x9d\x41\xba\xf7\x8a\xfe", 7);
}
END_TEST

START_TEST(two_draws_differ)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    ck_assert_mem_ne(a, b, sizeof(a));
    random_bytes(a, 0);
}
END_TEST

START_TEST(one_seed_gives_one_sequence)
{
    uint8_t a[13], b[13];
    random_seed(7);
    random_bytes(a, sizeof(a));
    uint64_t x = random_uint64();
    random_seed(7);
    random_bytes(b, sizeof(b));
    ck_assert_mem_eq(a, b, sizeof(a));
    ck_assert_uint_eq(random_uint64(), x);
    random_seed(8);
    ck_assert_uint_ne(random_uint64(), x);
}
END_TEST

START_TEST(below_reaches_every_value_and_no_other)
{
    int seen[5] = { 0 };
    random_seed(1);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_below(5);
        ck_assert_uint_lt(value, 5);
        seen[value]++;
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_gt(seen[i], 100);
    ck_assert_uint_eq(random_below(1), 0);
    ck_assert_uint_lt(random_below(UINT64_MAX), UINT64_MAX);
}
END_TEST

static Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("random");
    tcase_add_loop_test(tcase, session_passwords_are_those_of_java, 0, ARRAY_SIZE(passwords));
    tcase_add_test(tcase, ints_are_those_of_java);
    tcase_add_test(tcase, two_draws_differ);
    tcase_add_test(tcase, one_seed_gives_one_sequence);
    tcase_add_test(tcase, below_reaches_every_value_and_no_other);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(random_suite)
