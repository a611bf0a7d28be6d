/* Calls with the x32 bit set: whatever this kernel says, it says under a tracer too. */
#include "target.h"
#include <sys/mman.h>
int main(void) {
#if defined(__x86_64__)
    const long bit = 0x40000000;
    say("getpid: %s", error_name(syscall(bit + SYS_getpid)));
    say("openat: %s", error_name(syscall(bit + SYS_openat, AT_FDCWD, "/etc/hostname", 0)));
    say("execve: %s", error_name(syscall(bit + 520, "/no/such", NULL, NULL)));
    say("ptrace: %s", error_name(syscall(bit + 521, 99, 0, 0, 0)));
#endif
    say("an unknown number: %s", error_name(syscall(100000)));
    say("number -1: %s", error_name(syscall(-1)));
    say("still here: %s", error_name(open("/etc/hostname", O_RDONLY)));
    return 0;
}
