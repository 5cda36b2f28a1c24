"""How what generate.py makes is written: in which format, by which program, in which place of the file.

A writer gets a shape (`table`: rows, `lines`: lines, `xml`, `json`, `sql`: text) and its content, and gives the format and the bytes; or,
where LibreOffice has to save the file, a promise of the bytes that `run_office` keeps for all files at once. All chances are drawn from
the `random` module, which generate.py seeds.
"""
import csv, io, os, random, tempfile
from html import escape
from pathlib import Path

import formats

pick, chance = random.choice, lambda share: random.random() < share


# --- text -----------------------------------------------------------------------------------------------------------------

def as_lines(shape, content):
    if shape != "table":
        return content if shape == "lines" else content.splitlines()
    if chance(0.5):
        gap = pick(["\t", " | ", ";"])
        return [gap.join(map(str, row)) for row in content]
    widths = [max(len(str(row[at])) for row in content) + 3 for at in range(len(content[0]))]
    return ["".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip() for row in content]


def as_rows(shape, content):
    return [list(map(str, row)) for row in content] if shape == "table" else [[line] for line in as_lines(shape, content)]


def write_txt(shape, content):
    return "txt", pick(["\n", "\r\n"]).join(as_lines(shape, content)).encode(pick(["utf-8", "utf-8", "cp1252"]), "replace")


