//! Whole mails: what becomes of them.

use super::signed::tests::{ENVELOPED, SIGNED, cms};
use super::tnef::tests::sample;
use super::*;

fn mail(raw: &str) -> Mail {
    parse(raw.replace('\n', "\r\n").as_bytes(), false)
}

fn written(mail: &Mail) -> &str {
    mail.text.written.reveal()
}

fn also(mail: &Mail) -> String {
    mail.text.also.iter().map(|text| text.reveal().as_str()).collect::<Vec<_>>().join("|")
}

/// Declared type, name, size, what is unreadable about it, and whether it is a signature.
type Attached = (String, Option<String>, usize, Option<Opaque>, bool);

fn attached(mail: &Mail) -> Vec<Attached> {
    for (i, a) in mail.attachments.iter().enumerate() {
        assert_eq!(a.index, i);
    }
    mail.attachments
        .iter()
        .map(|a| (a.declared.clone(), a.name.as_ref().map(|n| n.reveal().clone()), a.bytes.reveal().len(), a.opaque, a.signature))
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (i, group) in bytes.chunks(3).enumerate() {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for at in 0..4 {
            out.push(if at <= group.len() { char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]) } else { '=' });
        }
        if i % 18 == 17 {
            out.push('\n');
        }
    }
    out
}

#[test]
fn a_plain_mail() {
    let mail = mail(
        "Return-Path: <a@waterwolde.example>\nDelivered-To: support@zaakwijs.example\nReceived: from x\nAuthentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\n\
         Received: from y\nFrom: \"A. de Vries\" <a.devries@waterwolde.example>\nTo: Support <support@zaakwijs.example>, B <b@x.example>\nCc: c@x.example\n\
         Subject: =?utf-8?q?Storing_caf=C3=A9?=\n =?utf-8?q?_=0D=0ABcc:_x?=\nDate: Sat, 21 Nov 2026 10:15:00 +0100\nMessage-ID: <1@waterwolde.example>\nIn-Reply-To: <2@desk>\nReferences: <3@desk> <2@desk>\n\
         X-Postkamer-Loop: abc\n\nBeste,\n\nDe site is stuk.\n",
    );
    let Author::One { address, name } = &mail.author else { panic!("an author is there") };
    assert_eq!((address.reveal(), name.reveal().as_str()), ("a.devries@waterwolde.example", "A. de Vries"));
    assert_eq!(mail.subject.reveal(), "Storing café \u{fffd}\u{fffd}Bcc: x");
    assert_eq!(mail.date, Some(1_795_252_500_000));
    assert_eq!(mail.references.len(), 2);
    assert_eq!((mail.recipients.len(), mail.cc.len(), mail.delivered_to.len(), mail.received_by.len()), (3, 1, 1, 2));
    assert_eq!(mail.authentication_results.first().map(|r| r.received_above), Some(1));
    assert_eq!(mail.loop_headers, ["abc"]);
    assert_eq!(written(&mail), "Beste,\n\nDe site is stuk.");
    assert!(mail.attachments.is_empty() && mail.text.also.is_empty());
    assert_eq!(mail.automatic, Automatic::default());
}

