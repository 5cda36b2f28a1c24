//! Addresses, as settings and From write them.

use postkamer::parse::{Author, parse};
use postkamer::words::{Domain, EmailAddress};

const CONTACT: &str = "a.devries@waterwolde.example";

/// An address is the same after any number of readings; two From fields are nobody; and only who is written there can be read there.
pub fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(address) = text.parse::<EmailAddress>() {
        assert_eq!(address.reveal().parse::<EmailAddress>().as_ref(), Ok(&address));
        assert!(address.reveal().is_ascii() && address.reveal().matches('@').count() == 1);
        assert_eq!(address.reveal(), format!("{}@{}", address.local_part(), address.domain()));
    }
    if let Ok(domain) = text.parse::<Domain>() {
        assert_eq!(domain.as_str().parse::<Domain>().as_ref(), Ok(&domain));
        assert!(domain.is_aligned_with(&domain));
    }
    let field = [b"From: ".as_slice(), bytes, b"\r\n\r\n"].concat();
    if let Author::One { address, .. } = parse(&field, false).author {
        assert_eq!(address.reveal().parse::<EmailAddress>().as_ref(), Ok(&address));
        if address.reveal() == CONTACT {
            let written = text.to_lowercase();
            assert!(written.contains("a.devries@"), "an address that is not written there");
        }
    }
    let doubled = [b"From: ", CONTACT.as_bytes(), b"\r\n", &field].concat();
    assert!(matches!(parse(&doubled, false).author, Author::Nobody { .. }), "the first of two");
}
