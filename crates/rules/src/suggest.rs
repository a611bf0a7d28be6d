//! Names that were probably meant.

/// The known name that is nearest to `word`, when it is near enough to be a slip.
pub(crate) fn suggestion<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer than any name; comparing it with all of them would only cost time.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.len() / 3).clamp(1, 3);
    let own = letters(word);
    // A change of one letter adds one to the set of letters and takes one away.
    let is_near = |name: &str| (letters(name) ^ own).count_ones() as usize <= 2 * allowed;
    known
        .into_iter()
        .filter(|name| name.len().abs_diff(word.len()) <= allowed && *name != word)
        .filter(|name| is_near(name))
        .filter_map(|name| Some((distance(word.as_bytes(), name.as_bytes(), allowed)?, name)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The set of letters of a word; different ones may share a place.
fn letters(word: &str) -> u64 {
    word.bytes()
        .map(|byte| 1_u64 << (byte.to_ascii_lowercase() % 64))
        .fold(0, |set, letter| set | letter)
}

/// How many letters must be added, taken away, changed or swapped with their neighbour, when that
/// is not more than `allowed`. Most words are given up after a few letters.
fn distance(a: &[u8], b: &[u8], allowed: usize) -> Option<usize> {
    let width = b.len() + 1;
    let mut before_last = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..width {
            let same = usize::from(!a[i - 1].eq_ignore_ascii_case(&b[j - 1]));
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            let is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if is_swap {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        // A swap goes back two rows: only when both are beyond it can no later one come back.
        let is_beyond = |row: &[usize]| row.iter().all(|distance| *distance > allowed);
        if is_beyond(&row) && is_beyond(&last) {
            return None;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    Some(last[width - 1]).filter(|distance| *distance <= allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["proc.name", "proc.pname", "fd.name"];
        assert_eq!(suggestion("proc.nmae", known), Some("proc.name"));
        assert_eq!(suggestion("pro.name", known), Some("proc.name"));
        assert_eq!(suggestion("evt.type", known), None);
        assert_eq!(suggestion(&"x".repeat(1000), known), None);
    }
}
