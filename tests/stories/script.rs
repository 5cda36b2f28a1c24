//! A story as it is written down (fixtures/README.md).

use crate::support::world::World;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    #[serde(skip)]
    pub name: String,
    pub about: String,
    /// Settings that differ from fixtures/world/postkamer.toml.
    #[serde(default)]
    world: BTreeMap<String, BTreeMap<String, i64>>,
    pub mail: Vec<Mail>,
    #[serde(default)]
    pub ticket: Vec<Ticket>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub file: String,
    pub now: String,
    pub received: Option<String>,
    pub desk: String,
    #[serde(default)]
    pub before: Vec<String>,
    /// Letters of agents that those commands send, before the mail arrives.
    #[serde(default)]
    pub letters: Vec<Reply>,
    pub verdict: String,
    pub reasons: Vec<String>,
    kind: String,
    authentic: String,
    sender: Sender,
    urgent: bool,
    citizen_data: bool,
    findings: Vec<Finding>,
    attachments: Option<Vec<Attachment>>,
    pub replies: Vec<Reply>,
    pub server: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sender {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    #[serde(rename = "where")]
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment: Option<usize>,
    kinds: BTreeMap<String, u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attachment {
    index: usize,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    format: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    pub template: String,
    pub to: String,
    pub cc: Vec<String>,
    pub cc_addresses: Option<Vec<String>>,
    pub language: Option<String>,
    #[serde(default)]
    pub says: Vec<String>,
    #[serde(default)]
    pub never: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    pub number: String,
    status: String,
    #[serde(rename = "type")]
    kind: String,
    urgent: bool,
    organisation: Option<String>,
    reasons: Vec<String>,
    entries: u32,
    attachments: Option<u32>,
    cc: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mails")
}

fn names(extension: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(extension))
        .collect();
    names.sort();
    names
}

/// The names of all raw mails.
pub fn raw_mails() -> Vec<String> {
    names(".eml")
}

impl Story {
    /// All of them, by name.
    pub fn all() -> Vec<Self> {
        let read = |name: String| {
            let text = fs::read_to_string(folder().join(&name)).unwrap();
            let mut story: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("fixtures/mails/{name}: {error}"));
            story.name = name.trim_end_matches(".toml").to_owned();
            story
        };
        names(".toml").into_iter().map(read).collect()
    }

    /// Gives the world what is different in this story.
    pub fn adapt(&self, world: &World) {
        if self.world.is_empty() {
            return;
        }
        world.edit(|config| {
            for (section, keys) in &self.world {
                for (key, value) in keys {
                    config[section.as_str()][key.as_str()] = toml_edit::value(*value);
                }
            }
        });
    }
}

impl Mail {
    pub fn path(&self) -> PathBuf {
        folder().join(&self.file)
    }

    pub fn raw(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap_or_else(|error| panic!("{}: {error}", self.file))
    }

    /// What `explain --json` must say, field by field.
    pub fn explained(&self) -> Vec<(&'static str, Value)> {
        let replies: Vec<Value> = self.replies.iter().map(|r| json!({"template": r.template, "to": r.to, "cc": r.cc})).collect();
        let mut fields = vec![
            ("verdict", json!(self.verdict)),
            ("reasons", json!(self.reasons)),
            ("kind", json!(self.kind)),
            ("authentic", json!(self.authentic)),
            ("sender", json!(self.sender)),
            ("urgent", json!(self.urgent)),
            ("citizen_data", json!(self.citizen_data)),
            ("findings", json!(self.findings)),
            ("replies", json!(replies)),
            ("server", json!(self.server)),
        ];
        fields.extend(self.attachments.as_ref().map(|attachments| ("attachments", json!(attachments))));
        fields
    }
}

impl Ticket {
    /// What `tickets list --json` must say of it, field by field; `number` is the one it really has.
    pub fn listed(&self, number: &str) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("number", json!(number)),
            ("status", json!(self.status)),
            ("type", json!(self.kind)),
            ("urgent", json!(self.urgent)),
            ("organisation", json!(self.organisation)),
            ("reasons", json!(self.reasons)),
            ("entries", json!(self.entries)),
            ("cc", json!(self.cc)),
        ];
        fields.extend(self.attachments.map(|attachments| ("attachments", json!(attachments))));
        fields
    }
}
