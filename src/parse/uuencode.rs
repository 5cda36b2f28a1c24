//! Files that old programs put into the text itself (uuencode, POSIX.1; `begin-base64` of GNU).

use mail_parser::Encoding;

/// A file found in a text.
pub struct Encoded {
    /// As it calls itself.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its end was not found: what is missing is unknown.
    pub damaged: bool,
}

/// Takes all encoded files out of a text. A line that merely begins with "begin" is left alone: a mode, a name and a
/// sound line of data must follow.
#[must_use]
pub fn take(text: String) -> (String, Vec<Encoded>) {
    if !text.contains("begin") {
        return (text, Vec::new());
    }
    let mut files = Vec::new();
    let mut rest = String::with_capacity(text.len());
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        match opening(line) {
            Some((name, true)) => {
                let (bytes, damaged) = base64(&mut lines);
                files.push(Encoded { name: name.to_owned(), bytes, damaged });
            }
            Some((name, false)) if lines.peek().is_some_and(|next| data(next).is_some_and(|bytes| !bytes.is_empty()) || *next == "`") => {
                let (bytes, damaged) = classic(&mut lines);
                files.push(Encoded { name: name.to_owned(), bytes, damaged });
            }
            _ => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
    }
    rest.pop();
    (rest, files)
}

type Lines<'t> = std::iter::Peekable<std::str::Split<'t, char>>;

/// The name in a line such as `begin 644 lijst.csv`, and whether base64 follows.
fn opening(line: &str) -> Option<(&str, bool)> {
    let (rest, base64) = match line.strip_prefix("begin-base64 ") {
        Some(rest) => (rest, true),
        None => (line.strip_prefix("begin ")?, false),
    };
    let (mode, name) = rest.trim_start().split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    (is_mode && !name.trim().is_empty()).then_some((name.trim(), base64))
}

fn classic(lines: &mut Lines<'_>) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while let Some(line) = lines.peek().copied() {
        if line.trim_end() == "end" {
            lines.next();
            return (bytes, false);
        }
        let Some(decoded) = data(line) else { break };
        bytes.extend(decoded);
        lines.next();
    }
    (bytes, true)
}

fn base64(lines: &mut Lines<'_>) -> (Vec<u8>, bool) {
    let mut encoded = Vec::new();
    for line in lines.by_ref() {
        if line.trim_end() == "====" {
            return (Encoding::Base64.decode(&encoded).into_owned(), false);
        }
        encoded.extend_from_slice(line.as_bytes());
        encoded.push(b'\n');
    }
    (Encoding::Base64.decode(&encoded).into_owned(), true)
}

/// One line of data: a length and groups of four characters. Mailers cut blanks at the end, so missing ones are zero.
fn data(line: &str) -> Option<Vec<u8>> {
    let line = line.trim_end_matches(['\r', ' ']).as_bytes();
    let value = |b: u8| (0x20..=0x60).contains(&b).then(|| u32::from(b.wrapping_sub(0x20) & 0x3f));
    let Some((first, groups)) = line.split_first() else { return Some(Vec::new()) };
    let length = usize::try_from(value(*first)?).ok()?;
    // One character of checksum or a stray blank may follow; more is no data line.
    if length > 45 || groups.len() > length.div_ceil(3) * 4 + 2 || (length > 0 && groups.is_empty()) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length + 2);
    for group in groups.chunks(4) {
        let mut bits = 0u32;
        for at in 0..4 {
            bits = (bits << 6) | value(group.get(at).copied().unwrap_or(b' '))?;
        }
        let [_, a, b, c] = bits.to_be_bytes();
        bytes.extend([a, b, c]);
    }
    bytes.resize(length, 0);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_leaves_the_text() {
        let (text, files) = take("Hierbij.\nbegin 644 lijst met namen.csv\n#0V%T\n`\nend\nGroet\n".to_owned());
        assert_eq!(text, "Hierbij.\nGroet\n");
        assert_eq!(
            files.iter().map(|f| (f.name.as_str(), f.bytes.as_slice(), f.damaged)).collect::<Vec<_>>(),
            [("lijst met namen.csv", &b"Cat"[..], false)]
        );
    }

    #[test]
    fn base64_and_open_ends() {
        let (_, files) = take("begin-base64 644 a.txt\nQ2F0\n====\n".to_owned());
        assert_eq!(files.first().map(|f| f.bytes.as_slice()), Some(&b"Cat"[..]));
        let (text, files) = take("begin 644 a\n#0V%T\nwat anders dat geen data is\n".to_owned());
        assert!(files.first().is_some_and(|f| f.damaged) && text.starts_with("wat anders"));
    }

    #[test]
    fn prose_stays() {
        for text in ["begin 644 zomaar\nen verder tekst zonder meer", "we begin 2027 opnieuw\n", "begin maar\n"] {
            let (rest, files) = take(text.to_owned());
            assert_eq!((rest.as_str(), files.len()), (text, 0));
        }
    }
}
