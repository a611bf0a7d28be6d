//! Frames as lines of JSON, for `--output FILE`.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use event::Form;
use wire::{Body, Decoder, Frame, Lost};

use super::ring::Reader;
use super::totals::Totals;
use super::{Message, Trouble};

/// Lines are put together up to about this many bytes for one write.
const BATCH_BYTES: usize = 64 * 1024;

/// The same pipe or terminal, opened anew so that a reader that takes nothing cannot hold the sender
/// up. The flag belongs to an open file, which the workload may share: it is not set on the one that
/// was given. A file on a disk stays as it is.
pub(super) fn unblocked(file: File) -> File {
    let is_pipe = file
        .metadata()
        .is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_char_device());
    if !is_pipe {
        return file;
    }
    OpenOptions::new()
        .append(true)
        .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .unwrap_or(file)
}

/// What goes into the file next, and what is in it for certain.
#[derive(Debug)]
pub(super) struct Lines {
    reader: Reader,
    totals: Arc<Totals>,
    messages: SyncSender<Message>,
    form: Form,
    frame: Vec<u8>,
    text: String,
    written: usize,
    /// The number of the last frame whose line is in `text`.
    upto: u64,
    is_trouble_told: bool,
}

impl Lines {
    /// Reads from a ring.
    pub(super) fn new(
        reader: Reader,
        totals: Arc<Totals>,
        messages: SyncSender<Message>,
        form: Form,
    ) -> Self {
        Self {
            reader,
            totals,
            messages,
            form,
            frame: Vec::new(),
            text: String::new(),
            written: 0,
            upto: 0,
            is_trouble_told: false,
        }
    }

    /// The frames.
    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whole lines, or the rest of what was written in part; empty when there is nothing to write.
    pub(super) fn outgoing(&mut self) -> &[u8] {
        while self.text.len() < BATCH_BYTES && self.written == 0 {
            self.frame.clear();
            let Some(stamp) = self.reader.take(&mut self.frame) else {
                break;
            };
            self.upto = stamp.seq;
            self.add_line();
        }
        if self.text.is_empty() && self.reader.is_waiting() {
            // Frames that have no line of their own: the final counters, the goodbye.
            self.give_back();
        }
        self.text.as_bytes().get(self.written..).unwrap_or_default()
    }

    /// So many bytes are in the file. When these were all, their frames are given back.
    pub(super) fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written >= self.text.len() {
            self.text.clear();
            self.written = 0;
            self.give_back();
        }
        self.is_trouble_told = false;
    }

    fn give_back(&mut self) {
        let totals = &self.totals;
        self.reader
            .release(self.upto, |class| totals.sender.acked.note(class));
    }

    /// The file could not be written. Told once, until something could be written again.
    pub(super) fn failed(&mut self, error: &std::io::Error) {
        if !self.is_trouble_told {
            self.is_trouble_told = true;
            let error = error.to_string();
            let told = self
                .messages
                .try_send(Message::Trouble(Trouble::File { error }));
            if told.is_err() {
                self.totals.sender.orders_dropped.add(1);
            }
        }
    }

    fn add_line(&mut self) {
        let mut decoder = Decoder::<Frame>::default();
        decoder.push(&self.frame);
        // The queue encoded it: it decodes.
        let Ok(Some(frame)) = decoder.next() else {
            return;
        };
        match frame.body {
            Some(Body::Alert(alert)) => {
                self.text += &event::Alert::from(alert).to_json_as(&self.form);
            }
            Some(Body::Event(event)) => match event::Event::try_from(event) {
                Ok(event) => self.text += &event.to_json(),
                Err(_) => return,
            },
            Some(Body::Lost(lost)) => self.add_lost(&lost),
            _ => return,
        }
        self.text.push('\n');
    }

    fn add_lost(&mut self, lost: &Lost) {
        let Lost {
            from,
            to,
            events,
            alerts,
            ..
        } = lost;
        let reason = lost.reason().as_str();
        write!(
            self.text,
            "{{\"kind\":\"lost\",\"lost\":{{\"from\":{from},\"to\":{to},\"reason\":\"{reason}\",\
             \"events\":{events},\"alerts\":{alerts}}}}}"
        )
        .expect("writing to memory does not fail");
    }
}
