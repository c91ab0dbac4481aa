//! Plots of sweeps, as SVG.

use std::path::Path;

use anyhow::Result;
use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
};

const SIZE: (u32, u32) = (800, 500);
const COLOURS: [RGBColor; 5] = [
    // Distinct for colour-blind readers too (Okabe and Ito).
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// How an axis runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In equal steps, from 0.
    Linear,
    /// In equal factors.
    Logarithmic,
}

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: &'static str,
    /// How it runs.
    pub scale: Scale,
}

/// A figure as it depends on a size, for ours and its peers.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Name of its file.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The size.
    pub x: Axis,
    /// The figure.
    pub y: Axis,
    /// Contestants, each with its points.
    pub series: Vec<(String, Vec<(f64, f64)>)>,
}

/// Draws a sweep into a file.
pub fn draw(file: &Path, sweep: &Sweep) -> Result<()> {
    let points = || sweep.series.iter().flat_map(|(_, points)| points);
    let x = range(sweep.x.scale, points().map(|point| point.0));
    let y = range(sweep.y.scale, points().map(|point| point.1));
    match (sweep.x.scale, sweep.y.scale) {
        (Scale::Linear, Scale::Linear) => on(file, sweep, x, y),
        (Scale::Linear, Scale::Logarithmic) => on(file, sweep, x, y.log_scale()),
        (Scale::Logarithmic, Scale::Linear) => on(file, sweep, x.log_scale(), y),
        (Scale::Logarithmic, Scale::Logarithmic) => on(file, sweep, x.log_scale(), y.log_scale()),
    }
}

/// From 0 or a little below the least, to a little above the greatest.
fn range(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let (least, most) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
    match scale {
        Scale::Linear => 0.0..most * 1.1,
        Scale::Logarithmic => least / 1.5..most * 1.5,
    }
}

fn on<X, Y>(file: &Path, sweep: &Sweep, x: X, y: Y) -> Result<()>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(&sweep.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(70)
        .build_cartesian_2d(x, y)?;
    let number = |value: &f64| format!("{value}");
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_labels(6)
        .y_labels(8)
        .x_desc(sweep.x.label)
        .y_desc(sweep.y.label)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .draw()?;
    for ((name, points), colour) in sweep.series.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(4))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_becomes_an_svg_with_its_labels() {
        let directory = tempfile::tempdir().unwrap();
        for (x, y) in [(Scale::Linear, Scale::Linear), (Scale::Logarithmic, Scale::Logarithmic)] {
            let sweep = Sweep {
                name: "sweep".to_owned(),
                title: "of something".to_owned(),
                x: Axis { label: "routes", scale: x },
                y: Axis { label: "ns per look-up", scale: y },
                series: vec![
                    ("ours".to_owned(), vec![(1e3, 5.0), (1e6, 12.0)]),
                    ("a peer".to_owned(), vec![(1e3, 50.0), (1e6, 600.0)]),
                ],
            };
            let file = directory.path().join("sweep.svg");
            draw(&file, &sweep).unwrap();
            let svg = std::fs::read_to_string(&file).unwrap();
            for text in ["<svg", "of something", "routes", "ns per look-up", "ours", "a peer"] {
                assert!(svg.contains(text), "{text}");
            }
        }
    }
}
