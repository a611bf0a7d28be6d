//! An alert on the wire.

use event::{FieldValue, Priority};

/// A rule matched. The fields are those of [`event::Alert`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct Alert {
    /// When the event happened, nanoseconds since 1970.
    #[prost(fixed64, tag = "1")]
    pub time: u64,
    /// Name of the rule.
    #[prost(string, tag = "2")]
    pub rule: String,
    /// 0 is the worst (emergency), 7 the least (debug).
    #[prost(uint32, tag = "3")]
    pub priority: u32,
    /// Source of the event.
    #[prost(string, tag = "4")]
    pub source: String,
    /// Tags of the rule, sorted.
    #[prost(string, repeated, tag = "5")]
    pub tags: Vec<String>,
    /// Host name of the container.
    #[prost(string, tag = "6")]
    pub hostname: String,
    /// The rule's output with fields filled in.
    #[prost(string, tag = "7")]
    pub message: String,
    /// The fields that the output names, sorted by name.
    #[prost(message, repeated, tag = "8")]
    pub output_fields: Vec<AlertField>,
}

/// A named value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AlertField {
    /// Name, as `proc.name`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// `None` when the field has no value, or one of a kind that this version does not know.
    #[prost(oneof = "alert_field::Value", tags = "2, 3, 4, 5")]
    pub value: Option<alert_field::Value>,
}

/// The values of [`AlertField`].
pub mod alert_field {
    /// A value.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Value {
        /// A string.
        #[prost(string, tag = "2")]
        Text(String),
        /// A signed number.
        #[prost(sint64, tag = "3")]
        Int(i64),
        /// An unsigned number.
        #[prost(uint64, tag = "4")]
        Uint(u64),
        /// `true` or `false`.
        #[prost(bool, tag = "5")]
        Bool(bool),
    }
}

/// From worst to least; the index is the number on the wire.
const PRIORITIES: [Priority; 8] = [
    Priority::Emergency,
    Priority::Alert,
    Priority::Critical,
    Priority::Error,
    Priority::Warning,
    Priority::Notice,
    Priority::Informational,
    Priority::Debug,
];

fn priority_number(priority: Priority) -> u32 {
    match priority {
        Priority::Emergency => 0,
        Priority::Alert => 1,
        Priority::Critical => 2,
        Priority::Error => 3,
        Priority::Warning => 4,
        Priority::Notice => 5,
        Priority::Informational => 6,
        Priority::Debug => 7,
    }
}

impl From<event::Alert> for Alert {
    fn from(alert: event::Alert) -> Self {
        Self {
            time: alert.time,
            rule: alert.rule,
            priority: priority_number(alert.priority),
            source: alert.source,
            tags: alert.tags,
            hostname: alert.hostname,
            message: alert.message,
            output_fields: alert
                .output_fields
                .into_iter()
                .map(|(name, value)| AlertField {
                    name,
                    value: field_to_wire(value),
                })
                .collect(),
        }
    }
}

impl From<Alert> for event::Alert {
    /// A priority that this version does not know becomes the worst one: an alert is never
    /// filtered away because its sender is of a later version.
    fn from(alert: Alert) -> Self {
        let priority = usize::try_from(alert.priority)
            .ok()
            .and_then(|number| PRIORITIES.get(number))
            .copied()
            .unwrap_or(Priority::Emergency);
        Self {
            time: alert.time,
            rule: alert.rule,
            priority,
            source: alert.source,
            tags: alert.tags,
            hostname: alert.hostname,
            message: alert.message,
            output_fields: alert
                .output_fields
                .into_iter()
                .map(|field| (field.name, field_from_wire(field.value)))
                .collect(),
        }
    }
}

fn field_to_wire(value: FieldValue) -> Option<alert_field::Value> {
    match value {
        FieldValue::Bool(v) => Some(alert_field::Value::Bool(v)),
        FieldValue::Int(v) => Some(alert_field::Value::Int(v)),
        FieldValue::Null => None,
        FieldValue::Text(v) => Some(alert_field::Value::Text(v)),
        FieldValue::Uint(v) => Some(alert_field::Value::Uint(v)),
    }
}

fn field_from_wire(value: Option<alert_field::Value>) -> FieldValue {
    match value {
        None => FieldValue::Null,
        Some(alert_field::Value::Bool(v)) => FieldValue::Bool(v),
        Some(alert_field::Value::Int(v)) => FieldValue::Int(v),
        Some(alert_field::Value::Text(v)) => FieldValue::Text(v),
        Some(alert_field::Value::Uint(v)) => FieldValue::Uint(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_comes_back_as_it_went() {
        for priority in PRIORITIES {
            let alert = event::Alert {
                time: 1_700_000_000_123_456_789,
                rule: "Shell spawned by a server".to_owned(),
                priority,
                source: "syscall".to_owned(),
                tags: vec!["container".to_owned(), "shell".to_owned()],
                hostname: "web".to_owned(),
                message: "sh spawned".to_owned(),
                output_fields: vec![
                    ("evt.res".to_owned(), FieldValue::Int(-13)),
                    ("fd.name".to_owned(), FieldValue::Null),
                    ("proc.is_vpgid_leader".to_owned(), FieldValue::Bool(false)),
                    ("proc.name".to_owned(), FieldValue::Text(String::new())),
                    ("user.uid".to_owned(), FieldValue::Uint(u64::MAX)),
                ],
            };
            assert_eq!(event::Alert::from(Alert::from(alert.clone())), alert);
        }
    }

    #[test]
    fn a_priority_of_a_later_version_is_the_worst() {
        let alert = Alert {
            priority: 99,
            ..Alert::default()
        };
        assert_eq!(event::Alert::from(alert).priority, Priority::Emergency);
    }
}
