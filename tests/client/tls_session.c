/*
 * tls_session.c - a session over TLS, for tls.py.
 *
 *     tls_session HOSTS CERTIFICATES verify|any SECONDS
 *
 * Waits at most so long for the connection; then uses it: small and large data, many requests at a time, a watch.
 * Prints what came of it: "session" and 0; "no session" and 1; what was wrong and 2. Log lines go to standard error.
 */
#include "client/public.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/memory.h"

#define TIMEOUT_MS 6000
#define LARGE (900 * 1024)    /* many records of TLS; a server takes a little more */
#define MANY 2000
#define DEADLINE_MS 20000

static _Atomic int answered, failed, fired, state;

static void watcher(zhandle_t *zh, int type, int new_state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    if (type == ZOO_SESSION_EVENT)
        atomic_store(&state, new_state);
    else
        atomic_fetch_add(&fired, 1);
}

static void stat_done(int rc, const struct Stat *stat, const void *data)
{
    (void)data;
    /* The n-th set makes version n. */
    if (rc != ZOK || stat->version != atomic_load(&answered) + 1)
        atomic_fetch_add(&failed, 1);
    atomic_fetch_add(&answered, 1);
}

static bool reaches(const _Atomic int *value, int wanted, int within_ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + within_ms;
    while (atomic_load(value) != wanted && clock_elapsed_ms() < deadline_ms)
        clock_sleep_ms(1);
    return atomic_load(value) == wanted;
}

static const char *use_large(zhandle_t *zh)
{
    char *large = memory_alloc(LARGE), *back = memory_alloc(LARGE);
    int size = LARGE;
    struct Stat stat;
    for (int i = 0; i < LARGE; i++)
        large[i] = (char)(i * 7 + i / 256);
    const char *wrong = NULL;
    if (zoo_create(zh, "/tls/large", large, LARGE, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0) != ZOK)
        wrong = "large data is not created";
    else if (zoo_get(zh, "/tls/large", 0, back, &size, &stat) != ZOK || size != LARGE ||
             memcmp(large, back, LARGE) != 0)
        wrong = "large data comes back otherwise";
    memory_free(large);
    memory_free(back);
    return wrong;
}

/* What was wrong, or NULL. */
static const char *use(zhandle_t *zh)
{
    zoo_create(zh, "/tls", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0);
    const char *wrong = use_large(zh);
    if (wrong != NULL)
        return wrong;
    int rc = zoo_create(zh, "/tls/many", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    if (rc != ZOK || zoo_exists(zh, "/tls/many", 1, NULL) != ZOK)
        return "nothing can be created";
    for (int i = 0; i < MANY; i++)
        if (zoo_aset(zh, "/tls/many", "some data", 9, -1, stat_done, NULL) != ZOK)
            return "requests are refused";
    if (!reaches(&answered, MANY, DEADLINE_MS) || atomic_load(&failed) != 0)
        return "of many requests some were not answered";
    return reaches(&fired, 1, DEADLINE_MS) ? NULL : "the watch did not fire once";
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int flags = ZOO_NO_LOG_CLIENTENV | (strcmp(argv[3], "verify") == 0 ? ZOO_SSL_VERIFY_HOST : 0);
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    zhandle_t *zh = zookeeper_init_ssl(argv[1], argv[2], watcher, TIMEOUT_MS, NULL, NULL, flags);
    if (zh == NULL) {
        printf("no handle\n");
        return 1;
    }
    bool is_connected = reaches(&state, ZOO_CONNECTED_STATE, atoi(argv[4]) * 1000);
    const char *wrong = is_connected ? use(zh) : NULL;
    int rc = zookeeper_close(zh);
    if (wrong == NULL && rc != ZOK)
        wrong = zerror(rc);
    printf("%s\n", wrong != NULL ? wrong : is_connected ? "session" : "no session");
    return wrong != NULL ? 2 : is_connected ? 0 : 1;
}
