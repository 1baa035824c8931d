/*
 * cli_history.c - the file of lines typed in earlier shells.
 *
 * Each is appended as it is typed, so that shells side by side lose none.
 */
#include "client/cli/cli_history.h"

#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/process.h"

#define FILE_MOST ((size_t)16 << 20)

char *history_path(void)
{
    const char *state = process_environment("XDG_STATE_HOME"), *home = process_environment("HOME");
    if (state != NULL && state[0] == '/')
        return path_join(state, "zkcli_history");
    return path_join(home != NULL ? home : process_user_home(), ".zkcli_history");
}

static void write_anew(const char *path, const struct words *lines)
{
    struct buffer text = {0};
    for (size_t i = 0; i < lines->count; i++)
        buffer_printf(&text, "%s\n", lines->items[i]);
    file_write_atomic(path, text.bytes, text.size, NULL);
    buffer_release(&text);
}

void history_load(const char *path, struct words *ret_lines)
{
    struct buffer text = {0};
    struct words all = {0};
    *ret_lines = (struct words){0};
    if (file_read_all(path, FILE_MOST, &text, NULL) == ZK_OK) {
        char *state = NULL;
        for (char *line = strtok_r(buffer_string(&text), "\n", &state); line != NULL;
             line = strtok_r(NULL, "\n", &state))
            words_add(&all, line, strlen(line));
    }
    size_t first = all.count > HISTORY_MOST ? all.count - HISTORY_MOST : 0;
    for (size_t i = first; i < all.count; i++)
        words_add(ret_lines, all.items[i], strlen(all.items[i]));
    if (all.count > (size_t)2 * HISTORY_MOST)
        write_anew(path, ret_lines);
    words_release(&all);
    buffer_release(&text);
}

bool history_may_keep(const char *line)
{
    struct words words = {0};
    line_split(line, &words);
    bool may_keep = words.count > 0 && strcmp(words.items[0], "addauth") != 0;
    words_release(&words);
    return may_keep;
}

void history_append(const char *path, const char *line)
{
    struct file *file;
    if (!history_may_keep(line) || file_open(path, FILE_APPEND, &file, NULL) != ZK_OK)
        return;
    struct buffer text = {0};
    buffer_printf(&text, "%s\n", line);
    file_write(file, text.bytes, text.size, NULL);
    file_close(file, NULL);
    buffer_release(&text);
}
