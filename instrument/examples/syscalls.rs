//! Prints `docs/syscalls.md`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(instrument::table::page().as_bytes())
}
