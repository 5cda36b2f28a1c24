//! Separated values: rows and cells, whatever separates them.

/// Rows of a text whose lines have the same few separators all the way down; `None` for running text. `named`: its name or type
/// says that it is such a file, so a single odd line does not make it prose.
pub fn parse(text: &str, named: bool) -> Option<(&'static str, Vec<Vec<String>>)> {
    let (separator, text) = match told(text) {
        Some((separator, rest)) => (separator, rest),
        None => (find(text, named)?, text),
    };
    Some((if separator == '\t' { "tsv" } else { "csv" }, rows(text, separator)))
}

/// Excel's first line `sep=;`.
fn told(text: &str) -> Option<(char, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let first = first.trim_end_matches('\r').trim_matches('"').to_ascii_lowercase();
    let mut separator = first.strip_prefix("sep=")?.chars();
    separator.next().map(|separator| (separator, rest))
}

fn find(text: &str, named: bool) -> Option<char> {
    const SAMPLE: usize = 60;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(SAMPLE).collect();
    let mut best = None;
    for separator in ['\t', ';', '|', ','] {
        let mut counts: Vec<usize> = lines.iter().map(|line| cells(line, separator)).collect();
        counts.sort_unstable();
        let usual = counts.get(counts.len() / 2).copied().unwrap_or(1);
        if usual < 2 {
            continue;
        }
        let alike = counts.iter().filter(|count| **count == usual).count();
        // Sentences have commas too, but not the same number in every line; two columns of words by commas are too few to tell.
        if separator == ',' && !named && in_fixed_columns(&lines) {
            continue;
        }
        let enough = if named {
            alike * 2 >= lines.len()
        } else {
            lines.len() >= 2 && alike * 5 >= lines.len() * 4 && (separator != ',' || usual > 2 || lines.len() > 3)
        };
        if enough && best.is_none_or(|(most, _)| alike * usual > most) {
            best = Some((alike * usual, separator));
        }
    }
    best.map(|(_, separator)| separator)
}

/// Whether wide gaps part most lines: their commas are decimal signs, or stand between family and given names.
fn in_fixed_columns(lines: &[&str]) -> bool {
    lines.iter().filter(|line| line.trim().contains("  ")).count() * 2 > lines.len()
}

fn cells(line: &str, separator: char) -> usize {
    let mut quoted = false;
    1 + line
        .chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == separator && !quoted
        })
        .count()
}

/// RFC 4180 with any separator; a quote that is never closed ends with its line.
fn rows(text: &str, separator: char) -> Vec<Vec<String>> {
    let balanced = text.matches('"').count().is_multiple_of(2);
    let mut rows = Vec::new();
    let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && balanced => {
                cell.clear();
                quoted = true;
            }
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            c if c == separator && !quoted => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_found_and_prose_is_not_a_table() {
        assert_eq!(parse("a;b\n1;2\n", false).unwrap().1, [["a", "b"], ["1", "2"]]);
        assert_eq!(parse("sep=,\r\na,b\r\n1,2", false).unwrap().1, [["a", "b"], ["1", "2"]]);
        assert_eq!(parse("naam,bsn,plaats\n\"Jansen, P.\",1,\"x \"\"y\"\"\"\n", false).unwrap().1[1], ["Jansen, P.", "1", "x \"y\""]);
        assert_eq!(parse("a\tb\n1\t2", false).unwrap().0, "tsv");
        assert!(parse("Beste, ik heb een vraag.\nHet werkt, soms, niet.\nGroet", false).is_none());
        assert!(parse("één regel", true).is_none());
        assert!(parse("Sofinr     Bedrag\n123456782  86,76\n111222333  630,29\n999990639  12,00\n", false).is_none());
    }
}
