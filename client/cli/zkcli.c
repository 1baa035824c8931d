/*
 * zkcli.c - the shell of ZooKeeper.
 *
 * Mirrors ZooKeeperMain: options, then one command from the arguments, or lines from a terminal or from standard input.
 * The exit code is that of the last command.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/cli/cli_editor.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_options.h"
#include "common/base/console.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "config.h"

#define PROMPT_WAIT_MS 500    /* for a connection, before the first prompt says that there is none */

static void print_usage(void)
{
    printf("Usage: zkcli [options] [command [argument ...]]\n"
           "  -server host:port[,host:port...][/chroot]   where to connect (localhost:2181)\n"
           "  -timeout ms                      of the session (30000)\n"
           "  -r                               be content with a server that is read-only\n"
           "  -client-configuration file       properties, such as those of TLS\n"
           "  -waitforconnection               do nothing before there is a connection\n"
           "  -Dproperty=value                 one property\n"
           "  --json                           answer in JSON, a line for each command\n"
           "  --quiet                          nothing but answers and complaints\n"
           "  --raw                            write control characters to a terminal as they are\n"
           "  --strict                         a script ends at the first command that fails\n"
           "  --debug                          log what the library does\n"
           "  --help, --version\n"
           "Without a command, commands are read from the terminal or, one a line, from standard input.\n"
           "Commands (see zkcli help command):\n");
    size_t count;
    const char **names = command_names(&count);
    for (size_t i = 0; i < count; i++)
        printf("  %-21s %s\n", names[i], command_find(names[i])->summary);
    memory_free(names);
}

static void settle(void *context)
{
    struct cli *cli = context;
    session_settle(&cli->session);
}

static void cli_init(struct cli *cli, const struct cli_options *options, const struct session_options *session)
{
    *cli = (struct cli){
        .host = string_copy(options->server),
        .is_json = options->is_json,
        .is_raw = options->is_raw,
        .is_quiet = options->is_quiet || options->is_json,
        .prints_watches = true,
        .hides_session_events = options->is_quiet || options->is_json,
    };
    output_init(&cli->output, console_is_terminal(CONSOLE_OUTPUT), console_is_terminal(CONSOLE_ERROR));
    cli->output.before_write = settle;
    cli->output.context = cli;
    cli->output.is_json = cli->is_json;
    cli->output.is_raw = cli->is_raw;
    cli->is_interactive = options->command.count == 0 && console_is_terminal(CONSOLE_INPUT);
    cli->input_is_script = options->command.count == 0 && !cli->is_interactive;
    mutex_init(&cli->hook_lock);
    interrupt_start(&cli->interrupt, cli->is_interactive);
    session_init(&cli->session, session, cli_on_event, cli);
}

static void cli_release(struct cli *cli)
{
    session_release(&cli->session);
    interrupt_stop(&cli->interrupt);
    output_release(&cli->output);
    words_release(&cli->history);
    memory_free(cli->host);
    mutex_release(&cli->hook_lock);
}

/* The next line, unless the script is over: by quit, by a failure that --strict minds, by Ctrl-C. */
static int next_line(struct cli *cli, bool is_strict, struct console_lines *lines, const char **ret_line,
                     struct error *error)
{
    if (interrupt_was_asked(&cli->interrupt)) {
        cli->exit_code = CLI_EXIT_INTERRUPTED;
        return ZK_EOF;
    }
    interrupt_begin(&cli->interrupt, false);
    if (cli->has_quit || (is_strict && cli->exit_code != CLI_EXIT_FINISHED))
        return ZK_EOF;
    return console_read_line(lines, ret_line, error);
}

static void run_script(struct cli *cli, bool is_strict)
{
    struct console_lines lines = {0};
    struct error error = {0};
    const char *line;
    int err;
    while ((err = next_line(cli, is_strict, &lines, &line, &error)) == ZK_OK)
        cli_run_line(cli, line);
    if (err != ZK_EOF)
        cli->exit_code = cli_fail_with(cli, err, NULL, "%s", error.text);
    output_flush(&cli->output);
    console_lines_release(&lines);
}

