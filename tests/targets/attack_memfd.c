/* A program that never was a file: memfd_create, then execveat of the descriptor. */
#include "target.h"
int main(void) {
    int memory = (int)syscall(SYS_memfd_create, "payload", 0), self = open("/bin/true", O_RDONLY);
    char buffer[65536];
    ssize_t n;
    if (memory < 0 || self < 0) die("memfd");
    while ((n = read(self, buffer, sizeof buffer)) > 0)
        if (write(memory, buffer, n) != n) die("write");
    pid_t child = checked_fork();
    if (child == 0) {
        char *arguments[] = {"[kworker]", NULL};
        syscall(SYS_execveat, memory, "", arguments, environ, 0x1000);
        _exit(errno);
    }
    say_status("memfd", wait_for(child, 0));
    child = checked_fork();
    if (child == 0) {
        char name[64], *arguments[] = {"again", NULL};
        snprintf(name, sizeof name, "/proc/self/fd/%d", memory);
        execve(name, arguments, environ);
        _exit(errno);
    }
    say_status("by its link", wait_for(child, 0));
    return 0;
}
