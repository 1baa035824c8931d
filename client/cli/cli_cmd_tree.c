/* cli_cmd_tree.c - tree, find, du, deleteall: commands on a whole subtree. */
#include <fnmatch.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_kind.h"
#include "client/cli/cli_operands.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_progress.h"
#include "client/cli/cli_walk.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

/* A walk that ended: what it ended with as an exit code. What could not be read of one node was told by the way. */
static int finish_walk(struct cli *cli, int rc, const char *path, bool had_failure)
{
    if (rc == ZCLOSING)
        return CLI_EXIT_FAILED;
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    return had_failure ? CLI_EXIT_FAILED : CLI_EXIT_FINISHED;
}

/* What to do about a node that could not be read: the first ends the walk, one that went is passed over, others are
 * told. Returns what a visitor returns; *ret_had_failure is set when something was told. */
static int pass_over(struct cli *cli, const struct walk_node *node, bool *ret_had_failure)
{
    if (node->depth == 0 || node->rc == ZCONNECTIONLOSS || node->rc == ZSESSIONEXPIRED || node->rc == ZINVALIDSTATE ||
        node->rc == ZCLOSING)
        return node->rc;
    if (node->rc != ZNONODE) {
        cli_fail(cli, node->rc, node->path);
        *ret_had_failure = true;
    }
    return ZOK;
}

/* The operand, or the root. */
static const char *path_of(const struct arguments *arguments)
{
    return arguments->operands.count >= 2 ? arguments->operands.items[1] : "/";
}

/* ---- tree ---- */

static const struct option_spec tree_options[] = {
    { "d", "depth", "No deeper than this" },
    { "s", NULL, "Show the size of the data and the kind of node" },
};

struct tree_work {
    struct cli *cli;
    int64_t most_depth;
    bool shows_details, is_utf8, had_failure;
    bool *are_last;     /* by depth: the branch we are on is the last of its parent */
    size_t depth_room;
    int64_t nodes;
};

static void draw_branches(struct tree_work *work, const struct walk_node *node)
{
    struct output *output = &work->cli->output;
    for (int depth = 1; depth < node->depth; depth++)
        output_printf(output, "%s", work->are_last[depth] ? "    " : work->is_utf8 ? "\u2502   " : "|   ");
    if (node->depth > 0 && node->is_last)
        output_printf(output, "%s", work->is_utf8 ? "\u2514\u2500\u2500 " : "`-- ");
    else if (node->depth > 0)
        output_printf(output, "%s", work->is_utf8 ? "\u251c\u2500\u2500 " : "|-- ");
}

static void describe_node(struct cli *cli, const struct walk_node *node)
{
    enum node_kind kind = node_kind_of(&node->stat);
    output_printf(&cli->output, " [%" PRId32 "%s%s]", node->stat.dataLength, kind == NODE_PERSISTENT ? "" : " ",
                  kind == NODE_PERSISTENT ? "" : node_kind_name(kind));
}

static json_t *json_of_node(const struct walk_node *node)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "path", json_of_text(node->path, strlen(node->path)));
    json_object_set_new(answer, "kind", json_string(node_kind_name(node_kind_of(&node->stat))));
    json_object_set_new(answer, "stat", json_of_stat(&node->stat));
    return answer;
}

static int draw_node(void *context, const struct walk_node *node)
{
    struct tree_work *work = context;
    struct output *output = &work->cli->output;
    if (node->rc != ZOK)
        return pass_over(work->cli, node, &work->had_failure);
    if ((size_t)node->depth >= work->depth_room) {
        work->depth_room = (size_t)node->depth * 2 + 8;
        work->are_last = memory_realloc(work->are_last, work->depth_room * sizeof(*work->are_last));
    }
    work->are_last[node->depth] = node->is_last;
    work->nodes++;
    if (output->is_json) {
        output_json(output, json_of_node(node));
    } else {
        draw_branches(work, node);
        output_name(output, node->name);
        if (work->shows_details)
            describe_node(work->cli, node);
        output_printf(output, "\n");
        output_flush_if_large(output);
    }
    if (output->is_broken)
        return ZCLOSING;
    return node->depth < work->most_depth ? ZOK : WALK_SKIP;
}

