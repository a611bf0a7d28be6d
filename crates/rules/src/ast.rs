//! Conditions as written: the tree that the parser builds.

use std::fmt;
use std::sync::Arc;

/// A stretch of a condition's text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    And(Vec<Self>),
    Check(Box<Check>),
    Macro { name: String, span: Span },
    Not(Box<Self>),
    Or(Vec<Self>),
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Check {
    pub(crate) left: Operand,
    pub(crate) op: Op,
    pub(crate) modifier: Option<Modifier>,
    pub(crate) right: Right,
    pub(crate) span: Span,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Call {
        function: Function,
        arguments: Vec<Self>,
        key: Option<String>,
        span: Span,
    },
    Field {
        name: String,
        arg: Option<String>,
        span: Span,
    },
    List(Vec<Self>),
    Literal(String),
}

impl Operand {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Call { span, .. } | Self::Field { span, .. } => *span,
            Self::List(items) => items.first().map(Self::span).unwrap_or_default(),
            Self::Literal(_) => Span::default(),
        }
    }
}

/// What it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Right {
    List(Vec<Literal>),
    Nothing,
    Operand(Operand),
    Value(Literal),
}

/// A value as written, without its quotes. Sets of values share the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            pub(crate) fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

words! {
    /// Operators. `==` is `=`.
    Op {
        Exists = "exists",
        LessOrEqual = "<=",
        Less = "<",
        GreaterOrEqual = ">=",
        Greater = ">",
        Equal = "=",
        NotEqual = "!=",
        Glob = "glob",
        Iglob = "iglob",
        Contains = "contains",
        Icontains = "icontains",
        Bcontains = "bcontains",
        Startswith = "startswith",
        Bstartswith = "bstartswith",
        Endswith = "endswith",
        Regex = "regex",
        Intersects = "intersects",
        In = "in",
        Pmatch = "pmatch",
    }
}

impl Op {
    /// Whether it takes several values in parentheses.
    pub(crate) const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::Intersects | Self::Pmatch)
    }

    /// Whether it takes a number only.
    pub(crate) const fn takes_number(self) -> bool {
        matches!(
            self,
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual
        )
    }
}

words! {
    /// How a string operator takes several values.
    Modifier { Allof = "allof", Anyof = "anyof", Oneof = "oneof" }
}

words! {
    /// Transformers.
    Function {
        B64 = "b64",
        Basename = "basename",
        Concat = "concat",
        Getopt = "getopt",
        Join = "join",
        Len = "len",
        Tolower = "tolower",
        Toupper = "toupper",
        Val = "val",
    }
}

impl Function {
    /// Whether it takes more than a field.
    pub(crate) const fn takes_several(self) -> bool {
        matches!(self, Self::Concat | Self::Getopt | Self::Join)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, items: &[Self], word: &str| {
            f.write_str("(")?;
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    f.write_str(word)?;
                }
                item.fmt(f)?;
            }
            f.write_str(")")
        };
        match self {
            Self::And(items) => joined(f, items, " and "),
            Self::Or(items) => joined(f, items, " or "),
            Self::Not(item) => write!(f, "not {item}"),
            Self::Macro { name, .. } => f.write_str(name),
            Self::Check(check) => check.fmt(f),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.left, self.op.as_str())?;
        if let Some(modifier) = self.modifier {
            write!(f, " {}", modifier.as_str())?;
        }
        match &self.right {
            Right::Nothing => Ok(()),
            Right::Operand(operand) => write!(f, " {operand}"),
            Right::Value(value) => write!(f, " {}", Quoted(&value.text)),
            Right::List(values) => {
                f.write_str(" (")?;
                for (number, value) in values.iter().enumerate() {
                    if number > 0 {
                        f.write_str(", ")?;
                    }
                    Quoted(&value.text).fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                function,
                arguments,
                key,
                ..
            } => {
                write!(f, "{}(", function.as_str())?;
                for (number, argument) in arguments.iter().enumerate() {
                    if number > 0 {
                        f.write_str(", ")?;
                    }
                    argument.fmt(f)?;
                }
                f.write_str(")")?;
                key.as_ref().map_or(Ok(()), |key| write!(f, "[{key}]"))
            }
            Self::Field { name, arg, .. } => {
                f.write_str(name)?;
                arg.as_ref().map_or(Ok(()), |arg| write!(f, "[{arg}]"))
            }
            Self::List(items) => {
                f.write_str("(")?;
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        f.write_str(", ")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str(")")
            }
            Self::Literal(text) => write!(f, "\"{}\"", crate::escape::escape(text)),
        }
    }
}

/// Prints a value so that it reads back as itself: quoted only where it must be.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_bare = !self.0.is_empty()
            && self
                .0
                .bytes()
                .all(|byte| crate::lex::is_bare(byte) && byte != b'\\');
        if is_bare {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", crate::escape::escape(self.0))
        }
    }
}
