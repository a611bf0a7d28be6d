/* CLONE_PARENT makes a sibling: the grandparent waits for it. */
#include "target.h"
int main(void) {
    pid_t top = getpid();
    int order[2];
    if (pipe(order) != 0) die("pipe");
    pid_t child = checked_fork();
    if (child == 0) {
        long sibling = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (sibling == 0) {
            say("sibling's parent is the grandparent: %d", getppid() == top);
            if (write(order[1], "x", 1) != 1) _exit(1);
            _exit(31);
        }
        if (sibling < 0) die("clone");
        int status;
        char byte;
        if (read(order[0], &byte, 1) != 1) die("read");
        say("its maker cannot wait for it: %s", error_name(waitpid(sibling, &status, 0)));
        _exit(30);
    }
    int codes = 0, status;
    while (waitpid(-1, &status, 0) > 0) codes += WEXITSTATUS(status);
    say("both came home: %d", codes);
    return 0;
}
