//! What is found and what is left alone, through the room's own door.

use super::*;
use crate::parse::document::{Content, Piece, Place};
use crate::words::Redacted;
use std::collections::BTreeMap;

fn kinds(findings: &[Finding]) -> BTreeMap<&'static str, u32> {
    let mut all = BTreeMap::new();
    for (kind, count) in findings.iter().flat_map(|finding| &finding.kinds) {
        *all.entry(*kind).or_insert(0) += count;
    }
    all
}

fn in_text(text: &str) -> BTreeMap<&'static str, u32> {
    let mail = Mail { text: crate::parse::Text { written: text.to_owned().into(), ..Default::default() }, ..Mail::default() };
    kinds(&screen(mail, Vec::new(), &Policy::default()).findings)
}

fn table(rows: &[&[&str]]) -> Document {
    let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
    let place = Place { part: "sheet".to_owned(), number: 1, path: Vec::new() };
    Document { format: "csv".to_owned(), pieces: vec![Piece { place, content: Content::Table(rows) }], ..Document::default() }
}

fn in_table(rows: &[&[&str]]) -> BTreeMap<&'static str, u32> {
    kinds(&screen_document(&table(rows), None, &Policy::default()).findings)
}

fn named(name: &str) -> BTreeMap<&'static str, u32> {
    kinds(&screen_document(&Document::default(), Some(name), &Policy::default()).findings)
}

#[test]
fn a_number_with_its_name_beside_it_is_found() {
    for text in [
        "Het BSN is 123456782.",
        "BSN: 123456782",
        "bsn 1234.56.782",
        "Burgerservicenummer 123 456 782",
        "123456782 (BSN)",
        "BSN:\n123456782",
        "inp.bsn=123456782",
        "<inp.bsn>123456782</inp.bsn>",
        "sofi-nummer 111222333",
        "0120009123456782",
        "bsn123456782",
        "BSN\u{a0}123\u{200b}456782",
        "BSN １２３４５６７８２",
        "ＢＳＮ ①②③④⑤⑥⑦⑧②",
        "BSN ¹²³⁴⁵⁶⁷⁸²",
        "BSN 1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣2️⃣",
        "B\u{ad}S\u{ad}N 1\u{336}2\u{336}3\u{336}456782",
        "BSN 123456782¹",
    ] {
        assert_eq!(in_text(text), BTreeMap::from([("bsn", 1)]), "{text}");
    }
}

#[test]
fn lists_and_repeats_count_different_values() {
    assert_eq!(in_text("BSN's: 111222333, 123456782 en 999990639"), BTreeMap::from([("bsn", 3)]));
    assert_eq!(in_text("BSN nummers:\n111222333\n123456782\n999990639"), BTreeMap::from([("bsn", 3)]));
    assert_eq!(in_text("BSN 111222333 en nog eens BSN 111222333"), BTreeMap::from([("bsn", 1)]));
}

#[test]
fn other_numbers_that_pass_the_eleven_test_are_left_alone() {
    for text in [
        "Ons RSIN is 123456782.",
        "KvK 12345678, btw NL123456782B01",
        "Factuurnummer 123456782",
        "Ordernr. 123456782 is niet geleverd",
        "Tel. 123456782",
        "ticket id 123456782 in TOPdesk",
        "De import van bestand 123456782 loopt vast",
        "Zie https://portaal.example/zaken/123456782/documenten",
        "BSN ******782 en BSN 1234*****",
        "Het BSN-veld is leeg bij klantnummer 123456782",
        "request_id=123456782 ts=1735689600",
        "De BSN-koppeling werkt niet meer",
        "bedrag 123456782,50",
    ] {
        assert_eq!(in_text(text), BTreeMap::new(), "{text}");
    }
}

