/*
 * cli_editor.c - lines typed at a terminal.
 *
 * While a line is typed the main thread sleeps in a poller on standard input. The library's thread puts an event into a
 * list and wakes the poller; the main thread prints it and has libedit draw the line again below. Ctrl-C is a key
 * here, not a signal: it throws the line away.
 */
#include "client/cli/cli_editor.h"

#include <histedit.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "client/cli/cli_completion.h"
#include "client/cli/cli_history.h"
#include "common/base/console.h"
#include "common/base/list.h"
#include "common/base/memory.h"
#include "common/base/strings.h"
#include "common/net/poller.h"

struct editor_event {
    struct list link;
    int type, state;
    char *path;
};
struct editor {
    struct cli *cli;
    EditLine *edit;
    History *history;
    char *path;               /* of the file of lines */
    struct buffer prompt, line;
    struct poller *poller;
    struct mutex lock;
    struct list events;       /* GUARDED_BY(lock) to be told */
};

static struct editor *editor_of(EditLine *edit)
{
    struct editor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, (void **)&editor);
    return editor;
}

/* ---- events ---- */

/* Thread: the library's. */
static bool take_event(void *context, int type, int state, const char *path)
{
    struct editor *editor = context;
    struct editor_event *event = MEMORY_NEW(struct editor_event);
    event->type = type;
    event->state = state;
    event->path = string_copy(path == NULL ? "" : path);
    mutex_lock(&editor->lock);
    list_add_last(&editor->events, &event->link);
    mutex_unlock(&editor->lock);
    poller_wake(editor->poller);
    return true;
}

static struct editor_event *next_event(struct editor *editor)
{
    struct editor_event *event = NULL;
    mutex_lock(&editor->lock);
    if (!list_is_empty(&editor->events)) {
        event = LIST_ENTRY(editor->events.next, struct editor_event, link);
        list_remove(&event->link);
    }
    mutex_unlock(&editor->lock);
    return event;
}

static void wake(void *context)
{
    struct editor *editor = context;
    poller_wake(editor->poller);
}

static bool tell_events(struct editor *editor)
{
    bool has_told = false;
    for (struct editor_event *event = next_event(editor); event != NULL; event = next_event(editor)) {
        has_told = cli_tell_event(editor->cli, event->type, event->state, event->path) || has_told;
        memory_free(event->path);
        memory_free(event);
    }
    return has_told;
}

/* ---- keys ---- */

static int read_key(EditLine *edit, wchar_t *ret_key)
{
    struct editor *editor = editor_of(edit);
    mbstate_t state = {0};
    for (;;) {
        struct poller_event ready[2];
        size_t count = poller_wait(editor->poller, ready, ARRAY_SIZE(ready), INT64_MAX);
        if (interrupt_is_terminated(&editor->cli->interrupt))
            return 0;
        if (tell_events(editor))
            el_set(edit, EL_REFRESH);
        bool has_key = false;
        for (size_t i = 0; i < count; i++)
            has_key = has_key || ready[i].data != NULL;
        if (!has_key)
            continue;
        char byte;
        size_t got;
        if (console_read(&byte, 1, &got, NULL) != ZK_OK)
            return 0;
        size_t length = mbrtowc(ret_key, &byte, 1, &state);
        if (length != (size_t)-2)
            return length == (size_t)-1 ? -1 : 1;
    }
}

static char *prompt_of(EditLine *edit)
{
    struct editor *editor = editor_of(edit);
    struct cli *cli = editor->cli;
    buffer_clear(&editor->prompt);
    buffer_printf(&editor->prompt, "[zk: %s(%s) %zu] ", cli->host, session_state_name(&cli->session),
                  cli->command_count);
    return buffer_string(&editor->prompt);
}

static unsigned char throw_line_away(EditLine *edit, int key)
{
    (void)key;
    const LineInfo *line = el_line(edit);
    el_cursor(edit, (int)(line->lastchar - line->cursor));
    el_deletestr(edit, (int)(line->lastchar - line->buffer));
    el_insertstr(edit, "\n");
    fputs("^C\n", stdout);
    fflush(stdout);
    return CC_NEWLINE;
}

static void show_candidates(const struct words *candidates)
{
    struct buffer text = {0};
    size_t widest = 0;
    for (size_t i = 0; i < candidates->count; i++)
        widest = strlen(candidates->items[i]) > widest ? strlen(candidates->items[i]) : widest;
    size_t columns = (size_t)console_width() / (widest + 2);
    columns = columns == 0 ? 1 : columns;
    buffer_append_byte(&text, '\n');
    for (size_t i = 0; i < candidates->count; i++) {
        bool is_row_end = (i + 1) % columns == 0 || i + 1 == candidates->count;
        size_t size = strlen(candidates->items[i]);
        format_escaped(candidates->items[i], size, FORMAT_NAME, &text);
        buffer_printf(&text, "%*s", is_row_end ? 0 : (int)(widest + 2 - size), "");
        if (is_row_end)
            buffer_append_byte(&text, '\n');
    }
    fwrite(text.bytes, 1, text.size, stdout);
    fflush(stdout);
    buffer_release(&text);
}

