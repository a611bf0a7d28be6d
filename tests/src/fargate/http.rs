//! As much of HTTP/1.1 as the task's endpoints need: one request, one answer, close.

use std::io::{self, BufRead as _, BufReader, Read, Write};

/// The longest request line or header that is read.
const LINE_LIMIT: u64 = 64 * 1024;

/// Reads one request and answers it.
///
/// `answer` gets the method and the path and yields a status and a JSON body.
pub(super) fn serve(
    stream: &mut (impl Read + Write),
    answer: impl FnOnce(&str, &str) -> (u16, String),
) -> io::Result<()> {
    let request = {
        let mut reader = BufReader::new(Read::take(&mut *stream, LINE_LIMIT));
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        request
    };
    let mut words = request.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, body) = answer(method, path);
    let reason = if status == 200 { "OK" } else { "Error" };
    write!(
        stream,
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Reads from one buffer and writes to another.
    struct Both(Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Both {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Both {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_request_is_answered() {
        let request = b"GET /v4/x/task HTTP/1.1\r\nhost: a\r\n\r\n".to_vec();
        let mut stream = Both(Cursor::new(request), Vec::new());
        serve(&mut stream, |method, path| {
            (200, format!("{method} {path}"))
        })
        .unwrap();
        let answer = String::from_utf8(stream.1).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nGET /v4/x/task"), "{answer}");
    }
}
