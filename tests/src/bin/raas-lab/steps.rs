//! Progress of bringing a network up: a live line on a terminal, and a line for each step that is done.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The steps, one after the other.
pub struct Steps {
    bar: ProgressBar,
    name: String,
    start: Instant,
}

impl Steps {
    /// Starts with a first step.
    pub fn begin(name: &str) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {prefix:<22} {bar:24} {pos}/{len} {elapsed}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let mut steps = Self { bar, name: String::new(), start: Instant::now() };
        steps.enter(name);
        steps
    }

    /// How far a step has come; a new name ends the step before.
    pub fn step(&mut self, name: &str, done: usize, all: usize) {
        if name != self.name {
            self.enter(name);
        }
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
    }

    /// A step that cannot say how far it has come.
    pub fn enter(&mut self, name: &str) {
        self.finish();
        self.bar.reset();
        self.bar.set_prefix(name.to_owned());
        self.name = name.to_owned();
        self.start = Instant::now();
    }

    /// Ends the last step.
    pub fn end(mut self) {
        self.finish();
        self.bar.finish_and_clear();
    }

    fn finish(&mut self) {
        if self.name.is_empty() {
            return;
        }
        let count =
            self.bar.length().filter(|length| *length > 0).map_or_else(String::new, |all| all.to_string());
        let line = format!("  {:<22} {count:>5}  {:6.1} s", self.name, self.start.elapsed().as_secs_f64());
        self.bar.suspend(|| println!("{line}"));
        self.bar.set_length(0);
        self.name.clear();
    }
}
