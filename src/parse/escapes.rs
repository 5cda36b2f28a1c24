//! Characters that pages spell: references in HTML, escapes in the texts of styles and in scripts. A number spelled so is that number to
//! whoever sees the page.

use super::charset;
use mail_parser::add_html_token;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Resolves character references (WHATWG HTML §13.2.5.72); what is none stays as it is.
#[must_use]
pub fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inside = from.strip_prefix('&').unwrap_or_default();
        let (decoded, after) = match inside.strip_prefix('#') {
            Some(number) => numbered(number),
            None => named(inside),
        };
        match decoded {
            Some(text) => {
                out.push_str(&text);
                rest = after.strip_prefix(';').unwrap_or(after);
            }
            None => {
                out.push('&');
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character of `49;…` or `x31;…`, and what follows its digits.
fn numbered(text: &str) -> (Option<String>, &str) {
    let (digits, radix) = text.strip_prefix(['x', 'X']).map_or((text, 10), |hexadecimal| (hexadecimal, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, after) = digits.split_at(end);
    let character = |code: u32| match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9f) => charset::western(&[byte]), // WHATWG HTML §13.2.5.80
        _ => char::from_u32(code).unwrap_or('\u{fffd}').to_string(),
    };
    (u32::from_str_radix(digits, radix).ok().map(character), after)
}

/// The text of `eacute;…`, and what follows its name.
fn named(text: &str) -> (Option<String>, &str) {
    const WITHOUT_END: &[&str] = &["nbsp", "amp", "lt", "gt", "quot", "shy", "copy", "reg"];
    const LONGEST: usize = 32;
    let end = text.char_indices().take(LONGEST).find(|(_, c)| !c.is_ascii_alphanumeric()).map_or(text.len().min(LONGEST), |(at, _)| at);
    let Some((name, after)) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty()) else { return (None, text) };
    if !after.starts_with(';') && !WITHOUT_END.contains(&name) {
        return (None, text);
    }
    let token = format!("&{name};");
    let mut decoded = String::new();
    add_html_token(&mut decoded, token.as_bytes(), false);
    ((decoded != token).then_some(decoded), after)
}

/// What a style sheet says in words: its strings, with their escapes resolved (CSS Syntax 3 §4.3.7), those side by side as one, as `content`
/// shows them; and its comments.
#[must_use]
pub fn texts_of_style(style: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut rest = style;
    let mut beside = false;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or("");
        if let Some(comment) = rest.strip_prefix("/*") {
            let (said, after) = comment.split_once("*/").unwrap_or((comment, ""));
            texts.push(said.trim().to_owned());
            (rest, beside) = (after, false);
        } else if matches!(c, '"' | '\'') {
            let (said, after) = css_string(after, c);
            match texts.last_mut().filter(|_| beside) {
                Some(text) => text.push_str(&said),
                None => texts.push(said),
            }
            (rest, beside) = (after, true);
        } else {
            beside &= c.is_whitespace();
            rest = after;
        }
    }
    texts
}

/// A string up to its closing quote, and what follows.
fn css_string(text: &str, quote: char) -> (String, &str) {
    let mut said = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        if c == quote {
            break;
        }
        if c != '\\' {
            said.push(c);
            continue;
        }
        let digits = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let (code, after) = rest.split_at_checked(digits).unwrap_or(("", rest));
        match u32::from_str_radix(code, 16).map(char::from_u32) {
            Ok(character) => {
                said.push(character.unwrap_or('\u{fffd}'));
                rest = after.strip_prefix("\r\n").or_else(|| after.strip_prefix([' ', '\t', '\n', '\r', '\u{c}'])).unwrap_or(after);
            }
            Err(_) => {
                let next = rest.chars().next();
                // A line that goes on says nothing by its break.
                said.extend(next.filter(|next| !matches!(next, '\r' | '\n')));
                rest = rest.strip_prefix("\r\n").or_else(|| rest.get(next.map_or(0, char::len_utf8)..)).unwrap_or("");
            }
        }
    }
    (said, rest)
}

/// A script with the escapes of its strings resolved (ECMAScript §12.9.4.1), and with the characters that it makes of numbers; `None` where it
/// has neither. What it would compute, nobody here knows.
#[must_use]
pub fn resolved_script(script: &str) -> Option<String> {
    static ESCAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\\(?:u\{0*([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))|\bfromC(?:harCode|odePoint)\b[^\d)]{0,40}([\s\da-fA-FxX,]+)").ok()
    });
    let escape = ESCAPE.as_ref().filter(|_| script.contains('\\') || script.contains("fromC"))?;
    let character = |code: u32| char::from_u32(code).unwrap_or('\u{fffd}');
    let resolved = escape.replace_all(script, |found: &Captures<'_>| match found.get(4) {
        Some(numbers) => numbers.as_str().split(',').filter_map(|number| code(number.trim())).map(character).collect::<String>(),
        None => {
            let digits = (1..=3).find_map(|group| found.get(group)).map_or("", |digits| digits.as_str());
            u32::from_str_radix(digits, 16).map(character).unwrap_or('\u{fffd}').to_string()
        }
    });
    (resolved != script).then(|| resolved.into_owned())
}

/// A number as a script writes it.
fn code(written: &str) -> Option<u32> {
    match written.strip_prefix("0x").or_else(|| written.strip_prefix("0X")) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => written.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_with_and_without_their_end() {
        assert_eq!(
            resolved("Caf&eacute; &amp;&lt;b&gt; &#49&#x32;&#0000000000000000051;&#128; R&D &nietes; &#; &"),
            "Café &<b> 123€ R&D &nietes; &#; &"
        );
        assert_eq!(resolved("12&shy;34&ZeroWidthSpace;5&NoBreak;6"), "12\u{ad}34\u{200b}5\u{2060}6");
    }

    #[test]
    fn strings_of_styles_are_what_the_page_shows() {
        let style =
            r#"/* BSN 1 */ p::after { content: "\42 SN " '\31\32 3\000034' "5"; font-family: "Segoe UI" } a::before { content: "\"x\"" "#;
        assert_eq!(texts_of_style(style), ["BSN 1", "BSN 12345", "Segoe UI", "\"x\""]);
        assert!(texts_of_style("p { color: #123456 }").is_empty());
        assert_eq!(texts_of_style("a{content:\"open"), ["open"]);
    }

    #[test]
    fn scripts_say_what_their_escapes_say() {
        assert_eq!(resolved_script(r"'B\u0053\x4e \u{31}\u0032'").as_deref(), Some("'BSN 12'"));
        assert_eq!(resolved_script("String.fromCharCode(66, 0x53,78)+1").as_deref(), Some("String.BSN)+1"));
        assert_eq!(resolved_script("String.fromCodePoint(...[49,50])").as_deref(), Some("String.12])"));
        assert_eq!(resolved_script("a = b / c"), None);
        assert_eq!(resolved_script(r"'C:\temp'"), None);
    }
}
