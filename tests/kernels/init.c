/* The first process of a machine made for one test: runs every case of /cases natively and under
 * instrument, writes down all that the outside sees, and switches the machine off.
 *
 * A line of /cases is `NAME MODES WORD...`, a mode by its first letter; among them `u` is for a user
 * other than root, `p` for priority `security`, and a digit for Yama's ptrace_scope. One line comes back on the console for each run:
 * `@NAME MODE MILLISECONDS PID STATUS STDOUT STDERR ALERTS`, the last three in hexadecimal digits, a
 * dash when empty. STATUS is the word of wait(), or `hung`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ALERTS "/tmp/alerts"
#define MOST (1 << 20)
/* Emulated machines are slow, and slower beside other work: a run that takes longer than this, and
 * than so many times what it took without a tracer, hangs. In mode `full` 20 times are usual. */
#define LIMIT 240000
#define TIMES 60
#define LAST_WORDS 3000

static const char *const modes[] = {"native", "seccomp", "full"};

struct gathered {
    size_t length;
    char bytes[MOST];
};
static struct gathered out, err, alerts;
/* What the case at hand took without a tracer, in milliseconds; 0 when it is only run with one. */
static long native;

static void put(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(1, bytes, length);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return;
        if (n > 0) { bytes += n; length -= n; }
    }
}

static void put_hex(const struct gathered *what) {
    static char digits[2 * MOST + 2];
    size_t n = 0;
    digits[n++] = ' ';
    if (what->length == 0) digits[n++] = '-';
    for (size_t i = 0; i < what->length; i++) {
        digits[n++] = "0123456789abcdef"[(what->bytes[i] >> 4) & 15];
        digits[n++] = "0123456789abcdef"[what->bytes[i] & 15];
    }
    put(digits, n);
}

/* Takes what there is; false at the end of the stream. */
static int gather(int fd, struct gathered *into) {
    char overflow[4096];
    int full = into->length == MOST;
    ssize_t n = full ? read(fd, overflow, sizeof overflow)
                     : read(fd, into->bytes + into->length, MOST - into->length);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (!full) into->length += n;
    return n > 0;
}

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void set_scope(char scope) {
    int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_WRONLY);
    if (fd < 0 || write(fd, &scope, 1) != 1) put("no scope\n", 9);
    close(fd);
}

static void become(const char *mode, const char *modes, char **words, const int *outs, const int *errs) {
    char *command[64] = {"/instrument", "--output", ALERTS, "--"};
    int n = strcmp(mode, "native") == 0 ? 0 : 4;
    char variable[64];
    snprintf(variable, sizeof variable, "WORKLOAD_AGENT_MODE=%s", n ? mode : "seccomp");
    if (n && strcmp(words[0], "--events") == 0) command[3] = "--events", command[n++] = "--";
    if (strcmp(words[0], "--events") == 0) words++;
    while (*words && n < 63) command[n++] = *words++;
    command[n] = NULL;
    char *priority = strchr(modes, 'p') ? "SYSDIG_PRIORITY=security" : "SYSDIG_PRIORITY=availability";
    char *environment[] = {"PATH=/bin", "HOME=/", variable, priority, NULL};
    setsid();
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0);
    dup2(outs[1], 1);
    dup2(errs[1], 2);
    for (int fd = 3; fd < 64; fd++) close(fd);
    if (chdir("/tmp/work") != 0) _exit(97);
    if (strchr(modes, 'u') && (setgid(1000) != 0 || setuid(1000) != 0)) _exit(95);
    execve(command[0], command, environment);
    _exit(96);
}

static void run(const char *name, const char *mode, const char *modes, char **words) {
    int outs[2], errs[2], status = 0, ended = 0, hung = 0;
    out.length = err.length = alerts.length = 0;
    mkdir("/tmp/work", 0777);
    if (pipe(outs) != 0 || pipe(errs) != 0) return;
    pid_t child = fork();
    if (child == 0) become(mode, modes, words, outs, errs);
    close(outs[1]);
    close(errs[1]);
    struct pollfd streams[] = {{outs[0], POLLIN, 0}, {errs[0], POLLIN, 0}};
    long start = now();
    while (!hung && (!ended || streams[0].fd >= 0 || streams[1].fd >= 0)) {
        poll(streams, 2, 20);
        if (streams[0].revents && !gather(outs[0], &out)) streams[0].fd = -1;
        if (streams[1].revents && !gather(errs[0], &err)) streams[1].fd = -1;
        int word;
        for (pid_t pid; (pid = waitpid(-1, &word, WNOHANG)) > 0;)
            if (pid == child) status = word, ended = 1;
        hung = now() - start > LIMIT + TIMES * native;
    }
    /* What is left of the run must not meet the next one. The tracer ends by itself, with its
     * last events written. */
    long ended_at = now();
    if (strcmp(mode, "native") == 0) native = ended_at - start;
    while (waitpid(-1, NULL, __WALL | WNOHANG) >= 0 && now() - ended_at < LAST_WORDS) usleep(1000);
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, __WALL) > 0) {}
    close(outs[0]);
    close(errs[0]);
    int told = open(ALERTS, O_RDONLY);
    if (told >= 0) {
        while (gather(told, &alerts)) {}
        close(told);
    }
    unlink(ALERTS);
    char head[256];
    int n = snprintf(head, sizeof head, "@%s %s %ld %d ", name, mode, ended_at - start, child);
    n += hung ? snprintf(head + n, sizeof head - n, "hung") : snprintf(head + n, sizeof head - n, "%d", status);
    put(head, n);
    put_hex(&out);
    put_hex(&err);
    put_hex(&alerts);
    put("\n", 1);
}

int main(void) {
    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mkdir("/tmp", 01777);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("tmp", "/tmp", "tmpfs", 0, NULL);
    int console = open("/dev/console", O_RDWR | O_NOCTTY);
    struct termios line;
    if (tcgetattr(console, &line) == 0) { cfmakeraw(&line); tcsetattr(console, TCSANOW, &line); }
    dup2(console, 0);
    dup2(console, 1);
    dup2(console, 2);
    /* Reading the list from a stream of its own: a child must not move its place. */
    FILE *list = fopen("/cases", "re");
    char text[4096];
    put("\n@begin\n", 8);
    while (list && fgets(text, sizeof text, list)) {
        char *words[64] = {NULL}, *rest = text;
        int count = 0;
        for (char *word; count < 63 && (word = strsep(&rest, " \n"));) if (*word) words[count++] = word;
        if (count < 3) continue;
        native = 0;
        char *scope = strpbrk(words[1], "0123");
        if (scope) set_scope(*scope);
        for (unsigned i = 0; i < 3; i++)
            if (strchr(words[1], modes[i][0])) run(words[0], modes[i], words[1], words + 2);
    }
    put("@end\n", 5);
    tcdrain(1);
    sync();
    reboot(RB_POWER_OFF);
    for (;;) pause();
}
