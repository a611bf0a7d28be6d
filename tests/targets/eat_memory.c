/* A child takes memory until the kernel ends it; the parent goes on. With `self` it is the one. */
#include "target.h"
static void eat(void) {
    for (;;) {
        char *more = malloc(1 << 20);
        if (!more) _exit(77);
        memset(more, 1, 1 << 20);
    }
}
int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "self") == 0) eat();
    pid_t child = checked_fork();
    if (child == 0) eat();
    say_status("child", wait_for(child, 0));
    child = checked_fork();
    if (child == 0) _exit(5);
    say_status("next child", wait_for(child, 0));
    return 3;
}
