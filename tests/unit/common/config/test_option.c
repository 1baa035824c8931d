/* test_option.c - one row of each unit: what it accepts, what it says about the rest, how it prints. */
#include "common/config/option.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

struct sample {
    int64_t tick, port, ratio_neighbour;
    double ratio;
    bool is_on, is_forced;
    char *name, *password;
};

#define OPTION(field, ...) OPTION_ROW(struct sample, field, __VA_ARGS__)
static const struct option table[] = {
    OPTION(tick, "tickTime", NULL, MS, "3000", 1, INT32_MAX, AT_START, SERVED, "")
    OPTION(port, "clientPort", NULL, PORT, "-1", 0, 65535, AT_START, SERVED, "")
    OPTION(ratio, "ratio", "zookeeper.ratio", RATIO, "0.33", 0, 1, AT_RELOAD, SERVED, "")
    OPTION(is_on, "isOn", NULL, BOOL, "true", 0, 1, AT_START, NOT_YET("half of it"), "")
    OPTION(is_forced, "force", NULL, YES_NO, "no", 0, 1, AT_START, SERVED, "")
    OPTION(name, "name", "zookeeper.name", STRING, NULL, 0, 0, AT_START, SERVED, "")
    OPTION(password, NULL, "zookeeper.password", SECRET, NULL, 0, 0, AT_START, SERVED, "")
};
#undef OPTION
enum { TICK, PORT, RATIO, IS_ON, FORCE, NAME, PASSWORD };

static struct sample sample;

static void set_up(void)
{
    memset(&sample, 0, sizeof(sample));
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        option_set_default(&table[i], &sample);
}

static void tear_down(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        option_release(&table[i], &sample);
}

static void assert_prints(const struct option *option, const char *expected)
{
    struct buffer out = {0};
    option_print(option, &sample, &out);
    ck_assert_str_eq(buffer_string(&out), expected);
    buffer_release(&out);
}

START_TEST(defaults_may_lie_outside_the_range)
{
    ck_assert_int_eq(sample.tick, 3000);
    ck_assert_int_eq(sample.port, -1);
    ck_assert(sample.ratio == 0.33);
    ck_assert(sample.is_on && !sample.is_forced);
    ck_assert_ptr_null(sample.name);
}
END_TEST

static const struct {
    int row;
    const char *text, *printed, *sentence;    /* printed NULL: refused, with the sentence */
} values[] = {
    {TICK, "2000", "2000", NULL},
    {TICK, "+1", "1", NULL},
    {TICK, "0x10", "16", NULL},
    {TICK, "2147483647", "2147483647", NULL},
    {TICK, "abc", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "0", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "-1", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "2147483648", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "99999999999999999999", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "2000ms", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "1e3", NULL, "must be a number of ms from 1 to 2147483647"},
    {TICK, "0x-1", NULL, "must be a number of ms from 1 to 2147483647"},
    {PORT, "65536", NULL, "must be a number from 0 to 65535"},
    {PORT, "0", "0", NULL},
    {RATIO, "0.5", "0.5", NULL},
    {RATIO, "1", "1", NULL},
    {RATIO, "1e-3", "0.001", NULL},
    {RATIO, "nan", NULL, "must be a number from 0 to 1"},
    {RATIO, "inf", NULL, "must be a number from 0 to 1"},
    {RATIO, "0x1p-1", NULL, "must be a number from 0 to 1"},
    {RATIO, "1.5", NULL, "must be a number from 0 to 1"},
    {RATIO, "-", NULL, "must be a number from 0 to 1"},
    {IS_ON, "FALSE", "false", NULL},
    {IS_ON, "True", "true", NULL},
    {IS_ON, "yes", NULL, "must be true or false"},
    {IS_ON, "1", NULL, "must be true or false"},
    {FORCE, "YES", "yes", NULL},
    {FORCE, "true", NULL, "must be yes or no"},
    {NAME, "", "", NULL},
    {NAME, "some name", "some name", NULL},
    {PASSWORD, "secret", "***", NULL},
};
START_TEST(a_value_is_taken_or_refused_with_what_is_permitted)
{
    const struct option *option = &table[values[_i].row];
    struct error error = {0};
    struct buffer before = {0};
    option_print(option, &sample, &before);
    int err = option_set(option, &sample, values[_i].text, &error);
    if (values[_i].printed != NULL) {
        ck_assert_msg(err == ZK_OK, "%s: %s", values[_i].text, error.text);
        assert_prints(option, values[_i].printed);
    } else {
        ck_assert_msg(err == ZK_BAD_CONFIG, "%s was taken", values[_i].text);
        ck_assert_str_eq(error.text, values[_i].sentence);
        assert_prints(option, buffer_string(&before));
    }
    buffer_release(&before);
}
END_TEST

START_TEST(values_are_compared_by_content)
{
    struct sample other = {0};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        option_set_default(&table[i], &other);
        ck_assert(option_equal(&table[i], &sample, &other));
    }
    ck_assert_int_eq(option_set(&table[NAME], &other, "a", NULL), ZK_OK);
    ck_assert(!option_equal(&table[NAME], &sample, &other));
    ck_assert_int_eq(option_set(&table[NAME], &sample, "a", NULL), ZK_OK);
    ck_assert(option_equal(&table[NAME], &sample, &other));
    ck_assert_int_eq(option_set(&table[RATIO], &other, "0.34", NULL), ZK_OK);
    ck_assert(!option_equal(&table[RATIO], &sample, &other));
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        option_release(&table[i], &other);
}
END_TEST

START_TEST(rows_are_found_by_key_and_property)
{
    ck_assert_ptr_eq(option_find_key(table, ARRAY_SIZE(table), "name"), &table[NAME]);
    ck_assert_ptr_eq(option_find_property(table, ARRAY_SIZE(table), "zookeeper.password"), &table[PASSWORD]);
    ck_assert_ptr_null(option_find_key(table, ARRAY_SIZE(table), "zookeeper.name"));
    ck_assert_ptr_null(option_find_property(table, ARRAY_SIZE(table), "tickTime"));
}
END_TEST

static Suite *option_suite(void)
{
    Suite *suite = suite_create("option");
    TCase *tcase = tcase_create("option");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, defaults_may_lie_outside_the_range);
    tcase_add_loop_test(tcase, a_value_is_taken_or_refused_with_what_is_permitted, 0, (int)ARRAY_SIZE(values));
    tcase_add_test(tcase, values_are_compared_by_content);
    tcase_add_test(tcase, rows_are_found_by_key_and_property);
    return suite;
}

CHECK_MAIN(option_suite)
