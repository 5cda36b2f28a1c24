//! Addresses of roles and rooms rather than of a person (POLICY "contact"): whoever reads them cannot approve anything, and no profile is kept of them.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::name::fold_name;
use crate::words::EmailAddress;

/// Local parts, reduced to plain letters, that are no person: in all of the six languages.
const ROLES: &[&str] = &[
    // Everywhere.
    "info information mail email post postmaster hostmaster webmaster admin administrator administration root abuse security \
     noreply donotreply mailerdaemon bounce bounces contact office support helpdesk servicedesk service services help desk it ict \
     itsupport ictsupport ithelpdesk icthelpdesk itservice itservicedesk ictservicedesk web website portal system systems test team \
     staff all everyone users hello enquiries inquiries privacy gdpr dpo hr hrm finance billing invoice invoices sales marketing \
     press media communication communications archive archives reception secretary secretariat callcenter frontoffice backoffice \
     projects project monitoring monitor alerts scanner printer fax newsletter council customerservice customerservices \
     customercare servicemanagement functioneelbeheer",
    // Dutch.
    "gemeente stadhuis gemeentehuis burgerzaken publiekszaken publiek loket balie receptie secretariaat secretaris griffie griffier \
     bestuur college raad burgemeester wethouder wethouders directie administratie beheer applicatiebeheer systeembeheer \
     netwerkbeheer automatisering informatisering informatiebeheer archief postkamer postregistratie facturen financien inkoop \
     crediteuren debiteuren personeel communicatie pers redactie webredactie klantenservice klantcontact klantcontactcentrum kcc \
     vergunningen belastingen belasting sociaaldomein werkeninkomen wmo jeugd handhaving boa fg avg meldingen klachten vragen \
     algemeen kantoor afdeling secr servicepunt meldpunt provincie waterschap stadskantoor omgevingsdienst wijkteam zorgloket",
    // Danish and Norwegian.
    "kommune kommunen raadhus radhus radhuset raadhuset borgerservice borger borgmester ordforer postmottak postmodtagelse \
     hovedpost hovedpostkasse kontakt kundeservice kundesenter kundecenter servicetorg servicetorget innbyggertorg innbyggerservice \
     sekretariat sekretariatet forvaltning administrasjon administrasjonen administrationen okonomi regnskab regnskap faktura \
     fakturamottak personal lonn lon arkiv dokumentsenter brukerstotte brukerservice itavdelingen itavdeling itafdeling \
     itafdelingen ikt iktsupport drift presse kommunikasjon kommunikation teknik teknisk bygg bygesak byggesak byggesag skole \
     barnehage helse sundhed social jobcenter nav personvern personvernombud dataombud databeskyttelse svarikke ikkesvar resepsjon \
     resepsjonen felles faelles hjelp hjaelp stotte raadmann radmann fylkeskommune region",
    // Swedish.
    "kommun stad staden kundtjanst kundcenter kontaktcenter medborgarservice registrator diarium diariet kansli kansliet \
     kommunkansli kommunstyrelsen kommunstyrelse naringsliv ekonomi fakturor loner receptionen stadshuset kommunhuset itstod \
     itsupporten itenheten itavdelningen hjalp helpline socialtjansten socialforvaltningen byggnadsnamnden miljo skola vard omsorg \
     dataskydd dataskyddsombud svarainte vaxel vaxeln funktion forvaltningen regionen",
    // German.
    "gemeinde stadtverwaltung verwaltung rathaus buergerbuero burgerburo buergerservice burgerservice buergeramt burgeramt \
     buergermeister burgermeister oberbuergermeister oberburgermeister landratsamt kreis landkreis stadt amt hauptamt poststelle \
     posteingang zentrale empfang vorzimmer buero buro kanzlei geschaeftsstelle geschaftsstelle personalamt kasse stadtkasse \
     kaemmerei kammerei rechnung rechnungen buchhaltung edv edvabteilung itabteilung benutzerservice hilfe pressestelle redaktion \
     datenschutz datenschutzbeauftragter ordnungsamt standesamt bauamt sozialamt jugendamt meldeamt einwohnermeldeamt \
     auslaenderbehoerde auslanderbehorde anfragen anfrage nichtantworten keineantwort archivamt",
    // English.
    "borough district town city county townhall cityhall mayor clerk townclerk registrar registry planning housing benefits \
     counciltax revenues licensing parking libraries library schools socialcare procurement payroll accounts correspondence \
     mailroom general generalenquiries feedback complaints foi dataprotection infosec ops operations servers network networks \
     databases developers webteam digital",
];

