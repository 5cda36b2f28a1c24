//! Indirect personal data in monitoring mail (POLICY "Indirect data"): addresses of the net, names of computers and of
//! users. They are no reason to refuse a mail; where a desk says so, stand-ins take their place.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::words::Domain;

/// What a stand-in stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Indirect {
    /// An IPv4 or IPv6 address.
    Ip,
    /// A computer's name, or the address of its network card.
    Computer,
    /// A user's name.
    User,
}

impl Indirect {
    /// The word in the stand-in.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Computer => "computer",
            Self::User => "user",
        }
    }
}

/// What names a computer or a user when a value follows, in six languages.
const COMPUTER_WORDS: &str = "host|hostname|host name|server|servername|computer|computername|computer name|machine|node|nodename|device|workstation|\
    werkplek|werkstation|toestel|apparaat|vært|værtsnavn|arbejdsstation|maskine|enhed|vert|vertsnavn|arbeidsstasjon|maskin|enhet|värd|värdnamn|dator|\
    datornamn|arbetsstation|rechner|rechnername|arbeitsplatz|gerät|endpoint|client|agent";
const USER_WORDS: &str = "user|username|user name|user id|userid|uid|login|logon|account|account name|subject_user|samaccountname|upn|gebruiker|\
    gebruikersnaam|inlognaam|bruger|brugernavn|bruker|brukernavn|användare|användarnamn|konto|benutzer|benutzername|benutzerkennung|anmeldename|konto-id";

/// Words before a number of four parts that is no address: "version 10.2.3.4".
const VERSION_WORDS: &[&str] =
    &["version", "versie", "versjon", "versionen", "release", "build", "firmware", "revision", "rev", "ver", "v"];

/// What a user does, behind whose name: "user kari logged in".
const USER_DOES: &str = "logged|signed|was locked|is locked|has logged|failed|is ingelogd|is aangemeld|is geblokkeerd|heeft ingelogd|loggede|er logget|er låst|\
    logget|loggade|loggat|är låst|är inloggad|hat sich|meldete|ist gesperrt|wurde gesperrt|ist angemeldet";

struct Patterns {
    network_card: Regex,
    ipv6: Regex,
    ipv4: Regex,
    mail_address: Regex,
    home: Regex,
    domain_user: Regex,
    named_user: Regex,
    told_user: Regex,
    acting_user: Regex,
    shaped_user: Regex,
    numbered_user: Regex,
    share: Regex,
    named_computer: Regex,
    shaped_computer: Regex,
    host: Regex,
}

