//! `postkamer.toml`, with the environment laid over it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::Source as _;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::organisation_file;
use super::overrides;
use super::schema;
use super::section::{At, Section, Wrong, nearest};
use super::tree::{self, Node, Place, Table};
use super::values::{self, is_loopback};
use super::{Agent, Attachments, Database, Desk, Processor, Retention, Settings, Smtp, Topic, Upkeep};
use crate::decide::{OnUnreadable, UnknownSenders};
use crate::identify::{Authentication, Directory, TrustedServer};
use crate::mailbox::{self, Done, FolderName, ImapSettings, Kind, OAuth, OAuthSettings, Password, Secret, Tls};
use crate::outbox::smtp::SmtpSettings;
use crate::plan::Limits;
use crate::screen::Sensitivity;
use crate::words::{Country, EmailAddress, Language, Redacted, Terms};

/// What every variable that overrides a key begins with.
const PREFIX: &str = "POSTKAMER";

/// Processor time that one mail may take in one go, where nothing is said.
const STALL: Duration = Duration::from_secs(120);
/// Largest mail that is taken in whole, in bytes, where nothing is said.
const MAX_MAIL: u64 = 50_000_000;
/// How long reading the files of one mail may take together.
const READING_TIME: Duration = Duration::from_secs(60);
/// Room that is left on the disk, in bytes, where nothing is said.
const KEEP_FREE: u64 = 1 << 30;

/// Reads everything. None: there is at least one mistake.
pub(super) fn read(path: &Path, environment: Option<&BTreeMap<String, String>>, context: &Context) -> Option<Settings> {
    let mut digest = Sha256::new();
    let (source, mut table) = read_table(path, context, &mut digest)?;
    table.place = Place::whole(source);
    lay_environment_over(&mut table, environment, context, &mut digest);
    let base = path.parent().unwrap_or(Path::new(""));
    let main = Section::open(&table, &schema::MAIN, context);

    let portal = main.required("portal", values::web_address);
    let language = main.optional("language", values::language).unwrap_or(Language::Nl);
    let timezone = main.optional("timezone", values::timezone);
    let state_dir = main.required("state_dir", values::place(base));
    let keep_free = main.optional("keep_free", values::room).unwrap_or(KEEP_FREE);
    let organisations = main.required_at("organisations", values::path(base));
    let replies = main.optional_at("replies", values::path(base));
    let words = main.optional_at("words", values::path(base));
    let reopen_days = main.optional("reopen_days", values::number(0, 3650)).unwrap_or(14);

    let stall = main.optional("stall", values::duration).unwrap_or(STALL);

    let database = main.required_table("database").and_then(|table| database(table, state_dir.as_deref(), context));
    let attachments = attachments(main.table("attachments"), state_dir.as_deref(), context);
    let authentication = main.required_table("authentication").and_then(|table| authentication(table, context));
    let limits = main.table("limits").map_or_else(Limits::default, |table| limits(table, context));
    let retention = main.table("retention").map_or_else(Retention::default, |table| retention(table, context));
    let upkeep = main.table("upkeep").map_or_else(Upkeep::default, |table| upkeep(table, context));
    let smtp = main.required_table("smtp").and_then(|table| smtp(table, base, context));
    let processor = main.table("processor").map_or_else(Processor::default, |table| processor(table, context));
    let health = main.table("health").and_then(|table| health(table, context));

    let max_mail = attachments.as_ref().map_or(MAX_MAIL, |attachments| attachments.max_mail);
    let desk_tables = main.tables("desk");
    if desk_tables.is_empty() {
        let example = "Add one [[desk]] for each address that customers write to; the sample settings show how.";
        context.mistake(main.place(), "there is no [[desk]]", Some(example.to_owned()));
    }
    let desks: Vec<Option<ReadDesk>> = desk_tables.into_iter().map(|table| desk(table, base, language, max_mail, context)).collect();
    let own = own_addresses(desks.iter().flatten(), context);
    unique_names(desks.iter().flatten().map(|read| &read.name), "a desk", context);
    own_mailboxes(&desks.iter().flatten().collect::<Vec<_>>(), context);
    let names: Vec<&str> = desks.iter().flatten().map(|read| read.desk.name.as_str()).collect();
    let agents = agents(main.tables("agent"), &names, desks.iter().all(Option::is_some), context);
    drop(main);

    let beside = |key: &str, said: &Option<At<PathBuf>>| said.as_ref().map_or_else(|| base.join(key), |at| at.value.clone());
    let directories = vec![beside("organisations", &organisations), beside("replies", &replies), beside("words", &words)];
    let organisations = organisations.and_then(|at| organisation_file::read_all(&at, &own, context, &mut digest));
    let replies_overrides = overrides::replies(replies, base, context, &mut digest);
    let words_overrides = overrides::words(words, base, context, &mut digest);

    let desks = desks.into_iter().map(|read| read.map(|read| read.desk)).collect::<Option<Vec<Desk>>>()?;
    Some(Settings {
        portal: portal?,
        language,
        timezone: timezone.or_else(|| TimeZone::get("Europe/Amsterdam").ok()).unwrap_or(TimeZone::UTC),
        state_dir: state_dir?,
        keep_free,
        organisations: Directory::new(organisations?),
        reopen_days,
        stall,
        database: database?,
        attachments: attachments?,
        authentication: authentication.as_ref()?.0.clone(),
        dns_server: authentication?.1,
        limits,
        retention,
        upkeep,
        smtp: smtp?,
        health,
        processor,
        desks,
        agents,
        replies_overrides,
        words_overrides,
        fingerprint: digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        warnings: Vec::new(),
        directories,
    })
}

