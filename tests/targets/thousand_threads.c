/* exit_group with 1 000 threads, from the leader or (argument `thread`) from one of them. */
#include "target.h"
#include <pthread.h>
static void *sleeper(void *unused) { (void)unused; for (;;) pause(); return NULL; }
static void *quitter(void *unused) { (void)unused; _exit(53); }
int main(int argc, char **argv) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    pthread_t thread;
    int made = 0;
    for (int i = 0; i < 1000; i++) made += pthread_create(&thread, &attributes, sleeper, NULL) == 0;
    say("threads %d", made);
    if (argc > 1 && strcmp(argv[1], "thread") == 0) {
        pthread_create(&thread, &attributes, quitter, NULL);
        for (;;) pause();
    }
    if (argc > 1 && strcmp(argv[1], "signal") == 0) {
        pthread_kill(thread, SIGTERM);
        for (;;) pause();
    }
    _exit(52);
}
