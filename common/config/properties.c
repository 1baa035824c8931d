/*
 * properties.c - reads the syntax of Java's property files.
 *
 * Mirrors java.util.Properties.load in two steps, as Java has them:
 *
 *   text -> logical lines (comments and blank lines gone, continuation lines joined) -> key and value, unescaped
 *
 * (1) A line that ends in an odd number of backslashes goes on in the next, whose leading white space is dropped; a
 *     comment never goes on.
 * (2) A key ends at the first '=', ':' or white space that no backslash precedes.
 * (3) A backslash before anything that is no escape is dropped.
 */
#include "common/config/properties.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

enum { FILE_LIMIT = 16 * 1024 * 1024 };

struct source {
    const char *name;    /* for messages */
    const char *at, *end;
    int line;            /* of `at`, from 1 */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Steps over one character; the end of a line, \r\n too, counts as one. */
static char next_char(struct source *source)
{
    char c = *source->at++;
    if (c == '\r' && source->at < source->end && *source->at == '\n')
        source->at++;
    if (is_line_end(c))
        source->line++;
    return c;
}

static void skip_comment(struct source *source)
{
    while (source->at < source->end && !is_line_end(*source->at))
        source->at++;
}

/* The next logical line, into `line`; false at the end. *ret_number is the line it begins in. */
static bool read_logical_line(struct source *source, struct buffer *line, int *ret_number)
{
    bool skips_blank = true, is_continued = false, is_escaped = false;
    buffer_clear(line);
    while (source->at < source->end) {
        int number = source->line;
        const char *start = source->at;
        char c = next_char(source);
        if (skips_blank) {
            if (is_blank(c) || (!is_continued && is_line_end(c)))
                continue;
            skips_blank = false;
            is_continued = false;
        }
        if (line->size == 0) {
            *ret_number = number;
            if (c == '#' || c == '!') {
                skip_comment(source);
                skips_blank = true;
                continue;
            }
        }
        if (!is_line_end(c)) {
            buffer_append_byte(line, (uint8_t)c);
            is_escaped = c == '\\' && !is_escaped;
        } else if (line->size == 0) {
            skips_blank = true;
        } else if (is_escaped) {
            line->size--;    /* (1) */
            if (source->at == source->end && source->at == start + 1)
                return true;    /* nothing to go on in: Java has an empty key here, though not behind \r\n */
            is_escaped = false;
            skips_blank = true;
            is_continued = true;
        } else {
            return true;
        }
    }
    if (line->size == 0)
        return false;
    if (is_escaped)
        line->size--;
    return true;
}

static void append_utf8(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_append_byte(out, (uint8_t)code);
    } else if (code < 0x800) {
        buffer_append_byte(out, (uint8_t)(0xc0 | code >> 6));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        buffer_append_byte(out, (uint8_t)(0xe0 | code >> 12));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
    } else {
        buffer_append_byte(out, (uint8_t)(0xf0 | code >> 18));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u; -1 if they are none. */
static int32_t parse_unit(const char *text, size_t left)
{
    int32_t unit = 0;
    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* \uXXXX at text[0], a surrogate together with its second half; returns the bytes read, 0 if malformed. */
static size_t append_unit(struct buffer *out, const char *text, size_t left)
{
    enum { UNIT_SIZE = 6 };
    int32_t unit = parse_unit(text + 2, left - 2);
    if (unit < 0)
        return 0;
    if (unit < 0xd800 || unit > 0xdfff) {
        append_utf8(out, (uint32_t)unit);
        return UNIT_SIZE;
    }
    if (unit < 0xdc00 && left >= 2 * UNIT_SIZE && text[UNIT_SIZE] == '\\' && text[UNIT_SIZE + 1] == 'u') {
        int32_t second = parse_unit(text + UNIT_SIZE + 2, left - UNIT_SIZE - 2);
        if (second >= 0xdc00 && second <= 0xdfff) {
            append_utf8(out, 0x10000 + (((uint32_t)unit & 0x3ff) << 10 | ((uint32_t)second & 0x3ff)));
            return (size_t)2 * UNIT_SIZE;
        }
    }
    append_utf8(out, 0xfffd);    /* half a character */
    return UNIT_SIZE;
}

/* A byte that is no ASCII: the UTF-8 character that starts there, or that one byte as ISO 8859-1. */
static size_t append_beyond_ascii(struct buffer *out, const char *text, size_t left)
{
    uint8_t first = (uint8_t)text[0];
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first >= 0xc2 && size <= left && utf8_is_valid(text, size)) {
        buffer_append(out, text, size);
        return size;
    }
    append_utf8(out, first);
    return 1;
}

/* Java's loadConvert. Returns what is wrong, NULL if nothing is. */
static const char *unescape(struct buffer *out, const char *text, size_t size)
{
    static const char *const null_character = "a null character cannot stand here";
    buffer_clear(out);
    for (size_t i = 0; i < size;) {
        if (text[i] == '\0')
            return null_character;
        if ((uint8_t)text[i] >= 0x80) {
            i += append_beyond_ascii(out, text + i, size - i);
            continue;
        }
        if (text[i] != '\\' || i + 1 == size) {
            buffer_append_byte(out, (uint8_t)text[i++]);
            continue;
        }
        char escaped = text[i + 1];
        if (escaped == 'u') {
            size_t read = append_unit(out, text + i, size - i);
            if (read == 0)
                return "malformed \\uXXXX, four hexadecimal digits belong there";
            if (out->bytes[out->size - 1] == '\0')
                return null_character;
            i += read;
            continue;
        }
        static const char from[] = "tnrf", to[] = "\t\n\r\f";
        const char *escape = escaped == '\0' ? NULL : strchr(from, escaped);
        if (escape != NULL) {
            buffer_append_byte(out, (uint8_t)to[escape - from]);
            i += 2;
        } else {
            i++;    /* (3): what follows is taken as it is, */
            if ((uint8_t)text[i] < 0x80 && text[i] != '\0')
                buffer_append_byte(out, (uint8_t)text[i++]);    /* even a backslash */
        }
    }
    return NULL;
}

/* (2): where the key ends and the value starts. */
static void split(const char *line, size_t size, size_t *ret_key_size, size_t *ret_value)
{
    size_t key_size = 0;
    bool is_escaped = false;
    while (key_size < size) {
        char c = line[key_size];
        if (!is_escaped && (c == '=' || c == ':' || is_blank(c)))
            break;
        is_escaped = c == '\\' && !is_escaped;
        key_size++;
    }
    size_t value = key_size;
    bool has_separator = false;
    while (value < size) {
        bool is_separator = !has_separator && (line[value] == '=' || line[value] == ':');
        if (!is_blank(line[value]) && !is_separator)
            break;
        has_separator |= is_separator;
        value++;
    }
    *ret_key_size = key_size;
    *ret_value = value;
}

static struct property *find(const struct properties *properties, const char *key)
{
    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->items[i].key, key) == 0)
            return &properties->items[i];
    return NULL;
}

