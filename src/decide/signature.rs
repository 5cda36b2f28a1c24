//! Where a letter ends and its signature begins.

/// How people begin to sign off in six languages, at the beginning of a line, in lower case.
const SIGN_OFFS: &[&str] = &[
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "hartelijke groet",
    "hartelijke groeten",
    "groet",
    "groeten",
    "groetjes",
    "gr",
    "gr.",
    "mvg",
    "m.v.g.",
    "hoogachtend",
    "med venlig hilsen",
    "venlig hilsen",
    "de bedste hilsner",
    "mvh",
    "vh",
    "med vennlig hilsen",
    "vennlig hilsen",
    "beste hilsen",
    "hilsen",
    "med vänlig hälsning",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "vänlig hälsning",
    "hälsningar",
    "kind regards",
    "best regards",
    "warm regards",
    "regards",
    "yours sincerely",
    "yours faithfully",
    "sincerely",
    "best wishes",
    "many thanks",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "liebe grüße",
    "schöne grüße",
    "gruß",
    "gruss",
    "grüße",
    "mfg",
];

/// Whether the letter ends above this line: it signs off, or it is the two dashes of RFC 3676 §4.3.
#[must_use]
pub fn ends_letter(line: &str) -> bool {
    is_dashes(line) || signs_off(line)
}

/// The line of two dashes that stands above a signature (RFC 3676 §4.3); its blank is lost on the way now and then.
#[must_use]
pub fn is_dashes(line: &str) -> bool {
    line.trim_end() == "--"
}

/// Whether a line is a sign-off, with a name behind it at most.
#[must_use]
pub fn signs_off(line: &str) -> bool {
    let line = bare(line).trim_end_matches([',', '.', '!']).to_lowercase();
    SIGN_OFFS.iter().any(|words| {
        line == *words || line.strip_prefix(words).is_some_and(|rest| rest.starts_with([',', ' ']) && rest.split_whitespace().count() < 5)
    })
}

/// A line without the marks of quotation before it.
#[must_use]
pub fn bare(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t', '|']).trim_end()
}
