#!/usr/bin/env python3
"""Writes a labelled corpus of made-up files: half with citizen data, half hard look-alikes of it.

    generate.py SEED COUNT FOLDER

Every file's name begins with `yes-` or `no-` and its kind; nothing in it is real. What postkamer makes of it:
`postkamer screen --json FOLDER | measure.py`. Needs openpyxl, python-docx, reportlab and pillow (PyPI) for all formats;
formats whose library is missing are left out.
"""
import csv, io, json, os, random, sys, zipfile
from html import escape

seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
R = random.Random(seed)
os.makedirs(folder, exist_ok=True)

# Names that are not all in anybody's list of common ones.
NAMES = {
    "nl": (["Sjaak", "Trijntje", "Wietske", "Pieter-Jan", "Dirk", "Annemiek", "Jurre", "Fenna", "Abdelkader", "Gwendolyn", "Marcel", "Roelie"], ["Oosterhuis", "van der Zwaag", "Pruijssers", "Kwakernaak", "de Ridder", "Hoogendoorn", "El Idrissi", "Blokhuis", "ter Horst", "Zandstra", "Wijnberg", "Jansen"]),
    "da": (["Asger", "Birgit", "Signe", "Torkild", "Ditte", "Malik", "Kamilla", "Aage"], ["Kjeldgaard", "Overgaard", "Skov", "Bisgaard", "Toft", "Hansen", "Bjerregaard", "Al-Sayed"]),
    "nb": (["Sverre", "Gunnhild", "Torbjørg", "Eirik", "Ingvild", "Jarle", "Solfrid"], ["Tveit", "Myklebust", "Aasen", "Brekke", "Sandvik", "Hansen", "Øverland", "Rønning"]),
    "sv": (["Göte", "Ingegerd", "Alva", "Rasmus", "Tuva", "Börje", "Majken"], ["Ekström", "Sjödin", "Åkesson", "Hedlund", "Nordin", "Johansson", "Blomqvist"]),
    "fi": (["Tauno", "Aune", "Veikko", "Sirkka", "Niko", "Päivi"], ["Lahtinen", "Hietala", "Kivelä", "Rautio", "Virtanen", "Ojala"]),
    "de": (["Friedhelm", "Roswitha", "Jannik", "Liesel", "Gerlinde", "Timo"], ["Brandstetter", "Kessler", "Oppermann", "Wieland", "Müller", "Seidel"]),
    "en": (["Alfred", "Maud", "Dylan", "Priya", "Winifred", "Callum"], ["Hargreaves", "Whitlock", "Ashworth", "Smith", "Pemberton", "Okafor"]),
}
STREETS = {"nl": ["Kerkstraat", "Molenweg", "Prins Hendriklaan", "Lindenhof"], "da": ["Møllevej", "Søndergade", "Bakkevej"], "nb": ["Storgata", "Fjellveien", "Skolegata"], "sv": ["Storgatan", "Ängsvägen"], "fi": ["Koulukatu", "Rantatie"], "de": ["Gartenstraße", "Lindenweg"], "en": ["Church Lane", "Station Road"]}
CITIES = {"nl": "Waterwolde", "da": "Nordhavn", "nb": "Fjellvik", "sv": "Strandköping", "fi": "Rantakylä", "de": "Heidetal", "en": "Brookham"}
W = {  # words per language: name, given, family, birth, sex, address, postcode, city
    "nl": dict(name=["Naam", "Naam inwoner", "Volledige naam", "Cliënt"], given=["Voornaam", "Voornamen", "Voorletters", "Roepnaam"], family=["Achternaam", "Geslachtsnaam", "Familienaam"], birth=["Geboortedatum", "Geb.datum", "geb. dat.", "Geboren op"], sex=["Geslacht", "M/V"], address=["Adres", "Straat", "Straat en huisnummer", "Woonadres"], post=["Postcode"], city=["Woonplaats", "Plaats"], born=["geboren op", "geb.", "geboren", "geboortedatum", "geboren te Utrecht op"], person=["mevrouw", "de heer", "inwoner", "cliënt", "mw.", "dhr."], m="MV"),
    "da": dict(name=["Navn", "Borgerens navn", "Fulde navn"], given=["Fornavn", "Fornavne"], family=["Efternavn"], birth=["Fødselsdato", "Født", "Fødselsdag"], sex=["Køn"], address=["Adresse", "Vejnavn", "Bopæl"], post=["Postnr."], city=["By"], born=["født", "født den", "f.", "fødselsdato"], person=["borgeren", "fru", "borger"], m="MK"),
    "nb": dict(name=["Navn", "Fullt navn"], given=["Fornavn"], family=["Etternavn"], birth=["Fødselsdato", "Født", "Fødselsdag"], sex=["Kjønn"], address=["Adresse", "Bostedsadresse"], post=["Postnr", "Postnummer"], city=["Poststed"], born=["født", "f.", "fødselsdato", "født den"], person=["innbygger", "bruker"], m="MK"),
    "sv": dict(name=["Namn", "Fullständigt namn"], given=["Förnamn", "Tilltalsnamn"], family=["Efternamn"], birth=["Födelsedatum", "Född", "Födelsedag"], sex=["Kön"], address=["Adress", "Gatuadress", "Bostadsadress"], post=["Postnummer"], city=["Postort", "Ort"], born=["född", "född den", "f.", "födelsedatum"], person=["invånare", "medborgaren"], m="MK"),
    "fi": dict(name=["Nimi", "Koko nimi"], given=["Etunimi", "Etunimet"], family=["Sukunimi"], birth=["Syntymäaika", "Syntymäpäivä"], sex=["Sukupuoli"], address=["Osoite", "Katuosoite"], post=["Postinumero"], city=["Kotikunta", "Kunta"], born=["syntynyt", "synt.", "syntymäaika"], person=["asukas", "rouva", "herra"], m="MN"),
    "de": dict(name=["Name", "Vollständiger Name"], given=["Vorname", "Vornamen"], family=["Nachname", "Familienname"], birth=["Geburtsdatum", "Geb.-Datum", "Geburtstag", "geboren am"], sex=["Geschlecht"], address=["Anschrift", "Straße", "Adresse"], post=["PLZ", "Postleitzahl"], city=["Ort", "Wohnort"], born=["geboren am", "geb.", "geb. am", "Geburtsdatum"], person=["Frau", "Herr", "Bürgerin"], m="MW"),
    "en": dict(name=["Name", "Full name", "Resident name"], given=["First name", "Forename", "Given names"], family=["Surname", "Last name"], birth=["Date of birth", "DOB", "Birth date", "D.O.B."], sex=["Sex", "Gender"], address=["Address", "Home address", "Street"], post=["Postcode"], city=["Town", "City"], born=["born", "born on", "DOB", "date of birth"], person=["Mr", "Mrs", "resident", "Ms"], m="MF"),
}
LANGS = list(W)


