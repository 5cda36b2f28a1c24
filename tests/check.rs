//! `postkamer check` and the directory's commands, through the real binary.

use crate::support::dovecot::{Dovecot, Store};
use crate::support::smtp::Smtp;
use crate::support::world::{World, table};
use crate::support::{eventually, free_port};
use std::fs;
use toml_edit::value;

/// A world in which one organisation's file holds this in place of that.
fn world_with(from: &str, to: &str) -> World {
    let world = World::new();
    let file = world.dir.join("organisations/waterwolde.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from} does not stand in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
    world
}

#[test]
fn sound_settings_are_in_order_and_nothing_is_made() {
    let world = World::new();
    let outcome = world.run(&["check"]).ok();
    assert!(outcome.stdout.contains("is in order (5 desks, 7 organisations, "), "{}", outcome.stdout);
    assert!(!world.state_dir().exists());
    assert_eq!(world.run(&["check", "--json"]).ok().stdout, "");
}

#[test]
fn a_mistake_is_shown_with_its_place_and_a_way_out_and_the_status_is_1() {
    let world = world_with("email =", "emial =");
    let shown = world.run(&["check"]).exits(1).stdout;
    assert!(shown.contains("organisations/waterwolde.toml:"), "{shown}");
    assert!(shown.contains(":1: unknown key `emial` in [[contact]]. Did you mean `email`?"), "{shown}");
    assert!(shown.contains("| emial = ") && shown.contains("| ^^^^^\n"), "{shown}");
    let lines = world.run(&["check", "--json"]).exits(1).json();
    let line = lines.iter().find(|line| line["message"].as_str().unwrap().contains("emial")).unwrap();
    assert_eq!((&line["severity"], &line["column"]), (&"mistake".into(), &1.into()));
    assert!(line["file"].as_str().unwrap().ends_with("waterwolde.toml") && line["line"].is_u64() && line["suggestion"].is_string());
}

#[test]
fn what_needs_the_settings_refuses_to_work_with_wrong_ones() {
    let world = world_with("email =", "emial =");
    let outcome = world.run(&["organisations", "list"]).exits(2);
    assert!(outcome.stderr.contains("unknown key `emial`") && outcome.stdout.is_empty(), "{outcome:?}");
    fs::remove_file(&world.config_path).unwrap();
    world.run(&["check"]).exits(2);
}

#[test]
fn a_warning_is_shown_and_is_no_mistake() {
    let world = World::new();
    world.edit(|config| config["authentication"]["mode"] = value("off"));
    let shown = world.run(&["check"]).ok().stdout;
    assert!(shown.contains("warning: `mode` is \"off\"") && shown.contains(", with 1 warning."), "{shown}");
}

#[test]
fn connect_signs_in_everywhere_and_says_what_is_out_of_reach() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    let world = World::on(&dovecot, &smtp);
    let told = world.run(&["check", "--connect", "--json"]).ok().json();
    for what in ["database", "desk support", "desk nordic", "replies"] {
        assert!(told.iter().any(|line| line["what"] == what && line["level"] == "fine"), "{what}: {told:#?}");
    }
    assert!(!world.state_dir().exists(), "looking makes nothing");
    let kept =
        told.iter().find(|line| line["what"] == "desk support" && line["message"].as_str().unwrap().contains("This is Dovecot")).unwrap();
    assert!(kept["level"] == "note" && kept["message"].as_str().unwrap().contains("doveadm purge -u USER"), "{kept}");

    // A server that does not answer may do so later; a wrong password stays wrong.
    let port = i64::from(free_port());
    world.edit(|config| config["smtp"]["port"] = value(port));
    let told = world.run(&["check", "--connect", "--json"]).exits(75).json();
    assert!(told.iter().any(|line| line["what"] == "replies" && line["level"] == "fault"), "{told:#?}");
    let password = world.dir.join("wrong");
    fs::write(&password, "wrong\n").unwrap();
    world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        desk["mailbox"]["password_file"] = value(password.to_str().unwrap());
    });
    let told = world.run(&["check", "--connect", "--json"]).exits(1).json();
    assert!(told.iter().any(|line| line["what"] == "desk support" && line["level"] == "fault"), "{told:#?}");
}

