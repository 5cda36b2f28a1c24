//! All organisations, and who a sender is among them.

use std::collections::HashMap;

use jiff::civil::Date;

use super::name::fold_name;
use super::organisation::{Contact, ContactKind, Organisation, OrganisationId};
use crate::words::{Domain, EmailAddress};

/// Who a mail says it comes from (POLICY fact 3). Whether it really does is the business of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderKind {
    /// The listed address of a general contact.
    GeneralContact,
    /// The listed address of an ICT contact.
    IctContact,
    /// The name of exactly one contact who has not left, at another address.
    NamedElsewhere,
    /// The address of a contact who has left.
    FormerContact,
    /// An organisation's domain, or one of its monitoring systems; not on its list.
    Colleague,
    /// No organisation.
    Stranger,
}

impl SenderKind {
    /// All of them, in POLICY's order.
    pub const ALL: &'static [Self] =
        &[Self::GeneralContact, Self::IctContact, Self::NamedElsewhere, Self::FormerContact, Self::Colleague, Self::Stranger];

    /// The code of POLICY fact 3, as it stands in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GeneralContact => "general-contact",
            Self::IctContact => "ict-contact",
            Self::NamedElsewhere => "named-elsewhere",
            Self::FormerContact => "former-contact",
            Self::Colleague => "colleague",
            Self::Stranger => "stranger",
        }
    }
}

/// What the directory knows of one sender.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// In what way the sender is known.
    pub kind: SenderKind,
    /// The organisation; of one named elsewhere, that of the contact named. None for strangers only.
    pub organisation: Option<&'a Organisation>,
    /// The contact whose address this is or was, or who is named.
    pub contact: Option<&'a Contact>,
    /// A monitoring system's address (`automatic_senders`): never answered.
    pub automatic: bool,
}

impl Sender<'_> {
    /// Somebody of no organisation.
    pub const STRANGER: Self = Self { kind: SenderKind::Stranger, organisation: None, contact: None, automatic: false };
}

/// Where a contact stands: the organisation's place in the directory, and the contact's in the organisation.
type Place = (usize, usize);

/// All organisations, indexed by what a mail shows of its sender. Immutable: a changed file makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    organisations: Vec<Organisation>,
    by_id: HashMap<OrganisationId, usize>,
    by_domain: HashMap<Domain, usize>,
    by_automatic_sender: HashMap<EmailAddress, usize>,
    /// More than one where a person left and was listed again.
    by_address: HashMap<EmailAddress, Vec<Place>>,
    /// Folded names (see [`fold_name`]).
    by_name: HashMap<Box<str>, Vec<Place>>,
}

impl Directory {
    /// Indexes the organisations. Where two claim one domain, id or monitoring address the first has it; settings refuse that beforehand.
    #[must_use]
    pub fn new(organisations: Vec<Organisation>) -> Self {
        let contacts = organisations.iter().map(|o| o.contacts.len()).sum();
        let mut directory =
            Self { by_address: HashMap::with_capacity(contacts), by_name: HashMap::with_capacity(contacts), ..Self::default() };
        for (at, organisation) in organisations.iter().enumerate() {
            directory.by_id.entry(organisation.id.clone()).or_insert(at);
            for domain in &organisation.domains {
                directory.by_domain.entry(domain.clone()).or_insert(at);
            }
            for address in &organisation.automatic_senders {
                directory.by_automatic_sender.entry(address.clone()).or_insert(at);
            }
            for (nth, contact) in organisation.contacts.iter().enumerate() {
                directory.by_address.entry(contact.email.clone()).or_default().push((at, nth));
                let name = fold_name(contact.name.reveal());
                if !name.is_empty() {
                    directory.by_name.entry(name.into()).or_default().push((at, nth));
                }
            }
        }
        directory.organisations = organisations;
        directory
    }

    /// All organisations, in the order they were given.
    #[must_use]
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// The organisation of that id, whether its contract runs or not.
    #[must_use]
    pub fn organisation(&self, id: &str) -> Option<&Organisation> {
        self.by_id.get(id).and_then(|at| self.organisations.get(*at))
    }

