//! Names of people in text.
//!
//! A name alone is nothing: it counts beside a second attribute only. So this errs on the strict side in running text and is
//! generous where a header or label says that a name stands there.

use crate::screen::fold::fold;
use regex::Regex;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Common given names, folded.
const GIVEN: &str = "jan piet klaas kees henk hans peter paul joost joris wim willem wouter bart tim tom tim mark marc erik eric rob robert ruud gerrit gert hendrik cornelis johannes jacob jacobus adriaan anton antoon dirk frank frans fred freek gijs guus harm jeroen jasper jelle jesse johan jos karel lars leo luuk maarten martijn matthijs michiel niels nico onno pieter rene remco richard rik ronald sander sjoerd stefan teun theo thijs thomas tijmen vincent arjan bas bram daan finn noah lucas levi luca mees sem milan james liam adam sam ruben \
anna anne annie anja anke annemarie annelies astrid bea bep bianca carla carolien caroline corrie daphne diana elisabeth ellen els elly emma esther eva femke fleur floor frederique froukje fatima fatma greet gerda hanneke hannah heleen helena hennie ilse ine ineke inge ingrid irene iris jacqueline janneke jantine jeanette jessica johanna jolanda josien julia karin kim lara laura lea leonie lia lies lieke linda lisa lotte louise lucia maaike maria mariska marja marijke marjan marleen marloes marieke mieke mila miriam monique nadia nel nicole noor olivia patricia petra renate rianne riet ria roos sabine sandra sanne sara sarah saskia silvia simone sofie sophie suzanne sylvia tess tessa tineke truus vera wendy willemien willy yvonne zoe \
mohammed mohamed muhammad ahmed ali hassan ibrahim mustafa mehmet omar youssef yusuf samira aisha khadija layla amina zeynep elif emine hatice fatih murat karim rachid said nora noura salma yasmin \
lars jens soren niels mads mikkel rasmus kasper kristian christian anders henrik morten martin jorgen ole poul per preben svend torben thomas ulrik viggo villads william victor oscar oskar emil frederik magnus malthe noah alfred carl karl aksel axel august valdemar bent bjarne bo claus finn flemming hanne birgitte birthe bodil camilla cecilie charlotte christina dorthe elin ella else freja frida gitte grethe helle ida inger ingeborg josefine jytte karen kirsten kirstine lene line lis lise lone maja maren margrethe marianne marie mathilde merete mette mia mie nanna pernille pia rikke signe sofie solveig susanne tina tove trine tuva ulla vibeke alma agnes asta clara \
kari ola nils olav kjell knut odd arne bjorn geir gunnar harald haakon ivar jon kare kristoffer leif oddvar oystein oyvind rolf roar sigurd sindre stein svein terje tor tore torstein trond trygve vegard astri aud berit bente bjorg borghild eli eldbjorg gerd gro grete guro gudrun hege heidi hilde ingunn ingvild jorunn kjersti kristin liv magnhild marit oddny ragnhild randi reidun rigmor silje siri siv sissel sigrid synnove thea toril torunn turid unni wenche aase ase \
erik sven nils gustav gustaf johan bengt bertil bo borje christer dan daniel david elias emil fredrik goran hakan hugo jan joakim jonas kent kjell lennart linus ludvig magnus mats mattias michael mikael olle olof ove oskar patrik per pontus ragnar robin roger rune simon stefan sten stig sture tage tobias tommy ulf urban viktor yngve annika asa barbro birgit birgitta britt carina caroline ebba elin elsa emelie erika eva felicia gun gunilla hanna helena ingela jenny johanna josefin karin katarina kerstin klara kristina lena linnea lisbeth lovisa maj malin margareta matilda moa monica ronja sofia stina svea therese tilda tyra ulrika viola wilma ylva \
matti juha timo kari mikko antti jari jukka pekka markku heikki hannu esa seppo ilkka petri sami marko ville janne tero teemu tapio juhani olavi antero kalevi eino onni vaino eero leevi toivo aino maria helena johanna anneli kaarina marjatta hannele kristiina liisa tuula ritva leena pirjo sari minna paivi tiina satu merja riitta eeva kirsi laura jenni emilia sanna hanna heli outi venla aada eevi \
jurgen jorg wolfgang heinz helmut klaus dieter manfred uwe gunter gunther horst werner karl heinrich hermann ernst otto friedrich walter rainer bernd bernhard thorsten torsten matthias sebastian florian tobias alexander andreas christoph dirk dominik fabian felix georg gerhard hannes holger ingo joachim jochen johannes julian kai kevin konstantin lukas ludwig marcel marco marcus markus maximilian max moritz norbert oliver patrick philipp ralf reinhard roland rudolf stephan steffen sven swen tim udo ulrich volker ursula renate monika helga gisela ingrid erika christa elke brigitte gabriele angelika barbara birgit claudia cornelia dagmar doris edith elfriede gertrud hannelore heike hildegard ilona irmgard ines jana jutta katharina katrin kathrin kerstin lieselotte manuela margarete margot martina melanie nadine petra sabine sandra silke sigrid stefanie steffi susanne sybille tanja ulrike ute vanessa waltraud \
james john david michael william robert richard joseph thomas charles christopher daniel matthew anthony mark donald steven andrew paul joshua kenneth kevin brian george timothy ronald jason edward jeffrey ryan jacob gary nicholas jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick jack harry oliver alfie archie freddie stanley arthur albert ernest harold norman gordon graham nigel keith barry trevor ian neil colin derek clive malcolm stuart craig liam sean connor declan patrick niall eoin cian fionn padraig mary patricia jennifer linda elizabeth barbara susan jessica sarah karen nancy lisa margaret betty dorothy sandra ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura helen amy anna emma olivia amelia isla ava grace freya poppy charlotte florence doris edith gladys ethel joan jean sheila maureen brenda janet pauline jacqueline tracey sharon julie claire nicola samantha gemma siobhan aoife niamh ciara orla sinead roisin bridget";

