#!/usr/bin/env python3
"""Writes a labelled corpus of made-up files and mails: half with citizen data, half without, as town halls mail them.

    generate.py SEED COUNT FOLDER [PICTURES]

A file is called LABEL-KIND-LANGUAGE-NUMBER.FORMAT, where LABEL is `yes` or `no`; `measure.py` reads that. PICTURES more of them are
screenshots and scans. Nothing here is real, and nothing is taken from the detector: names are put together from syllables, and the
headers, layouts and mistakes are those of exports from civil registers, benefits, taxes, schools, permits and case systems.
`writers.py` writes them with a dozen libraries (see `make corpus`) and LibreOffice.
"""
import json, os, random, sys
from email.message import EmailMessage
from html import escape
from urllib.parse import quote

import writers
from writers import as_lines, html_of

SEED, COUNT, FOLDER = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PICTURES = int(sys.argv[4]) if len(sys.argv) > 4 else 0
random.seed(SEED)
R, pick, chance = random, random.choice, writers.chance


def digits(n, first="0123456789"):
    return pick(first) + "".join(pick("0123456789") for _ in range(n - 1))


# --- languages: how names, streets and places are made, and what fields are called ---

class Language:
    def __init__(self, **parts):
        self.__dict__.update(parts)


NL = Language(
    code="nl", given="Aaltje Brecht Corné Doutzen Evert Fokke Gijsbertje Huub Ilse Jolijn Kors Lubbert Mirthe Nelleke Oene Pleun Rinske Sietse Tjalling Wubbo Yfke Zwaantje Ngozi Tariq Agnieszka Jan Maria".split(),
    start="Ouds Kuy Brink Zwan Wester Hage Bolle Snel Griff Lams Vree Tim Kalk Wijn Pop Stou Dui Ruys".split(), end="hoorn venhoven man enburg kamp steijn ma wijk ing veer oen dam sema aar kens".split(),
    particles=["", "", "", "van ", "van der ", "de ", "ten "], streets="Iepen Kievit Mei Achter Prinses Hoge Schans Boter".split(), street_ends="laan straat weg om hof dreef kade pad".split(), number_first=False,
    cities=["Waterwolde", "Oud-Zevenhuizen", "Nieuwerkapel", "Dorst"], post=lambda: f"{digits(4, '123456789')}{pick(['', ' '])}{pick('ABCDEGHJK')}{pick('ABCDEGHJK')}",
    name=["Naam", "Naam client", "Volledige naam", "NAAM", "Naam aanvrager", "Inwoner", "Klantnaam persoon", "Persoonsnaam"], given_label=["Voornaam", "Voornamen", "Voorletters", "Roepnaam", "VOORN", "vn"], family_label=["Achternaam", "Geslachtsnaam", "Achternm", "Familienaam", "ACHTERNAAM", "gesl_naam"],
    birth=["Geboortedatum", "Geb.datum", "geb_dat", "Gebdat", "GEBOORTEDATUM", "Geboren", "geb. dat.", "Datum geboorte"], sex=["Geslacht", "M/V", "gesl", "Aanhef"], address=["Adres", "Straat", "Straatnaam + nr", "ADRES", "Woonadres"], post_label=["Postcode", "PC", "postcode", "Pc6"], city=["Woonplaats", "Plaats", "WOONPLAATS", "wpl"],
    role=["Vergunninghouder", "Leerling", "Overledene", "Hoofdbewoner", "Rechthebbende", "Aanvrager", "Kind"], other=["Status", "Zaaktype", "Opmerking", "Ingangsdatum", "Wijk"], ids=[("bsn", ["BSN", "Burgerservicenummer", "bsn", "BSN-nummer", "burgerservicenr", "Sofinr", "BSN_NR", "Bsn client"])] * 5 + [("a-nummer", ["A-nummer", "Anummer", "ANR"])],
    sexes=["M", "V", "man", "vrouw", "Dhr.", "Mevr."], titles=["mevrouw", "de heer", "dhr.", "mw.", "Fam."], dates=["{d:02}-{m:02}-{y}", "{d}-{m}-{y}", "{y}{m:02}{d:02}", "{y}-{m:02}-{d:02}", "{d} {month} {y}", "{d:02}/{m:02}/{y}", "{y}-{m:02}-{d:02} 00:00:00"],
    months="januari februari maart april mei juni juli augustus september oktober november december".split(),
    born=["{title} {name}, geboren op {date}, staat niet in de lijst.", "Het gaat om {name} (geb. {date}).", "Bij {name}, geboortedatum {date}, blijft het scherm leeg.", "cliënt {name} geb {date} kan de aanvraag niet afronden", "Betreft: {name}, {date}, zie dossier."],
    lives=["{title} {name}, {street}, {post} {city} krijgt geen brief.", "De melding van {name}, {street}, {post} {city} staat nog open.", "{title} {name} woont nu op {street} in {city}.", "Graag de aanslag van {title} {family}, {street}, {post} {city} corrigeren."],
    numbered=["Kan {label} {id} uit de lijst?", "{label}: {id}", "Voor {name} ({label} {id}) lukt het niet.", "De bevraging op {id} ({label}) geeft een fout.", "melding bij {label}={id}, graag nakijken"],
    hello=["Goedemorgen,", "Hallo,", "Beste collega's,"], chat=["Na de update van vrijdag loopt het scherm vast bij opslaan.", "Kunnen jullie hiernaar kijken?", "Gisteren ging het nog goed.", "Wij krijgen dit bij meer medewerkers.", "Alvast dank."], bye=["Met vriendelijke groet,", "Groet,", "Mvg"],
    org="Gemeente Waterwolde", hall="Raadhuisplein 1, 3990 AA Waterwolde", jobs=["Functioneel beheerder", "Coördinator Burgerzaken", "Applicatiebeheerder"], wrote="Op 12 november 2026 om 09:14 schreef {name} <{mail}>:", phone=lambda: f"0{digits(2, '1237')} - {digits(3)} {digits(2)} {digits(2)}", dear="Geachte {title} {family},", decision="Uw aanvraag is op {date} ontvangen.",
)
DA = Language(
    code="da", given="Asbjørn Bolette Cæcilie Didrik Eskild Frode Gyda Halfdan Ingolf Jeppe Kirstine Laust Mildred Niels-Ole Ove Regnar Sidsel Thyra Villy Zainab Mehmet Anne".split(),
    start="Kjærs Refs Bøg Nør Vester Skov Aggers Tofte Dals Hede Lille Kirke Brøn Munk".split(), end="gaard holm lund strup bæk mark bjerg toft sen vad ager".split(), particles=[""], streets="Eng Bøge Skole Møller Kirke Sø Lærke Birke".split(), street_ends="vænget vej gade stien brinken alle toften".split(), number_first=False,
    cities=["Nordhavn", "Galten", "Ny Vrå"], post=lambda: digits(4, "123456789"),
    name=["Navn", "Borgerens navn", "NAVN", "Fulde navn", "Borger"], given_label=["Fornavn", "Fornavne", "FORNAVN"], family_label=["Efternavn", "EFTERNAVN", "Eftern."], birth=["Fødselsdato", "Født", "FODSELSDATO", "Foedselsdag", "Fødselsdag"], sex=["Køn", "KOEN"], address=["Adresse", "Vejnavn", "Bopæl", "ADRESSE"], post_label=["Postnr.", "Postnr", "POSTNR"], city=["By", "Bynavn", "Postdistrikt"],
    role=["Barn", "Elev", "Afdøde", "Ansøger", "Forælder", "Beboer"], other=["Status", "Bemærkning", "Sagstype", "Distrikt"], ids=[("cpr", ["CPR-nr.", "CPR", "cprnr", "CPR-nummer", "Personnummer", "CPRNR", "Cpr.nr."])],
    sexes=["M", "K", "mand", "kvinde"], titles=["fru", "borger", "hr."], dates=["{d:02}-{m:02}-{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d}. {month} {y}", "{d:02}.{m:02}.{y}", "{d:02}/{m:02}/{y}"],
    months="januar februar marts april maj juni juli august september oktober november december".split(),
    born=["Borgeren {name}, født {date}, mangler i listen.", "Det drejer sig om {name} (f. {date}).", "{name}, fødselsdato {date}, kan ikke gemmes."],
    lives=["{name}, {street}, {post} {city} har ikke fået brev.", "Sagen for {name}, {street}, {post} {city} er lukket ved en fejl.", "Borger {name} bor på {street}."],
    numbered=["{label} {id} kan ikke slås op.", "{label}: {id}", "{name} ({label} {id}) får fejl.", "Opslag på {id} ({label}) fejler."],
    hello=["Hej,", "Kære support", "Godmorgen"], chat=["Systemet viser en fejl, når vi gemmer.", "Kan I se på det?", "Det virkede i går.", "Flere medarbejdere ser det samme."], bye=["Med venlig hilsen", "Mvh", "Venlig hilsen"],
    org="Nordhavn Kommune", hall="Rådhuspladsen 1, 8464 Nordhavn", jobs=["Systemansvarlig", "It-konsulent", "Sagsbehandler"], wrote="Den 12. nov. 2026 kl. 09.14 skrev {name} <{mail}>:", phone=lambda: f"Tlf. {digits(2, '2345678')} {digits(2)} {digits(2)} {digits(2)}", dear="Kære {name}", decision="Vi har modtaget din ansøgning den {date}.",
)
NB = Language(
    code="nb", given="Asgeir Borghild Dagfinn Embla Frøydis Gudmund Herbjørg Ingebrigt Jorid Ketil Ljot Magnar Noralf Oddbjørg Ragnvald Solbjørg Tormod Vebjørn Åshild Amal Piotr Kari".split(),
    start="Hov Kvam Elve Fjeld Sør Nes Rød Tveit Bjør Lang Heg Myr Skår Vik".split(), end="land me stad nes dal heim by vik seth mo rud".split(), particles=[""], streets="Elve Kirke Skog Fjord Gamle Bjørke Sol Strand".split(), street_ends="bakken vegen gata veien lia stien tunet".split(), number_first=False,
    cities=["Fjellvik", "Nordbygda", "Indre Sund"], post=lambda: digits(4, "0123456789"),
    name=["Navn", "NAVN", "Fullt navn", "Innbygger", "Brukers navn"], given_label=["Fornavn", "FORNAVN"], family_label=["Etternavn", "ETTERNAVN"], birth=["Fødselsdato", "Født", "F.dato", "Fdato", "FODT_DATO"], sex=["Kjønn", "KJONN"], address=["Adresse", "Gateadresse", "Bostedsadresse", "ADRESSE"], post_label=["Postnr", "Postnummer"], city=["Poststed", "POSTSTED"],
    role=["Barnets navn", "Elev", "Søker", "Foresatt", "Avdøde", "Hjemmelshaver"], other=["Status", "Merknad", "Tjeneste", "Krets"], ids=[("fodselsnummer", ["Fødselsnummer", "Fnr", "fødselsnr.", "Personnummer", "FNR", "Fødselsnr (11 siffer)", "D-nummer"])],
    sexes=["M", "K", "mann", "kvinne"], titles=["fru", "innbygger", "bruker"], dates=["{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d}. {month} {y}", "{d:02}{m:02}{y}"],
    months="januar februar mars april mai juni juli august september oktober november desember".split(),
    born=["Gjelder {name}, født {date}.", "Saken til {name} (f. {date}) lar seg ikke åpne.", "Bruker {name}, fødselsdato {date}, står dobbelt."],
    lives=["{name}, {street}, {post} {city} har ikke fått vedtaket.", "Ringte til {name}, {street}, {post} {city}.", "Innbygger {name} bor i {street}."],
    numbered=["{label} {id} gir feil.", "{label}: {id}", "{name}, {label} {id}, mangler.", "Oppslag på {id} ({label}) feiler."],
    hello=["Hei,", "Hei!", "God morgen"], chat=["Systemet viser en feil når vi lagrer.", "Kan dere se på dette?", "Det virket i går.", "Flere saksbehandlere ser det samme."], bye=["Med vennlig hilsen", "Mvh", "Vennlig hilsen"],
    org="Fjellvik kommune", hall="Rådhusvegen 1, 6800 Fjellvik", jobs=["Systemforvalter", "IKT-rådgiver", "Fagleder"], wrote="tor. 12. nov. 2026 kl. 09:14 skrev {name} <{mail}>:", phone=lambda: f"Tlf. {digits(3, '579')} {digits(2)} {digits(3)}", dear="Hei {name}", decision="Vi viser til søknaden din av {date}.",
)
SV = Language(
    code="sv", given="Alfhild Botvid Dagny Ebbe Folke Gotthard Hillevi Inge Jöran Kerstin-Ann Ludde Märta Nanna Ottilia Ragnvi Sixten Torkel Ylva Åke Hodan Branko Anna".split(),
    start="Wik Törn Lill Häll Ås Ny Blom Fjäll Grön Ros Sten Ek Hult Rön".split(), end="ander blom qvist mark ström dahl berg lund gren man åker".split(), particles=[""], streets="Lill Skol Björk Kyrko Ängs Sjö Norra Hamn".split(), street_ends="gatan vägen stigen backen gränd".split(), number_first=False,
    cities=["Strandköping", "Västra Ånäs", "Lillhult"], post=lambda: f"{digits(3, '123456789')} {digits(2)}",
    name=["Namn", "NAMN", "Fullständigt namn", "Brukare", "Sökande"], given_label=["Förnamn", "Tilltalsnamn", "FORNAMN"], family_label=["Efternamn", "EFTERNAMN"], birth=["Födelsedatum", "Född", "FODELSEDATUM", "Födelsetid", "Föd.datum"], sex=["Kön", "KON"], address=["Adress", "Gatuadress", "Bostadsadress"], post_label=["Postnummer", "Postnr"], city=["Postort", "Ort"],
    role=["Elev", "Barn", "Vårdnadshavare", "Sökande", "Avliden", "Brukare"], other=["Status", "Insats", "Anteckning", "Område"], ids=[("personnummer", ["Personnummer", "Personnr", "Pnr", "PERSONNR", "Pers.nr", "Person-nr", "Personnummer (12)"])],
    sexes=["M", "K", "man", "kvinna"], titles=["brukaren", "fru", "invånaren"], dates=["{y}-{m:02}-{d:02}", "{y}{m:02}{d:02}", "{d} {month} {y}", "{y}/{m:02}/{d:02}"],
    months="januari februari mars april maj juni juli augusti september oktober november december".split(),
    born=["Ärendet gäller {name}, född {date}.", "{title} {name} (f. {date}) saknas i listan.", "För {name}, födelsedatum {date}, går det inte att spara."],
    lives=["{name}, {street}, {post} {city} har inte fått beslutet.", "Brukaren {name}, {street}, {post} {city} ska flyttas.", "Invånaren {name} bor på {street}."],
    numbered=["{label} {id} ger fel.", "{label}: {id}", "{name} ({label} {id}) får ingen faktura.", "Sökning på {id} ({label}) fungerar inte."],
    hello=["Hej,", "Hej!", "God morgon"], chat=["Systemet visar ett fel när vi sparar.", "Kan ni titta på detta?", "Det fungerade i går.", "Flera handläggare ser samma sak."], bye=["Med vänliga hälsningar", "Mvh", "Vänliga hälsningar"],
    org="Strandköpings kommun", hall="Stadshuset, Storgatan 1, 615 80 Strandköping", jobs=["Systemförvaltare", "Enhetschef", "IT-samordnare"], wrote="Den tors 12 nov. 2026 kl 09:14 skrev {name} <{mail}>:", phone=lambda: f"0{digits(2, '123456789')}-{digits(6)}", dear="Hej {name}", decision="Vi har tagit emot din ansökan den {date}.",
)
FI = Language(
    code="fi", given="Aatos Bertta Eerik Fanni Hilja Impi Jalmari Kaisu Lempi Mauno Nestori Oiva Pirkko Rauha Sulo Taimi Urho Vieno Ylermi Fadumo Matti".split(),
    start="Kivi Törmä Haa Rau Lehti Suo Pelto Ranta Koivu Hau".split(), end="rinta nen la mäki niemi salo kangas lahti ranta vaara".split(), particles=[""], streets="Koivu Ranta Koulu Mänty Pelto Kirkko".split(), street_ends="kuja tie katu polku raitti".split(), number_first=False,
    cities=["Rantakylä", "Ylä-Kivi", "Ii"], post=lambda: digits(5, "0123456789"),
    name=["Nimi", "NIMI", "Asiakkaan nimi", "Koko nimi"], given_label=["Etunimi", "Etunimet"], family_label=["Sukunimi", "SUKUNIMI"], birth=["Syntymäaika", "Synt.aika", "Syntymäpäivä", "SYNTYMAAIKA"], sex=["Sukupuoli"], address=["Osoite", "Katuosoite", "Lähiosoite"], post_label=["Postinumero", "Postinro"], city=["Postitoimipaikka", "Kotikunta", "Kunta"],
    role=["Lapsi", "Oppilas", "Hakija", "Huoltaja", "Asukas"], other=["Tila", "Palvelu", "Huomautus"], ids=[("henkilotunnus", ["Henkilötunnus", "Hetu", "HETU", "Hlötunnus"])],
    sexes=["M", "N", "mies", "nainen"], titles=["asiakas", "rouva", "herra"], dates=["{d}.{m}.{y}", "{d:02}.{m:02}.{y}", "{y}-{m:02}-{d:02}", "{d}. {month}ta {y}"],
    months="tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu".split(),
    born=["Asia koskee henkilöä {name}, syntynyt {date}.", "{name} (s. {date}) puuttuu luettelosta.", "Asiakas {name}, synt. {date}."],
    lives=["{name}, {street}, {post} {city} ei ole saanut päätöstä.", "Asiakkaan {name}, {street}, {post} {city} asia on auki."],
    numbered=["{label} {id} ei toimi.", "{label}: {id}", "Asiakkaan {name} ({label} {id}) tiedot puuttuvat.", "Haku {id} antaa virheen."],
    hello=["Hei,", "Hei!", "Hyvää huomenta"], chat=["Järjestelmä antaa virheen tallennettaessa.", "Voitteko katsoa tätä?", "Eilen se toimi."], bye=["Ystävällisin terveisin", "Terveisin"],
    org="Rantakylän kunta", hall="Kunnantalo, Koulukatu 1, 91100 Rantakylä", jobs=["Järjestelmäasiantuntija", "Palveluesimies"], wrote="to 12. marrask. 2026 klo 9.14 {name} <{mail}> kirjoitti:", phone=lambda: f"0{digits(2, '45')} {digits(7)}", dear="Hei {name}", decision="Hakemuksenne on saapunut {date}.",
)
DE = Language(
    code="de", given="Adelheid Burkhard Cordula Detlev Eckart Friederike Gerold Hedwig Isolde Jorg-Uwe Kunigunde Lothar Mechthild Nepomuk Ottilie Rainald Swantje Tillmann Wiebke Emre Oksana Hans".split(),
    start="Brack Stö Ahl Wen Gries Hoh Lüt Mer Osten Pfaff Rit Sass Til Wohl".split(), end="mann wer ers dorff inger kamp berg haus ke meier feldt".split(), particles=["", "", "", "von "], streets="Linden Schul Mühlen Am_Anger Kirch Berg Garten".split(), street_ends="straße weg gasse allee ring str.".split(), number_first=False,
    cities=["Heidetal", "Bad Morsum", "Alt-Zerben"], post=lambda: digits(5, "0123456789"),
    name=["Name", "NAME", "Vollständiger Name", "Name, Vorname"], given_label=["Vorname", "Vornamen", "Rufname", "VORNAME"], family_label=["Nachname", "Familienname", "NACHNAME", "Zuname"], birth=["Geburtsdatum", "Geb.-Datum", "geb. am", "GEBDAT", "Geburtstag", "Geb.datum"], sex=["Geschlecht", "Anrede", "Geschl."], address=["Anschrift", "Straße", "Straße/Hausnr.", "Adresse"], post_label=["PLZ", "Postleitzahl"], city=["Ort", "Wohnort"],
    role=["Kind", "Antragsteller", "Mieter", "Erziehungsberechtigte", "Schüler", "Verstorbene"], other=["Status", "Bemerkung", "Bezirk"], ids=[("steuer-id", ["Steuer-ID", "Steueridentifikationsnummer", "IdNr.", "Steuer-IdNr", "Identifikationsnr."])],
    sexes=["m", "w", "Herr", "Frau", "männlich", "weiblich"], titles=["Frau", "Herr", "Fam."], dates=["{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d}. {month} {y}"],
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    born=["Es geht um {title} {name}, geboren am {date}.", "{name} (geb. {date}) fehlt in der Liste.", "Bei {title} {name}, Geburtsdatum {date}, bleibt die Maske leer.", "{title} {name}, *{date}, ist doppelt erfasst."],
    lives=["{title} {name}, {street}, {post} {city} hat keinen Bescheid bekommen.", "Der Antrag von {name}, {street}, {post} {city} ist offen.", "{title} {name}, wohnhaft {street}, kann sich nicht anmelden."],
    numbered=["{label} {id} wird abgelehnt.", "{label}: {id}", "Die {label} {id} von {title} {family} fehlt.", "Suche nach {id} ({label}) schlägt fehl."],
    hello=["Guten Tag,", "Hallo,", "Moin,"], chat=["Nach dem Update erscheint beim Speichern eine Fehlermeldung.", "Können Sie das bitte prüfen?", "Gestern ging es noch.", "Mehrere Kollegen haben das Problem."], bye=["Mit freundlichen Grüßen", "Viele Grüße", "MfG"],
    org="Stadt Heidetal", hall="Rathausplatz 1, 31134 Heidetal", jobs=["Sachbearbeiter", "IT-Koordinatorin", "Fachadministration"], wrote="Am 12.11.2026 um 09:14 schrieb {name} <{mail}>:", phone=lambda: f"0{digits(4, '2345678')} {digits(5)}", dear="Sehr geehrte(r) {title} {family},", decision="Ihr Antrag ist am {date} eingegangen.",
)
EN = Language(
    code="en", given="Araminta Barnaby Clementine Dougal Enid Fergus Gwendoline Hamish Imogen Jolyon Kitty Lionel Mabel Nerys Oswald Prudence Rhys Tabitha Ulric Winnie Adaeze Mohsin John".split(),
    start="Thistle Asant Whit Har Pem Brock Cole Dun Fair Hather Kings Lang Marsh Old".split(), end="wood more ley by worth field ton bury sall croft ridge well".split(), particles=[""], streets="Orchard Mill Station Church Willow Queens Castle".split(), street_ends=" Rise, Road, Lane, Close, Avenue, Way, Drive, Crescent".split(","), number_first=True,
    cities=["Brookham", "Little Marsden", "Upper Holt"], post=lambda: f"{pick(['BR', 'TN', 'ME', 'S', 'LS'])}{R.randint(1, 19)} {R.randint(1, 9)}{pick('ABDEFGH')}{pick('ABDEFGH')}",
    name=["Name", "Full name", "NAME", "Resident", "Claimant name", "Customer name (person)"], given_label=["First name", "Forename", "Given names", "FORENAME", "Fname"], family_label=["Surname", "Last name", "SURNAME", "Family name"], birth=["Date of birth", "DOB", "D.O.B.", "Birth date", "date_of_birth", "Dob"], sex=["Sex", "Gender", "Title"], address=["Address", "Home address", "Address line 1", "Street"], post_label=["Postcode", "Post code", "POSTCODE"], city=["Town", "City", "Post town"],
    role=["Pupil", "Tenant", "Claimant", "Permit holder", "Child", "Parent/guardian", "Deceased"], other=["Status", "Ward", "Notes", "Scheme"], ids=[("nino", ["National Insurance number", "NI number", "NINO", "NI No", "nino", "Nat Ins No"]), ("nhs", ["NHS number", "NHS No.", "NHS_NUMBER"])],
    sexes=["M", "F", "Male", "Female", "Mr", "Mrs"], titles=["Mr", "Mrs", "Ms"], dates=["{d:02}/{m:02}/{y}", "{d}/{m}/{y}", "{y}-{m:02}-{d:02}", "{d} {month} {y}", "{y}-{m:02}-{d:02}T00:00:00"],
    months="January February March April May June July August September October November December".split(),
    born=["{title} {name}, born {date}, is missing from the list.", "The resident is {name} (DOB {date}).", "For {name}, date of birth {date}, the form stays empty."],
    lives=["{title} {name} of {street}, {city}, {post} has not had a letter.", "The claim of {name}, {street}, {city} {post} is still open.", "{title} {name} lives at {street}, {city}."],
    numbered=["{label} {id} is rejected.", "{label}: {id}", "{title} {name} ({label} {id}) cannot register.", "The lookup of {label} {id} fails."],
    hello=["Hello,", "Hi team,", "Good morning,"], chat=["The system shows an error when we save the form.", "Could you have a look?", "It worked fine yesterday.", "Several officers see the same."], bye=["Kind regards,", "Many thanks,", "Regards"],
    org="Brookham Borough Council", hall="Town Hall, 1 Market Square, Brookham BR1 1AA", jobs=["Systems Officer", "Revenues Manager", "Benefits Team Leader"], wrote="On Thu, 12 Nov 2026 at 09:14, {name} <{mail}> wrote:", phone=lambda: f"0{digits(4, '12')} {digits(6)}", dear="Dear {title} {family},", decision="Thank you for your application of {date}.",
)

