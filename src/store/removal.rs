//! What goes when a term is over: rows of tickets, mails and letters, and the keys that tie names to the audit record.
//!
//! Each function here is a step of somebody else's transaction: [`super::retention`] says what goes, and when.

use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::StoreError;
use super::entities::{
    approval, attachment, audit_key, audit_name, contact_change, entry, general_profile, identity_check, link, mail, outbox, participant,
    portal_access, portal_request, profile, queue_reminder, ticket, withheld,
};
use super::error::While;
use super::rows::CHUNK;

const REMOVING: &str = "removing what is due";

/// Removes the rows in which this column has one of these values.
async fn remove<E: EntityTrait>(db: &DatabaseTransaction, column: E::Column, values: &[i64]) -> Result<(), StoreError> {
    E::delete_many().filter(column.is_in(values.iter().copied())).exec(db).await.doing(REMOVING).map(|_| ())
}

/// Removes the rows that are of this organisation.
async fn remove_of<E: EntityTrait>(db: &DatabaseTransaction, column: E::Column, organisation: &str) -> Result<(), StoreError> {
    E::delete_many().filter(column.eq(organisation)).exec(db).await.doing(REMOVING).map(|_| ())
}

/// The rows stay in which this column has one of these values, but name no ticket any more.
async fn unlink<E: EntityTrait>(db: &DatabaseTransaction, column: E::Column, tickets: &[i64]) -> Result<(), StoreError> {
    let unlinked = E::update_many().col_expr(column, Expr::value(None::<i64>));
    unlinked.filter(column.is_in(tickets.iter().copied())).exec(db).await.doing(REMOVING).map(|_| ())
}

/// Who sent the mails in which this column has one of these values is not known any more.
async fn forget_senders(db: &DatabaseTransaction, column: mail::Column, values: &[i64]) -> Result<(), StoreError> {
    let forgotten = mail::Entity::update_many().col_expr(mail::Column::SenderKey, Expr::value(None::<String>));
    forgotten.filter(column.is_in(values.iter().copied())).exec(db).await.doing(REMOVING).map(|_| ())
}

/// The mails of which this is so.
async fn mails_where(db: &DatabaseTransaction, so: Condition) -> Result<Vec<i64>, StoreError> {
    mail::Entity::find().select_only().column(mail::Column::Id).filter(so).into_tuple().all(db).await.doing(REMOVING)
}

/// The mails that were booked on these tickets.
async fn mails_on(db: &DatabaseTransaction, tickets: &[i64]) -> Result<Vec<i64>, StoreError> {
    mails_where(db, Condition::all().add(mail::Column::TicketId.is_in(tickets.iter().copied()))).await
}

/// The ids of all entries of these tickets, as a subquery.
fn entries_of(tickets: &[i64]) -> SelectStatement {
    Query::select()
        .column(entry::Column::Id)
        .from(entry::Entity)
        .and_where(entry::Column::TicketId.is_in(tickets.iter().copied()))
        .to_owned()
}

/// The attachments of these tickets. Their files go when no row names them any more.
pub(super) async fn remove_attachments(db: &DatabaseTransaction, tickets: &[i64]) -> Result<(), StoreError> {
    for chunk in tickets.chunks(CHUNK) {
        let these = attachment::Column::EntryId.in_subquery(entries_of(chunk));
        attachment::Entity::delete_many().filter(these).exec(db).await.doing(REMOVING)?;
    }
    Ok(())
}

/// The originals of these mails are to be expunged, where they may still be in a mailbox.
pub(super) async fn mark_originals(db: &DatabaseTransaction, mails: &[i64]) -> Result<(), StoreError> {
    for chunk in mails.chunks(CHUNK) {
        mail::Entity::update_many()
            .col_expr(mail::Column::Original, Expr::value("due"))
            .filter(mail::Column::Id.is_in(chunk.iter().copied()))
            .filter(mail::Column::FiledAt.is_not_null())
            .filter(mail::Column::Original.is_null())
            .exec(db)
            .await
            .doing(REMOVING)?;
    }
    Ok(())
}

/// Removes what people wrote on these tickets, and who they are; their originals are to be expunged. What is left says that there was a ticket, and
/// what was decided.
pub(super) async fn empty_tickets(db: &DatabaseTransaction, tickets: &[i64], now: i64) -> Result<(), StoreError> {
    remove_attachments(db, tickets).await?;
    for chunk in tickets.chunks(CHUNK) {
        let these = || chunk.iter().copied();
        mark_originals(db, &mails_on(db, chunk).await?).await?;
        forget_senders(db, mail::Column::TicketId, chunk).await?;
        entry::Entity::update_many()
            .col_expr(entry::Column::Author, Expr::value(None::<String>))
            .col_expr(entry::Column::AuthorName, Expr::value(""))
            .col_expr(entry::Column::Subject, Expr::value(""))
            .col_expr(entry::Column::Written, Expr::value(""))
            .col_expr(entry::Column::Quoted, Expr::value(""))
            .col_expr(entry::Column::MessageId, Expr::value(None::<String>))
            .filter(entry::Column::TicketId.is_in(these()))
            .exec(db)
            .await
            .doing(REMOVING)?;
        remove::<participant::Entity>(db, participant::Column::TicketId, chunk).await?;
        remove_letters(db, chunk).await?;
        let closed =
            |column: ticket::Column, value: Expr| Expr::case(ticket::Column::Status.eq("closed"), Expr::col(column)).finally(value);
        // The old values are read on the right, whatever the order (SQL-92 §13.10).
        ticket::Entity::update_many()
            .col_expr(ticket::Column::ClosedFrom, closed(ticket::Column::ClosedFrom, Expr::col(ticket::Column::Status)).into())
            .col_expr(ticket::Column::CloseCause, closed(ticket::Column::CloseCause, Expr::value("refused")).into())
            .col_expr(ticket::Column::ClosedAt, closed(ticket::Column::ClosedAt, Expr::value(now)).into())
            .col_expr(ticket::Column::Status, Expr::value("closed"))
            .col_expr(ticket::Column::Requester, Expr::value(None::<String>))
            .col_expr(ticket::Column::Cc, Expr::value("[]"))
            .col_expr(ticket::Column::EmptiedAt, Expr::value(now))
            .filter(ticket::Column::Id.is_in(these()))
            .exec(db)
            .await
            .doing(REMOVING)?;
    }
    Ok(())
}