/// Reads one file as TOML; complains where that fails.
pub(super) fn read_table(path: &Path, context: &Context, digest: &mut Sha256) -> Option<(usize, Table)> {
    let source = read_text(path, context, digest)?;
    Some((source, context.parse(source)?))
}

/// Reads one file as text; complains where that fails.
pub(super) fn read_text(path: &Path, context: &Context, digest: &mut Sha256) -> Option<usize> {
    let name = path.display().to_string();
    let complain = |message: String, suggestion: &str| {
        let source = context.file(name.clone(), String::new());
        context.mistake(Place::whole(source), message, Some(suggestion.to_owned()));
        None
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return complain("there is no such file".to_owned(), "Name another with --config, or copy the sample settings there.");
        }
        Err(error) => {
            return complain(
                format!("this file cannot be read: {}", values::why(&error)),
                "Give the user that postkamer runs as the right to read it.",
            );
        }
    };
    digest.update(name.as_bytes());
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(&bytes);
    match String::from_utf8(bytes) {
        Ok(text) => Some(context.file(name, text)),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let source = context.file(name, String::from_utf8_lossy(error.as_bytes()).into_owned());
            let place = Place { source, start, end: start + 1 };
            context.mistake(place, "from here on this file is not UTF-8 text", Some("Save it with the encoding UTF-8.".to_owned()));
            None
        }
    }
}

/// `POSTKAMER__SMTP__HOST=…` overrides `host` in `[smtp]`, `POSTKAMER__DESK__0__ADDRESS=…` the address of the first desk.
fn lay_environment_over(table: &mut Table, environment: Option<&BTreeMap<String, String>>, context: &Context, digest: &mut Sha256) {
    let given = environment.map(|variables| variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
    let reader = config::Environment::with_prefix(PREFIX).prefix_separator("__").separator("__").source(given);
    let variables = match reader.collect() {
        Ok(variables) => variables,
        Err(_) => {
            let source = context.variable(&format!("{PREFIX}__…"));
            context.mistake(Place::whole(source), "its value is not UTF-8 text", Some("Set it to plain text or unset it.".to_owned()));
            return;
        }
    };
    let sorted: BTreeMap<_, _> = variables.into_iter().collect();
    for (key, value) in sorted {
        let name = format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase());
        let source = context.variable(&name);
        let Ok(value) = value.into_string() else { continue };
        digest.update(name.as_bytes());
        digest.update(value.as_bytes());
        let path: Vec<&str> = key.split('.').collect();
        if !tree::overlay(table, &path, source, &value) {
            context.mistake(
                Place::whole(source),
                "names no key of postkamer.toml",
                Some("Write POSTKAMER__SMTP__HOST for `host` in [smtp], and POSTKAMER__DESK__0__ADDRESS for `address` in the first [[desk]].".to_owned()),
            );
        }
    }
}

