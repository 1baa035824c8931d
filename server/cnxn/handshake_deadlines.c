/*
 * handshake_deadlines.c - connections whose handshake must come to an end, in the order in which they must.
 *
 * All that are in one state have the same time, so the list of a state is in order by itself.
 */
#include "server/cnxn/handshake_deadlines.h"

void handshake_deadlines_init(struct handshake_deadlines *deadlines, int64_t detection_ms, int64_t handshake_ms)
{
    deadlines->detection_ms = detection_ms;
    deadlines->handshake_ms = handshake_ms;
    list_init(&deadlines->detecting);
    list_init(&deadlines->shaking);
}

static struct list *list_of(struct handshake_deadlines *deadlines, const struct server_cnxn *cnxn)
{
    return cnxn->handshake == HANDSHAKE_DETECTING ? &deadlines->detecting : &deadlines->shaking;
}

/* What the check of a certificate takes is part of the handshake's time. */
static bool has_same_time(enum handshake_state before, enum handshake_state now)
{
    return now == before || (now == HANDSHAKE_CHECKING && before == HANDSHAKE_STARTED);
}

void handshake_deadlines_follow(struct handshake_deadlines *deadlines, struct server_cnxn *cnxn, int64_t now_ms)
{
    enum handshake_state before = cnxn->followed_handshake;
    cnxn->followed_handshake = cnxn->handshake;
    if (has_same_time(before, cnxn->handshake)) {
        if (cnxn->handshake != HANDSHAKE_OVER && list_is_empty(&cnxn->handshake_link))
            list_add_first(list_of(deadlines, cnxn), &cnxn->handshake_link);    /* it was due before all others */
        return;
    }
    list_remove(&cnxn->handshake_link);
    if (cnxn->handshake == HANDSHAKE_OVER)
        return;
    bool is_detecting = cnxn->handshake == HANDSHAKE_DETECTING;
    cnxn->handshake_deadline_ms = now_ms + (is_detecting ? deadlines->detection_ms : deadlines->handshake_ms);
    list_add_last(list_of(deadlines, cnxn), &cnxn->handshake_link);
}

void handshake_deadlines_remove(struct server_cnxn *cnxn)
{
    list_remove(&cnxn->handshake_link);
}

static struct server_cnxn *first_of(const struct list *list)
{
    return list_is_empty(list) ? NULL : LIST_ENTRY(list->next, struct server_cnxn, handshake_link);
}

/* The one that is due first; NULL when there is none. */
static struct server_cnxn *first(const struct handshake_deadlines *deadlines)
{
    struct server_cnxn *a = first_of(&deadlines->detecting), *b = first_of(&deadlines->shaking);
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return a->handshake_deadline_ms <= b->handshake_deadline_ms ? a : b;
}

int64_t handshake_deadlines_next(const struct handshake_deadlines *deadlines)
{
    const struct server_cnxn *cnxn = first(deadlines);
    return cnxn == NULL ? INT64_MAX : cnxn->handshake_deadline_ms;
}

struct server_cnxn *handshake_deadlines_take_due(struct handshake_deadlines *deadlines, int64_t now_ms)
{
    struct server_cnxn *cnxn = first(deadlines);
    if (cnxn == NULL || cnxn->handshake_deadline_ms > now_ms)
        return NULL;
    handshake_deadlines_remove(cnxn);
    return cnxn;
}
