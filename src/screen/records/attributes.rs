//! What a column or field says of a person, by its label in nine languages.

use super::{addresses, dates, names};
use crate::screen::fold::fold;
use regex::Regex;
use std::sync::LazyLock;

/// An attribute in a table's header or before a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// A whole name.
    Name,
    /// Given name or initials.
    Given,
    /// Family name.
    Family,
    /// A name under a role that only people have: holder, tenant, child, claimant.
    Person,
    /// Date of birth.
    Birth,
    /// Sex.
    Sex,
    /// Street, house number or whole address.
    Address,
    /// Where somebody lives: postcode or place.
    Place,
    /// Function, department, organisation: the person is there on business.
    Business,
    /// Somebody else's name: who handles the case.
    Handler,
}

/// Labels in the order in which they are tried: an e-mail address is no address, a contact person's name is business.
const LABELS: &[(Attribute, &str)] = &[
    (
        Attribute::Handler,
        r"behandelaar|behandelend|sagsbehandler|saksbehandler|handlaggare|sachbearbeiter|kasittelija|case ?worker|casemanager|regisseur|\bcluster\b|\bteam\b|consulent|klantmanager|wijkteam",
    ),
    (
        Attribute::Business,
        concat!(
            r"^org$|^yritys|^virksomhed|^virksomhet|^foretag|^organisaatio|yhteyshenkilo|^fonction|^societe|^entreprise|^service$|personne de contact|functie|afdeling|organisatie|organisasjon|organisation|bedrijf|\bfirma|company|department|avdeling|avdelning|afdeling\b|abteilung|\bjob|stilling|befattning|\brolle?n?\b|tehtava|osasto",
            r"|contactpers|kontaktpers|ansprechpartner|medewerker|medarbejder|contact ?person|^amt$|dienststelle|directorate|extension|toestel|^enhet$|^forvaltning|^yksikko|beheerder|leverancier|personeelsn|manager|teamleider|werkgever|arbeidsgiver",
            r"|naam (?:van )?(?:de |het )?(?:organisatie|bedrijf|school|instelling|applicatie|systeem|bestand|server|product)|bedrijfsnaam|schoolnaam|werkplek|leveringsadres|afleveradres|factuuradres|bezoekadres|postadres|kantooradres"
        ),
    ),
    (
        Attribute::Birth,
        r"^ne\(?e?\)? le|^naissance|^bday|^geb$|^gb$|^gb ?dat|^geb ?dt|^gbdt|^f[. ]{0,2}dato|fodelse ?-?tid|^fod\.? ?dat|^foedt|^f\.? ?dag$|^synt|^spvm$|geb\.? ?-?datum|^d ?o ?b$|geboorte ?dat|geboorte ?dag|^geboren|\bgeb\.? ?-?dat|^geb\.?$|\bgeb\.? op|fodsels? ?-?dat|fodsels? ?-?dag|foedsels|\bfodt\b|fodelse ?-?dat|fodelse ?-?dag|\bfodd\b|syntyma ?-?(?:aika|paiva)|syntynyt|geburts ?-?datum|geburts ?-?tag|\bgeb\.? am|geboren am|datum (?:van )?geboorte|date of birth|birth ?-?(?:date|day)|\bdob\b|\bd\.o\.b|date de naissance|birth date",
    ),
    (
        Attribute::Sex,
        r"\bgeslacht\b|^gesl\.?$|^gsl$|^geschl\.?$|^aanhef$|^anrede$|^salutation$|^title$|^titel$|^titulatuur$|^tiltale$|^sukup|^koen$|\bgeslacht[sa]?aanduiding|^kon$|\bkon\b|\bkjonn\b|sukupuoli|geschlecht|^sex$|\bgender\b|^m ?/ ?[vkfw]$|^m ?/ ?v ?/ ?x$|^sexe$|geslachtsaanduiding",
    ),
    (
        Attribute::Given,
        r"^vn$|^given$|^rufname$|fore ?-?namn|^vl$|^voorl\.?$|^vrn$|^vrnm|^voorn\.?$|^f ?name$|^fornv|voor ?-?na(?:am|men)|roep ?-?naam|voor ?-?letters|initial(?:en|s|er)|for ?-?navn|for ?-?namn|tilltalsnamn|etu ?-?nim|vorname|first ?-?name|given ?-?names?|fore ?-?name|prenom|kaldenavn",
    ),
    (
        Attribute::Family,
        r"^gn$|^family$|etter ?-?namn|^nn$|^achtern\.?$|^achtn|^ges?l\.? ?na?a?m$|^l ?name$|^s ?name$|^eftern\.?$|^zuname$|^vv$|^voorv|achter ?-?naam|geslachts ?-?naam|familie ?-?naam|tussenvoegsel|meisjesnaam|geboorte ?-?naam|efter ?-?navn|etter ?-?navn|slektsnavn|efter ?-?namn|suku ?-?nimi|nach ?-?name|familien ?-?name|geburts ?-?name|sur ?-?name|last ?-?name|family ?-?name|^nom$",
    ),
    (
        Attribute::Address,
        r"^rue\b|^adr(?:$|[. ]|ess?e?n?\b|ess ?zeile)|^str\.?$|^strnm|^str\.? ?naam|^hs? ?nr\.?$|^hnr|^addr|^katu$|^vei$|^veg$|(?:woon|bezoek|thuis|hjemme|bolig|bostads|verblijfs|folkeregister|home)[- ]?(?:adr|add|anschr)|\badres\b|\badresse\b|\badress\b|\baddress\b|osoite\b|anschrift|straat|street|strasse|\bvej\b|vejnavn|\bgade|\bgate|gatuadress|huis ?-?n(?:r|um)|hus ?-?n|haus ?-?n|house ?-?n|bopael|bosted",
    ),
    (
        Attribute::Place,
        r"^code postal|^cp$|^localite|^commune$|^ville$|^pc$|^pc ?6|^wpl|^woonpl|postitoimipaikka|^wohnhaft$|post ?-?code|post ?-?n(?:r|um)|postinumero|posti ?nro|\bplz\b|postleitzahl|\bzip|woonplaats|woonplek|poststed|postort|wohnort|bostadsort|^plaats$|^by$|^by ?navn$|^postdistri|^post ?office$|^ort$|^stad$|^city$|^town$|kotikunta|kotipaikka|postal",
    ),
    (
        Attribute::Person,
        concat!(
            r"^(?:vergunning)?houder$|kaarthouder|rekeninghouder|^(?:hoofd)?bewoner|^huurder|^eigenaar|rechthebbende|^overledene|^ouder\b|ouder ?/ ?verzorger|verzorger|^voogd|^gezag|^indiener|bezwaarmaker|belanghebbende|bijstandsgerechtigde|uitkeringsgerechtigde|^student|^pupil|^debiteur ?naam|^melder$",
            r"|^foraelder|^ejer$|^beboer|^lejer|^afdod|^vaerge|^eier$|^foresatt|^avdod|hjemmelshaver|^verge$|^agare$|^boende|vardnadshavare|^brukare|^avliden|^omistaja|^huoltaja|^hakija|^lapsi|^oppilas|^vainaja|^eigentumer|^mieter|erziehungsberechtigt|^verstorbene|^halter",
            r"|^namnet (?:til|pa)|^demandeur|^beneficiaire|^eleve|^enfant|^locataire|^defunt",
            r"|^parent|^guardian|^carer|^tenant|^owner|^occupier|^deceased|^child|^claimant|^keeper|permit ?holder|account ?holder|bill ?payer|^taxpayer|^elector|^voter|^spouse",
            r"|^(?:burger|inwoner|borger|borgere|innbygger|invanare|client|klient|patient|pasient|leerling|elev|kind|barn|barnets navn|aanvrager|ansoger|soker|sokande|soknader|antragsteller|applicant|citizen|resident|betrokkene|persoon|person|partner|deelnemer|deltager|deltaker|deltagare|asukas|henkilo|asiakas)(?:s?[- ]?na(?:am|vn|mn|me)|ens navn|nimi|e[nr])?$",
            r"|naam (?:van )?(?:de |het )?(?:burger|inwoner|client|kind|leerling|aanvrager|patient|betrokkene|persoon|partner)|^persons? ?-?na|\bpersona?l? ?naam|^(?:child|pupil|resident|citizen|applicant|patient)'?s? (?:full )?name|^asiakkaan nimi|^barnets navn|^borgerens navn|^name des kindes|^lapsen nimi"
        ),
    ),
    (
        Attribute::Name,
        concat!(
            r"^nom complet|^nom et prenom|^fn$|^(?:volledige |fulde? |fullt |hele |full )?na(?:am|me|vn|mn)s?$|^nimi$|^koko nimi",
            r"|^na(?:am|vn|mn|me)[ ,/(-]|[ ,/(]na(?:am|vn|mn|me)$|volledige naam|fuldt navn|fullt navn|fullstandigt namn|vollstandiger name"
        ),
    ),
];