/// Common family names, folded.
const FAMILY: &str = "jansen janssen vries berg bakker dijk visser smit meijer meyer boer mulder groot bos vos peters hendriks leeuwen dekker brouwer wit dijkstra smits graaf meer linden kok jacobs haan vermeulen heuvel veen broek bruijn bruin schouten beek willems vliet hoekstra verhoeven koster prins huisman peeters kuiper kramer postma molenaar scholten post martens jong yilmaz ozturk kaya demir maas willemsen kuipers bosch hermans schipper vink blom wolters bakel hoeven postema ruiter gerritsen sanders veenstra timmermans groen jonker simons zwart boersma driessen hofman peeters goossens maes mertens claes wouters dubois lambert dupont martin \
nielsen jensen hansen pedersen andersen christensen larsen sorensen rasmussen jorgensen petersen madsen kristensen olsen thomsen christiansen poulsen johansen moller mortensen knudsen holm schmidt lund iversen eriksen jakobsen lauridsen dahl frandsen johansson bach friis vestergaard kjaer \
haugen hagen berge bakken lie nilsen kristiansen karlsen johnsen pettersen solberg moen halvorsen strand eide jacobsen fredriksen ness nygard svendsen lunde aas berntsen nordmann bo dahle hauge \
andersson karlsson nilsson eriksson larsson olsson persson svensson gustafsson pettersson jonsson jansson hansson bengtsson jonsson lindberg jakobsson magnusson olofsson lindstrom lindqvist lindgren axelsson berglund lundberg lundgren mattsson berggren nyberg sjoberg sandberg bergstrom holmberg wallin ek lindholm soderberg \
korhonen virtanen makinen nieminen makela hamalainen laine heikkinen koskinen jarvinen lehtonen lehtinen saarinen salminen heinonen niemi heikkila kinnunen salonen turunen salo laitinen tuominen rantanen karjalainen jokinen mattila savolainen \
muller schneider fischer weber wagner becker schulz hoffmann schafer koch bauer richter klein wolf schroder neumann schwarz zimmermann braun kruger hofmann hartmann lange schmitt werner krause meier lehmann schmid schulze maier kohler herrmann konig walter mayer huber kaiser fuchs lang scholz moller weiss jung hahn vogel schubert roth beck lorenz baumann franke albrecht winter ludwig kraus vogt stein sommer gross haas \
smith jones taylor brown williams wilson johnson davies robinson wright thompson evans walker white roberts green hall wood jackson clarke patel khan lewis harris martin cooper king lee baker harrison morgan allen scott turner hill ward moore clark edwards hughes hussain begum ali ahmed murphy kelly sullivan walsh obrien byrne ryan oconnor oneill reilly doyle mccarthy gallagher doherty kennedy lynch murray quinn";

