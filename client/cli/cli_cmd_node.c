/* cli_cmd_node.c - create, delete, get, set, stat, sync: commands on one node. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_acl.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_base64.h"
#include "client/cli/cli_failure.h"
#include "client/cli/cli_file.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define TTL_MOST INT64_C(0xffffffffff)
#define CREATED_ROOM ((size_t)16)    /* behind a path: the number of a sequential node */

/* ---- create ---- */

static const struct option_spec create_options[] = {
    { "e", NULL, "ephemeral" },
    { "s", NULL, "sequential" },
    { "c", NULL, "container" },
    { "t", "ttl", "ttl" },
    { "--file", "file", "Data from a file, - is standard input" },
};

struct create_mode {
    bool is_ephemeral, is_sequential, is_container, has_ttl;
    int64_t ttl_ms;
};

static int create_mode_number(const struct create_mode *mode)
{
    if (mode->is_ephemeral)
        return mode->is_sequential ? ZOO_EPHEMERAL_SEQUENTIAL : ZOO_EPHEMERAL;
    if (mode->is_sequential)
        return mode->has_ttl ? ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL : ZOO_PERSISTENT_SEQUENTIAL;
    if (mode->is_container)
        return ZOO_CONTAINER;
    return mode->has_ttl ? ZOO_PERSISTENT_WITH_TTL : ZOO_PERSISTENT;
}

/* NULL, or why these options do not go together; in Java's order. */
static const char *judge_mode(const struct arguments *arguments, struct create_mode *mode)
{
    mode->is_ephemeral = arguments_has(arguments, "e");
    mode->is_sequential = arguments_has(arguments, "s");
    mode->is_container = arguments_has(arguments, "c");
    mode->has_ttl = arguments_has(arguments, "t");
    if (mode->is_container && (mode->is_ephemeral || mode->is_sequential))
        return "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.";
    if (mode->has_ttl && !string_to_int64(arguments_value(arguments, "t"), 10, &mode->ttl_ms))
        return "-t argument must be a long value";
    if (mode->has_ttl && mode->is_ephemeral)
        return "TTLs cannot be used with Ephemeral znodes";
    if (mode->has_ttl && mode->is_container)
        return "TTLs cannot be used with Container znodes";
    if (mode->has_ttl && (mode->ttl_ms <= 0 || mode->ttl_ms > TTL_MOST))
        return "ttl must be positive and cannot be larger than: 1099511627775";
    return NULL;
}

/* Data of an operand, or of --file; then *ret_data is NULL and *ret_size -1 where there is neither. The bytes of a file
 * are kept in `room`. */
static bool data_of(struct cli *cli, const struct arguments *arguments, size_t operand, struct buffer *room,
                    const char **ret_data, int32_t *ret_size)
{
    const char *file = arguments_value(arguments, "--file");
    struct error error = {0};
    *ret_data = NULL;
    *ret_size = -1;
    if (file == NULL) {
        if (arguments->operands.count > operand) {
            *ret_data = arguments->operands.items[operand];
            *ret_size = (int32_t)strlen(*ret_data);
        }
        return true;
    }
    if (cli_file_read(cli, file, room, &error) != ZK_OK) {
        cli_fail_with(cli, error.code, NULL, "%s", error.text);
        return false;
    }
    *ret_data = buffer_string(room);
    *ret_size = (int32_t)room->size;
    return true;
}

static int create_failed(struct cli *cli, int rc, const char *path)
{
    if (!cli->output.is_json && rc == ZEPHEMERALONLOCALSESSION)
        output_complain(&cli->output, "Unable to create ephemeral node on a local session");
    if (!cli->output.is_json && rc == ZINVALIDACL) {
        char *message = failure_code_message(rc, path);
        output_complain(&cli->output, "%s", message);
        memory_free(message);
    }
    return cli_fail(cli, rc, path);
}