static PATTERNS: LazyLock<Vec<(Attribute, Regex)>> =
    LazyLock::new(|| LABELS.iter().filter_map(|(attribute, label)| Some((*attribute, Regex::new(label).ok()?))).collect());

/// Any of these labels: most lines begin with none, and are done after one look.
static ANY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&LABELS.iter().map(|(_, label)| *label).collect::<Vec<_>>().join("|")).ok());

/// Names of things that end in "name" or "address" and are no person's.
static THINGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"e-?mail|\bmail|sahkoposti|verkko-?osoite|\bip\b|ip-adr|\bmac\b|\burl\b|web|host|server|domein|domain|gebruikers ?-?na|user ?-?na|bruker ?-?na|anvandar|benutzer|bestands?na|file ?-?na|fil ?-?na|product|applica|systeem|system|tabel|table|kolom|column|veld|field|proces|zaaktype|printer|database|scherm|menu|bericht").ok()
});

/// No label is longer than this, folded, in bytes.
pub const LONGEST_LABEL: usize = 48;

/// What a folded label means; labels are short.
pub fn of_label(folded: &str) -> Option<Attribute> {
    let label = folded.trim().trim_end_matches([':', '*', '.', '?']).trim();
    if label.is_empty() || label.len() > LONGEST_LABEL || label.bytes().filter(u8::is_ascii_digit).count() > 2 {
        return None;
    }
    let attribute_of = |label: &str| {
        let any = ANY.as_ref().is_some_and(|any| any.is_match(label));
        let first = || PATTERNS.iter().find(|(_, pattern)| pattern.is_match(label)).map(|(attribute, _)| *attribute);
        any.then(first).flatten()
    };
    // `geboorte.datum`, `birth/date`: a path in place of a name.
    // `Naam (voluit)`: a remark in brackets may say that it is no person's, and nothing else.
    let bare = label.split_once(" (").filter(|(_, remark)| remark.ends_with(')')).map(|(bare, _)| bare.trim());
    let attribute = attribute_of(label)
        .or_else(|| bare.and_then(attribute_of))
        .or_else(|| label.contains(['.', '/']).then(|| label.replace(['.', '/'], " ")).and_then(|path| attribute_of(path.trim())))?;
    let thing = THINGS.as_ref().is_some_and(|things| things.is_match(label));
    // "Schulstraße 50" is an address and no label.
    let street = attribute == Attribute::Address && addresses::is_known_street(label);
    (!thing && !street).then_some(attribute)
}

