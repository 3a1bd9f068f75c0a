//! Small log-log plots side by side, as one SVG that reads in light and in dark.

use std::fmt::Write as _;

const WIDTH: f64 = 230.0;
const HEIGHT: f64 = 200.0;
const MARGIN: f64 = 44.0;

/// Draws a panel for each title: its points joined, both axes logarithmic, each value written at its point.
pub(super) fn panels(x_name: &str, panels: &[(&str, Vec<(f64, f64)>)]) -> String {
    let total = WIDTH * super::float(panels.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<style>svg {{ color: #223; background: #fff }} @media (prefers-color-scheme: dark) \
         {{ svg {{ color: #dde; background: #16181d }} }}</style>\n"
    );
    for (index, (title, points)) in panels.iter().enumerate() {
        panel(
            &mut svg,
            (WIDTH * super::float(index), title, x_name),
            points,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

// Writing to a String cannot fail.
fn panel(svg: &mut String, (left, title, x_name): (f64, &str, &str), points: &[(f64, f64)]) {
    let (x0, y0) = (left + MARGIN, HEIGHT - MARGIN);
    let (width, height) = (WIDTH - MARGIN * 1.6, HEIGHT - MARGIN * 1.9);
    let xs = Scale::of(points.iter().map(|point| point.0));
    let ys = Scale::of(points.iter().map(|point| point.1));
    let _infallible = write!(
        svg,
        "<text x=\"{x0}\" y=\"24\" fill=\"currentColor\" font-weight=\"bold\">{title}</text>\n\
         <path d=\"M{x0} {} V{y0} H{}\" fill=\"none\" stroke=\"currentColor\" opacity=\"0.5\"/>\n\
         <text x=\"{}\" y=\"{}\" fill=\"currentColor\" text-anchor=\"end\">{x_name}</text>\n",
        y0 - height,
        x0 + width,
        x0 + width,
        y0 + 32.0,
    );
    let mut path = String::new();
    for (x, y) in points {
        let (at_x, at_y) = (x0 + xs.place(*x) * width, y0 - ys.place(*y) * height);
        let step = if path.is_empty() { 'M' } else { 'L' };
        let _infallible = write!(path, "{step}{at_x:.1} {at_y:.1} ");
        let _infallible = write!(
            svg,
            "<circle cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"3\" fill=\"#3b82f6\"/>\n\
             <text x=\"{at_x:.1}\" y=\"{:.1}\" fill=\"currentColor\" text-anchor=\"middle\">{}</text>\n\
             <text x=\"{at_x:.1}\" y=\"{:.1}\" fill=\"currentColor\" text-anchor=\"middle\">{}</text>\n",
            at_y - 7.0,
            short(*y),
            y0 + 16.0,
            short(*x),
        );
    }
    let _infallible = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"#3b82f6\" stroke-width=\"1.5\"/>"
    );
}

/// A logarithmic axis from the least to the greatest value, with a little room.
struct Scale {
    least: f64,
    span: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let logs = values.map(|value| value.max(1e-6).log10());
        let least = logs.clone().fold(f64::INFINITY, f64::min);
        let greatest = logs.fold(f64::NEG_INFINITY, f64::max);
        let span = (greatest - least).max(0.1);
        Self { least, span }
    }

    /// Between 0.05 and 0.95.
    fn place(&self, value: f64) -> f64 {
        0.05 + 0.9 * (value.max(1e-6).log10() - self.least) / self.span
    }
}

fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{:.0}M", value / 1e6),
        1e4.. => format!("{:.0}k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        1.0.. => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
