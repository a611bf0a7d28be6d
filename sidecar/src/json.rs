//! The edge: what travels as protobuf becomes a line of JSON here, once.
//!
//! An alert has Falco's shape, with `ecs.*` and `container.*` added to `output_fields`. Every line
//! carries `delivery`, by which a duplicate is recognised: the same task, container, epoch and
//! number is the same frame.

use bytes::Bytes;
use event::{Alert, FieldValue, Shape, Task, time_string};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::record::SourceId;

/// By which a duplicate is recognised.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Delivery<'a> {
    /// ARN of the task, empty outside of ECS.
    pub task: &'a str,
    /// The container.
    pub ctr: &'a str,
    /// One life of the tracer.
    pub epoch: u64,
    /// The frame's number.
    pub seq: u64,
}

impl<'a> Delivery<'a> {
    /// The identity of one frame.
    pub(crate) fn new(task: &'a Task, source: &'a SourceId, seq: u64) -> Self {
        Self {
            task: task.task_arn.as_deref().unwrap_or_default(),
            ctr: &source.ctr,
            epoch: source.epoch,
            seq,
        }
    }
}

/// A rendered line, and whether values had to be cut.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The JSON object.
    pub json: Bytes,
    /// Long values were cut; the line says `"truncated":true`.
    pub is_truncated: bool,
}

/// Alerts alike that one record stands for.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Folded<'a> {
    /// How many.
    pub count: u64,
    /// Their numbers, as ranges with both ends included.
    pub seqs: &'a [(u64, u64)],
}

#[derive(serde::Serialize)]
struct AlertLine<'a> {
    hostname: Cut<'a>,
    output: Cut<'a>,
    output_fields: Fields<'a>,
    priority: &'static str,
    rule: Cut<'a>,
    source: Cut<'a>,
    tags: &'a [String],
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    folded: Option<Folded<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    delivery: Delivery<'a>,
}

/// Longest strings that are tried until the line fits.
const CUTS: [usize; 5] = [usize::MAX, 16 * 1024, 2048, 256, 32];

/// An alert in Falco's shape.
pub(crate) fn alert(
    alert: &Alert,
    task: &Task,
    delivery: Delivery<'_>,
    folded: Option<Folded<'_>>,
    max: usize,
) -> Line {
    let time = time_string(alert.time, Shape::Iso8601);
    let output = alert.to_text();
    fit(max, |cut, truncated| {
        serde_json::to_vec(&AlertLine {
            hostname: Cut(&alert.hostname, cut),
            output: Cut(&output, cut),
            output_fields: Fields {
                own: &alert.output_fields,
                task,
                cut,
            },
            priority: alert.priority.as_str(),
            rule: Cut(&alert.rule, cut),
            source: Cut(&alert.source, cut),
            // Whoever fills a rule with a megabyte of tags loses the tags first.
            tags: if truncated { &[] } else { &alert.tags },
            time: time.clone(),
            folded,
            truncated,
            delivery,
        })
    })
}

/// Renders with ever shorter strings until the line fits. The last try is returned as it is; no
/// frame has enough fields for it to be too long still, as `an_alert_always_fits` shows.
pub(crate) fn fit(max: usize, render: impl Fn(usize, bool) -> serde_json::Result<Vec<u8>>) -> Line {
    let mut json = Vec::new();
    for (tries, cut) in CUTS.into_iter().enumerate() {
        // INVARIANT: the lines are made of strings and numbers under string keys.
        json = render(cut, tries > 0).expect("lines are plain data");
        if json.len() <= max {
            return Line {
                json: json.into(),
                is_truncated: tries > 0,
            };
        }
    }
    Line {
        json: json.into(),
        is_truncated: true,
    }
}

/// A string that is cut to a number of bytes, on a character's boundary.
struct Cut<'a>(&'a str, usize);

impl Serialize for Cut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(cut(self.0, self.1))
    }
}

/// The longest beginning of a text of at most so many bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// The fields of the rule's output, then those of the task that the output did not name.
struct Fields<'a> {
    own: &'a [(String, FieldValue)],
    task: &'a Task,
    cut: usize,
}

