/*
 * zhandle.c - a client is made, asked about itself, and closed.
 *
 * Mirrors ZooKeeper's constructors and close, and what zookeeper.h says of them.
 */
#include "client/zhandle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/adaptor.h"
#include "client/auth_entry.h"
#include "client/client_cnxn.h"
#include "client/client_log.h"
#include "client/client_socket.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/random.h"
#include "common/base/strings.h"
#include "common/net/socket.h"
#include "common/wire/path.h"

#define SYSTEM_SIZE 128
#define LINE_SIZE 4096

static _Atomic int is_deterministic; /* of handles made from now on: zoo_deterministic_conn_order() has no handle */
static _Thread_local char current_server_text[ENDPOINT_SIZE];       /* what zoo_get_current_server() gave last */

void zhandle_log(zhandle_t *zh, ZooLogLevel level, int line, const char *function, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list args;
    if (LOG_LEVEL_IN_FORCE_ < level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_message(zoo_get_log_callback(zh), level, line, function, "%s", text);
}

/* ---- making one ---- */

static void log_environment(zhandle_t *zh)
{
    char host[SYSTEM_SIZE], name[SYSTEM_SIZE], machine[SYSTEM_SIZE], release[SYSTEM_SIZE], directory[LINE_SIZE / 2];
    process_host_name(host, sizeof(host));
    process_system(name, machine, release, SYSTEM_SIZE);
    process_working_directory(directory, sizeof(directory));
    zh_info(zh, "Client environment:zookeeper.version=zkc %s", zoo_version_str());
    zh_info(zh, "Client environment:host.name=%s", host);
    zh_info(zh, "Client environment:os.name=%s", name);
    zh_info(zh, "Client environment:os.arch=%s", machine);
    zh_info(zh, "Client environment:os.version=%s", release);
    zh_info(zh, "Client environment:user.name=%s", process_user_name());
    zh_info(zh, "Client environment:user.home=%s", process_user_home());
    zh_info(zh, "Client environment:user.dir=%s", directory);
}

static void nobody_watches(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)type, (void)state, (void)path, (void)context;
}

static zhandle_t *zhandle_new(log_callback_fn log_callback)
{
    zhandle_t *zh = MEMORY_NEW(zhandle_t);
    atomic_store(&zh->log_callback, log_callback);
    atomic_store(&zh->state, ZOO_NOTCONNECTED_STATE);
    zh->forks = process_forks();
    zh->resolution_delay_ms = -1;
    zh->next_deadline_ms = INT64_MAX;
    zh->watches = watch_registry_new();
    zh->socket = client_socket_new();
    zh->next_xid = 1 + (int32_t)random_below(1 << 30);
    list_init(&zh->auths);
    mutex_init(&zh->lock);
    condition_init(&zh->changed);
    return zh;
}

void zhandle_free(zhandle_t *zh)
{
    zh_info(zh, "Freeing zookeeper resources for sessionId=%#llx", (unsigned long long)zh->client_id.client_id);
    LIST_EACH_SAFE (link, &zh->auths)
        auth_entry_free(LIST_ENTRY(link, struct auth_entry, link));
    host_provider_free(zh->hosts);
    host_list_free(zh->new_hosts);
    watch_registry_free(zh->watches);
    client_socket_free(zh->socket);
    buffer_release(&zh->out);
    tls_context_unref(zh->tls);
    memory_free(zh->chroot);
    condition_release(&zh->changed);
    mutex_release(&zh->lock);
    memory_free(zh);
}

/* The servers and the chroot, from the connect string. */
static int take_connect_string(zhandle_t *zh, const char *hosts, struct error *error)
{
    struct connect_string parsed;
    struct host_list *list;
    if (hosts == NULL)
        return error_set(error, ZK_BAD_ARGUMENTS, "there is no connect string");
    int err = connect_string_parse(hosts, &parsed, error);
    if (err != ZK_OK)
        return err;
    err = host_list_new(&parsed, &list, error);
    if (err == ZK_OK && error->text[0] != '\0')
        zh_warn(zh, "%s; the other servers are used without it", error->text);
    if (err == ZK_OK) {
        zh->hosts = host_provider_new(list, atomic_load(&is_deterministic) != 0);
        zh->chroot = parsed.chroot;
        parsed.chroot = NULL;
    }
    connect_string_release(&parsed);
    return err;
}

