//! Readers of single values: each gives the value or says what is wrong with it and how to write it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::section::{Wrong, nearest};
use super::tree::{Node, Value};
use crate::mailbox::{FolderName, Tls};
use crate::words::{Country, Domain, EmailAddress, Language, Term};

/// Text that is not empty and has no control characters (they could smuggle a header line or a command).
pub(super) fn text(node: &Node) -> Result<String, Wrong> {
    let text = match &node.value {
        Value::Text(text) | Value::Variable(text) => text,
        other => return Err(Wrong::new(format!("must be text in quotes, not {}", other.name()), "Put the value in \"double quotes\".")),
    };
    if text.trim().is_empty() {
        return Err(Wrong::new("is empty", "Fill it in, or leave the line out if the key is optional."));
    }
    if text.chars().any(char::is_control) {
        return Err(Wrong::new("holds a control character, such as a line break or a tab", "Write it on one line."));
    }
    Ok(text.clone())
}

/// One word of a short list.
pub(super) fn one_of<T: Copy>(choices: &[(&'static str, T)]) -> impl Fn(&Node) -> Result<T, Wrong> {
    move |node| {
        let word = text(node)?;
        choices.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            let all = known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
            match nearest(&word, known.iter().copied()) {
                Some(meant) => Wrong::new(format!("must be one of {all}"), format!("Did you mean \"{meant}\"?")),
                None => Wrong { message: format!("must be one of {all}"), suggestion: None },
            }
        })
    }
}

/// `true` or `false`.
pub(super) fn flag(node: &Node) -> Result<bool, Wrong> {
    match &node.value {
        Value::Flag(flag) => Ok(*flag),
        Value::Variable(text) if text == "true" => Ok(true),
        Value::Variable(text) if text == "false" => Ok(false),
        other => Err(Wrong::new(format!("must be true or false, not {}", other.name()), "Write true or false without quotes.")),
    }
}

/// An address and a port, such as in the example.
pub(super) fn socket(example: &str) -> impl Fn(&Node) -> Result<SocketAddr, Wrong> {
    move |node| text(node)?.parse().map_err(|_| Wrong::new("must be an address and a port", format!("Write it like \"{example}\".")))
}

/// A whole number from `least` to `most`.
pub(super) fn number(least: u32, most: u32) -> impl Fn(&Node) -> Result<u32, Wrong> {
    move |node| {
        let number = match &node.value {
            Value::Integer(number) => number.and_then(|n| u32::try_from(n).ok()),
            Value::Variable(text) => text.trim().parse().ok(),
            other => {
                return Err(Wrong::new(format!("must be a whole number, not {}", other.name()), "Write the number without quotes."));
            }
        };
        number
            .filter(|n| (least..=most).contains(n))
            .ok_or_else(|| Wrong { message: format!("must be a whole number from {least} to {most}"), suggestion: None })
    }
}

/// A TCP port.
pub(super) fn port(node: &Node) -> Result<u16, Wrong> {
    number(1, u32::from(u16::MAX))(node).map(|port| u16::try_from(port).unwrap_or(u16::MAX))
}

/// A day, written bare as TOML's local date.
pub(super) fn date(node: &Node) -> Result<Date, Wrong> {
    let wrong = |message: &str| Wrong::new(message, "Write the day without quotes and without a time, like 2026-12-31.");
    match &node.value {
        Value::Date(written) => {
            let (Some(day), None, None) = (written.date, written.time, written.offset) else {
                return Err(wrong("must be a day without a time"));
            };
            let parts = (i16::try_from(day.year), i8::try_from(day.month), i8::try_from(day.day));
            let (Ok(year), Ok(month), Ok(day)) = parts else { return Err(wrong("is not a day of the calendar")) };
            Date::new(year, month, day).map_err(|_| wrong("is not a day of the calendar"))
        }
        other => Err(wrong(&format!("must be a day, not {}", other.name()))),
    }
}

