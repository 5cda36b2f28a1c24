//! Changes to the list of contacts in an organisation's file: comments and order stay, nothing else is touched.
//!
//! What may not stand on a list is refused before anything is written. The file is replaced whole, with its mode and owner, and only if
//! nobody else has changed it since it was read.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::Settings;
use crate::identify::{Contact, ContactKind, Organisation, Roles};
use crate::words::EmailAddress;

/// Somebody to be put on a list.
#[derive(Clone, Debug)]
pub struct NewContact<'a> {
    /// The name, as the person writes it in mail.
    pub name: &'a str,
    /// The personal business address.
    pub email: &'a EmailAddress,
    /// What this person may do.
    pub kind: ContactKind,
    /// For agents only.
    pub phone: Option<&'a str>,
    /// For agents only.
    pub mobile: Option<&'a str>,
    /// An agent has made sure that an address outside the organisation's domains is meant.
    pub foreign_domain: bool,
}

/// Why a list was not changed. No text names anybody.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The name holds no letters, or signs that cannot stand in a name.
    #[error("the name must hold letters and no control characters")]
    Name,
    /// A phone number holds signs that cannot stand in one.
    #[error("a phone number must not be empty or hold control characters")]
    Phone,
    /// Not a person's address.
    #[error("this is the address of a role or a department, not of a person: whoever reads it cannot approve anything")]
    Role,
    /// The address of a desk.
    #[error("this is the address of one of our desks")]
    Desk,
    /// Outside the organisation's domains.
    #[error("this address is outside the organisation's domains; if it is meant, say so with --foreign-domain")]
    ForeignDomain,
    /// On a list already.
    #[error("this address is on a list of contacts already")]
    Listed,
    /// Not on the list.
    #[error("nobody with this address, who has not left, is on the list of this organisation")]
    NotListed,
    /// An organisation with a list never loses its last general contact.
    #[error("this is the last general contact, and an organisation with a list never loses that one: add another general contact first")]
    LastGeneral,
    /// Somebody else changed it meanwhile.
    #[error("the organisation's file was changed by somebody else meanwhile; nothing was written, please try again")]
    Changed,
    /// It cannot be read as what it should be.
    #[error("the organisation's file is not as it was when the settings were read; `postkamer check` says where")]
    Unreadable,
    /// The file could not be read or written.
    #[error("the organisation's file could not be {doing}: {kind}")]
    Files {
        /// What we were about.
        doing: &'static str,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

fn files(doing: &'static str) -> impl Fn(io::Error) -> EditError {
    move |error| EditError::Files { doing, kind: error.kind() }
}

/// A list with somebody new on it; [`OpenFile::replace`] makes it the organisation's.
///
/// # Errors
/// Whatever forbids it.
pub fn add_contact(settings: &Settings, organisation: &Organisation, new: &NewContact<'_>, today: Date) -> Result<OpenFile, EditError> {
    let sound = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    if !sound(new.name) || !new.name.chars().any(char::is_alphabetic) {
        return Err(EditError::Name);
    }
    if ![new.phone, new.mobile].into_iter().flatten().all(sound) {
        return Err(EditError::Phone);
    }
    if Roles::at(&organisation.name).include(new.email) {
        return Err(EditError::Role);
    }
    if settings.desk_at(new.email).is_some() {
        return Err(EditError::Desk);
    }
    if !new.foreign_domain && !organisation.domains.contains(new.email.domain()) {
        return Err(EditError::ForeignDomain);
    }
    let listed = |contact: &Contact| contact.email == *new.email && !contact.has_left(today);
    if settings.organisations.organisations().iter().any(|organisation| organisation.contacts.iter().any(listed)) {
        return Err(EditError::Listed);
    }
    let mut file = OpenFile::read(&settings.organisation_file(organisation.id.as_str()))?;
    file.push(new)?;
    Ok(file)
}

/// A list that says that a contact leaves, with the first day gone, and what the contact could do; [`OpenFile::replace`] makes it the
/// organisation's.
///
/// # Errors
/// Whatever forbids it.
pub fn contact_leaves(
    settings: &Settings,
    organisation: &Organisation,
    email: &EmailAddress,
    first_day_gone: Date,
) -> Result<(ContactKind, OpenFile), EditError> {
    let leaver =
        organisation.contacts.iter().find(|contact| contact.email == *email && contact.left.is_none()).ok_or(EditError::NotListed)?;
    let stays = |contact: &&Contact| contact.kind == ContactKind::General && contact.left.is_none() && contact.email != *email;
    let is_last = leaver.kind == ContactKind::General && !organisation.contacts.iter().any(|contact| stays(&contact));
    if is_last && organisation.approved_contacts_only {
        return Err(EditError::LastGeneral);
    }
    let mut file = OpenFile::read(&settings.organisation_file(organisation.id.as_str()))?;
    file.leave(email, first_day_gone)?;
    Ok((leaver.kind, file))
}

/// The addresses on a list as its file has them now, with the first day gone of those who leave.
///
/// # Errors
/// The file cannot be read as what it should be. An organisation without a file has an empty list.
pub fn listed(settings: &Settings, organisation: &str) -> Result<Vec<(EmailAddress, Option<Date>)>, EditError> {
    let path = settings.organisation_file(organisation);
    if !path.try_exists().map_err(files("found"))? {
        return Ok(Vec::new());
    }
    let file = OpenFile::read(&path)?;
    let Some(contacts) = file.document.get("contact") else { return Ok(Vec::new()) };
    let tables: Vec<&dyn TableLike> = match contacts {
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Item::Value(Value::Array(array)) => array.iter().filter_map(|value| Some(value.as_inline_table()? as &dyn TableLike)).collect(),
        _ => return Err(EditError::Unreadable),
    };
    let left = |table: &dyn TableLike| table.get("left").and_then(Item::as_datetime).and_then(|day| day.to_string().parse().ok());
    Ok(tables.into_iter().filter_map(|table| Some((table.get("email")?.as_str()?.parse().ok()?, left(table)))).collect())
}

/// Removes what a command left lying beside the organisation's file when it died: it holds the contacts, too.
///
/// # Errors
/// It cannot be removed, or somebody is writing now.
pub fn remove_unfinished(settings: &Settings, organisation: &str) -> Result<(), EditError> {
    let path = settings.organisation_file(organisation);
    if !path.try_exists().map_err(files("found"))? {
        return Ok(());
    }
    let file = OpenFile::read(&path)?;
    let _alone = alone_in(file.directory()?)?;
    remove_if_there(&file.unfinished()?)
}

/// As long as it is open, no other command writes in this directory.
fn alone_in(directory: &Path) -> Result<File, EditError> {
    let directory = File::open(directory).map_err(files("found"))?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::WouldBlock) => Err(EditError::Changed),
        Err(TryLockError::Error(error)) => Err(files("locked")(error)),
    }
}

