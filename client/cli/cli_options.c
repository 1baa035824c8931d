/*
 * cli_options.c - the command line of zkcli.
 *
 * Departs from Java: an option without its argument ends the program, where Java goes on and connects to localhost; one
 * that nobody knows is passed over as in Java, but not in silence.
 */
#include "client/cli/cli_options.h"

#include <stddef.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

static const struct {
    const char *name;
    size_t offset;
} switches[] = {
    { "-r", offsetof(struct cli_options, read_only) },
    { "-waitforconnection", offsetof(struct cli_options, wait_for_connection) },
    { "--json", offsetof(struct cli_options, is_json) },
    { "--quiet", offsetof(struct cli_options, is_quiet) },
    { "--raw", offsetof(struct cli_options, is_raw) },
    { "--strict", offsetof(struct cli_options, is_strict) },
    { "--debug", offsetof(struct cli_options, is_debug) },
    { "--help", offsetof(struct cli_options, wants_help) },
    { "--version", offsetof(struct cli_options, wants_version) },
};

static bool take_switch(struct cli_options *options, const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (strcmp(switches[i].name, word) == 0) {
            *(bool *)(void *)((char *)options + switches[i].offset) = true;
            return true;
        }
    return false;
}

static void take_property(struct cli_options *options, const char *definition)
{
    const char *equals = strchr(definition, '=');
    char *key = equals == NULL ? string_copy(definition) : string_copy_n(definition, (size_t)(equals - definition));
    properties_set(&options->properties, key, equals == NULL ? "" : equals + 1, 0);
    memory_free(key);
}

static void replace(char **text, const char *value)
{
    memory_free(*text);
    *text = string_copy(value);
}

/* Options that take the next word. False when `word` is none of them. */
static bool take_argument(struct cli_options *options, const char *word, const char *argument, struct error *error,
                          int *ret_err)
{
    bool is_server = strcmp(word, "-server") == 0, is_timeout = strcmp(word, "-timeout") == 0;
    if (!is_server && !is_timeout && strcmp(word, "-client-configuration") != 0)
        return false;
    *ret_err = ZK_OK;
    if (argument == NULL)
        *ret_err = error_set(error, ZK_BAD_ARGUMENTS, "Error: no argument found for option %s", word);
    else if (is_server)
        replace(&options->server, argument);
    else if (!is_timeout)
        replace(&options->client_configuration, argument);
    else if (!string_to_int64(argument, 10, &options->timeout_ms) || options->timeout_ms < 0 ||
             options->timeout_ms > INT32_MAX)
        *ret_err = error_set(error, ZK_BAD_ARGUMENTS, "-timeout takes a number of milliseconds, not \"%s\"", argument);
    return true;
}

int cli_options_parse(int argc, char *const *argv, struct cli_options *ret_options, struct error *error)
{
    struct cli_options options = {.server = string_copy("localhost:2181"), .timeout_ms = 30000};
    int err = ZK_OK;
    for (int i = 1; i < argc && err == ZK_OK; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            for (; i < argc; i++)
                words_add(&options.command, argv[i], strlen(argv[i]));
        } else if (take_argument(&options, word, i + 1 < argc ? argv[i + 1] : NULL, error, &err)) {
            i++;
        } else if (string_starts_with(word, "-D") && word[2] != '\0') {
            take_property(&options, word + 2);
        } else if (!take_switch(&options, word)) {
            buffer_printf(&options.warnings, "zkcli: there is no option %s, it is passed over\n", word);
        }
    }
    if (err == ZK_OK)
        *ret_options = options;
    else
        cli_options_release(&options);
    return err;
}

void cli_options_release(struct cli_options *options)
{
    memory_free(options->server);
    memory_free(options->client_configuration);
    properties_release(&options->properties);
    words_release(&options->command);
    buffer_release(&options->warnings);
    *options = (struct cli_options){0};
}
