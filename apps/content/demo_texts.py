# ruff: noqa: E501  # texts as they are written
"""What the demo's content says: rules, claims, templates, briefs and texts."""

from typing import Any

ALWAYS: dict[str, Any] = {"all": []}
E_MAIL = {"field": "kind", "op": "eq", "value": "email"}
PAGE = {"field": "kind", "op": "eq", "value": "landing_page"}


def _rule(
    key: str, name: str, check: str, level: str, severity: str, when: Any = ALWAYS, **more: Any
) -> dict[str, Any]:
    outcome = {"check": check, "severity": severity, "level": level, **more}
    return {"key": key, "name": name, "predicate": when, "outcome": outcome, "enabled": True, "reason": ""}


RULES: tuple[dict[str, Any], ...] = (
    _rule("markup", "Clean HTML", "markup", "technical", "warn"),
    _rule("links", "Links open and lead to us", "links", "technical", "block", terms="example.com; example.org"),
    _rule(
        "utm", "Links of e-mails are tagged", "utm", "technical", "warn", {"any": [E_MAIL]}, terms="example.com",
        advice="The UTM builder makes them.",
    ),
    _rule("alt", "Pictures in words", "alt_text", "technical", "block"),
    _rule("subject", "Subjects that mailboxes show whole", "subject", "technical", "warn", E_MAIL, limit=60),
    _rule("merge", "Merge fields exist", "merge_fields", "technical", "block"),
    _rule("contrast", "Readable colours", "contrast", "technical", "block", limit=4.5),
    _rule(
        "hype", "No empty superlatives", "forbidden", "brand", "block",
        terms="revolutionary; game-changing; best in class; world-class", advice="Say what it does instead.",
    ),
    _rule(
        "agreed", "Figures agree with the other channels", "consistency", "brand", "warn",
        advice="One campaign promises one thing: settle which is right.",
    ),
    _rule("names", "Names as they are written", "spelling", "brand", "warn", terms="HubSpot = Hub Spot; Meridian = Meridiane"),
    _rule("claims", "Claims are proved", "claim", "legal", "block", terms="fastest; No. 1; leading; guarant*; most trusted"),
    _rule("unsubscribe", "A way to unsubscribe", "unsubscribe", "legal", "block", E_MAIL, terms="unsubscribe; abmelden"),
    _rule(
        "imprint", "Imprint in Germany, Austria, Switzerland", "required", "legal", "block",
        {"all": [{"field": "region", "op": "eq", "value": "dach"}, {"field": "kind", "op": "in", "value": ["email", "landing_page"]}]},
        terms="Impressum", advice="Link the imprint at the end.",
    ),
    _rule(
        "address", "Sender's address in North America", "required", "legal", "block",
        {"all": [{"field": "region", "op": "eq", "value": "na"}, E_MAIL]}, terms="{{ sender_address }}",
        advice="The law there wants a postal address in every e-mail.",
    ),
)  # fmt: skip

CLAIMS = (
    ("the fastest export of contact lists we have measured", "Benchmark of March, 50,000 contacts, three runs, raw data in the share.", 200),
    ("leading in customer support", "Survey of 412 customers, mean 4.7 of 5, ended in June.", 20),
    ("guaranteed delivery within two hours", "Nobody has measured this yet.", -1),
)  # fmt: skip

