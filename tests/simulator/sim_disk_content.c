/*
 * sim_disk_content.c - the bytes of a simulated file, as they are read and as they would be after a loss of power.
 *
 * Bytes live in pages of one block, made when something else than zeros is written there. A page holds what is read; of
 * each sector that was written since the last sync it also keeps what the disk has (`durable`, zeros without). So a
 * read is a copy, a write at most two, and a sync costs what was written since the last one.
 * (1) bytes of a page behind the size of the file are zeros;
 * (2) a page that is clean and not new has the disk's bytes;
 * (3) every page with dirty sectors is in the list of dirty blocks, but those whose sync failed: they wait there until
 *     they are written again, as in Linux, where a page whose write failed is clean;
 * (4) a cut of durable bytes is one change: with it everything written behind it since is lost, and without it what was
 *     cut off comes back. Several cuts without a sync between them count as one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/sim_disk_internal.h"

#define SECTORS (SIM_BLOCK / SIM_SECTOR)

struct sim_page {
    uint8_t now[SIM_BLOCK];
    uint8_t *durable;    /* of its dirty sectors */
    uint8_t dirty;       /* a bit for each sector */
    bool is_new;         /* the disk has zeros for its clean sectors */
    bool is_listed;
};

static int64_t block_of(int64_t offset)
{
    return offset / SIM_BLOCK;
}

static int64_t blocks_to(int64_t end)
{
    return (end + SIM_BLOCK - 1) / SIM_BLOCK;
}

/* ---- pages ---- */

static struct sim_page *page_at(const struct sim_content *content, int64_t block)
{
    return block < content->page_count ? content->pages[block] : NULL;
}

static struct sim_page *make_page(struct sim_content *content, int64_t block)
{
    if (block >= content->page_count) {
        int64_t count = 2 * content->page_count > block + 1 ? 2 * content->page_count : block + 1;
        content->pages = sim_disk_realloc(content->pages, (size_t)count * sizeof(content->pages[0]));
        memset(content->pages + content->page_count, 0,
               (size_t)(count - content->page_count) * sizeof(content->pages[0]));
        content->page_count = count;
    }
    if (content->pages[block] == NULL) {
        content->pages[block] = sim_disk_alloc(sizeof(struct sim_page));
        memset(content->pages[block], 0, sizeof(struct sim_page));
        content->pages[block]->is_new = true;
    }
    return content->pages[block];
}

static void free_page(struct sim_content *content, int64_t block)
{
    struct sim_page *page = page_at(content, block);
    if (page == NULL)
        return;
    free(page->durable);
    free(page);
    content->pages[block] = NULL;
}

static uint8_t *durable_sector(struct sim_page *page, int sector)
{
    if (page->durable == NULL) {
        page->durable = sim_disk_alloc(SIM_BLOCK);
        memset(page->durable, 0, SIM_BLOCK);
    }
    return page->durable + sector * SIM_SECTOR;
}

/* Before it is written to. */
static void make_dirty(struct sim_page *page, int sector, uint64_t write_back_one_in)
{
    bool is_dirty = (page->dirty >> sector & 1) != 0;
    if (is_dirty ? sim_one_in(write_back_one_in) : !page->is_new)
        memcpy(durable_sector(page, sector), page->now + sector * SIM_SECTOR, SIM_SECTOR);
    page->dirty = (uint8_t)(page->dirty | 1 << sector);
}

static void list_page(struct sim_content *content, struct sim_page *page, int64_t block)
{
    if (page->is_listed)
        return;
    page->is_listed = true;
    if (content->dirty_count == content->dirty_capacity) {
        content->dirty_capacity = content->dirty_capacity > 0 ? 2 * content->dirty_capacity : 16;
        content->dirty = sim_disk_realloc(content->dirty, content->dirty_capacity * sizeof(content->dirty[0]));
    }
    content->dirty[content->dirty_count++] = block;
}

