//! Rows 19 to 23: what goes out.

use super::{CONTACT, Gate, STRANGER, authentic, is_silent, raw};
use crate::support::free_port;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use toml_edit::value;

/// Two desks that answer each other stop at once, also when the other side forgets to say that it is a machine. (Two whole
/// installations that write to each other: tests/replies.rs.)
#[test]
fn a19_loop_of_two_autoresponders() {
    let gate = Gate::new();
    let ours = gate.live(&[authentic("helpdesk@other.example", "Message-ID: <1@other.example>\n", "Wie kan ons helpen?")]);
    assert_eq!(ours.len(), 1);
    let token = ours[0].header("Message-ID").unwrap();
    let marked = ["Auto-Submitted: auto-replied\n", "Precedence: bulk\n", "X-Autoreply: yes\n", "X-Loop: other\n", ""];
    for (n, mark) in marked.iter().enumerate() {
        let fields = format!("Message-ID: <{}@other.example>\nIn-Reply-To: {token}\n{mark}", n + 2);
        let letters = gate.live(&[authentic("helpdesk@other.example", &fields, "Wij hebben uw bericht ontvangen: ticket 7.")]);
        assert!(letters.is_empty(), "{mark:?} was answered");
    }
    assert!(gate.tickets().len() <= 2, "{:#?}", gate.tickets());
}

/// Mails that forge a victim: nobody is answered, however many there are. `make soak` sends ten thousand.
#[test]
fn a20_reflection_and_backscatter() {
    let gate = Gate::with(|config| config["limits"]["intake_unauthenticated_desk_hour"] = value(0));
    let count: usize = std::env::var("POSTKAMER_FORGED").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000);
    for n in 0..count {
        let trace = match n % 4 {
            0 => {
                "Authentication-Results: mx.zaakwijs.example; dmarc=fail header.from=waterwolde.example\nReceived: from evil by mx.zaakwijs.example\n"
            }
            1 => {
                "Received: from evil by mx.zaakwijs.example\nAuthentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\n"
            }
            2 => {
                "Authentication-Results: mx.zaakwijs.example; spf=pass smtp.mailfrom=evil.example; dmarc=none header.from=waterwolde.example\nReceived: from evil by mx.zaakwijs.example\n"
            }
            _ => "",
        };
        let victim = ["a.devries@waterwolde.example", "victim@shop.example", "i.bakker@waterwolde.example", "p.mulder@waterwolde.example"]
            [n / 4 % 4];
        let fields = format!("Reply-To: victim@shop.example\nReturn-Path: <victim@shop.example>\nSubject: Storing {n}: alles ligt plat\n");
        gate.deliver(&raw(trace, &format!("From: {victim}\n"), &fields, &format!("Niemand kan werken. {n}")));
    }
    assert!(gate.work().is_empty());
    assert!(gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json().is_empty());
    assert_eq!(gate.tickets().len(), count, "none is lost");
}

