/* tls_files.c - see tls_files.h. */
#include "tests/unit/common/net/tls_files.h"

#include <check.h>
#include <stdio.h>

#include "common/base/memory.h"
#include "tests/lib/test_directory.h"

struct tls_identities identities;
struct tls_files files;

static char directory[TEST_DIRECTORY_SIZE];

static void name_file(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", directory, name);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static struct test_identity server_with(const char *alternatives, const struct test_identity *issuer, int from, int to)
{
    return test_identity_make(&(struct test_identity_rules){ .name = HOST, .subject_alternatives = alternatives,
                                                             .issuer = issuer, .from_days = from, .to_days = to });
}

void tls_files_make(void)
{
    test_directory_make(directory);
    name_file(files.ca, "ca.pem");
    name_file(files.client, "client.pem");
    name_file(files.client_key, "client.key");
    name_file(files.encrypted_key, "encrypted.key");
    name_file(files.both, "both.pem");
    name_file(files.stranger_key, "stranger.key");
    name_file(files.empty, "empty.pem");
    name_file(files.garbage, "garbage.pem");
    name_file(files.server, "server.pem");
    name_file(files.server_p12, "server.p12");
    name_file(files.trust_p12, "trust.p12");
    name_file(files.stranger_both, "stranger.pem");
    name_file(files.jks, "store.jks");
    name_file(files.listed, "listed.pem");
    name_file(files.revoked, "revoked.pem");
    name_file(files.half_listed, "half_listed.pem");
    name_file(files.guest, "guest.pem");
    name_file(files.branch, "branch.pem");
    name_file(files.cut_off, "cut_off.pem");
    identities.authority =
        test_identity_make(&(struct test_identity_rules){ .name = "authority", .is_authority = true });
    identities.stranger = test_identity_make(&(struct test_identity_rules){ .name = "stranger", .is_authority = true });
    identities.server = server_with("DNS:" HOST ",DNS:*.wild.example", &identities.authority, 0, 0);
    identities.server_elsewhere = server_with("DNS:elsewhere.example", &identities.authority, 0, 0);
    identities.server_expired = server_with("DNS:" HOST, &identities.authority, -2, -1);
    identities.server_of_tomorrow = server_with("DNS:" HOST, &identities.authority, 1, 2);
    identities.server_own = server_with("DNS:" HOST, NULL, 0, 0);
    identities.server_of_stranger = server_with("DNS:" HOST, &identities.stranger, 0, 0);
    identities.server_by_ip = server_with("IP:127.0.0.1,IP:::1", &identities.authority, 0, 0);
    identities.server_by_cn = server_with(NULL, &identities.authority, 0, 0);
    identities.client_of_authority =
        test_identity_make(&(struct test_identity_rules){ .name = "client", .issuer = &identities.authority });
    identities.guest = test_identity_make(&(struct test_identity_rules){
        .name = "guest", .issuer = &identities.stranger, .subject_alternatives = "IP:127.0.0.1" });
    test_identity_write_key(&identities.guest, NULL, files.guest);
    test_identity_write_certificate(&identities.guest, files.guest);
    struct test_identity branch = test_identity_make(
        &(struct test_identity_rules){ .name = "branch", .is_authority = true, .issuer = &identities.authority });
    struct test_identity of_branch =
        test_identity_make(&(struct test_identity_rules){ .name = "leaf", .issuer = &branch });
    test_identity_write_key(&of_branch, NULL, files.branch);
    test_identity_write_certificate(&of_branch, files.branch);
    test_identity_write_certificate(&branch, files.branch);
    test_identity_write_certificate(&identities.authority, files.cut_off);
    test_identity_write_revocations(&identities.authority, &branch, files.cut_off);
    test_identity_write_certificate(&identities.authority, files.listed);
    test_identity_write_revocations(&branch, NULL, files.listed);
    test_identity_release(&branch);
    test_identity_release(&of_branch);
    test_identity_write_revocations(&identities.authority, &identities.server, files.listed);
    test_identity_write_certificate(&identities.authority, files.revoked);
    test_identity_write_revocations(&identities.authority, &identities.client_of_authority, files.revoked);
    test_identity_write_certificate(&identities.authority, files.half_listed);
    test_identity_write_revocations(&identities.authority, NULL, files.half_listed);
    test_identity_write_certificate(&identities.stranger, files.half_listed);
    test_identity_write_certificate(&identities.authority, files.ca);
    test_identity_write_certificate(&identities.client_of_authority, files.client);
    test_identity_write_certificate(&identities.authority, files.client);
    test_identity_write_key(&identities.client_of_authority, NULL, files.client_key);
    test_identity_write_key(&identities.client_of_authority, "sesame", files.encrypted_key);
    test_identity_write_key(&identities.client_of_authority, NULL, files.both);
    test_identity_write_certificate(&identities.client_of_authority, files.both);
    test_identity_write_key(&identities.stranger, NULL, files.stranger_key);
    test_identity_write_certificate(&identities.stranger, files.stranger_both);
    test_identity_write_key(&identities.stranger, NULL, files.stranger_both);
    test_identity_write_certificate(&identities.server, files.server);
    test_identity_write_key(&identities.server, "sesame", files.server);
    test_identity_write_pkcs12(&identities.server, &identities.authority, "sesame", files.server_p12);
    test_identity_write_pkcs12_trust(&identities.authority, "sesame", files.trust_p12);
    write_text(files.jks, "\xfe\xed\xfe\xed whatever");
    write_text(files.empty, "");
    write_text(files.garbage, "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n");
}

void tls_files_remove(void)
{
    struct test_identity *all[] = {
        &identities.authority, &identities.stranger, &identities.server, &identities.server_elsewhere,
        &identities.server_expired, &identities.server_of_tomorrow, &identities.server_own,
        &identities.server_of_stranger, &identities.server_by_ip, &identities.server_by_cn,
        &identities.client_of_authority, &identities.guest,
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        test_identity_release(all[i]);
    test_directory_remove(directory);
}
