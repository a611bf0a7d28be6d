/* SIGSTOP stops every thread of a process, SIGCONT lets all of them run. */
#include "target.h"
#include <pthread.h>
static volatile unsigned *counters;
#include <sys/mman.h>
static void *count(void *index) {
    for (;;) counters[(long)index * 16]++;
    return NULL;
}
int main(void) {
    counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = checked_fork();
    if (child == 0) {
        for (long i = 0; i < 4; i++) {
            pthread_t thread;
            pthread_create(&thread, NULL, count, (void *)i);
        }
        for (;;) pause();
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++) {
            unsigned before = counters[i * 16];
            while (counters[i * 16] == before) usleep(500);
        }
        kill(child, SIGSTOP);
        say_status("child", wait_for(child, WUNTRACED));
        unsigned seen[4];
        for (int i = 0; i < 4; i++) seen[i] = counters[i * 16];
        usleep(20000);
        for (int i = 0; i < 4; i++) if (seen[i] != counters[i * 16]) say("thread %d ran while stopped", i);
        kill(child, SIGCONT);
        say_status("child", wait_for(child, WCONTINUED));
    }
    kill(child, SIGTERM);
    say_status("child", wait_for(child, 0));
    return 0;
}
