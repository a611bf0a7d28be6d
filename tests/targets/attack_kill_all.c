/* Pid 1 ends everything that it can reach, three times, and goes on. */
#include "target.h"
static long kill_all(int signal) { return kill(-1, signal); }
/* By the calls of 32-bit programs, whose arguments are in other registers. */
static long kill_all_32(int signal) {
#ifdef __x86_64__
    long result, number = 37, kept = 0x1234567800000000 | 0xffffffff;
    __asm__ volatile("int $0x80" : "=a"(result), "+b"(kept) : "a"(number), "c"(signal)
                     : "memory", "r8", "r9", "r10", "r11");
    if ((int)result != -ENOSYS) {
        if (kept >> 32 != 0x12345678) say("a register was changed: %lx", kept);
        return (int)result;
    }
#endif
    return kill(-1, signal);
}
int main(void) {
    for (int round = 0; round < 3; round++) {
        pid_t children[3];
        for (int i = 0; i < 3; i++) {
            children[i] = checked_fork();
            if (children[i] == 0) for (;;) pause();
        }
        int signal = round == 1 ? SIGTERM : SIGKILL;
        say("kill(-1): %s", error_name(round < 2 ? kill_all(signal) : kill_all_32(signal)));
        for (int i = 0; i < 3; i++) say_status("child", wait_for(children[i], 0));
    }
    int fd = open("/etc/shadow", O_RDONLY);
    say("goes on: %s", error_name(fd));
    return 0;
}
