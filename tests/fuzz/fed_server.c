/*
 * fed_server.c - servers for one input each, over one directory in memory.
 *
 * What a base has on disk is written once, by a server, and kept: making one is then copying a few small files.
 */
#include "tests/fuzz/fed_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/wire/acl.h"
#include "common/wire/zxid.h"

#define LARGEST_FILE ((size_t)1 << 20)

struct kept_file {
    char *name;
    struct buffer content;
};
struct kept_base {
    struct kept_file *files;
    size_t count;
};
static char directory[64], data_directory[96];
static struct kept_base bases[FED_BASE_COUNT];

/* ---- files ---- */

static void empty_directory(const char *path)
{
    struct name_list names;
    if (directory_list(path, &names, NULL) != ZK_OK)
        return;
    for (size_t i = 0; i < names.count; i++) {
        char *entry = path_join(path, names.names[i]);
        unlink(entry);    /* says no to version-2 */
        memory_free(entry);
    }
    name_list_release(&names);
}

static void write_file(const char *path, const char *name, const void *bytes, size_t size)
{
    char *entry = path_join(path, name);
    struct file *file;
    if (file_open(entry, FILE_CREATE, &file, NULL) != ZK_OK || file_write(file, bytes, size, NULL) != ZK_OK)
        abort();
    file_close(file, NULL);
    memory_free(entry);
}

static void clear(void)
{
    static const char config[] = "tickTime=2000\n";
    empty_directory(data_directory);
    empty_directory(directory);
    write_file(directory, "zoo.cfg", config, sizeof(config) - 1);
}

static void free_base(struct kept_base *base)
{
    for (size_t i = 0; i < base->count; i++) {
        memory_free(base->files[i].name);
        buffer_release(&base->files[i].content);
    }
    memory_free(base->files);
}

static void remove_directory(void)
{
    empty_directory(data_directory);
    empty_directory(directory);
    rmdir(data_directory);
    rmdir(directory);
    for (size_t i = 0; i < FED_BASE_COUNT; i++)
        free_base(&bases[i]);
}

static void keep_base(struct kept_base *base)
{
    struct name_list names;
    if (directory_list(data_directory, &names, NULL) != ZK_OK)
        abort();
    base->files = MEMORY_NEW_ARRAY(names.count, struct kept_file);
    base->count = names.count;
    for (size_t i = 0; i < names.count; i++) {
        char *entry = path_join(data_directory, names.names[i]);
        base->files[i].name = string_copy(names.names[i]);
        if (file_read_all(entry, LARGEST_FILE, &base->files[i].content, NULL) != ZK_OK)
            abort();
        memory_free(entry);
    }
    name_list_release(&names);
}

static void restore_base(const struct kept_base *base)
{
    for (size_t i = 0; i < base->count; i++)
        write_file(data_directory, base->files[i].name, base->files[i].content.bytes, base->files[i].content.size);
}

/* ---- the server ---- */

static int64_t last_logged_zxid(void *owner)
{
    struct fed_server *fed = owner;
    return data_tree_last_processed_zxid(zk_database_tree(fed->core->database));
}

static void fail(void *owner, int exit_code, const struct error *error)
{
    struct fed_server *fed = owner;
    fed->core->callbacks->fail(fed->core, exit_code, error);
    atomic_store(&fed->has_failed, true);
}

static const struct quorum_self_ops self_ops = {.last_logged_zxid = last_logged_zxid, .fail = fail};

static void load_options(struct server_options *options, bool reconfig_enabled, bool sync_enabled)
{
    struct properties settings = {0};
    properties_set(&settings, "dataDir", directory, 0);
    properties_set(&settings, "clientPort", "0", 0);
    properties_set(&settings, "tickTime", "2000", 0);
    properties_set(&settings, "initLimit", "10", 0);
    properties_set(&settings, "syncLimit", "5", 0);
    properties_set(&settings, "preAllocSize", "1", 0);
    properties_set(&settings, "extendedTypesEnabled", "true", 0);
    properties_set(&settings, "reconfigEnabled", reconfig_enabled ? "true" : "false", 0);
    properties_set(&settings, "syncEnabled", sync_enabled ? "true" : "false", 0);
    server_options_init(options);
    if (server_options_load(options, NULL, &settings, NULL) != ZK_OK)
        abort();
    options->config_path = path_join(directory, "zoo.cfg");
    properties_release(&settings);
}

