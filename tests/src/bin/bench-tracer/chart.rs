//! Draws the ratios as bars: one group for each workload, one bar for each way to start it.
//!
//! The axis is logarithmic, because 1.1 and 13 are both worth seeing; bars start at native. Colours
//! keep apart for people who see them differently, and hold on light and on dark backgrounds.

use std::fmt::{self, Write as _};

use crate::report::{Cell, Report, Row};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 118.0;
const BAR: f64 = 9.0;
const GAP: f64 = 3.0;
const BETWEEN: f64 = 17.0;

const FONT: &str = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\"";
const INK: &str = "#24292f";
const PALE: &str = "#6e7781";
const GRID: &str = "#d8dee4";
const BUDGET: &str = "#bf3989";

/// A complete SVG document.
pub(crate) fn draw(report: &Report) -> Result<String, fmt::Error> {
    let mut text = String::new();
    Chart::of(report).write(&mut text)?;
    Ok(text)
}

struct Chart<'a> {
    report: &'a Report,
    /// Ratios at both ends of the axis.
    low: f64,
    high: f64,
}

impl<'a> Chart<'a> {
    fn of(report: &'a Report) -> Self {
        let medians = report
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().map(|cell| cell.wall.median))
            .chain(report.rows.iter().filter_map(|row| row.budget));
        let high = medians.fold(2.0, f64::max) * 1.15;
        Self {
            report,
            low: 0.8,
            high,
        }
    }

    /// Horizontal place of a ratio.
    fn x(&self, ratio: f64) -> f64 {
        let share =
            (ratio.clamp(self.low, self.high) / self.low).ln() / (self.high / self.low).ln();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn group(&self) -> f64 {
        let bars = u32::try_from(self.report.variants.len()).unwrap_or(1);
        f64::from(bars) * (BAR + GAP) + BETWEEN
    }

    fn bottom(&self) -> f64 {
        let rows = u32::try_from(self.report.rows.len()).unwrap_or(1);
        TOP + f64::from(rows) * self.group()
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let height = self.bottom() + 62.0;
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             width=\"{WIDTH}\" height=\"{height}\" {FONT}>"
        )?;
        writeln!(
            out,
            "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\"/>"
        )?;
        label(
            out,
            (28.0, 40.0),
            "What tracing costs",
            "font-size=\"21\" font-weight=\"600\"",
        )?;
        let about = format!(
            "wall time as a multiple of native, median of {} interleaved rounds; \
             thin lines: smallest to largest",
            self.report.rounds
        );
        label(
            out,
            (28.0, 62.0),
            &about,
            &format!("font-size=\"13\" fill=\"{PALE}\""),
        )?;
        self.legend(out)?;
        self.axis(out)?;
        for (index, row) in (0_u32..).zip(&self.report.rows) {
            self.row(out, TOP + f64::from(index) * self.group(), row)?;
        }
        writeln!(out, "</svg>")
    }

    fn legend(&self, out: &mut String) -> fmt::Result {
        let mut x = 28.0;
        for (index, (name, _)) in self.report.variants.iter().enumerate() {
            let colour = colour(index, name);
            writeln!(
                out,
                "<rect x=\"{x:.0}\" y=\"78\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>"
            )?;
            label(out, (x + 18.0, 89.0), name, "font-size=\"13\"")?;
            x += 46.0 + 7.4 * f64::from(u32::try_from(name.len()).unwrap_or(0));
        }
        writeln!(
            out,
            "<line x1=\"{x:.0}\" x2=\"{x:.0}\" y1=\"77\" y2=\"91\" stroke=\"{BUDGET}\" \
             stroke-width=\"2\"/>"
        )?;
        label(
            out,
            (x + 9.0, 89.0),
            "budget of instrument",
            "font-size=\"13\"",
        )?;
        x += 170.0;
        writeln!(
            out,
            "<circle cx=\"{x:.0}\" cy=\"84\" r=\"3\" fill=\"#ffffff\" stroke=\"{INK}\"/>"
        )?;
        label(out, (x + 10.0, 89.0), "processor time", "font-size=\"13\"")
    }

    fn axis(&self, out: &mut String) -> fmt::Result {
        let bottom = self.bottom();
        for ratio in [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0] {
            if ratio > self.high {
                break;
            }
            let x = self.x(ratio);
            let (colour, width) = if ratio > 1.0 {
                (GRID, 1.0)
            } else {
                (PALE, 1.4)
            };
            writeln!(
                out,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\" \
                 stroke=\"{colour}\" stroke-width=\"{width}\"/>",
                TOP - 8.0
            )?;
            let style = format!("font-size=\"12\" text-anchor=\"middle\" fill=\"{PALE}\"");
            label(out, (x, bottom + 18.0), &format!("{ratio}×"), &style)?;
        }
        let style = format!("font-size=\"12\" fill=\"{PALE}\"");
        label(
            out,
            (28.0, bottom + 44.0),
            "Shorter is better; 1× is the program alone.",
            &style,
        )
    }

    fn row(&self, out: &mut String, top: f64, row: &Row) -> fmt::Result {
        let bars = self.group() - BETWEEN;
        let middle = top + bars / 2.0;
        let style = "font-size=\"14\" font-weight=\"600\" text-anchor=\"end\"";
        label(out, (LEFT - 22.0, middle - 1.0), row.name, style)?;
        let native = format!("native {}", seconds(row.native));
        let style = format!("font-size=\"11\" text-anchor=\"end\" fill=\"{PALE}\"");
        label(out, (LEFT - 22.0, middle + 14.0), &native, &style)?;
        for (index, cell) in row.cells.iter().enumerate() {
            let name = self.report.variants.get(index).map_or("", |one| one.0);
            let y = top + f64::from(u32::try_from(index).unwrap_or(0)) * (BAR + GAP);
            self.bar(out, y, cell, (name, colour(index, name)))?;
        }
        if let Some(budget) = row.budget {
            let x = self.x(budget);
            writeln!(
                out,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"{BUDGET}\" \
                 stroke-width=\"2\"/>",
                top - 3.0,
                top + bars
            )?;
        }
        Ok(())
    }

    fn bar(
        &self,
        out: &mut String,
        y: f64,
        cell: &Cell,
        (name, colour): (&str, &str),
    ) -> fmt::Result {
        let wall = cell.wall;
        let (zero, end) = (self.x(1.0), self.x(wall.median));
        let (left, width) = (zero.min(end), (end - zero).abs().max(1.5));
        writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"1.5\" \
             fill=\"{colour}\"><title>{name}: {:.2}× ({:.2}–{:.2})</title></rect>",
            wall.median, wall.low, wall.high
        )?;
        let (from, to, line) = (self.x(wall.low), self.x(wall.high), y + BAR / 2.0);
        writeln!(
            out,
            "<line x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{line:.1}\" y2=\"{line:.1}\" \
             stroke=\"{INK}\" stroke-opacity=\"0.45\" stroke-width=\"1\"/>"
        )?;
        let cpu = self.x(cell.cpu.median);
        writeln!(
            out,
            "<circle cx=\"{cpu:.1}\" cy=\"{line:.1}\" r=\"2.6\" fill=\"#ffffff\" \
             stroke=\"{INK}\" stroke-width=\"1\"/>"
        )?;
        let digits = if wall.median < 3.0 { 2 } else { 1 };
        let is_ours = name.starts_with("instrument");
        let weight = if is_ours { 600 } else { 400 };
        let style = format!("font-size=\"10.5\" font-weight=\"{weight}\"");
        let place = (to.max(end).max(cpu) + 7.0, y + BAR - 0.6);
        label(out, place, &format!("{:.digits$}", wall.median), &style)
    }
}

/// Yardsticks in greys, ours in blues, strace in orange.
fn colour(index: usize, name: &str) -> &'static str {
    match (name, index) {
        ("instrument", _) => "#0969da",
        ("instrument+all", _) => "#54aeff",
        ("strace", _) => "#e16f24",
        (_, 0) => "#c4cbd3",
        _ => "#98a2ad",
    }
}

fn label(out: &mut String, (x, y): (f64, f64), text: &str, style: &str) -> fmt::Result {
    let fill = if style.contains("fill=") {
        String::new()
    } else {
        format!(" fill=\"{INK}\"")
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}{fill}>{text}</text>"
    )
}

/// A time that people can read at a glance.
fn seconds(time: f64) -> String {
    match time {
        time if time >= 1.0 => format!("{time:.1} s"),
        time if time >= 1e-3 => format!("{:.0} ms", time * 1e3),
        time => format!("{:.1} µs", time * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_fits() {
        assert_eq!(seconds(2.34), "2.3 s");
        assert_eq!(seconds(0.0213), "21 ms");
        assert_eq!(seconds(0.000_012_34), "12.3 µs");
    }
}
