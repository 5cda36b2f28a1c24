//! Yes or no, in the first lines of an answer (POLICY rows 9a and 9b).

use super::facts::codes;
use super::signature::ends_letter;

/// How many lines with words are looked at: a greeting, and then the answer.
const FIRST_LINES: usize = 4;

/// How many words a greeting has at most.
const FEW: usize = 4;

/// Words that say yes when a line begins with them, unless what follows takes it back at once ("klopt niet").
const YES: &[&str] = &[
    "ja",
    "jawel",
    "jazeker",
    "jep",
    "jo",
    "klopt",
    "juist",
    "correct",
    "akkoord",
    "inderdaad",
    "yes",
    "japp",
    "ok",
    "oke",
    "okay",
    "yep",
    "yeah",
    "confirmed",
    "stemmer",
    "javisst",
    "stammer",
    "bekreftet",
    "bekraeftet",
    "bekraftat",
    "stimmt",
    "jawohl",
    "genau",
    "richtig",
    "bestaetigt",
    "bestatigt",
];

/// Words that say no when a line begins with them.
const NO: &[&str] = &["nee", "neen", "nej", "nei", "no", "nope", "nein", "n"];

/// What follows a "no" that denies nothing: "no problem", "geen bezwaar", "Nein, Fragen habe ich nicht".
const NO_MATTER: &[&str] = &[
    "problem",
    "problems",
    "problemer",
    "probleem",
    "problemen",
    "worries",
    "issue",
    "issues",
    "doubt",
    "stress",
    "objection",
    "objections",
    "bezwaar",
    "bezwaren",
    "indvendinger",
    "innvendinger",
    "invandning",
    "invandningar",
    "einwand",
    "einwande",
    "bedenken",
    "questions",
    "vragen",
    "sporgsmal",
    "fragor",
    "fragen",
];

/// Words of denial and of suspicion. Where a line holds one and does not begin with a yes, nobody has confirmed anything.
const DOUBT: &[&str] = &[
    "niet",
    "nooit",
    "geen",
    "onbekend",
    "niemand",
    "iemand",
    "misbruik",
    "oplichting",
    "nep",
    "vals",
    "pas",
    "ikke",
    "aldrig",
    "aldri",
    "ingen",
    "falsk",
    "svindel",
    "ukendt",
    "ukjent",
    "inte",
    "ej",
    "inget",
    "bluff",
    "bedrageri",
    "okand",
    "nicht",
    "nie",
    "niemals",
    "kein",
    "keine",
    "keinen",
    "betrug",
    "falschung",
    "unbekannt",
    "jemand",
    "not",
    "never",
    "nobody",
    "somebody",
    "someone",
    "didn't",
    "wasn't",
    "isn't",
    "don't",
    "unknown",
    "fake",
    "fraud",
    "phishing",
    "spam",
    "scam",
    "hoax",
    "bedrog",
    "fout",
    "wrong",
    "feil",
    "forkert",
    "fel",
];

/// Phrases that say yes wherever they stand, unless a word of denial stands directly before or behind.
const MINE: &[&[&str]] = &[
    &["dat", "was", "ik"],
    &["dit", "was", "ik"],
    &["dat", "ben", "ik"],
    &["ik", "was", "het"],
    &["ik", "ben", "het"],
    &["van", "mij"],
    &["door", "mij"],
    &["that", "was", "me"],
    &["it", "was", "me"],
    &["that", "is", "me"],
    &["this", "is", "me"],
    &["that's", "me"],
    &["it's", "me"],
    &["from", "me"],
    &["is", "mine"],
    &["det", "var", "mig"],
    &["det", "var", "meg"],
    &["det", "var", "jeg"],
    &["det", "er", "mig"],
    &["det", "er", "meg"],
    &["fra", "mig"],
    &["fra", "meg"],
    &["det", "var", "jag"],
    &["det", "ar", "jag"],
    &["fran", "mig"],
    &["das", "war", "ich"],
    &["das", "bin", "ich"],
    &["von", "mir"],
];

