//! A small HTTP/1.1 server and client on the loopback interface.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client asks, or a server answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// `GET /path HTTP/1.1`, or `HTTP/1.1 200 OK`.
    pub(crate) first: String,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// An answer.
    pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Self {
            first: format!("HTTP/1.1 {status} Status"),
            headers: headers.collect(),
            body: body.into(),
        }
    }

    /// The method and the path of a request.
    pub(crate) fn target(&self) -> (&str, &str) {
        let mut words = self.first.split(' ');
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        self.first
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or_default()
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn read(stream: &mut BufReader<TcpStream>, bodyless: bool) -> Option<Self> {
        let mut message = Self::default();
        let mut line = String::new();
        stream
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        line.trim_end().clone_into(&mut message.first);
        loop {
            line.clear();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            message
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if message.header("transfer-encoding") == Some("chunked") {
            loop {
                line.clear();
                stream.read_line(&mut line).ok()?;
                let size = usize::from_str_radix(line.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                stream.read_exact(&mut chunk).ok()?;
                if size == 0 {
                    return Some(message);
                }
                message.body.extend_from_slice(chunk.get(..size)?);
            }
        }
        let length = message
            .header("content-length")
            .and_then(|text| text.parse().ok());
        if !bodyless {
            message.body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut message.body).ok()?;
        }
        Some(message)
    }

    fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = vec![self.first.clone()];
        head.extend(
            self.headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        head.push(format!("content-length: {}", self.body.len()));
        head.push("connection: close\r\n\r\n".to_owned());
        stream.write_all(head.join("\r\n").as_bytes())?;
        stream.write_all(&self.body)
    }
}

/// Serves until the test process ends; returns the address.
pub(crate) fn serve(answer: impl Fn(&Message) -> Message + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            thread::spawn(move || reply(stream, &*answer));
        }
    });
    address
}

fn reply(mut stream: TcpStream, answer: &dyn Fn(&Message) -> Message) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = Message::read(&mut reader, false) else {
        return;
    };
    let mut reply = answer(&request);
    if request.target().0 == "HEAD" {
        reply.body.clear();
    }
    // A client may hang up before it has read everything.
    drop(reply.write(&mut stream));
}

/// Sends one request.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    (kind, body): (&str, &[u8]),
) -> Message {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = Message {
        first: format!("{method} {path} HTTP/1.1"),
        headers: vec![
            ("host".into(), address.to_string()),
            ("content-type".into(), kind.into()),
        ],
        body: body.to_vec(),
    };
    request.write(&mut stream).unwrap();
    Message::read(&mut BufReader::new(stream), method == "HEAD").unwrap()
}
