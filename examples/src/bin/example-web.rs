//! A web server with a hole: what is searched for reaches a shell unquoted.
//!
//! `GET /` answers with a greeting. `GET /search?q=WORD` runs `echo` in a shell, as careless
//! programs do, so that `q=x;id` runs `id`. Settings: `PORT` (8080).
#![forbid(unsafe_code)]

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use examples::{Shutdown, log, setting};

/// How long one client may keep us.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("example-web: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let shutdown = Shutdown::new()?;
    let port: u16 = setting("PORT", "8080").parse().map_err(io::Error::other)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    log(&format!("listening on {}", listener.local_addr()?));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                if let Err(error) = serve(client) {
                    log(&format!("client: {error}"));
                }
            });
        }
    });
    let signal = shutdown.wait()?;
    log(&format!("{signal}: closing"));
    Ok(())
}

fn serve(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let target = request.split_whitespace().nth(1).unwrap_or("/");
    let (status, body) = match target.split_once("?q=") {
        Some(("/search", query)) => search(&decoded(query))?,
        _ if target == "/" => ("200 OK", b"hello\n".to_vec()),
        _ => ("404 Not Found", b"not found\n".to_vec()),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    client.write_all(&body)
}

/// The hole: the words are part of a shell's command line.
fn search(words: &str) -> io::Result<(&'static str, Vec<u8>)> {
    let output = Command::new("sh")
        .args(["-c", &format!("echo nothing found for {words}")])
        .stdin(Stdio::null())
        .output()?;
    let mut body = output.stdout;
    body.extend(output.stderr);
    Ok(("200 OK", body))
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2)).flatten();
        let value = escaped
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(value) = value {
            bytes.push(value);
            rest = &tail[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn percent_signs_are_undone() {
        assert_eq!(decoded("a%20b+c"), "a b c");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