    /// The contact whose listed address this is today: has not left, contract runs.
    #[must_use]
    pub fn contact_by_address(&self, address: &EmailAddress, today: Date) -> Option<(&Organisation, &Contact)> {
        self.places(self.by_address.get(address), today).find(|(_, contact)| !contact.has_left(today))
    }

    /// The day from which on a former contact with that address is gone; none for anybody else.
    #[must_use]
    pub fn left_on(&self, address: &EmailAddress, today: Date) -> Option<Date> {
        self.places(self.by_address.get(address), today)
            .filter(|(_, contact)| contact.has_left(today))
            .filter_map(|(_, contact)| contact.left)
            .max()
    }

    /// The organisation whose domain (exactly) this is today.
    #[must_use]
    pub fn organisation_by_domain(&self, domain: &Domain, today: Date) -> Option<&Organisation> {
        self.under_contract(*self.by_domain.get(domain)?, today)
    }

    /// The contact who is put in CC (POLICY rows 12 and 15), see [`Organisation::stand_in`].
    #[must_use]
    pub fn stand_in<'a>(&self, organisation: &'a Organisation, today: Date) -> Option<(&'a Contact, bool)> {
        organisation.stand_in(today)
    }

    /// Who a mail's one author (address and display name) is on that day, in the desk's time zone: listed address, former address, name, domain, in
    /// this order (POLICY fact 3). No single author: a stranger.
    #[must_use]
    pub fn identify(&self, author: Option<(&EmailAddress, &str)>, today: Date) -> Sender<'_> {
        let Some((address, display_name)) = author else { return Sender::STRANGER };
        let monitored = self.by_automatic_sender.get(address).and_then(|at| self.under_contract(*at, today));
        let own = self.organisation_by_domain(address.domain(), today).or(monitored);
        let sender =
            |kind, organisation, contact| Sender { kind, organisation: Some(organisation), contact, automatic: monitored.is_some() };

        if let Some((organisation, contact)) = self.contact_by_address(address, today) {
            let kind = match contact.kind {
                ContactKind::General => SenderKind::GeneralContact,
                ContactKind::Ict => SenderKind::IctContact,
            };
            return sender(kind, organisation, Some(contact));
        }
        if let Some((organisation, contact)) = self.places(self.by_address.get(address), today).next() {
            return sender(SenderKind::FormerContact, organisation, Some(contact));
        }
        if let Some((organisation, contact)) = self.named(display_name, own, today) {
            return sender(SenderKind::NamedElsewhere, organisation, Some(contact));
        }
        own.map_or(Sender::STRANGER, |organisation| sender(SenderKind::Colleague, organisation, None))
    }

    /// The only contact of that name who has not left: in the sender's own organisation first, then over all. Two people of one name in
    /// the same round are nobody: asking the wrong one would tell them of a stranger's mail.
    fn named(&self, display_name: &str, own: Option<&Organisation>, today: Date) -> Option<(&Organisation, &Contact)> {
        let places = self.by_name.get(fold_name(display_name).as_str());
        let all = || self.places(places, today).filter(|(_, contact)| !contact.has_left(today));
        let mut near = all().filter(|(organisation, _)| own.is_some_and(|own| own.id == organisation.id));
        match (near.next(), near.next()) {
            (Some(only), None) => return Some(only),
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
        let mut anywhere = all();
        let only = anywhere.next()?;
        anywhere.next().is_none().then_some(only)
    }

    fn places<'a>(&'a self, places: Option<&'a Vec<Place>>, today: Date) -> impl Iterator<Item = (&'a Organisation, &'a Contact)> {
        places.into_iter().flatten().filter_map(move |(at, nth)| {
            let organisation = self.under_contract(*at, today)?;
            Some((organisation, organisation.contacts.get(*nth)?))
        })
    }

    fn under_contract(&self, at: usize, today: Date) -> Option<&Organisation> {
        self.organisations.get(at).filter(|organisation| organisation.is_under_contract(today))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;
    use jiff::civil::date;

    fn contact(name: &str, email: &str, kind: ContactKind) -> Contact {
        Contact {
            name: name.to_owned().into(),
            email: email.parse().unwrap(),
            kind,
            phone: None,
            mobile: None,
            absent: Vec::new(),
            left: None,
        }
    }

    fn organisation(id: &str, domains: &[&str], contacts: Vec<Contact>) -> Organisation {
        Organisation {
            id: OrganisationId::new(id),
            name: id.to_owned(),
            domains: domains.iter().map(|d| d.parse().unwrap()).collect(),
            language: Language::Nl,
            approved_contacts_only: true,
            contract_until: None,
            automatic_senders: Vec::new(),
            privacy_contact: None,
            particulars: crate::identify::Particulars::default(),
            privacy_notices: false,
            terms: crate::words::AgreedTerms::default(),
            contacts,
        }
    }

    const TODAY: Date = date(2026, 11, 21);
    use ContactKind::{General, Ict};

    fn world() -> Directory {
        let mut gone = contact("P. Mulder", "p.mulder@waterwolde.example", General);
        gone.left = Some(date(2026, 6, 1));
        let mut leaving = contact("L. Eaving", "l.eaving@waterwolde.example", General);
        leaving.left = Some(date(2026, 11, 22));
        let mut again = contact("T. Rug", "t.rug@waterwolde.example", Ict);
        again.left = Some(date(2025, 1, 1));
        let mut waterwolde = organisation(
            "waterwolde",
            &["waterwolde.example", "ict.waterwolde.example"],
            vec![
                contact("A. de Vries", "a.devries@waterwolde.example", General),
                contact("Joost van Dam", "j.vandam@waterwolde.example", Ict),
                gone,
                leaving,
                again,
                contact("T. Rug", "t.rug@waterwolde.example", General),
                contact("Jan Jansen", "j.jansen@waterwolde.example", General),
            ],
        );
        waterwolde.automatic_senders = vec!["monitor@ict.waterwolde.example".parse().unwrap(), "alarm@watch.example".parse().unwrap()];
        let nordhavn = organisation(
            "nordhavn",
            &["nordhavn.example"],
            vec![
                contact("Mette Sørensen", "mette.soerensen@nordhavn.example", General),
                contact("Jan Jansen", "jan@nordhavn.example", General),
                contact("Lars Holm", "l1@nordhavn.example", Ict),
                contact("Lars Holm", "l2@nordhavn.example", Ict),
                contact("Piet Paulusma", "piet@nordhavn.example", Ict),
            ],
        );
        let mut oudeveen =
            organisation("oudeveen", &["oudeveen.example"], vec![contact("Wim Postma", "w.postma@oudeveen.example", General)]);
        oudeveen.contract_until = Some(date(2026, 3, 31));
        oudeveen.automatic_senders = vec!["bot@oudeveen.example".parse().unwrap()];
        Directory::new(vec![waterwolde, nordhavn, oudeveen])
    }

    fn who(directory: &Directory, address: &str, name: &str, today: Date) -> (SenderKind, Option<String>, bool) {
        let sender = directory.identify(Some((&address.parse().unwrap(), name)), today);
        (sender.kind, sender.organisation.map(|o| o.id.to_string()), sender.automatic)
    }

    #[test]
    fn the_order_is_listed_address_former_address_name_domain() {
        use SenderKind::*;
        let world = world();
        for (address, name, kind, organisation) in [
            ("A.deVries@Waterwolde.example", "anything", GeneralContact, Some("waterwolde")),
            ("j.vandam@waterwolde.example", "A. de Vries", IctContact, Some("waterwolde")),
            ("p.mulder@waterwolde.example", "A. de Vries", FormerContact, Some("waterwolde")),
            ("l.eaving@waterwolde.example", "", GeneralContact, Some("waterwolde")),
            ("t.rug@waterwolde.example", "", GeneralContact, Some("waterwolde")),
            ("adevries@waterwolde.example", "a. DE vries", NamedElsewhere, Some("waterwolde")),
            ("mette@privat.example", "Mette Sorensen", NamedElsewhere, Some("nordhavn")),
            ("piet@waterwolde.example", "Piet Paulusma", NamedElsewhere, Some("nordhavn")),
            ("x@privat.example", "P. Mulder", Stranger, None),
            ("nieuw@ict.waterwolde.example", "Nieuw", Colleague, Some("waterwolde")),
            ("nieuw@sub.waterwolde.example", "Nieuw", Stranger, None),
            ("nieuw@waterwolde.example.evil.test", "Nieuw", Stranger, None),
            ("x@privat.example", "", Stranger, None),
        ] {
            assert_eq!(who(&world, address, name, TODAY), (kind, organisation.map(str::to_owned), false), "{address} {name}");
        }
        assert_eq!(world.identify(None, TODAY).kind, Stranger);
    }

    #[test]
    fn of_two_people_of_one_name_the_one_at_home_is_meant_and_else_nobody() {
        use SenderKind::*;
        let world = world();
        assert_eq!(who(&world, "jj@waterwolde.example", "Jan Jansen", TODAY), (NamedElsewhere, Some("waterwolde".into()), false));
        assert_eq!(who(&world, "jj@privat.example", "Jan Jansen", TODAY).0, Stranger);
        assert_eq!(who(&world, "holm@nordhavn.example", "Lars Holm", TODAY).0, Colleague);
        assert_eq!(who(&world, "holm@waterwolde.example", "Lars Holm", TODAY).0, Colleague);
    }

    #[test]
    fn after_the_contract_domains_and_contacts_belong_to_nobody() {
        use SenderKind::*;
        let world = world();
        let (last, after) = (date(2026, 3, 31), date(2026, 4, 1));
        assert_eq!(who(&world, "w.postma@oudeveen.example", "", last).0, GeneralContact);
        assert_eq!(who(&world, "w.postma@oudeveen.example", "", after), (Stranger, None, false));
        assert_eq!(who(&world, "x@oudeveen.example", "", after).0, Stranger);
        assert_eq!(who(&world, "x@privat.example", "Wim Postma", last).0, NamedElsewhere);
        assert_eq!(who(&world, "x@privat.example", "Wim Postma", after).0, Stranger);
        assert_eq!(who(&world, "bot@oudeveen.example", "", after), (Stranger, None, false));
    }

    #[test]
    fn the_first_day_gone_is_a_day_gone() {
        let world = world();
        assert_eq!(who(&world, "l.eaving@waterwolde.example", "", date(2026, 11, 22)).0, SenderKind::FormerContact);
    }

    #[test]
    fn monitoring_systems_belong_to_their_organisation_wherever_they_are_hosted() {
        let world = world();
        for address in ["monitor@ict.waterwolde.example", "alarm@watch.example"] {
            assert_eq!(who(&world, address, "Monitor", TODAY), (SenderKind::Colleague, Some("waterwolde".into()), true));
        }
    }

    #[test]
    fn the_stand_in_is_the_first_present_general_contact() {
        let mut first = contact("A", "a@x.example", General);
        first.absent = vec![(date(2026, 12, 20), date(2027, 1, 4))];
        let mut gone = contact("G", "g@x.example", General);
        gone.left = Some(date(2026, 1, 1));
        let mut second = contact("B", "b@x.example", General);
        second.absent = vec![(date(2026, 12, 31), date(2026, 12, 31))];
        let x = organisation("x", &["x.example"], vec![gone, contact("I", "i@x.example", Ict), first, second]);
        let stand_in = |today| x.stand_in(today).map(|(c, all_absent)| (c.email.reveal().to_owned(), all_absent));
        for (today, expected) in [
            (date(2026, 12, 19), ("a@x.example", false)),
            (date(2026, 12, 20), ("b@x.example", false)),
            (date(2026, 12, 31), ("a@x.example", true)),
            (date(2027, 1, 4), ("b@x.example", false)),
            (date(2027, 1, 5), ("a@x.example", false)),
        ] {
            assert_eq!(stand_in(today), Some((expected.0.to_owned(), expected.1)), "{today}");
        }
        let nobody = organisation("y", &["y.example"], vec![contact("I", "i@y.example", Ict)]);
        assert!(nobody.stand_in(TODAY).is_none());
    }

    #[test]
    fn debug_shows_no_person() {
        let world = world();
        let shown = format!("{:?}", world.identify(Some((&"a.devries@waterwolde.example".parse().unwrap(), "")), TODAY));
        assert!(!shown.contains("Vries") && !shown.contains("devries"), "{shown}");
    }
}
