#!/usr/bin/env python3
"""Writes files as real programs make them, each with one made-up number in one place where a number can hide.

    formats.py SEED FOLDER

`yes-<place>-nl-<program>.<format>` holds a number with its label; `no-…` is the same file with a harmless word there;
`locked-…` cannot be read by anybody (encrypted, unknown) and must come out as unreadable. After conversion by LibreOffice a
place is kept only where the number can still be found in the converted file, so that the labels stay true.
What postkamer makes of them: `postkamer screen --json FOLDER | measure.py`. Libraries (PyPI) and programs that are missing are
named on stderr and left out. `save_as` writes the tables and letters of generate.py in these programs' formats.
"""
import bz2, contextlib, gzip, io, lzma, os, random, re, shutil, struct, subprocess, sys, tarfile, tempfile, zipfile, zlib
from pathlib import Path

CASES = []  # (format, place, program, maker): a maker gets a text and gives the bytes of a file


def case(form, place, program):
    def keep(maker):
        CASES.append((form, place, program, maker))
        return maker
    return keep


def saved(save):
    out = io.BytesIO()
    save(out)
    return out.getvalue()


def bsn(random):
    while True:
        digits = [random.randint(1, 9)] + [random.randint(0, 9) for _ in range(8)]
        if sum(d * w for d, w in zip(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1])) % 11 == 0:
            return "".join(map(str, digits))


FILLER = [
    "Goedemorgen, in de nieuwe versie loopt het scherm vast bij het opslaan van een zaak.",
    "Kunnen jullie hiernaar kijken? Gisteren werkte het nog, vandaag niet meer.",
    "Bij het openen van het overzicht duurt het laden meer dan een minuut.",
]


def screenshot(text, format="PNG", size=15, **options):
    """A window with a form, as a screen shows it."""
    from PIL import Image, ImageDraw, ImageFont
    image = Image.new("RGB", (760, 220), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype("DejaVuSans.ttf", size)
    for row, line in enumerate(["Zaaksysteem - venster 3", "Status: in behandeling", text, "Opslaan    Annuleren"]):
        draw.text((20, 20 + 45 * row), line, "black", font=font)
    if format is None:
        return image
    return saved(lambda out: image.convert(options.pop("mode", "RGB")).save(out, format, **options))


def page(text, dpi=200):
    """A letter on paper: black on white, the size of A4."""
    from PIL import Image, ImageDraw, ImageFont
    image = Image.new("L", (int(8.27 * dpi), int(11.7 * dpi)), 255)
    font = ImageFont.truetype("DejaVuSans.ttf", int(dpi * 11 / 72))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(["Gemeente Waterwolde", "", *[part for line in FILLER for part in (line[:60], line[60:])], "", text]):
        draw.text((dpi, dpi + row * dpi // 4), line, 0, font=font)
    return image


# --- spreadsheets ---------------------------------------------------------------------------------------------------------

def openpyxl_book(change):
    import openpyxl
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Week", "Onderdeel", "Uren"], [12, "Inrichting", 4], [13, "Test", 8]):
        sheet.append(row)
    change(book, sheet)
    return saved(book.save)


def in_new_sheet(state):
    def change(text):
        def put(book, sheet):
            other = book.create_sheet("Blad2")
            other["C7"] = text
            other.sheet_state = state
        return openpyxl_book(put)
    return change


for state in ("visible", "hidden", "veryHidden"):
    case("xlsx", f"{state}.sheet", "openpyxl")(in_new_sheet(state))


@case("xlsx", "column", "openpyxl")
def _(text):
    label, value = text.split(": ") if ": " in text else (text, "7")
    def put(book, sheet):
        sheet["E1"], sheet["E2"] = label, int(value)
    return openpyxl_book(put)


@case("xlsx", "number.format", "openpyxl")
def _(text):
    label, value = text.split(": ") if ": " in text else (text, "7")
    def put(book, sheet):
        sheet["E1"], sheet["E2"] = label, int(value)
        sheet["E2"].number_format = "0000\\.00\\.000"
    return openpyxl_book(put)


@case("xlsx", "hidden.row", "openpyxl")
def _(text):
    def put(book, sheet):
        sheet["A9"] = text
        sheet.row_dimensions[9].hidden = True
        sheet.column_dimensions["A"].hidden = True
    return openpyxl_book(put)


@case("xlsx", "comment", "openpyxl")
def _(text):
    from openpyxl.comments import Comment
    return openpyxl_book(lambda book, sheet: setattr(sheet["A1"], "comment", Comment(text, "Ineke Bakker")))


@case("xlsx", "defined.name", "openpyxl")
def _(text):
    from openpyxl.workbook.defined_name import DefinedName
    def put(book, sheet):
        book.defined_names["invoer"] = DefinedName("invoer", attr_text=f'"{text}"')
    return openpyxl_book(put)


@case("xlsx", "header", "openpyxl")
def _(text):
    return openpyxl_book(lambda book, sheet: setattr(sheet.oddHeader.center, "text", text))


@case("xlsx", "properties", "openpyxl")
def _(text):
    return openpyxl_book(lambda book, sheet: setattr(book.properties, "description", text))


@case("xlsx", "sheet.name", "openpyxl")
def _(text):
    return openpyxl_book(lambda book, sheet: setattr(sheet, "title", text.replace(": ", " ")))


@case("xlsx", "validation", "openpyxl")
def _(text):
    from openpyxl.worksheet.datavalidation import DataValidation
    def put(book, sheet):
        rule = DataValidation(type="list", formula1=f'"nieuw,{text}"')
        rule.prompt = "Kies"
        sheet.add_data_validation(rule)
        rule.add("B2")
    return openpyxl_book(put)


@case("xlsx", "picture", "openpyxl")
def _(text):
    from openpyxl.drawing.image import Image
    return openpyxl_book(lambda book, sheet: sheet.add_image(Image(io.BytesIO(screenshot(text))), "E2"))


@case("xlsx", "chart", "openpyxl")
def _(text):
    from openpyxl.chart import BarChart, Reference
    def put(book, sheet):
        chart = BarChart()
        chart.title = text
        chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=3), titles_from_data=True)
        sheet.add_chart(chart, "E5")
    return openpyxl_book(put)


def xlsxwriter_book(change):
    import xlsxwriter
    def save(out):
        book = xlsxwriter.Workbook(out, {"in_memory": True})
        sheet = book.add_worksheet("Planning")
        sheet.write_row(0, 0, ["Week", "Onderdeel", "Uren"])
        change(book, sheet)
        book.close()
    return saved(save)


def xlsxwriter(place, change):
    case("xlsx", place, "xlsxwriter")(lambda text: xlsxwriter_book(lambda book, sheet: change(book, sheet, text)))


xlsxwriter("formula", lambda book, sheet, text: sheet.write_formula("A5", '=CONCATENATE("x",B9)', None, text))
xlsxwriter("text.box", lambda book, sheet, text: sheet.insert_textbox("B5", text))
xlsxwriter("rich.string", lambda book, sheet, text: sheet.write_rich_string("A5", text[:-5], book.add_format({"bold": True}), text[-5:]))
xlsxwriter("link", lambda book, sheet, text: sheet.write_url("A5", f"https://portaal.example/?{text.replace(': ', '=')}", string="portaal"))
xlsxwriter("tip", lambda book, sheet, text: sheet.write_url("A5", "https://portaal.example/", string="portaal", tip=text))
xlsxwriter("alternative.text", lambda book, sheet, text: sheet.insert_image("B5", "x.png", {"image_data": io.BytesIO(screenshot("leeg")), "description": text}))
xlsxwriter("white.on.white", lambda book, sheet, text: sheet.write("Z90", text, book.add_format({"font_color": "white"})))
xlsxwriter("custom.property", lambda book, sheet, text: book.set_custom_property("kenmerk", text))


@case("xls", "cell", "xlwt")
def _(text):
    import xlwt
    book = xlwt.Workbook()
    sheet = book.add_sheet("Planning")
    sheet.write(0, 0, "Week")
    sheet.write(300, 20, text)
    return saved(book.save)


@case("xls", "hidden.sheet", "xlwt")
def _(text):
    import xlwt
    book = xlwt.Workbook()
    book.add_sheet("Planning").write(0, 0, "Week")
    sheet = book.add_sheet("Blad2")
    sheet.write(3, 3, text)
    sheet.visibility = 2
    return saved(book.save)


@case("xls", "header", "xlwt")
def _(text):
    import xlwt
    book = xlwt.Workbook()
    sheet = book.add_sheet("Planning")
    sheet.write(0, 0, "Week")
    sheet.header_str = text.encode()
    return saved(book.save)


@case("xlsb", "cell", "pyxlsbwriter")
def _(text):
    from pyxlsbwriter import XlsbWriter
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.xlsb")
        with XlsbWriter(path) as book:
            book.add_sheet("Planning")
            book.write_sheet([["Week", "Onderdeel"], [12, text]])
        return Path(path).read_bytes()


# --- letters and slides ---------------------------------------------------------------------------------------------------

def docx_letter(change):
    import docx
    letter = docx.Document()
    letter.add_heading("Melding", 1)
    for line in FILLER:
        letter.add_paragraph(line)
    change(letter)
    return saved(letter.save)


def docx(place, change):
    case("docx", place, "python-docx")(lambda text: docx_letter(lambda letter: change(letter, text)))


def raw_xml(letter, xml):
    from docx.oxml import parse_xml
    names = " ".join(f'xmlns:{k}="{v}"' for k, v in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main", "v": "urn:schemas-microsoft-com:vml",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"}.items())
    letter.paragraphs[-1]._p.append(parse_xml(xml.replace(">", f" {names}>", 1)))


