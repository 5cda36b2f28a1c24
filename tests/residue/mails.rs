//! Mails that are rejected, in whole or in part, with a token of its own in every place that a mail has.

use super::forms::Token;
use crate::extract::zipped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// Where the tokens of the mail that is kept stand.
pub const KEPT_SUBJECT: &str = "subject of a kept mail";
pub const KEPT_TEXT: &str = "text of a kept mail";
pub const KEPT_FILE: &str = "file of a kept mail";

/// Makes tokens, and remembers where they were planted.
#[derive(Debug, Default)]
pub struct Planter {
    /// Of what is rejected.
    pub tokens: Vec<Token>,
    /// Of the mail that is kept: that they are found proves that the search sees the place.
    pub welcome: Vec<Token>,
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

/// A word of sixteen letters that no language has.
fn word() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    (0..16).map(|_| char::from(LETTERS[usize::try_from(random() % LETTERS.len() as u64).unwrap()])).collect()
}

/// A citizen number that passes the Dutch check (the weighted sum is divisible by eleven), invented.
fn citizen_number() -> String {
    loop {
        let digits: Vec<u64> = (0..9).map(|place| if place == 0 { 1 + random() % 9 } else { random() % 10 }).collect();
        let sum: u64 = digits[..8].iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        if sum % 11 == digits[8] {
            return digits.iter().map(u64::to_string).collect();
        }
    }
}

impl Planter {
    fn plant(&mut self, place: &str, text: String) -> String {
        self.tokens.push(Token { place: place.to_owned(), text: text.clone() });
        text
    }

    fn word(&mut self, place: &str) -> String {
        self.plant(place, word())
    }

    fn number(&mut self, place: &str) -> String {
        self.plant(&format!("{place}, the number"), citizen_number())
    }

    fn kept(&mut self, place: &str) -> String {
        let text = word();
        self.welcome.push(Token { place: place.to_owned(), text: text.clone() });
        text
    }

    /// A mail that is kept, with a file.
    pub fn welcome(&mut self) -> Vec<u8> {
        let subject = format!("Zaaktype {}", self.kept(KEPT_SUBJECT));
        let text = format!("Waar stellen wij de termijn van {} in?", self.kept(KEPT_TEXT));
        let content = format!("kolom;waarde\r\ntermijn;{}\r\n", self.kept(KEPT_FILE));
        let file = Part::file("text/csv", "termijnen.csv", content.into_bytes());
        Letter { subject, parts: vec![Part::text(&text), file], ..Letter::of_the_contact() }.raw()
    }

    /// One mail of each kind that is rejected; all are for the desk support.
    pub fn rejected(&mut self) -> Vec<Vec<u8>> {
        let mut mails = self.rejected_in_short();
        mails.extend([
            self.number_in_the_subject(),
            self.number_in_the_display_name(),
            self.number_in_quoted_text(),
            self.not_authentic(),
            self.bulk(),
            self.bounce(),
            self.stranger(),
            self.scanned(),
            self.unreadable_files(),
            self.number_in_a_file_name(),
        ]);
        mails
    }

    /// The two that hold most: a whole mail that is rejected, and one whose files are. Nothing in them takes long to read: they come at each of
    /// thousands of kills.
    pub fn rejected_in_short(&mut self) -> Vec<Vec<u8>> {
        vec![self.number_in_the_text(), self.files()]
    }

