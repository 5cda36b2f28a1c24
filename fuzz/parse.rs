//! Whole mails.

use postkamer::parse::{Author, parse};
use postkamer::screen::{Policy, ScreenedAttachment, screen};

/// Any bytes are a mail, the same one each time, whose header texts are one line each; of its files none is kept that nobody read.
pub fn mail(bytes: &[u8]) {
    let mail = parse(bytes, false);
    assert_eq!(format!("{mail:?}"), format!("{:?}", parse(bytes, false)));
    let _beginning = parse(bytes, true);
    let is_line = |text: &str| !text.chars().any(char::is_control);
    assert!(is_line(mail.subject.reveal()), "a subject of several lines");
    match &mail.author {
        Author::One { address, name } => {
            assert!(is_line(name.reveal()), "a name of several lines");
            assert_eq!(address.reveal().parse().as_ref(), Ok(address));
        }
        Author::Nobody { .. } => {}
    }
    let places: Vec<usize> = mail.attachments.iter().map(|attachment| attachment.index).collect();
    assert!(places.iter().copied().eq(0..places.len()), "attachments are counted");
    let screened = screen(mail, Vec::new(), &Policy::default());
    assert_eq!(screened.attachments.len(), places.len());
    assert!(!screened.attachments.iter().any(|attachment| matches!(attachment, ScreenedAttachment::Clean(_))), "kept, and nobody read it");
}
