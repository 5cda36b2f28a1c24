//! Rows 24 to 34: what a mail carries. Each comes in among ordinary mail, which goes on. (tests/extract.rs throws single files at the
//! workers.)

use super::servers::measured;
use super::{CONTACT, Gate, authentic, base64, vouched, with_files};
use serde_json::Value;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// An invented number that passes the Dutch check.
const BSN: &str = "BSN 111222333";

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A document of this XML, as Word packs it.
fn docx(xml: &str) -> Vec<u8> {
    let types = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>";
    zipped(&[("[Content_Types].xml", types.as_bytes()), ("word/document.xml", xml.as_bytes())])
}

/// What became of the only attachment of each of these mails of a contact: kept, or withheld and why.
#[track_caller]
fn fates(gate: &Gate, files: &[(&str, &str, Vec<u8>)]) -> Vec<String> {
    let mails: Vec<Vec<u8>> = files.iter().map(|(kind, name, bytes)| with_files(&[(kind, name, bytes)])).collect();
    gate.explain(&mails).iter().map(fate).collect()
}

fn fate(told: &Value) -> String {
    told["attachments"][0]["why"].as_str().or(told["attachments"][0]["outcome"].as_str()).unwrap_or("none").to_owned()
}

#[track_caller]
fn all_withheld(gate: &Gate, files: &[(&str, &str, Vec<u8>)]) {
    let names: Vec<&str> = files.iter().map(|(_, name, _)| *name).collect();
    for (fate, name) in fates(gate, files).iter().zip(names) {
        assert_eq!(fate, "unreadable", "{name}");
    }
}

/// A contact's mail whose file is not kept: a ticket is made of the rest, and the mail is deleted on its server.
#[track_caller]
fn is_open_without_its_file(told: &Value) {
    assert_eq!((&told["verdict"], &told["server"]), (&"open".into(), &"delete".into()), "{told}");
    assert!(!["kept", "none"].contains(&fate(told).as_str()), "{told}");
}