/// None only if a pattern were broken, which the tests would tell.
static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).ok();
    Some(Patterns {
        network_card: pattern(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b")?,
        ipv6: pattern(r"(?P<before>^|[^\w:.])(?P<value>[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*|[0-9A-Fa-f]{1,4}::)(?P<zone>%\w+)?")?,
        ipv4: pattern(r"(?P<before>^|[^\w.]|\D\.)(?P<value>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?P<after>$|[^\w.]|\.(?:\D|$))")?,
        mail_address: pattern(r"\b(?P<value>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)\b")?,
        home: pattern(r"(?i)(?P<before>/home/|/users/|\\users\\|/var/mail/)(?P<value>[\w.$-]+)")?,
        domain_user: pattern(r"(?P<before>\b[A-Z][A-Z0-9-]{1,14}\\)(?P<value>[A-Za-z0-9][\w.$-]*)")?,
        named_user: pattern(&format!(r#"(?i)(?P<before>\b(?:{USER_WORDS})\s*(?:[:=]\s*["'„“]?|["'„“]))(?P<value>[\w.$-]*\w\$?)"#))?,
        // As sshd, sudo and PAM write: "Failed password for kari from", "session opened for user kari(uid=1000)".
        told_user: pattern(
            r"(?i)(?P<before>\b(?:(?:password|publickey|gssapi[\w-]*|keyboard-interactive[\w/]*)\s+for\s+(?:invalid\s+user\s+)?|(?:for|by|of|as)\s+(?:invalid\s+)?user\s+))(?P<value>[\w.$-]*\w)",
        )?,
        acting_user: pattern(&format!(r"(?i)(?P<before>\b(?:{USER_WORDS})\s+)(?P<value>[\w.$-]*\w)(?P<after>\s+(?:{USER_DOES})\b)"))?,
        // A word with a digit, a dot or a low line in it is a name: "account svc_backup".
        shaped_user: pattern(&format!(r"(?i)(?P<before>\b(?:{USER_WORDS})\s+)(?P<value>[a-z][a-z-]*(?:[._]\w|\d)[\w.-]*\b)"))?,
        numbered_user: pattern(r"(?i)(?P<value>[a-z_][\w.$-]*)(?P<after>\(uid=\d+\))")?,
        share: pattern(r"(?P<before>\\\\)(?P<value>[A-Za-z0-9][\w.-]*)")?,
        named_computer: pattern(&format!(r#"(?i)(?P<before>\b(?:{COMPUTER_WORDS})\s*(?:[:=]\s*["'„“]?|["'„“]))(?P<value>\w[\w.-]*\w)"#))?,
        shaped_computer: pattern(
            r"(?i)\b(?P<value>(?:ws|wks|wkst|pc|nb|lt|laptop|desktop|srv|svr|dc|vm|ts|rds|rdp|sql|web|app|db|fs|prn|mx|fw|sw|ap|clt|thin|esx|node|host)-?[a-z0-9]*\d[a-z0-9]*(?:-[a-z0-9]+)*|(?:ws|wks|pc|nb|lt|laptop|desktop|srv|svr|dc|vm|sql|fs)(?:-[a-z0-9]+)+-?\d+[a-z0-9-]*|DESKTOP-[A-Z0-9]{5,})\b",
        )?,
        host: pattern(r"\b(?P<value>[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)\b")?,
    })
});

/// The text with a stand-in for each. `domains` are the organisation's own: whatever lies in them is a computer of theirs.
pub(super) fn masked(text: &str, domains: &[Domain], stand_in: &dyn Fn(Indirect, &str) -> String) -> String {
    let Some(patterns) = PATTERNS.as_ref() else { return String::new() };
    let named = |indirect: Indirect| move |found: &Captures<'_>| put(found, indirect, stand_in);
    let card = patterns
        .network_card
        .replace_all(text, |found: &Captures<'_>| stand_in(Indirect::Computer, found.get(0).map_or("", |m| m.as_str())));
    let addresses = with_addresses(&card, patterns, stand_in);
    let mut text = patterns.mail_address.replace_all(&addresses, named(Indirect::User)).into_owned();
    for (pattern, indirect) in [
        (&patterns.home, Indirect::User),
        (&patterns.share, Indirect::Computer),
        (&patterns.domain_user, Indirect::User),
        (&patterns.numbered_user, Indirect::User),
        (&patterns.named_user, Indirect::User),
        (&patterns.told_user, Indirect::User),
        (&patterns.acting_user, Indirect::User),
        (&patterns.shaped_user, Indirect::User),
        (&patterns.named_computer, Indirect::Computer),
        (&patterns.shaped_computer, Indirect::Computer),
    ] {
        text = pattern.replace_all(&text, named(indirect)).into_owned();
    }
    let own = |found: &Captures<'_>| {
        let host = found.name("value").map_or("", |value| value.as_str());
        let within = |domain: &Domain| host.to_lowercase().strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        if domains.iter().any(within) { put(found, Indirect::Computer, stand_in) } else { host.to_owned() }
    };
    patterns.host.replace_all(&text, own).into_owned()
}

/// Addresses of the net, without port, prefix length or zone, which stay. Neighbours share the sign between them, so it is looked twice.
fn with_addresses(text: &str, patterns: &Patterns, stand_in: &dyn Fn(Indirect, &str) -> String) -> String {
    let mut text = text.to_owned();
    for _ in 0..2 {
        text = patterns
            .ipv6
            .replace_all(&text, |found: &Captures<'_>| {
                let written = group(found, "value");
                let value = written.trim_end_matches('.');
                if value.parse::<Ipv6Addr>().is_err() || !value.contains(|c: char| c.is_ascii_hexdigit()) {
                    return group_all(found);
                }
                let (before, zone, end) = (group(found, "before"), group(found, "zone"), written.strip_prefix(value).unwrap_or_default());
                format!("{before}{}{end}{zone}", stand_in(Indirect::Ip, value))
            })
            .into_owned();
        text = patterns
            .ipv4
            .replace_all(&text, |found: &Captures<'_>| {
                let value = group(found, "value");
                let before = text.get(..found.name("value").map_or(0, |value| value.start())).unwrap_or_default();
                let sound = value.parse::<Ipv4Addr>().is_ok() && !is_version(before);
                if sound { put(found, Indirect::Ip, stand_in) } else { group_all(found) }
            })
            .into_owned();
    }
    text
}

/// Whether the text ends with a word that a version's number follows.
fn is_version(before: &str) -> bool {
    let word = before.trim_end_matches([' ', ':', '=', '.']).rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    VERSION_WORDS.contains(&word.to_lowercase().as_str())
}

fn group<'t>(found: &Captures<'t>, name: &str) -> &'t str {
    found.name(name).map_or("", |group| group.as_str())
}

