//! SQL dumps: the values of every `INSERT INTO table (columns) VALUES (…), (…)` under their columns, and of PostgreSQL's
//! `COPY table (columns) FROM stdin`. Where no columns are listed, those of the table's own `CREATE TABLE` are.

/// The tables that a dump fills; `None` for text that fills none.
pub fn parse(text: &str) -> Option<Vec<Vec<Vec<String>>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let created = created(text);
    let mut rest = text;
    while let Some(at) = find(rest, "insert into") {
        rest = rest.get(at + "insert into".len()..)?;
        let Some(open) = rest.find('(') else { break };
        // Without a list of columns the first bracket comes after VALUES: rows without a header.
        let (header, mut values) = if let Some(named) = find(rest.get(..open)?, "values") {
            let name = bare(rest.get(..named)?);
            (created.iter().find(|(table, _)| *table == name).map(|(_, columns)| columns.clone()).unwrap_or_default(), rest.get(open..)?)
        } else {
            let (header, after) = tuple(rest.get(open..)?);
            (header, after)
        };
        let mut rows = Vec::new();
        while let Some(open) = values.find(['(', ';']).filter(|open| values.get(*open..).is_some_and(|rest| rest.starts_with('('))) {
            if values.get(..open).is_some_and(|between| find(between, "insert").is_some()) {
                break;
            }
            let (row, after) = tuple(values.get(open..)?);
            rows.push(row);
            values = after;
        }
        rest = values;
        match tables.last_mut() {
            Some(last) if last.first() == Some(&header) => last.extend(rows),
            _ => tables.push([vec![header], rows].concat()),
        }
    }
    tables.extend(copied(text));
    (!tables.is_empty()).then_some(tables)
}

/// Every table that is created, with its columns.
fn created(text: &str) -> Vec<(String, Vec<String>)> {
    const NO_COLUMN: [&str; 9] = ["primary", "foreign", "unique", "constraint", "check", "key", "index", "fulltext", "exclude"];
    let mut tables = Vec::new();
    let mut rest = text;
    while let Some(found) = find(rest, "create table").and_then(|at| rest.get(at + "create table".len()..)) {
        let Some((name, columns)) = found.split_once('(') else { break };
        let name = find(name, "exists").and_then(|at| name.get(at + "exists".len()..)).unwrap_or(name);
        let mut columns: Vec<String> = definitions(columns)
            .iter()
            .filter_map(|column| column.split_whitespace().next())
            .map(|word| word.trim_matches(QUOTES).to_owned())
            .collect();
        columns.retain(|column| !NO_COLUMN.contains(&column.to_ascii_lowercase().as_str()));
        tables.push((bare(name), columns));
        rest = found;
    }
    tables
}

/// The parts between commas that stand in no bracket of their own, up to the bracket that ends them.
fn definitions(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => {
                parts.extend(text.get(from..at));
                from = at + 1;
                if c == ')' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts
}

/// What names are put in.
const QUOTES: [char; 5] = ['"', '`', '[', ']', '\''];

/// A table's name without its schema and quotes.
fn bare(name: &str) -> String {
    name.trim().rsplit('.').next().unwrap_or("").trim_matches(QUOTES).to_ascii_lowercase()
}

/// The rows after each `COPY … FROM stdin;`, up to the line `\.`.
fn copied(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let start = line.trim_start();
        let begins = start.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("copy ")) && find(start, "from stdin").is_some();
        if begins {
            tables.push(vec![start.find('(').and_then(|at| start.get(at..)).map(|columns| tuple(columns).0).unwrap_or_default()]);
            open = true;
        } else if line == "\\." {
            open = false;
        } else if let Some(table) = tables.last_mut().filter(|_| open) {
            table.push(line.split('\t').map(|cell| if cell == "\\N" { String::new() } else { cell.to_owned() }).collect());
        }
    }
    tables
}

/// What stands between brackets, parted by commas outside quotes, and what follows them.
fn tuple(text: &str) -> (Vec<String>, &str) {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), None);
    for (at, c) in text.char_indices().skip(1) {
        match (quoted, c) {
            (None, '\'' | '"' | '`') => quoted = Some(c),
            (Some(quote), c) if quote == c => quoted = None,
            (None, ',') => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            (None, ')') => {
                cells.push(cell.trim().to_owned());
                return (cells, text.get(at + 1..).unwrap_or(""));
            }
            (_, c) => cell.push(c),
        }
    }
    cells.push(cell);
    (cells, "")
}

fn find(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_their_columns() {
        let dump = "INSERT INTO persoon (bsn, klantnummer) VALUES ('123456782', 5), ('111222333', 6);\ninsert into persoon (bsn, klantnummer) values ('x', 7);";
        assert_eq!(parse(dump).unwrap(), [[["bsn", "klantnummer"], ["123456782", "5"], ["111222333", "6"], ["x", "7"]]]);
        assert!(parse("select 1").is_none());
        let created = "CREATE TABLE IF NOT EXISTS `app`.`klant` (\n `id` int(11) NOT NULL,\n `bsn` char(9) DEFAULT '0', saldo decimal(8,2),\n PRIMARY KEY (`id`)\n);\nINSERT INTO `klant` VALUES (1,'123456782',3.5);";
        assert_eq!(parse(created).unwrap(), [[["id", "bsn", "saldo"], ["1", "123456782", "3.5"]]]);
        let copy = "COPY public.persoon (bsn, x) FROM stdin;\n123456782\t\\N\n\\.\nCOPY b (c) FROM stdin;\n1\n\\.\n";
        assert_eq!(parse(copy).unwrap(), [vec![vec!["bsn", "x"], vec!["123456782", ""]], vec![vec!["c"], vec!["1"]]]);
    }
}
