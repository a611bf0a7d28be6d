/* Opens and closes a file N times and prints how long one took, in nanoseconds: the median, what
 * one in a hundred exceeds, what one in a thousand exceeds, and the longest. */
#include "target.h"
static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + time.tv_nsec;
}
int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 20000;
    uint64_t *took = calloc(rounds, sizeof *took);
    if (rounds < 1000 || took == NULL) die("calloc");
    for (long i = 0; i < rounds; i++) {
        uint64_t began = now();
        int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
        if (fd < 0) die("open");
        close(fd);
        took[i] = now() - began;
    }
    qsort(took, rounds, sizeof *took, compare);
    say("%lu %lu %lu %lu", took[rounds / 2], took[rounds - rounds / 100], took[rounds - rounds / 1000],
        took[rounds - 1]);
    return 0;
}
