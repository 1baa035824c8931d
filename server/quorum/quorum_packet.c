/*
 * quorum_packet.c - names of packets, and a packet as a line. Mirrors Leader's packet types and
 * LearnerHandler.packetToString.
 *
 * Departs from Java: OBSERVERINFO and LEADERINFO, unknown there, are printed by name.
 */
#include "server/quorum/quorum_packet.h"

#include <inttypes.h>

#include "common/base/memory.h"

static const char *const names[] = {
    [QP_REQUEST] = "REQUEST",
    [QP_PROPOSAL] = "PROPOSAL",
    [QP_ACK] = "ACK",
    [QP_COMMIT] = "COMMIT",
    [QP_PING] = "PING",
    [QP_REVALIDATE] = "REVALIDATE",
    [QP_SYNC] = "SYNC",
    [QP_INFORM] = "INFORM",
    [QP_COMMITANDACTIVATE] = "COMMITANDACTIVATE",
    [QP_NEWLEADER] = "NEWLEADER",
    [QP_FOLLOWERINFO] = "FOLLOWERINFO",
    [QP_UPTODATE] = "UPTODATE",
    [QP_DIFF] = "DIFF",
    [QP_TRUNC] = "TRUNC",
    [QP_SNAP] = "SNAP",
    [QP_OBSERVERINFO] = "OBSERVERINFO",
    [QP_LEADERINFO] = "LEADERINFO",
    [QP_ACKEPOCH] = "ACKEPOCH",
    [QP_INFORMANDACTIVATE] = "INFORMANDACTIVATE",
};

const char *quorum_packet_name(int32_t type)
{
    return type > 0 && (size_t)type < ARRAY_SIZE(names) ? names[type] : NULL;
}

void received_packet_release(struct received_packet *packet)
{
    blob_unref(packet->bytes);
    arena_release(&packet->arena);
    *packet = (struct received_packet){ 0 };
}

void received_packet_print(const struct received_packet *packet, struct buffer *out)
{
    const char *name = quorum_packet_name(packet->type);
    if (name != NULL)
        buffer_append_string(out, name);
    else
        buffer_printf(out, "UNKNOWN%" PRId32, packet->type);
    buffer_printf(out, " %" PRIx64 " ", (uint64_t)packet->zxid);
    if (packet->type == QP_REVALIDATE && packet->data.size >= sizeof(int64_t))
        buffer_printf(out, " sessionid = %" PRId64, (int64_t)load_be64(packet->data.bytes));
    else
        buffer_append_string(out, "null");
}
