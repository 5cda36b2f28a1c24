//! Whose word counts on whether From is authentic, through the commands: `verify` against a DNS server on loopback (fixtures/signed
//! holds the mails, made by a signer that has nothing in common with the library that checks them), the presets of
//! `trusted-header` with the header shapes of the services, and `off`. What a header alone proves is in the stories.

use crate::support::dns::Dns;
use crate::support::world::World;
use crate::support::{eventually, free_port};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml_edit::value;

const NOW: &str = "2026-11-22T12:00:00+01:00";

fn signed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signed")
}

fn dns() -> Dns {
    let zone: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(signed().join("zone.toml")).unwrap()).unwrap();
    Dns::start(zone)
}

fn world(server: &str) -> World {
    let world = World::new();
    world.edit(|config| {
        let section = config["authentication"].as_table_mut().unwrap();
        section.remove("authserv_id");
        section["mode"] = value("verify");
        section["dns_server"] = value(server);
    });
    world
}

/// A signed mail as a server would hand it over: with a trace line on top and CRLF.
fn mail(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(signed().join(format!("{name}.eml"))).unwrap();
    format!("Received: from mail.waterwolde.example by mx.zaakwijs.example\n{text}").replace('\n', "\r\n").into_bytes()
}

/// What `explain` says of these mails, by name.
fn explained(world: &World, now: &str, mails: &[&str]) -> (BTreeMap<String, Value>, String) {
    let files: Vec<PathBuf> = mails
        .iter()
        .map(|name| {
            let file = world.dir.join(format!("{name}.eml"));
            fs::write(&file, mail(name)).unwrap();
            file
        })
        .collect();
    let mut arguments = vec!["explain", "--json", "--desk", "support"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let outcome = world.run_at(now, &arguments).ok();
    let named = outcome.json().into_iter().zip(mails).map(|(line, name)| ((*name).to_owned(), line)).collect();
    (named, outcome.stderr)
}

/// What must come of each mail that is judged on the spot. Alignment decides; ARC, policy and a stranger's signature do not.
const CASES: &[(&str, &str)] = &[
    ("own-signature", "pass"),
    ("simple-canonicalization", "pass"),
    ("ed25519", "pass"),
    ("long-key", "pass"), // its record needs TCP
    ("oversigned", "pass"),
    ("relaxed-alignment-from-below", "pass"),
    ("relaxed-alignment-from-above", "pass"),
    ("strict-alignment-exact", "pass"),
    ("strict-alignment-from-below", "fail"),
    ("not-yet-expired", "pass"),
    ("expired", "fail"),
    ("two-signatures", "pass"),
    ("two-own-signatures-one-broken", "pass"),
    ("unsigned", "none"),
    ("signature-of-a-stranger", "fail"),
    ("changed-body", "fail"),
    ("changed-subject", "fail"),
    ("second-subject", "fail"),
    ("second-subject-oversigned", "fail"),
    ("second-from", "fail"),
    ("body-length", "fail"),
    ("body-length-and-more-text", "fail"),
    ("sha1", "fail"),
    ("weak-key", "fail"),
    ("from-not-signed", "fail"),
    ("revoked-key", "fail"),
    ("no-such-key", "fail"),
    ("key-for-exact-identities", "fail"),
    ("policy-none-and-changed", "fail"),
    ("mailing-list", "fail"),
    ("arc", "fail"),
    ("arc-sealed", "fail"), // a valid chain
    ("one-key-out-of-reach", "pass"),
];

#[test]
fn what_the_from_domain_signed_is_authentic_and_nothing_else_is() {
    let dns = dns();
    let world = world(&dns.address());
    let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
    let (explained, stderr) = explained(&world, NOW, &names);
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|(name, due)| explained[*name]["authentic"] != *due)
        .map(|(name, due)| format!("{name}: {} instead of {due}", explained[*name]["authentic"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{stderr}");
    // A contact's signed mail is taken in; everything else waits, and nobody is answered.
    assert_eq!(explained["own-signature"]["reasons"][0], "approved-contact");
    for (name, due) in CASES.iter().filter(|(_, due)| *due != "pass") {
        assert_eq!(explained[*name]["replies"].as_array().unwrap().len(), 0, "{name} ({due}) is answered");
    }

    // Questions are only about the From domain, each asked once (the resolver remembers), and never for an address.
    let asked = dns.asked();
    for question in &asked {
        let own = ["waterwolde.example", "nordhavn.example"].iter().any(|domain| question.ends_with(domain));
        let kind = question.starts_with("TXT _dmarc.") || question.contains("._domainkey.");
        assert!(question.starts_with("TXT ") && own && kind, "{question}");
    }
    assert_eq!(asked.iter().filter(|question| *question == "TXT s1._domainkey.waterwolde.example").count(), 1, "{asked:#?}");
}

#[test]
fn an_expiry_is_held_against_the_clock_and_line_ends_do_not_matter() {
    let dns = dns();
    let world = world(&dns.address());
    let (later, _) = explained(&world, "2028-02-01T12:00:00+01:00", &["not-yet-expired", "own-signature"]);
    assert_eq!((&later["not-yet-expired"]["authentic"], &later["own-signature"]["authentic"]), (&"fail".into(), &"pass".into()));
    // As a Maildir holds it.
    let unix = signed().join("own-signature.eml");
    let line = world.run_at(NOW, &["explain", "--json", unix.to_str().unwrap()]).ok().json();
    assert_eq!(line[0]["authentic"], "pass");
}

/// One letter changed anywhere that is signed, or the signature itself, and the mail is nobody's; garbage is no accident.
#[test]
fn any_change_of_what_is_signed_breaks_the_signature() {
    let dns = dns();
    let world = world(&dns.address());
    let whole = mail("oversigned");
    let start = whole.windows(4).position(|bytes| bytes == b"\nDKI").unwrap();
    let letters: Vec<usize> = (start..whole.len()).filter(|at| whole[*at].is_ascii_lowercase()).collect();
    let mut changed: Vec<Vec<u8>> = letters
        .iter()
        .step_by(letters.len() / 60)
        .map(|at| {
            let mut mail = whole.clone();
            mail[*at] = if mail[*at] == b'q' { b'x' } else { b'q' };
            mail
        })
        .collect();
    for length in [0, 1, 50, 300, 700, whole.len() - 3] {
        changed.push(whole[..length].to_vec());
    }
    changed.push(b"DKIM-Signature: ".repeat(3_000));
    changed.push(
        [b"DKIM-Signature: v=1; a=rsa-sha256; d=waterwolde.example; s=s1; h=from; bh=AAAA; b=AAAA\r\n".repeat(2_000), whole.clone()]
            .concat(),
    );
    let files: Vec<String> = changed
        .iter()
        .enumerate()
        .map(|(n, mail)| {
            let file = world.dir.join(format!("changed-{n}.eml"));
            fs::write(&file, mail).unwrap();
            file.to_str().unwrap().to_owned()
        })
        .collect();
    let arguments: Vec<&str> = ["explain", "--json", "--desk", "support"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let told = world.run_at(NOW, &arguments).ok().json();
    assert_eq!(told.len(), changed.len());
    for (told, mail) in told.iter().zip(&changed) {
        assert_ne!(told["authentic"], "pass", "{}", String::from_utf8_lossy(&mail[..mail.len().min(2_000)]));
    }
    // Thousands of signatures cost no more questions than five.
    assert!(dns.asked().len() < 60, "{} questions", dns.asked().len());
}

#[test]
fn dns_that_does_not_answer_proves_nothing_and_explain_says_so() {
    let dns = dns();
    let world = world(&dns.address());
    let (told, stderr) = explained(&world, NOW, &["server-fails", "own-signature", "server-is-silent"]);
    assert_eq!((&told["server-fails"]["authentic"], &told["server-is-silent"]["authentic"]), (&"none".into(), &"none".into()));
    assert_eq!(stderr.matches("DNS did not answer").count(), 3, "{stderr}");
    // A domain out of reach is left alone for a while: its next mail costs no time.
    assert_eq!(told["own-signature"]["authentic"], "none");
    assert_eq!(dns.asked().iter().filter(|question| question.contains("s1._domainkey.waterwolde")).count(), 0);
}

#[test]
fn check_connect_asks_dns_and_says_what_is_not_checked() {
    let dns = dns();
    let world = world(&dns.address());
    let told = |world: &World, status| {
        let lines = world.run(&["check", "--connect", "--json"]).exits(status).json();
        lines.into_iter().filter(|line| line["what"] == "authentication").collect::<Vec<_>>()
    };
    // The desks' Maildirs are not there yet, which is another complaint.
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
        }
    }
    let lines = told(&world, 0);
    assert_eq!((lines.len(), &lines[0]["level"], &lines[1]["level"]), (2, &"fine".into(), &"note".into()), "{lines:#?}");
    assert!(lines[1]["message"].as_str().unwrap().contains("SPF takes no part"), "{lines:#?}");
    let nobody = format!("127.0.0.1:{}", free_port());
    world.edit(|config| config["authentication"]["dns_server"] = value(nobody));
    let lines = told(&world, 75);
    assert_eq!(lines[0]["level"], "fault", "{lines:#?}");
}

/// Puts a mail into the desk's Maildir, as delivered at this moment.
fn deliver(world: &World, raw: &[u8], arrived: std::time::SystemTime) {
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
        }
    }
    let file = fs::File::create(world.dir.join("mail/support/new/1.mail")).unwrap();
    std::io::Write::write_all(&mut &file, raw).unwrap();
    file.set_modified(arrived).unwrap();
}

