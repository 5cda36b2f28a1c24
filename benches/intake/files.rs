//! Files as they come with mails, made from a seed. Everything in them is invented.

use std::fmt::Write as _;
use std::io::Write as _;

use super::mails::{DUTCH, Random, paragraph};

/// A page of rows without anything personal.
pub fn csv(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("zaaktype;aantal;gemiddelde doorlooptijd;afdeling\r\n");
    for _ in 0..random.between(20, 200) {
        let what = random.pick(&["Verhuizing", "Evenement", "Kapvergunning", "Parkeren"]);
        let _ = write!(text, "{what};{};{} dagen;afdeling {}\r\n", random.below(400), random.below(60), random.below(12));
    }
    text.into_bytes()
}

/// The same with citizens in it.
pub fn csv_of_citizens(random: &mut Random) -> Vec<u8> {
    let mut text = String::from("bsn;achternaam;geboortedatum\r\n");
    for _ in 0..random.between(3, 40) {
        let (day, year) = (random.between(10, 28), random.between(1950, 2005));
        let _ = write!(text, "{};{};{day}-03-{year}\r\n", service_number(random), random.pick(&["Jansen", "Peeters", "Smit", "Koster"]));
    }
    text.into_bytes()
}

/// An invented number that passes the Dutch eleven test.
pub fn service_number(random: &mut Random) -> String {
    loop {
        let digits: Vec<u64> = (0..8).map(|place| if place == 0 { random.between(1, 9) } else { random.below(10) }).collect();
        let sum: u64 = digits.iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        if sum % 11 < 10 {
            return digits.iter().chain([&(sum % 11)]).map(u64::to_string).collect();
        }
    }
}

/// Small enough to count as decoration, as in signatures.
pub fn logo(random: &mut Random) -> Vec<u8> {
    png(random, 140, 60)
}

/// Large enough to be read letter by letter.
pub fn screenshot(random: &mut Random) -> Vec<u8> {
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

/// Two to six pages of text, compressed as every program writes them.
pub fn pdf(random: &mut Random) -> Vec<u8> {
    let pages = random.between(2, 6);
    let mut objects: Vec<Vec<u8>> = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", (0..pages).map(|n| format!("{} 0 R ", 4 + 2 * n)).collect::<String>())
            .into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for page in 0..pages {
        let mut text = String::from("BT /F1 11 Tf 60 780 Td 14 TL\n");
        for _ in 0..40 {
            let _ = writeln!(text, "({}) Tj T*", random.pick(DUTCH.sentences));
        }
        text.push_str("ET\n");
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).expect("a compressed page");
        let packed = packed.finish().expect("a compressed page");
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
                5 + 2 * page
            )
            .into_bytes(),
        );
        let head = format!("<< /Length {} /Filter /FlateDecode >>\nstream\n", packed.len());
        objects.push([head.as_bytes(), &packed, b"\nendstream"].concat());
    }
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n", index + 1).into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(tail, "{offset:010} 00000 n ");
    }
    let _ = write!(tail, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    [file, tail.into_bytes()].concat()
}

/// A sheet of 30 to 300 rows.
pub fn xlsx(random: &mut Random) -> Vec<u8> {
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
    zipped(&parts)
}

/// A letter of 10 to 60 paragraphs.
pub fn docx(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..random.between(10, 60) {
        let _ = write!(text, "<w:p><w:r><w:t>{}</w:t></w:r></w:p>", paragraph(random, DUTCH, 2, 6));
    }
    const MAIN: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";
    zipped(&[
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/word/document.xml\" \
                 ContentType=\"{WORD}.document.main+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" \
                 Target=\"word/document.xml\"/></Relationships>"
            ),
        ),
        ("word/document.xml", format!("<w:document xmlns:w=\"{MAIN}\"><w:body>{text}</w:body></w:document>")),
    ])
}

fn zipped(parts: &[(&str, String)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a part of the archive");
        write!(archive, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{content}").expect("a part of the archive");
    }
    archive.finish().expect("the archive").into_inner()
}
