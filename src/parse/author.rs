//! Who a mail says it is from: one From field with one mailbox, or nobody.

use super::headers::Header;
use super::{Author, addresses, clean, encoded_words};
use crate::words::{EmailAddress, Redacted};

/// POLICY fact 2: a From that is missing, doubled, a group, several mailboxes or malformed is nobody's. No other field
/// stands in for it (THREATS §1 rows 4, 5 and 8 to 11).
pub(super) fn author(header: &Header<'_>) -> Author {
    let mut fields = header.all("From");
    if let (Some(field), None) = (fields.next(), fields.next()) {
        let text = field.text();
        let list = addresses::read(&text);
        if let [mailbox] = list.mailboxes.as_slice()
            && !list.odd
            && !mailbox.odd
            && list.groups.is_empty()
            && !text.contains('\0')
            && !mailbox.spec.contains(clean::is_invisible) // a domain would lose them unseen (UTS #46 §4)
            && !mailbox.spec.contains("=?") // an encoded word would pass for an atom (RFC 2047 §5 forbids it here)
            && (field.is_utf8() || mailbox.spec.is_ascii()) // a guessed charset names no domain
            && let Some(address) = mailbox.address()
        {
            return Author::One { address, name: Redacted::new(mailbox.name.clone()) };
        }
    }
    let shown: Vec<String> = header.all("From").map(|field| clean::one_line(&encoded_words::decode(&field.text()))).collect();
    Author::Nobody { shown: Redacted::new(shown.join("\n")) }
}

/// All addresses in the fields of these names that are sound, in order, without repeats.
pub(super) fn addresses(header: &Header<'_>, names: &[&str]) -> Vec<EmailAddress> {
    let mut seen = std::collections::HashSet::new();
    header
        .any_of(names)
        .flat_map(|field| addresses::read(&field.text()).mailboxes)
        .filter_map(|mailbox| mailbox.address())
        .filter(|address| seen.insert(address.clone()))
        .collect()
}

/// Display names, group names and comments of the other address fields, and what is no address in them: a place where
/// data can hide.
pub(super) fn other_names(header: &Header<'_>) -> Vec<Redacted<String>> {
    let mut names = Vec::new();
    for field in header.any_of(&["To", "Cc", "Bcc", "Reply-To", "Sender"]) {
        let list = addresses::read(&field.text());
        names.extend(list.groups);
        for mailbox in list.mailboxes {
            if mailbox.address().is_none() {
                names.push(clean::one_line(&encoded_words::decode(&mailbox.spec)));
            }
            names.extend(mailbox.comments.into_iter().filter(|comment| *comment != mailbox.name));
            names.push(mailbox.name);
        }
    }
    // A comment of the author's is shown to nobody but by a raw view; it is screened with the other names.
    for field in header.all("From") {
        for mailbox in addresses::read(&field.text()).mailboxes {
            names.extend(mailbox.comments.into_iter().filter(|comment| *comment != mailbox.name));
        }
    }
    names.into_iter().filter(|name| !name.is_empty()).map(Redacted::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(block: &[u8]) -> Option<(String, String)> {
        match author(&Header::read(block)) {
            Author::One { address, name } => Some((address.reveal().to_owned(), name.into_revealed())),
            Author::Nobody { .. } => None,
        }
    }

    #[test]
    fn one_field_with_one_mailbox_is_somebody() {
        for (block, address, name) in [
            (&b"From: \"A. de Vries\" <A.deVries@Waterwolde.example>\r\n"[..], "a.devries@waterwolde.example", "A. de Vries"),
            (
                b"from:\r\n =?utf-8?q?Mette?=\r\n =?utf-8?q?_S=C3=B8rensen?= <m@nordhavn.example>\r\n",
                "m@nordhavn.example",
                "Mette Sørensen",
            ),
            (b"From: J\xfcrgen <j@heidetal.example>\r\n", "j@heidetal.example", "Jürgen"),
            (b"From: \"a@good.test\" <b@evil.test>\r\n", "b@evil.test", "a@good.test"),
            (b"From: =?utf-8?q?x=0D=0ABcc:_v@x.test,?= <b@evil.test>\r\n", "b@evil.test", "x\u{fffd}\u{fffd}Bcc: v@x.test,"),
            (b"From: m@str\xc3\xb8m.example\r\n", "m@xn--strm-ira.example", ""),
        ] {
            assert_eq!(of(block), Some((address.to_owned(), name.to_owned())), "{}", String::from_utf8_lossy(block));
        }
    }

    #[test]
    fn anything_else_is_nobody() {
        for block in [
            &b""[..],
            b"Sender: a@good.test\r\nReply-To: a@good.test\r\n",
            b"From: a@good.test\r\nFrom: b@evil.test\r\n",
            b"From: b@evil.test\r\nfrom : a@good.test\r\n",
            b"From:\r\n a@good.test\r\nFrom\r\n : a@good.test\r\n",
            b"From: a@good.test, b@evil.test\r\n",
            b"From: Staff: a@good.test;\r\n",
            b"From: undisclosed:;\r\n",
            b"From: X <a@good.test> <b@evil.test>\r\n",
            b"From: \"a@good.test\"@evil.test\r\n",
            b"From: \"a b\"@good.test\r\n",
            b"From: <@evil.test:a@good.test>\r\n",
            b"From: <@evil.test,@x.test:a@good.test>\r\n",
            b"From: a\0@good.test\r\n",
            b"From: <a@good.test\0.evil.test>\r\n",
            b"From: a@good.test.\r\n",
            b"From: a@good.test@evil.test\r\n",
            b"From: =?utf-8?q?a=40good.test?=\r\n",
            b"From: <=?utf-8?q?a?=@good.test>\r\n",
            b"From: a @good.test\r\n",
            b"From: <a@good.test(c)>\r\n",
            b"From: a(c)@good.test\r\n",
            b"From: a@good(c).test\r\n",
            b"From: a@go\xf8d.test\r\n",
            b"From: =?utf-8?q?x<a@good.test>?= <b@evil.test>\r\n",
            b"From: Gemeente\r\n",
            b"From: <>\r\n",
            "From: a@go\u{200b}od.test\r\n".as_bytes(),
            "From: a@go\u{ad}od.test\r\n".as_bytes(),
        ] {
            assert_eq!(of(block), None, "{}", String::from_utf8_lossy(block));
        }
    }

    #[test]
    fn what_nobody_wrote_is_kept_for_screening() {
        let header = Header::read(
            b"From: =?utf-8?q?Jan?= <a@b.test>\r\nFrom: c@d.test\r\nTo: \"Piet\" <p@q.test> (tel. 5)\r\nReply-To: niemand\r\n",
        );
        let Author::Nobody { shown } = author(&header) else { panic!("two fields are nobody") };
        assert_eq!(shown.reveal(), "Jan <a@b.test>\nc@d.test");
        let names: Vec<String> = other_names(&header).into_iter().map(Redacted::into_revealed).collect();
        assert_eq!(names, ["tel. 5", "Piet", "niemand"]);
    }
}
