"""A4 pages that fill from the top: text, bars and tables that break over pages, with a footer on each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

INK: Final = HexColor("#1b2126")
GREY: Final = HexColor("#5b666f")
LINE: Final = HexColor("#c9cfd4")
PALE: Final = HexColor("#eef1f3")
RUN: Final = HexColor("#7f8a93")
LOST: Final = HexColor("#2b3238")
_ROW: Final = 5.2 * mm
_WIDE_FONTS: Final = (
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    ("/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf", "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf"),
    ("/Library/Fonts/Arial Unicode.ttf", "/Library/Fonts/Arial Unicode.ttf"),
    ("C:/Windows/Fonts/arial.ttf", "C:/Windows/Fonts/arialbd.ttf"),
)
"""Fonts of the system with more letters than the 14 that every PDF reader has (those know Western European ones)."""


class Pages:
    """Distances of `text`, `bar` and others are from the cursor downwards, in points; `skip` moves it."""

    def __init__(self, file: BinaryIO, title: str, made: datetime) -> None:
        self._canvas = Canvas(file, pagesize=A4, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator("Lineshaft")
        self._title, self._made, self._page = title, made, 1
        self.left, self.width = 15 * mm, A4[0] - 30 * mm
        self._y = A4[1] - 15 * mm
        self._canvas.setLineWidth(0.5)

    def need(self, height: float) -> None:
        """Go to the next page where this one has not so much left."""
        if self._y - height < 16 * mm:
            self._footer()
            self._canvas.showPage()
            self._canvas.setLineWidth(0.5)
            self._page += 1
            self._y = A4[1] - 15 * mm

    def skip(self, height: float) -> None:
        """Move the cursor down."""
        self._y -= height

    def head(self, name: str, words: str, plant: str) -> None:
        """The top of the first page."""
        self.text(self.left, 5 * mm, name, 18, INK, bold=True)
        if plant != name:
            self._write(self.left + self.width, self._y - 5 * mm, plant, 9, GREY, align="right")
        self.text(self.left, 11.5 * mm, words, 11, INK)
        self._canvas.setStrokeColor(INK)
        self._canvas.line(self.left, self._y - 14 * mm, self.left + self.width, self._y - 14 * mm)
        self.skip(18 * mm)

    def section(self, title: str, height: float) -> None:
        """A heading that stays with `height` of what follows."""
        self.need(min(height, 60 * mm) + 9 * mm)
        self.text(self.left, 5 * mm, title, 10.5, INK, bold=True)
        self.skip(8 * mm)

    def text(self, x: float, down: float, words: str, size: float, colour: Color = INK, *, bold: bool = False) -> None:
        """Words whose line is `down` below the cursor."""
        self._write(x, self._y - down, words, size, colour, bold=bold)

    def centred(self, x: float, down: float, words: str, size: float, colour: Color = INK) -> None:
        """Words around x."""
        self._write(x, self._y - down, words, size, colour, align="centre")

    def right(self, x: float, down: float, words: str, size: float, colour: Color = INK) -> None:
        """Words that end at x."""
        self._write(x, self._y - down, words, size, colour, align="right")

    def box(self, x: float, height: float, width: float, fill: Color) -> None:
        """A filled box from the cursor down."""
        self._canvas.setFillColor(fill)
        self._canvas.roundRect(x, self._y - height, width, height, 1.5 * mm, stroke=0, fill=1)

    def bar(
        self,
        x: float,
        down: float,
        width: float,
        height: float,
        fill: Color,
        *,
        edge: bool = False,
        upwards: bool = False,
    ) -> None:
        """A filled bar whose lower edge is `down` below the cursor."""
        self._canvas.setFillColor(fill)
        self._canvas.setStrokeColor(GREY)
        self._canvas.rect(x, self._y - down, width, height, stroke=int(edge), fill=1)

    def outline(self, x: float, down: float, width: float, height: float) -> None:
        """The same, empty."""
        self._canvas.setStrokeColor(INK)
        self._canvas.rect(x, self._y - down, width, height, stroke=1, fill=0)

    def table(
        self, title: str, heads: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]],
        right: Collection[int] = (),
    ) -> None:  # fmt: skip
        """A table with its heading; nothing without rows. Widths in mm; `right`: columns that end on one line."""
        if not rows:
            return
        self.section(title, 2 * _ROW + min(len(rows), 4) * _ROW)
        self._row(heads, widths, right, GREY)
        for row in rows:
            before = self._page
            self.need(_ROW)
            if self._page != before:
                self._row(heads, widths, right, GREY)
            self._row(row, widths, right, INK)
        self.skip(4 * mm)

    def _row(self, cells: Sequence[str], widths: Sequence[float], right: Collection[int], colour: Color) -> None:
        x = self.left
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            room = width * mm - (4 if place in right and place + 1 < len(cells) else 2) * mm
            words, font = cell, self._font(cell, bold=False)
            while words and pdfmetrics.stringWidth(words, font, 8.5) > room:
                words = words[:-2] + "." if words.endswith(".") else words[:-1] + "."
            at = x + room if place in right else x
            self._write(at, self._y - 3.6 * mm, words, 8.5, colour, align="right" if place in right else "left")
            x += width * mm
        self._canvas.setStrokeColor(LINE)
        self._canvas.line(self.left, self._y - _ROW + 0.3 * mm, self.left + self.width, self._y - _ROW + 0.3 * mm)
        self.skip(_ROW)

    def close(self) -> None:
        """Write the file."""
        self._footer()
        self._canvas.save()

    def _footer(self) -> None:
        y = 9 * mm
        self._write(self.left, y, f"{self._title}   made {self._made:%Y-%m-%d %H:%M %Z}", 7.5, GREY)
        self._write(self.left + self.width, y, f"Page {self._page}", 7.5, GREY, align="right")

    def _write(
        self, x: float, y: float, words: str, size: float, colour: Color, *, bold: bool = False, align: str = "left"
    ) -> None:
        self._canvas.setFillColor(colour)
        self._canvas.setFont(self._font(words, bold=bold), size)
        draw = {"left": self._canvas.drawString, "right": self._canvas.drawRightString,
                "centre": self._canvas.drawCentredString}[align]  # fmt: skip
        draw(x, y, words)

    def _font(self, words: str, *, bold: bool) -> str:
        """A font that has the letters: the reader's own, else one of the system."""
        try:
            words.encode("cp1252")
        except UnicodeEncodeError:
            wide = _wide_font(bold=bold)
            if wide is not None:
                return wide
        return "Helvetica-Bold" if bold else "Helvetica"


def _wide_font(*, bold: bool) -> str | None:
    name = "Wide-Bold" if bold else "Wide"
    if name in pdfmetrics.getRegisteredFontNames():
        return name
    for files in _WIDE_FONTS:
        if Path(files[bold]).exists():
            try:
                pdfmetrics.registerFont(TTFont(name, files[bold]))
            except TTFError:
                continue
            return name
    return None