/// The same words, for looking up: there are hundreds of them, and hundreds of thousands of contacts.
static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| ROLES.iter().flat_map(|words| words.split_ascii_whitespace()).collect());

/// A word of no more letters is too short for the second of a compound: names end like that.
const SHORTEST: usize = 3;

/// What is no person at one organisation.
#[derive(Debug)]
pub struct Roles {
    /// The organisation's own name, whole and without words such as "gemeente".
    own_names: [String; 2],
}

impl Roles {
    /// For the organisation of that name.
    #[must_use]
    pub fn at(organisation: &str) -> Self {
        let folded = fold_name(organisation);
        let without_kind = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !KNOWN.contains(word)).collect();
        Self { own_names: [letters(&folded), without_kind] }
    }

    /// Whether an address is that of a role, a room or a machine, or of the organisation itself.
    #[must_use]
    pub fn include(&self, address: &EmailAddress) -> bool {
        // A tag is chosen by whoever writes: info+jan is still info; so are numbers: info2.
        let local = address.local_part().split('+').next().unwrap_or_default();
        let whole = letters(local);
        if whole.is_empty() {
            return false;
        }
        let own_domain = address.domain().as_str().split('.').next().map(letters).unwrap_or_default();
        let is_role = |word: &str| is_known(word) || word == own_domain || self.own_names.iter().any(|own| own == word);
        let mut words = local.split(['.', '-', '_']).map(letters).filter(|word| !word.is_empty());
        is_role(&whole) || words.all(|word| is_role(&word))
    }
}

/// One of the words, or two of them in one as Germanic languages write them, with or without a letter between: `stadsbestuur`, `itdrift`.
fn is_known(word: &str) -> bool {
    let compound = |at: usize| {
        let (Some(first), Some(second)) = (word.get(..at), word.get(at..)) else { return false };
        let own = KNOWN.contains(first)
            || ["s", "e", "n", "en"]
                .iter()
                .any(|joint| first.strip_suffix(joint).is_some_and(|own| own.len() > SHORTEST && KNOWN.contains(own)));
        own && second.len() > SHORTEST && KNOWN.contains(second)
    };
    KNOWN.contains(word) || (2..word.len()).any(compound)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(address: &str) -> bool {
        Roles::at("Gemeente Waterwolde").include(&address.parse().unwrap())
    }

    #[test]
    fn roles_are_refused_in_every_language() {
        for local in [
            "info",
            "helpdesk",
            "Gemeente",
            "gemeinde",
            "kommune",
            "postmaster",
            "support",
            "servicedesk",
            "service-desk",
            "receptie",
            "secretariaat",
            "post",
            "mail",
            "contact",
            "admin",
            "ict",
            "it",
            "no-reply",
            "noreply",
            "burgerzaken",
            "burger.zaken",
            "info2",
            "ict.helpdesk",
            "info+jan",
            "postmottak",
            "kundtjanst",
            "rathaus",
            "waterwolde",
            "gemeentewaterwolde",
            "gemeente.waterwolde",
            "info-2",
            "stadsbestuur",
            "gemeentesecretaris",
            "ictbeheer",
            "itdrift",
            "kommuneservice",
            "info-waterwolde",
            "waterwolde.post",
            "team.burgerzaken",
        ] {
            assert!(role(&format!("{local}@waterwolde.example")), "{local}");
        }
    }

    #[test]
    fn people_are_people() {
        for local in [
            "a.devries",
            "j.vandam",
            "i.bakker",
            "mette.soerensen",
            "juergen.weiss",
            "k.stad",
            "j.post",
            "jan.info.jansen",
            "p.de.raad",
            "vanderpost",
            "jj",
            "e.clarke2",
            "itamar",
            "helpost",
            "postman",
            "stadskamp",
            "h.waterwolde",
        ] {
            assert!(!role(&format!("{local}@waterwolde.example")), "{local}");
        }
    }
}
