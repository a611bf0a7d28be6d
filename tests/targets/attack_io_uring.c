/* Sets up a ring whose operations no filter sees. */
#include "target.h"
#include <linux/io_uring.h>
int main(void) {
    struct io_uring_params parameters = {0};
    say("io_uring_setup: %s", error_name(syscall(SYS_io_uring_setup, 4, &parameters)));
    return 0;
}
