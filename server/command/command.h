/*
 * What a four-letter word runs with, and the words that have a file of their own. Mirrors AbstractFourLetterCommand.
 * For the files of this room.
 */
#ifndef ZKC_SERVER_COMMAND_COMMAND_H
#define ZKC_SERVER_COMMAND_COMMAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/zookeeper_server.h"

#define COMMAND_NOT_SERVING "This ZooKeeper instance is not currently serving requests"

struct command {
    struct zookeeper_server *server;        /* NULL when there is none yet */
    struct server_cnxn_factory *factory;    /* of the connection that asks; its connections are shown. May be NULL */
    _Atomic int64_t *trace_mask;
    const char *environment;                /* the lines of envi */
    struct slice rest;                      /* what came behind the word */
    struct buffer *out;                     /* the answer */
};

bool command_is_serving(const struct command *command);

/* The run functions; each prints its whole answer. */
void conf_command(const struct command *command);
void dirs_command(const struct command *command);
void cons_command(const struct command *command);
void crst_command(const struct command *command);
void dump_command(const struct command *command);
void mntr_command(const struct command *command);
void srst_command(const struct command *command);
void srvr_command(const struct command *command);
void stat_command(const struct command *command);
void wchc_command(const struct command *command);
void wchp_command(const struct command *command);
void wchs_command(const struct command *command);

#endif
