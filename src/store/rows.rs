//! Words become columns, and columns words.

use std::num::NonZeroU32;

use jiff::Timestamp;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::words::{EmailAddress, MailUid, MailboxId};

/// How many values a list in a statement may have; both databases take more.
pub(super) const CHUNK: usize = 5_000;
/// How many mails a list of whole keys may have.
pub(super) const KEYS: usize = 2_000;

/// A list as it stands in a column. Strings, codes and numbers cannot fail to serialise.
pub(super) fn to_json<T: Serialize + ?Sized>(list: &T) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

pub(super) fn from_json<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::BadRow(table))
}

pub(super) fn address(table: &'static str, text: &str) -> Result<EmailAddress, StoreError> {
    text.parse().map_err(|_| StoreError::BadRow(table))
}

pub(super) fn addresses(table: &'static str, json: &str) -> Result<Vec<EmailAddress>, StoreError> {
    from_json::<Vec<String>>(table, json)?.iter().map(|text| address(table, text)).collect()
}

pub(super) fn addresses_json(addresses: &[EmailAddress]) -> String {
    to_json(&addresses.iter().map(EmailAddress::reveal).collect::<Vec<_>>())
}

pub(super) fn timestamp(table: &'static str, milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::BadRow(table))
}

pub(super) fn mail_uid(table: &'static str, mailbox: &str, validity: i64, uid: i64) -> Result<MailUid, StoreError> {
    let number = |value: i64| u32::try_from(value).ok().and_then(NonZeroU32::new).ok_or(StoreError::BadRow(table));
    Ok(MailUid { mailbox: MailboxId::new(mailbox), validity: number(validity)?, uid: number(uid)? })
}

/// The condition that a row is one of these mails. At most [`KEYS`] of them.
pub(super) fn is_one_of<'a>(uids: impl IntoIterator<Item = &'a MailUid>) -> Expr {
    let keys: Vec<(String, i64, i64)> =
        uids.into_iter().map(|uid| (uid.mailbox.as_str().to_owned(), uid.validity.get().into(), uid.uid.get().into())).collect();
    if keys.is_empty() {
        return Expr::cust("1 = 0");
    }
    // A list of VALUES in a table of its own is what both databases read alike.
    let list = Query::select().column(Asterisk).from_values(keys, "these").to_owned();
    Expr::tuple(["mailbox", "validity", "uid"].map(Expr::col)).in_subquery(list)
}
