/* The ways services give up root: ids, groups, capabilities; files, forks and programs afterwards. */
#include "target.h"
#include <grp.h>
static void look(const char *when) {
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    say("%s: uid %d %d %d, gid %d, groups %d, dumpable %d", when, r, e, s, getegid(), getgroups(0, NULL), prctl(PR_GET_DUMPABLE));
    int fd = open("/etc/shadow", O_RDONLY);
    say("%s: shadow %s", when, error_name(fd));
    fd = open("/dev/null", O_RDONLY);
    say("%s: null %s", when, error_name(fd));
    fd = open("/proc/self/mem", O_RDONLY);
    say("%s: own memory %s", when, error_name(fd));
    pid_t child = checked_fork();
    if (child == 0) { execl("/bin/sh", "sh", "-c", "exit 5", NULL); _exit(6); }
    say_status(when, wait_for(child, 0));
}
int main(void) {
    look("as root");
    pid_t child = checked_fork();
    if (child == 0) {
        if (seteuid(65534) != 0) die("seteuid");
        look("effective only");
        if (seteuid(0) != 0) die("seteuid back");
        look("back");
        _exit(0);
    }
    say_status("first", wait_for(child, 0));
    if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) die("setresuid");
    look("as nobody");
    say("no way back: %s", error_name(setuid(0)));
    prctl(PR_SET_DUMPABLE, 1);
    look("dumpable again");
    return 0;
}
