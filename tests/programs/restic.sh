# A backup made, checked, restored and compared.
export RESTIC_PASSWORD=secret RESTIC_CACHE_DIR=$PWD/cache GOMAXPROCS=4
mkdir tree
for i in $(seq 300); do head -c $((i * 97)) /dev/zero | tr '\0' "$((i % 10))" >tree/$i; done
restic -q -r repository init; echo "init $?"
restic -q -r repository backup tree; echo "backup $?"
restic -q -r repository check; echo "check $?"
restic -q -r repository restore latest --target back; echo "restore $?"
diff -r tree "back/tree" >/dev/null || diff -r tree "back$PWD/tree"; echo "diff $?"
RESTIC_PASSWORD=wrong restic -q -r repository check >/dev/null 2>&1; echo "wrong password $?"
restic -r repository backup --stdin --stdin-filename f </dev/zero >/dev/null 2>&1 & pid=$!
until ls repository/locks | grep -q .; do sleep 0.1; done
# Whether the shell says `Terminated` depends on when it learns of the end.
{ kill -TERM $pid; wait $pid; } 2>/dev/null; echo "ended by TERM $?"