/// Whether somebody who was asked "is this mail yours?" says no (POLICY row 9a). A yes at the beginning of a line settles it;
/// otherwise a word of denial or suspicion in the first lines is a no: taking on an impostor's mail is the worse mistake, and the
/// contact can always write themself.
#[must_use]
pub fn says_no(written: &str) -> bool {
    for line in written.lines().map(fold).filter(|line| line.chars().any(char::is_alphanumeric)).take(FIRST_LINES) {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
        let doubts = |words: &[&str]| words.iter().any(|word| DOUBT.contains(word));
        let mine = MINE.iter().any(|phrase| says(&words, phrase));
        match words.split_first() {
            // "Klopt niet", "Stimmt gar nicht": what follows directly takes it back.
            Some((first, rest)) if YES.contains(first) => {
                return doubts(rest.get(..2.min(rest.len())).unwrap_or_default()) && !takes_up_again(&line);
            }
            Some((first, rest)) if NO.contains(first) => return !rest.first().is_some_and(|next| NO_MATTER.contains(next)),
            _ if mine => return false,
            _ if doubts(&words) => return true,
            _ => {}
        }
    }
    false
}

codes! {
    /// What the first lines of an answer to a request for approval say (row 9b).
    Approval {
        /// Approved.
        Yes = "yes",
        /// Not approved.
        No = "no",
        /// Neither, both, a question or a condition: kept, and does not count.
        Unclear = "unclear",
    }
}

/// Beginnings of words that approve; without a denial beside them.
const APPROVE: &[&str] = &[
    "akkoord",
    "goedgekeurd",
    "goedkeur",
    "goedkeuring",
    "toestemming",
    "instem",
    "approve",
    "approved",
    "approval",
    "agree",
    "agreed",
    "accepted",
    "accepting",
    "godkend",
    "godkjen",
    "godkann",
    "godkand",
    "godkant",
    "godtag",
    "godta",
    "accepter",
    "aksepter",
    "indforstaet",
    "innforstatt",
    "genehmig",
    "einverstanden",
    "zugestimmt",
    "zustimm",
    "freigegeben",
    "freigabe",
    "bewilligt",
    "angenommen",
];

/// Words that follow each other, with at most three others between them, and approve.
const APPROVING: &[&[&str]] = &[
    &["stimme", "zu"],
    &["stimmen", "zu"],
    &["stem", "in"],
    &["stemt", "in"],
    &["stemmen", "in"],
    &["doe", "maar"],
    &["in", "orde"],
    &["betreft", "kan"],
    &["betreft", "mag"],
    &["u", "kunt", "beginnen"],
    &["u", "kunt", "starten"],
    &["u", "mag", "beginnen"],
    &["u", "mag", "starten"],
    &["jullie", "kunnen", "beginnen"],
    &["jullie", "kunnen", "starten"],
    &["jullie", "mogen", "beginnen"],
    &["jullie", "mogen", "starten"],
    &["you", "can", "start"],
    &["you", "can", "proceed"],
    &["you", "may", "start"],
    &["you", "may", "proceed"],
    &["i", "kan", "starte"],
    &["i", "kan", "begynde"],
    &["dere", "kan", "starte"],
    &["dere", "kan", "begynne"],
    &["ni", "kan", "borja"],
    &["ni", "kan", "starta"],
    &["sie", "konnen", "beginnen"],
    &["sie", "konnen", "anfangen"],
    &["sie", "konnen", "loslegen"],
    &["doen", "we"],
    &["doen", "wij"],
    &["machen", "wir"],
    &["gjor", "vi"],
    &["gor", "vi"],
    &["ga", "gang"],
    &["go", "ahead"],
    &["going", "ahead"],
    &["keur", "goed"],
    &["keurt", "goed"],
    &["keuren", "goed"],
    &["please", "proceed"],
    &["we", "accept"],
    &["i", "accept"],
    &["cannot", "accept"],
    &["can't", "accept"],
    &["not", "accept"],
    &["gar", "bra"],
    &["i", "orden"],
    &["in", "ordnung"],
    &["nehmen", "angebot", "an"],
    &["nehme", "angebot", "an"],
    &["nehmen", "es", "an"],
    &["nehme", "es", "an"],
    &["nehmen", "gerne", "an"],
    &["nehme", "gerne", "an"],
    &["siger", "ja"],
    &["sige", "ja"],
    &["sier", "ja"],
    &["sager", "ja"],
    &["sagen", "ja"],
    &["zeggen", "ja"],
    &["takker", "ja"],
    &["tackar", "ja"],
    &["groen", "licht"],
    &["green", "light"],
    &["grunes", "licht"],
    &["gront", "lys"],
    &["gront", "ljus"],
    &["erteile", "auftrag"],
    &["erteilen", "auftrag"],
    &["auftrag", "erteilt"],
    &["geef", "opdracht"],
    &["geven", "opdracht"],
    &["opdracht", "conform"],
    &["kor", "pa"],
    &["saet", "gang"],
    &["sett", "gang"],
    &["satt", "gang"],
    &["satt", "igang"],
    &["geben", "frei"],
    &["gebe", "frei"],
];

