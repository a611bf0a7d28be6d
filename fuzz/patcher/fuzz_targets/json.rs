//! The JSON reader: no text makes it panic, and what it reads is patched and given back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patcher::source::Format;

#[path = "../there_and_back.rs"]
mod there_and_back;

fuzz_target!(|text: &str| there_and_back::run(text, Format::Json));
