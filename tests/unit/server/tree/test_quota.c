/* test_quota.c - names and text of quota nodes, and the trie. */
#include "server/tree/quota.h"

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct {
    const char *text;
    bool is_legible;
    struct stats_track track;
} texts[] = {
    {"", true, {-1, -1, -1, -1}},
    {"count=5,bytes=10", true, {5, 10, -1, -1}},
    {"count=5,bytes=10=;byteHardLimit=3;countHardLimit=4", true, {5, 10, 4, 3}},
    {"bytes=7", true, {-1, 7, -1, -1}},
    {"count=1,,;;bytes=2;;", true, {1, 2, -1, -1}},
    {"count==5", true, {-1, -1, -1, -1}},
    {"count=+3,bytes=-4", true, {3, -4, -1, -1}},
    {"count=1,count=2", true, {2, -1, -1, -1}},
    {"other=1", true, {-1, -1, -1, -1}},
    {"=1", true, {-1, -1, -1, -1}},
    {",", true, {-1, -1, -1, -1}},
    {",count=1", false, {0}},
    {"count=", false, {0}},
    {"count", false, {0}},
    {"count=x", false, {0}},
    {"count= 1", false, {0}},
    {"count=99999999999999999999", false, {0}},
    {"=", false, {0}},
};

START_TEST(statistics_are_read_as_java_reads_them)
{
    struct stats_track track;
    bool is_legible = stats_track_parse((const uint8_t *)texts[_i].text, strlen(texts[_i].text), &track);
    ck_assert_msg(is_legible == texts[_i].is_legible, "\"%s\"", texts[_i].text);
    if (is_legible)
        ck_assert_msg(memcmp(&track, &texts[_i].track, sizeof(track)) == 0, "\"%s\"", texts[_i].text);
}
END_TEST

START_TEST(statistics_are_written_as_java_writes_them)
{
    static const struct {
        struct stats_track track;
        const char *text;
    } printed[] = {
        {{4, 5, -1, -1}, "count=4,bytes=5"},
        {{-1, -1, -1, -1}, "count=-1,bytes=-1"},
        {{4, 5, 10, 11}, "count=4,bytes=5=;byteHardLimit=11;countHardLimit=10"},
        {{4, 5, 10, -1}, "count=4,bytes=5=;countHardLimit=10"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(printed); i++) {
        struct buffer out = {0};
        stats_track_print(&printed[i].track, &out);
        ck_assert_str_eq(buffer_string(&out), printed[i].text);
        buffer_release(&out);
    }
}
END_TEST

START_TEST(quota_paths)
{
    struct buffer out = {0};
    quota_limit_path(ustring_of("/a/b"), &out);
    ck_assert_str_eq(buffer_string(&out), "/zookeeper/quota/a/b/zookeeper_limits");
    buffer_clear(&out);
    quota_stat_path(ustring_of("/a"), &out);
    ck_assert_str_eq(buffer_string(&out), "/zookeeper/quota/a/zookeeper_stats");
    ck_assert(ustring_is(quota_trim_path(ustring_of("/zookeeper/quota/a/b")), "/a/b"));
    ck_assert(ustring_is(quota_trim_path(ustring_of("/zookeeper/quota")), ""));
    ck_assert(ustring_is(quota_trim_path(ustring_of("/zoo")), ""));
    buffer_release(&out);
}
END_TEST

static size_t prefix(struct path_trie *trie, const char *path)
{
    return path_trie_find_max_prefix(trie, ustring_of(path));
}

START_TEST(trie_finds_the_longest_prefix)
{
    struct path_trie *trie = path_trie_new();
    ck_assert_uint_eq(prefix(trie, "/a/b"), 0);
    path_trie_add(trie, ustring_of("/a"));
    path_trie_add(trie, ustring_of("/a/b/c"));
    ck_assert_uint_eq(prefix(trie, "/a"), 2);
    ck_assert_uint_eq(prefix(trie, "/a/b"), 2);
    ck_assert_uint_eq(prefix(trie, "/a/b/c"), 6);
    ck_assert_uint_eq(prefix(trie, "/a/b/c/d/e"), 6);
    ck_assert_uint_eq(prefix(trie, "/ab"), 0);
    ck_assert_uint_eq(prefix(trie, "/"), 0);
    ck_assert(path_trie_exists(trie, ustring_of("/a/b")));
    ck_assert(!path_trie_exists(trie, ustring_of("/b")));
    path_trie_free(trie);
}
END_TEST

START_TEST(a_deleted_path_keeps_what_hangs_below)
{
    struct path_trie *trie = path_trie_new();
    path_trie_add(trie, ustring_of("/a"));
    path_trie_add(trie, ustring_of("/a/b"));
    path_trie_delete(trie, ustring_of("/a"));
    ck_assert_uint_eq(prefix(trie, "/a"), 0);
    ck_assert_uint_eq(prefix(trie, "/a/b/c"), 4);
    path_trie_delete(trie, ustring_of("/a/b"));
    path_trie_delete(trie, ustring_of("/a/b"));
    path_trie_delete(trie, ustring_of("/"));
    ck_assert_uint_eq(prefix(trie, "/a/b/c"), 0);
    ck_assert(!path_trie_exists(trie, ustring_of("/a/b")));
    path_trie_add(trie, ustring_of(""));    /* a quota of the root: there is none */
    ck_assert_uint_eq(prefix(trie, "/a"), 0);
    path_trie_free(trie);
}
END_TEST

static Suite *quota_suite(void)
{
    Suite *suite = suite_create("quota");
    TCase *tcase = tcase_create("quota");
    tcase_add_loop_test(tcase, statistics_are_read_as_java_reads_them, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, statistics_are_written_as_java_writes_them);
    tcase_add_test(tcase, quota_paths);
    tcase_add_test(tcase, trie_finds_the_longest_prefix);
    tcase_add_test(tcase, a_deleted_path_keeps_what_hangs_below);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(quota_suite)
