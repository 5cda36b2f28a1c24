//! Mixed mail as a helpdesk for municipalities gets it, made from a seed: the same seed gives the same bytes.
//!
//! Of a hundred mails, about: 49 written in Outlook, 15 more of these with a file (4 PDF, 4 XLSX, 4 DOCX, 3 CSV), 22 plain text
//! (telephones, forms, monitoring), 5 from strangers, 4 automatic replies, 3 newsletters, 1 whose domain did not authenticate, 1 with Dutch
//! citizen service numbers in its text or in a CSV. An Outlook mail has its text twice, plain and in Word's HTML, with a
//! signature and a disclaimer; two in three have the organisation's logo in it, every second one quotes up to six earlier
//! mails. Every tenth mail refers to another one. Everything is invented.

use std::fmt::Write as _;

use super::files;

/// A source of mails.
pub struct Mails {
    random: Random,
    logos: Vec<Vec<u8>>,
    number: u32,
}

impl Mails {
    /// A source that begins at this seed.
    pub fn seeded(seed: u64) -> Self {
        let mut random = Random(seed);
        // An organisation's logo is the same in all its mails.
        let logos = PEOPLE.iter().chain(STRANGERS).map(|_| files::logo(&mut random)).collect();
        Self { random, logos, number: 0 }
    }
}

impl Iterator for Mails {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        Some(mail(&mut self.random, &self.logos, self.number))
    }
}

/// Mails of a contact with a screenshot each, of which there are none among the mixed mails: reading a picture letter by
/// letter costs more than all else together.
pub fn with_screenshots(seed: u64, count: u32) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut one = |number| {
        let head = head(&mut random, number, &PEOPLE[1], "pass");
        let text = paragraph(&mut random, DUTCH, 1, 4);
        let screenshot = Part::file("image/png", "scherm.png", &files::screenshot(&mut random));
        head + &Part::multipart("mixed", number, &[Part::text("plain", &text), screenshot]).0
    };
    (1..=count).map(|number| one(number).into_bytes()).collect()
}

/// splitmix64: small, and the same on every machine.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What mails of one language are made of.
pub struct Language {
    code: &'static str,
    /// What people write.
    pub sentences: &'static [&'static str],
    /// What stands above an earlier mail: from, sent, to, subject.
    quoted: [&'static str; 4],
    greeting: &'static str,
    department: &'static str,
    disclaimer: &'static str,
}

pub const DUTCH: &Language = &Language {
    code: "nl",
    sentences: &[
        "Sinds de update van gisteren staat de knop Opslaan niet meer onderaan het formulier.",
        "Kunnen jullie de tekst op de pagina met openingstijden aanpassen?",
        "Het overzicht van lopende zaken laat de laatste drie dagen niets nieuws zien.",
        "Wij krijgen bij het exporteren een lege lijst terug.",
        "Een collega heeft een nieuwe functie gekregen en kan de module Vergunningen niet openen.",
        "Dit is niet dringend, het mag ook volgende week.",
        "In de bijlage vindt u een schermafdruk van de melding.",
        "Hoe stel ik in dat een aanvraag naar de juiste afdeling gaat?",
        "Na het inloggen blijft het scherm ongeveer een minuut wit.",
        "Alvast bedankt voor het meedenken.",
        "Het gaat om het formulier Melding openbare ruimte, tabblad Bijlagen, in de testomgeving en in productie.",
        "Als een medewerker op Afronden klikt, verschijnt de melding dat het veld Afdeling nog leeg is.",
        "Wij gebruiken Edge, op twee werkplekken ook Firefox; in beide is het beeld hetzelfde.",
        "Zou u willen nagaan of de koppeling met het zaaksysteem de status van vandaag al heeft doorgegeven?",
        "Volgende week dinsdag hebben wij overleg met de teamleiders van Burgerzaken en Vergunningen.",
        "Graag hoor ik wanneer de nieuwe versie bij ons wordt geïnstalleerd en of er iets verandert voor beheerders.",
    ],
    quoted: ["Van", "Verzonden", "Aan", "Onderwerp"],
    greeting: "Met vriendelijke groet",
    department: "Informatievoorziening",
    disclaimer: "Aan dit bericht kunnen geen rechten worden ontleend. Bent u niet de bedoelde ontvanger, laat het ons dan weten en verwijder het bericht.",
};

