//! Alerts: a rule that matched an event.

/// How bad it is; ordered from worst to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// System is unusable.
    Emergency,
    /// Act at once.
    Alert,
    /// Critical conditions.
    Critical,
    /// Error conditions.
    Error,
    /// Warning conditions.
    Warning,
    /// Normal but significant.
    Notice,
    /// Informational; rule files may say `INFO`.
    Informational,
    /// Debug messages.
    Debug,
}

impl Priority {
    /// The word that alerts carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }

    /// Reads a rule file's or a setting's word, whatever its case.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Emergency,
            Self::Alert,
            Self::Critical,
            Self::Error,
            Self::Warning,
            Self::Notice,
            Self::Informational,
            Self::Debug,
        ]
        .into_iter()
        .find(|priority| priority.as_str().eq_ignore_ascii_case(word))
        .or_else(|| {
            word.eq_ignore_ascii_case("info")
                .then_some(Self::Informational)
        })
    }
}

/// A value in `output_fields`.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// `true` or `false`.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// The field has no value.
    Null,
    /// A string; bytes that are not UTF-8 were replaced.
    Text(String),
    /// An unsigned number.
    Uint(u64),
}

/// A rule matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// When the event happened, nanoseconds since 1970.
    pub time: u64,
    /// Name of the rule.
    pub rule: String,
    /// Priority of the rule.
    pub priority: Priority,
    /// Source of the event; `syscall`.
    pub source: String,
    /// Tags of the rule, sorted.
    pub tags: Vec<String>,
    /// Host name: the container's.
    pub hostname: String,
    /// The rule's output with fields filled in, without time and priority.
    pub message: String,
    /// The fields that the output names, sorted by name.
    pub output_fields: Vec<(String, FieldValue)>,
}
