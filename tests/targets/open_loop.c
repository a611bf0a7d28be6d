/* Opens and closes a file N times in each of T threads: the dullest call that a tracer must see. */
#include "target.h"
#include <pthread.h>
static long rounds;
static void *loop(void *unused) {
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
        if (fd < 0) die("open");
        close(fd);
    }
    return NULL;
}
int main(int argc, char **argv) {
    rounds = argc > 1 ? atol(argv[1]) : 20000;
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    pthread_t others[64];
    for (int i = 1; i < threads && i < 64; i++)
        if (pthread_create(&others[i], NULL, loop, NULL) != 0) die("pthread_create");
    loop(NULL);
    for (int i = 1; i < threads && i < 64; i++) pthread_join(others[i], NULL);
    return 0;
}
