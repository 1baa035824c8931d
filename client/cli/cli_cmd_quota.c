/*
 * cli_cmd_quota.c - setquota, listquota, delquota: limits of a subtree, kept in nodes below /zookeeper/quota.
 *
 * Mirrors SetQuotaCommand, ListQuotaCommand, DelQuotaCommand, with their exit codes: what is a mere complaint in Java
 * ("quota for /a does not exist.") is one here, and the program ends with 0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_quota.h"
#include "client/cli/cli_walk.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

static const struct option_spec limit_options[] = {
    { "n", "val", "num soft quota" },
    { "b", "val", "bytes soft quota" },
    { "N", "val", "num hard quota" },
    { "B", "val", "bytes hard quota" },
};
static const struct option_spec flag_options[] = {
    { "n", NULL, "num soft quota" },
    { "b", NULL, "bytes soft quota" },
    { "N", NULL, "num hard quota" },
    { "B", NULL, "bytes hard quota" },
};
static const enum quota_key option_keys[] = { QUOTA_COUNT, QUOTA_BYTES, QUOTA_COUNT_HARD, QUOTA_BYTE_HARD };

/* What an operation on the quota of one path shares. */
struct quota_work {
    struct cli *cli;
    const char *path;
    char *node;      /* /zookeeper/quota/<path> */
    char *limits;    /* <node>/zookeeper_limits */
    char *stats;     /* <node>/zookeeper_stats */
};

static void work_init(struct quota_work *work, struct cli *cli, const char *path)
{
    *work = (struct quota_work){.cli = cli, .path = path};
    work->node = string_format("%s%s", QUOTA_ROOT, path);
    work->limits = string_format("%s%s/%s", QUOTA_ROOT, path, QUOTA_LIMITS);
    work->stats = string_format("%s%s/%s", QUOTA_ROOT, path, QUOTA_STATS);
}

static void work_release(struct quota_work *work)
{
    memory_free(work->node);
    memory_free(work->limits);
    memory_free(work->stats);
}

static int complain_missing(struct cli *cli, const char *path)
{
    if (cli->output.is_json)
        cli_fail_with(cli, ZK_NO_NODE, path, "quota for %s does not exist.", path);
    else
        output_complain(&cli->output, "quota for %s does not exist.", path);
    return CLI_EXIT_FINISHED;
}

/* The quota in the data of a node. Says itself what is wrong with the text; the code is then ZBADARGUMENTS. */
static int read_quota(struct cli *cli, const char *node, struct quota *ret_quota)
{
    struct Stat stat = {0};
    struct error error = {0};
    int32_t size;
    int rc = session_get(&cli->session, node, false, &size, &stat);
    if (rc != ZOK)
        return rc;
    if (quota_parse((const char *)cli->session.data.bytes, cli->session.data.size, ret_quota, &error) == ZK_OK)
        return ZOK;
    cli_fail_with(cli, error.code, node, "%s", error.text);
    return ZBADARGUMENTS;
}

static int write_quota(struct cli *cli, const char *node, const struct quota *quota)
{
    struct buffer text = {0};
    quota_print(quota, &text);
    int rc = zoo_set(cli->session.handle, node, (const char *)text.bytes, (int)text.size, -1);
    buffer_release(&text);
    return rc;
}

static int create_quota(struct cli *cli, const char *node, const struct quota *quota)
{
    struct buffer text = {0};
    if (quota != NULL)
        quota_print(quota, &text);
    int size = quota == NULL ? -1 : (int)text.size;
    int rc = zoo_create(cli->session.handle, node, (const char *)text.bytes, size, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT,
                        NULL, 0);
    buffer_release(&text);
    return rc;
}

/* ---- listquota ---- */

static json_t *json_of_quota(const struct quota *quota)
{
    json_t *object = json_object();
    for (int key = 0; key < QUOTA_KEYS; key++)
        json_object_set_new(object, quota_key_name((enum quota_key)key), json_integer(quota->values[key]));
    return object;
}

static void print_quota(struct cli *cli, const char *what, const char *path, const struct quota *quota)
{
    struct buffer text = {0};
    quota_print(quota, &text);
    output_printf(&cli->output, "Output %s for ", what);
    output_name(&cli->output, path);
    output_printf(&cli->output, " %s\n", buffer_string(&text));
    buffer_release(&text);
}