const DANISH: &Language = &Language {
    code: "da",
    sentences: &[
        "Efter opdateringen i går mangler knappen Gem nederst i formularen.",
        "Kan I rette teksten på siden med åbningstider?",
        "Oversigten over igangværende sager viser ikke noget nyt.",
        "Vi får en tom liste, når vi eksporterer.",
        "Det haster ikke, det kan vente til næste uge.",
        "På forhånd tak for hjælpen.",
        "Det drejer sig om formularen Indberetning, fanen Bilag, både i test og i drift.",
        "Når en medarbejder trykker på Afslut, kommer der en meddelelse om, at feltet Afdeling er tomt.",
        "Vi har møde med teamlederne på tirsdag og vil gerne kunne sige noget om tidsplanen.",
    ],
    quoted: ["Fra", "Sendt", "Til", "Emne"],
    greeting: "Med venlig hilsen",
    department: "Digitalisering",
    disclaimer: "Denne mail er kun til den, den er sendt til. Har du fået den ved en fejl, så slet den og giv os besked.",
};

const NORWEGIAN: &Language = &Language {
    code: "nb",
    sentences: &[
        "Etter oppdateringen i går mangler knappen Lagre nederst i skjemaet.",
        "Kan dere endre teksten på siden med åpningstider?",
        "Oversikten over pågående saker viser ikke noe nytt.",
        "Vi får en tom liste når vi eksporterer.",
        "Det haster ikke, det kan vente til neste uke.",
        "På forhånd takk for hjelpen.",
        "Det gjelder skjemaet Innmelding, fanen Vedlegg, både i test og i drift.",
        "Når en medarbeider trykker på Fullfør, kommer det melding om at feltet Avdeling er tomt.",
        "Vi har møte med teamlederne på tirsdag og vil gjerne kunne si noe om fremdriften.",
    ],
    quoted: ["Fra", "Sendt", "Til", "Emne"],
    greeting: "Vennlig hilsen",
    department: "Digitalisering",
    disclaimer: "Denne e-posten er bare ment for mottakeren. Har du fått den ved en feil, slett den og si fra til oss.",
};

const SWEDISH: &Language = &Language {
    code: "sv",
    sentences: &[
        "Efter gårdagens uppdatering saknas knappen Spara längst ner i formuläret.",
        "Kan ni ändra texten på sidan med öppettider?",
        "Översikten över pågående ärenden visar inget nytt.",
        "Vi får en tom lista när vi exporterar.",
        "Tack på förhand för hjälpen.",
        "Det gäller formuläret Felanmälan, fliken Bilagor, både i test och i drift.",
        "När en handläggare trycker på Avsluta visas att fältet Avdelning är tomt.",
        "Vi har möte med enhetscheferna på tisdag och vill gärna kunna säga något om tidplanen.",
    ],
    quoted: ["Från", "Skickat", "Till", "Ämne"],
    greeting: "Med vänliga hälsningar",
    department: "Digitalisering",
    disclaimer: "När du skickar e-post till kommunen behandlas dina uppgifter enligt dataskyddsförordningen.",
};

const GERMAN: &Language = &Language {
    code: "de",
    sentences: &[
        "Seit dem gestrigen Update fehlt die Schaltfläche Speichern unten im Formular.",
        "Könnten Sie den Text auf der Seite mit den Öffnungszeiten ändern?",
        "Die Übersicht der laufenden Vorgänge zeigt nichts Neues.",
        "Beim Export erhalten wir eine leere Liste.",
        "Vielen Dank im Voraus für Ihre Mühe.",
        "Es geht um das Formular Mängelmelder, Reiter Anlagen, im Test wie im Betrieb.",
        "Wenn eine Mitarbeiterin auf Abschließen klickt, erscheint der Hinweis, dass das Feld Amt leer ist.",
        "Am Dienstag sprechen wir mit den Amtsleitungen und würden gern etwas zum Zeitplan sagen.",
    ],
    quoted: ["Von", "Gesendet", "An", "Betreff"],
    greeting: "Mit freundlichen Grüßen",
    department: "Informationstechnik",
    disclaimer: "Diese Nachricht ist nur für den Empfänger bestimmt. Sollten Sie sie irrtümlich erhalten haben, löschen Sie sie bitte.",
};

