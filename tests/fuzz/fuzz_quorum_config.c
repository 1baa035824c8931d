/*
 * fuzz_quorum_config.c - libFuzzer target: texts that say who belongs to an ensemble, and the files they are kept in.
 *
 * The first byte has the options (1: several addresses, 2: one may stand alone, 4: an oracle) and what the rest is: the
 * text of a configuration; with 16 a server line; with 32 a zoo.cfg that is edited; with 8 the configuration goes
 * through its file too. Oracles: what was parsed, printed, parses again to the same; an edited zoo.cfg has its other
 * keys as they were, and edited again does not change.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/dynamic_config.h"

enum { SEVERAL = 1, ALONE = 2, ORACLE = 4, FILES = 8, SERVER_LINE = 16, STATIC = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64], dynamic_path[96], static_path[96], backup_path[104];

static void remove_directory(void)
{
    unlink(dynamic_path);
    unlink(static_path);
    unlink(backup_path);
    rmdir(directory);
}

static void make_directory(void)
{
    log_set_level(NULL, LOG_OFF);
    const char *parent = file_kind("/dev/shm") == FILE_KIND_DIRECTORY ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof(directory), "%s/zkc_fuzz.XXXXXX", parent);
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0)
        abort();
    snprintf(dynamic_path, sizeof(dynamic_path), "%s/zoo.cfg.dynamic.1", directory);
    snprintf(static_path, sizeof(static_path), "%s/zoo.cfg", directory);
    snprintf(backup_path, sizeof(backup_path), "%s.bak", static_path);
}

static void assert_same_text(const struct buffer *a, const struct buffer *b)
{
    assert(a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0));
    (void)a, (void)b;
}

/* ---- configurations ---- */

/* Also where both have one version, which makes them equal without a look. */
static void assert_equal(const struct quorum_verifier *a, const struct quorum_verifier *b)
{
    struct quorum_verifier *other = quorum_verifier_with_version(a, quorum_verifier_version(a) ^ 1);
    bool is_equal = quorum_verifier_equal(other, b);
    assert(is_equal);
    (void)is_equal;
    quorum_verifier_unref(other);
}

/* Who makes a quorum: all of them, none of them, each alone. */
static void count_quorums(struct quorum_verifier *verifier)
{
    struct sid_set acks = {0};
    quorum_verifier_contains_quorum(verifier, &acks);
    quorum_verifier_update_need_oracle(verifier, &acks);
    for (size_t i = 0; i < quorum_verifier_count(verifier); i++) {
        int64_t id = quorum_verifier_at(verifier, i)->id;
        assert(quorum_verifier_find(verifier, id) == quorum_verifier_at(verifier, i));
        quorum_verifier_weight(verifier, id);
        if (quorum_verifier_is_voter(verifier, id))
            sid_set_add(&acks, id);
    }
    assert(acks.count == quorum_verifier_voter_count(verifier));
    quorum_verifier_contains_quorum(verifier, &acks);
    sid_set_release(&acks);
}

static void check_print(const struct quorum_verifier *verifier, const struct quorum_parse_options *options)
{
    struct buffer text = {0}, text_again = {0};
    struct quorum_verifier *again;
    struct error error = {0};
    quorum_verifier_print(verifier, &text);
    int err = quorum_verifier_parse_text((const char *)text.bytes, text.size, options, &again, &error);
    assert(err == ZK_OK && quorum_verifier_version(again) == quorum_verifier_version(verifier));
    (void)err;
    assert_equal(verifier, again);
    quorum_verifier_print(again, &text_again);
    assert_same_text(&text, &text_again);
    quorum_verifier_unref(again);
    buffer_release(&text);
    buffer_release(&text_again);
}

static void check_file(const struct quorum_verifier *verifier, const struct quorum_parse_options *options)
{
    struct properties lines = {0};
    struct quorum_verifier *again;
    struct error error = {0};
    int err = dynamic_config_write(dynamic_path, verifier, true, &error);
    if (err == ZK_OK)
        err = properties_load(&lines, dynamic_path, &error);
    if (err == ZK_OK)
        err = quorum_verifier_parse(&lines, options, &again, &error);
    assert(err == ZK_OK && quorum_verifier_version(again) == quorum_verifier_version(verifier));
    assert_equal(verifier, again);
    quorum_verifier_unref(again);
    properties_release(&lines);
}