struct init_options {
    const char *hosts;
    watcher_fn watcher;
    int recv_timeout_ms;
    const clientid_t *client_id;
    void *context;
    int flags;
    log_callback_fn log_callback;
    struct tls_context *tls;
};

/* The context is taken over. NULL, with errno set. */
static zhandle_t *make_handle(const struct init_options *options)
{
    zhandle_t *zh = zhandle_new(options->log_callback);
    const clientid_t *id = options->client_id;
    struct error error = { 0 };
    zh->tls = options->tls;
    if (!(options->flags & ZOO_NO_LOG_CLIENTENV))
        log_environment(zh);
    zh_info(zh,
            "Initiating client connection, host=%s sessionTimeout=%d watcher=%p sessionId=%#llx sessionPasswd=%s"
            " context=%p flags=%d",
            options->hosts != NULL ? options->hosts : "", options->recv_timeout_ms, (void *)(uintptr_t)options->watcher,
            id != NULL ? (unsigned long long)id->client_id : 0,
            id == NULL || id->passwd[0] == 0 ? "<null>" : "<hidden>", options->context, options->flags);
    zh->watcher = options->watcher != NULL ? options->watcher : nobody_watches;
    zh->context = options->context;
    zh->recv_timeout_ms = options->recv_timeout_ms;
    zh->allows_read_only = options->flags & ZOO_READONLY;
    zh->has_seen_read_write = id != NULL && id->client_id != 0;
    if (id != NULL)
        zh->client_id = *id;
    int err = take_connect_string(zh, options->hosts, &error);
    if (err == ZK_OK && options->recv_timeout_ms <= 0)
        err = error_set(&error, ZK_BAD_ARGUMENTS, "the session time-out is %d ms", options->recv_timeout_ms);
    if (err != ZK_OK) {
        zh_error(zh, "%s", error.text);
        zhandle_free(zh);
        errno = err == ZK_NOT_FOUND ? ENOENT : EINVAL;
        return NULL;
    }
    adaptor_start(zh);
    return zh;
}

zhandle_t *zookeeper_init2(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid, void *context,
                           int flags, log_callback_fn log_callback)
{
    return make_handle(&(struct init_options){ .hosts = host, .watcher = fn, .recv_timeout_ms = recv_timeout,
        .client_id = clientid, .context = context, .flags = flags, .log_callback = log_callback });
}

zhandle_t *zookeeper_init(const char *host, watcher_fn fn, int recv_timeout, const clientid_t *clientid, void *context,
                          int flags)
{
    return zookeeper_init2(host, fn, recv_timeout, clientid, context, flags, NULL);
}

/* "authorities,certificate,key,password": PEM files; as in the old binding certificate and key may be left out. */
static int parse_certificates(const char *text, bool verifies_host, struct tls_context **ret_context,
                              struct error *error)
{
    enum { PARTS = 4 };
    char *copy = string_copy(text != NULL ? text : ""), *rest = copy, *parts[PARTS];
    for (int i = 0; i < PARTS; i++) {
        char *part = i < PARTS - 1 ? strsep(&rest, ",") : rest;
        parts[i] = part != NULL && *part != '\0' ? part : NULL;
    }
    struct tls_client_options options = { .trust_path = parts[0], .certificate_path = parts[1], .key_path = parts[2],
                                          .key_password = parts[3], .verifies_host = verifies_host };
    int err = tls_context_new_client(&options, ret_context, error);
    memory_free(copy);
    return err;
}

