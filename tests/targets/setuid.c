/* A program that its file makes root's: who it is, and whether the loader knows. */
#include "target.h"
#include <sys/auxv.h>
int main(void) {
    say("uid %d, effective %d, secure %lu", getuid(), geteuid(), getauxval(AT_SECURE));
    return 0;
}
