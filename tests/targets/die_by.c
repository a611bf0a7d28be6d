/* Ends by the signal that the argument names, in the way real programs do, with core dumps on. */
#include "target.h"
#include <sys/mman.h>
#include <sys/resource.h>
static volatile int zero;
int main(int argc, char **argv) {
    if (argc < 2) return 2;
    struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_CORE, &core) != 0) {
        getrlimit(RLIMIT_CORE, &core);
        core.rlim_cur = core.rlim_max;
        setrlimit(RLIMIT_CORE, &core);
    }
    say("dying by %s", argv[1]);
    if (strcmp(argv[1], "SEGV") == 0) *(volatile int *)8 = 1;
    if (strcmp(argv[1], "FPE") == 0) return zero / zero;
    if (strcmp(argv[1], "ILL") == 0) __builtin_trap();
    if (strcmp(argv[1], "ABRT") == 0) abort();
#if defined(__aarch64__)
    if (strcmp(argv[1], "TRAP") == 0) __asm__ volatile("brk #0");
#else
    if (strcmp(argv[1], "TRAP") == 0) __asm__ volatile("int3");
#endif
    if (strcmp(argv[1], "BUS") == 0) {
        FILE *file = tmpfile();
        if (!file) die("tmpfile");
        volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
        return *page;
    }
    if (strcmp(argv[1], "PIPE") == 0) {
        int ends[2];
        if (pipe(ends) != 0) die("pipe");
        close(ends[0]);
        ssize_t n = write(ends[1], "x", 1);
        return (int)n;
    }
    if (strcmp(argv[1], "XCPU") == 0) {
        struct rlimit cpu = {1, 2};
        setrlimit(RLIMIT_CPU, &cpu);
        for (;;) zero++;
    }
    if (strcmp(argv[1], "XFSZ") == 0) {
        struct rlimit size = {1, 1};
        setrlimit(RLIMIT_FSIZE, &size);
        FILE *file = tmpfile();
        if (!file || write(fileno(file), "xx", 1) != 1 || write(fileno(file), "xx", 2) < 0) return 3;
    }
    for (int number = 1; number <= 31; number++) {
        const char *name = sigabbrev_np(number);
        if (name && strcmp(name, argv[1]) == 0) kill(getpid(), number);
    }
    if (strcmp(argv[1], "RTMIN") == 0) kill(getpid(), SIGRTMIN);
    return 4;
}
