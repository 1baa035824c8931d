/* sim_descriptor.c - the numbers by which a program knows its files, sockets and pollers. */
#include <errno.h>
#include <stdlib.h>

#include "tests/simulator/sim_network_internal.h"

#define FIRST_DESCRIPTOR 3    /* every program has three from its birth */

static int lowest_free(struct sim_network_node *at)
{
    while (at->lowest_free < at->descriptor_count && at->descriptors[at->lowest_free].kind != SIM_NOTHING)
        at->lowest_free++;
    return at->lowest_free;
}

bool descriptor_is_left(struct sim_node *node)
{
    return lowest_free(node->network) < node->network->descriptor_limit;
}

static void grow(struct sim_network_node *at, int count)
{
    at->descriptors = realloc(at->descriptors, (size_t)count * sizeof(at->descriptors[0]));
    if (at->descriptors == NULL)
        abort();
    while (at->descriptor_count < count)
        at->descriptors[at->descriptor_count++] = (struct sim_descriptor){.kind = SIM_NOTHING};
}

int descriptor_take(struct sim_node *node, enum sim_kind kind, void *object)
{
    struct sim_network_node *at = node->network;
    int fd = lowest_free(at);
    if (fd >= at->descriptor_limit) {
        errno = EMFILE;
        return -1;
    }
    if (fd >= at->descriptor_count)
        grow(at, 2 * fd + 8);
    at->descriptors[fd] = (struct sim_descriptor){.kind = kind, .object = object};
    at->open_count++;
    return fd;
}

void descriptor_give(struct sim_node *node, int fd)
{
    struct sim_network_node *at = node->network;
    at->descriptors[fd] = (struct sim_descriptor){.kind = SIM_NOTHING};
    at->open_count--;
    if (fd < at->lowest_free && fd >= FIRST_DESCRIPTOR)
        at->lowest_free = fd;
}

static enum sim_kind kind_of(const struct sim_node *node, int fd)
{
    return fd >= 0 && fd < node->network->descriptor_count ? node->network->descriptors[fd].kind : SIM_NOTHING;
}

void *descriptor_find(int fd, enum sim_kind kind)
{
    struct sim_node *node = sim_current_node();
    return kind_of(node, fd) == kind ? node->network->descriptors[fd].object : NULL;
}

struct sim_socket *descriptor_socket(int fd, const char *call)
{
    struct sim_node *node = sim_current_node();
    enum sim_kind kind = kind_of(node, fd);
    if (kind == SIM_LISTENER || kind == SIM_STREAM || kind == SIM_DATAGRAM)
        return node->network->descriptors[fd].object;
    if (call != NULL)
        sim_violation("%s: %s of descriptor %d, which is no open socket", node->name, call, fd);
    errno = EBADF;
    return NULL;
}

int sim_descriptor_take(void)
{
    return descriptor_take(sim_current_node(), SIM_FILE, NULL);
}

void sim_descriptor_give(int descriptor)
{
    struct sim_node *node = sim_current_node();
    if (node != NULL && kind_of(node, descriptor) == SIM_FILE)
        descriptor_give(node, descriptor);
}

int64_t sim_descriptor_next(void)
{
    struct sim_node *node = sim_current_node();
    return descriptor_is_left(node) ? lowest_free(node->network) : INT64_MAX;
}

int64_t sim_descriptors_open(void)
{
    return sim_current_node()->network->open_count + FIRST_DESCRIPTOR;
}

int64_t sim_descriptors_most(void)
{
    return sim_current_node()->network->descriptor_limit;
}

void sim_descriptor_limit(struct sim_node *node, int limit)
{
    struct sim_network_node *at = node->network;
    if (at->lowest_free < FIRST_DESCRIPTOR)
        at->lowest_free = FIRST_DESCRIPTOR;
    at->descriptor_limit = limit;
}
