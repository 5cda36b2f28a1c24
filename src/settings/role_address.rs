//! Addresses of roles and rooms rather than of a person (POLICY "contact"): whoever reads them cannot approve anything.

use crate::identify::fold_name;
use crate::words::EmailAddress;

/// Local parts, folded to plain letters, that are no person: in all of the six languages.
const ROLES: &[&str] = &[
    // Everywhere.
    "info", "information", "mail", "email", "post", "postmaster", "hostmaster", "webmaster", "admin", "administrator", "administration", "root", "abuse",
    "security", "noreply", "donotreply", "mailerdaemon", "bounce", "bounces", "contact", "office", "support", "helpdesk", "servicedesk", "service",
    "services", "help", "desk", "it", "ict", "itsupport", "ictsupport", "ithelpdesk", "icthelpdesk", "itservice", "itservicedesk", "ictservicedesk", "web",
    "website", "portal", "system", "systems", "test", "team", "staff", "all", "everyone", "users", "hello", "enquiries", "inquiries", "privacy", "gdpr", "dpo",
    "hr", "hrm", "finance", "billing", "invoice", "invoices", "sales", "marketing", "press", "media", "communication", "communications", "archive",
    "archives", "reception", "secretary", "secretariat", "callcenter", "frontoffice", "backoffice", "projects", "project", "monitoring", "monitor", "alerts",
    "scanner", "printer", "fax", "newsletter", "council", "customerservice", "customerservices", "customercare", "servicemanagement", "functioneelbeheer",
    // Dutch.
    "gemeente", "stadhuis", "gemeentehuis", "burgerzaken", "publiekszaken", "publiek", "loket", "balie", "receptie", "secretariaat", "secretaris", "griffie",
    "griffier", "bestuur", "college", "raad", "burgemeester", "wethouder", "wethouders", "directie", "administratie", "beheer", "applicatiebeheer",
    "systeembeheer", "netwerkbeheer", "automatisering", "informatisering", "informatiebeheer", "archief", "postkamer", "postregistratie", "facturen",
    "financien", "inkoop", "crediteuren", "debiteuren", "personeel", "communicatie", "pers", "redactie", "webredactie", "klantenservice", "klantcontact",
    "klantcontactcentrum", "kcc", "vergunningen", "belastingen", "belasting", "sociaaldomein", "werkeninkomen", "wmo", "jeugd", "handhaving", "boa", "fg",
    "avg", "meldingen", "klachten", "vragen", "algemeen", "kantoor", "afdeling", "secr", "servicepunt", "meldpunt", "provincie", "waterschap",
    // Danish and Norwegian.
    "kommune", "kommunen", "raadhus", "radhus", "radhuset", "raadhuset", "borgerservice", "borger", "borgmester", "ordforer", "postmottak", "postmodtagelse",
    "hovedpost", "hovedpostkasse", "kontakt", "kundeservice", "kundesenter", "kundecenter", "servicetorg", "servicetorget", "innbyggertorg", "innbyggerservice",
    "sekretariat", "sekretariatet", "forvaltning", "administrasjon", "administrasjonen", "administrationen", "okonomi", "regnskab", "regnskap", "faktura",
    "fakturamottak", "personal", "lonn", "lon", "arkiv", "dokumentsenter", "brukerstotte", "brukerservice", "itavdelingen", "itavdeling", "itafdeling",
    "itafdelingen", "ikt", "iktsupport", "drift", "presse", "kommunikasjon", "kommunikation", "teknik", "teknisk", "bygg", "bygesak", "byggesak", "byggesag",
    "skole", "barnehage", "helse", "sundhed", "social", "jobcenter", "nav", "personvern", "personvernombud", "dataombud", "databeskyttelse", "svarikke",
    "ikkesvar", "reception", "resepsjon", "resepsjonen", "felles", "faelles", "hjelp", "hjaelp", "stotte", "raadmann", "radmann", "fylkeskommune", "region",
    // Swedish.
    "kommun", "stad", "staden", "kundtjanst", "kundcenter", "kontaktcenter", "medborgarservice", "registrator", "diarium", "diariet", "kansli", "kansliet",
    "kommunkansli", "kommunstyrelsen", "kommunstyrelse", "naringsliv", "ekonomi", "fakturor", "loner", "receptionen", "stadshuset", "kommunhuset", "itstod",
    "itsupporten", "itenheten", "itavdelningen", "hjalp", "helpline", "socialtjansten", "socialforvaltningen", "byggnadsnamnden", "miljo", "skola", "vard",
    "omsorg", "dataskydd", "dataskyddsombud", "svarainte", "vaxel", "vaxeln", "funktion", "forvaltningen", "regionen",
    // German.
    "gemeinde", "stadtverwaltung", "verwaltung", "rathaus", "buergerbuero", "burgerburo", "buergerservice", "burgerservice", "buergeramt", "burgeramt",
    "buergermeister", "burgermeister", "oberbuergermeister", "oberburgermeister", "landratsamt", "kreis", "landkreis", "stadt", "amt", "hauptamt", "poststelle",
    "posteingang", "zentrale", "empfang", "vorzimmer", "buero", "buro", "kanzlei", "geschaeftsstelle", "geschaftsstelle", "personalamt", "kasse", "stadtkasse",
    "kaemmerei", "kammerei", "rechnung", "rechnungen", "buchhaltung", "edv", "edvabteilung", "itabteilung", "benutzerservice", "hilfe", "pressestelle",
    "redaktion", "datenschutz", "datenschutzbeauftragter", "ordnungsamt", "standesamt", "bauamt", "sozialamt", "jugendamt", "meldeamt", "einwohnermeldeamt",
    "auslaenderbehoerde", "auslanderbehorde", "anfragen", "anfrage", "nichtantworten", "keineantwort", "archivamt",
    // English.
    "borough", "district", "town", "city", "county", "townhall", "cityhall", "mayor", "clerk", "townclerk", "registrar", "registry", "planning", "housing",
    "benefits", "counciltax", "revenues", "licensing", "parking", "libraries", "library", "schools", "socialcare", "procurement", "payroll", "accounts",
    "correspondence", "mailroom", "general", "generalenquiries", "feedback", "complaints", "foi", "dataprotection", "infosec", "ops", "operations", "servers",
    "network", "networks", "databases", "developers", "webteam", "digital",
];

