/*
 * print_options.c - writes the entries of zoo.cfg.5 from the rows of server_options.def. Runs while zkc is built; with
 * --table it lists the rows for tests.
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
    if (option->state == OPTION_IS_NOT_YET)
        buffer_printf(&facts, " Has no effect in this release: %s.", option->reason);
    if (option->state == OPTION_IS_NO_PLACE)
        buffer_printf(&facts, " Has no effect: %s.", option->reason);
    if (option->property != NULL)
        buffer_printf(&facts, " Property %s.", option->property);
    print_text(buffer_string(&facts));
    buffer_release(&facts);
}

static const struct option *option_of(const struct entry *entry)
{
    return option_find_key(server_option_table, server_option_count, entry->key);
}

/* The groups, without what is for a Java server, which stands in a section of its own behind them. */
static void print_groups(void)
{
    bool is_list_open = false;
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        if (entries[i].title == NULL) {
            if (option_of(&entries[i])->state != OPTION_IS_NO_PLACE)
                print_option(option_of(&entries[i]));
            continue;
        }
        if (is_list_open)
            printf(".El\n");
        printf(".Ss %s\n.Bl -tag -width Ds\n", entries[i].title);
        is_list_open = true;
    }
    if (is_list_open)
        printf(".El\n");
}

static void print_no_place(void)
{
    printf(".Ss For a Java server only\n");
    print_text("These are known, checked and kept, so that a file of a Java server passes. Setting one is warned of.");
    printf(".Bl -tag -width Ds\n");
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        if (entries[i].title == NULL && option_of(&entries[i])->state == OPTION_IS_NO_PLACE)
            print_option(option_of(&entries[i]));
    printf(".El\n");
}

static const char *kind_of_value(const struct option *option)
{
    if (option->unit == OPTION_SECRET)
        return "secret";
    return option->unit == OPTION_RATIO ? "ratio" : value_name(option);
}

/* One line a row, for tests that go through all of them: key, property, kind of value, default, bounds, when it may
 * change, state and reason, with tabs between them. */
static void print_table(void)
{
    static const char *const states[] = {"served", "not yet", "no place"};
    for (size_t i = 0; i < server_option_count; i++) {
        const struct option *option = &server_option_table[i];
        printf("%s\t%s\t%s\t%s\t%.16g\t%.16g\t%s\t%s\t%s\n", option->key,
               option->property == NULL ? "" : option->property, kind_of_value(option),
               option->default_text == NULL ? "" : option->default_text, option->least, option->most,
               option->when == OPTION_AT_RELOAD ? "reload" : "start", states[option->state],
               option->reason == NULL ? "" : option->reason);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--table") == 0) {
        print_table();
    } else {
        print_groups();
        print_no_place();
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
