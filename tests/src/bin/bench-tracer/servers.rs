//! Servers under a tracer, their clients outside of it.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::pace::Deadline;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::measure::{self, Cost};
use crate::variant::Variant;
use crate::workload::{Unavailable, installed, started, write};

/// How long a server may take to answer.
const PATIENCE: u64 = 30;

/// `redis-server`, asked by `redis-benchmark`.
#[derive(Debug)]
pub(crate) struct Redis {
    server: String,
    client: String,
    requests: u32,
}

impl Redis {
    pub(crate) fn new(_scratch: &Path, requests: u32) -> Result<Self, Unavailable> {
        Ok(Self {
            server: installed("redis-server")?,
            client: installed("redis-benchmark")?,
            requests,
        })
    }

    pub(crate) fn about(&self) -> String {
        format!("redis-benchmark, {} SETs by 20 clients", self.requests)
    }

    /// Seconds per request, and the server's processor time per request.
    pub(crate) fn run(&self, variant: &Variant) -> Result<Cost, String> {
        let port = free_port()?.to_string();
        let mut words = vec![self.server.clone()];
        let settings = [
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        words.extend(settings.map(str::to_owned));
        let mut server = started(variant, &words);
        let asked = |_: &Child| {
            let mut client = Command::new(&self.client);
            let count = self.requests.to_string();
            client.args(["-p", &port, "-q", "-t", "set", "-c", "20", "-n", &count]);
            let cost = timed(&mut client)?;
            Ok((cost.0, f64::from(self.requests), cost.1))
        };
        serve(&mut server, &port, Signal::SIGTERM, asked)
    }
}

/// `nginx` with a small static file, asked by `wrk`.
#[derive(Debug)]
pub(crate) struct Nginx {
    server: String,
    client: String,
    directory: PathBuf,
    seconds: u32,
}

impl Nginx {
    pub(crate) fn new(scratch: &Path, seconds: u32) -> Result<Self, Unavailable> {
        let nginx = Self {
            server: installed("nginx")?,
            client: installed("wrk")?,
            directory: scratch.join("nginx"),
            seconds,
        };
        write(&nginx.directory.join("www/index.html"), &"x".repeat(1024))?;
        Ok(nginx)
    }

    pub(crate) fn about(&self) -> String {
        format!(
            "nginx, a static file of 1 KiB, wrk with 16 connections for {} s",
            self.seconds
        )
    }

    /// Seconds per request, and the server's processor time per request.
    pub(crate) fn run(&self, variant: &Variant) -> Result<Cost, String> {
        let port = free_port()?.to_string();
        let configuration = self.directory.join("nginx.conf");
        let root = self.directory.display();
        write(&configuration, &nginx_conf(&root.to_string(), &port))?;
        let words = [
            self.server.clone(),
            "-p".into(),
            root.to_string(),
            "-e".into(),
            "stderr".into(),
            "-c".into(),
            configuration.display().to_string(),
        ];
        let mut server = started(variant, &words);
        let asked = |_: &Child| {
            let mut client = Command::new(&self.client);
            let url = format!("http://127.0.0.1:{port}/index.html");
            client.args(["-t1", "-c16", &format!("-d{}s", self.seconds), &url]);
            let before = measure::used()?;
            let output = client.output().map_err(|error| error.to_string())?;
            let used = measure::used()? - before;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let requests = requests(&text).ok_or(format!("wrk said: {text}"))?;
            Ok((f64::from(self.seconds), requests, used))
        };
        serve(&mut server, &port, Signal::SIGTERM, asked)
    }
}

fn nginx_conf(root: &str, port: &str) -> String {
    format!(
        "daemon off;\nmaster_process off;\npid {root}/pid;\nerror_log stderr crit;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; sendfile on; keepalive_requests 1000000000; \
         client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; \
         fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi; \
         server {{ listen 127.0.0.1:{port}; root {root}/www; }} }}\n"
    )
}

/// The number before `requests in`.
fn requests(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(" requests in "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Starts a server, lets a client ask it (time, number of requests, the client's own processor
/// time), ends it and divides by the number of requests.
fn serve(
    server: &mut Command,
    port: &str,
    end: Signal,
    ask: impl FnOnce(&Child) -> Result<(f64, f64, f64), String>,
) -> Result<Cost, String> {
    let before = measure::used()?;
    let mut child = measure::start_quietly(server.stderr(Stdio::null()))?;
    let address = format!("127.0.0.1:{port}");
    let answered = Deadline::seconds(PATIENCE).poll(|| TcpStream::connect(&address).ok());
    let asked = match answered {
        Some(_) => ask(&child),
        None => Err("the server does not answer".to_owned()),
    };
    stop(&child, end)?;
    child
        .wait()
        .map_err(|error| format!("cannot wait: {error}"))?;
    measure::reap()?;
    let (wall, requests, client) = asked?;
    Ok(Cost {
        wall: wall / requests,
        cpu: (measure::used()? - before - client) / requests,
    })
}

/// Ends the server. Yardstick tracers are its parents and take no notice, so their child is asked.
fn stop(child: &Child, end: Signal) -> Result<(), String> {
    let own = child.id().to_string();
    let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let is_traced = measure::tracer_of(child.id()).is_some();
    let first = children.unwrap_or_default();
    let first = first.split_whitespace().next().unwrap_or_default();
    let server = if is_traced || first.is_empty() {
        &own
    } else {
        first
    };
    let pid = server
        .parse()
        .map_err(|_| format!("`{server}` is no pid"))?;
    kill(Pid::from_raw(pid), end).map_err(|error| format!("cannot end the server: {error}"))
}

/// Wall time of a client and its processor time.
fn timed(client: &mut Command) -> Result<(f64, f64), String> {
    let before = measure::used()?;
    let start = std::time::Instant::now();
    let mut child = measure::start_quietly(client.stderr(Stdio::piped()))?;
    let mut words = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr
            .read_to_string(&mut words)
            .map_err(|error| error.to_string())?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let wall = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("the client ended with {status}: {words}"));
    }
    Ok((wall, measure::used()? - before))
}

/// A port that nobody listens on. Another process may take it before the server does; then the
/// server does not answer, and the run says so.
fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_from_what_wrk_prints() {
        let text = "Running 1s test\n  81234 requests in 1.00s, 12MB read\nRequests/sec: 81000.1\n";
        assert_eq!(requests(text), Some(81234.0));
        assert_eq!(requests("unable to connect"), None);
    }
}
