/* Who am I: pid, parent, group, session and terminal as the starter arranged them. */
#include "target.h"
int main(void) {
    say("pid %d", getpid());
    say("parent %d", getppid());
    say("group is own pid: %d", getpgrp() == getpid());
    say("session is the parent's: %d", getsid(0) == getsid(getppid()));
    say("thread is the leader: %d", gettid() == getpid());
    for (int fd = 0; fd < 3; fd++) say("tty %d: %d", fd, isatty(fd));
    pid_t child = checked_fork();
    if (child == 0) {
        say("child's parent is %d", getppid());
        say("child's group is the parent's: %d", getpgrp() == getppid());
        _exit(7);
    }
    say_status("child", wait_for(child, 0));
    return 0;
}
