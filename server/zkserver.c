/*
 * zkserver.c - the server as a program: reads the command line and the configuration, runs the server in the
 * foreground, and hands the other verbs to zkserver_control.c.
 *
 * Mirrors QuorumPeerMain, ZooKeeperServerMain and bin/zkServer.sh. The main thread waits for signals: SIGTERM and
 * SIGINT end the server in order, SIGHUP reopens the log and reads again what may change while it runs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "config.h"
#include "server/command/four_letter_commands.h"
#include "server/quorum/quorum_peer_main.h"
#include "server/zkserver_control.h"
#include "server/zookeeper_server.h"

#define DEFAULT_CONFIG_NAME "zoo.cfg"
#define DEFAULT_CONFIG_DIRECTORY "/etc/zookeeper/conf"
#define DEFAULT_DATA_DIRECTORY "zkc-data"
#define DEFAULT_PORT "2181"
#define DEFAULT_ADDRESS "127.0.0.1"

struct command_line {
    const char *config_directory;    /* --config, $ZOOCFGDIR; NULL when neither is there */
    const char *verb;                /* NULL when none was given */
    const char *config;              /* what stands behind the verb; NULL when nothing does */
    const char *const *old_form;     /* PORT DATADIR ...; NULL for all else */
    int old_form_count;
    struct properties overrides;
};

/* ---- command line ---- */

static const char *const verbs[] = {"start",   "start-foreground", "stop",    "restart",
                                    "status", "print-cmd",        "version", "help"};

static bool is_verb(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i], word) == 0)
            return true;
    return false;
}

static void print_usage(FILE *stream)
{
    fprintf(stream, "usage: zkserver [--config DIR] [-Dzookeeper.KEY=VALUE ...] VERB [FILE]\n"
                    "       zkserver [-Dzookeeper.KEY=VALUE ...] PORT DATADIR [TICKTIME] [MAXCNXNS]\n"
                    "\n"
                    "  start             run in the background; returns when the server serves\n"
                    "  start-foreground  run here; what happens without a verb\n"
                    "  stop              end the one in the background\n"
                    "  restart           stop, then start\n"
                    "  status            ask it for its mode\n"
                    "  print-cmd         print the command that start runs\n"
                    "  version           print the version\n"
                    "\n"
                    "FILE is zoo.cfg in DIR, $ZOOCFGDIR or " DEFAULT_CONFIG_DIRECTORY
                    ". Where there is none the server listens on " DEFAULT_ADDRESS ":" DEFAULT_PORT "\n"
                    "and keeps its data in ./" DEFAULT_DATA_DIRECTORY ". See zkserver(8) and zoo.cfg(5).\n");
}

static bool add_override(struct command_line *line, const char *definition)
{
    const char *equals = strchr(definition, '=');
    if (equals == definition || definition[0] == '\0')
        return false;
    char *key = equals == NULL ? string_copy(definition) : string_copy_n(definition, (size_t)(equals - definition));
    properties_set(&line->overrides, key, equals == NULL ? "" : equals + 1, 0);
    memory_free(key);
    return true;
}

static bool is_number(const char *word)
{
    int64_t value;
    return string_to_int64(word, 10, &value);
}

/* One word that begins with '-'; *at moves on when it takes the next one too. */
static bool parse_option(int argc, char **argv, int *at, struct command_line *line)
{
    const char *word = argv[*at];
    if (strcmp(word, "--config") == 0 && *at + 1 == argc) {
        fprintf(stderr, "zkserver: --config needs a directory\n");
        return false;
    }
    if (strcmp(word, "--config") == 0)
        line->config_directory = argv[++*at];
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        line->verb = "help";
    else if (strcmp(word, "--version") == 0)
        line->verb = "version";
    else if (strncmp(word, "-D", 2) != 0 || !add_override(line, word + 2)) {
        fprintf(stderr, "zkserver: %s: no such option\n", word);
        return false;
    }
    return true;
}

