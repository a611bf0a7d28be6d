/* The way Go preempts: SIGURG by tgkill to threads that compute and call, 1 000 times; each one
 * arrives. */
#include "target.h"
#include <pthread.h>
#include <semaphore.h>
static sem_t arrived;
static int seen, quit;
static pid_t tids[2];
static void handler(int number, siginfo_t *info, void *context) {
    (void)number; (void)context;
    if (info->si_code == SI_TKILL) __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    sem_post(&arrived);
}
static void *worker(void *index) {
    __atomic_store_n(&tids[(long)index], gettid(), __ATOMIC_SEQ_CST);
    sem_post(&arrived);
    unsigned turns = 0;
    while (!__atomic_load_n(&quit, __ATOMIC_RELAXED)) {
        if (++turns % 64 == 0) { int fd = open("/dev/null", O_RDONLY); if (fd < 0) _exit(70); close(fd); }
    }
    return NULL;
}
static void wait_one(void) { while (sem_wait(&arrived) != 0) {} }
int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigaction(SIGURG, &action, NULL);
    sem_init(&arrived, 0, 0);
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, (void *)i);
    for (int i = 0; i < 2; i++) wait_one();
    for (int i = 0; i < 1000; i++) {
        syscall(SYS_tgkill, getpid(), tids[i % 2], SIGURG);
        wait_one();
    }
    __atomic_store_n(&quit, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    say("seen %d", seen);
    return 0;
}
