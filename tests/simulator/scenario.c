/*
 * scenario.c - a seed from its beginning to its end: an ensemble starts, clients work, faults come and go; then all
 * faults end, and what must be there is looked for.
 *
 *   setup -> faults beside clients -> all is mended -> clients leave -> audit -> equal trees -> orderly end
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "tests/simulator/cluster.h"
#include "tests/simulator/history.h"
#include "tests/simulator/network.h"

struct run {
    const struct plan *plan;
    struct cluster cluster;
    int64_t ends_at_ns[PLAN_MOST_FAULTS];    /* 0: not begun, or over */
    struct scenario_result *result;
};

/* Ticks a mended ensemble may take to do a write: twice what it has for coming in and for keeping up, and what its
 * disks, links and clients take of it. */
#define RECOVERY_TICKS (2 * (10 + 5))
#define RECOVERY_MORE_NS (3 * SIM_S)
#define PATIENCE_NS (600 * SIM_S)

static bool setup_is_over(struct cluster *cluster)
{
    return !cluster->auditor.node->is_running;
}

static bool set_up(struct run *run)
{
    struct cluster *cluster = &run->cluster;
    for (int i = 0; i < cluster->server_count; i++)
        cluster->starts_at_ns[i] = 1;
    for (int i = 0; i < run->plan->clients; i++)
        cluster->clients[i].must_end = true;    /* not yet */
    sim_client_start_setup(&cluster->auditor);
    if (!cluster_wait(cluster, setup_is_over, sim_now_ns() + PATIENCE_NS) || cluster->auditor.node->exit_code != 0) {
        sim_violation("a fresh ensemble does not serve");
        return false;
    }
    for (int i = 0; i < run->plan->clients; i++) {
        cluster->clients[i].must_end = false;
        cluster->client_starts_at_ns[i] = 1;
    }
    if (run->plan->reconfigures)
        sim_client_start_operator(&cluster->operator);
    return true;
}

/* ---- faults ---- */

static void begin_and_end(struct run *run, int64_t now_ns, int64_t start_ns)
{
    for (size_t i = 0; i < run->plan->fault_count; i++) {
        const struct plan_fault *fault = &run->plan->faults[i];
        if (run->ends_at_ns[i] > 0 && now_ns >= run->ends_at_ns[i]) {
            run->ends_at_ns[i] = -1;
            fault_end(&run->cluster, fault);
        }
        if (run->ends_at_ns[i] == 0 && !fault->is_left_out && now_ns >= start_ns + fault->at_ns) {
            run->ends_at_ns[i] = now_ns + fault->length_ns;
            fault_begin(&run->cluster, fault);
        }
    }
}

static void suffer(struct run *run)
{
    int64_t start_ns = sim_now_ns();
    while (sim_now_ns() < start_ns + run->plan->length_ns && sim_verdict() == NULL) {
        begin_and_end(run, sim_now_ns(), start_ns);
        cluster_supervise(&run->cluster);
        sim_sleep_until(sim_now_ns() + sim_between(1, 20) * SIM_MS);
    }
}

/* ---- afterwards ---- */

static bool clients_are_gone(struct cluster *cluster)
{
    for (int i = 0; i < cluster->plan->clients; i++)
        if (cluster->clients[i].node->is_running)
            return false;
    return !cluster->plan->reconfigures || !cluster->operator.node->is_running;
}

static bool has_written(struct cluster *cluster)
{
    return cluster->auditor.answers > 0;
}

static bool is_audited(struct cluster *cluster)
{
    return !cluster->auditor.node->is_running;
}

static void see_clients_off(struct run *run)
{
    for (int i = 0; i < run->plan->clients; i++)
        run->cluster.clients[i].must_end = true;
    if (!cluster_wait(&run->cluster, clients_are_gone, sim_now_ns() + PATIENCE_NS))
        sim_violation("a client does not end");
}

/* How long it is from the end of the faults to a write. */
static void probe(struct run *run)
{
    struct cluster *cluster = &run->cluster;
    int64_t mended_at_ns = sim_now_ns(), bound_ns = RECOVERY_TICKS * run->plan->tick_ms * SIM_MS + RECOVERY_MORE_NS;
    sim_client_start_probe(&cluster->auditor);
    bool in_time = cluster_wait(cluster, has_written, mended_at_ns + bound_ns);
    if (!in_time && run->plan->mode == PLAN_LIVENESS)
        sim_violation("no write within %" PRId64 " ms of the end of all faults", bound_ns / SIM_MS);
    if (!cluster_wait(cluster, is_audited, sim_now_ns() + PATIENCE_NS)) {
        sim_violation("nothing can be written any more");
        return;
    }
    run->result->recovery_ns = sim_now_ns() - mended_at_ns;
}

/* A majority that hears each other is left. */
static void keep_cut(struct run *run, bool is_cut)
{
    struct sim_server *from = &run->cluster.servers[run->plan->cut_from],
                      *to = &run->cluster.servers[run->plan->cut_to];
    if (sim_link(from->node, to->node)->is_cut != is_cut)
        sim_link_cut(from->node, to->node, is_cut);
}

