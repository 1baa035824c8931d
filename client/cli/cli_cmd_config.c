/* cli_cmd_config.c - config, reconfig: the servers of the ensemble. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_config.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define CONFIG_ROOM (1 << 20)

static const struct option_spec config_options[] = {
    { "s", NULL, "stats" },
    { "w", NULL, "watch" },
    { "c", NULL, "client connection string" },
};

static void answer_config(struct cli *cli, const char *key, const char *text, size_t size, const struct Stat *stat)
{
    json_t *answer = json_object();
    json_object_set_new(answer, key, json_of_text(text, size));
    json_object_set_new(answer, "stat", json_of_stat(stat));
    output_json(&cli->output, answer);
}

static int run_config(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    struct Stat stat = {0};
    struct error error = {0};
    struct buffer clients = {0};
    int32_t size;
    int rc = session_get_config(&cli->session, arguments_has(arguments, "w"), &size, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, "/zookeeper/config");
    const char *text = size < 0 ? "null" : (const char *)cli->session.data.bytes;
    size_t length = size < 0 ? strlen(text) : (size_t)size;
    bool wants_clients = arguments_has(arguments, "c");
    if (wants_clients && config_client_string(text, length, &clients, &error) != ZK_OK)
        return cli_fail_with(cli, error.code, NULL, "%s", error.text);
    if (wants_clients) {
        text = buffer_string(&clients);
        length = clients.size;
    }
    if (cli->output.is_json) {
        answer_config(cli, wants_clients ? "clients" : "config", text, length, &stat);
    } else {
        output_data(&cli->output, text, length);
        output_printf(&cli->output, "\n");
        if (arguments_has(arguments, "s"))
            cli_print_stat(cli, &stat);
    }
    buffer_release(&clients);
    return CLI_EXIT_FINISHED;
}

static const struct option_spec reconfig_options[] = {
    { "s", NULL, "stats" },
    { "v", "version", "required current config version" },
    { "file", "path", "path of config file to parse for membership" },
    { "members", "servers", "comma-separated list of config strings for non-incremental reconfig" },
    { "add", "servers", "comma-separated list of config strings for new servers" },
    { "remove", "ids", "comma-separated list of server IDs to remove" },
};

struct reconfig_request {
    char *joining, *leaving, *members;    /* NULL: not given */
    int64_t version;
};

static char *lower_case(const char *text)
{
    if (text == NULL)
        return NULL;
    char *copy = string_copy(text);
    for (char *at = copy; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* NULL, or why these options do not go together; in Java's order. */
static const char *judge_reconfig(const struct arguments *arguments, struct reconfig_request *request)
{
    bool is_incremental = arguments_has(arguments, "add") || arguments_has(arguments, "remove");
    bool has_file = arguments_has(arguments, "file"), has_members = arguments_has(arguments, "members");
    const char *version = arguments_value(arguments, "v");
    request->version = -1;
    if (version != NULL && !string_to_int64(version, 16, &request->version))
        return "-v must be followed by a long (configuration version)";
    if ((has_file || has_members) && is_incremental)
        return "Can't use -file or -members together with -add or -remove (mixing incremental and non-incremental "
               "modes is "
               "not allowed)";
    if (has_file && has_members)
        return "Can't use -file and -members together (conflicting non-incremental modes)";
    return NULL;
}

static int send_reconfig(struct cli *cli, const struct arguments *arguments, const struct reconfig_request *request)
{
    struct buffer answer = {0};
    struct Stat stat = {0};
    int size = CONFIG_ROOM;
    char *room = (char *)buffer_reserve(&answer, CONFIG_ROOM);
    int rc = zoo_reconfig(cli->session.handle, request->joining, request->leaving, request->members, request->version,
                          room, &size, &stat);
    int exit_code = CLI_EXIT_FINISHED;
    size_t length = size > 0 ? (size_t)size : 0;
    if (rc != ZOK) {
        exit_code = cli_fail(cli, rc, NULL);
    } else if (cli->output.is_json) {
        answer_config(cli, "config", room, length, &stat);
    } else {
        output_printf(&cli->output, "Committed new configuration:\n");
        output_data(&cli->output, room, length);
        output_printf(&cli->output, "\n");
        if (arguments_has(arguments, "s"))
            cli_print_stat(cli, &stat);
    }
    buffer_release(&answer);
    return exit_code;
}

static int run_reconfig(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    static const char *const one_of[] = { "file", "members", "add", "remove" };
    bool has_one = false;
    for (size_t i = 0; i < ARRAY_SIZE(one_of); i++)
        has_one = has_one || arguments_has(arguments, one_of[i]);
    if (!has_one)
        return cli_fail_usage(cli, self);
    struct reconfig_request request = {0};
    struct error error = {0};
    const char *reason = judge_reconfig(arguments, &request), *file = arguments_value(arguments, "file");
    if (reason != NULL)
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "%s", reason);
    request.joining = lower_case(arguments_value(arguments, "add"));
    request.leaving = lower_case(arguments_value(arguments, "remove"));
    request.members = lower_case(arguments_value(arguments, "members"));
    int exit_code;
    if (file != NULL && config_members_of_file(file, &request.members, &error) != ZK_OK)
        exit_code = cli_fail_with(cli, error.code, NULL, "Error processing %s: %s", file, error.text);
    else
        exit_code = send_reconfig(cli, arguments, &request);
    memory_free(request.joining);
    memory_free(request.leaving);
    memory_free(request.members);
    return exit_code;
}

static const struct command commands[] = {
    { .name = "config", .usage = "[-c] [-w] [-s]", .spec = { OPTIONS(config_options) }, .run = run_config,
      .summary = "Shows the servers of the ensemble, or with -c what clients connect to" },
    { .name = "reconfig", .spec = { OPTIONS(reconfig_options) }, .run = run_reconfig,
      .usage = "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | "
               "[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
      .summary = "Changes the servers of the ensemble" },
};
const struct command_table config_commands = { commands, ARRAY_SIZE(commands) };
