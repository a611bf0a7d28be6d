//! Memory of a traced process.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;

use crate::Tid;

/// An address in a traced process. Never dereferenced here.
pub type RemoteAddr = u64;

const PAGE: u64 = 4096;

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

    /// Reads up to `buf.len()` bytes; returns how many there were before the first unmapped page.
    ///
    /// Every page is its own remote segment, so that an unmapped page ends the read instead of
    /// failing it. When the fast call is refused (a process that changed its user while the tracer
    /// lacks `CAP_SYS_PTRACE`), `/proc/TID/mem` is tried.
    pub fn read(self, addr: RemoteAddr, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut done = 0;
        while done < buf.len() {
            let at = addr.wrapping_add(done as u64);
            match self.read_pages(at, &mut buf[done..]) {
                // Every page before the first that is not there.
                Ok((got, wanted)) if got < wanted => {
                    done += got;
                    break;
                }
                Ok((got, _)) => done += got,
                Err(Errno::EPERM) => return self.read_through_proc(addr, buf),
                Err(_) if done > 0 => break,
                Err(errno) => return Err(errno),
            }
        }
        Ok(done)
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
        file.read_at(buf, addr).map_err(|e| errno_of(&e))
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
