/*
 * acceptedEpoch and currentEpoch, the promises of this server that outlive it: byte for byte Java's files in version-2
 * of dataDir, replaced atomically and synced with their directory. Mirrors QuorumPeer.writeLongToFile, loadDataBase and
 * AtomicFileOutputStream. Own lock; any thread.
 */
#ifndef ZKC_SERVER_QUORUM_EPOCH_FILES_H
#define ZKC_SERVER_QUORUM_EPOCH_FILES_H

#include <stdint.h>

#include "common/base/error.h"

struct epoch_files;
/*
 * Reads both from `directory`; one that is not there follows from `last_zxid` (its epoch) and is written, as in Java.
 * Left-overs of a crash (currentEpoch.tmp of the epoch of last_zxid, 4269) are taken over. ZK_CORRUPT, with Java's
 * sentence, when currentEpoch is behind the epoch of last_zxid, or ahead of acceptedEpoch.
 */
int epoch_files_open(const char *directory, int64_t last_zxid, struct epoch_files **ret_files, struct error *error);
void epoch_files_close(struct epoch_files *files);    /* NULL is accepted */
int64_t epoch_files_current(struct epoch_files *files);
int64_t epoch_files_accepted(struct epoch_files *files);
/* Durable when it returns ZK_OK; after a failure the value is as before and the server must leave the quorum. */
int epoch_files_set_current(struct epoch_files *files, int64_t epoch, struct error *error);
int epoch_files_set_accepted(struct epoch_files *files, int64_t epoch, struct error *error);

#endif