    fn number_in_the_text(&mut self) -> Vec<u8> {
        let at = |place: &str| format!("rejected text: {place}");
        let number = self.number(&at("body"));
        let body = format!(
            "Het gaat om {}, BSN {number}. Kunt u dat aanpassen?\r\n\r\n> {} schreef",
            self.word(&at("body")),
            self.word(&at("quote"))
        );
        let html = format!(
            "<html><head><title>{}</title></head><body><!-- {} --><p style=\"display:none\">{}</p><img alt=\"{}\" src=\"cid:logo\">\
             <a href=\"https://elders.example/{}\">BSN {number}</a></body></html>",
            self.word(&at("HTML title")),
            self.word(&at("HTML comment")),
            self.word(&at("hidden HTML")),
            self.word(&at("HTML attribute")),
            self.word(&at("link"))
        );
        let mut header = String::new();
        for field in ["X-Dossier", "Comments", "Keywords", "Organization", "Thread-Topic", "X-Mailer", "Sensitivity"] {
            write!(header, "{field}: {}\r\n", self.word(&at(field))).unwrap();
        }
        write!(header, "Cc: \"{}\" <kees@elders.example>\r\n", self.word(&at("display name in Cc"))).unwrap();
        write!(header, "Reply-To: \"{}\" <kees@elders.example>\r\n", self.word(&at("display name in Reply-To"))).unwrap();
        let mut picture = Part::file(
            "image/png",
            &format!("{}.png", self.word(&at("name of a picture"))),
            png(&self.word(&at("text chunk of a picture"))),
        );
        picture.header += &format!("Content-ID: <{}@elders.example>\r\n", self.word(&at("Content-ID")));
        let csv = format!("kolom\r\n{}\r\n", self.word(&at("file")));
        let mut file = Part::file("text/csv", &format!("{}.csv", self.word(&at("file name"))), csv.into_bytes());
        file.header += &format!("Content-Description: {}\r\n", self.word(&at("Content-Description")));
        Letter {
            name: self.word(&at("display name")),
            to: self.word(&at("display name in To")),
            subject: format!("Vraag over {}", self.word(&at("subject"))),
            header,
            parts: vec![Part::text(&body), Part::html(&html), picture, file],
            ..Letter::of_the_contact()
        }
        .raw()
    }

    fn number_in_the_subject(&mut self) -> Vec<u8> {
        let at = "number in the subject";
        let subject = format!("{} BSN {}", self.word(at), self.number(at));
        let subject = format!("=?utf-8?B?{}?=", STANDARD.encode(subject));
        let text = Part::quoted_printable(&format!("Goedemorgen, dit gaat over {}.", self.word(at)));
        Letter { subject, parts: vec![text], ..Letter::of_the_contact() }.raw()
    }

    fn number_in_the_display_name(&mut self) -> Vec<u8> {
        let at = "number in the display name";
        let name = format!("{} BSN {}", self.word(at), self.number(at));
        let text = Part::text(&format!("Goedemorgen, dit gaat over {}.", self.word(at)));
        Letter { name, parts: vec![text], ..Letter::of_the_contact() }.raw()
    }

    fn number_in_quoted_text(&mut self) -> Vec<u8> {
        let at = "number in quoted text";
        let text = format!(
            "Zie hieronder.\r\n\r\nOp 3 november 2026 schreef {}:\r\n> BSN {}\r\n> {}",
            self.word(at),
            self.number(at),
            self.word(at)
        );
        Letter { parts: vec![Part::base64("text/plain; charset=utf-8", text.as_bytes())], ..Letter::of_the_contact() }.raw()
    }

    fn not_authentic(&mut self) -> Vec<u8> {
        let at = "not authentic";
        let text = format!("Het gaat om {}, BSN {}.", self.word(at), self.number(at));
        let subject = self.word(&format!("{at}: subject"));
        Letter { vouched: "fail", subject, parts: vec![Part::text(&text)], ..Letter::of_the_contact() }.raw()
    }

    fn bulk(&mut self) -> Vec<u8> {
        let at = "newsletter";
        let text = format!("Het gaat om {}, BSN {}.", self.word(at), self.number(at));
        let header = format!("List-Unsubscribe: <https://elders.example/{}>\r\nPrecedence: bulk\r\n", self.word(&format!("{at}: header")));
        Letter { from: "nieuws@elders.example", header, parts: vec![Part::text(&text)], ..Letter::of_the_contact() }.raw()
    }

    fn bounce(&mut self) -> Vec<u8> {
        let at = "bounce";
        let text = format!("550 {} BSN {}", self.word(at), self.number(at));
        let status = format!(
            "Reporting-MTA: dns; elders.example\r\n\r\nFinal-Recipient: rfc822; {}@elders.example\r\nStatus: 5.1.1\r\n",
            self.word(at)
        );
        let original = format!("From: b@elders.example\r\nSubject: {}\r\n\r\n{}\r\n", self.word(at), self.word(at));
        let parts = vec![Part::text(&text), Part::inline("message/delivery-status", &status), Part::inline("message/rfc822", &original)];
        let header = "Return-Path: <>\r\nAuto-Submitted: auto-replied\r\n".to_owned();
        Letter { from: "mailer-daemon@elders.example", header, parts, ..Letter::of_the_contact() }.raw()
    }

