/* Every way an execve fails; the caller goes on. */
#include "target.h"
#include <sys/stat.h>
static void try(const char *what, const char *path) {
    char *arguments[] = {(char *)path, NULL};
    say("%s: %s", what, error_name(execve(path, arguments, environ)));
}
int main(void) {
    char directory[] = "/tmp/target-exec-XXXXXX", path[256], script[256];
    if (!mkdtemp(directory)) die("mkdtemp");
    snprintf(path, sizeof path, "%s/file", directory);
    snprintf(script, sizeof script, "%s/script", directory);
    try("missing", path);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || write(fd, "text\n", 5) != 5) die(path);
    try("not executable", path);
    chmod(path, 0755);
    try("open for writing", path);
    close(fd);
    try("no format", path);
    try("directory", directory);
    try("empty path", "");
    try("bad pointer", (char *)8);
    fd = open(script, O_CREAT | O_WRONLY, 0755);
    if (fd < 0 || write(fd, "#!/no/such/interpreter\n", 23) != 23) die(script);
    close(fd);
    try("missing interpreter", script);
    size_t huge = 3 << 20;
    char *long_argument = malloc(huge);
    memset(long_argument, 'a', huge - 1);
    long_argument[huge - 1] = 0;
    char *arguments[] = {"true", long_argument, NULL};
    say("too long: %s", error_name(execve("/bin/true", arguments, environ)));
    say("bad argument vector: %s", error_name(syscall(SYS_execve, "/bin/true", 8L, environ)));
    fd = open("/bin/true", O_RDONLY);
    unlink(path);
    unlink(script);
    rmdir(directory);
    say("execveat of a closed descriptor: %s", error_name(syscall(SYS_execveat, 77, "", arguments, environ, 0x1000)));
    pid_t child = checked_fork();
    if (child == 0) {
        char *none[] = {"true", NULL};
        syscall(SYS_execveat, fd, "", none, environ, 0x1000);
        _exit(9);
    }
    say_status("execveat of a descriptor", wait_for(child, 0));
    return 6;
}
