//! Guesses of what a comparison costs and how often it fails, to ask the telling ones first.
//!
//! Guesses decide the order and nothing else: whatever they are, the verdict is the same.

use event::{Field, FieldArg, FieldId};

use super::group::How;
use crate::predicate::{IsNegated, NumberTest, Ordering3, Predicate, Source, Test, TextTest};

/// Cost in arbitrary units, and the share of events for which it fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub(super) cost: f64,
    pub(super) fails: f64,
}

impl Weight {
    pub(super) fn of(predicate: &Predicate) -> Self {
        let cost = match &predicate.source {
            Source::Field(field) => field_cost(field.id, &field.arg),
            Source::Ancestors(_) => 20.0,
            Source::Ends(_) => 3.0,
            Source::Call(_) => 40.0,
        };
        let (extra, fails) = match &predicate.test {
            Test::Exists => (0.0, 0.2),
            Test::Bool(..) => (0.0, 0.5),
            Test::Ip(..) | Test::Net(..) => (2.0, 0.8),
            Test::Never => (0.0, 1.0),
            Test::Number(_) => (0.0, 0.6),
            Test::Right(..) => (40.0, 0.9),
            Test::Several(_, tests) => {
                let tests = u32::try_from(tests.len()).unwrap_or(u32::MAX);
                (10.0 * f64::from(tests), 0.9)
            }
            Test::Text(test) => match test {
                TextTest::Equal(_) | TextTest::In(_) => (1.0, 0.97),
                TextTest::Startswith(_) | TextTest::Endswith(_) => (1.0, 0.95),
                TextTest::NotEqual(_) => (1.0, 0.05),
                TextTest::Contains(_) => (5.0, 0.95),
                TextTest::Glob(pattern) if pattern.has_start() => (2.0, 0.95),
                TextTest::Icontains(_) | TextTest::Glob(_) => (15.0, 0.95),
                TextTest::Pmatch(_) => (10.0, 0.9),
                TextTest::Regex(_) => (200.0, 0.9),
                TextTest::Greater(_)
                | TextTest::GreaterOrEqual(_)
                | TextTest::Less(_)
                | TextTest::LessOrEqual(_) => (1.0, 0.5),
            },
        };
        let fails = match &predicate.source {
            Source::Field(field) => usual(field.id, &predicate.test).unwrap_or(fails),
            _ => fails,
        };
        Self {
            cost: cost + extra,
            fails,
        }
    }

    /// Of a look-up among the strings of a group. It is paid for once by all who ask.
    pub(super) fn of_group(field: &Field, how: How, comparisons: u32) -> Self {
        let own = match how {
            How::Equals => 1.0,
            How::Starts | How::Ends => 1.5,
            How::Contains => 6.0,
        };
        // What a rule names is rare; what many name is less so.
        let fails = 0.97_f64.powi(i32::try_from(comparisons.min(16)).unwrap_or(16));
        let fails = match field.id {
            FieldId::ContainerId => 0.99,
            // Most of what is opened are files, most of what is connected are sockets.
            FieldId::FdType | FieldId::FdTypechar => 0.1,
            _ => fails,
        };
        Self {
            cost: field_cost(field.id, &field.arg) * 0.6 + own,
            fails,
        }
    }

    pub(super) fn not(self) -> Self {
        Self {
            fails: 1.0 - self.fails,
            ..self
        }
    }

    /// All must hold; the first that fails ends it.
    pub(super) fn all(parts: impl Iterator<Item = Self>) -> Self {
        let (mut cost, mut holds) = (0.0, 1.0);
        for part in parts {
            cost += part.cost * holds;
            holds *= 1.0 - part.fails;
        }
        let fails = 1.0 - holds;
        Self { cost, fails }
    }

    /// One must hold; the first that does ends it.
    pub(super) fn any(parts: impl Iterator<Item = Self>) -> Self {
        Self::all(parts.map(Self::not)).not()
    }

    /// What a factor saves per cost, when it takes out so many rules.
    pub(super) fn worth(self, rules: u32) -> f64 {
        self.fails * f64::from(rules) / self.cost.max(0.1)
    }
}

/// How often a comparison fails where the field alone says so: servers read more than they write,
/// calls succeed, and whether a workload runs in a container is no news.
fn usual(id: FieldId, test: &Test) -> Option<f64> {
    use FieldId as F;
    let holds = match id {
        F::ContainerId => return Some(0.01),
        F::EvtIsOpenRead => 0.9,
        // Programs look for their files in several places.
        F::FdNum | F::EvtRawres => 0.6,
        F::EvtIsOpenWrite
        | F::EvtIsOpenExec
        | F::EvtIsOpenCreate
        | F::EvtFailed
        | F::ProcVpid
        | F::ContainerPrivileged
        | F::ProcIsExeUpperLayer
        | F::ProcIsExeWritable
        | F::ProcIsExeFromMemfd => 0.1,
        _ => return None,
    };
    let asks_for_it = match test {
        Test::Bool(wanted, negated) => wanted.contains(&true) != (*negated == IsNegated::Yes),
        Test::Number(NumberTest::In(values)) => !values.contains(&-1),
        Test::Number(NumberTest::NotEqual(value)) => *value == -1,
        Test::Number(NumberTest::Ordered(order, _)) => {
            matches!(order, Ordering3::Greater | Ordering3::GreaterOrEqual)
        }
        _ => return None,
    };
    Some(if asks_for_it { 1.0 - holds } else { holds })
}

/// What reading a field costs: plain answers are cheap, text that is put together is not, and
/// what the tracer has to read from `/proc` is dear.
fn field_cost(id: FieldId, arg: &FieldArg) -> f64 {
    use FieldId as F;
    match id {
        F::EvtIsOpenRead
        | F::EvtIsOpenWrite
        | F::EvtIsOpenExec
        | F::EvtNum
        | F::EvtRawres
        | F::FdNum
        | F::FdTypechar
        | F::FdType => 1.0,
        F::ProcAname | F::ProcAexe => match arg {
            FieldArg::Index(index) => 2.0 + f64::from(*index),
            FieldArg::Key(_) | FieldArg::None => 10.0,
        },
        F::ProcCmdline | F::ProcPcmdline | F::ProcArgs | F::ProcExeline | F::ProcPargs => 8.0,
        F::ProcAcmdline => 12.0,
        F::EvtArg | F::EvtRawarg => 6.0,
        F::EvtArgs | F::EvtInfo => 20.0,

        F::ThreadCapEffective | F::ThreadCapPermitted | F::ThreadCapInheritable => 80.0,
        F::UserName
        | F::UserUid
        | F::UserLoginuid
        | F::ProcTty
        | F::ProcSid
        | F::ProcExepath
        | F::ProcPexepath
        | F::ProcCwd
        | F::ProcAexepath
        | F::ProcIsExeUpperLayer
        | F::ProcIsExeLowerLayer
        | F::ProcIsExeWritable
        | F::ProcIsExeFromMemfd => 60.0,
        F::ProcEnv => 200.0,
        _ => 3.0,
    }
}
