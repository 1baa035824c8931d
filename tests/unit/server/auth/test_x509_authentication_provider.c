/* Whom a certificate makes of a peer. */
#include <string.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/auth/auth_provider.h"
#include "tests/lib/check_main.h"

static struct auth_provider *provider;

static void set_up(void)
{
    log_set_level(NULL, LOG_ERROR);
    provider = x509_authentication_provider_new("CN=root,O=zkc");
}

static void tear_down(void)
{
    provider->free(provider);
}

static struct auth_info *authenticate(const char *name, int wanted)
{
    struct auth_peer peer = {.certificate_name = name};
    struct auth_info *info = auth_info_new_empty();
    struct slice lie = {(const uint8_t *)"CN=root,O=zkc", 13};
    ck_assert_int_eq(provider->handle_authentication(provider, &peer, lie, &info), wanted);
    return info;
}

START_TEST(a_peer_is_the_name_in_its_certificate)
{
    struct auth_info *info = authenticate("CN=client", ZK_OK);
    ck_assert_int_eq(info->ids.count, 1);
    ck_assert(ustring_is(info->ids.items[0].scheme, "x509"));
    ck_assert(ustring_is(info->ids.items[0].id, "CN=client"));
    ck_assert(!info->is_super);
    auth_info_unref(info);
}
END_TEST

START_TEST(one_name_is_the_super_users)
{
    struct auth_info *info = authenticate("CN=root,O=zkc", ZK_OK);
    ck_assert_int_eq(info->ids.count, 2);
    ck_assert(info->is_super);
    auth_info_unref(info);
    struct auth_provider *without = x509_authentication_provider_new(NULL);
    struct auth_peer peer = {.certificate_name = "CN=root,O=zkc"};
    info = auth_info_new_empty();
    ck_assert_int_eq(without->handle_authentication(without, &peer, (struct slice){NULL, 0}, &info), ZK_OK);
    ck_assert(!info->is_super);
    auth_info_unref(info);
    without->free(without);
}
END_TEST

START_TEST(without_a_certificate_a_peer_is_nobody)
{
    struct auth_info *info = authenticate(NULL, ZK_AUTH_FAILED);
    ck_assert_int_eq(info->ids.count, 0);
    auth_info_unref(info);
}
END_TEST

static const struct {
    const char *id, *expression;
    bool matches;
} pairs[] = {
    {"CN=a", "CN=a", true},
    {"CN=a", "CN=a,O=b", false},
    {"CN=a", "cn=a", false},
    {"CN=root,O=zkc", "CN=a", true},
    {"CN=a", "CN=root,O=zkc", false},
};
START_TEST(a_name_matches_itself_and_the_super_user_all)    /* _i: a row */
{
    ck_assert_msg(provider->matches(provider, ustring_of(pairs[_i].id), ustring_of(pairs[_i].expression)) ==
                      pairs[_i].matches,
                  "%s, %s", pairs[_i].id, pairs[_i].expression);
}
END_TEST

START_TEST(null_is_neither_valid_nor_a_match)
{
    ck_assert(!provider->is_valid(provider, USTRING_NULL));
    ck_assert(!provider->matches(provider, USTRING_NULL, ustring_of("CN=a")));
    ck_assert(!provider->matches(provider, ustring_of("CN=a"), USTRING_NULL));
    ck_assert(provider->is_valid(provider, ustring_of("CN=a,O=b")));
    ck_assert(!provider->is_valid(provider, ustring_of("bob")));
    ck_assert(ustring_is(provider->user_name(provider, ustring_of("CN=a")), "CN=a"));
}
END_TEST

static Suite *x509_authentication_provider_suite(void)
{
    Suite *suite = suite_create("x509_authentication_provider");
    TCase *tcase = tcase_create("x509_authentication_provider");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_peer_is_the_name_in_its_certificate);
    tcase_add_test(tcase, one_name_is_the_super_users);
    tcase_add_test(tcase, without_a_certificate_a_peer_is_nobody);
    tcase_add_loop_test(tcase, a_name_matches_itself_and_the_super_user_all, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, null_is_neither_valid_nor_a_match);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(x509_authentication_provider_suite)