def docx_table(letter, text):
    label, value = text.split(": ") if ": " in text else (text, "7")
    table = letter.add_table(rows=2, cols=2)
    table.cell(0, 1).text, table.cell(1, 1).text = label, value


docx("body", lambda letter, text: letter.add_paragraph(text))
docx("split.runs", lambda letter, text: [letter.paragraphs[-1].add_run(part) for part in (" ", text[:-4], text[-4:-2], text[-2:])])
docx("table", docx_table)
docx("header", lambda letter, text: letter.sections[0].header.paragraphs[0].add_run(text))
docx("footer", lambda letter, text: letter.sections[0].footer.paragraphs[0].add_run(text))
docx("first.page.footer", lambda letter, text: (setattr(letter.sections[0], "different_first_page_header_footer", True), letter.sections[0].first_page_footer.paragraphs[0].add_run(text)))
docx("comment", lambda letter, text: letter.add_comment(letter.paragraphs[1].runs, text=text, author="Ineke Bakker"))
docx("hidden.text", lambda letter, text: setattr(letter.add_paragraph().add_run(text).font, "hidden", True))
docx("properties", lambda letter, text: setattr(letter.core_properties, "subject", text))
docx("picture", lambda letter, text: letter.add_picture(io.BytesIO(screenshot(text))))
docx("deleted.text", lambda letter, text: raw_xml(letter, f'<w:del w:id="9" w:author="x"><w:r><w:delText>{text}</w:delText></w:r></w:del>'))
docx("inserted.text", lambda letter, text: raw_xml(letter, f'<w:ins w:id="9" w:author="x"><w:r><w:t>{text}</w:t></w:r></w:ins>'))
docx("text.box", lambda letter, text: raw_xml(letter, f'<w:r><w:pict><v:shape style="width:200pt;height:50pt"><v:textbox><w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>'))
docx("field", lambda letter, text: raw_xml(letter, f'<w:fldSimple w:instr=" SET x &quot;{text}&quot; "><w:r><w:t>1</w:t></w:r></w:fldSimple>'))
docx("alternative.text", lambda letter, text: (letter.add_picture(io.BytesIO(screenshot("leeg"))), letter.inline_shapes[-1]._inline.docPr.set("descr", text)))


@case("docx", "link", "python-docx")
def _(text):
    def change(letter):
        letter.part.relate_to(f"mailto:x@portaal.example?subject={text.replace(': ', '%20')}", "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink", is_external=True)
    return docx_letter(change)