const ENGLISH: &Language = &Language {
    code: "en",
    sentences: &[
        "Since yesterday's update the Save button is missing from the bottom of the form.",
        "Could you change the text on the page with the opening hours?",
        "The overview of running cases shows nothing new.",
        "When we export, we get an empty list.",
        "This is not urgent, next week will do.",
        "Many thanks for your help.",
        "It is about the Report a problem form, Attachments tab, in test and in production alike.",
        "When a member of staff clicks Finish, a message says that the Department field is still empty.",
        "We meet the team leaders on Tuesday and would like to tell them something about the schedule.",
    ],
    quoted: ["From", "Sent", "To", "Subject"],
    greeting: "Kind regards",
    department: "Digital Services",
    disclaimer: "This message is meant for the person it was sent to. If you have received it by mistake, please delete it and let us know.",
};

struct Person {
    name: &'static str,
    address: &'static str,
    organisation: &'static str,
    language: &'static Language,
}

const fn person(name: &'static str, address: &'static str, organisation: &'static str, language: &'static Language) -> Person {
    Person { name, address, organisation, language }
}

/// People of fixtures/world: contacts of both kinds, one who left, and colleagues who are on no list.
const PEOPLE: &[Person] = &[
    person("A. de Vries", "a.devries@waterwolde.example", "Gemeente Waterwolde", DUTCH),
    person("Ineke Bakker", "i.bakker@waterwolde.example", "Gemeente Waterwolde", DUTCH),
    person("Joost van Dam", "j.vandam@waterwolde.example", "Gemeente Waterwolde", DUTCH),
    person("P. Mulder", "p.mulder@waterwolde.example", "Gemeente Waterwolde", DUTCH),
    person("Sanne Visser", "s.visser@waterwolde.example", "Gemeente Waterwolde", DUTCH),
    person("Mette Sørensen", "mette.soerensen@nordhavn.example", "Nordhavn Kommune", DANISH),
    person("Lars Holm", "lars.holm@nordhavn.example", "Nordhavn Kommune", DANISH),
    person("Kari Nordmann Bø", "kari.bo@fjellvik.example", "Fjellvik kommune", NORWEGIAN),
    person("Siri Lie", "siri.lie@fjellvik.example", "Fjellvik kommune", NORWEGIAN),
    person("Elin Berg", "elin.berg@strandkoping.example", "Strandköpings kommun", SWEDISH),
    person("Jürgen Weiß", "juergen.weiss@heidetal.example", "Stadt Heidetal", GERMAN),
    person("Petra Vogel", "p.vogel@heidetal.example", "Stadt Heidetal", GERMAN),
    person("Emma Clarke", "emma.clarke@brookham.example", "Brookham Borough Council", ENGLISH),
    person("Tom Reed", "tom.reed@brookham.example", "Brookham Borough Council", ENGLISH),
];

const STRANGERS: &[Person] = &[
    person("Bram Kuiper", "bram@kuiper-advies.example", "Kuiper Advies", DUTCH),
    person("Nora Lind", "nora.lind@lindstudio.example", "Lind Studio", SWEDISH),
    person("Sam Porter", "sam@porterprint.example", "Porter Print", ENGLISH),
];

