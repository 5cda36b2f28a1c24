//! What wrote a mail (POLICY fact 1), and whether it may be answered (THREATS §2, rules 1 to 7).

use super::Kind;
use crate::identify::{Sender, SenderKind};
use crate::parse::{Author, Mail};
use crate::words::{EmailAddress, Keys, MessageId};

/// What wrote the mail: of several kinds the first row of the table counts. A loop header counts as ours only when
/// this installation signed it; `is_own` tells the addresses of our desks.
pub fn kind(mail: &Mail, sender: &Sender<'_>, is_own: impl Fn(&EmailAddress) -> bool, keys: Option<&Keys>) -> Kind {
    let signs = &mail.automatic;
    let looped = keys.is_some_and(|keys| mail.loop_headers.iter().any(|value| keys.wrote_loop_header(value)));
    let listed = matches!(sender.kind, SenderKind::GeneralContact | SenderKind::IctContact);
    if looped || address(mail).is_some_and(is_own) {
        Kind::OwnLoop
    } else if sender.automatic {
        Kind::Human
    } else if signs.delivery_report || (signs.empty_return_path && address(mail).is_some_and(is_mailer)) {
        Kind::Bounce
    } else if signs.auto_submitted || signs.auto_reply_header {
        Kind::AutoReply
    } else if signs.bulk && !listed {
        Kind::Bulk
    } else {
        Kind::Human
    }
}

/// What forbids an answer to a mail: the first rule of THREATS §2 that does, for the record of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No sound From: there is nobody to answer.
    NoSender,
    /// Rule 1: the envelope sender is empty.
    EmptyReturnPath,
    /// Rule 1: a report on a delivery, or another multipart/report.
    Report,
    /// Rule 2: Auto-Submitted, with another value than no.
    AutoSubmitted,
    /// Rule 3: Precedence, a field of a list, or one that only automatic answers have.
    BulkHeader,
    /// Rule 4: X-Auto-Response-Suppress asks for none.
    SuppressHeader,
    /// Rule 5: nobody reads what comes to such an address.
    ServiceAddress,
    /// An address that the settings name as a monitoring system's.
    AutomaticSender,
    /// Rule 6: it comes from here, or two machines are talking.
    OwnLoop,
    /// Rule 7: neither To nor Cc names the desk.
    NotAddressed,
    /// Rule 8: From did not authenticate.
    NotAuthentic,
    /// Rule 9: older than seven days. Only the redirect is still worth sending.
    Old,
    /// Rule 10: a limit on replies is reached.
    Limit,
}

impl Silence {
    /// The word on the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSender => "no-sender",
            Self::EmptyReturnPath => "empty-return-path",
            Self::Report => "report",
            Self::AutoSubmitted => "auto-submitted",
            Self::BulkHeader => "bulk-header",
            Self::SuppressHeader => "suppress-header",
            Self::ServiceAddress => "service-address",
            Self::AutomaticSender => "automatic-sender",
            Self::OwnLoop => "own-loop",
            Self::NotAddressed => "not-addressed",
            Self::NotAuthentic => "not-authentic",
            Self::Old => "old",
            Self::Limit => "limit",
        }
    }
}

/// What forbids any answer to the sender, by rules 1 to 7; `None` when they may get one. It changes nothing else about the mail. `desk` tells the
/// addresses of the desk that the mail reached; `is_own` those of all desks.
pub fn silence(mail: &Mail, sender: &Sender<'_>, desk: &[&EmailAddress], is_own: impl Fn(&EmailAddress) -> bool) -> Option<Silence> {
    let signs = &mail.automatic;
    let Some(address) = address(mail) else { return Some(Silence::NoSender) };
    // Rule 6: our own ids come back once or twice in a conversation; more than three of them are two machines talking.
    let of_our_domain = |id: &MessageId| desk.iter().any(|own| own.domain().as_str().eq_ignore_ascii_case(id.right()));
    let echoes = is_own(address)
        || without_detail(address).is_some_and(|address| is_own(&address))
        || !mail.loop_headers.is_empty()
        || mail.message_id.as_ref().is_some_and(of_our_domain)
        || mail.references.iter().filter(|id| Keys::reply_number(id).is_some() && of_our_domain(id)).count() > 3;
    // Rule 7: a mail that does not name the desk came by Bcc, a list or a forward; nobody waits for us there.
    let addressed = mail.recipients.iter().any(|recipient| desk.contains(&recipient));
    let rules = [
        (signs.empty_return_path, Silence::EmptyReturnPath),
        (signs.delivery_report || signs.other_report, Silence::Report),
        (signs.auto_submitted, Silence::AutoSubmitted),
        (signs.bulk || signs.auto_reply_header || signs.discourages_reply, Silence::BulkHeader),
        (signs.suppress, Silence::SuppressHeader),
        (is_service(address), Silence::ServiceAddress),
        (sender.automatic, Silence::AutomaticSender),
        (echoes, Silence::OwnLoop),
        (!addressed, Silence::NotAddressed),
    ];
    rules.into_iter().find_map(|(forbids, rule)| forbids.then_some(rule))
}

fn address(mail: &Mail) -> Option<&EmailAddress> {
    match &mail.author {
        Author::One { address, .. } => Some(address),
        Author::Nobody { .. } => None,
    }
}

