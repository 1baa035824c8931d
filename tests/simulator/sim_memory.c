/* sim_memory.c - common/base/memory.h: every block belongs to the program that asked for it, and goes with it. */
#include "common/base/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/world.h"

struct sim_blocks {
    alignas(16) struct sim_blocks *next;
    struct sim_blocks *previous;
    struct sim_node *node;    /* NULL: the driver's, in no list */
    size_t size;
};

static void link_in(struct sim_blocks *block)
{
    struct sim_node *node = block->node;
    if (node == NULL)
        return;
    block->previous = NULL;
    block->next = node->blocks;
    if (node->blocks != NULL)
        node->blocks->previous = block;
    node->blocks = block;
    node->block_count++;
    node->block_bytes += block->size;
}

static void link_out(struct sim_blocks *block)
{
    struct sim_node *node = block->node;
    if (node == NULL)
        return;
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        node->blocks = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    node->block_count--;
    node->block_bytes -= block->size;
}

static void *make(size_t size, bool zeroed)
{
    size_t whole;
    bool too_large = __builtin_add_overflow(size, sizeof(struct sim_blocks), &whole);
    struct sim_blocks *block = too_large ? NULL : zeroed ? calloc(1, whole) : malloc(whole);
    if (block == NULL)
        abort();
    block->node = sim_current_node();
    block->size = size;
    link_in(block);
    return block + 1;
}

void *memory_alloc(size_t size)
{
    return make(size, false);
}

void *memory_alloc_zero(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return make(total, true);
}

void *memory_realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return make(size, false);
    struct sim_blocks *block = (struct sim_blocks *)memory - 1;
    link_out(block);
    block = realloc(block, sizeof(*block) + size);
    if (block == NULL)
        abort();
    block->size = size;
    link_in(block);
    return block + 1;
}

void *memory_copy(const void *bytes, size_t size)
{
    void *copy = make(size, false);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

void memory_free(void *memory)
{
    if (memory == NULL)
        return;
    struct sim_blocks *block = (struct sim_blocks *)memory - 1;
    link_out(block);
    free(block);
}

void memory_free_secret(void *memory, size_t size)
{
    if (memory != NULL)
        explicit_bzero(memory, size);
    memory_free(memory);
}

void memory_keep_freed(void)
{
}

void sim_memory_lose_program(struct sim_node *node)
{
    struct sim_blocks *next;
    for (struct sim_blocks *block = node->blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    node->blocks = NULL;
    node->block_count = node->block_bytes = 0;
}