/// A number followed by a unit.
fn quantity(node: &Node, units: &[(&str, u64)], example: &str) -> Result<u64, Wrong> {
    let write = || format!("Write the number and its unit in quotes, like {example}.");
    let written = match &node.value {
        Value::Text(text) | Value::Variable(text) => text.trim(),
        Value::Integer(_) => return Err(Wrong::new("needs a unit", write())),
        other => return Err(Wrong::new(format!("must be a number with its unit, not {}", other.name()), write())),
    };
    let end = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (digits, unit) = written.split_at_checked(end).unwrap_or_default();
    let unit = unit.trim();
    if digits.is_empty() {
        return Err(Wrong::new("must begin with a whole number", write()));
    }
    if unit.is_empty() {
        return Err(Wrong::new("needs a unit", write()));
    }
    let Some((_, factor)) = units.iter().find(|(known, _)| known.eq_ignore_ascii_case(unit)) else {
        let known = units.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        return Err(Wrong::new(format!("has a unit that is none of {known}"), write()));
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(*factor)).ok_or_else(|| Wrong::new("is too large", write()))
}

/// Bytes: "50 MB", "256 KiB". From 1 KiB to 500 MB, the largest literal an IMAP session takes.
pub(super) fn size(node: &Node) -> Result<u64, Wrong> {
    const UNITS: &[(&str, u64)] =
        &[("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let bytes = quantity(node, UNITS, "\"50 MB\" or \"256 KiB\"")?;
    if (1_024..=500_000_000).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(Wrong { message: "must be between \"1 KiB\" and \"500 MB\"".to_owned(), suggestion: None })
    }
}

/// Room on a disk: "1 GiB", "20 GB"; "0 B" is none.
pub(super) fn room(node: &Node) -> Result<u64, Wrong> {
    const UNITS: &[(&str, u64)] = &[
        ("B", 1),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    quantity(node, UNITS, "\"1 GiB\" or \"20 GB\"")
}

/// A time span: "60 s", "5 min". From one second to a day.
pub(super) fn duration(node: &Node) -> Result<Duration, Wrong> {
    const UNITS: &[(&str, u64)] = &[("s", 1), ("min", 60), ("h", 3600)];
    let seconds = quantity(node, UNITS, "\"60 s\" or \"5 min\"")?;
    if (1..=86_400).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(Wrong { message: "must be between \"1 s\" and \"24 h\"".to_owned(), suggestion: None })
    }
}

/// How long something is kept: "30 days", "3 months", "5 years".
pub(super) fn term(node: &Node) -> Result<Term, Wrong> {
    const WRITE: &str = "Write the number and days, weeks, months or years in quotes, like \"3 months\".";
    let wrong = || Wrong::new("must be a number of days, weeks, months or years", WRITE);
    match &node.value {
        Value::Text(text) | Value::Variable(text) => text.parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// A time of day: "03:30".
pub(super) fn time_of_day(node: &Node) -> Result<Time, Wrong> {
    let wrong = || Wrong::new("must be a time of day", "Write hours and minutes in quotes, like \"03:30\".");
    let text = text(node)?;
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| digits.parse().ok().filter(|_| digits.len() == 2).ok_or_else(wrong);
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| wrong())
}

/// A day of every year: "01-02".
pub(super) fn day_of_year(node: &Node) -> Result<(i8, i8), Wrong> {
    let wrong = || Wrong::new("must be a day of the year", "Write month and day in quotes, like \"01-02\".");
    let text = text(node)?;
    // In a year without a 29th of February that one would never come.
    let date: Date = format!("2026-{text}").parse().map_err(|_| wrong())?;
    Ok((date.month(), date.day()))
}

/// A bare e-mail address.
pub(super) fn address(node: &Node) -> Result<EmailAddress, Wrong> {
    let written = text(node)?;
    if let Some((_, inner)) = written.rsplit_once('<')
        && let Some(inner) = inner.strip_suffix('>')
        && inner.parse::<EmailAddress>().is_ok()
    {
        return Err(Wrong::new("must be the bare address", "Leave out the name and the angle brackets."));
    }
    written.parse().map_err(|reason: crate::words::NotAnAddress| Wrong {
        message: "is not an e-mail address".to_owned(),
        suggestion: Some(sentence(&reason.to_string())),
    })
}

/// A mail domain.
pub(super) fn domain(node: &Node) -> Result<Domain, Wrong> {
    let written = text(node)?;
    if written.contains('*') {
        return Err(Wrong::new(
            "holds a wildcard",
            "List each subdomain by its full name: a wildcard would let in hosts that nobody thought of.",
        ));
    }
    if let Some(rest) = written.strip_prefix('@') {
        return Err(Wrong::new("begins with an @", format!("Write `{}`.", shown(rest))));
    }
    if written.contains('@') {
        return Err(Wrong::new("is an address, not a domain", "Write only the part after the @."));
    }
    written.parse().map_err(|_| {
        Wrong::new("is not a domain name", "Write it like \"voorbeeldstad.nl\", without https:// and without a dot at the end.")
    })
}

/// The zone that says when a day begins.
pub(super) fn timezone(node: &Node) -> Result<TimeZone, Wrong> {
    let name = text(node)?;
    TimeZone::get(&name).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
        let by_city = || {
            let city = name.to_lowercase().replace(' ', "_");
            known.iter().map(String::as_str).find(|zone| zone.to_lowercase().rsplit('/').next() == Some(city.as_str()))
        };
        let meant = nearest(&name, known.iter().map(String::as_str)).or_else(by_city).unwrap_or("Europe/Amsterdam");
        Wrong::new("is not a time zone of the tz database", format!("Did you mean \"{meant}\"?"))
    })
}

