//! What it means: the Falco rule language, without I/O, clock or kernel.
//!
//! Rule files go through visible stages, one module each: [`Source`] → YAML nodes → definitions
//! → lists put in → condition read → comparisons checked → one graph of all conditions → one
//! program per type of event, built when the first event of the type comes. [`RuleSet::evaluate`]
//! runs the program of an event's type; it cannot fail, and once the program is there it allocates
//! nothing while no rule matches.
//!
//! ```
//! use rules::{RuleSet, Source};
//!
//! let text = "
//! - rule: Passwords read
//!   desc: Somebody reads the password file.
//!   condition: evt.type in (open, openat) and fd.name = /etc/shadow
//!   output: passwords read by %proc.name
//!   priority: WARNING
//! ";
//! let source = Source { name: "mine.yaml".to_owned(), text: text.to_owned() };
//! let rules = RuleSet::load(&[source])?;
//! assert_eq!(rules.enabled(), 1);
//! # Ok::<(), rules::Diagnostics>(())
//! ```
#![forbid(unsafe_code)]

mod ast;
mod check;
mod compile;
mod dag;
mod defaults;
mod definitions;
mod diagnostic;
mod escape;
mod hypothesis;
mod inspect;
mod lex;
mod limiter;
mod lists;
mod net;
mod options;
mod output;
mod parse;
mod predicate;
mod program;
mod reader;
mod ruleset;
mod source;
mod suggest;
mod yaml;

pub use defaults::default_rules;
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity, Style};
pub use inspect::RuleInfo;
pub use limiter::Limiter;
pub use options::{AppendError, AppendOutput, Matching, Options, Selector, Switch};
pub use parse::parses;
pub use ruleset::{Matches, RuleId, RuleSet, Verdict};
pub use source::Source;
