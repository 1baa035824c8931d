/* Permissions: who may what, which lists a node may be given, what of them is shown. */
#include "server/auth/acl_check.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

enum { MOST_ENTRIES = 4 };

static char sha1[] = "SHA1";
static struct server_options options = {
    .digest_authentication_provider_enabled = true,
    .digest_authentication_provider_digest_alg = sha1,
    .secure_client_port = -1,
};
static struct provider_registry *registry;
static struct auth_info *nobody, *peer, *super;
static struct arena arena;

static struct auth_info *add(struct auth_info *info, const char *scheme, const char *id)
{
    struct zk_id added = {ustring_of(scheme), ustring_of(id)};
    return auth_info_add(info, &added);
}

static void set_up(void)
{
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    nobody = add(auth_info_new_empty(), "ip", "127.0.0.1");
    peer = add(add(auth_info_new_empty(), "ip", "127.0.0.1"), "digest", "u:h");
    super = add(add(auth_info_new_empty(), "ip", "127.0.0.1"), "super", "");
    arena_init(&arena, NULL, 0);
}

static void tear_down(void)
{
    arena_release(&arena);
    auth_info_unref(nobody);
    auth_info_unref(peer);
    auth_info_unref(super);
    provider_registry_free(registry);
}

struct entry {
    int32_t perms;
    const char *scheme, *id;    /* NULL is Java's null */
};

static struct zk_acl_vector acl_of(const struct entry *entries, int32_t count)
{
    struct zk_acl_vector acl = {arena_alloc(&arena, (size_t)count * sizeof(struct zk_acl)), count};
    for (int32_t i = 0; i < count; i++)
        acl.items[i] = (struct zk_acl){entries[i].perms, {ustring_of(entries[i].scheme), ustring_of(entries[i].id)}};
    return acl;
}

static const char *print(const struct zk_acl_vector *acl)
{
    struct buffer out = {0};
    for (int32_t i = 0; i < acl->count; i++)
        buffer_printf(&out, "%s%d,%.*s:%.*s", i > 0 ? " " : "", acl->items[i].perms, acl->items[i].id.scheme.size,
                      acl->items[i].id.scheme.bytes, acl->items[i].id.id.size, acl->items[i].id.id.bytes);
    const char *text = arena_string(&arena, (const char *)out.bytes, out.size);
    buffer_release(&out);
    return text;
}

/* ---- acl_check ---- */

enum who { NOBODY, PEER, SUPER };

static const struct {
    const char *fact;
    struct entry entry;
    int32_t permission;
    enum who who;
    int err;
} checks[] = {
    {"world:anyone permits everyone", {31, "world", "anyone"}, PERM_WRITE, NOBODY, ZK_OK},
    {"but no more than it says", {1, "world", "anyone"}, PERM_WRITE, NOBODY, ZK_NO_AUTH},
    {"one of several permissions is enough", {16, "world", "anyone"}, PERM_READ | PERM_ADMIN, NOBODY, ZK_OK},
    {"no permission at all is not to be had", {31, "world", "anyone"}, 0, NOBODY, ZK_NO_AUTH},
    {"another id of world permits nobody", {31, "world", "all"}, PERM_READ, NOBODY, ZK_NO_AUTH},
    {"a digest permits its user", {31, "digest", "u:h"}, PERM_READ, PEER, ZK_OK},
    {"and nobody else", {31, "digest", "u:h"}, PERM_READ, NOBODY, ZK_NO_AUTH},
    {"a digest of another password does not", {31, "digest", "u:g"}, PERM_READ, PEER, ZK_NO_AUTH},
    {"a network permits who is in it", {31, "ip", "127.0.0.0/8"}, PERM_READ, NOBODY, ZK_OK},
    {"and nobody else", {31, "ip", "10.0.0.0/8"}, PERM_READ, NOBODY, ZK_NO_AUTH},
    {"an id of the wrong scheme is no match", {31, "digest", "127.0.0.1"}, PERM_READ, NOBODY, ZK_NO_AUTH},
    {"a scheme that is not there permits nobody", {31, "sasl", "u"}, PERM_READ, PEER, ZK_NO_AUTH},
    {"a null scheme permits nobody", {31, NULL, "u"}, PERM_READ, PEER, ZK_NO_AUTH},
    {"a null id permits nobody", {31, "digest", NULL}, PERM_READ, PEER, ZK_NO_AUTH},
    {"super may everything", {0, "sasl", "u"}, PERM_ADMIN, SUPER, ZK_OK},
};
START_TEST(an_entry_permits)
{
    struct auth_info *who = checks[_i].who == NOBODY ? nobody : checks[_i].who == PEER ? peer : super;
    struct zk_acl_vector acl = acl_of(&checks[_i].entry, 1);
    ck_assert_msg(acl_check(registry, false, &acl, checks[_i].permission, who) == checks[_i].err, "%s",
                  checks[_i].fact);
    ck_assert_msg(acl_check(registry, true, &acl, checks[_i].permission, who) == ZK_OK, "skipACL");
}
END_TEST

