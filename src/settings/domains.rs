//! Domains that cannot be one organisation's own, and domains that look like another's.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::section::Wrong;
use crate::words::Domain;

/// Providers where anybody gets an address: the part before the first dot, whatever the country.
const PUBLIC_BRANDS: &[&str] =
    &["gmail googlemail outlook hotmail live msn passport yahoo ymail rocketmail icloud aol gmx yandex protonmail tutanota zoho \
     fastmail kpnmail kpnplanet ziggo xs4all telenet skynet proximus telia t-online freenet bredband comhem tele2 btinternet \
     virginmedia talktalk telefonica orange laposte mailbox posteo hetnet"];

/// Providers whose name alone would be too wide.
const PUBLIC_DOMAINS: &[&str] = &[
    // International.
    "me.com mac.com proton.me pm.me tuta.io tuta.com mail.com email.com inbox.com mail.ru usa.net duck.com mailinator.com \
     hushmail.com zohomail.com zohomail.eu runbox.com",
    // Netherlands and Belgium.
    "planet.nl home.nl casema.nl chello.nl quicknet.nl upcmail.nl zonnet.nl zeelandnet.nl wxs.nl kpn.nl online.nl tiscali.nl \
     versatel.nl solcon.nl caiway.nl caiway.net delta.nl freedom.nl hccnet.nl het-net.nl scarlet.be pandora.be voo.be belgacom.net \
     onsbrabantnet.nl kabelfoon.nl filternet.nl",
    // Denmark.
    "mail.dk jubii.dk ofir.dk tdcadsl.dk tdcspace.dk stofanet.dk youmail.dk webspeed.dk post.tele.dk fibermail.dk privat.dk \
     mail.tele.dk post11.tele.dk email.dk sol.dk",
    // Norway.
    "online.no broadpark.no lyse.net altibox.no getmail.no frisurf.no start.no chello.no c2i.net ebnett.no loqal.no haugnett.no \
     nextgentel.no bbnett.no",
    // Sweden and Finland.
    "spray.se passagen.se home.se bahnhof.se ownit.nu glocalnet.net swipnet.se algonet.se bostream.nu luukku.com kolumbus.fi \
     elisanet.fi saunalahti.fi welho.com suomi24.fi pp.inet.fi netti.fi",
    // Germany and Austria.
    "web.de arcor.de 1und1.de online.de vodafone.de vodafonemail.de kabelmail.de netcologne.de ewetel.net email.de mail.de \
     onlinehome.de aon.at chello.at a1.net",
    // Great Britain and Ireland.
    "sky.com ntlworld.com blueyonder.co.uk tiscali.co.uk plus.com plusnet.com eircom.net iol.ie ee.co.uk mail.co.uk o2.co.uk \
     btopenworld.com",
];

/// Norwegian public suffixes that are no place: nobody's mail domain. The many others under .no are names of places, and a municipality may
/// well receive mail there.
const NORWEGIAN_SUFFIXES: &[&str] =
    &["kommune.no herad.no stat.no dep.no mil.no fhs.no folkebibl.no fylkesbibl.no idrett.no museum.no priv.no vgs.no co.no \
     uenorge.no"];

/// What is wrong with a domain as an organisation's own.
pub(super) enum Objection {
    /// It cannot be.
    Refused(Wrong),
    /// It may be, but hardly is.
    Doubtful(Wrong),
}

/// Whether a domain can be one organisation's own.
pub(super) fn objection(domain: &Domain) -> Option<Objection> {
    let name = domain.as_str();
    if is_public_mail(name) {
        return Some(Objection::Refused(Wrong::new(
            format!("`{name}` is a public mail provider, where anybody gets an address"),
            "List the organisation's own domain; a person who writes from a provider can be listed as a [[contact]].",
        )));
    }
    if psl::domain_str(name).is_some() {
        return None;
    }
    let wrong = Wrong::new(
        format!("`{name}` is a public suffix: many organisations have their domains below it"),
        "List the organisation's own domain, one label longer.",
    );
    let names_a_place =
        name.ends_with(".no") && !listed(NORWEGIAN_SUFFIXES, name) && name.split('.').next().is_some_and(|label| label.len() > 2);
    Some(if names_a_place { Objection::Doubtful(wrong) } else { Objection::Refused(wrong) })
}