static void make_clean(struct sim_page *page)
{
    free(page->durable);
    page->durable = NULL;
    page->dirty = 0;
    page->is_new = page->is_listed = false;
}

/* What the disk has for the page, all of it. */
static void copy_durable(const struct sim_page *page, uint8_t *bytes)
{
    for (int sector = 0; sector < SECTORS; sector++) {
        int at = sector * SIM_SECTOR;
        if ((page->dirty >> sector & 1) == 0)
            memcpy(bytes + at, page->now + at, SIM_SECTOR);
        else if (page->durable != NULL)
            memcpy(bytes + at, page->durable + at, SIM_SECTOR);
        else
            memset(bytes + at, 0, SIM_SECTOR);
    }
}

static void write_page(struct sim_content *content, int64_t block, const uint8_t *bytes, int from, int to,
                       uint64_t write_back_one_in)
{
    if (bytes == NULL && page_at(content, block) == NULL)
        return;
    struct sim_page *page = make_page(content, block);
    for (int sector = from / SIM_SECTOR; sector * SIM_SECTOR < to; sector++)
        make_dirty(page, sector, write_back_one_in);
    if (bytes != NULL)
        memcpy(page->now + from, bytes, (size_t)(to - from));
    else
        memset(page->now + from, 0, (size_t)(to - from));
    list_page(content, page, block);
}

/* ---- cuts ---- */

static void release_cut(struct sim_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++)
        free(cut->pages[i].bytes);
    free(cut->pages);
    sim_extents_release(&cut->extents);
    *cut = (struct sim_cut){ 0 };
}

static void save_page(struct sim_cut *cut, const struct sim_page *page, int64_t block)
{
    if (cut->count == cut->capacity) {
        cut->capacity = cut->capacity > 0 ? 2 * cut->capacity : 16;
        cut->pages = sim_disk_realloc(cut->pages, cut->capacity * sizeof(cut->pages[0]));
    }
    uint8_t *bytes = sim_disk_alloc(SIM_BLOCK);
    copy_durable(page, bytes);
    cut->pages[cut->count++] = (struct sim_cut_page){ block, bytes };
}

/* Keeps what is durable behind `size`, unless an earlier cut has it already. */
static void save_cut(struct sim_content *content, int64_t size)
{
    struct sim_cut *cut = &content->cut;
    int64_t end = cut->is_pending ? block_of(cut->size) : INT64_MAX;
    for (int64_t block = block_of(size); block < content->page_count && block < end; block++) {
        const struct sim_page *page = content->pages[block];
        if (page != NULL && (!page->is_new || page->durable != NULL))
            save_page(cut, page, block);
    }
    for (size_t i = 0; i < content->extents.count; i++) {
        struct sim_extent extent = content->extents.list[i];
        sim_extents_add(&cut->extents, extent.from > block_of(size) ? extent.from : block_of(size),
                   extent.to < end ? extent.to : end);
    }
    cut->is_pending = true;
    cut->size = size;
}

/* What lies behind `size` is gone, in memory and on the disk. */
static void drop_behind(struct sim_content *content, int64_t size)
{
    for (int64_t block = blocks_to(size); block < content->page_count; block++)
        free_page(content, block);
    size_t kept = 0;
    for (size_t i = 0; i < content->dirty_count; i++)
        if (content->dirty[i] < blocks_to(size))
            content->dirty[kept++] = content->dirty[i];
    content->dirty_count = kept;
    sim_extents_remove(&content->extents, blocks_to(size), INT64_MAX);
    struct sim_page *page = page_at(content, block_of(size));
    int from = (int)(size % SIM_BLOCK);
    if (page != NULL && from > 0) {
        memset(page->now + from, 0, (size_t)(SIM_BLOCK - from));
        if (page->durable != NULL)
            memset(page->durable + from, 0, (size_t)(SIM_BLOCK - from));
    }
}

