/* What SIGCHLD says, and what SA_NOCLDSTOP, SA_NOCLDWAIT and ignoring it change. */
#include "target.h"
static void look(const char *what) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    struct timespec limit = {20, 0};
    int got;
    do got = sigtimedwait(&set, &info, &limit); while (got < 0 && errno == EINTR);
    if (got != SIGCHLD) { say("%s: nothing (%s)", what, strerrorname_np(errno)); return; }
    say("%s: code %d status %d uid %d", what, info.si_code, info.si_status, info.si_uid);
}
static void nothing(int number) { (void)number; }
int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, nothing);
    pid_t child = checked_fork();
    if (child == 0) for (;;) pause();
    kill(child, SIGSTOP);
    look("stopped");
    kill(child, SIGCONT);
    look("continued");
    kill(child, SIGTERM);
    look("killed");
    say_status("child", wait_for(child, 0));
    child = checked_fork();
    if (child == 0) _exit(29);
    look("exited");
    say_status("child", wait_for(child, 0));
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    child = checked_fork();
    if (child == 0) for (;;) pause();
    kill(child, SIGSTOP);
    wait_for(child, WUNTRACED);
    kill(child, SIGCONT);
    wait_for(child, WCONTINUED);
    sigset_t pending;
    sigpending(&pending);
    say("SA_NOCLDSTOP: a signal is pending: %d", sigismember(&pending, SIGCHLD));
    kill(child, SIGKILL);
    look("killed");
    wait_for(child, 0);
    action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
    child = checked_fork();
    if (child == 0) _exit(1);
    int status;
    say("SA_NOCLDWAIT: %s", error_name(waitpid(child, &status, 0)));
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 20; i++) if (checked_fork() == 0) _exit(1);
    say("ignored: %s", error_name(waitpid(-1, &status, 0)));
    return 0;
}
