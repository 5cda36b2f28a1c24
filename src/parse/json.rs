//! JSON: a list of objects is a table, a list of lists with a header too, everything else lines of `key: value`.
//!
//! An object that holds a name and a value of that name (`{"key": "bsn", "value": …}`) is a line of both besides.

use super::fields::{is_key, is_kind, is_value, label};
use serde_json::{Map, Value};

/// What JSON says: lines of `key: value`, and tables with their headers.
#[derive(Default)]
pub struct Told {
    /// Lines; an empty one before each object.
    pub lines: Vec<String>,
    /// Tables, each with a header where there is one.
    pub tables: Vec<Vec<Vec<String>>>,
}

/// Reads JSON, also one value a line; `None` when it is none.
#[must_use]
pub fn read(text: &str) -> Option<Told> {
    let values: Vec<Value> = match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect::<Result<_, _>>().ok()?,
    };
    let whole = if values.len() == 1 { values.into_iter().next().unwrap_or_default() } else { Value::Array(values) };
    Some(Told::by(&whole))
}

/// Reads the JSON that text begins with, and says how many bytes it takes; `None` when it begins with none.
#[must_use]
pub fn at_start(text: &str) -> Option<(Told, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    Some((Told::by(&value), values.byte_offset()))
}

impl Told {
    fn by(value: &Value) -> Self {
        let mut told = Self::default();
        told.walk("", value);
        told
    }

    fn walk(&mut self, key: &str, value: &Value) {
        match value {
            Value::Array(items) => {
                if items.len() > 1 && items.iter().all(Value::is_object) {
                    return self.table(items);
                }
                if let Some(rows) = rows(items).filter(|rows| rows.len() > 1 && items.first().is_some_and(holds_words)) {
                    return self.tables.push(rows);
                }
                items.iter().for_each(|item| self.walk(key, item));
            }
            Value::Object(fields) => {
                self.lines.push(String::new());
                self.lines.extend(pair(fields));
                self.headed(fields);
                // What belongs to the object itself first, so that its own values stand together.
                for (own, value) in fields.iter().filter(|(_, value)| is_scalar(value)) {
                    self.walk(&label(key, own), value);
                }
                for (own, value) in fields.iter().filter(|(_, value)| !is_scalar(value)) {
                    self.walk(&label(key, own), value);
                }
            }
            scalar => self.lines.push(format!("{key}: {}", written(scalar))),
        }
    }

    /// `{"columns": ["naam", "bsn"], "rows": [[…], […]]}`: the header stands beside its rows.
    fn headed(&mut self, fields: &Map<String, Value>) {
        const HEADERS: [&str; 10] =
            ["columns", "header", "headers", "fields", "cols", "kolommen", "velden", "kolonner", "kolumner", "spalten"];
        let named = fields.iter().find(|(key, _)| HEADERS.contains(&key.to_ascii_lowercase().as_str()));
        let Some(header) = named.and_then(|(_, value)| value.as_array()) else { return };
        // A column may be described by an object that holds its name.
        let name = |column: &Value| match column {
            Value::Object(about) => {
                let name = about.iter().find(|(key, value)| (is_key(key) || *key == "title" || *key == "id") && value.is_string());
                name.map(|(_, value)| written(value)).unwrap_or_default()
            }
            scalar => written(scalar),
        };
        let header: Vec<String> = header.iter().map(name).collect();
        for found in fields.values().filter_map(Value::as_array).filter_map(|items| rows(items)) {
            self.tables.push(std::iter::once(header.clone()).chain(found).collect());
        }
    }

