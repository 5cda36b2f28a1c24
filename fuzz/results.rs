//! Authentication-Results, of our own server and of others.

use postkamer::identify::{Authentic, Authentication, TrustedServer};
use postkamer::parse::parse;

const HOP: &str = "Received: from mail.waterwolde.example by mx.zaakwijs.example; Sat, 21 Nov 2026 10:14:00 +0100\r\n";
const REST: &str = "From: a.devries@waterwolde.example\r\n\r\nVraag.\r\n";

/// Nobody is vouched for by a field that does not say so, and by no field at all that came with the mail.
pub fn header(bytes: &[u8]) {
    // One field: lines are folded.
    let body = String::from_utf8_lossy(bytes).replace(['\r', '\n'], "\r\n ");
    let field = format!("Authentication-Results: {body}\r\n");
    let named = TrustedServer::Named("mx.zaakwijs.example".to_owned());
    let judge = |server: &TrustedServer, mail: &str| {
        Authentication::TrustedHeader { server: server.clone(), own_hops: 1 }.judge(&parse(mail.as_bytes(), false))
    };
    let (above, below) = (format!("{field}{HOP}{REST}"), format!("{HOP}{field}{REST}"));
    assert_eq!(judge(&named, &below), Authentic::None, "a field of the sender's");
    for server in [named, TrustedServer::Microsoft365, TrustedServer::GoogleWorkspace] {
        let _ = judge(&server, &below);
        if judge(&server, &above) == Authentic::Pass {
            assert!(body.replace('\\', "").to_lowercase().contains("pass"), "vouched for by nobody");
        }
    }
}
