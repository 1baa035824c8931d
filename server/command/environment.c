/*
 * environment.c - the place a server runs in, as `envi` tells and a server logs at its start. Mirrors
 * org.apache.zookeeper.Environment.
 *
 * Departs from Java: the host name is the machine's own, not looked up; there is no java.* and no heap.
 */
#include "server/command/environment.h"

#include <pwd.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"

#define NOT_KNOWN "<NA>"

/* Java's name for a kind of processor. */
static const char *java_arch(const char *machine)
{
    return strcmp(machine, "x86_64") == 0 ? "amd64" : machine;
}

static void list_user(void (*entry)(void *context, const char *key, const char *value), void *context)
{
    struct passwd record, *found = NULL;
    char text[4096];
    if (getpwuid_r(geteuid(), &record, text, sizeof(text), &found) != 0)
        found = NULL;
    entry(context, "user.name", found != NULL ? found->pw_name : NOT_KNOWN);
    entry(context, "user.home", found != NULL ? found->pw_dir : NOT_KNOWN);
}

void environment_list(void (*entry)(void *context, const char *key, const char *value), void *context)
{
    struct utsname system;
    bool is_known = uname(&system) == 0;
    entry(context, "zookeeper.version", ZKC_ZOOKEEPER_VERSION);
    entry(context, "host.name", is_known ? system.nodename : NOT_KNOWN);
    entry(context, "os.name", is_known ? system.sysname : NOT_KNOWN);
    entry(context, "os.arch", is_known ? java_arch(system.machine) : NOT_KNOWN);
    entry(context, "os.version", is_known ? system.release : NOT_KNOWN);
    list_user(entry, context);

    char *here = path_absolute("."), *directory = path_directory(here);    /* "/where/." */
    entry(context, "user.dir", directory);
    memory_free(directory);
    memory_free(here);
}