/// Beginnings of [`APPROVE`] that name an approval without saying whose it is: "Die Genehmigung erteilt der Stadtrat."
const AN_APPROVAL: &[&str] =
    &["goedkeuring", "toestemming", "approval", "godkendelse", "godkjenning", "godkannande", "genehmigung", "zustimmung", "freigabe"];

/// Words by which it is the writer's own.
const OWN: &[&str] = &[
    "mijn", "onze", "ons", "ik", "wij", "we", "hierbij", "hiermee", "my", "our", "i", "hereby", "min", "vores", "vi", "jeg", "herved",
    "var", "vart", "jag", "harmed", "meine", "unsere", "ich", "wir", "hiermit",
];

/// Words behind it by which it is given.
const GIVEN: &[&str] = &["erteilt", "gegeben", "verleend", "gegeven", "given", "granted", "givet", "gitt"];

/// Words that say yes as a whole clause: "Zeker, ga je gang". In a longer one they only stress what it says.
const SURELY: &[&str] = &[
    "absolut",
    "absolutely",
    "zeker",
    "natuurlijk",
    "uiteraard",
    "naturlich",
    "selbstverstandlich",
    "klart",
    "selvfolgelig",
    "naturligvis",
    "naturligtvis",
    "sjalvklart",
    "sure",
    "certainly",
    "definitely",
    "dat is goed",
    "is goed",
    "dat is prima",
    "det er fint",
    "det er helt fint",
    "det er greit",
    "det ar bra",
    "that is fine",
    "that's fine",
];

/// What stands before a yes or a no that is named as such: "the answer is no", "det bliver et nej".
const IS: &[&str] = &["is", "er", "ar", "ist", "blir", "bliver", "wordt", "wird", "et", "ett", "een", "ein", "a"];

/// What may stand behind it, where it does not end its clause.
const FROM: &[&str] = &["herfra", "fra", "fran", "hos", "from", "van", "von", "denne", "diesmal", "deze", "this", "voor", "for"];

/// Words that follow each other, with at most three others between them, and decline where a denial stands beside them. Without one they say nothing:
/// "how do we proceed", "going forward".
const FORGOING: &[&[&str]] = &[
    &["proceed"],
    &["proceeding"],
    &["take", "forward"],
    &["taking", "forward"],
    &["go", "forward"],
    &["gebruik", "maken"],
    &["gaan", "doen"],
    &["doen", "het"],
    &["uitvoeren"],
    &["durchfuhren"],
    &["carry", "out"],
    &["gennemfore"],
    &["gjennomfore"],
    &["genomfora"],
    &["doorgaan"],
    &["ga", "videre"],
    &["gar", "videre"],
    &["ga", "vidare"],
    &["gar", "vidare"],
    &["weiter", "verfolgen"],
    &["weiterverfolgen"],
    &["beauftragen"],
    &["interesse"],
    &["interested"],
    &["interesseret"],
    &["interessert"],
    &["intresserade"],
];

/// Who does it themself has declined, whatever "no, we do that" would mean.
const OURSELVES: &[&str] = &["zelf", "selbst", "selber", "selv", "sjalv", "sjalva", "ourselves", "myself"];

/// Words that a line begins with before it says something: "Hoi, nee".
const GREETING: &[&str] = &[
    "hoi",
    "hallo",
    "dag",
    "beste",
    "geachte",
    "goedemorgen",
    "goedemiddag",
    "goedendag",
    "goedenavond",
    "hej",
    "hejsan",
    "hei",
    "kaere",
    "kjaere",
    "hi",
    "hello",
    "dear",
    "guten",
    "moin",
    "good",
    "god",
];

/// Words that agree when they begin a line, and are said as easily to what is merely heard: a promise beside them makes them nothing.
const WEAK: &[&str] = &["ok", "oke", "okej", "okay", "prima", "passt", "fint", "fine"];

/// Thanks. "Ok, thanks for letting me know" has only heard it.
const THANKS: &[&str] = &["dank", "bedankt", "tak", "takk", "tack", "thanks", "thank", "danke", "info", "informatie", "informationen"];

/// Beginnings of words that decline by themselves.
const DECLINE: &[&str] = &[
    "afgekeurd",
    "afgewezen",
    "afzien",
    "geweigerd",
    "weiger",
    "rejected",
    "reject",
    "declined",
    "decline",
    "refuse",
    "disapprove",
    "disagree",
    "afvis",
    "avvis",
    "avslag",
    "avsla",
    "avsta",
    "afslag",
    "afslar",
    "avboj",
    "nekar",
    "nekad",
    "ablehn",
    "abgelehnt",
    "verweiger",
];

