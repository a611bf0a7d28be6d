// Executes a program under a filter, as a container runtime's profile would be:
//   deny fail|kill CALL COMMAND [ARGUMENT]...
// CALL is ptrace, seccomp (seccomp(2) and the prctl that does the same), nnp (the prctl that sets
// no_new_privs), clone (all that makes a process), thread (clone with CLONE_THREAD, clone3 being
// absent) or close_range.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARGUMENT BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define UNLESS_ANY(bits, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, skip)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    unsigned no = strcmp(argv[1], "kill") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
    const char *call = argv[2];
    struct sock_filter ptrace_code[] = {NUMBER, UNLESS(SYS_ptrace, 1), ANSWER(no),
                                        ANSWER(SECCOMP_RET_ALLOW)};
    struct sock_filter seccomp_code[] = {
        NUMBER, UNLESS(SYS_seccomp, 1), ANSWER(no), UNLESS(SYS_prctl, 3), ARGUMENT,
        UNLESS(PR_SET_SECCOMP, 1), ANSWER(no), ANSWER(SECCOMP_RET_ALLOW)};
    struct sock_filter nnp_code[] = {NUMBER, UNLESS(SYS_prctl, 3), ARGUMENT,
                                     UNLESS(PR_SET_NO_NEW_PRIVS, 1), ANSWER(no),
                                     ANSWER(SECCOMP_RET_ALLOW)};
    struct sock_filter clone_code[] = {NUMBER, UNLESS(SYS_clone, 1), ANSWER(no),
                                       UNLESS(SYS_clone3, 1), ANSWER(no),
                                       ANSWER(SECCOMP_RET_ALLOW)};
    struct sock_filter thread_code[] = {
        NUMBER, UNLESS(SYS_clone3, 1), ANSWER(ABSENT), UNLESS(SYS_clone, 3), ARGUMENT,
        UNLESS_ANY(CLONE_THREAD, 1), ANSWER(no), ANSWER(SECCOMP_RET_ALLOW)};
    struct sock_filter close_code[] = {NUMBER, UNLESS(SYS_close_range, 1), ANSWER(no),
                                       ANSWER(SECCOMP_RET_ALLOW)};
    struct {
        const char *name;
        struct sock_fprog program;
    } filters[] = {
#define FILTER(name, code) {name, {sizeof code / sizeof code[0], code}}
        FILTER("ptrace", ptrace_code),     FILTER("seccomp", seccomp_code),
        FILTER("nnp", nnp_code),           FILTER("clone", clone_code),
        FILTER("thread", thread_code),     FILTER("close_range", close_code),
    };
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (strcmp(call, filters[i].name) != 0) continue;
        // Privileged, so that no_new_privs stays as it is for the program.
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filters[i].program) != 0) {
            perror("deny: cannot install the filter");
            return 3;
        }
        execvp(argv[3], argv + 3);
        perror(argv[3]);
        return 127;
    }
    return 2;
}
