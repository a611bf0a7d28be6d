//! The one table of fields: every name that a rule may use, its type and its meaning.
//!
//! Loading a rule checks against it, [`crate::extract()`] answers from it, and `docs/fields.md` is
//! generated from it, so that the three cannot disagree.

use std::fmt;

/// What a field's values are, which decides the operators that may be used on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// A moment, nanoseconds since 1970.
    AbsTime,
    /// `true` or `false`.
    Bool,
    /// Raw bytes, for `bcontains` and `bstartswith`.
    Buffer,
    /// A signed number.
    Int,
    /// An address.
    Ip,
    /// A range of addresses.
    Net,
    /// A port; service names are taken too.
    Port,
    /// A span of time in nanoseconds.
    RelTime,
    /// A string.
    Text,
    /// An unsigned number.
    Uint,
}

impl FieldKind {
    /// The word in listings and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AbsTime => "absolute time",
            Self::Bool => "boolean",
            Self::Buffer => "bytes",
            Self::Int => "signed number",
            Self::Ip => "address",
            Self::Net => "network",
            Self::Port => "port",
            Self::RelTime => "time span",
            Self::Text => "string",
            Self::Uint => "number",
        }
    }

    /// Whether values are ordered numbers.
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::AbsTime | Self::Int | Self::Port | Self::RelTime | Self::Uint
        )
    }
}

/// What may stand in brackets behind a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A number must.
    Index,
    /// A number may; without one every ancestor is asked.
    MaybeIndex,
    /// A string must.
    Key,
    /// A string may.
    MaybeKey,
}

/// Bits of [`FieldInfo`]: what is unusual about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits(u8);

impl Traits {
    pub(crate) const PLAIN: Self = Self(0);
    /// May depend on the result of a syscall.
    pub(crate) const RESULT: Self = Self(1);
    /// Several values.
    pub(crate) const LIST: Self = Self(2);
    /// For conditions only: it stands for more than one value.
    pub(crate) const FILTER: Self = Self(4);
    /// For conditions only, and may depend on the result.
    pub(crate) const RESULT_FILTER: Self = Self(5);
    /// Known so that rules load; never has a value here.
    pub(crate) const ABSENT: Self = Self(8);
    /// An absent field with several values.
    pub(crate) const ABSENT_LIST: Self = Self(10);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Which field.
    pub id: FieldId,
    /// Its name in rules.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldKind,
    /// What stands in brackets.
    pub argument: Argument,
    /// What it means.
    pub description: &'static str,
    pub(crate) traits: Traits,
}

impl FieldInfo {
    /// Whether a value may be unknown until a syscall returns.
    pub const fn needs_result(&self) -> bool {
        self.traits.has(Traits::RESULT)
    }

    /// Whether it has several values at a time.
    pub const fn is_list(&self) -> bool {
        self.traits.has(Traits::LIST)
    }

    /// Whether it is for conditions only, not for outputs or the right-hand side.
    pub const fn is_filter_only(&self) -> bool {
        self.traits.has(Traits::FILTER)
    }

    /// Whether it never has a value on ECS: known, so that rules load, and unset.
    pub const fn is_absent(&self) -> bool {
        self.traits.has(Traits::ABSENT)
    }
}

macro_rules! fields {
    ($($id:ident $name:literal $kind:ident $argument:ident $traits:ident $description:literal;)*) => {
        /// Names a row of the table of fields.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FieldId {
            $(#[doc = concat!("`", $name, "`: ", $description)] $id,)*
        }

        /// Every field, grouped by its first word.
        pub const FIELDS: &[FieldInfo] = &[$(FieldInfo {
            id: FieldId::$id,
            name: $name,
            kind: FieldKind::$kind,
            argument: Argument::$argument,
            traits: Traits::$traits,
            description: $description,
        }),*];
    };
}

mod table;
pub use table::{FIELDS, FieldId};

impl FieldId {
    /// The row of the table.
    pub fn info(self) -> &'static FieldInfo {
        // INVARIANT: the table has one row per variant, in the order of the variants.
        &FIELDS[self as usize]
    }

    /// The field of exactly that name.
    pub fn parse(name: &str) -> Option<Self> {
        let end = end(name.as_bytes());
        let mut rows = ENDS.iter().zip(FIELDS);
        let found = rows.find(|(known, info)| **known == end && info.name == name);
        found.map(|(_, info)| info.id)
    }
}

/// The length and the last byte of every name, which tell most names apart.
static ENDS: [(usize, u8); FIELDS.len()] = {
    let mut ends = [(0, 0); FIELDS.len()];
    let mut at = 0;
    while at < ends.len() {
        ends[at] = end(FIELDS[at].name.as_bytes());
        at += 1;
    }
    ends
};

