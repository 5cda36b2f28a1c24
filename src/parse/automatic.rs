//! Signs of a machine (POLICY fact 1, THREATS §2 rules 1 to 4). What they mean is decided later.

use super::Automatic;
use super::headers::{Field, Header};

/// The list fields that make a mail bulk (RFC 2369, RFC 2919, RFC 8058).
const LIST_PREFIX: &str = "List-";

/// Reads the header; `report_type` is the root's, where it is a multipart/report (RFC 6522). Returned ids are the
/// caller's to add.
pub(super) fn automatic(header: &Header<'_>, report_type: Option<&str>) -> Automatic {
    let report = report_type.map(str::to_ascii_lowercase);
    let report = report.as_deref();
    Automatic {
        auto_submitted: header.all("Auto-Submitted").any(|field| !token(field).is_empty() && token(field) != "no"),
        auto_reply_header: header.all("Precedence").any(|field| is_auto_reply(&token(field)))
            || header.any_of(&["X-Autoreply", "X-Autorespond"]).any(|field| token(field) != "no")
            || report == Some("disposition-notification"),
        discourages_reply: header.all("X-Precedence").any(|field| is_bulk(&token(field)) || is_auto_reply(&token(field)))
            || header.first("X-Loop").is_some(),
        bulk: header.all("Precedence").any(|field| is_bulk(&token(field))) || header.has_prefix(LIST_PREFIX),
        delivery_report: report == Some("delivery-status") || header.first("X-Failed-Recipients").is_some(),
        other_report: report.is_some_and(|kind| kind != "delivery-status" && kind != "disposition-notification"),
        empty_return_path: header.first("Return-Path").is_some_and(|field| field.text().split_whitespace().collect::<String>() == "<>"),
        suppress: header.all("X-Auto-Response-Suppress").any(|field| {
            field.text().split(',').any(|word| ["all", "autoreply", "oof"].iter().any(|known| word.trim().eq_ignore_ascii_case(known)))
        }),
        returned_ids: Vec::new(),
    }
}

fn is_bulk(token: &str) -> bool {
    matches!(token, "bulk" | "junk" | "list")
}

fn is_auto_reply(token: &str) -> bool {
    matches!(token, "auto_reply" | "auto-reply")
}

/// The first word of a body, in lower case, without comments and parameters (RFC 3834 §5).
fn token(field: &Field<'_>) -> String {
    let mut depth = 0usize;
    let mut plain = String::new();
    for c in field.text().chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => break,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain.split_whitespace().next().unwrap_or_default().trim_matches('"').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(block: &str) -> Automatic {
        automatic(&Header::read(block.as_bytes()), None)
    }

    #[test]
    fn auto_submitted_counts_with_any_value_but_no() {
        for value in ["auto-replied", "Auto-Generated; x=y", "(why) auto-notified", "yes", "no\r\nAuto-Submitted: auto-replied"] {
            assert!(of(&format!("Auto-Submitted: {value}\r\n")).auto_submitted, "{value}");
        }
        for value in ["no", "No", "no (a person)", "NO; x", "(c) no"] {
            assert!(!of(&format!("Auto-Submitted: {value}\r\n")).auto_submitted, "{value}");
        }
    }

    #[test]
    fn precedence_and_its_kin() {
        assert!(of("Precedence: Bulk\r\n").bulk && of("precedence: junk\r\n").bulk && of("List-Unsubscribe: <mailto:x@y.test>\r\n").bulk);
        assert!(!of("Precedence: first-class\r\n").bulk && !of("X-Precedence: bulk\r\n").bulk);
        assert!(of("Precedence: auto_reply\r\n").auto_reply_header && of("X-Autorespond: 1\r\n").auto_reply_header);
        assert!(!of("X-Autoreply: no\r\n").auto_reply_header && of("X-Autoreply: yes\r\n").auto_reply_header);
        assert!(of("X-Precedence: List\r\n").discourages_reply && of("X-Loop: me\r\n").discourages_reply);
    }

    #[test]
    fn reports_return_paths_and_suppression() {
        let report = |kind| automatic(&Header::read(b""), Some(kind));
        assert!(report("Delivery-Status").delivery_report && !report("delivery-status").other_report);
        assert!(report("disposition-notification").auto_reply_header && report("feedback-report").other_report);
        assert!(of("X-Failed-Recipients: a@b.test\r\n").delivery_report);
        assert!(of("Return-Path: <>\r\n").empty_return_path && !of("Return-Path: <a@b.test>\r\n").empty_return_path);
        for value in ["All", "DR, OOF", "dr,autoreply"] {
            assert!(of(&format!("X-Auto-Response-Suppress: {value}\r\n")).suppress, "{value}");
        }
        assert!(!of("X-Auto-Response-Suppress: DR, RN\r\n").suppress);
    }
}
