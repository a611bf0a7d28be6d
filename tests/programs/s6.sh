# A supervision tree: a service that restarts, one that ends for good, an orderly end by SIGTERM.
mkdir -p scan/again scan/once
printf '#!/bin/sh\necho run >>runs\nexec sleep 1000\n' >scan/again/run
printf '#!/bin/sh\ntouch ../../once-ran\nexit 0\n' >scan/once/run
printf '#!/bin/sh\nexit 125\n' >scan/once/finish
chmod +x scan/*/run scan/once/finish
mkdir scan/.s6-svscan
printf '#!/bin/sh\necho "finish of the tree"\nexit 12\n' >scan/.s6-svscan/finish
chmod +x scan/.s6-svscan/finish
(
    until [ -f once-ran ] && [ -f scan/again/runs ]; do sleep 0.1; done
    s6-svc -wr -k scan/again; echo "killed $?"
    until [ "$(wc -l <scan/again/runs)" -ge 2 ]; do sleep 0.1; done
    s6-svstat -o up scan/again
    s6-svc -wD -d scan/again; echo "down $?"
    s6-svstat -o up,exitcode,signal scan/again
    kill -TERM 1
) &
# The tree's root is pid 1, as in images that are built so.
exec s6-svscan scan
