//! The outcome as a picture: one bar per strategy, for a README and for a page, in light and in dark, and still readable
//! where it is as narrow as a phone.

use std::fmt::Write as _;

use super::{Report, Run, Strategy};

/// Width, in the units in which text has 13: on a phone they are about pixels.
const WIDTH: f64 = 400.0;
/// Left and right of everything.
const MARGIN: f64 = 12.0;
/// Where the first row begins.
const TOP: f64 = 58.0;
/// Height of a row: a line of text, and the bar below it.
const ROW: f64 = 42.0;
/// Height of a bar.
const BAR: f64 = 12.0;
/// Below the rows: the scale.
const BOTTOM: f64 = 34.0;

const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1f2328;stroke:#fff;stroke-width:3px;paint-order:stroke}
.head{font-size:16px;font-weight:600}
.name{font-weight:600}
.small{font-size:12px;fill:#59636e}
.bad{fill:#b42318;font-weight:600}
.card{fill:#fff;stroke:#d1d9e0}
.grid{stroke:#d1d9e0}
.bar{fill:#8c96a3}
.bar.ours{fill:#0a7f4f}
.bar.oversold{fill:#d1453b}
@media (prefers-color-scheme:dark){
text{fill:#f0f3f6;stroke:#0d1117}
.small{fill:#9ea7b3}
.bad{fill:#ff8f87}
.card{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#2f363f}
.bar{fill:#77818d}
.bar.ours{fill:#3fce8f}
.bar.oversold{fill:#f0655b}
}";

/// The picture, as SVG. The bars are on a logarithmic scale; each carries its number.
#[must_use]
pub fn draw(report: &Report) -> String {
    let scale = Scale::of(&report.runs);
    let rows = report.runs.len() as f64;
    let height = TOP + rows * ROW + BOTTOM;
    let mut svg = String::new();
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    line(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{}">"#,
        escaped(&summary(report))
    ));
    line(format!("<style>{STYLE}</style>"));
    let (width, high) = (WIDTH - 1.0, height - 1.0);
    line(format!(r#"<rect class="card" x="0.5" y="0.5" width="{width}" height="{high}" rx="8"/>"#));
    line(format!(r#"<text class="head" x="{MARGIN}" y="26">Bookings per second, one hot pool</text>"#));
    if let Some(Run { users, capacity, .. }) = report.runs.first() {
        let (users, capacity) = (grouped(*users as f64), grouped(*capacity as f64));
        line(format!(
            r#"<text class="small" x="{MARGIN}" y="44">{users} users, {capacity} places; bars on a logarithmic scale</text>"#
        ));
    }
    let bottom = TOP + rows * ROW;
    for mark in scale.marks() {
        let x = scale.x(mark);
        line(format!(r#"<line class="grid" x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{bottom}"/>"#));
        let (label, y) = (grouped(mark), bottom + 18.0);
        let anchor = scale.anchor(mark);
        line(format!(r#"<text class="small" x="{x:.1}" y="{y}" text-anchor="{anchor}">{label}</text>"#));
    }
    for (number, run) in report.runs.iter().enumerate() {
        line(row(run, TOP + number as f64 * ROW, &scale));
    }
    line("</svg>".to_owned());
    svg
}

/// A strategy: its name, what it oversold, its numbers, its bar.
fn row(run: &Run, y: f64, scale: &Scale) -> String {
    let ours = run.strategy == Strategy::Lastseat.as_str();
    let class = match (run.oversold > 0, ours) {
        (true, _) => "bar oversold",
        (false, true) => "bar ours",
        (false, false) => "bar",
    };
    let mut name = escaped(&run.strategy);
    if ours && !run.store.is_empty() {
        let _ = write!(name, " ({})", escaped(&run.store));
    }
    let oversold = if run.oversold > 0 {
        format!(r#" <tspan class="bad">oversold by {}</tspan>"#, grouped(run.oversold as f64))
    } else {
        String::new()
    };
    let (text_y, bar_y, right) = (y + 16.0, y + 22.0, WIDTH - MARGIN);
    let width = scale.x(run.bookings_per_second) - MARGIN;
    let rate = grouped(run.bookings_per_second);
    let p99 = millis(run.p99_ms);
    format!(
        r#"<text x="{MARGIN}" y="{text_y}"><tspan class="name">{name}</tspan>{oversold}</text><text x="{right}" y="{text_y}" text-anchor="end"><tspan class="name">{rate}/s</tspan><tspan class="small"> p99 {p99}</tspan></text><rect class="{class}" x="{MARGIN}" y="{bar_y}" width="{width:.1}" height="{BAR}" rx="2"/>"#
    )
}

/// For those who do not see it.
fn summary(report: &Report) -> String {
    let mut text = "Bookings per second:".to_owned();
    for run in &report.runs {
        let _ = write!(text, " {} {}", run.strategy, grouped(run.bookings_per_second));
        if run.oversold > 0 {
            let _ = write!(text, " (oversold by {})", run.oversold);
        }
        text.push(';');
    }
    text.trim_end_matches(';').to_owned()
}

/// From the power of ten well below the smallest rate to the one above the largest.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(runs: &[Run]) -> Self {
        let rates = || runs.iter().map(|run| run.bookings_per_second).filter(|rate| *rate > 0.0);
        let least = rates().fold(f64::INFINITY, f64::min).min(1e9);
        let most = rates().fold(0.0, f64::max).max(1.0);
        // Half of it, so that the shortest bar can still be seen.
        let low = (least / 2.0).log10().floor();
        Self { low, high: most.log10().ceil().max(low + 1.0) }
    }

    /// Where the bar of that rate ends.
    fn x(&self, rate: f64) -> f64 {
        let part = (rate.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        MARGIN + part.clamp(0.0, 1.0) * (WIDTH - 2.0 * MARGIN)
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low, self.high);
        std::iter::successors(Some(low), |mark| Some(mark + 1.0))
            .take_while(move |mark| *mark <= high)
            .map(exp10)
    }

    /// The labels at the ends stay inside.
    fn anchor(&self, mark: f64) -> &'static str {
        match mark {
            _ if mark <= exp10(self.low) => "start",
            _ if mark >= exp10(self.high) => "end",
            _ => "middle",
        }
    }
}

fn exp10(power: f64) -> f64 {
    10f64.powf(power)
}

/// A number with commas between its thousands; small ones keep a digit behind the point.
fn grouped(value: f64) -> String {
    if value > 0.0 && value < 10.0 && value.fract() > 0.0 {
        return format!("{value:.1}");
    }
    crate::text::grouped(value)
}

/// Milliseconds, or seconds where they are many.
fn millis(value: f64) -> String {
    match value {
        _ if value >= 1_000.0 => format!("{:.1} s", value / 1000.0),
        _ if value >= 100.0 => format!("{value:.0} ms"),
        _ => format!("{value:.1} ms"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(strategy: &str, rate: f64, oversold: i64) -> Run {
        Run {
            strategy: strategy.to_owned(),
            store: "SQLite".to_owned(),
            users: 128,
            capacity: 10_000,
            sold: 10_000 + oversold,
            refused: 128,
            errors: 0,
            oversold,
            bookings_per_second: rate,
            p50_ms: 1.0,
            p99_ms: 734.2,
            notes: Vec::new(),
        }
    }

    fn widths(svg: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.contains("class=\"bar"));
        let width = |line: &str| line.rsplit_once("width=\"")?.1.split_once('"')?.0.parse().ok();
        bars.map(|line| width(line).unwrap()).collect()
    }

    #[test]
    fn faster_is_longer_by_the_same_for_each_power_of_ten_and_overselling_is_red() {
        let runs = vec![run("naive", 100.0, 19), run("for-update", 1_000.0, 0), run("lastseat", 10_000.0, 0)];
        let svg = draw(&Report { runs });
        let [naive, update, ours] = widths(&svg)[..] else { panic!("three bars: {svg}") };
        assert!(naive > 0.0 && (update - naive - (ours - update)).abs() < 0.2, "{naive} {update} {ours}");
        assert!(svg.contains("class=\"bar oversold\"") && svg.contains("oversold by 19"));
        assert!(svg.contains("lastseat (SQLite)") && svg.contains("class=\"bar ours\""));
        assert!(svg.contains("10,000/s") && svg.contains("p99 734 ms"));
        assert!(svg.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn nothing_sold_is_no_bar_and_names_cannot_break_out() {
        let svg = draw(&Report { runs: vec![run("<b>&", 0.0, 0), run("naive", 5.5, 0)] });
        assert!(widths(&svg)[0].abs() < 0.1 && widths(&svg)[1] > 0.0, "{svg}");
        assert!(svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>"));
        assert!(svg.contains("5.5/s"));
        assert!(
            draw(&Report::default()).ends_with("</svg>\n"),
            "no runs are no picture, but no crash either"
        );
    }

    #[test]
    fn every_element_is_closed() {
        let svg = draw(&Report { runs: vec![run("naive", 100.0, 1), run("lastseat", 9.0, 0)] });
        for element in ["svg", "style", "text", "tspan"] {
            let opened = svg.matches(&format!("<{element}")).count();
            assert_eq!(opened, svg.matches(&format!("</{element}>")).count(), "{element}");
        }
        for line in svg.lines().filter(|line| line.starts_with("<line")) {
            assert!(line.ends_with("/>"), "{line}");
        }
    }
}
