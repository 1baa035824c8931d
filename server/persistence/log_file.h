/*
 * One log file, read record by record, and what stands at its end. Internal to persistence; one thread. The file may
 * grow meanwhile: records that came after it was opened may be seen or not.
 */
#ifndef ZKC_SERVER_PERSISTENCE_LOG_FILE_H
#define ZKC_SERVER_PERSISTENCE_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define LOG_FILE_HEADER_SIZE 16
#define LOG_RECORD_OVERHEAD 13    /* checksum, length, end mark */

struct log_record {
    int64_t zxid;
    int32_t type;
    const uint8_t *bytes;    /* until the next call */
    size_t size;
    int64_t offset;    /* of the record, in the file */
};

enum log_file_end {
    LOG_FILE_GOES_ON,
    LOG_FILE_ENDS_CLEAN,    /* nothing, or zeros */
    LOG_FILE_ENDS_TORN      /* the beginning of a record, or of the header, that was never written to its end */
};

struct log_file;
/* A file whose header was never written opens too, without a record. ZK_CORRUPT for any other that is not a log. */
int log_file_open(const char *path, int32_t max_record_size, struct log_file **ret_file, struct error *error);
void log_file_close(struct log_file *file);
const char *log_file_path(const struct log_file *file);

/* ZK_EOF at the end, torn or not; ZK_CORRUPT says file, offset and reason. */
int log_file_next(struct log_file *file, struct log_record *ret_record, struct error *error);
/* How it ends, where its whole records end, and where the bytes of a torn one end. */
enum log_file_end log_file_end(const struct log_file *file, int64_t *ret_end, int64_t *ret_torn_end);

#endif