def other(language, **parts):
    """The same language with the numbers and addresses of another country."""
    return Language(**{**language.__dict__, **parts})


for language in (NL, DA, NB, SV, FI, DE, EN):
    language.base = language.code
BE = other(NL, code="be", ids=[("rijksregisternummer", ["Rijksregisternummer", "RRN", "INSZ", "INSZ-nummer", "Rijksregisternr.", "rijksregisternr"])], cities=["Zandvoorde", "Sint-Godelieve", "Oud-Kessel"], post=lambda: digits(4, "123456789"), org="Stad Zandvoorde", hall="Stadhuis, Grote Markt 1, 8400 Zandvoorde")
IE = other(EN, code="ie", ids=[("ppsn", ["PPS number", "PPSN", "PPS No.", "PPS No", "Personal Public Service Number"])], cities=["Ballyknock", "Kilbrannoch"], post=lambda: f"{pick('ACDEFHKNPRTVWXY')}{digits(2)} {pick('ACDEFHKNPRTVWXY')}{digits(1)}{pick('ACDEFHKNPRTVWXY')}{digits(1)}", org="Ballyknock County Council", hall="County Buildings, Main Street, Ballyknock A12 B3C4")
NN = other(NB, code="nn", name=["Namn", "NAMN", "Fullt namn", "Innbyggjar"], given_label=["Førenamn", "FORNAMN"], family_label=["Etternamn"], birth=["Fødselsdato", "Fødd", "FØDD"], ids=[("fodselsnummer", ["Fødselsnummer", "Fnr", "fødselsnr."])], role=["Namnet til barnet", "Elev", "Søkjar"],
    born=["Gjeld {name}, fødd {date}.", "Saka til {name} (f. {date}) lèt seg ikkje opne."], lives=["{name}, {street}, {post} {city} har ikkje fått vedtaket.", "Innbyggjaren {name} bur i {street}."], numbered=["{label} {id} gjev feil.", "{label}: {id}", "{name}, {label} {id}, manglar."], chat=["Systemet viser ein feil når vi lagrar.", "Kan de sjå på dette?"], bye=["Med venleg helsing", "Helsing"], dear="Hei {name}", decision="Vi viser til søknaden din av {date}.")
