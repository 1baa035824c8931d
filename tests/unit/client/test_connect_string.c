/* test_connect_string.c - which strings name servers, and which do not. */
#include "client/connect_string.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"

#define HOSTS 3

/* The first rows are those of the reference's own test. */
static const struct {
    const char *text;
    struct {
        const char *host;
        uint16_t port;
    } hosts[HOSTS];
    const char *chroot;
} good[] = {
    { "10.10.10.1/hallo/welt", { { "10.10.10.1", 2181 } }, "/hallo/welt" },
    { "[2001:db8:1::242:ac11:2]/hallo/welt", { { "2001:db8:1::242:ac11:2", 2181 } }, "/hallo/welt" },
    { "10.10.10.1,10.10.10.2/hallo/welt", { { "10.10.10.1", 2181 }, { "10.10.10.2", 2181 } }, "/hallo/welt" },
    { "[2001:db8:1::242:ac11:2]:2181,[2001:db8:85a3:8d3:1319:8a2e:370:7348]:5678/hallo/welt",
      { { "2001:db8:1::242:ac11:2", 2181 }, { "2001:db8:85a3:8d3:1319:8a2e:370:7348", 5678 } }, "/hallo/welt" },
    { "[2001:db8:1::242:ac11:2],[2001:db8:85a3:8d3:1319:8a2e:370:7348]",
      { { "2001:db8:1::242:ac11:2", 2181 }, { "2001:db8:85a3:8d3:1319:8a2e:370:7348", 2181 } }, NULL },
    { "10.10.10.1:112,10.10.10.2:110", { { "10.10.10.1", 112 }, { "10.10.10.2", 110 } }, NULL },
    { "[127::1],127.0.10.2", { { "127::1", 2181 }, { "127.0.10.2", 2181 } }, NULL },
    { "[127::1]:2181,[127::2]:2182,[127::3]:2183",
      { { "127::1", 2181 }, { "127::2", 2182 }, { "127::3", 2183 } }, NULL },

    { "localhost", { { "localhost", 2181 } }, NULL },
    { "localhost:", { { "localhost", 2181 } }, NULL },
    { "localhost: ", { { "localhost", 2181 } }, NULL },
    { "localhost:65535", { { "localhost", 65535 } }, NULL },
    { "localhost:00080", { { "localhost", 80 } }, NULL },
    { "localhost:2181/", { { "localhost", 2181 } }, NULL },
    { "localhost/a", { { "localhost", 2181 } }, "/a" },
    { "a:1, b:2 ,\tc:3\n", { { "a", 1 }, { "b", 2 }, { "c", 3 } }, NULL },
    { "a: 1", { { "a", 1 } }, NULL },
    { ",,a:1,, ,b:2,", { { "a", 1 }, { "b", 2 } }, NULL },
    { "a:1,a:1", { { "a", 1 }, { "a", 1 } }, NULL },
    { "::1:2181", { { "::1", 2181 } }, NULL },
    { "2001:db8::7:99/x", { { "2001:db8::7", 99 } }, "/x" },
    { "[fe80::1%no_such_interface]:1", { { "fe80::1%no_such_interface", 1 } }, NULL },
    { "[localhost]:7", { { "localhost", 7 } }, NULL },
    { "host_with-odd.name:1", { { "host_with-odd.name", 1 } }, NULL },
    { "h\xc3\xb6st:1/\xe2\x82\xac", { { "h\xc3\xb6st", 1 } }, "/\xe2\x82\xac" },
    { "a:1/b:2,c:3", { { "a", 1 } }, "/b:2,c:3" },
    { "a:1/ ", { { "a", 1 } }, "/ " },
};
START_TEST(these_name_servers)
{
    struct connect_string parsed;
    struct error error = { 0 };
    int err = connect_string_parse(good[_i].text, &parsed, &error);
    ck_assert_msg(err == ZK_OK, "\"%s\": %s", good[_i].text, error.text);
    size_t count = 0;
    for (; count < HOSTS && good[_i].hosts[count].host != NULL; count++) {
        ck_assert_msg(count < parsed.count, "\"%s\"", good[_i].text);
        ck_assert_str_eq(parsed.hosts[count].host, good[_i].hosts[count].host);
        ck_assert_uint_eq(parsed.hosts[count].port, good[_i].hosts[count].port);
    }
    ck_assert_uint_eq(parsed.count, count);
    ck_assert_pstr_eq(parsed.chroot, good[_i].chroot);
    connect_string_release(&parsed);
    connect_string_release(&parsed);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    { NULL, "no server" },
    { "", "no server" },
    { " ", "no server" },
    { ",", "no server" },
    { " , ,\t", "no server" },
    { "/", "no server" },
    { "/a", "no server" },
    { ":2181", "no host" },
    { "a:1,:2", "\":2\"" },
    { ":", "no host" },
    { "a:0", "1 to 65535" },
    { "a:65536", "1 to 65535" },
    { "a:99999999999999999999", "1 to 65535" },
    { "a:-1", "1 to 65535" },
    { "a:+1", "1 to 65535" },
    { "a:0x10", "1 to 65535" },
    { "a:1x", "1 to 65535" },
    { "a:1 2", "1 to 65535" },
    { "a b:1", "blank" },
    { "a\x01" "b:1", "control" },
    { "a\x7f:1", "control" },
    { "a:1;b:2", "several colons" },
    { "a:1 b:2", "blank" },
    { "::1", "several colons" },
    { "2001:db8::7:beef", "1 to 65535" },
    { "1:2:3:4:5:6:7:8:9:2181", "several colons" },
    { "[", "no ']'" },
    { "[::1", "no ']'" },
    { "[]", "no host" },
    { "[]:1", "no host" },
    { "[ ]:1", "blank" },
    { "[::1]:", "no port" },
    { "[::1]2181", "other than ':'" },
    { "[::1] :2181", "other than ':'" },
    { "[::1]:0", "1 to 65535" },
    { "[[::1]]:1", "bracket" },
    { "::1]:1", "bracket" },
    { "a[b:1", "bracket" },
    { "a:1/b/", "chroot" },
    { "a:1//", "chroot" },
    { "a:1//b", "chroot" },
    { "a:1/b/../c", "chroot" },
    { "a:1/.", "chroot" },
    { "a:1/b\x01", "chroot" },
};
START_TEST(these_do_not)
{
    struct connect_string parsed = { .count = 17 };
    struct error error = { 0 };
    int err = connect_string_parse(bad[_i].text, &parsed, &error);
    ck_assert_msg(err == ZK_BAD_ARGUMENTS, "\"%s\"", bad[_i].text);
    ck_assert_int_eq(error.code, ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, bad[_i].says) != NULL, "\"%s\": %s", bad[_i].text, error.text);
    ck_assert_uint_eq(parsed.count, 17);
    ck_assert_int_eq(connect_string_parse(bad[_i].text, &parsed, NULL), ZK_BAD_ARGUMENTS);
}
END_TEST

