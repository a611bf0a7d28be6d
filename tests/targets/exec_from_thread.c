/* execve from a thread that is not the leader: the pid stays, every other thread is gone. */
#include "target.h"
#include <pthread.h>
static char **arguments;
static void *idle(void *unused) { (void)unused; for (;;) pause(); return NULL; }
static void *go(void *unused) {
    (void)unused;
    /* Not /proc/self/exe: that link dies with the leader. */
    execv(arguments[0], arguments);
    die("exec");
}
int main(int argc, char **argv) {
    int left = argc > 1 ? atoi(argv[1]) : 30;
    char pid[16], next[16];
    if (argc > 2 && atoi(argv[2]) != getpid()) say("the pid changed");
    if (gettid() != getpid()) say("the thread is not the leader");
    if (left == 0) { say("last image"); return 21; }
    snprintf(next, sizeof next, "%d", left - 1);
    snprintf(pid, sizeof pid, "%d", getpid());
    arguments = (char *[]){argv[0], next, pid, NULL};
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, idle, NULL);
    pthread_create(&threads[3], NULL, go, NULL);
    if (left % 2) pthread_exit(NULL);
    for (;;) pause();
}
