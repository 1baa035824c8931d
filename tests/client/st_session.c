/*
 * st_session.c - a program without threads, as people write them for libzookeeper_st: a loop around select(), and every
 * kind of request. binaries.py builds it once, with the old binding's headers and library, and runs it on both
 * libraries.
 *
 *     st_session HOST:PORT[/CHROOT] PATH     prints a line for all that is called back; 0 when all of it was
 */
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/select.h>

#include <zookeeper.h>

#define DEADLINE_S 20
#define BUFFER_SIZE 128

static zhandle_t *zh;
static char root[BUFFER_SIZE];
static int waiting;      /* completions to come */
static int state;        /* of the session, as the watcher heard it */
static int events;       /* of nodes, so far */

/* "/root/name" in one of a few buffers. */
static const char *path(const char *name)
{
    static char buffers[8][2 * BUFFER_SIZE];
    static int next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof(buffers[0]), "%s%s", root, name);
    return buffer;
}

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

/* ---- what is called ---- */

static void watcher(zhandle_t *handle, int type, int new_state, const char *where, void *context)
{
    (void)handle;
    if (type == ZOO_SESSION_EVENT)
        state = new_state;
    else
        events++;
    say("watcher %s: type %d state %d path '%s'", (const char *)context, type, new_state, where);
}

static void show_stat(const struct Stat *stat)
{
    if (stat != NULL)
        say("    version %d cversion %d aversion %d length %d children %d %s", stat->version, stat->cversion,
            stat->aversion, stat->dataLength, stat->numChildren, stat->ephemeralOwner != 0 ? "owned" : "free");
}

static void void_done(int rc, const void *data)
{
    waiting--;
    say("%s: %d", (const char *)data, rc);
}

static void stat_done(int rc, const struct Stat *stat, const void *data)
{
    void_done(rc, data);
    show_stat(stat);
}

static void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    void_done(rc, data);
    say("    %d bytes '%.*s'", size, size > 0 ? size : 0, value != NULL ? value : "");
    show_stat(stat);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void strings_done(int rc, const struct String_vector *strings, const void *data)
{
    void_done(rc, data);
    if (strings == NULL)
        return;
    qsort(strings->data, (size_t)strings->count, sizeof(char *), compare);
    for (int i = 0; i < strings->count; i++)
        say("    %s", strings->data[i]);
}

static void strings_stat_done(int rc, const struct String_vector *strings, const struct Stat *stat, const void *data)
{
    strings_done(rc, strings, data);
    show_stat(stat);
}

static void string_done(int rc, const char *value, const void *data)
{
    void_done(rc, data);
    say("    '%s'", value != NULL ? value : "(none)");
}

static void string_stat_done(int rc, const char *value, const struct Stat *stat, const void *data)
{
    string_done(rc, value, data);
    show_stat(stat);
}

static void acl_done(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data)
{
    void_done(rc, data);
    for (int i = 0; acl != NULL && i < acl->count; i++)
        say("    %d %s %s", acl->data[i].perms, acl->data[i].id.scheme, acl->data[i].id.id);
    show_stat(stat);
}

/* ---- the loop ---- */

static void turn(void)
{
    int fd = -1, interest = 0, ready = 0;
    struct timeval tv = {0, 0};
    fd_set reads, writes;
    zookeeper_interest(zh, &fd, &interest, &tv);
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    if (fd != -1 && (interest & ZOOKEEPER_READ))
        FD_SET(fd, &reads);
    if (fd != -1 && (interest & ZOOKEEPER_WRITE))
        FD_SET(fd, &writes);
    if (tv.tv_sec > 1)
        tv = (struct timeval){1, 0};
    if (select(fd + 1, &reads, &writes, NULL, &tv) > 0) {
        ready |= FD_ISSET(fd, &reads) ? ZOOKEEPER_READ : 0;
        ready |= FD_ISSET(fd, &writes) ? ZOOKEEPER_WRITE : 0;
    }
    zookeeper_process(zh, ready);
}

