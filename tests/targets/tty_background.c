/* Job control on a terminal of its own: a background group that writes is stopped by SIGTTOU, one
 * that reads by SIGTTIN; ctrl-C and ctrl-Z reach the foreground group; hang-up ends the session. */
#include "target.h"
#include <sys/ioctl.h>
#include <termios.h>
static int master;
static pid_t job(int (*body)(void)) {
    pid_t pid = checked_fork();
    if (pid == 0) {
        close(master);
        setpgid(0, 0);
        _exit(body());
    }
    setpgid(pid, pid);
    return pid;
}
static int writes(void) { return write(0, "x", 1) == 1 ? 3 : 4; }
static int reads(void) { char byte; return read(0, &byte, 1) == 1 ? 5 : 6; }
static int waits(void) { for (;;) pause(); return 0; }
static void foreground(pid_t group) {
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(0, group);
    signal(SIGTTOU, SIG_DFL);
}
int main(void) {
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) die("pty");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t session = checked_fork();
    if (session != 0) {
        close(master);
        say_status("session", wait_for(session, 0));
        say_status("the group in front when the session ended", wait_for(-1, 0));
        return 0;
    }
    setsid();
    int slave = open(ptsname(master), O_RDWR);
    if (slave < 0) die("slave");
    ioctl(slave, TIOCSCTTY, 0);
    dup2(slave, 0);
    struct termios settings;
    tcgetattr(0, &settings);
    settings.c_lflag |= TOSTOP | ISIG;
    settings.c_lflag &= ~ECHO;
    tcsetattr(0, TCSANOW, &settings);
    say("leader is in front: %d", tcgetpgrp(0) == getpgrp());
    pid_t writer = job(writes);
    say_status("background writer", wait_for(writer, WUNTRACED));
    foreground(writer);
    kill(-writer, SIGCONT);
    say_status("writer in front", wait_for(writer, 0));
    foreground(getpgrp());
    pid_t reader = job(reads);
    say_status("background reader", wait_for(reader, WUNTRACED));
    foreground(reader);
    kill(-reader, SIGCONT);
    if (write(master, "\n", 1) != 1) die("master");
    say_status("reader in front", wait_for(reader, 0));
    foreground(getpgrp());
    pid_t waiter = job(waits);
    foreground(waiter);
    if (write(master, "\x1a", 1) != 1) die("master");
    say_status("after ctrl-Z", wait_for(waiter, WUNTRACED));
    kill(-waiter, SIGCONT);
    say_status("after SIGCONT", wait_for(waiter, WCONTINUED));
    if (write(master, "\x03", 1) != 1) die("master");
    say_status("after ctrl-C", wait_for(waiter, 0));
    foreground(getpgrp());
    foreground(job(waits));
    return 8;
}
