/*
 * fuzz_client_reply.c - libFuzzer target: a client without threads whose server says whatever the input has, while
 * requests of every type and watches of every kind wait for answers.
 *
 * The first byte says how:
 *   HANDSHAKE   the input begins with the answer to the connect request
 *   FRAMED      the input is bodies, each behind two bytes of its length; the frames are made here, with the next xid,
 *               so that the decoder of each answer is reached at once
 *   CHROOT      paths of the handle begin at /a
 *   CLOSE       a completion, which is said by the third byte, closes the handle
 * the second in what pieces the stream comes. Seeds come from Java by capture_client.py, which asks the same in the
 * same order. Oracle: every request that was taken has its completion called once, in the order of calls; whatever a
 * completion is given can be read.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_socket.h"
#include "client/zhandle.h"
#include "common/base/memory.h"
#include "common/wire/jute.h"
#include "tests/fuzz/fed_stream.h"

enum { HANDSHAKE = 1, FRAMED = 2, CHROOT = 4, CLOSE = 8 };

#define REQUESTS 40    /* at most */
#define PATH_SIZE 64
#define FIRST_XID 1
#define LONGEST_INPUT ((size_t)1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static zhandle_t *zh;           /* NULL: closed by a completion */
static struct fed_stream stream;
static size_t asked, answered, close_at;
static volatile uint8_t sum;    /* of all that is read */

/* ---- what comes back ---- */

static void look_at(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + at[i]);
}

static void look_at_string(const char *text)
{
    if (text != NULL)
        look_at(text, strlen(text));
}

static void look_at_strings(const struct String_vector *strings)
{
    for (int i = 0; strings != NULL && i < strings->count; i++)
        look_at_string(strings->data[i]);
}

static void look_at_stat(int rc, const struct Stat *stat)
{
    assert((rc == ZOK) == (stat != NULL));
    if (stat != NULL)
        look_at(stat, sizeof(*stat));
}

static void called(const void *data)
{
    assert((size_t)(uintptr_t)data == answered);
    if (answered++ == close_at) {
        zookeeper_close(zh);
        zh = NULL;
    }
}

static void void_done(int rc, const void *data)
{
    (void)rc;
    called(data);
}

static void stat_done(int rc, const struct Stat *stat, const void *data)
{
    look_at_stat(rc, stat);
    called(data);
}

static void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    assert(size >= -1 && (size <= 0 || value != NULL));
    look_at(value, size > 0 ? (size_t)size : 0);
    look_at_stat(rc, stat);
    called(data);
}

static void strings_done(int rc, const struct String_vector *strings, const void *data)
{
    assert((rc == ZOK) == (strings != NULL));
    look_at_strings(strings);
    called(data);
}

static void strings_stat_done(int rc, const struct String_vector *strings, const struct Stat *stat, const void *data)
{
    look_at_stat(rc, stat);
    strings_done(rc, strings, data);
}

static void string_done(int rc, const char *value, const void *data)
{
    assert(rc == ZOK || value == NULL);
    look_at_string(value);
    called(data);
}

static void string_stat_done(int rc, const char *value, const struct Stat *stat, const void *data)
{
    look_at_stat(rc, stat);
    string_done(rc, value, data);
}

static void acl_done(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data)
{
    look_at_stat(rc, stat);
    for (int i = 0; acl != NULL && i < acl->count; i++) {
        look_at_string(acl->data[i].id.scheme);
        look_at_string(acl->data[i].id.id);
    }
    called(data);
}

static void reads_done(int rc, int count, const zoo_read_result_t *results, const void *data)
{
    assert(rc == ZOK || count == 0);
    for (int i = 0; i < count; i++) {
        look_at(results[i].value, results[i].valuelen > 0 ? (size_t)results[i].valuelen : 0);
        look_at_strings(&results[i].strings);
    }
    called(data);
}

static void int_done(int rc, int value, const void *data)
{
    (void)rc, (void)value;
    called(data);
}

static void infos_done(int rc, const struct ClientInfo_vector *infos, const void *data)
{
    assert((rc == ZOK) == (infos != NULL));
    for (int i = 0; infos != NULL && i < infos->count; i++) {
        look_at_string(infos->data[i].authScheme);
        look_at_string(infos->data[i].user);
    }
    called(data);
}

static void auth_done(int rc, const void *data)
{
    (void)rc, (void)data;
}

static void watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)type, (void)state, (void)context;
    look_at(path, strlen(path));
}

/* ---- what was asked ---- */

static struct {
    char paths[4][PATH_SIZE];
    struct Stat stat;
    zoo_op_result_t results[5], results_of_failure[2];
} multi;

static void *number(void)
{
    return (void *)(uintptr_t)asked;
}

static void ask(int rc)
{
    if (rc == ZOK)
        asked++;
    assert(rc == ZOK && asked <= REQUESTS);
}