static GIVEN_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| GIVEN.split_whitespace().collect());
static FAMILY_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| FAMILY.split_whitespace().collect());

/// What stands between given and family name.
const PARTICLES: [&str; 26] = [
    "van", "de", "der", "den", "het", "ter", "ten", "te", "el", "al", "ben", "bin", "von", "vom", "zu", "zum", "zur", "af", "av", "la",
    "le", "du", "di", "da", "in", "'t",
];

/// Words before a name.
const TITLES: [&str; 28] = [
    "dhr", "heer", "mevr", "mevrouw", "mw", "meneer", "hr", "herr", "herrn", "frau", "fru", "fam", "familie", "mr", "mrs", "ms", "miss",
    "mister", "burger", "borger", "inwoner", "client", "rouva", "herra", "monsieur", "madame", "mme", "mlle",
];

/// Words of organisations: what they stand beside is no person.
static ORGANISATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:gemeente|gemeentehuis|stadhuis|raadhuis|provincie|waterschap|ministerie|rijksdienst|dienst|kommune|kommunen|kommun|kommunens|kunta|kunnan|kaupunki|radhus|radhuset|stad|stadt|rathaus|landkreis|kreis|landratsamt|gemeinde|(?:verbands|samt|orts|markt)gemeinde|bezirk|fylkeskommune|municipality|commune|council|borough|town hall|city of",
        r"|b\.?v\.?|n\.?v\.?|g?mb ?h|ohg|e\.v|v\.o\.f|vof|a/s|ap ?s|asa|s\.?r\.?l|s\.p\.r\.l|sarl|asbl|vzw|[a-z]{3,} ab|oyj?|ltd|llp|limited|inc|plc|stichting|vereniging|school|basisschool|skole|skolen|skola|skolan|schule|university|universiteit|hogeschool|ziekenhuis|hospital|sykehus|sygehus",
        r"|kantoor|afdeling|department|avdeling|avdelning|enhet|forvaltning|forvaltningen|abteilung|amt|team|postbus|postboks|postfach|box|support|helpdesk|servicedesk|bank|hotel|restaurant|winkel|bibliotheek|bibliotek|museum|kvk|cvr|btw|vat)\b"
    ))
    .ok()
});

/// Trades and houses that carry their owner's name.
static TRADE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:cafe|bakkerij|slagerij|garage|autobedrijf|bouwbedrijf|schildersbedrijf|installatiebedrijf|kapsalon|apotheek|huisartsenpraktijk|praktijk|praxis|advocaten|notariaat|makelaars?|transport|consultancy|holding|groep|groenvoorziening",
        r"|[a-z]*(?:bedrijf|bedrijven|techniek|bouw|handel|beheer|advies|verhuur|montage|diensten|entreprenor|byg|bygg|teknikk?|elektro|konsult|radgivning)|[a-z]*(?:bau|technik|dienstleistungen|rakennus|palvelut|huolto|urakointi|kuljetus)|construction|solutions|systems|consulting|engineering|plumbing|associates|renovation|electricite|batiment|apotek|tandlaege|laegehuset|vvs|maleri|bygg|akeri|frisor|rorlegger|butikk|forskola|barnehage|bornehave|paivakoti|apteekki|backerei|apotheke|kindergarten|feuerwehr|bakery|surgery|nursery|services|stores|trust|housing association|primary|academy)\b"
    ))
    .ok()
});

