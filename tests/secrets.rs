//! What proves who we are, and to whom it is said: certificates are always checked, and tokens go to the server and nowhere else.
//! (Passwords, and STARTTLS taken away: tests/attacks/servers.rs.)

use crate::attacks::{CONTACT, Gate, NOW, authentic, base64};
use crate::support::free_port;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls;
use toml_edit::{Item, Table, value};

/// A certificate as a server shows it, and the PEM file that an admin may name in `ca_file`.
struct Shown {
    certificate: String,
    key: String,
    authority: String,
}

/// A certificate for 127.0.0.1, changed, signed by an authority or by itself.
fn shown(change: impl FnOnce(&mut CertificateParams), self_signed: bool) -> Shown {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    change(&mut server);
    let certificate = if self_signed { server.self_signed(&key) } else { server.signed_by(&key, &authority) }.unwrap().pem();
    let authority = if self_signed { certificate.clone() } else { authority.pem() };
    Shown { certificate, key: key.serialize_pem(), authority }
}

/// A server that speaks TLS from the first byte and then `greeting`; gives its port and all that it was told.
fn tls_server(shown: &Shown, greeting: &'static str) -> (u16, Arc<Mutex<Vec<u8>>>) {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    serve(move |stream, heard| {
        let mut tls = rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
        let _ = tls.write_all(greeting.as_bytes());
        let mut said = [0; 4096];
        while let Ok(read @ 1..) = tls.read(&mut said) {
            heard.lock().unwrap().extend(&said[..read]);
        }
    })
}

fn serve(play: impl Fn(TcpStream, &Mutex<Vec<u8>>) + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = heard.clone();
    let play = Arc::new(play);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (play, all) = (play.clone(), all.clone());
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
                play(stream, &all);
            });
        }
    });
    (port, heard)
}

/// The keys of a server, for a desk's mailbox and for [smtp].
fn server(port: u16, tls: &str) -> Table {
    let mut table = Table::new();
    table["host"] = value("127.0.0.1");
    table["port"] = value(i64::from(port));
    table["tls"] = value(tls);
    table["username"] = value("support");
    table
}

fn on(gate: &Gate, mailbox: Table, smtp: Table) {
    gate.world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        let mut mailbox = mailbox;
        mailbox["kind"] = value("imap");
        desk["mailbox"] = Item::Table(mailbox);
        config["smtp"] = Item::Table(smtp);
    });
}

/// What `check --connect` says of the desk's mailbox and of sending.
fn told(gate: &Gate) -> [String; 2] {
    let lines = gate.world.run(&["check", "--connect", "--json"]).json();
    ["desk support", "replies"].map(|what| {
        let of = lines.iter().filter(|line| line["what"] == what).map(|line| line["message"].as_str().unwrap());
        of.collect::<Vec<_>>().join(" ")
    })
}

