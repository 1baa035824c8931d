/* The scheme digest: what Java 17 and its DigestAuthenticationProvider make of the same bytes. */
#include <stdio.h>
#include <string.h>

#include "common/base/memory.h"
#include "server/auth/auth_provider.h"
#include "tests/lib/check_main.h"

static struct auth_peer nobody;
static struct auth_provider *provider;
static struct auth_info *info;

static void set_up(void)
{
    ck_assert_int_eq(digest_authentication_provider_new("SHA1", NULL, &provider, NULL), ZK_OK);
    info = auth_info_new_empty();
}

static void tear_down(void)
{
    auth_info_unref(info);
    provider->free(provider);
}

static struct slice slice_of(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static const struct {
    const char *algorithm, *id;    /* of a:b */
} algorithms[] = {
    {"MD5", "a:2BYMmz3CDU6TGutPRSYhVQ=="},
    {"md5", "a:2BYMmz3CDU6TGutPRSYhVQ=="},
    {"SHA", "a:3OptnM09ILoVSfbZtd3mB0IViII="},
    {"SHA1", "a:3OptnM09ILoVSfbZtd3mB0IViII="},
    {"sha-1", "a:3OptnM09ILoVSfbZtd3mB0IViII="},
    {"SHA-224", "a:NO5ox74+wWKYdzIKr5itkCWCbJdqfZxBpaBhqg=="},
    {"SHA-256", "a:Z4OjHqv2jMwGYPk1wIJigr3SJB86gKny0Q1Zrqnrtdg="},
    {"SHA256", "a:Z4OjHqv2jMwGYPk1wIJigr3SJB86gKny0Q1Zrqnrtdg="},
    {"SHA-384", "a:M/NiZn7HTqhVZ8t77kPIHIPTVGoTvNRnilTr5ieaJY334TdVUc5jsR1iIyM0tnOD"},
    {"SHA-512", "a:mdoaJYs51sQ7xY1yh5/CxU2MLd6OyA+mb0neO06R7P3yavbdaDJ9XFm/4RaKEBLXUxeYO/0qTS5uXf3tYf0Smw=="},
    {"SHA-512/224", "a:8b/dvq349B+GhaRmjmmEuURLjeEv8qp/LLJLww=="},
    {"SHA-512/256", "a:OZzjuYX0pZ3N7Wm6zdI/j+Of9drLfO2EMf9IylYc9kQ="},
    {"SHA3-224", "a:xUG45FovgCHfY6uJPFHPSB/BTsoY27AAOeVvgg=="},
    {"SHA3-256", "a:ejvga8z66+WtMLJrmlP4mB2ikyi0ZnEdX7dJ2QqhVbg="},
    {"SHA3-384", "a:XCsbsbQ8VMzkEzd3pfBut1KO09iPMOdqmY+VjSDBbQ2U6jtPU5iTtajvXRaQYUgK"},
    {"SHA3-512", "a:+iQ01vZsS/KKa3tYbcDQCiSvKFghApgRg4c0xnxZ04YdCCoLNpe8Cd6ADfwYSBvLIcDub+4ghTFvLGxjcX0IgQ=="},
};
START_TEST(algorithms_go_by_javas_names)
{
    char *id = digest_authentication_generate(algorithms[_i].algorithm, "a:b", 3);
    ck_assert_pstr_eq(id, algorithms[_i].id);
    memory_free(id);
}
END_TEST

START_TEST(an_algorithm_that_is_not_there_ends_the_start)
{
    struct error error = {0};
    struct auth_provider *none = NULL;
    ck_assert_int_eq(digest_authentication_provider_new("SHA_256", NULL, &none, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(strstr(error.text, "SHA_256"));
    ck_assert_ptr_null(digest_authentication_generate("SHA_256", "a:b", 3));
}
END_TEST

static const struct {
    const char *fact;
    const char *bytes;
    size_t size;
    const char *id;
} texts[] = {
    {"user and password", "\x61\x3a\x62", 3, "a:3OptnM09ILoVSfbZtd3mB0IViII="},
    {"a second colon is of the password", "\x61\x3a\x62\x3a\x63", 5, "a:cLzgnoJ6mP5qz3w+mwvPE2vDgu0="},
    {"no colon", "\x61\x62\x63", 3, "abc:qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
    {"a colon alone", "\x3a", 1, ":BaefBs8/Z/cm2uaNGKIpD2yaUMk="},
    {"UTF-8", "\xc3\xa4\x3a\xc3\xb6", 5, "\xc3\xa4:MPV6b0BLR0WYj39Uzk+FLpD7Jig="},
    {"a byte that is no UTF-8", "\xff\x3a\x62", 3, "\xef\xbf\xbd:l69RhR5a9IxG6gMtC2ex+9FDwLU="},
    {"a sequence that is cut", "\xe2\x82", 2, "\xef\xbf\xbd:m9t3J2wYUuH7BnggRygS/PYIQCQ="},
    {"an overlong form", "\xc0\x80\x3a\x62", 4, "\xef\xbf\xbd\xef\xbf\xbd:7Ib0q8DzZWqT7oNAxrBzEB8b3Iw="},
    {"a surrogate", "\xed\xa0\x80\x3a\x62", 5, "\xef\xbf\xbd:l69RhR5a9IxG6gMtC2ex+9FDwLU="},
};
START_TEST(id_is_user_and_digest_of_all_of_it)
{
    char *id = digest_authentication_generate("SHA1", texts[_i].bytes, texts[_i].size);
    ck_assert_msg(strcmp(id, texts[_i].id) == 0, "%s: %s", texts[_i].fact, id);
    memory_free(id);
}
END_TEST

START_TEST(auth_data_adds_an_id)
{
    ck_assert_int_eq(provider->handle_authentication(provider, &nobody, slice_of("a:b"), &info), ZK_OK);
    ck_assert_int_eq(info->ids.count, 1);
    ck_assert(ustring_is(info->ids.items[0].scheme, "digest"));
    ck_assert(ustring_is(info->ids.items[0].id, "a:3OptnM09ILoVSfbZtd3mB0IViII="));
    ck_assert(provider->matches(provider, info->ids.items[0].id, ustring_of("a:3OptnM09ILoVSfbZtd3mB0IViII=")));
    ck_assert(!info->is_super);
}
END_TEST

START_TEST(a_zero_byte_is_a_character_like_others)
{
    struct slice data = {(const uint8_t *)"a\0b:c", 5};
    ck_assert_int_eq(provider->handle_authentication(provider, &nobody, data, &info), ZK_OK);
    ck_assert_int_eq(info->ids.items[0].id.size, 3 + 1 + 28);
    ck_assert_int_eq(memcmp(info->ids.items[0].id.bytes, "a\0b:", 4), 0);
}
END_TEST

START_TEST(null_auth_data_fails)
{
    ck_assert_int_eq(provider->handle_authentication(provider, &nobody, (struct slice){NULL, 0}, &info),
                     ZK_AUTH_FAILED);
    ck_assert_int_eq(info->ids.count, 0);
}
END_TEST

START_TEST(empty_auth_data_is_a_user_without_a_name)
{
    ck_assert_int_eq(provider->handle_authentication(provider, &nobody, slice_of(""), &info), ZK_OK);
    ck_assert(ustring_is(info->ids.items[0].id, ":2jmj7l5rSw0yVb/vlWAYkK/YBwk="));
}
END_TEST

START_TEST(a_peer_may_not_pile_up_ids)
{
    char text[64];
    int err = ZK_OK;
    for (int i = 0; err == ZK_OK && i < 2 * AUTH_INFO_MOST_IDS; i++) {
        snprintf(text, sizeof(text), "u%d:p", i);
        err = provider->handle_authentication(provider, &nobody, slice_of(text), &info);
    }
    ck_assert_int_eq(err, ZK_AUTH_FAILED);
    ck_assert_int_le(info->ids.count, AUTH_INFO_MOST_IDS);
}
END_TEST

START_TEST(super_digest_makes_a_super_user)
{
    struct auth_provider *with_super;
    char *super_digest = digest_authentication_generate("SHA-256", "super:secret", 12);
    ck_assert_int_eq(digest_authentication_provider_new("SHA-256", super_digest, &with_super, NULL), ZK_OK);
    ck_assert_int_eq(with_super->handle_authentication(with_super, &nobody, slice_of("super:guess"), &info), ZK_OK);
    ck_assert(!info->is_super);
    ck_assert_int_eq(with_super->handle_authentication(with_super, &nobody, slice_of("super:secret"), &info), ZK_OK);
    ck_assert(info->is_super);
    ck_assert_int_eq(info->ids.count, 3);
    with_super->free(with_super);
    memory_free(super_digest);
}
END_TEST

static const struct {
    const char *id;
    bool is_valid;
} ids[] = {    /* String.split(":").length == 2 */
    {"a:b", true}, {"a:b:", true}, {"a:b::", true}, {":b", true},    {"a:", false},  {":", false},
    {"", false},   {"a", false},   {"a::b", false}, {"a:b:c", false}, {"::b", false}, {"::", false},
};
START_TEST(an_id_is_valid_where_java_finds_two_parts)
{
    ck_assert_msg(provider->is_valid(provider, ustring_of(ids[_i].id)) == ids[_i].is_valid, "%s", ids[_i].id);
}
END_TEST

static const struct {
    const char *fact, *id, *expression;
    bool matches;
} pairs[] = {
    {"equal", "a:b", "a:b", true},
    {"another digest", "a:b", "a:c", false},
    {"the beginning of it", "a:b", "a:bc", false},
    {"null", "a:b", NULL, false},
    {"nulls", NULL, NULL, false},
};
START_TEST(an_id_matches_what_is_equal)
{
    ck_assert_msg(provider->matches(provider, ustring_of(pairs[_i].id), ustring_of(pairs[_i].expression))
                      == pairs[_i].matches,
                  "%s", pairs[_i].fact);
}
END_TEST

START_TEST(only_the_user_may_be_shown)
{
    ck_assert(provider->is_authenticated);
    ck_assert(ustring_is(provider->user_name(provider, ustring_of("a:3OptnM09ILoVSfbZtd3mB0IViII=")), "a"));
    ck_assert(ustring_is(provider->user_name(provider, ustring_of(":3OptnM09ILoVSfbZtd3mB0IViII=")), ""));
}
END_TEST

static Suite *digest_authentication_provider_suite(void)
{
    Suite *suite = suite_create("digest_authentication_provider");
    TCase *tcase = tcase_create("digest_authentication_provider");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, algorithms_go_by_javas_names, 0, ARRAY_SIZE(algorithms));
    tcase_add_test(tcase, an_algorithm_that_is_not_there_ends_the_start);
    tcase_add_loop_test(tcase, id_is_user_and_digest_of_all_of_it, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, auth_data_adds_an_id);
    tcase_add_test(tcase, a_zero_byte_is_a_character_like_others);
    tcase_add_test(tcase, null_auth_data_fails);
    tcase_add_test(tcase, empty_auth_data_is_a_user_without_a_name);
    tcase_add_test(tcase, a_peer_may_not_pile_up_ids);
    tcase_add_test(tcase, super_digest_makes_a_super_user);
    tcase_add_loop_test(tcase, an_id_is_valid_where_java_finds_two_parts, 0, ARRAY_SIZE(ids));
    tcase_add_loop_test(tcase, an_id_matches_what_is_equal, 0, ARRAY_SIZE(pairs));
    tcase_add_test(tcase, only_the_user_may_be_shown);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(digest_authentication_provider_suite)
