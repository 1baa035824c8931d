/* A line of the shell as words. Mirrors ZooKeeperMain.MyCommandOptions.parseCommand. No state; any thread. */
#ifndef ZKC_CLIENT_CLI_LINE_H
#define ZKC_CLIENT_CLI_LINE_H

#include <stddef.h>

struct words {    /* {0} holds none */
    char **items;
    size_t count;
};

/*
 * Words stand between white space; "..." and '...' hold one word together, without escapes, and only where a word
 * begins. A quote that is never closed is left out. Appends to *words.
 */
void line_split(const char *line, struct words *words);
void words_add(struct words *words, const char *text, size_t size);
void words_release(struct words *words);

#endif
