/* What a workload can find out about being traced: the documented list, no more. */
#include "target.h"
int main(void) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "NoNewPrivs", 10) == 0 || strncmp(line, "Seccomp", 7) == 0) say("%s", line);
        if (strncmp(line, "TracerPid", 9) == 0) say("traced: %d", atoi(line + 10) != 0);
    }
    say("prctl no_new_privs %d, seccomp %d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_SECCOMP));
    return 0;
}
