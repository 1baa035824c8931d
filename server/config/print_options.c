/*
 * print_options.c - writes the entries of zoo.cfg.5 from the rows of server_options.def. Runs while zkc is built.
 *
 * The manual can so never lack an option, or tell another default than the server has. The text of a row is plain; here
 * it becomes mdoc: one sentence a line, lines of at most 78 bytes, and what troff would take for itself escaped.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/memory.h"
#include "server/config/server_options.h"

enum { LINE_WIDTH = 78 };

/* What the table of the server has no place for: the headings between the rows. */
static const struct entry {
    const char *title;    /* NULL for a row */
    const char *key;
} entries[] = {
#define GROUP(title) {title, NULL},
#define OPTION(field, key, ...) {NULL, key},
#include "server/config/server_options.def"
#undef OPTION
};

static void print_word(const char *word, size_t size)
{
    if (word[0] == '.' || word[0] == '\'')
        printf("\\&");
    for (size_t i = 0; i < size; i++) {
        bool is_minus = word[i] == '-' && i == 0;
        if (word[i] == '\\')
            printf("\\e");
        else
            printf("%s%c", is_minus ? "\\" : "", word[i]);
    }
}

/* Text as lines: a new one for each sentence and where one gets too long. */
static void print_text(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (column > 0 && column + 1 + size > LINE_WIDTH) {
            putchar('\n');
            column = 0;
        }
        if (column > 0)
            putchar(' ');
        print_word(text, size);
        column += size + 1;
        if (text[size - 1] == '.') {
            putchar('\n');
            column = 0;
        }
        text += size;
        text += strspn(text, " ");
    }
    if (column > 0)
        putchar('\n');
}

static bool is_number(const struct option *option)
{
    return option->unit != OPTION_BOOL && option->unit != OPTION_YES_NO && option->unit != OPTION_STRING &&
           option->unit != OPTION_SECRET;
}

/* What stands behind the '='. */
static const char *value_name(const struct option *option)
{
    switch (option->unit) {
    case OPTION_BOOL:
        return "true | false";
    case OPTION_YES_NO:
        return "yes | no";
    case OPTION_STRING:
    case OPTION_SECRET:
        return "text";
    case OPTION_PORT:
        return "port";
    default:
        return *option_unit_name(option->unit) == '\0' ? "number" : option_unit_name(option->unit);
    }
}

/* Bounds that say something: not the ends of what a number can be. */
static void append_range(struct buffer *out, const struct option *option)
{
    if (option->least <= INT32_MIN)
        return;
    if (option->most >= INT32_MAX)
        buffer_printf(out, ", at least %.16g", option->least);
    else
        buffer_printf(out, ", from %.16g to %.16g", option->least, option->most);
}

static void append_default(struct buffer *out, const struct option *option)
{
    const char *text = option->default_text;
    bool is_unset = text == NULL || *text == '\0' || (option->unit == OPTION_PORT && *text == '-');
    if (is_unset)
        buffer_append_string(out, "Not set by default");
    else
        buffer_printf(out, "Default %s", text);
}

static void print_option(const struct option *option)
{
    struct buffer facts = {0};
    printf(".It Cm %s Ns = Ns Ar %s\n", option->key, value_name(option));
    print_text(option->sentence);
    append_default(&facts, option);
    if (is_number(option))
        append_range(&facts, option);
    buffer_append_string(&facts, ".");
    if (option->when == OPTION_AT_RELOAD)
        buffer_append_string(&facts, " Read again on SIGHUP.");
    if (option->state == OPTION_NOT_YET)
        buffer_append_string(&facts, " Has no effect in this release.");
    if (option->property != NULL)
        buffer_printf(&facts, " Property %s.", option->property);
    print_text(buffer_string(&facts));
    buffer_release(&facts);
}

int main(void)
{
    bool is_list_open = false;
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        if (entries[i].title == NULL) {
            print_option(option_find_key(server_option_table, server_option_count, entries[i].key));
            continue;
        }
        if (is_list_open)
            printf(".El\n");
        printf(".Ss %s\n.Bl -tag -width Ds\n", entries[i].title);
        is_list_open = true;
    }
    if (is_list_open)
        printf(".El\n");
    return fflush(stdout) == 0 ? 0 : 1;
}
