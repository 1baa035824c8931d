/*
 * cli_config.c - what the configuration of an ensemble says to clients.
 *
 * A server's line is host:port:port[:role];[address:]clientPort, with [...] around an IPv6 address, and with | between
 * several addresses for servers. Departs from Java: servers are listed in the order of the configuration, not in that
 * of a hash table; members of a file are judged by the leader alone.
 */
#include "client/cli/cli_config.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/config/properties.h"

/* The part behind ';' with the address Java fills in, or nothing when there is no such part. */
static void append_client(const char *server, struct buffer *out)
{
    const char *client = strchr(server, ';');
    if (client == NULL)
        return;
    client++;
    const char *colon = strrchr(client, ':');
    if (colon == NULL) {
        buffer_printf(out, "0.0.0.0:%s", client);
        return;
    }
    bool has_brackets = client[0] == '[' && colon > client + 1 && colon[-1] == ']';
    const char *host = has_brackets ? client + 1 : client;
    buffer_append(out, host, (size_t)(colon - host) - (has_brackets ? 1 : 0));
    buffer_append_string(out, colon);
}

int config_client_string(const char *config, size_t size, struct buffer *out, struct error *error)
{
    struct properties properties = {0};
    int err = properties_parse(&properties, "the configuration", config, size, error);
    const char *version = err == ZK_OK ? properties_get(&properties, "version") : NULL;
    if (err == ZK_OK)
        buffer_printf(out, "%s ", version == NULL ? "" : version);
    bool is_first = true;
    for (size_t i = 0; i < properties.count && err == ZK_OK; i++) {
        if (!string_starts_with(properties.items[i].key, "server."))
            continue;
        buffer_append_string(out, is_first ? "" : ",");
        append_client(properties.items[i].value, out);
        is_first = false;
    }
    properties_release(&properties);
    return err;
}

static bool is_about_members(const char *key)
{
    return string_starts_with(key, "server.") || string_starts_with(key, "group") ||
           string_starts_with(key, "weight") || strcmp(key, "version") == 0;
}

int config_members_of_file(const char *path, char **ret_members, struct error *error)
{
    struct properties properties = {0};
    struct buffer members = {0};
    int err = properties_load(&properties, path, error);
    for (size_t i = 0; i < properties.count && err == ZK_OK; i++)
        if (is_about_members(properties.items[i].key))
            buffer_printf(&members, "%s=%s\n", properties.items[i].key, properties.items[i].value);
    if (err == ZK_OK && members.size == 0)
        err = error_set(error, ZK_BAD_ARGUMENTS, "%s names no server", path);
    if (err == ZK_OK)
        *ret_members = buffer_detach(&members);
    buffer_release(&members);
    properties_release(&properties);
    return err;
}
