/*
 * zkserver_control.c - a server in the background: started and waited for, told to end, asked how it is.
 *
 * Mirrors bin/zkServer.sh with its words and exit codes. Departs from it: start returns when the server serves and not
 * after a second, stop when it is gone; a stale pid file is seen through.
 */
#include "server/zkserver_control.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/base/strings.h"
#include "common/net/address.h"
#include "common/net/socket.h"
#include "common/net/tls_stream.h"
#include "server/cnxn/server_tls.h"

#define START_TIMEOUT_MS (60 * 1000)
#define STOP_TIMEOUT_MS (60 * 1000)
#define WORD_TIMEOUT_MS (5 * 1000)
#define PID_FILE "zookeeper_server.pid"
#define POLL_GONE_MS 10
#define FILE_LIMIT 64
#define STAT_LIMIT 4096
#define NAME_SHOWN 15    /* what Linux keeps of a program's name */

char *control_pid_path(const struct control *control)
{
    const char *path = process_environment("ZOOPIDFILE");
    return path != NULL ? string_copy(path) : path_join(control->options->data_dir, PID_FILE);
}

/* -1 when there is no such file, or no number in it. */
static int64_t read_pid(const char *path)
{
    struct buffer text = {0};
    int64_t pid = -1;
    if (file_read_all(path, FILE_LIMIT, &text, NULL) == ZK_OK &&
        !string_to_int64(string_trim(buffer_string(&text)), 10, &pid))
        pid = -1;
    buffer_release(&text);
    return pid;
}

/* Does a line of /proc/PID/stat, "7 (zkserver) S ...", speak of a server that is alive; a Java server is one too. */
static bool tells_of_server(const char *stat)
{
    const char *start = strchr(stat, '('), *end = strrchr(stat, ')');
    if (start == NULL || end == NULL || strncmp(end, ") Z", 3) == 0)
        return false;
    char *name = string_copy_n(start + 1, (size_t)(end - start - 1)), *own = process_executable(NULL);
    const char *slash = own == NULL ? NULL : strrchr(own, '/');
    bool is_one = slash == NULL || strncmp(name, slash + 1, NAME_SHOWN) == 0 || strcmp(name, "java") == 0;
    memory_free(name);
    memory_free(own);
    return is_one;
}

/* Not so for a process that ended and was not fetched yet, nor for another program that was given the number of a
 * server which died without a word. */
static bool is_server(int64_t pid)
{
    if (!process_is_alive(pid))
        return false;
    struct buffer stat = {0};
    char *path = string_format("/proc/%" PRId64 "/stat", pid);
    bool is_one = file_read_all(path, STAT_LIMIT, &stat, NULL) != ZK_OK || tells_of_server(buffer_string(&stat));
    buffer_release(&stat);
    memory_free(path);
    return is_one;
}

static bool wait_until_gone(int64_t pid)
{
    int64_t deadline_ms = clock_elapsed_ms() + STOP_TIMEOUT_MS;
    while (is_server(pid)) {
        if (clock_elapsed_ms() >= deadline_ms)
            return false;
        clock_sleep_ms(POLL_GONE_MS);
    }
    return true;
}

static const char *log_directory(void)
{
    const char *directory = process_environment("ZOO_LOG_DIR");
    return directory != NULL ? directory : "logs";
}

/* $ZOO_LOG_DIR/zookeeper-<user>-server-<host>.out */
static char *output_path(void)
{
    char host[256];
    process_host_name(host, sizeof host);
    return string_format("%s/zookeeper-%s-server-%s.out", log_directory(), process_user_name(), host);
}

/* The command that runs the server in the foreground; the array and its strings are the caller's. Its log goes to
 * `out` by name, so that SIGHUP can open it anew. */
static char **foreground_command(const struct control *control, const char *out)
{
    size_t count = 0, most = control->overrides->count + 5;
    char **command = MEMORY_NEW_ARRAY(most, char *);
    command[count++] = process_executable(NULL);
    if (properties_get(control->overrides, "zookeeper.log.file") == NULL) {
        char *path = path_absolute(out);
        command[count++] = string_format("-Dzookeeper.log.file=%s", path);
        memory_free(path);
    }
    for (size_t i = 0; i < control->overrides->count; i++)
        command[count++] =
            string_format("-D%s=%s", control->overrides->items[i].key, control->overrides->items[i].value);
    command[count++] = string_copy("start-foreground");
    if (control->config_path != NULL)
        command[count++] = path_absolute(control->config_path);
    return command;
}