zhandle_t *zookeeper_init_ssl(const char *host, const char *cert, watcher_fn fn, int recv_timeout,
                              const clientid_t *clientid, void *context, int flags)
{
    struct tls_context *tls;
    struct error error = { 0 };
    if (parse_certificates(cert, flags & ZOO_SSL_VERIFY_HOST, &tls, &error) != ZK_OK) {
        log_message(NULL, ZOO_LOG_LEVEL_ERROR, __LINE__, __func__, "%s", error.text);
        errno = EINVAL;
        return NULL;
    }
    return make_handle(&(struct init_options){ .hosts = host, .watcher = fn, .recv_timeout_ms = recv_timeout,
        .client_id = clientid, .context = context, .flags = flags, .tls = tls });
}

/* ---- closing one ---- */

int zookeeper_close(zhandle_t *zh)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    if (zhandle_is_forked(zh)) {
        adaptor_abandon(zh);
        return ZOK;
    }
    mutex_lock(&zh->lock);
    bool was_closing = zh->was_asked_to_close;
    zh->was_asked_to_close = true;
    unsigned long long id = (unsigned long long)zh->client_id.client_id;
    mutex_unlock(&zh->lock);
    if (was_closing)
        return ZINVALIDSTATE;
    zh_info(zh, "Closing zookeeper sessionId=%#llx to %s", id, zoo_get_current_server(zh));
    return adaptor_close(zh);
}

/* ---- calls of the user ---- */

bool zhandle_is_forked(const zhandle_t *zh)
{
    return process_forks() != zh->forks;
}

bool zhandle_is_connected(zhandle_t *zh)
{
    int state = atomic_load(&zh->state);
    return state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE;
}

int zhandle_enter(zhandle_t *zh)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    if (zhandle_is_forked(zh) || is_unrecoverable(zh))
        return ZINVALIDSTATE;
    mutex_lock(&zh->lock);
    bool is_closing = zh->is_closing;
    if (!is_closing)
        zh->calls++;
    mutex_unlock(&zh->lock);
    return is_closing ? ZINVALIDSTATE : ZOK;
}

void zhandle_leave(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    if (--zh->calls == 0 && zh->is_closing)
        condition_broadcast(&zh->changed);
    mutex_unlock(&zh->lock);
}

void zhandle_wait_for_calls(zhandle_t *zh)
{
    mutex_lock(&zh->lock);
    while (zh->calls > 0)
        condition_wait(&zh->changed, &zh->lock);
    mutex_unlock(&zh->lock);
}

/* ---- what it says of itself ---- */

void endpoint_format(const struct address *address, char text[ENDPOINT_SIZE])
{
    char ip[INET6_ADDRSTRLEN] = "";
    const struct sockaddr *base = &address->socket.base;
    if (base->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, ip, sizeof(ip));
    else
        inet_ntop(AF_INET, &address->socket.v4.sin_addr, ip, sizeof(ip));
    snprintf(text, ENDPOINT_SIZE, base->sa_family == AF_INET6 ? "[%s]:%d" : "%s:%d", ip, address_port(address));
}

const char *zoo_get_current_server(zhandle_t *zh)
{
    if (zh == NULL || zhandle_is_forked(zh))
        return NULL;
    mutex_lock(&zh->lock);
    current_server_text[0] = '\0';
    if (zh->current.size != 0)
        endpoint_format(&zh->current, current_server_text);
    mutex_unlock(&zh->lock);
    return current_server_text;
}

struct sockaddr *zookeeper_get_connected_host(zhandle_t *zh, struct sockaddr *addr, socklen_t *addr_len)
{
    if (zh == NULL || addr == NULL || addr_len == NULL || !zhandle_is_connected(zh))
        return NULL;
    mutex_lock(&zh->lock);
    struct address current = zh->current;
    mutex_unlock(&zh->lock);
    memcpy(addr, &current.socket, *addr_len < current.size ? *addr_len : current.size);
    *addr_len = current.size;
    return addr;
}

int zoo_state(zhandle_t *zh)
{
    return zh != NULL ? atomic_load(&zh->state) : 0;
}

int is_unrecoverable(zhandle_t *zh)
{
    int state = zoo_state(zh);
    return state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE ? ZINVALIDSTATE : ZOK;
}

