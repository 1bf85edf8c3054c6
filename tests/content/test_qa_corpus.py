# ruff: noqa: E501, ISC004  # a sample a line
"""Good and bad samples against every check, with what is expected to be found, at which line and column."""

import datetime as dt
import time

import pytest
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st

from apps.content.domain.qa.colours import contrast_of, parse_colour
from apps.content.domain.qa.engine import MOST_OF_ONE_RULE, Checker
from apps.content.domain.qa.findings import BODY, SUBJECT, Given, Rule
from apps.content.domain.qa.looking import link_problem, utm_problem
from apps.content.domain.qa.reading import read_html, read_plain

TODAY = dt.date(2026, 6, 1)
FIELDS = {"contact.first_name": True, "first_name": True, "company.name": False}
UTM = "?utm_source=mail&utm_medium=email&utm_campaign=autumn"


def found(rule, body, *, html=True, claims=(), **given):
    """What one rule finds: (line, column, sentence)."""
    read = read_html if html else read_plain
    documents = {BODY: read(body)}
    if "subject" in given:
        documents[SUBJECT] = read_plain(given.pop("subject"))
    given.setdefault("merge_fields", FIELDS)
    checked = Checker([rule], claims=claims).check(Given(documents, **given), today=TODAY)
    return [(each.line, each.column, each.sentence) for each in checked]


def asks(check, *terms, **more):
    return Rule("house/r", "R", check, terms, **more)


