/*
 * fuzz_cli.c - libFuzzer target: what the shell reads. The first byte chooses.
 *
 * Oracles: a line, quoted anew, splits into the same words; a record that was read is written and read back as the
 * same; a quota too; what was escaped for a terminal holds nothing a terminal obeys; base64 that was read is written
 * as it was, but for padding.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "client/cli/cli_acl.h"
#include "client/cli/cli_arguments.h"
#include "client/cli/cli_base64.h"
#include "client/cli/cli_config.h"
#include "client/cli/cli_format.h"
#include "client/cli/cli_json.h"
#include "client/cli/cli_line.h"
#include "client/cli/cli_path.h"
#include "client/cli/cli_quota.h"
#include "client/cli/cli_record.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct option_spec options[] = {
    { "s", NULL, "s" },       { "v", "version", "v" },      { "n", "n", "n" },
    { "add", "list", "add" }, { "--file", "file", "file" },
};

static void check_arguments(const struct words *words)
{
    for (int kind = 0; kind < 3; kind++) {
        const struct arguments_spec spec = { options, ARRAY_SIZE(options), kind > 0, kind > 1 };
        struct arguments arguments = {0};
        struct error error = {0};
        int err = arguments_parse(&spec, words, &arguments, &error);
        assert(err == ZK_OK || error.text[0] != '\0');
        assert(err != ZK_OK || arguments.operands.count <= words->count);
        arguments_release(&arguments);
    }
}

static void fuzz_line(const char *line)
{
    struct words words = {0}, again = {0};
    struct buffer quoted = {0};
    line_split(line, &words);
    bool can_be_quoted = true;
    for (size_t i = 0; i < words.count; i++) {
        bool has_double = strchr(words.items[i], '"') != NULL, has_single = strchr(words.items[i], '\'') != NULL;
        can_be_quoted = can_be_quoted && !(has_double && has_single);
        buffer_printf(&quoted, has_double ? "'%s' " : "\"%s\" ", words.items[i]);
    }
    if (can_be_quoted) {
        line_split(buffer_string(&quoted), &again);
        assert(again.count == words.count);
        for (size_t i = 0; i < words.count; i++)
            assert(strcmp(again.items[i], words.items[i]) == 0);
    }
    check_arguments(&words);
    words_release(&words);
    words_release(&again);
    buffer_release(&quoted);
}

static void fuzz_record(const char *text, size_t size)
{
    struct record record = {0}, again = {0};
    struct buffer line = {0};
    const struct Stat stat = {0};
    enum record_line what;
    char *root = NULL;
    if (record_parse(text, size, &what, &root, &record, NULL) == ZK_OK && what == RECORD_NODE) {
        record_print(&record, &stat, &line);
        int err = record_parse((const char *)line.bytes, line.size, &what, NULL, &again, NULL);
        assert(err == ZK_OK && what == RECORD_NODE);
        assert(strcmp(again.path, record.path) == 0 && again.kind == record.kind);
        assert(again.data_size == record.data_size && again.data.size == record.data.size);
        assert(record.data.size == 0 || memcmp(again.data.bytes, record.data.bytes, record.data.size) == 0);
        assert(again.acl.count == record.acl.count && again.sequence == record.sequence);
        record_release(&again);
        record_release(&record);
    }
    memory_free(root);
    buffer_release(&line);
}

static void fuzz_quota(const char *text, size_t size)
{
    struct quota quota, again;
    struct buffer printed = {0};
    if (quota_parse(text, size, &quota, NULL) == ZK_OK) {
        quota_print(&quota, &printed);
        int err = quota_parse((const char *)printed.bytes, printed.size, &again, NULL);
        assert(err == ZK_OK && memcmp(again.values, quota.values, sizeof(quota.values)) == 0);
    }
    buffer_release(&printed);
}

static void fuzz_escapes(const char *text, size_t size)
{
    struct buffer out = {0};
    format_escaped(text, size, FORMAT_NAME, &out);
    for (size_t i = 0; i < out.size; i++)
        assert(out.bytes[i] >= 0x20 && out.bytes[i] != 0x7f);
    assert(utf8_is_valid((const char *)out.bytes, out.size));
    buffer_clear(&out);
    format_hex_dump((const uint8_t *)text, size, &out);
    buffer_release(&out);
}

static void fuzz_base64(const char *text, size_t size)
{
    struct buffer bytes = {0};
    if (base64_decode(text, size, &bytes, NULL) == ZK_OK && size % 4 == 0) {
        char *again = base64_encode(bytes.bytes, bytes.size);
        assert(strlen(again) == size);
        memory_free(again);
    }
    buffer_release(&bytes);
}

static void fuzz_acl(const char *text)
{
    struct ACL_vector acl;
    struct buffer out = {0};
    acl_list_parse(text, &acl, &out);
    acl_list_print(&acl, &out);
    acl_list_release(&acl);
    buffer_release(&out);
}

static void fuzz_config(const char *text, size_t size)
{
    struct buffer out = {0};
    config_client_string(text, size, &out, NULL);
    buffer_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = string_copy_n((const char *)data + 1, size - 1);
    struct error error = {0};
    log_set_level(NULL, LOG_OFF);
    json_use_our_memory();
    switch (data[0]) {
    case 'l': fuzz_line(text); break;
    case 'r': fuzz_record(text, size - 1); break;
    case 'q': fuzz_quota(text, size - 1); break;
    case 'e': fuzz_escapes(text, size - 1); break;
    case 'b': fuzz_base64(text, size - 1); break;
    case 'a': fuzz_acl(text); break;
    case 'c': fuzz_config(text, size - 1); break;
    case 'p': cli_path_validate(text, size % 2 == 0, &error); break;
    default: break;
    }
    memory_free(text);
    return 0;
}
