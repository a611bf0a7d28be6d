//! Runs everything in rounds and turns the costs into ratios, a table and files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chart;
use crate::launch::{self, Launch};
use crate::measure::{Cost, Spread};
use crate::options::Options;
use crate::variant::{self, Variant};
use crate::workload::{self, Workload};

/// Everything that is measured in one run.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    options: &'a Options,
    variants: Vec<Variant>,
    workloads: Vec<Workload>,
    missing: Vec<String>,
    /// Holds the workloads' files and the alerts.
    _scratch: TempDir,
}

/// One workload under one variant.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Wall time, as a ratio to native.
    pub(crate) wall: Spread,
    /// Processor time of workload and tracer, as a ratio to native.
    pub(crate) cpu: Spread,
}

/// One workload.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: String,
    /// Budget for the wall ratio.
    pub(crate) budget: Option<f64>,
    /// Median native wall time, seconds (per request for servers).
    pub(crate) native: f64,
    /// A cell for each variant but the native one.
    pub(crate) cells: Vec<Cell>,
}

/// All results.
#[derive(Debug)]
pub(crate) struct Report {
    /// Names of the variants but the native one, and what they are.
    pub(crate) variants: Vec<(&'static str, String)>,
    /// The workloads.
    pub(crate) rows: Vec<Row>,
    /// Rounds measured.
    pub(crate) rounds: usize,
    launches: Vec<Launch>,
    size: u64,
    missing: Vec<String>,
}

impl<'a> Bench<'a> {
    /// Looks at what the machine has and prepares the files.
    pub(crate) fn new(options: &'a Options) -> Result<Self, String> {
        let scratch = TempDir::new().map_err(|error| format!("no scratch directory: {error}"))?;
        let alerts = scratch.path().join("alerts.json");
        let (variants, mut missing) = variant::all(&options.instrument, &alerts)?;
        let (workloads, lacking) = workload::all(options, scratch.path())?;
        missing.extend(lacking);
        Ok(Self {
            options,
            variants,
            workloads,
            missing,
            _scratch: scratch,
        })
    }

    /// Measures. The first round only warms caches.
    pub(crate) fn run(&self) -> Result<Report, String> {
        let mut rows = Vec::new();
        for workload in &self.workloads {
            crate::say(&format!("{:<11} {}", workload.name, workload.about));
            rows.push(self.row(workload)?);
        }
        let named = |variant: &Variant| (variant.name, variant.about.clone());
        Ok(Report {
            variants: self.variants[1..].iter().map(named).collect(),
            rows,
            rounds: self.options.rounds,
            launches: launch::all(&self.variants)?,
            size: launch::size(&self.options.instrument)?,
            missing: self.missing.clone(),
        })
    }

    fn row(&self, workload: &Workload) -> Result<Row, String> {
        let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); self.variants.len()];
        for round in 0..=self.options.rounds {
            for step in 0..self.variants.len() {
                // Each round starts with another variant, so that none always comes first.
                let index = (step + round) % self.variants.len();
                let cost = workload.run(&self.variants[index])?;
                if round > 0 {
                    costs[index].push(cost);
                }
            }
        }
        let native = costs.remove(0);
        let ratios = |costs: &[Cost], of: fn(&Cost) -> f64| {
            let each = costs
                .iter()
                .zip(&native)
                .map(|(one, base)| of(one) / of(base));
            Spread::of(each.collect()).ok_or_else(|| "no rounds".to_owned())
        };
        let cells = costs.iter().map(|costs| {
            Ok(Cell {
                wall: ratios(costs, |cost| cost.wall)?,
                cpu: ratios(costs, |cost| cost.cpu)?,
            })
        });
        let walls = native.iter().map(|cost| cost.wall).collect();
        Ok(Row {
            name: workload.name,
            about: workload.about.clone(),
            budget: workload.budget,
            native: Spread::of(walls).ok_or("no rounds")?.median,
            cells: cells.collect::<Result<_, String>>()?,
        })
    }
}