/// Words that follow each other, with at most three others between them, and decline.
const DECLINING: &[&[&str]] = &[
    &["zie", "af", "van"],
    &["zien", "af", "van"],
    &["zie", "vanaf"],
    &["zien", "vanaf"],
    &["lehne", "ab"],
    &["lehnen", "ab"],
    &["so", "no"],
    &["dus", "nee"],
    &["also", "nein"],
    &["dagegen", "entschieden"],
    &["say", "no"],
    &["sige", "nej"],
    &["siger", "nej"],
    &["takke", "nej"],
    &["takker", "nej"],
    &["tacka", "nej"],
    &["tackar", "nej"],
    &["saga", "nej"],
    &["sager", "nej"],
    &["si", "nei"],
    &["sier", "nei"],
    &["takke", "nei"],
    &["takker", "nei"],
    &["sagen", "nein"],
    &["zeggen", "nee"],
];

/// Words that make a yes a condition, a doubt or a matter for later.
const CONDITION: &[&str] = &[
    "mits",
    "indien",
    "tenzij",
    "maar",
    "als",
    "zodra",
    "wanneer",
    "if",
    "but",
    "provided",
    "unless",
    "once",
    "when",
    "hvis",
    "dersom",
    "safremt",
    "medmindre",
    "men",
    "nar",
    "om",
    "under",
    "forudsat",
    "forutsatt",
    "sofern",
    "wenn",
    "aber",
    "falls",
    "vorausgesetzt",
    "sobald",
    "except",
    "behalve",
    "pas",
    "until",
    "before",
    "totdat",
    "voordat",
    "indtil",
    "inntil",
    "tills",
    "innan",
    "bis",
    "bevor",
    "bortset",
    "bortsett",
    "misschien",
    "maybe",
    "perhaps",
    "maske",
    "kanskje",
    "kanske",
    "vielleicht",
    "waarschijnlijk",
    "probably",
    "likely",
    "sandsynligvis",
    "formentlig",
    "sannsynligvis",
    "trolig",
    "troligen",
    "sannolikt",
    "formodligen",
    "wahrscheinlich",
    "voraussichtlich",
    "would",
    "zou",
    "zouden",
    "wurde",
    "wurden",
    "subject",
    "only",
    "alleen",
    "enkel",
    "kun",
    "endast",
    "nur",
    "however",
    "echter",
    "allerdings",
    "jedoch",
    "zonder",
    "uden",
    "uten",
    "utan",
    "without",
    "ohne",
    "after",
    "nadat",
    "nachdem",
    "zolang",
    "solange",
];

/// Beginnings of words that speak of a condition, of what is only received, or of what somebody still has to do.
const PENDING: &[&str] = &[
    "voorbehoud",
    "voorwaarde",
    "forbehold",
    "forbehall",
    "vorbehalt",
    "forudsaetning",
    "forutsetning",
    "forutsattning",
    "voraussetzung",
    "bedingung",
    "betingelse",
    "villkor",
    "vilkar",
    "condition",
    "ontvangen",
    "received",
    "modtaget",
    "mottatt",
    "mottagit",
    "erhalten",
    "kijk",
    "bekijk",
    "terug",
    "vraag",
    "vragen",
    "voorleg",
    "overleg",
    "wacht",
    "waiting",
    "awaiting",
    "pending",
    "check",
    "look",
    "review",
    "back",
    "question",
    "duidelijk",
    "verwacht",
    "expect",
    "forvent",
    "forvant",
    "erwart",
    "bevoegd",
    "befug",
    "authoris",
    "authoriz",
    "bemyndig",
    "befojet",
    "behorig",
    "authority",
    "fuldmagt",
    "fullmakt",
    "first",
    "eerst",
    "kigge",
    "vender",
    "tilbage",
    "tilbake",
    "sporgsmal",
    "sporsmal",
    "sjekk",
    "titta",
    "kolla",
    "aterkom",
    "fraga",
    "avvakta",
    "avvent",
    "afvent",
    "forst",
    "doorstu",
    "doorgestuurd",
    "forwarding",
    "forwarded",
    "videresend",
    "vidarebefordra",
    "weiterleit",
    "weitergeleitet",
    "schau",
    "pruf",
    "zuruck",
    "melden",
    "frage",
    "warte",
    "erst",
];

