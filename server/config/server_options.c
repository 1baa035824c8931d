/*
 * server_options.c - from zoo.cfg and -D to struct server_options.
 *
 * Mirrors QuorumPeerConfig.parseProperties and ServerConfig. Java knows some keys by name and turns every other into a
 * property that whoever wants it reads later, so that a misspelt one is never noticed and many a wrong value becomes a
 * default. Here one table knows all keys; what is not in it is kept as in Java, and said.
 */
#include "server/config/server_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define ZOOKEEPER_PREFIX "zookeeper."
enum {
    LEAST_SNAP_RETAIN_COUNT = 3,
    LEAST_COMMIT_LOG_COUNT = 500,
    LEAST_JUTE_EXTRA_SIZE = 1024,
    MYID_FILE_LIMIT = 4096
};

const struct option server_option_table[] = {
#define OPTION(field, ...) OPTION_ROW(struct server_options, field, __VA_ARGS__)
#include "server/config/server_options.def"
#undef OPTION
};
const size_t server_option_count = ARRAY_SIZE(server_option_table);

/* Where a setting stands: a line of a file, or the command line (NULL). */
struct place {
    const char *path;
    int line;
};

/* "zoo.cfg:12: " or "-D", in front of a key. */
static const char *place_text(struct place place, char text[512])
{
    if (place.path == NULL)
        snprintf(text, 512, "-D");
    else
        snprintf(text, 512, "%.480s:%d: ", place.path, place.line);
    return text;
}

static const struct option *find_key(const char *key)
{
    return option_find_key(server_option_table, server_option_count, key);
}

/* The row that a key of the file means. */
static const struct option *find_in_file(const char *key)
{
    const struct option *option = find_key(key);
    if (option != NULL)
        return option;
    char *property = string_format(ZOOKEEPER_PREFIX "%s", key);
    option = option_find_property(server_option_table, server_option_count, property);
    memory_free(property);
    return option;
}

/* The row that a name on the command line means. */
static const struct option *find_override(const char *name)
{
    const struct option *option = option_find_property(server_option_table, server_option_count, name);
    if (option == NULL && string_starts_with(name, ZOOKEEPER_PREFIX))
        option = find_key(name + strlen(ZOOKEEPER_PREFIX));
    return option == NULL ? find_key(name) : option;
}

/* The list that takes every key with its prefix, NULL if none does. */
static struct properties *find_list(struct server_options *options, const char *key)
{
    if (string_starts_with(key, "server.") || string_starts_with(key, "group") || string_starts_with(key, "weight"))
        return &options->servers;
    if (string_starts_with(key, "authProvider."))
        return &options->auth_providers;
    if (string_starts_with(key, "metricsProvider."))
        return &options->metrics_provider;
    return NULL;
}

/* The known key nearest to one that is not, NULL if none is near. */
static const char *nearest_key(const char *key)
{
    const char *keys[ARRAY_SIZE(server_option_table)];
    for (size_t i = 0; i < server_option_count; i++)
        keys[i] = server_option_table[i].key;
    return string_nearest(key, keys, server_option_count);
}

static void warn_unknown(struct place place, const char *key, const char *property)
{
    char text[512];
    if (!log_enabled(LOG_WARN, __FILE__))
        return;
    place_text(place, text);
    const char *bare = string_starts_with(key, ZOOKEEPER_PREFIX) ? key + strlen(ZOOKEEPER_PREFIX) : key;
    const struct option *option = bare == key ? NULL : find_in_file(bare);
    const char *meant = option != NULL ? option->key : nearest_key(bare);
    if (meant != NULL)
        log_warn("%s%s is no known key, kept as property %s; is %s meant?", text, key, property, meant);
    else
        log_warn("%s%s is no known key, kept as property %s", text, key, property);
}

static int apply_option(struct server_options *options, const struct option *option, struct place place,
                        const char *key, const char *value, struct error *error)
{
    char text[512];
    struct error reason = {0};
    place_text(place, text);
    int err = option_set(option, options, value, &reason);
    if (err != ZK_OK)
        return error_set(error, err, "%s%s=%s: %s", text, key, value, reason.text);
    if (option->state == OPTION_IS_NOT_YET)
        log_warn("%s%s is known, but has no effect in this release: %s", text, key, option->reason);
    if (option->state == OPTION_IS_NO_PLACE)
        log_warn("%s%s is for a Java server and has no effect here: %s", text, key, option->reason);
    return ZK_OK;
}

static int apply_from_file(struct server_options *options, struct place place, const char *key, const char *value,
                           struct error *error)
{
    const struct option *option = find_in_file(key);
    if (option != NULL)
        return apply_option(options, option, place, key, value, error);
    struct properties *list = find_list(options, key);
    if (list != NULL) {
        properties_set(list, key, value, place.line);
        return ZK_OK;
    }
    char *property = string_format(ZOOKEEPER_PREFIX "%s", key);
    warn_unknown(place, key, property);
    properties_set(&options->unknown, property, value, place.line);
    memory_free(property);
    return ZK_OK;
}

