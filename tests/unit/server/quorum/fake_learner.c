/* fake_learner.c - the functions of learner.h that processors call, and an ensemble of one thread. */
#include "tests/unit/server/quorum/fake_learner.h"

#include <assert.h>

#include "common/wire/op_code.h"
#include "tests/unit/server/quorum/role_test.h"

struct learner fake_learner;

void fake_learner_set_up(void)
{
    fake_learner = (struct learner){.zxid = INT64_C(0x100000000)};
    atomic_store(&fake_learner.is_session_valid, true);
    mutex_init(&fake_learner.lock);
    condition_init(&fake_learner.changed);
}

void fake_learner_tear_down(void)
{
    request_fifo_release(&fake_learner.requests);
    condition_release(&fake_learner.changed);
    mutex_release(&fake_learner.lock);
}

/* ---- the leader's part ---- */

struct txn *fake_learner_make_txn(int64_t session_id, int32_t cxid, int32_t type, const struct txn_body *body)
{
    struct txn_header header = {session_id, cxid, ++fake_learner.zxid, 1, type};
    return txn_new(&header, body, NULL);
}

/* What the leader's prep would make of it, as far as these tests go. */
static struct txn *txn_of(struct request *request)
{
    struct txn_body body = {.is_present = true};
    int32_t type = request->type;
    struct jute_reader reader;
    request_reader(request, INT32_MAX, &reader);
    if (type == OP_CREATE) {
        struct create_request record;
        jute_read_create_request(&reader, &record);
        body.record.create =
            (struct create_txn){record.path, record.data, record.acl, record.flags == CREATE_EPHEMERAL, -1};
    } else if (type == OP_SET_DATA) {
        struct set_data_request record;
        jute_read_set_data_request(&reader, &record);
        body.record.set_data = (struct set_data_txn){record.path, record.data, 1};
    } else if (type == OP_CREATE_SESSION) {
        jute_read_create_session_txn(&reader, &body.record.create_session);
    } else if (type == OP_CLOSE_SESSION) {
        body.record.close_session.paths2_delete = (struct ustring_vector){NULL, 0};
    } else {
        type = OP_ERROR;
        body.record.error.err = ZK_NO_NODE;
    }
    assert(jute_error(&reader) == ZK_OK);
    return fake_learner_make_txn(request->session_id, request->cxid, type, &body);
}

static void answer(struct learner *learner, struct request *request)
{
    if (request->type == OP_SYNC && learner->follower != NULL) {
        follower_zookeeper_server_sync(learner->follower);
    } else if (request->type == OP_SYNC) {
        observer_zookeeper_server_sync(learner->observer);
    } else {
        struct txn *txn = txn_of(request);
        struct request *proposed = request_new_from_txn(txn);
        if (learner->follower != NULL) {
            struct error error = {0};
            follower_zookeeper_server_log_request(learner->follower, proposed);
            int err = follower_zookeeper_server_commit(learner->follower, txn->header.zxid, &error);
            assert(err == ZK_OK);
            (void)err;
        } else {
            observer_zookeeper_server_commit_request(learner->observer, proposed);
        }
        txn_unref(txn);
    }
    request_unref(request);
    if (learner->follower != NULL)
        follower_zookeeper_server_flush(learner->follower);
    else
        observer_zookeeper_server_flush(learner->observer);
}

static void quorum_peer_run(void *arg)
{
    struct learner *learner = arg;
    mutex_lock(&learner->lock);
    while (!learner->is_over) {
        if (learner->holds || learner->requests.count == 0) {
            condition_wait(&learner->changed, &learner->lock);
            continue;
        }
        struct request *request = request_fifo_take(&learner->requests);
        mutex_unlock(&learner->lock);
        answer(learner, request);
        mutex_lock(&learner->lock);
    }
    mutex_unlock(&learner->lock);
}

void fake_learner_start(void)
{
    fake_learner.is_over = false;
    fake_learner.quorum_peer = thread_start("QuorumPeer", quorum_peer_run, &fake_learner);
}

void fake_learner_stop(void)
{
    mutex_lock(&fake_learner.lock);
    fake_learner.is_over = true;
    condition_broadcast(&fake_learner.changed);
    mutex_unlock(&fake_learner.lock);
    thread_join(fake_learner.quorum_peer);
    fake_learner.quorum_peer = NULL;
}

void fake_learner_hold(bool hold)
{
    mutex_lock(&fake_learner.lock);
    fake_learner.holds = hold;
    condition_broadcast(&fake_learner.changed);
    mutex_unlock(&fake_learner.lock);
}

/* ---- learner.h ---- */

void learner_request(struct learner *learner, const struct request *request)
{
    struct request *copy = request_new(NULL, request->session_id, request->cxid, request->type, request->chunk,
                                       request->payload, NULL);
    atomic_store(&learner->last_type, request->type);    /* first, as a test may look at it with the answer in hand */
    atomic_fetch_add(&learner->requested, 1);
    mutex_lock(&learner->lock);
    request_fifo_put(&learner->requests, copy);
    condition_broadcast(&learner->changed);
    mutex_unlock(&learner->lock);
}

void learner_send_ack(struct learner *learner, int64_t zxid)
{
    assert(zxid > atomic_load(&learner->last_ack));
    atomic_store(&learner->last_ack, zxid);
    atomic_fetch_add(&learner->acked, 1);
}

void learner_flush(struct learner *learner)
{
    atomic_fetch_add(&learner->flushed, 1);
}

void learner_validate_session(struct learner *learner, struct server_cnxn *cnxn, int64_t session_id, int32_t timeout_ms)
{
    (void)session_id;
    (void)timeout_ms;
    atomic_fetch_add(&learner->validated, 1);
    zookeeper_server_finish_session_init(role_server, cnxn, atomic_load(&learner->is_session_valid));
}

int64_t learner_master_id(struct learner *learner)
{
    (void)learner;
    return 2;
}
