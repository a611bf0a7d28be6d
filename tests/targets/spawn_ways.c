/* Every way to make a process: vfork, posix_spawn, system, popen, clone and clone3 in their kinds. */
#include "target.h"
#include <linux/sched.h>
#include <spawn.h>
#include <sys/mman.h>
static char stack[1 << 16] __attribute__((aligned(16)));
static int shared;
static int body(void *code) { shared = 1; return (int)(long)code; }
static void with_clone(const char *name, int flags, int wait_options) {
    shared = 0;
    pid_t pid = clone(body, stack + sizeof stack, flags, (void *)41L);
    if (pid < 0) { say("%s: %s", name, strerrorname_np(errno)); return; }
    say_status(name, wait_for(pid, wait_options));
    say("%s shares memory: %d", name, shared);
}
static void with_clone3(const char *name, uint64_t flags, uint64_t signal) {
    int pidfd = -1;
    struct clone_args arguments = {.flags = flags, .exit_signal = signal, .pidfd = (uint64_t)&pidfd};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) _exit(42);
    if (pid < 0) { say("%s: %s", name, strerrorname_np(errno)); return; }
    say_status(name, wait_for(pid, signal == SIGCHLD ? 0 : __WALL));
    if (flags & CLONE_PIDFD) say("%s gave a pidfd: %d", name, pidfd >= 0);
}
__attribute__((noinline)) static pid_t vfork_shell(void) {
    pid_t pid = vfork();
    if (pid == 0) { execl("/bin/sh", "sh", "-c", "exit 3", NULL); _exit(127); }
    return pid;
}
int main(void) {
    for (int round = 0; round < 20; round++) {
        int status = wait_for(vfork_shell(), 0);
        if (round == 0 || WEXITSTATUS(status) != 3) say_status("vfork", status);
    }
    volatile int value = 1;
    pid_t pid = vfork();
    if (pid == 0) { value = 2; _exit(4); }
    say("vfork shares memory: %d", value == 2);
    say_status("vfork without exec", wait_for(pid, 0));
    pid = vfork();
    if (pid == 0) { execl("/no/such/program", "x", NULL); _exit(errno == ENOENT ? 5 : 6); }
    say_status("vfork with a failed exec", wait_for(pid, 0));
    pid = vfork();
    if (pid == 0) { kill(getpid(), SIGKILL); _exit(7); }
    say_status("vfork killed before exec", wait_for(pid, 0));
    char *arguments[] = {"sh", "-c", "exit 8", NULL};
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, environ) != 0) die("posix_spawn");
    say_status("posix_spawn", wait_for(pid, 0));
    say("posix_spawn of nothing: %s", strerrorname_np(posix_spawn(&pid, "/no/such", NULL, NULL, arguments, environ)));
    say_status("system", system("exit 9"));
    FILE *pipe = popen("echo from popen; exit 10", "r");
    char line[64] = "";
    if (!pipe || !fgets(line, sizeof line, pipe)) die("popen");
    line[strcspn(line, "\n")] = 0;
    say("popen says %s", line);
    say_status("popen", pclose(pipe));
    with_clone("clone like fork", SIGCHLD, 0);
    with_clone("clone sharing memory", CLONE_VM | SIGCHLD, 0);
    with_clone("clone sharing everything", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, 0);
    with_clone("clone like vfork", CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
    with_clone("clone without a signal", 0, __WALL);
    signal(SIGUSR2, SIG_IGN);
    with_clone("clone with another signal", SIGUSR2, __WCLONE);
    with_clone3("clone3", 0, SIGCHLD);
    with_clone3("clone3 with a pidfd", CLONE_PIDFD, SIGCHLD);
    with_clone3("clone3 like vfork", CLONE_VFORK, SIGCHLD);
    with_clone3("clone3 clearing handlers", CLONE_CLEAR_SIGHAND, SIGCHLD);
    with_clone3("clone3 without a signal", 0, 0);
    say("clone3 with bad arguments: %s", error_name(syscall(SYS_clone3, 0, 0)));
    say("clone3 with a short structure: %s", error_name(syscall(SYS_clone3, &pid, 8)));
    return 0;
}
