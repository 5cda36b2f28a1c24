//! Three years of a desk's life, played through with a moved clock: what must be gone when stands in a list of its own, worked
//! out by hand, and is compared a minute before and at each of its moments with all that is really there.

use crate::support::database::sql;
use crate::support::house::{House, Letter};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// A mail with one file, which makes a ticket (or none), and when what of it must be gone.
struct Case {
    about: &'static str,
    from: &'static str,
    name: &'static str,
    laid: &'static str,
    /// The number of its ticket; none: it makes none.
    ticket: Option<u32>,
    /// When the file that came with it must be gone.
    file_gone: &'static str,
    /// When the original in the `done` folder must be gone.
    original_gone: &'static str,
}

const CASES: &[Case] = &[
    Case {
        about: "closed on the last of November: three months end with February; the original goes on Christmas Day",
        from: "a.devries@waterwolde.example",
        name: "Annelies de Vries",
        laid: "2026-11-25T10:00:00+01:00",
        ticket: Some(1),
        file_gone: "2027-02-28T15:00:00+01:00",
        original_gone: "2026-12-25T10:00:00+01:00",
    },
    Case {
        about: "a contact who is away; closed half an hour before the year ends, due in summer time",
        from: "kari.bo@fjellvik.example",
        name: "Kari Nordmann Bø",
        laid: "2026-11-26T10:00:00+01:00",
        ticket: Some(2),
        file_gone: "2027-03-31T23:30:00+02:00",
        original_gone: "2026-12-26T10:00:00+01:00",
    },
    Case {
        about: "closed on the last of January: April has thirty days",
        from: "i.bakker@waterwolde.example",
        name: "Ineke Bakker",
        laid: "2027-01-29T10:00:00+01:00",
        ticket: Some(3),
        file_gone: "2027-04-30T12:00:00+02:00",
        original_gone: "2027-02-28T10:00:00+01:00",
    },
    Case {
        about: "waits for a change that is closed half a year later; thirty days end on the day when the clocks go forward",
        from: "tom.reed@brookham.example",
        name: "Tom Reed",
        laid: "2027-02-26T10:00:00+01:00",
        ticket: Some(4),
        file_gone: "2027-11-30T09:00:00+01:00",
        original_gone: "2027-03-28T10:00:00+02:00",
    },
    Case {
        about: "the change itself",
        from: "emma.clarke@brookham.example",
        name: "Emma Clarke",
        laid: "2027-02-26T11:00:00+01:00",
        ticket: Some(5),
        file_gone: "2027-11-30T09:00:00+01:00",
        original_gone: "2027-03-28T11:00:00+02:00",
    },
    Case {
        about: "a stranger for whom nobody has time: three months after 31 May is the last of August",
        from: "jan@elders.example",
        name: "Jan Smit",
        laid: "2027-05-31T10:00:00+02:00",
        ticket: Some(6),
        file_gone: "2027-08-31T10:00:00+02:00",
        original_gone: "2027-06-30T10:00:00+02:00",
    },
    Case {
        about: "closed on 30 November before a leap year",
        from: "a.devries@waterwolde.example",
        name: "Annelies de Vries",
        laid: "2027-11-20T10:00:00+01:00",
        ticket: Some(7),
        file_gone: "2028-02-29T15:00:00+01:00",
        original_gone: "2027-12-20T10:00:00+01:00",
    },
    Case {
        about: "somebody who has left writes again and waits in the queue",
        from: "p.mulder@waterwolde.example",
        name: "P. Mulder",
        laid: "2028-01-10T10:00:00+01:00",
        ticket: Some(8),
        file_gone: "2028-04-10T10:00:00+02:00",
        original_gone: "2028-02-09T10:00:00+01:00",
    },
    Case {
        about: "closed on the leap day",
        from: "mette.soerensen@nordhavn.example",
        name: "Mette Sørensen",
        laid: "2028-02-28T10:00:00+01:00",
        ticket: Some(9),
        file_gone: "2028-05-29T12:00:00+02:00",
        original_gone: "2028-03-29T10:00:00+02:00",
    },
    Case {
        about: "an organisation whose contract ends: all of it goes with the last day, open or not",
        from: "juergen.weiss@heidetal.example",
        name: "Jürgen Weiß",
        laid: "2028-06-10T10:00:00+02:00",
        ticket: Some(10),
        file_gone: "2028-07-01T00:00:00+02:00",
        original_gone: "2028-07-01T00:00:00+02:00",
    },
    Case {
        about: "closed, opened again and closed anew",
        from: "i.bakker@waterwolde.example",
        name: "Ineke Bakker",
        laid: "2028-08-01T10:00:00+02:00",
        ticket: Some(11),
        file_gone: "2029-01-31T12:00:00+01:00",
        original_gone: "2028-08-31T10:00:00+02:00",
    },
    Case {
        about: "somebody who objected: nothing but the original in the mailbox, which goes like any other",
        from: "emma.clarke@brookham.example",
        name: "Emma Clarke",
        laid: "2028-09-20T10:00:00+02:00",
        ticket: None,
        file_gone: "2028-09-20T10:00:00+02:00",
        original_gone: "2028-10-20T10:00:00+02:00",
    },
    Case {
        about: "on legal hold from before the first term ends until September",
        from: "a.devries@waterwolde.example",
        name: "Annelies de Vries",
        laid: "2029-01-05T10:00:00+01:00",
        ticket: Some(12),
        file_gone: "2029-09-01T09:00:00+02:00",
        original_gone: "2029-09-01T09:00:00+02:00",
    },
    Case {
        about: "an organisation with terms of its own, ten days and six weeks, the latter from the closing of the change that it waits for",
        from: "lars.holm@nordhavn.example",
        name: "Lars Holm",
        laid: "2029-02-05T10:00:00+01:00",
        ticket: Some(13),
        file_gone: "2029-05-12T17:45:00+02:00",
        original_gone: "2029-02-15T10:00:00+01:00",
    },
    Case {
        about: "everything of the organisation is on legal hold from before the first term ends until August",
        from: "eva.lind@strandkoping.example",
        name: "Eva Lind",
        laid: "2029-03-01T10:00:00+01:00",
        ticket: Some(15),
        file_gone: "2029-08-15T08:00:00+02:00",
        original_gone: "2029-08-15T08:00:00+02:00",
    },
];

