//! Reads the keys of one table, and reports what is missing, wrong or unknown.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    faults::Faults,
    parse::{self, Wrong, kind},
    source::{At, Place, Written},
    suggest::nearest,
};
use crate::model::Name;

/// A table that is being read. Every key that is asked for is known; the others are faults. Where one of
/// these looks like a key that is missing, that is one fault, not two.
///
/// A key that cannot be had (missing or wrong, and reported) reads as `None`, so that reading goes on.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    /// Where the table begins.
    pub place: Place,
    known: Vec<&'static str>,
    /// With the remedy for each.
    missing: Vec<(&'static str, String)>,
    refused: Vec<(&'static str, &'static str)>,
    pub faults: &'t Faults<'t>,
}

impl<'t> Section<'t> {
    /// Reads a table by `reader`, then reports the keys that it did not ask for.
    pub fn read<R>(
        table: &'t DeTable<'t>,
        place: Place,
        faults: &'t Faults<'t>,
        reader: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let mut section =
            Self { table, place, known: Vec::new(), missing: Vec::new(), refused: Vec::new(), faults };
        let result = reader(&mut section);
        section.finish();
        result
    }

    /// A key that must be there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Option<At<T>> {
        self.require(key);
        self.optional(key, parse).into_at()
    }

    /// The name of what the table describes.
    pub fn named(&mut self) -> Written<Name> {
        self.require("name");
        self.optional("name", parse::name)
    }

    /// A key that may be left out.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Written<T> {
        match self.entry(key) {
            None => Written::Absent,
            Some(value) => match self.parsed(&format!("`{key}`"), value, parse) {
                None => Written::Faulty,
                Some(at) => Written::Value(at),
            },
        }
    }

    /// Reports `key`, of whatever type, if it is missing.
    pub fn require(&mut self, key: &'static str) {
        self.require_with_help(key, format!("add `{key} = …` to this table"));
    }

    /// As [`require`](Self::require), with a better remedy than to add `key`.
    pub fn require_with_help(&mut self, key: &'static str, help: impl Into<String>) {
        if !self.has(key) {
            self.missing.push((key, help.into()));
        }
    }

    /// A remedy for a key that one might expect here, but is unknown.
    pub fn refuse(&mut self, key: &'static str, help: &'static str) {
        self.refused.push((key, help));
    }

    /// Whether `key` is there, right or wrong.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    /// An array of values; empty if left out.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Vec<At<T>> {
        let Some(value) = self.entry(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.faults.report(
                self.at(value),
                format!("`{key}` must be an array, not {}", kind(value.get_ref())),
                format!("write `{key} = [ … ]`"),
            );
            return Vec::new();
        };
        let subject = format!("each item of `{key}`");
        items.iter().filter_map(|item| self.parsed(&subject, item, &parse)).collect()
    }

    /// How many items an array has, right or wrong; `None` if it is missing or no array.
    pub fn count(&mut self, key: &'static str) -> Option<usize> {
        self.entry(key)?.get_ref().as_array().map(|items| items.len())
    }

    /// A table within this one, which may be left out.
    pub fn table<R>(&mut self, key: &'static str, reader: impl FnOnce(&mut Self) -> R) -> Written<R> {
        let Some(value) = self.entry(key) else { return Written::Absent };
        match self.nested(value, format!("write `{key} = {{ … }}`"), key, reader) {
            None => Written::Faulty,
            Some(read) => Written::Value(At { value: read, place: self.at(value) }),
        }
    }

    /// An array of tables; empty if left out.
    pub fn tables<R>(&mut self, key: &'static str, mut reader: impl FnMut(&mut Self) -> R) -> Vec<R> {
        let Some(value) = self.entry(key) else { return Vec::new() };
        let help = format!("write `[[…{key}]]`, once for each");
        let Some(items) = value.get_ref().as_array() else {
            let message = format!("`{key}` must be an array of tables, not {}", kind(value.get_ref()));
            self.faults.report(self.at(value), message, help);
            return Vec::new();
        };
        items.iter().filter_map(|item| self.nested(item, help.clone(), key, &mut reader)).collect()
    }

    fn nested<R>(
        &self,
        value: &'t Spanned<DeValue<'t>>,
        help: String,
        key: &str,
        reader: impl FnOnce(&mut Self) -> R,
    ) -> Option<R> {
        let place = self.at(value);
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("`{key}` must be a table, not {}", kind(value.get_ref()));
            self.faults.report(place, message, help);
            return None;
        };
        Some(Section::read(table, place, self.faults, reader))
    }

    fn parsed<T>(
        &self,
        subject: &str,
        value: &'t Spanned<DeValue<'t>>,
        parse: impl Fn(&'t DeValue<'t>) -> Result<T, Wrong>,
    ) -> Option<At<T>> {
        let place = self.at(value);
        match parse(value.get_ref()) {
            Ok(value) => Some(At { value, place }),
            Err(Wrong { must, help }) => {
                self.faults.report(place, format!("{subject} {must}"), help);
                None
            }
        }
    }

    fn entry(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.iter().find(|(found, _)| found.get_ref() == key).map(|(_, value)| value)
    }

    fn finish(mut self) {
        for key in self.table.keys().filter(|key| !self.known.contains(&key.get_ref().as_ref())) {
            let text = key.get_ref();
            if let Some(meant) = nearest(text, &self.known) {
                self.missing.retain(|(missing, _)| *missing != meant);
            }
            let help = match self.refused.iter().find(|(refused, _)| refused == text) {
                Some((_, help)) => (*help).to_owned(),
                None => self.faults.suggest(text, "keys", self.known.iter().copied()),
            };
            let place = Place { offset: key.span().start, ..self.place };
            self.faults.report(place, format!("unknown key {}", parse::quote(text)), help);
        }
        for (key, help) in self.missing {
            self.faults.report(self.place, format!("missing key `{key}`"), help);
        }
    }

    fn at<T>(&self, spanned: &Spanned<T>) -> Place {
        Place { offset: spanned.span().start, ..self.place }
    }
}
