/* Which certificates are the present ones, as files come and go. Nothing here waits for the watcher: it is called. */
#include "server/cnxn/server_tls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "tests/lib/check_main.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_directory.h"

static char directory[TEST_DIRECTORY_SIZE], key_path[512], trust_path[512], password_path[512];
static struct server_options options;
static struct server_tls *tls;
static struct error error;

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* A key and a certificate that signed itself, in the place of what was there. */
static void write_pair(const char *name, const char *password)
{
    struct test_identity made = test_identity_make(&(struct test_identity_rules){.name = name, .is_authority = true});
    unlink(key_path);
    test_identity_write_key(&made, password, key_path);
    test_identity_write_certificate(&made, key_path);
    test_identity_release(&made);
}

static void set_text(char **option, const char *text)
{
    memory_free(*option);
    *option = text == NULL ? NULL : string_copy(text);
}

static void set_up(void)
{
    log_set_level(NULL, LOG_OFF);
    test_directory_make(directory);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", directory);
    snprintf(trust_path, sizeof(trust_path), "%s/trust.pem", directory);
    snprintf(password_path, sizeof(password_path), "%s/password", directory);
    write_pair("first", NULL);
    struct test_identity authority =
        test_identity_make(&(struct test_identity_rules){.name = "authority", .is_authority = true});
    test_identity_write_certificate(&authority, trust_path);
    test_identity_release(&authority);
    server_options_init(&options);
    set_text(&options.ssl_key_store_location, key_path);
    set_text(&options.ssl_trust_store_location, trust_path);
    error = (struct error){0};
    tls = NULL;
}

static void tear_down(void)
{
    server_tls_free(tls);
    server_options_release(&options);
    test_directory_remove(directory);
}

static void make(void)
{
    ck_assert_msg(server_tls_new(&options, &tls, &error) == ZK_OK, "%s", error.text);
}

/* Is what the next connection gets still `before`, which is compared only. */
static bool is_present(const struct tls_context *before)
{
    struct tls_context *now = server_tls_context(tls);
    tls_context_unref(now);
    return now == before;
}

START_TEST(the_present_one_stays_until_there_is_another)
{
    make();
    struct tls_context *first = server_tls_context(tls);
    ck_assert(!server_tls_look_at_files(tls));
    ck_assert(is_present(first));
    write_pair("second", NULL);
    ck_assert(server_tls_look_at_files(tls));
    ck_assert(!is_present(first));
    ck_assert(!server_tls_look_at_files(tls));
    tls_context_unref(first);    /* connections of before have it still */
}
END_TEST

START_TEST(a_bad_file_changes_nothing_until_it_is_good)
{
    make();
    struct tls_context *first = server_tls_context(tls);
    write_text(key_path, "nothing");
    ck_assert(!server_tls_look_at_files(tls));
    ck_assert(is_present(first));
    unlink(key_path);
    ck_assert(!server_tls_look_at_files(tls));
    ck_assert(is_present(first));
    write_pair("second", NULL);
    ck_assert(server_tls_look_at_files(tls));
    ck_assert(!is_present(first));
    tls_context_unref(first);
}
END_TEST

START_TEST(authorities_and_passwords_are_looked_at_too)    /* _i: the trust store, the file of the password */
{
    write_text(password_path, "sesame\nwhatever");
    write_pair("first", "sesame");
    set_text(&options.ssl_key_store_password, "wrong");
    set_text(&options.ssl_key_store_password_path, password_path);
    make();
    struct tls_context *first = server_tls_context(tls);
    if (_i == 0) {
        struct test_identity other =
            test_identity_make(&(struct test_identity_rules){.name = "other", .is_authority = true});
        test_identity_write_certificate(&other, trust_path);
        test_identity_release(&other);
    } else {
        write_text(password_path, "sesam");
        ck_assert(!server_tls_look_at_files(tls));
        ck_assert(is_present(first));
        write_text(password_path, "sesame");
    }
    ck_assert(server_tls_look_at_files(tls));
    ck_assert(!is_present(first));
    tls_context_unref(first);
}
END_TEST

