# Master and workers; requests, a reload, a reopened log, an orderly end. "$@" is the server.
mkdir www logs
for i in $(seq 20); do echo "page $i" >www/$i; done
chmod -R a+rX .
cat >nginx.conf <<T
daemon off;
worker_processes 2;
pid nginx.pid;
events { worker_connections 64; }
http {
    access_log logs/access;
    client_body_temp_path tmp1; proxy_temp_path tmp2; fastcgi_temp_path tmp3; uwsgi_temp_path tmp4; scgi_temp_path tmp5;
    server { listen unix:$PWD/socket; root $PWD/www; location /denied { return 403; } }
}
T
get() { curl -s -o answer -w '%{http_code}' --unix-socket socket "http://localhost/$1"; echo " $(head -n 1 answer | head -c 20)"; }
"$@" 2>errors & pid=$!
until [ -S socket ] && curl -s --unix-socket socket http://localhost/1 >/dev/null; do sleep 0.1; done
for i in $(seq 20); do get $i; done
get missing
get denied
seq 200 | xargs -n 1 -P 4 sh -c 'curl -s --unix-socket socket http://localhost/7' | sort | uniq -c
kill -HUP $pid
for i in 1 2 3; do get $i; done
mv logs/access logs/old
kill -USR1 $pid
until [ -f logs/access ]; do sleep 0.1; done
echo "pid file agrees: $([ "$(cat nginx.pid)" = $pid ]; echo $?)"
kill -QUIT $pid
wait $pid; echo "nginx ended $?"
[ -f nginx.pid ]; echo "pid file is gone: $?"
