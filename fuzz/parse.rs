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
    assert!(mail.attachments.iter().map(|attachment| attachment.index).eq(0..mail.attachments.len()), "attachments are counted");
    // A signature is no file that somebody sends.
    let may_stay: Vec<bool> = mail.attachments.iter().map(|attachment| attachment.signature).collect();
    let screened = screen(mail, Vec::new(), &Policy::default());
    let stays = screened.attachments.iter().map(|attachment| matches!(attachment, ScreenedAttachment::Clean(_)));
    assert_eq!(screened.attachments.len(), may_stay.len());
    assert!(stays.zip(&may_stay).all(|(stays, may)| !stays || *may), "kept, and nobody read it");
}
