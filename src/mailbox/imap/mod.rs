//! A folder on an IMAP server.
//!
//! Only UIDs are used, never sequence numbers; only `RFC822.SIZE INTERNALDATE FLAGS` and `BODY.PEEK[]` are fetched, because other
//! items leave subjects and file names in the server's index; and OK to a removal proves nothing before the mails have
//! been looked for again.

mod greet;
mod guard;
#[cfg(test)]
mod scripted;
mod strict;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use imap_proto::{AttributeValue, MailboxDatum, NameAttribute, Response, ResponseCode};
use jiff::fmt::strtime;

use self::greet::sign_in;
use self::strict::{Strict, quoted};
use super::folder_name::modified_utf7;
use super::{BEGINNING, Done, FolderName, ImapSettings, Listed, MailboxError, RawMail, Secret, Settings, Settled};
use crate::words::{MailUid, MailboxId, Redacted};

pub(super) use self::greet::{Greeted, reach};

/// A mail above this many bytes is fetched in parts of this size.
const CHUNK: u64 = 1024 * 1024;
/// The most mails and bytes asked for in one command (measured: more gains nothing).
const BATCH_MAILS: usize = 50;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// The most UIDs in one command, so that its line stays short.
const SET: usize = 500;
/// How often a removal is tried while somebody else takes the mark off.
const ATTEMPTS: u32 = 6;

/// What a server says that it can do: words of RFC 9051 §7.2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(HashSet<String>);

impl Capabilities {
    /// True if the word is among them, in any case.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(&word.to_ascii_uppercase())
    }
}

impl<S: AsRef<str>> FromIterator<S> for Capabilities {
    fn from_iter<I: IntoIterator<Item = S>>(words: I) -> Self {
        Self(words.into_iter().map(|word| word.as_ref().to_ascii_uppercase()).collect())
    }
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    id: MailboxId,
    strict: Strict,
    validity: NonZeroU32,
    capabilities: Capabilities,
    done: Done,
    /// The done folder's name on the wire, once it is known to be there.
    done_wire: Option<String>,
    poll: Duration,
    max_mail: u64,
    /// IDLE is offered and has not been refused.
    idles: bool,
}

/// Signs in and opens the folder.
pub(super) async fn open(id: MailboxId, server: &ImapSettings, settings: &Settings) -> Result<Folder, MailboxError> {
    open_over(id, reach(server).await?, server, settings).await
}

/// The same, on a connection to a server that has greeted us.
pub(super) async fn open_over(id: MailboxId, greeted: Greeted, server: &ImapSettings, settings: &Settings) -> Result<Folder, MailboxError> {
    let session = match sign_in(greeted, server).await {
        // A token may have been revoked before its time: one more try with a fresh one.
        Err(MailboxError::SignIn(_)) if matches!(server.secret, Secret::OAuth(_)) => {
            if let Secret::OAuth(source) = &server.secret {
                source.forget().await;
            }
            sign_in(reach(server).await?, server).await?
        }
        other => other?,
    };
    Folder::select(id, Strict::new(session, Some(server)), settings).await
}

impl Folder {
    /// Selects the folder on a signed-in connection and checks what is needed.
    async fn select(id: MailboxId, mut strict: Strict, settings: &Settings) -> Result<Self, MailboxError> {
        let mut capabilities = Capabilities::default();
        strict
            .command("naming its capabilities", "CAPABILITY", |response| {
                if let Response::Capabilities(words) = response {
                    capabilities = words.iter().map(capability_word).collect();
                }
                Ok(())
            })
            .await?;
        // Without UIDPLUS only a plain EXPUNGE is left, which also removes what others have marked (RFC 4315 §1).
        if !capabilities.has("UIDPLUS") && !settings.exclusive {
            return Err(MailboxError::NoUidPlus);
        }

        let name = modified_utf7(settings.folder.as_str());
        let validity = enter(&mut strict, &name).await?;
        let idles = capabilities.has("IDLE");
        Ok(Self {
            id,
            strict,
            validity,
            capabilities,
            done: settings.done.clone(),
            done_wire: None,
            poll: settings.poll,
            max_mail: settings.max_mail,
            idles,
        })
    }