/// The first member of this archive again and again: it swells so many times as much.
fn repeated(archive: &[u8], times: usize) -> Vec<u8> {
    let mut members = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..times {
        zip.raw_copy_file_rename(members.by_index_raw(0).unwrap(), format!("{number}.txt")).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Archives that swell, lie about their size or lie inside each other are not screened, so not kept; the ticket is made. They are opened by
/// workers, each of which may have 1 GiB (`bombs_take_no_more_than_they_may` in tests/workers.rs); what takes in the mail stays small.
#[test]
fn a24_archive_bombs() {
    let gate = Gate::new();
    let zeros = vec![b'0'; 40_000_000];
    let swollen = zipped(&[("nullen.txt", &zeros)]);
    let mut nested = zipped(&[("a.txt", b"a")]);
    for _ in 0..12 {
        nested = zipped(&[("binnen.zip", &nested)]);
    }
    let many_names: Vec<String> = (0..5_000).map(|n| format!("{n}.txt")).collect();
    let many = zipped(&many_names.iter().map(|name| (name.as_str(), &b"x"[..])).collect::<Vec<_>>());
    // The directory says that a member has 4 GiB: what is in it is found, or the whole is not kept.
    let mut lying = zipped(&[("a.txt", format!("naam;nummer\nx;{BSN}\n").as_bytes())]);
    let at = lying.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    lying[at + 24..at + 28].copy_from_slice(&[0xff; 4]);
    let zip = "application/zip";
    let gigabyte = repeated(&swollen, 26);
    let bombs = [("swollen.zip", swollen), ("gigabyte.zip", gigabyte), ("nested.zip", nested), ("many.zip", many)];
    all_withheld(&gate, &bombs.clone().map(|(name, bytes)| (zip, name, bytes)));
    assert_ne!(fates(&gate, &[(zip, "lying.zip", lying.clone())]), ["kept"]);
    bombs.iter().for_each(|(name, bytes)| gate.deliver(&with_files(&[(zip, name, bytes)])));
    gate.deliver(&with_files(&[(zip, "lying.zip", &lying)]));
    gate.deliver(&authentic(CONTACT, "", "Vraag."));
    let (ended, most) = measured(&gate.world, &["run", "--once"]);
    assert_eq!(ended, Some(0));
    assert!((1..512).contains(&most), "it took {most} MB");
    assert_eq!((gate.letters().len(), gate.tickets().len()), (6, 6), "the mail beside them goes on");
    assert!(gate.tickets().iter().all(|ticket| ticket["status"] == "open" && ticket["attachments"] == 0));
}

/// No entity is expanded, none is fetched.
#[test]
fn a25_xml_entities() {
    let gate = Gate::new();
    let secret = gate.world.dir.join("geheim.txt");
    fs::write(&secret, BSN).unwrap();
    let laughs: String = (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let bomb = format!("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY l0 \"lol\">{laughs}]><w:document><w:t>&l9;</w:t></w:document>");
    let thief = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY s SYSTEM \"file://{}\">]><w:document><w:t>&s;</w:t></w:document>",
        secret.display()
    );
    let stuf = format!("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY s SYSTEM \"file://{}\">]><bericht>&s;</bericht>", secret.display());
    all_withheld(
        &gate,
        &[(DOCX, "bom.docx", docx(&bomb)), (DOCX, "dief.docx", docx(&thief)), ("application/xml", "stuf.xml", stuf.into_bytes())],
    );
}

/// A PDF that brings its reader down takes nothing with it: it is withheld, the rest of its mail is decided on, and the process that takes in
/// mail works to its end.
#[test]
fn a26_pdf_bombs() {
    let gate = Gate::new();
    let deep = format!("%PDF-1.7\n1 0 obj\n{}\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF", "[".repeat(10_380));
    let endless = "%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[2 0 R]/Count 1000000000>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF";
    let pdf = "application/pdf";
    let bombs = [("diep.pdf", deep.as_bytes()), ("eindeloos.pdf", endless.as_bytes())].map(|(name, file)| with_files(&[(pdf, name, file)]));
    for told in gate.explain(&bombs) {
        is_open_without_its_file(&told);
        assert_eq!(fate(&told), "unreadable");
    }
    let letters = gate.live(&[&bombs[..], &[authentic(CONTACT, "", "Vraag.")]].concat());
    assert_eq!(letters.len(), 3);
    let tickets = gate.tickets();
    assert!(tickets.iter().all(|ticket| ticket["status"] == "open" && ticket["attachments"] == 0));
    let withheld = |ticket: &Value| ticket["reasons"].as_array().unwrap().contains(&"attachment-unreadable".into());
    assert_eq!(tickets.iter().filter(|ticket| withheld(ticket)).count(), bombs.len());
    assert!(gate.world.run(&["queue", "list", "--json"]).ok().json().is_empty(), "no mail is stuck");
}

/// A picture says how large it is before it is drawn; what a picture format runs is never run.
#[test]
fn a27_image_bombs() {
    let gate = Gate::new();
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(64_000_u32.to_be_bytes());
    png.extend(64_000_u32.to_be_bytes());
    png.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>fetch('x')</script><text>{BSN}</text></svg>");
    let told = gate.explain(&[
        with_files(&[("image/png", "groot.png", png.as_slice())]),
        with_files(&[("image/svg+xml", "plaat.svg", svg.as_bytes())]),
    ]);
    told.iter().for_each(is_open_without_its_file);
    assert_eq!(fate(&told[0]), "unreadable");
}

/// A message of this many nested levels, a number at the bottom.
fn nested_parts(levels: usize) -> Vec<u8> {
    let mut head = String::new();
    let mut tail = String::new();
    for level in 0..levels {
        head += &format!("--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n\n", level + 1);
        tail = format!("--b{}--\n{tail}", level + 1);
    }
    let body = format!("{head}--b{levels}\nContent-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\na;b\n{tail}--b0--");
    authentic(CONTACT, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b0\n", &body)
}

/// A message of so many parts in one container.
fn many_parts(part: &str, count: usize) -> Vec<u8> {
    let parts = format!("--b\n{part}\n").repeat(count);
    authentic(CONTACT, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n", &format!("{parts}--b--"))
}

const CSV_PART: &str = "Content-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\na;b";

/// A message whose header, with the empty line behind it, has exactly so many bytes.
fn long_header(bytes: usize) -> Vec<u8> {
    const FIELD: &[u8] = b"X-Vulling: ";
    let mut raw = authentic(CONTACT, "X-Vulling: \n", "Vraag.");
    let header = raw.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
    let filling = raw.windows(FIELD.len()).position(|window| window == FIELD).unwrap() + FIELD.len();
    raw.splice(filling..filling, std::iter::repeat_n(b'a', bytes - header));
    raw
}

/// At the limit a mail is read, one beyond it counts as unreadable; it is never dropped and holds up nobody. A container is a level and a part, too.
#[test]
fn a28_mime_depth_parts_and_headers() {
    const DEPTH: usize = 20;
    const PARTS: usize = 1_000;
    const HEADER: usize = 256 * 1024;
    let gate = Gate::new();
    let text = "\ntekst";
    let told = gate.explain(&[
        nested_parts(DEPTH - 1),
        many_parts(text, PARTS - 1),
        long_header(HEADER),
        nested_parts(DEPTH),
        many_parts(text, PARTS),
        many_parts(CSV_PART, PARTS),
        long_header(HEADER + 1),
        nested_parts(DEPTH * 1_000),
        many_parts(text, PARTS * 100),
        long_header(HEADER * 20),
    ]);
    let unreadable = |told: &Value| told["reasons"].as_array().unwrap().contains(&"attachment-unreadable".into());
    assert_eq!(told.iter().map(unreadable).collect::<Vec<_>>(), [vec![false; 3], vec![true; 7]].concat());
    assert_eq!(told.iter().take(3).map(|told| told["verdict"].as_str().unwrap()).collect::<Vec<_>>(), ["open"; 3]);
    let letters = gate.live(&[nested_parts(5_000), many_parts(CSV_PART, 5_000), long_header(3_000_000), authentic(CONTACT, "", "Vraag.")]);
    assert_eq!((letters.len(), gate.tickets().len()), (4, 4));
}

/// What lies deep inside forwarded mails is found, or the whole is not screened.
#[test]
fn a29_nesting_blind_spot() {
    let gate = Gate::new();
    let wrapped = |levels: usize, encoded: bool| {
        let mut inner = format!("From: x@y.example\nSubject: diep\n\nGegevens: {BSN}\n");
        for _ in 1..levels {
            let (encoding, text) = if encoded { ("base64", base64(inner.as_bytes())) } else { ("8bit", inner) };
            inner = format!(
                "From: x@y.example\nMIME-Version: 1.0\nContent-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{text}"
            );
        }
        with_files(&[("message/rfc822", "door.eml", inner.as_bytes())])
    };
    let mails: Vec<Vec<u8>> = [1, 3, 4, 5, 6, 10, 40].iter().flat_map(|levels| [wrapped(*levels, false), wrapped(*levels, true)]).collect();
    for (n, told) in gate.explain(&mails).iter().enumerate() {
        assert!(["citizen-data", "unreadable"].contains(&fate(told).as_str()) || told["citizen_data"] == true, "{n}: {told}");
        assert_eq!(told["server"], "delete");
    }
    let fields = |kind: &str| format!("MIME-Version: 1.0\nContent-Type: {kind}\n");
    let opaque = [
        authentic(CONTACT, &fields("message/partial; id=x; number=1; total=2"), "From: x@y.example\n\nhalf"),
        authentic(
            CONTACT,
            &fields("message/external-body; access-type=URL; URL=\"http://evil.example/x\""),
            "Content-Type: text/plain\n\n",
        ),
        authentic(CONTACT, &fields("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"), "AAAA"),
    ];
    for told in gate.explain(&opaque) {
        assert!(told["reasons"].as_array().unwrap().contains(&"attachment-unreadable".into()), "{told}");
    }
}

/// Patterns are matched in linear time; admins write no patterns, only words.
#[test]
fn a30_regex_denial_of_service() {
    let gate = Gate::new();
    let long = [
        format!("{}!", "a".repeat(1_000_000)),
        "1".repeat(200_000),
        "1-".repeat(100_000),
        "http://a.".repeat(20_000),
        "> ".repeat(100_000),
        "aanvraag niet dringend ".repeat(10_000),
    ];
    let mails: Vec<Vec<u8>> = long.iter().map(|line| authentic(CONTACT, "", line)).collect();
    assert_eq!(gate.explain(&mails).len(), long.len(), "each is judged within the deadline of any command");
    let words = gate.world.dir.join("words");
    fs::create_dir_all(&words).unwrap();
    // Nobody can write a pattern that is worked through for ever: what looks like one is a mistake, and the widest that there is costs nothing.
    fs::write(words.join("nl.toml"), "[urgent]\noutage = [\"(a+)+$\"]\n").unwrap();
    let refused = gate.world.run(&["check"]).exits(1);
    assert!(refused.stdout.contains("nl.toml:2:1: `urgent.outage`"), "{}", refused.stdout);
    fs::write(words.join("nl.toml"), "[urgent]\noutage = [\"*aaa* ... *aaa* ... *aaa* ... *aaa*\"]\n").unwrap();
    gate.world.run(&["check"]).ok();
    assert_eq!(gate.explain(&mails).len(), long.len());
}

/// All files below a directory.
fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(entry.path().to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// A file name names no file.
#[test]
fn a31_path_by_attachment_name() {
    let gate = Gate::new();
    let long = "x".repeat(4_000);
    let names =
        ["../../ontsnapt.csv", "/tmp/ontsnapt.csv", "\u{200b}.htaccess", "..\\ontsnapt.csv", "con.csv", long.as_str(), ".", "a\u{0}.csv"];
    let contents: Vec<String> = (0..names.len()).map(|n| format!("kolom;waarde\naantal;{n}\n")).collect();
    let files: Vec<(&str, &str, &[u8])> = names.iter().zip(&contents).map(|(name, text)| ("text/csv", *name, text.as_bytes())).collect();
    gate.live(&[with_files(&files)]);
    let state = files_below(&gate.world.state_dir());
    let kept = state.iter().filter(|path| path.contains("/attachments/")).count();
    assert_eq!(kept, names.len(), "they are kept: {state:#?}");
    for path in files_below(&gate.world.dir).iter().chain(&state) {
        assert!(!path.contains("ontsnapt") && !path.contains("htaccess") && !path.contains("xxxxxxxx"), "{path}");
    }
    assert!(!Path::new("/tmp/ontsnapt.csv").exists());
}

/// What a file is, it is by its bytes; one that is two things is screened as both or not kept.
#[test]
fn a32_polyglots_and_false_names() {
    let gate = Gate::new();
    let hidden = zipped(&[("lijst.csv", format!("naam;nummer\nx;{BSN}\n").as_bytes())]);
    let mut polyglot = b"%PDF-1.4\n1 0 obj <</Type/Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n".to_vec();
    polyglot.extend(&hidden);
    let html = "<html><body><table><tr><td>BSN</td></tr><tr><td>111222333</td></tr></table></body></html>".to_owned();
    let renamed = docx(&format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>{BSN}</w:t></w:r></w:p></w:body></w:document>"
    ));
    let fates = fates(
        &gate,
        &[
            ("application/pdf", "beide.pdf", polyglot),
            ("text/plain", "pagina.txt", html.into_bytes()),
            ("image/png", "plaat.png", renamed),
            ("text/plain", "tekst.txt", hidden),
            (XLSX, "blad.xlsx", format!("naam;nummer\nx;{BSN}\n").into_bytes()),
        ],
    );
    assert_ne!(fates[0], "kept");
    assert_eq!(fates[1..], ["citizen-data"; 4]);
}

/// What programs keep beside what they show: names within names, bytes behind the end, comments, values under another writing.
#[test]
fn a32_data_beside_what_is_shown() {
    let gate = Gate::new();
    let rows = format!("naam;bsn\r\nPol, Jan;111222333\r\nx;{BSN}\r\n").into_bytes();
    let clean = || zipped(&[("kaart.csv", b"kaart;laag\nwegen;3\n")]);
    let directory = |zip: &[u8]| zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let whole = zipped(&[("lijst.csv", &rows)]);
    let unlisted = [&whole[..directory(&whole)], &clean()].concat();
    let mut commented = clean();
    let at = directory(&commented);
    commented[at + 32] = u8::try_from(BSN.len()).unwrap();
    let name_ends = at + 46 + "kaart.csv".len();
    commented.splice(name_ends..name_ends, BSN.bytes());
    let size_at = commented.len() - 10;
    commented[size_at] += u8::try_from(BSN.len()).unwrap();
    let mut picture = Cursor::new(Vec::new());
    image::GrayImage::new(10, 10).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let picture = picture.into_inner();
    let ebcdic: Vec<u8> = b"\x82\xa2\x95\x7a\x40".iter().copied().chain("111222333".bytes().map(|digit| digit + 0xc0)).collect();
    let gzip = flate2::GzBuilder::new().comment(BSN).write(Vec::new(), flate2::Compression::fast());
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nNOTE;ENCODING=QUOTED-PRINTABLE:BSN=3A 111=\r\n222333=0D=0A=\r\n\r\nEND:VCARD\r\n";
    let fates = fates(
        &gate,
        &[
            ("application/zip", "unlisted.zip", unlisted),
            ("application/zip", "behind.zip", [clean(), rows.clone()].concat()),
            ("application/octet-stream", "ebcdic.txt", ebcdic.repeat(9)),
            ("application/zip", "commented.zip", commented),
            ("application/gzip", "comment.gz", gzip.finish().unwrap()),
            ("image/png", "behind.png", [picture.clone(), rows.clone()].concat()),
            ("text/x-vcard", "card.vcf", card.into()),
            ("text/csv", "float.csv", "naam;bsn\r\nPol;111222333.0\r\n".into()),
            ("text/csv", "=?utf-8?q?BSN_1112?= =?utf-8?q?22333.csv?=", b"kaart;laag\nwegen;3\n".into()),
            ("text/csv", "BSN 111\u{200b}222333.csv", b"kaart;laag\nwegen;3\n".into()),
            ("application/zip", "clean.zip", clean()),
            ("image/png", "clean.png", picture),
        ],
    );
    assert_eq!(fates[..3], ["unreadable"; 3]);
    assert_eq!(fates[3..10], ["citizen-data"; 7]);
    assert_eq!(fates[10..], ["kept"; 2]);
}

/// Behind the end of a file stands another one, which no program shows: it is read as that, however small a picture is before it.
#[test]
fn a32_files_behind_files() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let gate = Gate::new();
    let rows = format!("naam;bsn\r\nPol, Jan;111222333\r\nx;{BSN}\r\n").into_bytes();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&rows).unwrap();
    let packed = packed.finish().unwrap();
    let picture = |format| {
        let mut picture = Cursor::new(Vec::new());
        image::RgbImage::from_fn(24, 19, |x, y| image::Rgb([u8::try_from(x * y % 256).unwrap(); 3]))
            .write_to(&mut picture, format)
            .unwrap();
        picture.into_inner()
    };
    let filler =
        "Dit is een gewone brief met meer dan genoeg letters, zodat niemand de bladzijde voor een scan aanziet en haar nog bekijkt.";
    let pdf = || crate::extract::pdf(&[filler, filler]);
    let mut tar = vec![0; 1024];
    tar[..5].copy_from_slice(b"a.txt");
    tar[124..135].copy_from_slice(b"00000000004");
    tar[257..262].copy_from_slice(b"ustar");
    tar[512..516].copy_from_slice(b"waar");
    tar.extend([0; 1024]);
    let beginning = |whole: &[u8], part: &[u8]| [whole, part].concat();
    let mut files = Vec::new();
    for format in [Bmp, Gif, Jpeg, Png, Tiff, WebP] {
        files.push(("image/x", "rijen", beginning(&picture(format), &rows)));
        files.push(("image/x", "ingepakt", beginning(&picture(format), &packed)));
        files.push(("image/x", "en nog een plaat", beginning(&beginning(&picture(format), &picture(format)), &rows)));
        files.push(("image/x", "onbekend", beginning(&picture(format), &b"\x01\x02\xfe\xfd\x9a\x9b\x05\x06".repeat(5))));
        files.push(("image/x", "kort", beginning(&picture(format), BSN.as_bytes())));
    }
    files.push(("application/pdf", "rijen.pdf", beginning(&pdf(), &rows)));
    files.push(("application/pdf", "ingepakt.pdf", beginning(&pdf(), &packed)));
    files.push(("application/pdf", "tussen.pdf", beginning(&beginning(&pdf(), &rows), b"\n%%EOF\n")));
    files.push(("application/x-tar", "rijen.tar", beginning(&tar, &rows)));
    files.push(("application/x-tar", "ingepakt.tar", beginning(&tar, &packed)));
    let hiding = files.len();
    for format in [Bmp, Gif, Jpeg, Png, Tiff, WebP] {
        files.push(("image/x", "alleen", picture(format)));
        files.push(("image/x", "opgevuld", beginning(&picture(format), &[0; 512])));
        files.push(("image/x", "overgebleven", beginning(&picture(format), b"\x1a\x14\0;;\xba\nD\x14\0\0;;")));
    }
    let note = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1763719200000SEFH\x6a\0\0\0\x01\0\0\0\0\0\x01\x0a\x23\0\0\0\x23\0\0\0\x18\0\0\0SEFT";
    files.push(("image/jpeg", "telefoon.jpg", beginning(&picture(Jpeg), note)));
    files.push(("application/pdf", "schoon.pdf", beginning(&pdf(), b"\r\n\0\0")));
    files.push(("application/x-tar", "schoon.tar", tar.clone()));
    let fates = fates(&gate, &files);
    for ((_, name, _), fate) in files.iter().zip(&fates).take(hiding) {
        assert_eq!(fate, if *name == "onbekend" { "unreadable" } else { "citizen-data" }, "{name}: {fates:?}");
    }
    assert!(fates[hiding..].iter().all(|fate| fate == "kept"), "{:?}", &fates[hiding..]);
}

/// Files of text in another alphabet are read by the charset that their part names, and as a mail what is one.
#[test]
fn a32_what_a_part_says_of_its_text() {
    let gate = Gate::new();
    let words = "Назва;Кількість\nДороги;3\n".repeat(4);
    let cyrillic = |text: &str| encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
    let quoted = "From: x@y.example\nContent-Transfer-Encoding: quoted-printable\n\nGegevens: =42SN 1112=322333\n";
    let named = "Subject: door\nContent-Type: text/html\n\n<html><p>BSN 11122<b>2333</b></html>\n";
    let note = "From: Jan\nTo: Piet\nAfspraak: de vergadering is om 10 uur\n";
    let octets = "application/octet-stream";
    let fates = fates(
        &gate,
        &[
            ("text/csv; charset=windows-1251", "lijst.csv", cyrillic(&words)),
            ("text/csv; charset=\"CP1251\"", "lijst.csv", cyrillic(&format!("{words}{BSN};1\n"))),
            ("text/csv", "lijst.csv", cyrillic(&words)),
            (octets, "door.dat", quoted.into()),
            (octets, "door.eml", named.into()),
            (octets, "notitie.txt", note.into()),
            ("text/plain", "notitie.txt", format!("{note}Naam: J. Pol\nGeboren: 12-03-1961\n").into()),
        ],
    );
    assert_eq!(fates, ["kept", "citizen-data", "unreadable", "citizen-data", "citizen-data", "kept", "citizen-data"]);
}

/// An answer names the mail that it answers, but not with what that mail was turned back for.
#[test]
fn a20_ids_carry_nothing_on() {
    let gate = Gate::new();
    let labelled = "Message-ID: <bsn-111222333@waterwolde.example>\n";
    let plain = "Message-ID: <111222333@waterwolde.example>\nReferences: <a@waterwolde.example> <111.222.333@waterwolde.example>\n";
    let letters = gate.live(&[authentic(CONTACT, labelled, "Vraag."), authentic(CONTACT, plain, BSN), authentic(CONTACT, plain, "Vraag.")]);
    assert_eq!(letters.len(), 3);
    for letter in &letters[..2] {
        let digits: String = String::from_utf8_lossy(&letter.raw).chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains("111222333"));
        assert_eq!((letter.header("Auto-Submitted").as_deref(), letter.header("In-Reply-To")), (Some("auto-replied"), None));
        assert!(letter.text().contains("https://portaal.zaakwijs.example"));
    }
    // Alone, a number without a name is a number of some program.
    assert_eq!(letters[2].header("In-Reply-To").as_deref(), Some("<111222333@waterwolde.example>"));
    assert_eq!(gate.tickets().len(), 1);
}

/// The same in the text: another encoding than the label says or than anybody knows, markup that no reader shows, forms.
#[test]
fn a32_text_beside_what_is_shown() {
    let gate = Gate::new();
    let text = |kind: &str, body: &str| authentic(CONTACT, &format!("MIME-Version: 1.0\nContent-Type: {kind}\n"), body);
    let html = |body: &str| text("text/html", body);
    let spoken = [
        text("text/plain; charset=utf-16", BSN),
        html("<p>Dag<![CDATA[BSN 111222333]]></p>"),
        html("<p>Dag<?kenmerk BSN 111222333?></p>"),
        html("<p>Dag</p kenmerk=\"BSN 111222333\">"),
        html("<style>p::after { content: \"BSN 111222333\" }</style><p>Dag</p>"),
        html("<style>p::after { content: \"BSN \\31\\31\\31 222\" \"333\" }</style><p>Dag</p>"),
        html("<p>Dag</p><script>x = 'BSN \\u0031\\u0031\\x31222333'</script>"),
        html("<p>Dag</p><script>x = 'BSN ' + String.fromCharCode(49, 49, 49, 50, 50, 50, 51, 51, 51)</script>"),
        html("<p data-bsn=111222333 onclick=\"x()\">Dag</p>"),
        html("<p>BSN &#9312;&#9312;&#9312;&sup2;&#x00b2;&#178;333</p>"),
        html("<form><label>BSN</label><input value=\"111222333\"></form>"),
        html("<form><input name=bsn value=111222333></form>"),
        text("text/plain", &format!("Uw kenmerk: {}", base64(BSN.as_bytes()))),
    ];
    for (told, number) in gate.explain(&spoken).iter().zip(1..) {
        assert_eq!(told["reasons"], serde_json::json!(["citizen-data-in-text"]), "{number}");
    }
    let unknown = text("text/plain\nContent-Transfer-Encoding: base91", &base64(BSN.as_bytes()));
    assert_eq!(fate(&gate.explain(&[unknown])[0]), "unreadable");
    // A second name is a name; the text, and what else was sent, are kept.
    let names = "Content-Type: text/csv; name=\"BSN 111222333.csv\"\nContent-Disposition: attachment; filename=a.csv";
    let mixed = format!("--b\nContent-Type: text/plain\n\nZie bijlage.\n--b\n{names}\n\na;b\n--b--\n");
    let told = &gate.explain(&[text("multipart/mixed; boundary=b", &mixed)])[0];
    assert_eq!((fate(told).as_str(), told["verdict"].as_str()), ("citizen-data", Some("open")));
    assert_eq!(told["findings"][0]["where"], "file-name");
}

/// What is locked is not opened, no password is tried, and the sender is told of the portal.
#[test]
fn a33_locked_archives() {
    let gate = Gate::new();
    let story = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mails/locked-archive-is-turned-back.eml")).unwrap();
    // A member whose flag alone says encrypted.
    let mut zip = zipped(&[("lijst.csv", b"kolom;waarde\n")]);
    for signature in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let at = zip.windows(4).position(|bytes| bytes == signature).unwrap();
        zip[at + if signature[2] == 3 { 6 } else { 8 }] |= 1;
    }
    let locked = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/locked");
    let read = |name: &str| ("application/octet-stream", name.to_owned(), fs::read(locked.join(name)).unwrap());
    let mut files: Vec<_> =
        ["aes.zip", "zipcrypto.zip", "content.7z", "header.7z", "password.pdf", "password.docx", "password.xlsx"].map(read).into();
    files.push(("application/zip", "flag.zip".to_owned(), zip));
    let files: Vec<(&str, &str, Vec<u8>)> = files.iter().map(|(kind, name, bytes)| (*kind, name.as_str(), bytes.clone())).collect();
    all_withheld(&gate, &files);
    // Beside its password in the mail.
    let letters =
        gate.live(&[story, with_files(&[("application/zip", "slot.zip", &files[0].2), ("text/plain", "wachtwoord.txt", b"geheim")])]);
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter.text().lines().any(|line| line == "https://portaal.zaakwijs.example")));
}

