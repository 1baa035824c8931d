/* Processes and what surrounds them: spawning in the background, signals by pid, the environment. For programs. */
#ifndef ZKC_COMMON_BASE_PROCESS_H
#define ZKC_COMMON_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

int64_t process_id(void);
/* How many forks lie between the first call of this, in whatever ancestor, and this process. Cheap. */
uint32_t process_forks(void);
/* Path of the running program, the caller's. */
char *process_executable(struct error *error);
/* Is there a process of that id (one of somebody else counts too). */
bool process_is_alive(int64_t pid);
/* SIGTERM, or SIGHUP; ZK_NOT_FOUND when there is none. */
int process_terminate(int64_t pid, struct error *error);
int process_hang_up(int64_t pid, struct error *error);
/* SIGTERM to this process, for whoever takes it in main(). */
void process_terminate_self(void);

/* What a spawned program said, see process_spawn(). */
enum spawn_result { SPAWN_READY, SPAWN_DIED, SPAWN_TIMED_OUT };
/*
 * Starts `arguments` (NULL at the end) in a session of its own, standard input from nowhere, output appended to
 * `output_path`; then waits until it calls process_notify_ready(), ends, or the time is over.
 */
int process_spawn(const char *const *arguments, const char *output_path, int64_t timeout_ms, int64_t *ret_pid,
                  enum spawn_result *ret_result, struct error *error);
/* Tells whoever spawned this process that it serves; does nothing when nobody waits. */
void process_notify_ready(void);

/* NULL when it is not set or empty. */
const char *process_environment(const char *name);
const char *process_user_name(void);                 /* "unknown" when it has none; static */
const char *process_user_home(void);                 /* static */
void process_host_name(char *text, int size);
void process_working_directory(char *text, int size);
/* uname(): "Linux", "x86_64", "6.1.0". */
void process_system(char *name, char *machine, char *release, int size);
/* Open descriptors of this process now, and how many it may have. */
int64_t process_open_descriptors(void);
int64_t process_max_descriptors(void);
/* The number the next one that is opened gets; the largest there can be when there is none left. */
int64_t process_next_descriptor(void);

#endif