static int parse_line(struct properties *found, const struct source *source, struct buffer *line, int number,
                      struct error *error)
{
    struct buffer key = {0}, value = {0};
    const char *text = (const char *)line->bytes;
    size_t key_size, value_start;
    int err = ZK_OK;
    split(text, line->size, &key_size, &value_start);
    const char *wrong = unescape(&key, text, key_size);
    if (wrong == NULL)
        wrong = unescape(&value, text + value_start, line->size - value_start);
    if (wrong != NULL) {
        err = error_set(error, ZK_BAD_CONFIG, "%s:%d: %s", source->name, number, wrong);
    } else {
        const struct property *earlier = find(found, buffer_string(&key));
        if (earlier != NULL)
            log_warn("%s:%d: %s is set in line %d already, the last value counts", source->name, number,
                     buffer_string(&key), earlier->line);
        properties_set(found, buffer_string(&key), buffer_string(&value), number);
    }
    buffer_release(&key);
    buffer_release(&value);
    return err;
}

static void free_property(struct property *property)
{
    memory_free(property->key);
    memory_free_secret(property->value, strlen(property->value));
}

void properties_release(struct properties *properties)
{
    for (size_t i = 0; i < properties->count; i++)
        free_property(&properties->items[i]);
    memory_free(properties->items);
    *properties = (struct properties){0};
}

int properties_parse(struct properties *properties, const char *name, const char *text, size_t size,
                     struct error *error)
{
    struct source source = {.name = name, .at = text, .end = size > 0 ? text + size : text, .line = 1};
    struct properties found = {0};
    struct buffer line = {0};
    int number = 0, err = ZK_OK;
    while (err == ZK_OK && read_logical_line(&source, &line, &number))
        err = parse_line(&found, &source, &line, number, error);
    for (size_t i = 0; err == ZK_OK && i < found.count; i++)
        properties_set(properties, found.items[i].key, found.items[i].value, found.items[i].line);
    properties_release(&found);
    buffer_release(&line);
    return err;
}

int properties_load(struct properties *properties, const char *path, struct error *error)
{
    struct buffer content = {0};
    int err = file_read_all(path, FILE_LIMIT, &content, error);
    if (err == ZK_OK)
        err = properties_parse(properties, path, buffer_string(&content), content.size, error);
    buffer_release(&content);
    return err;
}

void properties_set(struct properties *properties, const char *key, const char *value, int line)
{
    struct property *property = find(properties, key);
    char *new_value = string_copy(value);    /* `value` may be the one that goes */
    if (property != NULL) {
        memory_free_secret(property->value, strlen(property->value));
        property->value = new_value;
        property->line = line;
        return;
    }
    if (properties->count == properties->capacity) {
        properties->capacity = properties->capacity == 0 ? 16 : properties->capacity * 2;
        properties->items =
            memory_realloc(properties->items, properties->capacity * sizeof(properties->items[0]));
    }
    properties->items[properties->count++] = (struct property){string_copy(key), new_value, line};
}

const char *properties_get(const struct properties *properties, const char *key)
{
    const struct property *property = find(properties, key);
    return property == NULL ? NULL : property->value;
}

const struct property *properties_find(const struct properties *properties, const char *key)
{
    return find(properties, key);
}

void properties_remove(struct properties *properties, const char *key)
{
    struct property *property = find(properties, key);
    if (property == NULL)
        return;
    free_property(property);
    size_t behind = (size_t)(properties->items + properties->count - (property + 1));
    memmove(property, property + 1, behind * sizeof(*property));
    properties->count--;
}
