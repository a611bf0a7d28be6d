/* Real-time signals keep their order and payload; signalfd, sigqueue, timers and masks work. */
#include "target.h"
#include <sys/signalfd.h>
static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    say("RTMIN+%d value %d code %d", number - SIGRTMIN, info->si_value.sival_int, info->si_code);
}
int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t set, old;
    sigemptyset(&set);
    for (int i = 0; i < 3; i++) { sigaction(SIGRTMIN + i, &action, NULL); sigaddset(&set, SIGRTMIN + i); }
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int value = 0; value < 4; value++)
        for (int i = 2; i >= 0; i--) sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = value});
    sigprocmask(SIG_SETMASK, &old, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 5);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, 0);
    sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = 77});
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < 2; i++) {
        struct signalfd_siginfo info;
        if (read(fd, &info, sizeof info) != sizeof info) die("signalfd");
        say("signalfd: %u value %d", info.ssi_signo == SIGUSR1, info.ssi_int);
    }
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 55};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) die("timer_create");
    struct itimerspec when = {.it_value = {0, 1000000}};
    sigset_t wait_set;
    sigemptyset(&wait_set);
    sigaddset(&wait_set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &wait_set, NULL);
    timer_settime(timer, 0, &when, NULL);
    siginfo_t info;
    int got;
    do got = sigwaitinfo(&wait_set, &info); while (got < 0 && errno == EINTR);
    say("timer: RTMIN+%d value %d code %d", got - SIGRTMIN, info.si_value.sival_int, info.si_code);
    return 0;
}