START_TEST(an_empty_list_permits)
{
    struct zk_acl_vector empty = {NULL, 0}, null = {NULL, -1};
    ck_assert_int_eq(acl_check(registry, false, NULL, PERM_ADMIN, nobody), ZK_OK);
    ck_assert_int_eq(acl_check(registry, false, &empty, PERM_ADMIN, nobody), ZK_OK);
    ck_assert_int_eq(acl_check(registry, false, &null, PERM_ADMIN, nobody), ZK_OK);
    ck_assert_int_eq(acl_check_list(registry, false, NULL, PERM_ADMIN, nobody), ZK_OK);
}
END_TEST

START_TEST(any_entry_of_a_list_is_enough)
{
    static const struct entry entries[] = {{1, "digest", "u:h"}, {2, "ip", "127.0.0.1"}};
    struct zk_acl_vector acl = acl_of(entries, 2);
    ck_assert_int_eq(acl_check(registry, false, &acl, PERM_READ, peer), ZK_OK);
    ck_assert_int_eq(acl_check(registry, false, &acl, PERM_WRITE, peer), ZK_OK);
    ck_assert_int_eq(acl_check(registry, false, &acl, PERM_READ, nobody), ZK_NO_AUTH);
    ck_assert_int_eq(acl_check(registry, false, &acl, PERM_WRITE, NULL), ZK_NO_AUTH);
}
END_TEST

START_TEST(an_interned_list_permits_as_its_entries_do)
{
    struct acl_list open = {.is_open = true, .acl = acl_open_unsafe};
    struct acl_list closed = {.acl = acl_read_unsafe};
    ck_assert_int_eq(acl_check_list(registry, false, &open, PERM_ADMIN, nobody), ZK_OK);
    ck_assert_int_eq(acl_check_list(registry, false, &open, 0, nobody), ZK_NO_AUTH);
    ck_assert_int_eq(acl_check_list(registry, false, &closed, PERM_ADMIN, nobody), ZK_NO_AUTH);
    ck_assert_int_eq(acl_check_list(registry, false, &closed, PERM_READ, nobody), ZK_OK);
    ck_assert_int_eq(acl_check_list(registry, false, &closed, PERM_ADMIN, super), ZK_OK);
    ck_assert_int_eq(acl_check_list(registry, true, &closed, PERM_ADMIN, nobody), ZK_OK);
}
END_TEST

START_TEST(an_unknown_list_denies_all_but_super)
{
    struct acl_list unknown = {.is_unknown = true, .acl = {NULL, 0}};
    ck_assert_int_eq(acl_check_list(registry, false, &unknown, PERM_READ, peer), ZK_NO_AUTH);
    ck_assert_int_eq(acl_check_list(registry, false, &unknown, PERM_READ, super), ZK_OK);
}
END_TEST

/* ---- acl_fixup: what PrepRequestProcessor.fixupACL gives, its NullPointerException as ZK_MARSHALLING_ERROR ---- */

