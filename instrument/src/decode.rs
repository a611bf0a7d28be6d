//! From registers and memory to arguments, as the table describes them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use event::{Arg, Args, Outcome, absolute};
use sys::{Call, Memory, RemoteAddr, SocketName, Tid};

use crate::process::read_link;
use crate::table::{Kind, Row};

/// The longest path that the kernel takes (`PATH_MAX`), bytes.
pub const MAX_PATH: usize = 4096;
const MAX_STRINGS: usize = 256;
const MAX_STRING: usize = 4096;
/// `AT_FDCWD`.
const CURRENT_DIRECTORY: i32 = -100;

/// A path of a call, read of its memory.
#[derive(Clone, Copy, Debug)]
pub struct ReadPath<'a> {
    /// The register that points to it.
    pub register: u8,
    /// As the program wrote it.
    pub raw: &'a [u8],
    /// The directory from which it starts, when it is relative.
    pub base: Option<&'a [u8]>,
}

/// Reads the arguments of a call. What cannot be read is left out. A string that was read before
/// is not read again: it may be another one by now.
pub fn args(
    row: &Row,
    (tid, call): (Tid, &Call),
    outcome: Outcome,
    read: Option<ReadPath<'_>>,
) -> Args<'static> {
    let source = Source {
        memory: Memory::of(tid),
        tid,
        call,
        read,
    };
    let mut items = Vec::with_capacity(row.params.len());
    for param in row.params {
        if let Some(arg) = source.arg(param.kind, outcome) {
            items.push((param.name, arg));
        }
    }
    Args { items }
}

/// The address that a call names.
pub fn address(tid: Tid, call: &Call, kind: Kind) -> Option<SocketName> {
    let source = Source {
        memory: Memory::of(tid),
        tid,
        call,
        read: None,
    };
    match kind {
        Kind::Address(at) => source.address(at),
        Kind::MessageAddress(at) => source.message_address(at),
        _ => None,
    }
}

struct Source<'a> {
    memory: Memory,
    tid: Tid,
    call: &'a Call,
    read: Option<ReadPath<'a>>,
}

