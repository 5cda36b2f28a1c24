//! Workbooks: every sheet, hidden ones too, as a table with its rows and columns.

use super::Reader;
use crate::parse::document::Unreadable;
use calamine::{Data, DataRef, Reader as _, SheetType, Xls, Xlsb, Xlsx};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Reads the cells of a workbook in the given format: `xlsx`, `xlsb`, `xls`.
pub fn read(reader: &mut Reader, bytes: &[u8], format: &str) {
    let read = match format {
        "xlsx" => streamed(reader, bytes),
        "xlsb" => Xlsb::new(Cursor::new(bytes)).map_err(drop).map(|mut book| ranges(reader, &mut book)),
        _ => match Xls::new(Cursor::new(bytes)) {
            Ok(mut book) => {
                ranges(reader, &mut book);
                Ok(())
            }
            Err(calamine::XlsError::Password) => return reader.fail(Unreadable::Encrypted),
            Err(_) => Err(()),
        },
    };
    if read.is_err() {
        reader.fail(Unreadable::Damaged);
    }
}

/// Cell by cell: a single cell in the last corner of a sheet costs one cell, not a rectangle.
fn streamed(reader: &mut Reader, bytes: &[u8]) -> Result<(), ()> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(drop)?;
    names(reader, &book.sheet_names(), book.defined_names());
    for (sheet, number) in book.sheets_metadata().to_vec().into_iter().zip(1..) {
        let mut cells = match book.worksheet_cells_reader(&sheet.name) {
            Ok(cells) => cells,
            // Chart sheets have no cells; what they show lies in the sheets that they draw from.
            Err(_) if sheet.typ != SheetType::WorkSheet => continue,
            Err(_) => return Err(()),
        };
        let mut rows: BTreeMap<u32, Vec<(u32, String)>> = BTreeMap::new();
        let mut count = 0;
        while let Some(cell) = cells.next_cell().map_err(drop)? {
            let value = match cell.get_value() {
                DataRef::SharedString(text) => (*text).to_owned(),
                other => written(&Data::from(other.clone())),
            };
            if value.is_empty() {
                continue;
            }
            count += 1;
            if count > super::MOST_CELLS {
                reader.fail(Unreadable::TooLarge);
                return Ok(());
            }
            let (row, column) = cell.get_position();
            rows.entry(row).or_default().push((column, value));
        }
        reader.table("sheet", number, filled(rows));
    }
    Ok(())
}

fn ranges<'a, R>(reader: &mut Reader, book: &mut R)
where
    R: calamine::Reader<Cursor<&'a [u8]>>,
{
    names(reader, &book.sheet_names(), book.defined_names());
    for (sheet, number) in book.sheets_metadata().to_vec().into_iter().zip(1..) {
        match book.worksheet_range(&sheet.name) {
            Ok(range) => {
                let mut rows: BTreeMap<u32, Vec<(u32, String)>> = BTreeMap::new();
                let (top, left) = range.start().unwrap_or_default();
                for (row, column, value) in range.used_cells() {
                    let (row, column) =
                        (top.saturating_add(u32::try_from(row).unwrap_or(0)), left.saturating_add(u32::try_from(column).unwrap_or(0)));
                    rows.entry(row).or_default().push((column, written(value)));
                }
                reader.table("sheet", number, filled(rows));
            }
            Err(_) if sheet.typ != SheetType::WorkSheet => {}
            Err(_) => reader.fail(Unreadable::Damaged),
        }
    }
}

fn names(reader: &mut Reader, sheets: &[String], defined: &[(String, String)]) {
    reader.lines("metadata", 1, sheets.iter().cloned().chain(defined.iter().map(|(name, value)| format!("{name}: {value}"))).collect());
}

/// Rows as they stand, without the empty ones and the empty columns on the left.
fn filled(rows: BTreeMap<u32, Vec<(u32, String)>>) -> Vec<Vec<String>> {
    let left = rows.values().flatten().map(|(column, _)| *column).min().unwrap_or(0);
    rows.into_values()
        .map(|cells| {
            let mut row = Vec::new();
            for (column, value) in cells {
                let at = usize::try_from(column - left).unwrap_or(0);
                if row.len() <= at {
                    row.resize(at, String::new());
                }
                row.push(value);
            }
            row
        })
        .collect()
}

/// A cell as a person would read it.
fn written(value: &Data) -> String {
    match value {
        Data::Int(number) => number.to_string(),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::Float(number) => number.to_string(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Bool(truth) => truth.to_string(),
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Data::DateTime(time) => time.as_f64().to_string(),
        Data::Error(_) | Data::Empty => String::new(),
    }
}
