/* cli_completion.c - what a word that was begun may become. */
#include "client/cli/cli_completion.h"

#include <string.h>

#include "client/cli/cli_path.h"
#include "client/cli/cli_walk.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

size_t completion_word(const char *line, size_t size)
{
    size_t start = size;
    while (start > 0 && line[start - 1] != ' ' && line[start - 1] != '\t')
        start--;
    return start;
}

static void find_commands(const char *word, struct words *candidates)
{
    size_t count;
    const char **names = command_names(&count);
    for (size_t i = 0; i < count; i++)
        if (string_starts_with(names[i], word))
            words_add(candidates, names[i], strlen(names[i]));
    memory_free(names);
}

static void find_paths(struct cli *cli, const char *word, struct words *candidates)
{
    const char *slash = strrchr(word, '/');
    char *parent = slash == word ? string_copy("/") : string_copy_n(word, (size_t)(slash - word));
    struct String_vector children = {0};
    if (session_is_connected(&cli->session) && cli_path_validate(parent, false, NULL) == ZK_OK &&
        zoo_get_children(cli->session.handle, parent, 0, &children) == ZOK) {
        walk_sort_names(children.data, (size_t)children.count);
        for (int32_t i = 0; i < children.count; i++) {
            char *path = cli_path_join(parent, children.data[i]);
            if (string_starts_with(path, word))
                words_add(candidates, path, strlen(path));
            memory_free(path);
        }
        deallocate_String_vector(&children);
    }
    memory_free(parent);
}

void completion_find(struct cli *cli, const char *line, size_t size, struct completion *ret_completion)
{
    *ret_completion = (struct completion){0};
    size_t start = completion_word(line, size);
    char *word = string_copy_n(line + start, size - start);
    ret_completion->typed = size - start;
    if (word[0] == '/')
        find_paths(cli, word, &ret_completion->candidates);
    else if (strspn(line, " \t") >= start)
        find_commands(word, &ret_completion->candidates);
    memory_free(word);
}

size_t completion_common(const struct words *candidates)
{
    size_t common = candidates->count == 0 ? 0 : strlen(candidates->items[0]);
    for (size_t i = 1; i < candidates->count; i++) {
        size_t same = 0;
        while (same < common && candidates->items[i][same] == candidates->items[0][same])
            same++;
        common = same;
    }
    while (common > 0 && common < strlen(candidates->items[0]) &&
           ((uint8_t)candidates->items[0][common] & 0xc0) == 0x80)
        common--;    /* not within a character */
    return common;
}
