/*
 * Ctrl-C and SIGTERM. One thread waits for them; a command that can be stopped is told, any other ends with the
 * program.
 */
#ifndef ZKC_CLIENT_CLI_INTERRUPT_H
#define ZKC_CLIENT_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/thread/mutex.h"

struct interrupt {
    struct mutex lock;
    struct condition changed;      /* also whatever else a command waits for: see interrupt_notify() */
    bool can_be_stopped;           /* GUARDED_BY(lock) the command that runs */
    bool is_interactive;           /* a person is there: Ctrl-C ends a command, not the shell */
    bool was_asked;                /* GUARDED_BY(lock) to stop */
    bool is_terminated;            /* GUARDED_BY(lock) by SIGTERM: the shell is to end */
    bool is_closing;               /* GUARDED_BY(lock) */
    void (*wake)(void *context);   /* GUARDED_BY(lock) whoever waits for a key; NULL: nobody */
    void *context;                 /* GUARDED_BY(lock) */
    struct thread *thread;
};

/* Before any other thread starts, since threads inherit which signals they take. */
void interrupt_start(struct interrupt *interrupt, bool is_interactive);
void interrupt_stop(struct interrupt *interrupt);

/*
 * Before a command. While one that can be stopped runs, or with a person there, the first Ctrl-C is only noted;
 * SIGTERM is while one runs that can be stopped, and while a key is waited for. Anything else ends the program at
 * once.
 */
void interrupt_begin(struct interrupt *interrupt, bool can_be_stopped);
bool interrupt_was_asked(struct interrupt *interrupt);
bool interrupt_is_terminated(struct interrupt *interrupt);
/* Who waits for a key is woken by SIGTERM; NULL: the wait is over. */
void interrupt_set_wake(struct interrupt *interrupt, void (*wake)(void *context), void *context);
/* Wakes who waits on `changed`. */
void interrupt_notify(struct interrupt *interrupt);

#endif