fn group_all(found: &Captures<'_>) -> String {
    found.get(0).map_or("", |all| all.as_str()).to_owned()
}

/// The match with a stand-in for its value.
fn put(found: &Captures<'_>, indirect: Indirect, stand_in: &dyn Fn(Indirect, &str) -> String) -> String {
    format!("{}{}{}", group(found, "before"), stand_in(indirect, group(found, "value")), group(found, "after"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> String {
        let domains: Vec<Domain> = vec!["waterwolde.example".parse().unwrap()];
        masked(text, &domains, &|indirect, value| format!("<{} {}>", indirect.as_str(), value.len()))
    }

    #[test]
    fn addresses_of_the_net_are_masked_with_and_without_port_brackets_and_length() {
        for (text, left) in [
            ("from 192.0.2.17 to 198.51.100.4:8443.", "from <ip 10> to <ip 12>:8443."),
            ("net 192.0.2.0/24, ping (10.0.0.1)", "net <ip 9>/24, ping (<ip 8>)"),
            ("[2001:db8::17]:443 and 2001:db8:0:0:0:0:0:1/64", "[<ip 12>]:443 and <ip 20>/64"),
            ("fe80::1%eth0 down, ::1 up, ::ffff:192.0.2.1.", "<ip 7>%eth0 down, <ip 3> up, <ip 16>."),
            ("10.0.0.1 10.0.0.2 10.0.0.3", "<ip 8> <ip 8> <ip 8>"),
            (
                "version 1.2.3.4.5 at 12:34:56, std::fs, 999.1.1.1, 21.11.2026",
                "version 1.2.3.4.5 at 12:34:56, std::fs, 999.1.1.1, 21.11.2026",
            ),
            ("card 00:1A:2b:3c:4d:5e", "card <computer 17>"),
            ("Agent version 10.2.3.4, build: 6.1.7.9 on 10.2.3.4", "Agent version 10.2.3.4, build: 6.1.7.9 on <ip 8>"),
        ] {
            assert_eq!(mask(text), left, "{text}");
        }
    }

    #[test]
    fn computers_and_users_are_masked_in_six_languages() {
        for (text, left) in [
            ("Host: app01, gebruiker: jdevries", "Host: <computer 5>, gebruiker: <user 8>"),
            ("Benutzer = 'j.weiss' auf Rechner \"AMT17\"", "Benutzer = '<user 7>' auf Rechner \"<computer 5>\""),
            ("användare: kari Värdnamn: kommun7", "användare: <user 4> Värdnamn: <computer 7>"),
            ("bruker: kari, vert: raadhus", "bruker: <user 4>, vert: <computer 7>"),
            ("CPU of WS-WTW-0123 is high; PC12345 too; DESKTOP-AB12CDE", "CPU of <computer 11> is high; <computer 7> too; <computer 15>"),
            (
                r"WATERWOLDE\jvandam opened C:\Users\jvandam\x from \\filesrv\data",
                r"WATERWOLDE\<user 7> opened C:\Users\<user 7>\x from \\<computer 7>\data",
            ),
            ("zaak.ict.waterwolde.example answers, www.elders.example too", "<computer 27> answers, www.elders.example too"),
            ("login of j.vandam@waterwolde.example failed", "login of <user 27> failed"),
            ("Failed password for kees from 10.0.0.1 port 22", "Failed password for <user 4> from <ip 8> port 22"),
            ("Accepted publickey for invalid user p.smit", "Accepted publickey for invalid user <user 6>"),
            (
                "session opened for user jansen(uid=1000) by kari(uid=0)",
                "session opened for user <user 6>(uid=<user 4>) by <user 4>(uid=<user 1>)",
            ),
            ("User kari logged in; gebruiker kees is aangemeld", "User <user 4> logged in; gebruiker <user 4> is aangemeld"),
            ("Benutzer weiss hat sich abgemeldet, account svc_backup", "Benutzer <user 5> hat sich abgemeldet, account <user 10>"),
            ("Ten users; user 3 of 4; login at 10:15; the user guide", "Ten users; user 3 of 4; login at 10:15; the user guide"),
            ("The disk is full, the user was told, the server restarts", "The disk is full, the user was told, the server restarts"),
        ] {
            assert_eq!(mask(text), left, "{text}");
        }
    }
}