@pytest.mark.parametrize(
    ("rule", "body", "expected"),
    [
        # words that must not appear
        (asks("forbidden", "cheap"), "<p>Good value</p>", []),
        (asks("forbidden", "cheap"), "<p>Cheaper</p>", []),
        (asks("forbidden", "cheap"), "<p>So\n CHEAP now</p>", [(2, 2, "“CHEAP” must not be said.")]),
        (asks("forbidden", "best in class"), "<p>best\n  in <b>cl</b>ass</p>", [(1, 4, "“best in class” must not be said.")]),
        (asks("forbidden", "cheap"), "<p>che&#97;p</p>", [(1, 4, "“cheap” must not be said.")]),
        (asks("forbidden", "cheap"), "<p>che\u200bap ｃｈｅａｐ</p>", [
            (1, 4, "“cheap” must not be said."), (1, 11, "“ｃｈｅａｐ” must not be said.")]),
        (asks("forbidden", "guarant*"), "<p>Guaranteed</p>", [(1, 4, "“Guaranteed” must not be said.")]),
        (asks("forbidden", "cheap"), "<p>ok</p><img alt='cheap shoes' src=a>", [(1, 10, "“cheap” must not be said.")]),
        (asks("forbidden", "cheap"), "<script>cheap</script><!-- cheap --><style>cheap{}</style>", []),
        (asks("forbidden", "cheap", advice="Say “affordable”."), "<p>cheap</p>",
            [(1, 4, "“cheap” must not be said. Say “affordable”.")]),
        # names
        (asks("spelling", "HubSpot = Hub Spot"), "<p>HubSpot</p>", []),
        (asks("spelling", "HubSpot = Hub Spot"), "<p>Hubspot, hub spot</p>", [
            (1, 4, "“Hubspot” is written “HubSpot”."), (1, 13, "“hub spot” is written “HubSpot”.")]),
        # texts that must appear, where they are seen
        (asks("required", "Terms apply"), "<p>terms\napply</p>", []),
        (asks("required", "Terms apply"), "<p>Hello</p>", [(1, 13, "“Terms apply” has to be said, where readers see it.")]),
        (asks("required", "Terms apply"), '<p style="display: none">Terms apply</p>',
            [(1, 41, "“Terms apply” has to be said, where readers see it.")]),
        (asks("required", "Terms apply"), '<img alt="Terms apply" src=a>',
            [(1, 30, "“Terms apply” has to be said, where readers see it.")]),
        # links
        (asks("links", "example.com"), '<a href="https://www.example.com/x">Read</a>', []),
        (asks("links", "example.com"), '<p>\n<a href="https://evil-example.com/">Read</a>',
            [(2, 1, "“evil-example.com” is not among the allowed hosts.")]),
        (asks("links"), '<a href="http://example.com/">Read</a>',
            [(1, 1, "“http://example.com/” is not encrypted: use https://.")]),
        (asks("links"), '<a href="">Read</a>', [(1, 1, "A link leads nowhere.")]),
        (asks("links"), '<a href="https://example.com"></a>', [(1, 1, "A link has no words: say where it leads.")]),
        (asks("links"), '<a href="https://example.com"><img src=a alt="Our shop"></a>', []),
        (asks("links"), '<a href="{{ unsubscribe_link }}">Leave</a>', []),
        # UTM
        (asks("utm"), f'<a href="https://example.com/{UTM}">Read</a>', []),
        (asks("utm"), '<a href="https://example.com/?utm_source=mail">Read</a>',
            [(1, 1, "The link lacks utm_medium, utm_campaign.")]),
        (asks("utm", "example.com"), '<a href="https://partner.org/">Read</a>', []),
        (asks("utm"), f'<a href="https://example.com/{UTM}%20Mail">Read</a>', [(1, 1, "utm_campaign='autumn Mail' is "
            "written in small letters, digits, dots, hyphens and underscores, without spaces.")]),
        (asks("utm"), f'<a href="https://example.com/{UTM}&amp;u=a@b.com">Read</a>',
            [(1, 1, "The link carries an e-mail address; personal data never stands in addresses.")]),
        # pictures
        (asks("alt_text"), '<img src="a.png" alt="Two people at a desk"><img src=b alt="">', []),
        (asks("alt_text"), '\n <img src="a.png">',
            [(2, 2, 'A picture has no alternative text; alt="" where it only decorates.')]),
        (asks("alt_text"), '<img src="a.png" alt="IMG_1.png">', [(1, 1, "“IMG_1.png” does not say what the picture shows.")]),
        # unsubscribe
        (asks("unsubscribe"), '<a href="{{ unsubscribe_link }}">Leave</a>', []),
        (asks("unsubscribe", "abmelden"), '<a href="https://x.example.com">Hier abmelden</a>', []),
        (asks("unsubscribe"), "<p>unsubscribe</p>",
            [(1, 19, "An e-mail needs a link to unsubscribe, for instance to {{ unsubscribe_link }}.")]),
        (asks("unsubscribe"), '<a href="{{ unsubscribe_link }}"></a>',
            [(1, 38, "An e-mail needs a link to unsubscribe, for instance to {{ unsubscribe_link }}.")]),
        # contrast
        (asks("contrast"), '<p style="color:#333;background:#fff">x</p>', []),
        (asks("contrast"), '<div style="background:#888"><p style="color:#777">x</p></div>',
            [(1, 52, "#777 on #888 has a contrast of 1.26 to 1; 4.5 to 1 are needed.")]),
        (asks("contrast", limit=3), '<p style="color:#949494">x</p>', []),
        (asks("contrast"), '<div style="color:#777;background:#888"></div><p>black on white</p>', []),
        # merge fields
        (asks("merge_fields"), "<p>Hi {{ contact.first_name | default: you }} {{ imprint }}</p>", []),
        (asks("merge_fields"), "<p>Hi {{ contact.firstname }}</p>", [(1, 7,
            "“contact.firstname” stands in no data dictionary, so nothing would be filled in. "
            "Is “contact.first_name” meant?")]),
        (asks("merge_fields"), '<a href="https://example.com/?n={{ first_name }}">Go</a>',
            [(1, 33, "“first_name” is personal data and must not stand in the address of a link.")]),
        # markup
        (asks("markup"), "<p>one<p>two<ul><li>a<li>b</ul><br><img src=a alt=x>", []),
        (asks("markup", severity="warn"), "<div><b>x</div>", [
            (1, 6, "<b> is still open where </div> closes what is around it.")]),
        (asks("markup"), "x</div>", [(1, 2, "</div> closes nothing.")]),
        (asks("markup"), "<p onclick='x()'>a</p>", [(1, 1, "“onclick” runs a script; take it out.")]),
        (asks("markup"), "<a href=' java\nscript:x'>a</a>", [(1, 1, "“href” runs a script; give an address.")]),
        (asks("markup"), "<iframe src=x></iframe>",
            [(1, 1, "<iframe> is not allowed in content: mailboxes and pages block it.")]),
        (asks("markup"), "a <!-- never", [
            (1, 3, "A comment or declaration is never closed: nothing behind it is shown.")]),
    ],
)  # fmt: skip
def test_samples(rule, body, expected):
    assert found(rule, body) == expected


def test_the_subject():
    rule = asks("subject", limit=20)
    assert found(rule, "", subject="Short and good") == []
    assert found(rule, "", subject="") == [(1, 1, "There is no subject.")]
    assert found(rule, "", subject="x" * 25) == [(1, 21, "The subject has 25 characters; 20 are shown.")]


