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
use crate::decide::lexicon::Lexicon;
use crate::plan::templates::Templates;
use crate::words::Language;

/// What is wrong in a language's file, and on which of its lines.
struct Fault {
    language: Language,
    line: Option<usize>,
    message: String,
}

/// One file's language and text.
type Override = (Language, String);

/// Wordings of replies.
pub(super) fn replies(directory: Option<At<PathBuf>>, base: &Path, context: &Context, digest: &mut Sha256) -> Vec<Override> {
    read("replies", directory, base, context, digest, |overrides| {
        let fault = Templates::new(overrides).err()?;
        let table = fault.template.map(|name| format!("[{name}]: ")).unwrap_or_default();
        Some(Fault { language: fault.language, line: fault.line, message: format!("{table}{}", fault.message) })
    })
}

/// Words and phrases of urgent and ICT matters.
pub(super) fn words(directory: Option<At<PathBuf>>, base: &Path, context: &Context, digest: &mut Sha256) -> Vec<Override> {
    read("words", directory, base, context, digest, |overrides| {
        let fault = Lexicon::new(overrides).err()?;
        Some(Fault { language: fault.language, line: Some(fault.line), message: fault.message })
    })
}

fn read(
    key: &str,
    directory: Option<At<PathBuf>>,
    base: &Path,
    context: &Context,
    digest: &mut Sha256,
    try_out: impl Fn(&[Override]) -> Option<Fault>,
) -> Vec<Override> {
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
    let (sources, overrides): (Vec<usize>, Vec<Override>) = files.into_iter().filter_map(|file| one(&file, context, digest)).unzip();
    // All at once costs little; each by itself, only to tell of every file.
    if !overrides.is_empty()
        && let Some(first) = try_out(&overrides)
    {
        let each = overrides.iter().filter_map(|one| try_out(std::slice::from_ref(one)));
        let mut faults: Vec<Fault> = each.collect();
        if faults.is_empty() {
            faults.push(first);
        }
        for fault in faults {
            let at = overrides.iter().zip(&sources).find(|((language, _), _)| *language == fault.language).map(|(_, source)| *source);
            let source = at.or(sources.first().copied()).unwrap_or_default();
            let place = fault.line.map_or(Place::whole(source), |line| context.line(source, line));
            context.mistake(place, fault.message.trim_end_matches('.').to_owned(), None);
        }
    }
    overrides
}

/// A file's place among the sources, its language and its text, if it is TOML and called like a language.
fn one(file: &Path, context: &Context, digest: &mut Sha256) -> Option<(usize, Override)> {
    let source = read_text(file, context, digest)?;
    let language = file.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse::<Language>().ok());
    let Some(language) = language else {
        let codes = Language::ALL.iter().map(|language| format!("{language}.toml")).collect::<Vec<_>>().join(", ");
        context.mistake(Place::whole(source), "this file's name is not that of a language", Some(format!("Call it one of {codes}.")));
        return None;
    };
    context.parse(source)?;
    Some((source, (language, context.text(source))))
}
