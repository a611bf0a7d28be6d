/* Stopped and continued in the middle of a wait, without any handler: each call goes on and ends as
 * if nothing had been. */
#include "target.h"
#include <linux/futex.h>
#include <poll.h>
static int word, ends[2], milliseconds = 400;
static struct timespec duration(void) {
    return (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
}
static int in_nanosleep(void) { struct timespec time = duration(); return nanosleep(&time, NULL) == 0 ? 1 : 100; }
static int in_futex(void) {
    struct timespec time = duration();
    long result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, NULL, 0);
    return result == -1 && errno == ETIMEDOUT ? 2 : 101;
}
static int in_poll(void) { struct pollfd fd = {ends[0], POLLIN, 0}; return poll(&fd, 1, milliseconds) == 0 ? 3 : 102; }
static int in_read(void) { char byte; return read(ends[0], &byte, 1) == 1 ? 4 : 103; }
int main(int argc, char **argv) {
    /* Slow machines need more time for the rounds of stops. */
    if (argc > 1) milliseconds = atoi(argv[1]);
    int (*const calls[])(void) = {in_nanosleep, in_futex, in_poll, in_read};
    if (pipe(ends) != 0) die("pipe");
    for (int i = 0; i < 4; i++) {
        pid_t child = checked_fork();
        if (child == 0) _exit(calls[i]());
        for (int round = 0; round < 4; round++) {
            until_asleep(child);
            kill(child, SIGSTOP);
            int status = wait_for(child, WUNTRACED);
            if (!WIFSTOPPED(status)) { say_status("child too early", status); return 1; }
            kill(child, SIGCONT);
            wait_for(child, WCONTINUED);
        }
        if (i == 3 && write(ends[1], "x", 1) != 1) die("write");
        say_status("child", wait_for(child, 0));
    }
    return 0;
}
