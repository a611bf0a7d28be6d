//! Reads from a program file whether it needs anything else to run: an interpreter or a library.
//!
//! The same question as `readelf -d FILE | grep NEEDED`, without binutils on the machine.

use anyhow::{Context as _, bail};

const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;

/// What a program file asks of the machine besides the kernel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Whether the kernel must load an interpreter first.
    pub(crate) interpreter: bool,
    /// Number of shared libraries.
    pub(crate) libraries: usize,
}

impl Needs {
    /// Whether the program runs in an empty image.
    pub(crate) fn is_static(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads a 64-bit little-endian ELF file.
pub(crate) fn needs(file: &[u8]) -> anyhow::Result<Needs> {
    if file.get(..6) != Some(b"\x7fELF\x02\x01") {
        bail!("not a 64-bit little-endian ELF file");
    }
    let table = offset(file, 32)?;
    let entry_size = usize::from(u16_at(file, 54)?);
    let entries = usize::from(u16_at(file, 56)?);
    let mut needs = Needs::default();
    for index in 0..entries {
        let header = table + index * entry_size;
        match u32_at(file, header)? {
            PT_INTERP => needs.interpreter = true,
            PT_DYNAMIC => {
                let start = offset(file, header + 8)?;
                let size = offset(file, header + 32)?;
                needs.libraries += libraries(file, start, size)?;
            }
            _ => {}
        }
    }
    Ok(needs)
}

fn libraries(file: &[u8], start: usize, size: usize) -> anyhow::Result<usize> {
    let mut count = 0;
    for at in (start..start.saturating_add(size)).step_by(16) {
        match u64_at(file, at)? {
            DT_NEEDED => count += 1,
            DT_NULL => break,
            _ => {}
        }
    }
    Ok(count)
}

fn offset(file: &[u8], at: usize) -> anyhow::Result<usize> {
    usize::try_from(u64_at(file, at)?).context("an offset does not fit this machine")
}

fn bytes<const N: usize>(file: &[u8], at: usize) -> anyhow::Result<[u8; N]> {
    file.get(at..at.saturating_add(N))
        .and_then(|slice| slice.try_into().ok())
        .with_context(|| format!("the file ends before byte {at}"))
}

fn u16_at(file: &[u8], at: usize) -> anyhow::Result<u16> {
    bytes(file, at).map(u16::from_le_bytes)
}

fn u32_at(file: &[u8], at: usize) -> anyhow::Result<u32> {
    bytes(file, at).map(u32::from_le_bytes)
}

fn u64_at(file: &[u8], at: usize) -> anyhow::Result<u64> {
    bytes(file, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one program header of type `kind` that covers the dynamic section `tags`.
    fn elf(kind: u32, tags: &[u64]) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[32..40].copy_from_slice(&64_u64.to_le_bytes());
        file[54..56].copy_from_slice(&56_u16.to_le_bytes());
        file[56..58].copy_from_slice(&1_u16.to_le_bytes());
        file[64..68].copy_from_slice(&kind.to_le_bytes());
        file[72..80].copy_from_slice(&120_u64.to_le_bytes());
        file[96..104].copy_from_slice(&(tags.len() as u64 * 16).to_le_bytes());
        for tag in tags {
            file.extend(tag.to_le_bytes());
            file.extend([0; 8]);
        }
        file
    }

    #[test]
    fn libraries_are_counted_up_to_the_end_mark() {
        let found = needs(&elf(
            PT_DYNAMIC,
            &[DT_NEEDED, 5, DT_NEEDED, DT_NULL, DT_NEEDED],
        ));
        assert_eq!(found.unwrap().libraries, 2);
    }

    #[test]
    fn an_interpreter_is_a_need() {
        assert!(!needs(&elf(PT_INTERP, &[])).unwrap().is_static());
        assert!(needs(&elf(PT_DYNAMIC, &[5, DT_NULL])).unwrap().is_static());
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let whole = elf(PT_DYNAMIC, &[DT_NEEDED, DT_NULL]);
        for length in 0..whole.len() - 16 {
            assert!(needs(&whole[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_script_is_an_error() {
        assert!(needs(b"#!/bin/sh\n").is_err());
    }
}
