//! Templates of public repositories.

use std::fs;
use std::path::PathBuf;

use patcher::image::Images;
use patcher::options::Options;
use patcher::patch::patch;
use patcher::unpatch::{How, unpatch};

#[test]
fn there_and_back() {
    for dir in ["/work/shared/data/cfn", "/tmp/y"] {
        for entry in fs::read_dir(PathBuf::from(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "tsv") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let mut options = Options::new("agent:1");
            options.allow_unresolved = true;
            options.all_launch_types = true;
            options.parameterize = text.len() % 2 == 0;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let patched = match patch(&text, &options, &Images::default()) {
                Err(e) => {
                    println!("{name}: {e}");
                    continue;
                }
                Ok(p) => p,
            };
            let Some(new) = patched.text else {
                println!("{name}: unchanged {:?}", patched.plan.problems);
                continue;
            };
            assert_eq!(
                patch(&new, &options, &Images::default()).unwrap().text,
                None,
                "{name}"
            );
            let back = unpatch(&new, "SysdigInstrumentation").unwrap();
            assert_eq!(back.text, Some((text.clone(), How::Exact)), "{name}");
            // edited:
            let edited = new.replacen("agent:1", "agent:2", 1);
            let back = unpatch(&edited, "SysdigInstrumentation").unwrap();
            let (t, how) = back.text.unwrap();
            assert_eq!(how, How::Shape);
            if t != text {
                println!("{name}: shape differs\n");
                for l in similar::TextDiff::from_lines(&text, &t)
                    .unified_diff()
                    .to_string()
                    .lines()
                {
                    println!("   {l}");
                }
            }
            let record = new.find("workload-agent.record").unwrap();
            println!(
                "{name}: {} -> {}, record {}",
                text.len(),
                new.len(),
                new[record..].lines().next().unwrap().len()
            );
            options.sidecar.image = "agent:2".into();
            let updated = patch(&new, &options, &Images::default())
                .unwrap()
                .text
                .unwrap();
            assert_eq!(
                unpatch(&updated, "SysdigInstrumentation").unwrap().text,
                Some((text, How::Exact)),
                "{name}"
            );
        }
    }
}
