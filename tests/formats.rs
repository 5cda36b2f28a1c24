//! Files as real programs wrote them, in disguise, broken and as bombs: read wherever a number hides, or unreadable, never a stop.

use crate::extract::{pdf, zipped};
use crate::support::world::World;
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt, stream};
use postkamer::extract::{Extractor, Limits};
use postkamer::parse::document::Document;
use postkamer::screen::{Policy, screen_document};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn extractor() -> Extractor {
    let limits = Limits { deadline: Duration::from_secs(120), ..Limits::default() };
    Extractor::with_program(PathBuf::from(env!("CARGO_BIN_EXE_postkamer")), limits)
}

fn numbers(document: &Document) -> u32 {
    let findings = screen_document(document, None, &Policy::default()).findings;
    findings.iter().filter_map(|finding| finding.kinds.get("bsn")).sum()
}

/// `fixtures/files/<format>-<place>.…`: each holds one number in that place (fixtures/README.md).
#[tokio::test]
async fn files_of_real_programs_are_read_wherever_a_number_hides() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 25);
    let extractor = &extractor();
    let missed: Vec<String> = stream::iter(paths)
        .map(|path| async move {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let document = extractor.read(std::fs::read(&path).unwrap(), None, None).await;
            let format = match name.split('-').next().unwrap() {
                "dat" => "tnef",
                format => format,
            };
            let read = document.format == format && document.unreadable.is_none() && numbers(&document) == 1;
            (!read).then(|| format!("{name}: {} {:?} {}", document.format, document.unreadable, numbers(&document)))
        })
        .buffer_unordered(2)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(missed.is_empty(), "{missed:#?}");
}

/// A module of macros as Office packs it (MS-OVBA), with every letter as it is.
fn packed_module(source: &str) -> Vec<u8> {
    let tokens: Vec<u8> = source.as_bytes().chunks(8).flat_map(|eight| [&[0], eight].concat()).collect();
    let header = 0xb000 | u16::try_from(tokens.len() - 1).unwrap();
    [&[1], header.to_le_bytes().as_slice(), &tokens].concat()
}

#[tokio::test]
async fn the_source_of_macros_is_read() {
    let module = packed_module("Attribute VB_Name = \"Module1\"\r\n' Opzoeken van BSN 123456782 gaat fout\r\nSub Zoek()\r\nEnd Sub\r\n");
    let mut ole = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    ole.create_storage("/VBA").unwrap();
    for (name, content) in [("/VBA/dir", b"dir".as_slice()), ("/VBA/Module1", &[b"compiled".as_slice(), &module].concat())] {
        ole.create_stream(name).unwrap().write_all(content).unwrap();
    }
    let project = ole.into_inner().into_inner();
    let letter = "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\"><w:p><w:r><w:t>Geen bijzonderheden.</w:t></w:r></w:p></w:document>";
    let types = b"<?xml version=\"1.0\"?><Types/>".as_slice();
    let file =
        zipped(&[("[Content_Types].xml", types), ("word/document.xml", letter.as_bytes()), ("word/vbaProject.bin", project.as_slice())]);
    let document = extractor().read(file, None, None).await;
    assert_eq!((document.format.as_str(), document.unreadable, numbers(&document)), ("docx", None, 1));
}

/// Whether the number stands in the bytes with its label before it, so that some reader could still show it.
fn shows_number(bytes: &[u8]) -> bool {
    let plain: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    plain.windows(9).enumerate().any(|(at, window)| {
        window == b"123456782" && plain[at.saturating_sub(40)..at].windows(3).any(|label| label.eq_ignore_ascii_case(b"bsn"))
    })
}

