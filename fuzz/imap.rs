//! The IMAP layer, against a server that says anything.

use postkamer::mailbox::{Done, ImapSettings, Kind, Password, Secret, Session, Settings, Tls, open};
use postkamer::words::{MailboxId, Redacted};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The most that a mail may have, in bytes: what comes out is never more, whatever a server says.
const MAX_MAIL: u64 = 100_000;

static LISTENER: LazyLock<TcpListener> = LazyLock::new(|| TcpListener::bind("127.0.0.1:0").expect("a port on loopback"));
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// The bytes are all that the server says, to whatever is asked; then it has gone. Every mail that is listed is of this folder, and every fate that is
/// told is of a mail that was asked for.
pub fn server(bytes: &[u8]) {
    let port = LISTENER.local_addr().expect("it listens").port();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (stream, _) = LISTENER.accept().expect("the client comes");
            say(stream, bytes);
        });
        RUNTIME.block_on(async {
            if let Ok(mut session) = open(MailboxId::new("support"), &settings(port)).await {
                work(&mut session).await;
                session.close().await;
            }
        });
    });
}

fn say(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut said = [0; 4096];
    while stream.read(&mut said).is_ok_and(|length| length > 0) {}
    // Gone without a trace: thousands of connections that linger would take all ports.
    let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
}

async fn work(session: &mut Session) {
    let validity = session.validity();
    let Ok(listed) = session.list().await else { return };
    assert!(listed.iter().all(|mail| Some(mail.uid.validity) == validity), "a mail of another folder");
    assert!(listed.is_sorted_by(|one, next| one.uid.uid < next.uid.uid), "a mail that is there twice");
    let some: Vec<_> = listed.into_iter().take(3).collect();
    let uids: Vec<_> = some.iter().map(|mail| mail.uid.clone()).collect();
    if let Ok(mails) = session.fetch(&some).await {
        for mail in mails {
            assert!(uids.contains(&mail.uid), "a mail that nobody asked for");
            assert!(mail.bytes.reveal().len() as u64 <= MAX_MAIL + 256 * 1024, "more than a mail may have");
        }
    }
    let (filed, removed) = uids.split_at(uids.len() / 2);
    for settled in [session.file(filed).await, session.remove(removed).await] {
        assert!(settled.into_iter().flatten().all(|(uid, _)| uids.contains(&uid)), "the fate of a mail that nobody named");
    }
    let stop = CancellationToken::new();
    stop.cancel();
    let _ = session.wait(&stop).await;
}

fn settings(port: u16) -> Settings {
    let server = ImapSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        username: Redacted::new("support".to_owned()),
        // Every process has this one.
        secret: Secret::Password(Password::Env("PATH".to_owned())),
    };
    Settings {
        kind: Kind::Imap(server),
        folder: "INBOX".parse().expect("a name"),
        done: Done::Folder("Verwerkt".parse().expect("a name")),
        poll: Duration::from_secs(60),
        exclusive: false,
        max_mail: MAX_MAIL,
    }
}