/// Words that say that something is still to come, not known, or somebody else's, one directly behind the other.
const NOT_YET: &[&[&str]] = &[
    &["nog", "geen"],
    &["nog", "niet"],
    &["moet", "nog"],
    &["moeten", "nog"],
    &["not", "yet"],
    &["noch", "nicht"],
    &["noch", "kein"],
    &["noch", "keine"],
    &["muss", "noch"],
    &["steht", "noch"],
    &["ikke", "endnu"],
    &["endnu", "ikke"],
    &["ikke", "enna"],
    &["enna", "ikke"],
    &["inte", "annu"],
    &["annu", "inte"],
    &["niet", "zeker"],
    &["weet", "niet"],
    &["not", "sure"],
    &["don't", "know"],
    &["ikke", "sikker"],
    &["ikke", "sikre"],
    &["ved", "ikke"],
    &["vet", "ikke"],
    &["inte", "saker"],
    &["inte", "sakra"],
    &["vet", "inte"],
    &["nicht", "sicher"],
    &["weiss", "nicht"],
    &["wissen", "nicht"],
    &["sa", "fort"],
    &["sa", "snart"],
    &["sa", "lange"],
    &["sa", "lenge"],
    &["as", "soon"],
    &["as", "long"],
    &["so", "lange"],
    &["so", "bald"],
    &["den", "rette"],
    &["den", "ratte"],
    &["right", "person"],
    &["juiste", "persoon"],
    &["der", "richtige"],
    &["die", "richtige"],
];

/// What must be approved by somebody is not approved by the one who says so.
const MUST: &[&str] = &["moet", "moeten", "must", "needs", "need", "skal", "ma", "maste", "muss", "mussen"];

/// Words of a condition that are none here, such as "ga maar aan de slag" or "thanks, but"; nor is "akkoord om te beginnen" one.
const HARMLESS: &[(&str, &str)] = &[
    ("bedankt", "maar"),
    ("dank", "maar"),
    ("thanks", "but"),
    ("you", "but"),
    ("tak", "men"),
    ("takk", "men"),
    ("tack", "men"),
    ("danke", "aber"),
    ("dank", "aber"),
    ("het", "maar"),
    ("om", "at"),
    ("om", "att"),
    ("om", "a"),
    ("ga", "maar"),
    ("doe", "maar"),
    ("kom", "maar"),
    ("start", "maar"),
    ("begin", "maar"),
    ("bestel", "maar"),
    ("voer", "maar"),
    ("regel", "maar"),
    ("plan", "maar"),
];

/// Who speaks. "Ok, I will discuss it" and "yes, I saw it" approve of nothing.
const SPEAKER: &[&str] = &["ik", "wij", "we", "i'll", "i'm", "we'll", "jeg", "vi", "jag", "ich", "wir"];

/// What may follow an English "I".
const I_DO: &[&str] =
    &["will", "have", "had", "am", "saw", "see", "shall", "need", "can", "must", "got", "think", "know", "understand", "read"];

/// Words with which a second thought begins.
const SECOND_THOUGHT: &[&str] =
    &["maar", "mits", "tenzij", "wel", "echter", "men", "but", "however", "unless", "aber", "allerdings", "jedoch", "dock", "dog"];

/// Words that take a yes back and stand in no list of doubts.
const CANNOT: &[&str] = &["can't", "cannot", "won't", "couldn't", "wouldn't", "unable"];

/// What somebody who was asked for approval answers (POLICY row 9b). Only a plain yes or a plain no in the first lines is one.
#[must_use]
pub fn approval(written: &str) -> Approval {
    let lines = first_lines(above_signature(written));
    let said: Vec<Approval> = lines.iter().filter_map(|line| line_says(line)).collect();
    let Some((first, rest)) = said.split_first() else { return Approval::Unclear };
    let taken_up = lines.iter().any(|line| words(line).first().is_some_and(|word| SECOND_THOUGHT.contains(word)));
    let weak = lines.iter().all(|line| line_says(line).is_none() || words(line).first().is_some_and(|word| WEAK.contains(word)));
    let promises = lines.iter().any(|line| begins_one_of(&words(line), PENDING));
    if rest.iter().any(|other| other != first) || (*first == Approval::Yes && (taken_up || (weak && promises))) {
        return Approval::Unclear;
    }
    *first
}

/// What stands above the signature: that says nothing of the matter, or even "No, we do not print mails".
fn above_signature(written: &str) -> &str {
    let mut above = 0;
    let mut answered = false;
    for line in written.split_inclusive('\n') {
        let said = line_says(&fold(line)).is_some();
        if answered && !said && (ends_letter(line) || is_a_name(line)) {
            break;
        }
        answered |= said && !line.starts_with('>');
        above += line.len();
    }
    written.get(..above).unwrap_or(written)
}