static void free_command(char **command)
{
    for (size_t i = 0; command[i] != NULL; i++)
        memory_free(command[i]);
    memory_free(command);
}

static int write_pid(const char *path, int64_t pid)
{
    struct error error = {0};
    char *directory = path_directory(path), *text = string_format("%" PRId64, pid);
    int err = directory_make(directory, &error);
    if (err == ZK_OK)
        err = file_write_atomic(path, text, strlen(text), &error);
    if (err != ZK_OK)
        fprintf(stderr, "zkserver: %s\n", error.text);
    memory_free(directory);
    memory_free(text);
    return err;
}

static int report_start(enum spawn_result result, int64_t pid, const char *out)
{
    if (result == SPAWN_READY) {
        printf("STARTED\n");
        return 0;
    }
    if (result == SPAWN_TIMED_OUT && process_is_alive(pid)) {
        printf("STARTED, but does not serve yet; see %s\n", out);
        return 0;
    }
    printf("FAILED TO START\n");
    fprintf(stderr, "zkserver: the reason stands at the end of %s\n", out);
    return 1;
}

static int spawn(const struct control *control, const char *pid_path)
{
    struct error error = {0};
    char *out = output_path(), **command = foreground_command(control, out);
    enum spawn_result result = SPAWN_DIED;
    int64_t pid = -1;
    int code = 1;
    if (directory_make(log_directory(), &error) != ZK_OK ||
        process_spawn((const char *const *)(uintptr_t)command, out, START_TIMEOUT_MS, &pid, &result, &error) != ZK_OK) {
        printf("SERVER DID NOT START\n");
        fprintf(stderr, "zkserver: %s\n", error.text);
    } else if (result != SPAWN_DIED && write_pid(pid_path, pid) != ZK_OK) {
        printf("FAILED TO WRITE PID\n");
        process_terminate(pid, NULL);
    } else {
        code = report_start(result, pid, out);
    }
    free_command(command);
    memory_free(out);
    return code;
}

int control_start(const struct control *control)
{
    printf("Starting zookeeper ... ");
    fflush(stdout);
    char *pid_path = control_pid_path(control);
    int64_t pid = read_pid(pid_path);
    int code = 1;
    if (is_server(pid))
        printf("already running as process %" PRId64 ".\n", pid);
    else
        code = spawn(control, pid_path);
    memory_free(pid_path);
    return code;
}

int control_stop(const struct control *control)
{
    printf("Stopping zookeeper ... ");
    fflush(stdout);
    char *pid_path = control_pid_path(control);
    int64_t pid = read_pid(pid_path);
    struct error error = {0};
    int code = 0;
    if (file_kind(pid_path) != FILE_KIND_REGULAR) {
        printf("no zookeeper to stop (could not find file %s)\n", pid_path);
    } else if (!is_server(pid)) {
        file_unlink(pid_path, NULL);
        printf("no zookeeper to stop (the process of %s is gone)\n", pid_path);
    } else if (process_terminate(pid, &error) == ZK_IO) {
        printf("FAILED\n");
        fprintf(stderr, "zkserver: %s\n", error.text);
        code = 1;
    } else if (!wait_until_gone(pid)) {
        printf("FAILED, process %" PRId64 " is still there\n", pid);
        code = 1;
    } else {
        file_unlink(pid_path, NULL);
        printf("STOPPED\n");
    }
    memory_free(pid_path);
    return code;
}

int control_restart(const struct control *control)
{
    int code = control_stop(control);
    return code != 0 ? code : control_start(control);
}

/* ---- status ---- */

/* Where the server is to be asked. */
struct port {
    int64_t number;
    const char *host;
    bool is_secure;
};