static int run_tree(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = path_of(arguments);
    struct tree_work work = {.cli = cli, .shows_details = arguments_has(arguments, "s"),
                             .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    if (!cli_option_number(cli, arguments, "d", 0, INT32_MAX, INT32_MAX, &work.most_depth) ||
        cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = walk_subtree(cli, path, 0, draw_node, &work);
    if (rc == ZOK && !cli->output.is_json)
        output_printf(&cli->output, "\n%" PRId64 " %s\n", work.nodes, work.nodes == 1 ? "node" : "nodes");
    memory_free(work.are_last);
    return finish_walk(cli, rc, path, work.had_failure);
}

/* ---- find ---- */

static const struct option_spec find_options[] = {
    { "--name", "pattern", "Nodes whose name matches, with * ? and [...]" },
    { "--path", "pattern", "Nodes whose path matches" },
    { "--type", "kind", "persistent or ephemeral" },
    { "--min", "bytes", "Nodes with so much data or more" },
    { "--max", "bytes", "Nodes with so much data or less" },
    { "--depth", "depth", "No deeper than this" },
    { "--data", "text", "Nodes whose data holds the text" },
    { "--owner", "session", "Ephemeral nodes of this session, 0x..." },
    { "--leaf", NULL, "Nodes without children" },
    { "--progress", NULL, "Show on standard error how many were looked at" },
};

struct find_work {
    struct cli *cli;
    const char *name, *path, *data, *owner;
    bool has_kind, is_leaf, had_failure;
    enum node_kind kind;
    int64_t owner_id, least, most, most_depth;
    struct progress progress;
};

static bool matches(const struct find_work *work, const struct walk_node *node)
{
    const struct Stat *stat = &node->stat;
    if (work->name != NULL && fnmatch(work->name, node->name, 0) != 0)
        return false;
    if (work->path != NULL && fnmatch(work->path, node->path, 0) != 0)
        return false;
    if (work->has_kind && node_kind_of(stat) != work->kind)
        return false;
    if (work->owner != NULL && stat->ephemeralOwner != work->owner_id)
        return false;
    if (stat->dataLength < work->least || stat->dataLength > work->most || (work->is_leaf && stat->numChildren > 0))
        return false;
    return work->data == NULL || (node->data_size > 0 && memmem(node->data, (size_t)node->data_size, work->data,
                                                                strlen(work->data)) != NULL);
}

static int find_node(void *context, const struct walk_node *node)
{
    struct find_work *work = context;
    struct output *output = &work->cli->output;
    progress_add(&work->progress, 1);
    if (node->rc != ZOK)
        return pass_over(work->cli, node, &work->had_failure);
    if (matches(work, node) && output->is_json) {
        output_json(output, json_of_node(node));
    } else if (matches(work, node)) {
        output_name(output, node->path);
        output_printf(output, "\n");
        output_flush_if_large(output);
    }
    if (output->is_broken)
        return ZCLOSING;
    return node->depth < work->most_depth ? ZOK : WALK_SKIP;
}

static bool find_conditions(struct cli *cli, const struct arguments *arguments, struct find_work *work)
{
    const char *kind = arguments_value(arguments, "--type");
    *work = (struct find_work){
        .cli = cli, .name = arguments_value(arguments, "--name"), .path = arguments_value(arguments, "--path"),
        .data = arguments_value(arguments, "--data"), .owner = arguments_value(arguments, "--owner"),
        .has_kind = kind != NULL, .is_leaf = arguments_has(arguments, "--leaf"),
    };
    if (kind != NULL && (!node_kind_parse(kind, &work->kind) || work->kind > NODE_EPHEMERAL)) {
        cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "--type takes persistent or ephemeral, not \"%s\"", kind);
        return false;
    }
    if (work->owner != NULL) {
        const char *digits = string_starts_with(work->owner, "0x") ? work->owner + 2 : work->owner;
        if (!string_to_int64(digits, 16, &work->owner_id)) {
            cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "--owner takes a session, not \"%s\"", work->owner);
            return false;
        }
    }
    return cli_option_number(cli, arguments, "--min", 0, INT32_MAX, 0, &work->least) &&
           cli_option_number(cli, arguments, "--max", 0, INT32_MAX, INT32_MAX, &work->most) &&
           cli_option_number(cli, arguments, "--depth", 0, INT32_MAX, INT32_MAX, &work->most_depth);
}

