/* sim_process.c - common/base/process.h: what a program can see of its machine. It starts no others. */
#include "common/base/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/strings.h"
#include "tests/simulator/network.h"

#define MOST_DESCRIPTORS 65536

int64_t process_id(void)
{
    const struct sim_node *node = sim_current_node();
    return node != NULL ? 1000 * (node->index + 1) + node->boots : 1;
}

uint32_t process_forks(void)
{
    return 0;
}

char *process_executable(struct error *error)
{
    (void)error;
    return string_copy("/usr/sbin/zkserver");
}

bool process_is_alive(int64_t pid)
{
    return pid == process_id();
}

int process_terminate(int64_t pid, struct error *error)
{
    return error_set(error, ZK_NOT_FOUND, "no process %lld", (long long)pid);
}

int process_hang_up(int64_t pid, struct error *error)
{
    return process_terminate(pid, error);
}

void process_terminate_self(void)
{
    sim_node_signal(sim_current_node(), SIGTERM);
}

int process_spawn(const char *const *arguments, const char *output_path, int64_t timeout_ms, int64_t *ret_pid,
                  enum spawn_result *ret_result, struct error *error)
{
    (void)output_path;
    (void)timeout_ms;
    (void)ret_pid;
    (void)ret_result;
    return error_set(error, ZK_IO, "cannot start %s: a simulated machine has one program", arguments[0]);
}

void process_notify_ready(void)
{
}

const char *process_environment(const char *name)
{
    (void)name;
    return NULL;
}

const char *process_user_name(void)
{
    return "zookeeper";
}

const char *process_user_home(void)
{
    return "/";
}

void process_host_name(char *text, int size)
{
    const struct sim_node *node = sim_current_node();
    snprintf(text, (size_t)size, "%s", node != NULL ? node->name : "nowhere");
}

void process_working_directory(char *text, int size)
{
    snprintf(text, (size_t)size, "/");
}

void process_system(char *name, char *machine, char *release, int size)
{
    snprintf(name, (size_t)size, "Linux");
    snprintf(machine, (size_t)size, "x86_64");
    snprintf(release, (size_t)size, "6.1.0");
}

int64_t process_open_descriptors(void)
{
    return sim_descriptors_open();
}

int64_t process_max_descriptors(void)
{
    return MOST_DESCRIPTORS;
}

int64_t process_next_descriptor(void)
{
    return sim_descriptor_next();
}
