//! `postkamer screen` on files as town halls mail them, through the real binary.

use crate::support::server::Scratch;
use crate::support::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use toml_edit::value;

#[derive(serde::Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    about: String,
    file: String,
    found: bool,
    text: String,
}

/// What `screen --json` says of a folder, by file name, and its exit status.
fn screen(folder: &Path) -> (BTreeMap<String, Value>, Option<i32>) {
    let ran = Command::new(env!("CARGO_BIN_EXE_postkamer")).args(["screen", "--json"]).arg(folder).output().unwrap();
    let lines = String::from_utf8(ran.stdout).unwrap();
    let results = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let name = |result: &Value| Path::new(result["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
    (results.map(|result| (name(&result), result)).collect(), ran.status.code())
}

/// Cases by hand: add one whenever screening was wrong about a file.
#[test]
fn files_of_every_country_are_told_apart() {
    let scratch = Scratch::new("screening");
    let mut expected = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/screening/files")).unwrap() {
        let path = entry.unwrap().path();
        let cases: Cases = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (number, case) in cases.case.into_iter().enumerate() {
            let name = format!("{}-{number}-{}", path.file_stem().unwrap().to_str().unwrap(), case.file);
            scratch.write(&name, &case.text);
            expected.insert(name, (case.found, case.about));
        }
    }
    let (results, status) = screen(scratch.path());
    assert_eq!((results.len(), status), (expected.len(), Some(1)));
    let wrong: Vec<String> = expected
        .into_iter()
        .filter(|(name, (found, _))| results[name]["citizen_data"] != *found)
        .map(|(name, (found, about))| {
            format!("{name} ({about}): {} expected, {}", if found { "something" } else { "nothing" }, results[&name])
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_hit_has_its_kind_place_and_certainty_and_never_its_value() {
    let scratch = Scratch::new("spots");
    scratch.write("lijst.csv", "Naam;BSN\nOudshoorn;212129491\nvan Eijsden;146763117\n");
    let (results, status) = screen(scratch.path());
    let result = &results["lijst.csv"];
    assert_eq!(status, Some(1));
    assert_eq!(result["kinds"], serde_json::json!({"bsn": 2}));
    let spots = result["spots"].as_array().unwrap();
    assert_eq!(spots.len(), 2);
    for (spot, row) in spots.iter().zip(2..) {
        assert_eq!(
            (&spot["where"], &spot["kind"], &spot["row"], &spot["column"]),
            (&"attachment".into(), &"bsn".into(), &row.into(), &2.into())
        );
        assert!(spot["certainty"].as_u64().unwrap() >= 60 && spot["part"].is_string(), "{spot}");
    }
    assert!(!result.to_string().contains("212129491") && !result.to_string().contains("Oudshoorn"));
}

/// A number that only its form speaks for: whose it is, and how sure the desk wants to be, decide.
#[test]
fn countries_and_sensitivity_of_the_desk_decide_what_counts_without_a_keyword() {
    let world = World::new();
    let scratch = Scratch::new("sensitivity");
    // Hyphenated, without the check that is no longer required: 60 points.
    let file = scratch.write("notat.txt", "Ringet om 260501-6919 i dag.\n");
    let screened = |desk: &str| world.run(&["screen", "--json", "--desk", desk, &file]).json()[0]["outcome"].as_str().unwrap().to_owned();
    let set = |key: &str, to: toml_edit::Item| {
        world.edit(|config| {
            for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
                desk[key] = to.clone();
            }
        });
    };
    assert_eq!(screened("support"), "citizen-data");
    set("sensitivity", value("relaxed"));
    assert_eq!(screened("support"), "clean");
    set("sensitivity", value("strict"));
    assert_eq!(screened("support"), "citizen-data");
    set("countries", value(toml_edit::Array::from_iter(["nl", "be"])));
    assert_eq!(screened("support"), "clean");
    let named = scratch.write("named.txt", "CPR 260501-6919 i dag.\n");
    assert_eq!(world.run(&["screen", "--json", "--desk", "support", &named]).json()[0]["outcome"], "citizen-data");
    set("sensitivity", value("lax"));
    let refused = world.run(&["check"]).exits(1);
    assert!(refused.stdout.contains("\"strict\"") && refused.stdout.contains("\"relaxed\""), "{}", refused.stdout);
}
