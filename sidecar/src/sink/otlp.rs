//! OTLP logs over HTTP, as protobuf: any collector takes them.

use event::Priority;
use prost::Message as _;

use super::{Outcome, Put, Sink};
use crate::http;
use crate::hub::Batch;
use crate::log::chain;
use crate::record::{Kind, Reason, Record};

/// `ExportLogsServiceRequest`, as far as it is used. Field numbers are those of the
/// OpenTelemetry protocol, version 1.
#[derive(Clone, PartialEq, prost::Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string_value: Option<String>,
    #[prost(int64, optional, tag = "3")]
    int_value: Option<i64>,
}

/// The sink.
pub(crate) struct Otlp {
    url: String,
    /// The most records of the next request; it shrinks while requests are called bad.
    most: usize,
}

/// Records in one request.
const MAX_RECORDS: usize = 1000;

impl Otlp {
    pub(crate) const fn new(url: String) -> Self {
        Self {
            url,
            most: MAX_RECORDS,
        }
    }

    async fn put_batch(&mut self, batch: &Batch) -> Outcome {
        let count = batch.records.len().min(self.most);
        let records = batch.records.get(..count).unwrap_or_default();
        let body = export(records).encode_to_vec();
        match http::post(&self.url, "application/x-protobuf", body.into()).await {
            Ok((status, _)) if status.is_success() => {
                self.most = MAX_RECORDS;
                Outcome::stored(count)
            }
            // The protocol calls these not worth another try; one record may be to blame.
            Ok((status, _)) if matches!(status.as_u16(), 400 | 413) && count > 1 => {
                self.most = count / 2;
                Outcome::Acked {
                    count: 0,
                    rejected: Vec::new(),
                }
            }
            Ok((status, _)) if matches!(status.as_u16(), 400 | 413) => {
                self.most = MAX_RECORDS;
                Outcome::Acked {
                    count: 1,
                    rejected: vec![(0, Reason::Invalid)],
                }
            }
            Ok((status, _)) => Outcome::Retry(format!("`{}` answers {status}", self.url)),
            Err(error) => Outcome::Retry(chain(&error)),
        }
    }
}

fn export(records: &[Record]) -> Export {
    let scope = Scope {
        name: "workload-agent".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Export {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: vec![text("service.name", "workload-agent")],
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records: records.iter().map(log_record).collect(),
            }],
        }],
    }
}

fn log_record(record: &Record) -> LogRecord {
    let (severity_number, severity_text) = severity(record);
    LogRecord {
        time_unix_nano: u64::try_from(record.time_ms)
            .unwrap_or(0)
            .saturating_mul(1_000_000),
        severity_number,
        severity_text: severity_text.to_owned(),
        body: Some(AnyValue {
            string_value: Some(String::from_utf8_lossy(&record.json).into_owned()),
            int_value: None,
        }),
        attributes: vec![
            text("delivery.ctr", &record.source.ctr),
            number("delivery.epoch", record.source.epoch),
            number("delivery.seq", record.seq),
        ],
    }
}

/// OpenTelemetry's severity numbers: 1 to 4 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal.
fn severity(record: &Record) -> (i32, &'static str) {
    let number = match (record.kind, record.priority) {
        (Kind::Event(_), _) | (_, Priority::Debug) => 5,
        (_, Priority::Emergency) => 24,
        (_, Priority::Alert) => 22,
        (_, Priority::Critical) => 21,
        (_, Priority::Error) => 17,
        (_, Priority::Warning) => 13,
        (_, Priority::Notice) => 10,
        (_, Priority::Informational) => 9,
    };
    (number, record.priority.as_str())
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue {
        string_value: Some(value.to_owned()),
        int_value: None,
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
    }
}

fn number(key: &str, value: u64) -> KeyValue {
    let value = AnyValue {
        string_value: None,
        int_value: i64::try_from(value).ok(),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
    }
}

impl Sink for Otlp {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(self.put_batch(batch))
    }
}
