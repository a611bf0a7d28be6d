//! NATS `JetStream`: a distributed log for fleets.
//!
//! A message's id is its delivery identity, so that the server drops a duplicate within its
//! window. Subjects are `PREFIX.LANE.CONTAINER`, so that a consumer can choose by prefix.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, Context};

use super::{Outcome, Put, Sink};
use crate::hub::{Batch, Hub};
use crate::log::chain;
use crate::record::Record;

/// Messages that may be under way at a time.
const WINDOW: usize = 256;

/// The sink.
pub(crate) struct JetStream {
    url: String,
    subject: String,
    hub: Arc<Hub>,
    context: Option<Context>,
}

impl JetStream {
    pub(crate) const fn new(url: String, subject: String, hub: Arc<Hub>) -> Self {
        Self {
            url,
            subject,
            hub,
            context: None,
        }
    }

    async fn put_batch(&mut self, batch: &Batch) -> Outcome {
        match self.publish(batch).await {
            Ok(count) => Outcome::stored(count),
            Err(cause) => {
                self.context = None;
                Outcome::Retry(format!("`{}`: {cause}", shown(&self.url)))
            }
        }
    }

    /// Publishes a window of messages; each counts once the server has acknowledged it.
    async fn publish(&mut self, batch: &Batch) -> Result<usize, String> {
        let context = self.context().await?;
        let task = self.hub.own_task().task_arn.unwrap_or_default();
        let records = batch
            .records
            .get(..batch.records.len().min(WINDOW))
            .unwrap_or_default();
        let mut acks = Vec::with_capacity(records.len());
        for record in records {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", identity(&task, record).as_str());
            let subject = format!(
                "{}.{}.{}",
                self.subject,
                batch.lane.as_str(),
                token(&record.source.ctr)
            );
            let ack = context
                .publish_with_headers(subject, headers, record.json.clone())
                .await
                .map_err(|error| chain(&error))?;
            acks.push(ack);
        }
        let mut stored = 0;
        for ack in acks {
            match ack.await {
                Ok(_) => stored += 1,
                Err(error) if stored == 0 => return Err(chain(&error)),
                // What is acknowledged so far counts; the rest is tried again.
                Err(_) => return Ok(stored),
            }
        }
        Ok(stored)
    }

    async fn context(&mut self) -> Result<Context, String> {
        if let Some(context) = &self.context {
            return Ok(context.clone());
        }
        let client = async_nats::connect(&self.url)
            .await
            .map_err(|error| chain(&error))?;
        let context = jetstream::new(client);
        let stream = jetstream::stream::Config {
            name: format!("WORKLOAD-{}", token(&self.subject).to_uppercase()),
            subjects: vec![format!("{}.>", self.subject)],
            ..Default::default()
        };
        context
            .get_or_create_stream(stream)
            .await
            .map_err(|error| chain(&error))?;
        Ok(self.context.insert(context).clone())
    }
}

/// A server's address without the name and the password in it.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => url.to_owned(),
    }
}

fn identity(task: &str, record: &Record) -> String {
    let kind = if record.kind == crate::record::Kind::Lost {
        "lost"
    } else {
        "frame"
    };
    format!(
        "{task}/{}/{}/{}/{kind}",
        record.source.ctr, record.source.epoch, record.seq
    )
}

/// One word of a subject: no dots, blanks or wildcards.
fn token(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if word.is_empty() {
        "_".to_owned()
    } else {
        word
    }
}

impl Sink for JetStream {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(self.put_batch(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_who_we_are() {
        for (url, expected) in [
            ("nats://host:4222", "nats://host:4222"),
            ("tls://user:pa@ss@host:4222", "tls://host:4222"),
            ("user:secret@host", "host"),
            ("host", "host"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
