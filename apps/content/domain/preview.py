"""How a text will look: cleaned to what can run nothing and load nothing, for a frame that is sandboxed besides."""

from dataclasses import dataclass

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.content.domain.qa.reading import read_html
from apps.content.models import ContentVersion
from apps.core.markdown import render
from apps.core.text_diff import Line, compare

LONGEST = 500_000
_TAGS = {
    *("a", "abbr", "address", "article", "b", "blockquote", "body", "br", "caption", "center", "cite", "code", "col"),
    *("colgroup", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3"),
    *("h4", "h5", "h6", "head", "header", "hr", "html", "i", "img", "ins", "li", "main", "mark", "nav", "ol", "p"),
    *("pre", "q", "s", "section", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot"),
    *("th", "thead", "tr", "u", "ul"),
}
_EVERYWHERE = {"align", "bgcolor", "border", "cellpadding", "cellspacing", "dir", "height", "lang", "style", "title"}
_ATTRIBUTES = {
    "*": _EVERYWHERE | {"valign", "width"},
    "a": {"href"},
    "font": {"color", "face", "size"},
    "img": {"alt", "src"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_STYLES = {
    *("background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-right"),
    *("border-top", "color", "display", "font-family", "font-size", "font-style", "font-weight", "height"),
    *("letter-spacing", "line-height", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top"),
    *("max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top"),
    *("text-align", "text-decoration", "text-transform", "vertical-align", "width"),
}
_PAGE = '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body style="{style}">{html}</body></html>'
_STYLE = "font-family: sans-serif; color: #1c2430; background-color: #ffffff; margin: 12px; overflow-wrap: anywhere"


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Leave pictures of other hosts out: a preview tells nobody that it was looked at."""
    if tag == "img" and name == "src" and not value.startswith("data:image/"):
        return None
    return value


def cleaned(text: str, *, is_html: bool) -> str:
    """Return a text as harmless HTML; pictures of other hosts are shown by their alternative text."""
    if not is_html:
        return str(render(text))
    return nh3.clean(
        text[:LONGEST],
        tags=_TAGS - {"html", "head", "body"},
        clean_content_tags={"script", "style", "title"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel", "data"},
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow",
    )


def frame(text: str, *, is_html: bool, title: str = "Preview") -> SafeString:
    """Return a frame that shows a text and may do nothing: no scripts, no forms, no addresses of its own."""
    page = _PAGE.format(style=_STYLE, html=cleaned(text, is_html=is_html))
    return format_html('<iframe class="mops-frame" sandbox="" title="{}" srcdoc="{}"></iframe>', title, page)


@dataclass(frozen=True)
class Differences:
    """What differs between two versions: in the words people read, in the source, and how both look."""

    words: list[Line]
    source: list[Line]
    before: SafeString
    after: SafeString
    lines_before: str

    @property
    def has_any(self) -> bool:
        """Whether anything differs."""
        return bool(self.words or self.source)


def differences(old: ContentVersion, new: ContentVersion) -> Differences:
    """Return what differs between two versions of the same content."""
    is_html = new.asset.is_html
    read = _read if is_html else str
    heads = (f"{old.subject}\n{old.preheader}\n", f"{new.subject}\n{new.preheader}\n")
    return Differences(
        words=compare(heads[0] + read(old.body), heads[1] + read(new.body)),
        source=compare(old.body, new.body) if is_html else [],
        before=frame(old.body, is_html=is_html, title=f"Version {old.number}"),
        after=frame(new.body, is_html=is_html, title=f"Version {new.number}"),
        lines_before=str(old),
    )


def _read(body: str) -> str:
    lines = (" ".join(line.split()) for line in read_html(body).text.splitlines())
    return "\n".join(line for line in lines if line)
