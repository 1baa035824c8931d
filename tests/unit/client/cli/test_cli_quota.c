/* The text of a quota and what it means. */
#include "client/cli/cli_quota.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct { const char *text, *printed; } quotas[] = {
    { "", "count=-1,bytes=-1" },
    { "count=5,bytes=7", "count=5,bytes=7" },
    { "count=5,bytes=-1=;byteHardLimit=9;countHardLimit=-1", "count=5,bytes=-1=;byteHardLimit=9;countHardLimit=-1" },
    { "countHardLimit=3;count=1", "count=1,bytes=-1=;countHardLimit=3" },
    { "bytes=,count=2", "count=2,bytes=-1" },
    { "future=1;count=2,bytes=3", "count=2,bytes=3" },
    { "count", NULL },
    { "count=many", NULL },
};

START_TEST(quotas_are_read_and_printed)
{
    struct quota quota;
    struct buffer printed = {0};
    struct error error = {0};
    int err = quota_parse(quotas[_i].text, strlen(quotas[_i].text), &quota, &error);
    ck_assert_int_eq(err, quotas[_i].printed == NULL ? ZK_BAD_ARGUMENTS : ZK_OK);
    if (err != ZK_OK)
        return;
    quota_print(&quota, &printed);
    ck_assert_str_eq(buffer_string(&printed), quotas[_i].printed);
    buffer_release(&printed);
}
END_TEST

static const struct { const char *limits, *usage; bool count, bytes; } usages[] = {
    { "count=5,bytes=-1", "count=5,bytes=100", false, false },
    { "count=5,bytes=-1", "count=6,bytes=100", true, false },
    { "count=-1,bytes=0", "count=6,bytes=1", false, true },
    { "count=-1,bytes=-1=;countHardLimit=2", "count=3,bytes=1", true, false },
    { "count=-1,bytes=9=;byteHardLimit=2", "count=3,bytes=3", false, true },
};

START_TEST(soft_and_hard_limits_warn)
{
    struct quota limits, usage;
    quota_parse(usages[_i].limits, strlen(usages[_i].limits), &limits, NULL);
    quota_parse(usages[_i].usage, strlen(usages[_i].usage), &usage, NULL);
    ck_assert_int_eq(quota_is_exceeded(&limits, &usage, QUOTA_COUNT), usages[_i].count);
    ck_assert_int_eq(quota_is_exceeded(&limits, &usage, QUOTA_BYTES), usages[_i].bytes);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_quota");
    TCase *tcase = tcase_create("cli_quota");
    tcase_add_loop_test(tcase, quotas_are_read_and_printed, 0, ARRAY_SIZE(quotas));
    tcase_add_loop_test(tcase, soft_and_hard_limits_warn, 0, ARRAY_SIZE(usages));
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