/// Each fault of a certificate is named with the way out, to both kinds of server, and nothing is said to the server.
#[test]
fn certificates_are_always_checked_and_the_fault_is_named() {
    let as_it_should_be = |_: &mut CertificateParams| {};
    let expired = shown(|c| (c.not_before, c.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1)), false);
    let early = shown(|c| (c.not_before, c.not_after) = (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)), false);
    let other =
        shown(|c| c.subject_alt_names = CertificateParams::new(vec!["imap.other.example".to_owned()]).unwrap().subject_alt_names, false);
    let unknown = shown(as_it_should_be, false);
    let own = shown(as_it_should_be, true);
    let authority = shown(|c| c.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), true);
    let cases = [
        ("expired", &expired, true, "the server's certificate has expired"),
        ("not yet valid", &early, true, "is not valid yet; is this machine's clock right?"),
        ("another host's", &other, true, "was issued for another host name"),
        ("unknown authority", &unknown, false, "self-signed, or signed by an authority that this machine does not know; set `ca_file`"),
        ("self-signed", &own, false, "self-signed, or signed by an authority that this machine does not know; set `ca_file`"),
        ("self-signed authority", &authority, true, "a self-signed certificate that calls itself a certificate authority (CA:TRUE)"),
        ("known by ca_file", &unknown, true, ""),
        ("self-signed and pinned", &own, true, ""),
    ];
    for (label, shown, with_ca_file, sentence) in cases {
        let gate = Gate::new();
        let path = |name: &str, content: &str| {
            let file = gate.world.dir.join(name);
            fs::write(&file, content).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let (imap, at_imap) = tls_server(shown, "* OK hello\r\n");
        let (smtp, at_smtp) = tls_server(shown, "220 hello\r\n");
        let [mut mailbox, mut sending] = [imap, smtp].map(|port| server(port, "implicit"));
        for table in [&mut mailbox, &mut sending] {
            table["password_file"] = value(path("geheim", "wachtwoord-Qx7"));
            if with_ca_file {
                table["ca_file"] = value(path("ca.pem", &shown.authority));
            }
        }
        on(&gate, mailbox, sending);
        // The servers read until we go; a client that went on would wait for an answer.
        let fine = sentence.is_empty();
        if fine {
            let waits = gate.world.command(&["check", "--connect", "--json"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut child = waits.unwrap();
            crate::support::eventually(label, || (!at_imap.lock().unwrap().is_empty()).then_some(()));
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(at_imap.lock().unwrap().starts_with(b"P1 CAPABILITY"), "{label}");
            continue;
        }
        for (what, said) in ["imap", "smtp"].iter().zip(told(&gate)) {
            assert!(said.contains(sentence), "{label}, {what}: {said}");
        }
        assert!(at_imap.lock().unwrap().is_empty() && at_smtp.lock().unwrap().is_empty(), "{label}: nothing is said");
    }
}

/// A certificate is not asked for by a switch: there is none.
#[test]
fn no_setting_turns_the_check_off() {
    for key in ["verify", "insecure", "tls_verify", "danger_accept_invalid_certs", "skip_verify"] {
        let gate = Gate::new();
        let mut smtp = server(465, "implicit");
        smtp[key] = value(false);
        smtp["password_env"] = value("PATH");
        gate.world.edit(|config| config["smtp"] = Item::Table(smtp));
        assert!(gate.world.run(&["check"]).exits(1).stdout.contains(&format!("unknown key `{key}`")));
    }
}

const CLIENT_SECRET: &str = "client-geheim-Zz9";
const REFRESH: &str = "refresh-geheim-Zz9";
const NEXT_REFRESH: &str = "refresh-volgende-Zz9";
const TOKEN: &str = "token-geheim-Zz9-lang-genoeg";

/// A token endpoint on loopback that exchanges the refresh token.
fn token_endpoint() -> (u16, Arc<Mutex<Vec<u8>>>) {
    serve(|stream, heard| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut form = vec![0; length];
        let _ = reader.read_exact(&mut form);
        heard.lock().unwrap().extend(form);
        let body = format!("{{\"access_token\":\"{TOKEN}\",\"expires_in\":3600,\"refresh_token\":\"{NEXT_REFRESH}\"}}");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = (&stream).write_all(answer.as_bytes());
    })
}

/// A line server: says a greeting, and to each line what `answer` gives.
fn line_server(greeting: &'static str, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<u8>>>) {
    serve(move |stream, heard| {
        let mut writer = stream.try_clone().unwrap();
        let _ = writer.write_all(greeting.as_bytes());
        let mut in_data = false;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            heard.lock().unwrap().extend(format!("{line}\n").as_bytes());
            if in_data && line != "." {
                continue;
            }
            in_data = line == "DATA";
            if writer.write_all(answer(&line).as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// The desk and the outgoing server both take tokens.
fn with_tokens(imap: u16, smtp: u16, endpoint: &str) -> Gate {
    let gate = Gate::new();
    let path = |name: &str, content: &str| {
        let file = gate.world.dir.join(name);
        fs::write(&file, format!("{content}\n")).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let tables = [(imap, "mailbox"), (smtp, "smtp")].map(|(port, name)| {
        let mut oauth = Table::new();
        oauth["token_url"] = value(endpoint);
        oauth["client_id"] = value("postkamer");
        oauth["client_secret_file"] = value(path(&format!("{name}.client"), CLIENT_SECRET));
        oauth["refresh_token_file"] = value(path(&format!("{name}.refresh"), REFRESH));
        let mut table = server(port, "none");
        table["oauth"] = Item::Table(oauth);
        table
    });
    let [mailbox, smtp] = tables;
    on(&gate, mailbox, smtp);
    gate
}

/// No secret, in any form in which it goes over the wire.
#[track_caller]
fn assert_no_secret(label: &str, said: &str) {
    let forms = [
        format!("user=support\u{1}auth=Bearer {TOKEN}\u{1}\u{1}"),
        "n,a=support,\u{1}host=127.0.0.1\u{1}".to_owned(),
        format!("x{TOKEN}"),
        format!("xx{TOKEN}"),
        format!("xxx{TOKEN}"),
    ];
    for secret in [CLIENT_SECRET, REFRESH, NEXT_REFRESH, TOKEN] {
        assert!(!said.contains(secret), "{label} says {secret}");
    }
    for form in forms {
        let blob = base64(form.as_bytes()).replace('\n', "");
        let middle = &blob[8..blob.len() - 6];
        assert!(!said.contains(middle), "{label} says {form:?} in base64");
    }
}

/// Tokens, refresh tokens and client secrets are said to their server alone, also when that refuses them and repeats them; an exchanged
/// refresh token is kept for the next start.
#[test]
fn tokens_are_not_printed_and_exchanged_ones_are_kept() {
    let (endpoint, asked) = token_endpoint();
    let (imap, at_imap) = line_server("* OK hello\r\n", |line| {
        let tag = line.split(' ').next().unwrap();
        match line.split(' ').nth(1) {
            Some("CAPABILITY") => format!("* CAPABILITY IMAP4rev1 UIDPLUS AUTH=XOAUTH2\r\n{tag} OK done\r\n"),
            Some("AUTHENTICATE") => "+ \r\n".to_owned(),
            _ => format!("A0001 NO [AUTHENTICATIONFAILED] {line} is wrong\r\n"),
        }
    });
    let (smtp, at_smtp) = line_server("220 hello\r\n", |line| match line.split(' ').next() {
        Some("EHLO") => "250-lax\r\n250 AUTH XOAUTH2\r\n".to_owned(),
        _ => format!("535 5.7.8 {line} is wrong\r\n"),
    });
    let gate = with_tokens(imap, smtp, &format!("http://127.0.0.1:{endpoint}/token"));
    gate.deliver_to("open", &authentic(CONTACT, "To: vragen@zaakwijs.example\n", "Vraag."));
    for arguments in [&["run", "--once"][..], &["check", "--connect"], &["check", "--connect", "--json"]] {
        let mut command = gate.world.command(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("POSTKAMER_NOW", NOW);
        let outcome = gate.world.finish(command, b"");
        assert_no_secret(&format!("{arguments:?}"), &(outcome.stdout + &outcome.stderr));
    }
    let blob = base64(format!("user=support\u{1}auth=Bearer {TOKEN}\u{1}\u{1}").as_bytes()).replace('\n', "");
    for heard in [at_imap, at_smtp] {
        let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
        assert!(heard.contains(&blob), "the server was told: {heard}");
    }
    // The first start used what the admin had put there, the later ones what came in exchange.
    let asked = String::from_utf8(asked.lock().unwrap().clone()).unwrap();
    assert!(asked.contains(REFRESH) && asked.contains(NEXT_REFRESH), "{asked}");
    for name in ["mailbox.refresh", "smtp.refresh"] {
        assert_eq!(fs::read_to_string(gate.world.dir.join(name)).unwrap(), format!("{NEXT_REFRESH}\n"));
    }
}

/// Whoever holds a refresh token holds the mailbox: a token endpoint whose certificate nobody here knows is told nothing.
#[test]
fn the_certificate_of_a_token_endpoint_is_checked() {
    let unknown = shown(|_| {}, false);
    let (imap, _) = line_server("* OK hello\r\n", |line| {
        format!("* CAPABILITY IMAP4rev1 UIDPLUS AUTH=XOAUTH2\r\n{} OK done\r\n", line.split(' ').next().unwrap())
    });
    let (endpoint, at_endpoint) = tls_server(&unknown, "");
    let gate = with_tokens(imap, free_port(), &format!("https://127.0.0.1:{endpoint}/token"));
    let [said, _] = told(&gate);
    assert!(said.contains("token"), "{said}");
    assert!(at_endpoint.lock().unwrap().is_empty(), "nothing is said");
    // Once this machine knows who signed it, the token is sent: it was the certificate that stood in the way.
    let authorities = gate.world.dir.join("authorities.pem");
    fs::write(&authorities, &unknown.authority).unwrap();
    let mut command = gate.world.command(&["check", "--connect"]);
    let mut child = command.env("SSL_CERT_FILE", &authorities).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let heard = || String::from_utf8_lossy(&at_endpoint.lock().unwrap()).contains(REFRESH);
    crate::support::eventually("the token is sent", || heard().then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A password from the environment, and one from systemd's credentials, is what the server is told.
#[test]
fn passwords_come_from_the_environment_and_from_credentials() {
    const PASSWORD: &str = "wachtwoord-Qx7";
    for (key, names) in [("password_env", "POSTKAMER_TEST_PASSWORD"), ("password_file", "/run/credentials/postkamer.service/imap")] {
        let (imap, at_imap) = line_server("* OK hello\r\n", |line| {
            let tag = line.split(' ').next().unwrap();
            match line.split(' ').nth(1) {
                Some("CAPABILITY") => format!("* CAPABILITY IMAP4rev1 UIDPLUS\r\n{tag} OK done\r\n"),
                _ => format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"),
            }
        });
        let gate = Gate::new();
        let [mut mailbox, mut sending] = [imap, free_port()].map(|port| server(port, "none"));
        for table in [&mut mailbox, &mut sending] {
            table[key] = value(names);
        }
        on(&gate, mailbox, sending);
        let credentials = gate.world.dir.join("credentials");
        fs::create_dir(&credentials).unwrap();
        fs::write(credentials.join("imap"), format!("{PASSWORD}\n")).unwrap();
        let mut command = gate.world.command(&["check", "--connect"]);
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        if key == "password_env" {
            command.env(names, PASSWORD);
        }
        let outcome = gate.world.finish(command, b"");
        let heard = String::from_utf8_lossy(&at_imap.lock().unwrap()).into_owned();
        assert!(heard.contains(PASSWORD), "{key}: {heard}");
        assert!(!(outcome.stdout + &outcome.stderr).contains(PASSWORD), "{key}: it is printed");
    }
}

/// A server that takes tokens by OAUTHBEARER only.
#[test]
fn mail_is_sent_with_oauthbearer() {
    let (endpoint, _) = token_endpoint();
    for (refuses, state) in [(false, "sent"), (true, "due")] {
        let (smtp, heard) = line_server("220 hello\r\n", move |line| match line.split(' ').next() {
            Some("EHLO") => "250-lax\r\n250 AUTH OAUTHBEARER\r\n".to_owned(),
            Some("AUTH") if refuses => "334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n".to_owned(),
            Some("AUTH") => "235 welcome\r\n".to_owned(),
            Some("AQ==") => "535 5.7.8 no\r\n".to_owned(),
            Some("DATA") => "354 go on\r\n".to_owned(),
            _ => "250 fine\r\n".to_owned(),
        });
        let gate = with_tokens(free_port(), smtp, &format!("http://127.0.0.1:{endpoint}/token"));
        gate.deliver_to("open", &authentic(CONTACT, "To: vragen@zaakwijs.example\n", "Vraag."));
        // The support desk's server is out of reach.
        gate.world.run_at(NOW, &["run", "--once"]).exits(75);
        let outbox = gate.world.run(&["outbox", "list", "--all", "--json"]).ok().json();
        assert_eq!((outbox.len(), &outbox[0]["state"]), (1, &state.into()), "{outbox:#?}");
        let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
        let proof = format!("n,a=support,\u{1}host=127.0.0.1\u{1}port={smtp}\u{1}auth=Bearer {TOKEN}\u{1}\u{1}");
        assert!(heard.contains(&format!("AUTH OAUTHBEARER {}", base64(proof.as_bytes()).replace('\n', ""))), "{heard}");
        assert_eq!(heard.contains("MAIL FROM:<>"), !refuses, "{heard}");
    }
}