static int apply_override(struct server_options *options, const char *name, const char *value, struct error *error)
{
    const struct place place = {NULL, 0};
    const struct option *option = find_override(name);
    if (option != NULL)
        return apply_option(options, option, place, name, value, error);
    bool is_ours = string_starts_with(name, ZOOKEEPER_PREFIX);
    struct properties *list = is_ours ? find_list(options, name + strlen(ZOOKEEPER_PREFIX)) : NULL;
    if (list != NULL) {
        properties_set(list, name + strlen(ZOOKEEPER_PREFIX), value, 0);
        return ZK_OK;
    }
    if (is_ours)    /* others are for a Java machine, as java.net.preferIPv4Stack */
        warn_unknown(place, name, name);
    properties_set(&options->unknown, name, value, 0);
    return ZK_OK;
}

/* All of a file, or all of the command line (path NULL). */
static int apply_all(struct server_options *options, const struct properties *properties, const char *path,
                     struct error *error)
{
    int err = ZK_OK;
    for (size_t i = 0; err == ZK_OK && i < properties->count; i++) {
        const struct property *property = &properties->items[i];
        char *key_memory = string_copy(property->key), *value_memory = string_copy(property->value);
        const char *key = string_trim(key_memory), *value = string_trim(value_memory);
        if (path != NULL)
            err = apply_from_file(options, (struct place){path, property->line}, key, value, error);
        else
            err = apply_override(options, key, value, error);
        memory_free(key_memory);
        memory_free_secret(value_memory, strlen(property->value));
    }
    return err;
}

/* The first line as a number. Without a list of servers nobody asks for it, and one that is none is only warned of:
 * packages put a text there that says what to write. */
static int parse_myid(struct server_options *options, const char *path, char *content, struct error *error)
{
    content[strcspn(content, "\r\n")] = '\0';
    const char *line = string_trim(content);
    if (string_to_int64(line, 10, &options->myid))
        return ZK_OK;
    options->myid = -1;
    if (options->servers.count > 0 || options->dynamic_config_file != NULL)
        return error_set(error, ZK_BAD_CONFIG, "%s: \"%s\" is not a number", path, line);
    log_warn("%s: \"%s\" is not a number, taken as no id", path, line);
    return ZK_OK;
}

static int read_myid(struct server_options *options, struct error *error)
{
    struct buffer content = {0};
    int err = ZK_OK;
    char *path = path_join(options->data_dir, "myid");
    if (file_kind(path) == FILE_KIND_REGULAR) {
        err = file_read_all(path, MYID_FILE_LIMIT, &content, error);
        if (err == ZK_OK)
            err = parse_myid(options, path, buffer_string(&content), error);
    }
    buffer_release(&content);
    memory_free(path);
    return err;
}

/* No less than `least`; Java says so too. */
static void raise_to(int64_t *value, int64_t least, const char *key)
{
    if (*value >= least)
        return;
    log_warn("%s=%" PRId64 " is less than %" PRId64 ", which is taken instead", key, *value, least);
    *value = least;
}

static int64_t at_most_int32(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value;
}

/* What follows from other options. */
static int derive(struct server_options *options, struct error *error)
{
    raise_to(&options->autopurge_snap_retain_count, LEAST_SNAP_RETAIN_COUNT, "autopurge.snapRetainCount");
    raise_to(&options->commit_log_count, LEAST_COMMIT_LOG_COUNT, "commitLogCount");
    if (options->min_session_timeout == -1)
        options->min_session_timeout = at_most_int32(options->tick_time * 2);
    if (options->max_session_timeout == -1)
        options->max_session_timeout = at_most_int32(options->tick_time * 20);
    if (options->max_write_queue_poll_time == -1)
        options->max_write_queue_poll_time = options->flush_delay / 3;
    if (options->jute_maxbuffer_extrasize == -1)
        options->jute_maxbuffer_extrasize = options->jute_maxbuffer;
    else
        raise_to(&options->jute_maxbuffer_extrasize, LEAST_JUTE_EXTRA_SIZE, "jute.maxbuffer.extrasize");
    if (options->data_dir == NULL)
        return ZK_OK;
    if (options->data_log_dir == NULL)
        options->data_log_dir = string_copy(options->data_dir);
    return read_myid(options, error);
}

static int apply_overrides_and_derive(struct server_options *options, const struct properties *overrides,
                                      struct error *error)
{
    int err = overrides == NULL ? ZK_OK : apply_all(options, overrides, NULL, error);
    return err == ZK_OK ? derive(options, error) : err;
}