def write_csv(shape, content):
    if shape != "table":
        return write_txt(shape, content)
    out, mark = io.StringIO(), pick(";;,\t")
    csv.writer(out, delimiter=mark, quoting=pick([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerows(([["Export 12-03-2026"], []] if chance(0.15) else []) + content)
    return "tsv" if mark == "\t" else "csv", out.getvalue().encode(pick(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), "replace")


def html_of(shape, content):
    if shape == "table":
        cell = pick(["td", "th"])
        rows = ["<tr>" + "".join(f"<{tag}>{escape(str(c))}</{tag}>" for c in row) + "</tr>" for tag, row in zip([cell] + ["td"] * len(content), content)]
        return f"<table>{''.join(rows)}</table>"
    tag = pick(["p", "div", "li"])
    return "".join(f"<{tag}>{escape(line) or '&nbsp;'}</{tag}>" for line in as_lines(shape, content))


def write_html(shape, content):
    return "html", f"<!DOCTYPE html><html><head><title>Export</title></head><body>{html_of(shape, content)}</body></html>".encode()


def write_rtf(shape, content):
    words = lambda text: "".join(c if c.isascii() and c not in "\\{}" else f"\\u{ord(c)}?" for c in text)
    rows = as_rows(shape, content)
    lines = ["\\trowd " + "".join(f"\\cellx{2000 * at}" for at in range(1, len(row) + 1)) + " " + "".join(f"\\intbl {words(cell)}\\cell " for cell in row) + "\\row"
             if shape == "table" else words(row[0]) + "\\par" for row in rows]
    return "rtf", ("{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}\n" + "\n".join(lines) + "\n}").encode()


# --- sheets, letters, slides ----------------------------------------------------------------------------------------------

def cell_value(cell):
    """A number as a sheet keeps it, now and then."""
    return int(cell) if str(cell).isdigit() and not str(cell).startswith("0") and chance(0.5) else cell


def write_xlsx(shape, content, visible=False):
    rows = [[cell_value(cell) for cell in row] for row in as_rows(shape, content)]
    if chance(0.3):
        return "xlsx", formats.xlsxwriter_book(lambda book, sheet: fill(book.add_worksheet("Export"), rows))
    import openpyxl
    book = openpyxl.Workbook()
    sheet = book.active
    if chance(0.3):
        sheet["A1"] = "Toelichting"
        sheet = book.create_sheet("Blad2")
        sheet.sheet_state = "visible" if visible else pick(["visible", "hidden", "veryHidden"])
    for _ in range(pick([0, 0, 0, 2])):
        sheet.append(["Export"])
    for row in rows:
        sheet.append(row)
    if visible:
        # As somebody who prints it: every column as wide as what it holds, all of them on one page.
        for column in sheet.columns:
            sheet.column_dimensions[column[0].column_letter].width = max(len(str(cell.value or "")) for cell in column) + 3
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = "landscape", 0, True
    return "xlsx", formats.saved(book.save)


def fill(sheet, rows):
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
    sheet.autofit()
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def write_sheet_comment(shape, content):
    from openpyxl.comments import Comment
    text = "\n".join(as_lines(shape, content))
    return "xlsx", formats.openpyxl_book(lambda book, sheet: setattr(sheet["B2"], "comment", Comment(text, "Beheer")))


def paper_table(paper, rows):
    table = paper.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, value in zip(table.add_row().cells, row):
            cell.text = value


def write_docx(shape, content):
    import docx
    paper = docx.Document()
    if shape == "table":
        paper_table(paper, as_rows(shape, content))
    else:
        for line in as_lines(shape, content):
            paper.add_paragraph(line)
    return "docx", formats.saved(paper.save)


def write_docx_place(shape, content):
    """In a header, a footer, a comment or a text box of a letter about something else."""
    lines = as_lines(shape, content)
    def in_section(part):
        part.paragraphs[0].text = lines[0]
        for line in lines[1:]:
            part.add_paragraph(line)
    def change(letter):
        place = pick(["header", "footer", "comment", "box"])
        if place == "comment":
            letter.add_comment(letter.paragraphs[1].runs, text="\n".join(lines), author="Beheer")
        elif place == "box":
            words = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
            formats.raw_xml(letter, f'<w:r><w:pict><v:shape style="width:200pt;height:50pt"><v:textbox><w:txbxContent>{words}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>')
        else:
            in_section(getattr(letter.sections[0], place))
    return "docx", formats.docx_letter(change)


def write_pptx(shape, content):
    """On a slide as a table or a text, or in its notes."""
    from pptx.util import Inches
    rows = as_rows(shape, content)
    def change(show, slide):
        place = pick(["slide", "slide", "notes"])
        if place == "notes":
            slide.notes_slide.notes_text_frame.text = "\n".join(as_lines(shape, content))
        elif shape == "table":
            table = slide.shapes.add_table(len(rows), len(rows[0]), Inches(0.5), Inches(2), Inches(9), Inches(4)).table
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    table.cell(at, column).text = value
        else:
            formats.pptx_box(slide.shapes, "\n".join(row[0] for row in rows))
    return "pptx", formats.slides(change)


def write_odf(shape, content):
    """A sheet or a letter as odfpy writes them."""
    if shape == "table" and chance(0.6):
        from odf.opendocument import OpenDocumentSpreadsheet
        from odf.table import Table, TableCell, TableRow
        from odf.text import P
        book, table = OpenDocumentSpreadsheet(), Table(name="Export")
        for cells in as_rows(shape, content):
            row = TableRow()
            for value in cells:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
                row.addElement(cell)
            table.addElement(row)
        book.spreadsheet.addElement(table)
        return "ods", formats.saved(book.write)
    from odf.text import P
    lines = as_lines(shape, content)
    return "odt", formats.odf_text(lambda letter: [letter.text.addElement(P(text=line)) for line in lines])


# --- what LibreOffice saves -----------------------------------------------------------------------------------------------

WAITING, MADE = {}, {}  # (from, to): files; (from, to, which): what came of them


def saved_by_office(form, data, into):
    batch = WAITING.setdefault((form, into), [])
    batch.append(data)
    which = (form, into, len(batch) - 1)
    return lambda: MADE.get(which)


def run_office():
    """Saves all that waits, each pair of formats in one run of the program."""
    for (form, into), batch in WAITING.items():
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as target:
            for at, data in enumerate(batch):
                Path(folder, f"{at}.{form}").write_bytes(data)
            formats.convert(folder, sorted(os.listdir(folder)), into, target)
            for at in range(len(batch)):
                made = Path(target, f"{at}.{into}")
                if made.exists():
                    MADE[form, into, at] = made.read_bytes()


def write_office(shape, content):
    """The same saved by LibreOffice: only what it prints goes into a PDF."""
    writer, endings = pick([(write_xlsx, ["xls", "ods", "fods", "pdf", "html"]), (write_docx, ["odt", "doc", "rtf", "pdf", "html"]), (write_docx_place, ["odt", "doc", "rtf"]), (write_pptx, ["odp", "ppt"])])
    into = pick(endings)
    form, data = writer(shape, content, visible=into in ("pdf", "html")) if writer is write_xlsx else writer(shape, content)
    return into, saved_by_office(form, data, into)


# --- PDF and pictures -----------------------------------------------------------------------------------------------------

FONTS = [path for path in ["/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"] if os.path.exists(path)]


def write_pdf(shape, content):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen import canvas
    pdfmetrics.registerFont(TTFont("text", FONTS[0]))
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(842, 595))
    y = 560
    page.setFont("text", 9)
    for row in as_rows(shape, content):
        for at, cell in enumerate(row):
            page.drawString(30 + at * (780 // len(row)), y, cell.expandtabs(4))
        y -= 15
        if y < 30:
            page.showPage()
            page.setFont("text", 9)
            y = 560
    page.save()
    return "pdf", out.getvalue()


def write_pdf_place(shape, content):
    """In form fields, a note, or an attached file of a PDF about something else."""
    lines = as_lines(shape, content)
    place = pick(["fields", "note", "file"])
    if place == "fields":
        def fields(canvas):
            for at, line in enumerate(lines[:30]):
                canvas.acroForm.textfield(name=f"veld{at}", value=line, x=60, y=640 - 20 * at, width=400, height=16)
        return "pdf", formats.reportlab_pdf([], fields)
    if place == "note":
        from pypdf.annotations import Text
        return "pdf", formats.pypdf_pdf(lambda writer: writer.add_annotation(0, Text(text="\n".join(lines), rect=(50, 550, 70, 570))))
    form, data = pick([write_csv, write_txt, write_xlsx])(shape, content)
    return "pdf", formats.pypdf_pdf(lambda writer: writer.add_attachment(f"bijlage.{form}", data))


def picture_of(shape, content):
    from PIL import Image, ImageDraw, ImageFont
    font = ImageFont.truetype(pick(FONTS), pick([13, 14, 16]))
    rows = [list(map(str, row)) for row in content[:24]] if shape == "table" else [[line.expandtabs(4)] for line in as_lines(shape, content)[:70]]
    widths = [max(int(font.getlength(row[at])) for row in rows if at < len(row)) + 26 for at in range(max(map(len, rows)))]
    image = Image.new("RGB", (max(sum(widths) + 30, 500), 27 * len(rows) + 40), pick(["white", "white", "#f4f6f8"]))
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        x = 14
        for cell, width in zip(row, widths):
            draw.text((x, 16 + 27 * y), cell, pick(["black", "#222222"]), font=font)
            x += width
    return image


def scanned(shape, content):
    """A page from a scanner: enlarged, slightly turned, grey."""
    image = picture_of(shape, content)
    return image.resize((image.width * 2, image.height * 2)).rotate(random.uniform(-0.6, 0.6), fillcolor="white", expand=True).convert("L")


def write_screenshot(shape, content):
    form, options = pick([("png", {"format": "PNG"}), ("png", {"format": "PNG"}), ("jpg", {"format": "JPEG", "quality": random.randint(70, 92)}), ("gif", {"format": "GIF"}), ("bmp", {"format": "BMP"}), ("webp", {"format": "WEBP", "quality": 85}), ("tiff", {"format": "TIFF"})])
    image = picture_of(shape, content)
    return form, formats.saved(lambda out: image.save(out, **options))


def write_scan(shape, content):
    """A scan as the only picture of a PDF, or as a fax."""
    image = scanned(shape, content)
    if chance(0.2):
        return "tiff", formats.saved(lambda out: image.convert("1").save(out, "TIFF", compression="group4", dpi=(200, 200)))
    if chance(0.3):
        return "pdf", formats.scanned([image], format="JPEG", quality=80)
    return "pdf", formats.saved(lambda out: image.save(out, "PDF", resolution=150))


def write_pasted(shape, content):
    """A screenshot that somebody pasted into a letter, a sheet or a slide."""
    image = formats.saved(lambda out: picture_of(shape, content).save(out, "PNG"))
    return pick([
        lambda: ("docx", formats.docx_letter(lambda letter: letter.add_picture(io.BytesIO(image)))),
        lambda: ("xlsx", formats.openpyxl_book(lambda book, sheet: sheet.add_image(openpyxl_image(image), "E2"))),
        lambda: ("pptx", formats.slides(lambda show, slide: slide.shapes.add_picture(io.BytesIO(image), 0, 0))),
    ])()


def openpyxl_image(data):
    from openpyxl.drawing.image import Image
    return Image(io.BytesIO(data))


# --- containers -----------------------------------------------------------------------------------------------------------

def write_archive(shape, content):
    form, data = pick([write_txt, write_csv, write_docx, write_xlsx])(shape, content)
    members = {f"export.{form}": data, "lees mij.txt": b"Zie export."}
    return pick([
        lambda: ("zip", formats.zipped(members)), lambda: ("zip", formats.zipped({"map/alles.zip": formats.zipped(members)})),
        lambda: ("7z", formats.sevenzip(members)), lambda: ("tar", formats.tarred(members)), lambda: ("tgz", formats.tarred(members, "w:gz")),
    ])()


def write_msg(shape, content):
    """A mail that Outlook saved, with it in the text or attached."""
    from aspose.email_foss import msg
    if chance(0.5):
        return "msg", msg.MapiMessage.create("Vraag", "\r\n".join(["Hallo,", "", *as_lines(shape, content)])).to_bytes()
    form, data = pick([write_csv, write_xlsx])(shape, content)
    message = msg.MapiMessage.create("Vraag", "Zie bijlage.")
    message.add_attachment(f"export.{form}", data, mime_type="application/octet-stream")
    return "msg", message.to_bytes()


DOCUMENTS = [write_csv, write_csv, write_txt, write_html, write_rtf, write_xlsx, write_xlsx, write_sheet_comment, write_docx, write_docx, write_docx_place,
             write_pptx, write_odf, write_pdf, write_pdf_place, write_office, write_office, write_office, write_archive, write_archive, write_msg]
PICTURES = [write_screenshot, write_screenshot, write_scan, write_scan, write_pasted]
