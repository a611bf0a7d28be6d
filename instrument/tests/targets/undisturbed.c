// Does much in many threads while a tracer takes it over, and says whether anything went wrong:
// interrupted calls that must go on, registers, signals and their mask. Ends when its standard input
// does.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int over, alarms;
static int quiet_pipe[2];

static void fail(const char *what) {
    fprintf(stderr, "disturbed: %s (%s)\n", what, strerror(errno));
    _exit(1);
}

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void *sleeper(void *arg) {
    (void)arg;
    while (!over) {
        long long begin = now_ms();
        struct timespec t = {0, 300 * 1000 * 1000};
        if (nanosleep(&t, NULL) != 0) fail("nanosleep");
        if (now_ms() - begin < 299) fail("nanosleep was cut short");
    }
    return NULL;
}

static void *poller(void *arg) {
    (void)arg;
    while (!over) {
        long long begin = now_ms();
        struct pollfd fd = {quiet_pipe[0], POLLIN, 0};
        if (poll(&fd, 1, 250) != 0) fail("poll");
        if (now_ms() - begin < 249) fail("poll was cut short");
    }
    return NULL;
}

static void *reader(void *arg) {
    (void)arg;
    char byte;
    if (read(quiet_pipe[0], &byte, 1) != 1 || byte != 'x') fail("read");
    return NULL;
}

static void *waiter(void *arg) {
    (void)arg;
    static int word = 7;
    while (!over) {
        struct timespec t = {0, 200 * 1000 * 1000};
        long rc = syscall(SYS_futex, &word, FUTEX_WAIT, 7, &t, NULL, 0);
        if (rc != -1 || errno != ETIMEDOUT) fail("futex");
    }
    return NULL;
}

static void *caller(void *arg) {
    (void)arg;
    long pid = getpid();
    while (!over) {
        // Each register carries a value that the call must see and leave alone.
        register long r10 __asm__("r10") = 0x1010, r8 __asm__("r8") = 0x0808, r9 __asm__("r9") = 0x0909;
        long rc, rdi = 0x0d, rsi = 0x05, rdx = 0x02;
        __asm__ volatile("syscall"
                         : "=a"(rc), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                         : "0"(SYS_getpid)
                         : "rcx", "r11", "memory");
        if (rc != pid || rdi != 0x0d || rsi != 0x05 || rdx != 0x02 || r10 != 0x1010 ||
            r8 != 0x0808 || r9 != 0x0909)
            fail("registers");
        int fd = open("/dev/null", O_RDONLY);
        if (fd < 0) fail("open");
        if (close(fd) != 0) fail("close");
    }
    return NULL;
}

static void on_alarm(int sig) {
    (void)sig;
    alarms++;
}

int main(void) {
    if (pipe(quiet_pipe) != 0) fail("pipe");
    sigset_t alarm, before, after;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    void *(*work[])(void *) = {sleeper, poller, waiter, caller, caller};
    pthread_t threads[5], blocked;
    for (int i = 0; i < 5; i++)
        if (pthread_create(&threads[i], NULL, work[i], NULL) != 0) fail("thread");
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval each = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &each, NULL);
    puts("ready");
    fflush(stdout);
    char byte;
    ssize_t got;
    while ((got = read(0, &byte, 1)) > 0) {
    }
    if (got != 0) fail("standard input");
    int seen = alarms;
    struct timespec t = {0, 50 * 1000 * 1000};
    while (nanosleep(&t, &t) != 0) {
    }
    if (alarms == seen) fail("signals do not arrive any more");
    memset(&each, 0, sizeof each);
    setitimer(ITIMER_REAL, &each, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    if (memcmp(&before, &after, 8) != 0) fail("signal mask");
    over = 1;
    for (int i = 0; i < 5; i++) pthread_join(threads[i], NULL);
    if (pthread_create(&blocked, NULL, reader, NULL) != 0) fail("thread");
    if (write(quiet_pipe[1], "x", 1) != 1) fail("write");
    pthread_join(blocked, NULL);
    if (fork() == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status;
    if (wait(&status) < 0 || status != 0) fail("child");
    return 0;
}
