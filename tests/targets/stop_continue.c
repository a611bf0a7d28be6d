/* A parent stops and continues its child and hears of both, by waitpid and by waitid. */
#include "target.h"
int main(void) {
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    pid_t child = checked_fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        ssize_t n = read(ends[0], &byte, 1);
        _exit(n == 1 ? 11 : 12);
    }
    for (int round = 0; round < 50; round++) {
        kill(child, SIGSTOP);
        int status = wait_for(child, WUNTRACED);
        if (round < 2 || !WIFSTOPPED(status)) say_status("child", status);
        siginfo_t info = {0};
        waitid(P_PID, child, &info, WSTOPPED | WNOHANG);
        if (info.si_pid != 0) say("a stop was reported twice");
        kill(child, SIGCONT);
        memset(&info, 0, sizeof info);
        if (waitid(P_PID, child, &info, WCONTINUED) != 0) die("waitid");
        if (round < 2 || info.si_code != CLD_CONTINUED) say("code %d status %d", info.si_code, info.si_status);
        if (waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) != 0) say("more than the stop and the continue");
    }
    ssize_t n = write(ends[1], "x", 1);
    (void)n;
    say_status("child", wait_for(child, 0));
    child = checked_fork();
    if (child == 0) for (;;) pause();
    kill(child, SIGSTOP);
    say_status("second child", wait_for(child, WUNTRACED));
    kill(child, SIGKILL);
    say_status("second child, killed while stopped", wait_for(child, WUNTRACED | WCONTINUED));
    return 0;
}
