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
    /* Until the race was won and lost often enough, however few processors there are. */
    int won = 0, lost = 0;
    for (int i = 0; i < 50000 && (won < 20 || lost < 20); i++) {
        int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        char link[32], name[256];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        if (n < 0) die("readlink");
        name[n] = 0;
        say("%s", name);
        if (strcmp(name, "/etc/shadow") == 0) won++;
        else lost++;
        close(fd);
    }
    quit = 1;
    pthread_join(thread, NULL);
    return 0;
}
