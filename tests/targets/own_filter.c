/* The workload installs seccomp filters of its own: error, trap, kill, strict, and one that kills
 * on ptrace and seccomp, which nobody may call in its name. */
#include "target.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#define AT(field) offsetof(struct seccomp_data, field)
static long install(unsigned call, unsigned other, unsigned action, unsigned flags) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1), BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {5, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
static void trapped(int number, siginfo_t *info, void *context) {
    (void)context;
    say("%s for the call openat: %d", sigabbrev_np(number), info->si_syscall == SYS_openat);
}
static int run(const char *mode) {
    if (strcmp(mode, "errno") == 0) {
        say("install: %s", error_name(install(SYS_openat, SYS_openat, SECCOMP_RET_ERRNO | EXDEV, 0)));
        say("openat: %s", error_name(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY)));
        say("getppid: %s", error_name(getppid()));
        return 1;
    }
    if (strcmp(mode, "trap") == 0) {
        struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &action, NULL);
        say("install: %s", error_name(install(SYS_openat, SYS_openat, SECCOMP_RET_TRAP, SECCOMP_FILTER_FLAG_TSYNC)));
        syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
        return 2;
    }
    if (strcmp(mode, "kill") == 0) {
        say("install: %s", error_name(install(SYS_openat, SYS_openat, SECCOMP_RET_KILL_PROCESS, 0)));
        syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
        return 3;
    }
    if (strcmp(mode, "guard") == 0) {
        say("install: %s", error_name(install(SYS_ptrace, SYS_seccomp, SECCOMP_RET_KILL_PROCESS, 0)));
        for (int i = 0; i < 50; i++) close(open("/dev/null", O_RDONLY));
        pid_t child = fork();
        if (child == 0) { execl("/bin/sh", "sh", "-c", "exit 4", NULL); _exit(5); }
        say_status("child of the guarded", wait_for(child, 0));
        raise(SIGCONT);
        syscall(SYS_ptrace, 0, 0, 0, 0);
        return 4;
    }
    if (strcmp(mode, "many") == 0) {
        int installed = 0;
        for (int i = 0; i < 20; i++) installed += install(SYS_acct, SYS_swapon, SECCOMP_RET_ERRNO | ENOTBLK, 0) == 0;
        say("installed %d", installed);
        say("acct: %s", error_name(syscall(SYS_acct, 0)));
        return close(open("/dev/null", O_RDONLY)) == 0 ? 5 : 6;
    }
    if (strcmp(mode, "prctl") == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        struct sock_fprog program = {1, &allow};
        say("prctl: %s", error_name(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)));
        say("bad action size: %s", error_name(syscall(SYS_seccomp, 99, 0, 0)));
        return 7;
    }
    return 9;
}
int main(void) {
    struct rlimit core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
    const char *const modes[] = {"errno", "trap", "kill", "guard", "many", "prctl"};
    for (int i = 0; i < 6; i++) {
        pid_t child = checked_fork();
        if (child == 0) _exit(run(modes[i]));
        say_status(modes[i], wait_for(child, 0));
    }
    return 0;
}