fn remove_if_there(path: &Path) -> Result<(), EditError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files("cleared away")(error)),
        _ => Ok(()),
    }
}

/// A file as it was read, and what is to become of it.
#[derive(Debug)]
pub struct OpenFile {
    path: PathBuf,
    read: Vec<u8>,
    document: DocumentMut,
}

impl OpenFile {
    fn read(path: &Path) -> Result<Self, EditError> {
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).map_err(files("found"))?;
        let read = fs::read(&path).map_err(files("read"))?;
        let document = std::str::from_utf8(&read).ok().and_then(|text| text.parse().ok()).ok_or(EditError::Unreadable)?;
        Ok(Self { path, read, document })
    }

    fn push(&mut self, new: &NewContact<'_>) -> Result<(), EditError> {
        let kind = new.kind.as_str();
        let texts = [
            ("name", Some(new.name)),
            ("email", Some(new.email.reveal())),
            ("kind", Some(kind)),
            ("phone", new.phone),
            ("mobile", new.mobile),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text?))));
        let contacts = self.document.as_table_mut().entry("contact").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        match contacts {
            Item::ArrayOfTables(tables) => {
                let mut table = Table::from_iter(texts);
                table.decor_mut().set_prefix("\n");
                tables.push(table);
            }
            Item::Value(Value::Array(array)) => array.push(InlineTable::from_iter(texts)),
            _ => return Err(EditError::Unreadable),
        }
        Ok(())
    }

    fn leave(&mut self, email: &EmailAddress, first_day_gone: Date) -> Result<(), EditError> {
        let date: toml_edit::Datetime = first_day_gone.to_string().parse().map_err(|_| EditError::Unreadable)?;
        let is_it = |table: &dyn TableLike| {
            let listed = table.get("email").and_then(Item::as_str).and_then(|text| text.parse::<EmailAddress>().ok());
            listed.as_ref() == Some(email) && !table.contains_key("left")
        };
        let contacts = self.document.as_table_mut().get_mut("contact").ok_or(EditError::Unreadable)?;
        let table: Option<&mut dyn TableLike> = match contacts {
            Item::ArrayOfTables(tables) => tables.iter_mut().find(|table| is_it(*table)).map(|table| table as &mut dyn TableLike),
            Item::Value(Value::Array(array)) => in_array(array, is_it),
            _ => None,
        };
        table.ok_or(EditError::Unreadable)?.insert("left", Item::Value(Value::from(date)));
        Ok(())
    }

    fn directory(&self) -> Result<&Path, EditError> {
        self.path.parent().ok_or(EditError::Unreadable)
    }

    /// Hidden, and without .toml at its end: it is no organisation while it is being written.
    fn unfinished(&self) -> Result<PathBuf, EditError> {
        let name = self.path.file_name().ok_or(EditError::Unreadable)?.to_string_lossy();
        Ok(self.directory()?.join(format!(".{name}.new")))
    }

    /// Puts the changed file in the place of the one that was read, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written, or was changed since it was read; it is as it was then. Only when the very last step fails, after which the file is
    /// in its place, it may be either after a loss of power.
    pub fn replace(self) -> Result<(), EditError> {
        const WRITING: &str = "written";
        let before = fs::metadata(&self.path).map_err(files("read"))?;
        let directory = alone_in(self.directory()?)?;
        let unfinished = self.unfinished()?;
        // Of a command that died.
        remove_if_there(&unfinished)?;
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(files(WRITING))?;
            file.write_all(self.document.to_string().as_bytes()).map_err(files(WRITING))?;
            keep_owner(&file, &before).map_err(files("given its owner"))?;
            file.set_permissions(before.permissions()).map_err(files(WRITING))?;
            file.sync_all().map_err(files(WRITING))?;
            if fs::read(&self.path).map_err(files("read"))? != self.read {
                return Err(EditError::Changed);
            }
            fs::rename(&unfinished, &self.path).map_err(files(WRITING))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written?;
        directory.sync_all().map_err(files(WRITING))
    }
}

