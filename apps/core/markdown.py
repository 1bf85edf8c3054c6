"""Markdown as people write it, made safe to show: parsed by markdown-it, cleaned by nh3, nothing else trusted."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
LONGEST = 200_000


def render(text: str) -> SafeString:
    """Return `text` as HTML that can run nothing and load nothing from elsewhere.

    HTML in the text is shown, not obeyed; images become nothing, since they would fetch from other hosts; links open
    without telling where they come from. Text beyond 200,000 characters is left out, and says so.
    """
    shown = text[:LONGEST]
    if len(text) > LONGEST:
        shown += "\n\n*The rest is too long to show; open the history or export it to read all.*"
    html = nh3.clean(
        _PARSER.render(shown),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)  # noqa: S308  # cleaned just above