START_TEST(a_very_long_string_is_no_problem)
{
    size_t size = 4 << 20;
    char *text = memory_alloc(size + 1);
    struct connect_string parsed;
    struct error error = { 0 };
    text[size] = '\0';

    memset(text, ',', size);
    ck_assert_int_eq(connect_string_parse(text, &parsed, &error), ZK_BAD_ARGUMENTS);
    memset(text, '[', size);
    ck_assert_int_eq(connect_string_parse(text, &parsed, &error), ZK_BAD_ARGUMENTS);
    ck_assert_uint_lt(strlen(error.text), 300);
    memset(text, ':', size);
    ck_assert_int_eq(connect_string_parse(text, &parsed, &error), ZK_BAD_ARGUMENTS);

    for (size_t i = 0; i < size; i += 2)
        memcpy(text + i, "a,", 2);
    ck_assert_int_eq(connect_string_parse(text, &parsed, &error), ZK_OK);
    ck_assert_uint_eq(parsed.count, size / 2);
    connect_string_release(&parsed);
    memory_free(text);
}
END_TEST

static Suite *connect_string_suite(void)
{
    Suite *suite = suite_create("connect_string");
    TCase *tcase = tcase_create("connect_string");
    tcase_add_loop_test(tcase, these_name_servers, 0, ARRAY_SIZE(good));
    tcase_add_loop_test(tcase, these_do_not, 0, ARRAY_SIZE(bad));
    tcase_add_test(tcase, a_very_long_string_is_no_problem);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(connect_string_suite)