static int list_quota(struct quota_work *work)
{
    struct cli *cli = work->cli;
    struct quota limits, usage;
    if (!cli->output.is_json)
        output_complain(&cli->output, "absolute path is %s", work->limits);
    if (cli_check_path(cli, work->limits, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = read_quota(cli, work->limits, &limits);
    const char *failed_at = work->limits;
    if (rc == ZOK) {
        rc = read_quota(cli, work->stats, &usage);
        failed_at = work->stats;
    }
    if (rc == ZNONODE)
        return complain_missing(cli, work->path);
    if (rc != ZOK)
        return rc == ZBADARGUMENTS ? CLI_EXIT_FAILED : cli_fail(cli, rc, failed_at);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "path", json_of_text(work->path, strlen(work->path)));
        json_object_set_new(answer, "limits", json_of_quota(&limits));
        json_object_set_new(answer, "usage", json_of_quota(&usage));
        output_json(&cli->output, answer);
        return CLI_EXIT_FINISHED;
    }
    print_quota(cli, "quota", work->path, &limits);
    print_quota(cli, "stat", work->path, &usage);
    return CLI_EXIT_FINISHED;
}

static int run_listquota(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    struct quota_work work;
    work_init(&work, cli, arguments->operands.items[1]);
    int exit_code = list_quota(&work);
    work_release(&work);
    return exit_code;
}

/* ---- setquota ---- */

/* The one limit that was asked for; false, having complained, when it is none. */
static bool limits_of(struct cli *cli, const struct arguments *arguments, struct quota *limits)
{
    quota_init(limits);
    for (size_t i = 0; i < ARRAY_SIZE(option_keys); i++) {
        const char *text = arguments_value(arguments, limit_options[i].name);
        bool is_count = option_keys[i] == QUOTA_COUNT || option_keys[i] == QUOTA_COUNT_HARD;
        const char *complaint = NULL;
        int64_t number;
        if (text == NULL)
            continue;
        if (!string_to_int64(text, 10, &number) || (is_count && (number > INT32_MAX || number < INT32_MIN)))
            complaint = "NumberFormatException happens when parsing the option value";
        else if (is_count && number <= 0)
            complaint = "the num quota must be greater than zero";
        else if (number < 0)
            complaint = "the bytes quota must be greater than or equal to zero";
        else
            quota_set(limits, option_keys[i], number);
        if (complaint == NULL)
            continue;
        cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "%s", complaint);
        return false;
    }
    return true;
}

/* Ends with WALK_FOUND at a node below the one looked at that has limits of its own; its path is then in `found`. */
enum { WALK_FOUND = 2 };
struct quota_search {
    const char *start;
    char *found;
};

static bool has_limits(const char *const *children, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(children[i], QUOTA_LIMITS) == 0)
            return true;
    return false;
}

static int look_for_limits(void *context, const struct walk_node *node)
{
    struct quota_search *search = context;
    if (node->rc != ZOK)
        return node->rc == ZNONODE ? ZOK : node->rc;
    if (strcmp(node->path, search->start) == 0 || !has_limits(node->children, node->child_count))
        return ZOK;
    search->found = string_copy(node->path + strlen(QUOTA_ROOT));
    return WALK_FOUND;
}

/* No node below may have a quota of its own. */
static int check_below(struct quota_work *work)
{
    struct quota_search search = {work->node, NULL};
    int rc = walk_subtree(work->cli, work->node, 0, look_for_limits, &search);
    if (rc == WALK_FOUND) {
        cli_fail_with(work->cli, ZK_BAD_ARGUMENTS, work->path, "%s has a child %s which has a quota", work->path,
                      search.found);
        memory_free(search.found);
        return CLI_EXIT_FAILED;
    }
    return rc == ZOK ? CLI_EXIT_FINISHED : cli_fail(work->cli, rc, work->node);
}

/* Nor a node above. */
static int check_above(struct quota_work *work)
{
    char *at = string_copy(work->node);
    int exit_code = CLI_EXIT_FINISHED;
    bool goes_on = true;
    for (char *slash = strchr(at + strlen(QUOTA_ROOT) + 1, '/'); slash != NULL && goes_on;
         slash = strchr(slash + 1, '/')) {
        struct String_vector children = {0};
        *slash = '\0';
        int rc = zoo_get_children(work->cli->session.handle, at, 0, &children);
        if (rc == ZOK && has_limits((const char *const *)children.data, (size_t)children.count)) {
            exit_code = cli_fail_with(work->cli, ZK_BAD_ARGUMENTS, work->path, "%s has a parent %s which has a quota",
                                      work->path, at + strlen(QUOTA_ROOT));
            goes_on = false;
        } else if (rc != ZOK && rc != ZNONODE) {
            exit_code = cli_fail(work->cli, rc, at);
        }
        goes_on = goes_on && rc == ZOK && children.count > 0;
        if (rc == ZOK)
            deallocate_String_vector(&children);
        *slash = '/';
    }
    memory_free(at);
    return exit_code;
}