def test_claims_are_covered_by_approved_wordings_in_force():
    rule = asks("claim", "fastest", "No. 1")
    claims = (
        ("the fastest export in Europe", dt.date(2026, 12, 31), True),
        ("No. 1 in Norway", dt.date(2026, 1, 31), True),
    )
    body = "<p>We have the fastest export in <b>Europe</b>. The fastest support. No. 1 in Norway!</p>"
    assert found(rule, body, claims=claims) == [
        (1, 53, "“fastest” claims something: no approved claim says it in these words."),
        (1, 70, "“No. 1” is claimed, but its substantiation ended on 31 January 2026."),
    ]


def test_texts_without_markup():
    body = "See https://evil.example.org/x.\n![](a.png) ![A chart](b.png)"
    assert found(asks("links", "example.com"), body, html=False) == [
        (1, 5, "“evil.example.org” is not among the allowed hosts.")
    ]
    assert found(asks("alt_text"), body, html=False)[0][:2] == (2, 1)
    assert found(asks("contrast"), "x", html=False, colours="#333 on #fff\n#999 on #fff\nred") == [
        (2, 1, "#999 on #fff has a contrast of 2.85 to 1; 4.5 to 1 are needed."),
        (3, 1, "red on white has a contrast of 4.00 to 1; 4.5 to 1 are needed.")
    ]  # fmt: skip
    assert "no pair of colours" in found(asks("contrast"), "x", html=False, colours="#zzz on #fff")[0][2]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://example.com", "does not begin with https://"),
        ("example.com/x", "does not begin with https://"),
        ("https://exa mple.com", "no address a browser can open"),
        ("https://[::1", "no address a browser can open"),
        ("https://user@example.com/", "names a user before the host"),
        ("https://localhost/", "no address a browser can open"),
        ("#", "leads nowhere"),
    ],
)
def test_addresses(address, sentence):
    assert sentence in link_problem(address)
    assert link_problem("https://bücher.example.com/?q={{ company.name }}") is None
    assert utm_problem("https://[::1") is None


def test_contrast_is_that_of_the_standard():
    """WCAG 2.2: black on white 21 to 1, equal colours 1 to 1; #767676 on white is the lightest grey that passes."""
    assert contrast_of(parse_colour("#000"), parse_colour("white")) == pytest.approx(21)
    assert contrast_of(parse_colour("#123456"), parse_colour("rgb(18, 52, 86)")) == 1
    assert contrast_of(parse_colour("#767676"), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)
    assert [parse_colour(each) for each in ("rgb(300,0,0)", "var(--x)", "#12")] == [None, None, None]


def test_one_rule_tells_so_many_places_and_no_more():
    assert len(found(asks("forbidden", "cheap"), "<p>" + "cheap " * 100)) == MOST_OF_ONE_RULE


def test_a_finding_keeps_its_fingerprint_while_it_moves():
    rule = asks("forbidden", "cheap")
    first, moved, other = (
        Checker([rule]).check(Given({BODY: read_html(body)}), today=TODAY)[0].fingerprint
        for body in ("<p>A cheap one</p>", "\n\n<p>A cheap one</p>", "<p>Another cheap one</p>")
    )
    assert first == moved != other


@pytest.mark.parametrize(
    "piece", ['<a "', "<a x='", "<!--", "<b>", "</b>", "<script>", "&#97;", '<a href="x">', "<", "<a /", "<p style='color:", "<a  "]
)  # fmt: skip
def test_hostile_html_takes_time_in_proportion(piece, proof):
    if not proof:
        pytest.skip("a timed proof needs the machine to itself; manage.py test --proof runs it")
    small, large = piece * (20_000 // len(piece)), piece * (160_000 // len(piece))
    taken = []
    for source in (small, large):
        started = time.process_time()
        read_html(source)
        taken.append(time.process_time() - started)
    assert taken[1] < 30 * max(taken[0], 0.002)


@settings(deadline=None, max_examples=60)
@draws(st.text(alphabet="<>/ab p=\"'!-&#;\n\u00ad", max_size=200))
def test_anything_can_be_read_and_every_place_is_inside(source):
    document = read_html(source)
    assert all(0 <= document.origin(each) <= len(source) for each in range(len(document.text)))
    for offset, _, _ in document.faults:
        place = document.place(offset)
        assert place.line >= 1
        assert place.column >= 1
