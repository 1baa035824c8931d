/* synced_learner_tracker.c - acks, sorted out by the configurations they count in. */
#include "server/quorum/flexible/synced_learner_tracker.h"

#include "common/base/memory.h"

void synced_learner_tracker_release(struct synced_learner_tracker *tracker)
{
    for (size_t i = 0; i < tracker->count; i++) {
        quorum_verifier_unref(tracker->pairs[i].verifier);
        sid_set_release(&tracker->pairs[i].acks);
    }
    memory_free(tracker->pairs);
    *tracker = (struct synced_learner_tracker){0};
}

void synced_learner_tracker_add_verifier(struct synced_learner_tracker *tracker, struct quorum_verifier *verifier)
{
    tracker->pairs = memory_realloc(tracker->pairs, (tracker->count + 1) * sizeof(*tracker->pairs));
    tracker->pairs[tracker->count++] = (struct quorum_acks){.verifier = quorum_verifier_ref(verifier)};
}

bool synced_learner_tracker_add_ack(struct synced_learner_tracker *tracker, int64_t sid)
{
    bool counts = false;
    for (size_t i = 0; i < tracker->count; i++)
        if (quorum_verifier_is_voter(tracker->pairs[i].verifier, sid)) {
            sid_set_add(&tracker->pairs[i].acks, sid);
            counts = true;
        }
    return counts;
}

bool synced_learner_tracker_has_sid(const struct synced_learner_tracker *tracker, int64_t sid)
{
    for (size_t i = 0; i < tracker->count; i++)
        if (!quorum_verifier_is_voter(tracker->pairs[i].verifier, sid))
            return false;
    return true;
}

bool synced_learner_tracker_has_all_quorums(const struct synced_learner_tracker *tracker)
{
    for (size_t i = 0; i < tracker->count; i++)
        if (!quorum_verifier_contains_quorum(tracker->pairs[i].verifier, &tracker->pairs[i].acks))
            return false;
    return true;
}

void synced_learner_tracker_print(const struct synced_learner_tracker *tracker, struct buffer *out)
{
    for (size_t i = 0; i < tracker->count; i++) {
        buffer_append_string(out, i > 0 ? "," : "");
        sid_set_print(&tracker->pairs[i].acks, out);
    }
}