#[test]
fn organisations_and_contacts_are_listed() {
    let world = World::new();
    let ids: Vec<_> = world.run(&["organisations", "list", "--json"]).ok().json().iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["brookham", "fjellvik", "heidetal", "nordhavn", "oudeveen", "strandkoping", "waterwolde"]);
    let shown = world.run_at("2026-11-21T10:00:00Z", &["organisations", "show", "fjellvik"]).ok().stdout;
    assert!(shown.contains("Kari Nordmann Bø") && shown.contains("absent until 2026-11-27"), "{shown}");
    let contacts = world.run(&["contacts", "list", "--organisation", "waterwolde", "--json"]).ok().json();
    assert_eq!(contacts.len(), 4);
    assert_eq!((&contacts[3]["kind"], &contacts[3]["left"]), (&"general".into(), &"2026-06-01".into()));
    let unknown = world.run(&["organisations", "show", "watrwolde"]).exits(2);
    assert!(unknown.stderr.contains("Did you mean waterwolde?"), "{}", unknown.stderr);
}

#[test]
fn a_daemon_takes_over_changed_settings_and_keeps_the_old_ones_when_the_new_have_a_mistake() {
    let world = World::new();
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
        }
    }
    let daemon = world.daemon(None);
    let logged = |what: &str, text: &str| eventually(what, || world.daemon_log().contains(text).then_some(()));
    logged("the daemon is ready", "Ready.");

    let added = world.dir.join("organisations/nieuwstad.toml");
    let text = "name = \"Gemeente Nieuwstad\"\ndomains = [\"nieuwstad.example\"]\nlanguage = \"nl\"\napproved_contacts_only = false\n";
    fs::write(&added, text).unwrap();
    logged("the new organisation is taken over", "The settings have changed");

    fs::write(&added, text.replace("domains", "domians")).unwrap();
    logged("the mistake is told with its place", "nieuwstad.toml:1:1: `domains` is missing");
    assert!(daemon.is_alive());

    let hang_up = std::process::Command::new("kill").args(["-HUP", &daemon.pid().to_string()]).status().unwrap();
    assert!(hang_up.success());
    logged("SIGHUP is obeyed", "as asked by SIGHUP");

    // What only a restart can change stays as it was, and mail goes on.
    fs::write(&added, text).unwrap();
    world.edit(|config| {
        config["attachments"]["store"] = toml_edit::value("elsewhere");
        config["health"]["listen"] = toml_edit::value("127.0.0.1:1");
    });
    logged("the old ones are used", "keys=\"attachments.store, health.listen\"");
    let mail = b"Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\r\nReceived: by mx.zaakwijs.example\r\n\
        From: a.devries@waterwolde.example\r\nTo: support@zaakwijs.example\r\nSubject: Vraag\r\nMessage-ID: <1@waterwolde.example>\r\n\r\nHoe stel ik de termijn in?\r\n";
    fs::write(world.dir.join("mail/support/new/1.x"), mail).unwrap();
    eventually("mail is taken in under the changed settings", || {
        (world.run(&["tickets", "list", "--json"]).ok().json().len() == 1).then_some(())
    });
    assert!(daemon.is_alive());
}

/// systemd hands every unit its own copy: a command run with the service's credentials finds them under the service's name.
#[test]
fn the_services_credentials_are_found_by_a_check_that_is_given_them() {
    let world = World::new();
    world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().get_mut(0).unwrap();
        desk["mailbox"] = table(
            "kind = \"imap\"\nhost = \"imap.example\"\nport = 993\ntls = \"implicit\"\nusername = \"support\"\npassword_file = \"/run/credentials/postkamer.service/secrets_imap\"\n",
        );
    });
    let credentials = world.dir.join("credentials");
    fs::create_dir(&credentials).unwrap();
    let checked = || {
        let mut command = world.command(&["check"]);
        command.env("CREDENTIALS_DIRECTORY", &credentials);
        world.finish(command, b"").stdout
    };
    assert!(checked().contains("`password_file` cannot be"), "{}", checked());
    let secret = credentials.join("secrets_imap");
    fs::write(&secret, "geheim\n").unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    assert!(!checked().contains("`password_file`"), "{}", checked());
}

/// To a database on another machine only with TLS and a checked certificate, unless its address says otherwise; and then `check` says what that means.
#[test]
fn a_database_elsewhere_is_spoken_to_over_checked_tls_only() {
    use crate::support::postgres::Postgres;
    let here = Postgres::shared().database("tls");
    // The same server, by an address that is not known to be on this machine.
    let elsewhere = here.replace("127.0.0.1", "0.0.0.0");
    World::new().with_database(&here).run(&["status"]).ok();
    let world = World::new().with_database(&elsewhere);
    let refused = world.run(&["status"]).exits(75);
    assert!(refused.stderr.contains("no secure connection"), "{}", refused.stderr);
    let told = world.run(&["check", "--connect"]);
    assert!(told.stdout.contains("no secure connection"), "{}", told.stdout);
    let noted = |url: &str| World::new().with_database(url).run(&["check"]).ok().stdout.contains("write sslmode=verify-full");
    assert!(!noted(&elsewhere) && !noted(&here));
    let anyway = format!("{elsewhere}?sslmode=prefer");
    assert!(noted(&anyway) && !noted(&format!("{elsewhere}?sslmode=verify-full")) && !noted(&format!("{here}?sslmode=disable")));
    World::new().with_database(&anyway).run(&["status"]).ok();
}

