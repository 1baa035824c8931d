/*
 * A snapshot's bytes with a running Adler-32, plain, gzip or snappy by the file's ending. Mirrors SnapStream. One
 * thread.
 */
#ifndef ZKC_SERVER_PERSISTENCE_SNAP_STREAM_H
#define ZKC_SERVER_PERSISTENCE_SNAP_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "server/tree/tree_snapshot.h"

enum snap_compression { SNAP_PLAIN, SNAP_GZIP, SNAP_SNAPPY };
/* "", "gz", "snappy" in any case; false for anything else. */
bool snap_compression_parse(const char *name, enum snap_compression *ret_compression);
const char *snap_compression_extension(enum snap_compression compression);    /* "", ".gz", ".snappy" */
enum snap_compression snap_compression_of_name(const char *file_name);

struct snap_writer;
/* Writes to <path>.tmp; nothing of `path` is touched before snap_writer_finish(). */
int snap_writer_open(const char *path, enum snap_compression compression, struct snap_writer **ret_writer,
                     struct error *error);
struct byte_sink *snap_writer_sink(struct snap_writer *writer);
/* sealStream: the checksum so far (8 bytes) and the string "/". */
int snap_writer_seal(struct snap_writer *writer, struct error *error);
/* Sync, rename, directory sync. The writer is gone afterwards, whatever came out. */
int snap_writer_finish(struct snap_writer *writer, struct error *error);
void snap_writer_abandon(struct snap_writer *writer);    /* removes the .tmp */

struct snap_reader;
int snap_reader_open(const char *path, struct snap_reader **ret_reader, struct error *error);
struct byte_source *snap_reader_source(struct snap_reader *reader);
/* checkSealIntegrity: ZK_CORRUPT when the checksum differs. */
int snap_reader_check_seal(struct snap_reader *reader, struct error *error);
void snap_reader_close(struct snap_reader *reader);
/* isValidSnapshot: magic and, for a plain one, the end mark; cheap, not a proof. */
bool snap_is_probably_valid(const char *path);

#endif