/// Sentences on one line; some name a case or a version, as people do.
pub fn paragraph(random: &mut Random, language: &Language, low: u64, high: u64) -> String {
    let count = random.between(low, high);
    let mut text: Vec<&str> = (0..count).map(|_| random.pick(language.sentences)).collect();
    let reference = match random.below(6) {
        0 => format!("(Z-2026-{:06})", random.below(1_000_000)),
        1 => format!("(v{}.{}.{})", random.below(9), random.below(20), random.below(100)),
        _ => String::new(),
    };
    text.extend(Some(reference.as_str()).filter(|text| !text.is_empty()));
    text.join(" ")
}

fn mail(random: &mut Random, logos: &[Vec<u8>], number: u32) -> Vec<u8> {
    let kind = random.below(100);
    let stranger = (86..91).contains(&kind);
    let people = if stranger { STRANGERS } else { PEOPLE };
    let place = random.below(people.len() as u64) as usize;
    let person = &people[place];
    let logo = &logos[if stranger { PEOPLE.len() + place } else { place }];
    let mut head = head(random, number, person, if kind == 98 { "fail" } else { "pass" });
    if random.below(10) == 0 && number > 10 {
        let other = number - 1 - random.below(9) as u32;
        let domain = person.address.split('@').nth(1).unwrap_or_default();
        let _ = write!(head, "In-Reply-To: <{other}.bench@{domain}>\r\nReferences: <{other}.bench@{domain}>\r\n");
    }
    match kind {
        91..95 => head.push_str("Auto-Submitted: auto-replied\r\n"),
        95..=97 => head.push_str("List-Id: <nieuws.vereniging.example>\r\nPrecedence: bulk\r\n"),
        _ => {}
    }

    const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
    let mut with = |media_type: &str, name: &str, file: fn(&mut Random) -> Vec<u8>| {
        let file = Part::file(media_type, name, &file(random));
        Part::multipart("mixed", number, &[outlook(random, person, logo, number), file])
    };
    let body = match kind {
        0..4 => with("application/pdf", "handleiding.pdf", files::pdf),
        4..8 => with(&format!("{OFFICE}.spreadsheetml.sheet"), "planning.xlsx", files::xlsx),
        8..12 => with(&format!("{OFFICE}.wordprocessingml.document"), "verslag.docx", files::docx),
        12..15 => with("text/csv", "export.csv", files::csv),
        15..64 | 86..91 => outlook(random, person, logo, number),
        95..=97 => newsletter(random, person, number),
        99 if number.is_multiple_of(2) => with("text/csv", "export.csv", files::csv_of_citizens),
        99 => {
            let said = paragraph(random, person.language, 1, 3);
            Part::text("plain", &format!("{said}\r\n\r\nBSN {}\r\n", files::service_number(random)))
        }
        _ => plain(random, person),
    };
    (head + &body.0).into_bytes()
}

fn head(random: &mut Random, number: u32, person: &Person, dmarc: &str) -> String {
    let domain = person.address.split('@').nth(1).unwrap_or_default();
    let subject = random.pick(person.language.sentences).split(' ').take(4).collect::<Vec<_>>().join(" ");
    let mut head = format!("Authentication-Results: mx.zaakwijs.example; dmarc={dmarc} header.from={domain}\r\n");
    for (by, from) in [("mx.zaakwijs.example", "relay"), ("relay", "mail"), ("mail", "outlook")] {
        let _ = write!(
            head,
            "Received: from {from}.{domain} ({from}.{domain} [192.0.2.23]) by {by} with ESMTPS id {number:08X}\r\n\
             \tfor <support@zaakwijs.example>; Wed, 18 Nov 2026 09:{:02}:{:02} +0100\r\n",
            random.below(60),
            random.below(60),
        );
    }
    let _ = write!(
        head,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=selector1;\r\n\
         \th=From:Date:Subject:Message-ID:Content-Type:MIME-Version; bh={};\r\n\tb={}\r\n\
         From: {} <{}>\r\nTo: Zaakwijs Support <support@zaakwijs.example>\r\n\
         Subject: {}\r\nDate: Wed, 18 Nov 2026 09:00:00 +0100\r\nMessage-ID: <{number}.bench@{domain}>\r\n\
         X-MS-Has-Attach: \r\nX-MS-Exchange-MessageSentRepresentingType: 1\r\nContent-Language: {}\r\nMIME-Version: 1.0\r\n",
        base64(&random.next().to_be_bytes().repeat(4), usize::MAX),
        base64(&random.next().to_be_bytes().repeat(32), 72).trim_end().replace("\r\n", "\r\n\t "),
        encoded_word(person.name),
        person.address,
        encoded_word(&format!("{subject} {number}")),
        person.language.code,
    );
    head
}