fn database(table: &Table, state_dir: Option<&Path>, context: &Context) -> Option<Database> {
    let section = Section::open(table, &schema::DATABASE, context);
    let url = section.required_at("url", values::text)?;
    let wrong = |message: &str| {
        context.mistake(
            url.place,
            message,
            Some("Write \"sqlite://postkamer.db\" (a file in state_dir) or \"postgres://user@host/database\".".to_owned()),
        );
        None
    };
    let written = url.value.as_str();
    if let Some(file) = written.strip_prefix("sqlite:") {
        let file = file.strip_prefix("//").unwrap_or(file);
        if file.is_empty() || file == ":memory:" {
            return wrong("`url` must name a file: what is only in memory would be forgotten");
        }
        if file.contains(['?', '#']) {
            return wrong("`url` must not have parameters: postkamer chooses the modes of its database itself");
        }
        return Some(Database::Sqlite(state_dir.unwrap_or(Path::new("")).join(file)));
    }
    if written.starts_with("postgres://") || written.starts_with("postgresql://") {
        let Ok(parsed) = reqwest::Url::parse(written) else { return wrong("`url` is not a PostgreSQL address") };
        if parsed.password().is_some() && context.thorough {
            context.warning(
                url.place,
                "`url` holds a password that everybody who can read this file can read",
                Some(
                    "Leave it out and set PGPASSFILE, or override the key with the environment variable POSTKAMER__DATABASE__URL."
                        .to_owned(),
                ),
            );
        }
        return Some(Database::Postgres(Redacted::new(written.to_owned())));
    }
    wrong("`url` must begin with sqlite:// or postgres://")
}

fn attachments(table: Option<&Table>, state_dir: Option<&Path>, context: &Context) -> Option<Attachments> {
    let section = table.map(|table| Section::open(table, &schema::ATTACHMENTS, context));
    let store = section.as_ref().map(|section| section.optional_at("store", values::text));
    let max_mail = section.as_ref().and_then(|section| section.optional("max_mail", values::size)).unwrap_or(MAX_MAIL);
    let reading_time = section.as_ref().and_then(|section| section.optional("reading_time", values::duration)).unwrap_or(READING_TIME);
    let store = match store.flatten() {
        Some(at) if at.value.contains("://") => {
            let message = if at.value.starts_with("s3://") {
                "`store` in S3-compatible storage is not built yet"
            } else {
                "`store` must be a directory"
            };
            context.mistake(
                at.place,
                message,
                Some("Name a directory; a relative one lies in state_dir: `store = \"attachments\"`.".to_owned()),
            );
            return None;
        }
        Some(at) => at.value,
        None => "attachments".to_owned(),
    };
    Some(Attachments { store: state_dir.unwrap_or(Path::new("")).join(store), max_mail, reading_time })
}

#[derive(Clone, Copy)]
enum Mode {
    TrustedHeader,
    Verify,
    Off,
}

/// Whose word counts, and whom mode `verify` asks.
fn authentication(table: &Table, context: &Context) -> Option<(Authentication, Option<SocketAddr>)> {
    let section = Section::open(table, &schema::AUTHENTICATION, context);
    let mode = section
        .required_at("mode", values::one_of(&[("trusted-header", Mode::TrustedHeader), ("verify", Mode::Verify), ("off", Mode::Off)]));
    let named = section.optional_at("authserv_id", authserv_id);
    let preset = section.optional_at(
        "preset",
        values::one_of(&[("microsoft365", TrustedPreset::Microsoft365), ("google-workspace", TrustedPreset::GoogleWorkspace)]),
    );
    let own_hops = section.optional("own_hops", values::number(1, 50)).unwrap_or(1);
    let dns_server = section.optional("dns_server", values::socket("127.0.0.1:53"));
    let mode = mode?;
    match mode.value {
        Mode::Verify => Some((Authentication::Verify, dns_server)),
        Mode::Off => {
            context.warning(
                mode.place,
                "`mode` is \"off\": anybody on the internet can write in the name of any contact, and postkamer believes it",
                Some(
                    "Use it only in a closed network; otherwise \"trusted-header\" with the authserv_id of your receiving mail server."
                        .to_owned(),
                ),
            );
            Some((Authentication::Off, None))
        }
        Mode::TrustedHeader => {
            let server = match (named, preset) {
                (Some(named), Some(_)) => {
                    let suggestion = "Remove one of the two lines: a preset stands in place of authserv_id.";
                    context.mistake(named.place, "`authserv_id` and `preset` exclude each other", Some(suggestion.to_owned()));
                    return None;
                }
                (Some(named), None) => TrustedServer::Named(named.value),
                (None, Some(preset)) => match preset.value {
                    TrustedPreset::Microsoft365 => TrustedServer::Microsoft365,
                    TrustedPreset::GoogleWorkspace => TrustedServer::GoogleWorkspace,
                },
                (None, None) => {
                    if !section.has("authserv_id") && !section.has("preset") {
                        context.mistake(
                            section.place(),
                            "`authserv_id` is missing in [authentication]",
                            Some(
                                "Look into a mail that your server received: the first word of its Authentication-Results header is the authserv_id; \
                                 add `authserv_id = \"mx.example.nl\"`, or `preset = \"microsoft365\"` or \"google-workspace\"."
                                    .to_owned(),
                            ),
                        );
                    }
                    return None;
                }
            };
            Some((Authentication::TrustedHeader { server, own_hops: own_hops as usize }, None))
        }
    }
}

