"""Pages are sent without the indentation of their templates; texts stay as they are."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from apps.core.middleware import LeanPagesMiddleware


def sent(response):
    return LeanPagesMiddleware(lambda request: response)(RequestFactory().get("/"))


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("<tr>\n\n      <td>a  b\n\n c</td>\n  \n</tr>", "<tr>\n<td>a  b\n\n c</td>\n</tr>"),
        ("<a>1</a> <a>2</a>", "<a>1</a> <a>2</a>"),
        ("<b>x</b>\n\n  and", "<b>x</b>\n\n  and"),
        (
            "<p>\n  <b><pre><i>x</i>\n\n   <i>y</i></pre></b>\n  </p>",
            "<p>\n<b><pre><i>x</i>\n\n   <i>y</i></pre></b>\n</p>",
        ),
        ("<p>\n  <b>\n</b><textarea>\n   \n</textarea></p>", "<p>\n<b>\n</b><textarea>\n   \n</textarea></p>"),
    ],
)
def test_only_what_stands_between_tags_is_shortened(given, left):
    assert sent(HttpResponse(given)).content.decode() == left


def test_what_is_no_page_stays(client):
    assert sent(HttpResponse(">\n\n  <", content_type="text/plain")).content == b">\n\n  <"
    flow = StreamingHttpResponse([b">\n\n  <"])
    assert b"".join(sent(flow).streaming_content) == b">\n\n  <"


@pytest.mark.django_db
def test_the_length_that_is_announced_is_the_length_that_is_sent(client):
    answer = client.get("/accounts/login/")
    assert b">\n<" in answer.content
    assert int(answer["Content-Length"]) == len(answer.content)