#[test]
fn strange_outsides() {
    for (raw, said) in [
        ("", ""),
        ("\n", ""),
        ("From: a@b.test\nSubject: x", ""),
        ("From: a@b.test\n\n", ""),
        ("\nalleen tekst", "alleen tekst"),
        ("Beste helpdesk,\n\nWij hebben: een storing.\n", "Beste helpdesk,\n\nWij hebben: een storing."),
        ("zonder kop en zonder lege regel", "zonder kop en zonder lege regel"),
        (
            "Subject: x\nContent-Type: text/plain; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9 = 100% =ZZ",
            "café = 100% =ZZ",
        ),
        ("Subject: x\nContent-Type: text\n\nhoi", "hoi"),
        ("Subject: x\nContent-Type: ; ; ;\n\nhoi", "hoi"),
        ("Subject: x\nContent-Transfer-Encoding: 8-bit\n\nhoi", "hoi"),
        ("Subject: x\nContent-Transfer-Encoding: base64\n\naG9pIQ", "hoi!"),
        ("Subject: x\nContent-Type: multipart/mixed; boundary=nergens\n\nhoi", "hoi"),
        ("Subject: x\nContent-Type: multipart/mixed\n\nhoi", "hoi"),
    ] {
        let mail = mail(raw);
        assert_eq!(written(&mail), said, "{raw:?}");
        assert!(mail.attachments.is_empty(), "{raw:?}: {:?}", attached(&mail));
    }
    assert_eq!(written(&parse(b"Subject: x\rContent-Type: text/plain\r\rhoi\r", false)), "hoi");
    let topic = mail("Subject: RE: vraag\nThread-Topic: vraag\nComments: BSN 123456782\n\nhoi");
    assert_eq!(also(&topic), "BSN 123456782");
    let stray = mail("Subject: x\nBSN 123456782\nTo: a@b.test\n\nhoi");
    assert_eq!((written(&stray), also(&stray).as_str()), ("hoi", "BSN 123456782"));
}

#[test]
fn apple_mail_puts_text_around_pictures_and_lists_put_footers_below() {
    let mail = mail(
        "Subject: x\nContent-Type: multipart/mixed; boundary=m\n\nThis is a multi-part message in MIME format.\n--m\nContent-Type: text/plain\n\neerst\n--m\nContent-Type: image/png; name=\"scherm.png\"\nContent-Disposition: inline; filename=scherm.png\nContent-Transfer-Encoding: base64\n\niVBORw0K\n\
         --m\nContent-Type: text/plain\n\ndan\n--m\nContent-Type: text/plain; name=notitie.txt\n\nin een bestand\n--m\nContent-Type: text/plain\nContent-Disposition: attachment\n\nook een bestand\n--m--\n",
    );
    assert_eq!(written(&mail), "eerst\n\ndan");
    assert_eq!(
        attached(&mail),
        [
            ("image/png".into(), Some("scherm.png".into()), 6, None, false),
            ("text/plain".into(), Some("notitie.txt".into()), 14, None, false),
            ("text/plain".into(), None, 15, None, false),
        ]
    );
    assert!(mail.text.also.is_empty());
}

#[test]
fn one_rendering_is_shown_and_the_other_screened_where_it_says_more() {
    let both = |plain: &str, html: &str| {
        mail(&format!(
            "Subject: x\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--a\nContent-Type: text/html; charset=utf-8\n\n{html}\n--a--\n--r\nContent-Type: image/gif\nContent-ID: <p1>\nContent-Transfer-Encoding: base64\n\nR0lGODlh\n--r--\n"
        ))
    };
    let same = both("Beste collega, dank je wel.", "<p>Beste collega, <b>dank</b> je wel.</p><img src='cid:p1'>");
    assert_eq!((written(&same), also(&same).as_str()), ("Beste collega, dank je wel.", ""));
    assert!(same.attachments.first().is_some_and(|a| a.inline));
    let stub = both("Uw programma toont geen HTML.", "<p>Beste collega, de burgerlijst volgt morgen per post.</p>");
    assert_eq!(
        (written(&stub), also(&stub).as_str()),
        ("Beste collega, de burgerlijst volgt morgen per post.", "Uw programma toont geen HTML.")
    );
    let more = both("Beste collega, dank je wel.", "<p>Beste collega, dank je wel.</p><table><tr><td>1234</td><td>56782</td></tr></table>");
    assert!(written(&more).starts_with("Beste collega") && (written(&more).contains("1234\t56782") || also(&more).contains("1234\t56782")));
}