static const struct {
    int32_t count;
    struct entry entries[MOST_ENTRIES];
    int err;
    const char *fixed;
} fixups[] = {
    {0, {{0}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "world", "anyone"}}, ZK_OK, "31,world:anyone"},
    {2, {{31, "world", "anyone"}, {31, "world", "anyone"}}, ZK_OK, "31,world:anyone"},
    {2, {{31, "world", "anyone"}, {1, "world", "anyone"}}, ZK_OK, "31,world:anyone 1,world:anyone"},
    {3, {{1, "ip", "::1"}, {2, "ip", "::2"}, {1, "ip", "::1"}}, ZK_OK, "1,ip:::1 2,ip:::2"},
    {1, {{31, "world", "x"}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "world", NULL}}, ZK_MARSHALLING_ERROR, NULL},
    {1, {{31, NULL, "x"}}, ZK_INVALID_ACL, NULL},
    {2, {{31, "world", "anyone"}, {31, NULL, "x"}}, ZK_MARSHALLING_ERROR, NULL},
    {2, {{1, "world", "anyone"}, {31, NULL, "x"}}, ZK_INVALID_ACL, NULL},
    {2, {{31, NULL, "x"}, {31, "world", "anyone"}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "auth", ""}}, ZK_OK, "31,digest:u:h"},
    {1, {{31, "auth", NULL}}, ZK_OK, "31,digest:u:h"},
    {2, {{31, "auth", NULL}, {31, "auth", ""}}, ZK_OK, "31,digest:u:h 31,digest:u:h"},
    {2, {{31, "auth", ""}, {31, "auth", NULL}}, ZK_MARSHALLING_ERROR, NULL},
    {2, {{31, "auth", ""}, {31, "digest", "u:h"}}, ZK_OK, "31,digest:u:h 31,digest:u:h"},
    {1, {{31, "digest", NULL}}, ZK_MARSHALLING_ERROR, NULL},
    {2, {{31, "digest", "a:b"}, {3, "digest", "a:b:"}}, ZK_OK, "31,digest:a:b 3,digest:a:b:"},
    {1, {{31, "digest", "a"}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "ip", "127.0.0.1/8"}}, ZK_OK, "31,ip:127.0.0.1/8"},
    {1, {{31, "ip", "127.0.0.1/33"}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "ip", NULL}}, ZK_MARSHALLING_ERROR, NULL},
    {1, {{31, "x509", "cn"}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "super", ""}}, ZK_INVALID_ACL, NULL},
    {1, {{31, "nope", NULL}}, ZK_INVALID_ACL, NULL},
    {1, {{0, "world", "anyone"}}, ZK_OK, "0,world:anyone"},
    {1, {{-1, "world", "anyone"}}, ZK_OK, "-1,world:anyone"},
    {2, {{31, "world", "anyone"}, {31, "digest", "a"}}, ZK_INVALID_ACL, NULL},
};
START_TEST(a_list_is_fixed_up_as_in_java)
{
    struct zk_acl_vector acl = acl_of(fixups[_i].entries, fixups[_i].count), fixed = {NULL, -2};
    const char *given = print(&acl);
    int err = acl_fixup(registry, peer, &acl, &arena, &fixed);
    ck_assert_msg(err == fixups[_i].err, "[%s] gives %s", given, error_name(err));
    if (err == ZK_OK)
        ck_assert_msg(strcmp(print(&fixed), fixups[_i].fixed) == 0, "[%s] becomes [%s]", given, print(&fixed));
    else
        ck_assert_int_eq(fixed.count, -2);
}
END_TEST

START_TEST(a_null_list_is_invalid)
{
    struct zk_acl_vector acl = {NULL, -1}, fixed;
    ck_assert_int_eq(acl_fixup(registry, peer, &acl, &arena, &fixed), ZK_INVALID_ACL);
}
END_TEST

START_TEST(auth_needs_an_id_that_was_proved)
{
    static const struct entry entry = {31, "auth", ""};
    struct zk_acl_vector acl = acl_of(&entry, 1), fixed;
    ck_assert_int_eq(acl_fixup(registry, nobody, &acl, &arena, &fixed), ZK_INVALID_ACL);
    ck_assert_int_eq(acl_fixup(registry, super, &acl, &arena, &fixed), ZK_INVALID_ACL);
    ck_assert_int_eq(acl_fixup(registry, NULL, &acl, &arena, &fixed), ZK_INVALID_ACL);
}
END_TEST

START_TEST(auth_expands_in_the_order_of_the_peers_ids)
{
    static const struct entry entries[] = {{1, "auth", ""}, {2, "auth", "x"}};
    struct auth_info *many = add(add(auth_info_ref(peer), "digest", "u7919:h1"), "digest", "u15838:h2");
    struct zk_acl_vector acl = acl_of(entries, 2), fixed;
    ck_assert_int_eq(acl_fixup(registry, many, &acl, &arena, &fixed), ZK_OK);
    int32_t at = 0;
    for (int32_t perms = 1; perms <= 2; perms++)
        for (int32_t i = 0; i < many->ids.count; i++)
            if (ustring_is(many->ids.items[i].scheme, "digest")) {
                ck_assert_int_eq(fixed.items[at].perms, perms);
                ck_assert(ustring_equal(fixed.items[at++].id.id, many->ids.items[i].id));
            }
    ck_assert_int_eq(fixed.count, at);
    ck_assert_int_eq(at, 6);
    auth_info_unref(many);
}
END_TEST

