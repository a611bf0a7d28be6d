/* The workload makes namespaces and roots of its own and lives in them. */
#include "target.h"
#include <sys/mount.h>
#include <sys/stat.h>
static int in_pid_namespace(void) {
    if (unshare(CLONE_NEWPID) != 0) return 90;
    pid_t child = fork();
    if (child == 0) {
        say("pid in the namespace %d", getpid());
        pid_t second = fork();
        if (second == 0) _exit(open("/dev/null", O_RDONLY) >= 0 ? 22 : 23);
        say_status("second", wait_for(second, 0));
        kill(-1, SIGTERM);
        _exit(24);
    }
    say_status("first", wait_for(child, 0));
    return 25;
}
static int in_user_namespace(void) {
    if (unshare(CLONE_NEWUSER) != 0) return 91;
    say("uid in the namespace %d", getuid());
    pid_t child = fork();
    if (child == 0) { execl("/bin/sh", "sh", "-c", "exit 26", NULL); _exit(27); }
    say_status("child", wait_for(child, 0));
    return 28;
}
static int in_own_root(void) {
    char directory[] = "/tmp/target-root-XXXXXX";
    if (!mkdtemp(directory)) return 92;
    if (unshare(CLONE_NEWNS) != 0) { rmdir(directory); return 93; }
    int outside = open("/", O_RDONLY | O_DIRECTORY);
    int result = chroot(directory);
    say("chroot: %s, then open: %s", error_name(result), error_name(open("/etc/passwd", O_RDONLY)));
    if (fchdir(outside) != 0 || chroot(".") != 0) return 94;
    rmdir(directory);
    pid_t child = fork();
    if (child == 0) { execl("/bin/sh", "sh", "-c", "exit 29", NULL); _exit(30); }
    say_status("child", wait_for(child, 0));
    return 31;
}
int main(void) {
    int (*const ways[])(void) = {in_pid_namespace, in_user_namespace, in_own_root};
    for (int i = 0; i < 3; i++) {
        pid_t child = checked_fork();
        if (child == 0) _exit(ways[i]());
        say_status("way", wait_for(child, 0));
    }
    return 0;
}
