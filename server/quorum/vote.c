/* vote.c - votes compared. */
#include "server/quorum/vote.h"

#include <inttypes.h>

const char *peer_state_name(enum peer_state state)
{
    static const char *const names[] = {"LOOKING", "FOLLOWING", "LEADING", "OBSERVING"};
    return state <= PEER_OBSERVING ? names[state] : "UNKNOWN";
}

bool vote_supersedes(const struct vote *newer, const struct vote *older)
{
    if (newer->peer_epoch != older->peer_epoch)
        return newer->peer_epoch > older->peer_epoch;
    if (newer->zxid != older->zxid)
        return newer->zxid > older->zxid;
    return newer->id > older->id;
}

bool vote_equal(const struct vote *a, const struct vote *b)
{
    if (a->state == PEER_LOOKING || b->state == PEER_LOOKING)
        return a->id == b->id && a->zxid == b->zxid && a->election_epoch == b->election_epoch &&
               a->peer_epoch == b->peer_epoch;
    /* Servers before 1732 report another peer epoch of the same leader. */
    bool is_mixed = (a->version > 0) != (b->version > 0);
    return a->id == b->id && (is_mixed || a->peer_epoch == b->peer_epoch);
}

void vote_print(const struct vote *vote, struct buffer *out)
{
    buffer_printf(out, "(%" PRId64 ", %" PRIx64 ", %" PRIx64 ")", vote->id, (uint64_t)vote->zxid,
                  (uint64_t)vote->peer_epoch);
}