static int run_find(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = path_of(arguments);
    struct find_work work;
    if (!find_conditions(cli, arguments, &work) || cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    progress_begin(&work.progress, cli, arguments, "nodes looked at");
    int rc = walk_subtree(cli, path, work.data != NULL ? WALK_DATA : 0, find_node, &work);
    progress_end(&work.progress);
    return finish_walk(cli, rc, path, work.had_failure);
}

/* ---- du ---- */

static const struct option_spec du_options[] = {
    { "s", NULL, "Only the sum of the whole subtree" },
    { "d", "depth", "Lines for nodes down to this depth, but sums of all" },
    { "h", NULL, "Sizes for people: 1.5M" },
    { "--progress", NULL, "Show on standard error how many were looked at" },
};

/* Sums of the nodes from the first to the one we are at; a node's line is written when its last descendant was seen. */
struct du_level {
    char *path;
    int64_t bytes, nodes;
};
struct du_work {
    struct cli *cli;
    struct du_level *levels;
    size_t count, room;
    int64_t most_depth;
    bool is_for_people, had_failure;
    struct progress progress;
};

static void print_level(struct du_work *work, const struct du_level *level)
{
    struct output *output = &work->cli->output;
    if (output->is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "path", json_of_text(level->path, strlen(level->path)));
        json_object_set_new(answer, "bytes", json_integer(level->bytes));
        json_object_set_new(answer, "nodes", json_integer(level->nodes));
        output_json(output, answer);
        return;
    }
    struct buffer size = {0};
    if (work->is_for_people)
        format_size(level->bytes, &size);
    else
        buffer_printf(&size, "%" PRId64, level->bytes);
    output_printf(output, "%s\t%" PRId64 "\t", buffer_string(&size), level->nodes);
    output_name(output, level->path);
    output_printf(output, "\n");
    output_flush_if_large(output);
    buffer_release(&size);
}

/* Ends levels until `depth` are left: each is printed and goes into the one above. */
static void end_levels(struct du_work *work, size_t depth)
{
    while (work->count > depth) {
        struct du_level *level = &work->levels[--work->count];
        if ((int64_t)work->count <= work->most_depth)
            print_level(work, level);
        if (work->count > 0) {
            level[-1].bytes += level->bytes;
            level[-1].nodes += level->nodes;
        }
        memory_free(level->path);
    }
}

static int measure_node(void *context, const struct walk_node *node)
{
    struct du_work *work = context;
    progress_add(&work->progress, 1);
    if (node->rc != ZOK)
        return pass_over(work->cli, node, &work->had_failure);
    end_levels(work, (size_t)node->depth);
    if (work->count == work->room) {
        work->room = work->room * 2 + 8;
        work->levels = memory_realloc(work->levels, work->room * sizeof(*work->levels));
    }
    work->levels[work->count++] = (struct du_level){string_copy(node->path), node->stat.dataLength, 1};
    return work->cli->output.is_broken ? ZCLOSING : ZOK;
}