/// From a telephone, a form or a monitor; every third quotes a long mail.
fn plain(random: &mut Random, person: &Person) -> Part {
    let mut text = format!("{}\r\n\r\n{}\r\n", paragraph(random, person.language, 2, 5), person.name);
    if random.below(3) == 0 {
        text.push_str("\r\nOp ma 16 nov 2026 om 10:12 schreef Zaakwijs Support:\r\n");
        for _ in 0..random.between(20, 60) {
            let _ = write!(text, "> {}\r\n", random.pick(person.language.sentences));
        }
    }
    Part::text("plain", &text)
}

/// A mail as Outlook writes it: the text twice, and the logo that the second one shows.
fn outlook(random: &mut Random, person: &Person, logo: &[u8], number: u32) -> Part {
    let language = person.language;
    let shows_logo = random.below(3) < 2;
    let (mut text, mut html) = (String::new(), word::head(language));
    let mut say = |paragraph: &str| {
        let _ = write!(text, "{paragraph}\r\n\r\n");
        html.push_str(&word::paragraph(paragraph));
    };
    letter(random, person, &mut say);
    let logo_text = format!("[cid:image001.png@01DC{number:08X}]");
    if shows_logo {
        text.push_str(&logo_text);
    }
    html.push_str(&word::signature(person, shows_logo.then_some(number)));
    let earlier = if random.below(2) == 0 { random.between(1, 6) } else { 0 };
    for mail in 0..earlier {
        let (from, to) = if mail.is_multiple_of(2) { ("Zaakwijs Support", person.name) } else { (person.name, "Zaakwijs Support") };
        let subject = random.pick(language.sentences);
        let lines = [from, "dinsdag 17 november 2026 14:03", to, subject];
        let above: Vec<String> = language.quoted.iter().zip(lines).map(|(key, value)| format!("{key}: {value}")).collect();
        let _ = write!(text, "\r\n________________________________\r\n{}\r\n\r\n", above.join("\r\n"));
        html.push_str(&word::above(&above));
        letter(random, person, &mut |paragraph: &str| {
            let _ = write!(text, "{paragraph}\r\n\r\n");
            html.push_str(&word::paragraph(paragraph));
        });
        html.push_str(&word::signature(person, None));
    }
    html.push_str("</div></body></html>\r\n");
    let both = Part::multipart("alternative", number, &[Part::text("plain", &text), Part::text("html", &html)]);
    if !shows_logo {
        return both;
    }
    let logo = Part::new(
        &format!("image/png; name=\"image001.png\"\r\nContent-ID: <image001.png@01DC{number:08X}>\r\nContent-Disposition: inline"),
        &Encoded::Base64(logo),
    );
    Part::multipart("related", number, &[both, logo])
}

/// Two to six paragraphs, a greeting, who it is and the disclaimer.
fn letter(random: &mut Random, person: &Person, say: &mut dyn FnMut(&str)) {
    let Person { name, organisation, language, .. } = person;
    for _ in 0..random.between(2, 6) {
        say(&paragraph(random, language, 1, 4));
    }
    for line in [language.greeting, name, &format!("{}, {organisation}", language.department), language.disclaimer] {
        say(line);
    }
}

/// Word's HTML, as it stands in every mail of Outlook.
mod word {
    use super::{Language, Person};
    use std::fmt::Write as _;

    const FONT: &str = "font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif;mso-fareast-language:EN-US";

