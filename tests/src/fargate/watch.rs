//! Threads that watch one container each: its output, its end, its health.

use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::backend::Backend;
use super::board::Board;
use super::container::{Container, HealthCheck};
use super::task::Message;
use crate::pace::{Deadline, pause};

/// Starts the command that is a container, and reports its output and its end.
pub(super) fn start(
    mut command: Command,
    index: usize,
    board: &Arc<Board>,
    messages: &SyncSender<Message>,
) -> io::Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for us; the containers get an orderly stop.
        .process_group(0)
        .spawn()?;
    board.began(index, child.id());
    let readers: Vec<JoinHandle<()>> = [
        child.stdout.take().map(|output| read(output, index, board)),
        child.stderr.take().map(|output| read(output, index, board)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let messages = messages.clone();
    thread::spawn(move || {
        let code = child.wait().map_or(255, exit_code);
        // The end of the output comes with the end of the last process that holds it; a stray
        // one must not hide that the container has ended.
        Deadline::seconds(2).poll(|| readers.iter().all(JoinHandle::is_finished).then_some(()));
        // The task may be over, and nobody listening.
        drop(messages.send(Message::Exited { index, code }));
    });
    Ok(())
}

/// The exit code that Docker and a shell give: 128 and the number of a signal.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn read(output: impl Read + Send + 'static, index: usize, board: &Arc<Board>) -> JoinHandle<()> {
    let board = Arc::clone(board);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line);
            board.print(index, line.trim_end_matches('\r'));
        }
    })
}

/// Runs a container's health check until it has passed, failed too often, or has no subject.
pub(super) fn check(
    container: &Container,
    index: usize,
    backend: &Arc<dyn Backend>,
    board: &Arc<Board>,
    messages: &SyncSender<Message>,
) {
    let Some(check) = container.health_check.clone() else {
        return;
    };
    let (container, backend) = (container.clone(), Arc::clone(backend));
    let (board, messages) = (Arc::clone(board), messages.clone());
    thread::spawn(move || {
        let started = Instant::now();
        let mut failures = 0;
        while board.pid(index).is_some() {
            if is_well(&backend, &container, &check) {
                drop(messages.send(Message::Healthy { index }));
                return;
            }
            failures += u32::from(started.elapsed() >= check.start_period);
            if failures > check.retries {
                drop(messages.send(Message::Unhealthy { index }));
                return;
            }
            pause(check.interval);
        }
    });
}

fn is_well(backend: &Arc<dyn Backend>, container: &Container, check: &HealthCheck) -> bool {
    backend
        .beside(container, &check.command)
        .and_then(|mut command| command.stdin(Stdio::null()).output())
        .is_ok_and(|output| output.status.success())
}
