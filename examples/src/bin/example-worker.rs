//! A worker: asks the web server beside it for its page, a few times a second, and keeps count.
//!
//! Settings: `PORT` of the web server (8080), `PERIOD_MS` between two jobs (200).
#![forbid(unsafe_code)]

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use examples::{Shutdown, log, setting};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("example-worker: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let shutdown = Shutdown::new()?;
    let port: u16 = setting("PORT", "8080").parse().map_err(io::Error::other)?;
    let period = setting("PERIOD_MS", "200")
        .parse()
        .map_err(io::Error::other)?;
    let (stop, stopped) = sync_channel(1);
    thread::spawn(move || stop.send(shutdown.wait()));
    let mut done = 0_u64;
    log("working");
    loop {
        match stopped.recv_timeout(Duration::from_millis(period)) {
            Err(RecvTimeoutError::Timeout) => done += u64::from(job(port).is_ok()),
            Ok(Ok(signal)) => {
                log(&format!("{signal}: {done} jobs done"));
                return Ok(());
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn job(port: u16) -> io::Result<usize> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    server.set_read_timeout(Some(Duration::from_secs(5)))?;
    server.write_all(b"GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n")?;
    let mut page = Vec::new();
    server.read_to_end(&mut page)
}
