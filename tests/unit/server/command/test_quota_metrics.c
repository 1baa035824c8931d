/* Quotas by namespace, as mntr shows them. The order is that of the lines of a Java 3.8.0 with the same nodes. */
#include "server/command/quota_metrics.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static struct data_tree *tree;
static struct server_metrics *metrics;
static int64_t zxid;

static void set_up(void)
{
    static const struct data_tree_options options = {{true, false}, true};
    metrics = server_metrics_new();
    tree = data_tree_new(&options, metrics);
    zxid = 0;
}

static void tear_down(void)
{
    data_tree_free(tree);
    server_metrics_free(metrics);
}

static void create(const char *path, const char *data)
{
    struct txn_header header = {.zxid = ++zxid, .type = OP_CREATE};
    struct txn_body body = {.is_present = true};
    body.record.create = (struct create_txn){
        .path = ustring_of(path),
        .data = {(const uint8_t *)data, data == NULL ? -1 : (int32_t)strlen(data)},
        .acl = acl_open_unsafe,
        .parent_c_version = -1,
    };
    struct arena arena;
    struct process_txn_result result;
    arena_init(&arena, NULL, 0);
    data_tree_process_txn(tree, &header, &body, NULL, &arena, &result);
    ck_assert_int_eq(result.err, ZK_OK);
    arena_release(&arena);
}

static void print_row(void *context, const char *name, int64_t value)
{
    buffer_printf(context, "%s %" PRId64 "\n", name, value);
}

static void assert_rows(const char *expected)
{
    struct buffer out = {0};
    quota_metrics_list(tree, print_row, &out);
    ck_assert_str_eq(buffer_string(&out), expected);
    buffer_release(&out);
}

START_TEST(a_tree_without_quotas_has_no_rows)
{
    assert_rows("");
}
END_TEST

START_TEST(rows_stand_in_javas_order)
{
    create("/app", "x");    /* making the nodes of a quota counts what is there */
    create("/app/1", "");
    create("/app/2", NULL);
    create("/b", "yz");
    create("/zookeeper/quota/app", "");
    create("/zookeeper/quota/app/zookeeper_limits", "count=5,bytes=100");
    create("/zookeeper/quota/app/zookeeper_stats", "count=0,bytes=0");
    create("/zookeeper/quota/b", "");
    create("/zookeeper/quota/b/zookeeper_limits", "count=7,bytes=-1=;byteHardLimit=-1;countHardLimit=9");
    create("/zookeeper/quota/b/zookeeper_stats", "count=0,bytes=0");
    assert_rows("app_quota_bytes_limit_per_namespace 100\n"
                "b_quota_bytes_limit_per_namespace -1\n"
                "app_quota_count_usage_per_namespace 3\n"
                "b_quota_count_usage_per_namespace 1\n"
                "app_quota_count_limit_per_namespace 5\n"
                "b_quota_count_limit_per_namespace 9\n"
                "app_quota_bytes_usage_per_namespace 1\n"
                "b_quota_bytes_usage_per_namespace 2\n");
}
END_TEST

START_TEST(quotas_of_one_namespace_add_up)
{
    create("/zookeeper/quota/a", "");
    create("/zookeeper/quota/a/b", "");
    create("/zookeeper/quota/a/b/zookeeper_limits", "count=5,bytes=100");
    create("/zookeeper/quota/a/c", "");
    create("/zookeeper/quota/a/c/zookeeper_limits", "count=6,bytes=1000");
    assert_rows("a_quota_bytes_limit_per_namespace 1100\n"
                "a_quota_count_limit_per_namespace 11\n");
}
END_TEST

START_TEST(what_is_no_quota_is_left_out)
{
    create("/zookeeper/quota/a", "");
    create("/zookeeper/quota/a/zookeeper_limits", "who knows");
    create("/zookeeper/quota/b", "");
    create("/zookeeper/quota/b/zookeeper_limits", NULL);
    create("/zookeeper/quota/c", "");
    create("/zookeeper/quota/c/zookeeper_limits", "count=5,bytes=100");
    create("/zookeeper/quota/c/zookeeper_limits/child", "");    /* no leaf any more */
    create("/zookeeper/quota/d", "count=5,bytes=100");
    assert_rows("");
}
END_TEST

static void fail_on_read(void *context, const char *name, const char *text)
{
    (void)context;
    ck_assert_msg(strstr(name, "_read_per_namespace") == NULL, "%s is %s", name, text);
}

START_TEST(asking_is_no_read)
{
    create("/zookeeper/quota/a", "");
    create("/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=100");
    assert_rows("a_quota_bytes_limit_per_namespace 100\n"
                "a_quota_count_limit_per_namespace 5\n");
    server_metrics_dump(metrics, fail_on_read, NULL);
}
END_TEST

static Suite *quota_metrics_suite(void)
{
    Suite *suite = suite_create("quota_metrics");
    TCase *tcase = tcase_create("quota_metrics");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_tree_without_quotas_has_no_rows);
    tcase_add_test(tcase, rows_stand_in_javas_order);
    tcase_add_test(tcase, quotas_of_one_namespace_add_up);
    tcase_add_test(tcase, what_is_no_quota_is_left_out);
    tcase_add_test(tcase, asking_is_no_read);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(quota_metrics_suite)
