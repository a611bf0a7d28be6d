//! Everyday work that no rule may fire on.

use e2e::config::quiet_seconds;

use super::{alerts, has, traced};

#[test]
fn everyday_work_is_silent() {
    let lines: [(&[&str], &str); 5] = [
        (
            &[],
            "ls -l /etc >list; sort list | head -3; grep root /etc/passwd; rm list",
        ),
        (
            &[],
            "for i in 1 2 3; do mkdir d; echo x >d/f; mv d/f d/g; chmod 640 d/g; rm -r d; done",
        ),
        (
            &["python3"],
            "exec python3 -c '\nimport http.server, threading, urllib.request\n\
             s = http.server.ThreadingHTTPServer((\"127.0.0.1\", 0), http.server.SimpleHTTPRequestHandler)\n\
             threading.Thread(target=s.serve_forever, daemon=True).start()\n\
             for _ in range(50): urllib.request.urlopen(\"http://127.0.0.1:%d/\" % s.server_port).read()\n'",
        ),
        (
            &["perl"],
            "perl -e 'for (1..20) { open(F, \">\", \"f$_\"); print F 1; close F; unlink \"f$_\" }'",
        ),
        (
            &["node"],
            "node -e 'require(\"fs\").writeFileSync(\"x\", \"1\"); setTimeout(() => {}, 50)'",
        ),
    ];
    for (needs, line) in lines {
        if has("everyday_work_is_silent", needs) {
            let found = alerts(line);
            assert!(found.is_empty(), "`{line}` alerts {found:?}");
        }
    }
}

/// What the scripts have in common: `go_on` until the time is over, and a `count`.
const COMMON: &str = r"
end=$(($(date +%s) + SECONDS_OF_LOAD)); count=0
go_on() { [ $(date +%s) -lt $end ]; }
";

const NGINX: &str = r#"
mkdir www; for i in 1 2 3 4 5; do echo "page $i" >www/$i; done; chmod -R a+rX .
cat >nginx.conf <<T
daemon off;
pid nginx.pid;
events { worker_connections 64; }
http {
    access_log access;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server { listen unix:$PWD/socket; root $PWD/www; }
}
T
# Not on the command line: a client that names /tmp there is not what this is about.
echo "unix-socket = $PWD/socket" >asking
nginx -e stderr -p . -c nginx.conf & pid=$!
until [ -S socket ]; do sleep 0.1; done
while go_on; do
    (cd / && curl -sf -K - http://localhost/$((count % 5 + 1))) <asking >/dev/null && count=$((count + 1))
done
kill -QUIT $pid; wait $pid; [ $count -gt 0 ]
"#;

const REDIS: &str = r#"
redis-server --port 0 --unixsocket socket --daemonize no >log 2>&1 & pid=$!
until [ "$(redis-cli -s socket ping 2>/dev/null)" = PONG ]; do sleep 0.1; done
while go_on; do
    redis-benchmark -s socket -q -n 1000 -c 10 -t get,set,lpush >/dev/null && count=$((count + 1))
    redis-cli -s socket bgsave >/dev/null; sleep 0.2
done
kill -TERM $pid; wait $pid; [ $count -gt 0 ]
"#;

/// The database does not run as root.
const POSTGRES: &str = r#"
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
if [ $(id -u) = 0 ]; then
    chown 65534:65534 .; as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
$as $bin/initdb -D data -A trust -U me --no-sync >/dev/null || exit 3
$as $bin/postgres -D data -c listen_addresses= -c unix_socket_directories=$PWD -c fsync=off >log 2>&1 & pid=$!
until $bin/pg_isready -q -h $PWD; do sleep 0.1; done
$bin/pgbench -h $PWD -U me -i -s 1 -q postgres >/dev/null 2>&1 || exit 4
$bin/pgbench -h $PWD -U me -c 2 -T SECONDS_OF_LOAD postgres >/dev/null 2>&1 || exit 5
kill -INT $pid; wait $pid
"#;

const PYTHON: &str = r#"
cat >app.py <<T
import http.server, json, os, tempfile, threading, time, urllib.request
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with tempfile.TemporaryFile() as f: f.write(self.path.encode())
        body = json.dumps({"path": self.path, "files": os.listdir(".")}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), App)
threading.Thread(target=server.serve_forever, daemon=True).start()
end = time.time() + SECONDS_OF_LOAD
while time.time() < end:
    assert b"path" in urllib.request.urlopen("http://127.0.0.1:%d/x" % server.server_port).read()
T
exec python3 app.py
"#;

const NODE: &str = r#"
cat >app.js <<T
const http = require("http"), fs = require("fs");
const server = http.createServer((request, response) => {
    fs.writeFile("last", request.url, () => response.end(JSON.stringify({ url: request.url })));
});
const end = Date.now() + 1000 * SECONDS_OF_LOAD;
server.listen("socket", function ask() {
    if (Date.now() > end) return server.close();
    http.get({ socketPath: "socket", path: "/x" }, (r) => r.resume().on("end", ask));
});
T
exec node app.js
"#;

/// Servers that do what they are there for, for `QUIET_SECONDS` (else three) each, side by side.
#[test]
fn servers_under_load_are_silent() {
    let seconds = quiet_seconds().to_string();
    let servers: [(&str, &[&str], &str); 5] = [
        ("nginx", &["nginx", "curl"], NGINX),
        ("redis", &["redis-server", "redis-cli"], REDIS),
        ("postgres", &["pg_lsclusters", "setpriv"], POSTGRES),
        ("python", &["python3"], PYTHON),
        ("node", &["node"], NODE),
    ];
    std::thread::scope(|scope| {
        for (name, needs, script) in servers {
            let text = format!("{COMMON}{script}").replace("SECONDS_OF_LOAD", &seconds);
            scope.spawn(move || {
                if has(&format!("servers_under_load_are_silent: {name}"), needs) {
                    let (found, status) = traced(&text);
                    assert!(status.success(), "{name} {status}");
                    assert!(found.is_empty(), "{name} alerts {found:?}");
                }
            });
        }
    });
}
