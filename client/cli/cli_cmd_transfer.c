/*
 * cli_cmd_transfer.c - export, import: a subtree as lines of JSON and back.
 *
 * What comes back: paths, data, ACLs, and with --sequences the number the next sequential child gets. What cannot:
 * zxids and times, versions of data and ACL, and ephemeral nodes, whose session is gone; the user is told how many of
 * those were left out. Containers and nodes with a TTL look persistent to every client, so an export cannot tell them;
 * a line whose kind somebody changed to "container", or to "ttl" with a "ttl" in ms, is followed. Neither is atomic.
 */
#include <inttypes.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_acl.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_failure.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_progress.h"
#include "client/cli/cli_record.h"
#include "client/cli/cli_walk.h"
#include "common/base/clock.h"
#include "common/base/console.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

#define MOST_FILE ((size_t)4 << 30)

/* ---- export ---- */

static const struct option_spec export_options[] = {
    { "--file", "file", "Write to a file in place of standard output" },
    { "--progress", NULL, "Show on standard error how many nodes were written" },
};

struct export_work {
    struct cli *cli;
    size_t root_size;          /* of the path before what is written; 0 for the root of all */
    struct file *file;         /* NULL: standard output */
    struct buffer lines;
    struct error error;
    bool had_failure;
    struct progress progress;
};

static int write_lines(struct export_work *work)
{
    if (work->file == NULL) {
        buffer_append(&work->cli->output.pending, work->lines.bytes, work->lines.size);
        output_flush(&work->cli->output);
        buffer_clear(&work->lines);
        return work->cli->output.is_broken ? ZCLOSING : ZOK;
    }
    int err = file_write(work->file, work->lines.bytes, work->lines.size, &work->error);
    buffer_clear(&work->lines);
    return err == ZK_OK ? ZOK : ZCLOSING;
}

static int export_node(void *context, const struct walk_node *node)
{
    struct export_work *work = context;
    if (node->rc != ZOK) {
        if (node->depth == 0)
            return node->rc;
        if (node->rc == ZNONODE)
            return ZOK;
        cli_fail(work->cli, node->rc, node->path);
        work->had_failure = true;
        return node->rc == ZNOAUTH ? ZOK : node->rc;
    }
    const char *relative = node->path + work->root_size;
    struct record record = {
        .path = string_copy(relative[0] == '\0' ? "/" : relative),
        .data_size = node->data_size,
        .sequence = node_sequence_of(&node->stat),
    };
    record.kind = node_kind_of(&node->stat);
    record.owner = record.kind == NODE_EPHEMERAL ? node->stat.ephemeralOwner : 0;
    if (node->data_size > 0)
        buffer_append(&record.data, node->data, (size_t)node->data_size);
    for (int32_t i = 0; i < node->acl->count; i++)
        acl_list_add(&record.acl, node->acl->data[i].id.scheme, node->acl->data[i].id.id, node->acl->data[i].perms);
    record_print(&record, &node->stat, &work->lines);
    buffer_append_byte(&work->lines, '\n');
    record_release(&record);
    progress_add(&work->progress, 1);
    return work->lines.size < 65536 ? ZOK : write_lines(work);
}

static int export_subtree(struct export_work *work, const char *path)
{
    struct cli *cli = work->cli;
    record_print_head(path, clock_wall_ms(), &work->lines);
    buffer_append_byte(&work->lines, '\n');
    int rc = walk_subtree(cli, path, WALK_DATA | WALK_ACL, export_node, work);
    if (rc == ZOK)
        rc = write_lines(work);
    progress_end(&work->progress);
    if (work->error.code != ZK_OK)
        return cli_fail_with(cli, work->error.code, NULL, "%s", work->error.text);
    if (rc != ZOK && rc != ZCLOSING)
        return cli_fail(cli, rc, path);
    return rc == ZOK && !work->had_failure ? CLI_EXIT_FINISHED : CLI_EXIT_FAILED;
}

