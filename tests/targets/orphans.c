/* As pid 1: orphans come home to it, each exactly once, and then there is no child left. */
#include "target.h"
int main(void) {
    say("pid %d", getpid());
    for (int i = 0; i < 20; i++) {
        pid_t middle = checked_fork();
        if (middle == 0) {
            pid_t me = getpid();
            if (checked_fork() == 0) {
                while (getppid() == me) usleep(200);
                _exit(getppid() == 1 ? 100 : 101);
            }
            _exit(50);
        }
    }
    int middles = 0, orphans = 0, others = 0, status;
    while (waitpid(-1, &status, 0) > 0) {
        if (WEXITSTATUS(status) == 50) middles++;
        else if (WEXITSTATUS(status) == 100) orphans++;
        else others++;
    }
    say("middles %d, orphans %d, others %d, then %s", middles, orphans, others, strerrorname_np(errno));
    return getpid() == 1 ? 0 : 1;
}
