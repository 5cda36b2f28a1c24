//! The limit: the least that any program must do to take mail in. It fetches, parses and commits one row a mail, with the
//! same libraries and the same durability as postkamer, and nothing else: no decision, no reply, no filing.

use super::support::certificates::trusting;
use async_imap::imap_proto::{AttributeValue, Response, SectionPath, Status};
use mail_parser::MessageParser;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use std::path::Path;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// Where the mail waits.
pub struct Source<'a> {
    pub port: u16,
    pub ca_file: &'a str,
    pub user: &'a str,
    pub password: &'a str,
}

/// What is committed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// All mails that were fetched together.
    Batches,
    /// Each mail.
    Mails,
}

/// One mail as the limit keeps it.
struct Row {
    uid: u32,
    message_id: Option<String>,
    sender: Option<String>,
    subject: Option<String>,
    text: Option<String>,
}

/// A batch holds at most this many mails and this many octets.
const BATCH_MAILS: usize = 50;
const BATCH_OCTETS: u64 = 8 << 20;

type Session = async_imap::Session<TlsStream<TcpStream>>;

/// Takes in all mail of INBOX; answers how many rows were committed.
pub async fn take_in(source: &Source<'_>, database: &Path, commits: Commits) -> u64 {
    let database = open(database).await;
    let mut session = sign_in(source).await;
    let mut sizes: Vec<(u32, u64)> = Vec::new();
    command(&mut session, "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", |attributes| {
        let (mut uid, mut size) = (0, 0);
        for attribute in attributes {
            match attribute {
                AttributeValue::Uid(value) => uid = *value,
                AttributeValue::Rfc822Size(value) => size = u64::from(*value),
                _ => {}
            }
        }
        sizes.push((uid, size));
    })
    .await;

    let mut rest = &sizes[..];
    let mut committed = 0;
    while !rest.is_empty() {
        let (mut count, mut octets) = (0, 0);
        for (_, size) in rest.iter().take(BATCH_MAILS) {
            octets += size;
            if count > 0 && octets > BATCH_OCTETS {
                break;
            }
            count += 1;
        }
        let (batch, later) = rest.split_at(count);
        rest = later;
        let uids: Vec<String> = batch.iter().map(|(uid, _)| uid.to_string()).collect();
        let mut rows = Vec::with_capacity(count);
        command(&mut session, &format!("UID FETCH {} (UID BODY.PEEK[])", uids.join(",")), |attributes| {
            rows.push(parse(attributes));
        })
        .await;
        match commits {
            Commits::Batches => committed += commit(&database, rows).await,
            Commits::Mails => {
                for row in rows {
                    committed += commit(&database, vec![row]).await;
                }
            }
        }
    }
    command(&mut session, "LOGOUT", |_| {}).await;
    committed
}

async fn sign_in(source: &Source<'_>) -> Session {
    let tcp = TcpStream::connect(("127.0.0.1", source.port)).await.expect("the IMAP server takes the connection");
    let name = ServerName::try_from("127.0.0.1").expect("a server's name");
    let tls = TlsConnector::from(trusting(source.ca_file)).connect(name, tcp).await.expect("TLS");
    let mut client = async_imap::Client::new(tls);
    client.read_response().await.expect("a greeting");
    let mut session = client.login(source.user, source.password).await.map_err(|(error, _)| error).expect("signed in");
    command(&mut session, "EXAMINE INBOX", |_| {}).await;
    session
}

/// Sends a command, hands every FETCH response to `on`, and insists on OK.
async fn command(session: &mut Session, line: &str, mut on: impl FnMut(&[AttributeValue<'_>])) {
    let tag = session.run_command(line).await.expect("the command is sent");
    loop {
        let response = session.read_response().await.expect("an answer").expect("the connection stays");
        match response.parsed() {
            Response::Fetch(_, attributes) => on(attributes),
            Response::Done { tag: done, status, .. } if *done == tag => {
                assert_eq!(*status, Status::Ok, "{line}");
                return;
            }
            _ => {}
        }
    }
}

fn parse(attributes: &[AttributeValue<'_>]) -> Row {
    let mut uid = 0;
    let mut raw: &[u8] = &[];
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = *value,
            AttributeValue::BodySection { section: None::<SectionPath>, data: Some(data), .. } => raw = data,
            _ => {}
        }
    }
    let message = MessageParser::default().parse(raw).expect("a mail");
    Row {
        uid,
        message_id: message.message_id().map(|id| id.to_string()),
        sender: message.from().and_then(|from| from.first()).and_then(|from| from.address()).map(|from| from.to_string()),
        subject: message.subject().map(|subject| subject.to_string()),
        text: message.body_text(0).map(|text| text.to_string()),
    }
}

async fn open(file: &Path) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", file.display()));
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL").pragma("secure_delete", "ON"));
    let database = Database::connect(options).await.expect("a database");
    let table = "CREATE TABLE mail (uid INTEGER PRIMARY KEY, message_id TEXT, sender TEXT, subject TEXT, text TEXT) STRICT";
    database.execute_unprepared(table).await.expect("a table");
    database
}

async fn commit(database: &DatabaseConnection, rows: Vec<Row>) -> u64 {
    let mut insert = Query::insert();
    insert.into_table(Alias::new("mail")).columns(["uid", "message_id", "sender", "subject", "text"].map(Alias::new));
    let count = rows.len() as u64;
    for row in rows {
        insert.values_panic([row.uid.into(), row.message_id.into(), row.sender.into(), row.subject.into(), row.text.into()]);
    }
    let transaction = database.begin().await.expect("a transaction");
    let done = transaction.execute(&insert).await.expect("rows inserted");
    transaction.commit().await.expect("committed");
    assert_eq!(done.rows_affected(), count);
    count
}