FR = Language(
    code="fr", base="fr", given="Aurélien Bérengère Clotilde Désiré Edmonde Firmin Ghislaine Hippolyte Isaline Jehan Léonie Marcelin Noémie Octave Perrine Quentin Rosalie Thibault Véronique Youssra Marie".split(),
    start="Beau Cha Du Fon Gros Lam Mont Petit Roque Ville".split(), end="champ court jean mont pont rieux taine ville vert".split(), particles=["", "", "", "de "], streets=["rue_des_", "avenue_du_", "chemin_de_la_", "place_de_l'"], street_ends="Tilleuls Moulin Fontaine Église Prés".split(), number_first=False,
    cities=["Montplaisir", "Saint-Armel", "Ville-sur-Orne"], post=lambda: digits(4, "123456789"),
    name=["Nom complet", "Nom et prénom", "NOM"], given_label=["Prénom", "Prénoms", "PRENOM"], family_label=["Nom", "Nom de famille", "NOM"], birth=["Date de naissance", "Né(e) le", "Naissance", "DATE_NAISSANCE"], sex=["Sexe"], address=["Adresse", "Rue"], post_label=["Code postal", "CP"], city=["Commune", "Localité", "Ville"],
    role=["Élève", "Demandeur", "Enfant", "Bénéficiaire"], other=["Statut", "Remarque"], ids=[("rijksregisternummer", ["Numéro national", "NISS", "Registre national", "N° national", "Numéro de registre national"])],
    sexes=["M", "F", "homme", "femme"], titles=["Madame", "Monsieur", "M.", "Mme"], dates=["{d:02}/{m:02}/{y}", "{d:02}-{m:02}-{y}", "{d} {month} {y}", "{y}-{m:02}-{d:02}"],
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    born=["{title} {name}, né le {date}, ne figure pas dans la liste.", "Il s'agit de {name} (née le {date}).", "Pour {name}, date de naissance {date}, l'écran reste vide."],
    lives=["{title} {name}, {street}, {post} {city} n'a pas reçu la lettre.", "Le dossier de {name}, {street}, {post} {city} est encore ouvert."],
    numbered=["{label} {id} est refusé.", "{label} : {id}", "{name} ({label} {id}) ne peut pas s'inscrire.", "La recherche sur {id} ({label}) échoue."],
    hello=["Bonjour,", "Chers collègues,"], chat=["Depuis la mise à jour, l'écran se bloque à l'enregistrement.", "Pouvez-vous regarder ?", "Hier tout fonctionnait."], bye=["Cordialement,", "Bien à vous,"],
    org="Ville de Montplaisir", hall="Hôtel de Ville, Grand-Place 1, 5000 Montplaisir", jobs=["Gestionnaire d'application", "Responsable informatique"], wrote="Le jeu. 12 nov. 2026 à 09:14, {name} <{mail}> a écrit :", phone=lambda: f"0{digits(2, '12378')} {digits(2)} {digits(2)} {digits(2)}", dear="{title} {family},", decision="Nous avons bien reçu votre demande du {date}.",
)
# More ways to say it.
SAID = {
    NL: (["Op {date} is {name} geboren, maar de akte ontbreekt.", "De geboortedatum van {name} is {date}.", "{name} ({date}) kan niet inloggen met DigiD.", "Kind: {name}, geb. op {date} te {city}."],
         ["{title} {family} ({street}, {post} {city}) belde vanmorgen over haar aanslag.", "Op het adres {street}, {post} {city} staat {name} nog ingeschreven.", "De verhuizing van {name} naar {street} in {city} is niet verwerkt."],
         ["De inwoner met {label} {id} komt niet voor in het overzicht.", "{id} is het {label} van {name}.", "Zoek maar op {id}, dat is {name}."]),
    DA: (["{name} er født den {date}, men mangler i registret.", "Fødselsdatoen på {name} er {date}.", "{name} ({date}) kan ikke logge på med MitID."],
         ["På adressen {street}, {post} {city} bor {name} stadig ifølge systemet.", "{name} ({street}, {post} {city}) ringede i morges.", "Flytningen af {name} til {street} i {city} er ikke slået igennem."],
         ["Borgeren med {label} {id} findes ikke i oversigten.", "{id} er {label} på {name}.", "Prøv at søge på {id}, det er {name}."]),
    NB: (["{name} er født {date}, men mangler i registeret.", "Fødselsdatoen til {name} er {date}.", "{name} ({date}) får ikke logget inn med BankID."],
         ["På adressen {street}, {post} {city} er {name} fortsatt registrert.", "{name} ({street}, {post} {city}) ringte i dag tidlig.", "Flyttingen av {name} til {street} i {city} er ikke registrert."],
         ["Innbyggeren med {label} {id} finnes ikke i oversikten.", "{id} er {label} til {name}.", "Søk på {id}, det er {name}."]),
    SV: (["{name} är född den {date} men saknas i registret.", "Födelsedatum för {name} är {date}.", "{name} ({date}) kan inte logga in med BankID."],
         ["På adressen {street}, {post} {city} är {name} fortfarande skriven.", "{name} ({street}, {post} {city}) ringde i morse.", "Flytten av {name} till {street} i {city} har inte registrerats."],
         ["Invånaren med {label} {id} finns inte i listan.", "{id} är {label} för {name}.", "Sök på {id}, det är {name}."]),
    FI: (["{name} on syntynyt {date}, mutta puuttuu rekisteristä.", "Henkilön {name} syntymäaika on {date}.", "{name} ({date}) ei pääse kirjautumaan."],
         ["Osoitteessa {street}, {post} {city} asuu järjestelmän mukaan {name}.", "{name} ({street}, {post} {city}) soitti aamulla."],
         ["Asukasta, jonka {label} on {id}, ei löydy luettelosta.", "{id} on {name}, {label}.", "Hae tunnuksella {id}, se on {name}."]),
    DE: (["{name} wurde am {date} geboren, fehlt aber im Register.", "Das Geburtsdatum von {name} ist der {date}.", "{name} ({date}) kann sich nicht anmelden."],
         ["Unter der Anschrift {street}, {post} {city} ist {name} noch gemeldet.", "{title} {family} ({street}, {post} {city}) rief heute früh an.", "Der Umzug von {name} nach {city}, {street}, ist nicht erfasst."],
         ["Der Einwohner mit der {label} {id} fehlt in der Übersicht.", "{id} ist die {label} von {name}."]),
    EN: (["{name} was born on {date} but is missing from the register.", "{name}'s date of birth is {date}.", "{name} ({date}) cannot sign in."],
         ["At {street}, {city}, {post} we still have {name} as the occupier.", "{title} {family} ({street}, {city} {post}) phoned this morning.", "The move of {name} to {street}, {city} has not come through."],
         ["The resident with {label} {id} is not in the overview.", "{id} is the {label} of {name}."]),
    FR: (["{name} est né le {date} mais manque dans le registre.", "La date de naissance de {name} est le {date}."],
         ["À l'adresse {street}, {post} {city}, {name} est toujours inscrit.", "{title} {family} ({street}, {post} {city}) a téléphoné ce matin."],
         ["L'habitant dont le {label} est {id} n'apparaît pas.", "{id} est le {label} de {name}."]),
}
for like, (born, lives, numbered) in SAID.items():
    for language in [like] + {NL: [BE], EN: [IE]}.get(like, []):
        language.born, language.lives, language.numbered = language.born + born, language.lives + lives, language.numbered + numbered