const clientid_t *zoo_client_id(zhandle_t *zh)
{
    return zh != NULL ? &zh->client_id : NULL;
}

int zoo_recv_timeout(zhandle_t *zh)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    mutex_lock(&zh->lock);
    int timeout_ms = zh->recv_timeout_ms;
    mutex_unlock(&zh->lock);
    return timeout_ms;
}

const void *zoo_get_context(zhandle_t *zh)
{
    if (zh == NULL)
        return NULL;
    mutex_lock(&zh->lock);
    const void *context = zh->context;
    mutex_unlock(&zh->lock);
    return context;
}

void zoo_set_context(zhandle_t *zh, void *context)
{
    if (zh == NULL)
        return;
    mutex_lock(&zh->lock);
    zh->context = context;
    mutex_unlock(&zh->lock);
}

watcher_fn zoo_set_watcher(zhandle_t *zh, watcher_fn newFn)
{
    if (zh == NULL)
        return NULL;
    mutex_lock(&zh->lock);
    watcher_fn old = zh->watcher;
    zh->watcher = newFn != NULL ? newFn : nobody_watches;
    mutex_unlock(&zh->lock);
    return old;
}

log_callback_fn zoo_get_log_callback(const zhandle_t *zh)
{
    return zh != NULL ? atomic_load(&zh->log_callback) : NULL;
}

void zoo_set_log_callback(zhandle_t *zh, log_callback_fn callback)
{
    if (zh != NULL)
        atomic_store(&zh->log_callback, callback);
}

int zoo_set_request_timeout(zhandle_t *zh, int timeout_ms)
{
    if (zh == NULL || timeout_ms < 0)
        return ZBADARGUMENTS;
    mutex_lock(&zh->lock);
    zh->request_timeout_ms = timeout_ms;
    mutex_unlock(&zh->lock);
    return ZOK;
}

/* ---- servers ---- */

int zoo_set_servers(zhandle_t *zh, const char *hosts)
{
    struct connect_string parsed;
    struct host_list *list;
    struct error error = { 0 };
    int rc = zhandle_enter(zh);
    if (rc != ZOK)
        return rc;
    int err = hosts == NULL ? error_set(&error, ZK_BAD_ARGUMENTS, "New server list cannot be empty")
                            : connect_string_parse(hosts, &parsed, &error);
    if (err == ZK_OK) {
        err = host_list_new(&parsed, &list, &error);
        connect_string_release(&parsed);
    }
    if (err == ZK_OK && error.text[0] != '\0')
        zh_warn(zh, "%s; the other servers are used without it", error.text);
    if (err == ZK_OK) {
        mutex_lock(&zh->lock);
        host_list_free(zh->new_hosts);
        zh->new_hosts = list;
        mutex_unlock(&zh->lock);
        adaptor_wake(zh);
    } else {
        zh_error(zh, "%s", error.text);
    }
    zhandle_leave(zh);
    return err == ZK_OK ? ZOK : err == ZK_BAD_ARGUMENTS ? ZBADARGUMENTS : ZSYSTEMERROR;
}

int zoo_set_servers_resolution_delay(zhandle_t *zh, int delay_ms)
{
    if (zh == NULL || delay_ms < -1)
        return ZBADARGUMENTS;
    mutex_lock(&zh->lock);
    zh->resolution_delay_ms = delay_ms;
    mutex_unlock(&zh->lock);
    return ZOK;
}

void zoo_cycle_next_server(zhandle_t *zh)
{
    bool is_round_over;
    if (zh == NULL)
        return;
    mutex_lock(&zh->lock);
    host_provider_next(zh->hosts, &zh->chosen_server, &is_round_over);
    zh->has_chosen_server = true;
    if (zh->socket->phase == SOCKET_CLOSED)    /* the old binding names it before it is connected to */
        zh->current = zh->chosen_server;
    mutex_unlock(&zh->lock);
}

void zoo_deterministic_conn_order(int yesOrNo)
{
    atomic_store(&is_deterministic, yesOrNo);
}
