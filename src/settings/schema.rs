//! Every key of every file, with an example: what is not here is a mistake, and what is here stands in the sample.

/// The keys of one table.
pub(super) struct Schema {
    /// How the table is called in complaints.
    pub(super) title: &'static str,
    /// Each key, and an example of its line.
    pub(super) keys: &'static [(&'static str, &'static str)],
}

impl Schema {
    pub(super) fn knows(&self, key: &str) -> bool {
        self.example(key).is_some()
    }

    pub(super) fn example(&self, key: &str) -> Option<&'static str> {
        self.keys.iter().find(|(known, _)| *known == key).map(|(_, example)| *example)
    }
}

/// postkamer.toml itself.
pub(super) const MAIN: Schema = Schema {
    title: "this file",
    keys: &[
        ("portal", "portal = \"https://portal.example.nl\""),
        ("language", "language = \"nl\""),
        ("timezone", "timezone = \"Europe/Amsterdam\""),
        ("state_dir", "state_dir = \"/var/lib/postkamer\""),
        ("keep_free", "keep_free = \"1 GiB\""),
        ("organisations", "organisations = \"organisations\""),
        ("replies", "replies = \"replies\""),
        ("words", "words = \"words\""),
        ("reopen_days", "reopen_days = 14"),
        ("stall", "stall = \"2 min\""),
        ("database", "[database]"),
        ("attachments", "[attachments]"),
        ("authentication", "[authentication]"),
        ("limits", "[limits]"),
        ("retention", "[retention]"),
        ("upkeep", "[upkeep]"),
        ("smtp", "[smtp]"),
        ("health", "[health]"),
        ("processor", "[processor]"),
        ("desk", "[[desk]]"),
        ("agent", "[[agent]]"),
    ],
};

pub(super) const DATABASE: Schema = Schema { title: "[database]", keys: &[("url", "url = \"sqlite://postkamer.db\"")] };

pub(super) const ATTACHMENTS: Schema = Schema {
    title: "[attachments]",
    keys: &[("store", "store = \"attachments\""), ("max_mail", "max_mail = \"50 MB\""), ("reading_time", "reading_time = \"60 s\"")],
};

pub(super) const AUTHENTICATION: Schema = Schema {
    title: "[authentication]",
    keys: &[
        ("mode", "mode = \"trusted-header\""),
        ("authserv_id", "authserv_id = \"mx.example.nl\""),
        ("preset", "preset = \"microsoft365\""),
        ("own_hops", "own_hops = 1"),
        ("dns_server", "dns_server = \"127.0.0.1:53\""),
    ],
};

pub(super) const LIMITS: Schema = Schema {
    title: "[limits]",
    keys: &[
        ("intake_per_sender_hour", "intake_per_sender_hour = 60"),
        ("intake_per_organisation_hour", "intake_per_organisation_hour = 1000"),
        ("intake_unauthenticated_desk_hour", "intake_unauthenticated_desk_hour = 200"),
        ("replies_per_recipient_hour", "replies_per_recipient_hour = 30"),
        ("replies_per_organisation_hour", "replies_per_organisation_hour = 600"),
    ],
};

pub(super) const RETENTION: Schema = Schema {
    title: "[retention]",
    keys: &[
        ("originals", "originals = \"30 days\""),
        ("attachments", "attachments = \"3 months\""),
        ("queue", "queue = \"3 months\""),
        ("contract", "contract = \"0 days\""),
        ("decisions", "decisions = \"5 years\""),
        ("at", "at = \"03:30\""),
    ],
};

pub(super) const UPKEEP: Schema = Schema {
    title: "[upkeep]",
    keys: &[
        ("queue_reminder_days", "queue_reminder_days = 7"),
        ("identity_reminder_days", "identity_reminder_days = 3"),
        ("move_profiles_on", "move_profiles_on = \"01-02\""),
    ],
};

