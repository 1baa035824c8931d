/* Names in a data directory: log.<zxid>, snapshot.<zxid>[.gz|.snappy]. Mirrors persistence.Util. No state. */
#ifndef ZKC_SERVER_PERSISTENCE_FILE_NAMES_H
#define ZKC_SERVER_PERSISTENCE_FILE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/file.h"

#define LOG_FILE_PREFIX "log"
#define SNAPSHOT_FILE_PREFIX "snapshot"
#define DATA_VERSION_DIRECTORY "version-2"

/* -1 when the name is not "<prefix>.<hex>" (with a known ending for snapshots). */
int64_t file_name_zxid(const char *name, const char *prefix);
bool file_name_is_log(const char *name);
bool file_name_is_snapshot(const char *name);
char *log_file_name(int64_t zxid);                                   /* the caller's */
char *snapshot_file_name(int64_t zxid, const char *extension);       /* extension "", ".gz", ".snappy" */

struct zxid_file {
    int64_t zxid;
    char *path;
};
struct zxid_file_list {
    struct zxid_file *items;
    size_t count;
};
/* Regular files of that prefix in the directory, by zxid, ascending or descending. */
int zxid_file_list_read(const char *directory, const char *prefix, bool ascending, struct zxid_file_list *ret_list,
                        struct error *error);
void zxid_file_list_release(struct zxid_file_list *list);

#endif
