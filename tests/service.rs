//! The systemd unit is valid, and as closed as THREATS demands.

use crate::support::server::Scratch;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)
}

fn run(program: &str, args: &[&str]) -> (Output, String) {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}; run tests/setup.sh"));
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_units_exposure_is_at_most_one_and_a_half() {
    let unit = file("postkamer.service");
    // The threshold is in tenths.
    let (output, said) = run("systemd-analyze", &["security", "--offline=true", "--threshold=15", unit.to_str().unwrap()]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level for postkamer.service"), "{said}");
}

#[test]
fn systemd_knows_every_line_of_the_unit() {
    let scratch = Scratch::new("unit");
    let unit = fs::read_to_string(file("postkamer.service")).unwrap();
    // The one thing this machine lacks is the installed program.
    let unit = scratch.write("postkamer.service", unit.replace("/usr/local/bin/postkamer", "/bin/true"));
    let (output, said) = run("systemd-analyze", &["verify", "--man=no", &unit]);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("postkamer.service"), "{said}");
}

#[test]
fn the_user_and_the_directories_are_made_as_described() {
    let scratch = Scratch::new("root");
    scratch.directory("etc", None);
    let root = format!("--root={}", scratch.path().display());
    let (output, said) = run("systemd-sysusers", &[&root, file("sysusers.d/postkamer.conf").to_str().unwrap()]);
    assert!(output.status.success(), "{said}");
    assert!(fs::read_to_string(scratch.file("etc/passwd")).unwrap().contains("postkamer:x:"));
    // Only root can give directories to others.
    if crate::support::is_root() {
        use std::os::unix::fs::MetadataExt;
        let (output, said) = run("systemd-tmpfiles", &["--create", &root, file("tmpfiles.d/postkamer.conf").to_str().unwrap()]);
        assert!(output.status.success(), "{said}");
        for (directory, mode) in [("etc/postkamer/secrets", 0o700), ("etc/postkamer/organisations", 0o770), ("var/lib/postkamer", 0o700)] {
            assert_eq!(fs::metadata(scratch.file(directory)).unwrap().mode() & 0o777, mode, "{directory}");
        }
    }
}