    pub fn head(language: &Language) -> String {
        let styles: String = ["p.MsoNormal, li.MsoNormal, div.MsoNormal", "p.MsoListParagraph, li.MsoListParagraph", "p.msonormal0"]
            .iter()
            .map(|names| {
                format!(
                    "{names}\r\n\t{{margin:0cm;\r\n\tmargin-bottom:.0001pt;\r\n\tfont-size:11.0pt;\r\n\t\
                     font-family:\"Calibri\",sans-serif;\r\n\tmso-fareast-language:EN-US;}}\r\n"
                )
            })
            .collect();
        format!(
            "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
             xmlns:w=\"urn:schemas-microsoft-com:office:word\" xmlns:m=\"http://schemas.microsoft.com/office/2004/12/omml\" \
             xmlns=\"http://www.w3.org/TR/REC-html40\">\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n\
             <meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\">\r\n<style><!--\r\n/* Font Definitions */\r\n\
             @font-face\r\n\t{{font-family:\"Cambria Math\";\r\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}}\r\n\
             @font-face\r\n\t{{font-family:Calibri;\r\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}}\r\n/* Style Definitions */\r\n{styles}\
             a:link, span.MsoHyperlink\r\n\t{{mso-style-priority:99;\r\n\tcolor:#0563C1;\r\n\ttext-decoration:underline;}}\r\n\
             span.EmailStyle21\r\n\t{{mso-style-type:personal-reply;\r\n\tfont-family:\"Calibri\",sans-serif;\r\n\tcolor:windowtext;}}\r\n\
             .MsoChpDefault\r\n\t{{mso-style-type:export-only;\r\n\tfont-size:10.0pt;}}\r\n\
             @page WordSection1\r\n\t{{size:612.0pt 792.0pt;\r\n\tmargin:70.85pt 70.85pt 70.85pt 70.85pt;}}\r\n\
             div.WordSection1\r\n\t{{page:WordSection1;}}\r\n--></style>\r\n<!--[if gte mso 9]><xml>\r\n\
             <o:shapedefaults v:ext=\"edit\" spidmax=\"1026\" />\r\n</xml><![endif]--><!--[if gte mso 9]><xml>\r\n\
             <o:shapelayout v:ext=\"edit\">\r\n<o:idmap v:ext=\"edit\" data=\"1\" />\r\n</o:shapelayout></xml><![endif]-->\r\n\
             </head>\r\n<body lang=\"{}\" link=\"#0563C1\" vlink=\"#954F72\" style=\"word-wrap:break-word\">\r\n<div class=\"WordSection1\">\r\n",
            language.code
        )
    }

    pub fn paragraph(text: &str) -> String {
        format!(
            "<p class=\"MsoNormal\"><span style=\"{FONT}\">{text}<o:p></o:p></span></p>\r\n\
             <p class=\"MsoNormal\"><span style=\"{FONT}\"><o:p>&nbsp;</o:p></span></p>\r\n"
        )
    }

    /// A table with the logo on the left and the address of the town hall on the right.
    pub fn signature(person: &Person, logo: Option<u32>) -> String {
        let mut html = String::from(
            "<table class=\"MsoNormalTable\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\" style=\"border-collapse:collapse\">\r\n",
        );
        let picture = logo.map_or(String::new(), |number| {
            format!(
                "<img width=\"140\" height=\"60\" style=\"width:1.4583in;height:.625in\" id=\"Afbeelding_x0020_1\" \
                 src=\"cid:image001.png@01DC{number:08X}\" alt=\"Logo\">"
            )
        });
        let site = person.address.split('@').nth(1).unwrap_or_default();
        for line in [picture, person.organisation.to_owned(), format!("<a href=\"https://www.{site}/\">www.{site}</a>")] {
            let _ = write!(
                html,
                "<tr style=\"mso-yfti-irow:0;mso-yfti-firstrow:yes;height:12.75pt\"><td width=\"302\" valign=\"top\" \
                 style=\"width:226.4pt;padding:0cm 5.4pt 0cm 5.4pt;height:12.75pt\"><p class=\"MsoNormal\"><span style=\"{FONT};color:#1F497D\">{line}\
                 <o:p></o:p></span></p></td></tr>\r\n"
            );
        }
        html + "</table>\r\n"
    }