#[derive(Clone, Copy)]
enum TrustedPreset {
    Microsoft365,
    GoogleWorkspace,
}

/// RFC 8601 §2.5: a token, usually a host name.
fn authserv_id(node: &Node) -> Result<String, Wrong> {
    let id = values::text(node)?;
    if id.contains(|c: char| c.is_whitespace() || ";()<>\"@,".contains(c)) {
        return Err(Wrong::new("must be one word", "It is the word before the first semicolon of the Authentication-Results header."));
    }
    Ok(id)
}

fn limits(table: &Table, context: &Context) -> Limits {
    let section = Section::open(table, &schema::LIMITS, context);
    let limit = |key, default| match section.optional(key, values::number(0, 10_000_000)) {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => default,
    };
    let default = Limits::default();
    Limits {
        intake_per_sender_hour: limit("intake_per_sender_hour", default.intake_per_sender_hour),
        intake_per_organisation_hour: limit("intake_per_organisation_hour", default.intake_per_organisation_hour),
        intake_unauthenticated_desk_hour: limit("intake_unauthenticated_desk_hour", default.intake_unauthenticated_desk_hour),
        replies_per_recipient_hour: limit("replies_per_recipient_hour", default.replies_per_recipient_hour),
        replies_per_organisation_hour: limit("replies_per_organisation_hour", default.replies_per_organisation_hour),
    }
}

fn upkeep(table: &Table, context: &Context) -> Upkeep {
    let section = Section::open(table, &schema::UPKEEP, context);
    let default = Upkeep::default();
    Upkeep {
        queue_reminder_days: section.optional("queue_reminder_days", values::number(1, 365)).unwrap_or(default.queue_reminder_days),
        identity_reminder_days: section
            .optional("identity_reminder_days", values::number(1, 365))
            .unwrap_or(default.identity_reminder_days),
        move_profiles_on: section.optional("move_profiles_on", values::day_of_year).unwrap_or(default.move_profiles_on),
    }
}

fn retention(table: &Table, context: &Context) -> Retention {
    let section = Section::open(table, &schema::RETENTION, context);
    let term = |key, default| section.optional(key, values::term).unwrap_or(default);
    let Retention { terms, at } = Retention::default();
    Retention {
        terms: Terms {
            originals: term("originals", terms.originals),
            attachments: term("attachments", terms.attachments),
            queue: term("queue", terms.queue),
            contract: term("contract", terms.contract),
            decisions: term("decisions", terms.decisions),
        },
        at: section.optional("at", values::time_of_day).unwrap_or(at),
    }
}

/// Longer than a slow server's virus scanner takes, of which RFC 5321 §4.5.3.2.6 thinks.
const SMTP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(8 * 60);

fn smtp(table: &Table, base: &Path, context: &Context) -> Option<Smtp> {
    let kinds = [("smtp", &schema::SMTP), ("directory", &schema::SMTP_DIRECTORY)];
    let (section, kind) = Section::open_by(table, &kinds, "kind", Some("smtp"), context)?;
    if kind == "directory" {
        return section.required("path", values::place(base)).map(Smtp::Directory);
    }
    let server = server(&section, base, context);
    let timeout = section.optional("timeout", values::duration).unwrap_or(SMTP_TIMEOUT);
    let username = section.optional_at("username", values::text);
    let secret = secret(&section, base, context);
    let credentials = match (username, secret) {
        (Some(username), SecretRead::Sound(secret)) => Some((Redacted::new(username.value), secret)),
        (Some(username), SecretRead::None) => {
            context.mistake(
                username.place,
                "`username` without a secret cannot sign in",
                Some("Add a line `password_file = \"…\"`, or leave `username` out if the server takes mail from this host without signing in.".to_owned()),
            );
            return None;
        }
        (None, SecretRead::Sound(_)) if !section.has("username") => {
            let suggestion = "Add a line such as `username = \"desk\"`.";
            context.mistake(section.place(), "`username` is missing in [smtp], though there is a secret", Some(suggestion.to_owned()));
            return None;
        }
        (None, SecretRead::None) => None,
        _ => return None,
    };
    let Server { host, port, tls, ca_file } = server?;
    Some(Smtp::Server(SmtpSettings { host, port, tls, credentials, ca_file, timeout }))
}

