/* Says "ready", then waits for what the tester sends: with `handle`, SIGTERM ends it with 43. */
#include "target.h"
static volatile sig_atomic_t got;
static void handler(int number) { got = number; }
int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "handle") == 0) {
        struct sigaction action = {.sa_handler = handler};
        for (int number = 1; number < 32; number++)
            if (number != SIGKILL && number != SIGSTOP && number != SIGCONT) sigaction(number, &action, NULL);
    }
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    if (argc > 1 && strcmp(argv[1], "handle") == 0) sigprocmask(SIG_BLOCK, &all, NULL);
    say("ready");
    while (!got) sigsuspend(&none);
    say("got %s", sigabbrev_np(got));
    return 43;
}
