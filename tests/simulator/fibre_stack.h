/* A stack to run on, and going from one to another. Knows nothing of who runs, or why. */
#ifndef ZKC_TESTS_SIMULATOR_FIBRE_STACK_H
#define ZKC_TESTS_SIMULATOR_FIBRE_STACK_H

#include <stddef.h>

struct fibre_stack;

/* A stack on which `entry` begins when it is first gone to; it must never return. Stacks are used again. */
struct fibre_stack *fibre_stack_new(void (*entry)(void *arg), void *arg);
void fibre_stack_free(struct fibre_stack *stack);    /* not the one we stand on; what was on it is forgotten */
/* The one that main() has. */
struct fibre_stack *fibre_stack_of_thread(void);
/* Leaves `from`, on which we stand, for `to`; returns when somebody goes to `from` again. */
void fibre_stack_go(struct fibre_stack *from, struct fibre_stack *to);

#endif