def with_member(base, members, content_type=""):
    """A zip with more members than the library wrote."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in members:
                new.writestr(info, old.read(info.filename).replace(b"</Types>", content_type.encode() + b"</Types>"))
        for name, data in members.items():
            new.writestr(name, data)
    return out.getvalue()


def replaced_in_member(base, name, old, new):
    with zipfile.ZipFile(io.BytesIO(base)) as z:
        return with_member(base, {name: z.read(name).replace(old.encode(), new.encode(), 1)})


for name, member in {
    "custom.xml": "customXml/item1.xml", "footnote": "word/footnotes.xml", "glossary": "word/glossary/document.xml",
}.items():
    def maker(text, member=member):
        w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        xml = f"<?xml version='1.0'?><gegevens><inhoud>{text}</inhoud></gegevens>" if "custom" in member else \
            f"<?xml version='1.0'?><w:root {w}><w:footnote><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote></w:root>"
        return with_member(docx_letter(lambda _: None), {member: xml})
    case("docx", name, "python-docx")(maker)

case("docx", "document.variable", "python-docx")(lambda text: replaced_in_member(
    docx_letter(lambda _: None), "word/settings.xml", "</w:settings>", f'<w:docVars><w:docVar w:name="kenmerk" w:val="{text}"/></w:docVars></w:settings>'))
case("docx", "embedded.workbook", "python-docx")(lambda text: with_member(
    docx_letter(lambda _: None), {"word/embeddings/Microsoft_Excel_Sheet1.xlsx": in_new_sheet("visible")(text)}))
case("docx", "embedded.html", "python-docx")(lambda text: with_member(
    docx_letter(lambda _: None), {"word/afchunk1.mht": f"From: <x>\nMIME-Version: 1.0\nContent-Type: text/html\nSubject: x\n\n<p>{text}</p>"}))


def slides(change):
    import pptx
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Nieuwe versie", FILLER[0]
    change(show, slide)
    return saved(show.save)


def pptx(place, change):
    case("pptx", place, "python-pptx")(lambda text: slides(lambda show, slide: change(show, slide, text)))


def pptx_box(shapes, text):
    from pptx.util import Inches
    shapes.add_textbox(Inches(1), Inches(5), Inches(6), Inches(1)).text_frame.text = text


def pptx_table(show, slide, text):
    from pptx.util import Inches
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(6), Inches(1)).table
    label, value = text.split(": ") if ": " in text else (text, "7")
    table.cell(0, 1).text, table.cell(1, 1).text = label, value


def pptx_chart(show, slide, text):
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches
    data = CategoryChartData()
    data.categories = ["week 12", text]
    data.add_series("Uren", (4, 8))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(3), Inches(6), Inches(3), data)


pptx("text.box", lambda show, slide, text: pptx_box(slide.shapes, text))
pptx("notes", lambda show, slide, text: setattr(slide.notes_slide.notes_text_frame, "text", text))
pptx("table", pptx_table)
pptx("chart", pptx_chart)
pptx("picture", lambda show, slide, text: slide.shapes.add_picture(io.BytesIO(screenshot(text)), 0, 0))
pptx("properties", lambda show, slide, text: setattr(show.core_properties, "subject", text))
pptx("hidden.slide", lambda show, slide, text: (pptx_box(slide.shapes, text), slide._element.set("show", "0")))
pptx("link", lambda show, slide, text: setattr(slide.shapes.title.text_frame.paragraphs[0].runs[0].hyperlink, "address", f"https://portaal.example/?{text.replace(': ', '=')}"))
case("pptx", "layout", "python-pptx")(lambda text: replaced_in_member(slides(lambda *_: None), "ppt/slideMasters/slideMaster1.xml", "Click to edit Master title style", text))
case("pptx", "comment", "python-pptx")(lambda text: with_member(slides(lambda *_: None), {
    "ppt/comments/comment1.xml": f'<?xml version="1.0"?><p:cmLst xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"><p:cm authorId="0" idx="1"><p:pos x="10" y="10"/><p:text>{text}</p:text></p:cm></p:cmLst>'}))


def odf_text(change):
    from odf.opendocument import OpenDocumentText
    from odf.text import P
    letter = OpenDocumentText()
    for line in FILLER:
        letter.text.addElement(P(text=line))
    change(letter)
    return saved(letter.write)


@case("odt", "body", "odfpy")
def _(text):
    from odf.text import P
    return odf_text(lambda letter: letter.text.addElement(P(text=text)))


@case("odt", "header", "odfpy")
def _(text):
    from odf.style import Header, MasterPage, PageLayout
    from odf.text import P
    def change(letter):
        layout = PageLayout(name="L")
        letter.automaticstyles.addElement(layout)
        master = MasterPage(name="Standard", pagelayoutname=layout)
        header = Header()
        header.addElement(P(text=text))
        master.addElement(header)
        letter.masterstyles.addElement(master)
    return odf_text(change)


@case("odt", "properties", "odfpy")
def _(text):
    from odf.dc import Description
    return odf_text(lambda letter: letter.meta.addElement(Description(text=text)))


@case("odt", "variable", "odfpy")
def _(text):
    from odf.text import P, UserFieldDecl, UserFieldDecls
    def change(letter):
        fields = UserFieldDecls()
        fields.addElement(UserFieldDecl(name="kenmerk", valuetype="string", stringvalue=text))
        letter.text.addElement(fields)
    return odf_text(change)


def odf_sheet(text, comment=False):
    from odf.office import Annotation
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P
    book = OpenDocumentSpreadsheet()
    table = Table(name="Planning")
    for cells in (["Week", "Onderdeel"], ["12", "Test" if comment else text]):
        row = TableRow()
        for value in cells:
            cell = TableCell()
            if comment and value == "Test":
                note = Annotation()
                note.addElement(P(text=text))
                cell.addElement(note)
            cell.addElement(P(text=value))
            row.addElement(cell)
        table.addElement(row)
    book.spreadsheet.addElement(table)
    return saved(book.write)


case("ods", "cell", "odfpy")(odf_sheet)
case("ods", "comment", "odfpy")(lambda text: odf_sheet(text, comment=True))


@case("rtf", "body", "by.hand")
def _(text):
    return ("{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator Riched20;}\\pard " + "\\par ".join(FILLER) + "\\par\\b " + text[:-4] + "\\b0 " + text[-4:] + "\\par}").encode("cp1252")


case("rtf", "hidden.text", "by.hand")(lambda text: f"{{\\rtf1\\ansi {FILLER[0]}\\par {{\\v {text}}}\\par}}".encode())
case("rtf", "properties", "by.hand")(lambda text: f"{{\\rtf1\\ansi{{\\info{{\\title {text}}}}} {FILLER[0]}\\par}}".encode())
case("rtf", "picture", "by.hand")(lambda text: f"{{\\rtf1\\ansi {FILLER[0]}\\par{{\\*\\shppict{{\\pict\\pngblip\\picw760\\pich220\n{screenshot(text).hex()}}}}}\\par}}".encode())
case("rtf", "link", "by.hand")(lambda text: f'{{\\rtf1\\ansi {{\\field{{\\*\\fldinst HYPERLINK "https://portaal.example/?{text.replace(": ", "=")}"}}{{\\fldrslt portaal}}}}\\par}}'.encode())
case("rtf", "unicode.escapes", "by.hand")(lambda text: ("{\\rtf1\\ansi\\uc1 " + "".join(f"\\u{ord(c)}?" for c in text) + "\\par}").encode())

# --- PDF ------------------------------------------------------------------------------------------------------------------


def reportlab_pdf(lines, change=lambda canvas: None, **options):
    from reportlab.pdfgen.canvas import Canvas
    def save(out):
        canvas = Canvas(out, **options)
        for row, line in enumerate([*FILLER, *lines]):
            canvas.drawString(60, 780 - 16 * row, line)
        change(canvas)
        canvas.save()
    return saved(save)


case("pdf", "text", "reportlab")(lambda text: reportlab_pdf([text]))
case("pdf", "text.uncompressed", "reportlab")(lambda text: reportlab_pdf([text], pageCompression=0))
case("pdf", "form.field", "reportlab")(lambda text: reportlab_pdf([], lambda c: c.acroForm.textfield(name="veld", value=text, x=60, y=600, width=300)))
case("pdf", "title", "reportlab")(lambda text: reportlab_pdf([], lambda c: c.setTitle(text)))
case("pdf", "bookmark", "reportlab")(lambda text: reportlab_pdf([], lambda c: (c.bookmarkPage("a"), c.addOutlineEntry(text, "a"))))
case("pdf", "link", "reportlab")(lambda text: reportlab_pdf([], lambda c: c.linkURL(f"https://portaal.example/?{text.replace(': ', '=')}", (60, 500, 200, 520))))
case("pdf", "picture", "reportlab")(lambda text: reportlab_pdf([], lambda c: c.drawInlineImage(screenshot(text, None), 60, 300, 380, 110)))
case("pdf", "owner.password", "reportlab")(lambda text: reportlab_pdf([text], encrypt=owner_only()))
case("pdf", "white.on.white", "reportlab")(lambda text: reportlab_pdf([], lambda c: (c.setFillColorRGB(1, 1, 1), c.drawString(60, 300, text))))


def owner_only():
    from reportlab.lib.pdfencrypt import StandardEncryption
    return StandardEncryption("", ownerPassword="eigenaar", canPrint=0, strength=128)


def pypdf_pdf(change, **options):
    import pypdf
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(reportlab_pdf([])))
    change(writer)
    return saved(writer.write)


@case("pdf", "note", "pypdf")
def _(text):
    from pypdf.annotations import Text
    return pypdf_pdf(lambda writer: writer.add_annotation(0, Text(text=text, rect=(50, 550, 70, 570))))


@case("pdf", "free.text", "pypdf")
def _(text):
    from pypdf.annotations import FreeText
    return pypdf_pdf(lambda writer: writer.add_annotation(0, FreeText(text=text, rect=(50, 550, 400, 600))))


case("pdf", "attached.file", "pypdf")(lambda text: pypdf_pdf(lambda writer: writer.add_attachment("export.csv", f"a;b\n1;{text}\n".encode())))
case("pdf", "attached.workbook", "pypdf")(lambda text: pypdf_pdf(lambda writer: writer.add_attachment("export.xlsx", in_new_sheet("visible")(text))))
case("pdf", "attached.name", "pypdf")(lambda text: pypdf_pdf(lambda writer: writer.add_attachment(f"{text}.csv", b"leeg")))
case("pdf", "script", "pypdf")(lambda text: pypdf_pdf(lambda writer: writer.add_open_action(javascript(f'app.alert("{text}");'))))


def javascript(script):
    from pypdf.actions import JavaScript
    return JavaScript(script)


def pikepdf_pdf(base, change, **options):
    import pikepdf
    with pikepdf.open(io.BytesIO(base)) as pdf:
        change(pdf, pikepdf)
        return saved(lambda out: pdf.save(out, **options))


def object_streams(base, **options):
    import pikepdf
    return pikepdf_pdf(base, lambda pdf, _: None, object_stream_mode=pikepdf.ObjectStreamMode.generate, **options)


def xfa(text):
    data = f'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><xfa:datasets xmlns:xfa="x"><xfa:data><form><veld>{text}</veld></form></xfa:data></xfa:datasets></xdp:xdp>'
    def change(pdf, pikepdf):
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=pikepdf.Stream(pdf, data.encode()))
    return pikepdf_pdf(reportlab_pdf([]), change, compress_streams=True)


def xmp(text):
    def change(pdf, _):
        with pdf.open_metadata() as meta:
            meta["dc:description"] = text
    return pikepdf_pdf(reportlab_pdf([]), change, compress_streams=True)


case("pdf", "xfa", "pikepdf")(xfa)
case("pdf", "xmp", "pikepdf")(xmp)
case("pdf", "object.streams.note", "pikepdf")(lambda text: object_streams(maker_of("pdf", "note")(text)))
case("pdf", "object.streams.field", "pikepdf")(lambda text: object_streams(maker_of("pdf", "form.field")(text)))
case("pdf", "linearized", "pikepdf")(lambda text: pikepdf_pdf(reportlab_pdf([text]), lambda *_: None, linearize=True))
case("pdf", "owner.password.aes", "pikepdf")(lambda text: locked_pdf(reportlab_pdf([text]), ""))
case("pdf", "owner.password.title", "pikepdf")(lambda text: locked_pdf(maker_of("pdf", "title")(text), ""))


def locked_pdf(base, user):
    import pikepdf
    return pikepdf_pdf(base, lambda *_: None, encryption=pikepdf.Encryption(owner="eigenaar", user=user, R=6))


def maker_of(form, place):
    return next(maker for f, p, _, maker in CASES if (f, p) == (form, place))


def scanned(pages, **save):
    import img2pdf
    return img2pdf.convert([saved(lambda out, image=image: image.save(out, dpi=(200, 200), **save)) for image in pages])


case("pdf", "scan.jpeg", "img2pdf")(lambda text: scanned([page(text)], format="JPEG", quality=80))
case("pdf", "scan.second.page", "img2pdf")(lambda text: scanned([page("leeg"), page(text)], format="PNG"))
case("pdf", "scan.fax", "img2pdf")(lambda text: scanned([page(text).convert("1")], format="TIFF", compression="group4"))


@case("pdf", "scan.pillow", "pillow")
def _(text):
    return saved(lambda out: page(text).save(out, "PDF", resolution=200))


@case("pdf", "scan.under.text", "reportlab")
def _(text):
    """A scan with a thin layer of text, as copiers and archives put on top."""
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas
    def save(out):
        canvas = Canvas(out, pagesize=(595, 842))
        canvas.drawImage(ImageReader(page(text)), 0, 0, 595, 842)
        for row, line in enumerate(FILLER * 2):
            canvas.drawString(60, 30 + 12 * row, line)
        canvas.save()
    return saved(save)


def ghostscript(base):
    made = subprocess.run(["gs", "-q", "-sDEVICE=pdfwrite", "-o", "-", "-"], input=base, capture_output=True, check=True)
    return made.stdout


case("pdf", "text", "ghostscript")(lambda text: ghostscript(reportlab_pdf([text])))

# --- pictures -------------------------------------------------------------------------------------------------------------

for form, options in {"png": {}, "jpg": {"format": "JPEG", "quality": 85}, "gif": {"format": "GIF"}, "bmp": {"format": "BMP"}, "tiff": {"format": "TIFF"}, "webp": {"format": "WEBP"}}.items():
    case(form, "screenshot", "pillow")(lambda text, options=options: screenshot(text, **{"format": "PNG", **options}))
case("webp", "lossless", "pillow")(lambda text: screenshot(text, "WEBP", lossless=True))
case("png", "palette", "pillow")(lambda text: screenshot(text, "PNG", mode="P"))
case("png", "metadata", "pillow")(lambda text: screenshot_with_words(text))
case("png", "small.type", "pillow")(lambda text: screenshot(text, size=12))
case("jpg", "grey.progressive", "pillow")(lambda text: screenshot(text, "JPEG", mode="L", progressive=True))
case("jpg", "cmyk", "pillow")(lambda text: screenshot(text, "JPEG", mode="CMYK"))
case("jpg", "comment", "pillow")(lambda text: screenshot("leeg", "JPEG", comment=text.encode()))
case("jpg", "turned", "pillow")(lambda text: turned(text))
case("tiff", "fax", "pillow")(lambda text: saved(lambda out: page(text).convert("1").save(out, "TIFF", compression="group4", dpi=(200, 200))))
case("tiff", "lzw", "pillow")(lambda text: screenshot(text, "TIFF", compression="tiff_lzw"))
case("tiff", "jpeg", "pillow")(lambda text: screenshot(text, "TIFF", compression="jpeg"))
case("tiff", "second.page", "pillow")(lambda text: frames("TIFF", text))
case("gif", "third.frame", "pillow")(lambda text: frames("GIF", text, duration=400))
case("png", "second.frame", "pillow")(lambda text: frames("PNG", text, duration=400))
case("webp", "second.frame", "pillow")(lambda text: frames("WEBP", text, duration=400))


def frames(format, text, **options):
    images = [screenshot("eerste beeld", None), screenshot("tweede beeld", None), screenshot(text, None)]
    return saved(lambda out: images[0].save(out, format, save_all=True, append_images=images[1:], **options))


def screenshot_with_words(text):
    from PIL import PngImagePlugin
    words = PngImagePlugin.PngInfo()
    words.add_itxt("Description", text, zip=True)
    return saved(lambda out: screenshot("leeg", None).save(out, "PNG", pnginfo=words))


def turned(text):
    """As a telephone held upright writes it: the pixels lie on their side, and a tag says so."""
    image = screenshot(text, None)
    tags = image.getexif()
    tags[0x0112] = 6
    return saved(lambda out: image.rotate(90, expand=True).save(out, "JPEG", quality=92, exif=tags))


# --- containers and mail --------------------------------------------------------------------------------------------------

def csv_of(text):
    label, value = text.split(": ") if ": " in text else (text, "7")
    return f"{label};plaats\n{value};Waterwolde\n".encode()


def zipped(members, method=zipfile.ZIP_DEFLATED, comment=b""):
    def save(out):
        with zipfile.ZipFile(out, "w", method) as z:
            for name, data in members.items():
                z.writestr(name, data)
            z.comment = comment
    return saved(save)


def tarred(members, mode="w", **options):
    def save(out):
        with tarfile.open(fileobj=out, mode=mode, **options) as t:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    return saved(save)


def sevenzip(members, **options):
    import py7zr
    def save(out):
        with py7zr.SevenZipFile(out, "w", **options) as z:
            for name, data in members.items():
                z.writestr(data, name)
    return saved(save)


def by_7z(members, *arguments, ending="7z"):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in members.items():
            Path(folder, name).write_bytes(data)
        subprocess.run(["7z", "a", "-bd", f"../{os.path.basename(folder)}.{ending}", *arguments, *members], cwd=folder, check=True, capture_output=True)
        made = Path(f"{folder}.{ending}")
        try:
            return made.read_bytes()
        finally:
            made.unlink()


LONG = "map/" * 40 + "export.csv"
for place, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}.items():
    case("zip", place, "python")(lambda text, method=method: zipped({"map/export.csv": csv_of(text)}, method))
case("zip", "member.name", "python")(lambda text: zipped({f"{text.replace(': ', '_')}.txt": b"leeg"}))
case("zip", "folder.name", "python")(lambda text: zipped({f"{text.replace(': ', '_')}/": b""}))
case("zip", "comment", "python")(lambda text: zipped({"a.txt": b"leeg"}, comment=text.encode()))
case("zip", "nested", "python")(lambda text: zipped({"a.zip": zipped({"b.tgz": tarred({"c.7z": sevenzip({"export.csv": csv_of(text)})}, "w:gz")})}))
case("zip", "deflate64", "7z")(lambda text: by_7z({"export.csv": csv_of(text)}, "-tzip", "-mm=Deflate64", ending="zip"))
case("7z", "lzma2", "py7zr")(lambda text: sevenzip({"map/export.csv": csv_of(text), "leeg.txt": b"leeg"}))
case("7z", "member.name", "py7zr")(lambda text: sevenzip({f"{text.replace(': ', '_')}.txt": b"leeg"}))
for place, argument in {"lzma": "-m0=lzma", "lzma2": "-m0=lzma2", "bzip2": "-m0=bzip2", "deflate": "-m0=deflate", "store": "-mx=0", "not.solid": "-ms=off"}.items():
    case("7z", place, "7z")(lambda text, argument=argument: by_7z({"export.csv": csv_of(text), "leeg.txt": b"leeg"}, argument))
case("tar", "gnu", "python")(lambda text: tarred({LONG: csv_of(text)}, format=tarfile.GNU_FORMAT))
case("tar", "pax", "python")(lambda text: tarred({LONG: csv_of(text)}, format=tarfile.PAX_FORMAT))
case("tar", "member.name", "python")(lambda text: tarred({f"{text.replace(': ', '_')}.txt": b"leeg"}))
case("tgz", "member", "python")(lambda text: tarred({"export.csv": csv_of(text)}, "w:gz"))
case("txz", "member", "python")(lambda text: tarred({"export.csv": csv_of(text)}, "w:xz"))
case("gz", "stream", "python")(lambda text: gzip.compress(csv_of(text)))
case("bz2", "stream", "python")(lambda text: bz2.compress(csv_of(text)))
case("xz", "stream", "python")(lambda text: lzma.compress(csv_of(text)))


def mail(text, attachments=(), html=None, subject="Vraag over een zaak"):
    from email.message import EmailMessage
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ineke Bakker <i.bakker@waterwolde.example>", "support@zaakwijs.example", subject
    message["Date"], message["Message-ID"] = "Fri, 20 Nov 2026 10:00:00 +0100", "<1@waterwolde.example>"
    message.set_content("\n".join([*FILLER, text]))
    if html:
        message.add_alternative(html, subtype="html")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


case("eml", "body", "python")(lambda text: mail(text).as_bytes())
case("eml", "subject", "python")(lambda text: mail("", subject=text).as_bytes())
case("eml", "attachment", "python")(lambda text: mail("", [("export.csv", csv_of(text))]).as_bytes())
case("eml", "mail.in.mail", "python")(lambda text: mail("", [("a.eml", mail("", [("b.eml", mail(text).as_bytes())]).as_bytes())]).as_bytes())
case("mbox", "second", "python")(lambda text: b"".join(b"From a@b.example Fri Nov 20 10:00:00 2026\n" + mail(words).as_bytes() + b"\n" for words in ("", text)))
case("ics", "description", "by.hand")(lambda text: f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Overleg\r\nDESCRIPTION:{FILLER[1]} {text[:-4]}\r\n {text[-4:]}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode())
case("vcf", "note", "by.hand")(lambda text: f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ineke Bakker\r\nNOTE:{text}\r\nEND:VCARD\r\n".encode())


def outlook(place):
    def maker(text):
        from aspose.email_foss import msg
        words = lambda where: text if where == place else FILLER[0]
        message = msg.MapiMessage.create(words("subject"), words("body"), unicode_strings=place != "body")
        message.set_property(msg.PropertyId.SENDER_NAME, "Ineke Bakker")
        message.add_recipient("support@zaakwijs.example", display_name=words("recipient"))
        if place == "html":
            message.body_html = f"<html><body><p>{FILLER[0]}</p><p>{text}</p></body></html>"
        if place == "attachment":
            message.add_attachment("export.csv", csv_of(text), mime_type="text/csv")
        if place == "attachment.name":
            message.add_attachment(f"{text.replace(': ', '_')}.txt", b"leeg", mime_type="text/plain")
        if place == "mail.in.mail":
            inner = msg.MapiMessage.create("doorgestuurd", text)
            message.add_embedded_message_attachment(inner, filename="a.msg")
        return message.to_bytes()
    return maker


for place in ("subject", "body", "html", "recipient", "attachment", "attachment.name", "mail.in.mail"):
    case("msg", place, "aspose.email.foss")(outlook(place))


def winmail(text):
    """winmail.dat (MS-OXTNEF): attributes of level, id, length, data and checksum."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    name = b"export.csv\0"
    return struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000)) + attribute(1, 0x00018004, b"Vraag\0") \
        + attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, name) + attribute(2, 0x0006800F, csv_of(text))