/// Whether a value is one of that attribute, and neither empty nor masked.
pub fn has_value(attribute: Attribute, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || value.contains(['*', '[', '<', '{']) {
        return false;
    }
    match attribute {
        Attribute::Name | Attribute::Given | Attribute::Family => names::in_field(value),
        Attribute::Person => names::grade(value) > names::Grade::Nobody,
        Attribute::Birth => dates::days(&fold(value), true).first().is_some_and(|day| day.may_be_birth()),
        Attribute::Sex => matches!(
            fold(value).trim_end_matches('.'),
            "m" | "v"
                | "f"
                | "k"
                | "w"
                | "x"
                | "man"
                | "vrouw"
                | "mannelijk"
                | "vrouwelijk"
                | "mand"
                | "kvinde"
                | "mann"
                | "kvinne"
                | "kvinna"
                | "male"
                | "female"
                | "mies"
                | "nainen"
                | "mannlich"
                | "weiblich"
                | "divers"
                | "dhr"
                | "de heer"
                | "heer"
                | "mw"
                | "mevr"
                | "mevrouw"
                | "geachte heer"
                | "geachte mevrouw"
                | "herr"
                | "herrn"
                | "frau"
                | "hr"
                | "fru"
                | "mr"
                | "mrs"
                | "ms"
                | "miss"
                | "herra"
                | "rouva"
                | "d"
                | "n"
                | "1"
                | "2"
                | "jongen"
                | "meisje"
        ),
        Attribute::Address => {
            value.chars().filter(|c| c.is_alphanumeric()).count() >= 1 && !fold(value).contains("xxx") && !is_technical(value)
        }
        Attribute::Place => value.chars().filter(|c| c.is_alphanumeric()).count() >= 3 && !fold(value).contains("xxx"),
        Attribute::Business | Attribute::Handler => true,
    }
}

