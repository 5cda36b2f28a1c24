//! Reading one table: each key by its name and with the reader of its kind; whatever is wrong becomes a complaint, and reading goes on.

use std::cell::RefCell;

use super::context::Context;
use super::schema::{self, Schema};
use super::tree::{Entry, Node, Place, Table, Value};
use super::values;

/// Why a value cannot be taken.
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self { message: message.into(), suggestion: Some(suggestion.into()) }
    }
}

/// A value that was read, and where it stood.
#[derive(Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Keys whose values are secrets, and what stands in their place.
const SECRETS: &[(&str, &str, &str)] = &[
    ("password", "password_file", "a password"),
    ("pass", "password_file", "a password"),
    ("passwd", "password_file", "a password"),
    ("secret", "client_secret_file", "a secret"),
    ("client_secret", "client_secret_file", "a secret"),
    ("refresh_token", "refresh_token_file", "a token"),
    ("access_token", "refresh_token_file", "a token"),
    ("token", "refresh_token_file", "a token"),
];

/// One table while it is read.
pub(super) struct Section<'a> {
    table: &'a Table,
    schema: &'static Schema,
    context: &'a Context,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// Opens a table and complains about keys that it should not have.
    pub(super) fn open(table: &'a Table, schema: &'static Schema, context: &'a Context) -> Self {
        for (key, entry) in table.entries.iter().filter(|(key, _)| !schema.knows(key)) {
            unknown_key(key, entry, schema, context);
        }
        Self { table, schema, context, asked: RefCell::default() }
    }

    /// Opens a table of which one key decides what the others mean; `choices` says which values that key may have. None, after the
    /// complaint: it has another, and nothing can be said of the rest.
    pub(super) fn open_by(
        table: &'a Table,
        schemas: &[(&'static str, &'static Schema)],
        key: &'static str,
        default: Option<&'static str>,
        context: &'a Context,
    ) -> Option<(Self, &'static str)> {
        let choices: Vec<(&'static str, (&'static str, &'static Schema))> =
            schemas.iter().map(|(word, schema)| (*word, (*word, *schema))).collect();
        let (_, schema) = schemas.first()?;
        let undecided = Self { table, schema, context, asked: RefCell::default() };
        undecided.asked.borrow_mut().extend(schema.keys.iter().map(|(key, _)| *key));
        let (word, schema) = match default {
            Some(default) if !undecided.has(key) => *schemas.iter().find(|(word, _)| *word == default)?,
            _ => undecided.required(key, values::one_of(&choices))?,
        };
        let section = Self::open(table, schema, context);
        section.asked.borrow_mut().push(key);
        Some((section, word))
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> Place {
        self.table.place
    }

    /// Where a key stands, or else where the table begins.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.table.entries.get(key).map_or(self.table.place, |entry| entry.node.place)
    }

    /// Whether the key is there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.entries.contains_key(key)
    }

    /// Whether the key is there with a list of nothing.
    pub(super) fn lists_nothing(&self, key: &str) -> bool {
        self.table.entries.get(key).is_some_and(|entry| match &entry.node.value {
            Value::List(items) => items.is_empty(),
            Value::Variable(text) => text.trim().is_empty(),
            _ => false,
        })
    }

    fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        debug_assert!(self.schema.knows(key), "{key} is not in the schema of {}", self.schema.title);
        self.asked.borrow_mut().push(key);
        self.table.entries.get(key)
    }

    /// A key that has to be there.
    pub(super) fn required<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Wrong>) -> Option<T> {
        self.required_at(key, read).map(|at| at.value)
    }

    /// A key that has to be there, with its place.
    pub(super) fn required_at<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Wrong>) -> Option<At<T>> {
        match self.entry(key) {
            Some(entry) => self.read(key, &entry.node, read),
            None => {
                self.missing(key);
                None
            }
        }
    }

    /// A key that may be left out; wrong counts as left out, after the complaint.
    pub(super) fn optional<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Wrong>) -> Option<T> {
        self.optional_at(key, read).map(|at| at.value)
    }

    /// A key that may be left out, with its place.
    pub(super) fn optional_at<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Wrong>) -> Option<At<T>> {
        self.entry(key).and_then(|entry| self.read(key, &entry.node, read))
    }

    /// A list of values, each with its place; empty when left out.
    pub(super) fn list<T>(&self, key: &'static str, read: impl Fn(&Node) -> Result<T, Wrong>) -> Vec<At<T>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        match &entry.node.value {
            Value::List(items) => items.iter().filter_map(|item| self.read(key, item, &read)).collect(),
            Value::Variable(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .filter_map(|item| self.read(key, &Node { place: entry.node.place, value: Value::Variable(item.to_owned()) }, &read))
                .collect(),
            other => {
                self.expected(key, entry.node.place, "a list", other);
                Vec::new()
            }
        }
    }

    /// A table that may be left out.
    pub(super) fn table(&self, key: &'static str) -> Option<&'a Table> {
        let entry = self.entry(key)?;
        match &entry.node.value {
            Value::Table(table) => Some(table),
            other => {
                self.expected(key, entry.node.place, "a table", other);
                None
            }
        }
    }

    /// A table that has to be there.
    pub(super) fn required_table(&self, key: &'static str) -> Option<&'a Table> {
        if !self.has(key) {
            self.entry(key);
            self.missing(key);
            return None;
        }
        self.table(key)
    }

    /// Repeated tables, `[[key]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<&'a Table> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let Value::List(items) = &entry.node.value else {
            let suggestion =
                matches!(entry.node.value, Value::Table(_)).then(|| format!("Write [[{key}]] with two brackets: there can be several."));
            self.context.mistake(entry.node.place, format!("`{key}` must be a list of tables"), suggestion);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Table(table) => Some(table),
                other => {
                    self.expected(key, item.place, "a list of tables", other);
                    None
                }
            })
            .collect()
    }

    fn read<T>(&self, key: &'static str, node: &Node, read: impl Fn(&Node) -> Result<T, Wrong>) -> Option<At<T>> {
        match read(node) {
            Ok(value) => Some(At { value, place: node.place }),
            Err(wrong) => {
                self.context.mistake(node.place, format!("`{key}` {}", wrong.message), wrong.suggestion);
                None
            }
        }
    }

    fn missing(&self, key: &'static str) {
        let example = self.schema.example(key).unwrap_or(key);
        self.context.mistake(
            self.table.place,
            format!("`{key}` is missing in {}", self.schema.title),
            Some(format!("Add a line such as `{example}`.")),
        );
    }

    fn expected(&self, key: &'static str, place: Place, what: &str, found: &Value) {
        let example = self.schema.example(key).unwrap_or(key);
        self.context.mistake(place, format!("`{key}` must be {what}, not {}", found.name()), Some(format!("Write it like `{example}`.")));
    }
}

