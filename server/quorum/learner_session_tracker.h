/*
 * A learner's sessions: which global ones there are, which of them were touched since the leader last asked, and its
 * own local ones. Mirrors LearnerSessionTracker; fills in session_tracker.h. Any thread. Global sessions end at the
 * leader.
 */
#ifndef ZKC_SERVER_QUORUM_LEARNER_SESSION_TRACKER_H
#define ZKC_SERVER_QUORUM_LEARNER_SESSION_TRACKER_H

#include "server/quorum/upgradeable_session_tracker.h"

struct session_tracker *learner_session_tracker_new(const struct quorum_tracker_options *options);
/* snapshot: (session id, time-out in ms) of what was touched since the last one, 12 bytes each, big-endian, as the
 * answer to a PING has them. */
void learner_session_tracker_snapshot(struct session_tracker *tracker, struct buffer *out);

#endif
