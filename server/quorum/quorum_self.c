/*
 * quorum_self.c - state, vote and configurations of one server.
 *
 * Mirrors the fields of QuorumPeer with their setters, setQuorumVerifier and processReconfig.
 * (1) Configurations change one after another, under config_lock; who only reads takes `lock`, which is never held
 *     while a file is written or an upcall runs;
 * (2) last_seen_verifier is never older than verifier, unless a leader proposed an older one.
 * Departs from Java: zoo.cfg.dynamic.next outlives the start of a server, so that a proposed configuration survives a
 * second crash too; a proposal that cannot be written is not taken over.
 */
#include "server/quorum/quorum_self.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "server/quorum/dynamic_config.h"

static const char *const zab_state_names[] = {"election", "discovery", "synchronization", "broadcast"};
static const char *const detailed_state_names[] = {"looking", "following", "leading", "observing"};
static const char *const sync_mode_names[] = {"none", "diff", "snap", "trunc"};

void quorum_self_print_state(struct quorum_self *self, struct buffer *out)
{
    int zab = atomic_load(&self->zab_state), sync = atomic_load(&self->sync_mode);
    buffer_append_string(out, detailed_state_names[quorum_self_state(self)]);
    if (zab != ZAB_ELECTION)
        buffer_printf(out, " - %s", zab_state_names[zab]);
    if (sync != SYNC_NONE)
        buffer_printf(out, " - %s", sync_mode_names[sync]);
}

static void log_state(struct quorum_self *self)
{
    struct buffer text = {0};
    quorum_self_print_state(self, &text);
    log_info("Peer state changed: %s", buffer_string(&text));
    buffer_release(&text);
}

/* Takes a reference of its own, gives back the one that was there. */
static void replace_verifier(struct quorum_verifier **place, struct quorum_verifier *verifier)
{
    struct quorum_verifier *old = *place;
    *place = quorum_verifier_ref(verifier);
    quorum_verifier_unref(old);
}

static bool has_new_peers(const struct quorum_self *self, const struct quorum_verifier *committed,
                          const struct quorum_verifier *proposed)
{
    for (size_t i = 0; i < quorum_verifier_count(proposed); i++) {
        int64_t id = quorum_verifier_at(proposed, i)->id;
        if (id != self->id && quorum_verifier_find(committed, id) == NULL)
            return true;
    }
    return false;
}

static int write_next(const struct quorum_self *self, const struct quorum_verifier *verifier, struct error *error)
{
    if (self->options->config_path == NULL)
        return ZK_OK;
    char *path = dynamic_config_next_path(self->options->config_path);
    int err = dynamic_config_write(path, verifier, true, error);
    if (err != ZK_OK)
        log_error("Error writing next dynamic config file to disk: %s", error != NULL ? error->text : path);
    memory_free(path);
    return err;
}

/* True if the client port of zoo.cfg is now in the list. */
static bool needs_erase_of_client_port(const struct quorum_self *self, const struct quorum_verifier *verifier)
{
    const struct quorum_server *server = quorum_verifier_find(verifier, self->id);
    return server != NULL && server->client_address.host != NULL && !server->is_client_address_from_static;
}

static void write_committed(const struct quorum_self *self, const struct quorum_verifier *verifier, bool is_last_seen)
{
    struct error error = {0};
    const char *config_path = self->options->config_path;
    if (config_path == NULL)
        return;
    char *path = dynamic_config_path(config_path, quorum_verifier_version(verifier));
    char *next_path = dynamic_config_next_path(config_path);
    int err = dynamic_config_write(path, verifier, false, &error);
    if (err == ZK_OK)
        err = dynamic_config_edit_static(config_path, path, needs_erase_of_client_port(self, verifier), &error);
    if (err == ZK_OK && is_last_seen)
        err = dynamic_config_remove(next_path, &error);
    if (err != ZK_OK)
        log_error("the configuration of version %" PRIx64 " is not on disk: %s",
                  (uint64_t)quorum_verifier_version(verifier), error.text);
    memory_free(path);
    memory_free(next_path);
}

/* setQuorumVerifier, under config_lock. The one it takes the place of, whose reference is the caller's; NULL: it is no
 * newer. */
