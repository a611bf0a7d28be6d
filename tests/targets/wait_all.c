/* wait with __WALL and __WCLONE, without any child, with a usual one, and with one of clone. */
#include "target.h"
static void ask(const char *name, int options) {
    int status;
    siginfo_t info;
    say("waitpid %s: %s", name, error_name(waitpid(-1, &status, options)));
    say("waitid %s: %s", name, error_name(waitid(P_ALL, 0, &info, options | WEXITED)));
}
static int end(void *code) { _exit((int)(intptr_t)code); }
static char stack[65536];
int main(void) {
    int status;
    ask("plain", 0);
    ask("__WALL", __WALL);
    ask("__WALL without hanging", __WALL | WNOHANG);
    ask("__WCLONE", __WCLONE);
    pid_t child = checked_fork();
    if (child == 0) _exit(3);
    say("it was the child: %d", waitpid(-1, &status, __WALL) == child);
    say_status("child", status);
    ask("__WALL again", __WALL);
    child = clone(end, stack + sizeof stack, 0, (void *)4);
    if (child < 0) die("clone");
    ask("plain", 0);
    say("it was the clone: %d", waitpid(child, &status, __WALL) == child);
    say_status("clone", status);
    child = clone(end, stack + sizeof stack, 0, (void *)5);
    say("it was any clone: %d", waitpid(-1, &status, __WCLONE) == child);
    say_status("clone", status);
    return 0;
}
