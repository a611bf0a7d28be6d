/* Pid 1 ends everything that it can reach, twice, and goes on. */
#include "target.h"
int main(void) {
    for (int round = 0; round < 2; round++) {
        pid_t children[3];
        for (int i = 0; i < 3; i++) {
            children[i] = checked_fork();
            if (children[i] == 0) for (;;) pause();
        }
        say("kill(-1): %s", error_name(kill(-1, round ? SIGTERM : SIGKILL)));
        for (int i = 0; i < 3; i++) say_status("child", wait_for(children[i], 0));
    }
    int fd = open("/etc/shadow", O_RDONLY);
    say("goes on: %s", error_name(fd));
    return 0;
}