case("dat", "winmail", "by.hand")(winmail)

# --- text -----------------------------------------------------------------------------------------------------------------

LETTERS = "Mødet på Ærø: größer, één, förnamn. "  # tells the encodings apart
for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252", "latin-1", "iso8859-15", "mac-roman", "cp850"):
    case("txt", encoding.replace("-", "."), "python")(lambda text, encoding=encoding: "\r\n".join([LETTERS, *FILLER, text]).encode(encoding, "replace"))
for encoding in ("mac-roman", "cp850", "cp1252"):
    # Only the right encoding shows that the column holds dates of birth.
    case("csv", f"label.{encoding}".replace("-", "."), "python")(lambda text, encoding=encoding: ("navn;fødselsdato\nKåre Tveit;12.03.1961\nGunnhild Brekke;07.11.1948\n" if ": " in text else "navn;møtedato\nEtt;12.03.2026\n").encode(encoding))
case("csv", "column", "python")(csv_of)
case("tsv", "column", "python")(lambda text: csv_of(text).replace(b";", b"\t"))
case("csv", "lost.zero", "python")(lambda text: "\n".join(["BSN,kolom", "12345672,1" if ": " in text else "7,1"]).encode())
case("log", "line", "by.hand")(lambda text: "\n".join(f"2026-11-20 10:0{i}:00 INFO [main] verzoek {i} {text if i == 5 else 'klaar'}" for i in range(9)).encode())
case("sql", "insert", "by.hand")(lambda text: "CREATE TABLE persoon (id int, {0} varchar(9));\nINSERT INTO persoon (id, {0}) VALUES (1, '{1}');\n".format(*(text.split(": ") if ": " in text else (text, "7"))).encode())
case("sql", "copy", "pg_dump")(lambda text: "COPY public.persoon (id, {0}) FROM stdin;\n1\t{1}\n\\.\n".format(*(text.lower().split(": ") if ": " in text else (text, "7"))).encode())
case("json", "key", "by.hand")(lambda text: '{{"zaak": {{"id": 12, "persoon": {{"{0}": "{1}"}}}}}}'.format(*(text.split(": ") if ": " in text else (text, "7"))).encode())
case("json", "lines", "by.hand")(lambda text: '{{"a": 1}}\n{{"{0}": {1}}}\n'.format(*(text.split(": ") if ": " in text else (text, "7"))).encode())
STUF = '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><bg:npsLa01 xmlns:bg="http://www.egem.nl/StUF/sector/bg/0310"><bg:antwoord><bg:object>{}</bg:object></bg:antwoord></bg:npsLa01></s:Body></s:Envelope>'
case("xml", "stuf", "by.hand")(lambda text: STUF.format(text.replace("BSN: ", "<bg:inp.bsn>") + ("</bg:inp.bsn>" if ": " in text else "")).encode())
case("xml", "attribute", "by.hand")(lambda text: '<?xml version="1.0"?><zaak><persoon {0}="{1}"/></zaak>'.format(*(text.split(": ") if ": " in text else (text, "7"))).encode())
case("xml", "comment", "by.hand")(lambda text: f"<?xml version='1.0'?><zaak><!-- {text} --><id>1</id></zaak>".encode())
case("xml", "utf-16".replace("-", "."), "by.hand")(lambda text: f'<?xml version="1.0" encoding="UTF-16"?><zaak><oms>{text}</oms></zaak>'.encode("utf-16"))
case("svg", "text", "by.hand")(lambda text: f'<svg xmlns="http://www.w3.org/2000/svg"><text x="1" y="9">{text}</text></svg>'.encode())
case("svg", "picture", "by.hand")(lambda text: f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="{data_url(text)}"/></svg>'.encode())


def data_url(text):
    import base64
    return "data:image/png;base64," + base64.b64encode(screenshot(text)).decode()


def html(place, body):
    case("html", place, "by.hand")(lambda text: f"<!DOCTYPE html><html><head><title>Zaak</title></head><body><p>{FILLER[0]}</p>{body(text)}</body></html>".encode())


def parted(text):
    return text.split(": ") if ": " in text else (text, "7")


html("paragraph", lambda text: f"<p>{text}</p>")
html("table", lambda text: "<table><tr><th>plaats</th><th>{}</th></tr><tr><td>x</td><td>{}</td></tr></table>".format(*parted(text)))
html("bare.divs", lambda text: '<div class="row"><div class="l">{}</div><div class="v">{}</div></div>'.format(*parted(text)))
html("spans", lambda text: '<div><span class="l">{}</span><span class="v">{}</span></div>'.format(*parted(text)))
html("label.and.input", lambda text: '<label for="q">{}</label><input id="q" value="{}">'.format(*parted(text)))
html("named.input", lambda text: '<input type="hidden" name="{}" value="{}">'.format(*parted(text)))
html("definition", lambda text: "<dl><dt>{}</dt><dd>{}</dd></dl>".format(*parted(text)))
html("white.on.white", lambda text: f'<p style="color:#fff;font-size:0">{text}</p>')
html("comment", lambda text: f"<!-- {text} -->")
html("mailto", lambda text: f'<a href="mailto:x@y.example?subject={text.replace(": ", "%20")}&body=x">mail</a>')
html("query", lambda text: '<a href="https://portaal.example/zaak?a=1&{}={}">zaak</a>'.format(*(part.lower() for part in parted(text))))
html("script", lambda text: '<script>var zaak = {{"{}": "{}"}};</script>'.format(*parted(text)))
html("picture", lambda text: f'<img src="{data_url(text)}">')
html("noscript", lambda text: f"<noscript>{text}</noscript>")
html("textarea", lambda text: f"<textarea>{text}</textarea>")
html("entities", lambda text: "<p>" + "".join(f"&#{ord(c)};" for c in text) + "</p>")
html("iframe", lambda text: f'<iframe srcdoc="&lt;p&gt;{text}&lt;/p&gt;"></iframe>')

# --- two formats in one file, and names that lie --------------------------------------------------------------------------

case("pdf", "and.zip", "python")(lambda text: reportlab_pdf([]) + zipped({"export.csv": csv_of(text)}))
case("zip", "and.pdf", "python")(lambda text: reportlab_pdf([text]) + zipped({"leeg.txt": b"leeg"}))
case("png", "and.zip", "python")(lambda text: screenshot("leeg") + zipped({"export.csv": csv_of(text)}))
case("txt", "is.html", "python")(lambda text: f"<html><body><table><tr><td>{text}</td></tr></table></body></html>".encode())
case("txt", "is.docx", "python-docx")(lambda text: docx_letter(lambda letter: letter.add_paragraph(text)))
case("jpg", "is.csv", "python")(csv_of)
case("docx", "is.rtf", "python")(lambda text: f"{{\\rtf1 {text}\\par}}".encode())
case("xls", "is.html", "python")(lambda text: "<table><tr><td>{}</td></tr><tr><td>{}</td></tr></table>".format(*parted(text)).encode())
case("doc", "is.docx", "python-docx")(lambda text: docx_letter(lambda letter: letter.add_paragraph(text)))
case("exe", "self.extracting", "python")(lambda text: b"MZ" + bytes(500) + zipped({"export.csv": csv_of(text)}))

# --- what nobody can read -------------------------------------------------------------------------------------------------

LOCKED = []


def locked(form, place):
    def keep(maker):
        LOCKED.append((form, place, maker))
        return maker
    return keep


def office_locked(base):
    import msoffcrypto
    from msoffcrypto.format.ooxml import OOXMLFile
    return saved(lambda out: OOXMLFile(io.BytesIO(base)).encrypt("geheim", out))


locked("pdf", "password")(lambda text: locked_pdf(reportlab_pdf([text]), "geheim"))
locked("docx", "password")(lambda text: office_locked(docx_letter(lambda letter: letter.add_paragraph(text))))
locked("xlsx", "password")(lambda text: office_locked(in_new_sheet("visible")(text)))
locked("7z", "password")(lambda text: by_7z({"export.csv": csv_of(text)}, "-pgeheim"))
locked("7z", "password.and.names")(lambda text: by_7z({"export.csv": csv_of(text)}, "-pgeheim", "-mhe=on"))
locked("zip", "zipcrypto")(lambda text: by_7z({"export.csv": csv_of(text)}, "-pgeheim", "-tzip", ending="zip"))
locked("zip", "aes")(lambda text: by_7z({"export.csv": csv_of(text)}, "-pgeheim", "-tzip", "-mem=AES256", ending="zip"))
locked("zip", "lzma")(lambda text: by_7z({"export.csv": csv_of(text) * 50}, "-tzip", "-mm=LZMA", ending="zip"))
locked("pdf", "owner.password.and.note")(lambda text: locked_pdf(maker_of("pdf", "note")(text), ""))
locked("zip", "seven.deep")(lambda text: deep(7))
locked("7z", "ppmd")(lambda text: by_7z({"export.csv": csv_of(text)}, "-m0=ppmd"))
locked("heic", "picture")(lambda text: by_command(["heif-enc", "in.png", "-o", "out.heic"], screenshot(text), "in.png", "out.heic"))
locked("sqlite", "database")(lambda text: sqlite(text))
locked("bin", "random")(lambda text: random.Random(text).randbytes(5000))
locked("xml", "doctype")(lambda text: f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "{text}">]><a>&b;</a>'.encode())
locked("docx", "doctype")(lambda text: replaced_in_member(docx_letter(lambda _: None), "word/document.xml", "<w:document", '<!DOCTYPE a [<!ENTITY b "c">]><w:document'))


def deep(levels):
    inner = b"leeg"
    for level in range(levels):
        inner = zipped({f"{level}.zip": inner})
    return inner


def by_command(command, data, source, target):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, source).write_bytes(data)
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return Path(folder, target).read_bytes()


