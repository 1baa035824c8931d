/* client_story.c - see client_story.h. */
#include "tests/unit/client/client_story.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"

struct fake_server server, other;
zhandle_t *zh;
struct story story;
char one[] = "one", two[] = "two", all[] = "all";

static char main_watch[] = "main";

void tell(const char *format, ...)
{
    va_list args;
    mutex_lock(&story.lock);
    va_start(args, format);
    buffer_vprintf(&story.text, format, args);
    va_end(args);
    buffer_append_string(&story.text, "\n");
    mutex_unlock(&story.lock);
}

void expect_story(const char *expected)
{
    int64_t deadline_ms = clock_elapsed_ms() + DEADLINE_MS;
    char *text;
    for (;;) {
        mutex_lock(&story.lock);
        text = string_copy(buffer_string(&story.text));
        bool is_told = strcmp(text, expected) == 0;
        bool is_over = story.text.size >= strlen(expected) || clock_elapsed_ms() >= deadline_ms;
        if (is_told)
            buffer_clear(&story.text);
        mutex_unlock(&story.lock);
        if (is_told)
            break;
        ck_assert_msg(!is_over, "told: %s, expected: %s", text, expected);
        memory_free(text);
        clock_sleep_ms(1);
    }
    memory_free(text);
}

void watcher(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle;
    tell("%s type %d state %d path '%s'", (const char *)context, type, state, path);
}

void void_done(int rc, const void *data)
{
    tell("%s rc %d", (const char *)data, rc);
}

void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    tell("%s rc %d '%.*s' version %d", (const char *)data, rc, size > 0 ? size : 0, value != NULL ? value : "",
         stat != NULL ? stat->version : -1);
}

void strings_done(int rc, const struct String_vector *strings, const void *data)
{
    tell("%s rc %d count %d", (const char *)data, rc, strings != NULL ? strings->count : -1);
}

void string_done(int rc, const char *value, const void *data)
{
    tell("%s rc %d '%s'", (const char *)data, rc, value != NULL ? value : "(none)");
}

void stat_done(int rc, const struct Stat *stat, const void *data)
{
    tell("%s rc %d version %d", (const char *)data, rc, stat != NULL ? stat->version : -1);
}

void sync_run(void *arg)
{
    char value[8];
    struct Stat stat;
    int size = sizeof(value), rc = zoo_get(arg, "/a", 0, value, &size, &stat);
    if (rc == ZOK)
        tell("sync rc %d '%.*s' version %d", rc, size, value, stat.version);
    else
        tell("sync rc %d size %d", rc, size);
}

void close_run(void *arg)
{
    int rc = zookeeper_close(arg);
    tell("closed %d", rc);
}

/* ---- beginning and end ---- */

void story_set_up(void)
{
    zoo_set_debug_level(0);
    mutex_init(&story.lock);
    story.text = (struct buffer){ 0 };
    fake_server_open(&server);
    fake_server_open(&other);
    zh = NULL;
}

void story_tear_down(void)
{
    fake_server_close(&server);
    fake_server_close(&other);
    buffer_release(&story.text);
}

void start_client_at(const char *hosts, int flags)
{
    zh = zookeeper_init(hosts, watcher, TIMEOUT_MS, NULL, main_watch, flags | ZOO_NO_LOG_CLIENTENV);
    ck_assert_ptr_nonnull(zh);
}

void start_client(const char *chroot)
{
    char hosts[64];
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%d%s", server.port, chroot);
    start_client_at(hosts, 0);
}

void start_session(void)
{
    start_client("");
    fake_server_begin_session(&server, TIMEOUT_MS);
    expect_story("main type -1 state 3 path ''\n");
}

void close_session(void)
{
    struct thread *closer = thread_start("closer", close_run, zh);
    fake_server_expect(&server, OP_CLOSE_SESSION);
    fake_server_answer(&server, 100, 0, NULL);
    thread_join(closer);
    expect_story("closed 0\n");
    zh = NULL;
}

void close_alone(void)
{
    fake_server_hang_up(&server);
    zookeeper_close(zh);
    zh = NULL;
}