static int send_word(struct stream *stream, const char *word, int64_t deadline_ms)
{
    struct iovec part = {(void *)(uintptr_t)word, strlen(word)};    /* only read */
    size_t size;
    int err;
    while ((err = stream_write(stream, &part, 1, &size)) == ZK_AGAIN) {
        uint32_t wants = stream_wants(stream);
        err = socket_wait(stream->fd, wants == 0 ? POLLER_WRITE : wants, deadline_ms);
        if (err != ZK_OK)
            return err;
    }
    return err;    /* a word is not cut into pieces */
}

static void receive_answer(struct stream *stream, struct buffer *answer, int64_t deadline_ms)
{
    char bytes[4096];
    size_t size;
    int err = ZK_OK;
    while (err == ZK_OK || err == ZK_AGAIN) {
        err = stream_read(stream, bytes, sizeof(bytes), &size);
        if (err == ZK_OK)
            buffer_append(answer, bytes, size);
        else if (err == ZK_AGAIN && socket_wait(stream->fd, POLLER_READ, deadline_ms) != ZK_OK)
            return;
    }
}

static int connect_to(const struct port *port, int64_t deadline_ms, int *ret_fd)
{
    struct address addresses[8];
    size_t count = 0;
    int err = address_resolve(port->host, (uint16_t)port->number, addresses, ARRAY_SIZE(addresses), &count, NULL);
    if (err != ZK_OK)
        return err;
    err = ZK_IO;
    for (size_t i = 0; i < count && err != ZK_OK; i++)
        err = socket_connect(&addresses[i], deadline_ms, ret_fd, NULL);
    return err;
}

static int ask(const struct server_options *options, const struct port *port, const char *word, struct buffer *answer)
{
    int64_t deadline_ms = clock_elapsed_ms() + WORD_TIMEOUT_MS;
    struct tls_context *context = NULL;
    int fd, err = port->is_secure ? server_tls_new_client_context(options, &context, NULL) : ZK_OK;
    if (err == ZK_OK)
        err = connect_to(port, deadline_ms, &fd);
    if (err != ZK_OK) {
        tls_context_unref(context);
        return err;
    }
    struct stream *stream = port->is_secure ? stream_new_tls_client(fd, context, port->host) : stream_new_plain(fd);
    tls_context_unref(context);
    err = send_word(stream, word, deadline_ms);
    if (err == ZK_OK)
        receive_answer(stream, answer, deadline_ms);
    stream_close(stream);
    return answer->size > 0 ? ZK_OK : ZK_IO;
}

/* False: there is none, and said so. */
static bool find_port(const struct server_options *options, struct port *ret_port)
{
    const char *host = options->client_port_address;
    *ret_port = (struct port){.number = options->client_port};
    if (options->client_port <= 0) {
        printf("Client port not found. Looking for secureClientPort in the static config.\n");
        host = options->secure_client_port_address;
        *ret_port = (struct port){.number = options->secure_client_port, .is_secure = true};
    }
    ret_port->host = host != NULL ? host : "localhost";
    if (ret_port->number <= 0)
        printf("Unable to find either secure or unsecure client port in any configs. Terminating.\n");
    return ret_port->number > 0;
}

int control_status(const struct control *control)
{
    struct port port;
    struct buffer answer = {0};
    if (!find_port(control->options, &port))
        return 1;
    printf("Client port found: %" PRId64 ". Client address: %s. Client SSL: %s.\n", port.number, port.host,
           port.is_secure ? "true" : "false");
    int err = ask(control->options, &port, "srvr", &answer);
    const char *mode = err == ZK_OK ? strstr(buffer_string(&answer), "Mode: ") : NULL;
    if (mode == NULL && port.is_secure)
        printf("The server was asked with its own certificate, and must trust who signed that.\n");
    if (mode == NULL)
        printf("Error contacting service. It is probably not running.\n");
    else
        printf("%.*s\n", (int)strcspn(mode, "\n"), mode);
    buffer_release(&answer);
    return mode == NULL ? 1 : 0;
}

int control_print_cmd(const struct control *control)
{
    char *out = output_path(), **command = foreground_command(control, out);
    for (size_t i = 0; command[i] != NULL; i++)
        printf("\"%s\" ", command[i]);
    printf("> \"%s\" 2>&1 < /dev/null\n", out);
    free_command(command);
    memory_free(out);
    return 0;
}
