/* A process that forbids being looked at works on: files, threads, children, programs, signals. */
#include "target.h"
#include <pthread.h>
static void *thread(void *unused) { (void)unused; return (void *)(long)open("/dev/null", O_RDONLY); }
int main(void) {
    prctl(PR_SET_DUMPABLE, 0);
    say("dumpable %d", prctl(PR_GET_DUMPABLE));
    say("open: %s", error_name(open("/etc/hostname", O_RDONLY)));
    pthread_t id;
    void *result;
    pthread_create(&id, NULL, thread, NULL);
    pthread_join(id, &result);
    say("thread opened: %d", (long)result >= 0);
    pid_t child = checked_fork();
    if (child == 0) {
        say("child dumpable %d", prctl(PR_GET_DUMPABLE));
        execl("/bin/sh", "sh", "-c", "exit 5", NULL);
        _exit(6);
    }
    say_status("child", wait_for(child, 0));
    kill(getpid(), SIGTERM);
    return 0;
}
