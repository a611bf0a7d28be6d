//! Bytes as JSON strings, without loss.
//!
//! What the kernel hands out is nearly always UTF-8, so it is written as a readable string; a
//! backslash is doubled and a byte that is not part of a character becomes `\xHH`.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The readable form of bytes.
pub(crate) fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(plain) = std::str::from_utf8(bytes)
        && !plain.contains('\\')
    {
        return Cow::Borrowed(plain);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' {
                out.push('\\');
            }
            out.push(character);
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("writing to memory does not fail");
        }
    }
    Cow::Owned(out)
}

/// The bytes of a readable form; `None` when it is none.
pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest {
            [b'\\', after @ ..] => {
                out.push(b'\\');
                rest = after;
            }
            [b'x', high, low, after @ ..] => {
                let digit = |c: u8| char::from(c).to_digit(16);
                let value = digit(*high)? * 16 + digit(*low)?;
                out.push(u8::try_from(value).ok()?);
                rest = after;
            }
            _ => return None,
        }
    }
    Some(out)
}

struct Out<'a>(&'a [u8]);

impl Serialize for Out<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape(self.0))
    }
}

struct In(Vec<u8>);

impl<'de> Deserialize<'de> for In {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        unescape(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a backslash must be doubled or start `\\xHH`"))
    }
}

pub(crate) mod boxed {
    use super::{Deserialize as _, Deserializer, In, Out, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        Out(bytes).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Box<[u8]>, D::Error> {
        Ok(In::deserialize(d)?.0.into())
    }
}

pub(crate) mod cow {
    use super::{Cow, Deserialize as _, Deserializer, In, Out, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        Out(bytes).serialize(s)
    }

    pub(crate) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Cow<'a, [u8]>, D::Error> {
        Ok(In::deserialize(d)?.0.into())
    }
}

pub(crate) mod maybe {
    use super::{Deserialize as _, Deserializer, In, Out, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde's `with` calls")]
    pub(crate) fn serialize<S: Serializer, T: AsRef<[u8]>>(
        bytes: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|b| Out(b.as_ref())).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: From<Vec<u8>>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<In>::deserialize(d)?.map(|bytes| bytes.0.into()))
    }
}

pub(crate) mod list {
    use super::{Deserialize as _, Deserializer, In, Out, Serializer};

    pub(crate) fn serialize<S: Serializer>(items: &[Box<[u8]>], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(items.iter().map(|item| Out(item)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: From<Vec<Box<[u8]>>>>(
        d: D,
    ) -> Result<T, D::Error> {
        let items = Vec::<In>::deserialize(d)?;
        let items: Vec<Box<[u8]>> = items.into_iter().map(|item| item.0.into()).collect();
        Ok(items.into())
    }
}

pub(crate) mod maybe_list {
    type Strings = Vec<Box<[u8]>>;

    use super::{Deserialize as _, Deserializer, In, Out, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde's `with` calls")]
    pub(crate) fn serialize<S: Serializer>(
        items: &Option<Strings>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        items
            .as_ref()
            .map(|items| items.iter().map(|item| Out(item)).collect::<Vec<_>>())
            .serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Strings>, D::Error> {
        let items = Option::<Vec<In>>::deserialize(d)?;
        Ok(items.map(|items| items.into_iter().map(|item| item.0.into()).collect()))
    }
}

/// Arguments as an object, in their order.
pub(crate) mod arguments {
    use std::fmt;

    use serde::de::{Error as _, MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    use crate::{Arg, argument};

    pub(crate) fn serialize<S: Serializer>(
        items: &[(&'static str, Arg<'_>)],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(items.iter().map(|(name, arg)| (name, arg)))
    }

    type Items<'a> = Vec<(&'static str, Arg<'a>)>;

    pub(crate) fn deserialize<'de, 'a, D: Deserializer<'de>>(d: D) -> Result<Items<'a>, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Items<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let known = argument(&name)
                        .ok_or_else(|| A::Error::custom(format!("unknown argument `{name}`")))?;
                    items.push((known, map.next_value()?));
                }
                Ok(items)
            }
        }
        d.deserialize_map(ByName)
    }
}
