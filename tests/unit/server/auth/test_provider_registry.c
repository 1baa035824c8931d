/* Which schemes a server has. */
#include <string.h>

#include "common/base/memory.h"
#include "server/auth/auth_provider.h"
#include "tests/lib/check_main.h"

static char sha1[] = "SHA1", x509[] = "x509", other[] = "other", no_algorithm[] = "ROT13";
static struct server_options options;
static struct provider_registry *registry;

static void set_up(void)
{
    options = (struct server_options){
        .digest_authentication_provider_enabled = true,
        .digest_authentication_provider_digest_alg = sha1,
        .ssl_auth_provider = x509,
        .secure_client_port = -1,
    };
    registry = NULL;
}

static void tear_down(void)
{
    provider_registry_free(registry);
    properties_release(&options.auth_providers);
}

static const char *list(void)
{
    static char text[256];
    struct buffer out = {0};
    provider_registry_list(registry, &out);
    strncpy(text, buffer_string(&out), sizeof(text) - 1);
    buffer_release(&out);
    return text;
}

START_TEST(ip_and_digest_are_there_in_javas_order)
{
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_str_eq(list(), "ip digest ");
    ck_assert_str_eq(provider_registry_find(registry, ustring_of("ip"))->scheme, "ip");
    ck_assert_str_eq(provider_registry_find(registry, ustring_of("digest"))->scheme, "digest");
}
END_TEST

START_TEST(no_other_scheme_is_there)
{
    static const char *const schemes[] = {"world", "auth", "super", "sasl", "x509", "Digest", "ipp", "", NULL};
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        ck_assert_ptr_null(provider_registry_find(registry, ustring_of(schemes[i])));
}
END_TEST

START_TEST(digest_may_be_switched_off)
{
    options.digest_authentication_provider_enabled = false;
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_str_eq(list(), "ip ");
}
END_TEST

START_TEST(a_class_of_ours_may_be_named)
{
    options.digest_authentication_provider_enabled = false;
    properties_set(&options.auth_providers, "authProvider.1",
                   "org.apache.zookeeper.server.auth.DigestAuthenticationProvider", 1);
    properties_set(&options.auth_providers, "authProvider.2",
                   "org.apache.zookeeper.server.auth.IPAuthenticationProvider", 2);
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_str_eq(list(), "ip digest ");
}
END_TEST

START_TEST(a_class_of_java_that_is_not_here_yet_is_no_reason_not_to_start)
{
    properties_set(&options.auth_providers, "authProvider.1",
                   "org.apache.zookeeper.server.auth.SASLAuthenticationProvider", 1);
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_str_eq(list(), "ip digest ");
}
END_TEST

START_TEST(with_tls_there_is_one_for_certificates)    /* _i: the secure port, port unification */
{
    options.secure_client_port = _i == 0 ? 0 : -1;
    options.client_port_unification = _i == 1;
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_ptr_nonnull(provider_registry_find(registry, ustring_of("x509")));
}
END_TEST

START_TEST(it_may_be_named_without_tls_too)
{
    properties_set(&options.auth_providers, "authProvider.x509",
                   "org.apache.zookeeper.server.auth.X509AuthenticationProvider", 1);
    ck_assert_int_eq(provider_registry_new(&options, &registry, NULL), ZK_OK);
    ck_assert_ptr_nonnull(provider_registry_find(registry, ustring_of("x509")));
}
END_TEST

START_TEST(certificates_that_nobody_judges_end_the_start)
{
    struct error error = {0};
    options.ssl_auth_provider = other;
    ck_assert_int_eq(provider_registry_new(&options, &registry, &error), ZK_OK);
    provider_registry_free(registry);
    registry = NULL;
    options.secure_client_port = 2281;
    ck_assert_int_eq(provider_registry_new(&options, &registry, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "ssl.authProvider=other"));
}
END_TEST

START_TEST(any_other_class_ends_the_start)
{
    struct error error = {0};
    properties_set(&options.auth_providers, "authProvider.1", "com.example.Kerberos", 1);
    ck_assert_int_eq(provider_registry_new(&options, &registry, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "authProvider.1=com.example.Kerberos"));
}
END_TEST

START_TEST(an_unknown_algorithm_ends_the_start)
{
    struct error error = {0};
    options.digest_authentication_provider_digest_alg = no_algorithm;
    ck_assert_int_eq(provider_registry_new(&options, &registry, &error), ZK_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(error.text, "ROT13"));
}
END_TEST

static Suite *provider_registry_suite(void)
{
    Suite *suite = suite_create("provider_registry");
    TCase *tcase = tcase_create("provider_registry");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, ip_and_digest_are_there_in_javas_order);
    tcase_add_test(tcase, no_other_scheme_is_there);
    tcase_add_test(tcase, digest_may_be_switched_off);
    tcase_add_test(tcase, a_class_of_ours_may_be_named);
    tcase_add_test(tcase, a_class_of_java_that_is_not_here_yet_is_no_reason_not_to_start);
    tcase_add_loop_test(tcase, with_tls_there_is_one_for_certificates, 0, 2);
    tcase_add_test(tcase, it_may_be_named_without_tls_too);
    tcase_add_test(tcase, certificates_that_nobody_judges_end_the_start);
    tcase_add_test(tcase, any_other_class_ends_the_start);
    tcase_add_test(tcase, an_unknown_algorithm_ends_the_start);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(provider_registry_suite)
