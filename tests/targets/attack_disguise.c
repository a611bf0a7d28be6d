/* A program takes another name, and other arguments, than those it was started with. */
#include "target.h"
int main(int argc, char **argv) {
    if (argc < 2) return 1;
    prctl(PR_SET_NAME, "sshd");
    memset(argv[0], 'x', strlen(argv[0]));
    memset(argv[1], 'y', strlen(argv[1]));
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PTRACER, -1L);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    prctl(PR_TASK_PERF_EVENTS_DISABLE);
    int fd = open("/etc/shadow", O_RDONLY);
    say("open: %s", error_name(fd));
    return 0;
}
