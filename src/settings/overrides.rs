//! `replies/<lang>.toml` and `words/<lang>.toml`: what admins word otherwise. The rooms that use them try them; a mistake is told with its line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use sha2::Sha256;

use super::context::Context;
use super::main_file::read_text;
use super::organisation_file::toml_files;
use super::section::At;
use super::tree::Place;
use super::values;
use crate::plan::templates::Templates;
use crate::words::Language;

/// What is wrong in a file, and on which of its lines.
struct Fault {
    line: Option<usize>,
    message: String,
}

/// Wordings of replies.
pub(super) fn replies(directory: Option<At<PathBuf>>, base: &Path, context: &Context, digest: &mut Sha256) -> Vec<(Language, String)> {
    read("replies", directory, base, context, digest, |language, text| {
        let fault = Templates::new(&[(language, text.to_owned())]).err()?;
        let table = fault.template.map(|name| format!("[{name}]: ")).unwrap_or_default();
        Some(Fault { line: fault.line, message: format!("{table}{}", fault.message) })
    })
}

/// Words and phrases of urgent and ICT matters.
pub(super) fn words(directory: Option<At<PathBuf>>, base: &Path, context: &Context, digest: &mut Sha256) -> Vec<(Language, String)> {
    read("words", directory, base, context, digest, |_, _| None)
}

fn read(
    key: &str,
    directory: Option<At<PathBuf>>,
    base: &Path,
    context: &Context,
    digest: &mut Sha256,
    try_out: impl Fn(Language, &str) -> Option<Fault>,
) -> Vec<(Language, String)> {
    let path = directory.as_ref().map_or_else(|| base.join(key), |at| at.value.clone());
    let files = match toml_files(&path) {
        Ok(files) => files,
        Err(error) => {
            // Said so in the settings and missing: doubtful. Nothing said: nothing is overridden.
            if let Some(at) = directory {
                context.warning(
                    at.place,
                    format!("`{key}` names a directory that cannot be read ({}): the compiled-in texts are used", values::why(&error)),
                    Some("Make the directory, or leave the line out.".to_owned()),
                );
            }
            return Vec::new();
        }
    };
    files.into_iter().filter_map(|file| one(&file, context, digest, &try_out)).collect()
}

fn one(
    file: &Path,
    context: &Context,
    digest: &mut Sha256,
    try_out: impl Fn(Language, &str) -> Option<Fault>,
) -> Option<(Language, String)> {
    let source = read_text(file, context, digest)?;
    let language = file.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse::<Language>().ok());
    let Some(language) = language else {
        let codes = Language::ALL.iter().map(|language| format!("{language}.toml")).collect::<Vec<_>>().join(", ");
        context.mistake(Place::whole(source), "this file's name is not that of a language", Some(format!("Call it one of {codes}.")));
        return None;
    };
    context.parse(source)?;
    let text = context.text(source);
    if let Some(fault) = try_out(language, &text) {
        let place = fault.line.map_or(Place::whole(source), |line| context.line(source, line));
        context.mistake(place, fault.message.trim_end_matches('.').to_owned(), None);
        return None;
    }
    Some((language, text))
}
