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
    /// Our own check of the mail's signatures by DNS: the room `verify` makes it, this room only knows that it is to be made.
    Verify,
    /// Nobody's: every From counts as authentic.
    Off,
}

/// How the trusted server's fields are told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedServer {
    /// By its authserv-id.
    Named(String),
    /// Microsoft 365 writes none; its fields are those without one. Between them and the top lie as many `Received` lines as
    /// the mail has passed machines inside. The field stands right above the line that a border (`….mail.protection.outlook.com`) wrote; its results are
    /// described in Microsoft's "Anti-spam message headers in Microsoft 365". Seen so in whole headers that others published, of 2019 and 2021
    /// (with the recipient's domain as a segment of its own between the results) and of 2026 (without, and with one result for each DKIM
    /// signature).
    Microsoft365,
    /// `mx.google.com`, which writes its results right *below* its own `Received` line, after Received-SPF. Seen so in headers of 2019 to 2026 that the public archives
    /// of mailing lists keep (lore.kernel.org). What stands above that line is `ARC-Authentication-Results`, which does not count.
    GoogleWorkspace,
}

impl TrustedServer {
    fn wrote(&self, field: &AuthenticationResults) -> bool {
        let named = |id: &str| field.authserv_id.as_deref().is_some_and(|written| written.eq_ignore_ascii_case(id));
        match self {
            Self::Named(id) => named(id),
            Self::Microsoft365 => field.authserv_id.is_none(),
            Self::GoogleWorkspace => named(GOOGLE),
        }
    }

    /// Whether this host is the service's border, where mail comes in from outside: what stands above the topmost line that
    /// a border wrote, the service itself wrote.
    fn is_border(&self, host: &str) -> bool {
        match self {
            Self::Named(_) => false,
            Self::Microsoft365 => host.ends_with(".mail.protection.outlook.com"),
            Self::GoogleWorkspace => host == GOOGLE,
        }
    }

    /// The fields of this server that nobody outside can have written.
    fn fields<'m>(&'m self, mail: &'m Mail, own_hops: usize) -> impl Iterator<Item = &'m AuthenticationResults> {
        let border = mail.received_by.iter().position(|host| self.is_border(host)).map(|above| above + 1);
        let inside = own_hops.max(border.unwrap_or_default());
        // Google's own field is the first one below its line; a second one came with the mail.
        let below = mail.authentication_results.iter().find(|field| *self == Self::GoogleWorkspace && Some(field.received_above) == border);
        let above = mail.authentication_results.iter().filter(move |field| field.received_above < inside);
        above.chain(below).filter(|field| self.wrote(field))
    }
}

/// Google's authserv-id and the name of its border.
const GOOGLE: &str = "mx.google.com";