struct Server {
    host: String,
    port: u16,
    tls: Tls,
    ca_file: Option<PathBuf>,
}

fn server(section: &Section<'_>, base: &Path, context: &Context) -> Option<Server> {
    let host = section.required("host", values::host);
    let port = section.required("port", values::port);
    let tls = section.required_at("tls", values::tls);
    let ca_file = section.optional_at("ca_file", values::place(base));
    if let Some(at) = &ca_file
        && context.thorough
    {
        look_at_certificates(at, context);
    }
    let (host, tls) = (host?, tls?);
    if tls.value == Tls::None && !is_loopback(&host) {
        context.mistake(
            tls.place,
            "`tls` is \"none\", but the server is not on this machine: passwords and mail would cross the network readable for all",
            Some("Use \"implicit\" or \"starttls\"; \"none\" is for 127.0.0.1, ::1 and localhost only.".to_owned()),
        );
        return None;
    }
    if let Some(port) = port {
        doubtful_port(port, tls.value, section.place_of("port"), context);
    }
    Some(Server { host, port: port?, tls: tls.value, ca_file: ca_file.map(|at| at.value) })
}

/// A port that is registered for the other way of TLS mostly ends in a timeout that nobody understands.
fn doubtful_port(port: u16, tls: Tls, place: Place, context: &Context) {
    let usual = match (port, tls) {
        (993 | 465, Tls::StartTls | Tls::None) => "implicit",
        (143 | 587 | 25, Tls::Implicit) => "starttls",
        _ => return,
    };
    context.warning(
        place,
        format!("`port` {port} is usually served with tls = \"{usual}\""),
        Some("Check which of the two lines is meant.".to_owned()),
    );
}

fn look_at_certificates(at: &At<PathBuf>, context: &Context) {
    match std::fs::read(&at.value) {
        Ok(bytes) if bytes.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") => {}
        Ok(_) => context.mistake(
            at.place,
            "`ca_file` holds no certificate",
            Some("It must hold certificates in PEM form, beginning with -----BEGIN CERTIFICATE-----.".to_owned()),
        ),
        Err(error) => {
            context.mistake(at.place, format!("`ca_file` cannot be read from {}: {}", at.value.display(), values::why(&error)), None);
        }
    }
}

enum SecretRead {
    None,
    /// Something was said, and it is wrong.
    Wrong,
    Sound(Secret),
}

/// `password_file`, `password_env` or `[….oauth]`: one of them at most.
fn secret(section: &Section<'_>, base: &Path, context: &Context) -> SecretRead {
    let file = section.optional_at("password_file", values::secret_file(base));
    let variable = section.optional_at("password_env", values::variable);
    let oauth_table = section.table("oauth");
    let said: Vec<&str> = ["password_file", "password_env", "oauth"].into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = said.as_slice() {
        context.mistake(
            section.place_of(second),
            format!("`{second}` and `{first}` exclude each other"),
            Some("Keep the one that is meant.".to_owned()),
        );
    }
    let oauth = oauth_table.map(|table| oauth(table, base, context));
    if said.len() > 1 {
        return SecretRead::Wrong;
    }
    if let Some(at) = file {
        look_at_secret("password_file", &at, context);
        return SecretRead::Sound(Secret::Password(Password::File(at.value)));
    }
    if let Some(at) = variable {
        if context.thorough && std::env::var_os(&at.value).is_none_or(|value| value.is_empty()) {
            let suggestion = "Set it where postkamer is started, for example by Environment or LoadCredential in the systemd unit.";
            context.warning(at.place, "`password_env` names a variable that is not set here", Some(suggestion.to_owned()));
        }
        return SecretRead::Sound(Secret::Password(Password::Env(at.value)));
    }
    match oauth {
        Some(Some(settings)) => SecretRead::Sound(Secret::OAuth(OAuth::new(settings))),
        _ if said.is_empty() => SecretRead::None,
        _ => SecretRead::Wrong,
    }
}

