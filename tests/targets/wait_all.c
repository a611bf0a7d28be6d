/* wait with __WALL and __WCLONE without any child of its own. */
#include "target.h"
int main(void) {
    int status;
    say("plain: %s", error_name(waitpid(-1, &status, 0)));
    say("__WALL: %s", error_name(waitpid(-1, &status, __WALL | WNOHANG)));
    say("__WCLONE: %s", error_name(waitpid(-1, &status, __WCLONE | WNOHANG)));
    return 0;
}
