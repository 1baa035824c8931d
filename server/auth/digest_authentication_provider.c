/*
 * digest_authentication_provider.c - the scheme "digest": "user:password" proves the id "user:base64(digest)". Mirrors
 * org.apache.zookeeper.server.auth.DigestAuthenticationProvider.
 *
 * Every server of an ensemble must use the same algorithm, which goes by Java's name for it. The scheme knows no salt;
 * digests of weak passwords fall to whoever reads them, so they are masked from all without ADMIN, and compared in a
 * time that tells nothing.
 */
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/auth/auth_provider.h"

struct digest_authentication_provider {
    struct auth_provider base;
    const EVP_MD *algorithm;    /* OpenSSL's own, for the life of the process */
    char *super_digest;         /* NULL: there is no super user */
};

/* The names java.security.MessageDigest takes (any case), as far as OpenSSL has them; MD2 it has not. */
static const struct {
    const char *java_name;
    const EVP_MD *(*algorithm)(void);
} algorithms[] = {
    {"SHA1", EVP_sha1},
    {"SHA-1", EVP_sha1},
    {"SHA", EVP_sha1},
    {"MD5", EVP_md5},
    {"SHA-224", EVP_sha224},
    {"SHA224", EVP_sha224},
    {"SHA-256", EVP_sha256},
    {"SHA256", EVP_sha256},
    {"SHA-384", EVP_sha384},
    {"SHA384", EVP_sha384},
    {"SHA-512", EVP_sha512},
    {"SHA512", EVP_sha512},
    {"SHA-512/224", EVP_sha512_224},
    {"SHA512/224", EVP_sha512_224},
    {"SHA-512/256", EVP_sha512_256},
    {"SHA512/256", EVP_sha512_256},
    {"SHA3-224", EVP_sha3_224},
    {"SHA3-256", EVP_sha3_256},
    {"SHA3-384", EVP_sha3_384},
    {"SHA3-512", EVP_sha3_512},
};

static const EVP_MD *find_algorithm(const char *java_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (strcasecmp(java_name, algorithms[i].java_name) == 0)
            return algorithms[i].algorithm();
    return NULL;
}

/* Overwrites what held a password, in a way that is not optimised away. */
static void wipe(void *secret, size_t size)
{
    explicit_bzero(secret, size);
}

/* generateDigest(new String(bytes)): malformed bytes are digested as the characters that stand for them. False when the
 * algorithm fails. */
static bool generate_digest(const EVP_MD *algorithm, const void *bytes, size_t size, struct buffer *ret_id)
{
    struct arena arena;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size;
    const char *text = bytes;
    char *repaired = NULL;
    arena_init(&arena, NULL, 0);
    if (!utf8_is_valid(text, size))
        text = repaired = utf8_repair(&arena, bytes, size, &size);

    bool is_done = EVP_Digest(text, size, digest, &digest_size, algorithm, NULL) == 1;
    if (is_done) {
        const char *colon = size == 0 ? NULL : memchr(text, ':', size);
        char *encoded = base64_encode(digest, digest_size);
        buffer_append(ret_id, text, colon == NULL ? size : (size_t)(colon - text));
        buffer_append_byte(ret_id, ':');
        buffer_append_string(ret_id, encoded);
        memory_free(encoded);
    }
    if (repaired != NULL)
        wipe(repaired, size);
    arena_release(&arena);
    return is_done;
}

static bool equal_constant_time(struct ustring a, struct ustring b)
{
    return a.size == b.size && a.size >= 0 && bytes_equal_constant_time(a.bytes, b.bytes, (size_t)a.size);
}