fn at(moment: &str) -> std::time::SystemTime {
    moment.parse::<jiff::Timestamp>().unwrap().into()
}

#[test]
fn a_mail_waits_for_dns_some_hours_and_is_lost_never() {
    let dns = dns();
    let world = world(&dns.address());
    deliver(&world, &mail("own-signature"), at("2026-11-22T10:00:00Z"));
    dns.fail(true);
    for now in ["2026-11-22T10:01:00Z", "2026-11-22T13:30:00Z"] {
        let run = world.run_at(now, &["run", "--once"]).ok();
        assert!(run.stderr.contains("the mails wait and are tried again"), "{}", run.stderr);
        assert!(world.run(&["tickets", "list", "--json"]).ok().json().is_empty());
        assert!(world.run(&["queue", "list", "--json"]).ok().json().is_empty(), "it is not stuck, however often it was tried");
    }
    assert!(world.dir.join("mail/support/new/1.mail").exists());
    dns.fail(false);
    world.run_at("2026-11-22T13:40:00Z", &["run", "--once"]).ok();
    let tickets = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!((&tickets[0]["status"], &tickets[0]["reasons"][0]), (&"open".into(), &"approved-contact".into()), "{tickets:#?}");
    assert!(!world.dir.join("mail/support/new/1.mail").exists());

    // What has waited in vain for hours is no longer kept from people.
    deliver(&world, &mail("simple-canonicalization"), at("2026-11-22T14:00:00Z"));
    dns.fail(true);
    world.run_at("2026-11-22T18:00:01Z", &["run", "--once"]).ok();
    let tickets = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!((&tickets[1]["status"], &tickets[1]["reasons"][0]), (&"queued".into(), &"sender-not-authentic".into()), "{tickets:#?}");
    assert_eq!(world.run(&["outbox", "list", "--all", "--json"]).ok().json().len(), 1, "only the first was answered");

    // A mail server's pipe keeps the mail itself.
    let pipe = world.command(&["deliver", "--desk", "support", "-"]);
    let outcome = world.finish(pipe, &mail("ed25519")).exits(75);
    assert!(outcome.stderr.contains("offered again later"), "{}", outcome.stderr);
}