static void config(const char *text, size_t size, const struct quorum_parse_options *options, bool in_file)
{
    struct quorum_verifier *verifier;
    struct error error = {0};
    int err = quorum_verifier_parse_text(text, size, options, &verifier, &error);
    assert(err == ZK_OK || error.text[0] != '\0');
    if (err != ZK_OK)
        return;
    count_quorums(verifier);
    check_print(verifier, options);
    if (in_file)
        check_file(verifier, options);
    quorum_verifier_unref(verifier);
}

/* ---- a server line ---- */

static void server_line(const char *bytes, size_t size, bool is_multi_address_enabled)
{
    char *text = string_copy_n(bytes, strnlen(bytes, size));
    struct quorum_server server, copy, again;
    struct error error = {0};
    int err = quorum_server_parse(7, text, is_multi_address_enabled, &server, &error);
    assert(err == ZK_OK || (err == ZK_BAD_CONFIG && error.text[0] != '\0'));
    if (err == ZK_OK) {
        struct buffer line = {0};
        quorum_server_copy(&server, &copy);
        quorum_server_release(&server);
        quorum_server_print(&copy, &line);
        err = quorum_server_parse(7, buffer_string(&line), is_multi_address_enabled, &again, &error);
        assert(err == ZK_OK && quorum_server_equal(&again, &copy));
        quorum_server_release(&again);
        quorum_server_release(&copy);
        buffer_release(&line);
    }
    memory_free(text);
}

/* ---- zoo.cfg ---- */

static bool stays(const char *key)
{
    static const char *const prefixes[] = {"server.", "group", "weight", "dynamicConfigFile", "peerType"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (string_starts_with(key, prefixes[i]))
            return false;
    return true;
}

/* What stays of one stands in the other, in that order, without blanks at the ends of values. */
static void assert_kept(const struct properties *before, const struct properties *after)
{
    size_t at = 0;
    for (size_t i = 0; i < before->count; i++) {
        if (!stays(before->items[i].key))
            continue;
        char *value = string_copy(before->items[i].value);
        assert(at < after->count && strcmp(after->items[at].key, before->items[i].key) == 0);
        assert(strcmp(after->items[at].value, string_trim(value)) == 0);
        memory_free(value);
        at++;
    }
    assert(at + 1 == after->count && strcmp(after->items[at].key, "dynamicConfigFile") == 0);
    assert(strcmp(after->items[at].value, dynamic_path) == 0);
}

static void static_config(const void *bytes, size_t size)
{
    struct properties before = {0}, after = {0};
    struct buffer once = {0}, twice = {0};
    struct error error = {0};
    struct file *file;
    if (file_open(static_path, FILE_CREATE, &file, NULL) != ZK_OK || file_write(file, bytes, size, NULL) != ZK_OK)
        abort();
    file_close(file, NULL);
    if (properties_load(&before, static_path, &error) != ZK_OK) {
        properties_release(&before);
        return;
    }
    int err = dynamic_config_back_up_static(static_path, &error);
    if (err == ZK_OK)
        err = dynamic_config_edit_static(static_path, dynamic_path, false, &error);
    if (err == ZK_OK)
        err = properties_load(&after, static_path, &error);
    if (err == ZK_OK)
        err = file_read_all(static_path, DYNAMIC_CONFIG_LIMIT, &once, &error);
    if (err == ZK_OK)
        err = dynamic_config_edit_static(static_path, dynamic_path, false, &error);
    if (err == ZK_OK)
        err = file_read_all(static_path, DYNAMIC_CONFIG_LIMIT, &twice, &error);
    assert(err == ZK_OK);
    assert_kept(&before, &after);
    assert_same_text(&once, &twice);
    properties_release(&before);
    properties_release(&after);
    buffer_release(&once);
    buffer_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (directory[0] == '\0')
        make_directory();
    if (size == 0)
        return 0;
    struct quorum_parse_options options = {.is_multi_address_enabled = (data[0] & SEVERAL) != 0,
                                           .is_standalone_enabled = (data[0] & ALONE) != 0,
                                           .oracle_path = data[0] & ORACLE ? "/dev/null" : NULL};
    if (data[0] & STATIC)
        static_config(data + 1, size - 1);
    else if (data[0] & SERVER_LINE)
        server_line((const char *)data + 1, size - 1, options.is_multi_address_enabled);
    else
        config((const char *)data + 1, size - 1, &options, (data[0] & FILES) != 0);
    return 0;
}