static int digest_handle_authentication(struct auth_provider *self, const struct auth_peer *peer,
                                        struct slice auth_data,
                                        struct auth_info **info)
{
    (void)peer;
    struct digest_authentication_provider *provider = container_of(self, struct digest_authentication_provider, base);
    const struct zk_id super = {ustring_of("super"), ustring_of("")};
    struct buffer digest = {0};
    int err = ZK_AUTH_FAILED;
    if (auth_data.bytes == NULL)    /* where Java trips over its null */
        return err;
    if (!generate_digest(provider->algorithm, auth_data.bytes, auth_data.size, &digest)) {
        log_error("Missing algorithm %s", EVP_MD_get0_name(provider->algorithm));
        goto out;
    }
    if (digest.size > AUTH_INFO_MOST_BYTES || !auth_info_has_room(*info, 2, digest.size + 16)) {
        log_warn("a peer that holds %d ids wants more than it may have", (*info)->ids.count);
        goto out;
    }
    struct zk_id id = {ustring_of(self->scheme), {(const char *)digest.bytes, (int32_t)digest.size}};
    if (equal_constant_time(id.id, ustring_of(provider->super_digest)))
        *info = auth_info_add(*info, &super);
    *info = auth_info_add(*info, &id);
    err = ZK_OK;
out:
    buffer_release(&digest);
    return err;
}

static bool digest_matches(struct auth_provider *self, struct ustring id, struct ustring acl_expression)
{
    (void)self;
    return equal_constant_time(id, acl_expression);
}

/* id.split(":").length == 2, where Java drops empty parts at the end: ":b" and "a:b::" are valid, "a:" is not. */
static bool digest_is_valid(struct auth_provider *self, struct ustring id)
{
    (void)self;
    int32_t size = id.size, colons = 0;
    while (size > 0 && id.bytes[size - 1] == ':')
        size--;
    for (int32_t i = 0; i < size; i++)
        colons += id.bytes[i] == ':';
    return colons == 1;
}

static struct ustring digest_user_name(struct auth_provider *self, struct ustring id)
{
    (void)self;
    if (id.size <= 0)
        return id;
    const char *colon = memchr(id.bytes, ':', (size_t)id.size);
    return (struct ustring){id.bytes, colon == NULL ? id.size : (int32_t)(colon - id.bytes)};
}

static void digest_free(struct auth_provider *self)
{
    if (self == NULL)
        return;
    struct digest_authentication_provider *provider = container_of(self, struct digest_authentication_provider, base);
    if (provider->super_digest != NULL)
        memory_free_secret(provider->super_digest, strlen(provider->super_digest));
    memory_free(provider);
}

/*
 * A build or a setting of OpenSSL may be without one. SHA-1 is in all of them and is not asked for: to ask sets up the
 * whole library, 2 MB of a server that perhaps never needs it.
 */
static bool is_available(const EVP_MD *algorithm)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size;
    return algorithm == EVP_sha1() || EVP_Digest("", 0, digest, &digest_size, algorithm, NULL) == 1;
}

int digest_authentication_provider_new(const char *digest_algorithm, const char *super_digest,
                                       struct auth_provider **ret_provider, struct error *error)
{
    const EVP_MD *algorithm = find_algorithm(digest_algorithm);
    if (algorithm == NULL || !is_available(algorithm))
        return error_set(error, ZK_BAD_CONFIG,
                         "the digest algorithm %s is not there; SHA1, SHA-256, SHA-384, SHA-512, SHA3-256, SHA3-512 "
                         "and MD5 are",
                         digest_algorithm);
    struct digest_authentication_provider *provider = MEMORY_NEW(struct digest_authentication_provider);
    provider->base = (struct auth_provider){
        .scheme = "digest",
        .is_authenticated = true,
        .handle_authentication = digest_handle_authentication,
        .matches = digest_matches,
        .is_valid = digest_is_valid,
        .user_name = digest_user_name,
        .free = digest_free,
    };
    provider->algorithm = algorithm;
    provider->super_digest = super_digest == NULL ? NULL : string_copy(super_digest);
    log_info("ACL digest algorithm is: %s", digest_algorithm);
    *ret_provider = &provider->base;
    return ZK_OK;
}

char *digest_authentication_generate(const char *digest_algorithm, const void *id_password, size_t size)
{
    const EVP_MD *algorithm = find_algorithm(digest_algorithm);
    struct buffer id = {0};
    if (algorithm == NULL || !generate_digest(algorithm, id_password, size, &id))
        return NULL;
    return buffer_detach(&id);
}
