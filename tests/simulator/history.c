/* history.c - tables of what was acknowledged and seen; each check where the fact comes in. */
#include "tests/simulator/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/scheduler.h"

/* An open table from a number to two others; 0 is no key. */
struct table {
    struct row {
        uint64_t key, first, second;
    } *rows;
    size_t count, capacity;
};

struct reg {
    struct table versions;     /* version + 1 -> value, zxid */
    int32_t acked;             /* the highest version that was acknowledged, plus one */
};

static struct {
    struct table applied;      /* zxid -> hash, the zxid before it where that is known */
    struct reg regs[HISTORY_REGISTERS];
    struct table leaders;      /* epoch -> sid */
    struct table created;      /* hash of the path -> zxid; 0 when it was seen only */
    uint64_t created_count, listed_count;    /* nodes of the list: acknowledged; of them seen in the end */
    uint64_t last_value, acknowledged;
} history;

static struct row *place(struct row *rows, size_t capacity, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (capacity - 1);
    while (rows[at].key != 0 && rows[at].key != key)
        at = (at + 1) & (capacity - 1);
    return &rows[at];
}

static void grow(struct table *table)
{
    size_t capacity = table->capacity > 0 ? 2 * table->capacity : 256;
    struct row *rows = calloc(capacity, sizeof(*rows));
    assert(rows != NULL);
    for (size_t i = 0; i < table->capacity; i++)
        if (table->rows[i].key != 0)
            *place(rows, capacity, table->rows[i].key) = table->rows[i];
    free(table->rows);
    table->rows = rows;
    table->capacity = capacity;
}

/* The row of the key; a new one has is_new set and its numbers zero. */
static struct row *row_of(struct table *table, uint64_t key, bool *ret_is_new)
{
    if (2 * table->count >= table->capacity)
        grow(table);
    struct row *row = place(table->rows, table->capacity, key);
    *ret_is_new = row->key == 0;
    if (*ret_is_new) {
        row->key = key;
        table->count++;
    }
    return row;
}

void history_begin(void)
{
    memset(&history, 0, sizeof(history));
}

void history_end(void)
{
    free(history.applied.rows);
    free(history.leaders.rows);
    free(history.created.rows);
    for (int i = 0; i < HISTORY_REGISTERS; i++)
        free(history.regs[i].versions.rows);
    history_begin();
}

void history_applied(const char *who, int64_t zxid, uint64_t hash)
{
    bool is_new;
    struct row *row = row_of(&history.applied, (uint64_t)zxid, &is_new);
    if (is_new)
        row->first = hash;
    else if (row->first != hash)
        sim_violation("%s applied another transaction 0x%" PRIx64 " than others", who, (uint64_t)zxid);
}

void history_followed(const char *who, int64_t zxid, int64_t previous)
{
    bool is_new;
    struct row *row = row_of(&history.applied, (uint64_t)zxid, &is_new);
    if (row->second == 0)
        row->second = (uint64_t)previous;
    else if (row->second != (uint64_t)previous)
        sim_violation("%s: 0x%" PRIx64 " follows 0x%" PRIx64 ", and follows 0x%" PRIx64 " elsewhere", who,
                      (uint64_t)zxid, (uint64_t)previous, row->second);
}

void history_led(const char *who, int sid, int64_t epoch)
{
    bool is_new;
    struct row *row = row_of(&history.leaders, (uint64_t)epoch + 1, &is_new);
    if (is_new)
        row->first = (uint64_t)sid;
    else if (row->first != (uint64_t)sid)    /* (7) */
        sim_violation("%s leads in epoch %" PRId64 ", in which server %" PRIu64 " has led", who, epoch, row->first);
}

uint64_t history_new_value(void)
{
    return ++history.last_value;
}

/* (2) */
static void known_version(int reg, uint64_t value, int32_t version, int64_t zxid)
{
    bool is_new;
    struct row *row = row_of(&history.regs[reg].versions, (uint64_t)version + 1, &is_new);
    if (is_new) {
        row->first = value;
        row->second = (uint64_t)zxid;
    } else if (row->first != value || row->second != (uint64_t)zxid) {
        sim_violation("register %d: version %" PRId32 " is value %" PRIu64 " of 0x%" PRIx64 ", and was %" PRIu64
                      " of 0x%" PRIx64,
                      reg, version, value, (uint64_t)zxid, row->first, row->second);
    }
}

void history_count_write(void)
{
    history.acknowledged++;
}

void history_wrote(int reg, uint64_t value, int32_t version, int64_t zxid)
{
    history_count_write();
    known_version(reg, value, version, zxid);
    if (version + 1 > history.regs[reg].acked)
        history.regs[reg].acked = version + 1;
}

void history_read(int reg, uint64_t value, int32_t version, int64_t zxid, int32_t floor)
{
    known_version(reg, value, version, zxid);
    if (version < floor)    /* (3) */
        sim_violation("register %d: version %" PRId32 " was acknowledged before, and version %" PRId32
                      " is read behind a sync",
                      reg, floor, version);
}

int32_t history_acked_version(int reg)
{
    return history.regs[reg].acked - 1;
}

static struct row *row_of_path(const char *path, bool *ret_is_new)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    for (const char *at = path; *at != '\0'; at++)
        key = (key ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    return row_of(&history.created, key | 1, ret_is_new);
}

void history_created(const char *path, int64_t zxid)
{
    history_count_write();
    bool is_new;
    struct row *row = row_of_path(path, &is_new);
    if (!is_new)    /* (6) */
        sim_violation("%s was created twice: 0x%" PRIx64 " and 0x%" PRIx64, path, row->first, (uint64_t)zxid);
    row->first = (uint64_t)zxid;
    history.created_count++;
}

void history_listed(const char *path)
{
    bool is_new;
    struct row *row = row_of_path(path, &is_new);
    if (row->first != 0 && row->second == 0)
        history.listed_count++;
    row->second = 1;
}

void history_list_ends(void)
{
    if (history.listed_count < history.created_count)    /* (6) */
        sim_violation("%" PRIu64 " sequential nodes were acknowledged, and %" PRIu64 " of them are there",
                      history.created_count, history.listed_count);
}

uint64_t history_acknowledged(void)
{
    return history.acknowledged;
}

void session_saw(struct session_view *view, const char *who, int reg, int32_t version, int64_t zxid)
{
    if (version + 1 < view->version[reg])    /* (4) */
        sim_violation("%s saw version %" PRId32 " of register %d, and now %" PRId32, who, view->version[reg] - 1, reg,
                      version);
    if (view->watched[reg] > 0 && version + 1 > view->watched[reg])    /* (5) */
        sim_violation("%s sees version %" PRId32 " of register %d, and its watch on version %" PRId32 " has not fired",
                      who, version, reg, view->watched[reg] - 1);
    if (version + 1 > view->version[reg])
        view->version[reg] = version + 1;
    if (zxid > view->zxid)
        view->zxid = zxid;
}

void session_watches(struct session_view *view, int reg, int32_t version)
{
    view->watched[reg] = version + 1;
}

void session_watch_fired(struct session_view *view, int reg)
{
    view->watched[reg] = 0;
}
