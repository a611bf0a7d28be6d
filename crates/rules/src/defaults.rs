//! The rules that are compiled in.

use crate::Source;

/// The default rules for Fargate, as files in the order in which they are loaded.
pub fn default_rules() -> Vec<Source> {
    vec![Source {
        name: "fargate.yaml".to_owned(),
        text: include_str!("../default/fargate.yaml").to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use crate::RuleSet;

    #[test]
    fn the_default_rules_load_without_a_doubt() {
        let rules = RuleSet::load(&super::default_rules()).unwrap_or_else(|d| panic!("{d}"));
        assert!(rules.warnings().is_empty(), "{}", rules.warnings());
        assert!(rules.enabled() >= 25);
    }
}
