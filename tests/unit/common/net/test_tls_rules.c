/* Versions and cipher suites by name. */
#include "common/net/tls_rules.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/lib/check_main.h"

static SSL_CTX *context;

static void set_up(void)
{
    context = SSL_CTX_new(TLS_server_method());
    ck_assert_ptr_nonnull(context);
}

static void tear_down(void)
{
    SSL_CTX_free(context);
}

/* A list, and the least and the most of it; says: what a refusal names. */
static const struct {
    const char *list;
    int least, most;
    const char *says;
} protocols[] = {
    { NULL, TLS1_2_VERSION, TLS1_3_VERSION, NULL },
    { "TLSv1.2", TLS1_2_VERSION, TLS1_2_VERSION, NULL },
    { "TLSv1.3", TLS1_3_VERSION, TLS1_3_VERSION, NULL },
    { "tlsv1.3 , TLSv1.2,", TLS1_2_VERSION, TLS1_3_VERSION, NULL },
    { "TLSv1.2,TLSv1.1", 0, 0, "TLSv1.1" },
    { "TLSv1", 0, 0, "TLSv1 " },
    { "TLSv1.4", 0, 0, "TLSv1.4" },
    { "", 0, 0, "no version" },
    { " , ", 0, 0, "no version" },
};
START_TEST(versions_have_names)    /* _i: a row */
{
    struct error error = { 0 };
    int err = tls_rules_set_protocols(context, protocols[_i].list, &error);
    if (protocols[_i].says == NULL) {
        ck_assert_msg(err == ZK_OK, "%s", error.text);
        ck_assert_int_eq(SSL_CTX_get_min_proto_version(context), protocols[_i].least);
        ck_assert_int_eq(SSL_CTX_get_max_proto_version(context), protocols[_i].most);
    } else {
        ck_assert_int_eq(err, ZK_BAD_ARGUMENTS);
        ck_assert_msg(strstr(error.text, protocols[_i].says) != NULL, "%s", error.text);
    }
}
END_TEST

/* Permitted versions and suites; versions that are left, and a suite that is there; says: what a refusal names. */
static const struct {
    const char *protocols, *list;
    int least, most;
    const char *has, *says;
} suites[] = {
    { NULL, NULL, TLS1_2_VERSION, TLS1_3_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL },
    { NULL, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", TLS1_2_VERSION, TLS1_2_VERSION,
      "ECDHE-ECDSA-AES256-GCM-SHA384", NULL },
    { NULL, "ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL },
    { NULL, "TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", NULL },
    { NULL, "TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", TLS1_2_VERSION, TLS1_3_VERSION,
      "ECDHE-RSA-AES128-SHA256", NULL },
    { NULL, "TLS_NULL_WITH_WISHES", 0, 0, NULL, "TLS_NULL_WITH_WISHES" },
    { NULL, "TLS_RSA_WITH_NULL_SHA", 0, 0, NULL, "TLS_RSA_WITH_NULL_SHA" },
    { NULL, "ALL", 0, 0, NULL, "ALL" },
    { NULL, "", 0, 0, NULL, "none" },
    { "TLSv1.3", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0, 0, NULL, "none" },
    { "TLSv1.2", "TLS_AES_128_GCM_SHA256", 0, 0, NULL, "none" },
};

static bool has_suite(const char *name)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
        if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)), name) == 0)
            return true;
    return false;
}

START_TEST(suites_have_names)    /* _i: a row */
{
    struct error error = { 0 };
    ck_assert_int_eq(tls_rules_set_protocols(context, suites[_i].protocols, &error), ZK_OK);
    int err = tls_rules_set_cipher_suites(context, suites[_i].list, &error);
    if (suites[_i].says == NULL) {
        ck_assert_msg(err == ZK_OK, "%s", error.text);
        ck_assert_int_eq(SSL_CTX_get_min_proto_version(context), suites[_i].least);
        ck_assert_int_eq(SSL_CTX_get_max_proto_version(context), suites[_i].most);
        ck_assert(has_suite(suites[_i].has));
    } else {
        ck_assert_int_eq(err, ZK_BAD_ARGUMENTS);
        ck_assert_msg(strstr(error.text, suites[_i].says) != NULL, "%s", error.text);
    }
}
END_TEST

START_TEST(by_default_none_is_without_forward_secrecy_or_aead)
{
    ck_assert_int_eq(tls_rules_set_cipher_suites(context, NULL, NULL), ZK_OK);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context);
    ck_assert_int_gt(sk_SSL_CIPHER_num(all), 3);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(all, i);
        ck_assert_msg(SSL_CIPHER_is_aead(suite), "%s", SSL_CIPHER_get_name(suite));
        ck_assert(strncmp(SSL_CIPHER_get_name(suite), "ECDHE", 5) == 0 ||
                  strcmp(SSL_CIPHER_get_version(suite), "TLSv1.3") == 0);
    }
}
END_TEST

static Suite *tls_rules_suite(void)
{
    Suite *suite = suite_create("tls_rules");
    TCase *tcase = tcase_create("tls_rules");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, versions_have_names, 0, ARRAY_SIZE(protocols));
    tcase_add_loop_test(tcase, suites_have_names, 0, ARRAY_SIZE(suites));
    tcase_add_test(tcase, by_default_none_is_without_forward_secrecy_or_aead);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(tls_rules_suite)
