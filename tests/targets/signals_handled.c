/* Handlers for the three signals that stop services: who sent them, in which order they ran. */
#include "target.h"
static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    say("%s from %s code %d", sigabbrev_np(number), info->si_pid == getpid() ? "self" : info->si_pid == getppid() ? "parent" : "child",
        info->si_code);
}
int main(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (int i = 0; i < 5; i++) sigaction(numbers[i], &action, NULL);
    for (int i = 0; i < 5; i++) kill(getpid(), numbers[i]);
    for (int i = 0; i < 5; i++) raise(numbers[i]);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    pid_t parent = getpid(), child = checked_fork();
    if (child == 0) {
        for (int i = 0; i < 5; i++) kill(parent, numbers[i]);
        _exit(0);
    }
    say_status("child", wait_for(child, 0));
    sigset_t pending;
    sigpending(&pending);
    for (int i = 0; i < 5; i++) say("%s pending %d", sigabbrev_np(numbers[i]), sigismember(&pending, numbers[i]));
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    return 0;
}
