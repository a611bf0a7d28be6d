/* A classic daemon: double fork, setsid, the middle process ends; the daemon answers on a pipe. */
#include "target.h"
int main(void) {
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    pid_t top = getpid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t middle = checked_fork();
    if (middle == 0) {
        pid_t session = setsid();
        say("setsid made a leader: %d", session == getpid() && getpgrp() == getpid());
        pid_t daemon_pid = checked_fork();
        if (daemon_pid == 0) {
            while (getppid() == session) usleep(500);
            char report[256];
            int n = snprintf(report, sizeof report, "parent is the reaper: %d, leader: %d, session kept: %d, terminal: %d",
                             getppid() == top, getpid() == getsid(0), getsid(0) == session, open("/dev/tty", O_RDWR) >= 0);
            if (write(ends[1], report, n) != n) _exit(1);
            _exit(14);
        }
        _exit(13);
    }
    close(ends[1]);
    say_status("middle", wait_for(middle, 0));
    char report[256];
    ssize_t n = read(ends[0], report, sizeof report - 1);
    if (n < 0) die("read");
    say("%.*s", (int)n, report);
    say_status("daemon", wait_for(-1, 0));
    return 0;
}
