//! S/MIME (RFC 8551): what a CMS structure holds, by a small walk over its DER or BER (X.690). Nothing is verified here;
//! whether a mail is authentic is told by its authentication results alone.

/// What a CMS structure is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cms {
    /// Signed data with its content inside: a MIME entity (RFC 5652 §5).
    Signed(Vec<u8>),
    /// A signature, or certificates, without content.
    Detached,
    /// Enveloped, encrypted or authenticated-enveloped data.
    Encrypted,
    /// Something else, or broken.
    Unknown,
}

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const AUTH_ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17];

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const EXPLICIT_0: u8 = 0xa0;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;

/// Certificates of a chain fit in this many bytes; what is longer carries something.
const LONGEST_SIGNATURE: usize = 64 * 1024;

/// Reads a CMS ContentInfo.
pub(super) fn open(bytes: &[u8]) -> Cms {
    read(bytes).unwrap_or(Cms::Unknown)
}

/// Whether these bytes are a CMS signature without any content (RFC 5652 §5.2), and nothing after it.
pub(super) fn is_detached_signature(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_SIGNATURE && open(bytes) == Cms::Detached
}

fn read(bytes: &[u8]) -> Option<Cms> {
    let info = element(bytes, 0)?;
    if info.tag != SEQUENCE {
        return None;
    }
    let kind = element(info.content, 0)?;
    let content = element(kind.rest, 0)?;
    if kind.tag != OID || content.tag != EXPLICIT_0 {
        return None;
    }
    match kind.content {
        ENVELOPED_DATA | ENCRYPTED_DATA | AUTH_ENVELOPED_DATA => Some(Cms::Encrypted),
        SIGNED_DATA => signed_data(content.content, info.rest.iter().all(|b| b.is_ascii_whitespace() || *b == 0)),
        _ => None,
    }
}

/// SignedData: version, digest algorithms, then the encapsulated content.
fn signed_data(bytes: &[u8], nothing_follows: bool) -> Option<Cms> {
    let data = element(bytes, 0)?;
    let version = element(data.content, 0)?;
    let algorithms = element(version.rest, 0)?;
    let encapsulated = element(algorithms.rest, 0)?;
    if data.tag != SEQUENCE || encapsulated.tag != SEQUENCE {
        return None;
    }
    let kind = element(encapsulated.content, 0)?;
    let Some(content) = element(kind.rest, 0).filter(|content| content.tag == EXPLICIT_0) else {
        return (nothing_follows && kind.rest.is_empty()).then_some(Cms::Detached);
    };
    let mut octets = Vec::new();
    collect(element(content.content, 0)?, &mut octets, 0)?;
    Some(Cms::Signed(octets))
}

/// Joins an octet string that may come in pieces (BER, as streaming signers write it).
fn collect(string: Element<'_>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    match string.tag {
        OCTETS => out.extend_from_slice(string.content),
        OCTETS_IN_PIECES if depth < 4 => {
            let mut rest = string.content;
            while !rest.is_empty() {
                let piece = element(rest, depth)?;
                rest = piece.rest;
                collect(piece, out, depth + 1)?;
            }
        }
        _ => return None,
    }
    Some(())
}

struct Element<'b> {
    tag: u8,
    content: &'b [u8],
    rest: &'b [u8],
}

/// Real structures nest less; deeper ones would cost more than a linear walk.
const MOST_DEPTH: usize = 24;

fn element(bytes: &[u8], depth: usize) -> Option<Element<'_>> {
    let (tag, after) = bytes.split_first()?;
    if tag & 0x1f == 0x1f || depth > MOST_DEPTH {
        return None;
    }
    let (first, after) = after.split_first()?;
    let (length, body) = match first {
        0..=0x7f => (usize::from(*first), after),
        0x80 => {
            // Indefinite length: up to the end-of-contents mark (X.690 §8.1.3.6).
            let mut rest = after;
            while !rest.starts_with(&[0, 0]) {
                rest = element(rest, depth + 1)?.rest;
            }
            let content = after.get(..after.len() - rest.len())?;
            return Some(Element { tag: *tag, content, rest: rest.get(2..)? });
        }
        0x81..=0x84 => {
            let (digits, body) = after.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0usize, |length, digit| (length << 8) | usize::from(*digit)), body)
        }
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    Some(Element { tag: *tag, content, rest })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match u8::try_from(content.len()) {
            Ok(short) if short < 0x80 => out.push(short),
            _ => {
                out.push(0x84);
                out.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
            }
        }
        out.extend(content);
        out
    }

    /// A CMS structure around some content, as a signer would write it but for the signature.
    pub(in super::super) fn cms(oid: &[u8], content: Option<&[u8]>) -> Vec<u8> {
        let data_oid = der(OID, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01]);
        let inner = match content {
            Some(content) => [data_oid, der(EXPLICIT_0, &der(OCTETS, content))].concat(),
            None => data_oid,
        };
        let data = [der(0x02, &[1]), der(0x31, &[]), der(SEQUENCE, &inner), der(0x31, &[])].concat();
        der(SEQUENCE, &[der(OID, oid), der(EXPLICIT_0, &der(SEQUENCE, &data))].concat())
    }

    pub(in super::super) const SIGNED: &[u8] = SIGNED_DATA;
    pub(in super::super) const ENVELOPED: &[u8] = ENVELOPED_DATA;

    #[test]
    fn the_kinds_are_told_apart() {
        assert_eq!(
            open(&cms(SIGNED_DATA, Some(b"Content-Type: text/plain\r\n\r\nhoi"))),
            Cms::Signed(b"Content-Type: text/plain\r\n\r\nhoi".to_vec())
        );
        assert_eq!(open(&cms(SIGNED_DATA, None)), Cms::Detached);
        assert_eq!(open(&cms(ENVELOPED_DATA, None)), Cms::Encrypted);
        assert_eq!(open(b"geen cms"), Cms::Unknown);
        let mut trailing = cms(SIGNED_DATA, None);
        trailing.extend(b"geheim");
        assert!(!is_detached_signature(&trailing) && !is_detached_signature(&cms(SIGNED_DATA, Some(b"x"))));
    }

    #[test]
    fn pieces_of_indefinite_length_are_joined() {
        let string = [&[OCTETS_IN_PIECES, 0x80][..], &der(OCTETS, b"ho"), &der(OCTETS, b"i"), &[0, 0]].concat();
        let inner = [&der(OID, &[0x2a])[..], &[EXPLICIT_0, 0x80], &string, &[0, 0]].concat();
        let data = [&[SEQUENCE, 0x80][..], &der(2, &[1]), &der(0x31, &[]), &[SEQUENCE, 0x80], &inner, &[0, 0], &[0, 0]].concat();
        let info = [&[SEQUENCE, 0x80][..], &der(OID, SIGNED_DATA), &[EXPLICIT_0, 0x80], &data, &[0, 0], &[0, 0]].concat();
        assert_eq!(open(&info), Cms::Signed(b"hoi".to_vec()));
    }

    #[test]
    fn endless_nesting_ends() {
        assert_eq!(open(&[SEQUENCE, 0x80].repeat(100_000)), Cms::Unknown);
    }
}
