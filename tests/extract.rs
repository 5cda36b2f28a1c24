//! Files through the real workers: what they say comes out, and what is broken, locked or a bomb is never clean.

use postkamer::extract::{Extractor, Limits};
use postkamer::parse::document::{Content, Document, Unreadable};
use postkamer::screen::{Policy, screen_document};
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;
use zip::write::SimpleFileOptions;

fn extractor() -> Extractor {
    Extractor::with_program(
        PathBuf::from(env!("CARGO_BIN_EXE_postkamer")),
        Limits { deadline: Duration::from_secs(120), ..Limits::default() },
    )
}

async fn read(bytes: &[u8]) -> Document {
    extractor().read(bytes.to_vec(), None, None).await
}

fn text(document: &Document) -> String {
    let mut all = String::new();
    for piece in &document.pieces {
        match &piece.content {
            Content::Lines(lines) => lines.iter().for_each(|line| all += &format!("{line}\n")),
            Content::Table(rows) => rows.iter().for_each(|row| all += &format!("{}\n", row.join("\t"))),
        }
    }
    all
}

/// `name: count` of what is found in a file.
fn kinds(document: &Document) -> Vec<(&'static str, u32)> {
    screen_document(document, None, &Policy::default()).findings.iter().flat_map(|finding| finding.kinds.clone()).collect()
}