LANGUAGES = [NL, NL, NL, BE, DA, DA, NB, NB, NN, SV, SV, FI, FI, DE, DE, EN, EN, IE, FR]


# --- numbers ---

def weighted(number, weights):
    return sum(int(digit) * weight for digit, weight in zip(number, weights))


def luhn(nine):
    return str(-sum(sum(map(int, str(int(c) * (2 - i % 2)))) for i, c in enumerate(nine)) % 10)


def bsn(_=None):
    while True:
        number = digits(9, "0123")
        if int(number) > 10**7 and weighted(number, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0:
            return number


def cpr(born):
    y, m, d = born
    return f"{d:02}{m:02}{y % 100:02}{pick(['-', '-', '-', ''])}{pick('0123') if y < 2000 else pick('456789' if y < 2037 else '4')}{digits(3)}"


def fnr(born):
    y, m, d = born
    while True:
        nine = f"{d + pick([0, 0, 0, 0, 40]):02}{m:02}{y % 100:02}{digits(3)}"
        k1 = -weighted(nine, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11
        k2 = -weighted(nine + str(k1), [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
        if k1 < 10 and k2 < 10:
            number = f"{nine}{k1}{k2}"
            return pick([number, number, f"{number[:6]} {number[6:]}"])


def personnummer(born):
    y, m, d = born
    nine = f"{y % 100:02}{m:02}{d + pick([0, 0, 0, 0, 0, 60]):02}{R.randint(1, 999):03}"
    return pick(["{c}{a}-{b}", "{a}-{b}", "{c}{a}{b}"]).format(c=y // 100, a=nine[:6], b=nine[6:] + luhn(nine))


def hetu(born):
    y, m, d = born
    day, number = f"{d:02}{m:02}{y % 100:02}", f"{R.randint(2, 899):03}"
    return day + pick("-YXWVU" if y < 2000 else "ABCDEF") + number + "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(day + number) % 31]


def steuer(_=None):
    while True:
        ten = R.sample(range(10), 10)
        a, b = R.sample(range(10), 2)
        ten[a] = ten[b]
        product = 10
        for digit in ten:
            product = ((digit + product) % 10 or 10) * 2 % 11
        if ten[0]:
            return "".join(map(str, ten)) + str((11 - product) % 10)


def nino(_=None):
    prefix = pick([a + b for a in "ABCEGHJLMPRSTWXY" for b in "ABCEHJLMPRSTWX" if a + b not in ("GB", "TN")])
    number = f"{prefix}{digits(6)}{pick('ABCD')}"
    return pick([number, f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:8]} {number[8]}"])


def nhs(_=None):
    while True:
        nine = digits(9, "46")
        check = 11 - weighted(nine, range(10, 1, -1)) % 11
        if check != 10:
            return f"{nine[:3]} {nine[3:6]} {nine[6:]}{check % 11}"


def rrn(born):
    y, m, d = born
    nine = f"{y % 100:02}{m + pick([0, 0, 0, 0, 40]):02}{d:02}{R.randint(1, 997):03}"
    number = nine + f"{97 - int(('2' if y >= 2000 else '') + nine) % 97:02}"
    return pick(["{a}.{b}.{c}-{d}.{e}", "{a}.{b}.{c}-{d}.{e}", "{a}{b}{c}{d}{e}", "{a}{b}{c}-{d}-{e}", "{a}/{b}/{c} {d} {e}"]).format(a=number[:2], b=number[2:4], c=number[4:6], d=number[6:9], e=number[9:])


def ppsn(_=None):
    seven, second = digits(7), pick(["", "", "A", "B", "H", "W"])
    total = weighted(seven, range(8, 1, -1)) + 9 * (" ABCDEFGHIJKLMNOPQRSTUVW".index(second) if second else 0)
    return seven + "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] + second


def anummer(_=None):
    while True:
        number = digits(10, "123456789")
        if all(a != b for a, b in zip(number, number[1:])) and sum(map(int, number)) % 11 in (0, 5) and sum(int(digit) << at for at, digit in enumerate(number)) % 11 == 0:
            return number


MAKERS = {"rijksregisternummer": rrn, "ppsn": ppsn, "a-nummer": anummer, "bsn": bsn, "cpr": cpr, "fodselsnummer": fnr, "personnummer": personnummer, "henkilotunnus": hetu, "steuer-id": steuer, "nino": nino, "nhs": nhs}


class Person:
    def __init__(self, l):
        self.l, self.given = l, pick(l.given)
        self.family = pick(l.particles) + pick(l.start) + pick(l.end)
        self.born = (R.randint(1928, 2018), R.randint(1, 12), R.randint(1, 28))
        street = (pick(l.streets) + pick(l.street_ends)).replace("_", " ")
        self.street = f"{R.randint(1, 140)} {street}" if l.number_first else f"{street} {R.randint(1, 140)}{pick(['', '', '', 'a', ' B'])}"
        self.post, self.city, self.sex, self.title = l.post(), pick(l.cities), pick(l.sexes), pick(l.titles)

    @property
    def name(self):
        return pick([f"{self.given} {self.family}", f"{self.given} {self.family}", f"{self.given[0]}. {self.family}"])

    @property
    def listed(self):
        return pick([f"{self.given} {self.family}", f"{self.family}, {self.given}", f"{self.given[0]}. {self.family}", f"{self.given} {self.family}".upper()])

    def fill(self, template, kind=None, labels=None):
        return template.format(name=self.name, family=self.family, title=self.title, date=day(self.l, self.born), street=self.street, post=self.post, city=self.city, id=MAKERS[kind](self.born) if kind else "", label=pick(labels) if labels else "")


def day(l, ymd, form=None):
    y, m, d = ymd
    return (form or pick(l.dates)).format(y=y, m=m, d=d, month=l.months[m - 1])


def recent():
    return R.randint(2024, 2027), R.randint(1, 12), R.randint(1, 28)


def typo(word):
    """A header as somebody typed it: now and then two letters change places, or the case or the blanks are other."""
    if chance(0.03) and len(word) > 6:
        at = R.randint(3, len(word) - 3)
        word = word[:at] + word[at + 1] + word[at] + word[at + 2:]
    return pick([word, word, word, word, word.upper(), word.lower(), word.replace(" ", "_"), word + " "])


# --- what files say: a title for the mail and either rows or lines ---

def table_of(l, columns, rows):
    if chance(0.7):
        columns.insert(R.randint(0, len(columns)), (pick(l.other), lambda p: pick(["", "ok", "nieuw", "A", "7", "open", day(l, recent())])))
    form = pick(l.dates)
    head = [typo(label) for label, _ in columns]
    people = [Person(l) for _ in range(rows)]
    body = [[value(p) if rows < 3 or chance(0.97) else "" for _, value in columns] for p in people]
    for row, p in zip(body, people):
        for at, (_, value) in enumerate(columns):
            if getattr(value, "is_birth", False) and row[at]:
                row[at] = day(l, p.born, form)
    return "table", [head] + body


def births(p):
    return day(p.l, p.born)


births.is_birth = True


def names(l):
    if chance(0.5):
        columns = [(pick(l.given_label), lambda p: pick([p.given, p.given, p.given[0] + "."])), (pick(l.family_label), lambda p: p.family)]
        return columns if chance(0.7) else columns[::-1]
    return [(pick(l.name + l.role), lambda p: p.listed)]


def homes(l):
    columns = [(pick(l.address), lambda p: p.street), (pick(l.post_label), lambda p: p.post), (pick(l.city), lambda p: p.city)]
    return columns if chance(0.8) else columns[:1] + columns[2:]


def size():
    return pick([1, 2, 3, 5, 8, 20, 60])


def yes_register(l):
    kind, labels = pick(l.ids)
    columns = [(pick(labels), lambda p: MAKERS[kind](p.born))]
    if chance(0.7):
        columns += names(l)
    if chance(0.5):
        columns.append((pick(l.birth), births))
    if chance(0.4):
        columns += homes(l)
    if chance(0.3):
        R.shuffle(columns)
    return table_of(l, columns, size())


def yes_birthlist(l):
    return table_of(l, names(l) + [(pick(l.birth), births)] + (homes(l) if chance(0.3) else []), size())


def yes_homes(l):
    columns = names(l) + homes(l)
    if chance(0.5):
        columns.insert(R.randint(0, 2), (pick(l.sex), lambda p: p.sex))
    return table_of(l, columns, size())


def yes_payments(l):
    kind, labels = pick(l.ids)
    amount = {"nl": "Bedrag", "da": "Beløb", "nb": "Beløp", "sv": "Belopp", "fi": "Määrä", "de": "Betrag", "en": "Amount", "fr": "Montant"}[l.base]
    return table_of(l, [(pick(labels), lambda p: MAKERS[kind](p.born)), (amount, lambda p: f"{R.randint(20, 1900)},{digits(2)}"), ("IBAN", lambda p: f"NL{digits(2)}BANK{digits(10)}")], size())


def form_fields(l):
    p, kind_labels = Person(l), pick(l.ids)
    fields = [(pick(l.given_label), p.given), (pick(l.family_label), p.family)] if chance(0.5) else [(pick(l.name), p.name)]
    which = R.randint(0, 2)
    if which == 0:
        fields.append((pick(l.birth), day(l, p.born)))
    elif which == 1:
        fields += [(pick(l.address), p.street), (pick(l.post_label), p.post), (pick(l.city), p.city)]
    else:
        fields.append((pick(kind_labels[1]), MAKERS[kind_labels[0]](p.born)))
    return fields


def yes_form(l):
    gap = pick([": ", ":  ", "\t", " : ", ":\t"])
    return "lines", [f"{label.strip(':')}{gap}{value}" for label, value in form_fields(l)]


def yes_screen(l):
    return "lines", [text for field in form_fields(l) for text in field]


def yes_letter(l):
    p = Person(l)
    town = [f"{p.post} {p.city}"] if l is not EN else pick([[p.city, p.post], [f"{p.city} {p.post}"]])
    return "lines", [pick([p.name, f"{p.title} {p.given[0]}. {p.family}", p.name]), p.street, *town, "", p.fill(l.dear), "", l.decision.format(date=day(l, recent(), l.dates[0]))]


def yes_prose(l):
    p = Person(l)
    if chance(0.35):
        kind, labels = pick(l.ids)
        return "lines", [p.fill(pick(l.numbered), kind, labels)]
    return "lines", [p.fill(pick(l.born + l.lives))]


def yes_household(l):
    kind = pick(l.dates[:1])
    return "lines", [f"{pick(['', '- ', '* '])}{p.name}{pick([', ', '  ', ' - '])}{day(l, (R.randint(1930, 2004), *p.born[1:]), kind)}" for p in (Person(l) for _ in range(R.randint(3, 6)))]


def yes_numbers(l):
    kind, labels = pick([ids for ids in l.ids if ids[0] not in ("nhs", "steuer-id", "nino")] or l.ids)
    numbers = [MAKERS[kind]((R.randint(1930, 1999), R.randint(1, 12), R.randint(1, 28))) for _ in range(R.randint(4, 25))]
    return "lines", numbers if kind in ("bsn", "cpr", "fodselsnummer", "personnummer", "henkilotunnus") and chance(0.5) else [pick(labels) + ":"] + numbers


TAGS = {"bsn": ["inp.bsn", "bsn", "burgerservicenummer", "Bsn"], "cpr": ["PersonCivilRegistrationIdentifier", "cprNummer", "CPR"], "fodselsnummer": ["foedselsEllerDNummer", "fnr", "fodselsnummer", "foedselsnummer"],
        "personnummer": ["PersonNr", "personnummer", "PersonId"], "henkilotunnus": ["henkilotunnus", "Hetu"], "rijksregisternummer": ["rijksregisternummer", "insz", "niss"], "a-nummer": ["inp.a-nummer", "aNummer"],
        "steuer-id": ["steuerId", "steuerlicheIdentifikationsnummer"], "nino": ["NINO", "nationalInsuranceNumber"], "nhs": ["nhsNumber"], "ppsn": ["ppsn", "PPSNumber"]}


def yes_message(l):
    p, kind = Person(l), pick(l.ids)[0]
    number, tag = MAKERS[kind](p.born), pick(TAGS[kind])
    y, m, d = p.born
    plain = number if kind == "henkilotunnus" else "".join(c for c in number if c.isalnum())
    system = {"bsn": "http://fhir.nl/fhir/NamingSystem/bsn", "cpr": "urn:oid:1.2.208.176.1.2", "nhs": "https://fhir.nhs.uk/Id/nhs-number"}.get(kind, f"https://example.test/id/{tag.lower()}")
    return pick([
        lambda: ("xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<m:bericht xmlns:m="urn:x"><m:stuurgegevens><m:referentienummer>{digits(10)}</m:referentienummer><m:tijdstip>{digits(14, "2")}</m:tijdstip></m:stuurgegevens>\n <m:object><m:{tag}>{number}</m:{tag}><m:naam>{escape(p.family)}</m:naam></m:object></m:bericht>'),
        lambda: ("xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<ns2:PersonInformation xmlns:ns2="http://rep.oio.dk/cpr.dk/xml/schemas/core/2005/03/18/" xmlns:ns4="urn:y">\n  <ns2:RegularCPRPerson><ns2:SimpleCPRPerson><ns4:PersonNameStructure><ns4:PersonGivenName>{p.given}</ns4:PersonGivenName><ns4:PersonSurnameName>{p.family}</ns4:PersonSurnameName></ns4:PersonNameStructure><ns2:{tag}>{plain}</ns2:{tag}></ns2:SimpleCPRPerson></ns2:RegularCPRPerson>\n</ns2:PersonInformation>'),
        lambda: ("xml", f'<?xml version="1.0"?>\n<lijst><record id="{digits(6)}" {tag}="{number}" soort="A"/><record id="{digits(6)}" {tag}="{MAKERS[kind](p.born)}" soort="B"/></lijst>'),
        lambda: ("json", json.dumps({"requestId": digits(12), "items": [{tag: number, "name": {"family": p.family, "given": p.given}, "birthDate": f"{y}-{m:02}-{d:02}"}]}, ensure_ascii=False, indent=pick([None, 2]))),
        lambda: ("json", json.dumps({"resourceType": "Patient", "id": digits(8), "identifier": [{"use": "official", "system": system, "value": plain}]}, indent=pick([None, 2]))),
        lambda: ("json", json.dumps({"type": "RaadpleegMetNummer", "personen": [{"naam": {"voornamen": p.given, "geslachtsnaam": p.family}, "geboorte": {"datum": {"type": "Datum", "datum": f"{y}-{m:02}-{d:02}"}}}]}, ensure_ascii=False)),
        lambda: ("sql", "\n".join(f"INSERT INTO persoon (id, {tag.replace('.', '_').replace('-', '_')}, naam) VALUES ({digits(4, '123')}, '{MAKERS[kind](p.born)}', '{Person(l).family}');" for _ in range(2))),
        lambda: ("lines", [f"00000000Ag01{digits(8)}{lo3(p)}"]) if kind == "bsn" else ("lines", [f"MSH|^~\\&|HIS|X|Y|Z|20260312081102||ADT^A08|{digits(8)}|P|2.4", f"PID|1||{digits(7)}^^^ZIS^PI||{p.family}^{p.given}||{y}{m:02}{d:02}|{pick('MF')}"]),
    ])()


def lo3(p):
    """A person in the exchange format of the Dutch register: category, element, length, value, all in one run."""
    element = lambda number, value: f"{number}{len(value):03}{value}"
    y, m, d = p.born
    person = element("0110", anummer()) + element("0120", bsn()) + element("0210", p.given) + element("0240", p.family) + element("0310", f"{y}{m:02}{d:02}")
    return f"{len(person) + 5:05}01{len(person):03}{person}"


def yes_note(l):
    """A long note on a case: who it is about stands somewhere in the middle."""
    p = Person(l)
    lines = [pick(l.chat) for _ in range(R.randint(1, 4))]
    lines.insert(R.randint(0, len(lines)), p.fill(pick(l.born + l.lives)))
    return "lines", [" ".join(lines)] if chance(0.5) else lines


def yes_census(l):
    columns = names(l) + [(pick(l.sex), lambda p: p.sex)] + homes(l)
    return table_of(l, columns, size())


def yes_log(l):
    kind, labels = pick(l.ids)
    key = {"fodselsnummer": "fnr", "henkilotunnus": "hetu", "a-nummer": "anummer", "rijksregisternummer": "rrn"}.get(kind, kind)
    lines = log_lines()
    number = MAKERS[kind](Person(l).born).replace(" ", "-" if kind == "rijksregisternummer" else "")
    lines.insert(R.randint(0, len(lines)), pick([f"2026-03-12 08:11:02,114 ERROR GET https://register.example/api/persons?{key}={quote(number)}&view=full -> 503", f"2026-03-12T08:11:02Z WARN lookup failed {key}={number} status=404"]))
    return "lines", lines


def log_lines():
    return [f"2026-{R.randint(1, 12):02}-{R.randint(1, 28):02} {R.randint(0, 23):02}:{digits(2, '012345')}:{digits(2, '012345')} {pick(['INFO', 'WARN', 'ERROR'])} [{pick(['main', 'exec-7', digits(5)])}] {pick(['request', 'session', 'message', 'order', 'job'])} {pick([digits(9), digits(10), digits(11), bsn(), '17' + digits(8)])} {pick(['done', 'failed', 'timeout'])} in {digits(3)} ms" for _ in range(R.randint(5, 60))]


HEAD = {  # words of work: task, who, job, department, phone, mail, from, to, number, date, amount, organisation, contact
    "nl": "Taak Wie Functie Afdeling Telefoon E-mail Start Einde Nummer Datum Bedrag Organisatie Contactpersoon".split(), "da": "Opgave Ansvarlig Stilling Afdeling Telefon Mail Start Slut Nummer Dato Beløb Virksomhed Kontaktperson".split(),
    "nb": "Oppgave Ansvarlig Stilling Avdeling Telefon E-post Start Slutt Nummer Dato Beløp Virksomhet Kontaktperson".split(), "sv": "Uppgift Ansvarig Befattning Avdelning Telefon E-post Start Slut Nummer Datum Belopp Företag Kontaktperson".split(),
    "fi": "Tehtävä Vastuuhenkilö Tehtävänimike Osasto Puhelin Sähköposti Alku Loppu Numero Päivä Summa Yritys Yhteyshenkilö".split(), "de": "Aufgabe Verantwortlich Funktion Abteilung Telefon E-Mail Beginn Ende Nummer Datum Betrag Firma Ansprechpartner".split(),
    "fr": "Tâche Responsable Fonction Service Téléphone E-mail Début Fin Numéro Date Montant Organisation Personne_de_contact".split(),
    "en": "Task Owner Job_title Department Phone Email Start End Number Date Amount Organisation Contact".split(),
}


def word(l, at):
    return HEAD[l.base][at].replace("_", " ")


def no_contacts(l):
    rows = [[pick(l.name[:1]), word(l, 2), word(l, 3), word(l, 4), word(l, 5)]]
    for p in (Person(l) for _ in range(size())):
        rows.append([p.name, pick(l.jobs), pick(["ICT", "Burgerzaken", "HR", "Finance"]), l.phone(), f"{p.given.lower()}@x.example"])
    return "table", rows


def no_planning(l):
    return "table", [[word(l, 0), word(l, 1), word(l, 6), word(l, 7)]] + [[pick(["Migratie", "Test", "Upgrade", "Go-live", "Workshop"]), Person(l).name, day(l, recent()), day(l, recent())] for _ in range(size())]


NUMBERED = {"nl": ["Factuurnummer", "Ordernr", "Klantnummer", "Zaaknummer", "Meternummer", "Serienummer", "Contractnr."], "da": ["Fakturanr.", "Ordrenr.", "Kundenr.", "Sagsnr.", "Målernummer", "Serienummer"], "nb": ["Fakturanr", "Ordrenr", "Kundenr", "Saksnr", "Målernr", "Bestilling"], "sv": ["Fakturanr", "Ordernr", "Kundnr", "Ärendenr", "Mätarnr", "OCR"], "fi": ["Laskunumero", "Tilausnro", "Asiakasnumero", "Viite"], "de": ["Rechnungsnr.", "Auftragsnr.", "Kundennummer", "Vorgangsnr.", "Zählernummer"], "en": ["Invoice no", "Order number", "Customer ref", "Case ID", "Meter number", "Serial number"], "fr": ["N° de facture", "Numéro de commande", "Numéro client", "Référence"]}


def no_orders(l):
    width = pick([8, 9, 10, 11])
    step, start = pick([0, 1, 7]), int(digits(width, "123456789"))
    rows = [[typo(pick(NUMBERED[l.base])), word(l, 9), word(l, 10)]]
    for at in range(size()):
        rows.append([str(start + at * step) if step else digits(width), day(l, recent()), f"{R.randint(5, 900)},{digits(2)}"])
    return "table", rows


def company(l):
    return f"{pick(l.start)}{pick(l.end)} {pick(['Groep', 'Bouw', 'Transport', 'Service'])} {pick({'nl': ['B.V.', 'N.V.'], 'da': ['ApS', 'A/S'], 'nb': ['AS'], 'sv': ['AB'], 'fi': ['Oy'], 'de': ['GmbH', 'e.V.'], 'en': ['Ltd', 'plc'], 'fr': ['SA', 'SRL']}[l.base])}"


def no_suppliers(l):
    number = {"nl": ["RSIN", "KvK", "BTW-nummer"], "da": ["CVR", "P-nummer"], "nb": ["Org.nr", "Kontonummer"], "sv": ["Organisationsnummer", "Bankgiro"], "fi": ["Y-tunnus"], "de": ["USt-IdNr.", "Handelsregister"], "en": ["VAT no", "Company number"], "fr": ["N° TVA", "BCE"]}[l.base]
    label = pick(number)
    value = {"RSIN": bsn, "BTW-nummer": lambda: f"NL{bsn()}B01", "Org.nr": lambda: digits(9, "89"), "Kontonummer": lambda: digits(11, "123456789"), "Organisationsnummer": lambda: f"55{R.randint(2000, 9999)}-{digits(4)}"}.get(label, lambda: digits(pick([8, 10])))
    return "table", [[word(l, 11), label, word(l, 12), pick(l.address[:1]), pick(l.post_label[:1]), pick(l.city[:1])]] + [[company(l), value(), Person(l).name, *(lambda p: (p.street, p.post, p.city))(Person(l))] for _ in range(size())]


def no_log(l):
    return "lines", log_lines()


def no_template(l):
    mask = pick(["", "XXXXXXXXX", "*********", "[....]", "________", "..."])
    labels = [pick(l.given_label), pick(l.family_label), pick(l.birth), pick(pick(l.ids)[1]), pick(l.address), pick(l.post_label)]
    return ("table", [labels] + [[mask] * len(labels) for _ in range(3)]) if chance(0.5) else ("lines", [f"{label}: {mask}" for label in labels])


def no_masked(l):
    kind, labels = pick(l.ids)
    rows = [[pick(labels), pick(l.family_label), pick(l.birth)]]
    for p in (Person(l) for _ in range(size())):
        rows.append(["*" * 6 + MAKERS[kind](p.born)[-3:], p.family[0] + "*****", f"**-**-{p.born[0]}"])
    return "table", rows


def no_manual(l):
    return "lines", [f"1. {pick(pick(l.ids)[1])}, {pick(l.birth)}, {pick(l.family_label)}, {pick(l.address)}", f"2. {pick(l.birth)}: dd-mm-jjjj / DD.MM.YYYY", "Versie 12.3.2024, build 240115-1432, pag. 12/45", pick(l.chat)]


def no_statistics(l):
    return "table", [["Wijk/Area", "0-18", "19-64", "65+", "M", "V", "Total"]] + [[f"{pick(l.cities)} {at}", *(str(R.randint(90, 9000)) for _ in range(6))] for at in range(size())]


def no_meters(l):
    return "table", [[pick(NUMBERED[l.base]), pick(l.address[:1]), pick(["kWh", "m3", "Stand"])]] + [[digits(9), f"{l.hall.split(',')[-2].strip() if ',' in l.hall else l.hall}", digits(5)] for _ in range(size())]


def no_assets(l):
    return "table", [["Asset", "Serial", "Model", word(l, 1), word(l, 9)]] + [[f"W-{digits(5)}", pick([digits(9), digits(10), bsn()]), pick(["Latitude 5440", "iPhone 14", "HP 410"]), Person(l).name, day(l, recent())] for _ in range(size())]


def no_buildings(l):
    houses = {"nl": ["Sporthal De Eik", "Zwembad Zuid", "Basisschool De Klimop", "Gemaal Noord", "Brug Achterom"], "da": ["Bakkeskolen", "Biblioteket", "Svømmehallen", "Børnehaven Solsikken"], "nb": ["Fjellvik skole", "Svømmehallen", "Tussilago barnehage", "Biblioteket"], "sv": ["Simhallen", "Lillskolan", "Förskolan Kotten"], "fi": ["Kirjasto", "Rannan koulu", "Uimahalli"], "de": ["Grundschule Nord", "Freibad", "Feuerwehrhaus"], "en": ["Brookham Library", "Leisure Centre", "St Mary Primary School"], "fr": ["Bibliothèque communale", "Piscine du Parc", "École des Tilleuls"]}[l.base]
    return "table", [[pick(l.name[:1]), pick(l.address[:1]), pick(l.post_label[:1]), pick(l.city[:1])]] + [[house, *(lambda p: (p.street, p.post, p.city))(Person(l))] for house in houses]


def no_gis(l):
    return "table", [["id", "x", "y", "lat", "lon"]] + [[str(at), f"{digits(6, '1')}.{digits(3)}", f"{digits(6, '4')}.{digits(3)}", f"52.{digits(7)}", f"5.{digits(7)}"] for at in range(size())]


def no_licence(l):
    return "lines", [f"Licence key: {digits(5)}-{digits(5)}-{digits(5)}-{digits(5)}", f"{company(l)}, contract {pick([bsn(), digits(9)])}, {day(l, recent())}", f"SHA {digits(12)}ab{digits(6)}"]


def no_files(l):
    return "lines", [f"{pick(['export', 'backup', 'scan'])}{pick('-_')}{pick(['2024', '2025', '2026'])}{R.randint(1, 12):02}{R.randint(1, 28):02}-{R.randint(0, 23):02}{digits(2, '012345')}.{pick(['zip', 'csv', 'log'])}" for _ in range(R.randint(2, 12))]


def no_meeting(l):
    return "lines", [f"{day(l, recent())}: {', '.join(Person(l).name for _ in range(R.randint(2, 5)))}", l.hall, pick(l.chat)]


def no_decision(l):
    return "lines", [l.org, f"{pick(l.jobs)} {Person(l).name}", l.hall, l.decision.format(date=day(l, recent(), l.dates[0])).replace("Uw", "De")]


def no_tickets(l):
    start = int(digits(9, "123"))
    return "table", [["Ticket ID", word(l, 1), "Subject", word(l, 9)]] + [[str(start + at * R.randint(1, 9)), Person(l).name, pick(l.chat), day(l, recent())] for at in range(size())]


def no_mail(l):
    return "lines", [pick([f"Ticket {digits(9)}, {day(l, recent())}", f"{pick(NUMBERED[l.base])} {pick([bsn(), digits(9), digits(10), digits(11)])}", f"https://portaal.example/zaken/{bsn()}/documenten", f"{Person(l).name} {l.phone()}", f"IBAN NL{digits(2)}BANK{digits(10)}", f"job {digits(10)} exit 0, pid {digits(6)}"])]


def no_settings(l):
    return "json", json.dumps({"id": int(digits(10, "123456789")), "created": int("17" + digits(8)), "owner": "jvandam", "version": "12.3.1998", "port": 8080, "ids": [int(digits(9, "123")) for _ in range(4)]}, indent=1)


def no_schema(l):
    return "sql", f"CREATE TABLE persoon (id INT, bsn CHAR(9), {l.family_label[0].lower().replace(' ', '_')} VARCHAR(200), {l.birth[0].lower().replace(' ', '_')} DATE);\nINSERT INTO versie (id, nummer, datum) VALUES ({digits(9, '123')}, '{digits(4)}', '2026-03-12');"


def no_invoice(l):
    return "lines", [company(l), f"{Person(l).street}, {l.post()} {pick(l.cities)}", f"IBAN: NL{digits(2)} BANK {digits(4)} {digits(4)} {digits(2)}", f"{pick(NUMBERED[l.base])}: {pick([bsn(), digits(10), digits(11)])}", f"{word(l, 9)}: {day(l, recent())}", f"{word(l, 10)}: {R.randint(20, 9000)},{digits(2)} EUR"]


def no_epochs(l):
    return "table", [["event", "created_at", "updated_at"]] + [[f"evt-{at}", f"{pick(['17', '18'])}{digits(8)}", f"17{digits(11)}"] for at in range(size())]


def no_products(l):
    return "table", [["EAN", "Artikel", word(l, 10)]] + [[f"87{digits(11)}", f"{pick(['Laptop', 'Toner', 'Monitor'])} {digits(3)}", f"{R.randint(5, 900)},{digits(2)}"] for _ in range(size())]


def no_absence(l):
    return "table", [[word(l, 1), word(l, 6), word(l, 7), word(l, 3)]] + [[Person(l).name, day(l, recent()), day(l, recent()), pick(["ICT", "HR", "Finance"])] for _ in range(size())]


def no_release(l):
    return "lines", [f"Release 12.{R.randint(1, 9)}.{digits(4, '12')} ({day(l, recent())})", f"- build 2026{R.randint(1, 12):02}{R.randint(1, 28):02}.{digits(4)}, commit {digits(8)}af", f"- {pick(l.chat)}", f"- {pick(pick(l.ids)[1])}: {pick(l.chat)}"]


def no_network(l):
    return "table", [["Host", "IP", "MAC", "Port", word(l, 1)]] + [[f"srv-{digits(3)}", f"10.{digits(2, '12')}.{digits(2, '12')}.{digits(2, '12')}", ":".join(digits(2) for _ in range(6)), digits(5, "12345"), Person(l).name] for _ in range(size())]


def no_accounts(l):
    label = {"nl": "Rekeningnummer", "da": "Kontonr.", "nb": "Kontonummer", "sv": "Kontonummer", "fi": "Tilinumero", "de": "Kontonummer", "en": "Account number", "fr": "Numéro de compte"}[l.base]
    return "table", [[word(l, 11), label, word(l, 10)]] + [[company(l), pick([digits(10), digits(11)]), f"{R.randint(20, 9000)},{digits(2)}"] for _ in range(size())]


def no_signatures(l):
    return "lines", [line for _ in range(R.randint(2, 4)) for line in [*signature(l), ""]]


YES = [yes_note, yes_census, yes_register, yes_birthlist, yes_homes, yes_payments, yes_form, yes_screen, yes_letter, yes_prose, yes_prose, yes_household, yes_numbers, yes_message, yes_log]
NO = [no_contacts, no_planning, no_orders, no_suppliers, no_log, no_template, no_masked, no_manual, no_statistics, no_meters, no_assets, no_buildings, no_gis, no_licence, no_files, no_meeting, no_decision, no_tickets, no_mail, no_settings, no_schema, no_invoice, no_epochs, no_products, no_absence, no_release, no_network, no_accounts, no_signatures]


# --- mails ---

def signature(l):
    p = Person(l)
    return [pick(l.bye), "", p.name, pick(l.jobs), l.org, l.hall, l.phone()]


def whole_mail(l, shape, content, attached=writers.DOCUMENTS, picture=False):
    """A mail with what it is about in its subject, its text, its history, its HTML, an attachment or a mail within it."""
    mail, writer = EmailMessage(), Person(l)
    said = as_lines(shape, content)
    where = "attachment" if picture else pick(["body", "history", "html", "attachment", "attachment", "attachment", "forwarded"] + ["subject"] * (len(said) == 1 and len(said[0]) < 120))
    mail["From"], mail["To"] = f"{writer.name} <a@x.example>", "support@zaakwijs.example"
    mail["Subject"] = said[0] if where == "subject" else pick(["Vraag", "Fout", "Error", "Spørgsmål", "RE: import"])
    lines = [pick(l.hello), "", pick(l.chat)]
    if where == "body":
        lines += ["", *said, "", pick(l.chat)]
    lines += ["", *signature(l)]
    if where == "history":
        lines += ["", l.wrote.format(name=Person(l).name, mail="b@x.example"), *(f"> {line}" for line in [pick(l.hello), *said, *signature(l)])]
    mail.set_content("\n".join(lines), cte=pick(["8bit", "quoted-printable", "base64"]))
    if where == "html":
        mail.add_alternative(f"<html><body>{html_of('lines', lines[:3])}{html_of(shape, content)}{html_of('lines', signature(l))}</body></html>", subtype="html")
    if where == "forwarded":
        inner = EmailMessage()
        inner["From"], inner["To"], inner["Subject"] = f"{Person(l).name} <b@x.example>", "a@x.example", "Vraag"
        inner.set_content("\n".join([pick(l.hello), "", *said, "", *signature(l)]))
        mail.add_attachment(inner)
    if where != "attachment":
        return "eml", mail.as_bytes()
    if chance(0.3):
        mail.add_attachment(b"Versie 12.3\r\n", maintype="text", subtype="plain", filename="versie.txt")
    form, data = pick(attached)(shape, content)
    name = f"{pick(['export', 'lijst', 'bijlage', 'Book1', 'image001'])}.{form}"

    def finished():
        attachment = data() if callable(data) else data
        if attachment is None:
            return None
        mail.add_attachment(attachment, maintype="application", subtype="octet-stream", filename=name)
        return mail.as_bytes()
    return "eml", finished


def write(number, pictures):
    """The name and the bytes of a file, or a promise of them."""
    l, maker = pick(LANGUAGES), pick(YES if number % 2 else NO)
    shape, content = maker(l)
    if pictures:
        form, data = whole_mail(l, shape, content, writers.PICTURES, True) if chance(0.25) else pick(writers.PICTURES)(shape, content)
    elif chance(0.45):
        form, data = whole_mail(l, shape, content)
    elif shape in ("xml", "json", "sql") and chance(0.7):
        form, data = shape, content.encode()
    else:
        form, data = pick(writers.DOCUMENTS)(shape, content)
    label, kind = maker.__name__.split("_", 1)
    return f"{label}-{'scan' if pictures else ''}{kind}-{l.code}-{number:05}.{form}", data


def main():
    os.makedirs(FOLDER, exist_ok=True)
    made = [write(number, number >= COUNT) for number in range(COUNT + PICTURES)]
    writers.run_office()
    for name, data in made:
        data = data() if callable(data) else data
        if data is None:
            print(f"left out: {name}", file=sys.stderr)
            continue
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
