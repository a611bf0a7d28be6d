/* One process becomes a program 300 times and stays itself; its parent waits once. */
#include "target.h"
int main(int argc, char **argv) {
    int left = argc > 1 ? atoi(argv[1]) : 300;
    if (argc > 2 && atoi(argv[2]) != getpid()) say("the pid changed");
    if (left == 0) { say("end of the chain"); return 17; }
    char next[16], pid[16];
    snprintf(next, sizeof next, "%d", left - 1);
    snprintf(pid, sizeof pid, "%d", getpid());
    execl("/proc/self/exe", argv[0], next, pid, NULL);
    die("exec");
}
