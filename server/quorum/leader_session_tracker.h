/*
 * The leader's sessions: all global ones, with the time each has left, and its own local ones. Mirrors
 * LeaderSessionTracker; fills in session_tracker.h. Any thread; its own "SessionTracker" threads end what timed out.
 */
#ifndef ZKC_SERVER_QUORUM_LEADER_SESSION_TRACKER_H
#define ZKC_SERVER_QUORUM_LEADER_SESSION_TRACKER_H

#include "server/quorum/upgradeable_session_tracker.h"

/* Tracks what is in options->sessions; their time starts anew with ops->start(). */
struct session_tracker *leader_session_tracker_new(const struct quorum_tracker_options *options);

#endif
