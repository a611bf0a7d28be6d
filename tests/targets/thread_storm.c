/* 4 000 short threads from four creators that also open files; every one is joined. */
#include "target.h"
#include <pthread.h>
static int done;
static void *one(void *unused) {
    (void)unused;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) { close(fd); __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED); }
    return NULL;
}
static void *creator(void *unused) {
    (void)unused;
    for (int i = 0; i < 1000; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, one, NULL) != 0) die("pthread_create");
        pthread_join(thread, NULL);
    }
    return NULL;
}
int main(void) {
    pthread_t creators[4];
    for (int i = 0; i < 4; i++) pthread_create(&creators[i], NULL, creator, NULL);
    for (int i = 0; i < 4; i++) pthread_join(creators[i], NULL);
    say("done %d", done);
    return 0;
}
