/*
 * Which request may go on, and which commit belongs to which request: the decisions of CommitProcessor, without
 * threads.
 *
 * Requests come in the order of their sessions, commits in the order of zxids. A round hands out what may go on: first
 * reads that wait for nothing, then writes whose commit is there, then the reads that waited behind those. Not locked.
 */
#ifndef ZKC_SERVER_QUORUM_COMMIT_PAIRING_H
#define ZKC_SERVER_QUORUM_COMMIT_PAIRING_H

#include "common/base/hash_map.h"
#include "common/base/list.h"
#include "server/quorum/request_fifo.h"

struct server_metrics;
struct commit_pairing {
    bool match_syncs;                     /* a sync waits for a commit too */
    int64_t max_read_batch_size;          /* -1: none */
    int64_t max_commit_batch_size;

    struct request_fifo queued;           /* came in and not looked at yet (queuedRequests) */
    struct request_fifo queued_writes;    /* wait for a commit, by arrival; in `queued` or with their session */
    struct request_fifo committed;        /* committedRequests */
    struct hash_map sessions;             /* with something that waits (pendingRequests) */
    size_t reads_waiting, writes_waiting; /* numReadQueuedRequests, numWriteQueuedRequests */

    /* The round. */
    size_t requests_left, requests_done;  /* of `queued` */
    int64_t reads_done, commits_left;
    struct list to_drain;                 /* sessions one of whose writes went on (queuesToDrain) */
    size_t to_drain_count, drained_reads;
    struct server_metrics *metrics;       /* borrowed; NULL counts nothing */
};

/* needCommit: must this wait until it is committed. */
bool commit_pairing_needs_commit(const struct request *request, bool match_syncs);

/* The batch sizes are commitProcessor.maxReadBatchSize and maxCommitBatchSize. */
void commit_pairing_init(struct commit_pairing *pairing, bool match_syncs, int64_t max_read_batch_size,
                         int64_t max_commit_batch_size, struct server_metrics *metrics);
/* Drops what is still in it; returns how many requests that were. */
size_t commit_pairing_release(struct commit_pairing *pairing);

/* Each takes the reference. Whoever commits has queued before: a commit's own request is always found. */
void commit_pairing_add_request(struct commit_pairing *pairing, struct request *request);
void commit_pairing_add_commit(struct commit_pairing *pairing, struct request *request);
bool commit_pairing_has_work(const struct commit_pairing *pairing);

/* Begins a round over what is there now; the calls below follow in this order, each until it returns 0. */
void commit_pairing_begin(struct commit_pairing *pairing);
/* Reads, in order, with nothing of their session before them. */
size_t commit_pairing_take_reads(struct commit_pairing *pairing, struct request **reads, size_t most);
/* Committed ones in the order of zxids, the request of this server in place of its commit where there is one. */
size_t commit_pairing_take_writes(struct commit_pairing *pairing, struct request **writes, size_t most);
/* Reads that stood behind those writes. */
size_t commit_pairing_take_freed_reads(struct commit_pairing *pairing, struct request **reads, size_t most);

#endif
