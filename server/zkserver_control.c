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

static int ask(const char *host, uint16_t port, const char *word, struct buffer *answer)
{
    struct address addresses[8];
    size_t count = 0;
    int64_t deadline_ms = clock_elapsed_ms() + WORD_TIMEOUT_MS;
    int fd = -1, err = address_resolve(host, port, addresses, ARRAY_SIZE(addresses), &count, NULL);
    for (size_t i = 0; i < count && fd < 0; i++)
        err = socket_connect(&addresses[i], deadline_ms, &fd, NULL);
    if (err != ZK_OK || fd < 0)
        return ZK_IO;
    err = socket_send_all(fd, word, strlen(word), deadline_ms);
    while (err == ZK_OK) {
        uint8_t byte;
        err = socket_receive_all(fd, &byte, 1, deadline_ms);
        if (err == ZK_OK)
            buffer_append_byte(answer, byte);
    }
    socket_close(fd);
    return answer->size > 0 ? ZK_OK : ZK_IO;
}

int control_status(const struct control *control)
{
    const struct server_options *options = control->options;
    const char *host = options->client_port_address != NULL ? options->client_port_address : "localhost";
    if (options->client_port <= 0) {
        printf("Unable to find either secure or unsecure client port in any configs. Terminating.\n");
        return 1;
    }
    printf("Client port found: %" PRId64 ". Client address: %s. Client SSL: false.\n", options->client_port, host);
    struct buffer answer = {0};
    int err = ask(host, (uint16_t)options->client_port, "srvr", &answer);
    const char *mode = err == ZK_OK ? strstr(buffer_string(&answer), "Mode: ") : NULL;
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