def digits(n):
    return "".join(R.choice("0123456789") for _ in range(n))


def bsn():
    while True:
        s = digits(9)
        if int(s) > 10_000_000 and sum(int(c) * w for c, w in zip(s, [9, 8, 7, 6, 5, 4, 3, 2, -1])) % 11 == 0:
            return s


def birth():
    return R.randint(1925, 2018), R.randint(1, 12), R.randint(1, 28)


def cpr():
    y, m, d = birth()
    serial = f"{R.randint(0, 3) if y < 2000 else R.randint(4, 9)}{digits(3)}"
    return f"{d:02}{m:02}{y % 100:02}-{serial}"


def fnr():
    while True:
        y, m, d = birth()
        s = f"{d + R.choice([0, 0, 0, 40]):02}{m:02}{y % 100:02}{digits(3)}"
        n = [int(c) for c in s]
        a = -sum(x * w for x, w in zip(n, [3, 7, 6, 1, 8, 9, 4, 5, 2])) % 11
        b = -sum(x * w for x, w in zip(n + [a], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) % 11
        if a < 10 and b < 10:
            return s + str(a) + str(b)


def pnr():
    y, m, d = birth()
    s = f"{y % 100:02}{m:02}{d:02}{R.randint(1, 999):03}"
    t = sum(sum(map(int, str(int(c) * (2 - i % 2)))) for i, c in enumerate(s))
    c = str(-t % 10)
    return R.choice([f"{s[:6]}-{s[6:]}{c}", f"{y // 100}{s[:6]}-{s[6:]}{c}", f"{y // 100}{s}{c}"])


def hetu():
    y, m, d = birth()
    a, n = f"{d:02}{m:02}{y % 100:02}", f"{R.randint(2, 899):03}"
    return f"{a}{'-' if y < 2000 else 'A'}{n}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(a + n) % 31]}"


def rrn():
    y, m, d = birth()
    s = f"{y % 100:02}{m:02}{d:02}{R.randint(1, 997):03}"
    c = 97 - (int(s) + (2_000_000_000 if y >= 2000 else 0)) % 97
    return f"{s[:2]}.{s[2:4]}.{s[4:6]}-{s[6:]}.{c:02}"


def steuer():
    while True:
        ten = R.sample(range(10), 10)
        i, j = R.sample(range(10), 2)
        ten[i] = ten[j]
        p = 10
        for x in ten:
            s = (x + p) % 10 or 10
            p = s * 2 % 11
        if ten[0]:
            return "".join(map(str, ten)) + str((11 - p) % 10)


def nino():
    return f"{R.choice('ABCEGHJKLMNPRSTWXYZ')}{R.choice('ABCEGHJKLMPRSTWX')} {digits(2)} {digits(2)} {digits(2)} {R.choice('ABCD')}"


def nhs():
    while True:
        s = digits(9)
        k = 11 - sum(int(c) * w for c, w in zip(s, range(10, 1, -1))) % 11
        if k != 10 and s[0] != "0":
            return f"{s[:3]} {s[3:6]} {s[6:]}{k % 11}"


IDS = {
    "nl": [("bsn", bsn, ["BSN", "Burgerservicenummer", "bsn", "BSN nummer", "burgerservicenr."])],
    "da": [("cpr", cpr, ["CPR-nr.", "CPR", "cpr-nummer", "CPR nummer", "Personnummer"])],
    "nb": [("fodselsnummer", fnr, ["Fødselsnummer", "Fnr", "fødselsnr.", "Personnummer", "Fødselsnummer (11 siffer)"])],
    "sv": [("personnummer", pnr, ["Personnummer", "Personnr", "pnr", "Pers.nr"])],
    "fi": [("henkilotunnus", hetu, ["Henkilötunnus", "Hetu", "HETU"])],
    "de": [("steuer-id", steuer, ["Steuer-ID", "Steueridentifikationsnummer", "IdNr."])],
    "en": [("nino", nino, ["National Insurance number", "NI number", "NINO"]), ("nhs", nhs, ["NHS number", "NHS No."])],
}


def date(lang, ymd=None):
    y, m, d = ymd or birth()
    return R.choice({"nl": [f"{d:02}-{m:02}-{y}", f"{d}-{m}-{y}", f"{d} {['januari','februari','maart','april','mei','juni','juli','augustus','september','oktober','november','december'][m-1]} {y}", f"{y}-{m:02}-{d:02}"],
                     "sv": [f"{y}-{m:02}-{d:02}", f"{d}/{m} {y}" if False else f"{y}-{m:02}-{d:02}"], "en": [f"{d:02}/{m:02}/{y}", f"{y}-{m:02}-{d:02}", f"{d} {['January','February','March','April','May','June','July','August','September','October','November','December'][m-1]} {y}"]}.get(lang, [f"{d:02}.{m:02}.{y}", f"{d}.{m}.{y}", f"{y}-{m:02}-{d:02}"]))


def person(lang):
    g, f = (R.choice(x) for x in NAMES[lang])
    return g, f


def postcode(lang):
    return {"nl": f"{R.randint(1000, 9999)} {R.choice('ABCDE')}{R.choice('ABCDE')}", "sv": f"{R.randint(100, 999)} {R.randint(10, 99)}", "fi": f"{R.randint(10000, 99999)}", "de": f"{R.randint(10000, 99999)}", "en": f"BR{R.randint(1, 9)} {R.randint(1, 9)}AB"}.get(lang, str(R.randint(1000, 9999)))


def street(lang):
    return f"{R.randint(1, 99)} {R.choice(STREETS[lang])}" if lang == "en" else f"{R.choice(STREETS[lang])} {R.randint(1, 199)}"


CHAT = {
    "nl": ["Goedemorgen,", "In de nieuwe versie loopt het scherm vast bij het opslaan.", "Kunnen jullie hiernaar kijken?", "Bij het verwerken van deze aanvraag krijgen wij een foutmelding.", "Gisteren werkte het nog."],
    "da": ["Hej,", "Systemet viser en fejl, når vi gemmer.", "Kan I se på det?", "Sagen kan ikke åbnes efter opdateringen."],
    "nb": ["Hei,", "Systemet viser en feil når vi lagrer.", "Kan dere se på dette?", "Etter oppdateringen får vi ikke åpnet saken."],
    "sv": ["Hej,", "Systemet visar ett fel när vi sparar.", "Kan ni titta på detta?", "Efter uppdateringen går ärendet inte att öppna."],
    "fi": ["Hei,", "Järjestelmä näyttää virheen tallennettaessa.", "Voitteko katsoa tätä?"],
    "de": ["Guten Tag,", "nach dem Update erscheint beim Speichern eine Fehlermeldung.", "Können Sie das bitte prüfen?"],
    "en": ["Hello,", "The system shows an error when we save the form.", "Could you have a look?", "It worked fine yesterday."],
}
BYE = {"nl": "Met vriendelijke groet,", "da": "Med venlig hilsen", "nb": "Med vennlig hilsen", "sv": "Med vänliga hälsningar", "fi": "Ystävällisin terveisin", "de": "Mit freundlichen Grüßen", "en": "Kind regards,"}
ORG = {"nl": "Gemeente Waterwolde", "da": "Nordhavn Kommune", "nb": "Fjellvik kommune", "sv": "Strandköpings kommun", "fi": "Rantakylän kunta", "de": "Stadt Heidetal", "en": "Brookham Borough Council"}
JOB = {"nl": "Functioneel beheerder", "da": "Systemansvarlig", "nb": "Systemforvalter", "sv": "Systemförvaltare", "fi": "Järjestelmäasiantuntija", "de": "Sachbearbeiter", "en": "Systems Officer"}


def signature(lang):
    g, f = person(lang)
    tel = {"nl": f"T 0{R.randint(10, 79)} {digits(3)} {digits(2)} {digits(2)} | KvK {digits(8)}", "da": f"Tlf. {digits(2)} {digits(2)} {digits(2)} {digits(2)} | CVR {digits(8)}", "nb": f"Tlf. {digits(8)} | Org.nr. {digits(9)}", "sv": f"Tel 0{digits(2)}-{digits(7)} | Org.nr 212000-{digits(4)}"}.get(lang, f"Tel. +{digits(2)} {digits(9)}")
    return [BYE[lang], "", f"{g} {f}", JOB[lang], ORG[lang], f"{street(lang)}, {postcode(lang)} {CITIES[lang]}", tel]


def chat(lang, *middle):
    lines = R.sample(CHAT[lang][1:], 2 if len(CHAT[lang]) > 2 else 1)
    return [CHAT[lang][0], "", lines[0], *middle, *lines[1:], "", *signature(lang)]


# What a file says: ("table", rows) or ("lines", lines).
def people_table(lang, ids=True, names=True, dob=True, sexaddr=False):
    w = W[lang]
    cols = []
    kind, make, labels = R.choice(IDS[lang])
    if ids:
        cols.append((R.choice(labels), lambda p: make()))
    if names and R.random() < 0.5:
        cols += [(R.choice(w["given"]), lambda p: p[0]), (R.choice(w["family"]), lambda p: p[1])]
    elif names:
        cols.append((R.choice(w["name"]), lambda p: R.choice([f"{p[0]} {p[1]}", f"{p[0][0]}. {p[1]}"])))
    if dob:
        cols.append((R.choice(w["birth"]), lambda p: date(lang)))
    if sexaddr:
        cols += [(R.choice(w["sex"]), lambda p: R.choice(w["m"])), (R.choice(w["address"]), lambda p: street(lang)), (R.choice(w["post"]), lambda p: postcode(lang)), (R.choice(w["city"]), lambda p: CITIES[lang])]
    cols.insert(R.randint(0, len(cols)), (R.choice(["Status", "Type", "Nr", "Opmerking", "Info"]), lambda p: R.choice(["ok", "nieuw", "open", "A", "7"])))
    rows = [[c[0] for c in cols]]
    for _ in range(R.randint(2, 25)):
        p = person(lang)
        rows.append([c[1](p) for c in cols])
    return "table", rows


def yes_id_table(l): return people_table(l, names=R.random() < 0.5, dob=False)
def yes_birth_table(l): return people_table(l, ids=False)
def yes_address_table(l): return people_table(l, ids=False, dob=False, sexaddr=True)


def yes_id_mail(l):
    kind, make, labels = R.choice(IDS[l])
    g, f = person(l)
    return "lines", chat(l, R.choice([f"{R.choice(labels)}: {make()}", f"{g} {f}, {R.choice(labels)} {make()}", f"Het gaat om {R.choice(labels)} {make()}" if l == "nl" else f"{R.choice(labels)} {make()}", f"{R.choice(W[l]['person'])} {g} {f} ({R.choice(labels)} {make()})"]))


def yes_form(l):
    w, (g, f) = W[l], person(l)
    sep = R.choice([": ", ":  ", "\t", " : "])
    fields = [(R.choice(w["given"]), g), (R.choice(w["family"]), f), (R.choice(w["birth"]), date(l)), (R.choice(w["address"]), street(l)), (R.choice(w["post"]), postcode(l))]
    if R.random() < 0.4:
        kind, make, labels = R.choice(IDS[l])
        fields.append((R.choice(labels), make()))
    return "lines", chat(l, *[f"{a}{sep}{b}" for a, b in fields])


def yes_prose(l):
    w, (g, f) = W[l], person(l)
    name = R.choice([f"{g} {f}", f"{g[0]}. {f}"])
    return "lines", chat(l, R.choice([f"{R.choice(w['person'])} {name}, {R.choice(w['born'])} {date(l)}", f"{name} ({R.choice(w['born'])} {date(l)})", f"{R.choice(w['person'])} {name} {R.choice(w['born'])} {date(l)}"]) + ".")


def yes_list(l):
    return "lines", chat(l, *[f"{R.choice(['', '- '])}{g} {f}, {date(l, (R.randint(1930, 2008), R.randint(1, 12), R.randint(1, 28)))}" for g, f in (person(l) for _ in range(4))])


def yes_bare_ids(l):
    kind, make, labels = R.choice(IDS[l])
    if kind in ("nhs", "steuer-id"):
        return yes_id_table(l)
    return "lines", [make() for _ in range(R.randint(5, 20))]


def yes_message(l):
    kind, make, labels = R.choice(IDS[l])
    tag = {"bsn": "inp.bsn", "cpr": "PersonCivilRegistrationIdentifier", "fodselsnummer": "foedselsEllerDNummer", "personnummer": "PersonNr", "henkilotunnus": "Henkilotunnus"}.get(kind, labels[0].replace(" ", ""))
    g, f = person(l)
    if R.random() < 0.5:
        return "xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<bericht xmlns:a="urn:x"><a:stuurgegevens><a:referentienummer>{digits(9)}</a:referentienummer></a:stuurgegevens><a:object><a:{tag}>{make()}</a:{tag}><a:geslachtsnaam>{escape(f)}</a:geslachtsnaam></a:object></bericht>'
    return "json", json.dumps({"id": digits(9), "resultaat": [{tag: make(), "naam": f} for _ in range(R.randint(1, 4))]}, ensure_ascii=False)


def no_contacts(l):
    head = {"nl": ["Naam", "Functie", "Afdeling", "Telefoon", "E-mail"], "da": ["Navn", "Stilling", "Afdeling", "Telefon", "E-mail"], "nb": ["Navn", "Stilling", "Avdeling", "Telefon", "E-post"], "sv": ["Namn", "Befattning", "Avdelning", "Telefon", "E-post"], "fi": ["Nimi", "Tehtävä", "Osasto", "Puhelin", "Sähköposti"], "de": ["Name", "Funktion", "Abteilung", "Telefon", "E-Mail"], "en": ["Name", "Job title", "Department", "Phone", "Email"]}[l]
    rows = [head]
    for _ in range(R.randint(3, 20)):
        g, f = person(l)
        rows.append([f"{g} {f}", JOB[l], R.choice(["ICT", "Burgerzaken", "Sociaal", "Økonomi"]), "0" + digits(9), f"{g.lower()}@{CITIES[l].lower()}.example"])
    return "table", rows


def no_planning(l):
    rows = [R.choice([["Taak", "Wie", "Start", "Einde"], ["Opgave", "Ansvarlig", "Startdato", "Slutdato"], ["Task", "Owner", "Start", "End"], ["Aufgabe", "Verantwortlich", "Beginn", "Ende"], ["Uppgift", "Ansvarig", "Start", "Slut"]])]
    for _ in range(R.randint(3, 15)):
        g, f = person(l)
        rows.append([R.choice(["Migratie", "Test", "Upgrade", "Go-live"]), f"{g} {f}", date(l, (2026, R.randint(1, 12), R.randint(1, 28))), date(l, (2027, R.randint(1, 12), R.randint(1, 28)))])
    return "table", rows


def no_invoices(l):
    rows = [R.choice([["Factuurnummer", "Klantnummer", "Bedrag", "Datum"], ["Fakturanr.", "Kundenr.", "Beløb", "Dato"], ["Invoice no", "Customer no", "Amount", "Date"], ["Rechnungsnummer", "Kundennummer", "Betrag", "Datum"], ["Fakturanummer", "Kundnummer", "Belopp", "Datum"]])]
    for _ in range(R.randint(4, 30)):
        rows.append([digits(R.choice([8, 9, 10])), R.choice([bsn(), digits(9)]), f"{R.randint(10, 9999)},{digits(2)}", date(l, (2025, R.randint(1, 12), R.randint(1, 28)))])
    return "table", rows


def no_orgs(l):
    rows = [R.choice([["Organisatie", "RSIN", "KvK"], ["Virksomhed", "CVR", "P-nummer"], ["Virksomhet", "Org.nr.", "Kontonummer"], ["Företag", "Organisationsnummer", "Bankgiro"], ["Leverancier", "BTW-nummer", "IBAN"]])]
    for i in range(R.randint(3, 15)):
        rows.append([f"{R.choice(['Alfa', 'Beta', 'Delta', 'Noord'])} {R.choice(['B.V.', 'ApS', 'AS', 'AB', 'GmbH'])}", {"RSIN": bsn(), "CVR": digits(8), "Org.nr.": digits(9), "Organisationsnummer": f"55{R.randint(2000, 9999)}-{digits(4)}", "BTW-nummer": f"NL{bsn()}B01"}[rows[0][1]], digits(8) if rows[0][2] == "KvK" else digits(10)])
    return "table", rows


def no_log(l):
    return "lines", [f"2026-{R.randint(1, 12):02}-{R.randint(1, 28):02} {R.randint(0, 23):02}:{digits(2)}:{digits(2)} {R.choice(['INFO', 'WARN', 'ERROR'])} [{digits(5)}] {R.choice(['request', 'zaak', 'session', 'message', 'order'])} {R.choice([digits(9), digits(10), digits(11), bsn(), '17' + digits(8)])} {R.choice(['done', 'failed', 'timeout'])} in {digits(3)} ms" for _ in range(R.randint(10, 80))]


def no_template(l):
    w = W[l]
    kind, make, labels = R.choice(IDS[l])
    mask = R.choice(["", "XXXXXXXXX", "*********", "[in te vullen]", "..."])
    if R.random() < 0.5:
        return "table", [[labels[0], w["name"][0], w["birth"][0]]] + [[mask] * 3 for _ in range(5)]
    return "lines", [f"{x}: {mask}" for x in (w["given"][0], w["family"][0], w["birth"][0], labels[0], w["address"][0])]


def no_manual(l):
    w = W[l]
    kind, make, labels = R.choice(IDS[l])
    return "lines", [{"nl": f"Vul in het veld {labels[0]} het nummer in. Kies daarna {w['birth'][0]} en klik op Opslaan.", "en": f"Enter the {labels[0]} in the field and choose {w['birth'][0]}."}.get(l, f"{labels[0]} / {w['birth'][0]} / {w['family'][0]}: 1. 2. 3."), "Versie 12.3.2024, build 240115-1432", f"{w['name'][0]}, {w['birth'][0]}, {w['address'][0]}", "Pagina 12 van 45"] * 3


def no_statistics(l):
    rows = [["Wijk", "Inwoners", "M", "V", "Gem. leeftijd"]]
    for i in range(12):
        m, v = R.randint(900, 9000), R.randint(900, 9000)
        rows.append([f"{CITIES[l]} {i}", str(m + v), str(m), str(v), f"{R.randint(30, 50)},{R.randint(0, 9)}"])
    return "table", rows


def no_mail(l):
    g, f = person(l)
    return "lines", chat(l, R.choice([f"Ticket {digits(9)}, {date(l, (2026, 3, 4))}", f"{g} {f} {R.choice(['belt', 'ringer', 'ruft an', 'will call'])} {date(l, (2026, 11, 21))}", f"ID {digits(9)}", f"factuur {bsn()} / order {digits(10)}", f"tel. 06-{digits(8)}", f"https://portaal.example/zaken/{bsn()}", f"backup_20260115-1432.zip, backup_20260116-1432.zip"]))


def no_columns(l):
    rows = [R.choice([["Zaaknummer", "Status"], ["Sagsnr.", "Status"], ["Case ID", "Status"], ["Object-ID", "Waarde"], ["id", "created_at"], ["Serienummer", "Type"], ["Artikelnummer", "EAN"]])]
    start = R.randint(10**8, 9 * 10**8)
    for i in range(R.randint(5, 40)):
        rows.append([str(start + i * R.choice([1, 1, 2, 7])) if R.random() < 0.7 else digits(9), R.choice(["open", "1732147200", digits(13), "dicht"])])
    return "table", rows


YES = [yes_id_table, yes_birth_table, yes_address_table, yes_id_mail, yes_form, yes_prose, yes_list, yes_bare_ids, yes_message]
NO = [no_contacts, no_planning, no_invoices, no_orgs, no_log, no_template, no_manual, no_statistics, no_mail, no_columns]


def aligned(rows):
    widths = [max(len(str(row[i])) for row in rows if i < len(row)) + 3 for i in range(len(rows[0]))]
    return ["".join(str(c).ljust(widths[i]) for i, c in enumerate(row)).rstrip() for row in rows]


def as_text(shape, content):
    return aligned(content) if shape == "table" else content


def write_csv(shape, content):
    if shape != "table":
        return None
    out = io.StringIO()
    csv.writer(out, delimiter=R.choice(";,\t")).writerows(content)
    return "csv", out.getvalue().encode(R.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), "replace")


