/* The cache of answers: what is a hit and what a miss, who goes first, and that an answer is the same in any case. */
#include "server/request/response_cache.h"

#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "server/request/read_ops.h"
#include "tests/unit/server/cnxn/cnxn_test.h"
#include "tests/unit/server/request/core_test.h"

enum { BIG = 1024, STAT_SIZE = 68 };

static struct response_cache *cache;
static struct buffer out;

static struct response_cache *cache_of(int64_t size)
{
    return response_cache_new("getData", size, core.metrics, METRIC_RESPONSE_PACKET_CACHE_HITS,
                              METRIC_RESPONSE_PACKET_CACHE_MISSING);
}

static void set_up(void)
{
    core_set_up();
    cache = cache_of(400);
}

static void tear_down(void)
{
    response_cache_free(cache);
    buffer_release(&out);
    core_tear_down();
}

static void use_size(int64_t size)
{
    response_cache_free(cache);
    cache = cache_of(size);
}

static int64_t hits(void)
{
    return server_metrics_value(core.metrics, METRIC_RESPONSE_PACKET_CACHE_HITS);
}

static int64_t misses(void)
{
    return server_metrics_value(core.metrics, METRIC_RESPONSE_PACKET_CACHE_MISSING);
}

static struct zk_stat stat_of(int64_t mzxid)
{
    return (struct zk_stat){.czxid = 1, .mzxid = mzxid, .ctime = 2, .mtime = 3, .version = 4, .cversion = 5,
                            .aversion = 6, .ephemeral_owner = 7, .data_length = 8, .num_children = 9, .pzxid = 10};
}

/* Asks, checks the bytes, and says whether it was a hit. */
static bool is_hit(const char *path, const struct zk_stat *stat)
{
    struct buffer plain = {0};
    int64_t before = hits();
    buffer_clear(&out);
    response_cache_write_stat(cache, ustring_of(path), stat, &out);
    jute_write_zk_stat(&plain, stat);
    ck_assert_uint_eq(out.size, STAT_SIZE);
    ck_assert_mem_eq(out.bytes, plain.bytes, STAT_SIZE);
    buffer_release(&plain);
    return hits() > before;
}

static bool is_hit_at(const char *path, int64_t mzxid)
{
    struct zk_stat stat = stat_of(mzxid);
    return is_hit(path, &stat);
}

START_TEST(the_second_answer_about_a_node_is_a_hit)
{
    ck_assert(!is_hit_at("/a", 1));
    ck_assert(is_hit_at("/a", 1));
    ck_assert(!is_hit_at("/b", 1));
    ck_assert(!is_hit_at("", 1));
    ck_assert(is_hit_at("", 1));
    ck_assert_int_eq(hits(), 2);
    ck_assert_int_eq(misses(), 3);
}
END_TEST

/* One of each field. */
static void change(struct zk_stat *stat, int field)
{
    int64_t *const longs[] = {&stat->czxid, &stat->mzxid, &stat->ctime, &stat->mtime, &stat->ephemeral_owner,
                              &stat->pzxid};
    int32_t *const ints[] = {&stat->version, &stat->cversion, &stat->aversion, &stat->data_length, &stat->num_children};
    if (field < (int)ARRAY_SIZE(longs))
        ++*longs[field];
    else
        ++*ints[field - (int)ARRAY_SIZE(longs)];
}
START_TEST(a_change_of_the_stat_is_a_miss)
{
    struct zk_stat stat = stat_of(1);
    is_hit("/a", &stat);
    change(&stat, _i);
    ck_assert(!is_hit("/a", &stat));
    ck_assert(is_hit("/a", &stat));
    ck_assert(!is_hit_at("/a", 1));
}
END_TEST

START_TEST(the_least_used_goes_first)
{
    use_size(4);    /* three entries, as in Java */
    is_hit_at("/a", 1);
    is_hit_at("/b", 1);
    is_hit_at("/c", 1);
    ck_assert(is_hit_at("/a", 1));
    is_hit_at("/d", 1);    /* in the place of /b */
    ck_assert(is_hit_at("/c", 1));
    ck_assert(is_hit_at("/a", 1));
    ck_assert(is_hit_at("/d", 1));
    ck_assert(!is_hit_at("/b", 1));
}
END_TEST

START_TEST(a_cache_of_none_or_one_keeps_nothing)
{
    use_size(_i);
    ck_assert(!is_hit_at("/a", 1));
    ck_assert(!is_hit_at("/a", 1));
    ck_assert_int_eq(misses(), 2);
}
END_TEST

START_TEST(counts_of_a_quota_are_not_kept)
{
    ck_assert(!is_hit_at("/zookeeper/quota/a/zookeeper_stats", 1));
    ck_assert(!is_hit_at("/zookeeper/quota/a/zookeeper_stats", 1));
    ck_assert_int_eq(misses(), 0);
    is_hit_at("/zookeeper_stat", 1);
    ck_assert_int_eq(misses(), 1);
}
END_TEST

START_TEST(without_a_cache_the_stat_is_written)
{
    use_size(400);
    struct response_cache *kept = cache;
    cache = NULL;
    ck_assert(!is_hit_at("/a", 1));
    ck_assert_int_eq(misses(), 0);
    cache = kept;
}
END_TEST