def sqlite(text):
    import sqlite3
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.db")
        with contextlib.closing(sqlite3.connect(path)) as base:
            base.execute("create table a (b)")
            base.execute("insert into a values (?)", (text,))
            base.commit()
        return Path(path).read_bytes()


# --- LibreOffice ----------------------------------------------------------------------------------------------------------

# What it makes of which format. PDF shows what is printed only, so few places survive: `holds` decides.
CONVERSIONS = {"xlsx": ["xls", "ods", "fods", "pdf"], "docx": ["odt", "doc", "rtf", "fodt", "pdf"], "pptx": ["odp", "ppt", "fodp", "pdf"], "odt": ["doc", "rtf"], "ods": ["xls"]}


def convert(folder, files, ending, into):
    """One run of LibreOffice for many files, with a profile of its own. A name that holds dots keeps them."""
    with tempfile.TemporaryDirectory() as profile:
        filters = {"doc": "doc:MS Word 97", "xls": "xls:MS Excel 97", "ppt": "ppt:MS PowerPoint 97"}
        subprocess.run(["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", filters.get(ending, ending), "--outdir", into, *files],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)


def holds(data, number):
    """Whether a number can be found in a file's bytes, whatever they are packed in; pictures are not looked into."""
    forms = [number.encode(), number.encode("utf-16-le")]
    found = lambda part: any(form in part for form in forms) or number.encode() in re.sub(rb"<[^>]*>|\\[a-z]+-?\d* ?|[{}\r\n]", b"", part)
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            return any(found(z.read(name)) for name in z.namelist())
    if data.startswith(b"%PDF"):
        text = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True).stdout
        return number.encode() in text or found(data)
    return found(data)