/// A language of our replies.
pub(super) fn language(node: &Node) -> Result<Language, Wrong> {
    const OTHERWISE: &[(&str, Language)] = &[
        ("no", Language::Nb),
        ("nn", Language::Nb),
        ("nor", Language::Nb),
        ("norsk", Language::Nb),
        ("norwegian", Language::Nb),
        ("dk", Language::Da),
        ("dan", Language::Da),
        ("dansk", Language::Da),
        ("danish", Language::Da),
        ("se", Language::Sv),
        ("swe", Language::Sv),
        ("svenska", Language::Sv),
        ("swedish", Language::Sv),
        ("gb", Language::En),
        ("uk", Language::En),
        ("eng", Language::En),
        ("english", Language::En),
        ("nld", Language::Nl),
        ("dutch", Language::Nl),
        ("nederlands", Language::Nl),
        ("be", Language::Nl),
        ("ger", Language::De),
        ("deu", Language::De),
        ("german", Language::De),
        ("deutsch", Language::De),
    ];
    code(node, "is not a language that we answer in", OTHERWISE, Language::ALL, Language::as_str)
}

/// A country whose identity numbers are known.
pub(super) fn country(node: &Node) -> Result<Country, Wrong> {
    const OTHERWISE: &[(&str, Country)] = &[
        ("uk", Country::Gb),
        ("en", Country::Gb),
        ("da", Country::Dk),
        ("nb", Country::No),
        ("sv", Country::Se),
        ("netherlands", Country::Nl),
        ("nld", Country::Nl),
    ];
    code(node, "is not a country whose identity numbers are known", OTHERWISE, Country::ALL, Country::as_str)
}

fn code<T: Copy>(node: &Node, wrong: &str, otherwise: &[(&str, T)], all: &[T], as_str: fn(T) -> &'static str) -> Result<T, Wrong> {
    let written = text(node)?;
    if let Some(known) = all.iter().find(|known| as_str(**known) == written) {
        return Ok(*known);
    }
    let lower = written.to_lowercase();
    let start = lower.split(['-', '_']).next().unwrap_or_default();
    let meant = all.iter().copied().find(|known| as_str(*known) == start);
    let meant = meant.or_else(|| otherwise.iter().find(|(other, _)| *other == lower || *other == start).map(|(_, known)| *known));
    let codes = all.iter().map(|known| as_str(*known)).collect::<Vec<_>>().join(", ");
    Err(match meant {
        Some(known) => Wrong::new(wrong, format!("Did you mean \"{}\"?", as_str(known))),
        None => Wrong::new(wrong, format!("Choose one of {codes}.")),
    })
}