static int run_export(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.count >= 2 ? arguments->operands.items[1] : "/";
    const char *file = arguments_value(arguments, "--file");
    struct export_work work = {.cli = cli, .root_size = strcmp(path, "/") == 0 ? 0 : strlen(path)};
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    bool has_file = file != NULL && strcmp(file, "-") != 0;
    if (has_file && file_open(file, FILE_CREATE, &work.file, &work.error) != ZK_OK)
        return cli_fail_with(cli, work.error.code, NULL, "%s", work.error.text);
    progress_begin(&work.progress, cli, arguments, "nodes written");
    int exit_code = export_subtree(&work, path);
    if (has_file && file_close(work.file, &work.error) != ZK_OK && exit_code == CLI_EXIT_FINISHED)
        exit_code = cli_fail_with(cli, work.error.code, NULL, "%s", work.error.text);
    buffer_release(&work.lines);
    return exit_code;
}

/* ---- import ---- */

static const struct option_spec import_options[] = {
    { "--file", "file", "Read a file in place of standard input" },
    { "--skip", NULL, "Leave nodes that are there as they are" },
    { "--overwrite", NULL, "Set data and ACL of nodes that are there" },
    { "--ephemeral", "how", "skip (as by default), or persistent: make such nodes of them" },
    { "--sequences", NULL, "Let the numbers of sequential nodes go on where they were" },
    { "--dry-run", NULL, "Only read the lines and say what is wrong with them" },
    { "--progress", NULL, "Show on standard error how many nodes were made" },
};

/* A node whose counter is behind, to be advanced when its children are there. */
struct counter {
    char *path;
    int64_t sequence;
};
/* Nodes that go to the server in one transaction, since each of its own would cost a write to the disk of each server.
 * When one of them cannot be made, none is, and they go one by one. */
#define BATCH 200
#define BATCH_BYTES ((size_t)256 << 10)

struct batched {
    char *path;
    struct record record;
    int64_t line;
};
struct import_work {
    struct cli *cli;
    struct batched batch[BATCH];
    size_t batch_count, batch_bytes;
    char *target;                /* NULL until the head was read, unless the user named it */
    bool skips, overwrites, keeps_ephemerals, sets_counters, is_dry;
    int64_t line, created, skipped, overwritten, ephemerals, behind;
    struct counter *counters;
    size_t counter_count;
    struct progress progress;
};

static int import_failed(struct import_work *work, int rc, const char *path)
{
    char *sentence = failure_sentence(rc, path);
    cli_fail_with(work->cli, rc, path, "line %" PRId64 ": %s", work->line, sentence);
    memory_free(sentence);
    return CLI_EXIT_FAILED;
}

/* The path of a record below the target; the caller's. */
static char *target_path(const struct import_work *work, const char *relative)
{
    if (strcmp(relative, "/") == 0)
        return string_copy(work->target);
    return string_format("%s%s", strcmp(work->target, "/") == 0 ? "" : work->target, relative);
}

static int create_record(struct import_work *work, const struct record *record, const char *path)
{
    zhandle_t *handle = work->cli->session.handle;
    const char *data = record->data_size < 0 ? NULL : buffer_string((struct buffer *)&record->data);
    switch (record->kind) {
    case NODE_CONTAINER:
        return zoo_create(handle, path, data, record->data_size, &record->acl, ZOO_CONTAINER, NULL, 0);
    case NODE_TTL:
        return zoo_create_ttl(handle, path, data, record->data_size, &record->acl, ZOO_PERSISTENT_WITH_TTL,
                              record->ttl_ms, NULL, 0);
    default:
        return zoo_create(handle, path, data, record->data_size, &record->acl, ZOO_PERSISTENT, NULL, 0);
    }
}