def save_as(ending, data, source):
    """The bytes of a file of format `source`, saved by LibreOffice as `ending`; None where it makes none."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"a.{source}").write_bytes(data)
        convert(folder, [f"a.{source}"], ending, folder)
        made = Path(folder, f"a.{ending}")
        return made.read_bytes() if made.exists() else None


def main():
    seed, folder = random.Random(int(sys.argv[1])), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    numbers, missing = {}, set()

    def write(label, place, program, form, text, maker):
        path = folder / f"{label}-{place}-nl-{program}.{form}"
        try:
            path.write_bytes(maker(text))
            return path
        except (ImportError, FileNotFoundError) as error:
            missing.add(str(error))
        except subprocess.CalledProcessError as error:
            missing.add(f"{error.cmd[0]} failed for {path.name}")

    for form, place, program, maker in CASES:
        number = bsn(seed)
        if path := write("yes", f"{form}.{place}", program, form, f"BSN: {number}", maker):
            numbers[path] = number
        write("no", f"{form}.{place}", program, form, "planning", maker)
    for form, place, maker in LOCKED:
        write("locked", f"{form}.{place}", "any", form, f"BSN: {bsn(seed)}", maker)

    if shutil.which("soffice"):
        for source, endings in CONVERSIONS.items():
            originals = sorted(path for path in folder.iterdir() if path.suffix == f".{source}" and f"-{source}." in path.name and ".is." not in path.name and not path.name.startswith("locked"))
            for ending in endings:
                with tempfile.TemporaryDirectory() as into:
                    convert(folder, [path.name for path in originals], ending, into)
                    for original in originals:
                        made = Path(into, original.stem + f".{ending}")
                        if not made.exists():
                            continue
                        number = numbers.get(original)
                        if number is None or holds(made.read_bytes(), number) or ".picture-" in original.name:
                            label, place, rest = original.stem.split("-", 2)
                            shutil.copy(made, folder / f"{label}-{place}.as.{ending}-nl-libreoffice.{ending}")
    else:
        missing.add("soffice")
    for what in sorted(missing):
        print(f"left out: {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