const fn end(name: &[u8]) -> (usize, u8) {
    match name {
        [.., last] => (name.len(), *last),
        [] => (0, 0),
    }
}

/// What stands in brackets behind a field's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldArg {
    /// `proc.aname[2]`.
    Index(u32),
    /// `proc.env[PATH]`, `evt.arg.flags`.
    Key(Box<str>),
    /// Nothing.
    None,
}

/// A field with its argument, as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    /// Which.
    pub id: FieldId,
    /// What stands in brackets.
    pub arg: FieldArg,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.id.info().name;
        match &self.arg {
            FieldArg::Index(index) => write!(f, "{name}[{index}]"),
            FieldArg::Key(key) if self.id == FieldId::EvtArg || self.id == FieldId::EvtRawarg => {
                write!(f, "{name}.{key}")
            }
            FieldArg::Key(key) => write!(f, "{name}[{key}]"),
            FieldArg::None => f.write_str(name),
        }
    }
}

/// Why a name is not a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The brackets hold something that is not a number.
    #[error("field `{0}` takes a number in brackets, not `{1}`")]
    BadIndex(&'static str, String),
    /// Brackets are missing.
    #[error("field `{0}` needs an argument in brackets")]
    MissingArgument(&'static str),
    /// Brackets are too many.
    #[error("field `{0}` takes no argument in brackets")]
    UnexpectedArgument(&'static str),
    /// There is no such field.
    #[error("unknown field `{0}`")]
    Unknown(String),
}

impl Field {
    /// A field without an argument.
    pub const fn plain(id: FieldId) -> Self {
        Self {
            id,
            arg: FieldArg::None,
        }
    }

    /// Reads a field's name as rules write it, and what stood in brackets behind it.
    ///
    /// # Errors
    /// Says what is wrong with the name or its argument.
    pub fn resolve(name: &str, arg: Option<&str>) -> Result<Self, FieldError> {
        for (prefix, id) in [
            ("evt.arg.", FieldId::EvtArg),
            ("evt.rawarg.", FieldId::EvtRawarg),
            ("container.label.", FieldId::ContainerLabel),
            ("k8s.pod.label.", FieldId::K8sPodLabel),
            ("k8s.ns.label.", FieldId::K8sNsLabel),
        ] {
            if let Some(key) = name.strip_prefix(prefix)
                && !key.is_empty()
            {
                let arg = FieldArg::Key(key.into());
                return Ok(Self { id, arg });
            }
        }
        let info = FieldId::parse(name)
            .ok_or_else(|| FieldError::Unknown(name.to_owned()))?
            .info();
        let index = |text: &str| {
            let number = text.parse::<u32>();
            number.map_err(|_| FieldError::BadIndex(info.name, text.to_owned()))
        };
        let arg = match (info.argument, arg) {
            (Argument::None | Argument::MaybeIndex | Argument::MaybeKey, None) => FieldArg::None,
            (Argument::None, Some(_)) => return Err(FieldError::UnexpectedArgument(info.name)),
            (Argument::Index | Argument::Key, None) => {
                return Err(FieldError::MissingArgument(info.name));
            }
            (Argument::Index | Argument::MaybeIndex, Some(text)) => FieldArg::Index(index(text)?),
            // `evt.arg[0]` counts, `evt.arg[name]` names.
            (Argument::Key | Argument::MaybeKey, Some(text)) => match text.parse::<u32>() {
                Ok(number) if matches!(info.id, FieldId::EvtArg | FieldId::EvtRawarg) => {
                    FieldArg::Index(number)
                }
                _ => FieldArg::Key(text.into()),
            },
        };
        Ok(Self { id: info.id, arg })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_its_ids_and_has_no_name_twice() {
        for (position, info) in FIELDS.iter().enumerate() {
            assert_eq!(info.id as usize, position, "{}", info.name);
            assert_eq!(FieldId::parse(info.name), Some(info.id));
        }
    }

    #[test]
    fn arguments_are_checked() {
        assert_eq!(
            Field::resolve("proc.aname", Some("2")).unwrap().to_string(),
            "proc.aname[2]"
        );
        assert_eq!(
            Field::resolve("evt.arg", Some("flags")).unwrap(),
            Field::resolve("evt.arg.flags", None).unwrap()
        );
        assert!(matches!(
            Field::resolve("proc.aname", Some("x")),
            Err(FieldError::BadIndex(..))
        ));
        assert!(matches!(
            Field::resolve("proc.name", Some("1")),
            Err(FieldError::UnexpectedArgument(_))
        ));
        assert!(matches!(
            Field::resolve("evt.arg", None),
            Err(FieldError::MissingArgument(_))
        ));
    }
}