#[test]
fn a_column_is_judged_by_its_header_and_as_a_whole() {
    assert_eq!(in_table(&[&["Naam", "BSN"], &["x", "123456782"], &["y", "111222333"]]), BTreeMap::from([("bsn", 2)]));
    assert_eq!(in_table(&[&["Naam", "RSIN"], &["x", "123456782"], &["y", "111222333"]]), BTreeMap::new());
    assert_eq!(in_table(&[&["123456782"], &["111222333"], &["999990639"], &["135792460"], &["100000009"]]).get("bsn"), Some(&5));
    assert_eq!(in_table(&[&["Ordernr"], &["123456782"], &["111222333"], &["999990639"], &["100000009"]]), BTreeMap::new());
    assert_eq!(in_table(&[&["BSN", "123456782"]]), BTreeMap::from([("bsn", 1)]));
    assert_eq!(in_table(&[&["BSN", "Naam"], &["*********", "J. J*****"], &["XXXXXXXXX", ""]]), BTreeMap::new());
}

#[test]
fn names_of_files_and_members_are_read() {
    assert_eq!(named("export_bsn_123456782.csv"), BTreeMap::from([("bsn", 1)]));
    assert_eq!(named("BSN123456782.pdf"), BTreeMap::from([("bsn", 1)]));
    assert_eq!(named("factuur_123456782.pdf"), BTreeMap::new());
    assert_eq!(named("scan_20260115-1432.png"), BTreeMap::new());
    let member = Piece {
        place: Place { part: "member-name".to_owned(), number: 1, path: Vec::new() },
        content: Content::Lines(vec!["bsn_123456782.txt".to_owned()]),
    };
    let zip = Document { format: "zip".to_owned(), pieces: vec![member], ..Document::default() };
    let findings = screen_document(&zip, None, &Policy::default()).findings;
    assert_eq!(findings.iter().map(|finding| finding.place).collect::<Vec<_>>(), [Where::MemberName]);
}

fn with_attachment(name: &str, bytes: &[u8]) -> Mail {
    let raw = RawAttachment { name: Some(name.to_owned().into()), bytes: Redacted::new(bytes.to_vec()), ..RawAttachment::default() };
    Mail { subject: "Vraag".to_owned().into(), attachments: vec![raw], ..Mail::default() }
}

#[test]
fn a_withheld_attachment_leaves_the_text_and_loses_its_bytes() {
    let document = table(&[&["BSN"], &["123456782"]]);
    let screened = screen(with_attachment("lijst.csv", b"BSN\n123456782"), vec![document], &Policy::default());
    assert!(screened.text.is_some() && !screened.citizen_data_in_text() && screened.citizen_data_in_attachment());
    let [ScreenedAttachment::Withheld(withheld)] = screened.attachments.as_slice() else { panic!("it must be withheld") };
    assert_eq!((withheld.index, withheld.format.as_str(), withheld.why), (0, "csv", Why::CitizenData));
    assert_eq!(withheld.kinds, BTreeMap::from([("bsn", 1)]));
    assert_eq!((screened.findings[0].place, screened.findings[0].attachment), (Where::Attachment, Some(0)));
}

#[test]
fn what_was_not_read_is_never_clean() {
    let screened = screen(with_attachment("a.bin", b"x"), Vec::new(), &Policy::default());
    assert!(screened.unreadable());
    let unreadable = Document::unreadable("zip", Unreadable::Encrypted);
    assert!(screen(with_attachment("a.zip", b"x"), vec![unreadable], &Policy::default()).unreadable());
}

#[test]
fn small_pictures_and_signatures_are_no_attachments() {
    let logo = Document { format: "png".to_owned(), pixels: Some((120, 40)), ..Document::default() };
    let screened = screen(with_attachment("logo.png", b"x"), vec![logo], &Policy::default());
    assert!(matches!(screened.attachments.as_slice(), [ScreenedAttachment::Clean(_)]));
    let mut signed = with_attachment("smime.p7s", b"x");
    signed.attachments[0].signature = true;
    let unknown = Document::unreadable("unknown", Unreadable::UnknownFormat);
    assert!(matches!(screen(signed, vec![unknown], &Policy::default()).attachments.as_slice(), [ScreenedAttachment::Clean(_)]));
}