static int overwrite_record(struct import_work *work, const struct record *record, const char *path)
{
    zhandle_t *handle = work->cli->session.handle;
    const char *data = record->data_size < 0 ? NULL : buffer_string((struct buffer *)&record->data);
    int rc = zoo_set(handle, path, data, record->data_size, -1);
    return rc == ZOK ? zoo_set_acl(handle, path, -1, &record->acl) : rc;
}

static void remember_counter(struct import_work *work, const struct record *record, const char *path)
{
    if (record->sequence <= 0)
        return;
    work->counters = memory_realloc(work->counters, (work->counter_count + 1) * sizeof(*work->counters));
    work->counters[work->counter_count++] = (struct counter){string_copy(path), record->sequence};
}

static void made(struct import_work *work, const struct record *record, const char *path)
{
    remember_counter(work, record, path);
    progress_add(&work->progress, 1);
}

static int import_one(struct import_work *work, const struct record *record, const char *path)
{
    int rc = create_record(work, record, path);
    if (rc == ZOK) {
        work->created++;
    } else if (rc == ZNODEEXISTS && (work->skips || strcmp(path, "/") == 0)) {
        work->skipped++;
        rc = ZOK;
    } else if (rc == ZNODEEXISTS && work->overwrites) {
        rc = overwrite_record(work, record, path);
        work->overwritten++;
    }
    if (rc != ZOK)
        return import_failed(work, rc, path);
    made(work, record, path);
    return CLI_EXIT_FINISHED;
}

/* ---- batches ---- */

static int send_batch(struct import_work *work)
{
    zoo_op_t *ops = MEMORY_NEW_ARRAY(work->batch_count, zoo_op_t);
    zoo_op_result_t *results = MEMORY_NEW_ARRAY(work->batch_count, zoo_op_result_t);
    for (size_t i = 0; i < work->batch_count; i++) {
        struct record *record = &work->batch[i].record;
        const char *data = record->data_size < 0 ? NULL : buffer_string(&record->data);
        zoo_create_op_init(&ops[i], work->batch[i].path, data, record->data_size, &record->acl, ZOO_PERSISTENT, NULL,
                           0);
    }
    int rc = zoo_multi(work->cli->session.handle, (int)work->batch_count, ops, results);
    memory_free(ops);
    memory_free(results);
    return rc;
}

static int finish_batch(struct import_work *work)
{
    int64_t line = work->line;
    bool are_made = work->batch_count > 1 && send_batch(work) == ZOK;
    int exit_code = CLI_EXIT_FINISHED;
    for (size_t i = 0; i < work->batch_count; i++) {
        struct batched *node = &work->batch[i];
        work->line = node->line;
        if (are_made) {
            work->created++;
            made(work, &node->record, node->path);
        } else if (exit_code == CLI_EXIT_FINISHED) {
            exit_code = import_one(work, &node->record, node->path);
        }
        memory_free(node->path);
        record_release(&node->record);
    }
    work->batch_count = work->batch_bytes = 0;
    work->line = line;
    return exit_code;
}

/* Takes the record and the path over. */
static int import_node(struct import_work *work, struct record *record, char *path)
{
    int exit_code = CLI_EXIT_FINISHED;
    bool is_left_out = record->kind == NODE_EPHEMERAL && !work->keeps_ephemerals;
    bool is_batched = record->kind == NODE_PERSISTENT || record->kind == NODE_EPHEMERAL;
    if (is_left_out) {
        work->ephemerals++;
    } else if (work->is_dry) {
        work->created++;
        progress_add(&work->progress, 1);
    } else if (is_batched) {
        work->batch_bytes += record->data.size + strlen(path);
        work->batch[work->batch_count++] = (struct batched){path, *record, work->line};
        return work->batch_count == BATCH || work->batch_bytes > BATCH_BYTES ? finish_batch(work) : CLI_EXIT_FINISHED;
    } else {
        exit_code = finish_batch(work);
        if (exit_code == CLI_EXIT_FINISHED)
            exit_code = import_one(work, record, path);
    }
    memory_free(path);
    record_release(record);
    return exit_code;
}

