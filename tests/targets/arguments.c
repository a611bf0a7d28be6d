/* Counts and sums up its arguments and its environment. */
#include "target.h"
int main(int argc, char **argv) {
    unsigned long sum = 5381, bytes = 0;
    int entries = 0;
    for (int i = 1; i < argc; i++) for (char *p = argv[i]; ; p++) { sum = sum * 33 + (unsigned char)*p; bytes++; if (!*p) break; }
    for (char **entry = environ; *entry; entry++) entries++;
    say("arguments %d, bytes %lu, sum %lx, environment %d", argc, bytes, sum, entries);
    say("argv[0] %s", argc > 0 ? argv[0] : "(none)");
    return 0;
}