fn oauth(table: &Table, base: &Path, context: &Context) -> Option<OAuthSettings> {
    let section = Section::open(table, &schema::OAUTH, context);
    let token_url = section.required("token_url", values::web_address);
    let client_id = section.required("client_id", values::text);
    let client_secret_file = section.required_at("client_secret_file", values::secret_file(base));
    let refresh_token_file = section.optional_at("refresh_token_file", values::place(base));
    let scope = section.optional("scope", values::text);
    for (key, at) in [("client_secret_file", &client_secret_file), ("refresh_token_file", &refresh_token_file)] {
        if let Some(at) = at {
            look_at_secret(key, at, context);
        }
    }
    Some(OAuthSettings {
        token_url: token_url?,
        client_id: client_id?,
        client_secret_file: client_secret_file?.value,
        refresh_token_file: refresh_token_file.map(|at| at.value),
        scope,
    })
}

/// Is the file there, and only for us? Asked by `check` alone: who explains a mail need not be able to sign in.
fn look_at_secret(key: &str, at: &At<PathBuf>, context: &Context) {
    use std::os::unix::fs::MetadataExt as _;
    if !context.thorough {
        return;
    }
    match std::fs::metadata(&at.value) {
        Ok(found) if !found.is_file() => context.mistake(at.place, format!("`{key}` names something that is not a file"), None),
        Ok(found) if found.len() == 0 => context.mistake(at.place, format!("`{key}` names an empty file"), None),
        Ok(found) if found.mode() & 0o004 != 0 => context.warning(
            at.place,
            format!("`{key}` names a file that every user of this machine can read"),
            Some("Take that right away with `chmod o-r` on the file.".to_owned()),
        ),
        Ok(_) => {}
        // systemd makes credentials for the running service only, readable for nobody else.
        Err(error) if at.value.starts_with("/run/credentials") || error.kind() == std::io::ErrorKind::PermissionDenied => context.warning(
            at.place,
            format!("`{key}` cannot be looked at by this user now: {}", values::why(&error)),
            Some("Credentials of systemd are there for what runs with them: systemd-run -P --wait -p User=postkamer -p LoadCredential=secrets:/etc/postkamer/secrets postkamer check.".to_owned()),
        ),
        Err(error) => context.mistake(
            at.place,
            format!("`{key}` cannot be read: {}", values::why(&error)),
            Some("Write the secret into that file, readable only for the user that postkamer runs as.".to_owned()),
        ),
    }
}

fn processor(table: &Table, context: &Context) -> Processor {
    let section = Section::open(table, &schema::PROCESSOR, context);
    let text = |key| section.optional(key, values::text);
    Processor {
        name: text("name"),
        address: text("address"),
        contact: text("contact"),
        data_protection_officer: text("data_protection_officer"),
        representative: text("representative"),
        transfers: text("transfers"),
    }
}

fn health(table: &Table, context: &Context) -> Option<SocketAddr> {
    let section = Section::open(table, &schema::HEALTH, context);
    let listen = section.required_at("listen", values::socket("127.0.0.1:9310"))?;
    if !listen.value.ip().is_loopback() {
        context.warning(
            listen.place,
            "`listen` is open to the network, and whoever asks learns how much mail comes in",
            Some("Use 127.0.0.1, or keep others out with a firewall.".to_owned()),
        );
    }
    Some(listen.value)
}

/// A desk, and where its name, addresses and mailbox stand.
struct ReadDesk {
    desk: Desk,
    name: At<String>,
    addresses: Vec<At<EmailAddress>>,
    mailbox: Place,
}

