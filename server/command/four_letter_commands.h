/*
 * The four-letter words: what is known, what the whitelist permits, and the answers as Java prints them. Mirrors
 * server.command.FourLetterCommands and the classes beside it. Runs on the selector of the connection that asks.
 */
#ifndef ZKC_SERVER_COMMAND_FOUR_LETTER_COMMANDS_H
#define ZKC_SERVER_COMMAND_FOUR_LETTER_COMMANDS_H

#include "server/zookeeper_server.h"

struct four_letter_commands;
/* The whitelist is that of the options (4lw.commands.whitelist), srvr always, isro where read-only mode is on. */
struct four_letter_commands *four_letter_commands_new(const struct server_options *options);
void four_letter_commands_free(struct four_letter_commands *commands);
/* Takes the whitelist of the options anew. Any thread. */
void four_letter_commands_reload(struct four_letter_commands *commands, const struct server_options *options);
/* For zookeeper_server_new(); belongs to `commands`. */
struct four_letter_hook *four_letter_commands_hook(struct four_letter_commands *commands);

/* The answer to a word ("srvr") as text, whitelist or not, for tests and for the hook. False: no such word. */
bool four_letter_command_run(struct four_letter_commands *commands, struct zookeeper_server *server, const char *word,
                             struct slice rest, struct buffer *out);

#endif
