/* Standard descriptors that are not there: the first file opened gets the lowest number. */
#include "target.h"
int main(void) {
    for (int fd = 0; fd < 3; fd++) dprintf(2, "fd %d: %s\n", fd, error_name(fcntl(fd, F_GETFD)));
    dprintf(2, "first open: %d\n", open("/dev/null", O_RDONLY));
    return 0;
}
