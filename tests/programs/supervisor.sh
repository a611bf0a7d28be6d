# supervisord in the foreground: a program that restarts, one that is expected to end, a stop.
cat >supervisord.conf <<T
[supervisord]
nodaemon=true
logfile=log
pidfile=pid
[unix_http_server]
file=socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$PWD/socket
[program:again]
command=sh -c 'echo run >>runs; exec sleep 1000'
autorestart=true
startsecs=0
[program:once]
command=sh -c 'exit 3'
autorestart=false
startsecs=0
exitcodes=3
T
ctl() { supervisorctl -c supervisord.conf "$@"; }
(
    until [ -f runs ] && ctl status once | grep -q EXITED; do sleep 0.2; done
    kill -KILL "$(ctl pid again)"
    until [ "$(wc -l <runs)" -ge 2 ]; do sleep 0.1; done
    ctl status again | awk '{print $1, $2}'
    ctl stop again
    ctl status again | awk '{print $1, $2}'
    kill -TERM 1
) &
# pid 1, as in images that are built so; it logs to its file.
exec supervisord -c supervisord.conf -s