static void ask_multi(void)
{
    zoo_op_t ops[5], failing[2];
    zoo_create_op_init(&ops[0], "/b/m", "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, multi.paths[0], PATH_SIZE);
    zoo_create2_op_init(&ops[1], "/b/n", "2", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, multi.paths[1], 3);
    zoo_set_op_init(&ops[2], "/b/m", "3", 1, -1, &multi.stat);
    zoo_check_op_init(&ops[3], "/b/m", 1);
    zoo_delete_op_init(&ops[4], "/b/m", -1);
    ask(zoo_amulti(zh, 5, ops, multi.results, void_done, number()));
    zoo_create_op_init(&failing[0], "/b/o", "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, multi.paths[2], PATH_SIZE);
    zoo_delete_op_init(&failing[1], "/none", -1);
    ask(zoo_amulti(zh, 2, failing, multi.results_of_failure, void_done, number()));
}

static void ask_multi_read(void)
{
    zoo_read_op_t reads[3];
    zoo_get_op_init(&reads[0], "/b");
    zoo_get_children_op_init(&reads[1], "/b");
    zoo_get_op_init(&reads[2], "/none");
    ask(zoo_amulti_read(zh, 3, reads, reads_done, number()));
}

/* capture_client.py asks the same, in this order. */
static void ask_all(void)
{
    ask(zoo_acreate(zh, "/b", "data", 4, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, string_done, number()));
    ask(zoo_acreate2(zh, "/b/c", "data", 4, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, string_stat_done, number()));
    ask(zoo_awexists(zh, "/b", watcher, NULL, stat_done, number()));
    ask(zoo_awexists(zh, "/b/later", watcher, NULL, stat_done, number()));
    ask(zoo_awget(zh, "/b/c", watcher, NULL, data_done, number()));
    ask(zoo_awget_children(zh, "/b", watcher, NULL, strings_done, number()));
    ask(zoo_awget_children2(zh, "/b", watcher, NULL, strings_stat_done, number()));
    ask(zoo_aset(zh, "/b/c", "more", 4, -1, stat_done, number()));
    ask(zoo_aget_acl(zh, "/b", acl_done, number()));
    ask(zoo_aset_acl(zh, "/b", -1, &ZOO_OPEN_ACL_UNSAFE, void_done, number()));
    ask(zoo_async(zh, "/b", string_done, number()));
    ask_multi();
    ask_multi_read();
    ask(zoo_aget_all_children_number(zh, "/b", int_done, number()));
    ask(zoo_aget_ephemerals(zh, "/", strings_done, number()));
    ask(zoo_awhoami(zh, infos_done, number()));
    ask(zoo_aadd_watch(zh, "/b", ZOO_WATCH_PERSISTENT, watcher, NULL, void_done, number()));
    ask(zoo_aadd_watch(zh, "/b", ZOO_WATCH_PERSISTENT_RECURSIVE, watcher, NULL, void_done, number()));
    ask(zoo_acreate(zh, "/b/later", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, string_done, number()));
    ask(zoo_aget(zh, "/b/later", 1, data_done, number()));
    ask(zoo_adelete(zh, "/b/later", -1, void_done, number()));
    ask(zoo_agetconfig(zh, 1, data_done, number()));
    ask(zoo_areconfig(zh, NULL, "9", NULL, -1, data_done, number()));
    ask(zoo_aget(zh, "/none", 0, data_done, number()));
}

/* ---- a connection without a socket ---- */

static void connect_to(const struct buffer *bytes, uint8_t how, uint8_t pieces)
{
    struct client_socket *socket = zh->socket;
    fed_stream_init(&stream, bytes->bytes, bytes->size, pieces & 0xfe, NULL);    /* odd ones would wait */
    mutex_lock(&zh->lock);
    socket->stream = &stream.stream;
    socket->phase = how & HANDSHAKE ? SOCKET_ASSOCIATING : SOCKET_OPEN;
    zh->next_xid = FIRST_XID;
    mutex_unlock(&zh->lock);
    atomic_store(&zh->state, how & HANDSHAKE ? ZOO_ASSOCIATING_STATE : ZOO_CONNECTED_STATE);
}

static void frame(const uint8_t *data, size_t size, struct buffer *out)
{
    for (int32_t xid = FIRST_XID; size >= 2; xid++) {
        size_t length = ((size_t)data[0] << 8) + data[1];
        data += 2, size -= 2;
        if (length > size)
            length = size;
        jute_write_int32(out, (int32_t)(length + 16));
        jute_write_int32(out, xid);
        jute_write_int64(out, xid);
        jute_write_int32(out, 0);
        buffer_append(out, data, length);
        data += length, size -= length;
    }
}

static void hear(void)
{
    int rc;
    do
        rc = zookeeper_process(zh, ZOOKEEPER_READ);
    while (zh != NULL && (rc == ZOK || rc == ZNOTHING));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    zoo_set_debug_level(0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer bytes = {0};
    if (size < 3 || size > LONGEST_INPUT)
        return 0;
    asked = answered = 0;
    close_at = data[0] & CLOSE ? data[2] % REQUESTS : SIZE_MAX;
    if (data[0] & FRAMED)
        frame(data + 3, size - 3, &bytes);
    else
        buffer_append(&bytes, data + 3, size - 3);
    zh = zookeeper_init(data[0] & CHROOT ? "127.0.0.1:1/a" : "127.0.0.1:1", watcher, 10000, NULL, NULL,
                        ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL)
        abort();
    connect_to(&bytes, data[0], data[1]);
    zoo_add_auth(zh, "digest", "u:p", 3, auth_done, NULL);
    ask_all();
    hear();
    if (zh != NULL)
        zookeeper_close(zh);
    assert(answered == asked);
    buffer_release(&bytes);
    return 0;
}
