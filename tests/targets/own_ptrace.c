/* The workload uses ptrace itself, as gdb and strace do. */
#include "target.h"
#include <sys/ptrace.h>
int main(void) {
    pid_t child = checked_fork();
    if (child == 0) {
        say("traceme: %s", error_name(ptrace(PTRACE_TRACEME, 0, 0, 0)));
        _exit(1);
    }
    say_status("child", wait_for(child, 0));
    child = checked_fork();
    if (child == 0) for (;;) pause();
    say("seize: %s", error_name(ptrace(PTRACE_SEIZE, child, 0, 0)));
    kill(child, SIGKILL);
    say_status("child", wait_for(child, __WALL));
    return 0;
}