/// Houses where people are at work: an address or name beside these, or beside the offices that people hold, is one of business.
static TOWN_HALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:raad|stad|gemeente|provincie)hui[sz]|\bradhus|\bstadshus|\bradman|\brathaus|town ?hall|civic (?:centre|office)|guildhall|council (?:house|offices)|kommunehus|\bkunnantalo|kaupungintalo|virastotalo|\bstadskontor",
        r"|\bhotel de ville|\bmairie|maison communale"
    ))
    .ok()
});

/// The offices that people hold there.
static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:griffier|griffie|burgemeester|wethouder|gemeentesecretaris|secretaris|voorzitter|notulist|ambtenaar|directeur|projectleider|coordinator|consulent|notaris|advocaat",
        r"|borgmester|borgmesteren|kommunaldirektor|radmann|ordforer|sekretaer|formand|radgiver|konsulent|leder|fagleder|enhetsleder|avdelningschef|enhetschef|kommunchef|ordforande|namndsekreterare|handlaggare",
        r"|burgermeister|burgermeisterin|sachbearbeiter|sachbearbeiterin|dezernent|amtsleiter|mayor|clerk|chief executive|officer|kunnanjohtaja|kaupunginjohtaja|sihteeri|puheenjohtaja|attn|t\.a\.v|z\. ?hd|\batt)\b"
    ))
    .ok()
});

/// Whether folded text speaks of a town hall or the like.
pub fn is_town_hall(folded: &str) -> bool {
    TOWN_HALL.as_ref().is_some_and(|pattern| pattern.is_match(folded))
}

/// Whether folded text speaks of an office: a town hall, a clerk.
pub fn is_office(folded: &str) -> bool {
    is_town_hall(folded) || ROLE.as_ref().is_some_and(|pattern| pattern.is_match(folded))
}

/// Whether folded text speaks of an organisation.
pub fn is_organisation(folded: &str) -> bool {
    ORGANISATION.as_ref().is_some_and(|pattern| pattern.is_match(folded))
}

/// Whether a word begins with a capital and is of letters.
fn is_capitalised(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase)
        && chars.clone().count() >= 1
        && chars.all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'))
}

/// `J.`, `J.P.`, `Th.`: capitals with points.
fn is_initials(word: &str) -> bool {
    word.ends_with('.')
        && word.split_terminator('.').all(|part| {
            (1..=2).contains(&part.chars().count())
                && part.chars().next().is_some_and(char::is_uppercase)
                && part.chars().all(char::is_alphabetic)
        })
}

fn is_given(word: &str) -> bool {
    is_capitalised(word) && fold(word).split([' ', '-']).any(|part| GIVEN_NAMES.contains(part))
}

fn is_family(word: &str) -> bool {
    if !is_capitalised(word) {
        return false;
    }
    let folded = fold(word).replace(' ', "");
    folded.split('-').any(|part| FAMILY_NAMES.contains(part))
        || folded.len() >= 6
            && ["sen", "sson", "stra", "inga", "mans", "gaard", "qvist", "strom", "nen", "huis", "veld"]
                .iter()
                .any(|ending| folded.ends_with(ending))
}

