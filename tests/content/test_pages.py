"""The pages of content: what they show, how many queries they take, and that a preview can do no harm."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.content.domain import checking, writing
from apps.content.domain.preview import cleaned, differences, frame
from apps.content.models import ContentTemplate
from apps.core.actors import acting_as
from tests.factories.accounts import person_with
from tests.factories.content import asset, author, pack, rule, version

pytestmark = pytest.mark.django_db
KINDS = (
    "contentasset",
    "contentversion",
    "qarun",
    "qafinding",
    "qasignoff",
    "findingwaiver",
    "claim",
    "contenttemplate",
)


@pytest.fixture
def writer():
    return author()


def test_lists_take_as_many_queries_for_three_rows_as_for_one(client, writer):
    pack(rule("No hype", "forbidden", terms="epic"))
    client.force_login(writer)

    def add(number):
        made = version(by=writer, of=asset(by=writer, title=f"Piece {number}"), body="<p>An epic day</p>")
        writing.submit_to_checks(made, by=writer)
        with acting_as(writer):
            ContentTemplate.objects.create(name=f"T{number}", kind="email", owner_person=writer)

    add(0)
    counted = {}
    for kind in KINDS:
        client.get(f"/admin/content/{kind}/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/admin/content/{kind}/").status_code == 200
        counted[kind] = len(asked)
        assert len(asked) < 25, kind
    for number in (1, 2):
        add(number)
    for kind in KINDS:
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/admin/content/{kind}/")
        assert len(asked) == counted[kind], kind


def test_the_page_of_a_version_shows_findings_look_and_difference(client, writer):
    pack(rule("No hype", "forbidden", terms="epic", level="brand"))
    client.force_login(writer)
    first = version(by=writer, body="<p>An epic day</p><script>alert(1)</script>")
    page = client.get(f"/admin/content/contentversion/{first.pk}/change/").content.decode()
    assert "Not checked yet." in page
    checking.run_checks(first, by=writer)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(f"/admin/content/contentversion/{first.pk}/change/").content.decode()
    assert "“epic” must not be said." in page
    assert "body, line 1, column 7" in page
    assert 'sandbox=""' in page
    assert "alert(1)" not in page.split("srcdoc=", 1)[1].split("</iframe>", 1)[0]
    assert len(asked) < 25
    page = client.get(f"/admin/content/contentasset/{first.asset_id}/change/").content.decode()
    assert f"/admin/content/contentversion/{first.pk}/change/" in page


def test_a_preview_runs_nothing_and_loads_nothing():
    html = cleaned(
        '<p onclick="x()" style="color:red;background:url(https://spy.example.com/a)">Hi</p><script>x</script>'
        '<img src="https://spy.example.com/p.png" alt="Us"><a href="javascript:x">y</a><form action="/x"></form>'
        '<iframe src="/admin/"></iframe><meta http-equiv="refresh" content="0;url=/x"><style>p{}</style>',
        is_html=True,
    )
    for harm in ("onclick", "spy.example.com", "javascript", "<form", "<iframe", "<meta", "<script", "<style", "url("):
        assert harm not in html
    assert '<img alt="Us">' in html
    assert "&lt;/iframe&gt;" in frame('"></iframe><b>x</b>', is_html=False) or "<b>" not in frame("<b>", is_html=False)


def test_differences_are_told_in_words(writer):
    first = version(by=writer, body="<h1>Hello</h1><p>One <b>fine</b> day</p>")
    writing.put_away(first, by=writer, reason="Over")
    second = version(by=writer, of=first.asset, body="<h1>Hello</h1><p>One <i>fine</i> night</p>")
    found = differences(first, second)
    assert [(line.kind, line.text) for line in found.words if line.kind in ("added", "removed")] == [
        ("removed", "One fine day"),
        ("added", "One fine night"),
    ]


def test_who_may_see_and_write(client, writer):
    made = version(by=writer)
    for role, status in ((Role.AUDITOR, 200), (Role.APPROVER, 200), (Role.EXECUTIVE, 200), (Role.SALES, 200)):
        client.force_login(person_with(role))
        assert client.get(f"/admin/content/contentversion/{made.pk}/change/").status_code == status
        assert client.post("/admin/content/contentversion/preview/html/", {"text": "<b>x</b>"}).status_code == 200
        answer = client.post(f"/admin/content/contentversion/{made.pk}/change/", {"subject": "Else", "_save": "1"})
        assert answer.status_code in (302, 403)
        made.refresh_from_db()
        assert made.subject == "Hello"
    client.force_login(person_with())
    assert client.post("/admin/content/contentversion/preview/html/", {"text": "x"}).status_code in (302, 403)
    client.force_login(person_with(Role.SALES))
    given = {"title": "One-pager", "kind": "enablement", "main_channel": "sales", "region": "uk", "language": "en"}
    answer = client.post("/admin/content/contentasset/add/", {**given, "brief": "For boards", "_save": "1"})
    assert answer.status_code == 302
    assert answer.url.startswith("/admin/content/contentasset/")


def test_files_that_are_not_what_they_say_are_refused_in_words(writer):
    import io

    from django.core.files.base import File

    from apps.core.attachments.domain.files import attach
    from apps.core.errors import InvalidInput

    made = version(by=writer)
    zipped = File(io.BytesIO(b"PK\x03\x04" + b"\x00" * 60), name="hero.png")
    with pytest.raises(InvalidInput, match="was not attached: its content is application/zip"):
        attach(made, zipped, by=writer)
    large = File(io.BytesIO(b"\x89PNG\r\n\x1a\n"), name="hero.png")
    for size, said in ((26, r"26\.0 MB; the limit is 25 MB"), (20, r"20\.0 MB; a picture may have 10 MB. Save it")):
        large.size = size * 1024 * 1024
        with pytest.raises(InvalidInput, match=said):
            attach(made, large, by=writer)
