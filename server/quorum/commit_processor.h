/*
 * Lets reads through and holds each write until its commit arrives. Mirrors CommitProcessor; thread
 * "CommitProcessor:<sid>" ("CommitProcWork-n" where there are workers), queues Q5 and Q6.
 */
#ifndef ZKC_SERVER_QUORUM_COMMIT_PROCESSOR_H
#define ZKC_SERVER_QUORUM_COMMIT_PROCESSOR_H

#include "server/request/server_core.h"

struct commit_processor;
/* Starts its thread(s); core and next are borrowed. `match_syncs`: a sync waits for a commit (learners); on a leader it
 * passes as a read. The number of workers is commitProcessor.numWorkerThreads; -1: none with up to four processors. */
struct commit_processor *commit_processor_start(struct server_core *core, bool match_syncs,
                                                struct request_processor *next);
/* Its face in the chain: process() queues (Q5) and may wait for room, flush() wakes, shutdown() lets go what may still
 * go, drops what waits for a commit that will not come, and joins. */
struct request_processor *commit_processor_base(struct commit_processor *processor);
/*
 * Q6: takes the reference; in the order of zxids, and after the request it commits was queued, if that came through
 * this server. Never waits; flush() or wake() after it. Any thread. Dropped once the processor is coming down.
 */
void commit_processor_commit(struct commit_processor *processor, struct request *request);
void commit_processor_wake(struct commit_processor *processor);

#endif
