/* A child for every signal: the parent sees the same ends, cores included. */
#include "target.h"
#include <sys/resource.h>
int main(void) {
    struct rlimit core;
    getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = core.rlim_max;
    setrlimit(RLIMIT_CORE, &core);
    for (int number = 1; number <= 31; number++) {
        if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) continue;
        pid_t child = checked_fork();
        if (child == 0) {
            kill(getpid(), number);
            _exit(5);
        }
        say_status(sigabbrev_np(number), wait_for(child, 0));
    }
    return 0;
}
