/* Installs a filter that refuses calls, as a container's profile does, then becomes a program:
 * deny_call NUMBER[,NUMBER]... PROGRAM ARGUMENTS... */
#include "target.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
int main(int argc, char **argv) {
    if (argc < 3) return 2;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (char *word = strtok(argv[1], ","); word; word = strtok(NULL, ",")) {
        struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(word), 0, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog program = {4, code};
        /* prctl, so that `seccomp` itself can be among the refused calls. */
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) die("filter");
    }
    execvp(argv[2], argv + 2);
    die(argv[2]);
}
