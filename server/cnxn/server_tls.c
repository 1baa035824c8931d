/*
 * server_tls.c - the certificates of the ports for clients, and their replacement while the server runs.
 *
 *   zoo.cfg --> rules --+--> [ build ] --> present --> next connection
 *   files --> stamps ---+
 * (1) A context is built whole before it takes the place of the present one, so a bad file changes nothing.
 * (2) Stamps are taken before the files are read: what changes meanwhile is seen by the next look.
 * (3) No session of TLS outlives its connection (tls_context.h), so who comes back is judged by the present context.
 * Departs from Java: there the key store counts from its next change, the trust store of connections that asked for it;
 * here both at once. Without files, a server with TLS does not start (Java's does, and refuses each client).
 */
#include "server/cnxn/server_tls.h"

#include <openssl/crypto.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/periodic_task.h"

#define LOOK_AT_FILES_MS 1000
#define PASSWORD_FILE_LIMIT 4096

/* A store and its password, as the options name them. */
struct store_rules {
    char *location, *password, *password_path;
};

enum { FILE_COUNT = 4 };    /* stores and files with passwords */
struct file_state {
    bool is_there;
    struct file_stamp stamp;
};

struct server_tls {
    struct mutex lock;
    struct tls_context *present GUARDED_BY(lock);

    struct mutex reload_lock;    /* one reads files at a time; outside of the other */
    struct store_rules key, trust GUARDED_BY(reload_lock);
    struct file_state files[FILE_COUNT] GUARDED_BY(reload_lock);
    bool has_failed GUARDED_BY(reload_lock);    /* the last time they were read; so again, if in silence */

    /* Set once. */
    char *protocols, *cipher_suites;
    enum tls_client_auth client_auth;
    bool verifies_client_host, needs_revocation_lists, asks_responders;
    struct periodic_task *watcher;    /* NULL: nobody looks */
};

/* ---- options ---- */

static char *copy_unless_empty(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : string_copy(text);
}

static void free_secret(char *secret)
{
    if (secret != NULL)
        memory_free_secret(secret, strlen(secret));
}

static void store_rules_release(struct store_rules *rules)
{
    memory_free(rules->location);
    free_secret(rules->password);
    memory_free(rules->password_path);
    *rules = (struct store_rules){NULL, NULL, NULL};
}

static struct store_rules key_rules(const struct server_options *options)
{
    return (struct store_rules){copy_unless_empty(options->ssl_key_store_location),
                                copy_unless_empty(options->ssl_key_store_password),
                                copy_unless_empty(options->ssl_key_store_password_path)};
}

static struct store_rules trust_rules(const struct server_options *options)
{
    return (struct store_rules){copy_unless_empty(options->ssl_trust_store_location),
                                copy_unless_empty(options->ssl_trust_store_password),
                                copy_unless_empty(options->ssl_trust_store_password_path)};
}

static int parse_client_auth(const char *text, enum tls_client_auth *ret_auth, struct error *error)
{
    static const char *const names[] = {
        [TLS_CLIENT_AUTH_NONE] = "none", [TLS_CLIENT_AUTH_WANT] = "want", [TLS_CLIENT_AUTH_NEED] = "need"};
    *ret_auth = TLS_CLIENT_AUTH_NEED;
    if (text == NULL || *text == '\0')
        return ZK_OK;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (string_equals_ignore_case(text, names[i])) {
            *ret_auth = (enum tls_client_auth)i;
            return ZK_OK;
        }
    }
    return error_set(error, ZK_BAD_CONFIG, "ssl.clientAuth=%s: must be none, want or need", text);
}

/* What the file holds counts; but what Java does not know is a mistake here too. */
static int check_type(const char *key, const char *type, struct error *error)
{
    static const char *const types[] = {"JKS", "PEM", "PKCS12", ""};
    if (type != NULL && strcmp(type, "BCFKS") == 0)
        return error_set(error, ZK_BAD_CONFIG, "%s=BCFKS: such a store is for Java only; convert it with keytool "
                         "-importkeystore -srcstoretype BCFKS -deststoretype PKCS12", key);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (type == NULL || strcmp(type, types[i]) == 0)
            return ZK_OK;
    return error_set(error, ZK_BAD_CONFIG, "%s=%s: must be PEM or PKCS12", key, type);
}

