//! What an intruder does, and what looks like it.

use super::{alerts, has};

/// A rule, the programs that its acts need, the act, and what is nearly that.
struct Act {
    rule: &'static str,
    needs: &'static [&'static str],
    line: &'static str,
    near: &'static str,
}

/// Copies a program to where it is run from.
const COPY: &str = "cp /bin/sleep";

fn try_acts(test: &str, acts: &[Act]) {
    for act in acts {
        let name = format!("{test}: {}", act.rule);
        if !has(&name, act.needs) {
            continue;
        }
        let line = act.line.replace("COPY", COPY);
        let found = alerts(&line);
        assert!(
            found.contains(act.rule),
            "{}: `{line}` alerts {found:?}",
            act.rule
        );
        let line = act.near.replace("COPY", COPY);
        let found = alerts(&line);
        assert!(!found.contains(act.rule), "{}: `{line}` alerts", act.rule);
    }
}

macro_rules! acts {
    ($test:ident { $($rule:literal [$($need:literal),*] $act:literal / $near:literal;)* }) => {
        #[test]
        fn $test() {
            try_acts(stringify!($test), &[
                $(Act { rule: $rule, needs: &[$($need),*], line: $act, near: $near },)*
            ]);
        }
    };
}

acts! {
    files_are_watched {
        "Write below a binary directory" []
            "(: >/usr/local/sbin/workload-agent-test) 2>/dev/null; rm -f /usr/local/sbin/workload-agent-test; true"
            / "ls /usr/local/sbin";
        "Sensitive file read" [] "cat /etc/shadow" / "cat /etc/passwd";
        "Sensitive file given another name" []
            "ln -s ../../etc/shadow lnk" / "ln -s /etc/passwd lnk";
        "Credential file read" []
            "mkdir .aws; : >.aws/credentials; cat .aws/credentials"
            / "mkdir .aws; : >.aws/config; cat .aws/config";
        "Scheduled job planted" []
            "(: >/etc/cron.d/no/such/directory) 2>/dev/null; true" / "ls /etc/cron.d";
        "Shell startup file changed" [] ": >.bashrc" / ": >bashrc";
        "Login key planted" []
            "mkdir .ssh; : >.ssh/authorized_keys" / "mkdir .ssh; : >.ssh/known_hosts";
        "Shell history removed" []
            ": >.bash_history; rm .bash_history" / ": >history; rm history";
        "Environment of another process read" []
            "cat /proc/$PPID/environ /proc/$$/environ; true" / "cat /proc/self/environ";
        "Setuid bit set" [] ": >x; chmod 4755 x" / ": >x; chmod 755 x";
    }
}

acts! {
    programs_are_watched {
        "Shell spawned by a server process" ["python3"]
            "python3 -c 'import os; os.system(\"id\")'" / "sh -c 'sh -c id; true'";
        "Program run from shared memory" []
            "d=$(mktemp -d /dev/shm/XXXXXX); COPY $d/x; $d/x 0; rm -r $d" / "COPY ./x; ./x 0";
        "Program run from a temporary directory" []
            "d=$(mktemp -d /tmp/XXXXXX); COPY $d/x; $d/x 0; rm -r $d" / "true";
        "Program run from memory" ["python3"]
            "python3 -c 'import os; f=os.memfd_create(\"x\"); os.write(f, open(\"/bin/true\",\"rb\").read()); os.execve(f, [\"x\"], {})'"
            / "python3 -c 'import os; os.memfd_create(\"x\")'";
        "Search for secrets" []
            "find . -name id_rsa" / "find . -name readme";
        "Download to a temporary directory" ["curl"]
            "curl -s -m 1 -o /tmp/no/such/x http://127.0.0.1:9/" / "cd /; curl --version";
        "Cryptocurrency miner started" []
            "env true --url stratum+tcp://127.0.0.1:9; sh -c 'true' stratum+tcp://h"
            / "true tcp://127.0.0.1:9";
        "Package manager run" ["apt-get"]
            "apt-get install --print-uris no-such-package-at-all; true" / "apt-get --version";
    }
}

