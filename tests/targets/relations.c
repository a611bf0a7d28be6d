/* Who am I: pid, parent, group, session and terminal as the starter arranged them. */
#include "target.h"
int main(int argc, char **argv) {
    (void)argv;
    /* Numbers only when the tester itself is the parent and can tell them apart (no argument). */
    if (argc == 1) say("pid %d, parent %d", getpid(), getppid());
    say("group is own pid: %d", getpgrp() == getpid());
    say("session is the parent's: %d", getsid(0) == getsid(getppid()));
    say("thread is the leader: %d", gettid() == getpid());
    for (int fd = 0; fd < 3; fd++) say("tty %d: %d", fd, isatty(fd));
    pid_t child = checked_fork();
    if (child == 0) {
        say("child's group is the parent's: %d", getpgrp() == getppid());
        _exit(7);
    }
    say_status("child", wait_for(child, 0));
    return 0;
}
