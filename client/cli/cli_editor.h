/* Lines typed at a terminal: editing, completion, history. libedit does the work. Main thread. */
#ifndef ZKC_CLIENT_CLI_EDITOR_H
#define ZKC_CLIENT_CLI_EDITOR_H

#include "client/cli/cli.h"

struct editor;
/* Events that come while a line is typed are printed above it. NULL when the terminal cannot be used. */
struct editor *editor_new(struct cli *cli, struct error *error);
void editor_free(struct editor *editor);
/* The next line without its end, valid until the next call; NULL at the end of input. Ctrl-C gives an empty one. */
const char *editor_read(struct editor *editor);

#endif