/* Until all is answered and so many events of nodes have come, counted from the start; then where it was called. */
static void settle(const char *what, int wanted_state, int wanted_events)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    time_t until = now.tv_sec + DEADLINE_S;
    while (waiting > 0 || state != wanted_state || events < wanted_events) {
        turn();
        gettimeofday(&now, NULL);
        if (now.tv_sec > until) {
            say("%s: %d answers and %d events are missing, the state is %d", what, waiting, wanted_events - events,
                state);
            exit(2);
        }
    }
    say("-- %s", what);
}

static void ask(int rc, const char *what)
{
    if (rc == ZOK)
        waiting++;
    else
        say("%s: refused with %d", what, rc);
}

#define ASK(what, call) ask((call), (what))

/* ---- the session ---- */

static void create_all(void)
{
    struct ACL open = {ZOO_PERM_ALL, {"world", "anyone"}};
    struct ACL_vector acl = {1, &open}, none = {0, NULL};
    ASK("create", zoo_acreate(zh, root, "data", 4, &acl, ZOO_PERSISTENT, string_done, "create"));
    ASK("again", zoo_acreate(zh, root, "data", 4, &acl, ZOO_PERSISTENT, string_done, "again"));
    ASK("null", zoo_acreate(zh, path("/null"), NULL, -1, &acl, ZOO_PERSISTENT, string_done, "null"));
    ASK("ephemeral", zoo_acreate(zh, path("/e"), "", 0, &acl, ZOO_EPHEMERAL, string_done, "ephemeral"));
    ASK("sequence", zoo_acreate(zh, path("/s-"), "1", 1, &acl, ZOO_PERSISTENT_SEQUENTIAL, string_done, "sequence"));
    ASK("both", zoo_acreate(zh, path("/es-"), "1", 1, &acl, ZOO_EPHEMERAL_SEQUENTIAL, string_done, "both"));
    ASK("flags", zoo_acreate(zh, path("/f-"), "1", 1, &acl, ZOO_EPHEMERAL | ZOO_SEQUENCE, string_done, "flags"));
    ASK("container", zoo_acreate(zh, path("/c"), "1", 1, &acl, ZOO_CONTAINER, string_done, "container"));
    ASK("ttl", zoo_acreate_ttl(zh, path("/t"), "1", 1, &acl, ZOO_PERSISTENT_WITH_TTL, 600000, string_done, "ttl"));
    ASK("create2", zoo_acreate2(zh, path("/two"), "12", 2, &acl, ZOO_PERSISTENT, string_stat_done, "create2"));
    ASK("ttl2", zoo_acreate2_ttl(zh, path("/t-"), "1", 1, &acl, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 600000,
                                 string_stat_done, "ttl2"));
    ASK("no parent", zoo_acreate(zh, path("/none/x"), "1", 1, &acl, ZOO_PERSISTENT, string_done, "no parent"));
    ASK("below ephemeral", zoo_acreate(zh, path("/e/x"), "1", 1, &acl, ZOO_PERSISTENT, string_done, "below ephemeral"));
    ASK("no acl", zoo_acreate(zh, path("/x"), "1", 1, &none, ZOO_PERSISTENT, string_done, "no acl"));
    ASK("bad path", zoo_acreate(zh, "bad/path", "1", 1, &acl, ZOO_PERSISTENT, string_done, "bad path"));
    ASK("bad end", zoo_acreate(zh, path("/x/"), "1", 1, &acl, ZOO_PERSISTENT, string_done, "bad end"));
    ASK("bad part", zoo_acreate(zh, path("/./x"), "1", 1, &acl, ZOO_PERSISTENT, string_done, "bad part"));
    ASK("bad ttl", zoo_acreate_ttl(zh, path("/x"), "1", 1, &acl, ZOO_PERSISTENT_WITH_TTL, 0, string_done, "bad ttl"));
    settle("created", ZOO_CONNECTED_STATE, 0);
}

