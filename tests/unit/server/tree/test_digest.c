/* test_digest.c - digests that Java's DigestCalculator gave. */
#include "server/tree/digest.h"

#include <zlib.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static const struct stat_persisted stat = {.czxid = 1, .mzxid = 2, .ctime = 3, .mtime = 4, .version = 5, .cversion = 6,
                                           .aversion = 7, .ephemeral_owner = 8, .pzxid = 9};

static const struct {
    const char *fact, *path, *data;
    uint64_t digest;
} digests[] = {
    {"path, data and stat", "/a\xc3\xa9", "\1\2\3", 269851427},
    {"the root without data", "/", NULL, 868314252},
    {"the root by its other name", "", "", 868314252},
    {"/zookeeper itself counts", "/zookeeper", NULL, 2053613788},
    {"nothing below /zookeeper does", "/zookeeper/quota", NULL, 0},
    {"a name that only begins so does", "/zookeeper2", NULL, 1945543841},
};

START_TEST(digest_is_that_of_java)
{
    const char *data = digests[_i].data;
    struct slice bytes = {(const uint8_t *)data, data == NULL ? 0 : strlen(data)};
    ck_assert_msg(digest_calculate(ustring_of(digests[_i].path), bytes, &stat) == digests[_i].digest, "%s",
                  digests[_i].fact);
}
END_TEST

/* Both ways of summing up meet where the one ends. */
START_TEST(digest_is_the_crc_of_what_is_put_together)
{
    enum { MOST = 600 };
    uint8_t data[MOST], whole[2 + MOST + 60];
    static const struct stat_persisted none;
    for (size_t i = 0; i < MOST; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t size = 0; size <= MOST; size++) {
        memcpy(whole, "/a", 2);
        memcpy(whole + 2, data, size);
        memset(whole + 2 + size, 0, 60);
        uint64_t digest = digest_calculate(ustring_of("/a"), (struct slice){data, size}, &none);
        ck_assert_msg(digest == crc32_z(0, whole, 2 + size + 60), "%zu bytes", size);
    }
}
END_TEST

static Suite *digest_suite(void)
{
    Suite *suite = suite_create("digest");
    TCase *tcase = tcase_create("digest");
    tcase_add_loop_test(tcase, digest_is_that_of_java, 0, ARRAY_SIZE(digests));
    tcase_add_test(tcase, digest_is_the_crc_of_what_is_put_together);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(digest_suite)
