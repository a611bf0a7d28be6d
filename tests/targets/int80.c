/* System calls by int 0x80 from 64-bit code: i386 numbers, the same results as ever. */
#include "target.h"
#include <sys/mman.h>
#if defined(__x86_64__)
static long int80(long nr, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}
int main(void) {
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) die("mmap");
    long pid = int80(20, 0, 0, 0);
    if (pid == -ENOSYS) { say("no i386 calls here"); return 0; }
    say("getpid agrees: %d", pid == getpid());
    strcpy(low, "/etc/hostname");
    say("open: %d", int80(5, (long)low, 0, 0) >= 0);
    strcpy(low, "/no/such/file");
    say("open of nothing: %ld", int80(5, (long)low, 0, 0));
    say("openat: %ld", int80(295, AT_FDCWD, (long)low, 0));
    say("unlink: %ld", int80(10, (long)low, 0, 0));
    say("socketcall: %d", int80(102, 1, (long)memcpy(low + 64, (int[]){1, 1, 0}, 12), 0) >= 0);
    strcpy(low, "/bin/sh");
    strcpy(low + 32, "-c");
    strcpy(low + 40, "exit 12");
    unsigned *vector = (unsigned *)(low + 128);
    vector[0] = (unsigned)(long)low;
    vector[1] = (unsigned)(long)(low + 32);
    vector[2] = (unsigned)(long)(low + 40);
    vector[3] = vector[4] = 0;
    long child = int80(2, 0, 0, 0);
    if (child == 0) { int80(11, (long)low, (long)vector, (long)(vector + 4)); _exit(1); }
    say_status("fork and execve", wait_for(child, 0));
    return 0;
}
#else
int main(void) { say("no i386 calls here"); return 0; }
#endif