/// What agents do meanwhile.
const DEEDS: &[(&str, &str)] = &[
    ("2026-11-30T15:00:00+01:00", "tickets close PK-00001"),
    ("2026-12-31T23:30:00+01:00", "tickets close PK-00002"),
    ("2027-01-31T12:00:00+01:00", "tickets close PK-00003"),
    ("2027-03-01T09:00:00+01:00", "tickets close PK-00004"),
    ("2027-08-31T09:00:00+02:00", "tickets close PK-00005"),
    ("2027-09-10T09:00:00+02:00", "contacts leave kari.bo@fjellvik.example --ticket PK-00002 --on 2027-09-15"),
    ("2027-11-30T15:00:00+01:00", "tickets close PK-00007"),
    ("2027-12-20T09:00:00+01:00", "contacts leave tom.reed@brookham.example --told-by own --on 2028-01-01"),
    ("2028-02-29T12:00:00+01:00", "tickets close PK-00009"),
    ("2028-08-10T12:00:00+02:00", "tickets close PK-00011"),
    ("2028-09-01T12:00:00+02:00", "tickets reopen PK-00011"),
    ("2028-09-15T12:00:00+02:00", "person object emma.clarke@brookham.example"),
    ("2028-10-31T12:00:00+01:00", "tickets close PK-00011"),
    ("2028-12-15T09:00:00+01:00", "contacts leave i.bakker@waterwolde.example --told-by organisation --on 2028-12-31"),
    ("2029-01-10T12:00:00+01:00", "tickets close PK-00012"),
    ("2029-02-01T12:00:00+01:00", "retention hold --ticket PK-00012"),
    ("2029-02-10T09:00:00+01:00", "tickets new --type change --desk support --organisation nordhavn --subject Versie"),
    ("2029-02-10T09:00:01+01:00", "tickets link PK-00013 PK-00014"),
    ("2029-02-20T09:00:00+01:00", "tickets close PK-00013"),
    ("2029-03-05T09:00:00+01:00", "tickets close PK-00015"),
    ("2029-03-20T09:00:00+01:00", "retention hold --organisation strandkoping"),
    ("2029-03-31T17:45:00+02:00", "tickets close PK-00014"),
    ("2029-08-15T08:00:00+02:00", "retention unhold --organisation strandkoping"),
    ("2029-09-01T09:00:00+02:00", "retention unhold --ticket PK-00012"),
];