/// One name in a line: from which word to which, and how sure.
fn find(words: &[&str]) -> Option<(usize, usize)> {
    for (at, word) in words.iter().enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '.');
        let plain = bare.trim_matches('.');
        // The family name after particles.
        let family = |mut next: usize| {
            while words.get(next).is_some_and(|word| {
                PARTICLES.contains(&fold(word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'')).as_str())
                    || is_initials(word)
                    || word.len() == 1 && word.chars().all(char::is_uppercase)
            }) {
                next += 1;
            }
            words.get(next).map(|word| (next, word.trim_matches(|c: char| !c.is_alphabetic())))
        };
        if TITLES.contains(&fold(plain).as_str()) {
            if let Some((end, name)) = family(at + 1)
                && is_capitalised(name)
                && name.chars().count() > 2
            {
                return Some((at, end));
            }
        } else if is_initials(bare) {
            if let Some((end, name)) = family(at + 1)
                && is_capitalised(name)
                && name.chars().count() > 2
                && !is_organisation(&fold(name))
            {
                return Some((at, end));
            }
        } else if is_given(plain) && !word.ends_with(['.', ':', ';']) {
            // A second given name, then the family name.
            let mut next = at + 1;
            if words.get(next).is_some_and(|word| is_given(word.trim_matches(',')))
                && words.get(next + 1).is_some_and(|word| is_capitalised(word.trim_matches(|c: char| !c.is_alphabetic())))
            {
                next += 1;
            }
            if !word.ends_with(',')
                && let Some((end, name)) = family(next)
                && is_capitalised(name)
                && !is_organisation(&fold(name))
            {
                return Some((at, end));
            }
        } else if word.ends_with(',') && is_capitalised(plain) {
            // `Jansen, P.`, `Vries, Anna de`
            if let Some(next) = words.get(at + 1)
                && (is_initials(next) || is_given(next.trim_matches(|c: char| !c.is_alphabetic())))
            {
                return Some((at, at + 1));
            }
        }
    }
    None
}

/// Whether a line of running text names a person for sure.
pub fn in_text(text: &str) -> bool {
    if !text.contains(|c: char| c.is_uppercase()) {
        return false;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '(' | ')' | '/' | '"' | '<' | '>' | '=' | ':'))
        .filter(|word| !word.is_empty())
        .take(400)
        .collect();
    find(&words).is_some()
}

/// Whether text may name a person where something else (the word "born") says that one stands there: any name, or two capitalised words
/// in a row that are no organisation.
pub fn perhaps_in_text(text: &str) -> bool {
    if in_text(text) {
        return true;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '(' | ')' | '/' | '"' | ':'))
        .filter(|word| !word.is_empty())
        .collect();
    let pair = words.windows(2).any(|pair| pair.iter().all(|word| is_capitalised(word) && word.chars().count() > 1));
    let joined = (0..words.len()).any(|at| {
        let after = words.iter().skip(at + 1).find(|word| !is_particle(word));
        words.get(at).is_some_and(|word| is_capitalised(word))
            && words.get(at + 1).is_some_and(|word| is_particle(word))
            && after.is_some_and(|word| is_capitalised(word))
    });
    (pair || joined) && !is_organisation(&fold(text)) || words.iter().any(|word| is_family(word) || is_given(word))
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word.to_lowercase().as_str())
}

/// Whether text is nothing but a name: two to five capitalised words, initials and particles, the first and last capitalised.
pub fn only_in(text: &str) -> bool {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ':'))
        .map(|word| word.trim_matches(['-', '*', '•', '–', '>']))
        .filter(|word| !word.is_empty())
        .collect();
    let named = |word: &&str| is_capitalised(word) || is_initials(word);
    (2..=5).contains(&words.len())
        && words.iter().all(|word| named(word) || is_particle(word))
        && (words.first().is_some_and(named) || words.len() > 2)
        && words.last().is_some_and(named)
        && words.iter().filter(|word| named(word)).count() >= 2
}

/// `Tariq van der Stouveer`: only people have two particles between capitals.
static WITH_PARTICLES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[ ,:;(])\p{Lu}\p{L}*\.? (?:van (?:der|den|de|het)|von der|de la) \p{Lu}\p{L}+$").ok());

