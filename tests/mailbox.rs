//! The mailbox room against a real Dovecot, and against Maildirs.

use crate::support::dovecot::{Dovecot, Store};
use crate::support::imap::Security;
use postkamer::mailbox::{
    self, Done, ImapSettings, Kind, Level, Listed, MailboxError, Password, Secret, Session, Settings, Settled, Tls, Woken, maildir,
};
use postkamer::words::{MailUid, MailboxId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "ge\"he\\im";
/// Nothing here takes this long: it is how long a test waits before it calls something dead.
const LIVENESS: Duration = Duration::from_secs(60);

fn mail(number: usize) -> Vec<u8> {
    format!("From: Ineke Bakker <i.bakker@waterwolde.example>\r\nSubject: vraag {number}\r\n\r\nGoedemorgen {number}.\r\n").into_bytes()
}

fn settings(kind: Kind) -> Settings {
    Settings {
        kind,
        folder: "INBOX".parse().unwrap(),
        done: Done::Folder("Verwerkt".parse().unwrap()),
        poll: Duration::from_secs(600),
        exclusive: false,
        max_mail: 50_000_000,
    }
}

/// The settings of a fresh user of this server.
fn user(dovecot: &Dovecot, address: &str, security: Security) -> Settings {
    dovecot.add_user(address, PASSWORD);
    let password = dovecot.files().parent().unwrap().join(format!("password-{address}"));
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    settings(Kind::Imap(ImapSettings {
        host: "127.0.0.1".to_owned(),
        port: dovecot.port(security),
        tls: match security {
            Security::Plain => Tls::None,
            Security::StartTls => Tls::StartTls,
            Security::Implicit => Tls::Implicit,
        },
        ca_file: Some(dovecot.ca_file().into()),
        username: address.to_owned().into(),
        secret: Secret::Password(Password::File(password)),
    }))
}

fn server(settings: &mut Settings) -> &mut ImapSettings {
    match &mut settings.kind {
        Kind::Imap(server) => server,
        Kind::Maildir { .. } => panic!("an IMAP mailbox"),
    }
}

async fn open(settings: &Settings) -> Session {
    mailbox::open(MailboxId::new("support"), settings).await.unwrap()
}

fn uids(listed: &[Listed]) -> Vec<MailUid> {
    listed.iter().map(|mail| mail.uid.clone()).collect()
}

fn all(settled: &[(MailUid, Settled)], state: Settled) -> bool {
    !settled.is_empty() && settled.iter().all(|(_, s)| *s == state)
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_listed_and_fetched_over_tls_starttls_and_plain() {
    let dovecot = Dovecot::shared();
    for (security, address) in [
        (Security::Implicit, "tls@zaakwijs.example"),
        (Security::StartTls, "starttls@zaakwijs.example"),
        (Security::Plain, "plain@zaakwijs.example"),
    ] {
        let settings = user(dovecot, address, security);
        dovecot.append(address, "INBOX", &mail(1), Some("2026-11-21T10:15:00+01:00".parse().unwrap()));
        let mut session = open(&settings).await;
        let listed = session.list().await.unwrap();
        let fetched = session.fetch(&listed).await.unwrap();
        assert_eq!(fetched.len(), 1, "{security:?}");
        assert_eq!(*fetched[0].bytes.reveal(), mail(1));
        assert_eq!((fetched[0].internal_date, fetched[0].size, fetched[0].truncated), (1_795_252_500_000, mail(1).len() as u64, false));
        assert_eq!(session.validity(), Some(listed[0].uid.validity));
        session.close().await;
        let flags = dovecot.with(address, |imap| {
            imap.command("EXAMINE INBOX");
            imap.command("UID FETCH 1:* (FLAGS)")
        });
        assert!(!flags[0].line.contains("Seen"), "fetching leaves no trace: {}", flags[0].line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_prove_who_it_is_gets_no_password() {
    let dovecot = Dovecot::shared();
    for security in [Security::Implicit, Security::StartTls] {
        let mut settings = user(dovecot, "proof@zaakwijs.example", security);
        server(&mut settings).ca_file = None;
        let error = mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err();
        assert_eq!(error, MailboxError::Tls(mailbox::tls::TlsFault::UnknownIssuer), "{security:?}");
        assert!(!error.is_passing());
        // The same server under a name that its certificate does not hold.
        let mut settings = user(dovecot, "proof@zaakwijs.example", security);
        server(&mut settings).host = "127.0.0.2".to_owned();
        let error = mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err();
        assert!(matches!(error, MailboxError::Tls(mailbox::tls::TlsFault::OtherName) | MailboxError::Unreachable(..)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_a_missing_folder_and_a_closed_port_are_told_apart() {
    let dovecot = Dovecot::shared();
    let mut settings = user(dovecot, "apart@zaakwijs.example", Security::Implicit);
    settings.folder = "Nergens".parse().unwrap();
    assert_eq!(mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err(), MailboxError::NoFolder);
    dovecot.add_user("other@zaakwijs.example", "something else");
    server(&mut settings).username = "other@zaakwijs.example".to_owned().into();
    let error = mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err();
    assert_eq!(error, MailboxError::SignIn(Some("AUTHENTICATIONFAILED")));
    server(&mut settings).port = crate::support::free_port();
    let error = mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err();
    assert!(matches!(error, MailboxError::Unreachable(..)) && error.is_passing(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_hundred_mails_and_a_large_one_come_as_they_are() {
    let dovecot = Dovecot::shared();
    let address = "hundreds@zaakwijs.example";
    let mut settings = user(dovecot, address, Security::Implicit);
    settings.max_mail = 3_000_000;
    let mut sent: Vec<Vec<u8>> = (0..300).map(mail).collect();
    let large = |size: usize| [mail(0), b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n".repeat(size / 62)].concat();
    sent.push(large(2_900_000));
    sent.push([mail(0), vec![b'x'; 3_000_000 - mail(0).len()]].concat());
    sent.push(large(3_500_000));
    sent.push(mail(9));
    for raw in &sent {
        dovecot.append(address, "INBOX", raw, None);
    }
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    let fetched = session.fetch(&listed).await.unwrap();
    assert_eq!(uids(&listed), fetched.iter().map(|mail| mail.uid.clone()).collect::<Vec<_>>());
    for (place, (fetched, sent)) in fetched.iter().zip(&sent).enumerate() {
        let beyond = sent.len() > 3_000_000;
        assert_eq!(fetched.truncated, beyond, "mail {place}");
        let whole = if beyond { &sent[..256 * 1024] } else { &sent[..] };
        assert!(fetched.bytes.reveal() == whole, "mail {place}");
    }
    // Filing them all: nothing is lost, nothing doubled.
    assert!(all(&session.file(&uids(&listed)).await.unwrap(), Settled::Filed));
    assert_eq!((dovecot.count(address, "INBOX"), dovecot.count(address, "Verwerkt")), (0, sent.len() as u32));
}

#[tokio::test(flavor = "multi_thread")]
async fn filing_makes_and_subscribes_the_missing_folder() {
    for store in [Store::Maildir, Store::Mdbox] {
        let dovecot = Dovecot::start(store);
        let address = "file@zaakwijs.example";
        let mut settings = user(&dovecot, address, Security::Plain);
        settings.done = Done::Folder("Åtgärdat & klart".parse().unwrap());
        dovecot.append(address, "INBOX", &mail(1), None);
        dovecot.append(address, "INBOX", &mail(2), None);
        let mut session = open(&settings).await;
        let listed = session.list().await.unwrap();
        assert!(all(&session.file(&uids(&listed[..1])).await.unwrap(), Settled::Filed), "{store:?}");
        assert_eq!(dovecot.folder_messages(address, "INBOX"), [mail(2)]);
        assert_eq!(dovecot.folder_messages(address, "&AMU-tg&AOQ-rdat &- klart"), [mail(1)]);
        let subscribed = dovecot.with(address, |imap| imap.command("LSUB \"\" *"));
        assert!(subscribed.iter().any(|response| response.line.contains("&AMU-tg")), "{store:?}");
        // Filed already: it is not ours to file any more.
        assert!(all(&session.file(&uids(&listed[..1])).await.unwrap(), Settled::Gone));
        // Somebody removes the folder while we are at work.
        dovecot.with(address, |imap| imap.command("DELETE \"&AMU-tg&AOQ-rdat &- klart\""));
        assert!(all(&session.file(&uids(&listed[1..])).await.unwrap(), Settled::Filed), "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_folders_lie_below_inbox_the_done_folder_does_too() {
    let dovecot = Dovecot::start_with(Store::Maildir, "namespace inbox {\n  inbox = yes\n  prefix = INBOX.\n  separator = .\n}\n");
    let address = "below@zaakwijs.example";
    let settings = user(&dovecot, address, Security::Plain);
    dovecot.append(address, "INBOX", &mail(1), None);
    for _ in 0..2 {
        let mut session = open(&settings).await;
        let listed = session.list().await.unwrap();
        assert!(all(&session.file(&uids(&listed)).await.unwrap(), Settled::Filed));
        dovecot.append(address, "INBOX", &mail(2), None);
    }
    assert_eq!(dovecot.folder_messages(address, "INBOX.Verwerkt"), [mail(1), mail(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_mail_named_is_removed_and_its_bytes_are_gone() {
    for store in [Store::Maildir, Store::Mdbox] {
        let dovecot = Dovecot::start(store);
        let address = "remove@zaakwijs.example";
        let settings = user(&dovecot, address, Security::Implicit);
        for number in 1..=4 {
            dovecot.append(address, "INBOX", &mail(number), None);
        }
        // A colleague has marked a mail as deleted and may change their mind: it is not ours to expunge.
        dovecot.with(address, |imap| {
            imap.command("SELECT INBOX");
            imap.command("UID STORE 3 +FLAGS (\\Deleted)")
        });
        let mut session = open(&settings).await;
        let listed = session.list().await.unwrap();
        assert_eq!(listed.iter().map(|mail| mail.deleted).collect::<Vec<_>>(), [false, false, true, false]);
        let removed = session.remove(&uids(&[listed[0].clone(), listed[1].clone()])).await.unwrap();
        assert!(all(&removed, Settled::Gone));
        assert_eq!(dovecot.folder_messages(address, "INBOX"), [mail(3), mail(4)], "{store:?}");
        if store == Store::Maildir {
            let files = std::process::Command::new("grep").args(["-rl", "Goedemorgen 1"]).arg(dovecot.files()).output().unwrap();
            assert!(files.stdout.is_empty(), "{}", String::from_utf8_lossy(&files.stdout));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_took_away_is_absent_and_not_an_error() {
    let dovecot = Dovecot::shared();
    let address = "meanwhile@zaakwijs.example";
    let settings = user(dovecot, address, Security::Plain);
    for number in 1..=3 {
        dovecot.append(address, "INBOX", &mail(number), None);
    }
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    dovecot.with(address, |imap| {
        imap.command("CREATE Elders");
        imap.command("SELECT INBOX");
        imap.command("UID MOVE 1 Elders");
    });
    let fetched = session.fetch(&listed).await.unwrap();
    assert_eq!(fetched.iter().map(|mail| mail.uid.uid.get()).collect::<Vec<_>>(), [2, 3]);
    let filed = session.file(&uids(&listed[..2])).await.unwrap();
    assert_eq!(filed.iter().map(|(_, state)| *state).collect::<Vec<_>>(), [Settled::Gone, Settled::Filed]);
    let removed = session.remove(&uids(&listed)).await.unwrap();
    assert!(all(&removed, Settled::Gone));
    assert_eq!(dovecot.folder_messages(address, "Verwerkt"), [mail(2)]);
    assert_eq!(dovecot.folder_messages(address, "Elders"), [mail(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_means_absent_even_while_another_client_takes_the_mark_off() {
    let dovecot = Arc::new(Dovecot::start(Store::Maildir));
    let address = "undelete@zaakwijs.example";
    let settings = user(&dovecot, address, Security::Plain);
    for number in 0..30 {
        dovecot.append(address, "INBOX", &mail(number), None);
    }
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let rival = std::thread::spawn({
        let (dovecot, over) = (Arc::clone(&dovecot), Arc::clone(&over));
        move || {
            dovecot.with(address, |imap| {
                imap.command("SELECT INBOX");
                while !over.load(Ordering::SeqCst) {
                    imap.try_command("UID STORE 1:* -FLAGS.SILENT (\\Deleted)");
                }
            });
        }
    });
    for mail in &listed {
        let settled = session.remove(std::slice::from_ref(&mail.uid)).await.unwrap();
        let there = session.list().await.unwrap().iter().any(|now| now.uid == mail.uid);
        assert_eq!(settled[0].1, if there { Settled::StillThere } else { Settled::Gone });
    }
    over.store(true, Ordering::SeqCst);
    rival.join().unwrap();
    assert!(all(&session.remove(&uids(&listed)).await.unwrap(), Settled::Gone));
    // A connection that has the folder open may count it as it was; one that opens it anew sees it as it is.
    assert!(dovecot.folder_messages(address, "INBOX").is_empty());
    assert!(open(&settings).await.list().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_uidplus_a_shared_mailbox_is_refused_and_an_exclusive_one_is_emptied() {
    let dovecot = Dovecot::start_with(Store::Maildir, "imap_capability = IMAP4rev1 IDLE\n");
    let address = "plain@zaakwijs.example";
    let mut settings = user(&dovecot, address, Security::Plain);
    for number in 1..=3 {
        dovecot.append(address, "INBOX", &mail(number), None);
    }
    assert_eq!(mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err(), MailboxError::NoUidPlus);
    let report = mailbox::examine(&settings).await;
    assert!(!report.is_fine() && !report.passing);
    assert!(report.sentences.iter().any(|sentence| sentence.text.contains("UIDPLUS")), "{report:?}");

    settings.exclusive = true;
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    assert!(all(&session.file(&uids(&listed[..1])).await.unwrap(), Settled::Filed));
    assert!(all(&session.remove(&uids(&listed[1..2])).await.unwrap(), Settled::Gone));
    assert_eq!(dovecot.folder_messages(address, "INBOX"), [mail(3)]);
    assert_eq!(dovecot.folder_messages(address, "Verwerkt"), [mail(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uid_of_another_uidvalidity_is_left_alone() {
    let dovecot = Dovecot::start(Store::Maildir);
    let address = "validity@zaakwijs.example";
    let settings = user(&dovecot, address, Security::Plain);
    dovecot.append(address, "INBOX", &mail(1), None);
    let mut session = open(&settings).await;
    let before = session.list().await.unwrap();
    session.close().await;
    dovecot.renew_uid_validity(address, "INBOX");
    let mut session = open(&settings).await;
    assert_ne!(session.validity(), Some(before[0].uid.validity));
    assert!(all(&session.remove(&uids(&before)).await.unwrap(), Settled::Stale));
    assert!(all(&session.file(&uids(&before)).await.unwrap(), Settled::Stale));
    assert_eq!(session.fetch(&before).await.unwrap_err(), MailboxError::ValidityChanged);
    assert_eq!(dovecot.count(address, "INBOX"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_arrives_ends_the_wait() {
    let dovecot = Dovecot::shared();
    let address = "idle@zaakwijs.example";
    let settings = user(dovecot, address, Security::Implicit);
    let mut session = open(&settings).await;
    assert!(session.list().await.unwrap().is_empty());
    // Between the listing and the wait.
    dovecot.append(address, "INBOX", &mail(1), None);
    let stop = CancellationToken::new();
    let woken = tokio::time::timeout(LIVENESS, session.wait(&stop)).await.expect("the mail is announced").unwrap();
    assert_eq!(woken, Woken::News);
    assert_eq!(session.list().await.unwrap().len(), 1);
    // During the wait.
    let waiting = tokio::spawn({
        let stop = stop.clone();
        async move {
            let woken = session.wait(&stop).await;
            (session, woken)
        }
    });
    tokio::task::spawn_blocking(move || Dovecot::shared().append(address, "INBOX", &mail(2), None)).await.unwrap();
    let (mut session, woken) = tokio::time::timeout(LIVENESS, waiting).await.expect("the mail is announced").unwrap();
    assert_eq!(woken.unwrap(), Woken::News);
    assert_eq!(session.list().await.unwrap().len(), 2);
    // The session is as good as before, and stops when told.
    stop.cancel();
    assert_eq!(session.wait(&stop).await.unwrap(), Woken::Stopped);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_an_error_and_never_an_empty_folder() {
    let dovecot = Dovecot::start(Store::Maildir);
    let address = "away@zaakwijs.example";
    let settings = user(&dovecot, address, Security::Implicit);
    dovecot.append(address, "INBOX", &mail(1), None);
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    dovecot.stop();
    let error = session.list().await.unwrap_err();
    assert!(matches!(error, MailboxError::Lost(_) | MailboxError::Bye(_)) && error.is_passing(), "{error:?}");
    // A broken session stays broken.
    assert!(matches!(session.remove(&uids(&listed)).await, Err(MailboxError::Lost(_))));
    dovecot.start_again();
    assert_eq!(open(&settings).await.list().await.unwrap(), listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn examine_says_what_the_server_can_do() {
    let dovecot = Dovecot::shared();
    let settings = user(dovecot, "examine@zaakwijs.example", Security::Implicit);
    let report = mailbox::examine(&settings).await;
    assert!(report.is_fine(), "{report:?}");
    let text: Vec<&str> = report.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    let text = text.join("\n");
    for word in ["TLS 1.3", "UIDPLUS", "MOVE", "IDLE", "is missing"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("examine@"));
    assert_eq!(dovecot.with("examine@zaakwijs.example", |imap| imap.command("LIST \"\" Verwerkt")).len(), 0, "nothing is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_authority_as_server_certificate_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let [pem, key_pem] = ["certificate.pem", "key.pem"].map(|name| directory.path().join(name));
    std::fs::write(&pem, certificate.pem()).unwrap();
    std::fs::write(&key_pem, key.serialize_pem()).unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let dovecot = Dovecot::start_with(Store::Maildir, &format!("ssl_cert = <{}\nssl_key = <{}\n", pem.display(), key_pem.display()));
    let mut settings = user(&dovecot, "pinned@zaakwijs.example", Security::Implicit);
    server(&mut settings).host = "localhost".to_owned();
    server(&mut settings).ca_file = Some(pem);
    let report = mailbox::examine(&settings).await;
    assert!(report.sentences.iter().any(|s| s.level == Level::Fault && s.text.contains("CA:TRUE")), "{report:?}");
}

fn maildir_at(path: &Path) -> Settings {
    maildir::create(path).unwrap();
    settings(Kind::Maildir { path: path.to_owned() })
}

fn deliver(path: &Path, raw: &[u8], at: &str) {
    maildir::deliver(path, raw, at.parse().unwrap()).unwrap();
}

fn files(directory: PathBuf) -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        std::fs::read_dir(directory).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maildir_is_listed_fetched_filed_and_emptied() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut settings = maildir_at(path);
    settings.max_mail = 300_000;
    deliver(path, &mail(2), "2026-11-21T10:15:01Z");
    deliver(path, &mail(1), "2026-11-21T10:15:00Z");
    std::fs::write(path.join("cur/1795252503.x:2,ST"), [mail(3), vec![b'x'; 300_000]].concat()).unwrap();
    let mut session = open(&settings).await;
    let listed = session.list().await.unwrap();
    assert_eq!(listed.iter().map(|mail| mail.internal_date).take(2).collect::<Vec<_>>(), [1_795_256_100_000, 1_795_256_101_000]);
    assert_eq!(listed.iter().map(|mail| mail.deleted).collect::<Vec<_>>(), [false, false, true]);
    let fetched = session.fetch(&listed).await.unwrap();
    assert_eq!((fetched[0].bytes.reveal(), fetched[1].bytes.reveal()), (&mail(1), &mail(2)));
    assert_eq!((fetched[2].truncated, fetched[2].bytes.reveal().len()), (true, 256 * 1024));
    // A mail reader marks one as read: it is the same mail.
    let new = std::fs::read_dir(path.join("new")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    std::fs::rename(&new, path.join("cur").join(format!("{}:2,S", new.file_name().unwrap().to_str().unwrap()))).unwrap();
    assert_eq!(session.list().await.unwrap(), listed);

    assert!(all(&session.file(&uids(&listed[..1])).await.unwrap(), Settled::Filed));
    assert!(all(&session.remove(&uids(&listed[1..2])).await.unwrap(), Settled::Gone));
    assert_eq!(uids(&session.list().await.unwrap()), uids(&listed[2..]));
    assert_eq!(files(path.join(".Verwerkt/cur")), [mail(1)]);
    assert!(all(&session.file(&uids(&listed[..2])).await.unwrap(), Settled::Gone));
    assert_eq!(session.fetch(&listed[..2]).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_into_a_maildir_ends_the_wait() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let settings = maildir_at(&path);
    let mut session = open(&settings).await;
    let stop = CancellationToken::new();
    assert!(session.list().await.unwrap().is_empty());
    let delivery = tokio::task::spawn_blocking({
        let path = path.clone();
        move || deliver(&path, &mail(1), "2026-11-21T10:15:00Z")
    });
    let woken = tokio::time::timeout(LIVENESS, session.wait(&stop)).await.expect("the delivery is seen").unwrap();
    assert_eq!(woken, Woken::News);
    delivery.await.unwrap();
    assert_eq!(session.list().await.unwrap().len(), 1);
    stop.cancel();
    assert_eq!(session.wait(&stop).await.unwrap(), Woken::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_of_one_name_stay_two_mails() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let settings = maildir_at(path);
    for content in [mail(1), mail(22)] {
        std::fs::write(path.join("cur/same:2,"), content).unwrap();
        let mut session = open(&settings).await;
        let listed = session.list().await.unwrap();
        assert!(all(&session.file(&uids(&listed)).await.unwrap(), Settled::Filed));
    }
    assert_eq!(files(path.join(".Verwerkt/cur")).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_done_folder_cannot_be_the_one_that_mail_comes_in_to() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = maildir_at(directory.path());
    settings.done = Done::Folder("inbox".parse().unwrap());
    assert!(matches!(mailbox::open(MailboxId::new("support"), &settings).await, Err(MailboxError::DoneFolder(_))));
    settings.folder = "Elders".parse().unwrap();
    let missing = mailbox::open(MailboxId::new("support"), &settings).await.unwrap_err();
    assert_eq!(missing, MailboxError::NoMaildir(directory.path().join(".Elders")));
}

/// A server of one port on which each line is answered by a script; gives the port and what it heard.
async fn scripted_imap(connections: Vec<Vec<(&'static str, &'static str)>>) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for connection in connections {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            stream.write_all(b"* OK hello\r\n").await.unwrap();
            let mut tag = String::new();
            for (expected, answer) in connection {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                assert!(line.contains(expected), "{line:?} instead of {expected:?}");
                if let Some((first, _)) = line.split_once(' ') {
                    tag = first.to_owned();
                }
                heard.push(line.trim_end().to_owned());
                let answer: String = answer.replace('$', &tag).lines().map(|line| format!("{line}\r\n")).collect();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        heard
    });
    (port, heard)
}

/// A token endpoint that gives "one", then "two".
async fn tokens() -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/token", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        for token in ["one", "two"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 8192];
            let mut length = 0;
            while !String::from_utf8_lossy(&request[..length]).contains("grant_type=") {
                length += stream.read(&mut request[length..]).await.unwrap();
            }
            let body = format!(r#"{{"access_token":"{token}","expires_in":3600}}"#);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_fetched_anew_once() {
    // user=desk^Aauth=Bearer one^A^A, and the same with two; n,a=desk,^Ahost=… is checked by its beginning.
    for (mechanism, refused, accepted, acknowledged) in [
        ("XOAUTH2", "dXNlcj1kZXNrAWF1dGg9QmVhcmVyIG9uZQEB", "dXNlcj1kZXNrAWF1dGg9QmVhcmVyIHR3bwEB", ""),
        ("OAUTHBEARER", "bixhPWRlc2ss", "bixhPWRlc2ss", "AQ=="),
    ] {
        let offer: &'static str = if mechanism == "XOAUTH2" {
            "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\n$ OK"
        } else {
            "* CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER AUTH=XOAUTH2\n$ OK"
        };
        let (port, heard) = scripted_imap(vec![
            vec![
                ("CAPABILITY", offer),
                (mechanism, "+ "),
                (refused, "+ eyJzdGF0dXMiOiI0MDEifQ=="),
                (acknowledged, "$ NO [AUTHENTICATIONFAILED] no"),
            ],
            vec![
                ("CAPABILITY", offer),
                (mechanism, "+ "),
                (accepted, "$ OK in"),
                ("CAPABILITY", "* CAPABILITY IMAP4rev1 UIDPLUS\n$ OK"),
                ("SELECT", "* 0 EXISTS\n* OK [UIDVALIDITY 7] x\n$ OK x"),
            ],
        ])
        .await;
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "client-geheim").unwrap();
        let settings = settings(Kind::Imap(ImapSettings {
            host: "127.0.0.1".to_owned(),
            port,
            tls: Tls::None,
            ca_file: None,
            username: "desk".to_owned().into(),
            secret: Secret::OAuth(mailbox::OAuth::new(mailbox::OAuthSettings {
                token_url: tokens().await,
                client_id: "postkamer".to_owned(),
                client_secret_file: secret.path().to_owned(),
                refresh_token_file: None,
                scope: None,
            })),
        }));
        let session = mailbox::open(MailboxId::new("support"), &settings).await;
        assert!(session.is_ok(), "{mechanism}: {session:?} {:?}", heard.await);
    }
}