#[test]
fn a_nested_mail_is_one_attachment_with_its_raw_bytes() {
    let nested = "From: c@d.test\nSubject: binnen\nX-Postkamer-Loop: nee\nContent-Type: multipart/mixed; boundary=i\n\n--i\nContent-Type: text/plain\n\nbinnentekst\n--i\nContent-Type: application/pdf; name=x.pdf\n\n%PDF\n--i--\n";
    let plain = mail(&format!(
        "Subject: x\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\nbuiten\n--m\nContent-Type: message/rfc822; name=\"mail.eml\"\n\n{nested}\n--m--\n"
    ));
    assert_eq!(written(&plain), "buiten");
    assert!(plain.loop_headers.is_empty());
    assert_eq!(plain.attachments.len(), 1);
    let bytes = plain.attachments[0].bytes.reveal().clone();
    assert_eq!(String::from_utf8_lossy(&bytes), nested.replace('\n', "\r\n"));
    let inner = parse(&bytes, false);
    assert_eq!((written(&inner), inner.attachments.len()), ("binnentekst", 1));
    let encoded = base64(nested.replace('\n', "\r\n").as_bytes());
    let encoded = mail(&format!(
        "Subject: x\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{encoded}\n--m--\n"
    ));
    assert_eq!(encoded.attachments[0].bytes.reveal(), &bytes);
    let digest =
        mail("Subject: x\nContent-Type: multipart/digest; boundary=m\n\n--m\n\nSubject: a\n\neen\n--m\n\nSubject: b\n\ntwee\n--m--\n");
    assert_eq!(attached(&digest).iter().map(|a| a.0.as_str()).collect::<Vec<_>>(), ["message/rfc822", "message/rfc822"]);
}

#[test]
fn names_in_every_encoding() {
    for (header, name) in [
        ("attachment; filename=\"lijst.csv\"", "lijst.csv"),
        ("attachment; filename*=utf-8''b%C3%BCrger%20liste.csv", "bürger liste.csv"),
        ("attachment; filename*0=\"lange \"; filename*1=\"naam.csv\"", "lange naam.csv"),
        ("attachment; filename=\"=?utf-8?q?b=C3=BCrger=2Ecsv?=\"", "bürger.csv"),
        ("attachment; filename=lijst inwoners.csv", "lijst inwoners.csv"),
        ("attachment; filename=\"a\u{202e}vsc.exe\"", "a\u{fffd}vsc.exe"),
    ] {
        let mail = mail(&format!("Subject: x\nContent-Type: application/octet-stream\nContent-Disposition: {header}\n\nx"));
        assert_eq!(attached(&mail).first().and_then(|a| a.1.clone()).as_deref(), Some(name), "{header}");
    }
    let second = mail(
        "Subject: x\nContent-Type: text/csv; name=\"jan jansen.csv\"\nContent-Description: beschrijving\nContent-Disposition: attachment; filename=a.csv\n\nx",
    );
    let beside: Vec<&str> = second.attachments[0].beside.iter().map(|text| text.reveal().as_str()).collect();
    assert_eq!(beside, ["jan jansen.csv", "beschrijving"]);
}

