//! Monitoring mail names machines and those who sit at them: where a desk says so, stand-ins take their place.

use crate::support::house::{House, Letter};
use serde_json::Value;
use toml_edit::value;

const AT: &str = "2026-11-20T10:00:00+01:00";
/// What leads to a person, as monitoring systems write it.
const TRACES: &[&str] =
    &["192.0.2.17", "2001:db8::17", "WS-WTW-0123", "jvandam", "zaak.ict", "198.51.100.0", "00:1A:2b", "kverburg", "svc_kopie"];

fn alarm() -> Letter {
    let mut alarm = Letter::from("monitor@ict.waterwolde.example", "Monitor", "PROBLEM: disk of WS-WTW-0123 is almost full");
    alarm.text = "Host: WS-WTW-0123 (192.0.2.17)\r\nAddress: [2001:db8::17]:443, again 192.0.2.17:8443, net 198.51.100.0/24\r\n\
                  User: jvandam, service zaak.ict.waterwolde.example, card 00:1A:2b:3c:4d:5e\r\nDisk C: is 97 % full since 09:58:12.\r\n\
                  Failed password for kverburg from 192.0.2.17, account svc_kopie is locked, agent version 10.2.3.4\r\n"
        .to_owned();
    alarm
}

fn text_of(house: &House, ticket: &str) -> String {
    let shown: Value = house.world.run(&["tickets", "show", ticket, "--json"]).ok().json().remove(0);
    let entry = &shown["history"][0];
    format!("{}\n{}", entry["subject"].as_str().unwrap(), entry["text"].as_str().unwrap())
}

fn stand_in<'t>(text: &'t str, before: &str) -> &'t str {
    let start = text.find(before).unwrap_or_else(|| panic!("{before} in {text}")) + before.len();
    &text[start..start + text[start..].find(']').unwrap() + 1]
}

#[test]
fn stand_ins_take_the_place_of_what_leads_to_a_person_and_stay_the_same_within_a_ticket() {
    for mut house in House::both("masking") {
        house.world.edit(|config| {
            let desk =
                config["desk"].as_array_of_tables_mut().unwrap().iter_mut().find(|desk| desk["name"].as_str() == Some("support")).unwrap();
            desk["mask_monitoring"] = value(true);
        });
        house.lay("support", AT, &alarm());
        let mut second = alarm();
        second.subject = "RECOVERY: disk of WS-WTW-0123".to_owned();
        house.lay("support", "2026-11-20T10:00:01+01:00", &second);
        let told = house.world.run_at("2026-11-20T10:00:02+01:00", &["run", "--once"]).ok();
        let (first, other) = (text_of(&house, "PK-00001"), text_of(&house, "PK-00002"));
        for text in [&first, &other, &told.stderr, &house.whole_database()] {
            for trace in TRACES {
                assert!(!text.contains(trace), "{trace} is left: {text}");
            }
        }
        assert!(
            first.contains("Disk C: is 97 % full since 09:58:12.")
                && first.contains("version 10.2.3.4")
                && first.contains("]:8443")
                && first.contains("]/24"),
            "{first}"
        );
        let (ip, again, computer) = (stand_in(&first, "("), stand_in(&first, "again "), stand_in(&first, "Host: "));
        assert!(ip.starts_with("[ip-") && ip == again, "{first}");
        assert_eq!(computer, stand_in(&first, "disk of "), "in the subject as in the text: {first}");
        assert_ne!(ip, stand_in(&other, "("), "two tickets cannot be put together by it");
    }
}

#[test]
fn nothing_is_masked_where_the_desk_does_not_say_so_or_a_person_writes() {
    for mut house in House::both("unmasked") {
        house.lay("support", AT, &alarm());
        house.world.edit(|config| {
            let desk =
                config["desk"].as_array_of_tables_mut().unwrap().iter_mut().find(|desk| desk["name"].as_str() == Some("ict")).unwrap();
            desk["mask_monitoring"] = value(true);
        });
        let person = Letter {
            text: alarm().text,
            ..Letter::from("j.vandam@waterwolde.example", "Joost van Dam", "Server certificate on WS-WTW-0123")
        };
        house.lay("ict", "2026-11-20T10:00:01+01:00", &person);
        let told = house.world.run_at("2026-11-20T10:00:02+01:00", &["run", "--once"]).ok().stderr;
        for ticket in ["PK-00001", "PK-00002"] {
            assert!(text_of(&house, ticket).contains("192.0.2.17:8443"), "{ticket}");
        }
        assert!(TRACES.iter().all(|trace| !told.contains(trace)), "never in a log: {told}");
    }
}
