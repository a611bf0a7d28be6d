# initdb, a server, a load by pgbench, a crash of one back end, an orderly end.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
"$bin/initdb" -D data -A trust -U me --no-sync >/dev/null; echo "initdb $?"
"$bin/pg_ctl" -D data -w -l log -o "-c listen_addresses='' -c unix_socket_directories=$PWD -c fsync=off" start >/dev/null
echo "start $?"
q() { "$bin/psql" -h "$PWD" -U me -d postgres -Atc "$1"; }
q 'select 6 * 7'
"$bin/pgbench" -h "$PWD" -U me -i -s 1 -q postgres >/dev/null 2>&1; echo "pgbench -i $?"
"$bin/pgbench" -h "$PWD" -U me -c 4 -j 2 -t 150 postgres 2>/dev/null | grep 'actually processed'
q 'select count(*) from pgbench_history'
q 'create table t as select generate_series(1, 20000) n'
q 'select sum(n) from t'
q 'select pg_terminate_backend(pg_backend_pid())' >/dev/null 2>&1; echo "terminated $?"
q "copy (select 1) to program 'cat >copied'" >/dev/null; cat data/copied
"$bin/pg_ctl" -D data -w reload >/dev/null; echo "reload $?"
"$bin/pg_ctl" -D data -m fast -w stop >/dev/null; echo "stop $?"
"$bin/pg_controldata" -D data | grep 'cluster state'
