/* A second thread changes the path between the tracer's look and the kernel's: the file that was
 * really opened is printed for each call. */
#include "target.h"
#include <pthread.h>
static char path[32] = "/etc/hostname";
static volatile int quit;
static void *flip(void *unused) {
    (void)unused;
    while (!quit) {
        memcpy(path, "/etc/shadow\0\0", 14);
        /* The compiler must not take the first copy for a useless one. */
        __asm__ volatile("" ::: "memory");
        for (volatile int i = 0; i < 300; i++) {}
        memcpy(path, "/etc/hostname", 14);
        __asm__ volatile("" ::: "memory");
        for (volatile int i = 0; i < 300; i++) {}
    }
    return NULL;
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, flip, NULL);
    for (int i = 0; i < 400; i++) {
        int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        char link[32], name[256];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        if (n < 0) die("readlink");
        name[n] = 0;
        say("%s", name);
        close(fd);
    }
    quit = 1;
    pthread_join(thread, NULL);
    return 0;
}
