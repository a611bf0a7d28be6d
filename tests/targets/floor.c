/* The least that a tracer can do, as a yardstick: SEIZE, a seccomp filter, one entry stop for each
 * call of the list, and straight on.
 *
 *   floor CALLS MODE PROGRAM ARGUMENTS…
 *
 * CALLS are numbers, comma-separated. MODE `bare` resumes at once; `read` first asks what the call
 * is and reads 256 bytes from where its first path is, which is the least of a tracer that is to
 * know anything. It ends as the program ended. */
#include "target.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { most = 200 };
static int calls[most], count;
static volatile char path[256];

static int by_number(const void *one, const void *other) { return *(const int *)one - *(const int *)other; }

static int parse(char *list) {
    for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        if (count == most) return -1;
        calls[count++] = atoi(word);
    }
    qsort(calls, count, sizeof *calls, by_number);
    return count ? 0 : -1;
}

/* A balanced tree over calls[low, high), as any tracer that cares about dull calls has it. */
static int tree(struct sock_filter *code, int low, int high) {
    if (high - low == 1) {
        code[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[low], 0, 1);
        code[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        code[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        return 3;
    }
    int middle = (low + high) / 2;
    int left = tree(code + 2, low, middle);
    code[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)calls[middle], 0, 1);
    code[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (unsigned)left);
    return 2 + left + tree(code + 2 + left, middle, high);
}

static void install(void) {
    static struct sock_filter code[4 + most * 5];
    code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    int length = 1 + tree(code + 1, 0, count);
    struct sock_fprog program = {(unsigned short)length, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) die("seccomp");
}

static void read_path(pid_t pid) {
    static const size_t page = 4096;
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
    unsigned long address = info.seccomp.args[info.seccomp.nr == SYS_openat ? 1 : 0];
    size_t first = page - address % page;
    if (first > sizeof path) first = sizeof path;
    struct iovec local = {(void *)path, sizeof path};
    struct iovec remote[2] = {{(void *)address, first}, {(void *)(address + first), sizeof path - first}};
    process_vm_readv(pid, &local, 1, remote, 2, 0);
}

static int trace(pid_t workload, int reads) {
    int status, end = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (pid == workload) end = status;
            continue;
        }
        int event = status >> 16, signal = 0;
        if (event == PTRACE_EVENT_SECCOMP && reads) read_path(pid);
        if (event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP) {
            ptrace(PTRACE_LISTEN, pid, 0, 0);
            continue;
        }
        if (event == 0) signal = WSTOPSIG(status);
        ptrace(PTRACE_CONT, pid, 0, signal);
    }
    return end;
}

int main(int argc, char **argv) {
    if (argc < 4 || parse(argv[1]) != 0) {
        fprintf(stderr, "usage: floor CALLS bare|read PROGRAM [ARGUMENT]...\n");
        return 125;
    }
    int go[2];
    char byte = 0;
    if (pipe2(go, O_CLOEXEC) != 0) die("pipe");
    pid_t workload = checked_fork();
    if (workload == 0) {
        if (read(go[0], &byte, 1) != 1) _exit(125);
        install();
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SEIZE, workload, 0, options) != 0) die("seize");
    if (write(go[1], &byte, 1) != 1) die("write");
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    int status = trace(workload, strcmp(argv[2], "read") == 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
