/* cli_cmd_list.c - ls, getAllChildrenNumber, getEphemerals: which nodes there are. */
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_walk.h"
#include "common/base/memory.h"

static const struct option_spec ls_options[] = {
    { "?", NULL, "help" },
    { "s", NULL, "stat" },
    { "w", NULL, "watch" },
    { "R", NULL, "recurse" },
};

static void print_list(struct cli *cli, char *const *names, size_t count)
{
    output_printf(&cli->output, "[");
    for (size_t i = 0; i < count; i++) {
        output_printf(&cli->output, "%s", i == 0 ? "" : ", ");
        output_name(&cli->output, names[i]);
    }
    output_printf(&cli->output, "]\n");
}

static int list_children(struct cli *cli, const struct arguments *arguments, const char *path)
{
    struct String_vector children = {0};
    struct Stat stat = {0};
    int rc = zoo_get_children2(cli->session.handle, path, arguments_has(arguments, "w"), &children, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    walk_sort_names(children.data, (size_t)children.count);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
        json_object_set_new(answer, "children",
                            json_of_strings((const char *const *)children.data, (size_t)children.count));
        json_object_set_new(answer, "stat", json_of_stat(&stat));
        output_json(&cli->output, answer);
    } else {
        print_list(cli, children.data, (size_t)children.count);
        if (arguments_has(arguments, "s"))
            cli_print_stat(cli, &stat);
    }
    deallocate_String_vector(&children);
    return CLI_EXIT_FINISHED;
}

static void list_path(struct cli *cli, const char *path)
{
    if (cli->output.is_json) {
        cli_answer_path(cli, path);
        return;
    }
    output_name(&cli->output, path);
    output_printf(&cli->output, "\n");
    output_flush_if_large(&cli->output);
}

/* All children of a node are listed when it is visited, before any of theirs: that is Java's order. */
static int list_below(void *context, const struct walk_node *node)
{
    struct cli *cli = context;
    if (node->rc != ZOK)
        return node->rc == ZNONODE ? ZOK : node->rc;
    for (size_t i = 0; i < node->child_count; i++) {
        char *path = cli_path_join(node->path, node->children[i]);
        list_path(cli, path);
        memory_free(path);
    }
    return cli->output.is_broken ? ZCLOSING : ZOK;
}

static int list_recursively(struct cli *cli, const char *path, bool watch)
{
    struct Stat stat = {0};
    int32_t size;
    int rc = session_get(&cli->session, path, watch, &size, &stat);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    list_path(cli, path);
    rc = walk_subtree(cli, path, watch ? WALK_WATCH : 0, list_below, cli);
    return rc == ZOK || rc == ZCLOSING ? CLI_EXIT_FINISHED : cli_fail(cli, rc, path);
}

static void print_help(struct cli *cli, const struct command *self)
{
    struct buffer text = {0};
    buffer_append_string(&text, "usage: ls [options] path\n");
    arguments_describe(&self->spec, &text);
    output_take(&cli->output, &text);
}

static int run_ls(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    if (arguments_has(arguments, "?") && !cli->output.is_json)
        print_help(cli, self);
    if (arguments->operands.count < 2)
        return cli_fail_usage(cli, self);
    if (cli_accept_old_watch(cli, self, "ls [-w] path", arguments) != ZK_OK)
        return CLI_EXIT_FAILED;
    const char *path = arguments->operands.items[1];
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    if (arguments_has(arguments, "R"))
        return list_recursively(cli, path, arguments_has(arguments, "w"));
    return list_children(cli, arguments, path);
}

static int run_get_all_children_number(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    int number = 0;
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_get_all_children_number(cli->session.handle, path, &number);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "path", json_of_text(path, strlen(path)));
        json_object_set_new(answer, "number", json_integer(number));
        output_json(&cli->output, answer);
    } else {
        output_printf(&cli->output, "%d\n", number);
    }
    return CLI_EXIT_FINISHED;
}

static int run_get_ephemerals(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.count < 2 ? "/" : arguments->operands.items[1];
    struct String_vector paths = {0};
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_get_ephemerals(cli->session.handle, path, &paths);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "paths", json_of_strings((const char *const *)paths.data, (size_t)paths.count));
        output_json(&cli->output, answer);
    } else {
        print_list(cli, paths.data, (size_t)paths.count);
    }
    deallocate_String_vector(&paths);
    return CLI_EXIT_FINISHED;
}

static const struct command commands[] = {
    { .name = "getAllChildrenNumber",
      .usage = "path",
      .least_operands = 2,
      .run = run_get_all_children_number,
      .summary = "Counts all nodes below a node" },
    { .name = "getEphemerals",
      .usage = "path",
      .run = run_get_ephemerals,
      .summary = "Lists the ephemeral nodes of this session, those whose path begins with the one given" },
    { .name = "ls",
      .usage = "[-s] [-w] [-R] path",
      .spec = { OPTIONS(ls_options) },
      .can_be_stopped = true,
      .run = run_ls,
      .summary = "Lists the children of a node, or with -R all below it" },
};
const struct command_table list_commands = { commands, ARRAY_SIZE(commands) };