impl Source<'_> {
    fn word(&self, at: u8) -> u64 {
        self.call.args.get(usize::from(at)).copied().unwrap_or(0)
    }

    fn int(&self, at: u8) -> i32 {
        self.half(at).cast_signed()
    }

    fn half(&self, at: u8) -> u32 {
        (self.word(at) & 0xffff_ffff) as u32
    }

    fn arg(&self, kind: Kind, outcome: Outcome) -> Option<Arg<'static>> {
        Some(match kind {
            Kind::Address(at) => name(self.address(at)?),
            Kind::MessageAddress(at) => name(self.message_address(at)?),
            // Requests and commands are ints; the upper half of a register is noise.
            Kind::Enum(at) => Arg::Enum(u64::from(self.half(at))),
            Kind::Fd(at) => Arg::Fd(i64::from(self.int(at))),
            Kind::Flags(at) => Arg::Flags(self.word(at)),
            Kind::Gid(at) => Arg::Gid(self.half(at)),
            Kind::HowFlags(at) => Arg::Flags(self.how(at, 0)?),
            Kind::HowMode(at) => Arg::Mode((self.how(at, 1)? & 0o7777) as u32),
            Kind::HowResolve(at) => Arg::Flags(self.how(at, 2)?),
            Kind::Int(at) => Arg::Int(i64::from(self.int(at))),
            Kind::Mode(at) => Arg::Mode(self.half(at) & 0o7777),
            Kind::Path(at) => self.path(CURRENT_DIRECTORY, at)?,
            Kind::PathAt(dir, at) => self.path(self.int(dir), at)?,
            Kind::Pid(at) => Arg::Pid(i64::from(self.int(at))),
            Kind::Result => match outcome {
                Outcome::Returned(value) => Arg::Fd(value),
                Outcome::None | Outcome::Pending => return None,
            },
            Kind::Text(at) => Arg::Bytes(Cow::Owned(self.string(self.word(at), MAX_PATH)?)),
            Kind::Uid(at) => Arg::Uid(self.half(at)),
            Kind::Uint(at) => Arg::Uint(self.word(at)),
            Kind::Vector(at) => Arg::Vector(Cow::Owned(self.vector(at)?)),
        })
    }

    fn string(&self, addr: RemoteAddr, max: usize) -> Option<Vec<u8>> {
        if addr == 0 {
            return None;
        }
        let mut out = Vec::with_capacity(64);
        self.memory.read_string(addr, max, &mut out).ok()?;
        Some(out)
    }

    fn path(&self, dir: i32, at: u8) -> Option<Arg<'static>> {
        let read = self.read.filter(|read| read.register == at);
        let raw = match read {
            Some(read) => read.raw.to_vec(),
            None => self.string(self.word(at), MAX_PATH)?,
        };
        let absolute = if raw.first() == Some(&b'/') {
            Some(absolute(b"/", &raw))
        } else if let Some(base) = read.and_then(|read| read.base) {
            Some(absolute(base, &raw))
        } else {
            directory(self.tid, dir).map(|base| absolute(&base, &raw))
        };
        Some(Arg::Path {
            raw: Cow::Owned(raw),
            absolute: absolute.map(Cow::Owned),
        })
    }

    fn how(&self, at: u8, field: usize) -> Option<u64> {
        let mut how = [0; 3];
        let got = self.memory.read_words(self.word(at), 8, &mut how).ok()?;
        how.get(field).copied().filter(|_| field < got)
    }

    fn vector(&self, at: u8) -> Option<Vec<Box<[u8]>>> {
        let width = self.call.abi.pointer_width();
        let mut strings = Vec::new();
        let mut table = self.word(at);
        if table == 0 {
            return None;
        }
        let mut words = [0; 32];
        while strings.len() < MAX_STRINGS {
            let got = self.memory.read_words(table, width, &mut words).ok()?;
            let pointers = words.get(..got).unwrap_or_default();
            for pointer in pointers {
                if *pointer == 0 {
                    return Some(strings);
                }
                strings.push(self.string(*pointer, MAX_STRING)?.into());
            }
            if got < words.len() {
                break;
            }
            table = table.wrapping_add((got * width) as u64);
        }
        Some(strings)
    }

    fn address(&self, at: u8) -> Option<SocketName> {
        let len = usize::try_from(self.half(at + 1)).ok()?;
        self.address_at(self.word(at), len)
    }

    /// `msghdr` begins with the pointer to the address and its length.
    fn message_address(&self, at: u8) -> Option<SocketName> {
        let width = self.call.abi.pointer_width();
        let mut words = [0; 2];
        let got = self
            .memory
            .read_words(self.word(at), width, &mut words)
            .ok()?;
        if got < words.len() {
            return None;
        }
        self.address_at(words[0], (words[1] & 0xffff_ffff) as usize)
    }

    fn address_at(&self, addr: RemoteAddr, len: usize) -> Option<SocketName> {
        if addr == 0 {
            return None;
        }
        let mut bytes = [0; 128];
        let want = bytes.get_mut(..len.min(128))?;
        let got = self.memory.read(addr, want).ok()?;
        parse_address(bytes.get(..got)?)
    }
}

/// The directory from which the first path of a call starts, when it is relative.
pub fn base(row: &Row, call: &Call, tid: Tid, path: &[u8]) -> Option<Vec<u8>> {
    if path.first() == Some(&b'/') {
        return None;
    }
    let fd = row.params.iter().find_map(|param| match param.kind {
        Kind::Path(_) => Some(CURRENT_DIRECTORY),
        Kind::PathAt(at, _) => {
            let word = call.args.get(usize::from(at)).copied().unwrap_or(0);
            Some(((word & 0xffff_ffff) as u32).cast_signed())
        }
        _ => None,
    });
    directory(tid, fd?)
}

/// The directory that a descriptor stands for.
fn directory(tid: Tid, fd: i32) -> Option<Vec<u8>> {
    if fd == CURRENT_DIRECTORY {
        read_link(tid, "cwd")
    } else {
        read_link(tid, &format!("fd/{fd}"))
    }
}

fn name(name: SocketName) -> Arg<'static> {
    match name {
        SocketName::Inet(address) => Arg::Addr(address),
        SocketName::Unix(path) => Arg::Bytes(Cow::Owned(path)),
    }
}

