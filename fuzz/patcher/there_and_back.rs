//! What both targets do with a text.

use patcher::image::Images;
use patcher::options::Options;
use patcher::patch::patch;
use patcher::source::{Document, Format};
use patcher::unpatch::{How, unpatch};

/// Reads a text; a template is patched, patched again, and given back.
pub(crate) fn run(text: &str, format: Format) {
    let Ok(document) = Document::read(text) else { return };
    if document.format != format {
        return;
    }
    let mut options = Options::new("agent");
    options.allow_unresolved = true;
    options.all_launch_types = true;
    // A refusal is an answer; what is not refused must hold.
    let Ok(patched) = patch(text, &options, &Images::default()) else { return };
    let Some(new) = patched.text else { return };
    let again = patch(&new, &options, &Images::default()).expect("a patched text can be read");
    assert_eq!(again.text, None, "a second run changes something");
    // A text that came with a record is given back as that record says.
    if !text.contains("workload-agent.record") {
        let back = unpatch(&new, &options.sidecar.name).expect("a patched text can be read");
        assert_eq!(back.text, Some((text.to_owned(), How::Exact)));
    }
}
