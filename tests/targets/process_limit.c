/* Forks until the limit of processes says no, and ends all of them: the limit is the workload's. */
#include "target.h"
int main(void) {
    int made = 0, ends[2];
    char byte;
    if (pipe(ends) != 0) die("pipe");
    for (; made < 100; made++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[1]);
            ssize_t n = read(ends[0], &byte, 1);
            _exit(n == 0 ? 3 : 4);
        }
        if (pid < 0) { say("fork: %s", strerrorname_np(errno)); break; }
    }
    close(ends[1]);
    int status, sum = 0;
    while (wait(&status) > 0) sum += WEXITSTATUS(status);
    say("made some: %d, all ended: %d", made > 2, sum == 3 * made);
    return 0;
}
