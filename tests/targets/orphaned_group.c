/* A stopped process whose group becomes orphaned gets SIGHUP and SIGCONT from the kernel. */
#include "target.h"
int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    pid_t leader = checked_fork();
    if (leader == 0) {
        setsid();
        pid_t member = checked_fork();
        if (member == 0) {
            setpgid(0, 0);
            if (write(ends[1], "x", 1) != 1) _exit(1);
            for (;;) pause();
        }
        char byte;
        if (read(ends[0], &byte, 1) != 1) _exit(2);
        kill(member, SIGSTOP);
        if (!WIFSTOPPED(wait_for(member, WUNTRACED))) _exit(3);
        _exit(0);
    }
    say_status("leader", wait_for(leader, 0));
    say_status("orphan", wait_for(-1, 0));
    return 0;
}