static struct quorum_verifier *take_over(struct quorum_self *self, struct quorum_verifier *verifier)
    REQUIRES(self->config_lock)
{
    int64_t version = quorum_verifier_version(verifier);
    mutex_lock(&self->lock);
    if (quorum_verifier_version(self->verifier) >= version) {
        log_debug("%" PRId64 " was given known or old config %" PRIx64 ", current version is %" PRIx64, self->id,
                  (uint64_t)version, (uint64_t)quorum_verifier_version(self->verifier));
        mutex_unlock(&self->lock);
        return NULL;
    }
    struct quorum_verifier *previous = quorum_verifier_ref(self->verifier);
    replace_verifier(&self->verifier, verifier);
    if (version > quorum_verifier_version(self->last_seen_verifier))
        replace_verifier(&self->last_seen_verifier, verifier);
    bool is_last_seen = version == quorum_verifier_version(self->last_seen_verifier);
    if (quorum_verifier_find(verifier, self->id) != NULL)
        replace_verifier(&self->own_verifier, verifier);
    mutex_unlock(&self->lock);
    write_committed(self, verifier, is_last_seen);
    return previous;
}

static bool change_learner_type(struct quorum_self *self, enum learner_type type, const char *what)
{
    if (quorum_self_learner_type(self) == type)
        return false;
    atomic_store(&self->learner_type, type);
    log_info("Becoming %s", what);
    atomic_store(&self->is_reconfig_flag, true);
    return true;
}

static bool update_learner_type(struct quorum_self *self, const struct quorum_verifier *verifier)
{
    const struct quorum_server *me = quorum_verifier_find(verifier, self->id);
    if (me == NULL)
        return change_learner_type(self, LEARNER_PARTICIPANT, "a non-voting participant");
    if (me->type == LEARNER_OBSERVER)
        return change_learner_type(self, LEARNER_OBSERVER, "an observer");
    return change_learner_type(self, LEARNER_PARTICIPANT, "a voting participant");
}

static bool update_vote(struct quorum_self *self, int64_t leader, int64_t zxid)
{
    struct vote current;
    if (!quorum_self_current_vote(self, &current) || current.id == leader)
        return false;
    quorum_self_set_current_vote(self, &(struct vote){.id = leader, .zxid = zxid, .election_epoch = -1,
                                                      .peer_epoch = -1, .state = PEER_LOOKING});
    atomic_store(&self->is_reconfig_flag, true);
    log_warn("Suggested leader: %" PRId64, leader);
    return true;
}

static const struct quorum_server *find_voter(const struct quorum_verifier *verifier, int64_t id)
{
    return quorum_verifier_is_voter(verifier, id) ? quorum_verifier_find(verifier, id) : NULL;
}

/* The present leader is no voter any more, or elsewhere. */
static bool leader_is_gone(struct quorum_self *self, const struct quorum_verifier *before,
                           const struct quorum_verifier *now)
{
    struct vote current;
    if (!quorum_self_current_vote(self, &current))
        return true;
    const struct quorum_server *old = find_voter(before, current.id), *new = find_voter(now, current.id);
    return old == NULL || new == NULL ||
           !quorum_addresses_equal(old->addresses, old->address_count, new->addresses, new->address_count);
}

/* The rest of processReconfig, when something did change. */
static bool follow_new_config(struct quorum_self *self, struct quorum_verifier *before, struct quorum_verifier *now,
                              int64_t suggested_leader, int64_t zxid, bool restart_election)
{
    if (self->ops != NULL && self->ops->config_changed != NULL)
        self->ops->config_changed(self->owner, before, now, restart_election);
    bool role_changed = update_learner_type(self, now), leader_changed;
    if (suggested_leader != -1) {
        leader_changed = update_vote(self, suggested_leader, zxid);
    } else {
        leader_changed = leader_is_gone(self, before, now);
        atomic_store(&self->is_reconfig_flag, false);    /* nobody is designated, there will be an election */
    }
    return role_changed || leader_changed;
}

const char *zab_state_name(enum zab_state state)
{
    return zab_state_names[state];
}

void quorum_self_init(struct quorum_self *self, const struct server_options *options, int64_t id,
                      struct quorum_verifier *verifier, struct epoch_files *epochs, struct server_metrics *metrics,
                      const struct quorum_self_ops *ops, void *owner)
{
    *self = (struct quorum_self){
        .options = options, .metrics = metrics, .ops = ops, .owner = owner, .id = id, .epochs = epochs};
    const struct quorum_server *me = quorum_verifier_find(verifier, id);
    atomic_store(&self->is_running, true);
    atomic_store(&self->state, PEER_LOOKING);
    atomic_store(&self->learner_type, me != NULL ? me->type : LEARNER_PARTICIPANT);
    mutex_init(&self->config_lock);
    mutex_init(&self->lock);
    self->verifier = quorum_verifier_ref(verifier);
    self->last_seen_verifier = quorum_verifier_ref(verifier);
    if (me != NULL)
        self->own_verifier = quorum_verifier_ref(verifier);
}

