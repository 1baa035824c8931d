/*
 * A client whose server the test plays, and the story of what comes of it: callbacks and those who wait tell a line
 * each, and the test says which lines it expects.
 */
#ifndef ZKC_TESTS_UNIT_CLIENT_CLIENT_STORY_H
#define ZKC_TESTS_UNIT_CLIENT_CLIENT_STORY_H

#include "client/public.h"
#include "common/base/buffer.h"
#include "common/thread/mutex.h"
#include "tests/unit/client/fake_server.h"

#define TIMEOUT_MS 10000
#define DEADLINE_MS 20000

extern struct fake_server server, other;
extern zhandle_t *zh;    /* the client */

extern struct story {
    struct mutex lock;
    struct buffer text;    /* lines, in their order; under the lock */
} story;

void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Until the story is that; it is forgotten then. */
void expect_story(const char *expected);

/* ---- who tells: each begins with its context ---- */

extern char one[], two[], all[];    /* contexts of watchers; that of the whole client is "main" */

void watcher(zhandle_t *handle, int type, int state, const char *path, void *context);
void void_done(int rc, const void *data);
void data_done(int rc, const char *value, int size, const struct Stat *stat, const void *data);
void strings_done(int rc, const struct String_vector *strings, const void *data);
void string_done(int rc, const char *value, const void *data);
void stat_done(int rc, const struct Stat *stat, const void *data);
/* For threads, with a handle: zoo_get() of "/a"; zookeeper_close(). */
void sync_run(void *arg);
void close_run(void *arg);

/* ---- beginning and end ---- */

void story_set_up(void);    /* both servers listen; there is no client yet */
void story_tear_down(void);
void start_client_at(const char *hosts, int flags);
void start_client(const char *chroot);    /* of `server` */
void start_session(void);
/* With a server that answers. */
void close_session(void);
/* Without one: nobody is connected. */
void close_alone(void);

#endif
