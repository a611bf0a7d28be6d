//! The service's rules: what a request must look like, and what the answer is.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::Stored;
use super::{Settings, State};
use crate::fargate::metadata::timestamp;

const MAX_EVENTS: usize = 10_000;
const MAX_BATCH: usize = 1_048_576;
const OVERHEAD: usize = 26;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// An answer: status and body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            body: json!({ "__type": code, "message": message }),
        }
    }

    const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }
}

fn invalid(message: &str) -> Answer {
    Answer::error(400, "InvalidParameterException", message)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    log_group_name: String,
    log_stream_name: Option<String>,
}

#[derive(Deserialize)]
struct Put {
    #[serde(rename = "logGroupName")]
    group: String,
    #[serde(rename = "logStreamName")]
    stream: String,
    #[serde(rename = "logEvents")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    timestamp: i64,
    message: String,
}

/// Checks the signature's form: version 4, the right service, 64 hexadecimal digits.
pub(super) fn check_signature(header: Option<&str>, settings: &Settings) -> Result<(), Answer> {
    let missing = || {
        Answer::error(
            400,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    };
    let header = header.ok_or_else(missing)?;
    let rest = header
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(missing)?;
    let part = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let incomplete =
        |what: &str| Answer::error(400, "IncompleteSignatureException", &format!("no {what}"));
    let credential = part("Credential").ok_or_else(|| incomplete("Credential"))?;
    let scope: Vec<&str> = credential.split('/').collect();
    let &[key, date, region, "logs", "aws4_request"] = scope.as_slice() else {
        return Err(incomplete("scope of logs"));
    };
    if key.is_empty() || date.len() != 8 || region.is_empty() {
        return Err(incomplete("Credential"));
    }
    let signed = part("SignedHeaders").ok_or_else(|| incomplete("SignedHeaders"))?;
    if !signed.split(';').any(|name| name == "host") {
        return Err(incomplete("host among SignedHeaders"));
    }
    let signature = part("Signature").ok_or_else(|| incomplete("Signature"))?;
    if signature.len() != 64 || !signature.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(incomplete("Signature"));
    }
    if settings
        .access_key
        .as_deref()
        .is_some_and(|wanted| wanted != key)
    {
        return Err(Answer::error(
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    Ok(())
}

/// Checks that a request was signed within five minutes of the service's present.
pub(super) fn check_time(signed_at: &str, now: SystemTime) -> Result<(), Answer> {
    const LEEWAY: Duration = Duration::from_mins(5);
    // In this form the order of texts is the order of times.
    let form = |time| {
        let text = timestamp(time).replace(['-', ':'], "");
        text.split('.').next().unwrap_or_default().to_owned() + "Z"
    };
    let (earliest, latest) = (form(now - LEEWAY), form(now + LEEWAY));
    if (earliest.as_str()..=latest.as_str()).contains(&signed_at) {
        return Ok(());
    }
    let problem = if *signed_at < *earliest {
        format!("Signature expired: {signed_at} is now earlier than {earliest}")
    } else {
        format!("Signature not yet current: {signed_at} is still later than {latest}")
    };
    Err(Answer::error(400, "InvalidSignatureException", &problem))
}

pub(super) fn create_group(state: &mut State, body: &[u8]) -> Answer {
    let Ok(names) = serde_json::from_slice::<Names>(body) else {
        return Answer::error(
            400,
            "SerializationException",
            "not the shape of CreateLogGroup",
        );
    };
    if !is_group(&names.log_group_name) {
        return invalid("logGroupName");
    }
    if state.groups.contains_key(&names.log_group_name) {
        return exists("The specified log group already exists");
    }
    state
        .groups
        .insert(names.log_group_name, std::collections::BTreeSet::new());
    Answer::ok(json!({}))
}

pub(super) fn create_stream(state: &mut State, body: &[u8]) -> Answer {
    let names = serde_json::from_slice::<Names>(body).ok();
    let Some((group, Some(stream))) = names.map(|n| (n.log_group_name, n.log_stream_name)) else {
        return Answer::error(
            400,
            "SerializationException",
            "not the shape of CreateLogStream",
        );
    };
    if !is_group(&group) || !is_stream(&stream) {
        return invalid("logStreamName");
    }
    let Some(streams) = state.groups.get_mut(&group) else {
        return missing("The specified log group does not exist.");
    };
    if !streams.insert(stream) {
        return exists("The specified log stream already exists");
    }
    Answer::ok(json!({}))
}

fn exists(message: &str) -> Answer {
    Answer::error(400, "ResourceAlreadyExistsException", message)
}

fn missing(message: &str) -> Answer {
    Answer::error(400, "ResourceNotFoundException", message)
}

fn is_group(name: &str) -> bool {
    (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-/#".contains(&b))
}

fn is_stream(name: &str) -> bool {
    (1..=512).contains(&name.chars().count()) && !name.contains([':', '*'])
}

/// Checks a put against every limit, stores what may be stored, and answers.
pub(super) fn put(state: &mut State, body: &[u8], now: i64) -> Answer {
    let Ok(put) = serde_json::from_slice::<Put>(body) else {
        return Answer::error(
            400,
            "SerializationException",
            "not the shape of PutLogEvents",
        );
    };
    if let Err(problem) = check(&put) {
        state.ledger.violations.push(problem.clone());
        return invalid(&problem);
    }
    match state.groups.get(&put.group) {
        None => return missing("The specified log group does not exist."),
        Some(streams) if !streams.contains(&put.stream) => {
            return missing("The specified log stream does not exist.");
        }
        Some(_) => {}
    }
    store(state, put, now)
}

fn check(put: &Put) -> Result<(), String> {
    let events = &put.events;
    if !is_group(&put.group) || !is_stream(&put.stream) {
        return Err("a name that is not allowed".to_owned());
    }
    if events.is_empty() || events.len() > MAX_EVENTS {
        return Err(format!("{} events in a batch", events.len()));
    }
    if let Some(event) = events
        .iter()
        .find(|e| e.message.is_empty() || e.timestamp < 0)
    {
        return Err(format!(
            "an empty message or negative time {}",
            event.timestamp
        ));
    }
    if let Some(event) = events
        .iter()
        .find(|e| e.message.len() > MAX_BATCH - OVERHEAD)
    {
        return Err(format!("a message of {} bytes", event.message.len()));
    }
    let bytes: usize = events.iter().map(|e| e.message.len() + OVERHEAD).sum();
    if bytes > MAX_BATCH {
        return Err(format!("a batch of {bytes} bytes"));
    }
    if !events.is_sorted_by_key(|e| e.timestamp) {
        return Err("log events are not in chronological order".to_owned());
    }
    let span = events.last().map_or(0, |e| e.timestamp) - events.first().map_or(0, |e| e.timestamp);
    if span > DAY_MS {
        return Err(format!("a batch that spans {span} ms"));
    }
    Ok(())
}

fn store(state: &mut State, put: Put, now: i64) -> Answer {
    let total = put.events.len();
    let times: Vec<i64> = put.events.iter().map(|e| e.timestamp).collect();
    let before = |limit: i64| times.iter().filter(|time| **time < limit).count();
    let too_old = before(now - 14 * DAY_MS);
    let expired = state
        .settings
        .retention_ms
        .map_or(0, |retention| before(now - retention));
    let too_new = times
        .iter()
        .position(|time| *time > now + 2 * HOUR_MS)
        .unwrap_or(total);
    let mut info = serde_json::Map::new();
    if too_old > 0 {
        info.insert("tooOldLogEventEndIndex".to_owned(), json!(too_old));
    }
    if expired > too_old {
        info.insert("expiredLogEventEndIndex".to_owned(), json!(expired));
    }
    if too_new < total {
        info.insert("tooNewLogEventStartIndex".to_owned(), json!(too_new));
    }
    let first = too_old.max(expired);
    let mut kept = 0;
    for (n, event) in put.events.into_iter().enumerate() {
        if n >= first && n < too_new {
            kept += 1;
            state.ledger.store(Stored {
                group: put.group.clone(),
                stream: put.stream.clone(),
                timestamp: event.timestamp,
                message: event.message,
            });
        }
    }
    state.ledger.rejected += (total - kept) as u64;
    let mut body = json!({ "nextSequenceToken": "ignored" });
    if !info.is_empty() {
        body["rejectedLogEventsInfo"] = Value::Object(info);
    }
    Answer::ok(body)
}