static unsigned char complete(EditLine *edit, int key)
{
    struct editor *editor = editor_of(edit);
    const LineInfo *line = el_line(edit);
    struct completion found;
    unsigned char result = CC_ERROR;
    (void)key;
    completion_find(editor->cli, line->buffer, (size_t)(line->cursor - line->buffer), &found);
    size_t common = completion_common(&found.candidates);
    if (common > found.typed) {
        char *rest = string_copy_n(found.candidates.items[0] + found.typed, common - found.typed);
        el_insertstr(edit, rest);
        memory_free(rest);
        result = CC_REFRESH;
    }
    if (found.candidates.count == 1) {
        if (found.candidates.items[0][0] != '/')
            el_insertstr(edit, " ");
        result = CC_REFRESH;
    } else if (found.candidates.count > 1 && common <= found.typed) {
        show_candidates(&found.candidates);
        result = CC_REDISPLAY;
    }
    words_release(&found.candidates);
    return result;
}

/* ---- life ---- */

static void load_history(struct editor *editor)
{
    struct words lines;
    HistEvent event;
    history(editor->history, &event, H_SETSIZE, HISTORY_MOST);
    history(editor->history, &event, H_SETUNIQUE, 1);
    history_load(editor->path, &lines);
    for (size_t i = 0; i < lines.count; i++)
        history(editor->history, &event, H_ENTER, lines.items[i]);
    words_release(&lines);
}

static void set_up_keys(EditLine *edit)
{
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_GETCFN, read_key);
    el_wset(edit, EL_ADDFN, L"zk-complete", L"Complete a command or a path", complete); /* el_set() leaks the names */
    el_wset(edit, EL_ADDFN, L"zk-interrupt", L"Throw the line away", throw_line_away);
    el_source(edit, NULL);
    el_set(edit, EL_BIND, "^I", "zk-complete", NULL);
    el_set(edit, EL_BIND, "^C", "zk-interrupt", NULL);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(edit, EL_SETTY, "-d", "-isig", NULL);
}

struct editor *editor_new(struct cli *cli, struct error *error)
{
    struct editor *editor = MEMORY_NEW(struct editor);
    editor->cli = cli;
    mutex_init(&editor->lock);
    list_init(&editor->events);
    editor->poller = poller_new();
    editor->path = history_path();
    editor->history = history_init();
    editor->edit = el_init("zkcli", stdin, stdout, stderr);
    if (editor->edit == NULL || editor->history == NULL) {
        error_set(error, ZK_IO, "the terminal cannot be used for editing");
    } else if (poller_add(editor->poller, CONSOLE_INPUT, POLLER_READ, editor, error) == ZK_OK) {
        el_set(editor->edit, EL_CLIENTDATA, editor);
        el_set(editor->edit, EL_PROMPT, prompt_of);
        el_set(editor->edit, EL_HIST, history, editor->history);
        set_up_keys(editor->edit);
        load_history(editor);
        return editor;
    }
    editor_free(editor);
    return NULL;
}

void editor_free(struct editor *editor)
{
    if (editor == NULL)
        return;
    if (editor->edit != NULL)
        el_end(editor->edit);
    if (editor->history != NULL)
        history_end(editor->history);
    poller_free(editor->poller);
    buffer_release(&editor->prompt);
    buffer_release(&editor->line);
    memory_free(editor->path);
    mutex_release(&editor->lock);
    memory_free(editor);
}

static void remember(struct editor *editor, const char *line)
{
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
    history_append(editor->path, line);
}

const char *editor_read(struct editor *editor)
{
    int size = 0;
    cli_hook_events(editor->cli, (struct cli_event_hook){take_event, editor});
    interrupt_set_wake(&editor->cli->interrupt, wake, editor);
    const char *typed = el_gets(editor->edit, &size);
    interrupt_set_wake(&editor->cli->interrupt, NULL, NULL);
    cli_hook_events(editor->cli, (struct cli_event_hook){0});
    tell_events(editor);
    if (typed == NULL || size <= 0)
        return NULL;
    buffer_clear(&editor->line);
    buffer_append(&editor->line, typed, (size_t)size - (typed[size - 1] == '\n' ? 1 : 0));
    const char *line = buffer_string(&editor->line);
    if (line[0] != '\0')
        remember(editor, line);
    return line;
}
