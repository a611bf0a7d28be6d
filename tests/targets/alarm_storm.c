/* SIGALRM 1 000 times a second while the program opens files, forks and sleeps: nothing breaks. */
#include "target.h"
#include <sys/time.h>
static volatile sig_atomic_t alarms;
static void handler(int number) { (void)number; alarms++; }
int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
    int failures = 0, rounds = 0;
    while (alarms < 400) {
        int fd = open("/dev/null", O_RDONLY);
        if (fd < 0) failures++;
        close(fd);
        if (rounds++ % 16 == 0) {
            pid_t pid = fork();
            if (pid == 0) _exit(3);
            int status;
            if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 3) failures++;
        }
    }
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    say("failures %d", failures);
    return 0;
}