/* The cut never happened. */
static void undo_cut(struct sim_content *content)
{
    struct sim_cut *cut = &content->cut;
    drop_behind(content, cut->size);
    /* The sector the cut goes through comes back whole, so what was written into its first part since is lost too. */
    int64_t from = cut->size / SIM_SECTOR * SIM_SECTOR;
    for (size_t i = 0; i < cut->count; i++) {
        struct sim_page *page = make_page(content, cut->pages[i].block);
        for (int sector = 0; sector < SECTORS; sector++) {
            int at = sector * SIM_SECTOR;
            if (cut->pages[i].block * SIM_BLOCK + at < from)
                continue;
            memcpy(page->now + at, cut->pages[i].bytes + at, SIM_SECTOR);
            page->dirty = (uint8_t)(page->dirty & ~(1 << sector));
        }
    }
    for (size_t i = 0; i < cut->extents.count; i++)
        sim_extents_add(&content->extents, cut->extents.list[i].from, cut->extents.list[i].to);
    content->size = content->durable_size;
}

/* ---- loss of power ---- */

static int64_t choose_size(int64_t least, int64_t most, const struct sim_loss *loss)
{
    if (least >= most || loss->kind != SIM_DISK_LOSS_MIXED)
        return loss->kind == SIM_DISK_LOSS_ALL ? least : most;
    switch (sim_below(3)) {
    case 0: return least;
    case 1: return most;
    default: return sim_between(least, most);
    }
}

static void settle_page(struct sim_content *content, int64_t block, const struct sim_loss *loss)
{
    struct sim_page *page = content->pages[block];
    bool has_bytes = !page->is_new || page->durable != NULL;
    for (int sector = 0; sector < SECTORS; sector++) {
        int at = sector * SIM_SECTOR;
        if ((page->dirty >> sector & 1) == 0)
            continue;
        if (page->is_listed && sim_loss_keeps(loss))
            has_bytes = true;
        else if (page->durable != NULL)
            memcpy(page->now + at, page->durable + at, SIM_SECTOR);
        else
            memset(page->now + at, 0, SIM_SECTOR);
    }
    make_clean(page);
    if (!has_bytes) {
        free_page(content, block);
        sim_extents_remove(&content->extents, block, block + 1);
    }
}

void sim_content_lose_power(struct sim_content *content, const struct sim_loss *loss)
{
    int64_t least = content->durable_size;
    if (content->cut.is_pending) {
        if (sim_loss_keeps(loss))
            least = content->cut.size;
        else
            undo_cut(content);
    }
    for (int64_t block = 0; block < content->page_count; block++)
        if (content->pages[block] != NULL && content->pages[block]->dirty != 0)
            settle_page(content, block, loss);
    int64_t size = choose_size(least, content->size, loss);
    drop_behind(content, size);
    content->size = size;
    for (int64_t block = 0; block < content->page_count; block++)
        if (content->pages[block] != NULL)
            make_clean(content->pages[block]);
    content->durable_size = size;
    content->dirty_count = 0;
    release_cut(&content->cut);
}

/* ---- the calls ---- */

void sim_content_release(struct sim_content *content)
{
    for (int64_t block = 0; block < content->page_count; block++)
        free_page(content, block);
    free(content->pages);
    free(content->dirty);
    sim_extents_release(&content->extents);
    release_cut(&content->cut);
    *content = (struct sim_content){ 0 };
}

size_t sim_content_read(const struct sim_content *content, void *bytes, size_t size, int64_t offset)
{
    if (offset >= content->size)
        return 0;
    if ((int64_t)size > content->size - offset)
        size = (size_t)(content->size - offset);
    for (size_t done = 0, part; done < size; done += part) {
        int64_t at = offset + (int64_t)done;
        size_t from = (size_t)(at % SIM_BLOCK);
        part = size - done < SIM_BLOCK - from ? size - done : SIM_BLOCK - from;
        const struct sim_page *page = page_at(content, block_of(at));
        if (page != NULL)
            memcpy((uint8_t *)bytes + done, page->now + from, part);
        else
            memset((uint8_t *)bytes + done, 0, part);
    }
    return size;
}

