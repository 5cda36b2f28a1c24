//! Mixed mail as a helpdesk for municipalities gets it, made from a seed: the same seed gives the same bytes.
//!
//! Of a hundred mails, about: 50 plain text (every third with a long quoted history), 21 with an HTML alternative, 15 with
//! one attachment (6 a logo as PNG, 4 PDF, 3 CSV, 2 XLSX), 5 from strangers, 4 automatic replies, 3 from mailing lists, 1 whose domain
//! did not authenticate, 1 with Dutch citizen service numbers in its text or in a CSV. Every tenth answers another mail.
//! Everything is invented.

use std::fmt::Write as _;
use std::io::Write as _;

/// A source of mails.
pub struct Mails {
    random: Random,
    number: u32,
}

impl Mails {
    /// A source that begins at this seed.
    pub fn seeded(seed: u64) -> Self {
        Self { random: Random(seed), number: 0 }
    }
}

/// Mails of a contact with a screenshot each, of which there are none among the mixed mails: reading a picture letter by
/// letter costs more than all else together.
pub fn with_screenshots(seed: u64, count: u32) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut one = |number| {
        let head = head(&mut random, number, PEOPLE[1], "pass");
        let body = with_attachment(&mut random, "nl", number, "image/png", "scherm.png", &screenshot);
        [head.into_bytes(), body].concat()
    };
    (1..=count).map(&mut one).collect()
}

impl Iterator for Mails {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        Some(mail(&mut self.random, self.number))
    }
}

/// splitmix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// People of fixtures/world: contacts of both kinds, one who left, and colleagues who are on no list.
const PEOPLE: &[(&str, &str, &str)] = &[
    ("A. de Vries", "a.devries@waterwolde.example", "nl"),
    ("Ineke Bakker", "i.bakker@waterwolde.example", "nl"),
    ("Joost van Dam", "j.vandam@waterwolde.example", "nl"),
    ("P. Mulder", "p.mulder@waterwolde.example", "nl"),
    ("Sanne Visser", "s.visser@waterwolde.example", "nl"),
    ("Mette Sørensen", "mette.soerensen@nordhavn.example", "da"),
    ("Lars Holm", "lars.holm@nordhavn.example", "da"),
    ("Kari Nordmann Bø", "kari.bo@fjellvik.example", "nb"),
    ("Siri Lie", "siri.lie@fjellvik.example", "nb"),
    ("Elin Berg", "elin.berg@strandkoping.example", "sv"),
    ("Jürgen Weiß", "juergen.weiss@heidetal.example", "de"),
    ("Petra Vogel", "p.vogel@heidetal.example", "de"),
    ("Emma Clarke", "emma.clarke@brookham.example", "en"),
    ("Tom Reed", "tom.reed@brookham.example", "en"),
];

const STRANGERS: &[(&str, &str, &str)] = &[
    ("Bram Kuiper", "bram@kuiper-advies.example", "nl"),
    ("Nora Lind", "nora.lind@lindstudio.example", "sv"),
    ("Sam Porter", "sam@porterprint.example", "en"),
];

fn sentences(language: &str) -> &'static [&'static str] {
    match language {
        "nl" => &[
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
        ],
        "da" => &[
            "Efter opdateringen i går mangler knappen Gem nederst i formularen.",
            "Kan I rette teksten på siden med åbningstider?",
            "Oversigten over igangværende sager viser ikke noget nyt.",
            "Vi får en tom liste, når vi eksporterer.",
            "Det haster ikke, det kan vente til næste uge.",
            "På forhånd tak for hjælpen.",
        ],
        "nb" => &[
            "Etter oppdateringen i går mangler knappen Lagre nederst i skjemaet.",
            "Kan dere endre teksten på siden med åpningstider?",
            "Oversikten over pågående saker viser ikke noe nytt.",
            "Vi får en tom liste når vi eksporterer.",
            "Det haster ikke, det kan vente til neste uke.",
            "På forhånd takk for hjelpen.",
        ],
        "sv" => &[
            "Efter gårdagens uppdatering saknas knappen Spara längst ner i formuläret.",
            "Kan ni ändra texten på sidan med öppettider?",
            "Översikten över pågående ärenden visar inget nytt.",
            "Vi får en tom lista när vi exporterar.",
            "Tack på förhand för hjälpen.",
        ],
        "de" => &[
            "Seit dem gestrigen Update fehlt die Schaltfläche Speichern unten im Formular.",
            "Könnten Sie den Text auf der Seite mit den Öffnungszeiten ändern?",
            "Die Übersicht der laufenden Vorgänge zeigt nichts Neues.",
            "Beim Export erhalten wir eine leere Liste.",
            "Vielen Dank im Voraus für Ihre Mühe.",
        ],
        _ => &[
            "Since yesterday's update the Save button is missing from the bottom of the form.",
            "Could you change the text on the page with the opening hours?",
            "The overview of running cases shows nothing new.",
            "When we export, we get an empty list.",
            "This is not urgent, next week will do.",
            "Many thanks for your help.",
        ],
    }
}