    /// Goes over to a folder in which mail was filed; None where there is none.
    pub(super) async fn into_folder(mut self, name: &FolderName) -> Result<Option<Self>, MailboxError> {
        let (_, found) = self.find_done_folder(name).await?;
        let Some(name) = found else { return Ok(None) };
        self.validity = enter(&mut self.strict, &name).await?;
        Ok(Some(self))
    }

    pub(super) fn validity(&self) -> NonZeroU32 {
        self.validity
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// How many mails lie in the folder.
    pub(super) fn count(&self) -> u32 {
        self.strict.exists
    }

    /// What the server's program calls itself (RFC 2971), in lower case; None: it does not say.
    pub(super) async fn program(&mut self) -> Result<Option<String>, MailboxError> {
        if !self.capabilities.has("ID") {
            return Ok(None);
        }
        let mut program = None;
        let asked = self
            .strict
            .command("naming its program", "ID NIL", |response| {
                if let Response::Id(Some(said)) = response {
                    program = said.iter().find(|(key, _)| key.eq_ignore_ascii_case("name")).map(|(_, name)| name.to_ascii_lowercase());
                }
                Ok(())
            })
            .await;
        match asked {
            Ok(()) => Ok(program),
            Err(MailboxError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the done folder is there; None where mail is deleted instead. Makes nothing.
    pub(super) async fn has_done_folder(&mut self) -> Result<Option<bool>, MailboxError> {
        let Done::Folder(done) = self.done.clone() else { return Ok(None) };
        let (_, found) = self.find_done_folder(&done).await?;
        Ok(Some(found.is_some()))
    }

    /// All mails in the folder, in the order of their UIDs.
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, MailboxError> {
        const DOING: &str = "listing the folder";
        self.strict.noop(DOING).await?;
        // What arrives from here on is news for the next wait, even if this listing shows it already.
        self.strict.news = false;
        if self.strict.exists == 0 {
            return Ok(Vec::new());
        }
        // More than this cannot lie there, whatever the server sends.
        let most = (self.strict.exists as usize).saturating_add(100_000);
        let mut listed = BTreeMap::new();
        let (id, validity) = (self.id.clone(), self.validity);
        self.strict
            .command(DOING, "UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE FLAGS)", |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some(mail) = listing(&id, validity, attributes)
                {
                    listed.insert(mail.uid.uid, mail);
                }
                if listed.len() > most { Err(MailboxError::Protocol(DOING)) } else { Ok(()) }
            })
            .await?;
        // Mails that are there and are not told of would be taken for an empty folder.
        if listed.is_empty() && self.strict.exists > 0 {
            return Err(MailboxError::Protocol(DOING));
        }
        Ok(listed.into_values().collect())
    }

    /// The bytes of these mails, in batches, large ones in parts.
    pub(super) async fn fetch(&mut self, wanted: &[Listed]) -> Result<Vec<RawMail>, MailboxError> {
        if wanted.iter().any(|listed| !self.is_ours(&listed.uid)) {
            return Err(MailboxError::ValidityChanged);
        }
        let mut mails = Vec::with_capacity(wanted.len());
        let mut batch: Vec<&Listed> = Vec::new();
        let mut bytes = 0;
        for listed in wanted {
            if listed.size > CHUNK || listed.size > self.max_mail {
                mails.extend(self.fetch_in_parts(listed).await?);
                continue;
            }
            if batch.len() == BATCH_MAILS || (!batch.is_empty() && bytes + listed.size > BATCH_BYTES) {
                self.fetch_batch(&std::mem::take(&mut batch), &mut mails).await?;
                bytes = 0;
            }
            bytes += listed.size;
            batch.push(listed);
        }
        self.fetch_batch(&batch, &mut mails).await?;
        let place: BTreeMap<NonZeroU32, usize> = wanted.iter().enumerate().map(|(place, listed)| (listed.uid.uid, place)).collect();
        mails.sort_by_key(|mail| place.get(&mail.uid.uid).copied());
        Ok(mails)
    }

    async fn fetch_batch(&mut self, batch: &[&Listed], mails: &mut Vec<RawMail>) -> Result<(), MailboxError> {
        for set in uid_sets(batch.iter().map(|listed| listed.uid.uid.get())) {
            let mut bodies = BTreeMap::new();
            self.strict
                .command("fetching mails", &format!("UID FETCH {set} (UID BODY.PEEK[])"), |response| {
                    if let Some((uid, Some(body))) = body(response) {
                        bodies.insert(uid, body.to_vec());
                    }
                    Ok(())
                })
                .await?;
            mails.extend(batch.iter().filter_map(|listed| Some(raw(listed, bodies.remove(&listed.uid.uid.get())?, false))));
        }
        Ok(())
    }

    /// Parts until one is empty: sizes may be estimates, and a short part alone proves nothing. None if the mail has gone.
    async fn fetch_in_parts(&mut self, listed: &Listed) -> Result<Option<RawMail>, MailboxError> {
        const DOING: &str = "fetching a large mail";
        let uid = listed.uid.uid.get();
        let limit = if listed.size > self.max_mail { BEGINNING as u64 } else { self.max_mail };
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            let have = bytes.len() as u64;
            // One byte above the limit tells a mail that ends there from one that goes on.
            let ask = CHUNK.min(limit.saturating_add(1).saturating_sub(have));
            let mut part = None;
            self.strict
                .command(DOING, &format!("UID FETCH {uid} (UID BODY.PEEK[]<{have}.{ask}>)"), |response| {
                    if let Some((whose, body)) = body(response)
                        && whose == uid
                        && (body.is_some() || have > 0)
                    {
                        part = Some(body.unwrap_or_default().to_vec());
                    }
                    Ok(())
                })
                .await?;
            match part {
                None => return Ok(None),
                Some(part) if part.len() as u64 > ask => return Err(MailboxError::Protocol(DOING)),
                Some(part) if part.is_empty() => return Ok(Some(raw(listed, bytes, false))),
                Some(part) => bytes.extend_from_slice(&part),
            }
            if bytes.len() as u64 > limit {
                bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                return Ok(Some(raw(listed, bytes, true)));
            }
        }
    }

    /// Moves mails to the done folder, or deletes them.
    pub(super) async fn file(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        let Done::Folder(done) = self.done.clone() else { return self.remove(mails).await };
        let (mut moved, mut left) = (HashSet::new(), HashSet::new());
        for asked in uid_sets(self.ours(mails)) {
            // What somebody else took away is not ours to file; the server would say OK all the same.
            for there in uid_sets(self.present(&asked).await?) {
                let copied = self.move_set(&there, &done).await?;
                if !self.capabilities.has("MOVE") {
                    self.expunge(there.0.iter().copied().filter(|uid| copied.holds(*uid)).collect()).await?;
                }
                left.extend(self.present(&there).await?);
                moved.extend(there.0.iter().copied().filter(|uid| copied.holds(*uid)));
            }
        }
        Ok(self.settled(mails, |uid| match () {
            () if left.contains(&uid) => Settled::StillThere,
            () if moved.contains(&uid) => Settled::Filed,
            () => Settled::Gone,
        }))
    }

    /// Deletes and expunges exactly these mails.
    pub(super) async fn remove(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        let left = self.expunge(self.ours(mails)).await?;
        Ok(self.settled(mails, |uid| if left.contains(&uid) { Settled::StillThere } else { Settled::Gone }))
    }

    /// Signs out; what the server says to it is of no interest. Never CLOSE, which expunges.
    pub(super) async fn close(mut self) {
        let goodbye = self.strict.command("signing out", "LOGOUT", |_| Ok(()));
        let _ = tokio::time::timeout(Duration::from_secs(5), goodbye).await;
    }

    /// Marks, expunges and looks again, until they are gone or it has been tried often enough. Returns what is left.
    async fn expunge(&mut self, uids: Vec<u32>) -> Result<HashSet<u32>, MailboxError> {
        let mut left: HashSet<u32> = uids.into_iter().collect();
        for attempt in 1..=ATTEMPTS {
            let mut still = HashSet::new();
            for set in uid_sets(left) {
                self.strict.command("marking mails as deleted", &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), |_| Ok(())).await?;
                let expunge = if self.capabilities.has("UIDPLUS") { format!("UID EXPUNGE {set}") } else { "EXPUNGE".to_owned() };
                self.strict.command("expunging mails", &expunge, |_| Ok(())).await?;
                still.extend(self.present(&set).await?);
            }
            left = still;
            if left.is_empty() {
                break;
            }
            // Somebody took the mark off between STORE and EXPUNGE.
            tokio::time::sleep(Duration::from_millis(100) * attempt).await;
        }
        Ok(left)
    }

    /// Moves a set, making the done folder where it is missing. Returns what the server says that it moved or copied.
    async fn move_set(&mut self, set: &UidSet, done: &FolderName) -> Result<Copied, MailboxError> {
        let verb = if self.capabilities.has("MOVE") { "MOVE" } else { "COPY" };
        for attempt in 1..=2 {
            let name = match &self.done_wire {
                Some(name) => name.clone(),
                None => self.done_folder(done).await?,
            };
            let mut copied = Copied::default();
            let outcome = self
                .strict
                .command("filing mails", &format!("UID {verb} {set} {}", quoted(&name)), |response| {
                    if let Response::Data { outcome, .. } | Response::Done { outcome, .. } = response
                        && let Some(ResponseCode::CopyUid(_, source, _)) = &outcome.code
                    {
                        copied.add(source);
                    }
                    Ok(())
                })
                .await;
            match outcome {
                // Somebody removed the folder meanwhile.
                Err(MailboxError::Refused { code: Some("TRYCREATE" | "NONEXISTENT"), .. }) if attempt == 1 => self.done_wire = None,
                Err(error) => return Err(error),
                Ok(()) => {
                    // A server with UIDPLUS that names nothing has moved nothing. (After COPY all that matters is still there.)
                    copied.told |= verb == "MOVE" && self.capabilities.has("UIDPLUS");
                    return Ok(copied);
                }
            }
        }
        Err(MailboxError::DoneFolder("the server does not find it although it was just made"))
    }

    /// Finds the done folder, or makes and subscribes it.
    async fn done_folder(&mut self, done: &FolderName) -> Result<String, MailboxError> {
        const DOING: &str = "making the folder for filed mail";
        let (candidates, found) = self.find_done_folder(done).await?;
        if let Some(name) = found {
            return Ok(self.done_wire.insert(name).clone());
        }
        for candidate in &candidates {
            match self.strict.command(DOING, &format!("CREATE {}", quoted(candidate)), |_| Ok(())).await {
                Ok(()) | Err(MailboxError::Refused { code: Some("ALREADYEXISTS"), .. }) => {
                    // A folder that cannot be subscribed to is still good for filing.
                    match self.strict.command(DOING, &format!("SUBSCRIBE {}", quoted(candidate)), |_| Ok(())).await {
                        Ok(()) | Err(MailboxError::Refused { .. }) => return Ok(self.done_wire.insert(candidate.clone()).clone()),
                        Err(error) => return Err(error),
                    }
                }
                Err(MailboxError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(MailboxError::DoneFolder("it is missing and the server does not let us make it"))
    }

    /// The names on the wire that the done folder could have, and the one that is there. Some servers keep all folders
    /// below INBOX (a personal namespace with a prefix, RFC 2342): then the name is looked for and made there.
    async fn find_done_folder(&mut self, done: &FolderName) -> Result<(Vec<String>, Option<String>), MailboxError> {
        let name = modified_utf7(done.as_str());
        let delimiter = self.look_for("").await?.and_then(|found| found.delimiter);
        let below_inbox =
            delimiter.filter(|_| !name.to_ascii_uppercase().starts_with("INBOX")).map(|delimiter| format!("INBOX{delimiter}{name}"));
        let candidates: Vec<String> = std::iter::once(name).chain(below_inbox).collect();
        for candidate in &candidates {
            if self.look_for(candidate).await?.is_some_and(|found| found.selectable) {
                let found = candidate.clone();
                return Ok((candidates, Some(found)));
            }
        }
        Ok((candidates, None))
    }

    async fn look_for(&mut self, name: &str) -> Result<Option<Found>, MailboxError> {
        let mut found = None;
        self.strict
            .command("looking for the folder for filed mail", &format!("LIST \"\" {}", quoted(name)), |response| {
                if let Response::MailboxData(MailboxDatum::List(data)) = response {
                    let unusable = |attribute: &NameAttribute<'_>| match attribute {
                        NameAttribute::NoSelect => true,
                        NameAttribute::Extension(word) => word.eq_ignore_ascii_case("\\NonExistent"),
                        _ => false,
                    };
                    found = Some(Found {
                        selectable: !data.name_attributes.iter().any(unusable),
                        delimiter: data.delimiter.as_deref().filter(|d| d.chars().all(|c| c.is_ascii_graphic())).map(str::to_owned),
                    });
                }
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Which of these UIDs are in the folder now.
    async fn present(&mut self, set: &UidSet) -> Result<Vec<u32>, MailboxError> {
        const DOING: &str = "looking whether mails are still there";
        // FETCH may not tell that others have expunged something (RFC 9051 §5.5); NOOP does.
        self.strict.noop(DOING).await?;
        let mut present = Vec::new();
        self.strict
            .command(DOING, &format!("UID FETCH {set} (UID FLAGS)"), |response| {
                if let Response::Fetch(_, attributes) = response {
                    let uid = attributes.iter().find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None });
                    present.extend(uid.filter(|uid| set.0.binary_search(uid).is_ok()));
                }
                Ok(())
            })
            .await?;
        Ok(present)
    }

    fn is_ours(&self, uid: &MailUid) -> bool {
        uid.mailbox == self.id && uid.validity == self.validity
    }

    fn ours(&self, mails: &[MailUid]) -> Vec<u32> {
        mails.iter().filter(|uid| self.is_ours(uid)).map(|uid| uid.uid.get()).collect()
    }

    fn settled(&self, mails: &[MailUid], of: impl Fn(u32) -> Settled) -> Vec<(MailUid, Settled)> {
        mails.iter().map(|uid| (uid.clone(), if self.is_ours(uid) { of(uid.uid.get()) } else { Settled::Stale })).collect()
    }
}

/// Selects the folder of this name on the wire, and checks that mail can be taken out of it. Its UIDVALIDITY.
async fn enter(strict: &mut Strict, name: &str) -> Result<NonZeroU32, MailboxError> {
    // Another folder has another one.
    strict.validity = None;
    let (mut validity, mut read_only, mut sticky) = (None, false, true);
    let selected = strict
        .command("opening the folder", &format!("SELECT {}", quoted(name)), |response| {
            if let Response::Data { outcome, .. } | Response::Done { outcome, .. } = response {
                match &outcome.code {
                    Some(ResponseCode::UidValidity(number)) => validity = NonZeroU32::new(*number),
                    Some(ResponseCode::ReadOnly) => read_only = true,
                    Some(ResponseCode::UidNotSticky) => sticky = false,
                    Some(ResponseCode::PermanentFlags(flags)) => {
                        read_only |= !flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted"));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
        .await;
    match selected {
        Err(MailboxError::Refused { code: None | Some("NONEXISTENT" | "CANNOT" | "NOPERM"), .. }) => {
            return Err(MailboxError::NoFolder);
        }
        other => other?,
    }
    if read_only {
        return Err(MailboxError::ReadOnly);
    }
    if !sticky {
        return Err(MailboxError::UidsDoNotLast);
    }
    let validity = validity.ok_or(MailboxError::Protocol("opening the folder"))?;
    strict.validity = Some(validity);
    Ok(validity)
}

/// What LIST says about one name.
struct Found {
    selectable: bool,
    delimiter: Option<String>,
}

/// The source UIDs of COPYUID (RFC 4315 §3).
#[derive(Debug, Default)]
struct Copied {
    ranges: Vec<std::ops::RangeInclusive<u32>>,
    /// The server tells by COPYUID what it copied. MOVE and COPY of a UID that is not there are OK too.
    told: bool,
}

impl Copied {
    fn add(&mut self, source: &[imap_proto::rfc4315::UidSetMember]) {
        use imap_proto::rfc4315::UidSetMember as M;
        self.told = true;
        self.ranges.extend(source.iter().map(|member| match member {
            M::Uid(uid) => *uid..=*uid,
            M::UidRange(range) => range.clone(),
        }));
    }

    /// True if this one was copied; where the server does not tell, its OK is all there is.
    fn holds(&self, uid: u32) -> bool {
        !self.told || self.ranges.iter().any(|range| range.contains(&uid))
    }
}

fn capability_word(word: &imap_proto::Capability<'_>) -> String {
    match word {
        imap_proto::Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        imap_proto::Capability::Auth(mechanism) => format!("AUTH={mechanism}"),
        imap_proto::Capability::Atom(atom) => atom.clone().into_owned(),
    }
}

/// A mail of a listing; None for a FETCH response that only tells of changed flags.
fn listing(id: &MailboxId, validity: NonZeroU32, attributes: &[AttributeValue<'_>]) -> Option<Listed> {
    let (mut uid, mut size, mut internal_date, mut deleted) = (None, None, 0, false);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(number) => uid = NonZeroU32::new(*number),
            AttributeValue::Rfc822Size(bytes) => size = Some(u64::from(*bytes)),
            AttributeValue::InternalDate(text) => internal_date = milliseconds(text).unwrap_or(0),
            AttributeValue::Flags(flags) => deleted = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted")),
            _ => {}
        }
    }
    Some(Listed { uid: MailUid { mailbox: id.clone(), validity, uid: uid? }, size: size?, internal_date, deleted })
}

/// A date-time of RFC 9051 §9, such as ` 7-Jul-1996 02:44:25 -0700`, in milliseconds since 1970.
fn milliseconds(text: &str) -> Option<i64> {
    let parsed = strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    Some(parsed.to_timestamp().ok()?.as_millisecond())
}

/// The UID and the body, or the part of it, in a FETCH response; a body may be NIL.
fn body<'a>(response: &'a Response<'_>) -> Option<(u32, Option<&'a [u8]>)> {
    let Response::Fetch(_, attributes) = response else { return None };
    let uid = attributes.iter().find_map(|a| if let AttributeValue::Uid(uid) = a { Some(*uid) } else { None })?;
    let body = attributes.iter().find_map(|a| match a {
        AttributeValue::BodySection { section: None, data, .. } => Some(data.as_deref()),
        _ => None,
    })?;
    Some((uid, body))
}

fn raw(listed: &Listed, bytes: Vec<u8>, truncated: bool) -> RawMail {
    RawMail { uid: listed.uid.clone(), internal_date: listed.internal_date, size: listed.size, bytes: Redacted::new(bytes), truncated }
}

/// UIDs for one command; shown as the sequence set (RFC 9051 §9) that names exactly these.
#[derive(Debug)]
struct UidSet(Vec<u32>);

/// These UIDs, at most [`SET`] in each set.
fn uid_sets(uids: impl IntoIterator<Item = u32>) -> Vec<UidSet> {
    let sorted: Vec<u32> = BTreeSet::from_iter(uids).into_iter().collect();
    sorted.chunks(SET).map(|chunk| UidSet(chunk.to_vec())).collect()
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for &uid in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        for (place, (first, last)) in ranges.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}:{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_names_exactly_the_uids_asked_for() {
        assert!(uid_sets([]).is_empty());
        let sets = uid_sets([7, 1, 2, 3, 5, 7, u32::MAX]);
        assert_eq!(sets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1:3,5,7,4294967295"]);
        assert_eq!(uid_sets((1..=1200).map(|n| n * 2)).len(), 3);
    }

    #[test]
    fn internal_dates_are_read() {
        assert_eq!(milliseconds("17-Jul-1996 02:44:25 -0700"), Some(837_596_665_000));
        assert_eq!(milliseconds(" 7-Jul-1996 02:44:25 +0000"), Some(836_707_465_000));
        assert_eq!(milliseconds("yesterday"), None);
    }
}
