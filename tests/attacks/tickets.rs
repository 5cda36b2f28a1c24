//! Rows 14 to 18: which ticket a mail reaches, and whom it can bring in.

use super::{CONTACT, Gate, STRANGER, authentic};
use serde_json::{Value, json};

/// A number in a subject proves nothing, and the answer does not tell whether it exists.
#[test]
fn a14_subject_number_hijack() {
    let gate = Gate::new();
    gate.ticket_of_contact();
    let before = gate.ticket("PK-00001");
    let ask = |from: &str, number: &str| authentic(from, &format!("Subject: Re: [{number}] Vraag\n"), "Wat is hiermee gedaan?");
    let letters = gate.live(&[ask("ann@evil.example", "PK-00001"), ask("bob@evil.example", "PK-09999")]);
    assert_eq!(gate.ticket("PK-00001"), before);
    assert_eq!(gate.tickets().len(), 3, "each is a ticket of its own");
    let plain = |index: usize, own: &str| letters[index].text().replace(own, "PK");
    assert_eq!(plain(0, "PK-00002"), plain(1, "PK-00003"), "both read the same");
    assert!(!letters[0].text().contains("PK-00001"));
    // Not even a contact of the same organisation is led by a number alone.
    gate.live(&[authentic(CONTACT, "Subject: Re: [PK-00001] Vraag\n", "Aanvulling.")]);
    assert_eq!(gate.ticket("PK-00001"), before);
}

/// A token counts whole, and only in the hands of somebody who takes part.
#[test]
fn a15_reply_token() {
    let gate = Gate::new();
    let token = gate.ticket_of_contact();
    let with = |from: &str, token: &str, body: &str| authentic(from, &format!("In-Reply-To: {token}\nReferences: {token}\n"), body);
    let (left, right) = token.split_once('@').unwrap();
    let last = left.chars().last().unwrap();
    let flipped = format!("{}{}@{right}", &left[..left.len() - 1], if last == '0' { '1' } else { '0' });
    let next = token.replacen("<1.", "<2.", 1);
    let cut = format!("{}@{right}", &left[..left.len() - 1]);
    let letters = gate.live(&[
        with(STRANGER, &token, "Wat is de stand?"),
        with("p.jansen@waterwolde.example", &token, "Wat is de stand?"),
        with("p.mulder@waterwolde.example", &token, "Wat is de stand?"),
        with(CONTACT, &flipped, "Een bit anders."),
        with(CONTACT, &next, "Een nummer verder."),
        with(CONTACT, &cut, "Een teken korter."),
    ]);
    assert_eq!(gate.tickets()[0]["entries"], 1);
    assert_eq!(gate.tickets().len(), 7, "each is a ticket of its own");
    assert!(letters.iter().all(|letter| !letter.text().contains("PK-00001")));
    // The twins: who takes part, and another contact of the same organisation.
    gate.live(&[with(CONTACT, &token, "Nog iets."), with("i.bakker@waterwolde.example", &token, "Ook van mij.")]);
    assert_eq!((&gate.tickets()[0]["entries"], gate.tickets().len()), (&3.into(), 7));
}

/// No header from outside steers anything; some only keep an answer back.
#[test]
fn a16_control_headers() {
    let gate = Gate::new();
    let headers = [
        "",
        "X-OTRS-Queue: admin\nX-OTRS-Priority: 5 very high\nX-OTRS-Ignore: yes\nX-OTRS-State: closed\n",
        "X-Zammad-Ignore: true\nX-Zammad-Ticket-Owner: root\nX-Zammad-Ticket-Followup-State: closed\n",
        "X-Postkamer-Desk: ict\nX-Postkamer-Verdict: ignore\nX-Postkamer-Ticket: PK-00001\n",
        "X-RT-Command: close\nRT-Ticket: 1\nX-RT-Interface: REST\nX-Spam-Flag: YES\nImportance: high\nX-Priority: 1\n",
        "X-GLPI-Entity: 0\nX-FreeScout-Mail-Type: user.notification\n",
    ];
    let body = "Hoe stellen wij de termijn in?";
    let mails: Vec<Vec<u8>> = headers.iter().map(|fields| authentic(CONTACT, fields, body)).collect();
    let told: Vec<Value> = gate
        .explain(&mails)
        .into_iter()
        .map(|mut told| {
            told["file"] = Value::Null;
            told
        })
        .collect();
    assert_eq!(told[0]["reasons"], json!(["approved-contact"]));
    for (one, fields) in told.iter().zip(&headers) {
        assert_eq!(one, &told[0], "{fields}");
    }
    gate.live(&mails);
    let tickets = gate.tickets();
    assert!(tickets.iter().all(|ticket| ticket["status"] == "open" && ticket["urgent"] == false && ticket["organisation"] == "waterwolde"));
}

/// Who sends an id first does not keep the real mail out.
#[test]
fn a17_message_id_squatting() {
    let gate = Gate::new();
    let id = "Message-ID: <20261121.1@waterwolde.example>\n";
    let real = authentic(CONTACT, id, "De echte vraag.");
    gate.live(&[authentic(STRANGER, id, "De valse vraag."), real.clone(), real]);
    let tickets = gate.tickets();
    assert_eq!(tickets.len(), 2, "the same mail twice is one: {tickets:#?}");
    assert_eq!((&tickets[1]["organisation"], &tickets[1]["status"]), (&"waterwolde".into(), &"open".into()));
}

/// Urgent words of strangers reach the duty contact three times a day, in our words only.
#[test]
fn a18_urgent_as_a_relay() {
    let gate = Gate::new();
    let mails: Vec<Vec<u8>> = (0..50)
        .map(|n| {
            let body = "Het zaaksysteem ligt plat, niemand kan meer werken. KOOPNU https://evil.example/koop";
            authentic(&format!("x{n}@evil{n}.example"), "Subject: Storing KOOPNU: alles ligt plat\n", body)
        })
        .collect();
    let letters = gate.live(&mails);
    let called = letters.iter().filter(|letter| letter.recipients().contains("wacht@zaakwijs.example")).count();
    assert_eq!(called, 3);
    for letter in &letters {
        let shown = String::from_utf8_lossy(&letter.raw).into_owned() + &letter.text();
        assert!(!shown.contains("KOOPNU") && !shown.contains("evil.example/") && !shown.contains("ligt plat"), "{shown}");
    }
    let tickets = gate.tickets();
    let open = tickets.iter().filter(|ticket| ticket["status"] == "open").count();
    assert_eq!((tickets.len(), open), (50, 3));
}
