/* Base64 back into bytes. */
#include "client/cli/cli_base64.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

static const struct { const char *text, *bytes;
} texts[] = {
    { "", "" },
    { "aGVsbG8=", "hello" },
    { "aGVsbG8", "hello" },
    { "aGVsbA==", "hell" },
    { "aGVsbA", "hell" },
    { "aGVs", "hel" },
    { "/+8=", "\xff\xef" },
    { "a", NULL },
    { "aGVsbG8==", NULL },
    { "aGVs=", NULL },
    { "aGVs bG8=", NULL },
    { "aG=s", NULL },
    { "=", NULL },
    { "*", NULL },
};

START_TEST(texts_are_decoded_or_refused)
{
    struct buffer bytes = {0};
    int err = base64_decode(texts[_i].text, strlen(texts[_i].text), &bytes, NULL);
    ck_assert_int_eq(err, texts[_i].bytes == NULL ? ZK_BAD_ARGUMENTS : ZK_OK);
    ck_assert_str_eq(buffer_string(&bytes), texts[_i].bytes == NULL ? "" : texts[_i].bytes);
    buffer_release(&bytes);
}
END_TEST

START_TEST(all_bytes_come_back)
{
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    for (size_t size = 0; size <= sizeof(all); size++) {
        struct buffer bytes = {0};
        char *text = base64_encode(all, size);
        ck_assert_int_eq(base64_decode(text, strlen(text), &bytes, NULL), ZK_OK);
        ck_assert_uint_eq(bytes.size, size);
        ck_assert(size == 0 || memcmp(bytes.bytes, all, size) == 0);
        memory_free(text);
        buffer_release(&bytes);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli_base64");
    TCase *tcase = tcase_create("cli_base64");
    tcase_add_loop_test(tcase, texts_are_decoded_or_refused, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, all_bytes_come_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
CHECK_MAIN(make_suite)