static int create_node(struct cli *cli, const char *path, const char *data, int32_t size, const struct ACL_vector *acl,
                       const struct create_mode *mode)
{
    size_t room = strlen(path) + CREATED_ROOM;
    char *created = memory_alloc_zero(1, room);
    int number = create_mode_number(mode), exit_code = CLI_EXIT_FINISHED;
    int rc = mode->has_ttl
                 ? zoo_create_ttl(cli->session.handle, path, data, size, acl, number, mode->ttl_ms, created, (int)room)
                 : zoo_create(cli->session.handle, path, data, size, acl, number, created, (int)room);
    if (rc != ZOK)
        exit_code = create_failed(cli, rc, path);
    else if (cli->output.is_json)
        cli_answer_path(cli, created);
    else
        output_complain(&cli->output, "Created %s", created);
    memory_free(created);
    return exit_code;
}

static int run_create(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    struct create_mode mode = {0};
    const char *reason = judge_mode(arguments, &mode);
    if (reason != NULL)
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "%s", reason);
    bool has_file = arguments_has(arguments, "--file");
    const char *path = arguments->operands.items[1], *data;
    size_t acl_at = has_file ? 2 : 3;
    struct buffer room = {0};
    struct ACL_vector acl = {0};
    int32_t size;
    int exit_code = CLI_EXIT_FAILED;
    bool has_acl = arguments->operands.count > acl_at;
    if (!data_of(cli, arguments, 2, &room, &data, &size))
        return exit_code;
    bool is_acl_empty = has_acl && !cli_acl_of(cli, arguments->operands.items[acl_at], &acl);
    if (cli_check_path(cli, path, mode.is_sequential) == ZK_OK)
        exit_code = is_acl_empty ? create_failed(cli, ZINVALIDACL, NULL)
                                 : create_node(cli, path, data, size, has_acl ? &acl : &ZOO_OPEN_ACL_UNSAFE, &mode);
    acl_list_release(&acl);
    buffer_release(&room);
    return exit_code;
}

/* ---- delete ---- */

static const struct option_spec delete_options[] = { { "v", "version", "only if the data is of this version" } };

static int run_delete(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    int version;
    if (arguments->operands.count > 2)
        output_complain(&cli->output,
                        "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.");
    if (!cli_version_of(cli, arguments, &version) || cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_delete(cli->session.handle, path, version);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    cli_answer_path(cli, path);
    return CLI_EXIT_FINISHED;
}

/* ---- get ---- */

static const struct option_spec get_options[] = {
    { "s", NULL, "Print znode stats additionally" },
    { "w", NULL, "Watch for changes on the znode" },
    { "b", NULL, "Output data in base64 format" },
    { "x", NULL, "Output data in hexdump format" },
    { "--file", "file", "Write the data, byte by byte, to a file" },
};

static void print_data(struct cli *cli, const struct arguments *arguments, const char *data, size_t size)
{
    if (arguments_has(arguments, "x")) {
        struct buffer dump = {0};
        format_hex_dump((const uint8_t *)data, size, &dump);
        output_take(&cli->output, &dump);
    } else if (arguments_has(arguments, "b")) {
        char *encoded = base64_encode(data, size);
        output_printf(&cli->output, "%s", encoded);
        memory_free(encoded);
    } else {
        output_data(&cli->output, data, size);
    }
    output_printf(&cli->output, "\n");
}

static void answer_data(struct cli *cli, const char *path, const char *data, int32_t size, const struct Stat *stat)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
    json_set_data(answer, data, size);
    json_object_set_new(answer, "stat", json_of_stat(stat));
    output_json(&cli->output, answer);
}

