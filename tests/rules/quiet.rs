//! Everyday work that no rule may fire on.

use super::{alerts, has};

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