    fn table(&mut self, items: &[Value]) {
        self.lines.extend(items.iter().filter_map(Value::as_object).filter_map(pair));
        let rows: Vec<Vec<(String, String)>> = items
            .iter()
            .map(|item| {
                let mut cells = Vec::new();
                if let Value::Object(fields) = item {
                    flatten("", fields, &mut cells, &mut |key, value| self.walk(key, value));
                }
                cells
            })
            .collect();
        let mut header: Vec<String> = Vec::new();
        for (key, _) in rows.iter().flatten() {
            if !header.contains(key) {
                header.push(key.clone());
            }
        }
        let mut table: Vec<Vec<String>> = vec![header.clone()];
        for row in rows {
            let row: std::collections::HashMap<String, String> = row.into_iter().collect();
            table.push(header.iter().map(|key| row.get(key).cloned().unwrap_or_default()).collect());
        }
        self.tables.push(table);
    }
}

fn flatten(prefix: &str, fields: &Map<String, Value>, cells: &mut Vec<(String, String)>, others: &mut dyn FnMut(&str, &Value)) {
    for (key, value) in fields {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) => flatten(&key, inner, cells, others),
            Value::Array(_) => others(&key, value),
            scalar => cells.push((key, written(scalar))),
        }
    }
}

/// The line of an object that holds a name and its value.
fn pair(fields: &Map<String, Value>) -> Option<String> {
    let named = |is_name: fn(&str) -> bool| fields.iter().find(|(name, value)| is_name(name) && value.is_string());
    let (_, key) = named(is_key).or_else(|| named(is_kind))?;
    let (_, value) = fields.iter().find(|(name, value)| is_value(name) && is_scalar(value))?;
    Some(format!("{}: {}", written(key), written(value)))
}

/// Lists of scalars as rows; `None` when something else is among them.
fn rows(items: &[Value]) -> Option<Vec<Vec<String>>> {
    let whole = items.iter().all(|item| item.as_array().is_some_and(|cells| !cells.is_empty() && cells.iter().all(is_scalar)));
    let rows = items.iter().filter_map(Value::as_array).map(|cells| cells.iter().map(written).collect());
    (whole && !items.is_empty()).then(|| rows.collect())
}

/// A row with texts: one of names, or of values with or without a header; coordinates are none.
fn holds_words(item: &Value) -> bool {
    item.as_array().is_some_and(|cells| cells.iter().any(Value::is_string))
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn written(scalar: &Value) -> String {
    match scalar {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Told, Value};

    fn found(text: &str) -> Told {
        Told::by(&serde_json::from_str::<Value>(text).unwrap())
    }

    #[test]
    fn lists_of_lists_with_a_header_are_tables() {
        for text in [
            r#"{"columns": ["naam", "bsn"], "rows": [["A", "1"]]}"#,
            r#"{"columns": [{"name": "naam"}, {"name": "bsn"}], "data": [["A", 1]]}"#,
            r#"[["naam", "bsn"], ["A", 1]]"#,
            r#"{"a": [["naam", "bsn"], ["A", "1"]]}"#,
        ] {
            let tables = found(text).tables;
            assert!(tables.contains(&vec![vec!["naam".to_owned(), "bsn".to_owned()], vec!["A".to_owned(), "1".to_owned()]]), "{text}");
        }
        assert!(found(r#"{"coordinates": [[5.1, 52.3], [5.2, 52.4]]}"#).tables.is_empty());
    }

    #[test]
    fn a_key_and_its_value_are_one_line() {
        for text in [r#"[{"key": "bsn", "value": "1"}]"#, r#"[{"naam": "bsn", "waarde": 1}, {"naam": "x", "waarde": 2}]"#] {
            assert!(found(text).lines.contains(&"bsn: 1".to_owned()), "{text}");
        }
        let system = found(r#"{"identifier": [{"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "1"}]}"#);
        assert!(system.lines.contains(&"http://fhir.nl/fhir/NamingSystem/bsn: 1".to_owned()), "{:?}", system.lines);
        let birth = found(r#"{"naam": "A", "geboorte": {"datum": {"type": "Datum", "datum": "1961-03-12"}}}"#);
        assert!(birth.lines.contains(&"geboorte datum: 1961-03-12".to_owned()), "{:?}", birth.lines);
    }
}
