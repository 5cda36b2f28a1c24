//! Cards and calendars: vCard (RFC 2425, RFC 6350) and iCalendar (RFC 5545), and their elder versions, which Outlook writes.

use mail_parser::Encoding;

/// Their lines, unfolded and decoded.
pub fn lines(text: &str) -> Vec<String> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut lines = unfolded.split('\n');
    let mut read = Vec::new();
    while let Some(line) = lines.next() {
        if is_quoted_printable(line) {
            let mut whole = line.to_owned();
            // A line end within the value is `=` and the line end.
            while whole.ends_with('=')
                && let Some(next) = lines.next()
            {
                whole.pop();
                whole.push_str(next);
            }
            let bytes = Encoding::QuotedPrintable.decode(whole.as_bytes());
            read.extend(super::text::decode(&bytes).unwrap_or(whole).lines().map(str::to_owned));
        } else {
            let plain = line.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";");
            read.extend(plain.lines().map(str::to_owned));
        }
    }
    read
}

/// Whether a property says so of its value (vCard 2.1, vCalendar 1.0).
fn is_quoted_printable(line: &str) -> bool {
    line.split_once(':').is_some_and(|(property, _)| property.to_ascii_uppercase().contains("QUOTED-PRINTABLE"))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn values_are_read_however_they_are_written() {
        let card =
            "BEGIN:VCARD\r\nVERSION:2.1\r\nNOTE;ENCODING=QUOTED-PRINTABLE:BSN=3A=20123=\r\n456782=0D=0ALeeg=\r\n\r\nTEL:1\r\nEND:VCARD\r\n";
        let read = lines(card);
        assert!(read.iter().any(|line| line.ends_with("BSN: 123456782")), "{read:?}");
        assert!(read.contains(&"Leeg".to_owned()) && read.contains(&"TEL:1".to_owned()), "{read:?}");
        assert_eq!(
            lines("BEGIN:VCALENDAR\nDESCRIPTION:BSN 1234\n 56782\\nEinde\\, groet"),
            ["BEGIN:VCALENDAR", "DESCRIPTION:BSN 123456782", "Einde, groet"]
        );
    }
}