/* The nodes from /zookeeper/quota down to that of the path. */
static int make_parents(struct quota_work *work)
{
    char *at = string_copy(work->node);
    int rc = ZOK;
    for (char *slash = strchr(at + 1, '/'); slash != NULL && (rc == ZOK || rc == ZNODEEXISTS);
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct Stat stat;
        rc = zoo_exists(work->cli->session.handle, at, 0, &stat);
        if (rc == ZNONODE)
            rc = create_quota(work->cli, at, NULL);
        *slash = '/';
    }
    if (rc == ZOK || rc == ZNODEEXISTS) {
        struct Stat stat;
        rc = zoo_exists(work->cli->session.handle, at, 0, &stat);
        if (rc == ZNONODE)
            rc = create_quota(work->cli, at, NULL);
    }
    memory_free(at);
    return rc == ZNODEEXISTS ? ZOK : rc;
}

static void warn_if_exceeded(struct cli *cli, const struct quota *limits, const struct quota *usage)
{
    static const struct {
        enum quota_key key;
        const char *what;
    } both[] = { { QUOTA_COUNT, "count" }, { QUOTA_BYTES, "bytes" } };
    for (size_t i = 0; i < ARRAY_SIZE(both); i++)
        if (!cli->output.is_json && quota_is_exceeded(limits, usage, both[i].key))
            output_printf(&cli->output, "[Warning]: the %s quota you create is less than the existing %s:%" PRId64 "\n",
                          both[i].what, both[i].what, usage->values[both[i].key]);
}

static int make_quota(struct quota_work *work, const struct quota *limits)
{
    struct quota usage, kept;
    quota_init(&usage);
    quota_set(&usage, QUOTA_COUNT, 0);
    quota_set(&usage, QUOTA_BYTES, 0);
    int rc = create_quota(work->cli, work->limits, limits);
    if (rc == ZOK)
        rc = create_quota(work->cli, work->stats, &usage);
    if (rc == ZOK)
        rc = read_quota(work->cli, work->limits, &kept);
    if (rc == ZOK)
        rc = read_quota(work->cli, work->stats, &usage);
    if (rc == ZOK)
        warn_if_exceeded(work->cli, &kept, &usage);
    return rc;
}

static int change_quota(struct quota_work *work, const struct quota *limits)
{
    struct quota usage, kept;
    int rc = read_quota(work->cli, work->limits, &kept);
    if (rc == ZOK)
        rc = read_quota(work->cli, work->stats, &usage);
    if (rc != ZOK)
        return rc;
    for (int key = 0; key < QUOTA_KEYS; key++)
        if (limits->values[key] > -1)
            quota_set(&kept, (enum quota_key)key, limits->values[key]);
    warn_if_exceeded(work->cli, &kept, &usage);
    return write_quota(work->cli, work->limits, &kept);
}

