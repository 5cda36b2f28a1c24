//! OpenPGP inside a text (RFC 9580 §6 and §7).

const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const SIGNATURE_END: &str = "-----END PGP SIGNATURE-----";
const MESSAGE: &str = "-----BEGIN PGP MESSAGE-----";
const MESSAGE_END: &str = "-----END PGP MESSAGE-----";

/// A block taken out of a text.
pub(super) struct Block {
    /// It is encrypted; otherwise it is a signature.
    pub encrypted: bool,
    pub armour: String,
}

/// No signature is longer, in bytes.
const LONGEST_SIGNATURE: usize = 16 * 1024;

/// Whether these bytes are one armoured signature and nothing else: after the armour headers a packet of type 2 begins
/// (RFC 9580 §4.2; in base64 its first character is `i` or `w`).
pub(super) fn is_signature(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(inside) = text.trim().strip_prefix(SIGNATURE).and_then(|rest| rest.strip_suffix(SIGNATURE_END)) else { return false };
    let mut body = inside.lines().skip(1).skip_while(|line| line.contains(": ")).map(str::trim).filter(|line| !line.is_empty()).peekable();
    text.len() <= LONGEST_SIGNATURE
        && body.peek().is_some_and(|first| first.starts_with(['i', 'w']))
        && body.all(|line| line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')))
}

/// Takes signatures, encrypted blocks and the frame of cleartext signatures out of a text. What only looks
/// like a signature is left where it is.
pub(super) fn take(text: String) -> (String, Vec<Block>) {
    if !text.contains("-----BEGIN PGP ") {
        return (text, Vec::new());
    }
    let mut blocks = Vec::new();
    let mut rest = String::with_capacity(text.len());
    let mut lines = text.split('\n').peekable();
    let mut in_signed = false;
    while let Some(line) = lines.next() {
        match line.trim_end() {
            SIGNED => {
                in_signed = true;
                // Armour headers such as `Hash: SHA256`, then a blank line.
                while lines.next_if(|line| line.contains(": ")).is_some() {}
                lines.next_if(|line| line.trim().is_empty());
            }
            MESSAGE => blocks.push(Block { encrypted: true, armour: armour(MESSAGE, MESSAGE_END, &mut lines) }),
            SIGNATURE if in_signed => {
                in_signed = false;
                let armour = armour(SIGNATURE, SIGNATURE_END, &mut lines);
                if is_signature(armour.as_bytes()) {
                    blocks.push(Block { encrypted: false, armour });
                } else {
                    rest.push_str(&armour);
                }
            }
            _ => {
                rest.push_str(if in_signed { line.strip_prefix("- ").unwrap_or(line) } else { line });
                rest.push('\n');
            }
        }
    }
    (rest, blocks)
}

/// Collects up to the end line, or to the end of the text.
fn armour<'t>(begin: &str, end: &str, lines: &mut impl Iterator<Item = &'t str>) -> String {
    let mut armour = format!("{begin}\n");
    for line in lines {
        armour.push_str(line);
        armour.push('\n');
        if line.trim_end() == end {
            break;
        }
    }
    armour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleartext_signature_leaves_the_text() {
        let signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nBeste,\n- -- \nJan\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n";
        let (text, blocks) = take(signed.to_owned());
        assert!(!is_signature(b"-----BEGIN PGP SIGNATURE-----\n\nnaam;bsn\n-----END PGP SIGNATURE-----"));
        assert_eq!(text, "Beste,\n-- \nJan\n\n");
        assert!(matches!(blocks.as_slice(), [block] if !block.encrypted && block.armour.contains("iQ==")));
    }

    #[test]
    fn an_encrypted_block_is_no_text() {
        let (text, blocks) = take("Zie hieronder\n-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\nGroet".to_owned());
        assert_eq!(text, "Zie hieronder\nGroet\n");
        assert!(matches!(blocks.as_slice(), [block] if block.encrypted));
    }
}
