/* How much of a snapshot is left: its parts are told apart by that. Internal to persistence. */
#ifndef ZKC_SERVER_PERSISTENCE_SNAP_READER_H
#define ZKC_SERVER_PERSISTENCE_SNAP_READER_H

#include "server/persistence/snap_stream.h"

/* The bytes left, but at most `most`, which is small; none of them is taken. */
int snap_reader_peek(struct snap_reader *reader, size_t most, size_t *ret_left, struct error *error);

#endif
