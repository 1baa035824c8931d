/*
 * cli_line.c - splits a line into words as Java's shell does.
 *
 * Java looks again and again for the pattern  \s* ( [^"']\S* | "[^"]*" | '[^']*' ) \s*  and takes what it finds. What
 * follows from that and is kept here:
 * (1) a quote opens only at the start of a word: a"b c" is the words a"b and c";
 * (2) "a b"c is two words;
 * (3) a quote without its end is skipped, or, with white space at the start of the line before it, taken together with
 *     the last of that white space as the start of a word;
 * (4) a line of white space alone is one word, its last character.
 */
#include "client/cli/cli_line.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* Length of the word at `at`, 0 when none begins there. */
static size_t word_at(const char *at)
{
    if (*at == '\0')
        return 0;
    if (is_quote(*at)) {
        const char *end = strchr(at + 1, *at);
        return end == NULL ? 0 : (size_t)(end + 1 - at);
    }
    size_t size = 1;
    while (at[size] != '\0' && !is_space(at[size]))
        size++;
    return size;
}

void words_add(struct words *words, const char *text, size_t size)
{
    bool is_full = (words->count & (words->count - 1)) == 0;    /* there is room up to the next power of two */
    if (is_full)
        words->items = memory_realloc(words->items, (words->count == 0 ? 1 : 2 * words->count) * sizeof(*words->items));
    words->items[words->count++] = string_copy_n(text, size);
}

void line_split(const char *line, struct words *words)
{
    for (const char *at = line; *at != '\0';) {
        const char *start = at;
        while (is_space(*start))
            start++;
        size_t size = word_at(start);
        if (size == 0 && start > at)
            size = word_at(--start);
        if (size == 0) {
            at++;
            continue;
        }
        if (size >= 2 && is_quote(*start) && start[size - 1] == *start)
            words_add(words, start + 1, size - 2);
        else
            words_add(words, start, size);
        for (at = start + size; is_space(*at);)
            at++;
    }
}

void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        memory_free(words->items[i]);
    memory_free(words->items);
    *words = (struct words){0};
}
