//! JSON: a list of objects is a table, everything else lines of `key: value`.

use super::Reader;
use serde_json::{Map, Value};

/// Reads JSON, also one value a line; says whether it was any.
pub fn read(reader: &mut Reader, text: &str) -> bool {
    let values: Vec<Value> = match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => match text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect() {
            Ok(values) => values,
            Err(_) => return false,
        },
    };
    let whole = if values.len() == 1 { values.into_iter().next().unwrap_or_default() } else { Value::Array(values) };
    let mut found = Found::default();
    found.walk("", &whole);
    reader.lines("text", 1, found.lines);
    for (table, number) in found.tables.into_iter().zip(1..) {
        reader.table("sheet", number, table);
    }
    true
}

#[derive(Default)]
struct Found {
    lines: Vec<String>,
    tables: Vec<Vec<Vec<String>>>,
}

impl Found {
    fn walk(&mut self, key: &str, value: &Value) {
        match value {
            Value::Array(items) => {
                if items.len() > 1 && items.iter().all(Value::is_object) {
                    return self.table(items);
                }
                items.iter().for_each(|item| self.walk(key, item));
            }
            Value::Object(fields) => {
                self.lines.push(String::new());
                // What belongs to the object itself first, so that its own values stand together.
                for (key, value) in fields.iter().filter(|(_, value)| is_scalar(value)) {
                    self.walk(key, value);
                }
                for (key, value) in fields.iter().filter(|(_, value)| !is_scalar(value)) {
                    self.walk(key, value);
                }
            }
            scalar => self.lines.push(format!("{key}: {}", written(scalar))),
        }
    }

    fn table(&mut self, items: &[Value]) {
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