#[test]
fn limits_and_damage_are_said() {
    let opaque = |raw: &str| mail(raw).attachments.iter().filter_map(|a| a.opaque).collect::<Vec<_>>();
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n")).collect();
        format!("Subject: x\n{open}\nkern\n")
    };
    assert_eq!(opaque(&nested(20)), []);
    assert_eq!(opaque(&nested(21)), [Opaque::TooComplex]);
    assert_eq!(opaque(&nested(20_000)), [Opaque::TooComplex]);
    let many =
        |parts: usize| format!("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n", "--b\n\ntekst\n".repeat(parts - 1));
    assert_eq!(opaque(&many(1_000)), []);
    assert_eq!(opaque(&many(1_001)), [Opaque::TooComplex]);
    assert_eq!(opaque(&format!("Subject: x\nX-Long: {}\n\nhoi", "x ".repeat(140 * 1024))), [Opaque::TooComplex]);
    for damaged in [
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi--b\nContent-Type: application/pdf\n\nx\n",
        "Subject: x\nContent-Type: multipart/mixed; boundary=nergens\n\n--ergens\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--ergens--\n",
        "Subject: x\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi\n--b--\n",
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi\n--b--\nContent-Type: application/pdf\n\nJVBERi0=\n",
        "Subject: x\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBE*!Ri0=\n",
        "Subject: x\nContent-Type: application/pdf\nContent-Transfer-Encoding: yenc\n\nJVBERi0=\n",
        "Subject: x\nContent-Type: text/plain; charset=cp-1047\nContent-Transfer-Encoding: base64\n\n8fLz9PX29/jy\n",
    ] {
        assert_eq!(opaque(damaged), [Opaque::Damaged], "{damaged}");
    }
    for elsewhere in ["message/partial; id=1; number=1; total=2", "message/external-body; access-type=url"] {
        assert_eq!(opaque(&format!("Subject: x\nContent-Type: {elsewhere}\n\nx")), [Opaque::Elsewhere]);
    }
    // What sloppy mailers do and hides nothing.
    for harmless in [
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi\n",
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi\n--b--\n\nvoettekst van een lijst\n",
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nhoi\n--b--\n",
        "Subject: x\nContent-Type: text/plain; charset=no-such\n\nhoi\n",
        "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhoi--b--\n",
        "Subject: x\nMIME-Version: 1.0\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Type: text/plain\n\nhoi\n",
    ] {
        assert_eq!(opaque(harmless), [], "{harmless}");
        assert!(written(&mail(harmless)).starts_with("hoi"), "{harmless}");
    }
    let cut = parse(b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhoi\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1;2", true);
    assert_eq!(attached(&cut), [("text/csv".into(), Some("a.csv".into()), 0, Some(Opaque::TooLarge), false)]);
    assert_eq!(parse(b"Subject: x\r\n\r\nhoi", true).attachments.first().and_then(|a| a.opaque), Some(Opaque::TooLarge));
}

