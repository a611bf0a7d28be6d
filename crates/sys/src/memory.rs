//! Memory of a traced process.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;

use crate::Tid;

/// An address in a traced process. Never dereferenced here.
pub type RemoteAddr = u64;

const PAGE: u64 = 4096;

/// Programs may put tags into the highest byte of an address (top byte ignore on 64-bit ARM, linear
/// address masking on x86), which is no part of a file's offset.
const WITHOUT_TAG: u64 = (1 << 56) - 1;

/// The memory of the process that a stopped thread belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    tid: Tid,
}

impl Memory {
    /// The memory that `tid` sees. Reading is harmless whatever the thread does meanwhile; what is
    /// read from a running thread may be torn.
    pub const fn of(tid: Tid) -> Self {
        Self { tid }
    }

    /// Reads up to `buf.len()` bytes; returns how many there were before the first page that nobody
    /// can read.
    ///
    /// The fast call is refused for a process that changed its user while the tracer lacks
    /// `CAP_SYS_PTRACE`, and it does not read pages that are mapped for writing or executing only,
    /// although the kernel reads arguments there: then `/proc/TID/mem` is tried.
    pub fn read(self, addr: RemoteAddr, buf: &mut [u8]) -> Result<usize, Errno> {
        let (done, failure) = self.read_readable(addr, buf);
        let Some(errno @ (Errno::EFAULT | Errno::EPERM)) = failure else {
            return failure.map_or(Ok(done), Err);
        };
        let rest = buf.get_mut(done..).unwrap_or_default();
        match self.read_through_proc(addr.wrapping_add(done as u64), rest) {
            Ok(more) if done + more > 0 => Ok(done + more),
            Ok(_) | Err(_) if done > 0 => Ok(done),
            Err(refused) if errno == Errno::EPERM => Err(refused),
            Ok(_) | Err(_) => Err(errno),
        }
    }

    /// As [`Self::read`], up to the first page that is unmapped or may not be read: for memory into
    /// which the program did not put anything yet. Saves looking behind its end.
    pub fn read_fresh(self, addr: RemoteAddr, buf: &mut [u8]) -> Result<usize, Errno> {
        match self.read_readable(addr, buf) {
            (0, Some(Errno::EPERM)) => self.read_through_proc(addr, buf),
            (0, Some(errno)) => Err(errno),
            (done, _) => Ok(done),
        }
    }

    /// Every page is its own remote segment, so that an unmapped page ends the read instead of
    /// failing it. Gives back how many bytes there were, and what came in the way of more.
    fn read_readable(self, addr: RemoteAddr, buf: &mut [u8]) -> (usize, Option<Errno>) {
        let mut done = 0;
        while done < buf.len() {
            let at = addr.wrapping_add(done as u64);
            match self.read_pages(at, &mut buf[done..]) {
                // Every page before the first that is not there.
                Ok((got, wanted)) if got < wanted => return (done + got, Some(Errno::EFAULT)),
                Ok((got, _)) => done += got,
                Err(errno) => return (done, Some(errno)),
            }
        }
        (done, None)
    }