fn in_array(array: &mut Array, is_it: impl Fn(&dyn TableLike) -> bool) -> Option<&mut dyn TableLike> {
    array.iter_mut().filter_map(Value::as_inline_table_mut).find(|table| is_it(*table)).map(|table| table as &mut dyn TableLike)
}

/// The new file belongs to whom the old one belonged to.
fn keep_owner(file: &File, before: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (before.uid(), before.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# Boven.\nname = \"X\"\n\n[[contact]] # de eerste\nname = \"A\"\nemail = \"a@x.example\" # werk\nkind = \"general\"\n\n# Onder.\n";

    fn opened(text: &str) -> (tempfile::TempDir, OpenFile) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.toml");
        fs::write(&path, text).unwrap();
        let file = OpenFile::read(&path).unwrap();
        (directory, file)
    }

    #[test]
    fn a_file_that_somebody_else_changed_is_not_overwritten() {
        let (directory, mut file) = opened(FILE);
        file.leave(&"A@x.example".parse().unwrap(), jiff::civil::date(2026, 12, 1)).unwrap();
        let path = file.path.clone();
        fs::write(&path, "name = \"Y\"\n").unwrap();
        assert!(matches!(file.replace(), Err(EditError::Changed)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "name = \"Y\"\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link_and_lists_written_on_one_line_are_edited_too() {
        let (directory, _) = opened("contact = [{ name = \"A\", email = \"a@x.example\", kind = \"general\" }] # een\n");
        let link = directory.path().join("link.toml");
        std::os::unix::fs::symlink(directory.path().join("x.toml"), &link).unwrap();
        let mut file = OpenFile::read(&link).unwrap();
        let email = "b@x.example".parse().unwrap();
        file.push(&NewContact { name: "B", email: &email, kind: ContactKind::Ict, phone: None, mobile: None, foreign_domain: false })
            .unwrap();
        file.leave(&"a@x.example".parse().unwrap(), jiff::civil::date(2026, 12, 1)).unwrap();
        file.replace().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let text = fs::read_to_string(&link).unwrap();
        assert!(text.contains("left = 2026-12-01 }, { name = \"B\", email = \"b@x.example\", kind = \"ict\" }] # een"), "{text}");
    }
}
