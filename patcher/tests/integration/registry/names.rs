//! Names in an empty root, as the image of the patcher is one: no `nsswitch.conf`, no modules.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::task;
use crate::harness::{AGENT, has, said, skip};

/// Where the program looks for certificates, below the root.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Runs the program in an empty root with a network of its own, with these files besides.
fn run_in_empty_root(root: &Path, files: &[(&str, &str)]) -> Output {
    // A child copies: a descriptor that this process held could be open in a child of another test
    // when the copy is started.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_patcher"))
        .arg(root.join("patcher"))
        .status();
    assert!(copied.unwrap().success());
    let task = task(&["registry.test:80/t/app:v1".to_owned()], "X86_64");
    for (name, text) in [("/task.json", task.as_str())].iter().chain(files) {
        let path = root.join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/registry/names.py");
    let program = [
        "/patcher",
        "patch",
        "/task.json",
        "--check",
        "--agent-image",
        AGENT,
    ];
    Command::new("unshare")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["--map-root-user", "--net", "python3"])
        .arg(script)
        .arg("chroot")
        .arg(root)
        .args(program)
        .args([
            "--insecure-registry",
            "registry.test:80",
            "--registry-timeout",
            "60",
        ])
        .output()
        .unwrap()
}

/// Why this cannot be tested here.
fn missing() -> Option<&'static str> {
    let program = fs::read(env!("CARGO_BIN_EXE_patcher")).unwrap();
    let interpreter = b"/ld-linux";
    if program
        .windows(interpreter.len())
        .any(|window| window == interpreter)
    {
        return Some("the program is not static");
    }
    let unshare = ["--map-root-user", "--net", "true"];
    let allowed = has("unshare")
        && Command::new("unshare")
            .args(unshare)
            .output()
            .is_ok_and(|output| output.status.success());
    if !allowed {
        return Some("no network namespace can be made");
    }
    (!has("python3")).then_some("python3 is not installed")
}

#[test]
fn a_static_program_finds_names_and_misses_certificates() {
    let test = "a_static_program_finds_names_and_misses_certificates";
    if let Some(reason) = missing() {
        return skip(test, reason);
    }
    let directory = tempfile::tempdir().unwrap();
    let resolver = ("/etc/resolv.conf", "nameserver 127.0.0.1\n");
    let (_, asked, err) = said(&run_in_empty_root(directory.path(), &[resolver]));
    assert_eq!(asked.trim(), "");
    assert!(err.contains("(no TLS: No CA certificates were loaded from the system; SSL_CERT_FILE=FILE names some)"), "{err}");
    let Ok(certificates) = fs::read_to_string(CERTIFICATES) else {
        return skip(test, "there are no certificates here");
    };
    let trust = (CERTIFICATES, certificates.as_str());
    let (_, asked, err) = said(&run_in_empty_root(directory.path(), &[resolver, trust]));
    assert!(
        asked.contains("registry.test\n") && asked.contains("/v2/t/app/manifests/v1"),
        "{asked}{err}"
    );
    assert!(
        err.contains("(registry.test:80 has no registry.test:80/t/app:v1)"),
        "{err}"
    );
    // A file of names is asked first.
    let hosts = ("/etc/hosts", "127.0.0.1 registry.test\n");
    let (_, asked, err) = said(&run_in_empty_root(directory.path(), &[hosts]));
    assert!(
        !asked.contains("registry.test") && asked.contains("/v2/t/app/manifests/v1"),
        "{asked}{err}"
    );
}
