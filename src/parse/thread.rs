//! Message-IDs: of the mail itself, of the mails it answers, of the mail that came back.

use super::headers::Header;
use crate::words::MessageId;

/// The first sound value of Message-ID.
pub(super) fn message_id(header: &Header<'_>) -> Option<MessageId> {
    header.all("Message-ID").find_map(|field| ids(&field.text()).into_iter().next())
}

/// In-Reply-To and References in order of appearance, without repeats.
pub(super) fn references(header: &Header<'_>) -> Vec<MessageId> {
    distinct(header.any_of(&["In-Reply-To", "References"]).flat_map(|field| ids(&field.text())))
}

/// The Message-IDs in the returned header or body of a delivery report (RFC 3462 §2): its `Message-ID` lines, wherever
/// they stand, since old mailers put the returned mail into the text.
pub(super) fn returned(bytes: &[u8]) -> Vec<MessageId> {
    const NAME: &[u8] = b"message-id";
    let mut found = Vec::new();
    let mut lines = bytes.split(|b| *b == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_ascii_start();
        if !line.get(..NAME.len()).is_some_and(|start| start.eq_ignore_ascii_case(NAME)) {
            continue;
        }
        let Some(value) = line.get(NAME.len()..).map(<[u8]>::trim_ascii).and_then(|rest| rest.strip_prefix(b":")) else { continue };
        let mut value = value.to_vec();
        if let Some(fold) = lines.peek().filter(|next| matches!(next.first(), Some(b' ' | b'\t'))) {
            value.extend_from_slice(fold);
        }
        found.extend(ids(&String::from_utf8_lossy(&value)).into_iter().next());
    }
    found
}

/// Drops repeats, keeps order.
pub(super) fn distinct(ids: impl Iterator<Item = MessageId>) -> Vec<MessageId> {
    let mut seen = std::collections::HashSet::new();
    ids.filter(|id| seen.insert(id.as_str().to_owned())).collect()
}

/// Ids between angle brackets; without any bracket, words with an @ in them. Blanks inside brackets are left-overs of a
/// folded line.
fn ids(text: &str) -> Vec<MessageId> {
    if !text.contains('<') {
        return text.split(|c: char| c.is_whitespace() || c == ',').filter_map(|word| word.parse().ok()).collect();
    }
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .filter_map(|(id, _)| id.chars().filter(|c| !c.is_whitespace()).collect::<String>().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_mailers_write_them() {
        let header = Header::read(b"References: <a@x.test>\r\n\t<b@x.test><c@\r\n x.test> junk <no id>\r\nIn-Reply-To: <a@x.test> (Jan's mail)\r\nMessage-ID: d@x.test\r\n");
        assert_eq!(references(&header).iter().map(MessageId::as_str).collect::<Vec<_>>(), ["a@x.test", "b@x.test", "c@x.test"]);
        assert_eq!(message_id(&header).as_ref().map(MessageId::as_str), Some("d@x.test"));
    }

    #[test]
    fn a_returned_mail_is_known_by_its_id() {
        let ids =
            returned(b"Sorry.\r\n\r\n--- Below\r\nSubject: x\r\nMessage-Id:\r\n <PK-00001.abc@desk.test>\r\nIn-Reply-To: <z@x.test>\r\n");
        assert_eq!(ids.iter().map(MessageId::as_str).collect::<Vec<_>>(), ["PK-00001.abc@desk.test"]);
    }
}