pub(super) const SMTP: Schema = Schema {
    title: "[smtp]",
    keys: &[
        ("kind", "kind = \"smtp\""),
        ("host", "host = \"smtp.example.nl\""),
        ("port", "port = 465"),
        ("tls", "tls = \"implicit\""),
        ("ca_file", "ca_file = \"/etc/ssl/private-ca.pem\""),
        ("username", "username = \"desk\""),
        ("password_file", "password_file = \"/etc/postkamer/smtp-password\""),
        ("password_env", "password_env = \"SMTP_PASSWORD\""),
        ("oauth", "[smtp.oauth]"),
        ("timeout", "timeout = \"8 min\""),
    ],
};

pub(super) const SMTP_DIRECTORY: Schema =
    Schema { title: "[smtp] with kind = \"directory\"", keys: &[("kind", "kind = \"directory\""), ("path", "path = \"replies-sent\"")] };

pub(super) const OAUTH: Schema = Schema {
    title: "[….oauth]",
    keys: &[
        ("token_url", "token_url = \"https://login.example.nl/oauth2/v2.0/token\""),
        ("client_id", "client_id = \"00000000-0000-0000-0000-000000000000\""),
        ("client_secret_file", "client_secret_file = \"/etc/postkamer/client-secret\""),
        ("refresh_token_file", "refresh_token_file = \"/etc/postkamer/refresh-token\""),
        ("scope", "scope = \"https://outlook.example.nl/.default\""),
    ],
};

pub(super) const HEALTH: Schema = Schema { title: "[health]", keys: &[("listen", "listen = \"127.0.0.1:9310\"")] };

pub(super) const PROCESSOR: Schema = Schema {
    title: "[processor]",
    keys: &[
        ("name", "name = \"Example Software B.V.\""),
        ("address", "address = \"Example street 1, Exampletown\""),
        ("contact", "contact = \"privacy@example.nl\""),
        ("data_protection_officer", "data_protection_officer = \"J. Jansen, fg@example.nl\""),
        ("representative", "representative = \"Example Europe B.V., Exampletown\""),
        ("transfers", "transfers = \"none\""),
    ],
};

pub(super) const DESK: Schema = Schema {
    title: "[[desk]]",
    keys: &[
        ("name", "name = \"support\""),
        ("address", "address = \"support@example.nl\""),
        ("aliases", "aliases = [\"helpdesk@example.nl\"]"),
        ("display_name", "display_name = \"Example Support\""),
        ("language", "language = \"nl\""),
        ("topic", "topic = \"general\""),
        ("duty_contact", "duty_contact = \"duty@example.nl\""),
        ("notify", "notify = \"teamlead@example.nl\""),
        ("unknown_senders", "unknown_senders = \"queue\""),
        ("unreadable", "unreadable = \"reject\""),
        ("countries", "countries = [\"nl\", \"de\"]"),
        ("sensitivity", "sensitivity = \"normal\""),
        ("mask_monitoring", "mask_monitoring = false"),
        ("mailbox", "[desk.mailbox]"),
    ],
};

pub(super) const IMAP: Schema = Schema {
    title: "[desk.mailbox]",
    keys: &[
        ("kind", "kind = \"imap\""),
        ("host", "host = \"imap.example.nl\""),
        ("port", "port = 993"),
        ("tls", "tls = \"implicit\""),
        ("ca_file", "ca_file = \"/etc/ssl/private-ca.pem\""),
        ("username", "username = \"support@example.nl\""),
        ("password_file", "password_file = \"/etc/postkamer/imap-password\""),
        ("password_env", "password_env = \"IMAP_PASSWORD\""),
        ("oauth", "[desk.mailbox.oauth]"),
        ("folder", "folder = \"INBOX\""),
        ("done", "done = \"Verwerkt\""),
        ("poll", "poll = \"60 s\""),
        ("exclusive", "exclusive = false"),
    ],
};

pub(super) const MAILDIR: Schema = Schema {
    title: "[desk.mailbox] with kind = \"maildir\"",
    keys: &[
        ("kind", "kind = \"maildir\""),
        ("path", "path = \"/var/mail/postkamer/support\""),
        ("folder", "folder = \"INBOX\""),
        ("done", "done = \"Verwerkt\""),
        ("poll", "poll = \"60 s\""),
        ("exclusive", "exclusive = false"),
    ],
};

