//! RFC 8601: what a receiving server found out about a mail.
//!
//! Which of these fields count is the business of [`identify`](crate::identify); here they are only read. A field that
//! cannot be read to its end says nothing at all, so that a cut or forged one never counts as a pass.

use super::headers::Header;
use super::{AuthenticationResults, MethodResult};

/// All `Authentication-Results` fields, top first.
pub(super) fn all(header: &Header<'_>) -> Vec<AuthenticationResults> {
    header
        .below_received("Authentication-Results")
        .map(|(received_above, field)| AuthenticationResults { received_above, ..read(&field.text()) })
        .collect()
}

/// Reads one field body (§2.2): an authserv-id, which Microsoft 365 leaves out, and results between semicolons.
fn read(text: &str) -> AuthenticationResults {
    let Some(segments) = segments(text) else { return AuthenticationResults::default() };
    let mut read = AuthenticationResults::default();
    for (i, segment) in segments.iter().enumerate() {
        match segment.as_slice() {
            // The first segment is the authserv-id and perhaps a version, unless it is a result already.
            [(id, None), ..] if i == 0 => read.authserv_id = Some(id.to_ascii_lowercase()),
            [(method, Some(result)), properties @ ..] => read.results.push(MethodResult {
                method: method.split('/').next().unwrap_or(method).to_ascii_lowercase(),
                result: result.to_ascii_lowercase(),
                properties: properties
                    .iter()
                    .filter_map(|(name, value)| value.as_ref().map(|value| (name.to_ascii_lowercase(), value.clone())))
                    .collect(),
            }),
            _ => {} // `none`, or an empty segment
        }
    }
    read
}

/// Words and `name=value` pairs of one segment.
type Segment = Vec<(String, Option<String>)>;

/// Cuts the body at semicolons, comments dropped; `None` when a quote or a comment stays open.
fn segments(text: &str) -> Option<Vec<Segment>> {
    let mut segments = vec![Segment::new()];
    let mut chars = text.chars().peekable();
    // Whether an equals sign waits for its value.
    let mut awaits_value = false;
    while let Some(c) = chars.peek().copied() {
        let segment = segments.last_mut()?;
        match c {
            ';' => {
                chars.next();
                awaits_value = false;
                segments.push(Segment::new());
            }
            '(' => {
                chars.next();
                skip_comment(&mut chars)?;
            }
            '=' => {
                chars.next();
                awaits_value = matches!(segment.last(), Some((_, None)));
            }
            c if c.is_whitespace() => {
                chars.next();
            }
            _ if awaits_value => {
                let value = word(&mut chars, |c| c == ';' || c == '(' || c.is_whitespace())?;
                if let Some((_, slot)) = segment.last_mut() {
                    *slot = Some(value);
                }
                awaits_value = false;
            }
            _ => segment.push((word(&mut chars, |c| c == ';' || c == '(' || c == '=' || c.is_whitespace())?, None)),
        }
    }
    Some(segments)
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// Reads up to a stop; quoted strings inside lose their quotes and hide their stops.
fn word(chars: &mut Chars<'_>, stops: impl Fn(char) -> bool) -> Option<String> {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| !stops(*c)) {
        if c != '"' {
            word.push(c);
            continue;
        }
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => word.push(chars.next()?),
                c => word.push(c),
            }
        }
    }
    Some(word)
}

fn skip_comment(chars: &mut Chars<'_>) -> Option<()> {
    let mut depth = 1usize;
    while depth > 0 {
        match chars.next()? {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                chars.next()?;
            }
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let read = read(text);
        let results: Vec<String> = read
            .results
            .iter()
            .map(|r| {
                let properties: Vec<String> = r.properties.iter().map(|(n, v)| format!(" {n}={v}")).collect();
                format!("{}={}{}", r.method, r.result, properties.concat())
            })
            .collect();
        format!("{} | {}", read.authserv_id.as_deref().unwrap_or("-"), results.join("; "))
    }

    #[test]
    fn fields_as_servers_write_them() {
        for (text, read) in [
            ("mx.test; none", "mx.test | "),
            ("MX.test 1; dmarc=pass header.from=a.test", "mx.test | dmarc=pass header.from=a.test"),
            (
                "mx.test;\t dkim=pass (2048-bit key; unprotected) header.d=a.test header.i=@a.test header.b=\"x;y\"; spf=softfail smtp.mailfrom=\"a b\"@c.test",
                "mx.test | dkim=pass header.d=a.test header.i=@a.test header.b=x;y; spf=softfail smtp.mailfrom=a b@c.test",
            ),
            (
                "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.test; dkim=pass (signature was verified) header.d=a.test;dmarc=pass action=none header.from=a.test;compauth=pass reason=100",
                "- | spf=pass smtp.mailfrom=a.test; dkim=pass header.d=a.test; dmarc=pass action=none header.from=a.test; compauth=pass reason=100",
            ),
            ("mx.test; DKIM/1 = Pass (a (b) c) header.d = a.test", "mx.test | dkim=pass header.d=a.test"),
            ("(hi) mx.test (there); dmarc=fail(p=reject dis=none) header.from=a.test", "mx.test | dmarc=fail header.from=a.test"),
            (
                "mx.test; spf=pass reason=\"good; dmarc=pass\" smtp.helo=a.test",
                "mx.test | spf=pass reason=good; dmarc=pass smtp.helo=a.test",
            ),
        ] {
            assert_eq!(shown(text), read, "{text}");
        }
    }

    #[test]
    fn a_field_that_does_not_end_says_nothing() {
        for text in ["mx.test; dmarc=pass (open header.from=a.test", "mx.test; dmarc=pass reason=\"open", ""] {
            assert!(read(text).results.is_empty(), "{text}");
        }
    }

    #[test]
    fn each_field_knows_how_many_received_stand_above() {
        let header =
            Header::read(b"Authentication-Results: a.test; none\r\nReceived: x\r\nAuthentication-Results: b.test;\r\n dmarc=pass\r\n");
        let all = all(&header);
        assert_eq!(all.iter().map(|r| r.received_above).collect::<Vec<_>>(), [0, 1]);
    }
}
