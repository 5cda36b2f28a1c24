//! `postkamer explain`: what would become of a mail, and why (DESIGN §6).

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::spots::{self, SpotPart};
use super::{Failure, Place, output};
use crate::decide::{Reply, Verdict, decide};
use crate::extract::Extractor;
use crate::identify::SenderKind;
use crate::journey::Journey;
use crate::mailbox::{BEGINNING, RawMail};
use crate::parse::parse;
use crate::plan::Considered;
use crate::settings::{Desk, Settings};
use crate::words::{MailUid, Redacted};

/// Tell what would become of raw mails, and why; touches nothing. (With mode = "verify" it asks DNS.)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// The desk that they reached; without it the one in Delivered-To, To or Cc, else the first.
    #[arg(long, value_name = "NAME")]
    desk: Option<String>,
    /// Raw mails; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let settings = Arc::new(place.settings()?);
    let named = args.desk.as_deref().map(|name| desk_named(&settings, name)).transpose()?;
    let extractor = Arc::new(Extractor::start(crate::extract::Limits::default())?);
    let journey = Journey::new(settings.clone(), extractor).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut unread = false;
    for file in &args.files {
        let raw = match read(file) {
            Ok(raw) => raw,
            Err(error) => {
                output::complain(&format!("{} cannot be read: {error}", file.display()));
                unread = true;
                continue;
            }
        };
        let desk = named.or_else(|| addressed(&settings, &raw)).or(settings.desks.first());
        let Some(desk) = desk else { return Err(Failure::Usage("The settings name no desk.".to_owned())) };
        let (mail, verdict) = judge(&journey, desk, raw, place.clock.now()).await;
        let explanation = Explanation::new(file.display().to_string(), &mail, verdict);
        if args.json { output::json(&explanation)? } else { explanation.print(&mail) }
    }
    if unread { Err(Failure::No) } else { Ok(()) }
}

pub(super) fn desk_named<'a>(settings: &'a Settings, name: &str) -> Result<&'a Desk, Failure> {
    settings.desk(name).ok_or_else(|| {
        let known: Vec<&str> = settings.desks.iter().map(|desk| desk.name.as_str()).collect();
        Failure::Usage(format!("There is no desk {name}; the settings name {}.", known.join(", ")))
    })
}

/// The desk whose address stands in Delivered-To, else in To or Cc.
pub(super) fn addressed<'a>(settings: &'a Settings, raw: &[u8]) -> Option<&'a Desk> {
    let mail = parse(raw, false);
    mail.delivered_to.iter().chain(&mail.recipients).find_map(|address| settings.desk_at(address))
}

pub(super) fn read(file: &PathBuf) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut raw = Vec::new();
    std::io::stdin().read_to_end(&mut raw)?;
    Ok(raw)
}

/// One mail by itself, as on an empty installation.
async fn judge(journey: &Journey, desk: &Desk, raw: Vec<u8>, now: jiff::Timestamp) -> (Considered, Verdict) {
    // Larger mails are not fetched whole (setting max_mail); explain shows what would become of them.
    let size = u64::try_from(raw.len()).unwrap_or(u64::MAX);
    let truncated = size > journey.settings.attachments.max_mail;
    let raw = if truncated { raw.into_iter().take(BEGINNING).collect() } else { raw };
    let uid = MailUid { mailbox: desk.mailbox_id(), validity: NonZeroU32::MIN, uid: NonZeroU32::MIN };
    let raw = RawMail { uid, internal_date: now.as_millisecond(), size, bytes: Redacted::new(raw), truncated };
    let received = journey.receive(raw, now).await;
    if received.undecided {
        output::complain(
            "DNS did not answer, so that nothing can be said about the sender; `postkamer run` would try again for some hours.",
        );
    }
    let mail = journey.consider(desk, received, false, None, now).await;
    let verdict = decide(&mail.facts, &desk.policy());
    (mail, verdict)
}

/// The contract's fields, in its order, and where each hit of the findings is; no address, name, subject or text.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    file: String,
    verdict: &'static str,
    reasons: Vec<&'static str>,
    kind: &'static str,
    authentic: &'static str,
    sender: SenderPart,
    urgent: bool,
    citizen_data: bool,
    findings: Vec<FindingPart>,
    attachments: Vec<AttachmentPart>,
    replies: Vec<Reply>,
    server: &'static str,
    spots: Vec<SpotPart>,
}

