/* Ways to do something while the tracer does not see what. Prints what was really done. */
#include "target.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
enum { PAGE = 4096 };
/* A tag in the highest byte of an address, which the kernel takes off again where programs may tag. */
static char *tagged(char *address) {
#ifdef __aarch64__
    if (prctl(55 /* PR_SET_TAGGED_ADDR_CTRL */, 1, 0, 0, 0) == 0)
        return (char *)((unsigned long)address | 0xa5ul << 56);
#endif
    return address;
}
/* The first page may be read, the second is for writing only; the kernel takes arguments from both. */
static char *pages(void) {
    char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    return memory;
}
static void hide(char *memory, size_t from) {
    if (mprotect(memory + from, 2 * PAGE - from, PROT_WRITE) < 0) die("mprotect");
}
static void open_hidden(const char *path, size_t at) {
    char *memory = pages();
    strcpy(memory + at, path);
    hide(memory, PAGE);
    int fd = open(tagged(memory + at), O_RDONLY);
    say("open %s: %s", path, error_name(fd));
    if (fd >= 0) close(fd);
    munmap(memory, 2 * PAGE);
}
static void connect_hidden(const char *host, size_t at) {
    char *memory = pages();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    inet_pton(AF_INET, host, &address.sin_addr);
    memcpy(memory + at, &address, sizeof address);
    hide(memory, PAGE);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    say("connect %s: %s", host, error_name(connect(fd, (void *)tagged(memory + at), sizeof address)));
    close(fd);
    munmap(memory, 2 * PAGE);
}
/* An absolute path that starts somewhere else. */
static void open_in_root(const char *root, const char *path) {
    struct { unsigned long long flags, mode, resolve; } how = {.resolve = 0x10 /* RESOLVE_IN_ROOT */};
    int directory = open(root, O_PATH | O_DIRECTORY);
    long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    say("openat2 %s: %s", path, error_name(fd));
    if (fd >= 0) close(fd);
    close(directory);
}
/* A descriptor that no open made, opened again. */
static void open_again(const char *path) {
    char link[64];
    int handle = syscall(SYS_open_tree, AT_FDCWD, path, 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    int fd = open(link, O_RDONLY | O_NONBLOCK);
    say("open_tree %s: %s", path, error_name(fd));
    if (fd >= 0) close(fd);
    close(handle);
}
int main(void) {
    open_hidden("/etc/hostname", 0);
    open_hidden("/etc/shadow", PAGE);
    open_hidden("/etc/passwd", PAGE - 5);
    open_in_root("/etc", "/shadow");
    open_again("/etc/hostname");
    connect_hidden("127.0.0.71", 0);
    connect_hidden("127.0.0.72", PAGE);
    connect_hidden("127.0.0.73", PAGE - 4);
    say("memfd_secret: %s", error_name(syscall(SYS_memfd_secret, 0)));
    say("userfaultfd: %s", error_name(syscall(SYS_userfaultfd, O_CLOEXEC)));
    struct sock_filter filter[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (unsigned long more = 0; more < 2; more++) {
        /* By itself, and for all threads. */
        unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | (more ? 1 | 16 : 0);
        long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        say("listener: %s", error_name(listener));
        /* Nobody answers: what it holds up would wait for ever. */
        if (listener >= 0) _exit(0);
    }
    return 0;
}
