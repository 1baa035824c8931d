/*
 * quorum_peer_config.c - from a list of servers to what this server is in it.
 *
 * In Java's order: the list (parseDynamicConfig), client port (setupClientPort), type (setupPeerType), limits and myid
 * (checkValidity); then the list that was proposed last, of zoo.cfg.dynamic.next.
 */
#include "server/quorum/quorum_peer_config.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/dynamic_config.h"

static struct quorum_parse_options parse_options(const struct server_options *options)
{
    return (struct quorum_parse_options){.is_multi_address_enabled = options->multi_address_enabled,
                                         .is_standalone_enabled = options->standalone_enabled,
                                         .oracle_path = options->oracle_path};
}

/* The version of such a file is the end of its name; of a name without one it is 0. */
static int load_dynamic_lines(const char *path, struct properties *lines, struct error *error)
{
    int64_t version;
    int err = properties_load(lines, path, error);
    if (err != ZK_OK)
        return error_prefix(error, "Error processing %s", path);
    if (properties_get(lines, "version") != NULL)
        return error_set(error, ZK_BAD_CONFIG, "%s: dynamic file shouldn't have version inside", path);
    if (dynamic_config_version_of(path, &version)) {
        char *text = string_format("%" PRIx64, (uint64_t)version);
        properties_set(lines, "version", text, 0);
        memory_free(text);
    }
    return ZK_OK;
}

/* What Java finds worth a line in a list that is good. */
static void comment_on(const struct quorum_verifier *verifier, const struct server_options *options)
{
    size_t voters = quorum_verifier_voter_count(verifier);
    if (voters == 1 && options->standalone_enabled)
        log_error("Invalid configuration, only one server specified (ignoring)");
    else if (voters > 0 && voters <= 2)
        log_warn("No server failure will be tolerated. You need at least 3 servers.");
    else if (voters % 2 == 0 && voters > 0)
        log_warn("Non-optimal configuration, consider an odd number of servers.");
}

static int load_list(struct quorum_peer_config *config, const struct server_options *options, struct error *error)
{
    struct quorum_parse_options how = parse_options(options);
    struct properties lines = {0};
    bool is_dynamic = options->dynamic_config_file != NULL;
    int err = is_dynamic ? load_dynamic_lines(options->dynamic_config_file, &lines, error) : ZK_OK;
    if (err == ZK_OK && is_dynamic && lines.count == 0)    /* cut short rather than meant: it would serve alone */
        err = error_set(error, ZK_BAD_CONFIG, "%s names no server", options->dynamic_config_file);
    if (err == ZK_OK)
        err = quorum_verifier_parse(is_dynamic ? &lines : &options->servers, &how, &config->verifier, error);
    if (err == ZK_OK)
        comment_on(config->verifier, options);
    properties_release(&lines);
    return err;
}

/* The list that was proposed when this server ended. */
static int load_last_seen(struct quorum_peer_config *config, const struct server_options *options, struct error *error)
{
    struct quorum_parse_options how = parse_options(options);
    struct properties lines = {0};
    if (options->dynamic_config_file == NULL || options->config_path == NULL)
        return ZK_OK;
    int err = ZK_OK;
    char *path = dynamic_config_next_path(options->config_path);
    if (file_kind(path) != FILE_KIND_NONE) {
        err = properties_load(&lines, path, error);
        if (err == ZK_OK)
            err = quorum_verifier_parse(&lines, &how, &config->last_seen_verifier, error);
        if (err != ZK_OK)
            error_prefix(error, "Error processing %s", path);
    }
    properties_release(&lines);
    memory_free(path);
    return err;
}

/* ---- the client port ---- */

static bool has_static_port(const struct server_options *options)
{
    return options->client_port >= 0;
}

/* clientPort and clientPortAddress; at all addresses without the latter. */
static struct quorum_address static_address(const struct server_options *options)
{
    const char *host = options->client_port_address;
    return (struct quorum_address){.host = (char *)(host != NULL ? host : "0.0.0.0"),    /* only read */
                                   .port = (uint16_t)options->client_port};
}

static int resolve(const struct quorum_address *address, struct address *ret_address, struct error *error)
{
    size_t count;
    int err = quorum_addresses_resolve(address, 1, ret_address, 1, &count, error);
    if (err == ZK_OK && address_is_any(ret_address))
        address_any(address->port, ret_address);
    return err;
}

static int refuse_conflict(const struct quorum_peer_config *config, const struct quorum_address *in_file,
                           const struct quorum_address *in_list, struct error *error)
{
    struct buffer file = {0}, list = {0};
    quorum_address_print(in_file, &file);
    quorum_address_print(in_list, &list);
    error_set(error, ZK_BAD_CONFIG, "client address for this server (id = %" PRId64 ") in static config file is %s is "
              "different from client address found in dynamic file: %s", config->myid, buffer_string(&file),
              buffer_string(&list));
    buffer_release(&file);
    buffer_release(&list);
    return ZK_BAD_CONFIG;
}