/// An address of the net: of mail, a page, a host, IPv4 or IPv6, perhaps with a port. Nobody lives there.
fn is_technical(value: &str) -> bool {
    let folded = value.to_lowercase();
    if folded.contains('@') || folded.contains("://") || folded.starts_with("www.") {
        return true;
    }
    if folded.contains(|c: char| c.is_whitespace() || !(c.is_ascii_alphanumeric() || ".:-_/[]%".contains(c))) {
        return false;
    }
    let without_port = value.split([':', '/']).next().unwrap_or("");
    let labels: Vec<&str> = without_port.split('.').collect();
    let number = |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    let host = labels.len() >= 2
        && labels.iter().all(|label| !label.is_empty())
        && labels.last().is_some_and(|last| last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_lowercase()));
    labels.len() == 4 && labels.iter().all(number) || host || folded.matches(':').count() >= 2
}

/// What a folded label means in which two neighbouring letters may have changed places: `gebroen`. For columns beside others that are
/// understood.
pub fn of_mistyped_label(folded: &str) -> Option<Attribute> {
    const SHORTEST: usize = 6;
    let letters: Vec<char> = folded.trim().chars().collect();
    let worth = letters.len() >= SHORTEST && letters.iter().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '.' | '-'));
    let swapped = |at: usize| {
        let mut letters = letters.clone();
        letters.swap(at, at + 1);
        of_label(&letters.into_iter().collect::<String>())
    };
    (0..letters.len().saturating_sub(1)).filter(|_| worth).find_map(swapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_net_is_nobodys_home() {
        for value in ["t.bos@x.test", "10.1.1.20", "10.1.1.20:8080", "https://x.test/a b", "www.x.test", "relay01.x.test", "fe80::1"] {
            assert!(!has_value(Attribute::Address, value), "{value}");
        }
        for value in ["Kerkstraat 4", "Hauptstr. 5", "12", "4a", "Kerkstr.4", "1012.AB", "'s-Gravenweg", "Dorpsstraat"] {
            assert!(has_value(Attribute::Address, value), "{value}");
        }
    }

    #[test]
    fn labels_of_nine_languages_are_understood() {
        assert_eq!(PATTERNS.len(), LABELS.len());
        assert!(THINGS.is_some() && ANY.is_some());
        for (label, attribute) in [
            ("Naam", Attribute::Name),
            ("Geboortedatum", Attribute::Birth),
            ("Geb. datum", Attribute::Birth),
            ("Fødselsdato", Attribute::Birth),
            ("Født", Attribute::Birth),
            ("Födelsedatum", Attribute::Birth),
            ("Syntymäaika", Attribute::Birth),
            ("Geburtsdatum", Attribute::Birth),
            ("Date of birth", Attribute::Birth),
            ("Efternamn", Attribute::Family),
            ("Etternavn", Attribute::Family),
            ("voornamen", Attribute::Given),
            ("Køn", Attribute::Sex),
            ("M/V", Attribute::Sex),
            ("Adresse", Attribute::Address),
            ("Straatnaam", Attribute::Address),
            ("Woonplaats", Attribute::Place),
            ("Functie", Attribute::Business),
            ("naam inwoner", Attribute::Person),
            ("Straat 1", Attribute::Address),
            ("Customer name (person)", Attribute::Name),
            ("Naam (organisatie)", Attribute::Business),
        ] {
            assert_eq!(of_label(&fold(label)), Some(attribute), "{label}");
        }
        for label in [
            "Schulstraße 50",
            "Kerkstraat 12",
            "14 Orchard Street",
            "E-mailadres",
            "IP-adres",
            "Gebruikersnaam",
            "Bestandsnaam",
            "Datum",
            "Aantal",
            "Naam applicatie systeem",
            "Servernaam",
        ] {
            assert!(of_label(&fold(label)).is_none_or(|attribute| attribute == Attribute::Business), "{label}");
        }
    }
}