def write_txt(shape, content):
    return "txt", "\n".join(as_text(shape, content)).encode("utf-8")


def write_html(shape, content):
    body = "<table>" + "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>" for row in content) + "</table>" if shape == "table" else "".join(f"<p>{escape(x)}</p>" for x in content)
    return "html", f"<!DOCTYPE html><html><body>{body}</body></html>".encode()


def write_xlsx(shape, content):
    import openpyxl
    book = openpyxl.Workbook()
    if R.random() < 0.3:
        book.active["A1"] = "Toelichting"
        sheet = book.create_sheet("Blad2")
        sheet.sheet_state = R.choice(["visible", "hidden"])
    else:
        sheet = book.active
    if R.random() < 0.3:
        sheet.append(["Export"])
        sheet.append([])
    for row in content if shape == "table" else [[x] for x in content]:
        sheet.append([int(c) if str(c).isdigit() and R.random() < 0.5 else c for c in row])
    out = io.BytesIO()
    book.save(out)
    return "xlsx", out.getvalue()


def write_docx(shape, content):
    import docx
    d = docx.Document()
    if shape == "table":
        t = d.add_table(rows=0, cols=len(content[0]))
        for row in content:
            cells = t.add_row().cells
            for cell, value in zip(cells, row):
                cell.text = str(value)
    else:
        for x in content:
            d.add_paragraph(x)
    out = io.BytesIO()
    d.save(out)
    return "docx", out.getvalue()