#[test]
fn the_text_is_withheld_as_a_whole() {
    let mail = Mail { subject: "BSN 123456782".to_owned().into(), ..Mail::default() };
    let screened = screen(mail, Vec::new(), &Policy::default());
    assert!(screened.citizen_data_in_text() && screened.text.is_none());
    assert_eq!(screened.findings[0].place, Where::Subject);
    assert!(screened.mail.subject.reveal().is_empty());
}

#[test]
fn people_without_a_number_are_found_in_tables() {
    let record = |count| BTreeMap::from([("person-record", count)]);
    assert_eq!(in_table(&[&["Naam", "Geboortedatum"], &["Jansen", "12-03-1961"], &["De Vries", "1988-11-02"]]), record(2));
    assert_eq!(
        in_table(&[&["Voornaam", "Achternaam", "Geslacht", "Straat", "Postcode"], &["Piet", "Jansen", "M", "Dorpsstraat 1", "1234 AB"]]),
        record(1)
    );
    assert_eq!(in_table(&[&["Fornavn", "Efternavn", "Fødselsdato"], &["Mette", "Holm", "12.03.1961"]]), record(1));
    assert_eq!(in_table(&[&["Naam", "P. Jansen"], &["Geboortedatum", "12 maart 1961"]]), record(1));
    assert_eq!(in_table(&[&["P. Jansen", "12-03-1961", "x"], &["Anna Visser", "02-11-1988", "y"]]), record(2));
    assert_eq!(in_text("Naam          Geboortedatum   Plaats\nP. Jansen     12-03-1961      Utrecht\n"), record(1));
}

#[test]
fn tables_of_business_planning_and_statistics_are_left_alone() {
    for rows in [
        &[
            &["Naam", "Functie", "Telefoon", "E-mail"][..],
            &["Fatma Yilmaz", "Medewerker balie", "030 555 01 71", "f.yilmaz@waterwolde.example"],
        ][..],
        &[&["Naam", "Organisatie", "Adres", "Postcode"], &["P. Jansen", "Gemeente Waterwolde", "Raadhuisplein 1", "3990 AA"]],
        &[&["Taak", "Wie", "Datum"], &["Upgrade", "Joost van Dam", "12-03-2026"], &["Testen", "P. Mulder", "19-03-2026"]],
        &[&["Wijk", "Inwoners", "M", "V"], &["Noord", "12345", "6000", "6345"]],
        &[&["Naam", "Geboortedatum", "BSN"], &["", "", ""], &["J*****", "**-**-1961", "*********"]],
        &[&["Naam", "Geboortedatum", "BSN"], &["[naam]", "dd-mm-jjjj", "[bsn]"]],
        &[
            &["Naam", "Adres", "Postcode", "Plaats"],
            &["Sporthal De Eik", "Brink 7", "3990 CC", "Waterwolde"],
            &["Werf Noord", "Kade 4", "3990 BB", "Waterwolde"],
        ],
        &[&["Navn", "Adresse", "Postnr", "By"], &["Bakkeskolen", "Bakkevej 2", "8464", "Nordhavn"]],
        &[&["Name", "Adresse"], &["Bürgerhaus Nord", "Hauptstr. 5"], &["Freibad", "Badweg 2"]],
        &[&["Name", "Address", "Port"], &["Tom Bos", "relay01.waterwolde.example", "25"], &["Anna Visser", "10.1.1.20", "25"]],
        &[&["Naam", "Adres"], &["Basisschool De Klimop", "Dorpsstraat 1"], &["Stichting Welzijn", "Kerkplein 2"]],
        &[&["Veld", "Type"], &["Geboortedatum", "date"], &["Achternaam", "varchar(200)"], &["BSN", "char(9)"]],
    ] {
        assert_eq!(in_table(rows), BTreeMap::new(), "{rows:?}");
    }
}