/// Whether anybody can get an address at this domain or at one above it.
pub(super) fn is_public_mail(name: &str) -> bool {
    let registrable = psl::domain_str(name).unwrap_or(name);
    let brand = registrable.split('.').next().unwrap_or_default();
    // gmail.com, hotmail.nl, yahoo.co.uk; not live.gemeente.nl.
    listed(PUBLIC_BRANDS, brand) || listed(PUBLIC_DOMAINS, registrable) || listed(PUBLIC_DOMAINS, name)
}

fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|names| names.split_ascii_whitespace().any(|listed| listed == name))
}

/// What a reader takes a domain for: equal for two domains that look alike (a Cyrillic а for a Latin one, 0 for o, rn for m, é for e).
pub(super) fn look(domain: &Domain) -> String {
    let (unicode, _) = idna::domain_to_unicode(domain.as_str());
    let mut look = String::with_capacity(unicode.len());
    for c in unicode.nfkd().filter(|c| !is_combining_mark(*c)) {
        look.push(match c {
            'а' | 'ɑ' | 'α' => 'a',
            'в' | 'ь' => 'b',
            'с' | 'ϲ' => 'c',
            'ԁ' => 'd',
            'е' | 'ҽ' | 'ε' => 'e',
            'ɡ' => 'g',
            'һ' => 'h',
            'і' | 'ı' | 'ι' | 'l' | '1' => 'i',
            'ј' => 'j',
            'к' | 'κ' => 'k',
            'м' => 'm',
            'п' | 'η' => 'n',
            'о' | 'ο' | 'ø' | '0' | 'σ' => 'o',
            'р' | 'ρ' => 'p',
            'ԛ' => 'q',
            'г' => 'r',
            'ѕ' | '5' => 's',
            'т' | 'τ' => 't',
            'υ' | 'ц' => 'u',
            'ν' | 'ѵ' => 'v',
            'ԝ' | 'ω' => 'w',
            'х' | 'χ' => 'x',
            'у' | 'γ' => 'y',
            c => c,
        });
    }
    look.replace("rn", "m").replace("vv", "w").replace('ß', "ss").replace('æ', "ae").replace('œ', "oe")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Domain {
        text.parse().unwrap()
    }

    #[test]
    fn nobody_owns_a_public_provider_or_a_public_suffix() {
        for name in [
            "gmail.com",
            "hotmail.nl",
            "Outlook.com",
            "kpnmail.nl",
            "ziggo.nl",
            "live.nl",
            "yahoo.co.uk",
            "web.de",
            "gmx.net",
            "online.no",
            "telia.com",
            "mail.dk",
            "icloud.com",
            "t-online.de",
            "telia.se",
            "sub.gmail.com",
        ] {
            assert!(matches!(objection(&d(name)), Some(Objection::Refused(_))), "{name}");
        }
        for name in ["co.uk", "gov.uk", "kommune.no"] {
            assert!(matches!(objection(&d(name)), Some(Objection::Refused(_))), "{name}");
        }
    }

    #[test]
    fn an_organisations_own_domain_is_fine() {
        for name in [
            "voorbeeldstad.nl",
            "bodo.kommune.no",
            "brookham.gov.uk",
            "nordhavn.dk",
            "live.voorbeeldstad.nl",
            "waterwolde.example",
            "ict.waterwolde.example",
            "gemeente.test",
            "strandköping.se",
            "homestead.nl",
        ] {
            assert!(objection(&d(name)).is_none(), "{name}");
        }
    }

    #[test]
    fn domains_that_look_alike_have_one_look() {
        for (one, other) in [
            ("voorbeeldstad.nl", "voorbeе1dstad.nl"),
            ("modern.dk", "modem.dk"),
            ("strandköping.se", "strandkoping.se"),
            ("b0d0.no", "bodø.no"),
        ] {
            assert_eq!(look(&d(one)), look(&d(other)), "{one} {other}");
        }
        assert_ne!(look(&d("waterwolde.nl")), look(&d("waterwoude.nl")));
    }
}
