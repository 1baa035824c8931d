/* The digest of one node; the tree's is their sum. Mirrors DigestCalculator and AdHash. No state. */
#ifndef ZKC_SERVER_TREE_DIGEST_H
#define ZKC_SERVER_TREE_DIGEST_H

#include <stdint.h>

#include "common/base/blob.h"
#include "common/wire/records.h"

#define DIGEST_VERSION 2

/* 0 below /zookeeper; "" and "/" are the same. */
uint64_t digest_calculate(struct ustring path, struct slice data, const struct stat_persisted *stat);

#endif
