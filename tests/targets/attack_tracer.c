/* Everything that a process can do to the one that traces it. */
#include "target.h"
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
static pid_t tracer_pid(void) {
    char line[256];
    pid_t tracer = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "TracerPid: %d", &tracer);
    if (file) fclose(file);
    return tracer;
}
static void open_file(pid_t pid, const char *name, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, flags);
    say("%s: %s", name, fd < 0 ? "refused" : "OPENED");
    if (fd >= 0) close(fd);
}
static void show(const char *name, long result) { say("%s: %s", name, result < 0 ? "refused" : "DONE"); }
int main(void) {
    pid_t tracer = tracer_pid();
    if (tracer == 0) die("nobody traces this");
    siginfo_t info = {.si_code = SI_QUEUE};
    show("kill", kill(tracer, SIGKILL));
    show("kill of the group", kill(-tracer, SIGKILL));
    show("stop", kill(tracer, SIGSTOP));
    show("tkill", syscall(SYS_tkill, tracer, SIGKILL));
    show("tgkill", syscall(SYS_tgkill, tracer, tracer, SIGKILL));
    show("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, tracer, SIGUSR2, &info));
    show("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, tracer, tracer, SIGUSR2, &info));
    int handle = (int)syscall(SYS_pidfd_open, tracer, 0);
    show("pidfd_open", handle);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", tracer);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    show("pidfd_send_signal", syscall(SYS_pidfd_send_signal, directory, SIGKILL, NULL, 0));
    show("ptrace attach", ptrace(PTRACE_ATTACH, tracer, 0, 0));
    show("ptrace seize", ptrace(PTRACE_SEIZE, tracer, 0, 0));
    struct rlimit limit = {0, 0};
    show("prlimit", prlimit(tracer, RLIMIT_NOFILE, &limit, NULL));
    show("setpriority", setpriority(PRIO_PROCESS, tracer, 19));
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    show("sched_setaffinity", sched_setaffinity(tracer, sizeof set, &set));
    long word = 0;
    struct iovec local = {&word, sizeof word}, remote = {(void *)main, sizeof word};
    show("process_vm_readv", process_vm_readv(tracer, &local, 1, &remote, 1, 0));
    show("process_vm_writev", process_vm_writev(tracer, &local, 1, &remote, 1, 0));
    open_file(tracer, "mem", O_RDWR);
    open_file(tracer, "oom_score_adj", O_WRONLY);
    open_file(tracer, "comm", O_WRONLY);
    open_file(tracer, "timerslack_ns", O_WRONLY);
    int shadow = open("/etc/shadow", O_RDONLY);
    say("still traced: %d, file %s", tracer_pid() == tracer, error_name(shadow));
    return 0;
}
