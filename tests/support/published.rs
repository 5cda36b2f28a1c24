//! Figures that programs write into the project's documents, each between two marks of its own.

use std::fs;
use std::path::Path;

/// Puts this text between the marks `<!-- NAME: written by COMMAND -->` and `<!-- NAME: end -->` of a document of the project.
pub fn publish(document: &str, name: &str, command: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let (begin, end) = (format!("<!-- {name}: written by {command} -->\n"), format!("<!-- {name}: end -->"));
    let old = fs::read_to_string(&file).expect(document);
    let (above, rest) = old.split_once(&begin).expect("the first mark in the document");
    let (_, below) = rest.split_once(&end).expect("the second mark in the document");
    fs::write(file, format!("{above}{begin}\n{text}\n{end}{below}")).expect(document);
}

/// The machine on which figures are made, and how busy it is now.
pub fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let field = |text: &str, key: &str| {
        text.lines().find(|line| line.starts_with(key)).and_then(|line| line.split(':').nth(1)).unwrap_or("?").trim().to_owned()
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal").split(' ').next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0);
    format!(
        "{} cores of {}, {:.0} GiB, Linux {}, load {} at the end",
        std::thread::available_parallelism().map_or(0, usize::from),
        field(&read("/proc/cpuinfo"), "model name"),
        memory / 1024.0 / 1024.0,
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or("?"),
    )
}
