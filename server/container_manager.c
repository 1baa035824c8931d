/*
 * container_manager.c - every now and then looks for nodes nobody needs any more, and asks for their deletion.
 *
 * Mirrors ContainerManager. What is found is deleted through the chain like anybody's request, at most
 * znode.container.maxPerMinute of them, so that a node that got a child meanwhile stays.
 */
#include "server/container_manager.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/thread/mutex.h"
#include "common/thread/thread.h"
#include "common/wire/op_code.h"

struct container_manager {
    struct server_core *core;
    struct container_sink *sink;
    struct thread *thread;
    struct mutex lock;
    struct condition stopped;
    bool is_stopping GUARDED_BY(lock);
};

static bool is_due(struct server_core *core, const struct node_view *view, int64_t now_wall_ms)
{
    if (view->child_count > 0)
        return false;
    bool is_valid;
    int64_t age_ms = now_wall_ms - view->stat.mtime;
    int64_t never_used_ms = core->options->znode_container_max_never_used_interval_ms;
    switch (ephemeral_type_get(&core->ephemeral_rules, view->stat.ephemeral_owner, &is_valid)) {
    case EPHEMERAL_CONTAINER:    /* one that never had a child waits for its first */
        return view->stat.cversion > 0 || (never_used_ms != 0 && age_ms > never_used_ms);
    case EPHEMERAL_TTL: {
        int64_t ttl_ms = ephemeral_owner_to_ttl_ms(&core->ephemeral_rules, view->stat.ephemeral_owner);
        return ttl_ms != 0 && age_ms > ttl_ms;
    }
    default:
        return false;
    }
}

/* Keeps of the list those that are due; what it keeps moves into `to`. */
static void add_due(struct server_core *core, int64_t now_wall_ms, struct path_list *from, struct path_list *to)
{
    struct data_tree *tree = zk_database_tree(core->database);
    to->paths = memory_realloc(to->paths, (to->count + from->count + 1) * sizeof to->paths[0]);
    for (size_t i = 0; i < from->count; i++) {
        struct node_view view;
        if (!data_tree_view(tree, ustring_of(from->paths[i]), &view))
            continue;
        if (is_due(core, &view, now_wall_ms))
            to->paths[to->count++] = string_copy(from->paths[i]);
        node_view_release(&view);
    }
    path_list_release(from);
}

void container_manager_candidates(struct server_core *core, int64_t now_wall_ms, struct path_list *ret_paths)
{
    struct data_tree *tree = zk_database_tree(core->database);
    struct path_list found = {0};
    *ret_paths = (struct path_list){0};
    data_tree_get_containers(tree, &found);
    add_due(core, now_wall_ms, &found, ret_paths);
    data_tree_get_ttls(tree, &found);
    add_due(core, now_wall_ms, &found, ret_paths);
}

/* Waits; false when it is time to stop. */
static bool pause_ms(struct container_manager *manager, int64_t ms)
{
    int64_t deadline_ms = clock_elapsed_ms() + ms;
    mutex_lock(&manager->lock);
    while (!manager->is_stopping && condition_wait_until(&manager->stopped, &manager->lock, deadline_ms))
        ;
    bool goes_on = !manager->is_stopping;
    mutex_unlock(&manager->lock);
    return goes_on;
}

static void ask_for_deletion(struct container_manager *manager, const char *path)
{
    log_info("Attempting to delete candidate container: %s", path);
    struct buffer record = {0};
    jute_write_string(&record, path);
    struct request *request = request_new_internal(0, OP_DELETE_CONTAINER, (struct slice){record.bytes, record.size});
    buffer_release(&record);
    manager->sink->submit(manager->sink, request);
}

static void container_run(void *arg)
{
    struct container_manager *manager = arg;
    const struct server_options *options = manager->core->options;
    int64_t least_interval_ms = 60000 / options->znode_container_max_per_minute;
    bool goes_on = true;
    while (goes_on && pause_ms(manager, options->znode_container_check_interval_ms)) {
        struct path_list due;
        container_manager_candidates(manager->core, clock_wall_ms(), &due);
        for (size_t i = 0; i < due.count && goes_on; i++) {
            ask_for_deletion(manager, due.paths[i]);
            goes_on = pause_ms(manager, least_interval_ms);
        }
        path_list_release(&due);
    }
}

struct container_manager *container_manager_start(struct server_core *core, struct container_sink *sink)
{
    struct container_manager *manager = MEMORY_NEW(struct container_manager);
    manager->core = core;
    manager->sink = sink;
    mutex_init(&manager->lock);
    condition_init(&manager->stopped);
    manager->thread = thread_start("ContainerManagerTask", container_run, manager);
    return manager;
}

void container_manager_stop(struct container_manager *manager)
{
    if (manager == NULL)
        return;
    mutex_lock(&manager->lock);
    manager->is_stopping = true;
    condition_broadcast(&manager->stopped);
    mutex_unlock(&manager->lock);
    thread_join(manager->thread);
    condition_release(&manager->stopped);
    mutex_release(&manager->lock);
    memory_free(manager);
}
