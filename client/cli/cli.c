/*
 * cli.c - finds and runs commands, and says what went wrong.
 *
 * Mirrors ZooKeeperMain.processZKCmd: the command is looked up, run if there is a session to run it in, and its exit
 * code is that of the program unless another command follows.
 */
#include "client/cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli_failure.h"
#include "client/cli/cli_json.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

static const struct command_table *const tables[] = {
    &shell_commands, &node_commands, &list_commands, &acl_commands, &quota_commands,
    &watch_commands, &config_commands, &tree_commands, &transfer_commands,
};

const struct command *command_find(const char *name)
{
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            if (strcmp(tables[t]->commands[i].name, name) == 0)
                return &tables[t]->commands[i];
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **command_names(size_t *ret_count)
{
    size_t count = 0;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        count += tables[t]->count;
    const char **names = memory_alloc(count * sizeof(*names));
    size_t at = 0;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            names[at++] = tables[t]->commands[i].name;
    qsort(names, count, sizeof(*names), compare_names);
    *ret_count = count;
    return names;
}

char *command_usage(const struct command *command)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s %s", command->name, command->usage);
    if (command->usage_has_options) {
        buffer_append_byte(&text, '\n');
        arguments_describe(&command->spec, &text);
    }
    return buffer_detach(&text);
}

static void complain_usage(struct cli *cli)
{
    struct buffer text = {0};
    size_t count;
    const char **names = command_names(&count);
    buffer_append_string(&text, "ZooKeeper -server host:port -client-configuration properties-file cmd args\n");
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "\t%s %s\n", names[i], command_find(names[i])->usage);
    output_complain_raw(&cli->output, buffer_string(&text));
    memory_free(names);
    buffer_release(&text);
}

static int fail_with_text(struct cli *cli, int code, const char *path, const char *text)
{
    if (cli->output.is_json)
        output_json(&cli->output, json_of_failure(code, text, path));
    else
        output_complain(&cli->output, "%s", text);
    return CLI_EXIT_FAILED;
}

int cli_fail(struct cli *cli, int rc, const char *path)
{
    char *sentence = failure_sentence(rc, path);
    int exit_code = fail_with_text(cli, rc, path, sentence);
    memory_free(sentence);
    return exit_code;
}

int cli_fail_with(struct cli *cli, int code, const char *path, const char *format, ...)
{
    struct buffer text = {0};
    va_list args;
    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    int exit_code = fail_with_text(cli, code, path, buffer_string(&text));
    buffer_release(&text);
    return exit_code;
}

int cli_fail_usage(struct cli *cli, const struct command *command)
{
    char *usage = command_usage(command);
    int exit_code = fail_with_text(cli, ZK_BAD_ARGUMENTS, NULL, usage);
    memory_free(usage);
    return exit_code;
}

static int run_parsed(struct cli *cli, const struct command *command, struct arguments *arguments)
{
    cli->output.is_json = cli->is_json || arguments->is_json;
    cli->output.is_raw = cli->is_raw || arguments->is_raw;
    if (arguments->operands.count < command->least_operands)
        return cli_fail_usage(cli, command);
    interrupt_begin(&cli->interrupt, command->can_be_stopped);
    return command->run(cli, command, arguments);
}

static int run_command(struct cli *cli, const struct command *command, const struct words *words)
{
    if (!command->works_unconnected && !session_is_alive(&cli->session)) {
        if (cli->output.is_json)
            output_json(&cli->output, json_of_failure(ZK_INVALID_STATE, "Not connected", NULL));
        else
            output_printf(&cli->output, "Not connected\n");
        return CLI_EXIT_FINISHED;
    }
    struct arguments arguments = {0};
    struct error error = {0};
    if (command->takes_any_word)
        arguments_take(words, &arguments);
    else if (arguments_parse(&command->spec, words, &arguments, &error) != ZK_OK)
        return fail_with_text(cli, error.code, NULL, error.text);
    int exit_code = run_parsed(cli, command, &arguments);
    arguments_release(&arguments);
    return exit_code;
}

int cli_run(struct cli *cli, const struct words *words)
{
    cli->output.is_json = cli->is_json;
    cli->output.is_raw = cli->is_raw;
    const struct command *command = words->count == 0 ? NULL : command_find(words->items[0]);
    int exit_code = CLI_EXIT_NOT_FOUND;
    if (words->count == 0) {
        complain_usage(cli);
        exit_code = cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "No command entered");
    } else if (command == NULL) {
        if (!cli->is_json)
            complain_usage(cli);
        cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "Command not found: Command not found %s", words->items[0]);
    } else {
        exit_code = run_command(cli, command, words);
    }
    output_flush(&cli->output);
    cli->exit_code = exit_code;
    return exit_code;
}

void cli_run_line(struct cli *cli, const char *line)
{
    if (line[0] == '\0' || line[0] == '#')
        return;
    struct words words = {0};
    line_split(line, &words);
    words_add(&cli->history, line, strlen(line));
    if (words.count > 0)
        cli_run(cli, &words);
    cli->command_count++;
    words_release(&words);
}

void cli_hook_events(struct cli *cli, struct cli_event_hook hook)
{
    mutex_lock(&cli->hook_lock);
    cli->hook = hook;
    mutex_unlock(&cli->hook_lock);
}

static void print_event(struct cli *cli, int type, int state, const char *path)
{
    struct buffer line = {0}, text = {0};
    if (cli->is_json) {
        json_t *event = json_object(), *answer = json_object();
        json_object_set_new(event, "type", json_string(format_event_type(type)));
        json_object_set_new(event, "state", json_string(format_event_state(state)));
        json_object_set_new(event, "path",
                            path == NULL || path[0] == '\0' ? json_null() : json_of_text(path, strlen(path)));
        json_object_set_new(answer, "event", event);
        json_print(answer, &text);
        buffer_append_byte(&text, '\n');
        json_decref(answer);
    } else {
        format_event(type, state, path, &line);
        buffer_append_string(&text, "\nWATCHER::\n\n");
        if (cli->output.out_is_terminal && !cli->is_raw)
            format_escaped(buffer_string(&line), line.size, FORMAT_NAME, &text);
        else
            buffer_append(&text, line.bytes, line.size);
        buffer_append_byte(&text, '\n');
    }
    output_event(&cli->output, buffer_string(&text), text.size);
    buffer_release(&line);
    buffer_release(&text);
}

bool cli_tell_event(struct cli *cli, int type, int state, const char *path)
{
    bool is_hidden = !cli->prints_watches || (type == ZOO_SESSION_EVENT && cli->hides_session_events);
    if (!is_hidden)
        print_event(cli, type, state, path);
    return !is_hidden;
}

void cli_on_event(void *context, int type, int state, const char *path)
{
    struct cli *cli = context;
    mutex_lock(&cli->hook_lock);
    bool is_taken = cli->hook.take != NULL && cli->hook.take(cli->hook.context, type, state, path);
    mutex_unlock(&cli->hook_lock);
    if (!is_taken)
        cli_tell_event(cli, type, state, path);
}