/// Whether an address is that of a role, a room or a machine, or of the organisation itself.
pub(super) fn is_role(address: &EmailAddress, organisation: &str) -> bool {
    let local = address.local_part();
    // A tag is chosen by whoever writes: info+jan is still info.
    let local = local.split('+').next().unwrap_or_default();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let whole = letters(local);
    let words: Vec<String> = local.split(['.', '-', '_']).map(letters).filter(|word| !word.is_empty()).collect();
    let is_known = |word: &str| ROLES.contains(&word);
    if whole.is_empty() || is_known(&whole) || words.iter().all(|word| is_known(word)) {
        return true;
    }
    let own_domain = address.domain().as_str().split('.').next().map(letters).unwrap_or_default();
    let own_name = letters(&fold_name(organisation));
    let without_kind = own_name_words(organisation);
    [own_domain.as_str(), own_name.as_str(), without_kind.as_str()].contains(&whole.as_str())
}

/// The organisation's name without words such as "gemeente".
fn own_name_words(organisation: &str) -> String {
    let folded = fold_name(organisation);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !ROLES.contains(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(address: &str) -> bool {
        is_role(&address.parse().unwrap(), "Gemeente Waterwolde")
    }

    #[test]
    fn roles_are_refused_in_every_language() {
        for local in ["info", "helpdesk", "Gemeente", "gemeinde", "kommune", "postmaster", "support", "servicedesk", "service-desk", "receptie", "secretariaat", "post",
            "mail", "contact", "admin", "ict", "it", "no-reply", "noreply", "burgerzaken", "burger.zaken", "info2", "ict.helpdesk", "info+jan", "postmottak",
            "kundtjanst", "rathaus", "waterwolde", "gemeentewaterwolde", "gemeente.waterwolde", "4711"] {
            assert!(role(&format!("{local}@waterwolde.example")), "{local}");
        }
    }

    #[test]
    fn people_are_people() {
        for local in ["a.devries", "j.vandam", "i.bakker", "mette.soerensen", "juergen.weiss", "k.stad", "j.post", "jan.info.jansen", "p.de.raad", "vanderpost", "jj", "e.clarke2"] {
            assert!(!role(&format!("{local}@waterwolde.example")), "{local}");
        }
    }
}