void quorum_self_release(struct quorum_self *self)
{
    quorum_verifier_unref(self->verifier);
    quorum_verifier_unref(self->last_seen_verifier);
    quorum_verifier_unref(self->own_verifier);
    mutex_release(&self->lock);
    mutex_release(&self->config_lock);
}

void quorum_self_set_state(struct quorum_self *self, enum peer_state state)
{
    atomic_store(&self->state, state);
    if (state == PEER_LOOKING)
        atomic_store(&self->zab_state, ZAB_ELECTION);
    log_state(self);
}

/* It serves from now on: how long it did not. */
static void end_unavailability(struct quorum_self *self)
{
    int64_t since_ms = atomic_exchange(&self->unavailable_since_ms, 0);
    if (since_ms == 0)
        return;
    int64_t elapsed_ms = clock_elapsed_ms() - since_ms;
    server_metrics_sample(self->metrics, METRIC_UNAVAILABLE_TIME, elapsed_ms);
    if (quorum_self_state(self) == PEER_LEADING)
        server_metrics_sample(self->metrics, METRIC_LEADER_UNAVAILABLE_TIME, elapsed_ms);
}

void quorum_self_set_zab_state(struct quorum_self *self, enum zab_state state)
{
    atomic_store(&self->zab_state, state);
    if (state == ZAB_BROADCAST)
        end_unavailability(self);
    log_state(self);
}

bool quorum_self_current_vote(struct quorum_self *self, struct vote *ret_vote)
{
    mutex_lock(&self->lock);
    bool has_vote = self->has_current_vote;
    if (has_vote)
        *ret_vote = self->current_vote;
    mutex_unlock(&self->lock);
    return has_vote;
}

void quorum_self_set_current_vote(struct quorum_self *self, const struct vote *vote)
{
    mutex_lock(&self->lock);
    self->current_vote = *vote;
    self->has_current_vote = true;
    mutex_unlock(&self->lock);
}

void quorum_self_update_election_vote(struct quorum_self *self, int64_t new_epoch)
{
    mutex_lock(&self->lock);
    self->current_vote.peer_epoch = new_epoch;
    self->current_vote.version = 0;
    mutex_unlock(&self->lock);
}

int64_t quorum_self_tick_time(const struct quorum_self *self)
{
    return self->options->tick_time;
}

int64_t quorum_self_init_limit_ms(const struct quorum_self *self)
{
    return self->options->init_limit * self->options->tick_time;
}

int64_t quorum_self_sync_limit_ms(const struct quorum_self *self)
{
    return self->options->sync_limit * self->options->tick_time;
}

int64_t quorum_self_current_epoch(struct quorum_self *self)
{
    return self->epochs != NULL ? epoch_files_current(self->epochs) : 0;
}

int64_t quorum_self_accepted_epoch(struct quorum_self *self)
{
    return self->epochs != NULL ? epoch_files_accepted(self->epochs) : 0;
}

int quorum_self_set_current_epoch(struct quorum_self *self, int64_t epoch, struct error *error)
{
    return self->epochs != NULL ? epoch_files_set_current(self->epochs, epoch, error) : ZK_OK;
}

int quorum_self_set_accepted_epoch(struct quorum_self *self, int64_t epoch, struct error *error)
{
    return self->epochs != NULL ? epoch_files_set_accepted(self->epochs, epoch, error) : ZK_OK;
}

int64_t quorum_self_last_logged_zxid(struct quorum_self *self)
{
    return self->ops != NULL && self->ops->last_logged_zxid != NULL ? self->ops->last_logged_zxid(self->owner) : 0;
}

struct quorum_verifier *quorum_self_verifier(struct quorum_self *self)
{
    mutex_lock(&self->lock);
    struct quorum_verifier *verifier = quorum_verifier_ref(self->verifier);
    mutex_unlock(&self->lock);
    return verifier;
}

struct quorum_verifier *quorum_self_last_seen_verifier(struct quorum_self *self)
{
    mutex_lock(&self->lock);
    struct quorum_verifier *verifier = quorum_verifier_ref(self->last_seen_verifier);
    mutex_unlock(&self->lock);
    return verifier;
}