START_TEST(a_long_list_costs_little_and_a_huge_expansion_is_refused)
{
    enum { COUNT = 80000 };    /* about what fits into a request */
    struct zk_acl_vector acl = {arena_alloc(&arena, COUNT * sizeof(struct zk_acl)), COUNT}, fixed;
    for (int32_t i = 0; i < COUNT; i++)
        acl.items[i] = (struct zk_acl){i, {ustring_of("world"), ustring_of("anyone")}};
    ck_assert_int_eq(acl_fixup(registry, peer, &acl, &arena, &fixed), ZK_OK);
    ck_assert_int_eq(fixed.count, COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        acl.items[i].id.scheme = ustring_of("auth");
    ck_assert_int_eq(acl_fixup(registry, peer, &acl, &arena, &fixed), ZK_INVALID_ACL);
}
END_TEST

/* ---- what is shown ---- */

static const struct {
    const char *fact, *id, *masked;
} masks[] = {
    {"the digest is hidden", "user:3OptnM09ILoVSfbZtd3mB0IViII=", "user:x"},
    {"from the first colon on", "a:b:c", "a:x"},
    {"what has no colon has no digest", "a", "a"},
    {"an empty digest is hidden too", "a:", "a:x"},
    {"an empty user", ":b", ":x"},
    {"the end of a line ends it, as in Java", "a:b\nc:d:e\xe2\x80\xa8" "f:", "a:x\nc:x\xe2\x80\xa8" "f:x"},
    {"other ends of lines", "a:b\rc\xc2\x85" "d:\xe2\x80\xa9", "a:x\rc\xc2\x85" "d:x\xe2\x80\xa9"},
    {"what begins like one is none", "a:\xe2\x80\xa6", "a:x"},
};
START_TEST(digests_are_masked)
{
    struct entry entries[] = {{31, "digest", masks[_i].id}, {1, "ip", "0:0:0:0:0:0:0:1"}};
    struct zk_acl_vector acl = acl_of(entries, 2), masked;
    acl_mask_digests(&acl, &arena, &masked);
    ck_assert_int_eq(masked.count, 2);
    ck_assert_int_eq(masked.items[0].perms, 31);
    ck_assert_msg(ustring_is(masked.items[0].id.id, masks[_i].masked), "%s", masks[_i].fact);
    ck_assert(ustring_is(masked.items[1].id.id, "0:0:0:0:0:0:0:1"));
    ck_assert(ustring_is(acl.items[0].id.id, masks[_i].id));
}
END_TEST

START_TEST(who_am_i_shows_users_without_digests)
{
    struct auth_info *all = add(auth_info_ref(peer), "super", "");
    struct client_info_vector infos;
    auth_client_infos(registry, all, &arena, &infos);
    ck_assert_int_eq(infos.count, 3);
    for (int32_t i = 0; i < 3; i++) {
        struct ustring scheme = all->ids.items[i].scheme;
        ck_assert(ustring_equal(infos.items[i].auth_scheme, scheme));
        ck_assert(ustring_is(infos.items[i].user, ustring_is(scheme, "ip")       ? "127.0.0.1"
                                                  : ustring_is(scheme, "digest") ? "u"
                                                                                 : ""));
    }
    auth_info_unref(all);
}
END_TEST

static Suite *acl_check_suite(void)
{
    Suite *suite = suite_create("acl_check");
    TCase *tcase = tcase_create("acl_check");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_entry_permits, 0, ARRAY_SIZE(checks));
    tcase_add_test(tcase, an_empty_list_permits);
    tcase_add_test(tcase, any_entry_of_a_list_is_enough);
    tcase_add_test(tcase, an_interned_list_permits_as_its_entries_do);
    tcase_add_test(tcase, an_unknown_list_denies_all_but_super);
    tcase_add_loop_test(tcase, a_list_is_fixed_up_as_in_java, 0, ARRAY_SIZE(fixups));
    tcase_add_test(tcase, a_null_list_is_invalid);
    tcase_add_test(tcase, auth_needs_an_id_that_was_proved);
    tcase_add_test(tcase, auth_expands_in_the_order_of_the_peers_ids);
    tcase_add_test(tcase, a_long_list_costs_little_and_a_huge_expansion_is_refused);
    tcase_add_loop_test(tcase, digests_are_masked, 0, ARRAY_SIZE(masks));
    tcase_add_test(tcase, who_am_i_shows_users_without_digests);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(acl_check_suite)
