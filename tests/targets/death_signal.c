/* PR_SET_PDEATHSIG: a child hears of its parent's end, and of nothing else. */
#include "target.h"
static void handler(int number, siginfo_t *info, void *context) {
    (void)context; (void)info;
    _exit(number == SIGUSR1 ? 15 : 14);
}
int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    if (pipe(ends) != 0) die("pipe");
    pid_t middle = checked_fork();
    if (middle == 0) {
        if (checked_fork() == 0) {
            struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
            sigaction(SIGUSR1, &action, NULL);
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            if (write(ends[1], "x", 1) != 1) _exit(1);
            for (;;) pause();
        }
        char byte;
        if (read(ends[0], &byte, 1) != 1) _exit(2);
        _exit(16);
    }
    say_status("middle", wait_for(middle, 0));
    say_status("grandchild", wait_for(-1, 0));
    return 0;
}
