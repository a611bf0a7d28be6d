/* Signals that a process ignores do not disturb what it waits for. */
#include "target.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
static int ends[2];
static int in_poll(void) { struct pollfd fd = {ends[0], POLLIN, 0}; return poll(&fd, 1, 20000) == 1; }
static int in_epoll(void) {
    int fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
    return epoll_wait(fd, &event, 1, 20000) == 1;
}
static int in_read(void) { char byte; return read(ends[0], &byte, 1) == 1; }
static int in_timed_recv(void) {
    struct timeval limit = {20, 0};
    char byte;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return recv(ends[0], &byte, 1, 0) == 1;
}
static int in_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    struct timespec limit = {20, 0};
    return sigtimedwait(&set, NULL, &limit) == SIGUSR2;
}
int main(int argc, char **argv) {
    static const struct { const char *name; int (*run)(void); } calls[] = {
        {"poll", in_poll}, {"read", in_read}, {"epoll", in_epoll}, {"recv", in_timed_recv}, {"sigtimedwait", in_sigtimedwait}};
    for (int i = 0; i < 5; i++) {
        int chosen = argc < 2;
        for (int a = 1; a < argc; a++) chosen |= strcmp(argv[a], calls[i].name) == 0;
        if (!chosen) continue;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) die("socketpair");
        pid_t child = checked_fork();
        if (child == 0) {
            signal(SIGUSR1, SIG_IGN);
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR2);
            sigprocmask(SIG_BLOCK, &set, NULL);
            _exit(calls[i].run() ? 0 : errno);
        }
        until_asleep(child);
        for (int round = 0; round < 3; round++) {
            kill(child, SIGUSR1);
            kill(child, SIGWINCH);
            kill(child, SIGCHLD);
            usleep(3000);
        }
        /* Time for a wait that was disturbed to end, before it ends by what it waits for. */
        siginfo_t info = {0};
        for (int turns = 0; turns < 100 && info.si_pid == 0; turns++) {
            usleep(10000);
            waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
        }
        if (write(ends[1], "x", 1) != 1) die("write");
        kill(child, SIGUSR2);
        say_status(calls[i].name, wait_for(child, 0));
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