static int check_options(const struct server_tls *tls, const struct server_options *options, struct error *error)
{
    int err = check_type("ssl.keyStore.type", options->ssl_key_store_type, error);
    if (err == ZK_OK)
        err = check_type("ssl.trustStore.type", options->ssl_trust_store_type, error);
    if (err != ZK_OK)
        return err;
    if (tls->key.location == NULL)
        return error_set(error, ZK_BAD_CONFIG,
                         "ssl.keyStore.location is not set; a port with TLS needs a key and a certificate");
    if (tls->trust.location == NULL && tls->client_auth != TLS_CLIENT_AUTH_NONE)
        return error_set(error, ZK_BAD_CONFIG,
                         "ssl.trustStore.location is not set; it names the authorities of clients, which only "
                         "ssl.clientAuth=none does without");
    return ZK_OK;
}

/* ---- reading ---- */

/* *ret_password: the caller's, NULL when there is none. */
static int read_password(const struct store_rules *rules, char **ret_password, struct error *error)
{
    struct buffer content = {0};
    if (rules->password_path == NULL) {
        *ret_password = copy_unless_empty(rules->password);
        return ZK_OK;
    }
    int err = file_read_all(rules->password_path, PASSWORD_FILE_LIMIT, &content, error);
    if (err == ZK_OK) {
        const char *text = buffer_string(&content);
        *ret_password = string_copy_n(text, strcspn(text, "\r\n"));
    }
    if (content.bytes != NULL)
        OPENSSL_cleanse(content.bytes, content.capacity);
    buffer_release(&content);
    return err;
}

static int build(struct server_tls *tls, struct tls_context **ret_context, struct error *error)
    REQUIRES(tls->reload_lock)
{
    char *key_password = NULL, *trust_password = NULL;
    int err = read_password(&tls->key, &key_password, error);
    if (err == ZK_OK)
        err = read_password(&tls->trust, &trust_password, error);
    struct tls_server_options options = {
        .key_store_path = tls->key.location,
        .key_store_password = key_password,
        .trust_path = tls->trust.location,
        .trust_password = trust_password,
        .client_auth = tls->client_auth,
        .protocols = tls->protocols,
        .cipher_suites = tls->cipher_suites,
        .verifies_client_host = tls->verifies_client_host,
        .needs_revocation_lists = tls->needs_revocation_lists,
    };
    if (err == ZK_OK)
        err = tls_context_new_server(&options, ret_context, error);
    free_secret(key_password);
    free_secret(trust_password);
    return err;
}

static void look(struct server_tls *tls, struct file_state states[FILE_COUNT]) REQUIRES(tls->reload_lock)
{
    const char *paths[FILE_COUNT] = {tls->key.location, tls->key.password_path, tls->trust.location,
                                     tls->trust.password_path};
    for (int i = 0; i < FILE_COUNT; i++) {
        states[i] = (struct file_state){.is_there = false};
        states[i].is_there = paths[i] != NULL && file_stamp(paths[i], &states[i].stamp, NULL) == ZK_OK;
    }
}

static bool are_equal(const struct file_state *a, const struct file_state *b)
{
    for (int i = 0; i < FILE_COUNT; i++)
        if (a[i].is_there != b[i].is_there || (a[i].is_there && !file_stamp_equal(&a[i].stamp, &b[i].stamp)))
            return false;
    return true;
}

/* (1), (2) */
static int read_files(struct server_tls *tls, struct error *error) REQUIRES(tls->reload_lock)
{
    struct tls_context *fresh;
    look(tls, tls->files);
    int err = build(tls, &fresh, error);
    tls->has_failed = err != ZK_OK;
    if (err != ZK_OK)
        return err;
    mutex_lock(&tls->lock);
    struct tls_context *old = tls->present;
    tls->present = fresh;
    mutex_unlock(&tls->lock);
    tls_context_unref(old);
    return ZK_OK;
}

static void log_success(const struct server_tls *tls)
{
    log_info("TLS of clients: certificates were read anew from %s", tls->key.location);
}

static void log_failure(const struct error *error)
{
    log_error("TLS of clients: certificates cannot be read anew, the old ones stay in use: %s", error->text);
}

/* ---- life ---- */

bool server_tls_is_wanted(const struct server_options *options)
{
    return options->secure_client_port >= 0 || options->client_port_unification;
}

