/* cli_cmd_shell.c - commands about the shell itself: its connection, its history, what it prints. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_answers.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_operands.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "config.h"

#define HISTORY_SHOWN 10

static int run_connect(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    struct error error = {0};
    if (arguments->operands.count >= 2) {
        memory_free(cli->host);
        cli->host = string_copy(arguments->operands.items[1]);
    }
    if (session_open(&cli->session, cli->host, &error) != ZK_OK)
        return cli_fail_with(cli, error.code, NULL, "%s", error.text);
    cli_answer_ok(cli);
    return CLI_EXIT_FINISHED;
}

static int run_close(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    (void)arguments;
    session_close(&cli->session);
    cli_answer_ok(cli);
    return CLI_EXIT_FINISHED;
}

/* The exit code of the command before stays that of the program. */
static int run_quit(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    (void)arguments;
    session_close(&cli->session);
    cli->has_quit = true;
    return cli->exit_code;
}

static int run_history(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    (void)arguments;
    json_t *answer = json_array();
    size_t first = cli->command_count > HISTORY_SHOWN ? cli->command_count - HISTORY_SHOWN : 0;
    for (size_t i = first; i <= cli->command_count; i++) {
        const char *line = i < cli->history.count ? cli->history.items[i] : "null";
        json_t *entry = json_object();
        json_object_set_new(entry, "number", json_integer((json_int_t)i));
        json_object_set_new(entry, "line", json_of_text(line, strlen(line)));
        json_array_append_new(answer, entry);
        if (!cli->output.is_json) {
            output_printf(&cli->output, "%zu - ", i);
            output_name(&cli->output, line);
            output_printf(&cli->output, "\n");
        }
    }
    if (cli->output.is_json)
        output_json(&cli->output, answer);
    else
        json_decref(answer);
    return CLI_EXIT_FINISHED;
}

static int run_redo(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    if (arguments->operands.count < 2)
        return CLI_EXIT_FINISHED;
    int64_t number;
    if (!cli_number(cli, arguments->operands.items[1], 10, INT32_MIN, INT32_MAX, &number))
        return CLI_EXIT_FAILED;
    if (number < 0 || (uint64_t)number >= cli->command_count)
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "Command index out of range");
    struct words words = {0};
    line_split(cli->history.items[number], &words);
    int exit_code = CLI_EXIT_FAILED;
    if (words.count > 0 && strcmp(words.items[0], "redo") == 0) {
        cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "No redoing redos");
    } else {
        char *line = string_copy(cli->history.items[number]);
        memory_free(cli->history.items[cli->command_count]);
        cli->history.items[cli->command_count] = line;
        exit_code = cli_run(cli, &words);
    }
    words_release(&words);
    return exit_code;
}

static int run_printwatches(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    if (arguments->operands.count >= 2)
        cli->prints_watches = strcmp(arguments->operands.items[1], "on") == 0;
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "printwatches", json_boolean(cli->prints_watches));
        output_json(&cli->output, answer);
    } else if (arguments->operands.count == 1) {
        output_printf(&cli->output, "printwatches is %s\n", cli->prints_watches ? "on" : "off");
    }
    return CLI_EXIT_FINISHED;
}

static int run_version(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    if (arguments->operands.count > 1)
        return cli_fail_usage(cli, self);
    if (cli->output.is_json) {
        json_t *answer = json_object();
        json_object_set_new(answer, "version", json_string(PACKAGE_VERSION));
        json_object_set_new(answer, "speaks", json_string("3.9.5"));
        output_json(&cli->output, answer);
    } else {
        output_printf(&cli->output, "ZooKeeper CLI version: 3.9.5-zkc-%s\n", PACKAGE_VERSION);
    }
    return CLI_EXIT_FINISHED;
}

static void explain_options(struct cli *cli, const struct command *command)
{
    for (size_t i = 0; i < command->spec.count; i++) {
        const struct option_spec *option = &command->spec.options[i];
        const char *hyphen = option->name[0] == '-' ? "" : "-";
        char *shown = string_format("%s%s%s%s", hyphen, option->name, option->value == NULL ? "" : " ",
                                    option->value == NULL ? "" : option->value);
        output_printf(&cli->output, "  %-22s %s\n", shown, option->description == NULL ? "" : option->description);
        memory_free(shown);
    }
}

static json_t *describe_command(const struct command *command)
{
    json_t *entry = json_object();
    json_object_set_new(entry, "name", json_string(command->name));
    json_object_set_new(entry, "usage", json_string(command->usage));
    json_object_set_new(entry, "summary", json_string(command->summary));
    return entry;
}

static int help_about(struct cli *cli, const char *name)
{
    const struct command *command = command_find(name);
    if (command == NULL)
        return cli_fail_with(cli, ZK_BAD_ARGUMENTS, NULL, "there is no command %s", name);
    if (cli->output.is_json) {
        output_json(&cli->output, describe_command(command));
        return CLI_EXIT_FINISHED;
    }
    output_printf(&cli->output, "%s %s\n%s.\n", command->name, command->usage, command->summary);
    explain_options(cli, command);
    return CLI_EXIT_FINISHED;
}

static int run_help(struct cli *cli, const struct command *self, struct arguments *arguments)
{
    (void)self;
    if (arguments->operands.count >= 2)
        return help_about(cli, arguments->operands.items[1]);
    size_t count;
    const char **names = command_names(&count);
    json_t *answer = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct command *command = command_find(names[i]);
        json_array_append_new(answer, describe_command(command));
        if (!cli->output.is_json)
            output_printf(&cli->output, "%-21s %s\n", names[i], command->summary);
    }
    memory_free(names);
    if (cli->output.is_json)
        output_json(&cli->output, answer);
    else
        json_decref(answer);
    return CLI_EXIT_FINISHED;
}

static const struct command commands[] = {
    { .name = "close",
      .usage = "",
      .run = run_close,
      .takes_any_word = true,
      .summary = "Ends the session; ephemeral nodes of it go" },
    { .name = "connect",
      .usage = "host:port",
      .run = run_connect,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Begins a new session, with the servers given or the same ones" },
    { .name = "exit",
      .usage = "",
      .run = run_quit,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "As quit" },
    { .name = "help",
      .usage = "[command]",
      .run = run_help,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Says what a command does, or lists all" },
    { .name = "history",
      .usage = "",
      .run = run_history,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Shows the last lines with their numbers" },
    { .name = "printwatches",
      .usage = "on|off",
      .run = run_printwatches,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Switches the lines about events on or off, or says how it is" },
    { .name = "quit",
      .usage = "",
      .run = run_quit,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Ends the session and the shell" },
    { .name = "redo",
      .usage = "cmdno",
      .run = run_redo,
      .takes_any_word = true,
      .works_unconnected = true,
      .summary = "Runs the line of this number once more" },
    { .name = "version", .usage = "", .run = run_version, .summary = "Says which release this is" },
};
const struct command_table shell_commands = { commands, ARRAY_SIZE(commands) };
