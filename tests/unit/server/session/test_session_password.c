/* Passwords of sessions, byte for byte those of java.util.Random(id ^ 0xB3415C00). */
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/session/session_tracker.h"
#include "tests/lib/check_main.h"

static const struct {
    int64_t id;
    const char *hex;
} passwords[] = {    /* as a Java 17 gives them */
    {INT64_C(0x1000abcdef0000), "6392a56db477dd0a797bc8b31d917902"},
    {1, "054cc74a37327db215e702e20c73f005"},
    {-1, "20f62cb5648dc2d771471c8a2486a9ee"},
    {INT64_C(0x100000000000001), "054cc74a37327db215e702e20c73f005"},    /* only 48 bits count */
};
START_TEST(password_is_that_of_java)
{
    uint8_t password[16];
    session_password(passwords[_i].id, password);
    char *hex = hex_encode(password, sizeof(password));
    ck_assert_str_eq(hex, passwords[_i].hex);
    memory_free(hex);
    ck_assert(session_password_is_valid(passwords[_i].id, password, 16));
}
END_TEST

START_TEST(any_other_password_is_refused)
{
    uint8_t password[17] = {0};
    session_password(0, password);
    ck_assert_msg(!session_password_is_valid(0, password, 16), "no session has the id 0");
    session_password(7, password);
    ck_assert_msg(!session_password_is_valid(8, password, 16), "that of another session");
    ck_assert_msg(!session_password_is_valid(7, password, 15), "one that is too short");
    ck_assert_msg(!session_password_is_valid(7, password, 17), "one that is too long");
    ck_assert_msg(!session_password_is_valid(7, NULL, -1), "null");
    for (int bit = 0; bit < 128; bit++) {
        password[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!session_password_is_valid(7, password, 16), "bit %d differs", bit);
        password[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

static Suite *session_password_suite(void)
{
    Suite *suite = suite_create("session_password");
    TCase *tcase = tcase_create("session_password");
    tcase_add_loop_test(tcase, password_is_that_of_java, 0, ARRAY_SIZE(passwords));
    tcase_add_test(tcase, any_other_password_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(session_password_suite)