/* Both say where clients come: it has to be the same, but all addresses in zoo.cfg may be one of them in the list. */
static int compare_ports(const struct quorum_peer_config *config, const struct quorum_address *in_file,
                         const struct quorum_address *in_list, struct error *error)
{
    struct address file, list;
    int err = resolve(in_file, &file, error);
    if (err == ZK_OK)
        err = resolve(in_list, &list, error);
    if (err != ZK_OK)
        return err;
    if (in_file->port != in_list->port || (!address_is_any(&file) && !address_equal_ip(&file, &list)))
        return refuse_conflict(config, in_file, in_list, error);
    return ZK_OK;
}

static void use_address(struct server_options *options, const struct quorum_address *address)
{
    char *host = string_copy(address->host);
    memory_free(options->client_port_address);
    options->client_port_address = host;
    options->client_port = address->port;
}

/* setupClientPort */
static int set_up_client_port(struct quorum_peer_config *config, struct server_options *options, struct error *error)
{
    struct quorum_address in_file = static_address(options);
    const struct quorum_server *me =
        config->myid != -1 ? quorum_verifier_find(config->verifier, config->myid) : NULL;
    if (me != NULL && me->client_address.host == NULL && has_static_port(options)) {
        struct quorum_verifier *with_port =
            quorum_verifier_with_static_client_address(config->verifier, config->myid, &in_file);
        quorum_verifier_unref(config->verifier);
        config->verifier = with_port;
        return ZK_OK;
    }
    if (me == NULL || me->client_address.host == NULL)
        return ZK_OK;
    int err = has_static_port(options) ? compare_ports(config, &in_file, &me->client_address, error) : ZK_OK;
    if (err == ZK_OK)
        use_address(options, &me->client_address);
    return err;
}

/* ---- the rest ---- */

/* setupPeerType: the list counts. */
static int set_up_peer_type(struct quorum_peer_config *config, const struct server_options *options,
                            struct error *error)
{
    static const char *const names[] = {"PARTICIPANT", "OBSERVER"};
    enum learner_type said = LEARNER_PARTICIPANT;
    if (options->peer_type != NULL && string_equals_ignore_case(options->peer_type, "observer"))
        said = LEARNER_OBSERVER;
    else if (options->peer_type != NULL && !string_equals_ignore_case(options->peer_type, "participant"))
        return error_set(error, ZK_BAD_CONFIG, "Unrecognised peertype: %s", options->peer_type);
    const struct quorum_server *me = quorum_verifier_find(config->verifier, config->myid);
    config->learner_type = me != NULL ? me->type : LEARNER_PARTICIPANT;
    if (config->learner_type != said)
        log_warn("Peer type from servers list (%s) doesn't match peerType (%s). Defaulting to servers list.",
                 names[config->learner_type], names[said]);
    return ZK_OK;
}

/* checkValidity, and a client port that can be listened at. */
static int check_validity(struct quorum_peer_config *config, const struct server_options *options, struct error *error)
{
    if (!config->is_distributed)
        return ZK_OK;
    if (options->init_limit == 0)
        return error_set(error, ZK_BAD_CONFIG, "initLimit is not set");
    if (options->sync_limit == 0)
        return error_set(error, ZK_BAD_CONFIG, "syncLimit is not set");
    if (config->myid == -1)
        return error_set(error, ZK_BAD_CONFIG, "myid file is missing in dataDir, %s", options->data_dir);
    if (!has_static_port(options) && options->secure_client_port >= 0)
        return ZK_OK;
    if (!has_static_port(options))
        return error_set(error, ZK_BAD_CONFIG, "clientPort is not set, no client could connect");
    struct quorum_address address = static_address(options);
    return resolve(&address, &config->client_address, error);
}

/* A list in zoo.cfg moves to a file of its own with the first reconfiguration. */
static int back_up(const struct quorum_peer_config *config, const struct server_options *options, struct error *error)
{
    if (!config->is_distributed || !options->reconfig_enabled || options->dynamic_config_file != NULL ||
        options->config_path == NULL)
        return ZK_OK;
    return dynamic_config_back_up_static(options->config_path, error);
}

int quorum_peer_config_load(struct quorum_peer_config *config, struct server_options *options, struct error *error)
{
    *config = (struct quorum_peer_config){.myid = options->myid};
    int err = load_list(config, options, error);
    if (err == ZK_OK)
        err = set_up_client_port(config, options, error);
    if (err == ZK_OK)
        err = set_up_peer_type(config, options, error);
    if (err != ZK_OK)
        return err;
    config->is_distributed = !options->standalone_enabled || quorum_verifier_voter_count(config->verifier) > 1;
    err = check_validity(config, options, error);
    if (err == ZK_OK)
        err = back_up(config, options, error);
    return err == ZK_OK ? load_last_seen(config, options, error) : err;
}

void quorum_peer_config_release(struct quorum_peer_config *config)
{
    quorum_verifier_unref(config->verifier);
    quorum_verifier_unref(config->last_seen_verifier);
    *config = (struct quorum_peer_config){.myid = -1};
}