static void read_all(void)
{
    ASK("get", zoo_aget(zh, root, 0, data_done, "get"));
    ASK("get null", zoo_aget(zh, path("/null"), 0, data_done, "get null"));
    ASK("get none", zoo_aget(zh, path("/none"), 0, data_done, "get none"));
    ASK("exists", zoo_aexists(zh, path("/e"), 0, stat_done, "exists"));
    ASK("exists none", zoo_aexists(zh, path("/none"), 0, stat_done, "exists none"));
    ASK("children", zoo_aget_children(zh, root, 0, strings_done, "children"));
    ASK("children2", zoo_aget_children2(zh, root, 0, strings_stat_done, "children2"));
    ASK("children none", zoo_aget_children(zh, path("/none"), 0, strings_done, "children none"));
    ASK("no children", zoo_aget_children(zh, path("/e"), 0, strings_done, "no children"));
    ASK("sync", zoo_async(zh, root, string_done, "sync"));
    settle("read", ZOO_CONNECTED_STATE, 0);
}

/* The completion has that type in the old header, too. */
static int remove_watcher(ZooWatcherType type, const char *what)
{
    return zoo_aremove_watches(zh, path("/c"), type, watcher, "removed", 0, (void_completion_t *)void_done, what);
}

static void watch_all(void)
{
    ASK("watch data", zoo_awget(zh, path("/two"), watcher, "data", data_done, "watch data"));
    ASK("watch twice", zoo_awget(zh, path("/two"), watcher, "data", data_done, "watch twice"));
    ASK("watch other", zoo_awget(zh, path("/two"), watcher, "other", data_done, "watch other"));
    ASK("watch none", zoo_awexists(zh, path("/later"), watcher, "exists", stat_done, "watch none"));
    ASK("watch children", zoo_awget_children(zh, root, watcher, "children", strings_done, "watch children"));
    settle("watching", ZOO_CONNECTED_STATE, 0);
    ASK("set", zoo_aset(zh, path("/two"), "3", 1, 0, stat_done, "set"));
    settle("data", ZOO_CONNECTED_STATE, 2);
    ASK("set wrongly", zoo_aset(zh, path("/two"), "3", 1, 0, stat_done, "set wrongly"));
    ASK("set again", zoo_aset(zh, path("/two"), NULL, -1, -1, stat_done, "set again"));
    ASK("later", zoo_acreate(zh, path("/later"), "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, string_done, "later"));
    settle("child", ZOO_CONNECTED_STATE, 4);
    ASK("watch by flag", zoo_aget(zh, path("/later"), 1, data_done, "watch by flag"));
    ASK("to remove", zoo_awget(zh, path("/c"), watcher, "removed", data_done, "to remove"));
    settle("more watches", ZOO_CONNECTED_STATE, 4);
    ASK("remove none", remove_watcher(ZWATCHTYPE_CHILD, "remove none"));
    ASK("remove", remove_watcher(ZWATCHTYPE_DATA, "remove"));
    settle("removed", ZOO_CONNECTED_STATE, 4);
    ASK("unseen", zoo_aset(zh, path("/c"), "2", 1, -1, stat_done, "unseen"));
    ASK("delete", zoo_adelete(zh, path("/later"), -1, void_done, "delete"));
    settle("deleted", ZOO_CONNECTED_STATE, 5);
}

static void acl_all(void)
{
    struct ACL some[2] = {{ZOO_PERM_READ, {"world", "anyone"}}, {ZOO_PERM_ALL, {"auth", ""}}};
    struct ACL_vector acl = {2, some};
    ASK("get acl", zoo_aget_acl(zh, root, acl_done, "get acl"));
    ASK("early", zoo_aset_acl(zh, path("/two"), -1, &ZOO_CREATOR_ALL_ACL, void_done, "early"));
    settle("acl", ZOO_CONNECTED_STATE, events);
    ASK("auth", zoo_add_auth(zh, "digest", "u:p", 3, void_done, "auth"));
    settle("auth", ZOO_CONNECTED_STATE, events);
    ASK("set acl", zoo_aset_acl(zh, path("/two"), -1, &acl, void_done, "set acl"));
    ASK("get acl", zoo_aget_acl(zh, path("/two"), acl_done, "get acl"));
    ASK("set acl wrongly", zoo_aset_acl(zh, path("/two"), 7, &acl, void_done, "set acl wrongly"));
    ASK("acl none", zoo_aget_acl(zh, path("/none"), acl_done, "acl none"));
    settle("set acl", ZOO_CONNECTED_STATE, events);
}

static void show_results(const zoo_op_result_t *results, int count)
{
    for (int i = 0; i < count; i++) {
        say("    %d: %d '%s'", i, results[i].err, results[i].value != NULL ? results[i].value : "");
        show_stat(results[i].stat);
    }
}

static void multi_all(void)
{
    static char buffers[3][BUFFER_SIZE];
    struct Stat stat;
    zoo_op_t ops[6];
    zoo_op_result_t results[6] = {0};
    zoo_create_op_init(&ops[0], path("/m"), "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, buffers[0], BUFFER_SIZE);
    zoo_create_op_init(&ops[1], path("/m/s-"), "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, buffers[1], BUFFER_SIZE);
    zoo_create_op_init(&ops[2], path("/m/n"), "1", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, buffers[2], BUFFER_SIZE);
    zoo_set_op_init(&ops[3], path("/m"), "22", 2, 0, &stat);
    zoo_check_op_init(&ops[4], path("/m"), 1);
    zoo_delete_op_init(&ops[5], path("/m/n"), -1);
    ASK("multi", zoo_amulti(zh, 6, ops, results, void_done, "multi"));
    settle("multi", ZOO_CONNECTED_STATE, events);
    show_results(results, 6);
    zoo_check_op_init(&ops[0], path("/m"), 1);
    zoo_check_op_init(&ops[1], path("/m"), 9);
    zoo_delete_op_init(&ops[2], path("/m"), -1);
    memset(results, 0, sizeof(results));
    ASK("failing", zoo_amulti(zh, 3, ops, results, void_done, "failing"));
    settle("failing multi", ZOO_CONNECTED_STATE, events);
    show_results(results, 3);
    ASK("empty", zoo_amulti(zh, 0, ops, results, void_done, "empty"));
    settle("empty multi", ZOO_CONNECTED_STATE, events);
}

static void config_all(void)
{
    ASK("config", zoo_agetconfig(zh, 0, data_done, "config"));
    settle("config", ZOO_CONNECTED_STATE, events);
}

static void delete_all(void)
{
    static const char *const names[] = {"/m/s-0000000000", "/m", "/null", "/s-0000000002", "/c", "/t", "/two",
                                        "/t-0000000008", "/e", "/es-0000000003", "/f-0000000004"};
    ASK("not empty", zoo_adelete(zh, root, -1, void_done, "not empty"));
    ASK("wrong version", zoo_adelete(zh, path("/c"), 9, void_done, "wrong version"));
    settle("not deleted", ZOO_CONNECTED_STATE, events);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ASK("delete", zoo_adelete(zh, path(names[i]), -1, void_done, names[i]));
    ASK("left", zoo_aget_children(zh, root, 0, strings_done, "left"));
    settle("deleted", ZOO_CONNECTED_STATE, events);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    snprintf(root, sizeof(root), "%s", argv[2]);
    zh = zookeeper_init(argv[1], watcher, 10000, NULL, "session", 0);
    if (zh == NULL)
        return 2;
    settle("connected", ZOO_CONNECTED_STATE, 0);
    say("state %d, context %s, recv time-out %d, %s", zoo_state(zh), (const char *)zoo_get_context(zh),
        zoo_recv_timeout(zh), zoo_client_id(zh)->client_id != 0 ? "a session" : "no session");
    create_all();
    read_all();
    watch_all();
    acl_all();
    multi_all();
    config_all();
    delete_all();
    ASK("at the end", zoo_adelete(zh, root, -1, void_done, "at the end"));
    say("close: %d", zookeeper_close(zh));
    return waiting == 0 ? 0 : 1;
}
