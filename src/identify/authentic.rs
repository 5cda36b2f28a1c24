//! Did the From domain authenticate? (POLICY fact 2, DESIGN §5 `[authentication]`, RFC 8601.)

use crate::parse::{AuthenticationResults, Author, Mail, MethodResult};
use crate::words::{Domain, EmailAddress};

/// Whether the From domain authenticated (POLICY fact 2). Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentic {
    /// It did, or the check is off.
    Pass,
    /// Nobody whom we trust said anything.
    None,
    /// It did not.
    Fail,
}

impl Authentic {
    /// The code in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::None => "none",
            Self::Fail => "fail",
        }
    }
}

/// Setting `[authentication]`: whose word counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The receiving server's `Authentication-Results`.
    TrustedHeader {
        /// Which fields are that server's.
        server: TrustedServer,
        /// Only fields above the n-th `Received` line from the top count: below it, anybody may have written them.
        own_hops: usize,
    },
    /// Nobody's: every From counts as authentic.
    Off,
}

/// How the trusted server's fields are told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedServer {
    /// By its authserv-id.
    Named(String),
    /// Microsoft 365 writes none; its fields are those without one.
    Microsoft365,
    /// `mx.google.com`.
    GoogleWorkspace,
}

impl TrustedServer {
    fn wrote(&self, field: &AuthenticationResults) -> bool {
        match self {
            Self::Named(id) => field.authserv_id.as_deref().is_some_and(|written| written.eq_ignore_ascii_case(id)),
            Self::Microsoft365 => field.authserv_id.is_none(),
            Self::GoogleWorkspace => field.authserv_id.as_deref().is_some_and(|written| written.eq_ignore_ascii_case("mx.google.com")),
        }
    }
}

impl Authentication {
    /// What may be believed of this mail's From. Without one sound From it is `fail` in every mode.
    #[must_use]
    pub fn judge(&self, mail: &Mail) -> Authentic {
        let Author::One { address, .. } = &mail.author else { return Authentic::Fail };
        match self {
            Self::Off => Authentic::Pass,
            // "Fewer lines: none": a mail that did not come through our hops has no field of theirs.
            Self::TrustedHeader { own_hops, .. } if mail.received_count < *own_hops => Authentic::None,
            Self::TrustedHeader { server, own_hops } => {
                let ours = mail.authentication_results.iter().filter(|field| field.received_above < *own_hops && server.wrote(field));
                merged(ours, address)
            }
        }
    }
}

/// The worst per method between fields; within one field of several signatures the best (POLICY fact 2).
fn merged<'a>(fields: impl Iterator<Item = &'a AuthenticationResults>, from: &EmailAddress) -> Authentic {
    let (mut dmarc, mut dkim, mut spf) = (Authentic::Pass, Authentic::Pass, Authentic::Pass);
    let (mut has_dmarc, mut has_dkim, mut has_spf) = (false, false, false);
    let mut undecided = false;
    for field in fields {
        // `dmarc=none`, `temperror` and the like decide nothing, but they are a result: somebody looked and could not vouch.
        undecided |= field.results.iter().any(|result| result.method == "dmarc");
        for (method, seen, worst) in
            [("dmarc", &mut has_dmarc, &mut dmarc), ("dkim", &mut has_dkim, &mut dkim), ("spf", &mut has_spf, &mut spf)]
        {
            if let Some(best) = field.results.iter().filter(|r| r.method == method).filter_map(|r| speaks(r, from)).min() {
                *seen = true;
                *worst = (*worst).max(best);
            }
        }
    }
    if has_dmarc {
        return dmarc;
    }
    match (has_dkim.then_some(dkim), has_spf.then_some(spf)) {
        (None, None) if !undecided => Authentic::None,
        (dkim, spf) if dkim == Some(Authentic::Pass) || spf == Some(Authentic::Pass) => Authentic::Pass,
        _ => Authentic::Fail,
    }
}

