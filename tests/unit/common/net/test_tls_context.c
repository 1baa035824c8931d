/* test_tls_context.c - what a context is made of: files that are good, and what is said of those that are not. */
#include "common/net/tls_context.h"

#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"
#include "tests/unit/common/net/tls_ends.h"

static const struct {
    struct tls_client_options options;
    int err;
    const char *says, *path;
} contexts[] = {
    { { .trust_path = files.ca }, ZK_OK, NULL, NULL },
    { { .trust_path = NULL }, ZK_OK, NULL, NULL },
    { { .trust_path = files.ca, .certificate_path = files.both }, ZK_OK, NULL, NULL },
    { { .trust_path = files.ca, .certificate_path = files.client, .key_path = files.client_key }, ZK_OK, NULL, NULL },
    { { .trust_path = files.client }, ZK_OK, NULL, NULL },
    { { .trust_path = files.trust_p12, .trust_password = "sesame" }, ZK_OK, NULL, NULL },
    { { .trust_path = files.ca, .certificate_path = files.server_p12, .key_password = "sesame" }, ZK_OK, NULL, NULL },
    { { .trust_path = files.trust_p12, .trust_password = "open" }, ZK_BAD_ARGUMENTS,
      "password given", files.trust_p12 },
    { { .trust_path = files.trust_p12 }, ZK_BAD_ARGUMENTS, "no password was given", files.trust_p12 },
    { { .trust_path = files.jks }, ZK_BAD_ARGUMENTS, "keytool -importkeystore", files.jks },
    { { .trust_path = files.ca, .certificate_path = files.trust_p12, .key_password = "sesame" }, ZK_BAD_ARGUMENTS,
      "no private key", files.trust_p12 },
    { { .trust_path = "/no/such/file" }, ZK_NOT_FOUND, "No such file", "/no/such/file" },
    { { .trust_path = files.empty }, ZK_BAD_ARGUMENTS, "no certificate", files.empty },
    { { .trust_path = files.client_key }, ZK_BAD_ARGUMENTS, "no certificate", files.client_key },
    { { .trust_path = files.garbage }, ZK_BAD_ARGUMENTS, "", files.garbage },
    { { .trust_path = files.ca, .certificate_path = "/no/such/file" }, ZK_NOT_FOUND, "", "/no/such/file" },
    { { .trust_path = files.ca, .certificate_path = files.empty }, ZK_BAD_ARGUMENTS, "no certificate", files.empty },
    { { .trust_path = files.ca, .certificate_path = files.garbage }, ZK_BAD_ARGUMENTS, "", files.garbage },
    { { .trust_path = files.ca, .certificate_path = files.client }, ZK_BAD_ARGUMENTS, "no private key", files.client },
    { { .trust_path = files.ca, .certificate_path = files.client, .key_path = files.empty }, ZK_BAD_ARGUMENTS,
      "no private key", files.empty },
    { { .trust_path = files.ca, .certificate_path = files.client, .key_path = files.stranger_key }, ZK_BAD_ARGUMENTS,
      "mismatch", files.stranger_key },
    { { .trust_path = files.ca, .certificate_path = files.client, .key_path = files.encrypted_key }, ZK_BAD_ARGUMENTS,
      "no password was given", files.encrypted_key },
    { { .trust_path = files.ca, .certificate_path = files.client, .key_path = files.encrypted_key,
        .key_password = "open" }, ZK_BAD_ARGUMENTS, "password given", files.encrypted_key },
};
START_TEST(files_are_judged_when_they_are_read)
{
    struct tls_context *context = NULL;
    struct error error = { 0 };
    int err = tls_context_new_client(&contexts[_i].options, &context, &error);
    ck_assert_msg(err == contexts[_i].err, "row %d: %d, %s", _i, err, error.text);
    ck_assert_int_eq(context != NULL, err == ZK_OK);
    if (contexts[_i].says != NULL) {
        ck_assert_msg(strstr(error.text, contexts[_i].says) != NULL, "row %d: %s", _i, error.text);
        ck_assert_msg(strstr(error.text, contexts[_i].path) != NULL, "row %d: %s", _i, error.text);
    }
    tls_context_unref(context);
}
END_TEST

START_TEST(lists_that_are_asked_for_must_be_there)
{
    struct tls_server_options options = { .key_store_path = files.server, .key_store_password = "sesame",
                                          .trust_path = files.ca, .client_auth = TLS_CLIENT_AUTH_NEED,
                                          .needs_revocation_lists = true };
    struct tls_context *context;
    struct error error = { 0 };
    ck_assert_int_eq(tls_context_new_server(&options, &context, &error), ZK_BAD_ARGUMENTS);
    ck_assert_msg(strstr(error.text, files.ca) != NULL, "%s", error.text);
    options.client_auth = TLS_CLIENT_AUTH_NONE;    /* nobody is looked at */
    ck_assert_int_eq(tls_context_new_server(&options, &context, &error), ZK_OK);
    tls_context_unref(context);
}
END_TEST

START_TEST(contexts_are_as_many_as_one_likes)
{
    struct tls_client_options options = { .trust_path = files.ca };
    for (int i = 0; i < 400; i++) {
        struct tls_context *context = new_context(&options);
        tls_context_unref(tls_context_ref(context));
        tls_context_unref(context);
    }
    struct server_rules rules = { .identity = &identities.server };
    struct ends ends = ends_new(&rules, &options, HOST);
    assert_hands_shaken(&ends);
    ends_release(&ends);
}
END_TEST

static Suite *tls_context_suite(void)
{
    Suite *suite = suite_create("tls_context");
    TCase *tcase = tcase_create("tls_context");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, tls_files_make, tls_files_remove);
    tcase_add_loop_test(tcase, files_are_judged_when_they_are_read, 0, ARRAY_SIZE(contexts));
    tcase_add_test(tcase, lists_that_are_asked_for_must_be_there);
    tcase_add_test(tcase, contexts_are_as_many_as_one_likes);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_context_suite)