/// Whether text ends with a person's name: what stands right before a date.
pub fn at_end(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| !c.is_alphabetic() && c != '.');
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '(' | ')' | ':' | '\t'))
        .filter(|word| !word.is_empty())
        .collect();
    let last = words.get(words.len().saturating_sub(5)..).unwrap_or(&[]);
    WITH_PARTICLES.as_ref().is_some_and(|pattern| pattern.is_match(text))
        || (0..last.len()).any(|from| last.get(from..).and_then(find).is_some_and(|(_, end)| from + end + 1 == last.len()))
        || last.len() >= 2
            && last
                .windows(2)
                .last()
                .is_some_and(|pair| pair.iter().all(|word| is_capitalised(word)) && pair.iter().any(|word| is_family(word)))
}

/// "Zoek op 123456782, dat is Evert Kalkdam": who a number is said to be.
static SAID_TO_BE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:(?i:dat|dit) is|(?i:that|this|it) is|(?i:det) (?:er|är)|(?i:das) ist|(?i:se) on|(?i:c['’]est)) (?P<who>\p{Lu}[\p{L}'’.-]*(?: [\p{L}'’-]+){0,3} \p{Lu}[\p{L}'’-]+)").ok()
});

/// Whether a line says of something that it is somebody.
pub fn says_who(text: &str) -> bool {
    let who = SAID_TO_BE.as_ref().and_then(|said| said.captures(text)).and_then(|found| found.name("who"));
    who.is_some_and(|who| grade(who.as_str()) >= Grade::Shaped)
}

/// Whether the words of a file's name include a person's: names are all there is room for, so a family name alone is one.
pub fn in_file_name(words: &str) -> bool {
    let split: Vec<&str> =
        words.split(|c: char| c.is_whitespace() || matches!(c, '-' | ',' | '.')).filter(|word| !word.is_empty()).collect();
    in_text(words) || split.iter().any(|word| is_family(word) || is_given(word))
}

/// Whether a word of a file's name may be a person's, where the word "born" says that one stands there.
pub fn perhaps_in_file_name(words: &str) -> bool {
    words.split([' ', '-', ',', '.']).any(|word| word.len() > 3 && grade(word) >= Grade::Possible)
}

/// Words and endings of buildings, places and devices, which have names and addresses too.
static THING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:hal|hallen|bad|bassin|skolen|skole|skola|skolan|koulu|school|schule|haus|huset|gebouw|gebaude|centrum|zentrum|center|centre|centret|station|kazerne|depot|kantoor|bygning|garten|garden|haven|hallene?|hage|hagen|hjemmet|plassen|pladsen|koti|talo|asema)\b",
        r"|\b(?:werf|huis|hus|kerk|kirke|kirche|church|park|plein|hof|kamer|zaal|sal|saal|hall|room|library|loket|balie|brug|bro|bru|brucke|bridge|sluis|gemaal|haven|begraafplaats|kerkhof|friedhof|kirkegard|wijk|buurt|dorp|molen|theater|kirjasto",
        r"|printer|server|relay|router|switch|scanner|camera|pomp|locatie|location|lokation|standort|site|vestiging|filiaal|college|lyceum|kita|ihuis|opvang|creche|museum|stadion|pool|nord|noord|zuid|oost|noorderkwartier|unit|kavel|perceel)\b"
    ))
    .ok()
});

/// How much a field, cell or line that holds nothing else looks like the name of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Empty, masked, an organisation, a building, a sentence.
    #[default]
    Nobody,
    /// One capitalised word, or an article and a word: a family's name, or a house's.
    Possible,
    /// The form of a name (`Ngozi Adeyemi`).
    Shaped,
    /// A title, initials, or a known given or family name.
    Sure,
}

/// Forms of companies that are words of other meanings in small letters.
const FORMS_OF_COMPANIES: [&str; 6] = [" AS", " AB", " AG", " KG", " SA", " UG"];