#[test]
fn people_without_a_number_are_found_in_text() {
    for text in [
        "Mevrouw A. Jansen, geboren op 12-03-1961, kan niet inloggen.",
        "Het gaat om Pieter de Boer (geb. 12 maart 1961).",
        "Naam: Jansen\nVoorletters: P.\nGeboortedatum: 12-03-1961\n",
        "Borgeren Mette Holm, født 12.03.1961, mangler i listen",
        "Det gjelder Kari Bakken, født 12. mars 1961.",
        "Ärendet gäller Anna Lindqvist, född 1961-03-12.",
        "Es geht um Frau Sabine Krüger, geboren am 12.03.1961.",
        "The resident John Smith (DOB 12/03/1961) cannot log in",
        "Kyseessä on Matti Virtanen, syntynyt 12.3.1961.",
        "P. Jansen (12-03-1961) staat dubbel in de lijst",
        "De heer J. Jansen, Dorpsstraat 12, 1234 AB Waterwolde krijgt geen brief",
        "geslachtsnaam: Jansen\nvoornamen: Pieter\ngeboortedatum: 19610312\n",
    ] {
        assert_eq!(in_text(text), BTreeMap::from([("person-record", 1)]), "{text}");
    }
}

#[test]
fn signatures_dates_of_work_and_manuals_are_left_alone() {
    for text in [
        "Graag een reactie.\n\nMet vriendelijke groet,\n\nIneke Bakker\nCoördinator Burgerzaken\n\nGemeente Waterwolde | Raadhuisplein 1 | Postbus 40, 3990 AA Waterwolde\nT 030 555 01 12 | KvK 61234009\n",
        "Venlig hilsen\nMette Sørensen\nSagsbehandler\nNordhavn Kommune\nRådhuspladsen 1, 9000 Nordhavn\nTlf. 12 34 56 78\nCVR 12345678\n",
        "Kan de training met Joost van Dam op 12-03-2026 doorgaan?",
        "Vul bij Geboortedatum de datum in als dd-mm-jjjj en kies dan Naam.",
        "De Wet van 12-03-1998 is hier niet van toepassing.",
        "Versie 12.3.1998 van de module geeft een fout",
        "Van: P. Mulder\nVerzonden: 12-03-2024 10:15\nAan: support\n",
        "Op 19-11-2026 is de server van Jan de Vries herstart, kenmerk 123456782",
    ] {
        assert_eq!(in_text(text), BTreeMap::new(), "{text}");
    }
}

#[test]
fn what_people_really_write_is_told_apart() {
    for text in [
        "Betreft: dhr. K. Pietersen, 04-05-1972, bsn onbekend",
        "Bijv. bij mevrouw A. Jansen, geboren 12-03-1961, gaat het mis",
        "FN:Piet Jansen\nORG:Gemeente\nBDAY:1961-03-12\n",
        "Lijst:\nGerlinde Oppermann, 27.09.1932\nLiesel Oppermann, 1937-09-12\nRoswitha Kessler, 07.06.1980",
    ] {
        assert!(in_text(text).contains_key("person-record"), "{text}");
    }
    for text in [
        "https://x.example/?bsn=123456782",
        "{\"burgerservicenummer\":\"123456782\"}",
        "personId 123456782",
        "bsn=123456782 request_id=99",
        "BSN 12.34.56.782",
    ] {
        assert_eq!(in_text(text), BTreeMap::from([("bsn", 1)]), "{text}");
    }
    for text in [
        "Geboortedatum: bijvoorbeeld 01-01-1980. Klik Op Opslaan.",
        "De installatie is op locatie Kerkstraat 12, 1234 AB Waterwolde, contact J. de Vries",
        "Auteur: J. de Vries, 12-03-2009",
        "Jan de Vries 06-12345678",
        "FN:Piet Jansen\nORG:Gemeente\nADR;TYPE=WORK:;;Raadhuisplein 1;Waterwolde\n",
        "In de log staat 864315892 en in de kolom 12345678-abcd",
    ] {
        assert_eq!(in_text(text), BTreeMap::new(), "{text}");
    }
}