static void run_terminal(struct cli *cli)
{
    struct error error = {0};
    struct editor *editor = editor_new(cli, &error);
    const char *line;
    if (editor == NULL) {
        cli->exit_code = cli_fail_with(cli, error.code, NULL, "%s", error.text);
        return;
    }
    session_wait_for_event(&cli->session, PROMPT_WAIT_MS);
    while (!cli->has_quit && !interrupt_is_terminated(&cli->interrupt) && (line = editor_read(editor)) != NULL)
        cli_run_line(cli, line);
    if (interrupt_is_terminated(&cli->interrupt))
        cli->exit_code = CLI_EXIT_TERMINATED;
    if (!cli->has_quit)
        output_printf(&cli->output, "\n");
    output_flush(&cli->output);
    editor_free(editor);
}

static int run(struct cli *cli, const struct cli_options *options)
{
    struct error error = {0};
    if (!cli->is_quiet)
        output_printf(&cli->output, "Connecting to %s\n", options->server);
    output_flush(&cli->output);
    if (session_open(&cli->session, options->server, &error) != ZK_OK) {
        cli_fail_with(cli, error.code, NULL, "%s", error.text);
        output_flush(&cli->output);
        return CLI_EXIT_FAILED;
    }
    if (options->command.count > 0)
        return cli_run(cli, &options->command);
    if (!cli->is_quiet)
        output_printf(&cli->output, "Welcome to ZooKeeper!\n");
    output_flush(&cli->output);
    if (cli->is_interactive)
        run_terminal(cli);
    else
        run_script(cli, options->is_strict);
    return cli->exit_code;
}

/* Properties of the file, then those of -D over them. */
static int load_properties(const struct cli_options *options, struct properties *properties, struct error *error)
{
    int err = options->client_configuration == NULL ? ZK_OK
                                                    : properties_load(properties, options->client_configuration, error);
    for (size_t i = 0; i < options->properties.count && err == ZK_OK; i++)
        properties_set(properties, options->properties.items[i].key, options->properties.items[i].value, 0);
    return err;
}

static int run_with(const struct cli_options *options)
{
    struct properties properties = {0};
    struct error error = {0};
    if (load_properties(options, &properties, &error) != ZK_OK) {
        fprintf(stderr, "zkcli: %s\n", error.text);
        properties_release(&properties);
        return CLI_EXIT_INVALID_INVOCATION;
    }
    struct session_options session = {
        .timeout_ms = (int32_t)options->timeout_ms,
        .read_only = options->read_only,
        .wait_for_connection = options->wait_for_connection,
        .properties = &properties,
    };
    struct cli cli;
    cli_init(&cli, options, &session);
    int exit_code = run(&cli, options);
    cli_release(&cli);
    properties_release(&properties);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct cli_options options;
    struct error error = {0};
    setlocale(LC_CTYPE, "");
    json_use_our_memory();
    if (cli_options_parse(argc, argv, &options, &error) != ZK_OK) {
        fprintf(stderr, "%s\nzkcli: see zkcli --help\n", error.text);
        return CLI_EXIT_INVALID_INVOCATION;
    }
    int exit_code = CLI_EXIT_FINISHED;
    log_set_level(NULL, options.is_debug ? LOG_DEBUG : LOG_WARN);
    zoo_set_debug_level(options.is_debug ? ZOO_LOG_LEVEL_DEBUG : (ZooLogLevel)0);
    fputs(buffer_string(&options.warnings), stderr);
    if (options.wants_help)
        print_usage();
    else if (options.wants_version)
        printf("zkcli %s, speaks the protocol of Apache ZooKeeper 3.9.5\n", PACKAGE_VERSION);
    else
        exit_code = run_with(&options);
    cli_options_release(&options);
    return exit_code;
}
