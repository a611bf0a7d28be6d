# The shell's own work: pipelines, jobs, traps, substitutions, here-documents, limits.
# What the shell says of ends by signal names pids: only results are compared.
exec 2>/dev/null
set -o pipefail
echo "pid 1? $(( $$ == 1 ))"
yes | head -n 2; echo "pipeline ${PIPESTATUS[*]}"
for i in 1 2 3 4 5 6 7 8 9 10; do (exit $i) & pids[i]=$!; done
for i in 1 2 3 4 5 6 7 8 9 10; do wait "${pids[i]}"; echo "job $i ended $?"; done
wait; echo "all: $?"
trap 'echo caught TERM' TERM; kill -TERM $$
trap 'echo caught CHLD' CHLD; (exit 3); trap - CHLD
sleep 100 & kill -STOP $!; kill -CONT $!; kill $!; wait $!; echo "sleep $?"
diff <(printf 'a\nb\n') <(printf 'a\nc\n'); echo "diff $?"
coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
exec {COPROC[1]}>&-; wait "$COPROC_PID"; echo "coproc $?"
x=$(cat <<'T'
here
T
); echo "$x"
(ulimit -t 1; while :; do :; done); echo "limit $?"
( set -e; false; echo never ); echo "errexit $?"
timeout 0.2 sleep 100; echo "timeout $?"
timeout -s KILL 0.2 sleep 100; echo "timeout with KILL $?"
bash -c 'kill -SEGV $$'; echo "segv $?"
/no/such/program; echo "missing $?"
/etc/passwd; echo "not executable $?"
printf '%s\n' {1..500} | xargs -n 1 -P 4 sh -c 'exit 0'; echo "xargs $?"
find /etc -maxdepth 1 -name 'host*' -exec cat {} + | wc -l | sed 's/[1-9][0-9]*/some/'
exec 3<>/dev/null; echo "fd $?"; exec 3>&-
trap 'echo bye' EXIT
exit 23