    fn stranger(&mut self) -> Vec<u8> {
        let at = "stranger";
        let text = format!("Het gaat om {}, BSN {}.", self.word(at), self.number(at));
        let (name, subject) = (self.word(&format!("{at}: display name")), self.word(&format!("{at}: subject")));
        Letter { from: "v.vreemd@elders.example", name, subject, parts: vec![Part::text(&text)], ..Letter::of_the_contact() }.raw()
    }

    /// Files of many formats, each with a number; the text beside them is clean and is kept.
    fn files(&mut self) -> Vec<u8> {
        let row = |planter: &mut Self, at: &str| {
            let (word, number) = (planter.word(at), planter.number(at));
            (format!("BSN;opmerking\r\n{number};{word}\r\n"), number, word)
        };
        let mut parts = vec![Part::text("De gevraagde bestanden zitten erbij.")];
        let mut add = |planter: &mut Self, kind: &str, extension: &str, bytes: Vec<u8>| {
            let name = format!("{}.{extension}", planter.word(&format!("rejected {extension}: its name")));
            let mut part = Part::file(kind, &name, bytes);
            part.header += &format!("Content-Description: {}\r\n", planter.word(&format!("rejected {extension}: Content-Description")));
            parts.push(part);
        };
        let (csv, ..) = row(self, "rejected csv");
        add(self, "text/csv", "csv", csv.into_bytes());
        let (csv, ..) = row(self, "rejected zip: a member");
        let member = format!("{}.csv", self.word("rejected zip: name of a member"));
        add(self, "application/zip", "zip", zipped(&[(&member, csv.as_bytes())]));
        let (_, number, word) = row(self, "rejected xlsx");
        add(self, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", xlsx(&number, &word));
        let (_, number, word) = row(self, "rejected docx");
        add(self, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", docx(&format!("BSN {number} {word}")));
        let (_, number, word) = row(self, "rejected pdf");
        // Enough letters that the page is not looked at as a picture, too.
        let page = format!("BSN {number} {word}.\n{}", "De overige gegevens volgen deze week nog per post.\n".repeat(5));
        add(self, "application/pdf", "pdf", pdf(&page));
        let (csv, ..) = row(self, "rejected gz");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(csv.as_bytes()).unwrap();
        add(self, "application/gzip", "csv.gz", packed.finish().unwrap());
        let (csv, ..) = row(self, "rejected UTF-16 text");
        add(self, "text/plain", "txt", [b"\xff\xfe".to_vec(), csv.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat());
        let comment = format!("{} BSN {}", self.word("comment of a rejected picture"), self.number("rejected picture"));
        let picture = jpeg(&comment);
        add(self, "image/jpeg", "jpg", picture);
        let (csv, ..) = row(self, "file in a mail in a rejected mail");
        let nested = Letter {
            subject: self.word("subject of a mail in a rejected mail"),
            name: self.word("display name of a mail in a rejected mail"),
            parts: vec![
                Part::text(&self.word("text of a mail in a rejected mail")),
                Part::file("application/zip", "a.zip", zipped(&[("a.csv", csv.as_bytes())])),
            ],
            ..Letter::of_the_contact()
        };
        parts.push(Part::inline("message/rfc822", &String::from_utf8(nested.raw()).unwrap()));
        let header = format!("X-Dossier: {}\r\n", self.word("header of a mail with rejected files"));
        Letter { header, parts, ..Letter::of_the_contact() }.raw()
    }

    fn scanned(&mut self) -> Vec<u8> {
        let at = |place: &str| format!("rejected scan: {place}");
        let picture = scan(&self.word(&at("comment")));
        let file = Part::file("image/jpeg", &format!("{}.jpg", self.word(&at("name"))), picture);
        Letter { parts: vec![Part::text("De gevraagde scan zit erbij."), file], ..Letter::of_the_contact() }.raw()
    }

    fn unreadable_files(&mut self) -> Vec<u8> {
        let at = |place: &str| format!("unreadable: {place}");
        // Locked: the encryption bit in the local and in the central header.
        let mut locked =
            zipped(&[(&format!("{}.txt", self.word(&at("name of a locked member"))), self.word(&at("locked member")).as_bytes())]);
        locked[6] |= 1;
        let central = locked.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        locked[central + 8] |= 1;
        let unknown = [b"\x00\x01\x02\xfe\xff".as_slice(), self.word(&at("unknown format")).as_bytes(), b"\x00\xff"].concat();
        let parts = vec![
            Part::text("De gevraagde bestanden zitten erbij, met wachtwoord."),
            Part::file("application/zip", &format!("{}.zip", self.word(&at("name"))), locked),
            Part::file("application/octet-stream", &format!("{}.bin", self.word(&at("name"))), unknown),
        ];
        Letter { parts, ..Letter::of_the_contact() }.raw()
    }

    fn number_in_a_file_name(&mut self) -> Vec<u8> {
        let at = "number in a file name";
        let name = format!("{} BSN {}.csv", self.word(at), self.number(at));
        let content = format!("kolom\r\n{}\r\n", self.word("file whose name holds a number"));
        let parts = vec![Part::text("Het overzicht zit erbij."), Part::file("text/csv", &name, content.into_bytes())];
        Letter { parts, ..Letter::of_the_contact() }.raw()
    }
}

/// One part of a mail: its header, each line ending in CRLF, and its body.
struct Part {
    header: String,
    body: String,
}

impl Part {
    fn text(text: &str) -> Self {
        Self::inline("text/plain; charset=utf-8", text)
    }

    fn html(html: &str) -> Self {
        Self::inline("text/html; charset=utf-8", html)
    }

    fn inline(kind: &str, text: &str) -> Self {
        Self { header: format!("Content-Type: {kind}\r\n"), body: format!("{text}\r\n") }
    }

    fn quoted_printable(text: &str) -> Self {
        let body = text.bytes().fold(String::new(), |mut body, byte| {
            write!(body, "={byte:02X}").unwrap();
            body
        });
        // RFC 2045 §6.7: lines of at most 76 characters.
        let lines: Vec<&str> = body.as_bytes().chunks(72).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let header = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n".to_owned();
        Self { header, body: lines.join("=\r\n") + "\r\n" }
    }

    fn base64(kind: &str, bytes: &[u8]) -> Self {
        let encoded = STANDARD.encode(bytes);
        let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        Self { header: format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"), body: lines.join("\r\n") + "\r\n" }
    }

    /// An attachment, its name written as RFC 2231 and RFC 2047 have it.
    fn file(kind: &str, name: &str, bytes: Vec<u8>) -> Self {
        let percent = name.bytes().fold(String::new(), |mut all, byte| {
            write!(all, "%{byte:02X}").unwrap();
            all
        });
        let mut part = Self::base64(&format!("{kind}; name=\"=?utf-8?B?{}?=\"", STANDARD.encode(name)), &bytes);
        write!(part.header, "Content-Disposition: attachment; filename*=utf-8''{percent}\r\n").unwrap();
        part
    }

    fn raw(&self) -> String {
        format!("{}\r\n{}", self.header, self.body)
    }
}

/// The same mail with a Message-ID of its own: postkamer takes it for another one.
pub fn sent_anew(mail: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b"\r\nMessage-ID: <";
    let at = mail.windows(FIELD.len()).position(|window| window == FIELD).unwrap() + FIELD.len();
    let id = word().into_bytes();
    [&mail[..at], &id, &mail[at + id.len()..]].concat()
}

struct Letter {
    from: &'static str,
    name: String,
    to: String,
    subject: String,
    /// More lines, each ending in CRLF.
    header: String,
    /// What the receiving server found out about From.
    vouched: &'static str,
    parts: Vec<Part>,
}

impl Letter {
    fn of_the_contact() -> Self {
        Self {
            from: "a.devries@waterwolde.example",
            name: "A. de Vries".to_owned(),
            to: "Loket".to_owned(),
            subject: "Een vraag".to_owned(),
            header: String::new(),
            vouched: "pass",
            parts: Vec::new(),
        }
    }

    fn raw(&self) -> Vec<u8> {
        let domain = self.from.split('@').nth(1).unwrap();
        let date = postkamer::clock::Clock::system().now().strftime("%a, %d %b %Y %H:%M:%S +0000");
        let id = word();
        let boundary = word();
        let head = format!(
            "Authentication-Results: mx.zaakwijs.example; dmarc={} header.from={domain}\r\n\
             Received: from mail.{domain} by mx.zaakwijs.example; {date}\r\n\
             From: \"{}\" <{}>\r\nTo: \"{}\" <support@zaakwijs.example>\r\nSubject: {}\r\nMessage-ID: <{id}@{domain}>\r\nDate: {date}\r\n\
             MIME-Version: 1.0\r\n{}",
            self.vouched, self.name, self.from, self.to, self.subject, self.header
        );
        let body = match &self.parts[..] {
            [only] => only.raw(),
            parts => {
                let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{}", part.raw())).collect();
                format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{parts}--{boundary}--\r\n")
            }
        };
        (head + &body).into_bytes()
    }
}

fn xlsx(number: &str, word: &str) -> Vec<u8> {
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>BSN</t></is></c><c r="B1" t="inlineStr"><is><t>Opmerking</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>{number}</t></is></c><c r="B2" t="inlineStr"><is><t>{word}</t></is></c></row></sheetData></worksheet>"#
    );
    zipped(&[
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#),
        ("_rels/.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Blad1" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn docx(text: &str) -> Vec<u8> {
    let document =
        format!(r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"#);
    zipped(&[("[Content_Types].xml", b"<?xml version=\"1.0\"?><Types/>"), ("word/document.xml", document.as_bytes())])
}

/// One page, its text deflated. What leaves the page at its side is not shown, and not read: lines are short.
fn pdf(text: &str) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"BT /F1 12 Tf 14 TL 72 720 Td").unwrap();
    text.lines().for_each(|line| write!(packed, " ({line}) Tj T*").unwrap());
    packed.write_all(b" ET").unwrap();
    let packed = packed.finish().unwrap();
    let stream = [format!("<</Filter/FlateDecode/Length {}>>\nstream\n", packed.len()).as_bytes(), &packed, b"\nendstream"].concat();
    let objects: [&[u8]; 5] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        &stream,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ];
    let mut all = b"%PDF-1.4\n".to_vec();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (number, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", all.len()).unwrap();
        all.extend(format!("{} 0 obj\n", number + 1).bytes());
        all.extend_from_slice(object);
        all.extend(b"\nendobj\n");
    }
    let start = all.len();
    all.extend(format!("{table}trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    all
}

/// A grey picture, too small to hold words, with a text chunk (PNG §11.3.4.3).
fn png(text: &str) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(96, 96, image::Luma([200])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let bytes = bytes.into_inner();
    let content = format!("tEXtComment\0{text}");
    let mut sum = flate2::Crc::new();
    sum.update(content.as_bytes());
    let length = u32::try_from(content.len() - 4).unwrap();
    // After the signature and IHDR.
    let (head, rest) = bytes.split_at(33);
    [head, &length.to_be_bytes(), content.as_bytes(), &sum.sum().to_be_bytes(), rest].concat()
}

/// A picture on which a number can be read, with a comment.
fn scan(text: &str) -> Vec<u8> {
    commented(&std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files/jpg-turned.jpg")).unwrap(), text)
}

/// A picture too small to hold words, with a comment.
fn jpeg(text: &str) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(96, 96, image::Luma([200])).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    commented(&bytes.into_inner(), text)
}

/// With a comment (ITU T.81, COM) at its end.
fn commented(jpeg: &[u8], text: &str) -> Vec<u8> {
    let end = jpeg.windows(2).rposition(|window| window == b"\xff\xd9").unwrap();
    let length = u16::try_from(text.len() + 2).unwrap();
    [&jpeg[..end], b"\xff\xfe", &length.to_be_bytes(), text.as_bytes(), &jpeg[end..]].concat()
}