fn desk(table: &Table, base: &Path, language: Language, max_mail: u64, context: &Context) -> Option<ReadDesk> {
    let section = Section::open(table, &schema::DESK, context);
    let name = section.required_at("name", short_name);
    let address = section.required_at("address", values::address);
    let aliases = section.list("aliases", values::address);
    let display_name = section.required("display_name", values::text);
    let language = section.optional("language", values::language).unwrap_or(language);
    let topic = section.optional("topic", values::one_of(&[("general", Topic::General), ("ict", Topic::Ict)])).unwrap_or(Topic::General);
    let duty_contact = section.optional_at("duty_contact", values::address);
    let notify = section.optional("notify", values::address);
    let unknown_senders = section.optional(
        "unknown_senders",
        values::one_of(&[("queue", UnknownSenders::Queue), ("open", UnknownSenders::Open), ("reject", UnknownSenders::Reject)]),
    );
    let unreadable = section.optional("unreadable", values::one_of(&[("reject", OnUnreadable::Reject), ("queue", OnUnreadable::Queue)]));
    let countries = if section.has("countries") {
        let mut countries: Vec<Country> = section.list("countries", values::country).into_iter().map(|at| at.value).collect();
        countries.dedup();
        countries
    } else {
        section.list("countries", values::country);
        Country::ALL.to_vec()
    };
    let mask_monitoring = section.optional("mask_monitoring", values::flag).unwrap_or(false);
    let sensitivity = section.optional("sensitivity", values::one_of(&Sensitivity::ALL.map(|level| (level.as_str(), level))));
    let mailbox_place = section.place_of("mailbox");
    let mailbox = section.required_table("mailbox").and_then(|table| mailbox(table, base, max_mail, context));

    let (name, address) = (name?, address?);
    let addresses: Vec<At<EmailAddress>> = std::iter::once(address.clone()).chain(aliases.iter().cloned()).collect();
    if let Some(duty) = &duty_contact
        && addresses.iter().any(|own| own.value == duty.value)
    {
        context.mistake(
            duty.place,
            "`duty_contact` is the desk's own address: it would write to itself",
            Some("Name a person, or a mailbox that is not read by postkamer.".to_owned()),
        );
    }
    let desk = Desk {
        name: name.value.clone(),
        address: address.value,
        aliases: aliases.into_iter().map(|at| at.value).collect(),
        display_name: display_name?,
        language,
        topic,
        duty_contact: duty_contact.map(|at| at.value),
        notify,
        unknown_senders: unknown_senders.unwrap_or(UnknownSenders::Queue),
        unreadable: unreadable.unwrap_or(OnUnreadable::Reject),
        countries,
        sensitivity: sensitivity.unwrap_or_default(),
        mask_monitoring,
        mailbox: mailbox?,
    };
    Some(ReadDesk { desk, name, addresses, mailbox: mailbox_place })
}

/// A name for commands and logs.
fn short_name(node: &Node) -> Result<String, Wrong> {
    let name = values::text(node)?;
    let sound = name.len() <= 64 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if sound { Ok(name) } else { Err(Wrong::new("must be one short word", "Use letters, digits, `-`, `_` and `.` only: \"support\".")) }
}

fn mailbox(table: &Table, base: &Path, max_mail: u64, context: &Context) -> Option<mailbox::Settings> {
    let kinds = [("imap", &schema::IMAP), ("maildir", &schema::MAILDIR)];
    let (section, kind) = Section::open_by(table, &kinds, "kind", None, context)?;
    let kind = if kind == "maildir" {
        section.required("path", values::place(base)).map(|path| Kind::Maildir { path })
    } else {
        imap(&section, base, context).map(Kind::Imap)
    };
    let folder = section.optional_at("folder", values::folder);
    let done = section.optional_at("done", values::folder);
    let poll = section.optional("poll", values::duration).unwrap_or(std::time::Duration::from_secs(60));
    let exclusive = section.optional("exclusive", values::flag).unwrap_or(false);
    let named = |name: &str| name.parse::<FolderName>().ok();
    let folder = folder.map(|at| at.value).or_else(|| named("INBOX"))?;
    let done = match done {
        Some(at) if at.value.as_str() == "delete" => Done::Delete,
        Some(at) if at.value == folder || (at.value.is_inbox() && folder.is_inbox()) => {
            context.mistake(
                at.place,
                "`done` is the folder that is watched: filed mail would come in again",
                Some("Name another folder, such as \"Verwerkt\"; it is created when missing.".to_owned()),
            );
            return None;
        }
        Some(at) => Done::Folder(at.value),
        None => Done::Folder(named("Verwerkt")?),
    };
    Some(mailbox::Settings { kind: kind?, folder, done, poll, exclusive, max_mail })
}