/// A line such as "Olivia O'Neill": few words, each of which begins with a capital, and none that makes a condition.
fn is_a_name(line: &str) -> bool {
    let folded = fold(line);
    let (count, folded) = (line.split_whitespace().count(), words(&folded));
    let line = line.trim_start_matches(['/', '-', ' ']);
    let capitals = line.split_whitespace().all(|word| word.starts_with(|c: char| c.is_uppercase()));
    let condition = folded.iter().any(|word| CONDITION.contains(word) || SECOND_THOUGHT.contains(word) || DOUBT.contains(word));
    (1..=3).contains(&count) && capitals && !condition && !begins_one_of(&folded, PENDING) && !line.contains(['?', ':'])
}

/// The first lines with words, folded. What goes on in lower case was only wrapped, but for what stands below a greeting.
fn first_lines(written: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut blank = true;
    // What somebody else wrote is marked.
    for line in written.lines().map(str::trim).filter(|line| !line.starts_with('>')) {
        let goes_on = !blank && line.chars().next().is_some_and(char::is_lowercase);
        blank = line.is_empty();
        let greeting = |line: &String| words(line).len() <= FEW && line_says(line).is_none();
        if goes_on && let Some(before) = lines.last_mut().filter(|before| !greeting(before)) {
            before.push(' ');
            before.push_str(&fold(line));
        } else if lines.len() == FIRST_LINES {
            break;
        } else if line.chars().any(char::is_alphanumeric) {
            lines.push(fold(line));
        }
    }
    lines
}

fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect()
}

fn begins_one_of(words: &[&str], beginnings: &[&str]) -> bool {
    words.iter().any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
}

/// These words stand there in this order, with at most three others between two of them.
fn in_this_order(words: &[&str], phrase: &[&str]) -> bool {
    let Some((first, rest)) = phrase.split_first() else { return true };
    words.iter().enumerate().filter(|(_, word)| *word == first).any(|(at, _)| {
        let behind = words.get(at + 1..).unwrap_or_default();
        rest.is_empty()
            || (1..=4)
                .any(|reach| behind.get(reach - 1) == rest.first() && in_this_order(behind.get(reach - 1..).unwrap_or_default(), rest))
    })
}

/// The line behind a greeting that it begins with; all of it where nothing follows.
fn behind_greeting(line: &str) -> &str {
    let greets = |start: &str| words(start).len() <= FEW && words(start).first().is_some_and(|word| GREETING.contains(word));
    let parts = line.split_once([',', '!', '.']).filter(|(start, rest)| greets(start) && rest.contains(char::is_alphanumeric));
    parts.map_or(line, |(_, rest)| rest)
}

fn clauses(line: &str) -> impl Iterator<Item = Vec<&str>> {
    line.split([',', ';', ':', '.', '!', '\u{2013}', '\u{2014}']).map(words).filter(|clause| !clause.is_empty())
}

/// Whether one of these words is named as the answer.
fn is_named(line: &str, answers: &[&str]) -> bool {
    clauses(line).any(|clause| {
        clause.iter().zip(clause.iter().skip(1)).enumerate().any(|(at, (before, word))| {
            let ends = clause.get(at + 2).is_none_or(|behind| FROM.contains(behind));
            IS.contains(before) && answers.contains(word) && ends
        })
    })
}

/// Whether a clause approves: by the beginning of a word, or by words in a certain order.
fn approves_in(words: &[&str]) -> bool {
    begins_one_of(words, APPROVE) || APPROVING.iter().any(|phrase| in_this_order(words, phrase))
}

/// Whether nothing but the name of an approval approves, and it is neither the writer's own nor given.
fn approves_for_nobody(words: &[&str]) -> bool {
    let names = |word: &&str| AN_APPROVAL.iter().any(|noun| word.starts_with(noun));
    let others: Vec<&str> = words.iter().filter(|word| !names(word)).copied().collect();
    let ends = words.last().is_some_and(|last| GIVEN.contains(last));
    words.iter().any(names) && !approves_in(&others) && !ends && !words.iter().any(|word| OWN.contains(word))
}

/// Whether a word of denial stands there that denies something; `first` is the line's first word.
fn denied_in(words: &[&str], first: &str) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let denial = DOUBT.contains(word) || CANNOT.contains(word) || (NO.contains(word) && *word != first);
        denial && !words.get(at + 1).is_some_and(|next| NO_MATTER.contains(next))
    })
}

