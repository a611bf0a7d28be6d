//! A set of rules: loaded from files, asked about events.

use event::{Alert, EventType, EventTypeSet, Facts, FieldValue, Priority};

use crate::compile::{Compiled, Whole, compile};
use crate::diagnostic::Diagnostics;
use crate::hypothesis::Hypothesis;
use crate::options::{Appended, Matching, Options};
use crate::output::{self, Filled, Format};
use crate::predicate::Tri;
use crate::program::{Found, Programs};
use crate::reader::collect;
use crate::source::{Report, Source};

/// A rule's number in its set; rules are numbered in order of definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) u32);

/// What a set of rules says about an event.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// These rules matched, in order of definition; with [`Matching::First`] there is one.
    Match(Matches<'a>),
    /// No rule matches, whatever the call returns.
    No,
    /// It depends on what the call returns: ask again when it has.
    Undecided,
}

/// The rules that matched.
#[derive(Clone, Debug)]
pub struct Matches<'a> {
    ids: std::slice::Iter<'a, u32>,
}

impl Iterator for Matches<'_> {
    type Item = RuleId;

    fn next(&mut self) -> Option<RuleId> {
        self.ids.next().map(|id| RuleId(*id))
    }
}

/// Rules, compiled for evaluation.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) whole: Whole,
    pub(crate) options: Options,
    /// Per rule: what is appended to its output.
    appended: Vec<Appended>,
    pub(crate) programs: Programs,
    doubts: Diagnostics,
}

impl RuleSet {
    /// Loads rule files, in order, with the usual options.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn load(sources: &[Source]) -> Result<Self, Diagnostics> {
        Self::load_with(sources, Options::default())
    }

    /// Loads rule files, in order.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn load_with(sources: &[Source], options: Options) -> Result<Self, Diagnostics> {
        let mut report = Report::new(sources);
        let definitions = collect(&mut report);
        let mut whole = compile(definitions, &mut report);
        let doubts = report.found;
        if doubts.has_errors() {
            return Err(doubts);
        }
        for rule in &mut whole.rules {
            rule.is_enabled = options.enables(&rule.name, &rule.tags, rule.is_enabled)
                && rule.priority <= options.minimum_priority;
        }
        let appended = whole
            .rules
            .iter()
            .map(|rule| options.appended_to(&rule.name, &rule.source, &rule.tags))
            .collect();
        let enabled = (0_u32..)
            .zip(&whole.rules)
            .filter(|(_, rule)| rule.is_enabled)
            .map(|(number, rule)| (number, rule.root))
            .collect();
        Ok(Self {
            programs: Programs::new(&whole.dag, enabled),
            whole,
            options,
            appended,
            doubts,
        })
    }

    /// What is doubtful about the files, though they load.
    pub fn warnings(&self) -> &Diagnostics {
        &self.doubts
    }

    /// The types of events that an enabled rule asks for: what is worth stopping for.
    pub fn events(&self) -> EventTypeSet {
        self.programs.events()
    }

    /// Whether the verdict at the entry of such an event may be [`Verdict::Undecided`].
    pub fn needs_result(&self, kind: EventType) -> bool {
        self.programs.open().contains(kind)
    }

    /// Whether an enabled rule may match `open` or `openat` with `O_DIRECTORY` and without flags that
    /// write or create: a directory that is opened to be listed.
    pub fn asks_for_directories(&self) -> bool {
        [EventType::Open, EventType::Openat]
            .into_iter()
            .any(|kind| {
                let mut listing = Hypothesis::listing(kind);
                let rules = self.whole.rules.iter().filter(|rule| rule.is_enabled);
                rules
                    .map(|rule| listing.ask(&self.whole.dag, rule.root))
                    .any(|answer| answer != Tri::False)
            })
    }

    /// How many rules are enabled.
    pub fn enabled(&self) -> usize {
        self.whole
            .rules
            .iter()
            .filter(|rule| rule.is_enabled)
            .count()
    }

    /// Asks the rules about an event. The first event of a type has its rules put together; from
    /// the second one on nothing is allocated unless a transformer has to.
    pub fn evaluate(&mut self, facts: &dyn Facts) -> Verdict<'_> {
        let first_only = self.options.matching == Matching::First;
        match self.programs.run(&self.whole.dag, facts, first_only) {
            Found::Nothing => Verdict::No,
            Found::Undecided => Verdict::Undecided,
            Found::Matches => Verdict::Match(Matches {
                ids: self.programs.matched().iter(),
            }),
        }
    }

    /// The alerts of an event: one for each rule that matches. None while it is undecided.
    pub fn alerts(&mut self, facts: &dyn Facts, hostname: &str) -> Vec<Alert> {
        let ids: Vec<RuleId> = match self.evaluate(facts) {
            Verdict::Match(matches) => matches.collect(),
            Verdict::No | Verdict::Undecided => Vec::new(),
        };
        ids.into_iter()
            .map(|id| self.alert(id, facts, hostname))
            .collect()
    }

    /// The alert of a rule that matched an event.
    pub fn alert(&self, id: RuleId, facts: &dyn Facts, hostname: &str) -> Alert {
        let rule = &self.whole.rules[id.0 as usize];
        let mut filled = Filled::default();
        rule.format.fill(facts, &mut filled);
        let appended = &self.appended[id.0 as usize];
        for format in &appended.outputs {
            filled.message.push(' ');
            format.fill(facts, &mut filled);
        }
        let mut fields = filled.fields;
        for (name, format) in &appended.fields {
            fields.push((name.clone(), extra_field(format, facts)));
        }
        // Falco puts the time into the fields under this name, as nanoseconds.
        if !fields.iter().any(|(name, _)| name == "evt.time") {
            fields.push(("evt.time".to_owned(), FieldValue::Null));
        }
        for (name, value) in &mut fields {
            if name == "evt.time" || name == "evt.time.iso8601" {
                *value = FieldValue::Uint(facts.time());
            }
        }
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Alert {
            time: facts.time(),
            rule: rule.name.clone(),
            priority: rule.priority,
            source: rule.source.clone(),
            tags: rule.tags.clone(),
            hostname: hostname.to_owned(),
            message: filled.message,
            output_fields: fields,
        }
    }

    /// The name of a rule.
    pub fn name(&self, id: RuleId) -> &str {
        &self.rule(id).name
    }

    /// The priority of a rule.
    pub fn priority(&self, id: RuleId) -> Priority {
        self.rule(id).priority
    }

    /// Every rule, disabled ones too, in order of definition.
    pub fn rules(&self) -> impl Iterator<Item = RuleId> {
        (0_u32..)
            .zip(&self.whole.rules)
            .map(|(number, _)| RuleId(number))
    }

    pub(crate) fn rule(&self, id: RuleId) -> &Compiled {
        &self.whole.rules[id.0 as usize]
    }
}

/// A field that was asked for by a format: its raw value when the format is one field.
fn extra_field(format: &Format, facts: &dyn Facts) -> FieldValue {
    let mut filled = Filled::default();
    format.fill(facts, &mut filled);
    match &mut *filled.fields {
        [(name, value)] if format.is_field(name) => std::mem::replace(value, FieldValue::Null),
        _ => FieldValue::Text(filled.message),
    }
}

/// Reads an output that options append; what is wrong with it in one line.
pub(crate) fn read_format(text: &str) -> Result<Format, String> {
    output::parse(text).map_err(|faults| {
        let messages: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        messages.join("; ")
    })
}