START_TEST(a_reload_takes_paths_over_or_nothing)
{
    char moved[600];
    make();
    struct tls_context *first = server_tls_context(tls);
    server_tls_reload(tls, &options);
    ck_assert(!is_present(first));    /* whether or not the files changed */
    tls_context_unref(first);
    first = server_tls_context(tls);
    snprintf(moved, sizeof(moved), "%s/moved.pem", directory);
    set_text(&options.ssl_key_store_location, moved);
    server_tls_reload(tls, &options);
    ck_assert(is_present(first));
    write_pair("second", NULL);    /* the old path is the one that counts */
    ck_assert(server_tls_look_at_files(tls));
    ck_assert(!is_present(first));
    tls_context_unref(first);
    ck_assert_int_eq(rename(key_path, moved), 0);
    server_tls_reload(tls, &options);
    ck_assert(!server_tls_look_at_files(tls));
}
END_TEST

/* An option and its text, and what the refusal says. */
static const struct {
    size_t offset;
    const char *text, *says;
} refused[] = {
    {offsetof(struct server_options, ssl_key_store_location), NULL, "ssl.keyStore.location is not set"},
    {offsetof(struct server_options, ssl_key_store_location), "", "ssl.keyStore.location is not set"},
    {offsetof(struct server_options, ssl_key_store_location), "/nowhere.pem", "/nowhere.pem"},
    {offsetof(struct server_options, ssl_trust_store_location), NULL, "ssl.trustStore.location is not set"},
    {offsetof(struct server_options, ssl_trust_store_location), "/nowhere.pem", "/nowhere.pem"},
    {offsetof(struct server_options, ssl_trust_store_password_path), "/nowhere", "/nowhere"},
    {offsetof(struct server_options, ssl_key_store_type), "JKX", "ssl.keyStore.type=JKX"},
    {offsetof(struct server_options, ssl_trust_store_type), "BCFKS", "keytool"},
    {offsetof(struct server_options, ssl_client_auth), "must", "ssl.clientAuth=must"},
    {offsetof(struct server_options, ssl_enabled_protocols), "TLSv1", "TLSv1"},
    {offsetof(struct server_options, ssl_protocol), "SSLv3", "SSLv3"},
    {offsetof(struct server_options, ssl_ciphersuites), "NONE", "NONE"},
};
START_TEST(what_cannot_be_used_is_refused)    /* _i: a row */
{
    set_text((char **)(void *)((char *)&options + refused[_i].offset), refused[_i].text);
    ck_assert_int_eq(server_tls_new(&options, &tls, &error), ZK_BAD_CONFIG);
    ck_assert_msg(strstr(error.text, refused[_i].says) != NULL, "%s", error.text);
    ck_assert_ptr_null(tls);
}
END_TEST

START_TEST(who_asks_for_no_certificates_trusts_nobody)
{
    set_text(&options.ssl_trust_store_location, NULL);
    set_text(&options.ssl_client_auth, "NONE");
    make();
}
END_TEST

START_TEST(tls_is_wanted_by_either_port)
{
    ck_assert(!server_tls_is_wanted(&options));
    options.secure_client_port = 0;
    ck_assert(server_tls_is_wanted(&options));
    options.secure_client_port = -1;
    options.client_port_unification = true;
    ck_assert(server_tls_is_wanted(&options));
}
END_TEST

static Suite *server_tls_suite(void)
{
    Suite *suite = suite_create("server_tls");
    TCase *tcase = tcase_create("server_tls");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_present_one_stays_until_there_is_another);
    tcase_add_test(tcase, a_bad_file_changes_nothing_until_it_is_good);
    tcase_add_loop_test(tcase, authorities_and_passwords_are_looked_at_too, 0, 2);
    tcase_add_test(tcase, a_reload_takes_paths_over_or_nothing);
    tcase_add_loop_test(tcase, what_cannot_be_used_is_refused, 0, ARRAY_SIZE(refused));
    tcase_add_test(tcase, who_asks_for_no_certificates_trusts_nobody);
    tcase_add_test(tcase, tls_is_wanted_by_either_port);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(server_tls_suite)