    /// One call: at most eight pages. Gives back how many bytes there were, and how many it asked
    /// for.
    fn read_pages(self, addr: RemoteAddr, buf: &mut [u8]) -> Result<(usize, usize), Errno> {
        let mut remote = [libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        }; 8];
        let mut count = 0;
        let mut wanted = 0;
        while count < remote.len() && wanted < buf.len() {
            let at = addr.wrapping_add(wanted as u64);
            let to_page_end = usize::try_from(PAGE - at % PAGE).unwrap_or(1);
            let len = to_page_end.min(buf.len() - wanted);
            remote[count] = libc::iovec {
                iov_base: std::ptr::without_provenance_mut(usize::try_from(at).unwrap_or(0)),
                iov_len: len,
            };
            wanted += len;
            count += 1;
        }
        let local = libc::iovec {
            iov_base: buf.as_mut_ptr().cast(),
            iov_len: wanted,
        };
        // SAFETY: `local` covers `wanted <= buf.len()` writable bytes of `buf`, which outlives the
        // call; the remote addresses are only interpreted by the kernel in the other process.
        let rc = unsafe {
            libc::process_vm_readv(
                self.tid.0,
                &raw const local,
                1,
                remote.as_ptr(),
                count as libc::c_ulong,
                0,
            )
        };
        let got = usize::try_from(rc).map_err(|_| Errno::last())?;
        Ok((got, wanted))
    }

    fn read_through_proc(self, addr: RemoteAddr, buf: &mut [u8]) -> Result<usize, Errno> {
        let file = File::open(format!("/proc/{}/mem", self.tid)).map_err(|e| errno_of(&e))?;
        file.read_at(buf, addr & WITHOUT_TAG)
            .map_err(|e| errno_of(&e))
    }

    /// Reads a NUL-terminated string of at most `max` bytes into `out`, replacing what was there.
    /// Returns false when it was cut: no NUL within `max` bytes or readable memory.
    pub fn read_string(
        self,
        addr: RemoteAddr,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Errno> {
        out.clear();
        while out.len() < max {
            let done = out.len();
            let at = addr.wrapping_add(done as u64);
            let to_page_end = usize::try_from(PAGE - at % PAGE).unwrap_or(1);
            // Most strings are short, and pinning a page costs the same for 1 byte as for all.
            let mut piece = [0; 256];
            let want = to_page_end.min(max - done).min(piece.len());
            let got = match self.read(at, &mut piece[..want]) {
                Ok(n) => n,
                Err(errno) if done == 0 => return Err(errno),
                Err(_) => 0,
            };
            let end = piece[..got].iter().position(|b| *b == 0);
            out.extend_from_slice(&piece[..end.unwrap_or(got)]);
            if end.is_some() {
                return Ok(true);
            }
            if got < want {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Reads a word of the process: 8 bytes, or 4 when it is a 32-bit program.
    pub fn read_words(
        self,
        addr: RemoteAddr,
        width: usize,
        out: &mut [u64],
    ) -> Result<usize, Errno> {
        let mut bytes = [0_u8; 512];
        let want = (out.len() * width).min(bytes.len());
        let got = self.read(addr, &mut bytes[..want])?;
        let mut count = 0;
        for (slot, chunk) in out.iter_mut().zip(bytes[..got].chunks_exact(width)) {
            let mut word = [0_u8; 8];
            word[..width].copy_from_slice(chunk);
            *slot = u64::from_le_bytes(word);
            count += 1;
        }
        Ok(count)
    }

    /// Writes all of `bytes`, or nothing that matters.
    pub fn write(self, addr: RemoteAddr, bytes: &[u8]) -> Result<(), Errno> {
        let local = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        let remote = libc::iovec {
            iov_base: std::ptr::without_provenance_mut(usize::try_from(addr).unwrap_or(0)),
            iov_len: bytes.len(),
        };
        // SAFETY: `local` covers exactly `bytes`, which the kernel only reads; the remote address
        // is interpreted in the other process.
        let rc = unsafe {
            libc::process_vm_writev(self.tid.0, &raw const local, 1, &raw const remote, 1, 0)
        };
        match usize::try_from(rc) {
            Ok(n) if n == bytes.len() => Ok(()),
            Ok(_) => Err(Errno::EFAULT),
            Err(_) => Err(Errno::last()),
        }
    }
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

#[cfg(test)]
mod tests {
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

    use super::*;

    fn addr_of(bytes: &[u8]) -> RemoteAddr {
        bytes.as_ptr().addr() as u64
    }

    #[test]
    fn reads_a_string_of_our_own() {
        let text = b"/etc/passwd\0tail".to_vec();
        let mut out = Vec::new();
        let whole = Memory::of(Tid::this())
            .read_string(addr_of(&text), 4096, &mut out)
            .unwrap();
        assert!(whole);
        assert_eq!(out, b"/etc/passwd");
    }

    #[test]
    fn a_long_string_is_cut_at_the_limit() {
        let mut text = vec![b'a'; 10_000];
        text.push(0);
        let mut out = Vec::new();
        let memory = Memory::of(Tid::this());
        assert!(!memory.read_string(addr_of(&text), 4096, &mut out).unwrap());
        assert_eq!(out.len(), 4096);
        assert!(
            memory
                .read_string(addr_of(&text), 20_000, &mut out)
                .unwrap()
        );
        assert_eq!(out.len(), 10_000);
    }

    #[test]
    fn an_unmapped_address_is_an_error() {
        let mut out = vec![1];
        let read = Memory::of(Tid::this()).read_string(8, 64, &mut out);
        assert_eq!(read, Err(Errno::EFAULT));
        assert!(out.is_empty());
    }

    #[test]
    fn pages_that_may_only_be_written_are_read() {
        let len = 2 * usize::try_from(PAGE).unwrap();
        let size = std::num::NonZeroUsize::new(len).unwrap();
        let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new anonymous mapping touches no memory of anybody.
        let map = unsafe { mmap_anonymous(None, size, both, MapFlags::MAP_PRIVATE) }.unwrap();
        // SAFETY: the mapping is `len` writable bytes, which nobody else knows of.
        let bytes = unsafe { std::slice::from_raw_parts_mut(map.as_ptr().cast::<u8>(), len) };
        let middle = len / 2;
        let text = b"/etc/passwd\0";
        bytes[..text.len()].copy_from_slice(text);
        bytes[middle - 4..middle - 4 + text.len()].copy_from_slice(text);
        let (whole, split) = (addr_of(&bytes[..1]), addr_of(&bytes[middle - 4..]));
        let protect = |from: usize, protection| {
            let start = map.map_addr(|at| at.checked_add(from).unwrap());
            // SAFETY: a page of the mapping, whose memory is not touched from here on.
            unsafe { mprotect(start, middle, protection) }.unwrap();
        };
        protect(middle, ProtFlags::PROT_WRITE);
        let memory = Memory::of(Tid::this());
        let mut read = [0; 11];
        assert_eq!(memory.read(split, &mut read), Ok(11));
        assert_eq!(&read, b"/etc/passwd");
        assert_eq!(memory.read_fresh(split, &mut read), Ok(4));
        protect(0, ProtFlags::PROT_WRITE);
        for at in [whole, split] {
            let mut out = Vec::new();
            assert_eq!(memory.read_string(at, 64, &mut out), Ok(true));
            assert_eq!(out, b"/etc/passwd");
        }
        // SAFETY: nothing refers to the mapping any more.
        unsafe { munmap(map, len) }.unwrap();
    }

    #[test]
    fn words_have_the_width_of_the_program() {
        let words: Vec<u8> = [1_u32, 2, 3, 0]
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        let mut out = [0_u64; 4];
        let memory = Memory::of(Tid::this());
        assert_eq!(memory.read_words(addr_of(&words), 4, &mut out).unwrap(), 4);
        assert_eq!(out, [1, 2, 3, 0]);
    }
}
