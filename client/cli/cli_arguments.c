/*
 * cli_arguments.c - sorts the words of a command into options and operands.
 *
 * Mirrors DefaultParser of commons-cli 1.5 for what the shell uses of it: short names (of any length, such as -members)
 * that take one value or none, and one group of which at most one may be given. Beside them stand our own options with
 * two hyphens, which are unknown to Java and so take nothing away from what works there.
 */
#include "client/cli/cli_arguments.h"

#include <string.h>

#include "common/base/memory.h"
#include "common/base/strings.h"

static const struct option_spec common_options[] = {
    { "--json", NULL, "Answer in JSON" },
    { "--raw", NULL, "Write control characters to a terminal as they are" },
};

struct parser {
    const struct arguments_spec *spec;
    struct arguments *out;
    const struct option_spec *waiting;     /* for its value */
    const struct option_spec *selected;    /* of the group */
    struct error *error;
};

static bool is_ours(const struct option_spec *option)
{
    return option->name[0] == '-';
}

static const struct option_spec *find(const struct arguments_spec *spec, const char *name, size_t size)
{
    for (size_t i = 0; i < spec->count; i++)
        if (strlen(spec->options[i].name) == size && memcmp(spec->options[i].name, name, size) == 0)
            return &spec->options[i];
    for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
        if (strlen(common_options[i].name) == size && memcmp(common_options[i].name, name, size) == 0)
            return &common_options[i];
    return NULL;
}

static void add_value(struct parser *parser, const char *value)
{
    struct argument *last = &parser->out->options[parser->out->option_count - 1];
    size_t size = strlen(value);
    bool is_quoted = size > 1 && value[0] == '"' && strchr(value + 1, '"') == value + size - 1;
    last->value = is_quoted ? string_copy_n(value + 1, size - 2) : string_copy(value);
    parser->waiting = NULL;
}

static int unrecognized(struct parser *parser, const char *token)
{
    return error_set(parser->error, ZK_BAD_ARGUMENTS, "Unrecognized option: %s", token);
}

static int check_waiting(struct parser *parser)
{
    if (parser->waiting == NULL)
        return ZK_OK;
    return error_set(parser->error, ZK_BAD_ARGUMENTS, "Missing argument for option: %s", parser->waiting->name);
}

static int take_option(struct parser *parser, const struct option_spec *option)
{
    int err = check_waiting(parser);
    if (err != ZK_OK)
        return err;
    if (parser->spec->is_group && !is_ours(option)) {
        if (parser->selected != NULL && parser->selected != option)
            return error_set(
                parser->error, ZK_BAD_ARGUMENTS,
                "The option '%s' was specified but an option from this group has already been selected: '%s'",
                option->name, parser->selected->name);
        parser->selected = option;
    }
    struct arguments *out = parser->out;
    out->options = memory_realloc(out->options, (out->option_count + 1) * sizeof(*out->options));
    out->options[out->option_count++] = (struct argument){option, NULL};
    out->is_json = out->is_json || strcmp(option->name, "--json") == 0;
    out->is_raw = out->is_raw || strcmp(option->name, "--raw") == 0;
    parser->waiting = option->value != NULL ? option : NULL;
    return ZK_OK;
}

/* -sv3: letters one after the other, until one takes the rest as its value. */
static int take_letters(struct parser *parser, const char *token)
{
    for (const char *letter = token + 1; *letter != '\0'; letter++) {
        const struct option_spec *option = find(parser->spec, letter, 1);
        if (option == NULL)
            return unrecognized(parser, token);
        int err = take_option(parser, option);
        if (err != ZK_OK)
            return err;
        if (parser->waiting != NULL && letter[1] != '\0') {
            add_value(parser, letter + 1);
            return ZK_OK;
        }
    }
    return ZK_OK;
}

static int take_java_option(struct parser *parser, const char *token)
{
    const char *name = token + 1, *equals = strchr(name, '=');
    if (equals == NULL || name[1] == '\0') {
        const struct option_spec *option = find(parser->spec, name, strlen(name));
        if (option != NULL)
            return take_option(parser, option);
        return name[1] == '\0' ? unrecognized(parser, token) : take_letters(parser, token);
    }
    const struct option_spec *option = equals == name + 1 ? find(parser->spec, name, 1) : NULL;
    if (option == NULL || option->value == NULL)
        return unrecognized(parser, token);
    int err = take_option(parser, option);
    if (err == ZK_OK)
        add_value(parser, equals + 1);
    return err;
}

static int take_our_option(struct parser *parser, const char *token)
{
    const char *equals = strchr(token, '=');
    size_t size = equals == NULL ? strlen(token) : (size_t)(equals - token);
    const struct option_spec *option = find(parser->spec, token, size);
    if (option == NULL || (equals != NULL && option->value == NULL))
        return unrecognized(parser, token);
    int err = take_option(parser, option);
    if (err == ZK_OK && equals != NULL)
        add_value(parser, equals + 1);
    return err;
}