static int run_get(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    if (cli_accept_old_watch(cli, self, "get [-s] [-w] path", arguments) != ZK_OK)
        return CLI_EXIT_FAILED;
    const char *path = arguments->operands.items[1], *file = arguments_value(arguments, "--file");
    struct Stat stat = {0};
    struct error error = {0};
    int32_t size = -1;
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = session_get(&cli->session, path, arguments_has(arguments, "w"), &size, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    const char *data = size < 0 ? "null" : (const char *)cli->session.data.bytes;
    if (file != NULL && cli_file_write(file, data, size < 0 ? 0 : (size_t)size, &error) != ZK_OK)
        return cli_fail_with(cli, error.code, NULL, "%s", error.text);
    if (cli->output.is_json) {
        if (file == NULL)
            answer_data(cli, path, data, size, &stat);
        else
            cli_answer_stat(cli, path, &stat);
        return CLI_EXIT_FINISHED;
    }
    if (file == NULL)
        print_data(cli, arguments, data, size < 0 ? strlen(data) : (size_t)size);
    if (arguments_has(arguments, "s"))
        cli_print_stat(cli, &stat);
    return CLI_EXIT_FINISHED;
}

/* ---- set ---- */

static const struct option_spec set_options[] = {
    { "s", NULL, "Print znode stats additionally" },
    { "v", "version", "Set with an expected version" },
    { "b", NULL, "Supply data in base64 format" },
    { "--file", "file", "Data from a file, - is standard input" },
};

static int set_data(struct cli *cli, const struct arguments *arguments, const char *path, const char *data,
                    int32_t size)
{
    struct Stat stat = {0};
    int version;
    if (!cli_version_of(cli, arguments, &version) || cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_set2(cli->session.handle, path, data, size, version, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    if (cli->output.is_json)
        cli_answer_stat(cli, path, &stat);
    else if (arguments_has(arguments, "s"))
        cli_print_stat(cli, &stat);
    return CLI_EXIT_FINISHED;
}

static int run_set(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    if (arguments->operands.count < 3 && !arguments_has(arguments, "--file"))
        return cli_fail_usage(cli, self);
    struct buffer room = {0}, decoded = {0};
    struct error error = {0};
    const char *data;
    int32_t size;
    int exit_code = CLI_EXIT_FAILED;
    if (!data_of(cli, arguments, 2, &room, &data, &size))
        return exit_code;
    int err = ZK_OK;
    if (arguments_has(arguments, "b")) {
        err = base64_decode(data, (size_t)size, &decoded, &error);
        data = buffer_string(&decoded);
        size = (int32_t)decoded.size;
    }
    if (err != ZK_OK)
        cli_fail_with(cli, err, NULL, "%s", error.text);
    else
        exit_code = set_data(cli, arguments, arguments->operands.items[1], data, size);
    buffer_release(&room);
    buffer_release(&decoded);
    return exit_code;
}

/* ---- stat, sync ---- */

static const struct option_spec stat_options[] = { { "w", NULL, "watch" } };

static int run_stat(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    if (cli_accept_old_watch(cli, self, "stat [-w] path", arguments) != ZK_OK)
        return CLI_EXIT_FAILED;
    const char *path = arguments->operands.items[1];
    struct Stat stat = {0};
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_exists(cli->session.handle, path, arguments_has(arguments, "w"), &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    if (cli->output.is_json)
        cli_answer_stat(cli, path, &stat);
    else
        cli_print_stat(cli, &stat);
    return CLI_EXIT_FINISHED;
}

static int run_sync(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_sync(cli->session.handle, path);
    if (cli->output.is_json && rc != ZOK)
        cli_fail(cli, rc, path);
    else if (cli->output.is_json)
        cli_answer_path(cli, path);
    else if (rc == ZOK)
        output_printf(&cli->output, "Sync is OK\n");
    else
        output_printf(&cli->output, "Sync has failed. rc=%d\n", rc);
    return CLI_EXIT_FINISHED;
}

static const struct command commands[] = {
    { .name = "create", .usage = "[-s] [-e] [-c] [-t ttl] path [data] [acl]", .spec = { OPTIONS(create_options) },
      .least_operands = 2, .run = run_create, .summary = "Makes a node" },
    { .name = "delete", .usage = "[-v version] path", .spec = { OPTIONS(delete_options) }, .least_operands = 2,
      .run = run_delete, .summary = "Deletes a node that has no children" },
    { .name = "get", .usage = "[-s] [-w] [-b] [-x] path", .spec = { OPTIONS(get_options) }, .least_operands = 2,
      .usage_has_options = true, .run = run_get, .summary = "Shows the data of a node" },
    { .name = "set", .usage = "path data [-s] [-v version] [-b]", .spec = { OPTIONS(set_options) }, .least_operands = 2,
      .usage_has_options = true, .run = run_set, .summary = "Replaces the data of a node" },
    { .name = "stat", .usage = "[-w] path", .spec = { OPTIONS(stat_options) }, .least_operands = 2, .run = run_stat,
      .summary = "Shows when and how often a node was changed" },
    { .name = "sync", .usage = "path", .least_operands = 2, .run = run_sync,
      .summary = "Waits until this server has seen every write made so far" },
};
const struct command_table node_commands = { commands, ARRAY_SIZE(commands) };
