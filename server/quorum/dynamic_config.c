/*
 * dynamic_config.c - writes configurations, and zoo.cfg so that it names one.
 *
 * zoo.cfg is rewritten after the file that it will point to is durable, so that a crash leaves the old pair or the new
 * one. Departs from Java: the other keys keep their order, and what needs a backslash in a properties file gets one.
 */
#include "server/quorum/dynamic_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/config/properties.h"

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a verifier that are to be written, sorted; the caller's. */
static char **sorted_lines(const struct quorum_verifier *verifier, bool keeps_version, size_t *ret_count)
{
    struct buffer text = {0};
    quorum_verifier_print(verifier, &text);
    char **lines = NULL;
    size_t count = 0;
    char *rest = buffer_string(&text), *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (string_starts_with(line, "version=") && !keeps_version)
            continue;
        lines = memory_realloc(lines, (count + 1) * sizeof(*lines));
        lines[count++] = string_copy(line);
    }
    buffer_release(&text);
    if (count > 0)
        qsort(lines, count, sizeof(*lines), compare_lines);
    *ret_count = count;
    return lines;
}

static void append_escaped(struct buffer *out, const char *text, const char *special)
{
    static const char controls[] = "\t\n\r\f", names[] = "tnrf";
    for (const char *at = text; *at != '\0'; at++) {
        const char *control = strchr(controls, *at);
        if (control != NULL || strchr(special, *at) != NULL)
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, control != NULL ? (uint8_t)names[control - controls] : (uint8_t)*at);
    }
}

static bool is_taken_out(const char *key, bool erases_client_port)
{
    static const char *const prefixes[] = {"server.", "group", "weight", "dynamicConfigFile", "peerType"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (string_starts_with(key, prefixes[i]))
            return true;
    return erases_client_port && string_starts_with(key, "clientPort");
}

static void print_static(const struct properties *lines, const char *dynamic_path, bool erases_client_port,
                         struct buffer *out)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (is_taken_out(lines->items[i].key, erases_client_port))
            continue;
        char *value = string_copy(lines->items[i].value);
        append_escaped(out, lines->items[i].key, "\\ :=#!");
        buffer_append_byte(out, '=');
        append_escaped(out, string_trim(value), "\\");
        buffer_append_byte(out, '\n');
        memory_free_secret(value, strlen(lines->items[i].value));
    }
    char *absolute = path_absolute(dynamic_path);
    buffer_append_string(out, "dynamicConfigFile=");
    append_escaped(out, absolute, "\\");
    buffer_append_byte(out, '\n');
    memory_free(absolute);
}

char *dynamic_config_path(const char *config_path, int64_t version)
{
    return string_format("%s.dynamic.%" PRIx64, config_path, (uint64_t)version);
}

char *dynamic_config_next_path(const char *config_path)
{
    return string_format("%s.dynamic.next", config_path);
}

bool dynamic_config_version_of(const char *path, int64_t *ret_version)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && string_to_int64(dot + 1, 16, ret_version);
}

int dynamic_config_write(const char *path, const struct quorum_verifier *verifier, bool keeps_version,
                         struct error *error)
{
    struct buffer text = {0};
    size_t count;
    char **lines = sorted_lines(verifier, keeps_version, &count);
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(&text, i > 0 ? "\n" : "");
        buffer_append_string(&text, lines[i]);
        memory_free(lines[i]);
    }
    memory_free(lines);
    int err = file_write_atomic(path, text.bytes, text.size, error);
    buffer_release(&text);
    return err;
}

int dynamic_config_edit_static(const char *config_path, const char *dynamic_path, bool erases_client_port,
                               struct error *error)
{
    struct properties lines = {0};
    struct buffer text = {0};
    int err = properties_load(&lines, config_path, error);
    if (err == ZK_OK) {
        print_static(&lines, dynamic_path, erases_client_port, &text);
        err = file_write_atomic(config_path, text.bytes, text.size, error);
    }
    memory_free_secret(text.bytes, text.size);
    properties_release(&lines);
    return err;
}

int dynamic_config_back_up_static(const char *config_path, struct error *error)
{
    struct buffer content = {0};
    char *backup = string_format("%s.bak", config_path);
    int err = file_read_all(config_path, DYNAMIC_CONFIG_LIMIT, &content, error);
    if (err == ZK_OK)
        err = file_write_atomic(backup, content.bytes, content.size, error);
    memory_free_secret(content.bytes, content.size);
    memory_free(backup);
    return err;
}

int dynamic_config_remove(const char *path, struct error *error)
{
    if (file_kind(path) == FILE_KIND_NONE)
        return ZK_OK;
    int err = file_unlink(path, error);
    if (err != ZK_OK)
        return err;
    char *directory = path_directory(path);
    err = directory_sync(directory, error);
    memory_free(directory);
    return err;
}