/// What one line says; nothing where it speaks of something else.
fn line_says(line: &str) -> Option<Approval> {
    let line = behind_greeting(line);
    let words = words(line);
    let first = words.first()?;
    let holds = |phrases: &[&[&str]]| phrases.iter().any(|phrase| in_this_order(&words, phrase));
    // "Jo" is a name as well.
    let surely = clauses(line).next().is_some_and(|clause| SURELY.contains(&clause.join(" ").as_str()));
    let yes = (YES.contains(first) && *first != "jo") || WEAK.contains(first) || words.contains(&"ok") || surely || is_named(line, YES);
    let pairs = || words.iter().zip(words.iter().skip(1)).map(|(word, next)| (*word, *next));
    // "Thanks, but no."
    let no = NO.contains(first) || (!yes && pairs().any(|(word, next)| SECOND_THOUGHT.contains(&word) && NO.contains(&next)));
    let approves = approves_in(&words);
    let named_no = is_named(line, NO);
    let declines = begins_one_of(&words, DECLINE) || holds(DECLINING) || named_no;
    let denied = denied_in(&words, first);
    // "Punt 1 akkoord, punt 2 niet."
    let in_part = clauses(line).any(|clause| approves_in(&clause) && !denied_in(&clause, first))
        && clauses(line).any(|clause| denied_in(&clause, first) && !approves_in(&clause));
    let forgoes = denied && holds(FORGOING);
    if !(yes || no || approves || declines || forgoes) {
        return None;
    }
    let by_themselves = words.iter().any(|word| OURSELVES.contains(word));
    let not_yet = pairs().any(|(word, next)| NOT_YET.iter().any(|pair| *pair == [word, next]));
    let harmless = |word: &str| {
        pairs().any(|pair| HARMLESS.contains(&pair) && (pair.0 == word || pair.1 == word))
            || (word == "om" && in_this_order(&words, &["om", "te"]))
            || (THANKS.contains(first) && !approves && SECOND_THOUGHT.contains(&word))
    };
    // Danish "det tager vi op", German "das besprechen wir": who speaks may stand behind the verb.
    // A single "i" is English before a verb, and Danish, Norwegian or Swedish for "in" else.
    let speaks = words.iter().skip(1).take(FEW).any(|word| SPEAKER.contains(word))
        || pairs().any(|(word, next)| word == "i" && I_DO.contains(&next));
    let awaits = begins_one_of(&words, PENDING);
    let conditional = words.iter().any(|word| CONDITION.contains(word) && !harmless(word)) || awaits;
    let no_matter = words.get(1).is_some_and(|next| NO_MATTER.contains(next));
    let only_heard = WEAK.contains(first) && words.iter().any(|word| THANKS.contains(word));
    let left_to_others = begins_one_of(&words, APPROVE) && words.iter().any(|word| MUST.contains(word));
    Some(match () {
        () if line.contains('?') || not_yet => Approval::Unclear,
        () if no && no_matter && approves && !denied && !conditional => Approval::Yes,
        () if no && (no_matter || awaits && !declines) => Approval::Unclear,
        () if no && approves && !denied && !by_themselves => Approval::Unclear,
        () if no => Approval::No,
        () if declines && !yes && !begins_one_of(&words, APPROVE) => Approval::No,
        () if conditional || left_to_others => Approval::Unclear,
        () if yes && !approves && (speaks || only_heard) => Approval::Unclear,
        () if yes && (denied || declines) => Approval::Unclear,
        () if yes => Approval::Yes,
        () if approves && in_part => Approval::Unclear,
        () if (approves || forgoes) && denied => Approval::No,
        () if approves && !declines && !approves_for_nobody(&words) => Approval::Yes,
        () => Approval::Unclear,
    })
}

/// The phrase stands there, and no denial touches it: "dat was ik", not "dat was ik niet".
fn says(words: &[&str], phrase: &[&str]) -> bool {
    let denies = |words: Option<&[&str]>| words.is_some_and(|words| words.iter().any(|word| DOUBT.contains(word)));
    words.windows(phrase.len()).enumerate().any(|(at, found)| {
        let behind = at + phrase.len();
        // "geen bericht van mij": a denial may stand two words before.
        found == phrase && !denies(words.get(at.saturating_sub(2)..at)) && !denies(words.get(behind..words.len().min(behind + 1)))
    })
}

/// "Ja, niet schrikken": a comma or full stop after the yes ends it, so that what follows is another matter.
fn takes_up_again(line: &str) -> bool {
    let yes = line.split_whitespace().next().unwrap_or_default();
    yes.ends_with([',', '.', '!', ';', ':'])
}

