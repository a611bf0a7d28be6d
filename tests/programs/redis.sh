# A server with a snapshot in a forked child and a script, asked by many clients. "$@" is the server.
"$@" >log 2>&1 & pid=$!
cli() { redis-cli -s socket "$@"; }
until [ -S socket ] && [ "$(cli ping 2>/dev/null)" = PONG ]; do sleep 0.1; done
cli set key value; cli get key; cli incr n; cli incr n
cli eval 'local s = 0; for i = 1, 1000 do s = s + i end; return s' 0
seq 2000 | sed 's/.*/set k& &/' | cli | sort | uniq -c
cli dbsize
cli bgsave >/dev/null
until cli info persistence | grep -q 'rdb_bgsave_in_progress:0'; do sleep 0.1; done
cli info persistence | grep rdb_last_bgsave_status
echo "pid agrees: $(cli info server | tr -d '\r' | grep -c "process_id:$pid\$")"
redis-benchmark -s socket -q -n 2000 -c 20 -t get,set >/dev/null 2>&1; echo "benchmark $?"
kill -TERM $pid
wait $pid; echo "redis ended $?"
ls dump.rdb