/// A folder of a mailbox.
pub(super) fn folder(node: &Node) -> Result<FolderName, Wrong> {
    let control = |c: char| c.is_control();
    if let Value::Text(text) | Value::Variable(text) = &node.value
        && text.contains(control)
    {
        return Err(Wrong::new("holds a control character", "A folder's name is one line of text without line breaks or tabs."));
    }
    text(node)?.parse().map_err(|reason: crate::mailbox::NotAFolderName| Wrong {
        message: "is not a folder's name".to_owned(),
        suggestion: Some(sentence(&reason.to_string())),
    })
}

/// Transport security.
pub(super) fn tls(node: &Node) -> Result<Tls, Wrong> {
    one_of(&[("implicit", Tls::Implicit), ("starttls", Tls::StartTls), ("none", Tls::None)])(node)
}

/// A host name or IP address, without scheme and port.
pub(super) fn host(node: &Node) -> Result<String, Wrong> {
    let host = text(node)?;
    if host.contains("://") || host.contains('/') {
        return Err(Wrong::new("must be a bare host name", "Leave out the scheme and the path: `host = \"mail.example.nl\"`."));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    if host.contains(':') {
        return Err(Wrong::new("must be a bare host name", "Write the port on a line of its own: `port = 993`."));
    }
    let sound = host.len() <= 253
        && host
            .trim_end_matches('.')
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'));
    if sound { Ok(host) } else { Err(Wrong::new("is not a host name", "Write it like \"mail.example.nl\".")) }
}

/// Whether a host is this machine itself, by its name or number.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An https address, or http to this machine itself. As written, so that replies show what the admin wrote.
pub(super) fn web_address(node: &Node) -> Result<String, Wrong> {
    let written = text(node)?;
    let wrong = |message: &str| Wrong::new(message, "Write it like \"https://portal.example.nl\".");
    if written.contains(char::is_whitespace) {
        return Err(wrong("must be a web address without blanks"));
    }
    let url = reqwest::Url::parse(&written).map_err(|_| wrong("must be a full web address"))?;
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err(wrong("must be a full web address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a user name or a password"));
    }
    match url.scheme() {
        "https" => Ok(written),
        "http" if is_loopback(host) => Ok(written),
        "http" => Err(wrong("must begin with https://: what is sent there is personal")),
        _ => Err(wrong("must begin with https://")),
    }
}

/// A path of something that is used later, by whatever process from whatever directory: absolute; a relative one counts from `base`.
pub(super) fn place(base: &Path) -> impl Fn(&Node) -> Result<PathBuf, Wrong> {
    let path = path(base);
    move |node| {
        let path = path(node)?;
        Ok(std::path::absolute(&path).unwrap_or(path))
    }
}

/// A file with a secret. One of systemd's credentials, `/run/credentials/UNIT/NAME`, is taken from where this process has its own
/// (systemd.exec(5), `$CREDENTIALS_DIRECTORY`): a command that is run with the service's credentials finds them, too.
pub(super) fn secret_file(base: &Path) -> impl Fn(&Node) -> Result<PathBuf, Wrong> {
    let place = place(base);
    move |node| {
        let path = place(node)?;
        let own = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let name = path.strip_prefix("/run/credentials").ok().and_then(Path::file_name);
        Ok(own.zip(name).map(|(own, name)| own.join(name)).unwrap_or(path))
    }
}

/// A path as complaints name it; a relative one counts from `base`.
pub(super) fn path(base: &Path) -> impl Fn(&Node) -> Result<PathBuf, Wrong> {
    move |node| {
        let written = text(node)?;
        if written.starts_with('~') {
            return Err(Wrong::new("begins with ~, which only a shell understands", "Write the directory in full."));
        }
        Ok(base.join(written))
    }
}

/// The name of an environment variable.
pub(super) fn variable(node: &Node) -> Result<String, Wrong> {
    let name = text(node)?;
    let sound = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if sound {
        Ok(name)
    } else {
        Err(Wrong::new(
            "is not the name of an environment variable",
            "Write the variable's name, not the password: `password_env = \"IMAP_PASSWORD\"`.",
        ))
    }
}

/// What may stand in a message of what somebody wrote.
pub(super) fn shown(written: &str) -> String {
    written.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// A reason as a sentence of its own.
pub(super) fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Why a file cannot be used, in words.
pub(super) fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not".to_owned(),
        other => other.to_string(),
    }
}
