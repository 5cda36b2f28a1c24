//! Which host wrote a `Received` field (RFC 5321 §4.4). What is said there of others is not read: it is hearsay.

/// The word after `by`, in lower case; empty where there is none. Comments are skipped: they hold what the other side
/// called itself.
pub(super) fn by(text: &str) -> String {
    let plain = without_comments(text);
    let mut words = plain.split(';').next().unwrap_or_default().split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by")).and_then(|_| words.next()).unwrap_or_default().to_ascii_lowercase()
}

fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut chars = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        match c {
            // A quoted pair hides its bracket.
            '\\' => {
                chars.next();
            }
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::by;

    #[test]
    fn the_writer_is_told_from_whom_it_names() {
        for (text, host) in [
            (
                "from mail.sender.test (mail.sender.test [192.0.2.1]) by MX.desk.test (Postfix) with ESMTPS id 1; Sat, 21 Nov 2026",
                "mx.desk.test",
            ),
            ("by 2002:a05:7208:1 with SMTP id a1; Sat, 21 Nov 2026", "2002:a05:7208:1"),
            ("from helo (by mx.evil.test) by mx.desk.test; by mx.late.test", "mx.desk.test"),
            ("from a (open by mx.evil.test", ""),
            ("from a (\\) by mx.evil.test) by mx.desk.test", "mx.desk.test"),
            ("from a with ESMTP", ""),
            ("", ""),
        ] {
            assert_eq!(by(text), host, "{text}");
        }
    }
}