int quorum_self_set_last_seen_verifier(struct quorum_self *self, struct quorum_verifier *verifier, bool write_to_disk,
                                       struct error *error)
{
    if (!self->options->reconfig_enabled) {
        log_info("Dynamic reconfig is disabled, we don't store the last seen config.");
        return ZK_OK;
    }
    mutex_lock(&self->config_lock);
    struct quorum_verifier *seen = quorum_self_last_seen_verifier(self), *committed = quorum_self_verifier(self);
    int64_t seen_version = quorum_verifier_version(seen), version = quorum_verifier_version(verifier);
    int err = ZK_OK;
    if (seen_version > version)
        log_warn("config %" PRIx64 " takes the place of config %" PRIx64 ", which was seen before but is not the "
                 "leader's; the committed one is %" PRIx64, (uint64_t)version, (uint64_t)seen_version,
                 (uint64_t)quorum_verifier_version(committed));
    if (seen_version != version && write_to_disk)
        err = write_next(self, verifier, error);
    if (seen_version != version && err == ZK_OK) {
        mutex_lock(&self->lock);
        replace_verifier(&self->last_seen_verifier, verifier);
        mutex_unlock(&self->lock);
    }
    mutex_unlock(&self->config_lock);
    bool is_for_owner = seen_version != version && err == ZK_OK && has_new_peers(self, committed, verifier);
    if (is_for_owner && self->ops != NULL && self->ops->new_peers != NULL)
        self->ops->new_peers(self->owner);
    quorum_verifier_unref(seen);
    quorum_verifier_unref(committed);
    return err;
}

bool quorum_self_process_reconfig(struct quorum_self *self, struct quorum_verifier *verifier, int64_t suggested_leader,
                                  int64_t zxid, bool restart_election)
{
    if (!self->options->reconfig_enabled) {
        log_debug("Reconfig feature is disabled, skip reconfig processing.");
        return false;
    }
    mutex_lock(&self->config_lock);
    struct quorum_verifier *before = take_over(self, verifier);
    mutex_unlock(&self->config_lock);
    /* The tree may not have it yet: it may have come by election, or be the first one, of which no log tells. */
    struct quorum_verifier *now = quorum_self_verifier(self);
    if (self->ops != NULL && self->ops->store_config != NULL)
        self->ops->store_config(self->owner, now);
    quorum_verifier_unref(now);
    bool role_ends = before != NULL && !quorum_verifier_equal(before, verifier) &&
                     follow_new_config(self, before, verifier, suggested_leader, zxid, restart_election);
    quorum_verifier_unref(before);
    return role_ends;
}

bool quorum_self_find_server(struct quorum_self *self, int64_t id, struct quorum_verifier **ret_holder,
                             const struct quorum_server **ret_server)
{
    const struct quorum_server *server = NULL;
    mutex_lock(&self->lock);
    struct quorum_verifier *const holders[] = {self->verifier, self->last_seen_verifier,
                                               id == self->id ? self->own_verifier : NULL};
    for (size_t i = 0; i < ARRAY_SIZE(holders) && server == NULL; i++) {
        server = holders[i] != NULL ? quorum_verifier_find(holders[i], id) : NULL;
        if (server != NULL) {
            *ret_holder = quorum_verifier_ref(holders[i]);
            *ret_server = server;
        }
    }
    mutex_unlock(&self->lock);
    return server != NULL;
}

void quorum_self_current_and_next_voters(struct quorum_self *self, struct sid_set *ret_voters)
{
    struct quorum_verifier *const verifiers[] = {quorum_self_verifier(self), quorum_self_last_seen_verifier(self)};
    for (size_t i = 0; i < ARRAY_SIZE(verifiers); i++) {
        for (size_t j = 0; j < quorum_verifier_count(verifiers[i]); j++) {
            int64_t id = quorum_verifier_at(verifiers[i], j)->id;
            if (quorum_verifier_is_voter(verifiers[i], id))
                sid_set_add(ret_voters, id);
        }
        quorum_verifier_unref(verifiers[i]);
    }
}

struct quorum_parse_options quorum_self_parse_options(const struct quorum_self *self,
                                                      const struct quorum_verifier *verifier)
{
    return (struct quorum_parse_options){.is_multi_address_enabled = self->options->multi_address_enabled,
                                         .is_standalone_enabled = self->options->standalone_enabled,
                                         .oracle_path = quorum_verifier_oracle_path(verifier)};
}

void quorum_self_fail(struct quorum_self *self, int exit_code, const struct error *error)
{
    if (self->ops != NULL && self->ops->fail != NULL)
        self->ops->fail(self->owner, exit_code, error);
}