/// A database is told nothing by whom its certificate is not good for: of an authority that nobody here knows, or of another name.
#[test]
fn the_certificate_of_a_database_is_checked() {
    use crate::support::certificates::Certificates;
    use crate::support::postgres::Postgres;
    use crate::support::server::Scratch;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let (scratch, others) = (Scratch::new("database-tls"), Scratch::new("others-tls"));
    let (shown, other) = (Certificates::make(&scratch, &["localhost"]), Certificates::make(&others, &["localhost"]));
    // PostgreSQL wants the key to itself.
    let owner = fs::metadata(scratch.directory("of-postgres", Some("postgres"))).unwrap();
    chown(&shown.key, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&shown.key, fs::Permissions::from_mode(0o600)).unwrap();
    let files = [format!("ssl_cert_file={}", shown.certificate), format!("ssl_key_file={}", shown.key)];
    let server = Postgres::start_with(&["ssl=on", "log_connections=on", &files[0], &files[1]]);
    let address = server.database("tls");
    let at = |host: &str, root: Option<&str>| {
        let root = root.map(|file| format!("&sslrootcert={file}")).unwrap_or_default();
        World::new().with_database(&format!("{}?sslmode=verify-full{root}", address.replace("127.0.0.1", host)))
    };
    let unknown = "self-signed, or signed by an authority that is none of the public ones; sslrootcert=FILE";
    for (host, root, fault) in [
        ("localhost", None, unknown),
        ("localhost", Some(&other.ca), unknown),
        ("127.0.0.1", Some(&shown.ca), "was not issued for the host name"),
    ] {
        let world = at(host, root.map(String::as_str));
        let refused = world.run(&["status"]).exits(75);
        assert!(refused.stderr.contains("no secure connection") && refused.stderr.contains(fault), "{}", refused.stderr);
        let told = world.run(&["check", "--connect"]).stdout;
        assert!(told.contains(fault), "{told}");
    }
    assert!(!server.logs().contains("user=postkamer database=tls"), "nobody has said who they are");
    at("localhost", Some(&shown.ca)).run(&["status"]).ok();
    let logs = server.logs();
    assert!(logs.contains("user=postkamer database=tls") && logs.contains("SSL enabled"), "{logs}");
    // What `openssl req -x509` makes calls itself an authority; no file of authorities helps against that, nor against age.
    for (is_authority, fault) in [(true, "(CA:TRUE)"), (false, "has expired")] {
        let key = KeyPair::generate().unwrap();
        let mut made = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        if is_authority {
            made.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        } else {
            made.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        fs::write(&shown.certificate, made.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&shown.key, key.serialize_pem()).unwrap();
        server.sql("postgres", "SELECT pg_reload_conf()");
        let world = at("localhost", Some(&shown.certificate));
        eventually("the server shows the other certificate", || world.run(&["status"]).stderr.contains(fault).then_some(()));
    }
}

#[test]
fn what_cannot_be_used_is_named() {
    let world = World::new();
    let mailbox = world.dir.join("mail/support");
    let told = world.run(&["run", "--once"]).exits(75).stderr;
    assert!(told.contains(&format!("there is no Maildir in {}", mailbox.display())), "{told}");
    let database = world.state_dir().join("somewhere");
    fs::create_dir(&database).unwrap();
    world.edit(|config| config["database"]["url"] = value("sqlite://somewhere"));
    let told = world.run(&["tickets", "list"]).exits(75).stderr;
    assert!(told.contains(&format!("opening the database failed at {}: is a directory", database.display())), "{told}");
    world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        desk["mailbox"] = value(toml_edit::InlineTable::new());
        for (key, text) in
            [("kind", "imap"), ("host", "imap.zaakwijs.example"), ("tls", "implicit"), ("username", "support"), ("ca_file", "nowhere.pem")]
        {
            desk["mailbox"][key] = value(text);
        }
        desk["mailbox"]["port"] = value(993);
        desk["mailbox"]["password_file"] = value("nowhere.txt");
    });
    let told = world.run(&["check"]).exits(1).stdout;
    assert!(told.contains(&format!("`ca_file` cannot be read from {}", world.dir.join("nowhere.pem").display())), "{told}");
}
