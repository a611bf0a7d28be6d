/* A process is stopped and continued again and again while it forks. */
#include "target.h"
int main(void) {
    pid_t child = checked_fork();
    if (child == 0) {
        for (int i = 0; i < 600; i++) {
            pid_t grandchild = fork();
            if (grandchild == 0) _exit(i & 63);
            int status;
            if (waitpid(grandchild, &status, 0) != grandchild || WEXITSTATUS(status) != (i & 63)) _exit(1);
        }
        _exit(33);
    }
    int stops = 0, status = 0;
    for (;;) {
        kill(child, SIGSTOP);
        status = wait_for(child, WUNTRACED);
        if (!WIFSTOPPED(status)) break;
        stops++;
        kill(child, SIGCONT);
        status = wait_for(child, WCONTINUED | WUNTRACED);
        if (!WIFCONTINUED(status)) break;
        /* Leaves it a little time, otherwise it never gets anywhere; a slow machine needs more. */
        long scale = 1L << (stops / 100 < 8 ? stops / 100 : 8);
        struct timespec pause = {0, (100000 + (stops % 7) * 90000) * scale};
        nanosleep(&pause, NULL);
    }
    say("stopped at least twice: %d", stops > 1);
    say_status("child", status);
    return 0;
}