/// Formulas in names stay text in what a spreadsheet may open. All exports but one are JSON, where a cell cannot begin with one.
#[test]
fn a34_formula_injection() {
    let gate = Gate::new();
    let name = "=HYPERLINK(\"http://evil.example\")";
    gate.live(&[super::raw(
        &vouched("evil.example"),
        &format!("From: \"{}\" <x@evil.example>\n", name.replace('"', "\\\"")),
        "Subject: =cmd|' /C calc'!A0\n",
        "@SUM(1)",
    )]);
    let exports = [
        &["tickets", "list", "--json"][..],
        &["queue", "list", "--json"],
        &["outbox", "list", "--all", "--json"],
        &["contacts", "list", "--json"],
    ];
    for arguments in exports {
        for line in gate.world.run(arguments).ok().stdout.lines() {
            assert!(line.starts_with('{') && serde_json::from_str::<Value>(line).is_ok(), "{arguments:?}: {line}");
        }
    }
    assert_eq!(gate.ticket("PK-00001")["history"][0]["author_name"], name);
    gate.live(&[authentic(CONTACT, "", "Wilt u Joost van Dam toegang geven tot het klantportaal?")]);
    let invite = ["portal", "invite", "PK-00002", "--email", "j.vandam@waterwolde.example", "--name", name];
    gate.world.run_at(super::NOW, &invite).ok();
    let csv = gate.world.run_at(super::NOW, &["portal", "roster", "--csv"]).ok().stdout;
    assert!(
        csv.contains("HYPERLINK") && !csv.lines().any(|line| line.split(',').any(|cell| cell.trim_start_matches('"').starts_with('='))),
        "{csv}"
    );
}