/* Verb, file, or the old form. */
static bool parse_words(const char *const *words, int count, struct command_line *line)
{
    int at = 0;
    if (count >= 2 && is_number(words[0])) {
        line->old_form = words;
        line->old_form_count = count;
        return true;
    }
    if (count > 0 && is_verb(words[0]))
        line->verb = words[at++];
    if (at < count)
        line->config = words[at++];
    if (at < count)
        fprintf(stderr, "zkserver: %s: one argument too many\n", words[at]);
    return at == count;
}

/* Options may stand anywhere. Moves the other words to the front of argv. False: not a command line of ours, and said
 * why. */
static bool parse_command_line(int argc, char **argv, struct command_line *line)
{
    int count = 0;
    line->config_directory = process_environment("ZOOCFGDIR");
    for (int at = 1; at < argc; at++) {
        if (argv[at][0] != '-')
            argv[count++] = argv[at];
        else if (!parse_option(argc, argv, &at, line))
            return false;
    }
    return parse_words((const char *const *)argv, count, line);
}

/* ---- configuration ---- */

/* What stands behind the verb, or $ZOOCFG; NULL when there is neither. */
static const char *config_name(const struct command_line *line)
{
    return line->config != NULL ? line->config : process_environment("ZOOCFG");
}

/* As zkServer.sh: a name without a directory stands in the config directory; none is zoo.cfg there, if it exists. */
static char *config_path(const struct command_line *line)
{
    const char *directory = line->config_directory != NULL ? line->config_directory : DEFAULT_CONFIG_DIRECTORY;
    const char *name = config_name(line);
    if (name != NULL && strchr(name, '/') != NULL)
        return string_copy(name);
    if (name != NULL) {
        char *in_directory = path_join(directory, name);
        if (line->config_directory != NULL || file_kind(in_directory) != FILE_KIND_NONE)
            return in_directory;
        memory_free(in_directory);
        return string_copy(name);
    }
    char *path = path_join(directory, DEFAULT_CONFIG_NAME);
    if (line->config_directory != NULL || file_kind(path) == FILE_KIND_REGULAR)
        return path;
    memory_free(path);
    return NULL;
}

static void set_unless_set(struct properties *properties, const char *key, const char *value)
{
    char *property = string_format("zookeeper.%s", key);
    if (properties_find(properties, key) == NULL && properties_find(properties, property) == NULL)
        properties_set(properties, key, value, 0);
    memory_free(property);
}

static int load_options(const struct command_line *line, const char *path, struct server_options *options,
                        struct error *error)
{
    server_options_init(options);
    int err;
    if (line->old_form != NULL) {
        err = server_options_load_old_form(options, line->old_form_count, line->old_form, &line->overrides, error);
    } else if (path != NULL) {
        err = server_options_load(options, path, &line->overrides, error);
    } else {
        struct properties all = {0};
        for (size_t i = 0; i < line->overrides.count; i++)
            properties_set(&all, line->overrides.items[i].key, line->overrides.items[i].value, 0);
        set_unless_set(&all, "clientPort", DEFAULT_PORT);
        set_unless_set(&all, "clientPortAddress", DEFAULT_ADDRESS);
        set_unless_set(&all, "dataDir", DEFAULT_DATA_DIRECTORY);
        err = server_options_load(options, NULL, &all, error);
        properties_release(&all);
    }
    return err != ZK_OK ? err : server_options_validate(options, error);
}

/* ---- logging ---- */

/* "INFO,FileTxnLog=DEBUG,..." from $ZOO_LOG_LEVEL or -Dzookeeper.log.level. */
static void set_log_levels(const char *text)
{
    char *copy = string_copy(text), *rest = copy, *item;
    while ((item = strsep(&rest, ",")) != NULL) {
        char *equals = strchr(item, '=');
        if (equals != NULL)
            *equals = '\0';
        enum log_level level;
        if (log_level_parse(string_trim(equals == NULL ? item : equals + 1), &level))
            log_set_level(equals == NULL ? NULL : string_trim(item), level);
        else
            log_warn("%s is no log level", equals == NULL ? item : equals + 1);
    }
    memory_free(copy);
}