/// Cut off anywhere, or with bytes changed: unreadable, or found all the same, and never a stop. Where a number is packed, no damage may
/// come out clean; where it stands as it is, none that leaves it and its label in place. A picture that is changed is only another one.
#[tokio::test]
async fn damaged_files_of_every_format_are_never_clean_while_they_show_a_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let filler =
        "Dit is een gewone brief met meer dan genoeg letters, zodat niemand de bladzijde voor een scan aanziet en haar nog bekijkt.";
    let mail = "From: a@b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nBSN 123456782\n--b--\n";
    let slide = "<?xml version=\"1.0\"?><p:sld xmlns:p=\"p\" xmlns:a=\"a\"><a:p><a:r><a:t>BSN 123456782</a:t></a:r></a:p></p:sld>";
    let pictures = ["jpg-turned.jpg", "gif-third-frame.gif", "webp-second-frame.webp", "tiff-fax.tiff"].map(|name| (name, file(name)));
    let documents = [
        "xls-comment.xls",
        "xlsb-cell.xlsb",
        "doc-comment.doc",
        "ods-comment.ods",
        "odt-header.odt",
        "odp-notes.odp",
        "rtf-table.rtf",
        "msg-html.msg",
        "msg-attachment.msg",
        "7z-lzma2.7z",
        "zip-deflate64.zip",
        "dat-winmail.dat",
        "pdf-xfa.pdf",
    ];
    let mut originals: Vec<(&str, Vec<u8>)> = documents.map(|name| (name, file(name))).to_vec();
    originals.extend([
        ("pdf", pdf(&[filler, filler, "BSN 123456782"])),
        ("eml", mail.as_bytes().to_vec()),
        ("pptx", zipped(&[("[Content_Types].xml", b"<?xml version=\"1.0\"?><Types/>"), ("ppt/slides/slide1.xml", slide.as_bytes())])),
        ("gz", gzipped(b"BSN;x\n123456782;1\n")),
    ]);
    let mut state = 20_261_122_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut damaged = Vec::new();
    for (name, original) in originals {
        for round in 0..6 {
            let mut bytes = original.clone();
            if round % 2 == 0 {
                bytes.truncate(1 + random(original.len() - 1));
            } else {
                for _ in 0..1 + bytes.len() / 500 {
                    let at = random(bytes.len());
                    bytes[at] ^= u8::try_from(1 + random(255)).unwrap();
                }
            }
            let must = shows_number(&bytes) || !shows_number(&original);
            damaged.push((format!("{name}, round {round}"), bytes, must));
        }
    }
    damaged.extend(pictures.map(|(name, bytes)| (name.to_owned(), bytes[..bytes.len() / 2].to_vec(), true)));
    let broken = std::fs::read_dir(folder.join("../broken")).unwrap().map(|entry| entry.unwrap().path());
    damaged.extend(broken.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap(), true)));
    let extractor = &extractor();
    let clean: Vec<String> = stream::iter(damaged)
        .map(|(name, bytes, must)| async move {
            let document = extractor.read(bytes, None, None).await;
            (must && document.unreadable.is_none() && numbers(&document) == 0).then_some(name)
        })
        .buffer_unordered(2)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(clean.is_empty(), "{clean:#?}");
}

#[tokio::test]
async fn every_encoding_with_and_without_a_mark_is_read() {
    let words = "Størrelse: größer, één\nnavn;fødselsdato\nKåre Tveit;12.03.1961\nGunnhild Brekke;07.11.1948\n";
    let wide: Vec<u16> = words.encode_utf16().collect();
    let (little, big): (Vec<u8>, Vec<u8>) =
        (wide.iter().flat_map(|unit| unit.to_le_bytes()).collect(), wide.iter().flat_map(|unit| unit.to_be_bytes()).collect());
    let four = |bytes: fn(u32) -> [u8; 4]| words.chars().flat_map(|c| bytes(u32::from(c))).collect::<Vec<u8>>();
    let (little4, big4) = (four(u32::to_le_bytes), four(u32::to_be_bytes));
    let dos: Vec<u8> = words
        .chars()
        .map(|c| match c {
            'ø' => 0x9b,
            'ö' => 0x94,
            'ß' => 0xe1,
            'é' => 0x82,
            'å' => 0x86,
            c => u8::try_from(u32::from(c)).unwrap(),
        })
        .collect();
    let (windows, ..) = encoding_rs::WINDOWS_1252.encode(words);
    let (macintosh, ..) = encoding_rs::MACINTOSH.encode(words);
    let mut files = vec![
        words.as_bytes().to_vec(),
        windows.into_owned(),
        macintosh.into_owned(),
        dos,
        little.clone(),
        big.clone(),
        little4.clone(),
        big4.clone(),
    ];
    for (mark, rest) in [
        (b"\xef\xbb\xbf".as_slice(), words.as_bytes()),
        (b"\xff\xfe", &little),
        (b"\xfe\xff", &big),
        (b"\xff\xfe\0\0", &little4),
        (b"\0\0\xfe\xff", &big4),
    ] {
        files.push([mark, rest].concat());
    }
    let extractor = extractor();
    for (number, file) in files.into_iter().enumerate() {
        let document = extractor.read(file, None, None).await;
        let found = screen_document(&document, None, &Policy::default()).findings;
        assert_eq!((document.unreadable, found.len()), (None, 1), "encoding {number}");
    }
}

