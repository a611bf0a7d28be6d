//! The `docker-registry` of Debian, and what is in it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use sha2::{Digest as _, Sha256};

use crate::http::send;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that ends with the test.
pub(super) struct Registry {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Registry {
    /// Starts `docker-registry` over the data in `directory`; `more` is added to its settings.
    pub(super) fn start(directory: &Path, tls: &str, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"{tls}}}\n{more}",
            directory.join("data").display()
        );
        let file = directory.join("settings.yml");
        fs::write(&file, settings).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the registry ended: {seen}"))
                .unwrap();
            seen += &line;
            if line.contains("listening on") {
                break;
            }
        }
        // Nobody may fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn push(&self, path: &str, kind: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let answer = if kind == "blob" {
            let started = send(
                self.address,
                "POST",
                &format!("{path}/blobs/uploads/"),
                ("", b""),
            );
            let location = started.header("location").unwrap().to_owned();
            let location = location
                .split_once(&self.address.to_string())
                .map_or("", |(_, at)| at);
            let target = format!("{location}&digest={digest}");
            send(
                self.address,
                "PUT",
                &target,
                ("application/octet-stream", bytes),
            )
        } else {
            send(self.address, "PUT", path, (kind, bytes))
        };
        assert_eq!(
            answer.status(),
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        digest
    }

    /// Pushes an image that starts this, under a tag; returns what an index says of it.
    fn image(&self, tag: &str, entry: &str, architecture: &str) -> serde_json::Value {
        let config = serde_json::json!({
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": [entry], "Cmd": ["run"]},
            "rootfs": {"type": "layers", "diff_ids": []},
        })
        .to_string();
        let digest = self.push("/v2/t/app", "blob", config.as_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest,
                "size": config.len(),
            },
            "layers": [],
        })
        .to_string();
        let path = format!("/v2/t/app/manifests/{tag}");
        let digest = self.push(&path, MANIFEST, manifest.as_bytes());
        serde_json::json!({
            "mediaType": MANIFEST,
            "digest": digest,
            "size": manifest.len(),
            "platform": {"architecture": architecture, "os": "linux"},
        })
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Fills the data of a registry; returns the digest of the image for amd64.
pub(super) fn fill(directory: &Path) -> String {
    let registry = Registry::start(directory, "", "");
    let amd = registry.image("amd", "/amd-entry", "amd64");
    let arm = registry.image("arm", "/arm-entry", "arm64");
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [arm, amd],
    });
    registry.push(
        "/v2/t/app/manifests/v1",
        INDEX,
        index.to_string().as_bytes(),
    );
    amd["digest"].as_str().unwrap().to_owned()
}
