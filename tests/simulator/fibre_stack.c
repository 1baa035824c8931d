/*
 * fibre_stack.c - stacks and going from one to another: by a few instructions where we know the machine, by ucontext
 * elsewhere. The sanitizers are told of each switch, and of nothing else here.
 */
#include "tests/simulator/fibre_stack.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define STACK_SIZE ((size_t)1 << 20)    /* address space; what is not touched is no memory */
#define GUARD_SIZE ((size_t)4096)

struct fibre_stack {
    void *pointer;            /* of the stack, while it is left */
    char *lowest;             /* of the mapping; NULL for the thread's own */
    struct fibre_stack *next_free;
    void (*entry)(void *arg);
    void *arg;
    const void *asan_bottom;    /* what asan takes for its ends */
    size_t asan_size;
    void *asan_fake;
    void *tsan_fibre;
#if !defined(__x86_64__)
    ucontext_t context;
#endif
};

static struct fibre_stack *free_stacks;
static struct fibre_stack of_thread;
static struct fibre_stack *came_from;    /* who went to the one that runs */

/* ---- what the sanitizers want to know ---- */

static void about_to_go(struct fibre_stack *from, struct fibre_stack *to)
{
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&from->asan_fake, to->asan_bottom, to->asan_size);
#endif
#ifdef WITH_TSAN
    if (from->tsan_fibre == NULL)
        from->tsan_fibre = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->tsan_fibre, 0);
#endif
    (void)from;
    (void)to;
}

static void have_come(struct fibre_stack *here, struct fibre_stack *from)
{
#ifdef WITH_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(here->asan_fake, &bottom, &size);
    if (from->lowest == NULL) {
        from->asan_bottom = bottom;
        from->asan_size = size;
    }
#endif
    (void)here;
    (void)from;
}

static void has_begun(struct fibre_stack *stack)
{
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(stack->lowest + GUARD_SIZE, STACK_SIZE);
    stack->asan_bottom = stack->lowest + GUARD_SIZE;
    stack->asan_size = STACK_SIZE;
    stack->asan_fake = NULL;
#endif
#ifdef WITH_TSAN
    stack->tsan_fibre = __tsan_create_fiber(0);
#endif
    (void)stack;
}

static void has_ended(struct fibre_stack *stack)
{
#ifdef WITH_TSAN
    __tsan_destroy_fiber(stack->tsan_fibre);
    stack->tsan_fibre = NULL;
#endif
    (void)stack;
}

/* ---- the switch ---- */

static void begin(struct fibre_stack *stack)
{
    have_come(stack, came_from);
    stack->entry(stack->arg);
    abort();
}

#if defined(__x86_64__)

void sim_switch_stack(void **ret_left, void *to);
void sim_begin_stack(void);

/* Registers that a call must keep go onto the stack that is left and come from the one that is gone to. A new stack has
 * zeros for them, its struct in r12, and returns into sim_begin_stack. */
__asm__(".text\n"
        ".p2align 4\n"
        ".type sim_switch_stack, @function\n"
        "sim_switch_stack:\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size sim_switch_stack, . - sim_switch_stack\n"
        ".type sim_begin_stack, @function\n"
        "sim_begin_stack:\n"
        "    movq %r12, %rdi\n"
        "    xorl %ebp, %ebp\n"
        "    pushq $0\n"    /* the end of a backtrace; and the stack is aligned for a call */
        "    jmp *%r13\n"
        ".size sim_begin_stack, . - sim_begin_stack\n");

static void prepare(struct fibre_stack *stack)
{
    uint64_t *top = (uint64_t *)(void *)(stack->lowest + GUARD_SIZE + STACK_SIZE);
    *--top = 0;
    *--top = 0;
    *--top = (uint64_t)(uintptr_t)sim_begin_stack;
    *--top = 0;                               /* rbp */
    *--top = 0;                               /* rbx */
    *--top = (uint64_t)(uintptr_t)stack;      /* r12 */
    *--top = (uint64_t)(uintptr_t)begin;      /* r13 */
    *--top = 0;                               /* r14 */
    *--top = 0;                               /* r15 */
    stack->pointer = top;
}

static void go(struct fibre_stack *from, struct fibre_stack *to)
{
    sim_switch_stack(&from->pointer, to->pointer);
}

#else

static void begin_context(uint32_t high, uint32_t low)
{
    begin((struct fibre_stack *)(uintptr_t)((uint64_t)high << 32 | low));
}

static void prepare(struct fibre_stack *stack)
{
    uint64_t address = (uint64_t)(uintptr_t)stack;
    getcontext(&stack->context);
    stack->context.uc_stack.ss_sp = stack->lowest + GUARD_SIZE;
    stack->context.uc_stack.ss_size = STACK_SIZE;
    stack->context.uc_link = NULL;
    makecontext(&stack->context, (void (*)(void))begin_context, 2, (uint32_t)(address >> 32), (uint32_t)address);
}

static void go(struct fibre_stack *from, struct fibre_stack *to)
{
    swapcontext(&from->context, &to->context);
}

#endif

static struct fibre_stack *map_stack(void)
{
    struct fibre_stack *stack = calloc(1, sizeof(*stack));
    assert(stack != NULL);
    void *memory = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    assert(memory != MAP_FAILED);
    int failed = mprotect(memory, GUARD_SIZE, PROT_NONE);
    assert(!failed);
    stack->lowest = memory;
    return stack;
}

struct fibre_stack *fibre_stack_new(void (*entry)(void *arg), void *arg)
{
    struct fibre_stack *stack = free_stacks;
    if (stack != NULL)
        free_stacks = stack->next_free;
    else
        stack = map_stack();
    stack->entry = entry;
    stack->arg = arg;
    has_begun(stack);
    prepare(stack);
    return stack;
}

void fibre_stack_free(struct fibre_stack *stack)
{
    if (stack == NULL)
        return;
    has_ended(stack);
    stack->next_free = free_stacks;
    free_stacks = stack;
}

struct fibre_stack *fibre_stack_of_thread(void)
{
    return &of_thread;
}

void fibre_stack_go(struct fibre_stack *from, struct fibre_stack *to)
{
    came_from = from;
    about_to_go(from, to);
    go(from, to);
    have_come(from, came_from);
}