/// THREATS §1 row 32: content decides, not the name; what is two files is read as both.
#[tokio::test]
async fn content_decides_and_two_files_in_one_are_both_read() {
    let filler =
        "Dit is een gewone brief met meer dan genoeg letters, zodat niemand de bladzijde voor een scan aanziet en haar nog bekijkt.";
    let csv = b"BSN;plaats\n123456782;Waterwolde\n".as_slice();
    let archive = zipped(&[("lijst.csv", csv)]);
    let empty = zipped(&[("leeg.txt", b"leeg")]);
    let letter = pdf(&[filler, filler]);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("brief.pdf", [letter.as_slice(), &archive].concat(), "pdf"),
        ("brief.zip", [pdf(&[filler, filler, "BSN 123456782"]).as_slice(), &empty].concat(), "pdf"),
        ("notitie.txt", b"<html><body><table><tr><td>BSN</td></tr><tr><td>123456782</td></tr></table></body></html>".to_vec(), "html"),
        ("foto.jpg", csv.to_vec(), "csv"),
        ("lijst.csv", archive.clone(), "zip"),
        ("tekst.docx", b"{\\rtf1\\ansi BSN 123456782\\par}".to_vec(), "rtf"),
    ];
    let extractor = extractor();
    for (name, bytes, format) in cases {
        let document = extractor.read(bytes, Some("image/jpeg"), Some(name)).await;
        assert_eq!((document.format.as_str(), document.unreadable, numbers(&document)), (format, None, 1), "{name}");
    }
    // Words before a zip: one program shows the words, another the zip.
    let document = extractor.read(["Vraag over een zaak. ".repeat(2_000).as_bytes(), &archive].concat(), None, None).await;
    assert!(document.unreadable.is_some() || numbers(&document) == 1);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// THREATS §1 rows 24 to 29: each costs one unreadable document, in bounded memory, and the reading goes on.
#[tokio::test]
async fn bombs_are_unreadable_and_the_reading_goes_on() {
    let part = |name: &str, xml: &str| zipped(&[("[Content_Types].xml", b"<?xml version=\"1.0\"?><Types/>"), (name, xml.as_bytes())]);
    let laughs = (0..9).fold("<!DOCTYPE l [<!ENTITY a0 \"ha\">".to_owned(), |xml, n| {
        xml + &format!("<!ENTITY a{} \"{}\">", n + 1, format!("&a{n};").repeat(10))
    });
    let laughs = format!("<?xml version=\"1.0\"?>{laughs}]><l>&a9;</l>");
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><w:document xmlns:w=\"w\"><w:t>&f;</w:t></w:document>";
    // Two entries of the list of members that lead to one member.
    let mut overlapping = zipped(&[("a.txt", b"een"), ("b.txt", b"twee")]);
    let second = overlapping.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    overlapping[second + 42..second + 46].fill(0);
    // A size that only ZIP64 could hold, and no such record.
    let mut false_size = zipped(&[("a.txt", b"een")]);
    let entry = false_size.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    false_size[entry + 20..entry + 28].fill(0xff);
    let zeros = gzipped(&vec![0; 20_000_000]);
    let forty_two = (0..3).fold(zeros.clone(), |inner, _| {
        zipped(
            &(0..4).map(|_| "a.gz").enumerate().map(|(n, _)| (["1.gz", "2.gz", "3.gz", "4.gz"][n], inner.as_slice())).collect::<Vec<_>>(),
        )
    });
    let huge_picture =
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0\x86\xfa\xd9\x0e".as_slice(), &[0; 64]].concat();
    let mut deep_mail = "BSN 123456782".to_owned();
    for level in 0..40 {
        deep_mail = format!(
            "MIME-Version: 1.0\nSubject: x\nFrom: a@b.example\nContent-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n{deep_mail}\n--b{level}--\n"
        );
    }
    let mut lying_tar = vec![0; 2_048];
    lying_tar[..5].copy_from_slice(b"a.txt");
    lying_tar[124..135].copy_from_slice(b"77777777777");
    lying_tar[257..262].copy_from_slice(b"ustar");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("billion laughs", laughs.clone().into_bytes()),
        ("billion laughs in a document", part("word/document.xml", &laughs)),
        ("a file of the host in a document", part("word/document.xml", outside)),
        ("a file of the host in a sheet", part("xl/worksheets/sheet1.xml", outside)),
        ("overlapping members", overlapping),
        ("false size", false_size),
        ("zeros in gzip", zeros),
        ("zips of zips of zeros", forty_two),
        ("a picture of 64k x 64k", huge_picture),
        ("mail in mail", deep_mail.into_bytes()),
        ("a tar that lies", lying_tar),
        ("brackets", [b"%PDF-1.4\n".as_slice(), &vec![b'['; 200_000]].concat()),
        ("cut 7z", b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0\0".to_vec()),
        ("an old workbook of nothing", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0xff; 600]].concat()),
    ];
    let extractor = &extractor();
    let clean: Vec<&str> = stream::iter(cases)
        .map(|(name, bytes)| async move { extractor.read(bytes, None, None).await.unreadable.is_none().then_some(name) })
        .buffer_unordered(2)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(clean.is_empty(), "{clean:?}");
    assert_eq!(numbers(&extractor.read(b"BSN 123456782".to_vec(), None, None).await), 1);
}

