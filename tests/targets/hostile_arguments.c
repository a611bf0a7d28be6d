/* Traced calls with arguments that nothing can be made of: pointers to nowhere, strings without an
 * end, lengths that lie, vectors full of rubbish. Each must fail as it fails without a tracer. */
#include "target.h"
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
enum { page = 4096 };
static char *edge, *longest;
static long pointers[9];
static unsigned long sum = 5381;
static int calls;
/* Flags made of an address would differ from run to run. */
static int takes_flags(long number) {
#if defined(__x86_64__)
    if (number == SYS_open) return 1;
#endif
    return number == SYS_umount2;
}
static int takes_flags_at(long number) { return number == SYS_openat || number == SYS_unlinkat || number == SYS_fchownat; }
static void call(long number, long a, long b, long c, long d, long e) {
    errno = 0;
    long result = syscall(number, a, b, c, d, e, 0);
    if (result >= 0) say("call %ld of %d did not fail: %ld", number, calls, result);
    sum = sum * 33 + (unsigned long)errno;
    calls++;
}
/* Calls whose first argument is a path, or which have a path after a descriptor. */
static const int by_path[] = {
#if defined(__x86_64__)
    SYS_open, SYS_creat, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_chmod, SYS_chown, SYS_lchown,
#endif
    SYS_chroot, SYS_umount2, SYS_execve};
static const int by_two_paths[] = {
#if defined(__x86_64__)
    SYS_link, SYS_rename, SYS_symlink,
#endif
    SYS_pivot_root, SYS_mount};
static const int by_descriptor[] = {SYS_openat, SYS_mkdirat, SYS_unlinkat, SYS_fchmodat, SYS_fchownat, SYS_execveat, SYS_openat2};
static const int by_structure[] = {SYS_connect, SYS_bind, SYS_sendmsg, SYS_accept4};
int main(void) {
    edge = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (edge == MAP_FAILED || mprotect(edge + page, page, PROT_NONE) != 0) die("mmap");
    memset(edge, 'a', page);
    longest = malloc(1 << 20);
    memset(longest, '/', 1 << 20);
    longest[(1 << 20) - 1] = 0;
    long all[] = {0, 8, -1, (long)0xffff800000000000UL, 0x7fffffffffff, (long)(edge + page), (long)(edge + page - 1), (long)(edge + 17), (long)longest};
    memcpy(pointers, all, sizeof all);
    for (int i = 0; i < 9; i++) {
        long p = pointers[i];
        for (size_t n = 0; n < sizeof by_path / sizeof *by_path; n++) call(by_path[n], p, takes_flags(by_path[n]) ? 0 : p, p, p, p);
        for (size_t n = 0; n < sizeof by_two_paths / sizeof *by_two_paths; n++)
            for (int j = 0; j < 9; j++) call(by_two_paths[n], p, pointers[j], pointers[8 - j], 0, p);
        for (size_t n = 0; n < sizeof by_descriptor / sizeof *by_descriptor; n++) {
            long third = takes_flags_at(by_descriptor[n]) ? 0 : p, rest = by_descriptor[n] == SYS_execveat ? p : 0;
            call(by_descriptor[n], -1, p, third, rest, 0);
            call(by_descriptor[n], AT_FDCWD, p, third, rest, 0);
            call(by_descriptor[n], 0x7fffffff, p, -1, -1, -1);
        }
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), local = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        for (size_t n = 0; n < sizeof by_structure / sizeof *by_structure; n++)
            for (int length = -1; length < 200; length += 67) {
                call(by_structure[n], fd, p, by_structure[n] == SYS_accept4 ? p : length, 0, 0);
                call(by_structure[n], local, p, by_structure[n] == SYS_accept4 ? p : length, 0, 0);
                call(by_structure[n], 9999, p, length, 0, 0);
            }
        call(SYS_sendto, fd, p, 10, MSG_NOSIGNAL, p);
        call(SYS_process_vm_writev, -1, p, 1, p, 1);
        call(SYS_memfd_create, p, ~0L, 0, 0, 0);
        call(SYS_clone3, p, 88, 0, 0, 0);
        call(SYS_clone3, p, -1, 0, 0, 0);
        call(SYS_prlimit64, -1, 99, p, p, 0);
        call(SYS_setns, 9999, -1, 0, 0, 0);
        call(SYS_finit_module, -1, p, -1, 0, 0);
        call(SYS_seccomp, 99, 99, p, 0, 0);
        close(fd);
        close(local);
    }
    /* Argument vectors: bad entries at the start, in the middle, without an end. */
    char *other = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (other == MAP_FAILED || mprotect(other + page, page, PROT_NONE) != 0) die("mmap");
    char **vector = (char **)(other + page - 3 * sizeof(char *));
    for (int i = 0; i < 3; i++) vector[i] = "x";
    call(SYS_execve, (long)"/bin/true", (long)vector, (long)environ, 0, 0);
    for (int i = 0; i < 9; i++) {
        char *bad[] = {"true", (char *)pointers[i], "x", NULL};
        if (pointers[i] == 0) continue;
        call(SYS_execve, (long)"/bin/true", (long)bad, (long)environ, 0, 0);
        call(SYS_execve, (long)"/bin/true", (long)environ, (long)bad, 0, 0);
    }
    size_t many = 400000;
    char **huge = malloc((many + 1) * sizeof *huge);
    for (size_t i = 0; i < many; i++) huge[i] = "0123456789";
    huge[many] = NULL;
    call(SYS_execve, (long)"/bin/true", (long)huge, (long)environ, 0, 0);
    /* Socket addresses of odd lengths and families. */
    char address[128];
    for (int family = 0; family < 60; family += family < 3 ? 1 : 7) {
        memset(address, 0xff, sizeof address);
        address[0] = (char)family;
        address[1] = 0;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        for (int length = 0; length < 130; length += 13) call(SYS_connect, fd, (long)address, length, 0, 0);
        close(fd);
    }
    say("calls %d, errors %lx", calls, sum);
    pid_t child = checked_fork();
    if (child == 0) {
        char *none[] = {NULL};
        execve("/bin/true", none, none);
        _exit(errno);
    }
    say_status("a program without arguments", wait_for(child, 0));
    return 0;
}
