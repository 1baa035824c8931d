/* election_script.c - see election_script.h. */
#include "tests/scenario/election_script.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/list.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "server/quorum/election_rules.h"

enum { MOST_SERVERS = 9, MOST_DELIVERIES = 10000 };

struct message {
    struct list link;
    int64_t to;
    struct notification notification;
};
struct player {
    bool is_there, is_up;    /* in the script; from its first look until it crashes */
    struct election_context context;
    struct election_round round;
    enum peer_state state;
    struct vote vote;    /* once it has one */
    bool has_decided;
};
struct stage {
    struct player players[MOST_SERVERS + 1];
    struct list network;
    struct buffer trace;
};

static struct quorum_verifier *parse(const char *config)
{
    struct quorum_verifier *verifier = NULL;
    struct error error = {0};
    ck_assert_msg(quorum_verifier_parse_text(config, strlen(config), &(struct quorum_parse_options){0}, &verifier,
                                             &error) == ZK_OK, "%s", error.text);
    return verifier;
}

static bool is_voter(const struct player *player, int64_t id)
{
    return quorum_verifier_is_voter(player->context.verifier, id) ||
           quorum_verifier_is_voter(player->context.last_seen, id);
}

static void post(struct stage *stage, int64_t from, int64_t to, const struct vote *vote, enum peer_state state)
{
    struct message *message = MEMORY_NEW(struct message);
    message->to = to;
    message->notification = (struct notification){.sid = from, .vote = *vote};
    message->notification.vote.state = state;
    message->notification.vote.version = NOTIFICATION_VERSION;
    list_add_last(&stage->network, &message->link);
}

static void post_proposal(struct stage *stage, struct player *player, int64_t to)
{
    struct vote vote = election_round_end_vote(&player->round);
    post(stage, player->context.my_id, to, &vote, PEER_LOOKING);
}

static void post_to_voters(struct stage *stage, struct player *player)
{
    for (int64_t id = 1; id <= MOST_SERVERS; id++)
        if (is_voter(player, id))
            post_proposal(stage, player, id);
}

static void decide(struct stage *stage, struct player *player, const struct vote *vote)
{
    bool leads = vote->id == player->context.my_id;
    player->state = leads ? PEER_LEADING : PEER_FOLLOWING;
    player->vote = *vote;
    player->has_decided = true;
    if (leads)
        buffer_printf(&stage->trace, "%" PRId64 " leads", player->context.my_id);
    else
        buffer_printf(&stage->trace, "%" PRId64 " follows %" PRId64, player->context.my_id, vote->id);
    buffer_printf(&stage->trace, ", round %" PRId64 ", epoch %" PRId64 "\n", player->round.logical_clock,
                  vote->peer_epoch);
}

static void hear_while_looking(struct stage *stage, struct player *player, const struct notification *n)
{
    bool had_quorum = player->round.has_quorum;
    struct election_step step = election_round_receive(&player->round, &player->context, n);
    if (step.sends_proposal) {
        buffer_printf(&stage->trace, "%" PRId64 " proposes %" PRId64 ", round %" PRId64 "\n", player->context.my_id,
                      player->round.proposal.id, player->round.logical_clock);
        post_to_voters(stage, player);
    }
    if (step.answers_sender)
        post_proposal(stage, player, n->sid);
    if (player->round.has_quorum != had_quorum)
        buffer_printf(&stage->trace, "%" PRId64 " has %s for %" PRId64 "\n", player->context.my_id,
                      had_quorum ? "no quorum any more" : "a quorum", player->round.proposal.id);
    if (step.is_decided)
        decide(stage, player, &step.leader);
    else if (n->vote.state == PEER_LOOKING && n->vote.election_epoch < player->round.logical_clock)
        post_proposal(stage, player, n->sid);
}

/* What WorkerReceiver does. */
static void hear(struct stage *stage, const struct message *message)
{
    struct player *player = &stage->players[message->to];
    const struct notification *n = &message->notification;
    if (!player->is_up)
        return;
    if (!is_voter(player, n->sid)) {
        struct vote vote = player->has_decided ? player->vote : election_round_end_vote(&player->round);
        vote.election_epoch = player->round.logical_clock;
        post(stage, message->to, n->sid, &vote, player->state);
    } else if (player->state == PEER_LOOKING) {
        hear_while_looking(stage, player, n);
    } else if (n->vote.state == PEER_LOOKING) {
        post(stage, message->to, n->sid, &player->vote, player->state);
    }
}

static void look(struct stage *stage, int64_t id)
{
    struct player *player = &stage->players[id];
    ck_assert(player->is_there);
    player->is_up = true;
    player->state = PEER_LOOKING;
    election_round_begin(&player->round, &player->context);
    buffer_printf(&stage->trace, "%" PRId64 " looks, round %" PRId64 "\n", id, player->round.logical_clock);
    post_to_voters(stage, player);
}

static bool is_between(const struct message *message, int64_t from, int64_t to)
{
    return from == 0 || (message->notification.sid == from && message->to == to);
}

