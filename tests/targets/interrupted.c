/* Waiting calls that a handler interrupts: which give EINTR, which are restarted with SA_RESTART. */
#include "target.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
static void handler(int number) { (void)number; }
static int ends[2], word, epoll_fd, sockets[2];
static void show(const char *name, long result) { say("%s: %s", name, result < 0 ? strerrorname_np(errno) : result == 0 ? "0" : "data"); }
static void call_nanosleep(void) {
    struct timespec time = {30, 0}, left = {0, 0};
    show("nanosleep", nanosleep(&time, &left));
    say("time left: %d", left.tv_sec > 20);
}
static void call_clock(void) { struct timespec time = {30, 0}; errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL); show("clock_nanosleep", errno ? -1 : 0); }
static void call_futex(void) { struct timespec time = {30, 0}; show("futex", syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0)); }
static void call_poll(void) { struct pollfd fd = {ends[0], POLLIN, 0}; show("poll", poll(&fd, 1, 30000)); }
static void call_select(void) { fd_set set; FD_ZERO(&set); FD_SET(ends[0], &set); show("select", select(ends[0] + 1, &set, NULL, NULL, NULL)); }
static void call_epoll(void) { struct epoll_event event; show("epoll_wait", epoll_wait(epoll_fd, &event, 1, 30000)); }
static void call_read(void) { char byte; show("read", read(ends[0], &byte, 1)); }
static void call_recv(void) { char byte; show("recv", recv(sockets[0], &byte, 1, 0)); }
static void call_pause(void) { show("pause", pause()); }
static void call_wait(void) {
    pid_t child = fork();
    if (child == 0) { for (;;) pause(); }
    int status;
    int result = waitpid(child, &status, 0);
    show("waitpid", result);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
}
static void call_sigtimedwait(void) {
    sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR2); sigprocmask(SIG_BLOCK, &set, NULL);
    struct timespec time = {30, 0};
    show("sigtimedwait", sigtimedwait(&set, NULL, &time));
}
struct call { void (*run)(void); int restarts; };
static const struct call calls[] = {{call_nanosleep, 0}, {call_clock, 0}, {call_futex, 0}, {call_poll, 0}, {call_select, 0}, {call_epoll, 0},
                                    {call_read, 1}, {call_recv, 1}, {call_pause, 0}, {call_wait, 2}, {call_sigtimedwait, 0}};
int main(void) {
    epoll_fd = epoll_create1(0);
    for (int flags = 0; flags < 2; flags++) {
        say(flags ? "with SA_RESTART" : "without SA_RESTART");
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) die("pipe");
            pid_t child = checked_fork();
            if (child == 0) {
                struct sigaction action = {.sa_handler = handler, .sa_flags = flags ? SA_RESTART : 0};
                sigaction(SIGUSR1, &action, NULL);
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (flags && calls[i].restarts == 2) _exit(0);
                calls[i].run();
                _exit(0);
            }
            if (!(flags && calls[i].restarts == 2)) {
                until_asleep(child);
                kill(child, SIGUSR1);
                if (flags && calls[i].restarts) {
                    usleep(20000);
                    if (write(ends[1], "x", 1) != 1 || write(sockets[1], "x", 1) != 1) die("write");
                }
            }
            say_status("child", wait_for(child, 0));
            close(ends[0]); close(ends[1]); close(sockets[0]); close(sockets[1]);
        }
    }
    return 0;
}