/// As Microsoft 365 hands a mail over: no authserv-id, the recipient's domain between the results, and three machines of its own above.
const MICROSOFT_365: &str = "Received: from AS8PR05MB1.eurprd05.prod.outlook.com (2603:10a6:20b::1)
 by DB9PR05MB2.eurprd05.prod.outlook.com with HTTPS; Sat, 21 Nov 2026 09:00:05 +0000
Received: from DU2PR04CA0001.eurprd04.prod.outlook.com (2603:10a6:10:2b::2)
 by AS8PR05MB1.eurprd05.prod.outlook.com (2603:10a6:20b::1) with Microsoft SMTP
 Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id
 15.20.8158.1; Sat, 21 Nov 2026 09:00:04 +0000
Received: from DB1PEPF0001.eurprd03.prod.outlook.com
 (2603:10a6:10:2b:cafe::1) by DU2PR04CA0001.outlook.office365.com
 (2603:10a6:10:2b::2) with Microsoft SMTP Server (version=TLS1_3,
 cipher=TLS_AES_256_GCM_SHA384) id 15.20.8158.1 via Frontend Transport; Sat, 21
 Nov 2026 09:00:04 +0000
Authentication-Results: spf=pass (sender IP is 192.0.2.84)
 smtp.mailfrom=waterwolde.example; zaakwijs.example; dkim=pass (signature was
 verified) header.d=waterwolde.example;zaakwijs.example; dmarc=RESULT action=none
 header.from=waterwolde.example;compauth=pass reason=100