pub fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A small workbook as Excel writes it: two sheets, the second hidden, and a comment.
static XLSX: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let sheet = |rows: &str| {
        format!(
            r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        )
    };
    let hidden = sheet(
        r#"<row r="3"><c r="B3" t="inlineStr"><is><t>BSN</t></is></c></row><row r="4"><c r="B4"><v>111222333</v></c></row><row r="5"><c r="B5"><v>123456782</v></c></row>"#,
    );
    zipped(&[
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#),
        ("_rels/.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Planning" sheetId="1" r:id="rId1"/><sheet name="Blad2" sheetId="2" state="hidden" r:id="rId2"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#),
        ("xl/worksheets/sheet1.xml", sheet(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Week</t></is></c></row>"#).as_bytes()),
        ("xl/worksheets/sheet2.xml", hidden.as_bytes()),
        ("xl/comments1.xml", br#"<?xml version="1.0"?><comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><commentList><comment ref="A1"><text><r><t>zie bsn 999</t></r><r><t>990639</t></r></text></comment></commentList></comments>"#),
    ])
});

static DOCX: LazyLock<Vec<u8>> = LazyLock::new(|| {
    zipped(&[
        ("[Content_Types].xml", b"<?xml version=\"1.0\"?><Types/>"),
        ("word/document.xml", br#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>Beste collega</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>BSN</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Plaats</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>1234</w:t></w:r><w:r><w:t>56782</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl></w:body></w:document>"#),
        ("word/footer1.xml", br#"<?xml version="1.0"?><w:ftr xmlns:w="w"><w:p><w:r><w:t>BSN 111222333</w:t></w:r></w:p></w:ftr>"#),
    ])
});

#[tokio::test]
async fn text_of_every_encoding_and_separator_is_read() {
    let words = "Naam;BSN;Plaats\nFrançois;123456782;'s-Gravenhage\n";
    let utf16: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(words);
    let bom: Vec<u8> = [b"\xef\xbb\xbf".as_slice(), words.as_bytes()].concat();
    for bytes in [words.as_bytes(), &utf16, &latin, &bom, words.replace(';', "\t").as_bytes(), words.replace(';', ",").as_bytes()] {
        let document = read(bytes).await;
        assert!(matches!(document.format.as_str(), "csv" | "tsv"), "{}", document.format);
        assert_eq!((document.unreadable, kinds(&document)), (None, vec![("bsn", 1)]));
        assert!(text(&document).contains("François"));
    }
}

#[tokio::test]
async fn hidden_sheets_and_comments_of_a_workbook_are_read() {
    let document = read(&XLSX).await;
    assert_eq!((document.format.as_str(), document.unreadable), ("xlsx", None));
    assert_eq!(kinds(&document), [("bsn", 3)]);
}

#[tokio::test]
async fn tables_and_footers_of_a_letter_are_read() {
    let document = read(&DOCX).await;
    assert_eq!((document.format.as_str(), document.unreadable), ("docx", None));
    assert_eq!(kinds(&document), [("bsn", 2)]);
}

#[tokio::test]
async fn containers_are_read_to_the_bottom_with_their_names() {
    let inner = zipped(&[("lijst.csv", b"BSN;x\n123456782;1\n"), ("bsn_111222333.txt", b"leeg")]);
    let mail = [b"From: a@waterwolde.example\r\nTo: b@zaakwijs.example\r\nSubject: vraag\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n".as_slice(), base64(&inner).as_bytes(), b"\r\n--x--\r\n"].concat();
    for bytes in [zipped(&[("map/binnen.zip", &inner)]), mail] {
        let document = read(&bytes).await;
        assert_eq!(document.unreadable, None, "{}", document.format);
        assert_eq!(kinds(&document), [("bsn", 1), ("bsn", 1)], "{}", document.format);
    }
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let mut encrypted = zip::ZipWriter::new(Cursor::new(Vec::new()));
    encrypted.start_file("a.txt", SimpleFileOptions::default()).unwrap();
    encrypted.write_all(b"geheim").unwrap();
    let mut encrypted = encrypted.finish().unwrap().into_inner();
    // The encryption bit in the local and in the central header.
    encrypted[6] |= 1;
    let central = encrypted.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    encrypted[central + 8] |= 1;
    assert_eq!(read(&encrypted).await.unreadable, Some(Unreadable::Encrypted));

    let mut deep = zipped(&[("a.txt", b"x")]);
    for _ in 0..6 {
        deep = zipped(&[("a.zip", &deep)]);
    }
    assert_eq!(read(&deep).await.unreadable, Some(Unreadable::TooDeep));

    let bomb = zipped(&[("nul.txt", &vec![b' '; 300_000_000])]);
    assert!(bomb.len() < 1_000_000);
    assert_eq!(read(&bomb).await.unreadable, Some(Unreadable::TooLarge));

    assert_eq!(read(b"\x00\x01\x02\x03 unknown \xff\xfe\x00").await.unreadable, Some(Unreadable::UnknownFormat));
    assert_eq!(read(b"PK\x03\x04 no zip at all").await.unreadable, Some(Unreadable::Damaged));
    assert_eq!(read(b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>").await.unreadable, Some(Unreadable::Damaged));
    assert_eq!(read(b"%PDF-1.7 nothing").await.unreadable, Some(Unreadable::Damaged));
}

#[tokio::test]
async fn a_worker_that_dies_costs_one_document_and_no_more() {
    let nowhere = Extractor::with_program(PathBuf::from("/nonexistent/postkamer"), Limits::default());
    assert_eq!(nowhere.read(b"BSN 123456782".to_vec(), None, None).await.unreadable, Some(Unreadable::Damaged));
    let dies = Extractor::with_program(PathBuf::from("/bin/true"), Limits::default());
    assert_eq!(dies.read(b"BSN 123456782".to_vec(), None, None).await.unreadable, Some(Unreadable::Damaged));
    let hangs =
        Extractor::with_program(PathBuf::from("/usr/bin/yes"), Limits { deadline: Duration::from_millis(300), ..Limits::default() });
    assert_eq!(hangs.read(b"BSN 123456782".to_vec(), None, None).await.unreadable, Some(Unreadable::Damaged));
}

/// Whatever is changed or cut off: no document that held citizen data comes out both readable and without it.
#[tokio::test]
async fn damaged_files_are_never_clean_and_never_stop_the_reading() {
    let extractor = extractor();
    let mut state = 20_261_121_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for original in [&*XLSX, &*DOCX, &zipped(&[("lijst.csv", b"BSN;x\n123456782;1\n")])] {
        for round in 0..60 {
            let mut bytes = original.clone();
            if round % 2 == 0 {
                bytes.truncate(random(bytes.len()));
            } else {
                for _ in 0..1 + bytes.len() / 500 {
                    let at = random(bytes.len());
                    bytes[at] = u8::try_from(random(256)).unwrap();
                }
            }
            if bytes.is_empty() {
                continue;
            }
            let document = extractor.read(bytes, None, None).await;
            let names_only = document.format == "zip" || document.unreadable.is_some();
            assert!(names_only || !kinds(&document).is_empty(), "round {round}: {} came out clean", document.format);
        }
    }
    assert_eq!(kinds(&extractor.read(DOCX.clone(), None, None).await), [("bsn", 2)]);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .map(|three| {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            (0..4)
                .map(
                    |place| {
                        if place <= three.len() {
                            char::from(LETTERS[usize::try_from(bits >> (18 - 6 * place) & 63).unwrap()])
                        } else {
                            '='
                        }
                    },
                )
                .collect::<String>()
        })
        .collect()
}

/// A PDF of one page with these lines, uncompressed: enough for any reader.
pub fn pdf(lines: &[&str]) -> Vec<u8> {
    let words: String = lines.iter().map(|line| format!("({line}) Tj T* ")).collect();
    let content = format!("BT /F1 11 Tf 14 TL 60 780 Td {words}ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut starts = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        starts.push(file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let table = file.len();
    file += "xref\n0 6\n0000000000 65535 f \n";
    starts.iter().for_each(|start| file += &format!("{start:010} 00000 n \n"));
    file += &format!("trailer<</Size 6/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    file.into_bytes()
}

/// A page as a screen shows it, 110 dots an inch: small type, gray edges.
fn drawn(lines: &[&str]) -> image::DynamicImage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pdf");
    std::fs::write(&path, pdf(lines)).unwrap();
    let pixels = std::process::Command::new("pdftoppm")
        .args(["-r", "110", "-png", "-x", "60", "-y", "60", "-W", "700", "-H", "300"])
        .arg(&path)
        .output()
        .unwrap();
    image::load_from_memory(&pixels.stdout).unwrap()
}

fn encoded(image: &image::DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.to_rgb8().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn pages_of_a_pdf_are_read_and_broken_ones_are_not_clean() {
    let filler =
        "Dit is een gewone brief met meer dan genoeg letters, zodat niemand de bladzijde voor een scan aanziet en haar ook nog bekijkt.";
    let file = pdf(&[filler, filler, "Burgerservicenummer: 123456782"]);
    let document = read(&file).await;
    assert_eq!((document.format.as_str(), document.unreadable), ("pdf", None));
    assert_eq!(kinds(&document), [("bsn", 1)]);
    let cut = read(&file[..200]).await;
    assert!(cut.unreadable.is_some() || !kinds(&cut).is_empty());
}

#[tokio::test]
async fn pictures_and_scans_are_read() {
    let image = drawn(&["Persoonsgegevens inwoner", "Burgerservicenummer: 123456782", "Woonplaats: Waterwolde"]);
    for (format, name) in [
        (image::ImageFormat::Png, "png"),
        (image::ImageFormat::Jpeg, "jpg"),
        (image::ImageFormat::Gif, "gif"),
        (image::ImageFormat::Tiff, "tiff"),
        (image::ImageFormat::Bmp, "bmp"),
        (image::ImageFormat::WebP, "webp"),
    ] {
        let document = read(&encoded(&image, format)).await;
        assert_eq!((document.format.as_str(), document.unreadable), (name, None));
        assert_eq!(document.pixels, Some((image.width(), image.height())));
        assert_eq!(kinds(&document), [("bsn", 1)], "{name}: {}", text(&document));
    }
    let logo = read(&encoded(&image.crop_imm(0, 0, 90, 90), image::ImageFormat::Png)).await;
    assert!(logo.is_tiny_picture() && logo.unreadable.is_none() && logo.pieces.is_empty());
}

/// Runs `postkamer screen` on files with this content; gives back its exit status and its lines of JSON.
fn screened(files: &[(&str, &[u8])]) -> (Option<i32>, Vec<serde_json::Value>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_postkamer")).args(["screen", "--json"]).arg(folder.path()).output().unwrap();
    let lines = String::from_utf8(ran.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran.status.code(), lines)
}

#[test]
fn the_screen_command_says_what_a_folder_holds() {
    let (status, lines) =
        screened(&[("a.csv", b"BSN;Naam\n123456782;x\n"), ("b.txt", b"Geen bijzonderheden.\n"), ("c.bin", b"\x00\x01\x02\x03")]);
    assert_eq!(status, Some(1));
    let outcomes: Vec<_> = lines.iter().map(|line| (line["outcome"].as_str().unwrap(), line["format"].as_str().unwrap())).collect();
    assert_eq!(outcomes, [("citizen-data", "csv"), ("clean", "txt"), ("unreadable", "unknown")]);
    assert_eq!((lines[0]["kinds"]["bsn"].as_u64(), lines[0]["citizen_data"].as_bool()), (Some(1), Some(true)));
    assert!(!lines[0].to_string().contains("123456782"));
    assert_eq!(screened(&[("b.txt", b"Geen bijzonderheden.\n")]).0, Some(0));
}

#[tokio::test]
async fn what_a_pdf_holds_besides_its_pages_is_read() {
    let filler =
        "Dit is een gewone brief met meer dan genoeg letters, zodat niemand de bladzijde voor een scan aanziet en haar ook nog bekijkt.";
    let mut file = String::from_utf8(pdf(&[filler, filler])).unwrap();
    file = file.replace("%%EOF", "9 0 obj\n<</Type/EmbeddedFile/Length 20>>stream\nBSN;x\n123456782;1\n\nendstream\nendobj\n10 0 obj\n<</Type/Annot/Contents(bsn 111222333)>>\nendobj\n%%EOF");
    let document = read(file.as_bytes()).await;
    assert_eq!(document.unreadable, None);
    assert_eq!(kinds(&document), [("bsn", 2)]);
}
