/* Tries everything that would harm whoever traces this process, and prints what each attempt came
 * to: 0 where it worked, else the error number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int tracer(void) {
  char line[256];
  int pid = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    sscanf(line, "TracerPid: %d", &pid);
  return pid;
}

static void came_to(const char *what, long result) {
  printf("%s %d\n", what, result < 0 ? errno : 0);
}

static int opened(const char *format, int pid, int flags) {
  char path[64];
  snprintf(path, sizeof path, format, pid);
  return open(path, flags);
}

int main(void) {
  int pid = tracer();
  came_to("kill", kill(pid, SIGKILL));
  came_to("killpg", kill(-pid, SIGKILL));
  came_to("tkill", syscall(SYS_tkill, pid, SIGKILL));
  came_to("tgkill", syscall(SYS_tgkill, pid, pid, SIGKILL));
  came_to("sigqueue", sigqueue(pid, SIGKILL, (union sigval){0}));
  came_to("pidfd_open", syscall(SYS_pidfd_open, pid, 0));
  int folder = opened("/proc/%d", pid, O_RDONLY | O_DIRECTORY);
  came_to("pidfd_send_signal", syscall(SYS_pidfd_send_signal, folder, SIGKILL, NULL, 0));
  came_to("ptrace", ptrace(PTRACE_ATTACH, pid, NULL, NULL));
  struct rlimit none = {0, 0};
  came_to("prlimit", prlimit(pid, RLIMIT_AS, &none, NULL));
  came_to("setpriority", setpriority(PRIO_PROCESS, pid, 19));
  came_to("mem", opened("/proc/%d/mem", pid, O_RDWR));
  came_to("mem_at", openat(folder, "mem", O_RDWR));
  came_to("environ", opened("/proc/%d/environ", pid, O_RDONLY));
  came_to("oom_score_adj", opened("/proc/%d/oom_score_adj", pid, O_WRONLY));
  came_to("stat", opened("/proc/%d/stat", pid, O_RDONLY));
  return 0;
}
