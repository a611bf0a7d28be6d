// Enters the pid and mount namespaces of a process as a child that is from its birth what the
// second argument says:
//   plain         as it is
//   unprivileged  without CAP_SYS_ADMIN
//   jealous       with a filter that kills it for asking for another one
// The child opens a file and ends with 6 when its standard input ends.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void join(const char *pid, const char *name, int kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0, path);
    check(setns(fd, kind) == 0, "setns");
    close(fd);
}

static void drop_admin(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    check(syscall(SYS_capget, &header, data) == 0, "capget");
    data[0].effective &= ~(1u << CAP_SYS_ADMIN);
    data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
    data[0].inheritable &= ~(1u << CAP_SYS_ADMIN);
    check(syscall(SYS_capset, &header, data) == 0, "capset");
}

static void be_jealous(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    // The pid namespace last: the mount namespace brings the /proc that shows the other pids.
    int pid_namespace;
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/pid", argv[1]);
    pid_namespace = open(path, O_RDONLY | O_CLOEXEC);
    check(pid_namespace >= 0, path);
    join(argv[1], "mnt", CLONE_NEWNS);
    check(setns(pid_namespace, CLONE_NEWPID) == 0, "setns");
    if (strcmp(argv[2], "unprivileged") == 0) drop_admin();
    if (strcmp(argv[2], "jealous") == 0) be_jealous();
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        puts("ready");
        fflush(stdout);
        char byte;
        while (read(0, &byte, 1) > 0) {
        }
        check(open("/etc/hostname", O_RDONLY) >= 0, "open");
        return 6;
    }
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