static int run_du(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = path_of(arguments);
    struct du_work work = {.cli = cli, .is_for_people = arguments_has(arguments, "h")};
    if (!cli_option_number(cli, arguments, "d", 0, INT32_MAX, INT32_MAX, &work.most_depth) ||
        cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    if (arguments_has(arguments, "s"))
        work.most_depth = 0;
    progress_begin(&work.progress, cli, arguments, "nodes looked at");
    int rc = walk_subtree(cli, path, 0, measure_node, &work);
    if (rc != ZOK)
        work.most_depth = -1;
    end_levels(&work, 0);
    progress_end(&work.progress);
    memory_free(work.levels);
    return finish_walk(cli, rc, path, work.had_failure);
}

/* ---- deleteall ---- */

#define BATCH 1000

static const struct option_spec deleteall_options[] = {
    { "b", "size", "batch size" },
    { "--progress", NULL, "Show on standard error how many are gone" },
};

static int collect_path(void *context, const struct walk_node *node)
{
    struct words *paths = context;
    if (node->rc != ZOK)
        return node->rc;
    words_add(paths, node->path, strlen(node->path));
    return ZOK;
}

/* One transaction, the last nodes first; all of them or none. */
static int delete_batch(struct cli *cli, const struct words *paths, size_t from, size_t to)
{
    size_t count = to - from;
    zoo_op_t *ops = MEMORY_NEW_ARRAY(count, zoo_op_t);
    zoo_op_result_t *results = MEMORY_NEW_ARRAY(count, zoo_op_result_t);
    for (size_t i = 0; i < count; i++)
        zoo_delete_op_init(&ops[i], paths->items[to - 1 - i], -1);
    int rc = zoo_multi(cli->session.handle, (int)count, ops, results);
    memory_free(ops);
    memory_free(results);
    return rc;
}

/* A batch of 0 or less: one by one, and the first that fails is told. */
static int delete_one_by_one(struct cli *cli, const struct words *paths, struct progress *progress)
{
    for (size_t i = paths->count; i > 0; i--) {
        int rc = zoo_delete(cli->session.handle, paths->items[i - 1], -1);
        if (rc != ZOK)
            return cli_fail(cli, rc, paths->items[i - 1]);
        progress_add(progress, 1);
    }
    return CLI_EXIT_FINISHED;
}

static int delete_in_batches(struct cli *cli, const char *path, const struct words *paths, size_t batch,
                             struct progress *progress)
{
    for (size_t to = paths->count; to > 0;) {
        size_t from = to > batch ? to - batch : 0;
        int rc = interrupt_was_asked(&cli->interrupt) ? ZCLOSING : delete_batch(cli, paths, from, to);
        if (rc != ZOK) {
            cli_fail_with(cli, rc, path, "Failed to delete some node(s) in the subtree!");
            return CLI_EXIT_FINISHED;
        }
        progress_add(progress, (int64_t)(to - from));
        to = from;
    }
    return CLI_EXIT_FINISHED;
}

static int run_deleteall(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1], *batch_text = arguments_value(arguments, "b");
    int64_t batch = BATCH;
    if (batch_text != NULL && (!string_to_int64(batch_text, 10, &batch) || batch < INT32_MIN || batch > INT32_MAX))
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "-b argument must be an int value");
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    struct words paths = {0};
    struct progress progress;
    progress_begin(&progress, cli, arguments, "nodes deleted");
    int rc = walk_subtree(cli, path, 0, collect_path, &paths), exit_code;
    if (rc != ZOK)
        exit_code = finish_walk(cli, rc, path, false);
    else if (batch > 0)
        exit_code = delete_in_batches(cli, path, &paths, (size_t)batch, &progress);
    else
        exit_code = delete_one_by_one(cli, &paths, &progress);
    progress_end(&progress);
    if (rc == ZOK && exit_code == CLI_EXIT_FINISHED && progress.done == (int64_t)paths.count)
        cli_answer_path(cli, path);
    words_release(&paths);
    return exit_code;
}

static const struct command commands[] = {
    { .name = "deleteall", .usage = "path [-b batch size]", .spec = { OPTIONS(deleteall_options) }, .least_operands = 2,
      .can_be_stopped = true, .run = run_deleteall, .summary = "Deletes a node and all below it" },
    { .name = "du", .usage = "[-s] [-d depth] [-h] [--progress] [path]", .spec = { OPTIONS(du_options) },
      .can_be_stopped = true, .run = run_du, .summary = "Sums up data (bytes) and nodes of each subtree" },
    { .name = "find", .spec = { OPTIONS(find_options) }, .can_be_stopped = true, .run = run_find,
      .usage = "[path] [--name pattern] [--path pattern] [--type kind] [--min bytes] [--max bytes] [--depth depth] "
               "[--data text] [--owner session] [--leaf] [--progress]",
      .summary = "Lists the nodes of a subtree to which all conditions apply" },
    { .name = "tree", .usage = "[-d depth] [-s] [path]", .spec = { OPTIONS(tree_options) }, .can_be_stopped = true,
      .run = run_tree, .summary = "Draws a subtree" },
};
const struct command_table tree_commands = { commands, ARRAY_SIZE(commands) };
