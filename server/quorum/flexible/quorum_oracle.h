/* An outside judge of an ensemble of two: a file whose first character is 1 where this server may go on alone. Mirrors
 * the part of QuorumOracleMaj that is not the list of members. Any thread. */
#ifndef ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_ORACLE_H
#define ZKC_SERVER_QUORUM_FLEXIBLE_QUORUM_ORACLE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/log.h"

struct quorum_oracle {
    char *path;
    _Atomic bool is_needed;    /* true at first */
    struct log_limiter failures;
};
/* NULL path: there is none; all other functions may be called only where there is one. */
void quorum_oracle_init(struct quorum_oracle *oracle, const char *path);
void quorum_oracle_release(struct quorum_oracle *oracle);
/* Reads the file anew; false also when it cannot be read, which is warned of. Blocks for as long as a file does. */
bool quorum_oracle_ask(struct quorum_oracle *oracle);

#endif