static int import_line(struct import_work *work, const char *line, size_t size)
{
    struct record record = {0};
    struct error error = {0};
    enum record_line what;
    char *root = NULL;
    work->line++;
    if (size == 0)
        return CLI_EXIT_FINISHED;
    if (record_parse(line, size, &what, &root, &record, &error) != ZK_OK)
        return cli_fail_with(work->cli, error.code, NULL, "line %" PRId64 ": %s", work->line, error.text);
    if (what == RECORD_HEAD) {
        if (work->target == NULL)
            work->target = root;
        else
            memory_free(root);
        return CLI_EXIT_FINISHED;
    }
    int exit_code = CLI_EXIT_FAILED;
    if (work->target == NULL) {
        cli_fail_with(work->cli, ZK_BAD_ARGUMENTS, NULL,
                      "line %" PRId64 ": there is no head before this node; say where it is to go", work->line);
    } else {
        char *path = target_path(work, record.path);
        if (cli_check_path(work->cli, path, false) == ZK_OK)
            return import_node(work, &record, path);
        memory_free(path);
    }
    record_release(&record);
    return exit_code;
}

/* Lines from standard input as they come, or of a file. */
static int import_lines(struct import_work *work, const char *file)
{
    struct console_lines lines = {0};
    struct error error = {0};
    const char *line;
    int exit_code = CLI_EXIT_FINISHED, err = ZK_OK;
    if (file != NULL && strcmp(file, "-") != 0) {
        err = file_read_all(file, MOST_FILE, &lines.unread, &error);
        lines.is_at_end = true;
    } else if (work->cli->input_is_script) {
        err = error_set(&error, ZK_BAD_ARGUMENTS, "standard input holds the commands; name a file with --file");
    }
    while (err == ZK_OK && exit_code == CLI_EXIT_FINISHED && !interrupt_was_asked(&work->cli->interrupt)) {
        err = console_read_line(&lines, &line, &error);
        if (err == ZK_OK)
            exit_code = import_line(work, line, strlen(line));
    }
    console_lines_release(&lines);
    if (err != ZK_OK && err != ZK_EOF)
        exit_code = cli_fail_with(work->cli, err, NULL, "%s", error.text);
    else if (err == ZK_OK)
        exit_code = CLI_EXIT_FAILED;
    return exit_code;
}

/* ---- counters ---- */

#define PAIRS 500

