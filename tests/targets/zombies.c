/* Children end before anyone waits: they stay zombies, are collected once, then ECHILD. */
#include "target.h"
#include <sys/resource.h>
int main(void) {
    enum { count = 200 };
    pid_t pids[count];
    for (int i = 0; i < count; i++) {
        pids[i] = checked_fork();
        if (pids[i] == 0) _exit(i & 0x7f);
    }
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        siginfo_t info = {0};
        if (waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT) != 0) die("waitid");
        if (info.si_status != (i & 0x7f) || info.si_code != CLD_EXITED) wrong++;
        if (kill(pids[i], 0) != 0) wrong++;
    }
    say("wrong while zombies: %d", wrong);
    int sum = 0, collected = 0, status;
    struct rusage usage;
    while (wait4(-1, &status, 0, &usage) > 0) { collected++; sum += WEXITSTATUS(status); }
    say("collected %d, sum %d, then %s", collected, sum, strerrorname_np(errno));
    say("with WNOHANG: %s", error_name(waitpid(-1, &status, WNOHANG)));
    say("own group: %s", error_name(waitpid(0, &status, 0)));
    siginfo_t info;
    say("waitid: %s", error_name(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED)));
    say("gone: %s", error_name(kill(pids[0], 0)));
    return 0;
}
