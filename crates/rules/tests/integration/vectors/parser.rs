//! `filter_parser.jsonl`: what the grammar takes. Names of fields do not matter there.

use rules::parses;
use serde::Deserialize;

use super::{Score, vectors};

#[derive(Deserialize)]
struct Case {
    input: String,
    expect: String,
}

#[test]
fn the_grammar_takes_what_upstreams_takes() {
    let Some(cases) = vectors::<Case>("the_grammar_takes_what_upstreams_takes", "filter_parser")
    else {
        return;
    };
    let mut score = Score::default();
    for case in cases {
        let accepted = parses(&case.input);
        score.add(accepted == (case.expect == "accept"), || {
            format!("{} `{}`", case.expect, case.input)
        });
    }
    score.finish("filter_parser", 99);
}
