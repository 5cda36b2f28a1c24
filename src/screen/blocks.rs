//! Tables in running text: lines whose parts stand under each other, parted by tabs, bars, semicolons or wide gaps, as mails and
//! PDF pages have them.

use std::collections::BTreeSet;

/// A part of a line with the characters that it covers.
struct Part<'a> {
    from: usize,
    to: usize,
    text: &'a str,
}

/// A table found in lines.
pub struct Block {
    /// The line that its first row is.
    pub first: usize,
    /// Its rows; a row that is no line of the block is empty.
    pub rows: Vec<Vec<String>>,
}

/// Every stretch of at least two lines with at least two parts each; one line between them without parts ends it.
pub fn in_lines(lines: &[&str]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let separator = lines.get(at).and_then(|line| separator(line));
        let Some(separator) = separator else {
            at += 1;
            continue;
        };
        let mut rows: Vec<Vec<Part<'_>>> = Vec::new();
        let first = at;
        let mut blanks = 0;
        while let Some(line) = lines.get(at) {
            let parts = parts(line, separator);
            if parts.len() >= 2 {
                rows.push(parts);
                blanks = 0;
            } else if line.trim().is_empty() && blanks == 0 || is_rule(line) {
                // Layouts put a blank line, or a line of dashes, between rows or under the header.
                rows.push(Vec::new());
                blanks += 1;
            } else if blanks == 0 && !rows.is_empty() && separator == "  " && is_wrapped(lines.get(at..).unwrap_or(&[])) {
                rows.push(parts);
            } else {
                break;
            }
            at += 1;
        }
        if rows.iter().filter(|row| !row.is_empty()).count() >= 2 {
            blocks.push(Block { first, rows: aligned(rows) });
        }
        at = at.max(first + 1);
    }
    blocks
}

/// The lines that are rows of blocks.
pub fn rows_of(blocks: &[Block]) -> BTreeSet<usize> {
    blocks.iter().flat_map(|block| block.rows.iter().zip(block.first..).filter(|(cells, _)| cells.len() > 1).map(|(_, row)| row)).collect()
}

/// Whether the first of these lines is what did not fit into a narrow cell of the row above: a word or two, with the next row below.
fn is_wrapped(lines: &[&str]) -> bool {
    const LONGEST: usize = 24;
    let mut below = lines.iter().skip(1);
    let next = below.next().filter(|next| !next.trim().is_empty()).or_else(|| below.next());
    lines.first().is_some_and(|line| line.trim().len() <= LONGEST) && next.is_some_and(|next| parts(next, "  ").len() >= 2)
}

/// What parts a line, if anything does.
fn separator(line: &str) -> Option<&'static str> {
    ["\t", "|", ";", "  "].into_iter().find(|separator| line.contains(*separator) && parts(line, separator).len() >= 2)
}

fn parts<'a>(line: &'a str, separator: &str) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut from = 0;
    for text in line.split(separator) {
        let start = text.len() - text.trim_start_matches([' ', '>']).len();
        let trimmed = text.trim_matches([' ', '>', '|']);
        if !trimmed.is_empty() || separator != "  " {
            parts.push(Part { from: from + start, to: from + start + trimmed.len(), text: trimmed });
        }
        from += text.len() + separator.len();
    }
    while separator == "|" && parts.first().is_some_and(|part| part.text.is_empty()) {
        parts.remove(0);
    }
    parts
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '=' | '_' | '+' | '|' | ' ' | ':'))
}

/// Rows of wider tables go by number, so that a line of a million separators costs no square of it.
const MOST_COLUMNS: usize = 200;

/// Rows of equal length go by number; where cells are missing, by what stands above them.
fn aligned(rows: Vec<Vec<Part<'_>>>) -> Vec<Vec<String>> {
    let widest = rows
        .iter()
        .find(|row| !row.is_empty())
        .map(|row| row.iter().map(|part| (part.from, part.to)).collect::<Vec<_>>())
        .unwrap_or_default();
    rows.into_iter()
        .map(|row| {
            if row.len() >= widest.len() || row.is_empty() || widest.len() > MOST_COLUMNS {
                return row.into_iter().map(|part| part.text.to_owned()).collect();
            }
            let mut cells = vec![String::new(); widest.len()];
            for part in row {
                let distance = |(from, to): &(usize, usize)| {
                    part.from.saturating_sub(*to) + from.saturating_sub(part.to) + part.from.abs_diff(*from) / 4
                };
                let nearest = widest.iter().enumerate().min_by_key(|(_, column)| distance(column)).map(|(at, _)| at);
                if let Some(cell) = nearest.and_then(|at| cells.get_mut(at)) {
                    if !cell.is_empty() {
                        cell.push(' ');
                    }
                    cell.push_str(part.text);
                }
            }
            cells
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_fit_into_a_cell_does_not_end_the_table() {
        let page = ["KLANTNAA    Adres     Postcode", "M PERSOON", "", "A. Timing   Dreef 1   4352", "", "Groet,", "", "A  B"];
        let blocks = in_lines(&page);
        assert_eq!(blocks.iter().map(|block| (block.first, block.rows.len())).collect::<Vec<_>>(), [(0, 5)]);
        assert_eq!(blocks[0].rows[1], ["M PERSOON", "", ""]);
        assert_eq!(in_lines(&["A    B", "C    D", "en dan gaat het in een zin verder", "E    F", "G    H"]).len(), 2);
    }

    #[test]
    fn columns_of_a_page_keep_their_headers() {
        let page = [
            "Overzicht",
            "Naam            Plaats       BSN",
            "P. Jansen       Utrecht      123456782",
            "A. de Vries                  111222333",
            "",
            "einde",
        ];
        let blocks = in_lines(&page);
        assert_eq!(blocks.len(), 1);
        assert_eq!(
            (blocks[0].first, blocks[0].rows[2].clone()),
            (1, vec!["A. de Vries".to_owned(), String::new(), "111222333".to_owned()])
        );
    }
}
