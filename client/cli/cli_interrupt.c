/* cli_interrupt.c - the thread that takes SIGINT and SIGTERM. */
#include "client/cli/cli_interrupt.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/process.h"
#include "common/thread/thread.h"

static const int taken[] = { SIGINT, SIGTERM };

/* Notes the signal; false when the program is to end at once. */
static bool note(struct interrupt *interrupt, int number)
{
    bool is_noted = interrupt->can_be_stopped;
    if (number == SIGTERM) {
        interrupt->is_terminated = true;
        is_noted = is_noted || interrupt->wake != NULL;
    } else {
        is_noted = is_noted || interrupt->is_interactive;
    }
    is_noted = is_noted && !interrupt->was_asked;
    interrupt->was_asked = true;
    if (interrupt->wake != NULL && number == SIGTERM)
        interrupt->wake(interrupt->context);
    condition_broadcast(&interrupt->changed);
    return is_noted;
}

static void run(void *arg)
{
    struct interrupt *interrupt = arg;
    for (;;) {
        int number = thread_wait_signal(taken, ARRAY_SIZE(taken), -1);
        mutex_lock(&interrupt->lock);
        bool is_closing = interrupt->is_closing;
        bool is_noted = is_closing || note(interrupt, number);
        mutex_unlock(&interrupt->lock);
        if (is_closing)
            return;
        if (!is_noted)
            _exit(128 + number);
    }
}

void interrupt_start(struct interrupt *interrupt, bool is_interactive)
{
    *interrupt = (struct interrupt){.is_interactive = is_interactive};
    mutex_init(&interrupt->lock);
    condition_init(&interrupt->changed);
    thread_block_signals(taken, ARRAY_SIZE(taken));
    interrupt->thread = thread_start("Interrupt", run, interrupt);
}

void interrupt_stop(struct interrupt *interrupt)
{
    mutex_lock(&interrupt->lock);
    interrupt->is_closing = true;
    mutex_unlock(&interrupt->lock);
    process_terminate_self();
    thread_join(interrupt->thread);
    condition_release(&interrupt->changed);
    mutex_release(&interrupt->lock);
}

void interrupt_begin(struct interrupt *interrupt, bool can_be_stopped)
{
    mutex_lock(&interrupt->lock);
    interrupt->can_be_stopped = can_be_stopped;
    interrupt->was_asked = false;
    mutex_unlock(&interrupt->lock);
}

bool interrupt_was_asked(struct interrupt *interrupt)
{
    mutex_lock(&interrupt->lock);
    bool was_asked = interrupt->was_asked;
    mutex_unlock(&interrupt->lock);
    return was_asked;
}

bool interrupt_is_terminated(struct interrupt *interrupt)
{
    mutex_lock(&interrupt->lock);
    bool is_terminated = interrupt->is_terminated;
    mutex_unlock(&interrupt->lock);
    return is_terminated;
}

void interrupt_set_wake(struct interrupt *interrupt, void (*wake)(void *context), void *context)
{
    mutex_lock(&interrupt->lock);
    interrupt->wake = wake;
    interrupt->context = context;
    interrupt->was_asked = false;
    mutex_unlock(&interrupt->lock);
}

void interrupt_notify(struct interrupt *interrupt)
{
    mutex_lock(&interrupt->lock);
    condition_broadcast(&interrupt->changed);
    mutex_unlock(&interrupt->lock);
}