/// `desk+detail@…` lies in the mailbox of `desk@…` where the server has details (RFC 5233).
fn without_detail(address: &EmailAddress) -> Option<EmailAddress> {
    let (user, _) = address.local_part().split_once('+')?;
    format!("{user}@{}", address.domain()).parse().ok()
}

/// Local parts of mailers (RFC 5321 §4.5.1, RFC 5230 §4.6).
fn is_mailer(address: &EmailAddress) -> bool {
    let local = address.local_part();
    local.starts_with("mailer-daemon") || local == "postmaster"
}

/// Local parts behind which nobody reads an answer (THREATS §2, rule 5).
fn is_service(address: &EmailAddress) -> bool {
    let local = address.local_part();
    const BEGIN: &[&str] = &[
        "mailer-daemon",
        "listserv",
        "majordomo",
        "owner-",
        "noreply",
        "no-reply",
        "no_reply",
        "no.reply",
        "donotreply",
        "do-not-reply",
        "do_not_reply",
        "bounce",
    ];
    const WHOLE: &[&str] = &["postmaster", "abuse", "root"];
    BEGIN.iter().any(|begin| local.starts_with(begin)) || WHOLE.contains(&local) || local.ends_with("-request")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Automatic;

    fn mail(from: &str, automatic: Automatic) -> Mail {
        let author = Author::One { address: from.parse().unwrap(), name: String::new().into() };
        Mail { author, automatic, recipients: vec!["desk@vendor.example".parse().unwrap()], ..Mail::default() }
    }

    fn kind_of(mail: &Mail, sender: &Sender<'_>) -> Kind {
        kind(mail, sender, |address| address.reveal() == "desk@vendor.example", None)
    }

    fn may_be_answered(mail: &Mail) -> bool {
        let desk: EmailAddress = "desk@vendor.example".parse().unwrap();
        silence(mail, &Sender::STRANGER, &[&desk], |address| *address == desk).is_none()
    }

    #[test]
    fn of_several_kinds_the_first_row_counts() {
        let all = Automatic { auto_submitted: true, bulk: true, delivery_report: true, ..Automatic::default() };
        assert_eq!(kind_of(&mail("desk@vendor.example", all.clone()), &Sender::STRANGER), Kind::OwnLoop);
        assert_eq!(kind_of(&mail("a@b.example", all.clone()), &Sender::STRANGER), Kind::Bounce);
        let all = Automatic { delivery_report: false, ..all };
        assert_eq!(kind_of(&mail("a@b.example", all.clone()), &Sender::STRANGER), Kind::AutoReply);
        let all = Automatic { auto_submitted: false, ..all };
        assert_eq!(kind_of(&mail("a@b.example", all.clone()), &Sender::STRANGER), Kind::Bulk);
        let contact = Sender { kind: SenderKind::IctContact, ..Sender::STRANGER };
        assert_eq!(kind_of(&mail("a@b.example", all.clone()), &contact), Kind::Human);
        let monitor = Sender { automatic: true, ..Sender::STRANGER };
        assert_eq!(kind_of(&mail("a@b.example", Automatic { auto_submitted: true, ..all }), &monitor), Kind::Human);
    }

    #[test]
    fn an_empty_return_path_makes_a_bounce_only_of_a_mailers_mail() {
        let empty = Automatic { empty_return_path: true, ..Automatic::default() };
        assert_eq!(kind_of(&mail("MAILER-DAEMON@mx.example", empty.clone()), &Sender::STRANGER), Kind::Bounce);
        assert_eq!(kind_of(&mail("jan@b.example", empty.clone()), &Sender::STRANGER), Kind::Human);
        assert!(!may_be_answered(&mail("jan@b.example", empty)));
    }

    #[test]
    fn each_rule_alone_forbids_an_answer() {
        assert!(may_be_answered(&mail("jan@b.example", Automatic::default())));
        for signs in [
            Automatic { auto_submitted: true, ..Automatic::default() },
            Automatic { bulk: true, ..Automatic::default() },
            Automatic { discourages_reply: true, ..Automatic::default() },
            Automatic { suppress: true, ..Automatic::default() },
            Automatic { other_report: true, ..Automatic::default() },
            Automatic { empty_return_path: true, ..Automatic::default() },
        ] {
            assert!(!may_be_answered(&mail("jan@b.example", signs.clone())), "{signs:?}");
        }
        for from in [
            "no-reply@b.example",
            "bounces+1@b.example",
            "news-request@b.example",
            "owner-list@b.example",
            "desk@vendor.example",
            "desk+x@vendor.example",
        ] {
            assert!(!may_be_answered(&mail(from, Automatic::default())), "{from}");
        }
        let hidden = Mail { recipients: Vec::new(), ..mail("jan@b.example", Automatic::default()) };
        assert!(!may_be_answered(&hidden));
        let token = |n: u8| format!("{n}.{:032x}@vendor.example", n).parse().unwrap();
        let echoing = |n| Mail { references: (1..=n).map(token).collect(), ..mail("jan@b.example", Automatic::default()) };
        assert!(may_be_answered(&echoing(3)));
        assert!(!may_be_answered(&echoing(4)));
    }
}