/* A child that is made and deleted at once counts; PAIRS of them in one transaction. */
static int advance(struct import_work *work, const char *path, int64_t steps)
{
    zoo_op_t *ops = MEMORY_NEW_ARRAY(2 * PAIRS, zoo_op_t);
    zoo_op_result_t *results = MEMORY_NEW_ARRAY(2 * PAIRS, zoo_op_result_t);
    char *child = cli_path_join(path, "zkcli-import-counter");
    int rc = ZOK;
    while (steps > 0 && rc == ZOK && !interrupt_was_asked(&work->cli->interrupt)) {
        int pairs = steps < PAIRS ? (int)steps : PAIRS;
        for (int i = 0; i < pairs; i++) {
            zoo_create_op_init(&ops[2 * i], child, NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
            zoo_delete_op_init(&ops[2 * i + 1], child, -1);
        }
        rc = zoo_multi(work->cli->session.handle, 2 * pairs, ops, results);
        steps -= pairs;
        progress_add(&work->progress, 0);
    }
    memory_free(child);
    memory_free(ops);
    memory_free(results);
    return rc;
}

static int settle_counters(struct import_work *work)
{
    for (size_t i = 0; i < work->counter_count; i++) {
        const struct counter *counter = &work->counters[i];
        struct Stat stat = {0};
        int rc = zoo_exists(work->cli->session.handle, counter->path, 0, &stat);
        int64_t steps = rc == ZOK ? counter->sequence - node_sequence_of(&stat) : 0;
        if (steps > 0 && work->sets_counters)
            rc = advance(work, counter->path, steps);
        else if (steps > 0)
            work->behind++;
        if (rc != ZOK)
            return cli_fail(work->cli, rc, counter->path);
    }
    return CLI_EXIT_FINISHED;
}

static void tell_result(const struct import_work *work)
{
    static const char *const names[] = { "created", "skipped", "overwritten", "ephemeralsLeftOut", "countersBehind" };
    const int64_t values[] = { work->created, work->skipped, work->overwritten, work->ephemerals, work->behind };
    struct output *output = &work->cli->output;
    if (output->is_json) {
        json_t *answer = json_object();
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            json_object_set_new(answer, names[i], json_integer(values[i]));
        output_json(output, answer);
        return;
    }
    output_printf(output, "%" PRId64 " created, %" PRId64 " skipped, %" PRId64 " overwritten%s\n", work->created,
                  work->skipped, work->overwritten, work->is_dry ? " (a dry run, nothing was changed)" : "");
    if (work->ephemerals > 0)
        output_printf(output, "%" PRId64 " ephemeral nodes left out: their sessions are gone\n", work->ephemerals);
    if (work->behind > 0)
        output_printf(output, "%" PRId64 " nodes would give sequential children a number again that they gave before; "
                              "--sequences advances them\n", work->behind);
}

static void import_work_free(struct import_work *work)
{
    for (size_t i = 0; i < work->counter_count; i++)
        memory_free(work->counters[i].path);
    memory_free(work->counters);
    memory_free(work->target);
    memory_free(work);
}

/* Reads the lines, makes the nodes, tells the result. */
static int import_all(struct import_work *work, const struct arguments *arguments)
{
    progress_begin(&work->progress, work->cli, arguments, "nodes made");
    int exit_code = import_lines(work, arguments_value(arguments, "--file"));
    int batch_exit_code = finish_batch(work);
    exit_code = exit_code == CLI_EXIT_FINISHED ? batch_exit_code : exit_code;
    if (exit_code == CLI_EXIT_FINISHED && !work->is_dry)
        exit_code = settle_counters(work);
    progress_end(&work->progress);
    tell_result(work);
    return exit_code;
}

static int run_import(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *ephemeral = arguments_value(arguments, "--ephemeral");
    bool keeps_ephemerals = ephemeral != NULL && strcmp(ephemeral, "persistent") == 0;
    if (ephemeral != NULL && !keeps_ephemerals && strcmp(ephemeral, "skip") != 0)
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "--ephemeral takes skip or persistent, not \"%s\"",
                             ephemeral);
    const char *target = arguments->operands.count >= 2 ? arguments->operands.items[1] : NULL;
    if (target != NULL && cli_check_path(cli, target, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    struct import_work *work = MEMORY_NEW(struct import_work);
    work->cli = cli;
    work->skips = arguments_has(arguments, "--skip");
    work->overwrites = arguments_has(arguments, "--overwrite");
    work->keeps_ephemerals = keeps_ephemerals;
    work->sets_counters = arguments_has(arguments, "--sequences");
    work->is_dry = arguments_has(arguments, "--dry-run");
    work->target = target == NULL ? NULL : string_copy(target);
    int exit_code = import_all(work, arguments);
    import_work_free(work);
    return exit_code;
}

static const struct command commands[] = {
    { .name = "export", .usage = "[--file file] [--progress] [path]", .spec = { OPTIONS(export_options) },
      .can_be_stopped = true, .run = run_export, .summary = "Writes a subtree as lines of JSON" },
    { .name = "import", .spec = { OPTIONS(import_options) }, .can_be_stopped = true, .run = run_import,
      .usage = "[--file file] [--skip] [--overwrite] [--ephemeral how] [--sequences] [--dry-run] [--progress] [path]",
      .summary = "Makes the nodes of an export, where they were or below another node" },
};
const struct command_table transfer_commands = { commands, ARRAY_SIZE(commands) };