/// Reads a `sockaddr`.
pub fn parse_address(bytes: &[u8]) -> Option<SocketName> {
    const UNIX: u16 = 1;
    const INET: u16 = 2;
    const INET6: u16 = 10;
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    match u16::from_ne_bytes(*family) {
        INET => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (ip, _) = rest.split_first_chunk::<4>()?;
            let ip = IpAddr::V4(Ipv4Addr::from(*ip));
            Some(SocketName::Inet(SocketAddr::new(
                ip,
                u16::from_be_bytes(*port),
            )))
        }
        INET6 => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (_flow, rest) = rest.split_first_chunk::<4>()?;
            let (ip, _) = rest.split_first_chunk::<16>()?;
            let ip = IpAddr::V6(Ipv6Addr::from(*ip));
            Some(SocketName::Inet(SocketAddr::new(
                ip,
                u16::from_be_bytes(*port),
            )))
        }
        UNIX => {
            // A path ends at its NUL; an abstract name begins with one and ends with the address.
            let path = match rest.split_first() {
                Some((0, _)) | None => rest,
                Some(_) => rest.split(|byte| *byte == 0).next().unwrap_or(rest),
            };
            Some(SocketName::Unix(path.to_vec()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sys::Abi;

    use super::*;
    use crate::table::rows;

    fn address_of<T: ?Sized>(value: &T) -> u64 {
        std::ptr::from_ref(value).cast::<u8>().addr() as u64
    }

    fn decode(call: &str, words: [u64; 6], outcome: Outcome) -> Args<'static> {
        let (_, row) = rows().find(|(_, row)| row.call == call).unwrap();
        let call = Call {
            abi: Abi::X86_64,
            number: 0,
            args: words,
        };
        args(row, (Tid::this(), &call), outcome, None)
    }

    #[test]
    fn openat_with_a_relative_path() {
        let here = std::env::current_dir().unwrap();
        let at = u64::from((-100_i32).cast_unsigned());
        let path = b"src/../x\0";
        let args = decode(
            "openat",
            [at, address_of(path), 0o101, 0o644, 0, 0],
            Outcome::Pending,
        );
        let Some(Arg::Path { raw, absolute }) = args.by_name("name") else {
            panic!("{args:?}");
        };
        assert_eq!(&**raw, b"src/../x");
        let expected = here.join("x").into_os_string().into_encoded_bytes();
        assert_eq!(absolute.as_deref(), Some(&*expected));
        assert_eq!(args.by_name("mode"), Some(&Arg::Mode(0o644)));
        assert_eq!(args.by_name("fd"), None);
        let args = decode(
            "openat",
            [at, address_of(path), 0, 0, 0, 0],
            Outcome::Returned(5),
        );
        assert_eq!(args.by_name("fd"), Some(&Arg::Fd(5)));
    }

    #[test]
    fn openat2_reads_its_structure() {
        let how = [0o2_u64, 0o600, 4];
        let path = b"/a\0";
        let args = decode(
            "openat2",
            [0, address_of(path), address_of(&how), 24, 0, 0],
            Outcome::Pending,
        );
        assert_eq!(args.by_name("flags"), Some(&Arg::Flags(2)));
        assert_eq!(args.by_name("resolve"), Some(&Arg::Flags(4)));
    }

    #[test]
    fn wild_pointers_leave_arguments_out() {
        for (_, row) in rows() {
            for wild in [0, 8, u64::MAX, 0x7fff_ffff_f000, 1 << 63] {
                let call = Call {
                    abi: Abi::X86_64,
                    number: 0,
                    args: [wild; 6],
                };
                let found = args(row, (Tid::this(), &call), Outcome::Pending, None);
                assert!(found.items.len() <= row.params.len());
            }
        }
    }

    #[test]
    fn addresses() {
        let v4 = [2, 0, 0, 80, 169, 254, 170, 2, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            parse_address(&v4),
            Some(SocketName::Inet("169.254.170.2:80".parse().unwrap()))
        );
        assert_eq!(parse_address(&v4[..5]), None);
        assert_eq!(parse_address(&[]), None);
        assert_eq!(
            parse_address(b"\x01\0/run/x\0junk"),
            Some(SocketName::Unix(b"/run/x".to_vec()))
        );
        assert_eq!(
            parse_address(b"\x01\0\0abs"),
            Some(SocketName::Unix(b"\0abs".to_vec()))
        );
    }
}
