/*
 * console.c - standard input, output and error.
 *
 * Lines end as BufferedReader.readLine() ends them, except that of a \r\n which comes in two pieces each is an end.
 */
#include "common/base/console.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_STEP ((size_t)65536)
#define DEFAULT_WIDTH 80

bool console_is_terminal(enum console_stream stream)
{
    return isatty((int)stream) == 1;
}

int console_width(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_WIDTH;
}

int console_read(void *bytes, size_t size, size_t *ret_size, struct error *error)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes, size);
        if (got > 0) {
            *ret_size = (size_t)got;
            return ZK_OK;
        }
        if (got == 0)
            return ZK_EOF;
        if (errno != EINTR)
            return error_set_errno(error, "cannot read standard input");
    }
}

int console_read_all(size_t limit, struct buffer *bytes, struct error *error)
{
    for (;;) {
        size_t got = 0;
        int err = console_read(buffer_reserve(bytes, READ_STEP), READ_STEP, &got, error);
        if (err == ZK_EOF)
            return ZK_OK;
        if (err != ZK_OK)
            return err;
        bytes->size += got;
        if (bytes->size > limit)
            return error_set(error, ZK_TOO_LARGE, "standard input has more than %zu bytes", limit);
    }
}

/* Bytes of the line at `at` that are there, from `from` on looked through; true when its end is among them. */
static bool find_end(const struct console_lines *lines, size_t from, size_t *ret_size)
{
    size_t at = lines->at + from;
    while (at < lines->unread.size && lines->unread.bytes[at] != '\n' && lines->unread.bytes[at] != '\r')
        at++;
    *ret_size = at - lines->at;
    return at < lines->unread.size;
}

/* What was given out goes first; the beginning of a line stays. */
static int read_more(struct console_lines *lines, struct error *error)
{
    size_t got = 0;
    buffer_consume(&lines->unread, lines->at);
    lines->at = 0;
    int err = console_read(buffer_reserve(&lines->unread, READ_STEP), READ_STEP, &got, error);
    lines->unread.size += got;
    lines->is_at_end = err != ZK_OK;
    return err == ZK_EOF ? ZK_OK : err;
}

int console_read_line(struct console_lines *lines, const char **ret_line, struct error *error)
{
    size_t size = 0;
    bool has_end;
    while (!(has_end = find_end(lines, size, &size)) && !lines->is_at_end) {
        int err = read_more(lines, error);
        if (err != ZK_OK)
            return err;
    }
    if (!has_end && size == 0)
        return ZK_EOF;
    buffer_string(&lines->unread);    /* zero behind the last line */
    char *line = (char *)lines->unread.bytes + lines->at;
    bool is_pair = has_end && line[size] == '\r' && line[size + 1] == '\n';
    line[size] = '\0';
    lines->at += size + (is_pair ? 2 : has_end ? 1 : 0);
    *ret_line = line;
    return ZK_OK;
}

void console_lines_release(struct console_lines *lines)
{
    buffer_release(&lines->unread);
    *lines = (struct console_lines){0};
}