static void hold_audit(struct run *run)
{
    struct cluster *cluster = &run->cluster;
    cluster->auditor.answers = cluster->auditor.failures = 0;
    sim_client_start_audit(&cluster->auditor);
    if (!cluster_wait(cluster, is_audited, sim_now_ns() + PATIENCE_NS)) {
        sim_violation("the audit does not end: %" PRIu64 " answers, %" PRIu64 " failures, %" PRIu64 " sessions",
                      cluster->auditor.answers, cluster->auditor.failures, cluster->auditor.sessions);
    } else if (cluster->auditor.node->exit_code != 0) {
        sim_violation("the audit fails");
    }
}

/* A leader stands at the beginning of its epoch until there is a write, its learners at the end of the one before. One
 * that was cut off or stopped, and does not know yet, stands at the beginning of an older one. */
static bool zxids_are_equal(struct cluster *cluster)
{
    int64_t newest = 0, zxid = -1;
    if (!cluster_all_serve(cluster))
        return false;
    for (int i = 0; i < cluster->server_count; i++)
        if (cluster->servers[i].facts.zxid > newest)
            newest = cluster->servers[i].facts.zxid;
    for (int i = 0; i < cluster->server_count; i++) {
        int64_t own = cluster->servers[i].facts.zxid;
        if (own == newest && (newest & UINT32_MAX) == 0)
            continue;
        if (zxid >= 0 && own != zxid)
            return false;
        zxid = own;
    }
    return true;
}

static bool digests_are_there(struct cluster *cluster)
{
    for (int i = 0; i < cluster->server_count; i++)
        if (cluster->servers[i].asks_for_digest)
            return false;
    return true;
}

static void compare_trees(struct run *run)
{
    struct cluster *cluster = &run->cluster;
    if (!cluster_wait(cluster, zxids_are_equal, sim_now_ns() + PATIENCE_NS)) {
        for (int i = 0; i < cluster->server_count; i++)
            sim_trace("%s: %s, zxid 0x%" PRIx64, cluster->servers[i].node->name,
                      cluster->servers[i].facts.serves ? "serves" : "serves nobody",
                      (uint64_t)cluster->servers[i].facts.zxid);
        sim_violation("the servers do not come to one zxid");
        return;
    }
    for (int i = 0; i < cluster->server_count; i++)
        cluster->servers[i].asks_for_digest = true;
    if (!cluster_wait(cluster, digests_are_there, sim_now_ns() + PATIENCE_NS))
        return;
    for (int i = 0; i < cluster->server_count; i++) {
        const struct sim_server_facts *facts = &cluster->servers[i].facts, *first = &cluster->servers[0].facts;
        sim_trace("%s: zxid 0x%" PRIx64 " digest %" PRIu64, cluster->servers[i].node->name, (uint64_t)facts->zxid,
                  facts->digest);
        if (!facts->digest_is_consistent)
            sim_violation("%s: the digest is not that of its tree", cluster->servers[i].node->name);
        if (facts->digest != first->digest)
            sim_violation("%s at 0x%" PRIx64 " and %s at 0x%" PRIx64 " have other trees",
                          cluster->servers[i].node->name, (uint64_t)facts->zxid, cluster->servers[0].node->name,
                          (uint64_t)first->zxid);
    }
}

static void stop_servers(struct run *run)
{
    struct cluster *cluster = &run->cluster;
    for (int i = 0; i < cluster->server_count; i++)
        sim_node_signal(cluster->servers[i].node, SIGTERM);
    for (int i = 0; i < cluster->server_count; i++) {
        if (!sim_node_join(cluster->servers[i].node, sim_now_ns() + PATIENCE_NS))
            sim_violation("%s does not end when it is told to", cluster->servers[i].node->name);
        else if (cluster->servers[i].node->exit_code != 0)
            sim_violation("%s ends with code %d when it is told to end", cluster->servers[i].node->name,
                          cluster->servers[i].node->exit_code);
        run->result->applied += cluster->servers[i].facts.applied;
    }
}

static void drive(void *arg)
{
    struct run *run = arg;
    cluster_begin(&run->cluster, run->plan);
    if (!set_up(run))
        return;
    if (run->plan->drama != NULL)
        run->plan->drama(&run->cluster);
    else
        suffer(run);
    if (sim_verdict() == NULL) {
        sim_trace("all faults end");
        faults_end_all(&run->cluster);
        run->cluster.operator.must_end = true;
        keep_cut(run, run->plan->keeps_cut);
        probe(run);
        keep_cut(run, false);
    }
    if (sim_verdict() == NULL) {
        see_clients_off(run);
        hold_audit(run);
    }
    if (sim_verdict() == NULL)
        compare_trees(run);
    if (sim_verdict() == NULL)
        stop_servers(run);
    run->result->virtual_ns = sim_now_ns();
    run->result->steps = sim_steps();
    run->result->hash = sim_trace_hash();
    run->result->acknowledged = history_acknowledged();
}

void scenario_run(const struct plan *plan, struct scenario_result *ret_result)
{
    static struct run run;
    memset(&run, 0, sizeof(run));
    memset(ret_result, 0, sizeof(*ret_result));
    run.plan = plan;
    run.result = ret_result;
    history_begin();
    sim_run(plan->seed, drive, &run);
    history_end();
}
