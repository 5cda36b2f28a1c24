//! Rows 1 to 13: who a mail is from.

use super::{CONTACT, Gate, STRANGER, SUPPORT, authentic, is_silent, raw, vouched};
use serde_json::Value;
use toml_edit::value;

/// Says of each mail what must not be otherwise; the label tells which one it was.
#[track_caller]
fn all(labels: &[&str], told: &[Value], fine: impl Fn(&Value) -> bool) {
    let wrong: Vec<String> =
        labels.iter().zip(told).filter(|(_, told)| !fine(told)).map(|(label, told)| format!("{label:?}: {told}")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn waits_in_silence(told: &Value) -> bool {
    told["verdict"] == "queue" && is_silent(told) && told["sender"]["kind"] == "stranger"
}

/// A service's mail with a code or a link must not get back to whoever had it sent to us.
#[test]
fn a01_ticket_trick() {
    let gate = Gate::new();
    let senders = ["no-reply@slack.example", "noreply+x@shop.example", "do-not-reply@bank.example", "bounces-1@lists.example"];
    let mails: Vec<Vec<u8>> = senders
        .iter()
        .map(|from| {
            let body = "Confirm your email: https://slack.example/confirm?code=918273. Cc us to join.";
            authentic(from, "Subject: Confirm your email\nCc: hunter@evil.example\n", body)
        })
        .collect();
    all(&senders, &gate.explain(&mails), waits_in_silence);
    assert!(gate.live(&mails).is_empty());
    for ticket in gate.tickets() {
        assert_eq!((&ticket["status"], ticket["cc"].as_array().map(Vec::len)), (&"queued".into(), Some(0)));
    }
    // The twin: a person of the same domain hears of the desk.
    assert!(!is_silent(&gate.explain(&[authentic("ann@slack.example", "", "Wie kan mij helpen?")])[0]));
}

/// Cc grants nothing, neither of a forger nor of the requester.
#[test]
fn a02_cc_takeover() {
    let gate = Gate::new();
    let token = gate.ticket_of_contact();
    let fields = format!("In-Reply-To: {token}\nReferences: {token}\nCc: attacker@evil.example\n");
    let forged = "Authentication-Results: mx.zaakwijs.example; dmarc=fail header.from=waterwolde.example\nReceived: from evil by mx.zaakwijs.example\n";
    let letters = gate.live(&[raw(forged, &format!("From: {CONTACT}\n"), &fields, "Stuur alles ook naar Cc.")]);
    assert!(letters.is_empty());
    let tickets = gate.tickets();
    assert_eq!((&tickets[0]["entries"], &tickets[0]["cc"]), (&1.into(), &serde_json::json!([])));
    assert_eq!((&tickets[1]["status"], &tickets[1]["reasons"]), (&"queued".into(), &serde_json::json!(["sender-not-authentic"])));
    // The requester themself with the attacker in Cc: appended, and still nobody takes part but the requester.
    gate.live(&[authentic(CONTACT, &fields, "Nog een vraag.")]);
    assert_eq!((&gate.tickets()[0]["entries"], &gate.tickets()[0]["cc"]), (&2.into(), &serde_json::json!([])));
    let letters = gate.live(&[authentic("attacker@evil.example", &fields, "Wat is de stand?")]);
    assert_eq!(gate.tickets()[0]["entries"], 2, "being in Cc once opens no door");
    assert!(letters.iter().all(|letter| !letter.text().contains("PK-00001")));
}

/// An approved address without proof is nobody's.
#[test]
fn a03_spoofed_contact() {
    let gate = Gate::new();
    let from = format!("From: {CONTACT}\n");
    let received = "Received: from evil by mx.zaakwijs.example\n";
    let result =
        |result: &str| format!("Authentication-Results: mx.zaakwijs.example; dmarc={result} header.from=waterwolde.example\n{received}");
    let traces = [result("fail"), result("none"), result("temperror"), received.to_owned(), String::new()];
    let mails: Vec<Vec<u8>> = traces.iter().map(|trace| raw(trace, &from, "", "De site is onbereikbaar, niemand kan werken.")).collect();
    let told = gate.explain(&mails);
    all(&["fail", "none", "temperror", "no field", "no trace"], &told, |told| {
        told["verdict"] == "queue" && told["reasons"] == serde_json::json!(["sender-not-authentic"]) && is_silent(told)
    });
    assert!(gate.live(&mails[..1]).is_empty());
    let ticket = &gate.tickets()[0];
    assert_eq!((&ticket["organisation"], &ticket["cc"]), (&Value::Null, &serde_json::json!([])), "the contact is not named");
}

/// Reply-To is for the agent to see; answers go to From.
#[test]
fn a04_reply_to_is_no_identity() {
    let gate = Gate::new();
    let mail = authentic(STRANGER, &format!("Reply-To: {CONTACT}\n"), "Kunt u mij helpen met een vraag?");
    assert_eq!(gate.explain(std::slice::from_ref(&mail))[0]["sender"]["kind"], "stranger");
    let letters = gate.live(&[mail]);
    assert_eq!((letters.len(), letters[0].recipients()), (1, [STRANGER.to_owned()].into()));
}

/// No other field stands in for From.
#[test]
fn a05_no_fallback_sender() {
    let gate = Gate::new();
    let other = format!("Sender: {CONTACT}\nReturn-Path: <{CONTACT}>\nReply-To: {CONTACT}\nResent-From: {CONTACT}\n");
    let froms = ["From: \"Gemeente\"\n", "From:\n", "", "From: <>\n"];
    let mails: Vec<Vec<u8>> = froms.iter().map(|from| raw(&vouched("waterwolde.example"), from, &other, "Vraag.")).collect();
    all(&froms, &gate.explain(&mails), |told| waits_in_silence(told) && told["authentic"] == "fail");
    assert!(gate.live(&mails).is_empty());
}

/// A name that looks like an address is a name, and is not shown as one.
#[test]
fn a06_address_as_display_name() {
    let gate = Gate::new();
    let from = format!("\"{CONTACT} (namens Gemeente)\" <b@evil.example>");
    let told = gate.explain(&[authentic(&from, "", "Wie kan mij helpen?")]);
    assert_eq!(told[0]["sender"]["kind"], "stranger");
    let letters = gate.live(&[authentic(&from, "", "Wie kan mij helpen?"), authentic("\"c@evil.example\" <c@evil.example>", "", "Hallo?")]);
    assert!(letters.iter().all(|letter| letter.recipients().iter().all(|to| to.ends_with("@evil.example"))));
    let entry = &gate.ticket("PK-00001")["history"][0];
    assert_eq!((&entry["author"], &entry["author_name"]), (&"b@evil.example".into(), &"[address removed] (namens Gemeente)".into()));
    assert_eq!(gate.ticket("PK-00002")["history"][0]["author_name"], "c@evil.example", "one's own address may stand there");
}

/// A contact's name with something invisible in it is read by people as that name.
#[test]
fn a06_contacts_name_with_hidden_characters() {
    let gate = Gate::new();
    let names =
        ["A. de\u{200b} Vries", "A. \u{202e}\u{202c}de Vries", "\u{ff21}.\u{a0}de\u{a0}Vries", "=?utf-8?q?A=2E_de_Vr=E2=80=8Dies?="];
    let mails: Vec<Vec<u8>> = names.iter().map(|name| authentic(&format!("{name} <{STRANGER}>"), "", "Wie kan mij helpen?")).collect();
    all(&names, &gate.explain(&mails), |told| told["sender"]["kind"] == "named-elsewhere" && told["verdict"] == "queue");
}

/// Domains are equal as the DNS has them, or not at all.
#[test]
fn a07_homoglyphs_punycode_and_suffixes() {
    let gate = Gate::new();
    let strangers = [
        "a.devries@w\u{430}terwolde.example",
        "a.devries@xn--wterwolde-7fg.example",
        "a.devries@waterwolde.example.evil.test",
        "a.devries@evil-waterwolde.example",
        "a.devries@sub.waterwolde.example",
        "a.devries@waterwoIde.example",
    ];
    let mails: Vec<Vec<u8>> = strangers.iter().map(|from| authentic(from, "", "Wie kan mij helpen?")).collect();
    all(&strangers, &gate.explain(&mails), |told| {
        told["sender"]["organisation"] == Value::Null && told["sender"]["kind"] == "stranger" || told["authentic"] == "fail"
    });
    let nobody = [
        "a.devries@xn--waterwolde-.example",
        "a.devries@waterwolde.example.",
        "a.devries@water\u{200b}wolde.example",
        "a.devries@water\u{ad}wolde.example",
    ];
    let mails: Vec<Vec<u8>> =
        nobody.iter().map(|from| raw(&vouched("waterwolde.example"), &format!("From: {from}\n"), "", "Vraag.")).collect();
    all(&nobody, &gate.explain(&mails), |told| waits_in_silence(told) && told["authentic"] == "fail");
    let same = ["A.deVries@WATERWOLDE.EXAMPLE", "a.devries@waterwolde\u{ff0e}example"];
    let mails: Vec<Vec<u8>> =
        same.iter().map(|from| raw(&vouched("waterwolde.example"), &format!("From: {from}\n"), "", "Vraag.")).collect();
    all(&same, &gate.explain(&mails), |told| told["sender"]["kind"] == "general-contact");
}

const TWO: &[&str] = &[
    "From: a.devries@waterwolde.example\nFrom: b@evil.example\n",
    "From: b@evil.example\nFrom: a.devries@waterwolde.example\n",
    "From: b@evil.example\nfrom : a.devries@waterwolde.example\n",
    "From:\n a.devries@waterwolde.example\nFROM\t:\n b@evil.example\n",
    "From: a.devries@waterwolde.example, b@evil.example\n",
    "From: b@evil.example,\n a.devries@waterwolde.example\n",
];

/// Two authors are none.
#[test]
fn a08_two_from_fields_or_mailboxes() {
    let gate = Gate::new();
    let mails: Vec<Vec<u8>> = TWO.iter().map(|from| raw(&vouched("waterwolde.example"), from, "", "Vraag.")).collect();
    all(TWO, &gate.explain(&mails), |told| waits_in_silence(told) && told["authentic"] == "fail");
    assert!(gate.live(&mails).is_empty());
}

/// A group is nobody.
#[test]
fn a09_groups() {
    let gate = Gate::new();
    let froms = [
        "From: Staff: a.devries@waterwolde.example, b@evil.example;\n",
        "From: undisclosed:;\n",
        "From: A: a.devries@waterwolde.example;\n",
    ];
    let mails: Vec<Vec<u8>> = froms.iter().map(|from| raw(&vouched("waterwolde.example"), from, "", "Vraag.")).collect();
    all(&froms, &gate.explain(&mails), |told| waits_in_silence(told) && told["authentic"] == "fail");
}

/// No spelling of an address is taken for an approved one.
#[test]
fn a10_address_grammar() {
    let gate = Gate::new();
    let froms = [
        "X <a.devries@waterwolde.example> <b@evil.example>",
        "\"a.devries@waterwolde.example\"@evil.example",
        "\"a.devries\"@waterwolde.example",
        "<@evil.example:a.devries@waterwolde.example>",
        "a.devries@waterwolde.example@evil.example",
        "a.devries@waterwolde.example\0.evil.example",
        "a.devries@[192.0.2.1]",
        "a.devries @waterwolde.example",
        "a.devries(x)@waterwolde.example",
        "a.devries@waterwolde.example%evil.example",
        "<a.devries@waterwolde.example",
        "a.devries@waterwolde.example b@evil.example",
    ];
    let mails: Vec<Vec<u8>> =
        froms.iter().map(|from| raw(&vouched("waterwolde.example"), &format!("From: {from}\n"), "", "Vraag.")).collect();
    all(&froms, &gate.explain(&mails), |told| {
        told["authentic"] != "pass" && told["sender"]["organisation"] == Value::Null && is_silent(told)
    });
}

/// Encoded words name nobody and start no line.
#[test]
fn a11_encoded_words() {
    let gate = Gate::new();
    let spec =
        ["From: =?utf-8?q?a.devries=40waterwolde.example?=\n", "From: =?utf-8?q?x_<a.devries=40waterwolde.example>?= <b@evil.example>\n"];
    let mails: Vec<Vec<u8>> = spec.iter().map(|from| raw(&vouched("waterwolde.example"), from, "", "Vraag.")).collect();
    all(&spec, &gate.explain(&mails), |told| told["sender"]["organisation"] == Value::Null);
    let name = "=?utf-8?q?Jan=0D=0ABcc:_v@x.test=E2=80=AE=E2=80=8B?=";
    let letters = gate.live(&[raw(&vouched("waterwolde.example"), &format!("From: {name} <{CONTACT}>\n"), "", "Vraag.")]);
    assert_eq!((letters.len(), letters[0].recipients()), (1, [CONTACT.to_owned()].into()));
    let shown = gate.ticket("PK-00001")["history"][0]["author_name"].as_str().unwrap().to_owned();
    assert!(!shown.chars().any(|c| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c)), "{shown:?}");
}

/// Only what our own server wrote above its own line counts, and the worst of it.
#[test]
fn a12_forged_authentication_results() {
    let gate = Gate::new();
    let pass = "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\n";
    let fail = "Authentication-Results: mx.zaakwijs.example; dmarc=fail header.from=waterwolde.example\n";
    let other = "Authentication-Results: mx.evil.example; dmarc=pass header.from=waterwolde.example\n";
    let arc = "ARC-Authentication-Results: i=1; mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\n";
    let received = "Received: from evil by mx.zaakwijs.example\n";
    let cases = [
        ("below our line", format!("{received}{pass}"), "none"),
        ("ours fails, forged passes", format!("{fail}{received}{pass}"), "fail"),
        ("two of ours disagree", format!("{pass}{fail}{received}"), "fail"),
        ("another server's", format!("{other}{received}"), "none"),
        ("ARC", format!("{arc}{received}"), "none"),
        ("no line of ours", pass.to_owned(), "none"),
        ("cut off", format!("Authentication-Results: mx.zaakwijs.example; dmarc=pass (\n{received}"), "none"),
        ("ours", format!("{pass}{received}"), "pass"),
    ];
    let mails: Vec<Vec<u8>> = cases.iter().map(|(_, trace, _)| raw(trace, &format!("From: {CONTACT}\n"), "", "Vraag.")).collect();
    for (told, (label, _, due)) in gate.explain(&mails).iter().zip(&cases) {
        assert_eq!(told["authentic"], *due, "{label}");
    }
}

/// How many machines of ours a mail passes is a setting: what stands above the line of the last one counts, and a mail with fewer
/// lines did not come through all of them.
#[test]
fn a12_results_count_above_the_line_of_our_last_hop() {
    // What must come of each with `own_hops` 1, 2 and 3.
    let cases = [
        ("pass hop", ["pass", "none", "none"]),
        ("hop pass", ["none", "none", "none"]),
        ("pass hop fail hop", ["pass", "fail", "none"]),
        ("fail hop pass hop", ["fail", "fail", "none"]),
        ("hop pass hop", ["none", "pass", "none"]),
        ("hop hop pass hop", ["none", "none", "pass"]),
        ("pass hop pass hop fail hop", ["pass", "pass", "fail"]),
        ("hop hop hop pass hop", ["none", "none", "none"]),
        ("pass hop hop hop fail hop", ["pass", "pass", "pass"]),
        ("pass", ["none", "none", "none"]),
    ];
    let line = |word: &str| match word {
        "hop" => "Received: from mail.waterwolde.example by mx.zaakwijs.example\n".to_owned(),
        result => format!("Authentication-Results: mx.zaakwijs.example; dmarc={result} header.from=waterwolde.example\n"),
    };
    let mails: Vec<Vec<u8>> = cases
        .iter()
        .map(|(trace, _)| raw(&trace.split(' ').map(line).collect::<String>(), &format!("From: {CONTACT}\n"), "", "Vraag."))
        .collect();
    for (column, hops) in [1_i64, 2, 3].into_iter().enumerate() {
        let gate = Gate::with(|config| config["authentication"]["own_hops"] = value(hops));
        for (told, (trace, due)) in gate.explain(&mails).iter().zip(&cases) {
            assert_eq!(told["authentic"], due[column], "{trace}, own_hops = {hops}");
        }
    }
}

/// Between several fields of our own server each method counts at its worst, whichever field comes first; what one method says
/// does not contradict another.
#[test]
fn a12_of_several_fields_of_ours_the_worst_per_method_counts() {
    let cases = [
        ("dkim=pass | dkim=fail", "fail"),
        ("dkim=pass | dkim=pass", "pass"),
        ("dkim=fail; dkim=pass", "pass"), // in one field the best
        ("dkim=fail; dkim=pass | dkim=pass", "pass"),
        ("dkim=fail; dkim=pass | dkim=fail", "fail"),
        ("dkim=pass; spf=pass | dkim=fail; spf=pass", "pass"),
        ("dkim=pass; spf=pass | dkim=fail", "pass"),
        ("dkim=pass; spf=fail | dkim=fail; spf=fail", "fail"),
        ("spf=pass | spf=fail", "fail"),
        ("spf=pass; dkim=pass | spf=fail; dkim=pass", "pass"),
        ("spf=pass; dkim=pass | spf=fail", "pass"),
        ("spf=pass; dkim=fail | spf=fail; dkim=fail", "fail"),
        ("dkim=pass; spf=fail | dkim=fail; spf=pass", "fail"), // though each alone would do
        ("dkim=pass | spf=fail", "pass"),
        ("dkim=fail | spf=pass", "pass"),
        ("dkim=fail | spf=fail", "fail"),
        ("dmarc=pass | dkim=fail | spf=fail", "pass"),
        ("dmarc=fail | dkim=pass | spf=pass", "fail"),
        ("dmarc=none | dkim=pass | spf=fail", "pass"),
        ("dmarc=none | dkim=fail | spf=fail", "fail"),
        ("dmarc=pass; dkim=pass | dmarc=fail; dkim=pass", "fail"),
    ];
    let said = |result: &str| {
        let property = match result.split('=').next() {
            Some("dmarc") => "header.from",
            Some("dkim") => "header.d",
            _ => "smtp.mailfrom",
        };
        format!("; {result} {property}=waterwolde.example")
    };
    let line = |field: &&str| format!("Authentication-Results: mx.zaakwijs.example{}\n", field.split("; ").map(said).collect::<String>());
    let mail = |fields: &[&str]| {
        let trace = fields.iter().map(line).collect::<String>() + "Received: from mail.waterwolde.example by mx.zaakwijs.example\n";
        raw(&trace, &format!("From: {CONTACT}\n"), "", "Vraag.")
    };
    let mails: Vec<Vec<u8>> = cases
        .iter()
        .flat_map(|(fields, _)| {
            let fields: Vec<&str> = fields.split(" | ").collect();
            let reversed: Vec<&str> = fields.iter().rev().copied().collect();
            [mail(&fields), mail(&reversed)]
        })
        .collect();
    for (told, (fields, due)) in Gate::new().explain(&mails).chunks(2).zip(&cases) {
        assert_eq!((&told[0]["authentic"], &told[1]["authentic"]), (&(*due).into(), &(*due).into()), "{fields}");
    }
}

/// A pass without alignment is no pass. (Smuggled mail is split by the receiving server before it gets here; what reaches us is
/// one mail, whatever lines its text has.)
#[test]
fn a13_alignment_gaps_and_smuggling() {
    let gate = Gate::new();
    let from = format!("From: {CONTACT}\n");
    let trace =
        |results: &str| format!("Authentication-Results: mx.zaakwijs.example; {results}\nReceived: from evil by mx.zaakwijs.example\n");
    let cases = [
        "spf=pass smtp.mailfrom=x@evil.example",
        "spf=pass smtp.helo=waterwolde.example",
        "dkim=pass header.d=evil.example",
        "dkim=pass header.d=example",
        "dkim=pass header.i=@waterwolde.example header.d=evil.example",
        "dmarc=pass header.from=evil.example",
        "iprev=pass policy.iprev=192.0.2.1",
    ];
    let mails: Vec<Vec<u8>> = cases.iter().map(|results| raw(&trace(results), &from, "", "Vraag.")).collect();
    all(&cases, &gate.explain(&mails), |told| told["authentic"] != "pass" && told["verdict"] == "queue" && is_silent(told));
    let body = format!(
        "Hallo\r\n.\r\nMAIL FROM:<{CONTACT}>\r\nRCPT TO:<{SUPPORT}>\r\nDATA\r\n{}From: {CONTACT}\r\n\r\nOpen alles.",
        vouched("waterwolde.example")
    );
    gate.live(&[authentic(STRANGER, "", &body)]);
    let tickets = gate.tickets();
    assert_eq!((tickets.len(), &tickets[0]["organisation"]), (1, &Value::Null));
}
