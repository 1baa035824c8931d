/* What the tests of the simulated disk share: one machine, a program on it, and short words for what they say often. */
#ifndef ZKC_TESTS_SIMULATOR_TEST_SIM_DISK_H
#define ZKC_TESTS_SIMULATOR_TEST_SIM_DISK_H

#include <string.h>

#include "common/base/file.h"
#include "tests/lib/check_main.h"
#include "tests/simulator/disk.h"

static struct sim_node *machine;
static struct sim_disk_manner *manner;
static struct error error;

static int run_body(void *arg)
{
    void (**body)(void) = arg;
    (*body)();
    return 0;
}

/* The driver: a program on the machine, until it ends, in whichever way. */
static inline void run(void (*program)(void))
{
    static void (*body)(void);
    body = program;
    sim_node_start(machine, run_body, &body);
    ck_assert(sim_node_join(machine, SIM_FOREVER));
}

static void drive(void *arg)
{
    void (**driver)(void) = arg;
    machine = sim_node_new("one");
    manner = sim_disk_manner(machine);
    (*driver)();
}

static inline void simulate(uint64_t seed, void (*driver)(void))
{
    sim_run(seed, drive, &driver);
    ck_assert_msg(sim_verdict() == NULL, "seed %d: %s", (int)seed, sim_verdict());
}

static void (*only_program)(void);

static void run_only_program(void)
{
    run(only_program);
}

/* For a test that is one program. */
static inline void simulate_program(void (*program)(void))
{
    only_program = program;
    simulate(1, run_only_program);
}

static inline void must(int err)
{
    ck_assert_int_eq(err, ZK_OK);
}

/* For bytes: an assertion of Check is a call of the machine even when it holds. */
static inline void expect(bool is_right, const char *what, int64_t at)
{
    if (!is_right)
        ck_abort_msg("%s at %d", what, (int)at);
}

static inline struct file *open_file(const char *path, enum file_mode mode)
{
    struct file *file = NULL;
    ck_assert_msg(file_open(path, mode, &file, &error) == ZK_OK, "%s", error.text);
    return file;
}

static inline void write_file(const char *path, const char *text)
{
    struct file *file = open_file(path, FILE_CREATE);
    must(file_write(file, text, strlen(text), NULL));
    must(file_close(file, NULL));
}

static inline void assert_content(const char *path, const char *expected)
{
    struct buffer content = { 0 };
    ck_assert_int_eq(file_read_all(path, 1 << 20, &content, &error), ZK_OK);
    ck_assert_str_eq(buffer_string(&content), expected);
    buffer_release(&content);
}

/* The driver: NULL for what is not there; valid until the next call. */
static inline const char *get(const char *path)
{
    static struct buffer content;
    buffer_clear(&content);
    return sim_disk_get(machine, path, &content) ? buffer_string(&content) : NULL;
}

static inline void assert_get(const char *path, const char *expected)
{
    const char *found = get(path);
    if (expected == NULL)
        ck_assert_msg(found == NULL, "%s is there: %s", path, found);
    else
        ck_assert_str_eq(found != NULL ? found : "(nothing)", expected);
}

#endif
