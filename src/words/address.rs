//! E-mail addresses and domains, checked and folded once.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an address or domain. Carries none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// There is no `@` with something on both sides of it.
    #[error("an address looks like name@domain")]
    Shape,
    /// The local part is not a dot-atom (RFC 5322 §3.2.3): quoted strings, comments and routes are refused.
    #[error("the part before the @ may only hold letters, digits, dots between them and !#$%&'*+/=?^_`{{|}}~-")]
    LocalPart,
    /// The domain is not a host name of at least two labels (RFC 5890, LDH rule, after IDNA).
    #[error("the part after the @ is not a domain name such as gemeente.nl")]
    Domain,
}

/// A domain name as it stands in the DNS: A-labels, lower case, at least two labels, no trailing dot. Two spellings of
/// the same domain are equal; anything that only looks alike is not (THREATS §1 row 7).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// The A-label form, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registrable domain that this one is or lies under, by the public suffix list; none for a public suffix itself.
    #[must_use]
    pub fn registrable(&self) -> Option<&str> {
        psl::domain_str(&self.0)
    }

    /// Whether both belong to one registrable domain ("relaxed" alignment, RFC 7489 §3.1).
    #[must_use]
    pub fn is_aligned_with(&self, other: &Self) -> bool {
        self == other || matches!((self.registrable(), other.registrable()), (Some(a), Some(b)) if a == b)
    }
}

impl FromStr for Domain {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.ends_with('.') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NotAnAddress::Domain);
        }
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| NotAnAddress::Domain)?;
        let labels_are_sound = ascii.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
        let names_a_host = ascii.rsplit('.').next().is_some_and(|top| top.bytes().any(|b| b.is_ascii_lowercase()));
        if labels_are_sound && names_a_host && ascii.contains('.') && ascii.len() <= 253 {
            Ok(Self(ascii))
        } else {
            Err(NotAnAddress::Domain)
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

/// A bare mailbox address: dot-atom local part in lower case, and a [`Domain`]. Personal data: Debug hides it, and
/// there is no Display; [`EmailAddress::reveal`] gives the text.
///
/// The local part is folded to lower case because every mail system that our customers run does so; two addresses that
/// differ in case only are one person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    text: String,
    local_length: usize,
    domain: Domain,
}

impl EmailAddress {
    /// The whole address, folded: for the database, an envelope or a comparison, never for a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The part before the @, folded.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.text.get(..self.local_length).unwrap_or_default()
    }

    /// The part after the @.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        // RFC 5321 §4.1.2: the domain begins after the last @; a dot-atom has none of its own, so more than one is refused below.
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(NotAnAddress::Shape);
        }
        let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        if local.len() > 64 || !local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext)) {
            return Err(NotAnAddress::LocalPart);
        }
        let domain: Domain = domain.parse()?;
        let local = local.to_ascii_lowercase();
        Ok(Self { text: format!("{local}@{domain}"), local_length: local.len(), domain })
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<EmailAddress, NotAnAddress> {
        text.parse()
    }

    #[test]
    fn one_person_has_one_address_whatever_the_case_or_script_of_the_domain() {
        assert_eq!(address("A.deVries@GEMEENTE.example"), address("a.devries@gemeente.example"));
        assert_eq!(address("a@strandköping.example"), address("a@XN--STRANDKPING-XFB.example"));
    }

    #[test]
    fn what_only_looks_like_an_address_is_none() {
        for text in [
            "",
            "@",
            "a@",
            "@b.nl",
            "a",
            "a b@ok.nl",
            "\"a b\"@ok.nl",
            "@x.nl:a@ok.nl",
            "a@good.nl@evil.nl",
            "a..b@ok.nl",
            ".a@ok.nl",
            "a@ok.nl.",
            "a@ok",
            "a@-ok.nl",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a\0@ok.nl",
            "a@ok.nl\r\nBcc: c@d.nl",
            "\u{0430}@ok.nl",
            "a@xn--a.nl",
            "a@ok_.nl",
        ] {
            assert!(address(text).is_err(), "{text:?} was taken for an address");
        }
    }

    #[test]
    fn a_cyrillic_copy_of_a_domain_is_another_domain() {
        assert_ne!("gemeent\u{0435}.nl".parse::<Domain>(), "gemeente.nl".parse::<Domain>());
    }

    #[test]
    fn alignment_is_by_registrable_domain() {
        let d = |t: &str| t.parse::<Domain>().unwrap();
        assert!(d("mail.gemeente.nl").is_aligned_with(&d("gemeente.nl")));
        assert!(!d("a.co.uk").is_aligned_with(&d("b.co.uk")));
        assert!(!d("gemeente.nl.evil.test").is_aligned_with(&d("gemeente.nl")));
    }

    #[test]
    fn debug_hides_the_person() {
        assert!(!format!("{:?}", address("a@b.nl")).contains("a@b"));
    }
}