impl Report {
    /// The table that people read.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\nRatios to native: median (smallest–largest) of {} rounds. First line wall time, \
             second line processor time\nof workload and tracer together.\n\n{:<11}",
            self.rounds, "workload"
        );
        for (name, _) in &self.variants {
            text.push_str(&pad(name, 20));
        }
        text.push_str("  budget\n");
        for row in &self.rows {
            for (label, of) in [
                (row.name, (|cell: &Cell| cell.wall) as fn(&Cell) -> Spread),
                ("", |cell| cell.cpu),
            ] {
                text.push_str(label);
                text.push_str(&pad("", 11 - label.chars().count()));
                for cell in &row.cells {
                    text.push_str(&pad(&spread(of(cell)), 20));
                }
                let budget = row.budget.filter(|_| !label.is_empty());
                text.push_str(&budget.map_or_else(String::new, |limit| format!("  ≤ {limit}")));
                text.push('\n');
            }
        }
        text.push('\n');
        for line in self.notes() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn notes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for launch in &self.launches {
            let Spread { median, low, high } = launch.milliseconds;
            let resident = launch.resident.map_or_else(
                || "unknown".to_owned(),
                |kib| format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024),
            );
            lines.push(format!(
                "{}: launch to main {median:.1} ms ({low:.1}–{high:.1}; native {:.1} ms), \
                 resident {resident}",
                launch.name, launch.native.median
            ));
        }
        lines.push(format!("size of the program: {} bytes", self.size));
        lines.extend(
            self.variants
                .iter()
                .map(|(name, about)| format!("{name}: {about}")),
        );
        lines.extend(
            self.missing
                .iter()
                .map(|line| format!("not measured: {line}")),
        );
        lines
    }

    /// Writes `tracer.json` and `tracer.svg`.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), String> {
        let put = |name: &str, text: String| {
            let path: PathBuf = directory.join(name);
            fs::write(&path, text).map_err(|error| format!("`{}`: {error}", path.display()))
        };
        fs::create_dir_all(directory)
            .map_err(|error| format!("`{}`: {error}", directory.display()))?;
        put("tracer.json", format!("{:#}\n", self.json()))?;
        let picture = chart::draw(self).map_err(|error| error.to_string())?;
        put("tracer.svg", picture)
    }

    fn json(&self) -> Value {
        let spread = |s: Spread| json!({"median": s.median, "min": s.low, "max": s.high});
        let rows = self.rows.iter().map(|row| {
            let cells = self.variants.iter().zip(&row.cells).map(|((name, _), cell)| {
                json!({"variant": name, "wall": spread(cell.wall), "cpu": spread(cell.cpu)})
            });
            json!({
                "workload": row.name,
                "about": row.about,
                "budget": row.budget,
                "native_seconds": row.native,
                "ratios": cells.collect::<Vec<_>>(),
            })
        });
        let launches = self.launches.iter().map(|launch| {
            json!({
                "variant": launch.name,
                "milliseconds": spread(launch.milliseconds),
                "native_milliseconds": spread(launch.native),
                "resident_kib": launch.resident,
            })
        });
        json!({
            "rounds": self.rounds,
            "variants": self.variants.iter().map(|(name, about)| json!({"name": name, "about": about})).collect::<Vec<_>>(),
            "workloads": rows.collect::<Vec<_>>(),
            "launch": launches.collect::<Vec<_>>(),
            "program_bytes": self.size,
            "not_measured": self.missing,
        })
    }
}

fn spread(value: Spread) -> String {
    let digits = usize::from(value.median < 10.0) + usize::from(value.median < 3.0);
    format!(
        "{:.digits$} ({:.digits$}–{:.digits$})",
        value.median, value.low, value.high
    )
}

/// Pads by characters: `–` is one column and three bytes.
fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    " ".repeat(missing) + text
}