/// Lower case, without accents, apostrophes made one.
fn fold(line: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folded = line.replace('\u{2019}', "'");
    folded
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .replace('ø', "o")
        .replace('æ', "ae")
        .replace('ß', "ss")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Approval, approval, says_no};

    #[test]
    fn an_approval_is_a_plain_yes_or_no_in_every_language() {
        for text in [
            "Ja",
            "Ja, akkoord.",
            "Akkoord met de offerte.",
            "Goedemorgen,\n\nHierbij geven wij ons akkoord.",
            "Goedgekeurd!",
            "Yes, go ahead.",
            "Hello,\n\nApproved.\n\nKind regards\nEmma",
            "Ja tak",
            "Hej\n\nVi godkender tilbuddet.",
            "Tilbuddet er godkendt",
            "Ja, det er i orden",
            "Hei!\n\nGodkjent.",
            "Vi godkänner offerten",
            "Ja, kör på",
            "Ja, bitte",
            "Hiermit genehmigt.",
            "Wir sind einverstanden.",
            "Akkoord om te beginnen",
            "OK",
        ] {
            assert_eq!(approval(text), Approval::Yes, "{text:?}");
        }
        for text in [
            "Nee",
            "Nee, te duur.",
            "Wij gaan niet akkoord.",
            "Niet akkoord",
            "No, thank you",
            "We do not approve this.",
            "Not approved.",
            "Nej",
            "Nej tak",
            "Det kan vi ikke godkende",
            "Ikke godkendt",
            "Nei, dessverre",
            "Ikke godkjent",
            "Nej, tyvärr",
            "Inte godkänt",
            "Nein",
            "Nein, leider nicht.",
            "Das ist nicht genehmigt.",
            "Abgelehnt.",
            "Afgewezen",
            "Hei\n\nVi avviser tilbudet.",
        ] {
            assert_eq!(approval(text), Approval::No, "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_no_approval() {
        for text in [
            "",
            "Dank u wel, ik kijk ernaar.",
            "Ja, mits het voor 1 januari klaar is.",
            "Akkoord?",
            "Is dit akkoord voor jullie?",
            "Yes, but only the first item.",
            "Ja\nNee",
            "Ja, men vi vil gerne have rabat",
            "Hvad koster det?",
            "Ja, wenn der Preis stimmt.",
            "I will ask my manager.",
            "No problem",
            "Ik stuur dit door aan mijn collega.",
            "Ja, aber nur Punkt 1",
            "Godkänner ni detta?",
            "Beste collega,\n\nKun je dit bekijken?\n\nGroet\nJan\nJa",
        ] {
            assert_eq!(approval(text), Approval::Unclear, "{text:?}");
        }
    }

    #[test]
    fn a_no_in_the_first_lines_is_a_no_in_every_language() {
        for text in [
            "Nee, dit is niet van mij.",
            "Hallo,\n\nNee.\n\nGroet",
            "nej",
            "Nei, det var ikke jeg",
            "Nein!",
            "NO - we don't know this person",
            "Goedemorgen,\nDat was ik niet.",
            "Hej\n\nDet är inte från mig",
            "Hello,\nThat wasn\u{2019}t me.",
            "Klopt niet, ik heb niets gestuurd!",
            "Stimmt nicht, das bin ich nicht",
            "Dat klopt niet.",
            "Beste,\n\nDeze mail heb ik nooit gestuurd.",
            "Dit is geen bericht van mij",
            "Geen idee wat dit is.",
            "Dat was iemand anders.",
            "I never sent it",
            "Phishing!",
            "Det har jag inte skickat.",
            "Jeg kjenner ikke til denne",
            "Ich habe das nicht geschickt.",
        ] {
            assert!(says_no(text), "{text:?}");
        }
    }

    #[test]
    fn anything_else_counts_as_a_yes() {
        for text in [
            "Ja, dat klopt",
            "Hoi,\n\nJa hoor, no worries",
            "Yes",
            "No problem, that was me",
            "Ja, das bin ich. Nein, weitere Fragen habe ich nicht.",
            "",
            "Jazeker!",
            "Ja, dat was ik. Was niet op kantoor.",
            "Klopt, ik kan niet bij mijn werkmail.",
            "Dat was ik inderdaad, ik kon niet bij mijn werkmail.",
            "Det var mig, jeg kunne ikke komme på min arbejdsmail",
            "Hi,\n\nIt was me. Could not log in at work.",
        ] {
            assert!(!says_no(text), "{text:?}");
        }
    }
}
