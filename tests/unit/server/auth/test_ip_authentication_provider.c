/* Addresses and networks, as the IPAuthenticationProvider of release 3.9.5 takes them; the tables are its answers. */
#include <string.h>

#include "common/base/memory.h"
#include "server/auth/auth_provider.h"
#include "tests/lib/check_main.h"

static struct auth_provider *provider;

static void set_up(void)
{
    provider = ip_authentication_provider_new();
}

static void tear_down(void)
{
    provider->free(provider);
}

static const struct {
    const char *id;
    bool is_valid;
} ids[] = {
    {"127.0.0.1", true},
    {"127.0.0.1/32", true},
    {"127.0.0.0/8", true},
    {"127.0.0.1/0", true},
    {"127.0.0.1/33", false},
    {"127.0.0.1/-1", false},
    {"127.0.0.1/+8", true},
    {"127.0.0.1/", false},
    {"127.0.0.1/8/8", false},
    {"127.0.0", false},
    {"127.0.0.1.", false},
    {"1.2.3.4.5", false},
    {"256.0.0.1", false},
    {"+1.-0.007.1", true},
    {"-1.0.0.1", false},
    {"1..2.3", false},
    {" 1.2.3.4", false},
    {"localhost", false},
    {"", false},
    {"/8", false},
    {"::1", true},
    {"::", true},
    {"1::", true},
    {"1:2:3:4:5:6:7:8", true},
    {"1:2:3:4:5:6:7::", true},
    {"1:2:3:4:5:6:7:8::", false},
    {"::1:2:3:4:5:6:7", true},
    {"1::2::3", false},
    {":::", false},
    {"1:::2", false},
    {":1", false},
    {"12345::", false},
    {"g::", false},
    {"+f::", true},
    {"-1::", true},
    {"-fff::", true},
    {"::1/128", true},
    {"::1/129", false},
    {"::1/0", true},
    {"fe80::/10", true},
    {"::ffff:1.2.3.4", false},
    {"2001:db8::/33", true},
    {"0:0:0:0:0:0:0:1", true},
    {"1.2.3.4:", false},
    {"1:2:3:4:5:6:7:", false},
    {"2147483648.0.0.0", false},
    {"00000000000.0.0.0", true},
    {"10.0.0.0/7", true},
    {"10.0.0.0/99999999999", false},
};
START_TEST(an_id_is_valid_where_java_says_so)
{
    ck_assert_msg(provider->is_valid(provider, ustring_of(ids[_i].id)) == ids[_i].is_valid, "%s", ids[_i].id);
}
END_TEST

static const struct {
    const char *id, *expression;
    bool matches;
} pairs[] = {
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.2", "127.0.0.1", false},
    {"127.9.9.9", "127.0.0.0/8", true},
    {"126.9.9.9", "127.0.0.0/8", false},
    {"1.1.1.1", "9.9.9.9/0", true},
    {"11.255.0.1", "10.0.0.0/7", true},
    {"12.0.0.1", "10.0.0.0/7", false},
    {"10.0.0.129", "10.0.0.128/25", true},
    {"10.0.0.127", "10.0.0.128/25", false},
    {"0:0:0:0:0:0:0:1", "::1", true},
    {"0:0:0:0:0:0:0:1", "0.0.0.1", false},
    {"0.0.0.1", "::1", false},
    {"0.0.0.0", "::/0", false},
    {"fe80:0:0:0:1:2:3:4%eth0", "fe80::/10", false},
    {"febf:0:0:0:1:2:3:4", "fe80::/10", true},
    {"fec0:0:0:0:1:2:3:4", "fe80::/10", false},
    {"2001:db8:8000:0:0:0:0:1", "2001:db8:8000::/33", true},
    {"2001:db8:7fff:0:0:0:0:1", "2001:db8:8000::/33", false},
    {"ffff:0:0:0:0:0:0:0", "-1::", true},
    {"f001:0:0:0:0:0:0:0", "-fff::", true},
    {"x", "127.0.0.1", false},
    {"127.0.0.1", "x", false},
};
START_TEST(an_address_matches_where_java_says_so)
{
    ck_assert_msg(provider->matches(provider, ustring_of(pairs[_i].id), ustring_of(pairs[_i].expression))
                      == pairs[_i].matches,
                  "%s in %s", pairs[_i].id, pairs[_i].expression);
}
END_TEST

START_TEST(null_is_neither_valid_nor_a_match)
{
    ck_assert(!provider->is_valid(provider, USTRING_NULL));
    ck_assert(!provider->matches(provider, USTRING_NULL, ustring_of("1.2.3.4")));
    ck_assert(!provider->matches(provider, ustring_of("1.2.3.4"), USTRING_NULL));
}
END_TEST

START_TEST(a_peer_is_the_address_of_its_socket)
{
    struct address address;
    struct auth_info *info = auth_info_new_empty();
    ck_assert(address_from_ip("10.1.2.3", 1234, &address));
    struct auth_peer peer = {.address = &address};
    struct slice lie = {(const uint8_t *)"9.9.9.9", 7};
    ck_assert_int_eq(provider->handle_authentication(provider, &peer, lie, &info), ZK_OK);
    ck_assert_int_eq(provider->handle_authentication(provider, &peer, (struct slice){NULL, 0}, &info), ZK_OK);
    ck_assert_int_eq(info->ids.count, 1);
    ck_assert(ustring_is(info->ids.items[0].scheme, "ip"));
    ck_assert(ustring_is(info->ids.items[0].id, "10.1.2.3"));
    auth_info_unref(info);
}
END_TEST

START_TEST(an_address_proves_nobody)
{
    ck_assert_str_eq(provider->scheme, "ip");
    ck_assert(!provider->is_authenticated);
    ck_assert(ustring_is(provider->user_name(provider, ustring_of("10.1.2.3")), "10.1.2.3"));
}
END_TEST

static Suite *ip_authentication_provider_suite(void)
{
    Suite *suite = suite_create("ip_authentication_provider");
    TCase *tcase = tcase_create("ip_authentication_provider");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_id_is_valid_where_java_says_so, 0, ARRAY_SIZE(ids));
    tcase_add_loop_test(tcase, an_address_matches_where_java_says_so, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, null_is_neither_valid_nor_a_match);
    tcase_add_test(tcase, a_peer_is_the_address_of_its_socket);
    tcase_add_test(tcase, an_address_proves_nobody);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(ip_authentication_provider_suite)