/// Grades what a name's place holds. Buildings and companies have names and addresses too.
pub fn grade(value: &str) -> Grade {
    let folded = fold(value);
    let trade = FORMS_OF_COMPANIES.iter().any(|form| value.ends_with(form)) || TRADE.as_ref().is_some_and(|trade| trade.is_match(&folded));
    if !in_field(value) || is_office(&folded) || trade {
        return Grade::Nobody;
    }
    let capitals: String = if value.contains(char::is_uppercase) {
        value.to_owned()
    } else {
        // Exports in small letters.
        value
            .split_inclusive([' ', '-'])
            .map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>())
            .collect()
    };
    if in_text(&capitals) {
        return Grade::Sure;
    }
    // `Detlev von Wohlhaus`: what follows a particle may be called after a house.
    let head = folded.split([' ', ',']).next().unwrap_or("");
    let with_particle = capitals.split_whitespace().nth(1).is_some_and(|word| matches!(word, "van" | "von" | "af" | "av"));
    if THING.as_ref().is_some_and(|thing| thing.is_match(if with_particle { head } else { &folded })) {
        return Grade::Nobody;
    }
    let words: Vec<&str> = capitals.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect();
    if words.len() <= 5 && words.iter().any(|word| is_family(word) || is_given(word)) {
        return Grade::Sure;
    }
    match words.as_slice() {
        [word] if is_capitalised(word) && word.chars().count() >= 3 => Grade::Possible,
        [article, word] if matches!(fold(article).as_str(), "de" | "het" | "'t" | "den" | "det" | "die" | "das" | "the") => {
            if is_capitalised(word) {
                Grade::Possible
            } else {
                Grade::Nobody
            }
        }
        _ if only_in(&capitals) => Grade::Shaped,
        _ => Grade::Nobody,
    }
}

/// Whether text ends with a whole name behind small words: "Vi kan ikke finde Rasmine Tornlev". After an article it is a thing, unless the
/// name is known.
pub fn whole_at_end(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let named = words.iter().rev().take_while(|word| is_capitalised(word) || is_initials(word) || is_particle(word)).count();
    let name = words.get(words.len() - named..).unwrap_or(&[]);
    let article = name.len() < words.len() && words.get(words.len() - named - 1).is_some_and(|word| ARTICLES.contains(word));
    // A particle that begins it belongs to what stands before: "de aanvraag van Faysa Noordergraf".
    let first = name.iter().position(|word| !is_particle(word)).unwrap_or(name.len());
    let article = article || name.get(..first).unwrap_or(&[]).iter().any(|word| ARTICLES.contains(word));
    let least = if article { Grade::Sure } else { Grade::Shaped };
    let whole = name.get(first..).unwrap_or(&[]);
    whole.len() >= 2 && grade(&whole.join(" ")) >= least
}

/// "Le dossier de Quentin Grosville": French has the same word for what is somebody's as Dutch has before a thing.
static OF_SOMEBODY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:dossier|demande|inscription|adresse|situation|enfants?|famille|parents|mere|pere|conjointe?|facture|plainte|nom|domicile|demenagement) d[e']$").ok()
});

/// Words before a thing.
const ARTICLES: [&str; 20] =
    ["de", "het", "een", "'t", "den", "der", "die", "das", "dem", "des", "im", "am", "beim", "zum", "zur", "ein", "the", "det", "en", "et"];

/// Whether text ends with what may be somebody's name: small words, then one or two capitalised ones that are nothing else
/// ("de aanvraag van Oudshoorn"). After an article it is a thing, unless the name is known.
pub fn perhaps_at_end(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let name = words.iter().rev().take_while(|word| is_capitalised(word)).count();
    let Some(first) = words.len().checked_sub(name).filter(|first| *first > 0 && (1..=3).contains(&name)) else { return false };
    let of_somebody = name > 1 && OF_SOMEBODY.as_ref().is_some_and(|of| of.is_match(&fold(&words.get(..first).unwrap_or(&[]).join(" "))));
    let introduced = words.get(first - 1).filter(|word| word.chars().all(|c| c.is_lowercase() || matches!(c, '.' | '\'')));
    let least = introduced.map(|word| match () {
        () if of_somebody => Grade::Shaped,
        () if ARTICLES.contains(word) => Grade::Sure,
        () => Grade::Possible,
    });
    least.is_some_and(|least| grade(&words.get(first..).unwrap_or(&[]).join(" ")) >= least)
}

