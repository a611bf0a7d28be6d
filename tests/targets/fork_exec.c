/* Starts /bin/true N times, one after the other, and waits for each. */
#include "target.h"
int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 2000;
    for (long i = 0; i < rounds; i++) {
        pid_t pid = checked_fork();
        if (pid == 0) {
            execl("/bin/true", "true", NULL);
            _exit(127);
        }
        if (wait_for(pid, 0) != 0) return 1;
    }
    return 0;
}
