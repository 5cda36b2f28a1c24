//! Tests over a pipe, with a server that follows a script: each trap that async-imap's own calls fall into (they take it
//! for an empty success) must be an error here.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Folder, greet, open_over};
use crate::mailbox::{Done, ImapSettings, Kind, Listed, MailboxError, Password, Secret, Settings, Settled, Tls, Woken};
use crate::words::{MailUid, MailboxId, Redacted};

/// One step of a server's script.
#[derive(Clone, Debug)]
enum Step {
    /// Reads a line, which must hold this, and remembers its tag.
    Hear(String),
    /// Writes these lines; `$` stands for the last tag.
    Say(String),
    /// Writes these bytes as they are.
    Raw(Vec<u8>),
    /// Writes these bytes, one a second.
    Trickle(Vec<u8>),
    /// Ends the connection.
    Close,
    /// Waits until it is told to go on.
    Await(Arc<Notify>),
    /// Says nothing more and keeps the connection.
    Silence,
}

fn hear(text: &str) -> Step {
    Step::Hear(text.to_owned())
}

fn say(text: &str) -> Step {
    Step::Say(text.to_owned())
}

/// A server that plays the script and then reads on until the client goes. Gives the lines it heard.
fn server(script: Vec<Step>) -> (DuplexStream, JoinHandle<Vec<String>>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let played = tokio::spawn(async move {
        let mut stream = BufReader::new(theirs);
        let (mut tag, mut heard) = (String::new(), Vec::new());
        for step in script {
            match step {
                Step::Hear(expected) => {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    assert!(line.contains(&expected), "the client says {line:?} instead of {expected:?}; before: {heard:?}");
                    tag = line.split(' ').next().unwrap_or_default().to_owned();
                    heard.push(line.trim_end().to_owned());
                }
                Step::Say(text) => {
                    let lines: String = text.replace('$', &tag).lines().map(|line| format!("{line}\r\n")).collect();
                    stream.write_all(lines.as_bytes()).await.unwrap();
                }
                Step::Raw(bytes) => drop(stream.write_all(&bytes).await),
                Step::Trickle(bytes) => {
                    for byte in bytes {
                        let _ = stream.write_u8(byte).await;
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                Step::Await(signal) => signal.notified().await,
                Step::Close => return heard,
                Step::Silence => std::future::pending().await,
            }
        }
        let mut rest = String::new();
        let _ = stream.read_to_string(&mut rest).await;
        heard.extend(rest.lines().map(str::to_owned));
        heard
    });
    (ours, played)
}

fn settings() -> (Settings, ImapSettings) {
    let imap = ImapSettings {
        // A name that no resolver needs to be asked about: one of its labels is empty.
        host: "imap..example".to_owned(),
        port: 143,
        tls: Tls::None,
        ca_file: None,
        username: Redacted::new("support".to_owned()),
        // Every process has this one.
        secret: Secret::Password(Password::Env("PATH".to_owned())),
    };
    let settings = Settings {
        kind: Kind::Imap(imap.clone()),
        folder: "INBOX".parse().unwrap(),
        done: Done::Folder("Verwerkt".parse().unwrap()),
        poll: Duration::from_secs(60),
        exclusive: false,
        max_mail: 50_000_000,
    };
    (settings, imap)
}

const CAPABILITY: &str = "* CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE\n$ OK done";

fn greeted() -> Vec<Step> {
    vec![
        say("* OK [CAPABILITY IMAP4rev1] hello"),
        hear("CAPABILITY"),
        say("* CAPABILITY IMAP4rev1\n$ OK done"),
        hear("LOGIN \"support\""),
        say("$ OK in"),
        hear("CAPABILITY"),
        say(CAPABILITY),
    ]
}

fn selected() -> Vec<Step> {
    let mut script = greeted();
    script.extend([
        hear("SELECT \"INBOX\""),
        say("* FLAGS (\\Deleted)\n* OK [PERMANENTFLAGS (\\Deleted \\*)] x\n* 2 EXISTS\n* 0 RECENT\n* OK [UIDVALIDITY 7] x\n* OK [UIDNEXT 9] x\n$ OK [READ-WRITE] x"),
    ]);
    script
}

async fn open_with(stream: DuplexStream, settings: (Settings, ImapSettings)) -> Result<Folder, MailboxError> {
    let greeted = greet::greet(Box::new(stream), None).await?;
    open_over(MailboxId::new("support"), greeted, &settings.1, &settings.0).await
}

/// An open folder on a server that plays this after the SELECT.
async fn folder(script: Vec<Step>) -> (Folder, JoinHandle<Vec<String>>) {
    let mut whole = selected();
    whole.extend(script);
    let (stream, played) = server(whole);
    (open_with(stream, settings()).await.unwrap(), played)
}

/// What opening comes to when the server plays this whole script.
async fn opening(script: Vec<Step>) -> MailboxError {
    let (stream, _played) = server(script);
    open_with(stream, settings()).await.unwrap_err()
}

fn uid(number: u32) -> MailUid {
    MailUid { mailbox: MailboxId::new("support"), validity: NonZeroU32::new(7).unwrap(), uid: NonZeroU32::new(number).unwrap() }
}

fn listed(number: u32, size: u64) -> Listed {
    Listed { uid: uid(number), size, internal_date: 0, deleted: false }
}

const NOOP: [&str; 2] = ["NOOP", "$ OK"];

fn noop() -> [Step; 2] {
    [hear(NOOP[0]), say(NOOP[1])]
}

/// A script made of parts.
fn script<const N: usize>(parts: [&[Step]; N]) -> Vec<Step> {
    parts.concat()
}

#[tokio::test]
async fn a_listing_holds_every_mail_with_its_facts() {
    let (mut folder, _) = folder(script([
        &noop(),
        &[
            hear("UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE FLAGS)"),
            say("* 2 FETCH (UID 8 RFC822.SIZE 5 INTERNALDATE \" 7-Jul-1996 02:44:25 +0000\" FLAGS (\\Seen \\DELETED) MODSEQ (3))"),
            say("* 1 FETCH (FLAGS (\\Seen))\n* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 4 INTERNALDATE \"soon\")\n$ OK"),
        ],
    ]))
    .await;
    let expected = [listed(3, 4), Listed { internal_date: 836_707_465_000, deleted: true, ..listed(8, 5) }];
    assert_eq!(folder.list().await.unwrap(), expected);
}

#[tokio::test]
async fn an_empty_answer_from_a_folder_with_mails_is_not_believed() {
    let (mut folder, _) = folder(script([&noop(), &[hear("UID FETCH"), say("$ OK")]])).await;
    assert!(matches!(folder.list().await, Err(MailboxError::Protocol(_))));
    let (mut emptied, _) = self::folder(script([&[hear("NOOP"), say("* 2 EXPUNGE\n* 1 EXPUNGE\n$ OK")]])).await;
    assert!(emptied.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_end_of_the_stream_is_an_error_wherever_it_comes() {
    for whole in [
        vec![Step::Close],
        vec![say("* OK hello"), hear("CAPABILITY"), Step::Close],
        script([&greeted()[..4], &[Step::Close]]),
        script([&greeted(), &[hear("SELECT"), Step::Close]]),
        script([&greeted(), &[hear("SELECT"), say("* 2 EXISTS"), Step::Close]]),
    ] {
        let error = opening(whole.clone()).await;
        assert!(matches!(error, MailboxError::Lost(_)) && error.is_passing(), "{error:?} after {whole:?}");
    }
    let body = "* 1 FETCH (UID 3 BODY[] {3}\nabc)";
    for part in [
        vec![hear("UID FETCH 3,8 (UID BODY.PEEK[])"), Step::Close],
        vec![hear("UID FETCH"), say(body), Step::Close],
        vec![hear("UID FETCH"), say("* 1 FETCH (UID 3 BODY[] {30}\nabc"), Step::Close],
    ] {
        let (mut folder, _) = folder(part.clone()).await;
        let error = folder.fetch(&[listed(3, 3), listed(8, 3)]).await.unwrap_err();
        assert!(matches!(error, MailboxError::Lost(_)), "{error:?} after {part:?}");
        // What was broken off stays broken.
        assert!(matches!(folder.list().await, Err(MailboxError::Lost(_))));
    }
    let (mut folder, _) = folder(script([&noop(), &[hear("UID FETCH"), Step::Close]])).await;
    assert!(matches!(folder.list().await, Err(MailboxError::Lost(_))));
}

#[tokio::test]
async fn no_and_bad_are_errors_to_every_command() {
    let (no, bad) = (say("$ NO [UNAVAILABLE] A. de Vries is away"), say("$ BAD A. de Vries"));
    let refused = |error: &MailboxError| matches!(error, MailboxError::Refused { code: Some("UNAVAILABLE"), .. });
    for (answer, said_no) in [(&no, true), (&bad, false)] {
        let fits = |error: &MailboxError| {
            assert!(!error.to_string().contains("Vries"), "{error}");
            if said_no { refused(error) } else { matches!(error, MailboxError::Protocol(_)) }
        };
        for part in [script([&[hear("NOOP"), answer.clone()]]), script([&noop(), &[hear("UID FETCH 1:*"), answer.clone()]])] {
            let (mut folder, _) = folder(part).await;
            assert!(fits(&folder.list().await.unwrap_err()));
        }
        let (mut fetching, _) = folder(vec![hear("UID FETCH"), answer.clone()]).await;
        assert!(fits(&fetching.fetch(&[listed(3, 3)]).await.unwrap_err()));
        for part in [
            script([&[hear("UID STORE"), answer.clone()]]),
            script([&[hear("UID STORE"), say("$ OK"), hear("UID EXPUNGE"), answer.clone()]]),
            script([&[hear("UID STORE"), say("$ OK"), hear("UID EXPUNGE"), say("$ OK")], &noop(), &[hear("UID FETCH"), answer.clone()]]),
        ] {
            let (mut folder, _) = folder(part).await;
            assert!(fits(&folder.remove(&[uid(3)]).await.unwrap_err()));
        }
        let found = script([&noop(), &[hear("UID FETCH 3 "), say("* 1 FETCH (UID 3 FLAGS ())\n$ OK")]]);
        let looked = [hear("LIST"), say("* LIST () \".\" \"\"\n$ OK"), hear("LIST"), say("* LIST () \".\" Verwerkt\n$ OK")];
        let (mut filing, _) = folder(script([&found, &looked, &[hear("UID MOVE 3 \"Verwerkt\""), answer.clone()]])).await;
        assert!(fits(&filing.file(&[uid(3)]).await.unwrap_err()));
    }
    let refuse = |after: &[Step]| script([&greeted(), after]);
    assert_eq!(opening(refuse(&[hear("SELECT"), say("$ NO no such folder")])).await, MailboxError::NoFolder);
    assert!(refused(&opening(refuse(&[hear("SELECT"), no.clone()])).await));
    assert_eq!(
        opening(script([&greeted()[..4], &[say("$ NO [AUTHENTICATIONFAILED] A. de Vries")]])).await,
        MailboxError::SignIn(Some("AUTHENTICATIONFAILED"))
    );
    for garbage in ["* 1 FETCH (UID 3 INTERNALDATE NIL)", "* OK [ALERT]é", "A. de Vries"] {
        assert_eq!(opening(script([&greeted()[..4], &[say(garbage)]])).await, MailboxError::Protocol("signing in"), "{garbage}");
    }
}

#[tokio::test]
async fn a_warning_inside_select_is_no_refusal() {
    let (stream, _played) = server(script([
        &greeted(),
        &[hear("SELECT"), say("* NO Disk nearly full\n* 0 EXISTS\n* OK [UIDVALIDITY 7] x\n* BAD odd\n$ OK [READ-WRITE] x")],
        &noop(),
    ]));
    let mut folder = open_with(stream, settings()).await.unwrap();
    assert_eq!(folder.validity().get(), 7);
    assert!(folder.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_worked_in_is_refused() {
    let select = |text: &str| script([&greeted(), &[hear("SELECT"), say(text)]]);
    assert_eq!(opening(select("* OK [UIDVALIDITY 7] x\n$ OK [READ-ONLY] x")).await, MailboxError::ReadOnly);
    assert_eq!(opening(select("* OK [PERMANENTFLAGS ()] x\n* OK [UIDVALIDITY 7] x\n$ OK x")).await, MailboxError::ReadOnly);
    assert_eq!(opening(select("* NO [UIDNOTSTICKY] x\n* OK [UIDVALIDITY 7] x\n$ OK x")).await, MailboxError::UidsDoNotLast);
    assert!(matches!(opening(select("* 1 EXISTS\n$ OK x")).await, MailboxError::Protocol(_)));
    assert!(matches!(opening(select("* OK [UIDVALIDITY 0] x\n$ OK x")).await, MailboxError::Protocol(_)));
    let capabilities = script([&greeted()[..6], &[say("* CAPABILITY IMAP4rev1 MOVE IDLE\n$ OK")]]);
    assert_eq!(opening(capabilities).await, MailboxError::NoUidPlus);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_a_timeout_wherever_it_comes() {
    for whole in [
        vec![Step::Silence],
        script([&greeted()[..4], &[Step::Silence]]),
        script([&greeted(), &[hear("SELECT"), say("* 1 EXISTS"), Step::Silence]]),
    ] {
        let error = opening(whole).await;
        assert!(matches!(error, MailboxError::Timeout(_)) && error.is_passing(), "{error:?}");
    }
    let (mut listing, _) = folder(vec![hear("NOOP"), Step::Silence]).await;
    assert!(matches!(listing.list().await, Err(MailboxError::Timeout(_))));
    assert!(matches!(listing.list().await, Err(MailboxError::Lost(_))), "a late answer is nobody's");
    let (mut fetching, _) = folder(vec![hear("UID FETCH"), say("* 1 FETCH (UID 3 BODY[] {300}\nabc"), Step::Silence]).await;
    assert!(matches!(fetching.fetch(&[listed(3, 300)]).await, Err(MailboxError::Timeout(_))));
    let (mut waiting, _) = folder(vec![hear("IDLE"), Step::Silence]).await;
    waiting.strict.news = false;
    assert!(matches!(waiting.wait(&CancellationToken::new()).await, Err(MailboxError::Timeout(_))));
}

/// As [`folder`], where others are to be found on this port.
async fn folder_with_door(door: &TcpListener, script: Vec<Step>) -> Folder {
    let (settings, mut imap) = settings();
    (imap.host, imap.port) = ("127.0.0.1".to_owned(), door.local_addr().unwrap().port());
    let (stream, _) = server([selected(), script].concat());
    open_with(stream, (settings, imap)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_and_greets_nobody_else_is_given_up_on_soon() {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for half in [vec![], vec![say("* 1 FETCH (UID 3 BODY[] {300}\nabc")]] {
        let mut fetching = folder_with_door(&door, script([&[hear("UID FETCH")], &half, &[Step::Silence]])).await;
        assert_eq!(fetching.fetch(&[listed(3, 300)]).await.unwrap_err(), MailboxError::Silent("fetching mails"));
    }
    let mut waiting = folder_with_door(&door, vec![hear("IDLE"), Step::Silence]).await;
    waiting.strict.news = false;
    assert_eq!(waiting.wait(&CancellationToken::new()).await.unwrap_err(), MailboxError::Silent("waiting for mail"));
}

#[tokio::test]
async fn a_server_that_takes_its_time_and_greets_others_is_waited_for() {
    let (door, greeted) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::new(Notify::new()));
    let late = [hear("UID FETCH"), Step::Await(greeted.clone()), say("* 1 FETCH (UID 3 BODY[] {3}\nabc)\n$ OK")];
    let mut fetching = folder_with_door(&door, late.into()).await;
    let greet = async {
        let (stream, _) = door.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"* OK hello\r\n").await.unwrap();
        stream.read_line(&mut String::new()).await.unwrap();
        greeted.notify_one();
        stream
    };
    let wanted = [listed(3, 3)];
    let (fetched, _greeted) = tokio::join!(fetching.fetch(&wanted), greet);
    assert_eq!(fetched.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_imap_is_an_error_and_is_not_repeated() {
    for garbage in [
        "* WHAT A. de Vries",
        "A. de Vries",
        "* ESEARCH (TAG \"A1\") UID ALL 1:3",
        "* 1 FETCH (UID 3 INTERNALDATE NIL RFC822.SIZE 3)",
        "* OK [ALERT]é",
        "+ go on",
        "A9999 OK not yours",
        "A9999 NO not yours",
    ] {
        let (mut folder, _) = folder(script([&noop(), &[hear("UID FETCH"), say(garbage), Step::Silence]])).await;
        let error = folder.list().await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(matches!(error, MailboxError::Protocol(_)) && !text.contains("Vries"), "{garbage}: {text}");
        assert!(matches!(folder.list().await, Err(MailboxError::Lost(_))), "{garbage}");
    }
}

#[tokio::test]
async fn a_literal_that_is_too_large_is_refused_before_room_is_made_for_it() {
    for length in ["500000000", "4294967295", "99999999999999999999"] {
        let (mut folder, _) =
            folder(vec![hear("UID FETCH"), Step::Raw(format!("* 1 FETCH (UID 3 BODY[] {{{length}}}\r\n").into_bytes())]).await;
        let error = folder.fetch(&[listed(3, 10)]).await.unwrap_err();
        assert!(matches!(error, MailboxError::Protocol(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_literal_that_lies_about_its_length_is_an_error() {
    for length in [0, 3, 9] {
        let answer = format!("* 1 FETCH (UID 3 BODY[] {{{length}}}\r\nabcdef)\r\n").into_bytes();
        let (mut folder, _) = folder(vec![hear("UID FETCH"), Step::Raw(answer), say("$ OK"), Step::Close]).await;
        let error = folder.fetch(&[listed(3, 6)]).await.unwrap_err();
        assert!(matches!(error, MailboxError::Protocol(_) | MailboxError::Lost(_)), "{length}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_a_second_is_given_up_on() {
    let drip = format!("* 1 FETCH (UID 3 BODY[] {{3000}}\r\n{}", "a".repeat(3000)).into_bytes();
    let (mut fetching, _) = folder(vec![hear("UID FETCH"), Step::Trickle(drip)]).await;
    let start = tokio::time::Instant::now();
    assert!(matches!(fetching.fetch(&[listed(3, 3000)]).await, Err(MailboxError::Timeout(_))));
    assert!(start.elapsed() <= Duration::from_secs(120), "another mailbox's mail would wait");
}

#[tokio::test]
async fn bye_is_an_error_wherever_it_comes() {
    assert_eq!(opening(vec![say("* BYE full")]).await, MailboxError::Bye("greeting us"));
    let (mut listing, _) = folder(vec![hear("NOOP"), say("* BYE shutting down"), Step::Close]).await;
    assert!(matches!(listing.list().await, Err(MailboxError::Bye(_))));
    let (mut waiting, _) = folder(vec![hear("IDLE"), say("+ idling\n* BYE shutting down"), Step::Close]).await;
    waiting.strict.news = false;
    assert!(matches!(waiting.wait(&CancellationToken::new()).await, Err(MailboxError::Bye(_))));
}

#[tokio::test]
async fn a_server_that_says_we_are_signed_in_already_is_not_believed() {
    assert!(matches!(opening(vec![say("* PREAUTH welcome")]).await, MailboxError::Protocol(_)));
    let starttls = |whole: Vec<Step>| async {
        let (mut stream, played) = server(whole);
        let outcome = greet::ask_for_tls(&mut stream).await;
        drop(stream);
        (outcome, played.await.unwrap())
    };
    let (outcome, heard) = starttls(vec![say("* PREAUTH welcome")]).await;
    assert!(matches!(outcome, Err(MailboxError::StartTls(_))) && heard.is_empty(), "{outcome:?} {heard:?}");
    let offer = [say("* OK hello"), hear("CAPABILITY"), say("* CAPABILITY IMAP4rev1 STARTTLS\n$ OK")];
    let (outcome, _) = starttls(script([&offer[..2], &[say("* CAPABILITY IMAP4rev1\n$ OK")]])).await;
    assert!(matches!(outcome, Err(MailboxError::StartTls(_))), "{outcome:?}");
    let (outcome, _) = starttls(script([&offer, &[hear("STARTTLS"), say("$ NO later")]])).await;
    assert!(matches!(outcome, Err(MailboxError::StartTls(_))), "{outcome:?}");
    // Nothing after the OK is read here: it is left to the handshake, which it breaks.
    let (mut stream, _played) = server(script([&offer, &[hear("STARTTLS"), say("$ OK begin\nP3 OK injected"), Step::Silence]]));
    greet::ask_for_tls(&mut stream).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'P');
}

#[tokio::test]
async fn what_cannot_be_a_password_or_is_not_wanted_is_not_sent() {
    let offers = |line: &str| vec![say("* OK hello"), hear("CAPABILITY"), say(&format!("* CAPABILITY {line}\n$ OK"))];
    let (stream, played) = server(offers("IMAP4rev1 LOGINDISABLED STARTTLS"));
    assert!(matches!(open_with(stream, settings()).await, Err(MailboxError::NoMechanism(_))));
    assert_eq!(played.await.unwrap().len(), 1);
    for content in ["ge\r\nA1 DELETE x", "ge\0heim"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let (stream, played) = server(offers("IMAP4rev1 AUTH=PLAIN"));
        let (settings, mut imap) = settings();
        imap.secret = Secret::Password(Password::File(file.path().into()));
        assert!(matches!(open_with(stream, (settings, imap)).await, Err(MailboxError::NoMechanism(_))));
        assert_eq!(played.await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn letters_outside_ascii_are_signed_in_with_by_plain() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "gehéim\n").unwrap();
    let (stream, _played) = server(script([
        &[say("* OK hello"), hear("CAPABILITY"), say("* CAPABILITY IMAP4rev1 AUTH=PLAIN\n$ OK")],
        // A tag stays the last one heard with a command; the answer in base64 has none.
        &[hear("A0001 AUTHENTICATE PLAIN"), say("+"), hear("AHN1cHBvcnQAZ2Vow6lpbQ=="), say("A0001 OK in")],
        &[hear("CAPABILITY"), say(CAPABILITY), hear("SELECT"), say("* 0 EXISTS\n* OK [UIDVALIDITY 7] x\n$ OK x")],
    ]));
    let (settings, mut imap) = settings();
    imap.secret = Secret::Password(Password::File(file.path().into()));
    assert!(open_with(stream, (settings, imap)).await.is_ok());
}

#[tokio::test]
async fn removed_is_only_what_is_no_longer_there() {
    let stays = |n: u32| script([&noop(), &[hear(&format!("UID FETCH {n} ")), say(&format!("* 1 FETCH (UID {n} FLAGS ())\n$ OK"))]]);
    let gone = |n: u32| script([&noop(), &[hear(&format!("UID FETCH {n} ")), say("$ OK")]]);
    let try_once =
        |n: u32| [hear(&format!("UID STORE {n} +FLAGS.SILENT (\\Deleted)")), say("$ OK"), hear(&format!("UID EXPUNGE {n}")), say("$ OK")];
    // Somebody takes the mark off twice: the third try does it.
    let (mut twice, _) = folder(script([&try_once(3), &stays(3), &try_once(3), &stays(3), &try_once(3), &gone(3)])).await;
    assert_eq!(twice.remove(&[uid(3)]).await.unwrap(), [(uid(3), Settled::Gone)]);
    // And for ever.
    let (mut for_ever, played) = folder((0..6).flat_map(|_| script([&try_once(3), &stays(3)])).collect()).await;
    assert_eq!(for_ever.remove(&[uid(3)]).await.unwrap(), [(uid(3), Settled::StillThere)]);
    drop(for_ever);
    assert_eq!(played.await.unwrap().iter().filter(|line| line.contains("STORE")).count(), 6);
}

#[tokio::test]
async fn a_uid_of_another_folder_or_validity_never_reaches_the_server() {
    let (mut folder, played) = folder(Vec::new()).await;
    let old = MailUid { validity: NonZeroU32::new(6).unwrap(), ..uid(3) };
    let other = MailUid { mailbox: MailboxId::new("ict"), ..uid(3) };
    for stale in [old, other] {
        assert_eq!(folder.remove(std::slice::from_ref(&stale)).await.unwrap(), [(stale.clone(), Settled::Stale)]);
        assert_eq!(folder.file(std::slice::from_ref(&stale)).await.unwrap(), [(stale.clone(), Settled::Stale)]);
        assert_eq!(folder.fetch(&[Listed { uid: stale, ..listed(3, 3) }]).await.unwrap_err(), MailboxError::ValidityChanged);
    }
    drop(folder);
    assert!(!played.await.unwrap().iter().any(|line| line.contains("UID")));
}

#[tokio::test]
async fn a_uidvalidity_that_changes_under_way_ends_the_session() {
    let (mut folder, _) = folder(vec![hear("NOOP"), say("* OK [UIDVALIDITY 8] rebuilt\n$ OK")]).await;
    assert_eq!(folder.list().await.unwrap_err(), MailboxError::ValidityChanged);
}

#[tokio::test]
async fn a_mail_is_filed_when_the_server_says_which_and_it_is_gone() {
    let there = script([&noop(), &[hear("UID FETCH 3,8 "), say("* 1 FETCH (UID 3 FLAGS ())\n* 2 FETCH (UID 8 FLAGS ())\n$ OK")]]);
    let looked = [hear("LIST"), say("* LIST () \".\" \"\"\n$ OK"), hear("LIST"), say("$ OK"), hear("LIST"), say("$ OK")];
    let made = [hear("CREATE \"Verwerkt\""), say("$ OK"), hear("SUBSCRIBE \"Verwerkt\""), say("$ OK")];
    let moved = [hear("UID MOVE 3,8 \"Verwerkt\""), say("* OK [COPYUID 9 3 1] x\n* 1 EXPUNGE\n$ OK")];
    let (mut folder, _) =
        folder(script([&there, &looked, &made, &moved, &noop(), &[hear("UID FETCH 3,8 "), say("* 1 FETCH (UID 8 FLAGS ())\n$ OK")]])).await;
    assert_eq!(folder.file(&[uid(8), uid(3)]).await.unwrap(), [(uid(8), Settled::StillThere), (uid(3), Settled::Filed)]);
}

#[tokio::test]
async fn a_mail_that_was_not_copied_is_not_deleted() {
    let capabilities = script([&greeted()[..6], &[say("* CAPABILITY IMAP4rev1 UIDPLUS\n$ OK")], &selected()[7..]]);
    let there = |n: &str| script([&noop(), &[hear("UID FETCH 3,8 "), say(n)]]);
    let both = "* 1 FETCH (UID 3 FLAGS ())\n* 2 FETCH (UID 8 FLAGS ())\n$ OK";
    let (stream, played) = server(script([
        &capabilities,
        &there(both),
        &[hear("LIST"), say("* LIST () NIL \"\"\n$ OK"), hear("LIST"), say("* LIST () NIL Verwerkt\n$ OK")],
        &[hear("UID COPY 3,8 \"Verwerkt\""), say("$ OK [COPYUID 9 8 1] x")],
        &[hear("UID STORE 8 "), say("$ OK"), hear("UID EXPUNGE 8"), say("$ OK")],
        &noop(),
        &[hear("UID FETCH 8 "), say("$ OK")],
        &there("* 1 FETCH (UID 3 FLAGS ())\n$ OK"),
    ]));
    let mut folder = open_with(stream, settings()).await.unwrap();
    assert_eq!(folder.file(&[uid(3), uid(8)]).await.unwrap(), [(uid(3), Settled::StillThere), (uid(8), Settled::Filed)]);
    drop(folder);
    assert!(!played.await.unwrap().iter().any(|line| line.contains("STORE 3") || line.ends_with(" EXPUNGE")));
}

#[tokio::test]
async fn a_large_mail_is_fetched_until_nothing_is_left() {
    const MIB: usize = 1024 * 1024;
    let part = |from: usize, bytes: &[u8]| {
        let mut answer = format!("* 1 FETCH (UID 3 BODY[]<{from}> {{{}}}\r\n", bytes.len()).into_bytes();
        answer.extend_from_slice(bytes);
        answer.extend_from_slice(b")\r\n");
        [hear(&format!("BODY.PEEK[]<{from}.{MIB}>")), Step::Raw(answer), say("$ OK")]
    };
    // The server underestimates the size, and gives less than asked for in between.
    let (mut whole, _) = folder(script([&part(0, &vec![b'a'; MIB]), &part(MIB, b"bb"), &part(MIB + 2, b"c"), &part(MIB + 3, b"")])).await;
    let mails = whole.fetch(&[listed(3, MIB as u64 + 1)]).await.unwrap();
    assert_eq!((mails[0].bytes.reveal().len(), mails[0].truncated), (MIB + 3, false));
    assert!(mails[0].bytes.reveal().ends_with(b"abbc"));
    // Gone between two parts: absent, not cut.
    let (mut gone, _) = folder(script([&part(0, &vec![b'a'; MIB]), &[hear("BODY.PEEK[]<1048576."), say("$ OK")]])).await;
    assert_eq!(gone.fetch(&[listed(3, 5 * MIB as u64)]).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_was_announced_before_the_wait_ends_it() {
    // During another command.
    let mail = "* 1 FETCH (UID 3 RFC822.SIZE 4 INTERNALDATE \"x\" FLAGS ())\n* 3 EXISTS\n$ OK";
    let (mut folder_a, _) = folder(script([&noop(), &[hear("UID FETCH 1:*"), say(mail)]])).await;
    folder_a.list().await.unwrap();
    let stop = CancellationToken::new();
    assert_eq!(folder_a.wait(&stop).await.unwrap(), Woken::News);
    // Before the go-ahead of IDLE.
    let (mut folder_b, _) =
        folder(vec![hear("IDLE"), say("* 3 EXISTS\n+ idling"), hear("DONE"), Step::Raw(b"A0004 OK\r\n".to_vec())]).await;
    folder_b.strict.news = false;
    assert_eq!(folder_b.wait(&stop).await.unwrap(), Woken::News);
}

#[tokio::test(start_paused = true)]
async fn idle_is_given_anew_and_a_refused_one_leaves_the_poll() {
    let again = |tag: &str| [hear("IDLE"), say("+ idling"), hear("DONE"), Step::Raw(format!("{tag} OK\r\n").into_bytes())];
    let (mut patient, played) = folder(script([
        &again("A0004"),
        &again("A0005"),
        &[hear("IDLE"), say("+ idling\n* 2 EXISTS\n* 1 EXPUNGE\n* 2 EXISTS"), hear("DONE"), Step::Raw(b"A0006 OK\r\n".to_vec())],
    ]))
    .await;
    patient.strict.news = false;
    patient.poll = Duration::from_secs(3600);
    assert_eq!(patient.wait(&CancellationToken::new()).await.unwrap(), Woken::News);
    drop(patient);
    assert_eq!(played.await.unwrap().iter().filter(|line| line.ends_with("IDLE")).count(), 3);
    for answer in ["$ NO not today", "* OK still here\n$ NO", "+ idling\n$ OK that was it"] {
        let (mut refused, _) = folder(vec![hear("IDLE"), say(answer)]).await;
        refused.strict.news = false;
        assert_eq!(refused.wait(&CancellationToken::new()).await.unwrap(), Woken::Poll);
        assert!(!refused.idles);
    }
}

#[tokio::test]
async fn a_cancelled_command_ends_the_session() {
    let (mut folder, _) = folder(vec![hear("UID FETCH"), Step::Silence]).await;
    let wanted = [listed(3, 3)];
    let fetch = folder.fetch(&wanted);
    assert!(tokio::time::timeout(Duration::from_millis(50), fetch).await.is_err());
    assert!(matches!(folder.fetch(&wanted).await, Err(MailboxError::Lost(_))));
}

#[tokio::test]
async fn a_folder_name_cannot_carry_a_command_and_is_quoted() {
    let (mut settings, imap) = settings();
    settings.folder = "a\"b\\c é".parse().unwrap();
    let (stream, _played) =
        server(script([&greeted(), &[hear("SELECT \"a\\\"b\\\\c &AOk-\""), say("* 0 EXISTS\n* OK [UIDVALIDITY 7] x\n$ OK x")]]));
    assert!(open_with(stream, (settings, imap)).await.is_ok());
}