Received-SPF: Pass (protection.outlook.com: domain of waterwolde.example
 designates 192.0.2.84 as permitted sender) receiver=protection.outlook.com;
 client-ip=192.0.2.84; helo=mail.waterwolde.example; pr=C
Received: from mail.waterwolde.example (192.0.2.84) by
 DB1PEPF0001.mail.protection.outlook.com (10.167.8.1) with Microsoft SMTP Server
 (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.8158.1 via Frontend
 Transport; Sat, 21 Nov 2026 09:00:03 +0000
";

/// As Google Workspace hands a mail over: its results stand below its own line.
const GOOGLE_WORKSPACE: &str = "Delivered-To: support@zaakwijs.example
Received: by 2002:a05:7208:a41:b0:1 with SMTP id ev1csp1; Sat, 21 Nov 2026 01:00:04 -0800 (PST)
X-Google-Smtp-Source: AGHT+IE1
ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@waterwolde.example header.s=s1; dmarc=pass header.from=waterwolde.example
Return-Path: <a.devries@waterwolde.example>
Received: from mail.waterwolde.example (mail.waterwolde.example. [192.0.2.84])
        by mx.google.com with ESMTPS id 4fb4d7f45d1cf-1 for <support@zaakwijs.example>
        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);
        Sat, 21 Nov 2026 01:00:03 -0800 (PST)
Received-SPF: pass (google.com: domain of a.devries@waterwolde.example designates 192.0.2.84 as permitted sender) client-ip=192.0.2.84;
Authentication-Results: mx.google.com;
       dkim=pass header.i=@waterwolde.example header.s=s1 header.b=Qm1yZX;
       spf=pass (google.com: domain of a.devries@waterwolde.example designates 192.0.2.84 as permitted sender) smtp.mailfrom=a.devries@waterwolde.example;
       dmarc=RESULT (p=REJECT sp=REJECT dis=NONE) header.from=waterwolde.example
";

const FORGED: &str = "dmarc=pass action=none header.from=waterwolde.example";
const LETTER: &str = "From: a.devries@waterwolde.example\nTo: support@zaakwijs.example\nSubject: Export is leeg\nDate: Sat, 21 Nov 2026 10:00:00 +0100\n\nBeste, de export is leeg.\n";

