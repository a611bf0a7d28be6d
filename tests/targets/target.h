/* What every target program needs. A target shows one behaviour and prints only what must be
 * equal in every run: relations, results and orders, never numbers the kernel picks. */
#ifndef TARGET_H
#define TARGET_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One write per line, so that lines of several processes never mix. */
__attribute__((format(printf, 1, 2), unused)) static void say(const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    for (int done = 0; done < length;) {
        ssize_t n = write(1, line + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(99);
        done += n;
    }
}

/* Ends the program with 98: the machine, not the tracer, denied something the target stands on. */
__attribute__((noreturn, unused)) static void die(const char *what) {
    dprintf(2, "%s: %s\n", what, strerror(errno));
    _exit(98);
}

__attribute__((unused)) static const char *error_name(long result) {
    return result >= 0 ? "ok" : strerrorname_np(errno);
}

/* What wait() said, in words. */
__attribute__((unused)) static void say_status(const char *who, int status) {
    if (WIFEXITED(status)) say("%s exited %d", who, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        say("%s killed by %s%s", who, sigabbrev_np(WTERMSIG(status)), WCOREDUMP(status) ? " (core)" : "");
    else if (WIFSTOPPED(status)) say("%s stopped by %s", who, sigabbrev_np(WSTOPSIG(status)));
    else if (WIFCONTINUED(status)) say("%s continued", who);
    else say("%s status %x", who, status);
}

__attribute__((unused)) static int wait_for(pid_t pid, int options) {
    int status;
    pid_t got;
    do got = waitpid(pid, &status, options);
    while (got < 0 && errno == EINTR);
    if (got < 0) die("waitpid");
    return status;
}

__attribute__((unused)) static pid_t checked_fork(void) {
    pid_t pid = fork();
    if (pid < 0) die("fork");
    return pid;
}

/* Waits until process `pid` (of this namespace) is asleep in the kernel, so that the next signal
 * interrupts what it waits for. Needs no /proc in the tracee itself. */
__attribute__((unused)) static void until_asleep(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int tries = 0; tries < 300000; tries++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) die(path);
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        if (n <= 0) die(path);
        text[n] = 0;
        char *state = strrchr(text, ')');
        if (state && state[2] == 'S') return;
        sched_yield();
        if (tries > 1000) usleep(200);
    }
    errno = ETIMEDOUT;
    die("target never went to sleep");
}
#endif