#[test]
fn file_names_with_a_person_and_a_day_of_birth_are_records() {
    assert_eq!(named("Jansen 12-03-1961.pdf"), BTreeMap::from([("person-record", 1)]));
    assert_eq!(named("dossier_P.Jansen_geb_12-03-1961.docx"), BTreeMap::from([("person-record", 1)]));
    assert_eq!(named("Jansen_12031961.pdf"), BTreeMap::from([("person-record", 1)]));
    assert_eq!(named("Oudshoorn geb 14-03-1952.txt"), BTreeMap::from([("person-record", 1)]));
    assert_eq!(named("geboortecijfers 2019.xlsx"), BTreeMap::new());
    assert_eq!(named("Notulen 12-03-2026.docx"), BTreeMap::new());
    assert_eq!(named("Rapport Jansen 2026-03-12.pdf"), BTreeMap::new());
}

/// Judging each number by the whole line before it would take hours here.
#[test]
fn a_line_of_many_numbers_is_no_trouble() {
    let line = format!("bsn {}", "123456782, 111222333; ".repeat(5_000));
    assert_eq!(in_text(&line), BTreeMap::from([("bsn", 2)]));
    assert_eq!(in_text(&"x; ".repeat(100_000)), BTreeMap::new());
}

#[test]
fn numbers_of_which_most_fail_their_check_pass_it_by_chance() {
    let log = |numbers: &[&str]| numbers.iter().map(|number| format!("gateway {number} closed\n")).collect::<String>();
    assert!(in_text(&log(&["12036131053"])).contains_key("fodselsnummer"));
    let failing = ["12036131054", "12036131055", "12036131056", "12036131057", "12036131058", "12036131059", "12036131053"];
    assert_eq!(in_text(&log(&failing)), BTreeMap::new());
}

/// Every identifier has its vectors: `valid` beside its name, `near_miss` never, `look_alike` lines never.
#[test]
fn every_identifier_holds_its_vectors() {
    #[derive(serde::Deserialize)]
    struct Vectors {
        kind: String,
        valid: Vec<String>,
        near_miss: Vec<String>,
        look_alike: Vec<String>,
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/identifiers");
    let mut covered = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let vectors: Vectors = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let kind = vectors.kind.as_str();
        for number in &vectors.valid {
            let found = in_text(&format!("{kind}: {number}"));
            assert_eq!(found.get(kind), Some(&1), "{number} of {kind}: {found:?}");
        }
        for number in &vectors.near_miss {
            assert_eq!(in_text(&format!("{kind}: {number}")).get(kind), None, "{number} of {kind}");
        }
        for line in &vectors.look_alike {
            assert_eq!(in_text(line), BTreeMap::new(), "{line}");
        }
        covered.insert(vectors.kind);
    }
    for identifier in identifiers::ALL {
        assert!(covered.contains(identifier.kind), "{} has no fixtures/identifiers file", identifier.kind);
    }
}