/// What one result says of the From domain. A dmarc result without an opinion (`none`, `temperror`, …) leaves the word to the others.
fn speaks(result: &MethodResult, from: &EmailAddress) -> Option<Authentic> {
    let passed = result.result == "pass";
    let property =
        |names: &[&str]| result.properties.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str());
    let pass_if = |aligned: bool| Some(if passed && aligned { Authentic::Pass } else { Authentic::Fail });
    match result.method.as_str() {
        "dmarc" if passed || result.result == "fail" => {
            // A pass for another domain than this From's proves nothing about this From.
            pass_if(property(&["header.from"]).is_none_or(|domain| names_domain(domain, from)))
        }
        "dkim" => pass_if(property(&["header.d", "header.i"]).is_some_and(|domain| names_domain(domain, from))),
        "spf" => pass_if(property(&["smtp.mailfrom", "smtp.mail"]).is_some_and(|domain| names_domain(domain, from))),
        _ => None,
    }
}

/// Whether a property (`example.nl`, `@example.nl`, `a@example.nl`) names a domain aligned with From's (RFC 7489 §3.1, relaxed).
fn names_domain(value: &str, from: &EmailAddress) -> bool {
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    domain.parse::<Domain>().is_ok_and(|domain| domain.is_aligned_with(from.domain()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "mx.desk.example";

    fn result(text: &str) -> MethodResult {
        let mut words = text.split(' ');
        let (method, result) = words.next().unwrap().split_once('=').unwrap();
        let properties = words.map(|w| w.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned())).unwrap()).collect();
        MethodResult { method: method.to_owned(), result: result.to_owned(), properties }
    }

    fn field(received_above: usize, results: &[&str]) -> AuthenticationResults {
        AuthenticationResults { authserv_id: Some(ID.to_owned()), received_above, results: results.iter().map(|r| result(r)).collect() }
    }

    fn judge(fields: Vec<AuthenticationResults>) -> Authentic {
        let author = Author::One { address: "a@good.example".parse().unwrap(), name: String::new().into() };
        let mail = Mail { author, authentication_results: fields, received_count: 2, ..Mail::default() };
        Authentication::TrustedHeader { server: TrustedServer::Named(ID.to_owned()), own_hops: 1 }.judge(&mail)
    }

    #[test]
    fn dmarc_decides_where_there_is_a_result() {
        assert_eq!(judge(vec![field(0, &["dmarc=pass header.from=good.example", "spf=fail smtp.mailfrom=x.example"])]), Authentic::Pass);
        assert_eq!(judge(vec![field(0, &["dmarc=fail header.from=good.example", "dkim=pass header.d=good.example"])]), Authentic::Fail);
        assert_eq!(judge(vec![field(0, &["dmarc=none header.from=good.example", "dkim=pass header.d=good.example"])]), Authentic::Pass);
        assert_eq!(judge(vec![field(0, &["dmarc=pass header.from=evil.example"])]), Authentic::Fail);
        assert_eq!(judge(vec![field(0, &["dmarc=temperror header.from=good.example"])]), Authentic::Fail);
    }

    #[test]
    fn without_dmarc_one_aligned_pass_is_enough_and_an_unaligned_one_is_not() {
        assert_eq!(
            judge(vec![field(0, &["spf=pass smtp.mailfrom=bounce@mail.good.example", "dkim=fail header.d=good.example"])]),
            Authentic::Pass
        );
        assert_eq!(judge(vec![field(0, &["spf=pass smtp.mailfrom=evil.example"])]), Authentic::Fail);
        assert_eq!(judge(vec![field(0, &["dkim=pass header.d=list.example", "dkim=pass header.d=good.example"])]), Authentic::Pass);
        assert_eq!(judge(vec![]), Authentic::None);
    }

    #[test]
    fn fields_that_disagree_count_at_their_worst_and_forged_ones_not_at_all() {
        let (pass, fail) = (["dmarc=pass header.from=good.example"], ["dmarc=fail header.from=good.example"]);
        assert_eq!(judge(vec![field(0, &pass), field(0, &fail)]), Authentic::Fail);
        assert_eq!(judge(vec![field(1, &pass)]), Authentic::None);
        let stranger = AuthenticationResults { authserv_id: Some("mx.evil.example".to_owned()), ..field(0, &pass) };
        assert_eq!(judge(vec![stranger]), Authentic::None);
    }

    #[test]
    fn nobody_is_never_authentic() {
        assert_eq!(Authentication::Off.judge(&Mail::default()), Authentic::Fail);
    }
}