fn paragraph(random: &mut Random, language: &str, low: u64, high: u64) -> String {
    let count = random.between(low, high);
    let picked: Vec<&str> = (0..count).map(|_| random.pick(sentences(language))).collect();
    picked.join(" ")
}

fn mail(random: &mut Random, number: u32) -> Vec<u8> {
    let kind = random.below(100);
    let stranger = (86..91).contains(&kind);
    let people = if stranger { STRANGERS } else { PEOPLE };
    let (name, address, language) = people[random.below(people.len() as u64) as usize];
    let dmarc = if kind == 98 { "fail" } else { "pass" };
    let domain = address.split('@').nth(1).unwrap_or_default();
    let mut head = head(random, number, (name, address, language), dmarc);
    if random.below(10) == 0 && number > 10 {
        let other = number - 1 - random.below(9) as u32;
        let _ = write!(head, "In-Reply-To: <{other}.bench@{domain}>\r\nReferences: <{other}.bench@{domain}>\r\n");
    }
    match kind {
        91..95 => head.push_str("Auto-Submitted: auto-replied\r\n"),
        95..98 => head.push_str("List-Id: <nieuws.vereniging.example>\r\nPrecedence: bulk\r\n"),
        _ => {}
    }

    let body = match kind {
        50..71 => alternative(random, language, number),
        71..77 => with_attachment(random, language, number, "image/png", "logo.png", &logo),
        77..81 => with_attachment(random, language, number, "application/pdf", "handleiding.pdf", &pdf),
        81..84 => with_attachment(random, language, number, "text/csv", "export.csv", &csv),
        84..86 => {
            let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            with_attachment(random, language, number, sheet, "planning.xlsx", &xlsx)
        }
        99 if random.below(2) == 0 => with_attachment(random, language, number, "text/csv", "export.csv", &csv_of_citizens),
        99 => plain(&format!("{}\r\n\r\nBSN {}\r\n", paragraph(random, language, 1, 3), service_number(random))),
        _ => {
            let mut text = format!("{}\r\n\r\n{name}\r\n", paragraph(random, language, 2, 5));
            if random.below(3) == 0 {
                text.push_str("\r\nOp ma 16 nov 2026 om 10:12 schreef Zaakwijs Support:\r\n");
                for _ in 0..random.between(20, 60) {
                    let _ = write!(text, "> {}\r\n", random.pick(sentences(language)));
                }
            }
            plain(&text)
        }
    };
    [head.into_bytes(), body].concat()
}

fn head(random: &mut Random, number: u32, (name, address, language): (&str, &str, &str), dmarc: &str) -> String {
    let domain = address.split('@').nth(1).unwrap_or_default();
    let subject = random.pick(sentences(language)).split(' ').take(4).collect::<Vec<_>>().join(" ");
    format!(
        "Authentication-Results: mx.zaakwijs.example; dmarc={dmarc} header.from={domain}\r\n\
         Received: from mail.{domain} (mail.{domain} [192.0.2.23]) by mx.zaakwijs.example with ESMTPS id {number:08X}\r\n\
         \tfor <support@zaakwijs.example>; Wed, 18 Nov 2026 09:{:02}:{:02} +0100\r\n\
         From: {} <{address}>\r\nTo: Zaakwijs Support <support@zaakwijs.example>\r\n\
         Subject: {}\r\nDate: Wed, 18 Nov 2026 09:00:00 +0100\r\nMessage-ID: <{number}.bench@{domain}>\r\nMIME-Version: 1.0\r\n",
        random.below(60),
        random.below(60),
        encoded_word(name),
        encoded_word(&format!("{subject} {number}")),
    )
}

fn plain(text: &str) -> Vec<u8> {
    format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}").into_bytes()
}

fn alternative(random: &mut Random, language: &str, number: u32) -> Vec<u8> {
    let paragraphs: Vec<String> = (0..random.between(2, 6)).map(|_| paragraph(random, language, 1, 4)).collect();
    let html: String = paragraphs
        .iter()
        .map(|text| {
            format!(
                "<p class=3D\"MsoNormal\" style=3D\"margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif\">{}<o:p></o:p></p>=\r\n",
                quoted_printable(text)
            )
        })
        .collect();
    let boundary = format!("=_alt_{number}");
    format!(
        "Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n--{boundary}\r\n\
         Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <html><head><style>p.MsoNormal {{margin:0cm}}</style></head><body lang=3D\"{language}\">=\r\n{html}</body></html>\r\n--{boundary}--\r\n",
        paragraphs.iter().map(|text| quoted_printable(text)).collect::<Vec<_>>().join("\r\n\r\n"),
    )
    .into_bytes()
}

type File = dyn Fn(&mut Random) -> Vec<u8>;