/// As many fields as a line keeps when its values had to be cut to the shortest.
const MAX_FIELDS_CUT: usize = 64;

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let most = if self.cut <= 256 {
            MAX_FIELDS_CUT
        } else {
            usize::MAX
        };
        for (name, value) in self.own.iter().take(most) {
            if *value == FieldValue::Null && task_fields(self.task).any(|(task, _)| task == name) {
                continue;
            }
            let name = cut(name, self.cut);
            match value {
                FieldValue::Bool(v) => map.serialize_entry(name, v)?,
                FieldValue::Int(v) => map.serialize_entry(name, v)?,
                FieldValue::Null => map.serialize_entry(name, &())?,
                FieldValue::Text(v) => map.serialize_entry(name, &Cut(v, self.cut))?,
                FieldValue::Uint(v) => map.serialize_entry(name, v)?,
            }
        }
        for (name, value) in task_fields(self.task) {
            if !self
                .own
                .iter()
                .any(|(own, v)| own == name && *v != FieldValue::Null)
            {
                map.serialize_entry(name, &Cut(value, self.cut))?;
            }
        }
        map.end()
    }
}

/// What is known of the task, under the names that records use.
pub(crate) fn task_fields(task: &Task) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("container.id", &task.container_id),
        ("container.image", &task.image),
        ("container.image.digest", &task.image_id),
        ("container.name", &task.container_name),
        ("ecs.availability_zone", &task.availability_zone),
        ("ecs.cluster", &task.cluster),
        ("ecs.container_arn", &task.container_arn),
        ("ecs.family", &task.family),
        ("ecs.revision", &task.revision),
        ("ecs.task_arn", &task.task_arn),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Priority;

    fn sample(fields: Vec<(String, FieldValue)>) -> Alert {
        Alert {
            time: 1_700_000_000_000_000_000,
            rule: "Shell".to_owned(),
            priority: Priority::Warning,
            source: "syscall".to_owned(),
            tags: vec!["a".to_owned()],
            hostname: "h".to_owned(),
            message: "m".to_owned(),
            output_fields: fields,
        }
    }

    fn render(alert_: &Alert, max: usize) -> (serde_json::Value, Line) {
        let task = Task {
            family: Some("web".to_owned()),
            container_id: Some("c".to_owned()),
            ..Task::default()
        };
        let source = SourceId {
            ctr: "c".to_owned(),
            epoch: 3,
        };
        let line = alert(alert_, &task, Delivery::new(&task, &source, 9), None, max);
        (serde_json::from_slice(&line.json).unwrap(), line)
    }

    #[test]
    fn an_alert_has_falcos_shape_and_our_identity() {
        let fields = vec![
            ("container.id".to_owned(), FieldValue::Null),
            ("proc.pid".to_owned(), FieldValue::Int(7)),
        ];
        let (json, _) = render(&sample(fields), 10_000);
        let expected = serde_json::json!({
            "hostname": "h", "output": "22:13:20.000000000: Warning m",
            "output_fields": {"proc.pid": 7, "container.id": "c", "ecs.family": "web"},
            "priority": "Warning", "rule": "Shell", "source": "syscall", "tags": ["a"],
            "time": "2023-11-14T22:13:20.000000000Z",
            "delivery": {"task": "", "ctr": "c", "epoch": 3, "seq": 9},
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn an_alert_always_fits() {
        let long = |c: char, n: usize| FieldValue::Text(c.to_string().repeat(n));
        let mut alert = sample(
            (0..2000)
                .map(|n| (format!("f{n}"), long('\u{1}', 100)))
                .collect(),
        );
        alert.tags = vec!["t".repeat(100_000)];
        alert.message = "\u{fffd}".repeat(80_000);
        alert.rule = "\"".repeat(90_000);
        let (json, line) = render(&alert, 64 * 1024);
        assert!(line.json.len() <= 64 * 1024 && line.is_truncated);
        assert_eq!(json["truncated"], true);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        for max in 0..12 {
            assert!(cut("aé\u{10348}z", max).len() <= max);
        }
    }
}
