//! Names of fields, elements and attributes: which hold a name, a value or a kind, and which say nothing.

/// What an element or attribute is called that holds the name of a value beside it.
#[must_use]
pub fn is_key(name: &str) -> bool {
    const KEYS: [&str; 13] =
        ["key", "name", "naam", "navn", "namn", "veld", "veldnaam", "field", "fieldname", "label", "sleutel", "property", "attribute"];
    KEYS.contains(&name.to_ascii_lowercase().as_str())
}

/// What an element or attribute is called that holds the value.
#[must_use]
pub fn is_value(name: &str) -> bool {
    const VALUES: [&str; 12] =
        ["value", "val", "waarde", "verdi", "vaerdi", "varde", "wert", "string", "integer", "inhoud", "data", "content"];
    VALUES.contains(&name.to_ascii_lowercase().as_str())
}

/// What an element or attribute is called that says of what kind the value beside it is, where nothing names it.
#[must_use]
pub fn is_kind(name: &str) -> bool {
    const KINDS: [&str; 8] = ["type", "soort", "art", "slag", "typ", "kind", "system", "scheme"];
    KINDS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a name says nothing of what a value is.
#[must_use]
pub fn is_vague(name: &str) -> bool {
    const VAGUE: [&str; 15] =
        ["datum", "date", "dato", "value", "waarde", "wert", "verdi", "vaerdi", "arvo", "nummer", "number", "numero", "nr", "no", "text"];
    VAGUE.contains(&name.to_ascii_lowercase().as_str())
}

/// A value's label: its own name, and before it what it belongs to where the name says nothing (`<geboorte><datum>`).
#[must_use]
pub fn label(parent: &str, own: &str) -> String {
    match () {
        () if !is_vague(own) || parent.is_empty() => own.to_owned(),
        () if parent.ends_with(own) => parent.to_owned(),
        () => format!("{parent} {own}"),
    }
}
