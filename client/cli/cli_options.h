/* The command line of zkcli. Mirrors ZooKeeperMain.MyCommandOptions.parseOptions. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_OPTIONS_H
#define ZKC_CLIENT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/cli/cli_line.h"
#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/config/properties.h"

struct cli_options {
    char *server;                  /* "localhost:2181" when it is not given */
    int64_t timeout_ms;            /* of the session */
    char *client_configuration;    /* path; NULL: none */
    bool read_only, wait_for_connection;
    bool is_json, is_quiet, is_raw, is_strict, is_debug;
    bool wants_help, wants_version;
    struct properties properties;    /* of -Dkey=value */
    struct words command;            /* empty: the shell reads lines */
    struct buffer warnings;          /* a line for each option that is none */
};

/*
 * Options end at the first word without a hyphen, where the command begins. ZK_BAD_ARGUMENTS for an option without its
 * argument and for a time-out that is no number.
 */
int cli_options_parse(int argc, char *const *argv, struct cli_options *ret_options, struct error *error);
void cli_options_release(struct cli_options *options);

#endif