START_TEST(it_stays_within_its_size)
{
    use_size(10);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            char path[32];
            snprintf(path, sizeof(path), "/node-%d", i);
            ck_assert(!is_hit_at(path, 1));
        }
    }
    for (int i = 991; i < 1000; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/node-%d", i);
        ck_assert(is_hit_at(path, 1));
    }
}
END_TEST

static void read_much(void *arg)
{
    struct buffer mine = {0};
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        char path[32];
        struct zk_stat stat = stat_of(i % 3);
        snprintf(path, sizeof(path), "/node-%d", i % 7);
        buffer_clear(&mine);
        response_cache_write_stat(cache, ustring_of(path), &stat, &mine);
    }
    buffer_release(&mine);
}
START_TEST(several_threads_may_ask)
{
    use_size(5);
    struct thread *threads[2];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        threads[i] = thread_start("reader", read_much, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        thread_join(threads[i]);
    ck_assert_int_eq(hits() + misses(), 40000);
}
END_TEST

/* ---- in the answers of reads ---- */

static struct raw_client client;
static struct server_cnxn *cnxn;

static void set_up_reads(void)
{
    set_up();
    cnxn_set_up();
    cnxn_start(0);
    raw_client_init(&client);
    cnxn_join(&client);
    cnxn = cnxn_only();
    server_cnxn_set_session_id(cnxn, CORE_SESSION);
    core.data_responses = cache;
    char big[BIG + 1];
    memset(big, 'x', BIG);
    big[BIG] = '\0';
    core_make("/big", big, NULL, 0);
    core_make("/big/child", "", NULL, 0);
    core_make("/secret", big, core_acl(PERM_WRITE), 0);
    big[BIG - 1] = '\0';
    core_make("/small", big, NULL, 0);
}

static void tear_down_reads(void)
{
    core.data_responses = core.children_responses = NULL;
    server_cnxn_unref(cnxn);
    raw_client_release(&client);
    cnxn_tear_down();
    tear_down();
}

static int run(int32_t type, const char *path)
{
    struct buffer record = {0};
    struct reply reply = {0};
    jute_write_string(&record, path);
    jute_write_boolean(&record, false);
    struct request *request = core_request_from(cnxn, 1, type, &record);
    int err = read_op_find(type)->run(&core, request, &reply);
    reply_release(&reply);
    buffer_release(&record);
    request_unref(request);
    return err;
}

START_TEST(reads_of_much_data_ask)
{
    ck_assert_int_eq(run(OP_GET_DATA, "/big"), ZK_OK);
    ck_assert_int_eq(run(OP_GET_DATA, "/big"), ZK_OK);
    ck_assert_int_eq(hits(), 1);
    ck_assert_int_eq(misses(), 1);
    ck_assert_int_eq(run(OP_GET_DATA, "/small"), ZK_OK);
    ck_assert_int_eq(run(OP_EXISTS, "/big"), ZK_OK);
    ck_assert_int_eq(run(OP_GET_DATA, "/none"), ZK_NO_NODE);
    ck_assert_int_eq(hits() + misses(), 2);
}
END_TEST

START_TEST(reads_of_children_with_the_stat_ask)
{
    core.data_responses = NULL;
    core.children_responses = cache;
    ck_assert_int_eq(run(OP_GET_CHILDREN2, "/big"), ZK_OK);
    ck_assert_int_eq(run(OP_GET_CHILDREN2, "/big"), ZK_OK);
    ck_assert_int_eq(hits(), 1);
    core_make("/big/other", "", NULL, 0);
    ck_assert_int_eq(run(OP_GET_CHILDREN2, "/big"), ZK_OK);
    ck_assert_int_eq(run(OP_GET_CHILDREN, "/big"), ZK_OK);
    ck_assert_int_eq(hits(), 1);
    ck_assert_int_eq(misses(), 2);
}
END_TEST

START_TEST(who_may_not_read_is_not_answered_from_it)
{
    struct zk_stat stat = core_stat("/secret");
    is_hit("/secret", &stat);
    ck_assert(is_hit("/secret", &stat));
    ck_assert_int_eq(run(OP_GET_DATA, "/secret"), ZK_NO_AUTH);
    ck_assert_int_eq(hits(), 1);
    ck_assert_int_eq(misses(), 1);
}
END_TEST

static Suite *response_cache_suite(void)
{
    Suite *suite = suite_create("response_cache");
    TCase *alone = tcase_create("alone"), *reads = tcase_create("reads");
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(alone, set_up, tear_down);
    tcase_add_test(alone, the_second_answer_about_a_node_is_a_hit);
    tcase_add_loop_test(alone, a_change_of_the_stat_is_a_miss, 0, 11);
    tcase_add_test(alone, the_least_used_goes_first);
    tcase_add_loop_test(alone, a_cache_of_none_or_one_keeps_nothing, 0, 2);
    tcase_add_test(alone, counts_of_a_quota_are_not_kept);
    tcase_add_test(alone, without_a_cache_the_stat_is_written);
    tcase_add_test(alone, it_stays_within_its_size);
    tcase_add_test(alone, several_threads_may_ask);
    suite_add_tcase(suite, reads);
    tcase_add_checked_fixture(reads, set_up_reads, tear_down_reads);
    tcase_add_test(reads, reads_of_much_data_ask);
    tcase_add_test(reads, reads_of_children_with_the_stat_ask);
    tcase_add_test(reads, who_may_not_read_is_not_answered_from_it);
    return suite;
}

CHECK_MAIN(response_cache_suite)
