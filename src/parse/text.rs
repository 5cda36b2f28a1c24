//! Which of several renderings of one text is the one to show.

use super::quoted::Line;
use std::collections::HashSet;

/// What became of two renderings of one text.
pub(super) struct Choice {
    /// The plain rendering is the one to show.
    pub plain: bool,
    /// The other one says something beyond the chosen one, so it must be screened too.
    pub other_says_more: bool,
}

/// The plain text of a multipart/alternative is shown when it is a real rendering of the HTML: it has the better lines and
/// the marks of its quotations. A stub ("this mail needs an HTML client") or a text that leaves much out is not; then the
/// HTML is shown, as RFC 2046 §5.1.4 has it.
pub(super) fn choose(plain: &[Line], html: &[Line]) -> Choice {
    if letters(plain).eq(letters(html)) {
        return Choice { plain: true, other_says_more: false };
    }
    let (plain_words, html_words) = (words(plain), words(html));
    if plain_words.is_empty() || html_words.is_empty() {
        return Choice { plain: html_words.is_empty(), other_says_more: false };
    }
    let only_html = html_words.difference(&plain_words).count();
    let only_plain = plain_words.difference(&html_words).count();
    // Some rounding of long words by converters is normal; a fifth of all words is not.
    let html_is_fuller = only_html > 3 && only_html * 5 > html_words.len();
    if html_is_fuller {
        Choice { plain: false, other_says_more: only_plain > 0 }
    } else {
        Choice { plain: true, other_says_more: only_html > 0 }
    }
}

/// Letters and digits in order, addresses of links left out.
fn letters(lines: &[Line]) -> impl Iterator<Item = char> {
    lines.iter().flat_map(|line| tokens(&line.text)).flat_map(str::chars).filter(|c| c.is_alphanumeric())
}

fn words(lines: &[Line]) -> HashSet<&str> {
    lines
        .iter()
        .flat_map(|line| tokens(&line.text))
        .flat_map(|token| token.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Words between blanks that are no link.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split_ascii_whitespace().map(|token| {
        if !token.contains(':') {
            return token;
        }
        let link = ["http:", "https:", "mailto:", "[cid:"].iter().filter_map(|start| token.find(start)).min();
        link.and_then(|at| token.get(..at)).unwrap_or(token)
    })
}

#[cfg(test)]
mod tests {
    use super::super::quoted::lines;
    use super::*;

    fn chosen(plain: &str, html: &str) -> (bool, bool) {
        let choice = choose(&lines(plain), &lines(html));
        (choice.plain, choice.other_says_more)
    }

    #[test]
    fn a_real_rendering_is_shown_and_a_stub_is_not() {
        let text = "Goedemorgen, de website is sinds vanochtend traag en wij krijgen meldingen van inwoners.";
        assert_eq!(chosen(text, text), (true, false));
        assert_eq!(chosen("Zie de site<https://x.example/abc?d=1>", "Zie  de\nsite"), (true, false));
        assert_eq!(chosen("", text), (false, false));
        assert_eq!(chosen("This mail needs an HTML client.", text), (false, true));
        assert_eq!(chosen(text, ""), (true, false));
        assert_eq!(chosen(text, &format!("{text} 123456782")), (true, true));
    }
}
