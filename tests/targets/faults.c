/* Programs that live from their faults: handlers see the right address, code and registers, and
 * jump out; stack overflow on an alternate stack; breakpoints and single steps of its own. */
#include "target.h"
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf back;
static volatile int steps;
static void fault(int number, siginfo_t *info, void *context) {
    (void)context;
    say("%s code %d at 16: %d", sigabbrev_np(number), info->si_code, info->si_addr == (void *)16);
    siglongjmp(back, 1);
}
static void overflow(int number, siginfo_t *info, void *context) {
    (void)info; (void)context;
    say("%s on the alternate stack", sigabbrev_np(number));
    siglongjmp(back, 1);
}
static void trap(int number, siginfo_t *info, void *context) {
    (void)number;
    if (steps++ == 0) say("TRAP code is the kernel's: %d", info->si_code == SI_KERNEL);
    (void)context;
}
__attribute__((unused)) static void step(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    steps++;
    if (info->si_code != TRAP_TRACE) say("step code %d", info->si_code);
#if defined(__x86_64__)
    if (steps >= 20) ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
#endif
}
static int recurse(int depth) {
    volatile char big[4096];
    big[0] = depth;
    return depth < 0 ? 0 : recurse(depth + 1) + big[0];
}
static void on(int number, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(number, &action, NULL);
}
int main(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    on(SIGSEGV, fault);
    for (int i = 0; i < 3; i++) if (sigsetjmp(back, 1) == 0) *(volatile int *)16 = 1;
    on(SIGSEGV, overflow);
    if (sigsetjmp(back, 1) == 0) say("%d", recurse(0));
    on(SIGTRAP, trap);
#if defined(__x86_64__)
    for (int i = 0; i < 100; i++) __asm__ volatile("int3");
    say("breakpoints %d", steps);
    raise(SIGTRAP);
    kill(getpid(), SIGTRAP);
    say("with sent ones %d", steps);
    steps = 0;
    on(SIGTRAP, step);
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
    for (volatile int i = 0; i < 100; i++) {}
    say("single steps %d", steps);
#endif
    return 0;
}
