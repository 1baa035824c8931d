/*
 * How far the newest log of a directory is known to be durable: the file "durable" beside it. It is written after each
 * sync of the log and never synced itself, so what it says is true but may be old; a Java server neither writes nor
 * reads it.
 *
 * It tells what a loss of power leaves from what a bad disk leaves. Behind the mark a record that is not whole was
 * still being written, in whatever order its sectors came to the disk, and nobody was told of it; before the mark it is
 * damage.
 */
#ifndef ZKC_SERVER_PERSISTENCE_DURABLE_MARK_H
#define ZKC_SERVER_PERSISTENCE_DURABLE_MARK_H

#include <stdint.h>

#include "common/base/error.h"

#define DURABLE_MARK_NAME "durable"

struct durable_mark;
/* Opens the file in `directory`, or makes it and syncs both. */
int durable_mark_open(const char *directory, struct durable_mark **ret_mark, struct error *error);
/* All of this log up to `offset` is on the disk. A failure is no matter: the mark stays older than it might be. */
void durable_mark_set(struct durable_mark *mark, int64_t log_zxid, int64_t offset);
void durable_mark_close(struct durable_mark *mark);    /* NULL is accepted */
/* Logs are about to be removed, and may be made again under their names: nothing is known until the next open. The
 * caller syncs the directory. */
int durable_mark_forget(const char *directory, struct error *error);

/* Up to where the log of that name in that directory is known to be durable: INT64_MAX for all of it (a newer one is
 * there, or was marked), 0 for a log that is newer than the mark; -1 when there is no mark. */
int64_t durable_mark_of(const char *directory, int64_t log_zxid);

#endif
