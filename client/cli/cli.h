/* The shell: what its commands share, and the table of them. Main thread, unless it says otherwise. */
#ifndef ZKC_CLIENT_CLI_CLI_H
#define ZKC_CLIENT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "client/cli/cli_arguments.h"
#include "client/cli/cli_interrupt.h"
#include "client/cli/cli_line.h"
#include "client/cli/cli_output.h"
#include "client/cli/cli_session.h"

/* What the program ends with. Mirrors ExitCode and CliException. */
enum { CLI_EXIT_FINISHED = 0, CLI_EXIT_FAILED = 1, CLI_EXIT_INVALID_INVOCATION = 2, CLI_EXIT_NOT_FOUND = 127,
       CLI_EXIT_INTERRUPTED = 128 + 2, CLI_EXIT_TERMINATED = 128 + 15 };

struct cli;
struct cli_event_hook {    /* whoever takes events in place of the usual lines */
    bool (*take)(void *context, int type, int state, const char *path);    /* thread: the library's; false: not taken */
    void *context;
};

struct cli {
    struct output output;
    struct session session;
    struct interrupt interrupt;
    char *host;                     /* in the prompt: what `connect` was given last */
    struct words history;           /* one line a number */
    size_t command_count;           /* number of the command that runs */
    _Atomic bool prints_watches;
    _Atomic bool hides_session_events;
    bool is_json, is_raw, is_quiet;    /* for every command */
    bool is_interactive;
    bool has_quit;
    bool input_is_script;           /* standard input holds commands, so it has no data for one */
    int exit_code;                  /* of the last command */
    struct mutex hook_lock;
    struct cli_event_hook hook;     /* GUARDED_BY(hook_lock) */
};

/* A command; every file cli_cmd_*.c has a table of them. */
struct command {
    const char *name;
    const char *usage;                /* behind the name, in Java's words where Java has the command */
    const char *summary;              /* for `help`; a sentence without a full stop */
    struct arguments_spec spec;
    size_t least_operands;            /* with the name; fewer: usage and exit code 1 */
    bool usage_has_options;           /* as Java prints them below the usage of some */
    bool takes_any_word;              /* has no options, and a word that looks like one is none */
    bool works_unconnected;
    bool can_be_stopped;              /* looks at interrupt_was_asked() */
    /* Returns the exit code, having said what went wrong. */
    int (*run)(struct cli *cli, const struct command *self, struct arguments *arguments);
};
struct command_table {
    const struct command *commands;
    size_t count;
};
#define OPTIONS(table) .options = (table), .count = ARRAY_SIZE(table)
extern const struct command_table shell_commands, node_commands, list_commands, acl_commands, quota_commands,
    watch_commands, config_commands, tree_commands, transfer_commands;

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);
/* Names in order; the array, not the names, is the caller's. */
const char **command_names(size_t *ret_count);
/* "get [-s] path" and, where Java does that, a line for each option; the caller's. */
char *command_usage(const struct command *command);

/* Runs words as a command, and returns and keeps its exit code. */
int cli_run(struct cli *cli, const struct words *words);
/* Runs a line that was typed or read, unless it is empty or a comment; counts it and remembers it. */
void cli_run_line(struct cli *cli, const char *line);

/* "Node does not exist: /a" and so on, for standard error or as JSON; returns CLI_EXIT_FAILED. */
int cli_fail(struct cli *cli, int rc, const char *path);
/* The same with a sentence of one's own. */
int cli_fail_with(struct cli *cli, int code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int cli_fail_usage(struct cli *cli, const struct command *command);
/* Events go to the hook from now on; {0} takes it away. Returns when no call of the old one runs any more. */
void cli_hook_events(struct cli *cli, struct cli_event_hook hook);
/* For session_init(). */
void cli_on_event(void *context, int type, int state, const char *path);
/* What cli_on_event() does with an event nobody takes: prints it and returns true, if it is to be printed. From any
 * thread. */
bool cli_tell_event(struct cli *cli, int type, int state, const char *path);

#endif
