/* One process reaches into another: ptrace, process_vm_writev, /proc/PID/mem. */
#include "target.h"
#include <sys/ptrace.h>
#include <sys/uio.h>
static volatile long word = 1;
int main(void) {
    pid_t child = checked_fork();
    if (child == 0) for (;;) pause();
    long value = 2;
    struct iovec local = {&value, sizeof value}, remote = {(void *)&word, sizeof word};
    say("process_vm_writev: %s", error_name(process_vm_writev(child, &local, 1, &remote, 1, 0)));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int fd = open(path, O_RDWR);
    say("mem: %s", error_name(fd));
    say("ptrace: %s", error_name(ptrace(PTRACE_ATTACH, child, 0, 0)));
    kill(child, SIGKILL);
    say_status("child", wait_for(child, __WALL));
    return 0;
}
