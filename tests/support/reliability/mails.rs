//! Mails that are offered, and what POLICY says must become of them.

/// An identity number, valid in form and invented; it must lie nowhere in the end.
pub const NUMBER: &str = "123456782";

/// Stands in mails that bring down whoever reads them.
pub const DEADLY: &str = "X-Brings-Down: whoever-reads-it";
/// Stands in mails that the database will not hold.
pub const UNBOOKABLE: &str = "onboekbaar";
/// So many mails of people who may not be who they say are taken in per desk an hour; the others are deferred.
pub const UNAUTHENTICATED_AN_HOUR: usize = 1;

/// Kinds of mail, one for each verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A general contact asks something: a ticket and an acknowledgement.
    Question,
    /// The same with a file that is kept.
    WithFile,
    /// The same mail once more.
    Again,
    /// The contact answers our acknowledgement.
    FollowUp,
    /// A colleague of theirs, not urgent: waits for an agent.
    Colleague,
    /// Nobody we know.
    Stranger,
    /// An identity number in the text: refused and deleted.
    NumberInText,
    /// Identity numbers in a file: the file is refused and the mail deleted, the rest is a ticket.
    NumberInFile,
    /// A newsletter.
    Bulk,
    /// Somebody who is not who they say: waits for an agent, or in the mailbox when there are too many of them.
    Forged,
    /// The database refuses it: stuck.
    Unbookable,
    /// Whoever reads it is killed: stuck. Only where processes are started again.
    Deadly,
}

impl Kind {
    /// What comes in every day.
    pub const USUAL: [Self; 10] = [
        Self::Question,
        Self::WithFile,
        Self::Again,
        Self::FollowUp,
        Self::Colleague,
        Self::Stranger,
        Self::NumberInText,
        Self::NumberInFile,
        Self::Bulk,
        Self::Forged,
    ];

    /// Outcomes, or states of mails without one, that are right.
    pub fn fates(self) -> &'static [&'static str] {
        match self {
            Self::Question | Self::WithFile | Self::NumberInFile => &["open"],
            Self::FollowUp => &["append"],
            Self::Colleague | Self::Stranger => &["queue"],
            Self::Forged => &["queue", "deferred"],
            Self::NumberInText => &["reject"],
            Self::Again | Self::Bulk => &["ignore"],
            Self::Unbookable | Self::Deadly => &["stuck"],
        }
    }

    /// Whether it is deleted on the server, or else filed.
    pub fn is_deleted(self) -> bool {
        matches!(self, Self::NumberInText | Self::NumberInFile)
    }

    /// Whether its author is answered.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Question | Self::WithFile | Self::Colleague | Self::Stranger | Self::NumberInText | Self::NumberInFile)
    }

    /// Whether a ticket has an entry of it.
    pub fn makes_entry(self) -> bool {
        matches!(self.fates()[0], "open" | "append" | "queue")
    }
}

/// A mail in a mailbox.
#[derive(Clone, Debug)]
pub struct Offered {
    pub kind: Kind,
    /// The desk, which is also the mailbox's name.
    pub desk: String,
    /// Its UID there.
    pub uid: u32,
    /// Its Message-ID without brackets; of two equal mails the same.
    pub message_id: String,
}

/// The raw mail. `mark` makes it another one each time and stands in Subject and Message-ID; `answers` is the Message-ID that a
/// follow-up answers.
pub fn raw(kind: Kind, mark: &str, desk: &str, answers: Option<&str>) -> Vec<u8> {
    let (from, domain) = match kind {
        Kind::Colleague => (format!("p.{mark}@waterwolde.example"), "waterwolde.example"),
        Kind::Stranger => (format!("v.{mark}@elders.example"), "elders.example"),
        Kind::Bulk => ("nieuws@uitgever.example".to_owned(), "uitgever.example"),
        _ => ("a.devries@waterwolde.example".to_owned(), "waterwolde.example"),
    };
    let found = if kind == Kind::Forged { "fail" } else { "pass" };
    let more = match kind {
        Kind::Deadly => format!("{DEADLY}\r\n"),
        Kind::Bulk => "List-Unsubscribe: <https://uitgever.example/weg>\r\nPrecedence: bulk\r\n".to_owned(),
        Kind::FollowUp => answers.map(|id| format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n")).unwrap_or_default(),
        _ => String::new(),
    };
    let text = match kind {
        Kind::Unbookable => format!("Dit bericht is {UNBOOKABLE}: {mark}."),
        Kind::NumberInText => format!("Het gaat om de inwoner met BSN {NUMBER}, kunt u die aanpassen?"),
        _ => format!("Waar stellen wij de termijn van dit zaaktype in? Dit is vraag {mark}."),
    };
    let (content_type, body) = match kind {
        Kind::NumberInFile => with_file(&text, &format!("naam;bsn\r\nJ. Jansen;{NUMBER}\r\nP. Pietersen;{NUMBER}\r\n")),
        Kind::WithFile => with_file(&text, &format!("instelling;waarde\r\ntermijn;42\r\nvraag;{mark}\r\n")),
        _ => ("text/plain; charset=utf-8".to_owned(), format!("Goedemorgen,\r\n\r\n{text}\r\n\r\nMet vriendelijke groet\r\n")),
    };
    let date = postkamer::clock::Clock::system().now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "Authentication-Results: mx.zaakwijs.example; dmarc={found} header.from={domain}\r\n\
         Received: from mail.{domain} by mx.zaakwijs.example; {date}\r\n\
         From: {from}\r\nTo: {desk}@zaakwijs.example\r\nSubject: Zaaktype ({mark})\r\nMessage-ID: <{mark}@customer.example>\r\n\
         Date: {date}\r\nMIME-Version: 1.0\r\n{more}Content-Type: {content_type}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Content type and body of a text with a CSV file.
fn with_file(text: &str, file: &str) -> (String, String) {
    let body = format!(
        "--grens\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--grens\r\nContent-Type: text/csv\r\n\
         Content-Disposition: attachment; filename=lijst.csv\r\n\r\n{file}--grens--\r\n"
    );
    ("multipart/mixed; boundary=grens".to_owned(), body)
}