/// A parser serves two hundred documents, one after the other, and is then replaced; so is one that failed.
#[tokio::test]
async fn a_parser_serves_two_hundred_documents() {
    let folder = tempfile::tempdir().unwrap();
    let (program, started) = (folder.path().join("postkamer"), folder.path().join("started"));
    let script = format!("#!/bin/sh\necho x >> {}\nexec {} \"$@\"\n", started.display(), env!("CARGO_BIN_EXE_postkamer"));
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let extractor = Extractor::with_program(program, Limits { workers: 1, ..Limits::default() });
    let parsers = || std::fs::read_to_string(&started).unwrap().lines().count();
    for _ in 0..200 {
        assert_eq!(extractor.read(b"Geen bijzonderheden.".to_vec(), None, None).await.unreadable, None);
    }
    assert_eq!(parsers(), 1);
    assert_eq!(extractor.read(b"Geen bijzonderheden.".to_vec(), None, None).await.unreadable, None);
    assert_eq!(parsers(), 2);
}

/// Killed without a chance to clean up, a parent takes its workers along.
#[test]
fn workers_die_with_their_parent() {
    for worker in ["", "cat"] {
        // The shell is the parent; the worker's input stays open in this test, so that it does not end by itself.
        let script = "exec 3<&0; \"$0\" worker $1 <&3 >/dev/null & echo $!; wait";
        let mut parent = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_postkamer"), worker])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        let status = format!("/proc/{}/status", pid.trim());
        crate::support::eventually("the worker locks itself in", || {
            std::fs::read_to_string(&status).ok().filter(|status| status.contains("Seccomp:\t2"))
        });
        parent.kill().unwrap();
        parent.wait().unwrap();
        let gone = || std::fs::read_to_string(&status).map_or(Some(()), |status| status.contains("State:\tZ").then_some(()));
        crate::support::eventually("the worker dies", gone);
    }
}

#[test]
fn what_cannot_be_opened_is_named_and_the_rest_is_done() {
    let world = World::new();
    let folder = world.dir.join("files");
    std::fs::create_dir_all(folder.join("map")).unwrap();
    std::fs::write(folder.join("map/schoon.txt"), "Geen bijzonderheden.").unwrap();
    std::os::unix::fs::symlink("/nonexistent", folder.join("map/los")).unwrap();
    let (folder, missing) = (folder.to_str().unwrap(), world.dir.join("weg.txt"));
    let missing = missing.to_str().unwrap();
    let screened = world.run(&["screen", "--json", missing, folder]).exits(1);
    assert!(screened.stderr.contains("weg.txt cannot be read"), "{}", screened.stderr);
    let lines = screened.json();
    assert_eq!((lines.len(), lines[0]["outcome"].as_str(), lines[0]["why"].is_null()), (1, Some("clean"), true));
    world.run(&["screen", folder]).ok();
    world.run(&["screen", "--desk", "nowhere", folder]).exits(2);
    let piped = world.finish(world.command(&["screen", "--json", "--desk", "support", "-"]), b"\0\x01\x02\x03").exits(1).json();
    assert_eq!((piped[0]["outcome"].as_str(), piped[0]["why"].as_str()), (Some("unreadable"), Some("unknown-format")));

    let mail = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mails/calendar-invitation.eml");
    let mail = mail.to_str().unwrap();
    for command in [vec!["explain", missing, mail], vec!["deliver", "--desk", "support", missing, mail]] {
        let ran = world.run(&command).exits(1);
        assert!(ran.stderr.contains("weg.txt cannot be read"), "{}", ran.stderr);
    }
    assert!(!world.run(&["status", "--json"]).ok().stdout.is_empty());
}