static void make_self(struct fed_server *fed, int64_t id)
{
    static const char text[] =
        "server.1=127.0.0.1:1:2:participant;3\nserver.2=127.0.0.1:4:5:participant;6\n"
        "server.3=127.0.0.1:7:8:participant;9\nserver.4=127.0.0.1:10:11:observer;12\n"
        "server.5=127.0.0.1:13:14:participant;15\nversion=0";
    struct quorum_parse_options options = {0};
    struct quorum_verifier *verifier;
    if (quorum_verifier_parse_text(text, sizeof(text) - 1, &options, &verifier, NULL) != ZK_OK)
        abort();
    quorum_self_init(&fed->self, &fed->options, id, verifier, fed->epochs, fed->core->metrics, &self_ops, fed);
    quorum_verifier_unref(verifier);
    struct vote vote = {.id = FED_LEADER, .state = PEER_LOOKING};
    quorum_self_set_current_vote(&fed->self, &vote);
}

static void open_server(struct fed_server *fed, int64_t id)
{
    int exit_code;
    int64_t zxid;
    if (zookeeper_server_new(&fed->options, id, NULL, NULL, &fed->server, &exit_code, NULL) != ZK_OK)
        abort();
    fed->core = zookeeper_server_core(fed->server);
    struct error error = {0};
    if (zookeeper_server_load(fed->server, &zxid, &error) != ZK_OK ||
        epoch_files_open(data_directory, zxid, &fed->epochs, &error) != ZK_OK) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    make_self(fed, id);
}

/* ---- bases ---- */

static void append_create(struct zk_database *database, int number)
{
    char path[16];
    snprintf(path, sizeof(path), "/n%d", number);
    struct txn_header header = {.client_id = 1, .cxid = number, .zxid = zxid_make(1, number), .time = 1,
                                .type = OP_CREATE};
    struct txn_body body = {.is_present = true};
    body.record.create = (struct create_txn){ustring_of(path), {(const uint8_t *)"x", 1}, acl_open_unsafe, false, -1};
    struct txn *txn = txn_new(&header, &body, NULL);
    if (zk_database_append(database, txn, NULL) != ZK_OK)
        abort();
    txn_unref(txn);
}

static void make_base(enum fed_base base, int count)
{
    struct fed_server fed = {0};
    clear();
    load_options(&fed.options, false, true);
    open_server(&fed, FED_FOLLOWER);
    for (int i = 1; i <= count; i++)
        append_create(fed.core->database, i);
    if (zk_database_commit(fed.core->database, NULL) != ZK_OK ||
        epoch_files_set_accepted(fed.epochs, 1, NULL) != ZK_OK || epoch_files_set_current(fed.epochs, 1, NULL) != ZK_OK)
        abort();
    fed_server_release(&fed);
    keep_base(&bases[base]);
}

static void make_bases(void)
{
    log_set_level(NULL, LOG_OFF);
    const char *parent = file_kind("/dev/shm") == FILE_KIND_DIRECTORY ? "/dev/shm" : "/tmp";
    snprintf(directory, sizeof(directory), "%s/zkc_fuzz.XXXXXX", parent);
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0)
        abort();
    snprintf(data_directory, sizeof(data_directory), "%s/version-2", directory);
    make_base(FED_NOTHING, 0);
    make_base(FED_LITTLE, FED_LITTLE_TXNS);
    make_base(FED_MUCH, FED_MUCH_TXNS);
}

void fed_server_make(struct fed_server *fed, enum fed_base base, int64_t id, bool reconfig_enabled, bool sync_enabled)
{
    if (directory[0] == '\0')
        make_bases();
    *fed = (struct fed_server){0};
    clear();
    restore_base(&bases[base]);
    load_options(&fed->options, reconfig_enabled, sync_enabled);
    open_server(fed, id);
}

void fed_server_release(struct fed_server *fed)
{
    zookeeper_server_close(fed->server);
    zookeeper_server_free(fed->server);
    quorum_self_release(&fed->self);
    epoch_files_close(fed->epochs);
    server_options_release(&fed->options);
}