/// Whether a cell or field that is labelled as a name holds a person's: letters, no mask, no placeholder, no organisation.
pub fn in_field(value: &str) -> bool {
    let value = value.trim();
    let folded = fold(value);
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let masked = value.contains(['*', '#', '[', '<', '{', '…', '@', '_', '?']) || folded.contains("xx") || folded.contains("...");
    const PLACEHOLDERS: [&str; 14] = [
        "naam",
        "name",
        "navn",
        "namn",
        "nimi",
        "voornaam",
        "achternaam",
        "onbekend",
        "ukendt",
        "ukjent",
        "unknown",
        "n.v.t.",
        "nvt",
        "leeg",
    ];
    letters >= 1
        && value.chars().count() <= 60
        && value.chars().filter(char::is_ascii_digit).count() <= 1
        && !masked
        && !PLACEHOLDERS.contains(&folded.as_str())
        && !is_organisation(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_other_capitals() {
        for text in [
            "de heer J. Jansen belde",
            "Mevrouw De Vries",
            "J.P. van den Berg",
            "Anna Visser",
            "Mette Sørensen",
            "Jansen, P.",
            "contact Kari Nordmann Bø",
            "Frau Müller",
        ] {
            assert!(in_text(text), "{text}");
        }
        for text in [
            "Gemeente Waterwolde",
            "Microsoft Windows Server",
            "De import van vandaag",
            "Team Burgerzaken",
            "Office 365",
            "versie 2.1",
            "Basisregistratie Personen",
        ] {
            assert!(!in_text(text), "{text}");
        }
        assert!(at_end("betreft P. Jansen, ") && at_end("Jan de Vries (") && !at_end("vergadering van "));
        assert!(in_field("Jansen") && in_field("P.") && !in_field("***") && !in_field("Gemeente X") && !in_field("[naam]"));
    }

    #[test]
    fn buildings_are_told_from_people() {
        for name in [
            "Jansen",
            "jansen",
            "A. Onbekend",
            "Ngozi Adeyemi",
            "ngozi adeyemi",
            "JANSEN",
            "J Bakker",
            "Jan van der Werf",
            "El Khatib, Noor",
        ] {
            assert!(grade(name) >= Grade::Shaped, "{name}");
        }
        for name in ["Oudshoorn", "OUDSHOORN", "De Klimop", "Biblioteket"] {
            assert_eq!(grade(name), Grade::Possible, "{name}");
        }
        for name in [
            "Sporthal De Eik",
            "Bakkeskolen",
            "Zwembad Zuid",
            "Bürgerhaus Nord",
            "Freibad",
            "Werf Noord",
            "Printer Balie",
            "Mail Relay",
            "Bakkerij Smit",
            "Kvamme Transport AS",
            "Ostenfeldt Handel GmbH",
            "Tofte Holm ApS",
            "Beaumont Rieux SA",
            "de griffier",
            "",
            "*****",
        ] {
            assert_eq!(grade(name), Grade::Nobody, "{name}");
        }
        assert!(perhaps_at_end("De aanvraag van Oudshoorn") && perhaps_at_end("til Åshild Kvamme"));
        assert!(whole_at_end("Vi kan ikke finde Rasmine Tornlev") && whole_at_end("de aanvraag van Faysa Noordergraf"));
        assert!(!whole_at_end("volgens de Nieuwe Huisstijl") && !whole_at_end("de aanvraag van Faysa") && !whole_at_end(""));
        assert!(says_who("Zoek op 12, dat is Evert Kalkdam.") && says_who("det är Ebbe von Rosgren") && !says_who("dat is de Oude Gracht"));
        assert!(!perhaps_at_end("Oudshoorn") && !perhaps_at_end("bij het Raadhuis") && !perhaps_at_end("van de gemeente"));
    }
}