acts! {
    connections_and_the_kernel_are_watched {
        "Standard stream tied to a socket" ["python3"]
            "python3 -c 'import os,socket; s=socket.socket(); os.dup2(s.fileno(), 0)'"
            / "python3 -c 'import os,socket; s=socket.socket(); os.dup2(s.fileno(), 9)'";
        "Task credentials fetched by hand" ["bash", "unshare"]
            "unshare -rn bash -c 'exec 3<>/dev/udp/169.254.170.2/80'; true"
            / "unshare -rn bash -c 'exec 3<>/dev/udp/127.0.0.1/80'; true";
        "Instance metadata asked by hand" ["bash", "unshare"]
            "unshare -rn bash -c 'exec 3<>/dev/udp/169.254.169.254/80'; true"
            / "unshare -rn bash -c 'exec 3<>/dev/udp/127.0.0.1/80'; true";
        "Namespace entered or made" ["unshare"] "unshare -r true; true" / "true";
        "Packet socket made" ["python3"]
            "python3 -c 'import socket; socket.socket(17, 3)' 2>/dev/null; true"
            / "python3 -c 'import socket; socket.socket()'";
        "Root directory changed" ["chroot"]
            "chroot / true; true" / "true";
        "Mount tried" ["mount"]
            "mount -t tmpfs none /no/such/place 2>/dev/null; python3 -c 'import ctypes; ctypes.CDLL(None).mount(b\"n\", b\"/no\", b\"tmpfs\", 0, None)'; true"
            / "true";
        "Kernel module load tried" ["python3"]
            "python3 -c 'import ctypes; ctypes.CDLL(None).syscall(175, 0, 0, b\"\")'; true"
            / "python3 -c 'import ctypes; ctypes.CDLL(None).getpid()'";
        "BPF program load tried" ["python3"]
            "python3 -c 'import ctypes; ctypes.CDLL(None).syscall(321, 5, 0, 0)'; true"
            / "python3 -c 'import ctypes; ctypes.CDLL(None).syscall(321, 0, 0, 0)'; true";
        "Memory of another process touched" ["python3"]
            "python3 -c 'import ctypes, os; ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)'; true"
            / "python3 -c 'import ctypes; ctypes.CDLL(None).ptrace(3, 1, 0, 0)'; true";
    }
}

acts! {
    footholds_are_watched {
        // Opened to append, or below a directory that is not there: nothing changes.
        "Account database changed" []
            "(: >>/etc/passwd) 2>/dev/null; true" / "cat /etc/passwd; (: >>/etc/passwd.d/x) 2>/dev/null; true";
        "Dynamic loader redirected" []
            "(: >>/etc/ld.so.conf) 2>/dev/null; true" / "cat /etc/ld.so.conf; true";
        "System library changed" []
            "(: >/usr/lib/no/such/x.so) 2>/dev/null; true"
            / "(: >/usr/lib/no/such/x.txt) 2>/dev/null; true";
        "System log emptied" []
            "(: >/var/log/no/such/x) 2>/dev/null; true"
            / "(: >>/var/log/no/such/x) 2>/dev/null; true";
        "Network pipe started" [] "COPY nc; ./nc 0" / "COPY ncal; ./ncal 0";
        "Hidden program run" [] "COPY .x; ./.x 0" / "COPY x.x; ./x.x 0";
        "Program added after start was run" ["unshare", "mount"]
            "unshare -rm sh -c 'mount -t tmpfs none /mnt && COPY /mnt/x && /mnt/x 0'"
            / "unshare -rm sh -c 'mount -t tmpfs none /mnt && COPY /mnt/x && sleep 0'";
        "Page faults handed to a process" ["python3"]
            "python3 -c 'import ctypes, os; l = ctypes.CDLL(None); os.getuid() or os.setuid(65534); l.syscall(323, 1)'"
            / "python3 -c 'import ctypes, os; l = ctypes.CDLL(None); os.getuid() or os.setuid(65534); l.syscall(324, 0)'";
        "Asynchronous calls set up" ["python3"]
            "python3 -c 'import ctypes; ctypes.CDLL(None).syscall(425, 1, 0)'"
            / "python3 -c 'import ctypes; ctypes.CDLL(None).syscall(426, -1, 0, 0, 0, 0)'";
    }
}