/* Does the token begin with a name that is known? Such a token is no value. */
static bool is_option(const struct parser *parser, const char *token)
{
    if (token[0] != '-' || token[1] == '\0')
        return false;
    const char *equals = strchr(token, '=');
    size_t size = equals == NULL ? strlen(token) : (size_t)(equals - token);
    if (token[1] == '-')
        return find(parser->spec, token, size) != NULL;
    return find(parser->spec, token + 1, size - 1) != NULL || find(parser->spec, token + 1, 1) != NULL;
}

static int missing_option(struct parser *parser)
{
    struct buffer list = {0};
    for (size_t i = 0; i < parser->spec->count; i++) {
        const struct option_spec *option = &parser->spec->options[i];
        if (!is_ours(option))
            buffer_printf(&list, "%s-%s %s", list.size == 0 ? "" : ", ", option->name, option->description);
    }
    int err = error_set(parser->error, ZK_BAD_ARGUMENTS, "Missing required option: [%s]", buffer_string(&list));
    buffer_release(&list);
    return err;
}

static int take_token(struct parser *parser, const char *token)
{
    if (parser->waiting != NULL && !is_option(parser, token)) {
        add_value(parser, token);
        return ZK_OK;
    }
    if (string_starts_with(token, "--"))
        return take_our_option(parser, token);
    if (token[0] == '-' && token[1] != '\0')
        return take_java_option(parser, token);
    words_add(&parser->out->operands, token, strlen(token));
    return ZK_OK;
}

int arguments_parse(const struct arguments_spec *spec, const struct words *words, struct arguments *ret_arguments,
                    struct error *error)
{
    struct arguments out = {.typed = words};
    struct parser parser = {spec, &out, NULL, NULL, error};
    bool are_operands = false;
    int err = ZK_OK;
    for (size_t i = 0; i < words->count && err == ZK_OK; i++) {
        const char *token = words->items[i];
        if (are_operands)
            words_add(&out.operands, token, strlen(token));
        else if (strcmp(token, "--") == 0)
            are_operands = true;
        else
            err = take_token(&parser, token);
    }
    if (err == ZK_OK)
        err = check_waiting(&parser);
    if (err == ZK_OK && spec->is_required && parser.selected == NULL)
        err = missing_option(&parser);
    if (err == ZK_OK)
        *ret_arguments = out;
    else
        arguments_release(&out);
    return err;
}

void arguments_take(const struct words *words, struct arguments *ret_arguments)
{
    *ret_arguments = (struct arguments){.typed = words};
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        if (strcmp(word, "--json") == 0)
            ret_arguments->is_json = true;
        else if (strcmp(word, "--raw") == 0)
            ret_arguments->is_raw = true;
        else
            words_add(&ret_arguments->operands, word, strlen(word));
    }
}

static const struct argument *find_given(const struct arguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->option_count; i++)
        if (strcmp(arguments->options[i].option->name, name) == 0)
            return &arguments->options[i];
    return NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
    return find_given(arguments, name) != NULL;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
    const struct argument *given = find_given(arguments, name);
    return given == NULL ? NULL : given->value;
}

void arguments_release(struct arguments *arguments)
{
    words_release(&arguments->operands);
    for (size_t i = 0; i < arguments->option_count; i++)
        memory_free(arguments->options[i].value);
    memory_free(arguments->options);
    *arguments = (struct arguments){0};
}

/* The next of Java's options behind `last` by name, case ignored; NULL when there is none. */
static const struct option_spec *next_by_name(const struct arguments_spec *spec, const struct option_spec *last)
{
    const struct option_spec *best = NULL;
    for (size_t i = 0; i < spec->count; i++) {
        const struct option_spec *option = &spec->options[i];
        if (is_ours(option) || (last != NULL && strcasecmp(option->name, last->name) <= 0))
            continue;
        if (best == NULL || strcasecmp(option->name, best->name) < 0)
            best = option;
    }
    return best;
}

void arguments_describe(const struct arguments_spec *spec, struct buffer *out)
{
    size_t width = 0;
    for (size_t i = 0; i < spec->count; i++) {
        const struct option_spec *option = &spec->options[i];
        size_t size = strlen(option->name) + (option->value != NULL ? strlen(" <arg>") : 0);
        if (!is_ours(option) && size > width)
            width = size;
    }
    for (const struct option_spec *option = next_by_name(spec, NULL); option != NULL;
         option = next_by_name(spec, option)) {
        size_t size = strlen(option->name) + (option->value != NULL ? strlen(" <arg>") : 0);
        buffer_printf(out, " -%s%s%*s   %s\n", option->name, option->value != NULL ? " <arg>" : "", (int)(width - size),
                      "", option->description);
    }
}