/* As Java's logback.xml has it: a file without a directory stands in zookeeper.log.dir. */
static void open_log(const char *file, const char *directory)
{
    struct error error = {0};
    bool is_name = strchr(file, '/') == NULL;
    char *path = is_name && directory != NULL ? path_join(directory, file) : string_copy(file);
    if (log_open(path, &error) != ZK_OK)
        log_error("%s; the log goes to standard error", error.text);
    memory_free(path);
}

static void set_up_log(struct command_line *line)
{
    static const char level_key[] = "zookeeper.log.level", file_key[] = "zookeeper.log.file";
    static const char directory_key[] = "zookeeper.log.dir";
    const char *level = properties_get(&line->overrides, level_key);
    const char *file = properties_get(&line->overrides, file_key);
    log_set_myid("");
    if (level == NULL)
        level = process_environment("ZOO_LOG_LEVEL");
    if (level != NULL)
        set_log_levels(level);
    if (file != NULL)
        open_log(file, properties_get(&line->overrides, directory_key));
    properties_remove(&line->overrides, level_key);
    properties_remove(&line->overrides, file_key);
    properties_remove(&line->overrides, directory_key);
}

/* ---- running ---- */

struct failure {
    struct failure_hook hook;
    _Atomic int exit_code;
};

static void failed(struct failure_hook *self, int exit_code)
{
    atomic_store(&container_of(self, struct failure, hook)->exit_code, exit_code);
    process_terminate_self();
}

/* A line of the log for each of these lines; returns how many there are. */
static int log_each(const char *what, struct buffer *lines)
{
    int count = 0;
    char *rest = buffer_string(lines), *item;
    while ((item = strsep(&rest, "\n")) != NULL) {
        if (*item == '\0')
            continue;
        log_info("%s: %s", what, item);
        count++;
    }
    return count;
}

static void reload(const struct command_line *line, const char *path, struct server_options *options,
                   struct zookeeper_server *server, struct four_letter_commands *commands)
{
    struct error error = {0};
    if (log_reopen(&error) != ZK_OK)
        log_error("Cannot open the log anew: %s", error.text);
    struct server_options fresh;
    if (load_options(line, path, &fresh, &error) != ZK_OK) {
        log_error("Configuration not reloaded, the old one stays: %s", error.text);
        zookeeper_server_reload(server);    /* with what it says, certificates may still have changed */
    } else {
        struct buffer applied = {0}, needs_restart = {0};
        server_options_reload(options, &fresh, &applied, &needs_restart);
        zookeeper_server_reload(server);
        four_letter_commands_reload(commands, options);
        int changed = log_each("Changed", &applied), waiting = log_each("Changed after a restart only", &needs_restart);
        log_info("Configuration reloaded, %d options changed, %d wait for a restart", changed, waiting);
        buffer_release(&applied);
        buffer_release(&needs_restart);
    }
    server_options_release(&fresh);
}

static void wait_for_end(const struct command_line *line, const char *path, struct server_options *options,
                         struct zookeeper_server *server, struct four_letter_commands *commands)
{
    static const int waited[] = {SIGTERM, SIGINT, SIGHUP};
    int number;
    while ((number = thread_wait_signal(waited, ARRAY_SIZE(waited), -1)) != SIGTERM && number != SIGINT)
        if (number == SIGHUP)
            reload(line, path, options, server, commands);
}

static int run(const struct command_line *line, const char *path, struct server_options *options)
{
    struct error error = {0};
    struct failure failure = {.hook.failed = failed};
    struct four_letter_commands *commands = four_letter_commands_new(options);
    struct quorum_peer_main instance = {.server = NULL};
    int exit_code;
    if (quorum_peer_main_start(&instance, options, four_letter_commands_hook(commands), &failure.hook, &exit_code,
                               &error) == ZK_OK) {
        process_notify_ready();
        wait_for_end(line, path, options, instance.server, commands);
        quorum_peer_main_shutdown(&instance);
        exit_code = atomic_load(&failure.exit_code);
    } else {
        log_error("Cannot start, exiting: %s", error.text);
    }
    quorum_peer_main_release(&instance);
    four_letter_commands_free(commands);
    log_info("Exiting with code %d", exit_code);
    return exit_code;
}

