//! Folder names on the wire: modified UTF-7 (RFC 3501 §5.1.3), which Maildir++ uses for its directories too.

/// The name in modified UTF-7: printable ASCII stands for itself, `&` is `&-`, anything else is base64 of UTF-16 with `,`
/// in place of `/`, between `&` and `-`.
pub(super) fn modified_utf7(name: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let digit = |six: u32| DIGITS.get((six & 63) as usize).map_or('A', |b| char::from(*b));
    let mut out = String::with_capacity(name.len());
    let (mut bits, mut held, mut shifted) = (0_u32, 0_u32, false);
    let unshift = |out: &mut String, bits: &mut u32, held: &mut u32, shifted: &mut bool| {
        if *held > 0 {
            out.push(digit(*bits << (6 - *held)));
        }
        if *shifted {
            out.push('-');
        }
        (*bits, *held, *shifted) = (0, 0, false);
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            unshift(&mut out, &mut bits, &mut held, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
            continue;
        }
        if !shifted {
            out.push('&');
            shifted = true;
        }
        let mut units = [0_u16; 2];
        for unit in c.encode_utf16(&mut units) {
            bits = (bits << 16) | u32::from(*unit);
            held += 16;
            while held >= 6 {
                held -= 6;
                out.push(digit(bits >> held));
            }
            bits &= (1 << held) - 1;
        }
    }
    unshift(&mut out, &mut bits, &mut held, &mut shifted);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_servers_expect_them() {
        for (name, wire) in [
            ("Verwerkt", "Verwerkt"),
            ("Erledigt & gut", "Erledigt &- gut"),
            ("Åtgärdat", "&AMU-tg&AOQ-rdat"),
            // The example of RFC 3501 §5.1.3.
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(modified_utf7(name), wire);
        }
    }
}