#[test]
fn signed_and_encrypted_mails() {
    let inner = b"Content-Type: multipart/mixed; boundary=s\r\n\r\n--s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngetekend\r\n--s\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1;2\r\n--s--\r\n";
    let smime = |bytes: &[u8]| {
        mail(&format!(
            "Subject: x\nContent-Type: application/pkcs7-mime; smime-type=x; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n{}\n",
            base64(bytes)
        ))
    };
    let opaque_signed = smime(&cms(SIGNED, Some(inner)));
    assert_eq!(written(&opaque_signed), "getekend");
    assert_eq!(attached(&opaque_signed), [("text/csv".into(), Some("a.csv".into()), 3, None, false)]);
    assert_eq!(attached(&smime(&cms(ENVELOPED, None))).first().map(|a| a.3), Some(Some(Opaque::Encrypted)));
    assert_eq!(attached(&smime(b"rommel")).first().map(|a| a.3), Some(Some(Opaque::Damaged)));
    let wrapped = (0..5).fold(inner.to_vec(), |content, _| {
        cms(
            SIGNED,
            Some(
                format!("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(&content)).as_bytes(),
            ),
        )
    });
    assert_eq!(attached(&smime(&wrapped)).first().map(|a| a.3), Some(Some(Opaque::TooComplex)));

    let signed = |kind: &str, signature: &str| {
        mail(&format!(
            "Subject: x\nContent-Type: multipart/signed; protocol=\"{kind}\"; boundary=s\n\n--s\nContent-Type: text/plain\n\ntekst\n--s\nContent-Type: {kind}; name=s\nContent-Transfer-Encoding: base64\n\n{signature}\n--s--\n"
        ))
    };
    let pgp = base64(b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n");
    for (kind, signature, counts) in [
        ("application/pkcs7-signature", base64(&cms(SIGNED, None)), true),
        ("application/pgp-signature", pgp.clone(), true),
        ("application/pkcs7-signature", base64(b"naam;bsn\n"), false),
        ("application/pgp-signature", base64(b"naam;bsn\n"), false),
    ] {
        let mail = signed(kind, &signature);
        assert_eq!((written(&mail), mail.attachments.first().map(|a| a.signature)), ("tekst", Some(counts)), "{kind}");
    }
    let listed = mail(&format!(
        "Subject: x\nContent-Type: multipart/mixed; boundary=s\n\n--s\n\ntekst\n--s\nContent-Type: application/octet-stream; name=smime.p7s\nContent-Transfer-Encoding: base64\n\n{}\n--s--\n",
        base64(&cms(SIGNED, None))
    ));
    assert!(listed.attachments.first().is_some_and(|a| a.signature));
    let encrypted = mail(
        "Subject: x\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=s\n\n--s\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--s\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\n--s--\n",
    );
    assert_eq!(attached(&encrypted).iter().map(|a| a.3).collect::<Vec<_>>(), [Some(Opaque::Encrypted)]);
    let inline = mail("Subject: x\n\nZie:\n-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n");
    assert_eq!((written(&inline), inline.attachments.first().and_then(|a| a.opaque)), ("Zie:", Some(Opaque::Encrypted)));
}

#[test]
fn files_inside_winmail_dat_and_inside_the_text_are_attachments() {
    let winmail = mail(&format!(
        "Subject: x\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\n\n--m\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n{}\n--m--\n",
        base64(&sample())
    ));
    assert_eq!(written(&winmail), "Beste Søren");
    assert!(also(&winmail).contains("binnenste tekst"));
    assert_eq!(
        attached(&winmail),
        [
            ("text/csv".into(), Some("lijst inwoners.csv".into()), 4, None, false),
            ("application/octet-stream".into(), Some("binnen.txt".into()), 6, None, false)
        ]
    );
    let cut =
        mail(&format!("Subject: x\nContent-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n{}\n", base64(&sample()[..60])));
    assert!(attached(&cut).iter().any(|a| a.3 == Some(Opaque::Damaged)));
    let uu = mail("Subject: x\n\nHierbij\nbegin 644 a.csv\n#0V%T\n`\nend\nGroet\n");
    assert_eq!(
        (written(&uu), attached(&uu)),
        ("Hierbij\nGroet", vec![("application/octet-stream".into(), Some("a.csv".into()), 3, None, false)])
    );
    let uu_part =
        mail("Subject: x\nContent-Type: text/csv; name=b.csv\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 b.csv\n#0V%T\n`\nend\n");
    assert_eq!(attached(&uu_part), [("text/csv".into(), Some("b.csv".into()), 3, None, false)]);
}

#[test]
fn reports_and_what_came_back() {
    let report = mail(
        "From: MAILER-DAEMON@x.test\nReturn-Path: <>\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\nNiet bezorgd.\n--r\nContent-Type: message/delivery-status\n\nAction: failed\n--r\nContent-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <PK-00001.ab@desk.test>\n--r--\n",
    );
    assert!(report.automatic.delivery_report && report.automatic.empty_return_path && !report.automatic.other_report);
    assert_eq!(report.automatic.returned_ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["PK-00001.ab@desk.test"]);
    assert_eq!(written(&report), "Niet bezorgd.");
    let receipt =
        mail("From: a@b.test\nContent-Type: multipart/report; report-type=disposition-notification; boundary=r\n\n--r\n\nGelezen\n--r--\n");
    assert!(receipt.automatic.auto_reply_header && !receipt.automatic.delivery_report);
    let part = "--r\n\nGelezen\n--r\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--r--\n";
    let unnamed = |kind: &str| mail(&format!("From: a@b.test\nContent-Type: multipart/{kind}; boundary=r\n\n{part}"));
    assert!(unnamed("report").automatic.auto_reply_header);
    assert!(!unnamed("mixed").automatic.auto_reply_header, "a person may hand a receipt on");
    let old = mail("From: x@y.test\nX-Failed-Recipients: a@b.test\n\nSorry.\n> Message-ID: <PK-00002.cd@desk.test>\n");
    assert_eq!(old.automatic.returned_ids.len(), 1);
}

#[test]
fn the_digest_is_of_the_mail_and_not_of_its_way() {
    let base = "From: a@b.test\nDate: Sat, 21 Nov 2026 10:15:00 +0100\nMessage-ID: <1@b.test>\nSubject: een\n twee\n\ntekst\n";
    let of = |raw: &str| mail(raw).digest;
    assert_eq!(of(base), of(&format!("Received: x\nDelivered-To: c@d.test\n{base}")));
    assert_eq!(of(base), of(&base.replace("een\n twee", "een twee")));
    for other in ["From: a@c.test", "<2@b.test>", "drie", "andere"] {
        let changed = match other {
            "From: a@c.test" => base.replace("From: a@b.test", other),
            "<2@b.test>" => base.replace("<1@b.test>", other),
            "drie" => base.replace("twee", other),
            _ => base.replace("tekst", other),
        };
        assert_ne!(of(base), of(&changed), "{other}");
    }
}

#[test]
fn pictures_inside_the_html_are_attachments() {
    let mail = mail("Subject: x\nContent-Type: text/html\n\n<p>Zie <img src=\"data:image/png;base64,iVBORw0K\" alt=scherm></p>");
    assert_eq!((written(&mail), also(&mail).as_str()), ("Zie", "scherm"));
    assert_eq!(attached(&mail), [("image/png".into(), None, 6, None, false)]);
}

mod never_panics {
    use super::*;
    use proptest::prelude::*;

    /// Mails to mutate: every structure that is known here.
    fn seeds() -> Vec<Vec<u8>> {
        let tnef = base64(&sample());
        let signed = base64(&cms(SIGNED, Some(b"Content-Type: text/html\r\n\r\n<b>x</b>")));
        [
            "From: \"A\" <a@b.test> (c)\nTo: g: x@y.test;\nSubject: =?utf-8?q?a=C3=B8?= =?utf-8?b?w7g=?=\nAuthentication-Results: mx; dmarc=pass (c \"q\") header.from=b.test\nReferences: <a@b> <c@d>\n\nOp ma 16 nov 2026 om 10:12 schreef B <b@c.test>:\n> x\n\nVan: A\nVerzonden: B\nOnderwerp: C\nx\nbegin 644 a\n#0V%T\n`\nend\n".to_owned(),
            format!("Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n{tnef}\n--m\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{signed}\n--m--\n"),
            "Content-Type: multipart/alternative; boundary=\"a b\"\n\n--a b\nContent-Type: text/plain; charset=utf-7\n\n+APg-\n--a b\nContent-Type: text/html; charset=utf-16\n\n<table><tr><td style='display:none'>&#x41;&nbsp;<!-- x --></td><td><blockquote type=cite>y</blockquote></table>\n--a b--\n".to_owned(),
            "Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\nx\n--r\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\n\nx\n--r--\n".to_owned(),
        ]
        .into_iter()
        .map(|text| text.replace('\n', "\r\n").into_bytes())
        .collect()
    }

    fn look(raw: &[u8]) {
        let mail = parse(raw, raw.len().is_multiple_of(2));
        for (i, attachment) in mail.attachments.iter().enumerate() {
            assert_eq!(attachment.index, i);
        }
        assert!(!mail.subject.reveal().contains(['\r', '\n', '\0']));
        assert!(!mail.text.written.reveal().contains('\0'));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            look(&raw);
        }

        #[test]
        fn mutated_mails(seed in 0usize..4, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..12)) {
            let mut raw = seeds().swap_remove(seed);
            for (at, byte, how) in edits {
                let at = at.index(raw.len().max(1)).min(raw.len().saturating_sub(1));
                match how {
                    _ if raw.is_empty() => raw.push(byte),
                    0 => raw[at] = byte,
                    1 => raw.insert(at, byte),
                    2 => { raw.remove(at); }
                    _ => raw.truncate(at),
                }
            }
            look(&raw);
        }

        #[test]
        fn any_html(html in "[<>/!a-c \"'=&;#x0-9-]{0,400}") {
            let _ = html::read(&html);
        }

        #[test]
        fn any_text(text in "[>A-Za-z0-9:@<. \n*_-]{0,600}") {
            let _ = quoted::split(&quoted::lines(&text));
        }
    }
}
