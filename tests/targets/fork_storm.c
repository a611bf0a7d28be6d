/* N short processes (10 000 unless the argument says otherwise), eight at a time, by two forkers;
 * every status comes back. */
#include "target.h"
/* vfork in a function of its own keeps the storm's variables out of the child's reach. */
__attribute__((noinline)) static pid_t spawn(int code, int shared) {
    pid_t pid = shared ? vfork() : fork();
    if (pid == 0) _exit(code);
    return pid;
}
static int storm(int count) {
    int alive = 0, sum = 0, status;
    for (int i = 0; i < count || alive > 0;) {
        if (i < count && alive < 8) {
            if (spawn(i % 100, i % 4 == 0) < 0) die("fork");
            alive++;
            i++;
        } else {
            if (wait(&status) < 0) die("wait");
            alive--;
            sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000000;
        }
    }
    return sum;
}
int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 10000, ends[2], sums[2];
    if (pipe(ends) != 0) die("pipe");
    for (int i = 0; i < 2; i++) {
        if (checked_fork() == 0) {
            int sum = storm(count / 2);
            if (write(ends[1], &sum, sizeof sum) != sizeof sum) _exit(1);
            _exit(0);
        }
    }
    if (read(ends[0], sums, sizeof sums[0]) != sizeof sums[0] || read(ends[0], sums + 1, sizeof sums[0]) != sizeof sums[0]) die("read");
    for (int i = 0; i < 2; i++) say_status("forker", wait_for(-1, 0));
    say("sums %d %d", sums[0], sums[1]);
    return 0;
}