fn imap(section: &Section<'_>, base: &Path, context: &Context) -> Option<ImapSettings> {
    let server = server(section, base, context);
    let username = section.required("username", values::text);
    let secret = match secret(section, base, context) {
        SecretRead::Sound(secret) => Some(secret),
        SecretRead::Wrong => None,
        SecretRead::None => {
            context.mistake(
                section.place(),
                "there is no secret to sign in with in [desk.mailbox]",
                Some("Add a line `password_file = \"…\"` or `password_env = \"…\"`, or a table [desk.mailbox.oauth].".to_owned()),
            );
            None
        }
    };
    let Server { host, port, tls, ca_file } = server?;
    Some(ImapSettings { host, port, tls, ca_file, username: Redacted::new(username?), secret: secret? })
}

/// All addresses of all desks with their places; complains where two desks share one.
fn own_addresses<'d>(desks: impl Iterator<Item = &'d ReadDesk>, context: &Context) -> HashMap<EmailAddress, Place> {
    let mut own = HashMap::new();
    let mut duties = Vec::new();
    for read in desks {
        for at in &read.addresses {
            match own.get(&at.value) {
                Some(first) => {
                    let suggestion = "Each address belongs to one desk, and is named there once.";
                    context.mistake_between(at.place, "this address is a desk's already", "first", *first, Some(suggestion.to_owned()));
                }
                None => {
                    own.insert(at.value.clone(), at.place);
                }
            }
        }
        duties.extend(read.desk.duty_contact.as_ref().map(|duty| (duty, read)));
    }
    for (duty, read) in duties {
        if let Some(place) = own.get(duty)
            && !read.addresses.iter().any(|at| at.value == *duty)
        {
            let suggestion = "Name a person, or a mailbox that is not read by postkamer: the copy would become a mail to that desk.";
            context.mistake_between(
                *place,
                "this desk's address is the `duty_contact` of another desk",
                "the other",
                read.name.place,
                Some(suggestion.to_owned()),
            );
        }
    }
    own
}

/// Complains where a desk watches what another one watches, or files into.
fn own_mailboxes(desks: &[&ReadDesk], context: &Context) {
    for (nth, later) in desks.iter().enumerate() {
        for earlier in desks.iter().take(nth) {
            let (a, b) = (&earlier.desk.mailbox, &later.desk.mailbox);
            if !a.kind.is_the_account_of(&b.kind) {
                continue;
            }
            let files_into =
                |from: &mailbox::Settings, to: &mailbox::Settings| matches!(&from.done, Done::Folder(done) if *done == to.folder);
            let wrong = if a.folder == b.folder || a.folder.is_inbox() && b.folder.is_inbox() {
                "this mailbox is a desk's already: each mail would be taken by whichever desk sees it first"
            } else if files_into(a, b) || files_into(b, a) {
                "one of two desks watches the folder into which the other files: filed mail would come in again"
            } else {
                continue;
            };
            let suggestion = "Give each desk a mailbox or folders of its own; other addresses of the same desk are its `aliases`.";
            context.mistake_between(later.mailbox, wrong, "the other", earlier.mailbox, Some(suggestion.to_owned()));
        }
    }
}

fn unique_names<'n>(names: impl Iterator<Item = &'n At<String>>, what: &str, context: &Context) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for at in names {
        match seen.get(at.value.as_str()) {
            Some(first) => context.mistake_between(
                at.place,
                format!("the name `{}` is that of {what} already", at.value),
                "first",
                *first,
                Some("Choose another name: commands and logs tell them apart by it.".to_owned()),
            ),
            None => {
                seen.insert(&at.value, at.place);
            }
        }
    }
}

fn agents(tables: Vec<&Table>, desks: &[&str], all_desks_known: bool, context: &Context) -> Vec<Agent> {
    let mut names = Vec::new();
    let mut agents = Vec::new();
    for table in tables {
        let section = Section::open(table, &schema::AGENT, context);
        let name = section.required_at("name", short_name);
        if !section.has("desks") {
            section.required("desks", values::text);
        }
        let listed = section.list("desks", values::text);
        for at in listed.iter().filter(|at| all_desks_known && !desks.contains(&at.value.as_str())) {
            let suggestion = match nearest(&at.value, desks.iter().copied()) {
                Some(meant) => format!("Did you mean \"{meant}\"?"),
                None => format!("The desks are {}.", desks.join(", ")),
            };
            context.mistake(at.place, format!("there is no desk `{}`", values::shown(&at.value)), Some(suggestion));
        }
        if let Some(name) = name {
            agents.push(Agent { name: name.value.clone(), desks: listed.into_iter().map(|at| at.value).collect() });
            names.push(name);
        }
    }
    unique_names(names.iter(), "an agent", context);
    agents
}