/* Takes the oldest message out that goes from one to the other (0: any). NULL: none. */
static struct message *take(struct stage *stage, int64_t from, int64_t to)
{
    LIST_EACH(link, &stage->network)
    {
        struct message *message = LIST_ENTRY(link, struct message, link);
        if (!is_between(message, from, to))
            continue;
        list_remove(&message->link);
        return message;
    }
    return NULL;
}

static void deliver(struct stage *stage, int64_t from, int64_t to, int most)
{
    struct message *message;
    for (int i = 0; i < most && (message = take(stage, from, to)) != NULL; i++) {
        ck_assert_msg(i < MOST_DELIVERIES - 1, "they talk without end");
        hear(stage, message);
        memory_free(message);
    }
}

static void lose(struct stage *stage, int64_t from, int64_t to)
{
    struct message *message;
    while ((message = take(stage, from, to)) != NULL)
        memory_free(message);
}

static void crash(struct stage *stage, int64_t id)
{
    stage->players[id].is_up = false;
    for (int64_t other = 1; other <= MOST_SERVERS; other++) {
        lose(stage, id, other);
        lose(stage, other, id);
    }
    buffer_printf(&stage->trace, "%" PRId64 " crashes\n", id);
}

static enum peer_state state_of(const char *name)
{
    for (int state = PEER_LOOKING; state <= PEER_OBSERVING; state++)
        if (strcmp(peer_state_name((enum peer_state)state), name) == 0)
            return (enum peer_state)state;
    ck_abort_msg("%s is no state", name);
}

static void each_of(struct stage *stage, const char *ids, void (*act)(struct stage *stage, int64_t id))
{
    char *end;
    for (long id = strtol(ids, &end, 10); end != ids; id = strtol(ids, &end, 10)) {
        act(stage, id);
        ids = end;
    }
}

static void wait_at(struct stage *stage, int64_t id)
{
    struct player *player = &stage->players[id];
    ck_assert_msg(player->round.has_quorum, "%" PRId64 " waits for nothing", id);
    struct vote vote = election_round_end_vote(&player->round);
    decide(stage, player, &vote);
}

static void repeat(struct stage *stage, int64_t id)
{
    post_to_voters(stage, &stage->players[id]);
}

static void run_line(struct stage *stage, const char *line)
{
    int64_t from, to;
    char state[32];
    struct vote vote = {0};
    if (string_starts_with(line, "look "))
        each_of(stage, line + 5, look);
    else if (string_starts_with(line, "wait "))
        each_of(stage, line + 5, wait_at);
    else if (string_starts_with(line, "repeat "))
        each_of(stage, line + 7, repeat);
    else if (string_starts_with(line, "crash "))
        each_of(stage, line + 6, crash);
    else if (strcmp(line, "deliver") == 0)
        deliver(stage, 0, 0, MOST_DELIVERIES);
    else if (sscanf(line, "deliver %" SCNd64 ">%" SCNd64, &from, &to) == 2)
        deliver(stage, from, to, 1);
    else if (sscanf(line, "lose %" SCNd64 ">%" SCNd64, &from, &to) == 2)
        lose(stage, from, to);
    else if (sscanf(line, "say %" SCNd64 ">%" SCNd64 " %31s %" SCNd64 " round %" SCNi64 " zxid %" SCNi64
                    " epoch %" SCNi64, &from, &to, state, &vote.id, &vote.election_epoch, &vote.zxid,
                    &vote.peer_epoch) == 7)
        post(stage, from, to, &vote, state_of(state));
    else
        ck_abort_msg("what is \"%s\"?", line);
}

static void enter(struct player *player, const struct scripted_server *server)
{
    player->is_there = true;
    player->context.my_id = server->id;
    player->context.verifier = parse(server->config);
    player->context.last_seen = parse(server->next_config != NULL ? server->next_config : server->config);
    bool votes = quorum_verifier_is_voter(player->context.verifier, server->id);
    player->context.mine =
        (struct vote){.id = votes ? server->id : VOTE_NONE_ID, .zxid = server->zxid, .peer_epoch = server->epoch};
}

static void leave(struct player *player)
{
    election_round_release(&player->round);
    quorum_verifier_unref(player->context.verifier);
    quorum_verifier_unref(player->context.last_seen);
}

char *election_script_run(const struct scripted_server *servers, int count, const char *script)
{
    struct stage *stage = MEMORY_NEW(struct stage);
    char *lines = string_copy(script), *rest = lines, *line;
    list_init(&stage->network);
    for (int i = 0; i < count; i++)
        enter(&stage->players[servers[i].id], &servers[i]);
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            run_line(stage, line);
    lose(stage, 0, 0);
    for (int i = 0; i < count; i++)
        leave(&stage->players[servers[i].id]);
    buffer_append_string(&stage->trace, "");
    char *trace = buffer_detach(&stage->trace);
    memory_free(lines);
    memory_free(stage);
    return trace;
}