int server_tls_new(const struct server_options *options, struct server_tls **ret_tls, struct error *error)
{
    struct server_tls *tls = MEMORY_NEW(struct server_tls);
    mutex_init(&tls->lock);
    mutex_init(&tls->reload_lock);
    const char *protocols = options->ssl_enabled_protocols;
    tls->protocols = copy_unless_empty(protocols != NULL ? protocols : options->ssl_protocol);
    tls->cipher_suites = copy_unless_empty(options->ssl_ciphersuites);
    tls->verifies_client_host = options->ssl_hostname_verification && options->ssl_client_hostname_verification;
    tls->needs_revocation_lists = options->ssl_crl;
    tls->asks_responders = options->ssl_ocsp;
    mutex_lock(&tls->reload_lock);
    tls->key = key_rules(options);
    tls->trust = trust_rules(options);
    int err = parse_client_auth(options->ssl_client_auth, &tls->client_auth, error);
    if (err == ZK_OK)
        err = check_options(tls, options, error);
    if (err == ZK_OK && read_files(tls, error) != ZK_OK) {
        error_prefix(error, "TLS of clients");
        err = ZK_BAD_CONFIG;
    }
    mutex_unlock(&tls->reload_lock);
    if (err == ZK_OK)
        *ret_tls = tls;
    else
        server_tls_free(tls);
    return err;
}

int server_tls_new_client_context(const struct server_options *options, struct tls_context **ret_context,
                                  struct error *error)
{
    struct store_rules key = key_rules(options), trust = trust_rules(options);
    char *key_password = NULL, *trust_password = NULL;
    int err = read_password(&key, &key_password, error);
    if (err == ZK_OK)
        err = read_password(&trust, &trust_password, error);
    struct tls_client_options client = {
        .trust_path = trust.location,
        .trust_password = trust_password,
        .certificate_path = key.location,
        .key_password = key_password,
    };
    if (err == ZK_OK)
        err = tls_context_new_client(&client, ret_context, error);
    free_secret(key_password);
    free_secret(trust_password);
    store_rules_release(&key);
    store_rules_release(&trust);
    return err;
}

bool server_tls_asks_responders(const struct server_tls *tls)
{
    return tls->asks_responders;
}

struct tls_context *server_tls_context(struct server_tls *tls)
{
    mutex_lock(&tls->lock);
    struct tls_context *context = tls_context_ref(tls->present);
    mutex_unlock(&tls->lock);
    return context;
}

void server_tls_reload(struct server_tls *tls, const struct server_options *options)
{
    mutex_lock(&tls->reload_lock);
    struct store_rules old_key = tls->key, old_trust = tls->trust;
    struct error error = {0};
    tls->key = key_rules(options);
    tls->trust = trust_rules(options);
    int err = check_options(tls, options, &error);
    if (err == ZK_OK)
        err = read_files(tls, &error);
    if (err == ZK_OK) {
        log_success(tls);
        store_rules_release(&old_key);
        store_rules_release(&old_trust);
    } else {
        log_failure(&error);
        store_rules_release(&tls->key);
        store_rules_release(&tls->trust);
        tls->key = old_key;
        tls->trust = old_trust;
    }
    mutex_unlock(&tls->reload_lock);
}

bool server_tls_look_at_files(struct server_tls *tls)
{
    struct file_state states[FILE_COUNT];
    struct error error = {0};
    mutex_lock(&tls->reload_lock);
    look(tls, states);
    bool has_changed = !are_equal(states, tls->files), is_due = has_changed || tls->has_failed;
    int err = is_due ? read_files(tls, &error) : ZK_OK;
    if (is_due && err == ZK_OK)
        log_success(tls);
    else if (has_changed)
        log_failure(&error);
    mutex_unlock(&tls->reload_lock);
    return is_due && err == ZK_OK;
}

static void watch(void *arg)
{
    server_tls_look_at_files(arg);
}

void server_tls_watch_files(struct server_tls *tls)
{
    tls->watcher = periodic_task_start("FileChangeWatcher", LOOK_AT_FILES_MS, LOOK_AT_FILES_MS, watch, tls);
}

void server_tls_free(struct server_tls *tls)
{
    if (tls == NULL)
        return;
    periodic_task_stop(tls->watcher);
    tls_context_unref(tls->present);
    mutex_lock(&tls->reload_lock);
    store_rules_release(&tls->key);
    store_rules_release(&tls->trust);
    mutex_unlock(&tls->reload_lock);
    memory_free(tls->protocols);
    memory_free(tls->cipher_suites);
    mutex_release(&tls->lock);
    mutex_release(&tls->reload_lock);
    memory_free(tls);
}
