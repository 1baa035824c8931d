/* cli_cmd_watch.c - addWatch, removewatches, watch: being told of changes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "common/base/clock.h"
#include "common/base/memory.h"

static const struct option_spec add_watch_options[] = { { "m", "mode", "" } };

/* PERSISTENT or PERSISTENT_RECURSIVE, in any case; what was not given is the second. */
static bool mode_of(const struct arguments *arguments, ZooAddWatchMode *ret_mode)
{
    const char *text = arguments_value(arguments, "m");
    if (text == NULL || strcasecmp(text, "PERSISTENT_RECURSIVE") == 0)
        *ret_mode = ZOO_WATCH_PERSISTENT_RECURSIVE;
    else if (strcasecmp(text, "PERSISTENT") == 0)
        *ret_mode = ZOO_WATCH_PERSISTENT;
    else
        return false;
    return true;
}

static int run_add_watch(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    ZooAddWatchMode mode;
    if (arguments->operands.count != 2 || !mode_of(arguments, &mode))
        return cli_fail_usage(cli, self);
    const char *path = arguments->operands.items[1];
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_add_watch(cli->session.handle, path, mode, session_watcher, &cli->session);
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    cli_answer_path(cli, path);
    return CLI_EXIT_FINISHED;
}

static const struct option_spec remove_watches_options[] = {
    { "c", NULL, "child watcher type" },
    { "d", NULL, "data watcher type" },
    { "p", NULL, "persistent watcher type" },
    { "r", NULL, "persistent recursive watcher type" },
    { "a", NULL, "any watcher type" },
    { "l", NULL, "remove locally when there is no server connection" },
};

