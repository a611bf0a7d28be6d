/* Pid 1 ends everybody while signals rain on it, and everybody is in another state. */
#include "target.h"
#include <pthread.h>
#include <sys/time.h>
/* Few enough alarms that even a slow machine gets on between them. */
enum { EACH = 4, ROUNDS = 5, ALARMS = 100 };
static volatile sig_atomic_t rain, alarms;
static void next_alarm(void) {
    struct itimerval soon = {{0, 0}, {0, 100}};
    if (alarms++ < ALARMS) setitimer(ITIMER_REAL, &soon, NULL);
}
static void on_signal(int signal) {
    int error = errno;
    rain++;
    /* Calls of the handler's own, whose results are nobody else's. */
    if (write(-1, "", 1) != -1 || getppid() < 0) _exit(97);
    if (signal == SIGALRM) next_alarm();
    errno = error;
}
static void *forever(void *argument) {
    for (;;) pause();
    return argument;
}
static void waiting(void) { pause(); }
static void running(void) {}
static void stopped(void) { raise(SIGSTOP); }
static void threaded(void) {
    pthread_t thread;
    for (int i = 0; i < 4; i++) pthread_create(&thread, NULL, forever, NULL);
    /* Its leader is gone, the process is not. */
    syscall(SYS_exit, 0);
}
static void forking(void) {
    pid_t pid = fork();
    if (pid > 0) waitpid(pid, NULL, 0);
    _exit(0);
}
static void awaiting_vfork(void) {
    if (vfork() == 0) for (;;) pause();
}
static void opening(void) { close(open("/etc/hostname", O_RDONLY)); }
static void executing(void) { execl("/proc/self/exe", "kill_everybody", "sleep", NULL); }
static void (*const states[])(void) = {
    waiting, running, stopped, threaded, forking, awaiting_vfork, opening, executing,
};
enum { STATES = sizeof states / sizeof *states };
static void children(void) {
    for (int i = 0; i < EACH * STATES; i++) {
        if (checked_fork() != 0) continue;
        signal(SIGALRM, SIG_DFL);
        signal(SIGCHLD, SIG_DFL);
        for (;;) states[i % STATES]();
    }
}
static int left(void) {
    int status, reaped = 0;
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid > 0) reaped++;
        else if (errno != EINTR) return reaped;
    }
}
int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) for (;;) pause();
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        children();
        alarms = 0;
        next_alarm();
        sigset_t before, after;
        sigprocmask(SIG_BLOCK, NULL, &before);
        long result = kill(-1, SIGKILL);
        int reaped = left();
        sigprocmask(SIG_BLOCK, NULL, &after);
        say("kill(-1): %s, all gone: %s, mask kept: %s", error_name(result),
            reaped >= EACH * STATES && kill(-1, 0) < 0 && errno == ESRCH ? "yes" : "no",
            memcmp(&before, &after, sizeof(long)) == 0 ? "yes" : "no");
    }
    say("it rained: %s", rain > 0 ? "yes" : "no");
    return 0;
}
