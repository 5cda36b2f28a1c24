//! POLICY.md's table as data: `fixtures/policy/<reason>.toml` says what facts lead to, and properties say what no facts lead to.

use postkamer::decide::{
    AfterAppend, Cc, Facts, Kind, Membership, OnUnreadable, Outcome, Policy, Reason, Recipient, Reply, ServerAction, Template, Thread,
    TicketStep, UnknownSenders, Verdict, decide,
};
use postkamer::identify::{Authentic, SenderKind};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    given: Facts,
    #[serde(default)]
    policy: Policy,
    verdict: Outcome,
    reasons: Vec<Reason>,
    server: ServerAction,
    replies: Vec<Reply>,
    ticket: String,
    cc: Vec<Cc>,
}

fn cases(reason: Reason) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy").join(format!("{reason}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: every reason has its cases: {error}", path.display()));
    toml::from_str::<Cases>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).case
}

/// What happens to a ticket, in a word.
fn step(step: TicketStep) -> &'static str {
    match step {
        TicketStep::None => "none",
        TicketStep::New { queued: false, linked: false } => "open",
        TicketStep::New { queued: true, linked: false } => "queued",
        TicketStep::New { queued: false, linked: true } => "open-linked",
        TicketStep::New { queued: true, linked: true } => "queued-linked",
        TicketStep::Append(AfterAppend::Keep) => "append",
        TicketStep::Append(AfterAppend::Reopen) => "append-reopen",
        TicketStep::Append(AfterAppend::Open) => "append-open",
        TicketStep::Append(AfterAppend::Queue) => "append-queue",
        TicketStep::Append(AfterAppend::Close) => "append-close",
    }
}

