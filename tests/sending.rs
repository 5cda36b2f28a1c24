//! Sending: against a real Exim that delivers into a real Dovecot, and against servers that follow a script.

use crate::support::dovecot::{Dovecot, Store};
use crate::support::imap::Security;
use crate::support::smtp::{PASSWORD, Smtp as Exim, USERNAME};
use postkamer::mailbox::{Password, Secret, Tls};
use postkamer::outbox::smtp::{SendError, Smtp, SmtpCode, SmtpSettings};
use postkamer::words::EmailAddress;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// More than any server of these tests takes.
const LIMIT: Duration = Duration::from_secs(480);

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn message(body: &str) -> Vec<u8> {
    format!(
        "From: support@zaakwijs.example\r\nTo: i.bakker@waterwolde.example\r\nMessage-ID: <PK-00001.x@zaakwijs.example>\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

/// What was delivered, without what the servers added above it.
fn body(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn settings(exim: &Exim, security: Security) -> SmtpSettings {
    let password = std::path::Path::new(exim.ca_file()).with_file_name("smtp-password");
    std::fs::write(&password, PASSWORD).unwrap();
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: exim.port(security),
        tls: match security {
            Security::Plain => Tls::None,
            Security::StartTls => Tls::StartTls,
            Security::Implicit => Tls::Implicit,
        },
        credentials: (security != Security::Plain).then(|| (USERNAME.to_owned().into(), Secret::Password(Password::File(password)))),
        ca_file: Some(exim.ca_file().into()),
        timeout: LIMIT,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_arrives_over_tls_starttls_and_plain_with_and_without_a_sender() {
    let dovecot = Dovecot::start(Store::Maildir);
    let exim = Exim::start(&dovecot);
    for (security, to) in [
        (Security::Implicit, "tls@waterwolde.example"),
        (Security::StartTls, "starttls@waterwolde.example"),
        (Security::Plain, "plain@waterwolde.example"),
    ] {
        let smtp = Smtp::new(settings(&exim, security));
        assert!(smtp.examine().await.is_fine(), "{security:?}: {:?}", smtp.examine().await);
        // A line that begins with a dot, and one that would end the mail.
        let text = ".eerste\r\n..\r\n.\r\nMAIL FROM:<x@y.example>\r\nlaatste";
        smtp.send(None, &[address(to)], &message(text)).await.unwrap();
        // The server delivers side by side: only one after the other they arrive in order.
        dovecot.wait_for(to, "INBOX", 1);
        let from = address("support@zaakwijs.example");
        smtp.send(Some(&from), &[address(to)], &message("tweede")).await.unwrap();
        let arrived = dovecot.wait_for(to, "INBOX", 2);
        assert_eq!(body(&arrived[0]), format!("{text}\r\n"), "{security:?}");
        assert_eq!(body(&arrived[1]), "tweede\r\n");
        let return_path =
            |raw: &[u8]| String::from_utf8_lossy(raw).lines().find(|line| line.starts_with("Return-")).unwrap_or_default().to_owned();
        assert_eq!(return_path(&arrived[0]), "Return-Path: <>");
        assert_eq!(return_path(&arrived[1]), "Return-Path: <support@zaakwijs.example>");
    }
    // Many at once, over few connections.
    let smtp = Smtp::new(settings(&exim, Security::Implicit));
    let to = [address("many@waterwolde.example")];
    let mails: Vec<Vec<u8>> = (0..20).map(|n| message(&n.to_string())).collect();
    let sent = futures_util::future::join_all(mails.iter().map(|mail| smtp.send(None, &to, mail))).await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(dovecot.wait_for("many@waterwolde.example", "INBOX", 20).len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_recipient_does_not_keep_the_mail_from_the_other() {
    let dovecot = Dovecot::start(Store::Maildir);
    let exim = Exim::start(&dovecot);
    let smtp = Smtp::new(settings(&exim, Security::Implicit));
    let [good, refused, later] = ["i.bakker@waterwolde.example", "refused@waterwolde.example", "later@waterwolde.example"].map(address);
    let error = smtp.send(None, &[refused.clone(), good.clone(), later.clone()], &message("cc")).await.unwrap_err();
    let SendError::RecipientsRefused(who) = &error else { panic!("{error:?}") };
    assert_eq!(who.iter().map(|(who, code)| (who.clone(), code.code)).collect::<Vec<_>>(), [(refused.clone(), 550), (later.clone(), 451)]);
    assert!(!error.is_passing() && !error.to_string().contains("waterwolde"));
    assert_eq!(dovecot.wait_for(good.reveal(), "INBOX", 1).len(), 1);

    let error = smtp.send(None, std::slice::from_ref(&refused), &message("alone")).await.unwrap_err();
    assert!(matches!(error, SendError::Refused(SmtpCode { code: 550, .. })), "{error:?}");
    let error = smtp.send(None, &[refused, later], &message("both")).await.unwrap_err();
    assert!(matches!(error, SendError::Passing(SmtpCode { code: 451, .. })) && error.is_passing(), "{error:?}");
    smtp.send(None, std::slice::from_ref(&good), &message("again")).await.unwrap();
    assert_eq!(dovecot.wait_for(good.reveal(), "INBOX", 2).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_authority_are_for_the_admin() {
    let dovecot = Dovecot::start(Store::Maildir);
    let exim = Exim::start(&dovecot);
    let mut wrong = settings(&exim, Security::Implicit);
    let password = std::path::Path::new(exim.ca_file()).with_file_name("wrong-password");
    std::fs::write(&password, "guess").unwrap();
    wrong.credentials = Some((USERNAME.to_owned().into(), Secret::Password(Password::File(password))));
    let error = Smtp::new(wrong).send(None, &[address("a@waterwolde.example")], &message("x")).await.unwrap_err();
    assert!(matches!(&error, SendError::Configuration(text) if text.contains("535")), "{error:?}");
    for security in [Security::Implicit, Security::StartTls] {
        let mut stranger = settings(&exim, security);
        stranger.ca_file = None;
        let error = Smtp::new(stranger).send(None, &[address("a@waterwolde.example")], &message("x")).await.unwrap_err();
        assert!(
            matches!(&error, SendError::Configuration(text) if text.contains("an authority that this machine does not know")),
            "{error:?}"
        );
    }
}

/// One step of a server's script.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say(&'static str),
    /// Reads a line that begins so.
    Hear(&'static str),
    /// Reads the mail up to its dot.
    HearMail,
    Close,
    /// Says nothing more; time then passes at once.
    Silence,
}
use Step::{Close, Hear, HearMail, Say, Silence};

const HELLO: [Step; 3] = [Say("220 mx.example"), Hear("EHLO"), Say("250 mx.example")];

/// A server that takes one connection for each script; gives its port and what ends when all scripts have been played.
async fn scripted(scripts: Vec<Vec<Step>>) -> (Smtp, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        for script in scripts {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            for step in script {
                let mut line = String::new();
                match step {
                    Say(text) => stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap(),
                    Hear(start) => {
                        stream.read_line(&mut line).await.unwrap();
                        assert!(line.starts_with(start), "{line:?} instead of {start}");
                    }
                    HearMail => {
                        while line != ".\r\n" {
                            line.clear();
                            assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the mail ends");
                        }
                    }
                    Close => break,
                    Silence => {
                        tokio::time::pause();
                        std::future::pending().await
                    }
                }
            }
        }
    });
    let settings = SmtpSettings { host: "127.0.0.1".to_owned(), port, tls: Tls::None, credentials: None, ca_file: None, timeout: LIMIT };
    (Smtp::new(settings), server)
}

/// What comes of a mail to two recipients when the server answers so after EHLO.
async fn outcome(after_hello: &[Step]) -> Result<(), SendError> {
    let (smtp, server) = scripted(vec![[&HELLO[..], after_hello].concat()]).await;
    let to = [address("a@waterwolde.example"), address("b@waterwolde.example")];
    let outcome = smtp.send(None, &to, &message("hallo")).await;
    server.abort();
    outcome
}

const MAIL: [Step; 2] = [Hear("MAIL FROM:<>"), Say("250 ok")];
const TO: [Step; 2] = [Hear("RCPT TO:"), Say("250 ok")];

fn code(code: u16) -> SmtpCode {
    SmtpCode { code, enhanced: None }
}

#[tokio::test]
async fn what_a_server_says_decides_what_is_known_of_the_mail() {
    let data = [&MAIL[..], &TO, &TO, &[Hear("DATA"), Say("354 go")], &[HearMail]].concat();
    let then = |before: &[Step], last: &[Step]| [before, last].concat();
    for (script, expected) in [
        (then(&data, &[Say("250 ok")]), Ok(())),
        (then(&[Hear("MAIL")], &[Say("421 closing"), Close]), Err(SendError::Passing(code(421)))),
        (then(&[Hear("MAIL")], &[Say("550 no")]), Err(SendError::Refused(code(550)))),
        (
            then(&MAIL, &[Hear("RCPT"), Say("450 4.2.0 <a@waterwolde.example> greylisted"), Hear("RCPT"), Say("450 later")]),
            Err(SendError::Passing(SmtpCode { code: 450, enhanced: Some((4, 2, 0)) })),
        ),
        (
            then(&MAIL, &[Hear("RCPT"), Say("550 5.1.1 a"), Hear("RCPT"), Say("550 5.1.1 b")]),
            Err(SendError::Refused(SmtpCode { code: 550, enhanced: Some((5, 1, 1)) })),
        ),
        (then(&[&MAIL[..], &TO].concat(), &[Hear("RCPT"), Say("421 closing"), Close]), Err(SendError::Passing(code(421)))),
        (then(&[&MAIL[..], &TO, &TO].concat(), &[Hear("DATA"), Say("451 later")]), Err(SendError::Passing(code(451)))),
        (then(&data, &[Say("554 5.7.1 spam")]), Err(SendError::Refused(SmtpCode { code: 554, enhanced: Some((5, 7, 1)) }))),
        (then(&data, &[Say("452 disk full")]), Err(SendError::Passing(code(452)))),
        // A lost answer to the mail is ambiguous; before it, nothing was handed over.
        (then(&data, &[Close]), Err(SendError::Unknown)),
        (then(&data, &[Say("hello?"), Close]), Err(SendError::Unknown)),
        (then(&MAIL, &[Hear("RCPT"), Close]), Err(SendError::Lost("the connection ended".to_owned()))),
    ] {
        assert_eq!(outcome(&script).await, expected, "{script:?}");
    }
    let partly = [&MAIL[..], &TO, &[Hear("RCPT"), Say("550 no")], &[Hear("DATA"), Say("354 go"), HearMail, Say("250 ok")]].concat();
    assert_eq!(outcome(&partly).await, Err(SendError::RecipientsRefused(vec![(address("b@waterwolde.example"), code(550))])));
}

#[tokio::test]
async fn a_silent_server_is_given_up_on() {
    for (script, expected) in [
        (vec![Silence], Err(SendError::Unreachable("it gave no answer in time".to_owned()))),
        ([&HELLO[..], &[Hear("MAIL"), Silence]].concat(), Err(SendError::Lost("it gave no answer in time".to_owned()))),
        ([&HELLO[..], &MAIL, &TO, &[Hear("DATA"), Say("354 go"), HearMail, Silence]].concat(), Err(SendError::Unknown)),
    ] {
        let (smtp, server) = scripted(vec![script]).await;
        let outcome = smtp.send(None, &[address("a@waterwolde.example")], &message("hallo")).await;
        tokio::time::resume();
        server.abort();
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn a_kept_connection_that_has_ended_is_replaced() {
    let mail = [&MAIL[..], &TO, &[Hear("DATA"), Say("354 go"), HearMail, Say("250 ok")]].concat();
    for ending in [vec![Close], vec![Hear("MAIL"), Say("421 idle for too long"), Close]] {
        let first = [&HELLO[..], &mail, &mail, &ending].concat();
        let second = [&HELLO[..], &mail].concat();
        let (smtp, server) = scripted(vec![first, second]).await;
        for _ in 0..3 {
            smtp.send(None, &[address("a@waterwolde.example")], &message("hallo")).await.unwrap();
        }
        tokio::time::timeout(Duration::from_secs(60), server).await.expect("every script was played").unwrap();
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_clear() {
    for script in [
        HELLO.to_vec(),
        vec![Say("220 mx.example"), Hear("EHLO"), Say("250-mx.example\r\n250 STARTTLS"), Hear("STARTTLS"), Say("454 not now")],
        // Injected by somebody in between: it breaks the handshake and is never read as an answer.
        vec![
            Say("220 mx.example"),
            Hear("EHLO"),
            Say("250-mx.example\r\n250 STARTTLS"),
            Hear("STARTTLS"),
            Say("220 go\r\n250 AUTH PLAIN"),
            Close,
        ],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            for step in script {
                let mut line = String::new();
                match step {
                    Say(text) => stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap(),
                    Hear(_) => drop(stream.read_line(&mut line).await.unwrap()),
                    _ => break,
                }
            }
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
            rest
        });
        let password = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(password.path(), "geheim").unwrap();
        let credentials = Some(("desk".to_owned().into(), Secret::Password(Password::File(password.path().into()))));
        let smtp =
            Smtp::new(SmtpSettings { host: "127.0.0.1".to_owned(), port, tls: Tls::StartTls, credentials, ca_file: None, timeout: LIMIT });
        let error = smtp.send(None, &[address("a@waterwolde.example")], &message("hallo")).await.unwrap_err();
        assert!(matches!(error, SendError::Configuration(_) | SendError::Unreachable(_)), "{error:?}");
        let rest = heard.await.unwrap();
        assert!(!rest.starts_with(b"AUTH") && !rest.starts_with(b"MAIL"), "{}", String::from_utf8_lossy(&rest));
    }
}
