# Under an init: orphans are reaped, signals reach the child, its code is the init's.
echo "parent is pid 1: $(( PPID == 1 ))"
(sh -c 'sleep 0.1; exit 3' &)
sleep 0.4
ps -eo stat= 2>/dev/null | grep -c Z
trap 'echo got TERM; exit 42' TERM
kill -TERM 1
while :; do sleep 0.1; done