impl Drop for Section<'_> {
    /// A key that is in the schema but that nobody reads would be taken in silence.
    fn drop(&mut self) {
        debug_assert!(
            std::thread::panicking() || self.schema.keys.iter().all(|(key, _)| self.asked.borrow().contains(key)),
            "somebody forgot to read one of {:?} in {}, having read {:?}",
            self.schema.keys.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            self.schema.title,
            self.asked.borrow()
        );
    }
}

fn unknown_key(key: &str, entry: &Entry, schema: &'static Schema, context: &Context) {
    if let Some((_, instead, what)) = SECRETS.iter().find(|(secret, ..)| *secret == key) {
        let by_variable =
            if schema.knows("password_env") { " or name an environment variable that holds it with `password_env`" } else { "" };
        context.mistake_hiding_value(
            entry.key,
            format!("`{key}`: {what} does not belong in the settings, where others may read it"),
            Some(format!(
                "Put it alone in a file that only postkamer may read and write `{instead} = \"/path/to/that/file\"`{by_variable}."
            )),
        );
        return;
    }
    let suggestion = nearest(key, schema.keys.iter().map(|(known, _)| *known)).map_or_else(
        || {
            let elsewhere = schema::ALL.iter().find(|other| other.knows(key));
            elsewhere.map(|other| format!("It is a key of {}.", other.title))
        },
        |known| Some(format!("Did you mean `{known}`?")),
    );
    let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
    context.mistake(entry.key, format!("unknown key `{shown}` in {}", schema.title), suggestion);
}

/// The known word that was probably meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = word.to_lowercase().replace(['-', ' '], "_");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace(['-', ' '], "_")), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance * 2 < candidate.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
