/* The way Go preempts: SIGURG by tgkill to threads that compute and call, 5 000 times; each one
 * arrives. */
#include "target.h"
#include <pthread.h>
static int seen, quit;
static pid_t tids[3];
static void handler(int number, siginfo_t *info, void *context) {
    (void)number; (void)context;
    if (info->si_code == SI_TKILL) __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
}
static void *worker(void *index) {
    __atomic_store_n(&tids[(long)index], gettid(), __ATOMIC_SEQ_CST);
    unsigned turns = 0;
    while (!__atomic_load_n(&quit, __ATOMIC_RELAXED)) {
        if (++turns % 64 == 0) { int fd = open("/dev/null", O_RDONLY); if (fd < 0) _exit(70); close(fd); }
    }
    return NULL;
}
int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigaction(SIGURG, &action, NULL);
    pthread_t threads[3];
    for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, worker, (void *)i);
    for (int i = 0; i < 3; i++) while (!__atomic_load_n(&tids[i], __ATOMIC_SEQ_CST)) sched_yield();
    for (int i = 0; i < 5000; i++) {
        int before = __atomic_load_n(&seen, __ATOMIC_SEQ_CST);
        syscall(SYS_tgkill, getpid(), tids[i % 3], SIGURG);
        while (__atomic_load_n(&seen, __ATOMIC_SEQ_CST) == before) sched_yield();
    }
    __atomic_store_n(&quit, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    say("seen %d", seen);
    return 0;
}