    /// What stands above an earlier mail.
    pub fn above(lines: &[String]) -> String {
        format!(
            "<div><div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\">\r\n<p class=\"MsoNormal\">\
             <span lang=\"EN-US\" style=\"{FONT}\">{}<o:p></o:p></span></p>\r\n</div></div>\r\n",
            lines.join("<br>\r\n")
        )
    }
}

/// HTML only, laid out in tables.
fn newsletter(random: &mut Random, person: &Person, number: u32) -> Part {
    let mut html = String::from(
        "<!DOCTYPE html><html><head><title>Nieuwsbrief</title></head><body style=\"margin:0;padding:0;background:#f4f4f4\">\r\n",
    );
    for article in 0..random.between(8, 20) {
        let _ = write!(
            html,
            "<table role=\"presentation\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" style=\"margin:0 auto;background:#ffffff;border-radius:4px\">\
             <tr><td style=\"padding:24px;font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:24px;color:#333333\">\
             <h2 style=\"margin:0 0 12px 0;font-size:20px;line-height:28px;color:#003366\">{}</h2>{}<br>\
             <a href=\"https://nieuws.vereniging.example/{number}/{article}?utm_source=mail&amp;utm_medium=newsletter\" \
             style=\"display:inline-block;padding:10px 18px;background:#003366;color:#ffffff;text-decoration:none\">Lees verder</a></td></tr></table>\r\n",
            random.pick(person.language.sentences),
            paragraph(random, person.language, 3, 8),
        );
    }
    Part::text("html", &(html + "</body></html>\r\n"))
}

/// A part of a mail: its fields, an empty line, and its content.
struct Part(String);

enum Encoded<'a> {
    QuotedPrintable(&'a str),
    Base64(&'a [u8]),
}

impl Part {
    fn new(content_type: &str, content: &Encoded<'_>) -> Self {
        let (encoding, content) = match content {
            Encoded::QuotedPrintable(text) => ("quoted-printable", quoted_printable(text)),
            Encoded::Base64(bytes) => ("base64", base64(bytes, 76)),
        };
        Self(format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}"))
    }

    fn text(subtype: &str, text: &str) -> Self {
        Self::new(&format!("text/{subtype}; charset=\"utf-8\""), &Encoded::QuotedPrintable(text))
    }

    fn file(media_type: &str, name: &str, bytes: &[u8]) -> Self {
        Self::new(
            &format!("{media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\""),
            &Encoded::Base64(bytes),
        )
    }

    fn multipart(subtype: &str, number: u32, parts: &[Self]) -> Self {
        let boundary = format!("_000_{subtype}_{number:08X}_");
        let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{}\r\n", part.0)).collect();
        Self(format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n"))
    }
}

/// RFC 2047, where needed.
fn encoded_word(text: &str) -> String {
    if text.is_ascii() && !text.contains('.') {
        return text.to_owned();
    }
    if text.is_ascii() {
        return format!("\"{text}\"");
    }
    format!("=?utf-8?B?{}?=", base64(text.as_bytes(), usize::MAX))
}

/// RFC 2045 §6.7; lines keep their ends.
fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    for line in text.split_inclusive("\r\n") {
        let mut column = 0;
        let (line, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        for byte in line.bytes() {
            let piece = if (32..127).contains(&byte) && byte != b'=' { char::from(byte).to_string() } else { format!("={byte:02X}") };
            if column + piece.len() > 75 {
                encoded.push_str("=\r\n");
                column = 0;
            }
            column += piece.len();
            encoded.push_str(&piece);
        }
        encoded.push_str(end);
    }
    encoded
}

fn base64(bytes: &[u8], width: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    let mut column = 0;
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            encoded.push(if place > group.len() { '=' } else { char::from(letter) });
        }
        column += 4;
        if column >= width {
            encoded.push_str("\r\n");
            column = 0;
        }
    }
    encoded
}
