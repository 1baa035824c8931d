/* Standard input, output and error of a program; is there a person at them? Main thread. */
#ifndef ZKC_COMMON_BASE_CONSOLE_H
#define ZKC_COMMON_BASE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

enum console_stream { CONSOLE_INPUT, CONSOLE_OUTPUT, CONSOLE_ERROR };    /* their descriptors, too */
bool console_is_terminal(enum console_stream stream);
/* Columns of the terminal, 80 when there is none. */
int console_width(void);

/* Waits for bytes of standard input: ZK_OK with *ret_size > 0, ZK_EOF, ZK_IO. */
int console_read(void *bytes, size_t size, size_t *ret_size, struct error *error);
/* All of it to its end, appended; ZK_TOO_LARGE beyond `limit`. */
int console_read_all(size_t limit, struct buffer *bytes, struct error *error);

/* Standard input line by line. {0} is the start. */
struct console_lines {
    struct buffer unread;
    size_t at;
    bool is_at_end;
};
/* The next line without its end (\n, \r\n or \r), valid until the next call; ZK_EOF, ZK_IO. */
int console_read_line(struct console_lines *lines, const char **ret_line, struct error *error);
void console_lines_release(struct console_lines *lines);

#endif