def write_pdf(shape, content):
    from reportlab.pdfgen import canvas
    out = io.BytesIO()
    c = canvas.Canvas(out, pagesize=(842, 595))
    y = 560
    if shape == "table":
        width = 780 // len(content[0])
        for row in content:
            for i, cell in enumerate(row):
                c.drawString(30 + i * width, y, str(cell)[: width // 5])
            y -= 16
    else:
        for x in content:
            c.drawString(30, y, x)
            y -= 14
            if y < 30:
                c.showPage()
                y = 560
    c.save()
    return "pdf", out.getvalue()


def write_png(shape, content):
    from PIL import Image, ImageDraw, ImageFont
    lines = as_text(shape, content)[:30]
    font = ImageFont.truetype(R.choice([p for p in ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"] if os.path.exists(p)] or ["DejaVuSans.ttf"]), R.choice([13, 14, 16]))
    if shape == "table":
        w = 180 * len(content[0])
        image = Image.new("RGB", (w, 26 * len(lines) + 30), "white")
        draw = ImageDraw.Draw(image)
        for y, row in enumerate(content[:30]):
            for x, cell in enumerate(row):
                draw.text((10 + 180 * x, 10 + 26 * y), str(cell)[:24], "black", font=font)
    else:
        image = Image.new("RGB", (900, 24 * len(lines) + 30), "white")
        draw = ImageDraw.Draw(image)
        for y, x in enumerate(lines):
            draw.text((10, 10 + 24 * y), x, "black", font=font)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "png", out.getvalue()


def write_eml(shape, content):
    from email.message import EmailMessage
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "a@waterwolde.example", "support@zaakwijs.example", "Vraag"
    m.set_content("\n".join(as_text(shape, content)))
    if shape == "table" and R.random() < 0.5:
        m.add_alternative(write_html(shape, content)[1].decode(), subtype="html")
    return "eml", m.as_bytes()


def write_zip(shape, content):
    ext, data = R.choice([write_txt, write_csv, write_docx])(shape, content) or write_txt(shape, content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(f"export.{ext}", data)
    return "zip", out.getvalue()


WRITERS = [write_csv, write_csv, write_txt, write_txt, write_html, write_xlsx, write_xlsx, write_docx, write_docx, write_pdf, write_eml, write_eml, write_zip]
if os.environ.get("PICTURES"):
    WRITERS += [write_png, write_png]

made = 0
while made < count:
    lang = R.choice(LANGS)
    maker = R.choice(YES if made % 2 else NO)
    shape, content = maker(lang)
    if shape in ("xml", "json"):
        ext, data = shape, content.encode()
    else:
        try:
            written = R.choice(WRITERS)(shape, content)
        except ImportError:
            continue
        if written is None:
            continue
        ext, data = written
    label, kind = maker.__name__.split("_", 1)
    with open(os.path.join(folder, f"{label}-{kind}-{lang}-{made:05}.{ext}"), "wb") as f:
        f.write(data)
    made += 1