fn with_attachment(random: &mut Random, language: &str, number: u32, media_type: &str, name: &str, file: &File) -> Vec<u8> {
    let boundary = format!("=_mixed_{number}");
    let text = paragraph(random, language, 1, 4);
    format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n--{boundary}\r\n\
         Content-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--{boundary}--\r\n",
        base64(&file(random), 76),
    )
    .into_bytes()
}

/// A page of rows without anything personal.
fn csv(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("zaaktype;aantal;gemiddelde doorlooptijd;afdeling\r\n");
    for _ in 0..random.between(20, 200) {
        let what = random.pick(&["Verhuizing", "Evenement", "Kapvergunning", "Parkeren"]);
        let _ = write!(text, "{what};{};{} dagen;afdeling {}\r\n", random.below(400), random.below(60), random.below(12));
    }
    text.into_bytes()
}

fn csv_of_citizens(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("bsn;achternaam;geboortedatum\r\n");
    for _ in 0..random.between(3, 40) {
        let (day, year) = (random.between(10, 28), random.between(1950, 2005));
        let _ = write!(text, "{};{};{day}-03-{year}\r\n", service_number(random), random.pick(&["Jansen", "Peeters", "Smit", "Koster"]));
    }
    text.into_bytes()
}

/// An invented number that passes the Dutch eleven test.
fn service_number(random: &mut Random) -> String {
    loop {
        let digits: Vec<u64> = (0..8).map(|place| if place == 0 { random.between(1, 9) } else { random.below(10) }).collect();
        let sum: u64 = digits.iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        if sum % 11 < 10 {
            return digits.iter().chain([&(sum % 11)]).map(u64::to_string).collect();
        }
    }
}

/// Small enough to count as decoration, as in signatures.
fn logo(random: &mut Random) -> Vec<u8> {
    png(random, 140, 60)
}

/// Large enough to be read letter by letter.
fn screenshot(random: &mut Random) -> Vec<u8> {
    png(random, 480, 300)
}

/// A grey-scale chequered picture, its data stored without compression; no two are the same.
fn png(random: &mut Random, width: usize, height: usize) -> Vec<u8> {
    let mut raw = Vec::with_capacity((width + 1) * height);
    let shade = random.below(200) as u8;
    for row in 0..height {
        raw.push(0);
        if row == 0 {
            raw.extend((0..width).map(|_| random.below(256) as u8));
        } else {
            raw.extend((0..width).map(|column| if (row / 20 + column / 30) % 2 == 0 { 250 } else { shade }));
        }
    }
    let mut zlib = vec![0x78, 0x01];
    let mut blocks = raw.chunks(65_535).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        zlib.push(u8::from(blocks.peek().is_none()));
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &raw {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    zlib.extend((b << 16 | a).to_be_bytes());

    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &header), (b"IDAT", &zlib), (b"IEND", &Vec::new())] {
        file.extend((data.len() as u32).to_be_bytes());
        let start = file.len();
        file.extend(kind);
        file.extend(data);
        let crc = crc32(&file[start..]);
        file.extend(crc.to_be_bytes());
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Two to six pages of text.
fn pdf(random: &mut Random) -> Vec<u8> {
    let pages = random.between(2, 6);
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", (0..pages).map(|n| format!("{} 0 R ", 4 + 2 * n)).collect::<String>()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        let mut text = String::from("BT /F1 11 Tf 60 780 Td 14 TL\n");
        for _ in 0..40 {
            let _ = writeln!(text, "({}) Tj T*", random.pick(sentences("nl")));
        }
        text.push_str("ET\n");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{text}endstream", text.len()));
    }
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let start = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A sheet of 30 to 300 rows.
fn xlsx(random: &mut Random) -> Vec<u8> {
    let mut rows = String::new();
    for row in 1..=random.between(30, 300) {
        let _ = write!(
            rows,
            "<row r=\"{row}\"><c r=\"A{row}\" t=\"inlineStr\"><is><t>{}</t></is></c><c r=\"B{row}\"><v>{}</v></c></row>",
            random.pick(&["Inrichting", "Testronde", "Opleiding", "Livegang"]),
            random.below(500)
        );
    }
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" \
                 ContentType=\"{SHEET}.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" \
                 ContentType=\"{SHEET}.worksheet+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Planning\" sheetId=\"1\" r:id=\"rId1\"/>\
                 </sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>")),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part of the archive");
        write!(archive, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{content}").expect("a part of the archive");
    }
    archive.finish().expect("the archive").into_inner()
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

fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    let mut column = 0;
    for byte in text.bytes() {
        let piece = if (32..127).contains(&byte) && byte != b'=' { char::from(byte).to_string() } else { format!("={byte:02X}") };
        if column + piece.len() > 75 {
            encoded.push_str("=\r\n");
            column = 0;
        }
        column += piece.len();
        encoded.push_str(&piece);
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
