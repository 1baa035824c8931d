/* What a word that was begun may become. No state but the session's; main thread. */
#ifndef ZKC_CLIENT_CLI_COMPLETION_H
#define ZKC_CLIENT_CLI_COMPLETION_H

#include <stddef.h>

#include "client/cli/cli.h"

struct completion {
    size_t typed;               /* bytes before the cursor that the candidates begin with */
    struct words candidates;    /* whole, in order */
};

/* The word under completion: what stands behind the last white space of the `size` bytes before the cursor. */
size_t completion_word(const char *line, size_t size);
/*
 * Commands where the word is the first, live paths where it begins with '/'. Mirrors JLineZNodeCompleter. Asks the
 * server only while there is a connection.
 */
void completion_find(struct cli *cli, const char *line, size_t size, struct completion *ret_completion);
/* How many bytes the candidates have in common. */
size_t completion_common(const struct words *candidates);

#endif
