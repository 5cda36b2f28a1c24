//! A settings file as a tree in which every key and value knows its place; the environment laid over it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

/// Where something stands: a source (see [`super::context::Context`]) and a range of bytes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    /// A file or variable as a whole.
    pub(super) const fn whole(source: usize) -> Self {
        Self { source, start: 0, end: 0 }
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What TOML can say, as far as settings care.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    /// None: too large for 64 bits.
    Integer(Option<i64>),
    Float,
    Flag(bool),
    Date(Datetime),
    List(Vec<Node>),
    Table(Table),
    /// The text of an environment variable: it stands for whatever is expected.
    Variable(String),
}

impl Value {
    /// What it is, for people.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text in quotes",
            Self::Integer(_) => "a whole number",
            Self::Float => "a number with a decimal point",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Variable(_) => "an environment variable",
        }
    }
}

/// Keys and values; where it begins (its header, or its brace).
#[derive(Clone)]
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) entries: BTreeMap<String, Entry>,
}

/// One line of a table.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) node: Node,
}

/// What is wrong with the syntax of a file.
pub(super) struct SyntaxMistake {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Reads the text of a source; all syntax mistakes at once.
pub(super) fn parse(source: usize, text: &str) -> Result<Table, Vec<SyntaxMistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table_of(source, Place::whole(source), table.into_inner()));
    }
    // After a header that cannot be read, all that follows seems to stand twice.
    let only_doubled = errors.iter().all(|error| error.message() == DOUBLED);
    let mistakes = errors.into_iter().filter(|error| only_doubled || error.message() != DOUBLED).map(|error| {
        let span = error.span().unwrap_or(0..0);
        SyntaxMistake { place: Place { source, start: span.start, end: span.end }, message: error.message().to_owned() }
    });
    Err(mistakes.collect())
}

/// What the reader says of a key or table that stands twice.
pub(super) const DOUBLED: &str = "duplicate key";

fn table_of(source: usize, place: Place, table: DeTable<'_>) -> Table {
    let entries = table
        .into_iter()
        .map(|(key, value)| {
            let key_place = place_of(source, &key);
            (key.into_inner().into_owned(), Entry { key: key_place, node: node_of(source, value) })
        })
        .collect();
    Table { place, entries }
}

fn node_of(source: usize, value: Spanned<DeValue<'_>>) -> Node {
    let place = place_of(source, &value);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(date) => Value::Date(date),
        DeValue::Array(list) => Value::List(list.into_iter().map(|item| node_of(source, item)).collect()),
        DeValue::Table(table) => Value::Table(table_of(source, place, table)),
    };
    Node { place, value }
}

fn place_of<T>(source: usize, spanned: &Spanned<T>) -> Place {
    let span = spanned.span();
    Place { source, start: span.start, end: span.end }
}

/// Lays the value of an environment variable over the tree; `path` as crate `config` splits it, a number counting from 0 in a list of tables.
/// False: the path goes through something that is no table.
pub(super) fn overlay(table: &mut Table, path: &[&str], source: usize, text: &str) -> bool {
    let place = Place::whole(source);
    let Some((key, rest)) = path.split_first() else { return false };
    let Some((next, beyond)) = rest.split_first() else {
        table.entries.insert((*key).to_owned(), Entry { key: place, node: Node { place, value: Value::Variable(text.to_owned()) } });
        return true;
    };
    let entry = table
        .entries
        .entry((*key).to_owned())
        .or_insert_with(|| Entry { key: place, node: Node { place, value: Value::Table(Table { place, entries: BTreeMap::new() }) } });
    match &mut entry.node.value {
        Value::Table(inner) => overlay(inner, rest, source, text),
        Value::List(items) => match next.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
            Some(Node { value: Value::Table(inner), .. }) => overlay(inner, beyond, source, text),
            _ => false,
        },
        _ => false,
    }
}