/// Cases from the desk: add one whenever screening was wrong.
#[test]
fn cases_of_what_people_write() {
    #[derive(serde::Deserialize)]
    struct Cases {
        case: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        found: bool,
        text: String,
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/screening/text.toml");
    let cases: Cases = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in cases.case {
        assert_eq!(!in_text(&case.text).is_empty(), case.found, "{}", case.text);
    }
}

/// A mail of `fields` and a text, and a file in a part whose header is `part`.
fn parsed(fields: &str, part: &str, file: &str, around: [&str; 2]) -> Screened {
    let [before, after] = around;
    let raw = format!(
        "From: a.devries@waterwolde.example\r\nSubject: Vraag\r\n{fields}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         {before}--b\r\nContent-Type: text/plain\r\n\r\nZie bijlage.\r\n--b\r\n{part}{file}\r\n--b--\r\n{after}"
    );
    screen(crate::parse::parse(raw.as_bytes(), false), Vec::new(), &Policy::default())
}

const BSN: &str = "BSN 111222333";
const CSV: &str = "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n";
const ROWS: &str = "naam;bsn\r\nJ. Pol;111222333";

#[test]
fn what_no_reader_shows_is_screened() {
    for field in [
        "X-Klant-BSN: 111222333",
        "X-Formulier: naam J. Pol, BSN 111222333",
        "Organization: BSN 111222333",
        "Comments: BSN 111222333",
        "Keywords: BSN 111222333",
        "Thread-Topic: BSN 111222333",
        "X-Original-Subject: =?utf-8?B?QlNOIDExMTIyMjMzMw==?=",
        "Disposition-Notification-To: \"BSN 111222333\" <x@waterwolde.example>",
        // A mail whose writer forgot the empty line before the text.
        "Beste mensen, de gegevens van BSN 111222333 kloppen niet",
        "Beste mensen,\r\nNaam: J. Pol\r\nGeboren: 12-03-1961",
    ] {
        assert!(parsed(&format!("{field}\r\n"), CSV, "\r\na;b", ["", ""]).citizen_data_in_text(), "{field}");
    }
    for part in [
        format!("{CSV}Content-Description: {BSN}\r\n"),
        format!("{CSV}X-Note: {BSN}\r\n"),
        format!("{CSV}Content-Location: file:///C:/bsn-111222333.csv\r\n"),
        "Content-Type: text/csv; title=\"BSN 111222333\"\r\n".to_owned(),
        "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv; comment=\"BSN 111222333\"\r\n".to_owned(),
        "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv; filename*=utf-8''BSN%20111222333.csv\r\n".to_owned(),
        "Content-Type: text/csv\r\nContent-Disposition: attachment; filename*=utf-8''a.csv; filename=\"BSN 111222333.csv\"\r\n".to_owned(),
    ] {
        let screened = parsed("", &part, "\r\na;b", ["", ""]);
        assert!(!screened.findings.is_empty(), "{part}");
    }
    let bsn = format!("{BSN}\r\n");
    for around in [[bsn.as_str(), ""], ["This is a message in MIME format. BSN 111222333\r\n", ""], ["", bsn.as_str()]] {
        assert!(parsed("", CSV, "\r\na;b", around).citizen_data_in_text(), "{around:?}");
    }
}

/// Programs make ids of numbers: only one that bears its own name is somebody's.
#[test]
fn ids_of_mails_and_parts_are_screened_for_what_names_itself() {
    for id in
        ["<bsn-111222333@gemeente.example>", "<bsn111222333.17@x.example>", "<x.BSN_111222333@x.example>", "<cpr.0707614285@x.example>"]
    {
        for field in ["Message-ID", "In-Reply-To", "References"] {
            assert!(parsed(&format!("{field}: {id}\r\n"), CSV, "\r\na;b", ["", ""]).citizen_data_in_text(), "{field}: {id}");
        }
        assert!(!parsed("", &format!("{CSV}Content-ID: {id}\r\n"), "\r\na;b", ["", ""]).findings.is_empty(), "{id}");
    }
    for id in ["<111222333@gemeente.example>", "<111222333@bsn.example>", "<20261121.111222333.1@x.example>", "<0707614285.1@x.example>"] {
        let screened = parsed(&format!("Message-ID: {id}\r\nReferences: {id}\r\n"), CSV, "\r\na;b", ["", ""]);
        assert_eq!(screened.findings, [], "{id}");
        assert!(screened.mail.message_id.is_some(), "{id}");
    }
}

/// What was found somewhere else in a mail does not leave it by its ids either, whatever they call it.
#[test]
fn ids_with_numbers_go_no_further_than_what_was_found() {
    let fields = "Subject: BSN 111222333\r\nMessage-ID: <111222333@x.example>\r\nReferences: <a@x.example> <1112.22.333@x.example>\r\n";
    let screened = parsed(fields, CSV, "\r\na;b", ["", ""]);
    assert!(screened.citizen_data_in_text() && screened.mail.message_id.is_none());
    assert_eq!(screened.mail.references.iter().map(MessageId::as_str).collect::<Vec<_>>(), ["a@x.example"]);
}

/// A note that begins as a mail does, or the fields of a form: what belongs together is judged together.
#[test]
fn fields_are_one_form() {
    for fields in ["Naam: J. Pol\r\nGeboortedatum: 12-03-1961\r\n", "X-Naam: Jan Pol\r\nX-Geboortedatum: 12-03-1961\r\n"] {
        assert!(parsed(fields, CSV, "\r\na;b", ["", ""]).citizen_data_in_text(), "{fields}");
    }
}

/// A part without the empty line between its header and its content, and lines that end in CR alone: what is there is found, or the mail is known not
/// to be read.
#[test]
fn broken_parts_hide_nothing() {
    let person = "Naam: J. Pol\r\nGeboren: 12-03-1961";
    let cr = |text: &str| text.replace("\r\n", "\r");
    for (part, file) in [
        (CSV.to_owned(), ROWS.to_owned()),
        (CSV.to_owned(), format!("{ROWS}\r\n\r\nx;y")),
        (CSV.to_owned(), person.to_owned()),
        (String::new(), ROWS.to_owned()),
        (format!("{CSV}Content-Transfer-Encoding: base64\r\n"), "bmFhbTtic24NCkouIFBvbDsxMTEyMjIzMzMNCg==".to_owned()),
        (cr(CSV), cr(&format!("\r\n{ROWS}"))),
        (cr(CSV), ROWS.to_owned()),
    ] {
        let screened = parsed("", &part, &file, ["", ""]);
        let unread = |withheld: &Withheld| withheld.why == Why::Unreadable(Unreadable::Damaged) && withheld.index > 0;
        assert!(screened.citizen_data_in_text() || screened.withheld().any(unread), "{part}{file}");
    }
    let structure = cr(&format!("--b\r\n{CSV}\r\n{ROWS}\r\n--b--\r\n"));
    let raw =
        format!("From: a.devries@waterwolde.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{structure}");
    assert!(screen(crate::parse::parse(raw.as_bytes(), false), Vec::new(), &Policy::default()).citizen_data_in_text());
}

/// Headers of the usual programs, and of some unusual ones, hold numbers of every length: none of them is a person's, even where it would pass for one.
#[test]
fn headers_of_mail_programs_are_clean() {
    let headers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/headers");
    let files: Vec<_> = std::fs::read_dir(headers).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let raw = std::fs::read_to_string(&file).unwrap();
        for raw in [raw.clone(), with_valid_numbers(&raw)] {
            let screened = screen(crate::parse::parse(raw.as_bytes(), false), Vec::new(), &Policy::default());
            assert_eq!(kinds(&screened.findings), BTreeMap::new(), "{}: {:?}", file.display(), screened.findings);
            let damaged = |withheld: &&Withheld| withheld.index > 0;
            assert_eq!(screened.withheld().find(damaged), None, "{}", file.display());
        }
    }
}

/// The same with runs of digits that pass the checks of identity numbers of that length.
fn with_valid_numbers(text: &str) -> String {
    let runs = text.as_bytes().chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    let replaced = runs.map(|run| match (run.first().is_some_and(u8::is_ascii_digit), run.len()) {
        (true, 9) => "123456782",
        (true, 10) => "0101701234",
        (true, 11) => "01010750160",
        _ => std::str::from_utf8(run).unwrap(),
    });
    replaced.collect()
}