#[derive(Debug, Serialize)]
struct SenderPart {
    kind: SenderKind,
    organisation: Option<String>,
}

#[derive(Debug, Serialize)]
struct FindingPart {
    #[serde(rename = "where")]
    place: &'static str,
    attachment: Option<usize>,
    kinds: BTreeMap<&'static str, u32>,
}

#[derive(Debug, Serialize)]
struct AttachmentPart {
    index: usize,
    outcome: &'static str,
    why: Option<&'static str>,
    format: String,
}

impl Explanation {
    pub(super) fn new(file: String, mail: &Considered, verdict: Verdict) -> Self {
        let kept = mail.attachments.iter().map(|clean| AttachmentPart {
            index: clean.index(),
            outcome: "kept",
            why: None,
            format: clean.format().to_owned(),
        });
        let withheld = mail.withheld.iter().map(|withheld| AttachmentPart {
            index: withheld.index,
            outcome: "withheld",
            why: Some(withheld.why.as_str()),
            format: withheld.format.clone(),
        });
        let mut attachments: Vec<AttachmentPart> = kept.chain(withheld).collect();
        attachments.sort_by_key(|attachment| attachment.index);
        let findings = mail.findings.iter().map(|finding| FindingPart {
            place: finding.place.as_str(),
            attachment: finding.attachment,
            kinds: finding.kinds.clone(),
        });
        Self {
            file,
            verdict: verdict.outcome.as_str(),
            reasons: verdict.reasons.iter().map(|reason| reason.as_str()).collect(),
            kind: mail.facts.kind.as_str(),
            authentic: mail.facts.authentic.as_str(),
            sender: SenderPart { kind: mail.facts.sender, organisation: mail.organisation.as_ref().map(|o| o.id.clone()) },
            urgent: mail.facts.urgent,
            citizen_data: mail.facts.citizen_data_in_text || mail.facts.citizen_data_in_attachment,
            findings: findings.collect(),
            attachments,
            replies: verdict.replies,
            server: verdict.server.as_str(),
            spots: spots::of(&mail.findings),
        }
    }

    /// The same for people.
    fn print(&self, mail: &Considered) {
        output::line(&self.file);
        let say = |what: &str, text: String| output::line(&format!("  {what:<12} {text}"));
        say("verdict", format!("{} ({})", self.verdict, self.reasons.join(", ")));
        let organisation = self.sender.organisation.as_deref().map_or(String::new(), |id| format!(" of {id}"));
        say("sender", format!("{}{organisation}; written by: {}; authentic: {}", self.sender.kind.as_str(), self.kind, self.authentic));
        say("matter", format!("urgent: {}; ICT: {}", yes(self.urgent), yes(mail.facts.ict_matter)));
        for finding in &self.findings {
            let kinds: Vec<String> = finding.kinds.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
            let of = finding.attachment.map_or(String::new(), |index| format!(" of attachment {}", index + 1));
            say("found", format!("{} in {}{of}", kinds.join(", "), finding.place));
        }
        if !self.spots.is_empty() {
            say("where", spots::in_words(&self.spots));
        }
        for attachment in &self.attachments {
            let why = attachment.why.map_or(String::new(), |why| format!(": {why}"));
            say("attachment", format!("{} ({}) {}{why}", attachment.index + 1, attachment.format, attachment.outcome));
        }
        for reply in &self.replies {
            let cc: Vec<&str> = reply.cc.iter().map(|cc| cc.as_str()).collect();
            let cc = if cc.is_empty() { String::new() } else { format!(", in CC: {}", cc.join(", ")) };
            say("reply", format!("{} to the {}{cc}", reply.template, reply.to.as_str().replace('-', " ")));
        }
        if self.replies.is_empty() {
            say("reply", mail.silence().map_or("none".to_owned(), |why| format!("none ({})", why.as_str())));
        }
        say("on server", self.server.to_owned());
    }
}

fn yes(truth: bool) -> &'static str {
    if truth { "yes" } else { "no" }
}