static ZooWatcherType watcher_type_of(const struct arguments *arguments)
{
    static const struct { const char *option; ZooWatcherType type; } types[] = {
        { "c", ZWATCHTYPE_CHILD }, { "d", ZWATCHTYPE_DATA }, { "p", ZWATCHTYPE_PERSISTENT },
        { "r", ZWATCHTYPE_PERSISTENT_RECURSIVE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (arguments_has(arguments, types[i].option))
            return types[i].type;
    return ZWATCHTYPE_ANY;
}

static int run_remove_watches(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    const char *path = arguments->operands.items[1];
    if (cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    int rc = zoo_remove_watches(cli->session.handle, path, watcher_type_of(arguments), NULL, NULL,
                                arguments_has(arguments, "l"));
    if (rc != ZOK)
        return cli_fail(cli, rc, path);
    cli_answer_path(cli, path);
    return CLI_EXIT_FINISHED;
}

/* ---- watch ---- */

static const struct option_spec watch_options[] = {
    { "m", "mode", "PERSISTENT: the node and its children only" },
    { "--count", "number", "Ends after so many events" },
    { "--timeout", "seconds", "Ends after so long" },
};

struct watch_work {
    struct cli *cli;
    _Atomic int64_t most;    /* events; 0 once no more is to be told */
    _Atomic int64_t seen;
    _Atomic bool is_set;     /* the watch; what the connection does before that is not told here */
    _Atomic bool is_lost;    /* the session has ended */
    _Atomic bool is_removed; /* the watch, and all its events were told */
};

static void print_time(int64_t wall_ms, struct buffer *out)
{
    struct tm local;
    char text[32];
    clock_local_time(wall_ms, &local);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
    buffer_printf(out, "%s.%03d", text, (int)(wall_ms % 1000));
}

static void print_event(struct watch_work *work, int type, int state, const char *path)
{
    struct output *output = &work->cli->output;
    struct buffer text = {0};
    const char *what = type == ZOO_SESSION_EVENT ? format_event_state(state) : format_event_type(type);
    int64_t now_ms = clock_wall_ms();
    if (output->is_json) {
        json_t *event = json_object();
        json_object_set_new(event, "time", json_integer(now_ms));
        json_object_set_new(event, type == ZOO_SESSION_EVENT ? "session" : "type", json_string(what));
        if (type != ZOO_SESSION_EVENT)
            json_object_set_new(event, "path", json_of_text(path, strlen(path)));
        json_print(event, &text);
        json_decref(event);
    } else {
        print_time(now_ms, &text);
        buffer_printf(&text, " %s ", what);
        if (output->out_is_terminal && !output->is_raw)
            format_escaped(path, strlen(path), FORMAT_NAME, &text);
        else
            buffer_append_string(&text, path);
    }
    buffer_append_byte(&text, '\n');
    output_event(output, buffer_string(&text), text.size);
    buffer_release(&text);
}

/* Thread: the library's. Everything that comes is this command's as long as it runs. */
static bool take_event(void *context, int type, int state, const char *path)
{
    struct watch_work *work = context;
    if (type == ZOO_SESSION_EVENT && !work->is_set)
        return false;
    if (type == ZOO_SESSION_EVENT) {
        work->is_lost = work->is_lost || state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE;
        print_event(work, type, state, "");
    } else if (work->seen < work->most) {
        work->seen++;
        print_event(work, type, state, path);
    }
    if (work->is_lost || work->seen >= work->most || work->cli->output.is_broken)
        interrupt_notify(&work->cli->interrupt);
    return true;
}

static void wait_for_events(struct watch_work *work, int64_t deadline_ms)
{
    struct interrupt *interrupt = &work->cli->interrupt;
    bool is_in_time = true;
    mutex_lock(&interrupt->lock);
    while (is_in_time && !interrupt->was_asked && !work->is_lost && work->seen < work->most &&
           !work->cli->output.is_broken)
        is_in_time = condition_wait_until(&interrupt->changed, &interrupt->lock, deadline_ms);
    mutex_unlock(&interrupt->lock);
}

/* Thread: the library's, behind the last event of the watch. */
static void watch_removed(int rc, const void *data)
{
    struct watch_work *work = (struct watch_work *)(uintptr_t)data;
    (void)rc;
    struct interrupt *interrupt = &work->cli->interrupt;
    work->is_removed = true;
    interrupt_notify(interrupt);
}

/* What still comes of the watch is nobody's: events beyond those that were asked for must not be told either. */
static void remove_watch(struct watch_work *work, const char *path, ZooAddWatchMode mode)
{
    struct session *session = &work->cli->session;
    struct interrupt *interrupt = &work->cli->interrupt;
    ZooWatcherType type = mode == ZOO_WATCH_PERSISTENT ? ZWATCHTYPE_PERSISTENT : ZWATCHTYPE_PERSISTENT_RECURSIVE;
    work->most = 0;
    if (!session_is_connected(session) || zoo_aremove_watches(session->handle, path, type, session_watcher, session, 0,
                                                              (void_completion_t *)(void *)watch_removed, work) != ZOK)
        return;
    mutex_lock(&interrupt->lock);
    while (!work->is_removed)
        condition_wait(&interrupt->changed, &interrupt->lock);
    mutex_unlock(&interrupt->lock);
}

static int run_watch(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    ZooAddWatchMode mode;
    const char *path = arguments->operands.items[1];
    int64_t most, seconds;
    if (!mode_of(arguments, &mode))
        return cli_fail_usage(cli, self);
    if (!cli_option_number(cli, arguments, "--count", 1, INT64_MAX, INT64_MAX, &most) ||
        !cli_option_number(cli, arguments, "--timeout", 0, INT32_MAX, -1, &seconds) ||
        cli_check_path(cli, path, false) != ZK_OK)
        return CLI_EXIT_FAILED;
    struct watch_work work = {.cli = cli, .most = most};
    cli_hook_events(cli, (struct cli_event_hook){take_event, &work});    /* before the first event can come */
    int rc = zoo_add_watch(cli->session.handle, path, mode, session_watcher, &cli->session);
    if (rc == ZOK) {
        session_settle(&cli->session);
        work.is_set = true;
        wait_for_events(&work, seconds < 0 ? INT64_MAX : clock_elapsed_ms() + seconds * 1000);
    }
    if (rc == ZOK && !work.is_lost)
        remove_watch(&work, path, mode);
    cli_hook_events(cli, (struct cli_event_hook){0});
    return rc != ZOK || work.is_lost ? cli_fail(cli, rc != ZOK ? rc : ZSESSIONEXPIRED, path) : CLI_EXIT_FINISHED;
}

static const struct command commands[] = {
    { .name = "addWatch",
      .spec = { OPTIONS(add_watch_options) },
      .run = run_add_watch,
      .usage = "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
               "PERSISTENT_RECURSIVE",
      .summary = "Sets a watch that stays, on a node or on all below it too" },
    { .name = "removewatches",
      .usage = "path [-c|-d|-a] [-l]",
      .spec = { OPTIONS(remove_watches_options) },
      .least_operands = 2,
      .run = run_remove_watches,
      .summary = "Takes watches of a node away" },
    { .name = "watch",
      .usage = "[-m mode] [--count number] [--timeout seconds] path",
      .spec = { OPTIONS(watch_options) },
      .least_operands = 2,
      .can_be_stopped = true,
      .run = run_watch,
      .summary = "Prints what happens to a node and all below it, until it is stopped" },
};
const struct command_table watch_commands = { commands, ARRAY_SIZE(commands) };