static void warn_of_others(const char *path)
{
    if (path != NULL && file_is_open_to_others(path))
        log_warn("%s may be changed by others: look at its owner and mode", path);
}

static void warn_of_files(const char *config_path, const struct server_options *options)
{
    char *myid = path_join(options->data_dir, "myid");
    warn_of_others(config_path);
    warn_of_others(options->dynamic_config_file);
    warn_of_others(options->data_dir);
    if (strcmp(options->data_log_dir, options->data_dir) != 0)
        warn_of_others(options->data_log_dir);
    warn_of_others(myid);
    memory_free(myid);
}

static int run_foreground(struct command_line *line, const char *path, struct server_options *options)
{
    static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
    thread_block_signals(blocked, ARRAY_SIZE(blocked));
    log_info("zkc %s, data in %s%s", PACKAGE_VERSION, options->data_dir,
             path == NULL && line->old_form == NULL ? ", no configuration file: defaults" : "");
    warn_of_files(path, options);
    return run(line, path, options);
}

static int run_verb(struct command_line *line, const char *path, struct server_options *options)
{
    struct control control = {path, &line->overrides, options};
    const char *verb = line->verb;
    if (verb != NULL && strcmp(verb, "start-foreground") != 0)
        fprintf(stderr, "Using config: %s\n", path == NULL ? "none, defaults" : path);
    if (verb == NULL || strcmp(verb, "start-foreground") == 0)
        return run_foreground(line, path, options);
    if (strcmp(verb, "start") == 0)
        return control_start(&control);
    if (strcmp(verb, "stop") == 0)
        return control_stop(&control);
    if (strcmp(verb, "restart") == 0)
        return control_restart(&control);
    if (strcmp(verb, "status") == 0)
        return control_status(&control);
    return control_print_cmd(&control);
}

/* A word that stands where a verb does, but is none, was taken for a file. */
static void suggest_verb(const struct command_line *line)
{
    const char *nearest = line->verb == NULL && line->config != NULL
                              ? string_nearest(line->config, verbs, ARRAY_SIZE(verbs)) : NULL;
    if (nearest != NULL)
        fprintf(stderr, "zkserver: did you mean %s?\n", nearest);
}

int main(int argc, char **argv)
{
    struct command_line line = {0};
    if (!parse_command_line(argc, argv, &line)) {
        fprintf(stderr, "zkserver: see zkserver --help\n");
        properties_release(&line.overrides);
        return EXIT_CODE_INVALID_INVOCATION;
    }
    if (line.verb != NULL && strcmp(line.verb, "help") == 0) {
        print_usage(stdout);
        properties_release(&line.overrides);
        return EXIT_CODE_EXECUTION_FINISHED;
    }
    if (line.verb != NULL && strcmp(line.verb, "version") == 0) {
        printf("zkc, version: %s, speaks the protocols and file formats of Apache ZooKeeper 3.9.5\n", PACKAGE_VERSION);
        properties_release(&line.overrides);
        return EXIT_CODE_EXECUTION_FINISHED;
    }
    bool is_foreground = line.verb == NULL || strcmp(line.verb, "start-foreground") == 0;
    memory_keep_freed();
    if (is_foreground)
        set_up_log(&line);
    else
        log_set_level(NULL, LOG_OFF);    /* the server itself will warn */
    char *path = line.old_form != NULL ? NULL : config_path(&line);
    struct server_options options;
    struct error error = {0};
    int code = EXIT_CODE_INVALID_INVOCATION;
    if (load_options(&line, path, &options, &error) == ZK_OK) {
        code = run_verb(&line, path, &options);
    } else if (is_foreground) {
        log_error("Invalid config, exiting abnormally: %s", error.text);
        suggest_verb(&line);
    } else {
        fprintf(stderr, "zkserver: %s\n", error.text);
    }
    server_options_release(&options);
    properties_release(&line.overrides);
    memory_free(path);
    return code;
}