/// Letters about no ticket and no mail.
pub(super) async fn remove_loose_letters(db: &DatabaseTransaction, letters: &[i64]) -> Result<(), StoreError> {
    for chunk in letters.chunks(CHUNK) {
        remove::<outbox::Entity>(db, outbox::Column::Id, chunk).await?;
    }
    Ok(())
}

/// Letters about these tickets, and the questions that some of them asked.
async fn remove_letters(db: &DatabaseTransaction, tickets: &[i64]) -> Result<(), StoreError> {
    remove::<identity_check::Entity>(db, identity_check::Column::TicketId, tickets).await?;
    remove::<outbox::Entity>(db, outbox::Column::TicketId, tickets).await
}

/// All that is held of an organisation: what is on its tickets, who its people are, and what else tells of them (`traces`, among the mails).
pub(super) async fn empty_organisation(
    db: &DatabaseTransaction,
    organisation: &str,
    tickets: &[i64],
    traces: Condition,
    now: i64,
) -> Result<(), StoreError> {
    empty_tickets(db, tickets, now).await?;
    let loose = mails_where(db, traces).await?;
    mark_originals(db, &loose).await?;
    for chunk in loose.chunks(CHUNK) {
        forget_senders(db, mail::Column::Id, chunk).await?;
    }
    remove_of::<profile::Entity>(db, profile::Column::Organisation, organisation).await?;
    remove_of::<portal_access::Entity>(db, portal_access::Column::Organisation, organisation).await?;
    // Letters about mail that made no ticket.
    outbox::Entity::delete_many()
        .filter(outbox::Column::Organisation.eq(organisation))
        .filter(outbox::Column::TicketId.is_null())
        .exec(db)
        .await
        .doing(REMOVING)
        .map(|_| ())
}

/// Old tickets go as a whole, with the mails that were booked on them.
pub(super) async fn remove_tickets(db: &DatabaseTransaction, tickets: &[i64]) -> Result<(), StoreError> {
    remove_attachments(db, tickets).await?;
    for chunk in tickets.chunks(CHUNK) {
        remove_letters(db, chunk).await?;
        remove::<entry::Entity>(db, entry::Column::TicketId, chunk).await?;
        remove::<participant::Entity>(db, participant::Column::TicketId, chunk).await?;
        remove_casework(db, chunk).await?;
        remove_mails(db, &mails_on(db, chunk).await?).await?;
        remove::<link::Entity>(db, link::Column::TicketId, chunk).await?;
        remove::<link::Entity>(db, link::Column::ChangeId, chunk).await?;
        unlink::<ticket::Entity>(db, ticket::Column::Continues, chunk).await?;
        remove::<ticket::Entity>(db, ticket::Column::Id, chunk).await?;
    }
    Ok(())
}

/// What agents did on these tickets: approvals, requests, reminders. Changes of lists and invitations stand on their own.
async fn remove_casework(db: &DatabaseTransaction, tickets: &[i64]) -> Result<(), StoreError> {
    remove::<approval::Entity>(db, approval::Column::TicketId, tickets).await?;
    remove::<general_profile::Entity>(db, general_profile::Column::TicketId, tickets).await?;
    remove::<portal_request::Entity>(db, portal_request::Column::TicketId, tickets).await?;
    remove::<queue_reminder::Entity>(db, queue_reminder::Column::TicketId, tickets).await?;
    unlink::<contact_change::Entity>(db, contact_change::Column::TicketId, tickets).await?;
    unlink::<portal_access::Entity>(db, portal_access::Column::TicketId, tickets).await
}

/// Decisions, and the letters that told them.
pub(super) async fn remove_mails(db: &DatabaseTransaction, mails: &[i64]) -> Result<(), StoreError> {
    for chunk in mails.chunks(CHUNK) {
        remove::<withheld::Entity>(db, withheld::Column::MailId, chunk).await?;
        remove::<outbox::Entity>(db, outbox::Column::MailId, chunk).await?;
        remove::<mail::Entity>(db, mail::Column::Id, chunk).await?;
    }
    Ok(())
}

/// The key of a month that ended then, and what else of that month tells by a digest who it was: changes of lists. Nothing of it can be tied to anybody
/// any more; the chain of hashes holds all the same.
pub(super) async fn destroy_key(db: &DatabaseTransaction, month: &str, ended: Option<i64>) -> Result<(), StoreError> {
    if let Some(ended) = ended {
        let of_then = contact_change::Column::At.lt(ended);
        contact_change::Entity::delete_many().filter(of_then).exec(db).await.doing(REMOVING)?;
    }
    audit_name::Entity::delete_many().filter(audit_name::Column::Month.eq(month)).exec(db).await.doing(REMOVING)?;
    audit_key::Entity::delete_by_id(month).exec(db).await.doing(REMOVING).map(|_| ())
}
