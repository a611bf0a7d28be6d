//! Images that are given by file, and lookups with a progress bar.

use std::collections::BTreeSet;
use std::fs;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::AgentFlags;
use crate::image::{ImageConfig, ImageRequest, Images};
use crate::registry::{self, RegistrySettings};

/// Reads the configurations that were given.
pub(super) fn given(flags: &AgentFlags) -> Result<Images, String> {
    let mut images = Images::default();
    for (image, path) in &flags.image_config {
        let bytes = fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let config = ImageConfig::from_json(&bytes).map_err(|error| format!("{path}: {error}"))?;
        images.give(image, config);
    }
    Ok(images)
}

/// Looks images up and notes what was found.
pub(super) fn look(
    needs: BTreeSet<ImageRequest>,
    settings: &RegistrySettings,
    images: &mut Images,
) -> Result<(), String> {
    if needs.is_empty() {
        return Ok(());
    }
    let bar = progress(needs.len(), "images");
    let answers = registry::lookup(needs, settings, &mut |request| {
        bar.set_message(request.image.clone());
        bar.inc(1);
    });
    bar.finish_and_clear();
    for (request, result) in answers.map_err(|error| error.to_string())? {
        images.note(request, result);
    }
    Ok(())
}

/// A bar on standard error; none when that is no terminal, or when there is little to wait for.
pub(super) fn progress(count: usize, what: &'static str) -> ProgressBar {
    let target = if count > 1 {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(count as u64), target);
    let template = ProgressStyle::with_template("{prefix:>8} [{bar:30}] {pos}/{len} {wide_msg}");
    if let Ok(style) = template {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(what);
    bar
}