/// People who leave: their first mail, from which moment their profile serves nobody, and when, in the January after, they must be forgotten.
const LEAVERS: &[[&str; 4]] = &[
    // Who writes so herself.
    ["kari.bo@fjellvik.example", "2026-11-26T10:00:00+01:00", "2027-09-15T00:00:00+02:00", "2028-01-02T00:00:00+01:00"],
    // Gone with the first day of a year: the January after is a year later.
    ["tom.reed@brookham.example", "2027-02-26T10:00:00+01:00", "2028-01-01T00:00:00+01:00", "2029-01-02T00:00:00+01:00"],
    // Gone with the last day of a year.
    ["i.bakker@waterwolde.example", "2027-01-29T10:00:00+01:00", "2028-12-31T00:00:00+01:00", "2029-01-02T00:00:00+01:00"],
];

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What happens at one moment.
enum Step {
    Mail(&'static Case),
    Deed(&'static str),
    Look,
}

/// Everything in order; a look comes last of what happens at its moment.
fn steps() -> Vec<(Timestamp, Step)> {
    let mut steps: Vec<(Timestamp, Step)> = CASES.iter().map(|case| (moment(case.laid), Step::Mail(case))).collect();
    steps.extend(DEEDS.iter().map(|(at, deed)| (moment(at), Step::Deed(deed))));
    let of_leavers = LEAVERS.iter().flat_map(|[_, _, deactivated, gone]| [*deactivated, *gone]);
    let ends: BTreeSet<Timestamp> =
        CASES.iter().flat_map(|case| [case.file_gone, case.original_gone]).chain(of_leavers).map(moment).collect();
    let minute = SignedDuration::from_mins(1);
    steps.extend(ends.into_iter().flat_map(|end| [end - minute, end]).map(|at| (at, Step::Look)));
    steps.sort_by_key(|(at, step)| (*at, matches!(step, Step::Look)));
    steps
}

/// Compares all that is there with the list.
fn compare(house: &House, now: Timestamp) {
    let arrived = || CASES.iter().filter(|case| moment(case.laid) <= now);
    let files: Vec<Value> =
        arrived().filter(|case| case.ticket.is_some()).map(|case| json!(i32::from(now < moment(case.file_gone)))).collect();
    let mut tickets: Vec<(u64, Value)> = house
        .world
        .run(&["tickets", "list", "--json"])
        .ok()
        .json()
        .into_iter()
        .filter(|ticket| ticket["type"] == "incident")
        .map(|ticket| (ticket["id"].as_u64().unwrap(), ticket["attachments"].clone()))
        .collect();
    tickets.sort_by_key(|(id, _)| *id);
    let attachments: Vec<Value> = tickets.into_iter().map(|(_, count)| count).collect();
    let profiles = house.world.run(&["profiles", "list", "--json"]).ok().json();
    for [who, written, deactivated, gone] in LEAVERS {
        let active = profiles.iter().find(|profile| profile["address"] == *who).map(|profile| profile["deactivated_on"].is_null());
        let there = (moment(written) <= now && now < moment(gone)).then_some(now < moment(deactivated));
        assert_eq!(active, there, "{now}: whether the profile of {who}, who leaves, is there, and whether it is active");
    }
    let due = || arrived().filter(|case| now < moment(case.original_gone)).map(|case| case.about).collect::<Vec<_>>();
    assert_eq!(attachments, files, "{now}: files by ticket");
    assert_eq!(house.blobs().len(), files.iter().filter(|file| **file == json!(1)).count(), "{now}: files on the disk");
    assert_eq!(house.originals("support"), due().len(), "{now}: there should be the originals of {:#?}", due());
}

#[test]
fn three_years_of_a_desk_are_forgotten_as_the_list_says_on_sqlite() {
    play(House::new());
}

#[test]
fn three_years_of_a_desk_are_forgotten_as_the_list_says_on_postgresql() {
    play(House::on_postgres("calendar"));
}

fn play(mut house: House) {
    for (now, step) in steps() {
        let at = now.to_string();
        match step {
            Step::Mail(case) => {
                let subject = format!("Vraag van {}", case.laid);
                let letter = Letter::from(case.from, case.name, &subject)
                    .with_file("bestand.csv", &format!("naam;waarde\r\nkenmerk;{}\r\n", case.laid));
                house.receive("support", &at, &letter);
                if case.ticket == Some(5) {
                    sql(&house.world, "INSERT INTO link (ticket_id, change_id) VALUES (4, 5)").unwrap();
                }
                if case.ticket == Some(10) {
                    let file = house.world.dir.join("organisations/heidetal.toml");
                    let text = fs::read_to_string(&file).unwrap();
                    fs::write(&file, format!("contract_until = 2028-06-30\n{text}")).unwrap();
                }
                if case.ticket == Some(13) {
                    let file = house.world.dir.join("organisations/nordhavn.toml");
                    let text = fs::read_to_string(&file).unwrap();
                    let terms = "[retention]\nattachments = \"6 weeks\"\noriginals = \"10 days\"\n\n[[contact]]";
                    fs::write(&file, text.replacen("[[contact]]", terms, 1)).unwrap();
                }
            }
            Step::Deed(deed) => drop(house.at(&at, deed)),
            Step::Look => {
                house.work(&at);
                assert_eq!(house.forget(&at)["trouble"], json!([]), "{now}");
                compare(&house, now);
            }
        }
    }
    let left = house.whole_database();
    for gone in ["Jan Smit", "Mulder", "Weiß", "heidetal.example", "bestand.csv"] {
        assert!(!left.contains(gone), "{gone} is left");
    }
    assert!(left.contains("Annelies de Vries"), "closed tickets stay for five years");
    house.at("2029-09-01T10:00:00+02:00", "audit verify");
    // Five years after the last closing no ticket is left; when the months are over, too, nothing ties the record to anybody.
    let person = |at: &str| house.at(at, "audit list --json --person i.bakker@waterwolde.example").json().len();
    assert!(person("2029-09-01T10:00:00+02:00") > 0);
    house.forget("2034-09-02T10:00:00+02:00");
    assert_eq!(house.tickets("number"), Vec::<Value>::new());
    house.forget("2034-10-01T10:00:00+02:00");
    assert_eq!(person("2034-10-01T10:00:00+02:00"), 0);
    assert_eq!(sql(&house.world, "SELECT CAST(COUNT(*) AS TEXT) FROM contact_change").unwrap(), ["0"], "digests of who left go, too");
    house.at("2034-10-01T10:00:00+02:00", "audit verify");
}

/// In New Zealand, where summer ends in April: what it is about, when the mail comes, when its ticket is closed, when the original and when the file
/// must be gone. Worked out by hand; by the clocks of Amsterdam each would end at another moment.
const FAR_AWAY: &[[&str; 5]] = &[
    [
        "closed on the last evening of the year, which in Europe is still morning",
        "2026-12-30T10:00:00+13:00",
        "2026-12-31T23:30:00+13:00",
        "2027-01-29T10:00:00+13:00",
        "2027-03-31T23:30:00+13:00",
    ],
    [
        "both terms run over the end of summer time on 4 April",
        "2027-04-01T10:00:00+13:00",
        "2027-04-02T12:00:00+13:00",
        "2027-05-01T10:00:00+12:00",
        "2027-07-02T12:00:00+12:00",
    ],
    [
        "filed before summer begins on 26 September; closed on 30 November, in Europe still the 29th: three months end on the leap day",
        "2027-09-01T10:00:00+12:00",
        "2027-11-30T08:00:00+13:00",
        "2027-10-01T10:00:00+13:00",
        "2028-02-29T08:00:00+13:00",
    ],
    [
        "closed on the leap day, in Europe still the day before",
        "2028-02-29T08:30:00+13:00",
        "2028-02-29T09:00:00+13:00",
        "2028-03-30T08:30:00+13:00",
        "2028-05-29T09:00:00+12:00",
    ],
];

#[test]
fn a_desk_on_the_other_side_of_the_world_forgets_by_its_own_calendar() {
    House::both("auckland").into_iter().for_each(in_new_zealand);
}

fn in_new_zealand(mut house: House) {
    house.world.edit(|config| config["timezone"] = toml_edit::value("Pacific/Auckland"));
    let left = |house: &House, at: Timestamp| {
        house.forget(&at.to_string());
        (house.originals("support"), house.blobs().len())
    };
    let minute = SignedDuration::from_mins(1);
    for (number, [about, laid, closed, original_gone, file_gone]) in (1..).zip(FAR_AWAY) {
        let letter = Letter::from("a.devries@waterwolde.example", "Annelies de Vries", about).with_file("bestand.csv", laid);
        house.receive("support", laid, &letter);
        let gone = moment(original_gone);
        if moment(closed) < gone {
            house.at(closed, &format!("tickets close {number}"));
        }
        assert_eq!(left(&house, gone - minute), (1, 1), "{about}");
        assert_eq!(left(&house, gone), (0, 1), "{about}");
        if moment(closed) > gone {
            house.at(closed, &format!("tickets close {number}"));
        }
        let gone = moment(file_gone);
        assert_eq!(left(&house, gone - minute), (0, 1), "{about}");
        assert_eq!(left(&house, gone), (0, 0), "{about}");
    }
    // A contract's last day ends with that day in the desk's zone.
    house.receive("support", "2028-06-10T10:00:00+12:00", &Letter::from("juergen.weiss@heidetal.example", "Jürgen Weiß", "Vertrag"));
    let file = house.world.dir.join("organisations/heidetal.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("contract_until = 2028-06-30\n{text}")).unwrap();
    let ends = moment("2028-07-01T00:00:00+12:00");
    assert_eq!(left(&house, ends - minute).0, 1);
    assert_eq!(left(&house, ends).0, 0);
    assert!(!file.exists());
}