void sim_content_write(struct sim_content *content, const void *bytes, int64_t size, int64_t offset,
                       uint64_t write_back_one_in)
{
    if (size <= 0)
        return;
    int64_t end = offset + size;
    for (int64_t block = block_of(offset); block * SIM_BLOCK < end; block++) {
        if (bytes == NULL && block >= content->page_count)
            break;
        int64_t start = block * SIM_BLOCK;
        int from = offset > start ? (int)(offset - start) : 0;
        int to = end < start + SIM_BLOCK ? (int)(end - start) : SIM_BLOCK;
        const uint8_t *source = bytes != NULL ? (const uint8_t *)bytes + (start + from - offset) : NULL;
        write_page(content, block, source, from, to, write_back_one_in);
    }
    sim_extents_add(&content->extents, block_of(offset), blocks_to(end));
    if (end > content->size)
        content->size = end;
}

void sim_content_truncate(struct sim_content *content, int64_t size)
{
    if (size < content->size) {
        if (size < (content->cut.is_pending ? content->cut.size : content->durable_size))
            save_cut(content, size);
        drop_behind(content, size);
    }
    content->size = size;
}

void sim_content_sync(struct sim_content *content)
{
    for (size_t i = 0; i < content->dirty_count; i++) {
        struct sim_page *page = page_at(content, content->dirty[i]);
        if (page != NULL && page->is_listed)
            make_clean(page);
    }
    content->dirty_count = 0;
    content->durable_size = content->size;
    release_cut(&content->cut);
}

void sim_content_fail_sync(struct sim_content *content)
{
    for (size_t i = 0; i < content->dirty_count; i++) {
        struct sim_page *page = page_at(content, content->dirty[i]);
        if (page != NULL)
            page->is_listed = false;
    }
    content->dirty_count = 0;
}

int64_t sim_content_next_data(const struct sim_content *content, int64_t offset)
{
    int64_t block = offset < content->size ? sim_extents_next(&content->extents, block_of(offset)) : -1;
    return block * SIM_BLOCK > offset ? block * SIM_BLOCK : block >= 0 ? offset : -1;
}

int64_t sim_content_blocks(const struct sim_content *content)
{
    return sim_extents_count(&content->extents);
}

int64_t sim_content_reach(const struct sim_content *content, int64_t from, int64_t to, int64_t free_blocks)
{
    for (int64_t block = block_of(from); block * SIM_BLOCK < to; block++) {
        if (!sim_extents_have(&content->extents, block) && free_blocks-- <= 0)
            return block * SIM_BLOCK > from ? block * SIM_BLOCK : from;
    }
    return to;
}

static uint64_t count_pages(const struct sim_content *content)
{
    uint64_t pages = 0;
    for (int64_t block = 0; block < content->page_count; block++)
        pages += content->pages[block] != NULL;
    return pages;
}

bool sim_content_has_bytes(const struct sim_content *content)
{
    return count_pages(content) > 0;
}

int64_t sim_content_rot(struct sim_content *content, int *ret_bit)
{
    uint64_t chosen = sim_below(count_pages(content));
    int64_t block = 0;
    while (content->pages[block] == NULL || chosen-- > 0)
        block++;
    int64_t left = content->size - block * SIM_BLOCK;
    int64_t at = sim_between(0, (left < SIM_BLOCK ? left : SIM_BLOCK) - 1);
    *ret_bit = (int)sim_below(8);
    struct sim_page *page = content->pages[block];
    page->now[at] ^= (uint8_t)(1 << *ret_bit);
    if (page->durable != NULL)
        page->durable[at] ^= (uint8_t)(1 << *ret_bit);
    return block * SIM_BLOCK + at;
}