pub(super) const AGENT: Schema = Schema { title: "[[agent]]", keys: &[("name", "name = \"ineke\""), ("desks", "desks = [\"support\"]")] };

/// An organisation's file.
pub(super) const ORGANISATION: Schema = Schema {
    title: "an organisation's file",
    keys: &[
        ("name", "name = \"Gemeente Voorbeeldstad\""),
        ("domains", "domains = [\"voorbeeldstad.nl\"]"),
        ("language", "language = \"nl\""),
        ("approved_contacts_only", "approved_contacts_only = true"),
        ("contract_until", "contract_until = 2029-12-31"),
        ("automatic_senders", "automatic_senders = [\"monitor@ict.voorbeeldstad.nl\"]"),
        ("privacy_contact", "privacy_contact = \"fg@voorbeeldstad.nl\""),
        ("privacy_notices", "privacy_notices = true"),
        ("address", "address = \"Raadhuisplein 1, 1234 AB Voorbeeldstad\""),
        ("data_protection_officer", "data_protection_officer = \"F. Post, fg@voorbeeldstad.nl\""),
        ("representative", "representative = \"Example Europe B.V., Exampletown\""),
        ("retention", "[retention]"),
        ("contact", "[[contact]]"),
    ],
};

pub(super) const ORGANISATION_RETENTION: Schema = Schema {
    title: "[retention] of an organisation",
    keys: &[
        ("originals", "originals = \"30 days\""),
        ("attachments", "attachments = \"3 months\""),
        ("queue", "queue = \"3 months\""),
        ("contract", "contract = \"0 days\""),
        ("decisions", "decisions = \"5 years\""),
    ],
};

pub(super) const CONTACT: Schema = Schema {
    title: "[[contact]]",
    keys: &[
        ("name", "name = \"A. de Vries\""),
        ("email", "email = \"a.devries@voorbeeldstad.nl\""),
        ("kind", "kind = \"general\""),
        ("phone", "phone = \"+31 30 000 0000\""),
        ("mobile", "mobile = \"+31 6 0000 0000\""),
        ("absent", "absent = [{ from = 2026-12-20, until = 2027-01-04 }]"),
        ("left", "left = 2026-11-01"),
    ],
};

pub(super) const ABSENCE: Schema =
    Schema { title: "a period in `absent`", keys: &[("from", "from = 2026-12-20"), ("until", "until = 2027-01-04")] };

/// All tables of both files, for "that key belongs elsewhere" and for the test that holds the sample complete.
pub(super) const ALL: &[&Schema] = &[
    &MAIN,
    &DATABASE,
    &ATTACHMENTS,
    &AUTHENTICATION,
    &LIMITS,
    &RETENTION,
    &UPKEEP,
    &SMTP,
    &SMTP_DIRECTORY,
    &OAUTH,
    &HEALTH,
    &DESK,
    &IMAP,
    &MAILDIR,
    &AGENT,
    &ORGANISATION,
    &ORGANISATION_RETENTION,
    &CONTACT,
    &ABSENCE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_documents_every_key() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let text = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
        let sample = text("postkamer.toml") + &text("organisations/voorbeeldstad.toml");
        let lines: Vec<&str> = sample.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
        for schema in ALL {
            for (key, _) in schema.keys {
                let is_there = lines.iter().any(|line| {
                    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
                        || line.contains(&format!("{{ {key} = "))
                        || line.contains(&format!(", {key} = "))
                        || line.starts_with('[') && line.trim_end_matches(']').rsplit(['[', '.']).next() == Some(key)
                });
                assert!(is_there, "the sample says nothing of `{key}` in {}", schema.title);
            }
        }
    }

    #[test]
    fn every_example_is_toml_and_names_its_key() {
        for schema in ALL {
            for (key, example) in schema.keys {
                let parsed: toml::Table = example.replace('…', "x").parse().unwrap();
                assert!(parsed.contains_key(*key) || example.ends_with(&format!("{key}]")), "{example}");
            }
        }
    }
}
