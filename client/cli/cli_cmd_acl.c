/* cli_cmd_acl.c - getAcl, setAcl, addauth, whoami: who may do what. */
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_acl.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_failure.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_walk.h"
#include "common/base/memory.h"

static const struct option_spec get_acl_options[] = { { "s", NULL, "stats" } };

static int run_get_acl(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    struct ACL_vector acl = {0};
    struct Stat stat = {0};
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_get_acl(cli->session.handle, path, &acl, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
        json_object_set_new(answer, "acl", json_of_acl(&acl));
        json_object_set_new(answer, "stat", json_of_stat(&stat));
        output_json(&cli->output, answer);
    } else {
        struct buffer text = {0};
        acl_list_print(&acl, &text);
        output_take(&cli->output, &text);
        if (arguments_has(arguments, "s"))
            cli_print_stat(cli, &stat);
    }
    deallocate_ACL_vector(&acl);
    return CLI_EXIT_FINISHED;
}

static const struct option_spec set_acl_options[] = {
    { "s", NULL, "stats" },
    { "v", "version", "version" },
    { "R", NULL, "recursive" },
};

struct acl_change {
    struct cli *cli;
    struct ACL_vector *acl;
    int version;
};

/* An ACL without entries does not get as far as the server. */
static int set_acl(const struct acl_change *change, const char *path)
{
    if (change->acl->count == 0)
        return ZINVALIDACL;
    return zoo_set_acl(change->cli->session.handle, path, change->version, change->acl);
}

static void set_acl_of_one(struct acl_change *change, const char *path)
{
    int rc = set_acl(change, path);
    if (rc == ZOK)
        return;
    char *message = failure_code_message(rc, change->acl->count == 0 ? NULL : path);
    if (change->cli->output.is_json)
        cli_fail(change->cli, rc, path);
    else
        output_printf(&change->cli->output, "%s", message);
    memory_free(message);
}

static int set_acl_below(void *context, const struct walk_node *node)
{
    struct acl_change *change = context;
    if (node->rc != ZOK)
        return node->rc == ZNONODE && node->depth > 0 ? ZOK : node->rc;
    for (size_t i = 0; i < node->child_count; i++) {
        char *path = cli_path_join(node->path, node->children[i]);
        set_acl_of_one(change, path);
        memory_free(path);
    }
    return ZOK;
}

static int set_acl_recursively(struct acl_change *change, const char *path)
{
    struct Stat stat = {0};
    int32_t size;
    int rc = session_get(&change->cli->session, path, false, &size, &stat);
    if (rc != ZOK)
        return cli_fail(change->cli, rc, path);
    set_acl_of_one(change, path);
    rc = walk_subtree(change->cli, path, 0, set_acl_below, change);
    if (rc != ZOK)
        return cli_fail(change->cli, rc, path);
    cli_answer_path(change->cli, path);
    return CLI_EXIT_FINISHED;
}

static int set_acl_of_node(struct acl_change *change, const struct arguments *arguments, const char *path)
{
    struct cli *cli = change->cli;
    struct Stat stat = {0};
    int rc = set_acl(change, path);
    bool shows_stat = cli->output.is_json || arguments_has(arguments, "s");
    if (rc == ZOK && shows_stat)
        rc = zoo_exists(cli->session.handle, path, 0, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, change->acl->count == 0 ? NULL : path);
    if (cli->output.is_json)
        cli_answer_stat(cli, path, &stat);
    else if (shows_stat)
        cli_print_stat(cli, &stat);
    return CLI_EXIT_FINISHED;
}

static int run_set_acl(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    struct ACL_vector acl = {0};
    struct acl_change change = {cli, &acl, -1};
    int exit_code = CLI_EXIT_FAILED;
    cli_acl_of(cli, arguments->operands.items[2], &acl);
    if (cli_version_of(cli, arguments, &change.version) && cli_check_path(cli, path, false) == ZK_OK)
        exit_code = arguments_has(arguments, "R") ? set_acl_recursively(&change, path)
                                                  : set_acl_of_node(&change, arguments, path);
    acl_list_release(&acl);
    return exit_code;
}

static int run_addauth(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *scheme = arguments->operands.items[1];
    const char *credentials = arguments->operands.count >= 3 ? arguments->operands.items[2] : NULL;
    int rc =
        session_add_auth(&cli->session, scheme, credentials, credentials == NULL ? 0 : (int32_t)strlen(credentials));
    if (rc != ZOK)
        return cli_fail(cli, rc, NULL);
    cli_answer_ok(cli);
    return CLI_EXIT_FINISHED;
}

static int run_whoami(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    (void)arguments;
    struct ClientInfo_vector infos = {0};
    int rc = zoo_whoami(cli->session.handle, &infos);
    if (rc != ZOK)
        return cli_fail(cli, rc, NULL);
    json_t *users = json_array();
    if (!cli->output.is_json)
        output_printf(&cli->output, "Auth scheme: User\n");
    for (int32_t i = 0; i < infos.count; i++) {
        const char *scheme = infos.data[i].authScheme, *user = infos.data[i].user;
        json_t *entry = json_object();
        json_object_set_new(entry, "scheme", json_of_text(scheme, strlen(scheme)));
        json_object_set_new(entry, "user", json_of_text(user, strlen(user)));
        json_array_append_new(users, entry);
        if (cli->output.is_json)
            continue;
        output_name(&cli->output, scheme);
        output_printf(&cli->output, ": ");
        output_name(&cli->output, user);
        output_printf(&cli->output, "\n");
    }
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set(answer, "users", users);
        output_json(&cli->output, answer);
    }
    json_decref(users);
    deallocate_ClientInfo_vector(&infos);
    return CLI_EXIT_FINISHED;
}

static const struct command commands[] = {
    { .name = "addauth",
      .usage = "scheme auth",
      .least_operands = 2,
      .run = run_addauth,
      .summary = "Tells the server who we are, for instance: addauth digest user:password" },
    { .name = "getAcl",
      .usage = "[-s] path",
      .spec = { OPTIONS(get_acl_options) },
      .least_operands = 2,
      .run = run_get_acl,
      .summary = "Shows who may do what with a node" },
    { .name = "setAcl",
      .usage = "[-s] [-v version] [-R] path acl",
      .spec = { OPTIONS(set_acl_options) },
      .least_operands = 3,
      .can_be_stopped = true,
      .run = run_set_acl,
      .summary = "Says who may do what with a node, or with -R with all below it too" },
    { .name = "whoami",
      .usage = "",
      .run = run_whoami,
      .takes_any_word = true,
      .summary = "Shows whom the server takes us for" },
};
const struct command_table acl_commands = { commands, ARRAY_SIZE(commands) };