#[test]
fn the_presets_read_the_services_own_results_wherever_they_write_them() {
    let world = World::new();
    let judge = |head: String| {
        let file = world.dir.join("preset.eml");
        fs::write(&file, (head + LETTER).replace('\n', "\r\n")).unwrap();
        world.run(&["explain", "--json", file.to_str().unwrap()]).ok().json()[0]["authentic"].as_str().unwrap().to_owned()
    };
    for (preset, head, forged) in [
        ("microsoft365", MICROSOFT_365, format!("Authentication-Results: spf=pass smtp.mailfrom=waterwolde.example; {FORGED}\n")),
        ("google-workspace", GOOGLE_WORKSPACE, format!("Authentication-Results: mx.google.com; {FORGED}\n")),
    ] {
        world.edit(|config| {
            let section = config["authentication"].as_table_mut().unwrap();
            section.remove("authserv_id");
            section["preset"] = value(preset);
        });
        assert_eq!(judge(head.replace("RESULT", "pass")), "pass", "{preset}");
        assert_eq!(judge(head.replace("RESULT", "fail")), "fail", "{preset}");
        // Without the recipient's domain among the results, as Microsoft writes them by now; and its word for a domain without a DMARC record.
        assert_eq!(
            judge(head.replace(" zaakwijs.example;", "").replace(";zaakwijs.example;", ";").replace("RESULT", "pass")),
            "pass",
            "{preset}"
        );
        assert_eq!(judge(head.replace("RESULT", "bestguesspass")), "pass", "{preset}");
        // What a stranger brings along does not help, whether DMARC said no or nothing (and then DKIM did not speak for this From).
        let no_opinion = head.replace("RESULT", "none").replace("header.d=waterwolde", "header.d=evil");
        let no_opinion =
            no_opinion.replace("header.i=@waterwolde", "header.i=@evil").replace("smtp.mailfrom=waterwolde", "smtp.mailfrom=evil");
        let no_opinion = no_opinion.replace("smtp.mailfrom=a.devries@waterwolde", "smtp.mailfrom=x@evil");
        for head in [head.replace("RESULT", "fail"), no_opinion] {
            assert_eq!(judge(format!("{head}{forged}")), "fail", "{preset}");
            assert_eq!(judge(format!("{head}{forged}Received: from evil by DB1.mail.protection.outlook.com\n")), "fail", "{preset}");
            assert_eq!(judge(format!("{head}{forged}Received: from evil by mx.google.com\n")), "fail", "{preset}");
        }
        // Without the service's border on its way it is worth nothing.
        assert_eq!(judge(format!("Received: from evil by mx.other.example\n{forged}")), "none", "{preset}");
    }
}

#[test]
fn without_any_check_everybody_is_believed_and_that_is_said_loudly() {
    let world = World::new();
    world.edit(|config| config["authentication"]["mode"] = value("off"));
    let warning = "anybody on the internet can write in the name of any contact";
    assert!(world.run(&["check"]).ok().stdout.contains(warning));
    deliver(&world, LETTER.as_bytes(), at("2026-11-22T10:00:00Z"));
    let run = world.run_at("2026-11-22T10:01:00Z", &["run", "--once"]).ok();
    assert!(run.stderr.contains(warning), "{}", run.stderr);
    assert_eq!(world.run(&["tickets", "list", "--json"]).ok().json()[0]["status"], "open");
    let _daemon = world.daemon(Some("2026-11-22T10:02:00Z"));
    let log = eventually("the daemon is ready", || Some(world.daemon_log()).filter(|log| log.contains("Ready.")));
    assert!(log.contains(warning), "{log}");
    // Twice nobody is nobody in every mode.
    let file = world.dir.join("two.eml");
    fs::write(&file, format!("From: baas@waterwolde.example\n{LETTER}")).unwrap();
    assert_eq!(world.run(&["explain", "--json", file.to_str().unwrap()]).ok().json()[0]["authentic"], "fail");
}
