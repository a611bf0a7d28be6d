/* Everything that a process can do to the one that traces it. */
#include "target.h"
#include <asm/ioctls.h>
#include <dirent.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
static pid_t tracer_pid(void) {
    char line[256];
    pid_t tracer = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "TracerPid: %d", &tracer);
    if (file) fclose(file);
    return tracer;
}
static void show_file(const char *name, int fd) {
    say("%s: %s", name, fd < 0 ? "refused" : "OPENED");
    if (fd >= 0) close(fd);
}
static void open_file(pid_t pid, const char *name, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    show_file(name, open(path, flags));
}
/* The tracer's other thread, by which its process can be named as well. */
static pid_t other_thread(pid_t tracer) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", tracer);
    pid_t found = 0;
    DIR *threads = opendir(path);
    for (struct dirent *entry; threads && (entry = readdir(threads));)
        if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != tracer) found = atoi(entry->d_name);
    if (threads) closedir(threads);
    return found;
}
static void show(const char *name, long result) { say("%s: %s", name, result < 0 ? "refused" : "DONE"); }
/* Arguments in a page that may only be written, which the kernel reads all the same. */
static void attack_from_hidden_memory(pid_t pid) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int pipes[2];
    if (page == MAP_FAILED || pipe(pipes) < 0) die("hidden memory");
    snprintf(page, 64, "/proc/%d/mem", pid);
    *(struct f_owner_ex *)(page + 64) = (struct f_owner_ex){F_OWNER_TID, pid};
    mprotect(page, 4096, PROT_WRITE);
    show_file("hidden path", open(page, O_RDWR));
    show("hidden F_SETOWN_EX", fcntl(pipes[0], F_SETOWN_EX, page + 64));
    for (int i = 0; i < 2; i++) close(pipes[i]);
    munmap(page, 4096);
}
/* A handle that the kernel takes for a pidfd, guessed from one of our own (Linux 6.17). */
static int pidfd_by_guess(pid_t tracer) {
    enum { ROOT_OF_PIDFDS = -10002 };
    struct { struct file_handle head; unsigned long long number; } guess = {.head.handle_bytes = 8};
    int own = syscall(SYS_pidfd_open, getpid(), 0), mount;
    if (own < 0 || name_to_handle_at(own, "", &guess.head, &mount, AT_EMPTY_PATH) < 0) return -1;
    unsigned long long ours;
    memcpy(&ours, guess.head.f_handle, sizeof ours);
    for (unsigned long long back = 1; back < 64; back++) {
        unsigned long long number = ours - back;
        memcpy(guess.head.f_handle, &number, sizeof number);
        int fd = open_by_handle_at(ROOT_OF_PIDFDS, &guess.head, O_CLOEXEC);
        char path[64], line[128];
        pid_t pid = 0;
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        FILE *file = fd < 0 ? NULL : fopen(path, "r");
        while (file && fgets(line, sizeof line, file)) sscanf(line, "Pid: %d", &pid);
        if (file) fclose(file);
        if (pid == tracer) return fd;
        if (fd >= 0) close(fd);
    }
    return -1;
}
static void attack_by_handle(const char *kind, int fd) {
    char name[64];
    snprintf(name, sizeof name, "pidfd_send_signal by %s", kind);
    show(name, syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
    snprintf(name, sizeof name, "pidfd_getfd by %s", kind);
    show(name, syscall(SYS_pidfd_getfd, fd, 3, 0));
    struct iovec some = {(void *)((unsigned long)attack_by_handle & ~4095ul), 4096};
    snprintf(name, sizeof name, "process_madvise by %s", kind);
    show(name, syscall(SYS_process_madvise, fd, &some, 1, 20 /* MADV_COLD */, 0));
}
/* All that takes a number of a process. */
static void attack(pid_t pid) {
    attack_from_hidden_memory(pid);
    struct perf_event_attr counter = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof counter, .config = PERF_COUNT_SW_CPU_CLOCK};
    show("perf_event_open", syscall(SYS_perf_event_open, &counter, pid, -1, -1, 0));
    show("kcmp", syscall(SYS_kcmp, getpid(), pid, 2 /* KCMP_FILES */, 0, 0));
    show("kcmp the other way", syscall(SYS_kcmp, pid, getpid(), 2, 0, 0));
    void *list;
    size_t length;
    show("get_robust_list", syscall(SYS_get_robust_list, pid, &list, &length));
    show("PR_SCHED_CORE", prctl(62, 2 /* share to */, pid, 0, 0));
    struct sched_param parameter = {0};
    show("sched_setscheduler", sched_setscheduler(pid, SCHED_IDLE, &parameter));
    show("sched_setparam", sched_setparam(pid, &parameter));
    show("ioprio_set", syscall(SYS_ioprio_set, 1, pid, 3 << 13));
    show("setpriority of its group", setpriority(PRIO_PGRP, pid, 19));
    unsigned long node = 1;
    show("migrate_pages", syscall(SYS_migrate_pages, pid, 8, &node, &node));
    show("move_pages", syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0));
    siginfo_t info = {.si_code = SI_QUEUE};
    show("kill", kill(pid, SIGKILL));
    show("stop", kill(pid, SIGSTOP));
    show("tkill", syscall(SYS_tkill, pid, SIGKILL));
    show("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, pid, SIGUSR2, &info));
    show("ptrace attach", ptrace(PTRACE_ATTACH, pid, 0, 0));
    show("ptrace seize", ptrace(PTRACE_SEIZE, pid, 0, 0));
    struct rlimit limit = {0, 0};
    show("prlimit", prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
    show("setpriority", setpriority(PRIO_PROCESS, pid, 19));
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    show("sched_setaffinity", sched_setaffinity(pid, sizeof set, &set));
    long word = 0;
    struct iovec local = {&word, sizeof word}, remote = {(void *)attack, sizeof word};
    show("process_vm_readv", process_vm_readv(pid, &local, 1, &remote, 1, 0));
    show("process_vm_writev", process_vm_writev(pid, &local, 1, &remote, 1, 0));
    open_file(pid, "mem", O_RDWR);
    open_file(pid, "oom_score_adj", O_WRONLY);
    open_file(pid, "comm", O_WRONLY);
    open_file(pid, "timerslack_ns", O_WRONLY);
    /* A file may send any signal to its owner. */
    int pipes[2], sockets[2];
    if (pipe(pipes) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0) die("pipe");
    show("F_SETOWN", fcntl(pipes[0], F_SETOWN, pid));
    struct f_owner_ex owner = {F_OWNER_TID, pid};
    show("F_SETOWN_EX", fcntl(pipes[0], F_SETOWN_EX, &owner));
    show("FIOSETOWN", ioctl(sockets[0], FIOSETOWN, &pid));
    show("SIOCSPGRP", ioctl(sockets[0], SIOCSPGRP, &pid));
    for (int i = 0; i < 2; i++) close(pipes[i]), close(sockets[i]);
    /* Other paths to the same file. */
    static const char *const paths[] = {
        "/proc/self/root/proc/%d/mem", "/proc/thread-self/../../../%d/mem", "/dev/fd/../../%d/mem",
        "/proc/./%d/mem", "/proc/self/../%d/mem", "/proc/1/../%d/mem",
        "/proc/self/task/../../%d/oom_score_adj", "//proc//%d//mem",
    };
    char path[64];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(path, sizeof path, paths[i], pid);
        show_file(paths[i], open(path, O_RDWR));
    }
    int proc = open("/proc/self/root/proc", O_RDONLY | O_DIRECTORY);
    snprintf(path, sizeof path, "%d/mem", pid);
    show_file("below /proc", openat(proc, path, O_RDWR));
    close(proc);
    char link[64], below[80];
    snprintf(link, sizeof link, "/tmp/attack-%d", getpid());
    snprintf(below, sizeof below, "%s/mem", link);
    snprintf(path, sizeof path, "/proc/%d", pid);
    if (symlink(path, link) < 0) die(link);
    show_file("link to the directory", open(below, O_RDWR));
    unlink(link);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    if (symlink(path, link) < 0) die(link);
    show_file("link to the file", open(link, O_RDWR));
    int handle = open(link, O_PATH);
    show_file("handle on the file", handle);
    unlink(link);
}
int main(void) {
    pid_t tracer = tracer_pid();
    if (tracer == 0) die("nobody traces this");
    attack(tracer);
    attack(other_thread(tracer));
    siginfo_t info = {.si_code = SI_QUEUE};
    show("kill of the group", kill(-tracer, SIGKILL));
    show("tgkill", syscall(SYS_tgkill, tracer, tracer, SIGKILL));
    show("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, tracer, tracer, SIGUSR2, &info));
    show("setpgid to our group", setpgid(tracer, getpgrp()));
    show("setpgid to its group", setpgid(0, tracer));
    show("pidfd_open", syscall(SYS_pidfd_open, tracer, 0));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", tracer);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    attack_by_handle("directory", directory);
    attack_by_handle("guess", pidfd_by_guess(tracer));
    int shadow = open("/etc/shadow", O_RDONLY);
    say("still traced: %d, file %s", tracer_pid() == tracer, error_name(shadow));
    return 0;
}