/// The header fields of an answer, whatever the mail says.
const FIELDS: &[&str] = &[
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Content-Language",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "X-Postkamer-Loop",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

const ANSWERING: &[&str] = &["In-Reply-To", "References"];

/// Nothing of a mail starts a header field of ours.
#[test]
fn a21_header_injection() {
    let gate = Gate::new();
    let evil = [
        "=?utf-8?q?a=0D=0ABcc:_v@x.test?=",
        "=?utf-8?q?a=0ABcc:_v@x.test?=",
        "=?utf-8?q?a=E2=80=A8Bcc:_v@x.test?=",
        "=?utf-8?q?a=00b?=",
        "a\rBcc: v@x.test",
    ];
    let mails: Vec<Vec<u8>> = evil
        .iter()
        .enumerate()
        .map(|(n, evil)| {
            let fields = format!("Subject: {evil}\nMessage-ID: <{n}@waterwolde.example>\nReferences: <x@y.example>\r <bcc:v@x.test> <z>\n");
            authentic(&format!("{evil} <{CONTACT}>"), &fields, "Vraag.")
        })
        .chain([authentic(CONTACT, "Message-ID: <a\u{0}b\rBcc: v@x.test>\n", "Vraag.")])
        .collect();
    let letters = gate.live(&mails);
    assert!(letters.len() >= evil.len() - 1, "the plain ones are answered: {}", letters.len());
    for letter in &letters {
        // In-Reply-To and References stand there where the mail had an id to answer.
        let fields = letter.fields();
        let due: Vec<&str> =
            FIELDS.iter().copied().filter(|name| !ANSWERING.contains(name) || fields.contains(&"In-Reply-To".to_owned())).collect();
        assert_eq!(fields, due);
        assert_eq!(letter.recipients(), [CONTACT.to_owned()].into());
        assert!(!letter.raw.contains(&0) && !String::from_utf8_lossy(&letter.raw).contains("Bcc: "));
    }
}

/// A server that takes any kind of line for the end of a mail hears one mail, whatever an agent wrote.
#[test]
fn a22_smtp_command_injection() {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = std::thread::spawn(move || lax_server(&listener.accept().unwrap().0));
    let gate = Gate::new();
    gate.live(&[authentic("ann@evil.example", "", "Vraag.")]);
    gate.world.edit(|config| {
        let mut smtp = toml_edit::Table::new();
        smtp["host"] = value("127.0.0.1");
        smtp["port"] = value(i64::from(port));
        smtp["tls"] = value("none");
        config["smtp"] = toml_edit::Item::Table(smtp);
    });
    let reason = "Goed.\n.\nMAIL FROM:<a@evil.example>\r\n.\r\nRCPT TO:<v@x.test>\r.\rDATA\n.\r\n..\nQUIT";
    gate.world.run_at(super::NOW, &["queue", "release", "PK-00001", "--reason", reason]).ok();
    gate.work();
    let (mails, recipients) = server.join().unwrap();
    assert_eq!((mails, recipients), (1, vec!["RCPT TO:<ann@evil.example>".to_owned()]));
}

/// Accepts everything; a dot on a line of its own ends a mail with any line ends. Gives the mails and the RCPT lines.
fn lax_server(stream: &TcpStream) -> (usize, Vec<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream.try_clone().unwrap();
    let (mut mails, mut recipients, mut data) = (0, Vec::new(), None::<Vec<u8>>);
    writer.write_all(b"220 lax.example\r\n").unwrap();
    loop {
        if let Some(held) = &mut data {
            let mut byte = [0];
            if reader.read_exact(&mut byte).is_err() {
                return (mails, recipients);
            }
            held.push(if byte[0] == b'\r' { b'\n' } else { byte[0] });
            if held.ends_with(b"\n.\n") {
                mails += 1;
                data = None;
                let mut rest = [0];
                if reader.buffer().first() == Some(&b'\n') {
                    reader.read_exact(&mut rest).unwrap();
                }
                writer.write_all(b"250 taken\r\n").unwrap();
            }
            continue;
        }
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return (mails, recipients);
        }
        let verb = line.trim().to_ascii_uppercase();
        if verb.starts_with("RCPT") {
            recipients.push(line.trim().to_owned());
        }
        let answer: &[u8] = if verb == "DATA" {
            data = Some(Vec::new());
            b"354 go on\r\n"
        } else if verb == "QUIT" {
            b"221 bye\r\n"
        } else if verb.is_empty() {
            continue;
        } else {
            b"250 fine\r\n"
        };
        writer.write_all(answer).unwrap();
    }
}

/// There are no web pages for agents; a terminal and JSON stand in their place: nothing in a mail steers a terminal or leaves its
/// JSON string, and HTML is only ever shown as text.
#[test]
fn a23_scripts_and_escape_sequences() {
    let gate = Gate::new();
    let evil = "<script>alert(1)</script>\u{1b}]0;titel\u{7}\u{1b}[2J\u{9b}31m\u{202e}";
    let fields = format!("Subject: {evil}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n");
    let html = "<p>Dag<img src=x onerror=alert(1)><scr<script>ipt>alert(2)</script></p><svg/onload=alert(3)>\u{1b}[31m";
    let body = format!(
        "--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename*=utf-8''%1B%5B2J%3Cscript%3E.csv\n\na;b\n--b--"
    );
    gate.live(&[authentic(&format!("\"{evil}\" <{STRANGER}>"), &fields, &body)]);
    for arguments in [&["tickets", "list"][..], &["tickets", "show", "PK-00001"], &["queue", "list"], &["queue", "show", "PK-00001"]] {
        let shown = gate.world.run(arguments).ok().stdout;
        assert!(!shown.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{arguments:?}: {shown:?}");
    }
    let entry = gate.ticket("PK-00001")["history"][0].clone();
    let text = entry["text"].as_str().unwrap();
    assert!(text.starts_with("Dag") && !text.contains('<') && !text.contains('\u{1b}'), "HTML became text: {text:?}");
    let quietly = gate.explain(&[authentic("no-reply@x.example", "", "Dag")]);
    assert!(is_silent(&quietly[0]));
}
