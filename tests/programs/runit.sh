# A supervision tree: a service that restarts when killed, and an orderly end by SIGHUP.
mkdir -p scan/again
printf '#!/bin/sh\necho run >>runs\nexec sleep 1000\n' >scan/again/run
chmod +x scan/again/run
(
    until [ -f scan/again/runs ]; do sleep 0.1; done
    sv kill ./scan/again; echo "kill $?"
    until [ "$(wc -l <scan/again/runs)" -ge 2 ]; do sleep 0.1; done
    sv -w 20 down ./scan/again | sed 's/[0-9][0-9]*/N/g'
    sv status ./scan/again | sed 's/[0-9][0-9]*/N/g'
    kill -HUP 1
) &
# The tree's root is pid 1, as in images that are built so.
exec runsvdir scan