#[test]
fn every_case_of_the_table_comes_out_as_written() {
    let mut wrong = Vec::new();
    for &reason in Reason::ALL {
        for case in cases(reason) {
            let verdict = decide(&case.given, &case.policy);
            let came = (verdict.outcome, &verdict.reasons, verdict.server, &verdict.replies, step(verdict.ticket), &verdict.cc);
            let due = (case.verdict, &case.reasons, case.server, &case.replies, case.ticket.as_str(), &case.cc);
            if came != due {
                wrong.push(format!("{reason}: {}\n   due {due:?}\n  came {came:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases came out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_reason_has_a_case_where_it_speaks_and_one_where_it_stays_silent() {
    for &reason in Reason::ALL {
        let cases = cases(reason);
        assert!(cases.iter().any(|case| case.reasons.contains(&reason)), "{reason} speaks in no case of its file");
        assert!(cases.iter().any(|case| !case.reasons.contains(&reason)), "{reason} stays silent in no case of its file");
    }
}

#[test]
fn every_file_of_cases_belongs_to_a_reason() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".toml").unwrap_or(&name);
        assert!(Reason::from_code(code).is_some(), "fixtures/policy/{name} is no reason's file");
    }
}

prop_compose! {
    fn any_facts()(
        flags in prop::array::uniform14(any::<bool>()),
        kind in select(Kind::ALL),
        authentic in select(&[Authentic::Pass, Authentic::None, Authentic::Fail][..]),
        sender in select(SenderKind::ALL),
        membership in select(Membership::ALL),
        thread in select(Thread::ALL),
    ) -> Facts {
        let [over_rate, duplicate, objection, citizen_data_in_text, citizen_data_in_attachment, unreadable_attachment, urgent, ict_matter,
            addition_request, stand_in, duty_contact, answerable, old, often_rated] = flags;
        Facts {
            // Less often than the others: it hides everything else.
            over_rate: over_rate && often_rated,
            kind, duplicate, objection, citizen_data_in_text, citizen_data_in_attachment, unreadable_attachment, authentic, sender, membership,
            urgent, ict_matter, addition_request, thread, stand_in, duty_contact, answerable, old,
        }
    }
}

prop_compose! {
    fn any_policy()(unknown_senders in select(UnknownSenders::ALL), unreadable in select(OnUnreadable::ALL)) -> Policy {
        Policy { unknown_senders, unreadable }
    }
}

/// Whether one of rows 1 to 4 speaks.
fn of_rows_1_to_4(reason: &Reason) -> bool {
    matches!(reason, Reason::OwnLoop | Reason::Duplicate | Reason::Bounce | Reason::AutoReply | Reason::Bulk | Reason::Objection)
}

/// Whether the reason belongs to rows 1 to 8.
fn of_rows_1_to_8(reason: &Reason) -> bool {
    of_rows_1_to_4(reason)
        || matches!(
            reason,
            Reason::CitizenDataInText | Reason::CitizenDataInAttachment | Reason::AttachmentUnreadable | Reason::SenderNotAuthentic
        )
}

fn to_sender(verdict: &Verdict) -> Vec<&Reply> {
    verdict.replies.iter().filter(|reply| reply.to == Recipient::Sender).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_is_always_a_reason_and_reasons_keep_the_tables_order(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        prop_assert!(!verdict.reasons.is_empty());
        let ranks: Vec<_> = verdict.reasons.iter().map(|reason| Reason::ALL.iter().position(|known| known == reason)).collect();
        prop_assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", verdict.reasons);
    }

    #[test]
    fn citizen_data_and_unread_files_are_deleted_unless_the_mail_is_deferred(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        let due = match () {
            () if facts.over_rate => ServerAction::Keep,
            () if facts.citizen_data_in_text || facts.citizen_data_in_attachment || facts.unreadable_attachment => ServerAction::Delete,
            () => ServerAction::File,
        };
        prop_assert_eq!(verdict.server, due);
        prop_assert_eq!(verdict.outcome == Outcome::Defer, facts.over_rate);
    }

    #[test]
    fn content_is_named_in_every_mail_that_is_not_deferred(facts in any_facts(), policy in any_policy()) {
        let reasons = decide(&facts, &policy).reasons;
        for (fact, reason) in [
            (facts.citizen_data_in_text, Reason::CitizenDataInText),
            (facts.citizen_data_in_attachment, Reason::CitizenDataInAttachment),
            (facts.unreadable_attachment, Reason::AttachmentUnreadable),
        ] {
            prop_assert_eq!(reasons.contains(&reason), fact && !facts.over_rate);
        }
    }

    #[test]
    fn reject_means_that_row_5_speaks_or_that_strangers_are_turned_away(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        let in_text = verdict.reasons.contains(&Reason::CitizenDataInText);
        let turned_away = policy.unknown_senders == UnknownSenders::Reject && verdict.reasons.contains(&Reason::UnknownSender);
        prop_assert_eq!(verdict.outcome == Outcome::Reject, in_text || turned_away);
        if in_text {
            prop_assert!(verdict.reasons.iter().all(of_rows_1_to_8), "{:?}", verdict.reasons);
        }
        if verdict.outcome == Outcome::Reject {
            prop_assert_eq!(verdict.ticket, TicketStep::None);
        }
    }

    #[test]
    fn nobody_hears_of_machines_mail_and_of_forged_mail(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        if verdict.outcome == Outcome::Defer || verdict.reasons.iter().any(|reason| of_rows_1_to_4(reason) || *reason == Reason::SenderNotAuthentic) {
            prop_assert_eq!(&verdict.replies, &Vec::new());
            prop_assert_eq!(&verdict.cc, &Vec::new());
        }
    }

    #[test]
    fn only_authentic_mail_opens_appends_or_is_answered(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        if facts.authentic != Authentic::Pass {
            prop_assert!(!matches!(verdict.outcome, Outcome::Open | Outcome::Append), "{:?}", verdict.outcome);
            prop_assert_eq!(&verdict.replies, &Vec::new());
        }
    }

    #[test]
    fn a_sender_gets_one_reply_at_most_and_after_withholding_it_is_the_redirect(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        let replies = to_sender(&verdict);
        prop_assert!(replies.len() <= 1);
        prop_assert!(verdict.replies.len() - replies.len() <= 1);
        if let Some(reply) = replies.first() {
            prop_assert!(facts.answerable);
            prop_assert_eq!(reply.template.is_redirect(), verdict.server == ServerAction::Delete);
            prop_assert_eq!(&reply.cc, &verdict.cc);
        }
        for reply in verdict.replies.iter().filter(|reply| reply.to == Recipient::ListedAddress) {
            prop_assert_eq!(reply.template, Template::VerifyIdentity);
            prop_assert!(reply.cc.is_empty());
            prop_assert!(verdict.reasons.contains(&Reason::IdentityUnverified));
        }
    }

    #[test]
    fn a_ticket_goes_with_its_verdict(facts in any_facts(), policy in any_policy()) {
        let verdict = decide(&facts, &policy);
        let goes = matches!(
            (verdict.outcome, verdict.ticket),
            (Outcome::Open, TicketStep::New { queued: false, .. })
                | (Outcome::Queue, TicketStep::New { queued: true, .. })
                | (Outcome::Append, TicketStep::Append(_))
                | (Outcome::Reject | Outcome::Ignore | Outcome::Defer, TicketStep::None)
        );
        prop_assert!(goes, "{:?} with {:?}", verdict.outcome, verdict.ticket);
        if !matches!(verdict.ticket, TicketStep::New { .. }) {
            prop_assert_eq!(&verdict.cc, &Vec::new());
        }
    }
}
