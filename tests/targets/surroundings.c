/* Everything an execve hands on: dispositions, mask, limits, descriptors, identity, names. */
#include "target.h"
#include <dirent.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void say_file(const char *path, const char *prefix) {
    FILE *file = fopen(path, "r");
    char line[1024];
    if (!file) { say("%s: %s", path, strerrorname_np(errno)); return; }
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!prefix || strncmp(line, prefix, strlen(prefix)) == 0) say("%s: %s", path, line);
    }
    fclose(file);
}

static void say_descriptors(void) {
    for (int fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0) continue;
        struct stat st;
        fstat(fd, &st);
        say("fd %d: flags %o close-on-exec %d type %o", fd, flags, fcntl(fd, F_GETFD), st.st_mode & S_IFMT);
    }
}

int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) say("argv[%d] = %s", i, argv[i]);
    say("AT_EXECFN = %s", (char *)getauxval(AT_EXECFN));
    say("AT_SECURE = %lu", getauxval(AT_SECURE));
    for (char **entry = environ; *entry; entry++) say("env %s", *entry);
    char link[4096];
    ssize_t n = readlink("/proc/self/exe", link, sizeof link - 1);
    say("exe %.*s", (int)(n < 0 ? 0 : n), link);
    n = readlink("/proc/self/root", link, sizeof link - 1);
    say("root %.*s", (int)(n < 0 ? 0 : n), link);
    say_file("/proc/self/comm", NULL);
    static const char *const lines[] = {"Umask", "Uid", "Gid", "Groups", "Threads", "SigQ", "SigPnd", "ShdPnd", "SigBlk",
                                        "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Cpus_allowed:"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(lines[i], "SigQ") != 0) say_file("/proc/self/status", lines[i]);
    say_file("/proc/self/oom_score_adj", NULL);
    say_file("/proc/self/timerslack_ns", NULL);
    say_file("/proc/self/coredump_filter", NULL);
    say_file("/proc/self/cgroup", NULL);
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit limit;
        getrlimit(resource, &limit);
        say("limit %d: %lx %lx", resource, limit.rlim_cur, limit.rlim_max);
    }
    say("nice %d", getpriority(PRIO_PROCESS, 0));
    say("policy %d", sched_getscheduler(0));
    say("personality %x", personality(0xffffffff));
    say("dumpable %d", prctl(PR_GET_DUMPABLE));
    int death = -1, reaper = -1;
    prctl(PR_GET_PDEATHSIG, &death);
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    say("death signal %d, subreaper %d", death, reaper);
    say("securebits %d, keepcaps %d", prctl(PR_GET_SECUREBITS), prctl(PR_GET_KEEPCAPS));
    stack_t stack;
    sigaltstack(NULL, &stack);
    say("alternate stack flags %d", stack.ss_flags);
    say_descriptors();
    return 0;
}
