/* CLONE_UNTRACED by clone and by clone3: the child works like any other, whatever traces. */
#include "target.h"
#include <linux/sched.h>
static int work(void) {
    int fd = open("/dev/null", O_RDWR);
    if (fd < 0) return 50;
    close(fd);
    pid_t pid = fork();
    if (pid == 0) { execl("/bin/sh", "sh", "-c", "exit 60", NULL); _exit(61); }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return 51;
    return WEXITSTATUS(status);
}
int main(void) {
    long pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(work());
    if (pid < 0) die("clone");
    say_status("clone", wait_for(pid, 0));
    struct clone_args arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
    pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) _exit(work());
    if (pid < 0) { say("clone3: %s", strerrorname_np(errno)); return 0; }
    say_status("clone3", wait_for(pid, 0));
    return 0;
}
