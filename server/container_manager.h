/* Deletes empty containers and nodes whose time to live is over. Mirrors ContainerManager; thread
 * "ContainerManagerTask". */
#ifndef ZKC_SERVER_CONTAINER_MANAGER_H
#define ZKC_SERVER_CONTAINER_MANAGER_H

#include <stdint.h>

#include "server/request/server_core.h"

struct container_manager;
/* Who takes the delete requests; may wait for room. */
struct container_sink {
    void (*submit)(struct container_sink *self, struct request *request);
};
struct container_manager *container_manager_start(struct server_core *core, struct container_sink *sink);
void container_manager_stop(struct container_manager *manager);    /* joined, freed; NULL is accepted */

/* Which nodes are due at this wall time, for tests and for the task itself. */
void container_manager_candidates(struct server_core *core, int64_t now_wall_ms, struct path_list *ret_paths);

#endif