static int lacks(struct error *error, const char *key, const char *needed)
{
    return error_set(error, ZK_BAD_CONFIG, "%s is true, but %s is not", key, needed);
}

static int validate_sasl(const struct server_options *options, struct error *error)
{
    bool enabled = options->quorum_auth_enable_sasl;
    bool server_requires = options->quorum_auth_server_require_sasl;
    bool learner_requires = options->quorum_auth_learner_require_sasl;
    if (!enabled && server_requires)
        return lacks(error, "quorum.auth.serverRequireSasl", "quorum.auth.enableSasl");
    if (!enabled && learner_requires)
        return lacks(error, "quorum.auth.learnerRequireSasl", "quorum.auth.enableSasl");
    if (!learner_requires && server_requires)
        return lacks(error, "quorum.auth.serverRequireSasl", "quorum.auth.learnerRequireSasl");
    return ZK_OK;
}

/* What would leave a server open that was meant to be closed is not only warned of. */
static int validate_security(const struct server_options *options, struct error *error)
{
    bool is_listed = options->servers.count > 0 || options->dynamic_config_file != NULL;
    const struct {
        const char *key;
        bool is_set, matters;
        const char *reason;
    } missing[] = {
        {"sessionRequireClientSASLAuth", options->session_require_client_sasl_auth, true,
         "SASL is to come, and without it every client would be let in"},
        {"quorum.auth.enableSasl", options->quorum_auth_enable_sasl, is_listed,
         "SASL is to come, and without it every server would be let in"},
        {"sslQuorum", options->ssl_quorum, is_listed,
         "TLS between servers is to come, and without it they would speak in the open"},
        {"portUnification", options->port_unification, is_listed,
         "TLS between servers is to come, and one that speaks it would not be understood"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        if (missing[i].is_set && missing[i].matters)
            return error_set(error, ZK_BAD_CONFIG, "%s=true: %s", missing[i].key, missing[i].reason);
    return ZK_OK;
}

static int validate_ports(const struct server_options *options, struct error *error)
{
    if (options->client_port < 0 && options->client_port_address != NULL)
        return error_set(error, ZK_BAD_CONFIG, "clientPortAddress is set but clientPort is not set");
    if (options->secure_client_port < 0 && options->secure_client_port_address != NULL)
        return error_set(error, ZK_BAD_CONFIG, "secureClientPortAddress is set but secureClientPort is not set");
    bool may_be_listed = options->servers.count > 0 || options->dynamic_config_file != NULL;
    if (options->client_port < 0 && options->secure_client_port < 0 && !may_be_listed)
        return error_set(error, ZK_BAD_CONFIG, "clientPort is not set, no client could connect");
    return ZK_OK;
}

static int validate_list(const struct server_options *options, struct error *error)
{
    if (options->dynamic_config_file != NULL && options->servers.count > 0)
        return error_set(error, ZK_BAD_CONFIG, "%s must stand in the dynamicConfigFile, %s",
                         options->servers.items[0].key, options->dynamic_config_file);
    return ZK_OK;
}

static int validate_compression(const struct server_options *options, struct error *error)
{
    const char *method = options->snapshot_compression_method;
    if (method == NULL || *method == '\0' || string_equals_ignore_case(method, "gz") ||
        string_equals_ignore_case(method, "snappy"))
        return ZK_OK;
    return error_set(error, ZK_BAD_CONFIG, "snapshot.compression.method=%s: must be gz, snappy or empty", method);
}

/* "key: old -> new". */
static void append_change(struct buffer *out, const struct option *option, const struct server_options *before,
                          const struct server_options *after)
{
    buffer_printf(out, "%s: ", option->key);
    option_print(option, before, out);
    buffer_append_string(out, " -> ");
    option_print(option, after, out);
    buffer_append_byte(out, '\n');
}

static bool lists_are_equal(const struct properties *a, const struct properties *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const char *value = properties_get(b, a->items[i].key);
        if (value == NULL || strcmp(value, a->items[i].value) != 0)
            return false;
    }
    return true;
}

static void take_over(struct server_options *options, const struct server_options *fresh, const struct option *option)
{
    char *to = (char *)options + option->offset;
    const char *from = (const char *)fresh + option->offset;
    switch (option->unit) {
    case OPTION_STRING:
    case OPTION_SECRET:
        option_release(option, options);
        if (*(char *const *)(const void *)from != NULL)
            option_set(option, options, *(char *const *)(const void *)from, NULL);
        break;
    case OPTION_BOOL:
    case OPTION_YES_NO:
        memcpy(to, from, sizeof(bool));
        break;
    case OPTION_RATIO:
        memcpy(to, from, sizeof(double));
        break;
    default:
        memcpy(to, from, sizeof(int64_t));
    }
}

static void print_list(const struct properties *list, struct buffer *out)
{
    for (size_t i = 0; i < list->count; i++)
        buffer_printf(out, "%s=%s\n", list->items[i].key, list->items[i].value);
}

/* Properties that nobody knows may be secrets too. */
static void print_unknown(const struct properties *unknown, struct buffer *out)
{
    for (size_t i = 0; i < unknown->count; i++)
        buffer_printf(out, "%s=***\n", unknown->items[i].key);
}

void server_options_init(struct server_options *options)
{
    *options = (struct server_options){.myid = -1};
    for (size_t i = 0; i < server_option_count; i++)
        option_set_default(&server_option_table[i], options);
}

void server_options_release(struct server_options *options)
{
    for (size_t i = 0; i < server_option_count; i++)
        option_release(&server_option_table[i], options);
    memory_free(options->config_path);
    properties_release(&options->servers);
    properties_release(&options->auth_providers);
    properties_release(&options->metrics_provider);
    properties_release(&options->unknown);
    *options = (struct server_options){.myid = -1};
}

int server_options_load(struct server_options *options, const char *path, const struct properties *overrides,
                        struct error *error)
{
    struct properties file = {0};
    int err = ZK_OK;
    if (path != NULL) {
        memory_free(options->config_path);
        options->config_path = path_absolute(path);
        err = properties_load(&file, path, error);
        if (err == ZK_OK)
            err = apply_all(options, &file, path, error);
    }
    if (err == ZK_OK)
        err = apply_overrides_and_derive(options, overrides, error);
    properties_release(&file);
    return err;
}

int server_options_load_old_form(struct server_options *options, int count, const char *const *arguments,
                                 const struct properties *overrides, struct error *error)
{
    static const struct {
        const char *name, *key;
    } positions[] = {
        {"PORT", "clientPort"}, {"DATADIR", "dataDir"}, {"TICKTIME", "tickTime"}, {"MAXCNXNS", "maxClientCnxns"}};
    if (count < 2 || count > (int)ARRAY_SIZE(positions))
        return error_set(error, ZK_BAD_CONFIG, "PORT DATADIR [TICKTIME] [MAXCNXNS] are two to four arguments, not %d",
                         count);
    for (int i = 0; i < count; i++) {
        struct error reason = {0};
        int err = option_set(find_key(positions[i].key), options, arguments[i], &reason);
        if (err != ZK_OK)
            return error_set(error, err, "%s=%s: %s", positions[i].name, arguments[i], reason.text);
    }
    return apply_overrides_and_derive(options, overrides, error);
}

int server_options_validate(const struct server_options *options, struct error *error)
{
    int err = validate_sasl(options, error);
    if (err != ZK_OK)
        return err;
    if (options->data_dir == NULL || options->data_dir[0] == '\0')
        return error_set(error, ZK_BAD_CONFIG, "dataDir is not set");
    err = validate_ports(options, error);
    if (err != ZK_OK)
        return err;
    if (options->min_session_timeout > options->max_session_timeout)
        return error_set(error, ZK_BAD_CONFIG,
                         "minSessionTimeout must not be larger than maxSessionTimeout, but %" PRId64
                         " ms is larger than %" PRId64 " ms",
                         options->min_session_timeout, options->max_session_timeout);
    err = validate_list(options, error);
    if (err == ZK_OK)
        err = validate_compression(options, error);
    return err == ZK_OK ? validate_security(options, error) : err;
}

void server_options_reload(struct server_options *options, const struct server_options *fresh, struct buffer *applied,
                           struct buffer *needs_restart)
{
    for (size_t i = 0; i < server_option_count; i++) {
        const struct option *option = &server_option_table[i];
        if (option_equal(option, options, fresh))
            continue;
        bool may_change = option->when == OPTION_AT_RELOAD;
        append_change(may_change ? applied : needs_restart, option, options, fresh);
        if (may_change)
            take_over(options, fresh, option);
    }
    if (!lists_are_equal(&options->servers, &fresh->servers))
        buffer_append_string(needs_restart, "the list of servers\n");
    if (!lists_are_equal(&options->auth_providers, &fresh->auth_providers))
        buffer_append_string(needs_restart, "authProvider\n");
    if (!lists_are_equal(&options->metrics_provider, &fresh->metrics_provider))
        buffer_append_string(needs_restart, "metricsProvider\n");
}

void server_options_print(const struct server_options *options, struct buffer *out)
{
    for (size_t i = 0; i < server_option_count; i++) {
        struct buffer value = {0};
        option_print(&server_option_table[i], options, &value);
        if (value.size > 0)
            buffer_printf(out, "%s=%s\n", server_option_table[i].key, buffer_string(&value));
        buffer_release(&value);
    }
    print_list(&options->servers, out);
    print_list(&options->auth_providers, out);
    print_list(&options->metrics_provider, out);
    print_unknown(&options->unknown, out);
}
