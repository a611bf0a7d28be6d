/* The same pid is born, runs a program and dies 300 times in a row. Needs a pid namespace of its own. */
#include "target.h"
int main(void) {
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
    if (fd < 0) die("ns_last_pid");
    int same = 0, wrong = 0;
    for (int i = 0; i < 300; i++) {
        if (pwrite(fd, "4999", 4, 0) != 4) die("ns_last_pid");
        pid_t pid = i % 2 ? checked_fork() : vfork();
        if (pid == 0) {
            if (i % 3 == 0) _exit(i & 0x3f);
            if (i % 3 == 1) { execl("/bin/sh", "sh", "-c", "exit 7", NULL); _exit(1); }
            kill(getpid(), SIGKILL);
        }
        int status = wait_for(pid, 0);
        same += pid == 5000;
        if (i % 3 == 0) wrong += !(WIFEXITED(status) && WEXITSTATUS(status) == (i & 0x3f));
        if (i % 3 == 1) wrong += !(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        if (i % 3 == 2) wrong += !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    say("the same pid %d times, wrong ends %d", same, wrong);
    return 0;
}