static int set_quota(struct quota_work *work, struct quota *limits)
{
    struct cli *cli = work->cli;
    struct Stat stat;
    if (cli_check_path(cli, work->path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_exists(cli->session.handle, work->path, 0, &stat);
    if (rc == ZNONODE)
        return cli_fail_with(cli, rc, work->path, "%s does not exist.", work->path);
    if (rc != ZOK)
        return cli_fail(cli, rc, work->path);
    if (check_below(work) != CLI_EXIT_FINISHED || check_above(work) != CLI_EXIT_FINISHED)
        return CLI_EXIT_FAILED;
    rc = make_parents(work);
    if (rc != ZOK)
        return cli_fail(cli, rc, work->node);
    /* Java writes all four, set or not. */
    for (int key = 0; key < QUOTA_KEYS; key++)
        limits->is_set[key] = true;
    rc = zoo_exists(cli->session.handle, work->limits, 0, &stat);
    if (rc == ZNONODE)
        rc = make_quota(work, limits);
    else if (rc == ZOK)
        rc = change_quota(work, limits);
    if (rc != ZOK)
        return rc == ZBADARGUMENTS ? CLI_EXIT_FAILED : cli_fail(cli, rc, work->limits);
    cli_answer_path(cli, work->path);
    return CLI_EXIT_FINISHED;
}

static int run_setquota(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    struct quota limits;
    if (string_starts_with(path, QUOTA_ROOT)) {
        cli_fail_with(cli, ZK_BAD_ARGUMENTS, path, "cannot set a quota under the path: %s", QUOTA_ROOT);
        return CLI_EXIT_FINISHED;
    }
    if (!limits_of(cli, arguments, &limits))
        return CLI_EXIT_FINISHED;
    struct quota_work work;
    work_init(&work, cli, path);
    int exit_code = set_quota(&work, &limits);
    work_release(&work);
    return exit_code;
}

/* ---- delquota ---- */

/* Deletes the node and those above it as long as they have no other child, up to /zookeeper/quota. */
static int trim(struct quota_work *work)
{
    char *at = string_copy(work->node);
    int rc = ZOK;
    for (bool is_empty = true; is_empty && rc == ZOK && strcmp(at, QUOTA_ROOT) != 0;) {
        struct Stat stat;
        rc = zoo_exists(work->cli->session.handle, at, 0, &stat);
        is_empty = rc == ZOK && stat.numChildren == 0;
        if (is_empty)
            rc = zoo_delete(work->cli->session.handle, at, -1);
        *strrchr(at, '/') = '\0';
    }
    memory_free(at);
    return rc;
}

static int delete_quota(struct quota_work *work)
{
    struct String_vector children = {0};
    int rc = zoo_get_children(work->cli->session.handle, work->node, 0, &children);
    for (int32_t i = 0; i < children.count && rc == ZOK; i++) {
        char *child = cli_path_join(work->node, children.data[i]);
        rc = zoo_delete(work->cli->session.handle, child, -1);
        memory_free(child);
    }
    if (children.data != NULL)
        deallocate_String_vector(&children);
    return rc == ZOK ? trim(work) : rc;
}

static int clear_limits(struct quota_work *work, const struct arguments *arguments)
{
    struct quota limits;
    int rc = read_quota(work->cli, work->limits, &limits);
    if (rc != ZOK)
        return rc;
    for (size_t i = 0; i < ARRAY_SIZE(option_keys); i++)
        if (arguments_has(arguments, flag_options[i].name))
            quota_set(&limits, option_keys[i], -1);
    return write_quota(work->cli, work->limits, &limits);
}

static int run_delquota(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    struct quota_work work;
    struct Stat stat;
    int exit_code = CLI_EXIT_FINISHED;
    work_init(&work, cli, arguments->operands.items[1]);
    if (cli_check_path(cli, work.limits, false) != ZK_OK) {
        work_release(&work);
        return CLI_EXIT_FAILED;
    }
    int rc = zoo_exists(cli->session.handle, work.limits, 0, &stat);
    bool is_missing = rc == ZNONODE;
    if (is_missing && !cli->output.is_json) {
        output_printf(&cli->output, "Quota does not exist for ");
        output_name(&cli->output, work.path);
        output_printf(&cli->output, "\n");
    }
    if (rc == ZOK)
        rc = arguments->option_count > 0 ? clear_limits(&work, arguments) : delete_quota(&work);
    if (rc == ZNONODE && (!is_missing || cli->output.is_json))
        exit_code = complain_missing(cli, work.path);
    else if (rc != ZOK && !is_missing)
        exit_code = rc == ZBADARGUMENTS ? CLI_EXIT_FAILED : cli_fail(cli, rc, work.limits);
    else if (rc == ZOK)
        cli_answer_path(cli, work.path);
    work_release(&work);
    return exit_code;
}

static const struct command commands[] = {
    { .name = "delquota", .usage = "[-n|-b|-N|-B] path", .least_operands = 2, .run = run_delquota,
      .spec = { OPTIONS(flag_options), .is_group = true }, .summary = "Takes a limit, or all of them, away" },
    { .name = "listquota", .usage = "path", .least_operands = 2, .run = run_listquota,
      .summary = "Shows the limits of a subtree, and how much of them is used" },
    { .name = "setquota", .usage = "-n|-b|-N|-B val path", .least_operands = 2, .can_be_stopped = true,
      .run = run_setquota, .spec = { OPTIONS(limit_options), .is_group = true, .is_required = true },
      .summary = "Limits the nodes or the bytes of a subtree" },
};
const struct command_table quota_commands = { commands, ARRAY_SIZE(commands) };
