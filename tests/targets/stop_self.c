/* Stops itself by each stopping signal; a handler for SIGCONT runs before anything else. */
#include "target.h"
static volatile sig_atomic_t handled;
static void continued(int number) { handled = number; }
int main(void) {
    static const int numbers[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    for (int i = 0; i < 4; i++) {
        int go[2];
        char byte;
        if (pipe(go) != 0) die("pipe");
        pid_t child = checked_fork();
        if (child == 0) {
            /* A group that is not orphaned: its parent is of the same session and another group. */
            setpgid(0, 0);
            signal(SIGCONT, continued);
            raise(numbers[i]);
            while (read(go[0], &byte, 1) != 1) {}
            say("runs again, the handler ran: %d", handled == SIGCONT);
            _exit(20 + i);
        }
        say_status("child", wait_for(child, WUNTRACED));
        kill(child, SIGCONT);
        say_status("child", wait_for(child, WCONTINUED));
        if (write(go[1], "x", 1) != 1) die("write");
        say_status("child", wait_for(child, 0));
    }
    return 0;
}
