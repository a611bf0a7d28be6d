//! The end-to-end scenarios.
#![forbid(unsafe_code)]

#[test]
fn programs_are_found_beside_the_tests() {
    let directory = e2e::config::program_directory().unwrap();
    assert!(
        directory.join("with-dockerd").is_file(),
        "{}",
        directory.display()
    );
}
