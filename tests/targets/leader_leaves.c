/* The first thread ends before the others; the last one decides the exit code. */
#include "target.h"
#include <pthread.h>
static void *last(void *leader) {
    pthread_join(*(pthread_t *)leader, NULL);
    say("the leader left");
    int fd = open("/dev/null", O_RDONLY);
    say("calls still work: %d", fd >= 0);
    pid_t child = checked_fork();
    if (child == 0) _exit(2);
    say_status("child", wait_for(child, 0));
    usleep(1000);
    exit(44);
}
int main(void) {
    static pthread_t self, thread;
    self = pthread_self();
    pthread_create(&thread, NULL, last, &self);
    pthread_exit(NULL);
}