_FOOT = (
    '<p style="font-size: 12px; color: #5a6270">Meridian Systems, 12 Harbour Street. '
    '<a href="{{ unsubscribe_link }}">Unsubscribe</a> · '
    '<a href="https://www.example.com/imprint?utm_source=mail&amp;utm_medium=email&amp;utm_campaign=footer">Impressum</a></p>'
)
NEWSLETTER = (
    '<!DOCTYPE html>\n<html lang="en">\n<body style="font-family: sans-serif; color: #1c2430; background-color: #ffffff">\n'
    "<h1>What is new this month</h1>\n<p>Hello {{ contact.first_name }},</p>\n"
    "<p>three things changed, and each saves you a click.</p>\n"
    "<ul>\n<li>Lists export in one go.</li>\n<li>Colours of your brand in every form.</li>\n<li>Reports by region.</li>\n</ul>\n"
    '<p><a style="color: #0b5cad" href="https://www.example.com/news?utm_source=mail&amp;utm_medium=email&amp;'
    f'utm_campaign=monthly">Read what is new</a></p>\n{_FOOT}\n</body>\n</html>\n'
)
SECOND = NEWSLETTER.replace("three things changed", "four things changed").replace(
    "<li>Reports by region.</li>",
    "<li>Reports by region.</li>\n<li>The fastest export of contact lists we have measured.</li>",
)
PROBLEM = (
    '<!DOCTYPE html>\n<html lang="de">\n<body>\n<h1>Die revolutionary Plattform</h1>\n'
    '<p style="color: #aaaaaa; background-color: #ffffff">Guaranteed results for {{ contact.frist_name }}.</p>\n'
    '<p><a href="http://tracker.example.net/x">Mehr</a></p>\n<img src="hero.png">\n'
    '<p><a href="{{ unsubscribe_link }}">Abmelden</a></p>\n</body>\n</html>\n'
)
PAGE_TEXT = (
    '<!DOCTYPE html>\n<html lang="en">\n<body style="font-family: sans-serif; color: #1c2430; background-color: #ffffff">\n'
    "<h1>See Meridian in twenty minutes</h1>\n<p>A colleague shows you your own case, no slides.</p>\n"
    '<p><a style="color: #0b5cad" href="https://www.example.com/demo">Choose a time</a></p>\n'
    '<p><a href="https://www.example.com/imprint">Impressum</a></p>\n</body>\n</html>\n'
)
BATTLECARD = (
    "## Against Northwind\n\n**They say** their import is free. **It is**, up to 1,000 contacts.\n\n"
    "- We import any size, and show what was refused row by row.\n- Ask how they keep consent: they do not.\n\n"
    "*Do not* name customers of theirs.\n"
)

TEMPLATES = (
    (
        "Monthly newsletter",
        "email",
        "What is new this month",
        NEWSLETTER,
        "Three points, each a line. Links are tagged.",
    ),
    ("Landing page, one goal", "landing_page", "See it in twenty minutes", PAGE_TEXT, "One promise, one button."),
)

BRIEFS: tuple[dict[str, Any], ...] = (
    {
        "title": "Newsletter, autumn", "kind": "email", "main_channel": "email", "region": "eu", "product": "Meridian Cloud",
        "audience": "Customers with a contract", "brief": "Three novelties, **one** call to action. Friendly, short.",
        "subject": "What is new this month", "preheader": "Lists, colours, reports", "body": NEWSLETTER,
        "colours": "#1c2430 on #ffffff\n#0b5cad on #ffffff", "until": "approved",
        "next": {"body": SECOND, "change_note": "A fourth novelty, with the claim of March."},
    },
    {
        "title": "Invitation to the webinar in Munich", "kind": "email", "main_channel": "email", "region": "dach",
        "language": "de", "audience": "Leads from the trade fair", "brief": "Bring them to the webinar. Legal must read it.",
        "subject": "Die Plattform, auf die Sie gewartet haben: alles zum Webinar im November in einer Mail", "body": PROBLEM,
        "until": "waiver", "due": 4,
    },
    {
        "title": "Demo page", "kind": "landing_page", "main_channel": "web", "region": "uk", "product": "Meridian Cloud",
        "brief": "One goal: a booked demo.", "subject": "See Meridian in twenty minutes", "body": PAGE_TEXT, "until": "in_review",
    },
    {
        "title": "Launch post", "kind": "social_post", "main_channel": "organic_social", "region": "global",
        "brief": "Say what is new in two sentences.", "subject": "Launch",
        "body": "Lists export in one go now, and the first year costs 20 % less. https://www.example.com/news?utm_source=social&utm_medium=organic&utm_campaign=launch",
        "until": "qa",
    },
    {
        "title": "Battlecard Northwind", "kind": "competitive", "main_channel": "sales", "region": "global", "asks": "sales_lead",
        "brief": "What to answer when they are in the deal.", "subject": "Against Northwind", "body": BATTLECARD,
        "until": "approved", "valid": 45,
    },
    {
        "title": "One-pager for the board", "kind": "enablement", "main_channel": "sales", "region": "na", "asks": "sales_lead",
        "brief": "Figures on one page, for a first meeting with a board.", "until": "brief", "due": 21,
    },
    {
        "title": "Search advertisement, contact lists", "kind": "advertisement", "main_channel": "paid_search", "region": "uk",
        "brief": "Two lines and a link.", "subject": "Export contact lists in one go", "until": "draft",
        "body": "The best in class export, 25 % less in the first year. Try it: https://www.example.com/demo",
    },
)  # fmt: skip