impl Authentication {
    /// What the mail's own header may be believed of its From. Without one sound From it is `fail` in every mode; where an
    /// own check decides, the header says nothing.
    #[must_use]
    pub fn judge(&self, mail: &Mail) -> Authentic {
        let Author::One { address, .. } = &mail.author else { return Authentic::Fail };
        match self {
            Self::Off => Authentic::Pass,
            Self::Verify => Authentic::None,
            // "Fewer lines: none": a mail that did not come through our hops has no field of theirs.
            Self::TrustedHeader { own_hops, .. } if mail.received_by.len() < *own_hops => Authentic::None,
            Self::TrustedHeader { server, own_hops } => merged(server.fields(mail, *own_hops), address),
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
    let property = |wanted: &str| result.properties.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let pass_if = |aligned: bool| Some(if passed && aligned { Authentic::Pass } else { Authentic::Fail });
    match result.method.as_str() {
        "dmarc" if passed || result.result == "fail" => {
            // A pass for another domain than this From's proves nothing about this From.
            pass_if(property("header.from").is_none_or(|domain| names_domain(domain, from)))
        }
        // The signing domain counts (RFC 7489 §3.1.1); who is said to sign within it stands for it only where a server does not name it.
        "dkim" => pass_if(property("header.d").or_else(|| property("header.i")).is_some_and(|domain| names_domain(domain, from))),
        "spf" => pass_if(property("smtp.mailfrom").or_else(|| property("smtp.mail")).is_some_and(|domain| names_domain(domain, from))),
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
        let mail = Mail { author, authentication_results: fields, received_by: vec![String::new(); 2], ..Mail::default() };
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
        assert_eq!(judge(vec![field(0, &["dkim=pass header.i=a@good.example"])]), Authentic::Pass);
        assert_eq!(judge(vec![field(0, &["dkim=pass header.i=a@good.example header.d=evil.example"])]), Authentic::Fail);
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

    /// A mail with these hosts in its Received lines and these fields, each with the number of lines above it.
    fn through(server: TrustedServer, hosts: &[&str], fields: &[(usize, Option<&str>, &str)]) -> Authentic {
        let author = Author::One { address: "a@good.example".parse().unwrap(), name: String::new().into() };
        let fields = fields.iter().map(|(above, id, said)| AuthenticationResults {
            authserv_id: id.map(str::to_owned),
            received_above: *above,
            results: vec![result(said)],
        });
        let mail = Mail {
            author,
            authentication_results: fields.collect(),
            received_by: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Mail::default()
        };
        Authentication::TrustedHeader { server, own_hops: 1 }.judge(&mail)
    }

    const PASS: &str = "dmarc=pass header.from=good.example";
    const FAIL: &str = "dmarc=fail header.from=good.example";
    const OPEN: &str = "dmarc=none header.from=good.example";

    #[test]
    fn microsoft_365_counts_down_to_its_border() {
        let judge = |hosts: &[&str], fields: &[(usize, Option<&str>, &str)]| through(TrustedServer::Microsoft365, hosts, fields);
        let hosts = ["b.eurprd05.prod.outlook.com", "a.outlook.office365.com", "ft012.mail.protection.outlook.com", "mail.good.example"];
        assert_eq!(judge(&hosts, &[(2, None, PASS)]), Authentic::Pass);
        assert_eq!(judge(&hosts, &[(2, None, OPEN), (3, None, PASS)]), Authentic::Fail, "what came with the mail stands below the border");
        assert_eq!(judge(&hosts, &[(2, Some("mx.good.example"), PASS)]), Authentic::None);
        // A border's line that came with the mail changes nothing: the topmost one counts.
        let forged = [hosts[0], hosts[1], hosts[2], "ft099.mail.protection.outlook.com"];
        assert_eq!(judge(&forged, &[(2, None, FAIL), (3, None, PASS)]), Authentic::Fail);
        assert_eq!(judge(&["mx.evil-mail.protection.outlook.com.evil.example"], &[(1, None, PASS)]), Authentic::None);
        assert_eq!(judge(&["any.example"], &[(0, None, PASS)]), Authentic::Pass, "above the first line, as in every preset");
    }

    #[test]
    fn google_writes_right_below_its_line_and_only_its_own_field_counts() {
        let judge = |hosts: &[&str], fields: &[(usize, Option<&str>, &str)]| through(TrustedServer::GoogleWorkspace, hosts, fields);
        let hosts = ["2002:a05:7208::1", "mx.google.com", "mail.good.example"];
        assert_eq!(judge(&hosts, &[(2, Some(GOOGLE), PASS)]), Authentic::Pass);
        assert_eq!(judge(&hosts, &[(2, Some(GOOGLE), OPEN), (2, Some(GOOGLE), PASS)]), Authentic::Fail, "the second came with the mail");
        assert_eq!(judge(&hosts, &[(3, Some(GOOGLE), PASS)]), Authentic::None);
        assert_eq!(judge(&hosts, &[(2, Some("mx.good.example"), FAIL), (2, Some(GOOGLE), PASS)]), Authentic::None);
        assert_eq!(judge(&["2002:a05:7208::1", "mail.good.example"], &[(2, Some(GOOGLE), PASS)]), Authentic::None);
    }

    #[test]
    fn nobody_is_never_authentic() {
        assert_eq!(Authentication::Off.judge(&Mail::default()), Authentic::Fail);
    }
}
