/* Everybody of a user is slowed down, the tracer too if it is of that user. */
#include "target.h"
#include <sys/resource.h>
int main(void) {
    say("setpriority, own user: %s", error_name(setpriority(PRIO_USER, 0, 5)));
    say("setpriority, named user: %s", error_name(setpriority(PRIO_USER, getuid(), 5)));
    say("ioprio_set, own user: %s", error_name(syscall(SYS_ioprio_set, 3, 0, 3 << 13)));
    say("ioprio_set, named user: %s", error_name(syscall(SYS_ioprio_set, 3, getuid(), 3 << 13)));
    say("setpriority, other user: %s", error_name(setpriority(PRIO_USER, 54321, 5)));
    say("setpriority, itself: %s", error_name(setpriority(PRIO_PROCESS, 0, 5)));
    return 0;
}
